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
            Weight::from_parts(41_041_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(4))
        }

        fn register_worker(k: u32) -> Weight {
            Weight::from_parts(414_848_102, 0)
                .saturating_add(Weight::from_parts(184_367, 0).saturating_mul(k.into()))
                .saturating_add($db.reads(111))
                .saturating_add($db.writes(40))
        }

        fn update_worker(k: u32) -> Weight {
            Weight::from_parts(646_799_816, 0)
                .saturating_add(Weight::from_parts(272_977, 0).saturating_mul(k.into()))
                .saturating_add($db.reads(181))
                .saturating_add($db.writes(110))
        }

        fn pause() -> Weight {
            Weight::from_parts(269_803_000, 0)
                .saturating_add($db.reads(74))
                .saturating_add($db.writes(75))
        }

        fn resume() -> Weight {
            Weight::from_parts(443_882_000, 0)
                .saturating_add($db.reads(110))
                .saturating_add($db.writes(62))
        }

        fn deregister_worker() -> Weight {
            Weight::from_parts(307_739_000, 0)
                .saturating_add($db.reads(79))
                .saturating_add($db.writes(81))
        }

        fn create_job(d: u32) -> Weight {
            Weight::from_parts(285_612_662, 0)
                .saturating_add(Weight::from_parts(70_834_506, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(58))
                .saturating_add($db.reads(33u64.saturating_mul(d.into())))
                .saturating_add($db.writes(43))
        }

        fn refine_adapter(d: u32) -> Weight {
            Weight::from_parts(295_799_193, 0)
                .saturating_add(Weight::from_parts(69_739_460, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(60))
                .saturating_add($db.reads(33u64.saturating_mul(d.into())))
                .saturating_add($db.writes(44))
        }

        fn cancel_job() -> Weight {
            Weight::from_parts(533_786_000, 0)
                .saturating_add($db.reads(128))
                .saturating_add($db.writes(46))
        }

        fn take() -> Weight {
            Weight::from_parts(14_532_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn heartbeat() -> Weight {
            Weight::from_parts(10_896_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn submit_result() -> Weight {
            Weight::from_parts(493_436_000, 0)
                .saturating_add($db.reads(123))
                .saturating_add($db.writes(64))
        }

        fn decline() -> Weight {
            Weight::from_parts(674_436_000, 0)
                .saturating_add($db.reads(153))
                .saturating_add($db.writes(55))
        }

        fn raise_price() -> Weight {
            Weight::from_parts(230_253_000, 0)
                .saturating_add($db.reads(42))
                .saturating_add($db.writes(41))
        }

        fn extend_deadline() -> Weight {
            Weight::from_parts(191_536_000, 0)
                .saturating_add($db.reads(39))
                .saturating_add($db.writes(39))
        }

        fn prune_job() -> Weight {
            Weight::from_parts(46_279_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(8))
        }

        fn retire_base_model() -> Weight {
            Weight::from_parts(38_177_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn dispute() -> Weight {
            Weight::from_parts(109_143_000, 0)
                .saturating_add($db.reads(24))
                .saturating_add($db.writes(9))
        }

        fn commit_finding() -> Weight {
            Weight::from_parts(27_811_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(6))
        }

        fn reveal_finding() -> Weight {
            Weight::from_parts(25_899_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn begin_block_idle() -> Weight {
            Weight::from_parts(18_668_000, 0)
                .saturating_add($db.reads(8))
                .saturating_add($db.writes(3))
        }

        fn pay(p: u32) -> Weight {
            Weight::from_parts(12_276_898, 0)
                .saturating_add(Weight::from_parts(58_376_639, 0).saturating_mul(p.into()))
                .saturating_add($db.reads(9))
                .saturating_add($db.reads(6u64.saturating_mul(p.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(9u64.saturating_mul(p.into())))
        }

        fn time_out(t: u32) -> Weight {
            Weight::from_parts(37_170_372, 0)
                .saturating_add(Weight::from_parts(275_866_570, 0).saturating_mul(t.into()))
                .saturating_add($db.reads(42))
                .saturating_add($db.reads(22u64.saturating_mul(t.into())))
                .saturating_add($db.writes(29))
                .saturating_add($db.writes(49u64.saturating_mul(t.into())))
        }

        fn move_on(m: u32) -> Weight {
            Weight::from_parts(23_051_354, 0)
                .saturating_add(Weight::from_parts(30_573_394, 0).saturating_mul(m.into()))
                .saturating_add($db.reads(11))
                .saturating_add($db.reads(5u64.saturating_mul(m.into())))
                .saturating_add($db.writes(5))
                .saturating_add($db.writes(8u64.saturating_mul(m.into())))
        }

        fn draw_verifiers(d: u32) -> Weight {
            Weight::from_parts(44_731_849, 0)
                .saturating_add(Weight::from_parts(101_093_289, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(22))
                .saturating_add($db.reads(12u64.saturating_mul(d.into())))
                .saturating_add($db.writes(2))
                .saturating_add($db.writes(5u64.saturating_mul(d.into())))
        }

        fn settle_dispute(s: u32) -> Weight {
            Weight::from_parts(81_945_104, 0)
                .saturating_add(Weight::from_parts(509_070_192, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(39))
                .saturating_add($db.reads(48u64.saturating_mul(s.into())))
                .saturating_add($db.writes(16))
                .saturating_add($db.writes(102u64.saturating_mul(s.into())))
        }

        fn settle_upheld(s: u32) -> Weight {
            Weight::from_parts(36_568_098, 0)
                .saturating_add(Weight::from_parts(358_295_698, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(22))
                .saturating_add($db.reads(33u64.saturating_mul(s.into())))
                .saturating_add($db.writes(11))
                .saturating_add($db.writes(65u64.saturating_mul(s.into())))
        }

        fn admit_newcomers(w: u32) -> Weight {
            Weight::from_parts(21_864_553, 0)
                .saturating_add(Weight::from_parts(64_701_134, 0).saturating_mul(w.into()))
                .saturating_add($db.reads(11))
                .saturating_add($db.reads(13u64.saturating_mul(w.into())))
                .saturating_add($db.writes(6))
                .saturating_add($db.writes(20u64.saturating_mul(w.into())))
        }

        fn go_on_searching(s: u32) -> Weight {
            Weight::from_parts(20_429_403, 0)
                .saturating_add(Weight::from_parts(301_856_438, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(8))
                .saturating_add($db.reads(84u64.saturating_mul(s.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(3u64.saturating_mul(s.into())))
        }

        fn seek(h: u32) -> Weight {
            Weight::from_parts(63_600_381, 0)
                .saturating_add(Weight::from_parts(5_779_326, 0).saturating_mul(h.into()))
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
