//! The table of outcomes, on chain, of files that were challenged.

use super::outcomes::*;
use super::story::*;
use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{committee::Outcome, RejectionReason, Verdict, OPEN};
use pallet_review::{Budgets, Draws, Error, Reveals};

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
