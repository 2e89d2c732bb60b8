//! Seats: bonded, placed with a session's delay, given up, paid back.

use super::story::*;
use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    committee::{GlobalPool, Lengths, PoolId, Rules},
    Modality, ReviewPolicy, OPEN,
};
use pallet_review::{
    committee::agenda::Steps, Error, LargeSince, PoolSizes, WaitingSeats, WeightInfo, MAX_SEATS,
    MAX_WAITING_SEATS,
};

fn placed(who: AccountId) -> u32 {
    seats(who).placed
}

/// Seats of a pool that wait.
fn waiting(pool: PoolId) -> u32 {
    WaitingSeats::<Test>::iter_prefix_values(pool).sum()
}

/// Sessions of ten blocks until seats that were given up have left.
const LEAVE: u32 = Lengths::DEVELOPMENT.leave / 10 + 1;

#[test]
fn seats_enter_with_a_session_s_delay_and_leave_after_the_last_challenge() {
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
        sessions(LEAVE - 2);
        assert_eq!(placed(FIRST), 3, "challenges can be drawn of them until they have left");
        sessions(2);
        assert_eq!(placed(FIRST), 1);
        assert_eq!(held(FIRST), 300 * OPEN);
        assert_ok!(Review::withdraw_seats(signed(FIRST), POOL));
        assert_eq!(held(FIRST), 100 * OPEN);
        checked();

        assert_ok!(Review::unbond_seats(signed(FIRST), POOL, 1));
        sessions(LEAVE);
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
        leave_at_once();
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
        fill(POOL);
        assert_noop!(Review::bond_seats(signed(FIRST), POOL, 2), Error::<Test>::SeatQueueFull);
        CurrentSession::set(1);
        hurry(MAX_WAITING_SEATS / 32);
        checked();
        assert_eq!(PoolSizes::<Test>::get(POOL).seats, MAX_WAITING_SEATS);
    });
}

/// Fills a pool's queue with seats of 32 accounts.
fn fill(pool: PoolId) {
    for who in FIRST..FIRST + u64::from(MAX_WAITING_SEATS / MAX_SEATS) {
        assert_ok!(Review::bond_seats(signed(who), pool, MAX_SEATS));
    }
}

#[test]
fn whoever_fills_a_queue_keeps_nobody_out_nor_in() {
    on_chain(3, || {
        let (late, leaves) = (FIRST + 50, FIRST + 51);
        leave_at_once();
        assert_ok!(Review::bond_seats(signed(leaves), POOL, 3));
        sessions(1);
        for _ in 0..3 {
            // Again and again, in every session.
            for who in FIRST..FIRST + u64::from(MAX_WAITING_SEATS / MAX_SEATS) {
                let _ = Review::withdraw_seats(signed(who), POOL);
                let _ = Review::unbond_seats(signed(who), POOL, MAX_SEATS / 2);
                let _ = Review::bond_seats(signed(who), POOL, MAX_SEATS);
            }
            assert_noop!(Review::bond_seats(signed(late), POOL, 2), Error::<Test>::SeatQueueFull);
            assert_ok!(Review::bond_seats(signed(late), POOL, 1));
            // One at a time.
            assert_noop!(Review::bond_seats(signed(late), POOL, 1), Error::<Test>::SeatQueueFull);
            assert_ok!(Review::unbond_seats(signed(leaves), POOL, 1));
            let before = (placed(late), placed(leaves));
            // In another pool nobody notices.
            let other = PoolId::Modality(Modality::Image);
            assert_ok!(Review::bond_seats(signed(leaves), other, MAX_SEATS));
            CurrentSession::mutate(|session| *session += 1);
            hurry(90);
            checked();
            assert_eq!((placed(late), placed(leaves)), (before.0 + 1, before.1 - 1));
            assert_ok!(Review::withdraw_seats(signed(leaves), POOL));
        }
        let other = PoolId::Modality(Modality::Image);
        assert_eq!(PoolSizes::<Test>::get(other).seats, 3 * MAX_SEATS);
    });
}

