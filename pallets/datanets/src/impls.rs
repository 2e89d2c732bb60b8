//! What the calls about Datanets and contributors do.

use crate::{
    Config, Contributor, Contributors, Datanet, DatanetName, Datanets, Ended, Error, Event,
    HoldReason, NextDatanet, Pallet, Precommits, Quotas, Statuses,
};
use frame_support::{
    ensure,
    traits::{
        fungible::{hold::Mutate as _, Inspect, Mutate},
        tokens::{Precision, Preservation},
        Get, Time,
    },
};
use openledger_primitives::{
    text,
    traits::{DatasetVersions, PendingSubmission, ReviewPolicies, Submissions as SubmissionsOf},
    DailyQuota, DatanetId, DatanetStatus, DatasetVersion, FileHash, Modality, QuotaLimits,
    ReviewPolicy, MILLISECONDS_PER_DAY,
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_create_datanet(
        owner: T::AccountId,
        name: DatanetName,
        modality: Modality,
        min_units: u64,
        max_units: u64,
        daily_limit: Option<QuotaLimits>,
        policy: ReviewPolicy<T::AccountId>,
    ) -> DispatchResult {
        ensure!(text::check(&name).is_ok(), Error::<T>::InvalidName);
        ensure!(1 <= min_units && min_units <= max_units, Error::<T>::InvalidUnits);
        // No file has more, so no file would ever be accepted.
        ensure!(min_units <= modality.max_units(), Error::<T>::InvalidUnits);
        ensure!(
            daily_limit.is_none_or(|limit| limit.files > 0 && limit.bytes > 0),
            Error::<T>::InvalidDailyLimit
        );
        let id = NextDatanet::<T>::get();
        NextDatanet::<T>::put(id.checked_add(1).ok_or(Error::<T>::Overflow)?);
        let deposit = T::DatanetDeposit::get();
        T::Currency::hold(&HoldReason::Datanet.into(), &owner, deposit)?;
        let used = DailyQuota::default();
        let datanet = Datanet {
            owner: owner.clone(),
            name,
            modality,
            min_units,
            max_units,
            daily_limit,
            used,
            deposit,
            pending: 0,
            leaves: 0,
            units: 0,
        };
        Datanets::<T>::insert(id, datanet);
        T::Review::set_policy(id, policy)?;
        Self::deposit_event(Event::DatanetCreated { datanet: id, owner });
        Ok(())
    }

    /// Registers an account at its own expense, or lets it take its stake over from its sponsor.
    pub(crate) fn do_register_self(who: T::AccountId) -> DispatchResult {
        let Some(record) = Contributors::<T>::get(&who) else {
            return Self::do_register(who.clone(), who);
        };
        ensure!(record.depositor != who, Error::<T>::AlreadyRegistered);
        let hold = T::ContributorHold::get();
        T::Currency::hold(&HoldReason::Contributor.into(), &who, hold)?;
        T::Currency::release(
            &HoldReason::Contributor.into(),
            &record.depositor,
            record.hold,
            Precision::Exact,
        )?;
        Ended::<T>::remove(&who);
        let depositor = who.clone();
        let record = Contributor { depositor: depositor.clone(), hold, ..record };
        Contributors::<T>::insert(&who, record);
        Self::deposit_event(Event::ContributorRegistered { contributor: who, depositor });
        Ok(())
    }

    pub(crate) fn do_register(
        contributor: T::AccountId,
        depositor: T::AccountId,
    ) -> DispatchResult {
        ensure!(!Contributors::<T>::contains_key(&contributor), Error::<T>::AlreadyRegistered);
        let hold = T::ContributorHold::get();
        T::Currency::hold(&HoldReason::Contributor.into(), &depositor, hold)?;
        // An account that nothing keeps alive has no nonce and could not sign its first submission.
        let account = frame_system::Account::<T>::get(&contributor);
        if account.providers == 0 && account.sufficients == 0 {
            T::Currency::transfer(
                &depositor,
                &contributor,
                T::Currency::minimum_balance(),
                Preservation::Preserve,
            )?;
        }
        let record =
            Contributor { depositor: depositor.clone(), hold, last_submission: None, pending: 0 };
        Contributors::<T>::insert(&contributor, record);
        Self::deposit_event(Event::ContributorRegistered { contributor, depositor });
        Ok(())
    }

    pub(crate) fn do_deregister(who: T::AccountId, contributor: T::AccountId) -> DispatchResult {
        let record = Contributors::<T>::get(&contributor).ok_or(Error::<T>::NotRegistered)?;
        ensure!(who == contributor || who == record.depositor, Error::<T>::NotAuthorized);
        ensure!(record.pending == 0, Error::<T>::HasPending);
        if let Some(last) = record.last_submission {
            let period = u64::from(T::HoldPeriodDays::get()).saturating_mul(MILLISECONDS_PER_DAY);
            ensure!(T::Time::now() >= last.saturating_add(period), Error::<T>::HoldPeriod);
        }
        T::Currency::release(
            &HoldReason::Contributor.into(),
            &record.depositor,
            record.hold,
            Precision::Exact,
        )?;
        Contributors::<T>::remove(&contributor);
        Ended::<T>::remove(&contributor);
        // What it promised and never opened; only an account that submits can.
        Precommits::<T>::remove(&contributor);
        // Today's use outlives a registration, or leaving and coming back would renew it.
        if Quotas::<T>::get(&contributor).day < Self::today() {
            Quotas::<T>::remove(&contributor);
        }
        Self::deposit_event(Event::ContributorDeregistered {
            contributor,
            depositor: record.depositor,
        });
        Ok(())
    }
}

impl<T: Config> SubmissionsOf<T::AccountId> for Pallet<T> {
    fn pending(datanet: DatanetId, sha256: &FileHash) -> Option<PendingSubmission<T::AccountId>> {
        let file = Self::pending_file(datanet, sha256)?;
        Some(PendingSubmission {
            submission: file.id,
            contributor: file.contributor,
            media: file.media,
            size: file.size,
        })
    }

    fn owner(datanet: DatanetId) -> Option<T::AccountId> {
        Datanets::<T>::get(datanet).map(|datanet| datanet.owner)
    }

    fn is_closed(datanet: DatanetId) -> bool {
        Statuses::<T>::get(datanet) == DatanetStatus::Closed
    }

    fn terms(datanet: DatanetId) -> Option<(Modality, u64)> {
        Datanets::<T>::get(datanet).map(|datanet| (datanet.modality, datanet.min_units))
    }
}

impl<T: Config> DatasetVersions for Pallet<T> {
    fn version_at(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion> {
        Self::version_at(datanet, leaves)
    }
}
