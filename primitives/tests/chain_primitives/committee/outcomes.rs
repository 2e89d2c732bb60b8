//! The table: every outcome is reached by its own story, and moves what the table says.

use super::*;
use openledger_primitives::{
    committee::{
        life::Lack, settle, settle::overturned, settle::Committee, vote::confirms, Bond, DrawError,
        End, Majority, Outcome, Phase, MAX_TRIES,
    },
    ClosedList,
};

/// What happened to one file: its outcome and what every purse gained.
struct Ended {
    outcome: Outcome,
    purses: BTreeMap<Purse, i128>,
    absent: Vec<usize>,
}

impl Ended {
    fn of(&self, purse: Purse) -> i128 {
        self.purses.get(&purse).copied().unwrap_or(0)
    }

    fn paid(&self, committee: Committee, places: std::ops::Range<usize>) -> Vec<i128> {
        places.map(|place| self.of(Purse::Account(committee, place))).collect()
    }
}

const PAY: i128 = RULES.pay as i128;
const RESERVE: u128 = RULES.reserve();
const BOND: i128 = RULES.bond as i128;
const FIRST_ASKED: Purpose = Purpose::Review { asked: 0 };
const LAST_ASKED: Purpose = Purpose::Review { asked: RULES.asks - 1 };
const LOST: i128 = RULES.overturned as i128;

/// A file that so many committees were asked about before, and what the members of this one do.
fn unchallenged(before: Purpose, says: [Says; 5]) -> Ended {
    let mut life = draw_for(before, 1);
    begin(DRAW, &mut life, FIRST, 100);
    let (absent, now) = judge(DRAW, &mut life, &says, 100);
    if let Phase::Judged { until } = life.phase {
        assert_eq!(until, now + LENGTHS.challenge);
        assert_eq!(life.conclude(0, until), Err(DrawError::TooEarly));
        life.conclude(0, until + 1).unwrap();
    }
    ended(&life, absent, &[], 0)
}

/// The same file, challenged before a larger committee whose members do `larger`; `None` where it cannot
/// be drawn.
fn challenged(says: [Says; 5], larger: Option<[Says; 15]>) -> Ended {
    challenged_where(says, larger, false)
}

/// The same of a verdict that counts beyond its Datanet, or does not.
fn challenged_where(says: [Says; 5], larger: Option<[Says; 15]>, beyond: bool) -> Ended {
    challenged_after(FIRST_ASKED, says, larger, beyond)
}

/// The same of a file that committees were asked about before.
fn challenged_after(
    before: Purpose,
    says: [Says; 5],
    larger: Option<[Says; 15]>,
    beyond: bool,
) -> Ended {
    let mut life = draw_for(before, 1);
    begin(DRAW, &mut life, FIRST, 100);
    let (_, now) = judge(DRAW, &mut life, &says, 100);
    let refusal = matches!(life.files[0].state, FileState::Judged(Verdict::Reject(_)));
    let who = if refusal { CONTRIBUTOR } else { CHALLENGER };
    let mut other = life.challenge(DRAW, 0, &who, now + 1, 5, CHALLENGE).unwrap();
    let bond = RULES.bond;
    let own = says;
    let Some(says) = larger else {
        for tries in 1..=MAX_TRIES {
            assert_eq!(other.postpone(Lack::Seats), Ok(tries < MAX_TRIES));
        }
        life.resolve(0, CHALLENGE, &other, &RULES, beyond).unwrap();
        return ended(&life, vec![], &[], bond);
    };
    begin(CHALLENGE, &mut other, LARGER, 1_000);
    let (absent, _) = judge(CHALLENGE, &mut other, &says, 1_000);
    assert_eq!(other.phase, Phase::Over, "the word of a challenge is final");
    life.resolve(0, CHALLENGE, &other, &RULES, beyond).unwrap();
    let mut first = sides(&life, 0);
    if let FileState::Word(Finding::Verdict { verdict, .. }) = &other.files[0].state {
        for (side, own) in first.iter_mut().zip(own) {
            let own = opinion(DRAW, own).verdict;
            side.upheld = confirms(verdict, &own, &RULES);
        }
    }
    settled(&life, absent, &first, &sides(&other, 0), bond)
}

