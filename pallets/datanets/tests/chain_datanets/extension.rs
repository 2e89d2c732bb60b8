//! Transactions as pool and block see them.

use crate::mock::*;
use codec::{Encode, MaxEncodedLen};
use frame_support::{
    assert_ok,
    dispatch::{CheckIfFeeless, DispatchInfo, GetDispatchInfo},
};
use openledger_primitives::{
    api::SubmissionItem, precommitment, AdmissionPolicy, BarReason, MediaType, RefusalRule,
    RejectionReason, Verdict, MILLISECONDS_PER_DAY,
};
use pallet_datanets::{AdmitSubmission, Call, FeelessUsed, WeightInfo};
use sp_core::H256;
use sp_runtime::{
    traits::{DispatchTransaction, Dispatchable, TransactionExtension},
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
    },
    Perbill,
};

type Extension = AdmitSubmission<Test>;

fn call(datanet: u32, items: Vec<SubmissionItem>) -> RuntimeCall {
    RuntimeCall::Datanets(Call::submit { datanet, items: bounded(items) })
}

fn info(call: &RuntimeCall) -> DispatchInfo {
    let mut info = call.get_dispatch_info();
    info.extension_weight = Extension::new().weight(call);
    info
}

fn validate(
    who: AccountId,
    call: &RuntimeCall,
) -> Result<ValidTransaction, TransactionValidityError> {
    Extension::new()
        .validate_only(signed(who), call, &info(call), 100, TransactionSource::External, 0)
        .map(|(validity, ..)| validity)
}

fn prepare(who: AccountId, call: &RuntimeCall, len: usize) -> Result<(), TransactionValidityError> {
    Extension::new().validate_and_prepare(signed(who), call, &info(call), len, 0).map(drop)
}

/// What happens to a transaction in a block.
fn apply(who: AccountId, call: RuntimeCall) -> Result<(), TransactionValidityError> {
    prepare(who, &call, 100)?;
    call.dispatch(signed(who)).expect("an included submission does not fail");
    Ok(())
}

fn custom(rule: RefusalRule) -> TransactionValidityError {
    InvalidTransaction::Custom(rule.code()).into()
}

#[test]
fn nothing_is_added_to_what_wallets_sign() {
    on_chain(|| {
        let extension = Extension::default();
        assert_eq!(extension.encode(), Vec::<u8>::new());
        assert_eq!(
            <Extension as TransactionExtension<RuntimeCall>>::Implicit::max_encoded_len(),
            0
        );
        assert_eq!(<Extension as TransactionExtension<RuntimeCall>>::IDENTIFIER, "AdmitSubmission");
    });
}

#[test]
fn an_admitted_submission_is_valid_and_free() {
    on_chain(|| {
        let datanet = set_up();
        let call = call(datanet, files(0..20, 100));
        assert!(call.is_feeless(&signed(ALICE)));
        let validity = validate(ALICE, &call).unwrap();
        assert_eq!(validity.provides, vec![(b"quota", ALICE).encode()]);
        assert_eq!(validity.requires, Vec::<Vec<u8>>::new());
        assert!(validity.propagate);
        assert!(validity.longevity > 0 && validity.longevity < 10_000);
        assert_ok!(apply(ALICE, call));
        assert_eq!(Datanets::quota(&ALICE).used.files, 20);
    });
}

#[test]
fn an_account_has_one_free_submission_pending_at_a_time() {
    on_chain(|| {
        let datanet = set_up();
        let tags = |who, n| validate(who, &call(datanet, vec![file(n, 1)])).unwrap().provides;
        // The pool keeps one of two transactions with the same tag.
        assert_eq!(tags(ALICE, 1), tags(ALICE, 2));
        assert_ne!(tags(ALICE, 1), tags(BOB, 1));
    });
}

