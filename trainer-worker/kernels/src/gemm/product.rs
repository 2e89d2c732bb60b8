//! A matrix product cut into tasks, slices, panels and tiles.

use super::micro::{Kernels, Panel, Tile, MAX_ROWS, MAX_VECTORS};
use super::{Strided, K_SLICE};
use rayon::prelude::*;
use std::cell::RefCell;

/// Columns that are packed at once: with [`K_SLICE`] rows 0.6 MB, so that they stay in a core's
/// second cache.
const TASK_COLUMNS: usize = 288;
/// Below so many multiplications one thread is faster than several.
const MIN_PARALLEL: usize = 1 << 17;
/// Values in a cache line.
const CACHE_LINE: usize = 16;
/// Elements between copied rows: no power of two, which would map all of them to the same cache sets.
const ROW_COPY: usize = K_SLICE + 16;
/// Rows of the result up to which a right matrix with contiguous rows is read where it lies.
const UNPACKED_ROWS: usize = 16;

thread_local! {
    /// Packed panels and packed rows of this thread.
    static BUFFERS: RefCell<(Vec<f32>, Vec<f32>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// What [`run`] computes: `dst (+)= scale * lhs[m, k] · rhs[k, n]`.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) dst: *mut f32,
    pub(super) dst_row: usize,
    pub(super) lhs: Strided,
    pub(super) rhs: Strided,
    pub(super) scale: f32,
    pub(super) accumulate: bool,
    /// What the sums of the first slice start from, laid out as `dst`; null for zeros.
    pub(super) start: *const f32,
}

// SAFETY: tasks write disjoint parts of `dst`; `lhs` and `rhs` are only read, and of `start` only
// the part that a task writes where it is `dst` itself.
unsafe impl Send for Product {}
// SAFETY: as above.
unsafe impl Sync for Product {}

/// Computes the product with the kernels `K` on `threads` threads of rayon's pool.
///
/// # Safety
/// The CPU must have `K`'s instructions, and the pointers must be as [`super::raw`] demands.
pub(super) unsafe fn run<K: Kernels>(product: Product, threads: usize) {
    let Product { m, n, k, .. } = product;
    if threads <= 1 || m * n * k < MIN_PARALLEL {
        // SAFETY: handed on from the caller.
        unsafe { columns::<K>(product) };
        return;
    }
    let vectors = n.div_ceil(K::WIDTH);
    // As many groups of columns as keep all threads busy, then of rows if columns are too few.
    let groups = n
        .div_ceil(TASK_COLUMNS)
        .next_multiple_of(threads)
        .min(vectors.div_ceil(MAX_VECTORS))
        .max(1);
    let row_groups = threads.div_ceil(groups).min(m.div_ceil(2 * MAX_ROWS)).max(1);
    let rows = m.div_ceil(row_groups).next_multiple_of(K::ROWS);
    (0..groups * row_groups).into_par_iter().for_each(|task| {
        let (group, row_group) = (task % groups, task / groups);
        let start = group * vectors / groups * K::WIDTH;
        let end = ((group + 1) * vectors / groups * K::WIDTH).min(n);
        let (first, last) = ((row_group * rows).min(m), ((row_group + 1) * rows).min(m));
        if first == last {
            return;
        }
        let part = product.part(first..last, start..end);
        // SAFETY: the parts cover each element of the result once.
        unsafe { columns::<K>(part) };
    });
}

impl Product {
    /// Some rows and columns of the result.
    fn part(self, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> Self {
        let (lhs, rhs) = (self.lhs, self.rhs);
        let at = rows.start * self.dst_row + columns.start;
        Self {
            m: rows.len(),
            n: columns.len(),
            dst: self.dst.wrapping_add(at),
            start: if self.start.is_null() { self.start } else { self.start.wrapping_add(at) },
            lhs: Strided { data: lhs.data.wrapping_add(rows.start * lhs.row), ..lhs },
            rhs: Strided { data: rhs.data.wrapping_add(columns.start * rhs.col), ..rhs },
            ..self
        }
    }
}

/// The whole of a product on this thread, in groups of columns that fit the cache.
unsafe fn columns<K: Kernels>(product: Product) {
    BUFFERS.with_borrow_mut(|(panels, rows)| {
        for start in (0..product.n).step_by(TASK_COLUMNS) {
            let end = (start + TASK_COLUMNS).min(product.n);
            // SAFETY: handed on from the caller.
            unsafe { slices::<K>(product.part(0..product.m, start..end), panels, rows) };
        }
    });
}

/// At most [`TASK_COLUMNS`] columns, slice by slice of the summed dimension.
unsafe fn slices<K: Kernels>(product: Product, packed: &mut Vec<f32>, rows: &mut Vec<f32>) {
    let Product { m, n, k, lhs, rhs, .. } = product;
    let vectors = n.div_ceil(K::WIDTH);
    let panels = vectors.div_ceil(MAX_VECTORS);
    let space = vectors * K::WIDTH * K_SLICE.min(k.max(1)) + CACHE_LINE;
    if packed.len() < space {
        packed.resize(space, 0.0);
    }
    // A load across two cache lines costs two.
    let skip = packed.as_ptr().align_offset(CACHE_LINE * size_of::<f32>()).min(CACHE_LINE);
    let packed = packed.as_mut_ptr().wrapping_add(skip);
    // Rows that lie a multiple of 4 KiB apart would evict one another from the first cache.
    let copy_rows = lhs.col == 1 && m > 1 && (lhs.row * 4).is_multiple_of(4096);
    if copy_rows && rows.len() < MAX_ROWS * ROW_COPY {
        rows.resize(MAX_ROWS * ROW_COPY, 0.0);
    }
    let mut start = 0;
    loop {
        let len = K_SLICE.min(k - start);
        let lhs = Strided { data: lhs.data.wrapping_add(start * lhs.col), ..lhs };
        let rhs = Strided { data: rhs.data.wrapping_add(start * rhs.row), ..rhs };
        let accumulate = product.accumulate || start > 0;
        let panel_at = |i: usize| {
            let (from, to) = (i * vectors / panels, (i + 1) * vectors / panels);
            (from * K::WIDTH, (to * K::WIDTH).min(n), to - from)
        };
        let direct = |columns: usize, v: usize| {
            m <= UNPACKED_ROWS && rhs.col == 1 && columns == v * K::WIDTH
        };
        for i in 0..panels {
            let (from, to, v) = panel_at(i);
            if !direct(to - from, v) {
                let rhs = Strided { data: rhs.data.wrapping_add(from * rhs.col), ..rhs };
                // SAFETY: `packed` has room for `len` rows of all vectors.
                unsafe { K::pack(packed.add(from * len), rhs, len, to - from, v) };
            }
        }
        for first in (0..m).step_by(K::ROWS) {
            let tile_rows = K::ROWS.min(m - first);
            let mut lhs = Strided { data: lhs.data.wrapping_add(first * lhs.row), ..lhs };
            if copy_rows {
                for r in 0..tile_rows {
                    // SAFETY: row `first + r` has `len` values from `lhs.data` on, `rows` has room.
                    unsafe {
                        let from = lhs.data.add(r * lhs.row);
                        std::ptr::copy_nonoverlapping(
                            from,
                            rows.as_mut_ptr().add(r * ROW_COPY),
                            len,
                        );
                    }
                }
                lhs = Strided { data: rows.as_ptr(), row: ROW_COPY, col: 1 };
            }
            for i in 0..panels {
                let (from, to, v) = panel_at(i);
                let panel = if direct(to - from, v) {
                    Panel { data: rhs.data.wrapping_add(from), row: rhs.row, vectors: v }
                } else {
                    let data = packed.wrapping_add(from * len).cast_const();
                    Panel { data, row: v * K::WIDTH, vectors: v }
                };
                let at = first * product.dst_row + from;
                let begun = start == 0 && !product.start.is_null();
                let tile = Tile {
                    data: product.dst.wrapping_add(at),
                    row: product.dst_row,
                    rows: tile_rows,
                    columns: to - from,
                    scale: product.scale,
                    accumulate,
                    start: if begun { product.start.wrapping_add(at) } else { std::ptr::null() },
                };
                // SAFETY: tile, rows and panel lie within what the caller vouches for.
                unsafe { K::tile(tile, lhs, panel, len) };
            }
        }
        start += len;
        if start >= k {
            return;
        }
    }
}
