//! Fine-tuning with OpenAI's shapes: files that a key uploads, and jobs that train on them.
//!
//! ```text
//! POST /v1/files ─▶ FileStore ─▶ POST /v1/fine_tuning/jobs ─▶ Queue ─▶ training (a process) ─▶ ft:… model
//! ```
//!
//! One training runs at a time, as a process of its own (`trainer-worker train`): its memory is not
//! the server's, a crash of it is not the server's, and what it does is what the command does. All
//! state lies in one folder, written so that a server that was killed goes on where it was: a job
//! that ran is queued again and continues from its last checkpoint.
//!
//! Files, jobs and models belong to the key that made them; for any other key they do not exist.

mod error;
mod events;
mod files;
mod hyperparameters;
mod job;
mod jobs;
mod records;
mod training;

pub use error::FineTuningError;
pub use events::Event;
pub use files::{FileObject, FileQuota, FileStore, Purpose};
pub use hyperparameters::{Hyperparameters, Method};
pub use job::{Job, JobRequest, Status};
pub use jobs::{Jobs, MAX_ENDED, MAX_MODELS};
pub use training::{Trainer, TrainerSettings};

use std::{
    fs,
    io::Write,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// What belongs to whom: the name of an API key, never the key itself.
pub type Owner = String;

/// Seconds since 1970, as OpenAI's objects carry them.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A name that nobody can guess: `prefix` and 96 random bits.
pub(crate) fn new_id(prefix: &str) -> Result<String, FineTuningError> {
    let mut bytes = [0u8; 12];
    getrandom::fill(&mut bytes).map_err(|_| FineTuningError::Random)?;
    Ok(format!("{prefix}{}", hex::encode(bytes)))
}

/// Whether a text can be an id of ours, and so the name of a file: never a path.
fn is_id(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == 24
            && rest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// Makes a folder, and those above it, that nobody but the server's user can look into. One that is there
/// is closed to others.
fn private_folder(path: &Path) -> Result<(), FineTuningError> {
    let failed = FineTuningError::disk("create", path);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path);
    #[cfg(unix)]
    let made = made.and_then(|()| {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
    });
    made.map_err(failed)
}

/// How files are opened that nobody but the server's user can read.
fn private_file() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes a file so that a reader, or the next start after a crash, finds the old one or the new.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), FineTuningError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = |cause| FineTuningError::Disk { action: "write", path: path.to_owned(), cause };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
