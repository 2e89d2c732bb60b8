//! Causal attention with grouped key and value heads over sequences laid end to end, as one
//! operation: it keeps q, k and v, and its backward computes the probabilities again.

use super::ops::{softmax, Computed};
use candle_core::{
    CpuStorage, CudaStorage, CustomOp3, DType, Device, Layout, MetalStorage, Result, Shape, Tensor,
    D,
};
use std::sync::Arc;

/// Neighbouring sequences of equal length.
#[derive(Debug, Clone)]
pub struct Group {
    /// Their first row.
    pub first: usize,
    /// How many they are.
    pub count: usize,
    /// Tokens of each.
    pub len: usize,
    /// What is added to their scores: `[1, 1, len, len]`, or `[1, heads, len, len]` with ALiBi, in
    /// `f32`.
    pub bias: Tensor,
}

/// Where the sequences lie, and the factor on the scores. Sequences never see each other.
#[derive(Debug, Clone)]
pub struct Sequences {
    /// Groups that cover all rows in order.
    pub groups: Vec<Group>,
    /// Factor on `q·k`.
    pub scale: f64,
}

/// (first row, how many, length) of neighbouring sequences of equal length.
pub fn groups(offsets: &[usize]) -> Vec<(usize, usize, usize)> {
    let mut groups: Vec<(usize, usize, usize)> = Vec::new();
    for w in offsets.windows(2) {
        let len = w[1] - w[0];
        match groups.last_mut() {
            Some((_, count, l)) if *l == len => *count += 1,
            _ if len > 0 => groups.push((w[0], 1, len)),
            _ => {}
        }
    }
    groups
}

/// What is added to the scores of a sequence of `len` tokens: negative infinity where a token does
/// not look (later tokens, and those beyond a sliding window), and ALiBi's bias for heads of these
/// slopes.
pub fn score_bias(
    len: usize,
    window: Option<usize>,
    slopes: &[f32],
    device: &Device,
) -> Result<Tensor> {
    let mut mask = Vec::with_capacity(len * len);
    for query in 0..len {
        for key in 0..len {
            let seen = key <= query && window.is_none_or(|w| query - key < w);
            mask.push(if seen { 0.0 } else { f32::NEG_INFINITY });
        }
    }
    let mask = Tensor::from_vec(mask, (1, 1, len, len), device)?;
    if slopes.is_empty() {
        return Ok(mask);
    }
    let positions: Vec<f32> = (0..len).map(|p| p as f32).collect();
    let positions = Tensor::from_vec(positions, len, device)?;
    let distance =
        positions.reshape((1, 1, 1, len))?.broadcast_sub(&positions.reshape((1, 1, len, 1))?)?;
    let slopes = Tensor::from_slice(slopes, (1, slopes.len(), 1, 1), device)?;
    distance.broadcast_mul(&slopes)?.broadcast_add(&mask)
}

/// `softmax(scale · q·kᵀ + bias) · v` of each sequence: `[rows, query heads · value dim]` from
/// `[rows, query heads, dim]`, `[rows, key heads, dim]` and `[rows, key heads, value dim]`. A key
/// head serves the query heads that follow one another.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, sequences: &Arc<Sequences>) -> Result<Tensor> {
    let y = sequences.forward(&q.detach(), &k.detach(), &v.detach())?;
    if !(q.track_op() || k.track_op() || v.track_op()) {
        return Ok(y);
    }
    q.apply_op3(k, v, Core { y: Computed::new(y)?, sequences: sequences.clone() })
}

/// A group's rows of `[rows, heads, dim]` as `[count, heads, len, dim]`.
fn by_head(x: &Tensor, group: &Group) -> Result<Tensor> {
    let (_, heads, dim) = x.dims3()?;
    x.narrow(0, group.first, group.count * group.len)?
        .reshape((group.count, group.len, heads, dim))?
        .transpose(1, 2)?
        .contiguous()
}

