//! A frozen weight in few bits.

use super::blocks::BlockType;
use super::nf4::Nf4;
use super::packed::Packed;
use crate::gemm::{self, Strided};
use crate::math;
use ::gemm::Parallelism;
use rayon::prelude::*;
use std::cell::RefCell;
use std::sync::OnceLock;

/// Values of the buffer that panels of rows are dequantised into, unless 512 rows need more:
/// 4 MiB, so that a panel stays in the cache between its dequantisation and its product.
const PANEL: usize = 1 << 20;

/// Rows dequantised by one task.
const ROWS_PER_TASK: usize = 16;

thread_local! {
    /// The panel of this thread, kept because fresh pages cost more than the arithmetic on them.
    static BUFFER: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug, Clone)]
enum Storage {
    Blocks { block_type: BlockType, bytes: Vec<u8> },
    Nf4(Nf4),
}

/// A weight as it is stored, for those who keep it on another device.
#[derive(Debug, Clone, Copy)]
pub enum Stored<'a> {
    /// Rows one after another in whole blocks.
    Blocks(BlockType, &'a [u8]),
    /// Four-bit NormalFloat.
    Nf4(&'a Nf4),
}

fn threads() -> Parallelism {
    match rayon::current_num_threads() {
        0 | 1 => Parallelism::None,
        n => Parallelism::Rayon(n),
    }
}

/// A weight `[rows, cols]` in GGUF blocks or NF4.
#[derive(Debug, Clone)]
pub struct QuantMatrix {
    storage: Storage,
    rows: usize,
    cols: usize,
    packed: OnceLock<Option<Box<Packed>>>,
}

impl QuantMatrix {
    /// A weight whose rows are stored one after another in whole blocks. Says what is wrong when
    /// the bytes do not fit the shape or a value is not finite.
    pub fn from_blocks(
        block_type: BlockType,
        bytes: Vec<u8>,
        rows: usize,
        cols: usize,
    ) -> Result<Self, String> {
        let Some(row_bytes) = block_type.bytes_for(cols).filter(|b| *b > 0) else {
            let block = block_type.block_len();
            return Err(format!("rows of {cols} values are not whole blocks of {block}"));
        };
        if rows.checked_mul(row_bytes) != Some(bytes.len()) {
            return Err(format!("{} bytes cannot be {rows} × {cols} {block_type:?}", bytes.len()));
        }
        let finite = bytes.par_chunks(row_bytes * ROWS_PER_TASK).all(|bytes| {
            let mut values = vec![0f32; bytes.len() / row_bytes * cols];
            block_type.dequantise(&mut values, bytes);
            values.iter().all(|v| v.is_finite())
        });
        if !finite {
            return Err("holds values that are not finite".to_owned());
        }
        let storage = Storage::Blocks { block_type, bytes };
        Ok(Self { storage, rows, cols, packed: OnceLock::new() })
    }

    /// Quantises finite values to NF4. Says what is wrong when their number is not `rows * cols`.
    pub fn from_dense_nf4(
        values: &[f32],
        rows: usize,
        cols: usize,
        double_quant: bool,
    ) -> Result<Self, String> {
        if rows.checked_mul(cols) != Some(values.len()) || values.is_empty() {
            return Err(format!("{} values cannot be {rows} × {cols}", values.len()));
        }
        let storage = Storage::Nf4(Nf4::quantise(values, double_quant));
        Ok(Self { storage, rows, cols, packed: OnceLock::new() })
    }

    /// Rounds finite values to BF16. Says what is wrong when their number is not `rows * cols`.
    pub fn from_dense_bf16(values: &[f32], rows: usize, cols: usize) -> Result<Self, String> {
        if rows.checked_mul(cols) != Some(values.len()) {
            return Err(format!("{} values cannot be {rows} × {cols}", values.len()));
        }
        let bytes = values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect();
        Self::from_blocks(BlockType::BF16, bytes, rows, cols)
    }

    /// Rows: width of the output.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: width of the input.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The weight as it is stored.
    pub fn stored(&self) -> Stored<'_> {
        match &self.storage {
            Storage::Blocks { block_type, bytes } => Stored::Blocks(*block_type, bytes),
            Storage::Nf4(nf4) => Stored::Nf4(nf4),
        }
    }

    /// Bytes of the stored weight, without the packed copy that decoding makes.
    pub fn bytes(&self) -> usize {
        match &self.storage {
            Storage::Blocks { bytes, .. } => bytes.len(),
            Storage::Nf4(nf4) => nf4.bytes(),
        }
    }

    /// The format's name.
    pub fn format(&self) -> String {
        match &self.storage {
            Storage::Blocks { block_type, .. } => format!("{block_type:?}"),
            Storage::Nf4(_) => "NF4".to_owned(),
        }
    }

    /// The weight laid out for integer products, made at the first call; `None` for formats that
    /// have none.
    pub fn packed(&self) -> Option<&Packed> {
        self.packed
            .get_or_init(|| match &self.storage {
                Storage::Blocks { block_type, bytes } => {
                    Packed::new(*block_type, bytes, self.rows, self.cols).map(Box::new)
                }
                Storage::Nf4(_) => None,
            })
            .as_deref()
    }

    /// Dequantises the rows from `first` on that fill `out`.
    pub fn dequantise(&self, out: &mut [f32], first: usize) {
        match &self.storage {
            Storage::Blocks { block_type, bytes } => {
                let row_bytes = bytes.len() / self.rows;
                let rows = out.len() / self.cols;
                block_type.dequantise(out, &bytes[first * row_bytes..][..rows * row_bytes]);
            }
            Storage::Nf4(nf4) => nf4.dequantise(out, first * self.cols),
        }
    }

    /// [`Self::dequantise`] over all threads.
    pub fn par_dequantise(&self, out: &mut [f32], first: usize) {
        out.par_chunks_mut(self.cols * ROWS_PER_TASK)
            .enumerate()
            .for_each(|(i, out)| self.dequantise(out, first + i * ROWS_PER_TASK));
    }

    /// All values.
    pub fn to_dense(&self) -> Vec<f32> {
        let mut values = vec![0f32; self.rows * self.cols];
        self.par_dequantise(&mut values, 0);
        values
    }

    /// Rows of a panel: a multiple of the slices that `gemm` sums over, so that products over
    /// panels add in the order of the whole product.
    pub fn panel_rows(&self) -> usize {
        (PANEL / self.cols.max(1) / gemm::K_SLICE).max(1) * gemm::K_SLICE
    }

    /// Calls `f(first row, rows, values)` for each panel of dequantised rows in turn.
    pub fn for_each_panel(&self, mut f: impl FnMut(usize, usize, &[f32])) {
        // Taken out of its place while in use: a task stolen meanwhile may come here too.
        let mut buffer = BUFFER.take();
        let step = self.panel_rows();
        for first in (0..self.rows).step_by(step) {
            let rows = step.min(self.rows - first);
            if buffer.len() < rows * self.cols {
                buffer.resize(rows * self.cols, 0.0);
            }
            let panel = &mut buffer[..rows * self.cols];
            self.par_dequantise(panel, first);
            f(first, rows, panel);
        }
        BUFFER.set(buffer);
    }

    /// `y[tokens, rows] = x[tokens, cols] · Wᵀ`, equal to the bit to the product with
    /// [`Self::to_dense`].
    pub fn forward(&self, y: &mut [f32], x: &[f32], tokens: usize) {
        let (n, k) = (self.rows, self.cols);
        if tokens == 1 {
            self.gemv(&mut y[..n], &x[..k]);
        } else {
            self.forward_rows(y, x, tokens);
        }
    }

    /// As [`Self::forward`], but a single row is computed as it would be among others.
    pub fn forward_rows(&self, y: &mut [f32], x: &[f32], tokens: usize) {
        let (n, k) = (self.rows, self.cols);
        self.for_each_panel(|first, rows, w| {
            assert!(y.len() >= tokens * n && x.len() >= tokens * k && w.len() >= rows * k);
            let lhs = Strided { data: x.as_ptr(), row: k, col: 1 };
            let rhs = Strided { data: w.as_ptr(), row: 1, col: k };
            // SAFETY: the lengths were just checked, `first + rows` is at most `n` and `y` is
            // borrowed mutably.
            unsafe {
                let y = y.as_mut_ptr().add(first);
                gemm::raw((tokens, rows, k), y, n, lhs, rhs, 1.0, false, threads());
            }
        });
    }

    fn gemv(&self, y: &mut [f32], x: &[f32]) {
        y.par_chunks_mut(64).enumerate().for_each(|(i, y)| {
            let mut buffer = BUFFER.take();
            if buffer.len() < self.cols {
                buffer.resize(self.cols, 0.0);
            }
            let row = &mut buffer[..self.cols];
            for (j, y) in y.iter_mut().enumerate() {
                self.dequantise(row, i * 64 + j);
                *y = math::dot(row, x);
            }
            BUFFER.set(buffer);
        });
    }

    /// `dx[tokens, cols] (+)= dy[tokens, rows] · W`, equal to the bit to the product with
    /// [`Self::to_dense`].
    pub fn backward(&self, dx: &mut [f32], dy: &[f32], tokens: usize, accumulate: bool) {
        let (n, k) = (self.rows, self.cols);
        self.for_each_panel(|first, rows, w| {
            assert!(dx.len() >= tokens * k && dy.len() >= tokens * n && w.len() >= rows * k);
            let add = accumulate || first > 0;
            let rhs = Strided { data: w.as_ptr(), row: k, col: 1 };
            // SAFETY: the lengths were just checked, `first + rows` is at most `n` and `dx` is
            // borrowed mutably.
            unsafe {
                let lhs = Strided { data: dy.as_ptr().add(first), row: n, col: 1 };
                gemm::raw((tokens, k, rows), dx.as_mut_ptr(), k, lhs, rhs, 1.0, add, threads());
            }
        });
    }
}
