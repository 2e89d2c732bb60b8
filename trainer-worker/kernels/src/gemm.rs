//! Matrix products in slices, and a matrix-vector kernel for decoding.

mod micro;
mod product;

use super::cpu::{instructions, Instructions};
use super::math::dot;
use gemm::Parallelism;
use rayon::prelude::*;

/// Longest stretch of the summed dimension that is one chain of additions. Part of the definition of
/// a product (docs/arithmetic.md): partial sums of slices are more exact than one long chain.
pub const K_SLICE: usize = 512;

/// Rows of the weight that one task of [`gemv`] multiplies.
const GEMV_ROWS: usize = 64;

/// A strided matrix that is read: element `(i, j)` is `data[i * row + j * col]`.
#[derive(Clone, Copy)]
pub(crate) struct Strided {
    pub(crate) data: *const f32,
    pub(crate) row: usize,
    pub(crate) col: usize,
}

/// `dst[m, n] = scale * lhs[m, k] · rhs[k, n]`, added to `dst` when `accumulate`. `dst` is row-major
/// with `dst_row` elements from a row to the next.
///
/// Each element is, for every slice of [`K_SLICE`] along `k` in ascending order, a chain
/// `sum = fma(lhs, rhs, sum)` from zero in ascending order, and then `dst = scale * sum` for the
/// first slice and `dst = fma(scale, sum, dst)` for the others (all slices when `accumulate`).
/// Nothing else decides its bits: not its place, the other sizes, the threads or the instructions.
///
/// # Safety
/// The pointers must be valid for all elements that the sizes and strides describe, and `dst` must
/// not overlap the others nor be touched by another thread meanwhile.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn raw(
    (m, n, k): (usize, usize, usize),
    dst: *mut f32,
    dst_row: usize,
    lhs: Strided,
    rhs: Strided,
    scale: f32,
    accumulate: bool,
    parallelism: Parallelism,
) {
    let start = std::ptr::null();
    let product = product::Product { m, n, k, dst, dst_row, lhs, rhs, scale, accumulate, start };
    // SAFETY: handed on from the caller.
    unsafe { run(product, parallelism) }
}

/// # Safety
/// As for [`raw`]; `product.start` must be null or valid for all elements of `dst`.
unsafe fn run(product: product::Product, parallelism: Parallelism) {
    if product.m == 0 || product.n == 0 {
        return;
    }
    let threads = match parallelism {
        Parallelism::None => 1,
        Parallelism::Rayon(n) => n,
    };
    // SAFETY: the caller vouches for the pointers, `instructions` for the CPU.
    unsafe {
        match instructions() {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => product::run::<micro::Avx512>(product, threads),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => product::run::<micro::Avx2>(product, threads),
            _ => product::run::<micro::Portable>(product, threads),
        }
    }
}

fn threads() -> Parallelism {
    match rayon::current_num_threads() {
        0 | 1 => Parallelism::None,
        n => Parallelism::Rayon(n),
    }
}

fn expect_len(what: &str, slice: &[f32], len: usize) {
    assert!(slice.len() >= len, "{what} holds {} values where {len} are needed", slice.len());
}

/// `y[m, n] (+)= scale * x[m, k] · w[n, k]ᵀ`: a linear layer's forward.
pub fn nt(
    y: &mut [f32],
    x: &[f32],
    w: &[f32],
    (m, n, k): (usize, usize, usize),
    scale: f32,
    accumulate: bool,
) {
    expect_len("y", y, m * n);
    expect_len("x", x, m * k);
    expect_len("w", w, n * k);
    let lhs = Strided { data: x.as_ptr(), row: k, col: 1 };
    let rhs = Strided { data: w.as_ptr(), row: 1, col: k };
    // SAFETY: the lengths were just checked and `y` is borrowed mutably.
    unsafe { raw((m, n, k), y.as_mut_ptr(), n, lhs, rhs, scale, accumulate, threads()) }
}

