//! Inner products of several rows with several rows. The lanes of each product lie in registers of
//! their own; those of many products are folded together, in the order in which one is alone.

use crate::quant::packed::GROUP;
use std::arch::x86_64::*;

/// Lanes of [`math::dot`](crate::math::dot).
const LANES: usize = crate::math::LANES;
/// Lanes of a score.
const SCORE_LANES: usize = 16;
/// Rows of the weight whose lanes are kept in registers at once.
const ROWS: usize = 4;

/// Up to 16 rows of a weight.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    w: &'a [f32],
    cols: usize,
    count: usize,
}

impl<'a> Rows<'a> {
    /// `None` where there is no value.
    pub(super) fn new(w: &'a [f32], cols: usize) -> Option<Self> {
        let count = w.len().checked_div(cols)?.min(GROUP);
        (count > 0).then(|| Self { w: &w[..count * cols], cols, count })
    }

    /// Where each begins; the last stands for those that are missing.
    fn starts(&self) -> [*const f32; GROUP] {
        std::array::from_fn(|i| self.w[i.min(self.count - 1) * self.cols..].as_ptr())
    }
}

/// A query and rows of keys, as [`score`](super::score) takes them.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) q: &'a [f32],
    pub(super) k: &'a [f32],
    pub(super) stride: usize,
    pub(super) scale: f32,
}

impl Keys<'_> {
    /// Where `N` keys from `first` on begin, of `count`; the last stands for those that are missing.
    fn starts<const N: usize>(&self, first: usize, count: usize) -> [*const f32; N] {
        let last = &self.k[(count - 1) * self.stride..];
        assert!(last.len() >= self.q.len(), "every key is as long as the query");
        std::array::from_fn(|t| {
            self.k.as_ptr().wrapping_add((first + t).min(count - 1) * self.stride)
        })
    }
}

/// Rows of inputs that are `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) x: &'a [f32],
    pub(super) stride: usize,
}

impl Inputs<'_> {
    /// Where `T` rows from `first` on begin, each `cols` long.
    fn starts<const T: usize>(&self, first: usize, cols: usize) -> [*const f32; T] {
        std::array::from_fn(|t| self.x[(first + t) * self.stride..][..cols].as_ptr())
    }
}

/// Inputs from which on the rows of the weight to come are fetched while these are multiplied.
const FETCH_AHEAD: usize = 8;

/// [`group_dots`](super::group_dots) with registers of 16 lanes: a few rows of the weight stay in the
/// nearest cache while all inputs go by.
///
/// # Safety
/// The CPU must have AVX-512 (F and DQ).
pub(super) unsafe fn dots_avx512(sums: &mut [[f32; GROUP]], rows: Rows<'_>, x: Inputs<'_>) {
    let starts = rows.starts();
    for first in (0..rows.count).step_by(ROWS) {
        let panel = Panel { first, w: std::array::from_fn(|i| starts[first + i]), cols: rows.cols };
        let mut ahead = Ahead::new(starts[first].wrapping_add(ROWS * rows.cols), sums.len(), rows);
        let mut t = 0;
        while t < sums.len() {
            ahead.fetch(t);
            let (sums, cols) = (&mut sums[t..], rows.cols);
            // SAFETY: each tile gets inputs of `cols` values; the caller vouches for the CPU.
            t += unsafe {
                match sums.len() {
                    1 => tile_avx512::<1>(sums, panel, x.starts(t, cols)),
                    2 | 4 => tile_avx512::<2>(sums, panel, x.starts(t, cols)),
                    _ => tile_avx512::<3>(sums, panel, x.starts(t, cols)),
                }
            };
        }
    }
}

/// Rows of the weight that are multiplied together: those from `first` on of their group.
#[derive(Clone, Copy)]
struct Panel {
    first: usize,
    w: [*const f32; ROWS],
    cols: usize,
}

/// The rows behind a panel, fetched from memory evenly over the panel's inputs.
struct Ahead {
    from: *const f32,
    values: usize,
    inputs: usize,
    fetched: usize,
}

