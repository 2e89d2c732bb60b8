//! The job runner: a worker's life on the chain.
//!
//! ```text
//! register ─▶ wait ─▶ fetch and check ─▶ take ─▶ train ─▶ post the result ─▶ publish ─▶ wait …
//!                            │                     ╰ heartbeats while it lasts ╯
//!                            ╰─▶ decline, with the reason
//! ```
//!
//! What a worker has is on the chain and in its work folder, nowhere else: a worker that was killed
//! asks the chain which job it has, continues from its last checkpoint to the same bytes, and posts
//! once, because the chain takes a job's result once. A node that restarts is waited for.

mod dataset;
mod duties;
mod error;
mod folders;
mod journal;
mod parent;
mod prepare;
mod report;
mod settings;
mod verify;

pub use dataset::{fetch, weights, FoundFile};
pub use error::RunnerError;
pub use prepare::disk_free;
pub use report::{Gateway, Reporter};
pub use settings::{is_of_family, micro_nats, train_settings};
pub use verify::{is_reproduced, judge, verify, Losses, Posting, Verification, TOLERANCE};

use prepare::Prepared;

use openledger_client::{AccountId, Client, Signer, Wait, WorkerOffer};
use openledger_content::ContentStore;
use openledger_documents::EXTRACTOR_VERSION;
use openledger_engine::{
    data::DataFile,
    device::Arithmetic,
    lora::Adapter,
    model::{weights::Precision, Model},
    peft,
    tokenizer::Tokenizer,
    train::{Control, Event, Outcome, Run, TrainSettings},
};
use openledger_primitives::{
    api::{JobView, WorkerView},
    job::{DeclineReason, JobResult, JobState},
    leaf::dataset_root,
    text::counted,
    Balance, BlockNumber, JobId, JobKind, Method, ModelFamily, RateClass, Serves,
};
use std::{
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::sync::watch;

/// What this worker can train: every family, by LoRA and by QLoRA.
pub fn kinds() -> Vec<JobKind> {
    JobKind::all().collect()
}

/// Under this name an adapter's metadata says which extractor read the files it was trained on.
pub const EXTRACTOR_NOTE: &str = "openledger_extractor";

/// How often the chain is asked for work.
const POLL: Duration = Duration::from_secs(1);
/// How long after something was out of reach it is tried again.
const RETRY: Duration = Duration::from_secs(3);
/// How long the gateways are waited for after a job.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often a job is tried again before it is left to time out.
const ATTEMPTS: u32 = 20;
/// What is kept of the time to take a job for the transaction that takes or declines it.
const TO_SIGN: Duration = Duration::from_secs(15);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// The floor: plancks a token below which no job is taken.
    pub price_per_token: Balance,
    /// The base models that are taken.
    pub serves: Serves,
    /// How fast this worker trains, which is the time it is given and what deadlines it is offered.
    pub tokens_per_second: u32,
    /// Where it serves, or empty.
    pub endpoint: String,
    /// Time between two heartbeats, each of which pays a fee.
    pub heartbeat: Duration,
    /// Gateways that are told what a training sees, for people who watch; none by default.
    pub report: Vec<Gateway>,
    /// End after so many posted results; `None` to go on for ever.
    pub max_jobs: Option<u32>,
    /// What it works on.
    pub machine: Machine,
}

/// What a worker has to work with.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Checkpoints, findings and fetched models.
    pub work_directory: PathBuf,
    /// Models that are on this disk already.
    pub models: Vec<PathBuf>,
    /// Most bytes of fetched base models on the disk; the longest unused are removed for new ones.
    pub cache_bytes: u64,
    /// Where passes are computed. Only the CPU's own kernels give bytes that another worker can
    /// reproduce.
    pub arithmetic: Arithmetic,
}

/// A worker.
pub struct Runner {
    client: Client,
    signer: Signer,
    store: Arc<dyn ContentStore>,
    options: Options,
    stop: Arc<AtomicBool>,
}

/// How far training is: optimiser steps done and in all.
type Steps = (u32, u32);

