//! A job from its creation to its payment, with exact balances.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{JobState, Method, OPEN};
use pallet_training::{Error, Event};

#[test]
fn a_whole_life_pays_the_price_and_gives_the_rest_back() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - 10_000, 10_000));
        assert_eq!(deposit_held(OWNER), JOB_DEPOSIT);

        let JobState::Assigned { assignment, take_by } = state(id) else { panic!("assigned") };
        assert_eq!((assignment.worker, assignment.price), (WANDA, 10_000));
        assert_eq!(take_by, System::block_number() + TAKE);

        assert_ok!(Training::take(signed(WANDA), id));
        assert_ok!(Training::heartbeat(signed(WANDA), id, 3, 30));
        let JobState::Training { step, total_steps, heartbeat_by, .. } = state(id) else {
            panic!("training")
        };
        assert_eq!((step, total_steps), (3, 30));
        assert_eq!(heartbeat_by, System::block_number() + HEARTBEAT);

        assert_ok!(Training::submit_result(signed(WANDA), id, result()));
        let submitted = System::block_number();
        go_to(submitted + Window::get() - 1);
        assert!(matches!(state(id), JobState::Submitted { .. }));
        assert_eq!(budget_held(OWNER), 10_000);
        assert_eq!(Training::adapter(id), None);

        next_block();
        assert_eq!(state(id), JobState::Completed { assignment });
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - 10_000, 0));
        assert_eq!((free(WANDA), bond_held(WANDA)), (RICH - BOND + 10_000, BOND));

        let adapter = Training::adapter(id).expect("registered");
        assert_eq!((adapter.owner, adapter.worker, adapter.base), (OWNER, WANDA, 0));
        assert_eq!(adapter.datasets, get(id).datasets);
        assert_eq!(adapter.result, result());
        assert_eq!(adapter.registered_at, System::block_number());
        assert_eq!(
            events(),
            [
                Event::BaseModelRegistered { base: 0, registrar: REGISTRAR },
                Event::WorkerRegistered { worker: WANDA, price_per_token: 7 },
                Event::JobCreated { job: id, owner: OWNER, budget: 10_000 },
                Event::JobAssigned { job: id, worker: WANDA, price: 10_000, take_by },
                Event::JobTaken { job: id, worker: WANDA },
                Event::JobProgressed { job: id, step: 3, total_steps: 30 },
                Event::ResultSubmitted {
                    job: id,
                    worker: WANDA,
                    content: result().content,
                    completes_at: submitted + Window::get()
                },
                Event::JobCompleted { job: id, worker: WANDA, price: 10_000, refund: 0 },
            ]
        );
    });
}

#[test]
fn a_completed_job_is_paid_once() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        next_block();
        train(WANDA, id);
        pass(Window::get());
        let after = (free(OWNER), free(WANDA));
        assert_noop!(
            Training::submit_result(signed(WANDA), id, result()),
            Error::<Test>::WrongState
        );
        assert_noop!(Training::take(signed(WANDA), id), Error::<Test>::WrongState);
        assert_noop!(Training::cancel_job(signed(OWNER), id), Error::<Test>::WrongState);
        pass(600);
        assert_eq!((free(OWNER), free(WANDA)), after);
        let paid = events().iter().filter(|e| matches!(e, Event::JobCompleted { .. })).count();
        assert_eq!(paid, 1);
    });
}

#[test]
fn the_price_is_fixed_at_dispatch_though_the_worker_changes_its_own() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        next_block();
        assert_ok!(update(WANDA, &[LORA], 100));
        pass(RAISE - 2);
        train(WANDA, id);
        pass(Window::get());
        assert_eq!(free(WANDA), RICH - BOND + 10_000);
    });
}

#[test]
fn reported_tokens_never_change_the_price() {
    for tokens in [0, 1, u64::MAX] {
        run(|| {
            worker(WANDA, 7);
            let id = job(1_000, 10_000);
            next_block();
            assert_ok!(Training::take(signed(WANDA), id));
            let result = openledger_primitives::JobResult { tokens, ..result() };
            assert_ok!(Training::submit_result(signed(WANDA), id, result));
            pass(Window::get());
            assert_eq!(free(WANDA), RICH - BOND + 10_000);
            assert_eq!(free(OWNER), RICH - 10_000);
        });
    }
}

#[test]
fn a_worker_whose_floor_is_the_price_gets_the_job() {
    run(|| {
        worker(WANDA, 10);
        let id = job(1_000, 10_000);
        next_block();
        train(WANDA, id);
        pass(Window::get());
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - 10_000, 0));
        assert_eq!(free(WANDA), RICH - BOND + 10_000);
    });
}

#[test]
fn an_owner_may_be_its_own_worker() {
    run(|| {
        worker(OWNER, 7);
        let id = job(1_000, 10_000);
        next_block();
        train(OWNER, id);
        pass(Window::get());
        assert!(Training::adapter(id).is_some());
        assert_eq!((free(OWNER), budget_held(OWNER), bond_held(OWNER)), (RICH - BOND, 0, BOND));
    });
}

#[test]
fn budgets_of_several_jobs_are_held_apart() {
    run(|| {
        worker(WANDA, 7);
        let first = job(1_000, 10_000);
        let second = job(1_000, 50_000);
        assert_eq!(budget_held(OWNER), 60_000);
        next_block();
        train(WANDA, first);
        pass(Window::get());
        // Of what waits, the one that pays more a token came before.
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - 60_000, 50_000));
        assert_eq!(worker_of(second), Some(WANDA));
    });
}

