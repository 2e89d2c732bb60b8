//! One token at a time through a model: the step of decoding.
//!
//! The members of a [`Team`] go through the blocks together. Each computes its share of the rows of
//! a product, all meet, and go on; what takes less time than a meeting (normalising a row, rounding
//! it to integers) each does for itself. Every value is computed by one member in one order, so the
//! result does not depend on their number. Buffers are allocated once.
//!
//! Of which parts a step is made, the configuration says, as for the general forward
//! ([`super::block`]): `linear` has the products with their adapters and the residual connections,
//! `attention` the projections, heads and cache, `feed_forward` the feed-forwards with and without
//! experts. Weights whose format has integer products are multiplied so, others as their values.

mod attention;
mod feed_forward;
mod linear;

use super::attention::Cache;
use super::block::Places;
use super::config::{AttentionKind, FeedForwardKind, ModelConfig};
use super::family::Role;
use super::Model;
use crate::error::Result;
use crate::kernels::quant::team::Member;
use crate::kernels::quant::{Activations, QuantMatrix, Team};
use crate::kernels::Shared;
use crate::lora::dora::LayerScales;
use crate::lora::Adapter;
use attention::HeadStarts;
use linear::{Input, LowRank, Module, Product};

/// What a member has for itself.
#[derive(Default)]
struct Desk {
    /// The sub-layer's normalised input.
    normed: Vec<f32>,
    /// The sub-layer's normalised output, in models that normalise it.
    output: Vec<f32>,
    /// Inputs as integers.
    rounded: Vec<Activations>,
    /// A row of a weight that has no integer products.
    row: Vec<f32>,
    q: Vec<f32>,
    k: Vec<f32>,
    scores: Vec<f32>,
    /// The token's routed experts and their weights.
    chosen: Vec<(usize, f32)>,
    _apart: [u64; 8],
}

/// Values that the members share during a step.
struct Buffers<T> {
    /// The residual stream.
    x: T,
    /// A latent attention's down-projections: of the query, where it has one, and of key and value.
    latents: T,
    /// The attention's projections, where [`HeadStarts`] says.
    projected: T,
    /// The heads' outputs.
    attended: T,
    /// The feed-forward's values after the activation; of shared and of routed experts one after
    /// another.
    inner: T,
    /// A sub-layer's output before its normalisation.
    output: T,
    /// The router's logits.
    router: T,
    /// Inner products of the adapters, `A·x`.
    h: T,
}

impl Buffers<Vec<f32>> {
    fn new(config: &ModelConfig, ranks: usize) -> Self {
        let layers = 0..config.num_hidden_layers;
        let heads = config.heads(0);
        let (latents, projected) = match config.attention {
            AttentionKind::Separate | AttentionKind::Fused(_) => {
                (0, heads.query_width() + heads.key_width() + heads.value_width())
            }
            AttentionKind::Latent(latent) => (
                latent.query_rank.unwrap_or(0) + latent.sizes.compressed_width(),
                heads.query_width() + latent.sizes.expanded_width(),
            ),
        };
        let mixture = config.experts.as_ref();
        let inner = layers.map(|layer| match (config.feed_forward_kind(layer), mixture) {
            (FeedForwardKind::Experts, Some(experts)) => {
                experts.shared_intermediate_size + experts.routing.top_k * experts.intermediate_size
            }
            _ => config.intermediate_size,
        });
        let zeros = |n: usize| vec![0f32; n];
        Self {
            x: zeros(config.hidden_size),
            latents: zeros(latents),
            projected: zeros(projected),
            attended: zeros(heads.output_width()),
            inner: zeros(inner.max().unwrap_or(0)),
            output: zeros(if config.output_norms { config.hidden_size } else { 0 }),
            router: zeros(mixture.map_or(0, |e| e.routing.experts)),
            h: zeros(ranks),
        }
    }

    fn share(&mut self) -> Buffers<Buffer> {
        Buffers {
            x: Buffer::new(&mut self.x),
            latents: Buffer::new(&mut self.latents),
            projected: Buffer::new(&mut self.projected),
            attended: Buffer::new(&mut self.attended),
            inner: Buffer::new(&mut self.inner),
            output: Buffer::new(&mut self.output),
            router: Buffer::new(&mut self.router),
            h: Buffer::new(&mut self.h),
        }
    }
}

/// Buffers and threads for steps of one sequence.
pub(super) struct Step {
    team: Team,
    desks: Vec<Desk>,
    low_rank: Vec<[Option<LowRank>; Role::COUNT]>,
    starts: HeadStarts,
    buffers: Buffers<Vec<f32>>,
}

