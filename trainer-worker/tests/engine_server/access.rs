//! Who is let in, and how much they may ask.

use crate::common::real_model_path;
use crate::http::{endless, request, Server, BASE};
use serde_json::{json, Value};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn serve(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .arg("serve")
        .args(args)
        .output()
        .expect("runs")
}

fn add(file: &Path, name: &str, more: &[&str]) -> String {
    let file = file.to_str().expect("a path");
    let output = serve(&[&["--api-keys", file, "--add-key", name], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn a_key_is_shown_once_and_kept_as_its_sum() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("keys.jsonl");
    let alice = add(&file, "alice", &["--key-requests", "3", "--key-tokens-per-minute", "100"]);
    let bob = add(&file, "bob", &[]);
    assert!(alice.starts_with("ol-") && alice.len() == 67 && alice != bob);
    let text = std::fs::read_to_string(&file).expect("read");
    assert!(!text.contains(&alice) && !text.contains(&bob));
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["requests"], &lines[0]["tokens_per_minute"]), (&json!(3), &json!(100)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let path = file.to_str().expect("a path");
    let again = serve(&["--api-keys", path, "--add-key", "bob"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("there is one of that name"));
    // A damaged file names its line.
    std::fs::write(&file, format!("{text}{{\"name\": \"eve\"}}\n")).expect("written");
    let model = real_model_path();
    let model = model.to_str().expect("a path");
    let damaged = serve(&["--model", model, "--api-keys", path]);
    let told = String::from_utf8_lossy(&damaged.stderr).into_owned();
    assert!(
        !damaged.status.success() && told.contains("line 3") && told.contains("sha256"),
        "{told}"
    );
    std::fs::write(&file, "\n").expect("written");
    let empty = serve(&["--model", model, "--api-keys", path]);
    assert!(String::from_utf8_lossy(&empty.stderr).contains("has no key"));
}

#[test]
fn others_are_not_let_in_without_keys() {
    let model = real_model_path();
    let model = model.to_str().expect("a path");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let output = serve(&["--model", model, "--address", address]);
        assert_eq!(output.status.code(), Some(3));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("--add-key") && told.contains("--api-keys"), "{told}");
    }
    // A page of another name that resolves to this machine.
    let server = Server::shared();
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""] {
        let reply = server.request("GET", "/v1/models", &[("host", host)], "");
        reply.refused(403, "host_not_allowed", None);
    }
    for host in ["localhost:1", "127.0.0.1", "[::1]:8080"] {
        assert_eq!(server.request("GET", "/v1/models", &[("host", host)], "").status, 200);
    }
}

#[test]
fn a_request_needs_a_key_that_is_known() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("keys.jsonl");
    let key = add(&file, "alice", &[]);
    let server = Server::start(&["--api-keys", file.to_str().expect("a path")]);
    assert_eq!(server.start["keys"], 1);
    let with =
        |path: &str, value: &str| server.request("GET", path, &[("authorization", value)], "");
    for path in ["/v1/models", "/metrics", "/v1/nothing"] {
        let reply = server.get(path);
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        reply.refused(401, "invalid_api_key", None);
        let flipped = format!("Bearer {}", key.replace(|c: char| c.is_ascii_digit(), "0"));
        for wrong in ["Bearer ol-0", "Bearer ", "Bearer", "Basic YTpi", &key, &flipped, "é"] {
            with(path, wrong).refused(401, "invalid_api_key", None);
        }
    }
    assert_eq!(with("/v1/models", &format!("Bearer {key}")).status, 200);
    assert_eq!(with("/v1/models", &format!("bearer {key}")).status, 200);
    assert_eq!(with("/v1/nothing", &format!("Bearer {key}")).status, 404);
    // Refused before the body is looked at.
    let head = [("content-type", "application/json"), ("content-length", "1000000")];
    server.raw(request("POST", "/v1/completions", &head, "").as_bytes()).refused(
        401,
        "invalid_api_key",
        None,
    );
    for open in ["/healthz", "/openapi.json"] {
        assert_eq!(server.request("GET", open, &[("host", "any.example")], "").status, 200);
    }
}

