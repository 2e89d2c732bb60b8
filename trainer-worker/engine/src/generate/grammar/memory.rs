//! The memory that all answers which follow a grammar take together, and what of it a client may take.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Bytes for answers that are written one at a time, of which they may take half.
const ALONE: usize = 128 << 20;
/// What an answer may always keep, however many there are.
const LEAST_SHARE: usize = 256 << 10;

/// What grammars and the states of following them may take, for all answers of a server.
///
/// A client may take as much as it leaves free (dynamic thresholds, Choudhury and Hahne, 1998): half
/// where it is alone, and of `n` clients each at least one part of `n + 1`, so that whoever comes
/// finds room. Beyond half of that its answers give up what they only remember, down to their share;
/// beyond all of it they fail. Neither changes what another answer says.
#[derive(Debug)]
pub struct GrammarMemory {
    limit: usize,
    share: usize,
    used: AtomicUsize,
    clients: Mutex<HashMap<u64, Weak<ClientGrammars>>>,
}

impl GrammarMemory {
    /// At most `limit` bytes for `answers` answers at the same time.
    pub fn new(limit: usize, answers: usize) -> Arc<Self> {
        let share = (limit / 4 / answers.max(1)).max(LEAST_SHARE);
        Arc::new(Self { limit, share, used: AtomicUsize::new(0), clients: Mutex::default() })
    }

    /// For one answer at a time.
    pub(crate) fn alone() -> Arc<ClientGrammars> {
        Self::new(ALONE, 1).of(0)
    }

    /// What a client takes of it.
    pub fn of(self: &Arc<Self>, client: u64) -> Arc<ClientGrammars> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&client).and_then(Weak::upgrade) {
            return known;
        }
        clients.retain(|_, client| client.strong_count() > 0);
        let new = Arc::new(ClientGrammars { memory: self.clone(), used: AtomicUsize::new(0) });
        clients.insert(client, Arc::downgrade(&new));
        new
    }

    /// Bytes that are taken.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn free(&self) -> usize {
        self.limit.saturating_sub(self.used())
    }
}

/// A client's part of a [`GrammarMemory`].
#[derive(Debug)]
pub struct ClientGrammars {
    memory: Arc<GrammarMemory>,
    used: AtomicUsize,
}

impl ClientGrammars {
    /// Bytes that the client's answers take.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes of all clients.
    pub(super) fn limit(&self) -> usize {
        self.memory.limit
    }

    /// Whether the client takes all that it may.
    pub(super) fn is_full(&self) -> bool {
        self.used() > self.memory.free()
    }

    /// Nothing of it yet.
    pub(super) fn charge(self: &Arc<Self>) -> Charge {
        Charge { client: self.clone(), bytes: 0 }
    }
}

/// A part of a client's memory, given back when dropped.
#[derive(Debug)]
pub(super) struct Charge {
    client: Arc<ClientGrammars>,
    bytes: usize,
}

impl Charge {
    pub(super) fn client(&self) -> &Arc<ClientGrammars> {
        &self.client
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.client.used.fetch_add(bytes, Ordering::Relaxed);
        self.client.memory.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.client.used.fetch_sub(bytes, Ordering::Relaxed);
        self.client.memory.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether it is more than its share while the client comes near to what it may take.
    pub(super) fn is_excessive(&self) -> bool {
        let memory = &self.client.memory;
        self.bytes > memory.share && self.client.used() > memory.free() / 2
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}
