//! What an audit did to pools, replayed through the runtime's door on a network with the lengths of a
//! real one.

use crate::common::*;
use openledger_primitives::{
    traits::PolicyReads, Balance, PoolRules, ReviewPolicy, RewardTerms, Verdict, WayOut, OPEN,
};
use openledger_runtime::{
    AccountId, Datanets, Leaderboard, Review, Runtime, RuntimeCall, RuntimeOrigin, System, DAY,
    HOUR,
};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::{traits::Dispatchable, DispatchError};

type Error = pallet_leaderboard::Error<Runtime>;

const TERMS: RewardTerms = RewardTerms { per_period: 5 * OPEN, max_per_point: OPEN / 1_000 };
const MOST: RewardTerms = RewardTerms { per_period: Balance::MAX, max_per_point: Balance::MAX };

fn attempt(who: &AccountId, call: impl Into<RuntimeCall>) -> Result<(), DispatchError> {
    call.into()
        .dispatch(RuntimeOrigin::signed(who.clone()))
        .map(drop)
        .map_err(|refused| refused.error)
}

fn curators(members: &[AccountId]) -> ReviewPolicy<AccountId> {
    ReviewPolicy::Curators { members: members.to_vec().try_into().expect("few"), threshold: 1 }
}

/// A network whose reward periods last an hour, with a Datanet of Alice's, judged by Bob and Charlie,
/// into whose pool Dave and Eve paid 1,000 OPEN. Ferdie contributes.
fn funded(test: impl FnOnce(u32)) {
    genesis("local_testnet").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        dispatch(&Ferdie.to_account_id(), pallet_datanets::Call::register {});
        dispatch(&Alice.to_account_id(), pallet_datanets::Call::register {});
        fund(&Dave.to_account_id(), datanet, 600 * OPEN, TERMS);
        let rules = rules(datanet);
        let amount = 400 * OPEN;
        dispatch(&Eve.to_account_id(), pallet_leaderboard::Call::fund { datanet, amount, rules });
        test(datanet);
        check_state();
    });
}

fn go_to(block: u32) {
    assert!(System::block_number() < block);
    System::set_block_number(block);
}

fn next_period() {
    go_to(Leaderboard::period().1);
}

/// Submits a file of one byte, and answers its hash and number.
fn one_byte(who: &AccountId, datanet: u32, n: u8) -> ([u8; 32], u64) {
    let mut file = item(&[n]);
    file.size = 1;
    dispatch(who, submit(datanet, vec![file]));
    let view = Datanets::pending(datanet, None, 100)
        .into_iter()
        .find(|view| view.item.sha256 == file.sha256)
        .expect("it waits");
    (file.sha256, view.submission)
}

fn vote(
    who: &AccountId,
    datanet: u32,
    file: ([u8; 32], u64),
    verdict: Verdict,
) -> Result<(), DispatchError> {
    let (sha256, submission) = file;
    attempt(who, pallet_review::Call::vote { datanet, sha256, submission, verdict })
}

/// Bob and Charlie accept a file.
fn accepted(who: &AccountId, datanet: u32, n: u8) {
    let file = one_byte(who, datanet, n);
    // Old enough: no older precommitment can be on its way any more.
    go_to(System::block_number() + 20);
    for curator in [Bob, Charlie] {
        vote(&curator.to_account_id(), datanet, file, accept(100, 3, 1)).expect("a vote");
    }
}

fn claimed(datanet: u32, who: &AccountId) -> Balance {
    let before = total(who);
    match attempt(
        &Bob.to_account_id(),
        pallet_leaderboard::Call::claim { datanet, account: who.clone() },
    ) {
        Ok(()) => total(who) - before,
        Err(error) => {
            assert_eq!(error, Error::NothingToClaim.into());
            0
        }
    }
}

fn leave_all(datanet: u32, who: &AccountId) {
    let shares = Leaderboard::share_view(datanet, who).expect("a funder").shares;
    dispatch(who, pallet_leaderboard::Call::leave { datanet, shares });
}

fn withdrawn(datanet: u32, who: &AccountId) -> Balance {
    let before = total(who);
    dispatch(
        &Bob.to_account_id(),
        pallet_leaderboard::Call::withdraw { datanet, account: who.clone() },
    );
    total(who) - before
}

