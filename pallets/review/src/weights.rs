//! What calls cost.
//!
//! Each call is measured by a benchmark of its name in `benchmarking.rs`, at its dearest. `scripts/benchmark` runs them and
//! writes `measured.rs`; what is done in steps is put together here, of what a step was measured to take. Proof sizes are
//! zero: this is a chain of its own, without a relay chain that would check proofs.

use crate::{committee::agenda::Steps, MAX_SEATS};
use core::marker::PhantomData;
use frame_support::weights::Weight;

/// Weights of the calls of this pallet.
pub trait WeightInfo {
    /// `vote`, an acceptance and the reward it brings included.
    fn vote() -> Weight;
    /// `vote` that brings no verdict.
    fn cast_vote() -> Weight;
    /// `vote` that brings a refusal.
    fn refuse_by_vote() -> Weight;
    /// `vote_many` with `votes` votes.
    fn vote_many(votes: u32) -> Weight;
    /// `resign`.
    fn resign() -> Weight;
    /// `set_policy`.
    fn set_policy() -> Weight;
    /// `raise_extractor`.
    fn raise_extractor() -> Weight;
    /// `bond_seats` and `unbond_seats`, without what moving the seats costs later.
    fn ask_for_seats() -> Weight;
    /// `withdraw_seats`.
    fn withdraw_seats() -> Weight;
    /// `top_up`.
    fn top_up() -> Weight;
    /// `serve_at`.
    fn serve_at() -> Weight;
    /// `commit`.
    fn commit() -> Weight;
    /// `reveal`.
    fn reveal() -> Weight;
    /// `challenge`.
    fn challenge() -> Weight;
    /// `request_review` of so many files.
    fn request_review(files: u32) -> Weight;
    /// `fund_budget` and `take_back`.
    fn fund_budget() -> Weight;
    /// `set_budget_terms`.
    fn set_budget_terms() -> Weight;
    /// The start of a session's first block, in which nothing else is due.
    fn begin_block_idle() -> Weight;
    /// The start of a block in which so many pools have a turn, each to move a seat.
    fn turn_pools(pools: u32) -> Weight;
    /// The start of a block in which so many seats of one pool leave.
    fn move_seats(seats: u32) -> Weight;
    /// A challenge's committee is drawn, and found as soon as it can be.
    fn draw_committee() -> Weight;
    /// A challenge's committee is looked for as often as it may be, and not found.
    fn postpone_draw() -> Weight;
    /// A committee finds nothing of the most files, and another one is asked.
    fn ask_again() -> Weight;
    /// A challenge's committee says nothing.
    fn decide_challenge() -> Weight;
    /// A file of a call is accepted, after which it can be challenged no more.
    fn settle_file() -> Weight;
    /// A challenge changes what is said of a file.
    fn resolve_challenge() -> Weight;

    /// `bond_seats` and `unbond_seats` of so many, with what moving them costs later.
    fn bond_seats(seats: u32) -> Weight {
        let moved = beyond(Self::begin_block_idle(), Self::move_seats, seats.min(MAX_SEATS));
        Self::ask_for_seats().saturating_add(moved)
    }

    /// `advance`, with as many steps as it may take.
    fn advance() -> Weight {
        Self::begin_block(Steps::CALL)
    }

    /// The work at the start of a block that takes so many steps.
    fn begin_block(steps: Steps) -> Weight {
        // A committee may be found with the last look.
        let draw = Self::draw_committee().saturating_add(Self::postpone_draw());
        let due = Self::ask_again()
            .max(Self::decide_challenge())
            .max(Self::settle_file())
            .max(Self::resolve_challenge());
        let idle = Self::begin_block_idle();
        idle.saturating_add(beyond(idle, Self::turn_pools, steps.pools))
            .saturating_add(beyond(idle, Self::move_seats, steps.seats))
            .saturating_add(draw.saturating_mul(steps.draws.into()))
            .saturating_add(due.saturating_mul(steps.due.into()))
    }
}

/// What so many steps were measured to take, beyond a block in which there is none.
fn beyond(idle: Weight, steps: fn(u32) -> Weight, count: u32) -> Weight {
    match count {
        0 => Weight::zero(),
        _ => steps(count).saturating_sub(idle),
    }
}

/// The weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);
