//! Damage to the state is found.

use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::EXTRACTOR;
use pallet_review::{Ballot, Ballots, CurrentExtractor, Policies, WaitingPolicies, WaitingPolicy};

/// Damages a chain with votes on it and expects `try_state` to name it.
#[track_caller]
fn detects(words: &'static str, damage: impl FnOnce()) {
    unchecked(3, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(12, accept(50, 100)));
        assert_ok!(Review::do_try_state());
        damage();
        assert_eq!(Review::do_try_state(), Err(words.into()));
    });
}

fn change(change: impl FnOnce(&mut Ballot<AccountId>)) {
    Ballots::<Test>::mutate(5, |ballot| change(ballot.as_mut().unwrap()));
}

#[test]
fn damaged_policies_are_detected() {
    for (members, threshold) in [(vec![], 1), (vec![11, 11], 1), (vec![11], 0), (vec![11], 2)] {
        detects("no verdict can be reached under a policy", || {
            Policies::<Test>::insert(DATANET, curators(&members, threshold));
        });
    }
    for (members, threshold) in [(vec![], 1), (vec![11], 2)] {
        detects("no verdict can be reached under a policy", || {
            let policy = curators(&members, threshold);
            WaitingPolicies::<Test>::insert(DATANET, WaitingPolicy { policy, from: 9 });
        });
    }
    detects("a policy waits for an unknown Datanet", || {
        let policy = curators(&CURATORS, 1);
        WaitingPolicies::<Test>::insert(DATANET + 1, WaitingPolicy { policy, from: 9 });
    });
    detects("a policy of an unknown Datanet", || {
        Policies::<Test>::insert(DATANET + 1, curators(&CURATORS, 1));
    });
}

#[test]
fn damaged_extractors_are_detected() {
    for extractor in [0, 1] {
        detects("the chain names no extractor that leaves can name", || {
            CurrentExtractor::<Test>::put(extractor);
        });
    }
    for extractor in [0, EXTRACTOR + 1, u16::MAX] {
        detects("a vote names an extractor that was never the chain's", || {
            change(|ballot| ballot.votes.try_push((13, accept_by(extractor, 1, 1, 1))).unwrap());
        });
    }
}

#[test]
fn votes_that_claim_what_no_file_can_be_are_detected() {
    for (units, root) in [(1 << 40, 7), (100, 0)] {
        detects("a vote claims what no file can be", || {
            change(|ballot| ballot.votes.try_push((13, accept_text(1, units, root))).unwrap());
        });
    }
}

#[test]
fn damaged_ballots_are_detected() {
    detects("a ballot cannot be read", || {
        // As a chain would have it that skipped the migration.
        let key = Ballots::<Test>::hashed_key_for(5);
        frame_support::storage::unhashed::put_raw(&key, &[0; 10]);
    });
    let not_pending = "a ballot on a submission that is not pending";
    detects(not_pending, || Waiting::mutate(|waiting| waiting.clear()));
    detects(not_pending, || wait(FILE, 9, CONTRIBUTOR));
    detects(not_pending, || change(|ballot| ballot.sha256 = OTHER_FILE));
    detects(not_pending, || change(|ballot| ballot.datanet = 1));
    detects("a ballot without a vote", || change(|ballot| ballot.votes.clear()));
    detects("an account has two votes on a ballot", || {
        change(|ballot| ballot.votes.try_push((11, accept(50, 100))).unwrap());
    });
    detects("a contributor voted on a file of its own", || {
        change(|ballot| ballot.votes.try_push((CONTRIBUTOR, accept(50, 100))).unwrap());
    });
}
