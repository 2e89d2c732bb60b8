//! The training loop: it learns, resumes to the bit, does not depend on threads, and refuses what
//! would silently go wrong.

use crate::common::{tiny, write_tiny_gguf};
use openledger_engine::data::DataFile;
use openledger_engine::error::Error;
use openledger_engine::lora::{assert_gradients, Adapter, Role};
use openledger_engine::optim::Schedule;
use openledger_engine::train::{
    checkpoint, Control, EvalStrategy, Event, Outcome, Run, TrainSettings,
};
use openledger_engine::{peft, Result};
use openledger_primitives::MediaType;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

fn text() -> String {
    (0..40).map(|i| format!("Line {i}: the cat sat on the mat and the dog ran. ")).collect()
}

fn files() -> Vec<DataFile> {
    let questions =
        "Q: What did the cat do?\nA: It sat on the mat.\n\nQ: And the dog?\nA: It ran.\n";
    vec![
        DataFile::new(text().into_bytes(), MediaType::Txt, "a", "alice"),
        DataFile::new(questions.as_bytes().to_vec(), MediaType::Md, "b", "bob"),
    ]
}

fn settings() -> TrainSettings {
    TrainSettings {
        learning_rate: 1e-2,
        lr_scheduler_type: Schedule::Cosine,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 2,
        num_train_epochs: 2.0,
        max_seq_length: 64,
        lora_r: 4,
        lora_dropout: 0.1,
        target_modules: vec!["all-linear".to_owned()],
        weight_decay: 0.01,
        warmup_steps: Some(2),
        eval_fraction: 0.15,
        max_steps: Some(6),
        save_steps: 0,
        ..TrainSettings::default()
    }
}

fn train(settings: &TrainSettings, control: &Control<'_>) -> Result<Outcome> {
    let (model, tokenizer) = tiny(1);
    let files = files();
    Run { model, tokenizer: &tokenizer, files: &files, settings }.train(control)
}

fn digest(adapter: &Adapter) -> String {
    hex::encode(Sha256::digest(peft::to_bytes(adapter, "tiny")))
}

#[test]
fn training_lowers_the_loss_and_reports_each_step() {
    let settings = TrainSettings { max_steps: Some(30), num_train_epochs: 20.0, ..settings() };
    let events = Mutex::new(Vec::new());
    let on_event = |event: &Event| events.lock().expect("events").push(event.clone());
    let control = Control { on_event: Some(&on_event), ..Control::default() };
    let outcome = train(&settings, &control).expect("trains");
    let (before, after) = (outcome.eval_loss_before.expect("held out"), outcome.eval_loss_after);
    assert!(after.expect("held out") < before - 0.5, "{before} -> {after:?}");
    let events = events.into_inner().expect("events");
    let steps: Vec<_> = events
        .iter()
        .filter_map(|e| match e {
            Event::Step(p) => Some(*p),
            _ => None,
        })
        .collect();
    assert_eq!(steps.len(), 30);
    assert!(steps.iter().enumerate().all(|(i, p)| p.step == i as u64 + 1 && p.total_steps == 30));
    assert_eq!(steps.iter().map(|p| p.loss).collect::<Vec<_>>(), outcome.losses);
    assert_eq!(steps.last().expect("a step").tokens, outcome.tokens);
    assert_eq!(steps[0].learning_rate, 0.0, "warm-up begins at zero");
    assert!((steps[2].learning_rate - 1e-2).abs() < 1e-12);
    match events.first() {
        Some(Event::Prepared { total_steps, total_tokens, report, .. }) => {
            assert_eq!((*total_steps, *total_tokens), (30, outcome.tokens));
            assert_eq!((report.files, report.chats), (2, 2));
        }
        other => panic!("the first event is {other:?}"),
    }
}

#[test]
fn same_seed_gives_the_same_bytes_with_one_and_two_threads_and_another_seed_does_not() {
    let with = |threads, seed| {
        let settings = TrainSettings { threads: Some(threads), seed, ..settings() };
        let outcome = train(&settings, &Control::default()).expect("trains");
        (digest(&outcome.adapter), outcome.eval_loss_after.map(f64::to_bits))
    };
    let one = with(1, 42);
    assert_eq!(one, with(2, 42));
    assert_eq!(one, with(3, 42));
    assert_ne!(one.0, with(2, 43).0);
}

