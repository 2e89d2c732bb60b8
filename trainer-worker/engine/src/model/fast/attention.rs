//! The attention of a step: projections in all their kinds, the heads, and the cache.

use super::linear::{Input, Product};
use super::{first, resized, Desk, Pass};
use crate::kernels::attention::{add_distance, Heads};
use crate::kernels::decoding::{score, weigh};
use crate::kernels::quant::team::Member;
use crate::kernels::quant::Activations;
use crate::kernels::{add_scaled, math, norm, rope, Shared};
use crate::model::attention::fused_starts;
use crate::model::config::{AttentionKind, FusedLayout, ModelConfig};
use crate::model::deepseek::LatentAttention;
use crate::model::family::Role;
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
    /// q, k and v of the new token from the member's normalised input.
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
        let Desk { normed, rounded, row, .. } = desk;
        let modules = self.modules(layer, roles);
        let input = Input::new(normed, first(rounded), &modules);
        let mut at = 0;
        let starts = modules.map(|m| {
            at += m.output();
            at - m.output()
        });
        let products = modules.map(|m| Product::new(m, input));
        self.products(member, &products, row, |which, first, values| {
            // SAFETY: each group of rows is one member's alone.
            let to = unsafe { self.at.projected.part(starts[which] + first, values.len()) };
            to.copy_from_slice(values);
        });
    }

    /// Down-projections, a meeting, and up-projections of the normalised latents.
    fn project_latent(
        &self,
        member: &Member<'_>,
        desk: &mut Desk,
        layer: usize,
        latent: LatentAttention,
    ) {
        let norms = self.model.blocks[layer].latent_norms.as_ref();
        let norms = norms.expect("Block::load gives every latent attention its norms");
        let Desk { normed, rounded, row, q, k, .. } = desk;
        rounded.resize_with(rounded.len().max(2), Activations::default);
        let [for_query, for_key_value, ..] = &mut rounded[..] else { return };
        let (sizes, rank) = (latent.sizes, latent.query_rank.unwrap_or(0));
        let query = if latent.query_rank.is_some() { Role::QueryA } else { Role::Query };
        let modules = self.modules(layer, [query, Role::KeyValueA]);
        let input = Input::new(normed, for_query, &modules);
        let products = modules.map(|m| Product::new(m, input));
        self.products(member, &products, row, |which, first, values| {
            let (buffer, at) = match (which, latent.query_rank) {
                (0, None) => (&self.at.projected, first),
                (0, Some(_)) => (&self.at.latents, first),
                _ => (&self.at.latents, rank + first),
            };
            // SAFETY: each group of rows is one member's alone.
            unsafe { buffer.part(at, values.len()) }.copy_from_slice(values);
        });
        member.meet();
        // SAFETY: the latents were written before the meeting, and are again in the next layer.
        let latents = unsafe { self.at.latents.all() };
        let width = sizes.heads * sizes.key();
        norms.key_value.forward_row(resized(k, sizes.latent), &latents[rank..][..sizes.latent]);
        let put = |at: usize, values: &[f32]| {
            // SAFETY: each group of rows is one member's alone.
            unsafe { self.at.projected.part(at, values.len()) }.copy_from_slice(values);
        };
        match &norms.query {
            Some(norm) => {
                norm.forward_row(resized(q, rank), &latents[..rank]);
                let [query, key_value] = self.modules(layer, [Role::QueryB, Role::KeyValueB]);
                let products = [
                    Product::new(query, Input::new(q, for_query, &[query])),
                    Product::new(key_value, Input::new(k, for_key_value, &[key_value])),
                ];
                self.products(member, &products, row, |which, first, values| {
                    put(which * width + first, values);
                });
            }
            None => {
                let [module] = self.modules(layer, [Role::KeyValueB]);
                let input = Input::new(k, for_key_value, &[module]);
                self.products(member, &[Product::new(module, input)], row, |_, first, values| {
                    put(width + first, values);
                });
            }
        }
    }

    /// Normalises a head where the model does, and turns it.
    fn turn(&self, head: &mut [f32], layer: usize, which: usize, spare: &mut Vec<f32>) {
        if let Some(norms) = &self.model.blocks[layer].head_norms {
            spare.clear();
            spare.extend_from_slice(head);
            norm::forward_row(head, spare, &norms[which], self.config.norm_eps);
        }
        if let Some(table) = &self.places.rope {
            rope::turn_row(&mut head[self.starts.unturned..], table, self.position);
        }
    }

    /// The new token's key of a head, turned.
    fn new_key(&self, key: &mut [f32], layer: usize, head: usize, spare: &mut Vec<f32>) {
        let shared = self.starts.shared_key.clone();
        let (own, tail) = key.split_at_mut(key.len() - shared.len());
        // SAFETY: the projections were written before the last meeting and are only read now.
        unsafe {
            own.copy_from_slice(&self.at.projected.all()[self.starts.key[head]..][..own.len()]);
            tail.copy_from_slice(&self.at.latents.all()[shared]);
        }
        self.turn(key, layer, 1, spare);
    }

    /// Heads shared out. The new key is turned by everyone who needs it; its place in the cache and
    /// that of the new value are filled after the next meeting.
    pub(super) fn attend(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let heads = self.config.heads(layer);
        let (dim, value_dim) = (heads.dim, heads.value_dim);
        let group = heads.query / heads.key_value;
        let first = self.config.window(layer).map_or(0, |w| (self.position + 1).saturating_sub(w));
        let before = self.position - first;
        let [keys, values] = self.cached[layer];
        let Desk { q, k, scores, row, .. } = desk;
        let (q, k) = (resized(q, dim), resized(k, dim));
        let mut turned = None;
        for head in member.share(heads.query) {
            let kv = head / group;
            // SAFETY: the projections were written before the last meeting and are only read now.
            let projected = unsafe { self.at.projected.all() };
            q.copy_from_slice(&projected[self.starts.query[head]..][..dim]);
            self.turn(q, layer, 0, row);
            if turned != Some(kv) {
                self.new_key(k, layer, kv, row);
                turned = Some(kv);
            }
            let scores = resized(scores, before + 1);
            let (old, new) = scores.split_at_mut(before);
            let (kw, vw) = (heads.key_width(), heads.value_width());
            // SAFETY: rows `first..position` of the cached keys and values exist and are only read
            // now; each head's output is one member's alone.
            unsafe {
                let at = |cache: Shared, width: usize, within: usize, dim: usize| {
                    let len = if before == 0 { 0 } else { (before - 1) * width + dim };
                    std::slice::from_raw_parts(cache.get().add(first * width + within), len)
                };
                score(old, q, at(keys, kw, kv * dim, dim), kw, heads.scale);
                score(new, q, k, dim, heads.scale);
                if let Some(slope) = self.places.slopes.get(head) {
                    add_distance(scores, *slope, first as f32, self.position as f32);
                }
                math::softmax(scores);
                let out = self.at.attended.part(head * value_dim, value_dim);
                weigh(out, &scores[..before], at(values, vw, kv * value_dim, value_dim), vw);
                let value = &projected[self.starts.value[kv]..][..value_dim];
                add_scaled(out, value, scores[before]);
            }
        }
    }

    /// The output projection; the new keys and values go into the cache meanwhile.
    pub(super) fn attention_output(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let Desk { normed, output, rounded, row, .. } = desk;
        self.store(member, layer, row);
        let [module] = self.modules(layer, [Role::Output]);
        // SAFETY: the heads were written before the last meeting.
        let attended = unsafe { self.at.attended.all() };
        let product = Product::new(module, Input::new(attended, first(rounded), &[module]));
        let norm = self.model.blocks[layer].attention_output_norm.as_ref();
        self.residual(member, &[product], norm, normed, output, row);
    }

    fn store(&self, member: &Member<'_>, layer: usize, spare: &mut Vec<f32>) {
        let heads = self.config.heads(layer);
        let (dim, value_dim) = (heads.dim, heads.value_dim);
        let [keys, values] = self.cached[layer];
        for kv in member.share(heads.key_value) {
            // SAFETY: the projections are only read; the rows of this position exist, nobody reads
            // them before the next meeting, and each head of them is one member's alone.
            unsafe {
                let key = keys.get().add(self.position * heads.key_width() + kv * dim);
                self.new_key(std::slice::from_raw_parts_mut(key, dim), layer, kv, spare);
                let value = values.get().add(self.position * heads.value_width() + kv * value_dim);
                let from = &self.at.projected.all()[self.starts.value[kv]..][..value_dim];
                std::slice::from_raw_parts_mut(value, value_dim).copy_from_slice(from);
            }
        }
    }
}
