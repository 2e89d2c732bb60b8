//! Runtime APIs: what programs read of the chain, through `state_call`, polkadot-api, subxt, or the
//! node's `openledger_*` JSON-RPC methods.

// The macro writes items that it does not document.
#![allow(missing_docs, clippy::too_many_arguments, clippy::multiple_bound_locations)]

mod leaderboard;
mod training;

pub use leaderboard::*;
pub use training::*;

use crate::{
    funding::{Shares, WayOut},
    job::{
        dispute::{Outcome, Verifier},
        Assignment, JobState, Refused,
    },
    leaf::DatasetRef,
    market::Serves,
    AdmissionPolicy, Balance, BarReason, BaseModelId, BlockNumber, ContentId, DailyQuota,
    DatanetId, DatanetStatus, DatasetLeaf, DatasetVersion, Day, Ending, ExtractorVersion, FileHash,
    JobId, JobKind, LeafIndex, MediaType, Modality, ModelFamily, Period, Points, PoolRules,
    QuotaLimits, Refusal, ReviewPolicy, RewardTerms, Salt, SubmissionId, TrainingSpec, Verdict,
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

/// What a Datanet's owner says about it, and what stands open.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DatanetDetails<AccountId> {
    /// Whether it takes files.
    pub status: DatanetStatus,
    /// A line (UTF-8).
    pub summary: Vec<u8>,
    /// Markdown (UTF-8).
    pub description: Vec<u8>,
    /// Words to find it by (UTF-8).
    pub tags: Vec<Vec<u8>>,
    /// To whom it is offered.
    pub offered_to: Option<AccountId>,
    /// Plancks held on its owner.
    pub deposit: Balance,
    /// What all contributors together may submit in one UTC day.
    pub daily_limit: Option<QuotaLimits>,
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

/// A precommitment that can still be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PrecommitView {
    /// The hash.
    pub commitment: H256,
    /// Block that holds it.
    pub at: BlockNumber,
    /// First block in which it cannot be opened any more.
    pub expires_at: BlockNumber,
}

/// By what a submission is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum SubmissionKey {
    /// Its number.
    Number(SubmissionId),
    /// The hash of its file: of several submissions of one file, the last.
    Sha256(FileHash),
}

/// Where a submission is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum SubmissionState<AccountId> {
    /// It waits for its verdict.
    Pending {
        /// The file.
        item: SubmissionItem,
        /// Block in which it was submitted.
        since: BlockNumber,
        /// Block from which its age counts: that of its precommitment, if it had one.
        age: BlockNumber,
        /// First block in which it can be accepted.
        acceptable_at: BlockNumber,
        /// First block in which anyone may expire it.
        expires_at: BlockNumber,
        /// Votes in the order they were cast, those included that do not count any more.
        votes: Vec<(AccountId, Verdict)>,
    },
    /// It has a leaf.
    Accepted {
        /// The leaf, with what is needed to fetch the file.
        leaf: LeafView<AccountId>,
        /// Whether the leaf was revoked.
        revoked: bool,
    },
    /// It ended without a leaf.
    Refused {
        /// Why.
        ending: Ending,
        /// Who judged it so.
        judges: Vec<AccountId>,
        /// Block in which it ended.
        at: BlockNumber,
        /// First block in which the chain may forget it, and anyone may submit the file.
        kept_until: BlockNumber,
    },
}

/// A submission with its history.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SubmissionView<AccountId> {
    /// Its number.
    pub submission: SubmissionId,
    /// The Datanet.
    pub datanet: DatanetId,
    /// sha2-256 of the file's flat bytes.
    pub sha256: FileHash,
    /// Who gave it.
    pub contributor: AccountId,
    /// Where it is in its life.
    pub state: SubmissionState<AccountId>,
}

/// What may be submitted to a Datanet in a UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct CapsView {
    /// By all contributors together; no cap without it.
    pub daily_limit: Option<QuotaLimits>,
    /// What was used of it on the last day that any was.
    pub used: DailyQuota,
    /// Percent of it that one account may use.
    pub share: u8,
    /// That share in files and bytes.
    pub account_limit: Option<QuotaLimits>,
}

/// An account that a Datanet takes no files of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BarView {
    /// Why.
    pub reason: BarReason,
    /// Since which block.
    pub since: BlockNumber,
}

/// A leaf that must not be trained on any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RevocationView {
    /// Its position.
    pub leaf: LeafIndex,
    /// Since which block: jobs of later blocks leave it out ([`leaves_out`](crate::leaf::leaves_out)).
    pub at: BlockNumber,
    /// Whether governance revoked it, and not its contributor.
    pub by_governance: bool,
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

