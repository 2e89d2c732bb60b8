//! The model in candle's own operations and with candle's automatic differentiation, on any of its
//! devices.
//!
//! This is how training runs on CUDA and Metal (base and residual stream in `bf16` or `f32`,
//! adapters in `f32`), and what the tests hold the hand-written arithmetic of the CPU against: both
//! are built from the same [`Model`] and [`ModelConfig`]. A GPU's sums have no defined order, so
//! the promise of equal bytes does not extend to it.
//!
//! Each block is a graph of its own. The backward goes through them from the top, either over the
//! graphs that the forward kept or, with [`Graph::recompute`], over fresh ones, so that only the
//! blocks' inputs are kept. Nothing is computed below the lowest adapter.

mod attention;
mod experts;
mod ops;

use super::block::Rows;
use super::config::{FeedForwardKind, ModelConfig, Position};
use super::family::Role;
use super::forward::{Batch, DropoutAt, LossAndGradients};
use super::weights::Block;
use super::{norm, Model};
use crate::error::{Error, Result};
use crate::kernels::attention::alibi_slopes;
use crate::kernels::linear::FrozenLinear;
use crate::kernels::rng::DropoutMask;
use crate::lora::{Adapter, Slot};
use candle_core::{DType, Device, Tensor, Var};
use experts::GraphExperts;
use ops::{Frozen, Norm, Turn};

/// Rows of the head's product at once.
const HEAD_ROWS: usize = 512;

struct GraphBlock {
    input_norm: Norm,
    feed_forward_norm: Norm,
    attention_output_norm: Option<Norm>,
    feed_forward_output_norm: Option<Norm>,
    head_norms: Option<[Norm; 2]>,
    /// Of the query latent, and of the key and value latent.
    latent_norms: Option<(Option<Norm>, Norm)>,
    experts: Option<GraphExperts>,
    linear: [Option<Frozen>; Role::COUNT],
}

/// A model on a device.
pub struct Graph {
    config: ModelConfig,
    device: Device,
    dtype: DType,
    embedding: Tensor,
    positions: Option<Tensor>,
    embedding_norm: Option<Norm>,
    blocks: Vec<GraphBlock>,
    final_norm: Option<Norm>,
    head: Frozen,
    slopes: Vec<f32>,
    /// Whether the backward recomputes each block's forward instead of keeping its values.
    pub recompute: bool,
}

/// One module's adapter during a pass: the parameters as variables, and its dropout mask.
struct LoraVars {
    a: Var,
    b: Var,
    magnitude: Option<Var>,
    slot: Slot,
    mask: Option<Tensor>,
}

/// A layer's adapter by role.
type LayerVars = [Option<LoraVars>; Role::COUNT];

/// A block's place in the backward.
struct Step {
    input: Var,
    vars: LayerVars,
    /// Kept unless it is recomputed.
    output: Option<Tensor>,
}

/// What all blocks of a pass share.
struct Pass<'a> {
    rows: &'a Rows,
    turn: Option<Turn>,
}