impl Ahead {
    fn new(from: *const f32, inputs: usize, rows: Rows<'_>) -> Self {
        let values = if inputs < FETCH_AHEAD { 0 } else { ROWS * rows.cols };
        Self { from, values, inputs, fetched: 0 }
    }

    /// What is due before input `t`. It may lie behind the weight's end: nothing comes of that.
    fn fetch(&mut self, t: usize) {
        let due = self.values * (t + 1) / self.inputs;
        while self.fetched < due {
            // SAFETY: a prefetch reads nothing; it may be given any address.
            unsafe {
                _mm_prefetch::<_MM_HINT_T1>(self.from.wrapping_add(self.fetched).cast());
            }
            self.fetched += 16;
        }
    }
}

/// The products of a panel with `T` inputs into the first of `sums`; gives `T`.
///
/// # Safety
/// The CPU must have AVX-512 (F and DQ), each of `x` must be valid for `panel.cols` values.
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn tile_avx512<const T: usize>(
    sums: &mut [[f32; GROUP]],
    panel: Panel,
    x: [*const f32; T],
) -> usize {
    let Panel { first, w, cols } = panel;
    let mut halves = [[[_mm512_setzero_ps(); ROWS]; T]; 2];
    let whole = cols / LANES * LANES;
    // SAFETY: nothing is read behind the rows' ends.
    unsafe {
        for at in (0..whole).step_by(LANES) {
            for (half, sums) in halves.iter_mut().enumerate() {
                let from = at + half * 16;
                let w = w.map(|w| _mm512_loadu_ps(w.add(from)));
                add_products(sums, w, x.map(|x| _mm512_loadu_ps(x.add(from))));
            }
        }
        if whole < cols {
            for (half, sums) in halves.iter_mut().enumerate() {
                let from = whole + half * 16;
                let mask = mask16(cols.saturating_sub(from));
                let w = w.map(|w| _mm512_maskz_loadu_ps(mask, w.wrapping_add(from)));
                let x = x.map(|x| _mm512_maskz_loadu_ps(mask, x.wrapping_add(from)));
                add_products(sums, w, x);
            }
        }
    }
    let [low, high] = &halves;
    let mut lanes = [_mm512_setzero_ps(); 16];
    for (lanes, (low, high)) in lanes.chunks_exact_mut(ROWS).zip(low.iter().zip(high)) {
        for i in 0..ROWS {
            lanes[i] = _mm512_add_ps(low[i], high[i]);
        }
    }
    let mut folded = [0f32; 16];
    // SAFETY: `folded` holds 16 values.
    unsafe { _mm512_storeu_ps(folded.as_mut_ptr(), fold16(lanes)) }
    for (sums, folded) in sums.iter_mut().zip(folded.chunks_exact(ROWS)).take(T) {
        sums[first..first + ROWS].copy_from_slice(folded);
    }
    T
}

/// `sums[t][i] += w[i] * x[t]`, rounded twice. What is read past a row's end is zeros, which change
/// no sum: none is -0.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn add_products<const T: usize>(sums: &mut [[__m512; ROWS]; T], w: [__m512; ROWS], x: [__m512; T]) {
    for (sums, x) in sums.iter_mut().zip(x) {
        for (sum, w) in sums.iter_mut().zip(w) {
            *sum = _mm512_add_ps(*sum, _mm512_mul_ps(w, x));
        }
    }
}

/// The first `count` of 16 lanes.
#[inline(always)]
fn mask16(count: usize) -> __mmask16 {
    ((1u32 << count.min(16)) - 1) as __mmask16
}

