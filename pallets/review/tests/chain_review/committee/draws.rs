//! Draws: by which seed, for whom, and what cannot be done about it.

use super::story::*;
use crate::mock::*;
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::hold::Mutate, tokens::Precision},
};
use openledger_primitives::{
    committee::{draw_seed, BudgetTerms, GlobalPool, Outcome, Phase, PoolId},
    traits::{ReviewLimit, ReviewPolicies, Sessions},
    QuotaExceeded, ReviewPolicy, OPEN,
};
use pallet_review::{
    Budgets, DrawOf, Draws, Error, HoldReason, Parked, ParkedDraws, Reviewers, Seeds,
};

#[test]
fn a_call_is_drawn_in_the_first_block_of_the_second_session_after_it() {
    with_committees(30, || {
        let id = submit(3);
        assert_eq!(record(id).draw.session(), Some(CurrentSession::get() + 2));
        sessions(1);
        assert!(record(id).draw.session().is_some());
        CurrentSession::mutate(|session| *session += 1);
        block();
        let expected = draw_seed(&<Neighbour as Sessions>::randomness(), id);
        assert_eq!(record(id).draw.seed, expected);
        assert_eq!(members(id).len(), 5);
        assert!(!members(id).contains(&CONTRIBUTOR));
        assert_eq!(Budgets::<Test>::get(DATANET).reserved, 3 * RULES.reserve());
        assert!(record(id).global, "the pool has five times the committee");
        assert_eq!(Seeds::<Test>::iter_keys().count(), 0, "a seed that is used is forgotten");
    });
}

#[test]
fn draws_of_one_session_have_different_committees() {
    with_committees(60, || {
        let (one, other) = (submit_from(50, 1), submit_from(51, 1));
        draw(one);
        assert_ne!(record(one).draw.seed, record(other).draw.seed);
        assert_ne!(members(one), members(other));
    });
}

#[test]
fn the_seed_of_its_session_counts_also_when_a_draw_comes_later() {
    with_committees(30, || {
        // More draws than a block makes.
        let draws: Vec<_> = (0..6).map(|n| submit_from(50 + n, 1)).collect();
        CurrentSession::mutate(|session| *session += 2);
        let randomness = <Neighbour as Sessions>::randomness();
        block();
        assert!(record(draws[5]).draw.session().is_some(), "its turn has not come");
        CurrentSession::mutate(|session| *session += 1);
        block();
        assert_eq!(record(draws[5]).draw.seed, draw_seed(&randomness, draws[5]));
    });
}

#[test]
fn a_pool_of_few_judges_for_its_datanet_alone() {
    with_committees(24, || {
        let id = submit(1);
        draw(id);
        assert!(!record(id).global);
        judge(id, &[GOOD; 5]);
        unchallenged();
        assert!(!CountsGlobally::get());
    });
}

#[test]
fn a_large_pool_s_verdicts_count_beyond_their_datanet() {
    with_committees(25, || {
        let id = submit(1);
        draw(id);
        judge(id, &[GOOD; 5]);
        unchallenged();
        assert!(CountsGlobally::get());
    });
}

#[test]
fn a_datanet_s_own_seats_never_count_beyond_it() {
    with_committees(0, || {
        let policy = ReviewPolicy::Committee { own_seats: true };
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, policy));
        assert_ok!(Review::fund_budget(signed(OWNER), DATANET, OPEN));
        for who in FIRST..FIRST + 40 {
            assert_ok!(Review::bond_seats(signed(who), PoolId::Datanet(DATANET), 1));
        }
        sessions(2);
        let id = submit(1);
        draw(id);
        assert_eq!(members(id).len(), 5);
        assert!(!record(id).global);
    });
}

#[test]
fn a_file_can_be_taken_back_until_its_committee_is_drawn() {
    with_committees(30, || {
        let id = submit(2);
        assert!(<Review as ReviewPolicies<AccountId>>::is_before_committee(50));
        assert!(!<Review as ReviewPolicies<AccountId>>::is_drawn(50));
        Waiting::mutate(|waiting| waiting.remove(&(DATANET, hash(50))));
        <Review as ReviewPolicies<AccountId>>::forget(50);
        checked();
        assert_eq!(record(id).draw.files.len(), 1);
        draw(id);
        assert!(<Review as ReviewPolicies<AccountId>>::is_drawn(51));

        let other = submit_from(60, 1);
        Waiting::mutate(|waiting| waiting.remove(&(DATANET, hash(60))));
        <Review as ReviewPolicies<AccountId>>::forget(60);
        assert!(Draws::<Test>::get(other).is_none(), "a draw of no file is none");
        checked();
    });
}

