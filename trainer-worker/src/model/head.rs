//! The end of the forward as one operation: last normalisation, head and cross-entropy.

use super::forward::{values, with_values, Batch, Runner};
use super::workspace::Workspace;
use super::Model;
use crate::kernels::{loss, math};
use candle_core::{CpuStorage, CustomOp1, Device, Layout as TensorLayout, Shape, Tensor};
use std::sync::{Arc, Mutex};

/// Final normalisation, head and cross-entropy over the labelled rows; gives `scale * loss sum`.
/// The gradient is computed together with the loss, chunk by chunk, so that the logits of a batch
/// never exist as a whole.
///
/// With weights by sequence (see [`Runner::weighted_gradients`]) each sequence's loss is computed
/// apart and its gradient multiplied by the weight.
pub(super) struct HeadLossOp {
    model: Arc<Model>,
    workspace: Workspace,
    labelled: Vec<u32>,
    targets: Vec<u32>,
    rows: usize,
    scale: f32,
    with_gradient: bool,
    pub(super) sum: Arc<Mutex<f64>>,
    gradient: Mutex<Vec<f32>>,
    sequences: Option<Sequences>,
}

/// From the negative log likelihood of each sequence to the weight of its gradient.
pub(super) type Weigh = Arc<dyn Fn(&[f64]) -> Vec<f64> + Send + Sync>;

/// Losses by sequence, and what weighs their gradients.
struct Sequences {
    /// Sequence `s` has the labelled rows `bounds[s]..bounds[s + 1]`.
    bounds: Vec<usize>,
    weigh: Option<Weigh>,
    losses: Arc<Mutex<Vec<f64>>>,
}

impl HeadLossOp {
    pub(super) fn new(runner: &Runner, batch: &Batch, scale: f32, with_gradient: bool) -> Self {
        Self {
            model: runner.model().clone(),
            workspace: runner.workspace().clone(),
            labelled: batch.labelled.clone(),
            targets: batch.targets.clone(),
            rows: batch.rows.len(),
            scale,
            with_gradient,
            sum: Arc::new(Mutex::new(0.0)),
            gradient: Mutex::new(Vec::new()),
            sequences: None,
        }
    }

    /// Computes each sequence's loss apart; they are in the returned place after the forward.
    pub(super) fn by_sequence(
        mut self,
        batch: &Batch,
        weigh: Option<Weigh>,
    ) -> (Self, Arc<Mutex<Vec<f64>>>) {
        let bound = |end: &usize| batch.labelled.partition_point(|row| (*row as usize) < *end);
        let bounds = batch.rows.offsets.iter().map(bound).collect();
        let losses = Arc::new(Mutex::new(Vec::new()));
        self.sequences = Some(Sequences { bounds, weigh, losses: losses.clone() });
        (self, losses)
    }

    /// Negative log likelihood of the labelled rows; their gradient goes into `dx`.
    fn cross_entropy(&self, x: &[f32], mut dx: Option<&mut [f32]>, logits: &mut Vec<f32>) -> f64 {
        let (d, head) = (self.model.config.hidden_size, self.model.head());
        let Some(sequences) = &self.sequences else {
            return loss::head_cross_entropy(x, head, &self.targets, dx, logits);
        };
        let parts: Vec<_> = sequences.bounds.windows(2).map(|w| w[0]..w[1]).collect();
        let mut losses = Vec::with_capacity(parts.len());
        for part in &parts {
            let rows = part.start * d..part.end * d;
            let dx = dx.as_deref_mut().map(|dx| &mut dx[rows.clone()]);
            let targets = &self.targets[part.clone()];
            losses.push(loss::head_cross_entropy(&x[rows], head, targets, dx, logits));
        }
        if let (Some(dx), Some(weigh)) = (dx, &sequences.weigh) {
            for (part, weight) in parts.iter().zip(weigh(&losses)) {
                math::scale(&mut dx[part.start * d..part.end * d], weight as f32);
            }
        }
        let total = losses.iter().sum();
        if let Ok(mut out) = sequences.losses.lock() {
            *out = losses;
        }
        total
    }
}

impl CustomOp1 for HeadLossOp {
    fn name(&self) -> &'static str {
        "head-cross-entropy"
    }

    fn cpu_fwd(
        &self,
        s: &CpuStorage,
        l: &TensorLayout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let model = &self.model;
        let ws = &self.workspace;
        let d = model.config.hidden_size;
        let n = self.labelled.len();
        let mut x = ws.take(n * d);
        loss::gather(&mut x, values(s, l)?, &self.labelled, d);
        let mut normed = ws.take(n * d);
        let mut stats = ws.take(n * model.final_stats());
        model.final_norm(&mut normed, &mut stats, &x, n);
        let mut dnormed = if self.with_gradient { ws.take(n * d) } else { Vec::new() };
        let mut logits = ws.take(loss::CHUNK.min(n) * model.config.vocab_size);
        let dx = self.with_gradient.then_some(&mut dnormed[..]);
        let sum = self.cross_entropy(&normed, dx, &mut logits);
        if self.with_gradient {
            let mut dx = ws.take(n * d);
            model.final_norm_backward(&mut dx, &dnormed, &stats, &x, n);
            if let Ok(mut gradient) = self.gradient.lock() {
                *gradient = dx;
            }
        }
        for buffer in [x, normed, stats, dnormed, logits] {
            ws.put(buffer);
        }
        if let Ok(mut total) = self.sum.lock() {
            *total = sum;
        }
        let value = (sum * f64::from(self.scale)) as f32;
        Ok((CpuStorage::F32(vec![value]), Shape::from(())))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let d = self.model.config.hidden_size;
        let seed = with_values(dy, |dy| dy.first().copied().unwrap_or(0.0))?;
        let gradient = self.gradient.lock().map(|mut g| std::mem::take(&mut *g));
        let Ok(gradient) = gradient else { candle_core::bail!("the loss has no gradient") };
        let mut dx = vec![0f32; self.rows * d];
        loss::scatter_scaled(&mut dx, &gradient, &self.labelled, d, self.scale * seed);
        self.workspace.put(gradient);
        Ok(Some(Tensor::from_vec(dx, (self.rows, d), &Device::Cpu)?))
    }
}