fn ended(life: &Draw<u64>, absent: Vec<usize>, larger: &[Side], bond: u128) -> Ended {
    settled(life, absent, &sides(life, 0), larger, bond)
}

fn settled(
    life: &Draw<u64>,
    absent: Vec<usize>,
    first: &[Side],
    larger: &[Side],
    bond: u128,
) -> Ended {
    assert_eq!(life.phase, Phase::Over);
    let FileState::Over(outcome) = life.files[0].state else { panic!("the file is not over") };
    let transfers = settle(outcome, &RULES, 0, RESERVE, first, larger, bond);
    let purses = conserved(&transfers, RESERVE, bond, |_| RULES.seat);
    // What the table says is what moves.
    let of = |purse| purses.get(&purse).copied().unwrap_or(0);
    let gains = |purse: &Purse| matches!(purse, Purse::Account(Committee::First, _));
    let paid = purses.iter().any(|(purse, gain)| gains(purse) && *gain > 0);
    let slashed = purses
        .iter()
        .any(|(p, gain)| matches!(p, Purse::Seat(Committee::First, _)) && *gain <= -LOST);
    let right = |side: &Side| side.upheld && side.stand == Stand::Agreed;
    let borne_out = first.iter().any(right);
    assert_eq!(paid, outcome.majority() == Majority::Paid || borne_out, "{outcome}");
    let loses =
        matches!(outcome.majority(), Majority::Slashed | Majority::Fined | Majority::Liable);
    assert_eq!(slashed, loses, "{outcome}");
    match outcome.bond() {
        Bond::None => assert_eq!(bond, 0),
        Bond::Back => assert_eq!(of(Purse::Challenger), bond as i128, "{outcome}"),
        Bond::Rewarded => assert!(of(Purse::Challenger) > bond as i128, "{outcome}"),
        Bond::Lost => assert_eq!(of(Purse::Challenger), 0, "{outcome}"),
    }
    Ended { outcome, purses, absent }
}

fn fifteen(most: Says, times: usize, rest: Says) -> Option<[Says; 15]> {
    let mut says = [rest; 15];
    says[..times].fill(most);
    Some(says)
}

const GOOD: Says = Accept(70, 500);

#[test]
fn accepted() {
    let ended = unchallenged(
        FIRST_ASKED,
        [Accept(60, 500), Accept(80, 500), Accept(90, 500), Reject, Unavailable],
    );
    assert_eq!(ended.outcome, Outcome::Accepted);
    assert_eq!(ended.outcome.end(), End::Leaf);
    assert_eq!(ended.paid(Committee::First, 0..5), [PAY, PAY, PAY, 0, 0]);
    assert_eq!(ended.of(Purse::Budget), 2 * PAY, "what nobody earned stays the Datanet's");
    assert_eq!(ended.of(Purse::Treasury), 0, "who dissents, or cannot fetch, loses nothing");
}

#[test]
fn refused() {
    let ended = unchallenged(FIRST_ASKED, [Reject, Reject, GOOD, Reject, Reject]);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::Refused, End::Refusal));
    assert_eq!(ended.paid(Committee::First, 0..5), [PAY, PAY, 0, PAY, PAY]);
}

#[test]
fn unavailable_again() {
    let ended = unchallenged(FIRST_ASKED, [Unavailable, Unavailable, Unavailable, GOOD, GOOD]);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::UnavailableAgain, End::Again));
    assert_eq!(ended.of(Purse::Budget), RESERVE as i128, "at no cost to the budget");
    assert_eq!(ended.purses.len(), 2, "nobody is paid, nobody loses");
}

#[test]
fn undecided_again() {
    let ended = unchallenged(FIRST_ASKED, [Lacks, Lacks, Lacks, GOOD, Reject]);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::UndecidedAgain, End::Again));
    assert_eq!(ended.purses.len(), 2, "nobody is paid, nobody loses");
    let last = unchallenged(LAST_ASKED, [Lacks; 5]);
    assert_eq!(last.outcome, Outcome::Unavailable, "no committee is left to ask");
}

