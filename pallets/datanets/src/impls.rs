//! What the calls and the verdicts do.

use crate::{
    admission::Admission, range, types::PendingFile, Config, Contributor, Contributors, Datanet,
    DatanetName, Datanets, Error, Event, HoldReason, Leaves, NextDatanet, NextSubmission, Pallet,
    Pending, Quotas, Statuses, Submission, Submissions,
};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{hold::Mutate as _, Inspect, Mutate},
        tokens::{Precision, Preservation},
        ConstU32, Get, Time,
    },
    BoundedVec,
};
use openledger_primitives::{
    api::SubmissionItem,
    reward::points_for,
    traits::{
        DatasetVersions, OnAccepted, OnVerdict, PendingSubmission, ReviewPolicies,
        Submissions as SubmissionsOf,
    },
    DailyQuota, DatanetId, DatanetStatus, DatasetLeaf, DatasetVersion, ExtractorVersion, FileHash,
    LeafVersion, Modality, QuotaLimits, RejectionReason, ReviewPolicy, Score, Verdict, MAX_ITEMS,
    MILLISECONDS_PER_DAY,
};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

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
        ensure!(is_valid_name(&name), Error::<T>::InvalidName);
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

    pub(crate) fn do_submit(
        who: T::AccountId,
        id: DatanetId,
        items: BoundedVec<SubmissionItem, ConstU32<MAX_ITEMS>>,
    ) -> DispatchResult {
        let Admission { mut contributor, mut datanet, quota } =
            Self::admit(&who, id, &items).map_err(Error::<T>::from)?;
        let count = items.len() as u32;
        let first = NextSubmission::<T>::get();
        let next = first.checked_add(count.into()).ok_or(Error::<T>::Overflow)?;
        contributor.pending = contributor.pending.checked_add(count).ok_or(Error::<T>::Overflow)?;
        datanet.pending = datanet.pending.checked_add(count).ok_or(Error::<T>::Overflow)?;
        // A clock that went backwards shortens no hold.
        contributor.last_submission = contributor.last_submission.max(Some(T::Time::now()));

        NextSubmission::<T>::put(next);
        Quotas::<T>::insert(&who, quota);
        Contributors::<T>::insert(&who, contributor);
        Datanets::<T>::insert(id, datanet);
        for (submission, item) in (first..next).zip(items) {
            let SubmissionItem { content, sha256, size, media } = item;
            let record = Submission::Pending {
                id: submission,
                contributor: who.clone(),
                content,
                size,
                media,
            };
            Submissions::<T>::insert(id, sha256, record);
            Pending::<T>::insert(id, crate::OrderedSubmissionId::from(submission), sha256);
            Self::deposit_event(Event::Submitted {
                datanet: id,
                submission,
                contributor: who.clone(),
                sha256,
            });
        }
        Ok(())
    }

    pub(crate) fn do_withdraw(
        who: T::AccountId,
        datanet: DatanetId,
        sha256: FileHash,
    ) -> DispatchResult {
        let file = Self::pending_file(datanet, &sha256)?;
        ensure!(who == file.contributor, Error::<T>::NotAuthorized);
        Submissions::<T>::remove(datanet, sha256);
        let mut record = Datanets::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        Self::unpend(datanet, &mut record, &file)?;
        Datanets::<T>::insert(datanet, record);
        T::Review::forget(file.id);
        Self::deposit_event(Event::Withdrawn {
            datanet,
            submission: file.id,
            contributor: who,
            sha256,
        });
        Ok(())
    }

    fn pending_file(
        datanet: DatanetId,
        sha256: &FileHash,
    ) -> Result<PendingFile<T::AccountId>, Error<T>> {
        match Submissions::<T>::get(datanet, sha256) {
            Some(Submission::Pending { id, contributor, content, size, media }) => {
                Ok(PendingFile { id, contributor, sha256: *sha256, content, size, media })
            }
            Some(Submission::Accepted { .. }) | None => Err(Error::NotPending),
        }
    }

    /// Takes a file out of what is pending: its key and the two counts. The caller writes `record`.
    fn unpend(
        datanet: DatanetId,
        record: &mut Datanet<T::AccountId>,
        file: &PendingFile<T::AccountId>,
    ) -> DispatchResult {
        Pending::<T>::remove(datanet, crate::OrderedSubmissionId::from(file.id));
        record.pending = record.pending.checked_sub(1).ok_or(Error::<T>::Overflow)?;
        Contributors::<T>::try_mutate(&file.contributor, |contributor| {
            let contributor = contributor.as_mut().ok_or(Error::<T>::NotRegistered)?;
            contributor.pending = contributor.pending.checked_sub(1).ok_or(Error::<T>::Overflow)?;
            Ok(())
        })
    }

    fn accept(
        id: DatanetId,
        file: PendingFile<T::AccountId>,
        score: Score,
        units: u64,
        text_root: H256,
        extractor: ExtractorVersion,
    ) -> DispatchResult {
        let mut datanet = Datanets::<T>::get(id).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(units >= datanet.min_units, Error::<T>::UnitsBelowMinimum);
        Self::unpend(id, &mut datanet, &file)?;

        let index = datanet.leaves;
        let leaf = DatasetLeaf {
            version: LeafVersion::V2 { extractor },
            submission: file.id,
            contributor: file.contributor.clone(),
            sha256: file.sha256,
            size: file.size,
            units,
            score,
            text_root,
        };
        range::append::<T>(id, index, leaf.hash())?;
        Leaves::<T>::insert(id, index, leaf);
        let record = Submission::Accepted { leaf: index, content: file.content, media: file.media };
        Submissions::<T>::insert(id, file.sha256, record);

        let points = points_for(score, units, datanet.max_units);
        datanet.leaves = index.checked_add(1).ok_or(Error::<T>::Overflow)?;
        datanet.units = datanet.units.checked_add(units.into()).ok_or(Error::<T>::Overflow)?;
        Datanets::<T>::insert(id, datanet);
        T::OnAccepted::on_accepted(id, &file.contributor, points)?;
        Self::deposit_event(Event::Accepted {
            datanet: id,
            submission: file.id,
            contributor: file.contributor,
            sha256: file.sha256,
            leaf: index,
            points,
        });
        Ok(())
    }

    /// Forgets the submission. Nothing that ranks or pays is touched.
    fn reject(
        id: DatanetId,
        file: PendingFile<T::AccountId>,
        reason: RejectionReason,
    ) -> DispatchResult {
        let mut datanet = Datanets::<T>::get(id).ok_or(Error::<T>::UnknownDatanet)?;
        Self::unpend(id, &mut datanet, &file)?;
        Datanets::<T>::insert(id, datanet);
        Submissions::<T>::remove(id, file.sha256);
        Self::deposit_event(Event::Rejected {
            datanet: id,
            submission: file.id,
            contributor: file.contributor,
            sha256: file.sha256,
            reason,
        });
        Ok(())
    }
}

