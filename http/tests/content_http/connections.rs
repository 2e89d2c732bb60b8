//! Who holds connections open keeps nobody out.

use super::common::{is_closed, parts, Server, GET};
use std::time::{Duration, Instant};

const WAIT: &str = "GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn an_address_that_opens_many_loses_those_on_which_it_asks_nothing() {
    let server = Server::start(16, 4).await;
    let mut held = Vec::new();
    // A byte each, as if a request were to come.
    for _ in 0..40 {
        held.push(server.connect(1, "G").await);
    }
    let began = Instant::now();
    assert_eq!(parts(&server.ask(2, GET).await).0, 200, "another address");
    assert_eq!(parts(&server.ask(1, GET).await).0, 200, "and the same one");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let mut open = 0;
    for stream in &mut held {
        open += usize::from(!is_closed(stream).await);
    }
    assert!(open <= 4, "{open} of one address stay");
    assert!(!is_closed(held.last_mut().unwrap()).await, "the oldest go first");
}

#[tokio::test]
async fn an_address_on_which_all_is_busy_is_told_so() {
    let server = Server::start(16, 4).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(server.connect(1, WAIT).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let told = server.ask(1, GET).await;
    assert_eq!(parts(&told), (429, "{\"status\":429}"), "{told}");
    assert!(told.contains("content-type: application/json\r\n"), "{told}");
    assert!(told.contains("retry-after: 5\r\n"), "{told}");
    assert_eq!(parts(&server.ask(2, GET).await).0, 200);
    // What is being answered is never cut off for another.
    for stream in &mut held {
        assert!(!is_closed(stream).await);
    }
    drop(held.pop());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(parts(&server.ask(1, GET).await).0, 200);
}

#[tokio::test]
async fn idle_connections_of_many_addresses_make_room_for_one_that_asks() {
    let server = Server::start(12, 4).await;
    let mut held = Vec::new();
    // One that has asked, and is kept alive; and one of an address with few.
    held.push(server.connect(7, "").await);
    for from in 1..=3 {
        for _ in 0..4 {
            held.push(server.connect(from, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await);
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for _ in 0..3 {
        assert_eq!(parts(&server.ask(8, GET).await).0, 200);
    }
    assert!(!is_closed(&mut held[0]).await, "of addresses with many, not of one with few");
}

#[tokio::test]
async fn a_server_whose_every_connection_is_busy_takes_no_more() {
    let server = Server::start(3, 3).await;
    let mut held = Vec::new();
    for from in 1..=3 {
        held.push(server.connect(from, WAIT).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let waiting = tokio::time::timeout(Duration::from_millis(500), server.ask(4, GET)).await;
    assert!(waiting.is_err(), "it waits in the system's queue");
    drop(held.pop());
    assert_eq!(parts(&server.ask(4, GET).await).0, 200);
}

#[tokio::test]
async fn a_proxys_connections_are_not_counted_as_one_clients() {
    let server = Server::start(16, 2).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(server.connect(99, WAIT).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(parts(&server.ask(99, GET).await).0, 200);
}
