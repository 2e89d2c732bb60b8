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
//! ## Calls
//!
//! | call | who | what |
//! |---|---|---|
//! | `register_base_model` | anyone | registers a base model (deposit) |
//! | `register_worker` | anyone | registers a worker (bond); it is idle at once |
//! | `update_worker` | worker | changes what it offers; a higher floor waits |
//! | `pause` | worker | takes no further jobs |
//! | `resume` | worker | fills up the bond and takes jobs again |
//! | `deregister_worker` | worker without job or open results | releases the bond |
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
//!
//! ## Work at the start of a block
//!
//! Every unfinished job stands exactly once on the [`Agenda`](pallet::Agenda), or with its result on
//! the [`Payments`](pallet::Payments), at a block in which it is looked at. A heartbeat does not move
//! the entry: if the job is not due when its entry comes up, it is entered again where it is. At most
//! [`Config::MaxExpiriesPerBlock`] and [`Config::MaxPaymentsPerBlock`] entries are worked off in a
//! block; what is left stays first in line for the next.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

extern crate alloc;

mod block_impls;
mod impls;
mod jobs;
pub mod migrations;
mod reads;
mod shelves;
pub mod try_state;
pub mod types;
pub mod weights;
mod workers;

pub use jobs::{FIRST_REST, LONGEST_REST};
pub use pallet::*;
pub use shelves::{JOBS_TRIED, WORKERS_TRIED};
pub use types::{
    BaseModel, Class, Endpoint, Firsts, IdleKey, Kinds, ModelFiles, OfferKey, OptIn, Raise, Row,
    SequenceKey, ShortText, Worker,
};
pub use weights::WeightInfo;

