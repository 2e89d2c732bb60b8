//! The arithmetic of DeepSeek's attention and experts against finite differences and plain sums.

use crate::common::random;
use crate::ops::{check, weighted};
use openledger_engine::kernels::activation::Activation;
use openledger_engine::kernels::latent::{self, Latent, Rotation};
use openledger_engine::kernels::linear::FrozenLinear;
use openledger_engine::kernels::moe::{self, Routing, Scoring};
use openledger_engine::kernels::rope::RopeTable;
use openledger_engine::model::moe::{Expert, Experts};
use openledger_engine::model::workspace::Workspace;

const SIZES: Latent = Latent { heads: 3, nope: 5, rope: 4, value: 6, latent: 7 };

#[test]
fn latent_attention_parts_backward() {
    let positions = [0u32, 1, 2, 0, 9];
    let rows = positions.len();
    for interleaved in [true, false] {
        let table = RopeTable::new(&[0.9, 0.2], 10).within(4, interleaved);
        let rotation = Rotation { table: &table, positions: &positions };

        let (q, c) = (random(1, rows * 27, 1.0), random(2, rows * 27, 1.0));
        let run = |q: &[f32]| {
            let mut q = q.to_vec();
            latent::rotate_queries(&mut q, SIZES, rotation, false);
            q
        };
        let mut dq = c.clone();
        latent::rotate_queries(&mut dq, SIZES, rotation, true);
        check("rotated queries", &q, &dq, |q| weighted(&run(q), &c));
        let turned = run(&q);
        assert_eq!(turned[27 + 9..][..5], q[27 + 9..][..5], "what has no position stays");
        assert_ne!(turned[27 + 5..][..4], q[27 + 5..][..4], "what has one turns");

        let compressed = random(3, rows * 11, 1.0);
        let (cl, cs) = (random(4, rows * 7, 1.0), random(5, rows * 4, 1.0));
        let run = |x: &[f32]| {
            let (mut l, mut s) = (vec![f32::NAN; rows * 7], vec![f32::NAN; rows * 4]);
            latent::split_compressed(&mut l, &mut s, x, SIZES, rotation);
            weighted(&l, &cl) + weighted(&s, &cs)
        };
        let mut dx = vec![f32::NAN; compressed.len()];
        latent::split_compressed_backward(&mut dx, &cl, &cs, SIZES, rotation);
        check("compressed", &compressed, &dx, run);
    }

    let (expanded, shared) = (random(6, rows * 33, 1.0), random(7, rows * 4, 1.0));
    let (ck, cv) = (random(8, rows * 27, 1.0), random(9, rows * 18, 1.0));
    let run = |e: &[f32], s: &[f32]| {
        let (mut k, mut v) = (vec![f32::NAN; rows * 27], vec![f32::NAN; rows * 18]);
        latent::assemble(&mut k, &mut v, e, s, SIZES);
        weighted(&k, &ck) + weighted(&v, &cv)
    };
    let (mut de, mut ds) = (vec![f32::NAN; rows * 33], vec![f32::NAN; rows * 4]);
    latent::assemble_backward(&mut de, &mut ds, &ck, &cv, SIZES);
    check("expanded", &expanded, &de, |e| run(e, &shared));
    check("shared key", &shared, &ds, |s| run(&expanded, s));
}

