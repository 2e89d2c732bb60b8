//! Elections with as many candidates and voters as they count, and more.

use crate::common::*;
use openledger_primitives::OPEN;
use openledger_runtime::{
    staking::{MAX_CANDIDATES, MAX_VOTERS, VALIDATORS},
    AccountId, Runtime, RuntimeCall, RuntimeOrigin, Session, SessionKeys,
};
use pallet_staking::{Call, Error, RewardDestination};
use sp_core::{ed25519, Pair};
use sp_runtime::traits::Dispatchable;

fn bond(who: &AccountId, value: u128) {
    let treasury = treasury();
    dispatch_as_root(pallet_balances::Call::force_transfer {
        source: treasury.into(),
        dest: who.clone().into(),
        value: value + OPEN,
    });
    dispatch(who, Call::bond { value, payee: RewardDestination::Stash });
}

fn dispatch_as_root(call: impl Into<RuntimeCall>) {
    call.into().dispatch(RuntimeOrigin::root()).expect("root may");
}

/// Stands for election, with session keys of its own.
fn stand(number: u32, value: u128) -> AccountId {
    let babe = user(number);
    let grandpa = ed25519::Pair::from_seed(&[number as u8; 32]);
    let who = id(&babe);
    bond(&who, value);
    let keys = SessionKeys { babe: babe.public().into(), grandpa: grandpa.public().into() };
    pallet_session::NextKeys::<Runtime>::insert(&who, keys);
    who
}

#[test]
fn an_election_counts_its_most_voters_for_its_most_candidates() {
    genesis("development").execute_with(|| {
        begin_block();
        let validate = || Call::validate { prefs: Default::default() };
        // Alice is one already.
        let candidates: Vec<AccountId> = (1..MAX_CANDIDATES)
            .map(|number| {
                let who = stand(number, 1_000 * OPEN);
                dispatch(&who, validate());
                who
            })
            .collect();
        let late = stand(MAX_CANDIDATES, 1_000 * OPEN);
        let refused = RuntimeCall::from(validate()).dispatch(RuntimeOrigin::signed(late));
        let refused = refused.expect_err("all places are taken").error;
        assert_eq!(refused, Error::<Runtime>::TooManyValidators.into());

        // Each backs sixteen. Those who have the most back the first forty; the votes of the others are not counted.
        for number in 0..MAX_VOTERS + 100 {
            let who = id(&user(10_000 + number));
            let small = number >= MAX_VOTERS;
            bond(&who, if small { 10 * OPEN } else { 1_100 * OPEN + u128::from(number) });
            let from = if small { 100 } else { number as usize % 25 };
            let targets =
                candidates[from..from + 16].iter().map(|who| who.clone().into()).collect();
            dispatch(&who, Call::nominate { targets });
        }
        // Two eras: one election, and the session after it.
        for _ in 0..80 {
            end_unchecked_block();
            begin_block();
        }
        let elected = Session::validators();
        assert_eq!(elected.len() as u32, VALIDATORS);
        let backed = &candidates[..40];
        let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
        assert!(elected.iter().all(|who| backed.contains(who) || *who == alice));
        end_block();
        assert_eq!(
            pallet_balances::TotalIssuance::<Runtime>::get(),
            openledger_primitives::TOTAL_SUPPLY
        );
    });
}
