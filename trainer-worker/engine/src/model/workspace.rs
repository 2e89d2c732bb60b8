//! Buffers that are used again instead of being returned to the system, since fresh pages cost
//! more than the arithmetic on them.

use std::sync::{Arc, Mutex};

/// A buffer serves a request if it holds at most this share more than was asked for.
const WASTE: usize = 8;

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
    /// Values that the buffers in `free` hold.
    idle: usize,
    /// Values that the buffers hold which were taken and not given back, and their greatest number.
    taken: usize,
    peak: usize,
    /// Rows of the part of a batch that is under way, 0 where none is, and the most of any so far.
    rows: usize,
    most: usize,
}

impl Pool {
    /// What a buffer for `len` values is made to hold: during a part of a batch, what the same
    /// buffer needs in the largest one.
    fn size(&self, len: usize) -> usize {
        match self.rows {
            0 => len,
            rows if len.is_multiple_of(rows) => len / rows * self.most,
            _ => len,
        }
    }

    /// Takes out the smallest buffer that is large enough and not too large.
    fn fitting(&mut self, size: usize) -> Option<Vec<f32>> {
        let fits = |b: &Vec<f32>| (size..=size + size / WASTE).contains(&b.capacity());
        let candidates = self.free.iter().enumerate().filter(|(_, b)| fits(b));
        let (best, _) = candidates.min_by_key(|(_, b)| b.capacity())?;
        Some(self.remove(best))
    }

    fn remove(&mut self, index: usize) -> Vec<f32> {
        let buffer = self.free.swap_remove(index);
        self.idle -= buffer.capacity();
        buffer
    }

    /// A buffer of at least `size` values; idle ones are freed for a new one beyond the greatest
    /// need so far.
    fn take(&mut self, size: usize) -> Vec<f32> {
        let buffer = self.fitting(size).unwrap_or_else(|| {
            let peak = self.peak.max(self.taken + size);
            while self.taken + self.idle + size > peak + peak / SLACK {
                let free = self.free.iter().enumerate();
                let Some((largest, _)) = free.max_by_key(|(_, b)| b.capacity()) else { break };
                drop(self.remove(largest));
            }
            Vec::with_capacity(size)
        });
        self.taken += buffer.capacity();
        self.peak = self.peak.max(self.taken);
        buffer
    }
}

impl Workspace {
    /// Says that a part of a batch with `rows` rows begins, and that none is under way with 0.
    /// Buffers of whole rows are large enough for the largest part so far, so that parts of all
    /// sizes share them and the memory they lie in is not cut up.
    pub fn begin(&self, rows: usize) {
        if let Ok(mut pool) = self.pool.lock() {
            pool.rows = rows;
            if rows > pool.most {
                pool.most = rows;
                // All at once, so that larger ones fit where they were.
                pool.free.clear();
                pool.idle = 0;
            }
        }
    }

    /// A buffer of `len` values with unspecified contents (from an earlier use or zero).
    pub fn take(&self, len: usize) -> Vec<f32> {
        let mut buffer = Vec::new();
        if let Ok(mut pool) = self.pool.lock() {
            let size = pool.size(len);
            buffer = pool.take(size);
        }
        buffer.resize(len, 0.0);
        buffer
    }

    /// [`Self::take`] of values that are no rows of a batch.
    pub fn take_exact(&self, len: usize) -> Vec<f32> {
        let mut buffer = Vec::new();
        if let Ok(mut pool) = self.pool.lock() {
            buffer = pool.take(len);
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
            pool.taken = pool.taken.saturating_sub(buffer.capacity());
            pool.idle += buffer.capacity();
            pool.free.push(buffer);
        }
    }

    /// Bytes of all buffers, in use or idle.
    pub fn bytes(&self) -> usize {
        self.pool.lock().map_or(0, |pool| 4 * (pool.taken + pool.idle))
    }

    /// Most bytes that were in use at one time.
    pub fn peak_bytes(&self) -> usize {
        self.pool.lock().map_or(0, |pool| 4 * pool.peak)
    }
}
