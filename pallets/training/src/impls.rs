//! What the calls and the reads do, and the bookkeeping of queues and agenda that they share with
//! the work at the start of a block.

use crate::{
    types::JobOffer, Adapters, Agenda, AgendaOf, BaseModel, BaseModels, Config, Endpoint, Error,
    Event, HoldReason, IdlePrices, IdleWorkers, Jobs, Kinds, ModelFiles, NextBaseModel, NextJob,
    NextPlace, Pallet, Parents, Places, PriceKey, Queue, SequenceKey, ShortText, Worker, Workers,
};
use alloc::vec::Vec;
use frame_support::{
    pallet_prelude::*,
    traits::{fungible::hold::Mutate, tokens::Precision},
};
use openledger_primitives::{
    api::WorkerView,
    job::JobError,
    leaf::dataset_root,
    text::{self, TextError},
    training::{SpecError, SpecField},
    traits::DatasetVersions,
    Adapter, Balance, BaseModelId, BlockNumber, ContentCodec, ContentId, FileHash, Job, JobId,
    JobKind, JobResult, JobState, ModelFamily, TrainingSpec,
};
use sp_runtime::traits::SaturatedConversion;

/// Most jobs of one page.
pub const MAX_PAGE: u32 = 100;

/// A job of the runtime's accounts.
pub(crate) type JobOf<T> = Job<<T as frame_system::Config>::AccountId>;

impl<T> From<JobError> for Error<T> {
    fn from(error: JobError) -> Self {
        match error {
            JobError::WrongState => Self::WrongState,
            JobError::NotTheWorker => Self::NotTheWorker,
            JobError::TooLate => Self::TooLate,
            JobError::AboveBudget => Self::AboveBudget,
        }
    }
}

impl<T> From<SpecError> for Error<T> {
    fn from(error: SpecError) -> Self {
        match error.field {
            SpecField::LoraR => Self::LoraR,
            SpecField::LoraAlpha => Self::LoraAlpha,
            SpecField::LoraDropoutBp => Self::LoraDropoutBp,
            SpecField::TargetModules => Self::TargetModules,
            SpecField::LearningRateNano => Self::LearningRateNano,
            SpecField::WarmupRatioBp => Self::WarmupRatioBp,
            SpecField::PerDeviceTrainBatchSize => Self::PerDeviceTrainBatchSize,
            SpecField::GradientAccumulationSteps => Self::GradientAccumulationSteps,
            SpecField::NumTrainEpochs => Self::NumTrainEpochs,
            SpecField::MaxSeqLength => Self::MaxSeqLength,
            SpecField::WeightDecayMicro => Self::WeightDecayMicro,
            SpecField::MaxGradNormMilli => Self::MaxGradNormMilli,
            SpecField::EvalFractionBp => Self::EvalFractionBp,
        }
    }
}

/// Reads, as the runtime API `TrainingApi` answers them.
impl<T: Config> Pallet<T> {
    /// A job.
    pub fn job(job: JobId) -> Option<JobOf<T>> {
        Jobs::<T>::get(job)
    }

    /// At most `limit` (and 100) jobs from number `start` on.
    pub fn jobs(start: JobId, limit: u32) -> Vec<(JobId, JobOf<T>)> {
        let end = start.saturating_add(limit.min(MAX_PAGE).into()).min(NextJob::<T>::get());
        (start..end).filter_map(|id| Jobs::<T>::get(id).map(|job| (id, job))).collect()
    }

    /// An adapter.
    pub fn adapter(job: JobId) -> Option<Adapter<T::AccountId>> {
        Adapters::<T>::get(job)
    }

    /// Of at most `limit` (and 100) jobs from number `start` on, those that train an adapter further,
    /// each with that adapter.
    pub fn parents(start: JobId, limit: u32) -> Vec<(JobId, JobId)> {
        let end = start.saturating_add(limit.min(MAX_PAGE).into()).min(NextJob::<T>::get());
        (start..end).filter_map(|id| Parents::<T>::get(id).map(|parent| (id, parent))).collect()
    }

