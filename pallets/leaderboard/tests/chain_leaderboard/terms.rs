//! Other terms wait, and whom they let go.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{traits::FunderNotice, RewardTerms, WayOut};
use pallet_leaderboard::{Error, Event, Waiting};
use sp_core::H256;

fn announce(terms: RewardTerms) {
    assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, terms));
}

fn way_out() -> Option<WayOut> {
    Leaderboard::pool_view(0).expect("a pool").way_out
}

#[test]
fn terms_of_a_funded_pool_wait_for_the_notice_and_a_full_period() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        System::set_block_number(13);
        announce(terms(3_000, 2_000));
        // 75 blocks after block 13 is in period 8, whose next begins whole.
        let view = Leaderboard::pool_view(0).expect("a pool");
        let waiting = view.waiting.expect("terms wait");
        assert_eq!((waiting.terms, waiting.from, waiting.block), (terms(3_000, 2_000), 9, 90));
        System::assert_last_event(
            Event::TermsAnnounced { datanet: 0, per_period: 3_000, max_per_point: 2_000, from: 9 }
                .into(),
        );
        for period in 1..12 {
            go_to_period(period);
            let expected = if period < 9 { terms(100, 1_000) } else { terms(3_000, 2_000) };
            assert_eq!(rules(0).terms, expected, "period {period}");
            accepted(0, ALICE, 1);
            go_to_period(period + 1);
            let paid = if period < 9 { 100 } else { 2_000 };
            assert_eq!(claim(0, ALICE), Ok(paid), "period {period}");
        }
        assert_eq!(Waiting::<Test>::iter().count(), 0);
    });
}

#[test]
fn one_full_period_lies_between_however_short_the_notice() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        for block in [20, 25, 29] {
            System::set_block_number(block);
            announce(terms(100 + u128::from(block), 1_000));
            let from = Leaderboard::pool_view(0).and_then(|view| view.waiting).expect("waits").from;
            assert!(from >= 4 && from * PERIOD >= block + NOTICE, "{block}: {from}");
        }
    });
}

#[test]
fn lowered_terms_pay_what_was_worked_under_the_old_ones() {
    run(|| {
        fund(0, 10_000, Some(terms(1_000, 1_000)));
        accepted(0, ALICE, 1);
        // The audit's owner: points are earned, then the terms are lowered to nothing.
        announce(terms(1, 1));
        go_to_period(1);
        assert_eq!(claim(0, ALICE), Ok(1_000));
        accepted(0, ALICE, 1);
        go_to_period(30);
        assert_eq!(claim(0, ALICE), Ok(1_000), "the period was worked before the terms counted");
        accepted(0, ALICE, 1);
        go_to_period(31);
        assert_eq!(claim(0, ALICE), Ok(1));
    });
}

#[test]
fn points_without_money_keep_their_periods_terms_too() {
    run(|| {
        assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, terms(50, 50)));
        accepted(0, ALICE, 1);
        announce(terms(1, 1));
        fund(0, 10_000, None);
        go_to_period(1);
        assert_eq!(claim(0, ALICE), Ok(50));
    });
}

#[test]
fn other_terms_begin_the_wait_anew_and_the_old_ones_end_it() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        announce(terms(101, 1_000));
        go_to_period(7);
        announce(terms(10_000, 10_000));
        go_to_period(9);
        assert_eq!(rules(0).terms, terms(100, 1_000));
        announce(terms(100, 1_000));
        System::assert_last_event(Event::TermsKept { datanet: 0 }.into());
        assert_eq!(way_out(), None);
        let same = Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, terms(100, 1_000));
        assert_eq!(same, Err(Error::<Test>::SameTerms.into()));
        go_to_period(100);
        assert_eq!(rules(0).terms, terms(100, 1_000));
    });
}

#[test]
fn only_terms_that_pay_out_faster_let_funders_go() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 100)));
        for (other, expected) in [
            (terms(101, 100), Some(WayOut::Terms)),
            (terms(100, 101), Some(WayOut::Terms)),
            (terms(1, 101), Some(WayOut::Terms)),
            (terms(99, 100), None),
            (terms(99, 99), None),
        ] {
            announce(other);
            assert_eq!(way_out(), expected, "{other:?}");
        }
        assert_noop!(
            Leaderboard::leave(RuntimeOrigin::signed(FUNDER), 0, 1),
            Error::<Test>::NoWayOut
        );
    });
}

#[test]
fn a_policy_that_waits_lets_funders_go() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 100)));
        assert_eq!(way_out(), None);
        NextPolicy::set(Some(H256::repeat_byte(7)));
        assert_eq!(way_out(), Some(WayOut::Policy));
        assert_ok!(Leaderboard::leave(RuntimeOrigin::signed(FUNDER), 0, 1));
    });
}

#[test]
fn a_policy_waits_only_where_money_does() {
    run(|| {
        assert_eq!(Leaderboard::policy_from(0), None);
        assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, terms(1_000, 1_000)));
        accepted(0, ALICE, 1);
        assert_eq!(Leaderboard::policy_from(0), None, "points alone are no money");
        fund(0, MINIMUM, None);
        assert_eq!(Leaderboard::policy_from(0), Some(80));
        System::set_block_number(17);
        assert_eq!(Leaderboard::policy_from(0), Some(100));
        // All of it was earned.
        assert_eq!(claim(0, ALICE), Ok(MINIMUM));
        assert_eq!(Leaderboard::policy_from(0), None);
    });
}
