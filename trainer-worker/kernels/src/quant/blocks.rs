//! The block formats of GGUF files and their dequantisation.
//!
//! Layouts and formulas follow ggml's reference (`ggml-quants.c`, `block_q4_0` and so on): a block
//! holds 32 values (256 for the K types) and one or two half-precision scales. Each value is
//! rounded exactly as there, so dequantised weights do not depend on who dequantised them.

use crate::simd;

/// How a tensor's values are stored in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockType {
    /// 32-bit floating point.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a 32-bit floating point number.
    BF16,
    /// 4 bits: `d * (q - 8)`.
    Q4_0,
    /// 4 bits: `d * q + m`.
    Q4_1,
    /// 5 bits: `d * (q - 16)`.
    Q5_0,
    /// 5 bits: `d * q + m`.
    Q5_1,
    /// 8 bits: `d * q`.
    Q8_0,
    /// 2 bits with a 4-bit scale and minimum for each 16 values.
    Q2K,
    /// 3 bits with a 6-bit scale for each 16 values.
    Q3K,
    /// 4 bits with a 6-bit scale and minimum for each 32 values.
    Q4K,
    /// 5 bits with a 6-bit scale and minimum for each 32 values.
    Q5K,
    /// 6 bits with an 8-bit scale for each 16 values.
    Q6K,
}

impl BlockType {
    /// All types.
    pub const ALL: [Self; 13] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q2K,
        Self::Q3K,
        Self::Q4K,
        Self::Q5K,
        Self::Q6K,
    ];

    /// The type of a code in a GGUF header (`enum ggml_type`); `None` for those not known here.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.code() == code)
    }

    /// Its code in a GGUF header.
    pub fn code(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q4_1 => 3,
            Self::Q5_0 => 6,
            Self::Q5_1 => 7,
            Self::Q8_0 => 8,
            Self::Q2K => 10,
            Self::Q3K => 11,
            Self::Q4K => 12,
            Self::Q5K => 13,
            Self::Q6K => 14,
            Self::BF16 => 30,
        }
    }

    /// Values in a block.
    pub fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q2K => 84,
            Self::Q3K => 110,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// Bytes of `len` values; `None` unless they fill whole blocks.
    pub fn bytes_for(self, len: usize) -> Option<usize> {
        len.is_multiple_of(self.block_len())
            .then(|| (len / self.block_len()).checked_mul(self.block_bytes()))
            .flatten()
    }

    /// Dequantises whole blocks from `bytes` into `out`.
    pub fn dequantise(self, out: &mut [f32], bytes: &[u8]) {
        assert_eq!(
            Some(bytes.len()),
            self.bytes_for(out.len()),
            "bytes of {self:?} for all values"
        );
        match self {
            Self::F32 => f32s(out, bytes),
            Self::F16 => f16s(out, bytes),
            Self::BF16 => bf16s(out, bytes),
            Self::Q4_0 => q4_0(out, bytes),
            Self::Q4_1 => q4_1(out, bytes),
            Self::Q5_0 => q5_0(out, bytes),
            Self::Q5_1 => q5_1(out, bytes),
            Self::Q8_0 => q8_0(out, bytes),
            Self::Q2K => q2k(out, bytes),
            Self::Q3K => q3k(out, bytes),
            Self::Q4K => q4k(out, bytes),
            Self::Q5K => q5k(out, bytes),
            Self::Q6K => q6k(out, bytes),
        }
    }
}

/// The value of an IEEE half-precision number, exact for all of them, without a branch.
#[inline(always)]
pub fn half(bits: u16) -> f32 {
    let bits = u32::from(bits);
    // Exponent and mantissa at their place in an f32 whose bias is too small by 112.
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((112 + 127) << 23);
    let special = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude.to_bits() | special | (bits & 0x8000) << 16)
}

#[inline(always)]
fn half_at<const N: usize>(block: &[u8; N], at: usize) -> f32 {
    half(u16::from_le_bytes([block[at], block[at + 1]]))
}

simd! {
    fn f32s(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *y = f32::from_le_bytes(*b);
        }
    }
}

