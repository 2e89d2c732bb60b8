//! Turns the events of a training run into `trainer_state.json`, TensorBoard scalars and MLflow
//! metrics, under the names that transformers gives them.

use super::memory;
use super::mlflow::{Mlflow, MlflowSettings, RunStatus};
use super::tensorboard::EventWriter;
use super::trainer_state::TrainerState;
use crate::error::{read_bounded, write_atomically, Result};
use crate::train::store::folder_of;
use crate::train::{perplexity, Event, Outcome, Progress, Rewards, TrainSettings};
use serde_json::{json, Map, Value};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// File of a run's settings within the output folder: among them the device and type that it was
/// computed in, and whether the same seed gives the same bytes on every machine.
pub const SETTINGS_FILE: &str = "training_args.json";

/// Longest file of settings that is read back, in bytes.
const MAX_SETTINGS: u64 = 64 << 20;

/// Where a run is recorded besides `trainer_state.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecorderSettings {
    /// The output folder, which keeps `trainer_state.json`.
    pub directory: PathBuf,
    /// Optimiser steps between two records of the loss, which is averaged over them; at least 1.
    pub logging_steps: u64,
    /// Folder for TensorBoard event files, if any.
    pub tensorboard: Option<PathBuf>,
    /// MLflow, if any; its `resume` is set by the recorder.
    pub mlflow: Option<MlflowSettings>,
    /// Parameters of the base model, for the count of floating-point operations.
    pub base_parameters: u64,
    /// What the run was made from.
    pub provenance: Provenance,
}

/// What a run was made from, for [`SETTINGS_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The base model's file or folder, as it was given.
    pub model: String,
    /// Its weight files with their SHA-256 in hexadecimal; nothing where that could not be computed.
    pub model_files: Vec<(String, Option<String>)>,
    /// The data files with the SHA-256 of their bytes in hexadecimal.
    pub data: Vec<(String, String)>,
}

/// The figures of a run that is complete, the same wherever they are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Mean training loss over all optimiser steps, those before a resume included.
    pub train_loss: f64,
    /// Epochs done.
    pub epoch: f64,
    /// Seconds since the start or the resume, evaluations included.
    pub train_runtime: f64,
    /// Examples trained on a second, in that time.
    pub train_samples_per_second: f64,
    /// Optimiser steps a second, in that time.
    pub train_steps_per_second: f64,
}

/// Receives sentences about what could not be recorded.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Records a run. What cannot be written is told and never stops a training.
pub struct Recorder {
    settings: RecorderSettings,
    parameters: Vec<(String, String)>,
    tell: Tell,
    inner: Mutex<Inner>,
}

struct Inner {
    state: TrainerState,
    loss_sum: f64,
    loss_steps: u64,
    /// Sums of the rewards since the last entry.
    rewards: Rewards,
    started: Instant,
    first_step: u64,
    resumed: Option<u64>,
    opened: bool,
    tensorboard: Option<EventWriter>,
    mlflow: Option<Mlflow>,
}

impl Recorder {
    /// A recorder of a run with these settings.
    pub fn new(
        settings: RecorderSettings,
        train: &TrainSettings,
        model_name: &str,
        tell: Tell,
    ) -> Self {
        let state = TrainerState {
            num_train_epochs: train.num_train_epochs.ceil() as u64,
            logging_steps: settings.logging_steps.max(1),
            eval_steps: train.eval_steps,
            save_steps: train.save_steps,
            train_batch_size: train.per_device_train_batch_size as u64,
            ..TrainerState::default()
        };
        let inner = Inner {
            state,
            loss_sum: 0.0,
            loss_steps: 0,
            rewards: Rewards::default(),
            started: Instant::now(),
            first_step: 0,
            resumed: None,
            opened: false,
            tensorboard: None,
            mlflow: None,
        };
        let parameters = parameters(train, model_name);
        Self { settings, parameters, tell, inner: Mutex::new(inner) }
    }