#[test]
fn each_broken_rule_is_answered_with_its_code_in_pool_and_block() {
    on_chain(|| {
        let datanet = set_up();
        let capped = create(Some(openledger_primitives::QuotaLimits { files: 1, bytes: 50 }));
        let (paused, closed) = (create(None), create(None));
        assert_ok!(Datanets::pause(signed(OWNER), paused));
        assert_ok!(Datanets::close(signed(OWNER), closed));
        assert_ok!(submit(BOB, datanet, vec![file(1, 1)]));
        let shared = create(Some(openledger_primitives::QuotaLimits { files: 4, bytes: 100 }));
        let barred = create(None);
        assert_ok!(Datanets::bar(signed(OWNER), barred, ALICE, BarReason::Spam));
        assert_ok!(Datanets::register(signed(SPONSOR)));
        for day in 0..3 {
            assert_ok!(submit(SPONSOR, datanet, files(100 + day * 20..120 + day * 20, 1)));
            later(1);
        }
        assert_ok!(Datanets::register_for(signed(OWNER), NEWCOMER + 1));
        assert_ok!(Datanets::end_sponsorship(signed(OWNER), NEWCOMER + 1));
        assert_ok!(submit(ALICE, datanet, files(200..202, 1)));
        assert_ok!(submit(BOB, datanet, vec![file(300, 1)]));
        assert_ok!(settle(datanet, 200, reject()));
        assert_ok!(settle(datanet, 201, Verdict::Reject(RejectionReason::Harmful)));
        let promise = [H256::repeat_byte(1)].to_vec().try_into().unwrap();
        assert_ok!(Datanets::precommit(signed(ALICE), promise));
        let (invited, earned) = (create(None), create(None));
        let admit = |datanet, admission| {
            assert_ok!(Datanets::set_admission(signed(OWNER), datanet, admission));
        };
        admit(invited, AdmissionPolicy::Invited);
        admit(earned, AdmissionPolicy::Points { least: 5 });
        let drawn = pallet_datanets::NextSubmission::<Test>::get();
        assert_ok!(submit(ALICE, datanet, vec![file(400, 1)]));
        DrawnFor::set(vec![drawn]);
        ReviewFiles::set(3);
        ReviewShareFiles::set(2);
        ReviewCovers::set(1);
        ReviewAtATime::set(0);
        let precommit = |bytes: &[u8]| {
            let commitments: Vec<_> = bytes.iter().copied().map(H256::repeat_byte).collect();
            RuntimeCall::Datanets(Call::precommit { commitments: commitments.try_into().unwrap() })
        };
        let open = RuntimeCall::Datanets(Call::open {
            datanet,
            items: bounded(vec![file(2, 1)]),
            salt: [0; 32],
        });
        let withdraw = |n| RuntimeCall::Datanets(Call::withdraw { datanet, sha256: hash(n) });
        let others = [
            (ALICE, precommit(&[1]), RefusalRule::AlreadyPrecommitted),
            (ALICE, precommit(&[]), RefusalRule::ItemCount),
            (ALICE, precommit(&[2, 2]), RefusalRule::RepeatedItem),
            (NEWCOMER, precommit(&[2]), RefusalRule::NotRegistered),
            (ALICE, open, RefusalRule::NotPrecommitted),
            (ALICE, withdraw(9), RefusalRule::NotPending),
            (ALICE, withdraw(1), RefusalRule::NotAuthorized),
            (ALICE, withdraw(400), RefusalRule::Drawn),
        ];
        let wrong = SubmissionItem { media: MediaType::Flac, ..file(2, 1) };
        let crossed = SubmissionItem { content: file(3, 1).content, ..file(2, 1) };
        let cases = [
            (ALICE, 99, vec![file(2, 1)], RefusalRule::UnknownDatanet),
            (NEWCOMER, datanet, vec![file(2, 1)], RefusalRule::NotRegistered),
            (ALICE, datanet, vec![], RefusalRule::ItemCount),
            (ALICE, datanet, vec![wrong], RefusalRule::WrongModality),
            (ALICE, datanet, vec![file(2, 0)], RefusalRule::EmptyFile),
            (ALICE, datanet, vec![crossed], RefusalRule::DigestMismatch),
            (ALICE, datanet, files([2, 2], 1), RefusalRule::RepeatedItem),
            (ALICE, datanet, vec![file(1, 1)], RefusalRule::AlreadySubmitted),
            (BOB, datanet, files(2..22, 1), RefusalRule::DailyFiles),
            (ALICE, datanet, vec![file(2, 11_000_000)], RefusalRule::DailyBytes),
            (ALICE, capped, files(2..4, 1), RefusalRule::DatanetDailyFiles),
            (ALICE, capped, vec![file(2, 51)], RefusalRule::DatanetDailyBytes),
            (ALICE, paused, vec![file(2, 1)], RefusalRule::DatanetPaused),
            (ALICE, closed, vec![file(2, 1)], RefusalRule::DatanetClosed),
            (ALICE, shared, files(2..4, 1), RefusalRule::ShareFiles),
            (ALICE, shared, vec![file(2, 26)], RefusalRule::ShareBytes),
            (ALICE, barred, vec![file(2, 1)], RefusalRule::Barred),
            (SPONSOR, datanet, vec![file(2, 1)], RefusalRule::PendingFiles),
            (NEWCOMER + 1, datanet, vec![file(2, 1)], RefusalRule::SponsorshipEnded),
            (BOB, datanet, vec![file(200, 1)], RefusalRule::KeptForAnother),
            (ALICE, datanet, vec![file(201, 1)], RefusalRule::Tombstone),
            (ALICE, datanet, files(2..6, 1), RefusalRule::ReviewFiles),
            (ALICE, datanet, files(2..5, 1), RefusalRule::ReviewShareFiles),
            (ALICE, datanet, files(2..4, 1), RefusalRule::ReviewBudget),
            (ALICE, datanet, files(2..3, 1), RefusalRule::ReviewShare),
            (ALICE, invited, vec![file(2, 1)], RefusalRule::NotInvited),
            (ALICE, earned, vec![file(2, 1)], RefusalRule::TooFewPoints),
        ]
        .map(|(who, datanet, items, rule)| (who, call(datanet, items), rule))
        .into_iter()
        .chain(others);
        let mut met = std::collections::BTreeSet::new();
        for (who, call, rule) in cases {
            met.insert(rule);
            assert_eq!(validate(who, &call), Err(custom(rule)));
            assert_eq!(prepare(who, &call, 100), Err(custom(rule)));
            assert_eq!(RefusalRule::from_code(rule.code()), Some(rule));
        }
        assert_eq!(met.len(), RefusalRule::ALL.len());
        assert_eq!(FeelessUsed::<Test>::get(), Default::default());
    });
}

