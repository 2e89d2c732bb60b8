//! `openledger`: everything a contributor, curator, job owner or operator does from a shell.

mod arguments;
mod commands;
mod content;
mod context;
mod error;
mod output;
mod views;

use arguments::OutputFormat;
use clap::{error::ErrorKind as ClapError, FromArgMatches};
use commands::Cli;
use error::CliError;
use std::process::ExitCode;

fn main() -> ExitCode {
    let parsed =
        commands::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // Nothing is logged unless asked for: stderr belongs to the answer.
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let format = cli.global.output;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = CliError::failed(format!("could not start: {error}"));
            return output::fail(format, &error);
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(answer) => output::succeed(format, &answer),
        Err(error) => output::fail(format, &error),
    }
}

/// Prints help, or says what is wrong with the arguments, in the format that they ask for.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ClapError::DisplayHelp | ClapError::DisplayVersion) {
        // A reader that has gone away needs no help.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().collect();
    let json = arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    if !json {
        let _ = error.print();
        return ExitCode::from(error::USAGE);
    }
    let text = error.render().to_string();
    let message = text.lines().take_while(|line| !line.starts_with("Usage:"));
    let message: Vec<&str> = message.map(str::trim).filter(|line| !line.is_empty()).collect();
    let message = message.join("; ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let error = CliError::usage(message).next("add --help to see what the command takes");
    output::fail(OutputFormat::Json, &error)
}
