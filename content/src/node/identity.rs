//! A node's key, and the lock that keeps two processes from using it at once.

use super::Identity;
use crate::{
    error::{Error, Result},
    store::TEMPORARY,
};
use libp2p::identity::Keypair;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::Path,
};

/// A key, and the lock on it while it is in use.
pub(crate) struct Loaded {
    pub(crate) keypair: Keypair,
    /// Held as long as the node runs; the system lets go of it when the process ends, however.
    pub(crate) lock: Option<File>,
}

/// Loads or makes the key.
pub(crate) fn load(directory: &Path, identity: Identity) -> Result<Loaded> {
    if identity == Identity::Ephemeral {
        return Ok(Loaded { keypair: Keypair::generate_ed25519(), lock: None });
    }
    let lock = lock(directory)?;
    let path = directory.join("identity");
    let keypair = match fs::read(&path) {
        Ok(bytes) => Keypair::from_protobuf_encoding(&bytes)
            .map_err(|error| Error::Identity { path, reason: error.to_string() })?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(directory, &path)?,
        Err(source) => return Err(Error::io("read", path, source)),
    };
    Ok(Loaded { keypair, lock: Some(lock) })
}

fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("node.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| Error::io("open", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::AlreadyRunning { directory: directory.to_path_buf() })
        }
        Err(TryLockError::Error(source)) => Err(Error::io("lock", path, source)),
    }
}

/// Makes a key that only its owner can read. It is complete before it has its name.
fn create(directory: &Path, path: &Path) -> Result<Keypair> {
    let keypair = Keypair::generate_ed25519();
    let bytes = keypair
        .to_protobuf_encoding()
        .map_err(|error| Error::Identity { path: path.into(), reason: error.to_string() })?;
    // The library makes temporary files with mode 0600.
    let write = || -> io::Result<()> {
        let temporary = directory.join(TEMPORARY);
        let mut file = tempfile::Builder::new().prefix("identity-").tempfile_in(temporary)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|source| Error::io("write", path, source))?;
    Ok(keypair)
}
