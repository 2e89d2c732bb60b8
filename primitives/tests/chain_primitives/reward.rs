//! Pools, positions and points.

use openledger_primitives::{
    reward::{points_for, PoolError},
    Balance, Period, Points, Pool, Position, RewardTerms, Score, TOTAL_SUPPLY,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A step in the life of a pool with four accounts.
#[derive(Clone, Debug)]
enum Step {
    Fund(Balance),
    Terms(RewardTerms),
    Earn(usize, Points),
    Claim(usize),
    Pass(Period),
}

fn step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![0u128..1_000, 0..TOTAL_SUPPLY];
    let terms = (1..TOTAL_SUPPLY, prop_oneof![1u128..50, 1..TOTAL_SUPPLY])
        .prop_map(|(per_period, max_per_point)| RewardTerms { per_period, max_per_point });
    prop_oneof![
        2 => amount.prop_map(Step::Fund),
        1 => terms.prop_map(Step::Terms),
        4 => (0usize..4, prop_oneof![1u128..10, 1..1_000_000_000_000u128])
            .prop_map(|(account, points)| Step::Earn(account, points)),
        3 => (0usize..4).prop_map(Step::Claim),
        3 => (1u32..4).prop_map(Step::Pass),
    ]
}

/// A pool with its accounts, moved as the pallet moves them.
#[derive(Default)]
struct Books {
    pool: Pool,
    positions: [Position; 4],
    rates: BTreeMap<Period, Balance>,
    now: Period,
    paid: [Balance; 4],
    acceptances: u64,
}

impl Books {
    fn settled(&mut self, account: usize) -> Result<&mut Position, PoolError> {
        if let Some((period, rate)) = self.pool.advance(self.now)? {
            assert_eq!(self.rates.insert(period, rate), None, "a period closes once");
        }
        let position = &mut self.positions[account];
        if position.period < self.pool.period && position.period_points > 0 {
            position.settle(self.rates[&position.period])?;
        }
        Ok(position)
    }

    fn run(&mut self, step: Step) -> Result<(), PoolError> {
        match step {
            Step::Fund(amount) => {
                self.settled(0)?;
                self.pool.fund(amount)
            }
            Step::Terms(terms) => {
                self.settled(0)?;
                self.pool.terms = terms;
                Ok(())
            }
            Step::Earn(account, points) => {
                let (now, sequence) = (self.now, self.acceptances);
                self.settled(account)?.earn(now, points, sequence)?;
                self.acceptances += 1;
                self.pool.earn(points)
            }
            Step::Claim(account) => {
                let position = self.settled(account)?;
                let owed = std::mem::take(&mut position.owed);
                self.paid[account] += owed;
                self.pool.claim(owed)
            }
            Step::Pass(periods) => {
                self.now += periods;
                Ok(())
            }
        }
    }

    /// What is owed to everyone, settled or not.
    fn owed(&self) -> Balance {
        self.positions
            .iter()
            .map(|position| {
                let rate = self.rates.get(&position.period).copied();
                let ended = position.period < self.pool.period;
                let unsettled = if ended { position.period_points } else { 0 };
                position.owed + unsettled * if unsettled > 0 { rate.expect("closed") } else { 0 }
            })
            .sum()
    }
}

