//! Rows of one or many sequences through a model: the step of generation and serving.
//!
//! A row is one token of one sequence, with that sequence's pages of keys and values and its adapter.
//! The members of a [`Team`] go through the blocks together. Each computes its share of the rows of
//! a weight for all rows of the batch, all meet, and go on. What takes less time than a meeting
//! (normalising a row, rounding it to integers) each does for itself where there is one row, and is
//! shared out where there are more. Every value is computed by one member in one order that depends
//! on nothing but the row's own sequence, position and adapter: neither the number of members nor
//! the other rows change a bit (docs/arithmetic.md, "Serving"; tests/engine_serving).
//!
//! Of which parts a step is made, the configuration says, as for the general forward
//! ([`super::block`]): `linear` has the products with their adapters and the residual connections,
//! `attention` the projections, heads and pages, `feed_forward` the feed-forwards with and without
//! experts, `buffers` what the members share. With [`ServingArithmetic::Integer`], weights whose
//! format has integer products are multiplied so, others as their values.

mod adapter;
mod attention;
mod buffers;
mod feed_forward;
mod linear;

pub use adapter::PreparedAdapter;

use super::config::{ModelConfig, Position};
use super::kv::{KvPages, PageTable, Shape};
use super::norm::Norm;
use super::Model;
use crate::error::{Error, Result};
use crate::kernels::quant::team::Member;
use crate::kernels::quant::{Activations, QuantMatrix, SharedActivations, Team};
use crate::kernels::rope::RopeTable;
use attention::HeadStarts;
use buffers::{Buffer, Buffers, Parts};
use feed_forward::{Choice, Slot};
use linear::{Input, Module, Product, Scratch};
use std::ops::Range;
use std::sync::Arc;

/// Rows taken through the layers at once: more share the unpacking of a weight, and less of their
/// values stays in the caches.
const ROWS_AT_ONCE: usize = 64;

/// How products with quantised weights are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServingArithmetic {
    /// By integers where the weight's format has such products, else by values.
    Integer,
    /// By the weights' values in `f32`.
    F32,
}

impl ServingArithmetic {
    /// Integers for a model with quantised weights, values for others.
    pub fn of(model: &Model) -> Self {
        if model.products().any(|l| l.quant().is_some()) {
            Self::Integer
        } else {
            Self::F32
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::F32 => "f32",
        }
    }
}

/// What a step does for one sequence.
#[derive(Debug)]
pub struct Part<'a> {
    /// The sequence's pages; they grow by the tokens.
    pub pages: &'a mut KvPages,
    /// The next tokens of the sequence, at least one.
    pub tokens: &'a [u32],
    /// Its adapter.
    pub adapter: Option<&'a PreparedAdapter>,
    /// Where the logits after the last token go, `vocab_size` values, if they are wanted.
    pub logits: Option<&'a mut [f32]>,
}

/// Kinds of inputs that are rounded to integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
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

const STAGES: usize = 7;

/// Inputs as integers, by stage.
#[derive(Default)]
struct Rounded([Activations; STAGES]);

impl Rounded {
    fn one(&mut self, stage: Stage) -> &mut Activations {
        &mut self.0[stage as usize]
    }

    fn two(&mut self, first: Stage, second: Stage) -> [&mut Activations; 2] {
        let (head, tail) = self.0.split_at_mut(second as usize);
        [&mut head[first as usize], &mut tail[0]]
    }
}

/// What a member has for itself.
#[derive(Default)]
struct Desk {
    /// The sub-layer's normalised input, of a single row.
    normed: Vec<f32>,
    /// The same of latents.
    latents: Vec<f32>,
    /// A row of the sub-layer's normalised output, in models that normalise it.
    output: Vec<f32>,
    /// Inputs of a single row as integers.
    rounded: Rounded,
    scratch: Scratch,
    spare: Vec<f32>,
    q: Vec<f32>,
    scores: Vec<f32>,
    /// The rows' routed experts.
    choice: Choice,
    _apart: [u64; 8],
}

