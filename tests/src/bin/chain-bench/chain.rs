//! A node of its own, transactions signed without asking it, and its blocks executed once more by itself.

use codec::{Compact, Decode, Encode};
use openledger_runtime::{
    AccountId, Hash, Header, Nonce, RuntimeCall, RuntimeEvent, UncheckedExtrinsic,
};
use openledger_tests::{
    interrupt::poll, network::free_port, process::Process, rpc::Rpc, sign::sign, Error, Result,
};
use serde_json::{json, Value};
use sp_core::{sr25519, Pair, H256};
use sp_runtime::traits::Header as _;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// How often the node is asked what changed.
const EVERY: Duration = Duration::from_millis(100);
/// How long the chain may need for what it was asked.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the only validator of a chain is started with, beyond what every node is.
const AUTHOR: [&str; 4] = [
    "--alice",
    "--force-authoring",
    "--state-pruning=archive",
    "--unsafe-force-node-key-generation",
];

/// A running node that makes blocks, or follows who does.
pub struct Chain {
    process: Process,
    rpc: Rpc,
    genesis: Hash,
    program: Program,
}

/// How its node is started.
#[derive(Clone)]
pub struct Program {
    /// The program.
    pub node: PathBuf,
    /// The name of a preset, or a file.
    pub spec: String,
    /// The same without what is planted, if that is much: a node that has a database looks at the spec's name alone, and on a
    /// network that files were accepted on one by one reads no more either.
    pub known: Option<String>,
    /// Where its log is, and its database in the folder `node`.
    pub directory: PathBuf,
    /// Beyond what every node is started with.
    pub arguments: Vec<String>,
    /// Where other nodes find it.
    pub port: u16,
}

/// A block as the node executes it: without its author's seal.
pub struct Block {
    pub number: u64,
    pub hash: Hash,
    pub parent: Hash,
    pub calls: Vec<RuntimeCall>,
    encoded: Vec<u8>,
}

impl Block {
    /// Its bytes.
    pub fn size(&self) -> usize {
        self.encoded.len()
    }
}

impl Program {
    fn start(&self, rpc: &Rpc, spec: &str) -> Result<Process> {
        let mut command = Command::new(&self.node);
        command
            .args(["--chain", spec, "--allow-private-ip"])
            .args(["--no-mdns", "--no-telemetry", "--no-prometheus"])
            .args(&self.arguments)
            .args(["--pool-limit", "50000", "--pool-kbytes", "200000"])
            // The whole block traces of one block are large answers.
            .args(["--rpc-methods", "unsafe", "--rpc-max-response-size", "200"])
            .args(["--rpc-port", &rpc.port().to_string()])
            .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{}", self.port)])
            .arg("--base-path")
            .arg(self.directory.join("node"));
        Process::start("the node", command, self.directory.join("node.log"))
    }

    fn start_again(&self, rpc: &Rpc) -> Result<Process> {
        self.start(rpc, self.known.as_ref().unwrap_or(&self.spec))
    }
}

impl Chain {
    /// Starts a node on a genesis: the name of a preset or a file. A large one takes its time.
    pub fn start(node: &Path, spec: &str, directory: &Path, patience: Duration) -> Result<Self> {
        let chain = Self::follow(
            Program {
                node: node.to_owned(),
                spec: spec.to_owned(),
                known: None,
                directory: directory.to_owned(),
                arguments: AUTHOR.map(str::to_owned).into(),
                port: free_port()?,
            },
            patience,
        )?;
        chain.wait_for(1)?;
        Ok(chain)
    }

    /// Starts a node and waits until it answers, whatever blocks it has.
    pub fn follow(program: Program, patience: Duration) -> Result<Self> {
        let rpc = Rpc::new(free_port()?);
        let mut process = program.start(&rpc, &program.spec)?;
        let ready = poll(patience, EVERY, || {
            process.ensure_running()?;
            Ok(rpc.block().ok())
        })?;
        if ready.is_none() {
            return Err(process
                .failure(format!("no answer within {} s", patience.as_secs()), "read the log"));
        }
        let mut chain = Self { process, rpc, genesis: Hash::zero(), program };
        chain.genesis = chain.hash(0)?;
        Ok(chain)
    }

