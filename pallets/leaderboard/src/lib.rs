//! # Leaderboard
//!
//! Points for accepted files, the rank they give, and the OPEN they earn.
//!
//! Only acceptance reaches this pallet (`OnAccepted`). There is no code path for a refusal, so a
//! refused file changes no points, no rank and no reward of anybody.
//!
//! ## Life of a reward
//!
//! 1. Anyone [`fund`](pallet::Pallet::fund)s a Datanet's pool, under terms that everyone can read:
//!    most plancks a period and most plancks a point.
//! 2. Time runs in reward periods of [`Config::PeriodLength`] blocks. Each acceptance adds points to
//!    the contributor's position and to the pool, both counted in the current period.
//! 3. When a period that brought points has ended, the next touch of the pool releases
//!    `rate × points`, where `rate = min(budget ÷ points, most a point)` in whole plancks. The
//!    remainder stays available, and so does the whole budget of a period without points. The rate
//!    is remembered in [`Rates`](pallet::Rates).
//! 4. [`claim`](pallet::Pallet::claim) pays an account everything owed, once.
//!
//! No step looks at more than one pool and one position: funding, acceptance and claim are O(1).
//! `paid in = claimed + owed + available` holds for each pool at all times, and the pot account holds
//! the existential deposit beside it, so that no claim ever reaps it. The pot has to be endowed with
//! the existential deposit at genesis.
//!
//! ## Calls
//!
//! | call | who | what |
//! |---|---|---|
//! | `fund` | anyone | pays OPEN into a Datanet's pool under the terms it saw |
//! | `set_terms` | the Datanet's owner | changes how fast the pool pays out, from the current period on |
//! | `claim` | anyone, for any account | pays the account everything owed to it |
//!
//! ## Order of the board
//!
//! [`Board`](pallet::Board) holds its second key unhashed: inverted points, then the number of the
//! acceptance that brought them, both big-endian. Storage order is rank order, a page is a range of
//! keys, and of equal points the earlier ranks first.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

extern crate alloc;

mod impls;
pub mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::RankKey;
pub use weights::WeightInfo;

