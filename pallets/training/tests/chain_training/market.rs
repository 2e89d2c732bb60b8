//! Attacks on the market, replayed through the pallet's public door: none of them pays.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{JobId, JobState, Method, Serves, OPEN};
use pallet_training::{AgendaOf, Error, Event, Jobs, Waiting};

/// Somebody who means harm.
const MALLORY: AccountId = 3;

fn job_by(owner: AccountId, price: u128) -> JobId {
    job_of(owner, Method::Lora, 1_000, 1_000 * price, System::block_number() + 500)
}

fn paused(who: AccountId) -> bool {
    Training::worker(who).expect("registered").paused
}

/// (a) A deadline five blocks away cost every worker that took the job, though it was heard of.
#[test]
fn a_deadline_that_cannot_be_kept_is_refused_and_costs_no_worker() {
    run(|| {
        worker(WANDA, 7);
        for blocks in [1, 5, TAKE + HEARTBEAT] {
            assert_noop!(
                Training::create_job(
                    signed(MALLORY),
                    0,
                    datasets(&[(0, 3)]),
                    spec(Method::Lora),
                    1_000,
                    10,
                    System::block_number() + blocks
                ),
                Error::<Test>::DeadlineTooSoon
            );
        }
        // The shortest that there is goes to nobody who named a longer time: 1,000 tokens take Wanda
        // two blocks.
        let id = job_until(1_000, 10_000, System::block_number() + TAKE + HEARTBEAT + 1);
        assert!(is_queued(id));
        pass(20);
        assert_eq!(bond_held(WANDA), BOND);
    });
}

/// (a) And whoever is given a job has, from the last moment to take it, the time that it named.
#[test]
fn a_worker_has_the_time_that_it_named_from_the_moment_it_takes_a_job() {
    run(|| {
        worker_that(WANDA, 7, &[LORA], Serves::UpTo(BYTES), 64);
        let now = System::block_number();
        // 6,400 tokens at 64 a second: 100 blocks.
        let id = job_until(6_400, 64_000, now + TAKE + HEARTBEAT + 100);
        assert_eq!(worker_of(id), Some(WANDA));
        pass(TAKE);
        assert_ok!(Training::take(signed(WANDA), id));
        for step in 1..=10 {
            pass(HEARTBEAT);
            assert_ok!(Training::heartbeat(signed(WANDA), id, step, 10));
        }
        pass(HEARTBEAT);
        assert_eq!(System::block_number(), get(id).deadline);
        assert_ok!(Training::submit_result(signed(WANDA), id, result()));
        assert_eq!(bond_held(WANDA), BOND);
    });
}

/// (c) A worker that saw a job in the pool raised its price to the whole budget in the same block,
/// and was paid that, while a cheaper one was idle.
#[test]
fn a_floor_raised_for_a_job_in_sight_gains_nothing() {
    run(|| {
        worker(MALLORY, 1);
        worker(WANDA, 1);
        assert_ok!(update(MALLORY, &[LORA], 9));
        System::assert_has_event(
            Event::PriceRaiseWaits {
                worker: MALLORY,
                price_per_token: 9,
                from: System::block_number() + RAISE,
            }
            .into(),
        );
        // The job pays what it offers, whoever takes it, and the higher floor does not count yet.
        let id = job(1_000, 5_000);
        let assignment = *get(id).assignment().expect("assigned");
        assert_eq!((assignment.worker, assignment.price), (MALLORY, 5_000));
        assert_ok!(Training::cancel_job(signed(OWNER), id));

        // Saying it again before its time changes nothing; once it has come, it counts and costs the
        // place.
        pass(RAISE - 1);
        assert_ok!(update(MALLORY, &[LORA], 9));
        assert_eq!(Training::worker(MALLORY).expect("registered").price_per_token, 1);
        pass(1);
        assert_ok!(update(MALLORY, &[LORA], 9));
        assert_eq!(Training::worker(MALLORY).expect("registered").price_per_token, 9);
        assert_ok!(update(MALLORY, &[LORA], 1));
        assert_eq!(worker_of(job(1_000, 5_000)), Some(WANDA));
    });
}

