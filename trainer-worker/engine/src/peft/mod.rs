//! Adapters as Hugging Face PEFT reads and writes them: `adapter_config.json` and
//! `adapter_model.safetensors`.
//!
//! The safetensors file also carries the configuration's text in its metadata (`adapter_config`),
//! so that one file, named by one hash, is the whole adapter. Its bytes are a function of the
//! adapter alone: the header is written here, in a fixed order.

mod complete;
mod config;
mod explained;
mod files;
pub mod seeming;

pub(crate) use complete::absent;
pub(crate) use config::{json_of, ordered_patterns, parse as parse_config};
pub use explained::unmatched;
pub(crate) use files::Files;

use crate::error::{write_atomically, Error, Result};
use crate::lora::{
    magnitude_name, targets, tensor_name, Adapter, Excluded, Layout, LoraConfig, Role,
};
use crate::model::hf::to_f32;
use crate::model::ModelConfig;
use safetensors::SafeTensors;
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
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
    let target_modules = match &config.target_expression {
        Some(expression) => json!(expression.text()),
        None => json!(modules),
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
        ("target_modules", target_modules.to_string()),
        ("task_type", json!("CAUSAL_LM").to_string()),
        ("use_dora", json!(config.use_dora).to_string()),
        ("use_rslora", json!(config.use_rslora).to_string()),
    ]
    .into();
    // Only where there is any: adapters without it keep the bytes that they always had.
    if let Some(excluded) = config.excluded.to_json() {
        fields.insert("exclude_modules", excluded.to_string());
    }
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
///
/// # Errors
///
/// [`Error::Adapter`] for what is no adapter, names another way to compute than plain LoRA, rsLoRA or
/// DoRA ([`seeming`]), or was made for another base model.
pub fn load(path: &Path, model: &ModelConfig) -> Result<Adapter> {
    let (weights, config) = read(path)?;
    from_bytes(&weights, config.as_deref(), model)
}

/// The bytes of an adapter's weights, and the text of its configuration where that is a file of its
/// own.
///
/// # Errors
///
/// As [`load`], for what is no adapter's folder or file.
pub fn read(path: &Path) -> Result<(Vec<u8>, Option<String>)> {
    read_within(path, MAX_ADAPTER)
}

/// The same of weights of at most `limit` bytes.
///
/// # Errors
///
/// As [`read`], and [`Error::TooLarge`] before more is read.
pub fn read_within(path: &Path, limit: u64) -> Result<(Vec<u8>, Option<String>)> {
    let files = Files::find(path)?;
    Ok((files.weights(limit)?, files.config()?))
}

/// Bytes that the tensors of an adapter's file take as `f32`, as [`from_bytes`] keeps them.
///
/// # Errors
///
/// [`Error::Adapter`] for what is no safetensors file.
pub fn bytes_in_f32(bytes: &[u8]) -> Result<u64> {
    let (_, header) = SafeTensors::read_metadata(bytes)
        .map_err(|e| Error::adapter(format!("not a usable safetensors file: {e}")))?;
    let values = |info: &&safetensors::tensor::TensorInfo| {
        info.shape.iter().fold(1, |all: u64, length| all.saturating_mul(*length as u64))
    };
    let tensors = header.tensors();
    let all: u64 = tensors.values().map(values).fold(0, u64::saturating_add);
    Ok(all.saturating_mul(size_of::<f32>() as u64))
}