#[test]
fn what_became_inadmissible_in_the_pool_is_not_included() {
    on_chain(|| {
        let datanet = set_up();
        let first = call(datanet, files(0..15, 1));
        let second = call(datanet, files(15..30, 1));
        let same = call(datanet, vec![file(3, 1)]);
        // Each is fine by itself in the state that the pool sees.
        assert_ok!(validate(ALICE, &first));
        assert_ok!(validate(ALICE, &second));
        assert_ok!(validate(BOB, &same));
        assert_ok!(apply(ALICE, first));
        assert_eq!(apply(ALICE, second.clone()), Err(custom(RefusalRule::DailyFiles)));
        assert_eq!(apply(BOB, same), Err(custom(RefusalRule::AlreadySubmitted)));
        Now::mutate(|now| *now += MILLISECONDS_PER_DAY);
        assert_ok!(apply(ALICE, second));
    });
}

#[test]
fn a_block_looks_again_at_the_state_it_finds() {
    on_chain(|| {
        let datanet = set_up();
        let call = call(datanet, vec![file(1, 1)]);
        // The pool took it, and somebody else's came first.
        Extension::new()
            .validate_only(signed(ALICE), &call, &info(&call), 100, TransactionSource::External, 0)
            .unwrap();
        assert_ok!(submit(BOB, datanet, vec![file(1, 1)]));
        assert_eq!(prepare(ALICE, &call, 100), Err(custom(RefusalRule::AlreadySubmitted)));
    });
}