    /// With which spec it is started again.
    pub fn knows(&mut self, spec: &Path) {
        self.program.known = Some(spec.display().to_string());
    }

    /// How it was started.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Where other nodes find it.
    pub fn address(&self) -> Result<String> {
        let peer = self.call("system_localPeerId", json!([]))?;
        let peer = peer.as_str().ok_or_else(|| unexpected("a peer's id", &peer))?;
        Ok(format!("/ip4/127.0.0.1/tcp/{}/p2p/{peer}", self.program.port))
    }

    /// Number of the last final block.
    pub fn finalised(&self) -> Result<u64> {
        self.rpc
            .finalised()
            .map_err(|error| self.process.failure(error.to_string(), "read the log"))
    }

    /// Whether the node's log has a line with these words.
    pub fn logged(&self, words: &str) -> Result<bool> {
        let path = self.program.directory.join("node.log");
        let log = std::fs::read_to_string(&path).map_err(|cause| Error::file(&path, &cause))?;
        Ok(log.contains(words))
    }

    /// Stops the node, when its database has written what it was given: of a large genesis that takes its time.
    pub fn stop(&mut self) {
        self.process.stop_within(PATIENCE);
    }

    /// Starts the node again after it was stopped.
    pub fn start_again(&mut self) -> Result<()> {
        self.process = self.program.start_again(&self.rpc)?;
        self.wait(|| Ok(self.rpc.block().is_ok()))?;
        let genesis = self.hash(0)?;
        match genesis == self.genesis {
            true => Ok(()),
            false => Err(self.process.failure("the database is lost", "read the log")),
        }
    }

    /// Kills the node and starts it again: how long until it answers with all that was final.
    pub fn restart(&mut self) -> Result<Duration> {
        let last = self.finalised()?;
        let hash = self.hash(last)?;
        self.process.kill();
        let begin = Instant::now();
        self.process = self.program.start_again(&self.rpc)?;
        let (process, rpc) = (&mut self.process, &self.rpc);
        let back = poll(PATIENCE, EVERY, || {
            process.ensure_running()?;
            Ok(rpc.finalised().ok().filter(|number| *number >= last))
        })?;
        let taken = begin.elapsed();
        // A chain begun anew would come to that number too.
        if back.is_none() || self.hash(last)? != hash {
            let what = format!("block {last}, which was final, is not there again");
            return Err(self.process.failure(what, "read the log"));
        }
        Ok(taken)
    }

