//! What OpenLedger's GPU operators run, on top of `openledger-engine`.
//!
//! * [`runner`]: the jobs that the chain dispatches.

pub mod runner;
