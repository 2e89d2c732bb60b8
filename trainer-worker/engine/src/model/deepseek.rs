//! DeepSeek V2 and V3: their `config.json`, and the names and weights of their latent attention and
//! their experts.

use super::config::{bad, AttentionKind, FeedForwardKind, ModelConfig, Position, Sizes};
use super::config_json::Fields;
use super::family::{Family, Role};
use super::mla::{LatentNorms, LATENT_EPS};
use super::moe::{Expert, Experts};
use super::norm::Norm;
use super::rotary::{yarn_mscale, RopeScaling, Rotary};
use super::weights::{from_values, Precision};
use super::WeightSource;
use crate::error::Result;
use crate::kernels::activation::Activation;
use crate::kernels::latent::Latent;
use crate::kernels::linear::FrozenLinear;
use crate::kernels::moe::{Routing, Scoring};
use serde_json::Value;

/// Greatest sizes that a configuration may ask for.
mod limit {
    pub(super) const EXPERTS: usize = 4096;
    pub(super) const RANK: usize = 32_768;
    pub(super) const INTERMEDIATE: usize = 131_072;
    pub(super) const HEAD_DIM: usize = 512;
}

/// Sizes of a multi-head latent attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatentAttention {
    /// Width of the query latent (`q_lora_rank`), where queries have one.
    pub query_rank: Option<usize>,
    /// Heads, and the latent of keys and values.
    pub sizes: Latent,
}

impl LatentAttention {
    /// Refuses sizes that are zero or hostile.
    pub(super) fn validate(&self) -> Result<()> {
        let sizes = self.sizes;
        let bounds = [
            ("qk_nope_head_dim", sizes.nope, limit::HEAD_DIM),
            ("qk_rope_head_dim", sizes.rope, limit::HEAD_DIM),
            ("v_head_dim", sizes.value, limit::HEAD_DIM),
            ("kv_lora_rank", sizes.latent, limit::RANK),
            ("q_lora_rank", self.query_rank.unwrap_or(1), limit::RANK),
        ];
        for (field, value, max) in bounds {
            if value == 0 || value > max {
                return Err(bad(field, value, format!("must be 1 to {max}")));
            }
        }
        Ok(())
    }
}

/// The mixture of experts of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpertsConfig {
    /// Number of routed experts and how they are chosen.
    pub routing: Routing,
    /// Whether the router's checkpoint carries a bias for the choice (`e_score_correction_bias`).
    pub choice_bias: bool,
    /// Width of a routed expert (`moe_intermediate_size`).
    pub intermediate_size: usize,
    /// Width of the shared experts together; 0 without any.
    pub shared_intermediate_size: usize,
    /// The first layer with experts (`first_k_dense_replace`).
    pub first: usize,
    /// From there on, layers divisible by this number have experts (`moe_layer_freq`).
    pub every: usize,
}

impl ExpertsConfig {
    /// Whether a layer has experts; it has a plain feed-forward otherwise.
    pub fn at(&self, layer: usize) -> bool {
        layer >= self.first && layer.is_multiple_of(self.every.max(1))
    }

    /// Parameters of the router and the routed experts of one layer.
    pub(super) fn parameters(&self, hidden_size: usize) -> u128 {
        let (n, d) = (self.routing.experts as u128, hidden_size as u128);
        let bias = if self.choice_bias { n } else { 0 };
        n * d + bias + n * 3 * d * self.intermediate_size as u128
    }

    fn validate(&self) -> Result<()> {
        let r = &self.routing;
        let bounds = [
            ("n_routed_experts", r.experts, limit::EXPERTS),
            ("moe_intermediate_size", self.intermediate_size, limit::INTERMEDIATE),
            ("moe_layer_freq", self.every, usize::MAX),
        ];
        for (field, value, max) in bounds {
            if value == 0 || value > max {
                return Err(bad(field, value, format!("must be 1 to {max}")));
            }
        }
        if self.shared_intermediate_size > limit::INTERMEDIATE {
            return Err(bad(
                "n_shared_experts",
                self.shared_intermediate_size,
                format!("times moe_intermediate_size must be at most {}", limit::INTERMEDIATE),
            ));
        }
        if r.groups == 0 || r.groups > r.experts || !r.experts.is_multiple_of(r.groups) {
            return Err(bad(
                "n_group",
                r.groups,
                format!("must divide n_routed_experts = {}", r.experts),
            ));
        }
        let in_group = r.experts / r.groups;
        if r.scoring == Scoring::Sigmoid && in_group < 2 {
            return Err(bad("n_group", r.groups, "must leave at least two experts a group"));
        }
        if r.top_groups == 0 || r.top_groups > r.groups {
            return Err(bad("topk_group", r.top_groups, format!("must be 1 to {}", r.groups)));
        }
        let reachable = r.top_groups * in_group;
        if r.top_k == 0 || r.top_k > reachable {
            return Err(bad("num_experts_per_tok", r.top_k, format!("must be 1 to {reachable}")));
        }
        if !(r.scale.is_finite() && r.scale > 0.0) {
            return Err(bad("routed_scaling_factor", r.scale, "must be a positive number"));
        }
        Ok(())
    }
}

