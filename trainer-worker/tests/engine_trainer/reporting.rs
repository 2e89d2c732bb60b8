//! What a worker tells gateways: in order, once, signed, and without ever waiting for them.

use openledger_client::metrics::{
    Address, Batch, Seen, ACCOUNT_HEADER, NUMBER_HEADER, SIGNATURE_HEADER,
};
use openledger_client::{Signer, H256};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};
use trainer_worker::runner::{Gateway, Reporter};

const GENESIS: H256 = H256([3; 32]);

fn signer() -> Signer {
    Signer::from_secret("//Ferdie").expect("a key")
}

/// What a gateway does with a request.
#[derive(Clone, Copy)]
enum Does {
    /// Takes the batch if its number is the next one, as a gateway does.
    Right,
    /// Says that it is busy.
    Busy,
    /// Takes it, and the answer is lost.
    Loses,
}

/// A request: path, headers in lower case, body.
fn read(stream: &mut TcpStream) -> (String, Vec<(String, String)>, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).expect("a request");
        assert!(count > 0, "the request is whole");
        bytes.extend_from_slice(&part[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
        let headers: Vec<_> = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a number"));
        if bytes.len() >= end + 4 + length {
            let path = head.split(' ').nth(1).expect("a path").to_owned();
            return (path, headers, bytes[end + 4..end + 4 + length].to_vec());
        }
    }
}

/// Serves requests by a script, and rightly after it; sends on what it takes.
fn serve(listener: &TcpListener, script: &[Does], mut next: u64, taken: &Sender<Batch>) {
    for n in 0.. {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let (path, headers, body) = read(&mut stream);
        assert_eq!(path, "/v1/jobs/5/attempts/2/metrics");
        let header = |name: &str| {
            let found = headers.iter().find(|(given, _)| given == name);
            found.map(|(_, value)| value.as_str()).expect("the header is there")
        };
        let number: u64 = header(NUMBER_HEADER).parse().expect("a number");
        let account = header(ACCOUNT_HEADER).parse().expect("an account");
        let signature = hex::decode(header(SIGNATURE_HEADER)).expect("hexadecimal");
        let signature = signature.try_into().expect("64 bytes");
        let address = Address { genesis: GENESIS, job: 5, attempt: 2, number };
        assert!(address.is_signed_by(account, signature, &body), "batch {number} is not signed");
        let does = script.get(n).copied().unwrap_or(Does::Right);
        let (status, fits) = match does {
            Does::Busy => (503, false),
            _ if number == next => (200, true),
            _ => (409, false),
        };
        if fits {
            next += 1;
            if taken.send(Batch::read(&body).expect("a batch")).is_err() {
                return;
            }
        }
        if !matches!(does, Does::Loses) {
            let answer = format!(
                "HTTP/1.1 {status} S\r\n{NUMBER_HEADER}: {next}\r\ncontent-length: 0\r\n\
                 connection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).expect("the answer is read");
        }
    }
}

fn gateway(port: u16) -> Vec<Gateway> {
    vec![format!("http://127.0.0.1:{port}").parse().expect("an address")]
}

/// The lines of all batches until one says `end`, and the last count of what was dropped.
fn lines(taken: &Receiver<Batch>) -> (Vec<String>, u64) {
    let (mut lines, mut dropped) = (Vec::new(), 0);
    while lines.last().is_none_or(|line| line != "end") {
        let batch = taken.recv_timeout(Duration::from_secs(30)).expect("a batch");
        dropped = batch.dropped;
        for entry in batch.entries {
            match entry.seen {
                Seen::Log { text } => lines.push(text),
                other => panic!("nothing else was told: {other:?}"),
            }
        }
    }
    (lines, dropped)
}

fn begin(gateways: &[Gateway], folder: &Path) -> Reporter {
    Reporter::begin(gateways, &signer(), GENESIS, (5, 2), folder)
}

#[test]
fn a_killed_worker_a_busy_gateway_and_a_lost_answer_leave_neither_a_gap_nor_a_repetition() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, taken) = std::sync::mpsc::channel();
    // The gateway has three batches of this attempt from before the worker was killed.
    let script = [Does::Right, Does::Busy, Does::Loses];
    std::thread::spawn(move || serve(&listener, &script, 3, &sender));
    let reporter = begin(&gateway(port), folder.path());
    reporter.log("one");
    reporter.log("two");
    std::thread::sleep(Duration::from_secs(1));
    reporter.log("é".repeat(400));
    reporter.log("end");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let began = Instant::now();
    runtime.block_on(reporter.finish(Duration::from_secs(30)));
    assert!(began.elapsed() < Duration::from_secs(29), "it ends once everything is sent");
    let (lines, dropped) = lines(&taken);
    // A line is cut at 500 bytes, between letters.
    assert_eq!(lines, ["one".to_owned(), "two".to_owned(), "é".repeat(250), "end".to_owned()]);
    assert_eq!(dropped, 0);
}

