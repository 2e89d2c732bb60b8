//! What must hold of the pallet's storage at the end of every block.

use crate::{
    disputes::verifier_sets,
    shelves::{job_shelves, worker_shelves},
    types::{Class, Firsts, Row, VerifierSet},
    Adapters, Agenda, AgendaCursor, AgendaOf, BaseModels, Config, Contradicted, CreatedAt,
    DisputeAgenda, DisputeCursor, Disputes, Duties, HoldReason, Idle, IdleFirsts, Jobs, JobsOf,
    LeavesFrom, NewcomerPlace, Newcomers, NextBaseModel, NextJob, NextPlace, OfferKey, Pallet,
    Parents, PaymentCursor, Payments, SearchOf, Searches, Shelved, VerifierCount, VerifierIndex,
    Verifiers, Waiting, WaitingFirsts, Workers,
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::Encode;
use frame_support::{ensure, traits::fungible::hold::Inspect};
use openledger_primitives::{
    job::{
        dispute::{Outcome, DRAWN},
        Assignment, JobFailure,
    },
    Balance, BlockNumber, JobId, JobState,
};
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
        Self::check_owners()?;
        Self::check_models()?;
        Self::check_waiting()?;
        Self::check_agenda()?;
        Self::check_workers()?;
        Self::check_idle()?;
        Self::check_nobody_waits_in_vain()?;
        Self::check_searches()?;
        Self::check_adapters()?;
        Self::check_parents()?;
        Self::check_blocks()?;
        Self::check_disputes()?;
        Self::check_newcomers()?;
        Self::check_verifiers()?;
        Self::check_holds()
    }

    /// Every job is where its state says, and its worker agrees.
    fn check_jobs() -> Result<(), TryRuntimeError> {
        for (id, job) in Jobs::<T>::iter() {
            ensure!(id < NextJob::<T>::get(), "a job has a number that was never given");
            ensure!(job.sequence <= NextPlace::<T>::get(), "a job's place was never given");
            let queued = matches!(job.state, JobState::Queued);
            ensure!(
                queued == Shelved::<T>::contains_key(id),
                "a job stands on shelves, or on none, against its state"
            );
            ensure!(job.is_over() || job.price().is_some(), "a job offers more than its budget");
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
                ensure!(job.may_go_to(&assignment.worker), "a job went to whom it must not");
            }
            ensure!(
                job.is_over() != AgendaOf::<T>::contains_key(id),
                "a job is on the agenda, or is not, against its state"
            );
        }
        Ok(())
    }

    /// Every job is listed under its owner, and nothing else is.
    fn check_owners() -> Result<(), TryRuntimeError> {
        let mut listed = 0usize;
        for (owner, key, ()) in JobsOf::<T>::iter() {
            listed = listed.saturating_add(1);
            let job = Jobs::<T>::get(u64::from(key));
            ensure!(job.is_some_and(|job| job.owner == owner), "an owner's list names another job");
        }
        ensure!(listed == Jobs::<T>::iter_keys().count(), "a job is missing in its owner's list");
        Ok(())
    }

    /// Base models know how many jobs name them, and a retired one is kept only for those.
    fn check_models() -> Result<(), TryRuntimeError> {
        let mut jobs = BTreeMap::<u32, u64>::new();
        for job in Jobs::<T>::iter_values() {
            let count = jobs.entry(job.base).or_default();
            *count = count.saturating_add(1);
        }
        for (id, model) in BaseModels::<T>::iter() {
            let counted = jobs.remove(&id).unwrap_or(0);
            ensure!(counted == model.jobs, "a base model's jobs are not counted right");
            ensure!(!model.retired || model.jobs > 0, "a retired base model is kept for nothing");
            ensure!(!model.retired || model.deposit == 0, "a retired base model has a deposit");
        }
        ensure!(jobs.is_empty(), "a job's base model is missing");
        Ok(())
    }

    /// Queued jobs stand on exactly their shelves.
    fn check_waiting() -> Result<(), TryRuntimeError> {
        for (id, rate) in Shelved::<T>::iter() {
            let job = Jobs::<T>::get(id).ok_or("a shelf's job is gone")?;
            let key = OfferKey::new(job.price_per_token, job.sequence);
            for shelf in job_shelves(&job, rate) {
                ensure!(
                    Waiting::<T>::get(shelf, key) == Some(id),
                    "a queued job is missing on a shelf"
                );
            }
        }
        let entries = Waiting::<T>::iter_keys().count();
        let expected = Shelved::<T>::iter_keys().count().saturating_mul(2);
        ensure!(entries == expected, "a shelf holds a job that does not belong there");
        check_firsts(
            Waiting::<T>::iter_keys(),
            WaitingFirsts::<T>::iter(),
            "the first job of a shelf is not the first",
        )
    }

    /// Every entry of an agenda is the one entry of a job, and none is behind its cursor.
    fn check_agenda() -> Result<(), TryRuntimeError> {
        let check = |cursor: Option<BlockNumber>, at: BlockNumber, id: JobId, agenda: &str| {
            ensure!(at >= cursor.unwrap_or(0), "an entry of the agenda is behind the cursor");
            ensure!(AgendaOf::<T>::get(id) == Some(at), "an entry of the agenda is not its job's");
            let job = Jobs::<T>::get(id).ok_or("an entry of the agenda has no job")?;
            let right = match job.state {
                JobState::Submitted { .. } => "payments",
                JobState::Disputed { .. } => "disputes",
                _ => "jobs",
            };
            ensure!(agenda == right, "an entry stands on the other agenda");
            Ok::<(), TryRuntimeError>(())
        };
        let mut entries = 0usize;
        for (at, id, ()) in Agenda::<T>::iter() {
            entries = entries.saturating_add(1);
            check(AgendaCursor::<T>::get(), at, id, "jobs")?;
        }
        for (at, id, ()) in Payments::<T>::iter() {
            entries = entries.saturating_add(1);
            check(PaymentCursor::<T>::get(), at, id, "payments")?;
        }
        for (at, id, ()) in DisputeAgenda::<T>::iter() {
            entries = entries.saturating_add(1);
            check(DisputeCursor::<T>::get(), at, id, "disputes")?;
        }
        ensure!(entries == AgendaOf::<T>::iter().count(), "an unfinished job has no entry");
        Ok(())
    }

    /// Workers have the jobs they say, and as many results.
    fn check_workers() -> Result<(), TryRuntimeError> {
        let mut open = BTreeMap::<Vec<u8>, u32>::new();
        for job in Jobs::<T>::iter_values() {
            if let JobState::Submitted { assignment, .. } | JobState::Disputed { assignment, .. } =
                job.state
            {
                let count = open.entry(assignment.worker.encode()).or_default();
                *count = count.saturating_add(1);
            }
        }
        for (who, worker) in Workers::<T>::iter() {
            ensure!(!worker.kinds.is_empty(), "a worker can train nothing");
            ensure!(worker.place <= NextPlace::<T>::get(), "a worker's place was never given");
            ensure!(
                worker.rests_until == 0 || worker.paused,
                "a worker rests without being paused"
            );
            ensure!(
                worker.raise.is_none_or(|raise| raise.price_per_token > worker.price_per_token),
                "a worker waits for a floor that is no higher"
            );
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
        Ok(())
    }

    /// Idle workers stand on exactly their shelves.
    fn check_idle() -> Result<(), TryRuntimeError> {
        let mut expected = 0usize;
        for (who, worker) in Workers::<T>::iter().filter(|(_, worker)| worker.is_idle()) {
            for shelf in worker_shelves(&worker) {
                expected = expected.saturating_add(1);
                ensure!(
                    Idle::<T>::get(shelf, worker.idle_key()).as_ref() == Some(&who),
                    "an idle worker is missing on a shelf"
                );
            }
        }
        let entries = Idle::<T>::iter_keys().count();
        ensure!(entries == expected, "a shelf holds a worker that does not belong there");
        check_firsts(
            Idle::<T>::iter_keys(),
            IdleFirsts::<T>::iter(),
            "the first worker of a shelf is not the first",
        )
    }

    /// No job waits beside an idle worker that fits it, unless the worker's search for it goes on.
    fn check_nobody_waits_in_vain() -> Result<(), TryRuntimeError> {
        for id in Shelved::<T>::iter_keys() {
            let Some(job) = Jobs::<T>::get(id) else { continue };
            let Some(rate) = Self::rate_for(&job) else { continue };
            let beside = Self::worker_for(&job, rate);
            ensure!(
                beside.is_none_or(SearchOf::<T>::contains_key),
                "a job waits beside a worker for it"
            );
        }
        Ok(())
    }

    /// Searches are of idle workers, each once; and who was contradicted is a worker, by others, each once.
    fn check_searches() -> Result<(), TryRuntimeError> {
        for (place, (who, _)) in Searches::<T>::iter() {
            ensure!(SearchOf::<T>::get(&who) == Some(place), "a search stands elsewhere");
            let idle = Workers::<T>::get(&who).is_some_and(|worker| worker.is_idle());
            ensure!(idle, "a search is of nobody idle");
        }
        ensure!(
            SearchOf::<T>::iter_keys().count() == Searches::<T>::iter_keys().count(),
            "a worker searches nowhere"
        );
        for (who, by) in Contradicted::<T>::iter() {
            let worker = Workers::<T>::get(&who).ok_or("who was contradicted is no worker")?;
            let mut once: Vec<_> = by.iter().map(Encode::encode).collect();
            once.sort();
            once.dedup();
            ensure!(
                !by.is_empty() && once.len() == by.len() && !by.contains(&who),
                "a worker was contradicted by nobody, by itself or twice by one"
            );
            ensure!(
                by.len() <= usize::from(worker.declines),
                "more contradicted a worker than it has declines in a row"
            );
        }
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

    /// Every job from the first one on whose block is known has one, no earlier than the job before it.
    fn check_blocks() -> Result<(), TryRuntimeError> {
        let blocks: BTreeMap<JobId, BlockNumber> = CreatedAt::<T>::iter().collect();
        let mut last = 1;
        for (id, at) in &blocks {
            ensure!(Jobs::<T>::contains_key(id), "a block is noted of a job that is not there");
            ensure!((last..=Self::now()).contains(at), "a job's block is out of order");
            last = *at;
        }
        if let Some((first, _)) = blocks.first_key_value() {
            let known = |id| id < *first || blocks.contains_key(&id);
            ensure!(Jobs::<T>::iter_keys().all(known), "a job's block is not known");
        }
        Ok(())
    }

    /// Exactly the jobs in dispute have an open one, and those drawn for it know of it.
    fn check_disputes() -> Result<(), TryRuntimeError> {
        let mut duties = BTreeMap::<Vec<u8>, Vec<JobId>>::new();
        for (id, dispute) in Disputes::<T>::iter() {
            let job = Jobs::<T>::get(id).ok_or("a dispute's job is gone")?;
            let settled = match (&job.state, dispute.outcome) {
                (JobState::Disputed { .. }, None) => false,
                (JobState::Failed(JobFailure::Refuted), Some(Outcome::Upheld))
                | (JobState::Completed { .. }, Some(Outcome::Rejected | Outcome::NoQuorum)) => true,
                // Its owner may still dispute what another account did.
                (JobState::Submitted { .. }, Some(Outcome::Rejected | Outcome::NoQuorum)) => {
                    ensure!(dispute.disputer != job.owner, "an owner may dispute twice");
                    true
                }
                _ => return Err("a dispute's outcome is not its job's state".into()),
            };
            ensure!(
                dispute.drawn.is_empty() || dispute.drawn.len() == DRAWN as usize,
                "another number of workers than three is drawn"
            );
            let worker = job.assignment().map(|assignment| &assignment.worker);
            for (n, verifier) in dispute.drawn.iter().enumerate() {
                let who = &verifier.worker;
                ensure!(
                    *who != job.owner && *who != dispute.disputer && Some(who) != worker,
                    "a party to a dispute is drawn for it"
                );
                let before = dispute.drawn.iter().take(n);
                ensure!(
                    before.into_iter().all(|other| other.worker != *who),
                    "a worker is drawn twice for a dispute"
                );
                ensure!(
                    verifier.finding.is_none() || verifier.commitment.is_some(),
                    "a finding was shown without its hash"
                );
                if !settled {
                    ensure!(Workers::<T>::contains_key(who), "a drawn worker is gone");
                    duties.entry(who.encode()).or_default().push(id);
                }
            }
        }
        let disputed = Jobs::<T>::iter_values()
            .filter(|job| matches!(job.state, JobState::Disputed { .. }))
            .count();
        let open = Disputes::<T>::iter_values().filter(|dispute| dispute.outcome.is_none()).count();
        ensure!(disputed == open, "a job in dispute has no dispute");
        for (who, listed) in Duties::<T>::iter() {
            let mut listed = listed.into_inner();
            listed.sort();
            let mut drawn = duties.remove(&who.encode()).unwrap_or_default();
            drawn.sort();
            ensure!(!listed.is_empty() && listed == drawn, "a worker's draws are not its own");
        }
        ensure!(duties.is_empty(), "a drawn worker does not know of it");
        Ok(())
    }

    /// Newcomers are workers and stand where they say; and so are those that may not leave yet.
    fn check_newcomers() -> Result<(), TryRuntimeError> {
        for (key, (who, _)) in Newcomers::<T>::iter() {
            let place = u64::from(key);
            ensure!(place < NextPlace::<T>::get(), "a newcomer's place was never given");
            ensure!(NewcomerPlace::<T>::get(&who) == Some(place), "a newcomer stands elsewhere");
            ensure!(Workers::<T>::contains_key(&who), "a newcomer is no worker");
        }
        ensure!(
            NewcomerPlace::<T>::iter_keys().count() == Newcomers::<T>::iter_keys().count(),
            "a newcomer waits for nothing"
        );
        for who in LeavesFrom::<T>::iter_keys() {
            ensure!(Workers::<T>::contains_key(&who), "a bond is kept of no worker");
        }
        Ok(())
    }

    /// Workers that are not paused are numbered in exactly their sets, without gaps; newcomers in none
    /// or some of them.
    fn check_verifiers() -> Result<(), TryRuntimeError> {
        let mut sizes = BTreeMap::<VerifierSet, u32>::new();
        for (who, worker) in Workers::<T>::iter() {
            let newcomer = NewcomerPlace::<T>::contains_key(&who);
            let enters =
                |set: &VerifierSet| !newcomer || VerifierIndex::<T>::contains_key(&who, set);
            for set in verifier_sets(&worker).into_iter().filter(enters) {
                let size = sizes.entry(set).or_default();
                *size = size.saturating_add(1);
                let index = VerifierIndex::<T>::get(&who, set).ok_or("a worker has no number")?;
                ensure!(
                    Verifiers::<T>::get(set, index).as_ref() == Some(&who),
                    "a worker's number is another's"
                );
            }
        }
        let all = sizes.values().fold(0, |sum: usize, size| sum.saturating_add(*size as usize));
        ensure!(
            Verifiers::<T>::iter_keys().count() == all
                && VerifierIndex::<T>::iter_keys().count() == all,
            "a set holds a worker that does not belong there"
        );
        for (set, count) in VerifierCount::<T>::iter() {
            ensure!(sizes.remove(&set) == Some(count), "a set's workers are not counted right");
            let numbers = (0..count).filter(|n| Verifiers::<T>::contains_key(set, n)).count();
            ensure!(numbers == count as usize, "a set has a gap");
        }
        ensure!(sizes.is_empty(), "a set's workers are not counted");
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
        for job in Jobs::<T>::iter_values() {
            add(&mut sums, job.owner, job.deposit)?;
        }
        Self::ensure_held(HoldReason::JobDeposit, sums)?;

        let mut sums = Sums::<T::AccountId>::new();
        for dispute in Disputes::<T>::iter_values() {
            let held = if dispute.outcome.is_none() { dispute.bond } else { 0 };
            add(&mut sums, dispute.disputer, held)?;
        }
        Self::ensure_held(HoldReason::DisputeBond, sums)?;

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

/// Whether what rows keep as the firsts of their shelves are the least keys there.
fn check_firsts<Key: Copy + Ord>(
    entries: impl Iterator<Item = ((Row, Class), Key)>,
    rows: impl Iterator<Item = (Row, Firsts<Key>)>,
    message: &'static str,
) -> Result<(), TryRuntimeError> {
    let mut least = BTreeMap::<Vec<u8>, Key>::new();
    for (shelf, key) in entries {
        let first = least.entry(shelf.encode()).or_insert(key);
        *first = key.min(*first);
    }
    for (row, firsts) in rows {
        ensure!(!firsts.is_empty(), message);
        for (class, key) in firsts {
            ensure!(least.remove(&(row, class).encode()) == Some(key), message);
        }
    }
    ensure!(least.is_empty(), message);
    Ok(())
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
