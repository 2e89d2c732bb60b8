//! `trainer-worker train` as a user runs it: options from YAML, what it writes, what it refuses.

use crate::commands::{json, refusal, run, workplace};
use crate::common::write_tiny_gguf;
use crate::server::{Answer, Server};
use openledger_engine::report::tensorboard::{crc32c, masked_crc32c};
use openledger_engine::report::EventWriter;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

const QUICK: [&str; 10] = [
    "--model",
    "tiny.gguf",
    "--data",
    "data",
    "--max-seq-length",
    "96",
    "--num-train-epochs",
    "2",
    "--eval-fraction",
    "0.4",
];

fn train(dir: &Path, more: &[&str]) -> Output {
    run(dir, &[&["train"], &QUICK[..], more].concat())
}

fn exit(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

/// The scalars of an event file: (tag, step, value); every checksum is verified.
pub fn scalars(path: &Path) -> Vec<(String, u64, f32)> {
    let bytes = std::fs::read(path).expect("an event file");
    let mut found = Vec::new();
    let mut at = 0;
    let u32_at = |i: usize| u32::from_le_bytes(bytes[i..i + 4].try_into().expect("four bytes"));
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight")) as usize;
        assert_eq!(u32_at(at + 8), masked_crc32c(&bytes[at..at + 8]));
        let payload = &bytes[at + 12..at + 12 + length];
        assert_eq!(u32_at(at + 12 + length), masked_crc32c(payload));
        at += 16 + length;
        let event = fields(payload);
        let step = event.iter().find(|(f, _)| *f == 2).map_or(0, |(_, v)| v.number());
        for (_, summary) in event.iter().filter(|(f, _)| *f == 5) {
            for (_, value) in fields(summary.bytes()) {
                let value = fields(value.bytes());
                let tag = String::from_utf8(value[0].1.bytes().to_vec()).expect("a tag");
                found.push((tag, step, f32::from_bits(value[1].1.number() as u32)));
            }
        }
    }
    found
}

enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn number(&self) -> u64 {
        match self {
            Self::Number(n) => *n,
            Self::Bytes(_) => panic!("bytes where a number belongs"),
        }
    }

    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Bytes(b) => b,
            Self::Number(_) => panic!("a number where bytes belong"),
        }
    }
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Wire<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let wire = match key & 7 {
            0 => Wire::Number(varint(&mut bytes)),
            kind @ (1 | 5) => {
                let (head, rest) = bytes.split_at(if kind == 1 { 8 } else { 4 });
                bytes = rest;
                Wire::Number(head.iter().rev().fold(0, |v, b| v << 8 | u64::from(*b)))
            }
            2 => {
                let length = varint(&mut bytes) as usize;
                let (head, rest) = bytes.split_at(length);
                bytes = rest;
                Wire::Bytes(head)
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, wire));
    }
    found
}

pub fn event_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .expect("the folder of event files")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    files
}

#[test]
fn yaml_gives_the_options_and_flags_win() {
    let dir = workplace();
    let dir = dir.path();
    let yaml = "# as LLaMA-Factory writes it\nstage: sft\ndo_train: true\nmodel_name_or_path: \
                tiny.gguf\ndata: [data/a.md, data/b.txt]\nfinetuning_type: lora\nlora_rank: 4\n\
                lora_target: all\ncutoff_len: 96\noutput_dir: out\nnum_train_epochs: 3.0\n\
                learning_rate: 1.0e-2\nval_size: 0.0\nwarmup_steps: null\nbf16: false\n\
                overwrite_output_dir: true\n";
    std::fs::write(dir.join("run.yaml"), yaml).expect("written");
    let args = ["train", "--config", "run.yaml", "--num_train_epochs", "1", "--json"];
    let report = json(&run(dir, &args));
    assert_eq!(report["steps"], 1, "one epoch by the flag, not three");
    let config = std::fs::read_to_string(dir.join("out/adapter_config.json")).expect("written");
    let config: Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!(config["r"], 4);
    assert_eq!(config["target_modules"].as_array().expect("a list").len(), 7);

    let refused = |yaml: &str| {
        std::fs::write(dir.join("wrong.yaml"), yaml).expect("written");
        let output = run(dir, &["train", "--config", "wrong.yaml"]);
        assert_eq!(exit(&output), 2);
        refusal(&output)
    };
    let text = refused("learning_rte: 1e-3\n");
    assert!(text.contains("line 1") && text.contains("did you mean learning_rate?"), "{text}");
    let text = refused("model: a\nbf16: true\n");
    assert!(text.contains("line 2") && text.contains("f32"), "{text}");
    assert!(refused("dataset: alpaca\n").contains("files or folders with data"));
    assert!(refused("lora:\n  r: 4\n").contains("lora holds a mapping"));
    assert!(refused("a: &x 1\nb: *x\n").contains("aliases are not read"));
    assert!(refused("seed: 1\nseed: 2\n").contains("seed occurs twice"));
    assert!(refused("seed: [1, 2]\n").contains("takes one value"));
    assert!(refused("seed: {").contains("wrong.yaml"));
    assert!(refused("quantization_bit: 8\n").contains("4 is supported"));
    let deep = format!("a: {}", "[".repeat(100_000));
    refused(&deep);
}

