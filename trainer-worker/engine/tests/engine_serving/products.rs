//! The step's inner products against their definition (docs/arithmetic.md, "Reductions" and
//! "Serving"), to the bit, with every set of instructions that this CPU has.

use crate::common::random;
use openledger_engine::kernels::cpu::{instructions, use_instructions, Instructions};
use openledger_engine::kernels::decoding::{group_dots, score};
use openledger_engine::kernels::math::dot;
use openledger_engine::kernels::quant::packed::GROUP;

/// Values as weights are, and among them zeros of both signs and some that are very small.
fn values(seed: u64, len: usize) -> Vec<f32> {
    let mut values = random(seed, len, 1.0);
    for (i, v) in values.iter_mut().enumerate() {
        match (i as u64 + seed) % 11 {
            0 => *v = 0.0,
            1 => *v = -0.0,
            2 => *v *= 1e-30,
            _ => {}
        }
    }
    values
}

/// A sum in `L` lanes, element by element.
fn in_lanes<const L: usize>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; L];
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        lanes[i % L] += a * b;
    }
    let mut width = L / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// No set changes a bit, so that other tests may run meanwhile.
fn with_every_set(check: impl Fn(&str)) {
    let before = instructions();
    for set in Instructions::ALL {
        if use_instructions(set) {
            check(set.name());
        }
    }
    assert!(use_instructions(before));
}

#[test]
fn products_of_several_rows_are_those_of_each_alone() {
    with_every_set(|set| {
        for cols in (1..70).chain([96, 127, 512, 577]) {
            let w = values(cols as u64, GROUP * cols);
            let all = values(cols as u64 + 1, 9 * cols);
            let x = |t: usize| &all[t * cols..][..cols];
            for rows in [1, 2, 3, 4, 5, 8, 13, 16] {
                for inputs in 1..=9 {
                    let mut sums = vec![[0f32; GROUP]; inputs];
                    group_dots(&mut sums, &w[..rows * cols], cols, &all, cols);
                    for (t, sums) in sums.iter().enumerate() {
                        for (i, sum) in sums[..rows].iter().enumerate() {
                            let w = &w[i * cols..][..cols];
                            let defined = in_lanes::<32>(w, x(t)).to_bits();
                            let place = format!("{set}: {rows} × {cols}, row {i}, input {t}");
                            assert_eq!(sum.to_bits(), defined, "{place} of {inputs}");
                            assert_eq!(dot(w, x(t)).to_bits(), defined, "{place}, alone");
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn scores_of_several_keys_are_those_of_each_alone() {
    with_every_set(|set| {
        for dim in (1..40).chain([64, 80, 100, 128]) {
            for apart in [0, 3, dim] {
                let stride = dim + apart;
                let (q, k) = (values(dim as u64, dim), values(dim as u64 + 2, 33 * stride));
                for count in 1..=33 {
                    // The last key ends where the slice does.
                    let k = &k[..(count - 1) * stride + dim];
                    let mut scores = vec![f32::NAN; count];
                    score(&mut scores, &q, k, stride, 0.3);
                    for (t, score) in scores.iter().enumerate() {
                        let defined = 0.3 * in_lanes::<16>(&q, &k[t * stride..][..dim]);
                        let place = format!("{set}: key {t} of {count}, {dim} values");
                        assert_eq!(score.to_bits(), defined.to_bits(), "{place}");
                    }
                }
            }
        }
    });
}
