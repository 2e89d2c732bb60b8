//! Following a tree of blocks whose author may be hostile, in file order, a few blocks ahead.

use crate::{
    dag::read_file_node,
    error::{Error, Fault, Result, Unavailable},
    import::as_hex,
    limits::Limits,
    partial,
};
use async_trait::async_trait;
use bytes::Bytes;
use openledger_primitives::ContentId;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    collections::VecDeque,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};
use tempfile::NamedTempFile;
use tokio::task::{spawn_blocking, JoinHandle};

/// What to fetch, and what it must turn out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The root.
    pub content: ContentId,
    /// sha2-256 of the flat bytes, where it is known.
    pub sha256: Option<[u8; 32]>,
    /// Size of the flat bytes, where it is known.
    pub size: Option<u64>,
}

impl Wanted {
    /// Content of which nothing but the id is known.
    pub fn new(content: ContentId) -> Self {
        Self { content, sha256: None, size: None }
    }

    /// Content whose hash and size stand on chain.
    pub fn exactly(content: ContentId, sha256: [u8; 32], size: u64) -> Self {
        Self { content, sha256: Some(sha256), size: Some(size) }
    }
}

/// What was fetched: the bytes have this hash and size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// sha2-256 of the flat bytes.
    #[serde(serialize_with = "as_hex")]
    pub sha256: [u8; 32],
    /// Bytes.
    pub size: u64,
}

/// Where blocks come from.
#[async_trait]
pub(crate) trait BlockSource: Send + Sync + 'static {
    /// The block, re-hashed, or [`Error::Unavailable`] after `within`.
    async fn block(&self, id: ContentId, within: Duration) -> Result<Bytes>;
}

/// Where the flat bytes go.
pub(crate) enum Sink {
    Memory(Vec<u8>),
    File(NamedTempFile),
    Nowhere,
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Memory(buffer) => buffer.extend_from_slice(bytes),
            Self::File(file) => {
                file.write_all(bytes).map_err(|source| Error::io("write", file.path(), source))?;
            }
            Self::Nowhere => {}
        }
        Ok(())
    }
}

/// Fetches into a file. The bytes go to a temporary file beside it, which takes its name only when
/// everything has been checked: a failed fetch leaves nothing, and what stood there before stays.
pub(crate) async fn fetch_file(
    source: Arc<dyn BlockSource>,
    wanted: &Wanted,
    destination: &Path,
    limits: &Limits,
) -> Result<Fetched> {
    let destination: PathBuf = destination.to_path_buf();
    let parent = match destination.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    if destination.is_dir() {
        let reason = std::io::Error::from(std::io::ErrorKind::IsADirectory);
        return Err(Error::io("write", &destination, reason));
    }
    // Said before anything is fetched; the renaming below is what makes sure.
    if !limits.overwrite && destination.symlink_metadata().is_ok() {
        return Err(Error::Exists { path: destination });
    }
    let file = blocking(move || {
        partial::sweep(&parent);
        partial::create(&parent).map_err(|source| Error::io("create a file in", &parent, source))
    })
    .await?;
    let (fetched, sink) = fetch(source, wanted, Sink::File(file), limits).await?;
    let overwrite = limits.overwrite;
    blocking(move || {
        if let Sink::File(file) = sink {
            file.as_file().sync_all().map_err(|source| Error::io("flush", file.path(), source))?;
            let stored = match overwrite {
                true => file.persist(&destination),
                false => file.persist_noclobber(&destination),
            };
            stored.map_err(|error| match error.error.kind() {
                std::io::ErrorKind::AlreadyExists => Error::Exists { path: destination.clone() },
                _ => Error::io("store", &destination, error.error),
            })?;
        }
        Ok(())
    })
    .await?;
    Ok(fetched)
}

/// Fetches into memory.
pub(crate) async fn fetch_bytes(
    source: Arc<dyn BlockSource>,
    wanted: &Wanted,
    limits: &Limits,
) -> Result<Vec<u8>> {
    match fetch(source, wanted, Sink::Memory(Vec::new()), limits).await? {
        (_, Sink::Memory(bytes)) => Ok(bytes),
        (_, Sink::File(_) | Sink::Nowhere) => Ok(Vec::new()),
    }
}

