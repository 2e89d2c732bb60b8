//! Products of a step: a module's rows with each row's adapter, shared out in groups, and the
//! residual connections.

use super::adapter::LowRank;
use super::{resized, Pass};
use crate::kernels::add_assign;
use crate::kernels::decoding::{add_low_rank, group_dots};
use crate::kernels::dora::multiply_assign;
use crate::kernels::linear::FrozenLinear;
use crate::kernels::quant::packed::GROUP;
use crate::kernels::quant::team::Member;
use crate::kernels::quant::{Activations, Isa, Packed, QuantMatrix};
use crate::model::family::Role;
use crate::model::norm::Norm;

/// Products of 16 rows of a weight, for each row of the batch.
pub(super) type Sums = [[f32; GROUP]];

/// A member's room for products.
#[derive(Default)]
pub(super) struct Scratch {
    /// Rows of a weight that has no integer products.
    pub(super) weights: Vec<f32>,
    /// Sums of two products.
    pub(super) sums: [Vec<[f32; GROUP]>; 2],
}

impl Scratch {
    pub(super) fn first(&mut self, rows: usize) -> (&mut Sums, &mut Vec<f32>) {
        let Self { weights, sums: [first, _] } = self;
        (sized(first, rows), weights)
    }

    pub(super) fn both(&mut self, rows: usize) -> (&mut Sums, &mut Sums, &mut Vec<f32>) {
        let Self { weights, sums: [first, second] } = self;
        (sized(first, rows), sized(second, rows), weights)
    }
}

fn sized(sums: &mut Vec<[f32; GROUP]>, rows: usize) -> &mut Sums {
    if sums.len() < rows {
        sums.resize(rows, [0.0; GROUP]);
    }
    &mut sums[..rows]
}

/// A weight, and which adapters' part goes with it.
#[derive(Clone, Copy)]
pub(super) struct Module<'a> {
    weight: &'a FrozenLinear,
    packed: Option<&'a Packed>,
    adapted: Option<(usize, Role)>,
}

impl Module<'_> {
    /// Width of the output.
    pub(super) fn output(&self) -> usize {
        self.weight.output()
    }

    /// Width of the input.
    pub(super) fn input(&self) -> usize {
        self.weight.input()
    }

    /// Whether its input is taken as integers.
    pub(super) fn rounds(&self) -> bool {
        self.packed.is_some()
    }
}

/// The input of products: a row of values for each row of the batch, and the same as integers where
/// a weight takes it so.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) x: &'a [f32],
    /// Values between the beginnings of two rows.
    pub(super) stride: usize,
    /// Where the input lies within its row.
    pub(super) at: usize,
    pub(super) rounded: Option<&'a Activations>,
}

impl<'a> Input<'a> {
    /// The inputs from a row on.
    fn rows_from(&self, row: usize) -> &'a [f32] {
        &self.x[row * self.stride + self.at..]
    }
}

/// Rows of a module to be multiplied with an input.
#[derive(Clone, Copy)]
pub(super) struct Product<'a> {
    module: Module<'a>,
    input: Input<'a>,
    first: usize,
    rows: usize,
}

impl<'a> Product<'a> {
    /// All rows of the weight.
    pub(super) fn new(module: Module<'a>, input: Input<'a>) -> Self {
        Self { module, input, first: 0, rows: module.weight.output() }
    }

    /// Rows `first..first + rows` of these.
    pub(super) fn part(self, first: usize, rows: usize) -> Self {
        Self { first: self.first + first, rows, ..self }
    }

    /// Rows of the weight.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Groups of 16 rows, the last one maybe not full.
    pub(super) fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// Rows in a group.
    pub(super) fn len(&self, group: usize) -> usize {
        GROUP.min(self.rows - group * GROUP)
    }

