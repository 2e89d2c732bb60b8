//! Where an adapter's bytes lie.

use super::{sha256, ChainAdapter};
use crate::server::names::is_name;
use openledger_engine::{peft, Result};
use sha2::{Digest, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// How the file is called that is a whole adapter.
const SINGLE: &str = ".safetensors";

/// Most entries of the adapters' folder that are listed.
const MAX_ENTRIES: usize = 10_000;

/// Where an adapter comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A folder as PEFT writes it, or one safetensors file.
    File(PathBuf),
    /// The chain.
    Chain(ChainAdapter),
}

/// An adapter's bytes.
pub(super) struct Bytes {
    pub(super) sha256: [u8; 32],
    pub(super) weights: Vec<u8>,
    pub(super) config: Option<String>,
}

/// By what a file that was replaced is known: size, time of change and, where there is one, the
/// number of the file, which a replacement by renaming always changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp(Vec<(u64, Option<SystemTime>, u64)>);

impl Stamp {
    /// The stamp of an adapter's files.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let files = match path.is_dir() {
            true => vec![path.join(peft::WEIGHTS), path.join(peft::CONFIG)],
            false => vec![path.to_owned()],
        };
        let of = |path: &PathBuf| {
            let metadata = std::fs::metadata(path)?;
            #[cfg(unix)]
            let number = std::os::unix::fs::MetadataExt::ino(&metadata);
            #[cfg(not(unix))]
            let number = 0;
            Ok((metadata.len(), metadata.modified().ok(), number))
        };
        files.iter().map(of).collect::<io::Result<_>>().map(Self)
    }
}

/// Bytes of an adapter's weights; 0 where there are none, which reading them says.
pub(super) fn weight_bytes(path: &Path) -> u64 {
    let weights = if path.is_dir() { path.join(peft::WEIGHTS) } else { path.to_owned() };
    std::fs::metadata(weights).map_or(0, |known| known.len())
}

/// What is wrong with an adapter, without where it lies on the server.
pub(super) fn without_path(error: &dyn std::fmt::Display, path: &Path, name: &str) -> String {
    error.to_string().replace(&path.display().to_string(), name)
}

/// Reads an adapter's files. The sha256 covers the weights and, where it is a file of its own, the
/// configuration after them: both decide what is computed.
/// Weights have at most `limit` bytes.
pub(super) fn read(path: &Path, limit: u64) -> Result<Bytes> {
    let (weights, config) = peft::read_within(path, limit)?;
    let sha256 = match &config {
        // The configuration that the file itself carries changes nothing about its name.
        Some(config) if peft::extract_config(&weights).ok().as_ref() != Some(config) => {
            let mut sum = Sha256::new();
            sum.update(&weights);
            sum.update(config);
            sum.finalize().into()
        }
        _ => sha256(&weights),
    };
    Ok(Bytes { sha256, weights, config })
}

/// Whether a name can be an entry of a folder: no separator, no parent, nothing hidden.
pub(super) fn is_entry_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// The path of the adapter of that name in a folder.
pub(super) fn entry(folder: &Path, name: &str) -> Option<PathBuf> {
    let whole = is_entry_name(name).then(|| folder.join(name))?;
    let single = folder.join(format!("{name}{SINGLE}"));
    [whole, single].into_iter().find(|path| path.exists())
}

/// The names of the adapters in a folder.
pub(super) fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let adapter = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok().filter(|name| is_entry_name(name))?;
        let path = entry.path();
        let name = match path.is_dir() {
            true => path.join(peft::CONFIG).is_file().then_some(name.as_str()),
            false => name.strip_suffix(SINGLE),
        };
        name.filter(|name| is_name(name)).map(str::to_owned)
    };
    entries.take(MAX_ENTRIES).flatten().filter_map(adapter).collect()
}
