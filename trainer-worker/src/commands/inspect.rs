//! `trainer-worker inspect`.

use super::pipe::visible;
use super::{mebibytes, read_text};
use anyhow::{bail, Context, Result};
use openledger_engine::data;
use openledger_engine::export::tensors::TensorFile;
use openledger_engine::export::PeftAdapter;
use openledger_engine::hub::sha256_of;
use openledger_engine::model::gguf::{Gguf, Value as Field};
use openledger_engine::peft;
use openledger_engine::train::checkpoint;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest text of a GGUF file that is shown, in characters.
const MAX_SHOWN: usize = 120;
/// Longest header of a checkpoint, in bytes.
const MAX_HEADER: u64 = 1 << 20;

/// Arguments of `inspect`.
#[derive(clap::Args)]
#[command(
    after_help = "PATH is a GGUF or safetensors file, a model's folder, an adapter's folder, a checkpoint \
(checkpoint.oltrain), or a file or folder with data.

Examples:
  trainer-worker inspect MODEL.gguf
  trainer-worker inspect adapter/ --json"
)]
pub(crate) struct Args {
    /// What to look at.
    path: PathBuf,
    /// List every tensor.
    #[arg(long)]
    tensors: bool,
    #[command(flatten)]
    output: super::OutputArgs,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if !args.path.exists() {
        bail!("{} does not exist", args.path.display());
    }
    let answer = look(&args.path, args.tensors).with_context(|| args.path.display().to_string())?;
    if args.output.json() {
        println!("{answer}");
    } else {
        show(&answer, 0);
    }
    Ok(())
}

fn look(path: &Path, tensors: bool) -> Result<Value> {
    if path.is_dir() {
        return folder(path, tensors);
    }
    let mut magic = [0u8; 8];
    let read = std::fs::File::open(path)?.read(&mut magic)?;
    let magic = magic.get(..read).unwrap_or(&[]);
    if magic.starts_with(b"GGUF") {
        gguf(path, tensors)
    } else if magic.starts_with(b"OLTRAIN") {
        checkpoint_header(path)
    } else if path.extension().is_some_and(|e| e == "safetensors") {
        safetensors(path, tensors)
    } else {
        dataset(path)
    }
}

fn folder(path: &Path, tensors: bool) -> Result<Value> {
    let mut answer = Map::new();
    if path.join(peft::CONFIG).exists() {
        answer.extend(adapter(path, tensors)?);
    } else if path.join("config.json").exists() {
        answer.extend(model(path, tensors)?);
    }
    let state = checkpoint::file_in(path);
    if state.exists() {
        answer.insert("checkpoint".to_owned(), checkpoint_header(&state)?);
    }
    if answer.is_empty() {
        return dataset(path);
    }
    Ok(Value::Object(answer))
}

fn file_facts(path: &Path) -> Result<Map<String, Value>> {
    let mut facts = Map::new();
    let size = std::fs::metadata(path)?.len();
    facts.insert("file".to_owned(), json!(path));
    facts.insert("bytes".to_owned(), json!(size));
    facts.insert("sha256".to_owned(), json!(sha256_of(path)?));
    Ok(facts)
}

/// Number of tensors, values and bytes by type.
fn types<'a>(tensors: impl Iterator<Item = (&'a str, u64)>) -> Value {
    let mut found: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (dtype, values) in tensors {
        let entry = found.entry(dtype).or_default();
        entry.0 += 1;
        entry.1 = entry.1.saturating_add(values);
    }
    let list = found.iter().map(|(dtype, (tensors, values))| {
        ((*dtype).to_owned(), json!({ "tensors": tensors, "values": values }))
    });
    Value::Object(list.collect())
}

