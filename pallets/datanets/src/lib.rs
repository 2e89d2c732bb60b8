//! # Datanets
//!
//! A Datanet collects files of one modality. This pallet keeps Datanets, the accounts that may
//! contribute to them, their daily quotas, the files they submitted, and the versions that training
//! jobs name.
//!
//! ## The life of a file
//!
//! ```text
//! precommit ──open──┐
//!            submit ┴▶ pending ──accept──▶ accepted: a leaf of the mountain range, for ever
//!                         │
//!                         ├──reject, unavailable, expire──▶ kept for its contributor for a while
//!                         ├──withdraw──▶ gone, and free to be submitted again
//!                         └──displaced by an older precommitment──▶ gone
//! ```
//!
//! A submission is kept under (Datanet, sha256 of the flat bytes), so the record is its own index of
//! duplicates. An accepted file leaves behind its [`DatasetLeaf`](openledger_primitives::DatasetLeaf),
//! the nodes that the leaf adds to the mountain range (two on average) and one record of what the leaf
//! does not hold. A version is (number of leaves, root): every past one can be read and proved from
//! the stored nodes in O(log n).
//!
//! ## Who was first
//!
//! A submission can be read in the pool before it is in a block, and whoever pays more is in a block
//! first. So a file's age counts from the block of its precommitment, which only the account that made
//! it can open; an older one displaces a younger submission, and no file is accepted before
//! [`Config::SettleDelay`] blocks of age, in which an older precommitment that is being opened comes
//! into a block. A refused file is kept for who gave it first ([`RefusedFiles`]), so that those who
//! judged it cannot refuse and resubmit it; one that is harmful or not the contributor's to give is
//! kept from everybody.
//!
//! ## Who may submit
//!
//! A contributor registers with a hold, or a sponsor registers it and pays the hold and the
//! existential deposit, so that an account with no OPEN can start. The hold returns once nothing is
//! pending and [`Config::HoldPeriodDays`] have passed since the last submission. Submissions cost no
//! fee: the quota (files and bytes an account and UTC day over all Datanets) is the spam guard, and
//! [`AdmitSubmission`] keeps transactions that would break it out of pool and block. Use of a past day
//! counts for nothing, so nothing ever sweeps the quotas.
//!
//! ## Calls
//!
//! | call | who | money | fee |
//! |---|---|---|---|
//! | `create_datanet` | anyone | holds [`Config::DatanetDeposit`] | yes |
//! | `register` | anyone, for itself | holds [`Config::ContributorHold`]; a sponsor's returns | yes |
//! | `register_for` | a sponsor | the same on the sponsor, and the existential deposit to a new account | yes |
//! | `end_sponsorship` | the sponsor | – | yes |
//! | `deregister` | the contributor or its sponsor | releases the hold | yes |
//! | `precommit`, `open`, `submit` | a contributor | – | none within the quota |
//! | `withdraw` | the contributor of a pending file | – | none |
//! | `expire` | anyone | – | none if it succeeds |
//! | `set_caps` | the Datanet's owner | – | yes |
//! | `bar`, `unbar` | the Datanet's owner | holds [`Config::EntryDeposit`], and releases it | yes |
//! | `revoke_leaf` | the leaf's contributor, or root | – | yes |
//! | `clear_refusal` | root | – | – |
//! | `set_text` | the Datanet's owner | – | yes |
//! | `pause`, `resume` | the Datanet's owner | – | yes |
//! | `offer_ownership` | the Datanet's owner | – | yes |
//! | `accept_ownership` | who was offered it | holds [`Config::DatanetDeposit`] and what invitations and bars take, and releases the former owner's | yes |
//! | `set_admission` | the Datanet's owner | – | yes |
//! | `invite` | the Datanet's owner | holds [`Config::EntryDeposit`], or releases it | yes |
//! | `close` | the Datanet's owner | releases the deposit | yes |
//! | `clear_entries` | anyone, of a closed Datanet | releases deposits of invitations and bars | none if it succeeds |
//!
//! ## Reads
//!
//! `quota`, `check_submission`, `datanet`, `datanets`, `pending`, `leaves`, `version_at` and
//! `leaf_proof` answer the runtime API
//! [`DatanetsApi`](openledger_primitives::api::DatanetsApi). Who decides on submissions is another
//! pallet's knowledge, so views of Datanets are returned with `policy: None` for the runtime to fill.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

