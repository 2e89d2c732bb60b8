//! The WebAssembly blobs of the runtime before and of today's, on the state that the earlier one left:
//! both say the same of all that an upgrade must not change.

use codec::{Compact, Decode, DecodeAll, Encode};
use openledger_primitives::{
    api::{JobView, LeafView},
    leaf::{verify_leaf, version_of},
    DatasetLeaf, DatasetVersion, LeafVersion, Score, EXTRACTOR,
};
use openledger_runtime::{AccountId, Header, UncheckedExtrinsic, SLOT_MILLISECONDS};
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
use sp_inherents::InherentData;
use sp_io::{
    hashing::{blake2_256, twox_128, twox_64},
    SubstrateHostFunctions, TestExternalities,
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

mod live;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/fixtures/spec-100");
    std::fs::read(folder.join(name)).expect("the fixture is committed")
}

/// The slots of the planted state begin on 2026-01-01.
fn slot_of(block: u32) -> u64 {
    1_767_225_600_000 / SLOT_MILLISECONDS + u64::from(block)
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

    /// Ends a block that has nothing but what its author adds: the time of its slot.
    fn end_block(&mut self) {
        let number = self.number();
        let mut data = InherentData::new();
        let now = sp_timestamp::InherentType::new(slot_of(number) * SLOT_MILLISECONDS);
        data.put_data(sp_timestamp::INHERENT_IDENTIFIER, &now).expect("it is encoded");
        let inherents: Vec<UncheckedExtrinsic> =
            self.call("BlockBuilder_inherent_extrinsics", data);
        for inherent in inherents {
            self.call_raw("BlockBuilder_apply_extrinsic", &inherent.encode());
        }
        self.call_raw("BlockBuilder_finalize_block", &[]);
    }

    /// The number of the block before, or of the one that has begun.
    fn number(&mut self) -> u32 {
        let key = [twox_128(b"System"), twox_128(b"Number")].concat();
        let number = self.state.execute_with(|| sp_io::storage::get(&key)).expect("a block");
        u32::decode(&mut &number[..]).expect("a number")
    }

    /// Begins the next block, which is where a new runtime migrates.
    fn begin_block(&mut self) {
        let number = self.number() + 1;
        let digest = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
            authority_index: 0,
            slot: slot_of(number).into(),
        });
        use sp_runtime::{generic::DigestItem, traits::Header as _, Digest};
        let digest = Digest { logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, digest.encode())] };
        let header = Header::new(number, H256::zero(), H256::zero(), H256::zero(), digest);
        self.call_raw("Core_initialize_block", &header.encode());
    }
}

/// A value of the state, by the names of its pallet and itself.
fn value(chain: &mut Chain, pallet: &str, name: &str) -> Option<Vec<u8>> {
    let key = [twox_128(pallet.as_bytes()), twox_128(name.as_bytes())].concat();
    chain.state.execute_with(|| sp_io::storage::get(&key)).map(|value| value.to_vec())
}

/// As many accepted files as a chain may have when it is upgraded.
const MANY: u64 = 100_000;

/// Accepted files of a Datanet that has none.
fn many_leaves(datanet: u32) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let hashed = |bytes: &[u8]| [&twox_64(bytes)[..], bytes].concat();
    let map = [twox_128(b"Datanets"), twox_128(b"Leaves")].concat();
    (0..MANY).map(move |index| {
        let account = blake2_256(&index.to_le_bytes());
        let leaf = DatasetLeaf {
            version: LeafVersion::V1,
            submission: 1_000 + index,
            contributor: AccountId::from(account),
            sha256: blake2_256(&account),
            size: 1_000,
            units: 1_000,
            score: Score::MAX,
            text_root: H256::zero(),
        };
        let place = [hashed(&datanet.to_le_bytes()), hashed(&index.to_le_bytes())].concat();
        ([&map[..], &place].concat(), leaf.encode())
    })
}

/// What a block took.
#[derive(Debug)]
struct Took {
    /// Weight of its beginning, in which an upgrade migrates.
    picoseconds: u64,
    /// By the clock, from its beginning to its end.
    time: Duration,
    /// The first accepted file that is not listed after it.
    unlisted: Option<(u32, u64)>,
}

/// What an upgrade's block and the three after it take on a chain with so many accepted files more.
fn upgrade(more: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Vec<Took> {
    let planted = fixture("state.scale");
    let (mut state, _): (State, Versions) =
        Decode::decode(&mut &planted[..]).expect("a planted state");
    state.extend(more);
    let blob = openledger_runtime::WASM_BINARY.expect("built without SKIP_WASM_BUILD");
    let mut chain = Chain::new(&state, blob.to_vec());
    // The first call compiles the blob.
    let _: RuntimeVersion = chain.call("Core_version", ());
    let mut block = || {
        let begin = Instant::now();
        chain.begin_block();
        let weight = value(&mut chain, "System", "BlockWeight").expect("it is counted");
        // Of each class of transactions, time and size.
        let classes = <[(Compact<u64>, Compact<u64>); 3]>::decode(&mut &weight[..]);
        let picoseconds = classes.expect("weights").iter().map(|(time, _)| time.0).sum();
        chain.end_block();
        let time = begin.elapsed();
        let unlisted = value(&mut chain, "Datanets", "Unlisted");
        let unlisted = unlisted.map(|at| Decode::decode(&mut &at[..]).expect("a place"));
        Took { picoseconds, time, unlisted }
    };
    (0..4).map(|_| block()).collect()
}

#[test]
fn an_upgrade_takes_no_longer_with_a_hundred_thousand_accepted_files() {
    let (few, many) = (upgrade(std::iter::empty()), upgrade(many_leaves(2)));
    let times = |all: &[Took]| all.iter().map(|took| took.time).collect::<Vec<_>>();
    eprintln!("the upgrade's block and three more: {:?}", times(&few));
    eprintln!("with {MANY} accepted files: {:?}", times(&many));
    for (few, many) in few.iter().zip(&many) {
        assert_eq!(
            few.picoseconds, many.picoseconds,
            "the work of a block's beginning does not grow with what was accepted"
        );
    }
    // All of a few are listed at the end of the first block. Of many 500 a block are, but for one that begins a session:
    // that has no room for anything.
    assert!(few.iter().all(|took| took.unlisted.is_none()));
    let listed: Vec<u64> = many.iter().map(|took| took.unlisted.map_or(MANY, |at| at.1)).collect();
    let steps: Vec<u64> = listed.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(listed[0] > 0 && steps.iter().all(|step| [0, 500].contains(step)), "{listed:?}");
    assert!(steps.contains(&500), "{listed:?}");
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
