//! The model as a differentiable function on the CPU: candle's automatic differentiation chains the
//! blocks and the loss, each a custom operation whose backward is written by hand. Other devices
//! have the [graph](super::graph); [`passes`](super::passes) chooses.

use super::block::{self, Context, Places, Rows, Saved};
use super::family::Role;
use super::head::HeadLossOp;
use super::workspace::Workspace;
use super::Model;
use crate::error::{Error, Result};
use crate::kernels::par_rows;
use crate::kernels::rng::{DropoutMask, Noise};
use crate::lora::dora::LayerScales;
use crate::lora::linear::BlockAdapter;
use crate::lora::{Adapter, Layout};
use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, Device, Layout as TensorLayout, Shape, Storage, Tensor, Var,
};
use std::sync::{Arc, Mutex};

/// Token sequences laid end to end, with the labels of those positions that count in the loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Tokens of all sequences.
    pub tokens: Vec<u32>,
    /// Where each sequence lies.
    pub rows: Rows,
    /// Rows whose next token is predicted, ascending.
    pub labelled: Vec<u32>,
    /// The token to predict at each of [`Self::labelled`].
    pub targets: Vec<u32>,
}

impl Batch {
    /// A batch of sequences. `labels[s][i]` says whether token `i` of sequence `s` is to be
    /// predicted (from the tokens before it); the first token of a sequence never is.
    pub fn new(sequences: &[(&[u32], &[bool])]) -> Self {
        let rows = Rows::new(sequences.iter().map(|(t, _)| t.len()));
        let mut batch = Self { tokens: Vec::new(), rows, labelled: vec![], targets: vec![] };
        for (tokens, labels) in sequences {
            let start = batch.tokens.len();
            batch.tokens.extend_from_slice(tokens);
            for (i, token) in tokens.iter().enumerate().skip(1) {
                if labels.get(i).copied().unwrap_or(false) {
                    batch.labelled.push((start + i - 1) as u32);
                    batch.targets.push(*token);
                }
            }
        }
        batch
    }

    pub(super) fn check(&self, model: &Model) -> Result<()> {
        let limit = model.config.max_position_embeddings;
        let longest = self.rows.offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
        if longest > limit {
            return Err(Error::ContextExceeded { tokens: longest, limit, what: "sequence" });
        }
        let vocabulary = model.config.vocab_size;
        let beyond = self.tokens.iter().chain(&self.targets).find(|t| **t as usize >= vocabulary);
        match beyond {
            Some(id) => Err(Error::TokenId { id: *id, vocabulary }),
            None => Ok(()),
        }
    }
}

/// Shared state of the passes of one run: model, tables of the positions and buffers.
#[derive(Clone)]
pub struct Runner {
    model: Arc<Model>,
    places: Arc<Places>,
    workspace: Workspace,
    recompute: bool,
    neftune_alpha: Option<f64>,
}

/// Identifies a pass for its dropout: (optimiser step, micro-batch).
#[derive(Debug, Clone, Copy)]
pub struct DropoutAt {
    /// Seed of the run.
    pub seed: u64,
    /// Optimiser step, counted from 0.
    pub step: u64,
    /// Micro-batch within the step.
    pub micro: u64,
}

/// Loss and gradients of one batch.
#[derive(Debug)]
pub struct LossAndGradients {
    /// Sum of the negative log likelihoods of all labelled positions, in nats.
    pub loss_sum: f64,
    /// Gradient of `scale * loss_sum` for each layer's adapter parameters, where one exists.
    pub gradients: Vec<Option<Vec<f32>>>,
}

impl Runner {
    /// A runner for sequences of at most `max_tokens` tokens.
    pub fn new(model: Arc<Model>, max_tokens: usize) -> Result<Self> {
        let limit = model.config.max_position_embeddings;
        if max_tokens > limit {
            return Err(Error::ContextExceeded { tokens: max_tokens, limit, what: "sequence" });
        }
        let places = Arc::new(Places::new(&model.config, max_tokens));
        Ok(Self {
            model,
            places,
            workspace: Workspace::default(),
            recompute: false,
            neftune_alpha: None,
        })
    }

    /// Keeps only the blocks' inputs during a training pass and computes their activations again
    /// in the backward: the same bits, less memory, more time.
    pub fn with_recompute(self, recompute: bool) -> Self {
        Self { recompute, ..self }
    }

