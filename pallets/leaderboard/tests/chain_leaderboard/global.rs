//! Points over all Datanets: only of verdicts that count beyond their Datanet.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    api::BoardCursor, committee::GLOBAL_POINTS_A_FILE, traits::OnAccepted,
};
use pallet_leaderboard::{Error, GlobalBoard, GlobalPosition, GlobalPositions, RankKey};

fn earn(datanet: u32, account: AccountId, points: u128) {
    let global = true;
    assert_ok!(<Leaderboard as OnAccepted<AccountId>>::on_accepted(
        datanet, &account, points, global
    ));
}

fn board() -> Vec<(AccountId, u128)> {
    let entries = Leaderboard::global_board(None, 100).into_iter();
    entries.map(|entry| (entry.account, entry.points)).collect()
}

#[test]
fn only_verdicts_that_count_beyond_their_datanet_count_for_all() {
    run(|| {
        earn(0, ALICE, 10);
        earn(1, ALICE, 7);
        earn(2, BOB, 30);
        accepted(0, BOB, 1_000);
        assert_eq!(board(), [(BOB, 30), (ALICE, 17)]);
        assert_eq!(<Leaderboard as OnAccepted<AccountId>>::global_points(&ALICE), 17);
        assert_eq!(Leaderboard::points(0, &BOB), 1_000, "where it was earned it counts");
    });
}

#[test]
fn of_equal_points_who_came_first_is_first() {
    run(|| {
        earn(0, BOB, 10);
        earn(0, ALICE, 10);
        assert_eq!(board(), [(BOB, 10), (ALICE, 10)]);
        let first = Leaderboard::global_board(None, 1);
        let cursor = BoardCursor { points: first[0].points, sequence: first[0].sequence };
        let rest = Leaderboard::global_board(Some(cursor), 5);
        assert_eq!(rest.iter().map(|entry| entry.account).collect::<Vec<_>>(), [ALICE]);
    });
}

#[test]
fn of_one_file_no_more_points_count_for_all_than_a_file_may_have() {
    run(|| {
        // A Datanet whose bounds let a file have whatever it has.
        earn(0, ALICE, 100 * 10_000_000);
        assert_eq!(board(), [(ALICE, GLOBAL_POINTS_A_FILE)]);
        assert_eq!(Leaderboard::points(0, &ALICE), 1_000_000_000, "where it was earned it counts");
        for _ in 0..3 {
            earn(1, BOB, GLOBAL_POINTS_A_FILE / 2);
        }
        assert_eq!(board()[0], (BOB, 3 * GLOBAL_POINTS_A_FILE / 2), "three are more than one");
    });
}

#[test]
fn points_that_leave_their_range_change_nothing() {
    run(|| {
        earn(0, ALICE, 10);
        let GlobalPosition { points, sequence } = GlobalPositions::<Test>::get(ALICE).unwrap();
        GlobalBoard::<Test>::remove(RankKey::new(points, sequence));
        let points = u128::MAX - 5;
        GlobalBoard::<Test>::insert(RankKey::new(points, sequence), ALICE);
        GlobalPositions::<Test>::insert(ALICE, GlobalPosition { points, sequence });
        let more = || <Leaderboard as OnAccepted<AccountId>>::on_accepted(1, &ALICE, 6, true);
        assert_noop!(more(), Error::<Test>::Overflow);
    });
}

#[test]
fn damage_to_the_board_is_noticed() {
    let words = [
        "an account with global points is not at its place on the board",
        "a place on the global board is not its account's",
        "a global position has no points",
        "a global position has a sequence that was never given",
    ];
    for (kind, words) in words.into_iter().enumerate() {
        run(|| {
            earn(0, ALICE, 10);
            let good = GlobalPositions::<Test>::get(ALICE).unwrap();
            let put = |points, sequence| {
                GlobalPositions::<Test>::insert(ALICE, GlobalPosition { points, sequence });
            };
            match kind {
                0 => put(11, good.sequence),
                1 => GlobalBoard::<Test>::insert(RankKey::new(3, 9), BOB),
                2 => put(0, good.sequence),
                _ => put(10, 99),
            }
            assert_eq!(Leaderboard::do_try_state(), Err(words.into()));
            GlobalPositions::<Test>::insert(ALICE, good);
            GlobalBoard::<Test>::remove(RankKey::new(3, 9));
        });
    }
}
