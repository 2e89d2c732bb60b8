//! The feed-forward of a block in its three kinds.

use super::block::{Context, Linears};
use super::config::FeedForwardKind;
use super::family::Role;
use super::workspace::Workspace;

/// Modules that read the feed-forward's input.
pub(super) const INPUT_ROLES: [Role; 5] =
    [Role::Gate, Role::Up, Role::GateUp, Role::SharedGate, Role::SharedUp];

/// What the backward needs: the values before the activation.
#[derive(Debug)]
pub(super) enum Saved {
    Gated { gate: Vec<f32>, up: Vec<f32> },
    GatedFused(Vec<f32>),
    Plain(Vec<f32>),
}

impl Saved {
    pub(super) fn release(self, workspace: &Workspace) {
        match self {
            Self::Gated { gate, up } => {
                workspace.put(gate);
                workspace.put(up);
            }
            Self::GatedFused(values) | Self::Plain(values) => workspace.put(values),
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
    }
}

/// `y = feed_forward(x)` for all rows.
pub(super) fn forward(
    y: &mut [f32],
    x: &[f32],
    linears: &Linears<'_, '_>,
    ctx: &Context<'_>,
) -> Saved {
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let f = linears.weight(Role::Down).input();
    let saved = match ctx.config.feed_forward_kind(ctx.layer) {
        FeedForwardKind::Gated => {
            let (mut gate, mut up) = (ws.take(rows * f), ws.take(rows * f));
            linears.forward(&mut gate, x, Role::Gate);
            linears.forward(&mut up, x, Role::Up);
            Saved::Gated { gate, up }
        }
        FeedForwardKind::GatedFused => {
            let mut both = ws.take(rows * 2 * f);
            linears.forward(&mut both, x, Role::GateUp);
            Saved::GatedFused(both)
        }
        FeedForwardKind::Plain => {
            let mut up = ws.take(rows * f);
            linears.forward(&mut up, x, Role::Up);
            Saved::Plain(up)
        }
    };
    let mut activated = ws.take(rows * f);
    activate(&mut activated, &saved, f, ctx);
    linears.forward(y, &activated, Role::Down);
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
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let f = linears.weight(Role::Down).input();
    let act = ctx.config.activation;
    let mut activated = ws.take(rows * f);
    if linears.adapted(&[Role::Down]) {
        activate(&mut activated, saved, f, ctx);
    }
    // Nothing else is wanted when only the down projection carries an adapter.
    let wanted = dx.is_some() || linears.adapted(&INPUT_ROLES);
    let mut dactivated = ws.take(rows * f);
    linears.backward(wanted.then_some(&mut dactivated[..]), false, dy, &activated, Role::Down);
    if wanted {
        match saved {
            Saved::Gated { gate, up } => {
                let mut dup = ws.take(rows * f);
                // The buffer of the activated values serves the gate's gradient.
                let dgate = &mut activated;
                act.gated_backward((dgate, &mut dup), &dactivated, (gate, up), f);
                linears.backward(dx.as_deref_mut(), false, dgate, x, Role::Gate);
                linears.backward(dx, true, &dup, x, Role::Up);
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
                linears.backward(dx, false, dup, x, Role::Up);
            }
        }
    }
    ws.put(activated);
    ws.put(dactivated);
}
