//! Slashes that wait.
//!
//! `pallet-staking` lays a slash that waits under an era, counted from the offence's, and applies those of an era when
//! it begins: with one era too many for the offence's, all of a validator's in one block, and never what is
//! reported after that. So they are laid under the era after, and taken from there before the pallet would: into a list of those that are
//! due, which is applied in every block, a few at a time.
//!
//! Reports are taken for somewhat longer than stake is bonded. Once what was at stake is free, a slash would come out of
//! what others have left, so it is dropped.

use super::{payouts::PART_OF_A_BLOCK, pot::DueSlashes};
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

/// A slash, and the era of its offence.
pub type DueSlash = (EraIndex, UnappliedSlash<AccountId, Balance>);

/// Takes slashes that have waited, or were reported when they would have, from where the pallet looks for them: when an era
/// has begun, and at the end of each block, after which one may begin. What that took. Eras that slashes wait for are
/// as many as stake is bonded for, and two, at most.
pub fn collect() -> Weight {
    let db = RocksDbWeight::get();
    let Some(active) = ActiveEra::<Runtime>::get() else { return db.reads(1) };
    let mut waiting: Vec<EraIndex> = UnappliedSlashes::<Runtime>::iter_keys().collect();
    let used = db.reads(2).saturating_add(db.reads(waiting.len() as u64));
    waiting.retain(|era| *era <= active.index.saturating_add(1));
    if waiting.is_empty() {
        return used;
    }
    waiting.sort_unstable();
    let mut due = DueSlashes::<Runtime>::get();
    let (eras, before) = (waiting.len() as u64, due.len());
    for era in waiting {
        // As the pallet has laid it there.
        let wait: EraIndex = <Runtime as Config>::SlashDeferDuration::get();
        let of_era = era.saturating_sub(wait).saturating_sub(1);
        due.extend(UnappliedSlashes::<Runtime>::take(era).into_iter().map(|slash| (of_era, slash)));
    }
    let moved = due.len().saturating_sub(before) as u64;
    DueSlashes::<Runtime>::put(due);
    used.saturating_add(db.reads_writes(1, 1).saturating_mul(eras.saturating_add(moved)))
}

/// Applies slashes that are due, one after the other until they have taken their part of a block; what it took.
pub fn apply() -> Weight {
    let db = RocksDbWeight::get();
    let mut used = collect().saturating_add(db.reads(1));
    if !DueSlashes::<Runtime>::exists() {
        return used;
    }
    let most = RuntimeBlockWeights::get().max_block / PART_OF_A_BLOCK;
    let mut due = DueSlashes::<Runtime>::take().into_iter();
    // All are read, and what is left is written.
    used = used.saturating_add(db.reads_writes(1, 1).saturating_mul(due.len() as u64));
    for (of_era, slash) in due.by_ref() {
        if is_free(of_era) {
            drop_old(of_era);
            used = used.saturating_add(db.reads_writes(3, 1));
        } else {
            let stakers = slash.others.len().saturating_add(1) as u64;
            apply_one(slash, of_era);
            used = used.saturating_add(db.reads_writes(8, 5).saturating_mul(stakers));
        }
        if used.any_gte(most) {
            break;
        }
    }
    let left: Vec<DueSlash> = due.collect();
    if !left.is_empty() {
        DueSlashes::<Runtime>::put(left);
    }
    used
}

/// Whether what was unbonded as early as could be after the election of an era is free by now.
fn is_free(of_era: EraIndex) -> bool {
    let active = ActiveEra::<Runtime>::get().map_or(0, |active| active.index);
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
