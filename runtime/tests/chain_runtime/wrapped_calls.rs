//! Calls inside calls (proxies, multisigs, batches): they open no way round the rules of free submissions, and a
//! proxy does no more than it is for. How a lost account is recovered.

use crate::common::*;
use openledger_primitives::OPEN;
use openledger_runtime::{
    governance::proxies::ProxyType, AccountId, Datanets, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeOrigin, System,
};
use sp_core::sr25519;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Dave};
use sp_runtime::{traits::Dispatchable, DispatchError, DispatchResult};

fn proxy(real: &AccountId, call: impl Into<RuntimeCall>) -> RuntimeCall {
    pallet_proxy::Call::proxy {
        real: real.clone().into(),
        force_proxy_type: None,
        call: Box::new(call.into()),
    }
    .into()
}

fn add_proxy(real: &AccountId, delegate: &AccountId, proxy_type: ProxyType, delay: u32) {
    let delegate = delegate.clone().into();
    dispatch(real, pallet_proxy::Call::add_proxy { delegate, proxy_type, delay });
}

/// What the last proxied call came to.
fn proxied() -> DispatchResult {
    System::events()
        .into_iter()
        .rev()
        .find_map(|record| match record.event {
            RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(result),
            _ => None,
        })
        .expect("a proxy has acted")
}

fn submissions(datanet: u32) -> usize {
    pallet_datanets::Submissions::<Runtime>::iter_prefix(datanet).count()
}

/// Applies a transaction and answers the fee that its sender paid.
fn fee(who: &sr25519::Pair, call: impl Into<RuntimeCall>) -> u128 {
    let before = total(&id(who));
    let nonce = System::account_nonce(id(who));
    apply(sign(who, nonce, call)).expect("valid").expect("dispatched");
    before - total(&id(who))
}

/// A contributor without OPEN, and one of its proxies, who has some.
fn contributor_and_proxy(test: impl FnOnce(u32, sr25519::Pair, sr25519::Pair)) {
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let (contributor, machine) = (user(1), user(2));
        endow(&id(&contributor));
        sponsor(&id(&contributor));
        endow(&id(&machine));
        add_proxy(&id(&contributor), &id(&machine), ProxyType::Contribute, 0);
        test(datanet, contributor, machine);
        end_block();
    });
}

#[test]
fn a_submission_through_a_proxy_pays_and_uses_the_contributors_quota() {
    contributor_and_proxy(|datanet, contributor, machine| {
        let paid = fee(&machine, proxy(&id(&contributor), submit(datanet, vec![item(b"one")])));
        assert!(paid > 0, "free is only what its contributor signs");
        assert_eq!((proxied(), submissions(datanet)), (Ok(()), 1));
        assert_eq!(Datanets::quota(&id(&contributor)).used.files, 1);
        assert_eq!(Datanets::quota(&id(&machine)).used.files, 0);

        // What is beyond the quota of the day fails, and pays.
        let beyond = |from: u32| {
            let items = (0..20u32).map(|n| item(&(from + n).to_be_bytes())).collect();
            proxy(&id(&contributor), submit(datanet, items))
        };
        assert!(fee(&machine, beyond(100)) > 0);
        assert!(proxied().is_err());
        assert_eq!(submissions(datanet), 1);
        // The contributor's own free call sees the same quota.
        let own = (0..19u32).map(|n| item(&n.to_le_bytes())).collect();
        assert_eq!(fee(&contributor, submit(datanet, own)), 0);
        let one_more = sign(&contributor, 1, submit(datanet, vec![item(b"more")]));
        assert!(validate(&one_more).is_err());
        assert!(fee(&machine, proxy(&id(&contributor), submit(datanet, vec![item(b"more")]))) > 0);
        assert!(proxied().is_err());
        assert_eq!(submissions(datanet), 20);
    });
}

#[test]
fn no_nesting_makes_a_call_free_or_a_quota_larger() {
    contributor_and_proxy(|datanet, contributor, machine| {
        let wrapped = |n: u8| -> Vec<RuntimeCall> {
            let call = |m: u8| submit(datanet, vec![item(&[n, m])]);
            vec![
                pallet_utility::Call::batch { calls: vec![call(0)] }.into(),
                pallet_utility::Call::batch_all { calls: vec![call(1)] }.into(),
                pallet_utility::Call::force_batch { calls: vec![call(2)] }.into(),
                pallet_utility::Call::as_derivative { index: 0, call: Box::new(call(3)) }.into(),
                pallet_multisig::Call::as_multi_threshold_1 {
                    other_signatories: vec![Bob.to_account_id()],
                    call: Box::new(call(4)),
                }
                .into(),
                pallet_utility::Call::if_else {
                    main: Box::new(call(5)),
                    fallback: Box::new(call(6)),
                }
                .into(),
            ]
        };
        for call in wrapped(1) {
            let before = total(&id(&contributor));
            let nonce = System::account_nonce(id(&contributor));
            // Whether what is inside succeeds or not (a derived account is no contributor), it pays.
            let _ = apply(sign(&contributor, nonce, call.clone())).expect("it is valid, and pays");
            assert!(total(&id(&contributor)) < before, "{call:?}");
        }
        for call in wrapped(2) {
            let through = proxy(&id(&contributor), call.clone());
            let batched = pallet_utility::Call::batch { calls: vec![through] };
            assert!(fee(&machine, batched) > 0, "{call:?}");
        }
        let used = Datanets::quota(&id(&contributor)).used.files;
        assert_eq!(submissions(datanet), used as usize, "each file counts against one quota");
        assert_eq!(Datanets::quota(&id(&machine)).used.files, 0);
    });
}

