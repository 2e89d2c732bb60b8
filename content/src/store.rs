//! Blocks on disk.
//!
//! One file a block, `DIR/blocks/<2 characters>/<cid>.data`, written to `DIR/temporary` first and
//! renamed into place, so that a reader, in this process or another, sees a block whole or not at
//! all. Any number of processes may use one directory at once. A block that is stored survives a
//! power cut: file and folder are flushed to the disk, whether its bytes were added here or came from
//! a peer, which may be gone by then. Every read re-hashes; a block that rotted on disk counts as
//! absent, so that it is fetched again, and is set aside in `DIR/corrupt` until then: it may be the
//! only copy, and most of its bytes are good.

use crate::{
    dag::{block_id, MAX_BLOCK_BYTES},
    error::{Error, Fault, Result},
};
use bytes::Bytes;
use openledger_primitives::{ContentCodec, ContentId};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tempfile::NamedTempFile;

/// Leftovers of processes that were killed are swept when they are this old: no write takes so
/// long, so what is younger belongs to a process that lives.
const LEFTOVER_AGE: Duration = Duration::from_secs(10 * 60);

/// Folder for files that are being written; swept when the store is opened.
pub(crate) const TEMPORARY: &str = "temporary";

/// Folder for blocks that rotted.
const CORRUPT: &str = "corrupt";

/// A flat store of blocks in a directory.
#[derive(Clone, Debug)]
pub struct BlockStore {
    paths: Arc<Paths>,
}

#[derive(Debug)]
struct Paths {
    blocks: PathBuf,
    temporary: PathBuf,
    corrupt: PathBuf,
}

impl BlockStore {
    /// Opens the store under `directory`, creating it if need be, and sweeps leftovers of
    /// processes that were killed while writing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::DiskFull`] when the directory cannot be made or read.
    pub fn open(directory: &Path) -> Result<Self> {
        let paths = Paths {
            blocks: directory.join("blocks"),
            temporary: directory.join(TEMPORARY),
            corrupt: directory.join(CORRUPT),
        };
        for path in [&paths.blocks, &paths.temporary] {
            create_folder(path)?;
        }
        sweep(&paths.temporary)?;
        Ok(Self { paths: Arc::new(paths) })
    }

    /// Whether the block is there. Only [`get`](Self::get) knows that its bytes are intact.
    pub fn has_block(&self, id: &ContentId) -> bool {
        self.path(id).is_file()
    }

    /// The block's bytes, re-hashed; `None` when it is absent, or was corrupt (it is then
    /// set aside).
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the disk answers with anything but "not there".
    pub fn get(&self, id: &ContentId) -> Result<Option<Bytes>> {
        let path = self.path(id);
        match read_intact(id, &path).map_err(|source| Error::io("read", &path, source))? {
            Found::Absent => Ok(None),
            Found::Intact(block) => Ok(Some(block)),
            Found::Corrupt => self.set_aside(id, &path),
        }
    }

    /// Stores one block durably and returns its content id.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for more than [`MAX_BLOCK_BYTES`]; [`Error::DiskFull`], [`Error::Io`].
    pub fn put(&self, codec: ContentCodec, block: &[u8]) -> Result<ContentId> {
        let id = block_id(codec, block);
        self.put_missing(&id, block)?;
        Ok(id)
    }

