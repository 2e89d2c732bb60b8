//! What an owner does with a Datanet after it was created.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{traits::Submissions, DatanetId, DatanetStatus, DatanetText, OPEN};
use pallet_datanets::{Error, Event, HoldReason, Offers, Statuses, Texts};
use sp_runtime::{traits::BadOrigin, DispatchResult, TokenError};

fn text(summary: &str) -> DatanetText {
    DatanetText {
        summary: summary.as_bytes().to_vec().try_into().expect("short"),
        description: b"# Poems\n".to_vec().try_into().expect("short"),
        tags: vec![b"verse".to_vec().try_into().expect("short")].try_into().expect("one"),
    }
}

fn status(datanet: DatanetId) -> DatanetStatus {
    Datanets::details(datanet).expect("it is there").status
}

#[test]
fn the_owner_says_and_changes_what_a_datanet_is_about() {
    on_chain(|| {
        let datanet = set_up();
        take_events();
        assert_ok!(Datanets::set_text(signed(OWNER), datanet, text("Poems")));
        assert_eq!(take_events(), vec![Event::TextSet { datanet }]);
        let details = Datanets::details(datanet).expect("it is there");
        assert_eq!((details.summary, details.tags), (b"Poems".to_vec(), vec![b"verse".to_vec()]));
        assert_ok!(Datanets::set_text(signed(OWNER), datanet, text("Poems of sailors")));
        // What says nothing takes no room.
        assert_ok!(Datanets::set_text(signed(OWNER), datanet, DatanetText::default()));
        assert_eq!(Texts::<Test>::iter().count(), 0);
        assert_noop!(
            Datanets::set_text(signed(OWNER), datanet, text("\u{1b}[2J")),
            Error::<Test>::InvalidText
        );
        let mut twice = text("Poems");
        twice.tags = vec![twice.tags[0].clone(); 2].try_into().expect("two");
        assert_noop!(Datanets::set_text(signed(OWNER), datanet, twice), Error::<Test>::InvalidTags);
    });
}

#[test]
fn a_paused_datanet_takes_no_files_and_settles_those_it_has() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..2, 100)));
        assert_noop!(Datanets::resume(signed(OWNER), datanet), Error::<Test>::SameStatus);
        assert_ok!(Datanets::pause(signed(OWNER), datanet));
        assert_noop!(Datanets::pause(signed(OWNER), datanet), Error::<Test>::SameStatus);
        assert_noop!(submit(ALICE, datanet, files([2], 100)), Error::<Test>::DatanetPaused);
        assert_ok!(settle(datanet, 0, accept(100)));
        assert_ok!(Datanets::withdraw(signed(ALICE), datanet, hash(1)));
        assert_ok!(Datanets::resume(signed(OWNER), datanet));
        assert_ok!(submit(ALICE, datanet, files([2], 100)));
        assert_eq!(Statuses::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_closed_datanet_gives_its_deposit_back_and_keeps_what_it_has() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..3);
        assert_ok!(submit(ALICE, datanet, files([5], 100)));
        let before = held(HoldReason::Datanet, OWNER);
        assert_noop!(Datanets::close(signed(OWNER), datanet), Error::<Test>::DatanetHasPending);
        assert_ok!(settle(datanet, 5, reject()));
        assert_ok!(Datanets::offer_ownership(signed(OWNER), datanet, Some(BOB)));
        assert_ok!(Datanets::close(signed(OWNER), datanet));
        assert_eq!(before - held(HoldReason::Datanet, OWNER), 10 * OPEN);
        assert_eq!(status(datanet), DatanetStatus::Closed);
        assert!(<Datanets as Submissions<AccountId>>::is_closed(datanet));
        assert_eq!(Datanets::leaves(datanet, 0, 100).len(), 3);
        assert!(Datanets::leaf_proof(datanet, 1, 3).is_some());
        let closed = Error::<Test>::DatanetClosed;
        assert_noop!(submit(ALICE, datanet, files([6], 100)), closed);
        let closed: sp_runtime::DispatchError = Error::<Test>::DatanetClosed.into();
        assert_noop!(Datanets::close(signed(OWNER), datanet), closed);
        assert_noop!(Datanets::resume(signed(OWNER), datanet), closed);
        assert_noop!(Datanets::pause(signed(OWNER), datanet), closed);
        assert_noop!(Datanets::set_text(signed(OWNER), datanet, text("Poems")), closed);
        assert_noop!(Datanets::offer_ownership(signed(OWNER), datanet, Some(BOB)), closed);
        assert_noop!(Datanets::accept_ownership(signed(BOB), datanet), Error::<Test>::NotOffered);
    });
}

