//! The attention of a block in a graph: projections, rotary embedding, scores and output.

use super::{ops, Graph, LayerVars, Pass};
use crate::kernels::attention::Heads;
use crate::model::config::{AttentionKind, FusedLayout};
use crate::model::deepseek::LatentAttention;
use crate::model::family::Role;
use candle_core::{DType, Tensor};

impl Graph {
    pub(super) fn attention(
        &self,
        x: &Tensor,
        layer: usize,
        vars: &LayerVars,
        pass: &Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let heads = self.config.heads(layer);
        let [q, k, v] = match self.config.attention_kind(layer) {
            AttentionKind::Latent(latent) => self.latent(x, layer, latent, vars, pass)?,
            kind => {
                let [q, k, v] = self.project(x, layer, kind, heads, vars)?;
                let (q, k) = match &self.blocks[layer].head_norms {
                    Some([query, key]) => (query.forward(&q)?, key.forward(&k)?),
                    None => (q, k),
                };
                match &pass.turn {
                    Some(turn) => [turn.forward(&q)?, turn.forward(&k)?, v],
                    None => [q, k, v],
                }
            }
        };
        let mut parts = Vec::new();
        for (first, count, len) in groups(&pass.rows.offsets) {
            let shaped = |x: &Tensor| -> candle_core::Result<Tensor> {
                let (_, heads, dim) = x.dims3()?;
                x.narrow(0, first, count * len)?
                    .reshape((count, len, heads, dim))?
                    .transpose(1, 2)?
                    .contiguous()
            };
            let (q, k, v) = (shaped(&q)?, shared(&shaped(&k)?, heads.query)?, shaped(&v)?);
            let v = shared(&v, heads.query)?;
            let scores = (q.matmul(&k.t()?)?.to_dtype(DType::F32)? * f64::from(heads.scale))?;
            let bias = ops::score_bias(len, self.config.window(layer), &self.slopes);
            let planes = bias.len() / (len * len);
            let bias = Tensor::from_vec(bias, (1, planes, len, len), &self.device)?;
            let p = ops::softmax(&scores.broadcast_add(&bias)?)?.to_dtype(self.dtype)?;
            let out = p.matmul(&v)?.transpose(1, 2)?.contiguous()?;
            parts.push(out.reshape((count * len, heads.output_width()))?);
        }
        self.linear(&Tensor::cat(&parts, 0)?, layer, Role::Output, vars)
    }

    /// q, k and v of `[rows, heads, dim]` each as their projections give them.
    fn project(
        &self,
        x: &Tensor,
        layer: usize,
        kind: AttentionKind,
        heads: Heads,
        vars: &LayerVars,
    ) -> candle_core::Result<[Tensor; 3]> {
        let (rows, kv) = (x.dim(0)?, heads.key_value);
        let (dim, value_dim) = (heads.dim, heads.value_dim);
        Ok(match kind {
            AttentionKind::Fused(order) => {
                let fused = self.linear(x, layer, Role::QueryKeyValue, vars)?;
                match order {
                    FusedLayout::Sections => {
                        let (qw, kw, vw) =
                            (heads.query_width(), heads.key_width(), heads.value_width());
                        [
                            fused.narrow(1, 0, qw)?.reshape((rows, heads.query, dim))?,
                            fused.narrow(1, qw, kw)?.reshape((rows, kv, dim))?,
                            fused.narrow(1, qw + kw, vw)?.reshape((rows, kv, value_dim))?,
                        ]
                    }
                    FusedLayout::PerHead => {
                        let fused = fused.reshape((rows, kv, 2 * dim + value_dim))?;
                        [
                            fused.narrow(2, 0, dim)?,
                            fused.narrow(2, dim, dim)?,
                            fused.narrow(2, 2 * dim, value_dim)?,
                        ]
                    }
                }
            }
            AttentionKind::Separate | AttentionKind::Latent(_) => [
                self.linear(x, layer, Role::Query, vars)?.reshape((rows, heads.query, dim))?,
                self.linear(x, layer, Role::Key, vars)?.reshape((rows, kv, dim))?,
                self.linear(x, layer, Role::Value, vars)?.reshape((rows, kv, value_dim))?,
            ],
        })
    }

    /// q, k and v of a latent attention, turned.
    fn latent(
        &self,
        x: &Tensor,
        layer: usize,
        latent: LatentAttention,
        vars: &LayerVars,
        pass: &Pass<'_>,
    ) -> candle_core::Result<[Tensor; 3]> {
        let (Some((query_norm, norm)), Some(turn)) = (&self.blocks[layer].latent_norms, &pass.turn)
        else {
            candle_core::bail!("layer {layer} lacks a part of its latent attention")
        };
        let (sizes, rows) = (latent.sizes, x.dim(0)?);
        let (nope, rope, heads) = (sizes.nope, sizes.rope, sizes.heads);
        let q = match query_norm {
            Some(query_norm) => {
                let down = self.linear(x, layer, Role::QueryA, vars)?;
                self.linear(&query_norm.forward(&down)?, layer, Role::QueryB, vars)?
            }
            None => self.linear(x, layer, Role::Query, vars)?,
        };
        let q = q.reshape((rows, heads, nope + rope))?;
        let turned = turn.forward(&q.narrow(2, nope, rope)?.contiguous()?)?;
        let q = Tensor::cat(&[&q.narrow(2, 0, nope)?, &turned], 2)?;
        let compressed = self.linear(x, layer, Role::KeyValueA, vars)?;
        let down = compressed.narrow(1, 0, sizes.latent)?.contiguous()?;
        let shared = compressed.narrow(1, sizes.latent, rope)?.reshape((rows, 1, rope))?;
        let shared = turn.forward(&shared)?.broadcast_as((rows, heads, rope))?;
        let expanded = self
            .linear(&norm.forward(&down)?, layer, Role::KeyValueB, vars)?
            .reshape((rows, heads, nope + sizes.value))?;
        let k = Tensor::cat(&[&expanded.narrow(2, 0, nope)?, &shared.contiguous()?], 2)?;
        Ok([q, k, expanded.narrow(2, nope, sizes.value)?])
    }
}

/// Neighbouring sequences of equal length: (first row, how many, length).
fn groups(offsets: &[usize]) -> Vec<(usize, usize, usize)> {
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

/// Repeats the key or value heads of `[count, heads, len, dim]` for the query heads they serve.
fn shared(x: &Tensor, query: usize) -> candle_core::Result<Tensor> {
    let (count, heads, len, dim) = x.dims4()?;
    if heads == query {
        return Ok(x.clone());
    }
    x.unsqueeze(2)?
        .broadcast_as((count, heads, query / heads, len, dim))?
        .contiguous()?
        .reshape((count, query, len, dim))
}
