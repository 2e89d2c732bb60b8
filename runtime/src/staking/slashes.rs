//! Slashes that wait.
//!
//! `pallet-staking` lays a slash that waits under an era, counted from the offence's, and applies those of an era when
//! it begins: with one era too many for the offence's, all of a validator's in one block, and never what is
//! reported after that. So they are laid under the era after, and applied here before the pallet would: when they have
//! waited, or in the block after the report if it comes later.
//!
//! Reports are taken for somewhat longer than stake is bonded. Once what was at stake is free, a slash would come out of
//! what others have left, so it is dropped.

use super::payouts::PART_OF_A_BLOCK;
use crate::{
    configs::RuntimeBlockWeights, fees::DustToTreasury, AccountId, Balance, Balances, Runtime,
    RuntimeEvent, Staking, System,
};
use alloc::vec::Vec;
use frame_support::{
    traits::{fungible::Credit, Get, Imbalance, OnUnbalanced},
    weights::{constants::RocksDbWeight, Weight},
};
use pallet_staking::{
    slashing::do_slash, ActiveEra, Config, CurrentEra, ErasStartSessionIndex, Event,
    UnappliedSlash, UnappliedSlashes,
};
use sp_staking::{EraIndex, StakingAccount};

/// Applies slashes that have waited, one after the other until they have taken their part of a block; what it took.
/// Eras that slashes wait for are as many as stake is bonded for, and two, at most.
pub fn apply() -> Weight {
    let db = RocksDbWeight::get();
    let mut used = db.reads(3);
    let Some(active) = ActiveEra::<Runtime>::get() else { return used };
    let most = RuntimeBlockWeights::get().max_block / PART_OF_A_BLOCK;
    let mut waiting: Vec<EraIndex> = UnappliedSlashes::<Runtime>::iter_keys().collect();
    used = used.saturating_add(db.reads(waiting.len() as u64));
    waiting.retain(|era| *era <= active.index.saturating_add(1));
    waiting.sort_unstable();
    for era in waiting {
        // As the pallet has laid it there.
        let wait: EraIndex = <Runtime as Config>::SlashDeferDuration::get();
        let of_era = era.saturating_sub(wait).saturating_sub(1);
        let mut slashes = UnappliedSlashes::<Runtime>::take(era).into_iter();
        used = used.saturating_add(db.reads_writes(1, 1));
        for slash in slashes.by_ref() {
            let stakers = slash.others.len().saturating_add(1) as u64;
            if is_free(of_era, active.index) {
                drop_old(of_era);
            } else {
                apply_one(slash, of_era);
                used = used.saturating_add(db.reads_writes(8, 5).saturating_mul(stakers));
            }
            if used.any_gte(most) {
                break;
            }
        }
        let left: Vec<_> = slashes.collect();
        if !left.is_empty() {
            UnappliedSlashes::<Runtime>::insert(era, left);
            break;
        }
    }
    used
}

/// Whether what was unbonded as early as could be after the election of an era is free by now.
fn is_free(of_era: EraIndex, active: EraIndex) -> bool {
    let sessions: u32 = <Runtime as Config>::SessionsPerEra::get();
    // The pallet counts by the era that was planned last. Where an era is one session, the next is planned in the block in
    // which it begins, before anybody could take anything out.
    let reached =
        if sessions > 1 { CurrentEra::<Runtime>::get().unwrap_or(active) } else { active };
    let bonding: EraIndex = <Runtime as Config>::BondingDuration::get();
    reached >= of_era.saturating_add(bonding)
}

fn drop_old(of_era: EraIndex) {
    let session_index = ErasStartSessionIndex::<Runtime>::get(of_era).unwrap_or_default();
    let event = Event::OldSlashingReportDiscarded { session_index };
    System::deposit_event(RuntimeEvent::Staking(event));
}

fn apply_one(mut slash: UnappliedSlash<AccountId, Balance>, of_era: EraIndex) {
    // Nobody is paid for a report here, so all of it is the treasury's.
    let mut taken = Credit::<AccountId, Balances>::zero();
    slash.others.insert(0, (slash.validator, slash.own));
    for (staker, amount) in &slash.others {
        // One who lost everything by an earlier slash may be gone.
        if Staking::ledger(StakingAccount::Stash(staker.clone())).is_ok() {
            do_slash::<Runtime>(staker, *amount, &mut slash.payout, &mut taken, of_era);
        }
    }
    DustToTreasury::on_unbalanced(taken);
}
