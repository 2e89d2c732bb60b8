//! What is kept of submissions that ended without a leaf, for whom, and for how long.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok, weights::Weight};
use openledger_primitives::{
    api::{SubmissionKey, SubmissionState},
    Ending, Refusal, RefusalRule, RejectionReason, Verdict,
};
use pallet_datanets::{Error, Event, Expiries, RefusedFiles, Settled, SettledOf};

fn harmful() -> Verdict {
    Verdict::Reject(RejectionReason::Harmful)
}

#[test]
fn a_refusal_says_why_who_and_when() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..4, 30)));
        next_block();
        assert_ok!(settle(datanet, 1, reject()));
        assert_ok!(settle(datanet, 2, Verdict::Unavailable));
        for (n, ending, days) in
            [(1, Ending::Rejected(RejectionReason::OffTopic), 30), (2, Ending::Unavailable, 1)]
        {
            for key in [SubmissionKey::Number(n.into()), SubmissionKey::Sha256(hash(n))] {
                let view = Datanets::submission(datanet, key).unwrap();
                assert_eq!((view.submission, view.contributor), (u64::from(n), ALICE));
                assert_eq!(view.sha256, hash(n));
                let state = SubmissionState::Refused {
                    ending,
                    judges: JUDGES.to_vec(),
                    at: 2,
                    kept_until: 2 + days * DAY,
                };
                assert_eq!(view.state, state);
            }
        }
        // Her files, those that wait among them, page by page.
        assert_ok!(settle(datanet, 3, accept(100)));
        let numbers = |after, limit| -> Vec<u64> {
            let page = Datanets::submissions_of(&ALICE, after, limit);
            page.iter().map(|view| view.submission).collect()
        };
        assert_eq!(numbers(None, 100), [0, 1, 2, 3]);
        assert_eq!((numbers(None, 2), numbers(Some(1), 2)), (vec![0, 1], vec![2, 3]));
        assert!(numbers(Some(3), 9).is_empty() && numbers(None, 0).is_empty());
        assert!(Datanets::submissions_of(&BOB, None, 9).is_empty());
        let accepted = Datanets::submission(datanet, SubmissionKey::Number(3)).unwrap();
        assert!(matches!(accepted.state, SubmissionState::Accepted { revoked: false, .. }));
        let SubmissionState::Pending { since, age, expires_at, .. } =
            Datanets::submission(datanet, SubmissionKey::Number(0)).unwrap().state
        else {
            panic!("it waits")
        };
        assert_eq!((since, age, expires_at), (1, 1, 1 + 7 * DAY));
        for unknown in [SubmissionKey::Number(4), SubmissionKey::Sha256(hash(9))] {
            assert_eq!(Datanets::submission(datanet, unknown), None);
        }
        assert_eq!(Datanets::submission(datanet + 1, SubmissionKey::Number(1)), None);
    });
}

/// The audit's attack: who judged a file refuses it and submits it.
#[test]
fn a_refused_file_stays_its_first_contributors() {
    for (verdict, days) in [(reject(), 30), (Verdict::Unavailable, 1)] {
        on_chain(|| {
            let datanet = set_up();
            assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
            assert_ok!(settle(datanet, 1, verdict));
            let until = 1 + days * DAY;
            assert_eq!(
                Datanets::check_submission(&BOB, datanet, &files([7, 1], 10)),
                Err(Refusal::of_item(RefusalRule::KeptForAnother, 1, 0, until.into()))
            );
            assert_noop!(submit(BOB, datanet, vec![file(1, 10)]), Error::<Test>::KeptForAnother);
            // Another Datanet is another matter.
            let other = create(None);
            assert_ok!(submit(BOB, other, vec![file(1, 10)]));
            // She may bring it back.
            assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
            assert_ok!(Datanets::withdraw(signed(ALICE), datanet, hash(1)));
            assert_noop!(submit(BOB, datanet, vec![file(1, 10)]), Error::<Test>::KeptForAnother);
            System::set_block_number(u64::from(until) - 1);
            assert_noop!(submit(BOB, datanet, vec![file(1, 10)]), Error::<Test>::KeptForAnother);
            System::set_block_number(until.into());
            assert_ok!(submit(BOB, datanet, vec![file(1, 10)]));
        });
    }
}

#[test]
fn a_file_that_its_first_contributor_brings_back_is_as_old_as_it_was() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        next_block();
        // Bob saw its bytes, and precommits before he refuses it.
        let salt = [1; 32];
        let promise = openledger_primitives::precommitment(&BOB, datanet, &hash(1), &salt);
        assert_ok!(Datanets::precommit(signed(BOB), vec![promise].try_into().unwrap()));
        assert_ok!(settle(datanet, 1, reject()));
        let open = || Datanets::open(signed(BOB), datanet, bounded(vec![file(1, 10)]), salt);
        assert_noop!(open(), Error::<Test>::KeptForAnother);
        next_block();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        assert_noop!(open(), Error::<Test>::KeptForAnother);
    });
}

