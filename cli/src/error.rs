//! Errors as users see them, and exit codes.

use openledger_client::{AmountError, ClientError, ErrorKind, InvalidSecret, KeyFileError};
use serde::Serialize;

/// Exit code: anything that has no code of its own.
pub(crate) const FAILED: u8 = 1;
/// Exit code: wrong arguments.
pub(crate) const USAGE: u8 = 2;
/// Exit code: refused by the chain, before or after inclusion.
pub(crate) const REFUSED: u8 = 3;
/// Exit code: node or content not reachable; trying again may help.
pub(crate) const UNAVAILABLE: u8 = 4;

/// Result of a command.
pub(crate) type Result<T, E = CliError> = std::result::Result<T, E>;

/// What went wrong: what, with value and limit, and the next step.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: ErrorKind,
    code: Option<u8>,
    message: String,
    next: Option<String>,
}

/// The JSON envelope on stderr.
#[derive(Serialize)]
pub(crate) struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    kind: &'static str,
    code: Option<u8>,
    message: &'a str,
    next: Option<&'a str>,
}

impl CliError {
    /// An error of a kind.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), next: None }
    }

    /// Anything that has no kind of its own.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Wrong arguments.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Refused, by the chain or by its rules.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// The same with a next step.
    pub(crate) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// What went wrong, without the next step.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Failed => FAILED,
            ErrorKind::Usage => USAGE,
            ErrorKind::Refused => REFUSED,
            ErrorKind::Unavailable => UNAVAILABLE,
        }
    }

    /// For JSON output.
    pub(crate) fn envelope(&self) -> Envelope<'_> {
        let kind = match self.kind {
            ErrorKind::Failed => "failed",
            ErrorKind::Usage => "usage",
            ErrorKind::Refused => "refused",
            ErrorKind::Unavailable => "unavailable",
        };
        let (message, next) = (self.message.as_str(), self.next.as_deref());
        Envelope { error: Body { kind, code: self.code, message, next } }
    }

    /// For people. Nothing is made upper case: a message may begin with the name of a file.
    pub(crate) fn text(&self) -> String {
        match &self.next {
            Some(next) => format!("error: {}\nNext: {next}", self.message),
            None => format!("error: {}", self.message),
        }
    }
}

impl From<InvalidSecret> for CliError {
    fn from(error: InvalidSecret) -> Self {
        ClientError::from(error).into()
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        Self {
            kind: error.kind(),
            code: error.code(),
            message: error.to_string(),
            next: error.next_step().map(str::to_owned),
        }
    }
}

impl From<KeyFileError> for CliError {
    fn from(error: KeyFileError) -> Self {
        ClientError::from(error).into()
    }
}

impl From<AmountError> for CliError {
    fn from(error: AmountError) -> Self {
        ClientError::from(error).into()
    }
}

impl From<openledger_content::Error> for CliError {
    fn from(error: openledger_content::Error) -> Self {
        use openledger_content::Error;
        let kind = match &error {
            Error::Unavailable { .. } | Error::Network { .. } => ErrorKind::Unavailable,
            Error::PeerAddress { .. } => ErrorKind::Usage,
            _ => ErrorKind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}