    /// Removes a block, also one that was set aside. Whoever calls this knows that no file needs it:
    /// blocks do not count who they belong to.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the disk refuses; a block that is not there is removed.
    pub fn remove(&self, id: &ContentId) -> Result<()> {
        for path in [self.path(id), self.corrupt_path(id)] {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::io("remove", path, source)),
            }
        }
        Ok(())
    }

    /// Stores a block whose id has been computed from these very bytes, unless an intact copy is there
    /// already.
    pub(crate) fn put_missing(&self, id: &ContentId, block: &[u8]) -> Result<()> {
        match self.get(id)? {
            Some(_) => Ok(()),
            None => self.put_verified(id, block),
        }
    }

    /// Stores a block whose id has been computed from these very bytes.
    pub(crate) fn put_verified(&self, id: &ContentId, block: &[u8]) -> Result<()> {
        if block.len() > MAX_BLOCK_BYTES {
            let (size, limit) = (block.len() as u64, MAX_BLOCK_BYTES as u64);
            let fault = Fault::BlockTooLarge { block: *id, size, limit };
            return Err(Error::Invalid { content: *id, fault });
        }
        let path = self.path(id);
        let directory = path.parent().unwrap_or(&self.paths.blocks).to_path_buf();
        create_folder(&directory)?;

        let temporary = self.temporary()?;
        let mut file = shared_file("block-", temporary)
            .map_err(|source| Error::io("create a file in", temporary, source))?;
        file.write_all(block).map_err(|source| Error::io("write", &path, source))?;
        let file = file.persist(&path).map_err(|error| Error::io("store", &path, error.error))?;
        // After the renaming, so that one commit of the file system's journal carries both. A name
        // that a power cut leaves without its bytes is a corrupt block, which counts as absent.
        file.sync_all().map_err(|source| Error::io("flush", &path, source))?;
        flush_folder(&directory)?;
        // The rotted copy has done its duty, if there is one.
        match fs::remove_file(self.corrupt_path(id)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::io("remove", self.corrupt_path(id), source)),
        }
        Ok(())
    }

    /// Where a block lives. The two characters before the last one are evenly spread (all ids
    /// begin alike, and the last character has fewer bits).
    fn path(&self, id: &ContentId) -> PathBuf {
        let name = id.to_string();
        let shard = name.len().checked_sub(3).and_then(|at| name.get(at..at + 2)).unwrap_or("__");
        self.paths.blocks.join(shard).join(format!("{name}.data"))
    }

    /// Where blocks are written first; made anew if somebody has removed it under a program that runs for months.
    fn temporary(&self) -> Result<&Path> {
        let temporary = &self.paths.temporary;
        if !temporary.is_dir() {
            create_folder(temporary)?;
        }
        Ok(temporary)
    }

    /// Where a block that rotted is kept.
    fn corrupt_path(&self, id: &ContentId) -> PathBuf {
        self.paths.corrupt.join(format!("{id}.data"))
    }

    /// Takes a corrupt block out of the way. It is moved first and looked at again, because another
    /// process may have replaced it with a good one since it was read.
    fn set_aside(&self, id: &ContentId, path: &Path) -> Result<Option<Bytes>> {
        let temporary = self.temporary()?;
        let moving = tempfile::Builder::new()
            .prefix("corrupt-")
            .tempfile_in(temporary)
            .map_err(|source| Error::io("create a file in", temporary, source))?
            .into_temp_path();
        match fs::rename(path, &moving) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::io("move aside", path, source)),
        }
        match read_intact(id, &moving).map_err(|source| Error::io("read", &moving, source))? {
            Found::Intact(block) => {
                moving.persist(path).map_err(|error| Error::io("store", path, error.error))?;
                Ok(Some(block))
            }
            Found::Absent => Ok(None),
            Found::Corrupt => {
                create_folder(&self.paths.corrupt)?;
                let kept = self.corrupt_path(id);
                moving.persist(&kept).map_err(|error| Error::io("store", &kept, error.error))?;
                tracing::warn!(
                    block = %id, kept = %kept.display(),
                    "a block rotted on the disk; it was set aside and will be fetched again"
                );
                Ok(None)
            }
        }
    }
}

/// Creates a folder and those above it, and flushes each new name to the disk.
fn create_folder(path: &Path) -> Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above.filter(|above| !above.is_dir()) {
        create_folder(above)?;
    }
    match fs::create_dir(path) {
        Ok(()) => flush_folder(above.unwrap_or(Path::new("."))),
        Err(_) if path.is_dir() => Ok(()),
        Err(cause) => Err(Error::io("create", path, cause)),
    }
}

/// Flushes the names in a folder to the disk.
fn flush_folder(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::io("flush", path, source))
}

/// A temporary file that will be as readable as any other file of this user (by default temporary
/// files are private), since it is to be renamed into its final place.
pub(crate) fn shared_file(prefix: &str, directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The user's umask takes away from these.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

enum Found {
    Absent,
    Intact(Bytes),
    Corrupt,
}

fn read_intact(id: &ContentId, path: &Path) -> io::Result<Found> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Absent),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    if length > MAX_BLOCK_BYTES as u64 {
        return Ok(Found::Corrupt);
    }
    let mut block = Vec::with_capacity(length as usize);
    file.take(MAX_BLOCK_BYTES as u64 + 1).read_to_end(&mut block)?;
    Ok(match block_id(id.codec(), &block) == *id {
        true => Found::Intact(block.into()),
        false => Found::Corrupt,
    })
}

/// Removes files that no living process can still be writing.
fn sweep(temporary: &Path) -> Result<()> {
    let entries = fs::read_dir(temporary).map_err(|source| Error::io("list", temporary, source))?;
    for entry in entries {
        let entry = entry.map_err(|source| Error::io("list", temporary, source))?;
        // A file that vanishes meanwhile was another process's to finish or to sweep.
        let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else {
            continue;
        };
        let old = SystemTime::now().duration_since(modified).is_ok_and(|age| age > LEFTOVER_AGE);
        if old {
            match fs::remove_file(entry.path()) {
                Ok(()) => tracing::info!(file = %entry.path().display(), "swept a leftover"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::io("remove", entry.path(), source)),
            }
        }
    }
    Ok(())
}
