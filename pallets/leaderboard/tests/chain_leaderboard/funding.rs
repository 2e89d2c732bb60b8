//! Who pays in, under which rules.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{Balance, PoolRules, RewardTerms, EXISTENTIAL_DEPOSIT};
use pallet_leaderboard::{Error, Event};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, TokenError};

fn funded_by(who: AccountId, datanet: u32, amount: Balance, rules: PoolRules) -> DispatchResult {
    done(Leaderboard::fund(RuntimeOrigin::signed(who), datanet, amount, rules))
}

fn set_terms(who: AccountId, datanet: u32, terms: RewardTerms) -> DispatchResult {
    done(Leaderboard::set_terms(RuntimeOrigin::signed(who), datanet, terms))
}

/// Datanet 0 with terms and nothing in its pool.
fn with_terms() -> PoolRules {
    assert_ok!(set_terms(OWNER, 0, terms(7, 3)));
    rules(0)
}

#[test]
fn a_strangers_first_payment_brings_no_terms() {
    run(|| {
        let rules = PoolRules {
            terms: terms(u128::MAX, u128::MAX),
            policy: H256::repeat_byte(1),
            ..PoolRules::default()
        };
        assert_noop!(funded_by(FUNDER, 0, MINIMUM, rules), Error::<Test>::TermsRequired);
        // Points do not make it so either.
        accepted(0, ALICE, 5);
        assert_noop!(funded_by(FUNDER, 0, MINIMUM, rules), Error::<Test>::TermsRequired);
        assert_ok!(set_terms(OWNER, 0, terms(7, 3)));
        assert_noop!(funded_by(FUNDER, 0, MINIMUM, rules), Error::<Test>::TermsDiffer);
    });
}

#[test]
fn a_payment_under_the_rules_as_they_are_is_taken() {
    run(|| {
        let rules = with_terms();
        assert_ok!(funded_by(FUNDER, 0, MINIMUM, rules));
        let pool = Leaderboard::pool(0).expect("funded");
        assert_eq!((pool.total_in, pool.available, pool.terms), (MINIMUM, MINIMUM, terms(7, 3)));
        System::assert_last_event(
            Event::Funded { datanet: 0, who: FUNDER, amount: MINIMUM }.into(),
        );
        assert_eq!(Balances::free_balance(FUNDER), RICH - MINIMUM);
        assert_eq!(Balances::free_balance(Leaderboard::pot()), EXISTENTIAL_DEPOSIT + MINIMUM);
        let share = Leaderboard::share_view(0, &FUNDER).expect("a funder");
        assert_eq!((share.shares, share.worth), (MINIMUM, MINIMUM));
    });
}

#[test]
fn a_payment_under_any_other_rules_is_refused() {
    run(|| {
        let rules = with_terms();
        assert_ok!(funded_by(FUNDER, 0, MINIMUM, rules));
        for other in [terms(8, 3), terms(7, 4), terms(0, 0)] {
            let rules = PoolRules { terms: other, ..rules };
            assert_noop!(funded_by(ALICE, 0, MINIMUM, rules), Error::<Test>::TermsDiffer);
        }
        let waits = PoolRules { next_terms: Some(terms(8, 3)), ..rules };
        assert_noop!(funded_by(ALICE, 0, MINIMUM, waits), Error::<Test>::TermsDiffer);
        for rules in [
            PoolRules { policy: H256::repeat_byte(2), ..rules },
            PoolRules { next_policy: Some(H256::repeat_byte(2)), ..rules },
        ] {
            assert_noop!(funded_by(ALICE, 0, MINIMUM, rules), Error::<Test>::PolicyDiffers);
        }
        assert_eq!(Leaderboard::pool(0).expect("funded").total_in, MINIMUM);
    });
}

#[test]
fn a_change_that_waits_has_to_be_named() {
    run(|| {
        let seen = with_terms();
        assert_ok!(funded_by(FUNDER, 0, MINIMUM, seen));
        // What an owner could slip in before a payment that was signed already.
        assert_ok!(set_terms(OWNER, 0, terms(1_000_000, 3)));
        assert_noop!(funded_by(ALICE, 0, MINIMUM, seen), Error::<Test>::TermsDiffer);
        let seen = PoolRules { next_terms: Some(terms(1_000_000, 3)), ..seen };
        assert_eq!(rules(0), seen);
        assert_ok!(funded_by(ALICE, 0, MINIMUM, seen));
        NextPolicy::set(Some(H256::repeat_byte(9)));
        assert_noop!(funded_by(ALICE, 0, MINIMUM, seen), Error::<Test>::PolicyDiffers);
        assert_ok!(funded_by(
            ALICE,
            0,
            MINIMUM,
            PoolRules { next_policy: Some(H256::repeat_byte(9)), ..seen }
        ));
    });
}

