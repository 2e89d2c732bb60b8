//! The configuration of DeepSeek V2 and V3 from a GGUF file's metadata (architecture `deepseek2`).
//!
//! Newer files describe the attention as llama.cpp computes it, one key and value head of the width
//! of the latent, and give the heads' own sizes in keys that end in `_mla`; older ones have the heads'
//! sizes in the plain keys.

use super::config::Fields;
use super::Gguf;
use crate::error::Result;
use crate::kernels::latent::Latent;
use crate::kernels::moe::{Routing, Scoring};
use crate::model::config::Sizes;
use crate::model::deepseek::{set_attention, ExpertsConfig, LatentAttention};
use crate::model::rotary::{RopeScaling, Rotary};
use crate::model::{Family, ModelConfig};

/// The names of llama.cpp's numbers for `expert_gating_func`.
const SOFTMAX: usize = 1;
const SIGMOID: usize = 2;

/// Reads the configuration, without the file's own checks of it.
pub(super) fn config(gguf: &Gguf, fields: &Fields<'_>, name: &str) -> Result<ModelConfig> {
    let has = |tensor: &str| gguf.tensor_info(tensor).is_some();
    let heads = fields.size("attention.head_count")?;
    let mla = fields.size_or("attention.key_length_mla", 0)? > 0;
    let [key, value] = if mla {
        ["attention.key_length_mla", "attention.value_length_mla"]
    } else {
        ["attention.key_length", "attention.value_length"]
    };
    let rope = fields.size("rope.dimension_count")?;
    let nope = fields
        .size(key)?
        .checked_sub(rope)
        .ok_or_else(|| fields.bad(key, "must exceed rope.dimension_count"))?;
    let rank = fields.size_or("attention.q_lora_rank", 0)?;
    // V2-Lite's files may carry a rank that their weights do not have.
    let query_rank = (rank > 0 && has("blk.0.attn_q_a.weight")).then_some(rank);
    let attention = LatentAttention {
        query_rank,
        sizes: Latent {
            heads,
            nope,
            rope,
            value: fields.size(value)?,
            latent: fields.size("attention.kv_lora_rank")?,
        },
    };
    attention.validate()?;

    // Layers that predict several tokens ahead follow the model's own and are not used.
    let ahead = fields.size_or("nextn_predict_layers", 0)?;
    let layers = fields
        .size("block_count")?
        .checked_sub(ahead)
        .ok_or_else(|| fields.bad("nextn_predict_layers", "exceeds block_count"))?;
    let experts = experts(gguf, fields, layers)?;
    let family = match experts.routing.scoring {
        Scoring::Softmax => Family::DeepseekV2,
        Scoring::Sigmoid => Family::DeepseekV3,
    };
    let sizes = Sizes {
        hidden_size: fields.size("embedding_length")?,
        intermediate_size: fields.size("feed_forward_length")?,
        num_hidden_layers: layers,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim: attention.sizes.key(),
        vocab_size: fields.vocabulary()?,
        max_position_embeddings: fields.size("context_length")?,
    };
    let mut config = ModelConfig::new(family, name, sizes);
    let mut scaling = fields.rope_scaling()?;
    if let Some(RopeScaling::Yarn(yarn)) = &mut scaling {
        // The converter writes a tenth of `mscale_all_dim` in single precision: six digits of it.
        // `mscale` is the same in every published model, which leaves no factor on the cosines.
        let tenth = fields.number("rope.scaling.yarn_log_multiplier")?;
        let weight = tenth.map(|t| (t * 1e7).round() / 1e6);
        (yarn.mscale, yarn.mscale_all_dim) = (weight, weight);
    }
    let rotary = Rotary {
        dim: rope,
        interleaved: true,
        theta: fields.number("rope.freq_base")?.unwrap_or(10_000.0),
        scaling,
        ..Rotary::default()
    };
    set_attention(&mut config, attention, rotary);
    let epsilon = "attention.layer_norm_rms_epsilon";
    config.norm_eps =
        fields.number(epsilon)?.ok_or_else(|| fields.bad(epsilon, "must be a number"))? as f32;
    config.tie_word_embeddings = !has("output.weight");
    config.qkv_bias = has("blk.0.attn_kv_a_mqa.bias");
    config.attention_output_bias = has("blk.0.attn_output.bias");
    config.mlp_bias = has("blk.0.ffn_up.bias") || has("blk.0.ffn_up_shexp.bias");
    config.experts = Some(experts);
    Ok(config)
}

fn experts(gguf: &Gguf, fields: &Fields<'_>, layers: usize) -> Result<ExpertsConfig> {
    let first = fields.size_or("leading_dense_block_count", 0)?;
    let choice_bias =
        gguf.tensor_info(&format!("blk.{}.exp_probs_b.bias", first.min(layers))).is_some();
    let gating = fields.size_or("expert_gating_func", 0)?;
    let scoring = match gating {
        // Files of V2 do not say it.
        0 if choice_bias => Scoring::Sigmoid,
        0 | SOFTMAX => Scoring::Softmax,
        SIGMOID => Scoring::Sigmoid,
        _ => return Err(fields.bad("expert_gating_func", "must be 1 (softmax) or 2 (sigmoid)")),
    };
    let intermediate_size = fields.size("expert_feed_forward_length")?;
    let shared = fields.size_or("expert_shared_count", 0)?;
    let groups = fields.size_or("expert_group_count", 1)?.max(1);
    Ok(ExpertsConfig {
        routing: Routing {
            experts: fields.size("expert_count")?,
            top_k: fields.size("expert_used_count")?,
            groups,
            top_groups: fields.size_or("expert_group_used_count", groups)?,
            scoring,
            normalize: gguf.flag(&fields.key("expert_weights_norm")).unwrap_or(false),
            scale: fields.number("expert_weights_scale")?.unwrap_or(1.0) as f32,
        },
        choice_bias,
        intermediate_size,
        shared_intermediate_size: shared.saturating_mul(intermediate_size),
        first,
        every: 1,
    })
}
