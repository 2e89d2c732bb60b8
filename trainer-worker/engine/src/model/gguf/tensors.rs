//! The tensors of a GGUF file under Hugging Face's names: dequantised, or as they lie in the file.

use super::header::TensorInfo;
use super::names::{Family, Layout, Place};
use super::Gguf;
use crate::error::{Error, Result};
use crate::kernels::quant::{BlockType, QuantMatrix};
use crate::model::{ModelConfig, WeightSource};
use candle_core::quantized::{ggml_file::qtensor_from_ggml, GgmlDType};
use candle_core::Device;
use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};

/// A tensor's bytes in the file's own type, rows in Hugging Face's order.
#[derive(Debug, Clone, PartialEq)]
pub struct RawTensor {
    /// The type of its blocks.
    pub dtype: GgmlDType,
    /// `[output, input]` of a matrix, also where Hugging Face's file has `[input, output]`
    /// (GPT-2); `[n]` of a vector. Each row is whole blocks.
    pub shape: Vec<usize>,
    /// `rows × input / block size × bytes a block` bytes.
    pub bytes: Vec<u8>,
}

impl RawTensor {
    /// The values in row-major order, refused when one is not finite.
    pub fn dequantize(&self, name: &str) -> Result<Vec<f32>> {
        let shape = self.shape.clone();
        let tensor = qtensor_from_ggml(self.dtype, &self.bytes, shape, &Device::Cpu)?;
        let values = tensor.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        if values.iter().any(|v| !v.is_finite()) {
            return Err(Error::weight(name, "holds values that are not finite"));
        }
        Ok(values)
    }
}

/// The type of blocks that are smaller than `f32`.
fn block_type(dtype: GgmlDType) -> Option<BlockType> {
    Some(match dtype {
        GgmlDType::F16 => BlockType::F16,
        GgmlDType::BF16 => BlockType::BF16,
        GgmlDType::Q4_0 => BlockType::Q4_0,
        GgmlDType::Q4_1 => BlockType::Q4_1,
        GgmlDType::Q5_0 => BlockType::Q5_0,
        GgmlDType::Q5_1 => BlockType::Q5_1,
        GgmlDType::Q8_0 => BlockType::Q8_0,
        GgmlDType::Q2K => BlockType::Q2K,
        GgmlDType::Q3K => BlockType::Q3K,
        GgmlDType::Q4K => BlockType::Q4K,
        GgmlDType::Q5K => BlockType::Q5K,
        GgmlDType::Q6K => BlockType::Q6K,
        _ => return None,
    })
}

fn transpose(values: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let mut out = vec![0f32; values.len()];
    for (r, row) in values.chunks_exact(cols.max(1)).enumerate() {
        for (c, v) in row.iter().enumerate() {
            out[c * rows + r] = *v;
        }
    }
    out
}

impl Gguf {
    /// Names of all tensors in the file, in GGUF's naming.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Shape (slowest dimension first) and type of a tensor, by its GGUF name.
    pub fn tensor_info(&self, tensor: &str) -> Option<(&[usize], GgmlDType)> {
        self.tensors.get(tensor).map(|info| (info.shape.as_slice(), info.dtype))
    }

    /// Refuses a file with tensors of the model's blocks that a model of this configuration does not
    /// have: it computes something else.
    pub fn check_all_used(&self, config: &ModelConfig) -> Result<()> {
        let family = self.family()?;
        // All experts of a layer lie in one tensor.
        let known: BTreeSet<String> = config
            .tensors_with(1)
            .iter()
            .filter_map(|(name, _)| family.place(name).map(|place| place.tensor))
            .collect();
        for name in self.tensors.keys().filter(|name| !known.contains(*name)) {
            let block = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.'));
            // Layers beyond the model's own predict several tokens ahead.
            let own = |layer: &str| {
                layer.parse::<usize>().map_or(true, |layer| layer < config.num_hidden_layers)
            };
            let halves = |path: &str| {
                matches!(path, "attn_k_b.weight" | "attn_v_b.weight") && family == Family::DeepSeek2
            };
            if block.is_some_and(|(layer, path)| own(layer) && !halves(path)) {
                return Err(Error::weight(
                    name,
                    format!(
                        "is in the file, but a {} model has no such tensor",
                        family.architecture()
                    ),
                ));
            }
        }
        Ok(())
    }