#[test]
fn a_submission_without_signer_is_invalid() {
    on_chain(|| {
        let datanet = set_up();
        let call = call(datanet, vec![file(1, 1)]);
        let extension = Extension::new();
        let unsigned = extension.validate(
            RuntimeOrigin::none(),
            &call,
            &info(&call),
            100,
            (),
            &sp_runtime::traits::TxBaseImplication(()),
            TransactionSource::External,
        );
        assert_eq!(unsigned.map(drop), Err(InvalidTransaction::BadSigner.into()));
    });
}

#[test]
fn free_submissions_leave_the_rest_of_the_block_to_others() {
    on_chain(|| {
        let datanet = set_up();
        let one = call(datanet, vec![file(1, 1)]);
        let info = info(&one);
        let each = info.total_weight().ref_time()
            + Weights::get().get(info.class).base_extrinsic.ref_time();
        let normal = Weights::get().get(info.class).max_total.unwrap_or(Weights::get().max_block);
        let fit = normal.ref_time() / 4 / each;
        assert!(fit > 10, "a quarter of a block holds {fit} submissions");
        for _ in 0..fit {
            assert_ok!(prepare(ALICE, &one, 100));
        }
        assert_eq!(prepare(ALICE, &one, 100), Err(InvalidTransaction::ExhaustsResources.into()));
        // A refused one takes nothing of the share, which is a new one in the next block.
        assert_eq!(FeelessUsed::<Test>::get().weight.ref_time(), fit * each);
        next_block();
        assert!(!FeelessUsed::<Test>::exists());
        assert_ok!(prepare(ALICE, &one, 100));
    });
}

#[test]
fn free_submissions_take_a_quarter_of_a_blocks_length_too() {
    on_chain(|| {
        let datanet = set_up();
        let one = call(datanet, vec![file(1, 1)]);
        let length = *Lengths::get().max.get(info(&one).class);
        let quarter = Perbill::from_percent(25).mul_floor(length) as usize;
        let exhausted = Err(InvalidTransaction::ExhaustsResources.into());
        assert_eq!(prepare(ALICE, &one, quarter + 1), exhausted);
        assert_eq!(prepare(ALICE, &one, usize::MAX), exhausted);
        assert_ok!(prepare(ALICE, &one, quarter - 100));
        assert_ok!(prepare(ALICE, &one, 100));
        assert_eq!(prepare(ALICE, &one, 1), exhausted);
    });
}

#[test]
fn the_share_is_the_runtimes_to_choose() {
    on_chain(|| {
        let datanet = set_up();
        FeelessShare::set(Perbill::zero());
        assert_eq!(
            prepare(ALICE, &call(datanet, vec![file(1, 1)]), 100),
            Err(InvalidTransaction::ExhaustsResources.into())
        );
    });
}

#[test]
fn precommitments_their_openings_and_withdrawals_are_free_and_share_the_block() {
    on_chain(|| {
        let datanet = set_up();
        let salt = [3; 32];
        let commitments = vec![precommitment(&ALICE, datanet, &hash(1), &salt)];
        let calls = [
            Call::precommit { commitments: commitments.try_into().unwrap() },
            Call::open { datanet, items: bounded(vec![file(1, 1)]), salt },
            Call::withdraw { datanet, sha256: hash(1) },
        ]
        .map(RuntimeCall::Datanets);
        let mut used = 0;
        for call in calls {
            assert!(call.is_feeless(&signed(ALICE)));
            let validity = validate(ALICE, &call).unwrap();
            // One free call an account at a time, whatever it is.
            assert_eq!(validity.provides, vec![(b"quota", ALICE).encode()]);
            assert!(Extension::new().weight(&call).ref_time() > 0);
            assert_ok!(apply(ALICE, call.clone()));
            let weight = FeelessUsed::<Test>::get().weight.ref_time();
            assert!(weight > used);
            used = weight;
            // Done is done: the same again is refused before it is included.
            assert!(validate(ALICE, &call).is_err());
        }
        assert_eq!(contributor(ALICE).pending, 0);
        assert_eq!(Datanets::quota(&ALICE).used.files, 1);
    });
}

