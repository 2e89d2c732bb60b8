//! Losses by sequence and gradients weighted by sequence: what preference optimisation needs, whose
//! loss is a function of the sequences' log likelihoods.

use super::cpu_pass::{Part, Pass};
use super::forward::{Batch, DropoutAt, Runner};
use super::head::Losses;
use crate::error::Result;
use crate::lora::Adapter;

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
        let mut losses = Vec::new();
        let pass = Pass::new(self, batch, adapter, None);
        pass.losses(&mut Losses::BySequence(&mut losses, None))?;
        Ok(losses)
    }

    /// The gradient of `Σ weight[s] · loss[s]` over the batch's sequences, where the weights are
    /// what `weigh` gives for the losses and count as constants: with
    /// `weigh = losses ↦ ∂objective/∂losses`, the gradient of any objective of the losses.
    ///
    /// The weights follow from all losses, so the batch is in memory as a whole.
    pub fn weighted_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        dropout: Option<DropoutAt>,
        weigh: impl Fn(&[f64]) -> Vec<f64>,
    ) -> Result<SequenceGradients> {
        self.check(batch, Some(adapter))?;
        let mut losses = Vec::new();
        let pass = Pass::new(self, batch, Some(adapter), dropout);
        let into = &mut Losses::BySequence(&mut losses, Some(&weigh));
        let gradients = pass.gradients(&[Part::whole(batch)], 1.0, into)?;
        Ok(SequenceGradients { losses, gradients })
    }
}
