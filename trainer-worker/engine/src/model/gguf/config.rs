//! The model's configuration from a GGUF file's metadata.

use super::names::Family as Names;
use super::{Gguf, Value};
use crate::error::{Error, Result};
use crate::model::config::{bad, AttentionKind, FusedLayout, Position, Sizes};
use crate::model::rotary::{RopeScaling, YarnScaling};
use crate::model::{Family, ModelConfig};

/// The metadata of one architecture.
pub(super) struct Fields<'a> {
    gguf: &'a Gguf,
    architecture: &'static str,
}

impl Fields<'_> {
    /// A key with the architecture before it.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.gguf.get(&self.key(key))
    }

    /// An error about a key.
    pub(super) fn bad(&self, key: &str, problem: &str) -> Error {
        let value = self.get(key).map_or("missing".to_owned(), |v| format!("{v:?}"));
        bad(&self.key(key), value.chars().take(80).collect::<String>(), problem)
    }

    /// A whole number.
    pub(super) fn size(&self, key: &str) -> Result<usize> {
        self.gguf
            .unsigned(&self.key(key))
            .and_then(|v| usize::try_from(v).ok())
            .ok_or_else(|| self.bad(key, "must be a whole number"))
    }

    /// A whole number that may be missing.
    pub(super) fn size_or(&self, key: &str, default: usize) -> Result<usize> {
        match self.get(key) {
            None => Ok(default),
            Some(_) => self.size(key),
        }
    }

    /// A number that may be missing.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Float(v)) => Ok(Some(*v)),
            Some(Value::Unsigned(v)) => Ok(Some(*v as f64)),
            Some(_) => Err(self.bad(key, "must be a number")),
        }
    }

    /// The scaling of the rotary frequencies.
    pub(super) fn rope_scaling(&self) -> Result<Option<RopeScaling>> {
        let factor = || -> Result<f64> {
            self.number("rope.scaling.factor")?
                .ok_or_else(|| self.bad("rope.scaling.factor", "must be a number"))
        };
        Ok(match self.gguf.text(&self.key("rope.scaling.type")) {
            None | Some("none") => match self.number("rope.scale_linear")? {
                None => None,
                Some(1.0) => None,
                Some(factor) => Some(RopeScaling::Linear(factor)),
            },
            Some("linear") => Some(RopeScaling::Linear(factor()?)),
            Some("yarn") => Some(RopeScaling::Yarn(YarnScaling {
                factor: factor()?,
                beta_fast: self.number("rope.scaling.yarn_beta_fast")?.unwrap_or(32.0),
                beta_slow: self.number("rope.scaling.yarn_beta_slow")?.unwrap_or(1.0),
                original_max_position_embeddings: self
                    .size("rope.scaling.original_context_length")?
                    as f64,
                attention_factor: None,
                mscale: None,
                mscale_all_dim: None,
                truncate: true,
            })),
            Some(_) => {
                let problem = "only none, linear, yarn and rope_freqs.weight are supported";
                return Err(self.bad("rope.scaling.type", problem));
            }
        })
    }

    /// Tokens in the vocabulary, by the embedding.
    pub(super) fn vocabulary(&self) -> Result<usize> {
        let embedding = self
            .gguf
            .tensors
            .get("token_embd.weight")
            .ok_or_else(|| Error::weight("token_embd.weight", "is missing"))?;
        let vocab_size = embedding.shape.first().copied().unwrap_or(0);
        if self.size_or("vocab_size", vocab_size)? != vocab_size {
            return Err(self.bad("vocab_size", "must equal the rows of token_embd.weight"));
        }
        Ok(vocab_size)
    }

    /// Sizes that most architectures name alike.
    pub(super) fn sizes(&self) -> Result<Sizes> {
        let hidden_size = self.size("embedding_length")?;
        let num_attention_heads = self.size("attention.head_count")?;
        let default = hidden_size.checked_div(num_attention_heads).filter(|d| *d > 0).unwrap_or(1);
        let head_dim = self.size_or("attention.key_length", default)?;
        if self.size_or("attention.value_length", head_dim)? != head_dim {
            return Err(self.bad("attention.value_length", "must equal the key length"));
        }
        let vocab_size = self.vocabulary()?;
        // Layers that predict several tokens ahead follow the model's own and are not used.
        let ahead = self.size_or("nextn_predict_layers", 0)?;
        let layers = self.size("block_count")?;
        Ok(Sizes {
            hidden_size,
            intermediate_size: self.size("feed_forward_length")?,
            num_hidden_layers: layers
                .checked_sub(ahead)
                .ok_or_else(|| self.bad("nextn_predict_layers", "exceeds block_count"))?,
            num_attention_heads,
            num_key_value_heads: self.size_or("attention.head_count_kv", num_attention_heads)?,
            head_dim,
            vocab_size,
            max_position_embeddings: self.size("context_length")?,
        })
    }
}