#[test]
fn a_datanet_changes_hands_in_two_steps() {
    on_chain(|| {
        let datanet = set_up();
        let before = held(HoldReason::Datanet, OWNER);
        take_events();
        assert_noop!(Datanets::accept_ownership(signed(BOB), datanet), Error::<Test>::NotOffered);
        assert_ok!(Datanets::offer_ownership(signed(OWNER), datanet, Some(BOB)));
        assert_noop!(Datanets::accept_ownership(signed(ALICE), datanet), Error::<Test>::NotOffered);
        assert_eq!(Datanets::details(datanet).and_then(|view| view.offered_to), Some(BOB));
        assert_ok!(Datanets::pause(signed(OWNER), datanet));
        assert_ok!(Datanets::accept_ownership(signed(BOB), datanet));
        assert_eq!(
            take_events(),
            vec![
                Event::Offered { datanet, to: Some(BOB) },
                Event::StatusSet { datanet, status: DatanetStatus::Paused },
                Event::OwnerChanged { datanet, from: OWNER, to: BOB },
            ]
        );
        assert_eq!(before - held(HoldReason::Datanet, OWNER), 10 * OPEN);
        assert_eq!(held(HoldReason::Datanet, BOB), 10 * OPEN);
        assert_noop!(Datanets::resume(signed(OWNER), datanet), Error::<Test>::NotAuthorized);
        assert_ok!(Datanets::resume(signed(BOB), datanet));
        assert_ok!(Datanets::close(signed(BOB), datanet));
        assert_eq!(held(HoldReason::Datanet, BOB), 0);
    });
}

#[test]
fn an_offer_is_taken_back() {
    on_chain(|| {
        let datanet = set_up();
        assert_noop!(
            Datanets::offer_ownership(signed(OWNER), datanet, Some(OWNER)),
            Error::<Test>::OwnAccount
        );
        assert_noop!(
            Datanets::offer_ownership(signed(OWNER), datanet, None),
            Error::<Test>::NotOffered
        );
        assert_ok!(Datanets::offer_ownership(signed(OWNER), datanet, Some(BOB)));
        assert_ok!(Datanets::offer_ownership(signed(OWNER), datanet, None));
        assert_noop!(Datanets::accept_ownership(signed(BOB), datanet), Error::<Test>::NotOffered);
        assert_eq!(Offers::<Test>::iter().count(), 0);
    });
}

#[test]
fn who_cannot_pay_the_deposit_does_not_become_owner() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(Datanets::offer_ownership(signed(OWNER), datanet, Some(NEWCOMER)));
        assert_noop!(
            Datanets::accept_ownership(signed(NEWCOMER), datanet),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn only_the_owner_and_only_of_what_exists() {
    on_chain(|| {
        let datanet = set_up();
        type Call = fn(RuntimeOrigin, DatanetId) -> DispatchResult;
        let calls: [Call; 5] = [
            |origin, datanet| Datanets::set_text(origin, datanet, text("Poems")),
            |origin, datanet| Datanets::pause(origin, datanet),
            |origin, datanet| Datanets::resume(origin, datanet),
            |origin, datanet| Datanets::offer_ownership(origin, datanet, Some(BOB)),
            |origin, datanet| Datanets::close(origin, datanet),
        ];
        for call in calls {
            assert_noop!(call(signed(ALICE), datanet), Error::<Test>::NotAuthorized);
            assert_noop!(call(signed(OWNER), 99), Error::<Test>::UnknownDatanet);
            assert_noop!(call(RuntimeOrigin::none(), datanet), BadOrigin);
            assert_noop!(call(RuntimeOrigin::root(), datanet), BadOrigin);
        }
        assert_noop!(Datanets::accept_ownership(RuntimeOrigin::none(), datanet), BadOrigin);
        assert_eq!(Datanets::details(99), None);
    });
}
