//! What must be true of the stored state at all times.

use crate::{Ballots, Config, CurrentExtractor, Pallet, Policies, WaitingPolicies};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use openledger_primitives::{traits::Submissions, verdict::FIRST_EXTRACTOR};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet's storage, reading all of it.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let current = CurrentExtractor::<T>::get();
        ensure!(current > FIRST_EXTRACTOR, "the chain names no extractor that leaves can name");
        for (datanet, policy) in Policies::<T>::iter() {
            ensure!(policy.validate().is_ok(), "no verdict can be reached under a policy");
            ensure!(T::Submissions::owner(datanet).is_some(), "a policy of an unknown Datanet");
        }
        for (datanet, waiting) in WaitingPolicies::<T>::iter() {
            ensure!(waiting.policy.validate().is_ok(), "no verdict can be reached under a policy");
            ensure!(Policies::<T>::contains_key(datanet), "a policy waits for an unknown Datanet");
        }
        // `iter` passes over what it cannot read.
        ensure!(
            Ballots::<T>::iter_keys().count() == Ballots::<T>::iter_values().count(),
            "a ballot cannot be read"
        );
        for (submission, ballot) in Ballots::<T>::iter() {
            let pending = T::Submissions::pending(ballot.datanet, &ballot.sha256)
                .filter(|pending| pending.submission == submission)
                .ok_or("a ballot on a submission that is not pending")?;
            ensure!(!ballot.votes.is_empty(), "a ballot without a vote");
            ensure!(
                ballot
                    .votes
                    .iter()
                    .filter_map(|(_, verdict)| verdict.extractor())
                    .all(|extractor| (FIRST_EXTRACTOR..=current).contains(&extractor)),
                "a vote names an extractor that was never the chain's"
            );
            // Votes of the first extractor were cast before votes had bounds; those up to spec version 102
            // before the bytes bounded them.
            ensure!(
                ballot
                    .votes
                    .iter()
                    .filter(|(_, verdict)| verdict.extractor() != Some(FIRST_EXTRACTOR))
                    .all(|(_, verdict)| verdict
                        .validate_modality(pending.media.modality())
                        .is_ok()),
                "a vote claims what no file can be"
            );
            let voters: BTreeSet<_> = ballot.votes.iter().map(|(voter, _)| voter).collect();
            ensure!(voters.len() == ballot.votes.len(), "an account has two votes on a ballot");
            ensure!(
                !voters.contains(&pending.contributor),
                "a contributor voted on a file of its own"
            );
        }
        Self::check_committees()
    }
}
