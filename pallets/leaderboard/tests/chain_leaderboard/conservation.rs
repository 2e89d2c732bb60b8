//! Random use against a plain model that keeps every single acceptance.

use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{Balance, Points, RewardTerms, EXISTENTIAL_DEPOSIT};
use pallet_leaderboard::Error;
use std::collections::BTreeMap;

/// One Datanet's rewards, computed period by period without any shortcut.
#[derive(Default)]
struct Model {
    terms: RewardTerms,
    paid_in: Balance,
    available: Balance,
    earned_now: BTreeMap<AccountId, Points>,
    points: BTreeMap<AccountId, Points>,
    owed: BTreeMap<AccountId, Balance>,
    claimed: Balance,
}

impl Model {
    fn end_period(&mut self) {
        let points: Points = self.earned_now.values().sum();
        if points == 0 {
            return;
        }
        let budget = self.available.min(self.terms.per_period);
        let rate = (budget / points).min(self.terms.max_per_point);
        for (account, earned) in std::mem::take(&mut self.earned_now) {
            *self.owed.entry(account).or_default() += earned * rate;
            self.available -= earned * rate;
        }
    }

    fn owed(&self, account: AccountId) -> Balance {
        self.owed.get(&account).copied().unwrap_or(0)
    }
}

const ACCOUNTS: [AccountId; 8] = [3, 4, 5, 6, 7, 8, 1_000, 1_001];

fn random_use(seed: u64, steps: u32) {
    run(|| {
        let supply = Balances::total_issuance();
        let mut random = Random(seed);
        let mut models: [Model; 3] = Default::default();
        let mut period = 0;
        let mut claims = 0;
        for _ in 0..steps {
            let datanet = random.below(3) as u32;
            let account = ACCOUNTS[random.below(8) as usize];
            match random.below(10) {
                0..=3 => {
                    let points = u128::from(random.below(100) * random.below(10_000));
                    accepted(datanet, account, points);
                    let model = &mut models[datanet as usize];
                    if points > 0 {
                        *model.earned_now.entry(account).or_default() += points;
                        *model.points.entry(account).or_default() += points;
                    }
                }
                4 => {
                    let amount =
                        MINIMUM + u128::from(random.below(10 * EXISTENTIAL_DEPOSIT as u64));
                    let model = &mut models[datanet as usize];
                    let first = model.terms == RewardTerms::default();
                    if first {
                        model.terms = terms(1 + u128::from(random.next() >> 12), 1 << 40);
                    }
                    fund(datanet, amount, first.then_some(model.terms));
                    model.available += amount;
                    model.paid_in += amount;
                }
                5 => {
                    let new = terms(
                        1 + u128::from(random.next() >> random.below(40)),
                        1 + u128::from(random.next() >> random.below(60)),
                    );
                    assert_ok!(Leaderboard::set_terms(RuntimeOrigin::signed(OWNER), datanet, new));
                    models[datanet as usize].terms = new;
                }
                6..=7 => {
                    let model = &mut models[datanet as usize];
                    let owed = model.owed(account);
                    let exists = Balances::free_balance(account) > 0;
                    let expected = match owed {
                        0 => Err(Error::<Test>::NothingToClaim.into()),
                        _ if !exists && owed < EXISTENTIAL_DEPOSIT => {
                            Err(Error::<Test>::BelowExistentialDeposit.into())
                        }
                        _ => Ok(owed),
                    };
                    assert_eq!(claim(datanet, account), expected);
                    if expected.is_ok() {
                        claims += 1;
                        model.claimed += owed;
                        model.owed.remove(&account);
                    }
                }
                _ => {
                    let now = System::block_number() + 1 + random.below(25) as u32;
                    System::set_block_number(now);
                    if Leaderboard::period().0 > period {
                        period = Leaderboard::period().0;
                        models.iter_mut().for_each(Model::end_period);
                    }
                }
            }
            check(supply);
            for (datanet, model) in models.iter().enumerate() {
                for account in ACCOUNTS {
                    let datanet = datanet as u32;
                    assert_eq!(Leaderboard::claimable(datanet, &account), model.owed(account));
                    assert_eq!(
                        Leaderboard::points(datanet, &account),
                        model.points.get(&account).copied().unwrap_or(0)
                    );
                }
            }
        }
        assert!(claims > steps / 50, "the sequence pays now and then, this one {claims} times");
        for (datanet, model) in models.iter().enumerate() {
            let owed: Balance = model.owed.values().sum();
            assert_eq!(model.paid_in, model.claimed + owed + model.available);
            let mut expected: Vec<_> = model.points.iter().map(|(a, p)| (*p, *a)).collect();
            expected.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
            let board = Leaderboard::leaderboard(datanet as u32, None, 100);
            let points: Vec<_> = board.iter().map(|entry| entry.points).collect();
            assert_eq!(points, expected.iter().map(|(p, _)| *p).collect::<Vec<_>>());
        }
    });
}

#[test]
fn two_thousand_random_operations_agree_with_a_plain_model_to_the_planck() {
    random_use(1, 2_000);
}

#[test]
fn other_random_sequences_agree_too() {
    for seed in 2..6 {
        random_use(seed, 500);
    }
}
