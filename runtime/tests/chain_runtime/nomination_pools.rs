//! Nomination pools: what members are paid and lose, to the planck, and who may do what.

use crate::{
    common::*,
    staking::{babe_report, bond, chain, era, issuance, next_era, set_keys, validate},
};
use frame_support::traits::{Get, GetStorageVersion};
use openledger_primitives::{
    nomination::{NominationPoolState, PoolMemberView},
    Balance, OPEN, TOTAL_SUPPLY,
};
use openledger_runtime::{
    parameters::StakingLengths,
    staking::{
        pools::{self, MAX_COMMISSION, MIN_CREATE_BOND, MIN_JOIN_BOND},
        pot::{Owed, PotAccount, FLOOR},
        GENESIS_BOND,
    },
    AccountId, Balances, NominationPools, Runtime, RuntimeCall, RuntimeOrigin, Session, System,
};
use pallet_nomination_pools::{BondExtra, Call, ConfigOp, Error, PoolState};
use sp_keyring::{
    Ed25519Keyring,
    Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie},
};
use sp_runtime::{traits::Dispatchable, DispatchError, Perbill};

fn attempt(who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> Result<(), DispatchError> {
    call.into()
        .dispatch(RuntimeOrigin::signed(who.to_account_id()))
        .map(drop)
        .map_err(|refused| refused.error)
}

fn act(who: Sr25519Keyring, call: Call<Runtime>) {
    dispatch(&who.to_account_id(), call);
}

/// Pool 1 of Eve's, which backs a validator.
fn pool(amount: Balance, validator: Sr25519Keyring) {
    let eve = || Eve.to_account_id().into();
    act(Eve, Call::create { amount, root: eve(), nominator: eve(), bouncer: eve() });
    act(Eve, Call::nominate { pool_id: 1, validators: vec![validator.to_account_id()] });
}

fn join(who: Sr25519Keyring, amount: Balance) {
    act(who, Call::join { amount, pool_id: 1 });
}

fn unbond(who: Sr25519Keyring, points: Balance) -> Call<Runtime> {
    Call::unbond { member_account: who.to_account_id().into(), unbonding_points: points }
}

fn withdraw(who: Sr25519Keyring) -> Call<Runtime> {
    // One span of slashes, if there was one.
    Call::withdraw_unbonded { member_account: who.to_account_id().into(), num_slashing_spans: 2 }
}

fn member(who: Sr25519Keyring) -> PoolMemberView {
    pools::member(&who.to_account_id()).expect("a member")
}

fn owns(who: Sr25519Keyring) -> Balance {
    total(&who.to_account_id())
}

/// What is paid into an era: Bob's remark. Alice, who makes the blocks, has her part of the fee at once.
fn pay_fees(bytes: usize) {
    let bob = Bob.to_account_id();
    let remark = frame_system::Call::remark { remark: vec![0; bytes] };
    apply(sign(&Bob.pair(), System::account_nonce(&bob), remark))
        .expect("valid")
        .expect("dispatched");
}

#[test]
fn members_share_what_their_pool_is_paid_out_of_the_pot() {
    chain(|| {
        pool(GENESIS_BOND / 2, Alice);
        join(Dave, GENESIS_BOND / 4);
        join(Ferdie, GENESIS_BOND / 4);
        let held = |who: Sr25519Keyring| owns(who) - Balances::free_balance(who.to_account_id());
        assert_eq!(held(Dave), GENESIS_BOND / 4, "it stays on the member's account");
        next_era();
        next_era();
        let before = [Eve, Dave, Ferdie].map(owns);
        pay_fees(1_000);
        let paid = next_era().expect("the era was paid");
        assert_eq!(issuance(), TOTAL_SUPPLY);
        // Half of the validator's stake is the pool's.
        let reward_account = NominationPools::api_pool_accounts(1).1;
        let deposit = openledger_primitives::EXISTENTIAL_DEPOSIT;
        assert_eq!(Balances::free_balance(&reward_account) - deposit, paid / 2);
        near(member(Eve).rewards, paid / 4);
        check_state();

        act(Eve, Call::claim_payout {});
        act(Dave, Call::bond_extra { extra: BondExtra::Rewards });
        // Anyone has another's paid out to it.
        act(Bob, Call::claim_payout_other { other: Ferdie.to_account_id() });
        let got: Vec<_> =
            [Eve, Dave, Ferdie].map(owns).iter().zip(before).map(|(now, was)| now - was).collect();
        for (got, due) in got.into_iter().zip([paid / 4, paid / 8, paid / 8]) {
            near(got, due);
        }
        near(member(Dave).bonded, GENESIS_BOND / 4 + paid / 8);
        near(Owed::<Runtime>::get(), 0);
        assert_eq!(member(Eve).rewards, 0);
        assert_eq!(issuance(), TOTAL_SUPPLY);
        assert!(Balances::free_balance(PotAccount::get()) >= FLOOR);
    });
}

#[test]
fn who_joins_after_an_era_has_nothing_of_what_others_earned_in_it() {
    chain(|| {
        pool(GENESIS_BOND / 2, Alice);
        next_era();
        next_era();
        pay_fees(1_000);
        // The first block in which a transaction can know that the era is over.
        let paid = next_era().expect("the era was paid");
        join(Ferdie, 9 * GENESIS_BOND / 2);
        for era in 0..era() {
            let validator_stash = Alice.to_account_id();
            // What paid something was paid before, and what did not pays nothing now.
            let _ = attempt(Ferdie, pallet_staking::Call::payout_stakers { validator_stash, era });
        }
        assert_eq!(member(Ferdie).rewards, 0);
        near(member(Eve).rewards, paid / 3);
    });
}

#[test]
fn a_commission_is_kept_apart_and_bounded() {
    chain(|| {
        pool(GENESIS_BOND, Alice);
        let commission = |part| Call::set_commission {
            pool_id: 1,
            new_commission: Some((part, Charlie.to_account_id())),
        };
        let too_much = Perbill::from_percent(11);
        assert!(too_much > MAX_COMMISSION);
        assert_eq!(
            attempt(Eve, commission(too_much)),
            Err(Error::<Runtime>::CommissionExceedsGlobalMaximum.into())
        );
        act(Eve, commission(MAX_COMMISSION));
        next_era();
        next_era();
        let before = owns(Charlie);
        pay_fees(1_000);
        let paid = next_era().expect("the era was paid");
        act(Eve, Call::claim_commission { pool_id: 1 });
        let kept = MAX_COMMISSION * (paid / 2);
        near(owns(Charlie) - before, kept);
        near(member(Eve).rewards, paid / 2 - kept);
        assert_eq!(
            pools::pool(1).and_then(|pool| pool.commission).map(|it| it.0),
            Some(100_000_000)
        );
    });
}

#[test]
fn a_slash_reaches_members_and_those_on_their_way_out_and_goes_to_the_treasury() {
    chain(|| {
        // Bob validates with nothing but what others back him with, nearly.
        bond(Bob, 1_000 * OPEN);
        set_keys(Bob, Ed25519Keyring::Bob);
        validate(Bob);
        pool(60_000 * OPEN, Bob);
        join(Dave, 30_000 * OPEN);
        join(Ferdie, 9_000 * OPEN);
        next_era();
        next_era();
        assert!(Session::validators().contains(&Bob.to_account_id()));
        act(Ferdie, unbond(Ferdie, 4_000 * OPEN));
        let before = [Eve, Dave, Ferdie, Bob].map(owns);
        let (pot, supply) = (owns_treasury(), issuance());
        // One of two offends: (3 × 1 ÷ 2)², which is all of it.
        babe_report(Bob).dispatch(RuntimeOrigin::none()).expect("it is proved");
        assert_eq!(owns(Bob), before[3] - 1_000 * OPEN);
        assert_eq!(owns_treasury(), pot + 1_000 * OPEN, "members owe theirs");
        let pending = pools::pool(1).expect("it is there").pending_slash;
        assert_eq!(pending, 99_000 * OPEN);
        assert_eq!(member(Ferdie).pending_slash, 9_000 * OPEN);
        assert_eq!((member(Dave).bonded, member(Dave).pending_slash), (0, 30_000 * OPEN));
        check_state();

        // Anyone has it taken, and is paid nothing for it.
        for who in [Dave, Ferdie, Eve] {
            let one = Call::apply_slash { member_account: who.to_account_id().into() };
            let caller = owns(Charlie);
            let call = RuntimeCall::from(one);
            let done = call.clone().dispatch(RuntimeOrigin::signed(Charlie.to_account_id()));
            let free = frame_support::dispatch::Pays::No;
            assert_eq!(done.expect("it is due").pays_fee, free);
            assert_eq!(owns(Charlie), caller);
            assert!(attempt(Charlie, call).is_err(), "once");
            assert_eq!(issuance(), supply);
            check_state();
        }
        assert_eq!(
            [Eve, Dave, Ferdie].map(owns),
            [before[0] - 60_000 * OPEN, before[1] - 30_000 * OPEN, before[2] - 9_000 * OPEN,]
        );
        assert_eq!(owns_treasury(), pot + 100_000 * OPEN);

        // The pallet lets nobody leave a pool that has lost everything; they stake by themselves again.
        let nothing = member(Dave);
        assert_eq!((nothing.bonded, nothing.rewards, nothing.pending_slash), (0, 0, 0));
        bond(Dave, 100 * OPEN);
        assert!(attempt(Dave, Call::join { amount: OPEN, pool_id: 1 }).is_err());
        let more = Call::bond_extra { extra: BondExtra::FreeBalance(OPEN) };
        assert!(attempt(Dave, more).is_err());
    });
}

/// Within rounding: ratios of slashes have nine decimals or more, shares of rewards eighteen.
fn near(a: Balance, b: Balance) {
    assert!(a.abs_diff(b) < OPEN / 1_000_000_000, "{a} is not {b}");
}

fn owns_treasury() -> Balance {
    total(&treasury())
}

#[test]
fn a_slash_of_a_part_is_shared_by_stake_and_taken_at_the_latest_from_who_withdraws() {
    genesis("development").execute_with(|| {
        begin_block();
        // Nine more validators with enough for a seat, so that one offender loses (3 × 1 ÷ 10)².
        let others: Vec<_> = (0..9u32).map(user).collect();
        for (number, other) in others.iter().enumerate() {
            let who = id(other);
            dispatch(
                &Alice.to_account_id(),
                pallet_balances::Call::transfer_keep_alive {
                    dest: who.clone().into(),
                    value: 61_000 * OPEN,
                },
            );
            use sp_core::Pair as _;
            let grandpa = sp_core::ed25519::Pair::from_seed(&[number as u8; 32]);
            let keys = openledger_runtime::SessionKeys {
                babe: other.public().into(),
                grandpa: grandpa.public().into(),
            };
            pallet_session::NextKeys::<Runtime>::insert(&who, keys);
            let payee = pallet_staking::RewardDestination::Stash;
            dispatch(&who, pallet_staking::Call::bond { value: 60_000 * OPEN, payee });
            dispatch(&who, pallet_staking::Call::validate { prefs: Default::default() });
        }
        pool(10_000 * OPEN, Alice);
        join(Dave, 5_000 * OPEN);
        next_era();
        next_era();
        assert_eq!(Session::validators().len(), 10);
        let (eve, dave, pot) = (owns(Eve), owns(Dave), owns_treasury());
        babe_report(Alice).dispatch(RuntimeOrigin::none()).expect("it is proved");
        let part = Perbill::from_percent(9);
        near(pools::pool(1).expect("it is there").pending_slash, part * 15_000 * OPEN);
        near(member(Dave).bonded, 5_000 * OPEN - part * 5_000 * OPEN);
        near(owns_treasury(), pot + part * GENESIS_BOND);

        // Who leaves takes out what is left, and owes nothing.
        let points = member(Dave).points;
        act(Dave, unbond(Dave, points));
        assert_eq!(member(Dave).unbonding.len(), 1);
        for _ in 0..StakingLengths::DEVELOPMENT.bonding {
            assert_eq!(
                attempt(Dave, withdraw(Dave)),
                Err(Error::<Runtime>::CannotWithdrawAny.into())
            );
            next_era();
        }
        act(Dave, withdraw(Dave));
        near(owns(Dave), dave - part * 5_000 * OPEN);
        assert_eq!(owns(Dave), Balances::free_balance(Dave.to_account_id()));
        assert_eq!(pools::member(&Dave.to_account_id()), None);
        near(owns_treasury(), pot + part * GENESIS_BOND + part * 5_000 * OPEN);
        assert_eq!(owns(Eve), eve, "hers waits");
        end_block();
        assert_eq!(issuance(), TOTAL_SUPPLY);
    });
}

#[test]
fn a_pool_ends_once_all_have_left_and_everything_is_back() {
    chain(|| {
        let before = [Eve, Dave].map(owns);
        pool(MIN_CREATE_BOND, Alice);
        join(Dave, 50 * OPEN);
        assert_eq!(
            attempt(Eve, unbond(Eve, MIN_CREATE_BOND)),
            Err(Error::<Runtime>::MinimumBondNotMet.into()),
            "who made it leaves last"
        );
        assert_eq!(
            attempt(Bob, Call::set_state { pool_id: 1, state: PoolState::Destroying }),
            Err(Error::<Runtime>::CanNotChangeState.into())
        );
        act(Eve, Call::set_state { pool_id: 1, state: PoolState::Destroying });
        assert_eq!(
            attempt(Ferdie, Call::join { amount: OPEN, pool_id: 1 }),
            Err(Error::<Runtime>::NotOpen.into())
        );
        // Anybody unbonds its members now.
        act(Bob, unbond(Dave, 50 * OPEN));
        for _ in 0..=StakingLengths::DEVELOPMENT.bonding {
            next_era();
        }
        act(Bob, withdraw(Dave));
        assert_eq!(owns(Dave), before[1]);
        act(Eve, Call::chill { pool_id: 1 });
        act(Eve, unbond(Eve, MIN_CREATE_BOND));
        for _ in 0..=StakingLengths::DEVELOPMENT.bonding {
            next_era();
        }
        act(Eve, withdraw(Eve));
        assert_eq!(owns(Eve), before[0], "with what kept the reward account alive");
        assert_eq!((pools::pool(1), pools::terms().pools), (None, 0));
        let accounts = NominationPools::api_pool_accounts(1);
        assert_eq!((total(&accounts.0), total(&accounts.1)), (0, 0));
    });
}

#[test]
fn who_is_in_a_pool_does_not_stake_alone_and_the_other_way_round() {
    chain(|| {
        pool(MIN_CREATE_BOND, Alice);
        join(Dave, MIN_JOIN_BOND);
        let payee = pallet_staking::RewardDestination::Stash;
        let alone = pallet_staking::Call::bond { value: 10 * OPEN, payee };
        assert_eq!(attempt(Dave, alone), Err(pallet_staking::Error::<Runtime>::Restricted.into()));
        let join = |amount| Call::join { amount, pool_id: 1 };
        assert_eq!(attempt(Alice, join(OPEN)), Err(Error::<Runtime>::Restricted.into()));
        assert_eq!(
            attempt(Dave, join(OPEN)),
            Err(Error::<Runtime>::AccountBelongsToOtherPool.into())
        );
        assert_eq!(
            attempt(Bob, join(MIN_JOIN_BOND - 1)),
            Err(Error::<Runtime>::MinimumBondNotMet.into())
        );
        let bob = || Bob.to_account_id().into();
        let create = Call::create {
            amount: MIN_CREATE_BOND - 1,
            root: bob(),
            nominator: bob(),
            bouncer: bob(),
        };
        assert_eq!(attempt(Bob, create), Err(Error::<Runtime>::MinimumBondNotMet.into()));
        let others = vec![Alice.to_account_id()];
        assert_eq!(
            attempt(Bob, Call::nominate { pool_id: 1, validators: others }),
            Err(Error::<Runtime>::NotNominator.into())
        );
        // What is asked for is root's to change, by referendum.
        let configs = Call::set_configs {
            min_join_bond: ConfigOp::Set(2 * OPEN),
            min_create_bond: ConfigOp::Noop,
            max_pools: ConfigOp::Noop,
            max_members: ConfigOp::Noop,
            max_members_per_pool: ConfigOp::Noop,
            global_max_commission: ConfigOp::Noop,
        };
        assert_eq!(attempt(Bob, configs.clone()), Err(DispatchError::BadOrigin));
        RuntimeCall::from(configs).dispatch(RuntimeOrigin::root()).expect("root may");
        assert_eq!(pools::terms().min_join, 2 * OPEN);
    });
}

#[test]
fn pools_are_read_page_by_page() {
    chain(|| {
        let who = [Bob, Charlie, Dave, Eve];
        for (number, one) in who.into_iter().enumerate() {
            let it = || one.to_account_id().into();
            let amount = MIN_CREATE_BOND + number as Balance;
            act(one, Call::create { amount, root: it(), nominator: it(), bouncer: it() });
        }
        act(Dave, Call::set_metadata { pool_id: 3, metadata: b"Dave's".to_vec() });
        act(Dave, Call::set_state { pool_id: 3, state: PoolState::Blocked });
        let ids = |start, limit| -> Vec<u32> {
            pools::pools(start, limit).into_iter().map(|pool| pool.id).collect()
        };
        assert_eq!(ids(0, 100), [1, 2, 3, 4]);
        assert_eq!(ids(2, 2), [2, 3]);
        assert_eq!(ids(4, u32::MAX), [4]);
        assert_eq!(ids(u32::MAX, u32::MAX), [0u32; 0]);
        let third = pools::pool(3).expect("it is there");
        assert_eq!((&third.name[..], third.state), (&b"Dave's"[..], NominationPoolState::Blocked));
        assert_eq!((third.members, third.bonded), (1, MIN_CREATE_BOND + 2));
        let dave: AccountId = Dave.to_account_id();
        assert_eq!((third.depositor, third.root), (dave.clone(), Some(dave)));
        let terms = pools::terms();
        assert_eq!((terms.pools, terms.last, terms.min_create), (4, 4, MIN_CREATE_BOND));
        // The SDK's API answers for pools that there are not, too.
        use pallet_nomination_pools_runtime_api::runtime_decl_for_nomination_pools_api::NominationPoolsApi;
        assert_eq!(Runtime::pool_pending_slash(9), 0);
        assert_eq!(Runtime::member_pending_slash(Alice.to_account_id()), 0);
        assert_eq!(Runtime::pending_rewards(Alice.to_account_id()), 0);
    });
}

#[test]
fn what_is_in_a_pool_votes_in_referenda() {
    use frame_support::traits::Currency;
    use openledger_runtime::governance::votes::VotingBalances;
    chain(|| {
        pool(MIN_CREATE_BOND, Alice);
        let all = owns(Dave);
        join(Dave, all - OPEN);
        assert_eq!(Balances::free_balance(Dave.to_account_id()), OPEN);
        assert_eq!(VotingBalances::total_balance(&Dave.to_account_id()), all);
    });
}

#[test]
fn a_new_chain_has_the_versions_of_its_pools() {
    chain(|| {
        assert_eq!(NominationPools::on_chain_storage_version(), 8);
        assert_eq!(
            NominationPools::on_chain_storage_version(),
            NominationPools::in_code_storage_version()
        );
    });
}
