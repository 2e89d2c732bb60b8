//! Randomness of our own: ChaCha keyed by (seed, purpose, counters), so that a value depends on
//! what it is for and never on the order of execution, the thread or an earlier resume.

use rand_chacha::{ChaCha20Rng, ChaCha8Rng};
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

fn key(seed: u64, purpose: &str, counters: &[u64]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"openledger/trainer/1\0");
    hash.update(seed.to_le_bytes());
    hash.update((purpose.len() as u64).to_le_bytes());
    hash.update(purpose.as_bytes());
    for c in counters {
        hash.update(c.to_le_bytes());
    }
    hash.finalize().into()
}

/// A stream of randomness for one purpose.
pub struct Stream(ChaCha20Rng);

impl Stream {
    /// The stream of `purpose` (for example "shuffle") at `counters` (for example the epoch).
    pub fn new(seed: u64, purpose: &str, counters: &[u64]) -> Self {
        Self(ChaCha20Rng::from_seed(key(seed, purpose, counters)))
    }

    /// Uniform in `[0, 1)` with 24 bits.
    pub fn uniform(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in `[0, 1)` with 53 bits.
    pub fn uniform_f64(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in `0..bound` (bias below 2^-64 times `bound`).
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Fisher–Yates shuffle.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i + 1);
            items.swap(i, j);
        }
    }
}

/// Which activations a dropout keeps: a function of its key and an element's row and column.
#[derive(Debug, Clone)]
pub struct DropoutMask {
    key: [u8; 32],
    threshold: u32,
    keep_scale: f32,
    first: u64,
}

impl DropoutMask {
    /// The mask for one module at one place of one micro-batch; `rate` in `[0, 1)`.
    pub fn new(seed: u64, rate: f64, counters: &[u64]) -> Self {
        Self {
            key: key(seed, "dropout", counters),
            threshold: (rate * 4_294_967_296.0) as u32,
            keep_scale: (1.0 / (1.0 - rate)) as f32,
            first: 0,
        }
    }

    /// The same mask for rows that begin with row `first`, which then has index 0.
    pub fn from_row(self, first: usize) -> Self {
        Self { first: first as u64, ..self }
    }

    /// Multiplies row `index` by the mask: 0 where dropped, `1 / (1 - rate)` where kept.
    pub fn apply(&self, index: usize, row: &mut [f32]) {
        let mut rng = ChaCha8Rng::from_seed(self.key);
        rng.set_stream(self.first + index as u64);
        for x in row {
            *x *= if rng.next_u32() < self.threshold { 0.0 } else { self.keep_scale };
        }
    }
}

/// Uniform noise on activations: a function of its key and an element's row and column.
#[derive(Debug, Clone)]
pub struct Noise {
    key: [u8; 32],
}

impl Noise {
    /// The noise of `purpose` (for example "neftune") at one place of one micro-batch.
    pub fn new(seed: u64, purpose: &str, counters: &[u64]) -> Self {
        Self { key: key(seed, purpose, counters) }
    }

    /// Adds to each value of row `index` a number drawn uniformly from `[-bound, bound)`.
    pub fn add(&self, index: usize, row: &mut [f32], bound: f32) {
        let mut rng = ChaCha8Rng::from_seed(self.key);
        rng.set_stream(index as u64);
        for x in row {
            let unit = (rng.next_u32() >> 8) as f32 * (1.0 / 8_388_608.0) - 1.0;
            *x += unit * bound;
        }
    }
}
