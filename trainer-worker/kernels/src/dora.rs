//! What DoRA (Liu et al., arXiv:2402.09353) does to rows beyond the low-rank product: scaling by
//! magnitude over norm, and the gradients of that.
//!
//! Rows are tokens, `[rows, width]`; `scale` and `bias` have a value a column.

use crate::{par_rows, simd};
use rayon::prelude::*;

/// Columns that one task sums at a time.
const COLUMNS: usize = 64;

simd! {
    fn scale_row(y: &mut [f32], scale: &[f32], bias: &[f32]) {
        for ((y, s), b) in y.iter_mut().zip(scale).zip(bias) {
            *y = *y * s + b;
        }
    }
}

simd! {
    fn multiply(out: &mut [f32], x: &[f32], scale: &[f32]) {
        for ((o, x), s) in out.iter_mut().zip(x).zip(scale) {
            *o = s * x;
        }
    }
}

simd! {
    /// `y[i] *= scale[i]`.
    pub fn multiply_assign(y: &mut [f32], scale: &[f32]) {
        for (y, s) in y.iter_mut().zip(scale) {
            *y *= s;
        }
    }
}

simd! {
    fn multiply_less_one(out: &mut [f32], x: &[f32], scale: &[f32]) {
        for ((o, x), s) in out.iter_mut().zip(x).zip(scale) {
            *o = (s - 1.0) * x;
        }
    }
}

simd! {
    fn mix_row(y: &mut [f32], frozen: &[f32], change: &[f32], scale: &[f32]) {
        for (((y, s), f), c) in y.iter_mut().zip(scale).zip(frozen).zip(change) {
            *y += (s - 1.0) * f + s * c;
        }
    }
}

simd! {
    fn subtract(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y -= x;
        }
    }
}

simd! {
    fn add_products(sums: &mut [f64], x: &[f32], y: &[f32]) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += f64::from(*x) * f64::from(*y);
        }
    }
}

/// `y = scale ⊙ y (+ bias)`.
pub fn scale_rows(y: &mut [f32], scale: &[f32], bias: Option<&[f32]>) {
    par_rows(y, scale.len(), |_, row| match bias {
        Some(bias) => scale_row(row, scale, bias),
        None => multiply_assign(row, scale),
    });
}

/// `y += (scale − 1) ⊙ frozen + scale ⊙ change`, all `[rows, width]`.
pub fn mix_rows(y: &mut [f32], frozen: &[f32], change: &[f32], scale: &[f32]) {
    let width = scale.len();
    par_rows(y, width, |i, row| {
        mix_row(row, &frozen[i * width..][..width], &change[i * width..][..width], scale);
    });
}

/// `y -= bias` in each row.
pub fn subtract_from_rows(y: &mut [f32], bias: &[f32]) {
    par_rows(y, bias.len(), |_, row| subtract(row, bias));
}

/// `out = scale ⊙ x`, both `[rows, width]`.
pub fn scaled_rows(out: &mut [f32], x: &[f32], scale: &[f32]) {
    let width = scale.len();
    par_rows(out, width, |i, row| multiply(row, &x[i * width..][..width], scale));
}

/// `out = (scale − 1) ⊙ x`, both `[rows, width]`.
pub fn change_of_rows(out: &mut [f32], x: &[f32], scale: &[f32]) {
    let width = scale.len();
    par_rows(out, width, |i, row| multiply_less_one(row, &x[i * width..][..width], scale));
}

/// Adds the magnitudes' gradient `Σ dy ⊙ product / norm` over `rows` rows. The sum of a column is
/// taken in `f64`, row after row.
pub fn magnitude_gradient(
    dmagnitude: &mut [f32],
    dy: &[f32],
    product: &[f32],
    norm: &[f32],
    rows: usize,
) {
    let width = norm.len();
    dmagnitude.par_chunks_mut(COLUMNS).enumerate().for_each(|(task, out)| {
        let start = task * COLUMNS;
        let mut sums = [0f64; COLUMNS];
        for t in 0..rows {
            let at = t * width + start;
            add_products(&mut sums, &dy[at..at + out.len()], &product[at..at + out.len()]);
        }
        for ((out, sum), norm) in out.iter_mut().zip(sums).zip(&norm[start..]) {
            if *norm > 0.0 {
                *out += (sum / f64::from(*norm)) as f32;
            }
        }
    });
}
