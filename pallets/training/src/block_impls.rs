//! The work at the start of a block: what is due, then dispatch.

use crate::{
    impls::{looked_at, JobOf},
    Adapters, Agenda, AgendaCursor, AgendaOf, Config, Event, HoldReason, IdlePrices, IdleWorkers,
    Jobs, NextPlace, Pallet, Queue, WeightInfo, Worker, Workers,
};
use alloc::vec::Vec;
use frame_support::{
    pallet_prelude::*,
    storage::with_storage_layer,
    traits::{
        fungible::hold::Mutate,
        tokens::{Fortitude, Precision, Restriction},
    },
};
use openledger_primitives::{
    job::Assignment, Adapter, Balance, BlockNumber, JobId, JobKind, JobState,
};

/// The longest idle workers of a kind that a job is held against in one block, before the cheapest.
pub const CANDIDATES: u32 = 8;

/// Queued jobs of a kind that are tried in one block.
pub const TRIES_PER_KIND: u32 = 8;

/// Blocks until something that could not be done for a job is tried again.
const RETRY_BLOCKS: BlockNumber = 100;

/// What dispatch did in a block.
#[derive(Default)]
struct Dispatched {
    jobs_tried: u32,
    workers_tried: u32,
    assigned: u32,
}

impl<T: Config> Pallet<T> {
    /// Works off the agenda and dispatches. Returns what it cost.
    pub(crate) fn begin_block() -> Weight {
        let looked_at = Self::work_off_agenda();
        let Dispatched { jobs_tried, workers_tried, assigned } = Self::dispatch();
        T::WeightInfo::begin_block(looked_at, jobs_tried, workers_tried, assigned)
    }

    /// Looks at the jobs that are due, oldest first, and returns how many it looked at. What does
    /// not fit into this block is first in the next.
    fn work_off_agenda() -> u32 {
        let now = Self::now();
        let mut left = T::MaxExpiriesPerBlock::get();
        let mut looked_at: u32 = 0;
        // Without a cursor nothing was ever entered.
        let mut cursor = AgendaCursor::<T>::get().unwrap_or(now);
        while cursor <= now && left > 0 {
            let due: Vec<JobId> =
                Agenda::<T>::iter_key_prefix(cursor).take(left as usize).collect();
            let count = due.len() as u32;
            for id in due {
                Agenda::<T>::remove(cursor, id);
                AgendaOf::<T>::remove(id);
                Self::advance_job(id, now);
            }
            looked_at = looked_at.saturating_add(count);
            if count < left {
                cursor = cursor.saturating_add(1);
            }
            // One for looking at the block itself, so that empty blocks are bounded too.
            left = left.saturating_sub(count).saturating_sub(1);
        }
        AgendaCursor::<T>::put(cursor);
        looked_at
    }

    /// Does what is due for one job, wholly or not at all, and enters it again if it is not over.
    fn advance_job(id: JobId, now: BlockNumber) {
        let done = with_storage_layer(|| {
            let Some(mut job) = Jobs::<T>::get(id) else { return Ok(()) };
            match job.state {
                JobState::Submitted { completes_at, .. } if now >= completes_at => {
                    Self::complete(id, &mut job, now)?;
                }
                JobState::Queued | JobState::Assigned { .. } | JobState::Training { .. }
                    if job.due().is_some_and(|due| now > due) =>
                {
                    Self::time_out(id, &mut job, now)?;
                }
                // Heard of in the meantime, or over.
                _ => (),
            }
            if looked_at(&job).is_some() {
                Self::enter_agenda(id, &job);
            }
            Jobs::<T>::insert(id, job);
            Ok::<_, DispatchError>(())
        });
        if done.is_err() {
            // Nothing is lost: the money stays held and the job stays as it was until it succeeds.
            let until = now.saturating_add(RETRY_BLOCKS);
            Self::enter_agenda_at(id, until);
            Self::deposit_event(Event::JobDelayed { job: id, until });
        }
    }