#[test]
fn a_committee_that_anyone_can_compute_is_not_avoided() {
    with_committees(40, || {
        let drawn = |submission| <Review as ReviewPolicies<AccountId>>::is_drawn(submission);
        // More draws than a block makes: those further back wait with a seed that everybody reads.
        let draws: Vec<_> = (0..9).map(|n| submit_from(50 + n, 1)).collect();
        let short = FIRST + 39;
        Reviewers::<Test>::mutate(POOL, short, |seats| {
            seats.as_mut().unwrap().reviewer.lose(RULES.seat / 2);
        });
        Balances::release(&HoldReason::Seat.into(), &short, RULES.seat / 2, Precision::Exact)
            .unwrap();
        CurrentSession::mutate(|session| *session += 1);
        block();
        assert!(!drawn(58), "of its seed nothing is known");
        CurrentSession::mutate(|session| *session += 1);
        block();
        let last = draws[8];
        let session = record(last).draw.session().expect("its turn has not come");
        assert!(Seeds::<Test>::contains_key(session));
        assert!(drawn(58), "neither its contributor nor an older precommitment takes it away");
        // Who is not drawn for its losses does not choose this seed to make up for them.
        assert_noop!(Review::top_up(signed(short), POOL), Error::<Test>::SeedStands);
        // Nor does the owner's money change anything.
        let free = Budgets::<Test>::get(DATANET).available;
        assert_ok!(Review::take_back(signed(OWNER), DATANET, free));
        blocks(2);
        assert_eq!(members(last).len(), 5);
        assert_ok!(Review::top_up(signed(short), POOL));
    });
}

/// Files of the Datanet go before its own seats from now on, or before all of its modality's.
fn judged_by_own_seats(own_seats: bool) {
    let policy = ReviewPolicy::Committee { own_seats };
    assert_ok!(Review::set_policy(signed(OWNER), DATANET, policy));
}

#[test]
fn draws_that_nobody_has_seats_for_take_no_place_among_others() {
    with_committees(30, || {
        let own = PoolId::Datanet(DATANET);
        judged_by_own_seats(true);
        let began = CurrentSession::get();
        let parked: Vec<_> = (0..20).map(|n| submit_from(100 + n, 1)).collect();
        judged_by_own_seats(false);
        let drawn: Vec<_> = (0..4).map(|n| submit_from(200 + n, 1)).collect();
        // Each pool in its turn: the one without reviewers is no quicker with many calls.
        CurrentSession::mutate(|session| *session += 2);
        blocks(2);
        assert!(drawn.iter().filter(|id| record(**id).draw.session().is_none()).count() >= 4);
        blocks(8);
        for id in &parked {
            assert_eq!(record(*id).draw.session(), Some(began + 513));
            assert_eq!(Parked::<Test>::get(id), Some(5));
            // Whoever gave it may take it back: no committee of it is known.
            assert!(!Review::was_drawn(100 + id - parked[0]));
        }
        // From then on nothing is done for them, in any session.
        for _ in 0..40 {
            CurrentSession::mutate(|session| *session += 1);
            let before = parked.iter().map(|id| record(*id)).collect::<Vec<_>>();
            blocks(1);
            assert_eq!(before, parked.iter().map(|id| record(*id)).collect::<Vec<_>>());
        }
        // Four accounts are too few, and wake nobody.
        for who in FIRST..FIRST + 4 {
            assert_ok!(Review::bond_seats(signed(who), own, 1));
        }
        sessions(3);
        assert_eq!(Parked::<Test>::iter_keys().count(), 20);
        assert_ok!(Review::bond_seats(signed(FIRST + 4), own, 1));
        CurrentSession::mutate(|session| *session += 1);
        blocks(6);
        assert_eq!(Parked::<Test>::iter_keys().count(), 0, "the fifth wakes all");
        // By the seed of the session after the next, as if they had been submitted now.
        let woken = CurrentSession::get();
        assert!(parked.iter().all(|id| record(*id).draw.session() == Some(woken + 2)));
        CurrentSession::mutate(|session| *session += 2);
        blocks(6);
        assert!(parked.iter().all(|id| members(*id).len() == 5));
    });
}

