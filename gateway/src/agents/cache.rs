//! Answers of sources, for who asks the same a moment later: bounded by bytes and age.

use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its bytes.
    pub bytes: Bytes,
    /// Scheme, host and port that gave it, after redirects.
    pub origin: String,
    /// When, milliseconds since 1970.
    pub at: i64,
}

struct Entry {
    kept: Kept,
    since: Instant,
    /// When it was last asked for, in turns.
    turn: u64,
}

#[derive(Default)]
struct Entries {
    all: HashMap<String, Entry>,
    bytes: usize,
    turn: u64,
}

/// Answers by their address with the question.
pub struct Cache {
    entries: Mutex<Entries>,
    bytes: usize,
    age: Duration,
}

/// What an entry takes, its address and its place in the table counted.
fn size(address: &str, kept: &Kept) -> usize {
    address.len().saturating_add(kept.bytes.len()).saturating_add(kept.origin.len() + 200)
}

impl Cache {
    /// Room for so many bytes, each entry for at most so long.
    pub fn new(bytes: usize, age: Duration) -> Self {
        Self { entries: Mutex::default(), bytes, age }
    }

    /// An answer that is not too old.
    pub fn get(&self, address: &str) -> Option<Kept> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.turn += 1;
        let turn = entries.turn;
        let entry = entries.all.get_mut(address)?;
        if entry.since.elapsed() < self.age {
            entry.turn = turn;
            return Some(entry.kept.clone());
        }
        entries.remove(address);
        None
    }

    /// Keeps an answer; those that were asked for longest ago make room. One that is larger than all the
    /// room is not kept.
    pub fn put(&self, address: String, kept: Kept) {
        let size = size(&address, &kept);
        if size > self.bytes {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&address);
        while entries.bytes.saturating_add(size) > self.bytes {
            let oldest = entries.all.iter().min_by_key(|(_, entry)| entry.turn);
            let Some(oldest) = oldest.map(|(address, _)| address.clone()) else { break };
            entries.remove(&oldest);
        }
        entries.turn += 1;
        let entry = Entry { kept, since: Instant::now(), turn: entries.turn };
        entries.bytes = entries.bytes.saturating_add(size);
        entries.all.insert(address, entry);
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl Entries {
    fn remove(&mut self, address: &str) {
        if let Some(entry) = self.all.remove(address) {
            self.bytes = self.bytes.saturating_sub(size(address, &entry.kept));
        }
    }
}