    fn bytes(&self, name: &str, part: usize, start: u64, len: usize) -> Result<Vec<u8>> {
        // `len` was checked against the file's size when the header was read.
        let mut bytes = vec![0u8; len];
        let file = self.files.get(part).ok_or_else(|| Error::weight(name, "lies in no part"))?;
        let mut file =
            file.lock().map_err(|_| Error::gguf("another thread failed while reading"))?;
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|e| Error::weight(name, format!("cannot be read: {e}")))?;
        Ok(bytes)
    }

    /// The values of a tensor by its GGUF name, refused unless its shape is `shape`.
    pub(super) fn values(&self, tensor: &str, shape: &[usize]) -> Result<Vec<f32>> {
        match self.tensors.get(tensor) {
            Some(info) if info.shape == shape => self.file_tensor(tensor)?.dequantize(tensor),
            Some(info) => Err(Error::weight(
                tensor,
                format!("has the shape {:?}, the configuration demands {shape:?}", info.shape),
            )),
            None => Err(Error::weight(tensor, "is missing from the file")),
        }
    }

    /// A tensor by its GGUF name, as it lies in the file.
    fn file_tensor(&self, tensor: &str) -> Result<RawTensor> {
        let info = self
            .tensors
            .get(tensor)
            .ok_or_else(|| Error::weight(tensor, "is missing from the file"))?;
        let bytes = self.bytes(tensor, info.part, info.start, info.bytes)?;
        Ok(RawTensor { dtype: info.dtype, shape: info.shape.clone(), bytes })
    }

    fn place(&self, name: &str) -> Result<(Place, &TensorInfo)> {
        let place = self
            .family()?
            .place(name)
            .ok_or_else(|| Error::weight(name, "has no GGUF counterpart"))?;
        let info = self.tensors.get(&place.tensor).ok_or_else(|| {
            Error::weight(name, format!("is missing from the file ({})", place.tensor))
        })?;
        Ok((place, info))
    }

    /// A weight by its Hugging Face name without dequantising it. Where llama.cpp's converter
    /// re-orders output rows (LLaMA's q and k, BLOOM's fused qkv) whole rows of blocks are put
    /// back; one routed expert is cut from its stack; a GPT-2 weight stays `[output, input]`, the
    /// transpose of Hugging Face's.
    ///
    /// # Errors
    /// When the tensor is missing, or has no such form: DeepSeek's `kv_b_proj` of a file that
    /// splits it into `attn_k_b` and `attn_v_b` can only be loaded as values.
    pub fn raw(&self, name: &str) -> Result<RawTensor> {
        let (place, info) = self.place(name)?;
        let mut shape = info.shape.clone();
        let (mut start, mut len) = (info.start, info.bytes);
        if let Some(expert) = place.expert {
            let [experts, rows, cols] = shape[..] else {
                return Err(Error::weight(
                    name,
                    format!("{} has the shape {shape:?}, not a stack of experts", place.tensor),
                ));
            };
            if expert >= experts {
                return Err(Error::weight(name, format!("the file has {experts} experts")));
            }
            len = info.bytes / experts;
            start += (len * expert) as u64;
            shape = vec![rows, cols];
        }
        let bytes = self.bytes(name, info.part, start, len)?;
        let rows = shape.first().copied().unwrap_or(0);
        let bytes = match place.layout.row_order(rows, self.heads_for(place.layout)?)? {
            None => bytes,
            Some(order) => {
                let row = bytes.len() / rows;
                if row * rows != bytes.len() || (shape.len() == 1 && info.dtype.block_size() > 1) {
                    return Err(Error::weight(name, "has rows that are not whole blocks"));
                }
                let mut out = Vec::with_capacity(bytes.len());
                for from in order {
                    out.extend_from_slice(&bytes[from * row..(from + 1) * row]);
                }
                out
            }
        };
        Ok(RawTensor { dtype: info.dtype, shape, bytes })
    }

    fn heads_for(&self, layout: Layout) -> Result<super::HeadCounts> {
        match layout {
            Layout::Same | Layout::Transposed => Ok(super::HeadCounts { query: 0, key_value: 0 }),
            _ => self.head_counts(),
        }
    }

    /// The two halves that newer files split DeepSeek's `kv_b_proj` into, when `name` is one and
    /// the file has no whole one.
    fn split_kv_b(&self, name: &str) -> Option<(String, String)> {
        if self.family().ok()? != Family::DeepSeek2 {
            return None;
        }
        let whole = Family::DeepSeek2.place(name)?.tensor;
        let block = whole.strip_suffix(".attn_kv_b.weight")?;
        let halves = (format!("{block}.attn_k_b.weight"), format!("{block}.attn_v_b.weight"));
        (!self.tensors.contains_key(&whole)
            && self.tensors.contains_key(&halves.0)
            && self.tensors.contains_key(&halves.1))
        .then_some(halves)
    }

    /// `kv_b_proj`, `[heads × (nope + value), rank]`, from `attn_k_b`, `[heads, rank, nope]`, and
    /// `attn_v_b`, `[heads, value, rank]`.
    fn join_kv_b(
        &self,
        name: &str,
        halves: &(String, String),
        shape: &[usize],
    ) -> Result<Vec<f32>> {
        let (k, v) = (self.file_tensor(&halves.0)?, self.file_tensor(&halves.1)?);
        let (&[heads, rank, nope], &[v_heads, value, v_rank]) = (&k.shape[..], &v.shape[..]) else {
            return Err(Error::weight(name, "attn_k_b and attn_v_b must have three dimensions"));
        };
        if heads != v_heads || rank != v_rank || shape != [heads * (nope + value), rank] {
            return Err(Error::weight(
                name,
                format!(
                    "attn_k_b {:?} and attn_v_b {:?} do not make the shape {shape:?}",
                    k.shape, v.shape
                ),
            ));
        }
        let (k, v) = (k.dequantize(name)?, v.dequantize(name)?);
        let mut out = Vec::with_capacity(heads * (nope + value) * rank);
        for h in 0..heads {
            out.extend(transpose(&k[h * rank * nope..(h + 1) * rank * nope], rank, nope));
            out.extend_from_slice(&v[h * value * rank..(h + 1) * value * rank]);
        }
        Ok(out)
    }
}

