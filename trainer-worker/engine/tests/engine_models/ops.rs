//! Every operation's hand-written backward against central differences of its forward.

use crate::common::{golden, lora_config, random, tiny};
use openledger_engine::kernels::activation::Activation;
use openledger_engine::kernels::attention::{self, Bias, Heads};
use openledger_engine::kernels::linear::FrozenLinear;
use openledger_engine::kernels::rng::DropoutMask;
use openledger_engine::kernels::rope::{self, RopeTable};
use openledger_engine::kernels::{gemm, loss, math, norm};
use openledger_engine::lora::dora::{row_norms, LayerScales, RowScales};
use openledger_engine::lora::linear::{linear_backward, linear_forward, BlockAdapter, Gradient};
use openledger_engine::lora::{Adapter, Layout, LoraConfig, Module, Role};
use openledger_engine::model::forward::{Batch, DropoutAt, Runner};
use openledger_engine::model::workspace::Workspace;
use openledger_engine::model::Model;
use std::sync::Arc;

/// Compares `gradient` with differences of `f` at `x`: along random directions, and for single
/// coordinates relative to the gradient's size.
pub(crate) fn check(what: &str, x: &[f32], gradient: &[f32], f: impl Fn(&[f32]) -> f64) {
    assert_eq!(x.len(), gradient.len(), "{what}");
    let size = (gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>()).sqrt();
    assert!(size > 0.0, "{what}: the gradient is zero");
    let along = |direction: &[f32], step: f32| {
        let at = |s: f32| -> f64 {
            let moved: Vec<f32> = x.iter().zip(direction).map(|(x, d)| x + s * d).collect();
            f(&moved)
        };
        // Richardson's extrapolation removes the error of second order in the step.
        let d = |s: f32| (at(s) - at(-s)) / f64::from(2.0 * s);
        (4.0 * d(step / 2.0) - d(step)) / 3.0
    };
    let dot = |d: &[f32]| -> f64 {
        gradient.iter().zip(d).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum()
    };
    for seed in 0..6 {
        let direction = random(seed + 77, x.len(), 1.0);
        let length = direction.iter().map(|d| f64::from(*d).powi(2)).sum::<f64>().sqrt();
        let (numeric, analytic) = (along(&direction, 2e-2 / length as f32), dot(&direction));
        let error = (numeric - analytic).abs() / (size * length / (x.len() as f64).sqrt());
        assert!(error < 4e-3, "{what}: along direction {seed}: {numeric} and {analytic}");
    }
    for i in (0..x.len()).step_by(x.len().div_ceil(24)) {
        let mut direction = vec![0f32; x.len()];
        direction[i] = 1.0;
        let (numeric, analytic) = (along(&direction, 2e-2), f64::from(gradient[i]));
        let error = (numeric - analytic).abs() / size;
        assert!(error < 2e-3, "{what}: coordinate {i}: {numeric} and {analytic}");
    }
}

pub(crate) fn weighted(y: &[f32], weights: &[f32]) -> f64 {
    y.iter().zip(weights).map(|(y, w)| f64::from(*y) * f64::from(*w)).sum()
}

#[test]
fn exp_is_accurate_and_saturates() {
    for i in -8700..8800 {
        let x = i as f32 / 100.0;
        let exact = f64::from(x).exp();
        let error = (f64::from(math::exp(x)) - exact).abs() / exact;
        assert!(error < 3e-7, "exp({x}) is off by {error}");
    }
    assert_eq!(math::exp(-1000.0), 0.0);
    assert_eq!(math::exp(f32::NEG_INFINITY), 0.0);
    assert!(math::exp(1000.0).is_finite());
}