#[test]
fn an_owner_does_not_take_what_others_paid_in() {
    funded(|datanet| {
        let owner = Alice.to_account_id();
        let batch = vec![
            pallet_review::Call::set_policy {
                datanet,
                policy: curators(&[owner.clone(), Charlie.to_account_id()]),
            }
            .into(),
            pallet_leaderboard::Call::set_terms { datanet, terms: MOST }.into(),
        ];
        dispatch(&owner, pallet_utility::Call::batch_all { calls: batch });
        // Its own curator has no vote yet.
        let file = one_byte(&Ferdie.to_account_id(), datanet, 1);
        let voted = vote(&owner, datanet, file, accept(100, 1, 1));
        assert_eq!(voted, Err(pallet_review::Error::<Runtime>::NotCurator.into()));

        // Both changes wait for seven days, and everybody can see it.
        let view = Leaderboard::pool_view(datanet).expect("a pool");
        assert_eq!(view.way_out, Some(WayOut::Terms));
        let waiting = view.waiting.expect("terms wait");
        assert!(
            waiting.block >= System::block_number() + 7 * DAY && waiting.block.is_multiple_of(HOUR)
        );
        assert_eq!(
            Review::waiting_policy(datanet).map(|waiting| waiting.from),
            Some(waiting.block)
        );
        assert_eq!((view.rules.terms, view.rules.next_terms), (TERMS, Some(MOST)));

        // On the last day the funders go, and get all of it.
        go_to(waiting.block - 1);
        for funder in [Dave, Eve] {
            leave_all(datanet, &funder.to_account_id());
        }
        go_to(waiting.block);
        vote(&owner, datanet, file, accept(100, 1, 1)).expect("now it is a curator");
        assert_eq!(withdrawn(datanet, &Dave.to_account_id()), 600 * OPEN);
        assert_eq!(withdrawn(datanet, &Eve.to_account_id()), 400 * OPEN);
        next_period();
        assert_eq!(claimed(datanet, &Ferdie.to_account_id()), 0);
    });
}

#[test]
fn honest_curators_who_resign_leave_no_pool_to_the_others_at_once() {
    funded(|datanet| {
        dispatch(&Bob.to_account_id(), pallet_review::Call::resign { datanet });
        let from = Review::waiting_policy(datanet).expect("it waits").from;
        assert!(from >= System::block_number() + 7 * DAY);
        let view = Leaderboard::pool_view(datanet).expect("a pool");
        assert_eq!(view.way_out, Some(WayOut::Policy));
        let file = one_byte(&Ferdie.to_account_id(), datanet, 1);
        let charlie = Charlie.to_account_id();
        vote(&charlie, datanet, file, accept(100, 3, 1)).expect("a vote");
        assert_eq!(Review::waiting_policy(datanet).map(|waiting| waiting.from), Some(from));
        // Alone it decides on nothing yet; saying so again postpones nothing.
        assert_eq!(Datanets::pending(datanet, None, 100).len(), 1);
        let again = attempt(&Bob.to_account_id(), pallet_review::Call::resign { datanet });
        assert_eq!(again, Err(pallet_review::Error::<Runtime>::NotCurator.into()));
        go_to(from - 1);
        for funder in [Dave, Eve] {
            leave_all(datanet, &funder.to_account_id());
        }
        go_to(from);
        let file = one_byte(&Ferdie.to_account_id(), datanet, 2);
        go_to(from + 20);
        vote(&charlie, datanet, file, accept(100, 3, 1)).expect("now it decides");
        assert_eq!(Datanets::pending(datanet, None, 100).len(), 1);
        assert_eq!(withdrawn(datanet, &Dave.to_account_id()), 600 * OPEN);
        assert_eq!(withdrawn(datanet, &Eve.to_account_id()), 400 * OPEN);
    });
}

#[test]
fn a_policy_alone_waits_too_and_a_new_one_waits_anew() {
    funded(|datanet| {
        let owner = Alice.to_account_id();
        let set = |member: &AccountId| {
            dispatch(
                &owner,
                pallet_review::Call::set_policy {
                    datanet,
                    policy: curators(std::slice::from_ref(member)),
                },
            );
        };
        set(&owner);
        assert_eq!(Leaderboard::pool_view(datanet).expect("a pool").way_out, Some(WayOut::Policy));
        go_to(6 * DAY);
        set(&Ferdie.to_account_id());
        go_to(10 * DAY);
        assert_eq!(Leaderboard::pool_view(datanet).expect("a pool").way_out, Some(WayOut::Policy));
        let file = one_byte(&owner, datanet, 1);
        let voted = vote(&Ferdie.to_account_id(), datanet, file, accept(100, 1, 1));
        assert_eq!(voted, Err(pallet_review::Error::<Runtime>::NotCurator.into()));
    });
}

