//! The end of the forward as one operation: last normalisation, head and cross-entropy.

use super::forward::{values, with_values, Batch, Runner};
use super::workspace::Workspace;
use super::Model;
use crate::kernels::loss;
use candle_core::{CpuStorage, CustomOp1, Device, Layout as TensorLayout, Shape, Tensor};
use std::sync::{Arc, Mutex};

/// Final normalisation, head and cross-entropy over the labelled rows; gives `scale * loss sum`.
/// The gradient is computed together with the loss, chunk by chunk, so that the logits of a batch
/// never exist as a whole.
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
        }
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
        let sum = loss::head_cross_entropy(
            &normed,
            model.head(),
            &self.targets,
            self.with_gradient.then_some(&mut dnormed[..]),
            &mut logits,
        );
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
