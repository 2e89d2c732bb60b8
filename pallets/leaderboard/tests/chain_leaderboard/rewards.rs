//! Periods, rates and claims.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok, assert_storage_noop};
use openledger_primitives::{EXISTENTIAL_DEPOSIT, OPEN};
use pallet_leaderboard::{Error, Event, Positions, Rates};

#[test]
fn a_period_that_ended_pays_by_points() {
    run(|| {
        fund(0, 10_000, Some(terms(1_000, 1_000)));
        accepted(0, ALICE, 3);
        accepted(0, BOB, 1);
        assert_eq!(Leaderboard::claimable(0, &ALICE), 0);
        assert_noop!(claim(0, ALICE), Error::<Test>::NothingToClaim);
        go_to_period(1);
        assert_eq!(Leaderboard::claimable(0, &ALICE), 750);
        assert_eq!(claim(0, ALICE), Ok(750));
        assert_eq!(claim(0, BOB), Ok(250));
        System::assert_has_event(
            Event::PeriodClosed { datanet: 0, period: 0, points: 4, rate: 250 }.into(),
        );
        System::assert_has_event(Event::Claimed { datanet: 0, account: BOB, amount: 250 }.into());
        let pool = Leaderboard::pool(0).expect("funded");
        assert_eq!((pool.claimed, pool.owed, pool.available), (1_000, 0, 9_000));
    });
}

#[test]
fn the_remainder_of_a_division_stays_available() {
    run(|| {
        fund(0, 1_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 3);
        go_to_period(1);
        assert_eq!(claim(0, ALICE), Ok(99));
        let pool = Leaderboard::pool(0).expect("funded");
        assert_eq!(pool.available, 901);
    });
}

#[test]
fn a_budget_smaller_than_the_points_is_carried_whole() {
    run(|| {
        fund(0, 1_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 101);
        go_to_period(1);
        assert_noop!(claim(0, ALICE), Error::<Test>::NothingToClaim);
        accepted(0, ALICE, 100);
        go_to_period(2);
        assert_eq!(claim(0, ALICE), Ok(100));
        assert_eq!(Rates::<Test>::get(0, 0), Some(0));
        assert_eq!(Rates::<Test>::get(0, 1), Some(1));
    });
}

#[test]
fn no_point_earns_more_than_the_funder_allows() {
    run(|| {
        fund(0, 1_000, Some(terms(1_000, 7)));
        accepted(0, ALICE, 2);
        go_to_period(1);
        assert_eq!(claim(0, ALICE), Ok(14));
        assert_eq!(Leaderboard::pool(0).expect("funded").available, 986);
    });
}

#[test]
fn periods_without_points_carry_the_budget_over() {
    run(|| {
        fund(0, 1_000, Some(terms(400, 1_000)));
        go_to_period(9);
        accepted(0, ALICE, 1);
        go_to_period(30);
        // One period's budget, however many passed without points before and after.
        assert_eq!(claim(0, ALICE), Ok(400));
        assert_eq!(Rates::<Test>::iter().count(), 1);
    });
}

#[test]
fn a_pool_pays_until_it_is_empty_and_the_pot_stays_alive() {
    run(|| {
        fund(0, 1_000, Some(terms(400, 1_000)));
        let mut paid = Vec::new();
        for period in 0..4 {
            go_to_period(period);
            accepted(0, ALICE, 1);
            go_to_period(period + 1);
            paid.push(claim(0, ALICE).unwrap_or(0));
        }
        assert_eq!(paid, [400, 400, 200, 0]);
        assert_eq!(Balances::free_balance(Leaderboard::pot()), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn what_is_paid_in_later_reaches_no_period_that_has_ended() {
    run(|| {
        accepted(0, ALICE, 10);
        go_to_period(1);
        fund(0, 1_000, Some(terms(1_000, 1_000)));
        assert_noop!(claim(0, ALICE), Error::<Test>::NothingToClaim);
        accepted(0, BOB, 1);
        go_to_period(2);
        assert_eq!(claim(0, BOB), Ok(1_000));
        assert_noop!(claim(0, ALICE), Error::<Test>::NothingToClaim);
    });
}

#[test]
fn what_is_paid_in_within_the_period_counts_for_it() {
    run(|| {
        accepted(0, ALICE, 10);
        fund(0, 1_000, Some(terms(1_000, 1_000)));
        go_to_period(1);
        assert_eq!(claim(0, ALICE), Ok(1_000));
    });
}

#[test]
fn periods_that_ended_keep_the_terms_they_ended_under() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 1);
        go_to_period(1);
        assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, terms(3_000, 2_000)));
        accepted(0, ALICE, 1);
        assert_eq!(Leaderboard::claimable(0, &ALICE), 100);
        // Terms counted long before anybody looked.
        go_to_period(20);
        accepted(0, ALICE, 1);
        go_to_period(21);
        assert_eq!(claim(0, ALICE), Ok(100 + 100 + 2_000));
    });
}

