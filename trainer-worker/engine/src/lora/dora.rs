//! Weight-decomposed adapters (DoRA, Liu et al., 2024): the norm of each row of a weight trains
//! apart from its direction.
//!
//! With `V = W + scaling·B·A` and a magnitude `m` a row, a module computes
//! `y = m / ‖V‖ ⊙ (V·x) + bias`, where `‖V‖` are the norms of `V`'s rows. As in the paper's section
//! 4.3 and in PEFT, the norms follow `A` and `B` but count as constants in the backward. With
//! dropout, as in PEFT, the frozen part sees the whole input and the change the dropped-out one:
//! `y = W·x + (s − 1) ⊙ (W·x̃) + s ⊙ scaling·B·A·x̃ + bias` with `s = m / ‖V‖`.
//!
//! `V` never exists as a whole: its rows are made one at a time, from weights of any type.

use super::{Layout, Slot};
use crate::kernels::linear::FrozenLinear;
use crate::kernels::{add_scaled, dora as kernel, gemm, math};
use crate::model::family::Role;
use crate::model::weights::Block;
use crate::model::workspace::Workspace;
use rayon::prelude::*;

/// The norms of the rows of `W + scaling·B·A`.
pub fn row_norms(weight: &FrozenLinear, slot: &Slot, a: &[f32], b: &[f32]) -> Vec<f32> {
    let mut norms = vec![0f32; slot.output];
    norms.par_chunks_mut(32).enumerate().for_each(|(task, norms)| {
        let mut row = vec![0f32; slot.input];
        for (i, norm) in norms.iter_mut().enumerate() {
            let output = task * 32 + i;
            weight.row(output, &mut row);
            for (k, a) in a.chunks_exact(slot.input).enumerate() {
                add_scaled(&mut row, a, slot.scaling * b[output * slot.r + k]);
            }
            *norm = math::dot(&row, &row).sqrt();
        }
    });
    norms
}

/// What one module's rows are multiplied by.
#[derive(Debug, Clone)]
pub struct RowScales {
    /// `m / ‖V‖`.
    pub scale: Vec<f32>,
    /// `‖V‖`.
    pub norm: Vec<f32>,
}

/// The scales of a layer's modules at one state of its adapter.
#[derive(Debug, Clone, Default)]
pub struct LayerScales {
    roles: Vec<Option<RowScales>>,
}

impl LayerScales {
    /// The scales of a layer; `None` when no module of it has magnitudes.
    pub fn new(block: &Block, layout: &Layout, parameters: &[f32]) -> Option<Self> {
        let mut scales = Self { roles: vec![None; Role::COUNT] };
        let mut any = false;
        for role in Role::ALL {
            let Some(slot) = layout.slot(role) else { continue };
            let Some(magnitude) = slot.magnitude(parameters) else { continue };
            let (a, b) = slot.split(parameters);
            let norm = row_norms(block.module(role), slot, a, b);
            // A row of zeros has no direction to scale.
            let scaled = |(m, n): (&f32, &f32)| if *n > 0.0 { m / n } else { 0.0 };
            let scale = magnitude.iter().zip(&norm).map(scaled).collect();
            scales.roles[role.index()] = Some(RowScales { scale, norm });
            any = true;
        }
        any.then_some(scales)
    }

    /// The scales of a layer of which only one module has any.
    pub fn single(role: Role, scales: RowScales) -> Self {
        let mut roles = vec![None; Role::COUNT];
        roles[role.index()] = Some(scales);
        Self { roles }
    }

    /// The scales of one module.
    pub fn get(&self, role: Role) -> Option<&RowScales> {
        self.roles.get(role.index())?.as_ref()
    }
}

/// `y = W·x`, scaled and with the adapter's part. `dropped` is the adapter's input where it is not
/// `x` itself.
#[allow(clippy::too_many_arguments)]
pub(super) fn forward(
    y: &mut [f32],
    x: &[f32],
    dropped: Option<&[f32]>,
    weight: &FrozenLinear,
    slot: &Slot,
    parameters: &[f32],
    scales: &RowScales,
    rows: usize,
    ws: &Workspace,
) {
    let width = slot.output;
    let y = &mut y[..rows * width];
    weight.forward(y, x, rows);
    let scale = &scales.scale;
    match dropped {
        None => {
            without_bias(y, weight);
            low_rank(y, x, slot, parameters, rows, true, ws);
            let bias = weight.bias();
            kernel::scale_rows(y, scale, bias);
        }
        Some(seen) => {
            let mut frozen = ws.take(rows * width);
            weight.forward(&mut frozen, seen, rows);
            without_bias(&mut frozen, weight);
            let mut change = ws.take(rows * width);
            low_rank(&mut change, seen, slot, parameters, rows, false, ws);
            kernel::mix_rows(y, &frozen, &change, scale);
            ws.put(frozen);
            ws.put(change);
        }
    }
}

fn without_bias(y: &mut [f32], weight: &FrozenLinear) {
    if let Some(bias) = weight.bias() {
        kernel::subtract_from_rows(y, bias);
    }
}

/// `y (+)= scaling·B·A·x`.
fn low_rank(
    y: &mut [f32],
    x: &[f32],
    slot: &Slot,
    parameters: &[f32],
    rows: usize,
    accumulate: bool,
    ws: &Workspace,
) {
    let (a, b) = slot.split(parameters);
    let mut h = ws.take(rows * slot.r);
    if rows == 1 {
        gemm::gemv(&mut h, &x[..slot.input], a, 1.0, false);
        gemm::gemv(&mut y[..slot.output], &h, b, slot.scaling, accumulate);
    } else {
        gemm::nt(&mut h, x, a, (rows, slot.r, slot.input), 1.0, false);
        gemm::nt(y, &h, b, (rows, slot.output, slot.r), slot.scaling, accumulate);
    }
    ws.put(h);
}

/// The first part of the backward: adds the magnitudes' gradient, and gives `s ⊙ dy`, which is the
/// gradient of `V·x` (with dropout, of the low-rank part).
#[allow(clippy::too_many_arguments)]
pub(super) fn backward_scale(
    dmagnitude: &mut [f32],
    dy: &[f32],
    seen: &[f32],
    weight: &FrozenLinear,
    slot: &Slot,
    parameters: &[f32],
    scales: &RowScales,
    rows: usize,
    ws: &Workspace,
) -> Vec<f32> {
    let width = slot.output;
    // V·x again: it was scaled in place, or never kept.
    let mut product = ws.take(rows * width);
    weight.forward(&mut product, seen, rows);
    without_bias(&mut product, weight);
    low_rank(&mut product, seen, slot, parameters, rows, true, ws);
    kernel::magnitude_gradient(dmagnitude, dy, &product, &scales.norm, rows);
    let mut scaled = product;
    kernel::scaled_rows(&mut scaled, dy, &scales.scale);
    scaled
}

/// `(s − 1) ⊙ dy`, the gradient of the frozen part of the dropped-out input.
pub(super) fn frozen_gradient(
    dy: &[f32],
    scales: &RowScales,
    rows: usize,
    ws: &Workspace,
) -> Vec<f32> {
    let mut out = ws.take(rows * scales.scale.len());
    kernel::change_of_rows(&mut out, dy, &scales.scale);
    out
}
