//! How the storage of earlier versions becomes today's.

use crate::{
    Ballot, Ballots, Config, CurrentExtractor, Ordered32, Ordered64, Pallet, PoolSizes,
    ReservedFor, Reviewers, SeatChange, Seats, SessionDraws, Votes, WaitingDraws,
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
    committee::{DrawId, PoolId, Reviewer, Session, SESSIONS_TO_DRAW},
    verdict::{FIRST_EXTRACTOR, MAX_CURATORS},
    Balance, DatanetId, FileHash, RejectionReason, Score, Verdict, EXTRACTOR,
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
/// knows since when pools are large, which seats are to leave, and what of each review budget is set aside for whom.
///
/// Nothing that waits is lost, and all of it keeps its order: commitments and deadlines lie elsewhere. Seats that wait
/// enter and leave as they were told when they were asked for. The work grows with the reviewers, and with the seats and
/// draws that wait; the price of seats bounds the former, seats that wait were bounded, and draws are those of four sessions at
/// most.
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

/// Which seats wait, as storage version 2 kept it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SeatQueueV2 {
    /// The first that waits.
    pub first: u64,
    /// The one that comes next.
    pub next: u64,
    /// Seats of all that wait.
    pub seats: u32,
}

/// An account's seats in one pool as storage version 2 kept them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SeatsV2 {
    /// What they are and what they have judged.
    pub reviewer: Reviewer,
    /// How many of them have places.
    pub placed: u32,
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
    pub type WaitingSeats<T: Config> = StorageValue<Pallet<T>, SeatQueueV2, ValueQuery>;
    /// Draws of all pools by session.
    #[storage_alias]
    pub type WaitingDraws<T: Config> =
        StorageDoubleMap<Pallet<T>, Identity, Ordered32, Identity, Ordered64, ()>;
}

impl<T: Config> UncheckedOnRuntimeUpgrade for WaitByPool<T> {
    fn on_runtime_upgrade() -> Weight {
        let mut steps = 0u64;
        Reviewers::<T>::translate::<SeatsV2, _>(|_, _, SeatsV2 { reviewer, placed }| {
            steps = steps.saturating_add(1);
            Some(Seats { reviewer, placed, going: 0, going_from: 0 })
        });
        let old = v2::WaitingSeats::<T>::take();
        let changes: Vec<_> =
            (old.first..old.next).filter_map(v2::SeatChanges::<T>::take).collect();
        for SeatChangeV2 { pool, account, enters, seats, asked } in changes {
            if let Some(record) = Reviewers::<T>::get(pool, &account).filter(|_| !enters) {
                let going_from = asked.saturating_add(SESSIONS_TO_DRAW);
                let going = record.going.saturating_add(seats);
                let now = Seats { going, going_from, ..record };
                Pallet::<T>::keep_places(pool, &account, &record, now);
            }
            let change = SeatChange { account, enters, seats, from: 0 };
            Pallet::<T>::await_session(pool, asked.saturating_add(1), change);
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
        for record in crate::Draws::<T>::iter_values() {
            let files = 0..record.draw.files.len();
            let open = files.filter(|place| !Pallet::<T>::is_settled(&record, *place)).count();
            let amount = record.reserve.saturating_mul(open as Balance);
            if amount > 0 {
                ReservedFor::<T>::mutate(record.datanet, &record.draw.contributor, |sum| {
                    *sum = sum.saturating_add(amount);
                });
            }
            steps = steps.saturating_add(1);
        }
        let pools: Vec<_> = PoolSizes::<T>::iter_keys().collect();
        for pool in pools {
            Pallet::<T>::note_size(pool);
            steps = steps.saturating_add(1);
        }
        let each = steps.saturating_mul(6);
        T::DbWeight::get().reads_writes(each.saturating_add(2), each.saturating_add(2))
    }
}
