//! What a run can be told besides its learning rate: how batches are filled, when it evaluates and
//! stops, noise, recomputed activations; and that it resumes to the bit with all of it switched on.

use crate::common::tiny;
use openledger_engine::data::DataFile;
use openledger_engine::error::Error;
use openledger_engine::kernels::rng::{Noise, Stream};
use openledger_engine::lora::Adapter;
use openledger_engine::model::forward::{Batch, DropoutAt, Runner};
use openledger_engine::train::plan::Plan;
use openledger_engine::train::{
    checkpoint, memory_estimate, perplexity, Control, EvalStrategy, Event, GradientCheckpointing,
    Outcome, Run, TrainSettings,
};
use openledger_engine::{peft, Result};
use openledger_primitives::MediaType;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

fn files() -> Vec<DataFile> {
    let text: String =
        (0..24).map(|i| format!("Line {i}: the cat sat on the mat and the dog ran. ")).collect();
    let mut questions = String::new();
    for i in 0..12 {
        questions.push_str(&format!("Q: What is {i}?\nA: It is {}.\n\n", "more ".repeat(i % 5)));
    }
    vec![
        DataFile::new(text.into_bytes(), MediaType::Txt, "a", "alice"),
        DataFile::new(questions.into_bytes(), MediaType::Md, "b", "bob"),
    ]
}

fn settings() -> TrainSettings {
    TrainSettings {
        learning_rate: 5e-3,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 2,
        num_train_epochs: 3.0,
        max_seq_length: 64,
        lora_r: 4,
        target_modules: vec!["all-linear".to_owned()],
        eval_fraction: 0.15,
        save_steps: 0,
        ..TrainSettings::default()
    }
}

/// Every option that changes or watches a run.
fn everything() -> TrainSettings {
    TrainSettings {
        lora_dropout: 0.1,
        rank_pattern: vec![(r"layers\.1\.self_attn\.[qk]_proj".to_owned(), 2)],
        alpha_pattern: vec![("down_proj".to_owned(), 4.0)],
        use_rslora: true,
        use_dora: true,
        loraplus_lr_ratio: Some(2.0),
        weight_decay: 0.01,
        packing: true,
        neftune_noise_alpha: Some(5.0),
        gradient_checkpointing: GradientCheckpointing::On,
        eval_strategy: EvalStrategy::Steps,
        eval_steps: 2,
        early_stopping_patience: Some(50),
        early_stopping_threshold: 1e-4,
        load_best_model_at_end: true,
        sample_prompts: vec!["What is 3?".to_owned()],
        sample_max_new_tokens: 2,
        max_steps: Some(9),
        ..settings()
    }
}

fn train(settings: &TrainSettings, control: &Control<'_>) -> Result<Outcome> {
    let (model, tokenizer) = tiny(1);
    let files = files();
    Run { model, tokenizer: &tokenizer, files: &files, settings }.train(control)
}

fn lengths(n: usize) -> Vec<usize> {
    let mut stream = Stream::new(3, "lengths", &[]);
    (0..n).map(|_| 3 + stream.below(60)).collect()
}

#[test]
fn packed_rows_hold_whole_examples_each_once_and_are_nearly_full() {
    let lengths = lengths(200);
    let settings = TrainSettings { packing: true, num_train_epochs: 2.0, ..settings() };
    let mut plan = Plan::of_lengths(&settings, lengths.clone());
    let plain = Plan::of_lengths(&TrainSettings { packing: false, ..settings }, lengths.clone());
    assert!(plan.total_steps < plain.total_steps, "fewer, fuller micro-batches");
    assert_eq!(plan.total_tokens, 2 * lengths.iter().sum::<usize>() as u64);
    assert_eq!(plan.epoch_ends, [plan.total_steps / 2, plan.total_steps]);
    let budget = 2 * 64;
    let (mut first, mut all) = (Vec::new(), 0);
    for step in 0..plan.total_steps {
        for micro in plan.step(step) {
            let tokens: usize = micro.iter().map(|i| lengths[*i]).sum();
            assert!(tokens <= budget, "{tokens} tokens");
            all += budget;
            if step < plan.epoch_ends[0] {
                first.extend(micro);
            }
        }
    }
    first.sort_unstable();
    assert_eq!(first, (0..lengths.len()).collect::<Vec<_>>(), "each example once an epoch");
    let filled = plan.total_tokens as f64 / all as f64;
    assert!(filled > 0.9, "rows are {filled} full");
    assert!(plan.step(0) != plan.step(plan.epoch_ends[0]), "epochs differ");
    assert_eq!(plan.epochs(plan.epoch_ends[0]), 1.0);
    assert!((plan.epochs(plan.epoch_ends[0] / 2) - 0.5).abs() < 0.1);
}

