//! Root-mean-square normalisation (Zhang and Sennrich, 2019) and layer normalisation with a bias
//! (Ba et al., 2016).

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

/// [`forward`] of one row by the calling thread alone.
pub fn forward_row(y: &mut [f32], x: &[f32], weight: &[f32], eps: f32) {
    scaled(y, x, weight, inverse_rms(x, eps));
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

simd! {
    /// Sum of `x`.
    fn sum(x: &[f32]) -> f32 {
        let mut lanes = [0f32; math::LANES];
        let mut chunks = x.chunks_exact(math::LANES);
        for x in &mut chunks {
            for l in 0..math::LANES {
                lanes[l] += x[l];
            }
        }
        for (l, x) in chunks.remainder().iter().enumerate() {
            lanes[l] += x;
        }
        math::fold(lanes)
    }
}

simd! {
    /// Sum of `(x[i] - mean)²`.
    fn squared_distance(x: &[f32], mean: f32) -> f32 {
        let mut lanes = [0f32; math::LANES];
        let mut chunks = x.chunks_exact(math::LANES);
        for x in &mut chunks {
            for l in 0..math::LANES {
                let d = x[l] - mean;
                lanes[l] += d * d;
            }
        }
        for (l, x) in chunks.remainder().iter().enumerate() {
            let d = x - mean;
            lanes[l] += d * d;
        }
        math::fold(lanes)
    }
}

simd! {
    /// `out[i] = (x[i] - mean) * inv * weight[i] + bias[i]`.
    fn centred(out: &mut [f32], x: &[f32], weight: &[f32], bias: &[f32], mean: f32, inv: f32) {
        for (((o, x), w), b) in out.iter_mut().zip(x).zip(weight).zip(bias) {
            *o = (x - mean) * inv * w + b;
        }
    }
}

simd! {
    /// `dx[i] (+)= inv * (dy[i] * weight[i] - a - (x[i] - mean) * c)`.
    fn layer_backward_row(dx: &mut [f32], dy: &[f32], x: &[f32], weight: &[f32], terms: [f32; 4], add: bool) {
        let [mean, inv, a, c] = terms;
        for (((d, dy), x), w) in dx.iter_mut().zip(dy).zip(x).zip(weight) {
            let old = if add { *d } else { 0.0 };
            *d = old + inv * (dy * w - a - (x - mean) * c);
        }
    }
}

simd! {
    /// Sum of `dy[i] * weight[i] * (x[i] - mean)`.
    fn centred_dot(dy: &[f32], weight: &[f32], x: &[f32], mean: f32) -> f32 {
        let mut lanes = [0f32; math::LANES];
        for ((dy, w), x) in dy.chunks(math::LANES).zip(weight.chunks(math::LANES)).zip(x.chunks(math::LANES)) {
            for (((lane, dy), w), x) in lanes.iter_mut().zip(dy).zip(w).zip(x) {
                *lane += dy * w * (x - mean);
            }
        }
        math::fold(lanes)
    }
}

/// Mean of a row, and `1 / sqrt(variance + eps)`.
fn mean_and_inverse(x: &[f32], eps: f32) -> (f32, f32) {
    let mean = sum(x) / x.len() as f32;
    (mean, 1.0 / (squared_distance(x, mean) / x.len() as f32 + eps).sqrt())
}

/// `y = (x - mean) / sqrt(variance + eps) * weight + bias` for each row of `weight.len()` values;
/// `stats` receives each row's mean and `1 / sqrt(variance + eps)`, which the backward needs.
pub fn layer_forward(
    y: &mut [f32],
    stats: &mut [f32],
    x: &[f32],
    (weight, bias): (&[f32], &[f32]),
    eps: f32,
) {
    let width = weight.len();
    let rows = stats.len() / 2;
    assert!(rows * width <= x.len(), "one mean and inverse a row of x");
    let out = Shared(stats.as_mut_ptr());
    par_rows(&mut y[..rows * width], width, |i, y| {
        let row = &x[i * width..][..width];
        let (mean, inv) = mean_and_inverse(row, eps);
        // SAFETY: `i < rows = stats.len() / 2`, and each row is visited by one task only.
        unsafe {
            *out.get().add(2 * i) = mean;
            *out.get().add(2 * i + 1) = inv;
        }
        centred(y, row, weight, bias, mean, inv);
    });
}

/// [`layer_forward`] of one row by the calling thread alone.
pub fn layer_forward_row(y: &mut [f32], x: &[f32], (weight, bias): (&[f32], &[f32]), eps: f32) {
    let (mean, inv) = mean_and_inverse(x, eps);
    centred(y, x, weight, bias, mean, inv);
}

/// [`layer_forward`] again from the stored `stats`.
pub fn layer_recompute(y: &mut [f32], stats: &[f32], x: &[f32], (weight, bias): (&[f32], &[f32])) {
    let width = weight.len();
    par_rows(&mut y[..stats.len() / 2 * width], width, |i, y| {
        centred(y, &x[i * width..][..width], weight, bias, stats[2 * i], stats[2 * i + 1]);
    });
}

/// The gradient of the input of [`layer_forward`]: with `g = dy * weight` and `n = (x - mean) * inv`,
/// `dx (+)= inv * (g - mean(g) - n * mean(g * n))`.
pub fn layer_backward(
    dx: &mut [f32],
    dy: &[f32],
    stats: &[f32],
    x: &[f32],
    weight: &[f32],
    accumulate: bool,
) {
    let width = weight.len();
    par_rows(&mut dx[..stats.len() / 2 * width], width, |i, dx| {
        let row = &x[i * width..][..width];
        let dy = &dy[i * width..][..width];
        let (mean, inv) = (stats[2 * i], stats[2 * i + 1]);
        let a = math::dot(dy, weight) / width as f32;
        let c = centred_dot(dy, weight, row, mean) * inv * inv / width as f32;
        layer_backward_row(dx, dy, row, weight, [mean, inv, a, c], accumulate);
    });
}
