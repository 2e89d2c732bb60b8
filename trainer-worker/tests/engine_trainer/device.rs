//! Training by the graph of candle's operations, as on a GPU, against the CPU's own arithmetic: the
//! same losses and updates within rounding, for every setting that changes what is computed; and
//! what is refused.

use crate::commands::{bench_in_turns, json, refusal, run, workplace};
use crate::common::{tiny, write_tiny_folder, write_tiny_gguf_as};
use candle_core::quantized::GgmlDType;
use openledger_engine::data::{DataFile, Example, Origin, Preference};
use openledger_engine::device::{Arithmetic, Device, Dtype};
use openledger_engine::error::Error;
use openledger_engine::model::graph::Graph;
use openledger_engine::model::{Model, Precision};
use openledger_engine::optim::Schedule;
use openledger_engine::tokenizer::Tokenizer;
use openledger_engine::train::{
    Control, DpoRun, DpoSettings, EvalStrategy, Event, GradientCheckpointing, Outcome, Run,
    TrainSettings,
};
use openledger_engine::Result;
use openledger_primitives::MediaType;
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// The devices that the graph runs on here: candle on the processor, and the GPUs that this build has
/// and this machine answers for.
fn graphs() -> impl Iterator<Item = Device> {
    let all = [Device::CandleCpu, Device::Cuda(0), Device::Metal(0)];
    all.into_iter().filter(|device| device.open().is_ok())
}

fn on(device: Device) -> Arithmetic {
    Arithmetic { device, dtype: Dtype::F32 }
}

fn files() -> Vec<DataFile> {
    let text: String = (0..24).map(|i| format!("Line {i}: the cat sat on the mat. ")).collect();
    let questions = "Q: What did the cat do?\nA: It sat.\n\nQ: And the dog?\nA: It ran.\n";
    vec![
        DataFile::new(text.into_bytes(), MediaType::Txt, "a", "alice"),
        DataFile::new(questions.as_bytes().to_vec(), MediaType::Md, "b", "bob"),
    ]
}

fn settings() -> TrainSettings {
    TrainSettings {
        learning_rate: 5e-3,
        lr_scheduler_type: Schedule::Constant,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 2,
        num_train_epochs: 4.0,
        max_seq_length: 48,
        lora_r: 4,
        target_modules: vec!["all-linear".to_owned()],
        eval_fraction: 0.2,
        eval_strategy: EvalStrategy::Steps,
        eval_steps: 2,
        max_steps: Some(3),
        save_steps: 0,
        ..TrainSettings::default()
    }
}

fn train(base: &(Arc<Model>, Tokenizer), settings: &TrainSettings) -> Result<Outcome> {
    let files = files();
    let (model, tokenizer) = (base.0.clone(), &base.1);
    Run { model, tokenizer, files: &files, settings }.train(&Control::default())
}

fn relative(ours: &[f64], theirs: &[f64]) -> f64 {
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut ours.iter().zip(theirs).map(|(a, b)| a - b)) / norm(&mut theirs.iter().copied())
}

fn flat(outcome: &Outcome) -> Vec<f64> {
    outcome.adapter.layers.iter().flatten().map(|v| f64::from(*v)).collect()
}

/// Losses within 1e-4 and, after three steps, adapters within 1 %: rounding decides the sign of
/// AdamW's first updates where a gradient is nearly zero.
fn agree(what: &str, ours: &Outcome, theirs: &Outcome) {
    assert_eq!(ours.losses.len(), theirs.losses.len(), "{what}");
    let error = relative(&theirs.losses, &ours.losses);
    assert!(error <= 1e-4, "{what}: losses {:?} and {:?}", ours.losses, theirs.losses);
    for (a, b) in [
        (ours.eval_loss_before, theirs.eval_loss_before),
        (ours.eval_loss_after, theirs.eval_loss_after),
    ] {
        let (a, b) = (a.expect("held out"), b.expect("held out"));
        assert!((a - b).abs() <= 1e-4 * a, "{what}: held-out losses {a} and {b}");
    }
    let error = relative(&flat(theirs), &flat(ours));
    assert!(error <= 1e-2, "{what}: adapters differ by {error}");
    assert_ne!(ours.adapter, theirs.adapter, "{what}: two implementations");
}

/// The tiny model with its matrices in blocks.
fn quantised(dtype: GgmlDType) -> (Arc<Model>, Tokenizer) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tiny.gguf");
    write_tiny_gguf_as(&path, 1, dtype);
    let model = Model::open_with(&path, Precision::Quantised).expect("it loads");
    (Arc::new(model), Tokenizer::open(&path).expect("a tokenizer"))
}

