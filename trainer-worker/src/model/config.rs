//! Sizes and constants of a model, checked before anything is allocated by them.

use crate::error::{Error, Result};
use crate::kernels::attention::Heads;

/// Greatest sizes that a configuration may ask for; larger ones are refused as hostile.
mod limit {
    pub(super) const LAYERS: usize = 256;
    pub(super) const HIDDEN: usize = 32_768;
    pub(super) const INTERMEDIATE: usize = 131_072;
    pub(super) const HEADS: usize = 512;
    pub(super) const HEAD_DIM: usize = 512;
    pub(super) const VOCABULARY: usize = 1_048_576;
    pub(super) const CONTEXT: usize = 16_777_216;
    /// Parameters in all: 8 billion `f32` are 32 GB.
    pub(super) const PARAMETERS: u128 = 8_000_000_000;
}

/// Frequency scaling of LLaMA 3.1 and later (`rope_scaling` of type `llama3`).
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

/// A LLaMA-family configuration, with the names of Hugging Face's `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Name or path, for an adapter's `base_model_name_or_path`.
    pub name: String,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of decoder blocks.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads.
    pub num_key_value_heads: usize,
    /// Values a head.
    pub head_dim: usize,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Longest context in tokens.
    pub max_position_embeddings: usize,
    /// Epsilon of the normalisation.
    pub rms_norm_eps: f32,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Frequency scaling, if any.
    pub rope_scaling: Option<Llama3Scaling>,
    /// Divisors of the inverse frequencies given by a GGUF file (`rope_freqs.weight`), or empty.
    pub rope_factors: Vec<f32>,
    /// Whether the head shares the embedding's weight.
    pub tie_word_embeddings: bool,
}

fn bad(field: &str, value: impl ToString, problem: impl Into<String>) -> Error {
    Error::ModelConfig {
        field: field.to_owned(),
        value: value.to_string(),
        problem: problem.into(),
    }
}

impl ModelConfig {
    /// Sizes of the attention heads.
    pub fn heads(&self) -> Heads {
        Heads {
            query: self.num_attention_heads,
            key_value: self.num_key_value_heads,
            dim: self.head_dim,
        }
    }

    /// Number of parameters of the base model.
    pub fn parameters(&self) -> u128 {
        let (d, f, v) =
            (self.hidden_size as u128, self.intermediate_size as u128, self.vocab_size as u128);
        let heads = (self.num_attention_heads * 2 + self.num_key_value_heads * 2) as u128;
        let layer = heads * self.head_dim as u128 * d + 3 * d * f + 2 * d;
        let head = if self.tie_word_embeddings { v * d } else { 2 * v * d };
        layer * self.num_hidden_layers as u128 + head + d
    }