/// The way back: `[count · len, heads, dim]`.
fn by_row(x: &Tensor) -> Result<Tensor> {
    let (count, heads, len, dim) = x.dims4()?;
    x.transpose(1, 2)?.contiguous()?.reshape((count * len, heads, dim))
}

/// Query heads that share a key head, one after the other: `[count, key heads, shared · len, dim]`.
fn shared(x: &Tensor, key_heads: usize) -> Result<Tensor> {
    let (count, heads, len, dim) = x.dims4()?;
    x.reshape((count, key_heads, heads / key_heads.max(1) * len, dim))
}

impl Sequences {
    /// The probabilities of a group in `f32`, `[count, query heads, len, len]`.
    fn probabilities(&self, q: &Tensor, k: &Tensor, group: &Group) -> Result<Tensor> {
        let (count, heads, len, _) = q.dims4()?;
        let scores = shared(q, k.dim(1)?)?.matmul(&k.transpose(2, 3)?)?;
        let scores = scores.reshape((count, heads, len, len))?.to_dtype(DType::F32)?;
        softmax(&(scores * self.scale)?.broadcast_add(&group.bias)?)
    }

    fn forward(&self, q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
        let mut parts = Vec::new();
        for group in &self.groups {
            let (q, k, v) = (by_head(q, group)?, by_head(k, group)?, by_head(v, group)?);
            let (count, heads, len, _) = q.dims4()?;
            let (key_heads, dim) = (v.dim(1)?, v.dim(3)?);
            let p = self.probabilities(&q, &k, group)?.to_dtype(v.dtype())?;
            let out = shared(&p, key_heads)?.matmul(&v)?.reshape((count, heads, len, dim))?;
            parts.push(by_row(&out)?.reshape((count * len, heads * dim))?);
        }
        Tensor::cat(&parts, 0)
    }

    fn backward(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        dy: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        let dtype = q.dtype();
        let dy = dy.reshape((dy.dim(0)?, q.dim(1)?, v.dim(2)?))?;
        let (mut dqs, mut dks, mut dvs) = (Vec::new(), Vec::new(), Vec::new());
        for group in &self.groups {
            let (q, k, v) = (by_head(q, group)?, by_head(k, group)?, by_head(v, group)?);
            let (count, heads, len, _) = q.dims4()?;
            let key_heads = k.dim(1)?;
            let p = self.probabilities(&q, &k, group)?;
            let dy = shared(&by_head(&dy, group)?, key_heads)?;
            let narrow = shared(&p.to_dtype(dtype)?, key_heads)?;
            // The transposed product sums over the query heads that share a key head.
            dvs.push(by_row(&narrow.transpose(2, 3)?.matmul(&dy)?)?);
            drop(narrow);
            let dp = dy.matmul(&v.transpose(2, 3)?)?.reshape((count, heads, len, len))?;
            let weighted = (dp.to_dtype(DType::F32)? * &p)?;
            drop(dp);
            let along = weighted.sum_keepdim(D::Minus1)?;
            let ds = ((weighted - p.broadcast_mul(&along)?)? * self.scale)?;
            drop(p);
            let ds = shared(&ds.to_dtype(dtype)?, key_heads)?;
            let dq = ds.matmul(&k)?;
            dqs.push(by_row(&dq.reshape(q.shape())?)?);
            dks.push(by_row(&ds.transpose(2, 3)?.matmul(&shared(&q, key_heads)?)?)?);
        }
        Ok((Tensor::cat(&dqs, 0)?, Tensor::cat(&dks, 0)?, Tensor::cat(&dvs, 0)?))
    }
}

struct Core {
    y: Computed,
    sequences: Arc<Sequences>,
}

impl CustomOp3 for Core {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.y.cpu()
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.y.cuda()
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
    ) -> Result<(MetalStorage, Shape)> {
        self.y.metal()
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (q, k, v) = (q.detach(), k.detach(), v.detach());
        let (dq, dk, dv) = self.sequences.backward(&q, &k, &v, dy)?;
        Ok((Some(dq), Some(dk), Some(dv)))
    }
}
