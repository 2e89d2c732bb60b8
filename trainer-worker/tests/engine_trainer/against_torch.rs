//! Compares a folder that scripts/golden/deepseek.py wrote with what the engine computes: logits,
//! adapter gradients, AdamW steps, and decoding step by step.

use safetensors::SafeTensors;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use trainer_worker::lora::{tensor_name, Adapter};
use trainer_worker::model::decode::Session;
use trainer_worker::model::forward::{Batch, Runner};
use trainer_worker::model::Model;
use trainer_worker::optim::{clip_by_global_norm, AdamW};
use trainer_worker::peft;

pub(crate) struct Case {
    pub(crate) model: Arc<Model>,
    pub(crate) adapter: Adapter,
    json: Value,
    tensors: Vec<u8>,
    sequences: Vec<(Vec<u32>, Vec<bool>)>,
}

fn norm(values: impl Iterator<Item = f32>) -> f64 {
    values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

impl Case {
    pub(crate) fn load(dir: &Path) -> Self {
        let model = Arc::new(Model::open(dir).expect("the model loads"));
        let adapter =
            peft::load(&dir.join("adapter"), &model.config).expect("PEFT's adapter loads");
        let text = std::fs::read_to_string(dir.join("golden.json")).expect("golden.json");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        let tensors = std::fs::read(dir.join("golden.safetensors")).expect("golden.safetensors");
        let list = |v: &Value| -> Vec<i64> {
            v.as_array().expect("a list").iter().map(|x| x.as_i64().expect("a number")).collect()
        };
        let sequences = list(&json["lengths"])
            .iter()
            .enumerate()
            .map(|(i, n)| {
                let n = *n as usize;
                let ids = list(&json["input_ids"][i])[..n].iter().map(|t| *t as u32).collect();
                let labels = list(&json["labels"][i])[..n].iter().map(|l| *l != -100).collect();
                (ids, labels)
            })
            .collect();
        Self { model, adapter, json, tensors, sequences }
    }

    fn number(&self, key: &str) -> f64 {
        self.json[key].as_f64().expect("a number")
    }

    fn batch(&self, which: std::ops::Range<usize>) -> Batch {
        let parts: Vec<(&[u32], &[bool])> =
            self.sequences[which].iter().map(|(t, l)| (t.as_slice(), l.as_slice())).collect();
        Batch::new(&parts)
    }

    fn runner(&self) -> Runner {
        Runner::new(self.model.clone(), 128).expect("a runner")
    }

    /// Logits of the whole batch by another model, with this case's adapter.
    pub(crate) fn logits_of(&self, model: Arc<Model>) -> Vec<f32> {
        let runner = Runner::new(model, 128).expect("a runner");
        runner.logits(&self.batch(0..4), Some(&self.adapter)).expect("logits")
    }

    fn tensor(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let file = SafeTensors::deserialize(&self.tensors).expect("safetensors");
        let view = file.tensor(name).unwrap_or_else(|_| panic!("{name} is in the golden file"));
        let values = view.data().chunks_exact(4);
        let values = values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        (view.shape().to_vec(), values)
    }

    /// Greatest difference to padded golden logits, at the positions that are not padding.
    fn difference(&self, name: &str, ours: &[f32]) -> f32 {
        let (shape, theirs) = self.tensor(name);
        let (width, vocabulary) = (shape[1], shape[2]);
        let mut ours = ours.chunks_exact(vocabulary);
        let mut worst = 0f32;
        for (s, (tokens, _)) in self.sequences.iter().enumerate() {
            for t in 0..tokens.len() {
                let theirs = &theirs[(s * width + t) * vocabulary..][..vocabulary];
                for (a, b) in ours.next().expect("a row a token").iter().zip(theirs) {
                    worst = worst.max((a - b).abs());
                }
            }
        }
        worst
    }

    pub(crate) fn check_logits(&self, name: &str) {
        let batch = self.batch(0..4);
        let base = self.runner().logits(&batch, None).expect("logits");
        let worst = self.difference("base_logits", &base);
        assert!(worst <= 1e-4, "{name}: base logits differ by {worst}");
        let adapted = self.runner().logits(&batch, Some(&self.adapter)).expect("logits");
        let worst = self.difference("adapter_logits", &adapted);
        assert!(worst <= 1e-4, "{name}: adapter logits differ by {worst}");
        assert!(self.difference("base_logits", &adapted) > 1e-3, "{name}: the adapter acts");
    }

    pub(crate) fn check_gradients(&self, name: &str) {
        let batch = self.batch(0..4);
        let count = batch.targets.len() as f64;
        let result = self
            .runner()
            .loss_and_gradients(&batch, &self.adapter, 1.0 / count, None)
            .expect("gradients");
        assert!((result.loss_sum / count - self.number("loss")).abs() < 1e-5, "{name}: loss");
        let mut compared = 0;
        for (layer, layout) in self.adapter.layouts.iter().enumerate() {
            let gradient = result.gradients[layer].as_deref().unwrap_or_default();
            for slot in layout.slots.iter().flatten() {
                let (a, b) = slot.split(gradient);
                for (which, ours) in [('A', a), ('B', b)] {
                    let tensor = tensor_name(self.adapter.family, layer, slot.path, which);
                    let (_, theirs) = self.tensor(&format!("grad.{tensor}"));
                    assert_eq!(ours.len(), theirs.len(), "{name} {tensor}");
                    assert!(norm(ours.iter().copied()) > 0.0, "{name} {tensor} is zero");
                    let size = norm(theirs.iter().copied());
                    let error = norm(ours.iter().zip(&theirs).map(|(a, b)| a - b)) / size;
                    assert!(error <= 1e-3, "{name} {tensor}: relative {error}");
                    compared += 1;
                }
            }
        }
        let file = SafeTensors::deserialize(&self.tensors).expect("safetensors");
        let expected = file.names().iter().filter(|n| n.starts_with("grad.")).count();
        assert_eq!(compared, expected, "{name}: each golden gradient was compared");
    }

    /// Returns the adapter after the steps.
    pub(crate) fn check_training(&self, name: &str) -> Adapter {
        let runner = self.runner();
        let mut trained = self.adapter.clone();
        let parts = [self.batch(0..2), self.batch(2..4)];
        let count: usize = parts.iter().map(|b| b.targets.len()).sum();
        let mut optimizer = AdamW::new(&trained.layers, self.number("weight_decay"));
        let expected = self.json["losses"].as_array().expect("losses");
        assert_eq!(expected.len(), 20);
        for (step, expected) in expected.iter().enumerate() {
            let mut gradients: Vec<Vec<f32>> =
                trained.layers.iter().map(|l| vec![0f32; l.len()]).collect();
            let mut loss = 0.0;
            for part in &parts {
                let result = runner
                    .loss_and_gradients(part, &trained, 1.0 / count as f64, None)
                    .expect("gradients");
                loss += result.loss_sum / count as f64;
                for (sum, g) in gradients.iter_mut().zip(result.gradients) {
                    let g = g.unwrap_or_default();
                    assert_eq!(sum.len(), g.len(), "{name}: a gradient for each layer");
                    sum.iter_mut().zip(g).for_each(|(s, g)| *s += g);
                }
            }
            let difference = (loss - expected.as_f64().expect("a loss")).abs();
            assert!(difference <= 1e-3, "{name}: step {step} differs by {difference}");
            clip_by_global_norm(&mut gradients, self.number("max_grad_norm"));
            optimizer.update(&mut trained.layers, &gradients, self.number("learning_rate"));
        }
        trained
    }

    /// Writes an adapter and what it gives for the first sequence, for
    /// `scripts/golden/deepseek.py check`.
    pub(crate) fn export(&self, adapter: &Adapter, dir: &Path) {
        peft::save(&dir.join("exported"), adapter, "base").expect("saved");
        let (tokens, _) = &self.sequences[0];
        let logits = self.runner().logits(&Batch::new(&[(tokens, &[])]), Some(adapter));
        let logits = logits.expect("logits");
        let rows: Vec<&[f32]> = logits.chunks_exact(self.model.config.vocab_size).collect();
        let json = serde_json::json!({ "tokens": tokens, "logits": rows });
        std::fs::write(dir.join("exported.json"), json.to_string()).expect("written");
    }

    /// Decoding in steps of several sizes against the forward over the whole sequence.
    pub(crate) fn check_decoding(&self, name: &str) {
        let adapter = Arc::new(self.adapter.clone());
        let (tokens, _) = &self.sequences[0];
        let batch = Batch::new(&[(tokens, &[])]);
        let all = self.runner().logits(&batch, Some(&adapter)).expect("logits");
        let vocabulary = self.model.config.vocab_size;
        let mut session =
            Session::new(self.model.clone(), Some(adapter), tokens.len()).expect("a session");
        let mut at = 0;
        for step in [7, 1, 1, 10, 1, 1] {
            let logits = session.push(&tokens[at..at + step]).expect("logits").to_vec();
            at += step;
            let expected = &all[(at - 1) * vocabulary..at * vocabulary];
            let worst =
                logits.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
            assert!(worst <= 1e-4, "{name}: after {at} tokens logits differ by {worst}");
        }
    }
}
