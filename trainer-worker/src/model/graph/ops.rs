//! Differentiable operations on candle tensors. Each keeps a model's type (`f32`, or `bf16` on a
//! GPU) and does its sums in `f32`.
//!
//! candle-nn's fused softmax, normalisations and rotary embedding have no backward: after them,
//! gradients are silently absent. These are made of operations that have one.

use crate::kernels::activation::Activation;
use candle_core::backend::BackendStorage;
use candle_core::{
    bail, CpuStorage, CudaStorage, CustomOp1, DType, Layout, MetalStorage, Result, Shape, Storage,
    Tensor, D,
};

/// A frozen linear weight `[output, input]` on a device: `y = x · Wᵀ (+ b)`. Unlike candle's own
/// product it never computes, nor keeps, a gradient of the weight.
#[derive(Debug, Clone)]
pub(super) struct Frozen {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Frozen {
    pub(super) fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    pub(super) fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// `[rows, output]` from `[rows, input]`, without the bias.
    pub(super) fn product(&self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1(FrozenProduct { weight: self.weight.clone() })
    }

    /// `[rows, output]` from `[rows, input]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.add_bias(self.product(x)?)
    }

    pub(super) fn add_bias(&self, y: Tensor) -> Result<Tensor> {
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

struct FrozenProduct {
    weight: Tensor,
}

impl FrozenProduct {
    fn multiply<S: BackendStorage>(&self, x: &S, layout: &Layout, w: &S) -> Result<(S, Shape)> {
        let (rows, input) = layout.shape().dims2()?;
        let (output, width) = self.weight.dims2()?;
        if input != width {
            bail!("a weight of {output} × {width} cannot take rows of {input} values");
        }
        let transposed = self.weight.layout().transpose(0, 1)?;
        let y = x.matmul(w, (1, rows, output, input), layout, &transposed)?;
        Ok((y, Shape::from((rows, output))))
    }
}

impl CustomOp1 for FrozenProduct {
    fn name(&self) -> &'static str {
        "frozen-linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        match &*self.weight.storage_and_layout().0 {
            Storage::Cpu(w) => self.multiply(x, layout, w),
            _ => bail!("the input is on the CPU, the weight is not"),
        }
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        match &*self.weight.storage_and_layout().0 {
            Storage::Cuda(w) => self.multiply(x, layout, w),
            _ => bail!("the input is on a CUDA device, the weight is not"),
        }
    }

    fn metal_fwd(&self, x: &MetalStorage, layout: &Layout) -> Result<(MetalStorage, Shape)> {
        match &*self.weight.storage_and_layout().0 {
            Storage::Metal(w) => self.multiply(x, layout, w),
            _ => bail!("the input is on a Metal device, the weight is not"),
        }
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        dy.contiguous()?.matmul(&self.weight).map(Some)
    }
}

/// Softmax over the last dimension.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    let shift = x.max_keepdim(D::Minus1)?.detach();
    let e = x.broadcast_sub(&shift)?.exp()?;
    e.broadcast_div(&e.sum_keepdim(D::Minus1)?)
}

/// A frozen normalisation of the last dimension: by root mean square, or, with a bias, by mean and
/// variance.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    /// `f32`, as is the bias.
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
    pub(super) eps: f64,
}

impl Norm {
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let dtype = x.dtype();
        let x = x.to_dtype(DType::F32)?;
        let width = x.dim(D::Minus1)? as f64;
        let x = match &self.bias {
            None => x,
            Some(_) => x.broadcast_sub(&(x.sum_keepdim(D::Minus1)? / width)?)?,
        };
        let variance = (x.sqr()?.sum_keepdim(D::Minus1)? / width)?;
        let y = x.broadcast_div(&(variance + self.eps)?.sqrt()?)?.broadcast_mul(&self.weight)?;
        match &self.bias {
            None => y,
            Some(bias) => y.broadcast_add(bias)?,
        }
        .to_dtype(dtype)
    }
}

/// `act(x)`.
pub(super) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Silu => x.silu(),
        Activation::GeluTanh => x.gelu(),
        Activation::GeluErf => x.gelu_erf(),
        Activation::Relu => x.relu(),
    }
}

/// Cosines and sines for each row, `[rows, pairs]` in `f32`.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) cos: Tensor,
    pub(super) sin: Tensor,
    pub(super) interleaved: bool,
}

impl Turn {
    /// Turns the first `2 · pairs` values of each head of `[rows, heads, dim]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let dtype = x.dtype();
        let (rows, heads, dim) = x.dims3()?;
        let pairs = self.cos.dim(1)?;
        let turned = x.narrow(2, 0, 2 * pairs)?.to_dtype(DType::F32)?;
        let (a, b) = if self.interleaved {
            let split = turned.reshape((rows, heads, pairs, 2))?;
            (split.narrow(3, 0, 1)?.squeeze(3)?, split.narrow(3, 1, 1)?.squeeze(3)?)
        } else {
            (turned.narrow(2, 0, pairs)?, turned.narrow(2, pairs, pairs)?)
        };
        let (cos, sin) = (self.cos.unsqueeze(1)?, self.sin.unsqueeze(1)?);
        let left = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
        let right = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
        let turned = if self.interleaved {
            Tensor::stack(&[&left, &right], 3)?.reshape((rows, heads, 2 * pairs))?
        } else {
            Tensor::cat(&[&left, &right], 2)?
        }
        .to_dtype(dtype)?;
        if 2 * pairs == dim {
            return Ok(turned);
        }
        Tensor::cat(&[&turned, &x.narrow(2, 2 * pairs, dim - 2 * pairs)?], 2)
    }
}

/// What is added to the scores of a sequence of `len` tokens, `[1, len, len]` or
/// `[heads, len, len]` in `f32`: negative infinity where a token does not look, and ALiBi's bias.
pub(super) fn score_bias(len: usize, window: Option<usize>, slopes: &[f32]) -> Vec<f32> {
    let flat = [0f32];
    let slopes = if slopes.is_empty() { &flat[..] } else { slopes };
    let mut bias = Vec::with_capacity(slopes.len() * len * len);
    for slope in slopes {
        for query in 0..len {
            for key in 0..len {
                let seen = key <= query && window.is_none_or(|w| query - key < w);
                bias.push(if seen {
                    slope * (key as f32 - query as f32)
                } else {
                    f32::NEG_INFINITY
                });
            }
        }
    }
    bias
}
