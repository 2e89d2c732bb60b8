//! A development network: node, IPFS nodes and worker as processes of their own.

mod gateway;

use crate::{
    cli::forget_environment,
    fresh,
    interrupt::{self, poll},
    process::Process,
    rpc::{Rpc, RpcError},
    Error, Result,
};
use gateway::GatewayOptions;
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// The node's usual JSON-RPC port.
pub const USUAL_PORT: u16 = 9944;

/// How long a program may take until it is ready. Generous: a busy machine is no fault.
const READY: Duration = Duration::from_secs(90);
/// How often readiness is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// The programs.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// `openledger-node`
    pub node: PathBuf,
    /// `openledger`
    pub cli: PathBuf,
    /// `openledger-gateway`
    pub gateway: PathBuf,
    /// `openledger-decode`, which the curators' `openledger` starts
    pub decode: PathBuf,
    /// `openledger-ipfs`
    pub ipfs: PathBuf,
    /// `trainer-worker`
    pub worker: PathBuf,
}

impl Binaries {
    /// The programs in a folder.
    ///
    /// # Errors
    ///
    /// Names the program that is missing or older than its sources, and the command that builds it.
    pub fn in_directory(directory: &Path) -> Result<Self> {
        let find = |name: &str| {
            let path = directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if path.is_file() {
                fresh::require(&path)?;
                return Ok(path);
            }
            Err(Error::failed(
                name,
                format!("there is no {}", path.display()),
                format!("build it with `cargo build --workspace --bin {name}`"),
            ))
        };
        Ok(Self {
            node: find("openledger-node")?,
            cli: find("openledger")?,
            gateway: find("openledger-gateway")?,
            decode: find("openledger-decode")?,
            ipfs: find("openledger-ipfs")?,
            worker: find("trainer-worker")?,
        })
    }

    /// The programs beside this one, or, for a test executable in `deps/`, one folder up.
    ///
    /// # Errors
    ///
    /// As [`Binaries::in_directory`].
    pub fn beside_this_program() -> Result<Self> {
        let own = std::env::current_exe()
            .map_err(|cause| Error::file(Path::new("this program"), &cause))?;
        let folder = own.parent().unwrap_or(Path::new("."));
        match folder.file_name() {
            Some(name) if name == "deps" => {
                Self::in_directory(folder.parent().unwrap_or(Path::new(".")))
            }
            _ => Self::in_directory(folder),
        }
    }
}

/// An IPFS node.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    /// Where its blocks and its key live.
    pub directory: PathBuf,
    /// Its multiaddresses, its peer id included.
    pub addresses: Vec<String>,
}

/// How a worker is run.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Its key, as `--key` takes it.
    pub key: String,
    /// Base models it has on disk.
    pub models: Vec<PathBuf>,
    /// Plancks a token.
    pub price: u128,
    /// IPFS peers it fetches from.
    pub peers: Vec<String>,
}

/// The processes of one network. All are stopped when this is dropped.
#[derive(Debug)]
pub struct Network {
    binaries: Binaries,
    directory: PathBuf,
    name: String,
    rpc: Rpc,
    // Dropped in this order: who talks to the node goes first.
    gateway: Option<Process>,
    gateway_options: Option<GatewayOptions>,
    gateway_ipfs_port: u16,
    usual_port: bool,
    server: Option<Process>,
    worker: Option<Process>,
    worker_options: Option<WorkerOptions>,
    worker_port: u16,
    daemons: BTreeMap<String, Daemon>,
    node: Option<Process>,
    notes: Vec<String>,
}

