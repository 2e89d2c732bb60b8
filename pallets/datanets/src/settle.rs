//! How submissions end, and what is kept of those that ended without a leaf.

use crate::{
    range, Config, Datanets, Error, Event, Expiries, Leaves, NextDatanet, OrderedBlock,
    OrderedSubmissionId, Pallet, PendingFile, RefusedFile, RefusedFiles, Settled, SettledOf,
    Submission, Submissions, Unlisted, WeightInfo,
};
use frame_support::{
    ensure, storage::with_storage_layer, traits::Get, weights::Weight, BoundedVec,
};
use openledger_primitives::{
    reward::points_for,
    traits::{OnAccepted, OnVerdict, ReviewPolicies},
    BlockNumber, DatanetId, DatasetLeaf, Ending, ExtractorVersion, FileHash, LeafVersion, Score,
    Verdict,
};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

/// Refusals that one block forgets at most.
const FORGOTTEN_A_BLOCK: usize = 16;
/// Leaves of before there were lists that one block lists at most: a hundred thousand in ten minutes.
const LISTED_A_BLOCK: usize = 500;

impl<T: Config> OnVerdict<T::AccountId> for Pallet<T> {
    fn on_verdict(
        datanet: DatanetId,
        sha256: &FileHash,
        verdict: &Verdict,
        judges: &[T::AccountId],
        global: bool,
    ) -> DispatchResult {
        // Every caller's promise is all or nothing, also one that goes on after an error.
        with_storage_layer::<_, DispatchError, _>(|| {
            let file = Self::pending_file(datanet, sha256).ok_or(Error::<T>::NotPending)?;
            match *verdict {
                Verdict::Accept { score, units, text_root, extractor } => {
                    Self::accept(datanet, file, (score, units, text_root), extractor, global)
                }
                Verdict::Reject(reason) => {
                    Self::refuse(datanet, file, Ending::Rejected(reason), judges)
                }
                Verdict::Unavailable => Self::refuse(datanet, file, Ending::Unavailable, judges),
            }
        })
    }

    fn on_no_verdict(datanet: DatanetId, sha256: &FileHash) -> DispatchResult {
        with_storage_layer::<_, DispatchError, _>(|| {
            let file = Self::pending_file(datanet, sha256).ok_or(Error::<T>::NotPending)?;
            Self::refuse(datanet, file, Ending::Expired, &[])
        })
    }
}

impl<T: Config> Pallet<T> {
    /// The first block in which a file of an age can be accepted.
    pub(crate) fn acceptable_at(age: BlockNumber) -> BlockNumber {
        age.saturating_add(T::SettleDelay::get())
    }

    /// The first block in which anyone may expire a file that waits since `since`.
    pub(crate) fn expires_at(since: BlockNumber) -> BlockNumber {
        since.saturating_add(Self::days(T::MaxWaitDays::get()))
    }

