//! Why an adapter cannot be used.

use crate::server::names::{AdapterRefused, CHAIN_PREFIX};
use openledger_client::ClientError;
use std::path::PathBuf;

/// Why there is no adapter for a request.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// Nothing has that name.
    #[error("there is no adapter {name}; GET /v1/models lists the names that are known here")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The server looks nothing up on a chain.
    #[error(
        "{CHAIN_PREFIX}{id} is an adapter of the chain, and this server was started without a node; \
         its operator can give one with --node"
    )]
    NoChain {
        /// The adapter's number.
        id: u64,
    },
    /// It was trained for another base.
    #[error("{name} was trained on the base model with sha256 {base}, this server has {own}")]
    OtherBase {
        /// The adapter.
        name: String,
        /// Its base.
        base: String,
        /// The server's.
        own: String,
    },
    /// The chain's node does not answer.
    #[error("the chain cannot be asked now: {0}; try again")]
    Chain(Box<ClientError>),
    /// Its bytes did not come.
    #[error("the bytes of {name} cannot be had now: {cause}; try again")]
    Unreachable {
        /// The adapter.
        name: String,
        /// What was tried.
        cause: Box<openledger_content::Error>,
    },
    /// What is there is no adapter for this model.
    #[error("{name} cannot be used: {reason}")]
    Damaged {
        /// The adapter.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no room beside those in use.
    #[error(
        "{name} takes {bytes} bytes, and of the {limit} bytes for adapters {used} are in use by \
         answers under way; try again"
    )]
    Full {
        /// The adapter.
        name: String,
        /// What it takes.
        bytes: u64,
        /// What the answers under way hold.
        used: u64,
        /// The budget.
        limit: u64,
    },
    /// It alone is more than the budget.
    #[error(
        "{name} takes {bytes} bytes, more than the {limit} that this server takes an adapter of; its \
         operator can raise --adapter-memory"
    )]
    TooLarge {
        /// The adapter.
        name: String,
        /// What it takes.
        bytes: u64,
        /// The budget.
        limit: u64,
    },
    /// The folder of fetched adapters cannot be used.
    #[error("cannot {action} {}: {cause}", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's reason. Not named `source`: the message says it already.
        cause: std::io::Error,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopped,
}

impl AdapterError {
    pub(super) fn damaged(name: &str, reason: impl ToString) -> Self {
        Self::Damaged { name: name.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn disk(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Disk { action, path, cause }
    }

    /// The status of the answer, and the code in it.
    pub fn status_and_code(&self) -> (u16, &'static str) {
        match self {
            Self::Unknown { .. } | Self::NoChain { .. } => (404, "model_not_found"),
            Self::OtherBase { .. } => (400, "adapter_of_another_base"),
            Self::Damaged { .. } => (422, "adapter_unusable"),
            Self::TooLarge { .. } => (422, "adapter_too_large"),
            Self::Full { .. } => (429, "adapters_full"),
            Self::Chain(_) => (503, "chain_unreachable"),
            Self::Unreachable { .. } => (503, "adapter_unreachable"),
            Self::Disk { .. } => (500, "disk"),
            Self::Stopped => (503, "stopping"),
        }
    }
}

impl From<AdapterError> for AdapterRefused {
    fn from(error: AdapterError) -> Self {
        let (status, code) = error.status_and_code();
        Self { status, code, message: error.to_string() }
    }
}
