//! A bounded reader for GGUF files, versions 2 and 3.
//!
//! The header is parsed here rather than by candle: its reader divides by an alignment taken from
//! the file and keeps each array element as a 32-byte value, so a small hostile file can crash it
//! or grow it without bound. Tensor data is dequantised by candle.

use super::config::{Position, Sizes};
use super::rotary::Rotary;
use super::{Family, ModelConfig, WeightSource};
use crate::error::{Error, Result};
use candle_core::quantized::{ggml_file::qtensor_from_ggml, GgmlDType};
use candle_core::Device;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Mutex;

const MAX_STRING: u64 = 1 << 24;
const MAX_METADATA: u64 = 4096;
const MAX_TENSORS: u64 = 65_536;
/// Elements of one array; the largest real ones are vocabularies.
const MAX_ARRAY: u64 = 2_097_152;
/// Bytes of the header that are kept in memory in all.
const MAX_HEADER: u64 = 256 << 20;
const MAX_DIMENSIONS: u32 = 4;

/// A metadata value. Arrays keep their elements packed.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any unsigned or non-negative integer.
    Unsigned(u64),
    /// A negative integer.
    Negative(i64),
    /// A floating point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Text (invalid UTF-8 is refused).
    Text(String),
    /// An array of text.
    Texts(Vec<String>),
    /// An array of integers.
    Integers(Vec<i64>),
    /// An array of anything else: skipped, only its length is known.
    Skipped(u64),
}

#[derive(Debug, Clone)]
struct TensorInfo {
    shape: Vec<usize>,
    dtype: GgmlDType,
    start: u64,
    bytes: usize,
}

/// An open GGUF file: its metadata in memory, its tensors read on demand.
pub struct Gguf {
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, TensorInfo>,
    file: Mutex<File>,
    heads: (usize, usize),
}

struct Header<R> {
    reader: R,
    position: u64,
    size: u64,
    kept: u64,
}

impl<R: Read> Header<R> {
    fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut bytes = [0u8; N];
        self.reader.read_exact(&mut bytes).map_err(|e| {
            Error::gguf(format!("ends at byte {} within {what}: {e}", self.position))
        })?;
        self.position += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.bytes(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_le_bytes(self.bytes(what)?))
    }

    /// Checks that the file still holds `bytes` bytes.
    fn need(&self, bytes: u64, what: &str) -> Result<()> {
        let left = self.size.saturating_sub(self.position);
        if bytes > left {
            return Err(Error::gguf(format!(
                "{what} needs {bytes} bytes at byte {}, the file has {left} left",
                self.position
            )));
        }
        Ok(())
    }

    /// Accounts for memory that the header will take.
    fn keep(&mut self, bytes: u64) -> Result<()> {
        self.kept = self.kept.saturating_add(bytes);
        if self.kept > MAX_HEADER {
            return Err(Error::gguf(format!("its header exceeds {MAX_HEADER} bytes of memory")));
        }
        Ok(())
    }

    fn text(&mut self, what: &str) -> Result<String> {
        let len = self.u64(what)?;
        if len > MAX_STRING {
            return Err(Error::gguf(format!("{what} is {len} bytes, at most {MAX_STRING}")));
        }
        self.need(len, what)?;
        self.keep(len + 24)?;
        let mut bytes = vec![0u8; len as usize];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|e| Error::gguf(format!("ends within {what}: {e}")))?;
        self.position += len;
        String::from_utf8(bytes).map_err(|_| Error::gguf(format!("{what} is not UTF-8")))
    }

    fn scalar(&mut self, kind: u32, key: &str) -> Result<Value> {
        let integer = |v: i64| match u64::try_from(v) {
            Ok(v) => Value::Unsigned(v),
            Err(_) => Value::Negative(v),
        };
        Ok(match kind {
            0 => Value::Unsigned(u64::from(u8::from_le_bytes(self.bytes(key)?))),
            1 => integer(i64::from(i8::from_le_bytes(self.bytes(key)?))),
            2 => Value::Unsigned(u64::from(u16::from_le_bytes(self.bytes(key)?))),
            3 => integer(i64::from(i16::from_le_bytes(self.bytes(key)?))),
            4 => Value::Unsigned(u64::from(self.u32(key)?)),
            5 => integer(i64::from(i32::from_le_bytes(self.bytes(key)?))),
            6 => Value::Float(f64::from(f32::from_le_bytes(self.bytes(key)?))),
            7 => match self.bytes::<1>(key)? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [b] => return Err(Error::gguf(format!("{key} holds {b} where 0 or 1 belongs"))),
            },
            8 => Value::Text(self.text(key)?),
            10 => Value::Unsigned(self.u64(key)?),
            11 => integer(i64::from_le_bytes(self.bytes(key)?)),
            12 => Value::Float(f64::from_le_bytes(self.bytes(key)?)),
            other => return Err(Error::gguf(format!("{key} has the unknown type {other}"))),
        })
    }

    fn value(&mut self, key: &str) -> Result<Value> {
        let kind = self.u32(key)?;
        if kind != 9 {
            return self.scalar(kind, key);
        }
        let element = self.u32(key)?;
        let len = self.u64(key)?;
        if len > MAX_ARRAY {
            return Err(Error::gguf(format!("{key} has {len} elements, at most {MAX_ARRAY}")));
        }
        match element {
            8 => {
                self.need(len.saturating_mul(8), key)?;
                let mut texts = Vec::new();
                for _ in 0..len {
                    texts.push(self.text(key)?);
                }
                Ok(Value::Texts(texts))
            }
            0..=5 | 10 | 11 => {
                self.need(len, key)?;
                self.keep(len * 8)?;
                let mut integers = Vec::new();
                for _ in 0..len {
                    match self.scalar(element, key)? {
                        Value::Unsigned(v) => integers.push(i64::try_from(v).map_err(|_| {
                            Error::gguf(format!("{key} holds {v}, beyond 64-bit signed"))
                        })?),
                        Value::Negative(v) => integers.push(v),
                        _ => return Err(Error::gguf(format!("{key} mixes types"))),
                    }
                }
                Ok(Value::Integers(integers))
            }
            6 | 7 | 12 => {
                for _ in 0..len {
                    self.scalar(element, key)?;
                }
                Ok(Value::Skipped(len))
            }
            other => Err(Error::gguf(format!("{key} is an array of the unsupported type {other}"))),
        }
    }
}