    /// Pays the worker the price fixed at dispatch, releases the rest, registers the adapter.
    fn complete(id: JobId, job: &mut JobOf<T>, now: BlockNumber) -> DispatchResult {
        let (Assignment { worker, price }, result) =
            job.complete(now).map_err(crate::Error::<T>::from)?;
        if price > 0 {
            T::Currency::transfer_on_hold(
                &HoldReason::JobBudget.into(),
                &job.owner,
                &worker,
                price,
                Precision::Exact,
                Restriction::Free,
                // What the owner has frozen elsewhere must not keep the worker from its pay.
                Fortitude::Force,
            )?;
        }
        let refund = job.budget.checked_sub(price).ok_or(crate::Error::<T>::AboveBudget)?;
        Self::refund(&job.owner, refund)?;
        Workers::<T>::mutate(&worker, |record| {
            if let Some(record) = record {
                record.open_results = record.open_results.saturating_sub(1);
            }
        });
        let adapter = Adapter {
            owner: job.owner.clone(),
            worker: worker.clone(),
            base: job.base,
            datasets: job.datasets.clone(),
            result,
            registered_at: now,
        };
        Adapters::<T>::insert(id, adapter);
        Self::deposit_event(Event::JobCompleted { job: id, worker, price, refund });
        Ok(())
    }

    /// Takes the job from the worker that let its time pass, and queues it again or ends it.
    fn time_out(id: JobId, job: &mut JobOf<T>, now: BlockNumber) -> DispatchResult {
        // A worker that could still have taken the job when the deadline passed is not at fault.
        let at_fault = match job.state {
            JobState::Assigned { take_by, .. } => take_by <= job.deadline,
            _ => true,
        };
        let was_queued = matches!(job.state, JobState::Queued);
        let loser = job.time_out(now, T::MaxAttempts::get()).map_err(crate::Error::<T>::from)?;
        if let Some(worker) = loser {
            let penalty = if at_fault { Self::penalise(&worker) } else { 0 };
            Self::free_worker(&worker, |record| {
                record.bond = record.bond.saturating_sub(penalty);
                record.paused |= at_fault;
            })?;
            Self::deposit_event(Event::JobTimedOut { job: id, worker, penalty });
        }
        match job.state {
            JobState::Failed(failure) => {
                if was_queued {
                    Self::dequeue(id, job.kind);
                }
                Self::refund(&job.owner, job.budget)?;
                Self::deposit_event(Event::JobFailed { job: id, failure, refund: job.budget });
            }
            _ => {
                Self::enqueue(id, job.kind)?;
                Self::deposit_event(Event::JobRequeued { job: id, attempts: job.attempts });
            }
        }
        Ok(())
    }

    /// Moves the penalty, or what is left of the bond, to the penalty account. Returns how much.
    fn penalise(worker: &T::AccountId) -> Balance {
        let bond = Workers::<T>::get(worker).map_or(0, |record| record.bond);
        let penalty = T::TimeoutPenalty::get().min(bond);
        if penalty == 0 {
            return 0;
        }
        // Only a penalty account that cannot exist makes this fail; then the worker keeps its bond
        // and the job goes on all the same.
        with_storage_layer(|| {
            T::Currency::transfer_on_hold(
                &HoldReason::WorkerBond.into(),
                worker,
                &T::PenaltyAccount::get(),
                penalty,
                Precision::BestEffort,
                Restriction::Free,
                Fortitude::Force,
            )
        })
        .unwrap_or(0)
    }

    fn refund(owner: &T::AccountId, amount: Balance) -> DispatchResult {
        if amount > 0 {
            T::Currency::release(&HoldReason::JobBudget.into(), owner, amount, Precision::Exact)?;
        }
        Ok(())
    }

    /// Gives queued jobs to idle workers.
    fn dispatch() -> Dispatched {
        let now = Self::now();
        let mut done = Dispatched::default();
        // Another kind is first in every block, so that the limit starves none.
        let first = now.checked_rem(JobKind::COUNT).unwrap_or_default() as usize;
        let kinds = JobKind::all().skip(first).chain(JobKind::all().take(first));
        for kind in kinds {
            Self::dispatch_kind(kind, now, &mut done);
            if done.assigned >= T::MaxDispatchesPerBlock::get() {
                break;
            }
        }
        done
    }

