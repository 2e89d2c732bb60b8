//! What the calls, the seam and the reads do.

use crate::{
    Board, Config, Error, Event, GlobalBoard, GlobalPosition, GlobalPositions, NextSequence,
    Pallet, Pools, Positions, RankKey, Rates, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{DepositConsequence, Preservation, Provenance},
    },
};
use openledger_primitives::{
    api::{BoardCursor, BoardEntry},
    committee::global_points,
    reward::PoolError,
    traits::OnAccepted,
    Balance, BlockNumber, DatanetId, Period, Points, Pool, Position,
};
use sp_runtime::traits::{AccountIdConversion, SaturatedConversion};

/// Most entries of one page of a leaderboard.
pub const MAX_PAGE: u32 = 100;

impl<T> From<PoolError> for Error<T> {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Overflow => Self::Overflow,
            // The calls look before they take, so this means that the books do not add up.
            PoolError::NotOwed => Self::NothingToClaim,
        }
    }
}

/// A period that has just ended, with its points and rate.
pub(crate) struct Closed {
    pub(crate) period: Period,
    points: Points,
    rate: Balance,
}

/// What a claim from several Datanets did, for what it costs.
#[derive(Default)]
pub(crate) struct Claimed {
    /// Datanets whose pools it moved to the current period,
    ended: u32,
    /// that paid without that,
    again: u32,
    /// and that owed nothing.
    idle: u32,
}

impl Claimed {
    pub(crate) fn weight<W: WeightInfo>(&self) -> Weight {
        let beyond = |steps: fn(u32) -> Weight, count| steps(count).saturating_sub(steps(0));
        W::claim_many(0)
            .saturating_add(beyond(W::claim_many, self.ended))
            .saturating_add(beyond(W::claim_many_again, self.again))
            .saturating_add(beyond(W::claim_many_idle, self.idle))
    }
}

impl<T: Config> Pallet<T> {
    /// The account that holds all pools beside the existential deposit.
    pub fn pot() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// The reward period of the current block, and the first block of the next.
    pub fn period() -> (Period, BlockNumber) {
        let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        let length = T::PeriodLength::get().max(1);
        let period = now.checked_div(length).unwrap_or_default();
        (period, period.saturating_add(1).saturating_mul(length))
    }

    /// An account's points in a Datanet; 0 if it never earned any.
    pub fn points(datanet: DatanetId, account: &T::AccountId) -> Points {
        Positions::<T>::get(datanet, account).map_or(0, |position| position.points)
    }

    /// A Datanet's pool as it was when last touched.
    pub fn pool(datanet: DatanetId) -> Option<Pool> {
        Pools::<T>::get(datanet)
    }

    /// What an account could claim now, in plancks.
    pub fn claimable(datanet: DatanetId, account: &T::AccountId) -> Balance {
        let Some(mut position) = Positions::<T>::get(datanet, account) else { return 0 };
        let mut pool = Self::pool_or_new(datanet);
        match Self::advance(&mut pool)
            .and_then(|closed| Self::settle(datanet, &pool, closed.as_ref(), &mut position))
        {
            Ok(()) => position.owed,
            // What a claim would answer with an error cannot be claimed.
            Err(_) => 0,
        }
    }

    /// At most `limit` (and 100) entries in order of rank, after `cursor`.
    pub fn leaderboard(
        datanet: DatanetId,
        cursor: Option<BoardCursor>,
        limit: u32,
    ) -> Vec<BoardEntry<T::AccountId>> {
        let entries = match cursor {
            None => Board::<T>::iter_prefix(datanet),
            Some(BoardCursor { points, sequence }) => {
                let after = Board::<T>::hashed_key_for(datanet, RankKey::new(points, sequence));
                Board::<T>::iter_prefix_from(datanet, after)
            }
        };
        entries
            .take(limit.min(MAX_PAGE) as usize)
            .map(|(key, account)| BoardEntry {
                account,
                points: key.points(),
                sequence: key.sequence(),
            })
            .collect()
    }