extern crate alloc;

mod administration;
mod admission;
mod entries;
mod extension;
mod impls;
pub mod migrations;
mod nonce;
mod owner_impls;
mod range;
mod reads;
mod settle;
mod submit_impls;
mod try_state;
pub mod types;
pub mod weights;

pub use entries::MAX_CLEARED;
pub use extension::AdmitSubmission;
pub use nonce::{CheckNonce, ROOM_FOR_OTHERS};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// The code that the macro writes for storage and metadata uses `expect`; ours stays without.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{
        dispatch::Pays,
        pallet_prelude::*,
        traits::{
            fungible::{hold, Inspect, Mutate},
            Time,
        },
    };
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        api::SubmissionItem,
        traits::{OnAccepted, ReviewPolicies},
        AdmissionPolicy, Balance, BarReason, BlockNumber, DailyQuota, DatanetId, DatanetStatus,
        DatanetText, DatasetLeaf, FileHash, LeafIndex, Modality, Points, QuotaLimits,
        RejectionReason, ReviewPolicy, Salt, SubmissionId, MAX_ITEMS,
    };
    use sp_core::H256;
    use sp_runtime::Perbill;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(4);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// OPEN, on which deposits are held.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;
        /// The clock, in milliseconds since 1970, that UTC days are read from.
        type Time: Time<Moment = u64>;
        /// Keeps each Datanet's review policy.
        type Review: ReviewPolicies<Self::AccountId>;
        /// Rewards acceptances.
        type OnAccepted: OnAccepted<Self::AccountId>;
        /// Plancks held for a Datanet.
        #[pallet::constant]
        type DatanetDeposit: Get<Balance>;
        /// Plancks held on a Datanet's owner for each invitation and each bar.
        #[pallet::constant]
        type EntryDeposit: Get<Balance>;
        /// Most invitations and bars of a Datanet together.
        #[pallet::constant]
        type MaxEntries: Get<u32>;
        /// Plancks held for a contributor.
        #[pallet::constant]
        type ContributorHold: Get<Balance>;
        /// Days between a contributor's last submission and the earliest release of its hold.
        #[pallet::constant]
        type HoldPeriodDays: Get<u32>;
        /// What an account may submit in one UTC day over all Datanets.
        #[pallet::constant]
        type AccountLimits: Get<QuotaLimits>;
        /// Blocks of a day: what deadlines are counted in.
        #[pallet::constant]
        type DayLength: Get<BlockNumber>;
        /// Most files of an account that wait for their verdicts.
        #[pallet::constant]
        type MaxPending: Get<u32>;
        /// Days after which anyone may expire a file that nobody decided on.
        #[pallet::constant]
        type MaxWaitDays: Get<u32>;
        /// Blocks of age before which no file is accepted: a precommitment that is older and is being
        /// opened meanwhile must have come into a block.
        #[pallet::constant]
        type SettleDelay: Get<BlockNumber>;
        /// The part of a block's weight and length that submissions without fee may take.
        #[pallet::constant]
        type FeelessShare: Get<Perbill>;
        /// Weights of the calls and of the transaction extension.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds OPEN.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit of a Datanet, on its owner.
        Datanet,
        /// The stake of a contributor, on itself or on its sponsor.
        Contributor,
        /// The deposits of a Datanet's invitations and bars, on its owner.
        Entry,
    }

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

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A Datanet was created.
        DatanetCreated {
            /// Its number.
            datanet: DatanetId,
            /// Who created it.
            owner: T::AccountId,
        },
        /// An account became a contributor.
        ContributorRegistered {
            /// The account.
            contributor: T::AccountId,
            /// Who pays the hold: the account itself or a sponsor.
            depositor: T::AccountId,
        },
        /// An account is no contributor any more; its hold was released.
        ContributorDeregistered {
            /// The account.
            contributor: T::AccountId,
            /// Who had paid the hold.
            depositor: T::AccountId,
        },
        /// A file was submitted and waits for its verdict.
        Submitted {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// A file was accepted.
        Accepted {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
            /// Its position in the Datanet's mountain range.
            leaf: LeafIndex,
            /// The points it earned.
            points: Points,
        },
        /// A file was refused. It may be submitted again.
        Rejected {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
            /// Why.
            reason: RejectionReason,
        },
        /// A contributor took a pending file back.
        Withdrawn {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who had given it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// A Datanet's owner said what it is about.
        TextSet {
            /// The Datanet.
            datanet: DatanetId,
        },
        /// A Datanet was paused, resumed or closed.
        StatusSet {
            /// The Datanet.
            datanet: DatanetId,
            /// Whether it takes files.
            status: DatanetStatus,
        },
        /// A Datanet was offered to another account, or is no longer.
        Offered {
            /// The Datanet.
            datanet: DatanetId,
            /// To whom; to nobody if the owner took the offer back.
            to: Option<T::AccountId>,
        },
        /// A Datanet has another owner.
        OwnerChanged {
            /// The Datanet.
            datanet: DatanetId,
            /// Who owned it; its deposit was released.
            from: T::AccountId,
            /// Who owns it; its deposit is held.
            to: T::AccountId,
        },
        /// An account put precommitments into this block.
        Precommitted {
            /// The account.
            contributor: T::AccountId,
            /// How many.
            count: u32,
        },
        /// A pending file gave way to an older precommitment of the same file.
        Displaced {
            /// The Datanet.
            datanet: DatanetId,
            /// The number of the submission that gave way.
            submission: SubmissionId,
            /// Who had given it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
            /// The submission in whose favour.
            by: SubmissionId,
        },
        /// A file could not be fetched; nobody judged it.
        Unavailable {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// Nobody decided on a file in time.
        Expired {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission's number.
            submission: SubmissionId,
            /// Who gave it.
            contributor: T::AccountId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// A refused file may be submitted by anyone again.
        RefusalCleared {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission that was refused.
            submission: SubmissionId,
            /// sha2-256 of its flat bytes.
            sha256: FileHash,
        },
        /// A Datanet's owner changed what may be submitted in a day.
        CapsSet {
            /// The Datanet.
            datanet: DatanetId,
            /// By all contributors together.
            daily_limit: Option<QuotaLimits>,
            /// Percent of it that one account may use.
            share: u8,
        },
        /// A Datanet takes no more files of an account.
        Barred {
            /// The Datanet.
            datanet: DatanetId,
            /// The account.
            account: T::AccountId,
            /// Why.
            reason: BarReason,
        },
        /// A Datanet takes files of an account again.
        Unbarred {
            /// The Datanet.
            datanet: DatanetId,
            /// The account.
            account: T::AccountId,
        },
        /// A sponsor pays for a contributor no longer.
        SponsorshipEnded {
            /// The contributor.
            contributor: T::AccountId,
            /// The sponsor.
            depositor: T::AccountId,
        },
        /// A leaf was revoked: kept as it is, and left out of jobs of later blocks.
        LeafRevoked {
            /// The Datanet.
            datanet: DatanetId,
            /// The leaf.
            leaf: LeafIndex,
            /// The submission that brought it.
            submission: SubmissionId,
            /// Who had given it.
            contributor: T::AccountId,
            /// Whether governance did it, not the contributor.
            by_governance: bool,
        },
        /// A Datanet's owner said of whom it takes files.
        AdmissionSet {
            /// The Datanet.
            datanet: DatanetId,
            /// Of whom.
            admission: AdmissionPolicy,
        },
        /// An account was invited to a Datanet, or is no longer.
        Invited {
            /// The Datanet.
            datanet: DatanetId,
            /// Who.
            account: T::AccountId,
            /// Whether it is.
            invited: bool,
        },
        /// Invitations and bars of a closed Datanet were taken away, and their deposits released.
        EntriesCleared {
            /// The Datanet.
            datanet: DatanetId,
            /// How many.
            count: u32,
            /// How many are left.
            left: u32,
        },
    }

    /// Why a call is refused. The variants of a
    /// [`RefusalRule`](openledger_primitives::RefusalRule)'s name are that rule.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no Datanet of that number.
        UnknownDatanet,
        /// The account is not a registered contributor.
        NotRegistered,
        /// A submission holds 1 to 20 items.
        ItemCount,
        /// The format is not one of the Datanet's modality.
        WrongModality,
        /// A file holds at least one byte.
        EmptyFile,
        /// A raw content id's digest is the sha2-256 of the file.
        DigestMismatch,
        /// Two items of the call are the same file.
        RepeatedItem,
        /// The Datanet has this file, pending or accepted.
        AlreadySubmitted,
        /// More files than the account may submit in a UTC day.
        DailyFiles,
        /// More bytes than the account may submit in a UTC day.
        DailyBytes,
        /// More files than the Datanet's owner allows in a UTC day.
        DatanetDailyFiles,
        /// More bytes than the Datanet's owner allows in a UTC day.
        DatanetDailyBytes,
        /// A name is 1 to 64 bytes of UTF-8, not only white space, and holds no control,
        /// bidirectional or invisible character.
        InvalidName,
        /// 1 ≤ least units ≤ most units does not hold, or no file of the modality has so many.
        InvalidUnits,
        /// A daily limit of no file or no byte would never let a file in.
        InvalidDailyLimit,
        /// The account is a contributor already.
        AlreadyRegistered,
        /// Only the contributor, or who paid for it, may do this.
        NotAuthorized,
        /// Submissions of the contributor still wait for their verdict.
        HasPending,
        /// The hold period since the last submission has not passed.
        HoldPeriod,
        /// No submission of that file waits for a verdict.
        NotPending,
        /// The file has fewer units than the Datanet's minimum.
        UnitsBelowMinimum,
        /// A number left the range of its type.
        Overflow,
        /// The stored nodes of the mountain range do not fit together.
        InconsistentRange,
        /// The Datanet takes no files for now.
        DatanetPaused,
        /// The Datanet is closed.
        DatanetClosed,
        /// Files of the Datanet still wait for their verdict. Pause it, and close it when they have it.
        DatanetHasPending,
        /// The Datanet has that status.
        SameStatus,
        /// The Datanet is not offered to that account, or to anybody.
        NotOffered,
        /// The account is the signer itself.
        OwnAccount,
        /// Summary, description or a tag is not UTF-8, or holds characters that cannot be seen or marks that no
        /// script needs.
        InvalidText,
        /// A tag is empty, begins or ends with white space, or stands twice.
        InvalidTags,
        /// More files than the account's share of the Datanet's day.
        ShareFiles,
        /// More bytes than the account's share of the Datanet's day.
        ShareBytes,
        /// The Datanet's owner barred the account.
        Barred,
        /// More files precommitted or waiting for their verdicts than an account may have.
        PendingFiles,
        /// Who paid the account's stake ended the sponsorship.
        SponsorshipEnded,
        /// The file was refused before and is kept for who submitted it first.
        KeptForAnother,
        /// The file was refused as harmful or not its contributor's to give.
        Tombstone,
        /// No precommitment of the account that is less than a day old names the file.
        NotPrecommitted,
        /// The account has the same precommitment already.
        AlreadyPrecommitted,
        /// The file is too young to be accepted: an older precommitment may still be opened.
        TooEarly,
        /// The file has not waited long enough to be expired.
        NotExpired,
        /// Only the Datanet's owner may do this.
        NotOwner,
        /// A share is 1 to 100 percent.
        InvalidShare,
        /// The account is barred already.
        AlreadyBarred,
        /// The account is not barred.
        NotBarred,
        /// The account pays its stake itself.
        NotSponsored,
        /// The sponsorship was ended already.
        AlreadyEnded,
        /// Nothing is kept of a refusal of that file.
        NotRefused,
        /// The Datanet has no leaf at that position.
        UnknownLeaf,
        /// The leaf was revoked already.
        AlreadyRevoked,
        /// The Datanet's review budget pays for no more files of the day.
        ReviewFiles,
        /// The Datanet's review budget pays for no more files of the account of the day.
        ReviewShareFiles,
        /// A committee was drawn for the file, or the seed that draws it stands: it is neither taken back nor
        /// displaced any more.
        Drawn,
        /// The Datanet takes files of who was invited.
        NotInvited,
        /// The Datanet takes files of who has earned points elsewhere.
        TooFewPoints,
        /// The Datanet has this admission already.
        SameAdmission,
        /// The account is invited already.
        AlreadyInvited,
        /// The Datanet's review budget does not cover a committee for every file.
        ReviewBudget,
        /// The Datanet has as many invitations and bars as it may.
        TooManyEntries,
        /// Entries are taken away by anyone once the Datanet is closed.
        DatanetNotClosed,
        /// The closed Datanet has no invitations and no bars.
        NothingToClear,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            // What `on_finalize` will do.
            T::DbWeight::get().writes(1)
        }

        fn on_idle(_: BlockNumberFor<T>, room: Weight) -> Weight {
            Self::forget_refusals(room)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            FeelessUsed::<T>::kill();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Creates a Datanet owned by the signer and holds its deposit.
        ///
        /// `min_units` and `max_units` are in the modality's unit (bytes of canonical text, pixels or
        /// milliseconds): a file with fewer than the first is not accepted, and no more than the
        /// second earn points. `daily_limit` caps what all contributors together may submit in one
        /// UTC day. Modality, units and limit never change.
        ///
        /// # Errors
        ///
        /// `InvalidName`, `InvalidUnits`, `InvalidDailyLimit`, `Overflow`; whatever
        /// [`Config::Review`] says of the policy; or the owner cannot pay the deposit.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::create_datanet())]
        pub fn create_datanet(
            origin: OriginFor<T>,
            name: DatanetName,
            modality: Modality,
            min_units: u64,
            max_units: u64,
            daily_limit: Option<QuotaLimits>,
            policy: ReviewPolicy<T::AccountId>,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_create_datanet(
                owner,
                name,
                modality,
                min_units,
                max_units,
                daily_limit,
                policy,
            )
        }

        /// Makes the signer a contributor and holds its stake. Where a sponsor paid until now, the
        /// sponsor's stake returns.
        ///
        /// # Errors
        ///
        /// `AlreadyRegistered` at its own expense, or the signer cannot pay the hold.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_register_self(who)
        }

        /// Makes `contributor` a contributor at the signer's expense: the stake is held on the
        /// signer, and an account that does not exist yet is given the existential deposit.
        ///
        /// # Errors
        ///
        /// `AlreadyRegistered`, or the signer cannot pay.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::register_for())]
        pub fn register_for(origin: OriginFor<T>, contributor: T::AccountId) -> DispatchResult {
            let sponsor = ensure_signed(origin)?;
            Self::do_register(contributor, sponsor)
        }

        /// Ends a registration and releases the hold. Signed by the contributor or by who paid.
        ///
        /// # Errors
        ///
        /// `NotRegistered`, `NotAuthorized`, `HasPending`, `HoldPeriod`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::deregister())]
        pub fn deregister(origin: OriginFor<T>, contributor: T::AccountId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_deregister(who, contributor)
        }

        /// Submits 1 to 20 files to a Datanet: all of them or none.
        ///
        /// Whoever reads the pool may bring the same files in before: [`Pallet::precommit`] first.
        ///
        /// Costs no fee. That is sound only in a runtime whose transaction extensions include
        /// [`AdmitSubmission`]: it applies the same rules as this call, in the pool and again right
        /// before dispatch, so that an included submission never fails, each one uses up quota, and
        /// all of a block's together stay within [`Config::FeelessShare`]. Without the extension,
        /// refused submissions would fill blocks for nothing. Inside another call (a batch, for
        /// example) the outer call's fee covers this one.
        ///
        /// # Errors
        ///
        /// The error named like the [`RefusalRule`](openledger_primitives::RefusalRule) that is
        /// broken; `Overflow`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::submit(items.len() as u32))]
        #[pallet::feeless_if(
            |_: &OriginFor<T>, _: &DatanetId, _: &BoundedVec<SubmissionItem, ConstU32<MAX_ITEMS>>| -> bool {
                true
            }
        )]
        pub fn submit(
            origin: OriginFor<T>,
            datanet: DatanetId,
            items: BoundedVec<SubmissionItem, ConstU32<MAX_ITEMS>>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_submit(who, datanet, items, None).map(drop)
        }

        /// Takes a pending file back. Its key is free again; its quota stays used.
        ///
        /// Costs no fee, like [`Pallet::submit`]: a file is taken back once, and as many are as were
        /// submitted within the quota.
        ///
        /// # Errors
        ///
        /// `NotPending`, `NotAuthorized`, `Drawn`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        #[pallet::feeless_if(|_: &OriginFor<T>, _: &DatanetId, _: &FileHash| -> bool { true })]
        pub fn withdraw(
            origin: OriginFor<T>,
            datanet: DatanetId,
            sha256: FileHash,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw(who, datanet, sha256)
        }

        /// Puts 1 to 20 precommitments into this block, each
        /// [`precommitment`](openledger_primitives::precommitment) of a file that the signer will
        /// [`open`](Pallet::open) within a day. Each counts as a file of the day's quota, now and not
        /// again when it is opened. Costs no fee, like [`Pallet::submit`].
        ///
        /// # Errors
        ///
        /// The error named like the [`RefusalRule`](openledger_primitives::RefusalRule) that is
        /// broken.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::precommit(commitments.len() as u32))]
        #[pallet::feeless_if(
            |_: &OriginFor<T>, _: &BoundedVec<H256, ConstU32<MAX_ITEMS>>| -> bool { true }
        )]
        pub fn precommit(
            origin: OriginFor<T>,
            commitments: BoundedVec<H256, ConstU32<MAX_ITEMS>>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_precommit(who, commitments)
        }

        /// Submits 1 to 20 precommitted files to a Datanet: all of them or none. Their age counts from
        /// the block of their precommitments, and younger submissions of the same files by others give
        /// way. Costs no fee, like [`Pallet::submit`]. Of the weight what is kept for files that give way is
        /// given back as far as none do.
        ///
        /// # Errors
        ///
        /// The error named like the [`RefusalRule`](openledger_primitives::RefusalRule) that is
        /// broken; `Overflow`.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::open(items.len() as u32, items.len() as u32))]
        #[pallet::feeless_if(
            |_: &OriginFor<T>, _: &DatanetId, _: &BoundedVec<SubmissionItem, ConstU32<MAX_ITEMS>>, _: &Salt| -> bool {
                true
            }
        )]
        pub fn open(
            origin: OriginFor<T>,
            datanet: DatanetId,
            items: BoundedVec<SubmissionItem, ConstU32<MAX_ITEMS>>,
            salt: Salt,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let count = items.len() as u32;
            let displaced = Self::do_submit(who, datanet, items, Some(salt))?;
            Ok(Some(T::WeightInfo::open(count, displaced)).into())
        }

        /// Ends the wait of a file that nobody decided on for [`Config::MaxWaitDays`]. Signed by
        /// anyone; no fee if it succeeds.
        ///
        /// # Errors
        ///
        /// `NotPending`, `NotExpired`.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::expire())]
        pub fn expire(
            origin: OriginFor<T>,
            datanet: DatanetId,
            sha256: FileHash,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_expire(datanet, sha256)?;
            Ok(Pays::No.into())
        }

        /// Changes what may be submitted to a Datanet in a UTC day: by all contributors together, and
        /// in percent of it by each. Signed by its owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotOwner`, `InvalidDailyLimit`, `InvalidShare`.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::set_caps())]
        pub fn set_caps(
            origin: OriginFor<T>,
            datanet: DatanetId,
            daily_limit: Option<QuotaLimits>,
            share: u8,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_caps(who, datanet, daily_limit, share)
        }

        /// Takes no more files of an account into a Datanet, and holds [`Config::EntryDeposit`] on its owner; what
        /// waits goes on waiting. Signed by the owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotOwner`, `DatanetClosed`, `AlreadyBarred`, `TooManyEntries`, or the owner cannot
        /// pay the deposit.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::bar())]
        pub fn bar(
            origin: OriginFor<T>,
            datanet: DatanetId,
            account: T::AccountId,
            reason: BarReason,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_bar(who, datanet, account, reason)
        }

        /// Takes files of an account again, and releases the deposit. Signed by the Datanet's owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotOwner`, `NotBarred`.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::bar())]
        pub fn unbar(
            origin: OriginFor<T>,
            datanet: DatanetId,
            account: T::AccountId,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_unbar(who, datanet, account)
        }

        /// Pays for a contributor no longer: it submits nothing more, and the stake returns to the
        /// signer by [`deregister`](Pallet::deregister) when nothing of it waits and the hold period
        /// has passed, or at once when the contributor [`register`](Pallet::register)s itself.
        ///
        /// # Errors
        ///
        /// `NotRegistered`, `NotAuthorized`, `NotSponsored`, `AlreadyEnded`.
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::end_sponsorship())]
        pub fn end_sponsorship(origin: OriginFor<T>, contributor: T::AccountId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_end_sponsorship(who, contributor)
        }

        /// Forgets a refusal, so that anyone may submit the file again. Signed by root, after a
        /// challenge.
        ///
        /// # Errors
        ///
        /// `NotRefused`.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::clear_refusal())]
        pub fn clear_refusal(
            origin: OriginFor<T>,
            datanet: DatanetId,
            sha256: FileHash,
        ) -> DispatchResult {
            ensure_root(origin)?;
            Self::do_clear_refusal(datanet, sha256)
        }

        /// Takes back that models are trained on a leaf: jobs of later blocks leave it out, and every
        /// read of an adapter that was trained on it says so. Leaf, points and versions stay as they
        /// are. Signed by the leaf's contributor, or by root.
        ///
        /// # Errors
        ///
        /// `UnknownLeaf`, `NotAuthorized`, `AlreadyRevoked`.
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::revoke_leaf())]
        pub fn revoke_leaf(
            origin: OriginFor<T>,
            datanet: DatanetId,
            leaf: LeafIndex,
        ) -> DispatchResult {
            let who = ensure_signed_or_root(origin)?;
            Self::do_revoke_leaf(who, datanet, leaf)
        }

        /// Says what a Datanet is about. Signed by its owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotAuthorized`, `DatanetClosed`, `InvalidText`, `InvalidTags`.
        #[pallet::call_index(20)]
        #[pallet::weight(T::WeightInfo::set_text())]
        pub fn set_text(
            origin: OriginFor<T>,
            datanet: DatanetId,
            text: DatanetText,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_text(&who, datanet, text)
        }

        /// Takes no files until [`Self::resume`]; those that wait get their verdicts. Signed by the owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotAuthorized`, `DatanetClosed`, `SameStatus`.
        #[pallet::call_index(21)]
        #[pallet::weight(T::WeightInfo::set_status())]
        pub fn pause(origin: OriginFor<T>, datanet: DatanetId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_pause(&who, datanet, true)
        }

        /// Takes files again. Signed by the owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotAuthorized`, `DatanetClosed`, `SameStatus`.
        #[pallet::call_index(22)]
        #[pallet::weight(T::WeightInfo::set_status())]
        pub fn resume(origin: OriginFor<T>, datanet: DatanetId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_pause(&who, datanet, false)
        }

        /// Offers a Datanet to another account, or to nobody any more. Signed by the owner, who keeps it
        /// until the other one accepts.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotAuthorized`, `DatanetClosed`, `OwnAccount`, `NotOffered` (there is no
        /// offer to take back).
        #[pallet::call_index(23)]
        #[pallet::weight(T::WeightInfo::set_status())]
        pub fn offer_ownership(
            origin: OriginFor<T>,
            datanet: DatanetId,
            to: Option<T::AccountId>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_offer(who, datanet, to)
        }

        /// Becomes the owner of a Datanet that was offered: holds its deposit on the signer and releases
        /// the former owner's.
        ///
        /// # Errors
        ///
        /// `NotOffered`, or the signer cannot pay the deposit.
        #[pallet::call_index(24)]
        #[pallet::weight(T::WeightInfo::accept_ownership())]
        pub fn accept_ownership(origin: OriginFor<T>, datanet: DatanetId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_accept_ownership(who, datanet)
        }

        /// Says of whom a Datanet takes files: of everybody, of who is invited, or also of who has earned
        /// points elsewhere. What waits goes on waiting. Signed by the owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotAuthorized`, `DatanetClosed`, `SameAdmission`.
        #[pallet::call_index(26)]
        #[pallet::weight(T::WeightInfo::set_status())]
        pub fn set_admission(
            origin: OriginFor<T>,
            datanet: DatanetId,
            admission: AdmissionPolicy,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_admission(&who, datanet, admission)
        }

        /// Invites an account to a Datanet, for which [`Config::EntryDeposit`] is held on its owner, or (`invited`
        /// false) takes the invitation back, which releases it. Signed by the owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotAuthorized`, `DatanetClosed`, `AlreadyInvited`, `NotInvited`, `TooManyEntries`, or
        /// the owner cannot pay the deposit.
        #[pallet::call_index(27)]
        #[pallet::weight(T::WeightInfo::bar())]
        pub fn invite(
            origin: OriginFor<T>,
            datanet: DatanetId,
            account: T::AccountId,
            invited: bool,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_invite(&who, datanet, account, invited)
        }

        /// Closes a Datanet for ever and releases its deposit; those of its invitations and bars come back by
        /// [`clear_entries`](Pallet::clear_entries). Its leaves and versions stay, points are
        /// paid as ever, and funders of its pool may leave. Signed by the owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotAuthorized`, `DatanetClosed`, `DatanetHasPending`.
        #[pallet::call_index(25)]
        #[pallet::weight(T::WeightInfo::close())]
        pub fn close(origin: OriginFor<T>, datanet: DatanetId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_close(&who, datanet)
        }

        /// Takes up to [`MAX_CLEARED`] invitations and bars of a closed Datanet away, and releases their deposits to
        /// its owner. Signed by anyone; no fee if it succeeds.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `DatanetNotClosed`, `NothingToClear`.
        #[pallet::call_index(28)]
        #[pallet::weight(T::WeightInfo::clear_entries())]
        pub fn clear_entries(
            origin: OriginFor<T>,
            datanet: DatanetId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_clear_entries(datanet)?;
            Ok(Pays::No.into())
        }
    }
}
