//! Damaged storage is noticed.

use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{Exit, Funds, Pool, Position, Share, WaitingTerms};
use pallet_leaderboard::{
    Board, Exits, FunderShares, NextSequence, Payouts, PoolFunds, Pools, Positions, RankKey, Rates,
    Waiting,
};
use sp_runtime::DispatchError;

/// Damages a healthy storage and expects that the check says so.
fn noticed(expected: &'static str, damage: impl FnOnce()) {
    run(|| {
        fund(0, 1_000, Some(terms(100, 1_000)));
        fund_by(CAROL, 0, 1_000);
        accepted(0, ALICE, 1);
        accepted(0, BOB, 2);
        assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, terms(200, 1_000)));
        for (who, shares) in [(FUNDER, 300), (CAROL, 100)] {
            assert_ok!(Leaderboard::leave(RuntimeOrigin::signed(who), 0, shares));
        }
        go_to_period(1);
        accepted(0, CAROL, 3);
        accepted(0, BOB, 3);
        assert_ok!(Leaderboard::leave(RuntimeOrigin::signed(CAROL), 0, 50));
        assert_ok!(Leaderboard::set_payout(RuntimeOrigin::signed(ALICE), ALICE, BOB));
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
    noticed("paid in is not claimed + owed + available + back with funders", || {
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
    noticed("a position has no pool", || {
        accepted(1, ALICE, 1);
        Pools::<Test>::remove(1);
    });
}

#[test]
fn a_pot_that_lacks_one_planck_is_noticed() {
    noticed("the pot holds less than its pools and the existential deposit", || {
        frame_system::Account::<Test>::mutate(Leaderboard::pot(), |account| account.data.free -= 1);
    });
}

fn change_funds(change: impl FnOnce(&mut Funds)) {
    PoolFunds::<Test>::mutate(0, |funds| change(funds.as_mut().expect("funded")));
}

fn change_share(account: AccountId, change: impl FnOnce(&mut Share)) {
    FunderShares::<Test>::mutate(0, account, |share| change(share.as_mut().expect("a funder")));
}

#[test]
fn shares_of_nobody_are_noticed() {
    let other = "a pool counts other shares than its funders hold";
    noticed(other, || change_funds(|funds| funds.shares += 1));
    noticed(other, || change_funds(|funds| funds.unowned += 1));
    noticed(other, || change_share(CAROL, |share| share.shares -= 1));
    noticed("more shares are nobody's than there are", || {
        change_funds(|funds| funds.unowned = funds.shares + 1);
    });
}

#[test]
fn a_pool_whose_funds_are_lost_is_noticed() {
    noticed("paid in is not claimed + owed + available + back with funders", || {
        PoolFunds::<Test>::remove(0);
    });
    noticed("a share or a batch of no pool's funds", || {
        FunderShares::<Test>::insert(2, ALICE, Share { due: 1, ..Share::default() });
    });
    noticed("funds or waiting terms of no pool", || {
        PoolFunds::<Test>::insert(2, Funds::default());
    });
}

#[test]
fn a_lost_share_is_noticed() {
    noticed("a pool counts other shares than its funders hold", || {
        FunderShares::<Test>::remove(0, FUNDER);
    });
}

#[test]
fn shares_that_leave_for_nobody_are_noticed() {
    let other = "other shares leave than their funders let leave";
    noticed(other, || change_funds(|funds| funds.leaving += 1));
    noticed(other, || change_share(CAROL, |share| share.leaving += 1));
    noticed("a batch has other shares than left in it", || {
        change_share(FUNDER, |share| share.leaving += 1);
    });
    noticed("a share is ahead of its pool", || change_share(FUNDER, |share| share.batch = 9));
    noticed("a share of nothing is stored", || {
        FunderShares::<Test>::insert(0, NEWCOMER, Share::default());
    });
}

#[test]
fn a_sum_that_leaves_for_nobody_is_noticed() {
    let other = "another sum leaves than is due to funders";
    noticed(other, || change_share(FUNDER, |share| share.due += 1));
    noticed("shares left in no batch, or leave their range", || Exits::<Test>::remove(0, 0));
    noticed(other, || {
        Exits::<Test>::mutate(0, 0, |exit| exit.as_mut().expect("it left").amount += 1);
    });
    noticed(other, || {
        change_funds(|funds| {
            funds.returning -= 1;
            funds.returned += 1;
        });
    });
    noticed("a batch left before its time", || {
        Exits::<Test>::insert(0, 1, Exit { shares: 50, amount: 0, scale: 0, funders: 1 });
    });
    noticed("a batch has other shares than left in it", || {
        Exits::<Test>::mutate(0, 0, |exit| exit.as_mut().expect("it left").shares -= 1);
    });
}

#[test]
fn a_pool_ahead_of_its_points_is_noticed() {
    noticed("a pool brought points in a period to come", || {
        change_funds(|funds| funds.active = 2);
    });
}

#[test]
fn waiting_terms_that_should_count_or_change_nothing_are_noticed() {
    noticed("terms wait that should count", || {
        Waiting::<Test>::insert(0, WaitingTerms { terms: terms(7, 7), from: 1 });
    });
    for nothing in [terms(100, 1_000), terms(0, 1)] {
        noticed("terms wait that change nothing, or never pay", || {
            Waiting::<Test>::insert(0, WaitingTerms { terms: nothing, from: 9 });
        });
    }
    noticed("funds or waiting terms of no pool", || {
        Waiting::<Test>::insert(2, WaitingTerms { terms: terms(7, 7), from: 9 });
    });
}

#[test]
fn a_payout_account_of_nobody_is_noticed() {
    noticed("an account has itself for its payout account", || {
        Payouts::<Test>::mutate(ALICE, |payout| payout.as_mut().expect("set").to = ALICE);
    });
    noticed("less is held for a payout account than its record says", || {
        let payout = Payouts::<Test>::get(ALICE).expect("set");
        Payouts::<Test>::insert(CAROL, payout);
    });
}