#[test]
fn unavailable() {
    let ended = unchallenged(LAST_ASKED, [Unavailable; 5]);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::Unavailable, End::Nothing));
    assert_eq!(ended.of(Purse::Budget), RESERVE as i128);
    // What not one member had may not exist, and is asked for no more.
    for says in [[Unavailable; 5], [Unavailable, Unavailable, Unavailable, Nothing, Nothing]] {
        assert_eq!(unchallenged(FIRST_ASKED, says).outcome, Outcome::Unavailable);
    }
    // Who has it and cannot judge it leaves it to others as who cannot fetch it does.
    let some = [Unavailable, Lacks, Unavailable, Lacks, Reject];
    for (before, outcome) in
        [(FIRST_ASKED, Outcome::UnavailableAgain), (LAST_ASKED, Outcome::Unavailable)]
    {
        let ended = unchallenged(before, some);
        assert_eq!(ended.outcome, outcome);
        assert_eq!(ended.purses.len(), 2, "nobody is paid, nobody loses");
    }
}

#[test]
fn split_again() {
    let ended = unchallenged(FIRST_ASKED, [GOOD, GOOD, Reject, Reject, Unavailable]);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::SplitAgain, End::Again));
    assert_eq!(ended.of(Purse::Budget), RESERVE as i128);
}

#[test]
fn split() {
    let ended = unchallenged(LAST_ASKED, [GOOD, GOOD, Reject, Reject, Guess]);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::Split, End::Nothing));
    assert_eq!(ended.purses.len(), 2, "where nothing was found, nobody is known to be wrong");
}

#[test]
fn no_quorum_again() {
    let ended = unchallenged(FIRST_ASKED, [GOOD, GOOD, Nothing, Nothing, Nothing]);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::NoQuorumAgain, End::Again));
    assert_eq!(ended.absent, [2, 3, 4], "reveals never opened, so that nobody owes one");
    let ended = unchallenged(FIRST_ASKED, [GOOD, GOOD, Waits, Waits, Nothing]);
    assert_eq!(ended.outcome, Outcome::NoQuorumAgain);
    assert_eq!(ended.absent, [2, 3, 4]);
}

#[test]
fn no_quorum() {
    let ended = unchallenged(LAST_ASKED, [Nothing; 5]);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::NoQuorum, End::Nothing));
    assert_eq!(ended.of(Purse::Budget), RESERVE as i128);
}

#[test]
fn a_last_revealer_who_waits_decides_nothing_where_the_others_suffice() {
    let ended = unchallenged(FIRST_ASKED, [GOOD, GOOD, GOOD, Reject, Waits]);
    assert_eq!((ended.outcome, ended.absent.as_slice()), (Outcome::Accepted, &[4][..]));
    assert_eq!(ended.paid(Committee::First, 4..5), [0]);
    assert!(charge() > PAY, "it costs more than revealing would have paid");
}

#[test]
fn a_last_revealer_who_waits_where_the_others_do_not_suffice_brings_another_committee() {
    // With its word two of five would be three.
    let ended = unchallenged(FIRST_ASKED, [GOOD, GOOD, Waits, Nothing, Nothing]);
    assert_eq!((ended.outcome, ended.absent.as_slice()), (Outcome::NoQuorumAgain, &[2, 3, 4][..]));
}

#[test]
fn too_few_seats() {
    let lack = Lack::Seats;
    let mut life = review(2);
    let mut waited = Vec::new();
    while let Some(session) = life.session() {
        waited.push(session);
        life.postpone(lack).unwrap();
    }
    assert_eq!(waited, [2, 3, 5, 9, 17, 33, 65, 129, 257, 513], "twice as long each time");
    assert_eq!(life.phase, Phase::Over);
    assert_eq!(life.postpone(lack), Err(DrawError::WrongPhase));
    let FileState::Over(outcome) = life.files[1].state else { panic!("not over") };
    assert_eq!((outcome, outcome.end()), (Outcome::TooFewSeats, End::Nothing));
}

