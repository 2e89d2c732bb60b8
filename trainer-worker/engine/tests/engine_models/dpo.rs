//! Preference training against TRL (scripts/golden/dpo.py): loss, rewards, adapter gradients and
//! AdamW steps; and the loop around it.

use crate::common::{golden, tiny};
use openledger_engine::data::{Example, Origin, Preference};
use openledger_engine::error::Error;
use openledger_engine::model::forward::Runner;
use openledger_engine::model::Model;
use openledger_engine::optim::{clip_by_global_norm, AdamW};
use openledger_engine::peft;
use openledger_engine::train::dpo::fit;
use openledger_engine::train::{
    batch_of, Control, DpoRun, DpoSettings, EvalStrategy, Event, TrainSettings,
};
use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("token ids")
}

fn preference(prompt: &[u32], chosen: &[u32], rejected: &[u32]) -> Preference {
    let origin = Origin {
        submission: "a".into(),
        contributor: "b".into(),
        sha256: [1; 32],
        evaluation: false,
    };
    let origin = Arc::new(origin);
    let example = |answer: &[u32]| Example {
        tokens: [prompt, answer].concat(),
        labels: [vec![false; prompt.len()], vec![true; answer.len()]].concat(),
        origin: origin.clone(),
        file: 0,
        span: 0..1,
    };
    Preference { chosen: example(chosen), rejected: example(rejected), prompt: prompt.len() }
}

#[test]
fn loss_rewards_gradients_and_ten_steps_equal_trl() {
    let text = std::fs::read_to_string(golden("dpo/golden.json")).expect("golden file");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let number = |value: &Value| value.as_f64().expect("a number");
    let folder = golden("llama-untied");
    let model = Arc::new(Model::open(&folder).expect("the model"));
    let mut adapter = peft::load(&folder.join("adapter"), &model.config).expect("the adapter");
    let pairs: Vec<Preference> = json["pairs"]
        .as_array()
        .expect("pairs")
        .iter()
        .map(|p| {
            preference(&ids(&p["prompt_ids"]), &ids(&p["chosen_ids"]), &ids(&p["rejected_ids"]))
        })
        .collect();
    let settings = DpoSettings { beta: number(&json["beta"]), label_smoothing: 0.0 };
    let runner = Runner::new(model.clone(), 64).expect("a runner");
    let batch = batch_of(pairs.iter().flat_map(|p| [&p.chosen, &p.rejected]));
    let reference = runner.sequence_losses(&batch, None).expect("losses");
    let ratios = |losses: &[f64]| -> Vec<(f64, f64)> {
        (0..losses.len() / 2)
            .map(|i| (reference[2 * i] - losses[2 * i], reference[2 * i + 1] - losses[2 * i + 1]))
            .collect()
    };
    let run = |adapter: &_| {
        let reference = reference.clone();
        let result = runner
            .weighted_gradients(&batch, adapter, None, move |losses| {
                let pairs = losses.len() / 2;
                (0..losses.len())
                    .map(|s| {
                        let i = s - s % 2;
                        let chosen = reference[i] - losses[i];
                        let rejected = reference[i + 1] - losses[i + 1];
                        let slope = settings.loss(chosen, rejected).1 / pairs as f64;
                        if s % 2 == 0 {
                            -slope
                        } else {
                            slope
                        }
                    })
                    .collect()
            })
            .expect("gradients");
        let ratios = ratios(&result.losses);
        let total: f64 = ratios.iter().map(|(c, r)| settings.loss(*c, *r).0).sum();
        (total / ratios.len() as f64, ratios, result.gradients)
    };

    let (loss, ratios, gradients) = run(&adapter);
    assert!((loss - number(&json["loss"])).abs() < 1e-4, "{loss}");
    let mean =
        |f: &dyn Fn(&(f64, f64)) -> f64| ratios.iter().map(f).sum::<f64>() / ratios.len() as f64;
    let beta = settings.beta;
    for (name, ours) in [
        ("rewards/chosen", mean(&|r| beta * r.0)),
        ("rewards/rejected", mean(&|r| beta * r.1)),
        ("rewards/margins", mean(&|r| beta * (r.0 - r.1))),
        ("rewards/accuracies", mean(&|r| f64::from(u8::from(r.0 > r.1)))),
    ] {
        let theirs = number(&json["metrics"][name]);
        assert!((ours - theirs).abs() < 1e-4, "{name}: {ours} and {theirs}");
    }
    let smooth = DpoSettings { label_smoothing: number(&json["label_smoothing"]), ..settings };
    let theirs = json["smoothed_losses"].as_array().expect("losses");
    assert_eq!(theirs.len(), ratios.len());
    for ((chosen, rejected), theirs) in ratios.iter().zip(theirs) {
        let ours = smooth.loss(*chosen, *rejected).0;
        assert!((ours - number(theirs)).abs() < 1e-4, "{ours} and {theirs}");
    }

    // Gradients by PEFT's names, read through our own export of them.
    let mut as_adapter = adapter.clone();
    for (layer, gradient) in as_adapter.layers.iter_mut().zip(&gradients) {
        layer.clone_from(gradient.as_ref().expect("a gradient a layer"));
    }
    let values = |bytes: &[u8]| -> BTreeMap<String, Vec<f32>> {
        let file = SafeTensors::deserialize(bytes).expect("safetensors");
        file.tensors()
            .into_iter()
            .map(|(name, view)| {
                let values = view.data().chunks_exact(4);
                let values = values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                (name.trim_start_matches("grad.").to_owned(), values.collect())
            })
            .collect()
    };
    let ours = values(&peft::to_bytes(&as_adapter, "x"));
    let theirs = values(&std::fs::read(golden("dpo/golden.safetensors")).expect("golden file"));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (name, theirs) in &theirs {
        let norm = |v: &mut dyn Iterator<Item = f32>| v.map(|x| f64::from(x).powi(2)).sum::<f64>();
        let error = norm(&mut ours[name].iter().zip(theirs).map(|(a, b)| a - b));
        let size = norm(&mut theirs.iter().copied());
        assert!(size > 0.0 && (error / size).sqrt() < 1e-3, "{name}: {}", (error / size).sqrt());
    }

    let mut optimizer = AdamW::new(&adapter.layers, 0.01);
    for theirs in json["losses"].as_array().expect("losses") {
        let (loss, _, gradients) = run(&adapter);
        assert!((loss - number(theirs)).abs() < 1e-3, "{loss} and {theirs}");
        let mut gradients: Vec<Vec<f32>> =
            gradients.into_iter().map(|g| g.expect("present")).collect();
        clip_by_global_norm(&mut gradients, 1.0);
        optimizer.update(&mut adapter.layers, &gradients, number(&json["learning_rate"]));
    }
}