    /// The adapters from which a job's adapter comes, the nearest first: at most `limit` (and 100) of
    /// them; those of the last one go on where they end.
    pub fn ancestry(job: JobId, limit: u32) -> Vec<JobId> {
        let parent = |id: &JobId| Parents::<T>::get(id);
        core::iter::successors(parent(&job), parent).take(limit.min(MAX_PAGE) as usize).collect()
    }

    /// A worker.
    pub fn worker(account: T::AccountId) -> Option<WorkerView<T::AccountId>> {
        let Worker { bond, kinds, price_per_token, endpoint, job, paused, .. } =
            Workers::<T>::get(&account)?;
        Some(WorkerView {
            account,
            kinds: kinds.into_inner(),
            price_per_token,
            bond,
            endpoint: endpoint.into_inner(),
            job,
            paused,
        })
    }
}

/// Base models and workers.
impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_base_model(
        registrar: T::AccountId,
        family: ModelFamily,
        name: ShortText,
        files: ModelFiles,
        licence: ShortText,
    ) -> DispatchResult {
        text::check(&name).map_err(|error| text_error::<T>(error, Error::EmptyName))?;
        text::check(&licence).map_err(|error| text_error::<T>(error, Error::EmptyLicence))?;
        ensure_file::<T>(&files.weights, &files.weights_sha256, files.weights_size)?;
        let deposit = T::BaseModelDeposit::get();
        T::Currency::hold(&HoldReason::BaseModelDeposit.into(), &registrar, deposit)?;
        let base = NextBaseModel::<T>::get();
        NextBaseModel::<T>::put(base.checked_add(1).ok_or(Error::<T>::Overflow)?);
        let model =
            BaseModel { registrar: registrar.clone(), family, name, files, licence, deposit };
        BaseModels::<T>::insert(base, model);
        Self::deposit_event(Event::BaseModelRegistered { base, registrar });
        Ok(())
    }

    pub(crate) fn do_register_worker(
        who: T::AccountId,
        kinds: Kinds,
        price_per_token: Balance,
        endpoint: Endpoint,
    ) -> DispatchResult {
        ensure!(!Workers::<T>::contains_key(&who), Error::<T>::AlreadyAWorker);
        ensure_kinds::<T>(&kinds)?;
        ensure_endpoint::<T>(&endpoint)?;
        let bond = T::WorkerBond::get();
        T::Currency::hold(&HoldReason::WorkerBond.into(), &who, bond)?;
        let mut worker = Worker {
            bond,
            kinds,
            price_per_token,
            endpoint,
            job: None,
            idle: None,
            paused: false,
            open_results: 0,
        };
        Self::enter_idle(&who, &mut worker)?;
        Workers::<T>::insert(&who, worker);
        Self::deposit_event(Event::WorkerRegistered { worker: who, price_per_token });
        Ok(())
    }

    pub(crate) fn do_update_worker(
        who: T::AccountId,
        kinds: Kinds,
        price_per_token: Balance,
        endpoint: Endpoint,
    ) -> DispatchResult {
        let mut worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotAWorker)?;
        ensure_kinds::<T>(&kinds)?;
        ensure_endpoint::<T>(&endpoint)?;
        let place = worker.idle;
        Self::leave_idle(&mut worker);
        worker.kinds = kinds;
        worker.price_per_token = price_per_token;
        worker.endpoint = endpoint;
        if let Some(place) = place {
            Self::enter_idle_at(&who, &mut worker, place);
        }
        Workers::<T>::insert(&who, worker);
        Self::deposit_event(Event::WorkerUpdated { worker: who, price_per_token });
        Ok(())
    }

    pub(crate) fn do_pause(who: T::AccountId) -> DispatchResult {
        let mut worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotAWorker)?;
        ensure!(!worker.paused, Error::<T>::AlreadyPaused);
        Self::leave_idle(&mut worker);
        worker.paused = true;
        Workers::<T>::insert(&who, worker);
        Self::deposit_event(Event::WorkerPaused { worker: who });
        Ok(())
    }

    pub(crate) fn do_resume(who: T::AccountId) -> DispatchResult {
        let mut worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotAWorker)?;
        ensure!(worker.paused, Error::<T>::NotPaused);
        // A worker without a stake could let jobs time out for nothing.
        let missing = T::WorkerBond::get().saturating_sub(worker.bond);
        T::Currency::hold(&HoldReason::WorkerBond.into(), &who, missing)?;
        worker.bond = worker.bond.checked_add(missing).ok_or(Error::<T>::Overflow)?;
        worker.paused = false;
        Self::enter_idle(&who, &mut worker)?;
        Workers::<T>::insert(&who, worker);
        Self::deposit_event(Event::WorkerResumed { worker: who });
        Ok(())
    }

    pub(crate) fn do_deregister_worker(who: T::AccountId) -> DispatchResult {
        let mut worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotAWorker)?;
        ensure!(worker.job.is_none(), Error::<T>::WorkerHasJob);
        ensure!(worker.open_results == 0, Error::<T>::WorkerHasOpenResults);
        Self::leave_idle(&mut worker);
        let bond = worker.bond;
        T::Currency::release(&HoldReason::WorkerBond.into(), &who, bond, Precision::Exact)?;
        Workers::<T>::remove(&who);
        Self::deposit_event(Event::WorkerDeregistered { worker: who, bond });
        Ok(())
    }
}