simd! {
    fn f16s(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *y = half(u16::from_le_bytes(*b));
        }
    }
}

simd! {
    fn bf16s(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *y = f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16);
        }
    }
}

simd! {
    fn q4_0(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<32>().0.iter_mut().zip(bytes.as_chunks::<18>().0) {
            let d = half_at(b, 0);
            for j in 0..16 {
                y[j] = (i32::from(b[2 + j] & 15) - 8) as f32 * d;
            }
            for j in 0..16 {
                y[j + 16] = (i32::from(b[2 + j] >> 4) - 8) as f32 * d;
            }
        }
    }
}

simd! {
    fn q4_1(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<32>().0.iter_mut().zip(bytes.as_chunks::<20>().0) {
            let (d, m) = (half_at(b, 0), half_at(b, 2));
            for j in 0..16 {
                y[j] = f32::from(b[4 + j] & 15) * d + m;
            }
            for j in 0..16 {
                y[j + 16] = f32::from(b[4 + j] >> 4) * d + m;
            }
        }
    }
}

simd! {
    fn q5_0(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<32>().0.iter_mut().zip(bytes.as_chunks::<22>().0) {
            let d = half_at(b, 0);
            let high = u32::from_le_bytes([b[2], b[3], b[4], b[5]]);
            for j in 0..16 {
                let q = i32::from(b[6 + j]);
                let (h0, h1) = ((high >> j & 1) as i32, (high >> (j + 16) & 1) as i32);
                y[j] = ((q & 15 | h0 << 4) - 16) as f32 * d;
                y[j + 16] = ((q >> 4 | h1 << 4) - 16) as f32 * d;
            }
        }
    }
}

simd! {
    fn q5_1(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<32>().0.iter_mut().zip(bytes.as_chunks::<24>().0) {
            let (d, m) = (half_at(b, 0), half_at(b, 2));
            let high = u32::from_le_bytes([b[4], b[5], b[6], b[7]]);
            for j in 0..16 {
                let q = i32::from(b[8 + j]);
                let (h0, h1) = ((high >> j & 1) as i32, (high >> (j + 16) & 1) as i32);
                y[j] = (q & 15 | h0 << 4) as f32 * d + m;
                y[j + 16] = (q >> 4 | h1 << 4) as f32 * d + m;
            }
        }
    }
}

simd! {
    fn q8_0(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<32>().0.iter_mut().zip(bytes.as_chunks::<34>().0) {
            let d = half_at(b, 0);
            for j in 0..32 {
                y[j] = f32::from(b[2 + j] as i8) * d;
            }
        }
    }
}

simd! {
    fn q2k(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<256>().0.iter_mut().zip(bytes.as_chunks::<84>().0) {
            let (d, min) = (half_at(b, 80), half_at(b, 82));
            for part in 0..16 {
                let scale = b[part];
                let (dl, ml) = (d * f32::from(scale & 15), min * f32::from(scale >> 4));
                // 128 values share 32 bytes: two bits of each for every 32 values.
                let at = 16 + part / 8 * 32 + part % 2 * 16;
                let shift = part % 8 / 2 * 2;
                for j in 0..16 {
                    y[part * 16 + j] = dl * f32::from(b[at + j] >> shift & 3) - ml;
                }
            }
        }
    }
}

simd! {
    fn q3k(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<256>().0.iter_mut().zip(bytes.as_chunks::<110>().0) {
            let d = half_at(b, 108);
            for part in 0..16 {
                // Six bits: four in the low or high half of one byte, two in another.
                let low = b[96 + part % 8] >> (part / 8 * 4) & 15;
                let high = b[104 + part % 4] >> (part / 4 * 2) & 3;
                let dl = d * (f32::from(low | high << 4) - 32.0);
                let at = 32 + part / 8 * 32 + part % 2 * 16;
                let shift = part % 8 / 2 * 2;
                let bit = part / 2;
                for j in 0..16 {
                    let h = i32::from(b[part % 2 * 16 + j] >> bit & 1);
                    let q = i32::from(b[at + j] >> shift & 3) - 4 + 4 * h;
                    y[part * 16 + j] = dl * q as f32;
                }
            }
        }
    }
}

