//! Weights of the calls, estimated by hand from what they read and write.
//!
//! Each database access is charged through the runtime's `DbWeight`; computing time and proof size
//! are rounded up from comparable calls of the SDK. Measured weights replace them once the pallet
//! has benchmarks.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and of the seam.
pub trait WeightInfo {
    /// Of `fund`.
    fn fund() -> Weight;
    /// Of `set_terms`.
    fn set_terms() -> Weight;
    /// Of `claim`.
    fn claim() -> Weight;
    /// Of one acceptance, charged by the call that brings it.
    fn on_accepted() -> Weight;
}

/// Weights under the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn fund() -> Weight {
        // Reads: Datanet, pool, caller, pot. Writes: pool, rate, caller, pot.
        Weight::from_parts(60_000_000, 12_000).saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }

    fn set_terms() -> Weight {
        // Reads: Datanet, pool. Writes: pool, rate.
        Weight::from_parts(25_000_000, 7_000).saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }

    fn claim() -> Weight {
        // Reads: position, pool, rate, account, pot. Writes: position, pool, rate, account, pot.
        Weight::from_parts(75_000_000, 15_000).saturating_add(T::DbWeight::get().reads_writes(5, 5))
    }

    fn on_accepted() -> Weight {
        // Reads: pool, position, rate, sequence. Writes: pool, position, rate, sequence, two places
        // on the board.
        Weight::from_parts(40_000_000, 15_000).saturating_add(T::DbWeight::get().reads_writes(4, 6))
    }
}

impl WeightInfo for () {
    fn fund() -> Weight {
        Weight::from_parts(60_000_000, 12_000)
    }

    fn set_terms() -> Weight {
        Weight::from_parts(25_000_000, 7_000)
    }

    fn claim() -> Weight {
        Weight::from_parts(75_000_000, 15_000)
    }

    fn on_accepted() -> Weight {
        Weight::from_parts(40_000_000, 15_000)
    }
}
