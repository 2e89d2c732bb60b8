//! Causal attention with grouped key and value heads, one head a task.
//!
//! Queries are taken in blocks, each against the keys up to the block's end, so the part above the
//! diagonal is mostly never computed. The backward recomputes the probabilities.

use super::gemm::{raw, Strided};
use super::{math, Shared};
use gemm::Parallelism;
use rayon::prelude::*;

/// Queries multiplied with their keys at once.
const QUERY_BLOCK: usize = 64;

/// Sizes of the heads and the factor on their scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heads {
    /// Number of query heads.
    pub query: usize,
    /// Number of key and value heads; divides `query`.
    pub key_value: usize,
    /// Values of a head of q and of k.
    pub dim: usize,
    /// Values of a head of v and of the output.
    pub value_dim: usize,
    /// Factor on the scores `q·k`.
    pub scale: f32,
}

impl Heads {
    /// Heads of one size for q, k and v, with scores scaled by `1 / √dim`.
    pub fn new(query: usize, key_value: usize, dim: usize) -> Self {
        Self { query, key_value, dim, value_dim: dim, scale: 1.0 / (dim as f32).sqrt() }
    }

    /// Values a token in q.
    pub fn query_width(&self) -> usize {
        self.query * self.dim
    }

    /// Values a token in k.
    pub fn key_width(&self) -> usize {
        self.key_value * self.dim
    }

    /// Values a token in v.
    pub fn value_width(&self) -> usize {
        self.key_value * self.value_dim
    }

    /// Values a token in the attention's output.
    pub fn output_width(&self) -> usize {
        self.query * self.value_dim
    }
}

/// What is added to the scores besides the causal mask.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bias<'a> {
    /// A query sees only so many keys: itself and those just before it (sliding window, at least 1).
    pub window: Option<usize>,
    /// Slope of each query head, or empty: `slope * (key position - query position)` is added
    /// (ALiBi; Press et al., 2022).
    pub slopes: &'a [f32],
}

impl Bias<'_> {
    /// The first key that the query at `position` sees.
    fn first(&self, position: usize) -> usize {
        self.window.map_or(0, |w| (position + 1).saturating_sub(w))
    }
}

super::simd! {
    /// `scores[i] += slope * (first + i - position)`.
    pub fn add_distance(scores: &mut [f32], slope: f32, first: f32, position: f32) {
        let start = first - position;
        for (i, s) in scores.iter_mut().enumerate() {
            *s += slope * (start + i as f32);
        }
    }
}

/// Probabilities of queries `start..end` of one head against keys `low..end`, row-major into `p`;
/// `low` is the first key that any of these queries sees.
///
/// # Safety
/// `q` and `k` must be valid for `end` rows of the widths given in `heads`.
unsafe fn probabilities(
    p: &mut [f32],
    (start, end): (usize, usize),
    q: *const f32,
    k: *const f32,
    heads: Heads,
    (bias, head): (Bias<'_>, usize),
) {
    let (rows, low) = (end - start, bias.first(start));
    let keys = end - low;
    let lhs = Strided {
        // SAFETY: `start < end` rows are valid by the caller's promise.
        data: unsafe { q.add(start * heads.query_width()) },
        row: heads.query_width(),
        col: 1,
    };
    let rhs = Strided {
        // SAFETY: `low <= start`, as above.
        data: unsafe { k.add(low * heads.key_width()) },
        row: 1,
        col: heads.key_width(),
    };
    assert!(p.len() >= rows * keys, "the score buffer holds the block");
    // SAFETY: sizes follow the caller's promise and the assertion; `p` belongs to this task.
    unsafe {
        raw(
            (rows, keys, heads.dim),
            p.as_mut_ptr(),
            keys,
            lhs,
            rhs,
            heads.scale,
            false,
            Parallelism::None,
        );
    }
    for (i, row) in p[..rows * keys].chunks_exact_mut(keys).enumerate() {
        let position = start + i;
        let seen = bias.first(position) - low..position + 1 - low;
        let (before, after) = (seen.start, seen.end);
        if let Some(slope) = bias.slopes.get(head) {
            add_distance(&mut row[seen.clone()], *slope, (low + before) as f32, position as f32);
        }
        math::softmax(&mut row[seen]);
        row[..before].fill(0.0);
        row[after..].fill(0.0);
    }
}

fn check(
    heads: Heads,
    bias: Bias<'_>,
    offsets: &[usize],
    (q, k, v): (&[f32], &[f32], &[f32]),
) -> usize {
    let rows = offsets.last().copied().unwrap_or(0);
    assert!(offsets.windows(2).all(|w| w[0] <= w[1]), "offsets ascend");
    assert!(
        q.len() >= rows * heads.query_width()
            && k.len() >= rows * heads.key_width()
            && v.len() >= rows * heads.value_width(),
        "q, k and v cover {rows} rows"
    );
    assert!(heads.key_value > 0 && heads.query.is_multiple_of(heads.key_value), "grouped heads");
    assert!(bias.window != Some(0), "a query sees itself");
    assert!(bias.slopes.is_empty() || bias.slopes.len() == heads.query, "a slope a head");
    rows
}

fn blocks(len: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..len).step_by(QUERY_BLOCK).map(move |s| (s, (s + QUERY_BLOCK).min(len)))
}

