//! Root-mean-square normalisation (Zhang and Sennrich, 2019).

use super::{math, par_rows, simd, Shared};

simd! {
    /// `out[i] = x[i] * inv * weight[i]`.
    fn scaled(out: &mut [f32], x: &[f32], weight: &[f32], inv: f32) {
        for ((o, x), w) in out.iter_mut().zip(x).zip(weight) {
            *o = x * inv * w;
        }
    }
}

simd! {
    /// `dx[i] (+)= inv * (dy[i] * weight[i] - x[i] * c)`.
    fn backward_row(dx: &mut [f32], dy: &[f32], x: &[f32], weight: &[f32], inv: f32, c: f32, add: bool) {
        let base = if add { 1.0 } else { 0.0 };
        for (((d, dy), x), w) in dx.iter_mut().zip(dy).zip(x).zip(weight) {
            let old = if add { *d } else { 0.0 };
            *d = base * old + inv * (dy * w - x * c);
        }
    }
}

simd! {
    /// Sum of `dy[i] * weight[i] * x[i]`.
    fn dot3(dy: &[f32], weight: &[f32], x: &[f32]) -> f32 {
        let mut lanes = [0f32; math::LANES];
        let n = x.len();
        let mut i = 0;
        while i + math::LANES <= n {
            let (a, b, c) = (&dy[i..i + math::LANES], &weight[i..i + math::LANES], &x[i..i + math::LANES]);
            for l in 0..math::LANES {
                lanes[l] += a[l] * b[l] * c[l];
            }
            i += math::LANES;
        }
        let mut l = 0;
        while i < n {
            lanes[l] += dy[i] * weight[i] * x[i];
            i += 1;
            l += 1;
        }
        math::fold(lanes)
    }
}

/// `1 / sqrt(mean(x²) + eps)` of one row.
pub fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    1.0 / (math::dot(x, x) / x.len() as f32 + eps).sqrt()
}

/// `y = x / rms(x) * weight` for each row of `weight.len()` values; `inverse` receives each row's
/// `1 / rms`, which the backward needs.
pub fn forward(y: &mut [f32], inverse: &mut [f32], x: &[f32], weight: &[f32], eps: f32) {
    let width = weight.len();
    assert!(inverse.len() * width <= x.len(), "one inverse a row of x");
    let inv = Shared(inverse.as_mut_ptr());
    let rows = inverse.len();
    par_rows(&mut y[..rows * width], width, |i, out| {
        let row = &x[i * width..][..width];
        let r = inverse_rms(row, eps);
        // SAFETY: `i < rows = inverse.len()`, and each row is visited by one task only.
        unsafe { *inv.get().add(i) = r };
        scaled(out, row, weight, r);
    });
}

/// [`forward`] again from the stored `inverse`, for a backward pass that did not keep `y`.
pub fn recompute(y: &mut [f32], inverse: &[f32], x: &[f32], weight: &[f32]) {
    let width = weight.len();
    par_rows(&mut y[..inverse.len() * width], width, |i, out| {
        scaled(out, &x[i * width..][..width], weight, inverse[i]);
    });
}

/// The gradient of the input: with `g = dy * weight`,
/// `dx (+)= inv * (g - x * inv² * mean(g * x))`.
pub fn backward(
    dx: &mut [f32],
    dy: &[f32],
    inverse: &[f32],
    x: &[f32],
    weight: &[f32],
    accumulate: bool,
) {
    let width = weight.len();
    par_rows(&mut dx[..inverse.len() * width], width, |i, dx| {
        let row = &x[i * width..][..width];
        let dy = &dy[i * width..][..width];
        let inv = inverse[i];
        let c = dot3(dy, weight, row) * inv * inv / width as f32;
        backward_row(dx, dy, row, weight, inv, c, accumulate);
    });
}
