//! The families of models: what Hugging Face calls their tensors and linear modules.

use super::config::{AttentionKind, FeedForwardKind, ModelConfig};
use super::deepseek;

/// An architecture, by Hugging Face's `model_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// LLaMA 2 and 3, SmolLM2, and what calls itself by that name.
    Llama,
    /// Mistral.
    Mistral,
    /// Qwen 2 and 2.5.
    Qwen2,
    /// Qwen 3.
    Qwen3,
    /// GPT-2.
    Gpt2,
    /// BLOOM.
    Bloom,
    /// ChatGLM 2 and 3, and GLM-4 as first published.
    ChatGlm,
    /// GLM-4 as transformers has it.
    Glm,
    /// GLM-4 of 2025 (GLM-4-0414), with normalisations after attention and feed-forward too.
    Glm4,
    /// DeepSeek V2: latent attention, experts chosen by a softmax.
    DeepseekV2,
    /// DeepSeek V3: the same with experts chosen by sigmoids.
    DeepseekV3,
}

/// What a linear module of a decoder block does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Query projection of the attention.
    Query,
    /// Key projection.
    Key,
    /// Value projection.
    Value,
    /// Output projection of the attention.
    Output,
    /// Gate projection of the feed-forward.
    Gate,
    /// Up projection (the only one on the way up of a feed-forward without gate).
    Up,
    /// Down projection.
    Down,
    /// Query, key and value projections in one.
    QueryKeyValue,
    /// Gate and up projections in one, gate first.
    GateUp,
    /// Down-projection of the queries of a latent attention.
    QueryA,
    /// Up-projection of the queries of a latent attention.
    QueryB,
    /// Down-projection of keys and values of a latent attention.
    KeyValueA,
    /// Up-projection of keys and values of a latent attention.
    KeyValueB,
    /// Gate projection of the shared experts.
    SharedGate,
    /// Up projection of the shared experts.
    SharedUp,
    /// Down projection of the shared experts.
    SharedDown,
}

impl Role {
    /// Number of roles.
    pub const COUNT: usize = 16;

    /// All roles in the order in which a layer's adapter parameters are laid out.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Query,
        Self::Key,
        Self::Value,
        Self::Output,
        Self::Gate,
        Self::Up,
        Self::Down,
        Self::QueryKeyValue,
        Self::GateUp,
        Self::QueryA,
        Self::QueryB,
        Self::KeyValueA,
        Self::KeyValueB,
        Self::SharedGate,
        Self::SharedUp,
        Self::SharedDown,
    ];

    /// Position in [`Self::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// One linear module of one layer. A role occurs at most once in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Module {
    /// What it does.
    pub role: Role,
    /// Hugging Face's path within the layer, for example `self_attn.q_proj`.
    pub path: &'static str,
    /// Width of the output.
    pub output: usize,
    /// Width of the input.
    pub input: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// Whether the file stores the weight as `[input, output]` (transformers' `Conv1D`; PEFT's
    /// `fan_in_fan_out`).
    pub conv1d: bool,
}

impl Module {
    /// The last part of the path, for example `q_proj`.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// Names of a family's tensors outside the linear modules, without `.weight` and `.bias`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// Before a layer's number.
    pub(crate) layers: &'static str,
    pub(crate) embedding: &'static str,
    pub(crate) positions: &'static str,
    pub(crate) embedding_norm: &'static str,
    pub(crate) final_norm: &'static str,
    pub(crate) head: &'static str,
    /// Within a layer.
    pub(crate) input_norm: &'static str,
    pub(crate) feed_forward_norm: &'static str,
    pub(crate) attention_output_norm: &'static str,
    pub(crate) feed_forward_output_norm: &'static str,
    pub(crate) query_norm: &'static str,
    pub(crate) key_norm: &'static str,
}

const LLAMA: Names = Names {
    layers: "model.layers.",
    embedding: "model.embed_tokens",
    positions: "",
    embedding_norm: "",
    final_norm: "model.norm",
    head: "lm_head",
    input_norm: "input_layernorm",
    feed_forward_norm: "post_attention_layernorm",
    attention_output_norm: "post_self_attn_layernorm",
    feed_forward_output_norm: "post_mlp_layernorm",
    query_norm: "self_attn.q_norm",
    key_norm: "self_attn.k_norm",
};

