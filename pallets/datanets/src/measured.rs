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
            Weight::from_parts(43_264_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(5))
        }

        fn register() -> Weight {
            Weight::from_parts(72_908_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(6))
        }

        fn register_for() -> Weight {
            Weight::from_parts(73_100_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(4))
        }

        fn deregister() -> Weight {
            Weight::from_parts(44_506_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(6))
        }

        fn submit(i: u32) -> Weight {
            Weight::from_parts(93_547_912, 0)
                .saturating_add(Weight::from_parts(11_898_769, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(26))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(17))
                .saturating_add($db.writes(4u64.saturating_mul(i.into())))
        }

        fn withdraw() -> Weight {
            Weight::from_parts(51_276_000, 0)
                .saturating_add($db.reads(11))
                .saturating_add($db.writes(13))
        }

        fn precommit(i: u32) -> Weight {
            Weight::from_parts(28_794_511, 0)
                .saturating_add(Weight::from_parts(146_762, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(3))
        }

        fn open_unrivalled(i: u32) -> Weight {
            Weight::from_parts(102_347_724, 0)
                .saturating_add(Weight::from_parts(14_866_329, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(27))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(18))
                .saturating_add($db.writes(4u64.saturating_mul(i.into())))
        }

        fn open_displacing(d: u32) -> Weight {
            Weight::from_parts(408_535_079, 0)
                .saturating_add(Weight::from_parts(36_313_053, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(66))
                .saturating_add($db.reads(6u64.saturating_mul(d.into())))
                .saturating_add($db.writes(96))
                .saturating_add($db.writes(8u64.saturating_mul(d.into())))
        }

        fn expire() -> Weight {
            Weight::from_parts(42_524_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(13))
        }

        fn set_caps() -> Weight {
            Weight::from_parts(9_234_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(2))
        }

        fn bar() -> Weight {
            Weight::from_parts(57_085_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(4))
        }

        fn clear_entries(e: u32) -> Weight {
            Weight::from_parts(53_740_402, 0)
                .saturating_add(Weight::from_parts(2_480_818, 0).saturating_mul(e.into()))
                .saturating_add($db.reads(7))
                .saturating_add($db.reads(1u64.saturating_mul(e.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(1u64.saturating_mul(e.into())))
        }

        fn end_sponsorship() -> Weight {
            Weight::from_parts(9_995_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn clear_refusal() -> Weight {
            Weight::from_parts(12_198_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(4))
        }

        fn revoke_leaf() -> Weight {
            Weight::from_parts(9_684_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn set_text() -> Weight {
            Weight::from_parts(45_398_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn set_status() -> Weight {
            Weight::from_parts(10_406_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(1))
        }

        fn accept_ownership() -> Weight {
            Weight::from_parts(136_353_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(7))
        }

        fn close() -> Weight {
            Weight::from_parts(41_332_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(5))
        }

        fn forget_refusals(r: u32) -> Weight {
            Weight::from_parts(2_524_000, 0)
                .saturating_add(Weight::from_parts(15_150_164, 0).saturating_mul(r.into()))
                .saturating_add($db.reads(1))
                .saturating_add($db.reads(2u64.saturating_mul(r.into())))
                .saturating_add($db.writes(4u64.saturating_mul(r.into())))
        }

        fn list_leaf() -> Weight {
            Weight::from_parts(8_823_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn admit(i: u32) -> Weight {
            Weight::from_parts(42_910_951, 0)
                .saturating_add(Weight::from_parts(5_205_416, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(21))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(1))
        }

        fn admit_precommit() -> Weight {
            Weight::from_parts(20_191_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(1))
        }

        fn admit_opening(i: u32) -> Weight {
            Weight::from_parts(54_206_409, 0)
                .saturating_add(Weight::from_parts(16_203_916, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(23))
                .saturating_add($db.reads(5u64.saturating_mul(i.into())))
                .saturating_add($db.writes(1))
        }

        fn admit_withdrawal() -> Weight {
            Weight::from_parts(14_321_000, 0)
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
