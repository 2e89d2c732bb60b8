//! Safetensors files read and written tensor by tensor, so that a large model is never in memory as
//! a whole.

use crate::error::{Error, Result};
use half::{bf16, f16};
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Longest header that is read, in bytes; safetensors itself allows no more.
const MAX_HEADER: u64 = 100_000_000;
/// Most dimensions of a tensor.
const MAX_DIMENSIONS: usize = 8;

/// Type of a tensor's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32 bits.
    F32,
    /// 16 bits, IEEE.
    F16,
    /// 16 bits, the upper half of `F32`.
    Bf16,
}

impl Dtype {
    /// By the name that safetensors uses, or that transformers does.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "F32" | "f32" | "float32" => Self::F32,
            "F16" | "f16" | "float16" => Self::F16,
            "BF16" | "bf16" | "bfloat16" => Self::Bf16,
            _ => return None,
        })
    }

    /// The name that safetensors uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }

    /// The name that `config.json` uses.
    pub fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    /// Bytes a value.
    pub fn size(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Values of bytes.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        let pairs = bytes.chunks_exact(2);
        match self {
            Self::F32 => bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            Self::F16 => pairs.map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Self::Bf16 => pairs.map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        }
    }

    /// Bytes of values, rounded to the nearest.
    pub fn encode(self, values: &[f32]) -> Vec<u8> {
        match self {
            Self::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::F16 => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
            Self::Bf16 => values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect(),
        }
    }
}

/// Where a tensor lies and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Type, as the file names it.
    pub dtype: String,
    /// Dimensions, slowest first.
    pub shape: Vec<usize>,
    /// First byte after the header, and length in bytes.
    place: (u64, u64),
}

impl Entry {
    /// Number of values.
    pub fn values(&self) -> u64 {
        self.shape.iter().fold(1, |n, d| n * *d as u64)
    }

    /// Length in bytes.
    pub fn bytes(&self) -> u64 {
        self.place.1
    }
}

/// An open safetensors file.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    file: Mutex<File>,
    data: u64,
    /// Tensors by name.
    pub entries: BTreeMap<String, Entry>,
    /// The header's `__metadata__`.
    pub metadata: BTreeMap<String, String>,
}

impl TensorFile {
    /// Opens a file and reads its header: bounded, an error for anything malformed.
    pub fn open(path: &Path) -> Result<Self> {
        let fail =
            |reason: String| Error::Safetensors { reason: format!("{}: {reason}", path.display()) };
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        let size = file.metadata().map_err(Error::io("read", path))?.len();
        let mut length = [0u8; 8];
        file.read_exact(&mut length).map_err(|_| fail("the file is cut short".to_owned()))?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER || length > size.saturating_sub(8) {
            return Err(fail(format!("a header of {length} bytes in a file of {size}")));
        }
        let mut header = vec![0u8; length as usize];
        file.read_exact(&mut header).map_err(Error::io("read", path))?;
        let header: Map<String, Value> = serde_json::from_slice(&header)
            .map_err(|e| fail(format!("its header is no JSON object: {e}")))?;
        let data = 8 + length;
        let mut entries = BTreeMap::new();
        let mut metadata = BTreeMap::new();
        for (name, value) in header {
            if name == "__metadata__" {
                for (key, value) in value.as_object().into_iter().flatten() {
                    metadata.insert(key.clone(), value.as_str().unwrap_or("").to_owned());
                }
                continue;
            }
            let entry =
                entry(&value).ok_or_else(|| fail(format!("{name} is described wrongly")))?;
            let end = entry.place.0.checked_add(entry.place.1).and_then(|e| e.checked_add(data));
            if end.is_none_or(|end| end > size) {
                return Err(fail(format!("{name} ends beyond the file; was it cut short?")));
            }
            entries.insert(name, entry);
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), data, entries, metadata })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A tensor's bytes.
    pub fn raw(&self, name: &str) -> Result<Vec<u8>> {
        let entry = self.entries.get(name).ok_or_else(|| Error::weight(name, "is missing"))?;
        let (start, length) = entry.place;
        // The place was checked against the file's size.
        let mut bytes = vec![0u8; length as usize];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.data + start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(Error::io("read", &self.path))?;
        Ok(bytes)
    }

    /// A tensor's values, refused unless they are finite floating-point numbers.
    pub fn values(&self, name: &str) -> Result<Vec<f32>> {
        let entry = self.entries.get(name).ok_or_else(|| Error::weight(name, "is missing"))?;
        let dtype = Dtype::from_name(&entry.dtype).ok_or_else(|| {
            Error::weight(name, format!("has the type {}; F32, F16 or BF16", entry.dtype))
        })?;
        if entry.values().checked_mul(dtype.size()) != Some(entry.bytes()) {
            return Err(Error::weight(name, "has bytes for another shape"));
        }
        let values = dtype.decode(&self.raw(name)?);
        if values.iter().any(|v| !v.is_finite()) {
            return Err(Error::weight(name, "holds values that are not finite"));
        }
        Ok(values)
    }
}

