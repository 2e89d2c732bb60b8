//! Buffers that are used again instead of being returned to the system, since fresh pages cost
//! more than the arithmetic on them.

use std::sync::{Arc, Mutex};

/// A pool of `f32` buffers, shared by all blocks of a training run.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    free: Arc<Mutex<Vec<Vec<f32>>>>,
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
        buffer
    }

    /// Gives a buffer back.
    pub fn put(&self, buffer: Vec<f32>) {
        if let Ok(mut free) = self.free.lock() {
            // Sequences of many lengths would otherwise leave ever more buffers behind.
            if free.len() < 256 {
                free.push(buffer);
            }
        }
    }
}
