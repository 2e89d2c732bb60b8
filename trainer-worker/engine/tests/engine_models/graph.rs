//! The graph of candle's operations against the hand-written blocks: two implementations of every
//! family must agree, on each device of this build and machine.

use crate::device_ops::devices;
use crate::golden::{cases, Case};
use candle_core::DType;
use openledger_engine::model::forward::DropoutAt;
use openledger_engine::model::graph::Graph;

fn relative(ours: &[f32], theirs: &[f32]) -> f64 {
    let norm = |v: &mut dyn Iterator<Item = f32>| v.map(|x| f64::from(x).powi(2)).sum::<f64>();
    let size = norm(&mut theirs.iter().copied()).sqrt();
    norm(&mut ours.iter().zip(theirs).map(|(a, b)| a - b)).sqrt() / size
}

/// A case's graph on each device of this build and machine.
fn graphs(case: &Case) -> impl Iterator<Item = (String, Graph)> + '_ {
    devices().into_iter().map(|(device, candle)| {
        let name = format!("{} on {device}", case.name);
        let graph = Graph::new(&case.model, &candle, DType::F32);
        let graph = graph.unwrap_or_else(|e| panic!("{name} has a graph: {e}"));
        (name, graph)
    })
}

#[test]
fn the_graph_gives_the_logits_and_losses_of_the_blocks() {
    for case in cases() {
        let (runner, batch) = (case.runner(), case.batch(0..4));
        for (name, graph) in graphs(&case) {
            for adapter in [None, Some(&case.adapter)] {
                let ours = runner.logits(&batch, adapter).expect("logits");
                let theirs = graph.logits(&batch, adapter).expect("logits");
                let pairs = ours.iter().zip(&theirs);
                let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
                assert!(worst <= 1e-4, "{name}: logits differ by {worst}");
                let ours = runner.loss(&batch, adapter).expect("a loss");
                let theirs = graph.loss(&batch, adapter).expect("a loss");
                assert!((ours - theirs).abs() <= 1e-4 * ours, "{name}: losses {ours} and {theirs}");
            }
        }
    }
}

#[test]
fn the_backward_of_the_blocks_equals_that_of_the_graph() {
    for mut case in cases() {
        case.adapter.config.dropout = 0.1;
        let (runner, batch) = (case.runner(), case.batch(0..4));
        let scale = 1.0 / batch.targets.len() as f64;
        let at = Some(DropoutAt { seed: 7, step: 3, micro: 0 });
        let ours = runner.loss_and_gradients(&batch, &case.adapter, scale, at).expect("gradients");
        for (name, mut graph) in graphs(&case) {
            for recompute in [false, true] {
                graph.recompute = recompute;
                let theirs =
                    graph.loss_and_gradients(&batch, &case.adapter, scale, at).expect("gradients");
                assert!((ours.loss_sum - theirs.loss_sum).abs() <= 1e-4 * ours.loss_sum, "{name}");
                for (layer, (a, b)) in ours.gradients.iter().zip(&theirs.gradients).enumerate() {
                    match (a, b) {
                        (Some(a), Some(b)) => {
                            assert!(b.iter().any(|x| *x != 0.0), "{name} {layer}: all zero");
                            let error = relative(a, b);
                            assert!(error <= 1e-3, "{name} {layer}: gradients differ by {error}");
                        }
                        (None, None) => {}
                        _ => panic!("{name} {layer}: only one of them has a gradient"),
                    }
                }
            }
        }
    }
}
