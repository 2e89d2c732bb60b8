//! What the calls of `pallet_review` were measured to cost. Written by `scripts/benchmark`; not to be edited.
//!
//! frame-omni-bencher 0.28.0 (frame-benchmarking-cli 64.0.0), 2026-11-30, AMD EPYC, 20 steps, 10 repeats.
//! Proof sizes are left out: this is a chain of its own, without a relay chain that would check proofs.

// Executed command:
// frame-omni-bencher
// v1
// benchmark
// pallet
// --runtime
// target/benchmarks.wasm
// --genesis-builder
// runtime
// --genesis-builder-preset
// local_testnet
// --pallet
// pallet_review
// --extrinsic
// *
// --steps
// 20
// --repeat
// 10
// --disable-proof-recording
// --no-storage-info
// --quiet
// --template
// scripts/benchmark.d/measured.hbs
// --output
// pallets/review/src/measured.rs

use crate::weights::{SubstrateWeight, WeightInfo};
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

macro_rules! measured {
    ($db:expr) => {
        fn vote() -> Weight {
            Weight::from_parts(178_636_000, 0)
                .saturating_add($db.reads(34))
                .saturating_add($db.writes(41))
        }

        fn cast_vote() -> Weight {
            Weight::from_parts(32_819_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(3))
        }

        fn refuse_by_vote() -> Weight {
            Weight::from_parts(64_286_000, 0)
                .saturating_add($db.reads(9))
                .saturating_add($db.writes(15))
        }

        fn vote_many(v: u32) -> Weight {
            Weight::from_parts(12_900_761, 0)
                .saturating_add(Weight::from_parts(164_436_449, 0).saturating_mul(v.into()))
                .saturating_add($db.reads(3))
                .saturating_add($db.reads(31u64.saturating_mul(v.into())))
                .saturating_add($db.writes(1))
                .saturating_add($db.writes(40u64.saturating_mul(v.into())))
        }

        fn resign() -> Weight {
            Weight::from_parts(25_368_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(2))
        }

        fn set_policy() -> Weight {
            Weight::from_parts(26_910_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(2))
        }

        fn raise_extractor() -> Weight {
            Weight::from_parts(4_767_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn ask_for_seats() -> Weight {
            Weight::from_parts(59_108_000, 0)
                .saturating_add($db.reads(10))
                .saturating_add($db.writes(6))
        }

        fn withdraw_seats() -> Weight {
            Weight::from_parts(36_925_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn top_up() -> Weight {
            Weight::from_parts(50_355_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(3))
        }

        fn serve_at() -> Weight {
            Weight::from_parts(13_020_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn commit() -> Weight {
            Weight::from_parts(21_442_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(3))
        }

        fn reveal() -> Weight {
            Weight::from_parts(47_421_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(4))
        }

        fn challenge() -> Weight {
            Weight::from_parts(77_646_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(7))
        }

        fn request_review(f: u32) -> Weight {
            Weight::from_parts(29_370_815, 0)
                .saturating_add(Weight::from_parts(5_847_109, 0).saturating_mul(f.into()))
                .saturating_add($db.reads(9))
                .saturating_add($db.reads(2u64.saturating_mul(f.into())))
                .saturating_add($db.writes(8))
                .saturating_add($db.writes(2u64.saturating_mul(f.into())))
        }

        fn fund_budget() -> Weight {
            Weight::from_parts(46_269_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(3))
        }

        fn set_budget_terms() -> Weight {
            Weight::from_parts(8_452_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn begin_block_idle() -> Weight {
            Weight::from_parts(13_370_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(2))
        }

        fn turn_pools(p: u32) -> Weight {
            Weight::from_parts(8_192_000, 0)
                .saturating_add(Weight::from_parts(81_883_717, 0).saturating_mul(p.into()))
                .saturating_add($db.reads(5))
                .saturating_add($db.reads(13u64.saturating_mul(p.into())))
                .saturating_add($db.writes(1))
                .saturating_add($db.writes(10u64.saturating_mul(p.into())))
        }

        fn move_seats(s: u32) -> Weight {
            Weight::from_parts(55_607_497, 0)
                .saturating_add(Weight::from_parts(42_504_719, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(14))
                .saturating_add($db.reads(5u64.saturating_mul(s.into())))
                .saturating_add($db.writes(6))
                .saturating_add($db.writes(6u64.saturating_mul(s.into())))
        }

        fn draw_committee() -> Weight {
            Weight::from_parts(230_524_000, 0)
                .saturating_add($db.reads(49))
                .saturating_add($db.writes(20))
        }

        fn postpone_draw() -> Weight {
            Weight::from_parts(2_313_010_000, 0)
                .saturating_add($db.reads(472))
                .saturating_add($db.writes(6))
        }

        fn ask_again() -> Weight {
            Weight::from_parts(241_470_000, 0)
                .saturating_add($db.reads(19))
                .saturating_add($db.writes(41))
        }

        fn decide_challenge() -> Weight {
            Weight::from_parts(594_868_000, 0)
                .saturating_add($db.reads(48))
                .saturating_add($db.writes(48))
        }

        fn settle_file() -> Weight {
            Weight::from_parts(374_669_000, 0)
                .saturating_add($db.reads(45))
                .saturating_add($db.writes(50))
        }

        fn resolve_challenge() -> Weight {
            Weight::from_parts(1_080_231_000, 0)
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
