//! Clients that are slow, and requests that are too large.

use super::door::Door;
use super::http::head;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a byte each half second until the other side ends it; returns how long that took and what was said.
async fn drip(door: &Door, begin: &str) -> (Duration, String) {
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(begin.as_bytes()).await.unwrap();
    let began = Instant::now();
    let mut answer = Vec::new();
    loop {
        let read = stream.read_buf(&mut answer);
        match tokio::time::timeout(Duration::from_millis(500), read).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
            Err(_) => drop(stream.write_all(b"a").await),
        }
        assert!(began.elapsed() < Duration::from_secs(40), "a slow client is never cut off");
    }
    (began.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_hold_all_connections_for_seconds_at_most() {
    let door = Door::open(&["--max-connections", "40"]);
    // As many as there may be: nobody else gets in now.
    let slow = (0..40).map(|_| drip(&door, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "));
    let asked = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        assert_eq!(door.get("/v1/status").await.status, 200);
        began.elapsed()
    };
    let (slow, waited) = tokio::join!(futures::future::join_all(slow), asked);
    assert!(waited < Duration::from_secs(20), "an honest client waited {waited:?}");
    for (time, said) in slow {
        assert!(time < Duration::from_secs(20), "cut off after {time:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_told_so_and_ended() {
    let door = Door::open(&[]);
    let begin =
        head(door.address, "POST", "/v1/sessions/challenge", &[]) + "Content-Length: 4000\r\n\r\n{";
    let (time, said) = drip(&door, &begin).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("too_slow"), "{said}");
    assert!(time < Duration::from_secs(30), "{time:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_are_refused_in_bounded_memory() {
    let door = Door::open(&[]);
    let before = door.peak();
    let large = vec![b' '; 32 << 20];
    let refused = (0..20).map(|number| {
        let (door, large) = (&door, &large);
        async move {
            let path =
                ["/v1/sessions/challenge", "/v1/faucet", "/v1/chat", "/v1/sessions"][number % 4];
            // A server that hangs up while it is being sent to is heard as a break, or by its answer.
            let mut stream = TcpStream::connect(door.address).await.unwrap();
            let head = head(door.address, "POST", path, &[]);
            let length = format!("Content-Length: {}\r\n\r\n", large.len());
            let sent = async {
                stream.write_all((head + &length).as_bytes()).await?;
                stream.write_all(large).await
            };
            let _ = sent.await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        }
    });
    for answer in futures::future::join_all(refused).await {
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 413");
        assert!(refused || answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    // A chunk that never ends, headers that never end, and too many of them.
    let chunked = head(door.address, "POST", "/v1/sessions/challenge", &[])
        + "Transfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n"
        + &" ".repeat(1 << 20);
    let many = "X: y\r\n".repeat(70);
    let many = head(door.address, "GET", "/v1/status", &[]) + &many + "\r\n";
    let long = head(door.address, "GET", "/v1/status", &[])
        + "X-Long: "
        + &"a".repeat(200 << 10)
        + "\r\n\r\n";
    for (text, status) in [(chunked, "413"), (many, "431"), (long, "431")] {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    let grown = door.peak() - before;
    assert!(grown < 64 << 20, "the gateway took {} MiB", grown >> 20);
    assert_eq!(door.get("/v1/status").await.status, 200);
}
