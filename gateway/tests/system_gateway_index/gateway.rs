//! A gateway on a folder.

use super::http::{ask, head, Answer};
use openledger_tests::{cli::forget_environment, process::Process};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A running gateway; it is killed when dropped.
pub struct Gateway {
    process: Process,
    pub address: SocketAddr,
}

/// The command that starts one.
pub fn command(node: &str, directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openledger-gateway"));
    forget_environment(&mut command);
    command.args(["--node", node, "--listen", "127.0.0.1:0"]).arg("--directory").arg(directory);
    command
}

impl Gateway {
    pub fn start(node: &str, directory: &Path) -> Self {
        let log: PathBuf = directory.with_extension("log");
        let _ = std::fs::remove_file(&log);
        let mut process =
            Process::start("the gateway", command(node, directory), log.clone()).unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        let address = loop {
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
        Self { process, address }
    }

    /// Ends it without a warning.
    pub fn kill(mut self) {
        self.process.kill();
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask(path).await.ok()
    }

    pub async fn ask(&self, path: &str) -> Answer {
        ask(self.address, "GET", path, &[], &[]).await
    }

    /// Waits until a block is indexed.
    pub async fn wait_for(&self, block: u32) {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let status = self.get("/v1/status").await;
            assert_eq!(status["stopped"], Value::Null);
            if status["indexed"].as_u64().is_some_and(|indexed| indexed >= block.into()) {
                return;
            }
            assert!(Instant::now() < end, "block {block} is not indexed: {status}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Listens after an event until one of a block is at hand; returns all ids.
    pub async fn listen(&self, after: &str, until: u32) -> Vec<String> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let mut stream = BufReader::new(stream);
        let head = head(self.address, "GET", "/v1/stream", &[("Last-Event-ID", after)]) + "\r\n";
        stream.get_mut().write_all(head.as_bytes()).await.unwrap();
        let (mut ids, mut id) = (Vec::new(), String::new());
        loop {
            let mut line = String::new();
            let read = stream.read_line(&mut line);
            tokio::time::timeout(Duration::from_secs(60), read).await.unwrap().unwrap();
            if let Some(found) = line.strip_prefix("id: ") {
                id = found.trim().to_owned();
            }
            if line.starts_with("data: ") {
                ids.push(id.clone());
                let block: u32 = id.split('-').next().unwrap().parse().unwrap();
                if block >= until && id.ends_with("-end") {
                    return ids;
                }
            }
        }
    }
}
