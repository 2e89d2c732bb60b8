//! Blocks on disk.
//!
//! One file a block, `DIR/blocks/<2 characters>/<cid>.data`, written to `DIR/temporary` first and
//! renamed into place, so that a reader, in this process or another, sees a block whole or not at
//! all. Any number of processes may use one directory at once. Every read re-hashes; a block that
//! rotted on disk is taken out of the way and reported as absent, so that it is fetched again.

use crate::{
    dag::{block_id, MAX_BLOCK_BYTES},
    error::{Error, Fault, Result},
};
use bytes::Bytes;
use openledger_primitives::{ContentCodec, ContentId};
use std::{
    collections::BTreeSet,
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

/// A flat store of blocks in a directory.
#[derive(Clone, Debug)]
pub struct BlockStore {
    paths: Arc<Paths>,
}

#[derive(Debug)]
struct Paths {
    blocks: PathBuf,
    temporary: PathBuf,
}

/// Whether a write must survive a power cut before it counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The only copy may be ours: flush to the disk.
    Synced,
    /// It came from a peer. If a power cut tears it, re-hashing finds out and it is fetched again.
    Lazy,
}

impl BlockStore {
    /// Opens the store under `directory`, creating it if need be, and sweeps leftovers of
    /// processes that were killed while writing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::DiskFull`] when the directory cannot be made or read.
    pub fn open(directory: &Path) -> Result<Self> {
        let paths =
            Paths { blocks: directory.join("blocks"), temporary: directory.join(TEMPORARY) };
        for path in [&paths.blocks, &paths.temporary] {
            fs::create_dir_all(path).map_err(|source| Error::io("create", path, source))?;
        }
        sweep(&paths.temporary)?;
        Ok(Self { paths: Arc::new(paths) })
    }

    /// Whether the block is there. Only [`get`](Self::get) knows that its bytes are intact.
    pub fn has_block(&self, id: &ContentId) -> bool {
        self.path(id).is_file()
    }

    /// The block's bytes, re-hashed; `None` when it is absent, or was corrupt (it is then removed).
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the disk answers with anything but "not there".
    pub fn get(&self, id: &ContentId) -> Result<Option<Bytes>> {
        let path = self.path(id);
        match read_intact(id, &path).map_err(|source| Error::io("read", &path, source))? {
            Found::Absent => Ok(None),
            Found::Intact(block) => Ok(Some(block)),
            Found::Corrupt => self.remove_corrupt(id, &path),
        }
    }

    /// Stores one block durably and returns its content id.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for more than [`MAX_BLOCK_BYTES`]; [`Error::DiskFull`], [`Error::Io`].
    pub fn put(&self, codec: ContentCodec, block: &[u8]) -> Result<ContentId> {
        let id = block_id(codec, block);
        let mut batch = self.batch();
        batch.put(&id, block)?;
        batch.commit()?;
        Ok(id)
    }

    /// A number of writes that become durable together.
    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch { store: self, directories: BTreeSet::new() }
    }

    /// Stores a block whose id has been computed from these very bytes.
    pub(crate) fn put_verified(
        &self,
        id: &ContentId,
        block: &[u8],
        durability: Durability,
    ) -> Result<PathBuf> {
        if block.len() > MAX_BLOCK_BYTES {
            let (size, limit) = (block.len() as u64, MAX_BLOCK_BYTES as u64);
            let fault = Fault::BlockTooLarge { block: *id, size, limit };
            return Err(Error::Invalid { content: *id, fault });
        }
        let path = self.path(id);
        let directory = path.parent().unwrap_or(&self.paths.blocks).to_path_buf();
        fs::create_dir_all(&directory).map_err(|source| Error::io("create", &directory, source))?;

        let temporary = &self.paths.temporary;
        let mut file = shared_file("block-", temporary)
            .map_err(|source| Error::io("create a file in", temporary, source))?;
        file.write_all(block).map_err(|source| Error::io("write", &path, source))?;
        if durability == Durability::Synced {
            file.as_file().sync_all().map_err(|source| Error::io("flush", &path, source))?;
        }
        file.persist(&path).map_err(|error| Error::io("store", &path, error.error))?;
        Ok(directory)
    }

    /// Where a block lives. The two characters before the last one are evenly spread (all ids
    /// begin alike, and the last character has fewer bits).
    fn path(&self, id: &ContentId) -> PathBuf {
        let name = id.to_string();
        let shard = name.len().checked_sub(3).and_then(|at| name.get(at..at + 2)).unwrap_or("__");
        self.paths.blocks.join(shard).join(format!("{name}.data"))
    }

    /// Takes a corrupt block out of the way. It is moved first and looked at again, because another
    /// process may have replaced it with a good one since it was read.
    fn remove_corrupt(&self, id: &ContentId, path: &Path) -> Result<Option<Bytes>> {
        let aside = tempfile::Builder::new()
            .prefix("corrupt-")
            .tempfile_in(&self.paths.temporary)
            .map_err(|source| Error::io("create a file in", &self.paths.temporary, source))?
            .into_temp_path();
        match fs::rename(path, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::io("move aside", path, source)),
        }
        match read_intact(id, &aside).map_err(|source| Error::io("read", &aside, source))? {
            Found::Intact(block) => {
                aside.persist(path).map_err(|error| Error::io("store", path, error.error))?;
                Ok(Some(block))
            }
            Found::Absent | Found::Corrupt => {
                tracing::warn!(block = %id, "removed a corrupt block; it will be fetched again");
                Ok(None)
            }
        }
    }
}

/// Writes that become durable together.
pub(crate) struct Batch<'a> {
    store: &'a BlockStore,
    directories: BTreeSet<PathBuf>,
}

impl Batch<'_> {
    /// Stores a block, unless an intact copy is there already.
    pub(crate) fn put(&mut self, id: &ContentId, block: &[u8]) -> Result<()> {
        if self.store.get(id)?.is_none() {
            let directory = self.store.put_verified(id, block, Durability::Synced)?;
            self.directories.insert(directory);
        }
        Ok(())
    }

    /// Flushes the directories, so that the new names survive a power cut too.
    pub(crate) fn commit(self) -> Result<()> {
        for directory in &self.directories {
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(|source| Error::io("flush", directory, source))?;
        }
        Ok(())
    }
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