    /// Adds noise to the embeddings of training passes, uniform in ±`alpha` / √(tokens · width) of
    /// each sequence (NEFTune, Jain et al., 2023).
    pub fn with_neftune(self, alpha: Option<f64>) -> Self {
        Self { neftune_alpha: alpha, ..self }
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Buffers of the passes.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(super) fn check(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<()> {
        batch.check(&self.model)?;
        let longest = batch.rows.offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
        let limit = self.places.limit();
        if longest > limit {
            return Err(Error::ContextExceeded { tokens: longest, limit, what: "sequence" });
        }
        adapter.map_or(Ok(()), |a| a.check_fits(&self.model.config))
    }

    pub(super) fn hidden(
        &self,
        batch: &Batch,
        adapter: Option<&Adapter>,
        parameters: Option<&[Var]>,
        dropout: Option<DropoutAt>,
    ) -> Result<Tensor> {
        let d = self.model.config.hidden_size;
        let rows = batch.rows.len();
        let mut embedded = vec![0f32; rows * d];
        self.model.embed(&mut embedded, &batch.tokens, &batch.rows.positions)?;
        if let (Some(alpha), Some(at)) = (self.neftune_alpha, dropout) {
            embedding_noise(&mut embedded, d, &batch.rows, alpha, at);
        }
        let mut x = Tensor::from_vec(embedded, (rows, d), &Device::Cpu)?;
        let rows = Arc::new(batch.rows.clone());
        for layer in 0..self.model.blocks.len() {
            let spec = adapter.map(|a| AdapterSpec {
                layout: a.layouts[layer].clone(),
                scales: LayerScales::new(
                    &self.model.blocks[layer],
                    &a.layouts[layer],
                    &a.layers[layer],
                ),
                dropout: dropout.filter(|_| a.config.dropout > 0.0).map(|at| {
                    std::array::from_fn(|module| {
                        let counters = [at.step, at.micro, layer as u64, module as u64];
                        DropoutMask::new(at.seed, a.config.dropout, &counters)
                    })
                }),
            });
            let values = match (parameters, adapter) {
                (Some(vars), _) => vars.get(layer).map(|v| v.as_tensor().clone()),
                (None, Some(a)) => {
                    let values = &a.layers[layer];
                    Some(Tensor::from_slice(values, values.len(), &Device::Cpu)?)
                }
                (None, None) => None,
            };
            // A layer without adapter has an empty parameter, which must not make it tracked.
            let values = values.filter(|v| v.elem_count() > 0);
            let tracked = parameters.is_some();
            let op = BlockOp {
                runner: self.clone(),
                layer,
                rows: rows.clone(),
                adapter: spec,
                keep: tracked && (x.track_op() || values.as_ref().is_some_and(|v| v.track_op())),
                input_tracked: x.track_op(),
                saved: Mutex::new(None),
            };
            x = match values {
                Some(values) => x.apply_op2(&values, op)?,
                None => x.apply_op1(op)?,
            };
        }
        Ok(x)
    }

    /// Logits of every row, `[rows, vocab_size]` row-major.
    pub fn logits(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f32>> {
        self.check(batch, adapter)?;
        let hidden = self.hidden(batch, adapter, None, None)?;
        let (rows, d, v) =
            (batch.rows.len(), self.model.config.hidden_size, self.model.config.vocab_size);
        let mut logits = vec![0f32; rows * v];
        let mut normed = vec![0f32; rows * d];
        let mut stats = vec![0f32; rows * self.model.final_stats()];
        with_values(&hidden, |x| self.model.final_norm(&mut normed, &mut stats, x, rows))?;
        self.model.head().forward(&mut logits, &normed, rows);
        Ok(logits)
    }

    /// Sum of the negative log likelihoods (nats) of the labelled positions, without gradients.
    pub fn loss(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<f64> {
        self.check(batch, adapter)?;
        let hidden = self.hidden(batch, adapter, None, None)?;
        let op = HeadLossOp::new(self, batch, 1.0, false);
        let sum = op.sum.clone();
        hidden.apply_op1_no_bwd(&op)?;
        let sum = sum.lock().map_or(f64::NAN, |s| *s);
        Ok(sum)
    }

    /// Loss of a batch and the gradient of `scale * loss` for every adapter parameter.
    pub fn loss_and_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        scale: f64,
        dropout: Option<DropoutAt>,
    ) -> Result<LossAndGradients> {
        self.gradients_through(
            batch,
            adapter,
            dropout,
            HeadLossOp::new(self, batch, scale as f32, true),
        )
    }

    pub(super) fn gradients_through(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        dropout: Option<DropoutAt>,
        op: HeadLossOp,
    ) -> Result<LossAndGradients> {
        self.check(batch, Some(adapter))?;
        let vars = adapter
            .layers
            .iter()
            .map(|values| Ok(Var::from_slice(values, values.len(), &Device::Cpu)?))
            .collect::<Result<Vec<_>>>()?;
        let hidden = self.hidden(batch, Some(adapter), Some(&vars), dropout)?;
        let sum = op.sum.clone();
        let loss = hidden.apply_op1(op)?;
        let store = loss.backward()?;
        let gradients = vars
            .iter()
            .map(|var| match store.get(var.as_tensor()) {
                Some(g) => Ok(Some(g.flatten_all()?.to_vec1::<f32>()?)),
                None => Ok(None),
            })
            .collect::<Result<Vec<_>>>()?;
        let loss_sum = sum.lock().map_or(f64::NAN, |s| *s);
        Ok(LossAndGradients { loss_sum, gradients })
    }
}

/// Adds NEFTune's noise to embedded tokens, rows of `width`.
pub(super) fn embedding_noise(x: &mut [f32], width: usize, rows: &Rows, alpha: f64, at: DropoutAt) {
    let noise = Noise::new(at.seed, "neftune", &[at.step, at.micro]);
    for sequence in rows.offsets.windows(2) {
        let (start, end) = (sequence[0], sequence[1]);
        let bound = (alpha / (((end - start) * width) as f64).sqrt()) as f32;
        par_rows(&mut x[start * width..end * width], width, |i, row| {
            noise.add(start + i, row, bound);
        });
    }
}

/// Calls `f` with the values of a contiguous `f32` CPU tensor.
pub(super) fn with_values<T>(
    tensor: &Tensor,
    f: impl FnOnce(&[f32]) -> T,
) -> candle_core::Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(values(storage, layout)?)),
        _ => candle_core::bail!("this operation runs on the CPU only"),
    }
}