fn entry(value: &Value) -> Option<Entry> {
    let dtype = value.get("dtype")?.as_str()?.to_owned();
    let shape: Vec<usize> = value
        .get("shape")?
        .as_array()?
        .iter()
        .map(|d| usize::try_from(d.as_u64()?).ok())
        .collect::<Option<_>>()?;
    let values = shape.iter().try_fold(1u64, |n, d| n.checked_mul(*d as u64))?;
    let offsets = value.get("data_offsets")?.as_array()?;
    let [start, end] = offsets.as_slice() else { return None };
    let (start, end) = (start.as_u64()?, end.as_u64()?);
    let plausible = shape.len() <= MAX_DIMENSIONS && dtype.len() <= 16 && values <= 1 << 44;
    plausible.then_some(Entry { dtype, shape, place: (start, end.checked_sub(start)?) })
}

/// A tensor to write: name, type, shape.
pub type Planned = (String, Dtype, Vec<usize>);

/// Writes safetensors files into a folder, each of at most `shard` bytes of tensors, with an index
/// when there are several, as transformers does. `values` gives each tensor's values when it is its
/// turn.
pub fn write_sharded(
    dir: &Path,
    tensors: &[Planned],
    shard: u64,
    mut values: impl FnMut(&str) -> Result<Vec<f32>>,
) -> Result<Vec<PathBuf>> {
    let bytes = |(_, dtype, shape): &Planned| {
        shape.iter().fold(dtype.size(), |n, d| n.saturating_mul(*d as u64))
    };
    let mut shards: Vec<&[Planned]> = Vec::new();
    let (mut from, mut size) = (0, 0u64);
    for (i, tensor) in tensors.iter().enumerate() {
        if i > from && size + bytes(tensor) > shard {
            shards.extend(tensors.get(from..i));
            (from, size) = (i, 0);
        }
        size += bytes(tensor);
    }
    shards.extend(tensors.get(from..));
    let name = |i: usize| match shards.len() {
        1 => "model.safetensors".to_owned(),
        n => format!("model-{:05}-of-{n:05}.safetensors", i + 1),
    };
    let mut map = Map::new();
    let mut paths = Vec::new();
    for (i, shard) in shards.iter().enumerate() {
        let path = dir.join(name(i));
        write(&path, shard, &mut values)?;
        for (tensor, ..) in *shard {
            map.insert(tensor.clone(), json!(name(i)));
        }
        paths.push(path);
    }
    if shards.len() > 1 {
        let total: u64 = tensors.iter().map(bytes).sum();
        let index = json!({ "metadata": { "total_size": total }, "weight_map": map });
        let path = dir.join("model.safetensors.index.json");
        crate::error::write_atomically(&path, format!("{index:#}\n").as_bytes())?;
    }
    Ok(paths)
}

fn write(
    path: &Path,
    tensors: &[Planned],
    values: &mut impl FnMut(&str) -> Result<Vec<f32>>,
) -> Result<()> {
    let mut header = String::from("{\"__metadata__\":{\"format\":\"pt\"}");
    let mut offset = 0u64;
    for (name, dtype, shape) in tensors {
        let end = offset + shape.iter().fold(dtype.size(), |n, d| n * *d as u64);
        header.push_str(&format!(
            ",{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{offset},{end}]}}",
            json!(name),
            dtype.name(),
            json!(shape)
        ));
        offset = end;
    }
    header.push('}');
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    let fail = |e| Error::io("write", path)(e);
    // Under another name until it is whole.
    let part = path.with_extension("safetensors.part");
    let mut file = BufWriter::new(File::create(&part).map_err(Error::io("create", &part))?);
    file.write_all(&(header.len() as u64).to_le_bytes()).map_err(fail)?;
    file.write_all(header.as_bytes()).map_err(fail)?;
    for (name, dtype, shape) in tensors {
        let values = values(name)?;
        if values.len() != shape.iter().product::<usize>() {
            return Err(Error::weight(name.as_str(), format!("has not the shape {shape:?}")));
        }
        file.write_all(&dtype.encode(&values)).map_err(fail)?;
    }
    let file = file.into_inner().map_err(|e| fail(e.into_error()))?;
    file.sync_all().map_err(fail)?;
    std::fs::rename(&part, path).map_err(fail)
}
