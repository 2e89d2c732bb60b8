//! The index of the chain's history: finalised blocks become rows, which the API reads.
//!
//! * [`source`]: where blocks come from; [`planted`] makes them up;
//! * [`storage`]: what keeps the index; [`sqlite`] keeps it in SQLite;
//! * [`stream`]: events as they come, for SSE.
//!
//! Rows follow from blocks alone. No clock, no randomness and no request decides what is written, so that
//! whoever indexes the same chain gets the same rows.

#![deny(clippy::disallowed_methods)]

pub mod planted;
pub mod source;
pub mod sqlite;
pub mod storage;
pub mod stream;

use crate::error::ApiError;
use crate::node::Pulse;
use crate::places::Places;
use futures::{stream as streams, StreamExt, TryStreamExt};
use openledger_client::Client;
use source::{BlockSource, SourceError};
use std::sync::Arc;
use std::time::Duration;
use storage::{Head, Storage, StorageError};
use stream::Recent;
use tokio::sync::{watch, Semaphore};

/// Blocks that are written in one transaction when there are many to catch up with, and events after which no
/// further one is waited for.
const BATCH: u32 = 256;
const BATCH_EVENTS: usize = 20_000;
/// Blocks that an empty index may lack until it is filled in bulk.
const BULK: u32 = 5_000;
/// Blocks that are asked of the source at the same time.
const AHEAD: usize = 8;
/// Time between two looks at the source when there is nothing to do.
const POLL: Duration = Duration::from_millis(400);
/// Time until the source is tried again after it failed.
const RETRY: Duration = Duration::from_secs(2);

/// How far the index is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last block that is indexed.
    pub head: Option<Head>,
    /// The last block that the source says is finalised.
    pub finalised: u32,
    /// Why indexing ended, if it did.
    pub stopped: Option<String>,
    /// What is in the way of indexing at the moment, and may pass.
    pub trouble: Option<String>,
}

/// Why the index cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Of the source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Of the storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The index is of another chain.
    #[error(
        "block {number} is {found} at the node and {indexed} in the index: the index is of another chain; \
         choose another --directory, or move its index.sqlite away and it is made anew"
    )]
    OtherChain {
        /// The block.
        number: u32,
        /// Its hash at the node.
        found: String,
        /// Its hash in the index.
        indexed: String,
    },
    /// A thread of the program ended.
    #[error("writing the index broke off: {0}")]
    Broken(String),
}

impl IndexError {
    fn is_final(&self) -> bool {
        match self {
            Self::Source(error) => error.is_final(),
            // A full disk may have room again.
            Self::Storage(StorageError::Database(_)) | Self::Broken(_) => false,
            Self::Storage(_) | Self::OtherChain { .. } => true,
        }
    }
}

struct Inner {
    storage: Arc<dyn Storage>,
    readers: Semaphore,
    recent: Recent,
    progress: watch::Sender<Progress>,
    streams: Places,
    node: Option<Client>,
    pulse: Pulse,
}

/// The index; clones are the same one.
#[derive(Clone)]
pub struct Index(Arc<Inner>);

/// Streams of events at the same time, and those of one address, behind which a whole class may sit.
pub(crate) const STREAMS: usize = 1_100;
pub(crate) const STREAMS_OF_ADDRESS: usize = 64;

impl Index {
    /// An index over a storage. `node` answers what only the present state knows, `pulse` says how it is.
    ///
    /// # Errors
    ///
    /// What the storage answers.
    pub fn new(
        storage: Arc<dyn Storage>,
        node: Option<Client>,
        pulse: Pulse,
    ) -> Result<Self, StorageError> {
        let head = storage.head()?;
        let (progress, _) = watch::channel(Progress { head, ..Progress::default() });
        Ok(Self(Arc::new(Inner {
            storage,
            readers: Semaphore::new(sqlite::READERS),
            recent: Recent::default(),
            progress,
            streams: Places::new("streams", STREAMS, STREAMS_OF_ADDRESS),
            node,
            pulse,
        })))
    }

