//! What calls cost.
//!
//! Each call is measured by a benchmark of its name in `benchmarking.rs`, at its dearest. `scripts/benchmark` runs them and
//! writes `measured.rs`; what is done in steps is put together here, of what a step was measured to take. Proof sizes are
//! zero: this is a chain of its own, without a relay chain that would check proofs.

use core::marker::PhantomData;
use frame_support::weights::Weight;

/// Weights of the calls and of the work at the start of a block.
pub trait WeightInfo {
    /// Of `register_base_model`.
    fn register_base_model() -> Weight;
    /// Of `register_worker` for so many kinds.
    fn register_worker(kinds: u32) -> Weight;
    /// Of `update_worker` to so many kinds.
    fn update_worker(kinds: u32) -> Weight;
    /// Of `pause`.
    fn pause() -> Weight;
    /// Of `resume`.
    fn resume() -> Weight;
    /// Of `deregister_worker`.
    fn deregister_worker() -> Weight;
    /// Of `create_job` on so many Datanets.
    fn create_job(datasets: u32) -> Weight;
    /// Of `refine_adapter` on so many Datanets.
    fn refine_adapter(datasets: u32) -> Weight;
    /// Of `cancel_job`.
    fn cancel_job() -> Weight;
    /// Of `take`.
    fn take() -> Weight;
    /// Of `heartbeat`.
    fn heartbeat() -> Weight;
    /// Of `submit_result`.
    fn submit_result() -> Weight;
    /// Of `decline`.
    fn decline() -> Weight;
    /// Of `raise_price`.
    fn raise_price() -> Weight;
    /// Of `extend_deadline`.
    fn extend_deadline() -> Weight;
    /// Of `prune_job`.
    fn prune_job() -> Weight;
    /// Of `retire_base_model`.
    fn retire_base_model() -> Weight;
    /// Of `dispute`.
    fn dispute() -> Weight;
    /// Of `commit_finding`.
    fn commit_finding() -> Weight;
    /// Of `reveal_finding`.
    fn reveal_finding() -> Weight;
    /// Of the start of a block in which nothing is due.
    fn begin_block_idle() -> Weight;
    /// Of the start of a block that paid for so many results.
    fn pay(paid: u32) -> Weight;
    /// Of the start of a block that took so many jobs from a worker.
    fn time_out(timed_out: u32) -> Weight;
    /// Of the start of a block that entered so many jobs anew.
    fn move_on(moved: u32) -> Weight;
    /// Of the start of a block that drew workers for so many disputes.
    fn draw_verifiers(drawn: u32) -> Weight;
    /// Of the start of a block that settled so many disputes against the worker,
    fn settle_dispute(settled: u32) -> Weight;
    /// or for it.
    fn settle_upheld(settled: u32) -> Weight;
    /// Of the start of a block in which so many workers gained seniority.
    fn admit_newcomers(workers: u32) -> Weight;
    /// Of the start of a block in which so many searches for jobs went on.
    fn go_on_searching(searches: u32) -> Weight;
    /// Of the start of a block in which a search looked for its place on so many shelves.
    fn seek(shelves: u32) -> Weight;

    /// Of drawing workers for so many disputes and settling so many at the start of a block.
    fn judge(drawn: u32, settled: u32) -> Weight {
        let idle = Self::begin_block_idle();
        let settle = beyond(idle, Self::settle_dispute, settled).max(beyond(
            idle,
            Self::settle_upheld,
            settled,
        ));
        beyond(idle, Self::draw_verifiers, drawn).saturating_add(settle)
    }

    /// Of letting so many workers gain seniority at the start of a block.
    fn admit(workers: u32) -> Weight {
        beyond(Self::begin_block_idle(), Self::admit_newcomers, workers)
    }

    /// Of letting so many searches for jobs go on at the start of a block, which looked for their places on so many
    /// shelves.
    fn search(searches: u32, shelves: u32) -> Weight {
        let idle = Self::begin_block_idle();
        beyond(idle, Self::go_on_searching, searches).saturating_add(beyond(
            idle,
            Self::seek,
            shelves,
        ))
    }

    /// Of the start of a block that paid for so many results, took so many jobs from a worker or ended them, and entered
    /// so many anew.
    fn begin_block(paid: u32, timed_out: u32, moved: u32) -> Weight {
        let idle = Self::begin_block_idle();
        idle.saturating_add(beyond(idle, Self::pay, paid))
            .saturating_add(beyond(idle, Self::time_out, timed_out))
            .saturating_add(beyond(idle, Self::move_on, moved))
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