fn dtype(code: u32, name: &str) -> Result<GgmlDType> {
    Ok(match code {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        other => {
            return Err(Error::gguf(format!(
                "tensor {name} has the unsupported type {other}; convert the file to F16, Q8_0 or a K type"
            )))
        }
    })
}

impl Gguf {
    /// Opens a file and reads its header: bounded memory, an error for anything malformed.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let size = file.metadata().map_err(Error::io("read", path))?.len();
        let mut h = Header { reader: BufReader::new(&file), position: 0, size, kept: 0 };
        if &h.bytes::<4>("the magic number")? != b"GGUF" {
            return Err(Error::gguf("it does not begin with the letters GGUF"));
        }
        let version = h.u32("the version")?;
        if !(2..=3).contains(&version) {
            return Err(Error::gguf(format!("version {version}; 2 and 3 are supported")));
        }
        let tensor_count = h.u64("the tensor count")?;
        let metadata_count = h.u64("the metadata count")?;
        if tensor_count > MAX_TENSORS || metadata_count > MAX_METADATA {
            return Err(Error::gguf(format!(
                "it declares {tensor_count} tensors and {metadata_count} metadata entries, at most {MAX_TENSORS} and {MAX_METADATA}"
            )));
        }
        let mut metadata = BTreeMap::new();
        for i in 0..metadata_count {
            let key = h.text(&format!("metadata key {i}"))?;
            let value = h.value(&key)?;
            if metadata.contains_key(&key) {
                return Err(Error::gguf(format!("the key {key} occurs twice")));
            }
            metadata.insert(key, value);
        }
        let mut raw = Vec::new();
        for i in 0..tensor_count {
            let name = h.text(&format!("the name of tensor {i}"))?;
            let dimensions = h.u32(&name)?;
            if dimensions == 0 || dimensions > MAX_DIMENSIONS {
                return Err(Error::gguf(format!(
                    "tensor {name} has {dimensions} dimensions, 1 to {MAX_DIMENSIONS} are supported"
                )));
            }
            let mut shape = Vec::new();
            let mut elements: u64 = 1;
            for _ in 0..dimensions {
                let d = h.u64(&name)?;
                elements = elements.checked_mul(d).filter(|e| *e > 0 && *e <= 1 << 40).ok_or_else(
                    || Error::gguf(format!("tensor {name} has an impossible dimension {d}")),
                )?;
                shape.push(d as usize);
            }
            // GGUF lists the fastest dimension first.
            shape.reverse();
            let dtype = dtype(h.u32(&name)?, &name)?;
            let offset = h.u64(&name)?;
            raw.push((name, shape, elements, dtype, offset));
        }
        let alignment = match metadata.get("general.alignment") {
            None => 32,
            Some(Value::Unsigned(a)) if a.is_power_of_two() && *a <= 1 << 20 => *a,
            Some(other) => {
                return Err(Error::gguf(format!(
                    "general.alignment is {other:?}; a power of two up to 1 MiB is expected"
                )))
            }
        };
        let data_start = h.position.div_ceil(alignment) * alignment;
        let mut tensors = BTreeMap::new();
        for (name, shape, elements, dtype, offset) in raw {
            let block = dtype.block_size() as u64;
            let row = *shape.last().unwrap_or(&0) as u64;
            if !row.is_multiple_of(block) {
                return Err(Error::gguf(format!(
                    "tensor {name} has rows of {row} values, not a multiple of {block}"
                )));
            }
            let bytes = elements / block * dtype.type_size() as u64;
            let start = data_start.checked_add(offset);
            let end = start.and_then(|s| s.checked_add(bytes));
            let (Some(start), Some(end)) = (start, end) else {
                return Err(Error::gguf(format!(
                    "tensor {name} has an impossible offset {offset}"
                )));
            };
            if end > size {
                return Err(Error::gguf(format!(
                    "tensor {name} ends at byte {end}, the file has {size}; was the download cut short?"
                )));
            }
            let info = TensorInfo { shape, dtype, start, bytes: bytes as usize };
            if tensors.insert(name.clone(), info).is_some() {
                return Err(Error::gguf(format!("tensor {name} occurs twice")));
            }
        }
        drop(h);
        Ok(Self { metadata, tensors, file: Mutex::new(file), heads: (0, 0) })
    }

    /// A metadata value by key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// A text by key.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(t)) => Some(t),
            _ => None,
        }
    }

    /// A non-negative integer by key.
    pub fn unsigned(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Value::Unsigned(v)) => Some(*v),
            _ => None,
        }
    }

    /// A truth value by key.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(Value::Bool(v)) => Some(*v),
            _ => None,
        }
    }

    /// The model's configuration from the metadata; remembers the head counts, which un-permuting
    /// the q and k weights needs.
    pub fn config(&mut self) -> Result<ModelConfig> {
        let missing = |field: &str, problem: &str| Error::ModelConfig {
            field: field.to_owned(),
            value: self.get(field).map_or("missing".to_owned(), |v| format!("{v:?}")),
            problem: problem.to_owned(),
        };
        match self.text("general.architecture") {
            Some("llama") => {}
            _ => return Err(missing("general.architecture", "only llama is supported")),
        }
        let size = |key: &str| {
            self.unsigned(key)
                .and_then(|v| usize::try_from(v).ok())
                .ok_or_else(|| missing(key, "must be a whole number"))
        };
        let or = |key: &str, default: usize| match self.get(key) {
            None => Ok(default),
            Some(_) => size(key),
        };
        let number = |key: &str, default: Option<f64>| match self.get(key) {
            Some(Value::Float(v)) => Ok(*v),
            Some(Value::Unsigned(v)) => Ok(*v as f64),
            None if default.is_some() => Ok(default.unwrap_or_default()),
            _ => Err(missing(key, "must be a number")),
        };
        if or("llama.expert_count", 0)? > 0 {
            return Err(missing("llama.expert_count", "mixtures of experts are not supported"));
        }
        let hidden_size = size("llama.embedding_length")?;
        let num_attention_heads = size("llama.attention.head_count")?;
        let default_dim =
            hidden_size.checked_div(num_attention_heads).filter(|d| *d > 0).unwrap_or(1);
        let head_dim = or("llama.attention.key_length", default_dim)?;
        if or("llama.attention.value_length", head_dim)? != head_dim {
            return Err(missing("llama.attention.value_length", "must equal the key length"));
        }
        if or("llama.rope.dimension_count", head_dim)? != head_dim {
            return Err(missing("llama.rope.dimension_count", "must equal the head's size"));
        }
        if let Some(kind) = self.text("llama.rope.scaling.type").filter(|k| *k != "none") {
            return Err(Error::ModelConfig {
                field: "llama.rope.scaling.type".to_owned(),
                value: kind.to_owned(),
                problem: "only unscaled rotary embeddings and rope_freqs.weight are supported"
                    .to_owned(),
            });
        }
        let embedding = self
            .tensors
            .get("token_embd.weight")
            .ok_or_else(|| Error::weight("token_embd.weight", "is missing"))?;
        let vocab_size = embedding.shape.first().copied().unwrap_or(0);
        if or("llama.vocab_size", vocab_size)? != vocab_size {
            return Err(missing("llama.vocab_size", "must equal the rows of token_embd.weight"));
        }
        let sizes = Sizes {
            hidden_size,
            intermediate_size: size("llama.feed_forward_length")?,
            num_hidden_layers: size("llama.block_count")?,
            num_attention_heads,
            num_key_value_heads: or("llama.attention.head_count_kv", num_attention_heads)?,
            head_dim,
            vocab_size,
            max_position_embeddings: size("llama.context_length")?,
        };
        let name = self.text("general.name").unwrap_or("model");
        let mut config = ModelConfig::new(Family::Llama, name, sizes);
        config.norm_eps = number("llama.attention.layer_norm_rms_epsilon", None)? as f32;
        config.tie_word_embeddings = !self.tensors.contains_key("output.weight");
        let mut rotary = Rotary {
            dim: head_dim,
            theta: number("llama.rope.freq_base", Some(10_000.0))?,
            ..Rotary::default()
        };
        config.position = Position::Rotary(rotary.clone());
        config.validate()?;
        if self.tensors.contains_key("rope_freqs.weight") {
            rotary.factors = self.read("rope_freqs.weight", &[head_dim / 2])?;
            config.position = Position::Rotary(rotary);
            config.validate()?;
        }
        self.heads = (config.num_attention_heads, config.num_key_value_heads);
        Ok(config)
    }

    fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let info = self
            .tensors
            .get(name)
            .ok_or_else(|| Error::weight(name, "is missing from the file"))?;
        if info.shape != shape {
            return Err(Error::weight(
                name,
                format!("has the shape {:?}, the configuration demands {shape:?}", info.shape),
            ));
        }
        let mut bytes = vec![0u8; info.bytes];
        {
            let mut file =
                self.file.lock().map_err(|_| Error::gguf("another thread failed while reading"))?;
            file.seek(SeekFrom::Start(info.start))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(|e| Error::weight(name, format!("cannot be read: {e}")))?;
        }
        let tensor = qtensor_from_ggml(info.dtype, &bytes, shape.to_vec(), &Device::Cpu)?;
        drop(bytes);
        let values = tensor.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        if values.iter().any(|v| !v.is_finite()) {
            return Err(Error::weight(name, "holds values that are not finite"));
        }
        Ok(values)
    }
}

