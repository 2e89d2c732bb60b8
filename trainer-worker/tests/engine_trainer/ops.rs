//! Every operation's hand-written backward against central differences of its forward.

use crate::common::{lora_config, random, tiny};
use trainer_worker::kernels::activation::Activation;
use trainer_worker::kernels::attention::{self, Bias, Heads};
use trainer_worker::kernels::rope::{self, RopeTable};
use trainer_worker::kernels::{gemm, loss, math, norm};
use trainer_worker::lora::linear::{linear_backward, linear_forward, BlockAdapter};
use trainer_worker::lora::{Adapter, Layout, LoraConfig, Module, Role};
use trainer_worker::model::forward::{Batch, DropoutAt, Runner};
use trainer_worker::model::linear::FrozenLinear;
use trainer_worker::model::workspace::Workspace;
use trainer_worker::rng::DropoutMask;

/// Compares `gradient` with differences of `f` at `x`: along random directions, and for single
/// coordinates relative to the gradient's size.
fn check(what: &str, x: &[f32], gradient: &[f32], f: impl Fn(&[f32]) -> f64) {
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

fn weighted(y: &[f32], weights: &[f32]) -> f64 {
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
    // A token's own cached attention is the last row of its sequence's.
    let mut last = vec![0f32; qw];
    attention::decode(&mut last, (&q[74 * qw..75 * qw], &k, &v), 75, heads, bias);
    assert!(last.iter().zip(&out[74 * qw..75 * qw]).all(|(a, b)| (a - b).abs() < 1e-5));
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
fn linear_with_adapter_and_dropout_backward() {
    let (rows, input, output, r) = (7, 13, 11, 3);
    let weight = FrozenLinear::new(random(1, input * output, 0.5), output, input).expect("fits");
    let mut layout = Layout::default();
    let path = "self_attn.v_proj";
    let module = Module { role: Role::Value, path, output, input, bias: false, conv1d: false };
    layout.add(&module, r, 0.7);
    let masks: [DropoutMask; Role::COUNT] =
        std::array::from_fn(|i| DropoutMask::new(5, 0.3, &[i as u64]));
    let ws = Workspace::default();
    let x = random(2, rows * input, 1.0);
    let parameters = random(3, layout.len, 1.0);
    let c = random(4, rows * output, 1.0);
    for dropout in [None, Some(&masks)] {
        let run = |x: &[f32], parameters: &[f32]| {
            let adapter = BlockAdapter { layout: &layout, parameters, dropout };
            let mut y = vec![0f32; rows * output];
            linear_forward(&mut y, x, &weight, Role::Value, Some(&adapter), rows, &ws);
            weighted(&y, &c)
        };
        let adapter = BlockAdapter { layout: &layout, parameters: &parameters, dropout };
        let (mut dx, mut gradient) = (vec![0f32; x.len()], vec![0f32; layout.len]);
        linear_backward(
            Some(&mut dx),
            false,
            &c,
            &x,
            &weight,
            Role::Value,
            Some(&adapter),
            Some(&mut gradient),
            rows,
            &ws,
        );
        check("linear input", &x, &dx, |x| run(x, &parameters));
        check("linear adapter", &parameters, &gradient, |p| run(&x, p));
    }
}

/// The whole model through candle's automatic differentiation, for every adapter parameter.
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
