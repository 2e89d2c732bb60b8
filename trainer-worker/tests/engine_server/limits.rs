//! What a client can make last or grow has an end.

use crate::http::{endless, request, Reply, Server, BASE};
use serde_json::json;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

const CHAT: &str = "/v1/chat/completions";

#[test]
fn bodies_that_are_too_large_are_refused_whether_or_not_they_say_so() {
    let server = Server::start(&["--max-body", "16"]);
    let large = json!({ "model": BASE, "prompt": "x".repeat(20_000) });
    server.post("/v1/completions", &large).refused(413, "request_too_large", None);
    // Said, and not sent.
    let head = request(
        "POST",
        CHAT,
        &[("content-type", "application/json"), ("content-length", "99999999999")],
        "",
    );
    server.raw(head.as_bytes()).refused(413, "request_too_large", None);
    // Sent, and not said.
    let chunked = [("content-type", "application/json"), ("transfer-encoding", "chunked")];
    let mut bytes = request("POST", CHAT, &chunked, "");
    for _ in 0..20 {
        bytes.push_str(&format!("400\r\n{}\r\n", "x".repeat(1024)));
    }
    server.raw((bytes + "0\r\n\r\n").as_bytes()).refused(413, "request_too_large", None);
    let small = json!({ "model": BASE, "prompt": "x", "max_tokens": 1 }).to_string();
    let bytes = request("POST", "/v1/completions", &chunked, "")
        + &format!("{:x}\r\n{small}\r\n0\r\n\r\n", small.len());
    assert_eq!(server.raw(bytes.as_bytes()).status, 200);
}

#[test]
fn headers_are_counted() {
    let server = Server::shared();
    let many: Vec<(String, &str)> = (0..1000).map(|i| (format!("x-{i}"), "y")).collect();
    let many: Vec<(&str, &str)> =
        many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    server.request("GET", "/healthz", &many, "").refused(431, "headers_too_large", None);
    // All together, whatever the number.
    let long = "y".repeat(66_000);
    let told = server.request("GET", "/healthz", &[("x-long", &long)], "");
    told.refused(431, "headers_too_large", None);
    let long = "y".repeat(200_000);
    let told = server.request("GET", "/healthz", &[("x-long", &long)], "");
    told.refused(431, "headers_too_large", None);
    assert_eq!(server.request("GET", "/healthz", &many[..50], "").status, 200);
    // Even where there is no request to answer.
    server.raw(b"nonsense\r\n\r\n").refused(400, "invalid_request", None);
}

