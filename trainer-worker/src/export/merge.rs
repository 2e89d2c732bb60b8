//! An adapter put into its base model: `W + scaling · B·A` for every adapted module, written as a
//! Hugging Face folder tensor by tensor.

use super::adapter::{Pair, PeftAdapter};
use super::tensors::{write_sharded, Dtype, Planned, TensorFile};
use crate::error::{read_bounded, write_atomically, Error, Result};
use crate::kernels::gemm;
use crate::model::gguf::names::Family;
use crate::model::gguf::{Gguf, Value as Field};
use crate::model::WeightSource;
use crate::tokenizer::Tokenizer;
use serde_json::{json, Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Bytes of tensors a file, as transformers splits large models.
const SHARD: u64 = 5_000_000_000;
/// Largest small file that is copied, in bytes.
const MAX_COPY: u64 = 256 << 20;

/// Files of a model's folder that are copied beside the weights.
const COPIED: [&str; 11] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "vocab.json",
    "merges.txt",
];

/// How to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergeSettings {
    /// Type of the written tensors; each keeps its own without it, and is `F32` from a GGUF file.
    pub dtype: Option<Dtype>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Weight files.
    pub files: Vec<PathBuf>,
    /// Tensors in all.
    pub tensors: usize,
    /// Modules that the adapter changed.
    pub changed: usize,
}

/// Where the base model's tensors come from.
enum Source {
    Folder(BTreeMap<String, (usize, Dtype, Vec<usize>)>, Vec<TensorFile>),
    Gguf(Box<Gguf>, BTreeMap<String, Vec<usize>>),
}

/// Merges an adapter (or none: then the model is only converted) into the base model `base`, a
/// Hugging Face folder or a GGUF file, which is dequantised; writes a Hugging Face folder.
///
/// # Errors
///
/// [`Error::Adapter`] when the adapter does not fit the model or holds what cannot be merged,
/// [`Error::ModelConfig`] for a GGUF file whose configuration Hugging Face's format cannot say.
pub fn merge(
    base: &Path,
    adapter: Option<&PeftAdapter>,
    target: &Path,
    settings: MergeSettings,
    progress: impl Fn(usize, usize),
) -> Result<Merged> {
    if let Some(adapter) = adapter {
        adapter.refuse_others()?;
    }
    let (source, config) = if base.is_dir() { folder(base)? } else { gguf(base)? };
    let mut planned: Vec<Planned> = source.tensors(settings.dtype);
    // A tied head that the adapter changes would change the embedding with it.
    let names: BTreeSet<&str> = planned.iter().map(|(name, ..)| name.as_str()).collect();
    let mut changes = BTreeMap::new();
    for (path, pair) in adapter.iter().flat_map(|a| &a.modules) {
        let name = names_of(path).into_iter().find(|name| names.contains(name.as_str()));
        let name = name.ok_or_else(|| {
            Error::adapter(format!("the base model has no weight {path}.weight to merge into"))
        })?;
        changes.insert(name, (path.as_str(), pair));
    }
    planned.sort_by(|a, b| a.0.cmp(&b.0));
    std::fs::create_dir_all(target).map_err(Error::io("create", target))?;
    let total = planned.len();
    let mut done = 0;
    let files = write_sharded(target, &planned, SHARD, |name| {
        let mut values = source.values(name)?;
        if let (Some(adapter), Some((path, pair))) = (adapter, changes.get(name)) {
            let shape = source.shape(name);
            add(&mut values, &shape, adapter, path, pair)?;
        }
        done += 1;
        progress(done, total);
        Ok(values)
    })?;
    companions(base, target, config, settings.dtype)?;
    Ok(Merged { files, tensors: total, changed: changes.len() })
}

/// The names that a module's weight may have: PEFT's path, with or without the prefix that the
/// published GPT-2 and BLOOM files leave out.
fn names_of(path: &str) -> Vec<String> {
    let mut names = vec![format!("{path}.weight")];
    if let Some(short) = path.strip_prefix("transformer.") {
        names.push(format!("{short}.weight"));
    }
    names
}

/// Adds a module's update to its weight.
fn add(
    weight: &mut [f32],
    shape: &[usize],
    adapter: &PeftAdapter,
    path: &str,
    pair: &Pair,
) -> Result<()> {
    let (out, input, r) = (pair.output, pair.input, pair.rank);
    // GPT-2's Conv1D keeps [input, output].
    let across = adapter.flag("fan_in_fan_out");
    let wanted = if across { [input, out] } else { [out, input] };
    if shape != wanted {
        return Err(Error::adapter(format!(
            "{path} adapts a weight of shape {wanted:?}, the base model's is {shape:?}"
        )));
    }
    let (a, b) = (adapter.a(path)?, adapter.b(path)?);
    let scaling = pair.scaling as f32;
    if across {
        // (B·A)ᵀ = Aᵀ·Bᵀ.
        let mut transposed = vec![0f32; b.len()];
        for (i, row) in b.chunks_exact(r).enumerate() {
            for (j, v) in row.iter().enumerate() {
                transposed[j * out + i] = *v;
            }
        }
        gemm::tn(weight, &a, &transposed, (input, out, r), scaling, true);
    } else {
        gemm::nn(weight, &b, &a, (out, input, r), scaling, true);
    }
    if let Some(magnitude) = adapter.magnitude(path)? {
        if magnitude.len() != out {
            return Err(Error::adapter(format!("{path}: its magnitude has another shape")));
        }
        // One output's weights are a row, or a column of a Conv1D.
        let place = |i: usize| if across { i % out } else { i / input };
        let mut squares = vec![0f64; out];
        for (i, v) in weight.iter().enumerate() {
            squares[place(i)] += f64::from(*v) * f64::from(*v);
        }
        let factors = magnitude.iter().zip(&squares);
        let factors: Vec<f32> =
            factors.map(|(m, s)| (f64::from(*m) / s.sqrt().max(1e-30)) as f32).collect();
        for (i, v) in weight.iter_mut().enumerate() {
            *v *= factors[place(i)];
        }
    }
    Ok(())
}

