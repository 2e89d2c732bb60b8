//! Honest members: `openledger review run`, each with a folder of its own.

use openledger_client::{AccountId, Signer};
use openledger_tests::{
    cli::forget_environment, http, network::free_port, process::Process, Actor, Network, Result,
};
use std::{path::PathBuf, process::Command, time::Duration};

/// A member's program.
pub(crate) struct Reviewer {
    pub(crate) name: String,
    pub(crate) account: AccountId,
    pub(crate) folder: PathBuf,
    key: String,
    policy: Option<PathBuf>,
    peers: Vec<String>,
    /// Where it serves what it accepts, which it says on the chain.
    listen: u16,
    /// Where it tells Prometheus.
    port: u16,
    process: Option<Process>,
}

impl Reviewer {
    /// One that is not started; `policy` names a file, without it everything readable has the score 60.
    pub(crate) fn new(
        network: &Network,
        place: usize,
        policy: Option<PathBuf>,
        peers: &[String],
    ) -> Self {
        let name = format!("Reviewer{place}");
        let key = format!("//{name}");
        let signer = Signer::from_secret(&key).expect("a development key");
        Self {
            account: signer.account(),
            folder: network.directory().join("reviewers").join(&name),
            name,
            key,
            policy,
            peers: peers.to_vec(),
            listen: free_port().unwrap_or_else(|error| panic!("{error}")),
            port: free_port().unwrap_or_else(|error| panic!("{error}")),
            process: None,
        }
    }

    /// Starts its program.
    pub(crate) fn start(&mut self, network: &Network) -> Result<()> {
        let mut command = Command::new(&network.binaries().cli);
        forget_environment(&mut command);
        command
            .env("RUST_LOG", "info")
            .args(["--output", "json", "--node", &network.url(), "--key", &self.key])
            .arg("--ipfs-directory")
            .arg(self.folder.join("ipfs"));
        for peer in &self.peers {
            command.args(["--peer", peer]);
        }
        command.args(["review", "run", "--every", "2", "--tries", "3"]);
        command.args(["--listen", &format!("/ip4/127.0.0.1/tcp/{}", self.listen)]);
        command.args(["--metrics", &format!("127.0.0.1:{}", self.port)]);
        match &self.policy {
            Some(policy) => command.arg("--policy").arg(policy),
            None => command.args(["--score", "60"]),
        };
        let log = network.log(&self.name);
        self.process = Some(Process::start(self.name.clone(), command, log)?);
        Ok(())
    }

    /// Kills it (SIGKILL) and starts it again as it was.
    pub(crate) fn kill_and_start(&mut self, network: &Network) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.ensure_running()?;
            process.kill();
        }
        self.start(network)
    }

    /// Who answers for it.
    pub(crate) fn actor(&self) -> Actor {
        Actor::new("a reviewer", self.key.clone()).with_ipfs(&self.folder.join("ipfs"))
    }

    /// What it tells Prometheus.
    pub(crate) fn metrics(&self) -> std::io::Result<String> {
        let answer = http::request(self.port, "GET", "/metrics", "", Duration::from_secs(30))?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}