#[test]
fn two_of_three_submit_as_a_multisig_that_is_a_contributor() {
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let mut members = [user(1), user(2), user(3)].map(|pair| id(&pair));
        members.iter().for_each(endow);
        members.sort();
        let together = pallet_multisig::Pallet::<Runtime>::multi_account_id(&members, 2);
        sponsor(&together);
        let call = submit(datanet, vec![item(b"ours")]);
        let max_weight =
            frame_support::dispatch::GetDispatchInfo::get_dispatch_info(&call).call_weight;
        let mut timepoint = None;
        let owned: Vec<_> = members.iter().map(total).collect();
        for n in 0..2 {
            let other_signatories =
                members.iter().filter(|member| **member != members[n]).cloned().collect();
            dispatch(
                &members[n],
                pallet_multisig::Call::as_multi {
                    threshold: 2,
                    other_signatories,
                    maybe_timepoint: timepoint,
                    call: Box::new(call.clone()),
                    max_weight,
                },
            );
            timepoint = Some(pallet_multisig::Pallet::<Runtime>::timepoint());
            assert_eq!(submissions(datanet), n);
        }
        assert_eq!(members.iter().map(total).collect::<Vec<_>>(), owned, "the deposit is back");
        assert_eq!(Datanets::quota(&together).used.files, 1);
        end_block();
    });
}

#[test]
fn a_proxy_does_no_more_than_it_is_for() {
    genesis("development").execute_with(|| {
        begin_block();
        let alice = Alice.to_account_id();
        let transfer = || -> RuntimeCall {
            pallet_balances::Call::transfer_allow_death {
                dest: Dave.to_account_id().into(),
                value: OPEN,
            }
            .into()
        };
        let kinds = [
            ProxyType::Governance,
            ProxyType::Contribute,
            ProxyType::Review,
            ProxyType::Work,
            ProxyType::RejectAnnouncement,
            ProxyType::Staking,
        ];
        let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
        for (n, kind) in kinds.into_iter().enumerate() {
            let delegate = id(&user(n as u32));
            endow(&delegate);
            add_proxy(&alice, &delegate, kind, 0);
            let before = total(&alice);
            for call in [
                transfer(),
                pallet_utility::Call::batch_all { calls: vec![transfer()] }.into(),
                pallet_utility::Call::as_derivative { index: 0, call: Box::new(transfer()) }.into(),
                pallet_sudo::Call::sudo { call: Box::new(transfer()) }.into(),
                pallet_leaderboard::Call::set_payout {
                    account: alice.clone(),
                    to: delegate.clone(),
                }
                .into(),
                pallet_datanets::Call::offer_ownership { datanet: 0, to: Some(delegate.clone()) }
                    .into(),
                pallet_training::Call::deregister_worker {}.into(),
                pallet_staking::Call::bond {
                    value: OPEN,
                    payee: pallet_staking::RewardDestination::Account(delegate.clone()),
                }
                .into(),
                pallet_staking::Call::set_payee {
                    payee: pallet_staking::RewardDestination::Account(delegate.clone()),
                }
                .into(),
                pallet_proxy::Call::add_proxy {
                    delegate: delegate.clone().into(),
                    proxy_type: ProxyType::Any,
                    delay: 0,
                }
                .into(),
            ] {
                dispatch(&delegate, proxy(&alice, call.clone()));
                assert_eq!(proxied(), Err(filtered), "{kind:?} {call:?}");
            }
            assert_eq!(total(&alice), before);
        }
        // A validator's machine can stand back for it.
        let machine = id(&user(5));
        dispatch(&machine, proxy(&alice, pallet_staking::Call::chill {}));
        assert_eq!(proxied(), Ok(()));
        assert!(!pallet_staking::Validators::<Runtime>::contains_key(&alice));
        // Who is no proxy, or has been one, is none.
        let stranger = id(&user(9));
        let call = proxy(&alice, frame_system::Call::remark { remark: vec![] });
        let refused = call.clone().dispatch(RuntimeOrigin::signed(stranger.clone()));
        assert!(refused.is_err());
        add_proxy(&alice, &stranger, ProxyType::Any, 0);
        assert!(call.clone().dispatch(RuntimeOrigin::signed(stranger.clone())).is_ok());
        dispatch(&alice, pallet_proxy::Call::remove_proxies {});
        assert!(call.dispatch(RuntimeOrigin::signed(stranger)).is_err());
        end_block();
    });
}