/// Names are shown in terminals and pages: no control character gets there.
fn is_valid_name(name: &DatanetName) -> bool {
    core::str::from_utf8(name)
        .is_ok_and(|name| !name.trim().is_empty() && !name.chars().any(char::is_control))
}

impl<T: Config> SubmissionsOf<T::AccountId> for Pallet<T> {
    fn pending(datanet: DatanetId, sha256: &FileHash) -> Option<PendingSubmission<T::AccountId>> {
        let file = Self::pending_file(datanet, sha256).ok()?;
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
}

impl<T: Config> OnVerdict<T::AccountId> for Pallet<T> {
    fn on_verdict(datanet: DatanetId, sha256: &FileHash, verdict: &Verdict) -> DispatchResult {
        // Every caller's promise is all or nothing, also one that goes on after an error.
        with_storage_layer::<_, DispatchError, _>(|| {
            let file = Self::pending_file(datanet, sha256)?;
            match *verdict {
                Verdict::Accept { score, units, text_root, extractor } => {
                    Self::accept(datanet, file, score, units, text_root, extractor)
                }
                Verdict::Reject(reason) => Self::reject(datanet, file, reason),
            }
        })
    }
}

impl<T: Config> DatasetVersions for Pallet<T> {
    fn version_at(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion> {
        Self::version_at(datanet, leaves)
    }
}
