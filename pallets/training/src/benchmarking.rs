//! What the calls and the work at the start of a block cost, measured: workers stand on as many shelves as they can,
//! and whoever looks for somebody passes over as many as it may.

// What is set up is small, and what goes wrong here stops a benchmark and no chain.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use super::*;
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
use frame_system::RawOrigin;
use openledger_primitives::{
    job::{
        dispute::{finding_commitment, Dispute, Finding, Verifier, DRAWN},
        Assignment, Datasets, DeclineReason, Refused, MAX_DATASETS, MAX_REFUSED,
    },
    leaf::{dataset_root, DatasetRef},
    market::MAX_MODELS,
    traits::BenchmarkSetup,
    Adapter, Balance, BaseModelId, BlockNumber, ContentId, Job, JobId, JobKind, JobResult,
    JobState, Method, ModelFamily, RateClass, ReviewPolicy, Salt, Serves, SizeClass, TrainingSpec,
    OPEN,
};
use sp_core::H256;
use sp_runtime::DispatchError;

/// A block late enough for anything to lie behind.
const NOW: BlockNumber = 10_000_000;
/// When jobs have to be done.
const DEADLINE: BlockNumber = NOW + 10_000;
/// Tokens of a job.
const TOKENS: u64 = 1_000_000;
/// Plancks a token.
const PRICE: Balance = OPEN / 100_000;
/// What commitments are opened with.
const SALT: Salt = [7; 32];
/// Leaves of a version: as many peaks as there are bits.
const LEAVES: u64 = (1 << 32) - 1;

fn rich<T: Config>(name: &'static str, n: u32) -> T::AccountId {
    let who: T::AccountId = account(name, n, 0);
    T::Currency::set_balance(&who, 1_000_000 * OPEN);
    who
}

fn hold<T: Config>(
    reason: HoldReason,
    who: &T::AccountId,
    amount: Balance,
) -> Result<(), BenchmarkError> {
    T::Currency::hold(&reason.into(), who, amount)?;
    Ok(())
}

fn text<S: Get<u32>>() -> BoundedVec<u8, S> {
    BoundedVec::truncate_from(vec![b't'; S::get() as usize])
}

fn files() -> ModelFiles {
    ModelFiles {
        weights: ContentId::raw([1; 32]),
        weights_sha256: [1; 32],
        weights_size: 1 << 30,
        tokenizer: Some(ContentId::raw([2; 32])),
        config: Some(ContentId::raw([3; 32])),
    }
}