/// The sums of the 16 lanes of each register, lanes folded as 8, 4, 2, 1.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn fold16(lanes: [__m512; 16]) -> __m512 {
    let pair = |i: usize| (lanes[2 * i], lanes[2 * i + 1]);
    let eights: [__m512; 8] = std::array::from_fn(|i| {
        let (a, b) = pair(i);
        _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b))
    });
    let fours: [__m512; 4] = std::array::from_fn(|i| {
        let (a, b) = (eights[2 * i], eights[2 * i + 1]);
        _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b))
    });
    let twos: [__m512; 2] = std::array::from_fn(|i| {
        let (a, b) = (fours[2 * i], fours[2 * i + 1]);
        _mm512_add_ps(_mm512_shuffle_ps::<0x44>(a, b), _mm512_shuffle_ps::<0xee>(a, b))
    });
    let [a, b] = twos;
    let ones = _mm512_add_ps(_mm512_shuffle_ps::<0x88>(a, b), _mm512_shuffle_ps::<0xdd>(a, b));
    // A quarter now holds every fourth register's sum.
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_permutexvar_ps(order, ones)
}

/// [`score`](super::score), 16 keys at once.
///
/// # Safety
/// The CPU must have AVX-512 (F and DQ).
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn score_avx512(scores: &mut [f32], keys: Keys<'_>) {
    let (count, dim) = (scores.len(), keys.q.len());
    for (i, scores) in scores.chunks_mut(16).enumerate() {
        let k = keys.starts::<16>(i * 16, count);
        let mut lanes = [_mm512_setzero_ps(); 16];
        // SAFETY: nothing is read behind the ends of query and keys.
        unsafe {
            let whole = dim / SCORE_LANES * SCORE_LANES;
            for at in (0..whole).step_by(SCORE_LANES) {
                let q = _mm512_loadu_ps(keys.q.as_ptr().add(at));
                for (k, lanes) in k.iter().zip(&mut lanes) {
                    *lanes = _mm512_add_ps(*lanes, _mm512_mul_ps(q, _mm512_loadu_ps(k.add(at))));
                }
            }
            if whole < dim {
                let mask = mask16(dim - whole);
                let q = _mm512_maskz_loadu_ps(mask, keys.q.as_ptr().add(whole));
                for (k, lanes) in k.iter().zip(&mut lanes) {
                    let k = _mm512_maskz_loadu_ps(mask, k.add(whole));
                    *lanes = _mm512_add_ps(*lanes, _mm512_mul_ps(q, k));
                }
            }
        }
        let scaled = _mm512_mul_ps(_mm512_set1_ps(keys.scale), fold16(lanes));
        // SAFETY: as many values as `scores` holds.
        unsafe { _mm512_mask_storeu_ps(scores.as_mut_ptr(), mask16(scores.len()), scaled) }
    }
}

/// [`group_dots`](super::group_dots) with registers of 8 lanes.
///
/// # Safety
/// The CPU must have AVX2.
pub(super) unsafe fn dots_avx2(sums: &mut [[f32; GROUP]], rows: Rows<'_>, x: Inputs<'_>) {
    let (pairs, rest) = sums.as_chunks_mut::<2>();
    // SAFETY: each tile gets inputs of `cols` values; the caller vouches for the CPU.
    unsafe {
        for (i, sums) in pairs.iter_mut().enumerate() {
            tile_avx2::<2>(sums, rows, x.starts(i * 2, rows.cols));
        }
        if !rest.is_empty() {
            tile_avx2::<1>(rest, rows, x.starts(pairs.len() * 2, rows.cols));
        }
    }
}

