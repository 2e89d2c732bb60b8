//! Feeless submissions through Executive with every extension: what the pool keeps, what a block
//! takes, what pays.

use crate::common::*;
use frame_support::dispatch::GetDispatchInfo;
use openledger_primitives::{RefusalRule, EXISTENTIAL_DEPOSIT, OPEN};
use openledger_runtime::{
    configs::{FeelessShare, RuntimeBlockWeights},
    Datanets, Runtime, RuntimeCall,
};
use sp_keyring::Sr25519Keyring::{Bob, Dave};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

fn refused(rule: RefusalRule) -> TransactionValidityError {
    InvalidTransaction::Custom(rule.code()).into()
}

fn submissions(datanet: u32) -> usize {
    pallet_datanets::Submissions::<Runtime>::iter_prefix(datanet).count()
}

#[test]
fn a_sponsored_contributor_submits_without_paying() {
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let newcomer = user(1);
        assert_eq!(total(&id(&newcomer)), 0);
        sponsor(&id(&newcomer));
        assert_eq!(total(&id(&newcomer)), EXISTENTIAL_DEPOSIT);

        let call = submit(datanet, vec![item(b"one"), item(b"two")]);
        apply(sign(&newcomer, 0, call)).expect("valid").expect("dispatched");

        assert_eq!(total(&id(&newcomer)), EXISTENTIAL_DEPOSIT);
        assert!(fees_paid().is_empty());
        assert_eq!(submissions(datanet), 2);
        assert_eq!(Datanets::quota(&id(&newcomer)).used.files, 2);
        end_block();
    });
}

#[test]
fn each_refusal_reaches_the_pool_with_its_code() {
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let who = user(1);
        let refusal =
            |items, datanet| validate(&sign(&who, 0, submit(datanet, items))).unwrap_err();

        // An account that does not exist cannot even have a nonce, registered or not.
        assert!(validate(&sign(&who, 0, submit(datanet, vec![item(b"a")]))).is_err());
        endow(&id(&who));
        assert_eq!(refusal(vec![item(b"a")], datanet), refused(RefusalRule::NotRegistered));
        sponsor(&id(&who));
        assert_eq!(refusal(vec![item(b"a")], 77), refused(RefusalRule::UnknownDatanet));
        assert_eq!(refusal(vec![], datanet), refused(RefusalRule::ItemCount));
        let mut picture = item(b"a");
        picture.media = openledger_primitives::MediaType::Png;
        assert_eq!(refusal(vec![picture], datanet), refused(RefusalRule::WrongModality));
        let mut empty = item(b"a");
        empty.size = 0;
        assert_eq!(refusal(vec![empty], datanet), refused(RefusalRule::EmptyFile));
        let mut forged = item(b"a");
        forged.sha256 = [7; 32];
        assert_eq!(refusal(vec![forged], datanet), refused(RefusalRule::DigestMismatch));
        assert_eq!(
            refusal(vec![item(b"a"), item(b"a")], datanet),
            refused(RefusalRule::RepeatedItem)
        );
        let mut large = item(b"a");
        large.size = 10 * 1024 * 1024 + 1;
        assert_eq!(refusal(vec![large], datanet), refused(RefusalRule::DailyBytes));

        apply(sign(&who, 0, submit(datanet, vec![item(b"a")]))).expect("valid").expect("done");
        assert_eq!(
            validate(&sign(&who, 1, submit(datanet, vec![item(b"a")]))).unwrap_err(),
            refused(RefusalRule::AlreadySubmitted)
        );
        end_block();
    });
}

/// Two hundred pending submissions of one account: twenty files are included, whatever the order,
/// and whoever pays is not held up.
#[test]
fn spam_beyond_quota_is_never_included_and_paid_calls_are() {
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let spammer = user(1);
        sponsor(&id(&spammer));
        end_block();

        begin_block();
        let spam: Vec<_> = (0..200u32)
            .map(|n| sign(&spammer, n, submit(datanet, vec![item(&n.to_le_bytes())])))
            .collect();
        // All of them carry one tag, of which a pool keeps one provider at a time.
        let tags: Vec<_> = spam[..5]
            .iter()
            .map(|extrinsic| validate(extrinsic).expect("within quota on its own").provides)
            .collect();
        let shared = |n: usize| tags[0].iter().any(|tag| tags[n].contains(tag));
        assert!((1..5).all(shared), "one free call pending an account");
        let ahead = validate(&spam[5]).unwrap_err();
        assert_eq!(ahead, InvalidTransaction::Future.into(), "and four that wait for their turn");

        let mut included = 0;
        for extrinsic in spam {
            match apply(extrinsic) {
                Ok(result) => {
                    result.expect("an included submission does not fail");
                    included += 1;
                }
                Err(error) => assert!(
                    error == refused(RefusalRule::DailyFiles)
                        || error == InvalidTransaction::Future.into(),
                    "{error:?}"
                ),
            }
        }
        assert_eq!(included, 20);
        assert_eq!(submissions(datanet), 20);

        let paid = pallet_balances::Call::transfer_keep_alive {
            dest: Dave.to_account_id().into(),
            value: OPEN,
        };
        apply(sign(&Bob.pair(), 0, paid)).expect("valid").expect("paid calls go on");
        end_block();
    });
}