#[test]
fn a_draw_waits_for_as_many_accounts_as_it_does_not_pass_over() {
    with_committees(5, || {
        // Its contributor has one of the five seats.
        leave_at_once();
        assert_ok!(Review::unbond_seats(signed(FIRST), POOL, 1));
        assert_ok!(Review::bond_seats(signed(CONTRIBUTOR), POOL, 1));
        sessions(2);
        let id = submit(1);
        CurrentSession::mutate(|session| *session += 2);
        block();
        assert_eq!(Parked::<Test>::get(id), Some(6));
        // Taken back, it leaves nothing behind.
        Waiting::mutate(|waiting| waiting.remove(&(DATANET, hash(SUBMISSIONS))));
        <Review as ReviewPolicies<AccountId>>::forget(SUBMISSIONS);
        checked();
        assert_eq!(ParkedDraws::<Test>::iter_keys().count(), 0);
        assert_eq!(Draws::<Test>::iter_keys().count(), 0);
        blocks(2);
    });
}

#[test]
fn who_wakes_draws_again_and_again_keeps_none_for_ever() {
    with_committees(4, || {
        let id = submit(1);
        sessions(2);
        assert!(Parked::<Test>::contains_key(id));
        let flickers = FIRST + 50;
        leave_at_once();
        for _ in 0..60 {
            let _ = Review::withdraw_seats(signed(flickers), POOL);
            let _ = Review::bond_seats(signed(flickers), POOL, 1);
            CurrentSession::mutate(|session| *session += 1);
            blocks(2);
            let _ = Review::unbond_seats(signed(flickers), POOL, 1);
            CurrentSession::mutate(|session| *session += 1);
            blocks(2);
        }
        assert!(!Draws::<Test>::contains_key(id));
        assert_eq!(ended(), [(SUBMISSIONS, Outcome::TooFewSeats)]);
    });
}

/// One person with all seats of a pool that nobody else has any in.
#[test]
fn a_pool_of_one_person_s_accounts_counts_nowhere_before_it_has_cost_them_for_long() {
    with_committees(0, || {
        LargePool::set(GlobalPool { seats: 250, ..GlobalPool::DEFAULT });
        assert_ok!(Review::fund_budget(signed(OWNER), DATANET, 100 * OPEN));
        for who in FIRST..FIRST + 25 {
            assert_ok!(Review::bond_seats(signed(who), POOL, 1));
        }
        sessions(2);
        let counts = |first| {
            let id = submit_from(first, 1);
            draw(id);
            let global = record(id).global;
            judge(id, &[GOOD; 5]);
            unchallenged();
            assert_eq!(CountsGlobally::get(), global);
            global
        };
        assert!(!counts(50), "five times the committee");
        for who in FIRST..FIRST + 25 {
            assert_ok!(Review::bond_seats(signed(who), POOL, 9));
        }
        sessions(2);
        assert!(!counts(60), "25,000 OPEN since yesterday");
        System::set_block_number(System::block_number() + u64::from(GlobalPool::DEFAULT.age));
        assert!(counts(70), "and for a week, in which anybody may have joined it");
        // Whoever takes its OPEN out begins anew.
        assert_ok!(Review::unbond_seats(signed(FIRST), POOL, 1));
        sessions(2);
        assert!(!counts(80));
        assert_ok!(Review::bond_seats(signed(FIRST), POOL, 1));
        sessions(2);
        assert!(!counts(90));
    });
}

