//! Funders leave, and nobody pays for it.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{Balance, Funds, Shares, WayOut, EXISTENTIAL_DEPOSIT};
use pallet_leaderboard::{
    migrations::{ExitV2, FundsV2, ShareV2, ToV3},
    Error, Event, Exits, FunderShares, PoolFunds, Pools,
};
use sp_runtime::{DispatchError, DispatchResult};

const OTHER: AccountId = 7;

fn leave(who: AccountId, shares: Shares) -> DispatchResult {
    done(Leaderboard::leave(RuntimeOrigin::signed(who), 0, shares))
}

/// Withdraws, signed by somebody else, and returns what the funder got.
fn withdraw(who: AccountId) -> Result<Balance, DispatchError> {
    let before = Balances::free_balance(who);
    done(Leaderboard::withdraw(RuntimeOrigin::signed(OWNER), 0, who))?;
    Ok(Balances::free_balance(who) - before)
}

/// Opens the way out by terms that wait.
fn loosen() {
    let now = rules(0).terms;
    let looser = terms(now.per_period + 1, now.max_per_point);
    assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), 0, looser));
}

fn shares_of(who: AccountId) -> Shares {
    Leaderboard::share_view(0, &who).map_or(0, |share| share.shares)
}

#[test]
fn what_the_running_period_pays_comes_first_and_the_rest_goes_by_shares() {
    run(|| {
        fund(0, 6_000, Some(terms(900, 1_000)));
        fund_by(OTHER, 0, 3_000);
        accepted(0, ALICE, 2);
        loosen();
        assert_ok!(leave(FUNDER, 6_000));
        System::assert_last_event(
            Event::SharesLeave { datanet: 0, who: FUNDER, shares: 6_000, period: 0 }.into(),
        );
        assert_noop!(withdraw(FUNDER), Error::<Test>::NothingToWithdraw);
        // Also what is earned after they said so.
        accepted(0, BOB, 1);
        go_to_period(1);
        assert_eq!(withdraw(FUNDER), Ok(5_400));
        System::assert_last_event(
            Event::Withdrawn { datanet: 0, account: FUNDER, amount: 5_400 }.into(),
        );
        assert_eq!(claim(0, ALICE), Ok(600));
        assert_eq!(claim(0, BOB), Ok(300));
        let view = Leaderboard::pool_view(0).expect("a pool");
        assert_eq!((view.available, view.shares, view.returned), (2_700, 3_000, 5_400));
        assert_noop!(withdraw(FUNDER), Error::<Test>::NothingToWithdraw);
        assert_eq!(Exits::<Test>::iter().count(), 0);
        assert!(!FunderShares::<Test>::contains_key(0, FUNDER));
    });
}

#[test]
fn the_audits_owner_finds_an_empty_pool() {
    run(|| {
        fund(0, 1_000_000, Some(terms(10_000, 1_000)));
        // One batch: terms to the maximum, a curator of its own, one vote on a file of a byte.
        assert_ok!(Leaderboard::set_terms(
            RuntimeOrigin::signed(OWNER),
            0,
            terms(u128::MAX, u128::MAX)
        ));
        accepted(0, OWNER, 300);
        assert_eq!(Leaderboard::pool_view(0).and_then(|view| view.way_out), Some(WayOut::Terms));
        go_to_period(1);
        let least = claim(0, OWNER).expect("a period's worth");
        assert!(least <= 10_000, "{least}");
        assert_ok!(leave(FUNDER, shares_of(FUNDER)));
        go_to_period(2);
        assert_eq!(withdraw(FUNDER), Ok(1_000_000 - least));
        accepted(0, OWNER, 300);
        go_to_period(30);
        accepted(0, OWNER, 300);
        go_to_period(31);
        assert_noop!(claim(0, OWNER), Error::<Test>::NothingToClaim);
    });
}

#[test]
fn terms_that_let_a_period_take_everything_let_funders_go_all_the_same() {
    run(|| {
        fund(0, 5_000, Some(terms(u128::MAX, 10)));
        NextPolicy::set(Some(Default::default()));
        accepted(0, ALICE, 100);
        assert_ok!(leave(FUNDER, 5_000));
        go_to_period(1);
        assert_eq!(withdraw(FUNDER), Ok(4_000));
        assert_eq!(claim(0, ALICE), Ok(1_000));
    });
}

#[test]
fn who_leaves_later_or_not_at_all_loses_nothing_by_it() {
    run(|| {
        fund(0, 1_000_000, Some(terms(1, 1)));
        fund_by(OTHER, 0, 500_000);
        loosen();
        assert_ok!(leave(FUNDER, 300_000));
        assert_ok!(leave(FUNDER, 200_000));
        go_to_period(1);
        assert_ok!(leave(FUNDER, 500_000));
        assert_ok!(leave(OTHER, 250_000));
        assert_eq!(withdraw(FUNDER), Ok(500_000));
        go_to_period(2);
        assert_eq!(withdraw(OTHER), Ok(250_000));
        assert_eq!(withdraw(FUNDER), Ok(500_000));
        let share = Leaderboard::share_view(0, &OTHER).expect("a funder");
        assert_eq!((share.shares, share.worth, share.leaving, share.due), (250_000, 250_000, 0, 0));
    });
}

