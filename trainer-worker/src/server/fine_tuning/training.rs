//! The one training that runs: a process of `trainer-worker train`, its measurements as events.

use super::{
    jobs::{OUTPUT, TRAINING, VALIDATION},
    FileStore, FineTuningError, Job, Jobs, Purpose, Status,
};
use serde_json::{json, Value};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    sync::watch,
};

/// How often a training's measurements are read.
const POLL: Duration = Duration::from_millis(500);
/// How long a training may take to write its checkpoint when it is ended.
const GRACE: Duration = Duration::from_secs(20);
/// How much of what a training says is kept: the end of it.
const MAX_SAID: usize = 64 << 10;
/// How often the time that a job has trained is written down.
const RECORD: Duration = Duration::from_secs(30);
/// Steps between two checkpoints: what a killed training loses at most.
const SAVE_STEPS: u64 = 20;
/// Measurements are kept of every step up to this one, of every tenth up to ten times as many, …
const ALL_STEPS: u64 = 1_000;

/// With what jobs are trained.
#[derive(Debug, Clone)]
pub struct TrainerSettings {
    /// This program.
    pub program: PathBuf,
    /// The base model.
    pub model: PathBuf,
    /// Its name, as adapters record it.
    pub name: String,
    /// Threads of a training; the others are for answers.
    pub threads: usize,
    /// The longest time that a job trains, the check of its data included, over all starts of the
    /// server: whoever waits behind it waits no longer.
    pub time: Duration,
}

/// How long a job has trained.
struct Clock {
    before: Duration,
    began: Instant,
    limit: Duration,
}

impl Clock {
    fn spent(&self) -> Duration {
        self.before + self.began.elapsed()
    }

    fn is_up(&self) -> bool {
        self.spent() >= self.limit
    }
}

/// Trains one job after another.
pub struct Trainer {
    settings: TrainerSettings,
    jobs: Arc<Jobs>,
    files: Arc<FileStore>,
}

/// How a process ended.
enum Ended {
    /// By itself.
    Done(Output),
    /// Because its job was cancelled.
    Cancelled,
    /// Because the server stops.
    Stopping,
    /// Because its time is up.
    OutOfTime,
}

impl Trainer {
    /// A trainer of the jobs of a store.
    pub fn new(settings: TrainerSettings, jobs: Arc<Jobs>, files: Arc<FileStore>) -> Self {
        Self { settings, jobs, files }
    }

