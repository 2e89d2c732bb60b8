//! The table of outcomes, on chain: every one is reached by its own story, moves what the table says, and
//! leaves a consistent state. Those of files that were challenged stand in [`challenged`](super::challenged).

use super::story::*;
use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{
    committee::{Bond, DrawId, End, Outcome, Rules},
    Balance, Verdict, OPEN,
};
use pallet_review::{Budgets, Draws};

/// What everybody has before a story, and what became of it.
pub(super) struct Purses {
    balances: Vec<(AccountId, Balance)>,
}

impl Purses {
    pub(super) fn now() -> Self {
        let all = |who: AccountId| (who, Balances::total_balance_of(who));
        Self { balances: (1..=REVIEWERS_TO).map(all).collect() }
    }

    pub(super) fn gain(&self, who: AccountId) -> i128 {
        let (_, before) = self.balances.iter().find(|(one, _)| *one == who).unwrap();
        Balances::total_balance_of(who) as i128 - *before as i128
    }
}

pub(super) trait Total {
    fn total_balance_of(who: AccountId) -> Balance;
}

impl Total for Balances {
    fn total_balance_of(who: AccountId) -> Balance {
        use frame_support::traits::fungible::Inspect;
        <Balances as Inspect<AccountId>>::total_balance(&who)
    }
}

pub(super) const PAY: i128 = RULES.pay as i128;
pub(super) const MISSED: i128 = RULES.missed as i128;
pub(super) const LOST: i128 = RULES.overturned as i128;
pub(super) const BOND: i128 = RULES.bond as i128;

/// One file judged by five.
pub(super) struct Judged {
    pub(super) draw: DrawId,
    pub(super) first: Vec<AccountId>,
    pub(super) purses: Purses,
}

pub(super) fn judged(says: [Says; 5]) -> Judged {
    let draw = submit(1);
    let purses = Purses::now();
    let first = super::story::draw(draw);
    judge(draw, &says);
    Judged { draw, first, purses }
}

/// The same by the last committee that is asked, after others left it to that.
pub(super) fn judged_last(says: [Says; 5]) -> Judged {
    let mut draw = submit(1);
    for _ in 1..RULES.asks {
        super::story::draw(draw);
        let next = pallet_review::NextDraw::<Test>::get();
        judge(draw, &[Lacks; 5]);
        blocks(2);
        draw = next;
    }
    System::reset_events();
    let purses = Purses::now();
    let first = super::story::draw(draw);
    judge(draw, &says);
    Judged { draw, first, purses }
}

impl Judged {
    pub(super) fn gains(&self, members: &[AccountId]) -> Vec<i128> {
        members.iter().map(|who| self.purses.gain(*who)).collect()
    }

    /// Somebody challenges, and the larger committee says this; answers its members.
    pub(super) fn challenged(&self, who: AccountId, says: [Says; 15]) -> Vec<AccountId> {
        let by = pallet_review::NextDraw::<Test>::get();
        assert_ok!(Review::challenge(signed(who), self.draw, 0));
        assert_eq!(bond_of(who), RULES.bond);
        checked();
        let larger = super::story::draw(by);
        assert!(larger.iter().all(|one| !self.first.contains(one) && *one != who));
        judge(by, &says);
        blocks(2);
        larger
    }

    /// Ended so, with everything over and all money in its place.
    pub(super) fn ended(&self, outcome: Outcome) {
        assert_eq!(ended(), [(SUBMISSIONS, outcome)]);
        assert_eq!(Draws::<Test>::iter_keys().count(), 0, "every draw is over");
        let budget = Budgets::<Test>::get(DATANET);
        assert_eq!(budget.reserved, 0);
        match outcome.end() {
            End::Leaf | End::LeafOfChallenge => {
                let settled = Settled::get();
                assert!(matches!(settled[..], [(_, _, Verdict::Accept { .. })]), "{settled:?}");
            }
            End::Refusal => {
                assert!(matches!(Settled::get()[..], [(_, _, Verdict::Reject(_))]));
            }
            End::Nothing => {
                assert!(Settled::get().iter().all(|(_, _, one)| *one == Verdict::Unavailable));
                assert_eq!(Settled::get().len() + Undecided::get().len(), 1);
            }
            End::Again => panic!("it is not over"),
        }
        if outcome.bond() == Bond::None {
            assert_eq!(bond_of(CHALLENGER), 0);
        }
        // Nothing is bound to anything any more.
        for who in FIRST..=REVIEWERS_TO {
            assert_eq!((seats(who).reviewer.open, seats(who).reviewer.open_before), (0, 0));
        }
        checked();
    }
}

pub(super) fn most(says: Says, times: usize, rest: Says) -> [Says; 15] {
    let mut all = [rest; 15];
    all[..times].fill(says);
    all
}

