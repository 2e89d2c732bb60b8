//! The mark that a training leaves in its output folder while it runs.
//!
//! It keeps two trainings from writing into one folder, and tells the next one that the last was
//! killed: a process that the system stops for want of memory has no last word itself.

use super::super::error::refused;
use super::super::mebibytes;
use anyhow::{Context, Result};
use serde_json::{json, Value};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Name of the file.
const FILE: &str = "running.json";
/// Longest content that is read.
const LIMIT: u64 = 4096;

/// Held while a training runs; taken away when it is dropped.
pub(super) struct Mark {
    path: PathBuf,
    _file: File,
}

impl Mark {
    /// Marks `output` for a training that needs about `needed` bytes. With it comes what is to be
    /// said of the last training there, if that was killed.
    pub(super) fn set(output: &Path, needed: u64) -> Result<(Self, Option<String>)> {
        std::fs::create_dir_all(output)
            .with_context(|| format!("creating {}", output.display()))?;
        let path = output.join(FILE);
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .with_context(|| format!("opening {}", path.display()))?;
            let locked = match file.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                // Some network file systems know no locks.
                Err(TryLockError::Error(_)) => true,
            };
            let mut text = String::new();
            // What cannot be read says nothing about the last run.
            let _ = Read::by_ref(&mut file).take(LIMIT).read_to_string(&mut text);
            let last: Value = serde_json::from_str(&text).unwrap_or_default();
            if !locked {
                return Err(refused(format!(
                    "{} is being written by another training (process {}); choose another --output \
                     or stop that one",
                    output.display(),
                    last.get("pid").unwrap_or(&Value::Null)
                )));
            }
            if !is_at(&file, &path) {
                // The other training ended between our opening and locking.
                continue;
            }
            let killed = last.get("pid").and_then(Value::as_u64).map(|pid| {
                let needed = last.get("needed_bytes").and_then(Value::as_u64);
                let needed = needed.map_or(String::new(), |n| format!(" of about {}", mebibytes(n)));
                format!(
                    "The last training here (process {pid}) was killed. If it was for want of \
                     memory{needed}: --gradient-checkpointing true needs less and goes on from the \
                     checkpoint; a smaller --per-device-train-batch-size or --max-seq-length starts \
                     anew. `trainer-worker doctor` shows what this machine has."
                )
            });
            let content = json!({ "pid": std::process::id(), "needed_bytes": needed }).to_string();
            file.rewind()
                .and_then(|()| file.set_len(0))
                .and_then(|()| file.write_all(content.as_bytes()))
                .with_context(|| format!("writing {}", path.display()))?;
            return Ok((Self { path, _file: file }, killed));
        }
    }
}

/// Whether `path` still names the opened file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let key = |m: std::io::Result<std::fs::Metadata>| m.ok().map(|m| (m.dev(), m.ino()));
    let opened = key(file.metadata());
    opened.is_some() && opened == key(std::fs::metadata(path))
}

/// An open file cannot be removed here.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl Drop for Mark {
    fn drop(&mut self) {
        // A mark that stays only makes the next training say too much.
        let _ = std::fs::remove_file(&self.path);
    }
}