#[test]
fn a_run_leaves_state_and_event_files_and_is_never_overwritten_silently() {
    let dir = workplace();
    let dir = dir.path();
    let report = json(&train(dir, &["--output", "out", "--json"]));
    let steps = report["steps"].as_u64().expect("steps");
    let state = std::fs::read_to_string(dir.join("out/trainer_state.json")).expect("written");
    let state: Value = serde_json::from_str(&state).expect("JSON");
    assert_eq!(state["global_step"], steps);
    assert_eq!(state["max_steps"], steps);
    assert_eq!(state["num_train_epochs"], 2);
    let history = state["log_history"].as_array().expect("a history");
    let of = |key: &str| history.iter().filter(|e| e.get(key).is_some()).count() as u64;
    assert_eq!(of("loss"), steps);
    assert_eq!(of("eval_loss"), 2);
    assert_eq!(of("train_runtime"), 1);
    assert_eq!(history.last().expect("an entry")["epoch"], 2.0);

    let files = event_files(&dir.join("out/runs"));
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let scalars = scalars(file);
    let mut by_tag: BTreeMap<&str, Vec<(u64, f32)>> = BTreeMap::new();
    for (tag, step, value) in &scalars {
        by_tag.entry(tag).or_default().push((*step, *value));
    }
    assert_eq!(by_tag["eval/loss"][0].0, 0);
    assert_eq!(by_tag["train/loss"].len() as u64, steps);
    let last = history.iter().rev().find(|e| e.get("loss").is_some()).expect("a loss");
    let written = by_tag["train/loss"].last().expect("a loss").1;
    assert_eq!(written, last["loss"].as_f64().expect("a number") as f32);
    assert!(by_tag.contains_key("train/learning_rate") && by_tag.contains_key("train/grad_norm"));

    let again = train(dir, &["--output", "out", "--seed", "7"]);
    assert_eq!(exit(&again), 3);
    let text = refusal(&again);
    assert!(text.contains("finished adapter") && text.contains("--overwrite-output-dir"), "{text}");
    let resumed = train(dir, &["--output", "new", "--resume"]);
    assert_eq!(exit(&resumed), 3);
    assert!(refusal(&resumed).contains("no checkpoint"));
    let other =
        json(&train(dir, &["--output", "out", "--seed", "7", "--overwrite-output-dir", "--json"]));
    assert_ne!(other["sha256"], report["sha256"]);
    let quiet = json(&train(dir, &["--output", "quiet", "--json", "--report-to", "none"]));
    assert_eq!(quiet["sha256"], report["sha256"]);
    assert!(!dir.join("quiet/runs").exists());
}

#[test]
fn event_files_are_framed_as_tensorflow_frames_them() {
    // RFC 3720, B.4.
    assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
    assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
    assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    let dir = tempfile::tempdir().expect("a folder");
    let mut writer = EventWriter::create(dir.path(), Some(41)).expect("a file");
    writer.scalars(42, &[("train/loss", 1.5), ("train/epoch", 300.0)]).expect("written");
    let expected = [("train/loss".to_owned(), 42, 1.5), ("train/epoch".to_owned(), 42, 300.0)];
    assert_eq!(scalars(writer.path()), expected);
}

