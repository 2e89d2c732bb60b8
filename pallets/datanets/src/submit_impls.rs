//! How files come in and are taken back.

use crate::{
    admission::{Admission, PrecommitAdmission},
    Config, Contributors, Datanet, Datanets, Error, Event, NextSubmission, OrderedSubmissionId,
    Pallet, Pending, PendingFile, Precommits, PrecommitsOf, Quotas, ShareUse, Submission,
    Submissions, Waiting, WaitingFile, WaitingFiles,
};
use alloc::vec::Vec;
use frame_support::{
    traits::{ConstU32, Time},
    BoundedVec,
};
use openledger_primitives::{
    api::SubmissionItem,
    traits::{ReviewPolicies, SubmittedFile},
    DatanetId, FileHash, Salt, SubmissionId, MAX_ITEMS,
};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_precommit(
        who: T::AccountId,
        commitments: BoundedVec<H256, ConstU32<MAX_ITEMS>>,
    ) -> DispatchResult {
        let PrecommitAdmission { mut contributor, quota, precommits } =
            Self::admit_precommits(&who, &commitments).map_err(Error::<T>::from)?;
        // A clock that went backwards shortens no hold.
        contributor.last_submission = contributor.last_submission.max(Some(T::Time::now()));
        Quotas::<T>::insert(&who, quota);
        Contributors::<T>::insert(&who, contributor);
        Precommits::<T>::insert(&who, precommits);
        let count = commitments.len() as u32;
        Self::deposit_event(Event::Precommitted { contributor: who, count });
        Ok(())
    }

    /// Takes files in, precommitted ones where there is a salt. Answers how many younger submissions gave
    /// way.
    pub(crate) fn do_submit(
        who: T::AccountId,
        id: DatanetId,
        items: BoundedVec<SubmissionItem, ConstU32<MAX_ITEMS>>,
        salt: Option<Salt>,
    ) -> Result<u32, DispatchError> {
        let admission = Self::admit(&who, id, &items, salt.as_ref()).map_err(Error::<T>::from)?;
        let Admission { mut contributor, mut datanet, quota, share, mut waiting, .. } = admission;
        let count = items.len() as u32;
        let first = NextSubmission::<T>::get();
        let next = first.checked_add(count.into()).ok_or(Error::<T>::Overflow)?;
        contributor.pending = contributor.pending.checked_add(count).ok_or(Error::<T>::Overflow)?;
        datanet.pending = datanet.pending.checked_add(count).ok_or(Error::<T>::Overflow)?;
        contributor.last_submission = contributor.last_submission.max(Some(T::Time::now()));
        let since = Self::now();
        for (submission, age) in (first..next).zip(admission.ages) {
            let file = WaitingFile { submission, datanet: id, since, age };
            waiting.try_push(file).map_err(|_| Error::<T>::PendingFiles)?;
        }

        NextSubmission::<T>::put(next);
        Quotas::<T>::insert(&who, quota);
        Contributors::<T>::insert(&who, contributor);
        Waiting::<T>::insert(&who, waiting);
        if let Some(share) = share {
            ShareUse::<T>::insert(id, &who, share);
        }
        if let Some(precommits) = admission.precommits {
            Self::keep_precommits(&who, precommits);
        }
        for file in &admission.displaced {
            let place = items.iter().position(|item| item.sha256 == file.sha256);
            let by = first.saturating_add(place.unwrap_or(0) as u64);
            Self::displace(id, &mut datanet, file, by)?;
        }
        let displaced = admission.displaced.len() as u32;
        Datanets::<T>::insert(id, datanet);
        let mut files = Vec::with_capacity(items.len());
        for (submission, item) in (first..next).zip(items) {
            let SubmissionItem { content, sha256, size, media } = item;
            files.push(SubmittedFile { submission, sha256, media, size });
            let record = Submission::Pending {
                id: submission,
                contributor: who.clone(),
                content,
                size,
                media,
            };
            Submissions::<T>::insert(id, sha256, record);
            Pending::<T>::insert(id, OrderedSubmissionId::from(submission), sha256);
            Self::deposit_event(Event::Submitted {
                datanet: id,
                submission,
                contributor: who.clone(),
                sha256,
            });
        }
        T::Review::submitted(id, &who, &files, Self::today())?;
        Ok(displaced)
    }

    /// Takes a younger submission out of the way. The caller writes `record`, and the file's key anew.
    fn displace(
        id: DatanetId,
        record: &mut Datanet<T::AccountId>,
        file: &PendingFile<T::AccountId>,
        by: SubmissionId,
    ) -> DispatchResult {
        Self::unpend(id, record, file)?;
        T::Review::forget(file.id);
        Self::deposit_event(Event::Displaced {
            datanet: id,
            submission: file.id,
            contributor: file.contributor.clone(),
            sha256: file.sha256,
            by,
        });
        Ok(())
    }

    pub(crate) fn do_withdraw(
        who: T::AccountId,
        datanet: DatanetId,
        sha256: FileHash,
    ) -> DispatchResult {
        let file = Self::admit_withdrawal(&who, datanet, &sha256).map_err(Error::<T>::from)?;
        Self::forget_pending(datanet, &file)?;
        Self::deposit_event(Event::Withdrawn {
            datanet,
            submission: file.id,
            contributor: who,
            sha256,
        });
        Ok(())
    }

    /// Takes a pending file and its votes away.
    pub(crate) fn forget_pending(
        datanet: DatanetId,
        file: &PendingFile<T::AccountId>,
    ) -> DispatchResult {
        let mut record = Datanets::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        Self::unpend(datanet, &mut record, file)?;
        Datanets::<T>::insert(datanet, record);
        Submissions::<T>::remove(datanet, file.sha256);
        T::Review::forget(file.id);
        Ok(())
    }

    pub(crate) fn pending_file(
        datanet: DatanetId,
        sha256: &FileHash,
    ) -> Option<PendingFile<T::AccountId>> {
        PendingFile::of(Submissions::<T>::get(datanet, sha256)?, *sha256)
    }

    /// Takes a file out of what is pending: its key, its place in its contributor's list, and the two
    /// counts. The caller writes `record`.
    pub(crate) fn unpend(
        datanet: DatanetId,
        record: &mut Datanet<T::AccountId>,
        file: &PendingFile<T::AccountId>,
    ) -> DispatchResult {
        Pending::<T>::remove(datanet, OrderedSubmissionId::from(file.id));
        record.pending = record.pending.checked_sub(1).ok_or(Error::<T>::Overflow)?;
        Contributors::<T>::try_mutate(&file.contributor, |contributor| {
            let contributor = contributor.as_mut().ok_or(Error::<T>::NotRegistered)?;
            contributor.pending = contributor.pending.checked_sub(1).ok_or(Error::<T>::Overflow)?;
            Ok::<_, Error<T>>(())
        })?;
        let mut waiting = Waiting::<T>::get(&file.contributor);
        waiting.retain(|other| other.submission != file.id);
        Self::keep_waiting(&file.contributor, waiting);
        Ok(())
    }

    /// An empty list is none.
    fn keep_waiting(who: &T::AccountId, waiting: WaitingFiles) {
        match waiting.is_empty() {
            true => Waiting::<T>::remove(who),
            false => Waiting::<T>::insert(who, waiting),
        }
    }

    fn keep_precommits(who: &T::AccountId, precommits: PrecommitsOf) {
        match precommits.is_empty() {
            true => Precommits::<T>::remove(who),
            false => Precommits::<T>::insert(who, precommits),
        }
    }
}
