//! What was tried against seats and challenges, move by move: what each costs now, and whom.

use super::story::*;
use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    committee::{Bond, Lengths, Majority, Outcome},
    RejectionReason,
};
use pallet_review::{Budgets, Error, LargeSince, LeavingSizes, NextDraw, PoolSizes};

/// Lengths of a public network against its sessions, for sessions of ten blocks.
const LENGTHS: Lengths = Lengths { enter: 190, leave: 190, ..Lengths::DEVELOPMENT };

fn give_up(who: impl IntoIterator<Item = AccountId>) {
    for who in who {
        assert_ok!(Review::unbond_seats(signed(who), POOL, 1));
    }
}

/// Those of the pool's first `seats` accounts who are not of this committee.
fn others(seats: u64, committee: &[AccountId]) -> Vec<AccountId> {
    (FIRST..FIRST + seats).filter(|who| !committee.contains(who)).collect()
}

fn challenge(draw: u64) -> u64 {
    let by = NextDraw::<Test>::get();
    assert_ok!(Review::challenge(signed(CHALLENGER), draw, 0));
    by
}

#[test]
fn lengths_outlast_what_they_guard() {
    for (lengths, session) in [(Lengths::DEFAULT, 200), (Lengths::DEVELOPMENT, 10), (LENGTHS, 10)] {
        assert!(lengths.leave >= lengths.of_a_challenge(session), "{lengths:?}");
        assert!(lengths.leave >= lengths.enter);
    }
    for (lengths, session) in [(Lengths::DEFAULT, 200), (LENGTHS, 10)] {
        assert!(lengths.enter >= lengths.of_a_call(&RULES, session), "{lengths:?}");
    }
}

/// Three of five accept what is bad, and eight others who are of one will with them give their seats up before anybody
/// can challenge: of 27 accounts 14 would be left to judge it again, one too few.
#[test]
fn who_leaves_after_a_verdict_still_judges_its_challenge() {
    with_committees(27, || {
        let draw_id = submit(1);
        let first = draw(draw_id);
        assert!(record(draw_id).global);
        let leavers: Vec<_> = others(27, &first)[..8].to_vec();
        give_up(leavers.clone());
        judge(draw_id, &[GOOD, GOOD, GOOD, Reject, Reject]);
        let by = challenge(draw_id);
        let larger = draw(by);
        assert_eq!(larger.len(), 15);
        assert!(leavers.iter().any(|who| larger.contains(who)), "of 22 they are eight");
        judge(by, &[Reject; 15]);
        blocks(2);
        assert_eq!(ended(), [(SUBMISSIONS, Outcome::AcceptanceOverturned)]);
        for who in &first[..3] {
            assert_eq!(held(*who), RULES.seat - RULES.overturned);
        }
        // Who left meanwhile has its OPEN when that is over.
        sessions(10);
        for who in leavers {
            assert_ok!(Review::withdraw_seats(signed(who), POOL));
        }
        checked();
    });
}

/// The same, planned ahead: seats are given up long before the call, and are about to leave when it is drawn.
#[test]
fn a_pool_is_no_larger_than_it_will_be_when_its_verdicts_are_challenged() {
    with_committees(30, || {
        CommitteeLengths::set(LENGTHS);
        let leavers: Vec<_> = (FIRST..FIRST + 8).collect();
        give_up(leavers.clone());
        assert_eq!(LargeSince::<Test>::get(POOL), None, "22 stay");
        assert_eq!(LeavingSizes::<Test>::get(POOL).accounts, 8);
        // With the seed of the session after the next they judge calls no more.
        sessions(14);
        for number in 0..30 {
            let id = submit_from(60 + number, 1);
            let committee = draw(id);
            assert!(committee.iter().all(|who| !leavers.contains(who)), "{committee:?}");
            assert!(!record(id).global);
        }
        assert_eq!(PoolSizes::<Test>::get(POOL).accounts, 30);
        let id = submit(1);
        draw(id);
        judge(id, &[GOOD; 5]);
        sessions(4);
        assert_eq!(PoolSizes::<Test>::get(POOL).accounts, 30 - 8, "they have left");
        assert_eq!(LeavingSizes::<Test>::iter_keys().count(), 0);
    });
}

