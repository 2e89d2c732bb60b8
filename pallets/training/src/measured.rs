//! What the calls of `pallet_training` were measured to cost. Written by `scripts/benchmark`; not to be edited.
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
// pallet_training
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
// pallets/training/src/measured.rs

use crate::weights::{SubstrateWeight, WeightInfo};
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

macro_rules! measured {
    ($db:expr) => {
        fn register_base_model() -> Weight {
            Weight::from_parts(43_945_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(4))
        }

        fn register_worker(k: u32) -> Weight {
            Weight::from_parts(447_115_568, 0)
                .saturating_add(Weight::from_parts(171_400, 0).saturating_mul(k.into()))
                .saturating_add($db.reads(111))
                .saturating_add($db.writes(40))
        }

        fn update_worker(k: u32) -> Weight {
            Weight::from_parts(676_693_759, 0)
                .saturating_add(Weight::from_parts(397_084, 0).saturating_mul(k.into()))
                .saturating_add($db.reads(181))
                .saturating_add($db.writes(110))
        }

        fn pause() -> Weight {
            Weight::from_parts(278_645_000, 0)
                .saturating_add($db.reads(74))
                .saturating_add($db.writes(75))
        }

        fn resume() -> Weight {
            Weight::from_parts(448_308_000, 0)
                .saturating_add($db.reads(110))
                .saturating_add($db.writes(62))
        }

        fn deregister_worker() -> Weight {
            Weight::from_parts(319_857_000, 0)
                .saturating_add($db.reads(79))
                .saturating_add($db.writes(81))
        }

        fn create_job(d: u32) -> Weight {
            Weight::from_parts(304_773_645, 0)
                .saturating_add(Weight::from_parts(76_228_477, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(58))
                .saturating_add($db.reads(33u64.saturating_mul(d.into())))
                .saturating_add($db.writes(43))
        }

        fn refine_adapter(d: u32) -> Weight {
            Weight::from_parts(322_008_861, 0)
                .saturating_add(Weight::from_parts(73_195_901, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(60))
                .saturating_add($db.reads(33u64.saturating_mul(d.into())))
                .saturating_add($db.writes(44))
        }

        fn cancel_job() -> Weight {
            Weight::from_parts(581_547_000, 0)
                .saturating_add($db.reads(128))
                .saturating_add($db.writes(46))
        }

        fn take() -> Weight {
            Weight::from_parts(15_333_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn heartbeat() -> Weight {
            Weight::from_parts(11_597_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn submit_result() -> Weight {
            Weight::from_parts(523_500_000, 0)
                .saturating_add($db.reads(123))
                .saturating_add($db.writes(64))
        }

        fn decline() -> Weight {
            Weight::from_parts(709_458_000, 0)
                .saturating_add($db.reads(153))
                .saturating_add($db.writes(55))
        }

        fn raise_price() -> Weight {
            Weight::from_parts(249_882_000, 0)
                .saturating_add($db.reads(42))
                .saturating_add($db.writes(41))
        }

        fn extend_deadline() -> Weight {
            Weight::from_parts(204_995_000, 0)
                .saturating_add($db.reads(39))
                .saturating_add($db.writes(39))
        }

        fn prune_job() -> Weight {
            Weight::from_parts(48_232_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(8))
        }

        fn retire_base_model() -> Weight {
            Weight::from_parts(37_816_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn dispute() -> Weight {
            Weight::from_parts(111_897_000, 0)
                .saturating_add($db.reads(24))
                .saturating_add($db.writes(9))
        }

        fn commit_finding() -> Weight {
            Weight::from_parts(27_611_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(6))
        }

        fn reveal_finding() -> Weight {
            Weight::from_parts(26_229_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn begin_block_idle() -> Weight {
            Weight::from_parts(18_958_000, 0)
                .saturating_add($db.reads(8))
                .saturating_add($db.writes(3))
        }

        fn pay(p: u32) -> Weight {
            Weight::from_parts(23_264_449, 0)
                .saturating_add(Weight::from_parts(57_445_105, 0).saturating_mul(p.into()))
                .saturating_add($db.reads(9))
                .saturating_add($db.reads(6u64.saturating_mul(p.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(9u64.saturating_mul(p.into())))
        }

        fn time_out(t: u32) -> Weight {
            Weight::from_parts(44_573_873, 0)
                .saturating_add(Weight::from_parts(278_033_313, 0).saturating_mul(t.into()))
                .saturating_add($db.reads(42))
                .saturating_add($db.reads(22u64.saturating_mul(t.into())))
                .saturating_add($db.writes(29))
                .saturating_add($db.writes(49u64.saturating_mul(t.into())))
        }

        fn move_on(m: u32) -> Weight {
            Weight::from_parts(23_348_961, 0)
                .saturating_add(Weight::from_parts(30_640_671, 0).saturating_mul(m.into()))
                .saturating_add($db.reads(11))
                .saturating_add($db.reads(5u64.saturating_mul(m.into())))
                .saturating_add($db.writes(5))
                .saturating_add($db.writes(8u64.saturating_mul(m.into())))
        }

        fn draw_verifiers(d: u32) -> Weight {
            Weight::from_parts(44_262_376, 0)
                .saturating_add(Weight::from_parts(105_652_207, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(22))
                .saturating_add($db.reads(12u64.saturating_mul(d.into())))
                .saturating_add($db.writes(2))
                .saturating_add($db.writes(5u64.saturating_mul(d.into())))
        }

        fn settle_dispute(s: u32) -> Weight {
            Weight::from_parts(83_280_635, 0)
                .saturating_add(Weight::from_parts(530_312_735, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(39))
                .saturating_add($db.reads(48u64.saturating_mul(s.into())))
                .saturating_add($db.writes(16))
                .saturating_add($db.writes(102u64.saturating_mul(s.into())))
        }

        fn settle_upheld(s: u32) -> Weight {
            Weight::from_parts(29_590_497, 0)
                .saturating_add(Weight::from_parts(365_951_797, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(22))
                .saturating_add($db.reads(33u64.saturating_mul(s.into())))
                .saturating_add($db.writes(11))
                .saturating_add($db.writes(65u64.saturating_mul(s.into())))
        }

        fn admit_newcomers(w: u32) -> Weight {
            Weight::from_parts(21_860_924, 0)
                .saturating_add(Weight::from_parts(63_853_454, 0).saturating_mul(w.into()))
                .saturating_add($db.reads(11))
                .saturating_add($db.reads(13u64.saturating_mul(w.into())))
                .saturating_add($db.writes(6))
                .saturating_add($db.writes(20u64.saturating_mul(w.into())))
        }

        fn go_on_searching(s: u32) -> Weight {
            Weight::from_parts(20_461_662, 0)
                .saturating_add(Weight::from_parts(297_775_568, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(8))
                .saturating_add($db.reads(84u64.saturating_mul(s.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(3u64.saturating_mul(s.into())))
        }

        fn seek(h: u32) -> Weight {
            Weight::from_parts(66_618_210, 0)
                .saturating_add(Weight::from_parts(5_681_227, 0).saturating_mul(h.into()))
                .saturating_add($db.reads(27))
                .saturating_add($db.reads(1u64.saturating_mul(h.into())))
                .saturating_add($db.writes(5))
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    measured!(T::DbWeight::get());
}

impl WeightInfo for () {
    measured!(ParityDbWeight::get());
}