impl WeightSource for Gguf {
    fn load(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        if let Some(halves) = self.split_kv_b(name) {
            return self.join_kv_b(name, &halves, shape);
        }
        let (place, info) = self.place(name)?;
        let transposed = place.layout == Layout::Transposed && shape.len() == 2;
        // Compared before anything is read, so that a hostile file cannot make this allocate more
        // than the configuration's own sizes.
        let mut found = info.shape.clone();
        if place.expert.is_some() && found.len() == 3 {
            found.remove(0);
        }
        if transposed {
            found.reverse();
        }
        if found != shape {
            return Err(Error::weight(
                name,
                format!("has the shape {found:?}, the configuration demands {shape:?}"),
            ));
        }
        let raw = self.raw(name)?;
        let values = raw.dequantize(name)?;
        match (transposed, &raw.shape[..]) {
            (true, &[rows, cols]) => Ok(transpose(&values, rows, cols)),
            _ => Ok(values),
        }
    }

    fn quantised(&self, name: &str, output: usize, input: usize) -> Result<Option<QuantMatrix>> {
        if self.split_kv_b(name).is_some() {
            return Ok(None);
        }
        let (place, info) = self.place(name)?;
        let Some(block_type) = block_type(info.dtype) else { return Ok(None) };
        let found = match (place.expert, &info.shape[..]) {
            (Some(_), [_, rows, cols]) => [*rows, *cols],
            (None, [rows, cols]) => [*rows, *cols],
            _ => return Ok(None),
        };
        if found != [output, input] {
            return Err(Error::weight(
                name,
                format!("has the shape {found:?}, the configuration demands [{output}, {input}]"),
            ));
        }
        QuantMatrix::from_blocks(block_type, self.raw(name)?.bytes, output, input)
            .map(Some)
            .map_err(|problem| Error::weight(name, problem))
    }

    fn stored_bytes(&self) -> Option<u64> {
        let bytes = |info: &TensorInfo| match block_type(info.dtype) {
            Some(_) => info.bytes as u64,
            None => info.shape.iter().fold(4u64, |n, dim| n.saturating_mul(*dim as u64)),
        };
        Some(self.tensors.values().fold(0u64, |sum, info| sum.saturating_add(bytes(info))))
    }

    fn has(&self, name: &str) -> bool {
        self.split_kv_b(name).is_some() || self.place(name).is_ok()
    }
}