/// The 6-bit scale and minimum of 32-value part `j` of a Q4K or Q5K block from its 12 bytes.
#[inline(always)]
pub(super) fn scale_min(scales: &[u8; 12], j: usize) -> (u8, u8) {
    if j < 4 {
        (scales[j] & 63, scales[j + 4] & 63)
    } else {
        (scales[j + 4] & 15 | scales[j - 4] >> 6 << 4, scales[j + 4] >> 4 | scales[j] >> 6 << 4)
    }
}

#[inline(always)]
pub(super) fn scales_at<const N: usize>(block: &[u8; N], at: usize) -> [u8; 12] {
    std::array::from_fn(|i| block[at + i])
}

simd! {
    fn q4k(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<256>().0.iter_mut().zip(bytes.as_chunks::<144>().0) {
            let (d, min) = (half_at(b, 0), half_at(b, 2));
            let scales = scales_at(b, 4);
            for pair in 0..4 {
                let (s0, m0) = scale_min(&scales, pair * 2);
                let (s1, m1) = scale_min(&scales, pair * 2 + 1);
                let (d0, m0) = (d * f32::from(s0), min * f32::from(m0));
                let (d1, m1) = (d * f32::from(s1), min * f32::from(m1));
                for j in 0..32 {
                    let q = i32::from(b[16 + pair * 32 + j]);
                    y[pair * 64 + j] = d0 * (q & 15) as f32 - m0;
                    y[pair * 64 + 32 + j] = d1 * (q >> 4) as f32 - m1;
                }
            }
        }
    }
}

simd! {
    fn q5k(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<256>().0.iter_mut().zip(bytes.as_chunks::<176>().0) {
            let (d, min) = (half_at(b, 0), half_at(b, 2));
            let scales = scales_at(b, 4);
            for pair in 0..4 {
                let (s0, m0) = scale_min(&scales, pair * 2);
                let (s1, m1) = scale_min(&scales, pair * 2 + 1);
                let (d0, m0) = (d * f32::from(s0), min * f32::from(m0));
                let (d1, m1) = (d * f32::from(s1), min * f32::from(m1));
                for j in 0..32 {
                    let q = i32::from(b[48 + pair * 32 + j]);
                    let high = i32::from(b[16 + j]);
                    let (h0, h1) = (high >> (pair * 2) & 1, high >> (pair * 2 + 1) & 1);
                    y[pair * 64 + j] = d0 * (q & 15 | h0 << 4) as f32 - m0;
                    y[pair * 64 + 32 + j] = d1 * (q >> 4 | h1 << 4) as f32 - m1;
                }
            }
        }
    }
}

simd! {
    fn q6k(out: &mut [f32], bytes: &[u8]) {
        for (y, b) in out.as_chunks_mut::<256>().0.iter_mut().zip(bytes.as_chunks::<210>().0) {
            let d = half_at(b, 208);
            for side in 0..2 {
                let low: [u8; 64] = std::array::from_fn(|i| b[side * 64 + i]);
                let high: [u8; 32] = std::array::from_fn(|i| b[128 + side * 32 + i]);
                let mut codes = [0u8; 128];
                for j in 0..32 {
                    codes[j] = low[j] & 15 | (high[j] & 3) << 4;
                    codes[j + 32] = low[j + 32] & 15 | (high[j] >> 2 & 3) << 4;
                    codes[j + 64] = low[j] >> 4 | (high[j] >> 4 & 3) << 4;
                    codes[j + 96] = low[j + 32] >> 4 | (high[j] >> 6) << 4;
                }
                for part in 0..8 {
                    let scale = d * f32::from(b[192 + side * 8 + part] as i8);
                    for j in 0..16 {
                        let q = i32::from(codes[part * 16 + j]) - 32;
                        y[side * 128 + part * 16 + j] = scale * q as f32;
                    }
                }
            }
        }
    }
}