/// The pallet's storage, calls, events and errors.
// What the macros expand to expects and panics in places of its own; the code written here does not.
#[allow(clippy::expect_used, clippy::panic)]
#[frame_support::pallet]
pub mod pallet {
    use crate::{
        types::{JobOffer, WorkerOffer},
        BaseModel, Class, Endpoint, Firsts, IdleKey, Kinds, ModelFiles, OfferKey, Row, SequenceKey,
        ShortText, WeightInfo, Worker,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{hold, Inspect, Mutate},
    };
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        job::{Datasets, DeclineReason, JobFailure},
        traits::DatasetVersions,
        Adapter, Balance, BaseModelId, BlockNumber, ContentId, Job, JobId, JobResult, ModelFamily,
        RateClass, Serves, TrainingSpec,
    };
    use sp_runtime::Perbill;

    /// Version of the storage layout.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// OPEN.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + hold::Inspect<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's reasons to hold OPEN.
        type RuntimeHoldReason: From<HoldReason>;

        /// The versions of Datanets.
        type Datasets: DatasetVersions;

        /// Who gets what workers lose by time-outs. The account has to exist.
        type PenaltyAccount: Get<Self::AccountId>;

        /// Plancks held for a base model.
        #[pallet::constant]
        type BaseModelDeposit: Get<Balance>;

        /// Plancks a worker has at stake.
        #[pallet::constant]
        type WorkerBond: Get<Balance>;

        /// Least plancks of a job's budget.
        #[pallet::constant]
        type MinimumBudget: Get<Balance>;

        /// Blocks a worker has to take a job that it was given.
        #[pallet::constant]
        type TakeWindow: Get<BlockNumber>;

        /// Most blocks between two signs of life.
        #[pallet::constant]
        type HeartbeatWindow: Get<BlockNumber>;

        /// Blocks between a result and its payment.
        #[pallet::constant]
        type ChallengeWindow: Get<BlockNumber>;

        /// Most blocks from a job's creation to its deadline.
        #[pallet::constant]
        type MaxJobBlocks: Get<BlockNumber>;

        /// Workers that may let a job time out before it fails.
        #[pallet::constant]
        type MaxAttempts: Get<u8>;

        /// Share of a job's price that a worker loses by a time-out, as far as its bond goes.
        #[pallet::constant]
        type PenaltyShare: Get<Perbill>;

        /// Plancks held for a job's record, which an owner at fault loses.
        #[pallet::constant]
        type JobDeposit: Get<Balance>;

        /// Blocks after its end from which on anyone may prune a job.
        #[pallet::constant]
        type PruneDelay: Get<BlockNumber>;

        /// Most blocks without a step done, beside what a step takes at the declared rate.
        #[pallet::constant]
        type ProgressWindow: Get<BlockNumber>;

        /// Blocks until a higher floor may take effect.
        #[pallet::constant]
        type RaiseDelay: Get<BlockNumber>;

        /// Seconds that a block takes, at least 1.
        #[pallet::constant]
        type BlockSeconds: Get<u32>;

        /// Most agenda entries worked off in one block, at least 2.
        #[pallet::constant]
        type MaxExpiriesPerBlock: Get<u32>;

        /// Most payments in one block, at least 2.
        #[pallet::constant]
        type MaxPaymentsPerBlock: Get<u32>;

        /// Weights of the calls and of the work at the start of a block.
        type WeightInfo: WeightInfo;
    }

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
    }

    /// Number of the next base model.
    #[pallet::storage]
    pub type NextBaseModel<T> = StorageValue<_, BaseModelId, ValueQuery>;

    /// Base models.
    #[pallet::storage]
    pub type BaseModels<T: Config> =
        StorageMap<_, Twox64Concat, BaseModelId, BaseModel<T::AccountId>>;

    /// Workers.
    #[pallet::storage]
    pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Worker>;

    /// Next place in any queue.
    #[pallet::storage]
    pub type NextPlace<T> = StorageValue<_, u64, ValueQuery>;

    /// Idle workers by what they declare: the lowest floor first, then the fewest jobs lost, then the
    /// longest idle.
    #[pallet::storage]
    pub type Idle<T: Config> =
        StorageDoubleMap<_, Twox64Concat, (Row, Class), Identity, IdleKey, T::AccountId>;

    /// Of each shelf of idle workers that is not empty, the first.
    #[pallet::storage]
    pub type IdleFirsts<T> = StorageMap<_, Twox64Concat, Row, Firsts<IdleKey>, ValueQuery>;

    /// Number of the next job.
    #[pallet::storage]
    pub type NextJob<T> = StorageValue<_, JobId, ValueQuery>;

    /// Jobs, the ended ones too.
    #[pallet::storage]
    pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, Job<T::AccountId>>;

    /// Queued jobs by what they need, each by its base model and by its size: those that pay most a
    /// token first, then the earliest.
    #[pallet::storage]
    pub type Waiting<T> =
        StorageDoubleMap<_, Twox64Concat, (Row, Class), Identity, OfferKey, JobId>;

    /// Of each shelf of queued jobs that is not empty, the first.
    #[pallet::storage]
    pub type WaitingFirsts<T> = StorageMap<_, Twox64Concat, Row, Firsts<OfferKey>, ValueQuery>;

    /// Among those that need workers of which speed a queued job stands.
    #[pallet::storage]
    pub type Shelved<T> = StorageMap<_, Twox64Concat, JobId, RateClass>;

    /// The jobs on record of an owner, in the order of their numbers.
    #[pallet::storage]
    pub type JobsOf<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, SequenceKey, (), OptionQuery>;

    /// Jobs to look at in a block.
    #[pallet::storage]
    pub type Agenda<T> =
        StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, JobId, (), OptionQuery>;

    /// Results to pay in a block.
    #[pallet::storage]
    pub type Payments<T> =
        StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, JobId, (), OptionQuery>;

    /// First block whose payments are not worked off.
    #[pallet::storage]
    pub type PaymentCursor<T> = StorageValue<_, BlockNumber, OptionQuery>;

    /// Under which block of the agenda, or of the payments, an unfinished job stands.
    #[pallet::storage]
    pub type AgendaOf<T> = StorageMap<_, Twox64Concat, JobId, BlockNumber>;

    /// First block whose agenda is not worked off.
    #[pallet::storage]
    pub type AgendaCursor<T> = StorageValue<_, BlockNumber, OptionQuery>;

    /// Adapters, by the number of the job that made them.
    #[pallet::storage]
    pub type Adapters<T: Config> = StorageMap<_, Twox64Concat, JobId, Adapter<T::AccountId>>;

    /// Of the jobs that train an adapter further: which. Its number is always the smaller one.
    #[pallet::storage]
    pub type Parents<T> = StorageMap<_, Twox64Concat, JobId, JobId>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A base model was registered.
        BaseModelRegistered {
            /// Its number.
            base: BaseModelId,
            /// Who registered it.
            registrar: T::AccountId,
        },
        /// A worker was registered.
        WorkerRegistered {
            /// Who.
            worker: T::AccountId,
            /// Plancks a token.
            price_per_token: Balance,
        },
        /// A worker changed what it offers.
        WorkerUpdated {
            /// Who.
            worker: T::AccountId,
            /// Plancks a token.
            price_per_token: Balance,
        },
        /// A worker takes no further jobs.
        WorkerPaused {
            /// Who.
            worker: T::AccountId,
        },
        /// A worker takes jobs again.
        WorkerResumed {
            /// Who.
            worker: T::AccountId,
        },
        /// A worker left and got its bond back.
        WorkerDeregistered {
            /// Who.
            worker: T::AccountId,
            /// Plancks released.
            bond: Balance,
        },
        /// A job was queued.
        JobCreated {
            /// Its number.
            job: JobId,
            /// Who pays.
            owner: T::AccountId,
            /// Plancks held.
            budget: Balance,
        },
        /// A job was given to a worker.
        JobAssigned {
            /// Its number.
            job: JobId,
            /// To whom.
            worker: T::AccountId,
            /// Plancks it is paid on completion, whatever changes from now on.
            price: Balance,
            /// Last block to take it in.
            take_by: BlockNumber,
        },
        /// A worker began.
        JobTaken {
            /// The job.
            job: JobId,
            /// Who began.
            worker: T::AccountId,
        },
        /// A worker gave a sign of life.
        JobProgressed {
            /// The job.
            job: JobId,
            /// Optimiser steps done.
            step: u32,
            /// Optimiser steps in all.
            total_steps: u32,
        },
        /// A worker posted its result.
        ResultSubmitted {
            /// The job.
            job: JobId,
            /// Who posted it.
            worker: T::AccountId,
            /// The adapter on IPFS.
            content: ContentId,
            /// Block in which it is paid.
            completes_at: BlockNumber,
        },
        /// A worker was paid and its adapter registered.
        JobCompleted {
            /// The job, and the adapter's number.
            job: JobId,
            /// Who was paid.
            worker: T::AccountId,
            /// How many plancks.
            price: Balance,
            /// Plancks given back to the owner.
            refund: Balance,
        },
        /// A worker lost a job by letting its time pass.
        JobTimedOut {
            /// The job.
            job: JobId,
            /// Who lost it.
            worker: T::AccountId,
            /// Plancks it lost.
            penalty: Balance,
        },
        /// A job stands in its queue again.
        JobRequeued {
            /// The job.
            job: JobId,
            /// Workers that let it time out so far.
            attempts: u8,
        },
        /// A job ended without an adapter.
        JobFailed {
            /// The job.
            job: JobId,
            /// Why.
            failure: JobFailure,
            /// Plancks given back to the owner.
            refund: Balance,
        },
        /// A job was called off by its owner.
        JobCancelled {
            /// The job.
            job: JobId,
            /// Plancks given back to the owner.
            refund: Balance,
        },
        /// What was due for a job could not be done now and will be tried again.
        JobDelayed {
            /// The job.
            job: JobId,
            /// Block of the next try.
            until: BlockNumber,
        },
        /// A job was queued that trains an adapter further.
        ParentNamed {
            /// The job.
            job: JobId,
            /// The adapter.
            parent: JobId,
        },
        /// A worker gave a job back within the window to take it.
        JobDeclined {
            /// The job.
            job: JobId,
            /// Who declined it.
            worker: T::AccountId,
            /// Why.
            reason: DeclineReason,
        },
        /// A worker that declined several jobs in a row is paused.
        WorkerRests {
            /// Who.
            worker: T::AccountId,
            /// The first block in which it may resume.
            until: BlockNumber,
        },
        /// A worker's higher floor waits.
        PriceRaiseWaits {
            /// Who.
            worker: T::AccountId,
            /// Plancks a token.
            price_per_token: Balance,
            /// The first block in which it may take effect.
            from: BlockNumber,
        },
        /// A job offers more a token.
        JobPriceRaised {
            /// The job.
            job: JobId,
            /// Plancks a token.
            price_per_token: Balance,
            /// Plancks held now.
            budget: Balance,
        },
        /// A job has more time.
        JobDeadlineExtended {
            /// The job.
            job: JobId,
            /// Block after which it fails.
            deadline: BlockNumber,
        },
        /// A worker no longer has a job, which its owner called off, and was paid for what it had shown.
        WorkPaid {
            /// The job.
            job: JobId,
            /// Who was paid.
            worker: T::AccountId,
            /// How many plancks.
            pay: Balance,
        },
        /// An owner lost the deposit of a job that several workers found unusable.
        DepositForfeited {
            /// The job.
            job: JobId,
            /// Plancks lost.
            amount: Balance,
        },
        /// A job that ended without an adapter is no longer on record.
        JobPruned {
            /// The job.
            job: JobId,
            /// Plancks given back to its owner.
            deposit: Balance,
        },
        /// A base model takes no new jobs.
        BaseModelRetired {
            /// Its number.
            base: BaseModelId,
            /// Plancks given back to who registered it.
            deposit: Balance,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no base model of that number.
        UnknownBaseModel,
        /// A base model has a name.
        EmptyName,
        /// A base model has a licence.
        EmptyLicence,
        /// The text is not UTF-8.
        NotUtf8,
        /// A file holds at least one byte.
        EmptyFile,
        /// A raw content id's digest is the sha2-256 of the file.
        DigestMismatch,
        /// The account is a worker already.
        AlreadyAWorker,
        /// The account is not a worker.
        NotAWorker,
        /// A worker can train at least one kind.
        NoKinds,
        /// A kind is named twice.
        RepeatedKind,
        /// The worker is paused already.
        AlreadyPaused,
        /// The worker is not paused.
        NotPaused,
        /// The worker has a job. Finish it first.
        WorkerHasJob,
        /// The window of a result is still open. Wait until it has passed.
        WorkerHasOpenResults,
        /// A job names at least one Datanet.
        NoDatasets,
        /// A Datanet is named twice.
        RepeatedDatanet,
        /// The Datanet never had that version.
        UnknownVersion,
        /// That version has no leaf to train on.
        EmptyVersion,
        /// `lora_r` is outside its bounds.
        LoraR,
        /// `lora_alpha` is outside its bounds.
        LoraAlpha,
        /// `lora_dropout_bp` is outside its bounds.
        LoraDropoutBp,
        /// `target_modules` is outside its bounds.
        TargetModules,
        /// `learning_rate_nano` is outside its bounds.
        LearningRateNano,
        /// `warmup_ratio_bp` is outside its bounds.
        WarmupRatioBp,
        /// `per_device_train_batch_size` is outside its bounds.
        PerDeviceTrainBatchSize,
        /// `gradient_accumulation_steps` is outside its bounds.
        GradientAccumulationSteps,
        /// `num_train_epochs` is outside its bounds.
        NumTrainEpochs,
        /// `max_seq_length` is outside its bounds.
        MaxSeqLength,
        /// `weight_decay_micro` is outside its bounds.
        WeightDecayMicro,
        /// `max_grad_norm_milli` is outside its bounds.
        MaxGradNormMilli,
        /// `eval_fraction_bp` is outside its bounds.
        EvalFractionBp,
        /// The token ceiling is 0.
        ZeroTokenCeiling,
        /// The budget is below the least budget of a job.
        BelowMinimumBudget,
        /// The deadline is not after the current block.
        DeadlinePassed,
        /// The deadline is farther away than a job may last.
        DeadlineTooFar,
        /// There is no job of that number.
        UnknownJob,
        /// Only the job's owner may do this.
        NotTheOwner,
        /// The job is not in a state in which this can be done.
        WrongState,
        /// The job is not this account's to work on.
        NotTheWorker,
        /// The block for it has passed.
        TooLate,
        /// The price is above the job's budget.
        AboveBudget,
        /// More steps are done than there are.
        StepBeyondTotal,
        /// The root does not belong to the job's datasets.
        DatasetRootMismatch,
        /// A number left the range of its type.
        Overflow,
        /// There is no adapter of the parent's number.
        UnknownParent,
        /// The parent adapter is one of another base model.
        ParentBaseModel,
        /// `lora_r` is not the parent adapter's.
        ParentLoraR,
        /// `lora_alpha` is not the parent adapter's.
        ParentLoraAlpha,
        /// `target_modules` is not what the parent adapter's job named.
        ParentTargetModules,
        /// A name, licence or endpoint holds a control, bidirectional or invisible character, or an
        /// endpoint nothing but white space.
        HiddenCharacter,
        /// A version holds a leaf that its contributor or governance revoked.
        RevokedLeaf,
        /// No worker, however fast, could finish by that deadline.
        DeadlineTooSoon,
        /// The worker declined the job or lost it before.
        RefusedBefore,
        /// The number of all steps is another one than before.
        OtherTotal,
        /// The new price a token is not above the old one.
        NotHigher,
        /// The new deadline is not after the old one.
        NotLater,
        /// The worker has declined several jobs in a row and rests.
        StillResting,
        /// A base model is named twice.
        RepeatedModel,
        /// The base model takes no new jobs.
        BaseModelRetired,
        /// Only who registered the base model may do this.
        NotTheRegistrar,
        /// Until some time after the job's end only its owner may do this.
        TooEarly,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::begin_block()
        }

        fn integrity_test() {
            assert!(T::MaxExpiriesPerBlock::get() >= 2, "the agenda has to make headway");
            assert!(T::MaxPaymentsPerBlock::get() >= 2, "payments have to make headway");
            assert!(T::BlockSeconds::get() >= 1, "a block takes time");
            assert!(T::MaxAttempts::get() >= 1, "a job has at least one attempt");
            assert!(T::HeartbeatWindow::get() >= 1, "a worker needs a block to be heard in");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
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
        /// [`Error::NotAWorker`], [`Error::WorkerHasJob`], [`Error::WorkerHasOpenResults`].
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::deregister_worker())]
        pub fn deregister_worker(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_deregister_worker(who)
        }

        /// Queues a job and holds its budget and [`Config::JobDeposit`].
        ///
        /// `datasets` are 1 to 8 Datanets, each once and at a version that it had; `token_ceiling`
        /// is the most tokens the price covers; `price_per_token` is what is paid for each of them,
        /// used or not; after block `deadline` the unfinished job fails.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownBaseModel`], [`Error::NoDatasets`], [`Error::RepeatedDatanet`],
        /// [`Error::UnknownVersion`], [`Error::RevokedLeaf`], [`Error::EmptyVersion`], the error named like the first field
        /// of the settings that is outside its bounds, [`Error::ZeroTokenCeiling`],
        /// [`Error::BelowMinimumBudget`], [`Error::Overflow`], [`Error::DeadlinePassed`],
        /// [`Error::DeadlineTooFar`], [`Error::DeadlineTooSoon`], [`Error::BaseModelRetired`], and the
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
        /// the price × the smaller of the share of the steps that it has shown and the share of the
        /// time that its rate allows, at most half.
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
        #[pallet::weight(T::WeightInfo::take())]
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
        #[pallet::weight(T::WeightInfo::heartbeat())]
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
        #[pallet::weight(T::WeightInfo::submit_result())]
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
        /// attempt and costs nothing; but a worker's second decline in a row pauses it, and each
        /// further one for twice as long.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownJob`], [`Error::WrongState`], [`Error::NotTheWorker`],
        /// [`Error::TooLate`].
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::decline())]
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
    }
}
