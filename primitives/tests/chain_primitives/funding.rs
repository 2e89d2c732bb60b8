//! Shares of a pool under random use: none gains by another's coming or going.

use openledger_primitives::{
    funding::{KEPT_SHARES_BITS, MOST_SHARES_BITS},
    reward::PoolError,
    Balance, Exit, Funds, RewardTerms, Share, Shares, TOTAL_SUPPLY,
};
use proptest::prelude::*;

/// What the pallet takes a pool for paid out at.
const DUST: Balance = TOTAL_SUPPLY / 1_000_000_000_000;

/// A step in the life of a pool with three funders.
#[derive(Clone, Debug)]
enum Step {
    Fund(usize, Balance),
    /// Parts in 256 of what the funder holds.
    Leave(usize, u8),
    /// The period ends, and pays parts in 256 of what is available.
    End(u8),
    /// The same, and leaves this many plancks.
    Drain(u8),
    /// The same, and leaves a little more than what the pallet takes for paid out.
    NearlyDrain(u8),
    CountOut(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0usize..3, 1u128..TOTAL_SUPPLY / 100).prop_map(|(who, amount)| Step::Fund(who, amount)),
        2 => (0usize..3, any::<u8>()).prop_map(|(who, part)| Step::Leave(who, part)),
        3 => any::<u8>().prop_map(Step::End),
        1 => any::<u8>().prop_map(Step::Drain),
        3 => any::<u8>().prop_map(Step::NearlyDrain),
        2 => (0usize..3).prop_map(Step::CountOut),
    ]
}

#[derive(Clone, Default)]
struct Books {
    available: Balance,
    funds: Funds,
    shares: [Share; 3],
    exits: std::collections::BTreeMap<u32, Exit>,
    paid_in: Balance,
    earned: Balance,
    returned: Balance,
}

impl Books {
    fn settle(&mut self, who: usize) {
        let share = &mut self.shares[who];
        let exit =
            if share.has_left(&self.funds) { self.exits.get_mut(&share.batch) } else { None };
        share.settle(&mut self.funds, exit).expect("in range");
        self.exits.retain(|_, exit| !exit.is_done());
    }

    fn worth(&self, who: usize) -> Balance {
        self.shares[who].worth(&self.funds, self.available)
    }

    fn end(&mut self, paid: Balance) {
        self.available -= paid;
        self.earned += paid;
        if let Some((batch, exit)) = self.funds.let_go(self.available).expect("in range") {
            self.available -= exit.amount;
            self.exits.insert(batch, exit);
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Fund(who, amount) => {
                let before: Vec<Balance> = (0..3).map(|who| self.worth(who)).collect();
                let (minted, left) =
                    self.funds.mint(amount, self.available, DUST).expect("it can be funded");
                let paid_out = self.available <= DUST;
                self.exits.extend(left);
                self.settle(who);
                self.shares[who].shares += minted;
                self.available += amount;
                self.paid_in += amount;
                for other in (0..3).filter(|other| *other != who) {
                    let now = self.worth(other);
                    let forgotten = paid_out && now == 0;
                    assert!(forgotten || now.abs_diff(before[other]) <= 2, "{before:?} {now}");
                }
            }
            Step::Leave(who, part) => {
                self.settle(who);
                let shares = self.shares[who].shares / 255 * Shares::from(part);
                self.shares[who].leave(&mut self.funds, shares).expect("it has them");
            }
            Step::End(part) => self.end(self.available / 255 * Balance::from(part)),
            Step::Drain(rest) => self.end(self.available.saturating_sub(rest.into())),
            Step::NearlyDrain(rest) => {
                let rest = DUST + 1 + Balance::from(rest);
                self.end(self.available.saturating_sub(rest));
            }
            Step::CountOut(who) => {
                self.settle(who);
                let due = std::mem::take(&mut self.shares[who].due);
                self.funds.fetch(due).expect("it was on its way");
                self.returned += due;
            }
        }
    }
}

