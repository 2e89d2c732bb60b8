//! What calls cost.
//!
//! Each call is measured by a benchmark of its name in `benchmarking.rs`, at its dearest. `scripts/benchmark` runs them and
//! writes `measured.rs`; what is done in steps is put together here, of what a step was measured to take. Proof sizes are
//! zero: this is a chain of its own, without a relay chain that would check proofs.

use core::marker::PhantomData;
use frame_support::weights::Weight;

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
    /// `open` with `items` files, none of which displaces another's.
    fn open_unrivalled(items: u32) -> Weight;
    /// `open` with as many files as there may be, of which so many displace another's.
    fn open_displacing(displaced: u32) -> Weight;
    /// `expire`.
    fn expire() -> Weight;
    /// `set_caps`.
    fn set_caps() -> Weight;
    /// `bar`, `unbar` or `invite`.
    fn bar() -> Weight;
    /// `clear_entries` of so many.
    fn clear_entries(entries: u32) -> Weight;
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
    /// Forgetting so many refusals at the end of a block.
    fn forget_refusals(refusals: u32) -> Weight;
    /// Finding a leaf at the end of a block that no list has yet, and listing it.
    fn list_leaf() -> Weight;

    /// `open` with `items` files, of which so many displace another's.
    fn open(items: u32, displaced: u32) -> Weight {
        let displacing = Self::open_displacing(displaced).saturating_sub(Self::open_displacing(0));
        Self::open_unrivalled(items).saturating_add(displacing)
    }
}

/// The weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);
