//! How much memory there is, and how much this process holds.

use std::path::{Path, PathBuf};

/// What may still be allocated, and what sets the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    /// Bytes.
    pub bytes: u64,
    /// Swap that is free on top, in bytes; a training that reaches for it is many times slower.
    pub swap: u64,
    /// "the machine's available memory", or what else sets the limit, in words.
    pub limit: String,
}

/// The memory that this process may still take: the least of the machine's available memory, of
/// what each enclosing control group (version 1 or 2, as containers and batch systems set them)
/// leaves, and of what `ulimit -v` leaves. `None` where the system does not say.
pub fn available() -> Option<Available> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let field = |name: &str| kibibytes(&meminfo, name);
    let mut found = Available {
        bytes: field("MemAvailable:")?,
        swap: field("SwapFree:").unwrap_or(0),
        limit: "the machine's available memory".to_owned(),
    };
    for (left, path) in control_groups() {
        if left < found.bytes {
            found.bytes = left;
            found.limit = format!("the limit of the control group {}", path.display());
        }
    }
    if let Some(left) = address_space().filter(|left| *left < found.bytes) {
        found.bytes = left;
        found.limit = "the limit on the address space (ulimit -v)".to_owned();
    }
    Some(found)
}

/// What the limit on the address space leaves, if there is one.
fn address_space() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    // "unlimited" is no number.
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let used = kibibytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmSize:")?;
    Some(limit.saturating_sub(used))
}

/// Memory of the machine in bytes, where the system says it.
pub fn total() -> Option<u64> {
    kibibytes(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

/// What this process holds in memory, in bytes.
pub fn resident() -> Option<u64> {
    kibibytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The most that this process has held so far, in bytes.
pub fn peak_resident() -> Option<u64> {
    kibibytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// What each control group with a memory limit leaves, with its folder.
fn control_groups() -> Vec<(u64, PathBuf)> {
    let mut found = Vec::new();
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (root, limit, usage) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.max", "memory.current")
        } else if controllers.split(',').any(|c| c == "memory") {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
        } else {
            continue;
        };
        let root = Path::new(root);
        // Inside a container the path names a folder of the host; the limit is at the root then.
        let mut folder = root.join(path.trim_start_matches('/'));
        loop {
            if let Some(left) = left_in(&folder, limit, usage) {
                found.push((left, folder.clone()));
            }
            if folder == root || !folder.pop() || !folder.starts_with(root) {
                break;
            }
        }
    }
    found
}

fn left_in(folder: &Path, limit: &str, usage: &str) -> Option<u64> {
    let number = |file: &str| -> Option<u64> {
        std::fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
    };
    // "max" is no number; version 1 writes a huge one.
    let limit = number(limit).filter(|l| *l < 1 << 60)?;
    let used = number(usage)?;
    // Pages of files that were read count as used until somebody needs the memory.
    let stat = std::fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let cache = stat
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(name, _)| matches!(*name, "inactive_file" | "total_inactive_file"))
        .and_then(|(_, value)| value.parse::<u64>().ok())
        .unwrap_or(0);
    Some(limit.saturating_sub(used.saturating_sub(cache)))
}