/// llama.cpp interleaves the two halves of each head's rows for its rotary embedding: its row
/// `2 j + i` of a head is Hugging Face's row `i * dim / 2 + j`. This puts them back.
fn unpermute(values: &[f32], heads: usize, rows: usize, width: usize) -> Vec<f32> {
    let dim = rows / heads;
    let half = dim / 2;
    let mut out = vec![0f32; values.len()];
    for h in 0..heads {
        for i in 0..2 {
            for j in 0..half {
                let to = (h * dim + i * half + j) * width;
                let from = (h * dim + 2 * j + i) * width;
                out[to..to + width].copy_from_slice(&values[from..from + width]);
            }
        }
    }
    out
}

/// The GGUF name of a tensor in Hugging Face's naming.
fn gguf_name(name: &str) -> Option<String> {
    match name {
        "model.embed_tokens.weight" => return Some("token_embd.weight".to_owned()),
        "model.norm.weight" => return Some("output_norm.weight".to_owned()),
        "lm_head.weight" => return Some("output.weight".to_owned()),
        _ => {}
    }
    let (layer, rest) = name.strip_prefix("model.layers.")?.split_once('.')?;
    let part = match rest {
        "input_layernorm.weight" => "attn_norm",
        "post_attention_layernorm.weight" => "ffn_norm",
        "self_attn.q_proj.weight" => "attn_q",
        "self_attn.k_proj.weight" => "attn_k",
        "self_attn.v_proj.weight" => "attn_v",
        "self_attn.o_proj.weight" => "attn_output",
        "mlp.gate_proj.weight" => "ffn_gate",
        "mlp.up_proj.weight" => "ffn_up",
        "mlp.down_proj.weight" => "ffn_down",
        _ => return None,
    };
    Some(format!("blk.{layer}.{part}.weight"))
}

impl WeightSource for Gguf {
    fn load(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let gguf = gguf_name(name).ok_or_else(|| Error::weight(name, "has no GGUF counterpart"))?;
        let values = self.read(&gguf, shape)?;
        let heads = if name.ends_with("q_proj.weight") {
            self.heads.0
        } else if name.ends_with("k_proj.weight") {
            self.heads.1
        } else {
            return Ok(values);
        };
        match shape {
            [rows, width] if heads > 0 && rows.is_multiple_of(heads * 2) => {
                Ok(unpermute(&values, heads, *rows, *width))
            }
            _ => Err(Error::weight(name, format!("cannot be split into {heads} heads"))),
        }
    }

    fn has(&self, name: &str) -> bool {
        gguf_name(name).is_some_and(|n| self.tensors.contains_key(&n))
    }
}
