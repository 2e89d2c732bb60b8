//! What a Datanet's owner may do with it after it was created.

use crate::{
    Admissions, Config, Datanets, Error, Event, HoldReason, Invitations, Offers, Pallet, Statuses,
    Texts,
};
use frame_support::{
    ensure,
    traits::{fungible::hold::Mutate as _, tokens::Precision, Get},
};
use openledger_primitives::{
    api::DatanetDetails, datanet::TextProblem, AdmissionPolicy, DatanetId, DatanetStatus,
    DatanetText,
};
use sp_runtime::DispatchResult;

impl<T> From<TextProblem> for Error<T> {
    fn from(problem: TextProblem) -> Self {
        match problem {
            TextProblem::Characters => Self::InvalidText,
            TextProblem::Tags => Self::InvalidTags,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Refuses everybody but the owner, and a closed Datanet.
    fn ensure_owned(who: &T::AccountId, id: DatanetId) -> DispatchResult {
        let datanet = Datanets::<T>::get(id).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(datanet.owner == *who, Error::<T>::NotAuthorized);
        ensure!(Statuses::<T>::get(id) != DatanetStatus::Closed, Error::<T>::DatanetClosed);
        Ok(())
    }

    pub(crate) fn do_set_text(
        who: &T::AccountId,
        datanet: DatanetId,
        text: DatanetText,
    ) -> DispatchResult {
        Self::ensure_owned(who, datanet)?;
        text.validate().map_err(Error::<T>::from)?;
        if text == DatanetText::default() {
            Texts::<T>::remove(datanet);
        } else {
            Texts::<T>::insert(datanet, text);
        }
        Self::deposit_event(Event::TextSet { datanet });
        Ok(())
    }

    pub(crate) fn do_pause(who: &T::AccountId, datanet: DatanetId, paused: bool) -> DispatchResult {
        Self::ensure_owned(who, datanet)?;
        let status = if paused { DatanetStatus::Paused } else { DatanetStatus::Open };
        ensure!(Statuses::<T>::get(datanet) != status, Error::<T>::SameStatus);
        Self::set_status(datanet, status);
        Ok(())
    }

    fn set_status(datanet: DatanetId, status: DatanetStatus) {
        match status {
            DatanetStatus::Open => Statuses::<T>::remove(datanet),
            other => Statuses::<T>::insert(datanet, other),
        }
        Self::deposit_event(Event::StatusSet { datanet, status });
    }

    pub(crate) fn do_set_admission(
        who: &T::AccountId,
        datanet: DatanetId,
        admission: AdmissionPolicy,
    ) -> DispatchResult {
        Self::ensure_owned(who, datanet)?;
        ensure!(Admissions::<T>::get(datanet) != admission, Error::<T>::SameAdmission);
        match admission {
            AdmissionPolicy::Open => Admissions::<T>::remove(datanet),
            other => Admissions::<T>::insert(datanet, other),
        }
        Self::deposit_event(Event::AdmissionSet { datanet, admission });
        Ok(())
    }

    pub(crate) fn do_invite(
        who: &T::AccountId,
        datanet: DatanetId,
        account: T::AccountId,
        invited: bool,
    ) -> DispatchResult {
        Self::ensure_owned(who, datanet)?;
        match invited {
            true => {
                ensure!(
                    !Invitations::<T>::contains_key(datanet, &account),
                    Error::<T>::AlreadyInvited
                );
                Self::list(datanet, who)?;
                Invitations::<T>::insert(datanet, &account, ());
            }
            false => {
                let taken = Invitations::<T>::take(datanet, &account);
                ensure!(taken.is_some(), Error::<T>::NotInvited);
                Self::unlist(datanet, who, 1)?;
            }
        }
        Self::deposit_event(Event::Invited { datanet, account, invited });
        Ok(())
    }

    pub(crate) fn do_offer(
        who: T::AccountId,
        datanet: DatanetId,
        to: Option<T::AccountId>,
    ) -> DispatchResult {
        Self::ensure_owned(&who, datanet)?;
        match &to {
            Some(to) => {
                ensure!(*to != who, Error::<T>::OwnAccount);
                Offers::<T>::insert(datanet, to);
            }
            None => ensure!(Offers::<T>::take(datanet).is_some(), Error::<T>::NotOffered),
        }
        Self::deposit_event(Event::Offered { datanet, to });
        Ok(())
    }

    pub(crate) fn do_accept_ownership(who: T::AccountId, datanet: DatanetId) -> DispatchResult {
        let offered = Offers::<T>::take(datanet).ok_or(Error::<T>::NotOffered)?;
        ensure!(offered == who, Error::<T>::NotOffered);
        let mut record = Datanets::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        // The new owner's deposit first, of today's height, so that a Datanet is never without one.
        let deposit = T::DatanetDeposit::get();
        let reason = HoldReason::Datanet.into();
        T::Currency::hold(&reason, &who, deposit)?;
        T::Currency::release(&reason, &record.owner, record.deposit, Precision::Exact)?;
        Self::hand_over_entries(datanet, &record.owner, &who)?;
        let from = core::mem::replace(&mut record.owner, who.clone());
        record.deposit = deposit;
        Datanets::<T>::insert(datanet, record);
        Self::deposit_event(Event::OwnerChanged { datanet, from, to: who });
        Ok(())
    }

    pub(crate) fn do_close(who: &T::AccountId, datanet: DatanetId) -> DispatchResult {
        Self::ensure_owned(who, datanet)?;
        let mut record = Datanets::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(record.pending == 0, Error::<T>::DatanetHasPending);
        let deposit = core::mem::take(&mut record.deposit);
        T::Currency::release(
            &HoldReason::Datanet.into(),
            &record.owner,
            deposit,
            Precision::Exact,
        )?;
        Datanets::<T>::insert(datanet, record);
        Offers::<T>::remove(datanet);
        Self::set_status(datanet, DatanetStatus::Closed);
        Ok(())
    }

    /// What a Datanet's owner said about it, and what stands open.
    pub fn details(datanet: DatanetId) -> Option<DatanetDetails<T::AccountId>> {
        let record = Datanets::<T>::get(datanet)?;
        let text = Texts::<T>::get(datanet).unwrap_or_default();
        Some(DatanetDetails {
            status: Statuses::<T>::get(datanet),
            summary: text.summary.into_inner(),
            description: text.description.into_inner(),
            tags: text.tags.into_iter().map(|tag| tag.into_inner()).collect(),
            offered_to: Offers::<T>::get(datanet),
            deposit: record.deposit,
            daily_limit: record.daily_limit,
        })
    }
}
