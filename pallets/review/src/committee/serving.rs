//! Where reviewers serve what they judge. Who accepts a file answers for it being there until its challenge is over, so
//! whoever judges it again must be able to find it: without that, members from whom it is hidden could be robbed.

use crate::{Config, Error, Event, Pallet, Reviewers, ServedAt};
use frame_support::ensure;
use openledger_primitives::{
    committee::{Addresses, PoolId},
    text,
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_serve_at(
        who: T::AccountId,
        pool: PoolId,
        addresses: Addresses,
    ) -> DispatchResult {
        ensure!(Reviewers::<T>::contains_key(pool, &who), Error::<T>::NoSeats);
        ensure!(Self::are_texts(&addresses), Error::<T>::InvalidAddress);
        let count = addresses.len() as u32;
        match count {
            0 => ServedAt::<T>::remove(pool, &who),
            _ => ServedAt::<T>::insert(pool, &who, addresses),
        }
        Self::deposit_event(Event::ServesAt { pool, account: who, addresses: count });
        Ok(())
    }

    /// Whether a person can read all of them. Whether anything answers there is not the chain's to know.
    pub(crate) fn are_texts(addresses: &Addresses) -> bool {
        addresses.iter().all(|address| text::check(address).is_ok())
    }
}