#[test]
fn a_key_has_its_own_limits() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("keys.jsonl");
    let one = add(&file, "one", &["--key-requests", "1"]);
    let few = add(&file, "few", &["--key-tokens-per-minute", "20"]);
    let server = Server::start(&["--api-keys", file.to_str().expect("a path")]);
    let ask = |key: &str, tokens: u64| {
        let body = json!({
            "model": BASE, "prompt": "One, two,", "max_tokens": tokens, "logit_bias": { "0": -100, "2": -100 },
        });
        let key = format!("Bearer {key}");
        request("POST", "/v1/completions", &[("authorization", &key)], &body.to_string())
    };
    let mut held = server.connect();
    let bearer = format!("Bearer {one}");
    held.write_all(endless(&[("authorization", &bearer)], true).as_bytes()).expect("sent");
    held.read_exact(&mut [0; 1]).expect("it has begun");
    let reply = server.raw(ask(&one, 1).as_bytes());
    assert!(reply.header("retry-after").is_some());
    reply.refused(429, "rate_limit_exceeded", None);
    // Another key is not concerned. It may ask until its tokens are used up, and then again in a while.
    assert_eq!(server.raw(ask(&few, 30).as_bytes()).status, 200);
    let reply = server.raw(ask(&few, 1).as_bytes());
    let seconds: u64 = reply.header("retry-after").and_then(|s| s.parse().ok()).expect("a time");
    // 4 tokens of the prompt and 30 of the answer, of 20 a minute.
    assert!((30..=60).contains(&seconds), "{seconds}");
    reply.refused(429, "rate_limit_exceeded", None);
    // The first one's place is free when its client has gone.
    drop(held);
    let begun = Instant::now();
    while server.raw(ask(&one, 1).as_bytes()).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until the server has read the file again.
fn until(told: &str, found: impl Fn() -> bool) {
    let begun = Instant::now();
    while !found() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{told}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn keys_come_and_go_while_the_server_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("keys.jsonl");
    let [one, gone] = ["one", "gone"].map(|name| add(&file, name, &["--key-requests", "1"]));
    let server = Server::start(&["--api-keys", file.to_str().expect("a path")]);
    let bearer = |key: &str| format!("Bearer {key}");
    let status = |key: &str| {
        let bearer = bearer(key);
        server.request("GET", "/v1/models", &[("authorization", &bearer)], "").status
    };
    let metric = |key: &str, name: &str| {
        let bearer = bearer(key);
        let text = server.request("GET", "/metrics", &[("authorization", &bearer)], "").text();
        text.contains(&format!("\nopenledger_{name}\n"))
    };
    assert_eq!((status(&one), status(&gone)), (200, 200));
    // One has a request in flight.
    let mut held = server.connect();
    held.write_all(endless(&[("authorization", &bearer(&one))], true).as_bytes()).expect("sent");
    held.read_exact(&mut [0; 1]).expect("it has begun");
    let ask = |key: &str| {
        let body = json!({ "model": BASE, "prompt": "One,", "max_tokens": 1 }).to_string();
        let bearer = bearer(key);
        server.request("POST", "/v1/completions", &[("authorization", &bearer)], &body)
    };
    ask(&one).refused(429, "rate_limit_exceeded", None);
    // Another one comes, by the same file.
    let new = add(&file, "new", &[]);
    until("the new key", || status(&new) == 200);
    // One goes; who stays is counted on.
    let text = std::fs::read_to_string(&file).expect("read");
    let kept: String = text
        .lines()
        .filter(|l| !l.contains("\"gone\""))
        .fold(String::new(), |all, l| all + l + "\n");
    std::fs::write(&file, &kept).expect("written");
    until("the key that went", || status(&gone) == 401);
    assert_eq!((status(&new), ask(&new).status), (200, 200));
    ask(&one).refused(429, "rate_limit_exceeded", None);
    // A broken file changes nothing, and is seen.
    for broken in ["{\"name\": \"eve\"}\n", "", "\n\n"] {
        std::fs::write(&file, broken).expect("written");
        until("the broken file", || metric(&new, "keys_file_broken 1"));
        assert!(metric(&new, "keys 2"));
        std::fs::write(&file, &kept).expect("written");
        until("the file", || metric(&new, "keys_file_broken 0"));
    }
    std::fs::remove_file(&file).expect("removed");
    until("no file", || metric(&new, "keys_file_broken 1"));
    assert_eq!(status(&gone), 401);
    drop(held);
    until("its place", || ask(&one).status == 200);
    server.signal("TERM");
    let (_, log) = server.ended();
    assert!(
        log.contains("stay valid") && log.contains("line 1") && log.contains("has no key"),
        "{log}"
    );
}

