//! Frozen linear weights: the base model's part of every product.

use crate::error::{Error, Result};
use crate::kernels::{add_assign, gemm, par_rows};

/// A weight that never trains, `[rows, cols]` row-major in `f32`: `y = x · Wᵀ (+ b)`. It has no gradient
/// at all; only its input has one.
#[derive(Debug, Clone)]
pub struct FrozenLinear {
    values: Vec<f32>,
    bias: Option<Vec<f32>>,
    rows: usize,
    cols: usize,
}

impl FrozenLinear {
    /// Wraps `rows * cols` values.
    pub fn new(values: Vec<f32>, rows: usize, cols: usize) -> Result<Self> {
        if values.len() != rows * cols {
            return Err(Error::weight(
                "linear",
                format!("{} values cannot be {rows} × {cols}", values.len()),
            ));
        }
        Ok(Self { values, bias: None, rows, cols })
    }

    /// The same weight with a bias of `output` values: `y = x · Wᵀ + b`.
    pub fn with_bias(mut self, bias: Vec<f32>) -> Result<Self> {
        if bias.len() != self.rows {
            return Err(Error::weight(
                "bias",
                format!("{} values where {} belong", bias.len(), self.rows),
            ));
        }
        self.bias = Some(bias);
        Ok(self)
    }

    /// Width of the output.
    pub fn output(&self) -> usize {
        self.rows
    }

    /// Width of the input.
    pub fn input(&self) -> usize {
        self.cols
    }

    /// The bias, `output` values.
    pub fn bias(&self) -> Option<&[f32]> {
        self.bias.as_deref()
    }

    /// The values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Copies row `index`, `input` values, into `out`.
    pub fn row(&self, index: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.values[index * self.cols..(index + 1) * self.cols]);
    }

    /// `y[rows, output] = x[rows, input] · Wᵀ`, plus the bias if there is one.
    pub fn forward(&self, y: &mut [f32], x: &[f32], rows: usize) {
        if rows == 1 {
            gemm::gemv(&mut y[..self.rows], &x[..self.cols], &self.values, 1.0, false);
        } else {
            gemm::nt(y, x, &self.values, (rows, self.rows, self.cols), 1.0, false);
        }
        if let Some(bias) = &self.bias {
            par_rows(&mut y[..rows * self.rows], self.rows, |_, row| add_assign(row, bias));
        }
    }

    /// `dx[rows, input] (+)= dy[rows, output] · W`.
    pub fn backward(&self, dx: &mut [f32], dy: &[f32], rows: usize, accumulate: bool) {
        gemm::nn(dx, dy, &self.values, (rows, self.cols, self.rows), 1.0, accumulate);
    }
}
