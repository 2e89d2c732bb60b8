//! Of whom a Datanet takes files.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::AdmissionPolicy;
use pallet_datanets::{Admissions, Error};

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
