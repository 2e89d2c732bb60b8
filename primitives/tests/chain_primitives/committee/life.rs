//! What members and others may do when, and what is refused.

use super::*;
use openledger_primitives::committee::{DrawError, Outcome, Phase, Progress, RulesError};

const SALT: [u8; 32] = [4; 32];

fn drawn() -> Draw<u64> {
    let mut life = review(2);
    begin(DRAW, &mut life, FIRST, 100);
    life
}

fn words(says: Says) -> Opinions {
    opinions(DRAW, says, 2)
}

fn sealed(who: u64, says: Says) -> H256 {
    commitment(DRAW, &seed_of(DRAW), &who, &words(says), &SALT)
}

const GOOD: Says = Accept(70, 500);

/// A draw in which everybody committed to accept.
fn committed() -> Draw<u64> {
    let mut life = drawn();
    for who in FIRST..FIRST + 5 {
        life.commit(&who, 100, sealed(who, GOOD), &LENGTHS).unwrap();
    }
    life
}

/// Refuses with `error`, and leaves the draw as it was.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    life: &Draw<u64>,
    error: DrawError,
    act: impl Fn(&mut Draw<u64>) -> Result<T, DrawError>,
) {
    let mut after = life.clone();
    assert_eq!(act(&mut after).unwrap_err(), error);
    assert_eq!(&after, life);
}

#[test]
fn a_committee_is_drawn_two_sessions_after_the_call() {
    let files = vec![file(0)];
    let purpose = Purpose::Review { asked: 0 };
    let life = Draw::new(purpose, CONTRIBUTOR, None, files, 10, 41).unwrap();
    assert_eq!(life.session(), Some(43));
}

#[test]
fn draws_hold_one_to_twenty_files_and_challenges_one() {
    let new = |purpose, files| {
        let files = (0..files).map(file).collect();
        Draw::<u64>::new(purpose, CONTRIBUTOR, None, files, 10, 0).map(drop)
    };
    let (review, challenge) =
        (Purpose::Review { asked: 0 }, Purpose::Challenge { draw: 1, file: 0 });
    assert_eq!(new(review, 0), Err(DrawError::Size));
    assert_eq!((new(review, 1), new(review, 20)), (Ok(()), Ok(())));
    assert_eq!(new(review, 21), Err(DrawError::Size));
    assert_eq!((new(challenge, 1), new(challenge, 2)), (Ok(()), Err(DrawError::Size)));
}

#[test]
fn a_committee_has_the_size_that_the_rules_say() {
    let life = review(1);
    for members in [0, 4, 6, 21, 22] {
        refused(&life, DrawError::Size, |life| {
            let members = (0..members).map(|n| (n, 0)).collect();
            life.begin(members, [1; 32], EXTRACTOR, 1, &RULES, &LENGTHS)
        });
    }
    for barred in [[9, 10, 11, 12, CONTRIBUTOR], [9, 10, 11, 12, 9]] {
        refused(&life, DrawError::Barred, |life| {
            let members = barred.map(|who| (who, 0)).to_vec();
            life.begin(members, [1; 32], EXTRACTOR, 1, &RULES, &LENGTHS)
        });
    }
    refused(&drawn(), DrawError::WrongPhase, |life| {
        life.begin((0..5).map(|n| (n, 0)).collect(), [1; 32], EXTRACTOR, 1, &RULES, &LENGTHS)
    });
}

#[test]
fn files_that_ended_otherwise_are_taken_out_before_the_draw_and_never_after() {
    let mut life = review(2);
    refused(&life, DrawError::NoFile, |life| life.take_out(9));
    assert_eq!(life.take_out(0), Ok(true));
    assert_eq!(life.take_out(1), Ok(false));
    assert_eq!(life.phase, Phase::Over);
    refused(&drawn(), DrawError::WrongPhase, |life| life.take_out(0));
}

