//! Adapters that are more than plain LoRA against PEFT (scripts/golden/adapters.py): rsLoRA with rank
//! and alpha patterns on chosen layers under LoRA+, DoRA on LLaMA and on GPT-2, and all adapters in the
//! folder that `OPENLEDGER_ADAPTERS` names. Beside the latter, exports and merged models are left for
//! PEFT and transformers to read back.

use crate::common::{golden, random, tiny};
use candle_core::{DType, Device};
use openledger_engine::export::{merge, tensors::Dtype, MergeSettings, PeftAdapter};
use openledger_engine::lora::patterns::{LayerChoice, Patterns};
use openledger_engine::lora::Adapter;
use openledger_engine::model::decode::Session;
use openledger_engine::model::forward::{Batch, DropoutAt, Runner};
use openledger_engine::model::graph::Graph;
use openledger_engine::model::Model;
use openledger_engine::optim::{clip_by_global_norm, AdamW};
use openledger_engine::peft;
use openledger_engine::train::TrainSettings;
use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

const CASES: [&str; 3] = ["adapter-patterns", "adapter-dora-llama", "adapter-dora-gpt2"];

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

struct Case {
    name: String,
    dir: PathBuf,
    base: PathBuf,
    model: Arc<Model>,
    adapter: Adapter,
    json: Value,
    tensors: Tensors,
    sequences: Vec<(Vec<u32>, Vec<bool>)>,
}

fn tensors(bytes: &[u8]) -> Tensors {
    let file = SafeTensors::deserialize(bytes).expect("safetensors");
    file.tensors()
        .into_iter()
        .map(|(name, view)| {
            let values = view.data().chunks_exact(4);
            let values = values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            (name, (view.shape().to_vec(), values))
        })
        .collect()
}

fn cases() -> impl Iterator<Item = Case> {
    let mut dirs: Vec<PathBuf> = CASES.iter().map(|name| golden(name)).collect();
    if let Some(more) = std::env::var_os("OPENLEDGER_ADAPTERS") {
        let entries = std::fs::read_dir(more).expect("OPENLEDGER_ADAPTERS is a folder");
        dirs.extend(entries.map(|e| e.expect("an entry").path()));
        dirs.sort();
    }
    dirs.into_iter().map(load_from)
}

fn load(name: &str) -> Case {
    load_from(golden(name))
}

