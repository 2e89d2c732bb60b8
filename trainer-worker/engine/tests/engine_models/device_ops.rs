//! Every operation of the graph on every device of this build, against the CPU's own kernels; and
//! that no operation is missing here.

use crate::common::random;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor, Var};
use openledger_engine::kernels::activation::Activation;
use openledger_engine::kernels::attention::{self, alibi_slopes, Bias, Heads};
use openledger_engine::kernels::linear::FrozenLinear;
use openledger_engine::kernels::norm;
use openledger_engine::kernels::quant::{BlockType, QuantMatrix};
use openledger_engine::kernels::rope::{self, RopeTable};
use openledger_engine::model::graph::frozen::Frozen;
use openledger_engine::model::graph::ops::{self, Norm, Turn};
use openledger_engine::model::graph::scores::{self, Group, Sequences};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The devices that this build has and this machine answers for.
pub fn devices() -> Vec<(&'static str, Device)> {
    #[allow(unused_mut)]
    let mut devices = vec![("cpu", Device::Cpu)];
    #[cfg(feature = "cuda")]
    if let Ok(device) = Device::new_cuda(0) {
        devices.push(("cuda", device));
    }
    #[cfg(feature = "metal")]
    if let Ok(device) = Device::new_metal(0) {
        devices.push(("metal", device));
    }
    devices
}

/// What an entry of the table checks, under the names that `missing_operations` finds.
struct Entry {
    covers: &'static [&'static str],
    check: fn(&str, &Device),
}

const TABLE: [Entry; 7] = [
    Entry {
        covers: &[
            "frozen::Frozen::new",
            "frozen::Frozen::weight",
            "frozen::Frozen::bytes",
            "frozen::Frozen::product",
            "frozen::Frozen::forward",
            "frozen::Frozen::backward",
        ],
        check: frozen,
    },
    Entry { covers: &["ops::softmax"], check: softmax },
    Entry { covers: &["ops::Norm::forward", "ops::Norm::backward"], check: normalise },
    Entry { covers: &["ops::activate"], check: activate },
    Entry { covers: &["ops::Turn::forward"], check: turn },
    Entry { covers: &["ops::cross_entropy"], check: cross_entropy },
    Entry {
        covers: &["scores::attention", "scores::groups", "scores::score_bias"],
        check: scaled_attention,
    },
];

#[test]
fn every_operation_agrees_with_the_cpus_kernel_on_every_device() {
    for (name, device) in devices() {
        for entry in &TABLE {
            (entry.check)(&format!("{name}: {}", entry.covers[0]), &device);
        }
    }
}

/// Public functions of a file of operations, with their type where they have one.
fn operations(file: &str, source: &str) -> Vec<String> {
    let mut of = None;
    let mut found = Vec::new();
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("impl ") {
            of = (!rest.contains(" for ")).then(|| rest.trim_end_matches(" {").to_owned());
        } else if line == "}" {
            of = None;
        } else if let Some(rest) = line.trim_start().strip_prefix("pub fn ") {
            let name = rest.split(['(', '<']).next().expect("a name");
            found.push(match &of {
                Some(of) => format!("{file}::{of}::{name}"),
                None => format!("{file}::{name}"),
            });
        }
    }
    found
}

#[test]
fn no_operation_is_missing_from_the_table() {
    let files = [
        ("frozen", include_str!("../../src/model/graph/frozen.rs")),
        ("ops", include_str!("../../src/model/graph/ops.rs")),
        ("scores", include_str!("../../src/model/graph/scores.rs")),
    ];
    let there: BTreeSet<String> =
        files.iter().flat_map(|(file, source)| operations(file, source)).collect();
    let covered: BTreeSet<String> =
        TABLE.iter().flat_map(|e| e.covers).map(|name| (*name).to_owned()).collect();
    assert!(there.len() >= 12, "{there:?}");
    assert_eq!(there, covered, "operations of the graph, and those in the table");
}

fn values(tensor: &Tensor) -> Vec<f32> {
    let tensor = tensor.to_dtype(DType::F32).expect("f32").flatten_all().expect("flat");
    tensor.to_vec1().expect("values")
}

fn close(what: &str, theirs: &[f32], ours: &[f32], tolerance: f64) {
    assert_eq!(theirs.len(), ours.len(), "{what}");
    let square = |v: &mut dyn Iterator<Item = f32>| v.map(|x| f64::from(x).powi(2)).sum::<f64>();
    let size = square(&mut ours.iter().copied()).sqrt();
    let error = square(&mut theirs.iter().zip(ours).map(|(a, b)| a - b)).sqrt() / size;
    assert!(size > 0.0 && error <= tolerance, "{what}: off by {error}");
}