impl Step {
    /// A step for a model with an adapter; `scales` are what DoRA multiplies the rows of each
    /// layer's modules by.
    pub(super) fn new(
        model: &Model,
        adapter: Option<&Adapter>,
        scales: &[Option<LayerScales>],
    ) -> Self {
        let config = &model.config;
        let mut low_rank = Vec::new();
        for layer in 0..config.num_hidden_layers {
            let mut of_layer = [const { None }; Role::COUNT];
            if let Some(adapter) = adapter {
                let (layout, values) = (&adapter.layouts[layer], &adapter.layers[layer]);
                let scales = scales.get(layer).and_then(Option::as_ref);
                for role in Role::ALL {
                    let Some(slot) = layout.slot(role) else { continue };
                    let scales = scales.and_then(|s| s.get(role));
                    of_layer[role.index()] = Some(LowRank::new(slot, values, scales));
                }
            }
            low_rank.push(of_layer);
        }
        let ranks = low_rank.iter().map(|l| l.iter().flatten().map(|l| l.r).sum::<usize>());
        let ranks = ranks.max().unwrap_or(0);
        // Packing is done by all threads before the first step needs it.
        for linear in model.products() {
            let _ = linear.quant().map(QuantMatrix::packed);
        }
        let team = Team::new(rayon::current_num_threads());
        Self {
            desks: (0..team.size()).map(|_| Desk::default()).collect(),
            team,
            low_rank,
            starts: HeadStarts::new(config),
            buffers: Buffers::new(config, ranks),
        }
    }

    /// Takes `token` at `position` through the model: its keys and values go into the caches, and
    /// the logits after it into `logits`.
    pub(super) fn run(
        &mut self,
        model: &Model,
        places: &Places,
        caches: &mut [Cache],
        (token, position): (u32, usize),
        logits: &mut [f32],
    ) -> Result<()> {
        model.embed(&mut self.buffers.x, &[token], &[position as u32])?;
        let heads = model.config.heads(0);
        let mut cached = Vec::with_capacity(caches.len());
        for cache in caches {
            let (keys, values) = cache.grow(heads);
            cached.push([Shared(keys.as_mut_ptr()), Shared(values.as_mut_ptr())]);
        }
        let pass = Pass {
            model,
            config: &model.config,
            places,
            starts: &self.starts,
            cached,
            position,
            low_rank: &self.low_rank,
            at: self.buffers.share(),
            logits: Buffer::new(logits),
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

struct Desks(*mut Desk);
// SAFETY: each member uses a desk of its own (see `Step::run`).
unsafe impl Sync for Desks {}

impl Desks {
    fn get(&self) -> *mut Desk {
        self.0
    }
}

/// A buffer that the members share: between two meetings each place is either read by any of them
/// or touched by one alone.
struct Buffer {
    start: Shared,
    len: usize,
}

impl Buffer {
    fn new(values: &mut [f32]) -> Self {
        Self { start: Shared(values.as_mut_ptr()), len: values.len() }
    }

    /// All values.
    ///
    /// # Safety
    /// Nobody may write until the next meeting.
    unsafe fn all(&self) -> &[f32] {
        // SAFETY: pointer and length come from a slice that outlives the pass.
        unsafe { std::slice::from_raw_parts(self.start.get(), self.len) }
    }

    /// `len` values from `at` on, to be written.
    ///
    /// # Safety
    /// They must be this member's alone until the next meeting.
    #[allow(clippy::mut_from_ref)]
    unsafe fn part(&self, at: usize, len: usize) -> &mut [f32] {
        assert!(at + len <= self.len, "the part lies within the buffer");
        // SAFETY: as above, and the part lies within the slice.
        unsafe { std::slice::from_raw_parts_mut(self.start.get().add(at), len) }
    }
}

/// One token on its way.
struct Pass<'a> {
    model: &'a Model,
    config: &'a ModelConfig,
    places: &'a Places,
    starts: &'a HeadStarts,
    cached: Vec<[Shared; 2]>,
    position: usize,
    low_rank: &'a [[Option<LowRank>; Role::COUNT]],
    at: Buffers<Buffer>,
    logits: Buffer,
}

impl Pass<'_> {
    fn go(&self, member: &Member<'_>, desk: &mut Desk) {
        for (layer, block) in self.model.blocks.iter().enumerate() {
            // SAFETY: `x` was written before the last meeting, here and below.
            let x = unsafe { self.at.x.all() };
            block.input_norm.forward_row(resized(&mut desk.normed, x.len()), x);
            self.project(member, desk, layer);
            member.meet();
            self.attend(member, desk, layer);
            member.meet();
            self.attention_output(member, desk, layer);
            member.meet();
            // SAFETY: as above.
            let x = unsafe { self.at.x.all() };
            block.feed_forward_norm.forward_row(resized(&mut desk.normed, x.len()), x);
            self.feed_forward(member, desk, layer);
            member.meet();
            self.feed_forward_output(member, desk, layer);
            member.meet();
        }
        self.head(member, desk);
    }

    /// The logits.
    fn head(&self, member: &Member<'_>, desk: &mut Desk) {
        let Desk { normed, rounded, row, .. } = desk;
        // SAFETY: `x` is not written any more.
        let x = unsafe { self.at.x.all() };
        self.model.final_norm_row(resized(normed, x.len()), x);
        let head = Module::plain(self.model.head());
        let input = Input::new(normed, first(rounded), &[head]);
        self.products(member, &[Product::new(head, input)], row, |_, first, values| {
            // SAFETY: each group of rows is one member's alone.
            unsafe { self.logits.part(first, values.len()) }.copy_from_slice(values);
        });
    }
}

fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() != len {
        values.resize(len, 0.0);
    }
    values
}

/// The first of a member's rounded inputs.
fn first(rounded: &mut Vec<Activations>) -> &mut Activations {
    if rounded.is_empty() {
        rounded.push(Activations::default());
    }
    &mut rounded[0]
}
