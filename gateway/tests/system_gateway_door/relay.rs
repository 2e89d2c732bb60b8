//! The node's JSON-RPC for strangers: which methods, how large, how fast, how many.

use super::door::Door;
use super::websocket::WebSocket;
use serde_json::{json, Value};
use std::net::Ipv4Addr;
use std::time::Instant;

const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_change_the_node_are_not_passed_on() {
    let door = Door::open(&[]);
    let mut socket = WebSocket::open(HOME, door.address, &[]).await.unwrap();
    let chain = socket.call(1, "system_chain", json!([])).await;
    assert_eq!(chain["result"], "OpenLedger Development");
    for (id, (method, params)) in [
        ("author_insertKey", json!(["babe", "//Eve", "0x00"])),
        ("author_rotateKeys", json!([])),
        ("author_removeExtrinsic", json!([[]])),
        ("system_addReservedPeer", json!(["/ip4/127.0.0.1"])),
        ("system_addLogFilter", json!(["trace"])),
        ("offchain_localStorageSet", json!(["PERSISTENT", "0x00", "0x00"])),
        ("state_traceBlock", json!(["0x00"])),
        ("state_getPairs", json!(["0x"])),
        ("system_chain\u{0}", json!([])),
        ("System_chain", json!([])),
    ]
    .into_iter()
    .enumerate()
    {
        let refused = socket.call(id as u32, method, params).await;
        assert_eq!(refused["error"]["code"], -32_601, "{method}: {refused}");
        assert_eq!(refused["id"], id);
        let said = refused["error"]["message"].as_str().unwrap();
        assert!(said.contains("the gateway does not pass"), "{method}: {said}");
    }
    // What is no single call is not looked into further: a batch could hold anything.
    for text in [r#"[{"jsonrpc":"2.0","id":1,"method":"author_rotateKeys"}]"#, "nonsense", "7", ""]
    {
        socket.writer.text(text).await.unwrap();
        let refused = socket.reader.json().await.unwrap();
        assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32_600), &Value::Null));
    }
    // Nor is one whose answer could not be told from another's.
    for id in ["[]", "[[]]", r#"{"a":1}"#, "true", "-1", "1.5", "18446744073709551616"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"system_chain","params":[]}}"#);
        socket.writer.text(&text).await.unwrap();
        let refused = socket.reader.json().await.unwrap();
        assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32_600), &Value::Null));
    }
    for id in ["7", "18446744073709551615", r#""a text""#] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"system_chain","params":[]}}"#);
        socket.writer.text(&text).await.unwrap();
        let answered = socket.reader.json().await.unwrap();
        assert_eq!(answered["id"].to_string(), id);
    }
    // A method that is named twice is the one that the node would take, or none.
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"system_chain","method":"author_rotateKeys"}"#;
    socket.writer.text(twice).await.unwrap();
    assert_eq!(socket.reader.json().await.unwrap()["error"]["code"], -32_600);
    assert_eq!(socket.call(2, "system_chain", json!([])).await["id"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_more_than_four_mebibytes_ends_the_connection_unread() {
    let door = Door::open(&[]);
    let before = door.peak();
    for first in [0x81, 0x01] {
        let mut socket = WebSocket::open(HOME, door.address, &[]).await.unwrap();
        // In one frame, and in pieces that never end.
        let piece = vec![b' '; if first == 0x81 { 64 << 20 } else { 1 << 20 }];
        let mut sent = socket.writer.frame(first, &piece).await;
        for _ in 0..64 {
            if sent.is_err() || first == 0x81 {
                break;
            }
            sent = socket.writer.frame(0x00, &piece).await;
        }
        assert_eq!(socket.reader.text().await, None, "nothing is answered");
    }
    let grown = door.peak() - before;
    assert!(grown < 32 << 20, "the gateway took {} MiB", grown >> 20);
    let mut socket = WebSocket::open(HOME, door.address, &[]).await.unwrap();
    assert_eq!(socket.call(1, "system_chain", json!([])).await["id"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_is_read_as_slowly_as_the_limit_says() {
    let door = Door::open(&[]);
    let WebSocket { mut reader, mut writer } =
        WebSocket::open(HOME, door.address, &[]).await.unwrap();
    let count = 700;
    let began = Instant::now();
    let flood = tokio::spawn(async move {
        for id in 0..count {
            let call = json!({"jsonrpc": "2.0", "id": id, "method": "system_name", "params": []});
            writer.text(&call.to_string()).await.unwrap();
        }
        writer
    });
    for _ in 0..count {
        assert!(reader.json().await.unwrap()["result"].is_string());
    }
    // 400 at once, then 100 a second.
    let spent = began.elapsed().as_secs_f64();
    assert!(spent > 2.5, "{count} requests took {spent} s");
    drop(flood.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_sixteen_sockets_and_gets_its_places_back() {
    let door = Door::open(&[]);
    let mut sockets = Vec::new();
    for _ in 0..16 {
        sockets.push(WebSocket::open(HOME, door.address, &[]).await.unwrap());
    }
    let Err((status, said)) = WebSocket::open(HOME, door.address, &[]).await else {
        panic!("a seventeenth socket of one address");
    };
    assert_eq!(status, 429, "{said}");
    // Somebody else is not concerned.
    let other = Ipv4Addr::new(127, 0, 0, 2);
    let mut somebody = WebSocket::open(other, door.address, &[]).await.unwrap();
    assert_eq!(somebody.call(1, "system_chain", json!([])).await["id"], 1);
    // Nor can an address that is no proxy call itself another.
    let claim = [("X-Forwarded-For", "203.0.113.7")];
    assert!(WebSocket::open(HOME, door.address, &claim).await.is_err());
    drop(sockets.pop());
    let end = Instant::now() + std::time::Duration::from_secs(10);
    while WebSocket::open(HOME, door.address, &[]).await.is_err() {
        assert!(Instant::now() < end, "the place is not given back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_open_no_socket() {
    let door = Door::open(&["--origin", "https://friend.example"]);
    let own = format!("http://localhost:{}", door.address.port());
    for origin in [own.as_str(), "https://friend.example"] {
        assert!(
            WebSocket::open(HOME, door.address, &[("Origin", origin)]).await.is_ok(),
            "{origin}"
        );
    }
    let port = format!("http://localhost:{}", door.address.port() - 1);
    for origin in ["https://evil.example", "null", "", "https://friend.example.evil", port.as_str()]
    {
        let Err((status, said)) = WebSocket::open(HOME, door.address, &[("Origin", origin)]).await
        else {
            panic!("a socket for {origin}")
        };
        assert_eq!(status, 403, "{said}");
    }
}
