//! # Training
//!
//! Base models, workers, training jobs, their dispatch, and the adapters that come out of them.
//!
//! ## Life of a job
//!
//! `Queued → Assigned → Training → Submitted → Completed`, or `Failed` or `Cancelled`
//! ([`openledger_primitives::job`] holds the transitions).
//!
//! 1. [`create_job`](pallet::Pallet::create_job) names base model, Datanets each at a version,
//!    settings, token ceiling, a price a token (the price of the ceiling is held, and a deposit) and
//!    deadline. [`refine_adapter`](pallet::Pallet::refine_adapter) names an adapter as well, the job's
//!    parent, which is trained further instead of a fresh one. It must have the base model, rank,
//!    alpha and layers that the job names. Anyone may name any adapter: they are public, and nothing
//!    revokes one. A parent changes no price and no payment.
//! 2. A job goes at once to the idle worker that fits it with the lowest floor, then the fewest jobs
//!    lost, then the longest idle. A worker fits that trains the kind, has opted in to the base model,
//!    asks no more than the job offers, and can finish by the deadline at the rate that it declares.
//!    A job that nobody fits waits unseen; a worker that comes to be idle gets the waiting job that
//!    fits it and pays most a token, then the earliest. The job pays what it offers.
//! 3. Within [`Config::TakeWindow`] the worker [`take`](pallet::Pallet::take)s the job or
//!    [`decline`](pallet::Pallet::decline)s it, which costs nothing. Then it sends a
//!    [`heartbeat`](pallet::Pallet::heartbeat) at least every [`Config::HeartbeatWindow`], shows a
//!    step done in [`Config::ProgressWindow`] and what a step takes, and
//!    [`submit_result`](pallet::Pallet::submit_result)s. If it does not, it loses
//!    [`Config::PenaltyShare`] of the price from its bond and is paused until it
//!    [`resume`](pallet::Pallet::resume)s. A job is not offered again to who declined or lost it.
//! 4. [`Config::ChallengeWindow`] blocks after the result the worker is paid from the held budget,
//!    once, and the adapter is registered. The worker is free for its next job as soon as it has
//!    posted the result; its bond stays until the windows of all its results have passed.
//!
//! 5. Until then anyone may [`dispute`](pallet::Pallet::dispute) the result. Three workers that have
//!    opted in to the base model are drawn, look at it by themselves, and show first the hash of what
//!    they found and then the finding. Two that agree decide: the worker is paid, or it loses of its
//!    bond and the job has failed. The bond of who was wrong pays those who found so.
//!
//! ## Calls
//!
//! | call | who | what |
//! |---|---|---|
//! | `register_base_model` | anyone | registers a base model (deposit) |
//! | `register_worker` | anyone | registers a worker (bond); it is idle at once |
//! | `update_worker` | worker | changes what it offers; a higher floor waits |
//! | `pause` | worker | takes no further jobs |
//! | `resume` | worker | fills up the bond and takes jobs again |
//! | `deregister_worker` | worker without job or open results, some time after | releases the bond |
//! | `create_job` | anyone | queues a job (budget held) |
//! | `cancel_job` | job owner, before there is a result | calls the job off, paying for work shown |
//! | `take` | assigned worker | begins |
//! | `heartbeat` | training worker | sign of life with progress |
//! | `submit_result` | training worker | posts the adapter |
//! | `refine_adapter` | anyone | queues a job that trains an adapter further (budget held) |
//! | `decline` | assigned worker | gives the job back, with a reason |
//! | `raise_price` | job owner, while it waits | offers more a token (held) |
//! | `extend_deadline` | job owner, before there is a result | gives the job more time |
//! | `prune_job` | job owner, later anyone | forgets a failed or cancelled job, deposit back |
//! | `retire_base_model` | its registrar | no new jobs, deposit back |
//! | `dispute` | anyone, before a result is paid | has three drawn workers look at it (bond) |
//! | `commit_finding` | drawn worker | shows the hash of its finding |
//! | `reveal_finding` | drawn worker | shows its finding |
//!
//! Calls that a deadline waits for (`take`, `decline`, `heartbeat`, `submit_result`, `dispute`, `commit_finding`,
//! `reveal_finding`) are operational: a quarter of each block is theirs, and they go before others, so that
//! nobody makes a worker late by filling blocks.
//!
//! ## Work at the start of a block
//!
//! Every unfinished job stands exactly once on the [`Agenda`](pallet::Agenda), or with its result on
//! the [`Payments`](pallet::Payments) or the [`DisputeAgenda`](pallet::DisputeAgenda), at a block in which it is looked at. A heartbeat does not move
//! the entry: if the job is not due when its entry comes up, it is entered again where it is. At most
//! [`Config::MaxExpiriesPerBlock`], [`Config::MaxPaymentsPerBlock`] and
//! [`Config::MaxDisputesPerBlock`] entries are worked off in a block; what is left stays first in line for the next.
//!
//! A worker that comes to be idle passes over at most [`JOBS_TRIED`] jobs that it declined or lost. If there are
//! more behind them its search stands among the [`Searches`](pallet::Searches), of which [`SEARCHES`] go on in a
//! block, until it has a job or has seen all.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod block_impls;
mod config;
mod disputes;
mod errors;
mod events;
mod impls;
mod jobs;
mod measured;
pub mod migrations;
mod reads;
mod shelves;
mod storage;
pub mod try_state;
pub mod types;
pub mod weights;
mod workers;