/// Jobs.
impl<T: Config> Pallet<T> {
    pub(crate) fn do_create_job(owner: T::AccountId, offer: JobOffer) -> DispatchResult {
        let JobOffer { parent, base, datasets, spec, token_ceiling, budget, deadline } = offer;
        let family = BaseModels::<T>::get(base).ok_or(Error::<T>::UnknownBaseModel)?.family;
        spec.validate().map_err(Error::<T>::from)?;
        ensure!(token_ceiling > 0, Error::<T>::ZeroTokenCeiling);
        ensure!(budget >= T::MinimumBudget::get(), Error::<T>::BelowMinimumBudget);
        let now = Self::now();
        ensure!(deadline > now, Error::<T>::DeadlinePassed);
        let last = now.saturating_add(T::MaxJobBlocks::get());
        ensure!(deadline <= last, Error::<T>::DeadlineTooFar);

        ensure!(!datasets.is_empty(), Error::<T>::NoDatasets);
        for (n, dataset) in datasets.iter().enumerate() {
            let repeated = datasets.iter().take(n).any(|other| other.datanet == dataset.datanet);
            ensure!(!repeated, Error::<T>::RepeatedDatanet);
            ensure!(dataset.version.leaves > 0, Error::<T>::EmptyVersion);
            let known = T::Datasets::version_at(dataset.datanet, dataset.version.leaves);
            ensure!(known == Some(dataset.version), Error::<T>::UnknownVersion);
            let revoked = T::Datasets::holds_revoked(dataset.datanet, dataset.version.leaves);
            ensure!(!revoked, Error::<T>::RevokedLeaf);
        }
        if let Some(parent) = parent {
            ensure_parent::<T>(parent, base, &spec)?;
        }

        T::Currency::hold(&HoldReason::JobBudget.into(), &owner, budget)?;
        let id = NextJob::<T>::get();
        NextJob::<T>::put(id.checked_add(1).ok_or(Error::<T>::Overflow)?);
        let job = Job {
            owner: owner.clone(),
            base,
            kind: JobKind { family, method: spec.method },
            datasets,
            spec,
            token_ceiling,
            budget,
            deadline,
            attempts: 0,
            state: JobState::Queued,
        };
        Self::enqueue(id, job.kind)?;
        Self::enter_agenda(id, &job);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobCreated { job: id, owner, budget });
        if let Some(parent) = parent {
            Parents::<T>::insert(id, parent);
            Self::deposit_event(Event::ParentNamed { job: id, parent });
        }
        Ok(())
    }

    pub(crate) fn do_cancel_job(who: T::AccountId, id: JobId) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        ensure!(job.owner == who, Error::<T>::NotTheOwner);
        match job.cancel().map_err(Error::<T>::from)? {
            Some(worker) => Self::free_worker(&worker, |_| ())?,
            None => Self::dequeue(id, job.kind),
        }
        let refund = job.budget;
        T::Currency::release(&HoldReason::JobBudget.into(), &who, refund, Precision::Exact)?;
        Self::leave_agenda(id);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobCancelled { job: id, refund });
        Ok(())
    }

    pub(crate) fn do_take(who: T::AccountId, id: JobId) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        let now = Self::now();
        job.take(&who, now, now.saturating_add(T::HeartbeatWindow::get()))
            .map_err(Error::<T>::from)?;
        Self::enter_agenda(id, &job);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobTaken { job: id, worker: who });
        Ok(())
    }

    pub(crate) fn do_heartbeat(
        who: T::AccountId,
        id: JobId,
        step: u32,
        total_steps: u32,
    ) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        let now = Self::now();
        let next = now.saturating_add(T::HeartbeatWindow::get());
        job.heartbeat(&who, now, next, (step, total_steps)).map_err(Error::<T>::from)?;
        ensure!(step <= total_steps, Error::<T>::StepBeyondTotal);
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
        job.submit(&who, now, completes_at, result).map_err(Error::<T>::from)?;
        ensure_file::<T>(&result.content, &result.sha256, result.size)?;
        ensure!(
            result.dataset_root == dataset_root(&job.datasets),
            Error::<T>::DatasetRootMismatch
        );
        // Free for the next job at once; the counter keeps the bond until the window has passed.
        Self::free_worker(&who, |worker| {
            worker.open_results = worker.open_results.saturating_add(1);
        })?;
        Self::enter_agenda(id, &job);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::ResultSubmitted {
            job: id,
            worker: who,
            content: result.content,
            completes_at,
        });
        Ok(())
    }
}

