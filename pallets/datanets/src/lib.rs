//! # Datanets
//!
//! A Datanet collects files of one modality. This pallet keeps Datanets, the accounts that may
//! contribute to them, their daily quotas, the files they submitted, and the versions that training
//! jobs name.
//!
//! ## The life of a file
//!
//! ```text
//! submit ──▶ pending ──verdict: accept──▶ accepted: a leaf of the Datanet's mountain range, for ever
//!               │
//!               ├──verdict: reject──▶ gone, and free to be submitted again
//!               └──withdraw─────────▶ gone, and free to be submitted again
//! ```
//!
//! A submission is kept under (Datanet, sha256 of the flat bytes), so the record is its own index of
//! duplicates. An accepted file leaves behind its [`DatasetLeaf`](openledger_primitives::DatasetLeaf),
//! the nodes that the leaf adds to the mountain range (two on average) and one record of what the leaf
//! does not hold. A version is (number of leaves, root): every past one can be read and proved from
//! the stored nodes in O(log n).
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
//! | `register` | anyone, for itself | holds [`Config::ContributorHold`] | yes |
//! | `register_for` | a sponsor | the same on the sponsor, and the existential deposit to a new account | yes |
//! | `deregister` | the contributor or its sponsor | releases the hold | yes |
//! | `submit` | a contributor | – | none within the quota |
//! | `withdraw` | the contributor of a pending file | – | yes |
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

mod admission;
mod extension;
mod impls;
mod range;
mod reads;
mod try_state;
pub mod types;
pub mod weights;

pub use extension::AdmitSubmission;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{hold, Inspect, Mutate},
            Time,
        },
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        api::SubmissionItem,
        traits::{OnAccepted, ReviewPolicies},
        Balance, DailyQuota, DatanetId, DatasetLeaf, FileHash, LeafIndex, Modality, Points,
        QuotaLimits, RejectionReason, ReviewPolicy, SubmissionId, MAX_ITEMS,
    };
    use sp_runtime::Perbill;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

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
        /// Plancks held for a contributor.
        #[pallet::constant]
        type ContributorHold: Get<Balance>;
        /// Days between a contributor's last submission and the earliest release of its hold.
        #[pallet::constant]
        type HoldPeriodDays: Get<u32>;
        /// What an account may submit in one UTC day over all Datanets.
        #[pallet::constant]
        type AccountLimits: Get<QuotaLimits>;
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
    pub type RangeNodes<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Twox64Concat,
        u64,
        sp_runtime::traits::HashingFor<T>,
        OptionQuery,
    >;

    /// What submissions without fee took of this block so far. Empty between blocks.
    #[pallet::storage]
    pub type FeelessUsed<T> = StorageValue<_, FeelessUse, ValueQuery>;
}
