//! Jobs: what their calls do.

use crate::{
    impls::{ensure_file, JobOf},
    types::JobOffer,
    Adapters, BaseModels, Config, Contradicted, CreatedAt, Disputes, Error, Event, HoldReason,
    Jobs, JobsOf, NextJob, Pallet, Parents, SequenceKey, Worker, Workers,
};
use frame_support::{
    pallet_prelude::*,
    storage::with_storage_layer,
    traits::{
        fungible::hold::Mutate,
        tokens::{Fortitude, Precision, Restriction},
        Contains,
    },
};
use openledger_primitives::{
    job::{CalledOff, DeclineReason, JobFailure},
    leaf::dataset_root,
    training::SpecField,
    traits::DatasetVersions,
    Balance, BaseModelId, BlockNumber, Job, JobId, JobKind, JobResult, JobState, RateClass,
    SizeClass, TrainingSpec,
};

/// A worker's second decline in a row makes it rest for so many blocks, and each further one for
/// twice as many as the one before.
pub const FIRST_REST: BlockNumber = 20;

/// A worker that declines rests no longer than this, an hour at 3 s a block.
pub const LONGEST_REST: BlockNumber = 1_200;

/// Workers that count against one that blames owners: after so many it rests for [`LONGEST_REST`].
pub const MAX_CONTRADICTED: u32 = 8;

impl<T: Config> Pallet<T> {
    /// Holds what may be paid to others, in spite of locks.
    fn hold_budget(owner: &T::AccountId, amount: Balance) -> DispatchResult {
        ensure!(!T::Voters::contains(owner), Error::<T>::OpenVotes);
        T::Currency::hold(&HoldReason::JobBudget.into(), owner, amount)
    }

    pub(crate) fn do_create_job(owner: T::AccountId, offer: JobOffer) -> DispatchResult {
        let JobOffer { parent, base, datasets, spec, token_ceiling, price_per_token, deadline } =
            offer;
        let mut model = BaseModels::<T>::get(base).ok_or(Error::<T>::UnknownBaseModel)?;
        ensure!(!model.retired, Error::<T>::BaseModelRetired);
        spec.validate().map_err(Error::<T>::from)?;
        ensure!(token_ceiling > 0, Error::<T>::ZeroTokenCeiling);
        let budget =
            price_per_token.checked_mul(token_ceiling.into()).ok_or(Error::<T>::Overflow)?;
        ensure!(budget >= T::MinimumBudget::get(), Error::<T>::BelowMinimumBudget);
        let now = Self::now();
        ensure!(deadline > now, Error::<T>::DeadlinePassed);
        Self::ensure_not_too_far(deadline)?;
        let floor = Self::windows().floor(token_ceiling, RateClass::FASTEST);
        ensure!(now.saturating_add(floor) <= deadline, Error::<T>::DeadlineTooSoon);

        ensure!(!datasets.is_empty(), Error::<T>::NoDatasets);
        for (n, dataset) in datasets.iter().enumerate() {
            let repeated = datasets.iter().take(n).any(|other| other.datanet == dataset.datanet);
            ensure!(!repeated, Error::<T>::RepeatedDatanet);
            ensure!(dataset.version.leaves > 0, Error::<T>::EmptyVersion);
            let known = T::Datasets::version_at(dataset.datanet, dataset.version.leaves);
            ensure!(known == Some(dataset.version), Error::<T>::UnknownVersion);
        }
        if let Some(parent) = parent {
            ensure_parent::<T>(parent, base, &spec)?;
        }

        let deposit = T::JobDeposit::get();
        Self::hold_budget(&owner, budget)?;
        T::Currency::hold(&HoldReason::JobDeposit.into(), &owner, deposit)?;
        let id = NextJob::<T>::get();
        NextJob::<T>::put(id.checked_add(1).ok_or(Error::<T>::Overflow)?);
        model.jobs = model.jobs.saturating_add(1);
        let job = Job {
            owner: owner.clone(),
            base,
            size: SizeClass::of(model.files.weights_size),
            kind: JobKind { family: model.family, method: spec.method },
            datasets,
            spec,
            token_ceiling,
            price_per_token,
            budget,
            deposit,
            deadline,
            attempts: 0,
            refused: Default::default(),
            sequence: Self::next_place()?,
            state: JobState::Queued,
            ended_at: 0,
        };
        BaseModels::<T>::insert(base, model);
        JobsOf::<T>::insert(&owner, SequenceKey::from(id), ());
        CreatedAt::<T>::insert(id, now);
        Self::deposit_event(Event::JobCreated { job: id, owner, budget });
        if let Some(parent) = parent {
            Parents::<T>::insert(id, parent);
            Self::deposit_event(Event::ParentNamed { job: id, parent });
        }
        Self::place_job(id, job)
    }