#[test]
fn pages_of_origins_that_are_listed_may_ask() {
    let server = Server::start(&["--cors-origin", "https://app.example"]);
    let preflight = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type,x-stainless-os"),
        ];
        server.request("OPTIONS", "/v1/chat/completions", &headers, "")
    };
    let reply = preflight("https://app.example");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(
        reply.header("access-control-allow-headers"),
        Some("authorization,content-type,x-stainless-os")
    );
    assert_eq!(preflight("https://evil.example").header("access-control-allow-origin"), None);
    let reply = server.request("GET", "/v1/models", &[("origin", "https://app.example")], "");
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    let told = reply.header("access-control-expose-headers").expect("names");
    assert!(told.contains("x-openledger-base-sha256"));
    for wrong in ["app.example", "https://app.example/path", "https://"] {
        let output = serve(&["--model", "x", "--cors-origin", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn pages_of_other_origins_change_nothing_where_there_are_no_keys() {
    let body = json!({ "content": "Hi" }).to_string();
    let form = ("content-type", "multipart/form-data; boundary=edge");
    let server = Server::start(&["--cors-origin", "https://app.example"]);
    let host = server.address.clone();
    let own = format!("http://{host}");
    let ask = |headers: &[(&str, &str)]| {
        server.request("POST", "/tokenize", &[&[("host", host.as_str())], headers].concat(), &body)
    };
    for origin in ["https://evil.example", "null", "http://localhost:1", "https://app.example.evil"]
    {
        ask(&[("origin", origin)]).refused(403, "origin_not_allowed", None);
        // What needs no leave of the server to be sent: a form, and a text without a type.
        let headers = [("origin", origin), form];
        server.request("POST", "/v1/files", &headers, "--edge--").refused(
            403,
            "origin_not_allowed",
            None,
        );
        let path = "/v1/fine_tuning/jobs/ftjob-0/cancel";
        let headers = [("origin", origin), ("content-type", "text/plain")];
        server.request("POST", path, &headers, "{}").refused(403, "origin_not_allowed", None);
    }
    for site in ["cross-site", "same-site"] {
        ask(&[("sec-fetch-site", site)]).refused(403, "origin_not_allowed", None);
    }
    for origin in [own.as_str(), "https://app.example"] {
        let reply = ask(&[("origin", origin), ("sec-fetch-site", "cross-site")]);
        assert_eq!(reply.status, 200, "{origin}: {}", reply.text());
    }
    for site in ["same-origin", "none"] {
        assert_eq!(ask(&[("sec-fetch-site", site)]).status, 200);
    }
    // Reading changes nothing, and browsers keep the answer from the page.
    let evil = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let listed = server.request("GET", "/v1/models", &evil, "");
    assert_eq!((listed.status, listed.header("access-control-allow-origin")), (200, None));
}

#[test]
fn a_request_names_its_host_once() {
    let server = Server::shared();
    for hosts in ["", "host: localhost\r\nhost: 127.0.0.1\r\n"] {
        let text = format!("GET /v1/models HTTP/1.1\r\nconnection: close\r\n{hosts}\r\n");
        server.raw(text.as_bytes()).refused(400, "invalid_host", None);
    }
}
