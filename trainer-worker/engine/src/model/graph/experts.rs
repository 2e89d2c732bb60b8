//! A mixture of experts on a device: the choice is made on the host by the same code as for the CPU,
//! scores and experts are computed, and differentiated, on the device.

use super::frozen::Frozen;
use super::ops;
use crate::kernels::activation::Activation;
use crate::kernels::moe::{self, Routing, Scoring};
use candle_core::{DType, Result, Tensor, D};

/// Keeps a sum of weights from being zero.
const TINY: f64 = 1e-20;

/// The routed experts of one layer.
pub(super) struct GraphExperts {
    pub(super) routing: Routing,
    pub(super) activation: Activation,
    /// `[experts, hidden]`, in `f32`.
    pub(super) router: Frozen,
    pub(super) choice_bias: Option<Vec<f32>>,
    /// Gate, up and down of each expert.
    pub(super) experts: Vec<[Frozen; 3]>,
}

impl GraphExperts {
    /// What the experts of each row of `[rows, hidden]` give, weighted and added up.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (rows, k) = (x.dim(0)?, self.routing.top_k);
        let logits = self.router.forward(&x.to_dtype(DType::F32)?)?;
        let scores = match self.routing.scoring {
            Scoring::Softmax => ops::softmax(&logits)?,
            Scoring::Sigmoid => (logits.neg()?.exp()? + 1.0)?.recip()?,
        };
        let on_host = scores.flatten_all()?.to_vec1::<f32>()?;
        let chosen = moe::route(&on_host, self.choice_bias.as_deref(), &self.routing);
        let index = Tensor::from_slice(&chosen.experts, (rows, k), x.device())?;
        let mut weights = scores.gather(&index, D::Minus1)?;
        if self.routing.normalize {
            weights = weights.broadcast_div(&(weights.sum_keepdim(D::Minus1)? + TINY)?)?;
        }
        let weights = (weights * f64::from(self.routing.scale))?.flatten_all()?;
        // Which of a row's choices lies at each place of the dispatch order.
        let mut choices = vec![0u32; chosen.places.len()];
        for (choice, place) in chosen.places.iter().enumerate() {
            if let Some(slot) = choices.get_mut(*place as usize) {
                *slot = choice as u32;
            }
        }
        let mut y = x.zeros_like()?;
        for (expert, range) in self.experts.iter().zip(chosen.offsets.windows(2)) {
            let (Some(rows), Some(choices)) =
                (chosen.rows.get(range[0]..range[1]), choices.get(range[0]..range[1]))
            else {
                continue;
            };
            if rows.is_empty() {
                continue;
            }
            let at = Tensor::from_slice(rows, rows.len(), x.device())?;
            let which = Tensor::from_slice(choices, choices.len(), x.device())?;
            let input = x.index_select(&at, 0)?;
            let [gate, up, down] = expert;
            let inner =
                (ops::activate(&gate.forward(&input)?, self.activation)? * up.forward(&input)?)?;
            let weight = weights.index_select(&which, 0)?.unsqueeze(1)?.to_dtype(x.dtype())?;
            y = y.index_add(&at, &down.forward(&inner)?.broadcast_mul(&weight)?, 0)?;
        }
        Ok(y)
    }
}
