//! One decoder block: normalisations and residual connections around the attention and the
//! feed-forward, forward, and backward written by hand.
//!
//! The backward gives the gradient of the block's input and of its adapter; frozen weights never
//! get one, and nothing is computed below the lowest adapter. Normalised inputs and the activation
//! are recomputed instead of kept.

use super::attention;
use super::config::ModelConfig;
use super::family::Role;
use super::feed_forward;
use super::norm::Norm;
use super::weights::Block;
use super::workspace::Workspace;
use crate::kernels::linear::FrozenLinear;
use crate::kernels::par_add_assign;
use crate::kernels::rope::RopeTable;
use crate::lora::linear::{linear_backward, linear_forward, BlockAdapter, Gradient};

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

/// What the places of tokens need beyond their numbers.
#[derive(Debug, Clone)]
pub struct Places {
    /// Rotary tables, in models that turn queries and keys.
    pub rope: Option<RopeTable>,
    /// ALiBi's slope of each query head, or empty.
    pub slopes: Vec<f32>,
    limit: usize,
}

impl Places {
    /// The tables of a model for `positions` positions.
    pub fn new(config: &ModelConfig, positions: usize) -> Self {
        use super::config::Position;
        let rope = config.rotary().map(|r| r.table(config.head_dim, positions));
        let slopes = match config.position {
            Position::Alibi => crate::kernels::attention::alibi_slopes(config.num_attention_heads),
            Position::Rotary(_) | Position::Learned => Vec::new(),
        };
        Self { rope, slopes, limit: positions }
    }

    /// The tables of a pass whose longest sequence has `tokens` tokens, where those for all positions
    /// would be others ([`Rotary::same_up_to`](super::rotary::Rotary::same_up_to)).
    pub(super) fn of_length(config: &ModelConfig, tokens: usize) -> Option<Self> {
        config.rotary()?.same_up_to().map(|_| Self::new(config, tokens))
    }

    /// Number of positions that are covered.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

/// What the arithmetic of a block needs besides its weights.
pub struct Context<'a> {
    /// The model's parts and constants.
    pub config: &'a ModelConfig,
    /// The block's number from the bottom.
    pub layer: usize,
    /// Sequences of the batch.
    pub rows: &'a Rows,
    /// Tables of the positions.
    pub places: &'a Places,
    /// Buffers.
    pub workspace: &'a Workspace,
}

impl Context<'_> {
    /// Normalises all rows of `x` into `y`; returns the statistics.
    pub(super) fn normalise(&self, y: &mut [f32], x: &[f32], norm: &Norm) -> Vec<f32> {
        let mut stats = self.workspace.take(self.rows.len() * norm.stats());
        norm.forward(y, &mut stats, x);
        stats
    }
}

/// A block's linear modules in one pass: its weights, its adapter and where the gradient goes.
pub(super) struct Linears<'a, 'g> {
    pub(super) block: &'a Block,
    pub(super) adapter: Option<&'a BlockAdapter<'a>>,
    pub(super) gradient: Option<Gradient<'g>>,
    pub(super) rows: usize,
    pub(super) workspace: &'a Workspace,
}

impl<'a> Linears<'a, '_> {
    pub(super) fn weight(&self, role: Role) -> &'a FrozenLinear {
        self.block.module(role)
    }

    /// Whether any of the modules carries an adapter.
    pub(super) fn adapted(&self, roles: &[Role]) -> bool {
        self.adapter.is_some_and(|a| a.layout.any(roles))
    }

    /// `y = module(x)` for all rows.
    pub(super) fn forward(&self, y: &mut [f32], x: &[f32], role: Role) {
        let weight = self.weight(role);
        linear_forward(y, x, weight, role, self.adapter, self.rows, self.workspace);
    }

    /// The module's gradients from `dy`; `x` is read only if the module carries an adapter. `dx` is
    /// written, or added to when `accumulate`.
    pub(super) fn backward(
        &mut self,
        dx: Option<&mut [f32]>,
        accumulate: bool,
        dy: &[f32],
        x: &[f32],
        role: Role,
    ) {
        let weight = self.block.module(role);
        linear_backward(
            dx,
            accumulate,
            dy,
            x,
            weight,
            role,
            self.adapter,
            self.gradient.as_mut().map(Gradient::reborrow),
            self.rows,
            self.workspace,
        );
    }
}

/// What the backward needs from the forward.
#[derive(Debug)]
pub struct Saved {
    stats1: Vec<f32>,
    attention: attention::Saved,
    /// The attention's output and its statistics, where it is normalised.
    attention_norm: Option<(Vec<f32>, Vec<f32>)>,
    x1: Vec<f32>,
    stats2: Vec<f32>,
    feed_forward: feed_forward::Saved,
    feed_forward_norm: Option<(Vec<f32>, Vec<f32>)>,
}

impl Saved {
    fn release(self, workspace: &Workspace) {
        self.attention.release(workspace);
        self.feed_forward.release(workspace);
        for buffer in [self.stats1, self.x1, self.stats2] {
            workspace.put(buffer);
        }
        for norm in self.attention_norm.into_iter().chain(self.feed_forward_norm) {
            release_norm(norm, workspace);
        }
    }
}

fn release_norm((values, stats): (Vec<f32>, Vec<f32>), workspace: &Workspace) {
    workspace.put(values);
    workspace.put(stats);
}

