//! Files that are being fetched, in the folder where they will stay.
//!
//! A process that is killed leaves its file behind, and no program runs in that folder afterwards
//! that could know. So each such file is locked for as long as its process lives, and the next fetch
//! into the folder removes those that nobody holds.

use crate::store::shared_file;
use std::{fs::File, io, path::Path};
use tempfile::NamedTempFile;

const PREFIX: &str = ".openledger-";
/// Most names of a folder that are looked at.
const MAX_NAMES: usize = 100_000;

/// A new file, locked.
pub(crate) fn create(directory: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = shared_file(PREFIX, directory)?;
        // A file system without locks has no sweeping either.
        let _ = file.as_file().lock();
        // A sweep may have come between, and then the name is gone.
        if file.path().exists() {
            return Ok(file);
        }
    }
}

/// Removes what killed processes left. What cannot be removed is no reason not to fetch.
pub(crate) fn sweep(directory: &Path) {
    let Ok(entries) = directory.read_dir() else { return };
    for entry in entries.take(MAX_NAMES).flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| {
            let random = name.strip_prefix(PREFIX).unwrap_or_default();
            random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = File::options().write(true).open(&path) else { continue };
        if file.try_lock().is_ok() && std::fs::remove_file(&path).is_ok() {
            tracing::info!(file = %path.display(), "removed what a killed fetch left");
        }
    }
}
