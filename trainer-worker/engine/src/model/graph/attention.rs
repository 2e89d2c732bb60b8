//! The attention of a block in a graph: projections, rotary embedding, scores and output.

use super::{scores, Graph, LayerVars, Pass};
use crate::kernels::attention::Heads;
use crate::model::config::{AttentionKind, FusedLayout};
use crate::model::deepseek::LatentAttention;
use crate::model::family::Role;
use candle_core::Tensor;

impl Graph {
    pub(super) fn attention(
        &self,
        x: &Tensor,
        layer: usize,
        vars: &LayerVars,
        pass: &Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let heads = self.config().heads(layer);
        let [q, k, v] = match self.config().attention_kind(layer) {
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
        let out = scores::attention(&q, &k, &v, &pass.sequences(layer)?)?;
        self.linear(&out, layer, Role::Output, vars)
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