fn nf4() -> (Arc<Model>, Tokenizer) {
    let dir = tempfile::tempdir().expect("a folder");
    write_tiny_folder(dir.path(), 1);
    let precision = Precision::Nf4 { double_quant: true };
    let model = Model::open_with(dir.path(), precision).expect("it loads");
    (Arc::new(model), tiny(1).1)
}

#[test]
fn a_training_by_the_graph_follows_the_cpus_for_every_setting() {
    let base = tiny(1);
    for (what, settings) in [
        ("LoRA", settings()),
        (
            "dropout and noise",
            TrainSettings {
                lora_dropout: 0.2,
                neftune_noise_alpha: Some(5.0),
                group_by_length: true,
                ..settings()
            },
        ),
        ("packing", TrainSettings { packing: true, max_seq_length: 64, ..settings() }),
        (
            "DoRA, rank-stabilised, with dropout",
            TrainSettings {
                use_dora: true,
                use_rslora: true,
                lora_dropout: 0.1,
                weight_decay: 0.01,
                ..settings()
            },
        ),
        (
            "LoRA+, recomputed, the upper layer only",
            TrainSettings {
                loraplus_lr_ratio: Some(4.0),
                gradient_checkpointing: GradientCheckpointing::On,
                layers_to_transform: Some(vec![1]),
                ..settings()
            },
        ),
    ] {
        let ours = train(&base, &settings).expect("trains");
        for device in graphs() {
            let what = format!("{what} on {}", device.name());
            let on_graph = TrainSettings { arithmetic: on(device), ..settings.clone() };
            let theirs = train(&base, &on_graph).unwrap_or_else(|e| panic!("{what}: {e}"));
            agree(&what, &ours, &theirs);
            assert_eq!(ours.recomputed, theirs.recomputed, "{what}");
        }
    }
}

#[test]
fn qlora_by_the_graph_follows_the_cpus_on_blocks_and_nf4_that_stay_in_few_bits() {
    let candle = candle_core::Device::Cpu;
    for (what, base, share) in [
        ("Q8_0", quantised(GgmlDType::Q8_0), 0.55),
        ("Q4_1", quantised(GgmlDType::Q4_1), 0.45),
        ("NF4", nf4(), 0.9),
    ] {
        let ours = train(&base, &settings()).expect("trains");
        for device in graphs() {
            let on_graph = TrainSettings { arithmetic: on(device), ..settings() };
            agree(what, &ours, &train(&base, &on_graph).expect("trains"));
        }
        let bytes = |model: &Arc<Model>| {
            let graph = Graph::new(model, &candle, candle_core::DType::F32).expect("a graph");
            graph.weight_bytes() as f64
        };
        let dense = bytes(&tiny(1).0);
        let kept = bytes(&base.0);
        assert!(kept < share * dense, "{what}: {kept} bytes of {dense}");
    }
}

#[test]
fn sixteen_bits_train_near_f32_and_the_loss_falls() {
    let base = tiny(1);
    let longer =
        TrainSettings { max_steps: Some(12), eval_strategy: EvalStrategy::No, ..settings() };
    let ours = train(&base, &longer).expect("trains");
    let both = graphs().flat_map(|device| [(device, Dtype::BF16), (device, Dtype::F16)]);
    for (device, dtype) in both {
        let arithmetic = Arithmetic { device, dtype };
        let theirs = train(&base, &TrainSettings { arithmetic, ..longer.clone() }).expect("trains");
        let error = relative(&theirs.losses, &ours.losses);
        assert!(error > 0.0 && error < 0.02, "{device:?} {dtype:?}: {:?}", theirs.losses);
        let (before, after) = (theirs.eval_loss_before, theirs.eval_loss_after);
        let (before, after) = (before.expect("held out"), after.expect("held out"));
        assert!(after < before - 0.2, "{device:?} {dtype:?}: {before} -> {after}");
    }
}