#[test]
fn a_dry_run_says_what_it_would_take_and_writes_nothing() {
    let dir = workplace();
    let dir = dir.path();
    let plan = json(&train(dir, &["--output", "out", "--dry-run", "--json"]));
    assert_eq!(plan["examples"], json!({ "train": 2, "held_out": 1 }));
    assert_eq!(plan["steps"], 2);
    // 2 layers of q_proj (32 → 32) and v_proj (32 → 16) at rank 8.
    assert_eq!(plan["trainable_parameters"], 2 * 8 * (32 + 32 + 32 + 16));
    assert!(plan["memory_bytes"]["total"].as_u64().expect("bytes") > 0);
    assert!(plan["preview"][0]["text"].as_str().expect("text").contains("Where is the cat?"));
    let text = String::from_utf8(train(dir, &["--output", "out", "--dry-run"]).stdout);
    assert!(text.expect("text").contains("Memory"));
    assert!(!dir.join("out").exists());
}

#[test]
fn plain_text_takes_questions_and_answers_as_text() {
    let dir = workplace();
    let dir = dir.path();
    let plan = json(&train(dir, &["--output", "out", "--dry-run", "--json", "--plain-text"]));
    let text = plan["preview"][0]["text"].as_str().expect("text");
    assert!(text.contains("Q: Where is the cat?\nA: On the mat.\n\nQ:"), "{text}");
    let labelled = |more: &[&str]| {
        let args = ["eval", "--model", "tiny.gguf", "--data", "data/a.md", "--json"];
        json(&run(dir, &[&args, more].concat()))["labelled_tokens"].as_u64().expect("a number")
    };
    assert!(labelled(&["--plain-text"]) > labelled(&[]));
    let preview = |more: &[&str]| {
        let args = ["preview", "--model", "tiny.gguf", "--data", "data/a.md", "--json"];
        json(&run(dir, &[&args, more].concat()))
    };
    assert_ne!(preview(&["--plain-text"]), preview(&[]));
}

#[test]
fn too_little_memory_is_foreseen() {
    let dir = workplace();
    let dir = dir.path();
    assert!(run(dir, &["merge", "--model", "tiny.gguf", "--output", "big"]).status.success());
    let path = dir.join("big/config.json");
    let text = std::fs::read_to_string(&path).expect("a configuration");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    // 7.9 billion parameters: 29 GiB in f32.
    for (key, value) in [
        ("hidden_size", 4096),
        ("intermediate_size", 14_336),
        ("num_hidden_layers", 36),
        ("num_attention_heads", 32),
        ("num_key_value_heads", 8),
        ("head_dim", 128),
    ] {
        config[key] = value.into();
    }
    std::fs::write(&path, config.to_string()).expect("written");
    let output = run(dir, &["train", "--model", "big", "--data", "data", "--output", "out"]);
    let text = refusal(&output);
    let available = openledger_engine::report::memory::available().expect("Linux").bytes;
    if available < 29 << 30 {
        assert_eq!(exit(&output), 3, "{text}");
        assert!(text.contains("--ignore-memory") && text.contains("smaller base model"), "{text}");
    } else {
        assert!(text.contains("shape"), "{text}");
    }
}

/// `ulimit -v` is the one limit that a test can set everywhere on Linux.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_the_system_refuses_is_foreseen_and_said_with_what_to_lower() {
    let dir = workplace();
    let model = crate::common::real_model_path();
    let limited = |more: &[&str]| {
        Command::new("sh")
            .current_dir(dir.path())
            .args(["-c", "ulimit -v 500000; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_trainer-worker"))
            .args(["train", "--data", "data", "--output", "out", "--model"])
            .arg(&model)
            .args(more)
            .output()
            .expect("runs")
    };
    let output = limited(&[]);
    let text = refusal(&output);
    assert_eq!(exit(&output), 3, "{text}");
    assert!(text.contains("ulimit -v") && text.contains("--ignore-memory"), "{text}");

    let output = limited(&["--ignore-memory"]);
    let text = refusal(&output);
    assert_eq!(exit(&output), 3, "{text}");
    assert!(text.contains("out of memory") && text.contains("--max-seq-length"), "{text}");

    let output = limited(&["--ignore-memory", "--json"]);
    let text = refusal(&output);
    let last = text.lines().last().expect("an error");
    let error: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(error["error"]["kind"], "refused", "{error}");
}

fn tracked(dir: &Path, server: &str, more: &[&str]) -> Output {
    let args = [
        &["train"],
        &QUICK[..],
        &["--mlflow-tracking-uri", server, "--run-name", "first", "--json"],
        more,
    ]
    .concat();
    Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .current_dir(dir)
        .args(args)
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .env_remove("ALL_PROXY")
        .output()
        .expect("runs")
}

