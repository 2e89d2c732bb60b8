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
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod config;
mod entries;
mod errors;
mod events;
mod extension;
mod impls;
mod measured;
pub mod migrations;
mod nonce;
mod owner_impls;
mod range;
mod reads;
mod settle;
mod storage;
mod submit_impls;
mod try_state;
pub mod types;
pub mod weights;

use frame_support::pallet_macros::import_section;

pub use entries::MAX_CLEARED;
pub use extension::AdmitSubmission;
pub use nonce::{CheckNonce, ROOM_FOR_OTHERS};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// The code that the macro writes for storage and metadata uses `expect`; ours stays without.
#[allow(clippy::expect_used)]
#[import_section(config::config)]
#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(storage::storage)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{
        dispatch::{Pays, PostDispatchInfo},
        pallet_prelude::*,
        traits::{
            fungible::{hold, Inspect, Mutate},
            Time,
        },
    };
    use frame_system::pallet_prelude::*;
    use openledger_primitives::{
        api::{QuotaStatus, SubmissionItem},
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

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            // What `on_finalize` will do.
            T::DbWeight::get().writes(1)
        }

        fn on_idle(_: BlockNumberFor<T>, room: Weight) -> Weight {
            let used = Self::forget_refusals(room);
            used.saturating_add(Self::list_leaves(room.saturating_sub(used)))
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            FeelessUsed::<T>::kill();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What an account may submit today, and what it has used of it.
        pub fn quota_of(contributor: T::AccountId) -> QuotaStatus {
            Self::quota(&contributor)
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
        pub fn register(origin: OriginFor<T>) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let sponsored = Contributors::<T>::contains_key(&who);
            Self::do_register_self(who)?;
            // No stake came over from anybody.
            Ok((!sponsored).then(T::WeightInfo::register_for).into())
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
        #[pallet::weight(T::WeightInfo::clear_entries(MAX_CLEARED))]
        pub fn clear_entries(
            origin: OriginFor<T>,
            datanet: DatanetId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let cleared = Self::do_clear_entries(datanet)?;
            let actual_weight = Some(T::WeightInfo::clear_entries(cleared));
            Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::No })
        }
    }
}
