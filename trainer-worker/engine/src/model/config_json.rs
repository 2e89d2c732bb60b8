//! Reading Hugging Face's `config.json`: each family's field names, defaults and oddities.

use super::config::{
    bad, limit, AttentionKind, FusedLayout, ModelConfig, NormKind, Position, Sizes,
};
use super::deepseek;
use super::family::Family;
use super::quantization::Quantization;
use super::rotary::Rotary;
use crate::error::{Error, Result};
use crate::kernels::activation::Activation;
use serde_json::Value;

/// Longest `config.json` that is read, in bytes.
const MAX: usize = 1 << 20;

/// The fields of a configuration, each read under the first of several names that is there.
pub(super) struct Fields<'a>(pub(super) &'a Value);

impl Fields<'_> {
    fn find<'n>(&self, names: &[&'n str]) -> (&'n str, Option<&Value>) {
        let found = names
            .iter()
            .find_map(|n| self.0.get(n).filter(|v| !v.is_null()).map(|v| (*n, Some(v))));
        found.unwrap_or((names.first().copied().unwrap_or(""), None))
    }

    pub(super) fn shown(&self, field: &str) -> String {
        self.0.get(field).map_or("missing".to_owned(), ToString::to_string)
    }

    /// A whole number; `default` when missing or null, an error when there is no default.
    pub(super) fn size(&self, names: &[&str], default: Option<usize>) -> Result<usize> {
        match (self.find(names), default) {
            ((_, None), Some(default)) => Ok(default),
            ((name, value), _) => value
                .and_then(Value::as_u64)
                .and_then(|v| usize::try_from(v).ok())
                .ok_or_else(|| bad(name, self.shown(name), "must be a whole number")),
        }
    }

    pub(super) fn number(&self, names: &[&str], default: f64) -> Result<f64> {
        match self.find(names) {
            (_, None) => Ok(default),
            (name, Some(value)) => {
                value.as_f64().ok_or_else(|| bad(name, value, "must be a number"))
            }
        }
    }

    pub(super) fn optional_number(&self, name: &str) -> Result<Option<f64>> {
        match self.find(&[name]).1 {
            None => Ok(None),
            Some(value) => {
                value.as_f64().map(Some).ok_or_else(|| bad(name, value, "must be a number"))
            }
        }
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.find(&[name]).1 {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => Err(bad(name, other, "must be true or false")),
        }
    }

    pub(super) fn activation(&self, names: &[&str], default: Activation) -> Result<Activation> {
        let (name, value) = self.find(names);
        let Some(value) = value else { return Ok(default) };
        Ok(match value.as_str() {
            Some("silu" | "swish") => Activation::Silu,
            Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_accurate") => {
                Activation::GeluTanh
            }
            Some("gelu" | "gelu_python") => Activation::GeluErf,
            Some("relu") => Activation::Relu,
            _ => {
                return Err(bad(
                    name,
                    value,
                    "silu, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast and relu are supported",
                ))
            }
        })
    }

    /// Each layer's window, by `layer_types` or by `default`.
    fn windows(
        &self,
        layers: usize,
        window: usize,
        default: impl Fn(usize) -> bool,
    ) -> Result<Vec<Option<usize>>> {
        let sliding: Vec<bool> = match self.find(&["layer_types"]).1 {
            None => (0..layers).map(default).collect(),
            Some(types) => {
                let problem = "must list full_attention or sliding_attention for each layer";
                let types = types.as_array().filter(|t| t.len() == layers);
                let types =
                    types.ok_or_else(|| bad("layer_types", self.shown("layer_types"), problem))?;
                types
                    .iter()
                    .map(|t| match t.as_str() {
                        Some("full_attention") => Ok(false),
                        Some("sliding_attention") => Ok(true),
                        _ => Err(bad("layer_types", t, problem)),
                    })
                    .collect::<Result<_>>()?
            }
        };
        Ok(sliding.into_iter().map(|s| s.then_some(window)).collect())
    }
}

impl ModelConfig {
    /// Reads the text of a Hugging Face `config.json` (at most 1 MiB).
    pub fn from_hf_json(text: &str, name: &str) -> Result<Self> {
        if text.len() > MAX {
            return Err(Error::TooLarge {
                what: "config.json".to_owned(),
                size: text.len() as u64,
                limit: MAX as u64,
            });
        }
        let json: Value =
            serde_json::from_str(text).map_err(|e| bad("config.json", "", e.to_string()))?;
        let fields = Fields(&json);
        let model_type = json.get("model_type").and_then(Value::as_str).unwrap_or("");
        let Some(family) = Family::from_model_type(model_type) else {
            let known = Family::ALL.map(Family::model_type).join(", ");
            return Err(bad(
                "model_type",
                fields.shown("model_type"),
                format!("supported are {known}"),
            ));
        };
        Quantization::from_config(&json)?;
        fields.check_switches(family)?;
        let config = match family {
            Family::Gpt2 => gpt2(&fields, name),
            Family::Bloom => bloom(&fields, name),
            Family::ChatGlm => chatglm(&fields, name),
            Family::DeepseekV2 | Family::DeepseekV3 => deepseek::from_fields(&fields, family, name),
            Family::Llama
            | Family::Mistral
            | Family::Qwen2
            | Family::Qwen3
            | Family::Glm
            | Family::Glm4 => llama_like(&fields, family, name),
        }?;
        config.validate()?;
        Ok(config)
    }
}

