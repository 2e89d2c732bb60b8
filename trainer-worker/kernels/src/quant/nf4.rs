//! Four-bit NormalFloat with double quantisation (QLoRA: Dettmers et al., 2023), in the layout of
//! bitsandbytes: blocks of 64 values in row-major order, the greatest magnitude of each block, two
//! codes a byte with the first value in the high nibble.

use crate::simd;
use rayon::prelude::*;
use std::sync::LazyLock;

/// Values in a block.
pub const BLOCK: usize = 64;
/// Block magnitudes in a block of the second quantisation.
pub const SECOND_BLOCK: usize = 256;

/// The 16 values of NF4, ascending: quantiles of the normal distribution scaled to ±1
/// (QLoRA, appendix E).
#[allow(clippy::excessive_precision)]
pub const VALUES: [f32; 16] = [
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
];

/// The signed dynamic map of 256 values (Dettmers et al., 2021, "8-bit Optimizers via Block-wise
/// Quantization"): seven decades below 1, each with twice the steps of the one below.
pub static DYNAMIC_MAP: LazyLock<[f32; 256]> = LazyLock::new(|| {
    let mut map = Vec::with_capacity(256);
    for decade in 0..7usize {
        let steps = 1usize << decade;
        let scale = 10f64.powi(decade as i32 - 6) as f32;
        // The interval from 0.1 to 1 in equal steps, counted from the nearer end and rounded once,
        // as PyTorch's `linspace` does.
        let step = f64::from((1.0f32 - 0.1) / steps as f32);
        let boundary = |i: usize| {
            if i < steps.div_ceil(2) {
                (f64::from(0.1f32) + step * i as f64) as f32
            } else {
                (1.0 - step * (steps - i) as f64) as f32
            }
        };
        for i in 0..steps {
            let mean = (boundary(i) + boundary(i + 1)) / 2.0;
            map.push(scale * mean);
            map.push(-scale * mean);
        }
    }
    map.push(0.0);
    map.push(1.0);
    map.sort_by(f32::total_cmp);
    // 2 · (1 + 2 + … + 64) values, 0 and 1.
    std::array::from_fn(|i| map.get(i).copied().unwrap_or(0.0))
});

/// The greatest magnitudes of all blocks.
#[derive(Debug, Clone, PartialEq)]
pub enum Magnitudes {
    /// As they are.
    Plain(Vec<f32>),
    /// Quantised again: `DYNAMIC_MAP[code] * scale + offset`.
    Double {
        /// One code a block.
        codes: Vec<u8>,
        /// One scale for each [`SECOND_BLOCK`] codes.
        scales: Vec<f32>,
        /// The mean magnitude, subtracted before the second quantisation.
        offset: f32,
    },
}

impl Magnitudes {
    /// The magnitude of a block.
    #[inline]
    pub fn at(&self, block: usize) -> f32 {
        match self {
            Self::Plain(values) => values[block],
            Self::Double { codes, scales, offset } => {
                DYNAMIC_MAP[usize::from(codes[block])] * scales[block / SECOND_BLOCK] + offset
            }
        }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Plain(values) => values.len() * 4,
            Self::Double { codes, scales, .. } => codes.len() + scales.len() * 4 + 4,
        }
    }
}

/// A tensor in NF4.
#[derive(Debug, Clone, PartialEq)]
pub struct Nf4 {
    /// Two codes a byte; an odd last value leaves the low nibble at the code of 0.
    pub codes: Vec<u8>,
    /// Magnitudes of the blocks.
    pub magnitudes: Magnitudes,
    /// Number of values.
    pub len: usize,
}

fn greatest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |m, v| if v.abs() > m { v.abs() } else { m })
}

/// The code of the value nearest to `x`; of two equally near ones the lower.
fn code(x: f32) -> u8 {
    VALUES.windows(2).filter(|w| x > (w[0] + w[1]) / 2.0).count() as u8
}

fn dynamic_code(x: f32) -> u8 {
    let map = &*DYNAMIC_MAP;
    let above = map.partition_point(|v| *v <= x);
    let low = above.saturating_sub(1);
    match map.get(low + 1) {
        Some(high) if (x - high).abs() < (x - map[low]).abs() => low as u8 + 1,
        _ => low as u8,
    }
}

