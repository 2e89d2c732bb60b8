//! Slashes that were reported late.
//!
//! `pallet-staking` has a slash wait under the era that is `slash_defer + 1` after the offence's, and applies those of an
//! era when it begins. Reports are taken for as long as stake is bonded. What one of the last eras of that time brings
//! waits under an era that has begun already, and would for ever. It is applied in the block after: there is no time left
//! to wait in, since the stake is free in the era after at the latest.

use crate::{
    fees::DustToTreasury, parameters::SlashDeferEras, AccountId, Balances, Runtime, Staking,
};
use alloc::vec::Vec;
use frame_support::{
    traits::{fungible::Credit, Get, Imbalance, OnUnbalanced},
    weights::{constants::RocksDbWeight, Weight},
};
use pallet_staking::{slashing::do_slash, ActiveEra, UnappliedSlashes};
use sp_staking::{EraIndex, StakingAccount};

/// Applies slashes whose era has begun already; what it took. Eras that slashes wait for are as many as stake is bonded for,
/// and two, at most.
pub fn apply_late() -> Weight {
    let db = RocksDbWeight::get();
    let mut used = db.reads(2);
    let Some(active) = ActiveEra::<Runtime>::get() else { return used };
    let waiting: Vec<EraIndex> = UnappliedSlashes::<Runtime>::iter_keys().collect();
    used = used.saturating_add(db.reads(waiting.len() as u64));
    for era in waiting.into_iter().filter(|era| *era <= active.index) {
        let defer: EraIndex = SlashDeferEras::<Runtime>::get();
        let of_era = era.saturating_sub(defer).saturating_sub(1);
        for mut slash in UnappliedSlashes::<Runtime>::take(era) {
            let stakers = slash.others.len().saturating_add(1) as u64;
            // Nobody is paid for a report here, so all of it is the treasury's.
            let mut taken = Credit::<AccountId, Balances>::zero();
            slash.others.insert(0, (slash.validator, slash.own));
            for (staker, amount) in &slash.others {
                // Whose stake was free has taken it out.
                if Staking::ledger(StakingAccount::Stash(staker.clone())).is_err() {
                    continue;
                }
                do_slash::<Runtime>(staker, *amount, &mut slash.payout, &mut taken, of_era);
            }
            DustToTreasury::on_unbalanced(taken);
            used = used.saturating_add(db.reads_writes(8, 5).saturating_mul(stakers));
        }
        used = used.saturating_add(db.reads_writes(1, 1));
    }
    used
}
