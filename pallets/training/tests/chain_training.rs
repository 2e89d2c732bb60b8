//! Training jobs through the pallet's public door: their whole life with exact balances, every
//! refusal, time-outs, dispatch, the agenda, conservation of every planck under random calls, and
//! the checks that notice damaged storage.

#[path = "chain_training/mock.rs"]
mod mock;

#[path = "chain_training/agenda.rs"]
mod agenda;
#[path = "chain_training/conservation.rs"]
mod conservation;
#[path = "chain_training/corruption.rs"]
mod corruption;
#[path = "chain_training/declines.rs"]
mod declines;
#[path = "chain_training/dispatch.rs"]
mod dispatch;
#[path = "chain_training/disputes.rs"]
mod disputes;
#[path = "chain_training/disputes_cheats.rs"]
mod disputes_cheats;
#[path = "chain_training/disputes_damaged.rs"]
mod disputes_damaged;
#[path = "chain_training/life.rs"]
mod life;
#[path = "chain_training/market.rs"]
mod market;
#[path = "chain_training/model.rs"]
mod model;
#[path = "chain_training/parents.rs"]
mod parents;
#[path = "chain_training/refusals.rs"]
mod refusals;
#[path = "chain_training/seniority.rs"]
mod seniority;
#[path = "chain_training/timeouts.rs"]
mod timeouts;
#[path = "chain_training/workers.rs"]
mod workers;