fn variable(values: &[f32], shape: &[usize], device: &Device) -> Var {
    let tensor = Tensor::from_slice(values, shape, device).expect("a tensor");
    Var::from_tensor(&tensor).expect("a variable")
}

/// The gradients that candle gives for `Σ y · c`.
fn gradients(y: &Tensor, c: &[f32], vars: &[&Var]) -> Vec<Vec<f32>> {
    let c = Tensor::from_slice(c, y.shape(), y.device()).expect("a tensor");
    let store = (y * c).and_then(|p| p.sum_all()).and_then(|s| s.backward()).expect("a backward");
    vars.iter().map(|v| values(store.get(v.as_tensor()).expect("a gradient"))).collect()
}

/// A weight in each way that one can be kept.
fn weights(rows: usize, cols: usize) -> Vec<(String, FrozenLinear, f64)> {
    let dense = random(3, rows * cols, 0.5);
    let bias = random(4, rows, 0.5);
    let mut all = vec![(
        "dense".to_owned(),
        FrozenLinear::new(dense.clone(), rows, cols).expect("a weight"),
        0.0,
    )];
    for double_quant in [false, true] {
        let nf4 = QuantMatrix::from_dense_nf4(&dense, rows, cols, double_quant).expect("NF4");
        all.push((format!("NF4, {double_quant}"), FrozenLinear::quantised(nf4), 0.0));
    }
    let tensor = Tensor::from_slice(&dense, (rows, cols), &Device::Cpu).expect("a tensor");
    for (block_type, ggml) in [
        (BlockType::F32, GgmlDType::F32),
        (BlockType::F16, GgmlDType::F16),
        (BlockType::BF16, GgmlDType::BF16),
        (BlockType::Q4_0, GgmlDType::Q4_0),
        (BlockType::Q4_1, GgmlDType::Q4_1),
        (BlockType::Q5_0, GgmlDType::Q5_0),
        (BlockType::Q5_1, GgmlDType::Q5_1),
        (BlockType::Q8_0, GgmlDType::Q8_0),
        (BlockType::Q2K, GgmlDType::Q2K),
        (BlockType::Q3K, GgmlDType::Q3K),
        (BlockType::Q4K, GgmlDType::Q4K),
        (BlockType::Q5K, GgmlDType::Q5K),
        (BlockType::Q6K, GgmlDType::Q6K),
    ] {
        let blocks = QTensor::quantize(&tensor, ggml).expect("blocks");
        let bytes = blocks.data().expect("bytes").into_owned();
        let matrix = QuantMatrix::from_blocks(block_type, bytes, rows, cols).expect("a matrix");
        all.push((format!("{block_type:?}"), FrozenLinear::quantised(matrix), 1e-6));
    }
    assert_eq!(all.len(), 3 + BlockType::ALL.len());
    all.into_iter()
        .map(|(name, weight, tolerance)| {
            (name, weight.with_bias(bias.clone()).expect("a bias"), tolerance)
        })
        .collect()
}

fn frozen(what: &str, device: &Device) {
    let (tokens, rows, cols) = (5, 24, 512);
    let (x, c) = (random(1, tokens * cols, 1.0), random(2, tokens * rows, 1.0));
    for (name, weight, tolerance) in weights(rows, cols) {
        let what = format!("{what}, {name}");
        let (mut y, mut dx) = (vec![0f32; tokens * rows], vec![0f32; tokens * cols]);
        weight.forward(&mut y, &x, tokens);
        weight.backward(&mut dx, &c, tokens, false);
        let frozen = Frozen::new(&weight, device, DType::F32).expect("a copy");
        close(&what, &values(&frozen.weight().expect("values")), &weight.values(), tolerance);
        // In few bits on the device as well: the map of NF4's values is all that comes on top.
        let bytes = weight.bytes() - 4 * rows;
        assert!(frozen.bytes() <= bytes + 4096, "{what}: {} and {bytes} bytes", frozen.bytes());
        let input = variable(&x, &[tokens, cols], device);
        let output = frozen.forward(input.as_tensor()).expect("a product");
        close(&what, &values(&output), &y, 1e-5);
        close(&what, &gradients(&output, &c, &[&input])[0], &dx, 1e-5);
        let product = frozen.product(input.as_tensor()).expect("a product");
        close(&what, &gradients(&product, &c, &[&input])[0], &dx, 1e-5);
        let dy = Tensor::from_slice(&c, (tokens, rows), device).expect("a tensor");
        close(&what, &values(&frozen.backward(&dy).expect("a gradient")), &dx, 1e-5);
        let narrow = Frozen::new(&weight, device, DType::BF16).expect("a copy");
        let half = input.as_tensor().to_dtype(DType::BF16).expect("bf16");
        close(&what, &values(&narrow.forward(&half).expect("a product")), &y, 2e-2);
    }
}

