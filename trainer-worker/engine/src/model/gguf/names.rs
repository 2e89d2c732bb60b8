//! Names and layouts of weights: Hugging Face's module paths beside the tensor names that
//! llama.cpp's converter writes, one table for both directions.
//!
//! The table holds module paths without their suffix (`.weight`, `.bias`), so that it serves the
//! tensors of a model and those of an adapter (`blk.3.attn_q.weight.lora_a`).

use crate::error::{Error, Result};

/// A family of models as far as names and layouts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// LLaMA, SmolLM2, Mistral, DeepSeek's LLaMA distills: rotary halves interleaved in the file.
    Llama,
    /// Qwen 2 and 2.5.
    Qwen2,
    /// Qwen 3: as Qwen 2 with norms of q and k.
    Qwen3,
    /// GPT-2: `Conv1D` weights are `[input, output]` in Hugging Face's files.
    Gpt2,
    /// BLOOM: q, k and v interleaved by head in Hugging Face's files.
    Bloom,
    /// ChatGLM 2, 3 and GLM-4 under the names of its own remote code.
    ChatGlm,
    /// GLM-4 9B under transformers' names (`glm`).
    Glm,
    /// GLM-4-0414 (`glm4`): as `glm` with norms after attention and feed-forward.
    Glm4,
    /// DeepSeek V2 and V3.
    DeepSeek2,
}

/// Which heads a weight's rows belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowHeads {
    /// Query heads.
    Query,
    /// Key and value heads.
    KeyValue,
}

/// How a weight lies in a GGUF file, compared with Hugging Face's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// The same, `[output, input]`.
    Same,
    /// `[output, input]` where Hugging Face has `[input, output]`.
    Transposed,
    /// The two rotary halves of each head interleaved row by row.
    Rotary(RowHeads),
    /// All q, then all k, then all v, where Hugging Face has q, k and v of each head in turn.
    FusedByHead,
}

/// Numbers of heads that [`Layout::row_order`] needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadCounts {
    /// Query heads.
    pub query: usize,
    /// Key and value heads.
    pub key_value: usize,
}

impl Layout {
    /// For each of Hugging Face's `rows` output rows the row of the GGUF tensor that holds it, or
    /// nothing where the order is the same.
    ///
    /// # Errors
    /// When the rows cannot be split into the heads.
    pub fn row_order(self, rows: usize, heads: HeadCounts) -> Result<Option<Vec<usize>>> {
        let (count, parts) = match self {
            Self::Same | Self::Transposed => return Ok(None),
            Self::Rotary(RowHeads::Query) => (heads.query, 2),
            Self::Rotary(RowHeads::KeyValue) => (heads.key_value, 2),
            Self::FusedByHead => (heads.query, 3),
        };
        if count == 0 || rows == 0 || !rows.is_multiple_of(count.saturating_mul(parts)) {
            return Err(Error::gguf(format!(
                "a weight of {rows} rows cannot be split into {count} heads of {parts} parts"
            )));
        }
        let width = rows / count;
        let part = width / parts;
        Ok(Some(
            (0..rows)
                .map(|row| {
                    let (head, p, j) = (row / width, row % width / part, row % part);
                    match self {
                        Self::FusedByHead => (p * count + head) * part + j,
                        _ => head * width + j * parts + p,
                    }
                })
                .collect(),
        ))
    }
}

/// Where a Hugging Face tensor lies in a GGUF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The GGUF tensor's name.
    pub tensor: String,
    /// Which slice of a stacked tensor, for the weight of one routed expert.
    pub expert: Option<usize>,
    /// How it lies there.
    pub layout: Layout,
}

type Table = &'static [(&'static str, &'static str)];

const LLAMA_OUTER: Table =
    &[("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output")];
