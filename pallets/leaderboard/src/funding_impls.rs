//! What funders and owners do with pools.

use crate::{
    impls::Closed, Config, Error, Event, Exits, FunderShares, Pallet, PoolFunds, Pools, Waiting,
};
use frame_support::{
    pallet_prelude::*,
    traits::{fungible::Mutate, tokens::Preservation},
};
use openledger_primitives::{
    api::{PoolView, ShareView, WaitingTermsView},
    traits::{FunderNotice, PolicyReads, Submissions},
    Balance, BlockNumber, DatanetId, Funds, Period, Pool, PoolRules, RewardTerms, Share, Shares,
    WaitingTerms, WayOut,
};
use sp_runtime::traits::SaturatedConversion;

/// A pool with no more than this part of the least payment is paid out: 0.001 OPEN of 1 OPEN.
const DUST_PARTS: Balance = 1_000;

fn has_terms(pool: &Pool) -> bool {
    pool.terms != RewardTerms::default()
}

impl<T: Config> Pallet<T> {
    /// The current block.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// The first period that a change announced now counts for: one full period lies between, and
    /// [`Config::Notice`] blocks.
    fn change_from() -> Period {
        let length = T::PeriodLength::get().max(1);
        let noticed = Self::now().saturating_add(T::Notice::get()).div_ceil(length);
        Self::period().0.saturating_add(2).max(noticed)
    }

    /// The terms that wait to take the place of a pool's, which has been moved to the current period.
    fn waiting(datanet: DatanetId, pool: &Pool) -> Option<WaitingTerms> {
        Waiting::<T>::get(datanet).filter(|waiting| waiting.from > pool.period)
    }

    /// What somebody who pays into a pool has to agree to; `None` for a Datanet without a policy.
    fn rules(datanet: DatanetId, pool: &Pool) -> Option<PoolRules> {
        let (policy, next_policy) = T::Policies::policy_hashes(datanet)?;
        let next_terms = Self::waiting(datanet, pool).map(|waiting| waiting.terms);
        Some(PoolRules { terms: pool.terms, next_terms, policy, next_policy })
    }

    /// Why funders may leave a pool, which has been moved to the current period.
    fn way_out(datanet: DatanetId, pool: &Pool, funds: &Funds) -> Option<WayOut> {
        if let Some(way) = Self::end_of(datanet, pool, funds) {
            return Some(way);
        }
        let waiting = Self::waiting(datanet, pool);
        if waiting.is_some_and(|waiting| waiting.terms.loosens(&pool.terms)) {
            return Some(WayOut::Terms);
        }
        matches!(T::Policies::policy_hashes(datanet), Some((_, Some(_)))).then_some(WayOut::Policy)
    }

    /// Whether a pool will pay no more: closed or dead.
    fn end_of(datanet: DatanetId, pool: &Pool, funds: &Funds) -> Option<WayOut> {
        if T::DatanetOwner::is_closed(datanet) {
            return Some(WayOut::Closed);
        }
        let silent = pool.period.saturating_sub(funds.active);
        let dead = T::DeadAfter::get().div_ceil(T::PeriodLength::get().max(1)).max(1);
        (silent >= dead && pool.points == 0).then_some(WayOut::Dead)
    }

    /// What the end of a period brings beside its rate.
    pub(crate) fn end_period(
        datanet: DatanetId,
        pool: &mut Pool,
        closed: Option<&Closed>,
    ) -> Result<(), Error<T>> {
        if let Some(mut funds) = PoolFunds::<T>::get(datanet) {
            if let Some((batch, exit)) = funds.let_go(pool.available)? {
                pool.let_go(exit.amount)?;
                Exits::<T>::insert(datanet, batch, exit);
            }
            if let Some(closed) = closed {
                funds.active = closed.period;
            }
            PoolFunds::<T>::insert(datanet, funds);
        }
        if let Some(WaitingTerms { terms, from }) = Waiting::<T>::get(datanet) {
            if from <= pool.period {
                Waiting::<T>::remove(datanet);
                Self::apply_terms(datanet, pool, terms);
            }
        }
        Ok(())
    }

    fn apply_terms(datanet: DatanetId, pool: &mut Pool, terms: RewardTerms) {
        pool.terms = terms;
        let RewardTerms { per_period, max_per_point } = terms;
        Self::deposit_event(Event::TermsSet { datanet, per_period, max_per_point });
    }

    /// A funder's share, counted out. Writes what that changes but the share.
    fn settled_share(
        datanet: DatanetId,
        who: &T::AccountId,
        funds: &mut Funds,
    ) -> Result<Share, Error<T>> {
        let mut share = FunderShares::<T>::get(datanet, who).unwrap_or_default();
        if !share.has_left(funds) {
            share.settle(funds, None)?;
            return Ok(share);
        }
        let batch = share.batch;
        let mut exit = Exits::<T>::get(datanet, batch);
        share.settle(funds, exit.as_mut())?;
        match exit {
            Some(exit) if !exit.is_done() => Exits::<T>::insert(datanet, batch, exit),
            _ => Exits::<T>::remove(datanet, batch),
        }
        Ok(share)
    }

