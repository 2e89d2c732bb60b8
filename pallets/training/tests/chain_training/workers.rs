//! Registration, pauses and bonds.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{api::WorkerView, JobKind, Method, Serves, OPEN};
use pallet_training::{Error, Event, Idle, IdleFirsts};
use sp_runtime::TokenError;

#[test]
fn a_worker_puts_its_bond_at_stake() {
    run(|| {
        worker(WANDA, 7);
        assert_eq!((free(WANDA), bond_held(WANDA)), (RICH - BOND, BOND));
        assert_eq!(
            Training::worker(WANDA),
            Some(WorkerView {
                account: WANDA,
                kinds: vec![LORA],
                price_per_token: 7,
                bond: BOND,
                endpoint: b"http://127.0.0.1:9000".to_vec(),
                job: None,
                paused: false,
                serves: Serves::UpTo(BYTES),
                tokens_per_second: RATE,
                lost: 0,
                declines: 0,
                rests_until: 0,
                raise: None,
            })
        );
        assert_eq!(Training::worker(WALTER), None);
    });
}

#[test]
fn registrations_that_make_no_sense_are_refused() {
    run(|| {
        let register = |who, of: &[JobKind]| {
            let serves = Serves::UpTo(BYTES);
            Training::register_worker(signed(who), kinds(of), 7, text(""), serves, RATE)
        };
        assert_noop!(register(WANDA, &[]), Error::<Test>::NoKinds);
        assert_noop!(register(WANDA, &[LORA, QLORA, LORA]), Error::<Test>::RepeatedKind);
        assert_noop!(
            Training::register_worker(
                signed(WANDA),
                kinds(&[LORA]),
                7,
                vec![0xff].try_into().expect("short"),
                Serves::UpTo(BYTES),
                RATE
            ),
            Error::<Test>::NotUtf8
        );
        for endpoint in ["http://a\u{202e}b", "http://\u{200b}", "\u{1b}[2J", " "] {
            assert_noop!(
                Training::register_worker(
                    signed(WANDA),
                    kinds(&[LORA]),
                    7,
                    text(endpoint),
                    models(&[]),
                    1
                ),
                Error::<Test>::HiddenCharacter
            );
        }
        assert_noop!(register(1_000, &[LORA]), TokenError::FundsUnavailable);
        assert_ok!(register(WANDA, &JobKind::all().collect::<Vec<_>>()));
        assert_noop!(register(WANDA, &[LORA]), Error::<Test>::AlreadyAWorker);
    });
}

#[test]
fn only_workers_are_updated_paused_resumed_or_deregistered() {
    run(|| {
        assert_noop!(update(WANDA, &[LORA], 7), Error::<Test>::NotAWorker);
        assert_noop!(Training::pause(signed(WANDA)), Error::<Test>::NotAWorker);
        assert_noop!(Training::resume(signed(WANDA)), Error::<Test>::NotAWorker);
        assert_noop!(Training::deregister_worker(signed(WANDA)), Error::<Test>::NotAWorker);
    });
}

#[test]
fn updates_that_make_no_sense_are_refused() {
    run(|| {
        worker(WANDA, 7);
        assert_noop!(update(WANDA, &[], 7), Error::<Test>::NoKinds);
        assert_noop!(update(WANDA, &[LORA, LORA], 7), Error::<Test>::RepeatedKind);
        assert_noop!(
            Training::update_worker(
                signed(WANDA),
                kinds(&[LORA]),
                7,
                vec![0xff].try_into().expect("short"),
                Serves::UpTo(BYTES),
                RATE
            ),
            Error::<Test>::NotUtf8
        );
    });
}

#[test]
fn an_idle_worker_can_change_its_kinds_and_lower_its_floor_and_keeps_its_place() {
    run(|| {
        worker(WANDA, 7);
        worker(WALTER, 5);
        worker(WILMA, 5);
        assert_ok!(update(WANDA, &[QLORA, LORA], 5));
        System::assert_has_event(Event::WorkerUpdated { worker: WANDA, price_per_token: 5 }.into());
        let lora = job(1_000, 10_000);
        assert_eq!(worker_of(lora), Some(WANDA), "she has been idle longest");
        assert_ok!(update(WILMA, &[QLORA], 5));
        let qlora = job_of(OWNER, Method::Qlora, 1_000, 10_000, 100);
        assert_eq!(worker_of(qlora), Some(WILMA));
    });
}

