//! Memory that all connections share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A budget has no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "requests and answers that are held at this moment take all the memory that they may; try again"
)]
pub struct Full;

/// Bytes that may be held at one time, by all connections together.
///
/// A client's shares ([`Budget::share_of`]) are bounded by what is left free as well: one may hold half,
/// two a third each, and so on (dynamic thresholds, Choudhury and Hahne, 1998). So there is room for
/// another client whatever one does, and nothing is set aside for clients that do not come.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    all: usize,
    /// Of clients that hold any.
    by_client: BTreeMap<u64, usize>,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: Mutex::default() })
    }

    /// Nothing of it yet, of no client.
    pub fn share(self: &Arc<Self>) -> Share {
        Share { budget: self.clone(), client: None, bytes: 0 }
    }

    /// Nothing of it yet, for a client, whose shares count together.
    pub fn share_of(self: &Arc<Self>, client: u64) -> Share {
        Share { budget: self.clone(), client: Some(client), bytes: 0 }
    }

    /// Its bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// What a client can hold at most, when no other holds anything.
    pub fn limit_of_client(&self) -> usize {
        self.limit / 2
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of a budget, given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    client: Option<u64>,
    bytes: usize,
}

impl Share {
    /// Takes so many more bytes.
    ///
    /// # Errors
    /// [`Full`] where there is no room for them, and nothing is taken.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let mut used = self.budget.used();
        let all = used.all.checked_add(bytes).ok_or(Full)?;
        let free = self.budget.limit.checked_sub(all).ok_or(Full)?;
        if let Some(client) = self.client {
            let own = used.by_client.get(&client).copied().unwrap_or(0).saturating_add(bytes);
            if own > free {
                return Err(Full);
            }
            used.by_client.insert(client, own);
        }
        used.all = all;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut used = self.budget.used();
        used.all = used.all.saturating_sub(self.bytes);
        let Some(client) = self.client else { return };
        if let Some(own) = used.by_client.get_mut(&client) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                used.by_client.remove(&client);
            }
        }
    }
}
