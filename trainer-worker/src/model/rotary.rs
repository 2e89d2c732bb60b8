//! The rotary embedding's frequencies and their scaling for longer contexts.

use super::config::bad;
use crate::error::Result;
use crate::kernels::rope::RopeTable;
use crate::kernels::scalar;

/// Frequency scaling of LLaMA 3.1 and later (`rope_type` `llama3`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Llama3Scaling {
    /// Divisor of the low frequencies.
    pub factor: f64,
    /// Wavelengths above `original / low_freq_factor` are scaled fully.
    pub low_freq_factor: f64,
    /// Wavelengths below `original / high_freq_factor` are not scaled.
    pub high_freq_factor: f64,
    /// Context length of pre-training.
    pub original_max_position_embeddings: f64,
}

/// YaRN (Peng et al., 2023; `rope_type` `yarn`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct YarnScaling {
    /// Divisor of the low frequencies.
    pub factor: f64,
    /// Rotations within the original context above which a frequency stays.
    pub beta_fast: f64,
    /// Rotations below which it is scaled fully.
    pub beta_slow: f64,
    /// Context length of pre-training.
    pub original_max_position_embeddings: f64,
    /// Factor on cosines and sines when given; computed otherwise.
    pub attention_factor: Option<f64>,
    /// Weight of the logarithm in the numerator of the computed factor.
    pub mscale: Option<f64>,
    /// Weight in its denominator.
    pub mscale_all_dim: Option<f64>,
    /// Whether the ends of the ramp are rounded to whole dimensions.
    pub truncate: bool,
}

/// Scaling of the frequencies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RopeScaling {
    /// All frequencies are divided by a factor.
    Linear(f64),
    /// LLaMA 3.1's.
    Llama3(Llama3Scaling),
    /// YaRN.
    Yarn(YarnScaling),
}

/// A rotary embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotary {
    /// Dimensions of a head that turn: the first ones, an even number.
    pub dim: usize,
    /// Whether pairs lie side by side (`2 i`, `2 i + 1`) instead of half the dimensions apart.
    pub interleaved: bool,
    /// Base of the frequencies.
    pub theta: f64,
    /// Scaling, if any.
    pub scaling: Option<RopeScaling>,
    /// Divisors of the inverse frequencies given by a GGUF file (`rope_freqs.weight`), or empty.
    pub factors: Vec<f32>,
}

impl Default for Rotary {
    fn default() -> Self {
        Self { dim: 0, interleaved: false, theta: 10_000.0, scaling: None, factors: Vec::new() }
    }
}

/// YaRN's `0.1 · weight · ln(scale) + 1`.
pub(super) fn yarn_mscale(scale: f64, weight: f64) -> f64 {
    if scale <= 1.0 {
        1.0
    } else {
        0.1 * weight * scalar::ln(scale) + 1.0
    }
}

impl YarnScaling {
    /// The factor on cosines and sines.
    pub fn attention_factor(&self) -> f64 {
        let given = |m: Option<f64>| m.filter(|m| *m != 0.0);
        match (self.attention_factor, given(self.mscale), given(self.mscale_all_dim)) {
            (Some(factor), _, _) => factor,
            (None, Some(over), Some(under)) => {
                yarn_mscale(self.factor, over) / yarn_mscale(self.factor, under)
            }
            _ => yarn_mscale(self.factor, 1.0),
        }
    }

    /// How far dimension pair `i` of `dim` values is scaled: 0 not at all, 1 fully.
    fn ramp(&self, i: usize, dim: usize, theta: f64) -> f64 {
        let pair = |rotations: f64| {
            dim as f64
                * scalar::ln(
                    self.original_max_position_embeddings
                        / (rotations * 2.0 * std::f64::consts::PI),
                )
                / (2.0 * scalar::ln(theta))
        };
        let (mut low, mut high) = (pair(self.beta_fast), pair(self.beta_slow));
        if self.truncate {
            (low, high) = (low.floor(), high.ceil());
        }
        (low, high) = (low.max(0.0), high.min(dim as f64 - 1.0));
        if low == high {
            high += 0.001;
        }
        ((i as f64 - low) / (high - low)).clamp(0.0, 1.0)
    }
}

