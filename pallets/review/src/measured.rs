//! What the calls of `pallet_review` were measured to cost. Written by a program; not to be edited.
//!
//! Measured on 30 November 2026 on two cores of an AMD EPYC that were compiling other things (load 14), by the SDK's
//! own means (frame-benchmarking 50.0.0, sc-client-db 0.55.0, sc-executor 0.51.0) and, until frame-omni-bencher has run, not
//! by `scripts/benchmark`, which writes this file anew: 10 steps, 20 repeats, of which the shortest quarter counts, since a
//! busy machine interrupts. Reads and writes are counted, and exact. Proof sizes are left out: this is a chain of its own,
//! without a relay chain that would check proofs.

use crate::weights::{SubstrateWeight, WeightInfo};
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

macro_rules! measured {
    ($db:expr) => {
        fn vote() -> Weight {
            Weight::from_parts(206_588_000, 0)
                .saturating_add($db.reads(34))
                .saturating_add($db.writes(41))
        }

        fn vote_many(v: u32) -> Weight {
            Weight::from_parts(207_369_000, 0)
                .saturating_add(Weight::from_parts(254_597_746, 0).saturating_mul(v.into()))
                .saturating_add($db.reads(3))
                .saturating_add($db.reads(31u64.saturating_mul(v.into())))
                .saturating_add($db.writes(1))
                .saturating_add($db.writes(40u64.saturating_mul(v.into())))
        }

        fn resign() -> Weight {
            Weight::from_parts(31_507_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(2))
        }

        fn set_policy() -> Weight {
            Weight::from_parts(32_458_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(2))
        }

        fn raise_extractor() -> Weight {
            Weight::from_parts(5_468_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn ask_for_seats() -> Weight {
            Weight::from_parts(65_397_000, 0)
                .saturating_add($db.reads(9))
                .saturating_add($db.writes(9))
        }

        fn withdraw_seats() -> Weight {
            Weight::from_parts(42_013_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn top_up() -> Weight {
            Weight::from_parts(58_157_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(3))
        }

        fn commit() -> Weight {
            Weight::from_parts(37_125_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(3))
        }

        fn reveal() -> Weight {
            Weight::from_parts(70_324_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(4))
        }

        fn challenge() -> Weight {
            Weight::from_parts(102_794_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(7))
        }

        fn request_review(f: u32) -> Weight {
            Weight::from_parts(34_678_428, 0)
                .saturating_add(Weight::from_parts(6_400_739, 0).saturating_mul(f.into()))
                .saturating_add($db.reads(9))
                .saturating_add($db.reads(2u64.saturating_mul(f.into())))
                .saturating_add($db.writes(8))
                .saturating_add($db.writes(2u64.saturating_mul(f.into())))
        }

        fn fund_budget() -> Weight {
            Weight::from_parts(49_815_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(3))
        }

        fn set_budget_terms() -> Weight {
            Weight::from_parts(9_084_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn begin_block_idle() -> Weight {
            Weight::from_parts(14_712_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(2))
        }

        fn turn_pools(p: u32) -> Weight {
            Weight::from_parts(8_893_000, 0)
                .saturating_add(Weight::from_parts(81_535_368, 0).saturating_mul(p.into()))
                .saturating_add($db.reads(6))
                .saturating_add($db.reads(10u64.saturating_mul(p.into())))
                .saturating_add($db.writes(1))
                .saturating_add($db.writes(10u64.saturating_mul(p.into())))
        }

        fn move_seats(s: u32) -> Weight {
            Weight::from_parts(89_540_092, 0)
                .saturating_add(Weight::from_parts(36_198_822, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(12))
                .saturating_add($db.reads(5u64.saturating_mul(s.into())))
                .saturating_add($db.writes(5))
                .saturating_add($db.writes(6u64.saturating_mul(s.into())))
        }

        fn draw_committee() -> Weight {
            Weight::from_parts(258_195_000, 0)
                .saturating_add($db.reads(49))
                .saturating_add($db.writes(20))
        }

        fn postpone_draw() -> Weight {
            Weight::from_parts(2_504_425_000, 0)
                .saturating_add($db.reads(472))
                .saturating_add($db.writes(6))
        }

        fn ask_again() -> Weight {
            Weight::from_parts(272_526_000, 0)
                .saturating_add($db.reads(19))
                .saturating_add($db.writes(41))
        }

        fn decide_challenge() -> Weight {
            Weight::from_parts(667_776_000, 0)
                .saturating_add($db.reads(48))
                .saturating_add($db.writes(48))
        }

        fn settle_file() -> Weight {
            Weight::from_parts(486_025_000, 0)
                .saturating_add($db.reads(45))
                .saturating_add($db.writes(50))
        }

        fn resolve_challenge() -> Weight {
            Weight::from_parts(1_354_841_000, 0)
                .saturating_add($db.reads(89))
                .saturating_add($db.writes(110))
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    measured!(T::DbWeight::get());
}

impl WeightInfo for () {
    measured!(ParityDbWeight::get());
}
