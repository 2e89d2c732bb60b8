//! Many clients at once: every answer is the one that is given alone, whoever else asks and goes.

use crate::http::{request, write_adapter, Reply, Server, BASE};
use openledger_engine::kernels::rng::Stream;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: u64 = 64;
const ADAPTERS: u64 = 8;
const COMPLETIONS: &str = "/v1/completions";

/// How long they ask: OPENLEDGER_LOAD_SECONDS, 10 by default.
fn seconds() -> Duration {
    let given = std::env::var("OPENLEDGER_LOAD_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(given.unwrap_or(10))
}

/// One of the requests: a few prompts, some with the same beginning, all adapters and none, greedy and
/// drawn.
fn body(number: u64) -> Value {
    let model = match number % (ADAPTERS + 1) {
        0 => BASE.to_owned(),
        adapter => format!("{BASE}:a{}", adapter - 1),
    };
    let beginning =
        "The harbour opens at six. The market opens at seven. ".repeat(1 + number as usize % 3);
    json!({
        "model": model,
        "prompt": format!("{beginning}Then number {} ", number % 5),
        "max_tokens": 4 + number % 9,
        "temperature": if number.is_multiple_of(2) { 0.0 } else { 1.0 },
        "seed": number % 7,
        "stream": number.is_multiple_of(3),
    })
}

/// The text of an answer, whole or streamed.
fn said(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    if reply.header("content-type") == Some("text/event-stream") {
        let events = crate::http::events(&reply.text());
        let texts = events.iter().filter_map(|event| event.data["choices"][0]["text"].as_str());
        return texts.collect();
    }
    reply.json()["choices"][0]["text"].as_str().expect("a text").to_owned()
}

/// Resident memory of a process, in bytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a line");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn every_answer_among_many_is_the_one_given_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    for i in 0..ADAPTERS {
        write_adapter(&folder.path().join(format!("a{i}")), i + 1);
    }
    let adapters = folder.path().display().to_string();
    // A pool in which not all have room: some wait, some are taken out and computed again.
    let small = ["--kv-memory", "48", "--max-running", "24", "--max-waiting", "512"];
    let server = Server::start(&[&["--adapters", &adapters][..], &small].concat());
    let kinds = (ADAPTERS + 1) * 35;
    let alone: BTreeMap<u64, String> = (0..kinds)
        .step_by(kinds as usize / 45)
        .map(|number| (number, said(&server.post(COMPLETIONS, &body(number)))))
        .collect();
    let numbers: Vec<u64> = alone.keys().copied().collect();
    let before = resident(server.id());
    let (until, answered) = (Instant::now() + seconds(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, alone, numbers, answered) = (&server, &alone, &numbers, &answered);
            scope.spawn(move || {
                let mut stream = Stream::new(client, "load", &[]);
                while Instant::now() < until {
                    let number =
                        numbers[(stream.uniform() * numbers.len() as f32) as usize % numbers.len()];
                    let text = request("POST", COMPLETIONS, &[], &body(number).to_string());
                    let mut connection = server.connect();
                    connection.set_read_timeout(Some(Duration::from_secs(300))).expect("a time");
                    connection.write_all(text.as_bytes()).expect("sent");
                    if stream.uniform() < 0.2 {
                        // Goes away: at once, or after the first bytes.
                        if stream.uniform() < 0.5 {
                            let _ = connection.read(&mut [0; 64]);
                        }
                        continue;
                    }
                    let reply = Reply::read(&mut connection);
                    assert_eq!(said(&reply), alone[&number], "{}", body(number));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert!(answered.load(Ordering::Relaxed) >= CLIENTS as usize, "{answered:?}");
    // Those who went away are forgotten, and what they had is free.
    let began = Instant::now();
    while server.metric("requests_running") + server.metric("requests_waiting") > 0.0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", server.get("/metrics").text());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.metric("kv_pages_used"), 0.0);
    let after = resident(server.id());
    // The pool and the buffers of a full batch are touched for the first time meanwhile, no more.
    let growth = after.saturating_sub(before);
    assert!(growth < 256 << 20, "{growth} bytes more than before");
}