/// Whether every block of a file can be had from `source`, each re-hashed.
pub(crate) async fn is_complete(
    source: Arc<dyn BlockSource>,
    content: &ContentId,
    limits: &Limits,
) -> Result<bool> {
    match fetch(source, &Wanted::new(*content), Sink::Nowhere, limits).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_unavailable() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Walks the tree, checks everything, and writes the flat bytes to `sink`.
pub(crate) async fn fetch(
    source: Arc<dyn BlockSource>,
    wanted: &Wanted,
    sink: Sink,
    limits: &Limits,
) -> Result<(Fetched, Sink)> {
    if let Some(size) = wanted.size.filter(|size| *size > limits.bytes) {
        return Err(Error::Limit { what: "the file's size", value: size, limit: limits.bytes });
    }
    let bytes = AtomicU64::new(0);
    let walk = Walk {
        source,
        wanted,
        limits,
        queue: VecDeque::new(),
        started: 0,
        visits: 0,
        bytes: &bytes,
    };
    match tokio::time::timeout(limits.file_timeout, walk.run(sink)).await {
        Ok(result) => result,
        Err(_) => {
            let bytes = bytes.load(Ordering::Relaxed);
            let reason = Unavailable::File { within: limits.file_timeout, bytes };
            Err(Error::Unavailable { content: wanted.content, reason })
        }
    }
}

/// A block that is to come, in file order.
struct Item {
    id: ContentId,
    depth: u32,
    /// Bytes of content that the parent declares for it.
    declared: Option<u64>,
    task: Option<Task>,
}

/// A running fetch of one block; it ends when nobody waits for it any more.
struct Task(JoinHandle<Result<Bytes>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Walk<'a> {
    source: Arc<dyn BlockSource>,
    wanted: &'a Wanted,
    limits: &'a Limits,
    queue: VecDeque<Item>,
    started: usize,
    visits: u64,
    bytes: &'a AtomicU64,
}

impl Walk<'_> {
    async fn run(mut self, mut sink: Sink) -> Result<(Fetched, Sink)> {
        let mut sha256 = Sha256::new();
        let mut size = 0u64;
        self.push_front([Item {
            id: self.wanted.content,
            depth: 1,
            declared: self.wanted.size,
            task: None,
        }])?;

        while let Some((item, block)) = self.next().await? {
            let is_root = item.depth == 1;
            let node = read_file_node(&item.id, &block, is_root, self.limits.links)
                .map_err(|fault| self.invalid(fault))?;
            self.check_size(&item, node.size)?;

            if !node.data.is_empty() {
                size += node.data.len() as u64;
                self.check_total(size)?;
                self.bytes.store(size, Ordering::Relaxed);
                let data = node.data;
                (sha256, sink) = blocking(move || {
                    sha256.update(&data);
                    sink.write(&data)?;
                    Ok((sha256, sink))
                })
                .await?;
            }
            let depth = item.depth + 1;
            if !node.links.is_empty() && depth > self.limits.depth {
                return Err(self.invalid(Fault::TooDeep { limit: self.limits.depth }));
            }
            self.push_front(node.links.into_iter().map(|(id, declared)| Item {
                id,
                depth,
                declared: Some(declared),
                task: None,
            }))?;
        }

        if let Some(declared) = self.wanted.size.filter(|declared| *declared != size) {
            let fault = Fault::Size { declared, found: size, at_least: false };
            return Err(self.invalid(fault));
        }
        let found: [u8; 32] = sha256.finalize().into();
        if let Some(declared) = self.wanted.sha256.filter(|declared| *declared != found) {
            return Err(self.invalid(Fault::Sha256 { declared, found }));
        }
        Ok((Fetched { sha256: found, size }, sink))
    }

    /// The next block in file order, while those after it are on their way.
    async fn next(&mut self) -> Result<Option<(Item, Bytes)>> {
        self.start_ahead();
        let Some(mut item) = self.queue.pop_front() else { return Ok(None) };
        let Some(mut task) = item.task.take() else { return Ok(None) };
        let result = (&mut task.0).await;
        self.started = self.started.saturating_sub(1);
        match result {
            Ok(Ok(block)) => Ok(Some((item, block))),
            Ok(Err(Error::Unavailable { reason, .. })) => {
                Err(Error::Unavailable { content: self.wanted.content, reason })
            }
            Ok(Err(Error::Invalid { fault, .. })) => Err(self.invalid(fault)),
            Ok(Err(error)) => Err(error),
            // The task is aborted only with this walk; otherwise the runtime is going down.
            Err(_) => Err(Error::Stopped),
        }
    }

    /// Starts the first items of the queue. The first one always, so that the walk goes on even
    /// when the whole window is taken by blocks further on.
    fn start_ahead(&mut self) {
        let window = self.limits.window.max(1);
        for (index, item) in self.queue.iter_mut().take(window).enumerate() {
            if item.task.is_some() {
                continue;
            }
            if index > 0 && self.started >= window {
                break;
            }
            let (source, id, within) =
                (Arc::clone(&self.source), item.id, self.limits.block_timeout);
            item.task = Some(Task(tokio::spawn(async move { source.block(id, within).await })));
            self.started += 1;
        }
    }

    /// Puts a node's children before everything that is waiting, in their order.
    fn push_front<I>(&mut self, items: I) -> Result<()>
    where
        I: IntoIterator<Item = Item>,
        I::IntoIter: DoubleEndedIterator + ExactSizeIterator,
    {
        let items = items.into_iter();
        self.visits += items.len() as u64;
        if self.visits > self.limits.blocks {
            return Err(self.invalid(Fault::TooManyBlocks { limit: self.limits.blocks }));
        }
        for item in items.rev() {
            self.queue.push_front(item);
        }
        Ok(())
    }

    /// Compares what a block holds with what was declared for it, before anything under it is
    /// fetched. A bomb of repeated links must declare its true size at the root, or contradict
    /// itself at the first node that lies.
    fn check_size(&self, item: &Item, found: u64) -> Result<()> {
        match item.declared {
            Some(declared) if declared != found => Err(self.invalid(match item.depth {
                1 => Fault::Size { declared, found, at_least: false },
                _ => Fault::Inconsistent { block: item.id, declared, found },
            })),
            Some(_) => Ok(()),
            None if found > self.limits.bytes => Err(self.too_large(found)),
            None => Ok(()),
        }
    }

    /// Counts the bytes that come out, whatever was declared for them.
    fn check_total(&self, size: u64) -> Result<()> {
        match self.wanted.size {
            Some(declared) if size > declared => {
                Err(self.invalid(Fault::Size { declared, found: size, at_least: true }))
            }
            _ if size > self.limits.bytes => Err(self.too_large(size)),
            _ => Ok(()),
        }
    }

    fn too_large(&self, value: u64) -> Error {
        Error::Limit { what: "the file's size", value, limit: self.limits.bytes }
    }

    fn invalid(&self, fault: Fault) -> Error {
        Error::Invalid { content: self.wanted.content, fault }
    }
}

/// Runs disk work off the threads that drive the network.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work).await.unwrap_or(Err(Error::Stopped))
}
