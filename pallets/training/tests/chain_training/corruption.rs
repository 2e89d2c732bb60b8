//! Damaged storage is noticed.

use crate::mock::*;
use frame_support::{assert_ok, traits::fungible::MutateHold, traits::tokens::Precision};
use openledger_primitives::{Job, JobState, Method};
use pallet_training::{
    Adapters, Agenda, AgendaCursor, AgendaOf, BaseModels, HoldReason, IdlePrices, IdleWorkers,
    Jobs, NextBaseModel, NextJob, NextPlace, Parents, Places, PriceKey, Queue, Worker, Workers,
};
use sp_runtime::DispatchError;

/// A job in each state: queued, assigned to Wanda, submitted by Walter, completed by Walter; Wilma
/// is idle for QLoRA.
const QUEUED: u64 = 3;
const ASSIGNED: u64 = 2;
const SUBMITTED: u64 = 1;
const COMPLETED: u64 = 0;

/// Damages a healthy storage and expects that the check says so.
fn noticed(expected: &'static str, damage: impl FnOnce()) {
    run(|| {
        worker(WALTER, 7);
        job(1_000, 10_000);
        next_block();
        train(WALTER, COMPLETED);
        pass(Window::get());
        job(1_000, 10_000);
        next_block();
        train(WALTER, SUBMITTED);
        assert_ok!(Training::pause(signed(WALTER)));
        worker(WANDA, 7);
        job(1_000, 10_000);
        next_block();
        job(1_000, 10_000);
        worker_for(WILMA, 7, &[QLORA]);
        assert!(matches!(state(COMPLETED), JobState::Completed { .. }));
        assert!(matches!(state(SUBMITTED), JobState::Submitted { .. }));
        assert_eq!(worker_of(ASSIGNED), Some(WANDA));
        assert!(is_queued(QUEUED));
        assert_ok!(Training::do_try_state());
        let damaged = frame_support::storage::with_transaction(|| {
            damage();
            let found = Training::do_try_state();
            // Undone, so that what every test checks at its end holds again.
            sp_runtime::TransactionOutcome::Rollback(Ok::<_, DispatchError>(found))
        });
        assert_eq!(damaged, Ok(Err(DispatchError::Other(expected))));
    });
}

fn change_job(id: u64, change: impl FnOnce(&mut Job<AccountId>)) {
    Jobs::<Test>::mutate(id, |job| change(job.as_mut().expect("created")));
}

fn change_worker(who: AccountId, change: impl FnOnce(&mut Worker)) {
    Workers::<Test>::mutate(who, |worker| change(worker.as_mut().expect("registered")));
}

fn place(id: u64) -> u64 {
    Places::<Test>::get(id).expect("queued")
}

#[test]
fn numbers_that_were_never_given_are_noticed() {
    noticed("a job has a number that was never given", || NextJob::<Test>::put(2));
    noticed("a base model's number was never given", || NextBaseModel::<Test>::put(0));
    noticed("a place in a queue was never given", || NextPlace::<Test>::put(0));
}

#[test]
fn parents_that_lead_in_a_circle_nowhere_or_elsewhere_are_noticed() {
    noticed("a job's parent is not older than the job", || Parents::<Test>::insert(QUEUED, QUEUED));
    noticed("a job's parent is no adapter", || Parents::<Test>::insert(QUEUED, SUBMITTED));
    noticed("a parent is noted of a job that is not there", || {
        Parents::<Test>::insert(QUEUED + 1, COMPLETED);
    });
    noticed("a job's parent does not fit it", || {
        Parents::<Test>::insert(QUEUED, COMPLETED);
        change_job(QUEUED, |job| job.spec.lora_r += 1);
    });
}

#[test]
fn a_missing_base_model_is_noticed() {
    noticed("a job's base model is missing", || BaseModels::<Test>::remove(0));
}

#[test]
fn a_queued_job_without_a_place_is_noticed() {
    noticed("a job has a place in a queue, or has none, against its state", || {
        Places::<Test>::remove(QUEUED);
    });
}

#[test]
fn a_place_of_a_job_that_is_not_queued_is_noticed() {
    noticed("a job has a place in a queue, or has none, against its state", || {
        Places::<Test>::insert(COMPLETED, 0);
    });
}

#[test]
fn a_job_missing_in_its_queue_is_noticed() {
    noticed("a queued job has no place in its queue", || {
        let key = pallet_training::SequenceKey::from(place(QUEUED));
        Queue::<Test>::remove(LORA, key);
    });
}

#[test]
fn a_job_queued_twice_is_noticed() {
    noticed("a place in a queue is not its job's", || {
        Queue::<Test>::insert(LORA, pallet_training::SequenceKey::from(0), QUEUED);
    });
}

#[test]
fn a_job_in_the_queue_of_another_kind_is_noticed() {
    noticed("a job stands in a queue of another kind", || {
        change_job(QUEUED, |job| job.kind.method = Method::Qlora);
    });
}

#[test]
fn a_worker_that_does_not_know_of_its_job_is_noticed() {
    noticed("a job's worker does not have it", || {
        change_worker(WANDA, |worker| worker.job = None);
    });
}