/// Trains an adapter further as a worker does: from the bytes of its file.
fn train_further(
    parent: &[u8],
    settings: &TrainSettings,
    control: &Control<'_>,
) -> Result<Outcome> {
    let (model, tokenizer) = tiny(1);
    let initial = peft::from_bytes(parent, None, &model.config)?
        .under(settings.lora(&model.config)?, &model.config)?;
    let files = files();
    Run { model, tokenizer: &tokenizer, files: &files, settings }.train_from(&initial, control)
}

#[test]
fn an_adapter_trained_further_begins_with_the_loss_that_it_ended_with() {
    let first = train(&settings(), &Control::default()).expect("trains");
    let parent = peft::to_bytes(&first.adapter, "tiny");
    let further = |seed, threads| {
        let settings = TrainSettings { seed, threads, lora_dropout: 0.0, ..settings() };
        train_further(&parent, &settings, &Control::default()).expect("trains")
    };
    let second = further(42, Some(1));
    let bits = |loss: Option<f64>| loss.expect("held out").to_bits();
    assert_eq!(bits(second.eval_loss_before), bits(first.eval_loss_after));
    assert!(second.eval_loss_after < first.eval_loss_after, "it learns more of the same");
    assert!(second.losses.iter().all(|loss| loss.is_finite()));
    assert_eq!(second.adapter.config.dropout, 0.0, "the settings' dropout counts");
    assert_eq!(digest(&further(42, Some(2)).adapter), digest(&second.adapter));
    assert_ne!(digest(&second.adapter), digest(&first.adapter));
    // Another seed holds other examples out and shuffles otherwise.
    assert_ne!(digest(&further(43, None).adapter), digest(&second.adapter));
}

