//! What owners, sponsors and contributors decide about who submits and what is trained on.

use crate::{
    Bar, Bars, CapShares, Config, Contributors, Datanet, Datanets, Ended, Error, Event, Leaves,
    OrderedSubmissionId, Pallet, Revocation, Revoked, Statuses,
};
use frame_support::ensure;
use openledger_primitives::{BarReason, DatanetId, DatanetStatus, LeafIndex, QuotaLimits};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    fn owned(who: &T::AccountId, datanet: DatanetId) -> Result<Datanet<T::AccountId>, Error<T>> {
        let record = Datanets::<T>::get(datanet).ok_or(Error::UnknownDatanet)?;
        ensure!(record.owner == *who, Error::NotOwner);
        Ok(record)
    }

    pub(crate) fn do_set_caps(
        who: T::AccountId,
        id: DatanetId,
        daily_limit: Option<QuotaLimits>,
        share: u8,
    ) -> DispatchResult {
        let mut datanet = Self::owned(&who, id)?;
        ensure!(
            daily_limit.is_none_or(|limit| limit.files > 0 && limit.bytes > 0),
            Error::<T>::InvalidDailyLimit
        );
        ensure!((1..=100).contains(&share), Error::<T>::InvalidShare);
        // What was used beyond a lowered limit is all of it, so that no use is ever above its limit.
        if let Some(limit) = &daily_limit {
            datanet.used.files = datanet.used.files.min(limit.files);
            datanet.used.bytes = datanet.used.bytes.min(limit.bytes);
        }
        datanet.daily_limit = daily_limit;
        Datanets::<T>::insert(id, datanet);
        CapShares::<T>::insert(id, share);
        Self::deposit_event(Event::CapsSet { datanet: id, daily_limit, share });
        Ok(())
    }

    pub(crate) fn do_bar(
        who: T::AccountId,
        datanet: DatanetId,
        account: T::AccountId,
        reason: BarReason,
    ) -> DispatchResult {
        Self::owned(&who, datanet)?;
        let closed = Statuses::<T>::get(datanet) == DatanetStatus::Closed;
        ensure!(!closed, Error::<T>::DatanetClosed);
        ensure!(!Bars::<T>::contains_key(datanet, &account), Error::<T>::AlreadyBarred);
        Self::list(datanet, &who)?;
        Bars::<T>::insert(datanet, &account, Bar { reason, since: Self::now() });
        Self::deposit_event(Event::Barred { datanet, account, reason });
        Ok(())
    }

    pub(crate) fn do_unbar(
        who: T::AccountId,
        datanet: DatanetId,
        account: T::AccountId,
    ) -> DispatchResult {
        Self::owned(&who, datanet)?;
        ensure!(Bars::<T>::take(datanet, &account).is_some(), Error::<T>::NotBarred);
        Self::unlist(datanet, &who, 1)?;
        Self::deposit_event(Event::Unbarred { datanet, account });
        Ok(())
    }

    pub(crate) fn do_end_sponsorship(
        who: T::AccountId,
        contributor: T::AccountId,
    ) -> DispatchResult {
        let record = Contributors::<T>::get(&contributor).ok_or(Error::<T>::NotRegistered)?;
        ensure!(record.depositor == who, Error::<T>::NotAuthorized);
        ensure!(who != contributor, Error::<T>::NotSponsored);
        ensure!(!Ended::<T>::contains_key(&contributor), Error::<T>::AlreadyEnded);
        Ended::<T>::insert(&contributor, Self::now());
        Self::deposit_event(Event::SponsorshipEnded { contributor, depositor: who });
        Ok(())
    }

    pub(crate) fn do_revoke_leaf(
        who: Option<T::AccountId>,
        datanet: DatanetId,
        index: LeafIndex,
    ) -> DispatchResult {
        let leaf = Leaves::<T>::get(datanet, index).ok_or(Error::<T>::UnknownLeaf)?;
        ensure!(who.as_ref().is_none_or(|who| *who == leaf.contributor), Error::<T>::NotAuthorized);
        let key = OrderedSubmissionId::from(index);
        ensure!(!Revoked::<T>::contains_key(datanet, key), Error::<T>::AlreadyRevoked);
        let by_governance = who.is_none();
        Revoked::<T>::insert(datanet, key, Revocation { at: Self::now(), by_governance });
        Self::deposit_event(Event::LeafRevoked {
            datanet,
            leaf: index,
            submission: leaf.submission,
            contributor: leaf.contributor,
            by_governance,
        });
        Ok(())
    }
}
