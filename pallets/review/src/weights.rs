//! What calls cost.
//!
//! Estimated by hand: database reads and writes counted in the code and priced by the runtime's
//! `DbWeight`, plus a generous allowance of processor time. Proof sizes are zero: this is a chain of
//! its own, without a relay chain that would check proofs.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the calls of this pallet.
pub trait WeightInfo {
    /// `vote`, a verdict and the reward it brings included.
    fn vote() -> Weight;
    /// `vote_many` with `votes` votes.
    fn vote_many(votes: u32) -> Weight;
    /// `resign`.
    fn resign() -> Weight;
    /// `set_policy`.
    fn set_policy() -> Weight;
    /// `raise_extractor`.
    fn raise_extractor() -> Weight;
}

/// Any vote may be the one that settles: the record, Datanet, contributor and waiting files, a leaf or a
/// refusal with its indices, the reward, and the nodes it merges with. A range of a million leaves merges 20 at most, two on average.
fn vote(db: RuntimeDbWeight) -> Weight {
    // It may also write down a policy that waited, and be the first to touch the pool in its period.
    const MERGES: u64 = 20;
    db.reads_writes(19 + MERGES, 24 + MERGES).saturating_add(Weight::from_parts(250_000_000, 0))
}

fn set_policy(db: RuntimeDbWeight) -> Weight {
    // Datanet, pool, both policies; both policies.
    db.reads_writes(4, 2).saturating_add(Weight::from_parts(35_000_000, 0))
}

fn raise_extractor(db: RuntimeDbWeight) -> Weight {
    db.reads_writes(1, 1).saturating_add(Weight::from_parts(10_000_000, 0))
}

/// The weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn vote() -> Weight {
        vote(T::DbWeight::get())
    }
    fn vote_many(votes: u32) -> Weight {
        vote(T::DbWeight::get()).saturating_mul(votes.into())
    }
    fn resign() -> Weight {
        set_policy(T::DbWeight::get())
    }
    fn set_policy() -> Weight {
        set_policy(T::DbWeight::get())
    }
    fn raise_extractor() -> Weight {
        raise_extractor(T::DbWeight::get())
    }
}

impl WeightInfo for () {
    fn vote() -> Weight {
        vote(ParityDbWeight::get())
    }
    fn vote_many(votes: u32) -> Weight {
        vote(ParityDbWeight::get()).saturating_mul(votes.into())
    }
    fn resign() -> Weight {
        set_policy(ParityDbWeight::get())
    }
    fn set_policy() -> Weight {
        set_policy(ParityDbWeight::get())
    }
    fn raise_extractor() -> Weight {
        raise_extractor(ParityDbWeight::get())
    }
}
