//! Rotary position embedding (Su et al., 2021) in the half-split layout of Hugging Face: dimension
//! `i` of a head turns together with dimension `i + head_dim / 2`.

use super::{par_rows, simd};

/// Cosines and sines of all positions up to a limit, `head_dim / 2` a position.
#[derive(Debug, Clone)]
pub struct RopeTable {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

impl RopeTable {
    /// Tables for `positions` positions from the inverse frequencies (one per pair of dimensions).
    pub fn new(inverse_frequencies: &[f32], positions: usize) -> Self {
        let half = inverse_frequencies.len();
        let mut cos = Vec::with_capacity(half * positions);
        let mut sin = Vec::with_capacity(half * positions);
        for p in 0..positions {
            for f in inverse_frequencies {
                // The angle is rounded to f32 first, as in transformers.
                let angle = f64::from(p as f32 * f);
                cos.push(angle.cos() as f32);
                sin.push(angle.sin() as f32);
            }
        }
        Self { cos, sin, half }
    }

    /// Number of positions that the tables cover.
    pub fn positions(&self) -> usize {
        self.cos.len().checked_div(self.half).unwrap_or(0)
    }

    fn at(&self, position: usize) -> (&[f32], &[f32]) {
        let range = position * self.half..(position + 1) * self.half;
        (&self.cos[range.clone()], &self.sin[range])
    }
}

simd! {
    fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32], sign: f32) {
        let half = cos.len();
        let (a, b) = head.split_at_mut(half);
        for (((a, b), c), s) in a.iter_mut().zip(b.iter_mut()).zip(cos).zip(sin) {
            let s = *s * sign;
            let (x, y) = (*a, *b);
            *a = x * c - y * s;
            *b = y * c + x * s;
        }
    }
}

/// Rotates every head of every row of `width` values in place; `positions[row]` is a row's place in
/// its sequence. `inverse` turns backwards, which is also the gradient of the forward.
pub fn apply(x: &mut [f32], width: usize, table: &RopeTable, positions: &[u32], inverse: bool) {
    let head_dim = table.half * 2;
    let sign = if inverse { -1.0 } else { 1.0 };
    par_rows(x, width, |i, row| {
        let (cos, sin) = table.at(positions[i] as usize);
        for head in row.chunks_exact_mut(head_dim) {
            rotate(head, cos, sin, sign);
        }
    });
}
