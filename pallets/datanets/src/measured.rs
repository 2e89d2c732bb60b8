//! What the calls of `pallet_datanets` were measured to cost. Written by `scripts/benchmark`; not to be edited.
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
// pallet_datanets
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
// pallets/datanets/src/measured.rs

use crate::weights::{SubstrateWeight, WeightInfo};
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

macro_rules! measured {
    ($db:expr) => {
        fn create_datanet() -> Weight {
            Weight::from_parts(42_003_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(5))
        }

        fn register() -> Weight {
            Weight::from_parts(70_024_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(6))
        }

        fn register_for() -> Weight {
            Weight::from_parts(72_208_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(4))
        }

        fn deregister() -> Weight {
            Weight::from_parts(43_896_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(6))
        }

        fn submit(i: u32) -> Weight {
            Weight::from_parts(77_522_011, 0)
                .saturating_add(Weight::from_parts(11_224_337, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(25))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(16))
                .saturating_add($db.writes(4u64.saturating_mul(i.into())))
        }

        fn withdraw() -> Weight {
            Weight::from_parts(45_077_000, 0)
                .saturating_add($db.reads(10))
                .saturating_add($db.writes(12))
        }

        fn precommit(i: u32) -> Weight {
            Weight::from_parts(27_994_847, 0)
                .saturating_add(Weight::from_parts(146_852, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(3))
        }

        fn open_unrivalled(i: u32) -> Weight {
            Weight::from_parts(87_382_229, 0)
                .saturating_add(Weight::from_parts(13_977_971, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(26))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(17))
                .saturating_add($db.writes(4u64.saturating_mul(i.into())))
        }

        fn open_displacing(d: u32) -> Weight {
            Weight::from_parts(381_402_015, 0)
                .saturating_add(Weight::from_parts(28_912_126, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(65))
                .saturating_add($db.reads(5u64.saturating_mul(d.into())))
                .saturating_add($db.writes(95))
                .saturating_add($db.writes(7u64.saturating_mul(d.into())))
        }

        fn expire() -> Weight {
            Weight::from_parts(40_881_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(13))
        }

        fn set_caps() -> Weight {
            Weight::from_parts(8_874_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(2))
        }

        fn bar() -> Weight {
            Weight::from_parts(55_243_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(4))
        }

        fn clear_entries(e: u32) -> Weight {
            Weight::from_parts(52_194_992, 0)
                .saturating_add(Weight::from_parts(2_417_896, 0).saturating_mul(e.into()))
                .saturating_add($db.reads(7))
                .saturating_add($db.reads(1u64.saturating_mul(e.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(1u64.saturating_mul(e.into())))
        }

        fn end_sponsorship() -> Weight {
            Weight::from_parts(9_585_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn clear_refusal() -> Weight {
            Weight::from_parts(11_718_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(4))
        }

        fn revoke_leaf() -> Weight {
            Weight::from_parts(9_314_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn set_text() -> Weight {
            Weight::from_parts(43_195_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn set_status() -> Weight {
            Weight::from_parts(10_185_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(1))
        }

        fn accept_ownership() -> Weight {
            Weight::from_parts(131_366_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(7))
        }

        fn close() -> Weight {
            Weight::from_parts(39_799_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(5))
        }

        fn forget_refusals(r: u32) -> Weight {
            Weight::from_parts(2_423_000, 0)
                .saturating_add(Weight::from_parts(14_622_998, 0).saturating_mul(r.into()))
                .saturating_add($db.reads(1))
                .saturating_add($db.reads(2u64.saturating_mul(r.into())))
                .saturating_add($db.writes(4u64.saturating_mul(r.into())))
        }

        fn list_leaf() -> Weight {
            Weight::from_parts(8_413_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn admit(i: u32) -> Weight {
            Weight::from_parts(38_733_160, 0)
                .saturating_add(Weight::from_parts(5_142_343, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(20))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(1))
        }

        fn admit_precommit() -> Weight {
            Weight::from_parts(19_640_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(1))
        }

        fn admit_opening(i: u32) -> Weight {
            Weight::from_parts(48_732_062, 0)
                .saturating_add(Weight::from_parts(16_472_985, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(22))
                .saturating_add($db.reads(5u64.saturating_mul(i.into())))
                .saturating_add($db.writes(1))
        }

        fn admit_withdrawal() -> Weight {
            Weight::from_parts(13_920_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(1))
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    measured!(T::DbWeight::get());
}

impl WeightInfo for () {
    measured!(ParityDbWeight::get());
}