#[test]
fn rounding_stays_in_the_pool() {
    run(|| {
        fund(0, 1_000, Some(terms(1, 1)));
        fund_by(OTHER, 0, 2_000);
        accepted(0, ALICE, 1);
        loosen();
        go_to_period(1);
        // 2,999 plancks for 3,000 shares.
        fund_by(CAROL, 0, 1_000);
        assert_eq!(shares_of(CAROL), 1_000);
        for who in [FUNDER, CAROL] {
            assert_ok!(leave(who, 1_000));
        }
        go_to_period(2);
        // 3,999 × 2,000 ÷ 4,000 is 1,999 and a half; the half stays.
        assert_eq!(withdraw(FUNDER), Ok(999));
        assert_eq!(withdraw(CAROL), Ok(1_000));
        let view = Leaderboard::pool_view(0).expect("a pool");
        assert_eq!((view.available, view.shares, view.returning), (2_000, 2_000, 0));
    });
}

#[test]
fn nobody_lets_more_leave_than_it_holds() {
    run(|| {
        fund(0, 1_000, Some(terms(1, 1)));
        loosen();
        for (who, shares) in [(FUNDER, 1_001), (FUNDER, 0), (FUNDER, u128::MAX), (OTHER, 1)] {
            assert_noop!(leave(who, shares), Error::<Test>::NotEnoughShares);
        }
        assert_ok!(leave(FUNDER, 600));
        assert_noop!(leave(FUNDER, 401), Error::<Test>::NotEnoughShares);
        assert_noop!(
            Leaderboard::leave(RuntimeOrigin::signed(FUNDER), 1, 1),
            Error::<Test>::NotEnoughShares
        );
    });
}

#[test]
fn nobody_leaves_without_a_reason() {
    run(|| {
        fund(0, 1_000, Some(terms(1, 1)));
        assert_noop!(leave(FUNDER, 1_000), Error::<Test>::NoWayOut);
        accepted(0, ALICE, 1);
        go_to_period(20);
        assert_noop!(leave(FUNDER, 999), Error::<Test>::NoWayOut);
    });
}

#[test]
fn funders_of_a_closed_datanet_leave() {
    run(|| {
        fund(0, 1_000, Some(terms(100, 100)));
        accepted(0, ALICE, 1);
        Closed::set(vec![0]);
        assert_ok!(leave(FUNDER, 1_000));
        go_to_period(1);
        assert_eq!((withdraw(FUNDER), claim(0, ALICE)), (Ok(900), Ok(100)));
    });
}

#[test]
fn funders_of_a_dead_pool_leave_and_points_bring_it_back_to_life() {
    run(|| {
        fund(0, 1_000, Some(terms(100, 100)));
        go_to_period(29);
        assert_noop!(leave(FUNDER, 1), Error::<Test>::NoWayOut);
        go_to_period(30);
        assert_eq!(Leaderboard::pool_view(0).and_then(|view| view.way_out), Some(WayOut::Dead));
        assert_ok!(leave(FUNDER, 500));
        accepted(0, ALICE, 1);
        assert_noop!(leave(FUNDER, 1), Error::<Test>::NoWayOut);
        go_to_period(31);
        assert_noop!(leave(FUNDER, 1), Error::<Test>::NoWayOut);
        assert_eq!((claim(0, ALICE), withdraw(FUNDER)), (Ok(100), Ok(450)));
        go_to_period(60);
        assert_ok!(leave(FUNDER, 1));
    });
}

#[test]
fn shares_of_a_pool_that_was_paid_out_are_void_when_it_is_funded_again() {
    run(|| {
        fund(0, 1_000, Some(terms(1_000, 1_000)));
        accepted(0, ALICE, 1);
        go_to_period(1);
        fund_by(OTHER, 0, 3_000);
        assert_eq!(shares_of(FUNDER), 0);
        assert_eq!(shares_of(OTHER), 3_000);
        Closed::set(vec![0]);
        assert_noop!(leave(FUNDER, 1), Error::<Test>::NotEnoughShares);
        assert_ok!(leave(OTHER, 3_000));
        go_to_period(2);
        assert_eq!(withdraw(OTHER), Ok(3_000));
        assert_eq!(claim(0, ALICE), Ok(1_000));
    });
}

#[test]
fn shares_that_leave_a_pool_paid_out_and_funded_again_meanwhile_bring_nothing() {
    run(|| {
        fund(0, 1_000, Some(terms(1_000, 1_000)));
        accepted(0, ALICE, 1);
        NextPolicy::set(Some(Default::default()));
        go_to_period(1);
        assert_ok!(leave(FUNDER, 400));
        fund_by(OTHER, 0, 5_000);
        assert_ok!(leave(OTHER, 1_000));
        go_to_period(2);
        assert_noop!(withdraw(FUNDER), Error::<Test>::NothingToWithdraw);
        assert_eq!(withdraw(OTHER), Ok(1_000));
    });
}