#[test]
fn feeless_calls_take_at_most_a_quarter_of_a_block() {
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let many: Vec<_> = (0..400).map(user).collect();
        for who in &many {
            sponsor(&id(who));
        }
        end_block();

        begin_block();
        let mut taken = 0u64;
        let mut refused_for_room = 0;
        for (n, who) in many.iter().enumerate() {
            let items =
                (0..20u32).map(|m| item(&[(n as u32).to_le_bytes(), m.to_le_bytes()].concat()));
            let call = submit(datanet, items.collect());
            let weight = call.get_dispatch_info().call_weight.ref_time();
            match apply(sign(who, 0, call)) {
                Ok(result) => {
                    result.expect("an included submission does not fail");
                    taken += weight;
                }
                Err(error) => {
                    assert_eq!(error, InvalidTransaction::ExhaustsResources.into());
                    refused_for_room += 1;
                }
            }
        }
        let block = RuntimeBlockWeights::get().max_block.ref_time();
        assert!(taken <= FeelessShare::get() * block, "{taken} of {block}");
        assert!(taken > FeelessShare::get() * block / 2, "the share is there to be used: {taken}");
        assert!(refused_for_room > 0, "four hundred full submissions do not fit a quarter");

        let paid = frame_system::Call::remark { remark: vec![0; 1_000] };
        apply(sign(&Bob.pair(), 0, paid)).expect("valid").expect("room is left for who pays");
        end_block();

        begin_block();
        let last = many.last().expect("there are some");
        apply(sign(last, 0, submit(datanet, vec![item(b"later")])))
            .expect("the next block has room again")
            .expect("dispatched");
        end_block();
    });
}

#[test]
fn a_submission_inside_a_batch_pays() {
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let who = user(1);
        endow(&id(&who));
        sponsor(&id(&who));
        let before = total(&id(&who));
        let batch: RuntimeCall = pallet_utility::Call::batch_all {
            calls: vec![submit(datanet, vec![item(b"wrapped")])],
        }
        .into();
        apply(sign(&who, 0, batch)).expect("valid").expect("dispatched");
        assert_eq!(submissions(datanet), 1);
        assert_eq!(fees_paid(), [before - total(&id(&who))]);
        assert!(fees_paid()[0] > 0);

        // Beyond quota the wrapped call fails, and still pays.
        let calls = (0..21u32).map(|n| submit(datanet, vec![item(&n.to_be_bytes())])).collect();
        let before = total(&id(&who));
        let batch: RuntimeCall = pallet_utility::Call::batch_all { calls }.into();
        assert!(apply(sign(&who, 1, batch)).expect("included").is_err());
        assert_eq!(submissions(datanet), 1);
        assert!(total(&id(&who)) < before);
        end_block();
    });
}

/// Invitations and bars grew for a fee alone, and stayed behind when a Datanet was closed.
#[test]
fn what_an_owner_lists_is_held_for_and_anyone_clears_what_a_closed_datanet_leaves() {
    use openledger_primitives::BarReason;
    use pallet_datanets::Call;
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let owner = sp_keyring::Sr25519Keyring::Alice.to_account_id();
        let free = || pallet_balances::Pallet::<Runtime>::free_balance(&owner);
        let before = (free(), total(&owner));
        for n in 0..60 {
            let account = id(&user(n));
            dispatch(&owner, Call::invite { datanet, account: account.clone(), invited: true });
            dispatch(&owner, Call::bar { datanet, account, reason: BarReason::Other });
        }
        assert_eq!((free(), total(&owner)), (before.0 - 120 * OPEN / 100, before.1));
        end_block();
        begin_block();
        dispatch(&owner, Call::close { datanet });
        for nonce in 0..3 {
            apply(sign(&Bob.pair(), nonce, Call::clear_entries { datanet }))
                .expect("valid")
                .expect("dispatched");
        }
        let fees = || fees_paid().iter().sum::<u128>();
        assert_eq!(fees(), 0, "it is free while there is something to clear");
        let deposit = 10 * OPEN;
        assert_eq!(free(), before.0 + deposit);
        assert_eq!(pallet_datanets::Invitations::<Runtime>::iter().count(), 0);
        assert_eq!(pallet_datanets::Bars::<Runtime>::iter().count(), 0);
        let nothing = apply(sign(&Bob.pair(), 3, Call::clear_entries { datanet }));
        assert_eq!(
            nothing,
            Ok(Err(pallet_datanets::Error::<Runtime>::NothingToClear.into())),
            "and costs a fee afterwards"
        );
        assert!(fees() > 0);
        end_block();
    });
}

/// An argument longer than its limit is refused when the transaction is read, before anything is done with it, at
/// any length and at any depth of calls within calls.
#[test]
fn what_is_longer_than_its_limit_is_no_transaction() {
    use codec::{Decode, Encode};
    use openledger_primitives::DatanetText;
    genesis("development").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let signed = |call: RuntimeCall| sign(&user(1), 0, call).encode();
        let text = |summary: usize| {
            let text = DatanetText {
                summary: vec![b'a'; summary.min(200)].try_into().expect("it fits"),
                ..DatanetText::default()
            };
            RuntimeCall::from(pallet_datanets::Call::set_text { datanet, text })
        };
        let good = signed(text(200));
        assert!(openledger_runtime::UncheckedExtrinsic::decode(&mut &good[..]).is_ok());
        // The same with a byte more, and with very many.
        let inner = text(200).encode();
        for more in [201usize, 4_097, 1 << 20, 8 << 20] {
            let at = inner.len() - 2 - 200 - 2;
            let mut call = inner[..at].to_vec();
            codec::Compact(more as u32).encode_to(&mut call);
            call.resize(call.len() + more, b'a');
            call.extend([0, 0]);
            assert!(RuntimeCall::decode(&mut &call[..]).is_err(), "{more}");
            // Within a batch within a batch.
            let batch = [vec![10, 0, 4, 10, 0, 4], call].concat();
            assert!(RuntimeCall::decode(&mut &batch[..]).is_err(), "{more}");
        }
        assert!(RuntimeCall::decode(&mut &[&[10, 0, 4, 10, 0, 4][..], &inner].concat()[..]).is_ok());
        end_block();
    });
}
