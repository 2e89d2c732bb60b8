//! A job's transitions. Each does all that it says, or leaves the job as it was.

use super::{
    dispute::Outcome, Assignment, CalledOff, DeclineReason, Job, JobError, JobFailure, JobResult,
    JobState, Refused, Released, QUORUM,
};
use crate::{Balance, BlockNumber, RateClass, Windows};

impl<AccountId: Clone + PartialEq> Job<AccountId> {
    /// The current assignment, if a worker has the job or had it completed.
    pub fn assignment(&self) -> Option<&Assignment<AccountId>> {
        self.state.assignment()
    }

    /// Who declined it for a reason of the owner's side.
    pub fn blamed_by(&self) -> impl Iterator<Item = &AccountId> {
        let owners =
            |refused: &&Refused<AccountId>| refused.reason.is_some_and(|reason| reason.is_owners());
        self.refused.iter().filter(owners).map(|refused| &refused.worker)
    }

    /// What its owner loses of the deposit when it ends without a result: a third for each of the workers
    /// that declined it for a reason of the owner's side and count, so that it costs as much to call a job
    /// off after one of them as it does to let [`QUORUM`] of them agree.
    pub fn blame(&self, counts: impl Fn(&AccountId) -> bool) -> Balance {
        let blamed = self.blamed_by().filter(|who| counts(who)).count().min(QUORUM);
        let share = self.deposit.saturating_mul(blamed as Balance) / QUORUM as Balance;
        share.min(self.deposit)
    }

    /// Whether nothing will happen to it any more.
    pub fn is_over(&self) -> bool {
        self.state.is_over()
    }

    /// Whether it may be offered to a worker.
    pub fn may_go_to(&self, who: &AccountId) -> bool {
        self.refused.iter().all(|refused| refused.worker != *who)
    }

    /// What a worker is paid for it. `None` where that is no number, or above the budget.
    pub fn price(&self) -> Option<Balance> {
        let price = self.price_per_token.checked_mul(self.token_ceiling.into())?;
        (price <= self.budget).then_some(price)
    }

    /// Dispatches a queued job to a worker of a rate. The deadline leaves the worker both windows and
    /// the time that the ceiling takes at its rate.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::RefusedBefore`], [`JobError::AboveBudget`],
    /// [`JobError::TooLate`].
    pub fn assign(
        &mut self,
        worker: AccountId,
        rate: RateClass,
        now: BlockNumber,
        windows: &Windows,
    ) -> Result<(), JobError> {
        if !matches!(self.state, JobState::Queued) {
            return Err(JobError::WrongState);
        }
        if !self.may_go_to(&worker) {
            return Err(JobError::RefusedBefore);
        }
        let price = self.price().ok_or(JobError::AboveBudget)?;
        if now.saturating_add(windows.floor(self.token_ceiling, rate)) > self.deadline {
            return Err(JobError::TooLate);
        }
        let take_by = now.saturating_add(windows.take);
        self.state = JobState::Assigned { assignment: Assignment { worker, price, rate }, take_by };
        Ok(())
    }

    /// The assigned worker begins.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::NotTheWorker`], [`JobError::TooLate`].
    pub fn take(
        &mut self,
        who: &AccountId,
        now: BlockNumber,
        windows: &Windows,
    ) -> Result<(), JobError> {
        let assignment = self.assigned_to(who, now)?.clone();
        self.state = JobState::Training {
            assignment,
            heartbeat_by: now.saturating_add(windows.heartbeat),
            step: 0,
            total_steps: 0,
            taken_at: now,
            progressed_at: now,
        };
        Ok(())
    }

