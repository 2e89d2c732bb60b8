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

/// Sizes of the heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Number of query heads.
    pub query: usize,
    /// Number of key and value heads; divides `query`.
    pub key_value: usize,
    /// Values a head.
    pub dim: usize,
}

impl Heads {
    /// Values a token in q and in the output.
    pub fn query_width(&self) -> usize {
        self.query * self.dim
    }

    /// Values a token in k and in v.
    pub fn key_value_width(&self) -> usize {
        self.key_value * self.dim
    }

    fn scale(&self) -> f32 {
        1.0 / (self.dim as f32).sqrt()
    }
}

/// Probabilities of queries `start..end` of one head against keys `0..end`, row-major into `p`.
///
/// # Safety
/// `q` and `k` must be valid for `end` rows of the widths given in `heads`.
unsafe fn probabilities(
    p: &mut [f32],
    (start, end): (usize, usize),
    q: *const f32,
    k: *const f32,
    heads: Heads,
) {
    let rows = end - start;
    let lhs = Strided {
        // SAFETY: `start < end` rows are valid by the caller's promise.
        data: unsafe { q.add(start * heads.query_width()) },
        row: heads.query_width(),
        col: 1,
    };
    let rhs = Strided { data: k, row: 1, col: heads.key_value_width() };
    assert!(p.len() >= rows * end, "the score buffer holds the block");
    // SAFETY: sizes follow the caller's promise and the assertion; `p` belongs to this task.
    unsafe {
        raw(
            (rows, end, heads.dim),
            p.as_mut_ptr(),
            end,
            lhs,
            rhs,
            heads.scale(),
            false,
            Parallelism::None,
        );
    }
    for (i, row) in p[..rows * end].chunks_exact_mut(end).enumerate() {
        let visible = start + i + 1;
        math::softmax(&mut row[..visible]);
        row[visible..].fill(0.0);
    }
}

fn check(heads: Heads, offsets: &[usize], q: &[f32], k: &[f32], v: &[f32]) -> usize {
    let rows = offsets.last().copied().unwrap_or(0);
    assert!(offsets.windows(2).all(|w| w[0] <= w[1]), "offsets ascend");
    assert!(
        q.len() >= rows * heads.query_width()
            && k.len() >= rows * heads.key_value_width()
            && v.len() >= rows * heads.key_value_width(),
        "q, k and v cover {rows} rows"
    );
    assert!(heads.key_value > 0 && heads.query.is_multiple_of(heads.key_value), "grouped heads");
    rows
}

fn blocks(len: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..len).step_by(QUERY_BLOCK).map(move |s| (s, (s + QUERY_BLOCK).min(len)))
}

/// `out[rows, query_width]` = softmax(q·kᵀ / √dim, causal) · v for sequences that lie end to end:
/// sequence `s` holds rows `offsets[s]..offsets[s + 1]`.
pub fn forward(out: &mut [f32], q: &[f32], k: &[f32], v: &[f32], offsets: &[usize], heads: Heads) {
    let rows = check(heads, offsets, q, k, v);
    assert!(out.len() >= rows * heads.query_width(), "out covers {rows} rows");
    let out = Shared(out.as_mut_ptr());
    tasks(offsets, heads).into_par_iter().for_each(|(first, len, head)| {
        let group = head / (heads.query / heads.key_value);
        let q_at = first * heads.query_width() + head * heads.dim;
        let kv_at = first * heads.key_value_width() + group * heads.dim;
        let mut p = vec![0f32; QUERY_BLOCK.min(len) * len];
        for (start, end) in blocks(len) {
            // SAFETY: `check` made sure that rows `first..first + len` exist in q, k, v and out; the
            // columns of one head of one sequence belong to this task alone.
            unsafe {
                probabilities(
                    &mut p,
                    (start, end),
                    q.as_ptr().add(q_at),
                    k.as_ptr().add(kv_at),
                    heads,
                );
                raw(
                    (end - start, heads.dim, end),
                    out.get().add(q_at + start * heads.query_width()),
                    heads.query_width(),
                    Strided { data: p.as_ptr(), row: end, col: 1 },
                    Strided { data: v.as_ptr().add(kv_at), row: heads.key_value_width(), col: 1 },
                    1.0,
                    false,
                    Parallelism::None,
                );
            }
        }
    });
}

