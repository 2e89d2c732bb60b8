//! A node that makes blocks with the runtime before is given today's: the chain goes on with all that it held, also when
//! the node is killed right after.

use super::{fixture, State};
use codec::{Decode, Encode};
use openledger_primitives::TOTAL_SUPPLY;
use openledger_runtime::{RuntimeCall, UncheckedExtrinsic, VERSION, WASM_BINARY};
use openledger_tests::{
    interrupt::poll, network::free_port, process::Process, rpc::Rpc, sheet::Snapshot,
};
use serde_json::{json, Value};
use sp_io::hashing::{blake2_256, twox_128};
use std::{fs, path::Path, process::Command, time::Duration};

const NODE: &str = env!("CARGO_BIN_EXE_openledger-node");
/// Generous: how long a machine takes is not what is tested.
const PATIENCE: Duration = Duration::from_secs(180);
/// Blocks of a session of a development chain.
const SESSION: u64 = 10;

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn item(pallet: &str, name: &str) -> String {
    hex(&[twox_128(pallet.as_bytes()), twox_128(name.as_bytes())].concat())
}

fn spec(arguments: &[&str]) -> Value {
    let output = Command::new(NODE).arg("export-chain-spec").args(arguments).output();
    let output = output.expect("the node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a spec is JSON")
}

/// What an earlier runtime's blob has as a preset, by a chain that holds nothing but the blob and who votes on finality.
fn preset(folder: &Path, code: &str) -> Value {
    let mut bare = spec(&["--chain", "dev", "--raw"]);
    let top = &mut bare["genesis"]["raw"]["top"];
    let authorities = item("Grandpa", "Authorities");
    *top = json!({ authorities.clone(): top[&authorities], "0x3a636f6465": code });
    let file = folder.join("bare.json");
    fs::write(&file, bare.to_string()).expect("a file");
    let mut node = Node::new(folder, "bare", &file);
    node.start(&[]);
    let argument = hex(&Some("development").encode());
    let answer = node.ask("state_call", json!(["GenesisBuilder_get_preset", argument]));
    let answer = Option::<Vec<u8>>::decode(&mut &bytes(&answer)[..]).expect("an answer");
    serde_json::from_slice(&answer.expect("it has that preset")).expect("JSON")
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no text"));
    hex::decode(text.trim_start_matches("0x")).expect("hexadecimal")
}

/// A chain as it is founded with the runtime before, that holds what the planted state does, and on which an upgrade to
/// `next` is authorised.
fn found(folder: &Path, next: &[u8]) -> std::path::PathBuf {
    let code = hex(&fixture("runtime.wasm.zst"));
    let mut readable = spec(&["--chain", "dev"]);
    readable["genesis"]["runtimeGenesis"] = json!({ "code": code, "patch": preset(folder, &code) });
    let file = folder.join("readable.json");
    fs::write(&file, readable.to_string()).expect("a file");
    let mut raw = spec(&["--chain", file.to_str().expect("a path"), "--raw"]);
    let top = raw["genesis"]["raw"]["top"].as_object_mut().expect("keys and values");

    let planted = fixture("state.scale");
    let state = State::decode(&mut &planted[..]).expect("a planted state");
    let mut kept: Vec<String> = ["Balances", "Datanets", "Review", "Leaderboard", "Training"]
        .map(|pallet| hex(&twox_128(pallet.as_bytes())))
        .into();
    kept.push(item("System", "Account"));
    top.retain(|key, _| !kept.iter().any(|prefix| key.starts_with(prefix)));
    for (key, value) in state {
        let key = hex(&key);
        if kept.iter().any(|prefix| key.starts_with(prefix)) {
            top.insert(key, hex(&value).into());
        }
    }
    let authorised = (blake2_256(next), true).encode();
    top.insert(item("System", "AuthorizedUpgrade"), hex(&authorised).into());
    let file = folder.join("raw.json");
    fs::write(&file, raw.to_string()).expect("a file");
    file
}