#[test]
fn a_body_in_crumbs_is_refused_before_it_costs_much() {
    let server = Server::shared();
    let chunked = [("content-type", "application/json"), ("transfer-encoding", "chunked")];
    let crumbs = request("POST", CHAT, &chunked, "") + &"1\r\n \r\n".repeat(1_100_000);
    let begun = Instant::now();
    let told = server.raw(crumbs.as_bytes());
    told.refused(400, "invalid_body", None);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

/// How long until the server hangs up.
fn until_closed(mut stream: std::net::TcpStream, begun: Instant) -> (Duration, Vec<u8>) {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    (begun.elapsed(), bytes)
}

#[test]
fn who_sends_nothing_or_slowly_is_cut_off() {
    let server = Server::start(&["--header-timeout", "1", "--body-timeout", "1"]);
    let begun = Instant::now();
    let silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: loc").expect("sent");
    let mut body = server.connect();
    let head = request(
        "POST",
        CHAT,
        &[("content-type", "application/json"), ("content-length", "100")],
        "",
    );
    body.write_all(format!("{head}{{\"model\"").as_bytes()).expect("sent");
    let reply = Reply::read(&mut body);
    reply.refused(408, "request_timeout", None);
    for stream in [silent, slow] {
        let (time, _) = until_closed(stream, begun);
        assert!(time > Duration::from_millis(800) && time < Duration::from_secs(20), "{time:?}");
    }
    // A connection that is kept alive is not kept for ever.
    let mut kept = server.connect();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
    let (time, bytes) = until_closed(kept, Instant::now());
    assert!(bytes.starts_with(b"HTTP/1.1 200"));
    assert!(time < Duration::from_secs(20), "{time:?}");
}

#[test]
fn who_reads_nothing_is_cut_off() {
    let server = Server::start(&["--write-timeout", "1"]);
    let mut stream = server.connect();
    // More answers than the system's buffers hold.
    let asked = 4000;
    let one = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut writer = stream.try_clone().expect("a handle");
    let sending =
        std::thread::spawn(move || writer.write_all(one.repeat(asked).as_bytes()).is_ok());
    std::thread::sleep(Duration::from_secs(4));
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let answers = bytes.windows(12).filter(|w| w == b"HTTP/1.1 200").count();
    assert!(answers > 0 && answers < asked, "{answers}");
    let _ = sending.join();
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn connections_over_the_limit_take_the_place_of_idle_ones_and_wait_for_busy_ones() {
    let server = Server::start(&["--max-connections", "2", "--header-timeout", "3600"]);
    let held = [server.connect(), server.connect()];
    std::thread::sleep(Duration::from_millis(200));
    let ask = || {
        let mut stream = server.connect();
        stream.write_all(request("GET", "/healthz", &[], "").as_bytes()).expect("sent");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time");
        stream
    };
    assert_eq!(Reply::read(&mut ask()).status, 200, "nothing is asked on those");
    drop(held);
    let mut busy = [server.connect(), server.connect()];
    for stream in &mut busy {
        stream.write_all(endless(&[], true).as_bytes()).expect("sent");
        // The answer has begun.
        stream.read_exact(&mut [0; 12]).expect("a head");
    }
    let mut third = ask();
    third.set_read_timeout(Some(Duration::from_millis(700))).expect("a time");
    assert!(third.read(&mut [0; 1]).is_err(), "it waits");
    drop(busy);
    third.set_read_timeout(Some(Duration::from_secs(30))).expect("a time");
    assert_eq!(Reply::read(&mut third).status, 200);
}

#[test]
fn an_answer_that_takes_too_long_is_ended() {
    let server = Server::start(&["--request-timeout", "1"]);
    let mut body = json!({
        "model": BASE, "prompt": "One, two,", "max_tokens": 4000, "n": 8, "temperature": 1.5,
    });
    server.post("/v1/completions", &body).refused(504, "timeout", None);
    body["n"] = json!(4);
    let events = server.stream("/v1/completions", &body);
    let last = events.last().expect("an event");
    assert_eq!(last.data["error"]["code"], "timeout");
    // Nothing goes on computing.
    let begun = Instant::now();
    while server.metric("requests_running") > 0.0 {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn who_has_gone_is_not_answered() {
    let server = Server::start(&[]);
    for (stream, cancelled) in [(true, 1.0), (false, 2.0)] {
        let mut connection = server.connect();
        connection.write_all(endless(&[], stream).as_bytes()).expect("sent");
        let begun = Instant::now();
        while server.metric("requests_running") == 0.0 {
            assert!(begun.elapsed() < Duration::from_secs(20));
        }
        drop(connection);
        while server.metric("requests_cancelled_total") < cancelled {
            assert!(begun.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(server.metric("requests_running"), 0.0);
    }
}

#[test]
fn a_full_queue_is_told_with_a_time() {
    let server = Server::start(&["--max-running", "1", "--max-waiting", "1"]);
    let text = endless(&[], true);
    let mut held = Vec::new();
    for (running, waiting) in [(1.0, 0.0), (1.0, 1.0)] {
        let mut stream = server.connect();
        stream.write_all(text.as_bytes()).expect("sent");
        held.push(stream);
        let begun = Instant::now();
        while (server.metric("requests_running"), server.metric("requests_waiting"))
            != (running, waiting)
        {
            assert!(begun.elapsed() < Duration::from_secs(20));
        }
    }
    let reply = server.raw(text.as_bytes());
    let seconds = reply.header("retry-after").and_then(|s| s.parse::<u64>().ok());
    assert!(seconds.is_some_and(|s| s >= 1));
    reply.refused(429, "server_full", None);
}

#[test]
fn answers_that_nobody_reads_yet_have_a_budget() {
    let server = Server::start(&["--max-answer-tokens", "32768"]);
    let ask = |tokens: u64| {
        let body = json!({
            "model": BASE, "prompt": "One, two,", "max_tokens": tokens, "n": 8, "logprobs": 20, "stream": true,
            "logit_bias": { "0": -100, "2": -100 },
        });
        request("POST", "/v1/completions", &[], &body.to_string())
    };
    // Alone it would be more than those of a key may be.
    server.raw(ask(4080).as_bytes()).refused(400, "invalid_value", None);
    let mut held = server.connect();
    held.write_all(ask(4000).as_bytes()).expect("sent");
    held.read_exact(&mut [0; 1]).expect("it has begun");
    server.raw(ask(2000).as_bytes()).refused(503, "overloaded", None);
    drop(held);
    let begun = Instant::now();
    while server.metric("requests_running") > 0.0 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    let small = json!({ "model": BASE, "prompt": "One, two,", "max_tokens": 1, "logprobs": 20 });
    server.ask("/v1/completions", &small);
}