#[test]
fn rewards_of_several_periods_and_datanets_stay_apart_and_add_up() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        fund(1, 10_000, Some(terms(10, 1_000)));
        for period in 0..3 {
            go_to_period(period);
            accepted(0, ALICE, 2);
            accepted(1, ALICE, 1);
        }
        go_to_period(7);
        assert_eq!(claim(0, ALICE), Ok(300));
        assert_eq!(claim(1, ALICE), Ok(30));
    });
}

#[test]
fn a_claim_pays_once() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 1);
        go_to_period(1);
        assert_eq!(claim(0, ALICE), Ok(100));
        assert_noop!(claim(0, ALICE), Error::<Test>::NothingToClaim);
        assert_eq!(Leaderboard::claimable(0, &ALICE), 0);
        go_to_period(5);
        assert_noop!(claim(0, ALICE), Error::<Test>::NothingToClaim);
        // The rank stays: points are never spent.
        assert_eq!(Leaderboard::points(0, &ALICE), 1);
    });
}

#[test]
fn nobody_claims_without_points() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        assert_noop!(claim(0, BOB), Error::<Test>::NothingToClaim);
        assert_noop!(claim(7, BOB), Error::<Test>::NothingToClaim);
        assert_eq!(Leaderboard::claimable(7, &BOB), 0);
    });
}

#[test]
fn claimable_is_what_a_claim_pays_and_writes_nothing() {
    run(|| {
        fund(0, 10_000, Some(terms(1_000, 1_000)));
        accepted(0, ALICE, 7);
        accepted(0, BOB, 3);
        go_to_period(4);
        accepted(0, BOB, 9);
        go_to_period(6);
        for (account, expected) in [(ALICE, 700), (BOB, 300 + 999)] {
            assert_storage_noop!(assert_eq!(Leaderboard::claimable(0, &account), expected));
            assert_eq!(claim(0, account), Ok(expected));
        }
    });
}

#[test]
fn a_claim_below_the_existential_deposit_is_refused_by_name_and_stays_owed() {
    run(|| {
        let little = EXISTENTIAL_DEPOSIT - 1;
        fund(0, 10 * OPEN, Some(terms(little, OPEN)));
        accepted(0, NEWCOMER, 1);
        go_to_period(1);
        assert_noop!(claim(0, NEWCOMER), Error::<Test>::BelowExistentialDeposit);
        assert_eq!(Leaderboard::claimable(0, &NEWCOMER), little);
        // With the next reward the account can exist.
        accepted(0, NEWCOMER, 1);
        assert_noop!(claim(0, NEWCOMER), Error::<Test>::BelowExistentialDeposit);
        go_to_period(2);
        assert_eq!(claim(0, NEWCOMER), Ok(2 * little));
    });
}

#[test]
fn an_account_that_exists_claims_any_amount() {
    run(|| {
        fund(0, OPEN, Some(terms(1, OPEN)));
        accepted(0, NEWCOMER, 1);
        go_to_period(1);
        assert_noop!(claim(0, NEWCOMER), Error::<Test>::BelowExistentialDeposit);
        assert_ok!(Balances::transfer_keep_alive(
            RuntimeOrigin::signed(FUNDER),
            NEWCOMER,
            EXISTENTIAL_DEPOSIT
        ));
        assert_eq!(claim(0, NEWCOMER), Ok(1));
    });
}

#[test]
fn anyone_may_send_a_claim_and_only_the_account_is_paid() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 1);
        go_to_period(1);
        let sender = Balances::free_balance(CAROL);
        assert_ok!(Leaderboard::claim(RuntimeOrigin::signed(CAROL), 0, ALICE));
        assert_eq!(Balances::free_balance(CAROL), sender);
        assert_eq!(Balances::free_balance(ALICE), RICH + 100);
    });
}

#[test]
fn a_missing_rate_refuses_instead_of_forgetting_a_reward() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 1);
        go_to_period(1);
        accepted(0, BOB, 1);
        let rate = Rates::<Test>::take(0, 0).expect("closed with points");
        assert_noop!(claim(0, ALICE), Error::<Test>::RateMissing);
        assert_noop!(accept(0, ALICE, 1), Error::<Test>::RateMissing);
        assert_eq!(Leaderboard::claimable(0, &ALICE), 0);
        Rates::<Test>::insert(0, 0, rate);
        assert_eq!(claim(0, ALICE), Ok(100));
    });
}

#[test]
fn a_position_settles_when_its_account_earns_again() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 1);
        go_to_period(3);
        accepted(0, ALICE, 5);
        let position = Positions::<Test>::get(0, ALICE).expect("accepted");
        assert_eq!(
            (position.owed, position.period, position.period_points, position.points),
            (100, 3, 5, 6)
        );
    });
}

#[test]
fn periods_are_counted_from_block_0_and_name_their_successors_first_block() {
    run(|| {
        for (block, expected) in [(1, (0, 10)), (9, (0, 10)), (10, (1, 20)), (25, (2, 30))] {
            System::set_block_number(block);
            assert_eq!(Leaderboard::period(), expected);
        }
    });
}