impl Source {
    fn tensors(&self, dtype: Option<Dtype>) -> Vec<Planned> {
        match self {
            Self::Folder(tensors, _) => tensors
                .iter()
                .map(|(name, (_, own, shape))| (name.clone(), dtype.unwrap_or(*own), shape.clone()))
                .collect(),
            Self::Gguf(_, tensors) => tensors
                .iter()
                .map(|(name, shape)| (name.clone(), dtype.unwrap_or(Dtype::F32), shape.clone()))
                .collect(),
        }
    }

    fn shape(&self, name: &str) -> Vec<usize> {
        match self {
            Self::Folder(tensors, _) => tensors.get(name).map(|(_, _, s)| s.clone()),
            Self::Gguf(_, tensors) => tensors.get(name).cloned(),
        }
        .unwrap_or_default()
    }

    fn values(&self, name: &str) -> Result<Vec<f32>> {
        let missing = || Error::weight(name, "is missing");
        match self {
            Self::Folder(tensors, files) => {
                let (file, ..) = tensors.get(name).ok_or_else(missing)?;
                files.get(*file).ok_or_else(missing)?.values(name)
            }
            Self::Gguf(gguf, tensors) => gguf.load(name, tensors.get(name).ok_or_else(missing)?),
        }
    }
}

/// The safetensors files of a Hugging Face folder.
fn folder(base: &Path) -> Result<(Source, Option<Map<String, Value>>)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(base)
        .and_then(|entries| entries.map(|e| Ok(e?.path())).collect())
        .map_err(Error::io("read", base))?;
    paths.retain(|p| {
        let name = p.file_name().and_then(|n| n.to_str()).unwrap_or("");
        name.starts_with("model") && name.ends_with(".safetensors")
    });
    paths.sort();
    let mut tensors = BTreeMap::new();
    let mut files = Vec::new();
    for path in paths {
        let file = TensorFile::open(&path)?;
        for (name, entry) in &file.entries {
            let dtype = Dtype::from_name(&entry.dtype).ok_or_else(|| {
                let problem = format!("has the type {}; F32, F16 or BF16", entry.dtype);
                Error::weight(name.as_str(), problem)
            })?;
            tensors.insert(name.clone(), (files.len(), dtype, entry.shape.clone()));
        }
        files.push(file);
    }
    if tensors.is_empty() {
        let reason = format!("{} holds no model*.safetensors", base.display());
        return Err(Error::Safetensors { reason });
    }
    Ok((Source::Folder(tensors, files), None))
}

/// The tensors of a GGUF file under Hugging Face's names, and the configuration.
fn gguf(base: &Path) -> Result<(Source, Option<Map<String, Value>>)> {
    let mut gguf = Gguf::open(base)?;
    // Remembers the head counts, which un-permuting needs.
    gguf.config()?;
    let family = gguf.family()?;
    let config = hf_config(&gguf, family)?;
    let mut tensors = BTreeMap::new();
    for name in gguf.tensor_names() {
        let Some(hf) = family.from_gguf(name) else {
            return Err(Error::gguf(format!(
                "{name} has no counterpart in a Hugging Face folder of this family"
            )));
        };
        if let Some((shape, _)) = gguf.tensor_info(name) {
            tensors.insert(hf, shape.to_vec());
        }
    }
    Ok((Source::Gguf(Box::new(gguf), tensors), Some(config)))
}