/// Queues and agenda.
impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    fn next_place() -> Result<u64, Error<T>> {
        let place = NextPlace::<T>::get();
        NextPlace::<T>::put(place.checked_add(1).ok_or(Error::<T>::Overflow)?);
        Ok(place)
    }

    /// Puts a worker at the end of the idle queues of its kinds. The caller stores it.
    pub(crate) fn enter_idle(who: &T::AccountId, worker: &mut Worker) -> Result<(), Error<T>> {
        // A paused worker, and one that has a job, is not idle.
        if !worker.paused && worker.job.is_none() && worker.idle.is_none() {
            let place = Self::next_place()?;
            Self::enter_idle_at(who, worker, place);
        }
        Ok(())
    }

    fn enter_idle_at(who: &T::AccountId, worker: &mut Worker, place: u64) {
        let price = PriceKey::new(worker.price_per_token, place);
        for kind in &worker.kinds {
            IdleWorkers::<T>::insert(kind, SequenceKey::from(place), who);
            IdlePrices::<T>::insert(kind, price, who);
        }
        worker.idle = Some(place);
    }

    /// Takes a worker out of the idle queues. The caller stores it.
    pub(crate) fn leave_idle(worker: &mut Worker) {
        let Some(place) = worker.idle.take() else { return };
        let price = PriceKey::new(worker.price_per_token, place);
        for kind in &worker.kinds {
            IdleWorkers::<T>::remove(kind, SequenceKey::from(place));
            IdlePrices::<T>::remove(kind, price);
        }
    }

    /// Takes a worker's job from it, lets `change` note why, and puts it among the idle unless it is
    /// paused.
    pub(crate) fn free_worker(
        who: &T::AccountId,
        change: impl FnOnce(&mut Worker),
    ) -> Result<(), Error<T>> {
        let mut worker = Workers::<T>::get(who).ok_or(Error::<T>::NotAWorker)?;
        worker.job = None;
        change(&mut worker);
        Self::enter_idle(who, &mut worker)?;
        Workers::<T>::insert(who, worker);
        Ok(())
    }

    /// Puts a job at the end of the queue of its kind.
    pub(crate) fn enqueue(id: JobId, kind: JobKind) -> Result<(), Error<T>> {
        let place = Self::next_place()?;
        Queue::<T>::insert(kind, SequenceKey::from(place), id);
        Places::<T>::insert(id, place);
        Ok(())
    }

    /// Takes a job out of the queue of its kind.
    pub(crate) fn dequeue(id: JobId, kind: JobKind) {
        if let Some(place) = Places::<T>::take(id) {
            Queue::<T>::remove(kind, SequenceKey::from(place));
        }
    }

    /// Sees to it that a job is looked at no later than it has to be. An earlier entry stays.
    pub(crate) fn enter_agenda(id: JobId, job: &JobOf<T>) {
        if let Some(at) = looked_at(job) {
            Self::enter_agenda_at(id, at);
        }
    }

    /// Sees to it that a job is looked at no later than in block `at`.
    pub(crate) fn enter_agenda_at(id: JobId, at: BlockNumber) {
        // This block's agenda has been worked off.
        let at = at.max(Self::now().saturating_add(1));
        match AgendaOf::<T>::get(id) {
            Some(earlier) if earlier <= at => return,
            Some(later) => Agenda::<T>::remove(later, id),
            None => (),
        }
        Agenda::<T>::insert(at, id, ());
        AgendaOf::<T>::insert(id, at);
    }

    /// Takes a job off the agenda.
    pub(crate) fn leave_agenda(id: JobId) {
        if let Some(at) = AgendaOf::<T>::take(id) {
            Agenda::<T>::remove(at, id);
        }
    }
}

