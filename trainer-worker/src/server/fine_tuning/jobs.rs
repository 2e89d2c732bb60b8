//! Fine-tuning jobs: what was asked for, how far it is, and what came of it.

use super::{
    is_id, new_id, now, records, write_durably, FileStore, FineTuningError, Hyperparameters,
    Method, Owner,
};
use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use tokio::sync::Notify;

/// How a job's id begins.
const PREFIX: &str = "ftjob-";
/// Most events of a job that are kept; a training's measurements are thinned before they reach it.
const MAX_EVENTS: usize = 10_000;
/// Most jobs of a key that are on record: the oldest that left no model are forgotten.
const MAX_JOBS: usize = 1_000;
/// Most models of a key.
pub const MAX_MODELS: u64 = 20;
/// Longest suffix of a model's name.
const MAX_SUFFIX: usize = 64;
/// Most entries of a job's metadata, and the longest key and value.
const METADATA: (usize, usize, usize) = (16, 64, 512);

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
    owner: Owner,
    /// The number in the order of creation.
    number: u64,
    created_at: u64,
    finished_at: Option<u64>,
    /// The base model's name.
    model: String,
    method: Value,
    hyperparameters: Map<String, Value>,
    /// The options that `train` gets.
    pub(super) options: Vec<String>,
    pub(super) preferences: bool,
    training_file: String,
    validation_file: Option<String>,
    suffix: Option<String>,
    pub(super) seed: u64,
    metadata: Option<Map<String, Value>>,
    /// Where it is.
    pub status: Status,
    error: Option<JobError>,
    trained_tokens: Option<u64>,
    result_files: Vec<String>,
    fine_tuned_model: Option<String>,
}

/// Why a job failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobError {
    code: String,
    message: String,
    param: Option<String>,
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
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// All jobs, in a folder of one folder each.
pub struct Jobs {
    folder: PathBuf,
    active_per_owner: usize,
    state: Mutex<State>,
    /// Told when a job may have become ready, or is to be ended.
    changed: Notify,
}

#[derive(Default)]
struct State {
    jobs: BTreeMap<String, Job>,
    events: BTreeMap<String, Vec<Event>>,
    next: u64,
}

