//! What is different where committees decide.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{precommitment, traits::OnVerdict, Ending};
use pallet_datanets::{Contributors, Error, RefusedFiles, Submissions};

#[test]
fn reviewers_are_told_of_the_files_of_each_call() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..3, 30)));
        assert_ok!(submit(BOB, datanet, files(5..6, 30)));
        assert_eq!(Submitted::get(), [(datanet, ALICE, vec![0, 1, 2]), (datanet, BOB, vec![3])]);
    });
}

#[test]
fn a_review_budget_s_limits_refuse_a_call_of_too_many_files() {
    on_chain(|| {
        let datanet = set_up();
        ReviewFiles::set(2);
        assert_noop!(submit(ALICE, datanet, files(0..3, 30)), Error::<Test>::ReviewFiles);
        ReviewShareFiles::set(1);
        assert_noop!(submit(ALICE, datanet, files(0..2, 30)), Error::<Test>::ReviewShareFiles);
        ReviewCovers::set(0);
        assert_noop!(submit(ALICE, datanet, files(0..1, 30)), Error::<Test>::ReviewBudget);
        ReviewCovers::set(1);
        ReviewAtATime::set(0);
        assert_noop!(submit(ALICE, datanet, files(0..1, 30)), Error::<Test>::ReviewShare);
        ReviewAtATime::set(1);
        assert_ok!(submit(ALICE, datanet, files(0..1, 30)));
    });
}

#[test]
fn a_file_is_not_taken_back_once_its_committee_is_drawn() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..2, 30)));
        DrawnFor::set(vec![1]);
        assert_ok!(Datanets::withdraw(signed(ALICE), datanet, hash(0)));
        assert_noop!(Datanets::withdraw(signed(ALICE), datanet, hash(1)), Error::<Test>::Drawn);
    });
}

#[test]
fn a_file_whose_committee_is_drawn_gives_way_to_no_older_precommitment() {
    on_chain(|| {
        let datanet = set_up();
        let promise = |n| precommitment(&ALICE, datanet, &hash(n), &[9; 32]);
        let promises = vec![promise(1), promise(2)].try_into().unwrap();
        assert_ok!(Datanets::precommit(signed(ALICE), promises));
        next_block();
        assert_ok!(submit(BOB, datanet, files(1..3, 30)));
        DrawnFor::set(vec![0]);
        let open =
            |n| Datanets::open(signed(ALICE), datanet, bounded(files(n..n + 1, 30)), [9; 32]);
        // Or whoever sees its refusal coming would take it back by another account of its own.
        assert_noop!(open(1), Error::<Test>::Drawn);
        assert_ok!(open(2));
    });
}

#[test]
fn nobody_expires_what_is_before_a_committee() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..1, 30)));
        later(8);
        BeforeCommittee::set(vec![0]);
        assert_noop!(Datanets::expire(signed(BOB), datanet, hash(0)), Error::<Test>::NotExpired);
        BeforeCommittee::set(vec![]);
        assert_ok!(Datanets::expire(signed(BOB), datanet, hash(0)));
    });
}

#[test]
fn a_file_that_nobody_could_decide_on_ends_without_prejudice() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..1, 30)));
        assert_ok!(<Datanets as OnVerdict<AccountId>>::on_no_verdict(datanet, &hash(0)));
        assert!(!Submissions::<Test>::contains_key(datanet, hash(0)));
        let kept = RefusedFiles::<Test>::get(datanet, hash(0)).unwrap();
        assert_eq!((kept.ending, kept.contributor), (Ending::Expired, ALICE));
        assert_eq!(Contributors::<Test>::get(ALICE).unwrap().pending, 0);
        assert_noop!(
            <Datanets as OnVerdict<AccountId>>::on_no_verdict(datanet, &hash(0)),
            Error::<Test>::NotPending
        );
        // Its contributor may submit it again.
        assert_ok!(submit(ALICE, datanet, files(0..1, 30)));
    });
}