#[test]
fn the_slope_of_the_loss_is_its_derivative() {
    for label_smoothing in [0.0, 0.1, 0.5] {
        let settings = DpoSettings { beta: 0.7, label_smoothing };
        for z in [-60.0, -3.0, -0.1, 0.0, 0.4, 5.0, 80.0] {
            let at = |d: f64| settings.loss(z + d, 0.25).0;
            let numeric = (at(1e-4) - at(-1e-4)) / 2e-4;
            let (loss, slope) = settings.loss(z, 0.25);
            assert!(loss.is_finite() && (numeric - slope).abs() < 1e-7, "{z}: {numeric} {slope}");
        }
    }
}

fn preferences() -> Vec<Preference> {
    (0..14)
        .map(|i| {
            let prompt: Vec<u32> = (0..6 + i % 4).map(|t| 10 + (i * 7 + t) % 90).collect();
            let chosen: Vec<u32> = (0..4 + i % 3).map(|t| 100 + (i + t) % 40).chain([1]).collect();
            let rejected: Vec<u32> = (0..5).map(|t| 150 + (i * 3 + t) % 40).chain([1]).collect();
            preference(&prompt, &chosen, &rejected)
        })
        .collect()
}

fn settings() -> TrainSettings {
    TrainSettings {
        learning_rate: 5e-3,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 2,
        num_train_epochs: 5.0,
        max_seq_length: 64,
        lora_r: 4,
        lora_dropout: 0.1,
        eval_fraction: 0.2,
        eval_strategy: EvalStrategy::Steps,
        eval_steps: 4,
        group_by_length: true,
        save_steps: 0,
        ..TrainSettings::default()
    }
}

