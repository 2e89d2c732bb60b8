//! What must hold of the pallet's storage at the end of every block.

use crate::{Board, Config, NextSequence, Pallet, Pools, Positions, RankKey, Rates};
use frame_support::{ensure, traits::fungible::Inspect};
use openledger_primitives::{Balance, DatanetId, Points, Pool};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks everything this pallet promises about its storage.
    ///
    /// Walks all of it: for tests and try-runtime, never for a call.
    ///
    /// # Errors
    ///
    /// The first promise that is broken, in words.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut inside: Balance = 0;
        for (datanet, pool) in Pools::<T>::iter() {
            Self::check_pool(datanet, &pool)?;
            inside = pool
                .total_in
                .checked_sub(pool.claimed)
                .and_then(|rest| inside.checked_add(rest))
                .ok_or("the pools' contents leave the range of a balance")?;
        }
        Self::check_positions()?;
        Self::check_board()?;
        Self::check_rates()?;
        Self::check_pot(inside)
    }

    /// A pool's books add up, and what it owes is what its positions are owed.
    fn check_pool(datanet: DatanetId, pool: &Pool) -> Result<(), TryRuntimeError> {
        ensure!(pool.is_balanced(), "paid in is not claimed + owed + available");
        ensure!(pool.period <= Self::period().0, "a pool is ahead of time");
        let mut owed: Balance = 0;
        let mut current: Points = 0;
        for (_, position) in Positions::<T>::iter_prefix(datanet) {
            let mut due = position.owed;
            if position.period == pool.period {
                current = current
                    .checked_add(position.period_points)
                    .ok_or("the positions' points leave their range")?;
            } else if position.period_points > 0 {
                ensure!(position.period < pool.period, "a position is ahead of its pool");
                let rate = Rates::<T>::get(datanet, position.period)
                    .ok_or("a position waits for a rate that is not stored")?;
                due = position
                    .period_points
                    .checked_mul(rate)
                    .and_then(|earned| due.checked_add(earned))
                    .ok_or("a position's reward leaves the range of a balance")?;
            }
            owed = owed.checked_add(due).ok_or("the positions' rewards leave their range")?;
        }
        ensure!(owed == pool.owed, "a pool owes another sum than its positions are owed");
        ensure!(current == pool.points, "a pool counts other points than its positions have");
        Ok(())
    }

    /// Every position has points, a pool, and its one place on the board.
    fn check_positions() -> Result<(), TryRuntimeError> {
        for (datanet, account, position) in Positions::<T>::iter() {
            ensure!(position.points > 0, "a position has no points");
            ensure!(
                position.period_points <= position.points,
                "a position has more points in a period than in all"
            );
            ensure!(
                position.sequence < NextSequence::<T>::get(),
                "a position has a sequence that was never given"
            );
            ensure!(Pools::<T>::contains_key(datanet), "a position has no pool");
            ensure!(
                Board::<T>::get(datanet, RankKey::of(&position)) == Some(account),
                "an account with points is not at its place on the board"
            );
        }
        Ok(())
    }

    /// The board holds nobody twice and nobody without points.
    fn check_board() -> Result<(), TryRuntimeError> {
        for (datanet, key, account) in Board::<T>::iter() {
            let position = Positions::<T>::get(datanet, &account);
            ensure!(
                position.is_some_and(|position| RankKey::of(&position) == key),
                "a place on the board is not its account's"
            );
        }
        Ok(())
    }

    /// Rates are those of periods that have ended.
    fn check_rates() -> Result<(), TryRuntimeError> {
        for (datanet, period, _) in Rates::<T>::iter() {
            ensure!(
                Pools::<T>::get(datanet).is_some_and(|pool| period < pool.period),
                "a rate is stored for a period that has not ended"
            );
        }
        Ok(())
    }

    /// The pot holds every planck that was paid in and not claimed, beside the existential deposit.
    fn check_pot(inside: Balance) -> Result<(), TryRuntimeError> {
        let least = T::Currency::minimum_balance()
            .checked_add(inside)
            .ok_or("the pools' contents leave the range of a balance")?;
        ensure!(
            T::Currency::total_balance(&Self::pot()) >= least,
            "the pot holds less than its pools and the existential deposit"
        );
        Ok(())
    }
}
