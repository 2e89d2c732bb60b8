//! Against PyTorch, transformers and PEFT (scripts/golden/families.py, deepseek.py): logits, adapter gradients,
//! 20 AdamW steps and adapter files of a seeded tiny model of each family, and of all models in the
//! folder that `OPENLEDGER_GOLDEN` names. For the latter, what we got is left beside the files, in
//! `export`, `gradients` and `ours.json`, for PEFT to read back and for scripts/golden/float64.py to judge.

use crate::common::golden;
use openledger_engine::lora::{targets, tensor_name, Adapter, LoraConfig};
use openledger_engine::model::decode::Session;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::Model;
use openledger_engine::optim::{clip_by_global_norm, AdamW};
use openledger_engine::peft;
use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CASES: [&str; 16] = [
    "llama-tied",
    "llama-untied",
    "mistral",
    "qwen2",
    "qwen3",
    "llama-dynamic",
    "mistral-longrope",
    "gpt2",
    "bloom",
    "bloom-after-norm",
    "chatglm",
    "glm",
    "glm4",
    "deepseek-v2",
    "deepseek-v2-lite",
    "deepseek-v3",
];

pub struct Case {
    pub name: String,
    dir: PathBuf,
    pub model: Arc<Model>,
    pub adapter: Adapter,
    json: Value,
    tensors: Vec<u8>,
    sequences: Vec<(Vec<u32>, Vec<bool>)>,
}

pub fn cases() -> impl Iterator<Item = Case> {
    let mut dirs: Vec<PathBuf> = CASES.iter().map(|name| golden(name)).collect();
    if let Some(more) = std::env::var_os("OPENLEDGER_GOLDEN") {
        let entries = std::fs::read_dir(&more).expect("OPENLEDGER_GOLDEN is a folder");
        dirs.extend(entries.map(|e| e.expect("an entry").path()));
        dirs.sort();
    }
    dirs.into_iter().map(load)
}

fn load(dir: PathBuf) -> Case {
    let name = dir.file_name().expect("a name").to_string_lossy().into_owned();
    let model = Arc::new(Model::open(&dir).unwrap_or_else(|e| panic!("{name}: {e}")));
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
    Case { name, dir, model, adapter, json, tensors, sequences }
}

impl Case {
    /// Whether it lies in the folder that `OPENLEDGER_GOLDEN` names.
    fn is_outside(&self) -> bool {
        self.dir.parent() != golden("").parent().map(|p| p.join("golden")).as_deref()
    }

    pub fn runner(&self) -> Runner {
        let longest = self.sequences.iter().map(|(t, _)| t.len()).max().expect("a sequence");
        Runner::new(self.model.clone(), longest).expect("a runner")
    }