#[test]
fn no_committee_waits_for_money() {
    with_committees(30, || {
        // What the budget covers is set aside as soon as files come in.
        let covers = |files: u128| {
            let free = Budgets::<Test>::get(DATANET).available;
            assert_ok!(Review::take_back(signed(OWNER), DATANET, free - files * RULES.reserve()));
        };
        let check = |files| {
            <Review as ReviewPolicies<AccountId>>::check_budget(DATANET, &CONTRIBUTOR, files, 1)
        };
        covers(3);
        let one = submit(2);
        assert_eq!(Budgets::<Test>::get(DATANET).reserved, 2 * RULES.reserve());
        assert_eq!(record(one).reserve, RULES.reserve());
        assert_eq!(check(2), Err(ReviewLimit::Budget { files: 2, covered: 1 }));
        assert_eq!(check(1), Ok(()));
        wait(hash(90), 90, CONTRIBUTOR);
        wait(hash(91), 91, CONTRIBUTOR);
        let both = || vec![hash(90), hash(91)].try_into().unwrap();
        assert_noop!(
            Review::request_review(signed(77), DATANET, both()),
            Error::<Test>::BudgetTooLow
        );
        Waiting::mutate(|waiting| waiting.retain(|_, (submission, _)| *submission < 90));
        // The owner takes back no more than that, also when it sees the seed.
        let take = |amount| Review::take_back(signed(OWNER), DATANET, amount);
        assert_noop!(take(RULES.reserve() + 1), Error::<Test>::BudgetTooLow);
        // What a contributor takes back in time frees its own.
        Waiting::mutate(|waiting| waiting.remove(&(DATANET, hash(50))));
        <Review as ReviewPolicies<AccountId>>::forget(50);
        checked();
        assert_eq!(check(2), Ok(()));
        covers(0);
        draw(one);
        judge(one, &[Nothing; 5]);
        blocks(2);
        // Another committee is asked, for what was set aside before.
        let again = DrawOf::<Test>::get(51).unwrap();
        assert_ne!(again, one);
        assert_eq!(Budgets::<Test>::get(DATANET).reserved, RULES.reserve());
        draw(again);
        judge(again, &[GOOD; 5]);
        unchallenged();
        let budget = Budgets::<Test>::get(DATANET);
        assert_eq!((budget.spent, budget.reserved), (5 * RULES.pay, 0));
    });
}

#[test]
fn curators_do_not_vote_on_what_is_before_a_committee() {
    with_committees(30, || {
        let id = submit(1);
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, 1)));
        let vote = Review::vote(signed(11), DATANET, hash(50), 50, accept(50, 100));
        assert_eq!(vote.unwrap_err().error, Error::<Test>::BeforeCommittee.into());
        // It is drawn and judged all the same.
        draw(id);
        judge(id, &[GOOD; 5]);
        unchallenged();
        assert_eq!(ended().len(), 1);
        // And curators vote on what comes then.
        assert_ok!(Review::vote(signed(11), DATANET, FILE, 5, accept(50, 100)));
    });
}

#[test]
fn what_waits_for_curators_is_brought_before_a_committee_by_anyone() {
    on_chain(3, || {
        assert_ok!(Review::vote(signed(11), DATANET, FILE, 5, accept(50, 100)));
        let files = || vec![FILE, OTHER_FILE].try_into().unwrap();
        assert_noop!(
            Review::request_review(signed(77), DATANET, files()),
            Error::<Test>::NoCommittee
        );
        let policy = ReviewPolicy::Committee { own_seats: false };
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, policy));
        let vote = Review::vote(signed(12), DATANET, FILE, 5, accept(50, 100));
        assert_eq!(vote.unwrap_err().error, Error::<Test>::BeforeCommittee.into());
        for (files, error) in [
            (vec![], Error::<Test>::NoFile),
            (vec![FILE, FILE], Error::<Test>::NoFile),
            (vec![[9; 32]], Error::<Test>::NotPending),
        ] {
            let files = files.try_into().unwrap();
            assert_noop!(Review::request_review(signed(77), DATANET, files), error);
        }
        wait([3; 32], 7, CONTRIBUTOR + 1);
        let mixed = vec![FILE, [3; 32]].try_into().unwrap();
        assert_noop!(
            Review::request_review(signed(77), DATANET, mixed),
            Error::<Test>::OtherContributor
        );
        assert_noop!(
            Review::request_review(signed(77), DATANET, files()),
            Error::<Test>::BudgetTooLow
        );
        assert_ok!(Review::fund_budget(signed(OWNER), DATANET, 2 * RULES.reserve()));
        assert_ok!(Review::request_review(signed(77), DATANET, files()));
        assert!(voters().is_empty(), "what curators said is forgotten");
        assert_noop!(
            Review::request_review(signed(77), DATANET, files()),
            Error::<Test>::AlreadyBeforeCommittee
        );
        assert_eq!((DrawOf::<Test>::get(5), DrawOf::<Test>::get(6)), (Some(0), Some(0)));
    });
}

