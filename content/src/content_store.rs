//! The one door to file contents: every program of ours uses this trait.

use crate::{
    error::{Error, Result, Unavailable},
    import::{self, Added},
    limits::Limits,
    store::BlockStore,
    walk::{self, blocking, BlockSource, Fetched, Wanted},
};
use async_trait::async_trait;
use bytes::Bytes;
use openledger_primitives::ContentId;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Adds and fetches files by content id.
///
/// [`IpfsNode`](crate::IpfsNode) implements it with the network, [`BlockStore`] for what is on
/// this disk alone.
#[async_trait]
pub trait ContentStore: Send + Sync {
    /// Stores a file durably; from then on this store serves it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it cannot be read, [`Error::DiskFull`].
    async fn add_file(&self, path: &Path) -> Result<Added>;

    /// Stores bytes durably.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::DiskFull`].
    async fn add_bytes(&self, bytes: Bytes) -> Result<Added>;

    /// Computes what [`add_file`](Self::add_file) would answer, and stores nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read.
    async fn describe_file(&self, path: &Path) -> Result<Added> {
        let path = path.to_path_buf();
        blocking(move || import::describe_file(&path)).await
    }

    /// Fetches a file and writes it to `destination`, only once all of it has been checked. What
    /// stands there already is replaced only where the limits say so.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the bytes did not come, [`Error::Invalid`] when they are not
    /// what was wanted, [`Error::Limit`], [`Error::Exists`], [`Error::DiskFull`], [`Error::Io`]. None leaves a
    /// file.
    async fn fetch_file(
        &self,
        wanted: &Wanted,
        destination: &Path,
        limits: &Limits,
    ) -> Result<Fetched>;

    /// Fetches a file into memory.
    ///
    /// # Errors
    ///
    /// As [`fetch_file`](Self::fetch_file).
    async fn fetch_bytes(&self, wanted: &Wanted, limits: &Limits) -> Result<Vec<u8>>;

    /// Whether all of a file is on this disk, every block of it re-hashed. Asks no peer.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the content is not a file, [`Error::Limit`], [`Error::Io`].
    async fn has(&self, content: &ContentId, limits: &Limits) -> Result<bool>;
}

#[async_trait]
impl BlockSource for BlockStore {
    async fn block(&self, id: ContentId, _: Duration) -> Result<Bytes> {
        let store = self.clone();
        let found = blocking(move || store.get(&id)).await?;
        let reason = Unavailable::NotLocal { block: id };
        found.ok_or(Error::Unavailable { content: id, reason })
    }
}

#[async_trait]
impl ContentStore for BlockStore {
    async fn add_file(&self, path: &Path) -> Result<Added> {
        add_file(self.clone(), path.to_path_buf()).await.map(|(added, _)| added)
    }

    async fn add_bytes(&self, bytes: Bytes) -> Result<Added> {
        add_bytes(self.clone(), bytes).await.map(|(added, _)| added)
    }

    async fn fetch_file(
        &self,
        wanted: &Wanted,
        destination: &Path,
        limits: &Limits,
    ) -> Result<Fetched> {
        walk::fetch_file(Arc::new(self.clone()), wanted, destination, limits).await
    }

    async fn fetch_bytes(&self, wanted: &Wanted, limits: &Limits) -> Result<Vec<u8>> {
        walk::fetch_bytes(Arc::new(self.clone()), wanted, limits).await
    }

    async fn has(&self, content: &ContentId, limits: &Limits) -> Result<bool> {
        walk::is_complete(Arc::new(self.clone()), content, limits).await
    }
}

/// Adds a file and returns the ids of its blocks too, for the peers that wait for them.
pub(crate) async fn add_file(store: BlockStore, path: PathBuf) -> Result<(Added, Vec<ContentId>)> {
    blocking(move || import::add_blocks(&store, &path)).await
}

/// Adds bytes and returns the ids of their blocks too.
pub(crate) async fn add_bytes(store: BlockStore, bytes: Bytes) -> Result<(Added, Vec<ContentId>)> {
    blocking(move || import::add(&store, bytes.as_ref(), Path::new("the given bytes"))).await
}
