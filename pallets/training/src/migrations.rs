//! How the storage of earlier versions becomes today's.

use crate::{
    types::OptIn, Agenda, AgendaOf, BaseModel, BaseModels, Config, Endpoint, Jobs, JobsOf, Kinds,
    ModelFiles, NextPlace, Pallet, PaymentCursor, Payments, SequenceKey, ShortText, Worker,
    Workers,
};
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
    migrations::VersionedMigration,
    traits::{Get, UncheckedOnRuntimeUpgrade},
    weights::Weight,
    Twox64Concat,
};
use openledger_primitives::{
    job::{Assignment, Datasets, JobFailure, JobResult},
    Balance, BaseModelId, BlockNumber, Job, JobId, JobKind, JobState, ModelFamily, RateClass,
    SizeClass, TrainingSpec,
};

/// Storage version 1 to 2: jobs offer a price a token, workers opt in and declare their speed.
///
/// No OPEN moves. A job's offer is its budget ÷ its ceiling, rounded down; a price that was fixed at
/// dispatch stays the one that is paid, and the rest goes back to the owner as before. No job of
/// before has a deposit. A worker of before has opted in to no base model: it does the job it has,
/// and gets further ones once it has said what it serves. The work grows with workers, jobs and base
/// models, each of which was paid for by a fee, and by a deposit or a bond.
pub type ToV2<T> =
    VersionedMigration<1, 2, OpenMarket<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The work of [`ToV2`].
pub struct OpenMarket<T>(PhantomData<T>);

/// Storage of version 1 that is gone.
mod old {
    use super::*;
    use alloc::vec::Vec;

    #[frame_support::storage_alias]
    pub(super) type IdleWorkers<T: Config> = StorageMap<Pallet<T>, Twox64Concat, JobKind, Vec<u8>>;
    #[frame_support::storage_alias]
    pub(super) type IdlePrices<T: Config> = StorageMap<Pallet<T>, Twox64Concat, JobKind, Vec<u8>>;
    #[frame_support::storage_alias]
    pub(super) type Queue<T: Config> = StorageMap<Pallet<T>, Twox64Concat, JobKind, Vec<u8>>;
    #[frame_support::storage_alias]
    pub(super) type Places<T: Config> = StorageMap<Pallet<T>, Twox64Concat, JobId, u64>;
}

/// An assignment as storage version 1 kept it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AssignmentV1<AccountId> {
    /// The worker.
    pub worker: AccountId,
    /// What it is paid on completion.
    pub price: Balance,
}

/// A job's state as storage version 1 kept it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum JobStateV1<AccountId> {
    /// Waits for a worker.
    Queued,
    /// Dispatched.
    Assigned {
        /// To whom.
        assignment: AssignmentV1<AccountId>,
        /// Last block to take it in.
        take_by: BlockNumber,
    },
    /// Taken.
    Training {
        /// By whom.
        assignment: AssignmentV1<AccountId>,
        /// Last block for its next sign of life.
        heartbeat_by: BlockNumber,
        /// Optimiser steps done.
        step: u32,
        /// Optimiser steps in all.
        total_steps: u32,
    },
    /// The result is posted.
    Submitted {
        /// By whom.
        assignment: AssignmentV1<AccountId>,
        /// What it posted.
        result: JobResult,
        /// Block in which it is paid.
        completes_at: BlockNumber,
    },
    /// Paid.
    Completed {
        /// Who was paid what.
        assignment: AssignmentV1<AccountId>,
    },
    /// Ended without an adapter.
    Failed(JobFailure),
    /// Called off.
    Cancelled,
}

/// A job as storage version 1 kept it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct JobV1<AccountId> {
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
    /// Most the owner pays.
    pub budget: Balance,
    /// Block after which it fails.
    pub deadline: BlockNumber,
    /// Workers that gave it up.
    pub attempts: u8,
    /// Where it is in its life.
    pub state: JobStateV1<AccountId>,
}

/// A worker as storage version 1 kept it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WorkerV1 {
    /// Plancks at stake.
    pub bond: Balance,
    /// What it can train.
    pub kinds: Kinds,
    /// Plancks a token.
    pub price_per_token: Balance,
    /// Where it serves.
    pub endpoint: Endpoint,
    /// The job it has.
    pub job: Option<JobId>,
    /// Its place in the idle queues.
    pub idle: Option<u64>,
    /// Whether it takes no further jobs.
    pub paused: bool,
    /// Results whose window is open.
    pub open_results: u32,
}

/// A base model as storage version 1 kept it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BaseModelV1<AccountId> {
    /// Who registered it.
    pub registrar: AccountId,
    /// Its architecture.
    pub family: ModelFamily,
    /// Its name.
    pub name: ShortText,
    /// Its files.
    pub files: ModelFiles,
    /// Its licence.
    pub licence: ShortText,
    /// Plancks held for it.
    pub deposit: Balance,
}