#[test]
fn empty_budget() {
    let mut life = review(2);
    assert_eq!(life.postpone(Lack::Budget), Ok(false), "nobody chooses among seeds by paying");
    let FileState::Over(outcome) = life.files[1].state else { panic!("not over") };
    assert_eq!((outcome, outcome.end()), (Outcome::EmptyBudget, End::Nothing));
}

#[test]
fn acceptance_upheld() {
    let ended = challenged([GOOD, GOOD, GOOD, Reject, Reject], fifteen(GOOD, 10, Reject));
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::AcceptanceUpheld, End::Leaf));
    assert_eq!(ended.paid(Committee::Larger, 0..15)[9..11], [PAY, 0]);
    let compensated = PAY + (BOND - 10 * PAY) / 3;
    assert_eq!(ended.paid(Committee::First, 0..5), [compensated, compensated, compensated, 0, 0]);
}

#[test]
fn acceptance_overturned() {
    let ended = challenged([GOOD, GOOD, GOOD, Reject, Guess], fifteen(Reject, 8, GOOD));
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::AcceptanceOverturned, End::Refusal));
    assert_eq!(ended.paid(Committee::First, 0..5), [0; 5]);
    let seats: Vec<_> =
        (0..5).map(|place| ended.of(Purse::Seat(Committee::First, place))).collect();
    assert_eq!(seats, [-LOST, -LOST, -LOST, 0, 0], "a part of a seat of each who said so");
    assert_eq!(ended.of(Purse::Challenger), BOND + 3 * LOST / 2, "half to the challenger");
    assert_eq!(ended.of(Purse::Treasury), 3 * LOST / 2 - 8 * PAY, "the other half pays the judges");
    assert_eq!(ended.of(Purse::Budget), RESERVE as i128, "the budget pays nobody");
}

#[test]
fn measured_anew() {
    for says in [Accept(70, 400), Accept(70 + RULES.score_tolerance / 2, 501), Accept(5, 500)] {
        let ended = challenged([GOOD; 5], fifteen(says, 15, says));
        assert_eq!(ended.outcome, Outcome::MeasuredAnew, "{says:?}");
        assert_eq!(ended.outcome.end(), End::LeafOfChallenge);
    }
    // The lower medians are one member's each: who said what the larger committee finds is paid, not charged.
    let (right, wrong) = (Accept(70, 209), Accept(70, 20));
    let ended = challenged([right, right, wrong, wrong, Reject], fifteen(right, 15, right));
    assert_eq!(ended.outcome, Outcome::MeasuredAnew);
    let seats: Vec<_> =
        (0..5).map(|place| ended.of(Purse::Seat(Committee::First, place))).collect();
    assert_eq!(seats, [0, 0, -LOST, -LOST, 0]);
    assert_eq!(ended.paid(Committee::First, 0..5), [PAY, PAY, 0, 0, 0]);
    assert_eq!(ended.of(Purse::Challenger), BOND + LOST);
    let near = Accept(70 - RULES.score_tolerance, 500);
    assert_eq!(challenged([GOOD; 5], fifteen(near, 15, near)).outcome, Outcome::AcceptanceUpheld);
}

#[test]
fn acceptance_unavailable() {
    let says = [GOOD, GOOD, GOOD, Unavailable, Guess];
    let ended = challenged(says, fifteen(Unavailable, 9, GOOD));
    assert_eq!(
        (ended.outcome, ended.outcome.end()),
        (Outcome::AcceptanceUnavailable, End::Nothing)
    );
    assert_eq!(ended.paid(Committee::Larger, 0..15), [0; 15], "who cannot fetch it earns nothing");
    assert_eq!(ended.paid(Committee::First, 0..5), [0; 5]);
    let seats: Vec<_> =
        (0..5).map(|place| ended.of(Purse::Seat(Committee::First, place))).collect();
    assert_eq!(seats, [-LOST, -LOST, -LOST, 0, 0], "who accepts it answers for it being there");
    assert_eq!(ended.of(Purse::Challenger), BOND, "looking costs nothing");
    assert_eq!(ended.of(Purse::Treasury), 3 * LOST, "nobody gains by hiding a file");
    assert_eq!(ended.of(Purse::Budget), RESERVE as i128, "the budget pays nobody");
}