#[test]
fn a_worker_is_free_once_its_result_is_posted_and_its_bond_is_not() {
    run(|| {
        worker(WANDA, 7);
        let first = job(1_000, 10_000);
        train(WANDA, first);
        assert_noop!(
            Training::deregister_worker(signed(WANDA)),
            Error::<Test>::WorkerHasOpenResults
        );
        let second = job(1_000, 10_000);
        assert!(matches!(state(first), JobState::Submitted { .. }));
        assert_eq!(worker_of(second), Some(WANDA));
        assert_noop!(Training::deregister_worker(signed(WANDA)), Error::<Test>::WorkerHasJob);
        train(WANDA, second);
        pass(Window::get() - 1);
        assert_noop!(
            Training::deregister_worker(signed(WANDA)),
            Error::<Test>::WorkerHasOpenResults
        );
        next_block();
        assert_ok!(Training::deregister_worker(signed(WANDA)));
        assert_eq!((free(WANDA), bond_held(WANDA)), (RICH + 20_000, 0));
    });
}

#[test]
fn a_result_may_complete_after_the_jobs_deadline() {
    run(|| {
        worker(WANDA, 7);
        let deadline = System::block_number() + TAKE + HEARTBEAT + 2;
        let id = job_until(1_000, 10_000, deadline);
        pass(TAKE);
        assert_ok!(Training::take(signed(WANDA), id));
        pass(HEARTBEAT);
        assert_ok!(Training::heartbeat(signed(WANDA), id, 1, 2));
        go_to(deadline);
        assert_ok!(Training::submit_result(signed(WANDA), id, result()));
        pass(Window::get());
        assert!(System::block_number() > deadline);
        assert!(matches!(state(id), JobState::Completed { .. }));
    });
}

#[test]
fn a_window_of_no_blocks_completes_in_the_next() {
    run(|| {
        Window::set(0);
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        next_block();
        train(WANDA, id);
        next_block();
        assert!(matches!(state(id), JobState::Completed { .. }));
    });
}

#[test]
fn jobs_before_a_worker_took_them_can_be_called_off() {
    run(|| {
        let queued = job(1_000, 10_000);
        assert_ok!(Training::cancel_job(signed(OWNER), queued));
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH, 0));
        assert_eq!(state(queued), JobState::Cancelled);

        worker(WANDA, 7);
        let assigned = job(1_000, 10_000);
        let next = job(1_000, 20_000);
        next_block();
        assert_eq!(worker_of(assigned), Some(WANDA));
        assert_ok!(Training::cancel_job(signed(OWNER), assigned));
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH - 20_000, 20_000));
        assert_noop!(Training::take(signed(WANDA), assigned), Error::<Test>::WrongState);
        assert_noop!(Training::cancel_job(signed(OWNER), assigned), Error::<Test>::WrongState);
        // Its worker lost nothing and has the next job already.
        next_block();
        assert_eq!(worker_of(next), Some(WANDA));
        assert_eq!(bond_held(WANDA), BOND);

        train(WANDA, next);
        assert_noop!(Training::cancel_job(signed(OWNER), next), Error::<Test>::WrongState);
    });
}

#[test]
fn a_job_that_was_called_off_never_comes_back() {
    run(|| {
        let id = job(1_000, 10_000);
        assert_ok!(Training::cancel_job(signed(OWNER), id));
        worker(WANDA, 7);
        pass(600);
        assert_eq!(state(id), JobState::Cancelled);
        assert_eq!(Training::worker(WANDA).expect("registered").job, None);
    });
}

#[test]
fn pages_of_jobs_are_in_order_of_number() {
    run(|| {
        for n in 0..120 {
            assert_eq!(job(1_000, 10_000), n);
        }
        let own = |start, limit| Training::jobs_of(OWNER, start, limit);
        assert_eq!(own(0, 100), Training::jobs(0, 100));
        assert_eq!(own(118, 100), Training::jobs(118, 100));
        assert!(Training::jobs_of(WANDA, 0, 100).is_empty() && own(120, 100).is_empty());
        let numbers = |start, limit| -> Vec<u64> {
            Training::jobs(start, limit).into_iter().map(|(id, _)| id).collect()
        };
        assert_eq!(numbers(0, u32::MAX), (0..100).collect::<Vec<_>>());
        assert_eq!(numbers(118, 10), [118, 119]);
        assert_eq!(numbers(120, 10), [0; 0]);
        assert_eq!(numbers(u64::MAX, 10), [0; 0]);
        assert_eq!(numbers(5, 0), [0; 0]);
    });
}

#[test]
fn what_an_owner_has_frozen_elsewhere_does_not_keep_the_worker_from_its_pay() {
    use frame_support::traits::{LockableCurrency, WithdrawReasons};
    run(|| {
        worker(WANDA, OPEN);
        let id = job(1_000, 1_000 * OPEN);
        next_block();
        Balances::set_lock(*b"elsewher", &OWNER, RICH, WithdrawReasons::all());
        train(WANDA, id);
        pass(Window::get());
        assert_eq!(free(WANDA), RICH - BOND + 1_000 * OPEN);
    });
}

#[test]
fn qlora_jobs_go_to_workers_for_qlora() {
    run(|| {
        worker(WANDA, 7);
        worker_for(WALTER, 9, &[QLORA]);
        let id = job_of(OWNER, Method::Qlora, 1_000, 10_000, 100);
        next_block();
        assert_eq!(worker_of(id), Some(WALTER));
        assert_eq!(get(id).kind, QLORA);
    });
}
