//! What the benchmarks run on: workers on as many shelves as there may be, jobs in each state, disputes.

use crate::*;
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::ConstU32,
    traits::{
        fungible::{hold::Mutate as _, Mutate},
        Get,
    },
    BoundedVec,
};
use openledger_primitives::{
    job::{
        dispute::{finding_commitment, Dispute, Finding, Verifier, DRAWN},
        Assignment, Datasets, DeclineReason, Refused, MAX_DATASETS, MAX_REFUSED,
    },
    leaf::{dataset_root, DatasetRef},
    market::MAX_MODELS,
    traits::BenchmarkSetup,
    Balance, BaseModelId, BlockNumber, ContentId, Job, JobId, JobKind, JobResult, JobState, Method,
    ModelFamily, RateClass, ReviewPolicy, Salt, Serves, SizeClass, TrainingSpec, OPEN,
};
use sp_core::H256;
use sp_runtime::DispatchError;

/// A block late enough for anything to lie behind.
pub(super) const NOW: BlockNumber = 10_000_000;
/// When jobs have to be done.
pub(super) const DEADLINE: BlockNumber = NOW + 10_000;
/// Tokens of a job.
pub(super) const TOKENS: u64 = 1_000_000;
/// Plancks a token.
pub(super) const PRICE: Balance = OPEN / 100_000;
/// What commitments are opened with.
pub(super) const SALT: Salt = [7; 32];
/// Leaves of a version: as many peaks as there are bits.
pub(super) const LEAVES: u64 = (1 << 32) - 1;

pub(super) fn rich<T: Config>(name: &'static str, n: u32) -> T::AccountId {
    let who: T::AccountId = account(name, n, 0);
    T::Currency::set_balance(&who, 1_000_000 * OPEN);
    who
}

pub(super) fn hold<T: Config>(
    reason: HoldReason,
    who: &T::AccountId,
    amount: Balance,
) -> Result<(), BenchmarkError> {
    T::Currency::hold(&reason.into(), who, amount)?;
    Ok(())
}

pub(super) fn text<S: Get<u32>>() -> BoundedVec<u8, S> {
    BoundedVec::truncate_from(vec![b't'; S::get() as usize])
}

pub(super) fn files() -> ModelFiles {
    ModelFiles {
        weights: ContentId::raw([1; 32]),
        weights_sha256: [1; 32],
        weights_size: 1 << 30,
        tokenizer: Some(ContentId::raw([2; 32])),
        config: Some(ContentId::raw([3; 32])),
    }
}

/// Base models, as many as a worker may name.
pub(super) fn models<T: Config>() -> Vec<BaseModelId> {
    frame_system::Pallet::<T>::set_block_number(NOW.into());
    let registrar = rich::<T>("registrar", 0);
    let model = |base| {
        let model = BaseModel {
            registrar: registrar.clone(),
            family: ModelFamily::Llama,
            name: text(),
            files: files(),
            licence: text(),
            deposit: 0,
            retired: false,
            jobs: 1,
        };
        BaseModels::<T>::insert(base, model);
        base
    };
    let all = (0..MAX_MODELS).map(model).collect();
    NextBaseModel::<T>::put(MAX_MODELS);
    NextPlace::<T>::put(1_000_000);
    all
}

pub(super) fn kinds(count: u32) -> Kinds {
    Kinds::truncate_from(JobKind::all().take(count as usize).collect())
}

/// A worker's kinds that give it the most shelves: both methods of the family of all models.
pub(super) const KINDS: u32 = 2;

/// A worker's opt-in to as many models as it may name, from this one on.
pub(super) fn opt_in(first: BaseModelId) -> OptIn {
    let models = (0..MAX_MODELS).map(|n| (first + n, ModelFamily::Llama)).collect();
    OptIn::Models(BoundedVec::truncate_from(models))
}

