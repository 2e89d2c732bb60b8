//! What a model is made of, sizes and constants, checked before anything is allocated by them.

use super::deepseek::{self, ExpertsConfig, LatentAttention};
use super::family::Family;
use super::rotary::Rotary;
use crate::error::{Error, Result};
use crate::kernels::activation::Activation;
use crate::kernels::attention::Heads;

/// Greatest sizes that a configuration may ask for; larger ones are refused as hostile.
pub(super) mod limit {
    pub(in super::super) const LAYERS: usize = 256;
    pub(super) const HIDDEN: usize = 32_768;
    pub(super) const INTERMEDIATE: usize = 131_072;
    pub(super) const HEADS: usize = 512;
    pub(super) const HEAD_DIM: usize = 512;
    pub(super) const VOCABULARY: usize = 1_048_576;
    pub(in super::super) const CONTEXT: usize = 16_777_216;
    /// Bytes of all weights as they are kept: 8 billion parameters in `f32`, 50 in four bits.
    pub(in super::super) const WEIGHT_BYTES: u128 = 32_000_000_000;
}

/// How a layer's attention gets its queries, keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttentionKind {
    /// Three projections.
    Separate,
    /// One projection, split afterwards.
    Fused(FusedLayout),
    /// Up-projections of normalised latents (DeepSeek).
    Latent(LatentAttention),
}

/// Order of the outputs of a fused query-key-value projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FusedLayout {
    /// All queries, then all keys, then all values (GPT-2, ChatGLM).
    Sections,
    /// For each head its query, key and value (BLOOM).
    PerHead,
}

/// A layer's feed-forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedForwardKind {
    /// `down(act(gate(x)) * up(x))`.
    Gated,
    /// The same with gate and up in one projection, gate first.
    GatedFused,
    /// `down(act(up(x)))`.
    Plain,
    /// Routed experts that are gated feed-forwards, and shared ones that every token goes through.
    Experts,
}

/// The normalisation of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// Root mean square, with a weight.
    Rms,
    /// Mean and variance, with a weight and a bias.
    Layer,
}

/// How a model knows the places of its tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum Position {
    /// Rotary embedding of queries and keys.
    Rotary(Rotary),
    /// Linear biases on the attention's scores.
    Alibi,
    /// A learned vector for each position, added to the token's embedding.
    Learned,
}

/// Sizes of a model, by the names of most `config.json` files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
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
}

/// A model's parts, sizes and constants.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Name or path, for an adapter's `base_model_name_or_path`.
    pub name: String,
    /// The architecture.
    pub family: Family,
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
    /// Values of a head of q and k.
    pub head_dim: usize,
    /// Values of a head of v and of the attention's output.
    pub value_head_dim: usize,
    /// Factor on the attention's scores, mostly `1 / √head_dim`.
    pub attention_scale: f32,
    /// Whether layer `i` divides its scores by `i + 1` as well (GPT-2's
    /// `scale_attn_by_inverse_layer_idx`).
    pub scale_by_inverse_layer: bool,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Longest context in tokens.
    pub max_position_embeddings: usize,
    /// Kind of all normalisations.
    pub norm: NormKind,
    /// Epsilon of the normalisations.
    pub norm_eps: f32,
    /// Whether the embeddings are normalised (BLOOM).
    pub embedding_norm: bool,
    /// Whether the outputs of attention and feed-forward are normalised before they are added to the
    /// residual stream (GLM-4 of 2025).
    pub output_norms: bool,
    /// Whether the residual stream continues from the normalised input instead of the input
    /// (`apply_residual_connection_post_layernorm`).
    pub residual_after_norm: bool,
    /// Whether there is a normalisation before the head.
    pub final_norm: bool,
    /// Query, key and value projections of layers without a kind of their own.
    pub attention: AttentionKind,
    /// Feed-forward of layers without a kind of their own.
    pub feed_forward: FeedForwardKind,
    /// The mixture of experts, in models that have one.
    pub experts: Option<ExpertsConfig>,
    /// Activation of the feed-forward.
    pub activation: Activation,
    /// How places are known.
    pub position: Position,
    /// Each layer's sliding window in tokens, where it has one; empty when no layer has.
    pub windows: Vec<Option<usize>>,
    /// Whether each head of q and k is normalised before it is turned (Qwen 3).
    pub qk_norm: bool,
    /// Whether query, key and value projections have biases.
    pub qkv_bias: bool,
    /// Whether the attention's output projection has a bias.
    pub attention_output_bias: bool,
    /// Whether the feed-forward's projections have biases.
    pub mlp_bias: bool,
    /// Whether the head shares the embedding's weight.
    pub tie_word_embeddings: bool,
}

