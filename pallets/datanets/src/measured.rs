//! What the calls of `pallet_datanets` were measured to cost. Written by a program; not to be edited.
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
        fn create_datanet() -> Weight {
            Weight::from_parts(45_768_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(5))
        }

        fn register() -> Weight {
            Weight::from_parts(78_677_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(6))
        }

        fn register_for() -> Weight {
            Weight::from_parts(80_740_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(4))
        }

        fn deregister() -> Weight {
            Weight::from_parts(49_304_000, 0)
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(6))
        }

        fn submit(i: u32) -> Weight {
            Weight::from_parts(97_211_012, 0)
                .saturating_add(Weight::from_parts(12_642_714, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(25))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(16))
                .saturating_add($db.writes(4u64.saturating_mul(i.into())))
        }

        fn withdraw() -> Weight {
            Weight::from_parts(52_388_000, 0)
                .saturating_add($db.reads(10))
                .saturating_add($db.writes(12))
        }

        fn precommit(i: u32) -> Weight {
            Weight::from_parts(29_931_685, 0)
                .saturating_add(Weight::from_parts(108_569, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(3))
        }

        fn open_unrivalled(i: u32) -> Weight {
            Weight::from_parts(104_960_489, 0)
                .saturating_add(Weight::from_parts(15_820_634, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(26))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(17))
                .saturating_add($db.writes(4u64.saturating_mul(i.into())))
        }

        fn open_displacing(d: u32) -> Weight {
            Weight::from_parts(421_990_610, 0)
                .saturating_add(Weight::from_parts(35_935_207, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(65))
                .saturating_add($db.reads(5u64.saturating_mul(d.into())))
                .saturating_add($db.writes(96))
                .saturating_add($db.writes(7u64.saturating_mul(d.into())))
        }

        fn expire() -> Weight {
            Weight::from_parts(46_590_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(13))
        }

        fn set_caps() -> Weight {
            Weight::from_parts(9_764_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(2))
        }

        fn bar() -> Weight {
            Weight::from_parts(65_067_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(4))
        }

        fn clear_entries() -> Weight {
            Weight::from_parts(202_913_000, 0)
                .saturating_add($db.reads(56))
                .saturating_add($db.writes(53))
        }

        fn end_sponsorship() -> Weight {
            Weight::from_parts(10_335_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn clear_refusal() -> Weight {
            Weight::from_parts(13_029_000, 0)
                .saturating_add($db.reads(1))
                .saturating_add($db.writes(4))
        }

        fn revoke_leaf() -> Weight {
            Weight::from_parts(10_135_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn set_text() -> Weight {
            Weight::from_parts(42_633_000, 0)
                .saturating_add($db.reads(2))
                .saturating_add($db.writes(1))
        }

        fn set_status() -> Weight {
            Weight::from_parts(11_027_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(1))
        }

        fn accept_ownership() -> Weight {
            Weight::from_parts(156_513_000, 0)
                .saturating_add($db.reads(7))
                .saturating_add($db.writes(7))
        }

        fn close() -> Weight {
            Weight::from_parts(44_056_000, 0)
                .saturating_add($db.reads(4))
                .saturating_add($db.writes(5))
        }

        fn forget_refusals(r: u32) -> Weight {
            Weight::from_parts(200_184, 0)
                .saturating_add(Weight::from_parts(15_527_659, 0).saturating_mul(r.into()))
                .saturating_add($db.reads(1))
                .saturating_add($db.reads(2u64.saturating_mul(r.into())))
                .saturating_add($db.writes(4u64.saturating_mul(r.into())))
        }

        fn admit(i: u32) -> Weight {
            Weight::from_parts(39_502_788, 0)
                .saturating_add(Weight::from_parts(5_583_783, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(20))
                .saturating_add($db.reads(2u64.saturating_mul(i.into())))
                .saturating_add($db.writes(1))
        }

        fn admit_precommit() -> Weight {
            Weight::from_parts(19_709_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(1))
        }

        fn admit_opening(i: u32) -> Weight {
            Weight::from_parts(49_832_001, 0)
                .saturating_add(Weight::from_parts(17_876_465, 0).saturating_mul(i.into()))
                .saturating_add($db.reads(22))
                .saturating_add($db.reads(5u64.saturating_mul(i.into())))
                .saturating_add($db.writes(1))
        }

        fn admit_withdrawal() -> Weight {
            Weight::from_parts(14_842_000, 0)
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