fn load_from(dir: PathBuf) -> Case {
    let name = dir.file_name().expect("a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(dir.join("golden.json")).expect("golden.json");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    // A path of its own outside our folder, which `join` takes as it is.
    let base = golden(json["base"].as_str().expect("a base"));
    let model = Arc::new(Model::open(&base).expect("the model loads"));
    let adapter = peft::load(&dir.join("adapter"), &model.config)
        .unwrap_or_else(|e| panic!("{name}: PEFT's adapter loads: {e}"));
    let bytes = std::fs::read(dir.join("golden.safetensors")).expect("golden.safetensors");
    let list = |v: &Value| -> Vec<i64> { serde_json::from_value(v.clone()).expect("numbers") };
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
    Case { name, dir, base, model, adapter, json, tensors: tensors(&bytes), sequences }
}

impl Case {
    fn batch(&self) -> Batch {
        let parts: Vec<(&[u32], &[bool])> =
            self.sequences.iter().map(|(t, l)| (t.as_slice(), l.as_slice())).collect();
        Batch::new(&parts)
    }

    /// Greatest difference of logits to PEFT's at the positions that are not padding.
    fn difference(&self, ours: &[f32]) -> f32 {
        let (shape, theirs) = &self.tensors["adapter_logits"];
        let (width, vocabulary) = (shape[1], shape[2]);
        let (mut row, mut worst) = (0, 0f32);
        for (s, (tokens, _)) in self.sequences.iter().enumerate() {
            for t in 0..tokens.len() {
                let theirs = &theirs[(s * width + t) * vocabulary..][..vocabulary];
                let ours = &ours[row * vocabulary..][..vocabulary];
                row += 1;
                let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
                worst = differences.fold(worst, f32::max);
            }
        }
        worst
    }
}

#[test]
fn logits_equal_pefts_at_once_and_step_by_step() {
    for case in cases() {
        let name = &case.name;
        let runner = Runner::new(case.model.clone(), 32).expect("a runner");
        let batch = case.batch();
        let ours = runner.logits(&batch, Some(&case.adapter)).expect("logits");
        let worst = case.difference(&ours);
        assert!(worst <= 1e-4, "{name}: logits differ by {worst}");
        let base = runner.logits(&batch, None).expect("logits");
        assert!(case.difference(&base) > 1e-2, "{name}: the adapter acts");

        let tokens = &case.sequences[0].0;
        let adapter = Some(Arc::new(case.adapter.clone()));
        let mut session = Session::new(case.model.clone(), adapter, 32).expect("a session");
        let vocabulary = case.model.config.vocab_size;
        session.push(&tokens[..20]).expect("logits");
        for (at, token) in tokens.iter().enumerate().skip(20).take(4) {
            let logits = session.push(&[*token]).expect("logits");
            let expected = &ours[at * vocabulary..(at + 1) * vocabulary];
            let differences = logits.iter().zip(expected).map(|(a, b)| (a - b).abs());
            let worst = differences.fold(0f32, f32::max);
            assert!(worst <= 1e-4, "{name}: decoding differs by {worst}");
        }
    }
}

#[test]
fn every_gradient_is_present_nonzero_and_equals_pefts_also_of_magnitudes() {
    for case in cases() {
        let name = &case.name;
        let runner = Runner::new(case.model.clone(), 32).expect("a runner");
        let batch = case.batch();
        let count = batch.targets.len() as f64;
        let result =
            runner.loss_and_gradients(&batch, &case.adapter, 1.0 / count, None).expect("gradients");
        let loss = case.json["loss"].as_f64().expect("loss");
        assert!((result.loss_sum / count - loss).abs() < 1e-5, "{name}: loss");
        // The gradients laid out as the adapter is, under PEFT's names.
        let mut shown = case.adapter.clone();
        for (layer, gradient) in shown.layers.iter_mut().zip(&result.gradients) {
            if let Some(gradient) = gradient {
                layer.clone_from(gradient);
            } else {
                assert!(layer.is_empty(), "{name}: a layer with an adapter has a gradient");
            }
        }
        let ours = tensors(&peft::to_bytes(&shown, "x"));
        let theirs: Tensors = case
            .tensors
            .iter()
            .filter_map(|(n, t)| Some((n.strip_prefix("grad.")?.to_owned(), t.clone())))
            .collect();
        let names = |t: &Tensors| t.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&ours), names(&theirs), "{name}");
        for (tensor, (shape, theirs)) in &theirs {
            let (our_shape, ours) = &ours[tensor];
            assert_eq!(our_shape, shape, "{name} {tensor}");
            let norm = |v: &mut dyn Iterator<Item = f32>| {
                v.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
            };
            let size = norm(&mut theirs.iter().copied());
            let error = norm(&mut ours.iter().zip(theirs).map(|(a, b)| a - b));
            assert!(norm(&mut ours.iter().copied()) > 0.0, "{name} {tensor} is zero");
            assert!(error / size <= 1e-3, "{name} {tensor}: relative {}", error / size);
        }
    }
}

#[test]
fn the_hand_written_backward_with_dropout_equals_automatic_differentiation() {
    for mut case in CASES.map(load) {
        let name = &case.name;
        case.adapter.config.dropout = 0.3;
        let batch = case.batch();
        let at = Some(DropoutAt { seed: 4, step: 2, micro: 1 });
        let runner = Runner::new(case.model.clone(), 32).expect("a runner");
        let graph = Graph::new(&case.model, &Device::Cpu, DType::F32).expect("a graph");
        let ours = runner.loss_and_gradients(&batch, &case.adapter, 0.01, at).expect("gradients");
        let theirs = graph.loss_and_gradients(&batch, &case.adapter, 0.01, at).expect("gradients");
        assert!((ours.loss_sum - theirs.loss_sum).abs() < 1e-3, "{name}");
        for (layer, (ours, theirs)) in ours.gradients.iter().zip(&theirs.gradients).enumerate() {
            let (Some(ours), Some(theirs)) = (ours, theirs) else {
                assert_eq!(ours.is_some(), theirs.is_some(), "{name} layer {layer}");
                continue;
            };
            for slot in case.adapter.layouts[layer].slots.iter().flatten() {
                let pair = |r: std::ops::Range<usize>| ours[r.clone()].iter().zip(&theirs[r]);
                let end = slot.b + slot.output * slot.r;
                for part in [slot.a..slot.b, slot.b..end, end..slot.range().end] {
                    let square = |x: f32| f64::from(x).powi(2);
                    let size: f64 = pair(part.clone()).map(|(_, b)| square(*b)).sum();
                    let error: f64 = pair(part.clone()).map(|(a, b)| square(a - b)).sum();
                    let relative = (error / size.max(1e-30)).sqrt();
                    assert!(relative < 1e-3, "{name} {layer} {} {part:?}: {relative}", slot.path);
                }
            }
        }
    }
}

