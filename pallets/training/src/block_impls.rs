//! The work at the start of a block: what is due to be paid, and whose time has passed.

use crate::{
    impls::JobOf, Adapters, Agenda, AgendaCursor, AgendaOf, Config, DisputeAgenda, DisputeCursor,
    Event, HoldReason, Jobs, Pallet, PaymentCursor, Payments, WeightInfo, Workers,
};
use alloc::vec::Vec;
use frame_support::{pallet_prelude::*, storage::with_storage_layer};
use openledger_primitives::{
    job::{Assignment, Released},
    Adapter, Balance, BlockNumber, JobId, JobResult, JobState,
};

/// Blocks until something that could not be done for a job is tried again.
const RETRY_BLOCKS: BlockNumber = 100;

/// What was done in a block.
#[derive(Default)]
pub(crate) struct Done {
    /// Results that were paid for.
    pub(crate) paid: u32,
    /// Jobs that lost a worker, or ended.
    pub(crate) timed_out: u32,
    /// Jobs that were only entered anew.
    pub(crate) moved: u32,
    /// Disputes for which workers were drawn.
    pub(crate) drawn: u32,
    /// Disputes that ended.
    pub(crate) settled: u32,
    /// Workers that gained seniority.
    pub(crate) admitted: u32,
    /// Searches for jobs that went on.
    pub(crate) searches: u32,
    /// Shelves on which they had to look for their places.
    pub(crate) sought: u32,
}

impl<T: Config> Pallet<T> {
    /// Works off the agendas. Returns what it cost.
    pub(crate) fn begin_block() -> Weight {
        // Each has a limit of its own, so that no number of jobs that time out delays a payment.
        let mut done = Done { admitted: Self::admit_newcomers(), ..Done::default() };
        let (payments, expiries) = (T::MaxPaymentsPerBlock::get(), T::MaxExpiriesPerBlock::get());
        Self::work_off::<Payments<T>, PaymentCursor<T>>(payments, &mut done);
        Self::work_off::<Agenda<T>, AgendaCursor<T>>(expiries, &mut done);
        let disputes = T::MaxDisputesPerBlock::get();
        Self::work_off::<DisputeAgenda<T>, DisputeCursor<T>>(disputes, &mut done);
        // Last, when what is due has come to its shelves.
        (done.searches, done.sought) = Self::go_on_searching();
        T::WeightInfo::begin_block(done.paid, done.timed_out, done.moved)
            .saturating_add(T::WeightInfo::judge(done.drawn, done.settled))
            .saturating_add(T::WeightInfo::admit(done.admitted))
            .saturating_add(T::WeightInfo::search(done.searches, done.sought))
    }

    /// Looks at the jobs that are due, oldest first. What does not fit into this block is first in the
    /// next.
    fn work_off<Entries, Cursor>(limit: u32, done: &mut Done)
    where
        Entries: frame_support::storage::IterableStorageDoubleMap<BlockNumber, JobId, ()>,
        Cursor: frame_support::storage::StorageValue<BlockNumber, Query = Option<BlockNumber>>,
    {
        let now = Self::now();
        let mut left = limit;
        // Without a cursor nothing was ever entered.
        let mut cursor = Cursor::get().unwrap_or(now);
        while cursor <= now && left > 0 {
            let due: Vec<JobId> = Entries::iter_key_prefix(cursor).take(left as usize).collect();
            let count = due.len() as u32;
            for id in due {
                Entries::remove(cursor, id);
                AgendaOf::<T>::remove(id);
                Self::advance_job(id, now, done);
            }
            if count < left {
                cursor = cursor.saturating_add(1);
            }
            // One for looking at the block itself, so that empty blocks are bounded too.
            left = left.saturating_sub(count).saturating_sub(1);
        }
        Cursor::put(cursor);
    }

    /// Does what is due for one job, wholly or not at all, and enters it again if it is not over.
    fn advance_job(id: JobId, now: BlockNumber, done: &mut Done) {
        let Some(job) = Jobs::<T>::get(id) else { return };
        let windows = Self::windows();
        let answer = with_storage_layer(|| match job.state {
            JobState::Submitted { completes_at, .. } if now >= completes_at => {
                done.paid = done.paid.saturating_add(1);
                Self::complete(id, job.clone(), now)
            }
            JobState::Disputed { .. } => Self::judge(id, job.clone(), now, done),
            _ if job.due(&windows).is_some_and(|due| now > due) => {
                done.timed_out = done.timed_out.saturating_add(1);
                Self::time_out(id, job.clone(), now)
            }
            // Heard of in the meantime, or given more time; or only faster workers can still finish it,
            // of whom none is idle, or it would not wait.
            _ => {
                done.moved = done.moved.saturating_add(1);
                if let (JobState::Queued, Some(rate)) = (&job.state, Self::rate_for(&job)) {
                    Self::unshelve_job(id, &job);
                    Self::shelve_job(id, &job, rate);
                }
                Self::enter_agenda(id, &job);
                Ok(())
            }
        });
        if answer.is_err() {
            // Nothing is lost: the money stays held and the job stays as it was until it succeeds.
            let until = now.saturating_add(RETRY_BLOCKS);
            Self::enter_agenda_at(id, &job, until);
            Self::deposit_event(Event::JobDelayed { job: id, until });
        }
    }

    /// Pays the worker the price fixed at dispatch, releases the rest, registers the adapter.
    fn complete(id: JobId, mut job: JobOf<T>, now: BlockNumber) -> DispatchResult {
        let (assignment, result) = job.complete(now).map_err(crate::Error::<T>::from)?;
        Self::pay_out(id, job, assignment, result, now)
    }

    /// Pays for a result that stands, and registers the adapter. The job is completed.
    pub(crate) fn pay_out(
        id: JobId,
        job: JobOf<T>,
        assignment: Assignment<T::AccountId>,
        result: JobResult,
        now: BlockNumber,
    ) -> DispatchResult {
        let Assignment { worker, price, .. } = assignment;
        Self::pay(&job.owner, &worker, price)?;
        Self::note_served(&worker);
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
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobCompleted { job: id, worker, price, refund });
        Ok(())
    }

    /// Takes the job from the worker that let its time pass, and offers it again or ends it.
    fn time_out(id: JobId, mut job: JobOf<T>, now: BlockNumber) -> DispatchResult {
        // It stands on shelves only while it waits.
        Self::unshelve_job(id, &job);
        let released = job
            .time_out(now, T::MaxAttempts::get(), &Self::windows())
            .map_err(crate::Error::<T>::from)?;
        let lost = released.map(|Released { assignment, at_fault }| {
            let Assignment { worker, price, .. } = assignment;
            let penalty = if at_fault { Self::penalise(&worker, price) } else { 0 };
            Self::deposit_event(Event::JobTimedOut { job: id, worker: worker.clone(), penalty });
            (worker, penalty, at_fault)
        });
        Self::go_on(id, job)?;
        let Some((worker, penalty, at_fault)) = lost else { return Ok(()) };
        Self::free_worker(&worker, |record| {
            record.bond = record.bond.saturating_sub(penalty);
            record.paused |= at_fault;
            record.lost = record.lost.saturating_add(u32::from(at_fault));
            Ok(())
        })
    }

    /// Moves a share of the price, or what is left of the bond, to the penalty account. Returns how
    /// much.
    fn penalise(worker: &T::AccountId, price: Balance) -> Balance {
        let bond = Workers::<T>::get(worker).map_or(0, |record| record.bond);
        let penalty = T::PenaltyShare::get().mul_ceil(price).min(bond);
        Self::forfeit(HoldReason::WorkerBond, worker, penalty)
    }
}