/// A worker that stands on as many shelves as it can and in as many sets of verifiers, unless it is paused.
pub(super) fn worker<T: Config>(n: u32, paused: bool) -> Result<T::AccountId, BenchmarkError> {
    worker_of::<T>(n, paused, 0)
}

pub(super) fn worker_of<T: Config>(
    n: u32,
    paused: bool,
    first: BaseModelId,
) -> Result<T::AccountId, BenchmarkError> {
    let who = rich::<T>("worker", n);
    let bond = T::WorkerBond::get();
    hold::<T>(HoldReason::WorkerBond, &who, bond)?;
    let worker = Worker {
        bond,
        kinds: kinds(KINDS),
        price_per_token: 0,
        endpoint: text(),
        job: None,
        paused,
        open_results: 1,
        opt_in: opt_in(first),
        rate: RateClass::FASTEST,
        place: n.into(),
        lost: 0,
        declines: 0,
        rests_until: 0,
        raise: None,
    };
    Pallet::<T>::update_verifier(&who, None, Some(&worker));
    if !paused {
        Pallet::<T>::shelve_worker(&who, &worker);
    }
    Workers::<T>::insert(&who, worker);
    Ok(who)
}

/// The worker is idle no longer: it stands on no shelf, and has this job or is paused.
pub(super) fn busy<T: Config>(who: &T::AccountId, job: Option<JobId>) {
    Workers::<T>::mutate(who, |worker| {
        if let Some(worker) = worker {
            Pallet::<T>::unshelve_worker(worker);
            worker.job = job;
            worker.paused = job.is_none();
        }
    });
}

/// Workers that declined a job for a reason of its owner's side, as many as it remembers but two: they have seniority,
/// are idle, and stand before whoever else could take it. One that it is given to and that gives it up is not the last.
pub(super) fn refusers<T: Config>() -> Result<Vec<Refused<T::AccountId>>, BenchmarkError> {
    let mut all = Vec::new();
    for n in 0..MAX_REFUSED.saturating_sub(2) {
        let worker = worker::<T>(1_000 + n, false)?;
        all.push(Refused { worker, reason: Some(DeclineReason::Unusable) });
    }
    Ok(all)
}

pub(super) fn version<T: Config>(n: u32) -> DatasetRef {
    let owner = rich::<T>("datanet", n);
    let datanet = T::BenchmarkHelper::datanet(&owner, ReviewPolicy::Committee { own_seats: false });
    DatasetRef { datanet, version: T::BenchmarkHelper::set_leaves(datanet, LEAVES) }
}

pub(super) fn datasets<T: Config>(count: u32) -> Datasets {
    Datasets::truncate_from((0..count).map(version::<T>).collect())
}

/// A job of as many Datanets as there may be, with its money held.
pub(super) fn job<T: Config>(id: JobId) -> Result<Job<T::AccountId>, BenchmarkError> {
    let owner = rich::<T>("owner", id as u32);
    let budget = PRICE.saturating_mul(TOKENS.into());
    let deposit = T::JobDeposit::get();
    hold::<T>(HoldReason::JobBudget, &owner, budget)?;
    hold::<T>(HoldReason::JobDeposit, &owner, deposit)?;
    NextJob::<T>::mutate(|next| *next = id.saturating_add(1).max(*next));
    JobsOf::<T>::insert(&owner, SequenceKey::from(id), ());
    CreatedAt::<T>::insert(id, 1);
    Parents::<T>::insert(id, 0);
    Ok(Job {
        owner,
        base: 0,
        size: SizeClass::of(1 << 30),
        kind: JobKind { family: ModelFamily::Llama, method: Method::Lora },
        datasets: Datasets::truncate_from(
            (0..MAX_DATASETS)
                .map(|datanet| DatasetRef { datanet, version: Default::default() })
                .collect(),
        ),
        spec: TrainingSpec::default(),
        token_ceiling: TOKENS,
        price_per_token: PRICE,
        budget,
        deposit,
        deadline: DEADLINE,
        attempts: 0,
        refused: Default::default(),
        sequence: id,
        state: JobState::Queued,
        ended_at: 0,
    })
}