/// Base models, as many as a worker may name.
fn models<T: Config>() -> Vec<BaseModelId> {
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

fn kinds(count: u32) -> Kinds {
    Kinds::truncate_from(JobKind::all().take(count as usize).collect())
}

/// A worker's kinds that give it the most shelves: both methods of the family of all models.
const KINDS: u32 = 2;

/// A worker's opt-in to as many models as it may name, from this one on.
fn opt_in(first: BaseModelId) -> OptIn {
    let models = (0..MAX_MODELS).map(|n| (first + n, ModelFamily::Llama)).collect();
    OptIn::Models(BoundedVec::truncate_from(models))
}

/// A worker that stands on as many shelves as it can and in as many sets of verifiers, unless it is paused.
fn worker<T: Config>(n: u32, paused: bool) -> Result<T::AccountId, BenchmarkError> {
    worker_of::<T>(n, paused, 0)
}

fn worker_of<T: Config>(
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
fn busy<T: Config>(who: &T::AccountId, job: Option<JobId>) {
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
fn refusers<T: Config>() -> Result<Vec<Refused<T::AccountId>>, BenchmarkError> {
    let mut all = Vec::new();
    for n in 0..MAX_REFUSED.saturating_sub(2) {
        let worker = worker::<T>(1_000 + n, false)?;
        all.push(Refused { worker, reason: Some(DeclineReason::Unusable) });
    }
    Ok(all)
}

fn version<T: Config>(n: u32) -> DatasetRef {
    let owner = rich::<T>("datanet", n);
    let datanet = T::BenchmarkHelper::datanet(&owner, ReviewPolicy::Committee { own_seats: false });
    DatasetRef { datanet, version: T::BenchmarkHelper::set_leaves(datanet, LEAVES) }
}

fn datasets<T: Config>(count: u32) -> Datasets {
    Datasets::truncate_from((0..count).map(version::<T>).collect())
}

/// A job of as many Datanets as there may be, with its money held.
fn job<T: Config>(id: JobId) -> Result<Job<T::AccountId>, BenchmarkError> {
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
fn queued<T: Config>(id: JobId) -> Result<Job<T::AccountId>, BenchmarkError> {
    let job = job::<T>(id)?;
    Pallet::<T>::shelve_job(id, &job, RateClass::default());
    Pallet::<T>::enter_agenda(id, &job);
    Jobs::<T>::insert(id, &job);
    Ok(job)
}

/// Jobs that wait and that a worker has declined before: as many as it passes over in one go, and one more.
fn declined_jobs<T: Config>(who: &T::AccountId) -> Result<(), BenchmarkError> {
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

fn assignment<T: Config>(who: &T::AccountId) -> Assignment<T::AccountId> {
    let price = PRICE.saturating_mul(TOKENS.into());
    Assignment { worker: who.clone(), price, rate: RateClass::FASTEST }
}

fn result<T: Config>(job: &Job<T::AccountId>) -> JobResult {
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
enum Life {
    Assigned,
    Training,
    Submitted,
}

/// A job that a worker has, which others declined before; behind it wait jobs that the worker declined.
fn given<T: Config>(id: JobId, n: u32, life: Life) -> Result<T::AccountId, BenchmarkError> {
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

fn refuse<T: Config>(id: JobId) -> Result<(), BenchmarkError> {
    let refused = BoundedVec::truncate_from(refusers::<T>()?);
    Jobs::<T>::mutate(id, |job| {
        if let Some(job) = job {
            job.refused = refused;
        }
    });
    Ok(())
}

fn owner_of<T: Config>(id: JobId) -> T::AccountId {
    account("owner", id as u32, 0)
}

/// A result that is in dispute, and the three workers that were drawn; they are drawn for nothing else.
fn disputed<T: Config>(id: JobId) -> Result<Vec<T::AccountId>, BenchmarkError> {
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
fn found<T: Config>(id: JobId, finding: Finding) {
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
fn due_now<T: Config>(id: JobId) {
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
fn search_from<T: Config>(
    who: &T::AccountId,
    price: Balance,
    sequence: u64,
) -> Result<(), BenchmarkError> {
    let behind = OfferKey::new(price, sequence);
    Pallet::<T>::search_on(who, behind).map_err(DispatchError::from)?;
    Ok(())
}

/// Nothing was due before this block.
fn idle<T: Config>() {
    frame_system::Pallet::<T>::set_block_number(NOW.into());
    PaymentCursor::<T>::put(NOW);
    DisputeCursor::<T>::put(NOW);
    AgendaCursor::<T>::put(NOW);
}

type Served = BoundedVec<BaseModelId, ConstU32<MAX_MODELS>>;

fn serves<T: Config>() -> Serves {
    Serves::Models(Served::truncate_from(models::<T>()))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register_base_model() {
        let who = rich::<T>("registrar", 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), ModelFamily::Llama, text(), files(), text());
    }

    /// It looks for a job, finds none in one go, and stands on all its shelves.
    #[benchmark]
    fn register_worker(k: Linear<1, { JobKind::COUNT }>) -> Result<(), BenchmarkError> {
        let who = rich::<T>("new", 0);
        let serves = serves::<T>();
        declined_jobs::<T>(&who)?;
        let kinds = kinds(k.max(KINDS));
        #[extrinsic_call]
        _(RawOrigin::Signed(who), kinds, 1, text(), serves, 1_000_000);
        Ok(())
    }

    /// Its shelves and its sets of verifiers are others than before.
    #[benchmark]
    fn update_worker(k: Linear<1, { JobKind::COUNT }>) -> Result<(), BenchmarkError> {
        let serves = serves::<T>();
        let who = worker_of::<T>(0, false, 100)?;
        worker_of::<T>(1, false, 100)?;
        declined_jobs::<T>(&who)?;
        let kinds = kinds(k.max(KINDS));
        #[extrinsic_call]
        _(RawOrigin::Signed(who), kinds, 1, text(), serves, 1_000_000);
        Ok(())
    }

    #[benchmark]
    fn pause() -> Result<(), BenchmarkError> {
        models::<T>();
        let who = worker::<T>(0, false)?;
        worker::<T>(1, false)?;
        search_from::<T>(&who, 1, 1)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who));
        Ok(())
    }

    #[benchmark]
    fn resume() -> Result<(), BenchmarkError> {
        models::<T>();
        let who = worker::<T>(0, true)?;
        declined_jobs::<T>(&who)?;
        Workers::<T>::mutate(&who, |worker| {
            if let Some(worker) = worker {
                worker.bond = worker.bond.saturating_sub(OPEN);
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who));
        Ok(())
    }

    #[benchmark]
    fn deregister_worker() -> Result<(), BenchmarkError> {
        models::<T>();
        let who = worker::<T>(0, false)?;
        worker::<T>(1, false)?;
        search_from::<T>(&who, 1, 1)?;
        Pallet::<T>::note_newcomer(&who).map_err(DispatchError::from)?;
        LeavesFrom::<T>::insert(&who, 1);
        Workers::<T>::mutate(&who, |worker| {
            if let Some(worker) = worker {
                worker.open_results = 0;
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who));
        Ok(())
    }

    #[benchmark]
    fn create_job(d: Linear<1, MAX_DATASETS>) -> Result<(), BenchmarkError> {
        models::<T>();
        worker::<T>(0, false)?;
        worker::<T>(1, false)?;
        let owner = rich::<T>("owner", 0);
        let datasets = datasets::<T>(d);
        let spec = TrainingSpec::default();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), 0, datasets, spec, TOKENS, PRICE, DEADLINE);
        Ok(())
    }

    #[benchmark]
    fn refine_adapter(d: Linear<1, MAX_DATASETS>) -> Result<(), BenchmarkError> {
        models::<T>();
        worker::<T>(0, false)?;
        worker::<T>(1, false)?;
        let parent = job::<T>(7)?;
        let adapter = Adapter {
            owner: parent.owner.clone(),
            worker: parent.owner.clone(),
            base: 0,
            datasets: parent.datasets.clone(),
            result: result::<T>(&parent),
            registered_at: 1,
        };
        Adapters::<T>::insert(7, adapter);
        Jobs::<T>::insert(7, parent);
        let owner = rich::<T>("owner", 0);
        let datasets = datasets::<T>(d);
        let spec = TrainingSpec::default();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), 7, 0, datasets, spec, TOKENS, PRICE, DEADLINE);
        Ok(())
    }

    /// Its worker is paid for what it has done, and looks for another job.
    #[benchmark]
    fn cancel_job() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Training)?;
        refuse::<T>(1)?;
        declined_jobs::<T>(&who)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(owner_of::<T>(1)), 1);
        Ok(())
    }

    #[benchmark]
    fn take() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Assigned)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1);
        Ok(())
    }

    #[benchmark]
    fn heartbeat() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Training)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, 5, 10);
        Ok(())
    }

    /// As many as may be have declined it and were wrong.
    #[benchmark]
    fn submit_result() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Training)?;
        refuse::<T>(1)?;
        declined_jobs::<T>(&who)?;
        let job = Jobs::<T>::get(1).ok_or(BenchmarkError::Stop("there is no job"))?;
        let result = result::<T>(&job);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, result);
        Ok(())
    }

    /// Many declined it, but not most of those who could say so: it passes over all of them, and finds another one.
    #[benchmark]
    fn decline() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Assigned)?;
        refuse::<T>(1)?;
        for n in 0..2 * MAX_REFUSED {
            worker::<T>(2_000 + n, false)?;
        }
        declined_jobs::<T>(&who)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, DeclineReason::Unusable);
        Ok(())
    }

    /// It passes over all that declined it, and finds one.
    #[benchmark]
    fn raise_price() -> Result<(), BenchmarkError> {
        models::<T>();
        queued::<T>(1)?;
        refuse::<T>(1)?;
        worker::<T>(2_000, false)?;
        worker::<T>(2_001, false)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(owner_of::<T>(1)), 1, PRICE * 2);
        Ok(())
    }

    #[benchmark]
    fn extend_deadline() -> Result<(), BenchmarkError> {
        models::<T>();
        queued::<T>(1)?;
        refuse::<T>(1)?;
        worker::<T>(2_000, false)?;
        worker::<T>(2_001, false)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(owner_of::<T>(1)), 1, DEADLINE + 1);
        Ok(())
    }

    #[benchmark]
    fn prune_job() -> Result<(), BenchmarkError> {
        models::<T>();
        let mut job = job::<T>(1)?;
        job.state = JobState::Cancelled;
        Jobs::<T>::insert(1, job);
        BaseModels::<T>::mutate(0, |model| {
            if let Some(model) = model {
                (model.retired, model.jobs) = (true, 1);
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(owner_of::<T>(1)), 1);
        Ok(())
    }

    #[benchmark]
    fn retire_base_model() -> Result<(), BenchmarkError> {
        models::<T>();
        let who: T::AccountId = account("registrar", 0, 0);
        let deposit = T::BaseModelDeposit::get();
        hold::<T>(HoldReason::BaseModelDeposit, &who, deposit)?;
        BaseModels::<T>::mutate(0, |model| {
            if let Some(model) = model {
                model.deposit = deposit;
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 0);
        Ok(())
    }

    #[benchmark]
    fn dispute() -> Result<(), BenchmarkError> {
        given::<T>(1, 0, Life::Submitted)?;
        for n in 1..9 {
            worker::<T>(n, false)?;
        }
        let who = worker::<T>(9, false)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1);
        Ok(())
    }

    /// The last one, which lets findings be shown.
    #[benchmark]
    fn commit_finding() -> Result<(), BenchmarkError> {
        let mut drawn = disputed::<T>(1)?;
        let who = drawn.pop().ok_or(BenchmarkError::Stop("nobody was drawn"))?;
        for other in drawn {
            Pallet::<T>::do_commit_finding(other, 1, H256::zero())?;
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, H256::repeat_byte(1));
        Ok(())
    }

    /// The last one.
    #[benchmark]
    fn reveal_finding() -> Result<(), BenchmarkError> {
        let mut drawn = disputed::<T>(1)?;
        let who = drawn.pop().ok_or(BenchmarkError::Stop("nobody was drawn"))?;
        found::<T>(1, Finding::Holds);
        Pallet::<T>::leave_agenda(1);
        Disputes::<T>::mutate(1, |record| {
            if let Some(open) = record {
                open.reveal_by = NOW.saturating_add(10);
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, Finding::Holds, SALT);
        Ok(())
    }

    /// The start of a block in which nothing is due.
    #[benchmark]
    fn begin_block_idle() {
        idle::<T>();
        #[block]
        {
            Pallet::<T>::begin_block();
        }
    }

    #[benchmark]
    fn pay(p: Linear<0, 64>) -> Result<(), BenchmarkError> {
        idle::<T>();
        for n in 0..p {
            let id = JobId::from(n + 1);
            given::<T>(id, n, Life::Submitted)?;
            Jobs::<T>::mutate(id, |job| {
                if let Some(Job { state: JobState::Submitted { completes_at, .. }, .. }) = job {
                    *completes_at = NOW;
                }
            });
            due_now::<T>(id);
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        assert_eq!(Adapters::<T>::iter_keys().count(), p as usize);
        Ok(())
    }

    /// Each of them is offered anew and passes over who declined it; its worker is paused.
    #[benchmark]
    fn time_out(t: Linear<0, 32>) -> Result<(), BenchmarkError> {
        models::<T>();
        idle::<T>();
        let refused = BoundedVec::truncate_from(refusers::<T>()?);
        for n in 0..t {
            let id = JobId::from(n + 1);
            given::<T>(id, n, Life::Training)?;
            worker::<T>(2_000 + n, false)?;
            Jobs::<T>::mutate(id, |job| {
                if let Some(job) = job {
                    job.refused = refused.clone();
                    if let JobState::Training { heartbeat_by, .. } = &mut job.state {
                        *heartbeat_by = NOW.saturating_sub(1);
                    }
                }
            });
            due_now::<T>(id);
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// Each of them goes to the shelves of faster workers.
    #[benchmark]
    fn move_on(m: Linear<0, 32>) -> Result<(), BenchmarkError> {
        models::<T>();
        idle::<T>();
        for n in 0..m {
            let id = JobId::from(n + 1);
            queued::<T>(id)?;
            due_now::<T>(id);
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// Nobody could be drawn but the last of those looked at.
    #[benchmark]
    fn draw_verifiers(d: Linear<0, 8>) -> Result<(), BenchmarkError> {
        idle::<T>();
        let duties =
            BoundedVec::truncate_from((0..u64::from(MAX_DUTIES)).map(|n| 500 + n).collect());
        for n in 0..d {
            let id = JobId::from(n + 1);
            disputed::<T>(id)?;
            Disputes::<T>::mutate(id, |record| {
                if let Some(open) = record {
                    open.drawn = Default::default();
                }
            });
            due_now::<T>(id);
        }
        // All but a few are drawn for as much as they may be.
        for (n, who) in Workers::<T>::iter_keys().enumerate().collect::<Vec<_>>() {
            Duties::<T>::remove(&who);
            if n % 4 != 0 {
                Duties::<T>::insert(&who, &duties);
            }
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// Two found that the result is wrong, the third says nothing: all are paid, lose, or are paused.
    #[benchmark]
    fn settle_dispute(s: Linear<0, 8>) -> Result<(), BenchmarkError> {
        idle::<T>();
        for n in 0..s {
            let id = JobId::from(n + 1);
            disputed::<T>(id)?;
            found::<T>(id, Finding::DoesNotLoad);
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// The same, but that the result holds, and its worker is paid.
    #[benchmark]
    fn settle_upheld(s: Linear<0, 8>) -> Result<(), BenchmarkError> {
        idle::<T>();
        for n in 0..s {
            let id = JobId::from(n + 1);
            disputed::<T>(id)?;
            found::<T>(id, Finding::Holds);
            // Of the owner's own dispute nothing is waited for any more.
            let owner = owner_of::<T>(id);
            hold::<T>(HoldReason::DisputeBond, &owner, T::DisputeBond::get())?;
            Disputes::<T>::mutate(id, |record| {
                if let Some(open) = record {
                    open.disputer = owner.clone();
                }
            });
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    #[benchmark]
    fn admit_newcomers(w: Linear<0, ADMITTED>) -> Result<(), BenchmarkError> {
        models::<T>();
        for n in 0..w {
            let who = worker::<T>(n, false)?;
            let worker = Workers::<T>::get(&who);
            Pallet::<T>::update_verifier(&who, worker.as_ref(), None);
            let place = Pallet::<T>::next_place().map_err(DispatchError::from)?;
            NewcomerPlace::<T>::insert(&who, place);
            Newcomers::<T>::insert(SequenceKey::from(place), (who, NOW));
        }
        idle::<T>();
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        assert_eq!(Newcomers::<T>::iter_keys().count(), 0);
        Ok(())
    }

    /// Each passes over as many jobs as in one go, of a base model that no other one serves.
    #[benchmark]
    fn go_on_searching(s: Linear<0, SEARCHES>) -> Result<(), BenchmarkError> {
        models::<T>();
        for n in 0..s {
            let base = n * MAX_MODELS;
            let who = worker_of::<T>(n, false, base)?;
            let refused = vec![Refused { worker: who.clone(), reason: None }];
            for at in 0..=JOBS_TRIED + 1 {
                let id = JobId::from(n * 1_000 + at + 1);
                let mut job = job::<T>(id)?;
                job.base = base;
                job.refused = BoundedVec::truncate_from(refused.clone());
                Pallet::<T>::shelve_job(id, &job, RateClass::default());
                Jobs::<T>::insert(id, job);
            }
            search_from::<T>(&who, PRICE, u64::from(n * 1_000 + 1))?;
        }
        idle::<T>();
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// One looks for its place on so many shelves, behind which nothing stands.
    #[benchmark]
    fn seek(h: Linear<0, 256>) -> Result<(), BenchmarkError> {
        models::<T>();
        let who = worker::<T>(0, false)?;
        let rates: Vec<_> = RateClass::all().collect();
        for n in 0..h {
            let id = JobId::from(n + 1);
            let mut job = job::<T>(id)?;
            job.base = n % MAX_MODELS;
            job.kind.method = Method::ALL[(n / MAX_MODELS % 2) as usize];
            let rate = rates.get((n / MAX_MODELS / 2) as usize).copied().unwrap_or_default();
            Pallet::<T>::shelve_job(id, &job, rate);
            Jobs::<T>::insert(id, job);
        }
        search_from::<T>(&who, PRICE, u64::MAX)?;
        idle::<T>();
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }
}
