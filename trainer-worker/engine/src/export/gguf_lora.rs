//! Adapters as GGUF, as `convert_lora_to_gguf.py` of llama.cpp writes them and its `--lora` reads
//! them.

use super::adapter::{Pair, PeftAdapter};
use crate::error::{read_bounded, write_atomically, Error, Result};
use crate::model::gguf::names::{Family, HeadCounts};
use crate::model::gguf::Gguf;
use serde_json::Value;
use std::path::Path;

/// Alignment of tensor data, GGUF's default.
const ALIGNMENT: usize = 32;

/// What has to be known of the base model.
pub struct Base {
    /// Its family, for names and layouts.
    pub family: Family,
    /// Its heads, for the order of rows.
    pub heads: HeadCounts,
    /// Its name.
    pub name: String,
    gguf: Option<Gguf>,
}

impl Base {
    /// Reads the header of a GGUF file, or `config.json` of a Hugging Face folder.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            let gguf = Gguf::open(path)?;
            let name = gguf.text("general.name").unwrap_or("model").to_owned();
            let (family, heads) = (gguf.family()?, gguf.head_counts()?);
            return Ok(Self { family, heads, name, gguf: Some(gguf) });
        }
        let file = path.join("config.json");
        let fail = |field: &str, value: String, problem: &str| Error::ModelConfig {
            field: field.to_owned(),
            value,
            problem: problem.to_owned(),
        };
        let config: Value = serde_json::from_slice(&read_bounded(&file, 1 << 20)?)
            .map_err(|e| fail("config.json", file.display().to_string(), &e.to_string()))?;
        let kind = config.get("model_type").and_then(Value::as_str).unwrap_or("missing");
        let family = Family::from_model_type(kind)
            .ok_or_else(|| fail("model_type", kind.to_owned(), "is not supported"))?;
        let size = |names: &[&str]| {
            let value = names.iter().find_map(|name| config.get(*name)?.as_u64())?;
            usize::try_from(value).ok().filter(|v| (1..=4096).contains(v))
        };
        let query = size(&["num_attention_heads", "n_head"])
            .ok_or_else(|| fail("num_attention_heads", "missing".to_owned(), "1 to 4096"))?;
        let key_value = size(&["num_key_value_heads", "multi_query_group_num"]).unwrap_or(query);
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Self { family, heads: HeadCounts { query, key_value }, name, gguf: None })
    }
}

/// Writes a GGUF adapter for a base model.
///
/// llama.cpp scales every module by `adapter.lora.alpha / rank`; where PEFT's scaling differs
/// (rsLoRA, patterns), `B` is multiplied by the quotient of both.
///
/// # Errors
///
/// [`Error::Adapter`] for DoRA, fully trained modules, and modules that the base model lacks.
pub fn export_gguf_lora(adapter: &PeftAdapter, base: &Base, target: &Path) -> Result<()> {
    adapter.refuse_others()?;
    let alpha = adapter.config.get("lora_alpha").and_then(Value::as_f64).unwrap_or(8.0);
    let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = Vec::new();
    for (path, pair) in &adapter.modules {
        if pair.dora {
            return Err(Error::adapter(format!(
                "{path} has a magnitude (DoRA), which llama.cpp cannot apply; merge it into the \
                 base model instead"
            )));
        }
        let place = base.family.place(&format!("{path}.weight")).filter(|p| p.expert.is_none());
        let place = place.ok_or_else(|| {
            Error::adapter(format!(
                "{path} has no counterpart in a {} GGUF file",
                base.family.architecture()
            ))
        })?;
        if let Some(gguf) = &base.gguf {
            let Some((shape, _)) = gguf.tensor_info(&place.tensor) else {
                return Err(Error::adapter(format!(
                    "the base model has no {}, which {path} would adapt; {}: give --model the one that \
                     it was trained on",
                    place.tensor,
                    adapter.base()
                )));
            };
            if shape != [pair.output, pair.input] {
                return Err(Error::adapter(format!(
                    "{path} adapts a weight of {} × {}, the base model's {} is {shape:?}; {}: give \
                     --model the one that it was trained on",
                    pair.output,
                    pair.input,
                    place.tensor,
                    adapter.base()
                )));
            }
        }
        let order = place.layout.row_order(pair.output, base.heads)?;
        let b = rows_in_order(adapter.b(path)?, pair, order.as_deref());
        let quotient = (pair.scaling / (alpha / pair.rank as f64)) as f32;
        let b = if quotient == 1.0 { b } else { b.iter().map(|v| v * quotient).collect() };
        let tensor = place.tensor;
        tensors.push((format!("{tensor}.lora_a"), vec![pair.rank, pair.input], adapter.a(path)?));
        tensors.push((format!("{tensor}.lora_b"), vec![pair.output, pair.rank], b));
    }
    let mut writer = Writer::default();
    writer.text("general.type", "adapter");
    writer.text("general.architecture", base.family.architecture());
    writer.text("general.name", &format!("{} LoRA", base.name));
    writer.text("adapter.type", "lora");
    writer.float("adapter.lora.alpha", alpha as f32);
    write_atomically(target, &writer.finish(&tensors))
}

/// `B` with its rows where the GGUF weight has them.
fn rows_in_order(b: Vec<f32>, pair: &Pair, order: Option<&[usize]>) -> Vec<f32> {
    let Some(order) = order else { return b };
    let mut out = vec![0f32; b.len()];
    for (row, to) in b.chunks_exact(pair.rank).zip(order) {
        if let Some(place) = out.get_mut(to * pair.rank..(to + 1) * pair.rank) {
            place.copy_from_slice(row);
        }
    }
    out
}

/// A GGUF file (version 3) of texts, numbers and `f32` tensors.
#[derive(Default)]
struct Writer {
    entries: Vec<u8>,
    count: u64,
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

impl Writer {
    fn key(&mut self, key: &str, kind: u32) {
        put_text(&mut self.entries, key);
        self.entries.extend_from_slice(&kind.to_le_bytes());
        self.count += 1;
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key, 8);
        put_text(&mut self.entries, value);
    }

    fn float(&mut self, key: &str, value: f32) {
        self.key(key, 6);
        self.entries.extend_from_slice(&value.to_le_bytes());
    }

    fn finish(self, tensors: &[(String, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend_from_slice(&3u32.to_le_bytes());
        bytes.extend_from_slice(&(tensors.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(&self.entries);
        let aligned = |n: usize| n.div_ceil(ALIGNMENT) * ALIGNMENT;
        let mut offset = 0;
        for (name, shape, values) in tensors {
            put_text(&mut bytes, name);
            bytes.extend_from_slice(&(shape.len() as u32).to_le_bytes());
            // GGUF lists the fastest dimension first.
            for dimension in shape.iter().rev() {
                bytes.extend_from_slice(&(*dimension as u64).to_le_bytes());
            }
            // The type F32.
            bytes.extend_from_slice(&0u32.to_le_bytes());
            bytes.extend_from_slice(&(offset as u64).to_le_bytes());
            offset += aligned(values.len() * 4);
        }
        for (_, _, values) in tensors {
            bytes.resize(aligned(bytes.len()), 0);
            bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        }
        bytes.resize(aligned(bytes.len()), 0);
        bytes
    }
}