/// Gradients of q, k and v from `dout`, with `out` as [`forward`] gave it. With probabilities `P`
/// and `D = rowsum(dout * out)`: `dV = Pᵀ·dout`, `dS = P * (dout·Vᵀ - D)`, `dQ = dS·K / √dim`,
/// `dK = dSᵀ·Q / √dim`. Gradients of a shared key head are added in the order of its query heads.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    (dq, dk, dv): (&mut [f32], &mut [f32], &mut [f32]),
    dout: &[f32],
    out: &[f32],
    (q, k, v): (&[f32], &[f32], &[f32]),
    offsets: &[usize],
    heads: Heads,
) {
    let rows = check(heads, offsets, q, k, v);
    let (qw, kw, dim) = (heads.query_width(), heads.key_value_width(), heads.dim);
    assert!(
        dq.len() >= rows * qw
            && dout.len() >= rows * qw
            && out.len() >= rows * qw
            && dk.len() >= rows * kw
            && dv.len() >= rows * kw,
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
        let kv_at = first * kw + group * dim;
        let block = QUERY_BLOCK.min(len);
        let mut p = vec![0f32; block * len];
        let mut ds = vec![0f32; block * len];
        for h in 0..group_size {
            let q_at = first * qw + (group * group_size + h) * dim;
            for (start, end) in blocks(len) {
                let n = end - start;
                let row_at = q_at + start * qw;
                // The first query block of all sees fewer keys than later ones, so zero what no
                // product has written yet.
                let fresh_from = if h == 0 { start } else { end };
                // SAFETY: `check` and the assertion above cover rows `first..first + len` of every
                // slice; the columns of one key head (and its query heads) of one sequence belong
                // to this task alone.
                unsafe {
                    for r in fresh_from..end {
                        std::slice::from_raw_parts_mut(dk.get().add(kv_at + r * kw), dim).fill(0.0);
                        std::slice::from_raw_parts_mut(dv.get().add(kv_at + r * kw), dim).fill(0.0);
                    }
                    let (qp, kp) = (q.as_ptr().add(q_at), k.as_ptr().add(kv_at));
                    probabilities(&mut p, (start, end), qp, kp, heads);
                    let d = Strided { data: dout.as_ptr().add(row_at), row: qw, col: 1 };
                    // dV += Pᵀ · dout
                    raw(
                        (end, dim, n),
                        dv.get().add(kv_at),
                        kw,
                        Strided { data: p.as_ptr(), row: 1, col: end },
                        d,
                        1.0,
                        true,
                        Parallelism::None,
                    );
                    // dP = dout · Vᵀ
                    raw(
                        (n, end, dim),
                        ds.as_mut_ptr(),
                        end,
                        d,
                        Strided { data: v.as_ptr().add(kv_at), row: 1, col: kw },
                        1.0,
                        false,
                        Parallelism::None,
                    );
                }
                for i in 0..n {
                    let at = row_at + i * qw;
                    let delta = math::dot(&dout[at..at + dim], &out[at..at + dim]);
                    let ds = &mut ds[i * end..(i + 1) * end];
                    for (ds, p) in ds.iter_mut().zip(&p[i * end..(i + 1) * end]) {
                        *ds = p * (*ds - delta);
                    }
                }
                // SAFETY: as above.
                unsafe {
                    // dQ = dS · K / √dim
                    raw(
                        (n, dim, end),
                        dq.get().add(row_at),
                        qw,
                        Strided { data: ds.as_ptr(), row: end, col: 1 },
                        Strided { data: k.as_ptr().add(kv_at), row: kw, col: 1 },
                        heads.scale(),
                        false,
                        Parallelism::None,
                    );
                    // dK += dSᵀ · Q / √dim
                    raw(
                        (end, dim, n),
                        dk.get().add(kv_at),
                        kw,
                        Strided { data: ds.as_ptr(), row: 1, col: end },
                        Strided { data: q.as_ptr().add(row_at), row: qw, col: 1 },
                        heads.scale(),
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

/// Attention of one new token: `q` against `len` cached keys and values of `[len, key_value_width]`.
/// `scores` is a buffer of at least `query * len` values.
pub fn decode(out: &mut [f32], q: &[f32], k: &[f32], v: &[f32], len: usize, heads: Heads) {
    let (kw, dim) = (heads.key_value_width(), heads.dim);
    let group_size = heads.query / heads.key_value;
    let scale = heads.scale();
    out[..heads.query_width()].par_chunks_mut(dim).enumerate().for_each(|(h, out)| {
        let at = h / group_size * dim;
        let q = &q[h * dim..(h + 1) * dim];
        let mut p: Vec<f32> =
            (0..len).map(|t| math::dot(q, &k[t * kw + at..][..dim]) * scale).collect();
        math::softmax(&mut p);
        out.fill(0.0);
        for (t, p) in p.iter().enumerate() {
            add_scaled(out, &v[t * kw + at..][..dim], *p);
        }
    });
}

super::simd! {
    fn add_scaled(out: &mut [f32], x: &[f32], s: f32) {
        for (o, x) in out.iter_mut().zip(x) {
            *o += x * s;
        }
    }
}