#[test]
fn an_adapter_trained_further_resumes_to_the_same_bytes_and_not_from_another_parents_checkpoint() {
    let first = train(&settings(), &Control::default()).expect("trains");
    let parent = peft::to_bytes(&first.adapter, "tiny");
    let whole = train_further(&parent, &settings(), &Control::default()).expect("trains");
    let dir = tempfile::tempdir().expect("a folder");
    let stop = AtomicBool::new(false);
    let on_event = |event: &Event| {
        if matches!(event, Event::Step(p) if p.step == 3) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let control = Control {
        on_event: Some(&on_event),
        cancel: Some(&stop),
        checkpoints: Some(dir.path().to_owned()),
        ..Control::default()
    };
    let stopped = train_further(&parent, &settings(), &control);
    assert!(matches!(stopped, Err(Error::Cancelled { step: 3 })), "{stopped:?}");
    let again = || Control { checkpoints: Some(dir.path().to_owned()), ..Control::default() };
    let other = peft::to_bytes(&whole.adapter, "tiny");
    match train_further(&other, &settings(), &again()) {
        Err(Error::Checkpoint { reason, .. }) => assert!(reason.contains("belongs"), "{reason}"),
        other => panic!("a checkpoint of another parent was gone on from: {other:?}"),
    }
    let resumed = train_further(&parent, &settings(), &again()).expect("resumes");
    assert_eq!(digest(&resumed.adapter), digest(&whole.adapter));
}

#[test]
fn an_adapter_of_another_rank_scaling_or_layers_is_not_trained_further() {
    let first = train(&settings(), &Control::default()).expect("trains");
    let parent = peft::to_bytes(&first.adapter, "tiny");
    let attention = vec!["q_proj".to_owned(), "v_proj".to_owned()];
    for (other, words) in [
        (
            TrainSettings { lora_r: 8, ..settings() },
            "rank 4 scaled by 4, the settings ask for rank 8",
        ),
        (
            TrainSettings { lora_alpha: 8.0, ..settings() },
            "scaled by 4, the settings ask for rank 4 scaled by 2",
        ),
        (
            TrainSettings { target_modules: attention, ..settings() },
            "the settings ask for nothing there",
        ),
        (TrainSettings { use_dora: true, ..settings() }, "with magnitudes"),
    ] {
        match train_further(&parent, &other, &Control::default()) {
            Err(Error::Adapter { reason }) => assert!(reason.contains(words), "{reason}"),
            other => panic!("it was trained: {other:?}"),
        }
    }
    let cut = parent.get(..parent.len() / 2).expect("half of it");
    assert!(train_further(cut, &settings(), &Control::default()).is_err());
}

#[test]
fn a_run_stopped_after_three_steps_resumes_to_the_same_bytes() {
    let whole = train(&settings(), &Control::default()).expect("trains");
    let dir = tempfile::tempdir().expect("a folder");
    let stop = AtomicBool::new(false);
    let on_event = |event: &Event| {
        if matches!(event, Event::Step(p) if p.step == 3) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let control = Control {
        on_event: Some(&on_event),
        cancel: Some(&stop),
        checkpoints: Some(dir.path().to_owned()),
        ..Control::default()
    };
    match train(&settings(), &control) {
        Err(Error::Cancelled { step: 3 }) => {}
        other => panic!("expected to be cancelled after step 3, got {other:?}"),
    }
    let resumed = Mutex::new(None);
    let on_event = |event: &Event| {
        if let Event::Resumed { step } = event {
            *resumed.lock().expect("resumed") = Some(*step);
        }
    };
    let control = Control {
        on_event: Some(&on_event),
        cancel: None,
        checkpoints: Some(dir.path().to_owned()),
        ..Control::default()
    };
    let rest = train(&settings(), &control).expect("resumes");
    assert_eq!(*resumed.lock().expect("resumed"), Some(3));
    assert_eq!(digest(&rest.adapter), digest(&whole.adapter));
    assert_eq!(rest.losses, whole.losses[3..]);
    assert_eq!(rest.tokens, whole.tokens);
    assert_eq!(rest.eval_loss_before.map(f64::to_bits), whole.eval_loss_before.map(f64::to_bits));
    assert_eq!(rest.eval_loss_after.map(f64::to_bits), whole.eval_loss_after.map(f64::to_bits));
}

#[test]
fn a_checkpoint_of_another_run_or_a_damaged_one_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let control = Control { checkpoints: Some(dir.path().to_owned()), ..Control::default() };
    train(&settings(), &control).expect("trains");
    let path = checkpoint::file_in(dir.path());
    let good = std::fs::read(&path).expect("a checkpoint");
    let other = TrainSettings { learning_rate: 2e-2, ..settings() };
    let error = train(&other, &control).expect_err("another run").to_string();
    assert!(error.contains("other settings, data or base model"), "{error}");
    let (model, tokenizer) = tiny(2);
    let (files, same) = (files(), settings());
    let run = Run { model, tokenizer: &tokenizer, files: &files, settings: &same };
    let error = run.train(&control).expect_err("another base of the same shape").to_string();
    assert!(error.contains("other settings, data or base model"), "{error}");
    for cut in [0, 7, 20, good.len() / 2, good.len() - 1] {
        std::fs::write(&path, &good[..cut]).expect("written");
        assert!(matches!(train(&settings(), &control), Err(Error::Checkpoint { .. })), "{cut}");
    }
    for at in [0, 9, 30, good.len() - 40] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, &bad).expect("written");
        assert!(matches!(train(&settings(), &control), Err(Error::Checkpoint { .. })), "{at}");
    }
    std::fs::write(&path, vec![0; good.len() + (1 << 20)]).expect("written");
    assert!(train(&settings(), &control).is_err());
}