#[test]
fn twenty_adamw_steps_follow_peft_with_lora_plus_where_it_is_on() {
    for mut case in cases() {
        let name = &case.name;
        let runner = Runner::new(case.model.clone(), 32).expect("a runner");
        let batch = case.batch();
        let count = batch.targets.len() as f64;
        let number = |key: &str| case.json[key].as_f64();
        let ratio = number("loraplus_lr_ratio").unwrap_or(1.0);
        if CASES.contains(&name.as_str()) {
            assert_eq!(ratio > 1.0, name == "adapter-patterns");
        }
        let factors = case.adapter.rate_factors(ratio);
        let rate = number("learning_rate").expect("a rate");
        let clip = number("max_grad_norm").expect("a norm");
        let decay = number("weight_decay").expect("a decay");
        let mut optimizer = AdamW::new(&case.adapter.layers, decay);
        let losses: Vec<f64> = serde_json::from_value(case.json["losses"].clone()).expect("losses");
        assert_eq!(losses.len(), 20);
        for (step, theirs) in losses.iter().enumerate() {
            let result = runner
                .loss_and_gradients(&batch, &case.adapter, 1.0 / count, None)
                .expect("gradients");
            let loss = result.loss_sum / count;
            assert!((loss - theirs).abs() <= 1e-3, "{name} step {step}: {loss} and {theirs}");
            let mut gradients: Vec<Vec<f32>> =
                result.gradients.into_iter().map(Option::unwrap_or_default).collect();
            clip_by_global_norm(&mut gradients, clip);
            optimizer.update_with(&mut case.adapter.layers, &gradients, rate, &factors);
        }
    }
}

#[test]
fn exports_have_pefts_names_shapes_and_configuration() {
    for case in cases() {
        let name = &case.name;
        let dir = case.dir.join("adapter");
        let theirs = tensors(&std::fs::read(dir.join(peft::WEIGHTS)).expect("weights"));
        let bytes = peft::to_bytes(&case.adapter, "x");
        assert_eq!(tensors(&bytes), theirs, "{name}: names, shapes and values");
        assert_eq!(
            peft::from_bytes(&bytes, None, &case.model.config).expect("reads"),
            case.adapter
        );
        let text = std::fs::read_to_string(dir.join(peft::CONFIG)).expect("the configuration");
        let theirs: Value = serde_json::from_str(&text).expect("JSON");
        let ours: Value =
            serde_json::from_str(&peft::config_json(&case.adapter, "x")).expect("JSON");
        for (key, value) in ours.as_object().expect("an object") {
            let sorted = |v: &Value| {
                let mut names: Vec<String> = serde_json::from_value(v.clone()).expect("names");
                names.sort();
                names
            };
            match key.as_str() {
                "base_model_name_or_path" => {}
                "target_modules" | "target_parameters" => {
                    assert_eq!(sorted(value), sorted(&theirs[key]), "{name}")
                }
                _ => {
                    let same = match (value.as_f64(), theirs[key].as_f64()) {
                        (Some(a), Some(b)) => a == b,
                        _ => *value == theirs[key],
                    };
                    assert!(same, "{name} {key}: ours {value}, PEFT's {}", theirs[key]);
                }
            }
        }
    }
}

