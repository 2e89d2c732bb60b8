//! Workers and jobs whose time passes.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{job::JobFailure, JobState, OPEN};
use pallet_training::{Error, Event};
use sp_runtime::Perbill;

#[test]
fn a_job_can_be_taken_until_the_end_of_its_window_and_not_later() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        pass(TAKE);
        assert_ok!(Training::take(signed(WANDA), id));
    });
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10 * OPEN);
        pass(TAKE + 1);
        assert_noop!(Training::take(signed(WANDA), id), Error::<Test>::WrongState);
        assert!(is_queued(id));
        assert_eq!(get(id).attempts, 1);
        assert_eq!(bond_held(WANDA), BOND - 5 * OPEN, "half the price");
        assert_eq!(free(TREASURY), RICH + 5 * OPEN);
        // Nothing of the owner's has moved.
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - 10 * OPEN, 10 * OPEN));
        System::assert_has_event(
            Event::JobTimedOut { job: id, worker: WANDA, penalty: 5 * OPEN }.into(),
        );
        System::assert_has_event(Event::JobRequeued { job: id, attempts: 1 }.into());
    });
}

#[test]
fn a_worker_that_timed_out_gets_nothing_until_it_resumes() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        pass(TAKE + 2);
        assert!(is_queued(id));
        pass(20);
        assert!(is_queued(id));
        assert_eq!(get(id).attempts, 1);
        assert!(Training::worker(WANDA).expect("registered").paused);
        // The job is not for her any more; another one is.
        assert_ok!(Training::resume(signed(WANDA)));
        next_block();
        assert!(is_queued(id));
        assert_eq!(worker_of(job(1_000, 10_000)), Some(WANDA));
    });
}

#[test]
fn a_job_that_timed_out_goes_to_another_worker_in_the_same_block() {
    run(|| {
        worker(WANDA, 7);
        worker(WALTER, 8);
        let id = job(1_000, 10_000);
        next_block();
        assert_eq!(worker_of(id), Some(WANDA));
        pass(TAKE + 1);
        let assignment = *get(id).assignment().expect("assigned");
        assert_eq!((assignment.worker, assignment.price), (WALTER, 10_000));
    });
}

#[test]
fn a_worker_that_falls_silent_loses_the_job() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        next_block();
        assert_ok!(Training::take(signed(WANDA), id));
        pass(HEARTBEAT);
        assert!(matches!(state(id), JobState::Training { .. }));
        next_block();
        assert!(is_queued(id));
        assert_eq!(bond_held(WANDA), BOND - 5_000);
    });
}

#[test]
fn a_worker_that_is_heard_of_keeps_the_job_until_the_deadline() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        next_block();
        assert_ok!(Training::take(signed(WANDA), id));
        // The time that she named twice, and the windows beside it.
        for step in 0..5 {
            pass(HEARTBEAT);
            assert_ok!(Training::heartbeat(signed(WANDA), id, step, 20));
        }
        pass(4);
        assert_ok!(Training::submit_result(signed(WANDA), id, result()));
        pass(Window::get());
        assert!(Training::adapter(id).is_some());
        assert_eq!(bond_held(WANDA), BOND);
    });
}

#[test]
fn a_late_result_is_refused_by_name_and_loses_nothing() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        next_block();
        assert_ok!(Training::take(signed(WANDA), id));
        pass(HEARTBEAT + 1);
        assert_noop!(
            Training::submit_result(signed(WANDA), id, result()),
            Error::<Test>::WrongState
        );
        assert_noop!(Training::heartbeat(signed(WANDA), id, 1, 2), Error::<Test>::WrongState);
        // And while another worker has the job.
        worker(WALTER, 7);
        assert_ok!(Training::take(signed(WALTER), id));
        assert_noop!(
            Training::submit_result(signed(WANDA), id, result()),
            Error::<Test>::NotTheWorker
        );
        assert_ok!(Training::submit_result(signed(WALTER), id, result()));
        pass(Window::get());
        assert_eq!(free(WALTER), RICH - BOND + 10_000);
        assert_eq!(free(WANDA), RICH - BOND);
    });
}

#[test]
fn calls_that_come_before_a_late_agenda_are_too_late_all_the_same() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        let assigned = System::block_number();
        System::set_block_number(assigned + TAKE + 1);
        assert_noop!(Training::take(signed(WANDA), id), Error::<Test>::TooLate);
        System::set_block_number(assigned);
        assert_ok!(Training::take(signed(WANDA), id));
        System::set_block_number(assigned + HEARTBEAT + 1);
        assert_noop!(Training::heartbeat(signed(WANDA), id, 1, 2), Error::<Test>::TooLate);
        assert_noop!(Training::submit_result(signed(WANDA), id, result()), Error::<Test>::TooLate);
    });
}

