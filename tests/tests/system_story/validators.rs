//! Four validators on one machine, founded as `docs/network.md` says: finality goes on while one of them is dead,
//! which then catches up; one whose session keys are on two nodes loses stake to the treasury; a node that comes late
//! needs no old block, or begins with another's database, a light client needs nothing but the spec; who leaves gets its
//! bond and is rid of its keys; and when all have stopped, nothing of what was final is lost.

use super::{
    binaries,
    deploy::{found, import, succeed},
    example, light, offline, Folder,
};
use codec::Decode;
use openledger_tests::{
    cli::forget_environment,
    interrupt::poll,
    network::free_port,
    process::{self, Process},
    rpc::Rpc,
    sheet::{self, Snapshot},
    Actor, Cli,
};
use serde_json::{json, Value};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// How long anything may take: five nodes share the machine.
const PATIENCE: Duration = Duration::from_secs(300);
const NAMES: [&str; 4] = ["one", "two", "three", "four"];
/// What each of them has bonded at genesis, in plancks.
const BOND: u128 = 100_000 * openledger_primitives::OPEN;

struct Network {
    folder: PathBuf,
    node: PathBuf,
    nodes: Vec<Node>,
}

struct Node {
    name: &'static str,
    port: u16,
    rpc: Rpc,
    process: Option<Process>,
}

impl Node {
    /// Where others find it.
    fn address(&self) -> String {
        let peer = self.rpc.call("system_localPeerId", json!([]));
        let peer = peer.unwrap_or_else(|error| panic!("{error}"));
        format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", self.port, peer.as_str().expect("an id"))
    }
}

impl Network {
    /// Founds a network whose epochs and eras are short, and in which slashes do not wait.
    fn found(folder: &Path, node: &Path) -> Self {
        let network = folder.join("network");
        let port = free_port().unwrap_or_else(|error| panic!("{error}"));
        found(&network, node, port);

        let readable = network.join("readable.json");
        let mut spec = fs::read_to_string(&readable).expect("the spec");
        for (long, short) in [
            ("\"epoch\": 200", "\"epoch\": 10"),
            ("\"era\": 36", "\"era\": 3"),
            ("\"bonding\": 28", "\"bonding\": 1"),
            ("\"slashDefer\": 26", "\"slashDefer\": 0"),
        ] {
            assert!(spec.contains(long), "the spec has no {long}");
            spec = spec.replace(long, short);
        }
        fs::write(&readable, spec).expect("the spec can be written");
        let mut raw = Command::new(node);
        raw.args(["export-chain-spec", "--raw", "--chain"]).arg(&readable);
        fs::write(network.join("spec.json"), succeed(raw)).expect("the spec can be written");

        let mut this = Self { folder: network, node: node.to_owned(), nodes: Vec::new() };
        for (place, name) in NAMES.into_iter().enumerate() {
            this.add(name, (place == 0).then_some(port));
        }
        this
    }

    /// Starts a node on the folder of that name.
    fn add(&mut self, name: &'static str, port: Option<u16>) {
        self.place(name, port);
        self.start(self.nodes.len() - 1, &["--validator"]);
    }

    fn place(&mut self, name: &'static str, port: Option<u16>) {
        let free = || free_port().unwrap_or_else(|error| panic!("{error}"));
        let port = port.unwrap_or_else(free);
        self.nodes.push(Node { name, port, rpc: Rpc::new(free()), process: None });
    }

    fn kill(&mut self, place: usize) {
        if let Some(mut process) = self.nodes[place].process.take() {
            process.kill();
        }
    }

    fn start(&mut self, place: usize, how: &[&str]) {
        let node = &self.nodes[place];
        let mut command = Command::new(&self.node);
        forget_environment(&mut command);
        command.arg("--base-path").arg(self.folder.join(node.name));
        command.arg("--chain").arg(self.folder.join("spec.json"));
        command.args(how).args(["--name", node.name, "--allow-private-ip", "--no-mdns"]);
        command.args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{}", node.port)]);
        command.args(["--rpc-port", &node.rpc.port().to_string()]);
        command.args(["--no-prometheus", "--no-telemetry"]);
        let logs = self.folder.with_file_name("logs");
        fs::create_dir_all(&logs).expect("a folder for logs");
        let process = Process::start(node.name, command, self.log(place));
        self.nodes[place].process = Some(process.unwrap_or_else(|error| panic!("{error}")));
    }

    fn log(&self, place: usize) -> PathBuf {
        self.folder.with_file_name("logs").join(format!("{}.log", self.nodes[place].name))
    }

