//! Who pays in, under which terms.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::EXISTENTIAL_DEPOSIT;
use pallet_leaderboard::{Error, Event};
use sp_runtime::{DispatchError, TokenError};

fn funded_by(
    who: AccountId,
    datanet: u32,
    amount: u128,
    terms: Option<openledger_primitives::RewardTerms>,
) -> sp_runtime::DispatchResult {
    Leaderboard::fund(RuntimeOrigin::signed(who), datanet, amount, terms)
}

#[test]
fn the_first_funding_brings_terms() {
    run(|| {
        assert_noop!(funded_by(FUNDER, 0, MINIMUM, None), Error::<Test>::TermsRequired);
        assert_ok!(funded_by(FUNDER, 0, MINIMUM, Some(terms(7, 3))));
        let pool = Leaderboard::pool(0).expect("funded");
        assert_eq!((pool.total_in, pool.available, pool.terms), (MINIMUM, MINIMUM, terms(7, 3)));
        System::assert_has_event(
            Event::TermsSet { datanet: 0, per_period: 7, max_per_point: 3 }.into(),
        );
        System::assert_last_event(
            Event::Funded { datanet: 0, who: FUNDER, amount: MINIMUM }.into(),
        );
        assert_eq!(Balances::free_balance(FUNDER), RICH - MINIMUM);
        assert_eq!(Balances::free_balance(Leaderboard::pot()), EXISTENTIAL_DEPOSIT + MINIMUM);
    });
}

#[test]
fn the_first_funding_of_a_datanet_with_points_brings_terms_too() {
    run(|| {
        accepted(0, ALICE, 5);
        assert_noop!(funded_by(FUNDER, 0, MINIMUM, None), Error::<Test>::TermsRequired);
        assert_ok!(funded_by(FUNDER, 0, MINIMUM, Some(terms(7, 3))));
    });
}

#[test]
fn a_later_funding_takes_the_terms_as_they_are_or_names_them() {
    run(|| {
        fund(0, MINIMUM, Some(terms(7, 3)));
        assert_ok!(funded_by(ALICE, 0, MINIMUM, None));
        assert_ok!(funded_by(ALICE, 0, MINIMUM, Some(terms(7, 3))));
        for other in [terms(8, 3), terms(7, 4), terms(0, 0)] {
            assert_noop!(funded_by(ALICE, 0, MINIMUM, Some(other)), Error::<Test>::TermsDiffer);
        }
        assert_eq!(Leaderboard::pool(0).expect("funded").total_in, 3 * MINIMUM);
    });
}

#[test]
fn terms_that_never_pay_are_refused() {
    run(|| {
        for zero in [terms(0, 3), terms(7, 0), terms(0, 0)] {
            assert_noop!(funded_by(FUNDER, 0, MINIMUM, Some(zero)), Error::<Test>::ZeroTerms);
            assert_noop!(
                Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, zero),
                Error::<Test>::ZeroTerms
            );
        }
    });
}

#[test]
fn less_than_the_minimum_is_refused() {
    run(|| {
        assert_noop!(
            funded_by(FUNDER, 0, MINIMUM - 1, Some(terms(7, 3))),
            Error::<Test>::BelowMinimumFunding
        );
    });
}

#[test]
fn a_datanet_that_does_not_exist_cannot_be_funded() {
    run(|| {
        assert_noop!(
            funded_by(FUNDER, 3, MINIMUM, Some(terms(7, 3))),
            Error::<Test>::UnknownDatanet
        );
        assert_noop!(
            Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 3, terms(7, 3)),
            Error::<Test>::UnknownDatanet
        );
    });
}

#[test]
fn nobody_funds_more_than_leaves_it_alive() {
    run(|| {
        assert_noop!(
            funded_by(FUNDER, 0, RICH + 1, Some(terms(7, 3))),
            TokenError::FundsUnavailable
        );
        assert!(funded_by(FUNDER, 0, RICH - EXISTENTIAL_DEPOSIT + 1, Some(terms(7, 3))).is_err());
        assert_ok!(funded_by(FUNDER, 0, RICH - EXISTENTIAL_DEPOSIT, Some(terms(7, 3))));
    });
}

#[test]
fn calls_have_to_be_signed() {
    run(|| {
        let none = RuntimeOrigin::none;
        assert_noop!(
            Leaderboard::fund(none(), 0, MINIMUM, Some(terms(7, 3))),
            DispatchError::BadOrigin
        );
        assert_noop!(Leaderboard::set_terms(none(), 0, terms(7, 3)), DispatchError::BadOrigin);
        assert_noop!(Leaderboard::claim(none(), 0, ALICE), DispatchError::BadOrigin);
    });
}

#[test]
fn only_the_datanets_owner_changes_terms() {
    run(|| {
        fund(0, MINIMUM, Some(terms(7, 3)));
        assert_noop!(
            Leaderboard::set_terms(RuntimeOrigin::signed(FUNDER), 0, terms(9, 9)),
            Error::<Test>::NotTheOwner
        );
        assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, terms(9, 9)));
        assert_eq!(Leaderboard::pool(0).expect("funded").terms, terms(9, 9));
        assert_noop!(funded_by(FUNDER, 0, MINIMUM, Some(terms(7, 3))), Error::<Test>::TermsDiffer);
    });
}

#[test]
fn an_owner_may_set_terms_before_anyone_funds() {
    run(|| {
        assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, terms(9, 9)));
        assert_ok!(funded_by(FUNDER, 0, MINIMUM, None));
    });
}
