//! The attention of a block: projections, per-head normalisation, rotary embedding, the kernel, and
//! the output projection.

use super::block::{Context, Linears};
use super::config::{AttentionKind, FusedLayout};
use super::family::Role;
use super::mla;
use super::workspace::Workspace;
use crate::kernels::attention::{self as kernel, Bias, Heads};
use crate::kernels::{norm, par_rows, rope};

/// Modules that read the attention's input.
pub(super) const INPUT_ROLES: [Role; 7] = [
    Role::Query,
    Role::Key,
    Role::Value,
    Role::QueryKeyValue,
    Role::QueryA,
    Role::QueryB,
    Role::KeyValueA,
];

/// All modules of the attention.
pub(super) const ROLES: [Role; 9] = [
    Role::Query,
    Role::Key,
    Role::Value,
    Role::QueryKeyValue,
    Role::QueryA,
    Role::QueryB,
    Role::KeyValueA,
    Role::KeyValueB,
    Role::Output,
];

/// Modules below the attention kernel.
const BELOW_OUTPUT: [Role; 8] = [
    Role::Query,
    Role::Key,
    Role::Value,
    Role::QueryKeyValue,
    Role::QueryA,
    Role::QueryB,
    Role::KeyValueA,
    Role::KeyValueB,
];

/// What the backward needs.
#[derive(Debug)]
pub(super) struct Saved {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    attended: Vec<f32>,
    /// q and k before their normalisation, each with its statistics.
    raw: Option<[(Vec<f32>, Vec<f32>); 2]>,
    latent: Option<mla::Saved>,
}

impl Saved {
    pub(super) fn release(self, workspace: &Workspace) {
        for buffer in [self.q, self.k, self.v, self.attended] {
            workspace.put(buffer);
        }
        for (values, stats) in self.raw.into_iter().flatten() {
            workspace.put(values);
            workspace.put(stats);
        }
        if let Some(latent) = self.latent {
            latent.release(workspace);
        }
    }
}

/// Where head `h` of q, k and v begins in a row of a fused projection, for heads 0, 1, … of each.
pub(super) fn fused_starts(layout: FusedLayout, heads: Heads) -> [Vec<usize>; 3] {
    let (dim, value_dim) = (heads.dim, heads.value_dim);
    match layout {
        FusedLayout::Sections => {
            let (q, k) = (heads.query_width(), heads.key_width());
            [
                (0..heads.query).map(|h| h * dim).collect(),
                (0..heads.key_value).map(|h| q + h * dim).collect(),
                (0..heads.key_value).map(|h| q + k + h * value_dim).collect(),
            ]
        }
        FusedLayout::PerHead => {
            let all = 2 * dim + value_dim;
            let part = |at: usize| (0..heads.query).map(|h| h * all + at).collect();
            [part(0), part(dim), part(2 * dim)]
        }
    }
}

/// Copies the heads that begin at `starts` out of rows of `width` values.
fn gather_heads(out: &mut [f32], fused: &[f32], width: usize, starts: &[usize], dim: usize) {
    par_rows(out, starts.len() * dim, |i, row| {
        let from = &fused[i * width..][..width];
        for (head, start) in row.chunks_exact_mut(dim).zip(starts) {
            head.copy_from_slice(&from[*start..][..dim]);
        }
    });
}

/// The reverse of [`gather_heads`].
fn scatter_heads(fused: &mut [f32], part: &[f32], width: usize, starts: &[usize], dim: usize) {
    par_rows(fused, width, |i, row| {
        let from = &part[i * starts.len() * dim..][..starts.len() * dim];
        for (head, start) in from.chunks_exact(dim).zip(starts) {
            row[*start..][..dim].copy_from_slice(head);
        }
    });
}

/// q, k and v as the projections give them; those of a latent attention are ready for the kernel.
fn project(
    x: &[f32],
    linears: &Linears<'_, '_>,
    ctx: &Context<'_>,
    heads: Heads,
) -> ([Vec<f32>; 3], Option<mla::Saved>) {
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let mut q = ws.take(rows * heads.query_width());
    let mut k = ws.take(rows * heads.key_width());
    let mut v = ws.take(rows * heads.value_width());
    match ctx.config.attention_kind(ctx.layer) {
        AttentionKind::Separate => {
            linears.forward(&mut q, x, Role::Query);
            linears.forward(&mut k, x, Role::Key);
            linears.forward(&mut v, x, Role::Value);
        }
        AttentionKind::Latent(latent) => {
            let saved = mla::project([&mut q, &mut k, &mut v], x, latent, linears, ctx);
            return ([q, k, v], Some(saved));
        }
        AttentionKind::Fused(layout) => {
            let width = linears.weight(Role::QueryKeyValue).output();
            let mut fused = ws.take(rows * width);
            linears.forward(&mut fused, x, Role::QueryKeyValue);
            let [qs, ks, vs] = fused_starts(layout, heads);
            gather_heads(&mut q, &fused, width, &qs, heads.dim);
            gather_heads(&mut k, &fused, width, &ks, heads.dim);
            gather_heads(&mut v, &fused, width, &vs, heads.value_dim);
            ws.put(fused);
        }
    }
    ([q, k, v], None)
}

