//! The model in candle's operations, on any of its devices.
//!
//! This is how training runs on CUDA and Metal (base and residual stream in `bf16` or `f32`,
//! adapters in `f32`), and what the tests hold the hand-written arithmetic of the CPU against: both
//! are built from the same [`Model`] and [`ModelConfig`]. candle differentiates what is made of its
//! own operations (projections, activations, experts, the adapters); normalisations, rotary
//! embedding, attention and frozen products have backwards of their own ([`ops`], [`scores`],
//! [`frozen`]). A GPU's sums have no defined order, so the promise of equal bytes does not extend to
//! it.
//!
//! Each block is a graph of its own. The backward goes through them from the top, either over the
//! graphs that the forward kept or, with [`Graph::recompute`], over fresh ones, so that only the
//! blocks' inputs are kept. Nothing is computed below the lowest adapter. Embeddings are looked up
//! on the host, which keeps the model; gradients come back in one transfer.

mod attention;
mod experts;
pub mod frozen;
mod head;
pub mod ops;
pub mod scores;
mod vars;

use super::block::Rows;
use super::config::{FeedForwardKind, ModelConfig, Position};
use super::cpu_pass::embedding_noise;
use super::family::Role;
use super::forward::{Batch, DropoutAt, LossAndGradients};
use super::preference::SequenceGradients;
use super::weights::Block;
use super::{norm, Model};
use crate::error::{Error, Result};
use crate::kernels::attention::alibi_slopes;
use crate::kernels::linear::FrozenLinear;
use crate::kernels::rope::RopeTable;
use crate::lora::Adapter;
use candle_core::{DType, Device, Tensor, Var};
use experts::GraphExperts;
use frozen::Frozen;
use ops::{Norm, Turn};
use scores::{Group, Sequences};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use vars::{Gradients, LayerVars};

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
    /// On the host: configuration and embeddings.
    model: Arc<Model>,
    device: Device,
    dtype: DType,
    blocks: Vec<GraphBlock>,
    final_norm: Option<Norm>,
    head: Frozen,
    slopes: Vec<f32>,
    /// For sequences of `max_tokens` tokens, once that is known.
    rope: Option<RopeTable>,
    masks: Masks,
    max_tokens: usize,
    /// Whether the backward recomputes each block's forward instead of keeping its values.
    pub recompute: bool,
    /// NEFTune's noise on the embeddings of training passes.
    pub neftune_alpha: Option<f64>,
}

/// Masks of the scores by window and length, kept from pass to pass.
type Masks = Mutex<BTreeMap<(Option<usize>, usize), Tensor>>;

/// Most masks that are kept.
const MASKS: usize = 16;

/// A block's place in the backward.
struct Step {
    layer: usize,
    input: Tensor,
    vars: LayerVars,
    /// Kept unless it is recomputed.
    output: Option<Tensor>,
}

/// What all blocks of a pass share.
struct Pass<'a> {
    rows: &'a Rows,
    turn: Option<Turn>,
    /// Where the sequences lie, by the attention's window and the bits of its scale.
    sequences: BTreeMap<(Option<usize>, u32), Arc<Sequences>>,
    /// The key of each layer.
    layers: Vec<(Option<usize>, u32)>,
}

impl Pass<'_> {
    fn sequences(&self, layer: usize) -> candle_core::Result<Arc<Sequences>> {
        let found = self.layers.get(layer).and_then(|key| self.sequences.get(key));
        found
            .cloned()
            .ok_or_else(|| candle_core::Error::Msg(format!("layer {layer} has no attention")).bt())
    }
}

impl Graph {
    /// Copies a model's weights to a device for products of type `dtype` (`F32`, `BF16` or `F16`).
    /// Weights in few bits stay so.
    ///
    /// # Errors
    ///
    /// [`Error::Candle`] when the device lacks memory or the type.
    pub fn new(model: &Arc<Model>, device: &Device, dtype: DType) -> Result<Self> {
        let config = &model.config;
        let upload =
            |linear: &FrozenLinear| -> Result<Frozen> { Ok(Frozen::new(linear, device, dtype)?) };
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
                        router: Frozen::new(experts.router(), device, DType::F32)?,
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
        let slopes = match config.position {
            Position::Alibi => alibi_slopes(config.num_attention_heads),
            Position::Rotary(_) | Position::Learned => Vec::new(),
        };
        Ok(Self {
            final_norm: model.final_norm.as_ref().map(upload_norm).transpose()?,
            head: upload(model.head())?,
            model: model.clone(),
            device: device.clone(),
            dtype,
            blocks,
            slopes,
            rope: None,
            masks: Masks::default(),
            max_tokens: config.max_position_embeddings,
            recompute: false,
            neftune_alpha: None,
        })
    }

    /// Refuses sequences of more than `tokens` tokens from now on.
    ///
    /// # Errors
    ///
    /// [`Error::ContextExceeded`] for more than the model was made for.
    pub fn limit_tokens(&mut self, tokens: usize) -> Result<()> {
        let limit = self.config().max_position_embeddings;
        if tokens > limit {
            return Err(Error::ContextExceeded { tokens, limit, what: "sequence" });
        }
        self.max_tokens = tokens;
        let config = self.config();
        self.rope = config.rotary().map(|rotary| rotary.table(config.head_dim, tokens));
        Ok(())
    }

