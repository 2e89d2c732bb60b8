//! Shares of a whole that always add up.

use alloc::vec::Vec;

/// Parts that a whole is divided into: one part is 10⁻⁷ percent.
pub const PARTS: u64 = 1_000_000_000;

/// Each weight's share of [`PARTS`], by largest remainder: the shares add up to exactly [`PARTS`]
/// whenever any weight is positive. Ties go to the earlier weight.
pub fn shares(weights: &[u64]) -> Vec<u64> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if total == 0 {
        return alloc::vec![0; weights.len()];
    }
    let scaled = |weight: &u64| u128::from(*weight).saturating_mul(PARTS.into());
    let mut shares: Vec<u64> =
        weights.iter().map(|weight| (scaled(weight) / total) as u64).collect();
    let missing = PARTS.saturating_sub(shares.iter().sum());
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|n| {
        let remainder = weights.get(*n).map_or(0, |weight| scaled(weight) % total);
        (core::cmp::Reverse(remainder), *n)
    });
    for n in order.into_iter().take(missing as usize) {
        if let Some(share) = shares.get_mut(n) {
            *share = share.saturating_add(1);
        }
    }
    shares
}
