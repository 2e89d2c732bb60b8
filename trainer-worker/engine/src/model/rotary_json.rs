//! The rotary embedding in `config.json`: `rope_parameters` as transformers 5 writes it, or the older
//! `rope_scaling` beside `rope_theta`, with its kind under `rope_type` or `type`.

use super::config::bad;
use super::config_json::Fields;
use super::rotary::{DynamicScaling, Llama3Scaling, LongScaling, RopeScaling, Rotary, YarnScaling};
use crate::error::Result;
use serde_json::Value;

/// Most divisors that a list of LongRoPE may have: half of the widest head.
const MAX_DIVISORS: usize = 256;

/// Settings of other kinds of models that change the frequencies.
const FOREIGN: [&str; 5] =
    ["mrope_section", "mrope_interleaved", "short_mscale", "long_mscale", "llama_4_scaling_beta"];

impl Fields<'_> {
    /// Theta, scaling and the share of a head that turns. `share` is what turns where nothing is
    /// said, in families whose models turn a part; in others a share below 1 is refused, since
    /// transformers would not see it.
    pub(super) fn rotary(
        &self,
        head_dim: usize,
        share: Option<f64>,
        max_positions: usize,
    ) -> Result<Rotary> {
        let rope = self.rope_object()?;
        let inner = Fields(rope);
        for field in FOREIGN {
            if rope.get(field).is_some_and(|v| !v.is_null()) {
                return Err(bad(field, inner.shown(field), "not known in these families"));
            }
        }
        let theta = inner.number(&["rope_theta"], self.number(&["rope_theta"], 10_000.0)?)?;
        let given = self.number(&["partial_rotary_factor"], share.unwrap_or(1.0))?;
        let given = inner.number(&["partial_rotary_factor"], given)?;
        if !(given.is_finite() && given > 0.0 && given <= 1.0) {
            return Err(bad("partial_rotary_factor", given, "must lie above 0 and up to 1"));
        }
        if share.is_none() && given != 1.0 {
            let problem = "transformers turns whole heads in this family whatever is said here; \
                           remove the field or set it to 1";
            return Err(bad("partial_rotary_factor", given, problem));
        }
        let scaling = self.rope_scaling(&inner, max_positions)?;
        // transformers' DeepSeek scales its scores by `mscale_all_dim` with every kind but the
        // default; published models only have it with yarn.
        let elsewhere = scaling.as_ref().is_some_and(|s| !matches!(s, RopeScaling::Yarn(_)));
        if elsewhere && inner.optional_number("mscale_all_dim")?.is_some_and(|w| w != 0.0) {
            let shown = inner.shown("mscale_all_dim");
            return Err(bad("mscale_all_dim", shown, "is read with rope_type yarn alone"));
        }
        let turned = (head_dim as f64 * given) as usize;
        // An odd share is rounded up to whole pairs where that fits into the head.
        let dim = if turned < head_dim { turned.next_multiple_of(2) } else { turned };
        let exponents_over = (dim != turned).then_some(turned);
        Ok(Rotary { dim, theta, exponents_over, scaling, ..Rotary::default() })
    }

    /// The object that describes the embedding; like transformers, an older `rope_scaling` first.
    fn rope_object(&self) -> Result<&Value> {
        for name in ["rope_scaling", "rope_parameters"] {
            match self.0.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::Object(fields)) if fields.is_empty() => {}
                Some(value @ Value::Object(fields)) => {
                    let nested = |(_, v): (&String, &Value)| v.is_object();
                    if fields.iter().any(nested) {
                        let problem = "one setting for all layers is supported, not one for each \
                                       type of layer";
                        return Err(bad(name, value, problem));
                    }
                    return Ok(value);
                }
                Some(other) => return Err(bad(name, other, "must be an object")),
            }
        }
        Ok(&Value::Null)
    }

    fn rope_scaling(
        &self,
        inner: &Fields<'_>,
        max_positions: usize,
    ) -> Result<Option<RopeScaling>> {
        let need = |field: &str| {
            inner.optional_number(field)?.ok_or_else(|| {
                let problem = format!("rope_type {} needs it", inner.shown("rope_type"));
                bad(field, "missing", problem)
            })
        };
        // What stands outside has precedence in transformers.
        let original = || -> Result<f64> {
            let field = "original_max_position_embeddings";
            let outer = self.optional_number(field)?;
            Ok(outer.or(inner.optional_number(field)?).unwrap_or(max_positions as f64))
        };
        // A missing factor is by how much the context grew, and so is a zero taken for missing.
        let grown = |original: f64| max_positions as f64 / original;
        let or_default = |field: &str, default: f64| -> Result<f64> {
            Ok(inner.optional_number(field)?.filter(|v| *v != 0.0).unwrap_or(default))
        };
        let kind =
            ["rope_type", "type"].iter().find_map(|k| inner.0.get(k).filter(|v| !v.is_null()));
        Ok(match kind.map(Value::as_str) {
            None | Some(Some("default")) => None,
            Some(Some("linear")) => Some(RopeScaling::Linear(need("factor")?)),
            Some(Some("llama3")) => Some(RopeScaling::Llama3(Llama3Scaling {
                factor: need("factor")?,
                low_freq_factor: need("low_freq_factor")?,
                high_freq_factor: need("high_freq_factor")?,
                original_max_position_embeddings: original()?,
            })),
            Some(Some("yarn")) => {
                let original = original()?;
                Some(RopeScaling::Yarn(YarnScaling {
                    factor: inner.number(&["factor"], grown(original))?,
                    beta_fast: or_default("beta_fast", 32.0)?,
                    beta_slow: or_default("beta_slow", 1.0)?,
                    original_max_position_embeddings: original,
                    attention_factor: inner.optional_number("attention_factor")?,
                    mscale: inner.optional_number("mscale")?,
                    mscale_all_dim: inner.optional_number("mscale_all_dim")?,
                    truncate: inner.flag("truncate", true)?,
                }))
            }
            Some(Some("dynamic")) => Some(RopeScaling::Dynamic(DynamicScaling {
                factor: need("factor")?,
                original_max_position_embeddings: max_positions as f64,
            })),
            Some(Some("longrope")) => {
                let original = original()?;
                let factor = inner.number(&["factor"], grown(original))?;
                let default = LongScaling::default_attention_factor(factor, original);
                Some(RopeScaling::Long(LongScaling {
                    short_factor: inner.numbers("short_factor")?,
                    long_factor: inner.numbers("long_factor")?,
                    original_max_position_embeddings: original,
                    attention_factor: inner.number(&["attention_factor"], default)?,
                }))
            }
            Some(_) => {
                return Err(bad(
                    "rope_type",
                    kind.unwrap_or(&Value::Null),
                    "default, linear, dynamic, yarn, longrope and llama3 are supported",
                ))
            }
        })
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let list = self.0.get(name).and_then(Value::as_array);
        let list = list.filter(|l| l.len() <= MAX_DIVISORS).ok_or_else(|| {
            bad(name, self.shown(name), format!("must be a list of at most {MAX_DIVISORS} numbers"))
        })?;
        list.iter()
            .map(|v| v.as_f64().ok_or_else(|| bad(name, v, "must be a list of numbers")))
            .collect()
    }
}
