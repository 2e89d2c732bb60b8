//! Of whom a Datanet takes files.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{AdmissionPolicy, Balance, BarReason, OPEN};
use pallet_datanets::{
    Admissions, Bars, Error, Event, HoldReason, Invitations, Listed, MAX_CLEARED,
};

#[test]
fn a_datanet_takes_files_of_who_is_invited() {
    on_chain(|| {
        let datanet = set_up();
        let invite = |who, invited| Datanets::invite(signed(OWNER), datanet, who, invited);
        let admission = AdmissionPolicy::Invited;
        assert_ok!(Datanets::set_admission(signed(OWNER), datanet, admission));
        assert_noop!(submit(ALICE, datanet, files(0..1, 30)), Error::<Test>::NotInvited);
        assert_ok!(invite(ALICE, true));
        assert_noop!(invite(ALICE, true), Error::<Test>::AlreadyInvited);
        assert_ok!(submit(ALICE, datanet, files(0..1, 30)));
        assert_noop!(submit(BOB, datanet, files(1..2, 30)), Error::<Test>::NotInvited);
        assert_ok!(invite(ALICE, false));
        assert_noop!(invite(ALICE, false), Error::<Test>::NotInvited);
        assert_noop!(submit(ALICE, datanet, files(1..2, 30)), Error::<Test>::NotInvited);
        // What waits goes on waiting.
        assert_ok!(settle(datanet, 0, accept(100)));
    });
}

#[test]
fn the_right_to_contribute_is_earned_elsewhere() {
    on_chain(|| {
        let datanet = set_up();
        let admission = AdmissionPolicy::Points { least: 100 };
        assert_ok!(Datanets::set_admission(signed(OWNER), datanet, admission));
        GlobalPoints::set(vec![(ALICE, 99)]);
        assert_noop!(submit(ALICE, datanet, files(0..1, 30)), Error::<Test>::TooFewPoints);
        GlobalPoints::set(vec![(ALICE, 100)]);
        assert_ok!(submit(ALICE, datanet, files(0..1, 30)));
        // Or its owner lets somebody in.
        assert_noop!(submit(BOB, datanet, files(1..2, 30)), Error::<Test>::TooFewPoints);
        assert_ok!(Datanets::invite(signed(OWNER), datanet, BOB, true));
        assert_ok!(submit(BOB, datanet, files(1..2, 30)));
    });
}

#[test]
fn who_is_admitted_is_the_owner_s_to_say() {
    on_chain(|| {
        let datanet = set_up();
        let set = |who, admission| Datanets::set_admission(signed(who), datanet, admission);
        assert_noop!(set(ALICE, AdmissionPolicy::Invited), Error::<Test>::NotAuthorized);
        assert_noop!(set(OWNER, AdmissionPolicy::Open), Error::<Test>::SameAdmission);
        assert_noop!(
            Datanets::invite(signed(ALICE), datanet, ALICE, true),
            Error::<Test>::NotAuthorized
        );
        assert_noop!(
            Datanets::set_admission(signed(OWNER), datanet + 1, AdmissionPolicy::Invited),
            Error::<Test>::UnknownDatanet
        );
        assert_ok!(set(OWNER, AdmissionPolicy::Invited));
        assert_ok!(set(OWNER, AdmissionPolicy::Open));
        assert!(!Admissions::<Test>::contains_key(datanet), "what everybody has is not kept");
        assert_ok!(submit(ALICE, datanet, files(0..1, 30)));
    });
}

const ENTRY: Balance = OPEN / 100;

fn held(who: AccountId) -> Balance {
    use frame_support::traits::fungible::InspectHold;
    Balances::balance_on_hold(&HoldReason::Entry.into(), &who)
}

fn invite(datanet: u32, who: AccountId, invited: bool) {
    assert_ok!(Datanets::invite(signed(OWNER), datanet, who, invited));
}

fn bar(datanet: u32, who: AccountId) {
    assert_ok!(Datanets::bar(signed(OWNER), datanet, who, BarReason::Spam));
}

/// Invitations and bars grew for a fee alone, and stayed for ever.
#[test]
fn each_invitation_and_each_bar_has_a_deposit_that_comes_back_with_it() {
    on_chain(|| {
        let datanet = set_up();
        invite(datanet, ALICE, true);
        bar(datanet, BOB);
        bar(datanet, ALICE);
        assert_eq!((held(OWNER), Listed::<Test>::get(datanet).entries), (3 * ENTRY, 3));
        assert_ok!(Datanets::unbar(signed(OWNER), datanet, ALICE));
        invite(datanet, ALICE, false);
        assert_eq!((held(OWNER), Listed::<Test>::get(datanet).entries), (ENTRY, 1));
        assert_ok!(Datanets::unbar(signed(OWNER), datanet, BOB));
        assert_eq!(held(OWNER), 0);
        assert!(!Listed::<Test>::contains_key(datanet));
    });
}

