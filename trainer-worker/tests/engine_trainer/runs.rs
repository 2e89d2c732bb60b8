//! How long a run is, what is kept of it, what is reported of it, and how it ends.

use crate::commands::{json, refusal, run, workplace};
use crate::commands_train::{event_files, scalars};
use crate::common::{golden, tiny, write_tiny_gguf_as};
use candle_core::quantized::GgmlDType;
use openledger_engine::model::ModelConfig;
use openledger_engine::train::plan::Plan;
use openledger_engine::train::TrainSettings;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const QUICK: [&str; 8] =
    ["--model", "tiny.gguf", "--data", "data", "--max-seq-length", "96", "--eval-fraction", "0.4"];

fn train(dir: &Path, more: &[&str]) -> Value {
    json(&run(dir, &[&["train", "--json"], &QUICK[..], more].concat()))
}

fn state(dir: &Path, output: &str) -> Value {
    let text = std::fs::read_to_string(dir.join(output).join("trainer_state.json")).expect("state");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn steps_and_parts_of_epochs_are_those_of_transformers() {
    // Ten examples in batches of two: five steps an epoch.
    let plan = |epochs: f64, max_steps: Option<u64>| {
        let settings = TrainSettings {
            per_device_train_batch_size: 2,
            num_train_epochs: epochs,
            max_steps,
            ..TrainSettings::default()
        };
        let plan = Plan::of_lengths(&settings, vec![10; 10]);
        (plan.total_steps, plan.epoch_ends)
    };
    assert_eq!(plan(3.0, None), (15, vec![5, 10, 15]));
    // ceil(epochs · steps an epoch).
    assert_eq!(plan(2.5, None), (13, vec![5, 10]));
    assert_eq!(plan(0.1, None), (1, vec![]));
    assert_eq!(plan(0.4, None), (2, vec![]));
    // Steps that are told count, below and above the epochs.
    assert_eq!(plan(3.0, Some(7)), (7, vec![5]));
    assert_eq!(plan(1.0, Some(12)), (12, vec![5, 10]));
    assert_eq!(plan(1.0, Some(10)), (10, vec![5, 10]));
    let error = |settings: TrainSettings| settings.validate().expect_err("refused").to_string();
    let default = TrainSettings::default;
    assert!(
        error(TrainSettings { num_train_epochs: 0.0, ..default() }).contains("num_train_epochs")
    );
    assert!(error(TrainSettings { num_train_epochs: f64::NAN, ..default() }).contains("NaN"));
    assert!(error(TrainSettings { max_steps: Some(u64::MAX), ..default() }).contains("max_steps"));
}

#[test]
fn the_command_takes_parts_of_epochs_and_minus_one() {
    let dir = workplace();
    let dir = dir.path();
    let batch = ["--per-device-train-batch-size", "1", "--output", "o", "--dry-run"];
    let steps = |more: &[&str]| train(dir, &[&batch[..], more].concat())["steps"].clone();
    // Two of three examples are trained on.
    assert_eq!(steps(&["--num-train-epochs", "1.5"]), 3);
    assert_eq!(steps(&["--num-train-epochs", "1", "--max-steps", "-1"]), 2);
    assert_eq!(steps(&["--num-train-epochs", "1", "--max-steps=5"]), 5);
    for wrong in ["0", "-2"] {
        let arguments = [&["train"], &QUICK[..], &batch[..], &["--max-steps", wrong]].concat();
        let output = run(dir, &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(refusal(&output).contains("-1 for as many"), "{}", refusal(&output));
    }
}

#[test]
fn state_json_tensorboard_and_answer_say_the_same() {
    let dir = workplace();
    let dir = dir.path();
    let more = ["--per-device-train-batch-size", "1", "--max-steps", "5", "--output", "out"];
    let answer = train(dir, &more);
    let of = state(dir, "out");
    assert_eq!(of["epoch"], 2.5, "five steps of two examples");
    assert_eq!(answer["epoch"], 2.5);
    let history = of["log_history"].as_array().expect("a history");
    let losses: Vec<f64> = history.iter().filter_map(|e| e["loss"].as_f64()).collect();
    assert_eq!(losses.len(), 5);
    let last = history.last().expect("an entry");
    let mean = losses.iter().sum::<f64>() / 5.0;
    assert!((last["train_loss"].as_f64().expect("a loss") - mean).abs() < 1e-9);
    for key in [
        "train_loss",
        "train_runtime",
        "train_samples_per_second",
        "train_steps_per_second",
        "epoch",
    ] {
        assert_eq!(answer[key], last[key], "{key}");
    }
    assert_eq!(answer["last_loss"], losses[4]);
    let samples = last["train_samples_per_second"].as_f64().expect("a number");
    let steps = last["train_steps_per_second"].as_f64().expect("a number");
    assert!((samples / steps - 1.0).abs() < 1e-9, "one example a step");
    let accuracy = history.iter().filter_map(|e| e["eval_mean_token_accuracy"].as_f64());
    let accuracy: Vec<f64> = accuracy.collect();
    assert_eq!(accuracy.len(), 2, "before and after");
    assert!(accuracy.iter().all(|share| (0.0..=1.0).contains(share)));
    let files = event_files(&dir.join("out/runs"));
    let written = scalars(&files[0]);
    let tag = |name: &str| {
        written.iter().rev().find(|(tag, ..)| tag == name).unwrap_or_else(|| panic!("{name}")).2
    };
    assert_eq!(tag("train/train_loss"), mean as f32);
    assert_eq!(tag("train/epoch"), 2.5);
    assert_eq!(tag("eval/mean_token_accuracy"), accuracy[1] as f32);

    let text = std::fs::read_to_string(dir.join("out/training_args.json")).expect("written");
    let args: Value = serde_json::from_str(&text).expect("JSON");
    let sha256 =
        |path: &str| hex::encode(Sha256::digest(std::fs::read(dir.join(path)).expect("a file")));
    assert_eq!(args["model"]["files"][0]["path"], "tiny.gguf");
    assert_eq!(args["model"]["files"][0]["sha256"], sha256("tiny.gguf"));
    let data = args["data"].as_array().expect("files");
    assert_eq!(data.len(), 2, "{data:?}");
    let a = data.iter().find(|f| f["path"].as_str().is_some_and(|p| p.ends_with("a.md")));
    assert_eq!(a.expect("a.md")["sha256"], sha256("data/a.md"));
    assert_eq!(args["adam_beta2"], 0.999);

    // A run that overwrites another leaves no event file of it, wherever that lies.
    train(dir, &[&more[..], &["--overwrite-output-dir", "--logging-dir", "logs"]].concat());
    assert!(event_files(&dir.join("out/runs")).is_empty());
    std::fs::write(dir.join("logs/events.out.tfevents.1.other.1.0"), b"x").expect("written");
    train(dir, &[&more[..], &["--overwrite-output-dir", "--logging-dir", "logs"]].concat());
    let left = event_files(&dir.join("logs"));
    assert_eq!(left.len(), 2, "the new one, and that of another program: {left:?}");
}

#[test]
fn a_resumed_run_reports_the_loss_of_all_its_steps() {
    let dir = workplace();
    let dir = dir.path();
    let more = ["--per-device-train-batch-size", "1", "--max-steps", "60", "--seed", "3"];
    let whole = train(dir, &[&more[..], &["--output", "whole"]].concat());
    let mut child = start(dir, &[&more[..], &["--output", "part", "--save-steps", "1"]].concat());
    wait_for(&dir.join("part/checkpoint.oltrain"));
    child.kill().expect("killed");
    child.wait().expect("gone");
    let part = train(dir, &[&more[..], &["--output", "part", "--save-steps", "1"]].concat());
    assert_eq!(part["sha256"], whole["sha256"]);
    assert_eq!(part["train_loss"], whole["train_loss"], "to the bit");
    assert_eq!(state(dir, "part")["epoch"], 30.0);
}

fn start(dir: &Path, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .current_dir(dir)
        .args([&["train", "--json"], &QUICK[..], more].concat())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts")
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{} comes", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn preferences_report_rewards_while_they_train() {
    let dir = workplace();
    let dir = dir.path();
    let record = |i: usize| {
        format!(r#"{{"prompt": "Question {i}?", "chosen": "Yes, {i}.", "rejected": "No."}}"#) + "\n"
    };
    std::fs::write(dir.join("pairs.jsonl"), (0..6).map(record).collect::<String>())
        .expect("written");
    let arguments = [
        "train",
        "--model",
        "tiny.gguf",
        "--data",
        "pairs.jsonl",
        "--stage",
        "dpo",
        "--output",
        "out",
        "--max-steps",
        "4",
        "--logging-steps",
        "2",
        "--learning-rate",
        "1e-2",
        "--json",
    ];
    json(&run(dir, &arguments));
    let of = state(dir, "out");
    let history = of["log_history"].as_array().expect("a history");
    let logged: Vec<&Value> = history.iter().filter(|e| e.get("loss").is_some()).collect();
    assert_eq!(logged.len(), 2);
    for entry in logged {
        let number = |key: &str| entry[key].as_f64().unwrap_or_else(|| panic!("{key}: {entry}"));
        let difference = number("rewards/chosen") - number("rewards/rejected");
        assert!((difference - number("rewards/margins")).abs() < 1e-6, "{entry}");
        assert!((0.0..=1.0).contains(&number("rewards/accuracies")));
    }
}

#[test]
fn the_newest_checkpoints_are_kept_and_the_newest_whole_one_is_gone_on_from() {
    let dir = workplace();
    let dir = dir.path();
    let more = ["--per-device-train-batch-size", "1", "--max-steps", "9", "--save-steps", "2"];
    let whole = train(dir, &[&more[..], &["--output", "whole"]].concat());
    let kept = [&more[..], &["--output", "out", "--save-total-limit", "2"]].concat();
    let steps = || -> Vec<u64> {
        let entries = std::fs::read_dir(dir.join("out")).expect("a folder").flatten();
        let mut found: Vec<u64> = entries
            .filter_map(|e| {
                e.file_name().to_str()?.strip_prefix("checkpoint-")?.parse::<u64>().ok()
            })
            .collect();
        found.sort_unstable();
        found
    };
    let state_of = |step: &u64| dir.join(format!("out/checkpoint-{step}/checkpoint.oltrain"));
    // Killed before its end, however busy the machine is, with two whole states: a folder that the run was killed over
    // has none yet, and one that was about to end has removed them. Else it is begun anew.
    let newest = loop {
        let mut child = start(dir, &kept);
        while !state_of(&6).exists() && child.try_wait().expect("a state").is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        let whole: Vec<u64> = steps().into_iter().filter(|step| state_of(step).exists()).collect();
        if let [_, .., newest] = whole[..] {
            break state_of(&newest);
        }
        std::fs::remove_dir_all(dir.join("out")).expect("removed");
    };
    // The newest is damaged, an older one is whole.
    let mut bytes = std::fs::read(&newest).expect("a checkpoint");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newest, bytes).expect("written");
    let output = run(dir, &[&["train", "--json"], &QUICK[..], &kept].concat());
    let answer = json(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("going on from an older one"), "{said}");
    assert_eq!(answer["sha256"], whole["sha256"], "to the bit");
    assert_eq!(steps(), [8, 9]);
    for step in [8, 9] {
        let folder = format!("out/checkpoint-{step}");
        assert!(!dir.join(&folder).join("checkpoint.oltrain").exists(), "the run is complete");
        let eval =
            ["eval", "--model", "tiny.gguf", "--data", "data", "--adapter", &folder, "--json"];
        json(&run(dir, &eval));
    }
    // Another run clears them.
    let again = [&kept[..], &["--overwrite-output-dir", "--max-steps", "1"]].concat();
    let again: Vec<&str> = again.into_iter().filter(|a| *a != "9").collect();
    let position = again.iter().position(|a| *a == "--max-steps").expect("there");
    let again = [&again[..position], &again[position + 1..]].concat();
    train(dir, &again);
    assert_eq!(steps(), [1]);
}

#[test]
fn the_best_checkpoint_is_kept_beyond_the_limit_and_named() {
    let dir = workplace();
    let dir = dir.path();
    train(
        dir,
        &[
            "--per-device-train-batch-size",
            "1",
            "--max-steps",
            "12",
            "--save-steps",
            "1",
            "--eval-strategy",
            "steps",
            "--eval-steps",
            "1",
            "--load-best-model-at-end",
            "--save-total-limit",
            "1",
            "--learning-rate",
            "0.3",
            "--output",
            "out",
        ],
    );
    let of = state(dir, "out");
    let best = of["best_global_step"].as_u64().expect("a step");
    let folder = format!("out/checkpoint-{best}");
    assert_eq!(of["best_model_checkpoint"], folder.as_str());
    let weights = |path: &str| std::fs::read(dir.join(path).join("adapter_model.safetensors"));
    assert_eq!(
        Sha256::digest(&weights(&folder).expect("the best")[512..]),
        Sha256::digest(&weights("out").expect("the result")[512..]),
    );
}

#[cfg(unix)]
#[test]
fn a_hangup_writes_a_checkpoint_unless_the_run_is_to_outlive_its_terminal() {
    let dir = workplace();
    let dir = dir.path();
    let long = ["--max-steps", "100000", "--save-steps", "0", "--output"];
    let hang_up = |pid: u32| {
        let status = Command::new("kill").args(["-HUP", &pid.to_string()]).status().expect("kill");
        assert!(status.success());
    };
    // Before the first step there is nothing to keep: longer each time until one is done.
    let kept = (0..8).any(|attempt| {
        let out = format!("out-{attempt}");
        let mut child = start(dir, &[&long[..], &[&out]].concat());
        wait_for(&dir.join(&out).join("trainer_state.json"));
        std::thread::sleep(Duration::from_millis((1 << attempt) * 50));
        hang_up(child.id());
        assert!(!child.wait().expect("ends").success());
        dir.join(&out).join("checkpoint.oltrain").exists()
    });
    assert!(kept);

    let mut child = Command::new("sh")
        .current_dir(dir)
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_trainer-worker"))
        .args([&["train"], &QUICK[..], &long[..], &["other"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    wait_for(&dir.join("other/trainer_state.json"));
    hang_up(child.id());
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().expect("a state").is_none(), "it goes on");
    child.kill().expect("killed");
    child.wait().expect("gone");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_every_command_quietly() {
    let dir = workplace();
    let dir = dir.path();
    train(dir, &["--max-steps", "1", "--output", "out"]);
    let commands: [&[&str]; 7] = [
        &["logits", "--model", "tiny.gguf", "--tokens", "5,6,7", "--json"],
        &["inspect", "tiny.gguf", "--tensors"],
        &["preview", "--model", "tiny.gguf", "--data", "data"],
        &["eval", "--model", "tiny.gguf", "--data", "data"],
        &["generate", "--model", "tiny.gguf", "--prompt", "the", "--json"],
        &["train", "--model", "tiny.gguf", "--data", "data", "--output", "o", "--dry-run"],
        &["doctor", "--adapter", "out"],
    ];
    for arguments in commands {
        // The reading end is gone before anything is written.
        let mut child = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
            .current_dir(dir)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !said.contains("panicked") && !said.contains("Broken pipe"),
            "{arguments:?}: {said}"
        );
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    }
    // A training whose progress nobody reads is finished all the same.
    let mut child = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .current_dir(dir)
        .args([&["train"], &QUICK[..], &["--max-steps", "3", "--output", "unread"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().expect("ends").code(), Some(0));
    assert!(dir.join("unread/adapter_model.safetensors").exists());
}

#[test]
fn a_loss_that_rises_is_warned_of_with_what_to_lower() {
    let dir = workplace();
    let dir = dir.path();
    let model = crate::common::real_model_path();
    let model = model.to_str().expect("UTF-8");
    let said = |rate: &str, output: &str| {
        let arguments = [
            "train",
            "--model",
            model,
            "--data",
            "data/a.md",
            "--output",
            output,
            "--max-steps",
            "6",
            "--learning-rate",
            rate,
            "--max-grad-norm",
            "0",
            "--warmup-ratio",
            "0",
            "--lr-scheduler-type",
            "constant",
            "--eval-fraction",
            "0",
        ];
        let output = run(dir, &arguments);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let text = said("0.05", "risen");
    assert_eq!(text.matches("The loss rises").count(), 1, "{text}");
    assert!(text.contains("Lower learning_rate (now 5.0e-2)"), "{text}");
    let text = said("2e-4", "falls");
    assert!(!text.contains("The loss rises"), "{text}");
}

#[test]
fn generation_keeps_a_gguf_files_blocks_unless_told_otherwise() {
    let dir = workplace();
    let dir = dir.path();
    write_tiny_gguf_as(&dir.join("small.gguf"), 1, GgmlDType::Q8_0);
    let generate = |more: &[&str]| {
        let arguments = ["generate", "--model", "small.gguf", "--prompt", "the", "--json"];
        json(&run(dir, &[&arguments[..], more].concat()))
    };
    assert_eq!(generate(&[])["quantised"], true);
    assert_eq!(generate(&["--quantised"])["quantised"], true);
    assert_eq!(generate(&["--dequantised"])["quantised"], false);
    let both =
        ["generate", "--model", "small.gguf", "--prompt", "x", "--quantised", "--dequantised"];
    assert_eq!(run(dir, &both).status.code(), Some(2));
}

#[test]
fn targets_are_chosen_by_expression_and_exclusion_and_kept_when_continuing() {
    let dir = workplace();
    let dir = dir.path();
    let config = |output: &str| -> Value {
        let path = dir.join(output).join("adapter_config.json");
        serde_json::from_str(&std::fs::read_to_string(path).expect("written")).expect("JSON")
    };
    let modules = |output: &str| json(&run(dir, &["inspect", output, "--json"]))["modules"].clone();
    let expression = r".*\.layers\.1\.(self_attn|mlp)\.(q|up){1,2}_proj";
    let more = ["--max-steps", "2", "--learning-rate", "1e-2"];
    train(dir, &[&more[..], &["--output", "a", "--target-modules", expression]].concat());
    assert_eq!(config("a")["target_modules"], expression);
    assert_eq!(modules("a"), 2);
    let all = [
        "--output",
        "b",
        "--lora-target",
        "all",
        "--exclude-modules",
        "down_proj,0.self_attn.q_proj",
    ];
    train(dir, &[&more[..], &all].concat());
    assert_eq!(modules("b"), 14 - 3);
    assert_eq!(
        config("b")["exclude_modules"],
        serde_json::json!(["down_proj", "0.self_attn.q_proj"])
    );
    for from in ["a", "b"] {
        let to = format!("{from}-further");
        train(dir, &[&more[..], &["--output", &to, "--adapter", from]].concat());
        for key in ["target_modules", "exclude_modules"] {
            assert_eq!(config(&to)[key], config(from)[key], "{from}: {key}");
        }
        assert_eq!(modules(&to), modules(from));
    }
    let refused = |targets: &str| {
        let arguments = [&["train"], &QUICK[..], &["--output", "c", "--target-modules", targets]];
        refusal(&run(dir, &arguments.concat()))
    };
    assert!(refused("q_proj_?(").contains("a regular expression"), "{}", refused("q_proj_?("));
    assert!(refused("q_(proj)").contains("matches the whole name of a module"));
    assert!(refused("(?!q)_proj").contains("look-around"), "{}", refused("(?!q)_proj"));
    for end in ["embed_tokens", "lm_head"] {
        let said = refused(&format!("q_proj,{end}"));
        assert!(said.contains("carry no adapter here") && said.contains("leave"), "{said}");
    }
}

#[test]
fn what_peft_could_not_load_of_deepseek_is_refused_before_training() {
    let text =
        std::fs::read_to_string(golden("deepseek-v2-lite").join("config.json")).expect("read");
    let model = ModelConfig::from_hf_json(&text, "x").expect("a configuration");
    let settings = |targets: &[&str]| TrainSettings {
        target_modules: targets.iter().map(|t| (*t).to_owned()).collect(),
        ..TrainSettings::default()
    };
    let error = |settings: TrainSettings| settings.lora(&model).expect_err("refused").to_string();
    let dora = TrainSettings { use_dora: true, ..settings(&["all-linear"]) };
    let said = error(dora.clone());
    assert!(said.contains("use_dora") && said.contains("leave gate_proj, up_proj"), "{said}");
    let attention = TrainSettings { use_dora: true, ..settings(&["q_proj", "o_proj"]) };
    attention.lora(&model).expect("attention may have magnitudes");
    settings(&["all-linear"]).lora(&model).expect("plain LoRA");
    for (name, with) in [
        (
            "rank_pattern",
            TrainSettings {
                rank_pattern: vec![("up_proj".into(), 2)],
                ..settings(&["all-linear"])
            },
        ),
        (
            "alpha_pattern",
            TrainSettings {
                alpha_pattern: vec![("up_proj".into(), 2.0)],
                ..settings(&["all-linear"])
            },
        ),
        (
            "layers_to_transform",
            TrainSettings { layers_to_transform: Some(vec![1]), ..settings(&["all-linear"]) },
        ),
        (
            "exclude_modules",
            TrainSettings { exclude_modules: vec!["up_proj".into()], ..settings(&["all-linear"]) },
        ),
    ] {
        assert!(error(with).contains(name), "{name}");
    }
    let (model, _) = tiny(1);
    dora.lora(&model.config).expect("other families");
}

#[test]
fn adams_settings_change_the_result_and_their_defaults_do_not() {
    let dir = workplace();
    let dir = dir.path();
    let more = ["--max-steps", "4", "--learning-rate", "1e-2"];
    let sha256 = |output: &str, extra: &[&str]| {
        train(dir, &[&more[..], &["--output", output], extra].concat())["sha256"].clone()
    };
    let usual = sha256("usual", &[]);
    let told = ["--adam-beta1", "0.9", "--adam-beta2", "0.999", "--adam-epsilon", "1e-8"];
    assert_eq!(sha256("told", &told), usual);
    assert_ne!(sha256("beta1", &["--adam-beta1", "0.5"]), usual);
    assert_ne!(sha256("beta2", &["--adam-beta2", "0.9"]), usual);
    assert_ne!(sha256("epsilon", &["--adam-epsilon", "0.01"]), usual);
    let arguments = [&["train"], &QUICK[..], &["--output", "x", "--adam-beta1", "1"]].concat();
    assert!(refusal(&run(dir, &arguments)).contains("adam_beta1 = 1"));
}
