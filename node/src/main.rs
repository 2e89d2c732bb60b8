//! `openledger-node`: consensus, networking and JSON-RPC of an OpenLedger chain.
//!
//! ```sh
//! openledger-node --dev                                  # one author, state in a temporary folder
//! openledger-node --chain local --alice --base-path DIR  # first of two local validators
//! ```

// The errors of sc-cli and sc-service are large; boxing them here would not change theirs.
#![allow(clippy::result_large_err)]

mod chain_spec;
mod cli;
mod command;
mod equivocation;
mod rpc;
mod service;
mod session_keys;
mod warp;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        // In words: several of them say what to do next.
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
