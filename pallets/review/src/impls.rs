//! What the calls do.

use crate::{
    tally, Ballot, Ballots, Config, CurrentExtractor, Error, Event, Pallet, Policies, Votes,
};
use alloc::vec::Vec;
use frame_support::{dispatch::Pays, ensure};
use openledger_primitives::{
    traits::{OnVerdict, ReviewPolicies, Submissions},
    verdict::{ClaimError, PolicyError},
    DatanetId, ExtractorVersion, FileHash, ReviewPolicy, SubmissionId, Verdict,
};
use sp_runtime::{DispatchError, DispatchResult};

/// Whether a vote counts: a raised extractor sets earlier acceptances aside.
fn counts(verdict: &Verdict, current: ExtractorVersion) -> bool {
    verdict.extractor().is_none_or(|extractor| extractor == current)
}

impl<T: Config> Pallet<T> {
    /// Casts a vote. Answers whether it costs its fee.
    pub(crate) fn do_vote(
        who: T::AccountId,
        datanet: DatanetId,
        sha256: FileHash,
        submission: SubmissionId,
        verdict: Verdict,
    ) -> Result<Pays, DispatchError> {
        let current = CurrentExtractor::<T>::get();
        ensure!(counts(&verdict, current), Error::<T>::OtherExtractor);
        let pending = T::Submissions::pending(datanet, &sha256).ok_or(Error::<T>::NotPending)?;
        ensure!(pending.submission == submission, Error::<T>::StaleSubmission);
        let ReviewPolicy::Curators { members, threshold } =
            Policies::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(members.contains(&who), Error::<T>::NotCurator);
        ensure!(pending.contributor != who, Error::<T>::OwnSubmission);
        verdict.validate(pending.modality).map_err(Error::<T>::from)?;

        let mut ballot = Ballots::<T>::get(submission).unwrap_or_else(|| Ballot {
            datanet,
            sha256,
            votes: Votes::default(),
        });
        let earlier = ballot.votes.iter().find(|(voter, _)| *voter == who);
        let replaced = earlier.is_some();
        // Asked again through no fault of its own.
        let set_aside = earlier.is_some_and(|(_, vote)| !counts(vote, current));
        let pays = if set_aside { Pays::No } else { Pays::Yes };
        // Votes of former curators make room; the signer's earlier vote gives way to this one.
        ballot.votes.retain(|(voter, _)| *voter != who && members.contains(voter));
        ballot.votes.try_push((who.clone(), verdict)).map_err(|_| Error::<T>::BallotFull)?;
        Self::deposit_event(Event::Voted { datanet, submission, curator: who, replaced });

        let verdicts: Vec<_> = ballot
            .votes
            .iter()
            .map(|(_, verdict)| *verdict)
            .filter(|verdict| counts(verdict, current))
            .collect();
        let Some(decision) = tally::verdict(&verdicts, threshold) else {
            Ballots::<T>::insert(submission, ballot);
            return Ok(pays);
        };
        Ballots::<T>::remove(submission);
        T::OnVerdict::on_verdict(datanet, &sha256, &decision)?;
        let accepted = matches!(decision, Verdict::Accept { .. });
        Self::deposit_event(Event::Decided { datanet, submission, accepted });
        Ok(pays)
    }

    pub(crate) fn do_set_policy(
        who: T::AccountId,
        datanet: DatanetId,
        policy: ReviewPolicy<T::AccountId>,
    ) -> DispatchResult {
        let owner = T::Submissions::owner(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(owner == who, Error::<T>::NotOwner);
        <Self as ReviewPolicies<_>>::set_policy(datanet, policy)
    }

    pub(crate) fn do_raise_extractor(extractor: ExtractorVersion) -> DispatchResult {
        let next = CurrentExtractor::<T>::get().checked_add(1);
        ensure!(next == Some(extractor), Error::<T>::NotNextExtractor);
        CurrentExtractor::<T>::put(extractor);
        Self::deposit_event(Event::ExtractorRaised { extractor });
        Ok(())
    }
}

impl<T: Config> ReviewPolicies<T::AccountId> for Pallet<T> {
    fn set_policy(datanet: DatanetId, policy: ReviewPolicy<T::AccountId>) -> DispatchResult {
        policy.validate().map_err(Error::<T>::from)?;
        Policies::<T>::insert(datanet, policy);
        Self::deposit_event(Event::PolicySet { datanet });
        Ok(())
    }

    fn forget(submission: SubmissionId) {
        Ballots::<T>::remove(submission);
    }
}

impl<T> From<ClaimError> for Error<T> {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::TooManyUnits => Self::TooManyUnits,
            ClaimError::NoTextRoot => Self::NoTextRoot,
            ClaimError::UnexpectedTextRoot => Self::UnexpectedTextRoot,
        }
    }
}

impl<T> From<PolicyError> for Error<T> {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::NoMembers => Self::NoMembers,
            PolicyError::RepeatedMember => Self::RepeatedMember,
            PolicyError::Threshold => Self::InvalidThreshold,
        }
    }
}
