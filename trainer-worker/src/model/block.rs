//! One decoder block: forward, and backward written by hand.
//!
//! The backward gives the gradient of the block's input and of its adapter; frozen weights never
//! get one, and nothing is computed below the lowest adapter. Normalised inputs and the gated
//! activation are recomputed instead of kept.

use super::linear::FrozenLinear;
use super::weights::Block;
use super::workspace::Workspace;
use crate::kernels::attention::{self, Heads};
use crate::kernels::rope::{self, RopeTable};
use crate::kernels::{activation, gemm, norm, par_add_assign, par_rows};
use crate::lora::{Layout, Module, Slot};
use crate::rng::DropoutMask;

/// Sequences laid end to end, without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Sequence `s` holds rows `offsets[s]..offsets[s + 1]`.
    pub offsets: Vec<usize>,
    /// Each row's position within its sequence.
    pub positions: Vec<u32>,
}

impl Rows {
    /// The rows of sequences of the given lengths.
    pub fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut rows = Self { offsets: vec![0], positions: Vec::new() };
        for len in lengths {
            rows.positions.extend(0..len as u32);
            rows.offsets.push(rows.positions.len());
        }
        rows
    }

    /// Number of rows in all.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }
}

/// What the arithmetic of a block needs besides its weights.
pub struct Context<'a> {
    /// Sequences of the batch.
    pub rows: &'a Rows,
    /// Sizes of the heads.
    pub heads: Heads,
    /// Rotary tables.
    pub rope: &'a RopeTable,
    /// Epsilon of the normalisations.
    pub eps: f32,
    /// Buffers.
    pub workspace: &'a Workspace,
}

/// The adapter of one block during one pass.
pub struct BlockAdapter<'a> {
    /// Where the tensors lie.
    pub layout: &'a Layout,
    /// The layer's parameters.
    pub parameters: &'a [f32],
    /// `alpha / r`.
    pub scaling: f32,
    /// Dropout of each module's input, by [`Module::index`]; none when not training.
    pub dropout: Option<&'a [DropoutMask; 7]>,
}

/// What the backward needs from the forward.
#[derive(Debug)]
pub struct Saved {
    inverse1: Vec<f32>,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    attention: Vec<f32>,
    x1: Vec<f32>,
    inverse2: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
}

impl Saved {
    fn release(self, workspace: &Workspace) {
        for buffer in [
            self.inverse1,
            self.q,
            self.k,
            self.v,
            self.attention,
            self.x1,
            self.inverse2,
            self.gate,
            self.up,
        ] {
            workspace.put(buffer);
        }
    }
}

const ATTENTION_IN: [Module; 3] = [Module::Query, Module::Key, Module::Value];
const BELOW_OUTPUT: [Module; 4] = [Module::Query, Module::Key, Module::Value, Module::Output];

