//! What can be wrong with files and jobs, in words for whoever sent them.

use std::path::PathBuf;

/// Why a file or a job was refused.
#[derive(Debug, thiserror::Error)]
pub enum FineTuningError {
    /// There is none of that name, or it is another key's.
    #[error("there is no {what} {id}")]
    Unknown {
        /// File or job.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// A field that cannot be taken.
    #[error("{reason}")]
    Field {
        /// Its name, as the request has it.
        field: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A quota of the key.
    #[error("{what}: {value} would be above this key's {limit}; {next}")]
    Quota {
        /// Of what.
        what: &'static str,
        /// What there would be.
        value: u64,
        /// What may be.
        limit: u64,
        /// What to do.
        next: &'static str,
    },
    /// A job that has ended.
    #[error("the job {job} is {status} and cannot be cancelled")]
    Over {
        /// The job.
        job: String,
        /// Its status.
        status: &'static str,
    },
    /// The disk.
    #[error("cannot {action} {}: {cause}", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's reason. Not named `source`: the message says it already.
        cause: std::io::Error,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

impl FineTuningError {
    pub(super) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field { field: field.into(), reason: reason.into() }
    }

    pub(super) fn disk(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Disk { action, path, cause }
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unknown { .. } => 404,
            Self::Field { .. } => 400,
            Self::Quota { .. } => 429,
            Self::Over { .. } => 409,
            Self::Disk { .. } | Self::Random => 500,
        }
    }

    /// The code in the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "not_found",
            Self::Field { .. } => "invalid_value",
            Self::Quota { .. } => "quota_exceeded",
            Self::Over { .. } => "job_is_over",
            Self::Disk { .. } | Self::Random => "server_error",
        }
    }

    /// The field that is wrong, if one is.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Field { field, .. } => Some(field),
            _ => None,
        }
    }
}
