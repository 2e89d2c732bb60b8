//! Buffers that are used again instead of being returned to the system, since fresh pages cost
//! more than the arithmetic on them.

use std::sync::{Arc, Mutex};

/// A buffer serves requests of at least this share of its size: a handful of statistics must not
/// hold megabytes.
const LEAST_SHARE: usize = 3;

/// A pool of `f32` buffers, shared by all blocks of a training run.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pool: Arc<Mutex<Pool>>,
}

#[derive(Debug, Default)]
struct Pool {
    free: Vec<Vec<f32>>,
    /// Values in `free`.
    idle: usize,
    /// Values in buffers that were taken and not given back, and their greatest number.
    taken: usize,
    peak: usize,
}

impl Pool {
    /// Takes out the smallest buffer that is large enough and not too large.
    fn fitting(&mut self, len: usize) -> Option<Vec<f32>> {
        let fits = |b: &Vec<f32>| b.capacity() >= len && b.capacity() <= LEAST_SHARE * len;
        let candidates = self.free.iter().enumerate().filter(|(_, b)| fits(b));
        let (best, _) = candidates.min_by_key(|(_, b)| b.capacity())?;
        Some(self.remove(best))
    }

    fn remove(&mut self, index: usize) -> Vec<f32> {
        let buffer = self.free.swap_remove(index);
        self.idle -= buffer.capacity();
        buffer
    }
}

impl Workspace {
    /// A buffer of `len` values with unspecified contents (from an earlier use or zero).
    pub fn take(&self, len: usize) -> Vec<f32> {
        let mut buffer = Vec::new();
        if let Ok(mut pool) = self.pool.lock() {
            pool.taken += len;
            pool.peak = pool.peak.max(pool.taken);
            match pool.fitting(len) {
                Some(found) => buffer = found,
                None => {
                    // Sequences of many lengths would otherwise leave ever more buffers behind.
                    while pool.taken + pool.idle > pool.peak + pool.peak / 4 {
                        let free = pool.free.iter().enumerate();
                        let Some((largest, _)) = free.max_by_key(|(_, b)| b.capacity()) else {
                            break;
                        };
                        drop(pool.remove(largest));
                    }
                }
            }
        }
        buffer.resize(len, 0.0);
        buffer
    }

    /// Gives a buffer back.
    pub fn put(&self, buffer: Vec<f32>) {
        if buffer.capacity() == 0 {
            return;
        }
        if let Ok(mut pool) = self.pool.lock() {
            // A buffer that came from elsewhere may be given too.
            pool.taken = pool.taken.saturating_sub(buffer.len());
            pool.idle += buffer.capacity();
            pool.free.push(buffer);
        }
    }

    /// Most bytes that were in use at one time.
    pub fn peak_bytes(&self) -> usize {
        self.pool.lock().map_or(0, |pool| 4 * pool.peak)
    }
}
