//! Server-sent events.

use super::common::{http::head, Served};
use openledger_gateway::index::planted::{Maker, Plan};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A listener.
struct Ear {
    lines: BufReader<TcpStream>,
    /// The last id that came.
    last: String,
}

impl Ear {
    async fn open(served: &Served, path: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let headers: Vec<_> = last.map(|last| ("Last-Event-ID", last)).into_iter().collect();
        let head = head(served.address, "GET", path, &headers) + "\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        Self { lines: BufReader::new(stream), last: String::new() }
    }

    /// The next event's id and data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line);
            let read = tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
            assert_ne!(read, 0, "the stream ended");
            if let Some(id) = line.strip_prefix("id: ") {
                self.last = id.trim().to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return (self.last.clone(), serde_json::from_str(data).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_anywhere_goes_on_without_gap_or_repetition() {
    let blocks = Maker::blocks(Plan::SMALL, 40);
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    served.index(&blocks[..20]).await;
    let mut expected: Vec<String> = Vec::new();
    for block in &blocks {
        expected
            .extend(block.events.iter().map(|event| format!("{}-{}", block.number, event.index)));
        expected.push(format!("{}-end", block.number));
    }
    expected.retain(|id| !id.starts_with("0-"));
    let mut heard = Vec::new();
    let mut last = "0-end".to_owned();
    // Each connection hears a few events more; the chain goes on meanwhile, and the reader is behind both
    // what is in memory and what only the database has.
    for (count, until) in [(1, 20), (5, 22), (33, 30), (2, 30), (100, 40), (10_000, 40)] {
        let mut ear = Ear::open(&served, "/v1/stream", Some(&last)).await;
        served.index(&blocks[..until]).await;
        for _ in 0..count {
            if heard.len() == expected.len() {
                break;
            }
            let (id, _) = ear.next().await;
            heard.push(id.clone());
            last = id;
        }
    }
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_new_stream_hears_what_comes_and_only_its_topics() {
    let blocks = Maker::blocks(Plan::SMALL, 40);
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    served.index(&blocks[..10]).await;
    let mut all = Ear::open(&served, "/v1/stream", None).await;
    let mut only = Ear::open(&served, "/v1/stream?topics=job:9,submission:40", None).await;
    let mut kind = Ear::open(&served, "/v1/stream?topics=kind:Datanets.Rejected", None).await;
    // Both have begun before the chain goes on.
    for ear in [&mut all, &mut only, &mut kind] {
        let mut line = String::new();
        while !line.starts_with("id: ") {
            line.clear();
            ear.lines.read_line(&mut line).await.unwrap();
        }
        assert_eq!(line.trim(), "id: 9-end");
    }
    served.index(&blocks).await;
    assert_eq!(all.next().await.0, "10-0");
    for kind in [
        "Datanets.Submitted",
        "Training.JobCreated",
        "Training.ParentNamed",
        "Review.Voted",
        "Datanets.Accepted",
        "Review.Decided",
        "Training.JobCompleted",
    ] {
        assert_eq!(only.next().await.1["kind"], kind);
    }
    for _ in 0..3 {
        assert_eq!(kind.next().await.1["kind"], "Datanets.Rejected");
    }
}

#[tokio::test]
async fn a_place_of_another_chain_begins_now() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let blocks = Maker::blocks(Plan::SMALL, 12);
    served.index(&blocks[..10]).await;
    let mut ear = Ear::open(&served, "/v1/stream?topics=blocks", Some("5000-end")).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    served.index(&blocks).await;
    assert_eq!(ear.next().await.0, "10-end");
}