/// (d) 400 jobs that nobody could afford held up an honest one for 51 blocks beside an idle worker.
#[test]
fn jobs_that_no_worker_fits_hold_up_nobody() {
    run(|| {
        base_model(openledger_primitives::ModelFamily::Llama);
        worker_that(WANDA, 10, &[LORA], models(&[0]), RATE);
        for n in 0..200 {
            // Too cheap; of another base model; in too short a time.
            job_by(MALLORY, 2 + n % 8);
            let (of, now) = (datasets(&[(0, 3), (4, 10)]), System::block_number());
            let call = |base, deadline| {
                let of = of.clone();
                Training::create_job(
                    signed(MALLORY),
                    base,
                    of,
                    spec(Method::Lora),
                    1_000,
                    99,
                    deadline,
                )
            };
            assert_ok!(call(1, now + 500));
            assert_ok!(call(0, now + TAKE + HEARTBEAT + 1));
        }
        let honest = job(1_000, 10_000);
        assert_eq!(worker_of(honest), Some(WANDA), "in the very block");
        train(WANDA, honest);
        // And one that waits is found by a worker that comes.
        let second = job(1_000, 11_000);
        assert_eq!(worker_of(second), Some(WANDA));
        let third = job(1_000, 11_000);
        worker_that(WALTER, 11, &[LORA], models(&[0]), RATE);
        assert_eq!(worker_of(third), Some(WALTER));
    });
}

/// (d) Workers that do not fit, however cheap, hide none that does.
#[test]
fn workers_that_do_not_fit_hide_none_that_does() {
    run(|| {
        base_model(openledger_primitives::ModelFamily::Llama);
        for n in 0..12 {
            worker_that(20 + n, 1, &[LORA], models(&[1]), RATE);
            worker_that(32 + n, 1, &[LORA], Serves::UpTo(1), RATE);
            worker_that(44 + n, 1, &[LORA], Serves::UpTo(BYTES), 1);
        }
        worker(WANDA, 9);
        // In time only for workers of 32 tokens a second and more.
        let id = job_until(1_000, 10_000, System::block_number() + TAKE + HEARTBEAT + 40);
        assert_eq!(worker_of(id), Some(WANDA));
    });
}

/// (e) A worker sat on a job until its deadline by heartbeats alone.
#[test]
fn heartbeats_without_steps_do_not_keep_a_job() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10 * OPEN);
        let taken = System::block_number();
        assert_ok!(Training::take(signed(WANDA), id));
        assert_ok!(Training::heartbeat(signed(WANDA), id, 0, 100));
        while worker_of(id) == Some(WANDA) {
            let _ = Training::heartbeat(signed(WANDA), id, 0, 100);
            next_block();
        }
        // The window, and twice the two blocks that a step of all 1,000 tokens takes at her rate.
        assert_eq!(System::block_number(), taken + PROGRESS + 4 + 1);
        assert_eq!(bond_held(WANDA), BOND - 5 * OPEN, "half the price");
        assert!(is_queued(id));
    });
}

/// (e) Nor do steps that are told and never end: twice the time that the worker named itself.
#[test]
fn a_worker_that_does_not_end_in_twice_the_time_it_named_loses_the_job() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10 * OPEN);
        let taken = System::block_number();
        assert_ok!(Training::take(signed(WANDA), id));
        let mut step = 0;
        while worker_of(id) == Some(WANDA) {
            step += 1;
            assert_ok!(Training::heartbeat(signed(WANDA), id, step, 1_000_000));
            next_block();
        }
        assert_eq!(System::block_number(), taken + HEARTBEAT + PROGRESS + 4 + 1);
        assert_eq!(bond_held(WANDA), BOND - 5 * OPEN);
        assert!(System::block_number() < get(id).deadline);
    });
}

#[test]
fn progress_is_told_once_and_never_taken_back() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        assert_ok!(Training::take(signed(WANDA), id));
        assert_ok!(Training::heartbeat(signed(WANDA), id, 0, 0));
        assert_ok!(Training::heartbeat(signed(WANDA), id, 3, 30));
        assert_noop!(Training::heartbeat(signed(WANDA), id, 4, 4), Error::<Test>::OtherTotal);
        // A worker that came back from a checkpoint is behind for a while.
        assert_ok!(Training::heartbeat(signed(WANDA), id, 1, 30));
        let JobState::Training { step, total_steps, .. } = state(id) else { panic!("training") };
        assert_eq!((step, total_steps), (3, 30));
    });
}