impl Graph {
    /// Copies a model's weights to a device as values of type `dtype` (`F32`, `BF16` or `F16`).
    ///
    /// # Errors
    ///
    /// [`Error::Candle`] when the device lacks memory or the type, and [`Error::ModelConfig`] for
    /// families whose parts exist on the CPU only.
    pub fn new(model: &Model, device: &Device, dtype: DType) -> Result<Self> {
        let config = model.config.clone();
        let upload_as = |linear: &FrozenLinear, dtype: DType| -> Result<Frozen> {
            let shape = (linear.output(), linear.input());
            let mut dense = vec![0f32; shape.0 * shape.1];
            for (index, row) in dense.chunks_exact_mut(shape.1).enumerate() {
                linear.row(index, row);
            }
            let weight = Tensor::from_vec(dense, shape, device)?.to_dtype(dtype)?;
            let bias = match linear.bias() {
                Some(b) => Some(Tensor::from_slice(b, b.len(), device)?.to_dtype(dtype)?),
                None => None,
            };
            Ok(Frozen::new(weight, bias))
        };
        let upload = |linear: &FrozenLinear| upload_as(linear, dtype);
        let upload_norm = |norm: &norm::Norm| -> Result<Norm> {
            let (weight, bias, eps) = norm.parts();
            Ok(Norm {
                weight: Tensor::from_slice(weight, weight.len(), device)?,
                bias: bias.map(|b| Tensor::from_slice(b, b.len(), device)).transpose()?,
                eps: f64::from(eps),
            })
        };
        let block = |(layer, block): (usize, &Block)| -> Result<GraphBlock> {
            let mut linear = [const { None }; Role::COUNT];
            for module in config.modules(layer) {
                linear[module.role.index()] = Some(upload(block.module(module.role))?);
            }
            let optional = |n: &Option<norm::Norm>| n.as_ref().map(upload_norm).transpose();
            let head_norm = |weight: &Vec<f32>| -> Result<Norm> {
                Ok(Norm {
                    weight: Tensor::from_slice(weight, weight.len(), device)?,
                    bias: None,
                    eps: f64::from(config.norm_eps),
                })
            };
            Ok(GraphBlock {
                input_norm: upload_norm(&block.input_norm)?,
                feed_forward_norm: upload_norm(&block.feed_forward_norm)?,
                attention_output_norm: optional(&block.attention_output_norm)?,
                feed_forward_output_norm: optional(&block.feed_forward_output_norm)?,
                head_norms: match &block.head_norms {
                    Some([q, k]) => Some([head_norm(q)?, head_norm(k)?]),
                    None => None,
                },
                latent_norms: match &block.latent_norms {
                    Some(norms) => Some((optional(&norms.query)?, upload_norm(&norms.key_value)?)),
                    None => None,
                },
                experts: match &block.experts {
                    Some(experts) => Some(GraphExperts {
                        routing: *experts.routing(),
                        activation: config.activation,
                        router: upload_as(experts.router(), DType::F32)?,
                        choice_bias: experts.choice_bias().map(<[f32]>::to_vec),
                        experts: experts
                            .experts()
                            .iter()
                            .map(|e| Ok([upload(&e.gate)?, upload(&e.up)?, upload(&e.down)?]))
                            .collect::<Result<_>>()?,
                    }),
                    None => None,
                },
                linear,
            })
        };
        let blocks = model.blocks.iter().enumerate().map(block).collect::<Result<Vec<_>>>()?;
        let embedding = upload(&model.embedding)?;
        let head = match &model.head {
            None => embedding.clone(),
            Some(head) => upload(head)?,
        };
        let positions = match &model.positions {
            Some(table) => {
                let shape = (table.len() / config.hidden_size, config.hidden_size);
                Some(Tensor::from_slice(table, shape, device)?.to_dtype(dtype)?)
            }
            None => None,
        };
        let slopes = match config.position {
            Position::Alibi => alibi_slopes(config.num_attention_heads),
            Position::Rotary(_) | Position::Learned => Vec::new(),
        };
        Ok(Self {
            embedding_norm: model.embedding_norm.as_ref().map(upload_norm).transpose()?,
            final_norm: model.final_norm.as_ref().map(upload_norm).transpose()?,
            embedding: embedding.weight().clone(),
            config,
            device: device.clone(),
            dtype,
            positions,
            blocks,
            head,
            slopes,
            recompute: false,
        })
    }

