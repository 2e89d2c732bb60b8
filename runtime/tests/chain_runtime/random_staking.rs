//! Random calls of stakers and of members of nomination pools.

use crate::likely::{somebody, Dice};
use openledger_primitives::OPEN;
use openledger_runtime::{AccountId, Runtime, RuntimeCall, Session};
use pallet_nomination_pools::{
    BondExtra, Call as Pools, ClaimPermission, CommissionChangeRate, CommissionClaimPermission,
    ConfigOp, PoolMembers, PoolState,
};
use pallet_staking::{Call, RewardDestination, ValidatorPrefs};
use sp_runtime::Perbill;

/// One of either, and who makes it.
pub fn stake_call(dice: &mut Dice) -> (AccountId, RuntimeCall) {
    let who = somebody(dice);
    let call = match dice.roll(2) {
        0 => pool_call(dice, &who),
        _ => staking_call(dice, &who),
    };
    // Whoever decides on a pool, as often as not.
    let pool = match &call {
        RuntimeCall::NominationPools(
            Pools::nominate { pool_id, .. }
            | Pools::chill { pool_id }
            | Pools::set_metadata { pool_id, .. }
            | Pools::update_roles { pool_id, .. }
            | Pools::set_commission { pool_id, .. }
            | Pools::set_commission_max { pool_id, .. }
            | Pools::set_commission_change_rate { pool_id, .. }
            | Pools::set_commission_claim_permission { pool_id, .. }
            | Pools::claim_commission { pool_id },
        ) => pallet_nomination_pools::BondedPools::<Runtime>::get(pool_id),
        _ => None,
    };
    let root = pool.and_then(|pool| pool.roles.root).filter(|_| dice.roll(2) == 0);
    (root.unwrap_or(who), call)
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
    match dice.roll(23) {
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
        16 => Call::kick { who: vec![somebody(dice).into(), somebody(dice).into()] }.into(),
        17 => Call::chill_other { stash: somebody(dice) }.into(),
        18 => Call::update_payee { controller: who.clone() }.into(),
        19 => {
            let lighter = somebody(dice).into();
            pallet_bags_list::Call::<Runtime>::put_in_front_of { lighter }.into()
        }
        20 => pallet_bags_list::Call::<Runtime>::put_in_front_of_other {
            heavier: somebody(dice).into(),
            lighter: somebody(dice).into(),
        }
        .into(),
        n => {
            let now = pallet_staking::ActiveEra::<Runtime>::get().map_or(0, |era| era.index);
            let validators = Session::validators();
            let validator_stash = match validators.get(dice.roll(4) as usize) {
                Some(validator) => validator.clone(),
                None => somebody(dice),
            };
            let era = now.saturating_sub(dice.roll(6) as u32);
            match n {
                21 => Call::payout_stakers_by_page { validator_stash, era, page: 0 }.into(),
                _ => Call::payout_stakers { validator_stash, era }.into(),
            }
        }
    }
}

/// A call of or for a nomination pool.
fn pool_call(dice: &mut Dice, who: &AccountId) -> RuntimeCall {
    let amount = amount(dice);
    let pool_id = 1 + dice.roll(2) as u32;
    let mine = PoolMembers::<Runtime>::get(who);
    let pool = mine.as_ref().map_or(pool_id, |member| member.pool_id);
    match dice.roll(28) {
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
            let points = PoolMembers::<Runtime>::get(&member)
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
        20 => {
            let metadata = vec![b'a'; dice.roll(20) as usize];
            Pools::set_metadata { pool_id: pool, metadata }.into()
        }
        21 => Pools::update_roles {
            pool_id: pool,
            new_root: ConfigOp::Noop,
            new_nominator: ConfigOp::Set(somebody(dice)),
            new_bouncer: match dice.roll(3) {
                0 => ConfigOp::Remove,
                _ => ConfigOp::Set(somebody(dice)),
            },
        }
        .into(),
        22 => Pools::bond_extra_other {
            member: somebody(dice).into(),
            extra: match dice.roll(2) {
                0 => BondExtra::Rewards,
                _ => BondExtra::FreeBalance(amount),
            },
        }
        .into(),
        23 => {
            let kinds = [
                ClaimPermission::Permissioned,
                ClaimPermission::PermissionlessCompound,
                ClaimPermission::PermissionlessWithdraw,
                ClaimPermission::PermissionlessAll,
            ];
            let permission = kinds[dice.roll(4) as usize];
            Pools::set_claim_permission { permission }.into()
        }
        24 => Pools::claim_payout_other { other: somebody(dice) }.into(),
        25 => {
            let max_commission = Perbill::from_percent(dice.roll(12) as u32);
            Pools::set_commission_max { pool_id: pool, max_commission }.into()
        }
        26 => match dice.roll(3) {
            0 => Pools::set_commission_change_rate {
                pool_id: pool,
                change_rate: CommissionChangeRate {
                    max_increase: Perbill::from_percent(dice.roll(12) as u32),
                    min_delay: dice.roll(9) as u32,
                },
            },
            1 => Pools::adjust_pool_deposit { pool_id: pool },
            _ => Pools::set_commission_claim_permission {
                pool_id: pool,
                permission: match dice.roll(2) {
                    0 => None,
                    _ => Some(CommissionClaimPermission::Account(somebody(dice))),
                },
            },
        }
        .into(),
        _ => {
            let state = [PoolState::Open, PoolState::Blocked, PoolState::Destroying];
            let state = state[dice.roll(3) as usize];
            Pools::set_state { pool_id: pool, state }.into()
        }
    }
}