/// (e) An owner may call a job off that is being trained, and pays for what was shown.
#[test]
fn calling_off_pays_the_smaller_share_and_half_at_most() {
    // Steps shown of 100, to which the one comes that it is at, blocks of the 20 that 1,000 tokens take at 64 a second: what is paid of 1,000.
    for (step, blocks, pay) in [(0, 8, 10), (30, 8, 310), (90, 8, 400), (90, 15, 500), (100, 0, 0)]
    {
        run(|| {
            worker_that(WANDA, 1, &[LORA], Serves::UpTo(BYTES), 64);
            let id = job(1_280, 12_800);
            assert_ok!(Training::take(signed(WANDA), id));
            pass(blocks.min(HEARTBEAT));
            assert_ok!(Training::heartbeat(signed(WANDA), id, step, 100));
            pass(blocks.saturating_sub(HEARTBEAT));
            assert_ok!(Training::cancel_job(signed(OWNER), id));
            let paid = 12_800 * pay / 1_000;
            assert_eq!(free(WANDA), RICH - BOND + paid, "{step} steps in {blocks} blocks");
            assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - paid, 0));
            assert_eq!((bond_held(WANDA), paused(WANDA)), (BOND, false));
            assert_eq!(state(id), JobState::Cancelled);
            System::assert_has_event(Event::JobCancelled { job: id, refund: 12_800 - paid }.into());
            assert_noop!(
                Training::submit_result(signed(WANDA), id, result()),
                Error::<Test>::WrongState
            );
        });
    }
}

/// (f) Cancelled and failed jobs stayed for ever for the price of a call.
#[test]
fn what_came_to_nothing_is_pruned_by_anyone_and_its_deposit_goes_back() {
    run(|| {
        let cancelled = job_by(MALLORY, 10);
        assert_ok!(Training::cancel_job(signed(MALLORY), cancelled));
        assert_eq!(deposit_held(MALLORY), JOB_DEPOSIT);
        let prune = |who, id| Training::prune_job(signed(who), id);
        assert_noop!(prune(WANDA, cancelled), Error::<Test>::TooEarly);
        pass(PRUNE);
        assert_ok!(prune(WANDA, cancelled));
        assert_eq!((Balances::free_balance(MALLORY), deposit_held(MALLORY)), (RICH, 0));
        System::assert_has_event(Event::JobPruned { job: cancelled, deposit: JOB_DEPOSIT }.into());
        assert_eq!(Jobs::<Test>::iter().count(), 0);
        assert_eq!(Waiting::<Test>::iter().count() + AgendaOf::<Test>::iter().count(), 0);
        assert_noop!(prune(MALLORY, cancelled), Error::<Test>::UnknownJob);

        let own = job_by(MALLORY, 10);
        assert_noop!(prune(MALLORY, own), Error::<Test>::WrongState);
        assert_ok!(Training::cancel_job(signed(MALLORY), own));
        assert_ok!(prune(MALLORY, own));

        worker(WANDA, 7);
        let done = job_by(MALLORY, 10);
        train(WANDA, done);
        assert_noop!(prune(MALLORY, done), Error::<Test>::WrongState);
        pass(Window::get() + PRUNE);
        assert_noop!(prune(MALLORY, done), Error::<Test>::WrongState);
        assert_eq!(deposit_held(MALLORY), JOB_DEPOSIT, "for as long as the adapter's job stands");
    });
}

/// (g) Create and cancel put a rival worker at the tail.
#[test]
fn creating_and_cancelling_moves_no_rival_to_the_tail() {
    run(|| {
        worker(WANDA, 7);
        worker(WALTER, 7);
        for take in [false, true] {
            let id = job_by(MALLORY, 10);
            assert_eq!(worker_of(id), Some(WANDA));
            if take {
                assert_ok!(Training::take(signed(WANDA), id));
            }
            assert_ok!(Training::cancel_job(signed(MALLORY), id));
            assert_eq!(worker_of(job(1_000, 10_000)), Some(WANDA));
            train(WANDA, NextJob::get() - 1);
            worker_goes_first();
        }
    });
}

type NextJob = pallet_training::NextJob<Test>;

/// Puts Walter behind Wanda again, who has just posted a result.
fn worker_goes_first() {
    assert_ok!(Training::pause(signed(WALTER)));
    assert_ok!(Training::resume(signed(WALTER)));
}

