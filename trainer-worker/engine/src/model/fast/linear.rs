//! Products of a step: a module's rows with its adapter's, shared out in groups, and the residual
//! connections.

use super::{resized, Pass};
use crate::kernels::decoding::add_low_rank;
use crate::kernels::dora::multiply_assign;
use crate::kernels::linear::FrozenLinear;
use crate::kernels::quant::packed::GROUP;
use crate::kernels::quant::team::Member;
use crate::kernels::quant::{Activations, Isa, Packed, QuantMatrix};
use crate::kernels::{add_assign, add_scaled, math};
use crate::lora::dora::RowScales;
use crate::lora::Slot;
use crate::model::family::Role;
use crate::model::norm::Norm;

/// The adapter of one module, laid out for one token.
pub(super) struct LowRank {
    /// `[r, input]`.
    a: Vec<f32>,
    /// `scaling * B`, transposed: `[r, width]`.
    b: Vec<f32>,
    /// What DoRA multiplies each row by; with whole groups wherever one begins.
    scale: Option<Vec<f32>>,
    pub(super) r: usize,
    input: usize,
    /// Output rounded up so that a group may begin at any row.
    width: usize,
}

impl LowRank {
    pub(super) fn new(slot: &Slot, values: &[f32], scales: Option<&RowScales>) -> Self {
        let (a, b) = slot.split(values);
        let (r, width) = (slot.r, slot.output + GROUP);
        let mut transposed = vec![0f32; r * width];
        for (row, values) in b.chunks_exact(r.max(1)).enumerate() {
            for (j, v) in values.iter().enumerate() {
                transposed[j * width + row] = slot.scaling * v;
            }
        }
        let scale = scales.map(|s| {
            let mut scale = s.scale.clone();
            scale.resize(width, 0.0);
            scale
        });
        Self { a: a.to_vec(), b: transposed, scale, r, input: slot.input, width }
    }
}

/// A weight and the adapter on it.
#[derive(Clone, Copy)]
pub(super) struct Module<'a> {
    weight: &'a FrozenLinear,
    packed: Option<&'a Packed>,
    low_rank: Option<&'a LowRank>,
    /// Where the module's part of the adapters' inner products begins.
    h_at: usize,
}

impl<'a> Module<'a> {
    /// A weight without an adapter.
    pub(super) fn plain(weight: &'a FrozenLinear) -> Self {
        let packed = weight.quant().and_then(QuantMatrix::packed);
        Self { weight, packed, low_rank: None, h_at: 0 }
    }

    fn rank(&self) -> usize {
        self.low_rank.map_or(0, |l| l.r)
    }

    /// Width of the output.
    pub(super) fn output(&self) -> usize {
        self.weight.output()
    }

    /// Width of the input.
    pub(super) fn input(&self) -> usize {
        self.weight.input()
    }
}

/// A product's input: its values, and as integers where a weight takes it so.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    x: &'a [f32],
    rounded: Option<&'a Activations>,
}

impl<'a> Input<'a> {
    /// The input of `modules`.
    pub(super) fn new(x: &'a [f32], room: &'a mut Activations, modules: &[Module<'_>]) -> Self {
        // A packed weight's input is whole blocks wide; others may have any width.
        let rounded = modules.iter().any(|m| m.packed.is_some()).then(|| {
            room.quantise_row(x);
            &*room
        });
        Self { x, rounded }
    }
}

/// Rows of a module to be multiplied with an input.
#[derive(Clone, Copy)]
pub(super) struct Product<'a> {
    module: Module<'a>,
    input: Input<'a>,
    first: usize,
    rows: usize,
    /// Factor on the product where several are added up.
    factor: f32,
}

impl<'a> Product<'a> {
    /// All rows.
    pub(super) fn new(module: Module<'a>, input: Input<'a>) -> Self {
        Self { module, input, first: 0, rows: module.weight.output(), factor: 1.0 }
    }

    /// Rows `first..first + rows` of these.
    pub(super) fn part(self, first: usize, rows: usize) -> Self {
        Self { first: self.first + first, rows, ..self }
    }

