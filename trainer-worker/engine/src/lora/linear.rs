//! A frozen linear module with its adapter: forward, and backward written by hand.

use super::dora::{self, LayerScales};
use super::{Layout, Slot};
use crate::kernels::gemm::{self, Continued};
use crate::kernels::linear::FrozenLinear;
use crate::kernels::rng::DropoutMask;
use crate::kernels::{par_add_assign, par_rows};
use crate::model::family::Role;
use crate::model::workspace::Workspace;

/// The adapter of one block during one pass.
pub struct BlockAdapter<'a> {
    /// Where the tensors lie.
    pub layout: &'a Layout,
    /// The layer's parameters.
    pub parameters: &'a [f32],
    /// What DoRA multiplies the rows by at these parameters; none for other adapters.
    pub scales: Option<&'a LayerScales>,
    /// Dropout of each module's input, by [`Role::index`]; none when not training.
    pub dropout: Option<&'a [DropoutMask; Role::COUNT]>,
}

/// Where the gradient of a layer's adapter goes: added up over the rows of a batch, which may come
/// in several parts, one after the other.
#[derive(Debug)]
pub struct Gradient<'a> {
    /// The gradient of each parameter: zero or partial sums, added to.
    pub values: &'a mut [f32],
    /// For the products' slices that one part begins and the next ends, as long as `values`; not
    /// used where a batch is taken whole.
    pub begun: &'a mut [f32],
    /// Rows of the batch in earlier parts.
    pub before: usize,
    /// Whether this part is the batch's last.
    pub last: bool,
}

impl<'a> Gradient<'a> {
    /// The gradient of a batch that is taken whole.
    pub fn whole(values: &'a mut [f32]) -> Self {
        Self { values, begun: &mut [], before: 0, last: true }
    }

    /// The same for a shorter time.
    pub fn reborrow(&mut self) -> Gradient<'_> {
        let Self { values, begun, before, last } = self;
        Gradient { values, begun, before: *before, last: *last }
    }
}

/// The adapter's input: `x`, or a dropped-out copy of it.
fn dropped(
    x: &[f32],
    slot: &Slot,
    role: Role,
    adapter: &BlockAdapter<'_>,
    rows: usize,
    workspace: &Workspace,
) -> Option<Vec<f32>> {
    let mask = &adapter.dropout?[role.index()];
    let mut copy = workspace.take(rows * slot.input);
    par_rows(&mut copy, slot.input, |i, row| {
        row.copy_from_slice(&x[i * slot.input..][..slot.input]);
        mask.apply(i, row);
    });
    Some(copy)
}

/// `y = W·x`, plus the adapter's part if the module carries one.
pub fn linear_forward(
    y: &mut [f32],
    x: &[f32],
    weight: &FrozenLinear,
    role: Role,
    adapter: Option<&BlockAdapter<'_>>,
    rows: usize,
    workspace: &Workspace,
) {
    let slot = adapter.and_then(|a| Some((a, a.layout.slot(role)?)));
    let Some((adapter, slot)) = slot else { return weight.forward(y, x, rows) };
    if let Some(scales) = adapter.scales.and_then(|s| s.get(role)) {
        let copy = dropped(x, slot, role, adapter, rows, workspace);
        let parameters = adapter.parameters;
        let seen = copy.as_deref();
        dora::forward(y, x, seen, weight, slot, parameters, scales, rows, workspace);
        copy.into_iter().for_each(|c| workspace.put(c));
        return;
    }
    weight.forward(y, x, rows);
    let (a, b) = slot.split(adapter.parameters);
    let mut h = workspace.take(rows * slot.r);
    if rows == 1 && adapter.dropout.is_none() {
        gemm::gemv(&mut h, &x[..slot.input], a, 1.0, false);
        gemm::gemv(&mut y[..slot.output], &h, b, slot.scaling, true);
    } else {
        let copy = dropped(x, slot, role, adapter, rows, workspace);
        let input = copy.as_deref().unwrap_or(x);
        gemm::nt(&mut h, input, a, (rows, slot.r, slot.input), 1.0, false);
        gemm::nt(y, &h, b, (rows, slot.output, slot.r), slot.scaling, true);
        if let Some(copy) = copy {
            workspace.put(copy);
        }
    }
    workspace.put(h);
}