/// # Safety
/// The CPU must have AVX2, each of `x` must be valid for `rows.cols` values.
#[target_feature(enable = "avx2")]
unsafe fn tile_avx2<const T: usize>(sums: &mut [[f32; GROUP]], rows: Rows<'_>, x: [*const f32; T]) {
    let starts = rows.starts();
    let mut lanes = [[_mm256_setzero_ps(); GROUP]; T];
    for first in (0..rows.count).step_by(ROWS) {
        let w: [*const f32; ROWS] = std::array::from_fn(|i| starts[first + i]);
        let mut quarters = [[[_mm256_setzero_ps(); ROWS]; T]; 4];
        for (quarter, sums) in quarters.iter_mut().enumerate() {
            let mut all = [[_mm256_setzero_ps(); ROWS]; T];
            for at in (quarter * 8..rows.cols).step_by(LANES) {
                let left = rows.cols - at;
                // SAFETY: nothing is read behind the rows' ends.
                unsafe {
                    let w = w.map(|w| load8(w.wrapping_add(at), left));
                    for (x, sums) in x.iter().zip(&mut all) {
                        let x = load8(x.wrapping_add(at), left);
                        for (w, sum) in w.iter().zip(sums) {
                            *sum = _mm256_add_ps(*sum, _mm256_mul_ps(*w, x));
                        }
                    }
                }
            }
            *sums = all;
        }
        let [a, b, c, d] = &quarters;
        for (t, lanes) in lanes.iter_mut().enumerate() {
            for i in 0..ROWS {
                let (low, high) =
                    (_mm256_add_ps(a[t][i], c[t][i]), _mm256_add_ps(b[t][i], d[t][i]));
                lanes[first + i] = _mm256_add_ps(low, high);
            }
        }
    }
    for (sums, lanes) in sums.iter_mut().zip(&lanes) {
        let (eights, _) = lanes.as_chunks::<8>();
        for (to, lanes) in sums.as_chunks_mut::<8>().0.iter_mut().zip(eights) {
            // SAFETY: `to` holds 8 values.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), fold8(*lanes)) }
        }
    }
}

/// Eight values, or as many as are left and zeros.
///
/// # Safety
/// `from` must be valid for these.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load8(from: *const f32, left: usize) -> __m256 {
    // SAFETY: as the caller vouches.
    unsafe {
        if left >= 8 {
            return _mm256_loadu_ps(from);
        }
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(left as i32), lanes))
    }
}

/// The sums of the 8 lanes of each register, lanes folded as 4, 2, 1.
#[target_feature(enable = "avx2")]
#[inline]
fn fold8(lanes: [__m256; 8]) -> __m256 {
    let fours: [__m256; 4] = std::array::from_fn(|i| {
        let (a, b) = (lanes[2 * i], lanes[2 * i + 1]);
        _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b))
    });
    let twos: [__m256; 2] = std::array::from_fn(|i| {
        let (a, b) = (fours[2 * i], fours[2 * i + 1]);
        _mm256_add_ps(_mm256_shuffle_ps::<0x44>(a, b), _mm256_shuffle_ps::<0xee>(a, b))
    });
    let [a, b] = twos;
    let ones = _mm256_add_ps(_mm256_shuffle_ps::<0x88>(a, b), _mm256_shuffle_ps::<0xdd>(a, b));
    // The lower half now holds the sums of even registers, the upper half those of odd ones.
    _mm256_permutevar8x32_ps(ones, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
}

/// [`score`](super::score), 8 keys at once.
///
/// # Safety
/// The CPU must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn score_avx2(scores: &mut [f32], keys: Keys<'_>) {
    let (count, dim) = (scores.len(), keys.q.len());
    for (i, scores) in scores.chunks_mut(8).enumerate() {
        let k = keys.starts::<8>(i * 8, count);
        let mut halves = [[_mm256_setzero_ps(); 8]; 2];
        for (half, lanes) in halves.iter_mut().enumerate() {
            let mut all = [_mm256_setzero_ps(); 8];
            for at in (half * 8..dim).step_by(SCORE_LANES) {
                // SAFETY: nothing is read behind the ends of query and keys.
                unsafe {
                    let q = load8(keys.q.as_ptr().wrapping_add(at), dim - at);
                    for (k, lanes) in k.iter().zip(&mut all) {
                        let k = load8(k.wrapping_add(at), dim - at);
                        *lanes = _mm256_add_ps(*lanes, _mm256_mul_ps(q, k));
                    }
                }
            }
            *lanes = all;
        }
        let [low, high] = &halves;
        let lanes = std::array::from_fn(|t| _mm256_add_ps(low[t], high[t]));
        let mut eight = [0f32; 8];
        // SAFETY: `eight` holds 8 values.
        unsafe {
            let scaled = _mm256_mul_ps(_mm256_set1_ps(keys.scale), fold8(lanes));
            _mm256_storeu_ps(eight.as_mut_ptr(), scaled);
        }
        scores.copy_from_slice(&eight[..scores.len()]);
    }
}
