//! Leaves whose contributors, or governance, take back that models are trained on them.

use crate::mock::*;
use frame_support::{
    assert_noop, assert_ok,
    traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion},
};
use openledger_primitives::{
    api::{RevocationView, SubmissionKey, SubmissionState},
    leaf::leaves_out,
};
use pallet_datanets::{
    migrations::{old::FirstRevoked, ToV3},
    Error, Event,
};

#[test]
fn a_revoked_leaf_is_flagged_and_nothing_is_rewritten() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..6);
        let before: Vec<_> = (0..=6).map(|leaves| Datanets::version_at(datanet, leaves)).collect();
        let leaves = Datanets::leaves(datanet, 0, 9);
        take_events();
        assert_ok!(Datanets::revoke_leaf(signed(ALICE), datanet, 4));
        assert_eq!(
            take_events(),
            vec![Event::LeafRevoked {
                datanet,
                leaf: 4,
                submission: 4,
                contributor: ALICE,
                by_governance: false
            }]
        );
        assert_ok!(Datanets::revoke_leaf(RuntimeOrigin::root(), datanet, 2));
        let after: Vec<_> = (0..=6).map(|leaves| Datanets::version_at(datanet, leaves)).collect();
        assert_eq!((after, Datanets::leaves(datanet, 0, 9)), (before, leaves));
        assert_eq!(Rewards::get().len(), 6);
        assert_eq!(Datanets::revoked(datanet, 0, 100), [2, 4]);
        assert_eq!(Datanets::revoked(datanet, 3, 100), [4]);
        assert_eq!(Datanets::revoked(datanet, 0, 1), [2]);
        let view = Datanets::submission(datanet, SubmissionKey::Number(4)).unwrap();
        assert!(matches!(view.state, SubmissionState::Accepted { revoked: true, .. }));
    });
}

#[test]
fn each_revocation_is_read_with_its_block_and_jobs_of_later_blocks_leave_the_leaf_out() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..6);
        let first = System::block_number() as u32;
        assert_ok!(Datanets::revoke_leaf(signed(ALICE), datanet, 4));
        next_block();
        assert_ok!(Datanets::revoke_leaf(RuntimeOrigin::root(), datanet, 1));
        let revocations = [
            RevocationView { leaf: 1, at: first + 1, by_governance: true },
            RevocationView { leaf: 4, at: first, by_governance: false },
        ];
        assert_eq!(Datanets::revocations(datanet, 0, 100), revocations);
        assert_eq!(Datanets::revocations(datanet, 2, 100), revocations[1..]);
        assert_eq!(Datanets::revocations(datanet, 0, 1), revocations[..1]);
        let out = |block| {
            let left = revocations.iter().filter(|revoked| leaves_out(block, revoked.at));
            left.map(|revoked| revoked.leaf).collect::<Vec<_>>()
        };
        // Of a job of before, of one of the same block, and of those of later blocks.
        assert_eq!(out(0), [] as [u64; 0]);
        assert_eq!(out(first), [] as [u64; 0]);
        assert_eq!(out(first + 1), [4]);
        assert_eq!(out(first + 2), [1, 4]);
    });
}

#[test]
fn an_upgrade_forgets_which_leaf_was_revoked_first_and_nothing_else() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..3);
        assert_ok!(Datanets::revoke_leaf(signed(ALICE), datanet, 1));
        let before = Datanets::revocations(datanet, 0, 100);
        // As storage version 2 kept it.
        FirstRevoked::<Test>::insert(datanet, 1);
        StorageVersion::new(2).put::<Datanets>();
        ToV3::<Test>::on_runtime_upgrade();
        assert_eq!(FirstRevoked::<Test>::iter().count(), 0);
        assert_eq!(Datanets::on_chain_storage_version(), 3);
        assert_eq!(Datanets::revocations(datanet, 0, 100), before);
        // A second time it does nothing.
        FirstRevoked::<Test>::insert(datanet, 1);
        ToV3::<Test>::on_runtime_upgrade();
        assert_eq!(FirstRevoked::<Test>::take(datanet), Some(1));
    });
}

#[test]
fn only_who_gave_a_leaf_or_governance_revokes_it_and_once() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..2);
        for who in [BOB, OWNER] {
            assert_noop!(
                Datanets::revoke_leaf(signed(who), datanet, 0),
                Error::<Test>::NotAuthorized
            );
        }
        assert_noop!(Datanets::revoke_leaf(signed(ALICE), datanet, 2), Error::<Test>::UnknownLeaf);
        assert_ok!(Datanets::revoke_leaf(signed(ALICE), datanet, 0));
        assert_noop!(
            Datanets::revoke_leaf(RuntimeOrigin::root(), datanet, 0),
            Error::<Test>::AlreadyRevoked
        );
    });
}
