//! Frozen weights on a device: dense, in a GGUF file's blocks, or in NF4.
//!
//! A weight in few bits stays in few bits on the device. A product makes its values for the moment,
//! a matrix at a time, in the forward and again in the backward, and nothing keeps them.

use crate::kernels::linear::FrozenLinear;

use crate::kernels::quant::nf4::{Magnitudes, Nf4, BLOCK, DYNAMIC_MAP, SECOND_BLOCK, VALUES};
use crate::kernels::quant::{BlockType, Stored};
use candle_core::backend::BackendStorage;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{
    bail, CpuStorage, CudaStorage, CustomOp1, DType, Device, Layout, MetalStorage, Result, Shape,
    Storage, Tensor,
};
use std::borrow::Cow;
use std::sync::Arc;

/// Where a weight's values come from.
enum Values {
    /// In the type of the products, or in two bytes that are widened for each.
    Dense(Tensor),
    Blocks(QTensor),
    Nf4(DeviceNf4),
}

/// A weight `[output, input]` on a device.
struct Weight {
    values: Values,
    shape: (usize, usize),
    dtype: DType,
    device: Device,
}

impl Weight {
    /// All values, in the type of the products.
    fn dense(&self) -> Result<Tensor> {
        match &self.values {
            Values::Dense(values) => values.to_dtype(self.dtype),
            Values::Blocks(blocks) if self.dtype == DType::F16 => {
                blocks.dequantize_f16(&self.device)
            }
            Values::Blocks(blocks) => blocks.dequantize(&self.device)?.to_dtype(self.dtype),
            Values::Nf4(nf4) => nf4.values()?.reshape(self.shape)?.to_dtype(self.dtype),
        }
    }
}

/// A tensor in NF4 on a device, in the layout of bitsandbytes.
struct DeviceNf4 {
    /// Two codes a byte, whole blocks.
    codes: Tensor,
    /// The two values that each byte stands for, `[256, 2]`.
    pairs: Tensor,
    magnitudes: DeviceMagnitudes,
    len: usize,
}

/// The blocks' magnitudes: `[blocks, 1]`, or a code a block, the map of the codes, a scale for each
/// 256 of them and what is added to all.
enum DeviceMagnitudes {
    Plain(Tensor),
    Double { codes: Tensor, map: Tensor, scales: Tensor, offset: f64, blocks: usize },
}

impl DeviceNf4 {
    fn new(nf4: &Nf4, device: &Device) -> Result<Self> {
        let blocks = nf4.len.div_ceil(BLOCK);
        // A last block that is not full is filled up with the code of 0.
        let mut codes = nf4.codes.clone();
        codes.resize(blocks * BLOCK / 2, 0x77);
        let codes_len = codes.len();
        let pairs = (0..256usize).flat_map(|byte| [VALUES[byte >> 4], VALUES[byte & 15]]);
        let magnitudes = match &nf4.magnitudes {
            Magnitudes::Plain(values) => {
                DeviceMagnitudes::Plain(Tensor::from_slice(values, (values.len(), 1), device)?)
            }
            Magnitudes::Double { codes, scales, offset } => {
                let mut padded = codes.clone();
                padded.resize(scales.len() * SECOND_BLOCK, 0);
                let len = padded.len();
                DeviceMagnitudes::Double {
                    codes: Tensor::from_vec(padded, len, device)?,
                    map: Tensor::from_slice(&DYNAMIC_MAP[..], 256, device)?,
                    scales: Tensor::from_slice(scales, (scales.len(), 1), device)?,
                    offset: f64::from(*offset),
                    blocks,
                }
            }
        };
        Ok(Self {
            codes: Tensor::from_vec(codes, codes_len, device)?,
            pairs: Tensor::from_vec(pairs.collect::<Vec<f32>>(), (256, 2), device)?,
            magnitudes,
            len: nf4.len,
        })
    }

    /// All values in `f32`: the same bits as on the CPU, one product a value.
    fn values(&self) -> Result<Tensor> {
        let magnitudes = match &self.magnitudes {
            DeviceMagnitudes::Plain(values) => values.clone(),
            DeviceMagnitudes::Double { codes, map, scales, offset, blocks } => {
                let groups = scales.dim(0)?;
                let coarse = map.index_select(&wide(codes)?, 0)?.reshape((groups, SECOND_BLOCK))?;
                let values = coarse.broadcast_mul(scales)?.affine(1.0, *offset)?;
                values.flatten_all()?.narrow(0, 0, *blocks)?.reshape((*blocks, 1))?
            }
        };
        let blocks = magnitudes.dim(0)?;
        let values = self.pairs.index_select(&wide(&self.codes)?, 0)?.reshape((blocks, BLOCK))?;
        values.broadcast_mul(&magnitudes)?.flatten_all()?.narrow(0, 0, self.len)
    }

    fn bytes(&self) -> usize {
        let second = match &self.magnitudes {
            DeviceMagnitudes::Plain(values) => values.elem_count() * 4,
            DeviceMagnitudes::Double { codes, scales, .. } => {
                codes.elem_count() + 4 * (scales.elem_count() + 256)
            }
        };
        self.codes.elem_count() + 4 * 512 + second
    }
}

/// A frozen linear weight `[output, input]` on a device: `y = x · Wᵀ (+ b)`. Unlike candle's own
/// product it never computes, nor keeps, a gradient of the weight.
#[derive(Clone)]
pub struct Frozen {
    weight: Arc<Weight>,
    bias: Option<Tensor>,
}

