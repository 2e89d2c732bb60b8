//! The attention of a step: projections in all their kinds, the heads, and the pages of keys and
//! values.

use super::linear::{Input, Product};
use super::{resized, Desk, Pass, Stage};
use crate::kernels::attention::{add_distance, Heads};
use crate::kernels::decoding::{score, weigh};
use crate::kernels::quant::team::Member;
use crate::kernels::{math, norm, rope};
use crate::model::attention::fused_starts;
use crate::model::config::{AttentionKind, FusedLayout, ModelConfig};
use crate::model::deepseek::LatentAttention;
use crate::model::family::Role;
use crate::model::kv::PAGE;
use std::ops::Range;

/// Where the projections leave each head's query, key and value.
pub(super) struct HeadStarts {
    query: Vec<usize>,
    key: Vec<usize>,
    value: Vec<usize>,
    /// Values at the beginning of a head of q and k that never turn.
    unturned: usize,
    /// The end of every key, shared by all heads, among a latent attention's down-projections;
    /// empty for other kinds.
    shared_key: Range<usize>,
}

impl HeadStarts {
    pub(super) fn new(config: &ModelConfig) -> Self {
        let heads = config.heads(0);
        let layout = match config.attention {
            AttentionKind::Separate => FusedLayout::Sections,
            AttentionKind::Fused(layout) => layout,
            AttentionKind::Latent(latent) => return Self::latent(heads, latent),
        };
        let [query, key, value] = fused_starts(layout, heads);
        Self { query, key, value, unturned: 0, shared_key: 0..0 }
    }

    /// The queries, and then for each head `[key without position | value]`.
    fn latent(heads: Heads, latent: LatentAttention) -> Self {
        let sizes = latent.sizes;
        let starts = |first: usize, step: usize| (0..sizes.heads).map(move |h| first + h * step);
        let (expanded, per_head) = (heads.query_width(), sizes.nope + sizes.value);
        let shared = latent.query_rank.unwrap_or(0) + sizes.latent;
        Self {
            query: starts(0, sizes.key()).collect(),
            key: starts(expanded, per_head).collect(),
            value: starts(expanded + sizes.nope, per_head).collect(),
            unturned: sizes.nope,
            shared_key: shared..shared + sizes.rope,
        }
    }
}

