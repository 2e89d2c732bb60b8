//! Fine-tuning jobs: who has which, whose turn it is, and what came of them.
//!
//! Keys take turns: the next job is the oldest of the key whose last job began longest ago, so that
//! who queues many waits for nobody's but his own. What an end of the server interrupted has its turn
//! already and goes on first.

use super::{
    events::{self, Event, MAX_EVENTS},
    is_id,
    job::{check_metadata, check_suffix, Job, JobError, JobRequest, Status},
    new_id, now, private_folder, records, FileStore, FineTuningError, Method, Owner,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use tokio::sync::Notify;

/// How a job's id begins.
const PREFIX: &str = "ftjob-";
/// Most jobs of a key that ended without a model and are still told of: then the oldest is forgotten.
pub const MAX_ENDED: usize = 100;
/// Most models of a key.
pub const MAX_MODELS: u64 = 20;

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
    /// Ids of each key's jobs, in the order of their numbers: what a key asks for costs nothing that
    /// grows with the jobs of others.
    by_owner: BTreeMap<Owner, BTreeMap<u64, String>>,
    /// Of jobs that are not over; the others' are read from disk.
    events: BTreeMap<String, Vec<Event>>,
    next: u64,
}

impl State {
    fn insert(&mut self, job: Job) {
        let own = self.by_owner.entry(job.owner.clone()).or_default();
        own.insert(job.number, job.id.clone());
        self.jobs.insert(job.id.clone(), job);
    }

    fn remove(&mut self, id: &str) {
        let Some(job) = self.jobs.remove(id) else { return };
        if let Some(own) = self.by_owner.get_mut(&job.owner) {
            own.remove(&job.number);
        }
        self.events.remove(id);
    }

    /// A key's jobs, the oldest first.
    fn of(&self, owner: &str) -> impl DoubleEndedIterator<Item = &Job> + Clone {
        let own = self.by_owner.get(owner).into_iter().flatten();
        own.filter_map(|(_, id)| self.jobs.get(id))
    }
}

impl Jobs {
    /// Opens the folder. Jobs that ran when the server ended are queued again, in their old order.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Disk`].
    pub fn open(folder: PathBuf, active_per_owner: usize) -> Result<Self, FineTuningError> {
        private_folder(&folder)?;
        let mut state = State::default();
        let mut interrupted = Vec::new();
        let entries = fs::read_dir(&folder).map_err(FineTuningError::disk("list", &folder))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_id(PREFIX, &name) {
                continue;
            }
            let Some(mut job) = Job::read(&entry.path())? else {
                // The server ended while the job was made: nobody was told of it.
                let removed = fs::remove_dir_all(entry.path());
                removed.map_err(FineTuningError::disk("remove", entry.path()))?;
                continue;
            };
            if !job.status.is_over() && job.status != Status::Queued {
                job.status = Status::Queued;
                interrupted.push(name.clone());
            }
            private_folder(&entry.path())?;
            job.id.clone_from(&name);
            if job.status.is_over() {
                tidy(&entry.path(), job.fine_tuned_model.is_some())?;
            } else {
                state.events.insert(name, events::read(&entry.path()));
            }
            state.next = state.next.max(job.number + 1);
            state.insert(job);
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
        check_suffix(suffix.as_deref())?;
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
        private_folder(&folder)?;
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
                turn: None,
                seconds: 0,
                status: Status::Queued,
                error: None,
                trained_tokens: None,
                result_files: Vec::new(),
                fine_tuned_model: None,
            };
            job.save(&folder)?;
            self.forget(&mut state, owner)?;
            state.next += 1;
            state.insert(job.clone());
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
        let active = state.of(owner).filter(|job| !job.status.is_over());
        let value = active.count() as u64 + 1;
        if value > self.active_per_owner as u64 {
            return Err(FineTuningError::Quota {
                what: "jobs that wait or run",
                value,
                limit: self.active_per_owner as u64,
                next: "wait for one to end, or cancel one",
            });
        }
        let models = state.of(owner).filter(|job| job.fine_tuned_model.is_some());
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

