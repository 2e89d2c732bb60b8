//! What those gain who cheat in disputes: nothing.

use crate::{
    disputes::{
        commit, dispute, disputed, drawn, hash, judged, reveal, salt, stands, submitted, DORA, FEE,
        PRICE,
    },
    mock::*,
};
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    job::{
        dispute::{
            Finding::{DoesNotLoad, Holds, NotReproduced},
            Outcome, DRAW_AGAIN, DRAW_DELAY,
        },
        JobFailure,
    },
    Balance, JobId, JobState, OPEN,
};
use pallet_training::{Error, MAX_DUTIES};

#[test]
fn a_copied_commitment_cannot_be_opened() {
    run(|| {
        let (id, [one, two, three]) = disputed();
        commit(id, one, DoesNotLoad);
        commit(id, three, DoesNotLoad);
        // The copycat repeats what it saw in the pool, and what opens it.
        let copied = hash(id, one, DoesNotLoad);
        assert_ok!(Training::commit_finding(signed(two), id, copied));
        pass(1);
        reveal(id, one, DoesNotLoad);
        assert_noop!(
            Training::reveal_finding(signed(two), id, DoesNotLoad, salt(one)),
            Error::<Test>::OtherCommitment
        );
        reveal(id, three, DoesNotLoad);
        pass(REVEAL + 1);
        assert_eq!(dispute(id).outcome, Some(Outcome::Upheld));
        assert_eq!(free(two), RICH - BOND, "it is paid nothing");
    });
}

#[test]
fn a_hash_made_for_one_dispute_opens_no_other() {
    run(|| {
        // The same six look at two results.
        worker(WANDA, 7);
        (20..23).for_each(|who| worker(who, OPEN));
        let ids = [0, 1].map(|_| {
            let id = job(1_000, PRICE);
            train(WANDA, id);
            assert_ok!(Training::dispute(signed(DORA), id));
            id
        });
        pass(DRAW_DELAY);
        for who in 20..23 {
            let mut duties = Training::duties(who);
            duties.sort_unstable();
            assert_eq!(duties, ids);
            let hash = hash(ids[0], who, Holds);
            for id in ids {
                assert_ok!(Training::commit_finding(signed(who), id, hash));
            }
        }
        pass(1);
        for who in 20..23 {
            reveal(ids[0], who, Holds);
            assert_noop!(
                Training::reveal_finding(signed(who), ids[1], Holds, salt(who)),
                Error::<Test>::OtherCommitment
            );
        }
        pass(REVEAL + 1);
        assert_eq!(dispute(ids[0]).outcome, Some(Outcome::Rejected));
        assert_eq!(dispute(ids[1]).outcome, Some(Outcome::NoQuorum));
    });
}

#[test]
fn a_worker_that_disputes_itself_to_use_the_one_dispute_up_faces_the_same_judges() {
    run(|| {
        // Its second account comes first, before somebody honest can.
        let id = submitted(6);
        let second = 31;
        assert_ok!(Training::dispute(signed(second), id));
        assert_noop!(Training::dispute(signed(DORA), id), Error::<Test>::WrongState);
        pass(DRAW_DELAY);
        judged(id, &drawn(id).map(|who| (who, NotReproduced)));
        assert_eq!(state(id), JobState::Failed(JobFailure::Refuted));
        let both = free(WANDA) + bond_held(WANDA) + free(second);
        assert_eq!(both, 2 * RICH - DISPUTE_BOND, "it has only lost by it");
    });
}

#[test]
fn an_owner_that_disputes_to_pay_later_pays_for_it() {
    run(|| {
        let id = submitted(6);
        let posted = System::block_number();
        assert_ok!(Training::dispute(signed(OWNER), id));
        pass(DRAW_DELAY);
        judged(id, &drawn(id).map(|who| (who, Holds)));
        assert!(matches!(state(id), JobState::Completed { .. }));
        assert_eq!(free(OWNER), RICH - PRICE - DISPUTE_BOND);
        // Those drawn say how long it lasts, and not the owner.
        assert!(System::block_number() <= posted + DRAW_DELAY + 3);
    });
}

#[test]
fn nobody_delays_a_payment_beyond_the_windows() {
    run(|| {
        let (id, [one, two, _]) = disputed();
        let drawn_at = System::block_number();
        go_to(dispute(id).commit_by);
        commit(id, one, Holds);
        commit(id, two, Holds);
        go_to(drawn_at + COMMIT + REVEAL);
        assert!(matches!(state(id), JobState::Disputed { .. }));
        pass(1);
        stands(id);
    });
}

#[test]
fn a_drawn_worker_leaves_only_when_it_is_settled_and_goes_on_to_train_meanwhile() {
    run(|| {
        let (id, [one, two, three]) = disputed();
        assert_noop!(Training::deregister_worker(signed(one)), Error::<Test>::WorkerIsDrawn);
        // It pauses, and is heard all the same; it is given jobs, and does them.
        assert_ok!(Training::pause(signed(one)));
        let other = job(1_000, 2_000 * OPEN);
        let busy = worker_of(other).expect("somebody is idle");
        assert_ok!(Training::take(signed(busy), other));
        judged(id, &[(one, Holds), (two, Holds), (three, Holds)]);
        assert_eq!(dispute(id).outcome, Some(Outcome::Rejected));
        assert_ok!(Training::submit_result(signed(busy), other, result()));
        assert_ok!(Training::deregister_worker(signed(one)));
        assert_eq!(free(one), RICH + FEE);
    });
}

