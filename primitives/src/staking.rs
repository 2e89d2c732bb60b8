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
pub fn least_backing(mut incumbents: alloc::vec::Vec<Balance>) -> Option<Balance> {
    incumbents.sort_unstable();
    let middle = incumbents.len().checked_sub(1)? / 2;
    incumbents.get(middle).map(|median| median / 2)
}
