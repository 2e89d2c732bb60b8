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

/// Weights of the calls of this pallet and of its transaction extension. What a settled verdict costs
/// is part of the vote that settles it.
pub trait WeightInfo {
    /// `create_datanet`, setting the policy included.
    fn create_datanet() -> Weight;
    /// `register`.
    fn register() -> Weight;
    /// `register_for`.
    fn register_for() -> Weight;
    /// `deregister`.
    fn deregister() -> Weight;
    /// `submit` with `items` files.
    fn submit(items: u32) -> Weight;
    /// `withdraw`, forgetting the votes included.
    fn withdraw() -> Weight;
    /// `set_text`.
    fn set_text() -> Weight;
    /// `pause`, `resume` and `offer_ownership`.
    fn set_status() -> Weight;
    /// `accept_ownership`.
    fn accept_ownership() -> Weight;
    /// `close`.
    fn close() -> Weight;
    /// The transaction extension's checks of a submission of `items` files.
    fn admit(items: u32) -> Weight;
}

/// Microseconds of processor time as weight.
fn micros(time: u64) -> Weight {
    Weight::from_parts(time.saturating_mul(1_000_000), 0)
}

/// The weights under a database with the given costs.
struct Counted(RuntimeDbWeight);

impl Counted {
    fn cost(&self, reads: u64, writes: u64, time: u64) -> Weight {
        self.0.reads_writes(reads, writes).saturating_add(micros(time))
    }

    fn create_datanet(&self) -> Weight {
        // Next number, owner's holds and account; those, the Datanet and its policy.
        self.cost(4, 6, 60)
    }

    fn register(&self) -> Weight {
        // Contributor, holds, account.
        self.cost(3, 3, 50)
    }

    fn register_for(&self) -> Weight {
        // The same, and the transfer between two accounts.
        self.cost(4, 5, 90)
    }

    fn deregister(&self) -> Weight {
        // Clock, contributor, quota, holds, account.
        self.cost(5, 4, 50)
    }

    fn submit(&self, items: u32) -> Weight {
        let items = u64::from(items);
        // Clock, contributor, quota, Datanet, its status, next number; a record and a key an item.
        self.cost(6, 4, 30).saturating_add(self.cost(1, 2, 15).saturating_mul(items))
    }

    fn withdraw(&self) -> Weight {
        // Record, Datanet, contributor, ballot; those and the pending key.
        self.cost(4, 5, 40)
    }

    fn set_text(&self) -> Weight {
        // Datanet, status; the text, whose characters are looked at.
        self.cost(2, 1, 60)
    }

    fn set_status(&self) -> Weight {
        // Datanet, status, offer; one of them.
        self.cost(3, 1, 20)
    }

    fn accept_ownership(&self) -> Weight {
        // Offer, Datanet, holds and accounts of two; the same.
        self.cost(6, 6, 90)
    }

    fn close(&self) -> Weight {
        // Datanet, status, holds, account; those and the offer.
        self.cost(4, 5, 50)
    }

    fn admit(&self, items: u32) -> Weight {
        let items = u64::from(items);
        // Validated and then checked again; the second time everything is in memory. The feeless
        // share is read and written.
        self.cost(6, 1, 40).saturating_add(self.cost(1, 0, 5).saturating_mul(items))
    }
}

/// The weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

macro_rules! priced {
    ($db:expr) => {
        fn create_datanet() -> Weight {
            Counted($db).create_datanet()
        }
        fn register() -> Weight {
            Counted($db).register()
        }
        fn register_for() -> Weight {
            Counted($db).register_for()
        }
        fn deregister() -> Weight {
            Counted($db).deregister()
        }
        fn submit(items: u32) -> Weight {
            Counted($db).submit(items)
        }
        fn withdraw() -> Weight {
            Counted($db).withdraw()
        }
        fn set_text() -> Weight {
            Counted($db).set_text()
        }
        fn set_status() -> Weight {
            Counted($db).set_status()
        }
        fn accept_ownership() -> Weight {
            Counted($db).accept_ownership()
        }
        fn close() -> Weight {
            Counted($db).close()
        }
        fn admit(items: u32) -> Weight {
            Counted($db).admit(items)
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    priced!(T::DbWeight::get());
}

impl WeightInfo for () {
    priced!(ParityDbWeight::get());
}