impl Rotary {
    /// Refuses impossible sizes and factors.
    pub fn validate(&self, head_dim: usize) -> Result<()> {
        if self.dim == 0 || !self.dim.is_multiple_of(2) || self.dim > head_dim {
            return Err(bad(
                "head_dim",
                head_dim,
                format!(
                    "the rotary embedding turns {} of its values; it must be an even number, at least 2 and at most head_dim",
                    self.dim
                ),
            ));
        }
        if !(self.theta.is_finite() && self.theta > 1.0) {
            return Err(bad("rope_theta", self.theta, "must be a number above 1"));
        }
        let positive = |values: &[f64]| values.iter().all(|x| x.is_finite() && *x > 0.0);
        let problem = match &self.scaling {
            Some(RopeScaling::Linear(factor)) if !positive(&[*factor]) => "needs a positive factor",
            Some(RopeScaling::Llama3(s))
                if s.high_freq_factor <= s.low_freq_factor
                    || !positive(&[
                        s.factor,
                        s.low_freq_factor,
                        s.high_freq_factor,
                        s.original_max_position_embeddings,
                    ]) =>
            {
                "needs positive factors and high_freq_factor above low_freq_factor"
            }
            Some(RopeScaling::Yarn(s))
                if !positive(&[
                    s.factor,
                    s.beta_fast,
                    s.beta_slow,
                    s.original_max_position_embeddings,
                    s.attention_factor(),
                ]) =>
            {
                "needs positive factors"
            }
            _ => "",
        };
        if !problem.is_empty() {
            return Err(bad("rope_scaling", format!("{:?}", self.scaling), problem));
        }
        if !self.factors.is_empty()
            && (self.factors.len() != self.dim / 2
                || self.factors.iter().any(|f| !(f.is_finite() && *f > 0.0)))
        {
            return Err(bad(
                "rope_freqs.weight",
                format!("{} values", self.factors.len()),
                format!("must be {} positive numbers", self.dim / 2),
            ));
        }
        Ok(())
    }

    /// Inverse frequencies, one for each pair of turned dimensions.
    pub fn inverse_frequencies(&self) -> Vec<f32> {
        (0..self.dim / 2)
            .map(|i| {
                let exponent = (2 * i) as f64 / self.dim as f64;
                let mut f = 1.0 / scalar::pow(self.theta, exponent);
                match &self.scaling {
                    None => {}
                    Some(RopeScaling::Linear(factor)) => f /= factor,
                    Some(RopeScaling::Llama3(s)) => {
                        let wavelength = 2.0 * std::f64::consts::PI / f;
                        let low = s.original_max_position_embeddings / s.low_freq_factor;
                        let high = s.original_max_position_embeddings / s.high_freq_factor;
                        if wavelength > low {
                            f /= s.factor;
                        } else if wavelength >= high {
                            let smooth = (s.original_max_position_embeddings / wavelength
                                - s.low_freq_factor)
                                / (s.high_freq_factor - s.low_freq_factor);
                            f = (1.0 - smooth) * f / s.factor + smooth * f;
                        }
                    }
                    Some(RopeScaling::Yarn(s)) => {
                        let scaled = s.ramp(i, self.dim, self.theta);
                        f = f / s.factor * scaled + f * (1.0 - scaled);
                    }
                }
                let f = f as f32;
                self.factors.get(i).map_or(f, |d| f / d)
            })
            .collect()
    }

    /// Tables for `positions` positions of heads of `head_dim` values.
    pub fn table(&self, head_dim: usize, positions: usize) -> RopeTable {
        let factor = match &self.scaling {
            Some(RopeScaling::Yarn(yarn)) => yarn.attention_factor() as f32,
            _ => 1.0,
        };
        RopeTable::scaled(&self.inverse_frequencies(), positions, factor)
            .within(head_dim, self.interleaved)
    }
}
