//! The matrix products of a training step: how many operations they are, and how fast they run in
//! the engine's order of additions and in the order that the crate gemm chooses for a CPU.

use super::{load, Args, Measurement};
use anyhow::Result;
use gemm::Parallelism;
use openledger_engine::kernels::cpu::instructions;
use openledger_engine::kernels::gemm as product;
use openledger_engine::kernels::rng::Stream;
use openledger_engine::model::{Model, Precision, Role};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;

/// One product of a training step: `[m, k] · [k, n]`, the right matrix transposed or not, and how
/// often a step has it.
#[derive(Clone, Copy)]
struct Shape {
    m: usize,
    n: usize,
    k: usize,
    transposed: bool,
    times: usize,
}

impl Shape {
    fn flops(&self) -> f64 {
        2.0 * (self.m * self.n * self.k * self.times) as f64
    }
}

/// Modules that read a layer's input: in the lowest layer nothing below them needs a gradient.
const INPUT_ROLES: [Role; 6] =
    [Role::Query, Role::Key, Role::Value, Role::QueryKeyValue, Role::QueryA, Role::KeyValueA];

/// The large products of a LoRA step over `rows` tokens, all labelled: of the frozen modules (without
/// routed experts) and of the head. The adapters' own are small beside them.
fn training_products(model: &Model, rows: usize) -> Vec<Shape> {
    let config = &model.config;
    // How often a weight of some (output, input) is multiplied forward and backward.
    let mut weights: BTreeMap<(usize, usize), [usize; 2]> = BTreeMap::new();
    for layer in 0..config.num_hidden_layers {
        for module in config.modules(layer) {
            let times = weights.entry((module.output, module.input)).or_default();
            times[0] += 1;
            times[1] += usize::from(layer > 0 || !INPUT_ROLES.contains(&module.role));
        }
    }
    let mut shapes = Vec::new();
    for ((output, input), [forward, backward]) in weights {
        let shape = Shape { m: rows, n: output, k: input, transposed: true, times: forward };
        shapes.push(shape);
        shapes.push(Shape { n: input, k: output, transposed: false, times: backward, ..shape });
    }
    let (v, d) = (config.vocab_size, config.hidden_size);
    let m = rows.min(openledger_engine::kernels::loss::CHUNK);
    let times = rows.div_ceil(m.max(1));
    shapes.push(Shape { m, n: v, k: d, transposed: true, times });
    shapes.push(Shape { m, n: d, k: v, transposed: false, times });
    shapes
}

/// Floating-point operations that a token of a LoRA step needs: the products of
/// [`training_products`], and the attention's without what lies above the diagonal.
pub(super) fn training_flops(model: &Model, sequence: usize) -> f64 {
    let linear: f64 = training_products(model, 128).iter().map(Shape::flops).sum::<f64>() / 128.0;
    let config = &model.config;
    // Forward: scores and their product with the values; backward: four such products. A query
    // sees half of the keys on average.
    let attention = 6.0 * 2.0 * config.heads(0).query_width() as f64 * sequence as f64 / 2.0;
    linear + attention * config.num_hidden_layers as f64
}

/// `y = x · w` by the crate gemm in one piece: its own order of additions, which depends on the CPU.
fn free_order(y: &mut [f32], x: &[f32], w: &[f32], shape: Shape, parallelism: Parallelism) {
    let Shape { m, n, k, transposed, .. } = shape;
    assert!(y.len() >= m * n && x.len() >= m * k && w.len() >= k * n, "matrices are whole");
    let (column, row) = if transposed { (k as isize, 1) } else { (1, n as isize) };
    // SAFETY: the lengths were just checked, `y` is borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            y.as_mut_ptr(),
            1,
            n as isize,
            false,
            x.as_ptr(),
            1,
            k as isize,
            w.as_ptr(),
            column,
            row,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

pub(super) fn measurement(args: &Args) -> Result<Measurement> {
    let rows = args.tokens.unwrap_or(512).clamp(1, 8192) as usize;
    // Only the sizes matter, and they are the same in few bits.
    let (model, _) = load(args, Precision::Quantised)?;
    let shapes = training_products(&model, rows);
    let largest = |f: fn(&Shape) -> usize| shapes.iter().map(f).max().unwrap_or(0);
    let fill = |count: usize| -> Vec<f32> {
        let mut stream = Stream::new(count as u64, "bench", &[]);
        (0..count).map(|_| stream.uniform() - 0.5).collect()
    };
    let x = fill(largest(|s| s.m * s.k));
    let w = fill(largest(|s| s.k * s.n));
    let mut y = vec![0f32; largest(|s| s.m * s.n)];
    let parallelism = match rayon::current_num_threads() {
        0 | 1 => Parallelism::None,
        n => Parallelism::Rayon(n),
    };
    let round = move || {
        // Seconds of a step's products: ours and in free order, in turns.
        let mut seconds = [0f64; 2];
        let mut fastest = 0f64;
        for shape in &shapes {
            let mut best = [f64::INFINITY; 2];
            for _ in 0..3 {
                for (which, best) in best.iter_mut().enumerate() {
                    let started = Instant::now();
                    if which == 0 {
                        let size = (shape.m, shape.n, shape.k);
                        if shape.transposed {
                            product::nt(&mut y, &x, &w, size, 1.0, false);
                        } else {
                            product::nn(&mut y, &x, &w, size, 1.0, false);
                        }
                    } else {
                        free_order(&mut y, &x, &w, *shape, parallelism);
                    }
                    *best = best.min(started.elapsed().as_secs_f64());
                }
            }
            for (sum, best) in seconds.iter_mut().zip(best) {
                *sum += best * shape.times as f64;
            }
            let once = Shape { times: 1, ..*shape }.flops();
            fastest = fastest.max(once / best[0].min(best[1]));
        }
        let flops: f64 = shapes.iter().map(Shape::flops).sum();
        Ok(json!({
            "gflops": flops / seconds[0] / 1e9,
            "free_order_gflops": flops / seconds[1] / 1e9,
            "fastest_product_gflops": fastest / 1e9,
        }))
    };
    Ok(Measurement {
        ready: json!({ "ready": "gemm", "instructions": instructions().name() }),
        figures: vec![
            ("gflops", "gemm_rate".to_owned(), "GFLOP/s"),
            ("free_order_gflops", "gemm_rate_free_order".to_owned(), "GFLOP/s"),
        ],
        round: Box::new(round),
    })
}
