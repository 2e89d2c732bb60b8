//! A runtime upgrade while committees are at work: between seed and draw, and between commit and reveal.

use crate::{
    committee_attacks::{next_block, sent, session, sessions, set_up},
    common::*,
};
use codec::Encode;
use frame_support::traits::{GetStorageVersion, StorageVersion};
use openledger_primitives::{
    committee::{
        commitment, possession, DrawId, Lengths, Opinion, Opinions, Phase, PoolId, Progress, Rules,
    },
    Modality, OPEN,
};
use openledger_runtime::{AccountId, Datanets, Executive, Review, Runtime, System};
use pallet_review::{
    migrations::{v2, SeatChangeV2, SeatQueueV2, SeatsV2},
    Draws, LargeSince, LeavingSizes, NextChange, NextTurn, ReservedFor, Reviewers, SeatChange,
    SeatChanges, Seats, SessionDraws, TurnOf, Turns, WaitingDraws, WaitingSeats,
};

const POOL: PoolId = PoolId::Modality(Modality::Text);
const SALT: [u8; 32] = [6; 32];

fn words(draw: DrawId) -> Opinions {
    let record = Draws::<Runtime>::get(draw).expect("it is not over").draw;
    let word = |sha256: &[u8; 32]| Opinion {
        verdict: accept(70, 700, 1),
        possession: possession(&record.seed, sha256),
    };
    let words: Vec<_> = record.files.iter().map(|file| word(&file.sha256)).collect();
    words.try_into().expect("as many as a call has")
}

fn commit(draw: DrawId, who: &AccountId) {
    let seed = Draws::<Runtime>::get(draw).expect("it is not over").draw.seed;
    let commitment = commitment(draw, &seed, who, &words(draw), &SALT);
    dispatch(who, pallet_review::Call::commit { draw, commitment });
}

fn reveal(draw: DrawId, who: &AccountId) {
    dispatch(who, pallet_review::Call::reveal { draw, opinions: words(draw), salt: SALT });
}

/// Storage as the runtime before kept it: seats and draws of all pools in one queue each.
fn as_version_two() {
    let mut changes = Vec::new();
    let waiting: Vec<_> = SeatChanges::<Runtime>::drain().collect();
    for (pool, _, SeatChange { account, enters, seats, .. }) in waiting {
        changes.push(SeatChangeV2 { pool, account, enters, seats, asked: session() });
    }
    let _ = WaitingSeats::<Runtime>::clear(u32::MAX, None);
    let _ = LeavingSizes::<Runtime>::clear(u32::MAX, None);
    NextChange::<Runtime>::kill();
    let reviewers: Vec<_> = Reviewers::<Runtime>::iter().collect();
    for (pool, account, Seats { reviewer, placed, .. }) in reviewers {
        let key = Reviewers::<Runtime>::hashed_key_for(pool, &account);
        sp_io::storage::set(&key, &SeatsV2 { reviewer, placed }.encode());
    }
    // Earlier ones have gone by.
    let first = 40;
    let queue = SeatQueueV2 {
        first,
        next: first + changes.len() as u64,
        seats: changes.iter().map(|change| change.seats).sum(),
    };
    for (number, change) in (first..).zip(changes) {
        v2::SeatChanges::<Runtime>::insert(number, change);
    }
    v2::WaitingSeats::<Runtime>::put(queue);
    for (_, (session, id), ()) in WaitingDraws::<Runtime>::drain().collect::<Vec<_>>() {
        v2::WaitingDraws::<Runtime>::insert(session, id, ());
    }
    let _ = Turns::<Runtime>::clear(u32::MAX, None);
    let _ = TurnOf::<Runtime>::clear(u32::MAX, None);
    let _ = SessionDraws::<Runtime>::clear(u32::MAX, None);
    let _ = LargeSince::<Runtime>::clear(u32::MAX, None);
    let _ = ReservedFor::<Runtime>::clear(u32::MAX, None);
    NextTurn::<Runtime>::kill();
    StorageVersion::new(2).put::<Review>();
    assert!(Review::do_try_state().is_err(), "today's rules do not read it");
}

fn upgrade() {
    as_version_two();
    Executive::execute_on_runtime_upgrade();
    assert_eq!(Review::on_chain_storage_version(), StorageVersion::new(3));
    check_state();
    // Once is enough.
    let root = sp_io::storage::root(sp_core::storage::StateVersion::V1);
    Executive::execute_on_runtime_upgrade();
    assert_eq!(sp_io::storage::root(sp_core::storage::StateVersion::V1), root);
}

