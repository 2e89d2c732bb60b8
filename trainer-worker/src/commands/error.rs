//! Errors as users see them, and exit codes: those of the `openledger` program.

use openledger_engine::Error;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

/// What kind of failure; its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything that has no code of its own.
    Failed = 1,
    /// Wrong arguments.
    Usage = 2,
    /// Refused: too little memory, or something would be overwritten.
    Refused = 3,
    /// A server did not answer; trying again may help.
    Unavailable = 4,
}

/// An error that the command itself makes.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CommandError {
    kind: Kind,
    message: String,
}

/// Wrong arguments.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    CommandError { kind: Kind::Usage, message: message.into() }.into()
}

/// Refused by a rule that an option can lift.
pub(crate) fn refused(message: impl Into<String>) -> anyhow::Error {
    CommandError { kind: Kind::Refused, message: message.into() }.into()
}

fn kind(error: &anyhow::Error) -> Kind {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<CommandError>() {
            return error.kind;
        }
        match cause.downcast_ref::<Error>() {
            Some(Error::Setting { .. } | Error::Grammar { .. } | Error::NotBuilt { .. }) => {
                return Kind::Usage
            }
            Some(Error::Memory { .. }) => return Kind::Refused,
            Some(Error::Http { .. }) => return Kind::Unavailable,
            _ => {}
        }
    }
    Kind::Failed
}

/// Prints an error, as one JSON object when the answer would have been one.
pub(crate) fn fail(as_json: bool, error: &anyhow::Error) -> ExitCode {
    let kind = kind(error);
    let message = format!("{error:#}");
    let text = if as_json {
        let name = match kind {
            Kind::Failed => "failed",
            Kind::Usage => "usage",
            Kind::Refused => "refused",
            Kind::Unavailable => "unavailable",
        };
        json!({ "error": { "kind": name, "code": null, "message": message, "next": null } })
            .to_string()
    } else {
        format!("error: {}", super::pipe::visible(&message))
    };
    // The exit code says it too, should stderr be closed.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(kind as u8)
}