/// The pallet's storage, calls, events and errors.
// What the macros expand to expects and panics in places of its own; the code written here does not.
#[allow(clippy::expect_used, clippy::panic)]
#[frame_support::pallet]
pub mod pallet {
    use crate::{RankKey, WeightInfo};
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Inspect, Mutate},
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        traits::Submissions, Balance, BlockNumber, DatanetId, Period, Points, Pool, Position,
        RewardTerms,
    };

    /// Version of the storage layout.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// OPEN.
        type Currency: Inspect<Self::AccountId, Balance = Balance> + Mutate<Self::AccountId>;

        /// Who owns a Datanet, and whether it exists.
        type DatanetOwner: Submissions<Self::AccountId>;

        /// Names the account that holds all pools. It has to be endowed with the existential
        /// deposit at genesis.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// Blocks in a reward period, at least 1.
        #[pallet::constant]
        type PeriodLength: Get<BlockNumber>;

        /// Least plancks that one call may pay into a pool.
        #[pallet::constant]
        type MinimumFunding: Get<Balance>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Number of the next acceptance that brings points, counted from 0 over all Datanets.
    #[pallet::storage]
    pub type NextSequence<T> = StorageValue<_, u64, ValueQuery>;

    /// Rewards of a Datanet, from its first acceptance or first funding on.
    #[pallet::storage]
    pub type Pools<T> = StorageMap<_, Twox64Concat, DatanetId, Pool>;

    /// Points and rewards of an account in a Datanet, from its first points on.
    #[pallet::storage]
    pub type Positions<T: Config> =
        StorageDoubleMap<_, Twox64Concat, DatanetId, Blake2_128Concat, T::AccountId, Position>;

    /// Plancks a point of each ended period that brought points, 0 included.
    #[pallet::storage]
    pub type Rates<T> = StorageDoubleMap<_, Twox64Concat, DatanetId, Twox64Concat, Period, Balance>;

    /// Accounts of a Datanet in order of rank.
    ///
    /// The rank key stands unhashed in the trie. Its points can only be earned by acceptance and its
    /// sequence is ours, so nobody can choose keys that unbalance the trie.
    #[pallet::storage]
    pub type Board<T: Config> =
        StorageDoubleMap<_, Twox64Concat, DatanetId, Identity, RankKey, T::AccountId>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An acceptance brought points.
        PointsEarned {
            /// The Datanet.
            datanet: DatanetId,
            /// Who earned them.
            account: T::AccountId,
            /// How many this acceptance brought.
            points: Points,
            /// The account's total in this Datanet.
            total: Points,
        },
        /// A period that brought points has ended and released its share.
        PeriodClosed {
            /// The Datanet.
            datanet: DatanetId,
            /// The period.
            period: Period,
            /// Points earned in it by all accounts.
            points: Points,
            /// Plancks a point.
            rate: Balance,
        },
        /// OPEN was paid into a pool.
        Funded {
            /// The Datanet.
            datanet: DatanetId,
            /// Who paid.
            who: T::AccountId,
            /// How many plancks.
            amount: Balance,
        },
        /// A pool's terms were set or changed, from the current period on.
        TermsSet {
            /// The Datanet.
            datanet: DatanetId,
            /// Most plancks released for one period.
            per_period: Balance,
            /// Most plancks for one point.
            max_per_point: Balance,
        },
        /// An account was paid what was owed to it.
        Claimed {
            /// The Datanet.
            datanet: DatanetId,
            /// Who was paid.
            account: T::AccountId,
            /// How many plancks.
            amount: Balance,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no Datanet of that number.
        UnknownDatanet,
        /// Less than the least amount that one call may pay in.
        BelowMinimumFunding,
        /// The pool has no terms yet: whoever funds it first has to bring them.
        TermsRequired,
        /// A pool that releases nothing a period or nothing a point never pays.
        ZeroTerms,
        /// The pool's terms are not those that the caller agreed to. Read them again.
        TermsDiffer,
        /// Only the Datanet's owner may do this.
        NotTheOwner,
        /// Nothing is owed to that account in that Datanet.
        NothingToClaim,
        /// The account does not exist and the amount is below the existential deposit. It stays
        /// owed until the account exists or more is owed.
        BelowExistentialDeposit,
        /// A sum left the range of its type.
        Overflow,
        /// The rate of an ended period is not in storage. Nothing was changed.
        RateMissing,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::PeriodLength::get() > 0, "a reward period has at least one block");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Pays `amount` plancks into a Datanet's pool. They cannot be taken back.
        ///
        /// The first funding brings the pool's terms. A later one either accepts the current terms
        /// (`None`) or names them, so that nobody pays under terms that changed in between.
        ///
        /// # Errors
        ///
        /// [`Error::BelowMinimumFunding`], [`Error::UnknownDatanet`], [`Error::TermsRequired`],
        /// [`Error::ZeroTerms`], [`Error::TermsDiffer`], and the currency's errors if the caller
        /// cannot pay and stay alive.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::fund())]
        pub fn fund(
            origin: OriginFor<T>,
            datanet: DatanetId,
            amount: Balance,
            terms: Option<RewardTerms>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_fund(&who, datanet, amount, terms)
        }

        /// Changes how fast a Datanet's pool pays out. Periods that have ended keep the old terms.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownDatanet`], [`Error::NotTheOwner`], [`Error::ZeroTerms`].
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_terms())]
        pub fn set_terms(
            origin: OriginFor<T>,
            datanet: DatanetId,
            terms: RewardTerms,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_terms(&who, datanet, terms)
        }

        /// Pays `account` everything that is owed to it from ended periods. Anyone may send this.
        ///
        /// # Errors
        ///
        /// [`Error::NothingToClaim`], and [`Error::BelowExistentialDeposit`] if the account cannot
        /// exist with that amount: it stays owed then.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(
            origin: OriginFor<T>,
            datanet: DatanetId,
            account: T::AccountId,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_claim(datanet, &account)
        }
    }
}
