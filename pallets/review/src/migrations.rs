//! How the storage of earlier versions becomes today's.

use crate::{Ballot, Ballots, Config, CurrentExtractor, Pallet, Votes};
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
    migrations::VersionedMigration,
    traits::{Get, UncheckedOnRuntimeUpgrade},
    weights::Weight,
};
use openledger_primitives::{
    verdict::{FIRST_EXTRACTOR, MAX_CURATORS},
    DatanetId, FileHash, RejectionReason, Score, Verdict, EXTRACTOR,
};
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// Storage version 1 to 2: votes to accept name their extractor, and the chain the current one.
///
/// Every vote is kept. Those to accept were measured by extractor 1, so none of them counts any more,
/// and whoever cast one votes again without fee. Those to reject stand as they are. The work grows
/// with the ballots, and each of them was paid for by the fee of a vote.
pub type ToV2<T> =
    VersionedMigration<1, 2, NameExtractors<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The work of [`ToV2`].
pub struct NameExtractors<T>(PhantomData<T>);

/// A verdict as storage version 1 kept it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum VerdictV1 {
    /// The file belongs in the Datanet.
    Accept {
        /// Quality.
        score: Score,
        /// What was measured.
        units: u64,
        /// What was measured.
        text_root: H256,
    },
    /// It does not.
    Reject(RejectionReason),
}

/// A ballot as storage version 1 kept it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BallotV1<AccountId> {
    /// The Datanet.
    pub datanet: DatanetId,
    /// The file.
    pub sha256: FileHash,
    /// One vote a curator.
    pub votes: BoundedVec<(AccountId, VerdictV1), ConstU32<MAX_CURATORS>>,
}

impl From<VerdictV1> for Verdict {
    fn from(old: VerdictV1) -> Self {
        match old {
            VerdictV1::Accept { score, units, text_root } => {
                Self::Accept { score, units, text_root, extractor: FIRST_EXTRACTOR }
            }
            VerdictV1::Reject(reason) => Self::Reject(reason),
        }
    }
}

impl<AccountId> From<BallotV1<AccountId>> for Ballot<AccountId> {
    fn from(old: BallotV1<AccountId>) -> Self {
        // Both hold up to 16 votes, so none is cut off.
        let votes = old.votes.into_iter().map(|(voter, verdict)| (voter, verdict.into()));
        Self {
            datanet: old.datanet,
            sha256: old.sha256,
            votes: Votes::truncate_from(votes.collect()),
        }
    }
}

impl<T: Config> UncheckedOnRuntimeUpgrade for NameExtractors<T> {
    fn on_runtime_upgrade() -> Weight {
        CurrentExtractor::<T>::put(EXTRACTOR);
        let mut ballots = 0u64;
        Ballots::<T>::translate::<BallotV1<T::AccountId>, _>(|_, old| {
            ballots = ballots.saturating_add(1);
            Some(old.into())
        });
        T::DbWeight::get().reads_writes(ballots, ballots.saturating_add(1))
    }
}