fn softmax(what: &str, device: &Device) {
    let (rows, width) = (7, 33);
    let x = random(1, rows * width, 4.0);
    let expected: Vec<f32> = x
        .chunks(width)
        .flat_map(|row| {
            let e: Vec<f64> = row.iter().map(|x| f64::from(*x).exp()).collect();
            let sum: f64 = e.iter().sum();
            e.into_iter().map(move |e| (e / sum) as f32).collect::<Vec<_>>()
        })
        .collect();
    let c = random(2, rows * width, 1.0);
    let slope: Vec<f32> = expected
        .chunks(width)
        .zip(c.chunks(width))
        .flat_map(|(p, c)| {
            let along: f32 = p.iter().zip(c).map(|(p, c)| p * c).sum();
            p.iter().zip(c).map(|(p, c)| p * (c - along)).collect::<Vec<_>>()
        })
        .collect();
    let input = variable(&x, &[rows, width], device);
    let y = ops::softmax(input.as_tensor()).expect("a softmax");
    close(what, &values(&y), &expected, 1e-6);
    close(what, &gradients(&y, &c, &[&input])[0], &slope, 1e-5);
}

fn normalise(what: &str, device: &Device) {
    let (rows, width) = (6, 48);
    let (x, c) = (random(1, rows * width, 2.0), random(2, rows * width, 1.0));
    let (weight, shift) = (random(3, width, 1.5), random(4, width, 1.0));
    let tensor = |v: &[f32]| Tensor::from_slice(v, v.len(), device).expect("a tensor");
    for bias in [None, Some(&shift)] {
        let (mut y, mut dx) = (vec![0f32; rows * width], vec![0f32; rows * width]);
        match bias {
            None => {
                let mut inverse = vec![0f32; rows];
                norm::forward(&mut y, &mut inverse, &x, &weight, 1e-5);
                norm::backward(&mut dx, &c, &inverse, &x, &weight, false);
            }
            Some(bias) => {
                let mut stats = vec![0f32; 2 * rows];
                norm::layer_forward(&mut y, &mut stats, &x, (&weight, bias), 1e-5);
                norm::layer_backward(&mut dx, &c, &stats, &x, &weight, false);
            }
        }
        let layer = Norm { weight: tensor(&weight), bias: bias.map(|b| tensor(b)), eps: 1e-5 };
        let input = variable(&x, &[rows, width], device);
        let output = layer.forward(input.as_tensor()).expect("normalised");
        close(what, &values(&output), &y, 1e-6);
        close(what, &gradients(&output, &c, &[&input])[0], &dx, 1e-5);
        let dy = Tensor::from_slice(&c, (rows, width), device).expect("a tensor");
        close(what, &values(&layer.backward(input.as_tensor(), &dy).expect("back")), &dx, 1e-5);
        let half = input.as_tensor().to_dtype(DType::BF16).expect("bf16");
        close(what, &values(&layer.forward(&half).expect("normalised")), &y, 2e-2);
    }
}

fn activate(what: &str, device: &Device) {
    let (rows, width) = (4, 40);
    let (x, c) = (random(1, rows * width, 3.0), random(2, rows * width, 1.0));
    for kind in [Activation::Silu, Activation::GeluTanh, Activation::GeluErf, Activation::Relu] {
        let (mut y, mut dx) = (vec![0f32; rows * width], vec![0f32; rows * width]);
        kind.plain(&mut y, &x, width);
        kind.plain_backward(&mut dx, &c, &x, width);
        let input = variable(&x, &[rows, width], device);
        let output = ops::activate(input.as_tensor(), kind).expect("activated");
        close(&format!("{what}, {kind:?}"), &values(&output), &y, 1e-6);
        close(&format!("{what}, {kind:?}"), &gradients(&output, &c, &[&input])[0], &dx, 1e-5);
    }
}

fn turn(what: &str, device: &Device) {
    let (heads, pairs) = (3, 4);
    let positions = [0u32, 1, 2, 0, 1, 2, 3, 9];
    let frequencies: Vec<f32> = (0..pairs).map(|i| 1.0 / (1 << (2 * i)) as f32).collect();
    for (dim, interleaved) in [(8, false), (8, true), (12, false), (12, true)] {
        let table = RopeTable::new(&frequencies, 10).within(dim, interleaved);
        let (rows, width) = (positions.len(), heads * dim);
        let (x, c) = (random(1, rows * width, 1.0), random(2, rows * width, 1.0));
        let (mut y, mut dx) = (x.clone(), c.clone());
        rope::apply(&mut y, width, &table, &positions, false);
        rope::apply(&mut dx, width, &table, &positions, true);
        let (cos, sin) = table.of_rows(&positions);
        let tensor = |v: Vec<f32>| Tensor::from_vec(v, (rows, pairs), device).expect("a tensor");
        let turn = Turn { cos: tensor(cos), sin: tensor(sin), interleaved };
        let input = variable(&x, &[rows, heads, dim], device);
        let output = turn.forward(input.as_tensor()).expect("turned");
        let what = format!("{what}, {dim} {interleaved}");
        close(&what, &values(&output), &y, 1e-6);
        close(&what, &gradients(&output, &c, &[&input])[0], &dx, 1e-6);
    }
}

