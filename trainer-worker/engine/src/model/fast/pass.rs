//! A batch of rows on its way through the layers, and what its members work with.

use super::adapter::PreparedAdapter;
use super::attention::HeadStarts;
use super::buffers::{Buffer, Buffers, Parts};
use super::feed_forward::{Choice, Slot};
use super::linear::{Input, Module, Product, Scratch};
use crate::kernels::quant::team::Member;
use crate::kernels::quant::{Activations, SharedActivations};
use crate::kernels::rope::RopeTable;
use crate::model::config::{AttentionKind, ModelConfig};
use crate::model::kv::PageTable;
use crate::model::norm::Norm;
use crate::model::Model;
use std::ops::Range;

/// Kinds of inputs that are rounded to integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// A normalised row of the residual stream.
    Hidden,
    /// The heads' outputs.
    Attended,
    /// A latent attention's query.
    QueryLatent,
    /// A latent attention's key and value.
    KeyValueLatent,
    /// The feed-forward below its down-projection.
    Inner,
    /// That of shared experts.
    Shared,
    /// That of routed experts, a row for each slot.
    Routed,
}

pub(super) const STAGES: usize = 7;

/// Inputs as integers, by stage.
#[derive(Default)]
pub(super) struct Rounded(pub(super) [Activations; STAGES]);

impl Rounded {
    pub(super) fn one(&mut self, stage: Stage) -> &mut Activations {
        &mut self.0[stage as usize]
    }

    pub(super) fn two(&mut self, first: Stage, second: Stage) -> [&mut Activations; 2] {
        let (head, tail) = self.0.split_at_mut(second as usize);
        [&mut head[first as usize], &mut tail[0]]
    }
}

/// What a member has for itself.
#[derive(Default)]
pub(super) struct Desk {
    /// The sub-layer's normalised input, of a single row.
    pub(super) normed: Vec<f32>,
    /// The same of latents.
    pub(super) latents: Vec<f32>,
    /// A row of the sub-layer's normalised output, in models that normalise it.
    pub(super) output: Vec<f32>,
    /// Inputs of a single row as integers.
    pub(super) rounded: Rounded,
    pub(super) scratch: Scratch,
    pub(super) spare: Vec<f32>,
    pub(super) q: Vec<f32>,
    pub(super) scores: Vec<f32>,
    /// The rows' routed experts.
    pub(super) choice: Choice,
    _apart: [u64; 8],
}

/// Rows and columns of the stages of `rows` rows, where columns are whole blocks.
pub(super) fn stages(config: &ModelConfig, rows: usize) -> [(usize, usize); STAGES] {
    let (query, key_value) = match config.attention {
        AttentionKind::Latent(latent) => (latent.query_rank.unwrap_or(0), latent.sizes.latent),
        AttentionKind::Separate | AttentionKind::Fused(_) => (0, 0),
    };
    let experts = config.experts.as_ref();
    let top_k = experts.map_or(0, |e| e.routing.top_k);
    [
        (rows, config.hidden_size),
        (rows, config.heads(0).output_width()),
        (rows, query),
        (rows, key_value),
        (rows, config.intermediate_size),
        (rows, experts.map_or(0, |e| e.shared_intermediate_size)),
        (rows * top_k, experts.map_or(0, |e| e.intermediate_size)),
    ]
    // No weight whose rows are not whole blocks has integer products.
    .map(|(rows, cols)| if cols.is_multiple_of(32) { (rows, cols) } else { (0, 0) })
}

/// A token on its way.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) position: usize,
    pub(super) pages: PageTable<'a>,
    pub(super) adapter: Option<&'a PreparedAdapter>,
}

impl Row<'_> {
    /// Whether it is the next one of the same sequence.
    pub(super) fn follows(&self, next: &Self) -> bool {
        self.pages.is_of(&next.pages) && self.position + 1 == next.position
    }

    pub(super) fn has_adapter_of(&self, other: &Self) -> bool {
        self.adapter.map(std::ptr::from_ref) == other.adapter.map(std::ptr::from_ref)
    }
}

/// The numbers of neighbouring rows that belong together.
pub(super) fn runs_of<'a, 'b>(
    rows: &'a [Row<'b>],
    together: fn(&Row<'b>, &Row<'b>) -> bool,
) -> impl Iterator<Item = Range<usize>> + use<'a, 'b> {
    let mut end = 0;
    rows.chunk_by(together).map(move |run| {
        end += run.len();
        end - run.len()..end
    })
}

/// A batch of rows on its way.
pub(super) struct Pass<'a> {
    pub(super) model: &'a Model,
    pub(super) config: &'a ModelConfig,
    pub(super) integer: bool,
    pub(super) slopes: &'a [f32],
    pub(super) turns: Option<&'a RopeTable>,
    pub(super) starts: &'a HeadStarts,
    /// Whether any row has an adapter.
    pub(super) adapted: bool,
    pub(super) rows: Vec<Row<'a>>,
    /// Neighbouring rows with the same adapter, or with none.
    pub(super) runs: Vec<Range<usize>>,
    /// Some neighbouring rows of a sequence each.
    pub(super) blocks: Vec<Range<usize>>,
    pub(super) projected_width: usize,
    pub(super) latent_width: usize,
    pub(super) inner_width: usize,
    pub(super) h_width: usize,
    pub(super) at: Buffers<Buffer>,
    pub(super) slots: Parts<Slot>,
    /// Inputs of several rows as integers, by stage.
    pub(super) rounded: Vec<SharedActivations>,
    /// Rows whose logits are wanted, and where these go.
    pub(super) wanted: Vec<usize>,
    pub(super) logits: Vec<Buffer>,
}