/// Reads a configuration with a `model_type` of `deepseek_v2` or `deepseek_v3`. Defaults are those
/// of transformers.
pub(super) fn from_fields(fields: &Fields<'_>, family: Family, name: &str) -> Result<ModelConfig> {
    let v3 = family == Family::DeepseekV3;
    let by = |v2: usize, v3_: usize| Some(if v3 { v3_ } else { v2 });
    let size = |field: &str, default: usize| fields.size(&[field], Some(default));
    let heads = size("num_attention_heads", if v3 { 128 } else { 32 })?;
    let sizes = Latent {
        heads,
        nope: size("qk_nope_head_dim", 128)?,
        rope: size("qk_rope_head_dim", 64)?,
        value: size("v_head_dim", 128)?,
        latent: size("kv_lora_rank", 512)?,
    };
    // An absent rank is transformers' default, a null means that queries have no latent.
    let query_rank = match fields.0.get("q_lora_rank") {
        Some(Value::Null) => None,
        _ => Some(size("q_lora_rank", 1536)?),
    };
    let attention = LatentAttention { query_rank, sizes };
    // Before any sum or product of them.
    attention.validate()?;
    let max_positions = fields.size(&["max_position_embeddings"], by(2048, 4096))?;
    let mut config = ModelConfig::new(
        family,
        name,
        Sizes {
            hidden_size: fields.size(&["hidden_size"], None)?,
            intermediate_size: fields.size(&["intermediate_size"], None)?,
            num_hidden_layers: fields.size(&["num_hidden_layers"], None)?,
            num_attention_heads: heads,
            num_key_value_heads: size("num_key_value_heads", heads)?,
            head_dim: sizes.key(),
            vocab_size: fields.size(&["vocab_size"], None)?,
            max_position_embeddings: max_positions,
        },
    );
    let rotary = fields.rotary(sizes.rope, None, max_positions)?;
    config.max_position_embeddings = rotary.context(max_positions);
    let interleaved = !v3 || fields.flag("rope_interleave", true)?;
    let rotary = Rotary { interleaved, ..rotary };
    set_attention(&mut config, attention, rotary);
    config.norm_eps = fields.number(&["rms_norm_eps"], 1e-6)? as f32;
    config.activation = fields.activation(&["hidden_act"], Activation::Silu)?;
    config.tie_word_embeddings = fields.flag("tie_word_embeddings", false)?;
    config.qkv_bias = fields.flag("attention_bias", false)?;
    config.attention_output_bias = config.qkv_bias;
    config.mlp_bias = !v3 && fields.flag("mlp_bias", false)?;
    config.experts = Some(experts(fields, v3)?);
    Ok(config)
}

/// Gives a configuration its latent attention, and its scores the factor that goes with yarn.
pub(super) fn set_attention(config: &mut ModelConfig, attention: LatentAttention, rotary: Rotary) {
    let sizes = attention.sizes;
    let mut scale = 1.0 / (sizes.key() as f64).sqrt();
    if let Some(RopeScaling::Yarn(yarn)) = &rotary.scaling {
        if let Some(weight) = yarn.mscale_all_dim.filter(|w| *w != 0.0) {
            let factor = yarn_mscale(yarn.factor, weight);
            scale *= factor * factor;
        }
    }
    config.attention = AttentionKind::Latent(attention);
    config.head_dim = sizes.key();
    config.value_head_dim = sizes.value;
    config.attention_scale = scale as f32;
    config.position = Position::Rotary(rotary);
}