/// (h) Junk that times out filled the agenda, and payments waited behind it.
#[test]
fn payments_do_not_wait_behind_junk() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        train(WANDA, id);
        let due = System::block_number() + Window::get();
        // All of these run out of time in the block of the payment.
        assert_ok!(Training::pause(signed(WANDA)));
        for _ in 0..20 * EXPIRIES {
            job_of(MALLORY, Method::Lora, 1_000, 10_000, due - 1 + TAKE + HEARTBEAT + 1);
        }
        go_to(due);
        assert!(Training::adapter(id).is_some());
        assert_eq!(free(WANDA), RICH - BOND + 10_000);
    });
}

#[test]
fn an_owner_tops_up_and_extends_what_waits() {
    run(|| {
        worker(WANDA, 20);
        let id = job(1_000, 10_000);
        let raise = |who, price| Training::raise_price(signed(who), id, price);
        assert_noop!(raise(MALLORY, 11), Error::<Test>::NotTheOwner);
        assert_noop!(raise(OWNER, 10), Error::<Test>::NotHigher);
        assert_noop!(raise(OWNER, u128::MAX), Error::<Test>::AboveBudget);
        assert_ok!(raise(OWNER, 20));
        assert_eq!(worker_of(id), Some(WANDA));
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - 20_000, 20_000));
        assert_noop!(raise(OWNER, 21), Error::<Test>::WrongState);

        let extend = |who, deadline| Training::extend_deadline(signed(who), id, deadline);
        let deadline = get(id).deadline;
        assert_noop!(extend(MALLORY, deadline + 1), Error::<Test>::NotTheOwner);
        assert_noop!(extend(OWNER, deadline), Error::<Test>::NotLater);
        assert_noop!(extend(OWNER, 1 + LONGEST + 1), Error::<Test>::DeadlineTooFar);
        assert_ok!(extend(OWNER, deadline + 1));
        System::assert_has_event(
            Event::JobDeadlineExtended { job: id, deadline: deadline + 1 }.into(),
        );
        train(WANDA, id);
        assert_noop!(extend(OWNER, deadline + 2), Error::<Test>::WrongState);
    });
}

#[test]
fn a_longer_deadline_finds_slower_workers() {
    run(|| {
        worker_that(WANDA, 1, &[LORA], Serves::UpTo(BYTES), 1);
        let id = job_until(100, 10_000, System::block_number() + 50);
        assert!(is_queued(id));
        assert_ok!(Training::extend_deadline(signed(OWNER), id, System::block_number() + 115));
        assert_eq!(worker_of(id), Some(WANDA));
    });
}

#[test]
fn a_retired_base_model_takes_no_new_jobs_and_gives_its_deposit_back() {
    run(|| {
        let before = Balances::free_balance(REGISTRAR);
        let id = job(1_000, 10_000);
        let retire = |who| Training::retire_base_model(signed(who), 0);
        assert_noop!(retire(OWNER), Error::<Test>::NotTheRegistrar);
        assert_ok!(retire(REGISTRAR));
        assert_eq!(Balances::free_balance(REGISTRAR), before + DEPOSIT);
        System::assert_last_event(Event::BaseModelRetired { base: 0, deposit: DEPOSIT }.into());
        assert_noop!(retire(REGISTRAR), Error::<Test>::BaseModelRetired);
        let deadline = System::block_number() + 100;
        assert_noop!(
            Training::create_job(
                signed(OWNER),
                0,
                datasets(&[(0, 3)]),
                spec(Method::Lora),
                1_000,
                10,
                deadline
            ),
            Error::<Test>::BaseModelRetired
        );
        // The job that named it goes on. Its record is the last that keeps the model's.
        assert_eq!(Training::base_models(0, 10)[0].jobs, 1);
        assert_ok!(Training::cancel_job(signed(OWNER), id));
        assert_ok!(Training::prune_job(signed(OWNER), id));
        assert!(Training::base_models(0, 10).is_empty());
        assert_noop!(retire(REGISTRAR), Error::<Test>::UnknownBaseModel);
    });
}

#[test]
fn workers_are_read_in_pages() {
    run(|| {
        (20..30).for_each(|who| worker(who, 7));
        let mut seen = Vec::new();
        while let page @ [_, ..] = &Training::workers(seen.last().copied(), 3)[..] {
            assert!(page.len() <= 3);
            seen.extend(page.iter().map(|worker| worker.account));
        }
        seen.sort_unstable();
        assert_eq!(seen, (20..30).collect::<Vec<_>>());
    });
}
