//! The header of a GGUF file: metadata and the list of tensors, read with bounds.

use crate::error::{Error, Result};
use candle_core::quantized::GgmlDType;
use std::collections::BTreeMap;
use std::io::Read;

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
    /// An array of floating point numbers, as `f32`.
    Floats(Vec<f32>),
    /// An array of truth values: skipped, only its length is known.
    Skipped(u64),
}

/// What the header says of one tensor.
#[derive(Debug, Clone)]
pub(super) struct TensorInfo {
    /// Slowest dimension first.
    pub(super) shape: Vec<usize>,
    pub(super) dtype: GgmlDType,
    /// The part of a split file that it lies in, counted from 0.
    pub(super) part: usize,
    /// First byte in the file.
    pub(super) start: u64,
    pub(super) bytes: usize,
}

/// Metadata by key.
pub(super) type Metadata = BTreeMap<String, Value>;
/// Tensors by name.
pub(super) type Tensors = BTreeMap<String, TensorInfo>;

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
            6 | 12 => {
                self.need(len.saturating_mul(4), key)?;
                self.keep(len * 4)?;
                let mut floats = Vec::new();
                for _ in 0..len {
                    match self.scalar(element, key)? {
                        Value::Float(v) => floats.push(v as f32),
                        _ => return Err(Error::gguf(format!("{key} mixes types"))),
                    }
                }
                Ok(Value::Floats(floats))
            }
            7 => {
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

/// Reads the header of a file of `size` bytes. Every tensor it lists lies within the file.
pub(super) fn read(reader: impl Read, size: u64) -> Result<(Metadata, Tensors)> {
    let mut h = Header { reader, position: 0, size, kept: 0 };
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
            elements =
                elements.checked_mul(d).filter(|e| *e > 0 && *e <= 1 << 40).ok_or_else(|| {
                    Error::gguf(format!("tensor {name} has an impossible dimension {d}"))
                })?;
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
    // A small file could otherwise name the same bytes as thousands of tensors, each of which takes
    // memory of its own when it is loaded.
    let mut left = size.saturating_sub(data_start);
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
            return Err(Error::gguf(format!("tensor {name} has an impossible offset {offset}")));
        };
        if end > size {
            return Err(Error::gguf(format!(
                "tensor {name} ends at byte {end}, the file has {size}; was the download cut short?"
            )));
        }
        left = left.checked_sub(bytes).ok_or_else(|| {
            Error::gguf(format!("tensor {name} overlaps others: they take more than the file has"))
        })?;
        let info = TensorInfo { shape, dtype, part: 0, start, bytes: bytes as usize };
        if tensors.insert(name.clone(), info).is_some() {
            return Err(Error::gguf(format!("tensor {name} occurs twice")));
        }
    }
    Ok((metadata, tensors))
}
