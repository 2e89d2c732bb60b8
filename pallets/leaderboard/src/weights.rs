//! Weights of the calls, estimated by hand from what they read and write.
//!
//! Each database access is charged through the runtime's `DbWeight`; computing time and proof size
//! are rounded up from comparable calls of the SDK. Measured weights replace them once the pallet
//! has benchmarks.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the calls and of the seam. Each call may be the first of its period to touch a pool.
pub trait WeightInfo {
    /// Of `fund`.
    fn fund() -> Weight;
    /// Of `set_terms`.
    fn set_terms() -> Weight;
    /// Of `claim`.
    fn claim() -> Weight;
    /// Of `claim_many` from `datanets` Datanets.
    fn claim_many(datanets: u32) -> Weight;
    /// Of `leave`, and of `recover`.
    fn leave() -> Weight;
    /// Of `withdraw`.
    fn withdraw() -> Weight;
    /// Of `set_payout`.
    fn set_payout() -> Weight;
    /// Of one acceptance, charged by the call that brings it.
    fn on_accepted() -> Weight;
}

/// The weights under a database with the given costs.
struct Counted(RuntimeDbWeight);

impl Counted {
    fn cost(&self, reads: u64, writes: u64, time: u64, proof: u64) -> Weight {
        let computing = Weight::from_parts(time.saturating_mul(1_000_000), proof);
        self.0.reads_writes(reads, writes).saturating_add(computing)
    }

    /// What the first touch of a pool in a period adds: waiting terms and funds read; rate, funds, a
    /// batch that left and waiting terms written.
    fn end_of_period(&self) -> Weight {
        self.cost(2, 4, 20, 5_000)
    }

    fn fund(&self) -> Weight {
        // Reads: Datanet, its status, pool, waiting terms, policy and the one that waits, funds, share, its
        // batch, caller, pot. Writes: pool, funds, share, two batches, caller, pot.
        self.cost(11, 7, 70, 20_000).saturating_add(self.end_of_period())
    }

    fn set_terms(&self) -> Weight {
        // Reads: Datanet, its status, pool, waiting terms. Writes: pool, waiting terms.
        self.cost(4, 2, 25, 9_000).saturating_add(self.end_of_period())
    }

    fn claim_many(&self, datanets: u32) -> Weight {
        // Each: position, pool, rate read; position, pool written.
        let each = self.cost(3, 2, 30, 9_000).saturating_add(self.end_of_period());
        // Payout, account, pot.
        self.cost(3, 2, 50, 7_000).saturating_add(each.saturating_mul(datanets.into()))
    }

    fn leave(&self) -> Weight {
        // Reads: pool, funds, share, batch, status, waiting terms, policy and the one that waits. Writes:
        // pool, funds, share, batch.
        self.cost(8, 4, 40, 15_000).saturating_add(self.end_of_period())
    }

    fn withdraw(&self) -> Weight {
        // Reads: share, pool, funds, batch, account, pot. Writes: the same.
        self.cost(6, 6, 60, 15_000).saturating_add(self.end_of_period())
    }

    fn set_payout(&self) -> Weight {
        // Reads: payout, holds, account. Writes: the same.
        self.cost(3, 3, 40, 7_000)
    }

    fn on_accepted(&self) -> Weight {
        // Reads: pool, position, rate, sequence, global position. Writes: pool, position, sequence, two places
        // on each of two boards, global position.
        self.cost(5, 8, 40, 15_000).saturating_add(self.end_of_period())
    }
}

/// Weights under the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

macro_rules! priced {
    ($db:expr) => {
        fn fund() -> Weight {
            Counted($db).fund()
        }
        fn set_terms() -> Weight {
            Counted($db).set_terms()
        }
        fn claim() -> Weight {
            Counted($db).claim_many(1)
        }
        fn claim_many(datanets: u32) -> Weight {
            Counted($db).claim_many(datanets)
        }
        fn leave() -> Weight {
            Counted($db).leave()
        }
        fn withdraw() -> Weight {
            Counted($db).withdraw()
        }
        fn set_payout() -> Weight {
            Counted($db).set_payout()
        }
        fn on_accepted() -> Weight {
            Counted($db).on_accepted()
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    priced!(T::DbWeight::get());
}

impl WeightInfo for () {
    priced!(ParityDbWeight::get());
}
