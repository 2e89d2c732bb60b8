//! Who watches the pool never gets another's leaf: the audit's attacks with paid, tipped and batched
//! copies, replayed through Executive with every extension.

use crate::common::*;
use openledger_primitives::{
    api::{SubmissionItem, SubmissionKey, SubmissionState},
    precommitment, RefusalRule, Salt, Verdict, OPEN,
};
use openledger_runtime::{AccountId, Datanets, RuntimeCall, System};
use sp_core::sr25519::Pair;
use sp_keyring::Sr25519Keyring::{Bob, Charlie};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

const SALT: Salt = [42; 32];

fn precommit(who: &AccountId, datanet: u32, files: &[SubmissionItem]) -> RuntimeCall {
    let commitments: Vec<_> =
        files.iter().map(|file| precommitment(who, datanet, &file.sha256, &SALT)).collect();
    let commitments = commitments.try_into().expect("at most 20");
    pallet_datanets::Call::precommit { commitments }.into()
}

fn open(datanet: u32, files: Vec<SubmissionItem>) -> RuntimeCall {
    let items = files.try_into().expect("at most 20");
    pallet_datanets::Call::open { datanet, items, salt: SALT }.into()
}

fn batch(calls: Vec<RuntimeCall>) -> RuntimeCall {
    pallet_utility::Call::batch_all { calls }.into()
}

fn nonce(who: &Pair) -> u32 {
    System::account_nonce(id(who))
}

/// Into the block, where it succeeds.
fn send(who: &Pair, tip: u128, call: RuntimeCall) -> Result<(), TransactionValidityError> {
    apply(sign_with_tip(who, nonce(who), tip, call)).map(|result| result.expect("it succeeds"))
}

fn giver(datanet: u32, file: &SubmissionItem) -> Option<(AccountId, bool)> {
    let view = Datanets::submission(datanet, SubmissionKey::Sha256(file.sha256))?;
    let accepted = match view.state {
        SubmissionState::Pending { .. } => false,
        SubmissionState::Accepted { .. } => true,
        SubmissionState::Refused { .. } => return None,
    };
    Some((view.contributor, accepted))
}

fn vote(datanet: u32, file: &SubmissionItem, verdict: Verdict) -> RuntimeCall {
    let key = SubmissionKey::Sha256(file.sha256);
    let submission = Datanets::submission(datanet, key).map_or(0, |view| view.submission);
    pallet_review::Call::vote { datanet, sha256: file.sha256, submission, verdict }.into()
}

fn next_block() {
    end_block();
    begin_block();
}

/// An honest account without OPEN, and a rich one that copies.
fn cast() -> (Pair, Pair, u32) {
    let datanet = text_datanet();
    let (honest, thief) = (user(1), user(2));
    sponsor(&id(&honest));
    endow(&id(&thief));
    sponsor(&id(&thief));
    (honest, thief, datanet)
}

#[test]
fn paid_tipped_and_batched_copies_give_way_to_what_they_copy() {
    for attack in ["free", "tipped", "batched", "precommitted"] {
        genesis("development").execute_with(|| {
            begin_block();
            let (honest, thief, datanet) = cast();
            let files = vec![item(b"one"), item(b"two")];
            send(&honest, 0, precommit(&id(&honest), datanet, &files)).expect("free");
            next_block();

            // The opening stands in the pool; the copy is in the block before it.
            let opening = sign(&honest, nonce(&honest), open(datanet, files.clone()));
            validate(&opening).expect("admitted");
            let copy = submit(datanet, files.clone());
            match attack {
                "free" => send(&thief, 0, copy).expect("free"),
                "tipped" => send(&thief, OPEN, copy).expect("tipped"),
                "batched" => send(&thief, OPEN, batch(vec![copy])).expect("paid"),
                _ => {
                    send(&thief, OPEN, precommit(&id(&thief), datanet, &files)).expect("free");
                    send(&thief, OPEN, open(datanet, files.clone())).expect("free");
                }
            }
            assert_eq!(giver(datanet, &files[0]), Some((id(&thief), false)), "{attack}");
            // Curators that work with the thief vote in the same block, and pay for it.
            for curator in [Bob, Charlie] {
                let call = vote(datanet, &files[0], accept(100, 3, 1));
                let sent = sign(&curator.pair(), nonce(&curator.pair()), call);
                let voted = apply(sent).expect("included");
                assert_eq!(voted.is_err(), curator == Charlie, "the verdict comes too early");
            }
            next_block();

            validate(&opening).expect("still admitted");
            apply(opening).expect("included").expect("done");
            for file in &files {
                assert_eq!(giver(datanet, file), Some((id(&honest), false)), "{attack}");
            }
            // The votes on the copy are no votes on the file that took its place.
            for _ in 0..3 {
                next_block();
            }
            for curator in [Bob, Charlie] {
                let call = vote(datanet, &files[0], accept(80, 3, 1));
                apply(sign(&curator.pair(), nonce(&curator.pair()), call))
                    .expect("included")
                    .expect("it counts");
            }
            assert_eq!(giver(datanet, &files[0]), Some((id(&honest), true)));
            assert_eq!(
                validate(&sign(&thief, nonce(&thief), submit(datanet, files))).unwrap_err(),
                InvalidTransaction::Custom(RefusalRule::AlreadySubmitted.code()).into()
            );
            end_block();
        });
    }
}