const GPT2: Names = Names {
    layers: "transformer.h.",
    embedding: "transformer.wte",
    positions: "transformer.wpe",
    final_norm: "transformer.ln_f",
    input_norm: "ln_1",
    feed_forward_norm: "ln_2",
    ..LLAMA
};

const BLOOM: Names = Names {
    layers: "transformer.h.",
    embedding: "transformer.word_embeddings",
    embedding_norm: "transformer.word_embeddings_layernorm",
    final_norm: "transformer.ln_f",
    ..LLAMA
};

const CHATGLM: Names = Names {
    layers: "transformer.encoder.layers.",
    embedding: "transformer.embedding.word_embeddings",
    final_norm: "transformer.encoder.final_layernorm",
    head: "transformer.output_layer",
    ..LLAMA
};

/// Paths of the linear modules within a layer; empty where the family has none of that role.
struct Paths {
    separate: [&'static str; 3],
    fused: &'static str,
    output: &'static str,
    gate: &'static str,
    gate_up: &'static str,
    up: &'static str,
    down: &'static str,
}

const LLAMA_PATHS: Paths = Paths {
    separate: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    fused: "",
    output: "self_attn.o_proj",
    gate: "mlp.gate_proj",
    gate_up: "mlp.gate_up_proj",
    up: "mlp.up_proj",
    down: "mlp.down_proj",
};

const GPT2_PATHS: Paths = Paths {
    separate: [""; 3],
    fused: "attn.c_attn",
    output: "attn.c_proj",
    gate: "",
    gate_up: "",
    up: "mlp.c_fc",
    down: "mlp.c_proj",
};

const BLOOM_PATHS: Paths = Paths {
    separate: [""; 3],
    fused: "self_attention.query_key_value",
    output: "self_attention.dense",
    gate: "",
    gate_up: "mlp.dense_h_to_4h",
    up: "mlp.dense_h_to_4h",
    down: "mlp.dense_4h_to_h",
};

impl Family {
    /// All families.
    pub const ALL: [Self; 11] = [
        Self::Llama,
        Self::Mistral,
        Self::Qwen2,
        Self::Qwen3,
        Self::Gpt2,
        Self::Bloom,
        Self::ChatGlm,
        Self::Glm,
        Self::Glm4,
        Self::DeepseekV2,
        Self::DeepseekV3,
    ];

    /// Hugging Face's `model_type`.
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Mistral => "mistral",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gpt2 => "gpt2",
            Self::Bloom => "bloom",
            Self::ChatGlm => "chatglm",
            Self::Glm => "glm",
            Self::Glm4 => "glm4",
            Self::DeepseekV2 => "deepseek_v2",
            Self::DeepseekV3 => "deepseek_v3",
        }
    }

    /// The family of a `model_type`.
    pub fn from_model_type(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.model_type() == name)
    }

    /// The modules that carry an adapter unless others are named: PEFT's own defaults, and for the
    /// families without one there, the counterparts in LLaMA.
    pub fn default_targets(self) -> &'static [&'static str] {
        match self {
            Self::Llama | Self::Mistral | Self::Qwen2 | Self::Qwen3 | Self::Glm | Self::Glm4 => {
                &["q_proj", "v_proj"]
            }
            Self::Gpt2 => &["c_attn"],
            Self::Bloom | Self::ChatGlm => &["query_key_value"],
            Self::DeepseekV2 | Self::DeepseekV3 => {
                &["q_proj", "q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"]
            }
        }
    }

    /// Whether models of this family have routed experts.
    pub fn has_routed_experts(self) -> bool {
        matches!(self, Self::DeepseekV2 | Self::DeepseekV3)
    }

    /// What stands before a layer's number in the names of its tensors, for example
    /// `model.layers.`.
    pub fn layer_prefix(self) -> &'static str {
        self.names().layers
    }

    pub(crate) fn names(self) -> &'static Names {
        match self {
            Self::Llama
            | Self::Mistral
            | Self::Qwen2
            | Self::Qwen3
            | Self::Glm
            | Self::Glm4
            | Self::DeepseekV2
            | Self::DeepseekV3 => &LLAMA,
            Self::Gpt2 => &GPT2,
            Self::Bloom => &BLOOM,
            Self::ChatGlm => &CHATGLM,
        }
    }

    fn paths(self) -> &'static Paths {
        match self {
            Self::Llama
            | Self::Mistral
            | Self::Qwen2
            | Self::Qwen3
            | Self::Glm
            | Self::Glm4
            | Self::DeepseekV2
            | Self::DeepseekV3 => &LLAMA_PATHS,
            Self::Gpt2 => &GPT2_PATHS,
            Self::Bloom | Self::ChatGlm => &BLOOM_PATHS,
        }
    }
}

