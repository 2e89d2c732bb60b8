//! What calls cost.
//!
//! Estimated by hand: database reads and writes counted in the code and priced by the runtime's
//! `DbWeight`, plus a generous allowance of processor time. Proof sizes are zero: this is a chain of
//! its own, without a relay chain that would check proofs.

use crate::committee::agenda::Steps;
use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};
use openledger_primitives::committee::{draw::LOOKS_A_MEMBER, MAX_COMMITTEE, MAX_MEMBERS};

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
    /// `bond_seats` and `unbond_seats` of so many, with what moving them costs later.
    fn bond_seats(seats: u32) -> Weight;
    /// `withdraw_seats` and `top_up`.
    fn withdraw_seats() -> Weight;
    /// `commit`.
    fn commit() -> Weight;
    /// `reveal`.
    fn reveal() -> Weight;
    /// `challenge`.
    fn challenge() -> Weight;
    /// `advance`, with as many steps as it may take.
    fn advance() -> Weight;
    /// `request_review` of so many files.
    fn request_review(files: u32) -> Weight;
    /// `fund_budget` and `take_back`.
    fn fund_budget() -> Weight;
    /// `set_budget_terms`.
    fn set_budget_terms() -> Weight;
    /// The work at the start of a block that takes so many steps.
    fn begin_block(steps: Steps) -> Weight;
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

/// Microseconds of processor time as weight.
fn micros(time: u64) -> Weight {
    Weight::from_parts(time.saturating_mul(1_000_000), 0)
}

fn cost(db: RuntimeDbWeight, reads: u64, writes: u64, time: u64) -> Weight {
    db.reads_writes(reads, writes).saturating_add(micros(time))
}

fn bond_seats(db: RuntimeDbWeight, seats: u32) -> Weight {
    // Datanet and status, seats, queue, turn, session, holds, account; those and the change.
    let seats = seats.min(crate::MAX_SEATS);
    cost(db, 9, 8, 60).saturating_add(seat(db).saturating_mul(seats.into()))
}

/// A seat that enters or leaves its pool.
fn seat(db: RuntimeDbWeight) -> Weight {
    // Queue, change, seats, size and since when it is large; those, a place and two owners.
    cost(db, 7, 9, 20)
}

fn withdraw_seats(db: RuntimeDbWeight) -> Weight {
    cost(db, 3, 3, 60)
}

fn commit(db: RuntimeDbWeight) -> Weight {
    // The draw, lengths; the draw and its place in the agenda.
    cost(db, 3, 3, 60)
}

fn reveal(db: RuntimeDbWeight) -> Weight {
    // Up to 20 opinions are hashed.
    cost(db, 2, 4, 100)
}

fn challenge(db: RuntimeDbWeight) -> Weight {
    // The draw, next number, session, holds, account; those, the larger draw and its wait.
    cost(db, 6, 7, 90)
}

fn request_review(db: RuntimeDbWeight, files: u32) -> Weight {
    // Datanet, policies, budget, next number, session; budget, the draw, its wait. A file: its record, draw
    // and ballot.
    cost(db, 6, 4, 60).saturating_add(cost(db, 2, 2, 15).saturating_mul(files.into()))
}

fn fund_budget(db: RuntimeDbWeight) -> Weight {
    cost(db, 4, 3, 60)
}

fn set_budget_terms(db: RuntimeDbWeight) -> Weight {
    cost(db, 1, 1, 20)
}

fn begin_block(db: RuntimeDbWeight, steps: Steps) -> Weight {
    // Session, last session, the first that wait; a seed.
    let look = cost(db, 6, 2, 20);
    // A pool's turn: where it is, the first change, draw and parked draw; where it is then.
    let pool = cost(db, 8, 5, 20);
    let seat = seat(db);
    // The most looks of the largest committee, a place and seats each, and a hash; each member, draw, budget.
    const LOOKS: u64 = LOOKS_A_MEMBER as u64 * MAX_MEMBERS as u64;
    // Who is barred has seats or has none; a draw that is parked or woken changes where it waits.
    const DRAWN: u64 = MAX_MEMBERS as u64 + 12;
    const BARRED: u64 = MAX_COMMITTEE as u64 + 2;
    let draw = cost(db, 2 * LOOKS + BARRED + 14, DRAWN, 2 * LOOKS);
    // The dearest is a challenge's word: two committees are paid or lose (seats, holds, two accounts each, and
    // the words of one), and a verdict. A decision charges one committee, reads its votes and asks another for up to 20 files.
    const CALL: u64 = MAX_COMMITTEE as u64;
    const SIDES: u64 = MAX_MEMBERS as u64 + CALL;
    let due = cost(db, 4 * SIDES + CALL + 10, 4 * SIDES + CALL + 10, 500).saturating_add(vote(db));
    look.saturating_add(pool.saturating_mul(steps.pools.into()))
        .saturating_add(seat.saturating_mul(steps.seats.into()))
        .saturating_add(draw.saturating_mul(steps.draws.into()))
        .saturating_add(due.saturating_mul(steps.due.into()))
}

/// The weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

macro_rules! priced {
    ($db:expr) => {
        fn vote() -> Weight {
            vote($db)
        }
        fn vote_many(votes: u32) -> Weight {
            vote($db).saturating_mul(votes.into())
        }
        fn resign() -> Weight {
            set_policy($db)
        }
        fn set_policy() -> Weight {
            set_policy($db)
        }
        fn raise_extractor() -> Weight {
            raise_extractor($db)
        }
        fn bond_seats(seats: u32) -> Weight {
            bond_seats($db, seats)
        }
        fn withdraw_seats() -> Weight {
            withdraw_seats($db)
        }
        fn commit() -> Weight {
            commit($db)
        }
        fn reveal() -> Weight {
            reveal($db)
        }
        fn challenge() -> Weight {
            challenge($db)
        }
        fn advance() -> Weight {
            begin_block($db, Steps::CALL)
        }
        fn request_review(files: u32) -> Weight {
            request_review($db, files)
        }
        fn fund_budget() -> Weight {
            fund_budget($db)
        }
        fn set_budget_terms() -> Weight {
            set_budget_terms($db)
        }
        fn begin_block(steps: Steps) -> Weight {
            begin_block($db, steps)
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    priced!(T::DbWeight::get());
}

impl WeightInfo for () {
    priced!(ParityDbWeight::get());
}
