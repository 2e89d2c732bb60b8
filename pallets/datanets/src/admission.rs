//! The one check that decides whether a free call is admitted.
//!
//! Dispatch, the transaction extension and the runtime API all call it, so that they never disagree.

use crate::{
    Admissions, Bars, CapShares, Config, Contributor, Contributors, Datanet, Datanets, Ended,
    Error, Invitations, Leaves, Pallet, PendingFile, Precommit, Precommits, PrecommitsOf, Quotas,
    RefusedFile, RefusedFiles, ShareUse, Statuses, Submission, Submissions, Waiting, WaitingFile,
    WaitingFiles, DEFAULT_SHARE,
};
use alloc::vec::Vec;
use frame_support::traits::{Get, Time};
use openledger_primitives::{
    api::SubmissionItem,
    precommit::MAX_PRECOMMITS,
    precommitment,
    quota::QuotaExceeded,
    traits::{OnAccepted, ReviewLimit, ReviewPolicies},
    AdmissionPolicy, BlockNumber, ContentCodec, DailyQuota, DatanetId, DatanetStatus, Day,
    FileHash, Points, QuotaLimits, Refusal, RefusalRule, Salt, SubmissionId, MAX_ITEMS,
    MILLISECONDS_PER_DAY,
};
use sp_core::H256;
use sp_runtime::traits::SaturatedConversion;

/// What an admitted submission leads to: the changed records, not yet written.
pub(crate) struct Admission<T: Config> {
    /// The contributor, as it was.
    pub(crate) contributor: Contributor<T::AccountId>,
    /// The Datanet, with its daily limit used.
    pub(crate) datanet: Datanet<T::AccountId>,
    /// The account's quota, used.
    pub(crate) quota: DailyQuota,
    /// The account's share of the Datanet's limit, used; where there is a limit.
    pub(crate) share: Option<DailyQuota>,
    /// What the account has waiting, as it was.
    pub(crate) waiting: WaitingFiles,
    /// The precommitments that are left; where some are opened.
    pub(crate) precommits: Option<PrecommitsOf>,
    /// Block from which each item's age counts.
    pub(crate) ages: Vec<BlockNumber>,
    /// Younger submissions of the same files, which give way.
    pub(crate) displaced: Vec<PendingFile<T::AccountId>>,
}

/// What admitted precommitments lead to.
pub(crate) struct PrecommitAdmission<T: Config> {
    /// The contributor, as it was.
    pub(crate) contributor: Contributor<T::AccountId>,
    /// The account's quota, used.
    pub(crate) quota: DailyQuota,
    /// All that stand, the new ones included.
    pub(crate) precommits: PrecommitsOf,
}

impl<T: Config> Pallet<T> {
    /// Today in UTC.
    pub fn today() -> Day {
        // A clock beyond the year 11,000,000 stands still: quotas then no longer reset.
        Day::try_from(T::Time::now().div_euclid(MILLISECONDS_PER_DAY)).unwrap_or(Day::MAX)
    }

    /// The number of this block.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// Days in blocks.
    pub(crate) fn days(days: u32) -> BlockNumber {
        days.saturating_mul(T::DayLength::get())
    }

    /// Whether a precommitment can still be opened.
    pub(crate) fn stands(precommit: &Precommit) -> bool {
        Self::now() < precommit.at.saturating_add(Self::days(1))
    }

    /// Whether `who` may submit `items` to `datanet` now.
    ///
    /// # Errors
    ///
    /// The first rule that is broken. Rules about the account and the Datanet come first, then those
    /// about each item by itself, then what became of the same files before, and limits last.
    pub fn check_admission(
        who: &T::AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
    ) -> Result<(), Refusal> {
        Self::admit(who, datanet, items, None).map(drop)
    }

    /// Whether `who` may open its precommitments of `items` now.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, in the order of [`Self::check_admission`].
    pub fn check_opening(
        who: &T::AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
        salt: &Salt,
    ) -> Result<(), Refusal> {
        Self::admit(who, datanet, items, Some(salt)).map(drop)
    }