    /// The assigned worker does not want it: no attempt, and nobody's loss. The job waits again, or
    /// fails if too many declined, or if a reason of the owner's side is `agreed` by [`QUORUM`] workers and
    /// by more than half of the `able`: those who gave it and count, this one among them, and all who count.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::NotTheWorker`], [`JobError::TooLate`].
    pub fn decline(
        &mut self,
        who: &AccountId,
        now: BlockNumber,
        reason: DeclineReason,
        counts: impl Fn(&AccountId) -> bool,
        able: u32,
        windows: &Windows,
    ) -> Result<(), JobError> {
        self.assigned_to(who, now)?;
        self.refuse(who.clone(), Some(reason));
        let same = self.refused.iter().filter(|refused| refused.reason == Some(reason));
        let agreed = same.filter(|refused| counts(&refused.worker)).count();
        let most = agreed.saturating_mul(2) > able as usize;
        if reason.is_owners() && agreed >= QUORUM && most {
            self.fail(JobFailure::Unusable, now);
        } else {
            self.wait_again(now, windows);
        }
        Ok(())
    }

    /// A sign of life with the progress made: steps done and in all. Fewer steps than before count as
    /// the same; the total is said once.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::NotTheWorker`], [`JobError::TooLate`],
    /// [`JobError::StepBeyondTotal`], [`JobError::OtherTotal`].
    pub fn heartbeat(
        &mut self,
        who: &AccountId,
        now: BlockNumber,
        progress: (u32, u32),
        windows: &Windows,
    ) -> Result<(), JobError> {
        let allowance = self.progress_window(self.training_by(who, now, windows)?.rate, windows);
        let (done, total) = progress;
        let JobState::Training { heartbeat_by, step, total_steps, progressed_at, .. } =
            &mut self.state
        else {
            return Err(JobError::WrongState);
        };
        if done > total {
            return Err(JobError::StepBeyondTotal);
        }
        if *total_steps != 0 && total != 0 && total != *total_steps {
            return Err(JobError::OtherTotal);
        }
        *total_steps = (*total_steps).max(total);
        if done > *step {
            *step = done;
            *progressed_at = now;
        }
        let progress_by = progressed_at.saturating_add(allowance);
        *heartbeat_by = now.saturating_add(windows.heartbeat).min(progress_by);
        Ok(())
    }

    /// The result.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::NotTheWorker`], [`JobError::TooLate`].
    pub fn submit(
        &mut self,
        who: &AccountId,
        now: BlockNumber,
        completes_at: BlockNumber,
        result: JobResult,
        windows: &Windows,
    ) -> Result<(), JobError> {
        let assignment = self.training_by(who, now, windows)?.clone();
        self.state = JobState::Submitted { assignment, result, completes_at };
        Ok(())
    }

    /// The window after the result has passed: returns whom to pay what, and what for.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`]; [`JobError::TooLate`] before the window has passed.
    pub fn complete(
        &mut self,
        now: BlockNumber,
    ) -> Result<(Assignment<AccountId>, JobResult), JobError> {
        let JobState::Submitted { assignment, result, completes_at } = &self.state else {
            return Err(JobError::WrongState);
        };
        if now < *completes_at {
            return Err(JobError::TooLate);
        }
        let done = (assignment.clone(), *result);
        self.state = JobState::Completed { assignment: done.0.clone() };
        Ok(done)
    }

    /// The result is disputed before its window has passed.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::TooLate`].
    pub fn dispute(&mut self, now: BlockNumber) -> Result<(), JobError> {
        let JobState::Submitted { assignment, result, completes_at } = &self.state else {
            return Err(JobError::WrongState);
        };
        // It is being paid, even if that has to be tried again.
        if now >= *completes_at {
            return Err(JobError::TooLate);
        }
        self.state = JobState::Disputed { assignment: assignment.clone(), result: *result };
        Ok(())
    }

    /// The dispute has ended: the job has failed if it was upheld, or else is completed; or its result
    /// stands until block `again`, for its owner to dispute it. Returns who posted what.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`].
    pub fn settle(
        &mut self,
        outcome: Outcome,
        again: Option<BlockNumber>,
        now: BlockNumber,
    ) -> Result<(Assignment<AccountId>, JobResult), JobError> {
        let JobState::Disputed { assignment, result } = &self.state else {
            return Err(JobError::WrongState);
        };
        let done = (assignment.clone(), *result);
        match outcome {
            Outcome::Upheld => self.fail(JobFailure::Refuted, now),
            Outcome::Rejected | Outcome::NoQuorum => {
                let assignment = done.0.clone();
                self.state = match again {
                    Some(completes_at) => {
                        JobState::Submitted { assignment, result: done.1, completes_at }
                    }
                    None => JobState::Completed { assignment },
                };
            }
        }
        Ok(done)
    }