    fn accept(
        id: DatanetId,
        file: PendingFile<T::AccountId>,
        (score, units, text_root): (Score, u64, H256),
        extractor: ExtractorVersion,
        global: bool,
    ) -> DispatchResult {
        let mut datanet = Datanets::<T>::get(id).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(units >= datanet.min_units, Error::<T>::UnitsBelowMinimum);
        let age = Self::waiting(&file).map_or(0, |waiting| waiting.age);
        ensure!(Self::now() >= Self::acceptable_at(age), Error::<T>::TooEarly);
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
        Self::settle(id, &file);

        let points = points_for(score, units, datanet.max_units);
        datanet.leaves = index.checked_add(1).ok_or(Error::<T>::Overflow)?;
        datanet.units = datanet.units.checked_add(units.into()).ok_or(Error::<T>::Overflow)?;
        Datanets::<T>::insert(id, datanet);
        T::OnAccepted::on_accepted(id, &file.contributor, points, global)?;
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

    /// Ends a submission without a leaf. Nothing that ranks or pays is touched.
    fn refuse(
        datanet: DatanetId,
        file: PendingFile<T::AccountId>,
        ending: Ending,
        judges: &[T::AccountId],
    ) -> DispatchResult {
        let age = Self::waiting(&file).map_or(0, |waiting| waiting.age);
        Self::forget_pending(datanet, &file)?;
        if let Some(earlier) = RefusedFiles::<T>::take(datanet, file.sha256) {
            Self::unkeep(datanet, &earlier);
        }
        let at = Self::now();
        let refused = RefusedFile {
            submission: file.id,
            contributor: file.contributor.clone(),
            ending,
            // A ballot has no more votes than this holds.
            judges: BoundedVec::truncate_from(judges.to_vec()),
            at,
            age,
            kept_until: at.saturating_add(Self::days(ending.days_kept())),
        };
        let number = OrderedSubmissionId::from(file.id);
        let expiry = OrderedBlock::from(refused.kept_until);
        Expiries::<T>::insert(expiry, number, (datanet, file.sha256));
        RefusedFiles::<T>::insert(datanet, file.sha256, refused);
        Self::settle(datanet, &file);
        let PendingFile { id: submission, contributor, sha256, .. } = file;
        Self::deposit_event(match ending {
            Ending::Rejected(reason) => {
                Event::Rejected { datanet, submission, contributor, sha256, reason }
            }
            Ending::Unavailable => Event::Unavailable { datanet, submission, contributor, sha256 },
            Ending::Expired => Event::Expired { datanet, submission, contributor, sha256 },
        });
        Ok(())
    }

    /// Makes a settled submission known by number and by contributor.
    pub(crate) fn settle(datanet: DatanetId, file: &PendingFile<T::AccountId>) {
        let number = OrderedSubmissionId::from(file.id);
        Settled::<T>::insert(datanet, number, file.sha256);
        SettledOf::<T>::insert(&file.contributor, number, datanet);
    }

    /// Takes what leads to a refusal away; the caller took the refusal itself.
    fn unkeep(datanet: DatanetId, refused: &RefusedFile<T::AccountId>) {
        let number = OrderedSubmissionId::from(refused.submission);
        Expiries::<T>::remove(OrderedBlock::from(refused.kept_until), number);
        Settled::<T>::remove(datanet, number);
        SettledOf::<T>::remove(&refused.contributor, number);
    }

    pub(crate) fn do_expire(datanet: DatanetId, sha256: FileHash) -> DispatchResult {
        let file = Self::pending_file(datanet, &sha256).ok_or(Error::<T>::NotPending)?;
        let since = Self::waiting(&file).map_or(0, |waiting| waiting.since);
        ensure!(Self::now() >= Self::expires_at(since), Error::<T>::NotExpired);
        // What is before a committee ends by itself, and its judges are paid.
        ensure!(!T::Review::is_before_committee(file.id), Error::<T>::NotExpired);
        Self::refuse(datanet, file, Ending::Expired, &[])
    }

    pub(crate) fn do_clear_refusal(datanet: DatanetId, sha256: FileHash) -> DispatchResult {
        let refused = RefusedFiles::<T>::take(datanet, sha256).ok_or(Error::<T>::NotRefused)?;
        Self::unkeep(datanet, &refused);
        let submission = refused.submission;
        Self::deposit_event(Event::RefusalCleared { datanet, submission, sha256 });
        Ok(())
    }

    /// Lists leaves of before there were lists of settled submissions, as many as there is room for.
    pub(crate) fn list_leaves(room: Weight) -> Weight {
        let look = T::DbWeight::get().reads(1);
        if look.any_gt(room) {
            return Weight::zero();
        }
        let Some((mut datanet, mut index)) = Unlisted::<T>::get() else { return look };
        // What it writes in the end, beside what it read.
        let mut used = look.saturating_add(T::DbWeight::get().writes(1));
        let each = T::WeightInfo::list_leaf();
        for _ in 0..LISTED_A_BLOCK {
            let next = used.saturating_add(each);
            if next.any_gt(room) {
                break;
            }
            used = next;
            if datanet >= NextDatanet::<T>::get() {
                Unlisted::<T>::kill();
                return used;
            }
            match Leaves::<T>::get(datanet, index) {
                Some(leaf) => {
                    let number = OrderedSubmissionId::from(leaf.submission);
                    Settled::<T>::insert(datanet, number, leaf.sha256);
                    SettledOf::<T>::insert(&leaf.contributor, number, datanet);
                    index = index.saturating_add(1);
                }
                // Leaves have numbers without gaps.
                None => (datanet, index) = (datanet.saturating_add(1), 0),
            }
        }
        Unlisted::<T>::put((datanet, index));
        used
    }

    /// Forgets refusals whose time is over, as many as `room` and [`FORGOTTEN_A_BLOCK`] allow: keys
    /// come in the order of their blocks, so that the first one says whether there is any.
    pub(crate) fn forget_refusals(room: Weight) -> Weight {
        let look = T::WeightInfo::forget_refusals(0);
        let each = T::WeightInfo::forget_refusals(1).saturating_sub(look);
        let mut used = Weight::zero();
        for _ in 0..FORGOTTEN_A_BLOCK {
            let next = used.saturating_add(look).saturating_add(each);
            if next.any_gt(room) {
                break;
            }
            used = used.saturating_add(look);
            let Some((block, number, (datanet, sha256))) = Expiries::<T>::iter().next() else {
                break;
            };
            if BlockNumber::from(block) > Self::now() {
                break;
            }
            used = used.saturating_add(each);
            Expiries::<T>::remove(block, number);
            if let Some(refused) = RefusedFiles::<T>::take(datanet, sha256) {
                Self::unkeep(datanet, &refused);
            }
        }
        used
    }
}