#[test]
fn grouped_batches_are_of_similar_length_with_the_longest_first() {
    let lengths = lengths(160);
    let spread = |grouped: bool| {
        let settings =
            TrainSettings { group_by_length: grouped, num_train_epochs: 1.0, ..settings() };
        let mut plan = Plan::of_lengths(&settings, lengths.clone());
        let (mut spread, mut seen) = (0, BTreeSet::new());
        for step in 0..plan.total_steps {
            for micro in plan.step(step) {
                let of = |i: &usize| lengths[*i];
                spread += micro.iter().map(of).max().unwrap() - micro.iter().map(of).min().unwrap();
                seen.extend(micro);
            }
        }
        assert_eq!(seen.len(), lengths.len());
        (spread, plan.step(0)[0][0])
    };
    let ((grouped, first), (plain, _)) = (spread(true), spread(false));
    assert!(grouped * 4 < plain, "{grouped} against {plain}");
    assert_eq!(lengths[first], *lengths.iter().max().unwrap());
}

#[test]
fn a_run_reports_its_held_out_loss_at_steps_and_at_the_end_of_epochs() {
    let evaluated = |strategy, eval_steps| {
        let settings = TrainSettings {
            eval_strategy: strategy,
            eval_steps,
            sample_prompts: vec!["What is 1?".to_owned()],
            sample_max_new_tokens: 3,
            ..settings()
        };
        let events = Mutex::new((Vec::new(), Vec::new()));
        let on_event = |event: &Event| match event {
            Event::Evaluated { step, loss } => events.lock().unwrap().0.push((*step, *loss)),
            Event::Sampled { step, prompt, .. } => {
                assert_eq!(prompt, "What is 1?");
                events.lock().unwrap().1.push(*step);
            }
            _ => {}
        };
        let control = Control { on_event: Some(&on_event), ..Control::default() };
        let outcome = train(&settings, &control).expect("trains");
        let (evaluated, sampled) = events.into_inner().unwrap();
        assert_eq!(evaluated[1..], outcome.evaluations[..]);
        assert_eq!(evaluated.last().map(|e| e.1), outcome.eval_loss_after);
        let steps: Vec<u64> = evaluated.iter().map(|e| e.0).collect();
        assert_eq!(sampled, steps[1..]);
        (steps, outcome)
    };
    let (steps, outcome) = evaluated(EvalStrategy::Epoch, 50);
    assert_eq!(outcome.steps % 3, 0);
    let epoch = outcome.steps / 3;
    assert_eq!(steps, [0, epoch, 2 * epoch, 3 * epoch]);
    let (steps, outcome) = evaluated(EvalStrategy::Steps, 4);
    let mut expected: Vec<u64> = (0..=outcome.steps).step_by(4).collect();
    if expected.last() != Some(&outcome.steps) {
        expected.push(outcome.steps);
    }
    assert_eq!(steps, expected);
    let after = outcome.eval_loss_after.unwrap();
    assert!((perplexity(after) - after.exp()).abs() < 1e-12 * after.exp());
}

