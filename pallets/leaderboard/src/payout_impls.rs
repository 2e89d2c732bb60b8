//! Where rewards are paid.

use crate::{Config, Error, Event, HoldReason, Pallet, Payout, Payouts};
use frame_support::{
    pallet_prelude::*,
    traits::{fungible::hold::Mutate as _, tokens::Precision},
};
use openledger_primitives::{api::PayoutView, BlockNumber};

impl<T: Config> Pallet<T> {
    /// Who gets what an account claims.
    pub fn payee(account: &T::AccountId) -> T::AccountId {
        match Payouts::<T>::get(account) {
            Some(payout) => payout.payee(Self::now()).clone(),
            None => account.clone(),
        }
    }

    /// The first block in which somebody else may get an account's rewards by its word alone.
    fn notice_block() -> BlockNumber {
        Self::now().saturating_add(T::Notice::get().max(T::PeriodLength::get()))
    }

    /// Where an account's rewards are paid, if it ever said so.
    pub fn payout_view(account: &T::AccountId) -> Option<PayoutView<T::AccountId>> {
        let payout = Payouts::<T>::get(account)?;
        let now = Self::now();
        let next = payout.next.clone().filter(|(_, from)| *from > now);
        Some(PayoutView { to: payout.payee(now).clone(), next })
    }

    pub(crate) fn do_set_payout(
        who: &T::AccountId,
        account: T::AccountId,
        to: T::AccountId,
    ) -> DispatchResult {
        ensure!(to != Self::pot(), Error::<T>::PayoutToPot);
        let now = Self::now();
        let stored = Payouts::<T>::get(&account);
        let payee = Self::payee(&account);
        ensure!(*who == account || *who == payee, Error::<T>::NotThePayee);
        let waits = stored
            .as_ref()
            .is_some_and(|payout| payout.next.as_ref().is_some_and(|(_, from)| *from > now));
        // Naming who gets them now calls off what waits; what is over gives its deposit back.
        let over = stored.is_some() && to == account;
        ensure!(to != payee || waits || over, Error::<T>::SamePayout);
        let mut from = now;
        let deposit = match stored {
            Some(payout) => payout.deposit,
            None => {
                let deposit = T::PayoutDeposit::get();
                T::Currency::hold(&HoldReason::Payout.into(), &account, deposit)?;
                deposit
            }
        };
        if *who == payee || to == payee {
            if to == account {
                Payouts::<T>::remove(&account);
                T::Currency::release(
                    &HoldReason::Payout.into(),
                    &account,
                    deposit,
                    Precision::BestEffort,
                )?;
            } else {
                Payouts::<T>::insert(&account, Payout { to: to.clone(), next: None, deposit });
            }
        } else {
            from = Self::notice_block();
            let payout = Payout { to: payee, next: Some((to.clone(), from)), deposit };
            Payouts::<T>::insert(&account, payout);
        }
        Self::deposit_event(Event::PayoutSet { account, to, from });
        Ok(())
    }
}