    /// Bytes of the linear weights on the device.
    pub fn weight_bytes(&self) -> usize {
        let modules = self.blocks.iter().flat_map(|b| b.linear.iter().flatten());
        let experts = self.blocks.iter().flat_map(|b| b.experts.iter());
        let experts = experts.flat_map(|e| e.experts.iter().flatten().chain([&e.router]));
        modules.chain(experts).chain([&self.head]).map(Frozen::bytes).sum()
    }

    fn config(&self) -> &ModelConfig {
        &self.model.config
    }

    /// Logits of every row, `[rows, vocab_size]` row-major.
    pub fn logits(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f32>> {
        let hidden = self.hidden(batch, adapter)?;
        let logits = self.head.forward(&self.last_norm(&hidden)?)?;
        Ok(logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
    }

    /// Sum of the negative log likelihoods (nats) of the labelled positions, without gradients.
    pub fn loss(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<f64> {
        let hidden = self.hidden(batch, adapter)?;
        Ok(self.head_loss(&hidden, batch, false)?.0.iter().sum())
    }

    /// Negative log likelihood of each sequence's labelled positions (nats), without gradients.
    pub fn sequence_losses(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f64>> {
        let hidden = self.hidden(batch, adapter)?;
        let losses = self.head_loss(&hidden, batch, false)?.0;
        Ok(by_sequence(batch).into_iter().map(|range| losses[range].iter().sum()).collect())
    }

    /// Loss of a batch and the gradient of `scale * loss` for every adapter parameter.
    pub fn loss_and_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        scale: f64,
        dropout: Option<DropoutAt>,
    ) -> Result<LossAndGradients> {
        let weights = |losses: &[f64]| vec![scale; losses.len()];
        let (losses, gradients) = self.gradients(batch, adapter, dropout, &weights)?;
        Ok(LossAndGradients { loss_sum: losses.iter().sum(), gradients })
    }

    /// The gradient of `Σ weight[s] · loss[s]` over the batch's sequences, where the weights are
    /// what `weigh` gives for the losses and count as constants.
    pub fn weighted_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        dropout: Option<DropoutAt>,
        weigh: &(dyn Fn(&[f64]) -> Vec<f64> + Send + Sync),
    ) -> Result<SequenceGradients> {
        let sequences = by_sequence(batch);
        let sums = |losses: &[f64]| -> Vec<f64> {
            sequences.iter().map(|range| losses[range.clone()].iter().sum()).collect()
        };
        let weights = |losses: &[f64]| {
            let mut weights = vec![0.0; losses.len()];
            for (range, weight) in sequences.iter().zip(weigh(&sums(losses))) {
                weights[range.clone()].fill(weight);
            }
            weights
        };
        let (losses, gradients) = self.gradients(batch, adapter, dropout, &weights)?;
        Ok(SequenceGradients { losses: sums(&losses), gradients })
    }

    /// The loss of each labelled row, and the gradient of their sum with the weights that `weigh`
    /// gives them.
    ///
    /// What goes through the blocks is the gradient over the greatest weight, which is multiplied in
    /// on the host: gradients of a mean over many tokens would lose bits, or vanish, in 16 bits.
    #[allow(clippy::type_complexity)]
    fn gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        dropout: Option<DropoutAt>,
        weigh: &dyn Fn(&[f64]) -> Vec<f64>,
    ) -> Result<(Vec<f64>, Vec<Option<Vec<f32>>>)> {
        self.check(batch, Some(adapter))?;
        let lowest = adapter.layouts.iter().position(|l| l.len > 0).unwrap_or(usize::MAX);
        let pass = self.pass(batch)?;
        let mut x = self.embed(batch, dropout)?;
        let mut steps = Vec::new();
        for layer in 0..self.blocks.len() {
            let rows = batch.rows.len();
            let trained = layer >= lowest;
            let vars = vars::layer(&self.device, layer, adapter, dropout, rows, trained)?;
            if !trained {
                x = self.block(&x, layer, &vars, &pass)?;
                continue;
            }
            // The lowest block's input needs no gradient.
            let tracked = layer > lowest;
            let input = if tracked { Var::from_tensor(&x)?.into_inner() } else { x };
            let output = if self.recompute {
                self.block(&input.detach(), layer, &vars.detached(), &pass)?
            } else {
                self.block(&input, layer, &vars, &pass)?
            };
            x = output.detach();
            steps.push(Step { layer, input, vars, output: (!self.recompute).then_some(output) });
        }
        let (losses, gradient) = self.head_loss(&x, batch, true)?;
        let weights = weigh(&losses);
        let greatest = weights.iter().fold(0f64, |m, w| m.max(w.abs()));
        let unit = if greatest > 0.0 && greatest.is_finite() { greatest } else { 1.0 };
        let mut found = Gradients::default();
        let mut dy = match gradient {
            Some(gradient) => Some(self.spread(&x, batch, &gradient, &weights, unit)?),
            None => None,
        };
        drop(x);
        while let Some(step) = steps.pop() {
            let Some(above) = dy else { break };
            let output = match step.output {
                Some(output) => output,
                None => self.block(&step.input, step.layer, &step.vars, &pass)?,
            };
            let store = (output * above)?.sum_all()?.backward()?;
            found.take(step.layer, &step.vars, &store)?;
            dy = store.get(&step.input).cloned();
        }
        Ok((losses, found.fetch(adapter, unit as f32)?))
    }

    fn check(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<()> {
        batch.check(&self.model)?;
        let tokens = batch.rows.offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
        if tokens > self.max_tokens {
            let limit = self.max_tokens;
            return Err(Error::ContextExceeded { tokens, limit, what: "sequence" });
        }
        adapter.map_or(Ok(()), |a| a.check_fits(self.config()))
    }

    /// The first block's input: looked up on the host, with NEFTune's noise in training passes.
    fn embed(&self, batch: &Batch, training: Option<DropoutAt>) -> Result<Tensor> {
        let (rows, d) = (batch.rows.len(), self.config().hidden_size);
        let mut embedded = vec![0f32; rows * d];
        self.model.embed(&mut embedded, &batch.tokens, &batch.rows.positions)?;
        if let (Some(alpha), Some(at)) = (self.neftune_alpha, training) {
            embedding_noise(&mut embedded, d, &batch.rows, 0, alpha, at);
        }
        Ok(Tensor::from_vec(embedded, (rows, d), &self.device)?.to_dtype(self.dtype)?)
    }

    fn pass<'a>(&self, batch: &'a Batch) -> Result<Pass<'a>> {
        let config = self.config();
        let turn = match config.rotary() {
            Some(rotary) => {
                let longest = batch.rows.positions.iter().max().map_or(1, |p| *p as usize + 1);
                let made;
                let table = match &self.rope {
                    Some(table) if table.positions() >= longest => table,
                    _ => {
                        made = rotary.table(config.head_dim, longest);
                        &made
                    }
                };
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
        let mut pass =
            Pass { rows: &batch.rows, turn, sequences: BTreeMap::new(), layers: Vec::new() };
        let lying = scores::groups(&pass.rows.offsets);
        for layer in 0..self.blocks.len() {
            let (window, scale) = (config.window(layer), config.heads(layer).scale);
            let key = (window, scale.to_bits());
            pass.layers.push(key);
            if pass.sequences.contains_key(&key) {
                continue;
            }
            let mut groups = Vec::with_capacity(lying.len());
            for (first, count, len) in &lying {
                let bias = self.mask(window, *len)?;
                groups.push(Group { first: *first, count: *count, len: *len, bias });
            }
            let sequences = Sequences { groups, scale: f64::from(scale) };
            pass.sequences.insert(key, Arc::new(sequences));
        }
        Ok(pass)
    }

    /// What is added to the scores of a sequence of `len` tokens.
    fn mask(&self, window: Option<usize>, len: usize) -> Result<Tensor> {
        let mut masks = self.masks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mask) = masks.get(&(window, len)) {
            return Ok(mask.clone());
        }
        if masks.len() >= MASKS {
            masks.clear();
        }
        let mask = scores::score_bias(len, window, &self.slopes, &self.device)?;
        masks.insert((window, len), mask.clone());
        Ok(mask)
    }

    /// The last block's output, without gradients.
    fn hidden(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Tensor> {
        self.check(batch, adapter)?;
        let pass = self.pass(batch)?;
        let mut x = self.embed(batch, None)?;
        for layer in 0..self.blocks.len() {
            let vars = match adapter {
                Some(a) => vars::layer(&self.device, layer, a, None, batch.rows.len(), false)?,
                None => LayerVars::default(),
            };
            x = self.block(&x, layer, &vars, &pass)?;
        }
        Ok(x)
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
        match vars.of(role) {
            Some(lora) => lora.forward(x, frozen, self.dtype),
            None => frozen.forward(x),
        }
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
        let after_norm = self.config().residual_after_norm;
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
        let act = |x: &Tensor| ops::activate(x, self.config().activation);
        let gated = |roles: [Role; 3]| -> candle_core::Result<Tensor> {
            let [gate, up, down] = roles;
            let gate = self.linear(x, layer, gate, vars)?;
            let inner = (act(&gate)? * self.linear(x, layer, up, vars)?)?;
            self.linear(&inner, layer, down, vars)
        };
        match self.config().feed_forward_kind(layer) {
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
}

/// The labelled rows of each sequence, as a range of `batch.labelled`.
fn by_sequence(batch: &Batch) -> Vec<std::ops::Range<usize>> {
    let bound = |end: &usize| batch.labelled.partition_point(|row| (*row as usize) < *end);
    let bounds: Vec<usize> = batch.rows.offsets.iter().map(bound).collect();
    bounds.windows(2).map(|w| w[0]..w[1]).collect()
}