/// `hidden_size / heads`, or 1 where that is impossible (refused later).
fn quotient(hidden_size: usize, heads: usize) -> usize {
    hidden_size.checked_div(heads).filter(|d| *d > 0).unwrap_or(1)
}

fn llama_like(fields: &Fields<'_>, family: Family, name: &str) -> Result<ModelConfig> {
    let heads = fields.size(&["num_attention_heads"], None)?;
    let hidden_size = fields.size(&["hidden_size"], None)?;
    let glm = matches!(family, Family::Glm | Family::Glm4);
    // Where a key is absent, transformers takes its class' default; a null means "derive it".
    let absent = |field: &str| fields.0.get(field).is_none();
    let head_dim = match family {
        Family::Qwen3 | Family::Glm | Family::Glm4 if absent("head_dim") => 128,
        _ => quotient(hidden_size, heads),
    };
    let key_value = match family {
        Family::Mistral if absent("num_key_value_heads") => 8,
        Family::Glm | Family::Glm4 if absent("num_key_value_heads") => 2,
        _ => heads,
    };
    let context = match family {
        Family::Mistral | Family::Glm | Family::Glm4 => 131_072,
        Family::Qwen2 | Family::Qwen3 => 32_768,
        _ => 2048,
    };
    let sizes = Sizes {
        hidden_size,
        intermediate_size: fields.size(&["intermediate_size"], None)?,
        num_hidden_layers: fields.size(&["num_hidden_layers"], None)?,
        num_attention_heads: heads,
        num_key_value_heads: fields.size(&["num_key_value_heads"], Some(key_value))?,
        head_dim: fields.size(&["head_dim"], Some(head_dim))?,
        vocab_size: fields.size(&["vocab_size"], None)?,
        max_position_embeddings: fields.size(&["max_position_embeddings"], Some(context))?,
    };
    let mut config = ModelConfig::new(family, name, sizes);
    config.norm_eps = fields.number(&["rms_norm_eps"], f64::from(config.norm_eps))? as f32;
    config.activation = fields.activation(&["hidden_act"], Activation::Silu)?;
    config.tie_word_embeddings = fields.flag("tie_word_embeddings", false)?;
    let share = glm.then_some(0.5);
    let rotary = fields.rotary(sizes.head_dim, share, sizes.max_position_embeddings)?;
    config.max_position_embeddings = rotary.context(sizes.max_position_embeddings);
    config.position = Position::Rotary(Rotary { interleaved: glm, ..rotary });
    match family {
        Family::Llama | Family::Qwen3 => {
            config.qkv_bias = fields.flag("attention_bias", false)?;
            config.attention_output_bias = config.qkv_bias;
        }
        Family::Glm | Family::Glm4 => config.qkv_bias = fields.flag("attention_bias", true)?,
        _ => {}
    }
    if family == Family::Llama {
        config.mlp_bias = fields.flag("mlp_bias", false)?;
    }
    // The list of windows is only made for a number of layers that will be accepted.
    let layers = sizes.num_hidden_layers.min(limit::LAYERS);
    match family {
        Family::Mistral => {
            let window = match fields.0.get("sliding_window") {
                Some(Value::Null) => None,
                _ => Some(fields.size(&["sliding_window"], Some(4096))?),
            };
            if window.is_some() {
                config.windows = vec![window; layers];
            }
        }
        // A null means none, an absent key the default.
        Family::Qwen2 | Family::Qwen3
            if fields.flag("use_sliding_window", false)?
                && fields.0.get("sliding_window") != Some(&Value::Null) =>
        {
            let window = fields.size(&["sliding_window"], Some(4096))?;
            let first = fields.size(&["max_window_layers"], Some(28))?;
            config.windows = fields.windows(layers, window, |layer| layer >= first)?;
        }
        _ => {}
    }
    Ok(config)
}