fn gguf(path: &Path, tensors: bool) -> Result<Value> {
    let gguf = Gguf::open(path)?;
    let mut answer = Map::new();
    answer.insert("kind".to_owned(), json!("gguf"));
    answer.extend(file_facts(path)?);
    let names: Vec<String> = gguf.tensor_names().map(str::to_owned).collect();
    let info: Vec<(String, String, Vec<usize>)> = names
        .into_iter()
        .filter_map(|name| {
            let (shape, dtype) = gguf.tensor_info(&name)?;
            let (dtype, shape) = (format!("{dtype:?}"), shape.to_vec());
            Some((name, dtype, shape))
        })
        .collect();
    let values = |shape: &[usize]| shape.iter().fold(1u64, |n, d| n.saturating_mul(*d as u64));
    let total = info.iter().fold(0u64, |n, (_, _, s)| n.saturating_add(values(s)));
    answer.insert("parameters".to_owned(), json!(total));
    answer.insert("types".to_owned(), types(info.iter().map(|(_, t, s)| (t.as_str(), values(s)))));
    let mut metadata = Map::new();
    for key in gguf.keys() {
        let shown = match gguf.get(key) {
            Some(Field::Unsigned(v)) => json!(v),
            Some(Field::Negative(v)) => json!(v),
            Some(Field::Float(v)) => json!(v),
            Some(Field::Bool(v)) => json!(v),
            Some(Field::Text(t)) if t.chars().count() > MAX_SHOWN => {
                json!(format!("{} …", t.chars().take(MAX_SHOWN).collect::<String>()))
            }
            Some(Field::Text(t)) => json!(t),
            Some(Field::Texts(t)) => json!(format!("{} texts", t.len())),
            Some(Field::Integers(t)) => json!(format!("{} integers", t.len())),
            Some(Field::Floats(v)) => json!(format!("{} numbers", v.len())),
            Some(Field::Skipped(n)) => json!(format!("{n} values")),
            _ => continue,
        };
        metadata.insert(key.to_owned(), shown);
    }
    answer.insert("metadata".to_owned(), Value::Object(metadata));
    if tensors {
        let list: Vec<Value> = info
            .iter()
            .map(|(name, dtype, shape)| json!({ "name": name, "type": dtype, "shape": shape }))
            .collect();
        answer.insert("tensors".to_owned(), json!(list));
    }
    Ok(Value::Object(answer))
}

fn tensor_list(file: &TensorFile) -> Vec<Value> {
    file.entries
        .iter()
        .map(|(name, e)| json!({ "name": name, "type": e.dtype, "shape": e.shape }))
        .collect()
}

fn safetensors(path: &Path, tensors: bool) -> Result<Value> {
    let file = TensorFile::open(path)?;
    if file.metadata.contains_key("adapter_config") {
        return Ok(Value::Object(adapter(path, tensors)?));
    }
    let mut answer = Map::new();
    answer.insert("kind".to_owned(), json!("safetensors"));
    answer.extend(file_facts(path)?);
    let total = file.entries.values().fold(0u64, |n, e| n.saturating_add(e.values()));
    answer.insert("parameters".to_owned(), json!(total));
    let list = file.entries.values().map(|e| (e.dtype.as_str(), e.values()));
    answer.insert("types".to_owned(), types(list));
    answer.insert("metadata".to_owned(), json!(file.metadata));
    if tensors {
        answer.insert("tensors".to_owned(), json!(tensor_list(&file)));
    }
    Ok(Value::Object(answer))
}

fn adapter(path: &Path, tensors: bool) -> Result<Map<String, Value>> {
    let (adapter, problems) = PeftAdapter::look(path)?;
    let mut answer = Map::new();
    answer.insert("kind".to_owned(), json!("adapter"));
    answer.extend(file_facts(adapter.file.path())?);
    let config = |field: &str| adapter.config.get(field).cloned().unwrap_or(Value::Null);
    let parameters: usize =
        adapter.modules.values().map(|p| p.rank * p.input + p.output * p.rank).sum();
    answer.insert("base_model".to_owned(), config("base_model_name_or_path"));
    answer.insert("parameters".to_owned(), json!(parameters));
    answer.insert("modules".to_owned(), json!(adapter.modules.len()));
    answer.insert("ranks".to_owned(), json!(adapter.ranks()));
    if !problems.is_empty() {
        answer.insert("refused".to_owned(), json!(problems));
    }
    for field in ["lora_alpha", "lora_dropout", "target_modules", "use_rslora", "use_dora"] {
        answer.insert(field.to_owned(), config(field));
    }
    let list = adapter.file.entries.values().map(|e| (e.dtype.as_str(), e.values()));
    answer.insert("types".to_owned(), types(list));
    if tensors {
        answer.insert("tensors".to_owned(), json!(tensor_list(&adapter.file)));
    }
    Ok(answer)
}