/// Reads an adapter from safetensors bytes and a configuration (when not inside the file).
pub fn from_bytes(bytes: &[u8], config: Option<&str>, model: &ModelConfig) -> Result<Adapter> {
    let config = match config {
        Some(text) => text.to_owned(),
        None => extract_config(bytes)?,
    };
    let json = json_of(&config)?;
    let tensors = SafeTensors::deserialize(bytes)
        .map_err(|e| Error::adapter(format!("not a usable safetensors file: {e}")))?;
    // What the configuration says alone is refused first: that is nearer to the cause.
    let mut lora = config::parse(&config, &json, model)?;
    check(&config, &json, &tensors)?;
    let bases = Bases::new(&json, model);
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
                "unexpected tensor {name}; only LoRA tensors of the linear modules of a {} model are read; {bases}",
                model.family.model_type()
            )));
        };
        if layer >= model.num_hidden_layers {
            return Err(Error::adapter(format!(
                "{name} is for layer {layer}, the model has {}; {bases}",
                model.num_hidden_layers
            )));
        }
        present.insert((layer, role));
    }
    if present.is_empty() {
        return Err(Error::adapter("it holds no tensor"));
    }
    // A shallower model of the same width would fit as well.
    if let Some(absent) = absent(&lora, model, |layer, role, _| present.contains(&(layer, role))) {
        return Err(Error::adapter(format!("{absent}: it is incomplete, or {bases}")));
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
                        "{name} has the shape {:?}, the model and r = {r} demand {shape:?}; {bases}",
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
        // It grew by doubling; what is over is not kept.
        values.shrink_to_fit();
        layers.push(values);
    }
    if lora.target_expression.is_none() {
        lora.target_modules = match targets::resolve(model, &lora.target_modules) {
            Ok(targets) if !lora.target_modules.is_empty() => targets,
            _ => names.into_iter().map(|(_, name)| name.to_owned()).collect(),
        };
    }
    say_what_is_held(&mut lora, model, &present);
    Ok(Adapter { family: model.family, config: lora, layouts, layers })
}

/// Replaces targets that select other modules than an adapter holds by the modules' names, so that what is
/// written of it can be read: where the file did not say its targets, short names may name more, and
/// `target_parameters` hold what exclusions and choices of layers would leave out of modules.
fn say_what_is_held(lora: &mut LoraConfig, model: &ModelConfig, present: &BTreeSet<(usize, Role)>) {
    let modules: Vec<(usize, Role, String)> = (0..model.num_hidden_layers)
        .flat_map(|layer| model.modules(layer).into_iter().map(move |module| (layer, module)))
        .map(|(layer, module)| (layer, module.role, model.module_name(layer, &module)))
        .collect();
    let holds = |layer: usize, role: Role| present.contains(&(layer, role));
    let right = |(layer, role, name): &(usize, Role, String)| {
        lora.selects(*layer, name).is_none_or(|selected| selected == holds(*layer, *role))
    };
    if modules.iter().all(right) {
        return;
    }
    let held = modules.into_iter().filter(|(layer, role, _)| holds(*layer, *role));
    lora.target_modules = held.map(|(.., name)| name).collect();
    lora.target_expression = None;
    if lora.target_modules.iter().any(|name| lora.excluded.names(name) == Some(true)) {
        lora.excluded = Excluded::default();
    }
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

/// Refuses tensors that are not what the configuration says of them.
fn check(text: &str, json: &Value, tensors: &SafeTensors<'_>) -> Result<()> {
    let list = tensors.tensors();
    let shapes = list.iter().map(|(name, view)| seeming::Shape { name, dimensions: view.shape() });
    seeming::refuse(&seeming::problems_of_tensors(text, json, shapes)?)
}

/// The base model that an adapter names and the one at hand, in words.
struct Bases {
    named: Option<String>,
    here: String,
}

impl Bases {
    fn new(json: &Value, model: &ModelConfig) -> Self {
        let named = json.get("base_model_name_or_path").and_then(Value::as_str);
        let named = named.filter(|n| !n.is_empty());
        Self {
            named: named.map(|n| n.chars().take(200).collect()),
            here: format!(
                "{} ({}, {} layers of width {})",
                if model.name.is_empty() { "this model" } else { &model.name },
                model.family.model_type(),
                model.num_hidden_layers,
                model.hidden_size
            ),
        }
    }
}

impl std::fmt::Display for Bases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.named {
            Some(named) => write!(
                f,
                "the adapter names {named} as its base and the model is {}: give --model the one \
                 that it was trained on",
                self.here
            ),
            None => write!(
                f,
                "the adapter was made for another base model than {}, or names none",
                self.here
            ),
        }
    }
}