#[test]
fn accepted() {
    with_committees(30, || {
        let file = judged([Accept(60, 500), Accept(80, 500), Accept(90, 500), Reject, Unavailable]);
        assert!(
            Settled::get().is_empty(),
            "nothing is credited before the window to challenge is over"
        );
        unchallenged();
        file.ended(Outcome::Accepted);
        assert_eq!(file.gains(&file.first), [PAY, PAY, PAY, 0, 0]);
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 3 * RULES.pay);
        assert_eq!(Judges::get(), file.first[..3]);
        let [(_, _, Verdict::Accept { score, units, .. })] = Settled::get()[..] else { panic!() };
        assert_eq!((score.get(), units), (80, 500), "the medians");
    });
}

#[test]
fn refused() {
    with_committees(30, || {
        let file = judged([Reject, Reject, GOOD, Reject, Guess]);
        unchallenged();
        file.ended(Outcome::Refused);
        assert_eq!(file.gains(&file.first), [PAY, PAY, 0, PAY, -MISSED]);
        assert_eq!(
            file.purses.gain(TREASURY),
            MISSED,
            "who has not the file loses as who is absent"
        );
    });
}

/// Judged until no committee is left to ask; answers how it left each.
fn again(says: [Says; 5]) -> Vec<Outcome> {
    let mut draw = submit(1);
    for _ in 0..RULES.asks {
        super::story::draw(draw);
        let next = pallet_review::NextDraw::<Test>::get();
        judge(draw, &says);
        blocks(2);
        draw = next;
    }
    assert_eq!(Draws::<Test>::iter_keys().count(), 0);
    let budget = Budgets::<Test>::get(DATANET);
    assert_eq!((budget.spent, budget.reserved), (0, 0), "at no cost to the budget");
    checked();
    ended().into_iter().map(|(_, outcome)| outcome).collect()
}

#[test]
fn unavailable_again() {
    with_committees(30, || {
        let file = judged([Unavailable, Unavailable, Unavailable, GOOD, GOOD]);
        assert_eq!(ended(), [(SUBMISSIONS, Outcome::UnavailableAgain)]);
        assert_eq!(file.gains(&file.first), [0; 5]);
        let next = file.draw + 1;
        assert_eq!(pallet_review::DrawOf::<Test>::get(SUBMISSIONS), Some(next));
        assert!(Review::was_drawn(SUBMISSIONS), "it cannot be taken back any more");
        // Others are asked, who can fetch it.
        super::story::draw(next);
        judge(next, &[GOOD; 5]);
        unchallenged();
        assert_eq!(ended()[1..], [(SUBMISSIONS, Outcome::Accepted)]);
    });
}

#[test]
fn undecided_again() {
    with_committees(30, || {
        let file = judged([Lacks, Lacks, Lacks, GOOD, Reject]);
        assert_eq!(ended(), [(SUBMISSIONS, Outcome::UndecidedAgain)]);
        assert_eq!(file.gains(&file.first), [0; 5]);
        assert_eq!(
            record(file.draw + 1).draw.purpose,
            openledger_primitives::committee::Purpose::Uncompared { asked: 1 }
        );
    });
}

#[test]
fn unavailable() {
    with_committees(30, || {
        // One who has it is enough for others to be asked.
        let outcomes = again([Unavailable, Lacks, Unavailable, Unavailable, Unavailable]);
        let again = Outcome::UnavailableAgain;
        assert_eq!(outcomes, [again, again, Outcome::Unavailable]);
        assert_eq!(Settled::get()[0].2, Verdict::Unavailable);
    });
}

#[test]
fn what_not_one_member_has_is_asked_for_once() {
    with_committees(30, || {
        let file = judged([Unavailable; 5]);
        blocks(1);
        file.ended(Outcome::Unavailable);
        assert_eq!(file.gains(&file.first), [0; 5]);
        let budget = Budgets::<Test>::get(DATANET);
        assert_eq!((budget.available, budget.spent), (100 * OPEN, 0));
    });
}

#[test]
fn split_again() {
    with_committees(30, || {
        let file = judged([GOOD, GOOD, Reject, Reject, Unavailable]);
        assert_eq!(ended(), [(SUBMISSIONS, Outcome::SplitAgain)]);
        assert_eq!(file.gains(&file.first), [0; 5]);
    });
}

#[test]
fn split() {
    with_committees(30, || {
        let outcomes = again([GOOD, GOOD, Reject, Reject, Guess]);
        assert_eq!(outcomes, [Outcome::SplitAgain, Outcome::SplitAgain, Outcome::Split]);
        assert_eq!(Undecided::get(), [SUBMISSIONS], "without prejudice");
    });
}

#[test]
fn no_quorum_again() {
    with_committees(30, || {
        let file = judged([GOOD, GOOD, Nothing, Nothing, Nothing]);
        assert_eq!(ended(), [(SUBMISSIONS, Outcome::NoQuorumAgain)]);
        let gains = file.gains(&file.first);
        assert_eq!(gains, [0, 0, -MISSED, -MISSED, -MISSED], "who committed did what it could");
        assert_eq!(file.purses.gain(TREASURY), 3 * MISSED);
    });
}

