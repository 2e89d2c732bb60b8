//! The products of `product.rs` with AVX2 and with AVX-512 VNNI.

use super::activation::Activations;
use super::packed::{PackedKind, COLS, GROUP};
use super::product::{place, Kind};
use std::arch::x86_64::*;

/// Four activation codes as one number, for all lanes.
///
/// # Safety
/// Four bytes at `x` must be readable.
#[inline(always)]
unsafe fn four(x: *const i8) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { x.cast::<i32>().read_unaligned() }
}

/// # Safety
/// The CPU must have AVX-512 F, BW and VNNI; `bytes` must hold all blocks of a group and `x` the
/// tokens `token..token + T`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn tile_avx512<K: Kind, const T: usize>(
    bytes: &[u8],
    x: &Activations,
    token: usize,
) -> [[f32; GROUP]; T] {
    let blocks = x.cols() / COLS;
    let mut sums = [_mm512_setzero_ps(); T];
    // SAFETY: by the caller's promise all blocks lie within `bytes` and all tokens within `x`.
    unsafe {
        let base = bytes.as_ptr();
        let first = token * blocks;
        let highs = x.high.as_ptr().add(first * COLS);
        let lows = x.low.as_ptr().add(first * COLS);
        let scales = x.scales.as_ptr().add(first);
        let scaled = x.scaled_sums.as_ptr().add(first);
        let sums_of = x.sums.as_ptr().add(first);
        for block in 0..blocks {
            let (start, at) = place::<K>(block);
            let (start, at) = (base.add(start), base.add(at));
            let halves = |p: *const u8| _mm512_cvtph_ps(_mm256_loadu_si256(p.cast()));
            let small = |p: *const u8| _mm512_cvtepu8_epi32(_mm_loadu_si128(p.cast()));
            let weight = match K::KIND {
                PackedKind::Q4_0 | PackedKind::Q4_1 | PackedKind::Q8_0 => halves(at),
                PackedKind::Q4K => _mm512_mul_ps(halves(start), _mm512_cvtepi32_ps(small(at))),
                PackedKind::Q6K => halves(start),
            };
            let minimum = match K::KIND {
                PackedKind::Q4_1 => halves(at.add(32)),
                PackedKind::Q4K => {
                    let m = _mm512_cvtepi32_ps(small(at.add(16)));
                    _mm512_mul_ps(halves(start.add(32)), m)
                }
                _ => _mm512_setzero_ps(),
            };
            let w = codes_avx512::<K>(at);
            for (t, sum) in sums.iter_mut().enumerate() {
                let index = t * blocks + block;
                let (xh, xl) = (highs.add(index * COLS), lows.add(index * COLS));
                let dot4 = |from: usize| {
                    let mut high = _mm512_setzero_si512();
                    let mut low = _mm512_setzero_si512();
                    for (k, w) in w.iter().enumerate().skip(from).take(4) {
                        let x = _mm512_set1_epi32(four(xh.add(k * 4)));
                        high = _mm512_dpbusd_epi32(high, *w, x);
                        let x = _mm512_set1_epi32(four(xl.add(k * 4)));
                        low = _mm512_dpbusd_epi32(low, *w, x);
                    }
                    _mm512_add_epi32(_mm512_slli_epi32::<7>(high), low)
                };
                let [low_sum, high_sum] = *sums_of.add(index);
                let offset = |dot: __m512i, sum: i32| {
                    if K::OFFSET == 0 {
                        dot
                    } else {
                        _mm512_sub_epi32(dot, _mm512_set1_epi32(K::OFFSET * sum))
                    }
                };
                let dot = match K::KIND {
                    PackedKind::Q6K => {
                        let scale = |p: *const u8| _mm512_cvtepi8_epi32(_mm_loadu_si128(p.cast()));
                        _mm512_add_epi32(
                            _mm512_mullo_epi32(scale(at), offset(dot4(0), low_sum)),
                            _mm512_mullo_epi32(scale(at.add(16)), offset(dot4(4), high_sum)),
                        )
                    }
                    _ => offset(_mm512_add_epi32(dot4(0), dot4(4)), low_sum + high_sum),
                };
                let scale = _mm512_mul_ps(_mm512_set1_ps(*scales.add(index)), weight);
                let product = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(dot));
                *sum = _mm512_add_ps(*sum, product);
                if matches!(K::KIND, PackedKind::Q4_1 | PackedKind::Q4K) {
                    let m = _mm512_mul_ps(_mm512_set1_ps(*scaled.add(index)), minimum);
                    *sum = match K::KIND {
                        PackedKind::Q4K => _mm512_sub_ps(*sum, m),
                        _ => _mm512_add_ps(*sum, m),
                    };
                }
            }
        }
    }
    let mut out = [[0f32; GROUP]; T];
    for (out, sums) in out.iter_mut().zip(&sums) {
        // SAFETY: 16 values are written to an array of 16.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), *sums) };
    }
    out
}

