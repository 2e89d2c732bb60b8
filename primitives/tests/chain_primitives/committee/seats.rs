//! Seats and budgets under use.

use openledger_primitives::{
    committee::{
        budget::BudgetError, seats::SeatError, Budget, BudgetTerms, GlobalPool, PoolId, PoolSize,
        Reviewer, Rules,
    },
    DailyQuota, Modality, OPEN,
};
use proptest::prelude::*;

const RULES: Rules = Rules::DEFAULT;
const SEAT: u128 = RULES.seat;

fn reviewer(seats: u32) -> Reviewer {
    let mut reviewer = Reviewer::default();
    assert_eq!(reviewer.take(seats, &RULES), Ok(SEAT * u128::from(seats)));
    reviewer
}

#[test]
fn seats_come_back_when_everything_that_was_judged_with_them_is_over() {
    let mut one = reviewer(2);
    let before = one.drawn();
    one.give_up(1).unwrap();
    assert_eq!(one.withdraw(&RULES), Err(SeatError::NotLeft));
    // Drawn once more before the pool let it go.
    let late = one.drawn();
    one.leave().unwrap();
    let after = one.drawn();
    assert_eq!(one.withdraw(&RULES), Err(SeatError::Judging));
    one.finished(before);
    one.finished(after);
    assert_eq!(one.withdraw(&RULES), Err(SeatError::Judging));
    one.finished(late);
    assert_eq!(one.withdraw(&RULES), Ok(SEAT));
    assert_eq!(one, Reviewer { seats: 1, held: SEAT, generation: 1, ..Default::default() });
}

#[test]
fn a_reviewer_who_goes_on_judging_gets_a_seat_back_all_the_same() {
    let mut one = reviewer(2);
    let before = one.drawn();
    one.give_up(1).unwrap();
    one.leave().unwrap();
    for _ in 0..10 {
        one.drawn();
    }
    one.finished(before);
    assert_eq!(one.withdraw(&RULES), Ok(SEAT));
    assert_eq!(one.open, 10);
}

#[test]
fn seats_leave_one_after_the_other_and_not_more_than_there_are() {
    let mut one = reviewer(2);
    assert_eq!(one.give_up(0), Err(SeatError::Count));
    assert_eq!(one.give_up(3), Err(SeatError::Count));
    assert_eq!(one.leave(), Err(SeatError::NotLeft));
    one.give_up(1).unwrap();
    assert_eq!(one.give_up(1), Err(SeatError::Leaving));
    one.leave().unwrap();
    assert_eq!(one.leave(), Err(SeatError::NotLeft));
    assert_eq!(one.take(0, &RULES), Err(SeatError::Count));
    assert_eq!(one.take(u32::MAX, &RULES), Err(SeatError::Count));
}

#[test]
fn what_is_lost_is_lost_to_who_leaves_and_bonded_anew_by_who_stays() {
    let mut one = reviewer(1);
    assert_eq!(one.lose(10 * OPEN), 10 * OPEN);
    assert_eq!(one.uncovered(&RULES), 0);
    assert_eq!(one.take(1, &RULES), Ok(SEAT + 10 * OPEN));
    one.lose(60 * OPEN);
    assert_eq!(one.uncovered(&RULES), 1, "140 of 200 cover one seat");
    assert_eq!(one.top_up(&RULES), 60 * OPEN);
    assert_eq!(one.uncovered(&RULES), 0);
    one.lose(30 * OPEN);
    one.give_up(2).unwrap();
    one.leave().unwrap();
    assert_eq!(one.withdraw(&RULES), Ok(170 * OPEN));
    assert_eq!(one.lose(1), 0);
}

#[test]
fn a_datanets_own_seats_count_nowhere_else_however_many() {
    let least = GlobalPool { seats: 30, age: 7 };
    let large =
        |pool: PoolId, accounts, seats| pool.is_large(PoolSize { seats, accounts }, &RULES, &least);
    let pool = PoolId::Modality(Modality::Text);
    assert!(large(pool, 25, 30) && !large(pool, 24, 30) && !large(pool, 25, 29));
    assert!(!large(PoolId::Datanet(0), u32::MAX, u32::MAX));
    assert!(!least.is_old(10, 16) && least.is_old(10, 17));
}

#[test]
fn what_counts_everywhere_costs_the_seats_of_many_for_a_week() {
    let GlobalPool { seats, age } = GlobalPool::DEFAULT;
    assert_eq!(RULES.seat * u128::from(seats), 25_000 * OPEN);
    assert_eq!(age, 7 * 24 * 60 * 20, "days of blocks of 3 seconds");
}

#[test]
fn a_budget_serves_so_many_files_a_day_and_no_account_takes_them_all() {
    let terms = BudgetTerms { files_a_day: 10, share: 25 };
    let (mut all, mut account) = (DailyQuota::default(), DailyQuota::default());
    assert!(account.try_consume(1, 3, 0, &terms.limits_of_account()).is_ok());
    assert!(account.try_consume(1, 1, 0, &terms.limits_of_account()).is_err());
    assert!(all.try_consume(1, 10, 0, &terms.limits()).is_ok());
    assert!(all.try_consume(1, 1, 0, &terms.limits()).is_err());
    assert!(all.try_consume(2, 1, 0, &terms.limits()).is_ok());
}

#[derive(Clone, Debug)]
enum Act {
    Fund(u128),
    Reserve(u128),
    Settle(u128, u128),
    TakeBack(u128),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0u128..100).prop_map(Act::Fund),
        Just(Act::Fund(u128::MAX)),
        (0u128..100).prop_map(Act::Reserve),
        (0u128..100, 0u128..100).prop_map(|(reserve, spent)| Act::Settle(reserve, spent)),
        (0u128..100).prop_map(Act::TakeBack),
    ]
}

proptest! {
    #[test]
    fn a_budget_is_conserved(acts in prop::collection::vec(any_act(), 0..60)) {
        let mut budget = Budget::default();
        for act in acts {
            let before = budget;
            let done: Result<(), BudgetError> = match act {
                Act::Fund(amount) => budget.fund(amount),
                Act::Reserve(amount) => budget.reserve(amount),
                Act::Settle(reserve, spent) => budget.settle(reserve, spent),
                Act::TakeBack(amount) => budget.take_back(amount),
            };
            prop_assert!(budget.is_conserved(), "{:?}", budget);
            if done.is_err() {
                prop_assert_eq!(budget, before);
            }
        }
    }
}
