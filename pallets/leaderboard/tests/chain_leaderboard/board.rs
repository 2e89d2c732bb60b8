//! Points and the rank they give.

use crate::mock::*;
use codec::Encode;
use frame_support::{assert_noop, assert_storage_noop};
use openledger_primitives::{api::BoardCursor, reward::points_for, Score};
use pallet_leaderboard::{Board, Error, NextSequence, Pools, Positions, RankKey};

fn score(value: u8) -> Score {
    Score::new(value).expect("within 1 to 100")
}

#[test]
fn points_of_acceptances_add_up() {
    run(|| {
        accepted(0, ALICE, 100);
        accepted(0, ALICE, 11);
        assert_eq!(Leaderboard::points(0, &ALICE), 111);
        assert_eq!(Leaderboard::points(0, &BOB), 0);
        System::assert_last_event(
            pallet_leaderboard::Event::PointsEarned {
                datanet: 0,
                account: ALICE,
                points: 11,
                total: 111,
            }
            .into(),
        );
    });
}

#[test]
fn an_acceptance_without_points_writes_nothing() {
    run(|| {
        accepted(0, ALICE, 5);
        assert_storage_noop!(accepted(0, ALICE, 0));
        assert_storage_noop!(accepted(1, BOB, 0));
    });
}

#[test]
fn cutting_a_file_in_twenty_gains_nothing() {
    run(|| {
        let cap = 10_000;
        fund(0, 1_000_000_007, Some(terms(1_000_000_007, u128::MAX)));
        accepted(0, ALICE, points_for(score(80), 2_000, cap));
        for _ in 0..20 {
            accepted(0, BOB, points_for(score(80), 100, cap));
        }
        assert_eq!(Leaderboard::points(0, &ALICE), Leaderboard::points(0, &BOB));
        go_to_period(1);
        let whole = claim(0, ALICE).expect("owed");
        assert_eq!(claim(0, BOB), Ok(whole));
        assert!(whole > 0);
    });
}

#[test]
fn cutting_an_account_in_ten_gains_nothing() {
    run(|| {
        fund(0, 1_000_000_007, Some(terms(1_000_000_007, u128::MAX)));
        for _ in 0..10 {
            accepted(0, ALICE, points_for(score(70), 333, 1_000));
        }
        for account in 6..16 {
            accepted(0, account, points_for(score(70), 333, 1_000));
        }
        go_to_period(1);
        let whole = claim(0, ALICE).expect("owed");
        let pieces: u128 = (6..16).map(|account| claim(0, account).expect("owed")).sum();
        assert_eq!(whole, pieces);
        assert!(whole > 0);
    });
}

#[test]
fn units_above_the_cap_of_a_file_earn_nothing_more() {
    assert_eq!(points_for(score(50), 1_001, 1_000), points_for(score(50), 1_000, 1_000));
}

#[test]
fn more_points_rank_first_and_of_equal_points_the_earlier() {
    run(|| {
        accepted(0, ALICE, 10);
        accepted(0, BOB, 30);
        accepted(0, CAROL, 20);
        assert_eq!(ranks(0), [BOB, CAROL, ALICE]);
        // Alice reaches Bob's points later than Bob did, Carol later than Alice.
        accepted(0, ALICE, 20);
        accepted(0, CAROL, 10);
        assert_eq!(ranks(0), [BOB, ALICE, CAROL]);
        accepted(0, CAROL, 1);
        assert_eq!(ranks(0), [CAROL, BOB, ALICE]);
        assert_eq!(Board::<Test>::iter_prefix(0).count(), 3);
    });
}

#[test]
fn an_acceptance_leaves_points_and_order_of_all_others_unchanged() {
    run(|| {
        for account in 3..13 {
            accepted(0, account, u128::from(account) * 7 % 10 + 1);
            accepted(1, account, 1);
        }
        let before = Leaderboard::leaderboard(0, None, 100);
        let other = Leaderboard::leaderboard(1, None, 100);
        accepted(0, ALICE, 4);
        let after = Leaderboard::leaderboard(0, None, 100);
        let without = |entries: &[_]| -> Vec<_> {
            let entries: &[openledger_primitives::api::BoardEntry<AccountId>] = entries;
            entries.iter().filter(|entry| entry.account != ALICE).cloned().collect()
        };
        assert_eq!(without(&before), without(&after));
        assert_eq!(Leaderboard::leaderboard(1, None, 100), other);
    });
}

