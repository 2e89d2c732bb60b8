//! Who was first: copies of what stands in the pool, and of what was judged, get nobody's leaf.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    api::SubmissionItem, precommitment, Refusal, RefusalRule, Salt, SubmissionId,
};
use pallet_datanets::{Error, Event, Precommits, Submission, Submissions, Waiting};
use sp_core::H256;
use sp_runtime::DispatchResult;

const SALT: Salt = [7; 32];

fn promise(who: AccountId, datanet: u32, numbers: impl IntoIterator<Item = u32>) -> Vec<H256> {
    numbers.into_iter().map(|n| precommitment(&who, datanet, &hash(n), &SALT)).collect()
}

fn precommit(who: AccountId, commitments: Vec<H256>) -> DispatchResult {
    Datanets::precommit(signed(who), commitments.try_into().unwrap())
}

fn open(who: AccountId, datanet: u32, items: Vec<SubmissionItem>) -> DispatchResult {
    Datanets::open(signed(who), datanet, bounded(items), SALT)
        .map(drop)
        .map_err(|refused| refused.error)
}

fn giver(datanet: u32, n: u32) -> Option<(SubmissionId, AccountId)> {
    match Submissions::<Test>::get(datanet, hash(n))? {
        Submission::Pending { id, contributor, .. } => Some((id, contributor)),
        Submission::Accepted { .. } => None,
    }
}

#[test]
fn a_precommitted_file_is_opened_and_waits() {
    on_chain(|| {
        let datanet = set_up();
        take_events();
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, 1..4)));
        assert_eq!(take_events(), vec![Event::Precommitted { contributor: ALICE, count: 3 }]);
        assert_eq!(Datanets::precommits(&ALICE).len(), 3);
        next_block();
        assert_ok!(open(ALICE, datanet, files([2, 1], 10)));
        assert_eq!((giver(datanet, 2), giver(datanet, 1)), (Some((0, ALICE)), Some((1, ALICE))));
        let waiting = Waiting::<Test>::get(ALICE);
        assert_eq!((waiting[0].since, waiting[0].age), (2, 1));
        // What was opened is opened; the rest stands.
        assert_eq!(Datanets::precommits(&ALICE).len(), 1);
        assert_noop!(open(ALICE, datanet, vec![file(2, 10)]), Error::<Test>::NotPrecommitted);
        assert_ok!(open(ALICE, datanet, vec![file(3, 10)]));
        assert!(!Precommits::<Test>::contains_key(ALICE));
    });
}

#[test]
fn a_precommitment_counts_as_a_file_at_once_and_not_again() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, 0..20)));
        assert_eq!(Datanets::quota(&ALICE).used.files, 20);
        assert_eq!(
            Datanets::check_precommit(&ALICE, &promise(ALICE, datanet, [20])),
            Err(Refusal::of_call(RefusalRule::DailyFiles, 21, 20))
        );
        assert_noop!(submit(ALICE, datanet, vec![file(20, 1)]), Error::<Test>::DailyFiles);
        assert_ok!(open(ALICE, datanet, files(0..20, 10)));
        let used = Datanets::quota(&ALICE).used;
        assert_eq!((used.files, used.bytes), (20, 200));
        // Bytes count when they are known.
        later(1);
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [30])));
        assert_noop!(
            open(ALICE, datanet, vec![file(30, 10 * 1024 * 1024 + 1)]),
            Error::<Test>::DailyBytes
        );
    });
}

#[test]
fn only_its_account_opens_it_and_only_as_what_it_is() {
    on_chain(|| {
        let (datanet, other) = (set_up(), create(None));
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [1])));
        next_block();
        let not = Error::<Test>::NotPrecommitted;
        // Bob saw the salt in the pool, and copied the commitment too.
        assert_noop!(open(BOB, datanet, vec![file(1, 10)]), not);
        assert_ok!(precommit(BOB, promise(ALICE, datanet, [1])));
        assert_noop!(open(BOB, datanet, vec![file(1, 10)]), Error::<Test>::NotPrecommitted);
        assert_noop!(open(ALICE, other, vec![file(1, 10)]), Error::<Test>::NotPrecommitted);
        assert_noop!(open(ALICE, datanet, vec![file(2, 10)]), Error::<Test>::NotPrecommitted);
        let salted = Datanets::open(signed(ALICE), datanet, bounded(vec![file(1, 10)]), [8; 32]);
        assert_noop!(salted, Error::<Test>::NotPrecommitted);
        // One of several that is not precommitted keeps all out.
        assert_noop!(open(ALICE, datanet, files([1, 2], 10)), Error::<Test>::NotPrecommitted);
        assert_ok!(open(ALICE, datanet, vec![file(1, 10)]));
    });
}

#[test]
fn a_precommitment_expires_after_a_day() {
    on_chain(|| {
        let datanet = set_up();
        let at = System::block_number();
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [1, 2])));
        System::set_block_number(at + u64::from(DAY) - 1);
        assert_ok!(open(ALICE, datanet, vec![file(1, 10)]));
        System::set_block_number(at + u64::from(DAY));
        assert!(Datanets::precommits(&ALICE).is_empty());
        assert_noop!(open(ALICE, datanet, vec![file(2, 10)]), Error::<Test>::NotPrecommitted);
        // The same may be promised anew, and makes room for itself.
        later(1);
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [2])));
        assert_eq!(Precommits::<Test>::get(ALICE).len(), 1);
    });
}