#[test]
fn a_run_on_a_device_resumes_there_and_nowhere_else() {
    let base = tiny(1);
    let arithmetic = on(Device::CandleCpu);
    let settings =
        TrainSettings { arithmetic, lora_dropout: 0.1, max_steps: Some(4), ..settings() };
    let whole = train(&base, &settings).expect("trains");
    let dir = tempfile::tempdir().expect("a folder");
    let files = files();
    let go = |settings: &TrainSettings, stop_after: Option<u64>| {
        let stop = AtomicBool::new(false);
        let on_event = |event: &Event| {
            if matches!(event, Event::Step(p) if Some(p.step) == stop_after) {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let control = Control {
            on_event: Some(&on_event),
            cancel: Some(&stop),
            checkpoints: Some(dir.path().to_owned()),
            ..Control::default()
        };
        let run = Run { model: base.0.clone(), tokenizer: &base.1, files: &files, settings };
        run.train(&control)
    };
    assert!(matches!(go(&settings, Some(2)), Err(Error::Cancelled { step: 2 })));
    let elsewhere = TrainSettings { arithmetic: Arithmetic::default(), ..settings.clone() };
    assert!(matches!(go(&elsewhere, None), Err(Error::Checkpoint { .. })));
    let rest = go(&settings, None).expect("resumes");
    assert!(relative(&rest.losses, &whole.losses[2..]) < 1e-6);
    assert!(relative(&flat(&rest), &flat(&whole)) < 1e-4);
}

fn preferences() -> Vec<Preference> {
    let origin = Origin {
        submission: "a".into(),
        contributor: "b".into(),
        sha256: [1; 32],
        evaluation: false,
    };
    let origin = Arc::new(origin);
    (0..10u32)
        .map(|i| {
            let prompt: Vec<u32> = (0..5 + i % 4).map(|t| 10 + (i * 7 + t) % 90).collect();
            let example = |answer: Vec<u32>| Example {
                labels: [vec![false; prompt.len()], vec![true; answer.len()]].concat(),
                tokens: [prompt.clone(), answer].concat(),
                origin: origin.clone(),
                file: 0,
                span: 0..1,
            };
            let chosen = example((0..4 + i % 3).map(|t| 100 + (i + t) % 40).chain([1]).collect());
            let rejected = example((0..5).map(|t| 150 + (i * 3 + t) % 40).chain([1]).collect());
            Preference { chosen, rejected, prompt: prompt.len() }
        })
        .collect()
}

#[test]
fn preferences_trained_by_the_graph_follow_the_cpus() {
    let base = tiny(1);
    let dpo = |settings: &TrainSettings, initial: Option<&Outcome>| {
        let adapter = initial.map(|o| &o.adapter);
        let run = DpoRun {
            model: base.0.clone(),
            tokenizer: &base.1,
            preferences: preferences(),
            settings,
            dpo: DpoSettings { beta: 0.5, label_smoothing: 0.1 },
            initial: adapter,
            reference: adapter,
        };
        run.train(&Control::default()).expect("trains")
    };
    let settings = TrainSettings { lora_dropout: 0.1, ..settings() };
    let ours = dpo(&settings, None);
    // With an adapter as the reference.
    let further = dpo(&settings, Some(&ours));
    for device in graphs() {
        let on_graph = TrainSettings { arithmetic: on(device), ..settings.clone() };
        agree("DPO", &ours, &dpo(&on_graph, None));
        agree("DPO, further", &further, &dpo(&on_graph, Some(&ours)));
    }
}

#[test]
fn unknown_devices_missing_features_and_types_are_refused_by_name() {
    for (name, device) in [
        ("cpu", Device::Cpu),
        ("candle-cpu", Device::CandleCpu),
        ("cuda", Device::Cuda(0)),
        ("cuda:3", Device::Cuda(3)),
        ("metal", Device::Metal(0)),
    ] {
        assert_eq!(Device::from_name(name).expect("a device"), device);
    }
    for name in ["gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "cuda:99999999999999999999", ""] {
        let error = Device::from_name(name).expect_err("refused").to_string();
        assert!(error.contains("device") && error.contains("candle-cpu"), "{error}");
    }
    assert!(Dtype::from_name("int8").expect_err("refused").to_string().contains("bf16"));
    let base = tiny(1);
    let refused = |device, dtype| {
        let arithmetic = Arithmetic { device, dtype };
        train(&base, &TrainSettings { arithmetic, ..settings() }).expect_err("refused").to_string()
    };
    let error = refused(Device::Cpu, Dtype::BF16);
    assert!(error.contains("dtype = bf16") && error.contains("candle-cpu"), "{error}");
    if !cfg!(feature = "cuda") {
        let error = refused(Device::Cuda(1), Dtype::BF16);
        assert!(
            error.contains("cuda:1") && error.contains("--features trainer-worker/cuda"),
            "{error}"
        );
    }
    if !cfg!(feature = "metal") {
        assert!(refused(Device::Metal(0), Dtype::F32).contains("--features trainer-worker/metal"));
    }
}

fn settings_file(dir: &Path) -> Value {
    let text = std::fs::read(dir.join("training_args.json")).expect("the run's settings");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn the_commands_take_a_device_and_the_record_says_which() {
    let dir = workplace();
    let dir = dir.path();
    let yaml = "model: tiny.gguf\ndata: data\nmax_seq_length: 96\nnum_train_epochs: 2\n\
                eval_fraction: 0.4\ndevice: candle-cpu\nbase_model_name: tiny\n";
    std::fs::write(dir.join("run.yaml"), yaml).expect("written");
    let train =
        |more: &[&str]| run(dir, &[&["train", "--config", "run.yaml", "--json"], more].concat());
    let report = json(&train(&["--output", "graph", "--dtype", "bf16"]));
    assert_eq!(report["device"], "candle-cpu");
    assert_eq!(report["dtype"], "bf16");
    assert_eq!(report["reproducible"], false);
    let kept = settings_file(&dir.join("graph"));
    assert_eq!(kept["device"], "candle-cpu");
    assert_eq!(kept["dtype"], "bf16");
    assert_eq!(kept["reproducible"], false);
    assert_eq!((&kept["num_train_epochs"], &kept["max_steps"]), (&2.into(), &Value::Null));
    // The command line wins, and the CPU's own arithmetic is recorded as such.
    json(&train(&["--output", "own", "--device", "cpu"]));
    let kept = settings_file(&dir.join("own"));
    assert_eq!((&kept["device"], &kept["reproducible"]), (&"cpu".into(), &true.into()));
    assert_eq!(kept["dtype"], "f32");

    let loss = |more: &[&str]| {
        let args =
            ["eval", "--model", "tiny.gguf", "--data", "data", "--adapter", "graph", "--json"];
        json(&run(dir, &[&args, more].concat()))["loss"].as_f64().expect("a loss")
    };
    let (own, graph) = (loss(&[]), loss(&["--device", "candle-cpu"]));
    assert!((own - graph).abs() < 1e-4 * own, "{own} and {graph}");

    let plan = json(&train(&["--output", "none", "--dry-run"]));
    let own = json(&train(&["--output", "none", "--dry-run", "--device", "cpu"]));
    let bytes = |plan: &Value| plan["memory_bytes"]["weights"].as_u64().expect("bytes");
    assert_eq!(bytes(&plan), 2 * bytes(&own), "candle has a copy of its own");

    if !cfg!(feature = "cuda") {
        for command in ["train", "eval", "doctor"] {
            let args: &[&str] = match command {
                "train" => &["--model", "tiny.gguf", "--data", "data", "--output", "x"],
                "eval" => &["--model", "tiny.gguf", "--data", "data"],
                _ => &[],
            };
            let output = run(dir, &[&[command, "--device", "cuda"], args].concat());
            let text = refusal(&output);
            assert!(text.contains("built without cuda"), "{command}: {text}");
        }
        assert!(!dir.join("x").exists());
    }
    let devices = json(&run(dir, &["doctor", "--json", "--threads", "1"]))["devices"].clone();
    let devices = devices.as_array().expect("devices");
    assert!(devices[0]["usable"] == true && devices[1]["name"] == "candle-cpu");
    std::fs::write(dir.join("bf16.yaml"), "bf16: true\n").expect("written");
    let text = refusal(&train(&["--config", "bf16.yaml", "--output", "y"]));
    assert!(text.contains("dtype: bf16"), "{text}");
}

#[test]
fn the_gpu_benchmarks_model_of_random_weights_trains_in_rounds() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = crate::common::tiny_config().to_string();
    std::fs::write(dir.path().join("config.json"), config).expect("written");
    for more in [&["--dtype", "bf16"][..], &["--qlora"]] {
        let args = [
            "train",
            "--model",
            ".",
            "--random-weights",
            "1",
            "--device",
            "candle-cpu",
            "--batch",
            "2",
            "--sequence",
            "16",
            "--steps",
            "1",
        ];
        let lines = bench_in_turns(dir.path(), &[&args, more].concat(), 2).expect("rounds");
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["device"], "candle-cpu");
        // Weights near zero know nothing: every token is as likely as any other.
        let loss = lines[2]["loss"].as_f64().expect("a loss");
        let vocabulary = crate::common::tokens().len() as f64;
        assert!((loss - vocabulary.ln()).abs() < 0.1, "{loss}");
    }
}
