//! What calls cost.
//!
//! Each call is measured by a benchmark of its name in `benchmarking.rs`, at its dearest. `scripts/benchmark` runs them and
//! writes `measured.rs`; what is done in steps is put together here, of what a step was measured to take. Proof sizes are
//! zero: this is a chain of its own, without a relay chain that would check proofs.

use core::marker::PhantomData;
use frame_support::weights::Weight;

/// Weights of the calls and of the seam. Each call may be the first of its period to touch a pool, and is charged for
/// that; when it is not, the weight of its name with `again` is what it did, and the rest is given back.
pub trait WeightInfo {
    /// Of `fund`.
    fn fund() -> Weight;
    /// Of it again in a period.
    fn fund_again() -> Weight;
    /// Of `set_terms`.
    fn set_terms() -> Weight;
    /// Of it again in a period.
    fn set_terms_again() -> Weight;
    /// Of `claim`.
    fn claim() -> Weight;
    /// Of it again in a period.
    fn claim_again() -> Weight;
    /// Of `claim_many` from `datanets` Datanets.
    fn claim_many(datanets: u32) -> Weight;
    /// Of it from pools that were touched in their period before.
    fn claim_many_again(datanets: u32) -> Weight;
    /// Of it with so many Datanets more that owe nothing.
    fn claim_many_idle(datanets: u32) -> Weight;
    /// Of `leave`, and of `recover`.
    fn leave() -> Weight;
    /// Of them again in a period.
    fn leave_again() -> Weight;
    /// Of `withdraw`.
    fn withdraw() -> Weight;
    /// Of it again in a period.
    fn withdraw_again() -> Weight;
    /// Of `set_payout`.
    fn set_payout() -> Weight;
    /// Of one acceptance, charged by the call that brings it.
    fn on_accepted() -> Weight;
}

/// The weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);
