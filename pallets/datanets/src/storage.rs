//! What is kept.

use frame_support::pallet_macros::pallet_section;

/// What is kept.
#[pallet_section]
mod storage {
    /// The number of the next Datanet.
    #[pallet::storage]
    pub type NextDatanet<T> = StorageValue<_, DatanetId, ValueQuery>;

    /// Every Datanet.
    #[pallet::storage]
    pub type Datanets<T: Config> =
        StorageMap<_, Twox64Concat, DatanetId, Datanet<T::AccountId>, OptionQuery>;

    /// Every registered contributor.
    #[pallet::storage]
    pub type Contributors<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Contributor<T::AccountId>, OptionQuery>;

    /// What each account used of its daily quota, on the day it last used any.
    #[pallet::storage]
    pub type Quotas<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, DailyQuota, ValueQuery>;

    /// The number of the next submission, over all Datanets.
    #[pallet::storage]
    pub type NextSubmission<T> = StorageValue<_, SubmissionId, ValueQuery>;

    /// Every pending or accepted file of a Datanet by the sha256 of its flat bytes.
    #[pallet::storage]
    pub type Submissions<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Blake2_128Concat,
        FileHash,
        Submission<T::AccountId>,
        OptionQuery,
    >;

    /// The files of a Datanet that wait for a verdict, by submission number.
    ///
    /// The number is written big-endian and not hashed, so that keys come in order and a page can
    /// begin anywhere. Nobody chooses a number, so nobody can unbalance the trie.
    #[pallet::storage]
    pub type Pending<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Identity,
        OrderedSubmissionId,
        FileHash,
        OptionQuery,
    >;

    /// The accepted files of a Datanet in order of acceptance.
    #[pallet::storage]
    pub type Leaves<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Twox64Concat,
        LeafIndex,
        DatasetLeaf<T::AccountId>,
        OptionQuery,
    >;

    /// The nodes of a Datanet's mountain range by position.
    #[pallet::storage]
    pub type RangeNodes<T: Config> =
        StorageDoubleMap<_, Twox64Concat, DatanetId, Twox64Concat, u64, H256, OptionQuery>;

    /// Whether each Datanet takes files; those that are not here do.
    #[pallet::storage]
    pub type Statuses<T> =
        StorageMap<_, Twox64Concat, DatanetId, DatanetStatus, ValueQuery, OpenAtFirst>;

    /// What Datanets are about, in their owners' words.
    #[pallet::storage]
    pub type Texts<T> = StorageMap<_, Twox64Concat, DatanetId, DatanetText, OptionQuery>;

    /// To whom Datanets are offered.
    #[pallet::storage]
    pub type Offers<T: Config> = StorageMap<_, Twox64Concat, DatanetId, T::AccountId, OptionQuery>;

    /// A Datanet takes files until its owner says otherwise.
    #[pallet::type_value]
    pub fn OpenAtFirst() -> DatanetStatus {
        DatanetStatus::Open
    }

    /// Each account's precommitments.
    #[pallet::storage]
    pub type Precommits<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, PrecommitsOf, ValueQuery>;

    /// Each contributor's files that wait for a verdict, in the order of their numbers.
    #[pallet::storage]
    pub type Waiting<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, WaitingFiles, ValueQuery>;

    /// The last submission of each file that ended without a leaf, while the file is kept for who gave
    /// it, or from everybody.
    #[pallet::storage]
    pub type RefusedFiles<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Blake2_128Concat,
        FileHash,
        RefusedFile<T::AccountId>,
        OptionQuery,
    >;

    /// [`RefusedFiles`] in the order in which they go.
    #[pallet::storage]
    pub type Expiries<T: Config> = StorageDoubleMap<
        _,
        Identity,
        OrderedBlock,
        Identity,
        OrderedSubmissionId,
        (DatanetId, FileHash),
        OptionQuery,
    >;

    /// The files of settled submissions, accepted or refused, by number: each has a leaf or stands in
    /// [`RefusedFiles`].
    #[pallet::storage]
    pub type Settled<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Identity,
        OrderedSubmissionId,
        FileHash,
        OptionQuery,
    >;

    /// The Datanets of settled submissions by contributor and number.
    #[pallet::storage]
    pub type SettledOf<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Identity,
        OrderedSubmissionId,
        DatanetId,
        OptionQuery,
    >;

    /// The first leaf that no list of settled submissions has yet, on a chain that had leaves before there were such
    /// lists: each block lists some at its end. Nothing on any other chain, and once all are listed.
    #[pallet::storage]
    pub type Unlisted<T> = StorageValue<_, (DatanetId, LeafIndex), OptionQuery>;

    /// Percent of a Datanet's daily limit that one account may use; [`DEFAULT_SHARE`] without it.
    #[pallet::storage]
    pub type CapShares<T> = StorageMap<_, Twox64Concat, DatanetId, u8, OptionQuery>;

    /// What each account used of its share of a Datanet's daily limit, on the day it last used any.
    #[pallet::storage]
    pub type ShareUse<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Blake2_128Concat,
        T::AccountId,
        DailyQuota,
        ValueQuery,
    >;

    /// The accounts that a Datanet takes no files of.
    #[pallet::storage]
    pub type Bars<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Blake2_128Concat,
        T::AccountId,
        Bar,
        OptionQuery,
    >;

    /// Of whom Datanets take files; those that are not here of everybody.
    #[pallet::storage]
    pub type Admissions<T> = StorageMap<_, Twox64Concat, DatanetId, AdmissionPolicy, ValueQuery>;

    /// Who was invited to a Datanet.
    #[pallet::storage]
    pub type Invitations<T: Config> =
        StorageDoubleMap<_, Twox64Concat, DatanetId, Blake2_128Concat, T::AccountId, ()>;

    /// How many accounts each Datanet invited or barred, and what is held for them.
    #[pallet::storage]
    pub type Listed<T: Config> = StorageMap<_, Twox64Concat, DatanetId, Listing, ValueQuery>;

    /// Contributors whose sponsor pays no longer, since which block: they submit nothing more until
    /// they pay a stake of their own.
    #[pallet::storage]
    pub type Ended<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, BlockNumber, OptionQuery>;

    /// The leaves that were revoked, in order of their positions (big-endian, not hashed).
    #[pallet::storage]
    pub type Revoked<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Identity,
        OrderedSubmissionId,
        Revocation,
        OptionQuery,
    >;

    /// What submissions without fee took of this block so far. Empty between blocks.
    #[pallet::storage]
    pub type FeelessUsed<T> = StorageValue<_, FeelessUse, ValueQuery>;
}
