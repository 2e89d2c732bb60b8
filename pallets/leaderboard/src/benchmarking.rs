//! What the calls cost, measured: each on a pool that it is the first to touch in its period.

// What is set up is small, and what goes wrong here stops a benchmark and no chain.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use super::*;
use frame_benchmarking::v2::*;
use frame_support::{traits::fungible::Mutate, BoundedVec};
use frame_system::RawOrigin;
use openledger_primitives::{
    traits::{BenchmarkSetup, OnAccepted, PolicyReads},
    DatanetId, Exit, Funds, PoolRules, ReviewPolicy, RewardTerms, Share, OPEN,
};

/// A block late enough for anything to lie behind.
const NOW: u32 = 10_000_000;

fn rich<T: Config>(name: &'static str) -> T::AccountId {
    let who: T::AccountId = account(name, 0, 0);
    T::Currency::set_balance(&who, 1_000_000 * OPEN);
    who
}

/// A Datanet of curators with a pool that owes `who` something.
fn datanet<T: Config>(who: &T::AccountId) -> (T::AccountId, DatanetId) {
    frame_system::Pallet::<T>::set_block_number(NOW.into());
    let owner = rich::<T>("owner");
    let members = (0..16).map(|n| account("curator", n, 0)).collect();
    let members = BoundedVec::truncate_from(members);
    let policy = ReviewPolicy::Curators { members, threshold: 16 };
    let id = T::BenchmarkHelper::datanet(&owner, policy);
    T::BenchmarkHelper::reward_pool(id, who);
    (owner, id)
}

/// A share of a funder that left with the batch of before, beside what it still has.
fn give_share<T: Config>(id: DatanetId, who: &T::AccountId) {
    let batch = 4;
    let exit = Exit { shares: 20 * OPEN, amount: 20 * OPEN, scale: 0, funders: 2 };
    Exits::<T>::insert(id, batch, exit);
    let share =
        Share { shares: 100 * OPEN, leaving: 10 * OPEN, batch, due: OPEN, ..Default::default() };
    FunderShares::<T>::insert(id, who, share);
    PoolFunds::<T>::mutate(id, |funds| {
        let funds = funds.get_or_insert_with(Funds::default);
        funds.returning = 100 * OPEN;
    });
}

/// Lets a pool have been touched in the current period before.
fn touched<T: Config>(id: DatanetId) -> Result<(), BenchmarkError> {
    let (pool, _) = Pallet::<T>::rolled(id).map_err(sp_runtime::DispatchError::from)?;
    Pools::<T>::insert(id, pool);
    Ok(())
}

