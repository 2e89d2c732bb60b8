//! Damaged storage is noticed.

use crate::mock::*;
use frame_support::{assert_ok, traits::fungible::MutateHold, traits::tokens::Precision};
use openledger_primitives::{job::Refused, Job, JobState, RateClass, SizeClass};
use pallet_training::{
    Adapters, Agenda, AgendaCursor, AgendaOf, BaseModel, BaseModels, Class, CreatedAt, HoldReason,
    Idle, IdleFirsts, IdleKey, Jobs, JobsOf, NextBaseModel, NextJob, NextPlace, OfferKey, Parents,
    PaymentCursor, Payments, Raise, Row, SequenceKey, Shelved, Waiting, WaitingFirsts, Worker,
    Workers,
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
    let jobs = || {
        worker(WALTER, 7);
        job(1_000, 10_000);
        train(WALTER, COMPLETED);
        pass(Window::get());
        job(1_000, 10_000);
        train(WALTER, SUBMITTED);
        assert_ok!(Training::pause(signed(WALTER)));
        worker(WANDA, 7);
        job(1_000, 10_000);
        job(1_000, 10_000);
        worker_for(WILMA, 7, &[QLORA]);
        assert!(matches!(state(COMPLETED), JobState::Completed { .. }));
        assert!(matches!(state(SUBMITTED), JobState::Submitted { .. }));
        assert_eq!(worker_of(ASSIGNED), Some(WANDA));
        assert!(is_queued(QUEUED));
    };
    noticed_in(jobs, expected, damage);
}

