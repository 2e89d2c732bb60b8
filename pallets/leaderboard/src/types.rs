//! What this pallet stores beside the words of `openledger_primitives`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use openledger_primitives::{Balance, BlockNumber, Points, Position};
use scale_info::TypeInfo;

/// Most Datanets that one call claims from.
pub const MAX_CLAIMS: u32 = 20;

/// Where an account's rewards are paid.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Payout<AccountId> {
    /// The account that gets them.
    pub to: AccountId,
    /// The one that gets them from a block on.
    pub next: Option<(AccountId, BlockNumber)>,
    /// Plancks held on the account whose rewards they are.
    pub deposit: Balance,
}

impl<AccountId> Payout<AccountId> {
    /// Who gets the rewards in block `now`.
    pub fn payee(&self, now: BlockNumber) -> &AccountId {
        match &self.next {
            Some((next, from)) if *from <= now => next,
            _ => &self.to,
        }
    }
}

/// An account's points over all Datanets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct GlobalPosition {
    /// How many.
    pub points: Points,
    /// The acceptance that completed them.
    pub sequence: u64,
}

/// Place on a board: 16 bytes of inverted points, then 8 bytes of sequence, both big-endian.
///
/// Byte order is rank order: more points first, and of equal points the earlier acceptance.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct RankKey([u8; 24]);

impl RankKey {
    /// The key of `points` that acceptance number `sequence` completed.
    pub fn new(points: Points, sequence: u64) -> Self {
        let mut key = [0; 24];
        let (inverted, last) = key.split_at_mut(16);
        inverted.copy_from_slice(&Points::MAX.saturating_sub(points).to_be_bytes());
        last.copy_from_slice(&sequence.to_be_bytes());
        Self(key)
    }

    /// The key of a position.
    pub fn of(position: &Position) -> Self {
        Self::new(position.points, position.sequence)
    }

    /// The points.
    pub fn points(&self) -> Points {
        let (inverted, _) = self.parts();
        Points::MAX.saturating_sub(inverted)
    }

    /// Number of the acceptance that brought the last of them.
    pub fn sequence(&self) -> u64 {
        self.parts().1
    }

    fn parts(&self) -> (u128, u64) {
        let fold = |bytes: &[u8]| {
            bytes.iter().fold(0u128, |number, byte| (number << 8) | u128::from(*byte))
        };
        let (inverted, last) = self.0.split_at(16);
        // Eight bytes always fit.
        (fold(inverted), fold(last) as u64)
    }
}
