//! `chat`, `bench` and `fetch-model` as a user runs them, and how errors are told to programs.

use crate::commands::{bench_in_turns, json, refusal, run, workplace};
use crate::server::{Answer, Server};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

pub fn chat(dir: &Path, input: &str, more: &[&str]) -> (String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .current_dir(dir)
        .args(["chat", "--model", "tiny.gguf", "--max-new-tokens", "6"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_chat_over_a_pipe_remembers_until_it_is_reset() {
    let dir = workplace();
    let dir = dir.path();
    let (two, _) = chat(dir, "Where is the cat?\nAnd the dog?\n", &[]);
    let (reset, log) = chat(dir, "Where is the cat?\n/reset\nWhere is the cat?\n", &[]);
    let half = reset.len() / 2;
    assert_eq!(reset[..half], reset[half..], "after /reset the same answer: {reset:?}");
    assert!(log.contains("forgotten"));
    assert!(two.starts_with(&reset[..half]) && two.len() > half);
    // The second answer is that of the whole conversation, as generate gives it.
    let (alone, _) = chat(dir, "And the dog?\n", &[]);
    assert_ne!(two[half..], alone);

    let (_, log) = chat(dir, "/nothing\n/set top_p 2\n/adapter absent\n/help\n/quit\nx\n", &[]);
    for part in ["no command /nothing", "top_p = 2 is out of range", "absent", "/system"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    let hot = ["--temperature", "1.5", "--top-k", "20", "--min-p", "0.01"];
    let (first, _) = chat(dir, "Where?\n", &[&hot[..], &["--seed", "3"]].concat());
    let (same, _) = chat(dir, "/set seed 3\nWhere?\n", &hot);
    assert_eq!(first, same);
    let (long, log) = chat(dir, &format!("{}\nWhere?\n", "word ".repeat(100)), &[]);
    assert!(log.contains("exceed") && log.contains("/reset"), "{log}");
    assert!(!long.is_empty(), "the chat goes on");
}

#[test]
fn a_chat_switches_adapters() {
    let dir = workplace();
    let dir = dir.path();
    let args = [
        "train",
        "--model",
        "tiny.gguf",
        "--data",
        "data/a.md",
        "--output",
        "out",
        "--target-modules",
        "all-linear",
        "--learning-rate",
        "3e-2",
        "--num-train-epochs",
        "10",
        "--eval-fraction",
        "0",
        "--json",
    ];
    json(&run(dir, &args));
    let question = "Where is the cat?\n";
    let (base, _) = chat(dir, question, &[]);
    let (adapted, _) = chat(dir, question, &["--adapter", "out"]);
    assert_ne!(base, adapted);
    let all = format!("{question}/adapter out\n{question}/adapter none\n{question}");
    assert_eq!(chat(dir, &all, &[]).0, format!("{base}{adapted}{base}"));
}

#[test]
fn repetition_is_penalised() {
    let dir = workplace();
    let generate = |more: &[&str]| {
        let args = ["generate", "--model", "tiny.gguf", "--prompt", "the", "--json"];
        let answer = json(&run(dir.path(), &[&args[..], more].concat()));
        let tokens: Vec<u64> = answer["tokens"]
            .as_array()
            .expect("tokens")
            .iter()
            .map(|t| t.as_u64().expect("an id"))
            .collect();
        let mut distinct = tokens.clone();
        distinct.sort_unstable();
        distinct.dedup();
        (tokens.len(), distinct.len())
    };
    let (_, free) = generate(&["--max-new-tokens", "40"]);
    let (length, penalised) = generate(&["--max-new-tokens", "40", "--repetition-penalty", "10"]);
    assert!(penalised > free || penalised == length, "{free} {penalised} of {length}");
}

#[test]
fn bench_prints_a_line_of_json_for_each_figure() {
    let dir = workplace();
    let args = ["bench", "--model", "tiny.gguf", "--rounds", "2", "--tokens", "8", "--json"];
    let output = run(dir.path(), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<Value> =
        lines.lines().map(|l| serde_json::from_str(l).expect("a line of JSON")).collect();
    for name in [
        "gemm_rate",
        "lora_tokens_per_second_128",
        "forward_tokens_per_second",
        "decode_tokens_per_second",
        "peak_memory",
    ] {
        let line = lines.iter().find(|l| l["name"] == name).expect(name);
        let value = line["value"].as_f64().expect("a number");
        assert!(value > 0.0 && line["best"].as_f64().expect("a number") >= value);
        assert!(line["unit"].is_string());
    }
}

#[test]
fn bench_waits_for_a_line_before_each_round_and_ends_with_the_input() {
    let dir = workplace();
    for more in [
        &["decode", "--tokens", "4", "--with-adapter"][..],
        &["prompt", "--tokens", "40", "--dense"],
        &["forward", "--tokens", "40", "--with-adapter"],
        &["train", "--sequence", "16", "--batch", "2", "--steps", "1", "--qlora"],
        &["gemm", "--tokens", "4"],
    ] {
        let args = [more, &["--model", "tiny.gguf"]].concat();
        let lines = bench_in_turns(dir.path(), &args, 2).expect("rounds");
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[0]["ready"], more[0]);
        let figure = if more[0] == "gemm" { "gflops" } else { "tokens_per_second" };
        assert!(
            lines[1..].iter().all(|l| l[figure].as_f64().is_some_and(|v| v > 0.0)),
            "{lines:?}"
        );
    }
    let error = bench_in_turns(dir.path(), &["train", "--model", "tiny.gguf"], 2);
    let error = error.expect_err("refused");
    assert!(error.contains("--wait") && error.contains("--sequence"), "{error}");
}

fn fetch(dir: &Path, endpoint: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .current_dir(dir)
        .args(["fetch-model", "owner/name", "--directory", "model", "--endpoint", endpoint])
        .args(more)
        .env("HF_TOKEN", "hf_secret")
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .env_remove("ALL_PROXY")
        .output()
        .expect("runs")
}

#[test]
fn a_model_is_fetched_from_a_hub_and_a_cut_download_continues() {
    let dir = tempfile::tempdir().expect("a folder");
    let weights: Vec<u8> = (0..200_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let digest = hex::encode(Sha256::digest(&weights));
    let listing = json!({
        "sha": "c0ffee",
        "siblings": [
            { "rfilename": "config.json", "size": 2 },
            { "rfilename": "README.md", "size": 9 },
            { "rfilename": "../../evil.json", "size": 2 },
            { "rfilename": "model.safetensors", "size": weights.len(), "lfs": { "sha256": digest } },
        ],
    })
    .to_string();
    let served = weights.clone();
    let server = Server::start(move |request| match request.target.as_str() {
        "/api/models/owner/name/revision/main?blobs=true" => Answer::new(200, listing.clone()),
        "/owner/name/resolve/c0ffee/config.json" => Answer::new(200, "{}"),
        "/owner/name/resolve/c0ffee/model.safetensors" => match request.header("range") {
            None => Answer { cut_after: Some(70_000), ..Answer::new(200, served.clone()) },
            Some(range) => {
                let from = range.trim_start_matches("bytes=").trim_end_matches('-');
                let from: usize = from.parse().expect("a place");
                Answer::new(206, &served[from..])
            }
        },
        _ => Answer::new(404, ""),
    });
    let report = json(&fetch(dir.path(), &server.address, &["--json"]));
    assert_eq!(report["commit"], "c0ffee");
    assert_eq!(report["files"].as_array().expect("files").len(), 2);
    let fetched = std::fs::read(dir.path().join("model/model.safetensors")).expect("fetched");
    assert!(fetched == weights);
    let requests = server.requests();
    assert!(requests.iter().all(|r| r.header("authorization") == Some("Bearer hf_secret")));
    assert!(requests.iter().any(|r| r.header("range") == Some("bytes=70000-")));
    assert!(requests.iter().all(|r| !r.target.contains("evil") && !r.target.contains("README")));

    // What is there and right is not fetched again; what is wrong is not installed.
    let before = server.requests().len();
    json(&fetch(dir.path(), &server.address, &["--json"]));
    let again = &server.requests()[before..];
    assert!(again.iter().all(|r| !r.target.contains("model.safetensors")));
}

#[test]
fn all_parts_of_a_split_file_are_fetched_whichever_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let digest = hex::encode(Sha256::digest(b"part"));
    let file = |name: &str| json!({ "rfilename": name, "size": 4, "lfs": { "sha256": digest } });
    let names = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "n-00001-of-00002.gguf"];
    let siblings: Vec<_> = names.iter().map(|name| file(name)).collect();
    let listing = json!({ "sha": "c0ffee", "siblings": siblings }).to_string();
    let server = Server::start(move |request| {
        let list = request.target.starts_with("/api/");
        Answer::new(200, if list { listing.clone().into_bytes() } else { b"part".to_vec() })
    });
    let more = ["--file", "m-00002-of-00002.gguf", "--json"];
    let report = json(&fetch(dir.path(), &server.address, &more));
    assert_eq!(report["files"].as_array().expect("files").len(), 2, "{report}");
    for (name, there) in names.iter().zip([true, true, false]) {
        assert_eq!(dir.path().join("model").join(name).exists(), there, "{name}");
    }
}

#[test]
fn other_bytes_than_published_are_not_installed() {
    let dir = tempfile::tempdir().expect("a folder");
    let listing = json!({ "sha": "c0ffee", "siblings": [
        { "rfilename": "model.gguf", "size": 4, "lfs": { "sha256": "00".repeat(32) } },
    ]})
    .to_string();
    let server = Server::start(move |request| {
        let list = request.target.starts_with("/api/");
        Answer::new(200, if list { listing.clone().into_bytes() } else { b"evil".to_vec() })
    });
    let output = fetch(dir.path(), &server.address, &["--file", "model.gguf"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(refusal(&output).contains("was not installed"));
    assert!(!dir.path().join("model/model.gguf").exists());
    let output = fetch(dir.path(), &server.address, &[]);
    assert!(refusal(&output).contains("one of its GGUF files by --file: model.gguf"));
}

#[test]
fn errors_are_json_where_answers_are() {
    let dir = workplace();
    let error = |args: &[&str]| -> (i32, Value) {
        let output = run(dir.path(), args);
        let text = String::from_utf8(output.stderr).expect("text");
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        (output.status.code().expect("a code"), value["error"].clone())
    };
    let (code, told) = error(&["generate", "--model", "tiny.gguf", "--json"]);
    assert_eq!((code, told["kind"].as_str()), (2, Some("usage")));
    let args = ["generate", "--model", "tiny.gguf", "--prompt", "x", "--top-p", "2", "--json"];
    let (code, told) = error(&args);
    assert_eq!((code, told["kind"].as_str()), (2, Some("usage")));
    assert!(told["message"].as_str().expect("text").contains("top_p = 2"));
    let (code, told) = error(&["inspect", "absent", "--output", "json"]);
    assert_eq!((code, told["kind"].as_str()), (1, Some("failed")));
}