    /// Refuses sizes that are zero, inconsistent or beyond what this engine accepts.
    pub fn validate(&self) -> Result<()> {
        let bounds = [
            ("num_hidden_layers", self.num_hidden_layers, limit::LAYERS),
            ("hidden_size", self.hidden_size, limit::HIDDEN),
            ("intermediate_size", self.intermediate_size, limit::INTERMEDIATE),
            ("num_attention_heads", self.num_attention_heads, limit::HEADS),
            ("num_key_value_heads", self.num_key_value_heads, limit::HEADS),
            ("head_dim", self.head_dim, limit::HEAD_DIM),
            ("vocab_size", self.vocab_size, limit::VOCABULARY),
            ("max_position_embeddings", self.max_position_embeddings, limit::CONTEXT),
        ];
        for (field, value, max) in bounds {
            if value == 0 || value > max {
                return Err(bad(field, value, format!("must be 1 to {max}")));
            }
        }
        if !self.num_attention_heads.is_multiple_of(self.num_key_value_heads) {
            return Err(bad(
                "num_key_value_heads",
                self.num_key_value_heads,
                format!("must divide num_attention_heads = {}", self.num_attention_heads),
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(bad("head_dim", self.head_dim, "must be even for the rotary embedding"));
        }
        if !(self.rms_norm_eps.is_finite() && self.rms_norm_eps > 0.0 && self.rms_norm_eps < 1.0) {
            return Err(bad("rms_norm_eps", self.rms_norm_eps, "must lie between 0 and 1"));
        }
        if !(self.rope_theta.is_finite() && self.rope_theta >= 1.0) {
            return Err(bad("rope_theta", self.rope_theta, "must be a number of at least 1"));
        }
        if let Some(s) = &self.rope_scaling {
            let ok = [
                s.factor,
                s.low_freq_factor,
                s.high_freq_factor,
                s.original_max_position_embeddings,
            ]
            .iter()
            .all(|x| x.is_finite() && *x > 0.0);
            if !ok || s.high_freq_factor <= s.low_freq_factor {
                return Err(bad(
                    "rope_scaling",
                    format!("{s:?}"),
                    "needs positive factors and high_freq_factor above low_freq_factor",
                ));
            }
        }
        if !self.rope_factors.is_empty()
            && (self.rope_factors.len() != self.head_dim / 2
                || self.rope_factors.iter().any(|f| !(f.is_finite() && *f > 0.0)))
        {
            return Err(bad(
                "rope_freqs.weight",
                format!("{} values", self.rope_factors.len()),
                format!("must be {} positive numbers", self.head_dim / 2),
            ));
        }
        let parameters = self.parameters();
        if parameters > limit::PARAMETERS {
            return Err(bad(
                "parameters",
                parameters,
                format!("this engine keeps f32 weights and accepts at most {}", limit::PARAMETERS),
            ));
        }
        Ok(())
    }

    /// Inverse rotary frequencies, one for each pair of a head's dimensions.
    pub fn inverse_frequencies(&self) -> Vec<f32> {
        let half = self.head_dim / 2;
        (0..half)
            .map(|i| {
                let exponent = (2 * i) as f64 / self.head_dim as f64;
                let mut f = 1.0 / self.rope_theta.powf(exponent);
                if let Some(s) = &self.rope_scaling {
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
                let f = f as f32;
                self.rope_factors.get(i).map_or(f, |d| f / d)
            })
            .collect()
    }

    /// Reads the text of a Hugging Face `config.json` (at most 1 MiB).
    pub fn from_hf_json(text: &str, name: &str) -> Result<Self> {
        const MAX: usize = 1 << 20;
        if text.len() > MAX {
            return Err(Error::TooLarge {
                what: "config.json".to_owned(),
                size: text.len() as u64,
                limit: MAX as u64,
            });
        }
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|e| bad("config.json", "", e.to_string()))?;
        let shown = |field: &str| json.get(field).map_or("missing".to_owned(), ToString::to_string);
        let size = |field: &str| -> Result<usize> {
            json.get(field)
                .and_then(serde_json::Value::as_u64)
                .and_then(|v| usize::try_from(v).ok())
                .ok_or_else(|| bad(field, shown(field), "must be a whole number"))
        };
        let or = |field: &str, default: usize| -> Result<usize> {
            match json.get(field) {
                None | Some(serde_json::Value::Null) => Ok(default),
                Some(_) => size(field),
            }
        };
        let number = |v: Option<&serde_json::Value>, field: &str, default: f64| match v {
            None | Some(serde_json::Value::Null) => Ok(default),
            Some(v) => v.as_f64().ok_or_else(|| bad(field, v, "must be a number")),
        };
        match json.get("model_type").and_then(serde_json::Value::as_str) {
            Some("llama") => {}
            _ => return Err(bad("model_type", shown("model_type"), "only llama is supported")),
        }
        for flag in ["attention_bias", "mlp_bias"] {
            if json.get(flag).and_then(serde_json::Value::as_bool) == Some(true) {
                return Err(bad(flag, true, "biases are not supported in this family"));
            }
        }
        match json.get("hidden_act").and_then(serde_json::Value::as_str) {
            None | Some("silu" | "swish") => {}
            _ => return Err(bad("hidden_act", shown("hidden_act"), "only silu is supported")),
        }
        // transformers 5 moved theta and scaling into `rope_parameters`.
        let rope = json
            .get("rope_parameters")
            .filter(|v| v.is_object())
            .or_else(|| json.get("rope_scaling").filter(|v| v.is_object()));
        let rope_field = |field: &str| rope.and_then(|r| r.get(field));
        let rope_type =
            rope_field("rope_type").or(rope_field("type")).and_then(serde_json::Value::as_str);
        let rope_scaling = match rope_type {
            None | Some("default") => None,
            Some("llama3") => {
                let get = |f: &str| number(rope_field(f), f, f64::NAN);
                Some(Llama3Scaling {
                    factor: get("factor")?,
                    low_freq_factor: get("low_freq_factor")?,
                    high_freq_factor: get("high_freq_factor")?,
                    original_max_position_embeddings: get("original_max_position_embeddings")?,
                })
            }
            Some(other) => {
                return Err(bad("rope_scaling", other, "only default and llama3 are supported"))
            }
        };
        let rope_theta =
            number(rope_field("rope_theta").or(json.get("rope_theta")), "rope_theta", 10_000.0)?;
        let num_attention_heads = size("num_attention_heads")?;
        let hidden_size = size("hidden_size")?;
        let default_dim =
            hidden_size.checked_div(num_attention_heads).filter(|d| *d > 0).unwrap_or(1);
        let config = Self {
            name: name.to_owned(),
            hidden_size,
            intermediate_size: size("intermediate_size")?,
            num_hidden_layers: size("num_hidden_layers")?,
            num_attention_heads,
            num_key_value_heads: or("num_key_value_heads", num_attention_heads)?,
            head_dim: or("head_dim", default_dim)?,
            vocab_size: size("vocab_size")?,
            max_position_embeddings: or("max_position_embeddings", 2048)?,
            rms_norm_eps: number(json.get("rms_norm_eps"), "rms_norm_eps", 1e-6)? as f32,
            rope_theta,
            rope_scaling,
            rope_factors: Vec::new(),
            tie_word_embeddings: json
                .get("tie_word_embeddings")
                .and_then(serde_json::Value::as_bool)
                .unwrap_or(false),
        };
        config.validate()?;
        Ok(config)
    }
}
