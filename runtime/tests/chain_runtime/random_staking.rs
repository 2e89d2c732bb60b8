//! Random calls of stakers and of members of nomination pools, among them equivocations.

use crate::{
    likely::{somebody, Dice},
    staking::babe_report,
};
use openledger_primitives::OPEN;
use openledger_runtime::{AccountId, Runtime, RuntimeCall, RuntimeOrigin, Session};
use pallet_nomination_pools::{BondExtra, Call as Pools, PoolState};
use pallet_staking::{Call, RewardDestination, ValidatorPrefs};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Dispatchable, Perbill};

/// Dispatches one, and says whether it succeeded.
pub fn stake(dice: &mut Dice) -> bool {
    let who = somebody(dice);
    if dice.roll(60) == 0 {
        return report(dice);
    }
    if dice.roll(2) == 0 {
        return pool_call(dice, &who).dispatch(RuntimeOrigin::signed(who)).is_ok();
    }
    staking_call(dice, &who).dispatch(RuntimeOrigin::signed(who)).is_ok()
}

fn amount(dice: &mut Dice) -> u128 {
    OPEN * u128::from(dice.roll(3_000)) + u128::from(dice.roll(3))
}

fn payee(dice: &mut Dice) -> RewardDestination<AccountId> {
    match dice.roll(4) {
        0 => RewardDestination::Stash,
        1 => RewardDestination::Account(somebody(dice)),
        2 => RewardDestination::None,
        _ => RewardDestination::Staked,
    }
}

fn staking_call(dice: &mut Dice, who: &AccountId) -> RuntimeCall {
    let value = amount(dice);
    match dice.roll(18) {
        0..=2 => Call::bond { value, payee: payee(dice) }.into(),
        3 => Call::bond_extra { max_additional: value }.into(),
        4 | 5 => Call::unbond { value }.into(),
        6 => Call::rebond { value }.into(),
        7 => Call::withdraw_unbonded { num_slashing_spans: dice.roll(3) as u32 }.into(),
        8 => {
            let commission = Perbill::from_parts(dice.roll(1_000_000_001) as u32);
            Call::validate { prefs: ValidatorPrefs { commission, blocked: dice.roll(8) == 0 } }
                .into()
        }
        9..=11 => {
            let targets = (0..1 + dice.roll(3)).map(|_| somebody(dice).into()).collect();
            Call::nominate { targets }.into()
        }
        12 => Call::chill {}.into(),
        13 => Call::set_payee { payee: payee(dice) }.into(),
        14 => {
            let dislocated = somebody(dice).into();
            pallet_bags_list::Call::<Runtime>::rebag { dislocated }.into()
        }
        15 => {
            Call::reap_stash { stash: who.clone(), num_slashing_spans: dice.roll(3) as u32 }.into()
        }
        _ => {
            let now = pallet_staking::ActiveEra::<Runtime>::get().map_or(0, |era| era.index);
            let validators = Session::validators();
            let validator_stash = match validators.get(dice.roll(4) as usize) {
                Some(validator) => validator.clone(),
                None => somebody(dice),
            };
            let era = now.saturating_sub(dice.roll(6) as u32);
            Call::payout_stakers { validator_stash, era }.into()
        }
    }
}

/// A call of or for a nomination pool.
fn pool_call(dice: &mut Dice, who: &AccountId) -> RuntimeCall {
    let amount = amount(dice);
    let pool_id = 1 + dice.roll(2) as u32;
    let mine = pallet_nomination_pools::PoolMembers::<Runtime>::get(who);
    let pool = mine.as_ref().map_or(pool_id, |member| member.pool_id);
    match dice.roll(20) {
        0 | 1 => {
            let other = somebody(dice);
            Pools::create {
                amount,
                root: who.clone().into(),
                nominator: other.clone().into(),
                bouncer: other.into(),
            }
            .into()
        }
        2..=6 => Pools::join { amount, pool_id }.into(),
        7 => Pools::bond_extra { extra: BondExtra::FreeBalance(amount) }.into(),
        8 => Pools::bond_extra { extra: BondExtra::Rewards }.into(),
        9 => Pools::claim_payout {}.into(),
        10 | 11 => {
            let member = if dice.roll(3) == 0 { somebody(dice) } else { who.clone() };
            let points = pallet_nomination_pools::PoolMembers::<Runtime>::get(&member)
                .map_or(amount, |member| member.points / (1 + u128::from(dice.roll(3))));
            Pools::unbond { member_account: member.into(), unbonding_points: points }.into()
        }
        12 | 13 => Pools::withdraw_unbonded {
            member_account: (if dice.roll(3) == 0 { somebody(dice) } else { who.clone() }).into(),
            num_slashing_spans: dice.roll(3) as u32,
        }
        .into(),
        14 | 15 => Pools::nominate {
            pool_id: pool,
            validators: (0..1 + dice.roll(2)).map(|_| somebody(dice)).collect(),
        }
        .into(),
        16 => {
            let part = Perbill::from_percent(dice.roll(12) as u32);
            Pools::set_commission { pool_id: pool, new_commission: Some((part, somebody(dice))) }
                .into()
        }
        17 => Pools::apply_slash { member_account: somebody(dice).into() }.into(),
        18 => match dice.roll(3) {
            0 => Pools::claim_commission { pool_id: pool }.into(),
            1 => Pools::chill { pool_id: pool }.into(),
            _ => Pools::pool_withdraw_unbonded {
                pool_id: pool,
                num_slashing_spans: dice.roll(3) as u32,
            }
            .into(),
        },
        _ => {
            let state = [PoolState::Open, PoolState::Blocked, PoolState::Destroying];
            let state = state[dice.roll(3) as usize];
            Pools::set_state { pool_id: pool, state }.into()
        }
    }
}

/// Reports two blocks of one slot of Alice or Bob, if that one is a validator.
fn report(dice: &mut Dice) -> bool {
    let who = [Sr25519Keyring::Alice, Sr25519Keyring::Bob][dice.roll(2) as usize];
    let account = who.to_account_id();
    let validates = Session::validators().contains(&account);
    // Who was slashed of everything and has left has nothing to lose a second time: the pallet does nothing then, and
    // says in debug builds that it should not have come to it.
    let era = pallet_staking::ActiveEra::<Runtime>::get().map_or(0, |era| era.index);
    let bonds = |who: &AccountId| pallet_staking::Ledger::<Runtime>::contains_key(who);
    let all_bond = bonds(&account)
        && pallet_staking::ErasStakersPaged::<Runtime>::iter_prefix_values((era, &account))
            .all(|page| page.others.iter().all(|other| bonds(&other.who)));
    validates && all_bond && babe_report(who).dispatch(RuntimeOrigin::none()).is_ok()
}
