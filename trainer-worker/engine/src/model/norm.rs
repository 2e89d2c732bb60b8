//! A normalisation with its frozen weight.

use super::config::NormKind;
use super::WeightSource;
use crate::error::Result;
use crate::kernels::norm;

/// A normalisation of rows: by root mean square, or by mean and variance where it has a bias.
#[derive(Debug, Clone)]
pub struct Norm {
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    eps: f32,
}

impl Norm {
    /// Loads `name.weight` (and `name.bias`) of `width` values.
    pub fn load(
        source: &dyn WeightSource,
        name: &str,
        kind: NormKind,
        width: usize,
        eps: f32,
    ) -> Result<Self> {
        let weight = source.load(&format!("{name}.weight"), &[width])?;
        let bias = match kind {
            NormKind::Rms => None,
            NormKind::Layer => Some(source.load(&format!("{name}.bias"), &[width])?),
        };
        Ok(Self { weight, bias, eps })
    }

    /// Weight, bias and epsilon.
    pub(super) fn parts(&self) -> (&[f32], Option<&[f32]>, f32) {
        (&self.weight, self.bias.as_deref(), self.eps)
    }

    /// Values a row.
    pub fn width(&self) -> usize {
        self.weight.len()
    }

    /// Statistics kept for each row.
    pub fn stats(&self) -> usize {
        if self.bias.is_some() {
            2
        } else {
            1
        }
    }

    /// Normalises the `stats.len() / self.stats()` rows of `x` into `y`.
    pub fn forward(&self, y: &mut [f32], stats: &mut [f32], x: &[f32]) {
        match &self.bias {
            None => norm::forward(y, stats, x, &self.weight, self.eps),
            Some(bias) => norm::layer_forward(y, stats, x, (&self.weight, bias), self.eps),
        }
    }

    /// One row, by the calling thread alone.
    pub(super) fn forward_row(&self, y: &mut [f32], x: &[f32]) {
        match &self.bias {
            None => norm::forward_row(y, x, &self.weight, self.eps),
            Some(bias) => norm::layer_forward_row(y, x, (&self.weight, bias), self.eps),
        }
    }

    /// [`Self::forward`] again from its statistics.
    pub fn recompute(&self, y: &mut [f32], stats: &[f32], x: &[f32]) {
        match &self.bias {
            None => norm::recompute(y, stats, x, &self.weight),
            Some(bias) => norm::layer_recompute(y, stats, x, (&self.weight, bias)),
        }
    }

    /// The input's gradient into `dx`, or added to it.
    pub fn backward(&self, dx: &mut [f32], dy: &[f32], stats: &[f32], x: &[f32], accumulate: bool) {
        match &self.bias {
            None => norm::backward(dx, dy, stats, x, &self.weight, accumulate),
            Some(_) => norm::layer_backward(dx, dy, stats, x, &self.weight, accumulate),
        }
    }
}