/// An assignment of before has no rate: the slowest, so that nobody is blamed for a deadline that it
/// never saw.
fn assignment<A>(old: AssignmentV1<A>) -> Assignment<A> {
    Assignment { worker: old.worker, price: old.price, rate: RateClass::default() }
}

fn state<A>(old: JobStateV1<A>, now: BlockNumber) -> JobState<A> {
    match old {
        JobStateV1::Queued => JobState::Queued,
        JobStateV1::Assigned { assignment: a, take_by } => {
            JobState::Assigned { assignment: assignment(a), take_by }
        }
        JobStateV1::Training { assignment: a, heartbeat_by, step, total_steps } => {
            JobState::Training {
                assignment: assignment(a),
                heartbeat_by,
                step,
                total_steps,
                taken_at: now,
                progressed_at: now,
            }
        }
        JobStateV1::Submitted { assignment: a, result, completes_at } => {
            JobState::Submitted { assignment: assignment(a), result, completes_at }
        }
        JobStateV1::Completed { assignment: a } => {
            JobState::Completed { assignment: assignment(a) }
        }
        JobStateV1::Failed(failure) => JobState::Failed(failure),
        JobStateV1::Cancelled => JobState::Cancelled,
    }
}

impl<T: Config> UncheckedOnRuntimeUpgrade for OpenMarket<T> {
    fn on_runtime_upgrade() -> Weight {
        let now = Pallet::<T>::now();
        let mut touched = 0u64;
        // The old shelves are rebuilt from the records. One call clears each: a chain of before holds
        // at most one entry a job or worker there, all of which are rewritten here anyway.
        touched = touched
            .saturating_add(old::IdleWorkers::<T>::clear(u32::MAX, None).unique.into())
            .saturating_add(old::IdlePrices::<T>::clear(u32::MAX, None).unique.into())
            .saturating_add(old::Queue::<T>::clear(u32::MAX, None).unique.into());

        BaseModels::<T>::translate::<BaseModelV1<T::AccountId>, _>(|_, old| {
            touched = touched.saturating_add(1);
            let BaseModelV1 { registrar, family, name, files, licence, deposit } = old;
            let (retired, jobs) = (false, 0);
            Some(BaseModel { registrar, family, name, files, licence, deposit, retired, jobs })
        });
        Workers::<T>::translate::<WorkerV1, _>(|_, old| {
            touched = touched.saturating_add(1);
            Some(Worker {
                bond: old.bond,
                kinds: old.kinds,
                price_per_token: old.price_per_token,
                endpoint: old.endpoint,
                job: old.job,
                paused: old.paused,
                open_results: old.open_results,
                opt_in: OptIn::Models(Default::default()),
                rate: RateClass::default(),
                place: old.idle.unwrap_or_else(NextPlace::<T>::get),
                lost: 0,
                declines: 0,
                rests_until: 0,
                raise: None,
            })
        });
        let next = NextPlace::<T>::get();
        Jobs::<T>::translate::<JobV1<T::AccountId>, _>(|id, old| {
            touched = touched.saturating_add(4);
            let size = BaseModels::<T>::mutate(old.base, |model| match model {
                Some(model) => {
                    model.jobs = model.jobs.saturating_add(1);
                    SizeClass::of(model.files.weights_size)
                }
                // There is none without its base model.
                None => SizeClass::default(),
            });
            JobsOf::<T>::insert(&old.owner, SequenceKey::from(id), ());
            let ended = matches!(old.state, JobStateV1::Failed(_) | JobStateV1::Cancelled);
            Some(Job {
                owner: old.owner,
                base: old.base,
                size,
                kind: old.kind,
                datasets: old.datasets,
                spec: old.spec,
                token_ceiling: old.token_ceiling,
                price_per_token: old
                    .budget
                    .checked_div(old.token_ceiling.into())
                    .unwrap_or_default(),
                budget: old.budget,
                deposit: 0,
                deadline: old.deadline,
                attempts: old.attempts,
                refused: Default::default(),
                sequence: old::Places::<T>::take(id).unwrap_or(next),
                state: state(old.state, now),
                ended_at: if ended { now } else { 0 },
            })
        });
        for (id, job) in Jobs::<T>::iter() {
            touched = touched.saturating_add(4);
            match job.state {
                JobState::Queued => {
                    let rate = Pallet::<T>::rate_for(&job).unwrap_or(RateClass::FASTEST);
                    Pallet::<T>::shelve_job(id, &job, rate);
                    // It may be due sooner than its deadline, when no worker could keep it any more.
                    Pallet::<T>::enter_agenda(id, &job);
                }
                JobState::Submitted { .. } => {
                    if let Some(at) = AgendaOf::<T>::get(id) {
                        Agenda::<T>::remove(at, id);
                        Payments::<T>::insert(at, id, ());
                    }
                }
                _ => (),
            }
        }
        if let Some(cursor) = crate::AgendaCursor::<T>::get() {
            PaymentCursor::<T>::put(cursor);
        }
        T::DbWeight::get().reads_writes(touched, touched)
    }
}