struct Node {
    name: &'static str,
    folder: std::path::PathBuf,
    spec: std::path::PathBuf,
    rpc: Rpc,
    process: Option<Process>,
}

impl Node {
    fn new(folder: &Path, name: &'static str, spec: &Path) -> Self {
        let rpc = Rpc::new(free_port().expect("a port is free"));
        Self { name, folder: folder.to_owned(), spec: spec.to_owned(), rpc, process: None }
    }

    fn start(&mut self, more: &[&str]) {
        let mut command = Command::new(NODE);
        command.arg("--chain").arg(&self.spec).args(more);
        command.args(["--no-mdns", "--no-prometheus", "--no-telemetry", "--port", "0"]);
        command.args(["--rpc-port", &self.rpc.port().to_string()]);
        command.arg("--unsafe-force-node-key-generation");
        command.arg("--base-path").arg(self.folder.join(self.name));
        let log = self.folder.join(format!("{}.log", self.name));
        self.process = Some(Process::start(self.name, command, log).expect("the node starts"));
        self.wait(|rpc| rpc.block().ok());
    }

    fn wait<T>(&mut self, mut is: impl FnMut(&Rpc) -> Option<T>) -> T {
        let found = poll(PATIENCE, Duration::from_millis(200), || {
            if let Some(process) = &mut self.process {
                process.ensure_running()?;
            }
            Ok(is(&self.rpc))
        });
        let found = found.unwrap_or_else(|error| panic!("{error}"));
        found.unwrap_or_else(|| panic!("the node {} is not there in time", self.name))
    }

    fn ask(&self, method: &str, params: Value) -> Value {
        self.rpc.call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn runtime(&self) -> Value {
        self.ask("state_getRuntimeVersion", json!([]))["specVersion"].clone()
    }

    /// What a runtime says of the accepted files of the first Datanets.
    fn leaves(&self) -> Vec<Value> {
        let page = |datanet: u32| hex(&(datanet, 0u64, 100u32).encode());
        let call = |datanet| self.ask("state_call", json!(["DatanetsApi_leaves", page(datanet)]));
        (0..3).map(call).collect()
    }

    fn supply(&self) -> u128 {
        let sheet = Snapshot::read(&self.rpc, None);
        sheet.unwrap_or_else(|error| panic!("{error}")).total()
    }
}

#[test]
fn a_live_chain_is_upgraded_and_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let blob = WASM_BINARY.expect("built without SKIP_WASM_BUILD");
    let next =
        sp_maybe_compressed_blob::compress_weakly(blob, blob.len()).expect("it is compressed");
    let spec = found(folder.path(), &next);
    let mut node = Node::new(folder.path(), "live", &spec);
    let author = ["--alice", "--force-authoring"];
    node.start(&author);
    node.wait(|rpc| rpc.finalised().ok().filter(|number| *number >= 2));
    assert_eq!(node.runtime(), 100);
    let leaves = node.leaves();
    assert!(leaves.iter().take(2).all(|page| bytes(page).len() > 1), "{leaves:?}");
    assert_eq!(node.supply(), TOTAL_SUPPLY);

    // Anybody may apply what was authorised.
    let call: RuntimeCall = frame_system::Call::apply_authorized_upgrade { code: next }.into();
    let transaction = UncheckedExtrinsic::new_bare(call).encode();
    node.ask("author_submitExtrinsic", json!([hex(&transaction)]));
    let current = json!(VERSION.spec_version);
    node.wait(|rpc| {
        let version = rpc.call("state_getRuntimeVersion", json!([])).ok()?;
        (version["specVersion"] == current).then_some(())
    });
    let upgraded = node.rpc.block().expect("the node answers");
    if let Some(process) = &mut node.process {
        process.kill();
    }
    node.start(&author);
    // Past the end of a session, whose pallets are older than the project's staking.
    node.wait(|rpc| rpc.finalised().ok().filter(|number| *number > upgraded + SESSION));
    assert_eq!(node.runtime(), current);
    assert_eq!(node.leaves(), leaves);
    assert_eq!(node.supply(), TOTAL_SUPPLY);
}