#[test]
fn pages_hold_everyone_once_in_order() {
    run(|| {
        for account in 0..25u64 {
            accepted(0, 100 + account, u128::from(account % 7) + 1);
        }
        accepted(1, ALICE, 1_000);
        let whole = Leaderboard::leaderboard(0, None, 100);
        assert_eq!(whole.len(), 25);
        assert!(whole.windows(2).all(|pair| {
            (pair[1].points, pair[0].sequence) < (pair[0].points, pair[1].sequence)
        }));
        let mut pages = Vec::new();
        let mut cursor = None;
        loop {
            let page = Leaderboard::leaderboard(0, cursor, 10);
            let Some(last) = page.last() else { break };
            cursor = Some(BoardCursor { points: last.points, sequence: last.sequence });
            pages.extend(page);
        }
        assert_eq!(pages, whole);
    });
}

#[test]
fn a_page_goes_on_where_its_cursors_entry_was_even_if_that_moved() {
    run(|| {
        for (account, points) in [(ALICE, 30), (BOB, 20), (CAROL, 10)] {
            accepted(0, account, points);
        }
        let first = Leaderboard::leaderboard(0, None, 2);
        let cursor = BoardCursor { points: first[1].points, sequence: first[1].sequence };
        accepted(0, BOB, 100);
        let rest = Leaderboard::leaderboard(0, Some(cursor), 2);
        assert_eq!(rest.iter().map(|entry| entry.account).collect::<Vec<_>>(), [CAROL]);
    });
}

#[test]
fn a_page_holds_at_most_a_hundred() {
    run(|| {
        for account in 0..130u64 {
            accepted(0, 100 + account, 1);
        }
        assert_eq!(Leaderboard::leaderboard(0, None, u32::MAX).len(), 100);
        assert_eq!(Leaderboard::leaderboard(0, None, 0).len(), 0);
        assert_eq!(Leaderboard::leaderboard(2, None, 100), []);
    });
}

#[test]
fn points_beyond_their_type_are_refused_and_change_nothing() {
    run(|| {
        accepted(0, ALICE, u128::MAX);
        assert_noop!(accept(0, ALICE, 1), Error::<Test>::Overflow);
        assert_noop!(accept(0, BOB, 1), Error::<Test>::Overflow);
        assert_eq!(ranks(0), [ALICE]);
    });
}

#[test]
fn sequences_beyond_their_type_are_refused_and_change_nothing() {
    run(|| {
        NextSequence::<Test>::put(u64::MAX);
        assert_noop!(accept(0, ALICE, 1), Error::<Test>::Overflow);
        assert!(Pools::<Test>::get(0).is_none());
    });
}

#[test]
fn a_rank_key_is_24_bytes_whose_order_is_the_rank() {
    let keys = [(u128::MAX, 0), (9, 3), (8, 0), (8, 1), (8, u64::MAX), (1, 2), (0, 0)];
    let encoded: Vec<_> = keys
        .iter()
        .map(|(points, sequence)| {
            let key = RankKey::new(*points, *sequence);
            assert_eq!((key.points(), key.sequence()), (*points, *sequence));
            key.encode()
        })
        .collect();
    assert!(encoded.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(encoded.iter().all(|key| key.len() == 24));
}

#[test]
fn an_acceptance_costs_one_position_and_one_place() {
    run(|| {
        for _ in 0..5 {
            accepted(0, ALICE, 3);
        }
        assert_eq!(Positions::<Test>::iter().count(), 1);
        assert_eq!(Board::<Test>::iter().count(), 1);
        assert_eq!(Pools::<Test>::iter().count(), 1);
    });
}
