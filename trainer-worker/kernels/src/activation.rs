//! Activations of the feed-forward, alone (`act(x)`) and gated (`act(gate) * up`).

use super::math::{erf, exp, tanh};
use super::{par_rows, simd, Shared};

/// Which activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + exp(-x))`, also called swish.
    Silu,
    /// GELU by tanh (Hendrycks and Gimpel, 2016): transformers' `gelu_new`, `gelu_pytorch_tanh`,
    /// `gelu_fast` and BLOOM's own.
    GeluTanh,
    /// GELU by the error function: transformers' `gelu`.
    GeluErf,
    /// `max(x, 0)`.
    Relu,
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[inline(always)]
fn silu_slope(x: f32) -> (f32, f32) {
    let s = 1.0 / (1.0 + exp(-x));
    let y = x * s;
    (y, s + y * (1.0 - s))
}

/// `√(2/π)`.
const GELU_A: f32 = 0.797_884_6;
const GELU_B: f32 = 0.044_715;

#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    0.5 * x * (1.0 + tanh(GELU_A * x * (1.0 + GELU_B * x * x)))
}

#[inline(always)]
fn gelu_tanh_slope(x: f32) -> (f32, f32) {
    let t = tanh(GELU_A * x * (1.0 + GELU_B * x * x));
    let inner = GELU_A * (1.0 + 3.0 * GELU_B * x * x);
    (0.5 * x * (1.0 + t), 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner)
}