proptest! {
    #[test]
    fn every_planck_is_available_earned_or_on_its_way_back(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut books = Books::default();
        for step in steps {
            books.run(step);
            prop_assert_eq!(books.paid_in, books.available + books.earned + books.funds.away());
            prop_assert_eq!(books.returned, books.funds.returned);
            let due: Balance = books.shares.iter().map(|share| share.due).sum();
            let exits: Balance = books.exits.values().map(|exit| exit.amount).sum();
            prop_assert_eq!(books.funds.returning, due + exits);
            let mut books = books.clone();
            (0..3).for_each(|who| books.settle(who));
            let stays: Shares = books.shares.iter().map(|share| share.shares).sum();
            let leaves: Shares = books.shares.iter().map(|share| share.leaving).sum();
            let leavers = books.shares.iter().filter(|share| share.leaving > 0).count();
            prop_assert_eq!(books.funds.leavers as usize, leavers);
            // What counting in larger shares leaves over is nobody's.
            let over = |all: Shares, held: Shares| all - held <= if books.funds.scale == 0 { 0 } else { 400 };
            prop_assert!(over(books.funds.leaving, leaves));
            prop_assert!(over(books.funds.shares, stays + leaves + books.funds.unowned));
            prop_assert!(books.funds.shares >> MOST_SHARES_BITS == 0);
            prop_assert!(books.available == 0 || books.funds.shares > 0);
        }
    }

    #[test]
    fn who_funds_and_leaves_gets_no_more_than_it_paid(
        first in 1u128..TOTAL_SUPPLY / 2,
        paid in 0u8..=255,
        amount in 1u128..TOTAL_SUPPLY / 2,
    ) {
        let mut books = Books::default();
        books.run(Step::Fund(0, first));
        books.run(Step::End(paid));
        books.run(Step::Fund(1, amount));
        let (mut funds, share) = (books.funds, books.shares[1].shares);
        prop_assert_eq!(books.shares[1].leave(&mut funds, share), Ok(()));
        let (_, exit) = funds.let_go(books.available).expect("in range").expect("it leaves");
        prop_assert!(exit.amount <= amount);
        // A planck for each rounding, and what a share was worth.
        prop_assert!(exit.amount + 2 + first / 255 >= amount || exit.amount + amount / 255 >= amount);
    }

    #[test]
    fn who_paid_in_before_shares_are_counted_in_larger_ones_loses_less_than_a_planck(
        first in 10u128.pow(18)..TOTAL_SUPPLY / 2,
        amounts in prop::collection::vec((10u128.pow(18)..TOTAL_SUPPLY / 2, 1u128..1_000_000), 1..40),
    ) {
        // Each time paid out to a little more than nothing, and funded again.
        let (mut funds, mut scaled) = (Funds::default(), 0);
        let (shares, _) = funds.mint(first, 0, DUST).expect("in range");
        let mut share = Share { shares, ..Share::default() };
        for (amount, rest) in amounts {
            let mut available = DUST + rest;
            let worth = share.worth(&funds, available);
            let scale = funds.scale;
            let (minted, left) = funds.mint(amount, available, DUST).expect("it can be funded");
            prop_assert_eq!(left, None);
            available += amount;
            prop_assert!(share.worth(&funds, available) <= worth);
            prop_assert!(share.worth(&funds, available) + 1 >= worth);
            let new = Share { shares: minted, scale: funds.scale, ..Share::default() };
            prop_assert!(new.worth(&funds, available) <= amount);
            prop_assert!(new.worth(&funds, available) + 1 >= amount);
            prop_assert!(funds.shares >> MOST_SHARES_BITS == 0);
            if funds.scale > scale {
                scaled += 1;
                prop_assert!(funds.shares >> KEPT_SHARES_BITS <= 1);
                prop_assert!(funds.shares >> (KEPT_SHARES_BITS - 2) > 0);
            }
            share.settle(&mut funds, None).expect("in range");
        }
        prop_assert!(scaled <= 40);
    }

    #[test]
    fn shares_stay_within_their_type_however_often_a_pool_is_paid_out(
        amounts in prop::collection::vec((1u128..TOTAL_SUPPLY, 0u128..300), 1..40),
    ) {
        let (mut funds, mut available) = (Funds::default(), 0);
        for (amount, rest) in amounts {
            let amount = amount.min(TOTAL_SUPPLY - available);
            let (minted, _) = funds.mint(amount, available, DUST).expect("in range");
            available += amount;
            // At most the rest of before is nobody's, and each planck has one share.
            prop_assert!(minted <= amount);
            prop_assert!(funds.shares <= TOTAL_SUPPLY);
            available = available.min(rest);
        }
    }
}

