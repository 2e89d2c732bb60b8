//! Elementary functions and reductions with a fixed order of operations.

use super::simd;

/// Lanes of a reduction. Fixed, whatever the width of the CPU's registers.
pub const LANES: usize = 32;

/// `exp(x)` by range reduction to `[-ln2/2, ln2/2]` and a polynomial of degree 6 (Cephes
/// coefficients); relative error below 2e-7. Underflows to 0 below -87.3 and saturates above 88.3.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub fn exp(x: f32) -> f32 {
    const LN2_HI: f32 = 0.693359375;
    const LN2_LO: f32 = -2.12194440e-4;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer without a library call.
    const ROUND: f32 = 12582912.0;
    let clamped = x.clamp(-87.3, 88.3);
    let n = (clamped * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = clamped - n * LN2_HI - n * LN2_LO;
    let mut p = 1.9875691500e-4_f32;
    p = p * r + 1.3981999507e-3;
    p = p * r + 8.3334519073e-3;
    p = p * r + 4.1665795894e-2;
    p = p * r + 1.6666665459e-1;
    p = p * r + 5.0000001201e-1;
    let y = p * r * r + r + 1.0;
    let scale = f32::from_bits(((n as i32 + 127) << 23) as u32);
    if x < -87.3 {
        0.0
    } else {
        y * scale
    }
}

/// `tanh(x)`: a polynomial below 0.625 (Cephes coefficients), from [`exp`] above; relative error
/// below 3e-7.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = x * x;
    let mut p = -5.70498872745e-3_f32;
    p = p * z + 2.06390887954e-2;
    p = p * z - 5.37397155531e-2;
    p = p * z + 1.33314422036e-1;
    p = p * z - 3.33332819422e-1;
    let small = p * z * x + x;
    let large = 1.0 - 2.0 / (exp(2.0 * a) + 1.0);
    if a < 0.625 {
        small
    } else if x < 0.0 {
        -large
    } else {
        large
    }
}

/// The error function `2/√π ∫₀ˣ exp(-t²) dt`: polynomials in `x` and `1/x` (Cephes coefficients);
/// absolute error below 3e-7.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub fn erf(x: f32) -> f32 {
    let a = x.abs();
    let z = x * x;
    let mut t = 7.853861353153693e-5_f32;
    t = t * z - 8.010193625184903e-4;
    t = t * z + 5.188327685732524e-3;
    t = t * z - 2.685381193529856e-2;
    t = t * z + 1.128358514861418e-1;
    t = t * z - 3.761262582423300e-1;
    t = t * z + 1.128379165726710;
    let small = t * x;
    let q = 1.0 / a.max(1.0);
    let y = q * q;
    let mut p = 2.326819970068386e-2_f32;
    p = p * y - 1.387039388740657e-1;
    p = p * y + 3.687424674597105e-1;
    p = p * y - 5.824733027278666e-1;
    p = p * y + 6.210004621745983e-1;
    p = p * y - 4.944515323274145e-1;
    p = p * y + 3.404879937665872e-1;
    p = p * y - 2.741127028184656e-1;
    p = p * y + 5.638259427386472e-1;
    let mut r = -1.047766399936249e1_f32;
    r = r * y + 1.297719955372516e1;
    r = r * y - 7.495518717768503;
    r = r * y + 2.921019019210786;
    r = r * y - 1.015265279202700;
    r = r * y + 4.218463358204948e-1;
    r = r * y - 2.820767439740514e-1;
    r = r * y + 5.641895067754075e-1;
    let tail = exp(-z) * q * if a < 2.0 { p } else { r };
    let large = 1.0 - tail;
    if a <= 1.0 {
        small
    } else if x < 0.0 {
        -large
    } else {
        large
    }
}

/// Adds the lanes of a reduction pairwise, always in the same order.
#[inline(always)]
pub fn fold(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

simd! {
    /// Sum of `a[i] * b[i]` over the shorter of the two.
    pub fn dot(a: &[f32], b: &[f32]) -> f32 {
        let mut lanes = [0f32; LANES];
        let n = a.len().min(b.len());
        let (a, b) = (&a[..n], &b[..n]);
        let mut ac = a.chunks_exact(LANES);
        let mut bc = b.chunks_exact(LANES);
        for (x, y) in (&mut ac).zip(&mut bc) {
            for i in 0..LANES {
                lanes[i] += x[i] * y[i];
            }
        }
        for (i, (x, y)) in ac.remainder().iter().zip(bc.remainder()).enumerate() {
            lanes[i] += x * y;
        }
        fold(lanes)
    }
}

simd! {
    /// Greatest value of `x`; negative infinity when empty.
    pub fn max(x: &[f32]) -> f32 {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        let mut c = x.chunks_exact(LANES);
        for x in &mut c {
            for i in 0..LANES {
                lanes[i] = if x[i] > lanes[i] { x[i] } else { lanes[i] };
            }
        }
        for (i, x) in c.remainder().iter().enumerate() {
            lanes[i] = if *x > lanes[i] { *x } else { lanes[i] };
        }
        lanes.iter().fold(f32::NEG_INFINITY, |m, x| if *x > m { *x } else { m })
    }
}

simd! {
    /// Replaces each `x` by `exp(x - shift)` and returns the sum.
    pub fn exp_shifted(x: &mut [f32], shift: f32) -> f32 {
        let mut lanes = [0f32; LANES];
        let mut c = x.chunks_exact_mut(LANES);
        for x in &mut c {
            for i in 0..LANES {
                x[i] = exp(x[i] - shift);
                lanes[i] += x[i];
            }
        }
        for (i, x) in c.into_remainder().iter_mut().enumerate() {
            *x = exp(*x - shift);
            lanes[i] += *x;
        }
        fold(lanes)
    }
}

simd! {
    /// Multiplies every element by `s`.
    pub fn scale(x: &mut [f32], s: f32) {
        for x in x.iter_mut() {
            *x *= s;
        }
    }
}

/// Softmax of a row in place.
pub fn softmax(x: &mut [f32]) {
    let shift = max(x);
    let sum = exp_shifted(x, shift);
    scale(x, 1.0 / sum);
}