/// Damages the storage that `healthy` leaves and expects that the check says so.
pub fn noticed_in(healthy: impl FnOnce(), expected: &'static str, damage: impl FnOnce()) {
    run(|| {
        healthy();
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

fn change_model(change: impl FnOnce(&mut BaseModel<AccountId>)) {
    BaseModels::<Test>::mutate(0, |model| change(model.as_mut().expect("registered")));
}

/// The shelf of the queued job in the row of its base model, and its key there.
fn queued() -> ((Row, Class), OfferKey) {
    let rate = Shelved::<Test>::get(QUEUED).expect("queued");
    let job = Jobs::<Test>::get(QUEUED).expect("created");
    let class = Class { size: SizeClass::default(), rate };
    let key = OfferKey::new(job.price_per_token, job.sequence);
    ((Row { kind: LORA, base: Some(0) }, class), key)
}

/// The shelf of Wilma, and her key there.
fn idle() -> ((Row, Class), IdleKey) {
    let class = Class {
        size: SizeClass::up_to(BYTES).expect("large enough"),
        rate: RateClass::declared(RATE),
    };
    let key = Workers::<Test>::get(WILMA).expect("registered").idle_key();
    ((Row { kind: QLORA, base: None }, class), key)
}

#[test]
fn numbers_that_were_never_given_are_noticed() {
    noticed("a job has a number that was never given", || NextJob::<Test>::put(2));
    noticed("a base model's number was never given", || NextBaseModel::<Test>::put(0));
    noticed("a job's place was never given", || NextPlace::<Test>::put(0));
    noticed("a worker's place was never given", || {
        change_worker(WANDA, |worker| worker.place = 1_000);
    });
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
fn blocks_of_jobs_that_are_missing_or_out_of_order_are_noticed() {
    noticed("a block is noted of a job that is not there", || {
        CreatedAt::<Test>::insert(QUEUED + 1, 1);
    });
    let order = "a job's block is out of order";
    noticed(order, || CreatedAt::<Test>::insert(QUEUED, System::block_number() + 1));
    noticed(order, || CreatedAt::<Test>::insert(QUEUED, CreatedAt::<Test>::get(COMPLETED) - 1));
    noticed(order, || CreatedAt::<Test>::insert(COMPLETED, 0));
    noticed("a job's block is not known", || CreatedAt::<Test>::remove(ASSIGNED));
}

#[test]
fn base_models_that_are_missing_or_count_wrong_are_noticed() {
    noticed("a job's base model is missing", || BaseModels::<Test>::remove(0));
    noticed("a base model's jobs are not counted right", || change_model(|model| model.jobs += 1));
    noticed("a retired base model has a deposit", || change_model(|model| model.retired = true));
    noticed("a retired base model is kept for nothing", || {
        let model = BaseModels::<Test>::get(0).expect("registered");
        BaseModels::<Test>::insert(1, BaseModel { retired: true, jobs: 0, deposit: 0, ..model });
    });
}

#[test]
fn queued_jobs_that_stand_wrong_are_noticed() {
    let against = "a job stands on shelves, or on none, against its state";
    noticed(against, || Shelved::<Test>::remove(QUEUED));
    noticed(against, || Shelved::<Test>::insert(COMPLETED, RateClass::default()));
    noticed("a queued job is missing on a shelf", || {
        let (shelf, key) = queued();
        Waiting::<Test>::remove(shelf, key);
    });
    noticed("a queued job is missing on a shelf", || {
        change_job(QUEUED, |job| job.price_per_token -= 1);
    });
    noticed("a shelf holds a job that does not belong there", || {
        let (shelf, _) = queued();
        Waiting::<Test>::insert(shelf, OfferKey::new(1, 0), SUBMITTED);
    });
    let first = "the first job of a shelf is not the first";
    noticed(first, || WaitingFirsts::<Test>::remove(queued().0 .0));
    noticed(first, || {
        WaitingFirsts::<Test>::mutate(queued().0 .0, |firsts| firsts[0].1 = OfferKey::new(99, 0));
    });
    noticed("a job waits beside a worker for it", || {
        let row = Row { kind: LORA, base: None };
        let ((_, class), key) = idle();
        Idle::<Test>::remove((Row { kind: QLORA, base: None }, class), key);
        IdleFirsts::<Test>::remove(Row { kind: QLORA, base: None });
        change_worker(WILMA, |worker| worker.kinds = kinds(&[LORA]));
        Idle::<Test>::insert((row, class), key, WILMA);
        IdleFirsts::<Test>::insert(row, pallet_training::Firsts::truncate_from(vec![(class, key)]));
    });
}

#[test]
fn an_owners_list_that_is_wrong_is_noticed() {
    noticed("a job is missing in its owner's list", || {
        JobsOf::<Test>::remove(OWNER, SequenceKey::from(QUEUED));
    });
    noticed("an owner's list names another job", || {
        JobsOf::<Test>::insert(WANDA, SequenceKey::from(QUEUED), ());
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
    noticed("a job's price is above its budget", || {
        change_job(ASSIGNED, |job| {
            if let JobState::Assigned { assignment, .. } = &mut job.state {
                assignment.price += 1;
            }
        });
    });
}

#[test]
fn an_offer_above_the_budget_is_noticed() {
    noticed("a job offers more than its budget", || {
        change_job(ASSIGNED, |job| job.price_per_token += 1);
    });
}

#[test]
fn a_job_with_somebody_who_refused_it_is_noticed() {
    noticed("a job went to whom it must not", || {
        let refused = Refused { worker: WANDA, reason: None };
        change_job(ASSIGNED, |job| job.refused.try_push(refused).expect("room"));
    });
}

#[test]
fn a_job_that_fell_off_the_agenda_is_noticed() {
    noticed("a job is on the agenda, or is not, against its state", || {
        AgendaOf::<Test>::remove(SUBMITTED);
    });
    noticed("an unfinished job has no entry", || {
        let at = AgendaOf::<Test>::get(SUBMITTED).expect("unfinished");
        Payments::<Test>::remove(at, SUBMITTED);
    });
    noticed("an entry stands on the other agenda", || {
        let at = AgendaOf::<Test>::get(SUBMITTED).expect("unfinished");
        Payments::<Test>::remove(at, SUBMITTED);
        Agenda::<Test>::insert(at, SUBMITTED, ());
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
    noticed("an entry of the agenda is behind the cursor", || {
        PaymentCursor::<Test>::put(100_000);
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
fn workers_that_stand_wrong_are_noticed() {
    noticed("an idle worker is missing on a shelf", || {
        let (shelf, key) = idle();
        Idle::<Test>::remove(shelf, key);
    });
    noticed("an idle worker is missing on a shelf", || {
        change_worker(WILMA, |worker| worker.price_per_token += 1);
    });
    noticed("an idle worker is missing on a shelf", || {
        change_worker(WALTER, |worker| worker.paused = false);
    });
    noticed("a shelf holds a worker that does not belong there", || {
        change_worker(WILMA, |worker| worker.paused = true);
    });
    noticed("a shelf holds a worker that does not belong there", || {
        let (shelf, _) = idle();
        Idle::<Test>::insert(shelf, IdleKey::new(0, 0, 0), WALTER);
    });
    let first = "the first worker of a shelf is not the first";
    noticed(first, || IdleFirsts::<Test>::remove(idle().0 .0));
    noticed(first, || {
        IdleFirsts::<Test>::mutate(idle().0 .0, |firsts| firsts[0].1 = IdleKey::new(0, 0, 0));
    });
}

#[test]
fn workers_that_rest_or_wait_for_nothing_are_noticed() {
    noticed("a worker rests without being paused", || {
        change_worker(WANDA, |worker| worker.rests_until = 9);
    });
    noticed("a worker waits for a floor that is no higher", || {
        change_worker(WANDA, |worker| {
            worker.raise = Some(Raise { price_per_token: worker.price_per_token, from: 9 });
        });
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
        let reason = HoldReason::JobDeposit.into();
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