impl Pass<'_> {
    pub(super) fn go(&self, member: &Member<'_>, desk: &mut Desk) {
        for layer in 0..self.model.blocks.len() {
            self.project(member, desk, layer);
            member.meet();
            self.store(member, desk, layer);
            member.meet();
            self.attend(member, desk, layer);
            member.meet();
            self.attention_output(member, desk, layer);
            member.meet();
            self.feed_forward(member, desk, layer);
            member.meet();
            self.feed_forward_output(member, desk, layer);
            member.meet();
        }
        if !self.wanted.is_empty() {
            self.head(member, desk);
        }
    }

    /// Whether there is one row, for which each member does small things itself.
    pub(super) fn alone(&self) -> bool {
        self.rows.len() == 1
    }

    /// The normalised inputs of `modules` from the residual stream; ends with a meeting where
    /// members share the rows out.
    pub(super) fn normalised<'d>(
        &'d self,
        member: &Member<'_>,
        normed: &'d mut Vec<f32>,
        rounded: &'d mut Rounded,
        norm: &Norm,
        modules: &[Module<'_>],
    ) -> Input<'d> {
        let rounds = modules.iter().any(Module::rounds);
        let n = self.rows.len();
        self.normalised_rows(member, normed, rounded, rounds, n, |row, out, x| {
            norm.forward_row(out, &x[row * out.len()..][..out.len()]);
        })
    }

    pub(super) fn normalised_rows<'d>(
        &'d self,
        member: &Member<'_>,
        normed: &'d mut Vec<f32>,
        rounded: &'d mut Rounded,
        rounds: bool,
        rows: usize,
        normalise: impl Fn(usize, &mut [f32], &[f32]),
    ) -> Input<'d> {
        let d = self.config.hidden_size;
        // SAFETY: `x` was written before the last meeting, and is again after the next.
        let x = unsafe { self.at.x.all() };
        let normed: &[f32] = if self.alone() {
            normalise(0, resized(normed, d), x);
            normed
        } else {
            for row in member.share(rows) {
                // SAFETY: each row is one member's alone.
                normalise(row, unsafe { self.at.normed.part(row * d, d) }, x);
            }
            if !rounds {
                member.meet();
            }
            // SAFETY: below, each member reads the rows that it wrote until all have met.
            unsafe { self.at.normed.all() }
        };
        let own = rounded.one(Stage::Hidden);
        let rounded =
            self.round(member, own, Stage::Hidden, rounds, rows, |row| &normed[row * d..][..d]);
        Input { x: normed, stride: d, at: 0, rounded }
    }

    /// The sub-layer's normalised input of a row; `own` is that of a single one.
    pub(super) fn normed_row<'d>(&'d self, own: &'d [f32], row: usize) -> &'d [f32] {
        let d = self.config.hidden_size;
        if self.alone() {
            return own;
        }
        // SAFETY: it was written before the last meeting, and is again in the next sub-layer.
        unsafe { &self.at.normed.all()[row * d..][..d] }
    }

    /// The input of `modules` that begins each row of `x`, which is `stride` wide; ends with a
    /// meeting where members share the rows out.
    pub(super) fn given<'d>(
        &'d self,
        member: &Member<'_>,
        rounded: &'d mut Rounded,
        stage: Stage,
        (x, stride): (&'d [f32], usize),
        modules: &[Module<'_>],
    ) -> Input<'d> {
        let rounds = modules.iter().any(Module::rounds);
        let width = modules.first().map_or(0, Module::input);
        let (own, n) = (rounded.one(stage), self.rows.len());
        let rounded = self.round(member, own, stage, rounds, n, |row| &x[row * stride..][..width]);
        Input { x, stride, at: 0, rounded }
    }

    /// `rows` rows as integers, where that is wanted: into `own` where there is a single row of the
    /// batch, else shared out, ending with a meeting.
    pub(super) fn round<'d, 'x>(
        &'d self,
        member: &Member<'_>,
        own: &'d mut Activations,
        stage: Stage,
        wanted: bool,
        rows: usize,
        x: impl Fn(usize) -> &'x [f32],
    ) -> Option<&'d Activations> {
        if !wanted {
            return None;
        }
        if self.alone() {
            let width = x(0).len();
            own.resize(rows, width);
            for row in 0..rows {
                let blocks = width / 32;
                own.blocks_mut(row * blocks, blocks).quantise(x(row));
            }
            return Some(own);
        }
        let shared = &self.rounded[stage as usize];
        for row in member.share(rows) {
            // SAFETY: the shape is that of this step, and each row is one member's alone.
            unsafe { shared.quantise_row(row, x(row)) };
        }
        member.meet();
        // SAFETY: the stage is written again only after another meeting.
        Some(unsafe { shared.all() })
    }

    /// The logits of those rows that want them.
    pub(super) fn head(&self, member: &Member<'_>, desk: &mut Desk) {
        let Desk { normed, rounded, scratch, .. } = desk;
        let head = self.plain(self.model.head());
        let n = self.wanted.len();
        let input =
            self.normalised_rows(member, normed, rounded, head.rounds(), n, |row, out, x| {
                let from = self.wanted[row] * out.len();
                self.model.final_norm_row(out, &x[from..][..out.len()]);
            });
        let product = Product::new(head, input);
        self.frozen_products(member, &[product], n, scratch, |_, first, row, values| {
            // SAFETY: each group of columns is one member's alone.
            unsafe { self.logits[row].part(first, values.len()) }.copy_from_slice(values);
        });
    }
}

pub(super) fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() != len {
        values.resize(len, 0.0);
    }
    values
}
