//! Every state that a job and its dispute can get into, by the transition functions that the pallet
//! itself uses: never stuck, money conserved, paid at most once.
//!
//! stateright follows all sequences of all calls by all who may call, right and wrong ones, for a small
//! job: three workers of two speeds, two attempts, a deadline of a few blocks, and three that may be
//! drawn. A state is a job, its dispute, the block, and where everybody's money is; each is visited once.
//! Disputes are followed from every history of a job: after workers that declined it, and after one that
//! lost it. A second one, of the owner after somebody else's, is followed where the first worker did it.
//!
//! Workers that have done nothing yet are all the same, and so are those drawn that have shown nothing: of
//! them the first one acts. What another one did would be the same story with two names exchanged.

use codec::Encode;
use openledger_primitives::{
    job::{
        dispute::{finding_commitment, Dispute, DisputeWindows, Finding, Outcome, Settlement},
        CalledOff, DeclineReason, JobFailure,
    },
    ContentId, Job, JobKind, JobResult, JobState, Method, ModelFamily, RateClass, SizeClass,
    TrainingSpec, Windows,
};
use sp_core::H256;
use stateright::{Checker, Model, Property};
use std::hash::{Hash, Hasher};

const WINDOWS: Windows = Windows { take: 1, heartbeat: 1, progress: 1, block_seconds: 1 };
const DISPUTE_WINDOWS: DisputeWindows = DisputeWindows { commit: 1, reveal: 1 };
const ATTEMPTS: u8 = 2;
const CHALLENGE: u32 = 1;
const DEADLINE: u32 = 7;
/// An owner may move the deadline to here, once.
const LATER: u32 = 8;
const PRICE: u128 = 10;
const RAISED: u128 = 11;
const DEPOSIT: u128 = 3;
/// What a disputer has at stake, which three do not divide, and what the worker has.
const STAKE: u128 = 7;
const BOND: u128 = 100;
const WORKERS: [u8; 3] = [1, 2, 3];
const OWNER: u8 = 0;
const DISPUTER: u8 = 4;
const DRAWN: [u8; 3] = [5, 6, 7];
/// Nothing can go on beyond this block: deadline, then twice window, draw, hashes, findings.
const END: u32 = LATER + 2 * (CHALLENGE + 2 + 1 + 1 + 1);

/// Whose money is where. Whatever happens, the sum stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Money {
    /// Held of the owner for the price.
    budget: u128,
    /// Held of the owner for the record.
    deposit: u128,
    /// Given back to the owner.
    back: u128,
    /// Paid to workers for work.
    paid: u128,
    /// How often a worker was paid.
    payments: u8,
    /// Held of the worker that posted the result.
    bond: u128,
    /// Held of the disputer.
    stake: u128,
    /// Given back to the disputer.
    returned: u128,
    /// Paid to those drawn.
    fees: u128,
    /// Lost to the treasury.
    treasury: u128,
    /// What was put up in all.
    put_up: u128,
}

/// A job in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
struct At {
    job: Job<u8>,
    dispute: Option<Dispute<u8>>,
    now: u32,
    money: Money,
}

impl Hash for At {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The rest of a job never changes.
        let Job { state: of, attempts, refused, budget, deadline, ended_at, .. } = &self.job;
        (of, refused, budget, deadline, ended_at).encode().hash(state);
        (attempts, self.dispute.encode(), self.now, self.money).hash(state);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Assign(u8, u32),
    Take(u8),
    Decline(u8, DeclineReason),
    Heartbeat(u8, u32, u32),
    Submit(u8),
    Cancel,
    Raise,
    Extend,
    Dispute(u8),
    Commit(u8, Finding),
    Reveal(u8, Finding),
    /// The next block, whose start looks at what is due, as the pallet's hook does; how many workers
    /// there are to draw.
    Block(usize),
}

