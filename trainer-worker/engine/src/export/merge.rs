//! An adapter put into its base model: `W + scaling · B·A` for every adapted module, written as a
//! Hugging Face folder tensor by tensor.

use super::adapter::{Pair, PeftAdapter};
use super::hf_config::hf_config;
use super::tensors::{write_sharded, Dtype, Planned, TensorFile};
use crate::error::{read_bounded, write_atomically, Error, Result};
use crate::kernels::gemm;
use crate::model::gguf::Gguf;
use crate::model::hf::DESCRIPTION_FILES;
use crate::model::quantization::{no_scales, scale_names, Quantization, Scales};
use crate::model::{folder, ModelConfig, WeightSource};
use crate::tokenizer::Tokenizer;
use serde_json::{json, Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Bytes of tensors a file, as transformers splits large models.
const SHARD: u64 = 5_000_000_000;
/// Safetensors' name of the 8-bit floating point that is dequantised.
const FLOAT8: &str = "F8_E4M3";
/// Largest small file that is copied, in bytes.
const MAX_COPY: u64 = 256 << 20;

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
    Folder(Folder),
    Gguf(Box<Gguf>, BTreeMap<String, Vec<usize>>),
}

/// The safetensors files of a folder.
struct Folder {
    /// File, type to write and shape of each tensor.
    tensors: BTreeMap<String, (usize, Dtype, Vec<usize>)>,
    files: Vec<TensorFile>,
    quantization: Quantization,
}

impl Folder {
    fn values(&self, name: &str) -> Result<Vec<f32>> {
        let missing = || Error::weight(name, "is missing");
        let (file, _, shape) = self.tensors.get(name).ok_or_else(missing)?;
        let file = self.files.get(*file).ok_or_else(missing)?;
        if file.entries.get(name).is_none_or(|e| e.dtype != FLOAT8) {
            return file.values(name);
        }
        let names = scale_names(name);
        let found = names.iter().find_map(|scale| {
            self.files.iter().find_map(|f| Some((scale, f, f.entries.get(scale)?)))
        });
        let (scale, scales, entry) = found.ok_or_else(|| no_scales(name))?;
        let dtype = match entry.dtype.as_str() {
            "F32" => safetensors::Dtype::F32,
            "BF16" => safetensors::Dtype::BF16,
            "F16" => safetensors::Dtype::F16,
            "F8_E8M0" => safetensors::Dtype::F8_E8M0,
            other => return Err(Error::weight(scale, format!("has the type {other}"))),
        };
        let bytes = scales.raw(scale)?;
        let scales = Scales { dtype, shape: &entry.shape, bytes: &bytes };
        self.quantization.dequantise(name, shape, &file.raw(name)?, &scales)
    }
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
    folder::check(base)?;
    let model = ModelConfig::open(base)?;
    let (source, config) = if base.is_dir() { folder(base)? } else { gguf(base)? };
    let mut planned: Vec<Planned> = source.tensors(settings.dtype);
    // A tied head that the adapter changes would change the embedding with it.
    let names: BTreeSet<&str> = planned.iter().map(|(name, ..)| name.as_str()).collect();
    let mut changes = BTreeMap::new();
    for (path, pair) in adapter.iter().flat_map(|a| &a.modules) {
        let name = names_of(path).into_iter().find(|name| names.contains(name.as_str()));
        let name = name.ok_or_else(|| {
            Error::adapter(format!(
                "the base model {} has no weight {path}.weight to merge into; {}: give --model the one \
                 that it was trained on",
                base.display(),
                adapter.map_or_else(String::new, PeftAdapter::base)
            ))
        })?;
        changes.insert(name, (path.as_str(), pair));
    }
    planned.sort_by(|a, b| a.0.cmp(&b.0));
    let across = model.fan_in_fan_out();
    if let Some(adapter) = adapter {
        adapter.check_complete(&model)?;
    }
    let part = Part::beside(target)?;
    let total = planned.len();
    let mut done = 0;
    let files = write_sharded(part.path(), &planned, SHARD, |name| {
        let mut values = source.values(name)?;
        if let (Some(adapter), Some((path, pair))) = (adapter, changes.get(name)) {
            let shape = source.shape(name);
            add(&mut values, &shape, adapter, path, pair, across)?;
        }
        done += 1;
        progress(done, total);
        Ok(values)
    })?;
    let with_tokenizer = match &source {
        Source::Folder(_) => true,
        Source::Gguf(gguf, _) => gguf.get("tokenizer.ggml.model").is_some(),
    };
    companions(base, part.path(), config, settings.dtype, with_tokenizer)?;
    let names = files.iter().filter_map(|f| f.file_name());
    let files = names.map(|name| target.join(name)).collect();
    part.becomes(target)?;
    Ok(Merged { files, tensors: total, changed: changes.len() })
}

/// A folder that is written before anything of it has its name: beside a target that is new, within one
/// that is there (which may be where somebody stands, or another file system). It is removed when it is
/// dropped, so that a merge that fails leaves nothing.
struct Part(tempfile::TempDir);

