//! Settings of `config.json` that change what a model computes and that this engine does not
//! implement: a checkpoint that uses one is refused by name instead of answering wrongly.
//!
//! `docs/models.md` lists every setting that changes the computation, with what becomes of it.

use super::config::bad;
use super::config_json::Fields;
use super::family::Family;
use crate::error::Result;
use serde_json::{json, Value};

/// Settings of other architectures, some of which publish under these families' `model_type`.
const FOREIGN: [&str; 14] = [
    "alibi",
    "attention_chunk_size",
    "attention_multiplier",
    "attn_logit_softcapping",
    "clip_qkv",
    "embedding_multiplier",
    "final_logit_softcapping",
    "logit_scale",
    "logits_scaling",
    "no_rope_layers",
    "query_pre_attn_scalar",
    "residual_multiplier",
    "scale_depth",
    "scale_emb",
];

impl Fields<'_> {
    /// Refuses a field unless it is missing, null or one of `accepted`.
    fn only(&self, field: &str, accepted: &[Value], problem: &str) -> Result<()> {
        match self.0.get(field).filter(|v| !v.is_null()) {
            Some(value) if !accepted.contains(value) => Err(bad(field, value, problem)),
            _ => Ok(()),
        }
    }

    /// Refuses what the family's models in transformers do not compute, or this engine does not.
    pub(super) fn check_switches(&self, family: Family) -> Result<()> {
        for field in FOREIGN {
            self.only(field, &[json!(false)], "belongs to another architecture")?;
        }
        if !matches!(family, Family::Mistral | Family::Qwen2 | Family::Qwen3) {
            let unused = self.0.get("use_sliding_window") == Some(&json!(false));
            if !unused {
                self.only("sliding_window", &[], "models of this family have no window")?;
            }
            self.only(
                "use_sliding_window",
                &[json!(false)],
                "models of this family have no window",
            )?;
            self.layer_types_all("full_attention")?;
        }
        match family {
            Family::Mistral => {
                let window = self.0.get("sliding_window").is_none_or(|v| !v.is_null());
                self.layer_types_all(if window { "sliding_attention" } else { "full_attention" })
            }
            Family::Qwen2 | Family::Qwen3 => {
                let used = self.flag("use_sliding_window", false)?
                    && self.0.get("sliding_window") != Some(&Value::Null);
                // Without a window transformers builds no mask for such layers and fails.
                if used {
                    Ok(())
                } else {
                    self.layer_types_all("full_attention")
                }
            }
            Family::Gpt2 => {
                let alone = "only decoders by themselves are supported";
                self.only("add_cross_attention", &[json!(false)], alone)
            }
            Family::Bloom => {
                let hidden = self.size(&["n_embed", "hidden_size", "n_embd"], None)?;
                let inner = json!(hidden.saturating_mul(4));
                self.only("n_inner", &[inner], "must be four times the width, as BLOOM has it")
            }
            Family::ChatGlm => self.check_chatglm(),
            Family::Llama
            | Family::Glm
            | Family::Glm4
            | Family::DeepseekV2
            | Family::DeepseekV3 => Ok(()),
        }
    }

    fn layer_types_all(&self, kind: &str) -> Result<()> {
        let others = |v: &Value| !v.as_array().is_some_and(|l| l.iter().all(|t| t == kind));
        match self.0.get("layer_types").filter(|v| !v.is_null()) {
            Some(types) if others(types) => {
                let problem = format!("every layer must be {kind} with these settings");
                Err(bad("layer_types", types, problem))
            }
            _ => Ok(()),
        }
    }

    fn check_chatglm(&self) -> Result<()> {
        let unused = [json!(false)];
        let first = "the first ChatGLM-6B is another architecture; ChatGLM2, 3 and GLM-4 are read";
        self.only("position_encoding_2d", &unused, first)?;
        self.only("inner_hidden_size", &[], first)?;
        self.only("interleaved_qkv", &unused, "one section after the other is read")?;
        self.only("original_rope", &[json!(true)], "only the original rotary embedding is read")?;
        let scaled = "ChatGLM scales its rotary embedding by rope_ratio";
        self.only("rope_scaling", &[json!({})], scaled)?;
        self.only("rope_theta", &[json!(10000), json!(10000.0)], scaled)?;
        let prefix = "prefixes are not supported";
        self.only("pre_seq_len", &[json!(0)], prefix)?;
        self.only("prefix_projection", &unused, prefix)?;
        let bits = "only checkpoints with unquantised weights are supported";
        self.only("quantization_bit", &[json!(0)], bits)
    }
}