    /// Rows `group * 16..` of the weight, 16 or as many as there are, times the inputs from
    /// `row` on, one for each of `sums`.
    fn frozen(&self, group: usize, row: usize, sums: &mut Sums, weights: &mut Vec<f32>) {
        let Module { weight, packed, .. } = self.module;
        let first = self.first + group * GROUP;
        match (packed, self.input.rounded) {
            (Some(packed), Some(x)) if first.is_multiple_of(GROUP) => {
                packed.group_products(Isa::best(), first / GROUP, x, row, sums);
            }
            _ => {
                let cols = weight.input();
                let w = weight.some_rows(first, self.len(group), weights);
                group_dots(sums, w, cols, self.input.rows_from(row), self.input.stride);
            }
        }
    }

    /// The bias of a group's rows.
    fn add_bias(&self, group: usize, sums: &mut Sums) {
        if let Some(bias) = self.module.weight.bias() {
            let (first, n) = (self.first + group * GROUP, self.len(group));
            sums.iter_mut().for_each(|s| add_assign(&mut s[..n], &bias[first..first + n]));
        }
    }

    /// The product with a single row of the input, of a module without adapters.
    pub(super) fn one(&self, group: usize, row: usize, weights: &mut Vec<f32>) -> [f32; GROUP] {
        let mut sums = [[0f32; GROUP]];
        self.frozen(group, row, &mut sums, weights);
        self.add_bias(group, &mut sums);
        let [sums] = sums;
        sums
    }
}