/// A pool as readers see it: as it would be if it were touched now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PoolView {
    /// Everything ever paid in.
    pub total_in: Balance,
    /// Paid out for points.
    pub claimed: Balance,
    /// Released to points, not yet paid out.
    pub owed: Balance,
    /// Not yet released.
    pub available: Balance,
    /// Left with shares, not yet withdrawn.
    pub returning: Balance,
    /// Withdrawn by funders.
    pub returned: Balance,
    /// The current period.
    pub period: Period,
    /// Points earned in it.
    pub points: Points,
    /// What `fund` has to name.
    pub rules: PoolRules,
    /// Terms that wait.
    pub waiting: Option<WaitingTermsView>,
    /// Shares of what is available.
    pub shares: Shares,
    /// Those of them that nobody holds.
    pub unowned: Shares,
    /// Why funders may leave now; `None` if they may not.
    pub way_out: Option<WayOut>,
}

/// Terms that wait, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WaitingTermsView {
    /// The terms.
    pub terms: RewardTerms,
    /// The first period that they count for.
    pub from: Period,
    /// Its first block.
    pub block: BlockNumber,
}

/// A review policy that waits, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WaitingPolicyView<AccountId> {
    /// The policy.
    pub policy: ReviewPolicy<AccountId>,
    /// The first block in which it counts.
    pub block: BlockNumber,
}

/// What a funder owns of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ShareView {
    /// Shares that stay.
    pub shares: Shares,
    /// Plancks that they are worth now.
    pub worth: Balance,
    /// Shares that leave at the end of the period.
    pub leaving: Shares,
    /// Plancks that can be withdrawn.
    pub due: Balance,
}

/// Where an account's rewards are paid.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PayoutView<AccountId> {
    /// The account that gets them now.
    pub to: AccountId,
    /// The one that gets them from a block on.
    pub next: Option<(AccountId, BlockNumber)>,
}

/// A worker as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WorkerView<AccountId> {
    /// Who.
    pub account: AccountId,
    /// What it can train.
    pub kinds: Vec<JobKind>,
    /// Its floor: plancks a token below which it gets no job.
    pub price_per_token: Balance,
    /// What it has at stake.
    pub bond: Balance,
    /// Where it serves (UTF-8), or empty.
    pub endpoint: Vec<u8>,
    /// The job it has, if any.
    pub job: Option<JobId>,
    /// Whether it takes no further jobs, by its own wish or since it let one time out or declined
    /// several.
    pub paused: bool,
    /// Which base models it has opted in to.
    pub serves: Serves,
    /// How fast it says it trains, rounded down to a power of two.
    pub tokens_per_second: u32,
    /// Jobs it let time out.
    pub lost: u32,
    /// Jobs it declined since it last took one.
    pub declines: u8,
    /// The block before which it cannot resume; 0 for none.
    pub rests_until: BlockNumber,
    /// A higher floor, and the first block in which it may take effect.
    pub raise: Option<(Balance, BlockNumber)>,
}

/// A job as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct JobView<AccountId> {
    /// Its number.
    pub id: JobId,
    /// Who pays.
    pub owner: AccountId,
    /// What is fine-tuned.
    pub base: BaseModelId,
    /// What a worker must be able to do.
    pub kind: JobKind,
    /// The adapter that is trained further, if it is not a fresh one.
    pub parent: Option<JobId>,
    /// On what.
    pub datasets: Vec<DatasetRef>,
    /// How.
    pub spec: TrainingSpec,
    /// Most tokens the price covers.
    pub token_ceiling: u64,
    /// Plancks offered a token.
    pub price_per_token: Balance,
    /// Plancks held until it ends.
    pub budget: Balance,
    /// Plancks held until its record is gone.
    pub deposit: Balance,
    /// Block after which it fails.
    pub deadline: BlockNumber,
    /// Workers that let it time out.
    pub attempts: u8,
    /// Workers it is not offered to again, and why they declined it.
    pub refused: Vec<Refused<AccountId>>,
    /// Where it is in its life.
    pub state: JobState<AccountId>,
    /// Block in which it failed or was called off; 0 otherwise.
    pub ended_at: BlockNumber,
    /// The last block in which it may be as it is; `None` if it is over.
    pub due: Option<BlockNumber>,
}

impl<AccountId> JobView<AccountId> {
    /// The current assignment, if a worker has the job or had it completed.
    pub const fn assignment(&self) -> Option<&Assignment<AccountId>> {
        self.state.assignment()
    }
}