    pub(crate) fn do_claim(
        datanets: &[DatanetId],
        account: &T::AccountId,
    ) -> Result<Claimed, DispatchError> {
        let mut done = Claimed::default();
        let mut sum: Balance = 0;
        for &datanet in datanets {
            let Some(mut position) = Positions::<T>::get(datanet, account) else {
                done.idle = done.idle.saturating_add(1);
                continue;
            };
            let is_current = Self::is_current(datanet);
            let (mut pool, closed) = Self::rolled(datanet)?;
            Self::settle(datanet, &pool, closed.as_ref(), &mut position)?;
            let amount = core::mem::take(&mut position.owed);
            let count = match (is_current, amount) {
                (false, _) => &mut done.ended,
                (true, 0) => &mut done.idle,
                (true, _) => &mut done.again,
            };
            *count = count.saturating_add(1);
            if amount == 0 {
                continue;
            }
            pool.claim(amount).map_err(Error::<T>::from)?;
            sum = sum.checked_add(amount).ok_or(Error::<T>::Overflow)?;
            Pools::<T>::insert(datanet, pool);
            Positions::<T>::insert(datanet, account, position);
            Self::deposit_event(Event::Claimed { datanet, account: account.clone(), amount });
        }
        ensure!(sum > 0, Error::<T>::NothingToClaim);
        let to = Self::payee(account);
        Self::pay(&to, sum)?;
        if to != *account {
            Self::deposit_event(Event::PaidOut { account: account.clone(), to, amount: sum });
        }
        Ok(done)
    }

    /// Pays `amount` out of the pot.
    pub(crate) fn pay(to: &T::AccountId, amount: Balance) -> DispatchResult {
        match T::Currency::can_deposit(to, amount, Provenance::Extant) {
            DepositConsequence::BelowMinimum => {
                return Err(Error::<T>::BelowExistentialDeposit.into())
            }
            other => other.into_result()?,
        }
        T::Currency::transfer(&Self::pot(), to, amount, Preservation::Preserve)?;
        Ok(())
    }

    pub(crate) fn pool_or_new(datanet: DatanetId) -> Pool {
        Pools::<T>::get(datanet)
            .unwrap_or_else(|| Pool { period: Self::period().0, ..Pool::default() })
    }

    /// Whether a pool was touched in the current period before, or never: then no period of its ends now.
    pub(crate) fn is_current(datanet: DatanetId) -> bool {
        Pools::<T>::get(datanet).is_none_or(|pool| pool.period >= Self::period().0)
    }

    /// Moves a pool to the current period without writing anything.
    pub(crate) fn advance(pool: &mut Pool) -> Result<Option<Closed>, Error<T>> {
        let points = pool.points;
        let closed = pool.advance(Self::period().0)?;
        Ok(closed.map(|(period, rate)| Closed { period, points, rate }))
    }

    /// A Datanet's pool moved to the current period, and everything stored that the period's end brought:
    /// the rate, the shares that left, terms that waited until now, and the pool. In this order: what left
    /// and what other terms say touches no point earned before.
    pub(crate) fn rolled(datanet: DatanetId) -> Result<(Pool, Option<Closed>), Error<T>> {
        let mut pool = Self::pool_or_new(datanet);
        let before = pool.period;
        let closed = Self::advance(&mut pool)?;
        if let Some(Closed { period, points, rate }) = closed {
            Rates::<T>::insert(datanet, period, rate);
            Self::deposit_event(Event::PeriodClosed { datanet, period, points, rate });
        }
        if pool.period > before {
            Self::end_period(datanet, &mut pool, closed.as_ref())?;
            if Pools::<T>::contains_key(datanet) {
                Pools::<T>::insert(datanet, pool);
            }
        }
        Ok((pool, closed))
    }