fn experts(fields: &Fields<'_>, v3: bool) -> Result<ExpertsConfig> {
    let by = |v2: usize, v3_: usize| Some(if v3 { v3_ } else { v2 });
    let expect = |field: &str, known: &[&str]| -> Result<()> {
        match fields.0.get(field).filter(|v| !v.is_null()) {
            Some(value) if !value.as_str().is_some_and(|v| known.contains(&v)) => {
                Err(bad(field, value, format!("only {} is supported here", known.join(" or "))))
            }
            _ => Ok(()),
        }
    };
    let experts = fields.size(&["n_routed_experts", "num_experts"], by(64, 256))?;
    // An absent number of groups is transformers' default, a null means one of all experts.
    let grouping = |field: &str, default: Option<usize>| match fields.0.get(field) {
        Some(Value::Null) => Ok(1),
        _ => fields.size(&[field], default),
    };
    let (mut groups, mut top_groups) =
        (grouping("n_group", by(1, 8))?, grouping("topk_group", by(1, 4))?);
    if v3 {
        expect("scoring_func", &["sigmoid"])?;
        expect("topk_method", &["noaux_tc"])?;
    } else {
        expect("scoring_func", &["softmax"])?;
        expect("topk_method", &["greedy", "group_limited_greedy"])?;
        let method = fields.0.get("topk_method").and_then(Value::as_str).unwrap_or("greedy");
        if method == "greedy" {
            (groups, top_groups) = (1, 1);
        }
    }
    let intermediate_size = fields.size(&["moe_intermediate_size"], by(1407, 2048))?;
    // A null number of shared experts means none in DeepSeek's own code.
    let shared = match fields.0.get("n_shared_experts") {
        Some(Value::Null) => 0,
        _ => fields.size(&["n_shared_experts"], by(2, 1))?,
    };
    Ok(ExpertsConfig {
        routing: Routing {
            experts,
            top_k: fields.size(&["num_experts_per_tok"], v3.then_some(8))?,
            groups,
            top_groups,
            scoring: if v3 { Scoring::Sigmoid } else { Scoring::Softmax },
            // transformers' V2 does not read `norm_topk_prob`, which no published V2 model sets.
            normalize: v3 && fields.flag("norm_topk_prob", true)?,
            scale: fields.number(&["routed_scaling_factor"], if v3 { 2.5 } else { 1.0 })? as f32,
        },
        choice_bias: v3,
        intermediate_size,
        shared_intermediate_size: shared.saturating_mul(intermediate_size),
        first: fields.size(&["first_k_dense_replace"], by(0, 3))?,
        every: fields.size(&["moe_layer_freq"], Some(1))?,
    })
}

