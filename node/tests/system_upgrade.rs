//! The WebAssembly blobs of the runtime before and of today's, on the state that the earlier one left:
//! both say the same of all that an upgrade must not change.

use codec::{Decode, DecodeAll, Encode};
use openledger_primitives::{
    api::{JobView, LeafView},
    leaf::{verify_leaf, version_of},
    DatasetLeaf, DatasetVersion, LeafVersion, EXTRACTOR,
};
use openledger_runtime::{AccountId, Header, SLOT_MILLISECONDS};
use sc_executor::{RuntimeVersion, WasmExecutor};
use sp_consensus_babe::{
    digests::{PreDigest, SecondaryPlainPreDigest},
    BABE_ENGINE_ID,
};
use sp_core::{
    storage::Storage,
    traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode},
    H256,
};
use sp_io::{
    hashing::{blake2_256, twox_128},
    SubstrateHostFunctions, TestExternalities,
};
use std::path::Path;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/fixtures/spec-100");
    std::fs::read(folder.join(name)).expect("the fixture is committed")
}

/// Keys and values of the top trie.
type State = Vec<(Vec<u8>, Vec<u8>)>;

/// A runtime on a state.
struct Chain {
    state: TestExternalities,
    executor: WasmExecutor<SubstrateHostFunctions>,
    code: Vec<u8>,
}

impl Chain {
    fn new(state: &[(Vec<u8>, Vec<u8>)], code: Vec<u8>) -> Self {
        let top = state.iter().cloned().collect();
        let state = TestExternalities::new(Storage { top, children_default: Default::default() });
        Self { state, executor: WasmExecutor::builder().build(), code }
    }

    fn call_raw(&mut self, function: &str, arguments: &[u8]) -> Vec<u8> {
        let code = WrappedRuntimeCode(self.code.as_slice().into());
        let hash = blake2_256(&self.code).to_vec();
        let code = RuntimeCode { code_fetcher: &code, heap_pages: None, hash };
        let mut state = self.state.ext();
        let (answer, _) =
            self.executor.call(&mut state, &code, function, arguments, CallContext::Offchain);
        answer.unwrap_or_else(|error| panic!("{function}: {error}"))
    }

    fn call<T: Decode>(&mut self, function: &str, arguments: impl Encode) -> T {
        let answer = self.call_raw(function, &arguments.encode());
        T::decode_all(&mut &answer[..]).expect("an answer of this shape")
    }

    /// Begins the next block, which is where a new runtime migrates.
    fn begin_block(&mut self) {
        let key = [twox_128(b"System"), twox_128(b"Number")].concat();
        let number = self.state.execute_with(|| sp_io::storage::get(&key)).expect("a block");
        let number = u32::decode(&mut &number[..]).expect("a number") + 1;
        // The slots of the planted state begin on 2026-01-01.
        let slot = 1_767_225_600_000 / SLOT_MILLISECONDS + u64::from(number);
        let digest = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
            authority_index: 0,
            slot: slot.into(),
        });
        use sp_runtime::{generic::DigestItem, traits::Header as _, Digest};
        let digest = Digest { logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, digest.encode())] };
        let header = Header::new(number, H256::zero(), H256::zero(), H256::zero(), digest);
        self.call_raw("Core_initialize_block", &header.encode());
    }
}

type Leaves = Vec<LeafView<AccountId>>;
/// Each Datanet's versions from no leaf to all.
type Versions = Vec<Vec<DatasetVersion>>;

#[test]
fn both_runtimes_say_the_same_of_what_was_accepted_before_the_upgrade() {
    let planted = fixture("state.scale");
    // What the earlier runtime said follows, its versions first.
    let (state, versions): (State, Versions) =
        Decode::decode(&mut &planted[..]).expect("a planted state");

    let mut before = Chain::new(&state, fixture("runtime.wasm.zst"));
    let version: RuntimeVersion = before.call("Core_version", ());
    assert_eq!((version.spec_version, version.transaction_version), (100, 1));

    let blob = openledger_runtime::WASM_BINARY.expect("built without SKIP_WASM_BUILD");
    let mut after = Chain::new(&state, blob.to_vec());
    let version: RuntimeVersion = after.call("Core_version", ());
    assert!(version.spec_version > 100 && version.transaction_version > 1);
    after.begin_block();
    let extractor: u16 = after.call("ReviewApi_extractor", ());
    assert_eq!(extractor, EXTRACTOR);

    for (datanet, versions) in (0u32..).zip(&versions) {
        let page = (datanet, 0u64, 100u32);
        let old = before.call_raw("DatanetsApi_leaves", &page.encode());
        assert_eq!(after.call_raw("DatanetsApi_leaves", &page.encode()), old);
        let leaves = Leaves::decode_all(&mut &old[..]).expect("leaves");
        assert_eq!(leaves.len() + 1, versions.len());
        assert!(leaves.iter().all(|view| view.leaf.version == LeafVersion::V1));
        for (count, version) in (0u64..).zip(versions) {
            for chain in [&mut before, &mut after] {
                let said: Option<DatasetVersion> =
                    chain.call("DatanetsApi_version_at", (datanet, count));
                assert_eq!(said, Some(*version));
            }
            let hashes = leaves[..count as usize].iter().map(|view| view.leaf.hash());
            assert_eq!(version_of(hashes), *version);
            for view in &leaves[..count as usize] {
                // A proof that either runtime gives holds for whoever checks it.
                for chain in [&mut before, &mut after] {
                    let proof: Option<Vec<H256>> =
                        chain.call("DatanetsApi_leaf_proof", (datanet, view.index, count));
                    let leaf: &DatasetLeaf<AccountId> = &view.leaf;
                    assert!(verify_leaf(version, view.index, leaf, proof.expect("it is there")));
                }
            }
        }
    }
    // Jobs are answered in other shapes now; runtime/tests/chain_runtime/upgrade.rs compares them.
    let jobs: Vec<(u64, JobView<AccountId>)> = after.call("TrainingApi_jobs", (0u64, 100u32));
    let states: Vec<(u64, &str)> = jobs.iter().map(|(id, job)| (*id, job.state.name())).collect();
    assert_eq!(states, [(0, "completed"), (1, "training"), (2, "queued"), (3, "cancelled")]);
}