use frame_support::pallet_macros::import_section;

pub use disputes::{ADMITTED, DRAW_TRIES, MAX_DUTIES};
pub use jobs::{FIRST_REST, LONGEST_REST, MAX_CONTRADICTED};
pub use pallet::*;
pub use shelves::{JOBS_TRIED, SEARCHES, WORKERS_TRIED};
pub use types::{
    BaseModel, Class, Endpoint, Firsts, IdleKey, Kinds, ModelFiles, OfferKey, OptIn, Raise, Row,
    SequenceKey, ShortText, VerifierSet, Worker,
};
pub use weights::WeightInfo;

/// The pallet's storage, calls, events and errors.
// What the macros expand to expects and panics in places of its own; the code written here does not.
#[allow(clippy::expect_used, clippy::panic)]
#[import_section(config::config)]
#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(storage::storage)]
#[frame_support::pallet]
pub mod pallet {
    use crate::{
        disputes::MAX_DUTIES,
        jobs::MAX_CONTRADICTED,
        types::{JobOffer, WorkerOffer},
        BaseModel, Class, Endpoint, Firsts, IdleKey, Kinds, ModelFiles, OfferKey, Row, SequenceKey,
        ShortText, VerifierSet, WeightInfo, Worker,
    };
    use alloc::vec::Vec;
    use frame_support::{
        dispatch::DispatchClass,
        pallet_prelude::*,
        traits::{
            fungible::{hold, Inspect, Mutate},
            Contains, Randomness,
        },
    };
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        api::WorkerView,
        job::{
            dispute::{Dispute, Finding, Outcome},
            Datasets, DeclineReason, JobFailure,
        },
        traits::DatasetVersions,
        Adapter, Balance, BaseModelId, BlockNumber, ContentId, Job, JobId, JobResult, ModelFamily,
        RateClass, Salt, Serves, TrainingSpec,
    };
    use sp_core::H256;
    use sp_runtime::Perbill;

    /// Version of the storage layout.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What OPEN is held for.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// A base model's deposit.
        BaseModelDeposit,
        /// A worker's bond.
        WorkerBond,
        /// The budgets of an owner's unfinished jobs.
        JobBudget,
        /// The deposits of an owner's jobs on record.
        JobDeposit,
        /// What an account has at stake in disputes.
        DisputeBond,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::begin_block()
        }

        fn integrity_test() {
            assert!(T::MaxExpiriesPerBlock::get() >= 2, "the agenda has to make headway");
            assert!(T::MaxPaymentsPerBlock::get() >= 2, "payments have to make headway");
            assert!(T::MaxDisputesPerBlock::get() >= 2, "disputes have to make headway");
            assert!(
                T::CommitWindow::get() >= 1 && T::RevealWindow::get() >= 1,
                "a drawn worker needs a block to be heard in"
            );
            assert!(T::BlockSeconds::get() >= 1, "a block takes time");
            assert!(T::MaxAttempts::get() >= 1, "a job has at least one attempt");
            assert!(T::HeartbeatWindow::get() >= 1, "a worker needs a block to be heard in");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// A worker, and what it asks for.
        pub fn worker_of(account: T::AccountId) -> Option<WorkerView<T::AccountId>> {
            Self::worker(account)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a base model and holds [`Config::BaseModelDeposit`] for it.
        ///
        /// # Errors
        ///
        /// [`Error::EmptyName`], [`Error::EmptyLicence`], [`Error::NotUtf8`],
        /// [`Error::HiddenCharacter`], [`Error::EmptyFile`],
        /// [`Error::DigestMismatch`], and the currency's errors if the deposit cannot be held.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_base_model())]
        pub fn register_base_model(
            origin: OriginFor<T>,
            family: ModelFamily,
            name: ShortText,
            files: ModelFiles,
            licence: ShortText,
        ) -> DispatchResult {
            let registrar = ensure_signed(origin)?;
            Self::do_register_base_model(registrar, family, name, files, licence)
        }

        /// Registers the caller as a worker and holds [`Config::WorkerBond`]. It is idle at once.
        ///
        /// `price_per_token` is its floor; `serves` the base models that it opts in to;
        /// `tokens_per_second` how fast it trains, counted as the power of two below: that is the
        /// time it is given, and what deadlines it is offered.
        ///
        /// # Errors
        ///
        /// [`Error::AlreadyAWorker`], [`Error::NoKinds`], [`Error::RepeatedKind`],
        /// [`Error::NotUtf8`], [`Error::UnknownBaseModel`], [`Error::RepeatedModel`], and the
        /// currency's errors if the bond cannot be held.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::register_worker(kinds.len() as u32))]
        pub fn register_worker(
            origin: OriginFor<T>,
            kinds: Kinds,
            price_per_token: Balance,
            endpoint: Endpoint,
            serves: Serves,
            tokens_per_second: u32,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let offer = WorkerOffer { kinds, price_per_token, endpoint, serves, tokens_per_second };
            Self::do_register_worker(who, offer)
        }

        /// Changes what the caller offers. A job that it has keeps the price fixed at dispatch, and
        /// an idle worker keeps its place; but a higher floor takes effect no sooner than
        /// [`Config::RaiseDelay`] blocks from now, when the worker next looks for a job or says the
        /// same again, and costs the place.
        ///
        /// # Errors
        ///
        /// [`Error::NotAWorker`], [`Error::NoKinds`], [`Error::RepeatedKind`], [`Error::NotUtf8`],
        /// [`Error::UnknownBaseModel`], [`Error::RepeatedModel`].
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::update_worker(kinds.len() as u32))]
        pub fn update_worker(
            origin: OriginFor<T>,
            kinds: Kinds,
            price_per_token: Balance,
            endpoint: Endpoint,
            serves: Serves,
            tokens_per_second: u32,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let offer = WorkerOffer { kinds, price_per_token, endpoint, serves, tokens_per_second };
            Self::do_update_worker(who, offer)
        }

        /// Takes no further jobs. A job that the caller has goes on.
        ///
        /// # Errors
        ///
        /// [`Error::NotAWorker`], [`Error::AlreadyPaused`].
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::pause())]
        pub fn pause(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_pause(who)
        }

        /// Takes jobs again, and fills the bond up to [`Config::WorkerBond`] if time-outs have cost
        /// some of it.
        ///
        /// # Errors
        ///
        /// [`Error::NotAWorker`], [`Error::NotPaused`], [`Error::StillResting`], and the currency's
        /// errors if what is missing of the bond cannot be held.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::resume())]
        pub fn resume(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_resume(who)
        }

        /// Stops being a worker and releases the bond.
        ///
        /// # Errors
        ///
        /// [`Error::NotAWorker`], [`Error::WorkerHasJob`], [`Error::WorkerHasOpenResults`],
        /// [`Error::WorkerIsDrawn`], [`Error::StillResting`], [`Error::StillBonded`].
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::deregister_worker())]
        pub fn deregister_worker(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_deregister_worker(who)
        }

        /// Queues a job and holds its budget and [`Config::JobDeposit`].
        ///
        /// `datasets` are 1 to 8 Datanets, each once and at a version that it had; leaves of them that
        /// were revoked in an earlier block are left out; `token_ceiling`
        /// is the most tokens the price covers; `price_per_token` is what is paid for each of them,
        /// used or not; after block `deadline` the unfinished job fails.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownBaseModel`], [`Error::NoDatasets`], [`Error::RepeatedDatanet`],
        /// [`Error::UnknownVersion`], [`Error::EmptyVersion`], the error named like the first field of the
        /// settings that is outside its bounds, [`Error::ZeroTokenCeiling`],
        /// [`Error::BelowMinimumBudget`], [`Error::Overflow`], [`Error::DeadlinePassed`],
        /// [`Error::DeadlineTooFar`], [`Error::DeadlineTooSoon`], [`Error::BaseModelRetired`],
        /// [`Error::OpenVotes`], and the
        /// currency's errors if budget and deposit cannot be held.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::create_job(datasets.len() as u32))]
        pub fn create_job(
            origin: OriginFor<T>,
            base: BaseModelId,
            datasets: Datasets,
            spec: TrainingSpec,
            token_ceiling: u64,
            price_per_token: Balance,
            deadline: BlockNumber,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            let parent = None;
            let offer =
                JobOffer { parent, base, datasets, spec, token_ceiling, price_per_token, deadline };
            Self::do_create_job(owner, offer)
        }

        /// Calls off a job without a result, and gives the budget back. A worker that trains is paid
        /// the price × the smaller of the share of the steps that it has shown, with the one that it is at, and the share of the
        /// time that its rate allows, at most half. Of the deposit a third is lost for each worker with
        /// seniority that declined the job for a reason of the owner's, as when it fails.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::NotTheOwner`], [`Error::WrongState`].
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::cancel_job())]
        pub fn cancel_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_cancel_job(who, job)
        }

        /// Begins a job that was given to the caller.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::WrongState`], [`Error::NotTheWorker`],
        /// [`Error::TooLate`].
        #[pallet::call_index(8)]
        #[pallet::weight((T::WeightInfo::take(), DispatchClass::Operational))]
        pub fn take(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_take(who, job)
        }

        /// A sign of life of the worker that trains, with the optimiser steps done and in all. The
        /// total is said once; before, both are 0.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::WrongState`], [`Error::NotTheWorker`],
        /// [`Error::TooLate`], [`Error::StepBeyondTotal`], [`Error::OtherTotal`].
        #[pallet::call_index(9)]
        #[pallet::weight((T::WeightInfo::heartbeat(), DispatchClass::Operational))]
        pub fn heartbeat(
            origin: OriginFor<T>,
            job: JobId,
            step: u32,
            total_steps: u32,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_heartbeat(who, job, step, total_steps)
        }

        /// Posts the adapter. It is paid once its window has passed; the tokens it reports change
        /// nothing about the price.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::WrongState`], [`Error::NotTheWorker`],
        /// [`Error::TooLate`], [`Error::EmptyFile`], [`Error::DigestMismatch`],
        /// [`Error::DatasetRootMismatch`].
        #[pallet::call_index(10)]
        #[pallet::weight((T::WeightInfo::submit_result(), DispatchClass::Operational))]
        pub fn submit_result(
            origin: OriginFor<T>,
            job: JobId,
            result: JobResult,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_submit_result(who, job, result)
        }

        /// Queues a job that trains the adapter `parent` further, and holds its budget.
        ///
        /// The other arguments are those of [`create_job`](Self::create_job). `base` must be the
        /// parent's base model, and of `spec` the rank, alpha and layers those of the parent's job;
        /// everything else may differ, the datasets and the method too.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownParent`], [`Error::ParentBaseModel`], [`Error::ParentLoraR`],
        /// [`Error::ParentLoraAlpha`], [`Error::ParentTargetModules`], and those of
        /// [`create_job`](Self::create_job).
        // A call of its own, so that `create_job` keeps the encoding that signers know.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::refine_adapter(datasets.len() as u32))]
        #[allow(clippy::too_many_arguments)]
        pub fn refine_adapter(
            origin: OriginFor<T>,
            parent: JobId,
            base: BaseModelId,
            datasets: Datasets,
            spec: TrainingSpec,
            token_ceiling: u64,
            price_per_token: Balance,
            deadline: BlockNumber,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            let parent = Some(parent);
            let offer =
                JobOffer { parent, base, datasets, spec, token_ceiling, price_per_token, deadline };
            Self::do_create_job(owner, offer)
        }

        /// Gives a job back that was given to the caller, within the window to take it. That is no
        /// attempt and costs nothing; but a worker's second decline in a row for a reason of its own
        /// pauses it, and each further one for twice as long. One for a reason of the owner's counts
        /// once another worker has posted a result for the job.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::WrongState`], [`Error::NotTheWorker`],
        /// [`Error::TooLate`].
        #[pallet::call_index(12)]
        #[pallet::weight((T::WeightInfo::decline(), DispatchClass::Operational))]
        pub fn decline(origin: OriginFor<T>, job: JobId, reason: DeclineReason) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_decline(who, job, reason)
        }

        /// Offers more a token for a job that waits, and holds the difference.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::NotTheOwner`], [`Error::WrongState`],
        /// [`Error::NotHigher`], [`Error::AboveBudget`] where the price of the ceiling is no number,
        /// and the currency's errors if the difference cannot be held.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::raise_price())]
        pub fn raise_price(
            origin: OriginFor<T>,
            job: JobId,
            price_per_token: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_raise_price(who, job, price_per_token)
        }

        /// Gives a job without a result more time.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::NotTheOwner`], [`Error::WrongState`],
        /// [`Error::NotLater`], [`Error::DeadlineTooFar`].
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::extend_deadline())]
        pub fn extend_deadline(
            origin: OriginFor<T>,
            job: JobId,
            deadline: BlockNumber,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_extend_deadline(who, job, deadline)
        }

        /// Forgets a job that failed or was called off, and gives its deposit back to its owner. Its
        /// owner may do so at once, anyone [`Config::PruneDelay`] blocks after its end.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::WrongState`], [`Error::TooEarly`].
        #[pallet::call_index(15)]
        #[pallet::weight(T::WeightInfo::prune_job())]
        pub fn prune_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_prune_job(who, job)
        }

        /// Lets a base model take no new jobs and gives its deposit back. Jobs that name it go on, and
        /// its record stays as long as one of them does.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownBaseModel`], [`Error::NotTheRegistrar`], [`Error::BaseModelRetired`].
        #[pallet::call_index(16)]
        #[pallet::weight(T::WeightInfo::retire_base_model())]
        pub fn retire_base_model(origin: OriginFor<T>, base: BaseModelId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_retire_base_model(who, base)
        }

        /// Disputes a result before its window has passed, and holds [`Config::DisputeBond`]. Its
        /// payment waits until three workers that are drawn have looked at it. Once a job anyone may;
        /// where that was not the owner and the result stands, the window begins anew for the owner.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::WrongState`], [`Error::TooLate`],
        /// [`Error::DisputedBefore`], [`Error::TooFewVerifiers`], and the currency's errors if the bond
        /// cannot be held.
        #[pallet::call_index(17)]
        #[pallet::weight((T::WeightInfo::dispute(), DispatchClass::Operational))]
        pub fn dispute(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_dispute(who, job)
        }

        /// Shows the hash of what the caller, who was drawn, found of a result in dispute:
        /// [`finding_commitment`](openledger_primitives::job::dispute::finding_commitment).
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::NotInDispute`], [`Error::WrongState`],
        /// [`Error::NotDrawn`], [`Error::TooLate`], [`Error::CommittedBefore`].
        #[pallet::call_index(18)]
        #[pallet::weight((T::WeightInfo::commit_finding(), DispatchClass::Operational))]
        pub fn commit_finding(
            origin: OriginFor<T>,
            job: JobId,
            commitment: H256,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_commit_finding(who, job, commitment)
        }

        /// Shows what the caller found, once no hash can be shown any more.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::NotInDispute`], [`Error::WrongState`],
        /// [`Error::NotDrawn`], [`Error::NotCommitted`], [`Error::RevealedBefore`],
        /// [`Error::RevealTooEarly`], [`Error::TooLate`], [`Error::OtherCommitment`].
        #[pallet::call_index(19)]
        #[pallet::weight((T::WeightInfo::reveal_finding(), DispatchClass::Operational))]
        pub fn reveal_finding(
            origin: OriginFor<T>,
            job: JobId,
            finding: Finding,
            salt: Salt,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_reveal_finding(who, job, finding, salt)
        }
    }
}