/// Blocks that an announcement waits.
const DELAY: u32 = 5;

fn announced(real: &AccountId, delegate: &AccountId, call: &RuntimeCall) {
    let call_hash = sp_core::H256(sp_io::hashing::blake2_256(&codec::Encode::encode(call)));
    dispatch(delegate, pallet_proxy::Call::announce { real: real.clone().into(), call_hash });
}

fn carry_out(
    real: &AccountId,
    delegate: &AccountId,
    call: &RuntimeCall,
) -> Result<(), DispatchError> {
    RuntimeCall::from(pallet_proxy::Call::proxy_announced {
        delegate: delegate.clone().into(),
        real: real.clone().into(),
        force_proxy_type: None,
        call: Box::new(call.clone()),
    })
    .dispatch(RuntimeOrigin::signed(delegate.clone()))
    .map(drop)
    .map_err(|refused| refused.error)
}

#[test]
fn a_lost_account_is_recovered_by_a_proxy_that_waits() {
    genesis("development").execute_with(|| {
        begin_block();
        let (lost, friend, new) = (id(&user(1)), id(&user(2)), id(&user(3)));
        endow(&lost);
        endow(&friend);
        add_proxy(&lost, &friend, ProxyType::Any, DELAY);
        let owned = total(&lost);

        // The key of `lost` is gone from here on. First everything that its name is worth, then what it owns.
        let rescue: RuntimeCall = pallet_utility::Call::batch_all {
            calls: vec![
                pallet_proxy::Call::add_proxy {
                    delegate: new.clone().into(),
                    proxy_type: ProxyType::Any,
                    delay: 0,
                }
                .into(),
                pallet_balances::Call::transfer_keep_alive {
                    dest: new.clone().into(),
                    value: 9 * OPEN,
                }
                .into(),
            ],
        }
        .into();
        announced(&lost, &friend, &rescue);
        assert_eq!(
            carry_out(&lost, &friend, &rescue),
            Err(pallet_proxy::Error::<Runtime>::Unannounced.into())
        );
        // Nor without an announcement at all.
        let at_once = proxy(&lost, rescue.clone()).dispatch(RuntimeOrigin::signed(friend.clone()));
        assert_eq!(
            at_once.expect_err("it has to wait").error,
            pallet_proxy::Error::<Runtime>::Unannounced.into()
        );
        for _ in 0..DELAY {
            end_block();
            begin_block();
        }
        assert_eq!(carry_out(&lost, &friend, &rescue), Ok(()));
        assert_eq!(proxied(), Ok(()));
        assert_eq!((total(&new), total(&lost)), (9 * OPEN, owned - 9 * OPEN));
        // The new key acts as the old account: its Datanets, rewards and rank stay where they are.
        dispatch(&new, proxy(&lost, pallet_datanets::Call::register {}));
        assert!(proxied().is_err(), "what is left is less than the stake");
        dispatch(
            &Bob.to_account_id(),
            pallet_balances::Call::transfer_allow_death {
                dest: lost.clone().into(),
                value: 5 * OPEN,
            },
        );
        dispatch(&new, proxy(&lost, pallet_datanets::Call::register {}));
        assert_eq!(proxied(), Ok(()));
        end_block();
    });
}

#[test]
fn an_owner_who_still_has_the_key_rejects_what_a_proxy_announced() {
    genesis("development").execute_with(|| {
        begin_block();
        let (owner, friend, watch) = (id(&user(1)), id(&user(2)), id(&user(3)));
        for account in [&owner, &friend, &watch] {
            endow(account);
        }
        add_proxy(&owner, &friend, ProxyType::Any, DELAY);
        add_proxy(&owner, &watch, ProxyType::RejectAnnouncement, 0);
        let theft: RuntimeCall =
            pallet_balances::Call::transfer_all { dest: friend.clone().into(), keep_alive: false }
                .into();
        let call_hash = sp_core::H256(sp_io::hashing::blake2_256(&codec::Encode::encode(&theft)));
        let reject = || pallet_proxy::Call::reject_announcement {
            delegate: friend.clone().into(),
            call_hash,
        };
        let owned = total(&owner);
        for by_watch in [false, true] {
            announced(&owner, &friend, &theft);
            if by_watch {
                dispatch(&watch, proxy(&owner, reject()));
                assert_eq!(proxied(), Ok(()));
            } else {
                dispatch(&owner, reject());
            }
            for _ in 0..=DELAY {
                end_block();
                begin_block();
            }
            assert_eq!(
                carry_out(&owner, &friend, &theft),
                Err(pallet_proxy::Error::<Runtime>::Unannounced.into())
            );
        }
        assert_eq!(total(&owner), owned);
        end_block();
    });
}
