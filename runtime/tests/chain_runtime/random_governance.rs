//! Random calls of referenda, votes, treasury, preimages, proxies and multisigs, and other calls inside them.

use crate::likely::{somebody, Dice};
use codec::Encode;
use frame_support::{
    traits::{schedule::DispatchTime, StorePreimage},
    weights::Weight,
};
use openledger_primitives::OPEN;
use openledger_runtime::{
    governance::{origins::Origin, proxies::ProxyType},
    AccountId, Address, OriginCaller, Preimage, Runtime, RuntimeCall,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use sp_keyring::Sr25519Keyring;
use sp_runtime::MultiAddress;

fn referendum(dice: &mut Dice) -> u32 {
    let count = pallet_referenda::ReferendumCount::<Runtime>::get();
    dice.roll(u64::from(count) + 1) as u32
}

fn proposal(dice: &mut Dice) -> (OriginCaller, RuntimeCall) {
    match dice.roll(5) {
        0 => (
            Origin::GeneralAdmin.into(),
            pallet_referenda::Call::kill { index: referendum(dice) }.into(),
        ),
        1 => (
            Origin::GeneralAdmin.into(),
            pallet_referenda::Call::cancel { index: referendum(dice) }.into(),
        ),
        2 => (
            frame_system::RawOrigin::Root.into(),
            frame_system::Call::remark { remark: vec![0; dice.roll(300) as usize] }.into(),
        ),
        n => {
            let spend = pallet_treasury::Call::spend {
                asset_kind: Box::new(()),
                amount: dice.amount(),
                beneficiary: Box::new(somebody(dice)),
                valid_from: None,
            };
            let origin = if n == 3 { Origin::BigSpender } else { Origin::SmallSpender };
            (origin.into(), spend.into())
        }
    }
}

fn conviction(dice: &mut Dice) -> Conviction {
    [Conviction::None, Conviction::Locked1x, Conviction::Locked6x][dice.roll(3) as usize]
}

/// A call of governance.
pub fn governance_call(dice: &mut Dice) -> RuntimeCall {
    let index = referendum(dice);
    let class = dice.roll(4) as u16;
    match dice.roll(20) {
        0 => {
            let (origin, call) = proposal(dice);
            // Longer ones keep a preimage that nobody paid for, as a call of a pallet's own would.
            let proposal = Preimage::bound(call).expect("it is short enough");
            pallet_referenda::Call::submit {
                proposal_origin: Box::new(origin),
                proposal,
                enactment_moment: DispatchTime::After(dice.roll(4) as u32),
            }
            .into()
        }
        1 | 2 => pallet_referenda::Call::place_decision_deposit { index }.into(),
        3 => pallet_referenda::Call::refund_decision_deposit { index }.into(),
        4 => pallet_referenda::Call::refund_submission_deposit { index }.into(),
        5..=8 => {
            let vote = match dice.roll(3) {
                0 => AccountVote::SplitAbstain {
                    aye: dice.amount(),
                    nay: dice.amount(),
                    abstain: dice.amount(),
                },
                _ => AccountVote::Standard {
                    vote: Vote { aye: dice.roll(5) > 0, conviction: conviction(dice) },
                    balance: OPEN * u128::from(dice.roll(900_000)),
                },
            };
            pallet_conviction_voting::Call::vote { poll_index: index, vote }.into()
        }
        9 => pallet_conviction_voting::Call::remove_vote { class: Some(class), index }.into(),
        10 => {
            pallet_conviction_voting::Call::unlock { class, target: somebody(dice).into() }.into()
        }
        11 => pallet_conviction_voting::Call::delegate {
            class,
            to: somebody(dice).into(),
            conviction: conviction(dice),
            balance: dice.amount(),
        }
        .into(),
        12 => pallet_conviction_voting::Call::undelegate { class }.into(),
        13 => pallet_treasury::Call::payout { index: dice.roll(4) as u32 }.into(),
        14 => pallet_treasury::Call::check_status { index: dice.roll(4) as u32 }.into(),
        15 => pallet_preimage::Call::note_preimage { bytes: vec![dice.roll(9) as u8; 64] }.into(),
        16 => {
            let hash = sp_core::H256(sp_io::hashing::blake2_256(&[dice.roll(9) as u8; 64]));
            pallet_preimage::Call::unnote_preimage { hash }.into()
        }
        17 => pallet_proxy::Call::add_proxy {
            delegate: somebody(dice).into(),
            proxy_type: [ProxyType::Any, ProxyType::Contribute, ProxyType::Review]
                [dice.roll(3) as usize],
            delay: dice.roll(2) as u32,
        }
        .into(),
        18 => pallet_proxy::Call::remove_proxies {}.into(),
        _ => pallet_proxy::Call::create_pure {
            proxy_type: ProxyType::Any,
            delay: 0,
            index: dice.roll(3) as u16,
        }
        .into(),
    }
}

/// A step of two of three accounts that act together on one of few calls, so that what one begins another one
/// carries out, and who takes it.
pub fn together(dice: &mut Dice) -> (AccountId, RuntimeCall) {
    let mut three = [Sr25519Keyring::Bob, Sr25519Keyring::Charlie, Sr25519Keyring::Dave]
        .map(|one| one.to_account_id())
        .to_vec();
    three.sort();
    let all = pallet_multisig::Pallet::<Runtime>::multi_account_id(&three, 2);
    let who = three.remove(dice.roll(3) as usize);
    let call: RuntimeCall = match dice.roll(3) {
        0 => frame_system::Call::remark { remark: Vec::new() }.into(),
        1 => pallet_balances::Call::transfer_allow_death { dest: who.clone().into(), value: OPEN }
            .into(),
        // What they pay comes from somewhere.
        _ => {
            let value = OPEN * u128::from(dice.roll(3));
            let pay = pallet_balances::Call::transfer_allow_death { dest: all.into(), value };
            return (who, pay.into());
        }
    };
    let call_hash = sp_io::hashing::blake2_256(&call.encode());
    let begun = pallet_multisig::Multisigs::<Runtime>::get(&all, call_hash);
    let (threshold, other_signatories) = (2, three);
    let max_weight = Weight::from_parts(1_000_000_000, 100_000);
    let step = match (dice.roll(8), &begun) {
        (0, Some(begun)) => pallet_multisig::Call::cancel_as_multi {
            threshold,
            other_signatories,
            timepoint: begun.when,
            call_hash,
        },
        (1, _) => pallet_multisig::Call::approve_as_multi {
            threshold,
            other_signatories,
            maybe_timepoint: begun.map(|begun| begun.when),
            call_hash,
            max_weight,
        },
        _ => pallet_multisig::Call::as_multi {
            threshold,
            other_signatories,
            maybe_timepoint: begun.map(|begun| begun.when),
            call: Box::new(call),
            max_weight,
        },
    };
    (who, step.into())
}

/// The call inside another one.
pub fn wrapped(dice: &mut Dice, call: RuntimeCall) -> RuntimeCall {
    match dice.roll(4) {
        0 => pallet_utility::Call::batch { calls: vec![call; 1 + dice.roll(2) as usize] }.into(),
        1 => pallet_multisig::Call::as_multi_threshold_1 {
            other_signatories: vec![somebody(dice)],
            call: Box::new(call),
        }
        .into(),
        2 => pallet_utility::Call::as_derivative { index: 0, call: Box::new(call) }.into(),
        _ => {
            let proxies: Vec<_> = pallet_proxy::Proxies::<Runtime>::iter_keys().collect();
            let real = proxies.get(dice.roll(proxies.len().max(1) as u64) as usize).cloned();
            pallet_proxy::Call::proxy {
                real: real.unwrap_or_else(|| somebody(dice)).into(),
                force_proxy_type: None,
                call: Box::new(call),
            }
            .into()
        }
    }
}

/// Somebody who may act for an account.
pub fn delegate_of(real: &Address) -> Option<AccountId> {
    let MultiAddress::Id(real) = real else { return None };
    let (proxies, _) = pallet_proxy::Proxies::<Runtime>::get(real);
    proxies.first().map(|proxy| proxy.delegate.clone())
}