    fn hash(&self, place: usize, number: u64) -> Value {
        let hash = self.nodes[place].rpc.call("chain_getBlockHash", json!([number]));
        hash.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits until a node has finalised the block of that number.
    fn finalised(&mut self, place: usize, number: u64) {
        let node = &mut self.nodes[place];
        let reached = poll(PATIENCE, Duration::from_millis(500), || {
            if let Some(process) = &mut node.process {
                process.ensure_running()?;
            }
            Ok(node.rpc.finalised().ok().filter(|finalised| *finalised >= number))
        });
        let reached = reached.unwrap_or_else(|error| panic!("{error}"));
        assert!(reached.is_some(), "{} did not finalise block {number} in time", node.name);
    }
}

/// What keeps an account from being emptied, as the chain counts it.
fn consumers(network: &Network, address: &str) -> u32 {
    type Info = frame_system::AccountInfo<u32, pallet_balances::AccountData<u128>>;
    let account = sheet::account(address).unwrap_or_else(|error| panic!("{error}"));
    let account = openledger_runtime::AccountId::from(account);
    let key = frame_system::Account::<openledger_runtime::Runtime>::hashed_key_for(account);
    let key = sp_core::bytes::to_hex(&key, false);
    let stored = network.nodes[0].rpc.call("state_getStorage", json!([key]));
    let stored = stored.unwrap_or_else(|error| panic!("{error}"));
    let bytes = sp_core::bytes::from_hex(stored.as_str().expect("the account is there"));
    let info = Info::decode(&mut &bytes.expect("hexadecimal")[..]).expect("an account");
    info.consumers
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a kind").is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("a copy")),
        }
    }
}

