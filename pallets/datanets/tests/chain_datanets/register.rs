use crate::mock::*;
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use openledger_primitives::{EXISTENTIAL_DEPOSIT, MILLISECONDS_PER_DAY, OPEN};
use pallet_datanets::{Error, Event, HoldReason, Quotas};
use sp_runtime::TokenError;

const WEEK: u64 = 7 * MILLISECONDS_PER_DAY;

#[test]
fn registering_holds_the_stake_once() {
    on_chain(|| {
        take_events();
        assert_ok!(Datanets::register(signed(ALICE)));
        assert_eq!(held(HoldReason::Contributor, ALICE), OPEN);
        assert_eq!(Balances::balance(&ALICE), 999 * OPEN);
        assert_eq!(
            take_events(),
            vec![Event::ContributorRegistered { contributor: ALICE, depositor: ALICE }]
        );
        assert_noop!(Datanets::register(signed(ALICE)), Error::<Test>::AlreadyRegistered);
        assert_noop!(
            Datanets::register_for(signed(SPONSOR), ALICE),
            Error::<Test>::AlreadyRegistered
        );
    });
}

#[test]
fn who_has_no_open_cannot_register_alone() {
    on_chain(|| {
        assert_noop!(Datanets::register(signed(NEWCOMER)), TokenError::FundsUnavailable);
    });
}

#[test]
fn a_sponsored_account_without_open_submits() {
    on_chain(|| {
        let datanet = create(None);
        assert_ok!(Datanets::register_for(signed(SPONSOR), NEWCOMER));
        assert_eq!(held(HoldReason::Contributor, SPONSOR), OPEN);
        assert_eq!(held(HoldReason::Contributor, NEWCOMER), 0);
        assert_eq!(Balances::total_balance(&NEWCOMER), EXISTENTIAL_DEPOSIT);
        assert_eq!(Balances::balance(&SPONSOR), 999 * OPEN - EXISTENTIAL_DEPOSIT);
        assert_eq!(contributor(NEWCOMER).depositor, SPONSOR);
        // A nonce, which its signature needs, is kept only for an account that something pays for.
        assert_eq!(System::providers(&NEWCOMER), 1);
        assert_ok!(submit(NEWCOMER, datanet, vec![file(1, 10)]));
    });
}

#[test]
fn a_sponsored_account_that_exists_is_given_nothing() {
    on_chain(|| {
        assert_ok!(Datanets::register_for(signed(SPONSOR), ALICE));
        assert_eq!(Balances::total_balance(&ALICE), 1_000 * OPEN);
        assert_eq!(Balances::balance(&SPONSOR), 999 * OPEN);
    });
}

#[test]
fn one_sponsor_pays_for_many_and_gets_each_stake_back() {
    on_chain(|| {
        assert_ok!(Datanets::register_for(signed(SPONSOR), NEWCOMER));
        assert_ok!(Datanets::register_for(signed(SPONSOR), NEWCOMER + 1));
        assert_eq!(held(HoldReason::Contributor, SPONSOR), 2 * OPEN);
        take_events();
        assert_ok!(Datanets::deregister(signed(SPONSOR), NEWCOMER));
        assert_eq!(held(HoldReason::Contributor, SPONSOR), OPEN);
        assert_eq!(
            take_events(),
            vec![Event::ContributorDeregistered { contributor: NEWCOMER, depositor: SPONSOR }]
        );
        // The contributor itself may end it too; the stake goes to who paid it.
        assert_ok!(Datanets::deregister(signed(NEWCOMER + 1), NEWCOMER + 1));
        assert_eq!(held(HoldReason::Contributor, SPONSOR), 0);
    });
}

#[test]
fn a_stranger_cannot_end_a_registration() {
    on_chain(|| {
        assert_ok!(Datanets::register(signed(ALICE)));
        assert_noop!(Datanets::deregister(signed(BOB), ALICE), Error::<Test>::NotAuthorized);
        assert_noop!(Datanets::deregister(signed(BOB), BOB), Error::<Test>::NotRegistered);
    });
}

#[test]
fn a_stake_returns_seven_days_after_the_last_submission_and_no_sooner() {
    on_chain(|| {
        let datanet = set_up();
        let submitted = Now::get();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        assert_ok!(settle(datanet, 1, reject()));
        for early in [submitted, submitted + WEEK - 1, submitted - 1] {
            Now::set(early);
            assert_noop!(Datanets::deregister(signed(ALICE), ALICE), Error::<Test>::HoldPeriod);
        }
        Now::set(submitted + WEEK);
        assert_ok!(Datanets::deregister(signed(ALICE), ALICE));
        assert_eq!(held(HoldReason::Contributor, ALICE), 0);
        assert!(!Quotas::<Test>::contains_key(ALICE));
        assert_noop!(submit(ALICE, datanet, vec![file(2, 10)]), Error::<Test>::NotRegistered);
    });
}

