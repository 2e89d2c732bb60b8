//! The `trainer-worker` program: its subcommands as a user runs them.

use crate::common::{tokens, write_tiny_gguf};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

pub fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .current_dir(dir)
        .args(args)
        .output()
        .expect("runs")
}

/// What `bench --wait` answers when it is asked for some rounds, or what it complains of.
pub fn bench_in_turns(dir: &Path, args: &[&str], rounds: usize) -> Result<Vec<Value>, String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .current_dir(dir)
        .args(["bench", "--wait"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    // One that refuses its arguments may have ended before it reads.
    let _ = child.stdin.take().expect("a pipe").write_all("\n".repeat(rounds).as_bytes());
    let output = child.wait_with_output().expect("ends");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

pub fn json(output: &Output) -> Value {
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {log}"))
}

pub fn refusal(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("panicked"), "{text}");
    text
}

pub fn workplace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    write_tiny_gguf(&dir.path().join("tiny.gguf"), 1);
    std::fs::create_dir(dir.path().join("data")).expect("a folder");
    let text = "Q: Where is the cat?\nA: On the mat.\n\nQ: Where is the dog?\nA: In the yard.\n";
    std::fs::write(dir.path().join("data/a.md"), text).expect("written");
    std::fs::write(dir.path().join("data/b.txt"), "Plain words for a window.").expect("written");
    std::fs::write(dir.path().join("data/c.png"), [1, 2, 3]).expect("written");
    dir
}

#[test]
fn train_eval_generate_and_logits_work_together() {
    let dir = workplace();
    let dir = dir.path();
    let report = json(&run(
        dir,
        &[
            "train",
            "--model",
            "tiny.gguf",
            "--data",
            "data",
            "--output",
            "out",
            "--json",
            "--target-modules",
            "all-linear",
            "--learning-rate",
            "1e-2",
            "--num-train-epochs",
            "20",
            "--max-seq-length",
            "96",
            "--eval-fraction",
            "0",
        ],
    ));
    assert_eq!(report["examples"]["train"], 3);
    assert!(report["eval_loss"]["before"].is_null());
    let loss = |adapter: &[&str]| {
        let args =
            [&["eval", "--model", "tiny.gguf", "--data", "data", "--output", "json"], adapter];
        json(&run(dir, &args.concat()))["loss"].as_f64().expect("a loss")
    };
    let (base, tuned) = (loss(&[]), loss(&["--adapter", "out"]));
    assert!(tuned < base - 1.0, "{base} -> {tuned}");
    assert_eq!(tuned, loss(&["--adapter", "out/adapter_model.safetensors"]));

    let text = json(&run(
        dir,
        &[
            "generate",
            "--model",
            "tiny.gguf",
            "--adapter",
            "out",
            "--chat",
            "Where is the cat?",
            "--max-new-tokens",
            "5",
            "--output",
            "json",
        ],
    ));
    assert!(text["tokens"].as_array().expect("tokens").len() <= 5);
    let streamed =
        run(dir, &["generate", "--model", "tiny.gguf", "--prompt", "the", "--max-new-tokens", "5"]);
    assert!(streamed.status.success() && !streamed.stdout.is_empty());

    let logits = json(&run(
        dir,
        &["logits", "--model", "tiny.gguf", "--tokens", "5,6,7", "--output", "json"],
    ));
    assert_eq!(logits["tokens"], serde_json::json!([5, 6, 7]));
    let rows = logits["logits"].as_array().expect("rows");
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|r| r.as_array().expect("numbers").len() == tokens().len()));
}

#[test]
fn mistakes_are_answered_in_one_sentence() {
    let dir = workplace();
    let dir = dir.path();
    let text = refusal(&run(dir, &["generate", "--model", "none.gguf", "--chat", "x"]));
    assert!(text.contains("none.gguf does not exist; ./scripts/model fetches one"), "{text}");
    let text = refusal(&run(dir, &["generate", "--model", "data/a.md", "--chat", "x"]));
    assert!(text.contains("not a usable GGUF file"), "{text}");
    let base = ["train", "--model", "tiny.gguf", "--output", "out"];
    let train = |more: &[&str]| refusal(&run(dir, &[&base[..], more].concat()));
    assert!(train(&["--data", "data/c.png"]).contains("only .md, .txt, .pdf"));
    assert!(train(&["--data", "absent.md"]).contains("absent.md"));
    let text = train(&["--data", "data", "--target-modules", "c_attn"]);
    assert!(text.contains("target_modules = c_attn") && text.contains("q_proj"), "{text}");
    let text = refusal(&run(
        dir,
        &["generate", "--model", "tiny.gguf", "--chat", "x", "--temperature", "11"],
    ));
    assert!(text.contains("temperature = 11 is out of range: choose 0 to 10"), "{text}");
    let long = "word ".repeat(200);
    let text = refusal(&run(dir, &["generate", "--model", "tiny.gguf", "--prompt", &long]));
    assert!(text.contains("exceed the model's context of 256"), "{text}");
}

#[test]
fn logits_of_token_ids_need_no_tokenizer() {
    let dir = tempfile::tempdir().expect("a folder");
    let model = crate::common::golden("qwen3");
    assert!(!model.join("tokenizer.json").exists(), "the golden folder has no tokenizer");
    let path = model.to_string_lossy().into_owned();
    let answer = json(&run(dir.path(), &["logits", "--model", &path, "--tokens", "1,2", "--json"]));
    assert_eq!(answer["logits"].as_array().map(Vec::len), Some(2));
    let refused = run(dir.path(), &["logits", "--model", &path, "--prompt", "hello"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("tokenizer"));
}

#[test]
fn logits_of_single_steps_and_their_likeliest_tokens_are_those_of_all_at_once() {
    let dir = workplace();
    let logits = |more: &[&str]| {
        let args = ["logits", "--model", "tiny.gguf", "--tokens", "5,6,7,90,12", "--json"];
        json(&run(dir.path(), &[&args, more].concat()))
    };
    let row = |v: &Value| -> Vec<f64> { serde_json::from_value(v.clone()).expect("numbers") };
    let (all, single) = (logits(&[]), logits(&["--one-by-one", "--quantised"]));
    let top = logits(&["--one-by-one", "--top", "3"]);
    assert_eq!(top["log_probabilities"].as_array().expect("a list").len(), 4);
    for i in 0..5 {
        let (at_once, one) = (row(&all["logits"][i]), row(&single["logits"][i]));
        assert!(at_once.iter().zip(&one).all(|(a, b)| (a - b).abs() < 1e-4));
        let sum = at_once.iter().map(|v| v.exp()).sum::<f64>().ln();
        let likeliest: Vec<(usize, f64)> =
            serde_json::from_value(top["top"][i].clone()).expect("pairs");
        assert_eq!(likeliest.len(), 3);
        let better = at_once.iter().filter(|v| **v > at_once[likeliest[2].0] + 1e-4).count();
        assert!(better <= 2, "the third of them is among the three greatest");
        for (id, probability) in likeliest {
            assert!((at_once[id] - sum - probability).abs() < 1e-4);
        }
        if let Some(next) = [6usize, 7, 90, 12].get(i) {
            let given = top["log_probabilities"][i].as_f64().expect("a number");
            assert!((at_once[*next] - sum - given).abs() < 1e-4);
        }
    }
}
