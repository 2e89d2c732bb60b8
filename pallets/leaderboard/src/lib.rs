//! # Leaderboard
//!
//! Points for accepted files, the rank they give, and the OPEN they earn.
//!
//! Only acceptance reaches this pallet (`OnAccepted`). There is no code path for a refusal, so a
//! refused file changes no points, no rank and no reward of anybody.
//!
//! ## Life of a reward
//!
//! 1. A Datanet's owner sets a pool's [`terms`](pallet::Pallet::set_terms): most plancks a period and
//!    most plancks a point. Anyone [`fund`](pallet::Pallet::fund)s it, naming the terms and the review
//!    policy that it saw, and gets shares of what is available.
//! 2. Time runs in reward periods of [`Config::PeriodLength`] blocks. Each acceptance adds points to
//!    the contributor's position and to the pool, both counted in the current period.
//! 3. When a period that brought points has ended, the next touch of the pool releases
//!    `rate × points`, where `rate = min(budget ÷ points, most a point)` in whole plancks. The
//!    remainder stays available, and so does the whole budget of a period without points. The rate
//!    is remembered in [`Rates`](pallet::Rates).
//! 4. [`claim`](pallet::Pallet::claim) pays an account everything owed, once, to where it wants to be
//!    [paid](pallet::Pallet::set_payout).
//!
//! No step looks at more than one pool, one position and one share: funding, acceptance and claim are
//! O(1). `paid in = claimed + owed + available + returning + returned` holds for each pool at all times,
//! and the pot account holds the existential deposit beside it, so that no claim ever reaps it. The pot
//! has to be endowed with the existential deposit at genesis.
//!
//! ## What an owner may change, and who may leave
//!
//! Once money is in a pool, other terms and another review policy wait for [`Config::Notice`] blocks and
//! at least one full period. While terms wait that pay out faster, or a policy, funders may
//! [`leave`](pallet::Pallet::leave); also where the Datanet is closed or no points were earned for
//! [`Config::DeadAfter`] blocks. Shares leave when the running period ends, after it has paid its points
//! and before the next one, and [`withdraw`](pallet::Pallet::withdraw) pays them out. The pure part
//! is [`openledger_primitives::funding`].
//!
//! ## Calls
//!
//! | call | who | what |
//! |---|---|---|
//! | `fund` | anyone | pays OPEN into a Datanet's pool under the rules it saw |
//! | `set_terms` | the Datanet's owner | says how fast the pool pays out; at once while it is empty |
//! | `claim`, `claim_many` | anyone, for any account | pay the account everything owed to it |
//! | `leave` | a funder | takes shares out at the end of the period, while there is a way out |
//! | `withdraw` | anyone, for any account | pays a funder what its shares brought that have left |
//! | `recover` | anyone | lets what is nobody's of a closed or dead pool leave for the treasury |
//! | `set_payout` | an account | has its rewards paid to another one |
//!
//! Whoever is the first to touch a pool in a period ends the one before, and a fee is for that; everybody after
//! gets that part of it back.
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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod funding_impls;
mod impls;
mod measured;
pub mod migrations;
mod payout_impls;
pub mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::{GlobalPosition, Payout, RankKey, MAX_CLAIMS};
pub use weights::WeightInfo;

