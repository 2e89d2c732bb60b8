//! Fetched adapters on disk, by sha256, the least recently used one removed first.

use super::{sha256, AdapterError, Chain, ChainAdapter};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// How the name of a kept adapter ends.
const END: &str = ".safetensors";

/// A folder of files `<sha256>.safetensors`, at most so many bytes of them.
#[derive(Debug)]
pub struct DiskCache {
    folder: PathBuf,
    limit: u64,
}

impl DiskCache {
    /// The folder, which is made if need be; what is above the limit is removed.
    ///
    /// # Errors
    ///
    /// [`AdapterError::Disk`] when the folder cannot be made or listed.
    pub fn open(folder: PathBuf, limit: u64) -> Result<Self, AdapterError> {
        fs::create_dir_all(&folder).map_err(AdapterError::disk("create", &folder))?;
        let cache = Self { folder, limit };
        cache.shrink(0)?;
        Ok(cache)
    }

    /// Where the bytes of an adapter lie: those kept, if they are still what they were, or fetched.
    pub(super) async fn fetch(
        &self,
        chain: &Chain,
        adapter: &ChainAdapter,
    ) -> Result<PathBuf, AdapterError> {
        if adapter.size > self.limit {
            let name = adapter.name();
            return Err(AdapterError::TooLarge { name, bytes: adapter.size, limit: self.limit });
        }
        let path = self.folder.join(format!("{}{END}", hex::encode(adapter.sha256)));
        let (kept, wanted) = (path.clone(), adapter.clone());
        if super::blocking(move || is_kept(&kept, &wanted)).await? {
            return Ok(path);
        }
        self.shrink(adapter.size)?;
        chain.fetch(adapter, &path).await?;
        Ok(path)
    }

    /// Removes what was not used for the longest time until `room` more bytes fit.
    fn shrink(&self, room: u64) -> Result<(), AdapterError> {
        let mut files = Vec::new();
        let entries = fs::read_dir(&self.folder);
        let entries = entries.map_err(AdapterError::disk("list", &self.folder))?;
        for entry in entries.flatten() {
            let is_kept = entry.file_name().to_str().is_some_and(|name| name.ends_with(END));
            let Ok(metadata) = entry.metadata() else { continue };
            if is_kept && metadata.is_file() {
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                files.push((used, metadata.len(), entry.path()));
            }
        }
        files.sort_unstable();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in files {
            if total + room <= self.limit {
                break;
            }
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(AdapterError::Disk { action: "remove", path, cause });
                }
                _ => total -= bytes,
            }
        }
        Ok(())
    }
}

/// Whether the bytes that are kept of an adapter are right; then the file counts as used now.
fn is_kept(path: &Path, adapter: &ChainAdapter) -> bool {
    let right = || {
        let mut file = fs::File::open(path)?;
        if file.metadata()?.len() != adapter.size {
            return Ok(false);
        }
        let mut sum = Sha256::new();
        io::copy(&mut file, &mut sum)?;
        // The time says what was used last; without it another one is removed, nothing worse.
        let _ = file.set_modified(SystemTime::now());
        Ok::<_, io::Error>(<[u8; 32]>::from(sum.finalize()) == adapter.sha256)
    };
    right().unwrap_or(false)
}

/// The bytes of a fetched adapter.
pub(super) fn read(path: &Path, adapter: &ChainAdapter) -> Result<Vec<u8>, AdapterError> {
    let read = fs::read(path).map_err(AdapterError::disk("read", path))?;
    match sha256(&read) == adapter.sha256 {
        true => Ok(read),
        false => Err(AdapterError::damaged(&adapter.name(), "its file changed on this disk")),
    }
}
