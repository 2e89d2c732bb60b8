//! Adapters as Hugging Face PEFT reads and writes them: `adapter_config.json` and
//! `adapter_model.safetensors`.
//!
//! The safetensors file also carries the configuration's text in its metadata (`adapter_config`),
//! so that one file, named by one hash, is the whole adapter. Its bytes are a function of the
//! adapter alone: the header is written here, in a fixed order.

use crate::error::{read_bounded, write_atomically, Error, Result};
use crate::lora::patterns::{LayerChoice, Patterns};
use crate::lora::{magnitude_name, targets, tensor_name, Adapter, Layout, LoraConfig, Role};
use crate::model::hf::to_f32;
use crate::model::ModelConfig;
use safetensors::SafeTensors;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::path::Path;

/// File name of the weights.
pub const WEIGHTS: &str = "adapter_model.safetensors";
/// File name of the configuration.
pub const CONFIG: &str = "adapter_config.json";
/// Largest adapter that is read, in bytes.
pub const MAX_ADAPTER: u64 = 2 << 30;
/// Longest configuration that is read, in bytes.
pub const MAX_CONFIG: u64 = 1 << 20;
/// Longest safetensors header that is read, in bytes.
const MAX_HEADER: usize = 16 << 20;

/// A JSON object with its keys in the order given: the first pattern that matches counts.
fn ordered<V>(entries: &[(String, V)], shown: impl Fn(&V) -> Value) -> String {
    let fields: Vec<String> =
        entries.iter().map(|(key, value)| format!("{}: {}", json!(key), shown(value))).collect();
    format!("{{{}}}", fields.join(", "))
}

/// PEFT declares alphas as integers; keep one an integer where it is.
fn whole_or_not(alpha: f64) -> Value {
    if alpha.fract() == 0.0 {
        json!(alpha as u64)
    } else {
        json!(alpha)
    }
}

/// The text of `adapter_config.json`.
pub fn config_json(adapter: &Adapter, base_model: &str) -> String {
    let config = &adapter.config;
    let (modules, parameters) = targets::as_peft(adapter.family, &config.target_modules);
    // PEFT trains parameters without dropout only, and refuses to load what says otherwise.
    let dropout = if parameters.is_empty() { config.dropout } else { 0.0 };
    let layers = &config.layers_to_transform;
    let layers_pattern = match layers.patterns.as_slice() {
        [] => Value::Null,
        [one] => json!(one),
        several => json!(several),
    };
    // BTreeMap: keys in alphabetical order whatever serde_json's features are.
    let mut fields: BTreeMap<&str, String> = [
        ("alpha_pattern", ordered(config.alpha_pattern.entries(), |a| whole_or_not(*a))),
        ("auto_mapping", Value::Null.to_string()),
        ("base_model_name_or_path", json!(base_model).to_string()),
        ("bias", json!("none").to_string()),
        ("fan_in_fan_out", json!(config.fan_in_fan_out).to_string()),
        ("inference_mode", json!(true).to_string()),
        ("init_lora_weights", json!(true).to_string()),
        ("layer_replication", Value::Null.to_string()),
        ("layers_pattern", layers_pattern.to_string()),
        ("layers_to_transform", json!(layers.layers).to_string()),
        ("loftq_config", json!({}).to_string()),
        ("lora_alpha", whole_or_not(config.alpha).to_string()),
        ("lora_dropout", json!(dropout).to_string()),
        ("megatron_config", Value::Null.to_string()),
        ("megatron_core", json!("megatron.core").to_string()),
        ("modules_to_save", Value::Null.to_string()),
        ("peft_type", json!("LORA").to_string()),
        ("r", json!(config.r).to_string()),
        ("rank_pattern", ordered(config.rank_pattern.entries(), |r| json!(r))),
        ("revision", Value::Null.to_string()),
        ("target_modules", json!(modules).to_string()),
        ("task_type", json!("CAUSAL_LM").to_string()),
        ("use_dora", json!(config.use_dora).to_string()),
        ("use_rslora", json!(config.use_rslora).to_string()),
    ]
    .into();
    if !parameters.is_empty() {
        fields.insert("target_parameters", json!(parameters).to_string());
    }
    let mut text = String::from("{\n");
    for (i, (key, value)) in fields.iter().enumerate() {
        let comma = if i + 1 == fields.len() { "" } else { "," };
        text.push_str(&format!("  {}: {value}{comma}\n", json!(key)));
    }
    text.push_str("}\n");
    text
}

