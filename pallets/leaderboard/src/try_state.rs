//! What must hold of the pallet's storage at the end of every block.

use crate::{
    Board, Config, Exits, FunderShares, GlobalBoard, GlobalPosition, GlobalPositions, HoldReason,
    NextSequence, Pallet, Payouts, PoolFunds, Pools, Positions, RankKey, Rates, Waiting,
};
use alloc::collections::BTreeMap;
use frame_support::{
    ensure,
    traits::fungible::{hold::Inspect as _, Inspect},
};
use openledger_primitives::{Balance, DatanetId, Funds, Points, Pool, Shares};
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
            let funds = PoolFunds::<T>::get(datanet).unwrap_or_default();
            Self::check_funds(datanet, &pool, &funds)?;
            inside = pool
                .total_in
                .checked_sub(pool.claimed)
                .and_then(|rest| rest.checked_sub(funds.returned))
                .and_then(|rest| inside.checked_add(rest))
                .ok_or("the pools' contents leave the range of a balance")?;
        }
        Self::check_orphans()?;
        Self::check_payouts()?;
        Self::check_positions()?;
        Self::check_board()?;
        Self::check_global()?;
        Self::check_rates()?;
        Self::check_pot(inside)
    }

    /// A pool's books add up, and what it owes is what its positions are owed.
    fn check_pool(datanet: DatanetId, pool: &Pool) -> Result<(), TryRuntimeError> {
        let away = PoolFunds::<T>::get(datanet).map_or(0, |funds| funds.away());
        ensure!(
            pool.is_balanced(away),
            "paid in is not claimed + owed + available + back with funders"
        );
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

    /// Shares add up, by funder and by batch, and so does what left; what waits lies ahead.
    fn check_funds(datanet: DatanetId, pool: &Pool, funds: &Funds) -> Result<(), TryRuntimeError> {
        ensure!(pool.available == 0 || funds.shares > 0, "a pool with money has no shares");
        ensure!(funds.unowned <= funds.shares, "more shares are nobody's than there are");
        ensure!(funds.active <= pool.period, "a pool brought points in a period to come");
        let (mut shares, mut leaving, mut returning) = (funds.unowned, 0u128, 0u128);
        // Of each batch, the last of which is the one that leaves: its shares, and whose they are.
        let mut batches = BTreeMap::<u32, (Shares, u32)>::new();
        for (_, share) in FunderShares::<T>::iter_prefix(datanet) {
            ensure!(!share.is_empty(), "a share of nothing is stored");
            ensure!(
                share.generation <= funds.generation
                    && share.batch <= funds.batch
                    && share.scale <= funds.scale,
                "a share is ahead of its pool"
            );
            let scaled = |shares: Shares, to: u32| {
                shares.checked_shr(to.saturating_sub(share.scale)).unwrap_or(0)
            };
            if share.generation == funds.generation {
                shares = shares
                    .checked_add(scaled(share.shares, funds.scale))
                    .ok_or("shares leave their range")?;
            }
            if share.leaving > 0 {
                let scale = match share.batch == funds.batch {
                    true => Some(funds.scale),
                    false => Exits::<T>::get(datanet, share.batch).map(|exit| exit.scale),
                };
                let (sum, funders) = batches.entry(share.batch).or_default();
                *sum = scale
                    .and_then(|scale| sum.checked_add(scaled(share.leaving, scale)))
                    .ok_or("shares left in no batch, or leave their range")?;
                *funders = funders.saturating_add(1);
            }
            returning = returning.checked_add(share.due).ok_or("what is due leaves its range")?;
        }
        let mut leavers = 0;
        if let Some((sum, funders)) = batches.remove(&funds.batch) {
            (leaving, leavers) = (sum, funders);
        }
        ensure!(
            Self::adds_up(leaving, funds.leaving, funds) && leavers == funds.leavers,
            "other shares leave than their funders let leave"
        );
        let held = shares.checked_add(leaving).ok_or("shares leave their range")?;
        ensure!(
            Self::adds_up(held, funds.shares, funds),
            "a pool counts other shares than its funders hold"
        );
        for (batch, exit) in Exits::<T>::iter_prefix(datanet) {
            ensure!(
                batch < funds.batch && exit.scale <= funds.scale,
                "a batch left before its time"
            );
            let (sum, funders) = batches.get(&batch).copied().unwrap_or_default();
            ensure!(
                exit.funders > 0
                    && funders == exit.funders
                    && Self::adds_up(sum, exit.shares, funds),
                "a batch has other shares than left in it"
            );
            returning = returning.checked_add(exit.amount).ok_or("what is due leaves its range")?;
        }
        ensure!(returning == funds.returning, "another sum leaves than is due to funders");
        if let Some(waiting) = Waiting::<T>::get(datanet) {
            ensure!(waiting.from > pool.period, "terms wait that should count");
            ensure!(
                waiting.terms != pool.terms
                    && waiting.terms.per_period > 0
                    && waiting.terms.max_per_point > 0,
                "terms wait that change nothing, or never pay"
            );
        }
        Ok(())
    }

    /// Whether what funders hold is what is counted: exactly, or where shares were counted in larger ones
    /// short of it by less than a millionth of a millionth, which is nobody's.
    fn adds_up(held: Shares, counted: Shares, funds: &Funds) -> bool {
        let short = counted.checked_sub(held);
        match funds.scale {
            0 => short == Some(0),
            _ => short.is_some_and(|short| short >> 60 == 0),
        }
    }

    /// Nothing about funding stands without its pool.
    fn check_orphans() -> Result<(), TryRuntimeError> {
        for datanet in FunderShares::<T>::iter_keys()
            .map(|(datanet, _)| datanet)
            .chain(Exits::<T>::iter_keys().map(|(datanet, _)| datanet))
        {
            ensure!(PoolFunds::<T>::contains_key(datanet), "a share or a batch of no pool's funds");
        }
        for datanet in PoolFunds::<T>::iter_keys().chain(Waiting::<T>::iter_keys()) {
            ensure!(Pools::<T>::contains_key(datanet), "funds or waiting terms of no pool");
        }
        Ok(())
    }

    /// Payout accounts are other accounts, and their deposits are held.
    fn check_payouts() -> Result<(), TryRuntimeError> {
        for (account, payout) in Payouts::<T>::iter() {
            ensure!(payout.to != account, "an account has itself for its payout account");
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::Payout.into(), &account)
                    >= payout.deposit,
                "less is held for a payout account than its record says"
            );
        }
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

    /// The board of all Datanets holds everybody with such points, once, and they are points of the
    /// account's Datanets.
    fn check_global() -> Result<(), TryRuntimeError> {
        for (account, GlobalPosition { points, sequence }) in GlobalPositions::<T>::iter() {
            ensure!(points > 0, "a global position has no points");
            ensure!(
                sequence < NextSequence::<T>::get(),
                "a global position has a sequence that was never given"
            );
            ensure!(
                GlobalBoard::<T>::get(RankKey::new(points, sequence)) == Some(account),
                "an account with global points is not at its place on the board"
            );
        }
        ensure!(
            GlobalBoard::<T>::iter_keys().count() == GlobalPositions::<T>::iter_keys().count(),
            "a place on the global board is not its account's"
        );
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
