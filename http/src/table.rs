//! Which connections are open, whose they are, and which of them wait for nothing.

use crate::network_of;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// The connections of a server. One that is full closes a connection that nothing was asked on, or nothing
/// more: who holds connections open without a request keeps nobody out.
#[derive(Debug)]
pub(crate) struct Table {
    all: usize,
    of_address: usize,
    open: Mutex<Open>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    entries: BTreeMap<u64, Entry>,
    /// By address; those of reverse proxies stand under none.
    counts: HashMap<Option<IpAddr>, usize>,
}

#[derive(Debug)]
struct Entry {
    who: Option<IpAddr>,
    /// Since when nothing is being answered on it.
    idle: Option<Instant>,
    close: Arc<Notify>,
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    table: Arc<Table>,
    number: u64,
    close: Arc<Notify>,
}

impl Open {
    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.entries.remove(&number)?;
        match self.counts.get_mut(&entry.who) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.counts.remove(&entry.who)),
        }
        Some(entry)
    }

    /// Closes the connection that has been idle longest, of an address or of the one with most connections.
    fn evict(&mut self, of: Option<IpAddr>) -> bool {
        let idle = self.entries.iter().filter(|(_, entry)| of.is_none() || entry.who == of);
        let idle = idle.filter_map(|(number, entry)| {
            let count = self.counts.get(&entry.who).copied().unwrap_or(0);
            Some((std::cmp::Reverse(count), entry.idle?, *number))
        });
        let Some((_, _, number)) = idle.min() else { return false };
        if let Some(entry) = self.remove(number) {
            entry.close.notify_one();
        }
        true
    }
}

impl Table {
    pub(crate) fn new(all: usize, of_address: usize) -> Arc<Self> {
        Arc::new(Self { all, of_address, open: Mutex::default(), changed: Notify::new() })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn until<T>(&self, mut done: impl FnMut(&mut Open) -> Option<T>) -> T {
        loop {
            // Registered before the look, so that no change is missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(done) = done(&mut self.open()) {
                return done;
            }
            changed.await;
        }
    }

    /// Waits until none is open.
    pub(crate) async fn empty(&self) {
        self.until(|open| open.entries.is_empty().then_some(())).await;
    }

    /// Takes a connection in, once there is room for it; of a reverse proxy where `proxy` says so, which has no
    /// share of its own. None where its address has as many as it may, and all of them are being answered.
    pub(crate) async fn enter(self: &Arc<Self>, address: IpAddr, proxy: bool) -> Option<Place> {
        let who = (!proxy).then(|| network_of(address));
        self.until(|open| {
            let own = open.counts.get(&who).copied().unwrap_or(0);
            if who.is_some() && own >= self.of_address && !open.evict(who) {
                return Some(None);
            }
            if open.entries.len() >= self.all && !open.evict(None) {
                return None;
            }
            Some(Some(self.add(open, who)))
        })
        .await
    }

    fn add(self: &Arc<Self>, open: &mut Open, who: Option<IpAddr>) -> Place {
        let number = open.next;
        open.next += 1;
        let close = Arc::new(Notify::new());
        let entry = Entry { who, idle: Some(Instant::now()), close: close.clone() };
        open.entries.insert(number, entry);
        *open.counts.entry(who).or_default() += 1;
        Place { table: self.clone(), number, close }
    }
}

impl Place {
    /// Notes whether something is being answered on the connection.
    pub(crate) fn set_idle(&self, idle: bool) {
        let mut open = self.table.open();
        let Some(entry) = open.entries.get_mut(&self.number) else { return };
        entry.idle = idle.then(Instant::now);
        drop(open);
        if idle {
            self.table.changed.notify_waiters();
        }
    }

    /// Waits until the connection has to make room.
    pub(crate) async fn evicted(&self) {
        self.close.notified().await;
    }

    /// Gives the place back.
    pub(crate) fn leave(&self) {
        self.table.open().remove(self.number);
        self.table.changed.notify_waiters();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}
