//! Training jobs: their life as a state machine, without storage or money.
//!
//! ```text
//! Queued ──assign──▶ Assigned ──take──▶ Training ──submit──▶ Submitted ──complete──▶ Completed
//!   ▲ │                │ │                  │
//!   │ └──cancel──┐     │ └──cancel──┐       │
//!   └────────────┼─────┴────────────┼───────┘ time_out (or Failed, after too many attempts)
//!                ▼                  ▼
//!            Cancelled          Cancelled
//! ```

use crate::{
    leaf::DatasetRef, list::closed_list, Balance, BaseModelId, BlockNumber, ContentId, FileHash,
    JobKind, TrainingSpec,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// Most Datanets a job may train on.
pub const MAX_DATASETS: u32 = 8;

/// The Datanets of a job, each at a version.
pub type Datasets = BoundedVec<DatasetRef, ConstU32<MAX_DATASETS>>;

/// A mean loss in micro-nats a token.
pub type MicroNats = u32;

/// What a worker posts when it has trained.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct JobResult {
    /// The adapter on IPFS.
    pub content: ContentId,
    /// sha2-256 of its bytes.
    pub sha256: FileHash,
    /// Its size in bytes.
    pub size: u64,
    /// Held-out loss before training, micro-nats a token: of the base model, or of the parent adapter
    /// where the job names one.
    pub eval_loss_before: MicroNats,
    /// Held-out loss with the adapter, micro-nats a token.
    pub eval_loss_after: MicroNats,
    /// Tokens trained on. Information only: the price never depends on it.
    pub tokens: u64,
    /// blake2b-256 of the job's datasets as the worker verified them.
    pub dataset_root: H256,
    /// Root over the training segments; zero until verification exists.
    pub checkpoints_root: H256,
    /// Root over the contributors' influence; zero until attribution by influence exists.
    pub influence_root: H256,
}

/// Who works on a job, for how much.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Assignment<AccountId> {
    /// The worker.
    pub worker: AccountId,
    /// What it is paid on completion, fixed at dispatch.
    pub price: Balance,
}

closed_list! {
    /// Why a job ended without an adapter.
    "a failure", pub enum JobFailure {
        Deadline = 0, "deadline", "its deadline passed";
        Attempts = 1, "attempts", "too many workers gave it up";
    }
}

/// Where a job is in its life.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum JobState<AccountId> {
    /// Waits for a worker.
    Queued,
    /// Dispatched; the worker must take it by `take_by`.
    Assigned {
        /// To whom.
        assignment: Assignment<AccountId>,
        /// Last block to take it in.
        take_by: BlockNumber,
    },
    /// Taken; the worker must be heard of by `heartbeat_by`.
    Training {
        /// By whom.
        assignment: Assignment<AccountId>,
        /// Last block for its next sign of life.
        heartbeat_by: BlockNumber,
        /// Optimiser steps done, as the worker last said.
        step: u32,
        /// Optimiser steps in all.
        total_steps: u32,
    },
    /// The result is posted and completes at `completes_at`.
    Submitted {
        /// By whom.
        assignment: Assignment<AccountId>,
        /// What it posted.
        result: JobResult,
        /// Block in which it is paid.
        completes_at: BlockNumber,
    },
    /// Paid; the adapter is registered.
    Completed {
        /// Who was paid what.
        assignment: Assignment<AccountId>,
    },
    /// Ended without an adapter; the budget was given back.
    Failed(JobFailure),
    /// Called off by its owner before a worker took it; the budget was given back.
    Cancelled,
}

impl<AccountId> JobState<AccountId> {
    /// The state in one word, as users and JSON read it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Assigned { .. } => "assigned",
            Self::Training { .. } => "training",
            Self::Submitted { .. } => "submitted",
            Self::Completed { .. } => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A training job.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Job<AccountId> {
    /// Who pays.
    pub owner: AccountId,
    /// What is fine-tuned.
    pub base: BaseModelId,
    /// What a worker must be able to do.
    pub kind: JobKind,
    /// On what.
    pub datasets: Datasets,
    /// How.
    pub spec: TrainingSpec,
    /// Most tokens the price covers.
    pub token_ceiling: u64,
    /// Most the owner pays; held until the job ends.
    pub budget: Balance,
    /// Block after which an unfinished job fails.
    pub deadline: BlockNumber,
    /// Workers that gave it up so far.
    pub attempts: u8,
    /// Where it is in its life.
    pub state: JobState<AccountId>,
}

/// A trained adapter. Its number is its job's.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Adapter<AccountId> {
    /// Who paid for it.
    pub owner: AccountId,
    /// Who trained it.
    pub worker: AccountId,
    /// What it belongs to.
    pub base: BaseModelId,
    /// What it was trained on.
    pub datasets: Datasets,
    /// Content, hash, losses and roots.
    pub result: JobResult,
    /// Block in which it was registered.
    pub registered_at: BlockNumber,
}

