//! What happened to a job.

use super::{now, private_file};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fs, io::Write, path::Path};

/// Most events of a job that are kept; a training's measurements are thinned before they reach it.
pub(super) const MAX_EVENTS: usize = 10_000;
/// Their file in a job's folder.
const FILE: &str = "events.jsonl";

/// Something that happened to a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    id: String,
    object: String,
    created_at: u64,
    level: String,
    message: String,
    #[serde(rename = "type")]
    kind: String,
    data: Value,
}

impl Event {
    /// The event after `before` others of a job; `data` makes it one of a training's measurements.
    pub(super) fn new(job: &str, before: usize, level: &str, message: &str, data: Value) -> Self {
        let kind = if data.is_null() { "message" } else { "metrics" };
        Self {
            id: format!("ftevent-{job}-{before}"),
            object: "fine_tuning.job.event".to_owned(),
            created_at: now(),
            level: level.to_owned(),
            message: message.to_owned(),
            kind: kind.to_owned(),
            data,
        }
    }

    /// Writes it behind the others in a job's folder.
    pub(super) fn append(&self, folder: &Path) -> std::io::Result<()> {
        let text = serde_json::to_vec(self)?;
        let mut file = private_file().append(true).open(folder.join(FILE))?;
        file.write_all(&[&text[..], b"\n"].concat())
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The events of a job; a line that a crash cut short is left out.
pub(super) fn read(folder: &Path) -> Vec<Event> {
    let bytes = fs::read(folder.join(FILE)).unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n').take(MAX_EVENTS);
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}
