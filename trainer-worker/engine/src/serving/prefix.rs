//! Whole pages kept for sequences that begin alike.
//!
//! A page is known by the hash of everything that its keys and values depend on: adapter, the length
//! that keys are turned for, and all tokens up to its last one. The hash of a page covers the hash of
//! the page before it, so that equal hashes mean equal beginnings (as in vLLM's automatic prefix
//! caching, Kwon et al., 2023).

use super::forward::{Page, PAGE};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// The hash of a page and of all before it.
pub(super) type Key = [u8; 32];

/// The key before the first page.
///
/// `owner` keeps pages of different clients apart: whoever could see that a beginning is cached, by
/// `cached` tokens or by the time to the first one, could guess what others asked.
pub(super) fn root(adapter: &[u8; 32], turned_for: usize, owner: Option<u64>) -> Key {
    let mut hash = Sha256::new();
    hash.update(b"openledger prefix 1");
    hash.update(adapter);
    hash.update((turned_for as u64).to_le_bytes());
    match owner {
        Some(client) => {
            hash.update([1]);
            hash.update(client.to_le_bytes());
        }
        None => hash.update([0]),
    }
    hash.finalize().into()
}

/// Adds the keys of the whole pages of `tokens` that `keys` has not yet. `keys` begins with the root, so
/// that the key of page `i` is at `i + 1`.
pub(super) fn extend_keys(keys: &mut Vec<Key>, tokens: &[u32]) {
    for page in tokens.chunks_exact(PAGE).skip(keys.len().saturating_sub(1)) {
        let mut hash = Sha256::new();
        hash.update(keys.last().copied().unwrap_or_default());
        page.iter().for_each(|id| hash.update(id.to_le_bytes()));
        keys.push(hash.finalize().into());
    }
}

struct Entry<P> {
    page: P,
    used: u64,
}

/// Pages by key, the least recently used to be given back first.
pub(super) struct PrefixCache<P> {
    entries: HashMap<Key, Entry<P>>,
    by_use: BTreeMap<u64, Key>,
    uses: u64,
}

impl<P: Page> PrefixCache<P> {
    pub(super) fn new() -> Self {
        Self { entries: HashMap::new(), by_use: BTreeMap::new(), uses: 0 }
    }

    /// The longest run of pages with these keys.
    pub(super) fn find(&mut self, keys: &[Key]) -> Vec<P> {
        let pages: Vec<P> = keys
            .iter()
            .map_while(|key| self.entries.get(key).map(|entry| entry.page.clone()))
            .collect();
        // The last page first: what comes later in a sequence is of no use without what comes before,
        // and so has to go first.
        for key in keys.iter().take(pages.len()).rev() {
            self.touch(key);
        }
        pages
    }

    fn touch(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            self.uses += 1;
            self.by_use.remove(&entry.used);
            entry.used = self.uses;
            self.by_use.insert(self.uses, *key);
        }
    }

    /// Keeps a page. Where one with this key is kept already, that one stays: both hold the same.
    pub(super) fn keep(&mut self, key: Key, page: impl FnOnce() -> Option<P>) {
        if self.entries.contains_key(&key) {
            return;
        }
        if let Some(page) = page() {
            self.uses += 1;
            self.by_use.insert(self.uses, key);
            self.entries.insert(key, Entry { page, used: self.uses });
        }
    }

    /// Pages that no sequence uses.
    pub(super) fn unused(&self) -> usize {
        self.entries.values().filter(|entry| entry.page.is_alone()).count()
    }

    /// Gives up to `pages` unused pages back to the pool and returns how many it were.
    pub(super) fn evict(&mut self, pages: usize) -> usize {
        let alone = |key: &Key| self.entries.get(key).is_some_and(|e| e.page.is_alone());
        let going: Vec<(u64, Key)> = self
            .by_use
            .iter()
            .filter(|(_, key)| alone(key))
            .take(pages)
            .map(|(used, key)| (*used, *key))
            .collect();
        for (used, key) in &going {
            self.by_use.remove(used);
            self.entries.remove(key);
        }
        going.len()
    }

    /// Gives all pages back.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.by_use.clear();
    }
}
