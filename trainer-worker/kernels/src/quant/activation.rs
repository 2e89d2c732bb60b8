//! Activations as integers, for products with quantised weights.

use crate::simd;
use rayon::prelude::*;

/// Values that share a scale.
pub const BLOCK: usize = 32;

/// Rows quantised by one task.
const ROWS_PER_TASK: usize = 16;

/// Greatest magnitude of a code: 127 · 128.
const MOST: f32 = 16256.0;

/// Rows of activations in blocks of 32: `x ≈ scale * (128 * high + low)`, 15 bits in two bytes,
/// `high` from -127 to 127 and `low` from -64 to 63. One byte (llama.cpp's Q8_0) would be faster to
/// multiply, but while the weights come from memory the second product costs next to nothing, and
/// it makes the rounding of activations vanish beside that of the weights. The sums of the codes
/// serve weights with an offset or a minimum.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    /// High parts of the codes, `[rows, cols]`.
    pub high: Vec<i8>,
    /// Low parts of the codes.
    pub low: Vec<i8>,
    /// Scale of each block, `[rows, cols / 32]`.
    pub scales: Vec<f32>,
    /// `scale * (sum of the block's codes)`.
    pub scaled_sums: Vec<f32>,
    /// Sums of the first and of the last 16 codes of each block.
    pub sums: Vec<[i32; 2]>,
    cols: usize,
    rows: usize,
}

impl Activations {
    /// Room for `rows` rows of `cols` values, a multiple of 32.
    pub fn new(rows: usize, cols: usize) -> Self {
        let mut activations = Self::default();
        activations.resize(rows, cols);
        activations
    }

    /// Changes the shape; the contents are unspecified afterwards.
    pub fn resize(&mut self, rows: usize, cols: usize) {
        assert!(cols.is_multiple_of(BLOCK), "{cols} columns are not whole blocks of {BLOCK}");
        let blocks = rows * (cols / BLOCK);
        self.high.resize(rows * cols, 0);
        self.low.resize(rows * cols, 0);
        self.scales.resize(blocks, 0.0);
        self.scaled_sums.resize(blocks, 0.0);
        self.sums.resize(blocks, [0; 2]);
        (self.cols, self.rows) = (cols, rows);
    }

    /// Width of a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Quantises `x`, `[rows, cols]`, over all threads.
    pub fn quantise(&mut self, x: &[f32], rows: usize, cols: usize) {
        self.resize(rows, cols);
        let per_row = cols / BLOCK;
        let mut rest = self.blocks_mut(0, rows * per_row);
        let mut parts = Vec::new();
        for x in x[..rows * cols].chunks((cols * ROWS_PER_TASK).max(1)) {
            let (head, tail) = rest.split_at(x.len() / BLOCK);
            parts.push((head, x));
            rest = tail;
        }
        parts.into_par_iter().for_each(|(blocks, x)| blocks.quantise(x));
    }

    /// Makes this one row, quantised from `x` by this thread alone.
    pub fn quantise_row(&mut self, x: &[f32]) {
        self.resize(1, x.len());
        self.blocks_mut(0, x.len() / BLOCK).quantise(x);
    }

    /// The blocks `first..first + count`, counted over all rows, to be quantised into.
    pub fn blocks_mut(&mut self, first: usize, count: usize) -> Blocks<'_> {
        let range = first..first + count;
        Blocks {
            high: &mut self.high[first * BLOCK..][..count * BLOCK],
            low: &mut self.low[first * BLOCK..][..count * BLOCK],
            scales: &mut self.scales[range.clone()],
            scaled_sums: &mut self.scaled_sums[range.clone()],
            sums: &mut self.sums[range],
        }
    }
}

/// [`Activations`] that several threads fill at the same time, each rows of its own.
#[derive(Debug, Clone, Copy)]
pub struct SharedActivations {
    high: *mut i8,
    low: *mut i8,
    scales: *mut f32,
    scaled_sums: *mut f32,
    sums: *mut [i32; 2],
    whole: *const Activations,
    per_row: usize,
    rows: usize,
}

// SAFETY: whoever uses one promises, at each call, that no two threads touch the same rows.
unsafe impl Send for SharedActivations {}
// SAFETY: as above.
unsafe impl Sync for SharedActivations {}

impl SharedActivations {
    /// Gives `activations` the shape `[rows, cols]` and shares them.
    pub fn new(activations: &mut Activations, rows: usize, cols: usize) -> Self {
        activations.resize(rows, cols);
        Self {
            high: activations.high.as_mut_ptr(),
            low: activations.low.as_mut_ptr(),
            scales: activations.scales.as_mut_ptr(),
            scaled_sums: activations.scaled_sums.as_mut_ptr(),
            sums: activations.sums.as_mut_ptr(),
            whole: activations,
            per_row: cols / BLOCK,
            rows,
        }
    }

