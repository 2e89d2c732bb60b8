//! Attention, low-rank and inner products of rows, as a step of generation needs them: each row gets
//! the bits that it gets alone, by whatever instructions.

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
use crate::cpu::{instructions, Instructions};
use crate::quant::packed::GROUP;
use crate::{math, simd};

/// `sums[t][i] = w[i] · x[t]` for up to 16 rows of `w`, each of `cols` values, and rows of `x` that are
/// `stride` apart: every one is [`math::dot`], in whatever company. What `sums` hold for rows that are
/// not there is unspecified.
///
/// Not generic, so that it is compiled here, with all optimisations.
pub fn group_dots(sums: &mut [[f32; GROUP]], w: &[f32], cols: usize, x: &[f32], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        let rows = x86::Rows::new(w, cols);
        let x = x86::Inputs { x, stride };
        // SAFETY: `instructions` asked the CPU.
        match (instructions(), rows) {
            (Instructions::Avx512, Some(rows)) => {
                return unsafe { x86::dots_avx512(sums, rows, x) }
            }
            (Instructions::Avx2, Some(rows)) => return unsafe { x86::dots_avx2(sums, rows, x) },
            _ => {}
        }
    }
    for (i, w) in w.chunks_exact(cols.max(1)).take(GROUP).enumerate() {
        for (t, sums) in sums.iter_mut().enumerate() {
            sums[i] = math::dot(w, &x[t * stride..][..cols]);
        }
    }
}

simd! {
    /// `sums += Σ h[j] * b[j * width + at ..]`, 16 values.
    pub fn add_low_rank(sums: &mut [f32; GROUP], h: &[f32], b: &[f32], width: usize, at: usize) {
        for (j, h) in h.iter().enumerate() {
            if let Some(b) = b[j * width + at..].first_chunk::<GROUP>() {
                for (s, b) in sums.iter_mut().zip(b) {
                    *s += h * b;
                }
            }
        }
    }
}

/// `scores[t] = scale * q · k[t]` for rows of `k` that are `stride` apart.
pub fn score(scores: &mut [f32], q: &[f32], k: &[f32], stride: usize, scale: f32) {
    #[cfg(target_arch = "x86_64")]
    {
        let keys = x86::Keys { q, k, stride, scale };
        // SAFETY: `instructions` asked the CPU.
        match instructions() {
            Instructions::Avx512 => return unsafe { x86::score_avx512(scores, keys) },
            Instructions::Avx2 => return unsafe { x86::score_avx2(scores, keys) },
            Instructions::Portable => {}
        }
    }
    score_plain(scores, q, k, stride, scale);
}

simd! {
    /// [`score`] key by key.
    fn score_plain(scores: &mut [f32], q: &[f32], k: &[f32], stride: usize, scale: f32) {
        for (t, s) in scores.iter_mut().enumerate() {
            let k = &k[t * stride..][..q.len()];
            let mut lanes = [0f32; 16];
            let (q16, q_rest) = q.as_chunks::<16>();
            let (k16, k_rest) = k.as_chunks::<16>();
            for (q, k) in q16.iter().zip(k16) {
                for l in 0..16 {
                    lanes[l] += q[l] * k[l];
                }
            }
            for (l, (q, k)) in q_rest.iter().zip(k_rest).enumerate() {
                lanes[l] += q * k;
            }
            let mut width = 8;
            while width > 0 {
                for l in 0..width {
                    lanes[l] += lanes[l + width];
                }
                width /= 2;
            }
            *s = scale * lanes[0];
        }
    }
}

simd! {
    /// `out += Σ p[t] * v[t]` for rows of `v` that are `stride` apart: each element's chain of
    /// additions goes on where an earlier call left it.
    pub fn weigh(out: &mut [f32], p: &[f32], v: &[f32], stride: usize) {
        const WIDE: usize = 32;
        let (whole, rest) = out.as_chunks_mut::<WIDE>();
        let rest_at = whole.len() * WIDE;
        for (c, out) in whole.iter_mut().enumerate() {
            let mut sum = *out;
            for (t, p) in p.iter().enumerate() {
                if let Some(v) = v[t * stride + c * WIDE..].first_chunk::<WIDE>() {
                    for l in 0..WIDE {
                        sum[l] += p * v[l];
                    }
                }
            }
            *out = sum;
        }
        for (i, out) in rest.iter_mut().enumerate() {
            for (t, p) in p.iter().enumerate() {
                *out += p * v[t * stride + rest_at + i];
            }
        }
    }
}
