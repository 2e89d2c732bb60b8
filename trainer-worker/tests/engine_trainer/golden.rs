//! Against PyTorch, transformers and PEFT (scripts/golden/llama.py): logits, adapter gradients and
//! 20 AdamW steps of two seeded tiny models.

use crate::common::golden;
use safetensors::SafeTensors;
use serde_json::Value;
use std::sync::Arc;
use trainer_worker::lora::{tensor_name, Adapter};
use trainer_worker::model::decode::Session;
use trainer_worker::model::forward::{Batch, Runner};
use trainer_worker::model::Model;
use trainer_worker::optim::{clip_by_global_norm, AdamW};
use trainer_worker::peft;

const CASES: [&str; 2] = ["llama-tied", "llama-untied"];

struct Case {
    model: Arc<Model>,
    adapter: Adapter,
    json: Value,
    tensors: Vec<u8>,
    sequences: Vec<(Vec<u32>, Vec<bool>)>,
}

fn load(name: &str) -> Case {
    let dir = golden(name);
    let model = Arc::new(Model::open(&dir).expect("the model loads"));
    let adapter = peft::load(&dir.join("adapter"), &model.config).expect("PEFT's adapter loads");
    let text = std::fs::read_to_string(dir.join("golden.json")).expect("golden.json");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let tensors = std::fs::read(dir.join("golden.safetensors")).expect("golden.safetensors");
    let list = |v: &Value| -> Vec<i64> {
        v.as_array().expect("a list").iter().map(|x| x.as_i64().expect("a number")).collect()
    };
    let lengths = list(&json["lengths"]);
    let sequences = lengths
        .iter()
        .enumerate()
        .map(|(i, n)| {
            let n = *n as usize;
            let ids = list(&json["input_ids"][i])[..n].iter().map(|t| *t as u32).collect();
            let labels = list(&json["labels"][i])[..n].iter().map(|l| *l != -100).collect();
            (ids, labels)
        })
        .collect();
    Case { model, adapter, json, tensors, sequences }
}

impl Case {
    fn batch(&self, which: std::ops::Range<usize>) -> Batch {
        let parts: Vec<(&[u32], &[bool])> =
            self.sequences[which].iter().map(|(t, l)| (t.as_slice(), l.as_slice())).collect();
        Batch::new(&parts)
    }

    fn tensor(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let file = SafeTensors::deserialize(&self.tensors).expect("safetensors");
        let view = file.tensor(name).unwrap_or_else(|_| panic!("{name} is in the golden file"));
        let values = view
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        (view.shape().to_vec(), values)
    }

    /// Greatest difference to padded golden logits, at the positions that are not padding.
    fn difference(&self, name: &str, ours: &[f32]) -> f32 {
        let (shape, theirs) = self.tensor(name);
        let (width, vocabulary) = (shape[1], shape[2]);
        let mut row = 0;
        let mut worst = 0f32;
        for (s, (tokens, _)) in self.sequences.iter().enumerate() {
            for t in 0..tokens.len() {
                let theirs = &theirs[(s * width + t) * vocabulary..][..vocabulary];
                let ours = &ours[row * vocabulary..][..vocabulary];
                row += 1;
                for (a, b) in ours.iter().zip(theirs) {
                    worst = worst.max((a - b).abs());
                }
            }
        }
        worst
    }
}

#[test]
fn logits_equal_transformers_with_and_without_adapter() {
    for name in CASES {
        let case = load(name);
        let runner = Runner::new(case.model.clone(), 128).expect("a runner");
        let batch = case.batch(0..4);
        let base = runner.logits(&batch, None).expect("logits");
        let worst = case.difference("base_logits", &base);
        assert!(worst <= 1e-4, "{name}: base logits differ by {worst}");
        let adapted = runner.logits(&batch, Some(&case.adapter)).expect("logits");
        let worst = case.difference("adapter_logits", &adapted);
        assert!(worst <= 1e-4, "{name}: adapter logits differ by {worst}");
        assert!(case.difference("base_logits", &adapted) > 1e-2, "{name}: the adapter acts");
    }
}

