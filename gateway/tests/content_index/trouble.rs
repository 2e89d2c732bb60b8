//! What is in the way of the index, and how soon it is said.

use super::common::Served;
use async_trait::async_trait;
use openledger_client::{ClientError, H256};
use openledger_gateway::extract::Address;
use openledger_gateway::index::planted::{Maker, Plan};
use openledger_gateway::index::source::Planted;
use openledger_gateway::index::{sqlite::Sqlite, storage::Storage, IndexError};
use openledger_gateway::node::{Look, Pulse, Seen};
use openledger_gateway::places::Places;
use serde_json::{json, Value};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A node that answers, refuses, or says nothing at all.
#[derive(Default)]
struct Node {
    gone: AtomicBool,
    hangs: AtomicBool,
}

const SEEN: Seen = Seen { best: 12, peers: 3, spec: 7 };

#[async_trait]
impl Look for Node {
    async fn look(&self) -> Result<Seen, ClientError> {
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        match self.gone.load(Ordering::Relaxed) {
            false => Ok(Seen { best: 13, ..SEEN }),
            true => Err(ClientError::Answer { what: "node".to_owned(), reason: "gone".to_owned() }),
        }
    }
}

async fn until(served: &Served, wanted: Value) {
    let end = Instant::now() + Duration::from_secs(15);
    loop {
        let began = Instant::now();
        let status = served.get("/v1/status").await;
        assert!(began.elapsed() < Duration::from_secs(1), "nobody waits for the node");
        if status["best"] == wanted {
            return;
        }
        assert!(Instant::now() < end, "{status}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn nobody_waits_for_a_node_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let node = Arc::new(Node::default());
    let pulse = Pulse::follow(node.clone(), SEEN);
    let served = Served::beside(folder.path(), pulse.clone()).await;
    served.index(&Maker::blocks(Plan::SMALL, 9)).await;
    until(&served, json!(13)).await;
    for (what, wanted) in [(&node.hangs, json!(null)), (&node.gone, json!(null))] {
        what.store(true, Ordering::Relaxed);
        until(&served, wanted).await;
        let status = served.get("/v1/status").await;
        assert_eq!((&status["peers"], &status["indexed"]), (&json!(null), &json!(8)));
        // What it said is still known, and what is indexed can be read.
        assert_eq!(pulse.last().map(|seen| seen.spec), Some(7));
        assert_eq!(served.ask("/v1/datanets").await.status, 200);
        let metrics = served.ask("/metrics").await;
        assert!(String::from_utf8_lossy(&metrics.body).contains("node_answers 0"));
        let began = Instant::now();
        assert_eq!(served.ask("/v1/network").await.error(), (503, "unavailable".to_owned()));
        assert!(began.elapsed() < Duration::from_secs(1));
        node.hangs.store(false, Ordering::Relaxed);
    }
    node.gone.store(false, Ordering::Relaxed);
    until(&served, json!(13)).await;
}

#[tokio::test]
async fn a_node_that_began_anew_is_noticed_before_it_is_as_far_as_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let blocks = Maker::blocks(Plan::SMALL, 27);
    // It answers before it has anything to answer with, and says so.
    assert_eq!(served.ask("/healthz").await.error(), (503, "unavailable".to_owned()));
    served.index(&blocks[..1]).await;
    assert_eq!(served.ask("/healthz").await.status, 200);
    served.index(&blocks).await;
    assert_eq!(served.ask("/healthz").await.status, 200);
    // The same chain, which the node fetches again from the start.
    let follower = served.index.clone();
    let behind = Planted(blocks[..8].to_vec());
    let following = tokio::spawn(async move { follower.follow(&behind).await });
    let end = Instant::now() + Duration::from_secs(10);
    let status = loop {
        let status = served.get("/v1/status").await;
        if status["trouble"] != json!(null) {
            break status;
        }
        assert!(Instant::now() < end, "{status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let said = status["trouble"].as_str().unwrap();
    assert!(said.contains("last final block is 7, and 26 are indexed"), "{said}");
    assert_eq!(status["stopped"], json!(null));
    assert_eq!(served.ask("/healthz").await.error(), (503, "unavailable".to_owned()));
    following.abort();
    let _ = following.await;
    // It is as far again.
    let follower = served.index.clone();
    let whole = Planted(blocks.clone());
    let following = tokio::spawn(async move { follower.follow(&whole).await });
    while served.ask("/healthz").await.status != 200 {
        assert!(Instant::now() < end, "it is well again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    following.abort();
    let _ = following.await;
    // Another chain from the same genesis.
    let mut other = blocks[..8].to_vec();
    other[7].hash = H256([9; 32]);
    let refused = served.index.catch_up(&Planted(other.clone())).await.unwrap_err();
    assert!(matches!(refused, IndexError::OtherChain { number: 7, .. }), "{refused}");
    served.index.follow(&Planted(other)).await;
    let stopped = served.get("/v1/status").await["stopped"].as_str().unwrap().to_owned();
    assert!(stopped.contains("the index is of another chain"), "{stopped}");
    assert_eq!(served.ask("/healthz").await.status, 503);
}

#[tokio::test]
async fn an_index_that_cannot_be_written_says_so_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let blocks = Maker::blocks(Plan::SMALL, 20);
    served.index(&blocks[..10]).await;
    // Somebody else writes, for longer than is waited.
    let path = folder.path().join("index.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let follower = served.index.clone();
    let source = Planted(blocks);
    let following = tokio::spawn(async move { follower.follow(&source).await });
    let end = Instant::now() + Duration::from_secs(40);
    while served.ask("/healthz").await.status == 200 {
        assert!(Instant::now() < end, "it stands still and says nothing");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let status = served.get("/v1/status").await;
    assert!(status["trouble"].as_str().unwrap().contains("database"), "{status}");
    assert_eq!((&status["indexed"], &status["syncing"]), (&json!(9), &json!(true)));
    other.execute_batch("ROLLBACK").unwrap();
    while served.ask("/healthz").await.status != 200 {
        assert!(Instant::now() < end, "it goes on");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(served.get("/v1/status").await["indexed"], 19);
    following.abort();
}

#[test]
fn an_index_of_an_earlier_version_is_made_anew_and_one_of_a_later_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite");
    let storage = Sqlite::open(&path).unwrap();
    storage.apply(&Maker::blocks(Plan::SMALL, 9)).unwrap();
    drop(storage);
    let set = |version: &str| {
        let other = rusqlite::Connection::open(&path).unwrap();
        let sql = "UPDATE meta SET value = ? WHERE key = 'version'";
        assert_eq!(other.execute(sql, [version]).unwrap(), 1);
    };
    set("1");
    let storage = Sqlite::open(&path).unwrap();
    assert_eq!(storage.head().unwrap(), None);
    storage.apply(&Maker::blocks(Plan::SMALL, 9)).unwrap();
    drop(storage);
    set("99");
    let Err(refused) = Sqlite::open(&path) else { panic!("a later version") };
    assert!(refused.to_string().contains("of version 99"), "{refused}");
}

#[test]
fn places_are_of_an_address_and_of_all() {
    let places = Places::new("streams", 5, 2);
    let of = |number: u8| Address::of([10, 0, 0, number].into());
    let held: Vec<_> = (0..2).map(|_| places.take(of(1)).unwrap()).collect();
    assert_eq!(places.take(of(1)).unwrap_err().status(), 429);
    let others =
        [places.take(of(2)).unwrap(), places.take(of(2)).unwrap(), places.take(of(3)).unwrap()];
    assert_eq!(places.take(of(4)).unwrap_err().status(), 503);
    drop(held);
    assert_eq!(places.taken(), 3);
    assert!(places.take(of(1)).is_ok());
    drop(others);
    assert_eq!(places.taken(), 0);
    // An IPv6 network is one client.
    let six = |text: &str| Address::of(text.parse().unwrap());
    assert_eq!(six("2001:db8::1"), six("2001:db8::ffff:2"));
    assert_ne!(six("2001:db8::1"), six("2001:db8:0:1::1"));
    assert_eq!(six("::ffff:10.0.0.1"), of(1));
}
