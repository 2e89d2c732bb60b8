//! What must be true of the stored state at all times.

use crate::{
    Bars, CapShares, Config, Contributors, Datanet, Datanets, Ended, Expiries, HoldReason,
    Invitations, Leaves, Listed, NextDatanet, NextSubmission, Offers, OrderedBlock,
    OrderedSubmissionId, Pallet, Pending, Precommits, Quotas, RangeNodes, RefusedFiles, Revoked,
    Settled, SettledOf, ShareUse, Statuses, Submission, Submissions, Texts, Unlisted, Waiting,
};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{
    ensure,
    traits::{fungible::hold::Inspect, Get},
};
use mountain_range::{MMRStoreReadOps, MMRStoreWriteOps, MMR};
use openledger_primitives::{
    leaf::{range_size, MergeNodes},
    verdict::FIRST_EXTRACTOR,
    Balance, DatanetId, DatanetStatus, LeafVersion, SubmissionId,
};
use sp_core::H256;
use sp_runtime::TryRuntimeError;

/// A mountain range in memory.
#[derive(Default)]
struct Memory(Vec<H256>);

impl MMRStoreReadOps<H256> for &mut Memory {
    fn get_elem(&self, position: u64) -> mountain_range::Result<Option<H256>> {
        Ok(usize::try_from(position).ok().and_then(|position| self.0.get(position)).copied())
    }
}

