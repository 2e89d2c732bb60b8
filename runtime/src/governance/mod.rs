//! How the network decides: referenda in which OPEN votes with conviction, and what they may do.
//!
//! | what | where |
//! |---|---|
//! | what a referendum acts as | [`origins`] |
//! | how long it takes and how many must agree | [`tracks`] |
//! | accounts that act for others | [`proxies`] |
//! | which OPEN votes | [`votes`] |
//! | when what was decided is carried out | [`calendar`] |
//! | every pallet's configuration | here |
//!
//! The same pallets serve every network, with or without a sudo key: how long a day of governance is comes from
//! genesis ([`crate::parameters::GovernanceDay`]).

pub mod calendar;
pub mod origins;
pub mod proxies;
pub mod tracks;
pub mod votes;

use crate::{
    configs::{RuntimeBlockWeights, TreasuryPot},
    fees::TREASURY_ID,
    parameters::GovernanceDays,
    AccountId, Balance, Balances, BlockNumber, OriginCaller, Preimage, Referenda, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, System, Treasury,
};
use frame_support::{
    parameter_types,
    traits::{
        fungible::{HoldConsideration, Mutate},
        tokens::{Pay, PaymentStatus, Preservation, UnityAssetBalanceConversion},
        AsEnsureOriginWithArg, ConstU128, ConstU32, EitherOf, EnsureOrigin, EqualPrivilegeOnly,
        Get, LinearStoragePrice,
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
    type MaxScheduledPerBlock = ConstU32<{ calendar::PLACES }>;
    type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}

impl pallet_referenda::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = calendar::Weights;
    type Scheduler = calendar::Calendar;
    type Currency = Balances;
    type SubmitOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type CancelOrigin = EitherOf<EnsureRoot<AccountId>, GeneralAdmin>;
    type KillOrigin = EitherOf<EnsureRoot<AccountId>, GeneralAdmin>;
    type Slash = Treasury;
    type Votes = pallet_conviction_voting::VotesOf<Runtime>;
    type Tally = pallet_conviction_voting::TallyOf<Runtime>;
    type SubmissionDeposit = ConstU128<OPEN>;
    type MaxQueued = ConstU32<100>;
    // Longer than a root referendum is prepared and decided: what waits for a place outlasts who holds it.
    type UndecidingTimeout = GovernanceDays<Runtime, 28>;
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
    type SpendOrigin = Payable<EitherOf<EnsureRootWithSuccess<AccountId, AnyAmount>, Spender>>;
    type AssetKind = ();
    type Beneficiary = AccountId;
    type BeneficiaryLookup = IdentityLookup<AccountId>;
    type Paymaster = FromTreasury;
    type BalanceConverter = UnityAssetBalanceConversion;
    type PayoutPeriod = GovernanceDays<Runtime, 30>;
    type BlockNumberProvider = System;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

/// Days of governance of the treasury's periods.
pub const SPEND_PERIOD: BlockNumber = 28;

/// Of the OPEN that may vote, what all spends of a period together are paid at most.
pub const SPEND_SHARE: Perbill = Perbill::from_percent(5);

/// How much spends are paid in the treasury's current period, and may be.
///
/// The treasury may hold a hundred times what may vote, so what a spend takes in votes says little about what
/// it brings: few could vote it to themselves, again and again. So no period pays out more than a part of
/// what may vote, which the support that a spend needs is a part of as well, however many are approved.
pub struct PaidInPeriod;

impl PaidInPeriod {
    /// The current period, and what was paid in it.
    fn current() -> (BlockNumber, Balance) {
        let period = System::block_number() / days::<SPEND_PERIOD>().max(1);
        match origins::Paid::<Runtime>::get() {
            (last, paid) if last == period => (period, paid),
            _ => (period, 0),
        }
    }

    /// Most that spends are paid in a period.
    pub fn limit() -> Balance {
        SPEND_SHARE.mul_floor(VotingOpen::get())
    }

    /// What spends may still be paid in the current period.
    pub fn left() -> Balance {
        Self::limit().saturating_sub(Self::current().1)
    }

    fn note(amount: Balance) -> Result<(), DispatchError> {
        let (period, paid) = Self::current();
        let paid = paid.checked_add(amount).filter(|paid| *paid <= Self::limit());
        origins::Paid::<Runtime>::put((period, paid.ok_or(DispatchError::Exhausted)?));
        Ok(())
    }
}

/// Lets through whom `E` does, for no more than a period pays: what no period can pay is not approved.
pub struct Payable<E>(core::marker::PhantomData<E>);

impl<E: EnsureOrigin<RuntimeOrigin, Success = Balance>> EnsureOrigin<RuntimeOrigin> for Payable<E> {
    type Success = Balance;

    fn try_origin(origin: RuntimeOrigin) -> Result<Balance, RuntimeOrigin> {
        E::try_origin(origin).map(|most| most.min(PaidInPeriod::limit()))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
        E::try_successful_origin()
    }
}

/// Pays what a referendum has approved, as far as [`PaidInPeriod`] goes. The treasury's account always stays,
/// since fees and dust have to go somewhere.
pub struct FromTreasury;

impl Pay for FromTreasury {
    type Balance = Balance;
    type Beneficiary = AccountId;
    type AssetKind = ();
    type Id = ();
    type Error = DispatchError;

    fn pay(who: &AccountId, (): (), amount: Balance) -> Result<(), DispatchError> {
        PaidInPeriod::note(amount)?;
        Balances::transfer(&TreasuryPot::get(), who, amount, Preservation::Preserve).map(drop)
    }

    fn check_payment((): ()) -> PaymentStatus {
        PaymentStatus::Success
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn ensure_successful(_: &AccountId, (): (), amount: Balance) {
        Balances::set_balance(&TreasuryPot::get(), amount.saturating_mul(2));
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn ensure_concluded((): ()) {}
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