impl Jobs {
    /// Opens the folder. Jobs that ran when the server ended are queued again, in their old order.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Disk`].
    pub fn open(folder: PathBuf, active_per_owner: usize) -> Result<Self, FineTuningError> {
        fs::create_dir_all(&folder).map_err(FineTuningError::disk("create", &folder))?;
        let mut state = State::default();
        let mut interrupted = Vec::new();
        let entries = fs::read_dir(&folder).map_err(FineTuningError::disk("list", &folder))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_id(PREFIX, &name) {
                continue;
            }
            let Some(mut job) = read_job(&entry.path()) else {
                // The server ended while the job was made: nobody was told of it.
                let removed = fs::remove_dir_all(entry.path());
                removed.map_err(FineTuningError::disk("remove", entry.path()))?;
                continue;
            };
            if !job.status.is_over() && job.status != Status::Queued {
                job.status = Status::Queued;
                interrupted.push(name.clone());
            }
            if job.status.is_over() {
                tidy(&entry.path(), job.fine_tuned_model.is_some())?;
            }
            state.next = state.next.max(job.number + 1);
            state.events.insert(name.clone(), read_events(&entry.path()));
            state.jobs.insert(name, job);
        }
        let jobs =
            Self { folder, active_per_owner, state: Mutex::new(state), changed: Notify::new() };
        for id in interrupted {
            jobs.note(
                &id,
                "info",
                "The server was started again; the job goes on from its last checkpoint",
                Value::Null,
            );
        }
        Ok(jobs)
    }

    /// The folder of a job.
    pub(super) fn folder(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Makes a job and queues it.
    ///
    /// # Errors
    ///
    /// What [`FineTuningError`] says of files, fields and quotas.
    pub fn create(
        &self,
        owner: &Owner,
        request: JobRequest,
        files: &FileStore,
    ) -> Result<Job, FineTuningError> {
        let suffix = request.suffix.filter(|suffix| !suffix.is_empty());
        if let Some(suffix) = &suffix {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if suffix.len() > MAX_SUFFIX || !suffix.chars().all(plain) {
                let reason = format!(
                    "suffix is made of letters, digits, - and _, at most {MAX_SUFFIX} of them"
                );
                return Err(FineTuningError::field("suffix", reason));
            }
        }
        check_metadata(request.metadata.as_ref())?;
        let named = |field: &str, id: &str| {
            files.get(owner, id).map_err(|error| match error {
                FineTuningError::Unknown { .. } => {
                    FineTuningError::field(field, format!("there is no file {id}"))
                }
                error => error,
            })
        };
        named("training_file", &request.training_file)?;
        if let Some(id) = &request.validation_file {
            named("validation_file", id)?;
        }
        self.check_active(&self.lock(), owner)?;

        let id = new_id(PREFIX)?;
        let folder = self.folder(&id);
        fs::create_dir(&folder).map_err(FineTuningError::disk("create", &folder))?;
        let method = request.hyperparameters.method;
        let made = (|| {
            let training = files.path(&request.training_file);
            records::prepare(&training, &folder.join(TRAINING), method, "training_file")?;
            if let Some(file) = &request.validation_file {
                let to = folder.join(VALIDATION);
                records::prepare(&files.path(file), &to, method, "validation_file")?;
            }
            let mut state = self.lock();
            self.check_active(&state, owner)?;
            let job = Job {
                id: id.clone(),
                owner: owner.clone(),
                number: state.next,
                created_at: now(),
                finished_at: None,
                model: request.model,
                method: request.hyperparameters.method_object(),
                hyperparameters: request.hyperparameters.shown,
                options: request.hyperparameters.options,
                preferences: method == Method::Dpo,
                training_file: request.training_file,
                validation_file: request.validation_file,
                suffix,
                seed: request.seed.unwrap_or(42),
                metadata: request.metadata,
                status: Status::Queued,
                error: None,
                trained_tokens: None,
                result_files: Vec::new(),
                fine_tuned_model: None,
            };
            save(&folder, &job)?;
            self.forget(&mut state, owner)?;
            state.next += 1;
            state.jobs.insert(id.clone(), job.clone());
            Ok(job)
        })();
        match made {
            Ok(job) => {
                self.note(&id, "info", &format!("Created fine-tuning job: {id}"), Value::Null);
                self.changed.notify_waiters();
                Ok(job)
            }
            Err(error) => {
                // Half a job would only take room; the error that matters is the first one.
                let _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    fn check_active(&self, state: &State, owner: &Owner) -> Result<(), FineTuningError> {
        let active = state.jobs.values().filter(|j| j.owner == *owner && !j.status.is_over());
        let value = active.count() as u64 + 1;
        if value > self.active_per_owner as u64 {
            return Err(FineTuningError::Quota {
                what: "jobs that wait or run",
                value,
                limit: self.active_per_owner as u64,
                next: "wait for one to end, or cancel one",
            });
        }
        let models =
            state.jobs.values().filter(|j| j.owner == *owner && j.fine_tuned_model.is_some());
        let value = models.count() as u64 + value;
        if value > MAX_MODELS {
            return Err(FineTuningError::Quota {
                what: "models and jobs that will make one",
                value,
                limit: MAX_MODELS,
                next: "delete a model: DELETE /v1/models/{id}",
            });
        }
        Ok(())
    }

    /// Makes room among a key's jobs for another one.
    fn forget(&self, state: &mut State, owner: &Owner) -> Result<(), FineTuningError> {
        let own = state.jobs.values().filter(|job| job.owner == *owner);
        let over = own.clone().filter(|j| j.status.is_over() && j.fine_tuned_model.is_none());
        let oldest = over.min_by_key(|job| job.number).map(|job| job.id.clone());
        if let Some(id) = oldest.filter(|_| own.count() >= MAX_JOBS) {
            remove_folder(&self.folder(&id))?;
            state.jobs.remove(&id);
            state.events.remove(&id);
        }
        Ok(())
    }

    /// Deletes a key's model; what is told of its job stays.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Unknown`].
    pub fn delete_model(&self, owner: &str, name: &str) -> Result<(), FineTuningError> {
        let unknown = || FineTuningError::Unknown { what: "model", id: name.to_owned() };
        let named =
            |job: &&Job| job.owner == owner && job.fine_tuned_model.as_deref() == Some(name);
        let id = self.lock().jobs.values().find(named).map(|job| job.id.clone());
        let id = id.ok_or_else(unknown)?;
        self.update(&id, |job| job.fine_tuned_model = None)?;
        tidy(&self.folder(&id), false)
    }

    /// Removes what a job needs no more, if it is over.
    pub(super) fn tidy(&self, id: &str) -> Result<(), FineTuningError> {
        let job = self.lock().jobs.get(id).filter(|job| job.status.is_over()).cloned();
        job.map_or(Ok(()), |job| tidy(&self.folder(id), job.fine_tuned_model.is_some()))
    }

    /// A key's jobs, the newest first.
    pub fn list(&self, owner: &Owner) -> Vec<Job> {
        let mut jobs: Vec<Job> =
            self.lock().jobs.values().filter(|job| job.owner == *owner).cloned().collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.number));
        jobs
    }

    /// A job of a key.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Unknown`], also for another key's.
    pub fn get(&self, owner: &Owner, id: &str) -> Result<Job, FineTuningError> {
        let state = self.lock();
        let own = state.jobs.get(id).filter(|job| job.owner == *owner);
        own.cloned().ok_or_else(|| FineTuningError::Unknown { what: "job", id: id.to_owned() })
    }

    /// A job's events, the newest first.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Unknown`].
    pub fn events(&self, owner: &Owner, id: &str) -> Result<Vec<Event>, FineTuningError> {
        self.get(owner, id)?;
        let state = self.lock();
        Ok(state.events.get(id).map_or_else(Vec::new, |e| e.iter().rev().cloned().collect()))
    }

    /// Ends a job that is not over; one that trains ends soon after.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Unknown`], [`FineTuningError::Over`].
    pub fn cancel(&self, owner: &Owner, id: &str) -> Result<Job, FineTuningError> {
        let job = self.get(owner, id)?;
        if job.status.is_over() {
            let (job, status) = (id.to_owned(), job.status.name());
            return Err(FineTuningError::Over { job, status });
        }
        let before = job.status;
        let job = self.update(id, |job| {
            job.status = Status::Cancelled;
            job.finished_at = Some(now());
        })?;
        self.note(id, "info", "The job has been cancelled", Value::Null);
        // One that trains still writes, and is tidied up by its trainer.
        if before == Status::Queued {
            self.tidy(id)?;
        }
        self.changed.notify_waiters();
        Ok(job)
    }

    /// The folder of the adapter that a key's model names.
    pub fn model(&self, owner: &str, name: &str) -> Option<PathBuf> {
        let state = self.lock();
        let named =
            |job: &&Job| job.owner == *owner && job.fine_tuned_model.as_deref() == Some(name);
        state.jobs.values().find(named).map(|job| self.folder(&job.id).join(OUTPUT))
    }

    /// The names of a key's models.
    pub fn models(&self, owner: &Owner) -> Vec<(String, u64)> {
        let state = self.lock();
        let own = state.jobs.values().filter(|job| job.owner == *owner);
        own.filter_map(|job| Some((job.fine_tuned_model.clone()?, job.finished_at.unwrap_or(0))))
            .collect()
    }

    /// The job whose turn it is.
    pub(super) fn next(&self) -> Option<Job> {
        let state = self.lock();
        let waiting = state.jobs.values().filter(|job| job.status == Status::Queued);
        waiting.min_by_key(|job| job.number).cloned()
    }

    /// Waits until something changed.
    pub(super) fn changed(&self) -> impl std::future::Future<Output = ()> + '_ {
        self.changed.notified()
    }

    /// Whether a job was ended by its owner.
    pub(super) fn is_cancelled(&self, id: &str) -> bool {
        self.lock().jobs.get(id).is_some_and(|job| job.status == Status::Cancelled)
    }

    /// Sets a job's status, unless it is over.
    pub(super) fn set_status(&self, id: &str, status: Status) -> Result<(), FineTuningError> {
        self.update(id, |job| {
            if !job.status.is_over() {
                job.status = status;
            }
        })?;
        Ok(())
    }

    /// Ends a job with its model.
    pub(super) fn succeed(
        &self,
        id: &str,
        tokens: Option<u64>,
        results: Option<String>,
    ) -> Result<(), FineTuningError> {
        let job = self.update(id, |job| {
            if job.status.is_over() {
                return;
            }
            let suffix = job.suffix.as_deref().unwrap_or_default();
            let short = job.id.get(PREFIX.len()..PREFIX.len() + 8).unwrap_or_default();
            job.fine_tuned_model = Some(format!("ft:{}:openledger:{suffix}:{short}", job.model));
            job.status = Status::Succeeded;
            job.finished_at = Some(now());
            job.trained_tokens = tokens;
            job.result_files = results.into_iter().collect();
        })?;
        if let Some(model) = job.fine_tuned_model {
            self.note(id, "info", &format!("New fine-tuned model created: {model}"), Value::Null);
            self.note(id, "info", "The job has successfully completed", Value::Null);
        }
        Ok(())
    }

    /// Ends a job without a model.
    pub(super) fn fail(&self, id: &str, code: &str, message: &str) -> Result<(), FineTuningError> {
        self.update(id, |job| {
            if job.status.is_over() {
                return;
            }
            job.status = Status::Failed;
            job.finished_at = Some(now());
            let (code, message) = (code.to_owned(), message.to_owned());
            job.error = Some(JobError { code, message, param: None });
        })?;
        self.note(id, "error", message, Value::Null);
        Ok(())
    }

    fn update(&self, id: &str, change: impl FnOnce(&mut Job)) -> Result<Job, FineTuningError> {
        let mut state = self.lock();
        let unknown = || FineTuningError::Unknown { what: "job", id: id.to_owned() };
        let job = state.jobs.get_mut(id).ok_or_else(unknown)?;
        let mut changed = job.clone();
        change(&mut changed);
        // What the disk does not have did not happen.
        save(&self.folder(id), &changed)?;
        *job = changed.clone();
        Ok(changed)
    }

    /// Adds an event; `data` makes it one of a training's measurements.
    pub(super) fn note(&self, id: &str, level: &str, message: &str, data: Value) {
        let mut state = self.lock();
        let events = state.events.entry(id.to_owned()).or_default();
        if events.len() >= MAX_EVENTS {
            return;
        }
        let kind = if data.is_null() { "message" } else { "metrics" };
        let event = Event {
            id: format!("ftevent-{}-{}", id.trim_start_matches(PREFIX), events.len()),
            object: "fine_tuning.job.event".to_owned(),
            created_at: now(),
            level: level.to_owned(),
            message: message.to_owned(),
            kind: kind.to_owned(),
            data,
        };
        // Events tell; they decide nothing. One that a full disk keeps out is still in memory.
        let written = serde_json::to_vec(&event).map_err(std::io::Error::other).and_then(|text| {
            let path = self.folder(id).join(EVENTS);
            let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
            file.write_all(&[&text[..], b"\n"].concat())
        });
        if let Err(error) = written {
            tracing::warn!(job = id, %error, "an event was not written");
        }
        events.push(event);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names in a job's folder.
pub(super) const TRAINING: &str = "training.jsonl";
pub(super) const VALIDATION: &str = "validation.jsonl";
pub(super) const OUTPUT: &str = "out";
const JOB: &str = "job.json";
const EVENTS: &str = "events.jsonl";

/// Removes a job's data, and what was trained of it unless that is a model.
fn tidy(folder: &Path, keep_model: bool) -> Result<(), FineTuningError> {
    for name in [TRAINING, VALIDATION] {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(FineTuningError::Disk { action: "remove", path, cause });
            }
            _ => {}
        }
    }
    if keep_model {
        return Ok(());
    }
    remove_folder(&folder.join(OUTPUT))
}

