//! Where large buffers lie, and how the C library's allocator treats them.

use std::ops::{Deref, DerefMut};

/// Keeps freed memory in the process instead of returning it to the system at once: training
/// allocates buffers of the same sizes over and over, and fresh pages, which the system fills with
/// zeros one fault at a time, cost more than the arithmetic on them. Only glibc is told.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        extern "C" {
            fn mallopt(parameter: i32, value: i32) -> i32;
        }
        const M_TRIM_THRESHOLD: i32 = -1;
        const M_MMAP_THRESHOLD: i32 = -3;
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            // SAFETY: glibc's mallopt takes two integers and may be called at any time.
            unsafe {
                mallopt(M_TRIM_THRESHOLD, 512 << 20);
                // Up to this size buffers come from the heap; the weights' largest matrices do not.
                mallopt(M_MMAP_THRESHOLD, 16 << 20);
            }
        });
    }
}

/// Values of a line of the cache.
pub const LINE: usize = 16;

/// Values, fewer than [`LINE`], from the beginning of `values` to that of a line.
pub fn before_line(values: &[f32]) -> usize {
    let values = values.as_ptr().align_offset(LINE * size_of::<f32>());
    // Where values lie changes the time that products take, and nothing else.
    if values < LINE {
        values
    } else {
        0
    }
}

/// Values that begin where a line of the cache does, so that the load of a register that is as wide
/// as a line never takes two of them.
#[derive(Debug, Default)]
pub struct Aligned {
    values: Vec<f32>,
    start: usize,
}

impl Aligned {
    /// Moves `values` by less than a line.
    pub fn new(mut values: Vec<f32>) -> Self {
        let len = values.len();
        values.reserve_exact(LINE);
        let start = before_line(&values);
        values.resize(len + start, 0.0);
        values.copy_within(..len, start);
        Self { values, start }
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut values = Vec::with_capacity(self.len() + LINE);
        values.extend_from_slice(self);
        Self::new(values)
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.start..]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..]
    }
}
