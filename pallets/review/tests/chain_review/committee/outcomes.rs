//! The table of outcomes, on chain: every one is reached by its own story, moves what the table says, and
//! leaves a consistent state.

use super::story::*;
use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    committee::{Bond, DrawId, End, Outcome, Rules},
    Balance, RejectionReason, Verdict, OPEN,
};
use pallet_review::{Budgets, Draws, Error, Reveals};

/// What everybody has before a story, and what became of it.
struct Purses {
    balances: Vec<(AccountId, Balance)>,
}

impl Purses {
    fn now() -> Self {
        let all = |who: AccountId| (who, Balances::total_balance_of(who));
        Self { balances: (1..=REVIEWERS_TO).map(all).collect() }
    }

    fn gain(&self, who: AccountId) -> i128 {
        let (_, before) = self.balances.iter().find(|(one, _)| *one == who).unwrap();
        Balances::total_balance_of(who) as i128 - *before as i128
    }
}

trait Total {
    fn total_balance_of(who: AccountId) -> Balance;
}

impl Total for Balances {
    fn total_balance_of(who: AccountId) -> Balance {
        use frame_support::traits::fungible::Inspect;
        <Balances as Inspect<AccountId>>::total_balance(&who)
    }
}

const PAY: i128 = RULES.pay as i128;
const MISSED: i128 = RULES.missed as i128;
const LOST: i128 = RULES.overturned as i128;
const BOND: i128 = RULES.bond as i128;

/// One file judged by five.
struct Judged {
    draw: DrawId,
    first: Vec<AccountId>,
    purses: Purses,
}

fn judged(says: [Says; 5]) -> Judged {
    let draw = submit(1);
    let purses = Purses::now();
    let first = super::story::draw(draw);
    judge(draw, &says);
    Judged { draw, first, purses }
}