impl MMRStoreWriteOps<H256> for &mut Memory {
    fn append(&mut self, _: u64, nodes: Vec<H256>) -> mountain_range::Result<()> {
        self.0.extend(nodes);
        Ok(())
    }
}

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet's storage, reading all of it.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_datanets()?;
        Self::check_ranges()?;
        Self::check_pending()?;
        Self::check_waiting()?;
        Self::check_settled()?;
        Self::check_permissions()?;
        Self::check_holds()?;
        Self::check_quotas()
    }

    /// Numbers and bounds of Datanets, and nothing stored for a Datanet that does not exist.
    fn check_datanets() -> Result<(), TryRuntimeError> {
        let next = NextDatanet::<T>::get();
        let count = Datanets::<T>::iter_keys().count();
        ensure!(count == next as usize, "there is not one Datanet a number given out");
        for (id, datanet) in Datanets::<T>::iter() {
            ensure!(id < next, "a Datanet's number was never given out");
            ensure!(
                1 <= datanet.min_units && datanet.min_units <= datanet.max_units,
                "a Datanet's units are out of order"
            );
        }
        for (id, status) in Statuses::<T>::iter() {
            let datanet = Datanets::<T>::get(id).ok_or("a status of an unknown Datanet")?;
            ensure!(status != DatanetStatus::Open, "the usual status is stored");
            if status == DatanetStatus::Closed {
                ensure!(
                    datanet.deposit == 0 && datanet.pending == 0 && !Offers::<T>::contains_key(id),
                    "a closed Datanet has a deposit, pending files or an offer"
                );
            }
        }
        for (id, text) in Texts::<T>::iter() {
            ensure!(text.validate().is_ok(), "a Datanet's text cannot be shown");
            ensure!(Datanets::<T>::contains_key(id), "a text of an unknown Datanet");
        }
        for (id, to) in Offers::<T>::iter() {
            ensure!(
                Datanets::<T>::get(id).is_some_and(|datanet| datanet.owner != to),
                "a Datanet is offered to its owner, or is none"
            );
        }
        for id in Submissions::<T>::iter_keys()
            .map(|(id, _)| id)
            .chain(Pending::<T>::iter_keys().map(|(id, _)| id))
            .chain(Leaves::<T>::iter_keys().map(|(id, _)| id))
            .chain(RangeNodes::<T>::iter_keys().map(|(id, _)| id))
            .chain(RefusedFiles::<T>::iter_keys().map(|(id, _)| id))
            .chain(CapShares::<T>::iter_keys())
            .chain(ShareUse::<T>::iter_keys().map(|(id, _)| id))
            .chain(Bars::<T>::iter_keys().map(|(id, _)| id))
            .chain(Invitations::<T>::iter_keys().map(|(id, _)| id))
            .chain(Listed::<T>::iter_keys())
        {
            ensure!(Datanets::<T>::contains_key(id), "something is stored for an unknown Datanet");
        }
        Self::check_entries()
    }

    /// Invitations and bars are as many as are counted, and nothing is held for none.
    fn check_entries() -> Result<(), TryRuntimeError> {
        let mut counted = BTreeMap::<DatanetId, u32>::new();
        let invited = Invitations::<T>::iter_keys().map(|(id, _)| id);
        for id in invited.chain(Bars::<T>::iter_keys().map(|(id, _)| id)) {
            let count = counted.entry(id).or_default();
            *count = count.saturating_add(1);
        }
        for (id, listing) in Listed::<T>::iter() {
            ensure!(
                listing.entries > 0 && counted.remove(&id) == Some(listing.entries),
                "a Datanet counts other invitations and bars than it has"
            );
        }
        ensure!(counted.is_empty(), "a Datanet counts other invitations and bars than it has");
        Ok(())
    }

    /// Every leaf has its record and every node follows from the leaves.
    fn check_ranges() -> Result<(), TryRuntimeError> {
        for (id, datanet) in Datanets::<T>::iter() {
            ensure!(
                Leaves::<T>::iter_key_prefix(id).count() as u64 == datanet.leaves,
                "a Datanet's leaves are not as many as it counts"
            );
            ensure!(
                RangeNodes::<T>::iter_key_prefix(id).count() as u64 == range_size(datanet.leaves),
                "a mountain range has not the nodes of its leaves"
            );
            Self::check_leaves(id, &datanet)?;
        }
        let accepted = Submissions::<T>::iter_values()
            .filter(|record| matches!(record, Submission::Accepted { .. }))
            .count();
        ensure!(accepted == Leaves::<T>::iter_keys().count(), "a record's leaf is missing");
        Ok(())
    }

    fn check_leaves(id: DatanetId, datanet: &Datanet<T::AccountId>) -> Result<(), TryRuntimeError> {
        let mut memory = Memory::default();
        let mut units = 0u128;
        let mut extractor = FIRST_EXTRACTOR;
        for index in 0..datanet.leaves {
            let leaf = Leaves::<T>::get(id, index).ok_or("a leaf is missing")?;
            ensure!(
                leaf.submission < NextSubmission::<T>::get(),
                "a leaf's submission number was never given out"
            );
            ensure!(leaf.units >= datanet.min_units, "a leaf has too few units");
            // The chain's extractor only ever goes up, and acceptances are in order.
            ensure!(
                leaf.version.extractor() >= extractor,
                "a leaf names an older extractor than one before it"
            );
            extractor = leaf.version.extractor();
            ensure!(
                !matches!(leaf.version, LeafVersion::V2 { extractor } if extractor <= FIRST_EXTRACTOR),
                "a leaf of the second shape names an extractor of the first"
            );
            ensure!(
                matches!(
                    Submissions::<T>::get(id, leaf.sha256),
                    Some(Submission::Accepted { leaf, .. }) if leaf == index
                ),
                "a leaf has no record"
            );
            units = units.saturating_add(leaf.units.into());
            let mut range = MMR::<_, MergeNodes, _>::new(range_size(index), &mut memory);
            range
                .push(leaf.hash())
                .and_then(|_| range.commit())
                .map_err(|_| "the leaves make no range")?;
        }
        ensure!(units == datanet.units, "a Datanet's units are not the sum of its leaves'");
        for (position, node) in (0u64..).zip(memory.0) {
            ensure!(
                RangeNodes::<T>::get(id, position) == Some(node),
                "a node of a mountain range does not follow from the leaves"
            );
        }
        Ok(())
    }

    /// Pending records and pending keys are the same, and both counts agree with them.
    fn check_pending() -> Result<(), TryRuntimeError> {
        let mut by_datanet = BTreeMap::<DatanetId, u32>::new();
        let mut by_contributor = BTreeMap::<T::AccountId, u32>::new();
        for (datanet, sha256, record) in Submissions::<T>::iter() {
            let Submission::Pending { id, contributor, .. } = record else { continue };
            ensure!(
                Pending::<T>::get(datanet, crate::OrderedSubmissionId::from(id)) == Some(sha256),
                "a pending submission has no key"
            );
            ensure!(
                id < NextSubmission::<T>::get(),
                "a pending submission's number was never given out"
            );
            count(&mut by_datanet, datanet);
            count(&mut by_contributor, contributor);
        }
        for (datanet, id, sha256) in Pending::<T>::iter() {
            ensure!(
                matches!(
                    Submissions::<T>::get(datanet, sha256),
                    Some(Submission::Pending { id: number, .. }) if number == SubmissionId::from(id)
                ),
                "a pending key has no submission"
            );
        }
        for (id, datanet) in Datanets::<T>::iter() {
            ensure!(
                by_datanet.remove(&id).unwrap_or(0) == datanet.pending,
                "a Datanet's pending files are not as many as it counts"
            );
        }
        for (account, contributor) in Contributors::<T>::iter() {
            ensure!(
                by_contributor.remove(&account).unwrap_or(0) == contributor.pending,
                "a contributor's pending files are not as many as it counts"
            );
        }
        ensure!(by_contributor.is_empty(), "who submitted a pending file is no contributor");
        Ok(())
    }

    /// Each contributor's list of waiting files is what waits of it.
    fn check_waiting() -> Result<(), TryRuntimeError> {
        for (account, waiting) in Waiting::<T>::iter() {
            ensure!(
                Contributors::<T>::get(&account)
                    .is_some_and(|record| record.pending as usize == waiting.len())
                    && !waiting.is_empty(),
                "a list of waiting files has not what its contributor counts"
            );
            let mut before = None;
            for file in &waiting {
                let number = OrderedSubmissionId::from(file.submission);
                let of_account = Pending::<T>::get(file.datanet, number)
                    .and_then(|sha256| Submissions::<T>::get(file.datanet, sha256))
                    .is_some_and(|record| {
                        matches!(record, Submission::Pending { contributor, .. } if contributor == account)
                    });
                ensure!(of_account, "a list of waiting files names what does not wait");
                ensure!(
                    before.replace(file.submission) < Some(file.submission),
                    "a list of waiting files is out of order"
                );
                ensure!(
                    file.age <= file.since && file.since <= Self::now(),
                    "a waiting file is older or younger than it can be"
                );
            }
        }
        for (account, contributor) in Contributors::<T>::iter() {
            ensure!(
                contributor.pending == 0 || Waiting::<T>::contains_key(&account),
                "a contributor with waiting files has no list of them"
            );
        }
        for (account, precommits) in Precommits::<T>::iter() {
            ensure!(
                Contributors::<T>::contains_key(&account) && !precommits.is_empty(),
                "precommitments of nobody"
            );
            ensure!(
                precommits.iter().all(|precommit| precommit.at <= Self::now()),
                "a precommitment of a block to come"
            );
        }
        Ok(())
    }

    /// Leaves and refusals, and nothing else, are found by number and by contributor.
    fn check_settled() -> Result<(), TryRuntimeError> {
        let mut settled = 0usize;
        let mut found = |datanet: DatanetId, submission, contributor: &T::AccountId, sha256| {
            let number = OrderedSubmissionId::from(submission);
            let is_found = Settled::<T>::get(datanet, number) == Some(sha256)
                && SettledOf::<T>::get(contributor, number) == Some(datanet);
            settled = settled.saturating_add(usize::from(is_found));
            is_found
        };
        let unlisted = Unlisted::<T>::get();
        for (id, index, leaf) in Leaves::<T>::iter() {
            ensure!(
                found(id, leaf.submission, &leaf.contributor, leaf.sha256)
                    || unlisted.is_some_and(|from| (id, index) >= from),
                "a leaf is not found by its number and contributor"
            );
        }
        let mut refused = 0usize;
        for (id, sha256, file) in RefusedFiles::<T>::iter() {
            refused = refused.saturating_add(1);
            ensure!(
                found(id, file.submission, &file.contributor, sha256),
                "a refusal is not found by its number and contributor"
            );
            let number = OrderedSubmissionId::from(file.submission);
            ensure!(
                Expiries::<T>::get(OrderedBlock::from(file.kept_until), number)
                    == Some((id, sha256)),
                "a refusal never goes"
            );
            ensure!(
                file.age <= file.at && file.at <= Self::now() && file.at < file.kept_until,
                "a refusal's blocks are out of order"
            );
        }
        ensure!(
            Settled::<T>::iter_keys().count() == settled
                && SettledOf::<T>::iter_keys().count() == settled,
            "a settled submission has neither leaf nor refusal"
        );
        ensure!(Expiries::<T>::iter_keys().count() == refused, "an expiry has no refusal");
        Ok(())
    }

    /// What owners, sponsors and contributors decided is about what there is.
    fn check_permissions() -> Result<(), TryRuntimeError> {
        ensure!(
            CapShares::<T>::iter_values().all(|share| (1..=100).contains(&share)),
            "a share is not 1 to 100 percent"
        );
        for account in Ended::<T>::iter_keys() {
            ensure!(
                Contributors::<T>::get(&account).is_some_and(|record| record.depositor != account),
                "a sponsorship ended that there is not"
            );
        }
        for (datanet, leaf, revocation) in Revoked::<T>::iter() {
            ensure!(
                Leaves::<T>::contains_key(datanet, u64::from(leaf)),
                "a leaf was revoked that there is not"
            );
            ensure!(revocation.at <= Self::now(), "a leaf was revoked in a block to come");
        }
        Ok(())
    }

    /// Every deposit is held.
    fn check_holds() -> Result<(), TryRuntimeError> {
        let mut stakes = BTreeMap::<T::AccountId, Balance>::new();
        for contributor in Contributors::<T>::iter_values() {
            let held = stakes.entry(contributor.depositor).or_default();
            *held = held.saturating_add(contributor.hold);
        }
        let mut deposits = BTreeMap::<T::AccountId, Balance>::new();
        for datanet in Datanets::<T>::iter_values() {
            let held = deposits.entry(datanet.owner).or_default();
            *held = held.saturating_add(datanet.deposit);
        }
        let mut entries = BTreeMap::<T::AccountId, Balance>::new();
        for (id, listing) in Listed::<T>::iter() {
            if let Some(datanet) = Datanets::<T>::get(id) {
                let held = entries.entry(datanet.owner).or_default();
                *held = held.saturating_add(listing.deposit);
            }
        }
        for (reason, sums) in [
            (HoldReason::Contributor, stakes),
            (HoldReason::Datanet, deposits),
            (HoldReason::Entry, entries),
        ] {
            let reason = reason.into();
            for (account, sum) in sums {
                ensure!(
                    T::Currency::balance_on_hold(&reason, &account) >= sum,
                    "less is held on an account than its records say"
                );
            }
        }
        Ok(())
    }

    /// No quota is overdrawn.
    fn check_quotas() -> Result<(), TryRuntimeError> {
        let limits = T::AccountLimits::get();
        for quota in Quotas::<T>::iter_values() {
            ensure!(
                quota.files <= limits.files && quota.bytes <= limits.bytes,
                "an account's daily quota is overdrawn"
            );
        }
        for datanet in Datanets::<T>::iter_values() {
            if let Some(limits) = datanet.daily_limit {
                ensure!(
                    datanet.used.files <= limits.files && datanet.used.bytes <= limits.bytes,
                    "a Datanet's daily limit is overdrawn"
                );
            }
        }
        Ok(())
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}
