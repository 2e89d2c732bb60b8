//! The end of the forward on a device: last normalisation, head and cross-entropy, some rows at a
//! time, so that the logits of a batch never exist as a whole. Each labelled row's loss depends on
//! that row alone, so the gradient is computed with the loss and weighted afterwards.

use super::{ops, Graph};
use crate::error::Result;
use crate::model::forward::Batch;
use candle_core::{DType, Tensor};

/// Rows of the head's product at once.
const HEAD_ROWS: usize = 512;

impl Graph {
    pub(super) fn last_norm(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match &self.final_norm {
            Some(norm) => norm.forward(x),
            None => Ok(x.clone()),
        }
    }

    /// The loss of each labelled row (nats) and, where it is wanted and there are any, the gradient
    /// of their sum at those rows of the last block's output, `[labelled, hidden]`.
    pub(super) fn head_loss(
        &self,
        hidden: &Tensor,
        batch: &Batch,
        with_gradient: bool,
    ) -> Result<(Vec<f64>, Option<Tensor>)> {
        let mut all = Vec::with_capacity(batch.labelled.len());
        let mut gradients = Vec::new();
        for (rows, targets) in batch.labelled.chunks(HEAD_ROWS).zip(batch.targets.chunks(HEAD_ROWS))
        {
            let index = Tensor::from_slice(rows, rows.len(), &self.device)?;
            let target = Tensor::from_slice(targets, (targets.len(), 1), &self.device)?;
            let x = hidden.index_select(&index, 0)?;
            let logits = self.head.forward(&self.last_norm(&x)?)?.to_dtype(DType::F32)?;
            let (losses, gradient) = ops::cross_entropy(&logits, &target, with_gradient)?;
            drop(logits);
            if let Some(gradient) = gradient {
                let dnormed = self.head.backward(&gradient.to_dtype(self.dtype)?)?;
                gradients.push(match &self.final_norm {
                    Some(norm) => norm.backward(&x, &dnormed)?,
                    None => dnormed,
                });
            }
            all.extend(losses.to_vec1::<f32>()?.into_iter().map(f64::from));
        }
        let gradient = if gradients.is_empty() { None } else { Some(Tensor::cat(&gradients, 0)?) };
        Ok((all, gradient))
    }

    /// The labelled rows' gradients, each times its weight over `unit`, at their places among all
    /// rows.
    pub(super) fn spread(
        &self,
        hidden: &Tensor,
        batch: &Batch,
        gradient: &Tensor,
        weights: &[f64],
        unit: f64,
    ) -> Result<Tensor> {
        let index = Tensor::from_slice(&batch.labelled, batch.labelled.len(), &self.device)?;
        let weights: Vec<f32> = weights.iter().map(|w| (w / unit) as f32).collect();
        let weights = Tensor::from_slice(&weights, (weights.len(), 1), &self.device)?;
        let weighted = gradient.broadcast_mul(&weights.to_dtype(self.dtype)?)?;
        Ok(hidden.zeros_like()?.index_add(&index, &weighted, 0)?)
    }
}