    /// Records an event; call it with every event of the run.
    pub fn record(&self, event: &Event) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Prepared { total_steps, .. } => inner.state.max_steps = *total_steps,
            Event::Resumed { step } => {
                inner.first_step = *step;
                inner.state.global_step = *step;
                inner.resumed = Some(*step);
                match TrainerState::history(&self.settings.directory, *step) {
                    Ok(history) => {
                        let epoch = history.last().and_then(|entry| entry.get("epoch")?.as_f64());
                        inner.state.epoch = epoch.unwrap_or(0.0);
                        inner.state.log_history = history;
                    }
                    Err(error) => (self.tell)(&error.to_string()),
                }
            }
            Event::Evaluated { step, loss } => {
                self.open(&mut inner);
                inner.state.global_step = *step;
                inner.state.evaluated(*loss);
                let values = [("eval_loss", *loss), ("eval_perplexity", perplexity(*loss))];
                self.write(&mut inner, *step, &values);
                self.save(&inner);
            }
            Event::Rewards { step, rewards } => {
                let values = [
                    ("eval_rewards/chosen", rewards.chosen),
                    ("eval_rewards/rejected", rewards.rejected),
                    ("eval_rewards/accuracies", rewards.accuracy),
                    ("eval_rewards/margins", rewards.margin),
                ];
                self.write(&mut inner, *step, &values);
            }
            Event::Accuracy { step, accuracy } => {
                self.write(&mut inner, *step, &[("eval_mean_token_accuracy", *accuracy)]);
                self.save(&inner);
            }
            Event::Step(progress) => self.step(&mut inner, progress),
            Event::Saved { step } => {
                let folder = folder_of(&self.settings.directory, *step);
                if inner.state.best.is_some_and(|(_, best)| best == *step) && folder.exists() {
                    inner.state.best_model_checkpoint = Some(folder.display().to_string());
                }
                self.save(&inner);
            }
            _ => {}
        }
    }

    fn step(&self, inner: &mut Inner, progress: &Progress) {
        self.open(inner);
        inner.state.global_step = progress.step;
        inner.state.epoch = progress.epoch;
        inner.state.num_train_epochs =
            inner.state.num_train_epochs.max(progress.epoch.ceil() as u64);
        inner.state.num_input_tokens_seen = progress.tokens;
        inner.state.total_flos =
            4.0 * self.settings.base_parameters as f64 * progress.tokens as f64;
        inner.loss_sum += progress.loss;
        inner.loss_steps += 1;
        if let Some(rewards) = &progress.rewards {
            inner.rewards.chosen += rewards.chosen;
            inner.rewards.rejected += rewards.rejected;
            inner.rewards.accuracy += rewards.accuracy;
            inner.rewards.margin += rewards.margin;
        }
        let due = progress.step.is_multiple_of(inner.state.logging_steps)
            || progress.step == progress.total_steps;
        if due {
            self.log_step(inner, progress);
        }
        // Before the checkpoint of this step: a history that is too long is cut when the run goes
        // on, one that is too short would keep a gap.
        if inner.state.save_steps > 0 && progress.step.is_multiple_of(inner.state.save_steps) {
            self.save(inner);
        }
    }

    fn log_step(&self, inner: &mut Inner, progress: &Progress) {
        let steps = inner.loss_steps as f64;
        let loss = inner.loss_sum / steps;
        let rewards = std::mem::take(&mut inner.rewards);
        (inner.loss_sum, inner.loss_steps) = (0.0, 0);
        let mut values = vec![
            ("loss", loss),
            ("grad_norm", progress.grad_norm),
            ("learning_rate", progress.learning_rate),
            ("num_input_tokens_seen", progress.tokens as f64),
            ("tokens_per_second", progress.tokens_per_second),
        ];
        if progress.rewards.is_some() {
            // Averaged over the same steps as the loss, under TRL's names.
            values.extend([
                ("rewards/chosen", rewards.chosen / steps),
                ("rewards/rejected", rewards.rejected / steps),
                ("rewards/accuracies", rewards.accuracy / steps),
                ("rewards/margins", rewards.margin / steps),
            ]);
        }
        if let Some(bytes) = memory::resident() {
            values.push(("resident_memory_mib", bytes as f64 / (1 << 20) as f64));
        }
        self.write(inner, progress.step, &values);
    }

    /// Writes the settings and opens event file and MLflow run, once it is known whether the run is a resumed one.
    fn open(&self, inner: &mut Inner) {
        if std::mem::replace(&mut inner.opened, true) {
            return;
        }
        if let Some(dir) = &self.settings.tensorboard {
            match EventWriter::create(dir, inner.resumed) {
                Ok(writer) => inner.tensorboard = Some(writer),
                Err(error) => (self.tell)(&format!("TensorBoard: {error}")),
            }
        }
        let mut events = match inner.resumed {
            Some(_) => event_files(&self.settings.directory),
            None => Vec::new(),
        };
        events.extend(inner.tensorboard.as_ref().map(|w| w.path().to_owned()));
        let text = settings_json(&self.parameters, &self.settings.provenance, &events);
        let path = self.settings.directory.join(SETTINGS_FILE);
        if let Err(error) = write_atomically(&path, text.as_bytes()) {
            (self.tell)(&error.to_string());
        }
        if let Some(settings) = &self.settings.mlflow {
            let settings = MlflowSettings { resume: inner.resumed.is_some(), ..settings.clone() };
            let tell = self.tell.clone();
            let parameters = self.parameters.clone();
            match Mlflow::start(settings, parameters, move |text| tell(text)) {
                Ok(mlflow) => inner.mlflow = Some(mlflow),
                Err(error) => (self.tell)(&format!("MLflow: {error}")),
            }
        }
    }

    fn write(&self, inner: &mut Inner, step: u64, values: &[(&str, f64)]) {
        inner.state.log(values);
        if let Some(mlflow) = &inner.mlflow {
            mlflow.metrics(step, values);
        }
        let epoch = inner.state.epoch;
        if let Some(writer) = &mut inner.tensorboard {
            let tagged: Vec<(String, f64)> = values
                .iter()
                .chain(&[("epoch", epoch)])
                .map(|(name, value)| match name.strip_prefix("eval_") {
                    Some(name) => (format!("eval/{name}"), *value),
                    None => (format!("train/{name}"), *value),
                })
                .collect();
            let tagged: Vec<(&str, f64)> =
                tagged.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            if let Err(error) = writer.scalars(step, &tagged) {
                (self.tell)(&format!("TensorBoard: {error}; nothing more is written there"));
                inner.tensorboard = None;
            }
        }
    }

    fn save(&self, inner: &Inner) {
        if let Err(error) = inner.state.save(&self.settings.directory) {
            (self.tell)(&error.to_string());
        }
    }

    /// Ends the record: the last entry of the history, `trainer_state.json`, the MLflow run.
    /// The figures of a run that is complete are returned.
    pub fn finish(self, result: &Result<Outcome>) -> Option<Summary> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let summary = result.as_ref().ok().map(|outcome| {
            let seconds = inner.started.elapsed().as_secs_f64().max(1e-9);
            let steps = outcome.steps.saturating_sub(inner.first_step) as f64;
            Summary {
                train_loss: outcome.train_loss,
                epoch: outcome.epoch,
                train_runtime: seconds,
                train_samples_per_second: outcome.samples.1 as f64 / seconds,
                train_steps_per_second: steps / seconds,
            }
        });
        if let (Some(s), Ok(outcome)) = (&summary, result) {
            inner.state.epoch = s.epoch;
            inner.state.global_step = outcome.steps;
            let values = [
                ("train_loss", s.train_loss),
                ("train_runtime", s.train_runtime),
                ("train_samples_per_second", s.train_samples_per_second),
                ("train_steps_per_second", s.train_steps_per_second),
                ("total_flos", inner.state.total_flos),
            ];
            self.write(&mut inner, outcome.steps, &values);
        }
        self.save(&inner);
        if let Some(mlflow) = inner.mlflow.take() {
            mlflow.finish(match result {
                Ok(_) => RunStatus::Finished,
                Err(crate::Error::Cancelled { .. }) => RunStatus::Killed,
                Err(_) => RunStatus::Failed,
            });
        }
        summary
    }
}

