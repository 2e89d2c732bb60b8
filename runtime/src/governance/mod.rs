//! How the network decides: referenda in which OPEN votes with conviction, and what they may do.
//!
//! | what | where |
//! |---|---|
//! | what a referendum acts as | [`origins`] |
//! | how long it takes and how many must agree | [`tracks`] |
//! | accounts that act for others | [`proxies`] |
//! | which OPEN votes | [`votes`] |
//! | every pallet's configuration | here |
//!
//! The same pallets serve every network, with or without a sudo key: how long a day of governance is comes from
//! genesis ([`crate::parameters::GovernanceDay`]).

pub mod origins;
pub mod proxies;
pub mod tracks;
pub mod votes;

use crate::{
    configs::{RuntimeBlockWeights, TreasuryPot},
    fees::TREASURY_ID,
    parameters::GovernanceDays,
    AccountId, Balance, Balances, BlockNumber, OriginCaller, Preimage, Referenda, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, Scheduler, System, Treasury,
};
use frame_support::{
    parameter_types,
    traits::{
        fungible::{HoldConsideration, Mutate},
        tokens::{Pay, PaymentStatus, Preservation, UnityAssetBalanceConversion},
        AsEnsureOriginWithArg, ConstU128, ConstU32, EitherOf, EqualPrivilegeOnly, Get,
        LinearStoragePrice,
    },
    weights::Weight,
    PalletId,
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess, EnsureSigned};
use openledger_primitives::OPEN;
use origins::{GeneralAdmin, Spender};
use sp_runtime::{traits::IdentityLookup, DispatchError, Perbill, Permill};

parameter_types! {
    /// Scheduled calls leave a fifth of a block to what is sent.
    pub MaximumSchedulerWeight: Weight =
        Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
    pub const PreimageHold: RuntimeHoldReason =
        RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
    pub const TreasuryPalletId: PalletId = TREASURY_ID;
    pub const NoBurn: Permill = Permill::zero();
    pub const AnyAmount: Balance = Balance::MAX;
}

/// OPEN that may vote: what is issued less what the treasury holds.
pub type VotingOpen = frame_support::traits::ActiveIssuanceOf<Balances, AccountId>;

/// Held for a preimage, until its owner takes it back,
pub type PreimageBase = ConstU128<{ OPEN / 10 }>;
/// and for each of its bytes.
pub type PreimageByte = ConstU128<{ OPEN / 10_000 }>;

impl pallet_preimage::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type Consideration = HoldConsideration<
        AccountId,
        Balances,
        PreimageHold,
        LinearStoragePrice<PreimageBase, PreimageByte, Balance>,
    >;
}

impl pallet_scheduler::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeOrigin = RuntimeOrigin;
    type PalletsOrigin = OriginCaller;
    type RuntimeCall = RuntimeCall;
    type MaximumWeight = MaximumSchedulerWeight;
    type ScheduleOrigin = EnsureRoot<AccountId>;
    type OriginPrivilegeCmp = EqualPrivilegeOnly;
    type MaxScheduledPerBlock = ConstU32<50>;
    type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}

impl pallet_referenda::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
    type Scheduler = Scheduler;
    type Currency = Balances;
    type SubmitOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type CancelOrigin = EitherOf<EnsureRoot<AccountId>, GeneralAdmin>;
    type KillOrigin = EitherOf<EnsureRoot<AccountId>, GeneralAdmin>;
    type Slash = Treasury;
    type Votes = pallet_conviction_voting::VotesOf<Runtime>;
    type Tally = pallet_conviction_voting::TallyOf<Runtime>;
    type SubmissionDeposit = ConstU128<OPEN>;
    type MaxQueued = ConstU32<100>;
    type UndecidingTimeout = GovernanceDays<Runtime, 14>;
    type AlarmInterval = frame_support::traits::ConstU32<1>;
    type Tracks = tracks::Tracks;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}

impl pallet_conviction_voting::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
    type Currency = votes::VotingBalances;
    type Polls = Referenda;
    type MaxTurnout = VotingOpen;
    type MaxVotes = ConstU32<128>;
    type VoteLockingPeriod = GovernanceDays<Runtime, 7>;
    type BlockNumberProvider = System;
    type VotingHooks = ();
}

impl origins::Config for Runtime {}

impl pallet_treasury::Config for Runtime {
    type Currency = Balances;
    type RejectOrigin = EitherOf<EnsureRoot<AccountId>, GeneralAdmin>;
    type RuntimeEvent = RuntimeEvent;
    type SpendPeriod = GovernanceDays<Runtime, 1>;
    // Nothing is ever burned: issuance is what genesis endowed.
    type Burn = NoBurn;
    type PalletId = TreasuryPalletId;
    type BurnDestination = ();
    type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
    type SpendFunds = ();
    // `spend_local` is deprecated; none is ever approved, `spend` takes its place.
    type MaxApprovals = ConstU32<0>;
    type SpendOrigin = EitherOf<EnsureRootWithSuccess<AccountId, AnyAmount>, Spender>;
    type AssetKind = ();
    type Beneficiary = AccountId;
    type BeneficiaryLookup = IdentityLookup<AccountId>;
    type Paymaster = FromTreasury;
    type BalanceConverter = UnityAssetBalanceConversion;
    type PayoutPeriod = GovernanceDays<Runtime, 30>;
    type BlockNumberProvider = System;
}

/// Pays what a referendum has approved. The treasury's account always stays, since fees and dust have to go
/// somewhere.
pub struct FromTreasury;

impl Pay for FromTreasury {
    type Balance = Balance;
    type Beneficiary = AccountId;
    type AssetKind = ();
    type Id = ();
    type Error = DispatchError;

    fn pay(who: &AccountId, (): (), amount: Balance) -> Result<(), DispatchError> {
        Balances::transfer(&TreasuryPot::get(), who, amount, Preservation::Preserve).map(drop)
    }

    fn check_payment((): ()) -> PaymentStatus {
        PaymentStatus::Success
    }
}

impl pallet_proxy::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type ProxyType = proxies::ProxyType;
    type ProxyDepositBase = ConstU128<{ OPEN / 10 }>;
    type ProxyDepositFactor = ConstU128<{ OPEN / 100 }>;
    type MaxProxies = ConstU32<32>;
    type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
    type MaxPending = ConstU32<32>;
    type CallHasher = sp_runtime::traits::BlakeTwo256;
    type AnnouncementDepositBase = ConstU128<{ OPEN / 10 }>;
    type AnnouncementDepositFactor = ConstU128<{ OPEN / 50 }>;
    type BlockNumberProvider = System;
}

impl pallet_multisig::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type DepositBase = ConstU128<{ OPEN / 10 }>;
    type DepositFactor = ConstU128<{ OPEN / 100 }>;
    type MaxSignatories = ConstU32<100>;
    type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
    type BlockNumberProvider = System;
}

/// Blocks of `N` days of governance.
pub fn days<const N: BlockNumber>() -> BlockNumber {
    GovernanceDays::<Runtime, N>::get()
}