#[test]
fn what_a_challenge_s_committee_is_shown_in_part_does_not_stand() {
    // Served to so many that neither those who refuse it nor those without it are a majority.
    for (refuse, without) in [(4, 4), (1, 7), (7, 1)] {
        let mut larger = [GOOD; 15];
        larger[..refuse].fill(Reject);
        larger[refuse..refuse + without].fill(Unavailable);
        let ended = challenged([GOOD; 5], Some(larger));
        assert_eq!(ended.outcome, Outcome::AcceptanceUnavailable, "{refuse} {without}");
        assert_eq!(ended.paid(Committee::Larger, 0..15), [0; 15]);
        // A refusal stands as it does without a verdict.
        assert_eq!(challenged([Reject; 5], Some(larger)).outcome, Outcome::RefusalStands);
    }
    // Nobody's silence counts as a word.
    let mut larger = [GOOD; 15];
    larger[..7].fill(Unavailable);
    larger[7..9].fill(Nothing);
    larger[9] = Guess;
    assert_eq!(challenged([GOOD; 5], Some(larger)).outcome, Outcome::AcceptanceStands);
    // A first committee that is shown a file in part is asked again.
    let ended = unchallenged(FIRST_ASKED, [Reject, Reject, Unavailable, GOOD, GOOD]);
    assert_eq!(ended.outcome, Outcome::SplitAgain);
}

#[test]
fn acceptance_stands() {
    for larger in [fifteen(Reject, 7, GOOD), fifteen(Reject, 7, Nothing), None] {
        let mut larger = larger;
        if let Some(says) = &mut larger {
            says[14] = Nothing;
        }
        let ended = challenged([GOOD; 5], larger);
        assert_eq!(ended.outcome, Outcome::AcceptanceStands, "{larger:?}");
        assert_eq!(ended.outcome.end(), End::Leaf);
        assert_eq!(ended.of(Purse::Challenger), BOND);
    }
}

#[test]
fn copy_accepted() {
    let says = [GOOD, GOOD, GOOD, Reject, Guess];
    let copied = |before| challenged_after(before, says, fifteen(Copied, 10, GOOD), false);
    // Whoever may leave it to another committee has compared what it accepts, and the last one too, if those before it had
    // not the file itself.
    let left = Purpose::Uncompared { asked: 1 };
    for before in [FIRST_ASKED, Purpose::Review { asked: 1 }, left, LAST_ASKED] {
        let ended = copied(before);
        assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::CopyAccepted, End::Refusal));
        let seats: Vec<_> =
            (0..5).map(|place| ended.of(Purse::Seat(Committee::First, place))).collect();
        assert_eq!(seats, [-LOST, -LOST, -LOST, 0, 0]);
        assert_eq!(ended.paid(Committee::First, 0..3), [0; 3]);
        // Nobody lives by leading members into it: the treasury has what pays nobody for their work.
        assert_eq!(
            ended.of(Purse::Challenger),
            BOND + 3 * PAY / 2,
            "half of what they are not paid"
        );
        assert_eq!(ended.paid(Committee::Larger, 9..11), [PAY, 0]);
        assert_eq!(ended.of(Purse::Treasury), 3 * LOST - 3 * PAY / 2 - 10 * PAY);
        assert_eq!(ended.of(Purse::Budget), RESERVE as i128);
    }
}

#[test]
fn acceptance_copied() {
    let says = [GOOD, GOOD, GOOD, Reject, Guess];
    let ended =
        challenged_after(Purpose::Uncompared { asked: 2 }, says, fifteen(Copied, 10, GOOD), false);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::AcceptanceCopied, End::Refusal));
    assert_eq!(ended.paid(Committee::First, 0..5), [0; 5]);
    assert!((0..5).all(|place| ended.of(Purse::Seat(Committee::First, place)) == 0));
    assert_eq!(ended.of(Purse::Challenger), BOND + 3 * PAY / 2, "half of what they are not paid");
    assert_eq!(ended.paid(Committee::Larger, 9..11), [3 * PAY / 2 / 10, 0]);
    assert_eq!(ended.of(Purse::Budget), RESERVE as i128 - 3 * PAY);
}