/// An [`Error::ModelConfig`].
pub(super) fn bad(field: &str, value: impl ToString, problem: impl Into<String>) -> Error {
    Error::ModelConfig {
        field: field.to_owned(),
        value: value.to_string(),
        problem: problem.into(),
    }
}

impl ModelConfig {
    /// Parameters of the largest configuration that is read. How large a model may be loaded
    /// depends on how its weights are kept (see [`Model::load_with`](super::Model::load_with)).
    pub const MAX_PARAMETERS: u128 = 1_000_000_000_000;

    /// A family's standard parts with the given sizes; the caller sets what differs and then calls
    /// [`Self::validate`].
    pub fn new(family: Family, name: &str, sizes: Sizes) -> Self {
        let head_dim = sizes.head_dim;
        let rotary = |dim: usize, interleaved: bool| {
            Position::Rotary(Rotary { dim, interleaved, ..Rotary::default() })
        };
        let mut config = Self {
            name: name.to_owned(),
            family,
            hidden_size: sizes.hidden_size,
            intermediate_size: sizes.intermediate_size,
            num_hidden_layers: sizes.num_hidden_layers,
            num_attention_heads: sizes.num_attention_heads,
            num_key_value_heads: sizes.num_key_value_heads,
            head_dim,
            value_head_dim: head_dim,
            attention_scale: 1.0 / (head_dim as f32).sqrt(),
            scale_by_inverse_layer: false,
            vocab_size: sizes.vocab_size,
            max_position_embeddings: sizes.max_position_embeddings,
            norm: NormKind::Rms,
            norm_eps: 1e-6,
            embedding_norm: false,
            output_norms: false,
            residual_after_norm: false,
            final_norm: true,
            attention: AttentionKind::Separate,
            feed_forward: FeedForwardKind::Gated,
            experts: None,
            activation: Activation::Silu,
            position: rotary(head_dim, false),
            windows: Vec::new(),
            qk_norm: false,
            qkv_bias: false,
            attention_output_bias: false,
            mlp_bias: false,
            tie_word_embeddings: false,
        };
        let half = head_dim / 2;
        match family {
            // What makes a DeepSeek of it is set by `model::deepseek`.
            Family::Llama | Family::Mistral | Family::DeepseekV2 | Family::DeepseekV3 => {}
            Family::Qwen2 => config.qkv_bias = true,
            Family::Qwen3 => config.qk_norm = true,
            Family::Gpt2 | Family::Bloom => {
                config.norm = NormKind::Layer;
                config.norm_eps = 1e-5;
                config.feed_forward = FeedForwardKind::Plain;
                config.activation = Activation::GeluTanh;
                config.tie_word_embeddings = true;
                (config.qkv_bias, config.attention_output_bias, config.mlp_bias) =
                    (true, true, true);
                if family == Family::Gpt2 {
                    config.attention = AttentionKind::Fused(FusedLayout::Sections);
                    config.position = Position::Learned;
                } else {
                    config.attention = AttentionKind::Fused(FusedLayout::PerHead);
                    config.position = Position::Alibi;
                    config.embedding_norm = true;
                }
            }
            Family::ChatGlm => {
                config.norm_eps = 1e-5;
                config.attention = AttentionKind::Fused(FusedLayout::Sections);
                config.feed_forward = FeedForwardKind::GatedFused;
                config.position = rotary(half, true);
                config.qkv_bias = true;
            }
            Family::Glm | Family::Glm4 => {
                config.norm_eps = 1.5625e-7;
                config.feed_forward = FeedForwardKind::GatedFused;
                config.position = rotary(half, true);
                config.qkv_bias = true;
                config.output_norms = family == Family::Glm4;
            }
        }
        config
    }

    /// Sizes of a layer's attention heads and the factor on their scores.
    pub fn heads(&self, layer: usize) -> Heads {
        let scale = if self.scale_by_inverse_layer {
            self.attention_scale / (layer + 1) as f32
        } else {
            self.attention_scale
        };
        Heads {
            query: self.num_attention_heads,
            key_value: self.num_key_value_heads,
            dim: self.head_dim,
            value_dim: self.value_head_dim,
            scale,
        }
    }

    /// How a layer's attention gets its queries, keys and values.
    pub fn attention_kind(&self, _layer: usize) -> AttentionKind {
        self.attention
    }

    /// A layer's feed-forward.
    pub fn feed_forward_kind(&self, layer: usize) -> FeedForwardKind {
        deepseek::feed_forward_kind(self, layer)
    }