fn begin() -> At {
    let job = Job {
        owner: OWNER,
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
    let money = Money {
        budget: 2 * PRICE,
        deposit: DEPOSIT,
        bond: BOND,
        put_up: 2 * PRICE + DEPOSIT + BOND,
        ..Money::default()
    };
    At { job, dispute: None, now: 0, money }
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

/// Why a step was refused, in the words of whichever machine refused it.
fn refused(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

impl At {
    fn is_disputed(&self) -> bool {
        matches!(self.job.state, JobState::Disputed { .. })
    }

    /// When the hook looks at it next; `None` if it is over.
    fn due(&self) -> Option<u32> {
        match (&self.dispute, self.is_disputed()) {
            (Some(dispute), true) => dispute.due(),
            _ => self.job.due(&WINDOWS),
        }
    }

    fn pay(&mut self, amount: u128) {
        self.money.budget -= amount;
        self.money.paid += amount;
        self.money.payments += u8::from(amount > 0);
    }

    fn refund(&mut self) {
        self.money.back += std::mem::take(&mut self.money.budget);
    }

    /// What the pallet does with the money of a job that has ended without a result.
    fn failed(&mut self) {
        if let JobState::Failed(failure) = self.job.state {
            self.refund();
            if failure != JobFailure::Refuted {
                self.blame();
            }
        }
    }

    /// What the pallet does with the deposit of a job that has ended without a result: all workers have
    /// seniority.
    fn blame(&mut self) {
        let lost = self.job.blame(|_| true);
        self.money.deposit -= lost;
        self.money.treasury += lost;
    }

    /// What the pallet does with the money of a dispute that ends.
    fn settle(&mut self) -> Result<(), String> {
        let dispute = self.dispute.as_mut().ok_or("no dispute")?;
        let Settlement { outcome, paid, .. } = dispute.settle(self.now).map_err(refused)?;
        let again = (dispute.disputer != OWNER).then_some(self.now + CHALLENGE);
        let (assignment, _) = self.job.settle(outcome, again, self.now).map_err(refused)?;
        let paid = paid.len() as u128;
        let money = &mut self.money;
        match outcome {
            Outcome::Upheld => {
                let lost = dispute.loss(assignment.price / 2, money.bond);
                let fees = dispute.fee_out_of(lost) * paid;
                money.bond -= lost;
                money.fees += fees;
                money.treasury += lost - fees;
            }
            Outcome::Rejected => {
                let fees = dispute.fee() * paid;
                money.fees += fees;
                money.treasury += money.stake - fees;
                money.stake = 0;
            }
            Outcome::NoQuorum => {
                let fees = dispute.fee() * paid;
                money.fees += fees;
                money.stake -= fees;
            }
        }
        money.returned += std::mem::take(&mut money.stake);
        match outcome {
            Outcome::Upheld => self.failed(),
            Outcome::Rejected | Outcome::NoQuorum if again.is_some() => (),
            Outcome::Rejected | Outcome::NoQuorum => {
                self.pay(assignment.price);
                self.refund();
            }
        }
        Ok(())
    }

    /// Does a step as the pallet does.
    fn step(&mut self, step: Step) -> Result<(), String> {
        let (now, w) = (self.now, &WINDOWS);
        match step {
            Step::Assign(worker, rate) => {
                self.job.assign(worker, RateClass::declared(rate), now, w).map_err(refused)
            }
            Step::Take(worker) => self.job.take(&worker, now, w).map_err(refused),
            Step::Decline(worker, reason) => {
                let all = WORKERS.len() as u32;
                self.job.decline(&worker, now, reason, |_| true, all, w).map_err(refused)?;
                self.failed();
                Ok(())
            }
            Step::Heartbeat(worker, step, total) => {
                self.job.heartbeat(&worker, now, (step, total), w).map_err(refused)
            }
            Step::Submit(worker) => {
                self.job.submit(&worker, now, now + CHALLENGE, result(), w).map_err(refused)
            }
            Step::Cancel => {
                let CalledOff { worker, pay } = self.job.cancel(now, w).map_err(refused)?;
                assert!(worker.is_some() || pay == 0, "nobody is paid for nothing");
                self.pay(pay);
                self.refund();
                self.blame();
                Ok(())
            }
            Step::Raise => {
                let more = self.job.raise(RAISED).map_err(refused)?;
                self.money.budget += more;
                self.money.put_up += more;
                Ok(())
            }
            Step::Extend => self.job.extend(LATER).map_err(refused),
            Step::Dispute(who) => {
                // As the pallet has it: once a job anyone, and its owner after others.
                if self.dispute.is_some() && who != OWNER {
                    return Err("disputed before".into());
                }
                self.job.dispute(now).map_err(refused)?;
                let mut before = self.dispute.iter();
                assert!(before.all(|of| of.disputer != OWNER), "its owner disputes a job once");
                self.dispute = Some(Dispute::open(who, STAKE, now));
                self.money.stake += STAKE;
                self.money.put_up += STAKE;
                Ok(())
            }
            Step::Commit(who, finding) => {
                let dispute = self.dispute.as_mut().ok_or("no dispute")?;
                let hash = finding_commitment(0, &who, finding, &[who; 32]);
                dispute.commit(&who, hash, now, &DISPUTE_WINDOWS).map_err(refused)
            }
            Step::Reveal(who, finding) => {
                let dispute = self.dispute.as_mut().ok_or("no dispute")?;
                dispute.reveal(0, &who, finding, &[who; 32], now).map_err(refused)
            }
            Step::Block(workers) => {
                self.now += 1;
                self.begin_block(workers)
            }
        }
    }

    fn begin_block(&mut self, workers: usize) -> Result<(), String> {
        let (now, due) = (self.now, self.due());
        match self.job.state {
            JobState::Submitted { completes_at, .. } if now >= completes_at => {
                let (assignment, _) = self.job.complete(now).map_err(refused)?;
                self.pay(assignment.price);
                self.refund();
            }
            JobState::Disputed { .. } => {
                if due.is_none_or(|due| now < due) {
                    return Ok(());
                }
                let dispute = self.dispute.as_mut().ok_or("no dispute")?;
                if !dispute.is_drawn() {
                    let drawn = DRAWN[..workers].to_vec();
                    dispute.draw(drawn, now, &DISPUTE_WINDOWS).map_err(refused)?;
                }
                if dispute.due().is_none_or(|due| now >= due) {
                    self.settle()?;
                }
            }
            _ if due.is_some_and(|due| now > due) => {
                self.job.time_out(now, ATTEMPTS, &WINDOWS).map_err(refused)?;
                self.failed();
            }
            _ => (),
        }
        Ok(())
    }

    fn is_conserved(&self) -> bool {
        let Money { budget, deposit, back, paid, bond, stake, returned, fees, treasury, .. } =
            self.money;
        budget + deposit + back + paid + bond + stake + returned + fees + treasury
            == self.money.put_up
    }

    /// What is where fits the state that the job is in.
    fn is_consistent(&self) -> bool {
        let money = &self.money;
        let open = self.dispute.as_ref().is_some_and(|dispute| dispute.outcome.is_none());
        let upheld = self.dispute.as_ref().is_some_and(|of| of.outcome == Some(Outcome::Upheld));
        let agree = self.is_disputed() == open
            && money.stake == if open { STAKE } else { 0 }
            && (money.bond == BOND) != upheld
            && self.due().is_none() == self.job.is_over();
        agree
            && match &self.job.state {
                JobState::Completed { assignment } => {
                    (money.paid, money.budget, money.payments) == (assignment.price, 0, 1)
                }
                JobState::Failed(failure) => {
                    (money.paid, money.budget) == (0, 0)
                        && (*failure == JobFailure::Refuted) == upheld
                }
                JobState::Cancelled => money.paid <= RAISED && money.budget == 0,
                _ => {
                    money.budget == self.job.budget
                        && money.paid == 0
                        && self.job.price().is_some()
                        && self.now <= END
                }
            }
    }

    /// Time alone ends it: nobody has to do anything.
    fn ends(&self) -> bool {
        let mut later = self.clone();
        for _ in 0..=END {
            if later.job.is_over() {
                return true;
            }
            if later.step(Step::Block(DRAWN.len())).is_err() || !later.is_consistent() {
                return false;
            }
        }
        false
    }
}

struct Life;

impl Model for Life {
    type State = At;
    type Action = Step;

    fn init_states(&self) -> Vec<At> {
        vec![begin()]
    }

    fn actions(&self, at: &At, steps: &mut Vec<Step>) {
        if at.job.is_over() {
            return;
        }
        steps.extend([Step::Cancel, Step::Raise, Step::Extend, Step::Block(3)]);
        steps.push(Step::Dispute(DISPUTER));
        if at.dispute.is_none() || at.job.refused.is_empty() {
            steps.push(Step::Dispute(OWNER));
        }
        let before = |worker: u8| at.job.refused.iter().any(|one| one.worker == worker);
        let first = WORKERS.into_iter().find(|worker| !before(*worker));
        for worker in WORKERS {
            if before(worker) || Some(worker) == first {
                steps.extend([1, 2].map(|rate| Step::Assign(worker, rate)));
            }
            steps.extend([Step::Take(worker), Step::Submit(worker)]);
            let reasons = [DeclineReason::FilesUnavailable, DeclineReason::Memory];
            steps.extend(reasons.map(|reason| Step::Decline(worker, reason)));
            let told = [(0, 0), (0, 2), (1, 2), (2, 2), (1, 3), (2, 1)];
            steps.extend(told.map(|(step, total)| Step::Heartbeat(worker, step, total)));
        }
        if at.is_disputed() {
            steps.push(Step::Block(2));
            let shown = |who: u8| {
                let drawn = at.dispute.iter().flat_map(|dispute| &dispute.drawn);
                drawn.into_iter().any(|one| one.worker == who && one.commitment.is_some())
            };
            let first = DRAWN.into_iter().find(|who| !shown(*who));
            for who in DRAWN.into_iter().chain([DISPUTER]) {
                let findings = [Finding::Holds, Finding::NotReproduced];
                if shown(who) || Some(who) == first || who == DISPUTER {
                    steps.extend(findings.map(|finding| Step::Commit(who, finding)));
                }
                steps.extend(findings.map(|finding| Step::Reveal(who, finding)));
            }
        }
    }

    fn next_state(&self, at: &At, step: Step) -> Option<At> {
        let mut next = at.clone();
        match next.step(step) {
            Ok(()) => Some(next),
            Err(why) => {
                assert!(
                    !matches!(step, Step::Block(_)),
                    "a block begins whatever the state: {why}"
                );
                assert_eq!(next, *at, "{step:?} was refused and changed something");
                None
            }
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn failed(at: &At, failure: JobFailure) -> bool {
            at.job.state == JobState::Failed(failure)
        }
        fn ended(at: &At, outcome: Outcome) -> bool {
            at.dispute.as_ref().is_some_and(|dispute| dispute.outcome == Some(outcome))
        }
        vec![
            Property::always("money is conserved", |_, at: &At| at.is_conserved()),
            Property::always("paid at most once", |_, at: &At| at.money.payments <= 1),
            Property::always("money is where the state says", |_, at: &At| at.is_consistent()),
            Property::always("never stuck", |_, at: &At| at.ends()),
            // The search gets everywhere.
            Property::sometimes("completed", |_, at: &At| {
                matches!(at.job.state, JobState::Completed { .. }) && at.dispute.is_none()
            }),
            Property::sometimes("cancelled", |_, at: &At| at.job.state == JobState::Cancelled),
            Property::sometimes("cancelled and paid", |_, at: &At| {
                at.job.state == JobState::Cancelled && at.money.paid > 0
            }),
            Property::sometimes("deadline", |_, at: &At| failed(at, JobFailure::Deadline)),
            Property::sometimes("attempts", |_, at: &At| failed(at, JobFailure::Attempts)),
            Property::sometimes("unusable", |_, at: &At| failed(at, JobFailure::Unusable)),
            Property::always("a deposit pays for what its job was blamed for", |_, at: &At| {
                let none =
                    at.job.refused.iter().all(|one| one.reason.is_none_or(|of| !of.is_owners()));
                at.money.deposit == DEPOSIT
                    || !none && !matches!(at.job.state, JobState::Completed { .. })
            }),
            Property::sometimes("called off after one worker's blame", |_, at: &At| {
                at.job.state == JobState::Cancelled && at.money.deposit == DEPOSIT - 1
            }),
            Property::sometimes("upheld", |_, at: &At| ended(at, Outcome::Upheld)),
            Property::sometimes("rejected", |_, at: &At| ended(at, Outcome::Rejected)),
            Property::sometimes("no quorum", |_, at: &At| ended(at, Outcome::NoQuorum)),
            Property::sometimes("all found it wrong", |_, at: &At| {
                ended(at, Outcome::Upheld) && at.money.fees == 3 * (STAKE / 3)
            }),
            Property::sometimes("upheld after others had the job", |_, at: &At| {
                ended(at, Outcome::Upheld) && at.job.attempts > 0 && at.job.refused.len() > 1
            }),
            Property::sometimes(
                "upheld for the owner after another's came to nothing",
                |_, at: &At| {
                    ended(at, Outcome::Upheld)
                        && at.money.put_up >= 2 * (PRICE + STAKE) + DEPOSIT + BOND
                },
            ),
            Property::sometimes("nobody was drawn", |_, at: &At| {
                at.dispute.as_ref().is_some_and(|of| of.outcome.is_some() && !of.is_drawn())
            }),
        ]
    }
}

#[test]
fn no_state_of_a_job_or_its_dispute_is_stuck_loses_money_or_pays_twice() {
    let began = std::time::Instant::now();
    let checker = Life.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let (states, unique) = (checker.state_count(), checker.unique_state_count());
    println!("{unique} states, {states} steps, {:.1} s", began.elapsed().as_secs_f64());
    assert!(checker.is_done() && unique > 20_000, "{unique} states");
}
