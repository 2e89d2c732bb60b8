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
use pallet_conviction_voting::{AccountVote, Conviction, Vote, Voting};
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
    match dice.roll(28) {
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
        9 => {
            let (class, index) = match voting(dice) {
                Some((_, class, Voting::Casting(casting))) => {
                    (class, casting.votes.first().map_or(index, |(index, _)| *index))
                }
                _ => (class, index),
            };
            pallet_conviction_voting::Call::remove_vote { class: Some(class), index }.into()
        }
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
        12 => {
            let class = match voting(dice) {
                Some((_, class, Voting::Delegating(_))) => class,
                _ => class,
            };
            pallet_conviction_voting::Call::undelegate { class }.into()
        }
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
        18 if dice.roll(3) == 0 => pallet_proxy::Call::remove_proxies {}.into(),
        18 => pallet_proxy::Call::poke_deposit {}.into(),
        19 => pallet_conviction_voting::Call::remove_other_vote {
            target: somebody(dice).into(),
            class,
            index,
        }
        .into(),
        20 => {
            let hash = sp_core::H256(sp_io::hashing::blake2_256(&[dice.roll(9) as u8; 64]));
            let maybe_hash = (dice.roll(4) > 0).then_some(hash);
            pallet_referenda::Call::set_metadata { index, maybe_hash }.into()
        }
        21..=25 => delayed_call(dice),
        _ => pallet_proxy::Call::create_pure {
            proxy_type: ProxyType::Any,
            delay: 0,
            index: dice.roll(3) as u16,
        }
        .into(),
    }
}

/// How somebody votes on a track.
fn voting(
    dice: &mut Dice,
) -> Option<(AccountId, u16, pallet_conviction_voting::VotingOf<Runtime>)> {
    let all: Vec<_> = pallet_conviction_voting::VotingFor::<Runtime>::iter().collect();
    all.get(dice.roll(all.len().max(1) as u64) as usize).cloned()
}

/// What a proxy of an account does that has to wait, and what the account says to it.
fn delayed_call(dice: &mut Dice) -> RuntimeCall {
    let proxies: Vec<_> = pallet_proxy::Proxies::<Runtime>::iter_keys().collect();
    let chosen = proxies.get(dice.roll(proxies.len().max(1) as u64) as usize).cloned();
    let real = chosen.unwrap_or_else(|| somebody(dice));
    let (named, _) = pallet_proxy::Proxies::<Runtime>::get(&real);
    let proxy = named.get(dice.roll(named.len().max(1) as u64) as usize).cloned();
    let delegate = proxy.as_ref().map_or_else(|| somebody(dice), |proxy| proxy.delegate.clone());
    // Always one of two, so that what is announced is also carried out.
    let call: RuntimeCall = match dice.roll(2) {
        0 => frame_system::Call::remark { remark: Vec::new() }.into(),
        _ => pallet_datanets::Call::register {}.into(),
    };
    let call_hash = sp_core::H256(sp_io::hashing::blake2_256(&call.encode()));
    match dice.roll(7) {
        0..=2 => pallet_proxy::Call::announce { real: real.into(), call_hash },
        3 | 4 => pallet_proxy::Call::proxy_announced {
            delegate: delegate.into(),
            real: real.into(),
            force_proxy_type: None,
            call: Box::new(call),
        },
        5 => pallet_proxy::Call::reject_announcement { delegate: delegate.into(), call_hash },
        _ => match (proxy, dice.roll(2)) {
            (Some(proxy), 0) => pallet_proxy::Call::remove_proxy {
                delegate: delegate.into(),
                proxy_type: proxy.proxy_type,
                delay: proxy.delay,
            },
            _ => pallet_proxy::Call::remove_announcement { real: real.into(), call_hash },
        },
    }
    .into()
}

/// Who is the one to make a call of governance, where that is somebody.
pub fn governor(dice: &mut Dice, call: &RuntimeCall) -> AccountId {
    let who = match call {
        RuntimeCall::Proxy(
            pallet_proxy::Call::announce { real, .. }
            | pallet_proxy::Call::remove_announcement { real, .. },
        ) => delegate_of(real),
        RuntimeCall::Proxy(
            pallet_proxy::Call::remove_proxy { delegate, .. }
            | pallet_proxy::Call::reject_announcement { delegate, .. },
        ) => real_of(delegate),
        RuntimeCall::ConvictionVoting(pallet_conviction_voting::Call::remove_vote {
            class: Some(class),
            index,
        }) => pallet_conviction_voting::VotingFor::<Runtime>::iter()
            .find(|(_, of, voting)| match voting {
                Voting::Casting(casting) => {
                    of == class && casting.votes.iter().any(|(voted, _)| voted == index)
                }
                Voting::Delegating(_) => false,
            })
            .map(|(who, ..)| who),
        RuntimeCall::ConvictionVoting(pallet_conviction_voting::Call::undelegate { class }) => {
            pallet_conviction_voting::VotingFor::<Runtime>::iter()
                .find(|(_, of, voting)| of == class && matches!(voting, Voting::Delegating(_)))
                .map(|(who, ..)| who)
        }
        // Who has much.
        RuntimeCall::Referenda(pallet_referenda::Call::place_decision_deposit { .. })
        | RuntimeCall::ConvictionVoting(pallet_conviction_voting::Call::vote { .. }) => {
            let rich = [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie];
            Some(rich[dice.roll(3) as usize].to_account_id())
        }
        RuntimeCall::Referenda(pallet_referenda::Call::set_metadata { index, .. }) => {
            match pallet_referenda::ReferendumInfoFor::<Runtime>::get(index) {
                Some(pallet_referenda::ReferendumInfo::Ongoing(status)) => {
                    Some(status.submission_deposit.who)
                }
                _ => None,
            }
        }
        _ => None,
    };
    who.filter(|_| dice.roll(4) > 0).unwrap_or_else(|| somebody(dice))
}

