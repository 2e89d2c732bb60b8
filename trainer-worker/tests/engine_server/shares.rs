//! What one key sends leaves room for the others.

use crate::http::{request, Reply, Server, BASE};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const COMPLETIONS: &str = "/v1/completions";

/// A file of keys, and the headers of two of them.
struct Keys {
    folder: tempfile::TempDir,
    ada: String,
    ben: String,
}

impl Keys {
    fn new(of_ada: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys.jsonl").display().to_string();
        let add = |name: &str, more: &[&str]| {
            let made = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
                .args(["serve", "--api-keys", &file, "--add-key", name])
                .args(more)
                .output()
                .expect("runs");
            format!("Bearer {}", String::from_utf8_lossy(&made.stdout).trim())
        };
        let (ada, ben) = (add("ada", of_ada), add("ben", &[]));
        Self { folder, ada, ben }
    }

    fn server(&self, more: &[&str]) -> Server {
        let file = self.folder.path().join("keys.jsonl").display().to_string();
        Server::start(&[&["--api-keys", &file], more].concat())
    }

    fn ada(&self) -> [(&str, &str); 1] {
        [("authorization", &self.ada)]
    }

    fn ben(&self) -> [(&str, &str); 1] {
        [("authorization", &self.ben)]
    }
}

#[test]
fn bodies_that_a_key_does_not_finish_shut_nobody_out() {
    let keys = Keys::new(&[]);
    let server = keys.server(&["--max-body", "64"]);
    let size = (64 << 10).to_string();
    let head = [("content-type", "application/json"), ("content-length", size.as_str())];
    let text = request("POST", COMPLETIONS, &[&keys.ada()[..], &head].concat(), "");
    // Everything but the last byte, of as many as the key may have in flight.
    let body = vec![b' '; (64 << 10) - 1];
    let mut held: Vec<TcpStream> = Vec::new();
    for _ in 0..16 {
        let mut stream = server.connect();
        stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(&body)).expect("sent");
        held.push(stream);
    }
    let begun = Instant::now();
    loop {
        if server.request("GET", "/v1/models", &keys.ada(), "").status == 429 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "all of them are in flight");
    }
    // A body as large as it may be.
    let large =
        json!({ "model": BASE, "prompt": "One,", "max_tokens": 1, "user": "x".repeat(60_000) });
    let reply = server.request("POST", COMPLETIONS, &keys.ben(), &large.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text());
    drop(held);
}

#[test]
fn a_prompt_that_is_far_too_long_is_refused_by_its_beginning_and_counted() {
    let keys = Keys::new(&["--key-tokens-per-minute", "20000"]);
    let server = keys.server(&[]);
    let emoji = "\u{1f600}".repeat(250_000);
    let chat = json!({ "model": BASE, "messages": [{ "role": "user", "content": emoji }] });
    let ask = || server.request("POST", "/v1/chat/completions", &keys.ada(), &chat.to_string());
    let told = ask().refused(400, "context_length_exceeded", Some("messages"));
    assert!(told.contains("the beginning of the prompt alone has"), "{told}");
    // What was read for it is used up, so that it is not free to go on.
    let mut refused = 0;
    while ask().status != 429 {
        refused += 1;
        assert!(refused < 4, "each is 8192 of 20000 tokens");
    }
    // Settings that are not right are refused before the prompt is read.
    let wrong = json!({ "model": BASE, "prompt": "x ".repeat(20_000), "temperature": 99 });
    let body = wrong.to_string();
    let reply = server.request("POST", COMPLETIONS, &keys.ben(), &body);
    reply.refused(400, "invalid_value", Some("temperature"));
}

#[test]
fn reading_many_long_texts_of_a_key_does_not_hold_up_another() {
    let keys = Keys::new(&[]);
    let server = keys.server(&[]);
    let long = json!({ "content": "Words of a text that is long. ".repeat(5_000) }).to_string();
    let short = json!({ "content": "Hi" }).to_string();
    let (asked, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let before = std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let text = request("POST", "/tokenize", &keys.ada(), &long);
                let mut stream = server.connect();
                stream.write_all(text.as_bytes()).expect("sent");
                asked.fetch_add(1, Ordering::SeqCst);
                let mut first = [0; 12];
                stream.read_exact(&mut first).expect("an answer");
                // Refused where all of them together would take too much until they are sent.
                assert!(first.ends_with(b"200") || first.ends_with(b"503"));
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        while asked.load(Ordering::SeqCst) < 12 {
            std::thread::yield_now();
        }
        assert_eq!(server.request("POST", "/tokenize", &keys.ben(), &short).status, 200);
        done.load(Ordering::SeqCst)
    });
    assert!(before < 9, "{before} of twelve that came before it were answered first");
}