    /// Trains until `stop` becomes true; a training under way then writes a checkpoint and ends.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            // Asked before the queue is looked at, so that a job made in between is not missed.
            let changed = self.jobs.changed();
            let Some(job) = self.jobs.next() else {
                tokio::select! {
                    () = changed => {}
                    _ = stop.changed() => {}
                }
                continue;
            };
            if let Err(error) = self.train(&job, &mut stop).await {
                tracing::error!(job = job.id, %error, "the job cannot be done");
                if let Err(error) = self.jobs.fail(
                    &job.id,
                    "server_error",
                    "the server failed; its operator's log says more",
                ) {
                    tracing::error!(job = job.id, %error, "nor can its failure be recorded");
                    tokio::time::sleep(GRACE).await;
                }
            }
            if let Err(error) = self.jobs.tidy(&job.id) {
                tracing::warn!(job = job.id, %error, "what the job leaves was not removed");
            }
        }
    }

    async fn train(
        &self,
        job: &Job,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), FineTuningError> {
        let folder = self.jobs.folder(&job.id);
        let job = &self.jobs.begin(&job.id)?;
        let clock = Clock {
            before: Duration::from_secs(job.seconds),
            began: Instant::now(),
            limit: self.settings.time,
        };
        self.jobs.note(&job.id, "info", "Validating training file", Value::Null);
        let Some(looked) = self.process(job, &folder, &["--dry-run"], &clock, stop).await? else {
            return Ok(());
        };
        if !looked.status.success() {
            return self.jobs.fail(&job.id, "invalid_training_file", &said(&looked, &folder));
        }
        self.jobs.set_status(&job.id, Status::Running)?;
        self.jobs.note(&job.id, "info", "Fine-tuning job started", Value::Null);
        let Some(trained) = self.process(job, &folder, &[], &clock, stop).await? else {
            return Ok(());
        };
        if !trained.status.success() {
            return self.jobs.fail(&job.id, "training_failed", &said(&trained, &folder));
        }
        let answer: Value = serde_json::from_slice(&trained.stdout).unwrap_or(Value::Null);
        let results = self.results(job, &folder)?;
        self.jobs.succeed(&job.id, answer["tokens"].as_u64(), results)
    }

    /// Runs `train` on a job's data, and records the time. Gives its output, or nothing where it did
    /// not end by itself.
    async fn process(
        &self,
        job: &Job,
        folder: &Path,
        more: &[&str],
        clock: &Clock,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<Output>, FineTuningError> {
        let ended = self.run_process(job, folder, more, clock, stop).await;
        self.jobs.spent(&job.id, clock.spent().as_secs())?;
        Ok(match ended? {
            Ended::Done(output) => Some(output),
            Ended::Cancelled | Ended::Stopping => None,
            Ended::OutOfTime => {
                let message = format!(
                    "the training was ended after {} s, the longest that a job may train here; \
                     train fewer steps (n_epochs, max_steps) or on less (max_seq_length, rows of \
                     the file), or ask the server's operator for more (--training-time)",
                    clock.limit.as_secs()
                );
                self.jobs.fail(&job.id, "time_limit_exceeded", &message)?;
                None
            }
        })
    }

    async fn run_process(
        &self,
        job: &Job,
        folder: &Path,
        more: &[&str],
        clock: &Clock,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Ended, FineTuningError> {
        if clock.is_up() {
            return Ok(Ended::OutOfTime);
        }
        let (program, output) = (&self.settings.program, folder.join(OUTPUT));
        let mut command = Command::new(program);
        command.arg("train").arg("--model").arg(&self.settings.model);
        command.arg("--data").arg(folder.join(TRAINING));
        if job.has_validation() {
            command.arg("--eval-data").arg(folder.join(VALIDATION));
        }
        command.arg("--output").arg(&output).args(["--json", "--base-model-name"]);
        command
            .arg(&self.settings.name)
            .args(["--stage", if job.preferences { "dpo" } else { "sft" }]);
        command.arg(format!("--threads={}", self.settings.threads));
        command.arg(format!("--seed={}", job.seed)).arg(format!("--save-steps={SAVE_STEPS}"));
        command.args(&job.options).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        end_with_server(&mut command);
        let failed = FineTuningError::disk("start", program);
        let mut child = command.spawn().map_err(failed)?;
        yield_to_answers(&child);
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let (mut seen, mut recorded) = (0, Instant::now());
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                () = tokio::time::sleep(POLL) => {
                    if more.is_empty() {
                        self.measure(job, &output, &mut seen);
                    }
                    if self.jobs.is_cancelled(&job.id) {
                        end(&mut child).await;
                        return Ok(Ended::Cancelled);
                    }
                    if clock.is_up() {
                        // No checkpoint is wanted of it.
                        child.kill().await.map_err(FineTuningError::disk("end", program))?;
                        return Ok(Ended::OutOfTime);
                    }
                    if recorded.elapsed() >= RECORD {
                        recorded = Instant::now();
                        self.jobs.spent(&job.id, clock.spent().as_secs())?;
                    }
                }
                _ = stop.changed() => {
                    end(&mut child).await;
                    return Ok(Ended::Stopping);
                }
            }
        };
        let status = status.map_err(FineTuningError::disk("wait for", program))?;
        if more.is_empty() {
            self.measure(job, &output, &mut seen);
        }
        if self.jobs.is_cancelled(&job.id) {
            return Ok(Ended::Cancelled);
        }
        let (stdout, stderr) = (stdout.await, stderr.await);
        let (stdout, stderr) = (stdout.unwrap_or_default(), stderr.unwrap_or_default());
        Ok(Ended::Done(Output { status, stdout, stderr }))
    }

    /// Makes events of the measurements that are new in the run's record.
    fn measure(&self, job: &Job, output: &Path, seen: &mut usize) {
        let Some(state) = state(output) else { return };
        let (Some(history), total) = (state["log_history"].as_array(), &state["max_steps"]) else {
            return;
        };
        for entry in history.iter().skip(*seen) {
            let step = entry["step"].as_u64().unwrap_or(0);
            let (train, valid) = (&entry["loss"], &entry["eval_loss"]);
            if !is_kept(step) || (train.is_null() && valid.is_null()) {
                continue;
            }
            let shown = |value: &Value| value.as_f64().map(|loss| format!("{loss:.4}"));
            let message = match (shown(train), shown(valid)) {
                (Some(loss), _) => format!("Step {step}/{total}: training loss={loss}"),
                (_, Some(loss)) => format!("Step {step}/{total}: validation loss={loss}"),
                _ => continue,
            };
            let data = json!({
                "step": step,
                "total_steps": total,
                "train_loss": train,
                "valid_loss": valid,
                "learning_rate": entry["learning_rate"],
            });
            self.jobs.note(&job.id, "info", &message, data);
        }
        *seen = history.len().max(*seen);
    }

    /// Writes the measurements as a table into a file of the job's owner. `None` where its quota
    /// has no room for it: the job's result is the model.
    fn results(&self, job: &Job, folder: &Path) -> Result<Option<String>, FineTuningError> {
        let Some(state) = state(&folder.join(OUTPUT)) else { return Ok(None) };
        let mut table = String::from("step,train_loss,valid_loss,learning_rate\n");
        for entry in state["log_history"].as_array().into_iter().flatten() {
            let cell = |name: &str| entry[name].as_f64().map_or(String::new(), |v| v.to_string());
            table.push_str(&format!(
                "{},{},{},{}\n",
                entry["step"],
                cell("loss"),
                cell("eval_loss"),
                cell("learning_rate")
            ));
        }
        let mut file = self.files.receive()?;
        file.write_all(table.as_bytes()).map_err(FineTuningError::disk("write", folder))?;
        match self.files.keep(job.owner(), file, "step_metrics.csv", Purpose::FineTuneResults) {
            Ok(file) => Ok(Some(file.id)),
            Err(error @ FineTuningError::Quota { .. }) => {
                let message = format!("The table of measurements is not kept: {error}");
                self.jobs.note(&job.id, "warn", &message, Value::Null);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether the measurements of a step are kept, so that a long run has some thousands in all.
fn is_kept(step: u64) -> bool {
    let mut every = 1;
    while step / every >= ALL_STEPS {
        every *= 10;
    }
    step.is_multiple_of(every)
}

fn state(output: &Path) -> Option<Value> {
    // It is replaced in one step, so what is read is whole.
    serde_json::from_slice(&std::fs::read(output.join("trainer_state.json")).ok()?).ok()
}

/// What a process said of its failure: the message of its JSON, else its last lines.
///
/// Paths on the server are told as what the job's owner knows them by.
fn said(output: &Output, folder: &Path) -> String {
    let shown = |name: &str| folder.join(name).display().to_string();
    let told = told(output).replace(&shown(TRAINING), "training_file");
    told.replace(&shown(VALIDATION), "validation_file").replace(&folder.display().to_string(), "…")
}

fn told(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let json = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    match json.and_then(|json| Some(json["error"]["message"].as_str()?.to_owned())) {
        Some(message) => message,
        None if text.trim().is_empty() => format!("the training ended with {}", output.status),
        None => text.trim().lines().rev().take(5).collect::<Vec<_>>().join(" | "),
    }
}

/// Reads all that comes, keeps the end of it.
fn collect(
    from: Option<impl tokio::io::AsyncRead + Unpin + Send + 'static>,
) -> tokio::task::JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let Some(mut from) = from else { return kept };
        let mut part = vec![0; 8 << 10];
        while let Ok(read @ 1..) = from.read(&mut part).await {
            kept.extend_from_slice(&part[..read]);
            if kept.len() > 2 * MAX_SAID {
                kept.drain(..kept.len() - MAX_SAID);
            }
        }
        kept
    })
}

/// Has the system end a training when the server is killed, so that the next start finds its folder free.
fn end_with_server(command: &mut Command) {
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only this system call is made, which is safe there.
    unsafe {
        command.pre_exec(|| {
            let kill = Some(rustix::process::Signal::KILL);
            Ok(rustix::process::set_parent_process_death_signal(kill)?)
        });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

/// Lets the system give the answers' threads the processor first.
fn yield_to_answers(child: &Child) {
    #[cfg(unix)]
    if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id as i32)) {
        // Where it is not possible the training is only less polite.
        let _ = rustix::process::setpriority_process(Some(pid), 10);
    }
    #[cfg(not(unix))]
    let _ = child;
}

/// Asks a training to write a checkpoint and end; one that does not is killed.
async fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id as i32)) {
        let asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok();
        if asked && tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
            return;
        }
    }
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "a training could not be ended");
    }
}
