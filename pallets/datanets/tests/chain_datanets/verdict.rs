use crate::mock::*;
use frame_support::{assert_noop, assert_ok, assert_storage_noop};
use openledger_primitives::{
    DatasetLeaf, LeafVersion, MediaType, RejectionReason, Score, Verdict, EXTRACTOR,
};
use pallet_datanets::{Error, Event, Leaves, Pending, Quotas, Submission, Submissions};
use sp_core::H256;
use sp_runtime::DispatchError;

#[test]
fn an_accepted_file_becomes_a_leaf_and_earns_points() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..2, 30)));
        take_events();
        assert_ok!(settle(datanet, 1, accept(400)));
        assert_eq!(
            Leaves::<Test>::get(datanet, 0),
            Some(DatasetLeaf {
                version: LeafVersion::V2 { extractor: EXTRACTOR },
                submission: 1,
                contributor: ALICE,
                sha256: hash(1),
                size: 30,
                units: 400,
                score: Score::new(50).unwrap(),
                text_root: H256::repeat_byte(7),
            })
        );
        assert_eq!(
            Submissions::<Test>::get(datanet, hash(1)),
            Some(Submission::Accepted {
                leaf: 0,
                content: file(1, 30).content,
                media: MediaType::Md
            })
        );
        assert_eq!(Rewards::get(), vec![(datanet, ALICE, 50 * 400)]);
        assert_eq!(contributor(ALICE).pending, 1);
        let record = crate::mock::datanet(datanet);
        assert_eq!((record.pending, record.leaves, record.units), (1, 1, 400));
        assert_eq!(
            take_events(),
            vec![Event::Accepted {
                datanet,
                submission: 1,
                contributor: ALICE,
                sha256: hash(1),
                leaf: 0,
                points: 20_000
            }]
        );
    });
}

#[test]
fn units_beyond_the_cap_earn_nothing_and_are_still_recorded() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 30)]));
        assert_ok!(settle(datanet, 1, accept(u64::MAX)));
        assert_eq!(Rewards::get(), vec![(datanet, ALICE, 50 * 1_000)]);
        assert_eq!(Datanets::leaves(datanet, 0, 1)[0].leaf.units, u64::MAX);
        // And they block nobody after them.
        assert_ok!(submit(ALICE, datanet, vec![file(2, 30)]));
        assert_ok!(settle(datanet, 2, accept(u64::MAX)));
        assert_eq!(Datanets::datanet(datanet).unwrap().units, u64::MAX);
    });
}

#[test]
fn a_file_below_the_minimum_is_not_accepted() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 30)]));
        for units in [0, 9] {
            assert_noop!(settle(datanet, 1, accept(units)), Error::<Test>::UnitsBelowMinimum);
        }
        assert_ok!(settle(datanet, 1, accept(10)));
    });
}

#[test]
fn a_rejection_forgets_the_file_and_touches_nothing_else() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(BOB, datanet, vec![file(9, 30)]));
        assert_ok!(settle(datanet, 9, accept(100)));
        let before = (crate::mock::datanet(datanet), contributor(ALICE), Rewards::get());
        let version = Datanets::version_at(datanet, 1);
        assert_ok!(submit(ALICE, datanet, vec![file(1, 30)]));
        let (quota, last) = (Quotas::<Test>::get(ALICE), contributor(ALICE).last_submission);
        take_events();
        assert_ok!(settle(datanet, 1, Verdict::Reject(RejectionReason::Licence)));

        assert_eq!(crate::mock::datanet(datanet), before.0);
        let mut contributor = contributor(ALICE);
        assert_eq!((Quotas::<Test>::get(ALICE), contributor.last_submission), (quota, last));
        contributor.last_submission = before.1.last_submission;
        assert_eq!(contributor, before.1);
        assert_eq!(Rewards::get(), before.2);
        assert_eq!(Datanets::version_at(datanet, 1), version);
        assert!(!Submissions::<Test>::contains_key(datanet, hash(1)));
        assert_eq!(Pending::<Test>::iter().count(), 0);
        assert_eq!(
            take_events(),
            vec![Event::Rejected {
                datanet,
                submission: 1,
                contributor: ALICE,
                sha256: hash(1),
                reason: RejectionReason::Licence
            }]
        );
    });
}

#[test]
fn only_what_is_pending_is_settled_and_only_once() {
    on_chain(|| {
        let datanet = set_up();
        assert_noop!(settle(datanet, 1, accept(100)), Error::<Test>::NotPending);
        assert_ok!(submit(ALICE, datanet, files(1..3, 30)));
        assert_noop!(settle(datanet + 1, 1, accept(100)), Error::<Test>::NotPending);
        assert_ok!(settle(datanet, 1, accept(100)));
        assert_ok!(settle(datanet, 2, reject()));
        for n in [1, 2] {
            for verdict in [accept(100), reject()] {
                assert_noop!(settle(datanet, n, verdict), Error::<Test>::NotPending);
            }
        }
    });
}

#[test]
fn an_acceptance_whose_reward_fails_changes_nothing() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 30)]));
        RefuseRewards::set(true);
        // Also for a caller that goes on after the error.
        assert_storage_noop!(assert_eq!(
            settle(datanet, 1, accept(100)),
            Err(DispatchError::Other("reward refused"))
        ));
        RefuseRewards::set(false);
        assert_ok!(settle(datanet, 1, accept(100)));
    });
}