#[test]
fn the_bond_of_a_worker_stays_until_its_dispute_is_settled() {
    run(|| {
        let (id, all) = disputed();
        assert_noop!(
            Training::deregister_worker(signed(WANDA)),
            Error::<Test>::WorkerHasOpenResults
        );
        // She trains the next one meanwhile, and has it when the first one is found wrong.
        let next = job(1_000, PRICE);
        assert_eq!(worker_of(next), Some(WANDA));
        judged(id, &all.map(|who| (who, DoesNotLoad)));
        let wanda = Training::worker(WANDA).expect("registered");
        assert!(wanda.paused);
        assert_eq!(state(id), JobState::Failed(JobFailure::Refuted));
    });
}

#[test]
fn an_owner_can_neither_call_off_nor_extend_what_is_in_dispute() {
    run(|| {
        let (id, all) = disputed();
        assert_noop!(Training::cancel_job(signed(OWNER), id), Error::<Test>::WrongState);
        assert_noop!(Training::extend_deadline(signed(OWNER), id, 900), Error::<Test>::WrongState);
        assert_noop!(Training::prune_job(signed(OWNER), id), Error::<Test>::WrongState);
        // Nor does the deadline end it.
        judged(id, &all.map(|who| (who, Holds)));
        stands(id);
    });
}

#[test]
fn who_is_drawn_for_many_disputes_is_passed_over() {
    run(|| {
        worker(WANDA, 0);
        (20..23).for_each(|who| worker(who, OPEN));
        let count = u64::from(MAX_DUTIES) + 1;
        let ids: Vec<JobId> = (0..count)
            .map(|_| {
                let id = job(1_000, PRICE);
                train(WANDA, id);
                assert_ok!(Training::dispute(signed(DORA), id));
                id
            })
            .collect();
        // So many a block.
        pass(DRAW_DELAY);
        let have = |ids: &[JobId]| ids.iter().filter(|id| !dispute(**id).drawn.is_empty()).count();
        assert!(have(&ids) <= DISPUTES as usize);
        pass(4);
        assert_eq!(have(&ids), MAX_DUTIES as usize);
        // The one that is left is not over, or a worker could keep all judges busy and be paid: it waits
        // until they have room.
        let left: Vec<_> = ids.iter().copied().filter(|id| dispute(*id).drawn.is_empty()).collect();
        assert_eq!(left.len(), 1);
        assert!(matches!(state(left[0]), JobState::Disputed { .. }));
        let judging = || ids.iter().copied().filter(|id| *id != left[0]).map(|id| (id, drawn(id)));
        judging().for_each(|(id, all)| all.iter().for_each(|who| commit(id, *who, Holds)));
        pass(1);
        judging().for_each(|(id, all)| all.iter().for_each(|who| reveal(id, *who, Holds)));
        pass(DRAW_AGAIN);
        assert_eq!(dispute(left[0]).drawn.len(), 3);
        judged(left[0], &drawn(left[0]).map(|who| (who, NotReproduced)));
        assert_eq!(state(left[0]), JobState::Failed(JobFailure::Refuted));
        assert!(ids.iter().all(|id| dispute(*id).outcome.is_some()), "all of them end");
        let lost = Balance::from(MAX_DUTIES) * DISPUTE_BOND;
        assert_eq!((free(DORA), dispute_held(DORA)), (RICH - lost, 0));
    });
}

#[test]
fn a_draw_that_waits_ends_when_there_are_too_few_to_wait_for() {
    run(|| {
        worker(WANDA, 0);
        (20..23).for_each(|who| worker(who, OPEN));
        let ids: Vec<JobId> = (0..=MAX_DUTIES)
            .map(|_| {
                let id = job(1_000, PRICE);
                train(WANDA, id);
                assert_ok!(Training::dispute(signed(DORA), id));
                id
            })
            .collect();
        pass(DRAW_DELAY + 4);
        let left = ids.iter().find(|id| dispute(**id).drawn.is_empty()).expect("one waits");
        // One of three leaves the market for good.
        assert_ok!(Training::pause(signed(21)));
        pass(DRAW_AGAIN);
        assert_eq!(dispute(*left).outcome, Some(Outcome::NoQuorum));
        pass(Window::get());
        assert!(matches!(state(*left), JobState::Completed { .. }));
    });
}

#[test]
fn payments_do_not_wait_for_disputes() {
    run(|| {
        worker(WANDA, 0);
        (20..26).for_each(|who| worker(who, OPEN));
        let ids: Vec<JobId> = (0..DISPUTES as u64 + 3)
            .map(|_| {
                let id = job(1_000, PRICE);
                train(WANDA, id);
                id
            })
            .collect();
        let (paid, in_dispute) = ids.split_first().expect("several");
        for id in in_dispute {
            assert_ok!(Training::dispute(signed(DORA), *id));
        }
        pass(Window::get());
        assert!(matches!(state(*paid), JobState::Completed { .. }));
    });
}