impl Pass<'_> {
    /// q, k and v of all rows from their normalised inputs.
    pub(super) fn project(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        match self.config.attention_kind(layer) {
            AttentionKind::Separate => {
                self.project_with(member, desk, layer, [Role::Query, Role::Key, Role::Value]);
            }
            AttentionKind::Fused(_) => {
                self.project_with(member, desk, layer, [Role::QueryKeyValue]);
            }
            AttentionKind::Latent(latent) => self.project_latent(member, desk, layer, latent),
        }
    }

    /// The outputs of the modules one after another.
    fn project_with<const N: usize>(
        &self,
        member: &Member<'_>,
        desk: &mut Desk,
        layer: usize,
        roles: [Role; N],
    ) {
        let Desk { normed, rounded, scratch, .. } = desk;
        let modules = self.modules(layer, roles);
        let norm = &self.model.blocks[layer].input_norm;
        let input = self.normalised(member, normed, rounded, norm, &modules);
        let mut at = 0;
        let starts = modules.map(|m| {
            at += m.output();
            at - m.output()
        });
        let products = modules.map(|m| Product::new(m, input));
        self.products(member, &products, scratch, |which, first, row, values| {
            self.put_projected(row, starts[which] + first, values);
        });
    }

    fn put_projected(&self, row: usize, at: usize, values: &[f32]) {
        // SAFETY: each group of columns is one member's alone.
        let to = unsafe { self.at.projected.part(row * self.projected_width + at, values.len()) };
        to.copy_from_slice(values);
    }

    /// Down-projections, a meeting, and up-projections of the normalised latents.
    fn project_latent(
        &self,
        member: &Member<'_>,
        desk: &mut Desk,
        layer: usize,
        latent: LatentAttention,
    ) {
        let block = &self.model.blocks[layer];
        let norms = block.latent_norms.as_ref();
        let norms = norms.expect("Block::load gives every latent attention its norms");
        let Desk { normed, rounded, scratch, latents: own, .. } = desk;
        let (sizes, rank) = (latent.sizes, latent.query_rank.unwrap_or(0));
        let query = if latent.query_rank.is_some() { Role::QueryA } else { Role::Query };
        let modules = self.modules(layer, [query, Role::KeyValueA]);
        let input = self.normalised(member, normed, rounded, &block.input_norm, &modules);
        let products = modules.map(|m| Product::new(m, input));
        self.products(member, &products, scratch, |which, first, row, values| {
            let at = match (which, latent.query_rank) {
                (0, None) => return self.put_projected(row, first, values),
                (0, Some(_)) => first,
                _ => rank + first,
            };
            // SAFETY: each group of columns is one member's alone.
            let to = unsafe { self.at.latents.part(row * self.latent_width + at, values.len()) };
            to.copy_from_slice(values);
        });
        member.meet();

        // SAFETY: the latents were written before the meeting, and are again in the next layer.
        let latents = unsafe { self.at.latents.all() };
        let (n, width) = (self.rows.len(), rank + sizes.latent);
        let normalise = |row: usize, out: &mut [f32]| {
            let latents = &latents[row * self.latent_width..][..width];
            let (query, key_value) = out.split_at_mut(rank);
            if let Some(norm) = &norms.query {
                norm.forward_row(query, &latents[..rank]);
            }
            norms.key_value.forward_row(key_value, &latents[rank..]);
        };
        let x: &[f32] = if self.alone() {
            normalise(0, resized(own, width));
            own
        } else {
            for row in member.share(n) {
                // SAFETY: each row is one member's alone.
                normalise(row, unsafe { self.at.normed_latents.part(row * width, width) });
            }
            member.meet();
            // SAFETY: they were written before the meeting, and are again in the next layer.
            unsafe { self.at.normed_latents.all() }
        };
        let [for_query, for_key_value] = rounded.two(Stage::QueryLatent, Stage::KeyValueLatent);
        let [key_value] = self.modules(layer, [Role::KeyValueB]);
        let rounded = self.round(
            member,
            for_key_value,
            Stage::KeyValueLatent,
            key_value.rounds(),
            n,
            |row| &x[row * width + rank..][..sizes.latent],
        );
        let input = Input { x, stride: width, at: rank, rounded };
        let key_value = Product::new(key_value, input);
        let expanded = sizes.heads * sizes.key();
        if latent.query_rank.is_none() {
            self.products(member, &[key_value], scratch, |_, first, row, values| {
                self.put_projected(row, expanded + first, values);
            });
            return;
        }
        let [query] = self.modules(layer, [Role::QueryB]);
        let rounds = query.rounds();
        let rounded = self.round(member, for_query, Stage::QueryLatent, rounds, n, |row| {
            &x[row * width..][..rank]
        });
        let query = Product::new(query, Input { x, stride: width, at: 0, rounded });
        self.products(member, &[query, key_value], scratch, |which, first, row, values| {
            self.put_projected(row, which * expanded + first, values);
        });
    }

    /// Normalises a head where the model does, and turns it.
    fn turn(&self, head: &mut [f32], layer: usize, which: usize, row: usize, spare: &mut Vec<f32>) {
        if let Some(norms) = &self.model.blocks[layer].head_norms {
            spare.clear();
            spare.extend_from_slice(head);
            norm::forward_row(head, spare, &norms[which], self.config.norm_eps);
        }
        if let Some(table) = self.turns {
            rope::turn_row(&mut head[self.starts.unturned..], table, row);
        }
    }

    /// The rows' keys, turned, and values into their pages; rows and heads shared out.
    pub(super) fn store(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let heads = self.config.heads(layer);
        let (dim, value_dim) = (heads.dim, heads.value_dim);
        let shared_key = self.starts.shared_key.clone();
        // SAFETY: the projections were written before the last meeting and are only read now.
        let (projected, latents) = unsafe { (self.at.projected.all(), self.at.latents.all()) };
        for unit in member.share(self.rows.len() * heads.key_value) {
            let (row, kv) = (unit / heads.key_value, unit % heads.key_value);
            let projected = &projected[row * self.projected_width..][..self.projected_width];
            let to = &self.rows[row];
            let within = to.position % PAGE;
            // SAFETY: the pages of this position exist and are the sequence's own, nobody reads the
            // position before the next meeting, and each head of it is one member's alone.
            let (key, value) = unsafe {
                let key = to.pages.keys(layer, to.position);
                let value = to.pages.values(layer, to.position);
                let value = value.add(within * heads.value_width() + kv * value_dim);
                (
                    std::slice::from_raw_parts_mut(
                        key.add(within * heads.key_width() + kv * dim),
                        dim,
                    ),
                    std::slice::from_raw_parts_mut(value, value_dim),
                )
            };
            let (own, tail) = key.split_at_mut(dim - shared_key.len());
            own.copy_from_slice(&projected[self.starts.key[kv]..][..own.len()]);
            if !tail.is_empty() {
                let latents = &latents[row * self.latent_width..][..self.latent_width];
                tail.copy_from_slice(&latents[shared_key.clone()]);
            }
            self.turn(key, layer, 1, row, &mut desk.spare);
            value.copy_from_slice(&projected[self.starts.value[kv]..][..value_dim]);
        }
    }

    /// The attention of all rows and heads, shared out.
    pub(super) fn attend(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let heads = self.config.heads(layer);
        if self.alone() {
            // Neighbouring heads read the same keys.
            for head in member.share(heads.query) {
                self.attend_rows(desk, layer, 0..1, head);
            }
            return;
        }
        // Later rows of a sequence see more keys: neighbours go to different members, and the first
        // ones to another for each head.
        let blocks = self.blocks.len();
        for unit in (member.index..blocks * heads.query).step_by(member.size()) {
            let (head, block) = (unit / blocks, (unit + unit / blocks) % blocks);
            self.attend_rows(desk, layer, self.blocks[block].clone(), head);
        }
    }

    /// A head of neighbouring rows of one sequence, which go through its pages together, each in the
    /// order of its own keys.
    fn attend_rows(&self, desk: &mut Desk, layer: usize, rows: Range<usize>, head: usize) {
        let heads = self.config.heads(layer);
        let (dim, value_dim) = (heads.dim, heads.value_dim);
        let (key_width, value_width) = (heads.key_width(), heads.value_width());
        let kv = head / (heads.query / heads.key_value);
        let Desk { q, scores, spare, .. } = desk;
        let window = self.config.window(layer);
        let pages = self.rows[rows.start].pages;
        let position = |i: usize| self.rows[rows.start + i].position;
        let sees = |i: usize| {
            let end = position(i) + 1;
            window.map_or(0, |w| end.saturating_sub(w))..end
        };
        let (n, first) = (rows.len(), sees(0).start);
        let all = first..position(n - 1) + 1;
        let q = resized(q, n * dim);
        // SAFETY: the projections were written before the last meeting and are only read now.
        let projected = unsafe { self.at.projected.all() };
        for (row, q) in rows.clone().zip(q.chunks_exact_mut(dim)) {
            let from = row * self.projected_width + self.starts.query[head];
            q.copy_from_slice(&projected[from..][..dim]);
            self.turn(q, layer, 0, row, spare);
        }
        let scores = resized(scores, n * all.len());
        for part in parts(all.clone()) {
            // SAFETY: the positions were written before the last meeting or in earlier steps, and
            // are only read now.
            let keys = unsafe {
                let keys = pages.keys(layer, part.start);
                let keys = keys.add(part.start % PAGE * key_width + kv * dim);
                std::slice::from_raw_parts(keys, (part.len() - 1) * key_width + dim)
            };
            for (i, scores) in scores.chunks_exact_mut(all.len()).enumerate() {
                let Some(seen) = common(&part, &sees(i)) else { continue };
                let scores = &mut scores[seen.start - first..][..seen.len()];
                let keys = &keys[(seen.start - part.start) * key_width..];
                score(scores, &q[i * dim..][..dim], keys, key_width, heads.scale);
            }
        }
        // SAFETY: each row's heads are one member's alone.
        let out = |i: usize| unsafe {
            let at = (rows.start + i) * heads.output_width() + head * value_dim;
            self.at.attended.part(at, value_dim)
        };
        for (i, scores) in scores.chunks_exact_mut(all.len()).enumerate() {
            let seen = sees(i);
            let scores = &mut scores[seen.start - first..][..seen.len()];
            if let Some(slope) = self.slopes.get(head) {
                add_distance(scores, *slope, seen.start as f32, position(i) as f32);
            }
            math::softmax(scores);
            out(i).fill(0.0);
        }
        for part in parts(all.clone()) {
            // SAFETY: as for the keys.
            let values = unsafe {
                let values = pages.values(layer, part.start);
                let values = values.add(part.start % PAGE * value_width + kv * value_dim);
                std::slice::from_raw_parts(values, (part.len() - 1) * value_width + value_dim)
            };
            for (i, scores) in scores.chunks_exact(all.len()).enumerate() {
                let Some(seen) = common(&part, &sees(i)) else { continue };
                let scores = &scores[seen.start - first..][..seen.len()];
                let values = &values[(seen.start - part.start) * value_width..];
                weigh(out(i), scores, values, value_width);
            }
        }
    }

    /// The output projection.
    pub(super) fn attention_output(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let Desk { normed, output, rounded, scratch, .. } = desk;
        let [module] = self.modules(layer, [Role::Output]);
        // SAFETY: the heads were written before the last meeting.
        let attended = unsafe { self.at.attended.all() };
        let from = (attended, module.input());
        let input = self.given(member, rounded, Stage::Attended, from, &[module]);
        let product = Product::new(module, input);
        self.inner(member, &[product], scratch);
        let norm = self.model.blocks[layer].attention_output_norm.as_ref();
        let n = self.rows.len();
        self.residual(member, norm, normed, output, scratch, |group, scratch| {
            let (sums, weights) = scratch.first(n);
            self.group(&product, group, sums, weights);
        });
    }
}

/// Positions in the parts that lie in one page each.
fn parts(all: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    (all.start / PAGE..all.end.div_ceil(PAGE))
        .map(move |page| all.start.max(page * PAGE)..all.end.min((page + 1) * PAGE))
}

/// What two ranges have in common, if anything.
fn common(a: &Range<usize>, b: &Range<usize>) -> Option<Range<usize>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (!both.is_empty()).then_some(both)
}