#[test]
fn no_quorum() {
    with_committees(30, || {
        let outcomes = again([Nothing; 5]);
        assert_eq!(outcomes, [Outcome::NoQuorumAgain, Outcome::NoQuorumAgain, Outcome::NoQuorum]);
        assert_eq!(Undecided::get(), [SUBMISSIONS]);
    });
}

#[test]
fn a_last_revealer_who_waits_loses_and_decides_nothing() {
    with_committees(30, || {
        let file = judged([GOOD, GOOD, GOOD, Reject, Waits]);
        unchallenged();
        file.ended(Outcome::Accepted);
        assert_eq!(file.gains(&file.first), [PAY, PAY, PAY, 0, -MISSED]);
    });
}

/// Tried until it is over; answers in which sessions.
fn never_drawn(draw: DrawId) -> Vec<u32> {
    let mut tried = Vec::new();
    for _ in 0..600 {
        let before = Draws::<Test>::get(draw).map(|record| record.draw.session());
        CurrentSession::mutate(|session| *session += 1);
        block();
        let after = Draws::<Test>::get(draw).map(|record| record.draw.session());
        if before != after {
            tried.push(CurrentSession::get());
        }
        if after.is_none() {
            break;
        }
    }
    block();
    assert_eq!(Draws::<Test>::iter_keys().count(), 0);
    assert_eq!(Undecided::get(), [SUBMISSIONS, SUBMISSIONS + 1]);
    checked();
    tried
}

#[test]
fn too_few_seats() {
    with_committees(4, || {
        let began = CurrentSession::get();
        let tried: Vec<_> = never_drawn(submit(2)).iter().map(|session| session - began).collect();
        assert_eq!(tried, [2, 513], "it waits for accounts, and not for ever");
        assert!(ended().iter().all(|(_, outcome)| *outcome == Outcome::TooFewSeats));
        assert_eq!(ended().len(), 2);
    });
}

/// As many accounts have seats as are wanted, and one has nearly all of them.
#[test]
fn where_seats_are_hard_to_find_another_seed_is_tried() {
    with_committees(5, || {
        CommitteeRules::set(Rules { seat: OPEN / 100, ..RULES });
        for _ in 0..32 {
            assert_ok!(Review::bond_seats(signed(FIRST), POOL, 64));
        }
        CurrentSession::mutate(|session| *session += 1);
        hurry(70);
        CommitteeRules::set(RULES);
        let began = CurrentSession::get();
        let id = submit(1);
        assert_eq!(record(id).draw.session(), Some(began + 2));
        CurrentSession::mutate(|session| *session += 2);
        block();
        assert_eq!(record(id).draw.session(), Some(began + 3), "twice as long each time");
        CurrentSession::mutate(|session| *session += 1);
        block();
        assert_eq!(record(id).draw.session(), Some(began + 5));
        assert_eq!(pallet_review::Parked::<Test>::iter_keys().count(), 0);
    });
}

#[test]
fn empty_budget() {
    with_committees(30, || {
        // A draw from before submitting set its money aside, and a budget that covers one file of its two.
        let draw = submit(2);
        Draws::<Test>::mutate(draw, |record| record.as_mut().unwrap().reserve = 0);
        Budgets::<Test>::mutate(DATANET, |budget| budget.settle(2 * RULES.reserve(), 0).unwrap());
        pallet_review::ReservedFor::<Test>::remove(DATANET, CONTRIBUTOR);
        checked();
        assert_ok!(Review::take_back(signed(OWNER), DATANET, 100 * OPEN - RULES.reserve()));
        assert_eq!(never_drawn(draw).len(), 1, "who pays later does not choose among seeds");
        assert!(ended().iter().all(|(_, outcome)| *outcome == Outcome::EmptyBudget));
    });
}

/// What an account has set aside bounds what it may have more of, and is no reason for a file to end never.
#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "Defensive failure has been triggered"))]
fn a_file_ends_whatever_is_said_to_be_set_aside_for_its_contributor() {
    with_committees(30, || {
        let file = judged([GOOD, GOOD, GOOD, Reject, Reject]);
        pallet_review::ReservedFor::<Test>::remove(DATANET, CONTRIBUTOR);
        hurry(12);
        file.ended(Outcome::Accepted);
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 3 * RULES.pay);
        assert_eq!(pallet_review::ReservedFor::<Test>::iter_keys().count(), 0);
    });
}

#[test]
fn every_row_of_the_table_has_a_test_of_its_name() {
    let tests = concat!(include_str!("outcomes.rs"), include_str!("challenged.rs"));
    for outcome in Outcome::ALL {
        let name = outcome.name().replace('-', "_");
        assert!(tests.contains(&format!("\nfn {name}() {{")), "no test of {outcome}");
    }
}