#[test]
fn a_stake_stays_while_a_file_waits_for_its_verdict() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10), file(2, 10)]));
        Now::mutate(|now| *now += WEEK);
        assert_noop!(Datanets::deregister(signed(ALICE), ALICE), Error::<Test>::HasPending);
        assert_ok!(settle(datanet, 1, accept(100)));
        assert_noop!(Datanets::deregister(signed(ALICE), ALICE), Error::<Test>::HasPending);
        assert_ok!(settle(datanet, 2, reject()));
        assert_ok!(Datanets::deregister(signed(ALICE), ALICE));
        // What was accepted stays hers.
        assert_eq!(Datanets::leaves(datanet, 0, 1)[0].leaf.contributor, ALICE);
    });
}

#[test]
fn a_clock_that_goes_backwards_shortens_no_hold() {
    on_chain(|| {
        let datanet = set_up();
        let late = Now::get();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        Now::set(late - MILLISECONDS_PER_DAY);
        assert_ok!(submit(ALICE, datanet, vec![file(2, 10)]));
        assert_eq!(contributor(ALICE).last_submission, Some(late));
    });
}

/// The audit's attack: a sponsored account submits week by week, and the sponsor's stake never returns.
#[test]
fn a_sponsors_stake_hangs_on_nobodys_will() {
    on_chain(|| {
        let datanet = create(None);
        assert_ok!(Datanets::register_for(signed(SPONSOR), NEWCOMER));
        assert_ok!(submit(NEWCOMER, datanet, vec![file(1, 10)]));
        for (who, contributor, error) in [
            (BOB, NEWCOMER, Error::<Test>::NotAuthorized),
            (NEWCOMER, NEWCOMER, Error::<Test>::NotAuthorized),
            (BOB, BOB, Error::<Test>::NotRegistered),
        ] {
            assert_noop!(Datanets::end_sponsorship(signed(who), contributor), error);
        }
        take_events();
        assert_ok!(Datanets::end_sponsorship(signed(SPONSOR), NEWCOMER));
        assert_eq!(
            take_events(),
            vec![Event::SponsorshipEnded { contributor: NEWCOMER, depositor: SPONSOR }]
        );
        assert_noop!(
            Datanets::end_sponsorship(signed(SPONSOR), NEWCOMER),
            Error::<Test>::AlreadyEnded
        );
        // Nothing more comes in, so the hold period runs out.
        assert_noop!(submit(NEWCOMER, datanet, vec![file(2, 10)]), Error::<Test>::SponsorshipEnded);
        assert_noop!(
            Datanets::precommit(signed(NEWCOMER), vec![Default::default()].try_into().unwrap()),
            Error::<Test>::SponsorshipEnded
        );
        // Two curators who disagree for ever hold nothing up either.
        later(7);
        assert_noop!(Datanets::deregister(signed(SPONSOR), NEWCOMER), Error::<Test>::HasPending);
        assert_ok!(Datanets::expire(signed(SPONSOR), datanet, hash(1)));
        assert_ok!(Datanets::deregister(signed(SPONSOR), NEWCOMER));
        assert_eq!(held(HoldReason::Contributor, SPONSOR), 0);
    });
}

#[test]
fn a_sponsored_contributor_takes_its_stake_over() {
    on_chain(|| {
        let datanet = create(None);
        assert_ok!(Datanets::register_for(signed(SPONSOR), ALICE));
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        assert_ok!(Datanets::end_sponsorship(signed(SPONSOR), ALICE));
        take_events();
        assert_ok!(Datanets::register(signed(ALICE)));
        assert_eq!(
            take_events(),
            vec![Event::ContributorRegistered { contributor: ALICE, depositor: ALICE }]
        );
        assert_eq!(held(HoldReason::Contributor, SPONSOR), 0);
        assert_eq!(held(HoldReason::Contributor, ALICE), OPEN);
        assert_eq!((contributor(ALICE).depositor, contributor(ALICE).pending), (ALICE, 1));
        assert_ok!(submit(ALICE, datanet, vec![file(2, 10)]));
        assert_noop!(Datanets::end_sponsorship(signed(ALICE), ALICE), Error::<Test>::NotSponsored);
        assert_noop!(Datanets::register(signed(ALICE)), Error::<Test>::AlreadyRegistered);
    });
}

#[test]
fn who_cannot_pay_takes_no_stake_over() {
    on_chain(|| {
        assert_ok!(Datanets::register_for(signed(SPONSOR), NEWCOMER));
        assert_noop!(Datanets::register(signed(NEWCOMER)), TokenError::FundsUnavailable);
        assert_eq!(held(HoldReason::Contributor, SPONSOR), OPEN);
    });
}
