//! A node, and a gateway beside it.

use super::http::{ask, Answer};
use openledger_client::{AccountId, Client};
use openledger_tests::{cli::forget_environment, process::Process, Binaries, Network};
use serde_json::{json, Value};
use sp_core::{sr25519, Pair};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

pub const GATEWAY: &str = env!("CARGO_BIN_EXE_openledger-gateway");

/// A node and a gateway.
pub struct Gateway {
    // Dropped first: it talks to the node.
    process: Option<Process>,
    network: Network,
    pub address: SocketAddr,
    directory: PathBuf,
}

impl Gateway {
    /// Starts both; everything lies in the folder.
    pub fn start(directory: &Path) -> Self {
        let binaries = Binaries::beside_this_program().unwrap();
        let network = Network::start(binaries, &directory.join("network"), false).unwrap();
        let address = ([127, 0, 0, 1], 0).into();
        let mut gateway =
            Self { process: None, network, address, directory: directory.join("gateway") };
        gateway.start_gateway();
        gateway
    }

    fn start_gateway(&mut self) {
        let log = self.directory.with_extension("log");
        let _ = std::fs::remove_file(&log);
        let mut command = Command::new(GATEWAY);
        forget_environment(&mut command);
        command
            .args(["--node", &self.network.url(), "--listen", "127.0.0.1:0"])
            .args(["--faucet-key", "//Alice", "--faucet-per-address", "200"])
            .args(["--max-uploads-per-address", "64"])
            .arg("--directory")
            .arg(&self.directory);
        let mut process = Process::start("the gateway", command, log.clone()).unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        self.address = loop {
            process.ensure_running().unwrap();
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let port =
                text.lines().find_map(|line| line.strip_prefix("listening on http://localhost:"));
            if let Some(port) = port.and_then(|port| port.trim().parse().ok()) {
                break ([127, 0, 0, 1], port).into();
            }
            assert!(Instant::now() < end, "the gateway does not start: {text}");
            std::thread::sleep(Duration::from_millis(50));
        };
        self.process = Some(process);
    }

    /// Kills the gateway (SIGKILL) and starts it again on the same folder.
    pub fn kill_and_start(&mut self) {
        self.process.take().unwrap().kill();
        self.start_gateway();
    }

    /// The most memory that the gateway has had, in bytes.
    pub fn peak(&self) -> u64 {
        let id = self.process.as_ref().unwrap().id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// The chain.
    pub async fn client(&self) -> Client {
        Client::connect_to(&self.network.url()).await.unwrap()
    }

    /// The node's address.
    pub fn node(&self) -> String {
        self.network.url()
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        ask(self.address, "POST", path, &[], body.to_string().as_bytes()).await
    }

    /// A session of a key.
    pub async fn sign_in(&self, pair: &sr25519::Pair) -> String {
        let account = AccountId::from(pair.public().0).to_string();
        let body = json!({ "account": account, "purpose": "upload" });
        let challenge = self.post("/v1/sessions/challenge", body).await.ok();
        let message = format!("<Bytes>{}</Bytes>", challenge["message"].as_str().unwrap());
        let signature = hex::encode(pair.sign(message.as_bytes()).0);
        let body =
            json!({ "account": account, "nonce": challenge["nonce"], "signature": signature });
        let opened = self.post("/v1/sessions", body).await.ok();
        format!("Bearer {}", opened["token"].as_str().unwrap())
    }
}