#[test]
fn there_is_one_commitment_a_member_and_it_is_on_time() {
    let mut life = drawn();
    let Phase::Committing { by } = life.phase else { panic!("not drawn") };
    assert_eq!(by, 100 + LENGTHS.commit);
    life.commit(&FIRST, by, sealed(FIRST, GOOD), &LENGTHS).unwrap();
    let again = |life: &mut Draw<u64>| life.commit(&FIRST, by, H256::zero(), &LENGTHS);
    refused(&life, DrawError::AlreadyCommitted, again);
    let stranger = |life: &mut Draw<u64>| life.commit(&9, by, H256::zero(), &LENGTHS);
    refused(&life, DrawError::NotMember, stranger);
    let late = |life: &mut Draw<u64>| life.commit(&(FIRST + 1), by + 1, H256::zero(), &LENGTHS);
    refused(&life, DrawError::TooLate, late);
    refused(&review(1), DrawError::WrongPhase, again);
}

#[test]
fn reveals_open_when_all_have_committed_or_the_time_has_passed() {
    assert_eq!(committed().phase, Phase::Revealing { by: 100 + LENGTHS.reveal });
    let mut life = drawn();
    for who in FIRST..FIRST + 3 {
        life.commit(&who, 100, sealed(who, GOOD), &LENGTHS).unwrap();
    }
    let by = life.due().unwrap();
    refused(&life, DrawError::TooEarly, |life| life.open_reveals(by, &LENGTHS));
    let early = |life: &mut Draw<u64>| life.reveal(DRAW, &FIRST, 101, &words(GOOD), &SALT);
    refused(&life, DrawError::WrongPhase, early);
    // However late it is noticed, those who committed have their time.
    life.open_reveals(by + 1_000, &LENGTHS).unwrap();
    assert_eq!(life.due(), Some(by + 1_000 + LENGTHS.reveal));
    let late = |life: &mut Draw<u64>| life.commit(&(FIRST + 4), by + 1_000, H256::zero(), &LENGTHS);
    refused(&life, DrawError::WrongPhase, late);
}

#[test]
fn reveals_do_not_open_for_fewer_than_a_quorum() {
    let mut life = drawn();
    for who in FIRST..FIRST + 2 {
        life.commit(&who, 100, sealed(who, GOOD), &LENGTHS).unwrap();
    }
    let by = life.due().unwrap();
    refused(&life, DrawError::Size, |life| life.open_reveals(by + 1, &LENGTHS));
    assert!(!life.is_ready(by) && life.is_ready(by + 1));
    assert_eq!(life.decide(by + 1, &[], &RULES, &LENGTHS), Ok(vec![2, 3, 4]));
    assert_eq!(life.files[1].state, FileState::Over(Outcome::NoQuorumAgain));
}

#[test]
fn what_is_revealed_is_what_was_committed_to_by_the_same_account_in_the_same_draw() {
    let mut life = committed();
    let reveal = |draw, who, says, salt| {
        move |life: &mut Draw<u64>| life.reveal(draw, &who, 101, &words(says), &salt)
    };
    let other = DrawError::OtherCommitment;
    refused(&life, other, reveal(DRAW, FIRST, Reject, SALT));
    refused(&life, other, reveal(DRAW, FIRST, GOOD, [5; 32]));
    refused(&life, other, reveal(DRAW + 1, FIRST, GOOD, SALT));
    refused(&life, DrawError::NotMember, reveal(DRAW, 9, GOOD, SALT));
    refused(&life, DrawError::OtherFiles, |life| {
        life.reveal(DRAW, &FIRST, 101, &opinions(DRAW, GOOD, 1), &SALT)
    });
    refused(&life, DrawError::TooLate, |life| {
        life.reveal(DRAW, &FIRST, 100 + LENGTHS.reveal + 1, &words(GOOD), &SALT)
    });
    life.reveal(DRAW, &FIRST, 101, &words(GOOD), &SALT).unwrap();
    refused(&life, DrawError::AlreadyRevealed, reveal(DRAW, FIRST, GOOD, SALT));
}

#[test]
fn a_commitment_that_was_copied_opens_for_nobody() {
    let mut life = drawn();
    let copied = sealed(FIRST, GOOD);
    for who in FIRST..FIRST + 5 {
        life.commit(&who, 100, copied, &LENGTHS).unwrap();
    }
    refused(&life, DrawError::OtherCommitment, |life| {
        life.reveal(DRAW, &(FIRST + 1), 101, &words(GOOD), &SALT)
    });
    life.reveal(DRAW, &FIRST, 101, &words(GOOD), &SALT).unwrap();
}