    /// Adds points of one file over all Datanets, and moves the account to its place. Of a file with many points so
    /// many count, so that neither a Datanet's bounds nor a modality's units make one file more than many.
    fn earn_globally(account: &T::AccountId, points: Points, sequence: u64) -> DispatchResult {
        let points = global_points(points);
        let before = GlobalPositions::<T>::get(account);
        if let Some(GlobalPosition { points, sequence }) = before {
            GlobalBoard::<T>::remove(RankKey::new(points, sequence));
        }
        let total = before.map_or(0, |before| before.points);
        let points = total.checked_add(points).ok_or(Error::<T>::Overflow)?;
        GlobalBoard::<T>::insert(RankKey::new(points, sequence), account);
        GlobalPositions::<T>::insert(account, GlobalPosition { points, sequence });
        Ok(())
    }

    /// At most `limit` (and 100) entries of all Datanets in order of rank, after `cursor`.
    pub fn global_board(cursor: Option<BoardCursor>, limit: u32) -> Vec<BoardEntry<T::AccountId>> {
        let entries = match cursor {
            None => GlobalBoard::<T>::iter(),
            Some(BoardCursor { points, sequence }) => {
                let after = GlobalBoard::<T>::hashed_key_for(RankKey::new(points, sequence));
                GlobalBoard::<T>::iter_from(after)
            }
        };
        entries
            .take(limit.min(MAX_PAGE) as usize)
            .map(|(key, account)| BoardEntry {
                account,
                points: key.points(),
                sequence: key.sequence(),
            })
            .collect()
    }

    /// Turns a position's points into OPEN if the period they were earned in has ended. `closed` is
    /// the period that moving the pool has just ended, whose rate need not be stored yet.
    fn settle(
        datanet: DatanetId,
        pool: &Pool,
        closed: Option<&Closed>,
        position: &mut Position,
    ) -> Result<(), Error<T>> {
        if position.period >= pool.period || position.period_points == 0 {
            return Ok(());
        }
        let rate = match closed {
            Some(closed) if closed.period == position.period => closed.rate,
            _ => Rates::<T>::get(datanet, position.period).ok_or(Error::<T>::RateMissing)?,
        };
        Ok(position.settle(rate)?)
    }
}

impl<T: Config> OnAccepted<T::AccountId> for Pallet<T> {
    fn on_accepted(
        datanet: DatanetId,
        contributor: &T::AccountId,
        points: Points,
        global: bool,
    ) -> DispatchResult {
        if points == 0 {
            return Ok(());
        }
        // A layer of its own: the promise that an error changes nothing must not depend on who
        // calls.
        frame_support::storage::with_storage_layer(|| {
            let (mut pool, closed) = Self::rolled(datanet)?;
            let before = Positions::<T>::get(datanet, contributor);
            let mut position = before.unwrap_or_default();
            Self::settle(datanet, &pool, closed.as_ref(), &mut position)?;

            let sequence = NextSequence::<T>::get();
            NextSequence::<T>::put(sequence.checked_add(1).ok_or(Error::<T>::Overflow)?);
            position.earn(pool.period, points, sequence).map_err(Error::<T>::from)?;
            pool.earn(points).map_err(Error::<T>::from)?;

            if let Some(before) = before {
                Board::<T>::remove(datanet, RankKey::of(&before));
            }
            Board::<T>::insert(datanet, RankKey::of(&position), contributor);
            Pools::<T>::insert(datanet, pool);
            Positions::<T>::insert(datanet, contributor, position);
            Self::deposit_event(Event::PointsEarned {
                datanet,
                account: contributor.clone(),
                points,
                total: position.points,
            });
            if global {
                Self::earn_globally(contributor, points, sequence)?;
            }
            Ok(())
        })
    }

    fn global_points(account: &T::AccountId) -> Points {
        GlobalPositions::<T>::get(account).map_or(0, |position| position.points)
    }
}