fn command(dir: &Path, output: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer-worker"));
    command
        .args(["train", "--json", "--save-steps", "1", "--num-train-epochs", "1000"])
        .args(["--max-steps", "300", "--max-seq-length", "64", "--eval-fraction", "0.1"])
        .args(["--lora-dropout", "0.1", "--learning-rate", "1e-3"])
        .arg("--model")
        .arg(dir.join("tiny.gguf"))
        .arg("--data")
        .arg(dir.join("text.txt"))
        .arg("--output")
        .arg(dir.join(output))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn a_worker_killed_while_training_resumes_to_the_same_bytes() {
    let dir = tempfile::tempdir().expect("a folder");
    write_tiny_gguf(&dir.path().join("tiny.gguf"), 2);
    std::fs::write(dir.path().join("text.txt"), text()).expect("written");
    let whole = command(dir.path(), "whole").output().expect("runs");
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));

    let mut child = command(dir.path(), "killed").spawn().expect("starts");
    let saved = checkpoint::file_in(&dir.path().join("killed"));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !saved.exists() {
        assert!(Instant::now() < deadline, "no checkpoint within a minute");
        assert!(child.try_wait().expect("status").is_none(), "it ended before its checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let weights = dir.path().join("killed").join(peft::WEIGHTS);
    assert!(!weights.exists(), "it was killed in the middle");

    let rest = command(dir.path(), "killed").output().expect("runs");
    let log = String::from_utf8_lossy(&rest.stderr);
    assert!(rest.status.success() && log.contains("Going on from the checkpoint"), "{log}");
    let bytes = std::fs::read(&weights).expect("the adapter");
    assert_eq!(
        bytes,
        std::fs::read(dir.path().join("whole").join(peft::WEIGHTS)).expect("the adapter")
    );
    let report: serde_json::Value = serde_json::from_slice(&rest.stdout).expect("JSON");
    assert_eq!(report["sha256"], hex::encode(Sha256::digest(&bytes)));
    assert!(!saved.exists(), "a finished run leaves no checkpoint");
}

#[test]
fn an_absent_zero_or_infinite_gradient_is_an_error() {
    let (model, _) = tiny(1);
    let config = settings().lora(&model.config).expect("the model has the targets");
    let mut adapter = Adapter::new(config, &model.config, 1);
    let full = |adapter: &Adapter| -> Vec<Option<Vec<f32>>> {
        adapter.layers.iter().map(|l| Some(vec![0.5; l.len()])).collect()
    };
    let slot = *adapter.layouts[1].slot(Role::Gate).expect("a slot");
    let problem = |adapter: &Adapter, gradients: &[Option<Vec<f32>>]| match assert_gradients(
        adapter, gradients, 1,
    ) {
        Ok(()) => None,
        Err(Error::Gradient { parameter, problem, .. }) => Some((parameter, problem)),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(problem(&adapter, &full(&adapter)), None);
    let mut missing = full(&adapter);
    missing[1] = None;
    let (name, what) = problem(&adapter, &missing).expect("an error");
    assert_eq!(what, "absent");
    assert!(name.starts_with("base_model.model.model.layers.1."), "{name}");
    let mut zero_b = full(&adapter);
    slot.split_mut(zero_b[1].as_mut().expect("there")).1.fill(0.0);
    let (name, what) = problem(&adapter, &zero_b).expect("an error");
    assert_eq!(name, "base_model.model.model.layers.1.mlp.gate_proj.lora_B.weight");
    assert_eq!(what, "zero");
    // A's gradient is zero by definition while B is zero, and must not be afterwards.
    let mut zero_a = full(&adapter);
    slot.split_mut(zero_a[1].as_mut().expect("there")).0.fill(0.0);
    assert_eq!(problem(&adapter, &zero_a), None);
    slot.split_mut(&mut adapter.layers[1]).1.fill(0.1);
    assert_eq!(problem(&adapter, &zero_a).map(|p| p.1), Some("zero"));
    let mut infinite = full(&adapter);
    infinite[0].as_mut().expect("there")[0] = f32::NAN;
    assert_eq!(problem(&adapter, &infinite).map(|p| p.1), Some("not finite"));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let d = TrainSettings::default;
    let cases: Vec<(&str, TrainSettings)> = vec![
        ("learning_rate", TrainSettings { learning_rate: 0.0, ..d() }),
        ("learning_rate", TrainSettings { learning_rate: f64::NAN, ..d() }),
        ("learning_rate", TrainSettings { learning_rate: 1.1, ..d() }),
        ("per_device_train_batch_size", TrainSettings { per_device_train_batch_size: 0, ..d() }),
        ("gradient_accumulation_steps", TrainSettings { gradient_accumulation_steps: 0, ..d() }),
        ("num_train_epochs", TrainSettings { num_train_epochs: 1001.0, ..d() }),
        ("max_seq_length", TrainSettings { max_seq_length: 7, ..d() }),
        ("lora_r", TrainSettings { lora_r: 257, ..d() }),
        ("lora_alpha", TrainSettings { lora_alpha: -1.0, ..d() }),
        ("lora_dropout", TrainSettings { lora_dropout: 0.95, ..d() }),
        ("target_modules", TrainSettings { target_modules: vec![String::new()], ..d() }),
        ("weight_decay", TrainSettings { weight_decay: 2.0, ..d() }),
        ("max_grad_norm", TrainSettings { max_grad_norm: f64::INFINITY, ..d() }),
        ("warmup_ratio", TrainSettings { warmup_ratio: -0.1, ..d() }),
        ("eval_fraction", TrainSettings { eval_fraction: 0.6, ..d() }),
        ("max_steps", TrainSettings { max_steps: Some(0), ..d() }),
        ("rank_pattern", TrainSettings { rank_pattern: vec![("q_proj".into(), 257)], ..d() }),
        ("rank_pattern", TrainSettings { rank_pattern: vec![("q(".into(), 2)], ..d() }),
        ("alpha_pattern", TrainSettings { alpha_pattern: vec![("q_proj".into(), 0.0)], ..d() }),
        ("alpha_pattern", TrainSettings { alpha_pattern: vec![(String::new(), 1.0)], ..d() }),
        ("layers_to_transform", TrainSettings { layers_to_transform: Some(vec![]), ..d() }),
        ("layers_pattern", TrainSettings { layers_pattern: vec!["h".into()], ..d() }),
        ("loraplus_lr_ratio", TrainSettings { loraplus_lr_ratio: Some(0.5), ..d() }),
        ("packing", TrainSettings { packing: true, group_by_length: true, ..d() }),
        ("neftune_noise_alpha", TrainSettings { neftune_noise_alpha: Some(0.0), ..d() }),
        ("neftune_noise_alpha", TrainSettings { neftune_noise_alpha: Some(101.0), ..d() }),
        ("memory_limit", TrainSettings { memory_limit: Some(0), ..d() }),
        ("eval_steps", TrainSettings { eval_steps: 0, ..d() }),
        ("early_stopping_patience", TrainSettings { early_stopping_patience: Some(1), ..d() }),
        (
            "early_stopping_patience",
            TrainSettings {
                eval_strategy: EvalStrategy::Steps,
                early_stopping_patience: Some(0),
                ..d()
            },
        ),
        ("early_stopping_threshold", TrainSettings { early_stopping_threshold: -1.0, ..d() }),
        ("load_best_model_at_end", TrainSettings { load_best_model_at_end: true, ..d() }),
        ("sample_prompts", TrainSettings { sample_prompts: vec![String::new(); 17], ..d() }),
        ("sample_steps", TrainSettings { sample_steps: Some(0), ..d() }),
        ("sample_max_new_tokens", TrainSettings { sample_max_new_tokens: 1025, ..d() }),
    ];
    for (name, settings) in cases {
        match settings.validate() {
            Err(Error::Setting { name: found, .. }) => assert_eq!(found, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .args(["train", "--model", "none", "--data", "none", "--output", "none"])
        .args(["--lora-r", "300"])
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(text.contains("lora_r = 300 is out of range: choose 1 to 256"), "{text}");
}

#[test]
fn the_token_ceiling_is_never_exceeded() {
    let free = TrainSettings { max_steps: None, ..settings() };
    let all = train(&free, &Control::default()).expect("trains");
    let ceiling = all.tokens / 2;
    let limited = TrainSettings { max_tokens: Some(ceiling), ..free.clone() };
    let outcome = train(&limited, &Control::default()).expect("trains");
    assert!(outcome.tokens <= ceiling && outcome.tokens + 300 > ceiling, "{}", outcome.tokens);
    let tiny = TrainSettings { max_tokens: Some(3), ..free };
    assert!(matches!(train(&tiny, &Control::default()), Err(Error::NoExamples { .. })));
}
