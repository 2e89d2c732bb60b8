//! Which job goes to which worker.

use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{JobId, Method, ModelFamily};
use pallet_training::{NextPlace, CANDIDATES, TRIES_PER_KIND};

#[test]
fn the_worker_that_has_been_idle_longest_comes_first() {
    run(|| {
        worker(WANDA, 9);
        worker(WALTER, 1);
        let first = job(1_000, 10_000);
        next_block();
        assert_eq!(worker_of(first), Some(WANDA));
        train(WANDA, first);
        // Wanda is idle again, but Walter longer.
        let second = job(1_000, 10_000);
        let third = job(1_000, 10_000);
        next_block();
        assert_eq!(worker_of(second), Some(WALTER));
        assert_eq!(worker_of(third), Some(WANDA));
    });
}

#[test]
fn jobs_are_given_out_in_the_order_they_came() {
    run(|| {
        let jobs: Vec<JobId> = (0..3).map(|_| job(1_000, 10_000)).collect();
        pass(3);
        for (n, id) in jobs.iter().enumerate() {
            let who = WANDA + n as u64;
            worker(who, 7);
            next_block();
            assert_eq!(worker_of(*id), Some(who));
        }
    });
}

#[test]
fn a_worker_has_one_job_at_a_time() {
    run(|| {
        worker_for(WANDA, 7, &[LORA, QLORA]);
        let jobs = [job(1_000, 10_000), job_of(OWNER, Method::Qlora, 1_000, 10_000, 100)];
        pass(3);
        assert_eq!(jobs.iter().filter(|id| worker_of(**id) == Some(WANDA)).count(), 1);
        assert_eq!(jobs.iter().filter(|id| is_queued(**id)).count(), 1);
    });
}

#[test]
fn a_job_that_is_too_dear_for_everyone_blocks_nobody() {
    run(|| {
        worker(WANDA, 7);
        let dear = job(1_000_000, 10_000);
        let fitting = job(1_000, 10_000);
        next_block();
        assert_eq!(worker_of(fitting), Some(WANDA));
        assert!(is_queued(dear));
        // It is matched as soon as somebody asks little enough.
        worker_for(WALTER, 0, &[LORA]);
        next_block();
        assert_eq!(worker_of(dear), Some(WALTER));
    });
}

#[test]
fn a_job_that_no_worker_is_able_to_train_blocks_nobody() {
    run(|| {
        worker(WANDA, 7);
        let other = job_of(OWNER, Method::Qlora, 1_000, 10_000, 100);
        let fitting = job(1_000, 10_000);
        next_block();
        assert_eq!(worker_of(fitting), Some(WANDA));
        assert!(is_queued(other));
    });
}

#[test]
fn many_unmatchable_jobs_hold_a_matchable_one_up_for_a_few_blocks_only() {
    run(|| {
        worker(WANDA, 7);
        for _ in 0..3 * TRIES_PER_KIND {
            job(1_000_000, 10_000);
        }
        let fitting = job(1_000, 10_000);
        pass(3);
        assert!(is_queued(fitting));
        next_block();
        assert_eq!(worker_of(fitting), Some(WANDA));
    });
}

#[test]
fn workers_that_are_too_dear_hide_no_cheaper_one() {
    run(|| {
        for n in 0..2 * u64::from(CANDIDATES) {
            worker(20 + n, u128::MAX);
        }
        worker(WANDA, 10);
        let id = job(1_000, 10_000);
        next_block();
        assert_eq!(worker_of(id), Some(WANDA));
    });
}

#[test]
fn a_dearer_worker_gets_the_job_if_it_fits_and_was_idle_longer() {
    run(|| {
        worker(WANDA, 11);
        worker(WALTER, 10);
        worker(WILMA, 1);
        let id = job(1_000, 10_000);
        next_block();
        assert_eq!(worker_of(id), Some(WALTER));
    });
}

#[test]
fn a_price_beyond_all_numbers_fits_no_budget() {
    run(|| {
        worker(WANDA, u128::MAX);
        let id = job(u64::MAX, 10_000);
        pass(2);
        assert!(is_queued(id));
    });
}

#[test]
fn at_most_so_many_jobs_are_given_out_in_a_block() {
    run(|| {
        let jobs: Vec<JobId> = (0..6).map(|_| job(1_000, 10_000)).collect();
        (20..26).for_each(|who| worker(who, 7));
        let given = || jobs.iter().filter(|id| worker_of(**id).is_some()).count() as u32;
        next_block();
        assert_eq!(given(), DISPATCHES);
        next_block();
        assert_eq!(given(), 6);
    });
}

#[test]
fn no_kind_is_starved_by_another() {
    run(|| {
        base_model(ModelFamily::ChatGlm);
        let glm =
            openledger_primitives::JobKind { family: ModelFamily::ChatGlm, method: Method::Qlora };
        worker_for(WANDA, 7, &[glm]);
        assert_ok!(Training::create_job(
            signed(OWNER),
            1,
            datasets(&[(0, 3)]),
            spec(Method::Qlora),
            1_000,
            10_000,
            100
        ));
        // Two blocks' worth of LoRA jobs, which would be first in both if the order never changed.
        for who in 20..20 + 2 * u64::from(DISPATCHES) {
            worker(who, 0);
            job(1_000, 10_000);
        }
        pass(2);
        assert_eq!(worker_of(0), Some(WANDA));
    });
}

#[test]
fn an_unmatchable_job_is_tried_once_a_block() {
    run(|| {
        worker(WANDA, 7);
        job(1_000_000, 10_000);
        for _ in 0..3 {
            let before = NextPlace::<Test>::get();
            next_block();
            assert_eq!(NextPlace::<Test>::get(), before + 1, "moved to the tail once");
        }
    });
}

#[test]
fn jobs_keep_their_order_while_nobody_is_idle() {
    run(|| {
        let first = job(1_000_000, 10_000);
        let second = job(1_000_000, 10_000);
        pass(5);
        worker(WANDA, 0);
        next_block();
        assert_eq!(worker_of(first), Some(WANDA));
        assert!(is_queued(second));
    });
}
