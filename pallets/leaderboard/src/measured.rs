//! What the calls of `pallet_leaderboard` were measured to cost. Written by a program; not to be edited.
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
        fn fund() -> Weight {
            Weight::from_parts(87_630_000, 0)
                .saturating_add($db.reads(12))
                .saturating_add($db.writes(9))
        }

        fn set_terms() -> Weight {
            Weight::from_parts(34_982_000, 0)
                .saturating_add($db.reads(6))
                .saturating_add($db.writes(5))
        }

        fn claim() -> Weight {
            Weight::from_parts(71_296_000, 0)
                .saturating_add($db.reads(8))
                .saturating_add($db.writes(8))
        }

        fn claim_many(d: u32) -> Weight {
            Weight::from_parts(43_193_761, 0)
                .saturating_add(Weight::from_parts(27_244_281, 0).saturating_mul(d.into()))
                .saturating_add($db.reads(4))
                .saturating_add($db.reads(4u64.saturating_mul(d.into())))
                .saturating_add($db.writes(2))
                .saturating_add($db.writes(6u64.saturating_mul(d.into())))
        }

        fn leave() -> Weight {
            Weight::from_parts(52_508_000, 0)
                .saturating_add($db.reads(9))
                .saturating_add($db.writes(7))
        }

        fn withdraw() -> Weight {
            Weight::from_parts(76_875_000, 0)
                .saturating_add($db.reads(8))
                .saturating_add($db.writes(9))
        }

        fn set_payout() -> Weight {
            Weight::from_parts(45_728_000, 0)
                .saturating_add($db.reads(3))
                .saturating_add($db.writes(3))
        }

        fn on_accepted() -> Weight {
            Weight::from_parts(41_572_000, 0)
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
