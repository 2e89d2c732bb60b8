//! What this pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use openledger_primitives::{
    committee::{Draw, PoolId, PoolSize, Reviewer, Session},
    verdict::MAX_CURATORS,
    Balance, BlockNumber, DatanetId, FileHash, ReviewPolicy, SubmissionId, Verdict,
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

/// Most seats that one call takes or gives up.
pub const MAX_SEATS: u32 = 64;

/// Seats that are due to enter or leave a pool in one session from which on an account may move one at a time only: as
/// many as a session of 200 blocks works off in a third of its time.
pub const MAX_WAITING_SEATS: u32 = 2_048;

/// An account's seats in one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Seats {
    /// What they are and what they have judged.
    pub reviewer: Reviewer,
    /// How many of them have places, numbered from 0.
    pub placed: u32,
    /// How many wait to leave.
    pub going: u32,
    /// The session from which on those are drawn for challenges alone.
    pub going_from: Session,
}

impl Seats {
    /// Whether some of them wait to enter or leave.
    pub fn wait(&self) -> bool {
        self.going > 0 || self.placed != self.reviewer.seats
    }

    /// How many have places and do not wait to leave: the last ones do.
    pub fn staying(&self) -> u32 {
        self.placed.saturating_sub(self.going)
    }

    /// What of a pool's size goes with those that wait to leave.
    pub fn leaves(&self) -> PoolSize {
        let seats = self.placed.saturating_sub(self.staying());
        PoolSize { seats, accounts: u32::from(seats > 0 && self.staying() == 0) }
    }
}

/// Seats of an account that enter or leave a pool.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct SeatChange<AccountId> {
    /// Whose.
    pub account: AccountId,
    /// Whether they enter.
    pub enters: bool,
    /// How many are left to move.
    pub seats: u32,
    /// The first block in which they move: a session may bring fewer blocks than it has slots.
    pub from: BlockNumber,
}

/// A draw, with what it is about and what stands by.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct DrawRecord<AccountId> {
    /// The Datanet whose files it judges.
    pub datanet: DatanetId,
    /// The seats it is drawn from.
    pub pool: PoolId,
    /// Whether its verdicts count beyond the Datanet, as the pool was when it was drawn.
    pub global: bool,
    /// Plancks of the Datanet's review budget set aside for each of its files; none of a challenge.
    pub reserve: Balance,
    /// Plancks held on the challenger; none of a call.
    pub bond: Balance,
    /// Files of which the money has moved, a bit each.
    pub settled: u32,
    /// The first block in which the agenda looks at it.
    pub due: Option<BlockNumber>,
    /// The draw.
    pub draw: Draw<AccountId>,
}

/// A block's number as a storage key, big-endian, so that keys come in order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub struct Ordered32([u8; 4]);

impl From<u32> for Ordered32 {
    fn from(number: u32) -> Self {
        Self(number.to_be_bytes())
    }
}

impl From<Ordered32> for u32 {
    fn from(number: Ordered32) -> Self {
        Self::from_be_bytes(number.0)
    }
}

/// A draw's number as a storage key, big-endian, so that keys come in order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub struct Ordered64([u8; 8]);

impl From<u64> for Ordered64 {
    fn from(number: u64) -> Self {
        Self(number.to_be_bytes())
    }
}

impl From<Ordered64> for u64 {
    fn from(number: Ordered64) -> Self {
        Self::from_be_bytes(number.0)
    }
}