#[test]
fn acceptance_unjudged() {
    let ended = challenged_where([GOOD; 5], None, true);
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::AcceptanceUnjudged, End::Nothing));
    assert_eq!(ended.paid(Committee::First, 0..5), [PAY; 5]);
    assert_eq!(ended.of(Purse::Challenger), BOND);
    // In its Datanet alone it stands, as curators' would.
    assert_eq!(challenged([GOOD; 5], None).outcome, Outcome::AcceptanceStands);
    // A committee that was drawn and finds nothing is no lack of one.
    let split = challenged_where([GOOD; 5], fifteen(Reject, 7, GOOD), true);
    assert_eq!(split.outcome, Outcome::AcceptanceUpheld);
    let none = challenged_where([GOOD; 5], fifteen(Nothing, 8, GOOD), true);
    assert_eq!(none.outcome, Outcome::AcceptanceStands);
}

#[test]
fn refusal_upheld() {
    let ended = challenged([Reject; 5], fifteen(Reject, 15, Reject));
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::RefusalUpheld, End::Refusal));
    assert_eq!(ended.paid(Committee::First, 0..1), [PAY + (BOND - 15 * PAY) / 5]);
}

#[test]
fn refusal_overturned() {
    let ended = challenged([Reject, Reject, Reject, GOOD, GOOD], fifteen(GOOD, 8, Reject));
    let LeafOfChallenge = ended.outcome.end() else { panic!("{:?}", ended.outcome) };
    assert_eq!(ended.outcome, Outcome::RefusalOverturned);
    assert_eq!(ended.of(Purse::Challenger), BOND + 3 * LOST / 2);
}
use End::LeafOfChallenge;

#[test]
fn refusal_stands() {
    for larger in [fifteen(Unavailable, 15, Reject), fifteen(GOOD, 7, Reject), None] {
        let mut larger = larger;
        if let Some(says) = larger.as_mut().filter(|says| says[0] == GOOD) {
            says[14] = Unavailable;
        }
        let ended = challenged([Reject; 5], larger);
        assert_eq!(ended.outcome, Outcome::RefusalStands);
        assert_eq!((ended.outcome.end(), ended.of(Purse::Challenger)), (End::Refusal, BOND));
    }
}

#[test]
fn refusal_undecided() {
    let part = |lack: usize, accept: usize, rest: Says| {
        let mut says = [rest; 15];
        says[..lack].fill(Lacks);
        says[lack..lack + accept].fill(GOOD);
        Some(says)
    };
    // Most have it; who is shown the earlier file, or lies, or cannot fetch it, are too few to have it checked.
    for larger in [
        part(15, 0, Copied),
        part(8, 0, Copied),
        part(8, 0, Unavailable),
        part(5, 3, Copied),
        part(1, 7, Copied),
        part(4, 4, Nothing),
    ] {
        let ended = challenged([Copied; 5], larger);
        assert_eq!(
            (ended.outcome, ended.outcome.end()),
            (Outcome::RefusalUndecided, End::Nothing),
            "{larger:?}"
        );
        assert_eq!(ended.paid(Committee::First, 0..5), [0; 5]);
        assert_eq!(ended.paid(Committee::Larger, 0..15), [0; 15]);
        assert_eq!(ended.of(Purse::Challenger), BOND);
        assert_eq!(ended.of(Purse::Budget), RESERVE as i128);
    }
    // Who hides its own file has nobody who proves to have it; no other reason needs an earlier one.
    for (first, larger) in [
        (Copied, part(7, 0, Unavailable)),
        (Copied, part(3, 4, Unavailable)),
        (Reject, part(15, 0, Copied)),
        (Harmful, part(8, 0, Copied)),
    ] {
        let ended = challenged([first; 5], larger);
        assert_eq!(ended.outcome, Outcome::RefusalStands, "{first:?} {larger:?}");
    }
    // A verdict is a verdict, whoever lacks an earlier file.
    for (larger, outcome) in [
        (part(7, 0, Copied), Outcome::RefusalUpheld),
        (part(7, 8, Copied), Outcome::RefusalOverturned),
    ] {
        assert_eq!(challenged([Copied; 5], larger).outcome, outcome);
    }
    // Nobody answers for a file that is there and cannot be judged.
    for larger in [part(15, 0, GOOD), part(4, 4, Unavailable), part(4, 4, Reject)] {
        assert_eq!(challenged([GOOD; 5], larger).outcome, Outcome::AcceptanceStands);
    }
}

