//! How the C library's allocator treats large buffers.

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
