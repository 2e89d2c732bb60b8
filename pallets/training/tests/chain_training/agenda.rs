//! The work at the start of a block is bounded, and nothing that is due is forgotten.

use crate::mock::*;
use frame_support::{assert_ok, traits::Hooks};
use openledger_primitives::{job::JobFailure, JobId, JobState, EXISTENTIAL_DEPOSIT, OPEN};
use pallet_training::{Agenda, AgendaCursor, AgendaOf, Event, Payments};
use sp_runtime::Perbill;

/// Blocks that a small job takes from its dispatch at the greatest speed.
const FASTEST: u32 = TAKE + HEARTBEAT + 1;

fn failed(jobs: &[JobId]) -> usize {
    jobs.iter().filter(|id| state(**id) == JobState::Failed(JobFailure::Deadline)).count()
}

#[test]
fn more_due_jobs_than_a_block_works_off_carry_over_in_order() {
    run(|| {
        // Of the fastest worker's 16 blocks no more than 10 are left.
        let last = System::block_number() + 10;
        let deadline = last + FASTEST;
        let jobs: Vec<JobId> = (0..10).map(|_| job_until(1, 10_000, deadline)).collect();
        let later = job_until(1, 10_000, deadline + 1);
        go_to(last);
        assert_eq!(failed(&jobs), 0);
        let mut seen = Vec::new();
        for _ in 0..4 {
            next_block();
            seen.push(failed(&jobs) as u32);
            assert!(seen.windows(2).all(|pair| pair[1] - pair[0] <= EXPIRIES));
        }
        assert_eq!(seen[0], EXPIRIES);
        assert_eq!(seen[3], 10);
        pass(2);
        assert_eq!(failed(&[later]), 1);
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH, 0));
        assert_eq!(Agenda::<Test>::iter().count(), 0);
        assert_eq!(AgendaCursor::<Test>::get(), Some(System::block_number() + 1));
    });
}

#[test]
fn an_unfinished_job_stands_on_the_agenda_once_at_every_moment() {
    run(|| {
        let entries = |id| {
            let all = Agenda::<Test>::iter().chain(Payments::<Test>::iter());
            let on: Vec<u32> = all.filter(|(_, job, ())| *job == id).map(|e| e.0).collect();
            assert_eq!(on.first().copied(), AgendaOf::<Test>::get(id));
            on
        };
        let id = job(1_000, 10_000);
        let of_its_class = TAKE + HEARTBEAT + 250;
        assert_eq!(entries(id), [get(id).deadline - of_its_class + 1], "4 tokens a second suffice");
        worker(WANDA, 7);
        let assigned = System::block_number();
        assert_eq!(entries(id), [assigned + TAKE + 1]);
        assert_ok!(Training::take(signed(WANDA), id));
        // The entry is early now: it stays, and is moved when it comes up.
        assert_eq!(entries(id), [assigned + TAKE + 1]);
        go_to(assigned + TAKE + 1);
        assert_eq!(entries(id), [assigned + HEARTBEAT + 1]);
        assert_ok!(Training::heartbeat(signed(WANDA), id, 1, 2));
        assert_eq!(entries(id), [assigned + HEARTBEAT + 1]);
        go_to(assigned + HEARTBEAT + 1);
        assert_eq!(entries(id), [assigned + TAKE + 1 + HEARTBEAT + 1]);
        let now = System::block_number();
        assert_ok!(Training::submit_result(signed(WANDA), id, result()));
        assert_eq!(entries(id), [now + Window::get()]);
        pass(Window::get());
        assert_eq!(entries(id), [0; 0]);
    });
}

#[test]
fn blocks_in_which_nothing_ran_are_made_up_for() {
    run(|| {
        let start = System::block_number();
        let jobs: Vec<JobId> =
            (0..6).map(|n| job_until(1_000, 10_000, start + FASTEST + n)).collect();
        System::set_block_number(start + 100);
        Training::on_initialize(start + 100);
        // A block makes up for a bounded number of others.
        assert!(AgendaCursor::<Test>::get().expect("set") <= start + 1 + EXPIRIES);
        for _ in 0..60 {
            next_block();
        }
        assert_eq!(failed(&jobs), 6);
        assert_eq!(AgendaCursor::<Test>::get(), Some(System::block_number() + 1));
    });
}

#[test]
fn a_payment_that_is_not_possible_is_kept_and_tried_again() {
    run(|| {
        // A bond that one time-out uses up, and a window in which the account can disappear.
        Penalty::set(Perbill::one());
        Window::set(40);
        worker(WANDA, 7);
        let first = job(1_000, 10_000);
        train(WANDA, first);
        let second = job(1_000, BOND);
        pass(TAKE + 2);
        assert!(is_queued(second));
        assert_ok!(Balances::transfer_allow_death(signed(WANDA), OWNER, free(WANDA)));
        assert_eq!(frame_system::Account::<Test>::get(WANDA).providers, 0);

        pass(40);
        assert!(matches!(state(first), JobState::Submitted { .. }));
        assert_eq!(budget_held(OWNER), 10_000 + BOND);
        let until = events()
            .into_iter()
            .find_map(|event| match event {
                Event::JobDelayed { job, until } if job == first => Some(until),
                _ => None,
            })
            .expect("said that it is delayed");

        assert_ok!(Balances::transfer_keep_alive(signed(OWNER), WANDA, EXISTENTIAL_DEPOSIT));
        go_to(until);
        assert!(matches!(state(first), JobState::Completed { .. }));
        assert_eq!(free(WANDA), EXISTENTIAL_DEPOSIT + 10_000);
        assert_eq!(budget_held(OWNER), BOND);
        assert!(Training::adapter(first).is_some());
    });
}

#[test]
fn a_block_with_work_weighs_more_than_one_without() {
    run(|| {
        worker(WANDA, 7);
        job(1_000, 10_000);
        let idle = Training::on_initialize(System::block_number());
        pass(TAKE);
        System::set_block_number(System::block_number() + 1);
        let timing_out = Training::on_initialize(System::block_number());
        assert!(timing_out.ref_time() > idle.ref_time());
    });
}

#[test]
fn penalties_of_one_block_reach_the_treasury_whole() {
    run(|| {
        (20..24).for_each(|who| worker(who, 0));
        (0..4).for_each(|_| {
            job(1_000, 10 * OPEN);
        });
        pass(TAKE + 1);
        assert_eq!(free(TREASURY), RICH + 4 * 5 * OPEN);
    });
}
