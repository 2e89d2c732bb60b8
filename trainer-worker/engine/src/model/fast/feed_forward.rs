//! The feed-forward of a step in its kinds.

use super::linear::{Input, Module, Product, Sums};
use super::{resized, Desk, Pass, Stage};
use crate::kernels::add_scaled;
use crate::kernels::moe as routing;
use crate::kernels::quant::packed::GROUP;
use crate::kernels::quant::team::Member;
use crate::model::config::FeedForwardKind;
use crate::model::family::Role;
use crate::model::moe::Experts;

/// A row's routed expert, and what its output counts.
pub(super) type Slot = (u32, f32);

/// The experts of all rows: slot `row * top_k + j` is a row's `j`-th one.
#[derive(Default)]
pub(super) struct Choice {
    slots: Vec<Slot>,
    /// The slots, those of one expert together, each expert's ascending.
    order: Vec<u32>,
    /// Each chosen expert, ascending, and where its slots begin in `order`.
    experts: Vec<(usize, usize)>,
    counts: Vec<usize>,
}

impl Choice {
    /// Puts the slots of each expert together.
    fn arrange(&mut self, experts: usize) {
        self.counts.clear();
        self.counts.resize(experts, 0);
        self.slots.iter().for_each(|(e, _)| self.counts[*e as usize] += 1);
        self.experts.clear();
        let mut start = 0;
        for (expert, count) in self.counts.iter_mut().enumerate() {
            if *count > 0 {
                self.experts.push((expert, start));
                start += std::mem::replace(count, start);
            }
        }
        self.order.resize(self.slots.len(), 0);
        for (slot, (expert, _)) in self.slots.iter().enumerate() {
            let place = &mut self.counts[*expert as usize];
            self.order[*place] = slot as u32;
            *place += 1;
        }
    }

    /// Each chosen expert with its slots.
    fn by_expert(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let ends = self.experts.iter().skip(1).map(|(_, start)| *start);
        let ends = ends.chain([self.order.len()]);
        let of =
            |((expert, start), end): (&(usize, usize), usize)| (*expert, &self.order[*start..end]);
        self.experts.iter().zip(ends).map(of)
    }
}

impl<'a> Pass<'a> {
    /// What lies below the down-projection, from the normalised input into the shared buffer
    /// `inner`.
    pub(super) fn feed_forward(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let kind = self.config.feed_forward_kind(layer);
        if let (FeedForwardKind::Experts, Some(experts)) = (kind, &self.model.blocks[layer].experts)
        {
            return self.experts(member, desk, layer, experts);
        }
        let norm = &self.model.blocks[layer].feed_forward_norm;
        let Desk { normed, rounded, scratch, .. } = desk;
        match kind {
            FeedForwardKind::Gated | FeedForwardKind::Experts => {
                let modules = self.modules(layer, [Role::Gate, Role::Up]);
                let input = self.normalised(member, normed, rounded, norm, &modules);
                let products = modules.map(|m| Product::new(m, input));
                self.inner(member, &products, scratch);
                let (gates, ups, weights) = scratch.both(self.rows.len());
                for group in member.share(products[0].groups()) {
                    self.gate(&products, group, (gates, ups, weights));
                }
            }
            FeedForwardKind::GatedFused => {
                let [module] = self.modules(layer, [Role::GateUp]);
                let input = self.normalised(member, normed, rounded, norm, &[module]);
                let both = Product::new(module, input);
                self.inner(member, &[both], scratch);
                let width = module.output() / 2;
                let products = [both.part(0, width), both.part(width, width)];
                let (gates, ups, weights) = scratch.both(self.rows.len());
                for group in member.share(products[0].groups()) {
                    self.gate(&products, group, (gates, ups, weights));
                }
            }
            FeedForwardKind::Plain => {
                let [module] = self.modules(layer, [Role::Up]);
                let input = self.normalised(member, normed, rounded, norm, &[module]);
                let up = Product::new(module, input);
                self.products(member, &[up], scratch, |_, first, row, values| {
                    self.config
                        .activation
                        .plain_row(self.inner_part(row, first, values.len()), values);
                });
            }
        }
    }

    /// Values `first..first + len` of a row of the buffer `inner`, to be written.
    #[allow(clippy::mut_from_ref)]
    fn inner_part(&self, row: usize, first: usize, len: usize) -> &mut [f32] {
        // SAFETY: each group of columns is one member's alone.
        unsafe { self.at.inner.part(row * self.inner_width + first, len) }
    }