impl Network {
    /// Starts a development chain whose data and logs lie in `directory`, and waits for its first
    /// block. The JSON-RPC port is 9944 if that is free and `usual_port` asks for it.
    ///
    /// # Errors
    ///
    /// If the node does not come up.
    pub fn start(binaries: Binaries, directory: &Path, usual_port: bool) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        for folder in [directory.to_owned(), directory.join("logs")] {
            std::fs::create_dir_all(&folder).map_err(|cause| Error::file(&folder, &cause))?;
        }
        let mut notes = Vec::new();
        let port = if usual_port && is_free(USUAL_PORT) {
            USUAL_PORT
        } else {
            let port = free_port()?;
            if usual_port {
                notes.push(format!(
                    "Port {USUAL_PORT} is taken by another program; this chain answers at port {port}."
                ));
            }
            port
        };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut network = Self {
            binaries,
            directory: directory.to_owned(),
            name: format!("openledger-{}-{count}", std::process::id()),
            rpc: Rpc::new(port),
            gateway: None,
            gateway_options: None,
            gateway_ipfs_port: free_port()?,
            usual_port,
            server: None,
            worker: None,
            worker_options: None,
            worker_port: free_port()?,
            daemons: BTreeMap::new(),
            node: None,
            notes,
        };
        if let Err(error) = network.start_node(&[]) {
            // Somebody else may have taken the port since it was looked at.
            if port != USUAL_PORT || interrupt::interrupted() {
                return Err(error);
            }
            network.node = None;
            network.rpc = Rpc::new(free_port()?);
            network.notes.push(format!(
                "Port {USUAL_PORT} was taken meanwhile; this chain answers at port {}.",
                network.rpc.port()
            ));
            network.start_node(&[])?;
        }
        Ok(network)
    }

    /// Sentences for people about how the network was started.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The node's JSON-RPC.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The node's address for clients.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc.port())
    }

    /// Where everything of this network lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The programs it runs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The log of a program.
    pub fn log(&self, name: &str) -> PathBuf {
        self.directory.join("logs").join(format!("{name}.log"))
    }

    fn start_node(&mut self, more: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.binaries.node);
        command
            .arg("--dev")
            .args(["--state-pruning", "archive", "--no-mdns", "--no-telemetry", "--no-prometheus"])
            .args(["--name", &self.name])
            .args(["--rpc-port", &self.rpc.port().to_string()])
            .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{}", free_port()?)])
            .arg("--base-path")
            .arg(self.directory.join("node"))
            .args(more);
        let mut process = Process::start("the node", command, self.log("node"))?;
        let rpc = self.rpc.clone();
        let log = self.log("node");
        let ready = poll(READY, EVERY, || {
            process.ensure_running()?;
            // Another node may answer at a port that was taken: compare with what ours has logged.
            let Ok(Value::String(answer)) = rpc.call("system_localPeerId", json!([])) else {
                return Ok(None);
            };
            match logged_identity(&log) {
                Some(own) if own == answer => Ok(rpc.block().ok().filter(|block| *block > 0)),
                Some(_) => Err(process.failure(
                    format!("port {} belongs to another node, {answer}", rpc.port()),
                    "stop the other node, or run again: another port is taken then",
                )),
                None => Ok(None),
            }
        })?;
        if ready.is_none() {
            return Err(process.failure(
                format!("no first block within {} s", READY.as_secs()),
                "read the log; a block is due every 3 s",
            ));
        }
        self.node = Some(process);
        Ok(())
    }

    /// Stops the node and starts it again on the same data; returns the block number before and
    /// after.
    ///
    /// # Errors
    ///
    /// If it does not come up again.
    pub fn restart_node(&mut self) -> Result<(u64, u64)> {
        let before = self.block()?;
        if let Some(mut node) = self.node.take() {
            node.stop();
        }
        self.start_node(&[])?;
        Ok((before, self.block()?))
    }

    /// Ends the node at once (SIGKILL), as a power cut does: what waits in its pool is lost.
    pub fn kill_node(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.kill();
        }
    }

    /// Starts a node that was killed again, on the same data and port, with more arguments.
    ///
    /// # Errors
    ///
    /// If it does not come up again.
    pub fn revive_node(&mut self, more: &[&str]) -> Result<()> {
        self.start_node(more)
    }

    /// Fails if a process of the network has ended by itself.
    ///
    /// # Errors
    ///
    /// Names it, with its log.
    pub fn ensure_running(&mut self) -> Result<()> {
        let daemons = self.daemons.values_mut().map(|daemon| &mut daemon.process);
        for process in self
            .node
            .iter_mut()
            .chain(daemons)
            .chain(&mut self.worker)
            .chain(&mut self.server)
            .chain(&mut self.gateway)
        {
            process.ensure_running()?;
        }
        Ok(())
    }

    /// Calls a method of the node.
    ///
    /// # Errors
    ///
    /// With the node's log.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.rpc.call(method, params).map_err(|error| self.rpc_failure(&error))
    }

    /// Number of the best block.
    ///
    /// # Errors
    ///
    /// As [`Network::call`].
    pub fn block(&self) -> Result<u64> {
        self.rpc.block().map_err(|error| self.rpc_failure(&error))
    }

    /// Waits until block `number` is the best one or below it.
    ///
    /// # Errors
    ///
    /// If the chain stands still for a minute and a half.
    pub fn wait_for_block(&self, number: u64) -> Result<()> {
        let mut last = self.block()?;
        while last < number {
            let seen = last;
            last = poll(READY, EVERY, || Ok(Some(self.block()?).filter(|now| *now > seen)))?
                .ok_or_else(|| {
                    Error::failed(
                        "the node",
                        format!("no block after {seen} for {} s", READY.as_secs()),
                        "read the node's log",
                    )
                    .with_log(&self.log("node"))
                })?;
        }
        Ok(())
    }

    fn rpc_failure(&self, error: &RpcError) -> Error {
        Error::failed("the node", error.to_string(), "read the node's log")
            .with_log(&self.log("node"))
    }

    /// Starts an IPFS node that stays connected with `peers`.
    ///
    /// # Errors
    ///
    /// If it does not say within a minute and a half where it listens.
    pub fn start_daemon(&mut self, name: &str, peers: &[String]) -> Result<&Daemon> {
        let directory = self.directory.join("ipfs").join(name);
        std::fs::create_dir_all(&directory).map_err(|cause| Error::file(&directory, &cause))?;
        let mut command = Command::new(&self.binaries.ipfs);
        command.args(["daemon", "--output", "json", "--listen", "/ip4/127.0.0.1/tcp/0"]);
        command.arg("--directory").arg(&directory);
        forget_environment(&mut command);
        for peer in peers {
            command.args(["--peer", peer]);
        }
        let log = self.log(&format!("ipfs-{name}"));
        let _ = std::fs::remove_file(&log);
        let mut process = Process::start(format!("{name}'s IPFS node"), command, log.clone())?;
        let addresses = poll(READY, EVERY, || {
            process.ensure_running()?;
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            Ok(text.lines().find_map(addresses_of))
        })?
        .ok_or_else(|| process.failure("it does not say where it listens", "read its log"))?;
        let daemon = Daemon { process, directory, addresses };
        self.daemons.insert(name.to_owned(), daemon);
        self.daemon(name)
    }

    /// A running IPFS node.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn daemon(&self, name: &str) -> Result<&Daemon> {
        self.daemons
            .get(name)
            .ok_or_else(|| Error::broken("the network", format!("no IPFS node {name} was started")))
    }

    /// Starts the worker.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start_worker(&mut self, options: WorkerOptions) -> Result<()> {
        let directory = self.directory.join("worker");
        let mut command = Command::new(&self.binaries.worker);
        command
            .args(["run", "--node", &self.url(), "--key", &options.key])
            .args(["--price", &options.price.to_string(), "--listen", &self.worker_address()])
            // Progress every other block is worth its fee to somebody who watches.
            .args(["--heartbeat", "5"])
            .args(self.gateway_url().iter().flat_map(|url| ["--report", url]))
            .arg("--ipfs-directory")
            .arg(directory.join("ipfs"))
            .arg("--work-directory")
            .arg(directory.join("work"));
        forget_environment(&mut command);
        for model in &options.models {
            command.arg("--model").arg(model);
        }
        for peer in &options.peers {
            command.args(["--peer", peer]);
        }
        self.worker = Some(Process::start("the worker", command, self.log("worker"))?);
        self.worker_options = Some(options);
        Ok(())
    }

    /// Where the worker's IPFS node listens.
    pub fn worker_address(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}", self.worker_port)
    }

    /// Starts a server of answers with a base model, which knows the chain and the worker's IPFS node;
    /// returns its port.
    ///
    /// # Errors
    ///
    /// If it does not say within a minute and a half where it listens.
    pub fn start_server(&mut self, model: &Path, name: &str) -> Result<u16> {
        let directory = self.directory.join("server");
        let mut command = Command::new(&self.binaries.worker);
        command.args(["serve", "--output", "json", "--address", "127.0.0.1:0", "--name", name]);
        command.arg("--model").arg(model);
        forget_environment(&mut command);
        command.args(["--node", &self.url(), "--peer", &self.worker_address()]);
        command.arg("--ipfs-directory").arg(directory.join("ipfs"));
        command.arg("--adapter-cache").arg(directory.join("adapters"));
        let log = self.log("server");
        let mut process = Process::start("the server", command, log.clone())?;
        let port = poll(READY, EVERY, || {
            process.ensure_running()?;
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            Ok(text.lines().find_map(port_of))
        })?
        .ok_or_else(|| process.failure("it does not say where it listens", "read its log"))?;
        self.server = Some(process);
        Ok(port)
    }

    /// Kills the worker (SIGKILL) and starts it again as it was; returns the two process ids.
    ///
    /// # Errors
    ///
    /// If there is no worker, or it cannot be started again.
    pub fn kill_and_restart_worker(&mut self) -> Result<(u32, u32)> {
        let (Some(mut worker), Some(options)) = (self.worker.take(), self.worker_options.clone())
        else {
            return Err(Error::broken("the network", "no worker was started"));
        };
        let before = worker.id();
        worker.kill();
        self.start_worker(options)?;
        Ok((before, self.worker.as_ref().map_or(0, Process::id)))
    }

    /// What the worker said last, without time and level.
    pub fn worker_says(&self) -> Option<String> {
        let line = self.worker.as_ref()?.last_lines(1).pop()?;
        Some(line.split_once("INFO ").map_or(line.as_str(), |(_, words)| words).trim().to_owned())
    }
}

/// The port in the line that a server prints when it is ready.
fn port_of(line: &str) -> Option<u16> {
    let value: Value = serde_json::from_str(line.trim()).ok()?;
    value.get("address")?.as_str()?.rsplit(':').next()?.parse().ok()
}

/// The addresses in the line that an IPFS node prints when it is ready.
fn addresses_of(line: &str) -> Option<Vec<String>> {
    let value: Value = serde_json::from_str(line.trim()).ok()?;
    let addresses: Vec<String> = value
        .get("addresses")?
        .as_array()?
        .iter()
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    (!addresses.is_empty()).then_some(addresses)
}

/// The peer id that the node wrote to its log at its last start.
fn logged_identity(log: &Path) -> Option<String> {
    const MARK: &str = "Local node identity is: ";
    let bytes = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().rev().find(|line| line.contains(MARK))?;
    Some(line.split_once(MARK)?.1.trim().to_owned())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A TCP port that nothing listens on right now.
///
/// # Errors
///
/// If the system has none left.
pub fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|cause| {
            Error::failed(
                "the network",
                format!("no free port on 127.0.0.1: {cause}"),
                "close programs that hold many connections",
            )
        })
}