fn cross_entropy(what: &str, device: &Device) {
    let (rows, width) = (5, 70);
    let x = random(1, rows * width, 5.0);
    let targets = [0u32, 69, 3, 3, 41];
    let (mut losses, mut slope) = (Vec::new(), Vec::new());
    for (row, target) in x.chunks(width).zip(targets) {
        let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
        losses.push((sum.ln() - f64::from(row[target as usize])) as f32);
        slope.extend(row.iter().enumerate().map(|(i, x)| {
            (f64::from(*x).exp() / sum - f64::from(u8::from(i == target as usize))) as f32
        }));
    }
    let logits = Tensor::from_slice(&x, (rows, width), device).expect("a tensor");
    let targets = Tensor::from_slice(&targets, (rows, 1), device).expect("a tensor");
    let (theirs, gradient) = ops::cross_entropy(&logits, &targets, true).expect("a loss");
    close(what, &values(&theirs), &losses, 1e-6);
    close(what, &values(&gradient.expect("a gradient")), &slope, 1e-6);
    let (again, none) = ops::cross_entropy(&logits, &targets, false).expect("a loss");
    assert!(none.is_none() && values(&again) == values(&theirs), "{what}");
}

fn scaled_attention(what: &str, device: &Device) {
    // Neighbours of one length, one that is longer, and one of a single token.
    let offsets = [0usize, 6, 12, 23, 24];
    let rows = 24;
    let slopes = alibi_slopes(4);
    for (key_value, value_dim, window, slopes) in [
        (4, 8, None, &[][..]),
        (2, 8, None, &[]),
        (1, 6, Some(4), &[]),
        (2, 8, None, &slopes[..]),
        (4, 5, Some(3), &slopes),
    ] {
        let heads = Heads { value_dim, ..Heads::new(4, key_value, 8) };
        let bias = Bias { window, slopes };
        let q = random(1, rows * heads.query_width(), 1.5);
        let k = random(2, rows * heads.key_width(), 1.5);
        let v = random(3, rows * heads.value_width(), 1.5);
        let c = random(4, rows * heads.output_width(), 1.0);
        let mut y = vec![0f32; c.len()];
        attention::forward(&mut y, (&q, &k, &v), &offsets, heads, bias);
        let (mut dq, mut dk, mut dv) =
            (vec![0f32; q.len()], vec![0f32; k.len()], vec![0f32; v.len()]);
        attention::backward(
            (&mut dq, &mut dk, &mut dv),
            (&c, &y),
            (&q, &k, &v),
            &offsets,
            heads,
            bias,
        );
        let lying = scores::groups(&offsets);
        assert_eq!(lying, [(0, 2, 6), (12, 1, 11), (23, 1, 1)]);
        let groups = lying.into_iter().map(|(first, count, len)| Group {
            first,
            count,
            len,
            bias: scores::score_bias(len, window, slopes, device).expect("a mask"),
        });
        let scale = f64::from(heads.scale);
        let sequences = Arc::new(Sequences { groups: groups.collect(), scale });
        let (qv, kv, vv) = (
            variable(&q, &[rows, 4, 8], device),
            variable(&k, &[rows, key_value, 8], device),
            variable(&v, &[rows, key_value, value_dim], device),
        );
        let attend = |q: &Tensor, k: &Tensor, v: &Tensor| {
            scores::attention(q, k, v, &sequences).expect("attended")
        };
        let output = attend(qv.as_tensor(), kv.as_tensor(), vv.as_tensor());
        let what = format!("{what}, {key_value} key heads, window {window:?}");
        close(&what, &values(&output), &y, 1e-5);
        let found = gradients(&output, &c, &[&qv, &kv, &vv]);
        close(&what, &found[0], &dq, 1e-5);
        close(&what, &found[1], &dk, 1e-5);
        close(&what, &found[2], &dv, 1e-5);
        let half = |v: &Var| v.as_tensor().to_dtype(DType::BF16).expect("bf16");
        close(&what, &values(&attend(&half(&qv), &half(&kv), &half(&vv))), &y, 3e-2);
    }
}
