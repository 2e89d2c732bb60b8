//! What OpenLedger's GPU operators run, on top of `openledger-engine`.
//!
//! * [`runner`]: the jobs that the chain dispatches;
//! * [`server`]: answers over HTTP.

pub mod runner;
pub mod server;
