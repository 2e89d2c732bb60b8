//! `openledger-gateway`: the chain's index, uploads and the web app on one address.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

use clap::Parser;
use openledger_gateway::arguments::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| "openledger_gateway=info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    // All else works without it, so that it may be put there later.
    if let Err(missing) = openledger_documents::sandbox::decoder() {
        tracing::warn!(%missing, "no file can be previewed");
    }
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("could not start: {error}"))
        .and_then(|runtime| {
            runtime
                .block_on(openledger_gateway::server::run(arguments))
                .map_err(|error| error.to_string())
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
