//! One token at a time through a quantised model: the step of decoding.
//!
//! The members of a [`Team`] go through the blocks together. Each computes its share of the rows of
//! a product, all meet, and go on; what takes less time than a meeting (normalising a row, rounding
//! it to 8 bits) each does for itself. Every value is computed by one member in one order, so the
//! result does not depend on their number. Buffers are allocated once.
//!
//! This serves models of the LLaMA kind (LLaMA, Mistral, Qwen); others decode by the general
//! forward.

use super::attention::Cache;
use super::block::Places;
use super::config::{AttentionKind, FeedForwardKind, ModelConfig, NormKind};
use super::family::Role;
use super::norm::Norm;
use super::Model;
use crate::error::Result;
use crate::kernels::decoding::{add_low_rank, score, weigh};
use crate::kernels::linear::FrozenLinear;
use crate::kernels::quant::packed::GROUP;
use crate::kernels::quant::team::Member;
use crate::kernels::quant::{Activations, Isa, Packed, QuantMatrix, Team};
use crate::kernels::{math, norm, rope, Shared};
use crate::lora::Adapter;

/// Whether a step is worth it and known for this model and adapter.
pub(super) fn serves(model: &Model, adapter: Option<&Adapter>) -> bool {
    let config = &model.config;
    let wide = |n: usize| n.is_multiple_of(32);
    let all = |f: &dyn Fn(usize) -> bool| (0..config.num_hidden_layers).all(f);
    let heads = config.heads(0);
    // DoRA scales whole rows, which the step does not do.
    let scaled = |a: &Adapter| {
        a.layouts.iter().any(|l| l.slots.iter().flatten().any(|s| s.magnitude.is_some()))
    };
    !adapter.is_some_and(scaled)
        && model.head().quant().is_some()
        && config.norm == NormKind::Rms
        && config.final_norm
        && !config.embedding_norm
        && !config.output_norms
        && !config.residual_after_norm
        && config.rotary().is_some()
        && all(&|layer| config.attention_kind(layer) == AttentionKind::Separate)
        && all(&|layer| config.feed_forward_kind(layer) == FeedForwardKind::Gated)
        && wide(config.hidden_size)
        && wide(heads.output_width())
        && wide(config.intermediate_size)
}

/// The low-rank part of one module, laid out for one token.
struct LowRank {
    /// `[r, input]`.
    a: Vec<f32>,
    /// `scaling * B`, transposed: `[r, output rounded up to whole groups]`.
    b: Vec<f32>,
    r: usize,
    input: usize,
    width: usize,
}

impl LowRank {
    fn new(a: &[f32], b: &[f32], r: usize, scaling: f32) -> Self {
        let (input, output) = (a.len() / r.max(1), b.len() / r.max(1));
        let width = output.next_multiple_of(GROUP);
        let mut transposed = vec![0f32; r * width];
        for (row, values) in b.chunks_exact(r.max(1)).enumerate() {
            for (j, v) in values.iter().enumerate() {
                transposed[j * width + row] = scaling * v;
            }
        }
        Self { a: a.to_vec(), b: transposed, r, input, width }
    }
}

/// What a member has for itself.
#[derive(Default)]
struct Desk {
    normed: Vec<f32>,
    rounded: Activations,
    row: Vec<f32>,
    q: Vec<f32>,
    k: Vec<f32>,
    scores: Vec<f32>,
    _apart: [u64; 8],
}

/// A product's input: in `f32`, and as integers where the weight takes it so.
struct Input<'a> {
    x: &'a [f32],
    rounded: &'a Activations,
}

/// A module's weight and adapter during a step.
struct Linear<'a> {
    weight: &'a FrozenLinear,
    packed: Option<&'a Packed>,
    low_rank: Option<&'a LowRank>,
    /// Where the module's part of the low-rank inner products begins.
    h_at: usize,
}

impl Linear<'_> {
    fn groups(&self) -> usize {
        self.weight.output().div_ceil(GROUP)
    }

    fn rank(&self) -> usize {
        self.low_rank.map_or(0, |l| l.r)
    }

    /// Rows `group * 16..` of `W·x + b` and of the adapter's part, 16 or as many as there are.
    fn group(
        &self,
        group: usize,
        input: &Input<'_>,
        h: &[f32],
        row: &mut Vec<f32>,
    ) -> [f32; GROUP] {
        let first = group * GROUP;
        let n = GROUP.min(self.weight.output() - first);
        let mut sums = match self.packed {
            Some(packed) => packed.group_product(Isa::best(), group, input.rounded, 0),
            None => {
                let mut sums = [0f32; GROUP];
                row.resize(self.weight.input(), 0.0);
                for (i, s) in sums.iter_mut().enumerate().take(n) {
                    self.weight.row(first + i, row);
                    *s = math::dot(row, input.x);
                }
                sums
            }
        };
        if let Some(bias) = self.weight.bias() {
            for (s, b) in sums.iter_mut().zip(&bias[first..first + n]) {
                *s += b;
            }
        }
        if let Some(l) = self.low_rank {
            add_low_rank(&mut sums, &h[self.h_at..][..l.r], &l.b, l.width, first);
        }
        sums
    }
}

