//! What this pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use openledger_primitives::{
    verdict::MAX_CURATORS, BlockNumber, DatanetId, FileHash, ReviewPolicy, SubmissionId, Verdict,
};
use scale_info::TypeInfo;

/// Votes in the order they were cast.
pub type Votes<AccountId> = BoundedVec<(AccountId, Verdict), ConstU32<MAX_CURATORS>>;

/// The votes on one pending submission.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Ballot<AccountId> {
    /// The Datanet.
    pub datanet: DatanetId,
    /// The file.
    pub sha256: FileHash,
    /// One vote a curator.
    pub votes: Votes<AccountId>,
}

/// A policy that waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct WaitingPolicy<AccountId> {
    /// The policy.
    pub policy: ReviewPolicy<AccountId>,
    /// The first block in which it counts.
    pub from: BlockNumber,
}

/// Most votes of one call.
pub const MAX_VOTES: u32 = 20;

/// One of several votes.
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
pub struct CastVote {
    /// The Datanet.
    pub datanet: DatanetId,
    /// The file.
    pub sha256: FileHash,
    /// The number of its pending submission.
    pub submission: SubmissionId,
    /// The vote.
    pub verdict: Verdict,
}