impl Part {
    fn beside(target: &Path) -> Result<Self> {
        let place = match target.parent() {
            _ if target.is_dir() => target,
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(place).map_err(Error::io("create", place))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".merging-");
        // Like any new folder, not private to this user as temporary ones are.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        builder.tempdir_in(place).map(Self).map_err(Error::io("create a folder in", place))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn becomes(self, target: &Path) -> Result<()> {
        if !target.is_dir() {
            return std::fs::rename(self.path(), target).map_err(Error::io("write", target));
        }
        let entries = std::fs::read_dir(self.path()).map_err(Error::io("read", self.path()))?;
        let mut moved: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::io("read", self.path()))?;
            let to = target.join(entry.file_name());
            if let Err(error) = std::fs::rename(entry.path(), &to) {
                for file in moved {
                    // What cannot be removed stays; the error below is what is to be told.
                    let _ = std::fs::remove_file(file);
                }
                return Err(Error::io("write", &to)(error));
            }
            moved.push(to);
        }
        Ok(())
    }
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
    across: bool,
) -> Result<()> {
    let (out, input, r) = (pair.output, pair.input, pair.rank);
    // GPT-2's Conv1D keeps [input, output]. As in PEFT the model counts, not what the adapter says.
    let wanted = if across { [input, out] } else { [out, input] };
    if shape != wanted {
        return Err(Error::adapter(format!(
            "{path} adapts a weight of shape {wanted:?}, the base model's is {shape:?}; {}: give --model \
             the one that it was trained on",
            adapter.base()
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
            Self::Folder(folder) => folder
                .tensors
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
            Self::Folder(folder) => folder.tensors.get(name).map(|(_, _, s)| s.clone()),
            Self::Gguf(_, tensors) => tensors.get(name).cloned(),
        }
        .unwrap_or_default()
    }

    fn values(&self, name: &str) -> Result<Vec<f32>> {
        match self {
            Self::Folder(folder) => folder.values(name),
            Self::Gguf(gguf, tensors) => {
                let shape = tensors.get(name);
                gguf.load(name, shape.ok_or_else(|| Error::weight(name, "is missing"))?)
            }
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
    let quantization = Quantization::of_folder(base)?;
    let mut tensors = BTreeMap::new();
    let mut files = Vec::new();
    for path in paths {
        let file = TensorFile::open(&path)?;
        for (name, entry) in &file.entries {
            if quantization.is_scale(name) {
                continue;
            }
            // What was quantised is written as models of that kind are published without it.
            let dtype = match entry.dtype.as_str() {
                FLOAT8 => Some(Dtype::Bf16),
                other => Dtype::from_name(other),
            };
            let dtype = dtype.ok_or_else(|| {
                let problem = format!("has the type {}; F32, F16, BF16 or {FLOAT8}", entry.dtype);
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
    Ok((Source::Folder(Folder { tensors, files, quantization }), None))
}

/// The tensors of a GGUF file under Hugging Face's names, and the configuration.
fn gguf(base: &Path) -> Result<(Source, Option<Map<String, Value>>)> {
    let mut gguf = Gguf::open(base)?;
    // Remembers the head counts, which un-permuting needs.
    let config = gguf.config()?;
    gguf.check_all_used(&config)?;
    let mut written = hf_config(&config)?;
    for (name, key) in [("bos_token_id", "bos_token_id"), ("eos_token_id", "eos_token_id")] {
        let id = gguf.unsigned(&format!("tokenizer.ggml.{key}"));
        written.insert(name.to_owned(), json!(id));
    }
    let tensors = config.tensors().into_iter().collect();
    Ok((Source::Gguf(Box::new(gguf), tensors), Some(written)))
}

/// Configuration and tokenizer beside the weights.
fn companions(
    base: &Path,
    target: &Path,
    config: Option<Map<String, Value>>,
    dtype: Option<Dtype>,
    with_tokenizer: bool,
) -> Result<()> {
    let Some(mut config) = config else {
        for name in DESCRIPTION_FILES {
            let from = base.join(name);
            if !from.is_file() {
                continue;
            }
            let mut bytes = read_bounded(&from, MAX_COPY)?;
            if name == "config.json" {
                bytes = as_written(&bytes, dtype).unwrap_or(bytes);
            }
            write_atomically(&target.join(name), &bytes)?;
        }
        return Ok(());
    };
    config.insert("torch_dtype".to_owned(), json!(dtype.unwrap_or(Dtype::F32).torch_name()));
    let write = |name: &str, value: &Value| {
        write_atomically(&target.join(name), format!("{value:#}\n").as_bytes())
    };
    if !with_tokenizer {
        return write("config.json", &Value::Object(config));
    }
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

/// The configuration with the type that is written and without what was said of the quantisation;
/// none where nothing changes.
fn as_written(config: &[u8], dtype: Option<Dtype>) -> Option<Vec<u8>> {
    let mut config: Map<String, Value> = serde_json::from_slice(config).ok()?;
    let quantised = config.remove("quantization_config").is_some();
    if !quantised && dtype.is_none() {
        return None;
    }
    let name = if config.contains_key("dtype") { "dtype" } else { "torch_dtype" };
    let dtype = dtype.or(quantised.then_some(Dtype::Bf16));
    if let Some(dtype) = dtype {
        config.insert(name.to_owned(), json!(dtype.torch_name()));
    }
    Some(format!("{:#}\n", Value::Object(config)).into_bytes())
}