#[test]
fn cached_decoding_gives_the_same_logits() {
    for name in CASES {
        let case = load(name);
        let adapter = Arc::new(case.adapter.clone());
        let runner = Runner::new(case.model.clone(), 128).expect("a runner");
        let (tokens, _) = &case.sequences[0];
        let batch = Batch::new(&[(tokens, &[])]);
        let all = runner.logits(&batch, Some(&adapter)).expect("logits");
        let vocabulary = case.model.config.vocab_size;
        let mut session =
            Session::new(case.model.clone(), Some(adapter), tokens.len()).expect("a session");
        let mut at = 0;
        for step in [20, 1, 1, 30, 1] {
            let logits = session.push(&tokens[at..at + step]).expect("logits").to_vec();
            at += step;
            let expected = &all[(at - 1) * vocabulary..at * vocabulary];
            let worst =
                logits.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
            assert!(worst <= 1e-4, "{name}: after {at} tokens logits differ by {worst}");
        }
        assert!(session.push(&tokens[..100 - at]).is_err(), "beyond its capacity");
    }
}

#[test]
fn every_adapter_gradient_is_present_nonzero_and_equals_torch() {
    for name in CASES {
        let case = load(name);
        let runner = Runner::new(case.model.clone(), 128).expect("a runner");
        let batch = case.batch(0..4);
        let count = batch.targets.len() as f64;
        let result =
            runner.loss_and_gradients(&batch, &case.adapter, 1.0 / count, None).expect("gradients");
        let loss = case.json["loss"].as_f64().expect("loss");
        assert!((result.loss_sum / count - loss).abs() < 1e-5, "{name}: loss");
        let mut compared = 0;
        for (layer, layout) in case.adapter.layouts.iter().enumerate() {
            let gradient = result.gradients[layer].as_ref().expect("a gradient for each layer");
            for slot in layout.slots.iter().flatten() {
                let (a, b) = slot.split(gradient);
                for (which, ours) in [('A', a), ('B', b)] {
                    let tensor = tensor_name(case.adapter.family, layer, slot.path, which);
                    let (_, theirs) = case.tensor(&format!("grad.{tensor}"));
                    assert_eq!(ours.len(), theirs.len(), "{name} {tensor}");
                    let norm = |v: &mut dyn Iterator<Item = f32>| {
                        v.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
                    };
                    let size = norm(&mut theirs.iter().copied());
                    let error = norm(&mut ours.iter().zip(&theirs).map(|(a, b)| a - b));
                    assert!(norm(&mut ours.iter().copied()) > 0.0, "{name} {tensor} is zero");
                    assert!(error / size <= 1e-3, "{name} {tensor}: relative {}", error / size);
                    compared += 1;
                }
            }
        }
        let file = SafeTensors::deserialize(&case.tensors).expect("safetensors");
        let expected = file.names().iter().filter(|n| n.starts_with("grad.")).count();
        assert_eq!(compared, expected, "{name}: each golden gradient was compared");
    }
}

#[test]
fn twenty_adamw_steps_follow_torch() {
    for name in CASES {
        let mut case = load(name);
        let runner = Runner::new(case.model.clone(), 128).expect("a runner");
        let number = |key: &str| case.json[key].as_f64().expect("a number");
        let (rate, decay, clip) =
            (number("learning_rate"), number("weight_decay"), number("max_grad_norm"));
        let parts = [case.batch(0..2), case.batch(2..4)];
        let count: usize = parts.iter().map(|b| b.targets.len()).sum();
        let mut optimizer = AdamW::new(&case.adapter.layers, decay);
        let expected = case.json["losses"].as_array().expect("losses").clone();
        assert_eq!(expected.len(), 20);
        for (step, expected) in expected.iter().enumerate() {
            let mut gradients: Vec<Vec<f32>> =
                case.adapter.layers.iter().map(|l| vec![0f32; l.len()]).collect();
            let mut loss = 0.0;
            for part in &parts {
                let result = runner
                    .loss_and_gradients(part, &case.adapter, 1.0 / count as f64, None)
                    .expect("gradients");
                loss += result.loss_sum / count as f64;
                for (sum, g) in gradients.iter_mut().zip(result.gradients) {
                    sum.iter_mut().zip(g.expect("present")).for_each(|(s, g)| *s += g);
                }
            }
            let difference = (loss - expected.as_f64().expect("a loss")).abs();
            assert!(difference <= 1e-3, "{name}: step {step} differs by {difference}");
            clip_by_global_norm(&mut gradients, clip);
            optimizer.update(&mut case.adapter.layers, &gradients, rate);
        }
    }
}
