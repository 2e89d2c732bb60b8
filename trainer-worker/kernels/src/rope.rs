//! Rotary position embedding (Su et al., 2021) of all or the first dimensions of a head, in either
//! of its two layouts: halves (dimension `i` turns together with `i + rotary / 2`; LLaMA) or
//! interleaved (`2 i` with `2 i + 1`; ChatGLM).

use super::{par_rows, scalar, simd};

/// Cosines and sines of all positions up to a limit, one of each for every pair of dimensions.
#[derive(Debug, Clone)]
pub struct RopeTable {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
    head_dim: usize,
    interleaved: bool,
}

impl RopeTable {
    /// Tables for `positions` positions from the inverse frequencies (one per pair of dimensions):
    /// whole heads, in halves.
    pub fn new(inverse_frequencies: &[f32], positions: usize) -> Self {
        Self::scaled(inverse_frequencies, positions, 1.0)
    }

    /// As [`Self::new`], with every cosine and sine multiplied by `factor` (YaRN's attention factor).
    pub fn scaled(inverse_frequencies: &[f32], positions: usize, factor: f32) -> Self {
        let half = inverse_frequencies.len();
        let (cos, sin) = (vec![0f32; half * positions], vec![0f32; half * positions]);
        let mut table = Self { cos, sin, half, head_dim: half * 2, interleaved: false };
        for position in 0..positions {
            table.set_row(position, position, inverse_frequencies, factor);
        }
        table
    }

    /// Makes a row that of any position: a table of the rows of a batch instead of positions.
    pub fn set_row(
        &mut self,
        row: usize,
        position: usize,
        inverse_frequencies: &[f32],
        factor: f32,
    ) {
        let range = row * self.half..(row + 1) * self.half;
        let (cos, sin) = (&mut self.cos[range.clone()], &mut self.sin[range]);
        fill(cos, sin, position, inverse_frequencies, factor);
    }

    /// The same table for heads of `head_dim` values of which only the first ones turn, and for
    /// pairs that lie side by side when `interleaved`.
    pub fn within(mut self, head_dim: usize, interleaved: bool) -> Self {
        assert!(head_dim >= 2 * self.half, "the rotated part fits into a head");
        (self.head_dim, self.interleaved) = (head_dim, interleaved);
        self
    }

    /// Number of positions that the tables cover.
    pub fn positions(&self) -> usize {
        self.cos.len().checked_div(self.half).unwrap_or(0)
    }

    /// Cosines and sines of rows at `positions`, each `[positions.len(), pairs]`.
    pub fn of_rows(&self, positions: &[u32]) -> (Vec<f32>, Vec<f32>) {
        let at = |p: &u32| self.at(*p as usize);
        let cos = positions.iter().flat_map(|p| at(p).0.iter().copied()).collect();
        let sin = positions.iter().flat_map(|p| at(p).1.iter().copied()).collect();
        (cos, sin)
    }

    /// Turns the values of one head, or of that part of it which turns, at a position in place.
    pub(super) fn turn(&self, x: &mut [f32], position: usize, inverse: bool) {
        let (cos, sin) = self.at(position);
        let sign = if inverse { -1.0 } else { 1.0 };
        if self.interleaved {
            rotate_pairs(x, cos, sin, sign);
        } else {
            rotate(x, cos, sin, sign);
        }
    }

    fn at(&self, position: usize) -> (&[f32], &[f32]) {
        let range = position * self.half..(position + 1) * self.half;
        (&self.cos[range.clone()], &self.sin[range])
    }
}

/// Cosines and sines of a position.
fn fill(cos: &mut [f32], sin: &mut [f32], position: usize, frequencies: &[f32], factor: f32) {
    for ((cos, sin), f) in cos.iter_mut().zip(sin).zip(frequencies) {
        // The angle is rounded to f32 first, as in transformers.
        let angle = f64::from(position as f32 * f);
        let (s, c) = scalar::sin_cos(angle);
        *cos = c as f32 * factor;
        *sin = s as f32 * factor;
    }
}

simd! {
    fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32], sign: f32) {
        let half = cos.len();
        let (a, b) = head[..2 * half].split_at_mut(half);
        for (((a, b), c), s) in a.iter_mut().zip(b.iter_mut()).zip(cos).zip(sin) {
            let s = *s * sign;
            let (x, y) = (*a, *b);
            *a = x * c - y * s;
            *b = y * c + x * s;
        }
    }
}

simd! {
    fn rotate_pairs(head: &mut [f32], cos: &[f32], sin: &[f32], sign: f32) {
        for ((pair, c), s) in head.chunks_exact_mut(2).zip(cos).zip(sin) {
            let s = *s * sign;
            let (x, y) = (pair[0], pair[1]);
            pair[0] = x * c - y * s;
            pair[1] = y * c + x * s;
        }
    }
}

/// Rotates one head at `position` in place, by the calling thread alone.
pub fn turn_row(head: &mut [f32], table: &RopeTable, position: usize) {
    let (cos, sin) = table.at(position);
    if table.interleaved {
        rotate_pairs(head, cos, sin, 1.0);
    } else {
        rotate(head, cos, sin, 1.0);
    }
}

/// Rotates every head of every row of `width` values in place; `positions[row]` is a row's place in
/// its sequence. `inverse` turns backwards, which is also the gradient of the forward.
pub fn apply(x: &mut [f32], width: usize, table: &RopeTable, positions: &[u32], inverse: bool) {
    let sign = if inverse { -1.0 } else { 1.0 };
    par_rows(x, width, |i, row| {
        let (cos, sin) = table.at(positions[i] as usize);
        for head in row.chunks_exact_mut(table.head_dim) {
            if table.interleaved {
                rotate_pairs(head, cos, sin, sign);
            } else {
                rotate(head, cos, sin, sign);
            }
        }
    });
}
