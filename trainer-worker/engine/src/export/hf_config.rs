//! `config.json` of a model that came without one, from a GGUF file.

use crate::error::{Error, Result};
use crate::kernels::activation::Activation;
use crate::model::config::{AttentionKind, FusedLayout, NormKind};
use crate::model::rotary::{Llama3Scaling, LongScaling, RopeScaling, Rotary};
use crate::model::{Family, ModelConfig};
use serde_json::{json, Map, Value};

/// The configuration as transformers reads it (ChatGLM's own code for `chatglm`).
///
/// # Errors
/// [`Error::ModelConfig`] when reading it back does not give the same model: the format cannot say
/// what the model is.
pub fn hf_config(config: &ModelConfig) -> Result<Map<String, Value>> {
    let written = match config.family {
        Family::Gpt2 => gpt2(config),
        Family::Bloom => bloom(config),
        Family::ChatGlm => chatglm(config),
        _ => llama_like(config),
    };
    let text = Value::Object(written.clone()).to_string();
    let read = ModelConfig::from_hf_json(&text, &config.name)?;
    if let Some(field) = difference(&read, config) {
        return Err(Error::ModelConfig {
            field: field.to_owned(),
            value: config.family.model_type().to_owned(),
            problem:
                "config.json cannot say what the file has; merge into the model's own Hugging \
                      Face folder instead"
                    .to_owned(),
        });
    }
    Ok(written)
}

/// What makes two models different, if anything.
fn difference(a: &ModelConfig, b: &ModelConfig) -> Option<&'static str> {
    if !same_rotary(a, b) {
        return Some("rope_scaling");
    }
    // A scaled context is said by the scaling; and a LLaMA with windows is written as a Mistral.
    let rest = |c: &ModelConfig| ModelConfig {
        position: b.position.clone(),
        family: b.family,
        max_position_embeddings: b.max_position_embeddings,
        ..c.clone()
    };
    let (a, b) = (rest(a), b.clone());
    [
        (a.attention_scale != b.attention_scale, "attention.scale"),
        (a.windows != b.windows, "sliding_window"),
        (a.qkv_bias != b.qkv_bias, "attention_bias"),
        (a.attention_output_bias != b.attention_output_bias, "attention_bias"),
        (a.mlp_bias != b.mlp_bias, "mlp_bias"),
        (a.experts != b.experts, "experts"),
        (a != b, "general.architecture"),
    ]
    .into_iter()
    .find_map(|(differs, field)| differs.then_some(field))
}

/// Whether queries and keys are turned alike, within the rounding of `f32`.
fn same_rotary(a: &ModelConfig, b: &ModelConfig) -> bool {
    let (Some(a), Some(b)) = (a.rotary(), b.rotary()) else {
        return a.rotary().is_none() && b.rotary().is_none() && a.position == b.position;
    };
    let factor = |r: &Rotary| match &r.scaling {
        Some(RopeScaling::Yarn(yarn)) => yarn.attention_factor(),
        Some(RopeScaling::Long(long)) => long.attention_factor,
        _ => 1.0,
    };
    let close = |x: f64, y: f64| (x - y).abs() <= 1e-5 * y.abs();
    let (fa, fb) = (a.inverse_frequencies(1), b.inverse_frequencies(1));
    a.dim == b.dim
        && a.interleaved == b.interleaved
        && close(factor(a), factor(b))
        && fa.iter().zip(&fb).all(|(x, y)| close(f64::from(*x), f64::from(*y)))
}

/// GGUF keeps `f32`: 1e-5 must not become 9.999999747378752e-06.
fn short(v: f64) -> f64 {
    (v as f32).to_string().parse().unwrap_or(v)
}

fn eps(config: &ModelConfig) -> Value {
    json!(short(f64::from(config.norm_eps)))
}

fn activation(config: &ModelConfig) -> &'static str {
    match config.activation {
        Activation::Silu => "silu",
        Activation::GeluTanh => "gelu_new",
        Activation::GeluErf => "gelu",
        Activation::Relu => "relu",
    }
}

