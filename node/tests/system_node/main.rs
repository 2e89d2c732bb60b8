//! The node as its operators meet it: chain specs, clear refusals, and two validators that finalise.

use openledger_tests::{network::free_port, process::Process, rpc::Rpc};
use serde_json::{json, Value};
use std::{
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

mod warp_proofs;

const NODE: &str = env!("CARGO_BIN_EXE_openledger-node");
/// The peer id of the key that `--node-key 00…01` names.
const FIRST_PEER: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

fn node(arguments: &[&str]) -> Output {
    Command::new(NODE).args(arguments).output().expect("the node starts")
}

fn exported(chain: &str) -> Value {
    let output = node(&["export-chain-spec", "--chain", chain]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a chain spec is JSON")
}

#[test]
fn an_exported_spec_names_the_token_as_wallets_need_it() {
    for (chain, kind) in [("dev", "Development"), ("local", "Local")] {
        let spec = exported(chain);
        assert_eq!(spec["chainType"], kind);
        assert_eq!(
            spec["properties"],
            json!({"ss58Format": 42, "tokenDecimals": 18, "tokenSymbol": "OPEN"})
        );
        let code =
            spec["genesis"]["runtimeGenesis"]["code"].as_str().expect("it holds the runtime");
        assert!(code.len() > 100_000, "the runtime's blob is there whole");
    }
}

#[test]
fn a_node_without_a_network_says_what_to_name() {
    let output = node(&["--tmp"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(words.contains("--dev") && words.contains("--chain"), "{words}");
}

#[test]
fn a_chain_spec_that_does_not_exist_is_refused_by_name() {
    let output = node(&["--chain", "no-such-spec.json", "--tmp"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(words.contains("no-such-spec.json"), "{words}");
}

fn validator(name: &str, directory: &Path, more: &[&str]) -> (Process, Rpc) {
    let port = free_port().expect("a port is free");
    let mut command = Command::new(NODE);
    command
        .args(["--chain", "local", &format!("--{}", name.to_lowercase())])
        .args(["--rpc-port", &port.to_string(), "--no-prometheus", "--no-telemetry"])
        .arg("--base-path")
        .arg(directory.join(name))
        .args(more);
    let process = Process::start(name, command, directory.join(format!("{name}.log")))
        .expect("the validator starts");
    (process, Rpc::new(port))
}

#[test]
fn a_validator_without_session_keys_says_so_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let key = format!("{}1", "0".repeat(63));
    for (name, who, expected) in [("keyless", "--validator", true), ("alice", "--alice", false)] {
        let port = free_port().expect("a port is free");
        let mut command = Command::new(NODE);
        command
            .args(["--chain", "local", who, "--node-key", &key, "--no-mdns", "--port", "0"])
            .args(["--rpc-port", &port.to_string(), "--no-prometheus", "--no-telemetry"])
            .args(["--force-authoring", "--base-path"])
            .arg(folder.path().join(name));
        let log = folder.path().join(format!("{name}.log"));
        let mut process = Process::start(name, command, log.clone()).expect("the node starts");
        let rpc = Rpc::new(port);
        let end = Instant::now() + Duration::from_secs(90);
        let said = || {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            log.matches("has no session keys").count() == 1 && log.contains("validator keys`")
        };
        // The one with keys has made blocks by the time at which it would have said something.
        while !said() && rpc.block().unwrap_or(0) < 2 {
            process.ensure_running().unwrap_or_else(|error| panic!("{error}"));
            assert!(Instant::now() < end, "{name} is not there in time");
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(said(), expected, "{name}");
    }
}

#[test]
fn two_validators_finalise_each_others_blocks() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let port = free_port().expect("a port is free").to_string();
    let key = format!("{}1", "0".repeat(63));
    let (mut alice, to_alice) =
        validator("Alice", folder.path(), &["--port", &port, "--node-key", &key]);
    let boot = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{FIRST_PEER}");
    let other = free_port().expect("a port is free").to_string();
    let (mut bob, to_bob) = validator(
        "Bob",
        folder.path(),
        &["--port", &other, "--bootnodes", &boot, "--unsafe-force-node-key-generation"],
    );

    // Generous: how long a machine takes is not what is tested.
    let patience = Instant::now() + Duration::from_secs(180);
    loop {
        alice.ensure_running().expect("Alice runs");
        bob.ensure_running().expect("Bob runs");
        let finalised = |rpc: &Rpc| rpc.finalised().unwrap_or(0);
        let both = finalised(&to_alice).min(finalised(&to_bob));
        if both >= 2 {
            let hash = |rpc: &Rpc| rpc.call("chain_getBlockHash", json!([both])).expect("a hash");
            assert_eq!(hash(&to_alice), hash(&to_bob));
            break;
        }
        assert!(Instant::now() < patience, "nothing was finalised: {:?}", bob.last_lines(5));
        std::thread::sleep(Duration::from_millis(500));
    }
    bob.stop();
    alice.stop();
}
