//! # Review
//!
//! Decides on the files submitted to Datanets. A Datanet's policy says who: [`ReviewPolicy::Curators`],
//! accounts that the Datanet's owner named, whose verdicts count on that Datanet only, or
//! [`ReviewPolicy::Committee`], committees drawn from reviewers' bonded seats ([`committee`]).
//!
//! ## From curators' votes to a verdict
//!
//! Each curator has one vote on a pending submission and may change it until the verdict. A vote names
//! the submission's number, so that it never lands on a later submission of the same file. Nobody
//! votes on a file of its own.
//!
//! - Votes to **accept** agree when they measured the same: equal `units` and equal `text_root`. The
//!   verdict's score is the lower median of theirs.
//! - Votes that the file is **unavailable** agree with each other. They need no bytes: what cannot be
//!   fetched cannot be judged.
//! - Votes to **reject** agree with each other whatever their reasons. The verdict's reason is the
//!   most frequent one; of equally frequent ones the one named first.
//!
//! As soon as `threshold` votes of current curators agree, the verdict goes to [`Config::OnVerdict`]
//! and the ballot is forgotten. A verdict that is refused there (too few units, for example) fails the
//! vote that would have brought it, and leaves the ballot as it was.
//!
//! ## What a vote may claim
//!
//! The chain reads no file, but it knows what no file can be: more units than its bytes hold or the
//! readers measure ([`MediaType::max_units`](openledger_primitives::MediaType::max_units)), a text without text root,
//! a text root of an image or sound. A vote that claims one of these is refused, so that a careless or
//! bribed curator cannot pay out a number of its own.
//!
//! ## The extractor
//!
//! What a file's units and text root are depends on the version of the extractor that reads it, so a
//! vote to accept names the one it measured with, and the chain names the current one
//! ([`CurrentExtractor`]). A vote with any other is refused (`OtherExtractor`). When the current one
//! is raised, votes to accept that were cast before stay on their ballots, but count no more: who
//! cast one votes again, and pays no fee for the vote that replaces it. Votes to reject measure
//! nothing and go on counting. The version only ever goes up, one step at a time, so that no vote
//! that was set aside comes back and no slip of a digit ends every acceptance.
//!
//! Where money waits for a Datanet's verdicts, another policy waits too ([`Config::Funders`] says until
//! which block), so that who paid in can leave before others decide what is paid for. It then counts
//! without anybody's doing; the first vote from then on writes it down. Elsewhere a new policy applies from
//! the next vote on. Votes of accounts that are no longer curators are dropped then. It settles nothing by itself; where votes already suffice under the new threshold,
//! any curator's next vote, also the same one again, brings the verdict.
//!
//! ## Calls
//!
//! | call | who | fee |
//! |---|---|---|
//! | `vote`, `vote_many` | a curator of the Datanet | yes, unless it replaces what a raise set aside |
//! | `resign` | a curator of the Datanet | yes |
//! | `set_policy` | the Datanet's owner | yes |
//! | `raise_extractor` | root | – |
//! | `bond_seats`, `unbond_seats`, `withdraw_seats`, `top_up`, `serve_at` | a reviewer | yes |
//! | `commit`, `reveal` | a member of a committee | none if it succeeds |
//! | `challenge` | anyone, or the contributor | yes |
//! | `advance` | anyone | none if something was due |
//! | `request_review` | anyone | yes |
//! | `fund_budget`, `take_back`, `set_budget_terms` | the Datanet's owner | yes |
//!
//! The fee of a vote is for one that brings an acceptance; of one that does not, what that would have taken is given
//! back.
//!
//! `commit`, `reveal`, `challenge` and `advance`, for which deadlines wait, are operational: a quarter of each block
//! is theirs, and they go before others, so that nobody makes a reviewer late by filling blocks.

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
pub mod committee;
mod errors;
mod events;
mod impls;
mod measured;
pub mod migrations;
mod tally;
mod try_state;
pub mod types;
pub mod weights;