    /// The last block in which the job may be as it is: after it, [`time_out`](Self::time_out) moves
    /// it on, or [`complete`](Self::complete) in it. `None` if it is over, or in dispute, which has
    /// a [`due`](super::dispute::Dispute::due) of its own.
    pub fn due(&self, windows: &Windows) -> Option<BlockNumber> {
        match &self.state {
            // After it, not even the fastest worker could finish.
            JobState::Queued => {
                let floor = windows.floor(self.token_ceiling, RateClass::FASTEST);
                Some(self.deadline.saturating_sub(floor))
            }
            JobState::Assigned { take_by, .. } => Some((*take_by).min(self.deadline)),
            JobState::Training { assignment, heartbeat_by, taken_at, .. } => {
                let finish_by = self.finish_by(assignment.rate, *taken_at, windows);
                Some((*heartbeat_by).min(self.deadline).min(finish_by))
            }
            JobState::Submitted { completes_at, .. } => Some(*completes_at),
            JobState::Disputed { .. }
            | JobState::Completed { .. }
            | JobState::Failed(_)
            | JobState::Cancelled => None,
        }
    }

    /// Takes the job from a worker that let its time pass, or ends it if its own time or its
    /// attempts are used up. Returns the worker that no longer has it.
    ///
    /// A worker is at fault if it did not take the job in its window, was not heard of with the
    /// progress it owed, or did not finish in the time that it named itself; not if the job's time
    /// ended before.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`] if nothing was overdue.
    pub fn time_out(
        &mut self,
        now: BlockNumber,
        max_attempts: u8,
        windows: &Windows,
    ) -> Result<Option<Released<AccountId>>, JobError> {
        if self.due(windows).is_none_or(|due| now <= due) {
            return Err(JobError::WrongState);
        }
        let at_fault = match &self.state {
            JobState::Queued => false,
            JobState::Assigned { take_by, .. } => now > *take_by,
            JobState::Training { assignment, heartbeat_by, taken_at, .. } => {
                let training = windows.training(self.token_ceiling, assignment.rate);
                let named = taken_at.saturating_add(windows.heartbeat).saturating_add(training);
                now > *heartbeat_by || now > named
            }
            _ => return Err(JobError::WrongState),
        };
        let released = self.assignment().cloned().map(|a| Released { assignment: a, at_fault });
        if let Some(Released { assignment, at_fault }) = &released {
            self.refuse(assignment.worker.clone(), None);
            self.attempts = self.attempts.saturating_add(u8::from(*at_fault));
        }
        if released.is_some() && self.attempts >= max_attempts && now <= self.deadline {
            self.fail(JobFailure::Attempts, now);
        } else {
            self.wait_again(now, windows);
        }
        Ok(released)
    }

    /// Calls the job off before there is a result. A worker that trains has earned the smaller of the
    /// share it has shown and the share of the time that its rate allows, and half the price at most. The step that
    /// it is at counts as shown once it has said of how many: the owner chooses how long a step is, and one that
    /// lasts as long as the job would show nothing before the end.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`].
    pub fn cancel(
        &mut self,
        now: BlockNumber,
        windows: &Windows,
    ) -> Result<CalledOff<AccountId>, JobError> {
        let pay = match &self.state {
            JobState::Queued | JobState::Assigned { .. } => 0,
            JobState::Training { assignment, step, total_steps, taken_at, .. } => {
                let training = windows.training(self.token_ceiling, assignment.rate);
                let elapsed = now.saturating_sub(*taken_at).min(training);
                let share = |part: u32, of: u32| {
                    let whole = Balance::from(of.max(1));
                    assignment.price.saturating_mul(part.into()) / whole
                };
                let at = step.saturating_add(1).min(*total_steps);
                share(at, *total_steps).min(share(elapsed, training)).min(assignment.price / 2)
            }
            _ => return Err(JobError::WrongState),
        };
        let worker = self.assignment().map(|assignment| assignment.worker.clone());
        self.state = JobState::Cancelled;
        self.ended_at = now;
        Ok(CalledOff { worker, pay })
    }