/// Rows of many sequences through one model. Buffers and threads are kept from step to step.
pub struct BatchStep {
    model: Arc<Model>,
    arithmetic: ServingArithmetic,
    team: Team,
    desks: Vec<Desk>,
    starts: HeadStarts,
    slopes: Vec<f32>,
    /// Inverse frequencies of sequences within the original context, and the factor of all.
    frequencies: Vec<f32>,
    /// The turns of the batch's rows.
    turns: Option<RopeTable>,
    buffers: Buffers<Vec<f32>>,
    slots: Vec<Slot>,
    rounded: Rounded,
    /// Rows that the buffers hold.
    room: usize,
    h_width: usize,
}

impl std::fmt::Debug for BatchStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BatchStep({}, {} threads)", self.arithmetic.name(), self.team.size())
    }
}

impl BatchStep {
    /// Prepares steps of a model on `threads` threads, the calling one among them.
    pub fn new(model: Arc<Model>, arithmetic: ServingArithmetic, threads: usize) -> Result<Self> {
        let config = &model.config;
        if arithmetic == ServingArithmetic::Integer {
            // Packing is done by all threads before the first step needs it.
            for linear in model.products() {
                let _ = linear.quant().map(QuantMatrix::packed);
            }
        }
        let slopes = match config.position {
            Position::Alibi => crate::kernels::attention::alibi_slopes(config.num_attention_heads),
            Position::Rotary(_) | Position::Learned => Vec::new(),
        };
        let team = Team::new(threads);
        Ok(Self {
            arithmetic,
            desks: (0..team.size()).map(|_| Desk::default()).collect(),
            team,
            starts: HeadStarts::new(config),
            slopes,
            frequencies: config.rotary().map_or_else(Vec::new, |r| r.inverse_frequencies(1)),
            turns: None,
            buffers: Buffers::default(),
            slots: Vec::new(),
            rounded: Rounded::default(),
            room: 0,
            h_width: 0,
            model,
        })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// How products with quantised weights are computed.
    pub fn arithmetic(&self) -> ServingArithmetic {
        self.arithmetic
    }

    /// Threads that take a step together.
    pub fn threads(&self) -> usize {
        self.team.size()
    }

    /// Bytes of the buffers of a step of a model with adapters of at most `inner` inner products a
    /// layer, beside the weights and the pages.
    pub fn buffer_bytes(config: &ModelConfig) -> usize {
        Buffers::values(config) * ROWS_AT_ONCE * size_of::<f32>() * 2
    }

    /// Takes the tokens of all parts through the model: their keys and values go into the pages, and
    /// the logits after each part's last token where they are wanted. The results do not depend on
    /// what else is in a step, nor on how a sequence is cut into steps. On an error nothing changes.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] for an adapter that was prepared for another model, [`Error::KvFull`] when
    /// the pool has no room, and [`Error::ContextExceeded`], [`Error::TokenId`] and
    /// [`Error::Setting`] for parts that cannot be computed.
    pub fn run(&mut self, parts: &mut [Part<'_>]) -> Result<()> {
        for part in parts.iter() {
            self.check(part)?;
        }
        for part in parts.iter_mut() {
            let reserved = part.pages.reserve(part.tokens.len());
            reserved.map_err(|full| Error::KvFull { needed: full.needed, free: full.free })?;
        }
        let logits = parts.iter_mut().filter_map(|p| p.logits.as_deref_mut());
        let mut logits: Vec<Buffer> = logits.map(Buffer::new).collect();
        let all: Vec<Item<'_>> = parts.iter().flat_map(items).collect();
        for chunk in all.chunks(ROWS_AT_ONCE) {
            let wanted = chunk.iter().filter(|item| item.logits).count();
            let rest = logits.split_off(wanted);
            self.go(chunk, std::mem::replace(&mut logits, rest))?;
        }
        for part in parts {
            part.pages.advance(part.tokens.len());
        }
        Ok(())
    }

    fn check(&self, part: &Part<'_>) -> Result<()> {
        let config = &self.model.config;
        let setting = |name: &'static str, value: usize, range: String| {
            Err(Error::Setting { name, value: value.to_string(), range })
        };
        if part.tokens.is_empty() {
            return setting("tokens", 0, "at least one a part".to_owned());
        }
        let tokens = part.pages.len().saturating_add(part.tokens.len());
        let limit = config.max_position_embeddings.min(part.pages.limit());
        if tokens > limit {
            return Err(Error::ContextExceeded { tokens, limit, what: "sequence" });
        }
        let vocabulary = config.vocab_size;
        if let Some(id) = part.tokens.iter().find(|t| **t as usize >= vocabulary) {
            return Err(Error::TokenId { id: *id, vocabulary });
        }
        if part.pages.shape() != Shape::new(config) {
            return Err(Error::Setting {
                name: "pages",
                value: "those of another model".to_owned(),
                range: "pages of a pool for this model".to_owned(),
            });
        }
        if let Some(logits) = part.logits.as_ref().filter(|l| l.len() != vocabulary) {
            return setting("logits", logits.len(), format!("room for {vocabulary} values"));
        }
        match part.adapter {
            Some(adapter) if !adapter.fits(config) => {
                Err(Error::adapter("it was prepared for another model"))
            }
            _ => Ok(()),
        }
    }

    /// Buffers for `rows` rows with `h_width` inner products each.
    fn make_room(&mut self, rows: usize, h_width: usize) {
        let config = &self.model.config;
        if rows > self.room || h_width > self.h_width {
            (self.room, self.h_width) = (rows.max(self.room), h_width.max(self.h_width));
            self.buffers.resize(config, self.room, self.h_width);
            let top_k = config.experts.as_ref().map_or(0, |e| e.routing.top_k);
            self.slots.resize(self.room * top_k, (0, 0.0));
            self.turns = config.rotary().map(|rotary| {
                let empty = vec![0f32; self.frequencies.len()];
                let table = RopeTable::new(&empty, self.room);
                table.within(config.head_dim, rotary.interleaved)
            });
        }
    }

    /// A row's cosines and sines.
    fn turn_rows(&mut self, items: &[Item<'_>]) {
        let (Some(table), Some(rotary)) = (&mut self.turns, self.model.config.rotary()) else {
            return;
        };
        let factor = rotary.attention_factor();
        let (mut of, mut others) = (0, Vec::new());
        for (row, item) in items.iter().enumerate() {
            let frequencies = if item.turned_for == 0 {
                &self.frequencies
            } else {
                if of != item.turned_for {
                    (of, others) = (item.turned_for, rotary.inverse_frequencies(item.turned_for));
                }
                &others
            };
            table.set_row(row, item.row.position, frequencies, factor);
        }
    }

    fn go(&mut self, items: &[Item<'_>], logits: Vec<Buffer>) -> Result<()> {
        let n = items.len();
        let adapters = items.iter().filter_map(|item| item.row.adapter);
        let h_width = adapters.map(PreparedAdapter::inner).max();
        self.make_room(n, h_width.unwrap_or(0));
        self.turn_rows(items);
        let config = &self.model.config;
        let d = config.hidden_size;
        for (item, x) in items.iter().zip(self.buffers.x.chunks_exact_mut(d)) {
            self.model.embed_row(x, item.token, item.row.position)?;
        }
        let rows: Vec<Row<'_>> = items.iter().map(|item| item.row).collect();
        let mut before = 0;
        let runs = rows.chunk_by(Row::has_adapter_of).map(|run| {
            before += run.len();
            before - run.len()..before
        });
        let runs = runs.collect();
        let wanted = (0..n).filter(|row| items[*row].logits).collect();
        let widths = Buffers::widths(config, self.h_width);
        let mut rounded = Vec::new();
        if n > 1 && self.arithmetic == ServingArithmetic::Integer {
            let shapes = stages(config, n).into_iter().zip(&mut self.rounded.0);
            rounded.extend(shapes.map(|((rows, cols), a)| SharedActivations::new(a, rows, cols)));
        }
        let pass = Pass {
            model: &self.model,
            config,
            integer: self.arithmetic == ServingArithmetic::Integer,
            slopes: &self.slopes,
            turns: self.turns.as_ref(),
            starts: &self.starts,
            adapted: h_width.is_some(),
            rows,
            runs,
            projected_width: widths.projected,
            latent_width: widths.latents,
            inner_width: widths.inner,
            h_width: self.h_width,
            at: self.buffers.share(),
            slots: Parts::new(&mut self.slots),
            rounded,
            wanted,
            logits,
        };
        let desks = Desks(self.desks.as_mut_ptr());
        self.team.run(&|member| {
            // SAFETY: there is one desk for each member, and each takes its own.
            let desk = unsafe { &mut *desks.get().add(member.index) };
            pass.go(member, desk);
        });
        Ok(())
    }
}

/// Rows and columns of the stages of `rows` rows, where columns are whole blocks.
fn stages(config: &ModelConfig, rows: usize) -> [(usize, usize); STAGES] {
    use super::config::AttentionKind;
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

/// A row before its step.
struct Item<'a> {
    token: u32,
    row: Row<'a>,
    turned_for: usize,
    logits: bool,
}

fn items<'a>(part: &'a Part<'_>) -> impl Iterator<Item = Item<'a>> {
    let (pages, start) = (part.pages.table(), part.pages.len());
    let turned_for = part.pages.turned_for();
    part.tokens.iter().enumerate().map(move |(i, token)| Item {
        token: *token,
        row: Row { position: start + i, pages, adapter: part.adapter },
        turned_for,
        logits: part.logits.is_some() && i + 1 == part.tokens.len(),
    })
}

struct Desks(*mut Desk);
// SAFETY: each member uses a desk of its own (see `BatchStep::go`).
unsafe impl Sync for Desks {}

impl Desks {
    fn get(&self) -> *mut Desk {
        self.0
    }
}

/// A token on its way.
#[derive(Clone, Copy)]
struct Row<'a> {
    position: usize,
    pages: PageTable<'a>,
    adapter: Option<&'a PreparedAdapter>,
}

impl Row<'_> {
    fn has_adapter_of(&self, other: &Self) -> bool {
        self.adapter.map(std::ptr::from_ref) == other.adapter.map(std::ptr::from_ref)
    }
}

/// A batch of rows on its way.
struct Pass<'a> {
    model: &'a Model,
    config: &'a ModelConfig,
    integer: bool,
    slopes: &'a [f32],
    turns: Option<&'a RopeTable>,
    starts: &'a HeadStarts,
    /// Whether any row has an adapter.
    adapted: bool,
    rows: Vec<Row<'a>>,
    /// Neighbouring rows with the same adapter, or with none.
    runs: Vec<Range<usize>>,
    projected_width: usize,
    latent_width: usize,
    inner_width: usize,
    h_width: usize,
    at: Buffers<Buffer>,
    slots: Parts<Slot>,
    /// Inputs of several rows as integers, by stage.
    rounded: Vec<SharedActivations>,
    /// Rows whose logits are wanted, and where these go.
    wanted: Vec<usize>,
    logits: Vec<Buffer>,
}

impl Pass<'_> {
    fn go(&self, member: &Member<'_>, desk: &mut Desk) {
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
    fn alone(&self) -> bool {
        self.rows.len() == 1
    }

    /// The normalised inputs of `modules` from the residual stream; ends with a meeting where
    /// members share the rows out.
    fn normalised<'d>(
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

    fn normalised_rows<'d>(
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
    fn normed_row<'d>(&'d self, own: &'d [f32], row: usize) -> &'d [f32] {
        let d = self.config.hidden_size;
        if self.alone() {
            return own;
        }
        // SAFETY: it was written before the last meeting, and is again in the next sub-layer.
        unsafe { &self.at.normed.all()[row * d..][..d] }
    }

    /// The input of `modules` that begins each row of `x`, which is `stride` wide; ends with a
    /// meeting where members share the rows out.
    fn given<'d>(
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
    fn round<'d, 'x>(
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
    fn head(&self, member: &Member<'_>, desk: &mut Desk) {
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

fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() != len {
        values.resize(len, 0.0);
    }
    values
}
