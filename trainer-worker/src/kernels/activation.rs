//! The gated activation of LLaMA's feed-forward: `silu(gate) * up`.

use super::{math::exp, par_rows, simd, Shared};

simd! {
    /// `out = silu(gate) * up` for one row.
    pub fn silu_mul_row(out: &mut [f32], gate: &[f32], up: &[f32]) {
        for ((o, g), u) in out.iter_mut().zip(gate).zip(up) {
            *o = *g / (1.0 + exp(-*g)) * *u;
        }
    }
}

simd! {
    fn backward_row(dgate: &mut [f32], dup: &mut [f32], dy: &[f32], gate: &[f32], up: &[f32]) {
        for ((((dg, du), dy), g), u) in
            dgate.iter_mut().zip(dup.iter_mut()).zip(dy).zip(gate).zip(up)
        {
            let s = 1.0 / (1.0 + exp(-*g));
            let silu = *g * s;
            *dg = *dy * *u * (s + silu * (1.0 - s));
            *du = *dy * silu;
        }
    }
}

/// `out = silu(gate) * up`, element by element, over rows of `width`.
pub fn silu_mul(out: &mut [f32], gate: &[f32], up: &[f32], width: usize) {
    par_rows(out, width, |i, out| {
        let range = i * width..i * width + out.len();
        silu_mul_row(out, &gate[range.clone()], &up[range]);
    });
}

/// Gradients of both inputs of [`silu_mul`] from the gradient `dy` of its result.
pub fn silu_mul_backward(
    dgate: &mut [f32],
    dup: &mut [f32],
    dy: &[f32],
    gate: &[f32],
    up: &[f32],
    width: usize,
) {
    assert!(dup.len() >= dgate.len(), "dgate and dup have the same shape");
    let dup = Shared(dup.as_mut_ptr());
    par_rows(dgate, width, |i, dgate| {
        let at = i * width;
        // SAFETY: row `i` lies within `dup` (checked above) and belongs to this task alone.
        let dup = unsafe { std::slice::from_raw_parts_mut(dup.get().add(at), dgate.len()) };
        let range = at..at + dgate.len();
        backward_row(dgate, dup, &dy[range.clone()], &gate[range.clone()], &up[range]);
    });
}
