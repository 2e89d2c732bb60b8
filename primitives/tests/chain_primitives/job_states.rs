//! Every state that a job can get into, by the transition functions that the pallet itself uses:
//! never stuck, money conserved, paid at most once.
//!
//! All sequences of all calls by all who may call are followed, right and wrong ones, for a small job:
//! three workers of two speeds, two attempts, a deadline of a few blocks. A state is a job, the block,
//! and what has been paid; each is visited once.

use codec::Encode;
use openledger_primitives::{
    job::{CalledOff, DeclineReason, JobError, JobFailure},
    ContentId, Job, JobKind, JobResult, JobState, Method, ModelFamily, RateClass, SizeClass,
    TrainingSpec, Windows,
};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash};
use std::collections::{HashSet, VecDeque};

const WINDOWS: Windows = Windows { take: 1, heartbeat: 1, progress: 1, block_seconds: 1 };
const ATTEMPTS: u8 = 2;
const CHALLENGE: u32 = 1;
const DEADLINE: u32 = 7;
/// An owner may move the deadline to here, once.
const LATER: u32 = 8;
const PRICE: u128 = 10;
const RAISED: u128 = 11;
const DEPOSIT: u128 = 1;
const WORKERS: [u8; 3] = [1, 2, 3];

/// A job in a block, and where the owner's money is.
#[derive(Clone, Encode)]
struct At {
    job: Job<u8>,
    now: u32,
    /// Held of the owner for the price.
    held: u128,
    /// Held of the owner for the record.
    deposit: u128,
    /// Paid to workers.
    paid: u128,
    /// How often a worker was paid.
    payments: u8,
    /// Given back to the owner.
    back: u128,
    /// Lost to the treasury by the owner.
    lost: u128,
    /// Put up by the owner in all.
    put_up: u128,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Assign(u8, u32),
    Take(u8),
    Decline(u8, DeclineReason),
    Heartbeat(u8, u32, u32),
    Submit(u8),
    Cancel,
    Raise,
    Extend,
    /// The next block, whose start looks at what is due, as the pallet's hook does.
    Block,
}

fn steps() -> Vec<Step> {
    let mut steps = vec![Step::Cancel, Step::Raise, Step::Extend, Step::Block];
    for worker in WORKERS {
        steps.extend([1, 2].map(|rate| Step::Assign(worker, rate)));
        steps.extend([Step::Take(worker), Step::Submit(worker)]);
        let reasons = [DeclineReason::FilesUnavailable, DeclineReason::Memory];
        steps.extend(reasons.map(|reason| Step::Decline(worker, reason)));
        let told = [(0, 0), (0, 2), (1, 2), (2, 2), (1, 3), (2, 1)];
        steps.extend(told.map(|(step, total)| Step::Heartbeat(worker, step, total)));
    }
    steps
}

fn begin() -> At {
    let job = Job {
        owner: 0,
        base: 0,
        size: SizeClass::default(),
        kind: JobKind { family: ModelFamily::Llama, method: Method::Lora },
        datasets: Default::default(),
        spec: TrainingSpec::default(),
        token_ceiling: 2,
        price_per_token: PRICE,
        budget: 2 * PRICE,
        deposit: DEPOSIT,
        deadline: DEADLINE,
        attempts: 0,
        refused: Default::default(),
        sequence: 0,
        state: JobState::Queued,
        ended_at: 0,
    };
    At {
        job,
        now: 0,
        held: 2 * PRICE,
        deposit: DEPOSIT,
        paid: 0,
        payments: 0,
        back: 0,
        lost: 0,
        put_up: 2 * PRICE + DEPOSIT,
    }
}

fn result() -> JobResult {
    JobResult {
        content: ContentId::raw([9; 32]),
        sha256: [9; 32],
        size: 1,
        eval_loss_before: 2,
        eval_loss_after: 1,
        tokens: 2,
        dataset_root: H256::zero(),
        checkpoints_root: H256::zero(),
        influence_root: H256::zero(),
    }
}

impl At {
    fn pay(&mut self, amount: u128) {
        self.held = self.held.checked_sub(amount).expect("no more is paid than is held");
        self.paid += amount;
        self.payments += u8::from(amount > 0);
    }

    /// What the pallet does with the money of a job that has ended without a result.
    fn settle(&mut self) {
        if let JobState::Failed(failure) = self.job.state {
            self.back += std::mem::take(&mut self.held);
            if failure == JobFailure::Unusable {
                self.lost += std::mem::take(&mut self.deposit);
            }
        }
    }

