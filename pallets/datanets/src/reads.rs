//! What the runtime API answers. Nothing here is called while a block is executed, except
//! `version_at`.

use crate::{
    range, Bars, CapShares, Config, Contributors, Datanet, Datanets, Leaves, NextDatanet,
    OrderedSubmissionId, Pallet, Pending, PendingFile, Precommits, Quotas, RefusedFiles,
    Revocation, Revoked, Settled, SettledOf, Submission, Submissions, Waiting, DEFAULT_SHARE,
    MAX_PAGE,
};
use alloc::{boxed::Box, vec::Vec};
use frame_support::traits::Get;
use openledger_primitives::{
    api::{
        BarView, CapsView, DatanetView, LeafView, PendingView, PrecommitView, QuotaStatus,
        RevocationView, SubmissionItem, SubmissionKey, SubmissionState, SubmissionView,
    },
    DatanetId, DatasetVersion, FileHash, LeafIndex, Refusal, SubmissionId,
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

    /// An account's precommitments that can still be opened.
    pub fn precommits(account: &T::AccountId) -> Vec<PrecommitView> {
        Precommits::<T>::get(account)
            .iter()
            .filter(|precommit| Self::stands(precommit))
            .map(|precommit| PrecommitView {
                commitment: precommit.commitment,
                at: precommit.at,
                expires_at: precommit.at.saturating_add(Self::days(1)),
            })
            .collect()
    }

    /// A submission with its history, without its votes: who votes is another pallet's knowledge.
    pub fn submission(
        datanet: DatanetId,
        key: SubmissionKey,
    ) -> Option<SubmissionView<T::AccountId>> {
        match key {
            SubmissionKey::Sha256(sha256) => Self::of_file(datanet, sha256, None),
            SubmissionKey::Number(number) => {
                let key = OrderedSubmissionId::from(number);
                let sha256 =
                    Pending::<T>::get(datanet, key).or_else(|| Settled::<T>::get(datanet, key))?;
                Self::of_file(datanet, sha256, Some(number))
            }
        }
    }

    /// The submission of a file that has a number, or the last one.
    fn of_file(
        datanet: DatanetId,
        sha256: FileHash,
        number: Option<SubmissionId>,
    ) -> Option<SubmissionView<T::AccountId>> {
        let record = Submissions::<T>::get(datanet, sha256);
        let present = record.and_then(|record| Self::present(datanet, sha256, record));
        let wanted = |view: &SubmissionView<_>| number.is_none_or(|n| n == view.submission);
        present.filter(wanted).or_else(|| {
            let refused = RefusedFiles::<T>::get(datanet, sha256)?;
            let view = SubmissionView {
                submission: refused.submission,
                datanet,
                sha256,
                contributor: refused.contributor,
                state: SubmissionState::Refused {
                    ending: refused.ending,
                    judges: refused.judges.into_inner(),
                    at: refused.at,
                    kept_until: refused.kept_until,
                },
            };
            Some(view).filter(wanted)
        })
    }

    /// A file that the Datanet has.
    fn present(
        datanet: DatanetId,
        sha256: FileHash,
        record: Submission<T::AccountId>,
    ) -> Option<SubmissionView<T::AccountId>> {
        if let Submission::Accepted { leaf: index, content, media } = record {
            let leaf = Leaves::<T>::get(datanet, index)?;
            return Some(SubmissionView {
                submission: leaf.submission,
                datanet,
                sha256,
                contributor: leaf.contributor.clone(),
                state: SubmissionState::Accepted {
                    leaf: LeafView { index, leaf, content, media },
                    revoked: Revoked::<T>::contains_key(datanet, OrderedSubmissionId::from(index)),
                },
            });
        }
        let file = PendingFile::of(record, sha256)?;
        let waiting = Self::waiting(&file);
        let (since, age) = waiting.map_or((0, 0), |waiting| (waiting.since, waiting.age));
        let PendingFile { id, contributor, content, size, media, .. } = file;
        Some(SubmissionView {
            submission: id,
            datanet,
            sha256,
            contributor,
            state: SubmissionState::Pending {
                item: SubmissionItem { content, sha256, size, media },
                since,
                age,
                acceptable_at: Self::acceptable_at(age),
                expires_at: Self::expires_at(since),
                votes: Vec::new(),
            },
        })
    }

    /// At most `limit` (and 100) submissions of an account with numbers above `after`, in order: those
    /// that wait, and those that were settled and are kept.
    pub fn submissions_of(
        account: &T::AccountId,
        after: Option<SubmissionId>,
        limit: u32,
    ) -> Vec<SubmissionView<T::AccountId>> {
        let limit = limit.min(MAX_PAGE) as usize;
        let settled: Box<dyn Iterator<Item = _>> = match after {
            None => Box::new(SettledOf::<T>::iter_prefix(account)),
            Some(id) => {
                let from = SettledOf::<T>::hashed_key_for(account, OrderedSubmissionId::from(id));
                Box::new(SettledOf::<T>::iter_prefix_from(account, from))
            }
        };
        let mut numbers: Vec<(SubmissionId, DatanetId)> =
            settled.take(limit).map(|(number, datanet)| (number.into(), datanet)).collect();
        numbers.extend(
            Waiting::<T>::get(account)
                .iter()
                .map(|waiting| (waiting.submission, waiting.datanet))
                .filter(|(number, _)| after.is_none_or(|after| *number > after)),
        );
        numbers.sort_unstable();
        numbers
            .into_iter()
            .take(limit)
            .filter_map(|(number, datanet)| {
                Self::submission(datanet, SubmissionKey::Number(number))
            })
            .collect()
    }

    /// What may be submitted to a Datanet in a day.
    pub fn caps(datanet: DatanetId) -> Option<CapsView> {
        let record = Datanets::<T>::get(datanet)?;
        Some(CapsView {
            daily_limit: record.daily_limit,
            used: record.used,
            share: CapShares::<T>::get(datanet).unwrap_or(DEFAULT_SHARE),
            account_limit: record.daily_limit.map(|limit| Self::share_of(datanet, &limit)),
        })
    }

    /// Whether and why a Datanet takes no files of an account.
    pub fn bar_of(datanet: DatanetId, account: &T::AccountId) -> Option<BarView> {
        let bar = Bars::<T>::get(datanet, account)?;
        Some(BarView { reason: bar.reason, since: bar.since })
    }

    /// At most `limit` (and 100) revoked leaves of a Datanet at positions from `start` on, in order.
    pub fn revoked(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<LeafIndex> {
        Self::revocations(datanet, start, limit).into_iter().map(|found| found.leaf).collect()
    }

    /// The same, each with its block and by whom.
    pub fn revocations(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<RevocationView> {
        let entries = match start.checked_sub(1) {
            None => Revoked::<T>::iter_prefix(datanet),
            Some(before) => {
                let from = Revoked::<T>::hashed_key_for(datanet, OrderedSubmissionId::from(before));
                Revoked::<T>::iter_prefix_from(datanet, from)
            }
        };
        entries
            .take(limit.min(MAX_PAGE) as usize)
            .map(|(leaf, Revocation { at, by_governance })| RevocationView {
                leaf: leaf.into(),
                at,
                by_governance,
            })
            .collect()
    }
}