    /// Makes room among what a key's jobs left for another one.
    fn forget(&self, state: &mut State, owner: &Owner) -> Result<(), FineTuningError> {
        let ended = |job: &&Job| job.status.is_over() && job.fine_tuned_model.is_none();
        let ids: Vec<String> = state.of(owner).filter(ended).map(|job| job.id.clone()).collect();
        for id in ids.iter().take((ids.len() + 1).saturating_sub(MAX_ENDED)) {
            remove_folder(&self.folder(id))?;
            state.remove(id);
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
        let named = |job: &&Job| job.fine_tuned_model.as_deref() == Some(name);
        let id = self.lock().of(owner).find(named).map(|job| job.id.clone());
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
        self.lock().of(owner).rev().cloned().collect()
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
        let kept = self.lock().events.get(id).cloned();
        let mut events = kept.unwrap_or_else(|| events::read(&self.folder(id)));
        events.reverse();
        Ok(events)
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
        let named = |job: &&Job| job.fine_tuned_model.as_deref() == Some(name);
        let found = state.of(owner).find(named);
        found.map(|job| self.folder(&job.id).join(OUTPUT))
    }

    /// The names of a key's models.
    pub fn models(&self, owner: &Owner) -> Vec<(String, u64)> {
        let state = self.lock();
        let own = state.of(owner);
        own.filter_map(|job| Some((job.fine_tuned_model.clone()?, job.finished_at.unwrap_or(0))))
            .collect()
    }

    /// The job whose turn it is.
    pub(super) fn next(&self) -> Option<Job> {
        let state = self.lock();
        let mut last: BTreeMap<&Owner, u64> = BTreeMap::new();
        for (owner, turn) in state.jobs.values().filter_map(|job| Some((&job.owner, job.turn?))) {
            let latest = last.entry(owner).or_default();
            *latest = turn.max(*latest);
        }
        let waiting = state.jobs.values().filter(|job| job.status == Status::Queued);
        let interrupted = waiting.clone().filter(|job| job.turn.is_some());
        let next = interrupted.min_by_key(|job| job.turn);
        next.or_else(|| waiting.min_by_key(|job| (last.get(&job.owner), job.number))).cloned()
    }

    /// Begins a job, or goes on with it, and gives it as it is then.
    pub(super) fn begin(&self, id: &str) -> Result<Job, FineTuningError> {
        let turn = self.lock().jobs.values().filter_map(|job| job.turn).max();
        self.update(id, |job| {
            job.turn = job.turn.or(Some(turn.map_or(0, |turn| turn + 1)));
            if !job.status.is_over() {
                job.status = Status::ValidatingFiles;
            }
        })
    }

    /// Records how long a job has trained.
    pub(super) fn spent(&self, id: &str, seconds: u64) -> Result<(), FineTuningError> {
        self.update(id, |job| job.seconds = seconds).map(drop)
    }

    /// Waits until something changed.
    pub(super) fn changed(&self) -> impl std::future::Future<Output = ()> + '_ {
        self.changed.notified()
    }

    /// Whether a job was ended by its owner, and maybe forgotten since.
    pub(super) fn is_cancelled(&self, id: &str) -> bool {
        self.lock().jobs.get(id).is_none_or(|job| job.status == Status::Cancelled)
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
        changed.save(&self.folder(id))?;
        *job = changed.clone();
        Ok(changed)
    }

    /// Adds an event; `data` makes it one of a training's measurements.
    pub(super) fn note(&self, id: &str, level: &str, message: &str, data: Value) {
        let mut state = self.lock();
        let over = state.jobs.get(id).is_none_or(|job| job.status.is_over());
        let folder = self.folder(id);
        let events = state.events.entry(id.to_owned()).or_insert_with(|| events::read(&folder));
        if events.len() >= MAX_EVENTS {
            return;
        }
        let event = Event::new(id.trim_start_matches(PREFIX), events.len(), level, message, data);
        // Events tell; they decide nothing. One that a full disk keeps out is still in memory.
        if let Err(error) = event.append(&folder) {
            tracing::warn!(job = id, %error, "an event was not written");
        }
        events.push(event);
        if over {
            state.events.remove(id);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names in a job's folder.
pub(super) const TRAINING: &str = "training.jsonl";
pub(super) const VALIDATION: &str = "validation.jsonl";
pub(super) const OUTPUT: &str = "out";

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
