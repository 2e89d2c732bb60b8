//! Runtime APIs: what programs read of the chain, through `state_call`, polkadot-api, subxt, or the
//! node's `openledger_*` JSON-RPC methods.

// The macro writes items that it does not document.
#![allow(missing_docs, clippy::too_many_arguments, clippy::multiple_bound_locations)]

use crate::{
    job::{Adapter, Job},
    Balance, BlockNumber, ContentId, DailyQuota, DatanetId, DatasetLeaf, DatasetVersion, Day,
    ExtractorVersion, FileHash, JobId, JobKind, LeafIndex, MediaType, Modality, Period, Points,
    Pool, QuotaLimits, Refusal, ReviewPolicy, SubmissionId,
};
use alloc::vec::Vec;
use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// One file of a submission.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct SubmissionItem {
    /// The file on IPFS.
    pub content: ContentId,
    /// sha2-256 of its flat bytes.
    pub sha256: FileHash,
    /// Size of its flat bytes.
    pub size: u32,
    /// Its format.
    pub media: MediaType,
}

/// An account's quota today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct QuotaStatus {
    /// Today.
    pub day: Day,
    /// What was used today.
    pub used: DailyQuota,
    /// What is allowed.
    pub limits: QuotaLimits,
    /// Whether the account is a registered contributor.
    pub registered: bool,
}

/// A Datanet as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DatanetView<AccountId> {
    /// Its number.
    pub id: DatanetId,
    /// Who created it.
    pub owner: AccountId,
    /// Its name (UTF-8).
    pub name: Vec<u8>,
    /// What it holds.
    pub modality: Modality,
    /// Least units of a file.
    pub min_units: u64,
    /// Most units of a file that earn points.
    pub max_units: u64,
    /// Submissions waiting for a verdict.
    pub pending: u32,
    /// Units accepted in all.
    pub units: u64,
    /// Its current version.
    pub version: DatasetVersion,
    /// Who decides on submissions.
    pub policy: Option<ReviewPolicy<AccountId>>,
}

/// A submission waiting for its verdict, as reviewers see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PendingView<AccountId> {
    /// Its number.
    pub submission: SubmissionId,
    /// Who gave it.
    pub contributor: AccountId,
    /// The file.
    pub item: SubmissionItem,
}

/// A leaf with what is needed to fetch its file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct LeafView<AccountId> {
    /// Its position.
    pub index: LeafIndex,
    /// The leaf.
    pub leaf: DatasetLeaf<AccountId>,
    /// The file on IPFS.
    pub content: ContentId,
    /// Its format.
    pub media: MediaType,
}

/// One line of a leaderboard.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BoardEntry<AccountId> {
    /// Who.
    pub account: AccountId,
    /// Points earned by acceptance.
    pub points: Points,
    /// Acceptance number that brought the last points; of equal points the earlier ranks first.
    pub sequence: u64,
}

/// Where a page of a leaderboard begins: after this entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BoardCursor {
    /// Points of the last entry seen.
    pub points: Points,
    /// Its sequence.
    pub sequence: u64,
}

/// A worker as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WorkerView<AccountId> {
    /// Who.
    pub account: AccountId,
    /// What it can train.
    pub kinds: Vec<JobKind>,
    /// Plancks a token.
    pub price_per_token: Balance,
    /// What it has at stake.
    pub bond: Balance,
    /// Where it serves (UTF-8), or empty.
    pub endpoint: Vec<u8>,
    /// The job it has, if any.
    pub job: Option<JobId>,
    /// Whether it takes no further jobs, by its own wish or since it let one time out.
    pub paused: bool,
}

sp_api::decl_runtime_apis! {
    /// Datanets, quotas, admission and dataset versions.
    pub trait DatanetsApi<AccountId: Codec> {
        /// An account's quota today.
        fn quota(account: AccountId) -> QuotaStatus;
        /// Whether a submission would be admitted now, and if not, by which rule.
        fn check_submission(
            account: AccountId,
            datanet: DatanetId,
            items: Vec<SubmissionItem>,
        ) -> Result<(), Refusal>;
        /// A Datanet.
        fn datanet(datanet: DatanetId) -> Option<DatanetView<AccountId>>;
        /// At most `limit` (and 100) Datanets from number `start` on.
        fn datanets(start: DatanetId, limit: u32) -> Vec<DatanetView<AccountId>>;
        /// At most `limit` (and 100) pending submissions with numbers above `after`.
        fn pending(
            datanet: DatanetId,
            after: Option<SubmissionId>,
            limit: u32,
        ) -> Vec<PendingView<AccountId>>;
        /// At most `limit` (and 100) leaves from position `start` on.
        fn leaves(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<LeafView<AccountId>>;
        /// The version of a Datanet when it had `leaves` leaves.
        fn version_at(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion>;
        /// Proof that the leaf at `index` stands in the version with `leaves` leaves, for
        /// `openledger_primitives::leaf::verify_leaf`.
        fn leaf_proof(datanet: DatanetId, index: LeafIndex, leaves: u64) -> Option<Vec<H256>>;
    }

    /// Reviews.
    pub trait ReviewApi {
        /// The extractor version that votes to accept must name.
        fn extractor() -> ExtractorVersion;
    }

    /// Points and rewards.
    pub trait LeaderboardApi<AccountId: Codec> {
        /// At most `limit` (and 100) entries in order of rank, after `cursor`.
        fn leaderboard(
            datanet: DatanetId,
            cursor: Option<BoardCursor>,
            limit: u32,
        ) -> Vec<BoardEntry<AccountId>>;
        /// An account's points in a Datanet.
        fn points(datanet: DatanetId, account: AccountId) -> Points;
        /// What an account could claim now.
        fn claimable(datanet: DatanetId, account: AccountId) -> Balance;
        /// A Datanet's pool.
        fn pool(datanet: DatanetId) -> Option<Pool>;
        /// The reward period of the current block, and the first block of the next.
        fn period() -> (Period, BlockNumber);
    }

    /// Jobs, workers and adapters.
    pub trait TrainingApi<AccountId: Codec> {
        /// A job.
        fn job(job: JobId) -> Option<Job<AccountId>>;
        /// At most `limit` (and 100) jobs from number `start` on.
        fn jobs(start: JobId, limit: u32) -> Vec<(JobId, Job<AccountId>)>;
        /// An adapter.
        fn adapter(job: JobId) -> Option<Adapter<AccountId>>;
        /// A worker.
        fn worker(account: AccountId) -> Option<WorkerView<AccountId>>;
        /// Of at most `limit` (and 100) jobs from number `start` on, those that train an adapter
        /// further, each with that adapter.
        #[api_version(2)]
        fn parents(start: JobId, limit: u32) -> Vec<(JobId, JobId)>;
        /// The adapters from which a job's adapter comes, the nearest first: at most `limit` (and
        /// 100) of them.
        #[api_version(2)]
        fn ancestry(job: JobId, limit: u32) -> Vec<JobId>;
    }
}