/// The event files of the run whose [`SETTINGS_FILE`] lies in a folder.
pub fn event_files(directory: &Path) -> Vec<PathBuf> {
    let read = || -> Option<Vec<PathBuf>> {
        let bytes = read_bounded(&directory.join(SETTINGS_FILE), MAX_SETTINGS).ok()?;
        let json: Value = serde_json::from_slice(&bytes).ok()?;
        let list = json.get("event_files")?.as_array()?;
        let paths = list.iter().filter_map(|p| Some(PathBuf::from(p.as_str()?)));
        // Whatever the file says, nothing else is ever taken for one.
        let named = |path: &PathBuf| {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
            name.is_some_and(|n| n.starts_with("events.out.tfevents."))
        };
        Some(paths.filter(named).collect())
    };
    read().unwrap_or_default()
}

/// The settings as a JSON object: numbers, lists and truth values as such, null for what was not
/// given; then what the run was made from.
fn settings_json(
    parameters: &[(String, String)],
    provenance: &Provenance,
    events: &[PathBuf],
) -> String {
    let mut object = Map::new();
    object
        .insert("engine".to_owned(), json!(concat!("trainer-worker ", env!("CARGO_PKG_VERSION"))));
    for (name, text) in parameters {
        let given = text.strip_prefix("Some(").and_then(|t| t.strip_suffix(')')).unwrap_or(text);
        let value = match given {
            "None" => Value::Null,
            given => serde_json::from_str(given).unwrap_or_else(|_| json!(given)),
        };
        object.insert(name.clone(), value);
    }
    let files = |list: &mut dyn Iterator<Item = (&String, Option<&String>)>| -> Value {
        list.map(|(path, sha256)| json!({ "path": path, "sha256": sha256 })).collect()
    };
    object.insert(
        "model".to_owned(),
        json!({
            "path": provenance.model,
            "files": files(&mut provenance.model_files.iter().map(|(p, s)| (p, s.as_ref()))),
        }),
    );
    let data = files(&mut provenance.data.iter().map(|(p, s)| (p, Some(s))));
    object.insert("data".to_owned(), data);
    object.insert("event_files".to_owned(), json!(events));
    format!("{:#}\n", Value::Object(object))
}

