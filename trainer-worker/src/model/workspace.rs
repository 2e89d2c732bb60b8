//! Buffers that are used again instead of being returned to the system, since fresh pages cost
//! more than the arithmetic on them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A pool of `f32` buffers, shared by all blocks of a training run.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    free: Arc<Mutex<Vec<Vec<f32>>>>,
    taken: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Workspace {
    /// A buffer of `len` values with unspecified contents (from an earlier use or zero).
    pub fn take(&self, len: usize) -> Vec<f32> {
        let found = self.free.lock().ok().and_then(|mut free| {
            // The smallest buffer that is large enough, so that sizes do not drift upwards.
            let best = free
                .iter()
                .enumerate()
                .filter(|(_, b)| b.capacity() >= len)
                .min_by_key(|(_, b)| b.capacity())
                .map(|(i, _)| i)?;
            Some(free.swap_remove(best))
        });
        let mut buffer = found.unwrap_or_default();
        buffer.resize(len, 0.0);
        let taken = self.taken.fetch_add(len, Ordering::Relaxed) + len;
        self.peak.fetch_max(taken, Ordering::Relaxed);
        buffer
    }

    /// Gives a buffer back.
    pub fn put(&self, buffer: Vec<f32>) {
        let len = buffer.len();
        // Saturating: a buffer that came from elsewhere may be given too.
        let less = |taken: usize| Some(taken.saturating_sub(len));
        let _ = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        if let Ok(mut free) = self.free.lock() {
            // Sequences of many lengths would otherwise leave ever more buffers behind.
            if free.len() < 256 {
                free.push(buffer);
            }
        }
    }

    /// Most bytes that were in use at one time.
    pub fn peak_bytes(&self) -> usize {
        4 * self.peak.load(Ordering::Relaxed)
    }
}
