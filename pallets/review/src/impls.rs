//! What the calls do.

use crate::{
    tally, Ballot, Ballots, CastVote, Config, CurrentExtractor, DrawOf, Error, Event, Pallet,
    Policies, Votes, WaitingPolicies, WaitingPolicy, WeightInfo, MAX_VOTES,
};
use alloc::vec::Vec;
use frame_support::{
    dispatch::Pays, ensure, storage::with_storage_layer, traits::ConstU32, weights::Weight,
    BoundedVec,
};
use openledger_primitives::{
    traits::{
        FunderNotice, OnVerdict, PolicyReads, ReviewLimit, ReviewPolicies, Submissions,
        SubmittedFile,
    },
    verdict::{ClaimError, PolicyError},
    BlockNumber, DatanetId, Day, ExtractorVersion, FileHash, ReviewPolicy, SubmissionId, Verdict,
};
use sp_core::H256;
use sp_runtime::{traits::SaturatedConversion, DispatchError, DispatchResult};

/// Whether a vote counts: a raised extractor sets earlier acceptances aside.
fn counts(verdict: &Verdict, current: ExtractorVersion) -> bool {
    verdict.extractor().is_none_or(|extractor| extractor == current)
}

/// A policy without one of its curators, whose verdicts stay within reach of those who are left; `None`
/// where nobody is.
fn without<A: PartialEq>(policy: ReviewPolicy<A>, who: &A) -> Option<ReviewPolicy<A>> {
    let ReviewPolicy::Curators { mut members, threshold } = policy else { return None };
    members.retain(|member| member != who);
    let left = u8::try_from(members.len()).unwrap_or(u8::MAX);
    let threshold = threshold.min(left);
    (left > 0).then_some(ReviewPolicy::Curators { members, threshold })
}

/// Whether an account is one of a policy's curators.
fn names<A: PartialEq>(policy: &ReviewPolicy<A>, who: &A) -> bool {
    matches!(policy, ReviewPolicy::Curators { members, .. } if members.contains(who))
}

/// How many curators must agree.
fn threshold_of<A>(policy: &ReviewPolicy<A>) -> u8 {
    match policy {
        ReviewPolicy::Curators { threshold, .. } => *threshold,
        ReviewPolicy::Committee { .. } => 0,
    }
}

/// What a vote brought.
#[derive(Clone, Copy)]
pub(crate) enum Brought {
    /// No verdict: it stands on its ballot.
    Nothing,
    /// The verdict that the file is refused.
    Refusal,
    /// The verdict that it is accepted.
    Acceptance,
}

/// What a vote did, for what it costs.
pub(crate) struct Cast {
    pub(crate) pays: Pays,
    brought: Brought,
}

impl Cast {
    /// What it took; `None` if as much as a vote may.
    pub(crate) fn weight<W: WeightInfo>(&self) -> Option<Weight> {
        match self.brought {
            Brought::Nothing => Some(W::cast_vote()),
            Brought::Refusal => Some(W::refuse_by_vote()),
            Brought::Acceptance => None,
        }
    }
}

/// What several votes did, for what they cost.
#[derive(Default)]
pub(crate) struct CastMany {
    pub(crate) pays: Pays,
    /// Votes that brought an acceptance, or were refused, which may be as late as that is,
    dearest: u32,
    /// and what the others took.
    others: Weight,
}

impl CastMany {
    pub(crate) fn weight<W: WeightInfo>(&self) -> Weight {
        let dearest = match self.dearest {
            0 => Weight::zero(),
            votes => W::vote_many(votes),
        };
        dearest.saturating_add(self.others)
    }
}

