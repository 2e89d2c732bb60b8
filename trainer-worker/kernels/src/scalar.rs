//! Elementary functions of single `f64` numbers, for learning rates and losses. The library's own
//! differ between platforms in their last bits; these are sums and products in a fixed order.

use std::f64::consts::{FRAC_PI_2, LOG2_E};

/// ln 2 in two parts, the first with trailing zeros so that its multiples are exact.
const LN2_HI: f64 = 6.931_471_803_691_238e-1;
const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;

/// `exp(x)`, relative error below 1e-15; 0 below -700, infinite above 709.
pub fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x < -700.0 {
        return 0.0;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    let n = (x * LOG2_E).round();
    let r = x - n * LN2_HI - n * LN2_LO;
    // Taylor series; |r| is at most half of ln 2.
    let mut sum = 1.0;
    for k in (1..=14).rev() {
        sum = 1.0 + sum * r / f64::from(k);
    }
    sum * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

/// Natural logarithm of a positive normal number, relative error below 1e-15; NaN for others.
pub fn ln(x: f64) -> f64 {
    if !x.is_normal() || x < 0.0 {
        return f64::NAN;
    }
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln(m) = 2·artanh((m - 1) / (m + 1)).
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for k in (0..=11).rev() {
        sum = sum * square + 1.0 / f64::from(2 * k + 1);
    }
    let n = exponent as f64;
    n * LN2_HI + (n * LN2_LO + 2.0 * s * sum)
}

/// `ln(1 + exp(x))`.
pub fn softplus(x: f64) -> f64 {
    let e = exp(-x.abs());
    // ln(1 + e) = 2·artanh(e / (2 + e)), which keeps its digits where e is small.
    let s = e / (2.0 + e);
    let square = s * s;
    let mut sum = 0.0;
    for k in (0..=16).rev() {
        sum = sum * square + 1.0 / f64::from(2 * k + 1);
    }
    x.max(0.0) + 2.0 * s * sum
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid(x: f64) -> f64 {
    let e = exp(-x.abs());
    if x < 0.0 {
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + e)
    }
}

/// `cos(x)` for `x` in `[0, π]`, absolute error below 1e-15.
pub fn cos_half_turn(x: f64) -> f64 {
    let y = FRAC_PI_2 - x.clamp(0.0, std::f64::consts::PI);
    let square = y * y;
    // Taylor series of the sine; |y| is at most π/2.
    let mut sum = 1.0;
    for k in (1..=12).rev() {
        sum = 1.0 - sum * square / f64::from(2 * k * (2 * k + 1));
    }
    y * sum
}

/// `base` to the power of `exponent` for a positive normal base: `exp(exponent · ln(base))`;
/// relative error below `(2 + |exponent · ln(base)|) · 4e-16`.
pub fn pow(base: f64, exponent: f64) -> f64 {
    exp(exponent * ln(base))
}

/// Sine and cosine of an angle in radians; absolute error below 4e-16 up to 2²⁶. Beyond that, of the
/// (exact) remainder by the double nearest to 2π, which only is a fixed answer to a senseless
/// question; NaN for infinities.
pub fn sin_cos(x: f64) -> (f64, f64) {
    // π/2 in three parts: 27, 27 and 53 bits, so that the products with `n` are exact for the first
    // two.
    const HALF_PI_1: f64 = 1.570_796_325_802_803;
    const HALF_PI_2: f64 = 9.920_935_739_593_517e-10;
    const HALF_PI_3: f64 = 5.721_188_726_109_832e-18;
    let x = if x.abs() > 67_108_864.0 { x % std::f64::consts::TAU } else { x };
    let n = (x * std::f64::consts::FRAC_2_PI).round();
    let r = ((x - n * HALF_PI_1) - n * HALF_PI_2) - n * HALF_PI_3;
    let square = r * r;
    // Taylor series; |r| is at most a quarter turn's half, 0.7854.
    let (mut sin, mut cos) = (1.0, 1.0);
    for k in (1..=8).rev() {
        let k = f64::from(2 * k);
        sin = 1.0 - sin * square / (k * (k + 1.0));
        cos = 1.0 - cos * square / ((k - 1.0) * k);
    }
    sin *= r;
    match (n as i64).rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}
