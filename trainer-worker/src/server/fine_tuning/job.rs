//! A job as it is asked for, kept and shown.

use super::{write_durably, FineTuningError, Hyperparameters, Owner};
use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};
use std::{fs, path::Path};

/// Longest suffix of a model's name.
const MAX_SUFFIX: usize = 64;
/// Most entries of a job's metadata, and the longest key and value.
const METADATA: (usize, usize, usize) = (16, 64, 512);
/// Its file in its folder.
const FILE: &str = "job.json";

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its data is being looked at.
    ValidatingFiles,
    /// It waits for its turn.
    Queued,
    /// It trains.
    Running,
    /// Its model can be used.
    Succeeded,
    /// It ended without one.
    Failed,
    /// Its owner ended it.
    Cancelled,
}

impl Status {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::ValidatingFiles => "validating_files",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will happen any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: String,
    pub(super) owner: Owner,
    /// The number in the order of creation.
    pub(super) number: u64,
    pub(super) created_at: u64,
    pub(super) finished_at: Option<u64>,
    /// The base model's name.
    pub(super) model: String,
    pub(super) method: Value,
    pub(super) hyperparameters: Map<String, Value>,
    /// The options that `train` gets.
    pub(super) options: Vec<String>,
    pub(super) preferences: bool,
    pub(super) training_file: String,
    pub(super) validation_file: Option<String>,
    pub(super) suffix: Option<String>,
    pub(super) seed: u64,
    pub(super) metadata: Option<Map<String, Value>>,
    /// Which of all trainings it was when it first began; none while it has not.
    #[serde(default)]
    pub(super) turn: Option<u64>,
    /// Seconds that it trained, over all starts of the server.
    #[serde(default)]
    pub(super) seconds: u64,
    /// Where it is.
    pub status: Status,
    pub(super) error: Option<JobError>,
    pub(super) trained_tokens: Option<u64>,
    pub(super) result_files: Vec<String>,
    pub(super) fine_tuned_model: Option<String>,
}

/// Why a job failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobError {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) param: Option<String>,
}

impl Job {
    /// As OpenAI's API shows it.
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "object": "fine_tuning.job",
            "model": self.model,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
            "fine_tuned_model": self.fine_tuned_model,
            "organization_id": "",
            "result_files": self.result_files,
            "status": self.status.name(),
            "training_file": self.training_file,
            "validation_file": self.validation_file,
            "hyperparameters": self.hyperparameters,
            "method": self.method,
            "trained_tokens": self.trained_tokens,
            "error": self.error.as_ref().map(|e| {
                json!({ "code": e.code, "message": e.message, "param": e.param })
            }),
            "user_provided_suffix": self.suffix,
            "seed": self.seed,
            "estimated_finish": null,
            "integrations": [],
            "metadata": self.metadata,
        })
    }

    /// Writes it into its folder.
    pub(super) fn save(&self, folder: &Path) -> Result<(), FineTuningError> {
        let path = folder.join(FILE);
        let text = serde_json::to_vec_pretty(self).map_err(|error| FineTuningError::Disk {
            action: "write",
            path: path.clone(),
            cause: std::io::Error::other(error),
        })?;
        write_durably(&path, &text)
    }

    /// The job of a folder; none where the server ended before it was made, so that nobody was told
    /// of it.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, FineTuningError> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(FineTuningError::disk("read", &path))?,
        };
        // What another version wrote is somebody's model: it is never taken for half a job.
        let job = serde_json::from_slice(&text).map_err(std::io::Error::from);
        job.map(Some).map_err(FineTuningError::disk("understand", &path))
    }

    /// Whose it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Whether there is a file to evaluate on.
    pub(super) fn has_validation(&self) -> bool {
        self.validation_file.is_some()
    }
}

/// What a job is made of.
#[derive(Debug, Clone)]
pub struct JobRequest {
    /// The base model's name, as the server calls it.
    pub model: String,
    /// The id of the file to train on.
    pub training_file: String,
    /// The id of a file to evaluate on.
    pub validation_file: Option<String>,
    /// How to train.
    pub hyperparameters: Hyperparameters,
    /// Part of the model's name.
    pub suffix: Option<String>,
    /// Of the training.
    pub seed: Option<u64>,
    /// Kept for the owner.
    pub metadata: Option<Map<String, Value>>,
}

/// Refuses a suffix that could be more than a part of a name.
pub(super) fn check_suffix(suffix: Option<&str>) -> Result<(), FineTuningError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match suffix {
        Some(suffix) if suffix.len() > MAX_SUFFIX || !suffix.chars().all(plain) => {
            let reason = format!(
                "suffix is {:?}; it is made of letters, digits, - and _, at most {MAX_SUFFIX} of them",
                begun(suffix)
            );
            Err(FineTuningError::field("suffix", reason))
        }
        _ => Ok(()),
    }
}

/// Refuses metadata that is more than a note.
pub(super) fn check_metadata(metadata: Option<&Map<String, Value>>) -> Result<(), FineTuningError> {
    let (entries, key_length, value_length) = METADATA;
    let Some(metadata) = metadata else { return Ok(()) };
    let refuse = |field: String, what: String| {
        let reason = format!(
            "{what}; metadata has at most {entries} entries, keys of {key_length} bytes and texts of \
             {value_length} bytes"
        );
        Err(FineTuningError::field(field, reason))
    };
    if metadata.len() > entries {
        return refuse("metadata".to_owned(), format!("metadata has {} entries", metadata.len()));
    }
    for (key, value) in metadata {
        let field = format!("metadata.{}", begun(key));
        if key.len() > key_length {
            return refuse(field, format!("a key of metadata has {} bytes", key.len()));
        }
        match value.as_str().map(str::len) {
            Some(length) if length <= value_length => {}
            Some(length) => {
                let what = format!("{field} has {length} bytes");
                return refuse(field, what);
            }
            None => {
                let what = format!("{field} is no text");
                return refuse(field, what);
            }
        }
    }
    Ok(())
}

/// The beginning of a text, to be told back.
fn begun(text: &str) -> String {
    text.chars().take(100).collect()
}