#[test]
fn lowered_terms_pay_what_was_worked() {
    funded(|datanet| {
        let ferdie = Ferdie.to_account_id();
        accepted(&ferdie, datanet, 1);
        // 300 points at a thousandth of an OPEN each.
        let terms = RewardTerms { per_period: 1, max_per_point: 1 };
        dispatch(&Alice.to_account_id(), pallet_leaderboard::Call::set_terms { datanet, terms });
        next_period();
        assert_eq!(claimed(datanet, &ferdie), 300 * OPEN / 1_000);
        // For a week to come the old terms count.
        go_to(7 * DAY);
        accepted(&ferdie, datanet, 2);
        next_period();
        assert_eq!(claimed(datanet, &ferdie), 300 * OPEN / 1_000);
        go_to(8 * DAY);
        accepted(&ferdie, datanet, 3);
        next_period();
        assert_eq!(claimed(datanet, &ferdie), 0, "a planck for 300 points is none");
        // Funders have no reason to go.
        let left =
            attempt(&Dave.to_account_id(), pallet_leaderboard::Call::leave { datanet, shares: 1 });
        assert_eq!(left, Err(Error::NoWayOut.into()));
    });
}

#[test]
fn a_strangers_first_open_sets_no_terms() {
    genesis("local_testnet").execute_with(|| {
        begin_block();
        let datanet = text_datanet();
        let stranger = Ferdie.to_account_id();
        let (policy, _) = Review::policy_hashes(datanet).expect("it has a policy");
        let rules = PoolRules { terms: MOST, policy, ..PoolRules::default() };
        let fund = pallet_leaderboard::Call::fund { datanet, amount: OPEN, rules };
        assert_eq!(attempt(&stranger, fund), Err(Error::TermsRequired.into()));
        let set = pallet_leaderboard::Call::set_terms { datanet, terms: MOST };
        assert_eq!(attempt(&stranger, set), Err(Error::NotTheOwner.into()));
    });
}

#[test]
fn one_colluding_acceptance_does_not_make_a_periods_rate_nothing() {
    funded(|datanet| {
        let (ferdie, owner) = (Ferdie.to_account_id(), Alice.to_account_id());
        accepted(&ferdie, datanet, 1);
        let file = one_byte(&owner, datanet, 2);
        for units in [4, 12 << 20] {
            let voted = vote(&Bob.to_account_id(), datanet, file, accept(100, units, 1));
            assert_eq!(voted, Err(pallet_review::Error::<Runtime>::TooManyUnits.into()));
        }
        accepted(&owner, datanet, 3);
        next_period();
        assert_eq!(claimed(datanet, &ferdie), 300 * OPEN / 1_000);
    });
}

#[test]
fn a_payment_that_was_signed_before_the_rules_changed_is_refused() {
    funded(|datanet| {
        let seen = rules(datanet);
        let pay = || {
            let call = pallet_leaderboard::Call::fund { datanet, amount: OPEN, rules: seen };
            attempt(&Ferdie.to_account_id(), call)
        };
        assert_eq!(pay(), Ok(()));
        let owner = Alice.to_account_id();
        let policy = curators(std::slice::from_ref(&owner));
        dispatch(&owner, pallet_review::Call::set_policy { datanet, policy });
        assert_eq!(pay(), Err(Error::PolicyDiffers.into()));
        dispatch(&owner, pallet_leaderboard::Call::set_terms { datanet, terms: MOST });
        assert_eq!(pay(), Err(Error::TermsDiffer.into()));
    });
}

#[test]
fn a_closed_datanet_pays_its_points_and_gives_the_rest_back() {
    funded(|datanet| {
        let (ferdie, owner) = (Ferdie.to_account_id(), Alice.to_account_id());
        accepted(&ferdie, datanet, 1);
        let before = pallet_balances::Pallet::<Runtime>::free_balance(&owner);
        dispatch(&owner, pallet_datanets::Call::close { datanet });
        let after = pallet_balances::Pallet::<Runtime>::free_balance(&owner);
        assert_eq!(after - before, 10 * OPEN);
        let fund = pallet_leaderboard::Call::fund { datanet, amount: OPEN, rules: rules(datanet) };
        assert_eq!(attempt(&ferdie, fund), Err(Error::DatanetClosed.into()));
        for funder in [Dave, Eve] {
            leave_all(datanet, &funder.to_account_id());
        }
        next_period();
        let rest = 1_000 * OPEN - 300 * OPEN / 1_000;
        assert_eq!(withdrawn(datanet, &Dave.to_account_id()), rest / 10 * 6);
        assert_eq!(withdrawn(datanet, &Eve.to_account_id()), rest / 10 * 4);
        assert_eq!(claimed(datanet, &ferdie), 300 * OPEN / 1_000);
    });
}

