//! `trainer_state.json` as transformers writes it, so that tools that plot or compare its runs read
//! ours.

use crate::error::{read_bounded, write_atomically, Error, Result};
use serde_json::{json, Map, Value};
use std::path::Path;

/// File name within the output folder.
pub const FILE: &str = "trainer_state.json";
/// Largest file that is read back, in bytes.
const MAX_STATE: u64 = 64 << 20;
/// Most entries of the history that are kept; a run that logs more often keeps its newest ones.
const MAX_HISTORY: usize = 200_000;

/// The state of a run: its plan and the history of what was logged.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState {
    /// Optimiser steps done.
    pub global_step: u64,
    /// Optimiser steps planned.
    pub max_steps: u64,
    /// Passes over the data planned.
    pub num_train_epochs: u64,
    /// Passes done.
    pub epoch: f64,
    /// Steps between two entries of the history.
    pub logging_steps: u64,
    /// Steps between two evaluations; `max_steps` when only the start and the end are evaluated.
    pub eval_steps: u64,
    /// Steps between two checkpoints.
    pub save_steps: u64,
    /// Sequences a micro-batch.
    pub train_batch_size: u64,
    /// Tokens trained on.
    pub num_input_tokens_seen: u64,
    /// Floating-point operations spent, estimated.
    pub total_flos: f64,
    /// Lowest held-out loss so far, and the step after which it was measured.
    pub best: Option<(f64, u64)>,
    /// The folder of the checkpoint with the best adapter, where it is kept.
    pub best_model_checkpoint: Option<String>,
    /// The entries, oldest first; each holds `step` and `epoch`.
    pub log_history: Vec<Map<String, Value>>,
}

impl Default for TrainerState {
    fn default() -> Self {
        Self {
            global_step: 0,
            max_steps: 0,
            num_train_epochs: 0,
            epoch: 0.0,
            logging_steps: 1,
            eval_steps: 0,
            save_steps: 0,
            train_batch_size: 0,
            num_input_tokens_seen: 0,
            total_flos: 0.0,
            best: None,
            best_model_checkpoint: None,
            log_history: Vec::new(),
        }
    }
}

impl TrainerState {
    /// Appends an entry of named values at the current step. Values that are no numbers (an
    /// infinite norm) become null, since JSON has none.
    pub fn log(&mut self, values: &[(&str, f64)]) {
        let mut entry = Map::new();
        entry.insert("epoch".to_owned(), json!(self.epoch));
        for (name, value) in values {
            entry.insert((*name).to_owned(), json!(value));
        }
        entry.insert("step".to_owned(), json!(self.global_step));
        if self.log_history.len() >= MAX_HISTORY {
            self.log_history.drain(..MAX_HISTORY / 10);
        }
        self.log_history.push(entry);
    }

    /// Remembers a held-out loss if it is the lowest so far.
    pub fn evaluated(&mut self, loss: f64) {
        if self.best.is_none_or(|(best, _)| loss < best) {
            self.best = Some((loss, self.global_step));
        }
    }

    /// The file's text: the fields of transformers' `TrainerState`, no more and no fewer.
    pub fn to_json(&self) -> String {
        let value = json!({
            "best_global_step": self.best.map(|(_, step)| step),
            "best_metric": self.best.map(|(loss, _)| loss),
            "best_model_checkpoint": self.best_model_checkpoint,
            "epoch": self.epoch,
            "eval_steps": self.eval_steps,
            "global_step": self.global_step,
            "is_hyper_param_search": false,
            "is_local_process_zero": true,
            "is_world_process_zero": true,
            "log_history": self.log_history,
            "logging_steps": self.logging_steps,
            "max_steps": self.max_steps,
            "num_input_tokens_seen": self.num_input_tokens_seen,
            "num_train_epochs": self.num_train_epochs,
            "save_steps": self.save_steps,
            "stateful_callbacks": {},
            "total_flos": self.total_flos,
            "train_batch_size": self.train_batch_size,
            "trial_name": null,
            "trial_params": null,
        });
        format!("{value:#}\n")
    }

    /// Writes `trainer_state.json` into a folder.
    pub fn save(&self, dir: &Path) -> Result<()> {
        write_atomically(&dir.join(FILE), self.to_json().as_bytes())
    }

    /// The history of an earlier `trainer_state.json` up to and including `step`, for a run that
    /// goes on from a checkpoint. An absent file is an empty history.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] when the file is not what this engine or transformers writes.
    pub fn history(dir: &Path, step: u64) -> Result<Vec<Map<String, Value>>> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let fail = |reason: String| Error::Data { name: path.display().to_string(), reason };
        let json: Value = serde_json::from_slice(&read_bounded(&path, MAX_STATE)?)
            .map_err(|e| fail(format!("is not JSON ({e}); remove it to start its history anew")))?;
        let Some(entries) = json.get("log_history").and_then(Value::as_array) else {
            return Err(fail("has no log_history; remove it to start its history anew".to_owned()));
        };
        let past = |entry: &&Map<String, Value>| {
            entry.get("step").and_then(Value::as_u64).is_some_and(|s| s <= step)
        };
        Ok(entries.iter().filter_map(Value::as_object).filter(past).cloned().collect())
    }
}