    /// Calls a method.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.rpc
            .call(method, params)
            .map_err(|error| self.process.failure(error.to_string(), "read the node's log"))
    }

    /// A signed transaction, for ever valid.
    pub fn sign(
        &self,
        who: &sr25519::Pair,
        nonce: Nonce,
        call: impl Into<RuntimeCall>,
    ) -> UncheckedExtrinsic {
        sign(self.genesis, who, nonce, call.into(), None)
    }

    /// The next nonce of an account.
    pub fn nonce(&self, who: &sr25519::Pair) -> Result<Nonce> {
        let account: AccountId = who.public().into();
        let key = frame_system::Account::<openledger_runtime::Runtime>::hashed_key_for(&account);
        let data = self.storage(&key, None)?;
        // The nonce stands first; an account that nobody endowed has none.
        Ok(data.and_then(|data| Nonce::decode(&mut data.as_slice()).ok()).unwrap_or(0))
    }

    /// Sends calls, each account's in their order, and waits until all are in blocks. Returns the block
    /// before the first.
    pub fn send(&self, batches: Vec<(&sr25519::Pair, Vec<RuntimeCall>)>) -> Result<u64> {
        let before = self.block()?;
        for (who, next) in self.submit(batches)? {
            poll(PATIENCE, EVERY, || Ok((self.nonce(who)? >= next).then_some(())))?.ok_or_else(
                || {
                    self.process.failure(
                        format!(
                            "not all transactions of an account were in a block after {} s",
                            PATIENCE.as_secs()
                        ),
                        "read the log",
                    )
                },
            )?;
        }
        Ok(before)
    }

    /// Sends calls, each account's in their order; the nonce that each account has when all of its are in blocks.
    pub fn submit<'a>(
        &self,
        batches: Vec<(&'a sr25519::Pair, Vec<RuntimeCall>)>,
    ) -> Result<Vec<(&'a sr25519::Pair, Nonce)>> {
        let first = |who| self.nonce(who);
        let batches = batches.into_iter().map(|(who, calls)| Ok((who, first(who)?, calls)));
        self.submit_from(batches.collect::<Result<_>>()?)
    }

    /// The same from a nonce of each account on.
    pub fn submit_from<'a>(
        &self,
        batches: Vec<(&'a sr25519::Pair, Nonce, Vec<RuntimeCall>)>,
    ) -> Result<Vec<(&'a sr25519::Pair, Nonce)>> {
        let mut waited = Vec::new();
        let mut signed = Vec::new();
        for (who, first, calls) in batches {
            let mut next = first;
            for call in calls {
                signed.push((next - first, self.sign(who, next, call)));
                next += 1;
            }
            waited.push((who, next));
        }
        // Everybody's first, then everybody's second: a pool orders by arrival where nothing is paid.
        signed.sort_by_key(|(turn, _)| *turn);
        for (_, transaction) in signed {
            let hex = format!("0x{}", hex::encode(transaction.encode()));
            self.call("author_submitExtrinsic", json!([hex]))?;
        }
        Ok(waited)
    }

    /// Number of the best block.
    pub fn block(&self) -> Result<u64> {
        self.rpc.block().map_err(|error| self.process.failure(error.to_string(), "read the log"))
    }

    /// Waits until a block is the best one.
    pub fn wait_for(&self, number: u64) -> Result<()> {
        self.wait(|| Ok(self.block()? >= number))
    }

    /// Waits until a block is final.
    pub fn wait_for_final(&self, number: u64) -> Result<()> {
        self.wait(|| Ok(self.rpc.finalised().is_ok_and(|last| last >= number)))
    }

    fn wait(&self, mut over: impl FnMut() -> Result<bool>) -> Result<()> {
        poll(PATIENCE, EVERY, || Ok(over()?.then_some(())))?
            .ok_or_else(|| self.process.failure("the chain stands still", "read the log"))
    }

    /// A value of the state after a block, or after the best one.
    pub fn storage(&self, key: &[u8], at: Option<Hash>) -> Result<Option<Vec<u8>>> {
        let key = format!("0x{}", hex::encode(key));
        let value = self.call("state_getStorage", json!([key, at]))?;
        value.as_str().map(bytes).transpose()
    }

    /// Bytes of all keys and values below a prefix.
    pub fn size(&self, prefix: &[u8]) -> Result<u64> {
        const PAGE: usize = 1_000;
        let prefix = format!("0x{}", hex::encode(prefix));
        let at = self.hash(self.block()?)?;
        let mut sum = 0;
        let mut last = Value::Null;
        loop {
            let page = self.call("state_getKeysPaged", json!([prefix, PAGE, last, at]))?;
            let keys: Vec<String> =
                serde_json::from_value(page).map_err(|cause| unexpected("keys", cause))?;
            // Two digits a byte, after `0x`.
            sum += keys.iter().map(|key| (key.len() as u64 - 2) / 2).sum::<u64>();
            let Some(key) = keys.last().filter(|_| keys.len() == PAGE) else { break };
            last = json!(key);
        }
        let values = self.call("state_getStorageSize", json!([prefix, at]))?;
        Ok(sum + values.as_u64().unwrap_or(0))
    }

    /// The hash of a block.
    pub fn hash(&self, number: u64) -> Result<Hash> {
        let answer = self.call("chain_getBlockHash", json!([number]))?;
        serde_json::from_value(answer).map_err(|cause| unexpected("a block's hash", cause))
    }

    /// A block.
    pub fn read(&self, number: u64) -> Result<Block> {
        let hash = self.hash(number)?;
        let answer = self.call("chain_getBlock", json!([hash]))?;
        let mut header: Header = serde_json::from_value(answer["block"]["header"].clone())
            .map_err(|cause| unexpected("a header", cause))?;
        // Who executes a block has its seal checked and taken off.
        header.digest_mut().pop();
        let extrinsics: Vec<Vec<u8>> = answer["block"]["extrinsics"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|extrinsic| extrinsic.as_str().map(bytes))
            .collect::<Result<_>>()?;
        let calls = extrinsics
            .iter()
            .map(|extrinsic| UncheckedExtrinsic::decode(&mut extrinsic.as_slice()))
            .map(|extrinsic| extrinsic.map(|extrinsic| extrinsic.function))
            .collect::<Result<_, _>>()
            .map_err(|cause| unexpected("a transaction", cause))?;
        let mut encoded = header.encode();
        encoded.extend(Compact(extrinsics.len() as u32).encode());
        encoded.extend(extrinsics.concat());
        Ok(Block { number, hash, parent: *header.parent_hash(), calls, encoded })
    }

    /// The events of a block.
    pub fn events(&self, block: &Block) -> Result<Vec<RuntimeEvent>> {
        let key = frame_support::storage::storage_prefix(b"System", b"Events");
        let stored = self.storage(&key, Some(block.hash))?.unwrap_or_default();
        let records =
            Vec::<frame_system::EventRecord<RuntimeEvent, H256>>::decode(&mut stored.as_slice())
                .map_err(|cause| unexpected("events", cause))?;
        Ok(records.into_iter().map(|record| record.event).collect())
    }

    /// Has the node execute a block once more on its parent's state, signatures and storage root
    /// included, and returns how long that took.
    pub fn execute(&self, block: &Block) -> Result<Duration> {
        let data = format!("0x{}", hex::encode(&block.encoded));
        let params = json!(["Core_execute_block", data, block.parent]);
        let begin = Instant::now();
        self.call("state_call", params)?;
        Ok(begin.elapsed())
    }

    /// Reads of storage while the node executes a block once more.
    pub fn reads(&self, block: &Block) -> Result<usize> {
        let params = json!([block.hash, "state", "", "Get,Exists,NextKey"]);
        let answer = self.call("state_traceBlock", params)?;
        answer["blockTrace"]["events"].as_array().map(Vec::len).ok_or_else(|| {
            Error::broken("the node", format!("no trace of block {}: {answer}", block.number))
        })
    }

    /// Calls a runtime API on a block's state, and returns its answer and how long that took.
    pub fn runtime_api(
        &self,
        name: &str,
        arguments: &[u8],
        at: Hash,
    ) -> Result<(Vec<u8>, Duration)> {
        let data = format!("0x{}", hex::encode(arguments));
        let begin = Instant::now();
        let answer = self.call("state_call", json!([name, data, at]))?;
        let taken = begin.elapsed();
        Ok((bytes(answer.as_str().unwrap_or_default())?, taken))
    }
}

fn bytes(hexadecimal: &str) -> Result<Vec<u8>> {
    hex::decode(hexadecimal.trim_start_matches("0x"))
        .map_err(|cause| unexpected("a hexadecimal number", cause))
}

fn unexpected(what: &str, cause: impl std::fmt::Display) -> Error {
    Error::broken("the node", format!("its answer is not {what}: {cause}"))
}