#[test]
fn a_batch_is_counted_out_to_the_last_planck() {
    let mut exit = Exit { shares: 3, amount: 100, scale: 0, funders: 3 };
    assert_eq!((exit.take(1), exit.take(1), exit.take(1)), (Ok(33), Ok(33), Ok(34)));
    assert_eq!(exit, Exit::default());
    assert_eq!(exit.take(1), Err(PoolError::NotOwed));
    // Of shares counted in larger ones nothing may be left; the last funder takes what nobody has.
    let mut exit = Exit { shares: 3, amount: 100, scale: 7, funders: 3 };
    assert_eq!((exit.take(0), exit.take(1), exit.take(1)), (Ok(0), Ok(33), Ok(67)));
    assert!(exit.is_done());
}

#[test]
fn shares_that_leave_are_counted_in_larger_ones_like_those_that_stay() {
    let mut books = Books::default();
    books.run(Step::Fund(0, TOTAL_SUPPLY / 1_000));
    books.run(Step::Fund(1, 10_000));
    for who in [0, 1] {
        books.run(Step::Leave(who, 255));
    }
    let mut scales = vec![books.funds.scale];
    for _ in 0..3 {
        // Within one period only the payment of another way out brings this about; the rule is the same.
        books.earned += books.available - DUST - 1;
        books.available = DUST + 1;
        books.run(Step::Fund(2, TOTAL_SUPPLY / 1_000));
        scales.push(books.funds.scale);
    }
    assert!(scales[3] > 0, "{scales:?}");
    // The second one's shares are less than one of today's: it leaves with nothing, and holds up nobody.
    books.run(Step::End(0));
    for who in [1, 0] {
        books.run(Step::CountOut(who));
    }
    assert_eq!(books.exits.len(), 0);
    assert_eq!(books.paid_in, books.available + books.earned + books.funds.away());
    assert_eq!(books.funds.returning, 0);
}

#[test]
fn a_step_out_of_range_changes_nothing() {
    let mut funds = Funds { shares: 5, leaving: 6, leavers: 1, ..Funds::default() };
    let before = funds;
    assert_eq!(funds.let_go(10), Err(PoolError::NotOwed));
    assert_eq!(funds.fetch(1), Err(PoolError::NotOwed));
    assert_eq!(funds, before);
    let mut share = Share { shares: 5, ..Share::default() };
    assert_eq!(share.leave(&mut funds, 6), Err(PoolError::NotOwed));
    assert_eq!((share.shares, funds), (5, before));
}

#[test]
fn terms_loosen_when_either_limit_rises() {
    let terms = |per_period, max_per_point| RewardTerms { per_period, max_per_point };
    let before = terms(10, 10);
    assert!(!before.loosens(&before));
    assert!(!terms(9, 10).loosens(&before) && !terms(10, 9).loosens(&before));
    assert!(terms(11, 1).loosens(&before) && terms(1, 11).loosens(&before));
}

#[test]
fn who_funds_a_nearly_empty_pool_keeps_its_shares() {
    // A pool paid out to a thousandth of a millionth, funded, paid out a little further, and funded again by
    // somebody who would have the others' shares void.
    let mut books = Books::default();
    books.run(Step::Fund(0, TOTAL_SUPPLY / 1_000));
    books.end(books.available - 2 * DUST);
    books.run(Step::Fund(1, 1_000_000 * DUST));
    books.end(books.available / 3 * 2);
    let worth = books.worth(1);
    assert!(worth > 333_000 * DUST);
    books.run(Step::Fund(2, 1_000 * DUST));
    assert!(books.worth(1).abs_diff(worth) <= 1);
}
