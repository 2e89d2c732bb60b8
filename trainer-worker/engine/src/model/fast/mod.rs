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
mod pass;

pub use adapter::PreparedAdapter;

use super::config::{ModelConfig, Position};
use super::kv::{KvPages, Shape};
use super::Model;
use crate::error::{Error, Result};
use crate::kernels::memory::Aligned;
use crate::kernels::quant::{QuantMatrix, SharedActivations, Team};
use crate::kernels::rope::RopeTable;
use attention::HeadStarts;
use buffers::{Buffer, Buffers, Parts};
use feed_forward::Slot;
use pass::{resized, runs_of, stages, Desk, Pass, Rounded, Row, Stage};
use std::sync::Arc;

/// Rows taken through the layers at once: more share the unpacking of a weight, and less of their
/// values stays in the caches.
const ROWS_AT_ONCE: usize = 64;

/// Rows of a sequence that go through its keys together, so that these come from the nearest cache.
const ATTEND_TOGETHER: usize = 8;

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
    buffers: Buffers<Aligned>,
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
        let runs = runs_of(&rows, Row::has_adapter_of).collect();
        let blocks = runs_of(&rows, Row::follows).flat_map(|run| {
            run.clone()
                .step_by(ATTEND_TOGETHER)
                .map(move |at| at..run.end.min(at + ATTEND_TOGETHER))
        });
        let blocks = blocks.collect();
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
            blocks,
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
