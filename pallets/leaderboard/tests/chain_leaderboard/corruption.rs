//! Damaged storage is noticed.

use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{Pool, Position};
use pallet_leaderboard::{Board, NextSequence, Pools, Positions, RankKey, Rates};
use sp_runtime::DispatchError;

/// Damages a healthy storage and expects that the check says so.
fn noticed(expected: &'static str, damage: impl FnOnce()) {
    run(|| {
        fund(0, 1_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 1);
        accepted(0, BOB, 2);
        go_to_period(1);
        accepted(0, CAROL, 3);
        accepted(0, BOB, 3);
        assert_ok!(Leaderboard::do_try_state());
        let damaged = frame_support::storage::with_transaction(|| {
            damage();
            let found = Leaderboard::do_try_state();
            // Undone, so that what every test checks at its end holds again.
            sp_runtime::TransactionOutcome::Rollback(Ok::<_, DispatchError>(found))
        });
        assert_eq!(damaged, Ok(Err(DispatchError::Other(expected))));
    });
}

fn change_pool(change: impl FnOnce(&mut Pool)) {
    Pools::<Test>::mutate(0, |pool| change(pool.as_mut().expect("funded")));
}

fn change_position(account: AccountId, change: impl FnOnce(&mut Position)) {
    Positions::<Test>::mutate(0, account, |position| change(position.as_mut().expect("accepted")));
}

#[test]
fn books_that_do_not_add_up_are_noticed() {
    noticed("paid in is not claimed + owed + available", || {
        change_pool(|pool| pool.available += 1);
    });
}

#[test]
fn a_debt_to_nobody_is_noticed() {
    noticed("a pool owes another sum than its positions are owed", || {
        change_pool(|pool| {
            pool.available -= 1;
            pool.owed += 1;
        });
    });
}

#[test]
fn a_reward_that_no_pool_owes_is_noticed() {
    noticed("a pool owes another sum than its positions are owed", || {
        change_position(ALICE, |position| position.owed += 1);
    });
}

#[test]
fn points_of_nobody_are_noticed() {
    noticed("a pool counts other points than its positions have", || {
        change_pool(|pool| pool.points += 1);
    });
}

#[test]
fn a_missing_rate_is_noticed() {
    noticed("a position waits for a rate that is not stored", || Rates::<Test>::remove(0, 0));
}

#[test]
fn a_changed_rate_is_noticed() {
    noticed("a pool owes another sum than its positions are owed", || {
        Rates::<Test>::insert(0, 0, 34);
    });
}

#[test]
fn a_rate_of_a_period_that_goes_on_is_noticed() {
    noticed("a rate is stored for a period that has not ended", || {
        Rates::<Test>::insert(0, 1, 1);
    });
}

#[test]
fn a_pool_ahead_of_time_is_noticed() {
    noticed("a pool is ahead of time", || change_pool(|pool| pool.period = 2));
}

#[test]
fn a_position_ahead_of_its_pool_is_noticed() {
    noticed("a position is ahead of its pool", || {
        change_position(CAROL, |position| position.period = 2);
    });
}

#[test]
fn points_without_a_place_on_the_board_are_noticed() {
    noticed("an account with points is not at its place on the board", || {
        let position = Positions::<Test>::get(0, ALICE).expect("accepted");
        Board::<Test>::remove(0, RankKey::of(&position));
    });
}

#[test]
fn points_raised_beside_the_board_are_noticed() {
    noticed("an account with points is not at its place on the board", || {
        change_position(ALICE, |position| position.points += 1);
    });
}

#[test]
fn a_second_place_on_the_board_is_noticed() {
    noticed("a place on the board is not its account's", || {
        Board::<Test>::insert(0, RankKey::new(9, 0), ALICE);
    });
}

#[test]
fn a_place_on_the_board_of_somebody_without_points_is_noticed() {
    noticed("a place on the board is not its account's", || {
        Board::<Test>::insert(2, RankKey::new(9, 0), NEWCOMER);
    });
}

#[test]
fn a_position_without_points_is_noticed() {
    noticed("a position has no points", || {
        Positions::<Test>::insert(0, NEWCOMER, Position { period: 1, ..Position::default() });
    });
}

#[test]
fn a_sequence_that_was_never_given_is_noticed() {
    noticed("a position has a sequence that was never given", || NextSequence::<Test>::put(2));
}

#[test]
fn a_position_without_a_pool_is_noticed() {
    noticed("a position has no pool", || Pools::<Test>::remove(0));
}

#[test]
fn a_pot_that_lacks_one_planck_is_noticed() {
    noticed("the pot holds less than its pools and the existential deposit", || {
        frame_system::Account::<Test>::mutate(Leaderboard::pot(), |account| account.data.free -= 1);
    });
}
