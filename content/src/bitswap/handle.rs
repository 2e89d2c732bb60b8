//! The program's end of Bitswap: asking for blocks, and counters.

use super::client::{Reply, SessionId, WaiterId};
use bytes::Bytes;
use openledger_primitives::ContentId;
use std::sync::{
    atomic::{AtomicU64, AtomicUsize, Ordering},
    Arc,
};
use tokio::sync::{mpsc, oneshot, Semaphore};

/// Most blocks wanted at once over all fetches: far below what peers remember of a wantlist.
const MAX_WANTED: usize = 512;

/// Counters, for metrics and tests.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) queued_bytes: AtomicUsize,
    pub(super) peak_queued_bytes: AtomicUsize,
    pub(super) remembered_wants: AtomicUsize,
    pub(super) wanted_blocks: AtomicUsize,
    pub(super) received_blocks: AtomicU64,
    pub(super) unwanted_blocks: AtomicU64,
}

impl Counters {
    /// Bytes of answers that are built and not yet written, over all peers.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes.load(Ordering::Relaxed)
    }

    /// The most that [`queued_bytes`](Self::queued_bytes) has been.
    pub fn peak_queued_bytes(&self) -> usize {
        self.peak_queued_bytes.load(Ordering::Relaxed)
    }

    /// Wants of peers that are remembered, over all peers.
    pub fn remembered_wants(&self) -> usize {
        self.remembered_wants.load(Ordering::Relaxed)
    }

    /// Blocks that this node wants now.
    pub fn wanted_blocks(&self) -> usize {
        self.wanted_blocks.load(Ordering::Relaxed)
    }

    /// Wanted blocks that came.
    pub fn received_blocks(&self) -> u64 {
        self.received_blocks.load(Ordering::Relaxed)
    }

    /// Blocks that came and were dropped, because their hash is none that was wanted.
    pub fn unwanted_blocks(&self) -> u64 {
        self.unwanted_blocks.load(Ordering::Relaxed)
    }
}

/// What the handle asks of the behaviour.
#[derive(Debug)]
pub(super) enum Command {
    Want { id: ContentId, waiter: WaiterId, session: SessionId, reply: oneshot::Sender<Reply> },
    Cancel { id: ContentId, waiter: WaiterId },
    EndSession(SessionId),
    Stored(Vec<ContentId>),
}

/// The program's end of Bitswap.
#[derive(Clone, Debug)]
pub struct Bitswap {
    commands: mpsc::UnboundedSender<Command>,
    wanted: Arc<Semaphore>,
    numbers: Arc<AtomicU64>,
    counters: Arc<Counters>,
}

/// Why a block did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It came, with the right hash and this many bytes: too many.
    TooLarge(u64),
    /// The node has been shut down.
    Stopped,
}

impl Bitswap {
    /// A handle, and where its commands come out.
    pub(super) fn new(counters: Arc<Counters>) -> (Self, mpsc::UnboundedReceiver<Command>) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let wanted = Arc::new(Semaphore::new(MAX_WANTED));
        (Self { commands, wanted, numbers: Arc::default(), counters }, receiver)
    }

    /// A session: the blocks of one file, which the same peers are likely to have.
    pub(crate) fn session(&self) -> Session {
        Session { bitswap: self.clone(), id: self.number() }
    }

    /// Tells peers that waited for them that blocks have been stored.
    pub(crate) fn stored(&self, blocks: Vec<ContentId>) {
        // A node that is shut down has no peers to tell.
        let _ = self.commands.send(Command::Stored(blocks));
    }

    /// Counters of this node.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// The blocks of one file.
#[derive(Debug)]
pub(crate) struct Session {
    bitswap: Bitswap,
    id: SessionId,
}

impl Session {
    /// Waits for a block as long as the caller does; dropping the future cancels the want.
    pub(crate) async fn block(&self, id: ContentId) -> Result<Bytes, Refusal> {
        let _permit = self.bitswap.wanted.acquire().await.map_err(|_| Refusal::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let waiter = self.bitswap.number();
        let commands = &self.bitswap.commands;
        commands
            .send(Command::Want { id, waiter, session: self.id, reply })
            .map_err(|_| Refusal::Stopped)?;
        let _cancel = Cancel { commands, id, waiter };
        answer.await.map_err(|_| Refusal::Stopped)?.map_err(Refusal::TooLarge)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.bitswap.commands.send(Command::EndSession(self.id));
    }
}

struct Cancel<'a> {
    commands: &'a mpsc::UnboundedSender<Command>,
    id: ContentId,
    waiter: WaiterId,
}

impl Drop for Cancel<'_> {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Cancel { id: self.id, waiter: self.waiter });
    }
}
