//! Memory that all connections share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// A budget has no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "requests and answers that are held at this moment take all the memory that they may; try again"
)]
pub struct Full;

/// Bytes that may be held at one time, by all connections together.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// Nothing of it yet.
    pub fn share(self: &Arc<Self>) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }

    /// Its bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

/// A part of a budget, given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Share {
    /// Takes so many more bytes.
    ///
    /// # Errors
    /// [`Full`] where there is no room for them.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before.saturating_add(bytes) <= self.budget.limit {
            return Ok(());
        }
        Err(Full)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