    pub fn batch(&self, which: std::ops::Range<usize>) -> Batch {
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
    let mut strays = Vec::new();
    for case in cases() {
        let (name, runner) = (&case.name, case.runner());
        let batch = case.batch(0..4);
        let base = runner.logits(&batch, None).expect("logits");
        let adapted = runner.logits(&batch, Some(&case.adapter)).expect("logits");
        for (which, logits) in [("base_logits", &base), ("adapter_logits", &adapted)] {
            let worst = case.difference(which, logits);
            if worst.is_nan() || worst > 1e-4 {
                strays.push(format!("{name}: {which} differ by {worst}"));
            }
        }
        assert!(case.difference("base_logits", &adapted) > 1e-2, "{name}: the adapter acts");
    }
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn cached_decoding_gives_the_same_logits() {
    for case in cases() {
        let name = &case.name;
        let adapter = Arc::new(case.adapter.clone());
        let runner = case.runner();
        let (tokens, _) = &case.sequences[0];
        let batch = Batch::new(&[(tokens, &[])]);
        let all = runner.logits(&batch, Some(&adapter)).expect("logits");
        let vocabulary = case.model.config.vocab_size;
        let mut session =
            Session::new(case.model.clone(), Some(adapter), tokens.len()).expect("a session");
        let mut at = 0;
        // A prompt, single tokens, and the rest at once.
        let n = tokens.len();
        let steps = [n / 3, 1, 1, n.saturating_sub(n / 3 + 4), 1];
        for step in steps.into_iter().filter(|step| *step > 0) {
            if at + step > n {
                break;
            }
            let logits = session.push(&tokens[at..at + step]).expect("logits").to_vec();
            at += step;
            let expected = &all[(at - 1) * vocabulary..at * vocabulary];
            let worst =
                logits.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
            assert!(worst <= 1e-4, "{name}: after {at} tokens logits differ by {worst}");
        }
        let beyond = vec![1; n - at + 1];
        assert!(session.push(&beyond).is_err(), "beyond its capacity");
    }
}

#[test]
fn cached_decoding_within_the_original_context_is_that_of_transformers() {
    let mut compared = 0;
    for case in cases() {
        let Some(same) = case.model.config.rotary().and_then(|r| r.same_up_to()) else { continue };
        let name = &case.name;
        let tokens = &case.sequences[0].0;
        let tokens = &tokens[..same.min(tokens.len())];
        let (shape, theirs) = case.tensor("cached_logits");
        let mut session = Session::new(case.model.clone(), None, tokens.len()).expect("a session");
        let parts = std::iter::once(&tokens[..2]).chain(tokens[2..].chunks(1));
        for (part, expected) in parts.zip(theirs.chunks_exact(shape[1])) {
            let ours = session.push(part).expect("logits");
            let worst = ours.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
            assert!(worst <= 1e-4, "{name}: logits differ by {worst}");
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn every_adapter_gradient_is_present_nonzero_and_equals_torch() {
    for case in cases() {
        let (name, runner) = (&case.name, case.runner());
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
        if case.is_outside() {
            let layers = result.gradients.into_iter().map(|g| g.expect("present")).collect();
            let gradients = Adapter { layers, ..case.adapter.clone() };
            peft::save(&case.dir.join("gradients"), &gradients, "base").expect("saved");
        }
    }
}

#[test]
fn twenty_adamw_steps_follow_torch() {
    let mut strays = Vec::new();
    for mut case in cases() {
        let (name, runner) = (case.name.clone(), case.runner());
        let number = |key: &str| case.json[key].as_f64().expect("a number");
        let (rate, decay, clip) =
            (number("learning_rate"), number("weight_decay"), number("max_grad_norm"));
        let parts = [case.batch(0..2), case.batch(2..4)];
        let count: usize = parts.iter().map(|b| b.targets.len()).sum();
        let mut optimizer = AdamW::new(&case.adapter.layers, decay);
        let expected: Vec<f64> =
            serde_json::from_value(case.json["losses"].clone()).expect("losses");
        assert_eq!(expected.len(), 20);
        let mut losses = Vec::new();
        for _ in &expected {
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
            losses.push(loss);
            clip_by_global_norm(&mut gradients, clip);
            optimizer.update(&mut case.adapter.layers, &gradients, rate);
        }
        if case.is_outside() {
            let logits = runner.logits(&case.batch(0..4), None).expect("logits");
            let ours = serde_json::json!({ "losses": losses, "base_logits": logits });
            std::fs::write(case.dir.join("ours.json"), ours.to_string()).expect("written");
        }
        let differences = losses.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        if let Some((step, by)) = differences.enumerate().find(|(_, by)| by.is_nan() || *by > 1e-3)
        {
            strays.push(format!("{name}: step {step} differs by {by}"));
        }
    }
    assert!(strays.is_empty(), "{strays:#?}");
}

/// Names, shapes and types of a safetensors file.
fn tensors_of(path: &Path) -> BTreeMap<String, (Vec<usize>, String)> {
    let bytes = std::fs::read(path).expect("the file");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    file.tensors()
        .into_iter()
        .map(|(name, view)| (name, (view.shape().to_vec(), format!("{:?}", view.dtype()))))
        .collect()
}

#[test]
fn exported_adapters_have_the_tensors_and_settings_of_pefts_files() {
    for case in cases() {
        let name = &case.name;
        let out = tempfile::tempdir().expect("a folder");
        peft::save(out.path(), &case.adapter, "base").expect("saved");
        let theirs = case.dir.join("adapter");
        let (a, b) = (theirs.join(peft::WEIGHTS), out.path().join(peft::WEIGHTS));
        assert_eq!(tensors_of(&a), tensors_of(&b), "{name}: tensors");
        let again = peft::load(out.path(), &case.model.config).expect("loads");
        assert_eq!(again, case.adapter, "{name}: the round trip");
        if case.is_outside() {
            peft::save(&case.dir.join("export"), &case.adapter, "base").expect("saved");
        }

        let json = |path: &Path| -> Value {
            let text = std::fs::read_to_string(path.join(peft::CONFIG)).expect("a config");
            serde_json::from_str(&text).expect("JSON")
        };
        let (theirs, ours) = (json(&theirs), json(out.path()));
        for (key, value) in ours.as_object().expect("an object") {
            let sorted = |v: &Value| {
                let mut names: Vec<String> = serde_json::from_value(v.clone()).expect("names");
                names.sort();
                names
            };
            let same = match (key.as_str(), value.as_f64(), theirs[key].as_f64()) {
                ("base_model_name_or_path", ..) => true,
                ("target_modules" | "target_parameters", ..) => {
                    sorted(value) == sorted(&theirs[key])
                }
                (_, Some(a), Some(b)) => a == b,
                _ => *value == theirs[key],
            };
            assert!(same, "{name}: {key}: ours {value}, PEFT's {}", theirs[key]);
        }

        // What PEFT was told selects the same modules here.
        let told: Vec<String> = match &case.json["targets"] {
            Value::String(one) => vec![one.clone()],
            list => serde_json::from_value(list.clone()).expect("names"),
        };
        let config = &case.model.config;
        let target_modules = targets::resolve(config, &told).expect("the model has them");
        let fresh = LoraConfig { target_modules, ..case.adapter.config.clone() };
        let fresh = Adapter::new(fresh, config, 1);
        assert_eq!(fresh.layouts, case.adapter.layouts, "{name}: layouts");
    }
}