impl Frozen {
    /// Copies a weight to a device, in few bits where it is kept so, for products of type `dtype`.
    ///
    /// # Errors
    ///
    /// candle's, when the device lacks memory or the type.
    pub fn new(linear: &FrozenLinear, device: &Device, dtype: DType) -> Result<Self> {
        let shape = (linear.output(), linear.input());
        let values = match linear.quant().map(|matrix| matrix.stored()) {
            None => Values::Dense(dense(linear, shape, device)?.to_dtype(dtype)?),
            Some(Stored::Nf4(nf4)) => Values::Nf4(DeviceNf4::new(nf4, device)?),
            Some(Stored::Blocks(block_type, bytes)) => match ggml(block_type) {
                // candle reads blocks where they lie, and asks for their alignment.
                Some(ggml) if bytes.as_ptr().align_offset(8) == 0 => {
                    let storage = QStorage::from_data(Cow::Borrowed(bytes), device, ggml)?;
                    Values::Blocks(QTensor::new(storage, shape)?)
                }
                Some(_) => Values::Dense(dense(linear, shape, device)?.to_dtype(dtype)?),
                None => {
                    let stored = match block_type {
                        BlockType::BF16 => DType::BF16,
                        BlockType::F16 => DType::F16,
                        _ => DType::F32,
                    };
                    let dims = [shape.0, shape.1];
                    let values = Tensor::from_raw_buffer(bytes, stored, &dims, device)?;
                    // Two bytes stay two bytes.
                    let keep = dtype == DType::F32 && stored != DType::F32;
                    Values::Dense(if keep { values } else { values.to_dtype(dtype)? })
                }
            },
        };
        let bias = match linear.bias() {
            Some(b) => Some(Tensor::from_slice(b, b.len(), device)?.to_dtype(dtype)?),
            None => None,
        };
        let weight = Weight { values, shape, dtype, device: device.clone() };
        Ok(Self { weight: Arc::new(weight), bias })
    }

    /// The values in the type of the products.
    pub fn weight(&self) -> Result<Tensor> {
        self.weight.dense()
    }

    /// Bytes on the device, without the bias.
    pub fn bytes(&self) -> usize {
        match &self.weight.values {
            Values::Dense(values) => values.elem_count() * values.dtype().size_in_bytes(),
            Values::Blocks(blocks) => blocks.storage_size_in_bytes(),
            Values::Nf4(nf4) => nf4.bytes(),
        }
    }

    /// `[rows, output]` from `[rows, input]`, without the bias.
    pub fn product(&self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1(FrozenProduct { weight: self.weight.clone() })
    }

    /// `[rows, output]` from `[rows, input]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.add_bias(self.product(x)?)
    }

    /// The gradient of the input, `[rows, input]`, from that of the output.
    pub fn backward(&self, dy: &Tensor) -> Result<Tensor> {
        dy.contiguous()?.matmul(&self.weight.dense()?)
    }

    pub(super) fn add_bias(&self, y: Tensor) -> Result<Tensor> {
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

/// Codes as an index. candle takes an index's greatest value, 255 in a byte, for none at all.
fn wide(codes: &Tensor) -> Result<Tensor> {
    codes.to_dtype(DType::U32)
}

fn dense(linear: &FrozenLinear, shape: (usize, usize), device: &Device) -> Result<Tensor> {
    Tensor::from_slice(&linear.values(), shape, device)
}

/// candle's name of a block type; none for the types that are no blocks.
fn ggml(block_type: BlockType) -> Option<GgmlDType> {
    Some(match block_type {
        BlockType::F32 | BlockType::F16 | BlockType::BF16 => return None,
        BlockType::Q4_0 => GgmlDType::Q4_0,
        BlockType::Q4_1 => GgmlDType::Q4_1,
        BlockType::Q5_0 => GgmlDType::Q5_0,
        BlockType::Q5_1 => GgmlDType::Q5_1,
        BlockType::Q8_0 => GgmlDType::Q8_0,
        BlockType::Q2K => GgmlDType::Q2K,
        BlockType::Q3K => GgmlDType::Q3K,
        BlockType::Q4K => GgmlDType::Q4K,
        BlockType::Q5K => GgmlDType::Q5K,
        BlockType::Q6K => GgmlDType::Q6K,
    })
}

struct FrozenProduct {
    weight: Arc<Weight>,
}

impl FrozenProduct {
    fn multiply<S: BackendStorage>(
        &self,
        x: &S,
        layout: &Layout,
        (w, stored): (&S, &Layout),
    ) -> Result<(S, Shape)> {
        let (rows, input) = layout.shape().dims2()?;
        let (output, width) = self.weight.shape;
        if input != width {
            bail!("a weight of {output} × {width} cannot take rows of {input} values");
        }
        let y = x.matmul(w, (1, rows, output, input), layout, &stored.transpose(0, 1)?)?;
        Ok((y, Shape::from((rows, output))))
    }
}

impl CustomOp1 for FrozenProduct {
    fn name(&self) -> &'static str {
        "frozen-linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let weight = self.weight.dense()?;
        let (storage, stored) = weight.storage_and_layout();
        match &*storage {
            Storage::Cpu(w) => self.multiply(x, layout, (w, stored)),
            _ => bail!("the input is on the CPU, the weight is not"),
        }
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let weight = self.weight.dense()?;
        let (storage, stored) = weight.storage_and_layout();
        match &*storage {
            Storage::Cuda(w) => self.multiply(x, layout, (w, stored)),
            _ => bail!("the input is on a CUDA device, the weight is not"),
        }
    }

    fn metal_fwd(&self, x: &MetalStorage, layout: &Layout) -> Result<(MetalStorage, Shape)> {
        let weight = self.weight.dense()?;
        let (storage, stored) = weight.storage_and_layout();
        match &*storage {
            Storage::Metal(w) => self.multiply(x, layout, (w, stored)),
            _ => bail!("the input is on a Metal device, the weight is not"),
        }
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        dy.contiguous()?.matmul(&self.weight.dense()?).map(Some)
    }
}