fn object(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn gpt2(c: &ModelConfig) -> Map<String, Value> {
    object(json!({
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": c.vocab_size,
        "n_embd": c.hidden_size, "n_inner": c.intermediate_size, "n_layer": c.num_hidden_layers,
        "n_head": c.num_attention_heads, "n_positions": c.max_position_embeddings,
        "n_ctx": c.max_position_embeddings, "layer_norm_epsilon": eps(c),
        "activation_function": activation(c), "tie_word_embeddings": c.tie_word_embeddings,
        "scale_attn_weights": c.attention_scale != 1.0,
        "scale_attn_by_inverse_layer_idx": c.scale_by_inverse_layer,
    }))
}

fn bloom(c: &ModelConfig) -> Map<String, Value> {
    object(json!({
        "architectures": ["BloomForCausalLM"], "model_type": "bloom", "vocab_size": c.vocab_size,
        "hidden_size": c.hidden_size, "n_layer": c.num_hidden_layers,
        "n_head": c.num_attention_heads, "seq_length": c.max_position_embeddings,
        "layer_norm_epsilon": eps(c), "tie_word_embeddings": c.tie_word_embeddings,
        "apply_residual_connection_post_layernorm": c.residual_after_norm,
    }))
}

fn chatglm(c: &ModelConfig) -> Map<String, Value> {
    let grouped = c.attention == AttentionKind::Fused(FusedLayout::Sections);
    object(json!({
        "architectures": ["ChatGLMForConditionalGeneration"], "model_type": "chatglm",
        "padded_vocab_size": c.vocab_size, "vocab_size": c.vocab_size,
        "hidden_size": c.hidden_size, "ffn_hidden_size": c.intermediate_size,
        "num_layers": c.num_hidden_layers, "num_attention_heads": c.num_attention_heads,
        "kv_channels": c.head_dim, "multi_query_attention": grouped,
        "multi_query_group_num": c.num_key_value_heads, "seq_length": c.max_position_embeddings,
        "layernorm_epsilon": eps(c), "rmsnorm": c.norm == NormKind::Rms,
        "post_layer_norm": c.final_norm, "add_bias_linear": c.mlp_bias,
        "add_qkv_bias": c.qkv_bias, "original_rope": true,
        "rope_ratio": short(c.rotary().map_or(1.0, |r| r.theta / 10_000.0)),
        "apply_residual_connection_post_layernorm": c.residual_after_norm,
        "tie_word_embeddings": c.tie_word_embeddings,
    }))
}

fn llama_like(c: &ModelConfig) -> Map<String, Value> {
    // A GGUF file of a Mistral says llama.
    let window = c.windows.first().copied().flatten();
    let (class, kind) = match c.family {
        Family::Llama if window.is_some() => ("MistralForCausalLM", "mistral"),
        Family::Mistral => ("MistralForCausalLM", "mistral"),
        Family::Qwen2 => ("Qwen2ForCausalLM", "qwen2"),
        Family::Qwen3 => ("Qwen3ForCausalLM", "qwen3"),
        Family::Glm => ("GlmForCausalLM", "glm"),
        Family::Glm4 => ("Glm4ForCausalLM", "glm4"),
        Family::DeepseekV2 => ("DeepseekV2ForCausalLM", "deepseek_v2"),
        Family::DeepseekV3 => ("DeepseekV3ForCausalLM", "deepseek_v3"),
        _ => ("LlamaForCausalLM", "llama"),
    };
    let mut fields = object(json!({
        "architectures": [class], "model_type": kind, "vocab_size": c.vocab_size,
        "hidden_act": activation(c), "hidden_size": c.hidden_size,
        "intermediate_size": c.intermediate_size, "num_hidden_layers": c.num_hidden_layers,
        "num_attention_heads": c.num_attention_heads,
        "num_key_value_heads": c.num_key_value_heads,
        "max_position_embeddings": c.max_position_embeddings, "rms_norm_eps": eps(c),
        "tie_word_embeddings": c.tie_word_embeddings, "attention_bias": c.qkv_bias,
    }));
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if kind == "mistral" {
        put("sliding_window", json!(window));
    }
    match c.attention {
        AttentionKind::Latent(latent) => {
            put("q_lora_rank", json!(latent.query_rank));
            put("kv_lora_rank", json!(latent.sizes.latent));
            put("qk_nope_head_dim", json!(latent.sizes.nope));
            put("qk_rope_head_dim", json!(latent.sizes.rope));
            put("v_head_dim", json!(latent.sizes.value));
        }
        _ => {
            put("head_dim", json!(c.head_dim));
        }
    }
    if matches!(c.family, Family::Llama | Family::DeepseekV2) {
        put("mlp_bias", json!(c.mlp_bias));
    }
    if let Some(rotary) = c.rotary() {
        put("rope_theta", json!(short(rotary.theta)));
        put("rope_scaling", scaling(rotary, c.max_position_embeddings));
        if matches!(c.family, Family::Glm | Family::Glm4) {
            put("partial_rotary_factor", json!(rotary.dim as f64 / c.head_dim as f64));
        }
    }
    fields.extend(experts(c));
    fields
}

fn experts(c: &ModelConfig) -> Map<String, Value> {
    let Some(experts) = &c.experts else { return Map::new() };
    let r = &experts.routing;
    let shared = experts.shared_intermediate_size.checked_div(experts.intermediate_size);
    let mut fields = object(json!({
        "n_routed_experts": r.experts, "num_experts_per_tok": r.top_k,
        "moe_intermediate_size": experts.intermediate_size, "n_shared_experts": shared,
        "first_k_dense_replace": experts.first, "moe_layer_freq": experts.every,
        "n_group": r.groups, "topk_group": r.top_groups,
        "routed_scaling_factor": short(f64::from(r.scale)), "norm_topk_prob": r.normalize,
    }));
    let (scoring, method) = match c.family {
        Family::DeepseekV3 => ("sigmoid", "noaux_tc"),
        _ if r.groups == 1 => ("softmax", "greedy"),
        _ => ("softmax", "group_limited_greedy"),
    };
    fields.insert("scoring_func".to_owned(), json!(scoring));
    fields.insert("topk_method".to_owned(), json!(method));
    fields
}

fn scaling(rotary: &Rotary, context: usize) -> Value {
    if !rotary.factors.is_empty() {
        return divisors(rotary, context);
    }
    match &rotary.scaling {
        None => Value::Null,
        Some(RopeScaling::Linear(factor)) => {
            json!({ "rope_type": "linear", "factor": short(*factor) })
        }
        Some(RopeScaling::Yarn(yarn)) => json!({
            "rope_type": "yarn", "factor": short(yarn.factor), "beta_fast": short(yarn.beta_fast),
            "beta_slow": short(yarn.beta_slow), "truncate": yarn.truncate,
            "original_max_position_embeddings": yarn.original_max_position_embeddings as u64,
            "attention_factor": yarn.attention_factor, "mscale": yarn.mscale,
            "mscale_all_dim": yarn.mscale_all_dim,
        }),
        Some(RopeScaling::Llama3(s)) => llama3(s),
        Some(RopeScaling::Dynamic(s)) => json!({ "rope_type": "dynamic", "factor": s.factor }),
        Some(RopeScaling::Long(s)) => long(s),
    }
}

fn llama3(s: &Llama3Scaling) -> Value {
    json!({
        "rope_type": "llama3", "factor": s.factor, "low_freq_factor": s.low_freq_factor,
        "high_freq_factor": s.high_freq_factor,
        "original_max_position_embeddings": s.original_max_position_embeddings as u64,
    })
}

fn long(s: &LongScaling) -> Value {
    json!({
        "rope_type": "longrope", "factor": 1.0, "attention_factor": s.attention_factor,
        "short_factor": s.short_factor, "long_factor": s.long_factor,
        "original_max_position_embeddings": s.original_max_position_embeddings as u64,
    })
}

/// The divisors of a GGUF file's `rope_freqs.weight`: those of the published LLaMA 3.1 and 3.2 by
/// their settings, others as a longrope whose two lists are the same.
fn divisors(rotary: &Rotary, context: usize) -> Value {
    let plain = Rotary { factors: Vec::new(), scaling: None, ..rotary.clone() };
    let wanted = rotary.inverse_frequencies(1);
    for factor in [8.0, 32.0] {
        let s = Llama3Scaling {
            factor,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings: 8192.0,
        };
        let scaled = Rotary { scaling: Some(RopeScaling::Llama3(s)), ..plain.clone() }
            .inverse_frequencies(1);
        if wanted.iter().zip(&scaled).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs()) {
            return llama3(&s);
        }
    }
    let list: Vec<f64> = rotary.factors.iter().map(|f| f64::from(*f)).collect();
    long(&LongScaling {
        short_factor: list.clone(),
        long_factor: list,
        original_max_position_embeddings: context as f64,
        attention_factor: 1.0,
    })
}