/// The same by the last committee that is asked, after others left it to that.
fn judged_last(says: [Says; 5]) -> Judged {
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
    fn gains(&self, members: &[AccountId]) -> Vec<i128> {
        members.iter().map(|who| self.purses.gain(*who)).collect()
    }

    /// Somebody challenges, and the larger committee says this; answers its members.
    fn challenged(&self, who: AccountId, says: [Says; 15]) -> Vec<AccountId> {
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
    fn ended(&self, outcome: Outcome) {
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

fn most(says: Says, times: usize, rest: Says) -> [Says; 15] {
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
fn acceptance_upheld() {
    with_committees(30, || {
        let file = judged([GOOD, GOOD, GOOD, Reject, Reject]);
        let larger = file.challenged(CHALLENGER, most(GOOD, 10, Reject));
        file.ended(Outcome::AcceptanceUpheld);
        let fees = 10 * PAY;
        assert_eq!(file.gains(&larger)[9..11], [PAY, 0]);
        let each = PAY + (BOND - fees) / 3;
        assert_eq!(file.gains(&file.first), [each, each, each, 0, 0]);
        assert_eq!(file.purses.gain(CHALLENGER), -BOND);
        assert_eq!(bond_of(CHALLENGER), 0);
    });
}

#[test]
fn acceptance_overturned() {
    with_committees(30, || {
        let file = judged([GOOD, GOOD, GOOD, Reject, Guess]);
        let larger = file.challenged(CHALLENGER, most(Reject, 8, GOOD));
        file.ended(Outcome::AcceptanceOverturned);
        assert_eq!(file.gains(&file.first), [-LOST, -LOST, -LOST, 0, 0]);
        assert_eq!(file.purses.gain(CHALLENGER), 3 * LOST / 2, "half of what they lose");
        assert_eq!(file.gains(&larger)[7..9], [PAY, 0]);
        assert_eq!(file.purses.gain(TREASURY), 3 * LOST / 2 - 8 * PAY);
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 0);
        let judges: Vec<_> = larger[..8].to_vec();
        assert_eq!(Judges::get(), judges, "its refusal is the larger committee's");
        for who in &file.first[..3] {
            assert_eq!(seats(*who).reviewer.held, RULES.seat - RULES.overturned);
            assert_eq!(held(*who), RULES.seat - RULES.overturned);
        }
    });
}

#[test]
fn measured_anew() {
    with_committees(30, || {
        let file = judged([GOOD; 5]);
        let other = Accept(70, 400);
        file.challenged(CHALLENGER, most(other, 15, other));
        file.ended(Outcome::MeasuredAnew);
        let [(_, _, Verdict::Accept { units, .. })] = Settled::get()[..] else { panic!() };
        assert_eq!(units, 400, "as the larger committee measured it");
        assert_eq!(file.gains(&file.first), [-LOST; 5]);
    });
}

#[test]
fn who_said_what_the_larger_committee_measures_does_not_lose_with_its_committee() {
    with_committees(30, || {
        // Two of four claim a tenth of the units, and the lower median is theirs.
        let (right, wrong) = (Accept(70, 209), Accept(70, 20));
        let file = judged([right, wrong, right, wrong, Reject]);
        let larger = file.challenged(CHALLENGER, [right; 15]);
        file.ended(Outcome::MeasuredAnew);
        let [(_, _, Verdict::Accept { units, .. })] = Settled::get()[..] else { panic!() };
        assert_eq!(units, 209);
        assert_eq!(file.gains(&file.first), [PAY, -LOST, PAY, -LOST, 0]);
        assert_eq!(file.purses.gain(CHALLENGER), LOST, "half of what the two lose");
        assert_eq!(file.gains(&larger), [PAY; 15]);
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 2 * RULES.pay);
        assert_eq!(Reveals::<Test>::iter_keys().count(), 0, "words are needed no more");
    });
}

#[test]
fn a_score_within_the_tolerance_of_the_larger_committee_s_is_no_loss() {
    with_committees(30, || {
        let file =
            judged([Accept(10, 500), Accept(10, 500), Accept(10, 500), Accept(60, 500), GOOD]);
        file.challenged(CHALLENGER, [Accept(80, 500); 15]);
        file.ended(Outcome::MeasuredAnew);
        assert_eq!(file.gains(&file.first), [-LOST, -LOST, -LOST, PAY, PAY]);
    });
}

#[test]
fn a_seat_covers_every_challenge_of_a_call() {
    with_committees(40, || {
        // Whoever looks challenges twelve files of one call, which a seat would not cover at full price.
        let draw = submit(12);
        let purses = Purses::now();
        let first = super::story::draw(draw);
        judge(draw, &[GOOD, GOOD, GOOD, Reject, Reject]);
        let by = pallet_review::NextDraw::<Test>::get();
        for file in 0..12 {
            assert_ok!(Review::challenge(signed(CHALLENGER), draw, file));
        }
        CurrentSession::mutate(|session| *session += 2);
        blocks(3);
        let mut judges = 0;
        for one in by..by + 12 {
            let treasury = Balances::total_balance_of(TREASURY);
            let gain = purses.gain(CHALLENGER);
            judge(one, &[Reject; 15]);
            if Draws::<Test>::contains_key(one) {
                block();
            }
            // Fifteen are paid, half is the challenger's, and what is left the treasury's.
            let rest = (Balances::total_balance_of(TREASURY) - treasury) as i128;
            let half = purses.gain(CHALLENGER) - gain;
            assert!(half >= 15 * PAY, "{half}");
            assert_eq!(half, rest + 15 * PAY);
            judges += 15 * PAY;
        }
        assert_eq!(ended().len(), 12);
        assert!(ended().iter().all(|(_, outcome)| *outcome == Outcome::AcceptanceOverturned));
        let lost: i128 = first[..3].iter().map(|who| -purses.gain(*who)).sum();
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 0);
        assert!(lost >= 2 * judges);
    });
}

#[test]
fn acceptance_unavailable() {
    with_committees(30, || {
        let file = judged([GOOD; 5]);
        file.challenged(CHALLENGER, most(Unavailable, 9, GOOD));
        file.ended(Outcome::AcceptanceUnavailable);
        assert_eq!(file.purses.gain(CHALLENGER), 0, "looking costs nothing");
        assert_eq!(bond_of(CHALLENGER), 0);
        assert_eq!(
            file.gains(&file.first),
            [-LOST; 5],
            "who accepts it answers for it being there"
        );
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 0);
        assert_eq!(Settled::get()[0].2, Verdict::Unavailable);
    });
}