    /// A layer's sliding window in tokens.
    pub fn window(&self, layer: usize) -> Option<usize> {
        self.windows.get(layer).copied().flatten()
    }

    /// The rotary embedding, if there is one.
    pub fn rotary(&self) -> Option<&Rotary> {
        match &self.position {
            Position::Rotary(rotary) => Some(rotary),
            Position::Alibi | Position::Learned => None,
        }
    }

    /// Refuses batches of sequences of up to `max_seq_length` tokens where a sequence's result would
    /// depend on the longest one beside it (rotary scaling `dynamic` and `longrope` beyond their
    /// original context).
    pub fn check_batched_length(&self, max_seq_length: usize) -> Result<()> {
        match self.rotary().and_then(Rotary::same_up_to) {
            Some(same) if max_seq_length > same => Err(Error::Setting {
                name: "max_seq_length",
                value: max_seq_length.to_string(),
                range: format!(
                    "at most {same}: beyond that this model's rotary frequencies depend on the \
                     longest sequence of a batch, and so would every loss in it"
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Number of parameters of the base model.
    pub fn parameters(&self) -> u128 {
        let (d, v) = (self.hidden_size as u128, self.vocab_size as u128);
        let norm = match self.norm {
            NormKind::Rms => d,
            NormKind::Layer => 2 * d,
        };
        let norms = if self.output_norms { 4 } else { 2 } * norm;
        let qk = if self.qk_norm { 2 * self.head_dim as u128 } else { 0 };
        let layers: u128 = (0..self.num_hidden_layers)
            .map(|layer| {
                let linear: u128 = self
                    .modules(layer)
                    .iter()
                    .map(|m| {
                        let bias = if m.bias { m.output as u128 } else { 0 };
                        m.output as u128 * m.input as u128 + bias
                    })
                    .sum();
                linear + norms + qk + self.other_parameters(layer)
            })
            .sum();
        let positions = match self.position {
            Position::Learned => self.max_position_embeddings as u128 * d,
            Position::Rotary(_) | Position::Alibi => 0,
        };
        let outer = u128::from(self.embedding_norm) + u128::from(self.final_norm);
        let tables = if self.tie_word_embeddings { v * d } else { 2 * v * d };
        layers + positions + outer * norm + tables
    }

    /// Parameters of a layer that are in no linear module: the norms of its latents, its router and
    /// its routed experts.
    fn other_parameters(&self, layer: usize) -> u128 {
        let latents = match self.attention_kind(layer) {
            AttentionKind::Latent(latent) => {
                latent.sizes.latent as u128 + latent.query_rank.unwrap_or(0) as u128
            }
            AttentionKind::Separate | AttentionKind::Fused(_) => 0,
        };
        let experts = self.experts.as_ref().filter(|e| e.at(layer));
        latents + experts.map_or(0, |e| e.parameters(self.hidden_size))
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
            ("value_head_dim", self.value_head_dim, limit::HEAD_DIM),
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
        if self.attention == AttentionKind::Fused(FusedLayout::PerHead)
            && (self.num_key_value_heads != self.num_attention_heads
                || self.value_head_dim != self.head_dim)
        {
            return Err(bad(
                "num_key_value_heads",
                self.num_key_value_heads,
                "a query_key_value projection that is interleaved by head needs equal heads",
            ));
        }
        if !(self.attention_scale.is_finite() && self.attention_scale > 0.0) {
            return Err(bad("attention_scale", self.attention_scale, "must be a positive number"));
        }
        if !(self.norm_eps.is_finite() && self.norm_eps > 0.0 && self.norm_eps < 1.0) {
            let field = match self.norm {
                NormKind::Rms => "rms_norm_eps",
                NormKind::Layer => "layer_norm_epsilon",
            };
            return Err(bad(field, self.norm_eps, "must lie between 0 and 1"));
        }
        if let Some(rotary) = self.rotary() {
            rotary.validate(self.head_dim)?;
        }
        deepseek::validate(self)?;
        if !self.windows.is_empty() && self.windows.len() != self.num_hidden_layers {
            return Err(bad(
                "layer_types",
                format!("{} layers", self.windows.len()),
                format!("must be num_hidden_layers = {}", self.num_hidden_layers),
            ));
        }
        if self.windows.contains(&Some(0)) {
            return Err(bad("sliding_window", 0, "must be at least 1"));
        }
        let parameters = self.parameters();
        if parameters > Self::MAX_PARAMETERS {
            return Err(bad(
                "parameters",
                parameters,
                format!("must be at most {}", Self::MAX_PARAMETERS),
            ));
        }
        Ok(())
    }
}
