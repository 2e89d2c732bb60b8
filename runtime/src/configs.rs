//! Every pallet's configuration.

use crate::{
    fees::{DustToTreasury, ExecutionFee, FollowBlocks, LengthFee, SplitFee, TreasuryAccount},
    parameters::{
        ChallengeWindow, CommitteeLengths, DeadAfter, EpochLength, FunderNotice, GlobalPool,
        RewardPeriod, WorkerNotice,
    },
    staking::{
        BabeReports, GrandpaReports, KeyOwnerProof, SetIdSessions, MAX_VALIDATORS, MAX_VOTERS,
    },
    AccountId, Babe, Balance, Balances, Block, BlockNumber, Datanets, Hash, Leaderboard, Nonce,
    PalletInfo, Review, Runtime, RuntimeCall, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason,
    RuntimeOrigin, RuntimeTask, Session, SessionKeys, Staking, System, Timestamp, DAY, HOUR,
    SLOT_MILLISECONDS, VERSION,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU128, ConstU32, ConstU64, ConstU8, Contains, Randomness, VariantCountOf},
    weights::{
        constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND},
        Weight,
    },
    PalletId,
};
use frame_system::limits::{BlockLength, BlockWeights};
use openledger_primitives::{committee::Rules, QuotaLimits, EXISTENTIAL_DEPOSIT, OPEN};
use sp_runtime::{
    traits::{BlakeTwo256, Hash as _},
    Perbill,
};

/// Share of a block for everything but operational calls.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

parameter_types! {
    pub const BlockHashCount: BlockNumber = 2_400;
    pub const Version: sp_version::RuntimeVersion = VERSION;
    /// A second of the three that a slot has.
    pub RuntimeBlockWeights: BlockWeights = BlockWeights::with_sensible_defaults(
        Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND, u64::MAX),
        NORMAL_DISPATCH_RATIO,
    );
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(5 * 1024 * 1024)
        .modify_max_length_for_class(frame_support::dispatch::DispatchClass::Normal, |length| {
            *length = NORMAL_DISPATCH_RATIO * *length
        })
        .build();
    pub const SS58Prefix: u8 = 42;
}

/// What others than root may call, whom no filter holds: nothing that burns, so that what genesis issued stays to the
/// planck, and nothing of staking that is [root's](crate::staking::is_for_root).
pub struct Callable;

impl Contains<RuntimeCall> for Callable {
    fn contains(call: &RuntimeCall) -> bool {
        match call {
            RuntimeCall::Balances(pallet_balances::Call::burn { .. }) => false,
            RuntimeCall::Staking(call) => !crate::staking::is_for_root(call),
            _ => true,
        }
    }
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type BaseCallFilter = Callable;
    type Block = Block;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type AccountId = AccountId;
    type Nonce = Nonce;
    type BlockHashCount = BlockHashCount;
    type DbWeight = ParityDbWeight;
    type Version = Version;
    type AccountData = pallet_balances::AccountData<Balance>;
    type SS58Prefix = SS58Prefix;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    type MaxConsumers = ConstU32<16>;
    type SingleBlockMigrations = crate::migrations::SingleBlock;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Babe;
    type MinimumPeriod = ConstU64<{ SLOT_MILLISECONDS / 2 }>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl crate::parameters::Config for Runtime {}

impl pallet_babe::Config for Runtime {
    type EpochDuration = EpochLength<Runtime>;
    type ExpectedBlockTime = ConstU64<SLOT_MILLISECONDS>;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type DisabledValidators = Session;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<MAX_VOTERS>;
    type KeyOwnerProof = KeyOwnerProof<pallet_babe::AuthorityId>;
    type EquivocationReportSystem = BabeReports;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<MAX_VOTERS>;
    type MaxSetIdSessionEntries = SetIdSessions;
    type KeyOwnerProof = KeyOwnerProof<pallet_grandpa::AuthorityId>;
    type EquivocationReportSystem = GrandpaReports;
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = sp_runtime::traits::ConvertInto;
    type ShouldEndSession = Babe;
    type NextSessionRotation = Babe;
    type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, Staking>;
    type SessionHandler = <SessionKeys as sp_runtime::traits::OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    // As much as a preimage's: keys stay on chain until their account purges them.
    type KeyDeposit = ConstU128<{ OPEN / 10 }>;
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
    type EventHandler = Staking;
}

impl pallet_balances::Config for Runtime {
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ();
    type ReserveIdentifier = [u8; 8];
    type Balance = Balance;
    type RuntimeEvent = RuntimeEvent;
    type DustRemoval = DustToTreasury;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type DoneSlashHandler = ();
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = pallet_transaction_payment::FungibleAdapter<Balances, SplitFee>;
    // As many times its fee a tip would have to be, a block's worth of each compared, to go before a call that a
    // deadline waits for.
    type OperationalFeeMultiplier = ConstU8<100>;
    type WeightToFee = ExecutionFee;
    type LengthToFee = LengthFee;
    type FeeMultiplierUpdate = FollowBlocks;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_skip_feeless_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
}

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = crate::OriginCaller;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

/// Blocks of age before which no file is accepted: a minute, in which a free call that was in the pool
/// before has come into a block, and less where a whole challenge window is shorter.
pub struct SettleDelay;

impl frame_support::traits::Get<BlockNumber> for SettleDelay {
    fn get() -> BlockNumber {
        ChallengeWindow::<Runtime>::get().min(20)
    }
}

parameter_types! {
    pub const AccountQuota: QuotaLimits = QuotaLimits::ACCOUNT;
    /// Submissions within quota cost no fee, so they never take more of a block than this.
    pub const FeelessShare: Perbill = Perbill::from_percent(25);
    /// Holds the reward pools' OPEN; endowed at genesis, never reaped.
    pub const RewardPot: PalletId = PalletId(*b"ol/rewrd");
    pub TreasuryPot: AccountId = <TreasuryAccount as frame_support::traits::Get<AccountId>>::get();
}

impl pallet_datanets::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Time = Timestamp;
    type Review = Review;
    type OnAccepted = Leaderboard;
    type DatanetDeposit = ConstU128<{ 10 * OPEN }>;
    type EntryDeposit = ConstU128<{ OPEN / 100 }>;
    type MaxEntries = ConstU32<10_000>;
    type ContributorHold = ConstU128<{ OPEN }>;
    type HoldPeriodDays = ConstU32<7>;
    type AccountLimits = AccountQuota;
    type DayLength = ConstU32<DAY>;
    type MaxPending = ConstU32<60>;
    type MaxWaitDays = ConstU32<7>;
    type SettleDelay = SettleDelay;
    type FeelessShare = FeelessShare;
    type WeightInfo = pallet_datanets::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Setup;
}

