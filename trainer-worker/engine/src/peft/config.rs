//! `adapter_config.json` as it is read.

use super::seeming;
use super::MAX_CONFIG;
use crate::error::{Error, Result};
use crate::lora::patterns::{Expression, LayerChoice, Patterns};
use crate::lora::{targets, Excluded, LoraConfig};
use crate::model::ModelConfig;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::marker::PhantomData;

/// The JSON of an `adapter_config.json`, refused where it is too long or none.
pub(crate) fn json_of(text: &str) -> Result<Value> {
    if text.len() as u64 > MAX_CONFIG {
        return Err(Error::adapter(format!("adapter_config.json exceeds {MAX_CONFIG} bytes")));
    }
    serde_json::from_str(text)
        .map_err(|e| Error::adapter(format!("adapter_config.json is not JSON: {e}")))
}

/// What the configuration says of an adapter for a model. What this program does not compute is
/// refused before ([`seeming::problems_of_config`]).
pub(crate) fn parse(text: &str, json: &Value, model: &ModelConfig) -> Result<LoraConfig> {
    let refuse = |field: &str, why: &str| {
        let value = json.get(field).map_or("missing".to_owned(), Value::to_string);
        Err(Error::adapter(format!("{field} = {value}: {why}")))
    };
    seeming::refuse(&seeming::problems_of_config(json))?;
    let (rank_pattern, alpha_pattern) = ordered_patterns(text)?;
    let strings = |field: &str| match json.get(field) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let layers = match json.get("layers_to_transform") {
        None | Some(Value::Null) => None,
        Some(Value::Array(layers)) => Some(layers.iter().map(Value::as_u64).collect()),
        Some(one) => Some(vec![one.as_u64()]),
    };
    let layers: Option<Vec<usize>> = match layers {
        None => None,
        Some(layers) => {
            let known = |l: &Option<u64>| l.filter(|l| *l < model.num_hidden_layers as u64);
            let found: Vec<usize> = layers.iter().filter_map(known).map(|l| l as usize).collect();
            if found.len() < layers.len() {
                return refuse("layers_to_transform", "must be layers of the model");
            }
            Some(found)
        }
    };
    let r = json.get("r").and_then(Value::as_u64).unwrap_or(0);
    if !(1..=4096).contains(&r) {
        return refuse("r", "must be 1 to 4096");
    }
    let alpha = json.get("lora_alpha").and_then(Value::as_f64).unwrap_or(f64::NAN);
    if !(alpha.is_finite() && alpha > 0.0 && alpha <= 1e6) {
        return refuse("lora_alpha", "must be a positive number up to 1e6");
    }
    // One text is an expression that must match a module's whole name.
    let one = json.get("target_modules").and_then(Value::as_str);
    let one = one.filter(|text| !text.eq_ignore_ascii_case(targets::ALL_LINEAR));
    let target_expression = one.map(Expression::as_written);
    let mut target_modules: Vec<String> = match json.get("target_modules") {
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let excluded = match json.get("exclude_modules") {
        Some(Value::String(text)) if !text.is_empty() => {
            Excluded { names: Vec::new(), expression: Some(Expression::as_written(text)) }
        }
        Some(Value::Array(_)) => Excluded { names: strings("exclude_modules"), expression: None },
        _ => Excluded::default(),
    };
    if let Some(Value::Array(names)) = json.get("target_parameters") {
        for name in names.iter().filter_map(Value::as_str) {
            target_modules.push(targets::from_peft_parameter(name)?);
        }
    }
    let lora = LoraConfig {
        r: r as usize,
        alpha,
        dropout: json.get("lora_dropout").and_then(Value::as_f64).unwrap_or(0.0),
        target_modules,
        target_expression,
        excluded,
        rank_pattern,
        alpha_pattern,
        layers_to_transform: LayerChoice { layers, patterns: strings("layers_pattern") },
        use_rslora: json.get("use_rslora").and_then(Value::as_bool).unwrap_or(false),
        use_dora: json.get("use_dora").and_then(Value::as_bool).unwrap_or(false),
        fan_in_fan_out: model.fan_in_fan_out(),
    };
    // PEFT gives no parameter another alpha, whatever the pattern says of its module's name.
    if json.get("target_parameters").and_then(Value::as_array).is_some_and(|p| !p.is_empty()) {
        if let Some(name) = targets::parameter_with_alpha(model, &lora) {
            return refuse(
                "alpha_pattern",
                &format!(
                    "it names {name}, which is among target_parameters, where PEFT applies no pattern: \
                     its scaling is not certain; train it without alpha_pattern"
                ),
            );
        }
    }
    Ok(lora)
}

/// `rank_pattern` and `alpha_pattern` of an `adapter_config.json`, in the file's order.
pub(crate) fn ordered_patterns(text: &str) -> Result<(Patterns<usize>, Patterns<f64>)> {
    let fields: PatternFields = serde_json::from_str(text).map_err(|e| {
        Error::adapter(format!("rank_pattern or alpha_pattern of adapter_config.json: {e}"))
    })?;
    let ranks = fields.rank_pattern.unwrap_or_default().0;
    if let Some((key, r)) = ranks.iter().find(|(_, r)| !(1..=4096).contains(r)) {
        return Err(Error::adapter(format!("rank_pattern: {key} = {r}: ranks must be 1 to 4096")));
    }
    let alphas = fields.alpha_pattern.unwrap_or_default().0;
    let usable = |a: f64| a.is_finite() && a > 0.0 && a <= 1e6;
    if let Some((key, a)) = alphas.iter().find(|(_, a)| !usable(*a)) {
        return Err(Error::adapter(format!(
            "alpha_pattern: {key} = {a}: alphas must be positive numbers up to 1e6"
        )));
    }
    Ok((Patterns::new("rank_pattern", ranks)?, Patterns::new("alpha_pattern", alphas)?))
}

/// The fields whose order counts, which a map of JSON values would lose.
#[derive(Deserialize)]
struct PatternFields {
    rank_pattern: Option<Ordered<usize>>,
    alpha_pattern: Option<Ordered<f64>>,
}

/// A JSON object in its own order.
struct Ordered<V>(Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of numbers")
            }

            fn visit_map<M: MapAccess<'de>>(
                self,
                mut map: M,
            ) -> std::result::Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
