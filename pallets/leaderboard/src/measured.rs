//! What the calls of `pallet_leaderboard` were measured to cost. Written by `scripts/benchmark`; not to be edited.
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
// pallet_leaderboard
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
// pallets/leaderboard/src/measured.rs

use crate::weights::{SubstrateWeight, WeightInfo};
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

macro_rules! measured {
    ($db:expr) => {
        fn fund() -> Weight {
            Weight::from_parts(81_751_000, 0)
                .saturating_add($db.reads(12))
                .saturating_add($db.writes(9))
        }

        fn fund_again() -> Weight {
            Weight::from_parts(70_305_000, 0)
                .saturating_add($db.reads(12))
                .saturating_add($db.writes(6))
        }

        fn set_terms_again() -> Weight {
            Weight::from_parts(20_510_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(2))
        }

        fn set_terms() -> Weight {
            Weight::from_parts(32_999_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(5))
        }

        fn claim() -> Weight {
            Weight::from_parts(67_591_000, 0)
                .saturating_add($db.reads(8))
                .saturating_add($db.writes(8))
        }

        fn claim_many(d: u32) -> Weight {
            Weight::from_parts(40_223_519, 0)
                .saturating_add(Weight::from_parts(25_231_264, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(4))
                .saturating_add($db.reads(4u64.saturating_mul(d.into())))
                .saturating_add($db.writes(2))
                .saturating_add($db.writes(6u64.saturating_mul(d.into())))
        }

        fn claim_again() -> Weight {
            Weight::from_parts(57_105_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(4))
        }

        fn claim_many_again(d: u32) -> Weight {
            Weight::from_parts(41_890_712, 0)
                .saturating_add(Weight::from_parts(13_836_850, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(4))
                .saturating_add($db.reads(3u64.saturating_mul(d.into())))
                .saturating_add($db.writes(2))
                .saturating_add($db.writes(2u64.saturating_mul(d.into())))
        }

        fn claim_many_idle(d: u32) -> Weight {
            Weight::from_parts(58_202_626, 0)
                .saturating_add(Weight::from_parts(7_182_429, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(7))
                .saturating_add($db.reads(2u64.saturating_mul(d.into())))
                .saturating_add($db.writes(4))
        }

        fn leave_again() -> Weight {
            Weight::from_parts(37_196_000, 0)
                .saturating_add($db.reads(9))
                .saturating_add($db.writes(4))
        }

        fn withdraw_again() -> Weight {
            Weight::from_parts(57_716_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(6))
        }

        fn leave() -> Weight {
            Weight::from_parts(48_242_000, 0)
                .saturating_add($db.reads(9))
                .saturating_add($db.writes(7))
        }

        fn withdraw() -> Weight {
            Weight::from_parts(69_003_000, 0)
                .saturating_add($db.reads(8))
                .saturating_add($db.writes(9))
        }

        fn set_payout() -> Weight {
            Weight::from_parts(39_619_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn on_accepted() -> Weight {
            Weight::from_parts(36_224_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(12))
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    measured!(T::DbWeight::get());
}

impl WeightInfo for () {
    measured!(ParityDbWeight::get());
}