/// The adapter's input: `x`, or a dropped-out copy of it.
fn dropped(
    x: &[f32],
    slot: &Slot,
    module: Module,
    adapter: &BlockAdapter<'_>,
    rows: usize,
    workspace: &Workspace,
) -> Option<Vec<f32>> {
    let mask = &adapter.dropout?[module.index()];
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
    module: Module,
    adapter: Option<&BlockAdapter<'_>>,
    rows: usize,
    workspace: &Workspace,
) {
    weight.forward(y, x, rows);
    let Some(adapter) = adapter else { return };
    let Some(slot) = adapter.layout.slot(module) else { return };
    let (a, b) = slot.split(adapter.parameters);
    let mut h = workspace.take(rows * slot.r);
    if rows == 1 && adapter.dropout.is_none() {
        gemm::gemv(&mut h, &x[..slot.input], a, 1.0, false);
        gemm::gemv(&mut y[..slot.output], &h, b, adapter.scaling, true);
    } else {
        let copy = dropped(x, slot, module, adapter, rows, workspace);
        let input = copy.as_deref().unwrap_or(x);
        gemm::nt(&mut h, input, a, (rows, slot.r, slot.input), 1.0, false);
        gemm::nt(y, &h, b, (rows, slot.output, slot.r), adapter.scaling, true);
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
    module: Module,
    adapter: Option<&BlockAdapter<'_>>,
    gradient: Option<&mut [f32]>,
    rows: usize,
    workspace: &Workspace,
) {
    if let Some(dx) = dx.as_deref_mut() {
        weight.backward(dx, dy, rows, accumulate);
    }
    let (Some(adapter), Some(gradient)) = (adapter, gradient) else { return };
    let Some(slot) = adapter.layout.slot(module) else { return };
    let (a, b) = slot.split(adapter.parameters);
    let (da, db) = slot.split_mut(gradient);
    let (r, input, output) = (slot.r, slot.input, slot.output);
    let copy = dropped(x, slot, module, adapter, rows, workspace);
    let seen = copy.as_deref().unwrap_or(x);
    let mut h = workspace.take(rows * r);
    gemm::nt(&mut h, seen, a, (rows, r, input), 1.0, false);
    gemm::tn(db, dy, &h, (output, r, rows), adapter.scaling, true);
    // From here `h` holds its own gradient.
    gemm::nn(&mut h, dy, b, (rows, r, output), adapter.scaling, false);
    gemm::tn(da, &h, seen, (r, input, rows), 1.0, true);
    if let Some(dx) = dx {
        match (copy, adapter.dropout) {
            (Some(mut copy), Some(masks)) => {
                gemm::nn(&mut copy, &h, a, (rows, input, r), 1.0, false);
                let mask = &masks[module.index()];
                par_rows(&mut copy, input, |i, row| mask.apply(i, row));
                par_add_assign(&mut dx[..rows * input], &copy, input);
                workspace.put(copy);
            }
            _ => gemm::nn(dx, &h, a, (rows, input, r), 1.0, true),
        }
    } else if let Some(copy) = copy {
        workspace.put(copy);
    }
    workspace.put(h);
}

/// `y = block(x)` for all rows. With `keep`, returns what [`backward`] needs.
pub fn forward(
    y: &mut [f32],
    x: &[f32],
    block: &Block,
    adapter: Option<&BlockAdapter<'_>>,
    ctx: &Context<'_>,
    keep: bool,
) -> Option<Saved> {
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let d = block.input_norm.len();
    let (qw, kw) = (ctx.heads.query_width(), ctx.heads.key_value_width());
    let f = block.module(Module::Gate).output();
    let linear = |y: &mut [f32], x: &[f32], module: Module| {
        linear_forward(y, x, block.module(module), module, adapter, rows, ws);
    };

    let mut normed = ws.take(rows * d);
    let mut inverse1 = ws.take(rows);
    norm::forward(&mut normed, &mut inverse1, x, &block.input_norm, ctx.eps);
    let (mut q, mut k, mut v) = (ws.take(rows * qw), ws.take(rows * kw), ws.take(rows * kw));
    linear(&mut q, &normed, Module::Query);
    linear(&mut k, &normed, Module::Key);
    linear(&mut v, &normed, Module::Value);
    rope::apply(&mut q, qw, ctx.rope, &ctx.rows.positions, false);
    rope::apply(&mut k, kw, ctx.rope, &ctx.rows.positions, false);
    let mut attended = ws.take(rows * qw);
    attention::forward(&mut attended, &q, &k, &v, &ctx.rows.offsets, ctx.heads);
    let mut x1 = ws.take(rows * d);
    linear(&mut x1, &attended, Module::Output);
    par_add_assign(&mut x1, x, d);

    let mut inverse2 = ws.take(rows);
    norm::forward(&mut normed, &mut inverse2, &x1, &block.post_norm, ctx.eps);
    let (mut gate, mut up) = (ws.take(rows * f), ws.take(rows * f));
    linear(&mut gate, &normed, Module::Gate);
    linear(&mut up, &normed, Module::Up);
    let mut gated = ws.take(rows * f);
    activation::silu_mul(&mut gated, &gate, &up, f);
    linear(y, &gated, Module::Down);
    par_add_assign(&mut y[..rows * d], &x1, d);

    ws.put(normed);
    ws.put(gated);
    let saved = Saved { inverse1, q, k, v, attention: attended, x1, inverse2, gate, up };
    if keep {
        Some(saved)
    } else {
        saved.release(ws);
        None
    }
}

/// Gradients of a block: of its input into `dx` (when wanted) and of its adapter into `gradient`
/// (zero or partial sums on entry; added to).
#[allow(clippy::too_many_arguments)]
pub fn backward(
    dx: Option<&mut [f32]>,
    mut gradient: Option<&mut [f32]>,
    dy: &[f32],
    x: &[f32],
    block: &Block,
    adapter: Option<&BlockAdapter<'_>>,
    ctx: &Context<'_>,
    saved: Saved,
) {
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let d = block.input_norm.len();
    let (qw, kw) = (ctx.heads.query_width(), ctx.heads.key_value_width());
    let f = block.module(Module::Gate).output();
    let has = |modules: &[Module]| adapter.is_some_and(|a| a.layout.any(modules));
    let linear = |dx: Option<&mut [f32]>,
                  accumulate: bool,
                  dy: &[f32],
                  x: &[f32],
                  module: Module,
                  gradient: Option<&mut [f32]>| {
        let weight = block.module(module);
        linear_backward(dx, accumulate, dy, x, weight, module, adapter, gradient, rows, ws);
    };

    // Feed-forward.
    let below_feed_forward = dx.is_some() || has(&BELOW_OUTPUT);
    let mut gated = ws.take(rows * f);
    if has(&[Module::Down]) {
        activation::silu_mul(&mut gated, &saved.gate, &saved.up, f);
    }
    let mut dgated = ws.take(rows * f);
    linear(Some(&mut dgated), false, dy, &gated, Module::Down, gradient.as_deref_mut());
    let mut dgate = gated;
    let mut dup = ws.take(rows * f);
    activation::silu_mul_backward(&mut dgate, &mut dup, &dgated, &saved.gate, &saved.up, f);
    ws.put(dgated);
    let mut normed = ws.take(rows * d);
    if has(&[Module::Gate, Module::Up]) {
        norm::recompute(&mut normed, &saved.inverse2, &saved.x1, &block.post_norm);
    }
    let mut dnormed = ws.take(rows * d);
    let out = if below_feed_forward { Some(&mut dnormed[..]) } else { None };
    linear(out, false, &dgate, &normed, Module::Gate, gradient.as_deref_mut());
    let out = if below_feed_forward { Some(&mut dnormed[..]) } else { None };
    linear(out, true, &dup, &normed, Module::Up, gradient.as_deref_mut());
    ws.put(dgate);
    ws.put(dup);

    // Attention.
    if below_feed_forward {
        let mut dx1 = ws.take(rows * d);
        dx1.copy_from_slice(&dy[..rows * d]);
        norm::backward(&mut dx1, &dnormed, &saved.inverse2, &saved.x1, &block.post_norm, true);
        let below_output = dx.is_some() || has(&ATTENTION_IN);
        let mut dattended = ws.take(rows * qw);
        let out = if below_output { Some(&mut dattended[..]) } else { None };
        linear(out, false, &dx1, &saved.attention, Module::Output, gradient.as_deref_mut());
        if below_output {
            let (mut dq, mut dk, mut dv) =
                (ws.take(rows * qw), ws.take(rows * kw), ws.take(rows * kw));
            attention::backward(
                (&mut dq, &mut dk, &mut dv),
                &dattended,
                &saved.attention,
                (&saved.q, &saved.k, &saved.v),
                &ctx.rows.offsets,
                ctx.heads,
            );
            rope::apply(&mut dq, qw, ctx.rope, &ctx.rows.positions, true);
            rope::apply(&mut dk, kw, ctx.rope, &ctx.rows.positions, true);
            if has(&ATTENTION_IN) {
                norm::recompute(&mut normed, &saved.inverse1, x, &block.input_norm);
            }
            let want = dx.is_some();
            for (i, (dy, module)) in
                [(&dq, Module::Query), (&dk, Module::Key), (&dv, Module::Value)]
                    .into_iter()
                    .enumerate()
            {
                let out = if want { Some(&mut dnormed[..]) } else { None };
                linear(out, i > 0, dy, &normed, module, gradient.as_deref_mut());
            }
            if let Some(dx) = dx {
                let dx = &mut dx[..rows * d];
                dx.copy_from_slice(&dx1);
                norm::backward(dx, &dnormed, &saved.inverse1, x, &block.input_norm, true);
            }
            for buffer in [dq, dk, dv] {
                ws.put(buffer);
            }
        }
        ws.put(dx1);
        ws.put(dattended);
    }
    ws.put(normed);
    ws.put(dnormed);
    saved.release(ws);
}
