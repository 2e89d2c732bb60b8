//! Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1): queries, keys and values
//! expanded from normalised latents, with one rotated key shared by all heads.
//!
//! Only what lies below the attention kernel is here; the kernel sees ordinary heads whose keys are
//! wider than their values.

use super::block::{Context, Linears};
use super::deepseek::LatentAttention;
use super::family::Role;
use super::norm::Norm;
use super::workspace::Workspace;
use crate::kernels::latent::{self, Rotation};

/// Epsilon of the latents' normalisations: the published models and transformers keep it apart from
/// `rms_norm_eps`.
pub(super) const LATENT_EPS: f32 = 1e-6;

/// The normalisations of one layer's latents.
#[derive(Debug, Clone)]
pub struct LatentNorms {
    /// Of the query latent, where queries have one (`q_a_layernorm`).
    pub query: Option<Norm>,
    /// Of the key and value latent (`kv_a_layernorm`).
    pub key_value: Norm,
}

/// What the backward needs: the latents before their normalisation, each with its statistics.
#[derive(Debug)]
pub(super) struct Saved {
    query: Option<(Vec<f32>, Vec<f32>)>,
    key_value: (Vec<f32>, Vec<f32>),
}

impl Saved {
    pub(super) fn release(self, workspace: &Workspace) {
        for (values, stats) in self.query.into_iter().chain([self.key_value]) {
            workspace.put(values);
            workspace.put(stats);
        }
    }
}

fn rotation<'a>(ctx: &Context<'a>) -> Rotation<'a> {
    let table =
        ctx.places.rope.as_ref().expect("ModelConfig::validate asks for a rotary embedding here");
    Rotation { table, positions: &ctx.rows.positions }
}

fn norms<'a>(linears: &Linears<'a, '_>) -> &'a LatentNorms {
    linears.block.latent_norms.as_ref().expect("Block::load gives every latent attention its norms")
}

/// q, k and v of all rows, ready for the attention kernel.
pub(super) fn project(
    [q, k, v]: [&mut [f32]; 3],
    x: &[f32],
    attention: LatentAttention,
    linears: &Linears<'_, '_>,
    ctx: &Context<'_>,
) -> Saved {
    let (sizes, norms) = (attention.sizes, norms(linears));
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let query = match (attention.query_rank, &norms.query) {
        (Some(rank), Some(norm)) => {
            let (mut down, mut normed) = (ws.take(rows * rank), ws.take(rows * rank));
            linears.forward(&mut down, x, Role::QueryA);
            let stats = ctx.normalise(&mut normed, &down, norm);
            linears.forward(q, &normed, Role::QueryB);
            ws.put(normed);
            Some((down, stats))
        }
        _ => {
            linears.forward(q, x, Role::Query);
            None
        }
    };
    latent::rotate_queries(q, sizes, rotation(ctx), false);

    let mut compressed = ws.take(rows * sizes.compressed_width());
    linears.forward(&mut compressed, x, Role::KeyValueA);
    let (mut down, mut shared) = (ws.take(rows * sizes.latent), ws.take(rows * sizes.rope));
    latent::split_compressed(&mut down, &mut shared, &compressed, sizes, rotation(ctx));
    ws.put(compressed);
    let mut normed = ws.take(rows * sizes.latent);
    let stats = ctx.normalise(&mut normed, &down, &norms.key_value);
    let mut expanded = ws.take(rows * sizes.expanded_width());
    linears.forward(&mut expanded, &normed, Role::KeyValueB);
    ws.put(normed);
    latent::assemble(k, v, &expanded, &shared, sizes);
    ws.put(expanded);
    ws.put(shared);
    Saved { query, key_value: (down, stats) }
}

/// A latent's gradient below its normalisation and its up-projection `role`, where anything below
/// needs it.
fn latent_backward(
    dy: &[f32],
    role: Role,
    norm: &Norm,
    (values, stats): &(Vec<f32>, Vec<f32>),
    wanted: bool,
    linears: &mut Linears<'_, '_>,
    ctx: &Context<'_>,
) -> Option<Vec<f32>> {
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let len = rows * norm.width();
    let mut normed = ws.take(len);
    if linears.adapted(&[role]) {
        norm.recompute(&mut normed, stats, values);
    }
    let mut dnormed = ws.take(len);
    linears.backward(wanted.then_some(&mut dnormed[..]), false, dy, &normed, role);
    // The buffer of the normalised values serves the gradient below them.
    let mut below = normed;
    if wanted {
        norm.backward(&mut below, &dnormed, stats, values, false);
    }
    ws.put(dnormed);
    if wanted {
        Some(below)
    } else {
        ws.put(below);
        None
    }
}

/// Gradients from those of q, k and v: of the input into `dx` when wanted (written, not added), and
/// of the adapter. `x` is read only if a module that sees it carries an adapter. `dq` is used up.
pub(super) fn backward(
    mut dx: Option<&mut [f32]>,
    (dq, dk, dv): (&mut [f32], &[f32], &[f32]),
    x: &[f32],
    attention: LatentAttention,
    linears: &mut Linears<'_, '_>,
    ctx: &Context<'_>,
    saved: Option<&Saved>,
) {
    let Some(saved) = saved else { return };
    let (sizes, norms) = (attention.sizes, norms(linears));
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    latent::rotate_queries(dq, sizes, rotation(ctx), true);
    match (&saved.query, &norms.query) {
        (Some(saved), Some(norm)) => {
            let wanted = dx.is_some() || linears.adapted(&[Role::QueryA]);
            let below = latent_backward(dq, Role::QueryB, norm, saved, wanted, linears, ctx);
            if let Some(below) = below {
                linears.backward(dx.as_deref_mut(), false, &below, x, Role::QueryA);
                ws.put(below);
            }
        }
        _ => linears.backward(dx.as_deref_mut(), false, dq, x, Role::Query),
    }

    let mut dexpanded = ws.take(rows * sizes.expanded_width());
    let mut dshared = ws.take(rows * sizes.rope);
    latent::assemble_backward(&mut dexpanded, &mut dshared, dk, dv, sizes);
    let wanted = dx.is_some() || linears.adapted(&[Role::KeyValueA]);
    let (norm, saved) = (&norms.key_value, &saved.key_value);
    let below = latent_backward(&dexpanded, Role::KeyValueB, norm, saved, wanted, linears, ctx);
    if let Some(below) = below {
        let mut dcompressed = ws.take(rows * sizes.compressed_width());
        latent::split_compressed_backward(&mut dcompressed, &below, &dshared, sizes, rotation(ctx));
        linears.backward(dx, true, &dcompressed, x, Role::KeyValueA);
        ws.put(dcompressed);
        ws.put(below);
    }
    ws.put(dexpanded);
    ws.put(dshared);
}