/// Members hide a file that they accept, or a contributor hides it from everybody but them: who has it answers.
#[test]
fn nobody_gains_by_a_file_that_is_hidden_from_a_challenge() {
    for hides_from in [15, 8] {
        for first in [[GOOD; 5], [GOOD, GOOD, GOOD, Unavailable, Unavailable]] {
            with_committees(30, || {
                let file = judged(first);
                let larger = file.challenged(CHALLENGER, most(Unavailable, hides_from, GOOD));
                file.ended(Outcome::AcceptanceUnavailable);
                let mut lost = 0;
                for (who, said) in file.first.iter().zip(first) {
                    let expected = if said == GOOD { -LOST } else { 0 };
                    assert_eq!(file.purses.gain(*who), expected);
                    lost -= expected;
                }
                assert_eq!(file.purses.gain(TREASURY), lost, "all of it is nobody's");
                assert_eq!(file.purses.gain(CHALLENGER), 0);
                assert_eq!(file.purses.gain(CONTRIBUTOR), 0, "who has no leaf, and no quota back");
                assert_eq!(file.gains(&larger), [0; 15], "saying so is no way to be paid");
                let budget = Budgets::<Test>::get(DATANET);
                assert_eq!((budget.spent, budget.available), (0, 100 * OPEN));
            });
        }
    }
}

#[test]
fn whoever_shows_a_file_to_half_of_a_challenge_s_committee_does_not_have_it_stand() {
    with_committees(30, || {
        let file = judged([GOOD; 5]);
        let mut says = most(Reject, 5, GOOD);
        says[5..10].fill(Unavailable);
        let larger = file.challenged(CHALLENGER, says);
        file.ended(Outcome::AcceptanceUnavailable);
        assert_eq!(file.gains(&file.first), [-LOST; 5]);
        assert_eq!(file.gains(&larger), [0; 15]);
    });
}

#[test]
fn a_call_of_files_that_are_not_there_costs_no_more_than_a_seat() {
    with_committees(40, || {
        let draw = submit(12);
        let first = super::story::draw(draw);
        let purses = Purses::now();
        judge(draw, &[GOOD; 5]);
        let by = pallet_review::NextDraw::<Test>::get();
        for file in 0..12 {
            assert_ok!(Review::challenge(signed(OWNER), draw, file));
        }
        CurrentSession::mutate(|session| *session += 2);
        blocks(3);
        for one in by..by + 12 {
            judge(one, &[Unavailable; 15]);
            if Draws::<Test>::contains_key(one) {
                block();
            }
        }
        assert!(ended().iter().all(|(_, outcome)| *outcome == Outcome::AcceptanceUnavailable));
        let lost: Vec<_> = first.iter().map(|who| -purses.gain(*who)).collect();
        assert!(lost
            .iter()
            .all(|lost| (12 * 3 * OPEN as i128..=RULES.seat as i128).contains(lost)));
        assert_eq!(purses.gain(TREASURY), lost.iter().sum::<i128>());
        assert_eq!(purses.gain(OWNER), 0, "an owner who looks for every file pays nothing");
    });
}

#[test]
fn acceptance_stands() {
    with_committees(30, || {
        let file = judged([GOOD; 5]);
        let mut says = most(Reject, 7, GOOD);
        says[14] = Nothing;
        file.challenged(CHALLENGER, says);
        file.ended(Outcome::AcceptanceStands);
        assert_eq!(file.gains(&file.first), [PAY; 5]);
        assert_eq!(file.purses.gain(CHALLENGER), 0);
    });
}

#[test]
fn an_acceptance_stands_where_no_larger_committee_can_be_drawn() {
    // 5, the contributor and the challenger leave 14 of 20, who are too few.
    with_committees(19, || {
        let file = judged([GOOD; 5]);
        assert_ok!(Review::challenge(signed(FIRST), file.draw, 0).or_else(|_| {
            // A member of the majority may not.
            Review::challenge(signed(CHALLENGER), file.draw, 0)
        }));
        for _ in 0..600 {
            CurrentSession::mutate(|session| *session += 1);
            block();
        }
        file.ended(Outcome::AcceptanceStands);
    });
}

#[test]
fn copy_accepted() {
    with_committees(30, || {
        let file = judged([GOOD, GOOD, GOOD, Reject, Guess]);
        let copy = RejectAs(RejectionReason::Duplicate);
        let larger = file.challenged(CHALLENGER, most(copy, 12, GOOD));
        file.ended(Outcome::CopyAccepted);
        assert_eq!(file.gains(&file.first), [-LOST, -LOST, -LOST, 0, 0]);
        assert_eq!(file.purses.gain(CHALLENGER), 3 * PAY / 2, "half of what they are not paid");
        assert_eq!(file.gains(&larger)[11..13], [PAY, 0]);
        assert_eq!(file.purses.gain(TREASURY), 3 * LOST - 3 * PAY / 2 - 12 * PAY);
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 0);
    });
}

