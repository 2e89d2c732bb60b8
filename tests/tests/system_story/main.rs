//! The whole system with real processes: a chain, IPFS nodes, a worker, and the command line.

mod deploy;
mod disputes;
mod pools;
mod programs;
mod quota;
mod reference;
mod referendum;
mod rpc;
mod staking;
mod submit;
mod transactions;
mod tutorials;
mod validators;
mod whole_story;

use openledger_tests::{
    cli::{forget_environment, number, text},
    Actor, Binaries, Cli, Network,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

static TURN: RwLock<()> = RwLock::new(());

/// For tests of a few commands: several may run at once, but not beside a training one.
fn light() -> RwLockReadGuard<'static, ()> {
    TURN.read().unwrap_or_else(PoisonError::into_inner)
}

/// For a test that trains: it has the machine for itself.
fn alone() -> RwLockWriteGuard<'static, ()> {
    TURN.write().unwrap_or_else(PoisonError::into_inner)
}

/// The programs that `cargo test --workspace` builds beside this one.
fn binaries() -> Binaries {
    match Binaries::beside_this_program() {
        Ok(binaries) => binaries,
        Err(error) => panic!("{error}"),
    }
}

/// The base model, where `scripts/model` puts it.
fn model() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/model");
    let done = Command::new(&script).output().expect("scripts/model can be run");
    assert!(
        done.status.success(),
        "scripts/model failed: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    PathBuf::from(String::from_utf8(done.stdout).expect("the path is UTF-8").trim())
}

/// Whether `scripts/test` said that there is no network, so that nothing can be fetched.
fn offline() -> bool {
    std::env::var_os("OPENLEDGER_CLIENTS").is_some_and(|value| value == "none")
}

/// Node with a program of `docs/examples`, which lies there as long as what is returned beside is kept.
fn example(name: &str) -> (Command, tempfile::NamedTempFile) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut fetch = Command::new(root.join("scripts/clients"));
    forget_environment(fetch.arg("dapp"));
    let done = fetch.output().expect("scripts/clients can be run");
    assert!(done.status.success(), "scripts/clients: {}", String::from_utf8_lossy(&done.stderr));
    let libraries = String::from_utf8(done.stdout).expect("the path is UTF-8");
    let libraries = Path::new(libraries.trim());
    // Its libraries are found from where it lies.
    let program = tempfile::Builder::new().suffix(".mjs").tempfile_in(libraries.join("js"));
    let program = program.expect("a file beside the libraries");
    std::fs::copy(root.join("docs/examples").join(name), program.path()).expect("a copy");
    let mut node = Command::new(libraries.join("bin/node"));
    node.arg(program.path());
    (node, program)
}

/// Keeps a network's folder when its test fails, so that the logs can be read.
struct Folder(Option<tempfile::TempDir>);

impl Folder {
    fn new() -> Self {
        Self(Some(tempfile::tempdir().expect("a temporary folder can be made")))
    }

    fn path(&self) -> &Path {
        self.0.as_ref().expect("it is taken only when dropped").path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let (true, Some(folder)) = (std::thread::panicking(), self.0.take()) {
            eprintln!("logs are kept in {}", folder.keep().join("logs").display());
        }
    }
}

/// A chain with a text Datanet of Bob's that Ferdie reviews; Charlie, Dave and Eve are contributors.
struct Chain {
    network: Network,
    cli: Cli,
    datanet: String,
    // Dropped last.
    folder: Folder,
}

impl Chain {
    fn start() -> Self {
        let folder = Folder::new();
        let network = Network::start(binaries(), folder.path(), false)
            .unwrap_or_else(|error| panic!("{error}"));
        let cli = Cli::new(&network.binaries().cli, network.url(), folder.path())
            .unwrap_or_else(|error| panic!("{error}"));
        let mut chain = Self { network, cli, datanet: String::new(), folder };
        let (bob, ferdie) = (Actor::new("Bob", "//Bob"), Actor::new("Ferdie", "//Ferdie"));
        let curator = chain.address(&ferdie);
        let create = ["datanet", "create", "--name", "Notes", "--modality", "text"];
        let terms = [
            "--min-units",
            "1",
            "--max-units",
            "100000",
            "--curator",
            &curator,
            "--threshold",
            "1",
        ];
        let created = chain.run(&bob, &[&create[..], &terms[..]].concat());
        chain.datanet = number(&created, "/datanet").expect("the Datanet's number").to_string();
        std::thread::scope(|scope| {
            for (name, key) in [("Charlie", "//Charlie"), ("Dave", "//Dave"), ("Eve", "//Eve")] {
                let chain = &chain;
                scope
                    .spawn(move || chain.run(&Actor::new(name, key), &["contributor", "register"]));
            }
        });
        chain
    }

    /// Runs a command that must succeed.
    fn run(&self, actor: &Actor, arguments: &[&str]) -> serde_json::Value {
        self.cli.run(actor, arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    fn address(&self, actor: &Actor) -> String {
        let shown = self.run(actor, &["account", "show"]);
        text(&shown, "/account").expect("an address")
    }

    /// A contributor with an IPFS directory of its own.
    fn contributor(&self, name: &'static str) -> Actor {
        let directory = self.folder.path().join("ipfs").join(name);
        Actor::new(name, format!("//{name}")).with_ipfs(&directory)
    }

    /// A file of `size` bytes of text, different for each `seed`.
    fn file(&self, seed: usize, size: usize) -> PathBuf {
        let line = format!("note {seed} of the quota's edges. ");
        let mut bytes = line.repeat(size / line.len() + 1).into_bytes();
        bytes.truncate(size);
        let directory = self.folder.path().join("files");
        openledger_tests::data::write(&directory, &format!("note-{seed}.txt"), &bytes)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