#[test]
fn a_budget_pays_for_so_many_files_a_day_and_account() {
    with_committees(30, || {
        let set = |files_a_day, share| {
            let terms = BudgetTerms { files_a_day, share };
            Review::set_budget_terms(signed(OWNER), DATANET, terms)
        };
        for (files, share) in [(0, 10), (10, 0), (10, 101)] {
            assert_noop!(set(files, share), Error::<Test>::InvalidBudgetTerms);
        }
        assert_ok!(set(10, 50));
        let check = |who: AccountId, files, day| {
            <Review as ReviewPolicies<AccountId>>::check_budget(DATANET, &who, files, day)
        };
        let over = |total, limit| QuotaExceeded::Files { total, limit };
        assert_eq!(check(CONTRIBUTOR, 11, 1), Err(ReviewLimit::Datanet(over(11, 10))));
        assert_eq!(check(CONTRIBUTOR, 6, 1), Err(ReviewLimit::Share(over(6, 5))));
        submit(5);
        assert_eq!(check(CONTRIBUTOR, 1, 1), Err(ReviewLimit::Share(over(6, 5))));
        assert_eq!(check(CONTRIBUTOR + 1, 5, 1), Ok(()));
        assert_eq!(check(CONTRIBUTOR, 5, 2), Ok(()), "another day");
        // Where curators decide nothing is paid for.
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, 1)));
        assert_eq!(check(CONTRIBUTOR, 20, 1), Ok(()));
    });
}

/// Files that do not exist cost nothing, and would have all of a budget set aside for as long as committees look for them.
#[test]
fn one_account_has_no_more_of_a_budget_set_aside_than_its_share() {
    with_committees(30, || {
        let terms = BudgetTerms { share: 10, ..BudgetTerms::DEFAULT };
        assert_ok!(Review::set_budget_terms(signed(OWNER), DATANET, terms));
        let free = Budgets::<Test>::get(DATANET).available;
        assert_ok!(Review::take_back(signed(OWNER), DATANET, free - 60 * RULES.reserve()));
        let check = |who: AccountId, files| {
            <Review as ReviewPolicies<AccountId>>::check_budget(DATANET, &who, files, 1)
        };
        let too_many = |files| Err(ReviewLimit::Reserved { files, most: 6 });
        assert_eq!(check(CONTRIBUTOR, 7), too_many(7));
        let id = submit(5);
        assert_eq!(Review::reserved_for(DATANET, &CONTRIBUTOR).0, 5 * RULES.reserve());
        assert_eq!(check(CONTRIBUTOR, 2), too_many(7), "those that wait count");
        let other = submit_from(70, 1);
        assert_eq!(check(CONTRIBUTOR, 1), too_many(7));
        // Nor by files that waited for curators, whoever asks for it.
        wait(hash(90), 90, CONTRIBUTOR);
        assert_noop!(
            Review::request_review(signed(77), DATANET, vec![hash(90)].try_into().unwrap()),
            Error::<Test>::BudgetShareReserved
        );
        Waiting::mutate(|waiting| waiting.retain(|_, (submission, _)| *submission < 90));
        assert_eq!(check(CONTRIBUTOR + 1, 6), Ok(()), "the rest is for others");
        // What is taken back, and what ends, is free again, however it ends.
        Waiting::mutate(|waiting| waiting.remove(&(DATANET, hash(70))));
        <Review as ReviewPolicies<AccountId>>::forget(70);
        assert!(Draws::<Test>::get(other).is_none());
        assert_eq!(check(CONTRIBUTOR, 1), Ok(()));
        draw(id);
        judge(id, &[Unavailable; 5]);
        blocks(3);
        assert_eq!(pallet_review::ReservedFor::<Test>::iter_keys().count(), 0);
        assert_eq!(check(CONTRIBUTOR, 6), Ok(()));
        // Five files are taken of a budget that pays for few, and the share of an owner who says so.
        let free = Budgets::<Test>::get(DATANET).available;
        assert_ok!(Review::take_back(signed(OWNER), DATANET, free - 7 * RULES.reserve()));
        assert_eq!(check(CONTRIBUTOR, 5), Ok(()));
        assert_eq!(check(CONTRIBUTOR, 6), Err(ReviewLimit::Reserved { files: 6, most: 5 }));
        let terms = BudgetTerms { share: 100, ..terms };
        assert_ok!(Review::set_budget_terms(signed(OWNER), DATANET, terms));
        assert_eq!(check(CONTRIBUTOR, 6), Ok(()));
        checked();
    });
}