#[test]
fn acceptance_copied() {
    with_committees(30, || {
        let file = judged_last([GOOD, GOOD, GOOD, Reject, Guess]);
        let copy = RejectAs(RejectionReason::Duplicate);
        let larger = file.challenged(CHALLENGER, most(copy, 12, GOOD));
        file.ended(Outcome::AcceptanceCopied);
        assert_eq!(
            file.gains(&file.first),
            [0; 5],
            "who did not see the other loses its pay alone"
        );
        assert_eq!(file.purses.gain(CHALLENGER), 3 * PAY / 2, "half of that, and the bond is back");
        assert_eq!(file.gains(&larger)[11..13], [3 * PAY / 2 / 12, 0]);
        assert_eq!(file.purses.gain(TREASURY), 0);
        assert_eq!(Budgets::<Test>::get(DATANET).spent, 3 * RULES.pay);
        assert_eq!(Judges::get(), larger[..12]);
    });
}

#[test]
fn acceptance_unjudged() {
    with_committees(30, || {
        let file = judged([GOOD; 5]);
        assert!(record(file.draw).global);
        // Where seats could leave at once, too few would be left to judge it again.
        leave_at_once();
        for who in (FIRST..FIRST + 30).filter(|who| !file.first.contains(who)).take(11) {
            assert_ok!(Review::unbond_seats(signed(who), POOL, 1));
        }
        assert_ok!(Review::challenge(signed(CHALLENGER), file.draw, 0));
        for _ in 0..600 {
            CurrentSession::mutate(|session| *session += 1);
            block();
        }
        file.ended(Outcome::AcceptanceUnjudged);
        assert_eq!(file.gains(&file.first), [PAY; 5]);
        assert_eq!(file.purses.gain(CHALLENGER), 0);
        assert_eq!(bond_of(CHALLENGER), 0);
        assert_eq!(Undecided::get(), [SUBMISSIONS], "without prejudice, and nothing counts");
    });
}

#[test]
fn refusal_upheld() {
    with_committees(30, || {
        let file = judged([Reject; 5]);
        assert_noop!(
            Review::challenge(signed(CHALLENGER), file.draw, 0),
            Error::<Test>::NotContributor
        );
        file.challenged(CONTRIBUTOR, [Reject; 15]);
        file.ended(Outcome::RefusalUpheld);
        assert_eq!(file.purses.gain(CONTRIBUTOR), -BOND);
        assert_eq!(file.purses.gain(file.first[0]), PAY + (BOND - 15 * PAY) / 5);
    });
}

#[test]
fn refusal_overturned() {
    with_committees(30, || {
        let file = judged([Reject, Reject, Reject, GOOD, GOOD]);
        let larger = file.challenged(CONTRIBUTOR, most(GOOD, 8, Reject));
        file.ended(Outcome::RefusalOverturned);
        assert_eq!(file.purses.gain(CONTRIBUTOR), 3 * LOST / 2);
        assert_eq!(Judges::get(), larger[..8]);
    });
}

/// Who calls a file a copy while an earlier one is hidden is paid for nothing that nobody can check.
#[test]
fn refusal_undecided() {
    let copy = RejectAs(RejectionReason::Duplicate);
    let mut shown_to_some = most(Lacks, 5, GOOD);
    shown_to_some[8..].fill(copy);
    for says in [[Lacks; 15], most(Lacks, 8, copy), most(Lacks, 8, Unavailable), shown_to_some] {
        with_committees(30, || {
            let file = judged([copy; 5]);
            let larger = file.challenged(CONTRIBUTOR, says);
            file.ended(Outcome::RefusalUndecided);
            assert_eq!(file.gains(&file.first), [0; 5], "neither paid nor charged");
            assert_eq!(file.gains(&larger), [0; 15]);
            assert_eq!((file.purses.gain(CONTRIBUTOR), bond_of(CONTRIBUTOR)), (0, 0));
            assert_eq!(file.purses.gain(TREASURY), 0);
            let budget = Budgets::<Test>::get(DATANET);
            assert_eq!((budget.available, budget.spent), (100 * OPEN, 0));
            assert_eq!(Undecided::get(), [SUBMISSIONS], "without prejudice");
        });
    }
}