#[test]
fn an_upgrade_between_commit_and_reveal_loses_nothing() {
    genesis("development").execute_with(|| {
        let (datanet, who) = set_up(0..3);
        sent(&who[0], submit(datanet, vec![item(b"judged meanwhile"), item(b"and another")]));
        sessions(2);
        let draw = 0;
        let record = || Draws::<Runtime>::get(draw).expect("it is not over");
        let members: Vec<_> =
            record().draw.members.iter().map(|member| member.account.clone()).collect();
        assert_eq!(members.len(), 5);
        for member in &members[..4] {
            commit(draw, member);
        }
        // Another call waits for its seed, and seats for their places.
        next_block();
        sent(&who[1], submit(datanet, vec![item(b"not drawn yet")]));
        let waits = Draws::<Runtime>::get(1).expect("it is not over").draw.session();
        let late = &id(&user(100));
        dispatch(late, pallet_review::Call::bond_seats { pool: POOL, seats: 2 });
        dispatch(&id(&user(101)), pallet_review::Call::unbond_seats { pool: POOL, seats: 1 });
        let before = record();
        upgrade();
        assert_eq!(record(), before, "commitments and deadlines");
        assert!(matches!(record().draw.phase, Phase::Committing { .. }));
        assert_eq!(Draws::<Runtime>::get(1).expect("it is there").draw.session(), waits);
        // Between upgrade and last commit, between that and the reveals, and between two reveals.
        next_block();
        commit(draw, &members[4]);
        let Phase::Revealing { by: reveal_by } = record().draw.phase else { panic!("all have") };
        let now = System::block_number();
        assert_eq!(reveal_by, now + Lengths::DEVELOPMENT.reveal);
        reveal(draw, &members[0]);
        upgrade();
        next_block();
        for member in &members[1..] {
            assert!(matches!(
                record()
                    .draw
                    .members
                    .iter()
                    .find(|one| one.account == *member)
                    .map(|one| one.progress),
                Some(Progress::Committed(_))
            ));
            reveal(draw, member);
        }
        next_block();
        let Phase::Judged { until } = record().draw.phase else { panic!("it is decided") };
        upgrade();
        // The seats moved, the other call was drawn in its session, and what was judged is credited in time.
        let contributor = id(&who[0]);
        for _ in 0..40 {
            next_block();
            let now = System::block_number();
            let points = openledger_runtime::Leaderboard::points(datanet, &contributor);
            assert_eq!(points > 0, now > until, "block {now} of {until}");
            if now > until {
                break;
            }
        }
        let reviewer = |n: u32| Reviewers::<Runtime>::get(POOL, id(&user(n)));
        assert_eq!(reviewer(100).map(|seats| seats.placed), Some(3));
        assert_eq!(reviewer(101).map(|seats| seats.placed), Some(0));
        while session() <= waits.expect("it waited") {
            next_block();
        }
        let other = Draws::<Runtime>::get(1).map(|record| record.draw.session());
        assert_eq!(other.flatten(), None, "it was drawn");
        let spent = pallet_review::Budgets::<Runtime>::get(datanet).spent;
        assert_eq!(spent, 2 * Rules::DEFAULT.reserve());
        assert!(spent < OPEN * 20);
        assert_eq!(Datanets::leaves(datanet, 0, 10).len(), 2);
        end_block();
    });
}

#[test]
fn an_upgrade_while_a_seed_stands_keeps_it() {
    genesis("development").execute_with(|| {
        let (datanet, who) = set_up(0..7);
        for (n, one) in who.iter().enumerate() {
            sent(one, submit(datanet, vec![item(&[n as u8; 20])]));
            next_block();
        }
        sessions(2);
        let waiting = || {
            let draws = Draws::<Runtime>::iter();
            let waits = draws.filter(|(_, record)| record.draw.session().is_some());
            waits.map(|(draw, _)| draw).collect::<Vec<_>>()
        };
        assert_eq!(waiting().len(), 3, "four of seven are drawn");
        let seed = pallet_review::Seeds::<Runtime>::get(session()).expect("it is kept");
        upgrade();
        let late = waiting();
        assert_eq!(late.len(), 3);
        next_block();
        assert!(waiting().is_empty());
        for draw in late {
            let seed = openledger_primitives::committee::draw_seed(&seed, draw);
            assert_eq!(Draws::<Runtime>::get(draw).expect("it is there").draw.seed, seed);
        }
        end_block();
    });
}
