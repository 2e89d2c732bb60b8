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
            Weight::from_parts(180_930_000, 0)
                .saturating_add($db.reads(34))
                .saturating_add($db.writes(41))
        }

        fn cast_vote() -> Weight {
            Weight::from_parts(34_041_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(3))
        }

        fn refuse_by_vote() -> Weight {
            Weight::from_parts(66_509_000, 0)
                .saturating_add($db.reads(9))
                .saturating_add($db.writes(15))
        }

        fn vote_many(v: u32) -> Weight {
            Weight::from_parts(12_275_554, 0)
                .saturating_add(Weight::from_parts(171_668_144, 0).saturating_mul(v.into()))
                .saturating_add($db.reads(3))
                .saturating_add($db.reads(31u64.saturating_mul(v.into())))
                .saturating_add($db.writes(1))
                .saturating_add($db.writes(40u64.saturating_mul(v.into())))
        }

        fn resign() -> Weight {
            Weight::from_parts(26_119_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(2))
        }

        fn set_policy() -> Weight {
            Weight::from_parts(27_552_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(2))
        }

        fn raise_extractor() -> Weight {
            Weight::from_parts(4_837_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn ask_for_seats() -> Weight {
            Weight::from_parts(59_639_000, 0)
                .saturating_add($db.reads(10))
                .saturating_add($db.writes(6))
        }

        fn withdraw_seats() -> Weight {
            Weight::from_parts(37_546_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn top_up() -> Weight {
            Weight::from_parts(51_888_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(3))
        }

        fn serve_at() -> Weight {
            Weight::from_parts(13_390_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn commit() -> Weight {
            Weight::from_parts(23_976_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(3))
        }

        fn reveal() -> Weight {
            Weight::from_parts(50_355_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(4))
        }

        fn challenge() -> Weight {
            Weight::from_parts(80_981_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(7))
        }

        fn request_review(f: u32) -> Weight {
            Weight::from_parts(35_903_697, 0)
                .saturating_add(Weight::from_parts(5_872_885, 0).saturating_mul(f.into()))
                .saturating_add($db.reads(11))
                .saturating_add($db.reads(2u64.saturating_mul(f.into())))
                .saturating_add($db.writes(9))
                .saturating_add($db.writes(2u64.saturating_mul(f.into())))
        }

        fn fund_budget() -> Weight {
            Weight::from_parts(45_207_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(3))
        }

        fn set_budget_terms() -> Weight {
            Weight::from_parts(8_282_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn begin_block_idle() -> Weight {
            Weight::from_parts(13_260_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(2))
        }

        fn turn_pools(p: u32) -> Weight {
            Weight::from_parts(8_122_000, 0)
                .saturating_add(Weight::from_parts(82_355_758, 0).saturating_mul(p.into()))
                .saturating_add($db.reads(5))
                .saturating_add($db.reads(13u64.saturating_mul(p.into())))
                .saturating_add($db.writes(1))
                .saturating_add($db.writes(10u64.saturating_mul(p.into())))
        }

        fn move_seats(s: u32) -> Weight {
            Weight::from_parts(60_640_925, 0)
                .saturating_add(Weight::from_parts(42_721_800, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(14))
                .saturating_add($db.reads(5u64.saturating_mul(s.into())))
                .saturating_add($db.writes(6))
                .saturating_add($db.writes(6u64.saturating_mul(s.into())))
        }

        fn draw_committee() -> Weight {
            Weight::from_parts(229_292_000, 0)
                .saturating_add($db.reads(49))
                .saturating_add($db.writes(20))
        }

        fn postpone_draw() -> Weight {
            Weight::from_parts(2_375_784_000, 0)
                .saturating_add($db.reads(472))
                .saturating_add($db.writes(6))
        }

        fn ask_again() -> Weight {
            Weight::from_parts(245_687_000, 0)
                .saturating_add($db.reads(19))
                .saturating_add($db.writes(41))
        }

        fn decide_challenge() -> Weight {
            Weight::from_parts(598_493_000, 0)
                .saturating_add($db.reads(48))
                .saturating_add($db.writes(48))
        }

        fn settle_file() -> Weight {
            Weight::from_parts(392_636_000, 0)
                .saturating_add($db.reads(46))
                .saturating_add($db.writes(51))
        }

        fn resolve_challenge() -> Weight {
            Weight::from_parts(1_180_591_000, 0)
                .saturating_add($db.reads(90))
                .saturating_add($db.writes(111))
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    measured!(T::DbWeight::get());
}

impl WeightInfo for () {
    measured!(ParityDbWeight::get());
}