#[test]
fn matrix_products_equal_plain_sums() {
    for (m, n, k) in [(1, 3, 700), (5, 7, 1300), (33, 65, 512), (2, 200, 513)] {
        let (x, w) = (random(1, m * k, 1.0), random(2, n * k, 1.0));
        let mut y = vec![0f32; m * n];
        gemm::nt(&mut y, &x, &w, (m, n, k), 0.5, false);
        gemm::nt(&mut y, &x, &w, (m, n, k), 0.5, true);
        for i in 0..m {
            for j in 0..n {
                let exact: f64 =
                    (0..k).map(|l| f64::from(x[i * k + l]) * f64::from(w[j * k + l])).sum();
                assert!((f64::from(y[i * n + j]) - exact).abs() < 1e-3, "nt {m} {n} {k}");
            }
        }
        // The transposed products agree with it.
        let wt: Vec<f32> = (0..k * n).map(|i| w[(i % n) * k + i / n]).collect();
        let xt: Vec<f32> = (0..k * m).map(|i| x[(i % m) * k + i / m]).collect();
        let (mut nn, mut tn) = (vec![0f32; m * n], vec![0f32; m * n]);
        gemm::nn(&mut nn, &x, &wt, (m, n, k), 1.0, false);
        gemm::tn(&mut tn, &xt, &wt, (m, n, k), 1.0, false);
        for i in 0..m * n {
            assert!((nn[i] - y[i]).abs() < 1e-3 && (tn[i] - y[i]).abs() < 1e-3);
        }
        let mut v = vec![0f32; n];
        gemm::gemv(&mut v, &x[..k], &w, 1.0, false);
        assert!(v.iter().zip(&y).all(|(v, y)| (v - y).abs() < 1e-3));
    }
}

#[test]
fn rms_norm_backward() {
    let (rows, width) = (5, 37);
    let (x, weight) = (random(1, rows * width, 1.0), random(2, width, 1.5));
    let c = random(3, rows * width, 1.0);
    let run = |x: &[f32]| {
        let (mut y, mut inverse) = (vec![0f32; x.len()], vec![0f32; rows]);
        norm::forward(&mut y, &mut inverse, x, &weight, 1e-5);
        (y, inverse)
    };
    let (y, inverse) = run(&x);
    let mut again = vec![0f32; y.len()];
    norm::recompute(&mut again, &inverse, &x, &weight);
    assert_eq!(y, again);
    let mut dx = vec![0f32; x.len()];
    norm::backward(&mut dx, &c, &inverse, &x, &weight, false);
    check("rms norm", &x, &dx, |x| weighted(&run(x).0, &c));
    let mut twice = dx.clone();
    norm::backward(&mut twice, &c, &inverse, &x, &weight, true);
    assert!(twice.iter().zip(&dx).all(|(t, d)| (t - 2.0 * d).abs() < 1e-5));
}