#[test]
fn a_pool_without_points_for_thirty_days_lets_its_funders_go() {
    funded(|datanet| {
        let dave = Dave.to_account_id();
        let leave = || attempt(&dave, pallet_leaderboard::Call::leave { datanet, shares: OPEN });
        go_to(30 * DAY - 1);
        assert_eq!(leave(), Err(Error::NoWayOut.into()));
        go_to(30 * DAY);
        assert_eq!(leave(), Ok(()));
    });
}

/// A pool that was paid out to a little more than nothing and funded again, three times over, had more shares
/// than their type holds, and took no payment any more.
#[test]
fn a_pool_that_is_paid_out_and_funded_again_and_again_takes_payments_and_cheats_no_funder() {
    funded(|datanet| {
        let (ferdie, owner) = (Ferdie.to_account_id(), Alice.to_account_id());
        let (earlier, later) = (Dave.to_account_id(), Eve.to_account_id());
        let worth =
            |who: &AccountId| Leaderboard::share_view(datanet, who).map_or(0, |share| share.worth);
        let mut shares = 0;
        for n in 1..=12u8 {
            let available = Leaderboard::pool_view(datanet).expect("a pool").available;
            // What the last one leaves is just above what counts as paid out: 300 points, so rate for rate.
            let keep = OPEN / 1_000 + 1_000;
            let most = (available - keep) / 300;
            pallet_leaderboard::Pools::<Runtime>::mutate(datanet, |pool| {
                pool.as_mut().expect("a pool").terms =
                    RewardTerms { per_period: Balance::MAX, max_per_point: most };
            });
            accepted(&ferdie, datanet, n);
            next_period();
            let left = Leaderboard::pool_view(datanet).expect("a pool").available;
            assert!((keep..keep + 300).contains(&left), "{left}");
            let before = worth(&earlier);
            let call = pallet_leaderboard::Call::fund {
                datanet,
                amount: 100_000 * OPEN,
                rules: rules(datanet),
            };
            assert_eq!(attempt(&later, call), Ok(()), "the {n}th time");
            assert!(before.abs_diff(worth(&earlier)) <= 1, "{before}");
            let view = Leaderboard::pool_view(datanet).expect("a pool");
            assert!(worth(&later) + worth(&earlier) + 3 >= view.available);
            shares = shares.max(view.shares);
            check_state();
            // What it was paid goes round again.
            let paid = claimed(datanet, &ferdie);
            let back = pallet_balances::Call::transfer_keep_alive {
                dest: later.clone().into(),
                value: paid - OPEN,
            };
            dispatch(&ferdie, back);
        }
        // They were counted in larger ones, most of the twelve times.
        assert!(shares > 1 << 98 && shares < 1 << 120, "{shares}");
        dispatch(&owner, pallet_datanets::Call::close { datanet });
        leave_all(datanet, &later);
        next_period();
        let got = withdrawn(datanet, &later);
        assert!(got + 1_000 > 100_000 * OPEN, "{got}");
    });
}

#[test]
fn nobody_is_paid_twice_nor_has_anothers_rewards_paid_to_itself() {
    funded(|datanet| {
        let (ferdie, thief) = (Ferdie.to_account_id(), Dave.to_account_id());
        accepted(&ferdie, datanet, 1);
        next_period();
        let turn =
            pallet_leaderboard::Call::set_payout { account: ferdie.clone(), to: thief.clone() };
        assert_eq!(attempt(&thief, turn), Err(Error::NotThePayee.into()));
        let before = (total(&ferdie), total(&thief));
        // The same Datanet twenty times in one call, and again in the next one.
        let many = || pallet_leaderboard::Call::claim_many {
            datanets: vec![datanet; 20].try_into().expect("twenty fit"),
            account: ferdie.clone(),
        };
        let _ = attempt(&thief, many());
        let _ = attempt(&thief, many());
        claimed(datanet, &ferdie);
        assert_eq!(total(&ferdie), before.0 + 300 * OPEN / 1_000);
        assert_eq!(total(&thief), before.1);
    });
}
