//! A node that goes away, or says nothing more, keeps nobody waiting.

use super::door::{chain, Door};
use super::http::Answer;
use super::websocket::WebSocket;
use serde_json::{json, Value};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A line to the node that can be held, and cut.
struct Line {
    port: u16,
    held: Arc<AtomicBool>,
    passing: JoinSet<()>,
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, held: Arc<AtomicBool>) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        while held.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

impl Line {
    async fn to(node: SocketAddr, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let held = Arc::new(AtomicBool::new(false));
        let mut passing = JoinSet::new();
        let flag = held.clone();
        passing.spawn(async move {
            // Dropped with this task.
            let mut lines = JoinSet::new();
            while let Ok((from, _)) = listener.accept().await {
                let Ok(to) = TcpStream::connect(node).await else { continue };
                let ((up, down), (back, forth)) = (from.into_split(), to.into_split());
                lines.spawn(pass(up, forth, flag.clone()));
                lines.spawn(pass(back, down, flag.clone()));
            }
        });
        Self { port, held, passing }
    }

    async fn cut(mut self) -> u16 {
        self.passing.shutdown().await;
        self.port
    }
}

/// An answer that comes within a second.
async fn soon(door: &Door, path: &str) -> Answer {
    let began = Instant::now();
    let answer = door.get(path).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{path} took {:?}", began.elapsed());
    answer
}

/// Waits until `/v1/status` says whether the node answers.
async fn until(door: &Door, answers: bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while soon(door, "/v1/status").await.ok()["best"].is_u64() != answers {
        assert!(Instant::now() < end, "the node answers: {}", !answers);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_answered_at_once_without_the_node() {
    let chain = chain();
    let node: SocketAddr = chain.network.url().strip_prefix("ws://").unwrap().parse().unwrap();
    let line = Line::to(node, 0).await;
    let url = format!("ws://127.0.0.1:{}", line.port);
    let door = Door::open_at(chain, tempfile::tempdir().unwrap(), &url, &[]);
    let known = door.get("/v1/config").await.ok();
    until(&door, true).await;
    let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    // It takes what is sent and says nothing.
    line.held.store(true, Ordering::Relaxed);
    until(&door, false).await;
    line.held.store(false, Ordering::Relaxed);
    until(&door, true).await;
    // It is gone.
    let port = line.cut().await;
    until(&door, false).await;
    let status = soon(&door, "/v1/status").await.ok();
    assert_eq!((&status["best"], &status["peers"]), (&Value::Null, &Value::Null));
    assert!(status["indexed"].is_u64(), "{status}");
    assert_eq!(soon(&door, "/v1/config").await.ok(), known);
    assert_eq!(soon(&door, "/v1/datanets").await.status, 200);
    assert_eq!(soon(&door, "/healthz").await.status, 200);
    for path in ["/v1/network".to_owned(), format!("/v1/accounts/{alice}")] {
        assert_eq!(soon(&door, &path).await.error(), (503, "unavailable".to_owned()), "{path}");
    }
    // It is back.
    let line = Line::to(node, port).await;
    until(&door, true).await;
    assert_eq!(door.get("/v1/network").await.status, 200);
    drop(line);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_slow_node_is_asked_it_answers_later_and_one_that_does_not_come_ends_the_connection()
{
    let chain = chain();
    let node: SocketAddr = chain.network.url().strip_prefix("ws://").unwrap().parse().unwrap();
    let line = Line::to(node, 0).await;
    let url = format!("ws://127.0.0.1:{}", line.port);
    let door = Door::open_at(chain, tempfile::tempdir().unwrap(), &url, &[]);
    until(&door, true).await;
    let open = || WebSocket::open(Ipv4Addr::LOCALHOST, door.address, &[]);
    // A page asks at once, before the gateway has its connection to the node.
    line.held.store(true, Ordering::Relaxed);
    let mut socket = open().await.unwrap();
    for id in 0..5 {
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "system_chain", "params": []});
        socket.writer.text(&call.to_string()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    line.held.store(false, Ordering::Relaxed);
    let mut answered = Vec::new();
    for _ in 0..5 {
        answered.push(socket.reader.json().await.unwrap()["id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, [0, 1, 2, 3, 4]);
    // Whoever asked hears that nothing comes, and asks again.
    line.held.store(true, Ordering::Relaxed);
    let mut socket = open().await.unwrap();
    socket.writer.text(r#"{"jsonrpc":"2.0","id":0,"method":"system_chain"}"#).await.unwrap();
    assert_eq!(socket.reader.text().await, None);
    line.held.store(false, Ordering::Relaxed);
    let mut socket = open().await.unwrap();
    assert_eq!(socket.call(0, "system_chain", json!([])).await["id"], 0);
    drop(line);
}
