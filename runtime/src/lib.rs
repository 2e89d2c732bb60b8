//! The OpenLedger runtime: the pallets put together.
//!
//! | what | where |
//! |---|---|
//! | every pallet's configuration | [`configs`] |
//! | fees: 20 % block author, 60 % stakers, 20 % treasury | [`fees`] |
//! | validators, nominators, nomination pools, elections, slashes | [`staking`] |
//! | values that differ between networks but share one blob | [`parameters`] |
//! | referenda, treasury, proxies and multisigs | [`governance`] |
//! | `development` and `local` genesis | [`genesis_presets`] |
//! | runtime APIs | [`apis`] |
//! | what an upgrade changes in storage | [`migrations`] |
//!
//! Nothing here mints OPEN: total issuance is what genesis endowed, checked by
//! [`parameters::Pallet::do_try_state`].

#![cfg_attr(not(feature = "std"), no_std)]
// The macros that put this many pallets together nest deeper than the compiler allows by itself.
#![recursion_limit = "256"]
// The FRAME macros write public items without documentation.
#![allow(missing_docs)]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod configs;
pub mod fees;
pub mod genesis_presets;
pub mod governance;
pub mod migrations;
pub mod parameters;
pub mod staking;

// The macros below expect it in scope.
#[cfg(not(feature = "std"))]
use alloc::vec::Vec;
use sp_runtime::{
    generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::{runtime_version, RuntimeVersion};

pub use openledger_primitives::{Balance, BlockNumber};

/// Milliseconds in a slot.
pub const SLOT_MILLISECONDS: u64 = 3_000;
/// Slots in an hour.
pub const HOUR: BlockNumber = (60 * 60 * 1_000 / SLOT_MILLISECONDS) as BlockNumber;
/// Slots in a day.
pub const DAY: BlockNumber = 24 * HOUR;

/// Signatures of any of the three usual schemes.
pub type Signature = MultiSignature;
/// Account ids: public keys or their hashes.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Number of transactions an account has sent.
pub type Nonce = u32;
/// Block hashes.
pub type Hash = sp_core::H256;
/// How transactions name accounts.
pub type Address = MultiAddress<AccountId, ()>;
/// Block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A block whose transactions stay undecoded: what the node handles, and what JSON-RPC shows as
/// hexadecimal strings. It outlives changes of the runtime.
pub type OpaqueBlock = generic::Block<Header, sp_runtime::OpaqueExtrinsic>;

/// What every transaction passes, in this order. The order is part of the signed shape and pinned
/// by a test. [`pallet_datanets::AdmitSubmission`] has an empty payload, so that wallets which
/// never heard of it can sign; [`pallet_datanets::CheckNonce`] has name and bytes of the system's.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    pallet_datanets::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_skip_feeless_payment::SkipCheckIfFeeless<
        Runtime,
        pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    >,
    pallet_datanets::AdmitSubmission<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);

/// A transaction or inherent.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a signature is over.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// Runs blocks.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

impl_opaque_keys! {
    /// A validator's keys for a session.
    pub struct SessionKeys {
        /// Authors blocks.
        pub babe: pallet_babe::Pallet<Runtime>,
        /// Finalises them.
        pub grandpa: pallet_grandpa::Pallet<Runtime>,
    }
}

/// Version of this runtime.
#[runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: alloc::borrow::Cow::Borrowed("openledger"),
    impl_name: alloc::borrow::Cow::Borrowed("openledger"),
    authoring_version: 1,
    spec_version: 104,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 3,
    system_version: 1,
};

/// BABE from the first block: slots without a primary author get a VRF-drawn secondary one.
pub const BABE_EPOCH: sp_consensus_babe::BabeEpochConfiguration =
    sp_consensus_babe::BabeEpochConfiguration {
        c: (1, 4),
        allowed_slots: sp_consensus_babe::AllowedSlots::PrimaryAndSecondaryVRFSlots,
    };

/// The pallets and their indices. An index is part of every encoded call: never reuse one.
// In the order below, and not of indices, which genesis and hooks follow: the session's genesis asks staking's for
// whom it has elected.
#[frame_support::runtime(legacy_ordering)]
mod runtime {
    /// The runtime.
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type ChainParameters = crate::parameters;
    #[runtime::pallet_index(3)]
    pub type Babe = pallet_babe;
    #[runtime::pallet_index(4)]
    pub type Authorship = pallet_authorship;
    #[runtime::pallet_index(5)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(6)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(7)]
    pub type SkipFeelessPayment = pallet_skip_feeless_payment;
    #[runtime::pallet_index(40)]
    pub type Staking = pallet_staking;
    #[runtime::pallet_index(41)]
    pub type Offences = pallet_offences;
    #[runtime::pallet_index(42)]
    pub type Historical = pallet_session::historical;
    #[runtime::pallet_index(8)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(9)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(10)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(11)]
    pub type Sudo = pallet_sudo;

    #[runtime::pallet_index(20)]
    pub type Datanets = pallet_datanets;
    #[runtime::pallet_index(21)]
    pub type Review = pallet_review;
    #[runtime::pallet_index(22)]
    pub type Leaderboard = pallet_leaderboard;
    #[runtime::pallet_index(23)]
    pub type Training = pallet_training;

    #[runtime::pallet_index(30)]
    pub type Preimage = pallet_preimage;
    #[runtime::pallet_index(31)]
    pub type Scheduler = pallet_scheduler;
    #[runtime::pallet_index(32)]
    pub type Referenda = pallet_referenda;
    #[runtime::pallet_index(33)]
    pub type ConvictionVoting = pallet_conviction_voting;
    #[runtime::pallet_index(34)]
    pub type Origins = crate::governance::origins;
    #[runtime::pallet_index(35)]
    pub type Treasury = pallet_treasury;
    #[runtime::pallet_index(36)]
    pub type Proxy = pallet_proxy;
    #[runtime::pallet_index(37)]
    pub type Multisig = pallet_multisig;
    #[runtime::pallet_index(43)]
    pub type BagsList = pallet_bags_list;
    #[runtime::pallet_index(44)]
    pub type EraPot = crate::staking::pot;
    #[runtime::pallet_index(45)]
    pub type NominationPools = pallet_nomination_pools;
    #[runtime::pallet_index(46)]
    pub type DelegatedStaking = pallet_delegated_staking;
}