pub(super) fn values<'a>(
    storage: &'a CpuStorage,
    layout: &TensorLayout,
) -> candle_core::Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => all
            .get(start..end)
            .ok_or_else(|| candle_core::Error::Msg("tensor exceeds its storage".to_owned())),
        None => candle_core::bail!("this operation needs a contiguous tensor"),
    }
}

struct AdapterSpec {
    layout: Layout,
    scales: Option<LayerScales>,
    dropout: Option<[DropoutMask; Role::COUNT]>,
}

/// One decoder block as an operation on its input and, with an adapter, the adapter's parameters.
struct BlockOp {
    runner: Runner,
    layer: usize,
    rows: Arc<Rows>,
    adapter: Option<AdapterSpec>,
    keep: bool,
    input_tracked: bool,
    saved: Mutex<Option<Saved>>,
}

impl BlockOp {
    fn context(&self) -> Context<'_> {
        Context {
            config: &self.runner.model.config,
            layer: self.layer,
            rows: &self.rows,
            places: &self.runner.places,
            workspace: &self.runner.workspace,
        }
    }

    fn adapter<'a>(&'a self, parameters: Option<&'a [f32]>) -> Option<BlockAdapter<'a>> {
        let spec = self.adapter.as_ref()?;
        Some(BlockAdapter {
            layout: &spec.layout,
            parameters: parameters?,
            scales: spec.scales.as_ref(),
            dropout: spec.dropout.as_ref(),
        })
    }

    fn forward(
        &self,
        x: &[f32],
        parameters: Option<&[f32]>,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let d = self.runner.model.config.hidden_size;
        let rows = self.rows.len();
        let mut y = vec![0f32; rows * d];
        let adapter = self.adapter(parameters);
        let block = &self.runner.model.blocks[self.layer];
        let keep = self.keep && !self.runner.recompute;
        let saved = block::forward(&mut y, x, block, adapter.as_ref(), &self.context(), None, keep);
        if let Ok(mut slot) = self.saved.lock() {
            *slot = saved;
        }
        Ok((CpuStorage::F32(y), Shape::from((rows, d))))
    }

    fn backward(
        &self,
        x: &[f32],
        parameters: Option<&[f32]>,
        dy: &[f32],
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let mut saved = self.saved.lock().ok().and_then(|mut s| s.take());
        if self.runner.recompute {
            let mut y = self.runner.workspace.take(dy.len());
            let block = &self.runner.model.blocks[self.layer];
            let adapter = self.adapter(parameters);
            saved = block::forward(&mut y, x, block, adapter.as_ref(), &self.context(), None, true);
            self.runner.workspace.put(y);
        }
        let Some(saved) = saved else {
            candle_core::bail!("layer {}: backward without a forward", self.layer)
        };
        let d = self.runner.model.config.hidden_size;
        let rows = self.rows.len();
        let mut dx = self.input_tracked.then(|| vec![0f32; rows * d]);
        let mut gradient = parameters.map(|p| vec![0f32; p.len()]);
        let adapter = self.adapter(parameters);
        block::backward(
            dx.as_deref_mut(),
            gradient.as_deref_mut(),
            dy,
            x,
            &self.runner.model.blocks[self.layer],
            adapter.as_ref(),
            &self.context(),
            saved,
        );
        let dx = dx.map(|dx| Tensor::from_vec(dx, (rows, d), &Device::Cpu)).transpose()?;
        let gradient = gradient
            .map(|g| {
                let len = g.len();
                Tensor::from_vec(g, len, &Device::Cpu)
            })
            .transpose()?;
        Ok((dx, gradient))
    }
}

impl CustomOp1 for BlockOp {
    fn name(&self) -> &'static str {
        "decoder-block"
    }

    fn cpu_fwd(
        &self,
        s: &CpuStorage,
        l: &TensorLayout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward(values(s, l)?, None)
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (dx, _) = with_values(x, |x| with_values(dy, |dy| self.backward(x, None, dy)))???;
        Ok(dx)
    }
}

impl CustomOp2 for BlockOp {
    fn name(&self) -> &'static str {
        "decoder-block-with-adapter"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &TensorLayout,
        s2: &CpuStorage,
        l2: &TensorLayout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward(values(s1, l1)?, Some(values(s2, l2)?))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        with_values(x, |x| {
            with_values(parameters, |p| with_values(dy, |dy| self.backward(x, Some(p), dy)))
        })???
    }
}