#[test]
fn three_of_four_finalise_who_signs_twice_is_slashed_and_a_restart_loses_nothing() {
    let _turn = light();
    let folder = Folder::new();
    let binaries = binaries();
    let mut network = Network::found(folder.path(), &binaries.node);
    for place in 0..NAMES.len() {
        network.finalised(place, 2);
    }

    // One is killed. Three are enough, and it catches up.
    network.kill(3);
    let reached = network.nodes[0].rpc.finalised().expect("the node answers");
    network.finalised(0, reached + 5);
    network.start(3, &["--validator"]);
    network.finalised(3, reached + 5);

    // The session keys of the second come to a node with an identity of its own.
    let chains = network.folder.clone();
    let keys = |name: &str| chains.join(name).join("chains").join("test");
    copy(&keys("two").join("keystore"), &keys("twin").join("keystore"));
    for name in ["twin", "copy", "late"] {
        let mut identity = Command::new(&binaries.node);
        identity.args(["key", "generate-node-key", "--base-path"]).arg(network.folder.join(name));
        identity.arg("--chain").arg(network.folder.join("spec.json"));
        succeed(identity);
    }

    let url = format!("ws://127.0.0.1:{}", network.nodes[0].rpc.port());
    let cli = Cli::new(&binaries.cli, url, folder.path()).unwrap_or_else(|error| panic!("{error}"));
    let spec: Value =
        serde_json::from_slice(&fs::read(network.folder.join("readable.json")).expect("the spec"))
            .expect("JSON");
    let patch = &spec["genesis"]["runtimeGenesis"]["patch"];
    let address = |place: usize| patch["session"]["keys"][place][0].as_str().expect("an address");
    let bonded = |place: usize| -> u128 {
        let nobody = Actor::new("nobody", "");
        let stake = cli.run(&nobody, &["validator", "status", address(place)]);
        let stake = stake.unwrap_or_else(|error| panic!("{error}"));
        stake["bonded"].as_str().and_then(|text| text.parse().ok()).expect("an amount")
    };
    let treasury = |network: &Network| {
        let sheet = Snapshot::read(&network.nodes[0].rpc, None);
        let sheet = sheet.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(sheet.total(), openledger_primitives::TOTAL_SUPPLY);
        sheet.of(&sheet::pot(b"py/trsry")).total()
    };
    let before = treasury(&network);
    assert_eq!(bonded(1), BOND);
    network.add("twin", None);
    let slashed = poll(PATIENCE, Duration::from_secs(1), || {
        Ok(Some(BOND - bonded(1)).filter(|slashed| *slashed > 0))
    });
    let slashed = slashed.unwrap_or_else(|error| panic!("{error}")).expect("it is slashed in time");
    // (3 × 1 ÷ 4)², but for what the election rounds away.
    assert!(slashed.abs_diff(BOND * 9 / 16) < openledger_primitives::OPEN, "{slashed} plancks");
    assert_eq!(bonded(0), BOND, "nobody else is slashed");
    assert_eq!(treasury(&network), before + slashed);
    network.kill(NAMES.len());

    // The fourth begins to leave. As long as it makes blocks it keeps its keys.
    let four = import(&binaries.cli, &network.folder, "four", folder.path());
    let leave = || {
        let left = cli.run(&four, &["validator", "leave"]);
        left.unwrap_or_else(|error| panic!("{error}"))
    };
    let begun = leave();
    assert_eq!(begun["steps"][0]["step"], "unbond", "{begun}");
    assert_eq!(begun["steps"][0]["amount"], BOND.to_string(), "{begun}");
    for (field, value) in [("left", false), ("makesBlocks", true), ("keysSet", true)] {
        assert_eq!(begun[field], value, "{field}: {begun}");
    }
    assert_eq!(leave()["steps"], json!([]), "nothing more can be done yet");
    let early = cli.refused(&four, &["validator", "withdraw"]);
    let early = early.unwrap_or_else(|error| panic!("{error}"));
    assert!(early.message.contains("is free yet"), "{}", early.message);

    // Everything stops at once, and goes on where it was, with what was final and what was slashed.
    let reached = network.nodes[0].rpc.block().expect("the node answers");
    network.finalised(0, reached);
    let hash = network.hash(0, reached);
    for place in 0..NAMES.len() {
        network.kill(place);
    }
    // Meanwhile another node is given what the first one has.
    copy(&keys("one").join("paritydb"), &keys("copy").join("paritydb"));
    for place in 0..NAMES.len() {
        network.start(place, &["--validator"]);
    }
    network.place("copy", None);
    let copied = network.nodes.len() - 1;
    network.start(copied, &[]);
    for (place, name) in NAMES.into_iter().enumerate() {
        network.finalised(place, reached + 3);
        assert_eq!(network.hash(place, reached), hash, "{name}");
    }
    network.finalised(copied, reached + 3);
    assert_eq!(network.hash(copied, reached), hash, "the copy");
    network.kill(copied);
    // But for its part of the fees of who leaves.
    let more = treasury(&network) - before - (BOND - bonded(1));
    assert!(more < openledger_primitives::OPEN / 100, "{more} plancks");
    assert!(treasury(&network) >= before + slashed);

    // Who comes now asks for GRANDPA's proofs and the newest state, of three peers at least, and follows.
    let peers: Vec<String> = network.nodes[..NAMES.len()].iter().map(Node::address).collect();
    network.place("late", None);
    let late = network.nodes.len() - 1;
    let mut how = vec!["--sync", "warp", "--bootnodes"];
    how.extend(peers.iter().map(String::as_str));
    let door = format!("/ip4/127.0.0.1/tcp/{}/ws", free_port().unwrap_or_else(|e| panic!("{e}")));
    how.extend(["--listen-addr", &door]);
    network.start(late, &how);
    network.finalised(late, reached + 3);
    let log = fs::read_to_string(network.log(late)).expect("its log");
    assert!(log.contains("Warp sync is complete"), "{}", network.log(late).display());

    // The fourth has its bond, and then no keys; three go on without it.
    let gone =
        poll(
            PATIENCE,
            Duration::from_secs(5),
            || Ok(Some(leave()).filter(|it| it["left"] == true)),
        );
    gone.unwrap_or_else(|error| panic!("{error}")).expect("it leaves in time");
    let status = cli.run(&four, &["validator", "status"]);
    let status = status.unwrap_or_else(|error| panic!("{error}"));
    for field in ["elected", "keysSet"] {
        assert_eq!(status[field], false, "{status}");
    }
    assert_eq!(bonded(3), 0);
    assert_eq!(consumers(&network, address(3)), 0, "nothing keeps its account from being emptied");
    network.kill(3);
    let now = network.nodes[0].rpc.finalised().expect("the node answers");
    network.finalised(0, now + 3);

    if offline() {
        eprintln!("no light client follows: scripts/test said that there is no network");
        return;
    }
    let peer = network.nodes[late].address();
    let (_, peer) = peer.split_once("/p2p/").expect("an address");
    let (number, free) = follow(&network, &format!("{door}/p2p/{peer}"), address(0));
    assert!(number >= reached, "block {number} is older than {reached}");
    let sheet = Snapshot::read(&network.nodes[0].rpc, None);
    let sheet = sheet.unwrap_or_else(|error| panic!("{error}"));
    let account = sheet::account(address(0)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(free, sheet.of(&account).free);
}

/// Follows the network by the example of a light client, from a checkpoint and one door: the newest final block that it
/// knows, and what it says is free on an account.
fn follow(network: &Network, door: &str, address: &str) -> (u64, u128) {
    let spec = network.nodes[0].rpc.call("sync_state_genSyncSpec", json!([true]));
    let mut spec = spec.unwrap_or_else(|error| panic!("{error}"));
    spec["bootNodes"] = json!([door]);
    let file = network.folder.join("light.json");
    fs::write(&file, spec.to_string()).expect("the spec can be written");
    let (mut node, _program) = example("light.mjs");
    node.arg(&file).arg(address);
    let log = network.folder.with_file_name("logs").join("light");
    let done = process::run("the light client", node, &log, PATIENCE);
    let done = done.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    let said = |what: &str| -> Option<&str> {
        done.out.lines().find_map(|line| line.strip_prefix(what))?.split_whitespace().next()
    };
    let number = said("final:").and_then(|number| number.parse().ok()).expect("a block");
    (number, said("free:").and_then(|amount| amount.parse().ok()).expect("an amount"))
}
