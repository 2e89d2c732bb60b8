//! What is done in a block and in a call fits into a block, whatever waits.

use crate::mock::*;
use frame_support::weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight};
use pallet_review::{committee::agenda::Steps, WeightInfo};

type Weights = pallet_review::weights::SubstrateWeight<Test>;

/// The block of the runtime: a second, of which normal calls take three quarters.
const BLOCK: u64 = WEIGHT_REF_TIME_PER_SECOND;

#[test]
fn the_most_that_a_block_begins_with_is_a_quarter_of_it() {
    let most = Weights::begin_block(Steps::BLOCK).ref_time();
    assert!(most <= BLOCK / 4, "{most} of {BLOCK}");
}

#[test]
fn a_call_is_a_small_part_of_a_block() {
    let calls: [(&str, Weight); 8] = [
        ("advance", Weights::advance()),
        ("bond_seats", Weights::bond_seats(64)),
        ("withdraw_seats", Weights::withdraw_seats()),
        ("commit", Weights::commit()),
        ("reveal", Weights::reveal()),
        ("challenge", Weights::challenge()),
        ("request_review", Weights::request_review(20)),
        ("fund_budget", Weights::fund_budget()),
    ];
    for (name, weight) in calls {
        assert!(weight.ref_time() <= BLOCK / 20, "{name}: {weight}");
    }
}

#[test]
fn a_block_without_anything_due_costs_a_few_reads() {
    let idle = Weights::begin_block(Steps::default()).ref_time();
    assert!(idle < BLOCK / 1_000, "{idle}");
}
