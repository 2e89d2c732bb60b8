//! Streams of events: how many of an address, and who an address is behind a reverse proxy.

use super::door::Door;
use super::http::head;
use super::websocket::connect;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OF_ADDRESS: usize = 64;

/// Opens a stream and returns its status; as long as the connection is kept, the place is.
async fn open(
    door: &Door,
    from: Ipv4Addr,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, TcpStream) {
    let mut stream = connect(from, door.address).await;
    let head = head(door.address, "GET", path, headers) + "\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.unwrap());
    }
    let line = String::from_utf8(line).unwrap();
    (line.split(' ').nth(1).unwrap().parse().unwrap(), stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_sixty_four_streams_of_each_kind_and_no_word_of_its_own_adds_to_them() {
    let door = Door::open(&[]);
    let home = Ipv4Addr::LOCALHOST;
    for path in ["/v1/stream", "/v1/jobs/0/stream"] {
        let mut streams = Vec::new();
        for number in 0..OF_ADDRESS {
            // Without a trusted proxy this says nothing.
            let claim = format!("198.51.100.{number}");
            let headers = [("X-Forwarded-For", claim.as_str()), ("Forwarded", "for=192.0.2.1")];
            let (status, stream) = open(&door, home, path, &headers).await;
            assert_eq!(status, 200);
            streams.push(stream);
        }
        assert_eq!(open(&door, home, path, &[]).await.0, 429);
        assert_eq!(open(&door, Ipv4Addr::new(127, 0, 0, 9), path, &[]).await.0, 200);
        drop(streams);
        let end = Instant::now() + Duration::from_secs(20);
        while open(&door, home, path, &[]).await.0 != 200 {
            assert!(Instant::now() < end, "the places are not given back");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_its_clients_are_counted() {
    let door = Door::open(&["--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/8"]);
    let proxy = Ipv4Addr::LOCALHOST;
    let mut streams = Vec::new();
    for _ in 0..OF_ADDRESS {
        // The first address is what the client wrote, the last an inner proxy's.
        let named = [("X-Forwarded-For", "1.1.1.1, 203.0.113.7"), ("X-Forwarded-For", "10.2.3.4")];
        let (status, stream) = open(&door, proxy, "/v1/stream", &named).await;
        assert_eq!(status, 200);
        streams.push(stream);
    }
    for (named, status) in [
        ("203.0.113.7", 429),
        ("2.2.2.2, 203.0.113.7", 429),
        ("203.0.113.8", 200),
        ("[2001:db8::1]:4711", 200),
    ] {
        let headers = [("X-Forwarded-For", named), ("Forwarded", "for=192.0.2.60")];
        let (answered, _) = open(&door, proxy, "/v1/stream", &headers).await;
        assert_eq!(answered, status, "{named}");
    }
    // Who comes past the proxy is who it is.
    let past = [("X-Forwarded-For", "203.0.113.7")];
    assert_eq!(open(&door, Ipv4Addr::new(127, 0, 0, 5), "/v1/stream", &past).await.0, 200);
}
