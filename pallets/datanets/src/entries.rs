//! What an owner's lists of accounts cost: a deposit for each invitation and each bar.
//!
//! The deposits of a Datanet are held on its owner as one sum, which changes hands with the Datanet and is
//! divided by the entries when one goes. So nothing is ever walked over: not when a Datanet is handed
//! over, and not when it is closed, after which anyone takes the entries away by and by.

use crate::{
    Bars, Config, Datanets, Error, Event, HoldReason, Invitations, Listed, Listing, Pallet,
    Statuses,
};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{fungible::hold::Mutate as _, tokens::Precision, Get},
};
use openledger_primitives::{Balance, DatanetId, DatanetStatus};
use sp_runtime::{DispatchError, DispatchResult};

/// Most entries of a closed Datanet that one call takes away.
pub const MAX_CLEARED: u32 = 50;

impl Listing {
    /// Takes `entries` away. Answers the part of the deposit that is theirs; the last take what is left.
    pub(crate) fn take(&mut self, entries: u32) -> Balance {
        let gone = entries.min(self.entries);
        let part = if gone == self.entries {
            self.deposit
        } else {
            // There are more than go, so none is divided by nothing.
            let one = self.deposit.checked_div(self.entries.into()).unwrap_or(0);
            one.saturating_mul(gone.into())
        };
        self.entries = self.entries.saturating_sub(gone);
        self.deposit = self.deposit.saturating_sub(part);
        part
    }
}

impl<T: Config> Pallet<T> {
    /// Holds the deposit of one more entry on a Datanet's owner.
    pub(crate) fn list(datanet: DatanetId, owner: &T::AccountId) -> DispatchResult {
        let mut listing = Listed::<T>::get(datanet);
        ensure!(listing.entries < T::MaxEntries::get(), Error::<T>::TooManyEntries);
        let deposit = T::EntryDeposit::get();
        T::Currency::hold(&HoldReason::Entry.into(), owner, deposit)?;
        listing.entries = listing.entries.saturating_add(1);
        listing.deposit = listing.deposit.saturating_add(deposit);
        Listed::<T>::insert(datanet, listing);
        Ok(())
    }

    /// Releases what is held for so many entries, which are gone.
    pub(crate) fn unlist(datanet: DatanetId, owner: &T::AccountId, entries: u32) -> DispatchResult {
        let mut listing = Listed::<T>::get(datanet);
        let part = listing.take(entries);
        T::Currency::release(&HoldReason::Entry.into(), owner, part, Precision::Exact)?;
        match listing.entries {
            0 => Listed::<T>::remove(datanet),
            _ => Listed::<T>::insert(datanet, listing),
        }
        Ok(())
    }

    /// Holds the deposits of all entries on the new owner of a Datanet, of today's height, and releases those
    /// of the former one.
    pub(crate) fn hand_over_entries(
        datanet: DatanetId,
        from: &T::AccountId,
        to: &T::AccountId,
    ) -> DispatchResult {
        let mut listing = Listed::<T>::get(datanet);
        if listing.entries == 0 {
            return Ok(());
        }
        let reason = HoldReason::Entry.into();
        let deposit = T::EntryDeposit::get().saturating_mul(listing.entries.into());
        T::Currency::hold(&reason, to, deposit)?;
        T::Currency::release(&reason, from, listing.deposit, Precision::Exact)?;
        listing.deposit = deposit;
        Listed::<T>::insert(datanet, listing);
        Ok(())
    }

    /// Answers how many it took away.
    pub(crate) fn do_clear_entries(datanet: DatanetId) -> Result<u32, DispatchError> {
        let record = Datanets::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        let closed = Statuses::<T>::get(datanet) == DatanetStatus::Closed;
        ensure!(closed, Error::<T>::DatanetNotClosed);
        let most = MAX_CLEARED as usize;
        let invited: Vec<T::AccountId> =
            Invitations::<T>::iter_key_prefix(datanet).take(most).collect();
        let room = most.saturating_sub(invited.len());
        let barred: Vec<T::AccountId> = Bars::<T>::iter_key_prefix(datanet).take(room).collect();
        invited.iter().for_each(|who| Invitations::<T>::remove(datanet, who));
        barred.iter().for_each(|who| Bars::<T>::remove(datanet, who));
        let count = invited.len().saturating_add(barred.len()) as u32;
        ensure!(count > 0, Error::<T>::NothingToClear);
        Self::unlist(datanet, &record.owner, count)?;
        let left = Listed::<T>::get(datanet).entries;
        Self::deposit_event(Event::EntriesCleared { datanet, count, left });
        Ok(count)
    }
}