    /// Quantises `x` into a row.
    ///
    /// # Safety
    /// The activations must still be there, unchanged in shape, and the row this thread's alone.
    pub unsafe fn quantise_row(&self, row: usize, x: &[f32]) {
        assert!(
            row < self.rows && x.len() == self.per_row * BLOCK,
            "the row exists and is as wide"
        );
        let (n, at) = (self.per_row, row * self.per_row);
        // SAFETY: the row lies within the buffers, and the caller's promise.
        let blocks = unsafe {
            Blocks {
                high: std::slice::from_raw_parts_mut(self.high.add(at * BLOCK), n * BLOCK),
                low: std::slice::from_raw_parts_mut(self.low.add(at * BLOCK), n * BLOCK),
                scales: std::slice::from_raw_parts_mut(self.scales.add(at), n),
                scaled_sums: std::slice::from_raw_parts_mut(self.scaled_sums.add(at), n),
                sums: std::slice::from_raw_parts_mut(self.sums.add(at), n),
            }
        };
        blocks.quantise(x);
    }

    /// All rows.
    ///
    /// # Safety
    /// The activations must still be there, and no thread may write rows meanwhile.
    pub unsafe fn all(&self) -> &Activations {
        // SAFETY: the caller's promise.
        unsafe { &*self.whole }
    }
}

/// Consecutive blocks of [`Activations`], to be written.
#[derive(Debug)]
pub struct Blocks<'a> {
    high: &'a mut [i8],
    low: &'a mut [i8],
    scales: &'a mut [f32],
    scaled_sums: &'a mut [f32],
    sums: &'a mut [[i32; 2]],
}

impl<'a> Blocks<'a> {
    fn split_at(self, count: usize) -> (Self, Self) {
        let (high, high_rest) = self.high.split_at_mut(count * BLOCK);
        let (low, low_rest) = self.low.split_at_mut(count * BLOCK);
        let (scales, scales_rest) = self.scales.split_at_mut(count);
        let (scaled_sums, scaled_sums_rest) = self.scaled_sums.split_at_mut(count);
        let (sums, sums_rest) = self.sums.split_at_mut(count);
        (
            Self { high, low, scales, scaled_sums, sums },
            Self {
                high: high_rest,
                low: low_rest,
                scales: scales_rest,
                scaled_sums: scaled_sums_rest,
                sums: sums_rest,
            },
        )
    }

    /// Quantises `x`, 32 values a block.
    pub fn quantise(self, x: &[f32]) {
        quantise((self.high, self.low), self.scales, self.scaled_sums, self.sums, x);
    }
}

simd! {
    /// `scale = max|x| / 16256` and `x / scale` to the nearest integer, ties to even, in two parts.
    fn quantise(
        codes: (&mut [i8], &mut [i8]),
        scales: &mut [f32],
        scaled_sums: &mut [f32],
        sums: &mut [[i32; 2]],
        x: &[f32],
    ) {
        // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer without a library call.
        const ROUND: f32 = 12582912.0;
        let (high, low) = codes;
        let blocks = high.as_chunks_mut::<BLOCK>().0.iter_mut().zip(low.as_chunks_mut::<BLOCK>().0);
        let blocks = x.as_chunks::<BLOCK>().0.iter().zip(blocks);
        let scales = scales.iter_mut().zip(scaled_sums.iter_mut()).zip(sums.iter_mut());
        for ((x, (high, low)), ((scale, scaled_sum), sums)) in blocks.zip(scales) {
            let mut most = [0f32; 8];
            for eight in x.as_chunks::<8>().0 {
                for l in 0..8 {
                    let v = eight[l].abs();
                    most[l] = if v > most[l] { v } else { most[l] };
                }
            }
            let most = most.iter().fold(0f32, |m, v| if *v > m { *v } else { m });
            let inverse = if most > 0.0 { MOST / most } else { 0.0 };
            let mut wide = [0i32; BLOCK];
            for i in 0..BLOCK {
                let rounded = (x[i] * inverse + ROUND) - ROUND;
                wide[i] = (rounded as i32).clamp(-(MOST as i32), MOST as i32);
            }
            for i in 0..BLOCK {
                let upper = (wide[i] + 64) >> 7;
                high[i] = upper as i8;
                low[i] = (wide[i] - upper * 128) as i8;
            }
            *sums = [wide[..16].iter().sum(), wide[16..].iter().sum()];
            *scale = most / MOST;
            *scaled_sum = *scale * (sums[0] + sums[1]) as f32;
        }
    }
}