#[test]
fn telling_never_waits_and_what_was_dropped_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let reporter = begin(&gateway(port), folder.path());
    let began = Instant::now();
    for n in 0..10_000 {
        reporter.log(format!("line {n}"));
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is still free");
    let (sender, taken) = std::sync::mpsc::channel();
    std::thread::spawn(move || serve(&listener, &[], 0, &sender));
    // What was told first is there; what found no place is counted.
    let first = taken.recv_timeout(Duration::from_secs(30)).expect("a batch");
    assert!(matches!(&first.entries[0].seen, Seen::Log { text } if text == "line 0"));
    let mut told = first.entries.len() as u64;
    let mut last = first;
    while let Ok(batch) = taken.recv_timeout(Duration::from_secs(3)) {
        told += batch.entries.len() as u64;
        last = batch;
    }
    assert!(last.dropped > 5_000, "{} were dropped", last.dropped);
    assert_eq!(told + last.dropped, 10_000);
}

#[test]
fn what_a_killed_worker_had_not_sent_is_told_by_the_next_one_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    // A gateway takes the first batch and is then gone; another was never there.
    let (sender, taken) = std::sync::mpsc::channel();
    let gateways = [gateway(port), gateway(1)].concat();
    let serving = std::thread::spawn(move || {
        serve(&listener, &[], 0, &sender);
    });
    let killed = begin(&gateways, folder.path());
    killed.log("sent");
    assert_eq!(taken.recv_timeout(Duration::from_secs(30)).expect("a batch").entries.len(), 1);
    drop(taken);
    killed.log("unsent");
    // As a kill leaves it: its threads go on meanwhile, and settle nothing.
    serving.join().expect("the gateway is gone");
    let path = folder.path().join("metrics-2.jsonl");
    let mut left = std::fs::read(&path).expect("the file");
    left.extend_from_slice(b"{\"at\":1,\"se");
    let next = tempfile::tempdir().expect("a folder");
    std::fs::write(next.path().join("metrics-2.jsonl"), left).expect("a file");

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, taken) = std::sync::mpsc::channel();
    std::thread::spawn(move || serve(&listener, &[], 1, &sender));
    let reporter = begin(&gateway(port), next.path());
    reporter.log("after");
    reporter.log("end");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(reporter.finish(Duration::from_secs(30)));
    // What one of two gateways did not have is told again; half a line of a kill harms nothing.
    assert_eq!(lines(&taken), (["sent", "unsent", "after", "end"].map(str::to_owned).to_vec(), 0));
    // All is told, so that nothing is told again.
    assert_eq!(std::fs::metadata(next.path().join("metrics-2.jsonl")).expect("a file").len(), 0);
}

#[test]
fn an_address_that_is_no_gateways_is_refused() {
    for text in
        ["", "localhost:8000", "ftp://localhost", "http://", "http://host/path", "https://a@b"]
    {
        assert!(text.parse::<Gateway>().is_err(), "{text:?}");
    }
    assert_eq!("http://host:8000/".parse::<Gateway>(), "http://host:8000".parse());
}