    fn dispatch_kind(kind: JobKind, now: BlockNumber, done: &mut Dispatched) {
        // Jobs that were moved to the tail in this block have places from here on.
        let tail = NextPlace::<T>::get();
        for _ in 0..TRIES_PER_KIND {
            if done.assigned >= T::MaxDispatchesPerBlock::get() {
                return;
            }
            let Some((place, id)) = Queue::<T>::iter_prefix(kind).next() else { return };
            if u64::from(place) >= tail {
                return;
            }
            done.jobs_tried = done.jobs_tried.saturating_add(1);
            let Some(job) = Jobs::<T>::get(id) else {
                // Only damaged storage queues a job that is not there; it must not block the rest.
                Queue::<T>::remove(kind, place);
                continue;
            };
            match Self::worker_for(kind, &job, done) {
                Match::NobodyIdle => return,
                Match::NobodyFits => {
                    Self::dequeue(id, kind);
                    // Places are never used up: 2^64 of them outlast any chain.
                    if Self::enqueue(id, kind).is_err() {
                        return;
                    }
                }
                Match::Found(assignment) => {
                    let assigned = with_storage_layer(|| Self::assign(id, job, assignment, now));
                    if assigned.is_err() {
                        return;
                    }
                    done.assigned = done.assigned.saturating_add(1);
                }
            }
        }
    }

    /// The worker of a kind that has been idle longest, among the first [`CANDIDATES`], and fits the
    /// budget; else the cheapest of all, if it fits.
    fn worker_for(kind: JobKind, job: &JobOf<T>, done: &mut Dispatched) -> Match<T::AccountId> {
        // The cheapest decides at once whether anyone fits.
        let Some(cheapest) = IdlePrices::<T>::iter_prefix_values(kind).next() else {
            return Match::NobodyIdle;
        };
        done.workers_tried = done.workers_tried.saturating_add(1);
        let Some(fallback) = offer::<T>(cheapest, job) else { return Match::NobodyFits };
        for who in IdleWorkers::<T>::iter_prefix_values(kind).take(CANDIDATES as usize) {
            done.workers_tried = done.workers_tried.saturating_add(1);
            if let Some(assignment) = offer::<T>(who, job) {
                return Match::Found(assignment);
            }
        }
        Match::Found(fallback)
    }

    fn assign(
        id: JobId,
        mut job: JobOf<T>,
        assignment: Assignment<T::AccountId>,
        now: BlockNumber,
    ) -> DispatchResult {
        let Assignment { worker: who, price } = assignment.clone();
        let take_by = now.saturating_add(T::TakeWindow::get());
        job.assign(assignment, take_by).map_err(crate::Error::<T>::from)?;
        let mut worker: Worker = Workers::<T>::get(&who).ok_or(crate::Error::<T>::NotAWorker)?;
        Self::leave_idle(&mut worker);
        worker.job = Some(id);
        Workers::<T>::insert(&who, worker);
        Self::dequeue(id, job.kind);
        Self::enter_agenda(id, &job);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobAssigned { job: id, worker: who, price, take_by });
        Ok(())
    }
}

/// Whether there is a worker for a job.
enum Match<AccountId> {
    /// No worker of the kind is idle: the job keeps its place.
    NobodyIdle,
    /// Even the cheapest idle worker is above the budget.
    NobodyFits,
    /// This one, at this price.
    Found(Assignment<AccountId>),
}

/// What a worker asks for a job, if that is within its budget.
fn offer<T: Config>(who: T::AccountId, job: &JobOf<T>) -> Option<Assignment<T::AccountId>> {
    let price = Workers::<T>::get(&who)?.price_per_token.checked_mul(job.token_ceiling.into())?;
    (price <= job.budget).then_some(Assignment { worker: who, price })
}