    /// Offers more a token while the job waits. Returns the plancks to hold in addition.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::NotHigher`], [`JobError::AboveBudget`] where the price
    /// of the ceiling is no number.
    pub fn raise(&mut self, price_per_token: Balance) -> Result<Balance, JobError> {
        if !matches!(self.state, JobState::Queued) {
            return Err(JobError::WrongState);
        }
        if price_per_token <= self.price_per_token {
            return Err(JobError::NotHigher);
        }
        let price =
            price_per_token.checked_mul(self.token_ceiling.into()).ok_or(JobError::AboveBudget)?;
        let more = price.saturating_sub(self.budget);
        self.price_per_token = price_per_token;
        self.budget = self.budget.max(price);
        Ok(more)
    }

    /// Gives the job more time before there is a result.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::NotLater`].
    pub fn extend(&mut self, deadline: BlockNumber) -> Result<(), JobError> {
        if self.is_over() || self.state.open_result().is_some() {
            return Err(JobError::WrongState);
        }
        if deadline <= self.deadline {
            return Err(JobError::NotLater);
        }
        self.deadline = deadline;
        Ok(())
    }

    /// Blocks without a step that a worker of a rate is allowed: twice what a step takes, and the
    /// window beside it.
    pub fn progress_window(&self, rate: RateClass, windows: &Windows) -> BlockNumber {
        let spec = &self.spec;
        let step = u64::from(spec.per_device_train_batch_size)
            .saturating_mul(spec.gradient_accumulation_steps.into())
            .saturating_mul(spec.max_seq_length.into())
            .min(self.token_ceiling);
        windows.progress.saturating_add(windows.training(step, rate).saturating_mul(2))
    }

    /// The last block for the result of a worker of a rate that took the job in block `taken_at`:
    /// twice the time it named, and the windows beside it.
    fn finish_by(&self, rate: RateClass, taken_at: BlockNumber, windows: &Windows) -> BlockNumber {
        let training = windows.training(self.token_ceiling, rate).saturating_mul(2);
        let beside = windows.heartbeat.saturating_add(windows.progress);
        taken_at.saturating_add(beside).saturating_add(training)
    }

    fn refuse(&mut self, worker: AccountId, reason: Option<DeclineReason>) {
        // A job whose list is full has failed, so there is room, and a worker is in it once.
        let _ = self.refused.try_push(Refused { worker, reason });
    }

    /// Puts the job back among those that wait, or ends it if that makes no sense.
    fn wait_again(&mut self, now: BlockNumber, windows: &Windows) {
        self.state = JobState::Queued;
        if self.due(windows).is_none_or(|due| now > due) {
            self.fail(JobFailure::Deadline, now);
        } else if self.refused.is_full() {
            self.fail(JobFailure::Declined, now);
        }
    }

    fn fail(&mut self, failure: JobFailure, now: BlockNumber) {
        self.state = JobState::Failed(failure);
        self.ended_at = now;
    }

    fn assigned_to(
        &self,
        who: &AccountId,
        now: BlockNumber,
    ) -> Result<&Assignment<AccountId>, JobError> {
        let JobState::Assigned { assignment, take_by } = &self.state else {
            return Err(JobError::WrongState);
        };
        if assignment.worker != *who {
            return Err(JobError::NotTheWorker);
        }
        if now > *take_by || now > self.deadline {
            return Err(JobError::TooLate);
        }
        Ok(assignment)
    }

    fn training_by(
        &self,
        who: &AccountId,
        now: BlockNumber,
        windows: &Windows,
    ) -> Result<&Assignment<AccountId>, JobError> {
        let JobState::Training { assignment, .. } = &self.state else {
            return Err(JobError::WrongState);
        };
        if assignment.worker != *who {
            return Err(JobError::NotTheWorker);
        }
        if self.due(windows).is_none_or(|due| now > due) {
            return Err(JobError::TooLate);
        }
        Ok(assignment)
    }
}