/// `out[rows, output_width]` = softmax(scale · q·kᵀ + bias, causal) · v for sequences that lie end
/// to end: sequence `s` holds rows `offsets[s]..offsets[s + 1]`.
pub fn forward(
    out: &mut [f32],
    (q, k, v): (&[f32], &[f32], &[f32]),
    offsets: &[usize],
    heads: Heads,
    bias: Bias<'_>,
) {
    let rows = check(heads, bias, offsets, (q, k, v));
    let (qw, kw, vw, ow) =
        (heads.query_width(), heads.key_width(), heads.value_width(), heads.output_width());
    assert!(out.len() >= rows * ow, "out covers {rows} rows");
    let out = Shared(out.as_mut_ptr());
    tasks(offsets, heads).into_par_iter().for_each(|(first, len, head)| {
        let group = head / (heads.query / heads.key_value);
        let q_at = first * qw + head * heads.dim;
        let k_at = first * kw + group * heads.dim;
        let v_at = first * vw + group * heads.value_dim;
        let out_at = first * ow + head * heads.value_dim;
        let mut p = vec![0f32; QUERY_BLOCK.min(len) * len];
        for (start, end) in blocks(len) {
            let low = bias.first(start);
            // SAFETY: `check` made sure that rows `first..first + len` exist in q, k, v and out; the
            // columns of one head of one sequence belong to this task alone.
            unsafe {
                probabilities(
                    &mut p,
                    (start, end),
                    q.as_ptr().add(q_at),
                    k.as_ptr().add(k_at),
                    heads,
                    (bias, head),
                );
                raw(
                    (end - start, heads.value_dim, end - low),
                    out.get().add(out_at + start * ow),
                    ow,
                    Strided { data: p.as_ptr(), row: end - low, col: 1 },
                    Strided { data: v.as_ptr().add(v_at + low * vw), row: vw, col: 1 },
                    1.0,
                    false,
                    Parallelism::None,
                );
            }
        }
    });
}