impl Nf4 {
    /// Quantises finite values.
    pub fn quantise(values: &[f32], double_quant: bool) -> Self {
        let mut codes = vec![0u8; values.len().div_ceil(2)];
        let mut magnitudes = vec![0f32; values.len().div_ceil(BLOCK)];
        codes
            .par_chunks_mut(BLOCK / 2)
            .zip(magnitudes.par_iter_mut())
            .zip(values.par_chunks(BLOCK))
            .for_each(|((codes, magnitude), values)| {
                *magnitude = greatest(values);
                let inverse = 1.0 / magnitude.max(1e-38);
                let code = |v: &f32| code((v * inverse).clamp(-1.0, 1.0));
                for (c, pair) in codes.iter_mut().zip(values.chunks(2)) {
                    *c = code(&pair[0]) << 4 | pair.get(1).map_or(7, code);
                }
            });
        let magnitudes = if double_quant {
            let sum: f64 = magnitudes.iter().map(|m| f64::from(*m)).sum();
            let offset = (sum / magnitudes.len().max(1) as f64) as f32;
            let mut scales = Vec::new();
            let mut codes = Vec::with_capacity(magnitudes.len());
            for block in magnitudes.chunks(SECOND_BLOCK) {
                let centred: Vec<f32> = block.iter().map(|m| m - offset).collect();
                let scale = greatest(&centred);
                let of = |v: &f32| if scale > 0.0 { dynamic_code(v / scale) } else { 127 };
                codes.extend(centred.iter().map(of));
                scales.push(scale);
            }
            Magnitudes::Double { codes, scales, offset }
        } else {
            Magnitudes::Plain(magnitudes)
        };
        Self { codes, magnitudes, len: values.len() }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.codes.len() + self.magnitudes.bytes()
    }

    /// Dequantises values `first..first + out.len()`.
    pub fn dequantise(&self, out: &mut [f32], first: usize) {
        assert!(first + out.len() <= self.len, "values lie within the tensor");
        let mut done = 0;
        while done < out.len() {
            let at = first + done;
            let (block, within) = (at / BLOCK, at % BLOCK);
            let n = (BLOCK - within).min(out.len() - done);
            let magnitude = self.magnitudes.at(block);
            let out = &mut out[done..done + n];
            match (self.codes[at / 2..].first_chunk::<{ BLOCK / 2 }>(), out.first_chunk_mut()) {
                (Some(codes), Some(out)) if within == 0 => whole_block(out, codes, magnitude),
                _ => {
                    for (i, y) in out.iter_mut().enumerate() {
                        let pair = self.codes[(at + i) / 2];
                        let code = if (at + i).is_multiple_of(2) { pair >> 4 } else { pair & 15 };
                        *y = VALUES[usize::from(code)] * magnitude;
                    }
                }
            }
            done += n;
        }
    }
}

#[inline]
fn whole_block(out: &mut [f32; BLOCK], codes: &[u8; BLOCK / 2], magnitude: f32) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU was just asked whether it has AVX2.
        return unsafe { x86::whole_block(out, codes, magnitude) };
    }
    portable(out, codes, magnitude);
}

simd! {
    fn portable(out: &mut [f32; BLOCK], codes: &[u8; BLOCK / 2], magnitude: f32) {
        for (pair, code) in out.chunks_exact_mut(2).zip(codes) {
            pair[0] = VALUES[usize::from(code >> 4)] * magnitude;
            pair[1] = VALUES[usize::from(code & 15)] * magnitude;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{BLOCK, VALUES};
    use std::arch::x86_64::*;

    /// The same products as the portable version; the table lies in two registers.
    #[target_feature(enable = "avx2")]
    pub(super) fn whole_block(out: &mut [f32; BLOCK], codes: &[u8; BLOCK / 2], magnitude: f32) {
        // SAFETY: eight values are read from each half of the table of 16; every iteration reads
        // 4 of 32 code bytes and writes 8 of 64 values.
        unsafe {
            let scale = _mm256_set1_ps(magnitude);
            let low = _mm256_mul_ps(_mm256_loadu_ps(VALUES.as_ptr()), scale);
            let high = _mm256_mul_ps(_mm256_loadu_ps(VALUES.as_ptr().add(8)), scale);
            // Lane 2i takes the high nibble of byte i, lane 2i + 1 its low nibble.
            let shifts = _mm256_setr_epi32(4, 0, 12, 8, 20, 16, 28, 24);
            for i in 0..8 {
                let four = codes.as_ptr().add(4 * i).cast::<i32>().read_unaligned();
                let index = _mm256_srlv_epi32(_mm256_set1_epi32(four), shifts);
                let a = _mm256_permutevar8x32_ps(low, index);
                let b = _mm256_permutevar8x32_ps(high, index);
                let upper = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));
                _mm256_storeu_ps(out.as_mut_ptr().add(8 * i), _mm256_blendv_ps(a, b, upper));
            }
        }
    }
}
