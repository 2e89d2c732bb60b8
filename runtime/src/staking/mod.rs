//! Who makes and finalises blocks: nominated proof of stake.
//!
//! Anyone bonds OPEN and validates, or nominates who does. At the end of an era the chain elects the validators of
//! the next but one session on chain, pays those who worked from the stakers' share of the fees ([`pot`], [`payouts`]) and lets
//! go what was unbonded. Accounts with less nominate together in [`pools`]. Who signs two blocks of a slot, or votes for two in a round, loses stake to the treasury.
//!
//! `pallet-staking` stands behind session and offences only, so that another one can take its place. Lengths come
//! from genesis ([`crate::parameters::StakingLengths`]).

pub mod payouts;
pub mod pools;
pub mod pot;
pub mod seats;
pub mod slashes;

use crate::{
    fees::DustToTreasury,
    governance::origins::GeneralAdmin,
    parameters::{BondingEras, EpochLength, SessionsPerEra, SlashDeferEras},
    AccountId, BagsList, Balance, Balances, DelegatedStaking, Historical, NominationPools,
    Offences, Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason, Session, Staking, Timestamp,
    UncheckedExtrinsic,
};
use frame_election_provider_support::{
    bounds::{ElectionBounds, ElectionBoundsBuilder},
    onchain, ScoreProvider, SequentialPhragmen, VoteWeight,
};
use frame_support::{
    parameter_types,
    traits::{ConstU32, EitherOf, Get, KeyOwnerProofSystem},
};
use frame_system::EnsureRoot;
use openledger_primitives::OPEN;
use sp_core::crypto::KeyTypeId;
use sp_runtime::Perbill;

/// Most validators at a time.
pub const MAX_VALIDATORS: u32 = 100;
/// Most stakers whose votes one election counts, those with the most stake first: an election is part of a block.
pub const MAX_VOTERS: u32 = 1_000;
/// What each validator of a preset's genesis bonds.
pub const GENESIS_BOND: Balance = 100_000 * OPEN;
/// Least that a validator bonds.
pub const MIN_VALIDATOR_BOND: Balance = 1_000 * OPEN;
/// Least that a nominator bonds.
pub const MIN_NOMINATOR_BOND: Balance = 10 * OPEN;
/// Validators that a preset's chain wants.
pub const VALIDATORS: u32 = 20;
/// Eras for which payouts can be called.
pub const HISTORY: u32 = 84;
/// Most accounts that may stand for election at a time, so that an election looks at all of them.
pub const MAX_CANDIDATES: u32 = 2 * MAX_VALIDATORS;

/// Bags of stakers: each ends at twice the stake of the one before.
const BAGS: [VoteWeight; 64] = {
    let mut bags = [0; 64];
    let mut at = 0;
    while at < bags.len() {
        bags[at] = 1 << at;
        at += 1;
    }
    bags
};

parameter_types! {
    pub const BagThresholds: &'static [VoteWeight] = &BAGS;
    pub Bounds: ElectionBounds = ElectionBoundsBuilder::default()
        .voters_count(MAX_VOTERS.into())
        .targets_count(MAX_CANDIDATES.into())
        .build();
    pub const Sort: bool = true;
}

/// Blocks in which an equivocation can be reported: as long as its author's stake is bonded.
pub struct ReportLongevity;

impl Get<u64> for ReportLongevity {
    fn get() -> u64 {
        u64::from(BondingEras::<Runtime>::get())
            .saturating_mul(SessionsPerEra::<Runtime>::get().into())
            .saturating_mul(EpochLength::<Runtime>::get())
    }
}

/// Sessions for which GRANDPA remembers which authorities had which set.
pub struct SetIdSessions;

impl Get<u64> for SetIdSessions {
    fn get() -> u64 {
        u64::from(BondingEras::<Runtime>::get())
            .saturating_mul(SessionsPerEra::<Runtime>::get().into())
    }
}

/// Shows that a key was a validator's.
pub type KeyOwnerProof<Key> = <Historical as KeyOwnerProofSystem<(KeyTypeId, Key)>>::Proof;
/// Takes reports of BABE.
pub type BabeReports =
    pallet_babe::EquivocationReportSystem<Runtime, Offences, Historical, ReportLongevity>;
/// Takes reports of GRANDPA.
pub type GrandpaReports =
    pallet_grandpa::EquivocationReportSystem<Runtime, Offences, Historical, ReportLongevity>;