#[test]
fn invitations_and_bars_are_bounded_together() {
    on_chain(|| {
        let datanet = set_up();
        MaxEntries::set(3);
        invite(datanet, ALICE, true);
        bar(datanet, ALICE);
        bar(datanet, BOB);
        assert_noop!(
            Datanets::bar(signed(OWNER), datanet, OWNER, BarReason::Spam),
            Error::<Test>::TooManyEntries
        );
        assert_noop!(
            Datanets::invite(signed(OWNER), datanet, BOB, true),
            Error::<Test>::TooManyEntries
        );
        assert_ok!(Datanets::unbar(signed(OWNER), datanet, BOB));
        invite(datanet, BOB, true);
    });
}

#[test]
fn entries_are_their_new_owner_s_to_hold() {
    on_chain(|| {
        let datanet = set_up();
        invite(datanet, BOB, true);
        bar(datanet, BOB);
        assert_ok!(Datanets::offer_ownership(signed(OWNER), datanet, Some(ALICE)));
        assert_ok!(Datanets::accept_ownership(signed(ALICE), datanet));
        assert_eq!((held(OWNER), held(ALICE)), (0, 2 * ENTRY));
        assert_ok!(Datanets::unbar(signed(ALICE), datanet, BOB));
        assert_eq!(held(ALICE), ENTRY);
    });
}

#[test]
fn anyone_clears_what_a_closed_datanet_leaves_behind_and_its_owner_has_the_deposits_back() {
    on_chain(|| {
        let datanet = set_up();
        let many = AccountId::from(MAX_CLEARED) + 5;
        (1_000..1_000 + many).for_each(|who| invite(datanet, who, true));
        (1_000..1_010).for_each(|who| bar(datanet, who));
        let clear = || Datanets::clear_entries(signed(BOB), datanet);
        assert_noop!(clear(), Error::<Test>::DatanetNotClosed);
        assert_ok!(Datanets::close(signed(OWNER), datanet));
        assert_noop!(
            Datanets::bar(signed(OWNER), datanet, ALICE, BarReason::Spam),
            Error::<Test>::DatanetClosed
        );
        let all = many as u32 + 10;
        assert_eq!(held(OWNER), Balance::from(all) * ENTRY);
        assert_eq!(clear().expect("cleared").pays_fee, frame_support::dispatch::Pays::No);
        let left = all - MAX_CLEARED;
        System::assert_last_event(
            Event::EntriesCleared { datanet, count: MAX_CLEARED, left }.into(),
        );
        assert_eq!(held(OWNER), Balance::from(left) * ENTRY);
        assert_ok!(clear());
        assert_eq!((held(OWNER), Listed::<Test>::iter().count()), (0, 0));
        assert_eq!(Invitations::<Test>::iter().count() + Bars::<Test>::iter().count(), 0);
        assert_noop!(clear(), Error::<Test>::NothingToClear);
        assert_noop!(
            Datanets::clear_entries(signed(BOB), datanet + 1),
            Error::<Test>::UnknownDatanet
        );
    });
}

/// An upgrade counts what was there; nothing is held for it, and nothing is lost by it.
#[test]
fn entries_of_before_deposits_are_counted() {
    use frame_support::traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion};
    on_chain(|| {
        let datanet = set_up();
        Invitations::<Test>::insert(datanet, ALICE, ());
        Invitations::<Test>::insert(datanet, BOB, ());
        StorageVersion::new(3).put::<Datanets>();
        pallet_datanets::migrations::ToV4::<Test>::on_runtime_upgrade();
        assert_eq!(Datanets::on_chain_storage_version(), 4);
        assert_eq!(Listed::<Test>::get(datanet).entries, 2);
        bar(datanet, BOB);
        invite(datanet, ALICE, false);
        assert_eq!(held(OWNER), ENTRY - ENTRY / 3);
        invite(datanet, BOB, false);
        assert_ok!(Datanets::unbar(signed(OWNER), datanet, BOB));
        assert_eq!(held(OWNER), 0);
    });
}