#[test]
fn a_worker_with_a_job_that_is_not_its_own_is_noticed() {
    noticed("a worker has a job that is not its own", || {
        change_worker(WALTER, |worker| worker.job = Some(ASSIGNED));
    });
}

#[test]
fn a_price_above_the_budget_is_noticed() {
    noticed("a job's price is above its budget", || change_job(ASSIGNED, |job| job.budget = 6_999));
}

#[test]
fn a_job_that_fell_off_the_agenda_is_noticed() {
    noticed("a job is on the agenda, or is not, against its state", || {
        AgendaOf::<Test>::remove(SUBMITTED);
    });
    noticed("an unfinished job has no entry", || {
        let at = AgendaOf::<Test>::get(SUBMITTED).expect("unfinished");
        Agenda::<Test>::remove(at, SUBMITTED);
    });
}

#[test]
fn an_ended_job_on_the_agenda_is_noticed() {
    noticed("a job is on the agenda, or is not, against its state", || {
        AgendaOf::<Test>::insert(COMPLETED, 500);
    });
}

#[test]
fn a_second_entry_on_the_agenda_is_noticed() {
    noticed("an entry of the agenda is not its job's", || {
        Agenda::<Test>::insert(900, QUEUED, ());
    });
}

#[test]
fn an_entry_that_will_never_come_up_is_noticed() {
    noticed("an entry of the agenda is behind the cursor", || {
        AgendaCursor::<Test>::put(100_000);
    });
}

#[test]
fn an_entry_of_no_job_is_noticed() {
    noticed("an entry of the agenda has no job", || {
        Agenda::<Test>::insert(900, 77, ());
        AgendaOf::<Test>::insert(77, 900);
    });
}

#[test]
fn a_worker_missing_in_an_idle_queue_is_noticed() {
    let idle = || Workers::<Test>::get(WILMA).and_then(|worker| worker.idle).expect("idle");
    noticed("an idle worker is missing in an idle queue", || {
        IdleWorkers::<Test>::remove(QLORA, pallet_training::SequenceKey::from(idle()));
    });
    noticed("an idle worker is missing among the prices", || {
        IdlePrices::<Test>::remove(QLORA, PriceKey::new(7, idle()));
    });
}

#[test]
fn somebody_else_among_the_idle_is_noticed() {
    noticed("an idle queue holds somebody else", || {
        IdleWorkers::<Test>::insert(LORA, pallet_training::SequenceKey::from(0), WALTER);
    });
    noticed("the prices hold somebody else", || {
        IdlePrices::<Test>::insert(LORA, PriceKey::new(0, 0), WALTER);
    });
}

#[test]
fn an_idle_worker_that_is_paused_is_noticed() {
    noticed("a worker is idle while busy or paused, or is not although it could be", || {
        change_worker(WILMA, |worker| worker.paused = true);
    });
}

#[test]
fn a_worker_that_fell_out_of_all_queues_is_noticed() {
    noticed("a worker is idle while busy or paused, or is not although it could be", || {
        change_worker(WALTER, |worker| worker.paused = false);
    });
}

#[test]
fn a_worker_that_can_train_nothing_is_noticed() {
    noticed("a worker can train nothing", || {
        change_worker(WANDA, |worker| worker.kinds = kinds(&[]));
    });
}

#[test]
fn open_results_counted_wrong_are_noticed() {
    noticed("a worker's open results are not counted right", || {
        change_worker(WALTER, |worker| worker.open_results = 0);
    });
    noticed("a worker's open results are not counted right", || {
        change_worker(WILMA, |worker| worker.open_results = 1);
    });
}

#[test]
fn a_worker_gone_before_its_window_has_passed_is_noticed() {
    noticed("a result's worker is gone before its window has passed", || {
        Workers::<Test>::remove(WALTER);
    });
}

#[test]
fn a_missing_adapter_is_noticed() {
    noticed("a completed job has no adapter", || Adapters::<Test>::remove(COMPLETED));
}

#[test]
fn adapters_of_jobs_that_are_not_completed_are_noticed() {
    noticed("an adapter does not belong to a completed job", || {
        let adapter = Training::adapter(COMPLETED).expect("completed");
        Adapters::<Test>::insert(SUBMITTED, adapter);
    });
    noticed("an adapter does not belong to a completed job", || {
        Adapters::<Test>::mutate(COMPLETED, |adapter| {
            adapter.as_mut().expect("completed").worker = WANDA;
        });
    });
}

#[test]
fn money_held_for_nothing_or_missing_is_noticed() {
    let message = "an account has another sum on hold than the records say";
    noticed(message, || {
        let reason = HoldReason::JobBudget.into();
        assert_ok!(Balances::release(&reason, &OWNER, 1, Precision::Exact));
    });
    noticed(message, || {
        let reason = HoldReason::WorkerBond.into();
        assert_ok!(Balances::hold(&reason, &WANDA, 1));
    });
    noticed(message, || {
        let reason = HoldReason::BaseModelDeposit.into();
        assert_ok!(Balances::release(&reason, &REGISTRAR, 1, Precision::Exact));
    });
}