/// Buffers and threads for steps of one sequence.
pub(super) struct Step {
    team: Team,
    desks: Vec<Desk>,
    low_rank: Vec<[Option<LowRank>; Role::COUNT]>,
    x: Vec<f32>,
    q: Vec<f32>,
    k: Vec<f32>,
    attended: Vec<f32>,
    gated: Vec<f32>,
    h: Vec<f32>,
}

impl Step {
    pub(super) fn new(model: &Model, adapter: Option<&Adapter>) -> Self {
        let config = &model.config;
        let heads = config.heads(0);
        let mut low_rank = Vec::new();
        for layer in 0..config.num_hidden_layers {
            let mut of_layer = [const { None }; Role::COUNT];
            if let Some(adapter) = adapter {
                let (layout, values) = (&adapter.layouts[layer], &adapter.layers[layer]);
                for role in Role::ALL {
                    let Some(slot) = layout.slot(role) else { continue };
                    let (a, b) = slot.split(values);
                    of_layer[role.index()] = Some(LowRank::new(a, b, slot.r, slot.scaling));
                }
            }
            low_rank.push(of_layer);
        }
        let ranks = low_rank.iter().map(|l| l.iter().flatten().map(|l| l.r).sum::<usize>());
        let h = ranks.max().unwrap_or(0);
        // Packing is done by all threads before the first step needs it.
        for block in &model.blocks {
            for role in ROLES {
                let _ = block.module(role).quant().map(QuantMatrix::packed);
            }
        }
        let _ = model.head().quant().map(QuantMatrix::packed);
        let team = Team::new(rayon::current_num_threads());
        Self {
            desks: (0..team.size()).map(|_| Desk::default()).collect(),
            team,
            low_rank,
            x: vec![0.0; config.hidden_size],
            q: vec![0.0; heads.query_width()],
            k: vec![0.0; heads.key_width()],
            attended: vec![0.0; heads.output_width()],
            gated: vec![0.0; config.intermediate_size],
            h: vec![0.0; h],
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
        model.embed(&mut self.x, &[token], &[position as u32])?;
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
            cached,
            position,
            low_rank: &self.low_rank,
            x: Buffer::new(&mut self.x),
            q: Buffer::new(&mut self.q),
            k: Buffer::new(&mut self.k),
            attended: Buffer::new(&mut self.attended),
            gated: Buffer::new(&mut self.gated),
            h: Buffer::new(&mut self.h),
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

const ROLES: [Role; 7] =
    [Role::Query, Role::Key, Role::Value, Role::Output, Role::Gate, Role::Up, Role::Down];

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
    cached: Vec<[Shared; 2]>,
    position: usize,
    low_rank: &'a [[Option<LowRank>; Role::COUNT]],
    x: Buffer,
    q: Buffer,
    k: Buffer,
    attended: Buffer,
    gated: Buffer,
    h: Buffer,
    logits: Buffer,
}

impl Pass<'_> {
    fn linears<const N: usize>(&self, layer: usize, roles: [Role; N]) -> [Linear<'_>; N] {
        let mut h_at = 0;
        roles.map(|role| {
            let weight = self.model.blocks[layer].module(role);
            let low_rank = self.low_rank[layer][role.index()].as_ref();
            let packed = weight.quant().and_then(QuantMatrix::packed);
            let linear = Linear { weight, packed, low_rank, h_at };
            h_at += linear.rank();
            linear
        })
    }

    /// The inner products `A·x` of the modules' adapters, shared out; ends with a meeting if there
    /// are any.
    fn inner<const N: usize>(&self, member: &Member<'_>, linears: &[Linear<'_>; N], x: &[f32]) {
        let ranks: usize = linears.iter().map(Linear::rank).sum();
        if ranks == 0 {
            return;
        }
        for at in member.share(ranks) {
            let mut linears = linears.iter();
            let Some(linear) = linears.find(|l| (l.h_at..l.h_at + l.rank()).contains(&at)) else {
                continue;
            };
            if let Some(l) = linear.low_rank {
                let row = &l.a[(at - linear.h_at) * l.input..][..l.input];
                // SAFETY: each place is one member's alone, by `share`.
                unsafe { self.h.part(at, 1)[0] = math::dot(row, x) };
            }
        }
        member.meet();
    }

