//! Training jobs: their life as a state machine, without storage or money.
//!
//! ```text
//! Queued ──assign──▶ Assigned ──take──▶ Training ──submit──▶ Submitted ──complete──▶ Completed
//!   ▲                  │                   │
//!   └──────────────────┴───────────────────┘ time_out, or decline of an assigned job
//!
//! cancel: from Queued, Assigned and Training to Cancelled
//! dispute: from Submitted to Disputed, and from there to Completed, or Failed where it is upheld
//! time_out and decline: to Failed, after too many workers or when no worker could finish any more
//! ```

pub mod dispute;
mod life;

use crate::{
    leaf::DatasetRef, list::closed_list, Balance, BaseModelId, BlockNumber, ContentId, FileHash,
    JobKind, RateClass, SizeClass, TrainingSpec,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// Most Datanets a job may train on.
pub const MAX_DATASETS: u32 = 8;

/// Most workers that declined a job or lost it; it fails when there are so many.
pub const MAX_REFUSED: u32 = 12;

/// Distinct workers whose same reason of the owner's side ends a job and costs its deposit.
pub const QUORUM: usize = 3;

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

closed_list! {
    /// Why a worker declines a job that it was given. Append, never reorder.
    "a reason to decline", pub enum DeclineReason {
        BaseUnavailable = 0, "base-unavailable", "the base model's files cannot be had";
        FilesUnavailable = 1, "files-unavailable", "a file of the Datanets cannot be had";
        ParentUnavailable = 2, "parent-unavailable", "the adapter to train further cannot be had";
        Unusable = 3, "unusable", "what was fetched is not what the job or the chain says";
        Memory = 4, "memory", "it needs more memory than the worker has";
        Disk = 5, "disk", "it needs more disk than the worker has";
        Other = 6, "other", "the worker cannot do it now";
        Untrainable = 7, "untrainable", "its data, settings and ceiling leave no step to train or nothing to hold out";
    }
}

impl DeclineReason {
    /// Whether it is the owner's to mend. The others say something of the worker alone.
    pub const fn is_owners(self) -> bool {
        matches!(
            self,
            Self::BaseUnavailable
                | Self::FilesUnavailable
                | Self::ParentUnavailable
                | Self::Unusable
                | Self::Untrainable
        )
    }
}

/// A worker to which a job is not offered again.
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
pub struct Refused<AccountId> {
    /// Who.
    pub worker: AccountId,
    /// Why it declined; `None` if it took or was given the job and let its time pass.
    pub reason: Option<DeclineReason>,
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
    /// How fast it said it trains.
    pub rate: RateClass,
}

closed_list! {
    /// Why a job ended without an adapter.
    "a failure", pub enum JobFailure {
        Deadline = 0, "deadline", "its deadline passed, or no worker could keep it any more";
        Attempts = 1, "attempts", "too many workers gave it up";
        Unusable = 2, "unusable", "several workers found the same fault on its owner's side";
        Declined = 3, "declined", "too many workers declined it";
        Refuted = 4, "refuted", "workers drawn in a dispute found its result wrong";
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
    /// Dispatched; the worker must take it, or decline it, by `take_by`.
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
        /// Last block for its next sign of life, which is no later than its next step is due.
        heartbeat_by: BlockNumber,
        /// Optimiser steps done, as the worker last said.
        step: u32,
        /// Optimiser steps in all; 0 until the worker has said so.
        total_steps: u32,
        /// Block in which the worker took it.
        taken_at: BlockNumber,
        /// Block in which it last had done more steps than before.
        progressed_at: BlockNumber,
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
    /// Called off by its owner; what its worker had not earned of the budget was given back.
    Cancelled,
    /// The result is posted and in dispute; its [`Dispute`](dispute::Dispute) says until when.
    Disputed {
        /// By whom it was posted.
        assignment: Assignment<AccountId>,
        /// What was posted.
        result: JobResult,
    },
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
            Self::Disputed { .. } => "disputed",
        }
    }

    /// The current assignment, if a worker has the job or had it completed.
    pub const fn assignment(&self) -> Option<&Assignment<AccountId>> {
        match self {
            Self::Assigned { assignment, .. }
            | Self::Training { assignment, .. }
            | Self::Submitted { assignment, .. }
            | Self::Disputed { assignment, .. }
            | Self::Completed { assignment } => Some(assignment),
            Self::Queued | Self::Failed(_) | Self::Cancelled => None,
        }
    }

    /// The result, while it is neither paid nor refuted.
    pub const fn open_result(&self) -> Option<&JobResult> {
        match self {
            Self::Submitted { result, .. } | Self::Disputed { result, .. } => Some(result),
            _ => None,
        }
    }

    /// Whether nothing will happen any more.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Failed(_) | Self::Cancelled)
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
    /// Size of its weights.
    pub size: SizeClass,
    /// What a worker must be able to do.
    pub kind: JobKind,
    /// On what.
    pub datasets: Datasets,
    /// How.
    pub spec: TrainingSpec,
    /// Most tokens the price covers.
    pub token_ceiling: u64,
    /// Plancks offered a token of the ceiling, and paid.
    pub price_per_token: Balance,
    /// Plancks held until the job ends: at least the price of the whole ceiling.
    pub budget: Balance,
    /// Plancks held until the job's record is gone.
    pub deposit: Balance,
    /// Block after which an unfinished job fails.
    pub deadline: BlockNumber,
    /// Workers that let it time out so far.
    pub attempts: u8,
    /// Workers it is not offered to again: those that declined it or let it time out.
    pub refused: BoundedVec<Refused<AccountId>, ConstU32<MAX_REFUSED>>,
    /// Its number in the order of arrival: of jobs that pay the same, the smaller is offered first.
    pub sequence: u64,
    /// Where it is in its life.
    pub state: JobState<AccountId>,
    /// Block in which it failed or was called off; 0 before.
    pub ended_at: BlockNumber,
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
    /// The worker declined the job or lost it before.
    RefusedBefore,
    /// More steps are done than there are.
    StepBeyondTotal,
    /// The number of all steps is another one than before.
    OtherTotal,
    /// The new price is not above the old one.
    NotHigher,
    /// The new deadline is not after the old one.
    NotLater,
}

/// A worker that no longer has a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released<AccountId> {
    /// Who had it, for how much.
    pub assignment: Assignment<AccountId>,
    /// Whether it failed to do what it had to.
    pub at_fault: bool,
}

/// A job that was called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalledOff<AccountId> {
    /// Who had it.
    pub worker: Option<AccountId>,
    /// Plancks of the budget that this worker has earned: at most half the price.
    pub pay: Balance,
}