/// Why a transition is not possible. The job is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// Not from this state.
    WrongState,
    /// Not by this account.
    NotTheWorker,
    /// The block for it has passed.
    TooLate,
    /// The price is above the job's budget.
    AboveBudget,
}

impl<AccountId: Clone + PartialEq> Job<AccountId> {
    /// The current assignment, if a worker has the job or had it completed.
    pub fn assignment(&self) -> Option<&Assignment<AccountId>> {
        match &self.state {
            JobState::Assigned { assignment, .. }
            | JobState::Training { assignment, .. }
            | JobState::Submitted { assignment, .. }
            | JobState::Completed { assignment } => Some(assignment),
            JobState::Queued | JobState::Failed(_) | JobState::Cancelled => None,
        }
    }

    /// Whether nothing will happen to it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state, JobState::Completed { .. } | JobState::Failed(_) | JobState::Cancelled)
    }

    /// Dispatches a queued job.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::AboveBudget`].
    pub fn assign(
        &mut self,
        assignment: Assignment<AccountId>,
        take_by: BlockNumber,
    ) -> Result<(), JobError> {
        if !matches!(self.state, JobState::Queued) {
            return Err(JobError::WrongState);
        }
        if assignment.price > self.budget {
            return Err(JobError::AboveBudget);
        }
        self.state = JobState::Assigned { assignment, take_by };
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
        heartbeat_by: BlockNumber,
    ) -> Result<(), JobError> {
        let JobState::Assigned { assignment, take_by } = &self.state else {
            return Err(JobError::WrongState);
        };
        if assignment.worker != *who {
            return Err(JobError::NotTheWorker);
        }
        if now > *take_by || now > self.deadline {
            return Err(JobError::TooLate);
        }
        self.state = JobState::Training {
            assignment: assignment.clone(),
            heartbeat_by,
            step: 0,
            total_steps: 0,
        };
        Ok(())
    }

    /// A sign of life with the progress made.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`], [`JobError::NotTheWorker`], [`JobError::TooLate`].
    pub fn heartbeat(
        &mut self,
        who: &AccountId,
        now: BlockNumber,
        next: BlockNumber,
        progress: (u32, u32),
    ) -> Result<(), JobError> {
        let assignment = self.training_by(who, now)?.clone();
        let (step, total_steps) = progress;
        self.state = JobState::Training { assignment, heartbeat_by: next, step, total_steps };
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
    ) -> Result<(), JobError> {
        let assignment = self.training_by(who, now)?.clone();
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

    /// The block at which the job must have moved on by itself, whatever its state.
    pub fn due(&self) -> Option<BlockNumber> {
        match &self.state {
            JobState::Queued => Some(self.deadline),
            JobState::Assigned { take_by, .. } => Some((*take_by).min(self.deadline)),
            JobState::Training { heartbeat_by, .. } => Some((*heartbeat_by).min(self.deadline)),
            JobState::Submitted { completes_at, .. } => Some(*completes_at),
            JobState::Completed { .. } | JobState::Failed(_) | JobState::Cancelled => None,
        }
    }

    /// Takes the job from a worker that let its time pass, or ends it if its own time or its
    /// attempts are used up. Returns the worker that lost it.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`] if nothing was overdue.
    pub fn time_out(
        &mut self,
        now: BlockNumber,
        max_attempts: u8,
    ) -> Result<Option<AccountId>, JobError> {
        let overdue = self.due().is_some_and(|due| now > due);
        let waits = matches!(
            self.state,
            JobState::Queued | JobState::Assigned { .. } | JobState::Training { .. }
        );
        if !overdue || !waits {
            return Err(JobError::WrongState);
        }
        let loser = self.assignment().map(|assignment| assignment.worker.clone());
        if loser.is_some() {
            self.attempts = self.attempts.saturating_add(1);
        }
        self.state = if now > self.deadline {
            JobState::Failed(JobFailure::Deadline)
        } else if self.attempts >= max_attempts {
            JobState::Failed(JobFailure::Attempts)
        } else {
            JobState::Queued
        };
        Ok(loser)
    }

    /// Calls the job off before a worker took it. Returns the worker it was assigned to.
    ///
    /// # Errors
    ///
    /// [`JobError::WrongState`].
    pub fn cancel(&mut self) -> Result<Option<AccountId>, JobError> {
        match self.state {
            JobState::Queued | JobState::Assigned { .. } => {
                let worker = self.assignment().map(|assignment| assignment.worker.clone());
                self.state = JobState::Cancelled;
                Ok(worker)
            }
            _ => Err(JobError::WrongState),
        }
    }

    fn training_by(
        &self,
        who: &AccountId,
        now: BlockNumber,
    ) -> Result<&Assignment<AccountId>, JobError> {
        let JobState::Training { assignment, heartbeat_by, .. } = &self.state else {
            return Err(JobError::WrongState);
        };
        if assignment.worker != *who {
            return Err(JobError::NotTheWorker);
        }
        if now > *heartbeat_by || now > self.deadline {
            return Err(JobError::TooLate);
        }
        Ok(assignment)
    }
}
