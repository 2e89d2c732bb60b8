//! The seams through which pallets meet. Each is implemented by one pallet and wired in the runtime.

use crate::{
    BlockNumber, DatanetId, DatasetVersion, FileHash, MediaType, Points, ReviewPolicy,
    SubmissionId, Verdict,
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
}

/// Takes a final verdict; implemented by `pallet-datanets`.
pub trait OnVerdict<AccountId> {
    /// Settles the pending submission of `sha256`, by the agreement of `judges`.
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
    ) -> DispatchResult;
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
    /// Adds points to an account's total in a Datanet.
    ///
    /// # Errors
    ///
    /// On overflow. Nothing is changed.
    fn on_accepted(datanet: DatanetId, contributor: &AccountId, points: Points) -> DispatchResult;
}

/// The versions of Datanets; implemented by `pallet-datanets`.
pub trait DatasetVersions {
    /// The version of a Datanet when it had `leaves` leaves; `None` if it has fewer or does not exist.
    fn version_at(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion>;
    /// Whether one of a Datanet's first `leaves` leaves was revoked.
    fn holds_revoked(datanet: DatanetId, leaves: u64) -> bool;
}