#[test]
fn those_who_stay_are_enough_for_a_challenge_of_what_they_judged() {
    with_committees(30, || {
        CommitteeLengths::set(LENGTHS);
        give_up(FIRST..FIRST + 8);
        sessions(18);
        let id = submit(1);
        draw(id);
        judge(id, &[GOOD; 5]);
        let by = challenge(id);
        sessions(2);
        assert_eq!(PoolSizes::<Test>::get(POOL).accounts, 22, "they have left");
        assert_eq!(members(by).len(), 15);
    });
}

#[test]
fn seats_are_drawn_for_calls_until_the_session_after_the_next() {
    with_committees(6, || {
        // Of six accounts five are drawn: who is given up is missed at once where it is.
        let (first, second) = (submit_from(60, 1), submit_from(61, 1));
        CurrentSession::mutate(|session| *session += 1);
        // Whoever sees the seed of this session coming changes nothing about it.
        give_up([FIRST, FIRST + 1]);
        let third = submit_from(62, 1);
        CurrentSession::mutate(|session| *session += 1);
        blocks(2);
        assert_eq!((members(first).len(), members(second).len()), (5, 5));
        CurrentSession::mutate(|session| *session += 1);
        blocks(2);
        assert!(record(third).draw.session().is_some(), "four are left for it");
    });
}

/// A session that brings fewer blocks than it has slots brings nobody out earlier.
#[test]
fn sessions_without_blocks_let_nobody_leave() {
    with_committees(30, || {
        give_up([FIRST]);
        let asked = System::block_number();
        while System::block_number() < asked + u64::from(Lengths::DEVELOPMENT.leave) - 1 {
            CurrentSession::mutate(|session| *session += 1);
            blocks(2);
            assert_eq!(seats(FIRST).placed, 1, "block {}", System::block_number() - asked);
            assert_noop!(Review::withdraw_seats(signed(FIRST), POOL), Error::<Test>::SeatsNotLeft);
        }
        CurrentSession::mutate(|session| *session += 2);
        blocks(2);
        assert_eq!(seats(FIRST).placed, 0);
        assert_ok!(Review::withdraw_seats(signed(FIRST), POOL));
    });
}

/// Whoever sees a call bonds as many seats as all others have, for as long as it takes to judge it.
#[test]
fn seats_that_are_bonded_for_a_call_judge_neither_it_nor_its_challenge() {
    with_committees(27, || {
        CommitteeLengths::set(LENGTHS);
        let id = submit(1);
        let rented: Vec<_> = (FIRST + 30..FIRST + 58).collect();
        for who in &rented {
            assert_ok!(Review::bond_seats(signed(*who), POOL, 1));
        }
        let committee = draw(id);
        assert!(committee.iter().all(|who| !rented.contains(who)));
        judge(id, &[GOOD; 5]);
        blocks(9);
        let by = challenge(id);
        let larger = draw(by);
        assert!(larger.iter().all(|who| !rented.contains(who)));
        assert_eq!(PoolSizes::<Test>::get(POOL).accounts, 27);
        sessions(20);
        assert_eq!(PoolSizes::<Test>::get(POOL).accounts, 27 + 28, "for calls of later");
    });
}

/// Whoever may leave a file to another committee says by accepting it that it has compared it with all that came before:
/// colluders who accept copies lose as much as by any other bad file.
#[test]
fn who_accepts_a_copy_while_another_committee_can_be_asked_loses_a_part_of_a_seat() {
    for asked in 0..RULES.asks - 1 {
        with_committees(30, || {
            let id = left_to_others(asked, [Lacks; 5]);
            let first = draw(id);
            judge(id, &[GOOD, GOOD, GOOD, Lacks, Reject]);
            let by = challenge(id);
            draw(by);
            judge(by, &[RejectAs(RejectionReason::Duplicate); 15]);
            blocks(2);
            assert_eq!(ended().last(), Some(&(SUBMISSIONS, Outcome::CopyAccepted)));
            let lost: Vec<_> = first.iter().map(|who| RULES.seat - held(*who)).collect();
            let part = RULES.overturned;
            assert_eq!(lost, [part, part, part, 0, 0], "who leaves it to others loses nothing");
            // Who led honest members into it, by whatever it hid from them, would gain no more than this.
            assert_eq!(Balances::free_balance(CHALLENGER), RICH + 3 * RULES.pay / 2);
        });
    }
}

