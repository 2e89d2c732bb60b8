//! Who of those elected gets a seat.
//!
//! Each seat is one vote on finality and one share of the slots, whatever stands behind it, and an election fills seats
//! that are free with whoever stands. So a few bonds of the least size were a third of the votes, and by being
//! switched off they stopped finality for good. A newcomer needs half of what the validators of today have behind
//! them, by the median: then a third of the seats takes a fifth of all stake or more, and one who has much more than all
//! others pushes nobody out. Who has a seat keeps it with two fifths, so that nobody is pushed out by what moves the median
//! a little.

use super::{Election, MAX_CANDIDATES};
use crate::{
    AccountId, Balance, BlockNumber, Hash, Runtime, RuntimeEvent, Session, Staking, System,
};
use alloc::vec::Vec;
use frame_election_provider_support::{
    onchain::OnChainExecution, BoundedSupportsOf, ElectionProvider, PageIndex,
};
use frame_support::{
    dispatch::DispatchClass,
    weights::{constants::RocksDbWeight, Weight},
};
use openledger_primitives::staking::{least_backing, least_to_stay};
use pallet_staking::{ErasStakersOverview, Validators};
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use sp_staking::StakingInterface;

/// Points of a block's author, as pallet-staking gives them.
const POINTS: u32 = 20;
/// Blocks for each validator that an era has to have had before one without any counts as absent.
const EXPECTED: u32 = 16;

/// Of the places for candidates those that are left free at the end of a block: 200 bonds of the least size took all of them, and
/// nobody else could stand.
const FREE: u32 = MAX_CANDIDATES / 4;

/// Eras before the one that is elected for, whose seats keep a place among the candidates: who was taken out for being away
/// stands anew, though many crowd the places.
const LATELY: u32 = 4;

type Inner = OnChainExecution<Election>;

/// The election on chain, without those who have no session keys, who were absent, and who have too little behind them.
pub struct Seats;

impl Seats {
    /// Candidates without session keys. Elected, they would take seats that nobody sits on, and if all of them were such
    /// there would be nobody left to make blocks.
    fn keyless() -> Vec<AccountId> {
        Validators::<Runtime>::iter_keys()
            .filter(|who| !pallet_session::NextKeys::<Runtime>::contains_key(who))
            .take(MAX_CANDIDATES as usize)
            .collect()
    }

    /// Validators of this era that have made no block though each had many slots to; none where they are a third of
    /// all or more, since it may then be the network that was cut in two.
    fn absent() -> Vec<AccountId> {
        let validators = Session::validators();
        let Some(era) = pallet_staking::ActiveEra::<Runtime>::get() else { return Vec::new() };
        let points = pallet_staking::ErasRewardPoints::<Runtime>::get(era.index);
        let seats = u32::try_from(validators.len()).unwrap_or(u32::MAX);
        if points.total / POINTS < seats.saturating_mul(EXPECTED) {
            return Vec::new();
        }
        let absent: Vec<AccountId> =
            validators.into_iter().filter(|who| !points.individual.contains_key(who)).collect();
        match absent.len().saturating_mul(3) < seats as usize {
            true => absent,
            false => Vec::new(),
        }
    }
}

fn take_out(candidates: impl IntoIterator<Item = AccountId>) {
    for stash in candidates {
        if Staking::do_remove_validator(&stash) {
            let chilled = pallet_staking::Event::Chilled { stash };
            System::deposit_event(RuntimeEvent::Staking(chilled));
        }
    }
}

/// What taking out so many candidates takes: their entries and those of the bags list, with their neighbours.
fn taking_out(candidates: usize) -> Weight {
    RocksDbWeight::get().reads_writes(8, 8).saturating_mul(candidates as u64)
}

