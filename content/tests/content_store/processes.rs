//! The program `openledger-ipfs`: contributor, curator and worker as separate processes.

use crate::support::{block_file, directory, listing, Pattern, MIB, PATIENCE};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Instant,
};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_openledger-ipfs"))
}

/// A running daemon; it is killed when the test ends, however it ends.
struct Daemon {
    child: Child,
    peer_id: String,
    address: String,
}

impl Daemon {
    fn start(directory: &Path, more: &[&str]) -> Self {
        let mut child = program()
            .args(["daemon", "--output", "json", "--directory"])
            .arg(directory)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        // The same stands in a file for programs that did not start it.
        let file = fs::read_to_string(directory.join("addresses.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), started);
        let text = |value: &Value| value.as_str().unwrap().to_string();
        Self { peer_id: text(&started["peer_id"]), address: text(&started["addresses"][0]), child }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn wait(mut self) -> std::process::ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the daemon does not stop");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json(output: Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn add(directory: &Path, file: &Path) -> Value {
    let mut command = program();
    command.args(["add", "--output", "json", "--directory"]).arg(directory).arg(file);
    json(command.output().unwrap())
}

fn get_command(directory: &Path, added: &Value, to: &Path, more: &[&str]) -> Command {
    let mut command = program();
    command
        .args(["get", "--json", "--timeout", "20", "--directory"])
        .arg(directory)
        .args(["--size", &added["size"].to_string(), "--sha256", added["sha256"].as_str().unwrap()])
        .arg("--output")
        .arg(to)
        .args(more)
        .arg(added["content"].as_str().unwrap());
    command
}

fn get(directory: &Path, added: &Value, to: &Path, more: &[&str]) -> Output {
    get_command(directory, added, to, more).output().unwrap()
}

#[test]
fn three_processes_exchange_a_file_added_while_the_daemon_runs() {
    let (contributor, curator, files) = (directory(), directory(), directory());
    let source = files.path().join("source.txt");
    fs::write(&source, Pattern::bytes(3 * MIB as u64 + 1)).unwrap();

    let daemon = Daemon::start(contributor.path(), &[]);
    assert!(daemon.address.ends_with(&daemon.peer_id));
    // Another process puts the file into the daemon's directory.
    let added = add(contributor.path(), &source);
    let described = program().args(["cid", "--output", "json"]).arg(&source).output().unwrap();
    assert_eq!(json(described), added);

    let copy = files.path().join("copy.txt");
    let fetched = json(get(curator.path(), &added, &copy, &["--peer", &daemon.address]));
    assert_eq!(fetched["sha256"], added["sha256"]);
    assert!(fs::read(&copy).unwrap() == fs::read(&source).unwrap());

    // A third one has it from the curator, whose daemon was started later.
    drop(daemon);
    let daemon = Daemon::start(curator.path(), &["--listen", "/ip4/127.0.0.1/tcp/0"]);
    let (worker, again) = (directory(), files.path().join("again.txt"));
    json(get(worker.path(), &added, &again, &["--peer", &daemon.address]));
    assert!(fs::read(&again).unwrap() == fs::read(&source).unwrap());
    // What was fetched is in the store, and needs no peer any more.
    json(get(worker.path(), &added, &again, &["--overwrite"]));
}

#[test]
fn daemons_pass_files_on_and_keep_their_identity_after_being_killed() {
    let (first, second, files) = (directory(), directory(), directory());
    let source = files.path().join("source.txt");
    fs::write(&source, b"survives").unwrap();
    let daemon = Daemon::start(first.path(), &[]);
    let (peer_id, address) = (daemon.peer_id.clone(), daemon.address.clone());
    let listen = address.split("/p2p/").next().unwrap().to_string();
    let beside = Daemon::start(second.path(), &["--peer", &address]);
    daemon.signal("-KILL");
    daemon.wait();

    let daemon = Daemon::start(first.path(), &["--listen", &listen]);
    assert_eq!(daemon.peer_id, peer_id);
    let added = add(first.path(), &source);
    let copy = files.path().join("copy.txt");
    json(get(second.path(), &added, &copy, &["--peer", &daemon.address]));
    assert_eq!(fs::read(&copy).unwrap(), b"survives");
    // The second daemon serves what the other process fetched into its directory.
    let third = directory();
    let again = ["--peer", &beside.address, "--overwrite"];
    json(get(third.path(), &added, &copy, &again));
}

#[test]
fn what_a_killed_fetch_leaves_is_swept_by_the_next_one() {
    let (owner, other, files) = (directory(), directory(), directory());
    let (source, small) = (files.path().join("source"), files.path().join("small"));
    fs::write(&source, Pattern::bytes(3 * MIB as u64)).unwrap();
    fs::write(&small, b"small").unwrap();
    let daemon = Daemon::start(owner.path(), &[]);
    let (large, small) = (add(owner.path(), &source), add(owner.path(), &small));
    // A block that nobody has keeps the fetch waiting.
    let leaf = openledger_content::block_id(
        openledger_primitives::ContentCodec::Raw,
        &Pattern::bytes(3 * MIB as u64)[2 * MIB..],
    );
    fs::remove_file(block_file(owner.path(), &leaf)).unwrap();

    let out = directory();
    let peer = ["--peer", daemon.address.as_str()];
    let mut fetch =
        get_command(other.path(), &large, &out.path().join("large"), &peer).spawn().unwrap();
    let start = Instant::now();
    while listing(out.path()).is_empty() {
        assert!(start.elapsed() < PATIENCE, "no file is begun");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let partial = listing(out.path()).remove(0);
    assert!(partial.starts_with(".openledger-"), "{partial}");
    // A file of somebody who lives is not touched, nor one that only looks alike.
    fs::write(out.path().join(".openledger-notes"), b"mine").unwrap();
    json(get(other.path(), &small, &out.path().join("first"), &peer));
    assert!(listing(out.path()).contains(&partial), "its process lives");

    fetch.kill().unwrap();
    fetch.wait().unwrap();
    json(get(other.path(), &small, &out.path().join("second"), &peer));
    assert_eq!(listing(out.path()), [".openledger-notes", "first", "second"]);
}

#[test]
fn get_overwrites_only_when_told() {
    let (store, files) = (directory(), directory());
    let (source, copy) = (files.path().join("source"), files.path().join("copy"));
    fs::write(&source, b"new").unwrap();
    fs::write(&copy, b"old").unwrap();
    let added = add(store.path(), &source);
    let refused = get(store.path(), &added, &copy, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("exists already"), "{said}");
    assert_eq!(fs::read(&copy).unwrap(), b"old");
    json(get(store.path(), &added, &copy, &["--overwrite"]));
    assert_eq!(fs::read(&copy).unwrap(), b"new");
}

#[test]
fn a_daemon_stops_cleanly_at_a_signal() {
    for signal in ["-INT", "-TERM"] {
        let directory = directory();
        let daemon = Daemon::start(directory.path(), &[]);
        daemon.signal(signal);
        assert!(daemon.wait().success());
        assert!(!directory.path().join("addresses.json").exists());
    }
}

#[test]
fn exit_codes_tell_unavailable_from_wrong() {
    let (owner, other, files) = (directory(), directory(), directory());
    let source = files.path().join("source.txt");
    fs::write(&source, b"as promised").unwrap();
    let daemon = Daemon::start(owner.path(), &[]);
    let mut added = add(owner.path(), &source);
    let out = directory();
    let copy = out.path().join("copy.txt");

    added["sha256"] = "00".repeat(32).into();
    let wrong = get(other.path(), &added, &copy, &["--peer", &daemon.address]);
    assert_eq!(wrong.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("was promised"));

    added["content"] = "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu".into();
    let args = ["--peer", &daemon.address, "--timeout", "0.5"];
    let absent = program()
        .args(["get", added["content"].as_str().unwrap(), "--directory"])
        .arg(other.path())
        .arg("--output")
        .arg(&copy)
        .args(args)
        .output()
        .unwrap();
    assert_eq!(absent.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&absent.stderr).contains("could not fetch"));
    assert_eq!(listing(out.path()), Vec::<String>::new());

    let taken = program().args(["daemon", "--directory"]).arg(owner.path()).output().unwrap();
    assert_eq!(taken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("already running"));

    for arguments in [
        vec!["get", "not-a-cid", "--output", "x"],
        vec!["get", "Qmc5gCcjYypU7y28oCALwfSvxCBskLuPKWpK4qpterKC7z", "--output", "x"],
        vec!["daemon", "--listen", "localhost:4001"],
        vec!["daemon", "--peer", "nonsense"],
        vec!["get", added["content"].as_str().unwrap(), "--output", "x", "--sha256", "12"],
    ] {
        let refused = program().args(&arguments).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(!refused.stderr.is_empty());
    }
}

#[test]
fn help_shows_examples() {
    let mut child = program().arg("--help").stdout(Stdio::piped()).spawn().unwrap();
    let mut help = String::new();
    child.stdout.take().unwrap().read_to_string(&mut help).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(help.contains("Examples:") && help.contains("openledger-ipfs daemon --directory"));
}