/// The codes of a block: four columns of 16 rows in each register.
///
/// # Safety
/// The CPU must have AVX-512 F and BW; a whole block must lie at `at`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn codes_avx512<K: Kind>(at: *const u8) -> [__m512i; 8] {
    // SAFETY: by the caller's promise; offsets stay within the block's size.
    unsafe {
        let load = |at: *const u8| _mm512_loadu_si512(at.cast());
        let low = _mm512_set1_epi8(15);
        let mut w = [_mm512_setzero_si512(); 8];
        if matches!(K::KIND, PackedKind::Q8_0) {
            for (k, w) in w.iter_mut().enumerate() {
                *w = load(at.add(32 + k * 64));
            }
            return w;
        }
        let codes = if matches!(K::KIND, PackedKind::Q4_1) { at.add(64) } else { at.add(32) };
        for k in 0..4 {
            let both = load(codes.add(k * 64));
            w[k] = _mm512_and_si512(both, low);
            w[k + 4] = _mm512_and_si512(_mm512_srli_epi16::<4>(both), low);
        }
        if matches!(K::KIND, PackedKind::Q6K) {
            let bits = _mm512_set1_epi8(0x30);
            for side in 0..2 {
                let high = load(at.add(288 + side * 64));
                let w = &mut w[side * 4..side * 4 + 4];
                let add = |w: &mut __m512i, high| {
                    *w = _mm512_or_si512(*w, _mm512_and_si512(high, bits));
                };
                add(&mut w[0], _mm512_slli_epi16::<4>(high));
                add(&mut w[1], _mm512_slli_epi16::<2>(high));
                add(&mut w[2], high);
                add(&mut w[3], _mm512_srli_epi16::<2>(high));
            }
        }
        w
    }
}