    fn store_share(datanet: DatanetId, who: &T::AccountId, share: Share) {
        if share.is_empty() {
            FunderShares::<T>::remove(datanet, who);
        } else {
            FunderShares::<T>::insert(datanet, who, share);
        }
    }

    pub(crate) fn do_fund(
        who: &T::AccountId,
        datanet: DatanetId,
        amount: Balance,
        rules: PoolRules,
    ) -> DispatchResult {
        ensure!(amount >= T::MinimumFunding::get(), Error::<T>::BelowMinimumFunding);
        ensure!(T::DatanetOwner::owner(datanet).is_some(), Error::<T>::UnknownDatanet);
        ensure!(!T::DatanetOwner::is_closed(datanet), Error::<T>::DatanetClosed);
        // Rolled first: what is paid in now belongs to no period that has ended.
        let (mut pool, _) = Self::rolled(datanet)?;
        ensure!(has_terms(&pool), Error::<T>::TermsRequired);
        let stand = Self::rules(datanet, &pool).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(
            (rules.terms, rules.next_terms) == (stand.terms, stand.next_terms),
            Error::<T>::TermsDiffer
        );
        ensure!(rules == stand, Error::<T>::PolicyDiffers);

        let mut funds = PoolFunds::<T>::get(datanet)
            .unwrap_or_else(|| Funds::unowned(pool.available, pool.period));
        if funds.shares == 0 {
            funds.active = pool.period;
        }
        let dust = T::MinimumFunding::get() / DUST_PARTS;
        let (minted, left) = funds.mint(amount, pool.available, dust).map_err(Error::<T>::from)?;
        if let Some((batch, exit)) = left {
            Exits::<T>::insert(datanet, batch, exit);
        }
        let mut share = Self::settled_share(datanet, who, &mut funds)?;
        share.shares = share.shares.checked_add(minted).ok_or(Error::<T>::Overflow)?;
        pool.fund(amount).map_err(Error::<T>::from)?;
        T::Currency::transfer(who, &Self::pot(), amount, Preservation::Preserve)?;
        Pools::<T>::insert(datanet, pool);
        PoolFunds::<T>::insert(datanet, funds);
        Self::store_share(datanet, who, share);
        Self::deposit_event(Event::Funded { datanet, who: who.clone(), amount });
        Ok(())
    }