/// The audit's attack: a harmful file comes back day by day at the curators' cost.
#[test]
fn a_harmful_file_leaves_a_tombstone() {
    for reason in [RejectionReason::Harmful, RejectionReason::Licence] {
        on_chain(|| {
            let datanet = set_up();
            assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
            assert_ok!(settle(datanet, 1, Verdict::Reject(reason)));
            let until = 1 + 180 * DAY;
            for who in [ALICE, BOB] {
                assert_eq!(
                    Datanets::check_submission(&who, datanet, &[file(1, 10)]),
                    Err(Refusal::of_item(RefusalRule::Tombstone, 0, 0, until.into()))
                );
                assert_noop!(submit(who, datanet, vec![file(1, 10)]), Error::<Test>::Tombstone);
            }
            System::set_block_number(u64::from(until) - 1);
            assert_noop!(submit(ALICE, datanet, vec![file(1, 10)]), Error::<Test>::Tombstone);
            System::set_block_number(until.into());
            assert_ok!(submit(BOB, datanet, vec![file(1, 10)]));
        });
    }
}

#[test]
fn a_challenge_clears_a_refusal() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        assert_ok!(settle(datanet, 1, harmful()));
        assert_noop!(
            Datanets::clear_refusal(signed(ALICE), datanet, hash(1)),
            sp_runtime::traits::BadOrigin
        );
        let root = RuntimeOrigin::root;
        assert_noop!(Datanets::clear_refusal(root(), datanet, hash(2)), Error::<Test>::NotRefused);
        take_events();
        assert_ok!(Datanets::clear_refusal(root(), datanet, hash(1)));
        assert_eq!(
            take_events(),
            vec![Event::RefusalCleared { datanet, submission: 0, sha256: hash(1) }]
        );
        assert_eq!(Datanets::submission(datanet, SubmissionKey::Number(0)), None);
        assert_ok!(submit(BOB, datanet, vec![file(1, 10)]));
    });
}

#[test]
fn what_waited_too_long_is_expired_by_anyone() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(1..3, 10)));
        let expire = |n| Datanets::expire(signed(NEWCOMER), datanet, hash(n));
        assert_noop!(expire(9), Error::<Test>::NotPending);
        System::set_block_number(u64::from(7 * DAY));
        assert_eq!(expire(1).unwrap_err().error, Error::<Test>::NotExpired.into());
        System::set_block_number(u64::from(7 * DAY) + 1);
        take_events();
        assert_eq!(expire(1).unwrap().pays_fee, frame_support::dispatch::Pays::No);
        assert_eq!(
            take_events(),
            vec![Event::Expired { datanet, submission: 0, contributor: ALICE, sha256: hash(1) }]
        );
        assert_eq!(Forgotten::get(), vec![0]);
        let view = Datanets::submission(datanet, SubmissionKey::Number(0)).unwrap();
        let SubmissionState::Refused { ending: Ending::Expired, judges, .. } = view.state else {
            panic!("it expired: {view:?}")
        };
        assert!(judges.is_empty());
        assert_noop!(submit(BOB, datanet, vec![file(1, 10)]), Error::<Test>::KeptForAnother);
        later(1);
        assert_ok!(submit(BOB, datanet, vec![file(1, 10)]));
    });
}

#[test]
fn a_later_refusal_takes_the_place_of_an_earlier_one() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        assert_ok!(settle(datanet, 1, reject()));
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        // What was said of the earlier one is still there while the later waits.
        let earlier = Datanets::submission(datanet, SubmissionKey::Number(0)).unwrap();
        assert!(matches!(earlier.state, SubmissionState::Refused { .. }));
        let last = Datanets::submission(datanet, SubmissionKey::Sha256(hash(1))).unwrap();
        assert!(matches!(last.state, SubmissionState::Pending { .. }));
        next_block();
        assert_ok!(settle(datanet, 1, harmful()));
        assert_eq!(Datanets::submission(datanet, SubmissionKey::Number(0)), None);
        assert_eq!(Expiries::<Test>::iter().count(), 1);
        assert_eq!(Datanets::submissions_of(&ALICE, None, 9).len(), 1);
    });
}

#[test]
fn refusals_are_forgotten_when_their_time_is_over() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..20, 10)));
        for n in 0..20 {
            assert_ok!(settle(datanet, n, reject()));
        }
        let left = || RefusedFiles::<Test>::iter_keys().count();
        System::set_block_number(u64::from(30 * DAY));
        assert_eq!(Datanets::forget_refusals_within(Weight::MAX).0, 20);
        System::set_block_number(u64::from(30 * DAY) + 1);
        // No more than a block has room for, and no more than so many.
        assert_eq!(Datanets::forget_refusals_within(Weight::zero()), (20, Weight::zero()));
        let (after, used) = Datanets::forget_refusals_within(Weight::MAX);
        assert_eq!((after, left()), (4, 4));
        assert!(used.ref_time() > 0);
        assert_eq!(Datanets::forget_refusals_within(Weight::MAX).0, 0);
        assert_eq!(Settled::<Test>::iter_keys().count(), 0);
        assert_eq!(SettledOf::<Test>::iter_keys().count(), 0);
        assert_eq!(Expiries::<Test>::iter_keys().count(), 0);
    });
}

/// What the hook does, with how many refusals are left.
trait Forget {
    fn forget_refusals_within(room: Weight) -> (usize, Weight);
}

impl Forget for Datanets {
    fn forget_refusals_within(room: Weight) -> (usize, Weight) {
        use frame_support::traits::Hooks;
        let used = Datanets::on_idle(System::block_number(), room);
        assert!(used.all_lte(room));
        (RefusedFiles::<Test>::iter_keys().count(), used)
    }
}
