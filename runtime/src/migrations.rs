//! What an upgrade to this runtime changes in storage.
//!
//! Each migration looks at its pallet's storage version, so that it runs once and a chain may skip
//! releases. A migration stays here for as long as a network exists that has not passed it.
//!
//! | to spec version | what |
//! |---|---|
//! | 101 | votes name their extractor: [`pallet_review::migrations::ToV2`] |
//! | 102 | nothing: jobs' parents stand in a map of their own, which is empty |
//! | 103 | pools have shares, nobody's at first: [`pallet_leaderboard::migrations::ToV2`] |
//! | 103 | lists of waiting and settled files: [`pallet_datanets::migrations::ToV2`] |
//! | 103 | jobs offer a price a token, workers opt in: [`pallet_training::migrations::ToV2`] |
//! | 103 | nothing: seats, draws, review budgets, admissions and global points stand in maps of their own, empty |
//! | 104 | which leaf was revoked first decides nothing: [`pallet_datanets::migrations::ToV3`] |
//! | 104 | invitations and bars are counted: [`pallet_datanets::migrations::ToV4`] |
//! | 104 | shares may be counted in larger ones: [`pallet_leaderboard::migrations::ToV3`] |
//! | 104 | nothing: the blocks of jobs stand in a map of their own, which is empty |
//! | 104 | seats and draws wait by pool: [`pallet_review::migrations::ToV3`] |
//! | 104 | a day of governance as long as the chain's other lengths: [`DayOfGovernance`] |
//! | 104 | the validators of genesis bond, and elections begin: [`StakingBegins`] |
//! | 104 | nomination pools can be made, on the terms of a new chain: [`PoolsBegin`] |

use crate::{
    fees::TreasuryAccount,
    parameters,
    staking::{
        self,
        pot::{PotAccount, FLOOR},
    },
    Balances, Runtime, RuntimeOrigin, Session, Staking,
};
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Preservation},
        Get, OnRuntimeUpgrade,
    },
    weights::Weight,
};
use openledger_primitives::OPEN;
use pallet_staking::RewardDestination;

/// Run in this order when the runtime is replaced.
pub type SingleBlock = (
    pallet_review::migrations::ToV2<crate::Runtime>,
    pallet_leaderboard::migrations::ToV2<crate::Runtime>,
    pallet_leaderboard::migrations::ToV3<crate::Runtime>,
    pallet_datanets::migrations::ToV2<crate::Runtime>,
    pallet_datanets::migrations::ToV3<crate::Runtime>,
    pallet_datanets::migrations::ToV4<crate::Runtime>,
    pallet_training::migrations::ToV2<crate::Runtime>,
    pallet_review::migrations::ToV3<crate::Runtime>,
    DayOfGovernance,
    StakingBegins,
    PoolsBegin,
);

/// Gives a chain that began without governance the day that a new one of its kind begins with.
pub struct DayOfGovernance;

impl OnRuntimeUpgrade for DayOfGovernance {
    fn on_runtime_upgrade() -> Weight {
        let weights = <Runtime as frame_system::Config>::DbWeight::get();
        if parameters::DayOfGovernance::<Runtime>::exists() {
            return weights.reads(1);
        }
        let watched = parameters::is_watched::<Runtime>();
        parameters::DayOfGovernance::<Runtime>::put(if watched {
            parameters::WATCHED_DAY
        } else {
            crate::DAY
        });
        weights.reads_writes(2, 1)
    }
}

/// Begins staking on a chain whose validators were those of genesis: they keep their session keys and go on without a
/// pause, and each of them bonds of what it has free, so that the first election elects them all. If one of them
/// has nothing to bond, no election takes fewer validators than there were: until as many have bonded, all of them
/// stay.
pub struct StakingBegins;

impl OnRuntimeUpgrade for StakingBegins {
    fn on_runtime_upgrade() -> Weight {
        let weights = <Runtime as frame_system::Config>::DbWeight::get();
        if pallet_staking::ValidatorCount::<Runtime>::exists() {
            return weights.reads(1);
        }
        parameters::LengthsOfStaking::<Runtime>::put(if parameters::is_watched::<Runtime>() {
            parameters::StakingLengths::DEVELOPMENT
        } else {
            parameters::StakingLengths::default()
        });
        let (treasury, pot) = (TreasuryAccount::get(), PotAccount::get());
        if Balances::transfer(&treasury, &pot, FLOOR, Preservation::Preserve).is_err() {
            frame_support::print(
                "the treasury could not endow the stakers' pot; it gets their fees",
            );
        }
        // `MaxAuthorities` of BABE and GRANDPA bound them.
        let validators = Session::validators();
        let count = u32::try_from(validators.len()).unwrap_or(u32::MAX);
        let bonded = validators.iter().filter(|validator| bond(validator)).count();
        let all = bonded == validators.len();
        pallet_staking::ValidatorCount::<Runtime>::put(staking::VALIDATORS.max(count));
        pallet_staking::MinimumValidatorCount::<Runtime>::put(if all { 1 } else { count });
        pallet_staking::MaxValidatorsCount::<Runtime>::put(staking::MAX_CANDIDATES);
        // After they have bonded: who has less than what is asked of others validates too.
        pallet_staking::MinValidatorBond::<Runtime>::put(staking::MIN_VALIDATOR_BOND);
        pallet_staking::MinNominatorBond::<Runtime>::put(staking::MIN_NOMINATOR_BOND);
        let touched = u64::from(count).saturating_mul(16).saturating_add(12);
        weights.reads_writes(touched, touched)
    }
}

/// Sets what nomination pools ask for, on a chain that began without them.
pub struct PoolsBegin;

impl OnRuntimeUpgrade for PoolsBegin {
    fn on_runtime_upgrade() -> Weight {
        use pallet_nomination_pools::{GlobalMaxCommission, MaxPools, MinCreateBond, MinJoinBond};
        let weights = <Runtime as frame_system::Config>::DbWeight::get();
        if MinCreateBond::<Runtime>::exists() {
            return weights.reads(1);
        }
        MinJoinBond::<Runtime>::put(staking::pools::MIN_JOIN_BOND);
        MinCreateBond::<Runtime>::put(staking::pools::MIN_CREATE_BOND);
        MaxPools::<Runtime>::put(staking::pools::MAX_POOLS);
        GlobalMaxCommission::<Runtime>::put(staking::pools::MAX_COMMISSION);
        weights.reads_writes(1, 4)
    }
}

/// Bonds what a validator has free, up to what validators of a new chain's genesis bond, and lets it stand for
/// election. An OPEN is left for fees.
fn bond(validator: &crate::AccountId) -> bool {
    let free = Balances::reducible_balance(validator, Preservation::Preserve, Fortitude::Polite);
    let amount = free.saturating_sub(OPEN).min(staking::GENESIS_BOND);
    let origin = || RuntimeOrigin::signed(validator.clone());
    Staking::bond(origin(), amount, RewardDestination::Staked)
        .and_then(|()| Staking::validate(origin(), Default::default()))
        .is_ok()
}
