//! The gateway of a network.

use super::{is_free, Network, EVERY, READY};
use crate::{cli::forget_environment, interrupt::poll, process::Process, Error, Result};
use std::process::Command;

/// The gateway's usual port.
const USUAL_GATEWAY_PORT: u16 = 8000;

/// How the gateway is run.
#[derive(Clone, Debug)]
pub(super) struct GatewayOptions {
    /// 0 for a free one.
    pub(super) port: u16,
    pub(super) faucet: String,
    pub(super) peers: Vec<String>,
    /// Servers of answers, `NAME=URL`.
    pub(super) servers: Vec<String>,
}

impl Network {
    /// Where the gateway's IPFS node listens.
    pub fn gateway_address(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}", self.gateway_ipfs_port)
    }

    /// Starts the gateway with a faucet, at port 8000 if that is free and the usual ports are asked for;
    /// returns its port.
    ///
    /// # Errors
    ///
    /// If it does not say within a minute and a half where it listens.
    pub fn start_gateway(&mut self, faucet: &str, peers: &[String]) -> Result<u16> {
        let port = match self.usual_port && is_free(USUAL_GATEWAY_PORT) {
            true => USUAL_GATEWAY_PORT,
            false => 0,
        };
        let (faucet, peers) = (faucet.to_owned(), peers.to_vec());
        self.run_gateway(GatewayOptions { port, faucet, peers, servers: Vec::new() })
    }

    /// Stops the gateway and starts it again at its port, now with these servers of answers (`NAME=URL`).
    ///
    /// # Errors
    ///
    /// As [`Network::start_gateway`].
    pub fn restart_gateway(&mut self, servers: &[String]) -> Result<u16> {
        let Some(options) = self.gateway_options.clone() else {
            return Err(Error::broken("the network", "no gateway was started"));
        };
        if let Some(mut gateway) = self.gateway.take() {
            gateway.stop();
        }
        self.run_gateway(GatewayOptions { servers: servers.to_vec(), ..options })
    }

    /// The gateway's port, once it was started.
    pub fn gateway_port(&self) -> Option<u16> {
        self.gateway_options.as_ref().map(|options| options.port)
    }

    pub(super) fn gateway_url(&self) -> Option<String> {
        self.gateway_port().map(|port| format!("http://localhost:{port}"))
    }

    fn run_gateway(&mut self, options: GatewayOptions) -> Result<u16> {
        let mut command = Command::new(&self.binaries.gateway);
        command
            .args(["--node", &self.url(), "--listen", &format!("127.0.0.1:{}", options.port)])
            .args(["--faucet-key", &options.faucet, "--ipfs-listen", &self.gateway_address()])
            .arg("--directory")
            .arg(self.directory.join("gateway"));
        forget_environment(&mut command);
        for peer in &options.peers {
            command.args(["--ipfs-peer", peer]);
        }
        for server in &options.servers {
            command.args(["--chat-server", server]);
        }
        let log = self.log("gateway");
        // Where it listened before says nothing of where it listens now.
        let _ = std::fs::remove_file(&log);
        let mut process = Process::start("the gateway", command, log.clone())?;
        let port = poll(READY, EVERY, || {
            process.ensure_running()?;
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            Ok(text.lines().find_map(|line| {
                line.strip_prefix("listening on http://localhost:")?.trim().parse().ok()
            }))
        })?
        .ok_or_else(|| process.failure("it does not say where it listens", "read its log"))?;
        self.gateway = Some(process);
        self.gateway_options = Some(GatewayOptions { port, ..options });
        Ok(port)
    }
}
