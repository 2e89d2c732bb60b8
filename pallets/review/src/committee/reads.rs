//! What reviewers read.

use crate::{
    BudgetUse, Budgets, Config, DrawRecord, Draws, NextDraw, Pallet, PoolSizes, ReservedFor,
    Reviewers, ServedAt,
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use openledger_primitives::{
    committee::{
        api::{BudgetView, DrawView, SeatsView},
        Addresses, DrawId, PoolId, PoolSize, Session,
    },
    traits::Sessions,
    Balance, DatanetId,
};

/// Most draws, or accounts, that one read looks at.
const MAX_PAGE: u32 = 100;

impl<T: Config> Pallet<T> {
    /// The number of the next draw, and the session that lasts.
    pub fn next_draw() -> (DrawId, Session) {
        (NextDraw::<T>::get(), T::Sessions::current())
    }

    /// A draw that is not over.
    pub fn draw_view(id: DrawId) -> Option<DrawView<T::AccountId>> {
        let DrawRecord { datanet, pool, global, bond, draw, .. } = Draws::<T>::get(id)?;
        Some(DrawView { id, datanet, pool, global, bond, draw })
    }

    /// Those of at most `limit` draws from number `start` on that are not over.
    pub fn draw_views(start: DrawId, limit: u32) -> Vec<DrawView<T::AccountId>> {
        let end = start.saturating_add(limit.min(MAX_PAGE).into()).min(NextDraw::<T>::get());
        (start..end).filter_map(Self::draw_view).collect()
    }

    /// An account's seats in a pool.
    pub fn seats_view(pool: PoolId, account: &T::AccountId) -> Option<SeatsView> {
        let record = Reviewers::<T>::get(pool, account)?;
        let uncovered = record.reviewer.uncovered(&T::Rules::get());
        Some(SeatsView { reviewer: record.reviewer, placed: record.placed, uncovered })
    }

    /// Where those of at most 100 accounts with seats in a pool serve what they judge that say so.
    pub fn addresses(pool: PoolId, accounts: Vec<T::AccountId>) -> Vec<(T::AccountId, Addresses)> {
        let accounts = accounts.into_iter().take(MAX_PAGE as usize);
        let with = |who: T::AccountId| ServedAt::<T>::get(pool, &who).map(|at| (who, at));
        accounts.filter_map(with).collect()
    }

    /// How large a pool is.
    pub fn pool_size(pool: PoolId) -> PoolSize {
        PoolSizes::<T>::get(pool)
    }

    /// A Datanet's review budget.
    pub fn budget_view(datanet: DatanetId) -> BudgetView {
        let (budget, used) = (Budgets::<T>::get(datanet), BudgetUse::<T>::get(datanet));
        BudgetView { budget, terms: Self::budget_terms(datanet), used }
    }

    /// Plancks of a Datanet's review budget that are set aside for an account's files, and how many may be at a time.
    pub fn reserved_for(datanet: DatanetId, account: &T::AccountId) -> (Balance, Balance) {
        let (budget, each) = (Budgets::<T>::get(datanet), T::Rules::get().reserve());
        let most = Self::budget_terms(datanet).most_reserved(&budget, each);
        (ReservedFor::<T>::get(datanet, account), most)
    }
}