#[test]
fn a_fresh_dora_adapter_changes_nothing() {
    let (model, _) = tiny(3);
    let settings = TrainSettings {
        use_dora: true,
        target_modules: vec!["all-linear".to_owned()],
        ..TrainSettings::default()
    };
    let lora = settings.lora(&model.config).expect("a configuration");
    let adapter = Adapter::fresh(lora, &model, 1).expect("an adapter");
    let runner = Runner::new(model.clone(), 64).expect("a runner");
    let tokens: Vec<u32> = (0..20).map(|i| 2 + (i * 37) % 250).collect();
    let batch = Batch::new(&[(&tokens, &[])]);
    let base = runner.logits(&batch, None).expect("logits");
    let with = runner.logits(&batch, Some(&adapter)).expect("logits");
    let worst = base.iter().zip(&with).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
    assert!(worst < 1e-5, "{worst}");
}

#[test]
fn patterns_match_the_ends_of_names_in_their_order() {
    let of = |entries: &[(&str, usize)]| {
        let entries = entries.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect();
        Patterns::new("rank_pattern", entries)
    };
    let patterns = of(&[
        (r"layers\.1\.self_attn\.q_proj", 1),
        ("q_proj", 2),
        (r"^model\.layers\.\d+\.mlp\.up_proj", 3),
        ("mlp.(gate|down)_proj", 4),
    ])
    .expect("patterns");
    for (name, expected) in [
        ("model.layers.1.self_attn.q_proj", Some(1)),
        ("model.layers.11.self_attn.q_proj", Some(2)),
        ("model.layers.0.self_attn.q_proj", Some(2)),
        ("model.layers.0.self_attn.my_q_proj", None),
        ("model.layers.0.self_attn.q_proj.x", None),
        ("model.layers.7.mlp.up_proj", Some(3)),
        ("model.layers.7.mlp.gate_proj", Some(4)),
        ("q_proj", Some(2)),
    ] {
        assert_eq!(patterns.get(name), expected, "{name}");
    }
    assert_eq!(of(&[(r"\w+_proj", 5)]).expect("a pattern").get("h.0.q_proj"), Some(5));
    for bad in ["(", "(?=a)b", "", &"a".repeat(1025), "(a{1000}){1000}", r"\w{9999}"] {
        let error = of(&[(bad, 1)]).expect_err("refused").to_string();
        assert!(error.contains("rank_pattern"), "{error}");
    }
    assert!(of(&vec![("a", 1); 4097]).is_err());

    let choice = |layers: &[usize], patterns: &[&str]| LayerChoice {
        layers: Some(layers.to_vec()),
        patterns: patterns.iter().map(|p| (*p).to_owned()).collect(),
    };
    let name = "model.layers.2.mlp.up_proj";
    assert!(LayerChoice::default().keeps(2, name));
    assert!(choice(&[0, 2], &[]).keeps(2, name) && !choice(&[0, 1], &[]).keeps(2, name));
    assert!(
        choice(&[2], &["layers"]).keeps(2, name) && choice(&[2], &["h", "layers"]).keeps(2, name)
    );
    assert!(!choice(&[2], &["h"]).keeps(2, name) && !choice(&[2], &["model"]).keeps(2, name));
}