fn gpt2(fields: &Fields<'_>, name: &str) -> Result<ModelConfig> {
    let heads = fields.size(&["n_head", "num_attention_heads"], None)?;
    let hidden_size = fields.size(&["n_embd", "hidden_size"], None)?;
    if !hidden_size.is_multiple_of(heads.max(1)) {
        return Err(bad("n_embd", hidden_size, format!("must be a multiple of n_head = {heads}")));
    }
    let sizes = Sizes {
        hidden_size,
        intermediate_size: fields.size(&["n_inner"], Some(hidden_size.saturating_mul(4)))?,
        num_hidden_layers: fields.size(&["n_layer", "num_hidden_layers"], None)?,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim: quotient(hidden_size, heads),
        vocab_size: fields.size(&["vocab_size"], None)?,
        max_position_embeddings: fields
            .size(&["n_positions", "max_position_embeddings"], Some(1024))?,
    };
    let mut config = ModelConfig::new(Family::Gpt2, name, sizes);
    config.norm_eps = fields.number(&["layer_norm_epsilon"], 1e-5)? as f32;
    config.activation = fields.activation(&["activation_function"], Activation::GeluTanh)?;
    config.tie_word_embeddings = fields.flag("tie_word_embeddings", true)?;
    if !fields.flag("scale_attn_weights", true)? {
        config.attention_scale = 1.0;
    }
    config.scale_by_inverse_layer = fields.flag("scale_attn_by_inverse_layer_idx", false)?;
    Ok(config)
}

fn bloom(fields: &Fields<'_>, name: &str) -> Result<ModelConfig> {
    let heads = fields.size(&["n_head", "num_attention_heads"], None)?;
    let hidden_size = fields.size(&["n_embed", "hidden_size", "n_embd"], None)?;
    if !hidden_size.is_multiple_of(heads.max(1)) {
        return Err(bad(
            "hidden_size",
            hidden_size,
            format!("must be a multiple of n_head = {heads}"),
        ));
    }
    let sizes = Sizes {
        hidden_size,
        intermediate_size: hidden_size.saturating_mul(4),
        num_hidden_layers: fields.size(&["n_layer", "num_hidden_layers"], None)?,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim: quotient(hidden_size, heads),
        vocab_size: fields.size(&["vocab_size"], None)?,
        // ALiBi itself knows no limit; this is the length of the training.
        max_position_embeddings: fields
            .size(&["seq_length", "max_position_embeddings"], Some(2048))?,
    };
    let mut config = ModelConfig::new(Family::Bloom, name, sizes);
    config.norm_eps = fields.number(&["layer_norm_epsilon"], 1e-5)? as f32;
    config.tie_word_embeddings = fields.flag("tie_word_embeddings", true)?;
    config.residual_after_norm = fields.flag("apply_residual_connection_post_layernorm", false)?;
    Ok(config)
}

fn chatglm(fields: &Fields<'_>, name: &str) -> Result<ModelConfig> {
    let heads = fields.size(&["num_attention_heads"], None)?;
    let hidden_size = fields.size(&["hidden_size"], None)?;
    // Where the key is absent, its own code takes 128; a null means "derive it".
    let default = match fields.0.get("kv_channels") {
        None => 128,
        Some(_) => quotient(hidden_size, heads),
    };
    let head_dim = fields.size(&["kv_channels"], Some(default))?;
    let grouped = fields.flag("multi_query_attention", false)?;
    let sizes = Sizes {
        hidden_size,
        intermediate_size: fields.size(&["ffn_hidden_size"], None)?,
        num_hidden_layers: fields.size(&["num_layers", "num_hidden_layers"], None)?,
        num_attention_heads: heads,
        num_key_value_heads: if grouped {
            fields.size(&["multi_query_group_num"], Some(1))?
        } else {
            heads
        },
        head_dim,
        vocab_size: fields.size(&["padded_vocab_size", "vocab_size"], None)?,
        max_position_embeddings: fields.size(&["seq_length"], Some(2048))?,
    };
    let mut config = ModelConfig::new(Family::ChatGlm, name, sizes);
    if !grouped {
        config.attention = AttentionKind::Fused(FusedLayout::PerHead);
    }
    if !fields.flag("rmsnorm", true)? {
        config.norm = NormKind::Layer;
    }
    config.norm_eps = fields.number(&["layernorm_epsilon"], 1e-5)? as f32;
    config.final_norm = fields.flag("post_layer_norm", true)?;
    config.residual_after_norm = fields.flag("apply_residual_connection_post_layernorm", false)?;
    let bias = fields.flag("add_bias_linear", false)?;
    config.qkv_bias = bias || fields.flag("add_qkv_bias", false)?;
    (config.attention_output_bias, config.mlp_bias) = (bias, bias);
    config.tie_word_embeddings = fields.flag("tie_word_embeddings", false)?;
    config.position = Position::Rotary(Rotary {
        dim: head_dim / 2,
        interleaved: true,
        theta: 10_000.0 * fields.number(&["rope_ratio"], 1.0)?,
        ..Rotary::default()
    });
    Ok(config)
}