/// Normalises each head of `x` in place; returns what it was, and the statistics.
fn normalise_heads(x: &mut Vec<f32>, weight: &[f32], ctx: &Context<'_>) -> (Vec<f32>, Vec<f32>) {
    let ws = ctx.workspace;
    let mut normed = ws.take(x.len());
    let mut stats = ws.take(x.len() / weight.len());
    norm::forward(&mut normed, &mut stats, x, weight, ctx.config.norm_eps);
    (std::mem::replace(x, normed), stats)
}

/// `y = attention(x)` for all rows.
pub(super) fn forward(
    y: &mut [f32],
    x: &[f32],
    linears: &Linears<'_, '_>,
    ctx: &Context<'_>,
) -> Saved {
    let heads = ctx.config.heads(ctx.layer);
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let (qw, kw) = (heads.query_width(), heads.key_width());
    let ([mut q, mut k, v], latent) = project(x, linears, ctx, heads);
    let raw = linears.block.head_norms.as_ref().map(|[query, key]| {
        [normalise_heads(&mut q, query, ctx), normalise_heads(&mut k, key, ctx)]
    });
    if let (Some(table), None) = (&ctx.places.rope, &latent) {
        rope::apply(&mut q, qw, table, &ctx.rows.positions, false);
        rope::apply(&mut k, kw, table, &ctx.rows.positions, false);
    }
    let bias = Bias { window: ctx.config.window(ctx.layer), slopes: &ctx.places.slopes };
    let ow = heads.output_width();
    let mut attended = ws.take(rows * ow);
    kernel::forward(&mut attended, (&q, &k, &v), &ctx.rows.offsets, heads, bias);
    linears.forward(y, &attended, Role::Output);
    Saved { q, k, v, attended, raw, latent }
}

/// Gradients of the attention: of its input into `dx` when wanted (written, not added), and of the
/// adapter. `x` is read only if a module that sees it carries an adapter.
pub(super) fn backward(
    mut dx: Option<&mut [f32]>,
    dy: &[f32],
    x: &[f32],
    linears: &mut Linears<'_, '_>,
    ctx: &Context<'_>,
    saved: &Saved,
) {
    let heads = ctx.config.heads(ctx.layer);
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let (qw, kw, vw) = (heads.query_width(), heads.key_width(), heads.value_width());
    let below_output = dx.is_some() || linears.adapted(&BELOW_OUTPUT);
    let mut dattended = ws.take(rows * heads.output_width());
    let out = below_output.then_some(&mut dattended[..]);
    linears.backward(out, false, dy, &saved.attended, Role::Output);
    if !below_output {
        ws.put(dattended);
        return;
    }
    let (mut dq, mut dk, mut dv) = (ws.take(rows * qw), ws.take(rows * kw), ws.take(rows * vw));
    kernel::backward(
        (&mut dq, &mut dk, &mut dv),
        (&dattended, &saved.attended),
        (&saved.q, &saved.k, &saved.v),
        &ctx.rows.offsets,
        heads,
        Bias { window: ctx.config.window(ctx.layer), slopes: &ctx.places.slopes },
    );
    ws.put(dattended);
    if let (Some(table), None) = (&ctx.places.rope, &saved.latent) {
        rope::apply(&mut dq, qw, table, &ctx.rows.positions, true);
        rope::apply(&mut dk, kw, table, &ctx.rows.positions, true);
    }
    if let (Some(raw), Some(weights)) = (&saved.raw, &linears.block.head_norms) {
        for ((d, (values, stats)), weight) in [&mut dq, &mut dk].into_iter().zip(raw).zip(weights) {
            let mut below = ws.take(d.len());
            norm::backward(&mut below, d, stats, values, weight, false);
            ws.put(std::mem::replace(d, below));
        }
    }
    match ctx.config.attention_kind(ctx.layer) {
        AttentionKind::Separate => {
            let parts = [(&dq, Role::Query), (&dk, Role::Key), (&dv, Role::Value)];
            for (i, (dy, role)) in parts.into_iter().enumerate() {
                linears.backward(dx.as_deref_mut(), i > 0, dy, x, role);
            }
        }
        AttentionKind::Latent(latent) => {
            let gradients = (&mut dq[..], &dk[..], &dv[..]);
            mla::backward(dx, gradients, x, latent, linears, ctx, saved.latent.as_ref());
        }
        AttentionKind::Fused(layout) => {
            let width = linears.weight(Role::QueryKeyValue).output();
            let mut fused = ws.take(rows * width);
            let [qs, ks, vs] = fused_starts(layout, heads);
            scatter_heads(&mut fused, &dq, width, &qs, heads.dim);
            scatter_heads(&mut fused, &dk, width, &ks, heads.dim);
            scatter_heads(&mut fused, &dv, width, &vs, heads.value_dim);
            linears.backward(dx, false, &fused, x, Role::QueryKeyValue);
            ws.put(fused);
        }
    }
    for buffer in [dq, dk, dv] {
        ws.put(buffer);
    }
}
