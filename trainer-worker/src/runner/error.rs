//! What can go wrong with a job.

use openledger_client::ClientError;
use openledger_primitives::{job::DeclineReason, DatanetId, DatasetVersion, JobId, ModelFamily};
use std::path::PathBuf;

/// Why a worker could not do what it set out to.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The chain refused, or the node could not be reached.
    #[error(transparent)]
    Chain(#[from] ClientError),
    /// A file could not be stored or fetched.
    #[error(transparent)]
    Content(#[from] openledger_content::Error),
    /// Training failed.
    #[error(transparent)]
    Training(#[from] openledger_engine::Error),
    /// A file of this worker could not be read or written.
    #[error("cannot {action} {}: {cause}; is the disk full, or the folder another user's?", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason. Not named `source`: the message says it already, and whoever prints
        /// the chain of sources would say it twice.
        cause: std::io::Error,
    },
    /// The leaves that the node returned are not those of the version the job names.
    #[error(
        "Datanet {datanet}: the node's leaves have the root {found:?}, the job names {wanted:?}; \
         use another node"
    )]
    Version {
        /// The Datanet.
        datanet: DatanetId,
        /// What the job names.
        wanted: DatasetVersion,
        /// What the leaves add up to.
        found: DatasetVersion,
    },
    /// The job's base model is not registered.
    #[error("job {job} names base model {base}, which the chain does not know")]
    UnknownModel {
        /// The job.
        job: JobId,
        /// The model.
        base: u32,
    },
    /// The adapter that the job trains further is not what the job and the chain say.
    #[error("job {job} trains adapter {parent} further, which cannot be done: {reason}")]
    Parent {
        /// The job.
        job: JobId,
        /// The adapter.
        parent: JobId,
        /// Why not.
        reason: String,
    },
    /// The weights are not of the family that the chain names.
    #[error(
        "base model {base} is registered as {}, but its file holds a {found} model; whoever \
         registered it must do so again under its family", family.name()
    )]
    Family {
        /// The base model's number.
        base: u32,
        /// Its family on chain.
        family: ModelFamily,
        /// The architecture in the file.
        found: &'static str,
    },
    /// Training gave no held-out loss, so there is nothing to post.
    #[error("job {job}: no example could be held out for evaluation; the version is too small")]
    NoEvaluation {
        /// The job.
        job: JobId,
    },
    /// A held-out loss that the chain cannot hold.
    #[error(
        "job {job}: the held-out loss is {loss}, not a number of 0 to 4294 nats; training diverged, \
         a lower learning rate may help"
    )]
    Loss {
        /// The job.
        job: JobId,
        /// What was measured.
        loss: f64,
    },
    /// This worker cannot do the job, and says so before it takes it.
    #[error("job {job} is declined ({}): {cause}", reason.help())]
    Unfit {
        /// The job.
        job: JobId,
        /// What the chain is told.
        reason: DeclineReason,
        /// What was found.
        cause: String,
    },
    /// There is nothing to verify.
    #[error("job {job} has no result; `openledger job show {job}` says where it is in its life")]
    NoResult {
        /// The job.
        job: JobId,
    },
    /// This machine cannot look at a result.
    #[error("the result of job {job} cannot be verified here: {cause}")]
    Unverifiable {
        /// The job.
        job: JobId,
        /// What it lacks.
        cause: String,
    },
    /// The chain took the job away while it was being trained.
    #[error("job {job} is no longer this worker's")]
    Lost {
        /// The job.
        job: JobId,
    },
    /// The thread that trains ended without a result.
    #[error("the training thread of job {job} ended without a result: {reason}")]
    Thread {
        /// The job.
        job: JobId,
        /// Why.
        reason: String,
    },
}

impl RunnerError {
    /// Whether trying again may help: the node or a file was out of reach.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Chain(error) => error.kind() == openledger_client::ErrorKind::Unavailable,
            Self::Content(error) => error.is_unavailable(),
            _ => false,
        }
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Io { action, path, cause }
    }
}
