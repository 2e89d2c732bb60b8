//! The feed-forward of a block in its kinds.

use super::block::{Context, Linears};
use super::config::FeedForwardKind;
use super::family::Role;
use super::moe::{self, Experts};
use super::workspace::Workspace;

/// Modules that read the feed-forward's input.
pub(super) const INPUT_ROLES: [Role; 5] =
    [Role::Gate, Role::Up, Role::GateUp, Role::SharedGate, Role::SharedUp];

/// Gate, up and down projection of a feed-forward, and of the shared experts.
const ROLES: [Role; 3] = [Role::Gate, Role::Up, Role::Down];
const SHARED: [Role; 3] = [Role::SharedGate, Role::SharedUp, Role::SharedDown];

/// What the backward needs: the values before the activation.
#[derive(Debug)]
pub(super) enum Saved {
    Gated {
        gate: Vec<f32>,
        up: Vec<f32>,
    },
    GatedFused(Vec<f32>),
    Plain(Vec<f32>),
    /// Of the shared experts, if there are any, and of the routed ones.
    Experts(Option<Box<Saved>>, moe::Saved),
}

impl Saved {
    pub(super) fn release(self, workspace: &Workspace) {
        match self {
            Self::Gated { gate, up } => {
                workspace.put(gate);
                workspace.put(up);
            }
            Self::GatedFused(values) | Self::Plain(values) => workspace.put(values),
            Self::Experts(shared, routed) => {
                if let Some(shared) = shared {
                    shared.release(workspace);
                }
                routed.release(workspace);
            }
        }
    }
}

/// `act(gate) * up`, or `act(up)` without a gate, of `f` values a row.
fn activate(out: &mut [f32], saved: &Saved, f: usize, ctx: &Context<'_>) {
    let act = ctx.config.activation;
    match saved {
        Saved::Gated { gate, up } => act.gated(out, gate, up, f),
        Saved::GatedFused(values) => act.gated_fused(out, values, f),
        Saved::Plain(values) => act.plain(out, values, f),
        Saved::Experts(..) => {}
    }
}

/// The routed experts of a block whose feed-forward is a mixture.
fn experts<'a>(linears: &Linears<'a, '_>) -> &'a Experts {
    linears.block.experts.as_ref().expect("Block::load gives every mixture its experts")
}

/// Whether the block has shared experts.
fn has_shared(ctx: &Context<'_>) -> bool {
    ctx.config.experts.as_ref().is_some_and(|e| e.shared_intermediate_size > 0)
}

/// `y = feed_forward(x)` for all rows.
pub(super) fn forward(
    y: &mut [f32],
    x: &[f32],
    linears: &Linears<'_, '_>,
    ctx: &Context<'_>,
) -> Saved {
    let kind = ctx.config.feed_forward_kind(ctx.layer);
    if kind != FeedForwardKind::Experts {
        return dense_forward(y, x, kind, ROLES, linears, ctx);
    }
    let shared = if has_shared(ctx) {
        Some(Box::new(dense_forward(y, x, FeedForwardKind::Gated, SHARED, linears, ctx)))
    } else {
        y.fill(0.0);
        None
    };
    Saved::Experts(shared, experts(linears).forward(y, x, ctx.rows.len(), ctx.workspace))
}

fn dense_forward(
    y: &mut [f32],
    x: &[f32],
    kind: FeedForwardKind,
    [gate_role, up_role, down_role]: [Role; 3],
    linears: &Linears<'_, '_>,
    ctx: &Context<'_>,
) -> Saved {
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let f = linears.weight(down_role).input();
    let saved = match kind {
        FeedForwardKind::Gated | FeedForwardKind::Experts => {
            let (mut gate, mut up) = (ws.take(rows * f), ws.take(rows * f));
            linears.forward(&mut gate, x, gate_role);
            linears.forward(&mut up, x, up_role);
            Saved::Gated { gate, up }
        }
        FeedForwardKind::GatedFused => {
            let mut both = ws.take(rows * 2 * f);
            linears.forward(&mut both, x, Role::GateUp);
            Saved::GatedFused(both)
        }
        FeedForwardKind::Plain => {
            let mut up = ws.take(rows * f);
            linears.forward(&mut up, x, up_role);
            Saved::Plain(up)
        }
    };
    let mut activated = ws.take(rows * f);
    activate(&mut activated, &saved, f, ctx);
    linears.forward(y, &activated, down_role);
    ws.put(activated);
    saved
}

/// Gradients of the feed-forward: of its input into `dx` when wanted (written, not added), and of
/// the adapter. `x` is read only if a module that sees it carries an adapter.
pub(super) fn backward(
    mut dx: Option<&mut [f32]>,
    dy: &[f32],
    x: &[f32],
    linears: &mut Linears<'_, '_>,
    ctx: &Context<'_>,
    saved: &Saved,
) {
    let Saved::Experts(shared, routed) = saved else {
        return dense_backward(dx, dy, x, ROLES, linears, ctx, saved);
    };
    match (shared, dx.as_deref_mut()) {
        (Some(shared), dx) => dense_backward(dx, dy, x, SHARED, linears, ctx, shared),
        (None, Some(dx)) => dx.fill(0.0),
        (None, None) => {}
    }
    if let Some(dx) = dx {
        experts(linears).backward(dx, dy, ctx.rows.len(), ctx.workspace, routed);
    }
}

fn dense_backward(
    mut dx: Option<&mut [f32]>,
    dy: &[f32],
    x: &[f32],
    [gate_role, up_role, down_role]: [Role; 3],
    linears: &mut Linears<'_, '_>,
    ctx: &Context<'_>,
    saved: &Saved,
) {
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let f = linears.weight(down_role).input();
    let act = ctx.config.activation;
    let mut activated = ws.take(rows * f);
    if linears.adapted(&[down_role]) {
        activate(&mut activated, saved, f, ctx);
    }
    // Nothing else is wanted when only the down projection carries an adapter.
    let wanted = dx.is_some() || linears.adapted(&INPUT_ROLES);
    let mut dactivated = ws.take(rows * f);
    linears.backward(wanted.then_some(&mut dactivated[..]), false, dy, &activated, down_role);
    if wanted {
        match saved {
            Saved::Gated { gate, up } => {
                let mut dup = ws.take(rows * f);
                // The buffer of the activated values serves the gate's gradient.
                let dgate = &mut activated;
                act.gated_backward((dgate, &mut dup), &dactivated, (gate, up), f);
                linears.backward(dx.as_deref_mut(), false, dgate, x, gate_role);
                linears.backward(dx, true, &dup, x, up_role);
                ws.put(dup);
            }
            Saved::GatedFused(values) => {
                let mut dboth = ws.take(rows * 2 * f);
                act.gated_fused_backward(&mut dboth, &dactivated, values, f);
                linears.backward(dx, false, &dboth, x, Role::GateUp);
                ws.put(dboth);
            }
            Saved::Plain(values) => {
                let dup = &mut activated;
                act.plain_backward(dup, &dactivated, values, f);
                linears.backward(dx, false, dup, x, up_role);
            }
            Saved::Experts(..) => {}
        }
    }
    ws.put(activated);
    ws.put(dactivated);
}