    /// Rows of the modules, one after another, shared out in groups; `put` gets the module's
    /// number, the first row and the values.
    fn products<const N: usize>(
        &self,
        member: &Member<'_>,
        linears: &[Linear<'_>; N],
        input: &Input<'_>,
        row: &mut Vec<f32>,
        mut put: impl FnMut(usize, usize, &[f32]),
    ) {
        self.inner(member, linears, input.x);
        // SAFETY: the inner products were written before the last meeting.
        let h = unsafe { self.h.all() };
        let total = linears.iter().map(Linear::groups).sum();
        let share = member.share(total);
        let mut before = 0;
        for (i, linear) in linears.iter().enumerate() {
            let groups = linear.groups();
            for at in share.start.max(before)..share.end.min(before + groups) {
                let group = at - before;
                let sums = linear.group(group, input, h, row);
                let n = GROUP.min(linear.weight.output() - group * GROUP);
                put(i, group * GROUP, &sums[..n]);
            }
            before += groups;
        }
    }

    fn go(&self, member: &Member<'_>, desk: &mut Desk) {
        for layer in 0..self.config.num_hidden_layers {
            let block = &self.model.blocks[layer];
            self.attention_inputs(member, desk, layer, &block.input_norm);
            member.meet();
            self.attention(member, desk, layer);
            member.meet();
            self.residual(member, desk, layer, Role::Output, &self.attended, || {
                self.store_keys(member, layer);
            });
            member.meet();
            self.feed_forward(member, desk, layer, &block.feed_forward_norm);
            member.meet();
            self.residual(member, desk, layer, Role::Down, &self.gated, || {});
            member.meet();
        }
        let head = self.model.head();
        let packed = head.quant().and_then(QuantMatrix::packed);
        let linear = Linear { weight: head, packed, low_rank: None, h_at: 0 };
        let Desk { normed, rounded, row, .. } = desk;
        // SAFETY: `x` is not written any more.
        self.model.final_norm_row(resized(normed, self.x.len), unsafe { self.x.all() });
        rounded.quantise_row(normed);
        let input = Input { x: normed, rounded };
        self.products(member, &[linear], &input, row, |_, first, values| {
            // SAFETY: each group of rows is one member's alone.
            unsafe { self.logits.part(first, values.len()) }.copy_from_slice(values);
        });
    }

    /// q, k and v of the new token; v straight into the cache.
    fn attention_inputs(&self, member: &Member<'_>, desk: &mut Desk, layer: usize, norm: &Norm) {
        let Desk { normed, rounded, row, .. } = desk;
        // SAFETY: `x` was written before the last meeting.
        norm.forward_row(resized(normed, self.x.len), unsafe { self.x.all() });
        rounded.quantise_row(normed);
        let input = Input { x: normed, rounded };
        let linears = self.linears(layer, [Role::Query, Role::Key, Role::Value]);
        let width = self.config.heads(layer).value_width();
        let v = self.cached[layer][1];
        self.products(member, &linears, &input, row, |which, first, values| {
            // SAFETY: each group of rows is one member's alone; the cache has room for the row of
            // this position (`Cache::grow`).
            unsafe {
                match which {
                    0 => self.q.part(first, values.len()).copy_from_slice(values),
                    1 => self.k.part(first, values.len()).copy_from_slice(values),
                    _ => {
                        let to = v.get().add(self.position * width + first);
                        std::ptr::copy_nonoverlapping(values.as_ptr(), to, values.len());
                    }
                }
            }
        });
    }

    /// Normalises a head where the model does, and turns it.
    fn turn(&self, head: &mut [f32], layer: usize, which: usize, spare: &mut Vec<f32>) {
        if let Some(norms) = &self.model.blocks[layer].head_norms {
            spare.clear();
            spare.extend_from_slice(head);
            norm::forward_row(head, spare, &norms[which], self.config.norm_eps);
        }
        if let Some(table) = &self.places.rope {
            rope::turn_row(head, table, self.position);
        }
    }

    /// Heads shared out. The new key is turned by everyone who needs it; its place in the cache is
    /// filled after the next meeting, since others may be reading the cache now.
    fn attention(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let heads = self.config.heads(layer);
        let (dim, value_dim) = (heads.dim, heads.value_dim);
        let group = heads.query / heads.key_value;
        let first = self.config.window(layer).map_or(0, |w| (self.position + 1).saturating_sub(w));
        let seen = self.position + 1 - first;
        let [keys, values] = self.cached[layer];
        let Desk { q, k, scores, row, .. } = desk;
        let mut turned = None;
        for head in member.share(heads.query) {
            let kv = head / group;
            // SAFETY: q and k were written before the last meeting and are only read now.
            unsafe {
                q.clear();
                q.extend_from_slice(&self.q.all()[head * dim..][..dim]);
                if turned != Some(kv) {
                    k.clear();
                    k.extend_from_slice(&self.k.all()[kv * dim..][..dim]);
                    self.turn(k, layer, 1, row);
                    turned = Some(kv);
                }
            }
            self.turn(q, layer, 0, row);
            let scores = resized(scores, seen);
            let (old, new) = scores.split_at_mut(seen - 1);
            let (kw, vw) = (heads.key_width(), heads.value_width());
            // SAFETY: rows `first..position` of the cached keys and `first..=position` of the
            // cached values exist and are only read now; each head's output is one member's alone.
            unsafe {
                let at = |cache: Shared, width: usize, within: usize, rows: usize, dim: usize| {
                    let len = if rows == 0 { 0 } else { (rows - 1) * width + dim };
                    std::slice::from_raw_parts(cache.get().add(first * width + within), len)
                };
                score(old, q, at(keys, kw, kv * dim, seen - 1, dim), kw, heads.scale);
                score(new, q, k, dim, heads.scale);
                math::softmax(scores);
                let out = self.attended.part(head * value_dim, value_dim);
                weigh(out, scores, at(values, vw, kv * value_dim, seen, value_dim), vw);
            }
        }
    }

    /// Turns the new keys once more, into the cache.
    fn store_keys(&self, member: &Member<'_>, layer: usize) {
        let heads = self.config.heads(layer);
        let (dim, width) = (heads.dim, heads.key_width());
        let keys = self.cached[layer][0];
        let mut spare = Vec::new();
        for kv in member.share(heads.key_value) {
            // SAFETY: `k` is only read; the row of this position exists, nobody reads it before
            // the next meeting, and each head of it is one member's alone.
            unsafe {
                let to = keys.get().add(self.position * width + kv * dim);
                let to = std::slice::from_raw_parts_mut(to, dim);
                to.copy_from_slice(&self.k.all()[kv * dim..][..dim]);
                self.turn(to, layer, 1, &mut spare);
            }
        }
    }

    /// `x += W · input`.
    fn residual(
        &self,
        member: &Member<'_>,
        desk: &mut Desk,
        layer: usize,
        role: Role,
        input: &Buffer,
        meanwhile: impl FnOnce(),
    ) {
        let Desk { rounded, row, .. } = desk;
        // SAFETY: the input was written before the last meeting.
        let x = unsafe { input.all() };
        rounded.quantise_row(x);
        meanwhile();
        let input = Input { x, rounded };
        self.products(member, &self.linears(layer, [role]), &input, row, |_, first, values| {
            // SAFETY: each group of rows is one member's alone.
            let x = unsafe { self.x.part(first, values.len()) };
            x.iter_mut().zip(values).for_each(|(x, v)| *x += v);
        });
    }

    /// `act(gate) * up`: the same rows of both by one member.
    fn feed_forward(&self, member: &Member<'_>, desk: &mut Desk, layer: usize, norm: &Norm) {
        let Desk { normed, rounded, row, .. } = desk;
        // SAFETY: `x` was written before the last meeting.
        norm.forward_row(resized(normed, self.x.len), unsafe { self.x.all() });
        rounded.quantise_row(normed);
        let input = Input { x: normed, rounded };
        let linears = self.linears(layer, [Role::Gate, Role::Up]);
        self.inner(member, &linears, input.x);
        // SAFETY: the inner products were written before the last meeting.
        let h = unsafe { self.h.all() };
        let [gate, up] = &linears;
        for group in member.share(gate.groups()) {
            let g = gate.group(group, &input, h, row);
            let u = up.group(group, &input, h, row);
            let first = group * GROUP;
            let n = GROUP.min(self.gated.len - first);
            // SAFETY: each group of rows is one member's alone.
            let out = unsafe { self.gated.part(first, n) };
            self.config.activation.gated_row(out, &g[..n], &u[..n]);
        }
    }
}

fn resized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() != len {
        values.resize(len, 0.0);
    }
    values
}
