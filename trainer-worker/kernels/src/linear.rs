//! Frozen linear weights: the base model's part of every product.

use crate::memory::Aligned;
use crate::quant::QuantMatrix;
use crate::{add_assign, gemm, par_rows};

/// Values that do not fill the shape they were given for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{values} values cannot be {rows} × {cols}")]
pub struct ShapeError {
    /// Values given.
    pub values: usize,
    /// Rows of the shape.
    pub rows: usize,
    /// Columns of the shape.
    pub cols: usize,
}

/// A weight that never trains, `[rows, cols]` row-major in `f32` or quantised:
/// `y = x · Wᵀ (+ b)`. It has no gradient at all; only its input has one.
#[derive(Debug, Clone)]
pub struct FrozenLinear {
    weight: Weight,
    bias: Option<Vec<f32>>,
    rows: usize,
    cols: usize,
}

/// How the values are kept.
#[derive(Debug, Clone)]
pub enum Weight {
    /// In `f32`.
    Dense(Aligned),
    /// In few bits; products dequantise a panel of rows at a time.
    Quantised(QuantMatrix),
}

impl FrozenLinear {
    /// Wraps `rows * cols` values.
    pub fn new(values: Vec<f32>, rows: usize, cols: usize) -> Result<Self, ShapeError> {
        if rows.checked_mul(cols) != Some(values.len()) {
            return Err(ShapeError { values: values.len(), rows, cols });
        }
        Ok(Self { weight: Weight::Dense(Aligned::new(values)), bias: None, rows, cols })
    }

    /// Wraps a quantised weight.
    pub fn quantised(matrix: QuantMatrix) -> Self {
        let (rows, cols) = (matrix.rows(), matrix.cols());
        Self { weight: Weight::Quantised(matrix), bias: None, rows, cols }
    }

    /// The same weight with a bias of `output` values: `y = x · Wᵀ + b`.
    pub fn with_bias(mut self, bias: Vec<f32>) -> Result<Self, ShapeError> {
        if bias.len() != self.rows {
            return Err(ShapeError { values: bias.len(), rows: self.rows, cols: 1 });
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

    /// How the values are kept.
    pub fn weight(&self) -> &Weight {
        &self.weight
    }

    /// The quantised weight, if it is one.
    pub fn quant(&self) -> Option<&QuantMatrix> {
        match &self.weight {
            Weight::Dense(_) => None,
            Weight::Quantised(matrix) => Some(matrix),
        }
    }

    /// The bias.
    pub fn bias(&self) -> Option<&[f32]> {
        self.bias.as_deref()
    }

    /// Bytes of weight and bias in memory.
    pub fn bytes(&self) -> usize {
        let weight = match &self.weight {
            Weight::Dense(values) => values.len() * 4,
            Weight::Quantised(matrix) => matrix.bytes(),
        };
        weight + self.bias.as_ref().map_or(0, |b| b.len() * 4)
    }

    /// All values, dequantised where they are kept in few bits.
    pub fn values(&self) -> std::borrow::Cow<'_, [f32]> {
        match &self.weight {
            Weight::Dense(values) => (&**values).into(),
            Weight::Quantised(matrix) => matrix.to_dense().into(),
        }
    }

    /// Copies row `index`, `input` values, into `out`.
    pub fn row(&self, index: usize, out: &mut [f32]) {
        match &self.weight {
            Weight::Dense(values) => {
                out.copy_from_slice(&values[index * self.cols..(index + 1) * self.cols]);
            }
            Weight::Quantised(matrix) => matrix.dequantise(&mut out[..self.cols], index),
        }
    }

    /// The values of rows `first..first + rows`; those of a quantised weight are dequantised into
    /// `scratch`, by the calling thread alone.
    pub fn some_rows<'a>(
        &'a self,
        first: usize,
        rows: usize,
        scratch: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let (start, len) = (first * self.cols, rows * self.cols);
        match &self.weight {
            Weight::Dense(values) => &values[start..start + len],
            Weight::Quantised(matrix) => {
                if scratch.len() < len {
                    scratch.resize(len, 0.0);
                }
                let scratch = &mut scratch[..len];
                matrix.dequantise(scratch, first);
                scratch
            }
        }
    }

    /// `y[rows, output] = x[rows, input] · Wᵀ`, plus the bias if there is one. A quantised weight
    /// gives the same bits as the dense one with its values.
    pub fn forward(&self, y: &mut [f32], x: &[f32], rows: usize) {
        match &self.weight {
            Weight::Dense(values) if rows == 1 => {
                gemm::gemv(&mut y[..self.rows], &x[..self.cols], values, 1.0, false);
            }
            Weight::Dense(values) => {
                gemm::nt(y, x, values, (rows, self.rows, self.cols), 1.0, false);
            }
            Weight::Quantised(matrix) => matrix.forward(y, x, rows),
        }
        self.add_bias(y, rows);
    }

    /// As [`Self::forward`], but a single row is computed as it would be among others.
    pub fn forward_rows(&self, y: &mut [f32], x: &[f32], rows: usize) {
        match &self.weight {
            Weight::Dense(values) => {
                gemm::nt(y, x, values, (rows, self.rows, self.cols), 1.0, false);
            }
            Weight::Quantised(matrix) => matrix.forward_rows(y, x, rows),
        }
        self.add_bias(y, rows);
    }

    fn add_bias(&self, y: &mut [f32], rows: usize) {
        if let Some(bias) = &self.bias {
            par_rows(&mut y[..rows * self.rows], self.rows, |_, row| add_assign(row, bias));
        }
    }

    /// `dx[rows, input] (+)= dy[rows, output] · W`.
    pub fn backward(&self, dx: &mut [f32], dy: &[f32], rows: usize, accumulate: bool) {
        match &self.weight {
            Weight::Dense(values) => {
                gemm::nn(dx, dy, values, (rows, self.cols, self.rows), 1.0, accumulate);
            }
            Weight::Quantised(matrix) => matrix.backward(dx, dy, rows, accumulate),
        }
    }
}
