//! The innermost loops of a matrix product: a tile of the result held in registers while one slice
//! of the summed dimension passes by.
//!
//! Every element of a tile is one chain `sum = fma(a, b, sum)` in ascending order of the summed
//! index, whatever the width of the registers, so all kernels here give the same bits.

use super::Strided;

/// Rows of the largest tile.
pub(super) const MAX_ROWS: usize = 8;
/// Vectors of the widest tile.
pub(super) const MAX_VECTORS: usize = 3;

/// One tile of the result and how it is written.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// First element.
    pub(super) data: *mut f32,
    /// Elements from a row to the next.
    pub(super) row: usize,
    /// Rows, 1 to [`MAX_ROWS`].
    pub(super) rows: usize,
    /// Columns that exist; at most the panel's width.
    pub(super) columns: usize,
    /// Factor on the sums.
    pub(super) scale: f32,
    /// Whether the scaled sums are added to what is there.
    pub(super) accumulate: bool,
    /// What the sums start from, laid out as the tile; null for zeros.
    pub(super) start: *const f32,
}

/// `k` rows of a panel of the right matrix, as wide as some whole vectors.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    /// First element.
    pub(super) data: *const f32,
    /// Elements from a row to the next.
    pub(super) row: usize,
    /// Width in vectors, 1 to [`MAX_VECTORS`].
    pub(super) vectors: usize,
}

/// A set of kernels: registers of `WIDTH` values.
pub(super) trait Kernels {
    /// Values a register.
    const WIDTH: usize;
    /// Rows of the tiles that keep all registers busy.
    const ROWS: usize;

    /// Computes `tile` from `k` columns of `lhs` and `k` rows of `panel`.
    ///
    /// # Safety
    /// The CPU must have the instructions. `lhs` must be valid for `tile.rows` rows and `k` columns,
    /// `panel` for `k` rows of `vectors * WIDTH` values, and the tile for its rows and columns; so
    /// must its `start` unless it is null.
    unsafe fn tile(tile: Tile, lhs: Strided, panel: Panel, k: usize);

    /// Lays `k` rows of `columns` columns of `rhs` out as a panel of `vectors` vectors at `out`,
    /// filled up with zeros.
    ///
    /// # Safety
    /// The CPU must have the instructions, `rhs` must be valid for the rows and columns, `out` for
    /// `k * vectors * WIDTH` values.
    unsafe fn pack(out: *mut f32, rhs: Strided, k: usize, columns: usize, vectors: usize);
}

/// Portable version of [`Kernels::pack`], also for strides that the others have no path for.
///
/// # Safety
/// As for [`Kernels::pack`].
unsafe fn pack_plain(out: *mut f32, rhs: Strided, k: usize, columns: usize, width: usize) {
    for p in 0..k {
        // SAFETY: `p < k` and `j < columns <= width` by the caller's promise.
        unsafe {
            let (to, from) = (out.add(p * width), rhs.data.add(p * rhs.row));
            if rhs.col == 1 {
                std::ptr::copy_nonoverlapping(from, to, columns);
            } else {
                for j in 0..columns {
                    *to.add(j) = *from.add(j * rhs.col);
                }
            }
            std::slice::from_raw_parts_mut(to.add(columns), width - columns).fill(0.0);
        }
    }
}

/// Calls `$kernel::<ROWS, VECTORS>` for the tile's size.
macro_rules! by_size {
    ($kernel:ident, $rows:expr, $vectors:expr, [$($r:literal)*], $args:tt) => {
        match ($rows, $vectors) {
            $(($r, 1) => $kernel::<$r, 1> $args,
            ($r, 2) => $kernel::<$r, 2> $args,
            ($r, 3) => $kernel::<$r, 3> $args,)*
            (rows, vectors) => unreachable!("no kernel for a tile of {rows} rows, {vectors} vectors"),
        }
    };
}

/// Without vector instructions of a known kind. `mul_add` is exact everywhere; where the CPU has no
/// fused multiplication it is slow.
pub(super) struct Portable;

const PORTABLE_WIDTH: usize = 8;

impl Kernels for Portable {
    const WIDTH: usize = PORTABLE_WIDTH;
    const ROWS: usize = 4;