    /// How far it is.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// The node, for what only the present state knows.
    ///
    /// # Errors
    ///
    /// 503 where there is none, or it does not answer.
    pub fn node(&self) -> Result<&Client, ApiError> {
        let none = || ApiError::unavailable(60, "this gateway follows no node at the moment");
        let node = self.0.node.as_ref().ok_or_else(none)?;
        match self.0.pulse.now() {
            Some(_) => Ok(node),
            None => Err(ApiError::unavailable(5, "the chain's node does not answer; try again")),
        }
    }

    /// How the node is.
    pub fn pulse(&self) -> &Pulse {
        &self.0.pulse
    }

    /// Streams of events that are open.
    pub fn streams(&self) -> usize {
        self.0.streams.taken()
    }

    /// Reads the storage in a thread of its own.
    ///
    /// # Errors
    ///
    /// 400 for a cursor that no answer gave, else 500.
    pub async fn read<T, F>(&self, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Storage) -> Result<T, StorageError> + Send + 'static,
    {
        let result = self.read_storage(read).await;
        result.map_err(|error| match error {
            IndexError::Storage(error @ StorageError::Cursor(_)) => {
                ApiError::field("cursor", error.to_string())
            }
            error => ApiError::internal("reading the index", &error),
        })
    }

    async fn read_storage<T, F>(&self, read: F) -> Result<T, IndexError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Storage) -> Result<T, StorageError> + Send + 'static,
    {
        let broken = |error: &dyn std::fmt::Display| IndexError::Broken(error.to_string());
        let _place = self.0.readers.acquire().await.map_err(|error| broken(&error))?;
        let storage = self.0.storage.clone();
        let read = tokio::task::spawn_blocking(move || read(storage.as_ref()));
        Ok(read.await.map_err(|error| broken(&error))??)
    }

    /// Refuses a source of another chain, and one that lacks what the index needs.
    ///
    /// # Errors
    ///
    /// [`IndexError`].
    pub async fn check(&self, source: &dyn BlockSource) -> Result<(), IndexError> {
        let genesis = self.read_storage(|storage| storage.hash(0)).await?;
        let head = self.0.progress.borrow().head.clone();
        let ours = [genesis.map(|hash| (0, hash)), head.map(|head| (head.number, head.hash))];
        let mut first = 0;
        for (number, indexed) in ours.into_iter().flatten() {
            first = number.saturating_add(1);
            let found = source.hash(number).await?.unwrap_or_else(|| "not there".to_owned());
            if found != indexed {
                return Err(IndexError::OtherChain { number, found, indexed });
            }
        }
        let finalised = source.finalised().await?;
        source.require(first, finalised).await?;
        self.0.progress.send_modify(|progress| progress.finalised = finalised);
        Ok(())
    }

    /// Follows a source until something ends it that trying again cannot mend. What it was stands in
    /// [`Progress::stopped`], and what is indexed stays readable.
    pub async fn follow(&self, source: &dyn BlockSource) {
        loop {
            match self.catch_up(source).await {
                Ok(trouble) => {
                    self.set_trouble(trouble);
                    tokio::time::sleep(POLL).await;
                }
                Err(error) if error.is_final() => {
                    tracing::error!(%error, "the index stops");
                    let stopped = Some(error.to_string());
                    self.0.progress.send_modify(|progress| progress.stopped = stopped);
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "the index tries again");
                    // A node that has gone comes back, and is no fault of what is kept here.
                    let ours = !matches!(error, IndexError::Source(_));
                    self.set_trouble(ours.then(|| error.to_string()));
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    fn set_trouble(&self, trouble: Option<String>) {
        self.0.progress.send_if_modified(|progress| {
            let changed = progress.trouble != trouble;
            progress.trouble = trouble;
            changed
        });
    }

    /// Says what is wrong with a source whose last final block lies before what is indexed. It was started anew,
    /// and synchronises; or its chain began anew, from the same genesis.
    async fn behind(&self, source: &dyn BlockSource, number: u32) -> Result<String, IndexError> {
        let indexed = self.read_storage(move |storage| storage.hash(number)).await?;
        let indexed = indexed.unwrap_or_default();
        let found = source.hash(number).await?.unwrap_or_else(|| "not there".to_owned());
        if found != indexed {
            return Err(IndexError::OtherChain { number, found, indexed });
        }
        let head = self.0.progress.borrow().head.as_ref().map_or(0, |head| head.number);
        Ok(format!(
            "the node's last final block is {number}, and {head} are indexed: it synchronises, or its chain \
             began anew; nothing new is shown until it is further"
        ))
    }

    /// Writes every finalised block that is not indexed yet. Says what is in the way, if it may pass.
    ///
    /// # Errors
    ///
    /// [`IndexError`]; blocks before the one that failed are written.
    pub async fn catch_up(&self, source: &dyn BlockSource) -> Result<Option<String>, IndexError> {
        let finalised = source.finalised().await?;
        self.0.progress.send_if_modified(|progress| {
            let changed = progress.finalised != finalised;
            progress.finalised = finalised;
            changed
        });
        let head = self.0.progress.borrow().head.as_ref().map(|head| head.number);
        if head.is_some_and(|head| finalised < head) {
            return self.behind(source, finalised).await.map(Some);
        }
        if head.is_some() || finalised < BULK {
            return self.write_until(source, finalised).await.map(|()| None);
        }
        self.set_bulk(true).await?;
        let written = self.write_until(source, finalised).await;
        // Also where it failed: what is there is to be read.
        self.set_bulk(false).await?;
        written.map(|()| None)
    }

    async fn set_bulk(&self, on: bool) -> Result<(), IndexError> {
        let storage = self.0.storage.clone();
        let set = tokio::task::spawn_blocking(move || storage.bulk(on));
        Ok(set.await.map_err(|error| IndexError::Broken(error.to_string()))??)
    }

    async fn write_until(
        &self,
        source: &dyn BlockSource,
        finalised: u32,
    ) -> Result<(), IndexError> {
        loop {
            let head = self.0.progress.borrow().head.as_ref().map(|head| head.number);
            let first = head.map_or(0, |head| head.saturating_add(1));
            if first > finalised {
                return Ok(());
            }
            let last = finalised.min(first.saturating_add(BATCH - 1));
            let coming = streams::iter(first..=last).map(|number| source.block(number));
            let mut coming = std::pin::pin!(coming.buffered(AHEAD));
            let (mut blocks, mut events) = (Vec::new(), 0);
            let failed = loop {
                match coming.try_next().await {
                    Ok(Some(block)) => {
                        events += block.events.len();
                        blocks.push(block);
                    }
                    Ok(None) => break None,
                    // Blocks before the one that failed are good.
                    Err(error) => break Some(error),
                }
                if events >= BATCH_EVENTS {
                    break None;
                }
            };
            let storage = self.0.storage.clone();
            let written = tokio::task::spawn_blocking(move || {
                storage.apply(&blocks)?;
                // What nobody can be waiting for is not read again.
                let count = blocks.len() as u32;
                let kept = first.saturating_add(count).saturating_add(stream::KEPT) > finalised;
                let streamed = if kept { storage.stream(first, count)? } else { Vec::new() };
                Ok::<_, StorageError>((storage.head()?, streamed))
            });
            let (head, streamed) =
                written.await.map_err(|error| IndexError::Broken(error.to_string()))??;
            self.0.recent.push(streamed);
            self.0.progress.send_modify(|progress| progress.head = head);
            if let Some(error) = failed {
                return Err(error.into());
            }
        }
    }
}