#[test]
fn a_job_fails_after_too_many_attempts_and_gives_the_budget_back() {
    run(|| {
        for worker_ in [WANDA, WALTER, WILMA] {
            worker(worker_, 7);
        }
        let id = job(1_000, 10 * OPEN);
        pass(3 * (TAKE + 1));
        assert_eq!(state(id), JobState::Failed(JobFailure::Attempts));
        assert_eq!(get(id).attempts, ATTEMPTS);
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH, 0));
        assert_eq!(free(TREASURY), RICH + 15 * OPEN);
        System::assert_has_event(
            Event::JobFailed { job: id, failure: JobFailure::Attempts, refund: 10 * OPEN }.into(),
        );
    });
}

#[test]
fn a_job_that_nobody_takes_fails_at_its_deadline_and_gives_the_budget_back() {
    run(|| {
        // With the windows and a block at the greatest speed, this is when the last worker could begin.
        let last = System::block_number() + 20;
        let id = job_until(1_000, 10_000, last + TAKE + HEARTBEAT + 1);
        go_to(last);
        assert!(is_queued(id));
        next_block();
        assert_eq!(state(id), JobState::Failed(JobFailure::Deadline));
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH, 0));
        worker(WANDA, 7);
        pass(3);
        assert_eq!(Training::worker(WANDA).expect("registered").job, None);
    });
}

#[test]
fn a_worker_that_trains_past_the_deadline_loses_job_and_penalty() {
    run(|| {
        worker(WANDA, 7);
        let deadline = System::block_number() + 20;
        let id = job_until(1_000, 10_000, deadline);
        next_block();
        assert_ok!(Training::take(signed(WANDA), id));
        while System::block_number() < deadline {
            next_block();
            assert_ok!(Training::heartbeat(signed(WANDA), id, 1, 2));
        }
        next_block();
        assert_eq!(state(id), JobState::Failed(JobFailure::Deadline));
        assert_eq!(bond_held(WANDA), BOND - 5_000);
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH, 0));
    });
}

#[test]
fn a_penalty_never_takes_more_than_the_bond() {
    run(|| {
        Penalty::set(Perbill::one());
        worker(WANDA, 7);
        let id = job(1_000, 10 * BOND);
        pass(TAKE + 2);
        assert!(is_queued(id));
        assert_eq!((free(WANDA), bond_held(WANDA)), (RICH - BOND, 0));
        assert_eq!(free(TREASURY), RICH + BOND);
        assert_eq!(Training::worker(WANDA).expect("registered").bond, 0);
    });
}

#[test]
fn a_penalty_that_cannot_be_moved_stays_with_the_worker_and_stops_nothing() {
    run(|| {
        // Less than an account must have.
        PenaltyAccount::set(1_000);
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        pass(TAKE + 2);
        assert!(is_queued(id));
        assert_eq!(bond_held(WANDA), BOND);
        System::assert_has_event(Event::JobTimedOut { job: id, worker: WANDA, penalty: 0 }.into());
    });
}

#[test]
fn a_job_that_timed_out_keeps_its_place_among_those_that_pay_the_same() {
    run(|| {
        worker(WANDA, 7);
        let first = job(1_000, 10_000);
        let second = job(1_000, 10_000);
        pass(TAKE + 2);
        assert!(is_queued(first) && is_queued(second));
        worker(WALTER, 7);
        assert_eq!(worker_of(first), Some(WALTER));
        assert!(is_queued(second));
    });
}

#[test]
fn a_worker_keeps_results_in_their_window_when_it_loses_a_later_job() {
    run(|| {
        worker(WANDA, 7);
        Window::set(30);
        let first = job(1_000, 10_000);
        let second = job(1_000, 10_000);
        next_block();
        train(WANDA, first);
        pass(TAKE + 2);
        assert!(is_queued(second));
        assert_noop!(
            Training::deregister_worker(signed(WANDA)),
            Error::<Test>::WorkerHasOpenResults
        );
        pass(30);
        assert_eq!(free(WANDA), RICH - BOND + 10_000);
        assert_ok!(Training::deregister_worker(signed(WANDA)));
        assert_eq!(free(WANDA), RICH + 10_000 - 5_000);
    });
}