// Nodes report by themselves, in transactions that nobody signs.
impl<C> frame_system::offchain::CreateTransactionBase<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> frame_system::offchain::CreateBare<C> for Runtime
where
    RuntimeCall: From<C>,
{
    fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_bare(call)
    }
}

impl pallet_session::historical::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = ();
    type FullIdentificationOf = pallet_staking::UnitIdentificationOf<Self>;
}

impl pallet_offences::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
    type OnOffenceHandler = Staking;
}

/// The stake of who votes in elections. `Staking` would name a score for whoever has bonded, and `rebag` then give that
/// one a place among those who vote.
pub struct VoterScore;

impl ScoreProvider<AccountId> for VoterScore {
    type Score = VoteWeight;

    fn score(who: &AccountId) -> Option<VoteWeight> {
        let votes = pallet_staking::Validators::<Runtime>::contains_key(who)
            || pallet_staking::Nominators::<Runtime>::contains_key(who);
        votes.then(|| Staking::score(who)).flatten()
    }
}

impl pallet_bags_list::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_bags_list::weights::SubstrateWeight<Runtime>;
    type ScoreProvider = VoterScore;
    type BagThresholds = BagThresholds;
    type MaxAutoRebagPerBlock = ConstU32<5>;
    type Score = VoteWeight;
}

/// The election: sequential Phragmén, in the block that ends the era's last but one session.
pub struct Election;

impl onchain::Config for Election {
    type Sort = Sort;
    type System = Runtime;
    type Solver = SequentialPhragmen<AccountId, Perbill>;
    type MaxBackersPerWinner = ConstU32<MAX_VOTERS>;
    type MaxWinnersPerPage = ConstU32<MAX_VALIDATORS>;
    type DataProvider = Staking;
    type WeightInfo = frame_election_provider_support::weights::SubstrateWeight<Runtime>;
    type Bounds = Bounds;
}

/// Asked for by the pallet, also where nothing is benchmarked.
pub struct Benchmarks;

impl pallet_staking::BenchmarkingConfig for Benchmarks {
    type MaxValidators = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<MAX_VOTERS>;
}

impl pot::Config for Runtime {}

/// Whether a call is root's, though its pallet lets through whoever may cancel a slash: its `AdminOrigin` is one for all of
/// these, and a track that few decide on could slash any validator.
pub fn is_for_root(call: &pallet_staking::Call<Runtime>) -> bool {
    use pallet_staking::Call;
    matches!(
        call,
        Call::manual_slash { .. }
            | Call::set_min_commission { .. }
            | Call::restore_ledger { .. }
            | Call::deprecate_controller_batch { .. }
    )
}

impl pallet_staking::Config for Runtime {
    type OldCurrency = Balances;
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type CurrencyBalance = Balance;
    type UnixTime = Timestamp;
    type CurrencyToVote = sp_staking::currency_to_vote::U128CurrencyToVote;
    type ElectionProvider = seats::Seats;
    type GenesisElectionProvider = onchain::OnChainExecution<Election>;
    type NominationsQuota = pallet_staking::FixedNominationsQuota<16>;
    type HistoryDepth = ConstU32<HISTORY>;
    type RewardRemainder = pot::ToTreasury;
    type RuntimeEvent = RuntimeEvent;
    type Slash = DustToTreasury;
    type Reward = pot::FromPot;
    type SessionsPerEra = SessionsPerEra<Runtime>;
    type BondingDuration = BondingEras<Runtime>;
    type SlashDeferDuration = SlashDeferEras<Runtime>;
    // To cancel slashes; whatever else it may do is root's, see [`is_for_root`].
    type AdminOrigin = EitherOf<EnsureRoot<AccountId>, GeneralAdmin>;
    type SessionInterface = Self;
    type EraPayout = pot::EraPayout;
    type NextNewSession = Session;
    type MaxExposurePageSize = ConstU32<64>;
    type MaxValidatorSet = ConstU32<MAX_VALIDATORS>;
    type VoterList = BagsList;
    type TargetList = pallet_staking::UseValidatorsMap<Self>;
    type MaxUnlockingChunks = ConstU32<32>;
    type MaxControllersInDeprecationBatch = ConstU32<100>;
    type EventListeners = (NominationPools, DelegatedStaking);
    type Filter = pools::Delegators;
    type BenchmarkingConfig = Benchmarks;
    type WeightInfo = pallet_staking::weights::SubstrateWeight<Runtime>;
}