/// The first block in which something is to be done about a job; `None` if it is over.
pub(crate) fn looked_at<AccountId: Clone + PartialEq>(job: &Job<AccountId>) -> Option<BlockNumber> {
    match job.state {
        JobState::Submitted { completes_at, .. } => Some(completes_at),
        // Until the end of the block in which it is due, a job may still move on by itself.
        _ => job.due().map(|due| due.saturating_add(1)),
    }
}

fn text_error<T: Config>(error: TextError, blank: Error<T>) -> Error<T> {
    match error {
        TextError::NotUtf8 => Error::NotUtf8,
        TextError::Blank => blank,
        TextError::Forbidden { .. } => Error::HiddenCharacter,
    }
}

/// An endpoint may be left out.
fn ensure_endpoint<T: Config>(endpoint: &[u8]) -> Result<(), Error<T>> {
    let checked = text::check_optional(endpoint).map(drop);
    checked.map_err(|error| text_error(error, Error::HiddenCharacter))
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

fn ensure_kinds<T: Config>(kinds: &Kinds) -> Result<(), Error<T>> {
    ensure!(!kinds.is_empty(), Error::<T>::NoKinds);
    for (n, kind) in kinds.iter().enumerate() {
        ensure!(!kinds.iter().take(n).any(|other| other == kind), Error::<T>::RepeatedKind);
    }
    Ok(())
}

fn ensure_file<T: Config>(
    content: &ContentId,
    sha256: &FileHash,
    size: u64,
) -> Result<(), Error<T>> {
    ensure!(size > 0, Error::<T>::EmptyFile);
    // Of a raw block the content id says what the file's hash is.
    let agrees = content.codec() != ContentCodec::Raw || content.digest() == sha256;
    ensure!(agrees, Error::<T>::DigestMismatch);
    Ok(())
}
