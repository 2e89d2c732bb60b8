//! The element-wise part of AdamW (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2).

use crate::simd;

/// Coefficients of one update, the same for every element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    /// β₁ and 1 − β₁.
    pub first: (f32, f32),
    /// β₂ and 1 − β₂.
    pub second: (f32, f32),
    /// √(1 − β₂ᵗ).
    pub root: f32,
    /// ε.
    pub eps: f32,
    /// What weight decay leaves of a parameter: 1 − learning rate · decay.
    pub keep: f32,
    /// Learning rate over 1 − β₁ᵗ.
    pub step_size: f32,
}

simd! {
    /// Updates parameters `p` and their moments `m` and `v` by gradients `g`, all of one length.
    pub fn update(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], c: Coefficients) {
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            *m = *m * c.first.0 + *g * c.first.1;
            *v = *v * c.second.0 + *g * *g * c.second.1;
            *p = *p * c.keep - c.step_size * *m / (v.sqrt() / c.root + c.eps);
        }
    }
}
