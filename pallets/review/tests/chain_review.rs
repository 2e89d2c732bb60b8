//! The review pallet through its calls and its seams.

#[path = "chain_review/committee/mod.rs"]
mod committee;
#[path = "chain_review/committee_states.rs"]
mod committee_states;
#[path = "chain_review/extractor.rs"]
mod extractor;
#[path = "chain_review/mock.rs"]
mod mock;
#[path = "chain_review/policy.rs"]
mod policy;
#[path = "chain_review/several.rs"]
mod several;
#[path = "chain_review/state.rs"]
mod state;
#[path = "chain_review/vote.rs"]
mod vote;