fn remove_folder(path: &Path) -> Result<(), FineTuningError> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(FineTuningError::Disk { action: "remove", path: path.to_owned(), cause })
        }
        _ => Ok(()),
    }
}

fn save(folder: &Path, job: &Job) -> Result<(), FineTuningError> {
    let path = folder.join(JOB);
    let text = serde_json::to_vec_pretty(job).map_err(|error| FineTuningError::Disk {
        action: "write",
        path: path.clone(),
        cause: std::io::Error::other(error),
    })?;
    write_durably(&path, &text)
}

fn read_job(folder: &Path) -> Option<Job> {
    serde_json::from_slice(&fs::read(folder.join(JOB)).ok()?).ok()
}

/// The events of a job; a line that a crash cut short is left out.
fn read_events(folder: &Path) -> Vec<Event> {
    let text = fs::read_to_string(folder.join(EVENTS)).unwrap_or_default();
    text.lines().take(MAX_EVENTS).filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn check_metadata(metadata: Option<&Map<String, Value>>) -> Result<(), FineTuningError> {
    let (entries, key_length, value_length) = METADATA;
    let Some(metadata) = metadata else { return Ok(()) };
    let fits = |(key, value): (&String, &Value)| {
        key.len() <= key_length && value.as_str().is_some_and(|text| text.len() <= value_length)
    };
    if metadata.len() > entries || !metadata.iter().all(fits) {
        let reason = format!(
            "metadata has at most {entries} entries, keys of {key_length} bytes and texts of \
             {value_length} bytes"
        );
        return Err(FineTuningError::field("metadata", reason));
    }
    Ok(())
}