#[test]
fn preferences_are_learnt_and_a_stopped_run_resumes_to_the_same_bytes() {
    let (model, tokenizer) = tiny(1);
    let settings = settings();
    let run = DpoRun {
        model: model.clone(),
        tokenizer: &tokenizer,
        preferences: preferences(),
        settings: &settings,
        dpo: DpoSettings { beta: 0.5, label_smoothing: 0.05 },
        initial: None,
        reference: None,
    };
    let events = Mutex::new(Vec::new());
    let on_event = |event: &Event| events.lock().expect("events").push(event.clone());
    let whole =
        run.train(&Control { on_event: Some(&on_event), ..Control::default() }).expect("trains");
    let before = whole.eval_loss_before.expect("held out");
    assert!((before - 2f64.ln()).abs() < 1e-6, "the fresh adapter is the reference: {before}");
    assert!(whole.eval_loss_after.expect("held out") < before - 0.1);
    let events = events.into_inner().expect("events");
    let last = events.iter().rev().find_map(|e| match e {
        Event::Rewards { rewards, .. } => Some(*rewards),
        _ => None,
    });
    let last = last.expect("rewards");
    assert!(last.accuracy > 0.9 && last.margin > 0.0, "{last:?}");
    assert!((last.margin - (last.chosen - last.rejected)).abs() < 1e-9);
    assert!(events.iter().any(|e| matches!(e, Event::Step(p) if p.rewards.is_some())));

    let dir = tempfile::tempdir().expect("a folder");
    let stop = AtomicBool::new(false);
    let on_event = |event: &Event| {
        if matches!(event, Event::Step(p) if p.step == 5) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let checkpoints = Some(dir.path().to_owned());
    let control = Control {
        on_event: Some(&on_event),
        cancel: Some(&stop),
        checkpoints: checkpoints.clone(),
        ..Control::default()
    };
    assert!(matches!(run.train(&control), Err(Error::Cancelled { step: 5 })));
    let control = Control { checkpoints, ..Control::default() };
    let rest = run.train(&control).expect("resumes");
    assert_eq!(rest.adapter, whole.adapter);
    assert_eq!(rest.losses, whole.losses[5..]);
    assert_eq!(rest.eval_loss_after.map(f64::to_bits), whole.eval_loss_after.map(f64::to_bits));
    // Other preferences are another run.
    let mut other = preferences();
    other[3].chosen.tokens[9] += 1;
    let other = DpoRun { preferences: other, ..run };
    assert!(matches!(other.train(&control), Err(Error::Checkpoint { .. })));
}

#[test]
fn training_on_from_an_adapter_begins_at_the_reference() {
    let (model, tokenizer) = tiny(1);
    let settings = TrainSettings { max_steps: Some(3), ..settings() };
    let run = DpoRun {
        model,
        tokenizer: &tokenizer,
        preferences: preferences(),
        settings: &settings,
        dpo: DpoSettings::default(),
        initial: None,
        reference: None,
    };
    let first = run.train(&Control::default()).expect("trains");
    let on = DpoRun { initial: Some(&first.adapter), reference: Some(&first.adapter), ..run };
    let second = on.train(&Control::default()).expect("trains on");
    let before = second.eval_loss_before.expect("held out");
    assert!((before - 2f64.ln()).abs() < 1e-6, "{before}");
    assert_ne!(second.adapter, first.adapter);
}

#[test]
fn unusable_preferences_and_settings_are_refused() {
    let pair = |p: usize, c: usize, r: usize| preference(&vec![5; p], &vec![6; c], &vec![7; r]);
    assert_eq!(fit(&pair(4, 3, 2), 16), Some((pair(4, 3, 2), false)));
    assert_eq!(fit(&pair(4, 30, 2), 16), Some((pair(4, 12, 2), true)));
    for unusable in [pair(16, 1, 1), pair(17, 1, 1), pair(0, 3, 3), pair(3, 0, 1), pair(3, 1, 0)] {
        assert_eq!(fit(&unusable, 16), None);
    }
    let (model, tokenizer) = tiny(1);
    let run = |dpo: DpoSettings, packing: bool, preferences: Vec<Preference>| {
        let settings = TrainSettings { packing, group_by_length: false, ..settings() };
        let model = model.clone();
        let (initial, reference) = (None, None);
        let run = DpoRun {
            model,
            tokenizer: &tokenizer,
            preferences,
            settings: &settings,
            dpo,
            initial,
            reference,
        };
        run.train(&Control::default()).expect_err("refused").to_string()
    };
    let ok = DpoSettings::default();
    for beta in [0.0, -1.0, 11.0, f64::NAN] {
        let error = run(DpoSettings { beta, ..ok }, false, preferences());
        assert!(error.contains("beta"), "{error}");
    }
    let error = run(DpoSettings { label_smoothing: 0.6, ..ok }, false, preferences());
    assert!(error.contains("label_smoothing"), "{error}");
    assert!(run(ok, true, preferences()).contains("packing"));
    assert!(run(ok, false, vec![pair(90, 1, 1)]).contains("no preference fits"));
}
