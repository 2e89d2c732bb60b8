//! A job's life: no sequence of calls pays twice, pays more than the budget, or leaves an end.

use openledger_primitives::{
    job::{Assignment, JobError, JobFailure},
    ContentId, Job, JobKind, JobResult, JobState, Method, ModelFamily, TrainingSpec,
};
use proptest::prelude::*;
use sp_core::H256;

const BUDGET: u128 = 1_000;
const ATTEMPTS: u8 = 3;

fn new_job(deadline: u32) -> Job<u8> {
    Job {
        owner: 0,
        base: 0,
        kind: JobKind { family: ModelFamily::Llama, method: Method::Lora },
        datasets: Default::default(),
        spec: TrainingSpec::default(),
        token_ceiling: 10,
        budget: BUDGET,
        deadline,
        attempts: 0,
        state: JobState::Queued,
    }
}

fn result() -> JobResult {
    JobResult {
        content: ContentId::raw([9; 32]),
        sha256: [9; 32],
        size: 1,
        eval_loss_before: 2,
        eval_loss_after: 1,
        tokens: 10,
        dataset_root: H256::zero(),
        checkpoints_root: H256::zero(),
        influence_root: H256::zero(),
    }
}

#[derive(Clone, Debug)]
enum Step {
    Assign { worker: u8, price: u128, window: u32 },
    Take { worker: u8, window: u32 },
    Heartbeat { worker: u8, window: u32 },
    Submit { worker: u8, window: u32 },
    Complete,
    TimeOut,
    Cancel,
    Pass(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let window = 0u32..10;
    prop_oneof![
        3 => (0u8..3, 0..BUDGET + 200, window.clone())
            .prop_map(|(worker, price, window)| Step::Assign { worker, price, window }),
        4 => (0u8..3, window.clone()).prop_map(|(worker, window)| Step::Take { worker, window }),
        3 => (0u8..3, window.clone()).prop_map(|(worker, window)| Step::Heartbeat { worker, window }),
        4 => (0u8..3, window).prop_map(|(worker, window)| Step::Submit { worker, window }),
        3 => Just(Step::Complete),
        2 => Just(Step::TimeOut),
        1 => prop_oneof![Just(Step::Cancel), Just(Step::TimeOut)],
        3 => (1u32..6).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_job_pays_at_most_once_at_the_price_of_its_assignment_and_its_end_is_final(
        steps in prop::collection::vec(step(), 1..60),
        deadline in 1u32..80,
    ) {
        let mut job = new_job(deadline);
        let mut now = 0;
        let mut assigned = None;
        let mut paid = 0;
        for step in steps {
            let before = job.clone();
            let answer = match step {
                Step::Assign { worker, price, window } => {
                    let assignment = Assignment { worker, price };
                    let answer = job.assign(assignment, now + window);
                    if answer.is_ok() {
                        prop_assert!(price <= BUDGET);
                        assigned = Some(assignment);
                    }
                    answer
                }
                Step::Take { worker, window } => {
                    let answer = job.take(&worker, now, now + window);
                    prop_assert!(answer.is_err() || now <= deadline);
                    answer
                }
                Step::Heartbeat { worker, window } => {
                    job.heartbeat(&worker, now, now + window, (1, 2))
                }
                Step::Submit { worker, window } => {
                    let answer = job.submit(&worker, now, now + window, result());
                    if answer.is_ok() {
                        prop_assert_eq!(assigned.map(|assignment| assignment.worker), Some(worker));
                        prop_assert!(now <= deadline);
                    }
                    answer
                }
                Step::Complete => job.complete(now).map(|(assignment, done)| {
                    assert_eq!(Some(assignment), assigned);
                    assert_eq!(done, result());
                    paid += 1;
                }),
                Step::TimeOut => job.time_out(now, ATTEMPTS).map(|loser| {
                    assert_eq!(loser, before.assignment().map(|assignment| assignment.worker));
                    assert!(now > before.due().expect("not over"));
                }),
                Step::Cancel => job.cancel().map(|_| ()),
                Step::Pass(blocks) => {
                    now += blocks;
                    Ok(())
                }
            };
            if answer.is_err() || before.is_over() {
                prop_assert_eq!(&job, &before, "a refusal changes nothing, and an end is final");
            }
            prop_assert_eq!(job.due().is_none(), job.is_over());
            prop_assert!(job.attempts <= ATTEMPTS);
            prop_assert!(job.assignment().is_none_or(|assignment| assignment.price <= job.budget));
            let completed = matches!(job.state, JobState::Completed { .. });
            prop_assert_eq!(paid, u32::from(completed), "paid when completed, and only then");
            // What never changes.
            prop_assert_eq!((job.owner, job.budget, job.deadline), (0, BUDGET, deadline));
        }
    }
}

/// A job that is assigned to worker 1 at 600 until block 5, with its deadline in block 50.
fn assigned() -> Job<u8> {
    let mut job = new_job(50);
    assert_eq!(job.assign(Assignment { worker: 1, price: 600 }, 5), Ok(()));
    job
}

fn training() -> Job<u8> {
    let mut job = assigned();
    assert_eq!(job.take(&1, 3, 13), Ok(()));
    job
}

#[test]
fn a_price_above_the_budget_is_not_assigned() {
    let mut job = new_job(50);
    let too_much = Assignment { worker: 1, price: BUDGET + 1 };
    assert_eq!(job.assign(too_much, 5), Err(JobError::AboveBudget));
    assert_eq!(job.assign(Assignment { worker: 1, price: BUDGET }, 5), Ok(()));
    assert_eq!(job.assign(Assignment { worker: 1, price: 1 }, 5), Err(JobError::WrongState));
}

#[test]
fn windows_include_their_last_block() {
    let mut job = assigned();
    assert_eq!(job.clone().take(&1, 5, 9), Ok(()));
    assert_eq!(job.take(&1, 6, 9), Err(JobError::TooLate));
    assert_eq!(job.time_out(5, ATTEMPTS), Err(JobError::WrongState));
    assert_eq!(job.time_out(6, ATTEMPTS), Ok(Some(1)));
    assert_eq!((job.state, job.attempts), (JobState::Queued, 1));

    let mut job = training();
    assert_eq!(job.clone().heartbeat(&1, 13, 23, (1, 2)), Ok(()));
    assert_eq!(job.clone().submit(&1, 13, 20, result()), Ok(()));
    assert_eq!(job.heartbeat(&1, 14, 24, (1, 2)), Err(JobError::TooLate));
    assert_eq!(job.submit(&1, 14, 20, result()), Err(JobError::TooLate));
    assert_eq!(job.time_out(14, ATTEMPTS), Ok(Some(1)));
}

#[test]
fn nobody_takes_trains_or_submits_past_the_deadline() {
    let mut job = new_job(4);
    assert_eq!(job.assign(Assignment { worker: 1, price: 600 }, 9), Ok(()));
    assert_eq!(job.take(&1, 5, 15), Err(JobError::TooLate));
    assert_eq!(job.take(&1, 4, 15), Ok(()));
    assert_eq!(job.heartbeat(&1, 5, 15, (0, 1)), Err(JobError::TooLate));
    assert_eq!(job.submit(&1, 5, 15, result()), Err(JobError::TooLate));
    assert_eq!(job.time_out(5, ATTEMPTS), Ok(Some(1)));
    assert_eq!(job.state, JobState::Failed(JobFailure::Deadline));
}

#[test]
fn the_last_attempt_ends_the_job() {
    let mut job = new_job(50);
    for attempt in 1..=ATTEMPTS {
        assert_eq!(job.assign(Assignment { worker: 1, price: 1 }, 5), Ok(()));
        assert_eq!(job.time_out(6, ATTEMPTS), Ok(Some(1)));
        assert_eq!(job.attempts, attempt);
    }
    assert_eq!(job.state, JobState::Failed(JobFailure::Attempts));
}

#[test]
fn a_queued_job_ends_at_its_deadline_and_no_attempt_is_counted() {
    let mut job = new_job(50);
    assert_eq!(job.due(), Some(50));
    assert_eq!(job.time_out(50, ATTEMPTS), Err(JobError::WrongState));
    assert_eq!(job.time_out(51, ATTEMPTS), Ok(None));
    assert_eq!((job.state, job.attempts), (JobState::Failed(JobFailure::Deadline), 0));
}

#[test]
fn a_result_waits_out_its_window_whatever_the_deadline() {
    let mut job = training();
    assert_eq!(job.submit(&1, 10, 60, result()), Ok(()));
    assert_eq!(job.due(), Some(60));
    assert_eq!(job.complete(59), Err(JobError::TooLate));
    assert_eq!(job.time_out(59, ATTEMPTS), Err(JobError::WrongState));
    assert_eq!(job.time_out(99, ATTEMPTS), Err(JobError::WrongState));
    assert_eq!(job.complete(60), Ok((Assignment { worker: 1, price: 600 }, result())));
    assert_eq!(job.complete(61), Err(JobError::WrongState));
}

#[test]
fn only_a_job_that_nobody_took_is_called_off() {
    assert_eq!(new_job(50).cancel(), Ok(None));
    assert_eq!(assigned().cancel(), Ok(Some(1)));
    assert_eq!(training().cancel(), Err(JobError::WrongState));
    let mut job = assigned();
    assert_eq!(job.cancel(), Ok(Some(1)));
    assert_eq!(job.cancel(), Err(JobError::WrongState));
    assert_eq!(job.take(&1, 1, 9), Err(JobError::WrongState));
}

#[test]
fn only_the_worker_works_on_a_job() {
    let mut job = assigned();
    assert_eq!(job.take(&2, 3, 13), Err(JobError::NotTheWorker));
    let mut job = training();
    assert_eq!(job.heartbeat(&2, 4, 14, (0, 1)), Err(JobError::NotTheWorker));
    assert_eq!(job.submit(&2, 4, 9, result()), Err(JobError::NotTheWorker));
}
