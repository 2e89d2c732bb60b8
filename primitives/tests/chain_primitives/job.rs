//! A job's life: no sequence of calls pays twice, pays more than the budget, or leaves an end.

use openledger_primitives::{
    job::{
        Assignment, CalledOff, DeclineReason, JobError, JobFailure, Released, MAX_REFUSED, QUORUM,
    },
    ContentId, Job, JobKind, JobResult, JobState, Method, ModelFamily, RateClass, SizeClass,
    TrainingSpec, Windows,
};
use proptest::prelude::*;
use sp_core::H256;

const CEILING: u64 = 10;
const PRICE: u128 = 60;
const BUDGET: u128 = PRICE * CEILING as u128 + 400;
const ATTEMPTS: u8 = 3;
/// A block takes a second, so a worker of class 0 trains the ceiling in ten blocks.
const WINDOWS: Windows = Windows { take: 3, heartbeat: 5, progress: 8, block_seconds: 1 };
const SLOW: RateClass = RateClass::FASTEST;

fn rate(tokens_per_second: u32) -> RateClass {
    RateClass::declared(tokens_per_second)
}

fn new_job(deadline: u32) -> Job<u8> {
    Job {
        owner: 0,
        base: 0,
        size: SizeClass::default(),
        kind: JobKind { family: ModelFamily::Llama, method: Method::Lora },
        datasets: Default::default(),
        spec: TrainingSpec::default(),
        token_ceiling: CEILING,
        price_per_token: PRICE,
        budget: BUDGET,
        deposit: 5,
        deadline,
        attempts: 0,
        refused: Default::default(),
        sequence: 0,
        state: JobState::Queued,
        ended_at: 0,
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
    Assign { worker: u8, tokens_per_second: u32 },
    Take(u8),
    Decline { worker: u8, reason: DeclineReason },
    Heartbeat { worker: u8, step: u32 },
    Submit { worker: u8, window: u32 },
    Complete,
    TimeOut,
    Cancel,
    Raise(u128),
    Extend(u32),
    Pass(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let worker = 0u8..20;
    let reasons = [DeclineReason::FilesUnavailable, DeclineReason::Memory];
    prop_oneof![
        4 => (worker.clone(), 1u32..20).prop_map(|(worker, tokens_per_second)| {
            Step::Assign { worker, tokens_per_second }
        }),
        4 => worker.clone().prop_map(Step::Take),
        2 => (worker.clone(), prop::sample::select(reasons.to_vec()))
            .prop_map(|(worker, reason)| Step::Decline { worker, reason }),
        3 => (worker.clone(), 0u32..4).prop_map(|(worker, step)| Step::Heartbeat { worker, step }),
        4 => (worker, 0u32..10).prop_map(|(worker, window)| Step::Submit { worker, window }),
        3 => Just(Step::Complete),
        2 => Just(Step::TimeOut),
        1 => prop_oneof![
            Just(Step::Cancel),
            Just(Step::TimeOut),
            (50u128..120).prop_map(Step::Raise),
            (10u32..120).prop_map(Step::Extend),
        ],
        3 => (1u32..6).prop_map(Step::Pass),
    ]
}

/// The worker that has the job, for steps that shall mostly be allowed.
fn own(job: &Job<u8>, worker: u8) -> u8 {
    match job.assignment() {
        Some(assignment) if worker > 2 => assignment.worker,
        _ => worker,
    }
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
        let (mut paid, mut called_off) = (0, 0);
        for step in steps {
            let before = job.clone();
            let w = &WINDOWS;
            let answer = match step {
                Step::Assign { worker, tokens_per_second } => {
                    let answer = job.assign(worker, rate(tokens_per_second), now, w);
                    if answer.is_ok() {
                        assigned = job.assignment().copied();
                        let floor = w.floor(CEILING, rate(tokens_per_second));
                        prop_assert!(now + floor <= job.deadline);
                        prop_assert!(before.may_go_to(&worker));
                        prop_assert_eq!(assigned.map(|a| a.price), job.price());
                    }
                    answer
                }
                Step::Take(worker) => job.take(&own(&job, worker), now, w),
                Step::Decline { worker, reason } => {
                    let worker = own(&job, worker);
                    let answer = job.decline(&worker, now, reason, |_| true, 3, w);
                    if answer.is_ok() {
                        prop_assert_eq!(job.attempts, before.attempts, "a decline is no attempt");
                        prop_assert!(!job.may_go_to(&worker));
                    }
                    answer
                }
                Step::Heartbeat { worker, step } => {
                    job.heartbeat(&own(&job, worker), now, (step, 3), w)
                }
                Step::Submit { worker, window } => {
                    let worker = own(&job, worker);
                    let answer = job.submit(&worker, now, now + window, result(), w);
                    if answer.is_ok() {
                        prop_assert_eq!(assigned.map(|assignment| assignment.worker), Some(worker));
                        prop_assert!(now <= job.deadline);
                    }
                    answer
                }
                Step::Complete => job.complete(now).map(|(assignment, done)| {
                    assert_eq!(Some(assignment), assigned);
                    assert_eq!(done, result());
                    paid += 1;
                }),
                Step::TimeOut => job.time_out(now, ATTEMPTS, w).map(|released| {
                    assert_eq!(released.map(|r| r.assignment), before.assignment().copied());
                    assert!(now > before.due(w).expect("not over"));
                    if let Some(released) = released {
                        assert!(!job.may_go_to(&released.assignment.worker));
                        assert_eq!(job.attempts, before.attempts + u8::from(released.at_fault));
                    }
                }),
                Step::Cancel => job.cancel(now, w).map(|CalledOff { worker, pay }| {
                    assert_eq!(worker, before.assignment().map(|assignment| assignment.worker));
                    assert!(pay <= before.assignment().map_or(0, |a| a.price / 2));
                    called_off += 1;
                }),
                Step::Raise(price) => job.raise(price).map(|more| {
                    assert_eq!(job.budget, before.budget + more);
                }),
                Step::Extend(deadline) => job.extend(deadline),
                Step::Pass(blocks) => {
                    now += blocks;
                    Ok(())
                }
            };
            if answer.is_err() || before.is_over() {
                prop_assert_eq!(&job, &before, "a refusal changes nothing, and an end is final");
            }
            prop_assert_eq!(job.due(&WINDOWS).is_none(), job.is_over());
            prop_assert!(job.attempts <= ATTEMPTS);
            prop_assert!(job.assignment().is_none_or(|assignment| assignment.price <= job.budget));
            let completed = matches!(job.state, JobState::Completed { .. });
            prop_assert_eq!(paid, u32::from(completed), "paid when completed, and only then");
            prop_assert_eq!(called_off, u32::from(job.state == JobState::Cancelled));
            let mut refused: Vec<u8> = job.refused.iter().map(|refused| refused.worker).collect();
            refused.sort_unstable();
            refused.dedup();
            prop_assert_eq!(refused.len(), job.refused.len(), "nobody is noted twice");
            prop_assert!(job.is_over() || !job.refused.is_full());
            // What never changes.
            prop_assert_eq!((job.owner, job.token_ceiling, job.deposit), (0, CEILING, 5));
        }
    }
}

/// A job that is assigned to worker 1 for 600 until block 3, with its deadline in block 50.
fn assigned() -> Job<u8> {
    let mut job = new_job(50);
    assert_eq!(job.assign(1, rate(1), 0, &WINDOWS), Ok(()));
    job
}

/// That job, taken in block 3.
fn training() -> Job<u8> {
    let mut job = assigned();
    assert_eq!(job.take(&1, 3, &WINDOWS), Ok(()));
    job
}

fn released(worker: u8, at_fault: bool) -> Result<Option<Released<u8>>, JobError> {
    let assignment = Assignment { worker, price: 600, rate: rate(1) };
    Ok(Some(Released { assignment, at_fault }))
}

#[test]
fn classes_of_speed_round_down_and_those_of_size_never_promise_too_much() {
    let tokens = |declared| rate(declared).tokens_per_second();
    assert_eq!([0, 1, 2, 3, 244, 256].map(tokens), [1, 1, 2, 2, 128, 256]);
    assert_eq!([32_768, u32::MAX].map(tokens), [32_768, 32_768]);
    let mib = 1 << 20;
    assert_eq!(SizeClass::of(0), SizeClass::of(256 * mib));
    assert!(SizeClass::of(256 * mib) < SizeClass::of(256 * mib + 1));
    assert_eq!(SizeClass::up_to(256 * mib - 1), None);
    assert_eq!(SizeClass::up_to(u64::MAX), Some(SizeClass::of(u64::MAX)));
    for exponent in 0..43 {
        for bytes in [1u64 << exponent, (1 << exponent) + 1] {
            // Whoever takes up to so many bytes takes every model of its class.
            let Some(class) = SizeClass::up_to(bytes) else { continue };
            assert!(SizeClass::of(bytes) >= class && class.bytes() <= bytes);
            assert_eq!(SizeClass::of(class.bytes()), class);
        }
    }
}

#[test]
fn the_slowest_class_is_the_slowest_that_keeps_the_deadline() {
    for deadline in 0..60 {
        let slowest = WINDOWS.slowest(CEILING, 7, deadline);
        for class in RateClass::all() {
            let mut job = new_job(deadline);
            let keeps = job.assign(1, class, 7, &WINDOWS).is_ok();
            assert_eq!(keeps, slowest.is_some_and(|slowest| class >= slowest));
        }
    }
}

#[test]
fn a_price_above_the_budget_is_not_assigned() {
    let mut job = new_job(50);
    job.budget = 599;
    assert_eq!(job.assign(1, rate(1), 0, &WINDOWS), Err(JobError::AboveBudget));
    job.price_per_token = u128::MAX;
    assert_eq!(job.assign(1, rate(1), 0, &WINDOWS), Err(JobError::AboveBudget));
    assert_eq!(assigned().assign(2, SLOW, 0, &WINDOWS), Err(JobError::WrongState));
}

#[test]
fn windows_include_their_last_block() {
    let mut job = assigned();
    assert_eq!(job.clone().take(&1, 3, &WINDOWS), Ok(()));
    assert_eq!(job.take(&1, 4, &WINDOWS), Err(JobError::TooLate));
    assert_eq!(
        job.decline(&1, 4, DeclineReason::Other, |_| true, 3, &WINDOWS),
        Err(JobError::TooLate)
    );
    assert_eq!(job.time_out(3, ATTEMPTS, &WINDOWS), Err(JobError::WrongState));
    assert_eq!(job.time_out(4, ATTEMPTS, &WINDOWS), released(1, true));
    assert_eq!((&job.state, job.attempts), (&JobState::Queued, 1));
    assert_eq!(job.assign(1, rate(1), 4, &WINDOWS), Err(JobError::RefusedBefore));

    let mut job = training();
    assert_eq!(job.clone().heartbeat(&1, 8, (1, 2), &WINDOWS), Ok(()));
    assert_eq!(job.clone().submit(&1, 8, 20, result(), &WINDOWS), Ok(()));
    assert_eq!(job.heartbeat(&1, 9, (1, 2), &WINDOWS), Err(JobError::TooLate));
    assert_eq!(job.submit(&1, 9, 20, result(), &WINDOWS), Err(JobError::TooLate));
    assert_eq!(job.time_out(9, ATTEMPTS, &WINDOWS), released(1, true));
}

#[test]
fn a_deadline_that_leaves_too_little_time_goes_to_faster_workers_only() {
    // 8 blocks of windows and 10 of training from block 0.
    assert_eq!(new_job(17).assign(1, rate(1), 0, &WINDOWS), Err(JobError::TooLate));
    assert_eq!(new_job(18).assign(1, rate(1), 0, &WINDOWS), Ok(()));
    assert_eq!(new_job(17).assign(1, rate(2), 0, &WINDOWS), Ok(()));
    assert_eq!(new_job(9).assign(1, RateClass::FASTEST, 0, &WINDOWS), Ok(()));
    assert_eq!(new_job(8).assign(1, RateClass::FASTEST, 0, &WINDOWS), Err(JobError::TooLate));
}

#[test]
fn a_worker_whose_job_ends_before_the_time_it_named_is_not_at_fault() {
    // As in a chain of before deadlines had a floor.
    let mut job = training();
    job.deadline = 6;
    assert_eq!(job.heartbeat(&1, 7, (0, 1), &WINDOWS), Err(JobError::TooLate));
    assert_eq!(job.time_out(7, ATTEMPTS, &WINDOWS), released(1, false));
    assert_eq!((job.state, job.attempts), (JobState::Failed(JobFailure::Deadline), 0));
    let mut job = assigned();
    job.deadline = 2;
    assert_eq!(job.time_out(3, ATTEMPTS, &WINDOWS), released(1, false));
}

#[test]
fn the_last_attempt_ends_the_job() {
    let mut job = new_job(60);
    for attempt in 1..=ATTEMPTS {
        assert_eq!(job.assign(attempt, rate(1), 0, &WINDOWS), Ok(()));
        assert_eq!(job.time_out(4, ATTEMPTS, &WINDOWS), released(attempt, true));
        assert_eq!(job.attempts, attempt);
    }
    assert_eq!((job.state, job.ended_at), (JobState::Failed(JobFailure::Attempts), 4));
}

#[test]
fn only_the_owners_side_and_only_several_workers_end_a_job_by_declining() {
    let decline = |job: &mut Job<u8>, worker: u8, reason| {
        assert_eq!(job.assign(worker, rate(9), 0, &WINDOWS), Ok(()));
        assert_eq!(job.decline(&worker, 1, reason, |_| true, 3, &WINDOWS), Ok(()));
    };
    let mut job = new_job(60);
    for worker in 1..QUORUM as u8 {
        decline(&mut job, worker, DeclineReason::Unusable);
        decline(&mut job, 100 + worker, DeclineReason::Memory);
        assert_eq!(job.state, JobState::Queued);
    }
    decline(&mut job, 50, DeclineReason::Unusable);
    assert_eq!(job.state, JobState::Failed(JobFailure::Unusable));
    let mut job = new_job(60);
    (1..=MAX_REFUSED as u8).for_each(|worker| decline(&mut job, worker, DeclineReason::Disk));
    assert_eq!((job.state, job.attempts), (JobState::Failed(JobFailure::Declined), 0));
}

#[test]
fn who_blames_an_owner_has_to_count_and_to_be_most_of_those_who_do() {
    let declined = |able, counts: fn(&u8) -> bool| {
        let mut job = new_job(60);
        for worker in 1..=QUORUM as u8 {
            assert_eq!(job.assign(worker, rate(9), 0, &WINDOWS), Ok(()));
            let reason = DeclineReason::Unusable;
            assert_eq!(job.decline(&worker, 1, reason, counts, able, &WINDOWS), Ok(()));
        }
        job
    };
    let failed = JobState::Failed(JobFailure::Unusable);
    assert_eq!(declined(5, |_| true).state, failed);
    assert_eq!(declined(6, |_| true).state, JobState::Queued, "half is not most");
    assert_eq!(declined(3, |worker| *worker > 1).state, JobState::Queued, "one does not count");
    assert_eq!(declined(0, |_| false).state, JobState::Queued);
}

#[test]
fn an_owner_loses_a_third_of_the_deposit_for_each_that_blames_it_and_counts() {
    let mut job = new_job(60);
    job.deposit = 100;
    let reasons = [DeclineReason::Memory, DeclineReason::BaseUnavailable, DeclineReason::Unusable];
    for (worker, reason) in (1..).zip(reasons.into_iter().chain(reasons)) {
        assert_eq!(job.assign(worker, rate(9), 0, &WINDOWS), Ok(()));
        assert_eq!(job.decline(&worker, 1, reason, |_| true, 20, &WINDOWS), Ok(()));
    }
    assert_eq!(job.blamed_by().copied().collect::<Vec<_>>(), [2, 3, 5, 6]);
    for (last, lost) in [(1, 0), (2, 33), (3, 66), (5, 100), (6, 100)] {
        assert_eq!(job.blame(|worker| *worker <= last), lost);
    }
    job.deposit = u128::MAX;
    assert!(job.blame(|_| true) <= job.deposit);
}

#[test]
fn a_queued_job_ends_when_no_worker_could_finish_any_more_and_no_attempt_is_counted() {
    let mut job = new_job(50);
    assert_eq!(job.due(&WINDOWS), Some(41));
    assert_eq!(job.time_out(41, ATTEMPTS, &WINDOWS), Err(JobError::WrongState));
    assert_eq!(job.time_out(42, ATTEMPTS, &WINDOWS), Ok(None));
    assert_eq!((job.state, job.attempts), (JobState::Failed(JobFailure::Deadline), 0));
}

#[test]
fn signs_of_life_without_a_step_count_for_a_while_only() {
    let mut job = training();
    let mut now = 3;
    // Eight blocks, and twice the ten that a step of the whole ceiling takes.
    while job.heartbeat(&1, now, (0, 4), &WINDOWS).is_ok() {
        now += 1;
    }
    assert_eq!(now, 3 + 8 + 20 + 1);
    assert_eq!(job.time_out(now, ATTEMPTS, &WINDOWS), released(1, true));

    let mut job = training();
    assert_eq!(job.heartbeat(&1, 4, (2, 1), &WINDOWS), Err(JobError::StepBeyondTotal));
    assert_eq!(job.heartbeat(&1, 4, (2, 4), &WINDOWS), Ok(()));
    assert_eq!(job.heartbeat(&1, 5, (3, 5), &WINDOWS), Err(JobError::OtherTotal));
    assert_eq!(job.heartbeat(&1, 5, (0, 0), &WINDOWS), Ok(()));
    assert!(matches!(job.state, JobState::Training { step: 2, total_steps: 4, .. }));
}

#[test]
fn a_result_waits_out_its_window_whatever_the_deadline() {
    let mut job = training();
    assert_eq!(job.submit(&1, 8, 60, result(), &WINDOWS), Ok(()));
    assert_eq!(job.due(&WINDOWS), Some(60));
    assert_eq!(job.complete(59), Err(JobError::TooLate));
    assert_eq!(job.time_out(59, ATTEMPTS, &WINDOWS), Err(JobError::WrongState));
    assert_eq!(job.time_out(99, ATTEMPTS, &WINDOWS), Err(JobError::WrongState));
    let assignment = Assignment { worker: 1, price: 600, rate: rate(1) };
    assert_eq!(job.complete(60), Ok((assignment, result())));
    assert_eq!(job.complete(61), Err(JobError::WrongState));
}

#[test]
fn calling_a_job_off_pays_for_what_was_shown_in_the_time_it_should_take() {
    let off = |worker, pay| Ok(CalledOff { worker, pay });
    assert_eq!(new_job(50).cancel(0, &WINDOWS), off(None, 0));
    assert_eq!(assigned().cancel(0, &WINDOWS), off(Some(1), 0));
    assert_eq!(training().cancel(9, &WINDOWS), off(Some(1), 0));
    let shown = |step, now| {
        let mut job = training();
        assert_eq!(job.heartbeat(&1, 4, (step, 10), &WINDOWS), Ok(()));
        job.cancel(now, &WINDOWS)
    };
    // Of 600; in block 5 two of ten blocks have passed.
    assert_eq!(shown(0, 5), off(Some(1), 60), "it is at the first of ten");
    assert_eq!(shown(1, 5), off(Some(1), 120));
    assert_eq!(shown(9, 5), off(Some(1), 120));
    assert_eq!(shown(9, 30), off(Some(1), 300));
    let mut job = training();
    assert_eq!(job.submit(&1, 5, 9, result(), &WINDOWS), Ok(()));
    assert_eq!(job.cancel(6, &WINDOWS), Err(JobError::WrongState));
}

#[test]
fn an_owner_offers_more_and_gives_more_time_and_never_less() {
    let mut job = new_job(50);
    assert_eq!(job.raise(PRICE), Err(JobError::NotHigher));
    // 400 plancks more than the price were held already.
    assert_eq!(job.raise(100), Ok(0));
    assert_eq!(job.raise(101), Ok(10));
    assert_eq!((job.budget, job.price()), (1_010, Some(1_010)));
    assert_eq!(job.raise(u128::MAX), Err(JobError::AboveBudget));
    assert_eq!(assigned().raise(101), Err(JobError::WrongState));
    assert_eq!(job.extend(50), Err(JobError::NotLater));
    assert_eq!(job.extend(51), Ok(()));
    assert_eq!(training().extend(51), Ok(()));
    let mut ended = new_job(50);
    assert!(ended.cancel(0, &WINDOWS).is_ok());
    assert_eq!(ended.extend(51), Err(JobError::WrongState));
}

#[test]
fn only_the_worker_works_on_a_job() {
    let mut job = assigned();
    assert_eq!(job.take(&2, 3, &WINDOWS), Err(JobError::NotTheWorker));
    assert_eq!(
        job.decline(&2, 3, DeclineReason::Other, |_| true, 3, &WINDOWS),
        Err(JobError::NotTheWorker)
    );
    let mut job = training();
    assert_eq!(job.heartbeat(&2, 4, (0, 1), &WINDOWS), Err(JobError::NotTheWorker));
    assert_eq!(job.submit(&2, 4, 9, result(), &WINDOWS), Err(JobError::NotTheWorker));
}
