//! The numbers of `docs/staking.md`.

use crate::{
    common::*,
    economics::{check, count, open, put},
};
use frame_support::traits::Get;
use openledger_primitives::nomination::COMMISSION_PARTS;
use openledger_runtime::{
    parameters::{LengthsOfStaking, StakingLengths},
    staking::{MAX_CANDIDATES, MAX_VALIDATORS, MAX_VOTERS},
    Runtime,
};
use pallet_staking::Config;

#[test]
fn worked_numbers_of_staking_are_current() {
    genesis("local_testnet").execute_with(|| check("staking", &[("staking", limits())]));
}

fn limits() -> String {
    let (here, watched) = (LengthsOfStaking::<Runtime>::get(), StakingLengths::DEVELOPMENT);
    let mut out = String::from("| what | `--dev` | other networks |\n|---|---|---|\n");
    let mut row = |what: &str, watched: String, here: String| {
        put(&mut out, [what.to_owned(), watched, here]);
    };
    row("sessions in an era", count(watched.era), count(here.era));
    row("eras until what was unbonded is free", count(watched.bonding), count(here.bonding));
    row("eras that a slash waits", count(watched.slash_defer), count(here.slash_defer));
    let mut same = |what: &str, value: String| row(what, value.clone(), value);
    let least = pallet_staking::MinValidatorBond::<Runtime>::get();
    same("least bond of a validator, OPEN", open(least));
    same(
        "least bond of a nominator, OPEN",
        open(pallet_staking::MinNominatorBond::<Runtime>::get()),
    );
    same(
        "held of who has session keys, until it purges them, OPEN",
        open(<Runtime as pallet_session::Config>::KeyDeposit::get()),
    );
    let pools = openledger_runtime::staking::pools::terms();
    same("least that an account brings into a nomination pool, OPEN", open(pools.min_join));
    same("least with which a nomination pool is made, OPEN", open(pools.min_create));
    let most = pools.max_pools.expect("they are limited");
    same("nomination pools, at most", count(most));
    same(
        "of its payouts a nomination pool keeps, at most",
        format!("{} %", pools.max_commission / (COMMISSION_PARTS / 100)),
    );
    same("validators elected, at most", count(pallet_staking::ValidatorCount::<Runtime>::get()));
    same("to which a referendum may raise that", count(MAX_VALIDATORS));
    same("candidates at a time, at most", count(MAX_CANDIDATES));
    same("stakers whose votes count, those with the most stake", count(MAX_VOTERS));
    same("validators that one nominator backs, at most", count(16u32));
    let most: u32 = <Runtime as Config>::MaxUnlockingChunks::get();
    same("parts of a bond on their way out, at most", count(most));
    let kept: u32 = <Runtime as Config>::HistoryDepth::get();
    same("eras for which payouts can be called", count(kept));
    out
}