#[test]
fn an_opening_takes_of_block_and_share_what_it_needed() {
    type Costs = pallet_datanets::weights::SubstrateWeight<Test>;
    on_chain(|| {
        let datanet = set_up();
        let (salt, numbers) = ([3; 32], [1, 2, 3]);
        let commitments = numbers.map(|n| precommitment(&ALICE, datanet, &hash(n), &salt)).to_vec();
        assert_ok!(Datanets::precommit(signed(ALICE), commitments.try_into().unwrap()));
        next_block();
        // One of her three files somebody else was quicker to submit.
        assert_ok!(submit(BOB, datanet, vec![file(3, 1)]));
        let opened = |numbers: Vec<u32>| {
            let items = bounded(files(numbers, 1));
            let call = RuntimeCall::Datanets(Call::open { datanet, items, salt });
            let info = info(&call);
            let before = FeelessUsed::<Test>::get().weight;
            let done = Extension::new().dispatch_transaction(signed(ALICE), call, &info, 100, 0);
            let post = done.unwrap().unwrap();
            let spent = post.calc_actual_weight(&info);
            let base = Weights::get().get(info.class).base_extrinsic;
            assert_eq!(FeelessUsed::<Test>::get().weight, before + spent + base);
            assert_eq!(post.calc_unspent(&info), info.total_weight() - spent);
            (info.call_weight, spent - info.extension_weight)
        };
        assert_eq!(opened(vec![1]), (Costs::open(1, 1), Costs::open(1, 0)));
        let (declared, spent) = opened(vec![2, 3]);
        assert_eq!((declared, spent), (Costs::open(2, 2), Costs::open(2, 1)));
        assert!(spent.ref_time() < declared.ref_time());
    });
}

#[test]
fn other_calls_pass_untouched() {
    on_chain(|| {
        set_up();
        let call = RuntimeCall::Datanets(Call::register {});
        assert!(!call.is_feeless(&signed(NEWCOMER)));
        assert_eq!(validate(NEWCOMER, &call), Ok(ValidTransaction::default()));
        assert_ok!(prepare(NEWCOMER, &call, usize::MAX));
        assert_eq!(Extension::new().weight(&call), frame_support::weights::Weight::zero());
        assert!(!FeelessUsed::<Test>::exists());
    });
}

#[test]
fn a_wrapped_submission_pays_and_is_checked_by_dispatch() {
    on_chain(|| {
        let datanet = set_up();
        let wrap = |items| {
            RuntimeCall::Envelope(envelope::Call::open { letter: Box::new(call(datanet, items)) })
        };
        let good = wrap(vec![file(1, 1)]);
        assert!(!good.is_feeless(&signed(ALICE)));
        assert_eq!(validate(ALICE, &good), Ok(ValidTransaction::default()));
        assert_ok!(good.dispatch(signed(ALICE)));
        assert_eq!(Datanets::quota(&ALICE).used.files, 1);
        let bad = wrap(vec![file(1, 1)]);
        assert_ok!(validate(ALICE, &bad));
        assert_eq!(
            bad.dispatch(signed(ALICE)).unwrap_err().error,
            pallet_datanets::Error::<Test>::AlreadySubmitted.into()
        );
        assert!(!FeelessUsed::<Test>::exists());
    });
}

#[test]
fn checks_and_calls_weigh_more_with_more_files() {
    type Weights = pallet_datanets::weights::SubstrateWeight<Test>;
    on_chain(|| {
        for items in 1..20 {
            assert!(Weights::admit(items + 1).ref_time() > Weights::admit(items).ref_time());
            assert!(Weights::submit(items + 1).ref_time() > Weights::submit(items).ref_time());
            assert!(Weights::open(items, 0).ref_time() > Weights::submit(items).ref_time());
            assert!(Weights::open(items + 1, 0).ref_time() > Weights::open(items, 0).ref_time());
            assert!(Weights::open(items, items).ref_time() > Weights::open(items, 0).ref_time());
        }
        let call = call(0, files(0..7, 1));
        assert_eq!(Extension::new().weight(&call), Weights::admit(7));
        assert_eq!(call.get_dispatch_info().call_weight, Weights::submit(7));
    });
}