fn model(path: &Path, tensors: bool) -> Result<Map<String, Value>> {
    let mut answer = Map::new();
    answer.insert("kind".to_owned(), json!("model"));
    let config: Value = serde_json::from_str(&read_text(&path.join("config.json"), 1 << 20)?)
        .context("config.json is not JSON")?;
    for field in [
        "model_type",
        "architectures",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "vocab_size",
        "max_position_embeddings",
        "torch_dtype",
    ] {
        if let Some(value) = config.get(field) {
            answer.insert(field.to_owned(), value.clone());
        }
    }
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|p| p.extension().is_some_and(|e| e == "safetensors"));
    paths.sort();
    let files: Vec<Value> = paths.iter().map(|p| safetensors(p, tensors)).collect::<Result<_>>()?;
    let total: u64 =
        files.iter().filter_map(|f| f.get("parameters")?.as_u64()).fold(0, u64::saturating_add);
    answer.insert("parameters".to_owned(), json!(total));
    answer.insert("files".to_owned(), json!(files));
    Ok(answer)
}

fn checkpoint_header(path: &Path) -> Result<Value> {
    let mut file = std::fs::File::open(path)?;
    let mut start = [0u8; 16];
    file.read_exact(&mut start).context("the checkpoint is cut short")?;
    let length = start.get(8..).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
    if length > MAX_HEADER {
        bail!("a header of {length} bytes; at most {MAX_HEADER} are read");
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header)?;
    let header: Map<String, Value> =
        serde_json::from_slice(&header).context("the checkpoint's header is not JSON")?;
    let mut answer = Map::new();
    answer.insert("kind".to_owned(), json!("checkpoint"));
    answer.extend(file_facts(path)?);
    for (key, value) in header {
        match (key.as_str(), &value) {
            ("layers", Value::Array(layers)) => {
                let parameters: u64 = layers.iter().filter_map(Value::as_u64).sum();
                answer.insert("trainable_parameters".to_owned(), json!(parameters));
            }
            ("eval_loss_before" | "loss_sum", value) => {
                let loss = value.as_u64().map(f64::from_bits);
                answer.insert(key, json!(loss));
            }
            _ => {
                answer.insert(key, value);
            }
        }
    }
    Ok(Value::Object(answer))
}

fn dataset(path: &Path) -> Result<Value> {
    let files = data::read_for(&[path.to_owned()], data::Purpose::Everything)?.files;
    let mut list = Vec::new();
    for file in &files {
        let text = file.text()?;
        let (pairs, unanswered) = data::parse_questions(&text);
        list.push(json!({
            "file": file.origin.submission,
            "bytes": file.bytes.len(),
            "sha256": hex::encode(file.origin.sha256),
            "characters": text.chars().count(),
            "questions": pairs.len(),
            "unanswered": unanswered,
        }));
    }
    Ok(json!({ "kind": "data", "files": list }))
}

/// An answer for people: `name  value`, nested by indentation.
fn show(value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    let Value::Object(fields) = value else {
        println!("{indent}{}", plain(value));
        return;
    };
    for (key, value) in fields {
        let key = visible(key);
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                println!("{indent}{key}");
                show(value, depth + 1);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                println!("{indent}{key}");
                for item in items {
                    match item.get("shape") {
                        Some(shape) => println!(
                            "{indent}  {}  {}  {shape}",
                            plain(item.get("name").unwrap_or(&Value::Null)),
                            plain(item.get("type").unwrap_or(&Value::Null))
                        ),
                        None => {
                            show(item, depth + 1);
                            println!();
                        }
                    }
                }
            }
            Value::Number(n) if key == "bytes" => {
                println!("{indent}{key}  {n} ({})", mebibytes(n.as_u64().unwrap_or(0)));
            }
            value => println!("{indent}{key}  {}", plain(value)),
        }
    }
}

fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    visible(&text)
}