use frame_support::pallet_macros::import_section;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// The code that the macro writes for storage and metadata uses `expect`; ours stays without.
#[allow(clippy::expect_used)]
#[import_section(errors::errors)]
#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{
        dispatch::{DispatchClass, Pays, PostDispatchInfo},
        pallet_prelude::*,
        traits::fungible::{hold, Inspect, Mutate},
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        committee::{
            Addresses, Budget, BudgetTerms, DrawId, GlobalPool, Lengths, Opinions, Outcome, PoolId,
            PoolSize, Rules, Seed, Session, MAX_MEMBERS,
        },
        traits::{FunderNotice, OnVerdict, Sessions, Submissions},
        verdict::FIRST_EXTRACTOR,
        Balance, BlockNumber, DailyQuota, DatanetId, ExtractorVersion, FileHash, ReviewPolicy,
        Salt, SubmissionId, Verdict, EXTRACTOR, MAX_ITEMS,
    };
    use sp_core::H256;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(3);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Knows Datanets and pending submissions.
        type Submissions: Submissions<Self::AccountId>;
        /// Takes verdicts.
        type OnVerdict: OnVerdict<Self::AccountId>;
        /// Says how long another policy waits.
        type Funders: FunderNotice;
        /// OPEN, which seats, challenges and review budgets are in.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;
        /// The sessions by whose randomness committees are drawn.
        type Sessions: Sessions;
        /// What a committee is, and what is at stake for it.
        #[pallet::constant]
        type Rules: Get<Rules>;
        /// How long committing, revealing and challenging take.
        #[pallet::constant]
        type Lengths: Get<Lengths>;
        /// How large and old a modality's pool is whose verdicts count beyond their Datanets.
        #[pallet::constant]
        type GlobalPool: Get<GlobalPool>;
        /// Names the account that holds all review budgets.
        #[pallet::constant]
        type PalletId: Get<PalletId>;
        /// Gets what is lost to nobody.
        type Treasury: Get<Self::AccountId>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// Sets up the other pallets for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: openledger_primitives::traits::BenchmarkSetup<Self::AccountId>;
    }

    /// Who decides on each Datanet's submissions.
    #[pallet::storage]
    pub type Policies<T: Config> =
        StorageMap<_, Twox64Concat, DatanetId, ReviewPolicy<T::AccountId>, OptionQuery>;

    /// Policies that wait to take the place of a Datanet's.
    #[pallet::storage]
    pub type WaitingPolicies<T: Config> =
        StorageMap<_, Twox64Concat, DatanetId, WaitingPolicy<T::AccountId>, OptionQuery>;

    /// The votes on each pending submission that has any.
    #[pallet::storage]
    pub type Ballots<T: Config> =
        StorageMap<_, Twox64Concat, SubmissionId, Ballot<T::AccountId>, OptionQuery>;

    /// The extractor version that votes to accept must name.
    #[pallet::storage]
    pub type CurrentExtractor<T> = StorageValue<_, ExtractorVersion, ValueQuery>;

    /// Why this pallet holds OPEN.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Reviewers' seats, on the reviewer.
        Seat,
        /// The bond of a challenge, on the challenger.
        Challenge,
    }

    /// Where accounts serve what they judge with their seats in a pool, for those that say so. Nothing is kept of
    /// who has no seats there.
    #[pallet::storage]
    pub type ServedAt<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        PoolId,
        Blake2_128Concat,
        T::AccountId,
        Addresses,
        OptionQuery,
    >;

    /// How large each pool of seats is.
    #[pallet::storage]
    pub type PoolSizes<T> = StorageMap<_, Twox64Concat, PoolId, PoolSize, ValueQuery>;

    /// Whose seat has a place in a pool, and which of this account's it is. Places have no gaps.
    #[pallet::storage]
    pub type PlacedSeats<T: Config> =
        StorageDoubleMap<_, Twox64Concat, PoolId, Twox64Concat, u32, (T::AccountId, u32)>;

    /// The places of each account's seats.
    #[pallet::storage]
    pub type SeatPlaces<T: Config> =
        StorageDoubleMap<_, Twox64Concat, PoolId, Blake2_128Concat, (T::AccountId, u32), u32>;

    /// Each account's seats in each pool.
    #[pallet::storage]
    pub type Reviewers<T: Config> =
        StorageDoubleMap<_, Twox64Concat, PoolId, Blake2_128Concat, T::AccountId, Seats>;

    /// Seats that wait to enter or leave each pool, by the session in which they are due, first come first.
    #[pallet::storage]
    pub type SeatChanges<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        PoolId,
        Identity,
        (Ordered32, Ordered64),
        SeatChange<T::AccountId>,
    >;

    /// The number of the next of them.
    #[pallet::storage]
    pub type NextChange<T> = StorageValue<_, u64, ValueQuery>;

    /// Seats of a pool that are due in a session.
    #[pallet::storage]
    pub type WaitingSeats<T> =
        StorageDoubleMap<_, Twox64Concat, PoolId, Twox64Concat, Session, u32, ValueQuery>;

    /// Of each pool's size what goes with the seats that wait to leave: they are drawn for challenges alone.
    #[pallet::storage]
    pub type LeavingSizes<T> = StorageMap<_, Twox64Concat, PoolId, PoolSize, ValueQuery>;

    /// The block from which on a modality's pool has been so large, without a break, that its verdicts count beyond
    /// their Datanets when it is [old enough](openledger_primitives::committee::GlobalPool).
    #[pallet::storage]
    pub type LargeSince<T> = StorageMap<_, Twox64Concat, PoolId, BlockNumber>;

    /// Pools that have something to do, by the session from which on, in turn: none delays another by more
    /// than its turn.
    #[pallet::storage]
    pub type Turns<T> = StorageDoubleMap<_, Identity, Ordered32, Identity, Ordered64, PoolId>;

    /// The place of each pool in [`Turns`], for those that have one.
    #[pallet::storage]
    pub type TurnOf<T> = StorageMap<_, Twox64Concat, PoolId, (Session, u64)>;

    /// The number of the next turn.
    #[pallet::storage]
    pub type NextTurn<T> = StorageValue<_, u64, ValueQuery>;

    /// The number of the next draw.
    #[pallet::storage]
    pub type NextDraw<T> = StorageValue<_, DrawId, ValueQuery>;

    /// Every draw that is not over.
    #[pallet::storage]
    pub type Draws<T: Config> = StorageMap<_, Twox64Concat, DrawId, DrawRecord<T::AccountId>>;

    /// The draw that decides on each pending submission, where a committee does.
    #[pallet::storage]
    pub type DrawOf<T> = StorageMap<_, Twox64Concat, SubmissionId, DrawId>;

    /// What members revealed of draws that are not decided.
    #[pallet::storage]
    pub type Reveals<T: Config> =
        StorageDoubleMap<_, Twox64Concat, DrawId, Blake2_128Concat, T::AccountId, Opinions>;

    /// Draws that wait for the seeds of sessions, by the pool that they are made from, in their order.
    #[pallet::storage]
    pub type WaitingDraws<T> =
        StorageDoubleMap<_, Twox64Concat, PoolId, Identity, (Ordered32, Ordered64), ()>;

    /// How many draws wait for the seed of each session.
    #[pallet::storage]
    pub type SessionDraws<T> = StorageMap<_, Twox64Concat, Session, u32, ValueQuery>;

    /// Draws that too few accounts have seats for, by the accounts that a pool must have for them, in their
    /// order. They take no place among others until it has; [`WaitingDraws`] says until when they wait.
    #[pallet::storage]
    pub type ParkedDraws<T> =
        StorageDoubleMap<_, Twox64Concat, PoolId, Identity, (Ordered32, Ordered64), ()>;

    /// The accounts that each of the [`ParkedDraws`] waits for.
    #[pallet::storage]
    pub type Parked<T> = StorageMap<_, Twox64Concat, DrawId, u32>;

    /// The randomness of the sessions whose draws were not all made yet.
    #[pallet::storage]
    pub type Seeds<T> = StorageMap<_, Twox64Concat, Session, Seed>;

    /// The session of the block before.
    #[pallet::storage]
    pub type LastSession<T> = StorageValue<_, Session>;

    /// Draws for which something is due, by block, in their order.
    #[pallet::storage]
    pub type Agenda<T> = StorageDoubleMap<_, Identity, Ordered32, Identity, Ordered64, ()>;

    /// Each Datanet's review budget, from its first payment on.
    #[pallet::storage]
    pub type Budgets<T> = StorageMap<_, Twox64Concat, DatanetId, Budget, ValueQuery>;

    /// How fast each review budget may be used up; [`BudgetTerms::DEFAULT`] without it.
    #[pallet::storage]
    pub type Terms<T> = StorageMap<_, Twox64Concat, DatanetId, BudgetTerms>;

    /// Files that committees were asked about, on the day of the last.
    #[pallet::storage]
    pub type BudgetUse<T> = StorageMap<_, Twox64Concat, DatanetId, DailyQuota, ValueQuery>;

    /// The same of each account.
    #[pallet::storage]
    pub type BudgetShareUse<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Blake2_128Concat,
        T::AccountId,
        DailyQuota,
        ValueQuery,
    >;

    /// What of a Datanet's review budget is set aside for an account's files, as long as any of them are before committees.
    #[pallet::storage]
    pub type ReservedFor<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        DatanetId,
        Blake2_128Concat,
        T::AccountId,
        Balance,
        ValueQuery,
    >;

    /// Genesis values.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// The extractor version that votes to accept must name, 2 or above: leaves of version 1
        /// have a shape that is not written any more.
        pub extractor: ExtractorVersion,
        /// Marks the runtime.
        #[serde(skip)]
        pub marker: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self { extractor: EXTRACTOR, marker: core::marker::PhantomData }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                self.extractor > FIRST_EXTRACTOR,
                "the chain's extractor is version 2 or above"
            );
            CurrentExtractor::<T>::put(self.extractor);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::begin_block()
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// Who decides on a Datanet's files now.
        pub fn policy_of(datanet: DatanetId) -> Option<ReviewPolicy<T::AccountId>> {
            Self::policy(datanet)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Votes on the pending submission number `submission` of the file `sha256`, or changes the
        /// signer's vote. A changed vote counts as cast now. One that replaces a vote of the signer
        /// which a raised extractor set aside costs no fee, if it succeeds.
        ///
        /// # Errors
        ///
        /// `OtherExtractor`, `NotPending`, `StaleSubmission`, `NotCurator`, `OwnSubmission`,
        /// `TooManyUnits`, `NoTextRoot`, `UnexpectedTextRoot`; or whatever [`Config::OnVerdict`]
        /// says of the verdict that this vote would bring.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::vote())]
        pub fn vote(
            origin: OriginFor<T>,
            datanet: DatanetId,
            sha256: FileHash,
            submission: SubmissionId,
            verdict: Verdict,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let cast = Self::do_vote(who, datanet, sha256, submission, verdict)?;
            let actual_weight = cast.weight::<T::WeightInfo>();
            Ok(PostDispatchInfo { actual_weight, pays_fee: cast.pays })
        }

        /// Replaces the policy of a Datanet: at once, or, where money waits for its verdicts, from the
        /// block that [`Config::Funders`] names. The policy that the Datanet has calls off the one that
        /// waits. Signed by its owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotOwner`, `SamePolicy`, `NoMembers`, `RepeatedMember`, `InvalidThreshold`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_policy())]
        pub fn set_policy(
            origin: OriginFor<T>,
            datanet: DatanetId,
            policy: ReviewPolicy<T::AccountId>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_policy(who, datanet, policy)
        }

        /// Makes `extractor`, the next version, the one that votes to accept must name. Signed by
        /// root, when the release that brings this version is out.
        ///
        /// # Errors
        ///
        /// `NotNextExtractor`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::raise_extractor())]
        pub fn raise_extractor(
            origin: OriginFor<T>,
            extractor: ExtractorVersion,
        ) -> DispatchResult {
            ensure_root(origin)?;
            Self::do_raise_extractor(extractor)
        }

        /// Votes on 1 to 20 pending submissions, each as by [`vote`](Pallet::vote). A vote that is
        /// refused is said by [`Event::VoteRefused`] and keeps none of the others back.
        ///
        /// # Errors
        ///
        /// `NoVotes`; or the first vote's error, if every one is refused.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::vote_many(votes.len() as u32))]
        pub fn vote_many(
            origin: OriginFor<T>,
            votes: BoundedVec<CastVote, ConstU32<MAX_VOTES>>,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let cast = Self::do_vote_many(who, votes)?;
            let actual_weight = Some(cast.weight::<T::WeightInfo>());
            Ok(PostDispatchInfo { actual_weight, pays_fee: cast.pays })
        }

        /// Ends the signer's part in a Datanet's verdicts. Where fewer curators are left than had to
        /// agree, all of them must; while others have paid into its pool that waits as another policy
        /// does, and the signer is a curator until then.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotCurator`, `LastCurator`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::resign())]
        pub fn resign(origin: OriginFor<T>, datanet: DatanetId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_resign(who, datanet)
        }

        /// Bonds 1 to 64 seats in a pool: their price is held on the signer, with what earlier ones have
        /// lost. They enter after [`Config::Lengths`], and the fee covers the work of that. One seat of an account of which
        /// none waits is taken however many of others do.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `DatanetClosed`, `SeatCount`, `SeatQueueFull`; or the signer cannot pay.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::bond_seats(*seats))]
        pub fn bond_seats(origin: OriginFor<T>, pool: PoolId, seats: u32) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_bond_seats(who, pool, seats)
        }

        /// Gives 1 to 64 seats up. From the session after the next on they are drawn for challenges alone, and after
        /// [`Config::Lengths`] they leave their pool.
        ///
        /// # Errors
        ///
        /// `NoSeats`, `SeatCount`, `SeatsLeaving`, `SeatQueueFull`.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::bond_seats(*seats))]
        pub fn unbond_seats(origin: OriginFor<T>, pool: PoolId, seats: u32) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_unbond_seats(who, pool, seats)
        }

        /// Pays back seats that have left their pool, when every draw that was judged with them is over.
        ///
        /// # Errors
        ///
        /// `NoSeats`, `SeatsNotLeft`, `SeatsJudging`.
        #[pallet::call_index(12)]
        // The last one takes with it where its account serves, whether that says so or not.
        #[pallet::weight(T::WeightInfo::withdraw_seats().saturating_add(T::DbWeight::get().writes(1)))]
        pub fn withdraw_seats(origin: OriginFor<T>, pool: PoolId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw_seats(who, pool)
        }

        /// Bonds anew what the signer's seats in a pool have lost, so that all of them are drawn again.
        ///
        /// # Errors
        ///
        /// `NoSeats`, `NothingLost`, `SeedStands` while draws wait whose committees anyone can compute; or the signer
        /// cannot pay.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::top_up())]
        pub fn top_up(origin: OriginFor<T>, pool: PoolId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_top_up(who, pool)
        }

        /// Commits to the signer's opinions on every file of a draw, by
        /// [`commitment`](openledger_primitives::committee::commitment). No fee if it succeeds.
        ///
        /// # Errors
        ///
        /// `UnknownDraw`, `WrongPhase`, `TooLate`, `NotMember`, `AlreadyCommitted`.
        #[pallet::call_index(14)]
        #[pallet::weight((T::WeightInfo::commit(), DispatchClass::Operational))]
        pub fn commit(
            origin: OriginFor<T>,
            draw: DrawId,
            commitment: H256,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_commit(who, draw, commitment)?;
            Ok(Pays::No.into())
        }

        /// Shows what the signer committed to: a word on each file, in their order. No fee if it succeeds.
        ///
        /// # Errors
        ///
        /// `UnknownDraw`, `WrongPhase`, `TooLate`, `NotMember`, `NotCommitted`, `AlreadyRevealed`,
        /// `OtherFiles`, `OtherCommitment`.
        #[pallet::call_index(15)]
        #[pallet::weight((T::WeightInfo::reveal(), DispatchClass::Operational))]
        pub fn reveal(
            origin: OriginFor<T>,
            draw: DrawId,
            opinions: Opinions,
            salt: Salt,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_reveal(who, draw, opinions, salt)?;
            Ok(Pays::No.into())
        }

        /// Challenges the verdict on a file of a draw, counted from 0, before a committee three times the
        /// size, whose word is final. A bond is held on the signer.
        ///
        /// # Errors
        ///
        /// `UnknownDraw`, `WrongPhase`, `TooLate`, `NoFile`, `AlreadyChallenged`, `NotContributor`,
        /// `OwnVerdict`; or the signer cannot pay the bond.
        #[pallet::call_index(16)]
        #[pallet::weight((T::WeightInfo::challenge(), DispatchClass::Operational))]
        pub fn challenge(origin: OriginFor<T>, draw: DrawId, file: u8) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_challenge(who, draw, file)
        }

        /// Does what is due for seats and draws, as the start of each block does: nothing waits for somebody.
        /// No fee if something was due.
        ///
        /// # Errors
        ///
        /// `NothingDue`.
        #[pallet::call_index(17)]
        #[pallet::weight((T::WeightInfo::advance(), DispatchClass::Operational))]
        pub fn advance(origin: OriginFor<T>) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_advance()?;
            Ok(Pays::No.into())
        }

        /// Brings pending files of one contributor before a committee that nobody decides on since the
        /// Datanet's policy changed. Votes that curators cast on them are forgotten.
        ///
        /// # Errors
        ///
        /// `NoCommittee`, `NotPending`, `AlreadyBeforeCommittee`, `OtherContributor`, `NoFile` for none,
        /// or several times one, `BudgetTooLow` where the review budget does not cover them, `Overflow`.
        #[pallet::call_index(18)]
        #[pallet::weight(T::WeightInfo::request_review(files.len() as u32))]
        pub fn request_review(
            origin: OriginFor<T>,
            datanet: DatanetId,
            files: BoundedVec<FileHash, ConstU32<MAX_ITEMS>>,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_request_review(datanet, files)
        }

        /// Pays into a Datanet's review budget. Signed by its owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotOwner`, `BudgetTooLow`, `Overflow`; or the signer cannot pay.
        #[pallet::call_index(19)]
        #[pallet::weight(T::WeightInfo::fund_budget())]
        pub fn fund_budget(
            origin: OriginFor<T>,
            datanet: DatanetId,
            amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_fund_budget(who, datanet, amount)
        }

        /// Takes back what is not set aside of a Datanet's review budget. Signed by its owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotOwner`, `BudgetTooLow`.
        #[pallet::call_index(20)]
        #[pallet::weight(T::WeightInfo::fund_budget())]
        pub fn take_back(
            origin: OriginFor<T>,
            datanet: DatanetId,
            amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_take_back(who, datanet, amount)
        }

        /// Says how many files a UTC day a Datanet's review budget pays for, and percent of them for one
        /// account. Signed by its owner.
        ///
        /// # Errors
        ///
        /// `UnknownDatanet`, `NotOwner`, `InvalidBudgetTerms`.
        #[pallet::call_index(21)]
        #[pallet::weight(T::WeightInfo::set_budget_terms())]
        pub fn set_budget_terms(
            origin: OriginFor<T>,
            datanet: DatanetId,
            terms: BudgetTerms,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_budget_terms(who, datanet, terms)
        }

        /// Says where the signer serves what it judges with its seats in a pool: up to 4 multiaddrs, instead of those of
        /// before; none for nowhere. They are forgotten with its last seat there. Others fetch files from there, for
        /// whose being there the signer answers once it has accepted them.
        ///
        /// # Errors
        ///
        /// `NoSeats`, `InvalidAddress`.
        #[pallet::call_index(22)]
        #[pallet::weight(T::WeightInfo::serve_at())]
        pub fn serve_at(
            origin: OriginFor<T>,
            pool: PoolId,
            addresses: Addresses,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_serve_at(who, pool, addresses)
        }
    }
}