/// Calls `add(role, path, output, input, has a bias)` for the projections of a latent attention
/// below its output.
pub(super) fn attention_modules(
    attention: LatentAttention,
    hidden_size: usize,
    bias: bool,
    mut add: impl FnMut(Role, &'static str, usize, usize, bool),
) {
    let sizes = attention.sizes;
    match attention.query_rank {
        None => add(Role::Query, "self_attn.q_proj", sizes.key_width(), hidden_size, false),
        Some(rank) => {
            add(Role::QueryA, "self_attn.q_a_proj", rank, hidden_size, bias);
            add(Role::QueryB, "self_attn.q_b_proj", sizes.key_width(), rank, false);
        }
    }
    let path = "self_attn.kv_a_proj_with_mqa";
    add(Role::KeyValueA, path, sizes.compressed_width(), hidden_size, bias);
    add(Role::KeyValueB, "self_attn.kv_b_proj", sizes.expanded_width(), sizes.latent, false);
}

/// As [`attention_modules`], for the shared experts of a layer that has some.
pub(super) fn shared_expert_modules(
    config: &ModelConfig,
    mut add: impl FnMut(Role, &'static str, usize, usize, bool),
) {
    let d = config.hidden_size;
    let f = config.experts.as_ref().map_or(0, |e| e.shared_intermediate_size);
    if f > 0 {
        add(Role::SharedGate, "mlp.shared_experts.gate_proj", f, d, config.mlp_bias);
        add(Role::SharedUp, "mlp.shared_experts.up_proj", f, d, config.mlp_bias);
        add(Role::SharedDown, "mlp.shared_experts.down_proj", d, f, config.mlp_bias);
    }
}

/// Refuses latent attentions and experts with impossible or hostile sizes.
pub(super) fn validate(config: &ModelConfig) -> Result<()> {
    if let AttentionKind::Latent(attention) = config.attention {
        attention.validate()?;
        let sizes = attention.sizes;
        let turned = config.rotary().map_or(0, |r| r.dim);
        if turned != sizes.rope {
            return Err(bad(
                "qk_rope_head_dim",
                sizes.rope,
                format!("the rotary embedding turns {turned} values; it must turn all of them"),
            ));
        }
        let heads = config.num_attention_heads;
        if config.num_key_value_heads != heads {
            return Err(bad(
                "num_key_value_heads",
                config.num_key_value_heads,
                format!("latent attention makes keys for all {heads} heads; it must say so too"),
            ));
        }
    }
    match &config.experts {
        Some(experts) => experts.validate(),
        None => Ok(()),
    }
}

/// Loads the normalisations of a layer's latents; `name` gives a part's full name.
pub(super) fn load_norms(
    attention: LatentAttention,
    config: &ModelConfig,
    source: &dyn WeightSource,
    name: impl Fn(&str) -> String,
) -> Result<LatentNorms> {
    let norm =
        |part: &str, width: usize| Norm::load(source, &name(part), config.norm, width, LATENT_EPS);
    Ok(LatentNorms {
        query: attention
            .query_rank
            .map(|rank| norm("self_attn.q_a_layernorm", rank))
            .transpose()?,
        key_value: norm("self_attn.kv_a_layernorm", attention.sizes.latent)?,
    })
}

/// Loads a layer's router and routed experts, from a tensor for each expert's projections as
/// checkpoints have them or from the stacked ones that transformers 5 keeps in memory.
pub(super) fn load_experts(
    experts: &ExpertsConfig,
    config: &ModelConfig,
    source: &dyn WeightSource,
    precision: Precision,
    name: impl Fn(&str) -> String,
) -> Result<Experts> {
    let (n, d, f) = (experts.routing.experts, config.hidden_size, experts.intermediate_size);
    let router = FrozenLinear::new(source.load(&name("mlp.gate.weight"), &[n, d])?, n, d)?;
    let bias = experts
        .choice_bias
        .then(|| source.load(&name("mlp.gate.e_score_correction_bias"), &[n]))
        .transpose()?;
    let stacked = name("mlp.experts.gate_up_proj");
    let part = |values: &[f32], rows: usize, cols: usize| {
        from_values(values.to_vec(), (rows, cols), precision, &stacked)
    };
    let list = if source.has(&stacked) {
        let gate_up = source.load(&stacked, &[n, 2 * f, d])?;
        let down = source.load(&name("mlp.experts.down_proj"), &[n, d, f])?;
        gate_up
            .chunks_exact(2 * f * d)
            .zip(down.chunks_exact(d * f))
            .map(|(gate_up, down)| {
                let (gate, up) = gate_up.split_at(f * d);
                Ok(Expert { gate: part(gate, f, d)?, up: part(up, f, d)?, down: part(down, d, f)? })
            })
            .collect::<Result<Vec<_>>>()?
    } else {
        (0..n)
            .map(|e| {
                let linear = |part: &str, rows: usize, cols: usize| {
                    let full = name(&format!("mlp.experts.{e}.{part}.weight"));
                    if precision == Precision::Quantised {
                        if let Some(matrix) = source.quantised(&full, rows, cols)? {
                            return Ok(FrozenLinear::quantised(matrix));
                        }
                    }
                    from_values(source.load(&full, &[rows, cols])?, (rows, cols), precision, &full)
                };
                Ok(Expert {
                    gate: linear("gate_proj", f, d)?,
                    up: linear("up_proj", f, d)?,
                    down: linear("down_proj", d, f)?,
                })
            })
            .collect::<Result<Vec<_>>>()?
    };
    Experts::new(experts.routing, config.activation, router, bias, list)
}

/// transformers gives experts to every layer from the first on and does not read `moe_layer_freq`;
/// where a checkpoint has them everywhere, so does the model.
pub(super) fn follow_checkpoint(config: &mut ModelConfig, source: &dyn WeightSource) {
    let prefix = config.family.layer_prefix();
    let layers = config.num_hidden_layers;
    if let Some(experts) = config.experts.as_mut().filter(|e| e.every > 1) {
        let has = |layer| source.has(&format!("{prefix}{layer}.mlp.gate.weight"));
        if (experts.first..layers).all(has) {
            experts.every = 1;
        }
    }
}

/// The kind of a layer's feed-forward.
pub(super) fn feed_forward_kind(config: &ModelConfig, layer: usize) -> FeedForwardKind {
    match &config.experts {
        Some(experts) if experts.at(layer) => FeedForwardKind::Experts,
        _ => config.feed_forward,
    }
}