    /// `act(gate) * up` of a group, for all rows; it begins each row of the buffer `inner`.
    fn gate(
        &self,
        [gate, up]: &[Product<'_>; 2],
        group: usize,
        (gates, ups, weights): (&mut Sums, &mut Sums, &mut Vec<f32>),
    ) {
        self.group(gate, group, gates, weights);
        self.group(up, group, ups, weights);
        let n = gate.len(group);
        for (row, (g, u)) in gates.iter().zip(ups.iter()).enumerate() {
            let out = self.inner_part(row, group * GROUP, n);
            self.config.activation.gated_row(out, &g[..n], &u[..n]);
        }
    }

    /// The router, a meeting, and gate and up projections of the shared experts and of the routed
    /// ones that each row chose.
    fn experts(&self, member: &Member<'_>, desk: &mut Desk, layer: usize, experts: &'a Experts) {
        let Desk { normed, rounded, scratch, scores, choice, .. } = desk;
        let router = self.plain(experts.router());
        let shared = self
            .has_shared_experts()
            .then(|| self.modules(layer, [Role::SharedGate, Role::SharedUp]));
        let routed = |e: usize| {
            let e = &experts.experts()[e];
            [self.plain(&e.gate), self.plain(&e.up)]
        };
        // All experts of a layer are kept alike.
        let mut modules = vec![router];
        modules.extend(shared.into_iter().flatten().chain(routed(0)));
        let norm = &self.model.blocks[layer].feed_forward_norm;
        let input = self.normalised(member, normed, rounded, norm, &modules);
        let width = router.output();
        self.products(member, &[Product::new(router, input)], scratch, |_, first, row, values| {
            // SAFETY: each group of columns is one member's alone.
            let to = unsafe { self.at.router.part(row * width + first, values.len()) };
            to.copy_from_slice(values);
        });
        member.meet();
        self.choose(member, scores, choice, experts);

        if let Some(modules) = shared {
            let products = modules.map(|m| Product::new(m, input));
            self.inner(member, &products, scratch);
            let (gates, ups, weights) = scratch.both(self.rows.len());
            for group in member.share(products[0].groups()) {
                self.gate(&products, group, (gates, ups, weights));
            }
        }
        let (k, start) = (experts.routing().top_k, self.shared_width());
        let groups = experts.experts()[0].gate.output().div_ceil(GROUP);
        let share = member.share(choice.experts.len() * groups);
        for (i, (expert, slots)) in choice.by_expert().enumerate() {
            let [gate, up] = routed(expert).map(|m| Product::new(m, input));
            let before = i * groups;
            for at in share.start.max(before)..share.end.min(before + groups) {
                let group = at - before;
                let n = gate.len(group);
                for slot in slots.iter().map(|s| *s as usize) {
                    let g = gate.one(group, slot / k, &mut scratch.weights);
                    let u = up.one(group, slot / k, &mut scratch.weights);
                    let first = start + slot % k * gate.rows() + group * GROUP;
                    let out = self.inner_part(slot / k, first, n);
                    self.config.activation.gated_row(out, &g[..n], &u[..n]);
                }
            }
        }
    }

    /// The experts of all rows, from the router's logits; ends with a meeting where members share
    /// the rows out.
    fn choose(
        &self,
        member: &Member<'_>,
        scores: &mut Vec<f32>,
        choice: &mut Choice,
        experts: &Experts,
    ) {
        let (rule, n) = (experts.routing(), self.rows.len());
        // SAFETY: the logits were written before the last meeting, and are again in the next layer.
        let logits = unsafe { self.at.router.all() };
        let scores = resized(scores, rule.experts);
        let mut route = |row: usize, slots: &mut [Slot]| {
            scores.copy_from_slice(&logits[row * rule.experts..][..rule.experts]);
            routing::score_row(scores, rule);
            let chosen = routing::route(scores, experts.choice_bias(), rule);
            let chosen = chosen.experts.iter().copied().zip(chosen.weights.iter().copied());
            slots.iter_mut().zip(chosen).for_each(|(slot, chosen)| *slot = chosen);
        };
        choice.slots.resize(n * rule.top_k, (0, 0.0));
        if self.alone() {
            route(0, &mut choice.slots);
        } else {
            for row in member.share(n) {
                // SAFETY: each row is one member's alone.
                route(row, unsafe { self.slots.part(row * rule.top_k, rule.top_k) });
            }
            member.meet();
            // SAFETY: they were written before the meeting, and are again in the next layer.
            choice.slots.copy_from_slice(unsafe { self.slots.first(n * rule.top_k) });
        }
        choice.arrange(rule.experts);
    }

    fn has_shared_experts(&self) -> bool {
        self.shared_width() > 0
    }

    /// Values of the shared experts in a row of the buffer `inner`.
    fn shared_width(&self) -> usize {
        self.config.experts.as_ref().map_or(0, |e| e.shared_intermediate_size)
    }

    /// The down-projection, or the weighted sum of those of the experts.
    pub(super) fn feed_forward_output(&self, member: &Member<'_>, desk: &mut Desk, layer: usize) {
        let block = &self.model.blocks[layer];
        let norm = block.feed_forward_output_norm.as_ref();
        let mixture = block
            .experts
            .as_ref()
            .filter(|_| self.config.feed_forward_kind(layer) == FeedForwardKind::Experts);
        if let Some(experts) = mixture {
            return self.experts_output(member, desk, layer, experts);
        }
        let Desk { normed, output, rounded, scratch, .. } = desk;
        let [module] = self.modules(layer, [Role::Down]);
        let input = self.inner_input(member, rounded, Stage::Inner, module);
        let product = Product::new(module, input);
        self.inner(member, &[product], scratch);
        let n = self.rows.len();
        self.residual(member, norm, normed, output, scratch, |group, scratch| {
            let (sums, weights) = scratch.first(n);
            self.group(&product, group, sums, weights);
        });
    }

    /// The input that begins each row of the buffer `inner`.
    fn inner_input<'d>(
        &'d self,
        member: &Member<'_>,
        rounded: &'d mut super::Rounded,
        stage: Stage,
        module: Module<'_>,
    ) -> Input<'d> {
        // SAFETY: it was written before the last meeting, and is again in the next layer.
        let x = unsafe { self.at.inner.all() };
        self.given(member, rounded, stage, (x, self.inner_width), &[module])
    }

    fn experts_output(
        &self,
        member: &Member<'_>,
        desk: &mut Desk,
        layer: usize,
        experts: &'a Experts,
    ) {
        let Desk { normed, output, rounded, scratch, choice, .. } = desk;
        let n = self.rows.len();
        let norm = self.model.blocks[layer].feed_forward_output_norm.as_ref();
        let [for_shared, for_routed] = rounded.two(Stage::Shared, Stage::Routed);
        let shared = self.has_shared_experts().then(|| {
            let [module] = self.modules(layer, [Role::SharedDown]);
            // SAFETY: it was written before the last meeting, and is again in the next layer.
            let x = unsafe { self.at.inner.all() };
            let rounded =
                self.round(member, for_shared, Stage::Shared, module.rounds(), n, |row| {
                    &x[row * self.inner_width..][..module.input()]
                });
            let product =
                Product::new(module, Input { x, stride: self.inner_width, at: 0, rounded });
            self.inner(member, &[product], scratch);
            product
        });
        let (k, start) = (experts.routing().top_k, self.shared_width());
        let width = experts.experts()[0].down.input();
        // SAFETY: as above.
        let x = unsafe { self.at.inner.all() };
        let of_slot =
            |slot: usize| &x[slot / k * self.inner_width + start + slot % k * width..][..width];
        let rounds = self.plain(&experts.experts()[0].down).rounds();
        let rounded = self.round(member, for_routed, Stage::Routed, rounds, n * k, of_slot);
        let input = |slot: usize| {
            let at = slot / k * self.inner_width + start + slot % k * width;
            // Of integers a slot is a row; of values it lies within its row.
            (Input { x, stride: 0, at, rounded }, slot)
        };
        self.residual(member, norm, normed, output, scratch, |group, scratch| {
            let (totals, products, weights) = scratch.both(n);
            totals.fill([0.0; GROUP]);
            if let Some(shared) = &shared {
                self.group(shared, group, products, weights);
                for (total, product) in totals.iter_mut().zip(products.iter()) {
                    add_scaled(total, product, 1.0);
                }
            }
            for (expert, slots) in choice.by_expert() {
                let module = self.plain(&experts.experts()[expert].down);
                for slot in slots.iter().map(|s| *s as usize) {
                    let (input, row) = input(slot);
                    let product = Product::new(module, input).one(group, row, weights);
                    let (_, weight) = choice.slots[slot];
                    add_scaled(&mut totals[slot / k], &product, weight);
                }
            }
        });
    }
}
