//! The seams through which pallets meet. Each is implemented by one pallet and wired in the runtime.

use crate::{
    committee::Session, BlockNumber, DatanetId, DatasetVersion, Day, FileHash, MediaType, Modality,
    Points, QuotaExceeded, ReviewPolicy, SubmissionId, Verdict,
};
use sp_core::H256;
use sp_runtime::DispatchResult;

/// A submission that waits for its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSubmission<AccountId> {
    /// Its number.
    pub submission: SubmissionId,
    /// Who gave it.
    pub contributor: AccountId,
    /// Its format.
    pub media: MediaType,
    /// Size of its flat bytes, as it was submitted and as the quota counted it.
    pub size: u32,
}

/// What reviewers need to know of Datanets; implemented by `pallet-datanets`.
pub trait Submissions<AccountId> {
    /// The pending submission of a file, if there is one.
    fn pending(datanet: DatanetId, sha256: &FileHash) -> Option<PendingSubmission<AccountId>>;
    /// The owner of a Datanet.
    fn owner(datanet: DatanetId) -> Option<AccountId>;
    /// Whether a Datanet was closed: it takes no files any more, for ever.
    fn is_closed(datanet: DatanetId) -> bool;
    /// What a Datanet holds, and the least units of an accepted file.
    fn terms(datanet: DatanetId) -> Option<(Modality, u64)>;
}

/// The sessions by whose randomness committees are drawn; implemented by the runtime.
pub trait Sessions {
    /// The session that lasts.
    fn current() -> Session;
    /// What the blocks of the session before brought, as it was set at the start of this one.
    fn randomness() -> [u8; 32];
    /// Blocks of a session, at most.
    fn length() -> BlockNumber;
}

/// Takes a final verdict; implemented by `pallet-datanets`.
pub trait OnVerdict<AccountId> {
    /// Settles the pending submission of `sha256`, by the agreement of `judges`. `global` says whether it
    /// counts beyond its Datanet.
    ///
    /// # Errors
    ///
    /// If nothing is pending there, the verdict breaks the Datanet's bounds, or comes too early. Nothing
    /// is changed.
    fn on_verdict(
        datanet: DatanetId,
        sha256: &FileHash,
        verdict: &Verdict,
        judges: &[AccountId],
        global: bool,
    ) -> DispatchResult;

    /// Ends the pending submission of `sha256` without prejudice: nobody could decide on it.
    ///
    /// # Errors
    ///
    /// If nothing is pending there. Nothing is changed.
    fn on_no_verdict(datanet: DatanetId, sha256: &FileHash) -> DispatchResult;
}

/// A file that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmittedFile {
    /// The submission.
    pub submission: SubmissionId,
    /// The file.
    pub sha256: FileHash,
    /// Its format.
    pub media: MediaType,
    /// Flat bytes.
    pub size: u32,
}

/// A limit of a Datanet's review budget that a submission would break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewLimit {
    /// Of all accounts together.
    Datanet(QuotaExceeded),
    /// Of the account.
    Share(QuotaExceeded),
    /// What it has left pays for fewer files than are asked of it.
    Budget {
        /// Files of the call.
        files: u32,
        /// Files that it pays for.
        covered: u64,
    },
    /// More of it would be set aside for files of the account than may be at a time.
    Reserved {
        /// Files of the account that it would be set aside for.
        files: u64,
        /// Files that it may be.
        most: u64,
    },
}

