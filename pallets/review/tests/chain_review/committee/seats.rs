//! Seats: bonded, placed with a session's delay, given up, paid back.

use super::story::*;
use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    committee::{PoolId, Rules},
    OPEN,
};
use pallet_review::{Error, PoolSizes, MAX_SEATS, MAX_WAITING_SEATS};

fn placed(who: AccountId) -> u32 {
    seats(who).placed
}

#[test]
fn seats_enter_and_leave_with_a_session_s_delay() {
    on_chain(3, || {
        assert_ok!(Review::bond_seats(signed(FIRST), POOL, 3));
        assert_eq!(held(FIRST), 300 * OPEN);
        blocks(5);
        assert_eq!(placed(FIRST), 0, "not in the session in which it was asked for");
        sessions(1);
        assert_eq!(placed(FIRST), 3, "after the draws of the next");
        assert_eq!(PoolSizes::<Test>::get(POOL).seats, 3);
        assert_eq!(PoolSizes::<Test>::get(POOL).accounts, 1);

        assert_ok!(Review::unbond_seats(signed(FIRST), POOL, 2));
        assert_noop!(Review::unbond_seats(signed(FIRST), POOL, 1), Error::<Test>::SeatsLeaving);
        assert_noop!(Review::withdraw_seats(signed(FIRST), POOL), Error::<Test>::SeatsNotLeft);
        blocks(5);
        assert_eq!(placed(FIRST), 3, "they can be drawn until they have left");
        sessions(1);
        assert_eq!(placed(FIRST), 1);
        assert_eq!(held(FIRST), 300 * OPEN);
        assert_ok!(Review::withdraw_seats(signed(FIRST), POOL));
        assert_eq!(held(FIRST), 100 * OPEN);
        checked();

        assert_ok!(Review::unbond_seats(signed(FIRST), POOL, 1));
        sessions(1);
        assert_ok!(Review::withdraw_seats(signed(FIRST), POOL));
        assert_eq!((held(FIRST), Balances::free_balance(FIRST)), (0, RICH));
        assert_noop!(Review::withdraw_seats(signed(FIRST), POOL), Error::<Test>::NoSeats);
        assert_eq!(PoolSizes::<Test>::iter_keys().count(), 0, "nothing is left");
    });
}

#[test]
fn seats_that_are_asked_for_while_draws_wait_enter_after_these() {
    with_committees(30, || {
        let late = FIRST + 40;
        let id = submit(1);
        sessions(1);
        // Asked for in the session whose blocks make the seed: whoever sees it coming is too late.
        assert_ok!(Review::bond_seats(signed(late), POOL, 64));
        CurrentSession::mutate(|session| *session += 1);
        block();
        assert_eq!(members(id).len(), 5);
        assert!(!members(id).contains(&late));
        assert!(placed(late) > 0, "after the draws of this session");
    });
}

#[test]
fn seats_that_judge_stay_bound_until_everything_is_final() {
    with_committees(30, || {
        let id = submit(1);
        let who = draw(id)[0];
        assert_ok!(Review::unbond_seats(signed(who), POOL, 1));
        sessions(1);
        assert_eq!(placed(who), 0);
        assert_noop!(Review::withdraw_seats(signed(who), POOL), Error::<Test>::SeatsJudging);
        // It judges on with what it has given up, and loses of it.
        blocks(40);
        assert_eq!(seats(who).reviewer.held, RULES.seat - RULES.missed);
        assert_ok!(Review::withdraw_seats(signed(who), POOL));
        assert_eq!(Balances::free_balance(who), RICH - RULES.missed);
    });
}

#[test]
fn seats_that_lost_too_much_are_not_drawn_until_they_are_topped_up() {
    with_committees(30, || {
        assert_noop!(Review::top_up(signed(FIRST), POOL), Error::<Test>::NothingLost);
        CommitteeRules::set(Rules { missed: 30 * OPEN, ..RULES });
        let absent = draw(submit(1));
        blocks(22);
        CommitteeRules::set(RULES);
        assert_eq!(held(absent[0]), 70 * OPEN);
        // Five of thirty: any of them would be among forty with a chance of 0.999.
        for number in 0..40 {
            let committee = draw(submit_from(60 + number, 1));
            assert!(committee.iter().all(|who| !absent.contains(who)), "below three quarters");
        }
        assert_ok!(Review::top_up(signed(absent[0]), POOL));
        let drawn = (0..60).any(|number| draw(submit_from(120 + number, 1)).contains(&absent[0]));
        assert!(drawn);
    });
}

#[test]
fn topping_up_makes_seats_whole() {
    with_committees(30, || {
        let id = submit(1);
        let committee = draw(id);
        judge(id, &[GOOD, GOOD, GOOD, GOOD, Nothing]);
        let who = committee[4];
        assert_eq!(seats(who).reviewer.held, RULES.seat - RULES.missed);
        assert_ok!(Review::top_up(signed(who), POOL));
        assert_eq!((seats(who).reviewer.held, held(who)), (RULES.seat, RULES.seat));
    });
}

#[test]
fn who_has_many_seats_is_one_member() {
    with_committees(6, || {
        assert_ok!(Review::bond_seats(signed(FIRST), POOL, 20));
        sessions(2);
        let mut committee = draw(submit(1));
        committee.sort();
        committee.dedup();
        assert_eq!(committee.len(), 5);
    });
}

#[test]
fn impossible_seats_are_refused() {
    on_chain(3, || {
        let who = signed(FIRST);
        for count in [0, MAX_SEATS + 1, u32::MAX] {
            assert_noop!(Review::bond_seats(who.clone(), POOL, count), Error::<Test>::SeatCount);
        }
        let unknown = PoolId::Datanet(7);
        assert_noop!(Review::bond_seats(who.clone(), unknown, 1), Error::<Test>::UnknownDatanet);
        DatanetClosed::set(true);
        let own = PoolId::Datanet(DATANET);
        assert_noop!(Review::bond_seats(who.clone(), own, 1), Error::<Test>::DatanetClosed);
        DatanetClosed::set(false);
        assert_ok!(Review::bond_seats(who.clone(), own, 1));
        assert_noop!(Review::unbond_seats(who.clone(), POOL, 1), Error::<Test>::NoSeats);
        assert_noop!(Review::top_up(who.clone(), POOL), Error::<Test>::NoSeats);
        assert_noop!(Review::unbond_seats(who.clone(), own, 2), Error::<Test>::SeatCount);
        let poor = REVIEWERS_TO + 1;
        assert!(Review::bond_seats(signed(poor), POOL, 1).is_err());
    });
}

#[test]
fn as_many_seats_wait_as_a_session_works_off() {
    on_chain(3, || {
        for who in FIRST..FIRST + u64::from(MAX_WAITING_SEATS / MAX_SEATS) {
            assert_ok!(Review::bond_seats(signed(who), POOL, MAX_SEATS));
        }
        assert_noop!(Review::bond_seats(signed(FIRST), POOL, 1), Error::<Test>::SeatQueueFull);
        CurrentSession::set(1);
        hurry(MAX_WAITING_SEATS / 32);
        checked();
        assert_eq!(PoolSizes::<Test>::get(POOL).seats, MAX_WAITING_SEATS);
    });
}