    pub(super) fn times(self, factor: f32) -> Self {
        Self { factor, ..self }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Groups of 16 rows, the last one maybe not full.
    pub(super) fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// Rows `group * 16..`, 16 or as many as there are: `s ⊙ (W·x + scaling·B·h) + b`, where `s` is
    /// 1 without DoRA.
    pub(super) fn group(&self, group: usize, h: &[f32], row: &mut Vec<f32>) -> [f32; GROUP] {
        let Module { weight, packed, low_rank, h_at } = self.module;
        let first = self.first + group * GROUP;
        let n = GROUP.min(self.rows - group * GROUP);
        let mut sums = match (packed, self.input.rounded) {
            (Some(packed), Some(x)) if first.is_multiple_of(GROUP) => {
                packed.group_product(Isa::best(), first / GROUP, x, 0)
            }
            _ => {
                let mut sums = [0f32; GROUP];
                weight.rows_product(&mut sums[..n], first, self.input.x, row);
                sums
            }
        };
        if let Some(l) = low_rank {
            add_low_rank(&mut sums, &h[h_at..][..l.r], &l.b, l.width, first);
            if let Some(scale) = &l.scale {
                multiply_assign(&mut sums, &scale[first..][..GROUP]);
            }
        }
        if let Some(bias) = weight.bias() {
            add_assign(&mut sums[..n], &bias[first..first + n]);
        }
        sums
    }
}

impl<'a> Pass<'a> {
    /// Modules of a layer, those that are multiplied between two meetings.
    pub(super) fn modules<const N: usize>(
        &self,
        layer: usize,
        roles: [Role; N],
    ) -> [Module<'a>; N] {
        let mut h_at = 0;
        roles.map(|role| {
            let low_rank = self.low_rank[layer][role.index()].as_ref();
            let plain = Module::plain(self.model.blocks[layer].module(role));
            let module = Module { low_rank, h_at, ..plain };
            h_at += module.rank();
            module
        })
    }

    /// The inner products `A·x` of the modules' adapters, shared out; ends with a meeting if there
    /// are any. Gives the inner products of all modules.
    pub(super) fn inner(&self, member: &Member<'_>, products: &[Product<'_>]) -> &[f32] {
        let ranks: usize = products.iter().map(|p| p.module.rank()).sum();
        if ranks > 0 {
            for at in member.share(ranks) {
                for product in products {
                    let Module { low_rank: Some(l), h_at, .. } = product.module else { continue };
                    if (h_at..h_at + l.r).contains(&at) {
                        let row = &l.a[(at - h_at) * l.input..][..l.input];
                        // SAFETY: each place is one member's alone, by `share`.
                        unsafe { self.at.h.part(at, 1)[0] = math::dot(row, product.input.x) };
                    }
                }
            }
            member.meet();
        }
        // SAFETY: they were written before the last meeting, and are again only after another.
        unsafe { self.at.h.all() }
    }

    /// Rows of the products, one after another, shared out in groups; `put` gets the product's
    /// number, the first row and the values.
    pub(super) fn products(
        &self,
        member: &Member<'_>,
        products: &[Product<'_>],
        row: &mut Vec<f32>,
        mut put: impl FnMut(usize, usize, &[f32]),
    ) {
        let h = self.inner(member, products);
        let total = products.iter().map(Product::groups).sum();
        let share = member.share(total);
        let mut before = 0;
        for (i, product) in products.iter().enumerate() {
            let groups = product.groups();
            for at in share.start.max(before)..share.end.min(before + groups) {
                let group = at - before;
                let sums = product.group(group, h, row);
                let n = GROUP.min(product.rows - group * GROUP);
                put(i, group * GROUP, &sums[..n]);
            }
            before += groups;
        }
    }

    /// The end of a sub-layer: the sum of the products, normalised where the model does that, is
    /// added to the residual stream, or to the sub-layer's normalised input where that takes its
    /// place.
    pub(super) fn residual(
        &self,
        member: &Member<'_>,
        products: &[Product<'_>],
        norm: Option<&Norm>,
        normed: &[f32],
        output: &mut Vec<f32>,
        row: &mut Vec<f32>,
    ) {
        let add = |at: usize, values: &[f32]| {
            // SAFETY: callers add to rows of their own; nobody reads `x` before the next meeting.
            let x = unsafe { self.at.x.part(at, values.len()) };
            if self.config.residual_after_norm {
                x.copy_from_slice(&normed[at..][..x.len()]);
            }
            add_assign(x, values);
        };
        let h = self.inner(member, products);
        let width = self.config.hidden_size;
        for group in member.share(width.div_ceil(GROUP)) {
            let mut sums = [0f32; GROUP];
            for product in products {
                add_scaled(&mut sums, &product.group(group, h, row), product.factor);
            }
            let first = group * GROUP;
            let sums = &sums[..GROUP.min(width - first)];
            if norm.is_some() {
                // SAFETY: each group of rows is one member's alone.
                unsafe { self.at.output.part(first, sums.len()) }.copy_from_slice(sums);
            } else {
                add(first, sums);
            }
        }
        if let Some(norm) = norm {
            member.meet();
            // SAFETY: it was written before the meeting.
            norm.forward_row(resized(output, width), unsafe { self.at.output.all() });
            let share = member.share(width);
            add(share.start, &output[share]);
        }
    }
}