    pub(crate) fn do_cancel_job(who: T::AccountId, id: JobId) -> DispatchResult {
        let mut job = Self::own_job(&who, id)?;
        Self::unshelve_job(id, &job);
        let CalledOff { worker, pay } =
            job.cancel(Self::now(), &Self::windows()).map_err(Error::<T>::from)?;
        if let Some(worker) = &worker {
            Self::pay(&who, worker, pay)?;
        }
        let refund = job.budget.checked_sub(pay).ok_or(Error::<T>::AboveBudget)?;
        Self::refund(&who, refund)?;
        Self::forfeit_deposit(id, &mut job);
        Self::leave_agenda(id);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobCancelled { job: id, refund });
        match worker {
            None => Ok(()),
            Some(worker) => {
                Self::deposit_event(Event::WorkPaid { job: id, worker: worker.clone(), pay });
                // Whoever calls jobs off cannot push a rival to the tail: it keeps its place.
                Self::free_worker(&worker, |_| Ok(()))
            }
        }
    }

    pub(crate) fn do_take(who: T::AccountId, id: JobId) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        job.take(&who, Self::now(), &Self::windows()).map_err(Error::<T>::from)?;
        Self::enter_agenda(id, &job);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobTaken { job: id, worker: who });
        Ok(())
    }

    pub(crate) fn do_decline(
        who: T::AccountId,
        id: JobId,
        reason: DeclineReason,
    ) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        let now = Self::now();
        let (able, counts) = Self::able(&job);
        job.decline(&who, now, reason, counts, able, &Self::windows()).map_err(Error::<T>::from)?;
        Self::deposit_event(Event::JobDeclined { job: id, worker: who.clone(), reason });
        Self::go_on(id, job)?;
        Self::free_worker(&who, |worker| {
            worker.place = Self::next_place()?;
            // What is said of the owner counts when another worker shows that it is not so, or owners of
            // junk could send every honest worker to rest; but whoever was wrong before rests for it.
            if !reason.is_owners() {
                worker.declines = worker.declines.saturating_add(1);
            }
            if let Some(doublings) = worker.declines.checked_sub(2) {
                let rest = FIRST_REST.saturating_mul(1u32.checked_shl(doublings.into()).unwrap_or(
                    // More doublings than the number has bits.
                    u32::MAX,
                ));
                let until = now.saturating_add(rest.min(LONGEST_REST));
                worker.rests_until = until;
                worker.paused = true;
                Self::deposit_event(Event::WorkerRests { worker: who.clone(), until });
            }
            Ok(())
        })
    }

    /// Who declined a job for a reason of the owner's side, which another worker has trained, was wrong.
    ///
    /// So says that worker, and an owner may have one of its own that alone can do what others rightly
    /// declined. So it counts for nothing if it is new or the owner itself, and once in a row: each further
    /// step towards a rest takes another worker with a bond and seniority.
    fn contradict(job: &JobOf<T>, trained_by: &T::AccountId) {
        if *trained_by == job.owner || !Self::has_seniority(trained_by) {
            return;
        }
        for who in job.blamed_by().filter(|who| Workers::<T>::contains_key(who)) {
            let mut by = Contradicted::<T>::get(who);
            // Who has been contradicted by as many as there is room for rests for as long as anybody.
            if by.contains(trained_by) || by.try_push(trained_by.clone()).is_err() {
                continue;
            }
            Contradicted::<T>::insert(who, by);
            Workers::<T>::mutate(who, |worker| {
                if let Some(worker) = worker {
                    worker.declines = worker.declines.saturating_add(1);
                }
            });
        }
    }

    pub(crate) fn do_heartbeat(
        who: T::AccountId,
        id: JobId,
        step: u32,
        total_steps: u32,
    ) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        let progress = (step, total_steps);
        job.heartbeat(&who, Self::now(), progress, &Self::windows()).map_err(Error::<T>::from)?;
        // The agenda stays as it is: a job that is not due when its entry comes up is entered again.
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobProgressed { job: id, step, total_steps });
        Ok(())
    }

    pub(crate) fn do_submit_result(
        who: T::AccountId,
        id: JobId,
        result: JobResult,
    ) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        let now = Self::now();
        let completes_at = now.saturating_add(T::ChallengeWindow::get());
        job.submit(&who, now, completes_at, result, &Self::windows()).map_err(Error::<T>::from)?;
        ensure_file::<T>(&result.content, &result.sha256, result.size)?;
        ensure!(
            result.dataset_root == dataset_root(&job.datasets),
            Error::<T>::DatasetRootMismatch
        );
        Self::contradict(&job, &who);
        Contradicted::<T>::remove(&who);
        Self::enter_agenda(id, &job);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::ResultSubmitted {
            job: id,
            worker: who.clone(),
            content: result.content,
            completes_at,
        });
        // Free for the next job at once; the counter keeps the bond until the window has passed.
        Self::free_worker(&who, |worker| {
            worker.open_results = worker.open_results.saturating_add(1);
            worker.declines = 0;
            worker.place = Self::next_place()?;
            Ok(())
        })
    }

    pub(crate) fn do_raise_price(
        who: T::AccountId,
        id: JobId,
        price_per_token: Balance,
    ) -> DispatchResult {
        let mut job = Self::own_job(&who, id)?;
        let before = job.clone();
        let more = job.raise(price_per_token).map_err(Error::<T>::from)?;
        Self::hold_budget(&who, more)?;
        let budget = job.budget;
        Self::deposit_event(Event::JobPriceRaised { job: id, price_per_token, budget });
        Self::unshelve_job(id, &before);
        Self::place_job(id, job)
    }

    pub(crate) fn do_extend_deadline(
        who: T::AccountId,
        id: JobId,
        deadline: BlockNumber,
    ) -> DispatchResult {
        let mut job = Self::own_job(&who, id)?;
        job.extend(deadline).map_err(Error::<T>::from)?;
        Self::ensure_not_too_far(deadline)?;
        Self::deposit_event(Event::JobDeadlineExtended { job: id, deadline });
        if matches!(job.state, JobState::Queued) {
            // Slower workers may fit it now.
            Self::unshelve_job(id, &job);
            return Self::place_job(id, job);
        }
        // The agenda's entry is early now and finds that out by itself.
        Jobs::<T>::insert(id, job);
        Ok(())
    }

    pub(crate) fn do_prune_job(who: T::AccountId, id: JobId) -> DispatchResult {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        ensure!(
            matches!(job.state, JobState::Failed(_) | JobState::Cancelled),
            Error::<T>::WrongState
        );
        let from = job.ended_at.saturating_add(T::PruneDelay::get());
        ensure!(who == job.owner || Self::now() >= from, Error::<T>::TooEarly);
        let reason = HoldReason::JobDeposit.into();
        T::Currency::release(&reason, &job.owner, job.deposit, Precision::Exact)?;
        Jobs::<T>::remove(id);
        Parents::<T>::remove(id);
        CreatedAt::<T>::remove(id);
        Disputes::<T>::remove(id);
        JobsOf::<T>::remove(&job.owner, SequenceKey::from(id));
        Self::forget_job_of_model(job.base);
        Self::deposit_event(Event::JobPruned { job: id, deposit: job.deposit });
        Ok(())
    }

    /// Gives a queued job that stands on no shelf to the best idle worker that fits it, or puts it on
    /// its shelves; stores it.
    pub(crate) fn place_job(id: JobId, mut job: JobOf<T>) -> DispatchResult {
        // Without a class nobody can keep the deadline any more, and the agenda is about to end it.
        let rate = Self::rate_for(&job);
        let found = rate.and_then(|rate| Self::worker_for(&job, rate));
        match found.and_then(|who| Workers::<T>::get(&who).map(|worker| (who, worker))) {
            Some((who, worker)) => {
                Self::unshelve_worker(&worker);
                Self::assign(id, &mut job, who, worker)?;
            }
            None => {
                Self::shelve_job(id, &job, rate.unwrap_or(RateClass::FASTEST));
                Self::enter_agenda(id, &job);
            }
        }
        Jobs::<T>::insert(id, job);
        Ok(())
    }

    /// What becomes of a job that a worker no longer has: it waits again at its place, or it has
    /// failed and its money goes back.
    pub(crate) fn go_on(id: JobId, mut job: JobOf<T>) -> DispatchResult {
        match job.state {
            JobState::Failed(failure) => {
                Self::refund(&job.owner, job.budget)?;
                // A result that was refuted was trained from what the owner named.
                if failure != JobFailure::Refuted {
                    Self::forfeit_deposit(id, &mut job);
                }
                Self::leave_agenda(id);
                Self::deposit_event(Event::JobFailed { job: id, failure, refund: job.budget });
                Jobs::<T>::insert(id, job);
                Ok(())
            }
            _ => {
                Self::deposit_event(Event::JobRequeued { job: id, attempts: job.attempts });
                Self::place_job(id, job)
            }
        }
    }

    /// Gives a queued job to an idle worker; both stand on no shelf. The worker is stored.
    pub(crate) fn assign(
        id: JobId,
        job: &mut JobOf<T>,
        who: T::AccountId,
        mut worker: Worker,
    ) -> DispatchResult {
        job.assign(who.clone(), worker.rate, Self::now(), &Self::windows())
            .map_err(Error::<T>::from)?;
        worker.job = Some(id);
        Self::end_search(&who);
        Workers::<T>::insert(&who, worker);
        Self::enter_agenda(id, job);
        if let JobState::Assigned { assignment, take_by } = &job.state {
            let (price, take_by) = (assignment.price, *take_by);
            Self::deposit_event(Event::JobAssigned { job: id, worker: who, price, take_by });
        }
        Ok(())
    }

    /// Pays a worker from a job's budget.
    pub(crate) fn pay(
        owner: &T::AccountId,
        worker: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        if amount > 0 {
            T::Currency::transfer_on_hold(
                &HoldReason::JobBudget.into(),
                owner,
                worker,
                amount,
                Precision::Exact,
                Restriction::Free,
                // What the owner has frozen elsewhere must not keep the worker from its pay.
                Fortitude::Force,
            )?;
        }
        Ok(())
    }

    pub(crate) fn refund(owner: &T::AccountId, amount: Balance) -> DispatchResult {
        if amount > 0 {
            T::Currency::release(&HoldReason::JobBudget.into(), owner, amount, Precision::Exact)?;
        }
        Ok(())
    }

    /// Moves what an owner loses of the deposit of a job that ended without a result to the penalty
    /// account, and leaves it where it is if that account cannot be.
    fn forfeit_deposit(id: JobId, job: &mut JobOf<T>) {
        let blame = job.blame(Self::has_seniority);
        if blame == 0 {
            return;
        }
        let amount = Self::forfeit(HoldReason::JobDeposit, &job.owner, blame);
        job.deposit = job.deposit.saturating_sub(amount);
        Self::deposit_event(Event::DepositForfeited { job: id, amount });
    }

    /// Moves what is held of an account to the penalty account. Returns how much it was.
    pub(crate) fn forfeit(reason: HoldReason, who: &T::AccountId, amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        // Only a penalty account that cannot exist makes this fail; then the account keeps what it
        // has, and the job goes on all the same.
        with_storage_layer(|| {
            T::Currency::transfer_on_hold(
                &reason.into(),
                who,
                &T::PenaltyAccount::get(),
                amount,
                Precision::BestEffort,
                Restriction::Free,
                Fortitude::Force,
            )
        })
        .unwrap_or(0)
    }

    /// The slowest class of workers that can still keep a job's deadline.
    pub(crate) fn rate_for(job: &JobOf<T>) -> Option<RateClass> {
        Self::windows().slowest(job.token_ceiling, Self::now(), job.deadline)
    }

    fn own_job(who: &T::AccountId, id: JobId) -> Result<JobOf<T>, Error<T>> {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        ensure!(job.owner == *who, Error::<T>::NotTheOwner);
        Ok(job)
    }

    fn ensure_not_too_far(deadline: BlockNumber) -> Result<(), Error<T>> {
        let last = Self::now().saturating_add(T::MaxJobBlocks::get());
        ensure!(deadline <= last, Error::<T>::DeadlineTooFar);
        Ok(())
    }
}

/// Whether an adapter can be trained further on a base model with these settings.
fn ensure_parent<T: Config>(
    parent: JobId,
    base: BaseModelId,
    spec: &TrainingSpec,
) -> Result<(), Error<T>> {
    ensure!(Adapters::<T>::contains_key(parent), Error::<T>::UnknownParent);
    // An adapter's job is kept; its settings are those the adapter has.
    let job = Jobs::<T>::get(parent).ok_or(Error::<T>::UnknownParent)?;
    ensure!(job.base == base, Error::<T>::ParentBaseModel);
    match spec.unlike_parent(&job.spec) {
        None => Ok(()),
        Some(SpecField::LoraR) => Err(Error::<T>::ParentLoraR),
        Some(SpecField::LoraAlpha) => Err(Error::<T>::ParentLoraAlpha),
        Some(_) => Err(Error::<T>::ParentTargetModules),
    }
}