#[test]
fn who_committed_nothing_reveals_nothing() {
    let mut life = drawn();
    for who in FIRST..FIRST + 4 {
        life.commit(&who, 100, sealed(who, GOOD), &LENGTHS).unwrap();
    }
    let now = life.due().unwrap() + 1;
    life.open_reveals(now, &LENGTHS).unwrap();
    let last = FIRST + 4;
    refused(&life, DrawError::NotCommitted, |life| {
        life.reveal(DRAW, &last, now, &words(GOOD), &SALT)
    });
    assert_eq!(life.members[4].progress, Progress::Drawn);
}

#[test]
fn a_draw_is_decided_when_nothing_more_can_come_and_once() {
    let mut life = committed();
    let votes = |n: usize| vec![Some(words(GOOD)); n];
    for who in FIRST..FIRST + 4 {
        life.reveal(DRAW, &who, 101, &words(GOOD), &SALT).unwrap();
    }
    refused(&life, DrawError::TooEarly, |life| {
        life.decide(100 + LENGTHS.reveal, &votes(4), &RULES, &LENGTHS)
    });
    life.reveal(DRAW, &(FIRST + 4), 101, &words(GOOD), &SALT).unwrap();
    life.decide(101, &votes(5), &RULES, &LENGTHS).unwrap();
    refused(&life, DrawError::WrongPhase, |life| life.decide(102, &votes(5), &RULES, &LENGTHS));
    refused(&review(1), DrawError::WrongPhase, |life| life.decide(1, &[], &RULES, &LENGTHS));
}

fn judged(says: Says) -> (Draw<u64>, u32) {
    let mut life = drawn();
    let (_, now) = judge(DRAW, &mut life, &[says; 5], 100);
    (life, now)
}

#[test]
fn anyone_but_its_majority_challenges_an_acceptance_and_only_its_contributor_a_refusal() {
    let mut life = drawn();
    let (_, now) = judge(DRAW, &mut life, &[GOOD, GOOD, GOOD, Reject, Unavailable], 100);
    let by =
        |who: u64| move |life: &mut Draw<u64>| life.challenge(DRAW, 0, &who, now, 5, CHALLENGE);
    refused(&life, DrawError::OwnVerdict, by(FIRST + 2));
    let mut challenged = life.clone();
    let other = by(FIRST + 3)(&mut challenged).unwrap();
    assert_eq!((other.session(), other.wanted(&RULES)), (Some(7), 15));
    assert_eq!(other.challenger, Some(FIRST + 3));
    refused(&other, DrawError::Barred, |other| {
        let members = (0..15).map(|n| (FIRST + 3 + n, 0)).collect();
        other.begin(members, [1; 32], EXTRACTOR, 1, &RULES, &LENGTHS)
    });
    assert_eq!(other.files[0].state, FileState::Open);
    refused(&challenged, DrawError::AlreadyChallenged, by(CHALLENGER));
    refused(&challenged, DrawError::AlreadyChallenged, |life| life.conclude(0, now + 1_000));

    let (life, now) = judged(Reject);
    let by =
        |who: u64| move |life: &mut Draw<u64>| life.challenge(DRAW, 1, &who, now, 5, CHALLENGE);
    refused(&life, DrawError::NotContributor, by(CHALLENGER));
    assert!(by(CONTRIBUTOR)(&mut life.clone()).is_ok());
}

#[test]
fn challenges_come_in_time_and_on_what_may_be_challenged() {
    let (mut life, now) = judged(GOOD);
    let until = now + LENGTHS.challenge;
    let at = |file, block| {
        move |life: &mut Draw<u64>| life.challenge(DRAW, file, &CHALLENGER, block, 5, CHALLENGE)
    };
    refused(&life, DrawError::TooLate, at(0, until + 1));
    refused(&life, DrawError::NoFile, at(2, until));
    refused(&life, DrawError::TooEarly, |life| life.conclude(0, until));
    assert_eq!(life.conclude(0, until + 1), Ok(Outcome::Accepted));
    refused(&life, DrawError::NoFile, at(0, until));
    refused(&life, DrawError::NoFile, |life| life.conclude(0, until + 1));
    refused(&drawn(), DrawError::WrongPhase, at(0, 1));
}

