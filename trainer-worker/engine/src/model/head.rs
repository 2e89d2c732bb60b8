//! The end of the forward: last normalisation, head and cross-entropy over the labelled rows. The
//! gradient is computed together with the loss, chunk by chunk, so that the logits of a batch never
//! exist as a whole.

use super::cpu_pass::Part;
use super::forward::Batch;
use super::workspace::Workspace;
use super::Model;
use crate::kernels::{loss, math};

/// From the negative log likelihood of each sequence to the weight of its gradient.
pub(super) type Weigh<'a> = &'a dyn Fn(&[f64]) -> Vec<f64>;

/// Where the losses of a batch go.
pub(super) enum Losses<'a> {
    /// Added to one sum, row by row.
    Sum(&'a mut f64),
    /// As [`Self::Sum`], with the number of rows whose target is the likeliest token.
    Counted(&'a mut f64, &'a mut u64),
    /// One for each sequence. With weights, the gradient of each is multiplied by its own.
    BySequence(&'a mut Vec<f64>, Option<Weigh<'a>>),
}

/// The head of a model, for one batch.
pub(super) struct Head<'a> {
    pub(super) model: &'a Model,
    pub(super) workspace: &'a Workspace,
    pub(super) batch: &'a Batch,
}

impl Head<'_> {
    /// The losses (nats) of the labelled rows of a part whose last block gave `x`. With a gradient
    /// `(dx, scale)`, `dx` receives that of `scale` times their (weighted) sum. Losses by sequence
    /// are for parts that are whole batches.
    pub(super) fn run(
        &self,
        x: &[f32],
        part: &Part,
        losses: &mut Losses<'_>,
        gradient: Option<(&mut [f32], f32)>,
    ) {
        let (model, ws) = (self.model, self.workspace);
        let d = model.config.hidden_size;
        let labelled = &self.batch.labelled[part.labelled.clone()];
        let labelled: Vec<u32> = labelled.iter().map(|row| row - part.first as u32).collect();
        let n = labelled.len();
        // As many rows as the part has, so that their buffers serve the blocks too.
        let all = part.rows.len();
        let mut rows = ws.take(all * d);
        loss::gather(&mut rows, x, &labelled, d);
        let mut normed = ws.take(all * d);
        let mut stats = ws.take(all * model.final_stats());
        let statistics = &mut stats[..n * model.final_stats()];
        model.final_norm(&mut normed, statistics, &rows, n);
        let mut dnormed = if gradient.is_some() { ws.take(all * d) } else { Vec::new() };
        let mut logits = ws.take_exact(loss::CHUNK.min(n) * model.config.vocab_size);
        let dx = gradient.is_some().then_some(&mut dnormed[..]);
        self.cross_entropy(&normed, part, losses, dx, &mut logits);
        ws.put(logits);
        if let Some((dx, scale)) = gradient {
            // The normalised rows are not needed any more.
            let statistics = &stats[..n * model.final_stats()];
            model.final_norm_backward(&mut normed, &dnormed, statistics, &rows, n);
            dx.fill(0.0);
            loss::scatter_scaled(dx, &normed, &labelled, d, scale);
        }
        for buffer in [rows, normed, stats, dnormed] {
            ws.put(buffer);
        }
    }

    /// Negative log likelihood of the labelled rows; their gradient goes into `dx`.
    fn cross_entropy(
        &self,
        x: &[f32],
        part: &Part,
        losses: &mut Losses<'_>,
        mut dx: Option<&mut [f32]>,
        logits: &mut Vec<f32>,
    ) {
        let (batch, head) = (self.batch, self.model.head());
        let (losses, weigh) = match losses {
            Losses::Sum(total) => {
                let place = (part.labelled.start, batch.labelled.len());
                let targets = &batch.targets[part.labelled.clone()];
                loss::head_cross_entropy_part(total, x, head, targets, place, dx, logits);
                return;
            }
            Losses::Counted(total, likeliest) => {
                let place = (part.labelled.start, batch.labelled.len());
                let targets = &batch.targets[part.labelled.clone()];
                loss::head_cross_entropy_counted(
                    total, likeliest, x, head, targets, place, dx, logits,
                );
                return;
            }
            Losses::BySequence(losses, weigh) => (losses, weigh),
        };
        let d = self.model.config.hidden_size;
        let bound = |end: &usize| batch.labelled.partition_point(|row| (*row as usize) < *end);
        let bounds: Vec<usize> = batch.rows.offsets.iter().map(bound).collect();
        losses.clear();
        for sequence in bounds.windows(2).map(|w| w[0]..w[1]) {
            let rows = sequence.start * d..sequence.end * d;
            let dx = dx.as_deref_mut().map(|dx| &mut dx[rows.clone()]);
            let targets = &batch.targets[sequence];
            losses.push(loss::head_cross_entropy(&x[rows], head, targets, dx, logits));
        }
        if let (Some(dx), Some(weigh)) = (dx, weigh) {
            for (sequence, weight) in bounds.windows(2).zip(weigh(losses)) {
                math::scale(&mut dx[sequence[0] * d..sequence[1] * d], weight as f32);
            }
        }
    }
}