#[test]
fn what_is_nobodys_goes_to_the_treasury_when_the_pool_has_ended() {
    run(|| {
        fund(0, 1_000, Some(terms(1, 1)));
        // As the upgrade leaves what was paid in before shares were counted.
        let pool = Pools::<Test>::get(0).expect("funded");
        FunderShares::<Test>::remove(0, FUNDER);
        PoolFunds::<Test>::insert(0, Funds::unowned(pool.available, 0));
        fund_by(OTHER, 0, 3_000);
        let recover = || Leaderboard::recover(RuntimeOrigin::signed(CAROL), 0);
        assert_noop!(recover(), Error::<Test>::NoWayOut);
        NextPolicy::set(Some(Default::default()));
        assert_noop!(recover(), Error::<Test>::NoWayOut);
        go_to_period(30);
        assert_ok!(recover());
        assert_noop!(recover(), Error::<Test>::NothingToRecover);
        go_to_period(31);
        assert_eq!(withdraw(TREASURY), Ok(1_000));
        let view = Leaderboard::pool_view(0).expect("a pool");
        assert_eq!((view.available, view.shares, view.unowned), (3_000, 3_000, 0));
    });
}

#[test]
fn what_cannot_be_paid_stays_due() {
    run(|| {
        fund(0, EXISTENTIAL_DEPOSIT / 2, Some(terms(1, 1)));
        loosen();
        assert_ok!(leave(FUNDER, EXISTENTIAL_DEPOSIT / 2));
        go_to_period(1);
        assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(FUNDER), OTHER, false));
        assert_noop!(withdraw(FUNDER), Error::<Test>::BelowExistentialDeposit);
        assert_eq!(
            Leaderboard::share_view(0, &FUNDER).map(|share| share.due),
            Some(EXISTENTIAL_DEPOSIT / 2)
        );
    });
}

#[test]
fn what_is_read_is_what_happens() {
    run(|| {
        fund(0, 10_000, Some(terms(100, 100)));
        fund_by(OTHER, 0, 1_777);
        accepted(0, ALICE, 3);
        loosen();
        assert_ok!(leave(OTHER, 300));
        go_to_period(3);
        frame_support::assert_storage_noop!({
            let share = Leaderboard::share_view(0, &OTHER).expect("a funder");
            assert_eq!((share.shares, share.leaving, share.due), (1_477, 0, 297));
            assert_eq!(share.worth, 1_464);
        });
        assert_eq!(withdraw(OTHER), Ok(297));
    });
}

/// An upgrade finds shares that stay, leave and have left, and all of them bring what they would have brought.
#[test]
fn shares_of_before_an_upgrade_bring_what_they_would_have_brought() {
    use codec::Encode;
    use frame_support::traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion};
    run(|| {
        fund(0, 10_000, Some(terms(100, 100)));
        fund_by(OTHER, 0, 2_000);
        fund_by(CAROL, 0, 6_000);
        loosen();
        assert_ok!(leave(FUNDER, 4_000));
        assert_ok!(leave(OTHER, 500));
        go_to_period(1);
        // Counts the batch in which both left, of which one is counted out.
        assert_eq!(withdraw(OTHER), Ok(500));
        assert_ok!(leave(CAROL, 3_000));
        let (funds, exit) = (PoolFunds::<Test>::get(0), Exits::<Test>::get(0, 0));
        let (funds, exit) = (funds.expect("funded"), exit.expect("one is left"));
        let shares: Vec<_> = FunderShares::<Test>::iter().collect();
        // As runtime 103 stored them.
        let put = |key: Vec<u8>, value: Vec<u8>| sp_io::storage::set(&key, &value);
        let old = FundsV2 {
            shares: funds.shares,
            unowned: funds.unowned,
            leaving: funds.leaving,
            batch: funds.batch,
            generation: funds.generation,
            returning: funds.returning,
            returned: funds.returned,
            active: funds.active,
        };
        put(PoolFunds::<Test>::hashed_key_for(0), old.encode());
        let old = ExitV2 { shares: exit.shares, amount: exit.amount };
        put(Exits::<Test>::hashed_key_for(0, 0), old.encode());
        for (datanet, who, share) in &shares {
            let old = ShareV2 {
                generation: share.generation,
                shares: share.shares,
                leaving: share.leaving,
                batch: share.batch,
                due: share.due,
            };
            put(FunderShares::<Test>::hashed_key_for(datanet, who), old.encode());
        }
        assert_eq!(PoolFunds::<Test>::get(0), None, "today's runtime cannot read it");
        StorageVersion::new(2).put::<Leaderboard>();
        ToV3::<Test>::on_runtime_upgrade();
        assert_eq!(Leaderboard::on_chain_storage_version(), 3);
        assert_eq!(PoolFunds::<Test>::get(0), Some(funds));
        assert_eq!(Exits::<Test>::get(0, 0), Some(exit));
        assert_eq!(FunderShares::<Test>::iter().collect::<Vec<_>>(), shares);
        go_to_period(2);
        assert_eq!((withdraw(FUNDER), withdraw(CAROL)), (Ok(4_000), Ok(3_000)));
        assert_eq!(Exits::<Test>::iter().count(), 0);
    });
}
