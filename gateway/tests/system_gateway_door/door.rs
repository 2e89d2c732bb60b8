//! A gateway as its operator would start it, over a chain that the tests of this program share.

use super::http::{ask, Answer};
use openledger_tests::{cli::forget_environment, process::Process, Binaries, Network};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A chain, ended with the last test that uses it.
pub struct Chain {
    pub network: Network,
    _folder: TempDir,
}

/// The chain; started by who comes first.
pub fn chain() -> Arc<Chain> {
    static SHARED: OnceLock<Mutex<Weak<Chain>>> = OnceLock::new();
    let shared = SHARED.get_or_init(Mutex::default);
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(chain) = shared.upgrade() {
        return chain;
    }
    let chain = own_chain();
    *shared = Arc::downgrade(&chain);
    chain
}

/// A chain that no other test writes to.
pub fn own_chain() -> Arc<Chain> {
    let folder = tempfile::tempdir().unwrap();
    let binaries = Binaries::beside_this_program().unwrap();
    let network = Network::start(binaries, folder.path(), false).unwrap();
    Arc::new(Chain { network, _folder: folder })
}

/// A running gateway; it is killed when dropped.
pub struct Door {
    process: Process,
    pub address: SocketAddr,
    /// What lies here is the operator's; the gateway's own folder is `gateway`.
    pub folder: PathBuf,
    _folder: TempDir,
    pub chain: Arc<Chain>,
}

impl Door {
    /// Opens one with arguments of the operator.
    pub fn open(arguments: &[&str]) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), arguments)
    }

    /// The same in a folder in which something lies already.
    pub fn open_in(folder: TempDir, arguments: &[&str]) -> Self {
        Self::open_on(chain(), folder, arguments)
    }

    /// The same on a chain.
    pub fn open_on(chain: Arc<Chain>, folder: TempDir, arguments: &[&str]) -> Self {
        let url = chain.network.url();
        Self::open_at(chain, folder, &url, arguments)
    }

    /// The same by a way to its node.
    pub fn open_at(chain: Arc<Chain>, folder: TempDir, url: &str, arguments: &[&str]) -> Self {
        let log = folder.path().join("gateway.log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_openledger-gateway"));
        forget_environment(&mut command);
        command
            .args(["--node", url, "--listen", "127.0.0.1:0"])
            .arg("--directory")
            .arg(folder.path().join("gateway"))
            .args(arguments);
        let mut process = Process::start("the gateway", command, log.clone()).unwrap();
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
        Self { process, address, folder: folder.path().to_owned(), _folder: folder, chain }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], &[]).await
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        ask(self.address, method, path, headers, body).await
    }

    /// Waits until a block is indexed.
    pub async fn wait_for(&self, block: u32) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.get("/v1/status").await.ok()["indexed"].as_u64() < Some(block.into()) {
            assert!(Instant::now() < end, "block {block} is not indexed");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The most memory that the gateway has had, in bytes.
    pub fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Every file below a folder.
    pub fn files(folder: &Path) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }
}
