//! What benchmarks of the project's pallets run on: only those, since the SDK's bring weights of their own.
//!
//! `scripts/benchmark` runs them.

use crate::{
    AccountId, AllPalletsWithSystem, Balances, Datanets, Leaderboard, Review, Runtime,
    RuntimeHoldReason, Training,
};
use alloc::{string::String, vec::Vec};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
    fungible::{Mutate, MutateHold},
    StorageInfo, StorageInfoTrait, WhitelistedStorageKeys,
};
use openledger_primitives::{
    committee::{Budget, BudgetTerms, Session},
    leaf::range_size,
    traits::{BenchmarkSetup, SubmittedFile},
    ContentId, DailyQuota, DatanetId, DatanetStatus, DatasetVersion, Ending, Funds, MediaType,
    Modality, Pool, Position, QuotaLimits, RejectionReason, ReviewPolicy, RewardTerms,
    WaitingTerms, OPEN,
};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash};

frame_benchmarking::define_benchmarks!(
    [pallet_datanets, Datanets]
    [pallet_leaderboard, Leaderboard]
    [pallet_review, Review]
    [pallet_training, Training]
);

/// The benchmarks there are, and what is stored.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::<BenchmarkList>::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// Runs one of them.
///
/// # Errors
///
/// Why it could not be run.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::<BenchmarkBatch>::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}

/// Sets up what benchmarks of one pallet need of the others.
pub struct Setup;

/// Files of an account that wait beside the one that is looked at.
const WAITING: u32 = 59;
/// What pots are endowed with.
const PLENTY: u128 = 1_000_000 * OPEN;

impl BenchmarkSetup<AccountId> for Setup {
    fn set_time(moment: u64) {
        pallet_timestamp::Now::<Runtime>::put(moment);
    }

    fn set_session(session: Session) {
        pallet_session::CurrentIndex::<Runtime>::put(session);
    }

    fn datanet(owner: &AccountId, policy: ReviewPolicy<AccountId>) -> DatanetId {
        let id = pallet_datanets::NextDatanet::<Runtime>::get();
        pallet_datanets::NextDatanet::<Runtime>::put(id + 1);
        let deposit = 10 * OPEN;
        Balances::set_balance(owner, PLENTY);
        let reason = RuntimeHoldReason::Datanets(pallet_datanets::HoldReason::Datanet);
        Balances::hold(&reason, owner, deposit).expect("the owner has plenty");
        let datanet = pallet_datanets::Datanet {
            owner: owner.clone(),
            name: alloc::vec![b'n'; 64].try_into().expect("a name's most bytes"),
            modality: Modality::Text,
            min_units: 1,
            max_units: 1_000_000,
            daily_limit: Some(QuotaLimits { files: 10_000, bytes: 1 << 40 }),
            used: DailyQuota::default(),
            deposit,
            pending: 0,
            leaves: 0,
            units: 0,
        };
        pallet_datanets::Datanets::<Runtime>::insert(id, datanet);
        pallet_review::Policies::<Runtime>::insert(id, policy);
        let waiting = pallet_review::WaitingPolicy {
            policy: ReviewPolicy::Committee { own_seats: true },
            from: u32::MAX,
        };
        pallet_review::WaitingPolicies::<Runtime>::insert(id, waiting);
        id
    }

    fn close(datanet: DatanetId) {
        pallet_datanets::Statuses::<Runtime>::insert(datanet, DatanetStatus::Closed);
    }

    fn set_leaves(datanet: DatanetId, leaves: u64) -> DatasetVersion {
        pallet_datanets::Datanets::<Runtime>::mutate(datanet, |record| {
            if let Some(record) = record {
                record.leaves = leaves;
            }
        });
        // The perfect trees that the leaves make up, the highest first: each ends in its peak.
        let mut before = 0;
        for height in (0..u64::BITS).rev().filter(|height| leaves >> height & 1 == 1) {
            before += range_size(1 << height);
            let node = H256::repeat_byte(height as u8 + 1);
            pallet_datanets::RangeNodes::<Runtime>::insert(datanet, before - 1, node);
        }
        Datanets::version_at(datanet, leaves).expect("every peak is there")
    }