#[test]
fn a_copied_precommitment_opens_nothing() {
    genesis("development").execute_with(|| {
        begin_block();
        let (honest, thief, datanet) = cast();
        let files = vec![item(b"one")];
        // The thief is in the block first, with the very hash.
        let copied = precommit(&id(&honest), datanet, &files);
        send(&thief, OPEN, batch(vec![copied.clone()])).expect("paid");
        send(&honest, 0, copied).expect("free");
        next_block();
        assert_eq!(
            validate(&sign(&thief, nonce(&thief), open(datanet, files.clone()))).unwrap_err(),
            InvalidTransaction::Custom(RefusalRule::NotPrecommitted.code()).into()
        );
        send(&honest, 0, open(datanet, files.clone())).expect("free");
        assert_eq!(giver(datanet, &files[0]), Some((id(&honest), false)));
        end_block();
    });
}

#[test]
fn who_refuses_a_file_cannot_resubmit_it() {
    genesis("development").execute_with(|| {
        begin_block();
        let (honest, thief, datanet) = cast();
        let file = item(b"one");
        send(&honest, 0, submit(datanet, vec![file])).expect("free");
        for curator in [Bob, Charlie] {
            let verdict = Verdict::Reject(openledger_primitives::RejectionReason::OffTopic);
            let call = vote(datanet, &file, verdict);
            apply(sign(&curator.pair(), nonce(&curator.pair()), call))
                .expect("included")
                .expect("it counts");
        }
        let copy = submit(datanet, vec![file]);
        assert_eq!(
            validate(&sign(&thief, nonce(&thief), copy.clone())).unwrap_err(),
            InvalidTransaction::Custom(RefusalRule::KeptForAnother.code()).into()
        );
        let batched = sign(&thief, nonce(&thief), batch(vec![copy]));
        assert!(apply(batched).expect("it pays").is_err());
        send(&honest, 0, submit(datanet, vec![file])).expect("she may");
        assert_eq!(giver(datanet, &file), Some((id(&honest), false)));
        end_block();
    });
}

/// The audit's attack: 819 free transactions of one account stood in the pool's future queue.
#[test]
fn free_calls_are_numbered_at_most_four_ahead() {
    genesis("development").execute_with(|| {
        begin_block();
        let (honest, thief, datanet) = cast();
        for (ahead, admitted) in [(0, true), (1, true), (4, true), (5, false), (819, false)] {
            for call in
                [submit(datanet, vec![item(b"a")]), precommit(&id(&honest), datanet, &[item(b"b")])]
            {
                let answer = validate(&sign(&honest, ahead, call));
                match admitted {
                    true => assert_eq!(answer.expect("admitted").requires.is_empty(), ahead == 0),
                    false => assert_eq!(answer.unwrap_err(), InvalidTransaction::Future.into()),
                }
            }
        }
        // Who pays numbers as far ahead as it likes: the fee is at stake.
        let remark = frame_system::Call::remark { remark: vec![1] };
        validate(&sign(&thief, 819, remark)).expect("admitted");
        validate(&sign(&thief, 819, batch(vec![submit(datanet, vec![item(b"a")])])))
            .expect("admitted");
        end_block();
    });
}

#[test]
fn a_pending_file_is_taken_back_for_nothing() {
    genesis("development").execute_with(|| {
        begin_block();
        let (honest, thief, datanet) = cast();
        let file = item(b"one");
        send(&honest, 0, submit(datanet, vec![file])).expect("free");
        let withdraw =
            || RuntimeCall::from(pallet_datanets::Call::withdraw { datanet, sha256: file.sha256 });
        let before = total(&id(&honest));
        let rule = |rule: RefusalRule| InvalidTransaction::Custom(rule.code()).into();
        assert_eq!(
            validate(&sign(&thief, nonce(&thief), withdraw())).unwrap_err(),
            rule(RefusalRule::NotAuthorized)
        );
        send(&honest, 0, withdraw()).expect("free");
        assert_eq!((total(&id(&honest)), fees_paid()), (before, vec![]));
        assert_eq!(giver(datanet, &file), None);
        assert_eq!(
            validate(&sign(&honest, nonce(&honest), withdraw())).unwrap_err(),
            rule(RefusalRule::NotPending)
        );
        end_block();
    });
}
