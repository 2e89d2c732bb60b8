//! A chain's whole state as one runtime version leaves it: the fixture of later migrations.
//!
//! Before a change of a stored shape, run [`plant`] with `OPENLEDGER_PLANT=1` on the runtime as it
//! is and commit `runtime/tests/fixtures/spec-<version>/state.scale`; docs/extending.md says when.

use crate::common::*;
use codec::{Decode, Encode};
use openledger_primitives::{
    job::{JobResult, JobState},
    leaf::{dataset_root, DatasetRef},
    ContentId, DatasetVersion, JobKind, Method, Modality, ModelFamily, RejectionReason,
    ReviewPolicy, RewardTerms, TrainingSpec, Verdict, OPEN,
};
use openledger_runtime::{AccountId, Datanets, RuntimeCall, Training, VERSION};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use std::path::PathBuf;

/// What the runtime that planted a state said of it, for a later one to be compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Said {
    /// Each Datanet's versions from no leaf to all.
    pub versions: Vec<Vec<DatasetVersion>>,
    /// Of each Datanet, each leaf in each version that has it.
    pub proofs: Vec<Proof>,
    /// What every account owned, and what it could claim in Datanet 0.
    pub owned: Vec<(AccountId, u128, u128)>,
    /// Points in Datanet 0 in order of rank.
    pub board: Vec<(AccountId, u128)>,
    /// Every job as it was encoded.
    pub jobs: Vec<Vec<u8>>,
    /// Votes on pending submissions: submission, curator, whether to accept.
    pub votes: Vec<(u64, AccountId, bool)>,
}

/// A leaf in a version.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proof {
    pub datanet: u32,
    pub index: u64,
    pub leaves: u64,
    /// The leaf as it was encoded.
    pub leaf: Vec<u8>,
    pub hash: H256,
    pub proof: Vec<H256>,
}

/// A state and what was said of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Planted {
    /// Every key of the top trie with its value.
    pub state: Vec<(Vec<u8>, Vec<u8>)>,
    pub said: Said,
}

/// Where the state of a runtime version lies.
pub fn path(spec_version: u32) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    folder.join(format!("spec-{spec_version}/state.scale"))
}

/// The curators of a Datanet whose verdicts take `threshold` of them.
fn datanet(name: &str, members: &[Sr25519Keyring], threshold: u8) {
    dispatch(
        &Alice.to_account_id(),
        pallet_datanets::Call::create_datanet {
            name: name.as_bytes().to_vec().try_into().expect("short"),
            modality: Modality::Text,
            min_units: 10,
            max_units: 1_000,
            daily_limit: None,
            policy: ReviewPolicy::Curators {
                members: members
                    .iter()
                    .map(|member| member.to_account_id())
                    .collect::<Vec<_>>()
                    .try_into()
                    .expect("at most 16"),
                threshold,
            },
        },
    );
}

fn file(n: u32) -> openledger_primitives::api::SubmissionItem {
    item(format!("file {n}").as_bytes())
}

fn vote(who: Sr25519Keyring, datanet: u32, n: u32, verdict: Verdict) {
    let sha256 = file(n).sha256;
    let submission = Datanets::pending(datanet, None, 100)
        .into_iter()
        .find(|view| view.item.sha256 == sha256)
        .expect("the file waits")
        .submission;
    dispatch(
        &who.to_account_id(),
        pallet_review::Call::vote { datanet, sha256, submission, verdict },
    );
}

fn next_blocks(count: u32) {
    for _ in 0..count {
        end_block();
        begin_block();
    }
}