/// The bytes of `adapter_model.safetensors`: deterministic, with the configuration inside.
pub fn to_bytes(adapter: &Adapter, base_model: &str) -> Vec<u8> {
    to_bytes_with(adapter, base_model, &[])
}

/// The same with further entries of the file's metadata, which loaders that do not know them pass over.
pub fn to_bytes_with(adapter: &Adapter, base_model: &str, notes: &[(&str, String)]) -> Vec<u8> {
    let mut tensors: BTreeMap<String, (Vec<usize>, &[f32])> = BTreeMap::new();
    for (layer, (layout, values)) in adapter.layouts.iter().zip(&adapter.layers).enumerate() {
        for slot in layout.slots.iter().flatten() {
            let (a, b) = slot.split(values);
            let name = |which| tensor_name(adapter.family, layer, slot.path, which);
            tensors.insert(name('A'), (vec![slot.r, slot.input], a));
            tensors.insert(name('B'), (vec![slot.output, slot.r], b));
            if let Some(magnitude) = slot.magnitude(values) {
                let name = magnitude_name(adapter.family, layer, slot.path);
                tensors.insert(name, (vec![slot.output], magnitude));
            }
        }
    }
    let config = config_json(adapter, base_model);
    let mut header =
        format!("{{\"__metadata__\":{{\"adapter_config\":{},\"format\":\"pt\"", json!(config));
    for (name, value) in notes {
        header.push_str(&format!(",{}:{}", json!(name), json!(value)));
    }
    header.push('}');
    let mut offset = 0;
    for (name, (shape, values)) in &tensors {
        let end = offset + values.len() * 4;
        header.push_str(&format!(
            ",{}:{{\"dtype\":\"F32\",\"shape\":{},\"data_offsets\":[{offset},{end}]}}",
            json!(name),
            json!(shape),
        ));
        offset = end;
    }
    header.push('}');
    // The format wants the data aligned to 8 bytes.
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    let mut bytes = Vec::with_capacity(8 + header.len() + offset);
    bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for (_, values) in tensors.values() {
        for v in *values {
            bytes.extend_from_slice(&v.to_le_bytes());
        }
    }
    bytes
}

/// Writes both files into a folder, which is created.
pub fn save(dir: &Path, adapter: &Adapter, base_model: &str) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    write_atomically(&dir.join(WEIGHTS), &to_bytes(adapter, base_model))?;
    let config = config_json(adapter, base_model);
    write_atomically(&dir.join(CONFIG), config.as_bytes())
}

/// The `adapter_config.json` text inside an adapter's safetensors bytes.
pub fn extract_config(bytes: &[u8]) -> Result<String> {
    let (len, rest) = bytes
        .split_first_chunk::<8>()
        .ok_or_else(|| Error::adapter("not a safetensors file: shorter than 8 bytes"))?;
    let len = u64::from_le_bytes(*len);
    if len > MAX_HEADER as u64 || len > rest.len() as u64 {
        return Err(Error::adapter(format!(
            "not a safetensors file: it declares a header of {len} bytes, has {}, and at most {MAX_HEADER} are read",
            rest.len()
        )));
    }
    let header = rest.get(..len as usize).unwrap_or_default();
    let header: Value = serde_json::from_slice(header)
        .map_err(|e| Error::adapter(format!("the safetensors header is not JSON: {e}")))?;
    let text = header
        .get("__metadata__")
        .and_then(|m| m.get("adapter_config"))
        .and_then(Value::as_str)
        .ok_or_else(|| {
            Error::adapter("the file carries no adapter_config; keep adapter_config.json beside it")
        })?;
    if text.len() as u64 > MAX_CONFIG {
        return Err(Error::adapter(format!(
            "its adapter_config is {} bytes, at most {MAX_CONFIG}",
            text.len()
        )));
    }
    serde_json::from_str::<Value>(text)
        .map_err(|e| Error::adapter(format!("its adapter_config is not JSON: {e}")))?;
    Ok(text.to_owned())
}

