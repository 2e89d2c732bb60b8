//! # Review
//!
//! Decides on the files submitted to Datanets. A Datanet's policy says who may vote and how many must
//! agree. Today there is one kind: [`ReviewPolicy::Curators`], accounts that the Datanet's owner named.
//! Their verdicts count on that Datanet only, and readers are shown that they are the owner's choice.
//!
//! ## From votes to a verdict
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
pub mod migrations;
mod tally;
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// The code that the macro writes for storage and metadata uses `expect`; ours stays without.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        traits::{FunderNotice, OnVerdict, Submissions},
        verdict::FIRST_EXTRACTOR,
        BlockNumber, DatanetId, ExtractorVersion, FileHash, ReviewPolicy, SubmissionId, Verdict,
        EXTRACTOR,
    };

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

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
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
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

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A Datanet has a new policy.
        PolicySet {
            /// The Datanet.
            datanet: DatanetId,
        },
        /// A curator voted, for the first time or anew.
        Voted {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission.
            submission: SubmissionId,
            /// Who voted.
            curator: T::AccountId,
            /// Whether the vote took the place of an earlier one of the same curator.
            replaced: bool,
            /// The vote.
            verdict: Verdict,
        },
        /// Enough votes agreed.
        Decided {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission.
            submission: SubmissionId,
            /// Whether the file was accepted.
            accepted: bool,
        },
        /// Votes to accept name another extractor from now on; earlier ones do not count.
        ExtractorRaised {
            /// Its version.
            extractor: ExtractorVersion,
        },
        /// Another policy waits to take the place of a Datanet's.
        PolicyAnnounced {
            /// The Datanet.
            datanet: DatanetId,
            /// The first block in which it counts.
            from: BlockNumber,
        },
        /// The policy that waited does not come: the Datanet keeps the one it has.
        PolicyKept {
            /// The Datanet.
            datanet: DatanetId,
        },
        /// One of several votes was refused; the others count.
        VoteRefused {
            /// The Datanet.
            datanet: DatanetId,
            /// The submission.
            submission: SubmissionId,
            /// Who voted.
            curator: T::AccountId,
            /// Why.
            error: DispatchError,
        },
        /// A curator resigned.
        CuratorResigned {
            /// The Datanet.
            datanet: DatanetId,
            /// Who.
            curator: T::AccountId,
            /// How many of those who are left must agree.
            threshold: u8,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no Datanet of that number.
        UnknownDatanet,
        /// Only the Datanet's owner may do this.
        NotOwner,
        /// A policy names at least one curator.
        NoMembers,
        /// A policy names no curator twice.
        RepeatedMember,
        /// A policy's threshold is 1 to the number of its curators.
        InvalidThreshold,
        /// No submission of that file waits for a verdict.
        NotPending,
        /// The file waits under another submission number than the vote names: it was submitted anew.
        StaleSubmission,
        /// The signer is not a curator of this Datanet.
        NotCurator,
        /// Nobody votes on a file of its own.
        OwnSubmission,
        /// The ballot is full. A policy has as many curators as a ballot has room, so this means
        /// corrupted state.
        BallotFull,
        /// The file was measured by another extractor version than the chain's current one.
        OtherExtractor,
        /// The extractor is raised by one version at a time.
        NotNextExtractor,
        /// The vote claims more units than a file of this format and size can hold.
        TooManyUnits,
        /// The vote claims a text without the root over its chunks.
        NoTextRoot,
        /// The vote claims a text root for an image or sound, which have none.
        UnexpectedTextRoot,
        /// The Datanet has this policy, and no other waits.
        SamePolicy,
        /// The call holds no vote.
        NoVotes,
        /// Nobody would be left who decides; the owner names another curator first.
        LastCurator,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
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
            let pays = Self::do_vote(who, datanet, sha256, submission, verdict)?;
            Ok(pays.into())
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
            let pays = Self::do_vote_many(who, votes)?;
            Ok(pays.into())
        }

        /// Ends the signer's part in a Datanet's verdicts. Where fewer curators are left than had to
        /// agree, all of them must.
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
    }
}