#[test]
fn only_the_draw_that_was_asked_resolves_a_challenge_and_once() {
    let (mut life, now) = judged(GOOD);
    let mut other = life.challenge(DRAW, 0, &CHALLENGER, now, 5, CHALLENGE).unwrap();
    refused(&life, DrawError::WrongPhase, |life| life.resolve(0, CHALLENGE, &other, &RULES, true));
    begin(CHALLENGE, &mut other, LARGER, now);
    let mut says = [Reject; 15];
    says[..8].fill(Unavailable);
    judge(CHALLENGE, &mut other, &says, now);
    assert_eq!(other.files[0].state, FileState::Word(Finding::Unavailable));
    let other = &other;
    let by = |draw, file| move |life: &mut Draw<u64>| life.resolve(file, draw, other, &RULES, true);
    refused(&life, DrawError::NoFile, by(CHALLENGE + 1, 0));
    refused(&life, DrawError::NoFile, by(CHALLENGE, 1));
    assert_eq!(by(CHALLENGE, 0)(&mut life), Ok(Outcome::AcceptanceUnavailable));
    refused(&life, DrawError::NoFile, by(CHALLENGE, 0));
    assert!(matches!(life.phase, Phase::Judged { .. }), "the other file waits");
    life.conclude(1, now + LENGTHS.challenge + 1).unwrap();
    assert_eq!(life.phase, Phase::Over);
}

#[test]
fn what_was_not_decided_is_asked_again_a_bounded_number_of_times() {
    let mut life = review(3);
    let mut committees = 0;
    loop {
        committees += 1;
        begin(DRAW, &mut life, FIRST, 100);
        judge(DRAW, &mut life, &[Unavailable, Lacks, Unavailable, Unavailable, Unavailable], 100);
        let Some(again) = life.asked_again(8) else { break };
        assert_eq!((again.session(), again.files.len()), (Some(10), 3));
        life = again;
    }
    assert_eq!(committees, RULES.asks);
    assert_eq!(judged(GOOD).0.asked_again(1), None);
}

/// Only what every committee before had and could not compare is judged without what does not come: a contributor can see
/// to it that its file does not come, and not to others having it.
#[test]
fn the_last_committee_judges_without_an_earlier_file_where_those_before_it_lacked_it() {
    let lack = [Lacks, Lacks, Lacks, Reject, Unavailable];
    let hidden = [Unavailable, Unavailable, Unavailable, Reject, Lacks];
    let few = [Lacks, Lacks, Unavailable, Reject, Unavailable];
    for (says, compares) in [
        ([lack, lack], false),
        ([lack, hidden], true),
        ([hidden, lack], true),
        ([hidden, hidden], true),
        ([few, few], true),
    ] {
        let mut life = review(1);
        for says in says {
            assert!(life.purpose.must_compare(&RULES), "another one is left to ask");
            begin(DRAW, &mut life, FIRST, 100);
            judge(DRAW, &mut life, &says, 100);
            life = life.asked_again(8).expect("another committee");
        }
        assert_eq!(life.purpose.asked(), Some(RULES.asks - 1));
        assert_eq!(life.purpose.must_compare(&RULES), compares, "{says:?}");
        assert!(!life.purpose.leaves_another(&RULES));
    }
}

#[test]
fn rules_that_do_not_hold_together_are_refused() {
    assert_eq!(RULES.check(), Ok(()));
    let broken = |error, change: fn(&mut Rules)| {
        let mut rules = RULES;
        change(&mut rules);
        assert_eq!(rules.check(), Err(error));
    };
    broken(RulesError::Size, |rules| rules.size = 0);
    broken(RulesError::Size, |rules| rules.size = 4);
    broken(RulesError::Size, |rules| rules.size = 9);
    broken(RulesError::Asks, |rules| rules.asks = 0);
    broken(RulesError::MissedPays, |rules| rules.missed = rules.pay);
    broken(RulesError::BondBelowFees, |rules| rules.bond = 15 * rules.pay - 1);
    broken(RulesError::SlashBelowFees, |rules| rules.overturned = rules.pay);
    broken(RulesError::SeatBelowLoss, |rules| rules.seat = 20 * rules.missed - 1);
}
