//! What calls cost.
//!
//! Estimated by hand: database reads and writes counted in the code and priced by the runtime's
//! `DbWeight`, plus a generous allowance of processor time. Proof sizes are zero: this is a chain of
//! its own, without a relay chain that would check proofs.

use crate::MAX_CLEARED;
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
    /// `precommit` with `items` commitments.
    fn precommit(items: u32) -> Weight;
    /// `open` with `items` files, of which so many displace another's.
    fn open(items: u32, displaced: u32) -> Weight;
    /// `expire`.
    fn expire() -> Weight;
    /// `set_caps`.
    fn set_caps() -> Weight;
    /// `bar`, `unbar` or `invite`.
    fn bar() -> Weight;
    /// `clear_entries`.
    fn clear_entries() -> Weight;
    /// `end_sponsorship`.
    fn end_sponsorship() -> Weight;
    /// `clear_refusal`.
    fn clear_refusal() -> Weight;
    /// `revoke_leaf`.
    fn revoke_leaf() -> Weight;
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
    /// Its checks of precommitments.
    fn admit_precommit() -> Weight;
    /// Its checks of `items` precommitted files.
    fn admit_opening(items: u32) -> Weight;
    /// Its checks of a withdrawal.
    fn admit_withdrawal() -> Weight;
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
        // Contributor, holds and accounts of contributor and sponsor, the sponsorship's end.
        self.cost(5, 6, 80)
    }

    fn register_for(&self) -> Weight {
        // Contributor, holds, and the transfer between two accounts.
        self.cost(4, 5, 90)
    }

    fn deregister(&self) -> Weight {
        // Clock, contributor, quota, holds, account; those, the sponsorship's end and precommitments.
        self.cost(5, 6, 50)
    }

    fn submit(&self, items: u32) -> Weight {
        let items = u64::from(items);
        // Clock, contributor, quota, Datanet, its status, bar, share and its use, waiting files, next number;
        // policies, review budget, its terms and use, next draw, session, and the draw; a record, what is left of
        // a refusal, a key, its draw and ballot an item.
        self.cost(23, 12, 50).saturating_add(self.cost(2, 4, 20).saturating_mul(items))
    }

    fn open(&self, items: u32, displaced: u32) -> Weight {
        // A submission and its precommitments; an item is hashed. Whose file it displaces: contributor,
        // waiting files, session, budget; those but the session, pending key, ballot and draw.
        self.submit(items)
            .saturating_add(self.cost(1, 1, 10))
            .saturating_add(micros(10).saturating_mul(items.into()))
            .saturating_add(self.cost(6, 8, 20).saturating_mul(displaced.into()))
    }

    fn precommit(&self, items: u32) -> Weight {
        // Clock, contributor, sponsorship, quota, precommitments, block.
        self.cost(6, 3, 30).saturating_add(micros(2).saturating_mul(items.into()))
    }

    fn withdraw(&self) -> Weight {
        // Record, Datanet, contributor, waiting files, ballot, draw, session, budget; those but the session, the
        // pending key and what waits.
        self.cost(11, 11, 50)
    }

    fn expire(&self) -> Weight {
        // A withdrawal, and what is kept: the refusal, its expiry, two indices, and an earlier one's.
        self.withdraw().saturating_add(self.cost(2, 7, 30))
    }

    fn set_caps(&self) -> Weight {
        self.cost(1, 2, 20)
    }

    fn bar(&self) -> Weight {
        // Datanet, status, entry, listing, owner's holds and account; those but the first two.
        self.cost(6, 4, 50)
    }

    fn clear_entries(&self) -> Weight {
        // Datanet, status, listing, owner's holds and account; and each entry.
        let entries = u64::from(MAX_CLEARED);
        self.cost(5, 3, 60).saturating_add(self.cost(1, 1, 3).saturating_mul(entries))
    }

    fn end_sponsorship(&self) -> Weight {
        self.cost(2, 1, 20)
    }

    fn clear_refusal(&self) -> Weight {
        self.cost(1, 4, 20)
    }

    fn revoke_leaf(&self) -> Weight {
        // Leaf, revocation; the revocation.
        self.cost(2, 1, 20)
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
        // Offer, Datanet, listing, holds and accounts of two; the same.
        self.cost(7, 7, 120)
    }

    fn close(&self) -> Weight {
        // Datanet, status, holds, account; those and the offer.
        self.cost(4, 5, 50)
    }

    fn admit(&self, items: u32) -> Weight {
        let items = u64::from(items);
        // What dispatch checks again is in memory then. The feeless share is read and written.
        self.cost(18, 1, 45).saturating_add(self.cost(2, 0, 5).saturating_mul(items))
    }

    fn admit_precommit(&self) -> Weight {
        self.cost(6, 1, 40)
    }

    fn admit_opening(&self, items: u32) -> Weight {
        let items = u64::from(items);
        // Each item is hashed, and the waiting files of another looked at.
        self.cost(19, 1, 45).saturating_add(self.cost(5, 0, 15).saturating_mul(items))
    }

    fn admit_withdrawal(&self) -> Weight {
        self.cost(4, 1, 25)
    }
}

/// The weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

macro_rules! priced {
    ($db:expr; $($name:ident($($items:ident),*)),* $(,)?) => {
        $(fn $name($($items: u32),*) -> Weight {
            Counted($db).$name($($items),*)
        })*
    };
}

macro_rules! all_priced {
    ($db:expr) => {
        priced! {
            $db;
            create_datanet(), register(), register_for(), deregister(), submit(items), withdraw(),
            precommit(items), open(items, displaced), expire(), set_caps(), bar(), end_sponsorship(),
            clear_refusal(), clear_entries(), revoke_leaf(), admit(items), admit_precommit(), admit_opening(items),
            admit_withdrawal(), set_text(), set_status(), accept_ownership(), close(),
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    all_priced!(T::DbWeight::get());
}

impl WeightInfo for () {
    all_priced!(ParityDbWeight::get());
}