/// Of the candidates that neither have a seat, nor are elected for one, nor had one lately takes out those with the least
/// bonds of their own, where they take places that are to be free; what that took. It does so in every block, since
/// who was taken out may stand again in the next. Of equal bonds the parent's hash decides, not an account that was made for it.
pub fn make_room() -> Weight {
    let db = RocksDbWeight::get();
    let standing = Validators::<Runtime>::count();
    let too_many = standing.saturating_sub(MAX_CANDIDATES.saturating_sub(FREE));
    if too_many == 0 {
        return db.reads(1);
    }
    let incumbents = Session::validators();
    let era = pallet_staking::CurrentEra::<Runtime>::get().unwrap_or_default();
    let has_seat = |who: &AccountId| {
        let mut eras = era.saturating_sub(LATELY)..=era;
        incumbents.contains(who)
            || eras.any(|era| ErasStakersOverview::<Runtime>::contains_key(era, who))
    };
    let parent = System::parent_hash();
    let mut others: Vec<(Balance, Hash, AccountId)> = Validators::<Runtime>::iter_keys()
        .take(MAX_CANDIDATES as usize)
        .filter(|who| !has_seat(who))
        .map(|who| {
            let lot = BlakeTwo256::hash_of(&(parent, &who));
            (Staking::active_stake(&who).unwrap_or_default(), lot, who)
        })
        .collect();
    others.sort_unstable();
    others.truncate(too_many as usize);
    let taken = others.len();
    take_out(others.into_iter().map(|(_, _, who)| who));
    // Of each: itself, when it was elected, and its bond.
    let each = db.reads(u64::from(LATELY).saturating_add(4));
    let looks = each.saturating_mul(u64::from(standing.min(MAX_CANDIDATES)));
    db.reads(4).saturating_add(looks).saturating_add(taking_out(taken))
}

/// What an election takes beside votes and solver: the candidates with their keys, and who has made blocks; to each
/// of those elected, whether it had a seat and a place among the others.
fn around_an_election(candidates: u32, taken_out: usize) -> Weight {
    let looks = RocksDbWeight::get().reads(2).saturating_mul(u64::from(candidates));
    RocksDbWeight::get().reads(5).saturating_add(looks).saturating_add(taking_out(taken_out))
}

impl ElectionProvider for Seats {
    type AccountId = AccountId;
    type BlockNumber = BlockNumber;
    type Error = <Inner as ElectionProvider>::Error;
    type MaxWinnersPerPage = <Inner as ElectionProvider>::MaxWinnersPerPage;
    type MaxBackersPerWinner = <Inner as ElectionProvider>::MaxBackersPerWinner;
    type MaxBackersPerWinnerFinal = <Inner as ElectionProvider>::MaxBackersPerWinnerFinal;
    type Pages = <Inner as ElectionProvider>::Pages;
    type DataProvider = <Inner as ElectionProvider>::DataProvider;

    fn elect(page: PageIndex) -> Result<BoundedSupportsOf<Self>, Self::Error> {
        let candidates = Validators::<Runtime>::count();
        let out: Vec<AccountId> = Self::keyless().into_iter().chain(Self::absent()).collect();
        let weight = around_an_election(candidates, out.len());
        System::register_extra_weight_unchecked(weight, DispatchClass::Mandatory);
        take_out(out);
        let mut elected = Inner::elect(page)?;
        let incumbents = Session::validators();
        let backing = elected.0.iter().filter(|(who, _)| incumbents.contains(who));
        let backing = backing.map(|(_, support)| support.total).collect();
        if let Some(least) = least_backing(backing) {
            elected.0.retain(|(who, support)| {
                let needed = match incumbents.contains(who) {
                    true => least_to_stay(least),
                    false => least,
                };
                support.total >= needed
            });
        }
        Ok(elected)
    }

    fn duration() -> BlockNumber {
        Inner::duration()
    }

    fn start() -> Result<(), Self::Error> {
        Inner::start()
    }

    fn status() -> Result<Option<Weight>, ()> {
        Inner::status()
    }
}
