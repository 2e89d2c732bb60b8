//! AdamW (Loshchilov and Hutter, 2019) with its own moments, clipping by global norm, and learning
//! rate schedules as in transformers.

use crate::error::{Error, Result};
use crate::kernels::adamw::{self, Coefficients};
use crate::kernels::scalar::cos_half_turn;
use std::ops::Range;

/// How the learning rate changes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Schedule {
    /// Falls linearly to zero after the warm-up.
    #[default]
    Linear,
    /// Falls along half a cosine to zero after the warm-up.
    Cosine,
    /// Always the same; knows no warm-up.
    Constant,
    /// Stays constant after the warm-up.
    ConstantWithWarmup,
}

impl Schedule {
    /// The schedule of a name: `linear`, `cosine`, `constant` or `constant_with_warmup`.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "linear" => Ok(Self::Linear),
            "cosine" => Ok(Self::Cosine),
            "constant" => Ok(Self::Constant),
            "constant_with_warmup" => Ok(Self::ConstantWithWarmup),
            other => Err(Error::Setting {
                name: "lr_scheduler_type",
                value: other.to_owned(),
                range: "linear, cosine, constant or constant_with_warmup".to_owned(),
            }),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Cosine => "cosine",
            Self::Constant => "constant",
            Self::ConstantWithWarmup => "constant_with_warmup",
        }
    }

    /// The factor on the learning rate at `step`, counted from 0, of `total` steps.
    pub fn factor(self, step: u64, warmup: u64, total: u64) -> f64 {
        if step < warmup && self != Self::Constant {
            return step as f64 / warmup as f64;
        }
        let span = total.saturating_sub(warmup).max(1) as f64;
        let progress = (step.saturating_sub(warmup) as f64 / span).min(1.0);
        match self {
            Self::Linear => 1.0 - progress,
            Self::Cosine => 0.5 * (1.0 + cos_half_turn(std::f64::consts::PI * progress)),
            Self::Constant | Self::ConstantWithWarmup => 1.0,
        }
    }
}

/// Optimiser state of all layers.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Updates done.
    pub step: u64,
    /// First moments, a vector a layer.
    pub first: Vec<Vec<f32>>,
    /// Second moments, a vector a layer.
    pub second: Vec<Vec<f32>>,
}

impl AdamW {
    /// Zero moments for parameters of the given shape; β = (0.9, 0.999), ε = 1e-8.
    pub fn new(parameters: &[Vec<f32>], weight_decay: f64) -> Self {
        let zeros = || parameters.iter().map(|p| vec![0f32; p.len()]).collect();
        Self {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay,
            step: 0,
            first: zeros(),
            second: zeros(),
        }
    }

    /// One update of `parameters` by `gradients` of the same shape.
    pub fn update(
        &mut self,
        parameters: &mut [Vec<f32>],
        gradients: &[Vec<f32>],
        learning_rate: f64,
    ) {
        let whole: Vec<Vec<(Range<usize>, f64)>> =
            parameters.iter().map(|p| vec![(0..p.len(), 1.0)]).collect();
        self.update_with(parameters, gradients, learning_rate, &whole);
    }

    /// As [`Self::update`], with a factor on the learning rate for each range of each vector (see
    /// [`Adapter::rate_factors`](crate::lora::Adapter::rate_factors)); what no range holds stays.
    pub fn update_with(
        &mut self,
        parameters: &mut [Vec<f32>],
        gradients: &[Vec<f32>],
        learning_rate: f64,
        factors: &[Vec<(Range<usize>, f64)>],
    ) {
        self.step += 1;
        let correction1 = 1.0 - power(self.beta1, self.step);
        let correction2 = (1.0 - power(self.beta2, self.step)).sqrt();
        let vectors = parameters.iter_mut().zip(gradients).zip(&mut self.first);
        for ((((p, g), m), v), ranges) in vectors.zip(&mut self.second).zip(factors) {
            for (range, factor) in ranges {
                let rate = learning_rate * factor;
                let coefficients = Coefficients {
                    first: (self.beta1 as f32, (1.0 - self.beta1) as f32),
                    second: (self.beta2 as f32, (1.0 - self.beta2) as f32),
                    root: correction2 as f32,
                    eps: self.eps as f32,
                    keep: (1.0 - rate * self.weight_decay) as f32,
                    step_size: (rate / correction1) as f32,
                };
                let parts = (
                    p.get_mut(range.clone()),
                    g.get(range.clone()),
                    m.get_mut(range.clone()),
                    v.get_mut(range.clone()),
                );
                let (Some(p), Some(g), Some(m), Some(v)) = parts else { continue };
                adamw::update(p, g, m, v, coefficients);
            }
        }
    }
}

/// `base` to the power of `exponent` by squaring: the library's `powi` promises no fixed result.
fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut result = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    result
}

/// Scales the gradients by `max_norm / (norm + 1e-6)` where that is below 1 (`max_norm` 0: never),
/// as torch's `clip_grad_norm_` does, and returns their global norm before.
pub fn clip_by_global_norm(gradients: &mut [Vec<f32>], max_norm: f64) -> f64 {
    let square: f64 = gradients.iter().flatten().map(|g| f64::from(*g) * f64::from(*g)).sum();
    let norm = square.sqrt();
    let factor = (max_norm / (norm + 1e-6)) as f32;
    if max_norm > 0.0 && factor < 1.0 {
        gradients.iter_mut().flatten().for_each(|g| *g *= factor);
    }
    norm
}