#[test]
fn early_stopping_waits_for_its_patience_and_the_best_adapter_is_kept() {
    // A learning rate that overshoots makes later evaluations worse than an early one.
    let settings = TrainSettings {
        learning_rate: 0.15,
        lr_scheduler_type: openledger_engine::optim::Schedule::Constant,
        num_train_epochs: 20.0,
        eval_strategy: EvalStrategy::Steps,
        eval_steps: 1,
        early_stopping_patience: Some(3),
        load_best_model_at_end: true,
        ..settings()
    };
    let outcome = train(&settings, &Control::default()).expect("trains");
    assert!(outcome.stopped_early, "{:?}", outcome.evaluations);
    let (best_step, best_loss) = outcome.best.expect("a best one");
    assert_eq!(outcome.steps, best_step + 3, "{:?}", outcome.evaluations);
    let lowest = outcome.evaluations.iter().map(|e| e.1).fold(f64::INFINITY, f64::min);
    assert_eq!((best_loss, outcome.eval_loss_after), (lowest, Some(lowest)));
    // The adapter is the one of that step: a run that ends there gives the same bytes.
    let short = TrainSettings {
        max_steps: Some(best_step),
        early_stopping_patience: None,
        load_best_model_at_end: false,
        ..settings.clone()
    };
    let short = train(&short, &Control::default()).expect("trains");
    assert_eq!(short.adapter, outcome.adapter);
    // An improvement that is not above the threshold does not reset the patience.
    let strict = TrainSettings { early_stopping_threshold: 100.0, ..settings };
    assert_eq!(train(&strict, &Control::default()).expect("trains").steps, 4);
}

#[test]
fn noise_on_the_embeddings_is_uniform_scaled_by_length_and_only_while_training() {
    let mut row = vec![0f32; 20_000];
    Noise::new(1, "neftune", &[2, 3]).add(7, &mut row, 0.5);
    assert!(row.iter().all(|x| (-0.5..0.5).contains(x)));
    let mean = row.iter().sum::<f32>() / row.len() as f32;
    let square = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
    assert!(mean.abs() < 0.01 && (square - 0.25 / 3.0).abs() < 0.003, "{mean} {square}");

    let with = |alpha| {
        let settings =
            TrainSettings { neftune_noise_alpha: alpha, max_steps: Some(2), ..settings() };
        train(&settings, &Control::default()).expect("trains")
    };
    let (plain, noisy, noisier) = (with(None), with(Some(5.0)), with(Some(50.0)));
    assert_eq!(noisy.eval_loss_before, plain.eval_loss_before, "no noise in evaluation");
    let moved = |o: &Outcome| (o.losses[0] - plain.losses[0]).abs();
    assert!(0.0 < moved(&noisy) && moved(&noisy) < moved(&noisier));
    assert_eq!(with(Some(5.0)).adapter, noisy.adapter);
}

/// A batch of the tiny model, long enough that activations outweigh the rest.
fn long_batch() -> Batch {
    let tokens: Vec<u32> = (0..120).map(|i| 2 + (i * 37) % 250).collect();
    let labels = vec![true; 120];
    Batch::new(&[(&tokens, &labels), (&tokens[5..100], &labels[..95])])
}

#[test]
fn recomputed_activations_give_the_same_bits_in_less_memory() {
    let (model, _) = tiny(1);
    let settings = TrainSettings { lora_dropout: 0.2, use_dora: true, ..settings() };
    let lora = settings.lora(&model.config).expect("a configuration");
    let mut adapter = Adapter::fresh(lora, &model, 4).expect("an adapter");
    adapter.layers.iter_mut().flatten().for_each(|p| *p += 0.01);
    let batch = long_batch();
    let at = Some(DropoutAt { seed: 1, step: 0, micro: 0 });
    let run = |recompute: bool| {
        let runner = Runner::new(model.clone(), 128)
            .expect("a runner")
            .with_neftune(Some(5.0))
            .with_recompute(recompute);
        let result = runner.loss_and_gradients(&batch, &adapter, 0.01, at).expect("gradients");
        (result.loss_sum, result.gradients, runner.workspace().peak_bytes() as u64)
    };
    let (kept, again) = (run(false), run(true));
    assert_eq!((kept.0.to_bits(), &kept.1), (again.0.to_bits(), &again.1));
    assert!(again.2 < kept.2, "{} and {} bytes", again.2, kept.2);
    // What is foreseen holds, and is not far above what was used.
    for (recompute, used) in [(false, kept.2), (true, again.2)] {
        let tokens = batch.tokens.len();
        let foreseen =
            memory_estimate(&model.config, 0, adapter.parameters(), tokens, &settings, recompute);
        let foreseen = foreseen.activations + foreseen.buffers;
        assert!(used <= foreseen && foreseen < 2 * used, "{used} used, {foreseen} foreseen");
    }
}