    /// Logits of every row, `[rows, vocab_size]` row-major.
    pub fn logits(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f32>> {
        let hidden = self.run(batch, adapter, None, |_, _, _, _| ())?;
        let logits = self.head.forward(&self.last_norm(&hidden)?)?;
        Ok(logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
    }

    /// Sum of the negative log likelihoods (nats) of the labelled positions, without gradients.
    pub fn loss(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<f64> {
        let hidden = self.run(batch, adapter, None, |_, _, _, _| ())?;
        Ok(self.head_loss(&hidden, batch, None)?.0)
    }

    /// Loss of a batch and the gradient of `scale * loss` for every adapter parameter.
    pub fn loss_and_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        scale: f64,
        dropout: Option<DropoutAt>,
    ) -> Result<LossAndGradients> {
        let lowest = adapter.layouts.iter().position(|l| l.len > 0).unwrap_or(usize::MAX);
        let mut steps = Vec::new();
        let hidden = self.run(batch, Some(adapter), dropout, |layer, input, vars, output| {
            if layer >= lowest {
                steps.push(Step { input, vars, output: (!self.recompute).then_some(output) });
            }
        })?;
        let (loss_sum, mut dy) = self.head_loss(&hidden, batch, Some(scale))?;
        let pass = self.pass(batch)?;
        let mut gradients = vec![None; adapter.layers.len()];
        for (layer, step) in (0..self.blocks.len()).rev().zip(steps.into_iter().rev()) {
            let output = match step.output {
                Some(output) => output,
                None => self.block(step.input.as_tensor(), layer, &step.vars, &pass)?,
            };
            let Some(above) = dy else { break };
            let store = (output * above)?.sum_all()?.backward()?;
            let layout = &adapter.layouts[layer];
            if layout.len > 0 {
                let mut flat = vec![0f32; layout.len];
                for vars in step.vars.iter().flatten() {
                    let take = |var: &Var, into: &mut [f32]| -> Result<()> {
                        let gradient = store.get(var.as_tensor()).ok_or_else(|| {
                            Error::Candle(candle_core::Error::Msg(format!(
                                "layer {layer}: the device gave no gradient for an adapter tensor"
                            )))
                        })?;
                        into.copy_from_slice(&gradient.flatten_all()?.to_vec1::<f32>()?);
                        Ok(())
                    };
                    let (a, b) = vars.slot.split_mut(&mut flat);
                    take(&vars.a, a)?;
                    take(&vars.b, b)?;
                    if let (Some(var), Some(into)) =
                        (&vars.magnitude, vars.slot.magnitude_mut(&mut flat))
                    {
                        take(var, into)?;
                    }
                }
                gradients[layer] = Some(flat);
            }
            dy = store.get(step.input.as_tensor()).cloned();
        }
        Ok(LossAndGradients { loss_sum, gradients })
    }

    fn pass<'a>(&self, batch: &'a Batch) -> Result<Pass<'a>> {
        let turn = match self.config.rotary() {
            Some(rotary) => {
                let longest = batch.rows.positions.iter().max().map_or(1, |p| *p as usize + 1);
                let table = rotary.table(self.config.head_dim, longest);
                let (cos, sin) = table.of_rows(&batch.rows.positions);
                let shape = (batch.rows.len(), rotary.dim / 2);
                Some(Turn {
                    cos: Tensor::from_vec(cos, shape, &self.device)?,
                    sin: Tensor::from_vec(sin, shape, &self.device)?,
                    interleaved: rotary.interleaved,
                })
            }
            None => None,
        };
        Ok(Pass { rows: &batch.rows, turn })
    }

    /// Takes a batch through all blocks; `seen` is given each layer, its input and what came of it.
    fn run(
        &self,
        batch: &Batch,
        adapter: Option<&Adapter>,
        dropout: Option<DropoutAt>,
        mut seen: impl FnMut(usize, Var, LayerVars, Tensor),
    ) -> Result<Tensor> {
        let vocabulary = self.config.vocab_size;
        if let Some(id) = batch.tokens.iter().find(|t| **t as usize >= vocabulary) {
            return Err(Error::TokenId { id: *id, vocabulary });
        }
        let pass = self.pass(batch)?;
        let index = |ids: &[u32]| Tensor::from_slice(ids, ids.len(), &self.device);
        let mut x = self.embedding.index_select(&index(&batch.tokens)?, 0)?;
        if let Some(table) = &self.positions {
            x = (x + table.index_select(&index(&batch.rows.positions)?, 0)?)?;
        }
        if let Some(norm) = &self.embedding_norm {
            x = norm.forward(&x)?;
        }
        for layer in 0..self.blocks.len() {
            let vars = self.layer_vars(layer, adapter, dropout, batch.rows.len())?;
            let input = Var::from_tensor(&x.detach())?;
            let output = self.block(input.as_tensor(), layer, &vars, &pass)?;
            x = output.detach();
            seen(layer, input, vars, output);
        }
        Ok(x)
    }