/// # Safety
/// The CPU must have AVX2 and F16C; `bytes` must hold all blocks of a group and `x` the tokens
/// `token..token + T`.
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn tile_avx2<K: Kind, const T: usize>(
    bytes: &[u8],
    x: &Activations,
    token: usize,
) -> [[f32; GROUP]; T] {
    let blocks = x.cols() / COLS;
    let mut out = [[0f32; GROUP]; T];
    // SAFETY: by the caller's promise all blocks lie within `bytes` and all tokens within `x`.
    unsafe {
        let base = bytes.as_ptr();
        let first = token * blocks;
        let highs = x.high.as_ptr().add(first * COLS);
        let lows = x.low.as_ptr().add(first * COLS);
        let scales = x.scales.as_ptr().add(first);
        let scaled = x.scaled_sums.as_ptr().add(first);
        let sums_of = x.sums.as_ptr().add(first);
        // Eight rows at a time: each half of the group has half of every 64 bytes.
        for rows in 0..2 {
            let mut sums = [_mm256_setzero_ps(); T];
            for block in 0..blocks {
                let (start, at) = place::<K>(block);
                let (start, at) = (base.add(start), base.add(at));
                let halves =
                    |p: *const u8| _mm256_cvtph_ps(_mm_loadu_si128(p.add(rows * 16).cast()));
                let small =
                    |p: *const u8| _mm256_cvtepu8_epi32(_mm_loadl_epi64(p.add(rows * 8).cast()));
                let weight = match K::KIND {
                    PackedKind::Q4_0 | PackedKind::Q4_1 | PackedKind::Q8_0 => halves(at),
                    PackedKind::Q4K => _mm256_mul_ps(halves(start), _mm256_cvtepi32_ps(small(at))),
                    PackedKind::Q6K => halves(start),
                };
                let minimum = match K::KIND {
                    PackedKind::Q4_1 => halves(at.add(32)),
                    PackedKind::Q4K => {
                        let m = _mm256_cvtepi32_ps(small(at.add(16)));
                        _mm256_mul_ps(halves(start.add(32)), m)
                    }
                    _ => _mm256_setzero_ps(),
                };
                let w = codes_avx2::<K>(at, rows);
                for (t, sum) in sums.iter_mut().enumerate() {
                    let index = t * blocks + block;
                    let (xh, xl) = (highs.add(index * COLS), lows.add(index * COLS));
                    let ones = _mm256_set1_epi16(1);
                    let dot4 = |from: usize| {
                        let mut high = _mm256_setzero_si256();
                        let mut low = _mm256_setzero_si256();
                        for (k, w) in w.iter().enumerate().skip(from).take(4) {
                            let product = |x: __m256i| {
                                // Pairs of products must stay below 2^15: codes of 8 bits are
                                // taken with their sign on the other factor.
                                let pairs = if matches!(K::KIND, PackedKind::Q8_0) {
                                    let w = _mm256_xor_si256(*w, _mm256_set1_epi8(-128));
                                    _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w))
                                } else {
                                    _mm256_maddubs_epi16(*w, x)
                                };
                                _mm256_madd_epi16(pairs, ones)
                            };
                            let x = _mm256_set1_epi32(four(xh.add(k * 4)));
                            high = _mm256_add_epi32(high, product(x));
                            let x = _mm256_set1_epi32(four(xl.add(k * 4)));
                            low = _mm256_add_epi32(low, product(x));
                        }
                        _mm256_add_epi32(_mm256_slli_epi32::<7>(high), low)
                    };
                    let [low_sum, high_sum] = *sums_of.add(index);
                    let offset = |dot: __m256i, sum: i32| {
                        if K::OFFSET == 0 || matches!(K::KIND, PackedKind::Q8_0) {
                            dot
                        } else {
                            _mm256_sub_epi32(dot, _mm256_set1_epi32(K::OFFSET * sum))
                        }
                    };
                    let dot = match K::KIND {
                        PackedKind::Q6K => {
                            let scale = |p: *const u8| {
                                _mm256_cvtepi8_epi32(_mm_loadl_epi64(p.add(rows * 8).cast()))
                            };
                            _mm256_add_epi32(
                                _mm256_mullo_epi32(scale(at), offset(dot4(0), low_sum)),
                                _mm256_mullo_epi32(scale(at.add(16)), offset(dot4(4), high_sum)),
                            )
                        }
                        _ => offset(_mm256_add_epi32(dot4(0), dot4(4)), low_sum + high_sum),
                    };
                    let scale = _mm256_mul_ps(_mm256_set1_ps(*scales.add(index)), weight);
                    let product = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(dot));
                    *sum = _mm256_add_ps(*sum, product);
                    if matches!(K::KIND, PackedKind::Q4_1 | PackedKind::Q4K) {
                        let m = _mm256_mul_ps(_mm256_set1_ps(*scaled.add(index)), minimum);
                        *sum = match K::KIND {
                            PackedKind::Q4K => _mm256_sub_ps(*sum, m),
                            _ => _mm256_add_ps(*sum, m),
                        };
                    }
                }
            }
            for (out, sums) in out.iter_mut().zip(&sums) {
                _mm256_storeu_ps(out.as_mut_ptr().add(rows * 8), *sums);
            }
        }
    }
    out
}

/// The codes of a block: four columns of eight rows in each register.
///
/// # Safety
/// The CPU must have AVX2; a whole block must lie at `at`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn codes_avx2<K: Kind>(at: *const u8, rows: usize) -> [__m256i; 8] {
    // SAFETY: by the caller's promise; offsets stay within the block's size.
    unsafe {
        let load = |at: *const u8| _mm256_loadu_si256(at.add(rows * 32).cast());
        let low = _mm256_set1_epi8(15);
        let mut w = [_mm256_setzero_si256(); 8];
        if matches!(K::KIND, PackedKind::Q8_0) {
            for (k, w) in w.iter_mut().enumerate() {
                *w = load(at.add(32 + k * 64));
            }
            return w;
        }
        let codes = if matches!(K::KIND, PackedKind::Q4_1) { at.add(64) } else { at.add(32) };
        for k in 0..4 {
            let both = load(codes.add(k * 64));
            w[k] = _mm256_and_si256(both, low);
            w[k + 4] = _mm256_and_si256(_mm256_srli_epi16::<4>(both), low);
        }
        if matches!(K::KIND, PackedKind::Q6K) {
            let bits = _mm256_set1_epi8(0x30);
            for side in 0..2 {
                let high = load(at.add(288 + side * 64));
                let w = &mut w[side * 4..side * 4 + 4];
                let add = |w: &mut __m256i, high| {
                    *w = _mm256_or_si256(*w, _mm256_and_si256(high, bits));
                };
                add(&mut w[0], _mm256_slli_epi16::<4>(high));
                add(&mut w[1], _mm256_slli_epi16::<2>(high));
                add(&mut w[2], high);
                add(&mut w[3], _mm256_srli_epi16::<2>(high));
            }
        }
        w
    }
}