impl<T: Config> Pallet<T> {
    /// Casts a vote.
    pub(crate) fn do_vote(
        who: T::AccountId,
        datanet: DatanetId,
        sha256: FileHash,
        submission: SubmissionId,
        verdict: Verdict,
    ) -> Result<Cast, DispatchError> {
        let current = CurrentExtractor::<T>::get();
        ensure!(counts(&verdict, current), Error::<T>::OtherExtractor);
        let pending = T::Submissions::pending(datanet, &sha256).ok_or(Error::<T>::NotPending)?;
        ensure!(pending.submission == submission, Error::<T>::StaleSubmission);
        // Also where curators came after it was brought before a committee.
        ensure!(!DrawOf::<T>::contains_key(submission), Error::<T>::BeforeCommittee);
        let policy = Self::policy_now(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        let ReviewPolicy::Curators { members, threshold } = policy else {
            return Err(Error::<T>::BeforeCommittee.into());
        };
        ensure!(members.contains(&who), Error::<T>::NotCurator);
        ensure!(pending.contributor != who, Error::<T>::OwnSubmission);
        verdict.validate(pending.media, pending.size).map_err(Error::<T>::from)?;

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
        Self::deposit_event(Event::Voted { datanet, submission, curator: who, replaced, verdict });

        let votes: Vec<_> =
            ballot.votes.iter().filter(|(_, vote)| counts(vote, current)).cloned().collect();
        let Some((decision, judges)) = tally::verdict(&votes, threshold) else {
            Ballots::<T>::insert(submission, ballot);
            return Ok(Cast { pays, brought: Brought::Nothing });
        };
        // Votes from before units were bounded by bytes decide nothing that a vote may not claim now.
        decision.validate(pending.media, pending.size).map_err(Error::<T>::from)?;
        Ballots::<T>::remove(submission);
        // Curators are the owner's choice: theirs counts on this Datanet alone.
        T::OnVerdict::on_verdict(datanet, &sha256, &decision, &judges, false)?;
        let accepted = matches!(decision, Verdict::Accept { .. });
        Self::deposit_event(Event::Decided { datanet, submission, accepted });
        let brought = if accepted { Brought::Acceptance } else { Brought::Refusal };
        Ok(Cast { pays, brought })
    }

    /// Casts votes one by one: one that is refused is said and keeps none of the others back. Free
    /// only if each of them is; an error only if none counts.
    pub(crate) fn do_vote_many(
        who: T::AccountId,
        votes: BoundedVec<CastVote, ConstU32<MAX_VOTES>>,
    ) -> Result<CastMany, DispatchError> {
        let mut done = CastMany { pays: Pays::No, ..Default::default() };
        let mut first_error = None;
        let mut counted = false;
        for CastVote { datanet, sha256, submission, verdict } in votes {
            let vote = with_storage_layer(|| {
                Self::do_vote(who.clone(), datanet, sha256, submission, verdict)
            });
            match vote.as_ref().ok().and_then(Cast::weight::<T::WeightInfo>) {
                Some(weight) => done.others = done.others.saturating_add(weight),
                None => done.dearest = done.dearest.saturating_add(1),
            }
            match vote {
                Ok(one) => {
                    counted = true;
                    if one.pays == Pays::Yes {
                        done.pays = Pays::Yes;
                    }
                }
                Err(error) => {
                    done.pays = Pays::Yes;
                    first_error = first_error.or(Some(error));
                    let curator = who.clone();
                    Self::deposit_event(Event::VoteRefused { datanet, submission, curator, error });
                }
            }
        }
        match (counted, first_error) {
            (true, _) => Ok(done),
            (false, error) => Err(error.unwrap_or(Error::<T>::NoVotes.into())),
        }
    }

    pub(crate) fn do_resign(who: T::AccountId, datanet: DatanetId) -> DispatchResult {
        let policy = Self::policy_now(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(names(&policy, &who), Error::<T>::NotCurator);
        let before = threshold_of(&policy);
        let policy = without(policy, &who).ok_or(Error::<T>::LastCurator)?;
        let threshold = threshold_of(&policy);
        // Fewer verdicts than funders saw would do: that waits, as any other policy does, with a way out.
        if let (true, Some(from)) = (threshold < before, T::Funders::policy_from(datanet)) {
            let waiting = match WaitingPolicies::<T>::get(datanet) {
                None => WaitingPolicy { policy, from },
                Some(WaitingPolicy {
                    policy: curators @ ReviewPolicy::Curators { .. }, ..
                }) => {
                    // Who is not named there said so before, or was left out by the owner.
                    ensure!(names(&curators, &who), Error::<T>::NotCurator);
                    let policy = without(curators, &who).ok_or(Error::<T>::LastCurator)?;
                    WaitingPolicy { policy, from }
                }
                Some(committee) => committee,
            };
            let from = waiting.from;
            WaitingPolicies::<T>::insert(datanet, waiting);
            Self::deposit_event(Event::CuratorResigned { datanet, curator: who, threshold });
            Self::deposit_event(Event::PolicyAnnounced { datanet, from });
            return Ok(());
        }
        Policies::<T>::insert(datanet, policy);
        // One that waits names the account no more either; where it names nobody else, its owner is the
        // one to say who decides then.
        if let Some(waiting) = WaitingPolicies::<T>::get(datanet) {
            if let Some(policy) = without(waiting.policy, &who) {
                let from = waiting.from;
                WaitingPolicies::<T>::insert(datanet, WaitingPolicy { policy, from });
            }
        }
        Self::deposit_event(Event::CuratorResigned { datanet, curator: who, threshold });
        Ok(())
    }

    pub(crate) fn do_set_policy(
        who: T::AccountId,
        datanet: DatanetId,
        policy: ReviewPolicy<T::AccountId>,
    ) -> DispatchResult {
        let owner = T::Submissions::owner(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(owner == who, Error::<T>::NotOwner);
        let Some(from) = T::Funders::policy_from(datanet) else {
            WaitingPolicies::<T>::remove(datanet);
            return <Self as ReviewPolicies<_>>::set_policy(datanet, policy);
        };
        policy.validate().map_err(Error::<T>::from)?;
        if Self::policy_now(datanet).as_ref() == Some(&policy) {
            ensure!(WaitingPolicies::<T>::take(datanet).is_some(), Error::<T>::SamePolicy);
            Self::deposit_event(Event::PolicyKept { datanet });
        } else {
            WaitingPolicies::<T>::insert(datanet, WaitingPolicy { policy, from });
            Self::deposit_event(Event::PolicyAnnounced { datanet, from });
        }
        Ok(())
    }

    /// The policy that waits to take the place of a Datanet's, and its first block.
    pub fn waiting_policy(datanet: DatanetId) -> Option<WaitingPolicy<T::AccountId>> {
        let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        WaitingPolicies::<T>::get(datanet).filter(|waiting| waiting.from > now)
    }

    /// The policy of a Datanet, which may be one that waited until now.
    pub fn policy(datanet: DatanetId) -> Option<ReviewPolicy<T::AccountId>> {
        let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
        match WaitingPolicies::<T>::get(datanet) {
            Some(waiting) if waiting.from <= now => Some(waiting.policy),
            _ => Policies::<T>::get(datanet),
        }
    }

    /// [`Self::policy`], written down if it waited until now.
    fn policy_now(datanet: DatanetId) -> Option<ReviewPolicy<T::AccountId>> {
        let policy = Self::policy(datanet)?;
        if WaitingPolicies::<T>::contains_key(datanet) && Self::waiting_policy(datanet).is_none() {
            WaitingPolicies::<T>::remove(datanet);
            Policies::<T>::insert(datanet, &policy);
            Self::deposit_event(Event::PolicySet { datanet });
        }
        Some(policy)
    }

    pub(crate) fn do_raise_extractor(extractor: ExtractorVersion) -> DispatchResult {
        let next = CurrentExtractor::<T>::get().checked_add(1);
        ensure!(next == Some(extractor), Error::<T>::NotNextExtractor);
        CurrentExtractor::<T>::put(extractor);
        Self::deposit_event(Event::ExtractorRaised { extractor });
        Ok(())
    }
}

impl<T: Config> PolicyReads for Pallet<T> {
    fn policy_hashes(datanet: DatanetId) -> Option<(H256, Option<H256>)> {
        let waiting = Self::waiting_policy(datanet).map(|waiting| waiting.policy.hash());
        Some((Self::policy(datanet)?.hash(), waiting))
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
        Self::leave_draw(submission);
    }

    fn check_budget(
        datanet: DatanetId,
        contributor: &T::AccountId,
        files: u32,
        today: Day,
    ) -> Result<(), ReviewLimit> {
        Self::budget_use(datanet, contributor, files, today).map(drop)
    }

    fn submitted(
        datanet: DatanetId,
        contributor: &T::AccountId,
        files: &[SubmittedFile],
        today: Day,
    ) -> DispatchResult {
        Self::do_submitted(datanet, contributor, files, today)
    }

    fn is_before_committee(submission: SubmissionId) -> bool {
        DrawOf::<T>::contains_key(submission)
    }

    fn is_drawn(submission: SubmissionId) -> bool {
        Self::was_drawn(submission)
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