/// A job that waits: it stands on its shelves and on the agenda.
pub(super) fn queued<T: Config>(id: JobId) -> Result<Job<T::AccountId>, BenchmarkError> {
    let job = job::<T>(id)?;
    Pallet::<T>::shelve_job(id, &job, RateClass::default());
    Pallet::<T>::enter_agenda(id, &job);
    Jobs::<T>::insert(id, &job);
    Ok(job)
}

/// Jobs that wait and that a worker has declined before: as many as it passes over in one go, and one more.
pub(super) fn declined_jobs<T: Config>(who: &T::AccountId) -> Result<(), BenchmarkError> {
    for n in 0..=JOBS_TRIED {
        let id = JobId::from(10_000 + n);
        let mut job = job::<T>(id)?;
        job.refused =
            BoundedVec::truncate_from(vec![Refused { worker: who.clone(), reason: None }]);
        Pallet::<T>::shelve_job(id, &job, RateClass::default());
        Jobs::<T>::insert(id, job);
    }
    Ok(())
}

pub(super) fn assignment<T: Config>(who: &T::AccountId) -> Assignment<T::AccountId> {
    let price = PRICE.saturating_mul(TOKENS.into());
    Assignment { worker: who.clone(), price, rate: RateClass::FASTEST }
}

pub(super) fn result<T: Config>(job: &Job<T::AccountId>) -> JobResult {
    JobResult {
        content: ContentId::raw([4; 32]),
        sha256: [4; 32],
        size: 1 << 20,
        eval_loss_before: 2,
        eval_loss_after: 1,
        tokens: TOKENS,
        dataset_root: dataset_root(&job.datasets),
        checkpoints_root: H256::repeat_byte(5),
        influence_root: H256::repeat_byte(6),
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Life {
    Assigned,
    Training,
    Submitted,
}

/// A job that a worker has, which others declined before; behind it wait jobs that the worker declined.
pub(super) fn given<T: Config>(
    id: JobId,
    n: u32,
    life: Life,
) -> Result<T::AccountId, BenchmarkError> {
    models::<T>();
    let who = worker::<T>(n, false)?;
    let mut job = job::<T>(id)?;
    let assignment = assignment::<T>(&who);
    job.state = match life {
        Life::Assigned => JobState::Assigned { assignment, take_by: NOW.saturating_add(20) },
        Life::Training => JobState::Training {
            assignment,
            heartbeat_by: NOW.saturating_add(60),
            step: 1,
            total_steps: 10,
            taken_at: NOW.saturating_sub(1),
            progressed_at: NOW,
        },
        Life::Submitted => JobState::Submitted {
            assignment,
            result: result::<T>(&job),
            completes_at: NOW.saturating_add(10),
        },
    };
    busy::<T>(&who, (life != Life::Submitted).then_some(id));
    Pallet::<T>::enter_agenda(id, &job);
    Jobs::<T>::insert(id, job);
    Ok(who)
}

pub(super) fn refuse<T: Config>(id: JobId) -> Result<(), BenchmarkError> {
    let refused = BoundedVec::truncate_from(refusers::<T>()?);
    Jobs::<T>::mutate(id, |job| {
        if let Some(job) = job {
            job.refused = refused;
        }
    });
    Ok(())
}

pub(super) fn owner_of<T: Config>(id: JobId) -> T::AccountId {
    account("owner", id as u32, 0)
}

/// A result that is in dispute, and the three workers that were drawn; they are drawn for nothing else.
pub(super) fn disputed<T: Config>(id: JobId) -> Result<Vec<T::AccountId>, BenchmarkError> {
    let who = given::<T>(id, 100 * id as u32, Life::Submitted)?;
    let disputer = rich::<T>("disputer", id as u32);
    let bond = T::DisputeBond::get();
    hold::<T>(HoldReason::DisputeBond, &disputer, bond)?;
    Workers::<T>::mutate(&who, |worker| {
        if let Some(worker) = worker {
            worker.paused = false;
            Pallet::<T>::shelve_worker(&who, worker);
        }
    });
    let mut drawn = Vec::new();
    for n in 1..=DRAWN {
        let who = worker::<T>(100 * id as u32 + n, false)?;
        let duties = BoundedVec::truncate_from(vec![id]);
        Duties::<T>::insert(&who, duties);
        drawn.push(who);
    }
    let mut dispute = Dispute::open(disputer, bond, NOW.saturating_sub(10));
    let verifier = |worker: &T::AccountId| Verifier {
        worker: worker.clone(),
        commitment: None,
        finding: None,
    };
    dispute.drawn = BoundedVec::truncate_from(drawn.iter().map(verifier).collect());
    dispute.commit_by = NOW.saturating_add(10);
    dispute.reveal_by = NOW.saturating_add(20);
    Jobs::<T>::mutate(id, |job| {
        if let Some(job) = job {
            Pallet::<T>::leave_agenda(id);
            let (assignment, result) = (assignment::<T>(&who), result::<T>(job));
            job.state = JobState::Disputed { assignment, result };
        }
    });
    Disputes::<T>::insert(id, &dispute);
    if let Some(job) = Jobs::<T>::get(id) {
        Pallet::<T>::enter_agenda(id, &job);
    }
    Ok(drawn)
}

/// Has the workers that were drawn show what they found, but for the last one.
pub(super) fn found<T: Config>(id: JobId, finding: Finding) {
    Disputes::<T>::mutate(id, |dispute| {
        if let Some(dispute) = dispute {
            dispute.commit_by = NOW.saturating_sub(2);
            dispute.reveal_by = NOW.saturating_sub(1);
            for (n, verifier) in dispute.drawn.iter_mut().enumerate() {
                let hash = finding_commitment(id, &verifier.worker, finding, &SALT);
                verifier.commitment = Some(hash);
                verifier.finding = (n < 2).then_some(finding);
            }
        }
    });
    due_now::<T>(id);
}

/// Puts a job where this block looks for what is due.
pub(super) fn due_now<T: Config>(id: JobId) {
    Pallet::<T>::leave_agenda(id);
    let Some(job) = Jobs::<T>::get(id) else { return };
    match job.state {
        JobState::Submitted { .. } => Payments::<T>::insert(NOW, id, ()),
        JobState::Disputed { .. } => DisputeAgenda::<T>::insert(NOW, id, ()),
        _ => Agenda::<T>::insert(NOW, id, ()),
    }
    AgendaOf::<T>::insert(id, NOW);
    PaymentCursor::<T>::put(NOW);
    DisputeCursor::<T>::put(NOW);
    AgendaCursor::<T>::put(NOW);
}

/// Lets a worker's search go on behind a place.
pub(super) fn search_from<T: Config>(
    who: &T::AccountId,
    price: Balance,
    sequence: u64,
) -> Result<(), BenchmarkError> {
    let behind = OfferKey::new(price, sequence);
    Pallet::<T>::search_on(who, behind).map_err(DispatchError::from)?;
    Ok(())
}

/// Nothing was due before this block.
pub(super) fn idle<T: Config>() {
    frame_system::Pallet::<T>::set_block_number(NOW.into());
    PaymentCursor::<T>::put(NOW);
    DisputeCursor::<T>::put(NOW);
    AgendaCursor::<T>::put(NOW);
}

pub(super) type Served = BoundedVec<BaseModelId, ConstU32<MAX_MODELS>>;

pub(super) fn serves<T: Config>() -> Serves {
    Serves::Models(Served::truncate_from(models::<T>()))
}
