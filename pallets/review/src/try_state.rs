//! What must be true of the stored state at all times.

use crate::{Ballots, Config, Pallet, Policies};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use openledger_primitives::traits::Submissions;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet's storage, reading all of it.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        for (datanet, policy) in Policies::<T>::iter() {
            ensure!(policy.validate().is_ok(), "no verdict can be reached under a policy");
            ensure!(T::Submissions::owner(datanet).is_some(), "a policy of an unknown Datanet");
        }
        for (submission, ballot) in Ballots::<T>::iter() {
            let pending = T::Submissions::pending(ballot.datanet, &ballot.sha256)
                .filter(|pending| pending.submission == submission)
                .ok_or("a ballot on a submission that is not pending")?;
            ensure!(!ballot.votes.is_empty(), "a ballot without a vote");
            let voters: BTreeSet<_> = ballot.votes.iter().map(|(voter, _)| voter).collect();
            ensure!(voters.len() == ballot.votes.len(), "an account has two votes on a ballot");
            ensure!(
                !voters.contains(&pending.contributor),
                "a contributor voted on a file of its own"
            );
        }
        Ok(())
    }
}
