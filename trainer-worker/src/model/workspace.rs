//! Buffers that are used again instead of being returned to the system, since fresh pages cost
//! more than the arithmetic on them.

use std::sync::{Arc, Mutex};

/// Part of the greatest need that may lie unused in buffers larger than was asked for. Large enough
/// that sequences of many lengths share buffers, and no more: what is wasted is missed elsewhere.
const WASTE: usize = 32;

/// Memory beyond the greatest need that idle buffers may hold, as a share of that need: with none,
/// buffers of the head and of the blocks would be allocated and freed in turns.
pub const SLACK: usize = 16;

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
    /// Values asked for in buffers that were taken and not given back, and their greatest number.
    taken: usize,
    peak: usize,
    /// Values that the taken buffers hold, which may be larger than was asked for.
    held: usize,
}

impl Pool {
    /// Takes out the smallest buffer that holds `len` to `most` values.
    fn fitting(&mut self, len: usize, most: usize) -> Option<Vec<f32>> {
        let fits = |b: &Vec<f32>| b.capacity() >= len && b.capacity() <= most;
        let candidates = self.free.iter().enumerate().filter(|(_, b)| fits(b));
        let (best, _) = candidates.min_by_key(|(_, b)| b.capacity())?;
        Some(self.remove(best))
    }

    /// Whether buffers of `len` more values are within the greatest need so far.
    fn has_room(&self, len: usize) -> bool {
        self.held + self.idle + len <= self.peak + self.peak / SLACK
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
            let wasted = pool.held.saturating_sub(pool.taken - len);
            let spare = (pool.peak / WASTE).saturating_sub(wasted);
            match pool.fitting(len, len + spare.min(2 * len)) {
                Some(found) => buffer = found,
                None => {
                    // Sequences of many lengths would otherwise leave ever more buffers behind.
                    while !pool.has_room(len) {
                        let free = pool.free.iter().enumerate();
                        let Some((largest, _)) = free.max_by_key(|(_, b)| b.capacity()) else {
                            break;
                        };
                        drop(pool.remove(largest));
                    }
                    buffer.reserve_exact(len);
                }
            }
            pool.held += buffer.capacity();
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
            pool.held = pool.held.saturating_sub(buffer.capacity());
            pool.idle += buffer.capacity();
            pool.free.push(buffer);
        }
    }

    /// Bytes of all buffers, in use or idle.
    pub fn bytes(&self) -> usize {
        self.pool.lock().map_or(0, |pool| 4 * (pool.held + pool.idle))
    }

    /// Most bytes that were in use at one time.
    pub fn peak_bytes(&self) -> usize {
        self.pool.lock().map_or(0, |pool| 4 * pool.peak)
    }
}