#[test]
fn refusal_eased() {
    let says = [Harmful, Harmful, Reject, Accept(70, 500), Harmful];
    let ended = challenged(says, fifteen(Reject, 15, Reject));
    assert_eq!((ended.outcome, ended.outcome.end()), (Outcome::RefusalEased, End::Refusal));
    let seats: Vec<_> =
        (0..5).map(|place| ended.of(Purse::Seat(Committee::First, place))).collect();
    assert_eq!(seats, [-LOST, -LOST, 0, 0, -LOST]);
    assert_eq!(ended.paid(Committee::First, 0..5), [0, 0, PAY, 0, 0]);
    assert_eq!(ended.of(Purse::Challenger), BOND + 3 * LOST / 2);
    assert_eq!(ended.paid(Committee::Larger, 0..1), [PAY]);
    // A tombstone that is borne out, or that only the larger committee leaves, is no reason to appeal.
    for (says, larger) in [(Harmful, Harmful), (Reject, Harmful), (Reject, Reject)] {
        let ended = challenged([says; 5], fifteen(larger, 15, larger));
        assert_eq!(ended.outcome, Outcome::RefusalUpheld, "{says:?} {larger:?}");
    }
}

#[test]
fn every_row_of_the_table_has_a_test_of_its_name() {
    let tests = include_str!("outcomes.rs");
    for outcome in Outcome::ALL {
        let name = outcome.name().replace('-', "_");
        assert!(tests.contains(&format!("\nfn {name}() {{")), "no test of {outcome}");
    }
    assert_eq!(<Outcome as ClosedList>::ALL.len(), 24);
}

#[test]
fn a_seat_with_little_left_loses_only_that_and_those_who_were_right_are_paid_from_the_reserve() {
    let side = |stand, held| Side { stand, held, upheld: false };
    let agreed = openledger_primitives::committee::Stand::Agreed;
    let first = [side(agreed, 3), side(agreed, 0), side(agreed, 4)];
    let larger = [side(agreed, RULES.seat); 15];
    let held = |purse| match purse {
        Purse::Seat(Committee::First, place) => first[place].held,
        _ => RULES.seat,
    };
    let done =
        settle(Outcome::AcceptanceOverturned, &RULES, 0, RESERVE, &first, &larger, RULES.bond);
    let purses = conserved(&done, RESERVE, RULES.bond, held);
    assert_eq!(purses[&Purse::Challenger], BOND + 3);
    let paid = purses[&Purse::Account(Committee::Larger, 14)];
    assert_eq!(paid, (RESERVE as i128 + 4) / 15);
    assert_eq!(purses[&Purse::Treasury], (RESERVE as i128 + 4) % 15);
}

#[test]
fn a_seat_covers_a_call_of_twenty_files_that_are_all_overturned() {
    // As little as a seat that is drawn has left.
    for held in [RULES.seat * 3 / 4, RULES.seat] {
        let mut held = held;
        let lost: Vec<_> = (0..20)
            .rev()
            .map(|left| {
                let lost = overturned(left, held, &RULES);
                held -= lost;
                lost
            })
            .collect();
        assert_eq!(lost[0], RULES.overturned, "one file costs as much as ever");
        // Half of it is the challenger's, and the other half pays fifteen.
        assert!(lost.iter().all(|one| one / 2 >= 15 * RULES.pay), "{lost:?}");
    }
    assert_eq!(overturned(19, RULES.pay, &RULES), RULES.pay, "never more than there is");
}
