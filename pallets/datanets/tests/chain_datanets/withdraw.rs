use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use pallet_datanets::{Error, Event, Submissions};

#[test]
fn a_contributor_takes_a_pending_file_back() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..2, 30)));
        take_events();
        assert_ok!(Datanets::withdraw(signed(ALICE), datanet, hash(1)));
        assert!(!Submissions::<Test>::contains_key(datanet, hash(1)));
        assert_eq!(Forgotten::get(), vec![1]);
        assert_eq!((contributor(ALICE).pending, crate::mock::datanet(datanet).pending), (1, 1));
        assert_eq!(
            take_events(),
            vec![Event::Withdrawn { datanet, submission: 1, contributor: ALICE, sha256: hash(1) }]
        );
        assert_noop!(settle(datanet, 1, accept(100)), Error::<Test>::NotPending);
        // Free for anybody, under a new number.
        assert_ok!(submit(BOB, datanet, vec![file(1, 30)]));
        assert_eq!(Datanets::pending(datanet, Some(1), 9)[0].submission, 2);
    });
}

#[test]
fn nobody_withdraws_what_is_not_its_own_or_not_pending() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..2, 30)));
        assert_ok!(settle(datanet, 0, accept(100)));
        for (who, n, error) in [
            (BOB, 1, Error::<Test>::NotAuthorized),
            (OWNER, 1, Error::<Test>::NotAuthorized),
            (ALICE, 0, Error::<Test>::NotPending),
            (ALICE, 2, Error::<Test>::NotPending),
        ] {
            assert_noop!(Datanets::withdraw(signed(who), datanet, hash(n)), error);
        }
        assert!(Forgotten::get().is_empty());
    });
}
