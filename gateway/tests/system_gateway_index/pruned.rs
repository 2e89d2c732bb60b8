//! A node that threw its past away.

use super::gateway::command;
use openledger_tests::{network::free_port, process::Process, Binaries, Rpc};
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn a_node_that_threw_its_past_away_is_refused_by_the_first_missing_block() {
    let folder = tempfile::tempdir().unwrap();
    let binaries = Binaries::beside_this_program().unwrap();
    let port = free_port().unwrap();
    let mut node = Command::new(&binaries.node);
    node.args(["--dev", "--state-pruning", "2", "--no-mdns", "--no-telemetry", "--no-prometheus"])
        .args(["--rpc-port", &port.to_string(), "--port", &free_port().unwrap().to_string()])
        .arg("--base-path")
        .arg(folder.path().join("node"));
    let log = folder.path().join("node.log");
    let mut node = Process::start("the node", node, log).unwrap();
    let rpc = Rpc::new(port);
    let end = Instant::now() + Duration::from_secs(180);
    while !rpc.finalised().is_ok_and(|finalised| finalised >= 6) {
        node.ensure_running().unwrap();
        assert!(Instant::now() < end, "no block is final");
        std::thread::sleep(Duration::from_millis(500));
    }
    let url = format!("ws://127.0.0.1:{port}");
    let refused = command(&url, &folder.path().join("gateway")).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("the state of block 1, the first that the index lacks"), "{said}");
    assert!(said.contains("--state-pruning archive"), "{said}");
}