    /// Whether `who` may precommit now.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check_precommit(who: &T::AccountId, commitments: &[H256]) -> Result<(), Refusal> {
        Self::admit_precommits(who, commitments).map(drop)
    }

    /// The pending file that `who` may take back.
    ///
    /// # Errors
    ///
    /// `NotPending` or `NotAuthorized`.
    pub(crate) fn admit_withdrawal(
        who: &T::AccountId,
        datanet: DatanetId,
        sha256: &FileHash,
    ) -> Result<PendingFile<T::AccountId>, Refusal> {
        let file = Self::pending_file(datanet, sha256).ok_or(Refusal::of_call(
            RefusalRule::NotPending,
            0,
            0,
        ))?;
        if file.contributor != *who {
            return Err(Refusal::of_call(RefusalRule::NotAuthorized, file.id, 0));
        }
        if T::Review::is_drawn(file.id) {
            return Err(Refusal::of_call(RefusalRule::Drawn, file.id, 0));
        }
        Ok(file)
    }

    /// A contributor that may still submit.
    fn contributor(who: &T::AccountId) -> Result<Contributor<T::AccountId>, Refusal> {
        let contributor = Contributors::<T>::get(who).ok_or(Refusal::of_call(
            RefusalRule::NotRegistered,
            0,
            0,
        ))?;
        if contributor.depositor != *who && Ended::<T>::contains_key(who) {
            return Err(Refusal::of_call(RefusalRule::SponsorshipEnded, 0, 0));
        }
        Ok(contributor)
    }

    pub(crate) fn admit_precommits(
        who: &T::AccountId,
        commitments: &[H256],
    ) -> Result<PrecommitAdmission<T>, Refusal> {
        let contributor = Self::contributor(who)?;
        let count = item_count(commitments.len())?;
        let mut precommits = Precommits::<T>::get(who);
        precommits.retain(Self::stands);
        let at = Self::now();
        for (index, commitment) in (0u32..).zip(commitments) {
            let mut earlier = commitments.iter().take(index as usize).zip(0u64..);
            if let Some(first) = earlier.find(|(other, _)| *other == commitment) {
                return Err(Refusal::of_item(RefusalRule::RepeatedItem, index, first.1, 0));
            }
            if precommits.iter().any(|standing| standing.commitment == *commitment) {
                return Err(Refusal::of_item(RefusalRule::AlreadyPrecommitted, index, 0, 0));
            }
        }
        for commitment in commitments {
            let total = (precommits.len() as u64).saturating_add(1);
            precommits.try_push(Precommit { commitment: *commitment, at }).map_err(|_| {
                Refusal::of_call(RefusalRule::PendingFiles, total, MAX_PRECOMMITS.into())
            })?;
        }
        let mut quota = Quotas::<T>::get(who);
        // Its bytes count when it is opened: nobody knows them yet.
        quota.try_consume(Self::today(), count, 0, &T::AccountLimits::get()).map_err(
            |exceeded| limit_refusal(exceeded, RefusalRule::DailyFiles, RefusalRule::DailyBytes),
        )?;
        Ok(PrecommitAdmission { contributor, quota, precommits })
    }

    /// [`Self::check_admission`] or, with a salt, [`Self::check_opening`], and what it leads to.
    pub(crate) fn admit(
        who: &T::AccountId,
        id: DatanetId,
        items: &[SubmissionItem],
        salt: Option<&Salt>,
    ) -> Result<Admission<T>, Refusal> {
        let contributor = Self::contributor(who)?;
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
        let count = item_count(items.len())?;
        if let Some(bar) = Bars::<T>::get(id, who) {
            return Err(Refusal::of_call(RefusalRule::Barred, bar.reason.code().into(), 0));
        }
        Self::check_contributor(who, id)?;
        Self::check_items(&datanet, items)?;

        let mut precommits = salt.map(|_| Precommits::<T>::get(who));
        let mut ages = Vec::with_capacity(items.len());
        let mut displaced = Vec::new();
        for (index, item) in (0..).zip(items) {
            let opened = match (salt, &mut precommits) {
                (Some(salt), Some(precommits)) => {
                    let commitment = precommitment(who, id, &item.sha256, salt);
                    Some(take::<T>(precommits, commitment).ok_or(Refusal::of_item(
                        RefusalRule::NotPrecommitted,
                        index,
                        0,
                        0,
                    ))?)
                }
                _ => None,
            };
            let (age, gives_way) = Self::check_before(who, id, index, &item.sha256, opened)?;
            ages.push(age);
            displaced.extend(gives_way);
        }

        let total = u64::from(contributor.pending).saturating_add(count.into());
        let most = u64::from(T::MaxPending::get());
        if total > most {
            return Err(Refusal::of_call(RefusalRule::PendingFiles, total, most));
        }
        // At most 20 sizes of 32 bits each.
        let bytes = items.iter().fold(0u64, |sum, item| sum.saturating_add(item.size.into()));
        let today = Self::today();
        let mut quota = Quotas::<T>::get(who);
        // A precommitment was counted as a file when it was made.
        let files = if salt.is_some() { 0 } else { count };
        quota.try_consume(today, files, bytes, &T::AccountLimits::get()).map_err(|exceeded| {
            limit_refusal(exceeded, RefusalRule::DailyFiles, RefusalRule::DailyBytes)
        })?;
        let mut share = None;
        if let Some(limit) = &datanet.daily_limit {
            datanet.used.try_consume(today, count, bytes, limit).map_err(|exceeded| {
                limit_refusal(
                    exceeded,
                    RefusalRule::DatanetDailyFiles,
                    RefusalRule::DatanetDailyBytes,
                )
            })?;
            let limit = Self::share_of(id, limit);
            let mut used = ShareUse::<T>::get(id, who);
            if let Some((index, item)) =
                (0..).zip(items).find(|(_, item)| u64::from(item.size) > limit.bytes)
            {
                let size = item.size.into();
                return Err(Refusal::of_item(RefusalRule::ShareBytes, index, size, limit.bytes));
            }
            used.try_consume(today, count, bytes, &limit).map_err(|exceeded| {
                limit_refusal(exceeded, RefusalRule::ShareFiles, RefusalRule::ShareBytes)
            })?;
            share = Some(used);
        }
        T::Review::check_budget(id, who, count, today).map_err(|limit| match limit {
            ReviewLimit::Datanet(exceeded) => {
                limit_refusal(exceeded, RefusalRule::ReviewFiles, RefusalRule::ReviewFiles)
            }
            ReviewLimit::Share(exceeded) => limit_refusal(
                exceeded,
                RefusalRule::ReviewShareFiles,
                RefusalRule::ReviewShareFiles,
            ),
            ReviewLimit::Budget { files, covered } => {
                Refusal::of_call(RefusalRule::ReviewBudget, files.into(), covered)
            }
            ReviewLimit::Reserved { files, most } => {
                Refusal::of_call(RefusalRule::ReviewShare, files, most)
            }
        })?;
        let waiting = Waiting::<T>::get(who);
        Ok(Admission { contributor, datanet, quota, share, waiting, precommits, ages, displaced })
    }

    /// Whether a Datanet takes files of an account.
    fn check_contributor(who: &T::AccountId, id: DatanetId) -> Result<(), Refusal> {
        let admission = Admissions::<T>::get(id);
        if admission == AdmissionPolicy::Open || Invitations::<T>::contains_key(id, who) {
            return Ok(());
        }
        let AdmissionPolicy::Points { least } = admission else {
            return Err(Refusal::of_call(RefusalRule::NotInvited, 0, 0));
        };
        let points = T::OnAccepted::global_points(who);
        if points >= least {
            return Ok(());
        }
        let shown = |points: Points| u64::try_from(points).unwrap_or(u64::MAX);
        Err(Refusal::of_call(RefusalRule::TooFewPoints, shown(points), shown(least)))
    }

    /// An account's share of a Datanet's limit.
    pub(crate) fn share_of(datanet: DatanetId, limit: &QuotaLimits) -> QuotaLimits {
        limit.share(CapShares::<T>::get(datanet).unwrap_or(DEFAULT_SHARE))
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

    /// The rules about what became of the same file before. Answers from which block the file's age
    /// counts (`opened` is that of its precommitment), and the younger submission that gives way.
    #[allow(clippy::type_complexity)]
    fn check_before(
        who: &T::AccountId,
        id: DatanetId,
        index: u32,
        sha256: &FileHash,
        opened: Option<BlockNumber>,
    ) -> Result<(BlockNumber, Option<PendingFile<T::AccountId>>), Refusal> {
        let now = Self::now();
        let mut age = opened.unwrap_or(now);
        if let Some(refused) = RefusedFiles::<T>::get(id, sha256) {
            Self::check_refused(who, index, &refused, opened)?;
            // Its first contributor brings it back: nobody was earlier.
            if refused.contributor == *who && now < refused.kept_until {
                age = age.min(refused.age);
            }
        }
        let Some(record) = Submissions::<T>::get(id, sha256) else { return Ok((age, None)) };
        let number = Self::submission_number(id, &record);
        match PendingFile::of(record, *sha256) {
            Some(file)
                if opened.is_some()
                    && file.contributor != *who
                    && age < Self::waiting(&file).map_or(0, |waiting| waiting.age) =>
            {
                if T::Review::is_drawn(file.id) {
                    return Err(Refusal::of_item(RefusalRule::Drawn, index, number, 0));
                }
                Ok((age, Some(file)))
            }
            _ => Err(Refusal::of_item(RefusalRule::AlreadySubmitted, index, number, 0)),
        }
    }

    fn check_refused(
        who: &T::AccountId,
        index: u32,
        refused: &RefusedFile<T::AccountId>,
        opened: Option<BlockNumber>,
    ) -> Result<(), Refusal> {
        if Self::now() >= refused.kept_until {
            return Ok(());
        }
        let rule = if refused.ending.leaves_tombstone() {
            RefusalRule::Tombstone
        } else if refused.contributor != *who && opened.is_none_or(|age| age >= refused.age) {
            RefusalRule::KeptForAnother
        } else {
            return Ok(());
        };
        Err(Refusal::of_item(rule, index, refused.submission, refused.kept_until.into()))
    }

    /// The entry of a pending file in its contributor's list.
    pub(crate) fn waiting(file: &PendingFile<T::AccountId>) -> Option<WaitingFile> {
        let waiting = Waiting::<T>::get(&file.contributor);
        waiting.iter().find(|waiting| waiting.submission == file.id).copied()
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

/// Takes a precommitment that still stands out of an account's, and answers its block.
fn take<T: Config>(precommits: &mut PrecommitsOf, commitment: H256) -> Option<BlockNumber> {
    let standing = |precommit: &Precommit| {
        precommit.commitment == commitment && Pallet::<T>::stands(precommit)
    };
    let place = precommits.iter().position(standing)?;
    Some(precommits.remove(place).at)
}

/// A call holds 1 to 20 items.
fn item_count(items: usize) -> Result<u32, Refusal> {
    let count = u32::try_from(items).unwrap_or(u32::MAX);
    if !(1..=MAX_ITEMS).contains(&count) {
        return Err(Refusal::of_call(RefusalRule::ItemCount, items as u64, MAX_ITEMS.into()));
    }
    Ok(count)
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
            RefusalRule::ShareFiles => Self::ShareFiles,
            RefusalRule::ShareBytes => Self::ShareBytes,
            RefusalRule::Barred => Self::Barred,
            RefusalRule::PendingFiles => Self::PendingFiles,
            RefusalRule::SponsorshipEnded => Self::SponsorshipEnded,
            RefusalRule::KeptForAnother => Self::KeptForAnother,
            RefusalRule::Tombstone => Self::Tombstone,
            RefusalRule::NotPrecommitted => Self::NotPrecommitted,
            RefusalRule::AlreadyPrecommitted => Self::AlreadyPrecommitted,
            RefusalRule::NotPending => Self::NotPending,
            RefusalRule::NotAuthorized => Self::NotAuthorized,
            RefusalRule::ReviewFiles => Self::ReviewFiles,
            RefusalRule::ReviewShareFiles => Self::ReviewShareFiles,
            RefusalRule::Drawn => Self::Drawn,
            RefusalRule::NotInvited => Self::NotInvited,
            RefusalRule::TooFewPoints => Self::TooFewPoints,
            RefusalRule::ReviewBudget => Self::ReviewBudget,
            RefusalRule::ReviewShare => Self::ReviewShare,
        }
    }
}