#[test]
fn a_memory_limit_switches_recomputation_on_or_refuses_the_run() {
    let with = |choice, limit| {
        let settings = TrainSettings {
            gradient_checkpointing: choice,
            memory_limit: limit,
            max_steps: Some(1),
            ..settings()
        };
        train(&settings, &Control::default())
    };
    let auto = GradientCheckpointing::Auto;
    assert!(!with(auto, Some(1 << 40)).expect("trains").recomputed);
    let needed = match with(GradientCheckpointing::Off, Some(1)) {
        Err(Error::Memory { needed, limit: 1 }) => needed,
        other => panic!("{other:?}"),
    };
    let saved = with(auto, Some(needed - 1)).expect("trains");
    assert!(saved.recomputed);
    let plenty = with(auto, Some(needed)).expect("trains");
    assert!(!plenty.recomputed);
    assert_eq!(saved.adapter, plenty.adapter);
    assert!(matches!(with(auto, Some(1000)), Err(Error::Memory { .. })));
}

#[test]
fn a_run_stopped_in_an_evaluation_resumes_to_the_same_bytes_with_every_option_on() {
    let settings = everything();
    let whole = train(&settings, &Control::default()).expect("trains");
    assert!(whole.recomputed && whole.best.is_some());
    assert_ne!(whole.eval_loss_after, whole.eval_loss_before);
    for stop_at in [0, 3, 4, 9] {
        let dir = tempfile::tempdir().expect("a folder");
        let stop = AtomicBool::new(stop_at == 0);
        // At step 4 an evaluation is due, at 9 the last one: they are stopped before they are done.
        let on_event = |event: &Event| {
            if matches!(event, Event::Step(p) if p.step == stop_at) {
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
        match train(&settings, &control) {
            Err(Error::Cancelled { step }) => assert_eq!(step, stop_at),
            other => panic!("expected to be cancelled at {stop_at}, got {other:?}"),
        }
        // Going on without recomputation and with another number of threads changes nothing.
        let settings = TrainSettings {
            gradient_checkpointing: GradientCheckpointing::Off,
            threads: Some(1),
            ..settings.clone()
        };
        let control = Control { checkpoints, ..Control::default() };
        let rest = train(&settings, &control).expect("resumes");
        assert_eq!(rest.adapter, whole.adapter, "stopped at {stop_at}");
        assert_eq!(rest.losses, whole.losses[stop_at as usize..]);
        assert_eq!(rest.best, whole.best);
        assert_eq!(rest.eval_loss_after.map(f64::to_bits), whole.eval_loss_after.map(f64::to_bits));
    }
}

const CHILD: &str = "OPENLEDGER_TEST_TRAINS_IN";

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "started by a_process_killed_with_every_option_on_resumes_to_the_same_bytes"]
fn child_that_trains_with_every_option_on() {
    let dir = std::env::var_os(CHILD).expect("set by the test that starts this");
    let settings = TrainSettings {
        save_steps: 1,
        max_steps: Some(60),
        num_train_epochs: 30.0,
        ..everything()
    };
    let control = Control { checkpoints: Some(Path::new(&dir).to_owned()), ..Control::default() };
    let outcome = train(&settings, &control).expect("trains");
    std::fs::write(Path::new(&dir).join("adapter"), peft::to_bytes(&outcome.adapter, "x"))
        .expect("written");
}

#[test]
fn a_process_killed_with_every_option_on_resumes_to_the_same_bytes() {
    let child = |dir: &Path| {
        Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "--ignored"])
            .arg("train_options::child_that_trains_with_every_option_on")
            .env(CHILD, dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts")
    };
    let (whole, killed) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    assert!(child(whole.path()).wait().expect("ends").success());
    let mut process = child(killed.path());
    let saved = checkpoint::file_in(killed.path());
    let deadline = Instant::now() + Duration::from_secs(60);
    while !saved.exists() {
        assert!(Instant::now() < deadline, "no checkpoint within a minute");
        assert!(process.try_wait().expect("status").is_none(), "it ended before its checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    process.kill().expect("killed");
    process.wait().expect("ended");
    let result = |dir: &Path| std::fs::read(dir.join("adapter"));
    assert!(result(killed.path()).is_err(), "it was killed in the middle");
    assert!(child(killed.path()).wait().expect("ends").success());
    assert_eq!(result(killed.path()).expect("done"), result(whole.path()).expect("done"));
}
