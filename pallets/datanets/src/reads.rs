//! What the runtime API answers. Nothing here is called while a block is executed, except
//! `version_at`.

use crate::{
    range, Config, Contributors, Datanet, Datanets, Leaves, NextDatanet, Pallet, Pending, Quotas,
    Submission, Submissions, MAX_PAGE,
};
use alloc::{boxed::Box, vec::Vec};
use frame_support::traits::Get;
use openledger_primitives::{
    api::{DatanetView, LeafView, PendingView, QuotaStatus, SubmissionItem},
    DatanetId, DatasetVersion, LeafIndex, Refusal, SubmissionId,
};
use sp_core::H256;

impl<T: Config> Pallet<T> {
    /// An account's quota today.
    pub fn quota(account: &T::AccountId) -> QuotaStatus {
        let day = Self::today();
        QuotaStatus {
            day,
            used: Quotas::<T>::get(account).on(day),
            limits: T::AccountLimits::get(),
            registered: Contributors::<T>::contains_key(account),
        }
    }

    /// Whether a submission would be admitted now.
    ///
    /// # Errors
    ///
    /// The rule it breaks, with what was found and what is allowed.
    pub fn check_submission(
        account: &T::AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
    ) -> Result<(), Refusal> {
        Self::check_admission(account, datanet, items)
    }

    /// A Datanet, without its policy.
    pub fn datanet(id: DatanetId) -> Option<DatanetView<T::AccountId>> {
        Datanets::<T>::get(id).map(|datanet| Self::view(id, datanet))
    }

    /// At most `limit` (and 100) Datanets from number `start` on, without their policies.
    pub fn datanets(start: DatanetId, limit: u32) -> Vec<DatanetView<T::AccountId>> {
        let end = NextDatanet::<T>::get().min(start.saturating_add(limit.min(MAX_PAGE)));
        (start..end).filter_map(Self::datanet).collect()
    }

    fn view(id: DatanetId, datanet: Datanet<T::AccountId>) -> DatanetView<T::AccountId> {
        DatanetView {
            id,
            owner: datanet.owner,
            name: datanet.name.into_inner(),
            modality: datanet.modality,
            min_units: datanet.min_units,
            max_units: datanet.max_units,
            pending: datanet.pending,
            units: u64::try_from(datanet.units).unwrap_or(u64::MAX),
            version: range::version::<T>(id, datanet.leaves).unwrap_or_default(),
            policy: None,
        }
    }

    /// At most `limit` (and 100) pending submissions of a Datanet with numbers above `after`, in
    /// order.
    pub fn pending(
        datanet: DatanetId,
        after: Option<SubmissionId>,
        limit: u32,
    ) -> Vec<PendingView<T::AccountId>> {
        let entries: Box<dyn Iterator<Item = _>> = match after {
            None => Box::new(Pending::<T>::iter_prefix(datanet)),
            Some(id) => {
                let from =
                    Pending::<T>::hashed_key_for(datanet, crate::OrderedSubmissionId::from(id));
                Box::new(Pending::<T>::iter_prefix_from(datanet, from))
            }
        };
        entries
            .take(limit.min(MAX_PAGE) as usize)
            .filter_map(|(_, sha256)| match Submissions::<T>::get(datanet, sha256)? {
                Submission::Pending { id, contributor, content, size, media } => {
                    Some(PendingView {
                        submission: id,
                        contributor,
                        item: SubmissionItem { content, sha256, size, media },
                    })
                }
                Submission::Accepted { .. } => None,
            })
            .collect()
    }

    /// At most `limit` (and 100) leaves of a Datanet from position `start` on.
    pub fn leaves(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<LeafView<T::AccountId>> {
        let count = Datanets::<T>::get(datanet).map_or(0, |datanet| datanet.leaves);
        let end = count.min(start.saturating_add(limit.min(MAX_PAGE).into()));
        (start..end)
            .filter_map(|index| {
                let leaf = Leaves::<T>::get(datanet, index)?;
                match Submissions::<T>::get(datanet, leaf.sha256)? {
                    Submission::Accepted { content, media, .. } => {
                        Some(LeafView { index, leaf, content, media })
                    }
                    Submission::Pending { .. } => None,
                }
            })
            .collect()
    }

    /// The version of a Datanet when it had `leaves` leaves; `None` if it has fewer or does not exist.
    pub fn version_at(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion> {
        let record = Datanets::<T>::get(datanet)?;
        if leaves > record.leaves {
            return None;
        }
        range::version::<T>(datanet, leaves)
    }

    /// Proof that the leaf at `index` stands in the version with `leaves` leaves, for
    /// [`verify_leaf`](openledger_primitives::leaf::verify_leaf); `None` if there is no such leaf or
    /// version.
    pub fn leaf_proof(datanet: DatanetId, index: LeafIndex, leaves: u64) -> Option<Vec<H256>> {
        let record = Datanets::<T>::get(datanet)?;
        if leaves > record.leaves {
            return None;
        }
        range::proof::<T>(datanet, index, leaves)
    }
}