/// A dispute as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DisputeView<AccountId> {
    /// The job.
    pub job: JobId,
    /// Who opened it.
    pub disputer: AccountId,
    /// Plancks that it put at stake; held until the end.
    pub bond: Balance,
    /// Plancks for each worker that is paid for its finding.
    pub fee: Balance,
    /// Block at whose start workers are drawn.
    pub draw_at: BlockNumber,
    /// Those drawn, with what they have shown; none before.
    pub drawn: Vec<Verifier<AccountId>>,
    /// Last block for the hashes of findings; 0 before the draw.
    pub commit_by: BlockNumber,
    /// Last block for findings; 0 before the draw.
    pub reveal_by: BlockNumber,
    /// How it ended; `None` while it is open.
    pub outcome: Option<Outcome>,
}

/// Where a queued job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct QueuePlace {
    /// Waiting jobs of the same kind and base model that are offered first: those that pay more a
    /// token, or as much and came before. Counted up to 1,000.
    pub ahead: u32,
}

/// A base model as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BaseModelView<AccountId> {
    /// Its number.
    pub id: BaseModelId,
    /// Who registered it.
    pub registrar: AccountId,
    /// Its architecture.
    pub family: ModelFamily,
    /// Its name (UTF-8).
    pub name: Vec<u8>,
    /// Its licence (UTF-8).
    pub licence: Vec<u8>,
    /// The weights on IPFS.
    pub weights: ContentId,
    /// sha2-256 of the weights' flat bytes.
    pub weights_sha256: FileHash,
    /// Size of the weights' flat bytes.
    pub weights_size: u64,
    /// The tokenizer, if the weights' file does not hold it.
    pub tokenizer: Option<ContentId>,
    /// The configuration, if the weights' file does not hold it.
    pub config: Option<ContentId>,
    /// Plancks held for it.
    pub deposit: Balance,
    /// Whether it takes no new jobs.
    pub retired: bool,
    /// Jobs on record that name it.
    pub jobs: u64,
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
        /// What a Datanet's owner says about it, and what stands open.
        #[api_version(2)]
        fn details(datanet: DatanetId) -> Option<DatanetDetails<AccountId>>;
        /// Whether precommitments would be admitted now, and if not, by which rule.
        #[api_version(2)]
        fn check_precommit(account: AccountId, commitments: Vec<H256>) -> Result<(), Refusal>;
        /// Whether precommitted files would be admitted now, and if not, by which rule.
        #[api_version(2)]
        fn check_opening(
            account: AccountId,
            datanet: DatanetId,
            items: Vec<SubmissionItem>,
            salt: Salt,
        ) -> Result<(), Refusal>;
        /// An account's precommitments that can still be opened.
        #[api_version(2)]
        fn precommits(account: AccountId) -> Vec<PrecommitView>;
        /// A submission with its history, votes and reason. The chain keeps a refusal as long as it
        /// keeps the file for its first contributor; indexes keep it for ever.
        #[api_version(2)]
        fn submission(
            datanet: DatanetId,
            key: SubmissionKey,
        ) -> Option<SubmissionView<AccountId>>;
        /// At most `limit` (and 100) submissions of an account with numbers above `after`, in order.
        #[api_version(2)]
        fn submissions_of(
            account: AccountId,
            after: Option<SubmissionId>,
            limit: u32,
        ) -> Vec<SubmissionView<AccountId>>;
        /// What may be submitted to a Datanet in a day.
        #[api_version(2)]
        fn caps(datanet: DatanetId) -> Option<CapsView>;
        /// Whether and why a Datanet takes no files of an account.
        #[api_version(2)]
        fn bar(datanet: DatanetId, account: AccountId) -> Option<BarView>;
        /// At most `limit` (and 100) revoked leaves of a Datanet at positions from `start` on, in order.
        #[api_version(2)]
        fn revoked(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<LeafIndex>;
        /// Of whom a Datanet takes files, and whether an account is invited.
        #[api_version(3)]
        fn admission(datanet: DatanetId, account: AccountId) -> (AdmissionPolicy, bool);
        /// At most `limit` (and 100) revoked leaves of a Datanet at positions from `start` on, in order,
        /// each with its block: jobs of later blocks leave it out.
        #[api_version(4)]
        fn revocations(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<RevocationView>;
    }

    /// Reviews.
    pub trait ReviewApi {
        /// The extractor version that votes to accept must name.
        fn extractor() -> ExtractorVersion;
    }
}
