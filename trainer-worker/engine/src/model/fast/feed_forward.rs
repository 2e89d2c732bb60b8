//! The feed-forward of a step in its kinds.

use super::linear::{Input, Module, Product};
use super::{first, resized, Desk, Pass};
use crate::kernels::moe as routing;
use crate::kernels::quant::packed::GROUP;
use crate::kernels::quant::team::Member;
use crate::kernels::quant::Activations;
use crate::model::config::FeedForwardKind;
use crate::model::family::Role;
use crate::model::moe::Experts;

impl Pass<'_> {
    /// What lies below the down-projection, from the member's normalised input into the shared
    /// buffer `inner`.
    pub(super) fn feed_forward(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let kind = self.config.feed_forward_kind(layer);
        if let (FeedForwardKind::Experts, Some(experts)) = (kind, &self.model.blocks[layer].experts)
        {
            return self.experts(member, desk, layer, experts);
        }
        let Desk { normed, rounded, row, .. } = desk;
        let rounded = first(rounded);
        match kind {
            FeedForwardKind::Gated | FeedForwardKind::Experts => {
                let modules = self.modules(layer, [Role::Gate, Role::Up]);
                let input = Input::new(normed, rounded, &modules);
                let products = modules.map(|m| Product::new(m, input));
                let h = self.inner(member, &products);
                self.gate(member, &[products], h, row);
            }
            FeedForwardKind::GatedFused => {
                let [module] = self.modules(layer, [Role::GateUp]);
                let both = Product::new(module, Input::new(normed, rounded, &[module]));
                let h = self.inner(member, &[both]);
                let width = module.output() / 2;
                self.gate(member, &[[both.part(0, width), both.part(width, width)]], h, row);
            }
            FeedForwardKind::Plain => {
                let [module] = self.modules(layer, [Role::Up]);
                let up = Product::new(module, Input::new(normed, rounded, &[module]));
                self.products(member, &[up], row, |_, first, values| {
                    // SAFETY: each group of rows is one member's alone.
                    let out = unsafe { self.at.inner.part(first, values.len()) };
                    self.config.activation.plain_row(out, values);
                });
            }
        }
    }

    /// `act(gate) * up` of pairs of products, one pair's rows after another's; the same rows of both
    /// by one member.
    fn gate(&self, member: &Member<'_>, pairs: &[[Product<'_>; 2]], h: &[f32], row: &mut Vec<f32>) {
        let share = member.share(pairs.iter().map(|[gate, _]| gate.groups()).sum());
        let (mut before, mut start) = (0, 0);
        for [gate, up] in pairs {
            let groups = gate.groups();
            for at in share.start.max(before)..share.end.min(before + groups) {
                let group = at - before;
                let g = gate.group(group, h, row);
                let u = up.group(group, h, row);
                let first = group * GROUP;
                let n = GROUP.min(gate.rows() - first);
                // SAFETY: each group of rows is one member's alone.
                let out = unsafe { self.at.inner.part(start + first, n) };
                self.config.activation.gated_row(out, &g[..n], &u[..n]);
            }
            before += groups;
            start += gate.rows();
        }
    }

    /// The router, a meeting, and gate and up projections of the shared experts and of the routed
    /// ones that it chose, which every member finds out for itself.
    fn experts(&self, member: &Member<'_>, desk: &mut Desk, layer: usize, experts: &Experts) {
        let Desk { normed, rounded, row, scores, chosen, .. } = desk;
        let rounded = first(rounded);
        let router = Module::plain(experts.router());
        let input = Input::new(normed, rounded, &[router]);
        self.products(member, &[Product::new(router, input)], row, |_, first, values| {
            // SAFETY: each group of rows is one member's alone.
            unsafe { self.at.router.part(first, values.len()) }.copy_from_slice(values);
        });
        member.meet();
        // SAFETY: the logits were written before the meeting, and are again in the next layer.
        let logits = unsafe { self.at.router.all() };
        let scores = resized(scores, logits.len());
        scores.copy_from_slice(logits);
        routing::score_row(scores, experts.routing());
        let choice = routing::route(scores, experts.choice_bias(), experts.routing());
        chosen.clear();
        let of_expert = choice.experts.iter().map(|e| *e as usize);
        chosen.extend(of_expert.zip(choice.weights.iter().copied()));

        let mut modules = Vec::with_capacity(chosen.len() + 1);
        if self.has_shared_experts() {
            modules.push(self.modules(layer, [Role::SharedGate, Role::SharedUp]));
        }
        let routed = chosen.iter().filter_map(|(e, _)| experts.experts().get(*e));
        modules.extend(routed.map(|e| [Module::plain(&e.gate), Module::plain(&e.up)]));
        let input = Input::new(normed, rounded, modules.as_flattened());
        let pairs: Vec<_> =
            modules.into_iter().map(|m| m.map(|m| Product::new(m, input))).collect();
        let h = self.inner(member, pairs.as_flattened());
        self.gate(member, &pairs, h, row);
    }

    fn has_shared_experts(&self) -> bool {
        self.config.experts.as_ref().is_some_and(|e| e.shared_intermediate_size > 0)
    }

    /// The down-projection, or the weighted sum of those of the experts.
    pub(super) fn feed_forward_output(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let Desk { normed, output, rounded, row, chosen, .. } = desk;
        let block = &self.model.blocks[layer];
        let norm = block.feed_forward_output_norm.as_ref();
        // SAFETY: it was written before the last meeting.
        let inner = unsafe { self.at.inner.all() };
        let mixture = block
            .experts
            .as_ref()
            .filter(|_| self.config.feed_forward_kind(layer) == FeedForwardKind::Experts);
        let Some(experts) = mixture else {
            let [module] = self.modules(layer, [Role::Down]);
            let input = Input::new(&inner[..module.input()], first(rounded), &[module]);
            let product = Product::new(module, input);
            return self.residual(member, &[product], norm, normed, output, row);
        };
        let mut modules = Vec::with_capacity(chosen.len() + 1);
        if self.has_shared_experts() {
            modules.extend(self.modules(layer, [Role::SharedDown]).map(|m| (m, 1.0)));
        }
        modules.extend(chosen.iter().filter_map(|(e, weight)| {
            Some((Module::plain(&experts.experts().get(*e)?.down), *weight))
        }));
        rounded.resize_with(rounded.len().max(modules.len()), Activations::default);
        let mut start = 0;
        let products: Vec<_> = modules
            .iter()
            .zip(rounded.iter_mut())
            .map(|((module, weight), room)| {
                let x = &inner[start..][..module.input()];
                start += module.input();
                Product::new(*module, Input::new(x, room, &[*module])).times(*weight)
            })
            .collect();
        self.residual(member, &products, norm, normed, output, row);
    }
}
