//! The rearrangements of multi-head latent attention (MLA; DeepSeek-V2, arXiv 2405.04434, section
//! 2.1): what lies between its projections.
//!
//! A query head is `nope` values without position followed by `rope` rotated ones. Keys share one
//! rotated part among all heads; the rest of each key head and its values come out of one projection
//! as `[nope | value]` a head.

use super::rope::RopeTable;
use super::{add_assign, par_rows};

/// Sizes of multi-head latent attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latent {
    /// Attention heads.
    pub heads: usize,
    /// Values of a query and key head that carry no position.
    pub nope: usize,
    /// Values of a query and key head that are rotated; even.
    pub rope: usize,
    /// Values of a value head.
    pub value: usize,
    /// Width of the latent from which keys and values are expanded.
    pub latent: usize,
}

impl Latent {
    /// Values of a query or key head.
    pub fn key(&self) -> usize {
        self.nope + self.rope
    }

    /// Values a token in q and in k.
    pub fn key_width(&self) -> usize {
        self.heads * self.key()
    }

    /// Values a token in v and in the attention's output.
    pub fn value_width(&self) -> usize {
        self.heads * self.value
    }

    /// Values a token that the latent is expanded to: keys without position, and values.
    pub fn expanded_width(&self) -> usize {
        self.heads * (self.nope + self.value)
    }

    /// Values a token of the compressed key and value: the latent and the shared rotated key.
    pub fn compressed_width(&self) -> usize {
        self.latent + self.rope
    }
}

/// Rotary tables and the places of rows.
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    /// Cosines and sines, `rope / 2` a position; they carry yarn's factor, if there is one.
    pub table: &'a RopeTable,
    /// Each row's place in its sequence.
    pub positions: &'a [u32],
}

impl Rotation<'_> {
    fn turn(&self, row: usize, x: &mut [f32], inverse: bool) {
        self.table.turn(x, self.positions[row] as usize, inverse);
    }
}

/// Rotates the last `rope` values of every query head in place; `inverse` gives the gradient.
pub fn rotate_queries(q: &mut [f32], sizes: Latent, rotation: Rotation<'_>, inverse: bool) {
    par_rows(q, sizes.key_width(), |row, q| {
        for head in q.chunks_exact_mut(sizes.key()) {
            rotation.turn(row, &mut head[sizes.nope..], inverse);
        }
    });
}

/// Splits the compressed rows `[latent | shared key]` and rotates the shared key.
pub fn split_compressed(
    latent: &mut [f32],
    shared: &mut [f32],
    compressed: &[f32],
    sizes: Latent,
    rotation: Rotation<'_>,
) {
    let width = sizes.compressed_width();
    par_rows(latent, sizes.latent, |row, latent| {
        latent.copy_from_slice(&compressed[row * width..][..sizes.latent]);
    });
    par_rows(shared, sizes.rope, |row, shared| {
        shared.copy_from_slice(&compressed[row * width + sizes.latent..][..sizes.rope]);
        rotation.turn(row, shared, false);
    });
}

/// The gradient of [`split_compressed`]: joins the gradients of the latent and of the rotated key.
pub fn split_compressed_backward(
    dcompressed: &mut [f32],
    dlatent: &[f32],
    dshared: &[f32],
    sizes: Latent,
    rotation: Rotation<'_>,
) {
    par_rows(dcompressed, sizes.compressed_width(), |row, out| {
        let (latent, shared) = out.split_at_mut(sizes.latent);
        latent.copy_from_slice(&dlatent[row * sizes.latent..][..sizes.latent]);
        shared.copy_from_slice(&dshared[row * sizes.rope..][..sizes.rope]);
        rotation.turn(row, shared, true);
    });
}

/// Keys `[nope | shared]` a head and values, from the expanded latent and the shared rotated key.
pub fn assemble(k: &mut [f32], v: &mut [f32], expanded: &[f32], shared: &[f32], sizes: Latent) {
    let (width, per_head) = (sizes.expanded_width(), sizes.nope + sizes.value);
    par_rows(k, sizes.key_width(), |row, k| {
        let expanded = &expanded[row * width..][..width];
        let shared = &shared[row * sizes.rope..][..sizes.rope];
        for (k, e) in k.chunks_exact_mut(sizes.key()).zip(expanded.chunks_exact(per_head)) {
            k[..sizes.nope].copy_from_slice(&e[..sizes.nope]);
            k[sizes.nope..].copy_from_slice(shared);
        }
    });
    par_rows(v, sizes.value_width(), |row, v| {
        let expanded = &expanded[row * width..][..width];
        for (v, e) in v.chunks_exact_mut(sizes.value).zip(expanded.chunks_exact(per_head)) {
            v.copy_from_slice(&e[sizes.nope..]);
        }
    });
}

/// The gradient of [`assemble`]; heads add to the shared key's gradient in ascending order.
pub fn assemble_backward(
    dexpanded: &mut [f32],
    dshared: &mut [f32],
    dk: &[f32],
    dv: &[f32],
    sizes: Latent,
) {
    let (per_head, kw, vw) = (sizes.nope + sizes.value, sizes.key_width(), sizes.value_width());
    let heads_k = |row: usize| dk[row * kw..][..kw].chunks_exact(sizes.key());
    par_rows(dexpanded, sizes.expanded_width(), |row, out| {
        let dv = dv[row * vw..][..vw].chunks_exact(sizes.value);
        for ((out, dk), dv) in out.chunks_exact_mut(per_head).zip(heads_k(row)).zip(dv) {
            out[..sizes.nope].copy_from_slice(&dk[..sizes.nope]);
            out[sizes.nope..].copy_from_slice(dv);
        }
    });
    par_rows(dshared, sizes.rope, |row, out| {
        out.fill(0.0);
        for dk in heads_k(row) {
            add_assign(out, &dk[sizes.nope..]);
        }
    });
}
