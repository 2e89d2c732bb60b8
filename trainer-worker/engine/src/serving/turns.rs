//! Whose turn it is.
//!
//! Each client has a count of the work done for it, and the client with the lowest count goes
//! first (virtual token counters, Sheng et al., 2024), after those with nothing running. A client that
//! comes when others wait starts no lower than the lowest of them, and else no lower than who started
//! last: it cannot save up turns, and what somebody used while nobody else asked is not held against them.
//! Within a client requests go in the order in which they came.

use super::request::RequestId;
use std::collections::{BTreeMap, BTreeSet};

/// Clients without requests whose counts are remembered.
const MAX_REMEMBERED: usize = 1024;

#[derive(Default)]
struct Client {
    work: u64,
    waiting: BTreeSet<RequestId>,
    running: BTreeSet<RequestId>,
}

impl Client {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }
}

/// All clients with requests, and some that had.
#[derive(Default)]
pub(super) struct Turns {
    clients: BTreeMap<u64, Client>,
    /// The count of the client that started last, at that time.
    last: u64,
    waiting: usize,
}

impl Turns {
    /// A new request waits.
    pub(super) fn arrive(&mut self, client: u64, id: RequestId) {
        let queued = self.clients.values().filter(|c| !c.waiting.is_empty());
        let level = queued.map(|c| c.work).min().unwrap_or(self.last);
        self.forget(level);
        let entry = self.clients.entry(client).or_default();
        if entry.waiting.is_empty() {
            entry.work = entry.work.max(level);
        }
        self.waiting += usize::from(entry.waiting.insert(id));
    }

    /// Those without requests who have had no more than `level` would be lifted to it anyway; of the
    /// others only a bounded number is remembered.
    fn forget(&mut self, level: u64) {
        self.clients.retain(|_, c| !c.is_idle() || c.work > level);
        let mut idle: Vec<(u64, u64)> =
            self.clients.iter().filter(|(_, c)| c.is_idle()).map(|(k, c)| (c.work, *k)).collect();
        if idle.len() > MAX_REMEMBERED {
            idle.sort_unstable();
            for (_, key) in idle.iter().take(idle.len() - MAX_REMEMBERED) {
                self.clients.remove(key);
            }
        }
    }

    /// A waiting request runs.
    pub(super) fn start(&mut self, client: u64, id: RequestId) {
        if let Some(entry) = self.clients.get_mut(&client) {
            self.waiting -= usize::from(entry.waiting.remove(&id));
            entry.running.insert(id);
            self.last = entry.work;
        }
    }

    /// A running request waits again.
    pub(super) fn preempt(&mut self, client: u64, id: RequestId) {
        if let Some(entry) = self.clients.get_mut(&client) {
            entry.running.remove(&id);
            self.waiting += usize::from(entry.waiting.insert(id));
        }
    }

    /// A request ended, whether it ran or waited.
    pub(super) fn leave(&mut self, client: u64, id: RequestId) {
        if let Some(entry) = self.clients.get_mut(&client) {
            self.waiting -= usize::from(entry.waiting.remove(&id));
            entry.running.remove(&id);
        }
    }

    /// Counts work for a client.
    pub(super) fn charge(&mut self, client: u64, work: u64) {
        if let Some(entry) = self.clients.get_mut(&client) {
            entry.work = entry.work.saturating_add(work);
        }
    }

    /// The count of a client's work.
    pub(super) fn work(&self, client: u64) -> u64 {
        self.clients.get(&client).map_or(0, |c| c.work)
    }

    /// Requests of a client that run.
    pub(super) fn running_of(&self, client: u64) -> usize {
        self.clients.get(&client).map_or(0, |c| c.running.len())
    }

    /// Requests that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Requests that wait, by client.
    pub(super) fn waiting_by_client(&self) -> impl Iterator<Item = (u64, usize)> + '_ {
        self.clients.iter().map(|(k, c)| (*k, c.waiting.len())).filter(|(_, n)| *n > 0)
    }

    /// The waiting request whose turn it is: of a client with nothing running, if there is one. Else it
    /// would wait behind a large one of somebody who has others running, until that one fits.
    pub(super) fn next(&self) -> Option<(u64, RequestId)> {
        self.clients
            .iter()
            .filter_map(|(key, c)| Some((!c.running.is_empty(), c.work, *c.waiting.first()?, *key)))
            .min()
            .map(|(.., id, key)| (key, id))
    }

    /// Who gives up its pages when a running request needs one and there is none: the youngest request
    /// of the client with the most running ones, of several such clients the youngest of all. So the
    /// oldest running request never does while others run, which is why there is always progress.
    pub(super) fn victim(&self) -> Option<RequestId> {
        self.clients
            .values()
            .filter_map(|c| Some((c.running.len(), *c.running.last()?)))
            .max()
            .map(|(_, id)| id)
    }

    /// The requests that may be stopped for a client that has none running, youngest first: those of
    /// clients that have had at least as much, except the oldest of each.
    pub(super) fn may_yield_to(&self, client: u64) -> Vec<RequestId> {
        let work = self.work(client);
        let mut all: Vec<(usize, RequestId)> = self
            .clients
            .values()
            .filter(|c| c.work >= work)
            .flat_map(|c| c.running.iter().enumerate().skip(1).map(|(rank, id)| (rank, *id)))
            .collect();
        // Those of the client with the most first.
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.into_iter().map(|(_, id)| id).collect()
    }
}