/// What only a referendum may do, and as which origin.
pub fn decree(dice: &mut Dice) -> (OriginCaller, RuntimeCall) {
    let root: OriginCaller = frame_system::RawOrigin::Root.into();
    let datanet = dice.roll(3) as u32;
    match dice.roll(14) {
        0 | 1 => {
            let refused = pallet_datanets::RefusedFiles::<Runtime>::iter_key_prefix(datanet);
            let sha256 = refused.take(4).nth(dice.roll(4) as usize).unwrap_or_default();
            (root, pallet_datanets::Call::clear_refusal { datanet, sha256 }.into())
        }
        2 => (root, pallet_datanets::Call::revoke_leaf { datanet, leaf: dice.roll(8) }.into()),
        3 if dice.roll(10) == 0 => {
            let extractor = pallet_review::CurrentExtractor::<Runtime>::get() + 1;
            (root, pallet_review::Call::raise_extractor { extractor }.into())
        }
        3 | 4 => {
            let index = referendum(dice);
            (Origin::GeneralAdmin.into(), pallet_referenda::Call::cancel { index }.into())
        }
        5 => {
            let index = referendum(dice);
            (Origin::GeneralAdmin.into(), pallet_referenda::Call::kill { index }.into())
        }
        6..=8 => {
            let spend = pallet_treasury::Call::spend {
                asset_kind: Box::new(()),
                amount: dice.amount(),
                beneficiary: Box::new(somebody(dice)),
                valid_from: None,
            };
            (Origin::SmallSpender.into(), spend.into())
        }
        9 => {
            let index = dice.roll(4) as u32;
            (Origin::GeneralAdmin.into(), pallet_treasury::Call::void_spend { index }.into())
        }
        10 => {
            let era = pallet_staking::ActiveEra::<Runtime>::get().map_or(0, |era| era.index);
            let waiting = pallet_staking::UnappliedSlashes::<Runtime>::iter_keys().next();
            let cancel = pallet_staking::Call::cancel_deferred_slash {
                era: waiting.unwrap_or(era + dice.roll(4) as u32),
                slash_indices: vec![0],
            };
            (Origin::GeneralAdmin.into(), cancel.into())
        }
        11 => {
            let (source, dest) = (crate::common::treasury().into(), somebody(dice).into());
            let value = dice.amount();
            (root, pallet_balances::Call::force_transfer { source, dest, value }.into())
        }
        n => {
            let hash = sp_core::H256(sp_io::hashing::blake2_256(&[dice.roll(9) as u8; 64]));
            let call = match n {
                12 => pallet_preimage::Call::request_preimage { hash },
                _ => pallet_preimage::Call::unrequest_preimage { hash },
            };
            (root, call.into())
        }
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
    match dice.roll(8) {
        0 => pallet_utility::Call::batch { calls: vec![call; 1 + dice.roll(2) as usize] }.into(),
        3 => {
            pallet_utility::Call::batch_all { calls: vec![call; 1 + dice.roll(2) as usize] }.into()
        }
        4 => pallet_utility::Call::force_batch { calls: vec![call; 1 + dice.roll(2) as usize] }
            .into(),
        5 => {
            let fallback = frame_system::Call::remark { remark: Vec::new() };
            pallet_utility::Call::if_else {
                main: Box::new(call),
                fallback: Box::new(fallback.into()),
            }
            .into()
        }
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

/// Somebody for whom an account may act.
fn real_of(delegate: &Address) -> Option<AccountId> {
    let MultiAddress::Id(delegate) = delegate else { return None };
    pallet_proxy::Proxies::<Runtime>::iter()
        .find(|(_, (proxies, _))| proxies.iter().any(|proxy| proxy.delegate == *delegate))
        .map(|(real, _)| real)
}

/// Somebody who may act for an account.
pub fn delegate_of(real: &Address) -> Option<AccountId> {
    let MultiAddress::Id(real) = real else { return None };
    let (proxies, _) = pallet_proxy::Proxies::<Runtime>::get(real);
    proxies.first().map(|proxy| proxy.delegate.clone())
}
