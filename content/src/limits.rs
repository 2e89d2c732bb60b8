//! How far hostile content is followed.

use std::time::Duration;

/// What one fetch may do. The default is for submissions; [`Limits::for_bytes`] is for larger files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that may come out.
    pub bytes: u64,
    /// Most levels of nodes, the root and the leaves included.
    pub depth: u32,
    /// Most links in a node.
    pub links: usize,
    /// Most visits to blocks, repeated ones counted each time.
    pub blocks: u64,
    /// Most blocks fetched ahead at once (each at most 2 MiB of memory).
    pub window: usize,
    /// Time for each block to come from the network.
    pub block_timeout: Duration,
    /// Time for the whole file.
    pub file_timeout: Duration,
    /// Whether a file that has the destination's name already may be replaced.
    pub overwrite: bool,
}

impl Limits {
    /// Most bytes of a submission: an account's whole day.
    pub const SUBMISSION_BYTES: u64 = 10 * 1024 * 1024;

    /// Limits for a file of up to `bytes` bytes (an adapter, a model).
    ///
    /// Visits grow by one for each 16 KiB, the time for the file by one second for each 256 KiB.
    pub fn for_bytes(bytes: u64) -> Self {
        Self {
            bytes,
            depth: 10,
            // Kubo's older default is 174, ours 1024; other tools go a little beyond.
            links: 4096,
            blocks: 16_384 + bytes / (16 * 1024),
            window: 16,
            block_timeout: Duration::from_secs(30),
            file_timeout: Duration::from_secs(300 + bytes / (256 * 1024)),
            overwrite: false,
        }
    }

    /// The same limits for a fetch that may replace what has the destination's name.
    pub fn overwriting(self) -> Self {
        Self { overwrite: true, ..self }
    }

    /// The same limits with other times.
    pub fn with_timeouts(self, block: Duration, file: Duration) -> Self {
        Self { block_timeout: block, file_timeout: file, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_bytes(Self::SUBMISSION_BYTES)
    }
}
