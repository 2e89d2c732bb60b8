//! Random calls of stakers, among them equivocations.

use crate::{
    likely::{somebody, Dice},
    staking::babe_report,
};
use openledger_primitives::OPEN;
use openledger_runtime::{AccountId, Runtime, RuntimeCall, RuntimeOrigin, Session};
use pallet_staking::{Call, RewardDestination, ValidatorPrefs};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Dispatchable, Perbill};

/// Dispatches one, and says whether it succeeded.
pub fn stake(dice: &mut Dice) -> bool {
    let who = somebody(dice);
    if dice.roll(60) == 0 {
        return report(dice);
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

/// Reports two blocks of one slot of Alice or Bob, if that one is a validator.
fn report(dice: &mut Dice) -> bool {
    let who = [Sr25519Keyring::Alice, Sr25519Keyring::Bob][dice.roll(2) as usize];
    let validates = Session::validators().contains(&who.to_account_id());
    validates && babe_report(who).dispatch(RuntimeOrigin::none()).is_ok()
}
