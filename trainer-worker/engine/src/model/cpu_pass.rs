//! A batch's way through the blocks: forward, and backward from the last block down to the lowest
//! that has an adapter.
//!
//! A training batch goes through in parts of whole sequences, each forward and backward before the
//! next begins, so that memory holds the activations of one part only. The bits are those of the
//! whole batch: a row's values do not depend on its neighbours, rows keep the numbers that dropout
//! and noise draw by, and the sums over rows (loss and adapter gradients) go on from part to part
//! in the order that they have over the whole.

use super::block::{self, Context, Places, Rows, Saved};
use super::family::Role;
use super::forward::{Batch, DropoutAt, Runner};
use super::head::{Head, Losses};
use crate::error::Result;
use crate::kernels::par_rows;
use crate::kernels::rng::{DropoutMask, Noise};
use crate::lora::dora::LayerScales;
use crate::lora::linear::{BlockAdapter, Gradient};
use crate::lora::Adapter;
use std::ops::Range;

/// Rows of a part where sequences can be shared out evenly: with fewer, matrix products spend
/// their time on arranging the weights.
pub(super) const ROWS_AT_ONCE: usize = 512;

/// Cuts the sequences between `offsets` into parts of about `rows` rows.
fn cut(offsets: &[usize], rows: usize) -> Vec<Range<usize>> {
    let total = offsets.last().copied().unwrap_or(0);
    let count = (total + rows / 2) / rows.max(1);
    // Not so few rows that the products suffer; and single rows have a kernel of their own.
    let least = (rows / 4).max(2);
    let mut bounds = vec![0];
    for i in 1..count {
        let target = total * i / count;
        let after = offsets.partition_point(|offset| *offset < target);
        let near = [after.saturating_sub(1), after];
        let Some(near) = near.into_iter().min_by_key(|b| offsets[*b].abs_diff(target)) else {
            continue;
        };
        let last = bounds.last().map_or(0, |b| offsets[*b]);
        if offsets[near] >= last + least && offsets[near] + least <= total {
            bounds.push(near);
        }
    }
    bounds.push(offsets.len().saturating_sub(1));
    bounds.windows(2).map(|w| w[0]..w[1]).collect()
}

/// Rows that are in memory at once when sequences of these lengths are trained on as one batch: all
/// of them where the batch is taken `whole`.
pub fn rows_at_once(lengths: impl IntoIterator<Item = usize>, whole: bool) -> usize {
    let offsets = Rows::new(lengths).offsets;
    if whole {
        return offsets.last().copied().unwrap_or(0);
    }
    let parts = cut(&offsets, ROWS_AT_ONCE);
    parts.into_iter().map(|part| offsets[part.end] - offsets[part.start]).max().unwrap_or(0)
}

/// Some whole sequences of a batch.
pub(super) struct Part {
    pub(super) rows: Rows,
    /// The batch's row that is this part's first.
    pub(super) first: usize,
    /// Whether the batch ends here.
    last: bool,
    /// Which of [`Batch::labelled`] lie in this part.
    pub(super) labelled: Range<usize>,
}

impl Part {
    fn new(batch: &Batch, sequences: Range<usize>) -> Self {
        let offsets = &batch.rows.offsets[sequences.start..=sequences.end];
        let (first, end) = (offsets[0], offsets[offsets.len() - 1]);
        let labelled = |row: usize| batch.labelled.partition_point(|l| (*l as usize) < row);
        Self {
            rows: Rows {
                offsets: offsets.iter().map(|o| o - first).collect(),
                positions: batch.rows.positions[first..end].to_vec(),
            },
            first,
            last: end == batch.rows.len(),
            labelled: labelled(first)..labelled(end),
        }
    }

    /// All of a batch.
    pub(super) fn whole(batch: &Batch) -> Self {
        Self::new(batch, 0..batch.rows.offsets.len() - 1)
    }
}

/// A block's input, and what else its backward needs unless that is computed again.
struct Kept {
    x: Vec<f32>,
    saved: Option<Saved>,
}

