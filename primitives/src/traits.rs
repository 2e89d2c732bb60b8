//! The seams through which pallets meet. Each is implemented by one pallet and wired in the runtime.

use crate::{
    DatanetId, DatasetVersion, FileHash, Modality, Points, ReviewPolicy, SubmissionId, Verdict,
};
use sp_runtime::DispatchResult;

/// A submission that waits for its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSubmission<AccountId> {
    /// Its number.
    pub submission: SubmissionId,
    /// Who gave it.
    pub contributor: AccountId,
    /// Its Datanet's modality.
    pub modality: Modality,
}

/// What reviewers need to know of Datanets; implemented by `pallet-datanets`.
pub trait Submissions<AccountId> {
    /// The pending submission of a file, if there is one.
    fn pending(datanet: DatanetId, sha256: &FileHash) -> Option<PendingSubmission<AccountId>>;
    /// The owner of a Datanet.
    fn owner(datanet: DatanetId) -> Option<AccountId>;
}

/// Takes a final verdict; implemented by `pallet-datanets`.
pub trait OnVerdict<AccountId> {
    /// Settles the pending submission of `sha256`.
    ///
    /// # Errors
    ///
    /// If nothing is pending there, or the verdict breaks the Datanet's bounds. Nothing is changed.
    fn on_verdict(datanet: DatanetId, sha256: &FileHash, verdict: &Verdict) -> DispatchResult;
}

/// Keeps the review policy of each Datanet; implemented by `pallet-review`.
pub trait ReviewPolicies<AccountId> {
    /// Sets the policy of a new Datanet.
    ///
    /// # Errors
    ///
    /// If no verdict could ever be reached under it.
    fn set_policy(datanet: DatanetId, policy: ReviewPolicy<AccountId>) -> DispatchResult;
    /// Forgets the votes on a submission that was withdrawn.
    fn forget(submission: SubmissionId);
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
}
