//! The model as a function of token sequences on the CPU: logits, losses, and the gradients of an
//! adapter, with forward and backward written by hand. Other devices have the
//! [graph](super::graph); [`passes`](super::passes) chooses.

use super::block::{Places, Rows};
use super::cpu_pass::{Pass, ROWS_AT_ONCE};
use super::head::Losses;
use super::workspace::Workspace;
use super::Model;
use crate::error::{Error, Result};
use crate::lora::Adapter;
use std::sync::Arc;

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

    /// Tokens of the longest sequence.
    pub(super) fn longest(&self) -> usize {
        self.rows.offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
    }

    pub(super) fn check(&self, model: &Model) -> Result<()> {
        let limit = model.config.max_position_embeddings;
        let longest = self.longest();
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
    pub(super) places: Arc<Places>,
    workspace: Workspace,
    pub(super) recompute: bool,
    pub(super) neftune_alpha: Option<f64>,
    pub(super) rows_at_once: usize,
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
            rows_at_once: ROWS_AT_ONCE,
        })
    }

    /// Keeps only the blocks' inputs during a training pass and computes their activations again
    /// in the backward: the same bits, less memory, more time.
    pub fn with_recompute(self, recompute: bool) -> Self {
        Self { recompute, ..self }
    }

    /// Trains on batches in parts of whole sequences with about `rows` rows each (512 unless told):
    /// the same bits, and memory for one part's activations only. Batches with DoRA adapters, routed
    /// experts or weights by sequence are always taken whole.
    pub fn with_rows_at_once(self, rows: usize) -> Self {
        Self { rows_at_once: rows.max(1), ..self }
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
        let longest = batch.longest();
        let limit = self.places.limit();
        if longest > limit {
            return Err(Error::ContextExceeded { tokens: longest, limit, what: "sequence" });
        }
        adapter.map_or(Ok(()), |a| a.check_fits(&self.model.config))
    }

    /// Logits of every row, `[rows, vocab_size]` row-major.
    pub fn logits(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f32>> {
        self.check(batch, adapter)?;
        let x = Pass::new(self, batch, adapter, None).hidden()?;
        let (rows, d, v) =
            (batch.rows.len(), self.model.config.hidden_size, self.model.config.vocab_size);
        let mut logits = vec![0f32; rows * v];
        let mut normed = vec![0f32; rows * d];
        let mut stats = vec![0f32; rows * self.model.final_stats()];
        self.model.final_norm(&mut normed, &mut stats, &x, rows);
        self.workspace.put(x);
        self.model.head().forward(&mut logits, &normed, rows);
        Ok(logits)
    }

    /// Sum of the negative log likelihoods (nats) of the labelled positions, without gradients.
    pub fn loss(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<f64> {
        self.check(batch, adapter)?;
        let mut sum = 0.0;
        Pass::new(self, batch, adapter, None).losses(&mut Losses::Sum(&mut sum))?;
        Ok(sum)
    }

    /// As [`Self::loss`], with the number of labelled positions whose token is the likeliest one.
    pub fn loss_and_likeliest(
        &self,
        batch: &Batch,
        adapter: Option<&Adapter>,
    ) -> Result<(f64, u64)> {
        self.check(batch, adapter)?;
        let (mut sum, mut count) = (0.0, 0);
        let losses = &mut Losses::Counted(&mut sum, &mut count);
        Pass::new(self, batch, adapter, None).losses(losses)?;
        Ok((sum, count))
    }

    /// Loss of a batch and the gradient of `scale * loss` for every adapter parameter.
    pub fn loss_and_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        scale: f64,
        dropout: Option<DropoutAt>,
    ) -> Result<LossAndGradients> {
        self.check(batch, Some(adapter))?;
        let mut loss_sum = 0.0;
        let pass = Pass::new(self, batch, Some(adapter), dropout);
        let parts = pass.parts();
        let gradients = pass.gradients(&parts, scale as f32, &mut Losses::Sum(&mut loss_sum))?;
        Ok(LossAndGradients { loss_sum, gradients })
    }
}