/// Backward of [`linear_forward`]: adds to the adapter's gradient and, when `dx` is given, adds
/// (`accumulate`) or writes the input's gradient.
#[allow(clippy::too_many_arguments)]
pub fn linear_backward(
    mut dx: Option<&mut [f32]>,
    accumulate: bool,
    dy: &[f32],
    x: &[f32],
    weight: &FrozenLinear,
    role: Role,
    adapter: Option<&BlockAdapter<'_>>,
    gradient: Option<Gradient<'_>>,
    rows: usize,
    workspace: &Workspace,
) {
    let slot = adapter.and_then(|a| Some((a, a.layout.slot(role)?)));
    let (Some((adapter, slot)), Some(gradient)) = (slot, gradient) else {
        if let Some(dx) = dx {
            weight.backward(dx, dy, rows, accumulate);
        }
        return;
    };
    let (a, b) = slot.split(adapter.parameters);
    let (r, input, output) = (slot.r, slot.input, slot.output);
    let copy = dropped(x, slot, role, adapter, rows, workspace);
    let seen = copy.as_deref().unwrap_or(x);
    let scales = adapter.scales.and_then(|s| s.get(role));
    // With DoRA, `dy` below is the gradient of the unscaled product.
    let scaled = scales.zip(slot.magnitude_mut(gradient.values)).map(|(scales, dmagnitude)| {
        let parameters = adapter.parameters;
        let (dy, ws) = (&dy[..rows * output], workspace);
        dora::backward_scale(dmagnitude, dy, seen, weight, slot, parameters, scales, rows, ws)
    });
    // What the frozen weight's gradient for the dropped-out input is made from.
    let frozen = scales
        .filter(|_| copy.is_some())
        .map(|scales| dora::frozen_gradient(dy, scales, rows, workspace));
    if let Some(dx) = dx.as_deref_mut() {
        let dy = if copy.is_some() { dy } else { scaled.as_deref().unwrap_or(dy) };
        weight.backward(dx, dy, rows, accumulate);
    }
    let dy = scaled.as_deref().unwrap_or(dy);
    let (da, db) = slot.split_mut(gradient.values);
    let (begun_a, begun_b): (&mut [f32], &mut [f32]) =
        if gradient.begun.is_empty() { (&mut [], &mut []) } else { slot.split_mut(gradient.begun) };
    let (before, last) = (gradient.before, gradient.last);
    let mut part_a = Continued { begun: begun_a, before, last };
    let mut part_b = Continued { begun: begun_b, before, last };
    let mut h = workspace.take(rows * r);
    gemm::nt(&mut h, seen, a, (rows, r, input), 1.0, false);
    gemm::tn_continued(db, dy, &h, (output, r, rows), slot.scaling, &mut part_b);
    // From here `h` holds its own gradient.
    gemm::nn(&mut h, dy, b, (rows, r, output), slot.scaling, false);
    gemm::tn_continued(da, &h, seen, (r, input, rows), 1.0, &mut part_a);
    if let Some(dx) = dx {
        match (copy, adapter.dropout) {
            (Some(mut copy), Some(masks)) => {
                gemm::nn(&mut copy, &h, a, (rows, input, r), 1.0, false);
                if let Some(frozen) = &frozen {
                    weight.backward(&mut copy, frozen, rows, true);
                }
                let mask = &masks[role.index()];
                par_rows(&mut copy, input, |i, row| mask.apply(i, row));
                par_add_assign(&mut dx[..rows * input], &copy, input);
                workspace.put(copy);
            }
            _ => gemm::nn(dx, &h, a, (rows, input, r), 1.0, true),
        }
    } else if let Some(copy) = copy {
        workspace.put(copy);
    }
    for buffer in [Some(h), scaled, frozen].into_iter().flatten() {
        workspace.put(buffer);
    }
}