/// A batch, and what takes part in its pass.
pub(super) struct Pass<'a> {
    runner: &'a Runner,
    batch: &'a Batch,
    adapter: Option<&'a Adapter>,
    scales: Vec<Option<LayerScales>>,
    dropout: Option<DropoutAt>,
    /// Tables of the positions where they depend on the batch's longest sequence.
    places: Option<Places>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        runner: &'a Runner,
        batch: &'a Batch,
        adapter: Option<&'a Adapter>,
        dropout: Option<DropoutAt>,
    ) -> Self {
        let blocks = runner.model().blocks.iter().enumerate();
        let scales = blocks.map(|(layer, block)| {
            adapter.and_then(|a| LayerScales::new(block, &a.layouts[layer], &a.layers[layer]))
        });
        let scales = scales.collect();
        let places = Places::of_length(&runner.model().config, batch.longest());
        Self { runner, batch, adapter, scales, dropout, places }
    }

    /// The parts that the batch is trained on in. Whole are those whose sums over rows are not made
    /// to go on from part to part, the magnitudes' of DoRA, and those in which a row's bits depend
    /// on others: a routed expert computes a single row by another kernel than several.
    pub(super) fn parts(&self) -> Vec<Part> {
        let whole =
            self.runner.model().config.experts.is_some() || self.scales.iter().any(Option::is_some);
        let rows = if whole { usize::MAX } else { self.runner.rows_at_once };
        let parts = cut(&self.batch.rows.offsets, rows);
        parts.into_iter().map(|sequences| Part::new(self.batch, sequences)).collect()
    }

    fn context<'b>(&'b self, layer: usize, rows: &'b Rows) -> Context<'b> {
        Context {
            config: &self.runner.model().config,
            layer,
            rows,
            places: self.places.as_ref().unwrap_or(&self.runner.places),
            workspace: self.runner.workspace(),
        }
    }

    /// The dropout of a layer's modules for rows from `first` on.
    fn masks(&self, layer: usize, first: usize) -> Option<[DropoutMask; Role::COUNT]> {
        let rate = self.adapter?.config.dropout;
        let at = self.dropout.filter(|_| rate > 0.0)?;
        Some(std::array::from_fn(|module| {
            let counters = [at.step, at.micro, layer as u64, module as u64];
            DropoutMask::new(at.seed, rate, &counters).from_row(first)
        }))
    }

    fn block_adapter<'b>(
        &'b self,
        layer: usize,
        dropout: Option<&'b [DropoutMask; Role::COUNT]>,
    ) -> Option<BlockAdapter<'b>> {
        let adapter = self.adapter.filter(|a| !a.layers[layer].is_empty())?;
        Some(BlockAdapter {
            layout: &adapter.layouts[layer],
            parameters: &adapter.layers[layer],
            scales: self.scales[layer].as_ref(),
            dropout,
        })
    }

    /// The last block's output for a part's rows, in a buffer of the workspace. Adds to `kept` what
    /// the backward of the blocks from `lowest` on needs.
    fn forward(&self, part: &Part, lowest: usize, kept: &mut Vec<Kept>) -> Result<Vec<f32>> {
        let (model, ws) = (self.runner.model(), self.runner.workspace());
        let d = model.config.hidden_size;
        let rows = part.rows.len();
        let mut x = ws.take(rows * d);
        model.embed(&mut x, &self.batch.tokens[part.first..][..rows], &part.rows.positions)?;
        if let (Some(alpha), Some(at)) = (self.runner.neftune_alpha, self.dropout) {
            embedding_noise(&mut x, d, &part.rows, part.first, alpha, at);
        }
        for (layer, block) in model.blocks.iter().enumerate() {
            let masks = self.masks(layer, part.first);
            let adapter = self.block_adapter(layer, masks.as_ref());
            let mut y = ws.take(rows * d);
            let keep = layer >= lowest;
            let context = self.context(layer, &part.rows);
            let save = keep && !self.runner.recompute;
            let saved = block::forward(&mut y, &x, block, adapter.as_ref(), &context, save);
            let below = std::mem::replace(&mut x, y);
            if keep {
                kept.push(Kept { x: below, saved });
            } else {
                ws.put(below);
            }
        }
        Ok(x)
    }

    /// The last block's output for all rows, in a buffer of the workspace.
    pub(super) fn hidden(&self) -> Result<Vec<f32>> {
        self.forward(&Part::whole(self.batch), usize::MAX, &mut Vec::new())
    }

    /// The losses of all labelled rows, without gradients.
    pub(super) fn losses(&self, losses: &mut Losses<'_>) -> Result<()> {
        let x = self.hidden()?;
        self.head().run(&x, &Part::whole(self.batch), losses, None);
        self.runner.workspace().put(x);
        Ok(())
    }

    fn head(&self) -> Head<'_> {
        Head { model: self.runner.model(), workspace: self.runner.workspace(), batch: self.batch }
    }

    /// The losses of all labelled rows, and the gradient of `scale` times their sum for each
    /// layer's adapter parameters, where a layer has any.
    pub(super) fn gradients(
        &self,
        parts: &[Part],
        scale: f32,
        losses: &mut Losses<'_>,
    ) -> Result<Vec<Option<Vec<f32>>>> {
        let layers = self.adapter.map_or(&[][..], |a| &a.layers);
        let zeros = |values: &Vec<f32>| vec![0f32; values.len()];
        let mut gradients: Vec<Option<Vec<f32>>> =
            layers.iter().map(|l| (!l.is_empty()).then(|| zeros(l))).collect();
        let mut begun: Vec<Vec<f32>> = match parts {
            [] | [_] => vec![Vec::new(); layers.len()],
            _ => layers.iter().map(zeros).collect(),
        };
        let lowest = gradients.iter().position(Option::is_some);
        let ws = self.runner.workspace();
        for part in parts {
            ws.begin(part.rows.len());
            let mut kept = Vec::new();
            let x = self.forward(part, lowest.unwrap_or(usize::MAX), &mut kept)?;
            let mut dy = ws.take(x.len());
            let seed = lowest.map(|_| (&mut dy[..], scale));
            self.head().run(&x, part, losses, seed);
            ws.put(x);
            if let Some(lowest) = lowest {
                self.backward(part, lowest, dy, kept, &mut gradients, &mut begun);
            } else {
                ws.put(dy);
            }
            ws.begin(0);
        }
        Ok(gradients)
    }

    /// From the gradient of the last block's output to those of the adapter of a part's blocks.
    fn backward(
        &self,
        part: &Part,
        lowest: usize,
        mut dy: Vec<f32>,
        mut kept: Vec<Kept>,
        gradients: &mut [Option<Vec<f32>>],
        begun: &mut [Vec<f32>],
    ) {
        let (model, ws) = (self.runner.model(), self.runner.workspace());
        for (layer, block) in model.blocks.iter().enumerate().skip(lowest).rev() {
            let Some(Kept { x, saved }) = kept.pop() else { break };
            let masks = self.masks(layer, part.first);
            let adapter = self.block_adapter(layer, masks.as_ref());
            let context = self.context(layer, &part.rows);
            let saved = saved.or_else(|| {
                let mut y = ws.take(dy.len());
                let saved = block::forward(&mut y, &x, block, adapter.as_ref(), &context, true);
                ws.put(y);
                saved
            });
            let Some(saved) = saved else { break };
            let mut dx = (layer > lowest).then(|| ws.take(dy.len()));
            let gradient = gradients[layer].as_deref_mut().map(|values| Gradient {
                values,
                begun: &mut begun[layer],
                before: part.first,
                last: part.last,
            });
            block::backward(
                dx.as_deref_mut(),
                gradient,
                &dy,
                &x,
                block,
                adapter.as_ref(),
                &context,
                saved,
            );
            ws.put(x);
            if let Some(dx) = dx {
                ws.put(std::mem::replace(&mut dy, dx));
            }
        }
        ws.put(dy);
    }
}

/// Adds NEFTune's noise to the embedded tokens of `rows`, rows of `width`; `first` is the number
/// that the batch gives the first of them.
pub(super) fn embedding_noise(
    x: &mut [f32],
    width: usize,
    rows: &Rows,
    first: usize,
    alpha: f64,
    at: DropoutAt,
) {
    let noise = Noise::new(at.seed, "neftune", &[at.step, at.micro]);
    for sequence in rows.offsets.windows(2) {
        let (start, end) = (sequence[0], sequence[1]);
        let bound = (alpha / (((end - start) * width) as f64).sqrt()) as f32;
        par_rows(&mut x[start * width..end * width], width, |i, row| {
            noise.add(first + start + i, row, bound);
        });
    }
}
