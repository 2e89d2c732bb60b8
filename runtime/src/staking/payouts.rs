//! Payouts of ended eras, which the chain makes by itself.
//!
//! `pallet-staking` waits until somebody asks. A nomination pool shares a payout among who is in it when it is made,
//! so whoever joined one with much and asked then had most of what others had earned, of as many eras as nobody had
//! asked for. Now payouts begin in the block in which an era ends, before any transaction of it.

use super::{
    pot::{self, Paying},
    HISTORY,
};
use crate::{configs::RuntimeBlockWeights, AccountId, Runtime, RuntimeOrigin, Staking};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    storage::with_storage_layer,
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};
use openledger_primitives::Balance;
use pallet_staking::{
    ActiveEra, ClaimedRewards, ErasRewardPoints, ErasStakersOverview, ErasValidatorReward,
    WeightInfo,
};
use scale_info::TypeInfo;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};
use sp_staking::EraIndex;

/// Of what a block may take, the part in which payouts are made: one to so many. Two pages of 64 nominators, or some
/// thirty validators with few.
pub const PART_OF_A_BLOCK: u64 = 20;
/// Steps of a block, each a payout or what is passed over.
const MAX_STEPS: u32 = 64;

/// The next payout: of validators in the order of their accounts, of each by pages of its nominators.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Place {
    /// The era; all before are paid.
    pub era: EraIndex,
    /// How many of its validators are paid.
    pub validator: u32,
    /// How many pages of the next one are.
    pub page: u32,
}

impl Place {
    fn next_era(self) -> Self {
        Self { era: self.era.saturating_add(1), ..Self::default() }
    }

    fn next_validator(self) -> Self {
        Self { validator: self.validator.saturating_add(1), page: 0, ..self }
    }

    fn next_page(self) -> Self {
        Self { page: self.page.saturating_add(1), ..self }
    }
}

/// What one payout takes at most.
fn a_page() -> Weight {
    type Weights = <Runtime as pallet_staking::Config>::WeightInfo;
    let nominators = <Runtime as pallet_staking::Config>::MaxExposurePageSize::get();
    Weights::payout_stakers_alive_staked(nominators)
}

/// Whether payouts of an era that has ended are still to be made: where many nominate, that takes some blocks.
pub fn are_due() -> bool {
    let active = ActiveEra::<Runtime>::get().map_or(0, |active| active.index);
    Paying::<Runtime>::get().era < active
}

/// Makes payouts that are due, as many as a part of the block holds; what it took.
pub fn pay() -> Weight {
    // This place, the eras, and an era's payout and points.
    let a_look = RocksDbWeight::get().reads(4);
    let mut used = RocksDbWeight::get().reads_writes(2, 1);
    let Some(active) = ActiveEra::<Runtime>::get() else { return used };
    let begin = Paying::<Runtime>::get();
    // What is older cannot be paid any more.
    let oldest = active.index.saturating_sub(HISTORY);
    let mut place =
        if begin.era < oldest { Place { era: oldest, ..Place::default() } } else { begin };
    let most = RuntimeBlockWeights::get().max_block / PART_OF_A_BLOCK;
    for _ in 0..MAX_STEPS {
        let worst = used.saturating_add(a_look).saturating_add(a_page());
        if place.era >= active.index || worst.any_gt(most) {
            break;
        }
        let (next, weight) = step(place);
        place = next;
        used = used.saturating_add(a_look).saturating_add(weight);
    }
    if place != begin {
        Paying::<Runtime>::put(place);
        if place.era >= active.index {
            pot::let_go(oldest);
            used = used.saturating_add(RocksDbWeight::get().reads_writes(2, 2));
        }
    }
    used
}

/// Makes the payout of this place, if there is one; the place after, and what it took.
fn step(place: Place) -> (Place, Weight) {
    if ErasValidatorReward::<Runtime>::get(place.era).unwrap_or_default() == 0 {
        return (place.next_era(), Weight::zero());
    }
    let points = ErasRewardPoints::<Runtime>::get(place.era).individual;
    let Some(validator) = points.into_keys().nth(place.validator as usize) else {
        return (place.next_era(), Weight::zero());
    };
    // Who has no nominators has one page all the same, its own.
    let exposed = ErasStakersOverview::<Runtime>::get(place.era, &validator);
    if place.page >= exposed.map_or(0, |stake| stake.page_count.max(1)) {
        return (place.next_validator(), Weight::zero());
    }
    (place.next_page(), pay_page(validator, place))
}

/// Pays a page. What somebody asked for before is passed over. What cannot be paid because the validator has bonded nothing any
/// more stays in the pot, kept for who asks for it once the validator has bonded again.
fn pay_page(validator: AccountId, place: Place) -> Weight {
    // Anybody may call for it; in whose name it is done makes no difference.
    let origin = RuntimeOrigin::signed(validator.clone());
    let paid = with_storage_layer(|| {
        Staking::payout_stakers_by_page(origin, validator.clone(), place.era, place.page)
            .map_err(|failed| failed.error)
    });
    if paid.is_err() && !ClaimedRewards::<Runtime>::get(place.era, &validator).contains(&place.page)
    {
        pot::keep(place.era, most_of(&validator, place.era));
    }
    paid.ok().and_then(|info| info.actual_weight).unwrap_or_else(a_page)
}

/// Most that a validator and its nominators are paid of an era.
fn most_of(validator: &AccountId, era: EraIndex) -> Balance {
    let payout = ErasValidatorReward::<Runtime>::get(era).unwrap_or_default();
    let points = ErasRewardPoints::<Runtime>::get(era);
    let own = points.individual.get(validator).copied().unwrap_or_default();
    let (own, total) = (own.into(), points.total.max(1).into());
    multiply_by_rational_with_rounding(payout, own, total, Rounding::Up).unwrap_or(payout)
}
