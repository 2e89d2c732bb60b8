//! What the calls of `pallet_training` were measured to cost. Written by a program; not to be edited.
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
        fn register_base_model() -> Weight {
            Weight::from_parts(44_887_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(4))
        }

        fn register_worker(_k: u32) -> Weight {
            Weight::from_parts(540_448_868, 0)
                .saturating_add($db.reads(111))
                .saturating_add($db.writes(40))
        }

        fn update_worker(k: u32) -> Weight {
            Weight::from_parts(705_777_306, 0)
                .saturating_add(Weight::from_parts(5_967_210, 0).saturating_mul(k.into()))
                .saturating_add($db.reads(181))
                .saturating_add($db.writes(110))
        }

        fn pause() -> Weight {
            Weight::from_parts(288_941_000, 0)
                .saturating_add($db.reads(74))
                .saturating_add($db.writes(75))
        }

        fn resume() -> Weight {
            Weight::from_parts(529_300_000, 0)
                .saturating_add($db.reads(110))
                .saturating_add($db.writes(62))
        }

        fn deregister_worker() -> Weight {
            Weight::from_parts(342_160_000, 0)
                .saturating_add($db.reads(79))
                .saturating_add($db.writes(81))
        }

        fn create_job(d: u32) -> Weight {
            Weight::from_parts(304_011_206, 0)
                .saturating_add(Weight::from_parts(91_477_803, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(58))
                .saturating_add($db.reads(33u64.saturating_mul(d.into())))
                .saturating_add($db.writes(43))
        }

        fn refine_adapter(d: u32) -> Weight {
            Weight::from_parts(356_454_280, 0)
                .saturating_add(Weight::from_parts(72_314_720, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(60))
                .saturating_add($db.reads(33u64.saturating_mul(d.into())))
                .saturating_add($db.writes(44))
        }

        fn cancel_job() -> Weight {
            Weight::from_parts(618_753_000, 0)
                .saturating_add($db.reads(128))
                .saturating_add($db.writes(46))
        }

        fn take() -> Weight {
            Weight::from_parts(15_894_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn heartbeat() -> Weight {
            Weight::from_parts(12_388_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(1))
        }

        fn submit_result() -> Weight {
            Weight::from_parts(557_652_000, 0)
                .saturating_add($db.reads(123))
                .saturating_add($db.writes(64))
        }

        fn decline() -> Weight {
            Weight::from_parts(755_187_000, 0)
                .saturating_add($db.reads(153))
                .saturating_add($db.writes(55))
        }

        fn raise_price() -> Weight {
            Weight::from_parts(249_042_000, 0)
                .saturating_add($db.reads(42))
                .saturating_add($db.writes(41))
        }

        fn extend_deadline() -> Weight {
            Weight::from_parts(203_633_000, 0)
                .saturating_add($db.reads(39))
                .saturating_add($db.writes(39))
        }

        fn prune_job() -> Weight {
            Weight::from_parts(49_694_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(8))
        }

        fn retire_base_model() -> Weight {
            Weight::from_parts(40_080_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn dispute() -> Weight {
            Weight::from_parts(117_545_000, 0)
                .saturating_add($db.reads(24))
                .saturating_add($db.writes(9))
        }

        fn commit_finding() -> Weight {
            Weight::from_parts(30_866_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(6))
        }

        fn reveal_finding() -> Weight {
            Weight::from_parts(27_521_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn begin_block_idle() -> Weight {
            Weight::from_parts(19_379_000, 0)
                .saturating_add($db.reads(8))
                .saturating_add($db.writes(3))
        }

        fn pay(p: u32) -> Weight {
            Weight::from_parts(19_640_000, 0)
                .saturating_add(Weight::from_parts(202_495_148, 0).saturating_mul(p.into()))
                .saturating_add($db.reads(9))
                .saturating_add($db.reads(6u64.saturating_mul(p.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(9u64.saturating_mul(p.into())))
        }

        fn time_out(t: u32) -> Weight {
            Weight::from_parts(52_258_000, 0)
                .saturating_add(Weight::from_parts(964_881_937, 0).saturating_mul(t.into()))
                .saturating_add($db.reads(36))
                .saturating_add($db.reads(23u64.saturating_mul(t.into())))
                .saturating_add($db.writes(25))
                .saturating_add($db.writes(49u64.saturating_mul(t.into())))
        }

        fn move_on(m: u32) -> Weight {
            Weight::from_parts(28_241_385, 0)
                .saturating_add(Weight::from_parts(33_912_231, 0).saturating_mul(m.into()))
                .saturating_add($db.reads(11))
                .saturating_add($db.reads(5u64.saturating_mul(m.into())))
                .saturating_add($db.writes(4))
                .saturating_add($db.writes(8u64.saturating_mul(m.into())))
        }

        fn draw_verifiers(d: u32) -> Weight {
            Weight::from_parts(35_289_768, 0)
                .saturating_add(Weight::from_parts(121_471_295, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(19))
                .saturating_add($db.reads(12u64.saturating_mul(d.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(5u64.saturating_mul(d.into())))
        }

        fn settle_dispute(s: u32) -> Weight {
            Weight::from_parts(19_859_000, 0)
                .saturating_add(Weight::from_parts(1_385_292_220, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(34))
                .saturating_add($db.reads(49u64.saturating_mul(s.into())))
                .saturating_add($db.writes(14))
                .saturating_add($db.writes(102u64.saturating_mul(s.into())))
        }

        fn settle_upheld(s: u32) -> Weight {
            Weight::from_parts(19_629_000, 0)
                .saturating_add(Weight::from_parts(638_754_477, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(20))
                .saturating_add($db.reads(33u64.saturating_mul(s.into())))
                .saturating_add($db.writes(10))
                .saturating_add($db.writes(65u64.saturating_mul(s.into())))
        }

        fn admit_newcomers(w: u32) -> Weight {
            Weight::from_parts(22_954_086, 0)
                .saturating_add(Weight::from_parts(74_583_695, 0).saturating_mul(w.into()))
                .saturating_add($db.reads(10))
                .saturating_add($db.reads(13u64.saturating_mul(w.into())))
                .saturating_add($db.writes(5))
                .saturating_add($db.writes(20u64.saturating_mul(w.into())))
        }

        fn go_on_searching(s: u32) -> Weight {
            Weight::from_parts(36_369_942, 0)
                .saturating_add(Weight::from_parts(339_059_036, 0).saturating_mul(s.into()))
                .saturating_add($db.reads(8))
                .saturating_add($db.reads(84u64.saturating_mul(s.into())))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(3u64.saturating_mul(s.into())))
        }

        fn seek(h: u32) -> Weight {
            Weight::from_parts(81_493_920, 0)
                .saturating_add(Weight::from_parts(6_092_032, 0).saturating_mul(h.into()))
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
