//! What training and evaluation ask of a model, whoever computes it: the CPU's own kernels
//! ([`Runner`]) or candle's operations on a device ([`Graph`]).

use super::forward::{Batch, DropoutAt, LossAndGradients, Runner};
use super::graph::Graph;
use super::preference::SequenceGradients;
use super::Model;
use crate::device::Arithmetic;
use crate::error::Result;
use crate::lora::Adapter;
use std::sync::Arc;

/// From the negative log likelihood of each sequence to the weight of its gradient.
pub type Weigh = Arc<dyn Fn(&[f64]) -> Vec<f64> + Send + Sync>;

/// Forward and backward passes of a model.
pub trait Passes: Send + Sync {
    /// Logits of every row, `[rows, vocab_size]` row-major.
    fn logits(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f32>>;

    /// Sum of the negative log likelihoods (nats) of the labelled positions, without gradients.
    fn loss(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<f64>;

    /// As [`Self::loss`], with the number of labelled positions whose token is the likeliest one, where
    /// it is counted.
    fn loss_and_likeliest(
        &self,
        batch: &Batch,
        adapter: Option<&Adapter>,
    ) -> Result<(f64, Option<u64>)>;

    /// Loss of a batch and the gradient of `scale * loss` for every adapter parameter.
    fn loss_and_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        scale: f64,
        dropout: Option<DropoutAt>,
    ) -> Result<LossAndGradients>;

    /// Negative log likelihood of each sequence's labelled positions (nats), without gradients.
    fn sequence_losses(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f64>>;

    /// The gradient of `Σ weight[s] · loss[s]` over the batch's sequences, where the weights are
    /// what `weigh` gives for the losses and count as constants.
    fn weighted_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        dropout: Option<DropoutAt>,
        weigh: Weigh,
    ) -> Result<SequenceGradients>;
}

/// How passes are run; none of it but NEFTune's noise changes a result.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PassSettings {
    /// Tokens of the longest sequence.
    pub max_tokens: usize,
    /// Whether the backward computes each block's activations again instead of keeping them.
    pub recompute: bool,
    /// NEFTune's noise on the embeddings of training passes.
    pub neftune_alpha: Option<f64>,
}

/// The passes of a model on a device. A device of its own is given a copy of the weights.
///
/// # Errors
///
/// [`Error::NotBuilt`](crate::Error::NotBuilt) and [`Error::Device`](crate::Error::Device) for a
/// device that is not to be had, and [`Error::Candle`](crate::Error::Candle) when its memory does not
/// hold the model.
pub fn open(
    model: &Arc<Model>,
    arithmetic: Arithmetic,
    settings: PassSettings,
) -> Result<Box<dyn Passes>> {
    arithmetic.validate()?;
    let Some(device) = arithmetic.device.open()? else {
        let runner = Runner::new(model.clone(), settings.max_tokens)?
            .with_recompute(settings.recompute)
            .with_neftune(settings.neftune_alpha);
        return Ok(Box::new(runner));
    };
    let mut graph = Graph::new(model, &device, arithmetic.dtype.candle())?;
    graph.limit_tokens(settings.max_tokens)?;
    graph.recompute = settings.recompute;
    graph.neftune_alpha = settings.neftune_alpha;
    Ok(Box::new(graph))
}

impl Passes for Runner {
    fn logits(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f32>> {
        self.logits(batch, adapter)
    }

    fn loss(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<f64> {
        self.loss(batch, adapter)
    }

    fn loss_and_likeliest(
        &self,
        batch: &Batch,
        adapter: Option<&Adapter>,
    ) -> Result<(f64, Option<u64>)> {
        let (loss, likeliest) = self.loss_and_likeliest(batch, adapter)?;
        Ok((loss, Some(likeliest)))
    }

    fn loss_and_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        scale: f64,
        dropout: Option<DropoutAt>,
    ) -> Result<LossAndGradients> {
        self.loss_and_gradients(batch, adapter, scale, dropout)
    }

    fn sequence_losses(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f64>> {
        self.sequence_losses(batch, adapter)
    }

    fn weighted_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        dropout: Option<DropoutAt>,
        weigh: Weigh,
    ) -> Result<SequenceGradients> {
        self.weighted_gradients(batch, adapter, dropout, move |losses| weigh(losses))
    }
}

impl Passes for Graph {
    fn logits(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f32>> {
        self.logits(batch, adapter)
    }

    fn loss(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<f64> {
        self.loss(batch, adapter)
    }

    fn loss_and_likeliest(
        &self,
        batch: &Batch,
        adapter: Option<&Adapter>,
    ) -> Result<(f64, Option<u64>)> {
        // On a device the logits stay there.
        Ok((self.loss(batch, adapter)?, None))
    }

    fn loss_and_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        scale: f64,
        dropout: Option<DropoutAt>,
    ) -> Result<LossAndGradients> {
        self.loss_and_gradients(batch, adapter, scale, dropout)
    }

    fn sequence_losses(&self, batch: &Batch, adapter: Option<&Adapter>) -> Result<Vec<f64>> {
        self.sequence_losses(batch, adapter)
    }

    fn weighted_gradients(
        &self,
        batch: &Batch,
        adapter: &Adapter,
        dropout: Option<DropoutAt>,
        weigh: Weigh,
    ) -> Result<SequenceGradients> {
        self.weighted_gradients(batch, adapter, dropout, &*weigh)
    }
}