/// Reads an adapter: a folder as PEFT writes it, or one safetensors file of ours.
pub fn load(path: &Path, model: &ModelConfig) -> Result<Adapter> {
    if path.is_dir() {
        let config = read_bounded(&path.join(CONFIG), MAX_CONFIG)?;
        let weights = read_bounded(&path.join(WEIGHTS), MAX_ADAPTER)?;
        from_bytes(&weights, Some(&String::from_utf8_lossy(&config)), model)
    } else {
        from_bytes(&read_bounded(path, MAX_ADAPTER)?, None, model)
    }
}

/// Reads an adapter from safetensors bytes and a configuration (when not inside the file).
pub fn from_bytes(bytes: &[u8], config: Option<&str>, model: &ModelConfig) -> Result<Adapter> {
    let config = match config {
        Some(text) => text.to_owned(),
        None => extract_config(bytes)?,
    };
    let mut lora = parse_config(&config, model)?;
    let tensors = SafeTensors::deserialize(bytes)
        .map_err(|e| Error::adapter(format!("not a usable safetensors file: {e}")))?;
    // What is in the file decides which modules carry an adapter.
    let mut present: BTreeSet<(usize, Role)> = BTreeSet::new();
    for name in tensors.names() {
        let Some((layer, role)) = parse_name(name, lora.use_dora, model) else {
            if name.split('.').any(|part| part == "experts") {
                return Err(Error::adapter(format!(
                    "{name}: routed experts cannot carry an adapter"
                )));
            }
            return Err(Error::adapter(format!(
                "unexpected tensor {name}; only LoRA tensors of the linear modules of a {} model are read",
                model.family.model_type()
            )));
        };
        if layer >= model.num_hidden_layers {
            return Err(Error::adapter(format!(
                "{name} is for layer {layer}, the model has {}",
                model.num_hidden_layers
            )));
        }
        present.insert((layer, role));
    }
    if present.is_empty() {
        return Err(Error::adapter("it holds no tensor"));
    }
    let mut layouts = Vec::with_capacity(model.num_hidden_layers);
    let mut layers = Vec::with_capacity(model.num_hidden_layers);
    // The short names of what is there, for a file whose target_modules is an expression.
    let mut names: BTreeSet<(Role, &'static str)> = BTreeSet::new();
    for layer in 0..model.num_hidden_layers {
        let mut layout = Layout::default();
        let mut values = Vec::new();
        let mut modules = model.modules(layer);
        modules.sort_by_key(|m| m.role);
        for module in modules.iter().filter(|m| present.contains(&(layer, m.role))) {
            let name = model.module_name(layer, module);
            let (r, _) = lora.rank_and_scaling(&name);
            let read = |name: String, shape: &[usize]| -> Result<Vec<f32>> {
                let view = tensors
                    .tensor(&name)
                    .map_err(|_| Error::adapter(format!("the tensor {name} is missing")))?;
                if view.shape() != shape {
                    return Err(Error::adapter(format!(
                        "{name} has the shape {:?}, the model and r = {r} demand {shape:?}",
                        view.shape(),
                    )));
                }
                to_f32(&name, view.dtype(), view.data())
            };
            let named = |which| tensor_name(model.family, layer, module.path, which);
            values.extend(read(named('A'), &[r, module.input])?);
            values.extend(read(named('B'), &[module.output, r])?);
            if lora.use_dora {
                let name = magnitude_name(model.family, layer, module.path);
                values.extend(read(name, &[module.output])?);
            }
            layout.add(module, &name, &lora);
            let alone = modules.iter().filter(|m| m.name() == module.name()).count() == 1;
            names.insert((module.role, if alone { module.name() } else { module.path }));
        }
        layouts.push(layout);
        layers.push(values);
    }
    lora.target_modules = match targets::resolve(model, &lora.target_modules) {
        Ok(targets) if !lora.target_modules.is_empty() => targets,
        _ => names.into_iter().map(|(_, name)| name.to_owned()).collect(),
    };
    Ok(Adapter { family: model.family, config: lora, layouts, layers })
}

fn parse_name(name: &str, dora: bool, model: &ModelConfig) -> Option<(usize, Role)> {
    let rest = name.strip_prefix("base_model.model.")?;
    let module = rest
        .strip_suffix(".lora_A.weight")
        .or(rest.strip_suffix(".lora_B.weight"))
        .or(rest.strip_suffix(".lora_magnitude_vector").filter(|_| dora))?;
    let (layer, module) = model.find_module(module)?;
    Some((layer, module.role))
}

fn parse_config(text: &str, model: &ModelConfig) -> Result<LoraConfig> {
    if text.len() as u64 > MAX_CONFIG {
        return Err(Error::adapter(format!("adapter_config.json exceeds {MAX_CONFIG} bytes")));
    }
    let json: Value = serde_json::from_str(text)
        .map_err(|e| Error::adapter(format!("adapter_config.json is not JSON: {e}")))?;
    let refuse = |field: &str, why: &str| {
        let value = json.get(field).map_or("missing".to_owned(), Value::to_string);
        Err(Error::adapter(format!("{field} = {value}: {why}")))
    };
    if json.get("peft_type").and_then(Value::as_str) != Some("LORA") {
        return refuse("peft_type", "only LORA is supported");
    }
    // It only says how a weight is stored, which is known of a model whose weights are Conv1D.
    let conv1d = model.fan_in_fan_out();
    let turned = (!conv1d).then_some("fan_in_fan_out");
    for field in ["lora_bias", "use_qalora"].into_iter().chain(turned) {
        if json.get(field).and_then(Value::as_bool) == Some(true) {
            return refuse(field, "not supported yet");
        }
    }
    let (rank_pattern, alpha_pattern) = patterns(text)?;
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
    if json.get("bias").and_then(Value::as_str).is_some_and(|b| b != "none") {
        return refuse("bias", "trained biases are not supported");
    }
    if json.get("modules_to_save").is_some_and(|m| m.as_array().is_some_and(|a| !a.is_empty())) {
        return refuse("modules_to_save", "fully trained modules are not supported");
    }
    let r = json.get("r").and_then(Value::as_u64).unwrap_or(0);
    if !(1..=4096).contains(&r) {
        return refuse("r", "must be 1 to 4096");
    }
    let alpha = json.get("lora_alpha").and_then(Value::as_f64).unwrap_or(f64::NAN);
    if !(alpha.is_finite() && alpha > 0.0 && alpha <= 1e6) {
        return refuse("lora_alpha", "must be a positive number up to 1e6");
    }
    let mut target_modules: Vec<String> = match json.get("target_modules") {
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    if let Some(Value::Array(names)) = json.get("target_parameters") {
        for name in names.iter().filter_map(Value::as_str) {
            target_modules.push(targets::from_peft_parameter(name)?);
        }
    }
    Ok(LoraConfig {
        r: r as usize,
        alpha,
        dropout: json.get("lora_dropout").and_then(Value::as_f64).unwrap_or(0.0),
        target_modules,
        rank_pattern,
        alpha_pattern,
        layers_to_transform: LayerChoice { layers, patterns: strings("layers_pattern") },
        use_rslora: json.get("use_rslora").and_then(Value::as_bool).unwrap_or(false),
        use_dora: json.get("use_dora").and_then(Value::as_bool).unwrap_or(false),
        fan_in_fan_out: conv1d,
    })
}

/// `rank_pattern` and `alpha_pattern` of an `adapter_config.json`, in the file's order.
pub(crate) fn patterns(text: &str) -> Result<(Patterns<usize>, Patterns<f64>)> {
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