/// The sessions that draw committees, and what BABE made of the blocks of the one before: its
/// `NextRandomness`, which is set once for each change of session.
pub struct CommitteeSessions;

impl openledger_primitives::traits::Sessions for CommitteeSessions {
    fn current() -> openledger_primitives::committee::Session {
        pallet_session::CurrentIndex::<Runtime>::get()
    }

    fn randomness() -> [u8; 32] {
        pallet_babe::NextRandomness::<Runtime>::get()
    }

    fn length() -> BlockNumber {
        let slots = <EpochLength<Runtime> as frame_support::traits::Get<u64>>::get();
        BlockNumber::try_from(slots).unwrap_or(BlockNumber::MAX)
    }
}

parameter_types! {
    pub const CommitteeRules: Rules = Rules::DEFAULT;
    /// Holds the review budgets' OPEN; who pays in first keeps it alive.
    pub const ReviewPot: PalletId = PalletId(*b"ol/revew");
}

impl pallet_review::Config for Runtime {
    type Submissions = Datanets;
    type OnVerdict = Datanets;
    type Funders = Leaderboard;
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Sessions = CommitteeSessions;
    type Rules = CommitteeRules;
    type Lengths = CommitteeLengths<Runtime>;
    type GlobalPool = GlobalPool<Runtime>;
    type PalletId = ReviewPot;
    type Treasury = TreasuryPot;
    type WeightInfo = pallet_review::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Setup;
}

impl pallet_leaderboard::Config for Runtime {
    type Currency = Balances;
    type PalletId = RewardPot;
    type PeriodLength = RewardPeriod<Runtime>;
    type MinimumFunding = ConstU128<{ OPEN }>;
    type DatanetOwner = Datanets;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Policies = Review;
    type Notice = FunderNotice<Runtime>;
    type DeadAfter = DeadAfter<Runtime>;
    type PayoutDeposit = ConstU128<{ OPEN / 100 }>;
    type Treasury = TreasuryPot;
    type WeightInfo = pallet_leaderboard::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Setup;
}

parameter_types! {
    /// Of a job's price, what a worker loses that does not do what it took on.
    pub const PenaltyShare: Perbill = Perbill::from_percent(50);
}

/// What the author of the block before has brought: the output of its verifiable random function. It
/// knows it beforehand, and can only show it or author no block. Were there none, the hash of that
/// block takes its place.
pub struct BlockRandomness;

impl Randomness<Hash, BlockNumber> for BlockRandomness {
    fn random(subject: &[u8]) -> (Hash, BlockNumber) {
        let (random, since) = pallet_babe::ParentBlockRandomness::<Runtime>::random(subject);
        let parent = || BlakeTwo256::hash_of(&(subject, System::parent_hash()));
        (random.unwrap_or_else(parent), since)
    }
}

impl pallet_training::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Datasets = Datanets;
    type Voters = crate::governance::votes::Voters;
    type BaseModelDeposit = ConstU128<{ 10 * OPEN }>;
    type WorkerBond = ConstU128<{ 100 * OPEN }>;
    type MinimumBudget = ConstU128<{ OPEN / 10 }>;
    type JobDeposit = ConstU128<{ OPEN / 10 }>;
    // A minute to take a job, three minutes between signs of life, half an hour and twice the time it
    // should take for a step, a week at most in all; a day until anyone may prune what has failed.
    type TakeWindow = ConstU32<20>;
    type HeartbeatWindow = ConstU32<60>;
    type ProgressWindow = ConstU32<600>;
    type RaiseDelay = ConstU32<20>;
    type PruneDelay = ConstU32<DAY>;
    type WorkerNotice = WorkerNotice<Runtime>;
    type BlockSeconds = ConstU32<{ (SLOT_MILLISECONDS / 1_000) as u32 }>;
    type ChallengeWindow = ChallengeWindow<Runtime>;
    type MaxJobBlocks = ConstU32<{ 7 * DAY }>;
    type MaxAttempts = ConstU8<5>;
    type PenaltyShare = PenaltyShare;
    type PenaltyAccount = TreasuryPot;
    type MaxExpiriesPerBlock = ConstU32<32>;
    type MaxPaymentsPerBlock = ConstU32<64>;
    type DisputeBond = ConstU128<{ 3 * OPEN }>;
    // An hour to fetch a base model and to measure, ten minutes to say what was found.
    type CommitWindow = ConstU32<HOUR>;
    type RevealWindow = ConstU32<200>;
    type MaxDisputesPerBlock = ConstU32<8>;
    type Randomness = BlockRandomness;
    type WeightInfo = pallet_training::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Setup;
}
