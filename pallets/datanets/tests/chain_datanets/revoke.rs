//! Leaves whose contributors, or governance, take back that models are trained on them.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    api::{SubmissionKey, SubmissionState},
    traits::DatasetVersions,
};
use pallet_datanets::{Error, Event};

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
        // Versions that hold one of them, and those from before.
        let holds: Vec<_> = (0..=6)
            .map(|leaves| <Datanets as DatasetVersions>::holds_revoked(datanet, leaves))
            .collect();
        assert_eq!(holds, [false, false, false, true, true, true, true]);
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