impl ModelConfig {
    /// The linear modules of a layer.
    pub fn modules(&self, layer: usize) -> Vec<Module> {
        let paths = self.family.paths();
        let conv1d = self.fan_in_fan_out();
        let (d, f) = (self.hidden_size, self.intermediate_size);
        let heads = self.heads(layer);
        let mut modules = Vec::new();
        let mut add = |role, path, output, input, bias| {
            modules.push(Module { role, path, output, input, bias, conv1d });
        };
        let (q, k, v) = (heads.query_width(), heads.key_width(), heads.value_width());
        match self.attention_kind(layer) {
            AttentionKind::Separate => {
                let [query, key, value] = paths.separate;
                add(Role::Query, query, q, d, self.qkv_bias);
                add(Role::Key, key, k, d, self.qkv_bias);
                add(Role::Value, value, v, d, self.qkv_bias);
            }
            AttentionKind::Fused(_) => {
                add(Role::QueryKeyValue, paths.fused, q + k + v, d, self.qkv_bias);
            }
            AttentionKind::Latent(latent) => {
                deepseek::attention_modules(latent, d, self.qkv_bias, &mut add);
            }
        }
        add(Role::Output, paths.output, d, heads.output_width(), self.attention_output_bias);
        match self.feed_forward_kind(layer) {
            FeedForwardKind::Gated => {
                add(Role::Gate, paths.gate, f, d, self.mlp_bias);
                add(Role::Up, paths.up, f, d, self.mlp_bias);
            }
            FeedForwardKind::GatedFused => {
                add(Role::GateUp, paths.gate_up, 2 * f, d, self.mlp_bias);
            }
            FeedForwardKind::Plain => add(Role::Up, paths.up, f, d, self.mlp_bias),
            FeedForwardKind::Experts => {
                deepseek::shared_expert_modules(self, &mut add);
                return modules;
            }
        }
        add(Role::Down, paths.down, d, f, self.mlp_bias);
        modules
    }

    /// Whether the files of this family store linear weights as `[input, output]`.
    pub fn fan_in_fan_out(&self) -> bool {
        self.family == Family::Gpt2
    }

    /// The module of a layer that has a role.
    pub fn module(&self, layer: usize, role: Role) -> Option<Module> {
        self.modules(layer).into_iter().find(|m| m.role == role)
    }

    /// The full name of a module, for example `model.layers.3.self_attn.q_proj`.
    pub fn module_name(&self, layer: usize, module: &Module) -> String {
        format!("{}{layer}.{}", self.family.layer_prefix(), module.path)
    }

    /// The layer and module of a full name as [`Self::module_name`] gives it, whether or not the
    /// model has that many layers.
    pub fn find_module(&self, name: &str) -> Option<(usize, Module)> {
        let (layer, path) = name.strip_prefix(self.family.layer_prefix())?.split_once('.')?;
        let number: usize = layer.parse().ok()?;
        // "01" would make two names for one layer.
        if number.to_string() != layer {
            return None;
        }
        let known = number.min(self.num_hidden_layers.saturating_sub(1));
        let module = self.modules(known).into_iter().find(|m| m.path == path)?;
        Some((number, module))
    }
}