    fn pending(datanet: DatanetId, contributor: &AccountId) -> SubmittedFile {
        let submission = pallet_datanets::NextSubmission::<Runtime>::get().max(1_000);
        pallet_datanets::NextSubmission::<Runtime>::put(submission + 1);
        let sha256 = BlakeTwo256::hash_of(&submission).0;
        let (size, media) = (1 << 20, MediaType::Md);
        pallet_datanets::Datanets::<Runtime>::mutate(datanet, |record| {
            if let Some(record) = record {
                record.pending += 1;
            }
        });
        let mut record = pallet_datanets::Contributors::<Runtime>::get(contributor).unwrap_or(
            pallet_datanets::Contributor {
                depositor: contributor.clone(),
                hold: 0,
                last_submission: Some(1),
                pending: 0,
            },
        );
        record.pending += 1;
        pallet_datanets::Contributors::<Runtime>::insert(contributor, record);
        let entry =
            |submission| pallet_datanets::WaitingFile { submission, datanet, since: 0, age: 0 };
        let mut waiting = pallet_datanets::Waiting::<Runtime>::get(contributor);
        if waiting.is_empty() {
            let others = (0..u64::from(WAITING)).map(entry).collect();
            waiting = frame_support::BoundedVec::truncate_from(others);
        }
        waiting.try_push(entry(submission)).expect("the list has room for thousands");
        pallet_datanets::Waiting::<Runtime>::insert(contributor, waiting);
        let number = pallet_datanets::OrderedSubmissionId::from(submission);
        let pending = pallet_datanets::Submission::Pending {
            id: submission,
            contributor: contributor.clone(),
            content: ContentId::raw(sha256),
            size,
            media,
        };
        pallet_datanets::Submissions::<Runtime>::insert(datanet, sha256, pending);
        pallet_datanets::Pending::<Runtime>::insert(datanet, number, sha256);
        // It was refused before, long ago.
        let refused = pallet_datanets::RefusedFile {
            submission: submission - 900,
            contributor: contributor.clone(),
            ending: Ending::Rejected(RejectionReason::LowQuality),
            judges: Default::default(),
            at: 0,
            age: 0,
            kept_until: 1,
        };
        pallet_datanets::RefusedFiles::<Runtime>::insert(datanet, sha256, refused);
        SubmittedFile { submission, sha256, media, size }
    }

    fn reward_pool(datanet: DatanetId, contributor: &AccountId) {
        let period = Leaderboard::period().0;
        let before = period.saturating_sub(1);
        let terms = RewardTerms { per_period: 100 * OPEN, max_per_point: OPEN };
        let pool = Pool {
            total_in: 1_000 * OPEN,
            available: 1_000 * OPEN,
            terms,
            period: before,
            points: 100,
            ..Default::default()
        };
        pallet_leaderboard::Pools::<Runtime>::insert(datanet, pool);
        let position = Position {
            points: 100,
            sequence: u64::from(datanet),
            period: before,
            period_points: 100,
            owed: 0,
        };
        pallet_leaderboard::Positions::<Runtime>::insert(datanet, contributor, position);
        let rank = pallet_leaderboard::RankKey::of(&position);
        pallet_leaderboard::Board::<Runtime>::insert(datanet, rank, contributor);
        let global = pallet_leaderboard::GlobalPosition { points: 100, sequence: 0 };
        pallet_leaderboard::GlobalPositions::<Runtime>::insert(contributor, global);
        let rank = pallet_leaderboard::RankKey::new(100, 0);
        pallet_leaderboard::GlobalBoard::<Runtime>::insert(rank, contributor);
        pallet_leaderboard::NextSequence::<Runtime>::put(1_000_000);
        let funds = Funds {
            shares: 1_000 * OPEN,
            leaving: 100 * OPEN,
            leavers: 2,
            batch: 5,
            active: before,
            ..Default::default()
        };
        pallet_leaderboard::PoolFunds::<Runtime>::insert(datanet, funds);
        let terms = RewardTerms { per_period: 200 * OPEN, max_per_point: OPEN };
        let waiting = WaitingTerms { terms, from: period };
        pallet_leaderboard::Waiting::<Runtime>::insert(datanet, waiting);
        Balances::set_balance(&Leaderboard::pot(), PLENTY);
    }

    fn fund_reviews(datanet: DatanetId) {
        let mut budget = Budget::default();
        budget.fund(PLENTY).expect("a budget has room for it");
        pallet_review::Budgets::<Runtime>::insert(datanet, budget);
        let terms = BudgetTerms { files_a_day: 10_000, share: 100 };
        pallet_review::Terms::<Runtime>::insert(datanet, terms);
        Balances::set_balance(&Review::pot(), PLENTY);
    }
}
