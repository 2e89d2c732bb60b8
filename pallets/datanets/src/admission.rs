//! The one check that decides whether a submission is admitted.
//!
//! Dispatch, the transaction extension and the runtime API all call it, so that they never disagree.

use crate::{
    Config, Contributor, Contributors, Datanet, Datanets, Error, Leaves, Pallet, Quotas, Statuses,
    Submission, Submissions,
};
use frame_support::traits::{Get, Time};
use openledger_primitives::{
    api::SubmissionItem, quota::QuotaExceeded, ContentCodec, DailyQuota, DatanetId, DatanetStatus,
    Day, Refusal, RefusalRule, SubmissionId, MAX_ITEMS, MILLISECONDS_PER_DAY,
};

/// What an admitted submission leads to: the changed records, not yet written.
pub(crate) struct Admission<T: Config> {
    /// The contributor, as it was.
    pub(crate) contributor: Contributor<T::AccountId>,
    /// The Datanet, with its daily limit used.
    pub(crate) datanet: Datanet<T::AccountId>,
    /// The account's quota, used.
    pub(crate) quota: DailyQuota,
}

impl<T: Config> Pallet<T> {
    /// Today in UTC.
    pub fn today() -> Day {
        // A clock beyond the year 11,000,000 stands still: quotas then no longer reset.
        Day::try_from(T::Time::now().div_euclid(MILLISECONDS_PER_DAY)).unwrap_or(Day::MAX)
    }

    /// Whether `who` may submit `items` to `datanet` now.
    ///
    /// # Errors
    ///
    /// The first rule that is broken. Rules about the account and the Datanet come first, then those
    /// about each item by itself, then duplicates, and the day's limits last.
    pub fn check_admission(
        who: &T::AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
    ) -> Result<(), Refusal> {
        Self::admit(who, datanet, items).map(drop)
    }

    /// [`Self::check_admission`], and what the submission leads to.
    pub(crate) fn admit(
        who: &T::AccountId,
        id: DatanetId,
        items: &[SubmissionItem],
    ) -> Result<Admission<T>, Refusal> {
        let contributor = Contributors::<T>::get(who).ok_or(Refusal::of_call(
            RefusalRule::NotRegistered,
            0,
            0,
        ))?;
        let mut datanet = Datanets::<T>::get(id).ok_or(Refusal::of_call(
            RefusalRule::UnknownDatanet,
            id.into(),
            0,
        ))?;
        let rule = match Statuses::<T>::get(id) {
            DatanetStatus::Open => None,
            DatanetStatus::Paused => Some(RefusalRule::DatanetPaused),
            DatanetStatus::Closed => Some(RefusalRule::DatanetClosed),
        };
        if let Some(rule) = rule {
            return Err(Refusal::of_call(rule, id.into(), 0));
        }
        // First of all that depends on the number of items: the runtime API takes any number.
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        if !(1..=MAX_ITEMS).contains(&count) {
            return Err(Refusal::of_call(
                RefusalRule::ItemCount,
                items.len() as u64,
                MAX_ITEMS.into(),
            ));
        }
        Self::check_items(&datanet, items)?;
        for (index, item) in (0..).zip(items) {
            if let Some(record) = Submissions::<T>::get(id, item.sha256) {
                let number = Self::submission_number(id, &record);
                return Err(Refusal::of_item(RefusalRule::AlreadySubmitted, index, number, 0));
            }
        }

        // At most 20 sizes of 32 bits each.
        let bytes = items.iter().fold(0u64, |sum, item| sum.saturating_add(item.size.into()));
        let today = Self::today();
        let mut quota = Quotas::<T>::get(who);
        quota.try_consume(today, count, bytes, &T::AccountLimits::get()).map_err(|exceeded| {
            limit_refusal(exceeded, RefusalRule::DailyFiles, RefusalRule::DailyBytes)
        })?;
        if let Some(limit) = &datanet.daily_limit {
            datanet.used.try_consume(today, count, bytes, limit).map_err(|exceeded| {
                limit_refusal(
                    exceeded,
                    RefusalRule::DatanetDailyFiles,
                    RefusalRule::DatanetDailyBytes,
                )
            })?;
        }
        Ok(Admission { contributor, datanet, quota })
    }

    /// The rules that need nothing but the items and the Datanet's modality.
    fn check_items(
        datanet: &Datanet<T::AccountId>,
        items: &[SubmissionItem],
    ) -> Result<(), Refusal> {
        for (index, item) in (0u32..).zip(items) {
            if item.media.modality() != datanet.modality {
                let refusal =
                    Refusal::of_item(RefusalRule::WrongModality, index, item.media as u64, 0);
                return Err(Refusal { modality: Some(datanet.modality), ..refusal });
            }
            if item.size == 0 {
                return Err(Refusal::of_item(RefusalRule::EmptyFile, index, 0, 0));
            }
            if item.content.codec() == ContentCodec::Raw && item.content.digest() != &item.sha256 {
                return Err(Refusal::of_item(RefusalRule::DigestMismatch, index, 0, 0));
            }
            let earlier = items.iter().take(index as usize);
            if let Some(first) = earlier.zip(0u64..).find(|(other, _)| other.sha256 == item.sha256)
            {
                return Err(Refusal::of_item(RefusalRule::RepeatedItem, index, first.1, 0));
            }
        }
        Ok(())
    }

    /// The number of the submission that brought a file.
    fn submission_number(datanet: DatanetId, record: &Submission<T::AccountId>) -> SubmissionId {
        match record {
            Submission::Pending { id, .. } => *id,
            // A record without its leaf is corruption, which `try_state` reports; the refusal stands.
            Submission::Accepted { leaf, .. } => {
                Leaves::<T>::get(datanet, leaf).map_or(0, |leaf| leaf.submission)
            }
        }
    }
}

fn limit_refusal(exceeded: QuotaExceeded, files: RefusalRule, bytes: RefusalRule) -> Refusal {
    match exceeded {
        QuotaExceeded::Files { total, limit } => Refusal::of_call(files, total, limit),
        QuotaExceeded::Bytes { total, limit } => Refusal::of_call(bytes, total, limit),
    }
}

impl<T> From<Refusal> for Error<T> {
    fn from(refusal: Refusal) -> Self {
        match refusal.rule {
            RefusalRule::UnknownDatanet => Self::UnknownDatanet,
            RefusalRule::NotRegistered => Self::NotRegistered,
            RefusalRule::ItemCount => Self::ItemCount,
            RefusalRule::WrongModality => Self::WrongModality,
            RefusalRule::EmptyFile => Self::EmptyFile,
            RefusalRule::DigestMismatch => Self::DigestMismatch,
            RefusalRule::RepeatedItem => Self::RepeatedItem,
            RefusalRule::AlreadySubmitted => Self::AlreadySubmitted,
            RefusalRule::DailyFiles => Self::DailyFiles,
            RefusalRule::DailyBytes => Self::DailyBytes,
            RefusalRule::DatanetDailyFiles => Self::DatanetDailyFiles,
            RefusalRule::DatanetDailyBytes => Self::DatanetDailyBytes,
            RefusalRule::DatanetPaused => Self::DatanetPaused,
            RefusalRule::DatanetClosed => Self::DatanetClosed,
        }
    }
}