    fn layer_vars(
        &self,
        layer: usize,
        adapter: Option<&Adapter>,
        dropout: Option<DropoutAt>,
        rows: usize,
    ) -> Result<LayerVars> {
        let mut vars: LayerVars = [const { None }; Role::COUNT];
        let Some(adapter) = adapter else { return Ok(vars) };
        let (layout, values) = (&adapter.layouts[layer], &adapter.layers[layer]);
        for role in Role::ALL {
            let Some(slot) = layout.slot(role) else { continue };
            let (a, b) = slot.split(values);
            let mask = match dropout.filter(|_| adapter.config.dropout > 0.0) {
                Some(at) => {
                    let counters = [at.step, at.micro, layer as u64, role.index() as u64];
                    let mask = DropoutMask::new(at.seed, adapter.config.dropout, &counters);
                    let mut ones = vec![1f32; rows * slot.input];
                    for (i, row) in ones.chunks_exact_mut(slot.input).enumerate() {
                        mask.apply(i, row);
                    }
                    Some(Tensor::from_vec(ones, (rows, slot.input), &self.device)?)
                }
                None => None,
            };
            let tensor = |values: &[f32], rows, cols| -> Result<Var> {
                let tensor = Tensor::from_slice(values, (rows, cols), &self.device)?;
                Ok(Var::from_tensor(&tensor)?)
            };
            vars[role.index()] = Some(LoraVars {
                a: tensor(a, slot.r, slot.input)?,
                b: tensor(b, slot.output, slot.r)?,
                magnitude: match slot.magnitude(values) {
                    Some(m) => Some(tensor(m, 1, slot.output)?),
                    None => None,
                },
                slot: *slot,
                mask,
            });
        }
        Ok(vars)
    }

    /// A linear module with its adapter.
    fn linear(
        &self,
        x: &Tensor,
        layer: usize,
        role: Role,
        vars: &LayerVars,
    ) -> candle_core::Result<Tensor> {
        let Some(frozen) = &self.blocks[layer].linear[role.index()] else {
            candle_core::bail!("layer {layer} has no module {role:?}")
        };
        let Some(lora) = &vars[role.index()] else { return frozen.forward(x) };
        let scaling = f64::from(lora.slot.scaling);
        let wide = x.to_dtype(DType::F32)?;
        let dropped = match &lora.mask {
            Some(mask) => (wide * mask)?,
            None => wide,
        };
        let h = dropped.matmul(&lora.a.as_tensor().t()?)?;
        let update = (h.matmul(&lora.b.as_tensor().t()?)? * scaling)?;
        let Some(magnitude) = &lora.magnitude else {
            return frozen.forward(x)? + update.to_dtype(self.dtype)?;
        };
        // DoRA: the norms of the rows follow A and B but count as constants.
        let change = (lora.b.as_detached_tensor().matmul(&lora.a.as_detached_tensor())? * scaling)?;
        let rows = (frozen.weight().to_dtype(DType::F32)? + change)?;
        let norms = rows.sqr()?.sum_keepdim(1)?.sqrt()?.t()?;
        let scale = magnitude.as_tensor().broadcast_div(&norms)?;
        let base = frozen.product(x)?.to_dtype(DType::F32)?;
        let seen = match &lora.mask {
            Some(_) => frozen.product(&dropped.to_dtype(self.dtype)?)?.to_dtype(DType::F32)?,
            None => base.clone(),
        };
        let y = (base + seen.broadcast_mul(&(&scale - 1.0)?)?)?;
        let y = (y + update.broadcast_mul(&scale)?)?;
        frozen.add_bias(y.to_dtype(self.dtype)?)
    }