#[inline(always)]
fn gelu_erf(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
fn gelu_erf_slope(x: f32) -> (f32, f32) {
    // The density of the normal distribution: exp(-x²/2) / √(2π).
    const DENSITY: f32 = 0.398_942_3;
    let c = 0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
    (x * c, c + x * DENSITY * exp(-0.5 * x * x))
}

#[inline(always)]
fn relu(x: f32) -> f32 {
    if x > 0.0 {
        x
    } else {
        0.0
    }
}

#[inline(always)]
fn relu_slope(x: f32) -> (f32, f32) {
    if x > 0.0 {
        (x, 1.0)
    } else {
        (0.0, 0.0)
    }
}

/// The row functions of one activation: alone, its gradient, gated, and the gradient of that.
macro_rules! rows_of {
    ($module:ident, $value:ident, $slope:ident) => {
        mod $module {
            use super::*;

            simd! {
                pub(super) fn plain(out: &mut [f32], x: &[f32]) {
                    for (o, x) in out.iter_mut().zip(x) {
                        *o = $value(*x);
                    }
                }
            }

            simd! {
                pub(super) fn plain_backward(dx: &mut [f32], dy: &[f32], x: &[f32]) {
                    for ((dx, dy), x) in dx.iter_mut().zip(dy).zip(x) {
                        *dx = *dy * $slope(*x).1;
                    }
                }
            }

            simd! {
                pub(super) fn gated(out: &mut [f32], gate: &[f32], up: &[f32]) {
                    for ((o, g), u) in out.iter_mut().zip(gate).zip(up) {
                        *o = $value(*g) * *u;
                    }
                }
            }

            simd! {
                pub(super) fn gated_backward(dgate: &mut [f32], dup: &mut [f32], dy: &[f32], gate: &[f32], up: &[f32]) {
                    for ((((dg, du), dy), g), u) in
                        dgate.iter_mut().zip(dup.iter_mut()).zip(dy).zip(gate).zip(up)
                    {
                        let (value, slope) = $slope(*g);
                        *dg = *dy * *u * slope;
                        *du = *dy * value;
                    }
                }
            }
        }
    };
}

rows_of!(of_silu, silu, silu_slope);
rows_of!(of_gelu_tanh, gelu_tanh, gelu_tanh_slope);
rows_of!(of_gelu_erf, gelu_erf, gelu_erf_slope);
rows_of!(of_relu, relu, relu_slope);

type Plain = fn(&mut [f32], &[f32]);
type PlainBackward = fn(&mut [f32], &[f32], &[f32]);
type Gated = fn(&mut [f32], &[f32], &[f32]);
type GatedBackward = fn(&mut [f32], &mut [f32], &[f32], &[f32], &[f32]);

impl Activation {
    fn rows(self) -> (Plain, PlainBackward, Gated, GatedBackward) {
        macro_rules! all {
            ($m:ident) => {
                ($m::plain, $m::plain_backward, $m::gated, $m::gated_backward)
            };
        }
        match self {
            Self::Silu => all!(of_silu),
            Self::GeluTanh => all!(of_gelu_tanh),
            Self::GeluErf => all!(of_gelu_erf),
            Self::Relu => all!(of_relu),
        }
    }

    /// `out = act(x)`, element by element, over rows of `width`.
    pub fn plain(self, out: &mut [f32], x: &[f32], width: usize) {
        let row = self.rows().0;
        par_rows(out, width, |i, out| row(out, &x[i * width..][..out.len()]));
    }

    /// [`Self::plain`] of one row by the calling thread alone.
    pub fn plain_row(self, out: &mut [f32], x: &[f32]) {
        (self.rows().0)(out, x);
    }

    /// Gradient of the input of [`Self::plain`] from the gradient `dy` of its result.
    pub fn plain_backward(self, dx: &mut [f32], dy: &[f32], x: &[f32], width: usize) {
        let row = self.rows().1;
        par_rows(dx, width, |i, dx| {
            let range = i * width..i * width + dx.len();
            row(dx, &dy[range.clone()], &x[range]);
        });
    }

    /// `out = act(gate) * up` over rows of `width`.
    pub fn gated(self, out: &mut [f32], gate: &[f32], up: &[f32], width: usize) {
        let row = self.rows().2;
        par_rows(out, width, |i, out| {
            let range = i * width..i * width + out.len();
            row(out, &gate[range.clone()], &up[range]);
        });
    }

    /// [`Self::gated`] of one row by the calling thread alone.
    pub fn gated_row(self, out: &mut [f32], gate: &[f32], up: &[f32]) {
        (self.rows().2)(out, gate, up);
    }

    /// Gradients of both inputs of [`Self::gated`] from the gradient `dy` of its result.
    pub fn gated_backward(
        self,
        (dgate, dup): (&mut [f32], &mut [f32]),
        dy: &[f32],
        (gate, up): (&[f32], &[f32]),
        width: usize,
    ) {
        assert!(dup.len() >= dgate.len(), "dgate and dup have the same shape");
        let row = self.rows().3;
        let dup = Shared(dup.as_mut_ptr());
        par_rows(dgate, width, |i, dgate| {
            let at = i * width;
            // SAFETY: row `i` lies within `dup` (checked above) and belongs to this task alone.
            let dup = unsafe { std::slice::from_raw_parts_mut(dup.get().add(at), dgate.len()) };
            let range = at..at + dgate.len();
            row(dgate, dup, &dy[range.clone()], &gate[range.clone()], &up[range]);
        });
    }

    /// As [`Self::gated`] where each row of `gate_up` holds `width` gate and then `width` up values.
    pub fn gated_fused(self, out: &mut [f32], gate_up: &[f32], width: usize) {
        let row = self.rows().2;
        par_rows(out, width, |i, out| {
            let (gate, up) = gate_up[i * 2 * width..][..2 * width].split_at(width);
            row(out, gate, up);
        });
    }

    /// Gradient of the input of [`Self::gated_fused`] from the gradient `dy` of its result.
    pub fn gated_fused_backward(
        self,
        dgate_up: &mut [f32],
        dy: &[f32],
        gate_up: &[f32],
        width: usize,
    ) {
        let row = self.rows().3;
        par_rows(dgate_up, 2 * width, |i, d| {
            let (dgate, dup) = d.split_at_mut(width);
            let (gate, up) = gate_up[i * 2 * width..][..2 * width].split_at(width);
            row(dgate, dup, &dy[i * width..][..width], gate, up);
        });
    }
}
