//! Cross-entropy over a linear head, in chunks of rows: the logits of the whole batch never exist.

use super::{math, par_rows, scalar, Shared};
use crate::linear::FrozenLinear;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows whose logits are computed at once: fewer would pack the head more often, more take memory.
pub const CHUNK: usize = 256;

/// Negative log likelihood (nats) of `targets[i]` under softmax(`x[i] · headᵀ`), summed in `f64` in
/// row order. `x` is `[targets.len(), head.input()]`, the vocabulary is `head.output()`. When `dx` is
/// given it receives the gradient of the sum with respect to `x`.
pub fn head_cross_entropy(
    x: &[f32],
    head: &FrozenLinear,
    targets: &[u32],
    dx: Option<&mut [f32]>,
    logits: &mut Vec<f32>,
) -> f64 {
    let mut total = 0.0;
    head_cross_entropy_part(&mut total, x, head, targets, (0, targets.len()), dx, logits);
    total
}

/// As [`head_cross_entropy`] for some of the rows of a longer call, with the bits that they have
/// there: those after the first `before` of `all`. Their losses are added to `total` row by row.
pub fn head_cross_entropy_part(
    total: &mut f64,
    x: &[f32],
    head: &FrozenLinear,
    targets: &[u32],
    place: (usize, usize),
    dx: Option<&mut [f32]>,
    logits: &mut Vec<f32>,
) {
    head_cross_entropy_counted(total, &mut 0, x, head, targets, place, dx, logits);
}

/// As [`head_cross_entropy_part`], and adds to `likeliest` the rows whose target no other token beats.
#[allow(clippy::too_many_arguments)]
pub fn head_cross_entropy_counted(
    total: &mut f64,
    likeliest: &mut u64,
    x: &[f32],
    head: &FrozenLinear,
    targets: &[u32],
    (before, all): (usize, usize),
    mut dx: Option<&mut [f32]>,
    logits: &mut Vec<f32>,
) {
    let hits = AtomicU64::new(0);
    let (vocabulary, width) = (head.output(), head.input());
    assert!(before + targets.len() <= all, "the rows are a part of all");
    let mut first = 0;
    while first < targets.len() {
        // Chunks are those of the longer call.
        let within = (before + first) % CHUNK;
        let rows = (CHUNK - within).min(targets.len() - first);
        let chunk = CHUNK.min(all - (before + first - within));
        let targets = &targets[first..first + rows];
        let at = first * width;
        first += rows;
        let x = &x[at..at + rows * width];
        if logits.len() < rows * vocabulary {
            logits.resize(rows * vocabulary, 0.0);
        }
        let logits = &mut logits[..rows * vocabulary];
        if chunk == 1 {
            head.forward(logits, x, rows);
        } else {
            head.forward_rows(logits, x, rows);
        }
        let mut losses = vec![0f64; rows];
        let out = LossPtr(losses.as_mut_ptr());
        let want_gradient = dx.is_some();
        par_rows_each(logits, vocabulary, |i, row| {
            let target = targets[i] as usize;
            let shift = math::max(row);
            let score = row[target];
            if score >= shift {
                hits.fetch_add(1, Ordering::Relaxed);
            }
            let sum = math::exp_shifted(row, shift);
            // SAFETY: `i < rows`, one task a row.
            unsafe {
                *out.get().add(i) = scalar::ln(f64::from(sum)) + f64::from(shift) - f64::from(score)
            };
            if want_gradient {
                math::scale(row, 1.0 / sum);
                row[target] -= 1.0;
            }
        });
        losses.iter().for_each(|loss| *total += loss);
        if let Some(dx) = dx.as_deref_mut() {
            let dx = &mut dx[at..at + rows * width];
            head.backward(dx, logits, rows, false);
        }
    }
    *likeliest += hits.into_inner();
}

/// As [`par_rows`], but one row a task: rows of logits are long.
fn par_rows_each<F: Fn(usize, &mut [f32]) + Sync + Send>(x: &mut [f32], width: usize, f: F) {
    use rayon::prelude::*;
    x.par_chunks_mut(width).enumerate().for_each(|(i, row)| f(i, row));
}

#[derive(Clone, Copy)]
struct LossPtr(*mut f64);
// SAFETY: each task writes one element of its own.
unsafe impl Send for LossPtr {}
// SAFETY: as above.
unsafe impl Sync for LossPtr {}
impl LossPtr {
    fn get(&self) -> *mut f64 {
        self.0
    }
}

/// Copies rows `indices` of `x` (rows of `width`) into `out`.
pub fn gather(out: &mut [f32], x: &[f32], indices: &[u32], width: usize) {
    par_rows(&mut out[..indices.len() * width], width, |i, row| {
        row.copy_from_slice(&x[indices[i] as usize * width..][..width]);
    });
}

/// `out[indices[i]] = scale * x[i]` for distinct indices; other rows of `out` stay as they are.
pub fn scatter_scaled(out: &mut [f32], x: &[f32], indices: &[u32], width: usize, scale: f32) {
    let rows = out.len() / width;
    assert!(indices.iter().all(|i| (*i as usize) < rows), "indices lie within out");
    assert!(indices.windows(2).all(|w| w[0] < w[1]), "indices ascend");
    let out = Shared(out.as_mut_ptr());
    use rayon::prelude::*;
    indices.par_iter().enumerate().with_min_len(32).for_each(|(i, index)| {
        // SAFETY: the index is within `out` and, since indices ascend, no other task has it.
        let row = unsafe {
            std::slice::from_raw_parts_mut(out.get().add(*index as usize * width), width)
        };
        for (o, x) in row.iter_mut().zip(&x[i * width..][..width]) {
            *o = x * scale;
        }
    });
}
