//! What is kept.

use frame_support::pallet_macros::pallet_section;

/// What is kept.
#[pallet_section]
mod storage {
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

    /// The searches of idle workers for jobs that have not come to the end, the one that waits longest first:
    /// each with the job behind which it goes on.
    #[pallet::storage]
    pub type Searches<T: Config> =
        StorageMap<_, Identity, SequenceKey, (T::AccountId, OfferKey), OptionQuery>;

    /// The place of a worker's search.
    #[pallet::storage]
    pub type SearchOf<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, SequenceKey, OptionQuery>;

    /// The workers that trained what a worker had declined for a reason of the owner's side, since its last
    /// result.
    #[pallet::storage]
    pub type Contradicted<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        BoundedVec<T::AccountId, ConstU32<MAX_CONTRADICTED>>,
        ValueQuery,
    >;

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

    /// A dispute.
    pub type DisputeOf<T> = Dispute<<T as frame_system::Config>::AccountId>;

    /// Disputes, by job: the settled ones too, as long as the job is on record.
    #[pallet::storage]
    pub type Disputes<T: Config> = StorageMap<_, Twox64Concat, JobId, DisputeOf<T>>;

    /// Disputes to look at in a block.
    #[pallet::storage]
    pub type DisputeAgenda<T> =
        StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, JobId, (), OptionQuery>;

    /// First block whose disputes are not worked off.
    #[pallet::storage]
    pub type DisputeCursor<T> = StorageValue<_, BlockNumber, OptionQuery>;

    /// The workers of a set, numbered without gaps.
    #[pallet::storage]
    pub type Verifiers<T: Config> =
        StorageDoubleMap<_, Twox64Concat, VerifierSet, Twox64Concat, u32, T::AccountId>;

    /// How many workers a set has.
    #[pallet::storage]
    pub type VerifierCount<T> = StorageMap<_, Twox64Concat, VerifierSet, u32, ValueQuery>;

    /// A worker's number in a set.
    #[pallet::storage]
    pub type VerifierIndex<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, VerifierSet, u32>;

    /// The open disputes for which a worker is drawn.
    #[pallet::storage]
    pub type Duties<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        BoundedVec<JobId, ConstU32<MAX_DUTIES>>,
        OptionQuery,
    >;

    /// Workers that may not be drawn yet for all that they serve, in the order in which they came, each
    /// with the first block in which it may.
    #[pallet::storage]
    pub type Newcomers<T: Config> =
        StorageMap<_, Identity, SequenceKey, (T::AccountId, BlockNumber)>;

    /// The place of a worker among the newcomers. One without has seniority.
    #[pallet::storage]
    pub type NewcomerPlace<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u64>;

    /// First block in which a worker that had a job, or was drawn, may leave with its bond.
    #[pallet::storage]
    pub type LeavesFrom<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, BlockNumber, ValueQuery>;

    /// Of the jobs that train an adapter further: which. Its number is always the smaller one.
    #[pallet::storage]
    pub type Parents<T> = StorageMap<_, Twox64Concat, JobId, JobId>;

    /// The block in which each job was queued: what was revoked of its versions before is left out of it,
    /// what is revoked later flags its adapter. Not known of jobs of before, which were refused if anything
    /// had been revoked.
    #[pallet::storage]
    pub type CreatedAt<T> = StorageMap<_, Twox64Concat, JobId, BlockNumber, ValueQuery>;
}
