//! Weights from a Hugging Face folder: `config.json` and `model.safetensors`, or several files
//! listed by `model.safetensors.index.json`.

use super::quantization::{no_scales, scale_names, Quantization, Scales};
use super::{ModelConfig, WeightSource};
use crate::error::{read_bounded, Error, Result};
use half::{bf16, f16};
use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const MAX_FILE: u64 = 32 << 30;
const MAX_FILES: usize = 256;

/// Files of a model's folder beside the weights that describe the model and its tokenizer.
pub const DESCRIPTION_FILES: [&str; 11] = [
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
/// Where the tensors of a model in several files lie.
pub const INDEX_FILE: &str = "model.safetensors.index.json";

/// The tensors of a folder. Files stay in memory until the source is dropped.
pub struct HfFolder {
    files: Vec<WeightFile>,
    place: BTreeMap<String, usize>,
    quantization: Quantization,
    /// Tensors that were asked for.
    used: Mutex<BTreeSet<String>>,
}

/// Values of a safetensors view of type F32, F16 or BF16.
pub(crate) fn to_f32(name: &str, dtype: Dtype, data: &[u8]) -> Result<Vec<f32>> {
    let values: Vec<f32> = match dtype {
        Dtype::F32 => {
            data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        }
        Dtype::F16 => {
            data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
        }
        Dtype::BF16 => {
            data.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
        }
        other => {
            let problem = format!("has the type {other:?}; F32, F16, BF16 or F8_E4M3 with scales");
            return Err(Error::weight(name, problem));
        }
    };
    if values.iter().any(|v| !v.is_finite()) {
        return Err(Error::weight(name, "holds values that are not finite"));
    }
    Ok(values)
}

/// A file of weights; its header is read once.
struct WeightFile {
    bytes: Vec<u8>,
    header: Metadata,
    /// Where the tensors' bytes begin.
    start: usize,
}

impl WeightFile {
    fn read(path: &Path) -> Result<Self> {
        let bytes = read_bounded(path, MAX_FILE)?;
        let (length, header) = SafeTensors::read_metadata(&bytes)
            .map_err(|e| Error::Safetensors { reason: e.to_string() })?;
        Ok(Self { start: size_of::<u64>() + length, bytes, header })
    }

    fn tensor(&self, name: &str) -> Result<TensorView<'_>> {
        let found = self.header.info(name).and_then(|info| {
            let (from, to) = info.data_offsets;
            Some((info, self.bytes.get(self.start..)?.get(from..to)?))
        });
        let (info, data) = found.ok_or_else(|| Error::weight(name, "is missing"))?;
        TensorView::new(info.dtype, info.shape.clone(), data)
            .map_err(|e| Error::weight(name, e.to_string()))
    }
}

impl HfFolder {
    /// Reads the folder's weight files.
    pub fn open(dir: &Path) -> Result<Self> {
        let quantization = Quantization::of_folder(dir)?;
        let index = dir.join(INDEX_FILE);
        let paths: Vec<PathBuf> = if index.exists() {
            let text = read_bounded(&index, 64 << 20)?;
            let json: serde_json::Value = serde_json::from_slice(&text)
                .map_err(|e| Error::Safetensors { reason: format!("the index: {e}") })?;
            let map =
                json.get("weight_map").and_then(serde_json::Value::as_object).ok_or_else(|| {
                    Error::Safetensors { reason: "the index has no weight_map".to_owned() }
                })?;
            let mut names: Vec<&str> = Vec::new();
            for file in map.values() {
                let file = file.as_str().unwrap_or("");
                let plain = !file.is_empty()
                    && file.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                    && !file.starts_with('.');
                if !plain {
                    return Err(Error::Safetensors {
                        reason: format!("the index names the file {file:?}; plain names only"),
                    });
                }
                names.push(file);
            }
            names.sort_unstable();
            names.dedup();
            if names.len() > MAX_FILES {
                return Err(Error::Safetensors {
                    reason: format!("{} files, at most {MAX_FILES}", names.len()),
                });
            }
            names.into_iter().map(|n| dir.join(n)).collect()
        } else {
            vec![dir.join("model.safetensors")]
        };
        let mut files = Vec::new();
        let mut place = BTreeMap::new();
        for (i, path) in paths.iter().enumerate() {
            let file = WeightFile::read(path)?;
            for name in file.header.offset_keys() {
                place.insert(name, i);
            }
            files.push(file);
        }
        Ok(Self { files, place, quantization, used: Mutex::default() })
    }
}

