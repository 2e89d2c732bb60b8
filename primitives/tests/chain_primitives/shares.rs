//! Shares of a whole.

use openledger_primitives::{shares, PARTS};
use proptest::prelude::*;

#[test]
fn the_remainder_goes_to_the_largest_and_then_to_the_earliest() {
    assert_eq!(shares(&[1, 1, 1]), [333_333_334, 333_333_333, 333_333_333]);
    assert_eq!(shares(&[1, 2]), [333_333_333, 666_666_667]);
    assert_eq!(shares(&[5]), [PARTS]);
    assert_eq!(shares(&[0, 5, 0]), [0, PARTS, 0]);
    assert_eq!(shares(&[0, 0]), [0, 0]);
    assert_eq!(shares(&[]), [0; 0]);
    assert_eq!(shares(&[u64::MAX, u64::MAX]), [PARTS / 2, PARTS / 2]);
}

proptest! {
    #[test]
    fn shares_add_up_are_near_the_exact_ones_and_in_their_order(
        weights in prop::collection::vec(prop_oneof![0u64..10, any::<u64>()], 1..60),
    ) {
        let found = shares(&weights);
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        prop_assert_eq!(found.len(), weights.len());
        prop_assert_eq!(found.iter().sum::<u64>(), if total == 0 { 0 } else { PARTS });
        for (weight, share) in weights.iter().zip(&found) {
            let scaled = u128::from(*weight) * u128::from(PARTS);
            if let Some(exact) = scaled.checked_div(total) {
                prop_assert!(u128::from(*share) == exact || u128::from(*share) == exact + 1);
            }
            prop_assert!(*weight > 0 || *share == 0, "no weight, no share");
        }
        for (n, weight) in weights.iter().enumerate() {
            for (m, other) in weights.iter().enumerate() {
                prop_assert!(weight <= other || found[n] >= found[m], "more weight, no smaller share");
                prop_assert!(weight != other || n > m || found[n] >= found[m], "ties to the earlier");
            }
        }
    }
}