#[test]
fn precommitments_that_make_no_sense_are_refused() {
    on_chain(|| {
        let datanet = set_up();
        let one = promise(ALICE, datanet, [1]);
        assert_noop!(precommit(ALICE, vec![]), Error::<Test>::ItemCount);
        assert_noop!(precommit(NEWCOMER, one.clone()), Error::<Test>::NotRegistered);
        assert_noop!(
            precommit(ALICE, [one.clone(), one.clone()].concat()),
            Error::<Test>::RepeatedItem
        );
        assert_ok!(precommit(ALICE, one.clone()));
        assert_noop!(precommit(ALICE, one.clone()), Error::<Test>::AlreadyPrecommitted);
        assert_ok!(precommit(BOB, one));
        assert_eq!(
            Datanets::check_precommit(&ALICE, &vec![H256::zero(); 100_000]),
            Err(Refusal::of_call(RefusalRule::ItemCount, 100_000, 20))
        );
    });
}

#[test]
fn no_more_precommitments_stand_than_a_list_holds() {
    on_chain(|| {
        let datanet = set_up();
        // The clock goes on and blocks do not, as on a chain that stood still.
        for day in 0..2 {
            assert_ok!(precommit(ALICE, promise(ALICE, datanet, day * 20..day * 20 + 20)));
            Now::mutate(|now| *now += openledger_primitives::MILLISECONDS_PER_DAY);
        }
        assert_eq!(
            Datanets::check_precommit(&ALICE, &promise(ALICE, datanet, [40])),
            Err(Refusal::of_call(RefusalRule::PendingFiles, 41, 40))
        );
    });
}

/// The audit's attack: Bob reads Alice's opening in the pool and is in a block before it.
#[test]
fn an_older_precommitment_displaces_a_copy() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [1, 2])));
        next_block();
        assert_ok!(submit(BOB, datanet, files([9, 1, 2], 10)));
        take_events();
        assert_ok!(open(ALICE, datanet, files([1, 2], 10)));
        assert_eq!((giver(datanet, 1), giver(datanet, 2)), (Some((3, ALICE)), Some((4, ALICE))));
        assert_eq!(Forgotten::get(), vec![1, 2]);
        assert_eq!((contributor(ALICE).pending, contributor(BOB).pending), (2, 1));
        assert_eq!(crate::mock::datanet(datanet).pending, 3);
        let displaced = |submission, n, by| Event::Displaced {
            datanet,
            submission,
            contributor: BOB,
            sha256: hash(n),
            by,
        };
        assert_eq!(take_events()[..2], [displaced(1, 1, 3), displaced(2, 2, 4)]);
        // And the copy does not come back.
        assert_noop!(submit(BOB, datanet, vec![file(1, 10)]), Error::<Test>::AlreadySubmitted);
    });
}

#[test]
fn a_younger_precommitment_displaces_nothing() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [1])));
        next_block();
        assert_ok!(precommit(BOB, promise(BOB, datanet, [1, 2])));
        assert_ok!(submit(ALICE, datanet, vec![file(2, 10)]));
        assert_ok!(open(ALICE, datanet, vec![file(1, 10)]));
        next_block();
        // Of the same block, the one that was shown first stays.
        for n in [1, 2] {
            assert_noop!(open(BOB, datanet, vec![file(n, 10)]), Error::<Test>::AlreadySubmitted);
        }
        // Nor does one's own.
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [3])));
        next_block();
        assert_ok!(submit(ALICE, datanet, vec![file(3, 10)]));
        assert_noop!(open(ALICE, datanet, vec![file(3, 10)]), Error::<Test>::AlreadySubmitted);
    });
}

/// Curators who work together with who copies cannot make a leaf of the copy before the file that it
/// copies comes into a block.
#[test]
fn nothing_is_accepted_before_an_older_precommitment_can_be_in_a_block() {
    on_chain(|| {
        SettleDelay::set(3);
        let datanet = set_up();
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [1, 2])));
        next_block();
        assert_ok!(submit(BOB, datanet, vec![file(1, 10)]));
        for _ in 0..3 {
            assert_noop!(settle(datanet, 1, accept(100)), Error::<Test>::TooEarly);
            next_block();
        }
        // A refusal is no leaf, and keeps nothing from who was earlier.
        assert_ok!(submit(BOB, datanet, vec![file(2, 10)]));
        assert_ok!(settle(datanet, 2, reject()));
        assert_ok!(open(ALICE, datanet, files([1, 2], 10)));
        assert_eq!(giver(datanet, 1).unwrap().1, ALICE);
        assert_eq!(giver(datanet, 2).unwrap().1, ALICE);
        // Its own age counts from its precommitment.
        assert_ok!(settle(datanet, 1, accept(100)));
        assert_eq!(Datanets::leaves(datanet, 0, 1)[0].leaf.contributor, ALICE);
    });
}

#[test]
fn who_leaves_takes_its_promises_along() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(precommit(ALICE, promise(ALICE, datanet, [1])));
        assert_noop!(Datanets::deregister(signed(ALICE), ALICE), Error::<Test>::HoldPeriod);
        later(7);
        assert_ok!(Datanets::deregister(signed(ALICE), ALICE));
        assert!(!Precommits::<Test>::contains_key(ALICE));
    });
}