#[test]
fn a_kind_that_a_worker_gave_up_brings_it_no_jobs() {
    run(|| {
        worker(WANDA, 7);
        assert_ok!(update(WANDA, &[QLORA], 7));
        let id = job(1_000, 10_000);
        pass(3);
        assert!(is_queued(id));
    });
}

#[test]
fn a_paused_worker_gets_no_jobs_until_it_resumes() {
    run(|| {
        worker(WANDA, 7);
        assert_noop!(Training::resume(signed(WANDA)), Error::<Test>::NotPaused);
        assert_ok!(Training::pause(signed(WANDA)));
        assert_noop!(Training::pause(signed(WANDA)), Error::<Test>::AlreadyPaused);
        assert!(Training::worker(WANDA).expect("registered").paused);
        // An update does not end the pause.
        assert_ok!(update(WANDA, &[LORA], 6));
        let id = job(1_000, 10_000);
        pass(3);
        assert!(is_queued(id));
        assert_ok!(Training::resume(signed(WANDA)));
        next_block();
        assert_eq!(worker_of(id), Some(WANDA));
    });
}

#[test]
fn a_worker_that_pauses_while_it_trains_finishes_and_gets_no_further_job() {
    run(|| {
        worker(WANDA, 7);
        let first = job(1_000, 10_000);
        let second = job(1_000, 10_000);
        next_block();
        assert_ok!(Training::pause(signed(WANDA)));
        train(WANDA, first);
        pass(Window::get());
        assert!(Training::adapter(first).is_some());
        assert!(is_queued(second));
        assert_ok!(Training::resume(signed(WANDA)));
        next_block();
        assert_eq!(worker_of(second), Some(WANDA));
    });
}

#[test]
fn a_worker_that_resumes_while_it_trains_is_idle_only_afterwards() {
    run(|| {
        worker(WANDA, 7);
        let first = job(1_000, 10_000);
        let second = job(1_000, 10_000);
        next_block();
        assert_ok!(Training::pause(signed(WANDA)));
        assert_ok!(Training::resume(signed(WANDA)));
        pass(2);
        assert!(is_queued(second));
        train(WANDA, first);
        next_block();
        assert_eq!(worker_of(second), Some(WANDA));
    });
}

#[test]
fn a_worker_that_leaves_gets_its_bond_back_and_stands_in_no_queue() {
    run(|| {
        worker_for(WANDA, 7, &JobKind::all().collect::<Vec<_>>());
        assert_eq!(Idle::<Test>::iter().count(), 14);
        assert_ok!(Training::deregister_worker(signed(WANDA)));
        assert_eq!((free(WANDA), bond_held(WANDA)), (RICH, 0));
        assert_eq!(Idle::<Test>::iter().count(), 0);
        assert_eq!(IdleFirsts::<Test>::iter().count(), 0);
        System::assert_last_event(Event::WorkerDeregistered { worker: WANDA, bond: BOND }.into());
        let id = job(1_000, 10_000);
        pass(2);
        assert!(is_queued(id));
        // It may come back.
        worker(WANDA, 7);
        next_block();
        assert_eq!(worker_of(id), Some(WANDA));
        assert_noop!(Training::deregister_worker(signed(WANDA)), Error::<Test>::WorkerHasJob);
    });
}

#[test]
fn resuming_fills_the_bond_up() {
    run(|| {
        worker(WANDA, 7);
        job(1_000, 10_000);
        pass(TAKE + 2);
        assert_eq!(bond_held(WANDA), BOND - 5_000, "half the price");
        assert_ok!(Training::resume(signed(WANDA)));
        assert_eq!(bond_held(WANDA), BOND);
        assert_eq!(free(WANDA), RICH - BOND - 5_000);
    });
}

#[test]
fn a_worker_that_cannot_fill_its_bond_up_stays_paused() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 20 * OPEN);
        pass(TAKE + 2);
        assert_ok!(Balances::transfer_keep_alive(signed(WANDA), OWNER, free(WANDA) - 2 * OPEN));
        assert_noop!(Training::resume(signed(WANDA)), TokenError::FundsUnavailable);
        pass(2);
        assert!(is_queued(id));
        // It can still leave with what is left.
        assert_ok!(Training::deregister_worker(signed(WANDA)));
        assert_eq!(free(WANDA), 2 * OPEN + BOND - 10 * OPEN);
    });
}
