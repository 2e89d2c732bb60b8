//! Adapters of a server: found in a folder, replaced under it, and kept within a budget.

use crate::http::{write_adapter, Server, BASE};
use serde_json::{json, Value};

const COMPLETIONS: &str = "/v1/completions";

fn asked(model: &str) -> Value {
    json!({ "model": model, "prompt": "One, two,", "max_tokens": 6, "temperature": 0 })
}

fn sha256_of(answer: &Value) -> String {
    answer["openledger"]["adapter_sha256"].as_str().expect("a sum").to_owned()
}

#[test]
fn a_folder_is_looked_into_when_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&["--adapters", &folder.path().display().to_string()]);
    server.post(COMPLETIONS, &asked("smol:tone")).refused(404, "model_not_found", Some("model"));
    write_adapter(&folder.path().join("tone"), 1);
    let first = server.ask(COMPLETIONS, &asked("smol:tone"));
    let listed = server.get("/v1/models").json();
    let names = listed["data"].as_array().expect("a list").iter().map(|m| m["id"].clone());
    assert_eq!(names.collect::<Vec<_>>(), [BASE, "smol:tone"]);

    // Another adapter takes its place: it answers from then on, under a sum of its own.
    std::fs::remove_dir_all(folder.path().join("tone")).expect("removed");
    write_adapter(&folder.path().join("tone"), 2);
    let second = server.ask(COMPLETIONS, &asked("smol:tone"));
    assert_ne!(sha256_of(&first), sha256_of(&second));
    std::fs::remove_dir_all(folder.path().join("tone")).expect("removed");
    write_adapter(&folder.path().join("tone"), 1);
    let third = server.ask(COMPLETIONS, &asked("smol:tone"));
    assert_eq!(sha256_of(&first), sha256_of(&third));
    assert_eq!(first["choices"], third["choices"]);
}

#[test]
fn names_are_no_paths_and_damage_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("adapters");
    write_adapter(&folder.path().join("outside"), 1);
    write_adapter(&inner.join("cut"), 1);
    let weights = inner.join("cut/adapter_model.safetensors");
    let bytes = std::fs::read(&weights).expect("weights");
    std::fs::write(&weights, &bytes[..bytes.len() / 2]).expect("cut");
    let server = Server::start(&["--adapters", &inner.display().to_string()]);
    for name in ["smol:../outside", "smol:/etc", "smol:", "smol:.", "other:cut", "smol:cut/.."] {
        server.post(COMPLETIONS, &asked(name)).refused(404, "model_not_found", Some("model"));
    }
    let told = server.post(COMPLETIONS, &asked("smol:cut")).refused(
        422,
        "adapter_unusable",
        Some("model"),
    );
    let path = folder.path().display().to_string();
    assert!(told.contains("cut") && !told.contains(&path), "{told}");
    let told = server.post(COMPLETIONS, &asked("openledger:7"));
    let told = told.refused(404, "model_not_found", Some("model"));
    assert!(told.contains("--node"), "{told}");
}

#[test]
fn adapters_make_room_for_one_another() {
    let folder = tempfile::tempdir().expect("a folder");
    for i in 0..6u64 {
        write_adapter(&folder.path().join(format!("a{i}")), i + 1);
    }
    let folder = folder.path().display().to_string();
    let room = ["--adapters", &folder, "--adapter-memory", "8"];
    let server = Server::start(&room);
    let all: Vec<Value> =
        (0..6).map(|i| server.ask(COMPLETIONS, &asked(&format!("smol:a{i}")))).collect();
    // After all others made it give way, the first is what it was.
    let again = server.ask(COMPLETIONS, &asked("smol:a0"));
    assert_eq!(all[0]["choices"], again["choices"]);
    assert_eq!(sha256_of(&all[0]), sha256_of(&again));
    assert!(server.metric("adapters_bytes") <= f64::from(8 << 20));
    assert!(server.metric("adapters_loaded") >= 1.0);
}

/// The most memory that a process has had, in bytes.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("a line");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_no_file_or_too_large_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::File::create(path("large.safetensors"))
        .and_then(|file| file.set_len(1_500_000_000))
        .expect("made");
    std::os::unix::fs::symlink("/dev/zero", path("zeros.safetensors")).expect("made");
    let made = std::process::Command::new("mkfifo").arg(path("pipe.safetensors")).status();
    assert!(made.expect("runs").success());
    write_adapter(&path("tone"), 1);
    let shown = folder.path().display().to_string();
    let server = Server::start(&["--adapters", &shown]);
    let before = peak(server.id());
    let refused = |name: &str, code: &str| {
        let reply = server.post(COMPLETIONS, &asked(&format!("smol:{name}")));
        let told = reply.refused(422, code, Some("model"));
        assert!(told.contains(name) && !told.contains(&shown), "{told}");
    };
    refused("large", "adapter_too_large");
    refused("zeros", "adapter_unusable");
    // Nobody writes to it, so a reader would wait for ever.
    refused("pipe", "adapter_unusable");
    assert!(peak(server.id()) < before + (64 << 20), "{before} before");
    server.ask(COMPLETIONS, &asked("smol:tone"));
    server.signal("TERM");
    let (status, log) = server.ended();
    assert!(status.success(), "{log}");

    // Laid out, an adapter may take half of the memory for all.
    let server = Server::start(&["--adapters", &shown, "--adapter-memory", "1"]);
    let reply = server.post(COMPLETIONS, &asked("smol:tone"));
    let told = reply.refused(422, "adapter_too_large", Some("model"));
    assert!(told.contains("524288"), "{told}");
}