#[test]
fn budgets_are_the_owner_s() {
    with_committees(30, || {
        let other = signed(OWNER + 1);
        assert_noop!(Review::fund_budget(other.clone(), DATANET, 1), Error::<Test>::NotOwner);
        assert_noop!(Review::take_back(other.clone(), DATANET, 1), Error::<Test>::NotOwner);
        assert_noop!(
            Review::set_budget_terms(other, DATANET, BudgetTerms::DEFAULT),
            Error::<Test>::NotOwner
        );
        let owner = signed(OWNER);
        assert_noop!(Review::fund_budget(owner.clone(), 7, 1), Error::<Test>::UnknownDatanet);
        assert_noop!(Review::fund_budget(owner.clone(), DATANET, 0), Error::<Test>::BudgetTooLow);
        let id = submit(4);
        draw(id);
        let free = 100 * OPEN - 4 * RULES.reserve();
        assert_noop!(
            Review::take_back(owner.clone(), DATANET, free + 1),
            Error::<Test>::BudgetTooLow
        );
        assert_ok!(Review::take_back(owner, DATANET, free));
        checked();
        judge(id, &[GOOD; 5]);
        unchallenged();
        let budget = Budgets::<Test>::get(DATANET);
        assert_eq!((budget.spent, budget.available), (20 * RULES.pay, 0));
    });
}

#[test]
fn a_raised_extractor_has_the_file_measured_anew_and_its_judges_paid() {
    with_committees(30, || {
        let id = submit(1);
        let committee = draw(id);
        judge(id, &[GOOD; 5]);
        assert_ok!(Review::raise_extractor(
            RuntimeOrigin::root(),
            openledger_primitives::EXTRACTOR + 1
        ));
        unchallenged();
        assert!(Settled::get().is_empty(), "no leaf names an extractor of before");
        assert_eq!(Balances::free_balance(committee[0]), RICH - RULES.seat + RULES.pay);
        let next = DrawOf::<Test>::get(SUBMISSIONS).expect("others are asked");
        assert!(matches!(record(next).draw.phase, Phase::Waiting { .. }));
        assert_eq!(Budgets::<Test>::get(DATANET).reserved, RULES.reserve());
    });
}

#[test]
fn what_a_raised_extractor_asks_of_an_empty_budget_ends_without_prejudice() {
    with_committees(30, || {
        let id = submit(1);
        draw(id);
        judge(id, &[GOOD; 5]);
        let free = Budgets::<Test>::get(DATANET).available;
        assert_ok!(Review::take_back(signed(OWNER), DATANET, free));
        let next = openledger_primitives::EXTRACTOR + 1;
        assert_ok!(Review::raise_extractor(RuntimeOrigin::root(), next));
        unchallenged();
        assert_eq!(Undecided::get(), [SUBMISSIONS]);
        assert_eq!(Draws::<Test>::iter_keys().count(), 0);
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 5 * RULES.pay);
    });
}

#[test]
fn a_verdict_that_cannot_be_credited_is_tried_again_and_nothing_is_lost() {
    with_committees(30, || {
        let id = submit(1);
        draw(id);
        judge(id, &[GOOD; 5]);
        RefuseVerdicts::set(true);
        unchallenged();
        assert!(ended().is_empty());
        assert_eq!(Budgets::<Test>::get(DATANET).reserved, RULES.reserve());
        RefuseVerdicts::set(false);
        blocks(101);
        assert_eq!(ended().len(), 1);
    });
}
