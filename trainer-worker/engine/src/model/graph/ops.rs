//! Differentiable operations on candle tensors. Each keeps a model's type (`f32`, or `bf16` on a
//! GPU) and does its sums in `f32`.
//!
//! candle-nn's fused softmax, normalisations and rotary embedding have no backward: after them,
//! gradients are silently absent. Those here are made of candle's operations and have backwards
//! written by hand, which keep an operation's inputs and nothing in between: candle's own
//! differentiation keeps every intermediate value, and computes gradients of constants too.

use crate::kernels::activation::Activation;
use candle_core::backend::BackendStorage;
use candle_core::{
    bail, CpuStorage, CudaStorage, CustomOp1, DType, Layout, MetalStorage, Result, Shape, Storage,
    Tensor, D,
};
use std::sync::{Mutex, PoisonError};

/// A result that was computed outside of the graph and enters it as that of an operation.
pub(super) struct Computed(Mutex<Option<Tensor>>);

impl Computed {
    /// Takes a tensor that fills its storage.
    pub(super) fn new(y: Tensor) -> Result<Self> {
        let y = y.contiguous()?;
        let y = if y.layout().start_offset() == 0 { y } else { y.force_contiguous()? };
        Ok(Self(Mutex::new(Some(y))))
    }

    /// The tensor, which is there once.
    fn take(&self) -> Result<Tensor> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.take() {
            Some(y) => Ok(y),
            None => bail!("an operation of the graph was applied twice"),
        }
    }

    pub(super) fn cpu(&self) -> Result<(CpuStorage, Shape)> {
        let y = self.take()?;
        let (storage, layout) = y.storage_and_layout();
        match &*storage {
            Storage::Cpu(values) => Ok((values.try_clone(layout)?, layout.shape().clone())),
            _ => bail!("the input is on the CPU, the result is not"),
        }
    }

    pub(super) fn cuda(&self) -> Result<(CudaStorage, Shape)> {
        let y = self.take()?;
        let (storage, layout) = y.storage_and_layout();
        match &*storage {
            Storage::Cuda(values) => Ok((values.try_clone(layout)?, layout.shape().clone())),
            _ => bail!("the input is on a CUDA device, the result is not"),
        }
    }

    pub(super) fn metal(&self) -> Result<(MetalStorage, Shape)> {
        let y = self.take()?;
        let (storage, layout) = y.storage_and_layout();
        match &*storage {
            Storage::Metal(values) => Ok((values.try_clone(layout)?, layout.shape().clone())),
            _ => bail!("the input is on a Metal device, the result is not"),
        }
    }
}

type Backward = Box<dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync>;

/// An operation on one tensor: `backward` gives the input's gradient from the input and the
/// output's gradient.
struct Unary {
    name: &'static str,
    y: Computed,
    backward: Backward,
}

impl CustomOp1 for Unary {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.y.cpu()
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.y.cuda()
    }

    fn metal_fwd(&self, _: &MetalStorage, _: &Layout) -> Result<(MetalStorage, Shape)> {
        self.y.metal()
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        (self.backward)(&x.detach(), dy).map(Some)
    }
}

/// `y = f(x)` as an operation of its own.
fn unary(
    name: &'static str,
    x: &Tensor,
    forward: impl Fn(&Tensor) -> Result<Tensor>,
    backward: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
) -> Result<Tensor> {
    let y = forward(&x.detach())?;
    if !x.track_op() {
        return Ok(y);
    }
    x.apply_op1(Unary { name, y: Computed::new(y)?, backward: Box::new(backward) })
}

/// Softmax over the last dimension.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let shift = x.max_keepdim(D::Minus1)?.detach();
    let e = x.broadcast_sub(&shift)?.exp()?;
    e.broadcast_div(&e.sum_keepdim(D::Minus1)?)
}

/// A frozen normalisation of the last dimension: by root mean square, or, with a bias, by mean and
/// variance.
#[derive(Debug, Clone)]
pub struct Norm {
    /// Factor of each value, `f32`, as is the bias.
    pub weight: Tensor,
    /// What is added; with it, the mean is taken away first.
    pub bias: Option<Tensor>,
    /// Added to the variance.
    pub eps: f64,
}

impl Norm {
    /// The normalised rows, in the type of `x`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let norm = self.clone();
        let backward = move |x: &Tensor, dy: &Tensor| norm.backward(x, dy);
        unary("normalise", x, |x| self.plain(x), backward)
    }

    /// Rows of mean square 1 in `f32`, and what they were multiplied by.
    fn standard(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let x = x.to_dtype(DType::F32)?;
        let x = match &self.bias {
            None => x,
            Some(_) => x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?,
        };
        let variance = x.sqr()?.mean_keepdim(D::Minus1)?;
        let inverse = (variance + self.eps)?.sqrt()?.recip()?;
        Ok((x.broadcast_mul(&inverse)?, inverse))
    }

    fn plain(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.standard(x)?.0.broadcast_mul(&self.weight)?;
        match &self.bias {
            None => y,
            Some(bias) => y.broadcast_add(bias)?,
        }
        .to_dtype(x.dtype())
    }

    /// The gradient of `x` from that of the normalised rows.
    pub fn backward(&self, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let (standard, inverse) = self.standard(x)?;
        let g = dy.to_dtype(DType::F32)?.broadcast_mul(&self.weight)?;
        let along = (&g * &standard)?.mean_keepdim(D::Minus1)?;
        let mut dx = (&g - standard.broadcast_mul(&along)?)?;
        if self.bias.is_some() {
            dx = dx.broadcast_sub(&g.mean_keepdim(D::Minus1)?)?;
        }
        dx.broadcast_mul(&inverse)?.to_dtype(x.dtype())
    }
}

/// `act(x)`.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Silu => x.silu(),
        Activation::GeluTanh => x.gelu(),
        Activation::GeluErf => x.gelu_erf(),
        Activation::Relu => x.relu(),
    }
}

/// Cosines and sines for each row, `[rows, pairs]` in `f32`: the rotary embedding.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Cosines.
    pub cos: Tensor,
    /// Sines.
    pub sin: Tensor,
    /// Whether neighbours make a pair, instead of the two halves.
    pub interleaved: bool,
}

impl Turn {
    /// Turns the first `2 · pairs` values of each head of `[rows, heads, dim]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let turn = self.clone();
        let back = move |_: &Tensor, dy: &Tensor| {
            let sin = turn.sin.neg()?;
            Self { sin, ..turn.clone() }.plain(dy)
        };
        unary("turn", x, |x| self.plain(x), back)
    }

    fn plain(&self, x: &Tensor) -> Result<Tensor> {
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
        Tensor::cat(&[&turned, &x.narrow(2, 2 * pairs, dim - 2 * pairs)?.contiguous()?], 2)
    }
}

/// Negative log likelihoods of `targets` `[rows, 1]` under `logits` `[rows, vocabulary]` in `f32`,
/// and the gradient of their sum, where it is wanted.
pub fn cross_entropy(
    logits: &Tensor,
    targets: &Tensor,
    with_gradient: bool,
) -> Result<(Tensor, Option<Tensor>)> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?)?;
    let e = shifted.exp()?;
    let sum = e.sum_keepdim(1)?;
    let losses = (sum.log()? - shifted.gather(targets, 1)?)?.squeeze(1)?;
    if !with_gradient {
        return Ok((losses, None));
    }
    let minus_one = targets.ones_like()?.to_dtype(DType::F32)?.neg()?;
    let gradient = e.broadcast_div(&sum)?.scatter_add(targets, &minus_one, 1)?;
    Ok((losses, Some(gradient)))
}
