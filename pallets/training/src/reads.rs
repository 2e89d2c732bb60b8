//! Reads, as the runtime API `TrainingApi` answers them.

use crate::{
    impls::JobOf,
    types::{OptIn, Row},
    Adapters, BaseModels, Config, CreatedAt, Disputes, Duties, Jobs, JobsOf, NextBaseModel,
    NextJob, Pallet, Parents, Shelved, Waiting, WaitingFirsts, Worker, Workers,
};
use alloc::vec::Vec;
use openledger_primitives::{
    api::{BaseModelView, DisputeView, JobView, QueuePlace, WorkerView},
    Adapter, BaseModelId, BlockNumber, JobId, JobState, Serves,
};

/// Most entries of one page.
pub const MAX_PAGE: u32 = 100;

/// Most jobs that are counted before one in its queue.
pub const MAX_AHEAD: u32 = 1_000;

impl<T: Config> Pallet<T> {
    /// A job.
    pub fn job(id: JobId) -> Option<JobView<T::AccountId>> {
        Jobs::<T>::get(id).map(|job| Self::job_view(id, job))
    }

    /// At most `limit` (and 100) jobs from number `start` on.
    pub fn jobs(start: JobId, limit: u32) -> Vec<(JobId, JobView<T::AccountId>)> {
        let end = start.saturating_add(limit.min(MAX_PAGE).into()).min(NextJob::<T>::get());
        (start..end).filter_map(|id| Self::job(id).map(|job| (id, job))).collect()
    }

    /// At most `limit` (and 100) jobs of an owner from number `start` on.
    pub fn jobs_of(
        owner: T::AccountId,
        start: JobId,
        limit: u32,
    ) -> Vec<(JobId, JobView<T::AccountId>)> {
        let ids: Vec<JobId> = match start.checked_sub(1) {
            None => {
                JobsOf::<T>::iter_key_prefix(&owner).take(limit.min(MAX_PAGE) as usize).collect()
            }
            Some(before) => {
                let from = JobsOf::<T>::hashed_key_for(&owner, crate::SequenceKey::from(before));
                JobsOf::<T>::iter_key_prefix_from(&owner, from)
                    .take(limit.min(MAX_PAGE) as usize)
                    .collect::<Vec<_>>()
            }
        }
        .into_iter()
        .map(u64::from)
        .collect();
        ids.into_iter().filter_map(|id| Self::job(id).map(|job| (id, job))).collect()
    }

    fn job_view(id: JobId, job: JobOf<T>) -> JobView<T::AccountId> {
        JobView {
            id,
            due: match job.state {
                JobState::Disputed { .. } => Disputes::<T>::get(id).and_then(|of| of.ends_by()),
                _ => job.due(&Self::windows()),
            },
            owner: job.owner,
            base: job.base,
            kind: job.kind,
            parent: Parents::<T>::get(id),
            datasets: job.datasets.into_inner(),
            spec: job.spec,
            token_ceiling: job.token_ceiling,
            price_per_token: job.price_per_token,
            budget: job.budget,
            deposit: job.deposit,
            deadline: job.deadline,
            attempts: job.attempts,
            refused: job.refused.into_inner(),
            state: job.state,
            ended_at: job.ended_at,
        }
    }

    /// A job's dispute, if there ever was one.
    pub fn dispute_of(job: JobId) -> Option<DisputeView<T::AccountId>> {
        Disputes::<T>::get(job).map(|dispute| DisputeView {
            job,
            fee: dispute.fee(),
            disputer: dispute.disputer,
            bond: dispute.bond,
            draw_at: dispute.draw_at,
            drawn: dispute.drawn.into_inner(),
            commit_by: dispute.commit_by,
            reveal_by: dispute.reveal_by,
            outcome: dispute.outcome,
        })
    }

    /// The open disputes for which a worker is drawn.
    pub fn duties(account: T::AccountId) -> Vec<JobId> {
        Duties::<T>::get(account).map(|duties| duties.into_inner()).unwrap_or_default()
    }

    /// The block in which a job was queued; 0 where it is not known.
    pub fn created_at(job: JobId) -> BlockNumber {
        CreatedAt::<T>::get(job)
    }

    /// Where a queued job stands.
    pub fn place(id: JobId) -> Option<QueuePlace> {
        let job = Shelved::<T>::contains_key(id).then(|| Jobs::<T>::get(id))??;
        let key = crate::OfferKey::new(job.price_per_token, job.sequence);
        let row = Row { kind: job.kind, base: Some(job.base) };
        let mut ahead = 0u32;
        for (class, _) in WaitingFirsts::<T>::get(row) {
            let left = MAX_AHEAD.saturating_sub(ahead) as usize;
            let first = Waiting::<T>::iter_key_prefix((row, class)).take(left);
            let before = first.take_while(|other| *other < key).count();
            ahead = ahead.saturating_add(before as u32);
        }
        Some(QueuePlace { ahead })
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
        Workers::<T>::get(&account).map(|worker| worker_view(account, worker))
    }

    /// At most `limit` (and 100) workers after `after`, in the order of storage.
    pub fn workers(after: Option<T::AccountId>, limit: u32) -> Vec<WorkerView<T::AccountId>> {
        let workers = match after {
            None => Workers::<T>::iter(),
            Some(after) => Workers::<T>::iter_from_key(after),
        };
        let page = workers.take(limit.min(MAX_PAGE) as usize);
        page.map(|(account, worker)| worker_view(account, worker)).collect()
    }

    /// At most `limit` (and 100) base models from number `start` on.
    pub fn base_models(start: BaseModelId, limit: u32) -> Vec<BaseModelView<T::AccountId>> {
        let end = start.saturating_add(limit.min(MAX_PAGE)).min(NextBaseModel::<T>::get());
        let view = |id| {
            let model = BaseModels::<T>::get(id)?;
            Some(BaseModelView {
                id,
                registrar: model.registrar,
                family: model.family,
                name: model.name.into_inner(),
                licence: model.licence.into_inner(),
                weights: model.files.weights,
                weights_sha256: model.files.weights_sha256,
                weights_size: model.files.weights_size,
                tokenizer: model.files.tokenizer,
                config: model.files.config,
                deposit: model.deposit,
                retired: model.retired,
                jobs: model.jobs,
            })
        };
        (start..end).filter_map(view).collect()
    }
}

fn worker_view<A>(account: A, worker: Worker) -> WorkerView<A> {
    let serves = match worker.opt_in {
        OptIn::UpTo(bytes) => Serves::UpTo(bytes),
        OptIn::Models(models) => {
            let models: Vec<BaseModelId> = models.iter().map(|(base, _)| *base).collect();
            // Both hold as many.
            Serves::Models(frame_support::BoundedVec::truncate_from(models))
        }
    };
    WorkerView {
        account,
        kinds: worker.kinds.into_inner(),
        price_per_token: worker.price_per_token,
        bond: worker.bond,
        endpoint: worker.endpoint.into_inner(),
        job: worker.job,
        paused: worker.paused,
        serves,
        tokens_per_second: worker.rate.tokens_per_second(),
        lost: worker.lost,
        declines: worker.declines,
        rests_until: worker.rests_until,
        raise: worker.raise.map(|raise| (raise.price_per_token, raise.from)),
    }
}