#[test]
fn seats_that_wait_in_one_pool_delay_no_draw_of_another() {
    with_committees(30, || {
        // Many pools, each with all that it may have waiting, asked for in the session of the call.
        let pools = [
            PoolId::Modality(Modality::Image),
            PoolId::Modality(Modality::Audio),
            PoolId::Datanet(DATANET),
        ];
        for pool in pools {
            fill(pool);
        }
        let id = submit(1);
        // Nobody makes a block in the session between, so that all of it has to be done before these pools draw.
        CurrentSession::mutate(|session| *session += 2);
        block();
        assert_eq!(members(id).len(), 5, "in its first block, as ever");
        let waiting: u32 = pools.iter().map(|pool| waiting(*pool)).sum();
        assert!(waiting > 6_000, "{waiting}");
        hurry(3 * MAX_WAITING_SEATS / 32);
        checked();
        for pool in pools {
            assert_eq!(PoolSizes::<Test>::get(pool).seats, MAX_WAITING_SEATS);
        }
    });
}

#[test]
fn a_pool_that_needs_seats_moved_has_its_turn_however_many_others_do() {
    on_chain(3, || {
        let policy = ReviewPolicy::Committee { own_seats: false };
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, policy));
        assert_ok!(Review::fund_budget(signed(OWNER), DATANET, 100 * OPEN));
        // Each has so much to do that all of them together need some minutes of blocks.
        let others: Vec<_> = OTHERS.map(PoolId::Datanet).collect();
        for pool in &others {
            fill(*pool);
        }
        for who in FIRST..FIRST + 6 {
            assert_ok!(Review::bond_seats(signed(who), POOL, 1));
        }
        let id = submit(1);
        CurrentSession::mutate(|session| *session += 2);
        // Four of seven have a turn in a block, and this one came last.
        hurry(1);
        assert!(record(id).draw.session().is_some());
        hurry(1);
        assert_eq!(members(id).len(), 5);
        hurry(150);
        assert!(others.iter().all(|pool| waiting(*pool) > 700), "each");
        checked();
    });
}

#[test]
fn the_places_of_a_session_are_those_asked_for_two_before_however_long_the_queue_is() {
    on_chain(3, || {
        let policy = ReviewPolicy::Committee { own_seats: false };
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, policy));
        assert_ok!(Review::fund_budget(signed(OWNER), DATANET, 100 * OPEN));
        fill(POOL);
        let id = submit(1);
        CurrentSession::set(1);
        let late = FIRST + 50;
        assert_ok!(Review::bond_seats(signed(late), POOL, 1));
        CurrentSession::set(2);
        hurry(MAX_WAITING_SEATS / 32 - 1);
        assert!(record(id).draw.session().is_some(), "seats of two sessions ago enter first");
        hurry(2);
        checked();
        assert_eq!(members(id).len(), 5);
        assert!(!members(id).contains(&late));
        assert_eq!(placed(late), 1, "after it");
    });
}

#[test]
fn moving_seats_is_paid_by_who_asks_for_it() {
    type Weights = pallet_review::weights::SubstrateWeight<Test>;
    let one = Weights::bond_seats(1).ref_time();
    let most = Weights::bond_seats(MAX_SEATS).ref_time();
    let step = |seats| Weights::begin_block(Steps { seats, ..Steps::default() }).ref_time();
    assert!(most - one >= step(MAX_SEATS) - step(1), "the work of later is in it");
}

#[test]
fn a_pool_is_large_from_when_it_has_the_seats_and_accounts_until_it_has_not() {
    on_chain(3, || {
        LargePool::set(GlobalPool { seats: 40, age: 30 });
        for who in FIRST..FIRST + 25 {
            assert_ok!(Review::bond_seats(signed(who), POOL, 1));
        }
        sessions(1);
        assert_eq!(LargeSince::<Test>::get(POOL), None, "25 seats");
        assert_ok!(Review::bond_seats(signed(FIRST), POOL, 15));
        let now = System::block_number() as u32;
        sessions(1);
        assert_eq!(LargeSince::<Test>::get(POOL), Some(now + 1));
        sessions(2);
        assert_eq!(LargeSince::<Test>::get(POOL), Some(now + 1));
        assert_ok!(Review::unbond_seats(signed(FIRST + 1), POOL, 1));
        sessions(1);
        assert_eq!(LargeSince::<Test>::get(POOL), None, "24 accounts");
    });
}