/// A file that so many committees leave to others, by these words.
fn left_to_others(asked: u8, says: [Says; 5]) -> u64 {
    let mut id = submit(1);
    for _ in 0..asked {
        draw(id);
        let next = NextDraw::<Test>::get();
        judge(id, &says);
        blocks(2);
        id = next;
    }
    id
}

/// Colluders who wait for the last committee, which is charged less, by hiding the copy itself from those before.
#[test]
fn who_hides_its_copy_from_all_but_the_last_committee_comes_before_one_that_is_charged() {
    with_committees(30, || {
        // One of theirs says that it has it, so that it is asked for again.
        let says = [Lacks, Unavailable, Unavailable, Unavailable, Unavailable];
        let id = left_to_others(RULES.asks - 1, says);
        let first = draw(id);
        judge(id, &[GOOD, GOOD, GOOD, Reject, Lacks]);
        let by = challenge(id);
        draw(by);
        judge(by, &[RejectAs(RejectionReason::Duplicate); 15]);
        blocks(2);
        assert_eq!(ended().last(), Some(&(SUBMISSIONS, Outcome::CopyAccepted)));
        let lost: Vec<_> = first.iter().map(|who| RULES.seat - held(*who)).collect();
        let part = RULES.overturned;
        assert_eq!(lost, [part, part, part, 0, 0]);
    });
}

/// An earlier file is hidden from every committee of a copy, and shown to the larger one of a challenge.
#[test]
fn a_copy_of_what_was_hidden_costs_its_last_committee_no_part_of_a_seat() {
    with_committees(30, || {
        let id = left_to_others(RULES.asks - 1, [Lacks; 5]);
        let first = draw(id);
        judge(id, &[GOOD; 5]);
        let by = challenge(id);
        let larger = draw(by);
        judge(by, &[RejectAs(RejectionReason::Duplicate); 15]);
        blocks(2);
        assert_eq!(ended().last(), Some(&(SUBMISSIONS, Outcome::AcceptanceCopied)));
        for who in &first {
            assert_eq!((seats(*who).reviewer.held, held(*who)), (RULES.seat, RULES.seat));
            assert_eq!(Balances::free_balance(who), RICH - RULES.seat, "and is paid nothing");
        }
        // All that there is to gain is what they would have been paid, which was set aside.
        let kept = RULES.pay * 5;
        assert_eq!(Balances::free_balance(CHALLENGER), RICH + kept / 2);
        for who in &larger {
            assert_eq!(Balances::free_balance(who), RICH - RULES.seat + kept / 2 / 15);
        }
        assert!(Budgets::<Test>::get(DATANET).spent <= kept);
    });
}

#[test]
fn who_calls_a_file_a_copy_is_believed_for_no_other_reason() {
    with_committees(30, || {
        let id = submit(1);
        let first = draw(id);
        judge(id, &[GOOD; 5]);
        let by = challenge(id);
        draw(by);
        let copy = RejectAs(RejectionReason::Duplicate);
        let mut says = [Reject; 15];
        says[..7].fill(copy);
        judge(by, &says);
        blocks(2);
        assert_eq!(ended(), [(SUBMISSIONS, Outcome::AcceptanceOverturned)], "most say otherwise");
        assert_eq!(held(first[0]), RULES.seat - RULES.overturned);
        assert_eq!(Outcome::AcceptanceCopied.majority(), Majority::Unpaid);
        assert_eq!(Outcome::AcceptanceUnjudged.bond(), Bond::Back);
    });
}