impl Runner {
    /// A worker that signs with `signer` and keeps files in `store`. It ends soon after `stop` has
    /// become true.
    pub fn new(
        client: Client,
        signer: Signer,
        store: Arc<dyn ContentStore>,
        options: Options,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self { client, signer, store, options, stop }
    }

    /// Registers the worker if need be, then does every job the chain gives it.
    ///
    /// # Errors
    ///
    /// What the chain refuses for good: a bond that cannot be paid, a key without OPEN.
    pub async fn run(&self) -> Result<(), RunnerError> {
        self.register().await?;
        self.tidy().await?;
        // A worker that is drawn for a dispute goes on to train.
        tokio::select! {
            done = self.do_jobs() => done,
            never = self.do_duties() => match never {},
        }
    }

    async fn do_jobs(&self) -> Result<(), RunnerError> {
        let mut posted = 0;
        let mut failures = 0;
        while !self.stopped() {
            match self.turn().await {
                Ok(true) => {
                    posted += 1;
                    failures = 0;
                    if self.options.max_jobs.is_some_and(|most| posted >= most) {
                        return Ok(());
                    }
                }
                Ok(false) => tokio::time::sleep(POLL).await,
                Err(error) if self.stopped() => {
                    tracing::info!(%error, "stopping");
                }
                Err(error) if error.is_temporary() && failures < ATTEMPTS => {
                    failures += 1;
                    tracing::warn!(%error, "trying again in {} s", RETRY.as_secs());
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => {
                    failures = 0;
                    tracing::error!(%error, "this job cannot be done; leaving it to another worker");
                    self.leave_job().await;
                }
            }
        }
        Ok(())
    }

    /// Looks at what the chain has for this worker and does it. Returns whether a result was posted.
    async fn turn(&self) -> Result<bool, RunnerError> {
        let Some(worker) = self.client.worker(self.account()).await? else {
            self.register().await?;
            return Ok(false);
        };
        let Some(id) = worker.job else {
            self.idle(&worker).await?;
            return Ok(false);
        };
        let Some(job) = self.client.job(id).await? else { return Ok(false) };
        match job.state {
            JobState::Assigned { take_by, .. } => {
                let Some(prepared) = self.consider(id, &job, take_by).await? else {
                    return Ok(false);
                };
                tracing::info!(job = id, "taking");
                self.client.take_job(&self.signer, id, Wait::InBlock).await?;
                self.do_job(id, &job, Some(prepared)).await
            }
            JobState::Training { .. } => {
                tracing::info!(job = id, "carrying on");
                self.do_job(id, &job, None).await
            }
            _ => Ok(false),
        }
    }

    /// What there is to do without a job: to come back from a pause, and to let a higher floor count
    /// whose time has come.
    async fn idle(&self, worker: &WorkerView<AccountId>) -> Result<(), RunnerError> {
        let (now, _) = self.client.best().await?;
        if worker.paused && now >= worker.rests_until {
            // It lost a job while it was away or declined several, and is back.
            tracing::info!("back at work after a pause");
            self.client.resume_worker(&self.signer, Wait::InBlock).await?;
        }
        if worker.raise.is_some_and(|(_, from)| now >= from) {
            let offer = self.offer().await?;
            self.client.update_worker(&self.signer, offer, Wait::InBlock).await?;
        }
        Ok(())
    }

    /// Fetches what a job needs while it can still be declined. `None` if it was.
    async fn consider(
        &self,
        id: JobId,
        job: &JobView<AccountId>,
        take_by: BlockNumber,
    ) -> Result<Option<Prepared>, RunnerError> {
        let (now, _) = self.client.best().await?;
        let seconds = self.client.windows().await?.block_seconds;
        let left = u64::from(take_by.saturating_sub(now)) * u64::from(seconds);
        let left = Duration::from_secs(left).saturating_sub(TO_SIGN);
        tracing::info!(job = id, seconds = left.as_secs(), "fetching before taking");
        let preparing = tokio::time::timeout(left, self.prepare(id, job)).await;
        let (reason, cause) = match preparing {
            Ok(Ok(prepared)) => return Ok(Some(prepared)),
            // The node is away, and could not be told either.
            Ok(Err(error @ RunnerError::Chain(_))) => return Err(error),
            Ok(Err(RunnerError::Unfit { reason, cause, .. })) => (reason, cause),
            Ok(Err(error)) => (DeclineReason::Other, error.to_string()),
            Err(_) => {
                let cause = "what it needs did not come in the time to take it".to_owned();
                (DeclineReason::Other, cause)
            }
        };
        tracing::warn!(job = id, %cause, "declining: {}", reason.help());
        self.client.decline_job(&self.signer, id, reason, Wait::InBlock).await?;
        self.forget(id).await;
        Ok(None)
    }

    async fn prepare(&self, id: JobId, job: &JobView<AccountId>) -> Result<Prepared, RunnerError> {
        let folder = self.folder(id);
        prepare::prepare(&self.client, &*self.store, &self.options.machine, &folder, id, job).await
    }

    /// Fetches, trains, posts and publishes, with heartbeats all the while.
    async fn do_job(
        &self,
        id: JobId,
        job: &JobView<AccountId>,
        prepared: Option<Prepared>,
    ) -> Result<bool, RunnerError> {
        let (progress, seen) = watch::channel((0, 0));
        let reporter = self.reporter(id, job).await?;
        reporter.log(format!("job {id}, attempt {}", job.attempts));
        let cancel = Arc::new(AtomicBool::new(false));
        let result = {
            let work = self.work(id, job, prepared, progress, &reporter, cancel.clone());
            tokio::pin!(work);
            tokio::select! {
                result = &mut work => result.inspect_err(|error| reporter.log(error.to_string()))?,
                lost = self.beat(id, seen) => {
                    // The thread stops after its step, with a checkpoint, and is waited for, so that
                    // two never train at once.
                    cancel.store(true, Ordering::Relaxed);
                    let _ = work.await;
                    return Err(lost);
                }
            }
        };
        tracing::info!(job = id, content = %result.content, "posting the result");
        reporter.log(format!("posting the result, {}", result.content));
        match self.client.submit_result(&self.signer, id, result, Wait::InBlock).await {
            Ok(_) => {}
            // Posted before, for example just before a crash: the chain has it once.
            Err(error) if self.has_result(id).await? => {
                tracing::info!(job = id, %error, "the result stands on chain already");
            }
            Err(error) => return Err(error.into()),
        }
        match self.publish(id).await {
            Ok(()) => self.forget(id).await,
            Err(error) => {
                tracing::error!(job = id, %error, "the adapter is served once this worker is started again");
            }
        }
        reporter.finish(FAREWELL).await;
        Ok(true)
    }

    async fn work(
        &self,
        id: JobId,
        job: &JobView<AccountId>,
        prepared: Option<Prepared>,
        progress: watch::Sender<Steps>,
        reporter: &Reporter,
        cancel: Arc<AtomicBool>,
    ) -> Result<JobResult, RunnerError> {
        let prepared = match prepared {
            Some(prepared) => prepared,
            None => self.prepare(id, job).await?,
        };
        let Prepared { family, name, weights, initial, files } = prepared;
        tracing::info!(
            job = id,
            files = files.len(),
            extractor = EXTRACTOR_VERSION,
            "files fetched and checked"
        );
        let parent_said = match job.parent {
            Some(parent) => format!("from adapter {parent}"),
            None => "from a fresh adapter".to_owned(),
        };
        let files_said = counted(files.len(), "file");
        reporter.log(format!("{files_said} fetched and checked; training {parent_said}"));

        let seen = (progress, reporter.clone());
        let outcome = self.train(id, job, family, weights, initial, files, seen, cancel).await?;
        let losses = (outcome.eval_loss_before, outcome.eval_loss_after);
        let (Some(before), Some(after)) = losses else {
            return Err(RunnerError::NoEvaluation { job: id });
        };
        let unusable = |loss| RunnerError::Loss { job: id, loss };
        let eval_loss_before = micro_nats(before).ok_or_else(|| unusable(before))?;
        let eval_loss_after = micro_nats(after).ok_or_else(|| unusable(after))?;
        tracing::info!(job = id, before, after, tokens = outcome.tokens, "trained");
        // What was trained on is this worker's own reading; a leaf may name another extractor.
        let notes = [(EXTRACTOR_NOTE, EXTRACTOR_VERSION.to_string())];
        let bytes = peft::to_bytes_with(&outcome.adapter, &name, &notes);
        let added = self.keep_adapter(id, bytes).await?;
        Ok(JobResult {
            content: added.content,
            sha256: added.sha256,
            size: added.size,
            eval_loss_before,
            eval_loss_after,
            tokens: outcome.tokens,
            dataset_root: dataset_root(&job.datasets),
            checkpoints_root: Default::default(),
            influence_root: Default::default(),
        })
    }

    /// Trains on a thread of its own.
    #[allow(clippy::too_many_arguments)]
    async fn train(
        &self,
        id: JobId,
        job: &JobView<AccountId>,
        family: ModelFamily,
        weights: PathBuf,
        initial: Option<Adapter>,
        files: Vec<DataFile>,
        (progress, reporter): (watch::Sender<Steps>, Reporter),
        cancel: Arc<AtomicBool>,
    ) -> Result<Outcome, RunnerError> {
        let (base, spec, ceiling) = (job.base, job.spec, job.token_ceiling);
        let checkpoints = self.folder(id);
        let arithmetic = self.options.machine.arithmetic;
        let stop = self.stop.clone();
        let training = tokio::task::spawn_blocking(move || {
            let precision = match spec.method {
                Method::Lora => Precision::Dense,
                Method::Qlora => Precision::Quantised,
            };
            let model = Arc::new(Model::open_with(&weights, precision)?);
            let found = model.config.family;
            if !is_of_family(found, family) {
                return Err(RunnerError::Family { base, family, found: found.model_type() });
            }
            let settings =
                TrainSettings { arithmetic, ..train_settings(&spec, ceiling, &model.config) };
            tracing::info!(
                job = id,
                device = arithmetic.device.name(),
                dtype = arithmetic.dtype.name(),
                reproducible = arithmetic.device.is_reproducible(),
                "training"
            );
            let tokenizer = Tokenizer::open(&weights)?;
            let follow = |event: &Event| match event {
                Event::Prepared { total_steps, .. } => {
                    progress.send_modify(|steps| steps.1 = clamp(*total_steps));
                }
                Event::Resumed { step } => {
                    tracing::info!(job = id, step, "resuming from a checkpoint");
                    progress.send_modify(|steps| steps.0 = clamp(*step));
                }
                Event::Step(at) => {
                    if stop.load(Ordering::Relaxed) {
                        cancel.store(true, Ordering::Relaxed);
                    }
                    progress.send_modify(|steps| *steps = (clamp(at.step), clamp(at.total_steps)));
                    tracing::info!(
                        job = id,
                        "step {}/{} loss {:.4} {:.0} tokens/s",
                        at.step,
                        at.total_steps,
                        at.loss,
                        at.tokens_per_second
                    );
                }
                _ => {}
            };
            let on_event = |event: &Event| {
                reporter.event(event);
                follow(event);
            };
            let run = Run { model, tokenizer: &tokenizer, files: &files, settings: &settings };
            let control = Control {
                on_event: Some(&on_event),
                cancel: Some(&cancel),
                checkpoints: Some(checkpoints),
                ..Control::default()
            };
            let outcome = match &initial {
                Some(adapter) => run.train_from(adapter, &control),
                None => run.train(&control),
            };
            outcome.map_err(RunnerError::from)
        });
        let outcome = training
            .await
            .map_err(|error| RunnerError::Thread { job: id, reason: error.to_string() })?;
        outcome
    }

    /// What tells the gateways of this attempt, of none where none is named.
    async fn reporter(&self, id: JobId, job: &JobView<AccountId>) -> Result<Reporter, RunnerError> {
        let gateways = &self.options.report;
        let genesis = match gateways.is_empty() {
            true => None,
            false => self.client.block_hash(0).await?,
        };
        let genesis = genesis.unwrap_or_default();
        let attempt = (id, job.attempts);
        Ok(Reporter::begin(gateways, &self.signer, genesis, attempt, &self.folder(id)))
    }

    /// Sends heartbeats until the job is no longer this worker's, and says so.
    async fn beat(&self, id: JobId, steps: watch::Receiver<Steps>) -> RunnerError {
        loop {
            tokio::time::sleep(self.options.heartbeat).await;
            let (step, total) = *steps.borrow();
            let beat = self.client.heartbeat(&self.signer, id, step, total, Wait::InBlock).await;
            if let Err(error) = beat {
                match self.is_mine(id).await {
                    Ok(false) => return RunnerError::Lost { job: id },
                    // The job is ours: the node was away, or the beat came too early.
                    Ok(true) | Err(_) => tracing::warn!(job = id, %error, "heartbeat not taken"),
                }
            }
        }
    }

    /// Sends nothing more for a job that cannot be done here and waits until the chain has taken it
    /// back, so that it goes to another worker.
    async fn leave_job(&self) {
        loop {
            match self.client.worker(self.account()).await {
                Ok(Some(worker)) if worker.job.is_some() && !self.stopped() => {
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) if !self.stopped() => {
                    tracing::warn!(%error, "waiting for the node");
                    tokio::time::sleep(RETRY).await;
                }
                _ => return,
            }
        }
    }

    /// What this worker says of itself. A base model that is gone is left out.
    async fn offer(&self) -> Result<WorkerOffer, RunnerError> {
        let mut serves = self.options.serves.clone();
        if let Serves::Models(models) = &mut serves {
            for base in models.clone() {
                if self.client.base_model(base).await?.is_none() {
                    tracing::warn!(base, "the chain knows no such base model; it is left out");
                    models.retain(|other| *other != base);
                }
            }
        }
        Ok(WorkerOffer {
            kinds: kinds(),
            price_per_token: self.options.price_per_token,
            endpoint: self.options.endpoint.clone(),
            serves,
            tokens_per_second: self.options.tokens_per_second,
        })
    }

    async fn register(&self) -> Result<(), RunnerError> {
        let offer = self.offer().await?;
        let price = offer.price_per_token;
        match self.client.worker(self.account()).await? {
            None => {
                tracing::info!(price, serves = ?offer.serves, "registering");
                self.client.register_worker(&self.signer, offer, Wait::InBlock).await?;
            }
            Some(worker) => {
                let rate = RateClass::declared(offer.tokens_per_second).tokens_per_second();
                let waits = worker.raise.is_some_and(|(raised, _)| raised == price);
                let same = (worker.price_per_token == price || waits)
                    && worker.endpoint == offer.endpoint.as_bytes()
                    && worker.kinds == offer.kinds
                    && worker.serves == offer.serves
                    && worker.tokens_per_second == rate;
                if !same {
                    tracing::info!(price, "updating what the chain knows of this worker");
                    self.client.update_worker(&self.signer, offer, Wait::InBlock).await?;
                }
            }
        }
        tracing::info!(account = %self.account(), "registered; waiting for jobs");
        Ok(())
    }

    async fn is_mine(&self, id: JobId) -> Result<bool, RunnerError> {
        let job = self.client.job(id).await?;
        Ok(job.is_some_and(|job| match &job.state {
            JobState::Training { assignment, .. } => assignment.worker == self.account(),
            _ => false,
        }))
    }

    async fn has_result(&self, id: JobId) -> Result<bool, RunnerError> {
        let job = self.client.job(id).await?;
        Ok(job.is_some_and(|job| match &job.state {
            JobState::Submitted { assignment, .. }
            | JobState::Disputed { assignment, .. }
            | JobState::Completed { assignment } => assignment.worker == self.account(),
            _ => false,
        }))
    }

    fn account(&self) -> AccountId {
        self.signer.account()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn folder(&self, id: JobId) -> PathBuf {
        folder_of(&self.options.machine.work_directory, id)
    }
}

/// Where a job's checkpoints lie.
fn folder_of(work_directory: &Path, id: JobId) -> PathBuf {
    work_directory.join(format!("job-{id}"))
}

fn clamp(steps: u64) -> u32 {
    steps.try_into().unwrap_or(u32::MAX)
}