impl<'a> Pass<'a> {
    /// A weight without adapters.
    pub(super) fn plain(&self, weight: &'a FrozenLinear) -> Module<'a> {
        let packed = weight.quant().filter(|_| self.integer).and_then(QuantMatrix::packed);
        Module { weight, packed, adapted: None }
    }

    /// Modules of a layer.
    pub(super) fn modules<const N: usize>(
        &self,
        layer: usize,
        roles: [Role; N],
    ) -> [Module<'a>; N] {
        roles.map(|role| {
            let adapted = self.adapted.then_some((layer, role));
            Module { adapted, ..self.plain(self.model.blocks[layer].module(role)) }
        })
    }

    fn low_rank(&self, row: usize, module: &Module<'_>) -> Option<&'a LowRank> {
        let (layer, role) = module.adapted?;
        self.rows[row].adapter?.module(layer, role)
    }

    /// The inner products `A·x` of all rows' adapters, shared out; ends with a meeting if there may
    /// be any.
    pub(super) fn inner(
        &self,
        member: &Member<'_>,
        products: &[Product<'_>],
        scratch: &mut Scratch,
    ) {
        if !self.adapted || products.iter().all(|p| p.module.adapted.is_none()) {
            return;
        }
        // Neighbouring rows of one adapter are multiplied together.
        let all = || {
            let pairs = self.runs.iter().flat_map(|run| products.iter().map(move |p| (run, *p)));
            pairs.filter_map(|(run, product)| {
                Some((run.clone(), product, self.low_rank(run.start, &product.module)?))
            })
        };
        let share = member.share(all().map(|(run, _, l)| run.len() * l.r).sum());
        let mut before = 0;
        for (run, product, l) in all() {
            // A component of all rows is the member's whose share its first row lies in.
            let first = |at: usize| at.saturating_sub(before).div_ceil(run.len()).min(l.r);
            let (mut at, end) = (first(share.start), first(share.end));
            while at < end {
                let count = GROUP.min(end - at);
                let (sums, _) = scratch.first(run.len());
                let a = &l.a[at * l.input..][..count * l.input];
                group_dots(
                    sums,
                    a,
                    l.input,
                    product.input.rows_from(run.start),
                    product.input.stride,
                );
                for (row, sums) in run.clone().zip(sums) {
                    // SAFETY: each place is one member's alone, by `share`.
                    let h = unsafe { self.at.h.part(row * self.h_width + l.h_at + at, count) };
                    h.copy_from_slice(&sums[..count]);
                }
                at += count;
            }
            before += run.len() * l.r;
        }
        member.meet();
    }

    /// Rows `group * 16..` of a product, 16 or as many as there are, for each row of the batch:
    /// `s ⊙ (W·x + scaling·B·h) + b`, where `s` is 1 without DoRA.
    pub(super) fn group(
        &self,
        product: &Product<'_>,
        group: usize,
        sums: &mut Sums,
        weights: &mut Vec<f32>,
    ) {
        product.frozen(group, 0, sums, weights);
        if product.module.adapted.is_some() {
            let first = product.first + group * GROUP;
            for (row, sums) in sums.iter_mut().enumerate() {
                let Some(l) = self.low_rank(row, &product.module) else { continue };
                // SAFETY: they were written before the last meeting, and are again only after
                // another.
                let h = unsafe { self.at.h.all() };
                let h = &h[row * self.h_width + l.h_at..][..l.r];
                add_low_rank(sums, h, &l.b, l.width, first);
                if let Some(scale) = &l.scale {
                    multiply_assign(sums, &scale[first..][..GROUP]);
                }
            }
        }
        product.add_bias(group, sums);
    }

    /// Rows of the products, one after another, shared out in groups; `put` gets the product's
    /// number, the first row of the weight, the row of the batch and the values.
    pub(super) fn products(
        &self,
        member: &Member<'_>,
        products: &[Product<'_>],
        scratch: &mut Scratch,
        put: impl FnMut(usize, usize, usize, &[f32]),
    ) {
        self.inner(member, products, scratch);
        self.frozen_products(member, products, self.rows.len(), scratch, put);
    }

    /// [`Self::products`] where the adapters' inner products are there.
    pub(super) fn frozen_products(
        &self,
        member: &Member<'_>,
        products: &[Product<'_>],
        rows: usize,
        scratch: &mut Scratch,
        mut put: impl FnMut(usize, usize, usize, &[f32]),
    ) {
        let (sums, weights) = scratch.first(rows);
        let share = member.share(products.iter().map(Product::groups).sum());
        let mut before = 0;
        for (i, product) in products.iter().enumerate() {
            let groups = product.groups();
            for at in share.start.max(before)..share.end.min(before + groups) {
                let group = at - before;
                self.group(product, group, sums, weights);
                for (row, sums) in sums.iter().enumerate() {
                    put(i, group * GROUP, row, &sums[..product.len(group)]);
                }
            }
            before += groups;
        }
    }

    /// The end of a sub-layer: what `group` gives for each group of 16 columns of the residual
    /// stream, normalised where the model does that, is added to the stream, or to the sub-layer's
    /// normalised input where that takes its place.
    pub(super) fn residual(
        &self,
        member: &Member<'_>,
        norm: Option<&Norm>,
        normed: &[f32],
        output: &mut Vec<f32>,
        scratch: &mut Scratch,
        group: impl Fn(usize, &mut Scratch),
    ) {
        let (n, width) = (self.rows.len(), self.config.hidden_size);
        let add = |row: usize, at: usize, values: &[f32]| {
            // SAFETY: callers add to places of their own; nobody reads `x` before the next meeting.
            let x = unsafe { self.at.x.part(row * width + at, values.len()) };
            if self.config.residual_after_norm {
                let normed = self.normed_row(normed, row);
                x.copy_from_slice(&normed[at..][..values.len()]);
            }
            add_assign(x, values);
        };
        for at in member.share(width.div_ceil(GROUP)) {
            group(at, scratch);
            let first = at * GROUP;
            let len = GROUP.min(width - first);
            for (row, sums) in scratch.first(n).0.iter().enumerate() {
                if norm.is_some() {
                    // SAFETY: each group of columns is one member's alone.
                    let to = unsafe { self.at.output.part(row * width + first, len) };
                    to.copy_from_slice(&sums[..len]);
                } else {
                    add(row, first, &sums[..len]);
                }
            }
        }
        let Some(norm) = norm else { return };
        member.meet();
        // SAFETY: it was written before the meeting.
        let all = unsafe { self.at.output.all() };
        let output = resized(output, width);
        if self.alone() {
            norm.forward_row(output, &all[..width]);
            let share = member.share(width);
            add(0, share.start, &output[share]);
        } else {
            for row in member.share(n) {
                norm.forward_row(output, &all[row * width..][..width]);
                add(row, 0, output);
            }
        }
    }
}
