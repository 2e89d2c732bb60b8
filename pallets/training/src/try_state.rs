//! What must hold of the pallet's storage at the end of every block.

use crate::{
    impls::looked_at, Adapters, Agenda, AgendaCursor, AgendaOf, BaseModels, Config, HoldReason,
    IdlePrices, IdleWorkers, Jobs, NextBaseModel, NextJob, NextPlace, Pallet, Parents, Places,
    PriceKey, Queue, SequenceKey, Workers,
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::Encode;
use frame_support::{ensure, traits::fungible::hold::Inspect};
use openledger_primitives::{job::Assignment, Balance, JobState};
use sp_runtime::TryRuntimeError;

/// What records say is held, by the account's encoding.
type Sums<AccountId> = BTreeMap<Vec<u8>, (AccountId, Balance)>;

impl<T: Config> Pallet<T> {
    /// Checks everything this pallet promises about its storage.
    ///
    /// Walks all of it: for tests and try-runtime, never for a call.
    ///
    /// # Errors
    ///
    /// The first promise that is broken, in words.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_jobs()?;
        Self::check_queues()?;
        Self::check_agenda()?;
        Self::check_workers()?;
        Self::check_adapters()?;
        Self::check_parents()?;
        Self::check_holds()
    }

    /// Every job is where its state says, and its worker agrees.
    fn check_jobs() -> Result<(), TryRuntimeError> {
        for (id, job) in Jobs::<T>::iter() {
            ensure!(id < NextJob::<T>::get(), "a job has a number that was never given");
            ensure!(BaseModels::<T>::contains_key(job.base), "a job's base model is missing");
            let queued = matches!(job.state, JobState::Queued);
            ensure!(
                queued == Places::<T>::contains_key(id),
                "a job has a place in a queue, or has none, against its state"
            );
            if let Some(Assignment { price, .. }) = job.assignment() {
                ensure!(*price <= job.budget, "a job's price is above its budget");
            }
            if let JobState::Assigned { assignment, .. } | JobState::Training { assignment, .. } =
                &job.state
            {
                let worker = Workers::<T>::get(&assignment.worker);
                ensure!(
                    worker.is_some_and(|worker| worker.job == Some(id)),
                    "a job's worker does not have it"
                );
            }
            ensure!(
                looked_at(&job).is_some() == AgendaOf::<T>::contains_key(id),
                "a job is on the agenda, or is not, against its state"
            );
        }
        Ok(())
    }

    /// Every place in a queue is the one place of a queued job of that kind.
    fn check_queues() -> Result<(), TryRuntimeError> {
        let next = NextPlace::<T>::get();
        let mut places = 0usize;
        for (kind, key, id) in Queue::<T>::iter() {
            places = places.saturating_add(1);
            ensure!(u64::from(key) < next, "a place in a queue was never given");
            ensure!(
                Places::<T>::get(id) == Some(u64::from(key)),
                "a place in a queue is not its job's"
            );
            ensure!(
                Jobs::<T>::get(id).is_some_and(|job| job.kind == kind),
                "a job stands in a queue of another kind"
            );
        }
        ensure!(places == Places::<T>::iter().count(), "a queued job has no place in its queue");
        Ok(())
    }

    /// Every entry of the agenda is the one entry of a job, and none is behind the cursor.
    fn check_agenda() -> Result<(), TryRuntimeError> {
        let cursor = AgendaCursor::<T>::get().unwrap_or(0);
        let mut entries = 0usize;
        for (at, id, ()) in Agenda::<T>::iter() {
            entries = entries.saturating_add(1);
            ensure!(at >= cursor, "an entry of the agenda is behind the cursor");
            ensure!(AgendaOf::<T>::get(id) == Some(at), "an entry of the agenda is not its job's");
            ensure!(Jobs::<T>::contains_key(id), "an entry of the agenda has no job");
        }
        ensure!(entries == AgendaOf::<T>::iter().count(), "an unfinished job has no entry");
        Ok(())
    }

    /// Workers stand in exactly the idle queues they belong in, and have the jobs they say.
    fn check_workers() -> Result<(), TryRuntimeError> {
        let mut open = BTreeMap::<Vec<u8>, u32>::new();
        for job in Jobs::<T>::iter_values() {
            if let JobState::Submitted { assignment, .. } = job.state {
                let count = open.entry(assignment.worker.encode()).or_default();
                *count = count.saturating_add(1);
            }
        }
        let mut idle = 0usize;
        for (who, worker) in Workers::<T>::iter() {
            ensure!(!worker.kinds.is_empty(), "a worker can train nothing");
            ensure!(
                worker.idle.is_some() == (worker.job.is_none() && !worker.paused),
                "a worker is idle while busy or paused, or is not although it could be"
            );
            if let Some(place) = worker.idle {
                ensure!(place < NextPlace::<T>::get(), "a worker's place was never given");
                idle = idle.saturating_add(worker.kinds.len());
                for kind in &worker.kinds {
                    ensure!(
                        IdleWorkers::<T>::get(kind, SequenceKey::from(place)).as_ref()
                            == Some(&who),
                        "an idle worker is missing in an idle queue"
                    );
                    let price = PriceKey::new(worker.price_per_token, place);
                    ensure!(
                        IdlePrices::<T>::get(kind, price).as_ref() == Some(&who),
                        "an idle worker is missing among the prices"
                    );
                }
            }
            if let Some(id) = worker.job {
                let has = Jobs::<T>::get(id).is_some_and(|job| match job.state {
                    JobState::Assigned { assignment, .. }
                    | JobState::Training { assignment, .. } => assignment.worker == who,
                    _ => false,
                });
                ensure!(has, "a worker has a job that is not its own");
            }
            ensure!(
                open.remove(&who.encode()).unwrap_or(0) == worker.open_results,
                "a worker's open results are not counted right"
            );
        }
        ensure!(open.is_empty(), "a result's worker is gone before its window has passed");
        ensure!(idle == IdleWorkers::<T>::iter().count(), "an idle queue holds somebody else");
        ensure!(idle == IdlePrices::<T>::iter().count(), "the prices hold somebody else");
        Ok(())
    }

    /// Exactly the completed jobs have an adapter, and it is theirs.
    fn check_adapters() -> Result<(), TryRuntimeError> {
        for (id, adapter) in Adapters::<T>::iter() {
            let own = Jobs::<T>::get(id).is_some_and(|job| match &job.state {
                JobState::Completed { assignment } => {
                    assignment.worker == adapter.worker
                        && job.owner == adapter.owner
                        && job.base == adapter.base
                        && job.datasets == adapter.datasets
                }
                _ => false,
            });
            ensure!(own, "an adapter does not belong to a completed job");
        }
        let completed = Jobs::<T>::iter_values()
            .filter(|job| matches!(job.state, JobState::Completed { .. }))
            .count();
        ensure!(completed == Adapters::<T>::iter().count(), "a completed job has no adapter");
        Ok(())
    }

    /// Whoever goes from job to parent ends at an adapter without one, and all are of one base model,
    /// rank, alpha and layers.
    fn check_parents() -> Result<(), TryRuntimeError> {
        for (id, parent) in Parents::<T>::iter() {
            ensure!(parent < id, "a job's parent is not older than the job");
            ensure!(Adapters::<T>::contains_key(parent), "a job's parent is no adapter");
            let job = Jobs::<T>::get(id).ok_or("a parent is noted of a job that is not there")?;
            let fits = Jobs::<T>::get(parent).is_some_and(|parent| {
                parent.base == job.base && job.spec.unlike_parent(&parent.spec).is_none()
            });
            ensure!(fits, "a job's parent does not fit it");
        }
        Ok(())
    }

    /// What is held is what the records say, for each purpose and account.
    fn check_holds() -> Result<(), TryRuntimeError> {
        let mut sums = Sums::<T::AccountId>::new();
        for job in Jobs::<T>::iter_values().filter(|job| !job.is_over()) {
            add(&mut sums, job.owner, job.budget)?;
        }
        Self::ensure_held(HoldReason::JobBudget, sums)?;

        let mut sums = Sums::<T::AccountId>::new();
        for (who, worker) in Workers::<T>::iter() {
            add(&mut sums, who, worker.bond)?;
        }
        Self::ensure_held(HoldReason::WorkerBond, sums)?;

        let mut sums = Sums::<T::AccountId>::new();
        for (id, model) in BaseModels::<T>::iter() {
            ensure!(id < NextBaseModel::<T>::get(), "a base model's number was never given");
            add(&mut sums, model.registrar, model.deposit)?;
        }
        Self::ensure_held(HoldReason::BaseModelDeposit, sums)
    }

    fn ensure_held(reason: HoldReason, sums: Sums<T::AccountId>) -> Result<(), TryRuntimeError> {
        let reason = reason.into();
        for (who, sum) in sums.into_values() {
            ensure!(
                T::Currency::balance_on_hold(&reason, &who) == sum,
                "an account has another sum on hold than the records say"
            );
        }
        Ok(())
    }
}

fn add<AccountId: Encode>(
    sums: &mut Sums<AccountId>,
    who: AccountId,
    amount: Balance,
) -> Result<(), TryRuntimeError> {
    let (_, sum) = sums.entry(who.encode()).or_insert((who, 0));
    *sum = sum.checked_add(amount).ok_or("what is held leaves the range of a balance")?;
    Ok(())
}