const LLAMA_BLOCK: Table = &[
    ("input_layernorm", "attn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];
const QWEN3_BLOCK: Table =
    &[("self_attn.q_norm", "attn_q_norm"), ("self_attn.k_norm", "attn_k_norm")];

const GPT2_OUTER: Table = &[
    ("transformer.wte", "token_embd"),
    ("transformer.wpe", "position_embd"),
    ("transformer.ln_f", "output_norm"),
    ("lm_head", "output"),
];
const GPT2_BLOCK: Table = &[
    ("ln_1", "attn_norm"),
    ("attn.c_attn", "attn_qkv"),
    ("attn.c_proj", "attn_output"),
    ("ln_2", "ffn_norm"),
    ("mlp.c_fc", "ffn_up"),
    ("mlp.c_proj", "ffn_down"),
];

const BLOOM_OUTER: Table = &[
    ("transformer.word_embeddings", "token_embd"),
    ("transformer.word_embeddings_layernorm", "token_embd_norm"),
    ("transformer.ln_f", "output_norm"),
    ("lm_head", "output"),
];
/// BLOOM's and ChatGLM's blocks have the same names.
const FUSED_BLOCK: Table = &[
    ("input_layernorm", "attn_norm"),
    ("self_attention.query_key_value", "attn_qkv"),
    ("self_attention.dense", "attn_output"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.dense_h_to_4h", "ffn_up"),
    ("mlp.dense_4h_to_h", "ffn_down"),
];
const CHATGLM_OUTER: Table = &[
    ("transformer.embedding.word_embeddings", "token_embd"),
    ("transformer.encoder.final_layernorm", "output_norm"),
    ("transformer.output_layer", "output"),
];

const GLM_BLOCK: Table = &[
    ("input_layernorm", "attn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.gate_up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];
const GLM4_BLOCK: Table =
    &[("post_self_attn_layernorm", "post_attention_norm"), ("post_mlp_layernorm", "post_ffw_norm")];

const DEEPSEEK_BLOCK: Table = &[
    ("input_layernorm", "attn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.q_a_proj", "attn_q_a"),
    ("self_attn.q_a_layernorm", "attn_q_a_norm"),
    ("self_attn.q_b_proj", "attn_q_b"),
    ("self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"),
    ("self_attn.kv_a_layernorm", "attn_kv_a_norm"),
    ("self_attn.kv_b_proj", "attn_kv_b"),
    ("self_attn.o_proj", "attn_output"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("mlp.gate", "ffn_gate_inp"),
    ("mlp.shared_experts.gate_proj", "ffn_gate_shexp"),
    ("mlp.shared_experts.up_proj", "ffn_up_shexp"),
    ("mlp.shared_experts.down_proj", "ffn_down_shexp"),
];
/// The routed experts of one block are one stacked tensor, `[expert, output, input]`.
const EXPERTS: Table =
    &[("gate_proj", "ffn_gate_exps"), ("up_proj", "ffn_up_exps"), ("down_proj", "ffn_down_exps")];
/// The router's bias of DeepSeek V3 has no module of its own.
const ROUTER_BIAS: (&str, &str) = ("mlp.gate.e_score_correction_bias", "exp_probs_b.bias");

impl Family {
    /// Every family of the table.
    pub const ALL: [Self; 9] = [
        Self::Llama,
        Self::Qwen2,
        Self::Qwen3,
        Self::Gpt2,
        Self::Bloom,
        Self::ChatGlm,
        Self::Glm,
        Self::Glm4,
        Self::DeepSeek2,
    ];

    /// By `model_type` of Hugging Face's `config.json`.
    pub fn from_model_type(model_type: &str) -> Option<Self> {
        Some(match model_type {
            "llama" | "mistral" => Self::Llama,
            "qwen2" => Self::Qwen2,
            "qwen3" => Self::Qwen3,
            "gpt2" => Self::Gpt2,
            "bloom" => Self::Bloom,
            "chatglm" => Self::ChatGlm,
            "glm" => Self::Glm,
            "glm4" => Self::Glm4,
            "deepseek_v2" | "deepseek_v3" => Self::DeepSeek2,
            _ => return None,
        })
    }

    /// `general.architecture` of its GGUF files.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gpt2 => "gpt2",
            Self::Bloom => "bloom",
            Self::ChatGlm | Self::Glm => "chatglm",
            Self::Glm4 => "glm4",
            Self::DeepSeek2 => "deepseek2",
        }
    }

    /// Path of the list of blocks, as in `model.layers` of `model.layers.3.mlp`.
    pub fn blocks(self) -> &'static str {
        match self {
            Self::Gpt2 | Self::Bloom => "transformer.h",
            Self::ChatGlm => "transformer.encoder.layers",
            _ => "model.layers",
        }
    }

    fn outer(self) -> Table {
        match self {
            Self::Gpt2 => GPT2_OUTER,
            Self::Bloom => BLOOM_OUTER,
            Self::ChatGlm => CHATGLM_OUTER,
            _ => LLAMA_OUTER,
        }
    }

    fn block(self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let (first, more): (Table, Table) = match self {
            Self::Llama | Self::Qwen2 => (LLAMA_BLOCK, &[]),
            Self::Qwen3 => (LLAMA_BLOCK, QWEN3_BLOCK),
            Self::Gpt2 => (GPT2_BLOCK, &[]),
            Self::Bloom | Self::ChatGlm => (FUSED_BLOCK, &[]),
            Self::Glm => (GLM_BLOCK, &[]),
            Self::Glm4 => (GLM_BLOCK, GLM4_BLOCK),
            Self::DeepSeek2 => (DEEPSEEK_BLOCK, &[]),
        };
        first.iter().chain(more)
    }

    /// How the weight of a block's module, such as `self_attn.q_proj`, lies in a GGUF file.
    pub fn layout(self, module: &str) -> Layout {
        match (self, module) {
            (Self::Llama, "self_attn.q_proj") => Layout::Rotary(RowHeads::Query),
            (Self::Llama, "self_attn.k_proj") => Layout::Rotary(RowHeads::KeyValue),
            (Self::Gpt2, "attn.c_attn" | "attn.c_proj" | "mlp.c_fc" | "mlp.c_proj") => {
                Layout::Transposed
            }
            (Self::Bloom, "self_attention.query_key_value") => Layout::FusedByHead,
            _ => Layout::Same,
        }
    }

    /// Where a Hugging Face tensor such as `model.layers.3.self_attn.q_proj.weight` lies. The
    /// prefix `transformer.` may be missing, as it is in the published GPT-2 and BLOOM files.
    pub fn place(self, name: &str) -> Option<Place> {
        let prefixed;
        let mut name = name;
        if matches!(self, Self::Gpt2 | Self::Bloom)
            && !name.starts_with("transformer.")
            && !name.starts_with("lm_head.")
        {
            prefixed = format!("transformer.{name}");
            name = &prefixed;
        }
        let same = |tensor| Place { tensor, expert: None, layout: Layout::Same };
        let (path, suffix) = name.rsplit_once('.')?;
        if let Some((_, gguf)) = self.outer().iter().find(|(hf, _)| *hf == path) {
            return valid(suffix).then(|| same(format!("{gguf}.{suffix}")));
        }
        let (layer, path) = name.strip_prefix(self.blocks())?.strip_prefix('.')?.split_once('.')?;
        let layer = number(layer)?;
        if self == Self::DeepSeek2 && path == ROUTER_BIAS.0 {
            return Some(same(format!("blk.{layer}.{}", ROUTER_BIAS.1)));
        }
        let (module, suffix) = path.rsplit_once('.')?;
        if !valid(suffix) {
            return None;
        }
        if let Some(rest) = module.strip_prefix("mlp.experts.").filter(|_| self == Self::DeepSeek2)
        {
            let (expert, projection) = rest.split_once('.')?;
            let (_, gguf) = EXPERTS.iter().find(|(hf, _)| *hf == projection)?;
            return Some(Place {
                tensor: format!("blk.{layer}.{gguf}.{suffix}"),
                expert: Some(number(expert)?),
                layout: Layout::Same,
            });
        }
        Some(Place {
            tensor: format!("{}.{suffix}", to_gguf(self, layer, module)?),
            expert: None,
            layout: self.layout(module),
        })
    }

    /// The Hugging Face tensor for a GGUF tensor's name, the inverse of [`Self::place`]. Stacked
    /// experts and the split `attn_k_b`/`attn_v_b` stand for several and have none.
    pub fn from_gguf(self, tensor: &str) -> Option<String> {
        let (path, suffix) = tensor.rsplit_once('.')?;
        if !valid(suffix) {
            return None;
        }
        if let Some((hf, _)) = self.outer().iter().find(|(_, gguf)| *gguf == path) {
            return Some(format!("{hf}.{suffix}"));
        }
        let (layer, path) = tensor.strip_prefix("blk.")?.split_once('.')?;
        let layer = number(layer)?;
        if self == Self::DeepSeek2 && path == ROUTER_BIAS.1 {
            return Some(format!("{}.{layer}.{}", self.blocks(), ROUTER_BIAS.0));
        }
        let (module, _) = path.rsplit_once('.')?;
        let (hf, _) = self.block().find(|(_, gguf)| *gguf == module)?;
        Some(format!("{}.{layer}.{hf}.{suffix}", self.blocks()))
    }
}

/// A plain decimal number without sign or leading zero.
fn number(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

fn valid(suffix: &str) -> bool {
    matches!(suffix, "weight" | "bias")
}

/// The GGUF path of a module of block `layer`, without suffix: `("self_attn.q_proj", 3)` of LLaMA
/// is `blk.3.attn_q`. The module's path is relative to its block, as in PEFT's adapters after
/// `base_model.model.model.layers.3.`.
pub fn to_gguf(family: Family, layer: usize, module: &str) -> Option<String> {
    let (_, gguf) = family.block().find(|(hf, _)| *hf == module)?;
    Some(format!("blk.{layer}.{gguf}"))
}
