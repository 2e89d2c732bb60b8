//! What a seat among the validators takes.

use crate::Balance;

/// Least that has to stand behind an account for a seat beside incumbents with so much behind them: half of their median,
/// the lower of two in the middle. None where there is no incumbent.
///
/// ```
/// use openledger_primitives::staking::least_backing;
///
/// assert_eq!(least_backing(vec![]), None);
/// assert_eq!(least_backing(vec![90]), Some(45));
/// assert_eq!(least_backing(vec![90, 10, 40, 20]), Some(10));
/// ```
///
/// Whoever has a seat keeps it with [a fifth less](least_to_stay).
pub fn least_backing(mut incumbents: alloc::vec::Vec<Balance>) -> Option<Balance> {
    incumbents.sort_unstable();
    let middle = incumbents.len().checked_sub(1)? / 2;
    incumbents.get(middle).map(|median| median / 2)
}

/// Least that has to stand behind who has a seat, for it to keep it, where others need `least`. Were it as much, whoever
/// nominates others with next to nothing would take the seat of one that has just enough.
///
/// ```
/// use openledger_primitives::staking::least_to_stay;
///
/// assert_eq!(least_to_stay(50), 40);
/// ```
pub fn least_to_stay(least: Balance) -> Balance {
    least.saturating_sub(least / 5)
}
