//! Adapters in memory, the least recently used one given up first.

use super::AdapterError;
use crate::server::names::Resolved;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Keeps adapters within a budget of bytes. Those that answers under way use are never given up,
/// and count.
pub(super) struct Memory {
    limit: u64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<[u8; 32], Entry>,
    used: u64,
    clock: u64,
}

struct Entry {
    loaded: Arc<Resolved>,
    bytes: u64,
    last_used: u64,
}

impl Memory {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, inner: Mutex::default() }
    }

    /// Bytes of all adapters.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) fn get(&self, sha256: &[u8; 32]) -> Option<Arc<Resolved>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let now = inner.clock;
        let entry = inner.entries.get_mut(sha256)?;
        entry.last_used = now;
        Some(entry.loaded.clone())
    }

    /// Keeps an adapter, giving up those that were not used for the longest time.
    pub(super) fn put(&self, name: &str, loaded: Arc<Resolved>) -> Result<(), AdapterError> {
        let bytes = loaded.prepared.bytes() as u64;
        if bytes > self.limit {
            return Err(AdapterError::TooLarge { name: name.to_owned(), bytes, limit: self.limit });
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        while inner.used + bytes > self.limit {
            // The store holds one reference; an answer under way holds others, of the adapter or of
            // its prepared factors.
            let idle = |entry: &Entry| {
                Arc::strong_count(&entry.loaded) == 1
                    && Arc::strong_count(&entry.loaded.prepared) == 1
            };
            let oldest = inner.entries.iter().filter(|(_, entry)| idle(entry));
            let oldest = oldest.min_by_key(|(_, entry)| entry.last_used).map(|(key, _)| *key);
            let Some(entry) = oldest.and_then(|key| inner.entries.remove(&key)) else {
                let (used, limit) = (inner.used, self.limit);
                return Err(AdapterError::Full { name: name.to_owned(), bytes, used, limit });
            };
            inner.used -= entry.bytes;
        }
        inner.clock += 1;
        inner.used += bytes;
        let entry = Entry { bytes, last_used: inner.clock, loaded };
        if let Some(before) = inner.entries.insert(entry.loaded.sha256, entry) {
            inner.used -= before.bytes;
        }
        Ok(())
    }

    /// Bytes and number of the adapters that are kept.
    pub(super) fn used(&self) -> (u64, usize) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.used, inner.entries.len())
    }
}
