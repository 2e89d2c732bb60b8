use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    traits::ReviewPolicies, verdict::MAX_CURATORS, RejectionReason::Harmful,
};
use pallet_review::{Ballots, Error, Event, Policies};

#[test]
fn only_the_owner_changes_a_policy() {
    on_chain(1, || {
        let policy = curators(&[21], 1);
        assert_noop!(
            Review::set_policy(signed(11), DATANET, policy.clone()),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Review::set_policy(signed(OWNER), DATANET + 1, policy.clone()),
            Error::<Test>::UnknownDatanet
        );
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, policy.clone()));
        assert_eq!(Policies::<Test>::get(DATANET), Some(policy));
        assert_eq!(
            System::read_events_for_pallet::<Event<Test>>(),
            vec![Event::PolicySet { datanet: DATANET }]
        );
    });
}

#[test]
fn a_policy_under_which_no_verdict_is_possible_is_refused() {
    on_chain(1, || {
        for (members, threshold, error) in [
            (vec![], 1, Error::<Test>::NoMembers),
            (vec![11, 12, 11], 1, Error::<Test>::RepeatedMember),
            (vec![11, 12], 0, Error::<Test>::InvalidThreshold),
            (vec![11, 12], 3, Error::<Test>::InvalidThreshold),
        ] {
            let policy = curators(&members, threshold);
            // By call, and when a Datanet is created.
            let expected = sp_runtime::DispatchError::from(error);
            assert_noop!(Review::set_policy(signed(OWNER), DATANET, policy.clone()), expected);
            assert_noop!(<Review as ReviewPolicies<AccountId>>::set_policy(7, policy), expected);
        }
    });
}

#[test]
fn votes_of_former_curators_are_not_counted() {
    on_chain(3, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(12, accept(50, 100)));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&[12, 21, 22], 2)));
        assert_noop!(vote(11, accept(50, 100)), Error::<Test>::NotCurator);
        assert_ok!(vote(21, reject(Harmful)));
        assert_eq!(voters(), vec![12, 21]);
        assert_eq!(verdict(), None);
        assert_ok!(vote(22, accept(90, 100)));
        assert_eq!(verdict(), Some(accept(50, 100)));
    });
}

#[test]
fn a_lowered_threshold_decides_with_the_next_vote_for_the_earliest_agreement() {
    on_chain(3, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(12, accept(50, 100)));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, 1)));
        assert_eq!(verdict(), None);
        assert_ok!(vote(13, reject(Harmful)));
        assert_eq!(verdict(), Some(accept(50, 100)));
    });
}

#[test]
fn the_same_vote_again_decides_under_a_lowered_threshold() {
    on_chain(3, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(12, accept(60, 100)));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, 2)));
        assert_ok!(vote(11, accept(50, 100)));
        assert_eq!(verdict(), Some(accept(50, 100)));
    });
}

#[test]
fn a_whole_new_set_of_curators_finds_room_on_a_full_ballot() {
    on_chain(1, || {
        let all: Vec<_> = (100..100 + u64::from(MAX_CURATORS)).collect();
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&all, 16)));
        for curator in &all[..15] {
            assert_ok!(vote(*curator, accept(50, 100)));
        }
        // The last disagrees: the ballot is full and undecided.
        assert_ok!(vote(all[15], accept(50, 101)));
        assert_eq!((voters().len(), verdict()), (16, None));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, 2)));
        assert_ok!(vote(11, accept(70, 100)));
        assert_eq!(voters(), vec![11]);
        assert_ok!(vote(12, accept(70, 100)));
        assert_eq!(verdict(), Some(accept(70, 100)));
    });
}

#[test]
fn the_votes_on_a_withdrawn_submission_are_forgotten() {
    on_chain(2, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(Review::vote(signed(11), DATANET, OTHER_FILE, 6, accept(50, 100)));
        Waiting::mutate(|waiting| waiting.remove(&(DATANET, FILE)));
        <Review as ReviewPolicies<AccountId>>::forget(5);
        assert!(!Ballots::<Test>::contains_key(5));
        assert!(Ballots::<Test>::contains_key(6));
        // Nobody voted yet: there is nothing to forget.
        <Review as ReviewPolicies<AccountId>>::forget(77);
    });
}