#[test]
fn unusable_patterns_and_magnitudes_of_a_file_are_refused() {
    let case = load("adapter-dora-llama");
    let config = peft::config_json(&case.adapter, "x");
    let bytes = peft::to_bytes(&case.adapter, "x");
    let error = |from: &str, to: &str| {
        assert!(config.contains(from), "{from}");
        let config = config.replace(from, to);
        peft::from_bytes(&bytes, Some(&config), &case.model.config)
            .expect_err("refused")
            .to_string()
    };
    let unexpected = error(r#""use_dora": true"#, r#""use_dora": false"#);
    assert!(unexpected.contains("use_dora is not true"), "{unexpected}");
    let ranks = |to: &str| error(r#""rank_pattern": {}"#, &format!(r#""rank_pattern": {to}"#));
    assert!(ranks(r#"{"q_proj": 2}"#).contains("r = 2"));
    assert!(ranks(r#"{"q_proj": 0}"#).contains("1 to 4096"));
    assert!(ranks(r#"{"q_proj": -1}"#).contains("rank_pattern"));
    assert!(ranks(r#"{"q(": 2}"#).contains("rank_pattern"));
    assert!(ranks("[1]").contains("rank_pattern"));
    let alphas = |to: &str| error(r#""alpha_pattern": {}"#, &format!(r#""alpha_pattern": {to}"#));
    assert!(alphas(r#"{"q_proj": 0}"#).contains("positive"));
    let layers = |to: &str| {
        error(r#""layers_to_transform": null"#, &format!(r#""layers_to_transform": {to}"#))
    };
    assert!(layers("[7]").contains("layers of the model"));
    assert!(layers("[-1]").contains("layers of the model"));
    // A magnitude that is missing, or of another length.
    let plain = Adapter { config: Default::default(), ..case.adapter.clone() };
    let mut without = plain;
    without.config =
        openledger_engine::lora::LoraConfig { use_dora: false, ..case.adapter.config.clone() };
    for layout in &mut without.layouts {
        layout.slots.iter_mut().flatten().for_each(|slot| slot.magnitude = None);
    }
    let bytes = peft::to_bytes(&without, "x");
    let missing = peft::from_bytes(&bytes, Some(&config), &case.model.config).expect_err("refused");
    assert!(missing.to_string().contains("no lora_magnitude_vector"), "{missing}");
}

#[test]
fn tensors_without_their_pair_are_not_merged() {
    let case = load("adapter-dora-llama");
    let bytes = peft::to_bytes(&case.adapter, "x");
    let dir = tempfile::tempdir().expect("a folder");
    for part in ["lora_B.weight", "lora_magnitude_vector"] {
        // Another name of the same length for one tensor of the file.
        let name = format!("layers.0.self_attn.q_proj.{part}");
        let at = bytes.windows(name.len()).position(|w| w == name.as_bytes()).expect("the name");
        let mut changed = bytes.clone();
        changed[at + 7] = b'7';
        let path = dir.path().join("adapter.safetensors");
        std::fs::write(&path, changed).expect("written");
        let problem = match PeftAdapter::open(&path) {
            Err(error) => error,
            Ok(adapter) => {
                let (out, settings) = (dir.path().join("out"), MergeSettings::default());
                merge(&case.base, Some(&adapter), &out, settings, |_, _| ()).expect_err("refused")
            }
        };
        let problem = problem.to_string();
        let parts = ["no lora_magnitude_vector", "no lora_B"];
        assert!(parts.iter().any(|part| problem.contains(part)), "{problem}");
    }
}

/// An adapter after a change, exported and merged, gives the same logits when it is read back; outside
/// our own folder both are left for `scripts/golden/adapters.py check`.
#[test]
fn exported_and_merged_adapters_give_the_same_logits() {
    for mut case in cases() {
        for (i, layer) in case.adapter.layers.iter_mut().enumerate() {
            let noise = random(i as u64 + 5, layer.len(), 0.02);
            layer.iter_mut().zip(noise).for_each(|(p, n)| *p += n);
        }
        let scratch = tempfile::tempdir().expect("a folder");
        let out = if case.dir.starts_with(golden("")) { scratch.path() } else { &case.dir };
        let (export, merged) = (out.join("export"), out.join("merged"));
        peft::save(&export, &case.adapter, "base").expect("saves");
        let runner = Runner::new(case.model.clone(), 32).expect("a runner");
        let tokens = &case.sequences[0].0;
        let batch = Batch::new(&[(tokens, &[])]);
        let logits = runner.logits(&batch, Some(&case.adapter)).expect("logits");
        let rows: Vec<&[f32]> = logits.chunks(case.model.config.vocab_size).collect();
        let report = serde_json::json!({ "tokens": tokens, "logits": rows });
        std::fs::write(export.join("logits.json"), report.to_string()).expect("written");

        let name = &case.name;
        let again = peft::load(&export, &case.model.config).expect("it loads");
        assert_eq!(again, case.adapter, "{name}: the round trip");
        let adapter = PeftAdapter::open(&export).expect("an adapter");
        let settings = MergeSettings { dtype: Some(Dtype::F32) };
        merge(&case.base, Some(&adapter), &merged, settings, |_, _| ())
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let model = Arc::new(Model::open(&merged).expect("the merged model loads"));
        let ours = Runner::new(model, 32).expect("a runner").logits(&batch, None).expect("logits");
        let differences = ours.iter().zip(&logits).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0f32, f32::max);
        assert!(worst <= 1e-4, "{name}: the merged model's logits differ by {worst}");
    }
}
