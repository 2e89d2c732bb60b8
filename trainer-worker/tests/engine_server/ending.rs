//! How a server ends, and what it leaves.

use crate::http::{request, Reply, Server, BASE};
use serde_json::json;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

fn long(stream: bool) -> String {
    let body = json!({
        "model": BASE, "prompt": "Tell the tale of Rumpelstiltskin:", "max_tokens": 60, "temperature": 1,
        "seed": 3, "stream": stream, "logit_bias": { "2": -100, "0": -100 },
    });
    request("POST", "/v1/completions", &[], &body.to_string())
}

#[test]
fn answers_under_way_are_finished_and_new_ones_refused() {
    let server = Server::start(&[]);
    let whole = server.raw(long(false).as_bytes()).json();
    let mut running = server.connect();
    running.write_all(long(true).as_bytes()).expect("sent");
    let mut first = [0; 1];
    running.read_exact(&mut first).expect("it has begun");
    // Kept alive, for asking again.
    let mut other = server.connect();
    server.signal("TERM");
    let begun = Instant::now();
    loop {
        other.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
        let mut bytes = [0; 4096];
        let read = other.read(&mut bytes).expect("an answer");
        let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
        if text.starts_with("HTTP/1.1 503") {
            assert!(text.contains("draining"), "{text}");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    other.write_all(long(false).as_bytes()).expect("sent");
    Reply::read(&mut other).refused(503, "draining", None);
    let mut bytes = first.to_vec();
    running.read_to_end(&mut bytes).expect("read");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains("[DONE]"), "{text}");
    let (status, log) = server.ended();
    assert!(status.success(), "{log}");
    assert!(log.contains("all_answers_finished=true"), "{log}");
    // Neither what was asked nor what was answered is in the log.
    let answer = whole["choices"][0]["text"].as_str().expect("text");
    assert!(!log.contains("Rumpelstiltskin") && !log.contains(answer.get(..12).expect("long")));
}

#[test]
fn answers_that_would_take_too_long_are_cut_off() {
    let server = Server::start(&["--drain-timeout", "1"]);
    let body = json!({
        "model": BASE, "prompt": "One,", "max_tokens": 4000, "temperature": 1.5, "stream": true, "n": 4,
        "logit_bias": { "2": -100, "0": -100 },
    });
    let mut running = server.connect();
    let text = request("POST", "/v1/completions", &[], &body.to_string());
    running.write_all(text.as_bytes()).expect("sent");
    let mut first = [0; 1];
    running.read_exact(&mut first).expect("it has begun");
    let begun = Instant::now();
    server.signal("TERM");
    let mut bytes = first.to_vec();
    running.read_to_end(&mut bytes).expect("read");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(!text.contains("[DONE]") && text.contains("\"error\""), "{text}");
    let (status, log) = server.ended();
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert!(status.success() && log.contains("all_answers_finished=false"), "{log}");
}