impl HfFolder {
    /// The name under which the folder holds a tensor: itself, or without the first part, since
    /// checkpoints of a model without its head (as GPT-2's and BLOOM's are published) lack it.
    fn stored<'a>(&self, name: &'a str) -> Option<(&'a str, &WeightFile)> {
        let bare = ["transformer.", "model."].iter().find_map(|p| name.strip_prefix(p));
        [Some(name), bare].into_iter().flatten().find_map(|name| {
            let file = self.place.get(name).and_then(|i| self.files.get(*i))?;
            Some((name, file))
        })
    }
}

impl HfFolder {
    /// Refuses a folder with tensors of the model's blocks that nobody asked for: the checkpoint
    /// computes something that its configuration does not say.
    pub fn check_all_used(&self, config: &ModelConfig) -> Result<()> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let prefix = config.family.layer_prefix();
        let head = format!("{}.bias", config.family.names().head);
        for name in self.place.keys().filter(|name| !used.contains(*name)) {
            let bare = prefix.split_once('.').map_or(prefix, |(_, bare)| bare);
            let inner = name.strip_prefix(prefix).or_else(|| name.strip_prefix(bare));
            let in_model = |(layer, path): (&str, &str)| {
                // Layers beyond the model's own predict several tokens ahead.
                let own = layer.parse::<usize>().is_ok_and(|l| l < config.num_hidden_layers);
                own && !is_buffer(path) && !self.quantization.is_scale(path)
            };
            if *name == head || inner.and_then(|i| i.split_once('.')).is_some_and(in_model) {
                return Err(Error::weight(
                    name,
                    format!(
                        "is in the files, but a {} model with this config.json has no such tensor; \
                         is its model_type right?",
                        config.family.model_type()
                    ),
                ));
            }
        }
        Ok(())
    }

    fn mark(&self, stored: &str) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(stored.to_owned());
    }

    /// The values of a tensor in 8-bit floating point.
    fn float8(&self, name: &str, stored: &str, view: &TensorView<'_>) -> Result<Vec<f32>> {
        let names = scale_names(stored);
        let found = names.iter().find_map(|n| {
            let file = self.place.get(n).and_then(|i| self.files.get(*i))?;
            Some((n, file))
        });
        let (scale, file) = found.ok_or_else(|| no_scales(name))?;
        let scales = file.tensor(scale)?;
        let scales = Scales { dtype: scales.dtype(), shape: scales.shape(), bytes: scales.data() };
        self.quantization.dequantise(name, view.shape(), view.data(), &scales)
    }
}

/// Tables that older versions of transformers saved with the weights.
fn is_buffer(path: &str) -> bool {
    path.contains("rotary_emb.") || path == "attn.bias" || path == "attn.masked_bias"
}

impl WeightSource for HfFolder {
    fn load(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let (stored, file) = self.stored(name).ok_or_else(|| Error::weight(name, "is missing"))?;
        let view = file.tensor(stored)?;
        if view.shape() != shape {
            return Err(Error::weight(
                name,
                format!("has the shape {:?}, the configuration demands {shape:?}", view.shape()),
            ));
        }
        self.mark(stored);
        if view.dtype() == Dtype::F8_E4M3 {
            return self.float8(name, stored, &view);
        }
        to_f32(name, view.dtype(), view.data())
    }

    fn has(&self, name: &str) -> bool {
        self.stored(name).is_some()
    }
}
