//! What is read of jobs, workers and adapters.

use super::{BaseModelView, DisputeView, JobView, QueuePlace, WorkerView};
use crate::{job::Adapter, market::Windows, BaseModelId, BlockNumber, JobId};
use alloc::vec::Vec;
use codec::Codec;

sp_api::decl_runtime_apis! {
    /// Jobs, workers and adapters.
    ///
    /// Version 3 answers views in place of stored types; what an earlier version answered as `job`,
    /// `jobs` and `worker` has another shape. Version 4 knows of disputes, version 5 of a job's block.
    #[api_version(3)]
    pub trait TrainingApi<AccountId: Codec> {
        /// A job.
        fn job(job: JobId) -> Option<JobView<AccountId>>;
        /// At most `limit` (and 100) jobs from number `start` on.
        fn jobs(start: JobId, limit: u32) -> Vec<(JobId, JobView<AccountId>)>;
        /// An adapter.
        fn adapter(job: JobId) -> Option<Adapter<AccountId>>;
        /// A worker.
        fn worker(account: AccountId) -> Option<WorkerView<AccountId>>;
        /// Of at most `limit` (and 100) jobs from number `start` on, those that train an adapter
        /// further, each with that adapter.
        fn parents(start: JobId, limit: u32) -> Vec<(JobId, JobId)>;
        /// The adapters from which a job's adapter comes, the nearest first: at most `limit` (and
        /// 100) of them.
        fn ancestry(job: JobId, limit: u32) -> Vec<JobId>;
        /// At most `limit` (and 100) jobs of an owner from number `start` on, in ascending order.
        fn jobs_of(
            owner: AccountId,
            start: JobId,
            limit: u32,
        ) -> Vec<(JobId, JobView<AccountId>)>;
        /// At most `limit` (and 100) workers after `after`, in the order of storage.
        fn workers(after: Option<AccountId>, limit: u32) -> Vec<WorkerView<AccountId>>;
        /// At most `limit` (and 100) base models from number `start` on.
        fn base_models(start: BaseModelId, limit: u32) -> Vec<BaseModelView<AccountId>>;
        /// Where a queued job stands; `None` for any other.
        fn place(job: JobId) -> Option<QueuePlace>;
        /// The lengths that jobs are measured by.
        fn windows() -> Windows;
        /// A job's dispute, if there ever was one.
        #[api_version(4)]
        fn dispute(job: JobId) -> Option<DisputeView<AccountId>>;
        /// The open disputes for which a worker is drawn.
        #[api_version(4)]
        fn duties(account: AccountId) -> Vec<JobId>;
        /// The block in which a job was queued: leaves that were revoked before it are not trained on. 0
        /// for a job of before version 5, which leaves none out, and for one that is not there.
        #[api_version(5)]
        fn created_at(job: JobId) -> BlockNumber;
        /// How many workers could be drawn for disputes about a base model, beside `owner`. A dispute takes
        /// three beside the worker whose result it is about, so with fewer than four a result that is wrong may
        /// be paid.
        #[api_version(6)]
        fn judges(base: BaseModelId, owner: Option<AccountId>) -> u32;
    }
}