/// Plants the state of a busy chain: Datanets, contributors (one sponsored), leaves, pending files
/// with and without votes, a funded pool with claims, a model, a worker, and jobs in several states.
pub fn plant() {
    begin_block();
    datanet("questions", &[Bob, Charlie], 2);
    datanet("answers", &[Bob, Charlie, Dave], 3);
    datanet("nothing yet", &[Bob], 1);
    let (ada, ben) = (id(&user(1)), id(&user(2)));
    endow(&ada);
    dispatch(&ada, pallet_datanets::Call::register {});
    sponsor(&ben);

    let terms = RewardTerms { per_period: 10 * OPEN, max_per_point: 1_000_000_000_000 };
    fund(&Alice.to_account_id(), 0, 100 * OPEN, terms);
    dispatch(&ada, submit(0, (0..8).map(file).collect()));
    dispatch(&ben, submit(0, (8..12).map(file).collect()));
    dispatch(&ben, submit(1, (20..24).map(file).collect()));
    // Old enough to be accepted.
    next_blocks(3);
    // Seven leaves: peaks over four, two and one.
    for n in (0..5).chain(8..10) {
        vote(Bob, 0, n, accept(60 + n as u8, 500 + u64::from(n), 1 + n as u8));
        vote(Charlie, 0, n, accept(70, 500 + u64::from(n), 1 + n as u8));
    }
    vote(Bob, 0, 10, Verdict::Reject(RejectionReason::OffTopic));
    vote(Charlie, 0, 10, Verdict::Reject(RejectionReason::LowQuality));
    dispatch(&ada, pallet_datanets::Call::withdraw { datanet: 0, sha256: file(5).sha256 });
    // Pending in Datanet 0: 6 with a vote to accept, 7 with one to reject, 11 without any.
    vote(Bob, 0, 6, accept(90, 700, 6));
    vote(Charlie, 0, 7, Verdict::Reject(RejectionReason::TooSmall));

    for curator in [Bob, Charlie, Dave] {
        vote(curator, 1, 20, accept(80, 900, 1));
    }
    // Pending in Datanet 1: measurements that differ, both kinds of vote, agreement of two of three.
    vote(Bob, 1, 21, accept(50, 100, 1));
    vote(Charlie, 1, 21, accept(50, 101, 1));
    vote(Bob, 1, 22, Verdict::Reject(RejectionReason::Duplicate));
    vote(Dave, 1, 22, accept(40, 300, 1));
    vote(Charlie, 1, 23, accept(70, 400, 1));
    vote(Dave, 1, 23, accept(75, 400, 1));

    // A period, then a claim of one of the two.
    next_blocks(11);
    dispatch(
        &Eve.to_account_id(),
        pallet_leaderboard::Call::claim { datanet: 0, account: ada.clone() },
    );
    train();
}

fn train() {
    let (owner, worker) = (Eve.to_account_id(), Ferdie.to_account_id());
    dispatch(
        &owner,
        pallet_training::Call::register_base_model {
            family: ModelFamily::Llama,
            name: b"model".to_vec().try_into().expect("short"),
            files: pallet_training::types::ModelFiles {
                weights: ContentId::raw([1; 32]),
                weights_sha256: [1; 32],
                weights_size: 1,
                tokenizer: None,
                config: None,
            },
            licence: b"Apache-2.0".to_vec().try_into().expect("short"),
        },
    );
    dispatch(
        &worker,
        pallet_training::Call::register_worker {
            kinds: vec![JobKind { family: ModelFamily::Llama, method: Method::Lora }]
                .try_into()
                .expect("one fits"),
            price_per_token: 1_000_000_000,
            endpoint: Default::default(),
            serves: openledger_primitives::Serves::UpTo(u64::MAX),
            tokens_per_second: 1_000,
        },
    );
    let job = |leaves: u64| {
        let version = Datanets::version_at(0, leaves).expect("the version was there");
        let now = openledger_runtime::System::block_number();
        RuntimeCall::from(pallet_training::Call::create_job {
            base: 0,
            datasets: vec![DatasetRef { datanet: 0, version }].try_into().expect("one fits"),
            spec: TrainingSpec::default(),
            token_ceiling: 1_000,
            price_per_token: OPEN / 1_000,
            deadline: now + 100,
        })
    };
    // Job 0 completes, on a version that is not the newest.
    dispatch(&owner, job(5));
    next_blocks(1);
    dispatch(&worker, pallet_training::Call::take { job: 0 });
    let datasets = Training::job(0).expect("it was created").datasets;
    let result = JobResult {
        content: ContentId::raw([2; 32]),
        sha256: [2; 32],
        size: 1,
        eval_loss_before: 3_000_000,
        eval_loss_after: 2_000_000,
        tokens: 900,
        dataset_root: dataset_root(&datasets),
        checkpoints_root: H256::zero(),
        influence_root: H256::zero(),
    };
    dispatch(&worker, pallet_training::Call::submit_result { job: 0, result });
    next_blocks(5);
    assert!(matches!(Training::job(0).map(|job| job.state), Some(JobState::Completed { .. })));
    // Job 1 trains, 2 waits, 3 was called off.
    dispatch(&owner, job(7));
    next_blocks(1);
    dispatch(&worker, pallet_training::Call::take { job: 1 });
    dispatch(&worker, pallet_training::Call::heartbeat { job: 1, step: 3, total_steps: 10 });
    dispatch(&owner, job(7));
    dispatch(&owner, job(1));
    dispatch(&owner, pallet_training::Call::cancel_job { job: 3 });
    end_block();
}