proptest! {
    #[test]
    fn every_planck_paid_in_is_claimed_owed_or_available(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut books = Books::default();
        for step in steps {
            prop_assert_eq!(books.run(step), Ok(()));
            prop_assert!(books.pool.is_balanced(0));
            prop_assert_eq!(books.pool.owed, books.owed());
            prop_assert_eq!(books.pool.claimed, books.paid.iter().sum::<Balance>());
            let current: Points = books
                .positions
                .iter()
                .filter(|position| position.period == books.pool.period)
                .map(|position| position.period_points)
                .sum();
            prop_assert_eq!(books.pool.points, current);
        }
    }

    #[test]
    fn no_period_pays_more_than_its_terms_and_no_point_more_than_the_maximum(
        available in 0..TOTAL_SUPPLY,
        per_period in 0..TOTAL_SUPPLY,
        max_per_point in 0..TOTAL_SUPPLY,
        points in 1u128..1_000_000_000_000,
    ) {
        let terms = RewardTerms { per_period, max_per_point };
        let mut pool = Pool { total_in: available, available, terms, points, ..Pool::default() };
        let (period, rate) = pool.advance(1).expect("in range").expect("had points");
        prop_assert_eq!(period, 0);
        prop_assert!(rate <= max_per_point);
        prop_assert!(pool.owed <= per_period && pool.owed <= available);
        prop_assert!(pool.is_balanced(0));
        // Whole plancks a point: what is left over is less than one planck for each point.
        let budget = available.min(per_period);
        prop_assert!(rate == max_per_point || budget - pool.owed < points);
    }

    #[test]
    fn cutting_a_file_gains_nothing(
        score in 1u8..=100,
        pieces in prop::collection::vec(0u64..100_000, 1..40),
        cap in 1u64..1_000_000,
    ) {
        let score = Score::new(score).expect("within bounds");
        let units: u64 = pieces.iter().sum();
        let whole = points_for(score, units, cap);
        let cut: Points = pieces.iter().map(|piece| points_for(score, *piece, cap)).sum();
        // Below the cap nothing changes; above it no unit counts more than its score.
        if units <= cap {
            prop_assert_eq!(cut, whole);
        }
        prop_assert!(cut <= Points::from(score.get()) * Points::from(units));
        prop_assert!(whole <= Points::from(score.get()) * Points::from(cap));
    }

    #[test]
    fn cutting_an_account_gains_nothing(
        pieces in prop::collection::vec(1u128..1_000_000, 1..20),
        others in 0u128..1_000_000_000,
        available in 0..TOTAL_SUPPLY,
    ) {
        let together: Points = pieces.iter().sum();
        let terms = RewardTerms { per_period: available, max_per_point: Balance::MAX };
        let points = together + others;
        let mut pool = Pool { total_in: available, available, terms, points, ..Pool::default() };
        let (_, rate) = pool.advance(1).expect("in range").expect("had points");
        let paid = |points| {
            let mut position = Position { points, period_points: points, ..Position::default() };
            position.settle(rate).expect("in range");
            position.owed
        };
        prop_assert_eq!(pieces.iter().map(|piece| paid(*piece)).sum::<Balance>(), paid(together));
    }

    #[test]
    fn a_step_that_leaves_the_range_changes_nothing(
        large in (Balance::MAX - 1_000)..=Balance::MAX,
    ) {
        let full = Pool { total_in: large, available: large, ..Pool::default() };
        let mut pool = full;
        prop_assert_eq!(pool.fund(1_001), Err(PoolError::Overflow));
        prop_assert_eq!(pool, full);
        prop_assert_eq!(pool.claim(1), Err(PoolError::NotOwed));
        prop_assert_eq!(pool, full);

        let earned = Position { points: large, period_points: large, ..Position::default() };
        let mut position = earned;
        prop_assert_eq!(position.earn(1, 1_001, 9), Err(PoolError::Overflow));
        prop_assert_eq!(position.settle(2), Err(PoolError::Overflow));
        prop_assert_eq!(position, earned);

        let busy = Pool { points: large, ..Pool::default() };
        let mut pool = busy;
        prop_assert_eq!(pool.earn(1_001), Err(PoolError::Overflow));
        prop_assert_eq!(pool, busy);
    }
}

#[test]
fn a_pool_moves_only_forward() {
    let mut pool = Pool { period: 5, points: 3, available: 9, total_in: 9, ..Pool::default() };
    let before = pool;
    assert_eq!(pool.advance(5), Ok(None));
    assert_eq!(pool.advance(4), Ok(None));
    assert_eq!(pool, before);
}

#[test]
fn points_beyond_all_numbers_stay_at_the_greatest() {
    assert_eq!(points_for(Score::MAX, u64::MAX, u64::MAX), 100 * Points::from(u64::MAX));
}