/// Keeps the review policy of each Datanet; implemented by `pallet-review`.
pub trait ReviewPolicies<AccountId> {
    /// Sets the policy of a new Datanet.
    ///
    /// # Errors
    ///
    /// If no verdict could ever be reached under it.
    fn set_policy(datanet: DatanetId, policy: ReviewPolicy<AccountId>) -> DispatchResult;
    /// Forgets the votes on a submission that ended otherwise than by a verdict.
    fn forget(submission: SubmissionId);
    /// Whether `files` more files of an account are within what a Datanet's review budget gives on `today`.
    /// Where no committee judges, all are.
    ///
    /// # Errors
    ///
    /// The limit that would be broken.
    fn check_budget(
        datanet: DatanetId,
        contributor: &AccountId,
        files: u32,
        today: Day,
    ) -> Result<(), ReviewLimit>;
    /// Files were submitted in one call. A committee is drawn for them where the policy says so.
    ///
    /// # Errors
    ///
    /// Those of [`check_budget`](Self::check_budget), or on overflow. Nothing is changed.
    fn submitted(
        datanet: DatanetId,
        contributor: &AccountId,
        files: &[SubmittedFile],
        today: Day,
    ) -> DispatchResult;
    /// Whether a committee decides on a submission, drawn or to be drawn.
    fn is_before_committee(submission: SubmissionId) -> bool;
    /// Whether a committee was drawn for a submission, or the seed that draws it stands: it is neither taken back
    /// nor displaced any more.
    fn is_drawn(submission: SubmissionId) -> bool;
}

/// What funders of a pool need to know of the policy that decides what it pays for; implemented by
/// `pallet-review`.
pub trait PolicyReads {
    /// The hash of a Datanet's policy, and of the one that waits to take its place.
    fn policy_hashes(datanet: DatanetId) -> Option<(H256, Option<H256>)>;
}

/// Gives funders of a pool the time to leave before another policy decides what it pays for;
/// implemented by `pallet-leaderboard`.
pub trait FunderNotice {
    /// The first block in which a policy that is set now may count; `None` where no money waits for
    /// its verdicts, and it may count at once.
    fn policy_from(datanet: DatanetId) -> Option<BlockNumber>;
}

/// Rewards an acceptance; implemented by `pallet-leaderboard`. There is no counterpart for a
/// refusal: a refusal touches nothing.
pub trait OnAccepted<AccountId> {
    /// Adds points to an account's total in a Datanet; if the verdict counts beyond it (`global`), to its
    /// total over all Datanets too.
    ///
    /// # Errors
    ///
    /// On overflow. Nothing is changed.
    fn on_accepted(
        datanet: DatanetId,
        contributor: &AccountId,
        points: Points,
        global: bool,
    ) -> DispatchResult;

    /// An account's points over all Datanets, of verdicts that count beyond their Datanet.
    fn global_points(account: &AccountId) -> Points;
}

/// The versions of Datanets; implemented by `pallet-datanets`.
pub trait DatasetVersions {
    /// The version of a Datanet when it had `leaves` leaves; `None` if it has fewer or does not exist.
    fn version_at(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion>;
}

/// What the benchmarks of a pallet need of the others, each as dear as it can be; implemented by the runtime.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkSetup<AccountId> {
    /// Sets the clock, in milliseconds since 1970.
    fn set_time(moment: u64);
    /// Lets a session begin.
    fn set_session(session: Session);
    /// A Datanet of text files of `owner`, with a daily limit, whose files `policy` decides on, and for which another
    /// policy waits.
    fn datanet(owner: &AccountId, policy: ReviewPolicy<AccountId>) -> DatanetId;
    /// Closes a Datanet.
    fn close(datanet: DatanetId);
    /// Gives a Datanet so many leaves. Of its mountain range only the peaks are stored, which is all that appending to
    /// it and reading its version look at.
    fn set_leaves(datanet: DatanetId, leaves: u64) -> DatasetVersion;
    /// A text file of a contributor that waits for its verdict and is old enough for it.
    fn pending(datanet: DatanetId, contributor: &AccountId) -> SubmittedFile;
    /// A reward pool, with money in it, that owes `contributor` something for the period before; shares leave it and
    /// other terms count with the next touch.
    fn reward_pool(datanet: DatanetId, contributor: &AccountId);
    /// Fills a Datanet's review budget.
    fn fund_reviews(datanet: DatanetId);
}
