//! What Datanets pay their reviewers from. All budgets lie on one account; what is whose is written down.

use crate::{BudgetShareUse, BudgetUse, Budgets, Config, Error, Event, Pallet, ReservedFor, Terms};
use frame_support::{
    ensure,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::Preservation,
        DefensiveSaturating, Get,
    },
};
use openledger_primitives::{
    committee::BudgetTerms,
    traits::{ReviewLimit, Submissions},
    Balance, DailyQuota, DatanetId, Day, ReviewPolicy,
};
use sp_runtime::{traits::AccountIdConversion, DispatchResult};

impl<T: Config> Pallet<T> {
    /// The account that holds all review budgets.
    pub fn pot() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    fn ensure_owner(who: &T::AccountId, datanet: DatanetId) -> Result<(), Error<T>> {
        let owner = T::Submissions::owner(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(owner == *who, Error::<T>::NotOwner);
        Ok(())
    }

    pub(crate) fn do_fund_budget(
        who: T::AccountId,
        datanet: DatanetId,
        amount: Balance,
    ) -> DispatchResult {
        Self::ensure_owner(&who, datanet)?;
        ensure!(amount > 0, Error::<T>::BudgetTooLow);
        let mut budget = Budgets::<T>::get(datanet);
        budget.fund(amount).map_err(Error::<T>::from)?;
        // The first payment of all also keeps the account alive, whatever is paid out of it later.
        let pot = Self::pot();
        let least = T::Currency::minimum_balance();
        let alive = if T::Currency::total_balance(&pot) < least { least } else { 0 };
        let paid = amount.checked_add(alive).ok_or(Error::<T>::Overflow)?;
        T::Currency::transfer(&who, &pot, paid, Preservation::Preserve)?;
        Budgets::<T>::insert(datanet, budget);
        Self::deposit_event(Event::BudgetFunded { datanet, amount });
        Ok(())
    }

    pub(crate) fn do_take_back(
        who: T::AccountId,
        datanet: DatanetId,
        amount: Balance,
    ) -> DispatchResult {
        Self::ensure_owner(&who, datanet)?;
        ensure!(amount > 0, Error::<T>::BudgetTooLow);
        let mut budget = Budgets::<T>::get(datanet);
        budget.take_back(amount).map_err(Error::<T>::from)?;
        T::Currency::transfer(&Self::pot(), &who, amount, Preservation::Preserve)?;
        Budgets::<T>::insert(datanet, budget);
        Self::deposit_event(Event::BudgetTakenBack { datanet, account: who, amount });
        Ok(())
    }

    pub(crate) fn do_set_budget_terms(
        who: T::AccountId,
        datanet: DatanetId,
        terms: BudgetTerms,
    ) -> DispatchResult {
        Self::ensure_owner(&who, datanet)?;
        let BudgetTerms { files_a_day, share } = terms;
        ensure!(files_a_day > 0 && (1..=100).contains(&share), Error::<T>::InvalidBudgetTerms);
        Terms::<T>::insert(datanet, terms);
        Self::deposit_event(Event::BudgetTermsSet { datanet, files_a_day, share });
        Ok(())
    }

    /// How fast a Datanet's review budget may be used up.
    pub fn budget_terms(datanet: DatanetId) -> BudgetTerms {
        Terms::<T>::get(datanet).unwrap_or(BudgetTerms::DEFAULT)
    }

    /// What counts of a Datanet's and an account's days with `files` more files; nothing where no committee
    /// judges.
    pub(crate) fn budget_use(
        datanet: DatanetId,
        who: &T::AccountId,
        files: u32,
        today: Day,
    ) -> Result<Option<(DailyQuota, DailyQuota)>, ReviewLimit> {
        if !matches!(Self::policy(datanet), Some(ReviewPolicy::Committee { .. })) {
            return Ok(None);
        }
        let terms = Self::budget_terms(datanet);
        let mut all = BudgetUse::<T>::get(datanet);
        all.try_consume(today, files, 0, &terms.limits()).map_err(ReviewLimit::Datanet)?;
        let mut share = BudgetShareUse::<T>::get(datanet, who);
        share
            .try_consume(today, files, 0, &terms.limits_of_account())
            .map_err(ReviewLimit::Share)?;
        let each = T::Rules::get().reserve();
        let covered = Budgets::<T>::get(datanet).available.checked_div(each);
        let covered = covered.map_or(u64::MAX, |files| files.try_into().unwrap_or(u64::MAX));
        if u64::from(files) > covered {
            return Err(ReviewLimit::Budget { files, covered });
        }
        Self::ensure_share(datanet, who, files)?;
        Ok(Some((all, share)))
    }

    /// That so many more files of an account leave it within its share of what the review budget has not spent. Files that
    /// do not exist cost nothing and are waited for: without it one account would have all of the money set aside.
    fn ensure_share(datanet: DatanetId, who: &T::AccountId, files: u32) -> Result<(), ReviewLimit> {
        let each = T::Rules::get().reserve();
        let reserved = ReservedFor::<T>::get(datanet, who);
        let wanted = reserved.saturating_add(each.saturating_mul(files.into()));
        let most = Self::budget_terms(datanet).most_reserved(&Budgets::<T>::get(datanet), each);
        if wanted <= most {
            return Ok(());
        }
        let in_files = |amount: Balance| {
            let files = amount.checked_div(each).unwrap_or(0);
            files.try_into().unwrap_or(u64::MAX)
        };
        Err(ReviewLimit::Reserved { files: in_files(wanted), most: in_files(most) })
    }

    /// Settles what was set aside for a file of an account, or more.
    pub(crate) fn settle_budget(
        datanet: DatanetId,
        contributor: &T::AccountId,
        reserve: Balance,
        spent: Balance,
    ) -> Result<(), Error<T>> {
        if reserve == 0 {
            return Ok(());
        }
        let mut budget = Budgets::<T>::get(datanet);
        budget.settle(reserve, spent)?;
        // What an account has set aside bounds what it may have more of; a file ends whatever it says.
        let left = ReservedFor::<T>::get(datanet, contributor).defensive_saturating_sub(reserve);
        Budgets::<T>::insert(datanet, budget);
        match left {
            0 => ReservedFor::<T>::remove(datanet, contributor),
            left => ReservedFor::<T>::insert(datanet, contributor, left),
        }
        Ok(())
    }

    /// Sets aside what a committee can cost for so many files of an account, before anything is known of who will be in
    /// it. Answers how much for each.
    pub(crate) fn reserve_files(
        datanet: DatanetId,
        contributor: &T::AccountId,
        files: u32,
    ) -> Result<Balance, Error<T>> {
        let each = T::Rules::get().reserve();
        let amount = each.saturating_mul(files.into());
        let mut budget = Budgets::<T>::get(datanet);
        budget.reserve(amount).map_err(Error::<T>::from)?;
        Budgets::<T>::insert(datanet, budget);
        if amount > 0 {
            ReservedFor::<T>::mutate(datanet, contributor, |sum| *sum = sum.saturating_add(amount));
        }
        Ok(each)
    }
}