impl Gguf {
    /// The model's configuration from the metadata.
    ///
    /// # Errors
    /// When the architecture is not one that this engine knows, or a key is missing, inconsistent
    /// or asks for something unsupported.
    pub fn config(&mut self) -> Result<ModelConfig> {
        let names = self.family()?;
        let fields = Fields { gguf: self, architecture: names.architecture() };
        let family = match names {
            Names::Llama => Family::Llama,
            Names::Qwen2 => Family::Qwen2,
            Names::Qwen3 => Family::Qwen3,
            Names::Gpt2 => Family::Gpt2,
            Names::Bloom => Family::Bloom,
            Names::ChatGlm => Family::ChatGlm,
            Names::Glm => Family::Glm,
            Names::Glm4 => Family::Glm4,
            Names::DeepSeek2 => {
                let name = self.text("general.name").unwrap_or("model");
                let config = super::deepseek::config(self, &fields, name)?;
                config.validate()?;
                return Ok(config);
            }
        };
        if fields.size_or("expert_count", 0)? > 0 {
            return Err(fields.bad("expert_count", "mixtures of experts are not supported"));
        }
        if fields.get("rope.dimension_sections").is_some() {
            return Err(fields.bad("rope.dimension_sections", "only text models are supported"));
        }
        let sizes = fields.sizes()?;
        let name = self.text("general.name").unwrap_or("model");
        let mut config = ModelConfig::new(family, name, sizes);
        let has = |tensor: &str| self.tensors.contains_key(tensor);
        config.tie_word_embeddings = !has("output.weight");
        config.qkv_bias = has("blk.0.attn_q.bias") || has("blk.0.attn_qkv.bias");
        config.attention_output_bias = has("blk.0.attn_output.bias");
        config.mlp_bias = has("blk.0.ffn_up.bias");
        if names == Names::ChatGlm {
            config.attention = AttentionKind::Fused(FusedLayout::Sections);
        }
        let epsilon = match family {
            Family::Gpt2 | Family::Bloom => "attention.layer_norm_epsilon",
            _ => "attention.layer_norm_rms_epsilon",
        };
        config.norm_eps =
            fields.number(epsilon)?.ok_or_else(|| fields.bad(epsilon, "must be a number"))? as f32;
        if let Some(scale) = fields.number("attention.scale")?.filter(|s| *s != 0.0) {
            config.attention_scale = scale as f32;
        }
        if family == Family::Llama {
            let window = fields.size_or("attention.sliding_window", 0)?;
            if window > 0 {
                // Checked before a list is made by it.
                config.validate()?;
                config.windows = vec![Some(window); sizes.num_hidden_layers];
            }
        }
        if let Position::Rotary(mut rotary) = config.position.clone() {
            let dim = fields.size_or("rope.dimension_count", rotary.dim)?;
            let partial = matches!(family, Family::ChatGlm | Family::Glm | Family::Glm4);
            if dim != rotary.dim && !partial {
                let problem = "must equal the head's size";
                return Err(fields.bad("rope.dimension_count", problem));
            }
            rotary.dim = dim;
            rotary.theta = fields.number("rope.freq_base")?.unwrap_or(10_000.0);
            rotary.scaling = fields.rope_scaling()?;
            config.position = Position::Rotary(rotary.clone());
            config.validate()?;
            if has("rope_freqs.weight") {
                rotary.factors = self.values("rope_freqs.weight", &[rotary.dim / 2])?;
                config.position = Position::Rotary(rotary);
            }
        }
        config.validate()?;
        Ok(config)
    }
}
