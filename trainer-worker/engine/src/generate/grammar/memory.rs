//! The memory that all answers which follow a grammar take together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// Bytes for answers that are written one at a time.
const ALONE: usize = 64 << 20;
/// What an answer may always keep, however many there are.
const LEAST_SHARE: usize = 256 << 10;

/// What grammars and the states of following them may take, for all answers of a server. Where half of
/// it is taken, answers give up what they only remember, down to their share; beyond all of it an answer
/// fails. Neither changes what another one says.
#[derive(Debug)]
pub struct GrammarMemory {
    limit: usize,
    share: usize,
    used: AtomicUsize,
}

impl GrammarMemory {
    /// At most `limit` bytes for `answers` answers at the same time.
    pub fn new(limit: usize, answers: usize) -> Arc<Self> {
        let share = (limit / 2 / answers.max(1)).max(LEAST_SHARE);
        Arc::new(Self { limit, share, used: AtomicUsize::new(0) })
    }

    /// For one answer at a time.
    pub(crate) fn alone() -> Arc<Self> {
        Self::new(ALONE, 1)
    }

    /// Bytes that are taken.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes that may be.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether all of it is taken.
    pub(super) fn is_full(&self) -> bool {
        self.used() > self.limit
    }

    /// Nothing of it yet.
    pub(super) fn charge(self: &Arc<Self>) -> Charge {
        Charge { memory: self.clone(), bytes: 0 }
    }
}

/// A part of the memory, given back when dropped.
#[derive(Debug)]
pub(super) struct Charge {
    memory: Arc<GrammarMemory>,
    bytes: usize,
}

impl Charge {
    pub(super) fn memory(&self) -> &Arc<GrammarMemory> {
        &self.memory
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.memory.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.memory.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether it is more than its share while others need room.
    pub(super) fn is_excessive(&self) -> bool {
        self.bytes > self.memory.share && self.memory.used() > self.memory.limit / 2
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}