    unsafe fn tile(tile: Tile, lhs: Strided, panel: Panel, k: usize) {
        unsafe fn kernel<const R: usize, const V: usize>(
            tile: Tile,
            lhs: Strided,
            panel: Panel,
            k: usize,
        ) {
            let mut sums = [[[0f32; PORTABLE_WIDTH]; V]; R];
            if !tile.start.is_null() {
                for (i, sums) in sums.iter_mut().enumerate() {
                    let sums = sums.as_flattened_mut().iter_mut().take(tile.columns);
                    for (j, sum) in sums.enumerate() {
                        // SAFETY: laid out as the tile by the caller's promise.
                        *sum = unsafe { *tile.start.add(i * tile.row + j) };
                    }
                }
            }
            for p in 0..k {
                for (i, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: within `lhs` and `panel` by the caller's promise.
                    unsafe {
                        let a = *lhs.data.add(i * lhs.row + p * lhs.col);
                        let b = panel.data.add(p * panel.row);
                        for (j, sum) in sums.as_flattened_mut().iter_mut().enumerate() {
                            *sum = a.mul_add(*b.add(j), *sum);
                        }
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                for (j, sum) in sums.as_flattened().iter().take(tile.columns).enumerate() {
                    // SAFETY: within the tile by the caller's promise.
                    unsafe {
                        let to = tile.data.add(i * tile.row + j);
                        *to = if tile.accumulate {
                            tile.scale.mul_add(*sum, *to)
                        } else {
                            tile.scale * *sum
                        };
                    }
                }
            }
        }
        // SAFETY: handed on from the caller.
        unsafe { by_size!(kernel, tile.rows, panel.vectors, [1 2 3 4], (tile, lhs, panel, k)) }
    }

    unsafe fn pack(out: *mut f32, rhs: Strided, k: usize, columns: usize, vectors: usize) {
        // SAFETY: handed on from the caller.
        unsafe { pack_plain(out, rhs, k, columns, vectors * Self::WIDTH) }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{pack_plain, Kernels, Panel, Strided, Tile};
    use std::arch::x86_64::*;

    /// AVX2 with FMA.
    pub(in super::super) struct Avx2;
    /// AVX-512F.
    pub(in super::super) struct Avx512;

    impl Kernels for Avx2 {
        const WIDTH: usize = 8;
        const ROWS: usize = 4;

        unsafe fn tile(tile: Tile, lhs: Strided, panel: Panel, k: usize) {
            #[target_feature(enable = "avx2,fma")]
            unsafe fn kernel<const R: usize, const V: usize>(
                tile: Tile,
                lhs: Strided,
                panel: Panel,
                k: usize,
            ) {
                // SAFETY: all reads and writes lie within what the caller vouches for.
                unsafe {
                    let mut sums = [[_mm256_setzero_ps(); V]; R];
                    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
                    if !tile.start.is_null() {
                        for (i, sums) in sums.iter_mut().enumerate() {
                            for (j, sum) in sums.iter_mut().enumerate() {
                                let left = tile.columns.saturating_sub(j * 8).min(8);
                                let from = tile.start.wrapping_add(i * tile.row + j * 8);
                                let left = _mm256_set1_epi32(left as i32);
                                *sum = _mm256_maskload_ps(from, _mm256_cmpgt_epi32(left, lanes));
                            }
                        }
                    }
                    let (mut a, mut b) = (lhs.data, panel.data);
                    for _ in 0..k {
                        let row: [__m256; V] =
                            std::array::from_fn(|j| _mm256_loadu_ps(b.add(j * 8)));
                        for (i, sums) in sums.iter_mut().enumerate() {
                            let a = _mm256_broadcast_ss(&*a.add(i * lhs.row));
                            for (sum, b) in sums.iter_mut().zip(row) {
                                *sum = _mm256_fmadd_ps(a, b, *sum);
                            }
                        }
                        a = a.wrapping_add(lhs.col);
                        b = b.wrapping_add(panel.row);
                    }
                    let scale = _mm256_set1_ps(tile.scale);
                    for (i, sums) in sums.iter().enumerate() {
                        for (j, sum) in sums.iter().enumerate() {
                            let left = tile.columns.saturating_sub(j * 8).min(8);
                            let to = tile.data.wrapping_add(i * tile.row + j * 8);
                            let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(left as i32), lanes);
                            let value = if tile.accumulate {
                                _mm256_fmadd_ps(scale, *sum, _mm256_maskload_ps(to, mask))
                            } else {
                                _mm256_mul_ps(scale, *sum)
                            };
                            _mm256_maskstore_ps(to, mask, value);
                        }
                    }
                }
            }
            // SAFETY: handed on from the caller.
            unsafe { by_size!(kernel, tile.rows, panel.vectors, [1 2 3 4], (tile, lhs, panel, k)) }
        }

        unsafe fn pack(out: *mut f32, rhs: Strided, k: usize, columns: usize, vectors: usize) {
            // SAFETY: handed on from the caller.
            unsafe { pack(out, rhs, k, columns, vectors * Self::WIDTH) }
        }
    }

    impl Kernels for Avx512 {
        const WIDTH: usize = 16;
        const ROWS: usize = 8;

        unsafe fn tile(tile: Tile, lhs: Strided, panel: Panel, k: usize) {
            #[target_feature(enable = "avx512f")]
            unsafe fn kernel<const R: usize, const V: usize>(
                tile: Tile,
                lhs: Strided,
                panel: Panel,
                k: usize,
            ) {
                // SAFETY: all reads and writes lie within what the caller vouches for.
                unsafe {
                    let mut sums = [[_mm512_setzero_ps(); V]; R];
                    if !tile.start.is_null() {
                        for (i, sums) in sums.iter_mut().enumerate() {
                            for (j, sum) in sums.iter_mut().enumerate() {
                                let left = tile.columns.saturating_sub(j * 16).min(16);
                                let from = tile.start.wrapping_add(i * tile.row + j * 16);
                                let mask = ((1u32 << left) - 1) as __mmask16;
                                *sum = _mm512_maskz_loadu_ps(mask, from);
                            }
                        }
                    }
                    let (mut a, mut b) = (lhs.data, panel.data);
                    for _ in 0..k {
                        let row: [__m512; V] =
                            std::array::from_fn(|j| _mm512_loadu_ps(b.add(j * 16)));
                        for (i, sums) in sums.iter_mut().enumerate() {
                            let a = _mm512_set1_ps(*a.add(i * lhs.row));
                            for (sum, b) in sums.iter_mut().zip(row) {
                                *sum = _mm512_fmadd_ps(a, b, *sum);
                            }
                        }
                        a = a.wrapping_add(lhs.col);
                        b = b.wrapping_add(panel.row);
                    }
                    let scale = _mm512_set1_ps(tile.scale);
                    for (i, sums) in sums.iter().enumerate() {
                        for (j, sum) in sums.iter().enumerate() {
                            let left = tile.columns.saturating_sub(j * 16).min(16);
                            let mask = ((1u32 << left) - 1) as __mmask16;
                            let to = tile.data.wrapping_add(i * tile.row + j * 16);
                            let value = if tile.accumulate {
                                _mm512_fmadd_ps(scale, *sum, _mm512_maskz_loadu_ps(mask, to))
                            } else {
                                _mm512_mul_ps(scale, *sum)
                            };
                            _mm512_mask_storeu_ps(to, mask, value);
                        }
                    }
                }
            }
            // SAFETY: handed on from the caller.
            unsafe {
                by_size!(kernel, tile.rows, panel.vectors, [1 2 3 4 5 6 7 8], (tile, lhs, panel, k));
            }
        }

        unsafe fn pack(out: *mut f32, rhs: Strided, k: usize, columns: usize, vectors: usize) {
            // SAFETY: handed on from the caller; AVX-512 implies AVX2.
            unsafe { pack(out, rhs, k, columns, vectors * Self::WIDTH) }
        }
    }

    /// [`Kernels::pack`] for panels of `width` columns; a transposed matrix is turned in squares of
    /// eight.
    #[target_feature(enable = "avx2")]
    unsafe fn pack(out: *mut f32, rhs: Strided, k: usize, columns: usize, width: usize) {
        if rhs.row != 1 {
            if rhs.col == 1 && columns == width {
                for p in 0..k {
                    // SAFETY: row `p` of both has `width` values, a multiple of eight.
                    unsafe {
                        let (to, from) = (out.add(p * width), rhs.data.add(p * rhs.row));
                        for j in (0..width).step_by(8) {
                            _mm256_storeu_ps(to.add(j), _mm256_loadu_ps(from.add(j)));
                        }
                    }
                }
                return;
            }
            // SAFETY: handed on from the caller.
            unsafe { pack_plain(out, rhs, k, columns, width) };
            return;
        }
        let whole = k / 8 * 8;
        for j in (0..width).step_by(8) {
            let present = columns.saturating_sub(j).min(8);
            for p in (0..whole).step_by(8) {
                // SAFETY: reads the `present` columns from `j` on in rows `p..p + 8`, writes an
                // 8 × 8 square of the panel; both exist by the caller's promise.
                unsafe {
                    let mut rows = [_mm256_setzero_ps(); 8];
                    for (i, row) in rows.iter_mut().enumerate().take(present) {
                        *row = _mm256_loadu_ps(rhs.data.add((j + i) * rhs.col + p));
                    }
                    let turned = transpose(rows);
                    for (i, row) in turned.iter().enumerate() {
                        _mm256_storeu_ps(out.add((p + i) * width + j), *row);
                    }
                }
            }
        }
        // SAFETY: the rows that are left.
        unsafe {
            let rest = Strided { data: rhs.data.add(whole * rhs.row), ..rhs };
            pack_plain(out.add(whole * width), rest, k - whole, columns, width);
        }
    }

    #[target_feature(enable = "avx2")]
    fn transpose(r: [__m256; 8]) -> [__m256; 8] {
        let pairs: [__m256; 8] = std::array::from_fn(|i| {
            let (a, b) = (r[i / 2 * 2], r[i / 2 * 2 + 1]);
            if i % 2 == 0 {
                _mm256_unpacklo_ps(a, b)
            } else {
                _mm256_unpackhi_ps(a, b)
            }
        });
        // Rows 0..4 (and 4..8) of column pairs, then of single columns.
        let fours: [__m256; 8] = std::array::from_fn(|i| {
            let half = i / 4 * 4;
            let (a, b) = (pairs[half + (i % 4) / 2], pairs[half + 2 + (i % 4) / 2]);
            if i % 2 == 0 {
                _mm256_shuffle_ps::<0x44>(a, b)
            } else {
                _mm256_shuffle_ps::<0xee>(a, b)
            }
        });
        std::array::from_fn(|i| {
            let (a, b) = (fours[i % 4], fours[4 + i % 4]);
            if i < 4 {
                _mm256_permute2f128_ps::<0x20>(a, b)
            } else {
                _mm256_permute2f128_ps::<0x31>(a, b)
            }
        })
    }
}