/// `config.json` for a GGUF file.
fn hf_config(gguf: &Gguf, family: Family) -> Result<Map<String, Value>> {
    let (class, kind) = match family {
        Family::Llama => ("LlamaForCausalLM", "llama"),
        Family::Qwen2 => ("Qwen2ForCausalLM", "qwen2"),
        Family::Qwen3 => ("Qwen3ForCausalLM", "qwen3"),
        _ => {
            return Err(Error::ModelConfig {
                field: "general.architecture".to_owned(),
                value: family.architecture().to_owned(),
                problem:
                    "a Hugging Face folder is written from llama, qwen2 and qwen3 GGUF files; \
                          merge into the family's own Hugging Face folder instead"
                        .to_owned(),
            })
        }
    };
    let tensors: BTreeSet<&str> = gguf.tensor_names().collect();
    if tensors.contains("rope_freqs.weight") {
        return Err(Error::ModelConfig {
            field: "rope_freqs.weight".to_owned(),
            value: "present".to_owned(),
            problem:
                "the factors of its rotary scaling are not in the file; merge into the Hugging \
                      Face folder of the model instead"
                    .to_owned(),
        });
    }
    let key = |name: &str| format!("{}.{name}", family.architecture());
    let size = |name: &str| gguf.unsigned(&key(name));
    let number = |name: &str| match gguf.get(&key(name)) {
        Some(Field::Float(v)) => Some(*v),
        Some(Field::Unsigned(v)) => Some(*v as f64),
        _ => None,
    };
    let need = |name: &str| {
        size(name).ok_or_else(|| Error::ModelConfig {
            field: key(name),
            value: "missing".to_owned(),
            problem: "must be a whole number".to_owned(),
        })
    };
    let heads = need("attention.head_count")?;
    let hidden = need("embedding_length")?;
    let vocabulary =
        gguf.tensor_info("token_embd.weight").and_then(|(shape, _)| shape.first().copied());
    // GGUF keeps f32: 1e-5 must not become 9.999999747378752e-06.
    let short = |v: f64| (v as f32).to_string().parse::<f64>().unwrap_or(v);
    let mut config = Map::new();
    let mut put = |name: &str, value: Value| config.insert(name.to_owned(), value);
    put("architectures", json!([class]));
    put("model_type", json!(kind));
    put("hidden_act", json!("silu"));
    put("hidden_size", json!(hidden));
    put("intermediate_size", json!(need("feed_forward_length")?));
    put("num_hidden_layers", json!(need("block_count")?));
    put("num_attention_heads", json!(heads));
    put("num_key_value_heads", json!(size("attention.head_count_kv").unwrap_or(heads)));
    let dim = size("attention.key_length").or_else(|| hidden.checked_div(heads));
    put("head_dim", json!(dim));
    put("vocab_size", json!(vocabulary));
    put("max_position_embeddings", json!(need("context_length")?));
    let eps = number("attention.layer_norm_rms_epsilon").unwrap_or(1e-5);
    put("rms_norm_eps", json!(short(eps)));
    put("rope_theta", json!(short(number("rope.freq_base").unwrap_or(10_000.0))));
    put("rope_scaling", Value::Null);
    put("tie_word_embeddings", json!(!tensors.contains("output.weight")));
    put("attention_bias", json!(tensors.contains("blk.0.attn_q.bias")));
    put("mlp_bias", json!(false));
    put("bos_token_id", json!(gguf.unsigned("tokenizer.ggml.bos_token_id")));
    put("eos_token_id", json!(gguf.unsigned("tokenizer.ggml.eos_token_id")));
    Ok(config)
}

/// Configuration and tokenizer beside the weights.
fn companions(
    base: &Path,
    target: &Path,
    config: Option<Map<String, Value>>,
    dtype: Option<Dtype>,
) -> Result<()> {
    let Some(mut config) = config else {
        for name in COPIED {
            let from = base.join(name);
            if !from.is_file() {
                continue;
            }
            let mut bytes = read_bounded(&from, MAX_COPY)?;
            if let ("config.json", Some(dtype)) = (name, dtype) {
                bytes = with_dtype(&bytes, dtype).unwrap_or(bytes);
            }
            write_atomically(&target.join(name), &bytes)?;
        }
        return Ok(());
    };
    config.insert("torch_dtype".to_owned(), json!(dtype.unwrap_or(Dtype::F32).torch_name()));
    let write = |name: &str, value: &Value| {
        write_atomically(&target.join(name), format!("{value:#}\n").as_bytes())
    };
    let tokenizer = Tokenizer::open(base)?;
    write_atomically(&target.join("tokenizer.json"), tokenizer.to_json()?.as_bytes())?;
    let eos = tokenizer.id_to_token(tokenizer.eos);
    let bos = tokenizer.bos.and_then(|bos| tokenizer.id_to_token(bos));
    let generation = json!({
        "bos_token_id": config.get("bos_token_id"), "eos_token_id": config.get("eos_token_id"),
    });
    write("generation_config.json", &generation)?;
    write(
        "tokenizer_config.json",
        &json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "add_bos_token": tokenizer.add_bos,
            "bos_token": bos,
            "eos_token": eos,
            "model_max_length": config.get("max_position_embeddings"),
            "chat_template": tokenizer.chat_template(),
        }),
    )?;
    write("config.json", &Value::Object(config))
}

fn with_dtype(config: &[u8], dtype: Dtype) -> Option<Vec<u8>> {
    let mut config: Map<String, Value> = serde_json::from_slice(config).ok()?;
    let name = if config.contains_key("dtype") { "dtype" } else { "torch_dtype" };
    config.insert(name.to_owned(), json!(dtype.torch_name()));
    Some(format!("{:#}\n", Value::Object(config)).into_bytes())
}