/// `y[m, n] (+)= scale * x[m, k] · w[k, n]`: the gradient of a linear layer's input.
pub fn nn(
    y: &mut [f32],
    x: &[f32],
    w: &[f32],
    (m, n, k): (usize, usize, usize),
    scale: f32,
    accumulate: bool,
) {
    expect_len("y", y, m * n);
    expect_len("x", x, m * k);
    expect_len("w", w, k * n);
    let lhs = Strided { data: x.as_ptr(), row: k, col: 1 };
    let rhs = Strided { data: w.as_ptr(), row: n, col: 1 };
    // SAFETY: the lengths were just checked and `y` is borrowed mutably.
    unsafe { raw((m, n, k), y.as_mut_ptr(), n, lhs, rhs, scale, accumulate, threads()) }
}

/// `y[m, n] (+)= scale * x[k, m]ᵀ · w[k, n]`: the gradient of a weight.
pub fn tn(
    y: &mut [f32],
    x: &[f32],
    w: &[f32],
    (m, n, k): (usize, usize, usize),
    scale: f32,
    accumulate: bool,
) {
    expect_len("y", y, m * n);
    expect_len("x", x, k * m);
    expect_len("w", w, k * n);
    let lhs = Strided { data: x.as_ptr(), row: 1, col: m };
    let rhs = Strided { data: w.as_ptr(), row: n, col: 1 };
    // SAFETY: the lengths were just checked and `y` is borrowed mutably.
    unsafe { raw((m, n, k), y.as_mut_ptr(), n, lhs, rhs, scale, accumulate, threads()) }
}

/// A sum over rows that come in several parts, one after the other.
#[derive(Debug)]
pub struct Continued<'a> {
    /// `[m, n]`: the sums of the slice of [`K_SLICE`] rows that earlier parts have begun and not
    /// ended. Unspecified at a slice's beginning.
    pub begun: &'a mut [f32],
    /// Rows in earlier parts.
    pub before: usize,
    /// Whether this part is the last.
    pub last: bool,
}

/// `y[m, n] += scale * x[k, m]ᵀ · w[k, n]` where the `k` rows continue those of earlier calls: the
/// calls for all parts together give the bits of [`tn`] over all rows.
pub fn tn_continued(
    y: &mut [f32],
    x: &[f32],
    w: &[f32],
    (m, n, k): (usize, usize, usize),
    scale: f32,
    part: &mut Continued<'_>,
) {
    if part.before == 0 && part.last {
        return tn(y, x, w, (m, n, k), scale, true);
    }
    expect_len("y", y, m * n);
    expect_len("begun", part.begun, m * n);
    expect_len("x", x, k * m);
    expect_len("w", w, k * n);
    let mut at = 0;
    while at < k {
        let begun = (part.before + at) % K_SLICE;
        let len = (K_SLICE - begun).min(k - at);
        let ends = begun + len == K_SLICE || (part.last && at + len == k);
        let sums = part.begun.as_mut_ptr();
        let product = product::Product {
            m,
            n,
            k: len,
            dst: if ends { y.as_mut_ptr() } else { sums },
            dst_row: n,
            lhs: Strided { data: x[at * m..].as_ptr(), row: 1, col: m },
            rhs: Strided { data: w[at * n..].as_ptr(), row: n, col: 1 },
            scale: if ends { scale } else { 1.0 },
            accumulate: ends,
            start: if begun > 0 { sums.cast_const() } else { std::ptr::null() },
        };
        // SAFETY: the lengths were just checked, `y` and `begun` are borrowed mutably; a tile reads
        // its start before it is written.
        unsafe { run(product, threads()) };
        at += len;
    }
}

/// `y[n] (+)= scale * w[n, k] · x[k]`: a linear layer for one token, limited by memory bandwidth.
pub fn gemv(y: &mut [f32], x: &[f32], w: &[f32], scale: f32, accumulate: bool) {
    let k = x.len();
    expect_len("w", w, y.len() * k);
    if k == 0 {
        return;
    }
    let block = |y: &mut [f32], w: &[f32]| {
        for (y, row) in y.iter_mut().zip(w.chunks_exact(k)) {
            let v = scale * dot(row, x);
            *y = if accumulate { *y + v } else { v };
        }
    };
    if y.len() < 2 * GEMV_ROWS {
        block(y, w);
    } else {
        y.par_chunks_mut(GEMV_ROWS).zip(w.par_chunks(GEMV_ROWS * k)).for_each(|(y, w)| block(y, w));
    }
}
