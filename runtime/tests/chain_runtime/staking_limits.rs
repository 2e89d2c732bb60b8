//! Elections with as many candidates and voters as they count, and more.

use crate::common::*;
use frame_support::traits::RewardsReporter;
use openledger_primitives::OPEN;
use openledger_runtime::{
    staking::{GENESIS_BOND, MAX_CANDIDATES, MAX_VOTERS, VALIDATORS},
    AccountId, Runtime, RuntimeCall, RuntimeOrigin, Session, SessionKeys, System,
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
                // A quarter is taken out again, of those who have least.
                let more = if number <= 150 { OPEN } else { 0 };
                let who = stand(number, 1_000 * OPEN + more);
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
            bond(&who, if small { 10 * OPEN } else { 4_000 * OPEN + u128::from(number) });
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

/// Two eras: one election, and the session after it.
fn elect() {
    for _ in 0..80 {
        end_unchecked_block();
        begin_block();
    }
}

/// Three bonds of the least size took three of four votes on finality, were switched off, and it stopped for good.
#[test]
fn who_has_little_behind_it_gets_no_seat_beside_those_who_have_much() {
    let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
    let validate = || Call::validate { prefs: Default::default() };
    genesis("development").execute_with(|| {
        begin_block();
        for number in 1..4 {
            dispatch(&stand(number, 1_000 * OPEN), validate());
        }
        let short = stand(4, GENESIS_BOND / 2 - OPEN);
        dispatch(&short, validate());
        elect();
        assert_eq!(Session::validators(), std::slice::from_ref(&alice));

        // Half is enough, and it may be others' as well as one's own.
        let newcomer = stand(5, GENESIS_BOND / 2);
        dispatch(&newcomer, validate());
        let nominator = id(&user(6));
        bond(&nominator, 10 * OPEN);
        dispatch(&nominator, Call::nominate { targets: vec![short.clone().into()] });
        elect();
        let mut elected = Session::validators();
        elected.sort();
        let mut expected = vec![alice.clone(), newcomer.clone(), short.clone()];
        expected.sort();
        assert_eq!(elected, expected);

        // One that has a hundred times as much has a seat, and takes nobody's.
        let whale = stand(7, 100 * GENESIS_BOND);
        dispatch(&whale, validate());
        elect();
        elect();
        expected.push(whale);
        expected.sort();
        let mut elected = Session::validators();
        elected.sort();
        assert_eq!(elected, expected);
        end_block();
    });
}

/// Whoever nominated the others with next to nothing took the seat of one that had just enough, from one era to the next.
#[test]
fn who_has_a_seat_keeps_it_with_a_fifth_less() {
    let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
    genesis("development").execute_with(|| {
        begin_block();
        let others = [alice, stand(1, GENESIS_BOND), stand(2, GENESIS_BOND)];
        let small = stand(3, GENESIS_BOND / 2);
        for who in [&others[1], &others[2], &small] {
            dispatch(who, Call::validate { prefs: Default::default() });
        }
        elect();
        assert!(Session::validators().contains(&small));
        let back = |number: u32, each: u128| {
            for (n, target) in (0..).zip(&others) {
                let nominator = id(&user(number + n));
                bond(&nominator, each);
                dispatch(&nominator, Call::nominate { targets: vec![target.clone().into()] });
            }
            elect();
            elect();
            Session::validators()
        };
        assert!(back(10, 100 * OPEN).contains(&small));
        // Those who have a quarter more, and no less, leave it behind.
        let left = back(20, GENESIS_BOND / 4);
        assert!(!left.contains(&small) && left.len() == others.len(), "{left:?}");
        end_block();
    });
}

/// 200 bonds of 1,000 OPEN took all places for candidates, for as long as their owner liked: what was taken out in one block stood
/// again in the next.
#[test]
fn small_bonds_keep_nobody_with_more_from_standing() {
    genesis("development").execute_with(|| {
        begin_block();
        let try_to_stand = |who: &AccountId| {
            RuntimeCall::from(Call::validate { prefs: Default::default() })
                .dispatch(RuntimeOrigin::signed(who.clone()))
                .map(drop)
                .map_err(|refused| refused.error)
        };
        let stands = |who: &AccountId| pallet_staking::Validators::<Runtime>::contains_key(who);
        // Of those with little one has more.
        let some = stand(1, 1_001 * OPEN);
        assert_eq!(try_to_stand(&some), Ok(()));
        let small: Vec<AccountId> =
            (2..=MAX_CANDIDATES).map(|number| stand(number, 1_000 * OPEN)).collect();
        let late = stand(MAX_CANDIDATES + 1, GENESIS_BOND);
        let crowd = || small.iter().filter(|who| try_to_stand(who).is_ok()).count();
        crowd();
        assert_eq!(try_to_stand(&late), Err(Error::<Runtime>::TooManyValidators.into()));
        let next_block = || {
            end_unchecked_block();
            begin_block();
        };
        next_block();
        let standing = pallet_staking::Validators::<Runtime>::count();
        assert_eq!(standing, MAX_CANDIDATES * 3 / 4, "a quarter is free again");
        assert!(stands(&some), "the smallest go");
        assert_eq!(try_to_stand(&late), Ok(()));
        // Whatever they do, in every block, who has more stays, and is elected.
        for _ in 0..80 {
            crowd();
            next_block();
            assert!(stands(&late) && stands(&some));
        }
        assert!(Session::validators().contains(&late));
        // And who has a seat does not lose its place by its bond.
        let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
        assert!(stands(&alice) && Session::validators().contains(&alice));
        end_block();
    });
}

/// It took their keys and whether each had made blocks without counting that.
#[test]
fn an_election_weighs_its_candidates() {
    use frame_support::{
        dispatch::DispatchClass,
        weights::{constants::RocksDbWeight, Weight},
    };
    let weight = |candidates: u32| -> Weight {
        genesis("development").execute_with(|| {
            begin_block();
            for number in 1..=candidates {
                let who = stand(number, 1_000 * OPEN);
                dispatch(&who, Call::validate { prefs: Default::default() });
            }
            let planned = pallet_staking::CurrentEra::<Runtime>::get();
            while pallet_staking::CurrentEra::<Runtime>::get() == planned {
                end_unchecked_block();
                begin_block();
            }
            *System::block_weight().get(DispatchClass::Mandatory)
        })
    };
    // None is elected, so nothing else differs but what the pallet and the solver weigh by themselves.
    let weighed = |candidates| {
        use frame_election_provider_support::{onchain, WeightInfo as _};
        use pallet_staking::WeightInfo as _;
        type Solver = <openledger_runtime::staking::Election as onchain::Config>::WeightInfo;
        type Pallet = <Runtime as pallet_staking::Config>::WeightInfo;
        Solver::phragmen(candidates, candidates, 16)
            .saturating_add(Pallet::get_npos_voters(candidates, 0))
            .saturating_add(Pallet::get_npos_targets(candidates))
    };
    let more = weight(100).saturating_sub(weight(0));
    let weighed = weighed(101).saturating_sub(weighed(1));
    let looks: Weight = RocksDbWeight::get().reads(2 * 100);
    assert!(more.saturating_sub(weighed).all_gte(looks), "{more} beside {weighed}");
}

/// Accounts without session keys were elected all the same: 200 of them, a machine to none, took all places, and when
/// nobody else was elected the chain stopped for good.
#[test]
fn who_has_no_session_keys_is_not_elected() {
    let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
    genesis("development").execute_with(|| {
        begin_block();
        for number in 1..30 {
            let who = stand(number, GENESIS_BOND);
            pallet_session::NextKeys::<Runtime>::remove(&who);
            dispatch(&who, Call::validate { prefs: Default::default() });
        }
        elect();
        assert_eq!(Session::validators(), std::slice::from_ref(&alice));
        let stand = pallet_staking::Validators::<Runtime>::iter_keys().collect::<Vec<_>>();
        assert_eq!(stand, std::slice::from_ref(&alice), "they give their places back");
        end_block();
    });
}

#[test]
fn who_makes_no_block_in_an_era_loses_its_seat_unless_many_do() {
    let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
    let run = |absent: &[u32]| {
        let mut test = genesis("development");
        let absent = absent.to_vec();
        let alice = alice.clone();
        test.execute_with(move || {
            begin_block();
            let others: Vec<AccountId> = (1..5)
                .map(|number| {
                    let who = stand(number, GENESIS_BOND);
                    dispatch(&who, Call::validate { prefs: Default::default() });
                    who
                })
                .collect();
            elect();
            assert_eq!(Session::validators().len(), 5);
            // What they would have been given for blocks; the tests' blocks are all of one author.
            let era = || pallet_staking::ActiveEra::<Runtime>::get().expect("active").index;
            let begun = era();
            while era() < begun + 3 {
                let worked = others
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| !absent.contains(&(*number as u32)))
                    .map(|(_, who)| (who.clone(), 400))
                    .chain([(alice.clone(), 400)]);
                pallet_staking::Pallet::<Runtime>::reward_by_ids(worked);
                end_unchecked_block();
                begin_block();
            }
            let stands = |who| pallet_staking::Validators::<Runtime>::contains_key(who);
            let out = others.iter().filter(|who| !stands(*who)).count();
            assert_eq!(Session::validators().len(), 5 - out);
            end_block();
            out
        })
    };
    assert_eq!(run(&[]), 0);
    assert_eq!(run(&[2]), 1);
    assert_eq!(run(&[1, 2]), 0, "the network may have been cut in two");
}