/// What the runtime says of the state now.
pub fn said() -> Said {
    let mut said = Said::default();
    for datanet in 0..3 {
        let all = Datanets::datanet(datanet).expect("three Datanets").version.leaves;
        let version = |leaves| Datanets::version_at(datanet, leaves).expect("it was there");
        said.versions.push((0..=all).map(version).collect());
        for view in Datanets::leaves(datanet, 0, 100) {
            for leaves in view.index + 1..=all {
                said.proofs.push(Proof {
                    datanet,
                    index: view.index,
                    leaves,
                    leaf: view.leaf.encode(),
                    hash: view.leaf.hash(),
                    proof: Datanets::leaf_proof(datanet, view.index, leaves).expect("it is there"),
                });
            }
        }
    }
    let mut accounts: Vec<AccountId> =
        frame_system::Account::<openledger_runtime::Runtime>::iter_keys().collect();
    accounts.sort();
    said.owned = accounts
        .into_iter()
        .map(|who| {
            let claimable = openledger_runtime::Leaderboard::claimable(0, &who);
            (who.clone(), total(&who), claimable)
        })
        .collect();
    said.board = openledger_runtime::Leaderboard::leaderboard(0, None, 100)
        .into_iter()
        .map(|entry| (entry.account, entry.points))
        .collect();
    said.jobs = Training::jobs(0, 100).iter().map(Encode::encode).collect();
    let mut votes: Vec<_> = pallet_review::Ballots::<openledger_runtime::Runtime>::iter()
        .flat_map(|(submission, ballot)| {
            ballot.votes.into_iter().map(move |(curator, verdict)| {
                (submission, curator, matches!(verdict, Verdict::Accept { .. }))
            })
        })
        .collect();
    votes.sort();
    said.votes = votes;
    said
}

fn whole_state() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut state = Vec::new();
    let mut key = Vec::new();
    while let Some(next) = sp_io::storage::next_key(&key) {
        let value = sp_io::storage::get(&next).expect("a key has a value");
        state.push((next.clone(), value.to_vec()));
        key = next;
    }
    state
}

/// Plants a state with this runtime; with `OPENLEDGER_PLANT=1`, writes it to [`path`].
#[test]
fn a_planted_state_has_something_of_everything() {
    let planted = genesis("development").execute_with(|| {
        plant();
        Planted { state: whole_state(), said: said() }
    });
    let said = &planted.said;
    let leaves: Vec<usize> = said.versions.iter().map(|versions| versions.len() - 1).collect();
    assert_eq!(leaves, [7, 1, 0]);
    assert_eq!(said.proofs.len(), 7 * 8 / 2 + 1);
    assert_eq!(said.votes.len(), 8);
    assert_eq!(said.jobs.len(), 4);
    assert_eq!(said.board.len(), 2);
    assert!(said.owned.iter().any(|(_, _, claimable)| *claimable > 0));
    if std::env::var_os("OPENLEDGER_PLANT").is_some() {
        let path = path(VERSION.spec_version);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        std::fs::write(path, planted.encode()).expect("the file can be written");
    }
}