/// A contributor who hides its own file has no proof that others had it, and no other reason is kept from being checked.
#[test]
fn refusals_that_are_not_for_a_copy_or_of_a_file_that_is_not_there_stand() {
    let copy = RejectAs(RejectionReason::Duplicate);
    for (first, larger) in [
        (copy, [Unavailable; 15]),
        (copy, most(Unavailable, 8, Lacks)),
        (copy, most(Lacks, 7, Unavailable)),
        (Reject, [Lacks; 15]),
    ] {
        with_committees(30, || {
            let file = judged([first; 5]);
            file.challenged(CONTRIBUTOR, larger);
            file.ended(Outcome::RefusalStands);
            assert_eq!(file.gains(&file.first), [PAY; 5]);
            assert_eq!(file.purses.gain(CONTRIBUTOR), 0);
        });
    }
}

/// Members of the larger committee who have a file and cannot judge it do not have those charged who accepted it.
#[test]
fn who_cannot_judge_a_file_does_not_say_that_it_is_not_there() {
    with_committees(30, || {
        let file = judged([GOOD; 5]);
        let mut says = most(Lacks, 4, Unavailable);
        says[11..].fill(GOOD);
        file.challenged(CHALLENGER, says);
        file.ended(Outcome::AcceptanceStands);
        assert_eq!(file.gains(&file.first), [PAY; 5]);
    });
}

#[test]
fn refusal_stands() {
    with_committees(30, || {
        let file = judged([Reject; 5]);
        file.challenged(CONTRIBUTOR, most(Unavailable, 15, Reject));
        file.ended(Outcome::RefusalStands);
        assert_eq!(file.purses.gain(CONTRIBUTOR), 0);
        assert_eq!(file.gains(&file.first), [PAY; 5]);
    });
}

#[test]
fn refusal_eased() {
    with_committees(30, || {
        let (harmful, poor) =
            (RejectAs(RejectionReason::Harmful), RejectAs(RejectionReason::LowQuality));
        let file = judged([harmful, poor, harmful, harmful, GOOD]);
        let larger = file.challenged(CONTRIBUTOR, [poor; 15]);
        file.ended(Outcome::RefusalEased);
        assert_eq!(Settled::get()[0].2, Verdict::Reject(RejectionReason::LowQuality));
        assert_eq!(Judges::get(), larger);
        assert_eq!(bond_of(CONTRIBUTOR), 0);
        assert_eq!(file.purses.gain(CONTRIBUTOR), 3 * LOST / 2, "and the bond is back");
        assert_eq!(file.gains(&file.first), [-LOST, PAY, -LOST, -LOST, 0]);
    });
}

#[test]
fn one_member_s_word_leaves_no_tombstone() {
    with_committees(30, || {
        let says = [
            RejectAs(RejectionReason::Harmful),
            RejectAs(RejectionReason::OffTopic),
            RejectAs(RejectionReason::LowQuality),
            GOOD,
            GOOD,
        ];
        let file = judged(says);
        unchallenged();
        file.ended(Outcome::Refused);
        assert_eq!(Settled::get()[0].2, Verdict::Reject(RejectionReason::LowQuality));
    });
}

#[test]
fn the_larger_committee_s_reason_stands_where_it_refuses_too() {
    with_committees(30, || {
        let file = judged([Reject; 5]);
        let poor = RejectAs(RejectionReason::LowQuality);
        let larger = file.challenged(CONTRIBUTOR, [poor; 15]);
        file.ended(Outcome::RefusalUpheld);
        assert_eq!(Settled::get()[0].2, Verdict::Reject(RejectionReason::LowQuality));
        assert_eq!(Judges::get(), larger);
        assert_eq!(file.purses.gain(CONTRIBUTOR), -BOND);
    });
}

#[test]
fn every_row_of_the_table_has_a_test_of_its_name() {
    let tests = include_str!("outcomes.rs");
    for outcome in Outcome::ALL {
        let name = outcome.name().replace('-', "_");
        assert!(tests.contains(&format!("\nfn {name}() {{")), "no test of {outcome}");
    }
}
