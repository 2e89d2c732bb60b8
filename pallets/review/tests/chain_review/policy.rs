use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    traits::{PolicyReads, ReviewPolicies},
    verdict::MAX_CURATORS,
    RejectionReason::Harmful,
};
use pallet_review::{Ballots, Error, Event, Policies, WaitingPolicies};

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

fn waits(datanet: u32) -> Option<(u32, openledger_primitives::ReviewPolicy<AccountId>)> {
    Review::waiting_policy(datanet).map(|waiting| (waiting.from, waiting.policy))
}

#[test]
fn another_policy_waits_where_money_does_and_then_counts_by_itself() {
    on_chain(1, || {
        PolicyFrom::set(Some(50));
        let (old, new) = (curators(&CURATORS, 1), curators(&[21], 1));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, new.clone()));
        System::assert_last_event(Event::PolicyAnnounced { datanet: DATANET, from: 50 }.into());
        assert_eq!(waits(DATANET), Some((50, new.clone())));
        let hashes = (old.hash(), Some(new.hash()));
        assert_eq!(Review::policy_hashes(DATANET), Some(hashes));
        System::set_block_number(49);
        // The owner's own curator, who would pay a friend.
        assert_noop!(vote(21, accept(100, 100)), Error::<Test>::NotCurator);
        System::set_block_number(50);
        assert_eq!((waits(DATANET), Review::policy(DATANET)), (None, Some(new.clone())));
        assert_eq!(Review::policy_hashes(DATANET), Some((new.hash(), None)));
        assert_noop!(vote(11, accept(50, 100)), Error::<Test>::NotCurator);
        assert_ok!(vote(21, accept(50, 100)));
        assert_eq!(Policies::<Test>::get(DATANET), Some(new));
        assert_eq!(WaitingPolicies::<Test>::iter().count(), 0);
        System::assert_has_event(Event::PolicySet { datanet: DATANET }.into());
    });
}

#[test]
fn the_policy_that_stands_calls_off_the_one_that_waits() {
    on_chain(1, || {
        PolicyFrom::set(Some(50));
        let old = curators(&CURATORS, 1);
        assert_noop!(
            Review::set_policy(signed(OWNER), DATANET, old.clone()),
            Error::<Test>::SamePolicy
        );
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&[21], 1)));
        // Another one begins the wait anew.
        PolicyFrom::set(Some(60));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&[22], 1)));
        assert_eq!(waits(DATANET), Some((60, curators(&[22], 1))));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, old.clone()));
        System::assert_last_event(Event::PolicyKept { datanet: DATANET }.into());
        System::set_block_number(100);
        assert_eq!(Review::policy(DATANET), Some(old));
    });
}

#[test]
fn a_policy_that_waited_stands_when_the_next_one_is_announced() {
    on_chain(1, || {
        PolicyFrom::set(Some(50));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&[21], 1)));
        System::set_block_number(50);
        PolicyFrom::set(Some(90));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&[22], 1)));
        assert_eq!(Review::policy(DATANET), Some(curators(&[21], 1)));
        assert_eq!(waits(DATANET), Some((90, curators(&[22], 1))));
        // Without money nothing waits, and what waited is gone.
        PolicyFrom::set(None);
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&[23], 1)));
        assert_eq!((Review::policy(DATANET), waits(DATANET)), (Some(curators(&[23], 1)), None));
    });
}

#[test]
fn a_policy_that_cannot_work_does_not_wait() {
    on_chain(1, || {
        PolicyFrom::set(Some(50));
        assert_noop!(
            Review::set_policy(signed(OWNER), DATANET, curators(&[], 1)),
            Error::<Test>::NoMembers
        );
    });
}
