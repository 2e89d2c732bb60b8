//! Calls at random: OPEN is conserved, the state is consistent, and everything ends.

use super::story::*;
use crate::mock::*;
use openledger_primitives::{
    committee::{commitment, BudgetTerms, Phase, Progress},
    RejectionReason, OPEN,
};
use pallet_review::{Budgets, Draws, NextDraw, Reviewers};

/// Numbers that the same seed gives again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What each account says of a draw: mostly the same as the others.
fn says(dice: &mut Dice) -> Says {
    match dice.roll(12) {
        0 => Reject,
        1 => Guess,
        2 => Unavailable,
        3 => Accept(10, 400),
        4 => Lacks,
        5 => RejectAs(RejectionReason::Duplicate),
        _ => GOOD,
    }
}

fn one(dice: &mut Dice, said: &mut std::collections::BTreeMap<(u64, AccountId), Says>) {
    let who = FIRST + dice.roll(45);
    let draws = NextDraw::<Test>::get();
    let recent = draws.saturating_sub(1 + dice.roll(6));
    match dice.roll(40) {
        0 => drop(Review::bond_seats(signed(who), POOL, 1 + dice.roll(3) as u32)),
        1 => drop(Review::unbond_seats(signed(who), POOL, 1)),
        2 => drop(Review::withdraw_seats(signed(who), POOL)),
        3 => drop(Review::top_up(signed(who), POOL)),
        4 => {
            let (first, files) = (1_000 + draws * 20, 1 + dice.roll(4));
            let free = Budgets::<Test>::get(DATANET).available;
            if free >= RULES.reserve() * u128::from(files) {
                submit_from(first, files);
            }
        }
        5 => drop(Review::fund_budget(signed(OWNER), DATANET, dice.roll(5) as u128 * OPEN)),
        6 => drop(Review::take_back(signed(OWNER), DATANET, dice.roll(3) as u128 * OPEN)),
        7 => drop(Review::challenge(signed(CONTRIBUTOR), recent, dice.roll(4) as u8)),
        8 => drop(Review::challenge(signed(who), recent, dice.roll(4) as u8)),
        9 => {
            let _ = Review::advance(signed(who));
        }
        10 => drop(Review::serve_at(signed(who), POOL, addresses(&["/ip4/203.0.113.7/tcp/4001"]))),
        11..=14 => block(),
        15 => {
            CurrentSession::mutate(|session| *session += 1);
            block();
        }
        _ => {
            // Somebody who has something to say.
            let Some(record) = Draws::<Test>::get(recent) else { return };
            let Some(member) = record.draw.members.get(dice.roll(15) as usize) else { return };
            let who = member.account;
            match (record.draw.phase, member.progress) {
                (Phase::Committing { .. }, Progress::Drawn) => {
                    let word = says(dice);
                    said.insert((recent, who), word);
                    let words = opinions(recent, word);
                    let sealed = commitment(recent, &record.draw.seed, &who, &words, &SALT);
                    let _ = Review::commit(signed(who), recent, sealed);
                }
                (Phase::Revealing { .. }, Progress::Committed(_)) if dice.roll(20) > 0 => {
                    let words = opinions(recent, said[&(recent, who)]);
                    let _ = Review::reveal(signed(who), recent, words, SALT);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn random_calls_conserve_everything_and_end() {
    for seed in 0..6 {
        with_committees(40, || {
            let issued = Balances::total_issuance();
            let terms = BudgetTerms { files_a_day: 10_000, share: 100 };
            Review::set_budget_terms(signed(OWNER), DATANET, terms).unwrap();
            let mut dice = Dice(seed);
            let mut said = Default::default();
            for step in 0..1_500 {
                one(&mut dice, &mut said);
                if step % 10 == 0 {
                    checked();
                }
            }
            assert_eq!(Balances::total_issuance(), issued);
            assert!(NextDraw::<Test>::get() > 20, "{} draws", NextDraw::<Test>::get());
            assert!(ended().len() > 10, "{} files ended", ended().len());
            // Whoever does nothing any more: everything ends by itself.
            for _ in 0..1_300 {
                CurrentSession::mutate(|session| *session += 1);
                block();
                if Draws::<Test>::iter_keys().count() == 0 {
                    break;
                }
            }
            sessions(20);
            assert_eq!(Draws::<Test>::iter_keys().collect::<Vec<_>>(), Vec::<u64>::new());
            assert_eq!(Waiting::get().len(), 2, "only the two that were there before wait");
            // And everybody gets out what is left.
            let pool = POOL;
            for who in FIRST..=REVIEWERS_TO {
                let _ = Review::withdraw_seats(signed(who), pool);
                let seats = seats(who).reviewer.seats;
                if seats > 0 {
                    frame_support::assert_ok!(Review::unbond_seats(
                        signed(who),
                        pool,
                        seats.min(64)
                    ));
                }
            }
            sessions(11);
            for who in FIRST..=REVIEWERS_TO {
                let _ = Review::withdraw_seats(signed(who), pool);
            }
            assert_eq!(Reviewers::<Test>::iter_keys().count(), 0);
            assert_eq!(Balances::total_issuance(), issued);
        });
    }
}
