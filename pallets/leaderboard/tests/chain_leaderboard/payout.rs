//! Claims of several Datanets at once, and where they are paid.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use openledger_primitives::EXISTENTIAL_DEPOSIT;
use pallet_leaderboard::{Error, Event, HoldReason, Payouts};
use sp_runtime::DispatchResult;

fn set_payout(who: AccountId, account: AccountId, to: AccountId) -> DispatchResult {
    Leaderboard::set_payout(RuntimeOrigin::signed(who), account, to)
}

fn claim_many(datanets: &[u32], account: AccountId) -> DispatchResult {
    let datanets = datanets.to_vec().try_into().expect("at most 20");
    done(Leaderboard::claim_many(RuntimeOrigin::signed(OWNER), datanets, account))
}

fn held(account: AccountId) -> u128 {
    Balances::balance_on_hold(&HoldReason::Payout.into(), &account)
}

#[test]
fn one_call_claims_from_several_datanets() {
    run(|| {
        for datanet in 0..3 {
            fund(datanet, 10_000, Some(terms(100, 1_000)));
            accepted(datanet, ALICE, 1);
        }
        go_to_period(1);
        let before = Balances::free_balance(ALICE);
        assert_ok!(claim_many(&[0, 2, 2, 9], ALICE));
        assert_eq!(Balances::free_balance(ALICE) - before, 200);
        for datanet in [0, 2] {
            System::assert_has_event(
                Event::Claimed { datanet, account: ALICE, amount: 100 }.into(),
            );
        }
        assert_noop!(claim_many(&[0, 2], ALICE), Error::<Test>::NothingToClaim);
        assert_noop!(claim_many(&[], ALICE), Error::<Test>::NothingToClaim);
        assert_eq!(claim(1, ALICE), Ok(100));
    });
}

#[test]
fn amounts_too_small_by_themselves_are_paid_together() {
    run(|| {
        let half = EXISTENTIAL_DEPOSIT / 2;
        for datanet in 0..2 {
            fund(datanet, 2 * half, Some(terms(half, half)));
            accepted(datanet, NEWCOMER, 1);
        }
        go_to_period(1);
        assert_noop!(claim(0, NEWCOMER), Error::<Test>::BelowExistentialDeposit);
        assert_ok!(claim_many(&[0, 1], NEWCOMER));
        assert_eq!(Balances::free_balance(NEWCOMER), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn rewards_go_to_the_payout_account() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 1_000)));
        accepted(0, ALICE, 1);
        assert_ok!(set_payout(ALICE, ALICE, BOB));
        System::assert_last_event(Event::PayoutSet { account: ALICE, to: BOB, from: 1 }.into());
        assert_eq!(held(ALICE), DEPOSIT);
        go_to_period(1);
        let before = Balances::free_balance(BOB);
        assert_eq!(claim(0, ALICE), Ok(0));
        assert_eq!(Balances::free_balance(BOB) - before, 100);
        System::assert_last_event(Event::PaidOut { account: ALICE, to: BOB, amount: 100 }.into());
        // The rank is the identity's.
        assert_eq!(ranks(0), [ALICE]);
    });
}

#[test]
fn who_gets_the_rewards_hands_them_on_at_once_and_the_identity_only_after_the_notice() {
    run(|| {
        assert_ok!(set_payout(ALICE, ALICE, BOB));
        // A thief with the identity's key.
        assert_ok!(set_payout(ALICE, ALICE, 9));
        System::assert_last_event(Event::PayoutSet { account: ALICE, to: 9, from: 76 }.into());
        assert_eq!(Leaderboard::payee(&ALICE), BOB);
        // The payout account calls it off, or goes on to another one.
        assert_ok!(set_payout(BOB, ALICE, BOB));
        System::set_block_number(100);
        assert_eq!(Leaderboard::payee(&ALICE), BOB);
        assert_ok!(set_payout(BOB, ALICE, CAROL));
        assert_eq!(Leaderboard::payee(&ALICE), CAROL);
        assert_noop!(set_payout(BOB, ALICE, BOB), Error::<Test>::NotThePayee);
        assert_noop!(set_payout(CAROL, ALICE, CAROL), Error::<Test>::SamePayout);
        // A lost payout account is left behind.
        assert_ok!(set_payout(ALICE, ALICE, BOB));
        System::set_block_number(174);
        assert_eq!(Leaderboard::payee(&ALICE), CAROL);
        System::set_block_number(175);
        assert_eq!(Leaderboard::payee(&ALICE), BOB);
        assert_eq!(held(ALICE), DEPOSIT);
    });
}

#[test]
fn the_deposit_returns_with_the_rewards() {
    run(|| {
        assert_noop!(set_payout(ALICE, ALICE, ALICE), Error::<Test>::SamePayout);
        assert_noop!(set_payout(BOB, ALICE, BOB), Error::<Test>::NotThePayee);
        assert_ok!(set_payout(ALICE, ALICE, BOB));
        assert_ok!(set_payout(BOB, ALICE, ALICE));
        assert_eq!((held(ALICE), Payouts::<Test>::iter().count()), (0, 0));
        // By the identity alone: after the notice, and with a second word for the deposit.
        assert_ok!(set_payout(ALICE, ALICE, BOB));
        assert_ok!(set_payout(ALICE, ALICE, ALICE));
        assert_eq!(held(ALICE), DEPOSIT);
        System::set_block_number(200);
        assert_eq!(Leaderboard::payee(&ALICE), ALICE);
        assert_ok!(set_payout(ALICE, ALICE, ALICE));
        assert_eq!((held(ALICE), Payouts::<Test>::iter().count()), (0, 0));
    });
}

#[test]
fn who_cannot_pay_the_deposit_sets_no_payout_account() {
    run(|| {
        assert!(set_payout(NEWCOMER, NEWCOMER, BOB).is_err());
    });
}

#[test]
fn a_claim_of_several_ends_the_periods_of_those_that_owe_nothing_too() {
    run(|| {
        for datanet in 0..2 {
            fund(datanet, 10_000, Some(terms(100, 1_000)));
            accepted(datanet, ALICE, 1);
        }
        accepted(1, BOB, 1);
        assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 1, terms(101, 1_000)));
        assert_ok!(Leaderboard::leave(RuntimeOrigin::signed(FUNDER), 1, 5_000));
        go_to_period(1);
        assert_ok!(claim(1, ALICE));
        go_to_period(2);
        // Nothing is owed to ALICE in 1 any more, whose period ends with this call all the same.
        assert_ok!(Leaderboard::leave(RuntimeOrigin::signed(FUNDER), 1, 1_000));
        go_to_period(3);
        assert_ok!(claim_many(&[1, 0], ALICE));
        assert_ok!(Leaderboard::do_try_state());
        go_to_period(4);
        assert_ok!(Leaderboard::withdraw(RuntimeOrigin::signed(OWNER), 1, FUNDER));
    });
}

#[test]
fn rewards_do_not_go_back_into_the_pot() {
    run(|| {
        let pot = Leaderboard::pot();
        assert_noop!(set_payout(ALICE, ALICE, pot), Error::<Test>::PayoutToPot);
    });
}