#[test]
fn mlflow_is_given_experiment_run_parameters_and_metrics() {
    let dir = workplace();
    let dir = dir.path();
    let server = Server::start(|request| {
        let path = request.target.split('?').next().unwrap_or("");
        match path.strip_prefix("/api/2.0/mlflow/") {
            Some("experiments/get-by-name") => {
                Answer::new(404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no"}"#)
            }
            Some("experiments/create") => Answer::new(200, r#"{"experiment_id":"7"}"#),
            Some("runs/create") => Answer::new(200, r#"{"run":{"info":{"run_id":"abc1"}}}"#),
            Some("runs/log-batch" | "runs/update") => Answer::new(200, "{}"),
            _ => Answer::new(404, "{}"),
        }
    });
    let report = json(&tracked(dir, &server.address, &["--output", "out"]));
    let steps = report["steps"].as_u64().expect("steps");
    let requests = server.requests();
    let bodies = |method: &str| -> Vec<Value> {
        requests.iter().filter(|r| r.target.ends_with(method)).map(|r| r.json()).collect()
    };
    assert_eq!(bodies("experiments/create")[0]["name"], "openledger");
    assert_eq!(bodies("runs/create")[0]["run_name"], "first");
    assert_eq!(bodies("runs/create")[0]["experiment_id"], "7");
    let batches = bodies("runs/log-batch");
    let all = |kind: &str| -> Vec<Value> {
        let lists = batches.iter().filter_map(|b| b[kind].as_array().cloned());
        lists.flatten().collect()
    };
    assert!(all("params").iter().any(|p| p["key"] == "lora_r" && p["value"] == "8"));
    let losses = all("metrics").iter().filter(|m| m["key"] == "loss").count() as u64;
    assert_eq!(losses, steps);
    assert!(all("metrics").iter().any(|m| m["key"] == "eval_loss" && m["step"] == 0));
    assert_eq!(bodies("runs/update").last().expect("an end")["status"], "FINISHED");
    let remembered = std::fs::read_to_string(dir.join("out/mlflow_run.json")).expect("written");
    assert!(remembered.contains("abc1"), "{remembered}");
}

#[test]
fn an_mlflow_server_that_refuses_does_not_stop_a_training() {
    let dir = workplace();
    let dir = dir.path();
    let server = Server::start(|_| Answer::new(403, r#"{"error_code":"PERMISSION_DENIED"}"#));
    let output = tracked(dir, &server.address, &["--output", "out"]);
    json(&output);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("PERMISSION_DENIED") && text.contains("without MLflow"), "{text}");
    let wrong = tracked(dir, "ftp://x", &["--output", "other"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("http://"));
}

#[test]
fn a_killed_run_continues_its_history() {
    let dir = workplace();
    let dir = dir.path();
    write_tiny_gguf(&dir.join("tiny.gguf"), 1);
    let long = ["--num-train-epochs", "120", "--save-steps", "5", "--output", "out", "--json"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .current_dir(dir)
        .args([&["train"], &QUICK[..], &long].concat())
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("runs");
    let state = dir.join("out/checkpoint.oltrain");
    for _ in 0..2000 {
        if state.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = train(dir, &long);
    let text = refusal(&second);
    assert_eq!(exit(&second), 3, "{text}");
    let pid = child.id().to_string();
    assert!(text.contains("another training") && text.contains(&pid), "{text}");
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert!(state.exists(), "a checkpoint was written before the kill");
    let output = train(dir, &[&long[..], &["--resume"]].concat());
    let report = json(&output);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("Going on from the checkpoint"), "{text}");
    assert!(text.contains(&format!("(process {pid}) was killed")), "{text}");
    assert!(text.contains("--gradient-checkpointing"), "{text}");
    assert!(!dir.join("out/running.json").exists());
    let text = std::fs::read_to_string(dir.join("out/trainer_state.json")).expect("written");
    let text: Value = serde_json::from_str(&text).expect("JSON");
    let history = text["log_history"].as_array().expect("a history");
    let steps: Vec<u64> = history
        .iter()
        .filter(|e| e.get("loss").is_some())
        .map(|e| e["step"].as_u64().expect("a step"))
        .collect();
    let expected: Vec<u64> = (1..=report["steps"].as_u64().expect("steps")).collect();
    assert_eq!(steps, expected, "each step once");
    assert_eq!(event_files(&dir.join("out/runs")).len(), 2);
}