fn routings() -> [(&'static str, Routing, bool); 4] {
    let greedy = Routing {
        experts: 6,
        top_k: 2,
        groups: 1,
        top_groups: 1,
        scoring: Scoring::Softmax,
        normalize: false,
        scale: 1.7,
    };
    let grouped = Routing { groups: 3, top_groups: 2, ..greedy };
    let sigmoid = Routing { scoring: Scoring::Sigmoid, top_k: 3, scale: 2.5, ..grouped };
    [
        ("softmax", greedy, false),
        ("softmax in groups", grouped, false),
        ("sigmoid with bias in groups", sigmoid, true),
        ("sigmoid normalised", Routing { normalize: true, ..sigmoid }, true),
    ]
}

#[test]
fn experts_are_chosen_by_groups_then_scores_and_equals_by_index() {
    let [(_, greedy, _), (_, grouped, _), (_, sigmoid, _), (_, normalised, _)] = routings();
    let scores = [0.30f32, 0.05, 0.10, 0.25, 0.20, 0.10];
    let chosen = |bias: Option<&[f32]>, routing: &Routing| {
        let a = moe::route(&scores, bias, routing);
        (a.experts.clone(), a.weights.clone())
    };
    assert_eq!(chosen(None, &greedy), (vec![0, 3], vec![0.30 * 1.7, 0.25 * 1.7]));
    // The last group's best is 0.20: only the first two groups remain.
    assert_eq!(chosen(None, &grouped).0, [0, 3]);
    let only = Routing { top_groups: 1, ..grouped };
    assert_eq!(chosen(None, &only).0, [0, 1], "within the best group");
    // Groups by their two best: 0.35, 0.35, 0.30; with the bias 0.35, 0.35, 0.45.
    assert_eq!(chosen(None, &sigmoid).0, [0, 2, 3]);
    let bias = [0.0, 0.0, 0.0, 0.0, 0.05, 0.10];
    let (experts, weights) = chosen(Some(&bias), &sigmoid);
    assert_eq!(experts, [0, 4, 5], "of two equal groups the first");
    assert_eq!(weights, [0.30 * 2.5, 0.20 * 2.5, 0.10 * 2.5], "the bias does not weigh");
    let sum: f32 = chosen(Some(&bias), &normalised).1.iter().sum();
    assert!((sum - 2.5).abs() < 1e-6);
    // Nothing but numbers that are none still gives as many experts as asked for.
    let broken = moe::route(&[f32::NAN; 6], None, &sigmoid);
    assert_eq!(broken.experts, [0, 1, 2]);
}

#[test]
fn dispatch_order_groups_rows_by_expert() {
    let (_, routing, _) = routings()[0];
    let scores: Vec<f32> = random(5, 9 * 6, 1.0);
    let a = moe::route(&scores, None, &routing);
    assert_eq!(a.offsets.last(), Some(&18));
    for (row, (experts, places)) in a.experts.chunks(2).zip(a.places.chunks(2)).enumerate() {
        assert!(experts[0] < experts[1]);
        for (e, place) in experts.iter().zip(places) {
            let range = a.offsets[*e as usize]..a.offsets[*e as usize + 1];
            assert!(range.contains(&(*place as usize)));
            assert_eq!(a.rows[*place as usize] as usize, row);
        }
    }
    for range in a.offsets.windows(2) {
        assert!(a.rows[range[0]..range[1]].is_sorted());
    }
}

fn experts(routing: Routing, bias: bool, hidden: usize, inner: usize) -> Experts {
    let linear = |seed, rows, cols, size| {
        FrozenLinear::new(random(seed, rows * cols, size), rows, cols).expect("fits")
    };
    let list = (0..routing.experts as u64)
        .map(|e| Expert {
            gate: linear(10 + e, inner, hidden, 0.8),
            up: linear(20 + e, inner, hidden, 0.8),
            down: linear(30 + e, hidden, inner, 0.8),
        })
        .collect();
    let bias = bias.then(|| random(40, routing.experts, 0.3));
    Experts::new(routing, Activation::Silu, linear(41, routing.experts, hidden, 0.9), bias, list)
        .expect("fits")
}

#[test]
fn experts_forward_equals_a_plain_sum_and_backward_its_differences() {
    let (rows, hidden, inner) = (7, 10, 9);
    for (what, routing, bias) in routings() {
        let experts = experts(routing, bias, hidden, inner);
        let (x, c) = (random(2, rows * hidden, 1.0), random(3, rows * hidden, 1.0));
        let ws = Workspace::default();
        let run = |x: &[f32]| {
            let mut y = vec![0f32; rows * hidden];
            let saved = experts.forward(&mut y, x, rows, &ws);
            (y, saved)
        };
        let (y, saved) = run(&x);
        let choice = saved.assignments().clone();
        assert!(choice.offsets.windows(2).filter(|w| w[0] < w[1]).count() > 2, "{what}: several");

        for row in 0..rows {
            let x = &x[row * hidden..][..hidden];
            let mut expected = vec![0f64; hidden];
            for (e, w) in choice
                .experts
                .chunks(routing.top_k)
                .nth(row)
                .expect("a row")
                .iter()
                .zip(choice.weights.chunks(routing.top_k).nth(row).expect("a row"))
            {
                let expert = &experts.experts()[*e as usize];
                let (mut gate, mut up) = (vec![0f32; inner], vec![0f32; inner]);
                expert.gate.forward(&mut gate, x, 1);
                expert.up.forward(&mut up, x, 1);
                let gated: Vec<f32> =
                    gate.iter().zip(&up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
                let mut out = vec![0f32; hidden];
                expert.down.forward(&mut out, &gated, 1);
                expected.iter_mut().zip(&out).for_each(|(y, o)| *y += f64::from(w * o));
            }
            for (y, expected) in y[row * hidden..].iter().zip(&expected) {
                assert!((f64::from(*y) - expected).abs() < 1e-4, "{what}: row {row}");
            }
        }

        let mut dx = vec![0f32; x.len()];
        experts.backward(&mut dx, &c, rows, &ws, &saved);
        check(what, &x, &dx, |x| {
            let (y, saved) = run(x);
            assert_eq!(
                saved.assignments().experts,
                choice.experts,
                "{what}: the step flips a choice"
            );
            weighted(&y, &c)
        });
    }
}