/// The settings by name, as parameters of an experiment.
fn parameters(train: &TrainSettings, model_name: &str) -> Vec<(String, String)> {
    let mut list = vec![("base_model".to_owned(), model_name.to_owned())];
    let mut add = |name: &str, value: &dyn std::fmt::Debug| {
        list.push((name.to_owned(), format!("{value:?}").trim_matches('"').to_owned()));
    };
    add("learning_rate", &train.learning_rate);
    add("lr_scheduler_type", &train.lr_scheduler_type);
    add("warmup_ratio", &train.warmup_ratio);
    add("warmup_steps", &train.warmup_steps);
    add("per_device_train_batch_size", &train.per_device_train_batch_size);
    add("gradient_accumulation_steps", &train.gradient_accumulation_steps);
    // A whole number where it is one, as it is written.
    if train.num_train_epochs.fract() == 0.0 {
        add("num_train_epochs", &(train.num_train_epochs as u64));
    } else {
        add("num_train_epochs", &train.num_train_epochs);
    }
    add("max_seq_length", &train.max_seq_length);
    add("lora_r", &train.lora_r);
    add("lora_alpha", &train.lora_alpha);
    add("lora_dropout", &train.lora_dropout);
    add("target_modules", &train.target_modules);
    add("exclude_modules", &train.exclude_modules);
    add("rank_pattern", &train.rank_pattern);
    add("alpha_pattern", &train.alpha_pattern);
    add("use_rslora", &train.use_rslora);
    add("use_dora", &train.use_dora);
    add("loraplus_lr_ratio", &train.loraplus_lr_ratio);
    add("weight_decay", &train.weight_decay);
    add("adam_beta1", &train.adam_beta1);
    add("adam_beta2", &train.adam_beta2);
    add("adam_epsilon", &train.adam_epsilon);
    add("max_grad_norm", &train.max_grad_norm);
    add("packing", &train.packing);
    add("plain_text", &train.plain_text);
    add("group_by_length", &train.group_by_length);
    add("neftune_noise_alpha", &train.neftune_noise_alpha);
    add("eval_fraction", &train.eval_fraction);
    add("max_steps", &train.max_steps);
    add("max_tokens", &train.max_tokens);
    add("seed", &train.seed);
    add("device", &train.arithmetic.device.name());
    add("dtype", &train.arithmetic.dtype.name());
    add("reproducible", &train.arithmetic.device.is_reproducible());
    list
}