/// Gradients of q, k and v from `dout`, with `out` as [`forward`] gave it. With probabilities `P`
/// and `D = rowsum(dout * out)`: `dV = Pᵀ·dout`, `dS = P * (dout·Vᵀ - D)`, `dQ = scale · dS·K`,
/// `dK = scale · dSᵀ·Q`. Gradients of a shared key head are added in the order of its query heads.
pub fn backward(
    (dq, dk, dv): (&mut [f32], &mut [f32], &mut [f32]),
    (dout, out): (&[f32], &[f32]),
    (q, k, v): (&[f32], &[f32], &[f32]),
    offsets: &[usize],
    heads: Heads,
    bias: Bias<'_>,
) {
    let rows = check(heads, bias, offsets, (q, k, v));
    let (qw, kw, dim) = (heads.query_width(), heads.key_width(), heads.dim);
    let (vw, ow, value_dim) = (heads.value_width(), heads.output_width(), heads.value_dim);
    assert!(
        dq.len() >= rows * qw
            && dout.len() >= rows * ow
            && out.len() >= rows * ow
            && dk.len() >= rows * kw
            && dv.len() >= rows * vw,
        "gradients cover {rows} rows"
    );
    let (dq, dk, dv) = (Shared(dq.as_mut_ptr()), Shared(dk.as_mut_ptr()), Shared(dv.as_mut_ptr()));
    let group_size = heads.query / heads.key_value;
    // One task per sequence and key head; its query heads follow one another, so that the sums
    // into dk and dv have a fixed order.
    let mut groups = Vec::new();
    for w in offsets.windows(2) {
        for g in 0..heads.key_value {
            groups.push((w[0], w[1] - w[0], g));
        }
    }
    groups.into_par_iter().for_each(|(first, len, group)| {
        if len == 0 {
            return;
        }
        let (k_at, v_at) = (first * kw + group * dim, first * vw + group * value_dim);
        let block = QUERY_BLOCK.min(len);
        let mut p = vec![0f32; block * len];
        let mut ds = vec![0f32; block * len];
        for h in 0..group_size {
            let head = group * group_size + h;
            let (q_at, out_at) = (first * qw + head * dim, first * ow + head * value_dim);
            for (start, end) in blocks(len) {
                let (n, low) = (end - start, bias.first(start));
                let keys = end - low;
                let (row_at, out_row) = (q_at + start * qw, out_at + start * ow);
                let (k_low, v_low) = (k_at + low * kw, v_at + low * vw);
                // The first query block of all sees fewer keys than later ones, so zero what no
                // product has written yet.
                let fresh_from = if h == 0 { start } else { end };
                // SAFETY: `check` and the assertion above cover rows `first..first + len` of every
                // slice; the columns of one key head (and its query heads) of one sequence belong
                // to this task alone.
                unsafe {
                    for r in fresh_from..end {
                        std::slice::from_raw_parts_mut(dk.get().add(k_at + r * kw), dim).fill(0.0);
                        std::slice::from_raw_parts_mut(dv.get().add(v_at + r * vw), value_dim)
                            .fill(0.0);
                    }
                    let (qp, kp) = (q.as_ptr().add(q_at), k.as_ptr().add(k_at));
                    probabilities(&mut p, (start, end), qp, kp, heads, (bias, head));
                    let d = Strided { data: dout.as_ptr().add(out_row), row: ow, col: 1 };
                    // dV += Pᵀ · dout
                    raw(
                        (keys, value_dim, n),
                        dv.get().add(v_low),
                        vw,
                        Strided { data: p.as_ptr(), row: 1, col: keys },
                        d,
                        1.0,
                        true,
                        Parallelism::None,
                    );
                    // dP = dout · Vᵀ
                    raw(
                        (n, keys, value_dim),
                        ds.as_mut_ptr(),
                        keys,
                        d,
                        Strided { data: v.as_ptr().add(v_low), row: 1, col: vw },
                        1.0,
                        false,
                        Parallelism::None,
                    );
                }
                for i in 0..n {
                    let at = out_row + i * ow;
                    let delta = math::dot(&dout[at..at + value_dim], &out[at..at + value_dim]);
                    let ds = &mut ds[i * keys..(i + 1) * keys];
                    for (ds, p) in ds.iter_mut().zip(&p[i * keys..(i + 1) * keys]) {
                        *ds = p * (*ds - delta);
                    }
                }
                // SAFETY: as above.
                unsafe {
                    // dQ = scale · dS·K
                    raw(
                        (n, dim, keys),
                        dq.get().add(row_at),
                        qw,
                        Strided { data: ds.as_ptr(), row: keys, col: 1 },
                        Strided { data: k.as_ptr().add(k_low), row: kw, col: 1 },
                        heads.scale,
                        false,
                        Parallelism::None,
                    );
                    // dK += scale · dSᵀ·Q
                    raw(
                        (keys, dim, n),
                        dk.get().add(k_low),
                        kw,
                        Strided { data: ds.as_ptr(), row: 1, col: keys },
                        Strided { data: q.as_ptr().add(row_at), row: qw, col: 1 },
                        heads.scale,
                        true,
                        Parallelism::None,
                    );
                }
            }
        }
    });
}

fn tasks(offsets: &[usize], heads: Heads) -> Vec<(usize, usize, usize)> {
    let mut tasks = Vec::new();
    for w in offsets.windows(2) {
        for h in 0..heads.query {
            if w[1] > w[0] {
                tasks.push((w[0], w[1] - w[0], h));
            }
        }
    }
    tasks
}

/// The slopes of ALiBi for `heads` heads: a geometric series from the greatest power of two up to
/// `heads`, and every other member of the series twice as fine for the heads beyond it. Only
/// square roots and products, which every machine rounds alike.
pub fn alibi_slopes(heads: usize) -> Vec<f32> {
    if heads == 0 {
        return Vec::new();
    }
    let power = heads.ilog2();
    // 2^(-8 / 2^k) for k = `power`: -8 halved k times in the exponent.
    let base = |k: u32| (0..k).fold(1.0f64 / 256.0, |b, _| b.sqrt());
    let whole = 1usize << power;
    let mut slopes = Vec::with_capacity(heads);
    let mut slope = 1.0;
    for _ in 0..whole {
        slope *= base(power);
        slopes.push(slope as f32);
    }
    let fine = base(power + 1);
    let mut slope = fine;
    while slopes.len() < heads {
        slopes.push(slope as f32);
        slope *= fine * fine;
    }
    slopes
}
