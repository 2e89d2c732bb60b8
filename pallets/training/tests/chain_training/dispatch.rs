//! Which job goes to which worker.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{JobId, Method, ModelFamily, RateClass, Serves};
use pallet_training::{Error, Event};

#[test]
fn the_lowest_floor_comes_first_then_the_fewest_lost_then_the_longest_idle() {
    run(|| {
        worker(WANDA, 9);
        worker(WALTER, 1);
        worker(WILMA, 1);
        let first = job(1_000, 10_000);
        assert_eq!(worker_of(first), Some(WALTER));
        let second = job(1_000, 10_000);
        assert_eq!(worker_of(second), Some(WILMA));
    });
    run(|| {
        worker(WALTER, 1);
        let lost = job(1_000, 10_000);
        pass(TAKE + 1);
        assert!(is_queued(lost));
        assert_ok!(Training::resume(signed(WALTER)));
        worker(WILMA, 1);
        // The lost job went to Wilma. Walter has been idle longer, and lost a job.
        assert_eq!(worker_of(lost), Some(WILMA));
        train(WILMA, lost);
        let next = job(1_000, 10_000);
        assert_eq!(worker_of(next), Some(WILMA));
    });
}

#[test]
fn every_worker_is_paid_what_the_job_offers() {
    run(|| {
        worker(WANDA, 3);
        let id = job(1_000, 10_000);
        let assignment = *get(id).assignment().expect("assigned");
        assert_eq!((assignment.worker, assignment.price), (WANDA, 10_000));
        assert_eq!(assignment.rate, RateClass::declared(RATE));
    });
}

#[test]
fn of_jobs_that_wait_the_one_that_pays_most_a_token_goes_first() {
    run(|| {
        let [low, high, other] = [job(1_000, 10_000), job(1_000, 30_000), job(1_000, 30_000)];
        for (who, id) in [(WANDA, high), (WALTER, other), (WILMA, low)] {
            worker(who, 7);
            assert_eq!(worker_of(id), Some(who));
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
fn a_job_goes_to_nobody_who_asks_more_and_waits_for_one_who_does_not() {
    run(|| {
        worker(WANDA, 11);
        let id = job(1_000, 10_000);
        pass(2);
        assert!(is_queued(id));
        worker(WALTER, 10);
        assert_eq!(worker_of(id), Some(WALTER));
    });
}

#[test]
fn workers_take_only_the_base_models_that_they_opted_in_to() {
    run(|| {
        base_model(ModelFamily::Llama);
        worker_that(WANDA, 7, &[LORA], models(&[1]), RATE);
        worker_that(WALTER, 7, &[LORA], models(&[]), RATE);
        worker_that(WILMA, 1, &[LORA], Serves::UpTo(1), RATE);
        let id = job(1_000, 10_000);
        pass(2);
        assert!(is_queued(id), "nobody opted in to base model 0");
        assert_ok!(Training::update_worker(
            signed(WALTER),
            kinds(&[LORA]),
            7,
            text(""),
            models(&[1, 0]),
            RATE
        ));
        assert_eq!(worker_of(id), Some(WALTER));
    });
}

#[test]
fn a_worker_up_to_a_size_takes_no_larger_model() {
    run(|| {
        let large = pallet_training::ModelFiles { weights_size: BYTES + 1, ..files() };
        assert_ok!(Training::register_base_model(
            signed(REGISTRAR),
            ModelFamily::Llama,
            text("large"),
            large,
            text("MIT"),
        ));
        worker(WANDA, 7);
        let deadline = System::block_number() + 500;
        let of = datasets(&[(0, 3), (4, 10)]);
        let create =
            Training::create_job(signed(OWNER), 1, of, spec(Method::Lora), 1_000, 10, deadline);
        assert_ok!(create);
        pass(2);
        assert!(is_queued(0));
        worker_that(WALTER, 7, &[LORA], Serves::UpTo(2 * BYTES), RATE);
        assert_eq!(worker_of(0), Some(WALTER));
    });
}

#[test]
fn opt_ins_that_make_no_sense_are_refused() {
    run(|| {
        let register = |serves| {
            Training::register_worker(signed(WANDA), kinds(&[LORA]), 7, text(""), serves, RATE)
        };
        assert_noop!(register(models(&[0, 1])), Error::<Test>::UnknownBaseModel);
        assert_noop!(register(models(&[0, 0])), Error::<Test>::RepeatedModel);
        assert_ok!(register(models(&[])));
    });
}

#[test]
fn slow_workers_get_no_job_that_they_could_not_finish_in_time() {
    run(|| {
        // 4,000 tokens in the 25 blocks that the windows leave of 40: 160 a second.
        worker_that(WANDA, 1, &[LORA], Serves::UpTo(BYTES), 128);
        let id = job_until(4_000, 40_000, System::block_number() + 15 + 25);
        assert!(is_queued(id));
        worker_that(WALTER, 9, &[LORA], Serves::UpTo(BYTES), 256);
        assert_eq!(worker_of(id), Some(WALTER));
    });
}

#[test]
fn a_job_whose_time_runs_out_moves_on_to_faster_workers_and_then_fails_early() {
    run(|| {
        let now = System::block_number();
        let id = job_until(4_000, 40_000, now + 15 + 125);
        assert_eq!(pallet_training::Shelved::<Test>::get(id), Some(RateClass::declared(32)));
        pass(1);
        assert_eq!(pallet_training::Shelved::<Test>::get(id), Some(RateClass::declared(64)));
        // At 32,768 tokens a second it takes a block beside the windows.
        go_to(now + 125 - 1);
        assert!(is_queued(id));
        next_block();
        assert!(matches!(state(id), openledger_primitives::JobState::Failed(_)));
        assert_eq!((free(OWNER), budget_held(OWNER)), (RICH, 0));
    });
}

#[test]
fn qlora_is_another_kind() {
    run(|| {
        worker(WANDA, 7);
        let other = job_of(OWNER, Method::Qlora, 1_000, 10_000, 100);
        let fitting = job(1_000, 10_000);
        assert_eq!(worker_of(fitting), Some(WANDA));
        assert!(is_queued(other));
    });
}

#[test]
fn nothing_is_searched_or_moved_while_nothing_happens() {
    run(|| {
        (0..50).for_each(|_| {
            job(1_000, 10_000);
        });
        let before = pallet_training::Waiting::<Test>::iter().collect::<Vec<_>>();
        pass(5);
        assert_eq!(pallet_training::Waiting::<Test>::iter().collect::<Vec<_>>(), before);
    });
}

#[test]
fn a_queued_job_knows_how_many_come_first() {
    run(|| {
        let ids: Vec<JobId> = (0..3).map(|_| job(1_000, 10_000)).collect();
        let ahead = |id| Training::place(id).map(|place| place.ahead);
        assert_eq!(
            ids.iter().map(|id| ahead(*id)).collect::<Vec<_>>(),
            [Some(0), Some(1), Some(2)]
        );
        assert_ok!(Training::raise_price(signed(OWNER), ids[2], 11));
        assert_eq!(
            ids.iter().map(|id| ahead(*id)).collect::<Vec<_>>(),
            [Some(1), Some(2), Some(0)]
        );
        System::assert_has_event(
            Event::JobPriceRaised { job: ids[2], price_per_token: 11, budget: 11_000 }.into(),
        );
        worker(WANDA, 7);
        assert_eq!(ahead(ids[2]), None);
    });
}