/// The rules of a pool, of which no other terms wait.
fn rules<T: Config>(id: DatanetId) -> PoolRules {
    let terms = Pools::<T>::get(id).map(|pool| pool.terms).unwrap_or_default();
    let (policy, next_policy) = T::Policies::policy_hashes(id).unwrap_or_default();
    PoolRules { terms, next_terms: None, policy, next_policy }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn fund() {
        let who = rich::<T>("funder");
        let (_, id) = datanet::<T>(&who);
        give_share::<T>(id, &who);
        // Other terms count as soon as the pool is touched.
        let terms = Waiting::<T>::get(id).map(|waiting| waiting.terms).unwrap_or_default();
        let (policy, next_policy) = T::Policies::policy_hashes(id).unwrap_or_default();
        let rules = PoolRules { terms, next_terms: None, policy, next_policy };
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, 100 * OPEN, rules);
    }

    #[benchmark]
    fn fund_again() -> Result<(), BenchmarkError> {
        let who = rich::<T>("funder");
        let (_, id) = datanet::<T>(&who);
        give_share::<T>(id, &who);
        touched::<T>(id)?;
        let rules = rules::<T>(id);
        #[extrinsic_call]
        fund(RawOrigin::Signed(who), id, 100 * OPEN, rules);
        Ok(())
    }

    #[benchmark]
    fn set_terms_again() -> Result<(), BenchmarkError> {
        let who = rich::<T>("contributor");
        let (owner, id) = datanet::<T>(&who);
        touched::<T>(id)?;
        let terms = RewardTerms { per_period: 500 * OPEN, max_per_point: 2 * OPEN };
        #[extrinsic_call]
        set_terms(RawOrigin::Signed(owner), id, terms);
        Ok(())
    }

    #[benchmark]
    fn set_terms() {
        let who = rich::<T>("contributor");
        let (owner, id) = datanet::<T>(&who);
        let terms = RewardTerms { per_period: 500 * OPEN, max_per_point: 2 * OPEN };
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, terms);
    }

    /// An account's payout goes to another one.
    #[benchmark]
    fn claim() {
        let who = rich::<T>("contributor");
        let (_, id) = datanet::<T>(&who);
        let to = rich::<T>("payee");
        Payouts::<T>::insert(&who, Payout { to, next: None, deposit: 0 });
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), id, who.clone());
    }

    #[benchmark]
    fn claim_many(d: Linear<1, MAX_CLAIMS>) {
        let who = rich::<T>("contributor");
        let all = (0..d).map(|_| datanet::<T>(&who).1).collect();
        let to = rich::<T>("payee");
        Payouts::<T>::insert(&who, Payout { to, next: None, deposit: 0 });
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), BoundedVec::truncate_from(all), who.clone());
    }

    #[benchmark]
    fn claim_again() -> Result<(), BenchmarkError> {
        let who = rich::<T>("contributor");
        let (_, id) = datanet::<T>(&who);
        touched::<T>(id)?;
        let to = rich::<T>("payee");
        Payouts::<T>::insert(&who, Payout { to, next: None, deposit: 0 });
        #[extrinsic_call]
        claim(RawOrigin::Signed(who.clone()), id, who.clone());
        Ok(())
    }

    #[benchmark]
    fn claim_many_again(d: Linear<1, MAX_CLAIMS>) -> Result<(), BenchmarkError> {
        let who = rich::<T>("contributor");
        let all: alloc::vec::Vec<_> = (0..d).map(|_| datanet::<T>(&who).1).collect();
        for id in &all {
            touched::<T>(*id)?;
        }
        let to = rich::<T>("payee");
        Payouts::<T>::insert(&who, Payout { to, next: None, deposit: 0 });
        #[extrinsic_call]
        claim_many(RawOrigin::Signed(who.clone()), BoundedVec::truncate_from(all), who.clone());
        Ok(())
    }

    /// Of one Datanet that pays, and so many others of which the account has what it earned.
    #[benchmark]
    fn claim_many_idle(d: Linear<0, { MAX_CLAIMS - 1 }>) -> Result<(), BenchmarkError> {
        let who = rich::<T>("contributor");
        let all: alloc::vec::Vec<_> = (0..=d).map(|_| datanet::<T>(&who).1).collect();
        for (n, id) in all.iter().enumerate() {
            touched::<T>(*id)?;
            if n > 0 {
                Pallet::<T>::do_claim(&[*id], &who)?;
            }
        }
        let to = rich::<T>("payee");
        Payouts::<T>::insert(&who, Payout { to, next: None, deposit: 0 });
        #[extrinsic_call]
        claim_many(RawOrigin::Signed(who.clone()), BoundedVec::truncate_from(all), who.clone());
        Ok(())
    }

    #[benchmark]
    fn leave_again() -> Result<(), BenchmarkError> {
        let who = rich::<T>("funder");
        let (_, id) = datanet::<T>(&who);
        give_share::<T>(id, &who);
        touched::<T>(id)?;
        #[extrinsic_call]
        leave(RawOrigin::Signed(who), id, OPEN);
        Ok(())
    }

    #[benchmark]
    fn withdraw_again() -> Result<(), BenchmarkError> {
        let who = rich::<T>("funder");
        let (_, id) = datanet::<T>(&who);
        give_share::<T>(id, &who);
        touched::<T>(id)?;
        #[extrinsic_call]
        withdraw(RawOrigin::Signed(who.clone()), id, who.clone());
        Ok(())
    }

    /// The way out is the policy that waits, which is looked for last.
    #[benchmark]
    fn leave() {
        let who = rich::<T>("funder");
        let (_, id) = datanet::<T>(&who);
        give_share::<T>(id, &who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, OPEN);
    }

    #[benchmark]
    fn withdraw() {
        let who = rich::<T>("funder");
        let (_, id) = datanet::<T>(&who);
        give_share::<T>(id, &who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), id, who.clone());
    }

    #[benchmark]
    fn set_payout() {
        let who = rich::<T>("contributor");
        let to = rich::<T>("payee");
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), who.clone(), to);
    }

    #[benchmark]
    fn on_accepted() -> Result<(), BenchmarkError> {
        let who = rich::<T>("contributor");
        let (_, id) = datanet::<T>(&who);
        #[block]
        {
            <Pallet<T> as OnAccepted<T::AccountId>>::on_accepted(id, &who, 100, true)?;
        }
        Ok(())
    }
}