/// Normalises a sub-layer's output in place, where the model does that; returns what it was.
fn normalise_output(
    y: &mut [f32],
    norm: Option<&Norm>,
    ctx: &Context<'_>,
) -> Option<(Vec<f32>, Vec<f32>)> {
    let norm = norm?;
    let mut before = ctx.workspace.take(y.len());
    before.copy_from_slice(y);
    let stats = ctx.normalise(y, &before, norm);
    Some((before, stats))
}

/// The gradient of a sub-layer's output below its normalisation; `dy` itself without one.
fn output_gradient(
    dy: &[f32],
    norm: Option<&Norm>,
    saved: Option<&(Vec<f32>, Vec<f32>)>,
    ws: &Workspace,
) -> Option<Vec<f32>> {
    let (norm, (before, stats)) = (norm?, saved?);
    let mut below = ws.take(dy.len());
    norm.backward(&mut below, dy, stats, before, false);
    Some(below)
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
    let d = ctx.config.hidden_size;
    let (x, y) = (&x[..rows * d], &mut y[..rows * d]);
    let linears = Linears { block, adapter, gradient: None, rows, workspace: ws };

    let mut normed = ws.take(rows * d);
    let stats1 = ctx.normalise(&mut normed, x, &block.input_norm);
    let mut x1 = ws.take(rows * d);
    let attention = attention::forward(&mut x1, &normed, &linears, ctx);
    let attention_norm = normalise_output(&mut x1, block.attention_output_norm.as_ref(), ctx);
    par_add_assign(&mut x1, if ctx.config.residual_after_norm { &normed } else { x }, d);

    let stats2 = ctx.normalise(&mut normed, &x1, &block.feed_forward_norm);
    let feed_forward = feed_forward::forward(y, &normed, &linears, ctx);
    let feed_forward_norm = normalise_output(y, block.feed_forward_output_norm.as_ref(), ctx);
    par_add_assign(y, if ctx.config.residual_after_norm { &normed } else { &x1 }, d);

    ws.put(normed);
    let saved =
        Saved { stats1, attention, attention_norm, x1, stats2, feed_forward, feed_forward_norm };
    if keep {
        Some(saved)
    } else {
        saved.release(ws);
        None
    }
}

/// Gradients of a block: of its input into `dx` (when wanted) and of its adapter into `gradient`.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    dx: Option<&mut [f32]>,
    gradient: Option<Gradient<'_>>,
    dy: &[f32],
    x: &[f32],
    block: &Block,
    adapter: Option<&BlockAdapter<'_>>,
    ctx: &Context<'_>,
    saved: Saved,
) {
    let (rows, ws) = (ctx.rows.len(), ctx.workspace);
    let d = ctx.config.hidden_size;
    let (x, dy) = (&x[..rows * d], &dy[..rows * d]);
    let after_norm = ctx.config.residual_after_norm;
    let Saved { stats1, attention, attention_norm, x1, stats2, feed_forward, feed_forward_norm } =
        saved;
    let mut linears = Linears { block, adapter, gradient, rows, workspace: ws };
    let below_feed_forward = dx.is_some() || linears.adapted(&attention::ROLES);

    // Feed-forward.
    let mut normed = ws.take(rows * d);
    if linears.adapted(&feed_forward::INPUT_ROLES) {
        block.feed_forward_norm.recompute(&mut normed, &stats2, &x1);
    }
    let mut dnormed = ws.take(rows * d);
    let below = output_gradient(
        dy,
        block.feed_forward_output_norm.as_ref(),
        feed_forward_norm.as_ref(),
        ws,
    );
    feed_forward::backward(
        below_feed_forward.then_some(&mut dnormed[..]),
        below.as_deref().unwrap_or(dy),
        &normed,
        &mut linears,
        ctx,
        &feed_forward,
    );
    below.into_iter().for_each(|b| ws.put(b));
    // What the attention's backward allocates finds its place here.
    feed_forward.release(ws);
    if let Some(norm) = feed_forward_norm {
        release_norm(norm, ws);
    }

    // Attention.
    if below_feed_forward {
        let mut dx1 = ws.take(rows * d);
        let norm = &block.feed_forward_norm;
        if after_norm {
            par_add_assign(&mut dnormed, dy, d);
            norm.backward(&mut dx1, &dnormed, &stats2, &x1, false);
        } else {
            dx1.copy_from_slice(dy);
            norm.backward(&mut dx1, &dnormed, &stats2, &x1, true);
        }
        if linears.adapted(&attention::INPUT_ROLES) {
            block.input_norm.recompute(&mut normed, &stats1, x);
        }
        let below = output_gradient(
            &dx1,
            block.attention_output_norm.as_ref(),
            attention_norm.as_ref(),
            ws,
        );
        attention::backward(
            dx.is_some().then_some(&mut dnormed[..]),
            below.as_deref().unwrap_or(&dx1),
            &normed,
            &mut linears,
            ctx,
            &attention,
        );
        below.into_iter().for_each(|b| ws.put(b));
        if let Some(dx) = dx {
            let dx = &mut dx[..rows * d];
            if after_norm {
                par_add_assign(&mut dnormed, &dx1, d);
                block.input_norm.backward(dx, &dnormed, &stats1, x, false);
            } else {
                dx.copy_from_slice(&dx1);
                block.input_norm.backward(dx, &dnormed, &stats1, x, true);
            }
        }
        ws.put(dx1);
    }
    ws.put(normed);
    ws.put(dnormed);
    attention.release(ws);
    for buffer in [stats1, x1, stats2] {
        ws.put(buffer);
    }
    if let Some(norm) = attention_norm {
        release_norm(norm, ws);
    }
}