    /// Does a step as the pallet does. Whether it was allowed.
    fn step(&mut self, step: Step) -> Result<(), JobError> {
        let (now, w) = (self.now, &WINDOWS);
        match step {
            Step::Assign(worker, rate) => {
                self.job.assign(worker, RateClass::declared(rate), now, w)
            }
            Step::Take(worker) => self.job.take(&worker, now, w),
            Step::Decline(worker, reason) => {
                self.job.decline(&worker, now, reason, w)?;
                self.settle();
                Ok(())
            }
            Step::Heartbeat(worker, step, total) => {
                self.job.heartbeat(&worker, now, (step, total), w)
            }
            Step::Submit(worker) => self.job.submit(&worker, now, now + CHALLENGE, result(), w),
            Step::Cancel => {
                let CalledOff { worker, pay } = self.job.cancel(now, w)?;
                assert!(worker.is_some() || pay == 0, "nobody is paid for nothing");
                self.pay(pay);
                self.back += std::mem::take(&mut self.held);
                Ok(())
            }
            Step::Raise => {
                let more = self.job.raise(RAISED)?;
                self.held += more;
                self.put_up += more;
                Ok(())
            }
            Step::Extend => self.job.extend(LATER),
            Step::Block => {
                self.now += 1;
                let due = self.job.due(w);
                match self.job.state {
                    JobState::Submitted { completes_at, .. } if self.now >= completes_at => {
                        let (assignment, _) = self.job.complete(self.now)?;
                        self.pay(assignment.price);
                        self.back += std::mem::take(&mut self.held);
                    }
                    _ if due.is_some_and(|due| self.now > due) => {
                        self.job.time_out(self.now, ATTEMPTS, w)?;
                        self.settle();
                    }
                    _ => (),
                }
                Ok(())
            }
        }
    }

    /// What holds in every state.
    fn check(&self) {
        let all = self.held + self.deposit + self.paid + self.back + self.lost;
        assert_eq!(all, self.put_up, "money is conserved");
        assert!(self.payments <= 1, "paid at most once");
        assert_eq!(self.job.due(&WINDOWS).is_none(), self.job.is_over());
        match &self.job.state {
            JobState::Completed { assignment } => {
                assert_eq!((self.paid, self.held), (assignment.price, 0));
            }
            JobState::Failed(_) => assert_eq!((self.paid, self.held), (0, 0)),
            JobState::Cancelled => {
                assert!(self.paid <= RAISED && self.held == 0, "half of the price at most");
            }
            _ => {
                assert_eq!(self.held, self.job.budget, "all of it is held until the end");
                assert!(self.job.price().is_some());
                assert!(self.now <= LATER + CHALLENGE, "nothing goes on after the deadline");
            }
        }
    }

    /// Time alone ends it: nobody has to do anything.
    fn ends(&self) {
        let mut later = self.clone();
        for _ in 0..=2 * LATER {
            if later.job.is_over() {
                return;
            }
            later.step(Step::Block).expect("a block begins whatever the state");
            later.check();
        }
        panic!("stuck in block {}: {:?}", self.now, self.job.state);
    }
}

#[test]
fn no_state_of_a_job_is_stuck_loses_money_or_pays_twice() {
    let steps = steps();
    let mut seen: HashSet<H256> = HashSet::new();
    let key = |at: &At| BlakeTwo256::hash_of(at);
    let mut left = VecDeque::from([begin()]);
    seen.insert(key(&begin()));
    let mut ends: HashSet<&str> = HashSet::new();
    let (mut allowed, mut failures) = (0u64, HashSet::new());
    while let Some(at) = left.pop_front() {
        at.check();
        at.ends();
        for step in &steps {
            let mut next = at.clone();
            let answer = next.step(*step);
            if answer.is_err() {
                assert_eq!(
                    next.encode(),
                    at.encode(),
                    "{step:?} was refused and changed something"
                );
                continue;
            }
            if at.job.is_over() {
                assert_eq!(next.job, at.job, "{step:?} changed a job that is over");
                continue;
            }
            allowed += 1;
            if next.job.is_over() {
                ends.insert(next.job.state.name());
            }
            if let JobState::Failed(failure) = next.job.state {
                failures.insert(failure.encode());
            }
            if seen.insert(key(&next)) {
                left.push_back(next);
            }
        }
    }
    // The search got everywhere it could.
    assert_eq!(ends, HashSet::from(["completed", "failed", "cancelled"]));
    assert_eq!(
        failures.len(),
        3,
        "deadline, attempts and unusable; to be declined takes more workers"
    );
    assert!(seen.len() > 5_000 && allowed > 20_000, "{} states, {allowed} steps", seen.len());
    println!("{} states, {allowed} steps", seen.len());
}