/// The pallet's storage, calls, events and errors.
// What the macros expand to expects and panics in places of its own; the code written here does not.
#[allow(clippy::expect_used, clippy::panic)]
#[frame_support::pallet]
pub mod pallet {
    use crate::{GlobalPosition, Payout, RankKey, WeightInfo, MAX_CLAIMS};
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{hold, Inspect, Mutate},
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        traits::{PolicyReads, Submissions},
        Balance, BlockNumber, DatanetId, Exit, Funds, Period, Points, Pool, PoolRules, Position,
        RewardTerms, Share, Shares, WaitingTerms,
    };

    /// Version of the storage layout.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(3);

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
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// Who owns a Datanet, and whether it exists.
        type DatanetOwner: Submissions<Self::AccountId>;

        /// The policies that decide what pools pay for.
        type Policies: PolicyReads;

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

        /// Least blocks that other terms or another policy wait where money is in the pool, beside one
        /// full period.
        #[pallet::constant]
        type Notice: Get<BlockNumber>;

        /// Blocks without points after which funders may leave.
        #[pallet::constant]
        type DeadAfter: Get<BlockNumber>;

        /// Plancks held on an account that has its rewards paid to another one.
        #[pallet::constant]
        type PayoutDeposit: Get<Balance>;

        /// Gets what is nobody's of closed and dead pools.
        type Treasury: Get<Self::AccountId>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// Sets up the other pallets for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: openledger_primitives::traits::BenchmarkSetup<Self::AccountId>;
    }

    /// Why this pallet holds OPEN.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit of a payout account, on the account whose rewards it gets.
        Payout,
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

    /// Points of an account over all Datanets, of verdicts that count beyond their Datanet: those of
    /// committees drawn from a pool of many.
    #[pallet::storage]
    pub type GlobalPositions<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, GlobalPosition>;

    /// Accounts over all Datanets in order of rank.
    #[pallet::storage]
    pub type GlobalBoard<T: Config> = StorageMap<_, Identity, RankKey, T::AccountId>;

    /// What funders own of each pool that was funded.
    #[pallet::storage]
    pub type PoolFunds<T> = StorageMap<_, Twox64Concat, DatanetId, Funds>;

    /// What each funder owns of a pool.
    #[pallet::storage]
    pub type FunderShares<T: Config> =
        StorageDoubleMap<_, Twox64Concat, DatanetId, Blake2_128Concat, T::AccountId, Share>;

    /// What left a pool together and is not counted out to everyone yet, by the number of its batch.
    #[pallet::storage]
    pub type Exits<T> = StorageDoubleMap<_, Twox64Concat, DatanetId, Twox64Concat, u32, Exit>;

    /// Terms that wait to take the place of a pool's.
    #[pallet::storage]
    pub type Waiting<T> = StorageMap<_, Twox64Concat, DatanetId, WaitingTerms>;

    /// Where accounts have their rewards paid, if not to themselves.
    #[pallet::storage]
    pub type Payouts<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Payout<T::AccountId>>;

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
        /// A pool has these terms from the current period on.
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
        /// Other terms wait to take the place of a pool's.
        TermsAnnounced {
            /// The Datanet.
            datanet: DatanetId,
            /// Most plancks released for one period.
            per_period: Balance,
            /// Most plancks for one point.
            max_per_point: Balance,
            /// The first period that they count for.
            from: Period,
        },
        /// The terms that waited do not come: the pool keeps those it has.
        TermsKept {
            /// The Datanet.
            datanet: DatanetId,
        },
        /// Shares leave a pool at the end of a period.
        SharesLeave {
            /// The Datanet.
            datanet: DatanetId,
            /// Whose.
            who: T::AccountId,
            /// How many.
            shares: Shares,
            /// The period.
            period: Period,
        },
        /// A funder got back what its shares brought that have left.
        Withdrawn {
            /// The Datanet.
            datanet: DatanetId,
            /// Who.
            account: T::AccountId,
            /// How many plancks.
            amount: Balance,
        },
        /// An account's rewards are paid to another one, from a block on.
        PayoutSet {
            /// Whose rewards.
            account: T::AccountId,
            /// Who gets them.
            to: T::AccountId,
            /// The block.
            from: BlockNumber,
        },
        /// What an account claimed went to its payout account.
        PaidOut {
            /// Whose rewards.
            account: T::AccountId,
            /// Who got them.
            to: T::AccountId,
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
        /// The pool has no terms yet: the Datanet's owner sets them.
        TermsRequired,
        /// A pool that releases nothing a period or nothing a point never pays.
        ZeroTerms,
        /// The pool's terms, or those that wait, are not the ones that the caller agreed to. Read them
        /// again.
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
        /// The review policy, or the one that waits, is not the one that the caller agreed to. Read it
        /// again.
        PolicyDiffers,
        /// The Datanet is closed.
        DatanetClosed,
        /// The pool has these terms, and no others wait.
        SameTerms,
        /// Funders leave while terms wait that pay out faster, or another review policy, and when the
        /// Datanet is closed or dead. Nothing of that is so.
        NoWayOut,
        /// The account holds fewer shares of that pool that stay.
        NotEnoughShares,
        /// Nothing waits for that account to be withdrawn from that pool.
        NothingToWithdraw,
        /// All of that pool is its funders'.
        NothingToRecover,
        /// The account is paid there already.
        SamePayout,
        /// Only the account, or the one that gets its rewards, may say where they are paid.
        NotThePayee,
        /// The pools' own account gets no rewards: nobody could take them out again.
        PayoutToPot,
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

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// Plancks that an account can claim of a Datanet's rewards now.
        pub fn claimable_of(datanet: DatanetId, account: T::AccountId) -> Balance {
            Self::claimable(datanet, &account)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Pays `amount` plancks into a Datanet's pool, and gives the signer shares of what is available.
        ///
        /// `rules` names the terms and the hash of the review policy that the signer agrees to, now and
        /// of those that wait, so that nobody pays under rules that changed in between.
        ///
        /// # Errors
        ///
        /// [`Error::BelowMinimumFunding`], [`Error::UnknownDatanet`], [`Error::DatanetClosed`],
        /// [`Error::TermsRequired`], [`Error::TermsDiffer`], [`Error::PolicyDiffers`], and the currency's
        /// errors if the caller cannot pay and stay alive.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::fund())]
        pub fn fund(
            origin: OriginFor<T>,
            datanet: DatanetId,
            amount: Balance,
            rules: PoolRules,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let again = Self::is_current(datanet);
            Self::do_fund(&who, datanet, amount, rules)?;
            Ok(again.then(T::WeightInfo::fund_again).into())
        }

        /// Says how fast a Datanet's pool pays out: at once while nothing is in it and the running period
        /// has no points, after [`Config::Notice`] blocks and at least one full period otherwise. Points
        /// that were earned before keep the terms of their period. The terms that the pool has call off
        /// those that wait.
        ///
        /// # Errors
        ///
        /// [`Error::UnknownDatanet`], [`Error::NotTheOwner`], [`Error::DatanetClosed`],
        /// [`Error::ZeroTerms`], [`Error::SameTerms`].
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_terms())]
        pub fn set_terms(
            origin: OriginFor<T>,
            datanet: DatanetId,
            terms: RewardTerms,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let again = Self::is_current(datanet);
            Self::do_set_terms(&who, datanet, terms)?;
            Ok(again.then(T::WeightInfo::set_terms_again).into())
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
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let again = Self::is_current(datanet);
            Self::do_claim(&[datanet], &account)?;
            Ok(again.then(T::WeightInfo::claim_again).into())
        }

        /// [`Self::claim`] for up to 20 Datanets, as one payment. Where nothing is owed, nothing happens.
        ///
        /// # Errors
        ///
        /// [`Error::NothingToClaim`] where nothing is owed in any of them, and
        /// [`Error::BelowExistentialDeposit`] if the account cannot exist with the sum.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::claim_many(datanets.len() as u32))]
        pub fn claim_many(
            origin: OriginFor<T>,
            datanets: BoundedVec<DatanetId, ConstU32<MAX_CLAIMS>>,
            account: T::AccountId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let claimed = Self::do_claim(&datanets, &account)?;
            Ok(Some(claimed.weight::<T::WeightInfo>()).into())
        }

        /// Takes shares of the signer's out of a pool when the running period has ended and paid.
        ///
        /// # Errors
        ///
        /// [`Error::NoWayOut`], [`Error::NotEnoughShares`] (0 are always too few).
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::leave())]
        pub fn leave(
            origin: OriginFor<T>,
            datanet: DatanetId,
            shares: Shares,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let again = Self::is_current(datanet);
            Self::do_leave(&who, datanet, shares)?;
            Ok(again.then(T::WeightInfo::leave_again).into())
        }

        /// Pays a funder what its shares brought that have left. Anyone may send this.
        ///
        /// # Errors
        ///
        /// [`Error::NothingToWithdraw`], and [`Error::BelowExistentialDeposit`] if the account cannot
        /// exist with that amount: it stays due then.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(
            origin: OriginFor<T>,
            datanet: DatanetId,
            account: T::AccountId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let again = Self::is_current(datanet);
            Self::do_withdraw(datanet, &account)?;
            Ok(again.then(T::WeightInfo::withdraw_again).into())
        }

        /// Makes what is nobody's of a closed or dead pool the treasury's, and lets it leave. Anyone may
        /// send this, and then `withdraw` for the treasury.
        ///
        /// # Errors
        ///
        /// [`Error::NoWayOut`] where the pool is neither closed nor dead, [`Error::NothingToRecover`].
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::leave())]
        pub fn recover(origin: OriginFor<T>, datanet: DatanetId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let again = Self::is_current(datanet);
            Self::do_recover(datanet)?;
            Ok(again.then(T::WeightInfo::leave_again).into())
        }

        /// Has the rewards of `account` paid to `to`; to the account itself again if that is the same.
        ///
        /// Signed by the account itself, which holds a deposit for it: at once the first time, after
        /// [`Config::Notice`] blocks and at least a period when another account gets its rewards, so that
        /// a stolen key does not turn them at once. Signed by the account that gets them: at once.
        ///
        /// # Errors
        ///
        /// [`Error::NotThePayee`], [`Error::SamePayout`], [`Error::PayoutToPot`], or the account cannot pay the deposit.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::set_payout())]
        pub fn set_payout(
            origin: OriginFor<T>,
            account: T::AccountId,
            to: T::AccountId,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_payout(&who, account, to)
        }
    }
}
