//! Losses by sequence and gradients weighted by sequence: what preference optimisation needs, whose
//! loss is a function of the sequences' log likelihoods.

use super::forward::{Batch, DropoutAt, Runner};
use super::head::HeadLossOp;
use crate::error::Result;
use crate::lora::Adapter;
use std::sync::Arc;

/// Losses of a batch's sequences, and the gradient of their weighted sum.
#[derive(Debug)]
pub struct SequenceGradients {
    /// Negative log likelihood of each sequence's labelled positions, in nats.
    pub losses: Vec<f64>,
    /// Gradient for each layer's adapter parameters, where one exists.
    pub gradients: Vec<Option<Vec<f32>>>,
}

impl Runner {
    /// Negative log likelihood of each sequence's labelled positions (nats), without gradients.
    pub fn sequence_losses(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f64>> {
        self.check(batch, adapter)?;
        let hidden = self.hidden(batch, adapter, None, None)?;
        let (op, losses) = HeadLossOp::new(self, batch, 1.0, false).by_sequence(batch, None);
        hidden.apply_op1_no_bwd(&op)?;
        let losses = losses.lock().map_or_else(|_| Vec::new(), |l| l.clone());
        Ok(losses)
    }

    /// The gradient of `Σ weight[s] · loss[s]` over the batch's sequences, where the weights are
    /// what `weigh` gives for the losses and count as constants: with
    /// `weigh = losses ↦ ∂objective/∂losses`, the gradient of any objective of the losses.
    pub fn weighted_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        dropout: Option<DropoutAt>,
        weigh: impl Fn(&[f64]) -> Vec<f64> + Send + Sync + 'static,
    ) -> Result<SequenceGradients> {
        let op = HeadLossOp::new(self, batch, 1.0, true);
        let (op, losses) = op.by_sequence(batch, Some(Arc::new(weigh)));
        let result = self.gradients_through(batch, adapter, dropout, op)?;
        let losses = losses.lock().map_or_else(|_| Vec::new(), |l| l.clone());
        Ok(SequenceGradients { losses, gradients: result.gradients })
    }
}
