//! How the storage of earlier versions becomes today's.

use crate::{
    Ballot, Ballots, Config, CurrentExtractor, Ordered32, Ordered64, Pallet, PoolSizes, SeatChange,
    SeatChanges, SeatQueue, SessionDraws, Votes, WaitingDraws, WaitingSeats,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
    migrations::VersionedMigration,
    pallet_prelude::ValueQuery,
    storage_alias,
    traits::{Get, UncheckedOnRuntimeUpgrade},
    weights::Weight,
    Identity, Twox64Concat,
};
use openledger_primitives::{
    committee::{DrawId, PoolId, Session},
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

/// Storage version 2 to 3: seats and draws wait by the pool that they are of, each pool in its turn, and the chain
/// knows since when pools are large.
///
/// Nothing that waits is lost, and all of it keeps its order: commitments and deadlines lie elsewhere. The work
/// grows with the seats and draws that wait; seats were bounded, and draws are those of four sessions at most.
pub type ToV3<T> =
    VersionedMigration<2, 3, WaitByPool<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The work of [`ToV3`].
pub struct WaitByPool<T>(PhantomData<T>);

/// Seats that enter or leave as storage version 2 kept them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SeatChangeV2<AccountId> {
    /// The pool.
    pub pool: PoolId,
    /// Whose.
    pub account: AccountId,
    /// Whether they enter.
    pub enters: bool,
    /// How many are left to move.
    pub seats: u32,
    /// The session in which it was asked for.
    pub asked: Session,
}

/// What storage version 2 kept under names that are still in use.
// The macro writes prefixes that it does not document.
#[allow(missing_docs)]
pub mod v2 {
    use super::*;

    /// Seats of all pools, first come first.
    #[storage_alias]
    pub type SeatChanges<T: Config> = StorageMap<
        Pallet<T>,
        Twox64Concat,
        u64,
        SeatChangeV2<<T as frame_system::Config>::AccountId>,
    >;
    /// Which of them wait.
    #[storage_alias]
    pub type WaitingSeats<T: Config> = StorageValue<Pallet<T>, SeatQueue, ValueQuery>;
    /// Draws of all pools by session.
    #[storage_alias]
    pub type WaitingDraws<T: Config> =
        StorageDoubleMap<Pallet<T>, Identity, Ordered32, Identity, Ordered64, ()>;
}

impl<T: Config> UncheckedOnRuntimeUpgrade for WaitByPool<T> {
    fn on_runtime_upgrade() -> Weight {
        let mut steps = 0u64;
        let old = v2::WaitingSeats::<T>::take();
        let changes: Vec<_> =
            (old.first..old.next).filter_map(v2::SeatChanges::<T>::take).collect();
        for SeatChangeV2 { pool, account, enters, seats, asked } in changes {
            let queue = WaitingSeats::<T>::get(pool);
            SeatChanges::<T>::insert(
                pool,
                queue.next,
                SeatChange { account, enters, seats, asked },
            );
            let (next, seats) = (queue.next.saturating_add(1), queue.seats.saturating_add(seats));
            WaitingSeats::<T>::insert(pool, SeatQueue { next, seats, ..queue });
            Pallet::<T>::take_turn(pool, asked.saturating_add(1));
            steps = steps.saturating_add(1);
        }
        let waiting: Vec<_> = v2::WaitingDraws::<T>::drain().collect();
        for (session, id, ()) in waiting {
            let Some(record) = crate::Draws::<T>::get(DrawId::from(id)) else { continue };
            WaitingDraws::<T>::insert(record.pool, (session, id), ());
            let session = Session::from(session);
            SessionDraws::<T>::mutate(session, |draws| *draws = draws.saturating_add(1));
            Pallet::<T>::take_turn(record.pool, session);
            steps = steps.saturating_add(1);
        }
        let sizes: Vec<_> = PoolSizes::<T>::iter().collect();
        for (pool, size) in sizes {
            Pallet::<T>::note_size(pool, size);
            steps = steps.saturating_add(1);
        }
        let each = steps.saturating_mul(6);
        T::DbWeight::get().reads_writes(each.saturating_add(2), each.saturating_add(2))
    }
}