#[test]
fn rope_backward_is_the_inverse_rotation() {
    let positions = [0u32, 1, 7, 30];
    let table = RopeTable::new(&[1.0, 0.3, 0.05], 31);
    let width = 12;
    let (x, c) = (random(1, 4 * width, 1.0), random(2, 4 * width, 1.0));
    let run = |x: &[f32]| {
        let mut y = x.to_vec();
        rope::apply(&mut y, width, &table, &positions, false);
        y
    };
    let mut dx = c.clone();
    rope::apply(&mut dx, width, &table, &positions, true);
    check("rope", &x, &dx, |x| weighted(&run(x), &c));
    let mut back = run(&x);
    rope::apply(&mut back, width, &table, &positions, true);
    assert!(back.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn silu_mul_backward() {
    let (rows, width) = (3, 41);
    let (gate, up) = (random(1, rows * width, 4.0), random(2, rows * width, 2.0));
    let c = random(3, rows * width, 1.0);
    let run = |gate: &[f32], up: &[f32]| {
        let mut y = vec![0f32; gate.len()];
        Activation::Silu.gated(&mut y, gate, up, width);
        weighted(&y, &c)
    };
    let (mut dgate, mut dup) = (vec![0f32; gate.len()], vec![0f32; up.len()]);
    Activation::Silu.gated_backward((&mut dgate, &mut dup), &c, (&gate, &up), width);
    check("silu gate", &gate, &dgate, |g| run(g, &up));
    check("silu up", &up, &dup, |u| run(&gate, u));
}

#[test]
fn attention_backward_with_grouped_heads_and_several_blocks() {
    let heads = Heads::new(4, 2, 6);
    let bias = Bias::default();
    // One sequence longer than a block of queries, one short, one empty, one of a single token.
    let offsets = [0, 75, 80, 80, 81];
    let rows = 81;
    let (qw, kw) = (heads.query_width(), heads.key_width());
    let (q, k, v) =
        (random(1, rows * qw, 1.5), random(2, rows * kw, 1.5), random(3, rows * kw, 1.0));
    let c = random(4, rows * qw, 1.0);
    let run = |q: &[f32], k: &[f32], v: &[f32]| {
        let mut out = vec![f32::NAN; rows * qw];
        attention::forward(&mut out, (q, k, v), &offsets, heads, bias);
        out
    };
    let out = run(&q, &k, &v);
    // Later tokens and other sequences change nothing before them.
    let mut k2 = k.clone();
    k2[40 * kw..].fill(9.0);
    assert_eq!(run(&q, &k2, &v)[..40 * qw], out[..40 * qw]);

    let nan = |n: usize| vec![f32::NAN; n];
    let (mut dq, mut dk, mut dv) = (nan(rows * qw), nan(rows * kw), nan(rows * kw));
    let grads = (&mut dq[..], &mut dk[..], &mut dv[..]);
    attention::backward(grads, (&c, &out), (&q, &k, &v), &offsets, heads, bias);
    check("attention q", &q, &dq, |q| weighted(&run(q, &k, &v), &c));
    check("attention k", &k, &dk, |k| weighted(&run(&q, k, &v), &c));
    check("attention v", &v, &dv, |v| weighted(&run(&q, &k, v), &c));
}

/// Forward and backward of the attention with the given heads and bias, by differences.
fn check_attention(what: &str, heads: Heads, bias: Bias<'_>, offsets: &[usize]) {
    let rows = *offsets.last().expect("an end");
    let (qw, kw, vw) = (heads.query_width(), heads.key_width(), heads.value_width());
    let (q, k, v) =
        (random(1, rows * qw, 1.5), random(2, rows * kw, 1.5), random(3, rows * vw, 1.0));
    let c = random(4, rows * heads.output_width(), 1.0);
    let run = |q: &[f32], k: &[f32], v: &[f32]| {
        let mut out = vec![f32::NAN; c.len()];
        attention::forward(&mut out, (q, k, v), offsets, heads, bias);
        out
    };
    let out = run(&q, &k, &v);
    // Every row of the first sequence, by definition and in double precision.
    let group = heads.query / heads.key_value;
    for i in 0..offsets[1] {
        for h in 0..heads.query {
            let first = bias.window.map_or(0, |w| (i + 1).saturating_sub(w));
            let scores: Vec<f64> = (first..=i)
                .map(|j| {
                    let q = &q[i * qw + h * heads.dim..][..heads.dim];
                    let k = &k[j * kw + h / group * heads.dim..][..heads.dim];
                    let dot: f64 =
                        q.iter().zip(k).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum();
                    let slope = bias.slopes.get(h).map_or(0.0, |s| f64::from(*s));
                    (dot * f64::from(heads.scale) + slope * (j as f64 - i as f64)).exp()
                })
                .collect();
            let total: f64 = scores.iter().sum();
            for d in 0..heads.value_dim {
                let value = |j: usize| f64::from(v[j * vw + h / group * heads.value_dim + d]);
                let exact: f64 =
                    scores.iter().zip(first..).map(|(s, j)| s / total * value(j)).sum();
                let ours = out[i * heads.output_width() + h * heads.value_dim + d];
                assert!((f64::from(ours) - exact).abs() < 1e-5, "{what}: row {i} head {h}");
            }
        }
    }
    let nan = |n: usize| vec![f32::NAN; n];
    let (mut dq, mut dk, mut dv) = (nan(q.len()), nan(k.len()), nan(v.len()));
    let grads = (&mut dq[..], &mut dk[..], &mut dv[..]);
    attention::backward(grads, (&c, &out), (&q, &k, &v), offsets, heads, bias);
    check(&format!("{what} q"), &q, &dq, |q| weighted(&run(q, &k, &v), &c));
    check(&format!("{what} k"), &k, &dk, |k| weighted(&run(&q, k, &v), &c));
    check(&format!("{what} v"), &v, &dv, |v| weighted(&run(&q, &k, v), &c));
}

#[test]
fn attention_with_windows_alibi_and_value_heads_of_another_size() {
    let grouped = Heads::new(4, 2, 6);
    for window in [2, 9, 64, 70] {
        let bias = Bias { window: Some(window), slopes: &[] };
        check_attention(&format!("window {window}"), grouped, bias, &[0, 75, 78]);
    }
    let slopes = attention::alibi_slopes(6);
    let six = Heads::new(6, 6, 4);
    check_attention("alibi", six, Bias { window: None, slopes: &slopes }, &[0, 67, 70]);
    check_attention("alibi window", six, Bias { window: Some(5), slopes: &slopes }, &[0, 30]);
    let latent = Heads { query: 4, key_value: 4, dim: 9, value_dim: 5, scale: 0.2 };
    check_attention("value heads", latent, Bias::default(), &[0, 66, 70]);
}

#[test]
fn alibi_slopes_equal_the_papers() {
    assert_eq!(attention::alibi_slopes(4), [0.25, 0.0625, 0.015_625, 0.003_906_25]);
    let eight = attention::alibi_slopes(8);
    assert_eq!((eight[0], eight[7]), (0.5, 0.003_906_25));
    // Twelve heads: the eight of the series, then every other one of the sixteen.
    let twelve = attention::alibi_slopes(12);
    assert_eq!(twelve[..8], eight);
    for (i, slope) in twelve[8..].iter().enumerate() {
        let exact = 2f64.powf(-0.5 * (2 * i + 1) as f64);
        assert!((f64::from(*slope) / exact - 1.0).abs() < 1e-7, "{slope} and {exact}");
    }
    let sixteen = attention::alibi_slopes(16);
    assert!((sixteen[1] - 0.5).abs() < 1e-7 && (sixteen[15] - 0.003_906_25).abs() < 1e-9);
}

#[test]
fn tanh_and_the_error_function_are_accurate() {
    // Maclaurin's series of erf in double precision, good up to 4.
    let erf = |x: f64| {
        let (mut term, mut sum) = (x, x);
        for n in 1..120 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    };
    for i in -4000..4000 {
        let x = i as f32 / 1000.0;
        let error = (f64::from(math::erf(x)) - erf(f64::from(x))).abs();
        assert!(error < 3e-7, "erf({x}) is off by {error}");
        let exact = f64::from(x).tanh();
        let error = (f64::from(math::tanh(x)) - exact).abs() / exact.abs().max(1e-30);
        assert!(x == 0.0 || error < 3e-7, "tanh({x}) is off by {error}");
    }
    for x in [5.0f32, 9.0, 50.0, 1e30, f32::INFINITY] {
        assert_eq!((math::erf(x), math::erf(-x)), (1.0, -1.0));
        assert!((math::tanh(x) - 1.0).abs() < 1e-4 && (math::tanh(-x) + 1.0).abs() < 1e-4);
    }
}

#[test]
fn layer_norm_backward() {
    let (rows, width) = (5, 37);
    let x: Vec<f32> = random(1, rows * width, 1.0).iter().map(|x| x + 0.7).collect();
    let (weight, bias) = (random(2, width, 1.5), random(3, width, 1.0));
    let c = random(4, rows * width, 1.0);
    let run = |x: &[f32]| {
        let (mut y, mut stats) = (vec![0f32; x.len()], vec![0f32; 2 * rows]);
        norm::layer_forward(&mut y, &mut stats, x, (&weight, &bias), 1e-5);
        (y, stats)
    };
    let (y, stats) = run(&x);
    // By definition.
    let row: Vec<f64> = x[..width].iter().map(|x| f64::from(*x)).collect();
    let mean = row.iter().sum::<f64>() / width as f64;
    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
    for (i, x) in row.iter().enumerate() {
        let exact = (x - mean) / (variance + 1e-5).sqrt() * f64::from(weight[i]);
        assert!((f64::from(y[i] - bias[i]) - exact).abs() < 1e-5);
    }
    let mut again = vec![0f32; y.len()];
    norm::layer_recompute(&mut again, &stats, &x, (&weight, &bias));
    assert_eq!(y, again);
    let mut dx = vec![0f32; x.len()];
    norm::layer_backward(&mut dx, &c, &stats, &x, &weight, false);
    check("layer norm", &x, &dx, |x| weighted(&run(x).0, &c));
    let mut twice = dx.clone();
    norm::layer_backward(&mut twice, &c, &stats, &x, &weight, true);
    assert!(twice.iter().zip(&dx).all(|(t, d)| (t - 2.0 * d).abs() < 1e-5));
}

#[test]
fn activations_backward_alone_gated_and_fused() {
    let (rows, width) = (3, 41);
    let n = rows * width;
    // Away from the kink of relu, where differences say nothing.
    let away = |x: f32| if x.abs() < 0.1 { x + 0.3 } else { x };
    let gate: Vec<f32> = random(1, n, 4.0).into_iter().map(away).collect();
    let (up, c) = (random(2, n, 2.0), random(3, n, 1.0));
    for act in [Activation::Silu, Activation::GeluTanh, Activation::GeluErf, Activation::Relu] {
        let plain = |x: &[f32]| {
            let mut y = vec![0f32; n];
            act.plain(&mut y, x, width);
            weighted(&y, &c)
        };
        let mut dx = vec![0f32; n];
        act.plain_backward(&mut dx, &c, &gate, width);
        check(&format!("{act:?}"), &gate, &dx, plain);

        let gated = |gate: &[f32], up: &[f32]| {
            let mut y = vec![0f32; n];
            act.gated(&mut y, gate, up, width);
            y
        };
        let (mut dgate, mut dup) = (vec![0f32; n], vec![0f32; n]);
        act.gated_backward((&mut dgate, &mut dup), &c, (&gate, &up), width);
        check(&format!("{act:?} gate"), &gate, &dgate, |g| weighted(&gated(g, &up), &c));
        check(&format!("{act:?} up"), &up, &dup, |u| weighted(&gated(&gate, u), &c));

        // Fused rows hold the gate's values and then those of up.
        let fuse = |gate: &[f32], up: &[f32]| -> Vec<f32> {
            gate.chunks(width).zip(up.chunks(width)).flat_map(|(g, u)| [g, u].concat()).collect()
        };
        let fused = fuse(&gate, &up);
        let mut y = vec![0f32; n];
        act.gated_fused(&mut y, &fused, width);
        assert_eq!(y, gated(&gate, &up), "{act:?}");
        let mut dfused = vec![0f32; 2 * n];
        act.gated_fused_backward(&mut dfused, &c, &fused, width);
        assert_eq!(dfused, fuse(&dgate, &dup), "{act:?}");
    }
}

#[test]
fn partial_and_interleaved_rope_turns_the_right_pairs() {
    let positions = [0u32, 3, 17];
    let width = 2 * 10;
    let (x, c) = (random(1, 3 * width, 1.0), random(2, 3 * width, 1.0));
    for interleaved in [false, true] {
        let table = RopeTable::new(&[1.0, 0.3, 0.05], 18).within(10, interleaved);
        let run = |x: &[f32]| {
            let mut y = x.to_vec();
            rope::apply(&mut y, width, &table, &positions, false);
            y
        };
        let y = run(&x);
        for (row, position) in positions.iter().enumerate() {
            for head in 0..2 {
                let at = row * width + head * 10;
                assert_eq!(y[at + 6..at + 10], x[at + 6..at + 10], "the rest stays");
                for (i, f) in [1.0f64, 0.3, 0.05].into_iter().enumerate() {
                    let (a, b) = if interleaved { (2 * i, 2 * i + 1) } else { (i, i + 3) };
                    let (sin, cos) = (f * f64::from(*position)).sin_cos();
                    let (p, q) = (f64::from(x[at + a]), f64::from(x[at + b]));
                    assert!((f64::from(y[at + a]) - (p * cos - q * sin)).abs() < 1e-5);
                    assert!((f64::from(y[at + b]) - (q * cos + p * sin)).abs() < 1e-5);
                }
            }
        }
        let mut dx = c.clone();
        rope::apply(&mut dx, width, &table, &positions, true);
        check("partial rope", &x, &dx, |x| weighted(&run(x), &c));
    }
}

#[test]
fn head_cross_entropy_gradient() {
    let (rows, width, vocabulary) = (3, 9, 23);
    let x = random(1, rows * width, 1.0);
    let head = random(2, vocabulary * width, 1.0);
    let head = FrozenLinear::new(head, vocabulary, width).expect("fits");
    let targets = [4u32, 22, 0];
    let run = |x: &[f32]| loss::head_cross_entropy(x, &head, &targets, None, &mut Vec::new());
    let mut dx = vec![0f32; x.len()];
    let with = loss::head_cross_entropy(&x, &head, &targets, Some(&mut dx), &mut vec![]);
    assert_eq!(with.to_bits(), run(&x).to_bits());
    check("cross-entropy", &x, &dx, run);
}

#[test]
fn linear_with_bias_adapter_and_dropout_backward() {
    let (rows, input, output, r) = (7, 13, 11, 3);
    let weight = FrozenLinear::new(random(1, input * output, 0.5), output, input).expect("fits");
    let weight = weight.with_bias(random(9, output, 1.0)).expect("fits");
    let mut layout = Layout::default();
    let path = "self_attn.v_proj";
    let module = Module { role: Role::Value, path, output, input, bias: false, conv1d: false };
    layout.add(&module, path, &LoraConfig { r, alpha: 0.7 * r as f64, ..LoraConfig::default() });
    let masks: [DropoutMask; Role::COUNT] =
        std::array::from_fn(|i| DropoutMask::new(5, 0.3, &[i as u64]));
    let ws = Workspace::default();
    let x = random(2, rows * input, 1.0);
    let parameters = random(3, layout.len, 1.0);
    let c = random(4, rows * output, 1.0);
    for dropout in [None, Some(&masks)] {
        let run = |x: &[f32], parameters: &[f32]| {
            let adapter = BlockAdapter { layout: &layout, parameters, scales: None, dropout };
            let mut y = vec![0f32; rows * output];
            linear_forward(&mut y, x, &weight, Role::Value, Some(&adapter), rows, &ws);
            weighted(&y, &c)
        };
        let adapter =
            BlockAdapter { layout: &layout, parameters: &parameters, scales: None, dropout };
        let (mut dx, mut gradient) = (vec![0f32; x.len()], vec![0f32; layout.len]);
        linear_backward(
            Some(&mut dx),
            false,
            &c,
            &x,
            &weight,
            Role::Value,
            Some(&adapter),
            Some(Gradient::whole(&mut gradient)),
            rows,
            &ws,
        );
        check("linear input", &x, &dx, |x| run(x, &parameters));
        check("linear adapter", &parameters, &gradient, |p| run(&x, p));
    }
}

/// The norms count as constants in the backward, so they stay as they are for the differences too.
#[test]
fn linear_with_dora_bias_and_dropout_backward() {
    let (rows, input, output, r) = (7, 13, 11, 3);
    let role = Role::Value;
    let weight = FrozenLinear::new(random(1, input * output, 0.5), output, input).expect("fits");
    let weight = weight.with_bias(random(9, output, 0.5)).expect("fits");
    let path = "self_attn.v_proj";
    let module = Module { role, path, output, input, bias: true, conv1d: false };
    let config = LoraConfig { r, alpha: 2.0, use_dora: true, ..LoraConfig::default() };
    let mut layout = Layout::default();
    let slot = layout.add(&module, path, &config);
    assert_eq!((slot.range(), layout.len), (0..layout.len, r * (input + output) + output));
    let masks: [DropoutMask; Role::COUNT] =
        std::array::from_fn(|i| DropoutMask::new(5, 0.3, &[i as u64]));
    let ws = Workspace::default();
    let x = random(2, rows * input, 1.0);
    let parameters = random(3, layout.len, 1.0);
    let c = random(4, rows * output, 1.0);
    let (a, b) = slot.split(&parameters);
    let norm = row_norms(&weight, &slot, a, b);
    for (o, norm) in norm.iter().enumerate() {
        let square: f32 = (0..input)
            .map(|i| {
                let change: f32 = (0..r).map(|k| b[o * r + k] * a[k * input + i]).sum();
                (weight.values()[o * input + i] + slot.scaling * change).powi(2)
            })
            .sum();
        assert!((square.sqrt() - norm).abs() < 1e-5, "row {o}");
    }
    let scales = |parameters: &[f32]| {
        let magnitude = slot.magnitude(parameters).expect("magnitudes");
        let scale = magnitude.iter().zip(&norm).map(|(m, n)| m / n).collect();
        LayerScales::single(role, RowScales { scale, norm: norm.clone() })
    };
    for dropout in [None, Some(&masks)] {
        let run = |x: &[f32], parameters: &[f32]| {
            let scales = scales(parameters);
            let scales = Some(&scales);
            let adapter = BlockAdapter { layout: &layout, parameters, scales, dropout };
            let mut y = vec![0f32; rows * output];
            linear_forward(&mut y, x, &weight, role, Some(&adapter), rows, &ws);
            weighted(&y, &c)
        };
        let given = scales(&parameters);
        let adapter = BlockAdapter {
            layout: &layout,
            parameters: &parameters,
            scales: Some(&given),
            dropout,
        };
        let (mut dx, mut gradient) = (vec![0f32; x.len()], vec![0f32; layout.len]);
        let (out, adapter) = (Some(&mut dx[..]), Some(&adapter));
        let into = Some(Gradient::whole(&mut gradient));
        linear_backward(out, false, &c, &x, &weight, role, adapter, into, rows, &ws);
        check("DoRA input", &x, &dx, |x| run(x, &parameters));
        check("DoRA adapter", &parameters, &gradient, |p| run(&x, p));
    }
}

/// The whole model, for every adapter parameter.
#[test]
fn model_gradient_for_every_set_of_targets() {
    let (model, _) = tiny(3);
    let runner = Runner::new(model.clone(), 64).expect("a runner");
    let tokens: Vec<u32> = (0..20).map(|i| 2 + (i * 37) % 250).collect();
    let labels: Vec<bool> = (0..20).map(|i| i > 4).collect();
    let batch = Batch::new(&[(&tokens, &labels), (&tokens[3..9], &labels[..6])]);
    let sets: [&[&str]; 4] =
        [&["all-linear"], &["q_proj", "v_proj"], &["down_proj"], &["o_proj", "gate_proj"]];
    for targets in sets {
        for dropout in [0.0, 0.2] {
            let config = LoraConfig { dropout, ..lora_config(&model, 3, 6.0, targets) };
            let mut adapter = Adapter::new(config, &model.config, 1);
            for (i, layer) in adapter.layers.iter_mut().enumerate() {
                let noise = random(i as u64 + 50, layer.len(), 0.1);
                layer.iter_mut().zip(noise).for_each(|(p, n)| *p += n);
            }
            let at = Some(DropoutAt { seed: 1, step: 4, micro: 2 });
            let result = runner.loss_and_gradients(&batch, &adapter, 0.5, at).expect("gradients");
            for layer in 0..model.config.num_hidden_layers {
                let gradient = result.gradients[layer].as_ref().expect("a gradient a layer");
                check("model", &adapter.layers[layer], gradient, |p| {
                    let mut moved = adapter.clone();
                    moved.layers[layer] = p.to_vec();
                    0.5 * runner.loss_and_gradients(&batch, &moved, 0.5, at).expect("loss").loss_sum
                });
            }
        }
    }
}

/// The whole model again, for the parts that other families have: per-head normalisation, fused
/// projections, ALiBi, output norms, residuals after the norm, windows.
#[test]
fn model_gradient_of_every_family() {
    for name in ["qwen2", "qwen3", "gpt2", "bloom", "bloom-after-norm", "chatglm", "glm4"] {
        let model = Arc::new(Model::open(&golden(name)).expect("the model loads"));
        let runner = Runner::new(model.clone(), 16).expect("a runner");
        let tokens: Vec<u32> = (0..14).map(|i| 1 + (i * 37) % 46).collect();
        let labels: Vec<bool> = (0..14).map(|i| i > 4).collect();
        let batch = Batch::new(&[(&tokens, &labels), (&tokens[3..9], &labels[..6])]);
        let config = LoraConfig { dropout: 0.1, ..lora_config(&model, 2, 4.0, &["all-linear"]) };
        let mut adapter = Adapter::new(config, &model.config, 1);
        for (i, layer) in adapter.layers.iter_mut().enumerate() {
            let noise = random(i as u64 + 50, layer.len(), 0.1);
            layer.iter_mut().zip(noise).for_each(|(p, n)| *p += n);
        }
        let at = Some(DropoutAt { seed: 1, step: 4, micro: 2 });
        let loss = |adapter: &Adapter| {
            runner.loss_and_gradients(&batch, adapter, 0.5, at).expect("gradients")
        };
        let gradient = loss(&adapter).gradients[0].clone().expect("a gradient");
        check(name, &adapter.layers[0], &gradient, |p| {
            let mut moved = adapter.clone();
            moved.layers[0] = p.to_vec();
            0.5 * loss(&moved).loss_sum
        });
    }
}
