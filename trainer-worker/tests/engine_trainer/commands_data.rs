//! What the commands say of data, and their exit codes.

use crate::commands::{json, refusal, run, workplace};
use std::path::Path;
use std::process::Output;

fn written(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, text).expect("written");
}

fn preview(dir: &Path, more: &[&str]) -> Output {
    run(dir, &[&["preview", "--model", "tiny.gguf", "--data"], more].concat())
}

fn train(dir: &Path, more: &[&str]) -> Output {
    let start = ["train", "--model", "tiny.gguf", "--output", "out", "--max-seq-length", "64"];
    run(dir, &[&start[..], &["--num-train-epochs", "1", "--data"], more].concat())
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn preview_dry_run_and_training_say_the_same_of_the_data() {
    let dir = workplace();
    let dir = dir.path();
    written(dir, "in/train.jsonl", "{\"text\": \"some <|im_end|>\", \"id\": 1}\n{\"texts\": 2}\n");
    written(dir, "in/more.csv", "question,answer\nWhere?,There.\n");
    written(dir, "in/validation.jsonl", "{\"text\": \"held out words\"}\n");
    written(dir, "in/test.jsonl", "{\"text\": \"never\"}\n");
    written(dir, "in/._train.jsonl", "\0");
    written(dir, "in/picture.png", "x");
    let said = [
        "is left out: hidden files and caches",
        "picture.png",
        "of the test split, which is never trained on",
        "evaluated on the validation split (1 file)",
        "refused 1: its keys (texts) have none of the known shapes",
        "records with key id, which is not used",
        "special tokens written in raw text",
    ];
    let shown = out(&preview(dir, &["in", "--max-seq-length", "64"]));
    let dry = out(&train(dir, &["in", "--dry-run"]));
    let start = train(dir, &["in"]);
    assert!(start.status.success());
    let start = String::from_utf8_lossy(&start.stderr).into_owned();
    for (what, text) in [("preview", &shown), ("dry run", &dry), ("start", &start)] {
        for line in said {
            assert!(text.contains(line), "{what}: {line}:\n{text}");
        }
    }
    for text in [&shown, &dry] {
        assert!(text.contains("some ⟦<|im_end|>⟧"), "{text}");
        assert!(text.contains("Special tokens stand between ⟦ and ⟧"), "{text}");
    }
    let seen = json(&preview(dir, &["in", "--json", "--max-seq-length", "64"]));
    assert_eq!(
        (seen["train_examples"].as_u64(), seen["eval_examples"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(seen["reasons"].as_object().map(|r| r.len()), Some(1));
    assert!(seen["left_out"].as_array().is_some_and(|l| l.len() == 3), "{}", seen["left_out"]);
    let plan = json(&train(dir, &["in", "--dry-run", "--json"]));
    assert_eq!(plan["examples"]["held_out"], 1);
    assert_eq!(plan["data"]["reasons"], seen["reasons"]);
}

#[test]
fn what_is_capped_is_said() {
    let dir = workplace();
    let text = out(&train(dir.path(), &["data", "--dry-run", "--warmup-steps", "500"]));
    let seen = out(&preview(dir.path(), &["data", "--max-seq-length", "32768"]));
    assert!(seen.contains("the model's window, instead of 32768"), "{seen}");
    assert!(text.contains("instead of 500"), "{text}");
}

#[test]
fn nothing_to_train_on_ends_with_exit_code_1() {
    let dir = workplace();
    let dir = dir.path();
    written(dir, "bad.jsonl", "{\"texts\": 1}\n");
    written(dir, "empty.jsonl", "\n");
    written(dir, "test.jsonl", "{\"text\": \"never\"}\n");
    for name in ["bad.jsonl", "empty.jsonl", "test.jsonl", "missing.jsonl"] {
        for output in [
            preview(dir, &[name]),
            preview(dir, &[name, "--json"]),
            train(dir, &[name, "--dry-run"]),
            train(dir, &[name]),
        ] {
            assert_eq!(output.status.code(), Some(1), "{name}: {}", refusal(&output));
        }
    }
    assert!(refusal(&train(dir, &["bad.jsonl"])).contains("its keys (texts)"));
    assert!(refusal(&train(dir, &["test.jsonl"])).contains("never trained on"));
}

#[test]
fn evaluation_data_decides_when_to_stop_and_which_adapter_is_best() {
    let dir = workplace();
    let dir = dir.path();
    written(
        dir,
        "held.jsonl",
        "{\"question\": \"Where is the cat?\", \"answer\": \"On the mat.\"}\n",
    );
    let args = |held: &'static str| {
        [
            "data",
            "--eval-data",
            held,
            "--eval-strategy",
            "epoch",
            "--num-train-epochs",
            "3",
            "--load-best-model-at-end",
            "--early-stopping-patience",
            "1",
            "--json",
            "--overwrite-output-dir",
            "--learning-rate",
            "1e-2",
        ]
    };
    let report = json(&train(dir, &args("held.jsonl")[..]));
    assert_eq!(report["examples"]["held_out"], 1);
    assert_eq!(report["examples"]["train"], 3, "nothing is held out of the data itself");
    assert!(report["best"]["loss"].as_f64().is_some(), "{report}");
    let error =
        refusal(&train(dir, &["data", "--eval-data", "held.jsonl", "--eval-fraction", "0.2"]));
    assert!(error.contains("exclude each other"), "{error}");
    let error =
        refusal(&train(dir, &["data", "--eval-data", "data/a.md", "--overwrite-output-dir"]));
    assert!(error.contains("both trained and evaluated on"), "{error}");
    written(dir, "blank.jsonl", "{\"texts\": 1}\n");
    let error =
        refusal(&train(dir, &["data", "--eval-data", "blank.jsonl", "--overwrite-output-dir"]));
    assert!(error.contains("the files to evaluate on"), "{error}");
    let error = refusal(&train(dir, &["data", "--train-on-prompt", "--mask-history"]));
    assert!(error.contains("mask_history"), "{error}");
}

#[test]
fn a_question_with_special_tokens_is_refused_in_use_as_in_training() {
    let dir = workplace();
    let output = run(
        dir.path(),
        &["generate", "--model", "tiny.gguf", "--chat", "a<|im_end|>b", "--max-new-tokens", "2"],
    );
    assert!(refusal(&output).contains("writes out the model's special token \"<|im_end|>\""));
    let output = run(
        dir.path(),
        &[
            "generate",
            "--model",
            "tiny.gguf",
            "--prompt",
            "a<|im_end|>b",
            "--max-new-tokens",
            "2",
            "--json",
        ],
    );
    // a, the token, b.
    assert_eq!(json(&output)["prompt_tokens"], 3);
}

#[test]
fn a_damaged_table_is_an_error_and_no_crash() {
    let dir = workplace();
    let dir = dir.path();
    let whole = std::fs::read(crate::common::golden("tables/file.arrow")).expect("a file");
    let mut tried = 0;
    for at in (8..whole.len()).step_by(whole.len() / 12) {
        let mut changed = whole.clone();
        changed[at..(at + 8).min(whole.len())].fill(0x7F);
        std::fs::write(dir.join("a.arrow"), changed).expect("written");
        let output = preview(dir, &["a.arrow", "--json"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("panicked"), "{text}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}", output.status);
        tried += 1;
    }
    assert!(tried > 10);
}

#[test]
fn control_characters_of_data_and_names_are_written_out() {
    let dir = workplace();
    let dir = dir.path();
    let record =
        "{\"question\": \"a\\u001b[2J\\u001b]0;pwned\\u0007\", \"answer\": \"b\\u009b1m\"}\n";
    let bad = "{\"ke\\u001bys\": 1}\n";
    written(dir, "a\u{1b}[31m.jsonl", &format!("{record}{bad}"));
    let name = "a\u{1b}[31m.jsonl";
    for output in [
        preview(dir, &[name, "--max-seq-length", "64"]),
        train(dir, &[name, "--dry-run"]),
        train(dir, &[name]),
        preview(dir, &["no\u{1b}thing.jsonl"]),
        train(dir, &["no\u{9b}thing.jsonl"]),
        run(dir, &["eval", "--model", "tiny.gguf", "--data", name]),
        run(dir, &["inspect", name]),
    ] {
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.join("");
        let obeyed = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        assert_eq!(obeyed, None, "{text:?}");
    }
    let shown = out(&preview(dir, &[name, "--max-seq-length", "64"]));
    for part in [
        "a\\u{1b}[31m.jsonl  1 example,",
        "a\\u{1b}[2J\\u{1b}]0;pwned\\u{7}",
        "b\\u{9b}1m",
        "ke\\u{1b}ys",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn an_error_of_the_system_is_said_once() {
    let dir = workplace();
    written(dir.path(), "file.jsonl", "{}\n");
    let below = ["file.jsonl/missing.jsonl"];
    for output in [preview(dir.path(), &below), train(dir.path(), &below)] {
        let error = refusal(&output);
        assert_eq!(error.matches("os error 20").count(), 1, "{error}");
    }
    for output in [preview(dir.path(), &["missing.jsonl"]), train(dir.path(), &["missing.jsonl"])] {
        let error = refusal(&output);
        assert_eq!(error.matches("there is no file or folder").count(), 1, "{error}");
    }
}

#[test]
fn one_file_is_one_file_and_bytes_after_gzip_data_are_named() {
    let dir = workplace();
    let dir = dir.path();
    written(dir, "bad.jsonl", "{\"texts\": 1}\n");
    for output in [preview(dir, &["bad.jsonl"]), train(dir, &["bad.jsonl"])] {
        let error = refusal(&output);
        assert!(error.contains("1 file gave no example"), "{error}");
    }
    written(dir, "one.csv", "question,answer\nalone\n");
    assert!(refusal(&train(dir, &["one.csv"])).contains("it has 1 cell, the header has 2"));
    // {"text": "some words"} as a stored block, and what does not belong to it.
    let text = b"{\"text\": \"some words\"}";
    let length = u16::try_from(text.len()).expect("short");
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1];
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(text);
    bytes.extend(0xeb0c901e_u32.to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    let end = bytes.len();
    std::fs::write(dir.join("a.jsonl.gz"), &bytes).expect("written");
    assert!(out(&preview(dir, &["a.jsonl.gz"])).contains("1 example,"));
    bytes.extend(b"trailing");
    std::fs::write(dir.join("a.jsonl.gz"), &bytes).expect("written");
    let error = refusal(&train(dir, &["a.jsonl.gz"]));
    let said = format!("8 bytes after the end of its gzip data (byte {end}) are no gzip data");
    assert!(error.contains(&said), "{error}");
}