#[test]
fn answers_that_a_key_does_not_read_shut_nobody_out() {
    let keys = Keys::new(&[]);
    let server = keys.server(&[]);
    let ask = |key: &[(&str, &str)], tokens: u64| {
        let body = json!({
            "model": BASE, "prompt": "One, two,", "max_tokens": tokens, "n": 8, "logprobs": 20,
            "stream": true, "logit_bias": { "0": -100, "2": -100 },
        });
        request("POST", COMPLETIONS, key, &body.to_string())
    };
    let mut held = server.connect();
    held.write_all(ask(&keys.ada(), 4000).as_bytes()).expect("sent");
    held.read_exact(&mut [0; 1]).expect("it has begun");
    server.raw(ask(&keys.ada(), 2000).as_bytes()).refused(503, "overloaded", None);
    let mut other = server.connect();
    other.write_all(ask(&keys.ben(), 1900).as_bytes()).expect("sent");
    let mut first = [0; 12];
    other.read_exact(&mut first).expect("it has begun");
    assert!(first.ends_with(b"200"), "{}", String::from_utf8_lossy(&first));
}

#[test]
fn long_prompts_of_a_key_leave_the_steps_of_another_short() {
    let keys = Keys::new(&[]);
    let server = keys.server(&["--max-running", "8"]);
    let long = |i: usize| {
        let prompt: Vec<usize> = (0..6000).map(|at| 1000 + (at * 7 + i) % 20_000).collect();
        json!({ "model": BASE, "prompt": prompt, "max_tokens": 1 }).to_string()
    };
    let mut held = Vec::new();
    for i in 0..4 {
        let mut stream = server.connect();
        stream
            .write_all(request("POST", COMPLETIONS, &keys.ada(), &long(i)).as_bytes())
            .expect("sent");
        held.push(stream);
    }
    let metric = |name: &str| {
        let text = server.request("GET", "/metrics", &keys.ben(), "").text();
        let line = text.lines().find(|line| line.starts_with(&format!("openledger_{name} ")));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).expect("a metric")
    };
    let begun = Instant::now();
    while metric("rows_total") < 1500.0 {
        assert!(begun.elapsed() < Duration::from_secs(240), "the prompts are being read");
        std::thread::sleep(Duration::from_millis(200));
    }
    let (rows, steps) = (metric("rows_total"), metric("steps_total"));
    let body = json!({ "model": BASE, "prompt": "One, two,", "max_tokens": 5,
        "logit_bias": { "0": -100, "2": -100 } });
    let mut stream = server.connect();
    stream.set_read_timeout(Some(Duration::from_secs(200))).expect("a time");
    let text = request("POST", COMPLETIONS, &keys.ben(), &body.to_string());
    stream.write_all(text.as_bytes()).expect("sent");
    let reply = Reply::read(&mut stream);
    assert_eq!(reply.status, 200, "{}", reply.text());
    // In the middle of long prompts a step has few rows, though 64 would be allowed at their beginning.
    let (rows, steps) = (metric("rows_total") - rows, metric("steps_total") - steps);
    assert!(steps >= 5.0 && rows / steps < 40.0, "{rows} rows in {steps} steps");
    drop(held);
}

#[test]
fn uploads_that_stall_or_drip_are_ended_and_their_number_is_bounded() {
    let state = tempfile::tempdir().expect("a folder");
    let folder = state.path().display().to_string();
    let server = Server::start(&["--training", &folder, "--body-timeout", "2"]);
    let head =
        [("content-type", "multipart/form-data; boundary=edge"), ("content-length", "100000")];
    let text = request("POST", "/v1/files", &head, "")
        + "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{";
    let mut silent = server.connect();
    silent.write_all(text.as_bytes()).expect("sent");
    let mut dripping = server.connect();
    dripping.write_all(text.as_bytes()).expect("sent");
    let mut drops = dripping.try_clone().expect("a handle");
    let dripped = std::thread::spawn(move || {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) && drops.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
        begun.elapsed()
    });
    for stream in [&mut silent, &mut dripping] {
        let told = Reply::read(stream).refused(408, "request_timeout", None);
        assert!(told.contains("2 s"), "{told}");
    }
    assert!(dripped.join().expect("ends") < Duration::from_secs(25));
    let left = || std::fs::read_dir(state.path().join("files")).expect("listed").count();
    assert_eq!(left(), 0, "nothing of them is kept");

    // Nobody has them all.
    let many: Vec<TcpStream> = (0..16)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(text.as_bytes()).expect("sent");
            stream
        })
        .collect();
    let begun = Instant::now();
    while left() < 16 {
        assert!(begun.elapsed() < Duration::from_secs(2), "{} came", left());
    }
    server.raw(text.as_bytes()).refused(503, "overloaded", None);
    drop(many);
}