    pub(crate) fn do_set_terms(
        who: &T::AccountId,
        datanet: DatanetId,
        terms: RewardTerms,
    ) -> DispatchResult {
        let owner = T::DatanetOwner::owner(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(owner == *who, Error::<T>::NotTheOwner);
        ensure!(!T::DatanetOwner::is_closed(datanet), Error::<T>::DatanetClosed);
        let RewardTerms { per_period, max_per_point } = terms;
        ensure!(per_period > 0 && max_per_point > 0, Error::<T>::ZeroTerms);
        // Rolled first: periods that have ended keep the terms they ended under.
        let (mut pool, _) = Self::rolled(datanet)?;
        if pool.terms == terms {
            ensure!(Waiting::<T>::take(datanet).is_some(), Error::<T>::SameTerms);
            Self::deposit_event(Event::TermsKept { datanet });
        } else if !has_terms(&pool) || (pool.available == 0 && pool.points == 0) {
            Waiting::<T>::remove(datanet);
            Self::apply_terms(datanet, &mut pool, terms);
        } else {
            let from = Self::change_from();
            Waiting::<T>::insert(datanet, WaitingTerms { terms, from });
            Self::deposit_event(Event::TermsAnnounced { datanet, per_period, max_per_point, from });
        }
        Pools::<T>::insert(datanet, pool);
        Ok(())
    }

    pub(crate) fn do_leave(
        who: &T::AccountId,
        datanet: DatanetId,
        shares: Shares,
    ) -> DispatchResult {
        let (pool, _) = Self::rolled(datanet)?;
        let mut funds = PoolFunds::<T>::get(datanet).ok_or(Error::<T>::NotEnoughShares)?;
        ensure!(Self::way_out(datanet, &pool, &funds).is_some(), Error::<T>::NoWayOut);
        let share = Self::settled_share(datanet, who, &mut funds)?;
        Self::let_leave(who, datanet, pool, &mut funds, share, shares)
    }

    fn let_leave(
        who: &T::AccountId,
        datanet: DatanetId,
        pool: Pool,
        funds: &mut Funds,
        mut share: Share,
        shares: Shares,
    ) -> DispatchResult {
        ensure!(0 < shares && shares <= share.shares, Error::<T>::NotEnoughShares);
        share.leave(funds, shares).map_err(Error::<T>::from)?;
        let period = pool.period;
        Pools::<T>::insert(datanet, pool);
        PoolFunds::<T>::insert(datanet, *funds);
        FunderShares::<T>::insert(datanet, who, share);
        Self::deposit_event(Event::SharesLeave { datanet, who: who.clone(), shares, period });
        Ok(())
    }

    pub(crate) fn do_withdraw(datanet: DatanetId, account: &T::AccountId) -> DispatchResult {
        ensure!(FunderShares::<T>::contains_key(datanet, account), Error::<T>::NothingToWithdraw);
        let (pool, _) = Self::rolled(datanet)?;
        let mut funds = PoolFunds::<T>::get(datanet).ok_or(Error::<T>::NothingToWithdraw)?;
        let mut share = Self::settled_share(datanet, account, &mut funds)?;
        let amount = core::mem::take(&mut share.due);
        ensure!(amount > 0, Error::<T>::NothingToWithdraw);
        funds.fetch(amount).map_err(Error::<T>::from)?;
        Self::pay(account, amount)?;
        Pools::<T>::insert(datanet, pool);
        PoolFunds::<T>::insert(datanet, funds);
        Self::store_share(datanet, account, share);
        Self::deposit_event(Event::Withdrawn { datanet, account: account.clone(), amount });
        Ok(())
    }

    pub(crate) fn do_recover(datanet: DatanetId) -> DispatchResult {
        let (pool, _) = Self::rolled(datanet)?;
        let mut funds = PoolFunds::<T>::get(datanet).ok_or(Error::<T>::NothingToRecover)?;
        ensure!(Self::end_of(datanet, &pool, &funds).is_some(), Error::<T>::NoWayOut);
        let shares = core::mem::take(&mut funds.unowned);
        ensure!(shares > 0, Error::<T>::NothingToRecover);
        let treasury = T::Treasury::get();
        let mut share = Self::settled_share(datanet, &treasury, &mut funds)?;
        share.shares = share.shares.checked_add(shares).ok_or(Error::<T>::Overflow)?;
        Self::let_leave(&treasury, datanet, pool, &mut funds, share, shares)
    }

    /// A pool as it would be if it were touched now, with its funds.
    fn looked_at(datanet: DatanetId) -> Option<(Pool, Option<Funds>)> {
        let mut pool = Pools::<T>::get(datanet)?;
        let mut funds = PoolFunds::<T>::get(datanet);
        let before = pool.period;
        let closed = Self::advance(&mut pool).ok()?;
        if pool.period > before {
            if let Some(funds) = &mut funds {
                if let Some((_, exit)) = funds.let_go(pool.available).ok()? {
                    pool.let_go(exit.amount).ok()?;
                }
                if let Some(closed) = closed {
                    funds.active = closed.period;
                }
            }
            if let Some(WaitingTerms { terms, from }) = Waiting::<T>::get(datanet) {
                if from <= pool.period {
                    pool.terms = terms;
                }
            }
        }
        Some((pool, funds))
    }

    /// A Datanet's pool as it is now, with what waits.
    pub fn pool_view(datanet: DatanetId) -> Option<PoolView> {
        let (pool, funds) = Self::looked_at(datanet)?;
        let waiting = Self::waiting(datanet, &pool);
        let rules = Self::rules(datanet, &pool)?;
        let way_out = funds.as_ref().and_then(|funds| Self::way_out(datanet, &pool, funds));
        let funds = funds.unwrap_or_default();
        Some(PoolView {
            total_in: pool.total_in,
            claimed: pool.claimed,
            owed: pool.owed,
            available: pool.available,
            returning: funds.returning,
            returned: funds.returned,
            period: pool.period,
            points: pool.points,
            rules,
            waiting: waiting.map(|WaitingTerms { terms, from }| WaitingTermsView {
                terms,
                from,
                block: from.saturating_mul(T::PeriodLength::get().max(1)),
            }),
            shares: funds.shares,
            unowned: funds.unowned,
            way_out,
        })
    }

    /// What a funder owns of a pool; `None` if nothing.
    pub fn share_view(datanet: DatanetId, account: &T::AccountId) -> Option<ShareView> {
        let mut share = FunderShares::<T>::get(datanet, account)?;
        let stored = PoolFunds::<T>::get(datanet)?;
        let (pool, funds) = Self::looked_at(datanet)?;
        let mut funds = funds?;
        if share.has_left(&funds) {
            // Counted out of its batch, which looking at the pool may only just have brought about.
            let mut exit = match Exits::<T>::get(datanet, share.batch) {
                Some(exit) => Some(exit),
                None if share.batch == stored.batch => {
                    let mut before = Pools::<T>::get(datanet)?;
                    Self::advance(&mut before).ok()?;
                    let mut leaving = stored;
                    leaving.let_go(before.available).ok()?.map(|(_, exit)| exit)
                }
                None => None,
            };
            share.settle(&mut funds, exit.as_mut()).ok()?;
        } else {
            share.settle(&mut funds, None).ok()?;
        }
        Some(ShareView {
            shares: share.shares,
            worth: share.worth(&funds, pool.available),
            leaving: share.leaving,
            due: share.due,
        })
    }
}

impl<T: Config> FunderNotice for Pallet<T> {
    fn policy_from(datanet: DatanetId) -> Option<BlockNumber> {
        // As it was last touched: what has become owed since only makes it less.
        let waits = Pools::<T>::get(datanet).is_some_and(|pool| pool.available > 0);
        waits.then(|| Self::change_from().saturating_mul(T::PeriodLength::get().max(1)))
    }
}