#[test]
fn terms_that_never_pay_are_refused() {
    run(|| {
        for zero in [terms(0, 3), terms(7, 0), terms(0, 0)] {
            assert_noop!(set_terms(OWNER, 0, zero), Error::<Test>::ZeroTerms);
        }
    });
}

#[test]
fn less_than_the_minimum_is_refused() {
    run(|| {
        let rules = with_terms();
        assert_noop!(funded_by(FUNDER, 0, MINIMUM - 1, rules), Error::<Test>::BelowMinimumFunding);
    });
}

#[test]
fn a_datanet_that_does_not_exist_cannot_be_funded() {
    run(|| {
        let rules = with_terms();
        assert_noop!(funded_by(FUNDER, 3, MINIMUM, rules), Error::<Test>::UnknownDatanet);
        assert_noop!(set_terms(OWNER, 3, terms(7, 3)), Error::<Test>::UnknownDatanet);
    });
}

#[test]
fn a_closed_datanet_cannot_be_funded() {
    run(|| {
        let rules = with_terms();
        Closed::set(vec![0]);
        assert_noop!(funded_by(FUNDER, 0, MINIMUM, rules), Error::<Test>::DatanetClosed);
        assert_noop!(set_terms(OWNER, 0, terms(8, 3)), Error::<Test>::DatanetClosed);
    });
}

#[test]
fn nobody_funds_more_than_leaves_it_alive() {
    run(|| {
        let rules = with_terms();
        assert_noop!(funded_by(FUNDER, 0, RICH + 1, rules), TokenError::FundsUnavailable);
        assert!(funded_by(FUNDER, 0, RICH - EXISTENTIAL_DEPOSIT + 1, rules).is_err());
        assert_ok!(funded_by(FUNDER, 0, RICH - EXISTENTIAL_DEPOSIT, rules));
    });
}

#[test]
fn calls_have_to_be_signed() {
    run(|| {
        let none = RuntimeOrigin::none;
        let rules = with_terms();
        assert_noop!(Leaderboard::fund(none(), 0, MINIMUM, rules), DispatchError::BadOrigin);
        assert_noop!(Leaderboard::set_terms(none(), 0, terms(7, 4)), DispatchError::BadOrigin);
        assert_noop!(Leaderboard::claim(none(), 0, ALICE), DispatchError::BadOrigin);
        let some = vec![0].try_into().expect("few");
        assert_noop!(Leaderboard::claim_many(none(), some, ALICE), DispatchError::BadOrigin);
        assert_noop!(Leaderboard::leave(none(), 0, 1), DispatchError::BadOrigin);
        assert_noop!(Leaderboard::withdraw(none(), 0, ALICE), DispatchError::BadOrigin);
        assert_noop!(Leaderboard::recover(none(), 0), DispatchError::BadOrigin);
        assert_noop!(Leaderboard::set_payout(none(), ALICE, BOB), DispatchError::BadOrigin);
    });
}

#[test]
fn only_the_datanets_owner_sets_terms() {
    run(|| {
        assert_noop!(set_terms(FUNDER, 0, terms(9, 9)), Error::<Test>::NotTheOwner);
        assert_ok!(set_terms(OWNER, 0, terms(9, 9)));
        System::assert_last_event(
            Event::TermsSet { datanet: 0, per_period: 9, max_per_point: 9 }.into(),
        );
        assert_noop!(set_terms(FUNDER, 0, terms(7, 3)), Error::<Test>::NotTheOwner);
    });
}

#[test]
fn an_empty_pool_takes_other_terms_at_once() {
    run(|| {
        assert_ok!(set_terms(OWNER, 0, terms(9, 9)));
        assert_noop!(set_terms(OWNER, 0, terms(9, 9)), Error::<Test>::SameTerms);
        assert_ok!(set_terms(OWNER, 0, terms(10, 9)));
        assert_eq!(rules(0).terms, terms(10, 9));
    });
}