    /// `y = block(x)` for all rows, `[rows, hidden_size]`.
    fn block(
        &self,
        x: &Tensor,
        layer: usize,
        vars: &LayerVars,
        pass: &Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let block = &self.blocks[layer];
        let after_norm = self.config.residual_after_norm;
        let normed = block.input_norm.forward(x)?;
        let mut attended = self.attention(&normed, layer, vars, pass)?;
        if let Some(norm) = &block.attention_output_norm {
            attended = norm.forward(&attended)?;
        }
        let x1 = (attended + if after_norm { &normed } else { x })?;
        let normed = block.feed_forward_norm.forward(&x1)?;
        let mut out = self.feed_forward(&normed, layer, vars)?;
        if let Some(norm) = &block.feed_forward_output_norm {
            out = norm.forward(&out)?;
        }
        out + if after_norm { normed } else { x1 }
    }

    fn feed_forward(
        &self,
        x: &Tensor,
        layer: usize,
        vars: &LayerVars,
    ) -> candle_core::Result<Tensor> {
        let act = |x: &Tensor| ops::activate(x, self.config.activation);
        let gated = |roles: [Role; 3]| -> candle_core::Result<Tensor> {
            let [gate, up, down] = roles;
            let gate = self.linear(x, layer, gate, vars)?;
            let inner = (act(&gate)? * self.linear(x, layer, up, vars)?)?;
            self.linear(&inner, layer, down, vars)
        };
        match self.config.feed_forward_kind(layer) {
            FeedForwardKind::Gated => gated([Role::Gate, Role::Up, Role::Down]),
            FeedForwardKind::GatedFused => {
                let both = self.linear(x, layer, Role::GateUp, vars)?;
                let f = both.dim(1)? / 2;
                let inner = (act(&both.narrow(1, 0, f)?.contiguous()?)? * both.narrow(1, f, f)?)?;
                self.linear(&inner, layer, Role::Down, vars)
            }
            FeedForwardKind::Plain => {
                let inner = act(&self.linear(x, layer, Role::Up, vars)?)?;
                self.linear(&inner, layer, Role::Down, vars)
            }
            FeedForwardKind::Experts => {
                let Some(experts) = &self.blocks[layer].experts else {
                    candle_core::bail!("layer {layer} has no experts")
                };
                let routed = experts.forward(x)?;
                if self.blocks[layer].linear[Role::SharedDown.index()].is_none() {
                    return Ok(routed);
                }
                routed + gated([Role::SharedGate, Role::SharedUp, Role::SharedDown])?
            }
        }
    }

    fn last_norm(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match &self.final_norm {
            Some(norm) => norm.forward(x),
            None => Ok(x.clone()),
        }
    }

    /// The loss over the labelled rows and, with a scale, its gradient at the last block's output.
    fn head_loss(
        &self,
        hidden: &Tensor,
        batch: &Batch,
        scale: Option<f64>,
    ) -> Result<(f64, Option<Tensor>)> {
        let mut total = 0f64;
        let mut gradient = scale.map(|_| hidden.zeros_like()).transpose()?;
        for (rows, targets) in batch.labelled.chunks(HEAD_ROWS).zip(batch.targets.chunks(HEAD_ROWS))
        {
            let index = Tensor::from_slice(rows, rows.len(), &self.device)?;
            let target = Tensor::from_slice(targets, (targets.len(), 1), &self.device)?;
            let x = Var::from_tensor(&hidden.index_select(&index, 0)?)?;
            let normed = self.last_norm(x.as_tensor())?;
            let logits = self.head.forward(&normed)?.to_dtype(DType::F32)?;
            let shift = logits.max_keepdim(1)?.detach();
            let shifted = logits.broadcast_sub(&shift)?;
            let normaliser = shifted.exp()?.sum_keepdim(1)?.log()?;
            let loss = (normaliser - shifted.gather(&target, 1)?)?;
            total += loss.to_dtype(DType::F64)?.sum_all()?.to_scalar::<f64>()?;
            if let (Some(sum), Some(scale)) = (&gradient, scale) {
                let store = (loss * scale)?.sum_all()?.backward()?;
                if let Some(dx) = store.get(x.as_tensor()) {
                    gradient = Some(sum.index_add(&index, dx, 0)?);
                }
            }
        }
        Ok((total, gradient))
    }
}
