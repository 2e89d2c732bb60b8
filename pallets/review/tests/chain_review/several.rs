//! Several votes in one call, what cannot be fetched, and curators who leave.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use openledger_primitives::{RejectionReason::OffTopic, ReviewPolicy, Verdict};
use pallet_review::{Ballots, CastVote, Error, Event, Policies};
use sp_runtime::DispatchError;

fn cast(sha256: [u8; 32], submission: u64, verdict: Verdict) -> CastVote {
    CastVote { datanet: DATANET, sha256, submission, verdict }
}

fn vote_many(who: AccountId, votes: Vec<CastVote>) -> Result<Pays, DispatchError> {
    let result = Review::vote_many(signed(who), votes.try_into().unwrap());
    result.map(|post| post.pays_fee).map_err(|failed| failed.error)
}

#[test]
fn one_call_votes_on_several_files() {
    on_chain(1, || {
        let votes = vec![cast(FILE, 5, accept(50, 100)), cast(OTHER_FILE, 6, reject(OffTopic))];
        assert_eq!(vote_many(11, votes), Ok(Pays::Yes));
        assert_eq!(
            Settled::get(),
            vec![(DATANET, FILE, accept(50, 100)), (DATANET, OTHER_FILE, reject(OffTopic))]
        );
    });
}

#[test]
fn a_vote_that_is_refused_is_said_and_keeps_no_other_back() {
    on_chain(1, || {
        System::reset_events();
        let votes = vec![
            cast(FILE, 4, accept(50, 100)),
            cast(OTHER_FILE, 6, accept(50, 100)),
            cast(OTHER_FILE, 6, accept(50, 100)),
        ];
        assert_eq!(vote_many(11, votes), Ok(Pays::Yes));
        assert_eq!(Settled::get(), vec![(DATANET, OTHER_FILE, accept(50, 100))]);
        assert!(!Ballots::<Test>::contains_key(5));
        let refused = |submission, error: Error<Test>| Event::VoteRefused {
            datanet: DATANET,
            submission,
            curator: 11,
            error: error.into(),
        };
        let events = System::read_events_for_pallet::<Event<Test>>();
        assert_eq!(events.len(), 4);
        assert_eq!(events[0], refused(4, Error::StaleSubmission));
        assert_eq!(events[3], refused(6, Error::NotPending));
    });
}

#[test]
fn a_verdict_that_the_datanet_refuses_takes_no_other_vote_along() {
    on_chain(1, || {
        LeastUnits::set(200);
        let votes = vec![cast(FILE, 5, accept(50, 100)), cast(OTHER_FILE, 6, accept(50, 200))];
        assert_eq!(vote_many(11, votes), Ok(Pays::Yes));
        assert_eq!(Settled::get(), vec![(DATANET, OTHER_FILE, accept(50, 200))]);
        assert!(!Ballots::<Test>::contains_key(5), "the refused vote stands nowhere");
    });
}

#[test]
fn votes_of_which_none_counts_are_an_error() {
    on_chain(1, || {
        assert_eq!(vote_many(11, vec![]), Err(Error::<Test>::NoVotes.into()));
        let votes = vec![cast(FILE, 5, accept(50, 100)), cast(FILE, 4, accept(50, 100))];
        assert_eq!(vote_many(77, votes), Err(Error::<Test>::NotCurator.into()));
        assert!(Ballots::<Test>::iter().next().is_none());
    });
}

#[test]
fn what_cannot_be_fetched_is_said_so_by_those_who_agree_on_it() {
    on_chain(2, || {
        assert_ok!(vote(11, Verdict::Unavailable));
        // A refusal is another opinion: who refuses saw the bytes.
        assert_ok!(vote(12, reject(OffTopic)));
        assert_eq!(verdict(), None);
        assert_ok!(vote(13, Verdict::Unavailable));
        assert_eq!(verdict(), Some(Verdict::Unavailable));
        assert_eq!(Judges::get(), vec![11, 13]);
    });
}

#[test]
fn a_verdict_names_those_who_agreed() {
    on_chain(2, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(12, accept(50, 101)));
        assert_ok!(vote(15, accept(90, 100)));
        assert_eq!(Judges::get(), vec![11, 15]);
    });
}

#[test]
fn a_curator_resigns_and_those_left_can_still_decide() {
    on_chain(5, || {
        System::reset_events();
        assert_noop!(Review::resign(signed(77), DATANET), Error::<Test>::NotCurator);
        assert_noop!(Review::resign(signed(11), 9), Error::<Test>::UnknownDatanet);
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(Review::resign(signed(11), DATANET));
        assert_eq!(
            System::read_events_for_pallet::<Event<Test>>().pop(),
            Some(Event::CuratorResigned { datanet: DATANET, curator: 11, threshold: 4 })
        );
        assert_noop!(vote(11, accept(50, 100)), Error::<Test>::NotCurator);
        for curator in [12, 13, 14] {
            assert_ok!(vote(curator, accept(50, 100)));
        }
        assert_eq!((verdict(), voters()), (None, vec![12, 13, 14]));
        assert_ok!(vote(15, accept(50, 100)));
        assert_eq!(verdict(), Some(accept(50, 100)));
    });
}

#[test]
fn the_last_curator_waits_for_another() {
    on_chain(1, || {
        for curator in &CURATORS[1..] {
            assert_ok!(Review::resign(signed(*curator), DATANET));
        }
        assert_noop!(Review::resign(signed(11), DATANET), Error::<Test>::LastCurator);
        let Some(ReviewPolicy::Curators { members, threshold }) = Policies::<Test>::get(DATANET)
        else {
            panic!("a policy")
        };
        assert_eq!((members.into_inner(), threshold), (vec![11], 1));
    });
}
