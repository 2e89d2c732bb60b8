//! Jobs, workers, base models and adapters.

use super::{datasets, hex, Dataset};
use crate::{
    api::{BaseModelView, DisputeView, JobView, WorkerView},
    job::{
        self,
        dispute::{Finding, Outcome as Decision},
        DeclineReason, JobFailure, JobState,
    },
    ContentId, JobKind, JobResult, Method, ModelFamily, Serves,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use serde::Serialize;

fn nats(micro: u32) -> f64 {
    f64::from(micro) / 1e6
}

/// What a worker posted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The adapter on IPFS.
    pub content: ContentId,
    /// sha2-256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Held-out loss before training, of the base model or the parent adapter, nats a token.
    pub eval_loss_before: f64,
    /// Held-out loss with the adapter, nats a token.
    pub eval_loss_after: f64,
    /// Tokens trained on.
    pub tokens: u64,
    /// One hash for all that was trained on.
    pub dataset_root: String,
    /// Zero until verification exists.
    pub checkpoints_root: String,
    /// Zero until attribution by influence exists.
    pub influence_root: String,
}

impl From<JobResult> for Outcome {
    fn from(result: JobResult) -> Self {
        Self {
            content: result.content,
            sha256: hex(result.sha256),
            size: result.size,
            eval_loss_before: nats(result.eval_loss_before),
            eval_loss_after: nats(result.eval_loss_after),
            tokens: result.tokens,
            dataset_root: hex(result.dataset_root),
            checkpoints_root: hex(result.checkpoints_root),
            influence_root: hex(result.influence_root),
        }
    }
}

/// A worker to which a job is not offered again.
#[derive(Debug, Serialize)]
pub struct Refused<A> {
    /// Who.
    pub worker: A,
    /// Why it declined; nothing if it let its time pass.
    pub reason: Option<DeclineReason>,
}

/// A worker.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worker<A> {
    /// Who.
    pub account: A,
    /// What it can train.
    pub kinds: Vec<JobKind>,
    /// Its floor, plancks a token.
    pub price_per_token: String,
    /// A higher floor that waits, plancks a token.
    pub raise_to: Option<String>,
    /// First block in which that may take effect.
    pub raise_from: Option<u32>,
    /// Plancks at stake.
    pub bond: String,
    /// Where it serves, or empty.
    pub endpoint: String,
    /// The job it has.
    pub job: Option<u64>,
    /// Whether it takes no further jobs.
    pub paused: bool,
    /// The base models it takes; nothing where it takes any up to a size.
    pub models: Option<Vec<u32>>,
    /// Most bytes of weights it takes; nothing where it names base models.
    pub max_model_bytes: Option<u64>,
    /// How fast it says it trains, rounded down to a power of two.
    pub tokens_per_second: u32,
    /// Jobs it let time out.
    pub lost: u32,
    /// Jobs it declined since it last took one.
    pub declines: u8,
    /// The block before which it cannot resume.
    pub rests_until: Option<u32>,
}

impl<A> From<WorkerView<A>> for Worker<A> {
    fn from(view: WorkerView<A>) -> Self {
        let (models, max_model_bytes) = match view.serves {
            Serves::Models(models) => (Some(models.into_inner()), None),
            Serves::UpTo(bytes) => (None, Some(bytes)),
        };
        Self {
            account: view.account,
            kinds: view.kinds,
            price_per_token: view.price_per_token.to_string(),
            raise_to: view.raise.map(|(price, _)| price.to_string()),
            raise_from: view.raise.map(|(_, from)| from),
            bond: view.bond.to_string(),
            endpoint: String::from_utf8_lossy(&view.endpoint).into_owned(),
            job: view.job,
            paused: view.paused,
            models,
            max_model_bytes,
            tokens_per_second: view.tokens_per_second,
            lost: view.lost,
            declines: view.declines,
            rests_until: Some(view.rests_until).filter(|until| *until > 0),
        }
    }
}

/// A base model.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BaseModel<A> {
    /// Its number.
    pub id: u32,
    /// Who registered it.
    pub registrar: A,
    /// Its architecture.
    pub family: ModelFamily,
    /// Its name.
    pub name: String,
    /// Its licence.
    pub licence: String,
    /// The weights on IPFS.
    pub weights: ContentId,
    /// sha2-256 of their flat bytes.
    pub weights_sha256: String,
    /// Size of their flat bytes.
    pub weights_size: u64,
    /// The tokenizer, if the weights' file does not hold it.
    pub tokenizer: Option<ContentId>,
    /// The configuration, if the weights' file does not hold it.
    pub config: Option<ContentId>,
    /// Whether it takes no new jobs.
    pub retired: bool,
    /// Jobs on record that name it.
    pub jobs: u64,
}

impl<A> From<BaseModelView<A>> for BaseModel<A> {
    fn from(view: BaseModelView<A>) -> Self {
        Self {
            id: view.id,
            registrar: view.registrar,
            family: view.family,
            name: String::from_utf8_lossy(&view.name).into_owned(),
            licence: String::from_utf8_lossy(&view.licence).into_owned(),
            weights: view.weights,
            weights_sha256: hex(view.weights_sha256),
            weights_size: view.weights_size,
            tokenizer: view.tokenizer,
            config: view.config,
            retired: view.retired,
            jobs: view.jobs,
        }
    }
}

/// A job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Job<A> {
    /// Its number.
    pub id: u64,
    /// Who pays.
    pub owner: A,
    /// The base model.
    pub base: u32,
    /// The adapter that is trained further, if it is not a fresh one.
    pub parent: Option<u64>,
    /// LoRA or QLoRA.
    pub method: Method,
    /// On what.
    pub datasets: Vec<Dataset>,
    /// Most tokens the price covers.
    pub token_ceiling: u64,
    /// Plancks offered a token of the ceiling.
    pub price_per_token: String,
    /// Plancks held until it ends.
    pub budget: String,
    /// Plancks held until its record is gone.
    pub deposit: String,
    /// Block after which it fails.
    pub deadline: u32,
    /// Last block in which it may be as it is.
    pub due: Option<u32>,
    /// Workers that let it time out.
    pub attempts: u8,
    /// Workers it is not offered to again.
    pub refused: Vec<Refused<A>>,
    /// Where it is in its life.
    pub state: &'static str,
    /// Why it failed, if it did.
    pub failure: Option<JobFailure>,
    /// Who works on it.
    pub worker: Option<A>,
    /// What the worker is paid, plancks.
    pub price: Option<String>,
    /// Optimiser steps done, while it trains.
    pub step: Option<u32>,
    /// Optimiser steps in all, while it trains.
    pub total_steps: Option<u32>,
    /// What was posted.
    pub result: Option<Outcome>,
}

impl<A: Clone + PartialEq> Job<A> {
    /// A job; `completed` is the result of a completed one, which its adapter keeps.
    pub fn new(job: JobView<A>, completed: Option<JobResult>) -> Self {
        let assignment = job.assignment().cloned();
        let (mut steps, mut failure, mut result) = ((None, None), None, completed);
        match &job.state {
            JobState::Training { step, total_steps, .. } => {
                steps = (Some(*step), Some(*total_steps));
            }
            JobState::Submitted { result: posted, .. }
            | JobState::Disputed { result: posted, .. } => result = Some(*posted),
            JobState::Failed(why) => failure = Some(*why),
            _ => {}
        }
        Self {
            id: job.id,
            base: job.base,
            parent: job.parent,
            method: job.spec.method,
            datasets: datasets(&job.datasets),
            token_ceiling: job.token_ceiling,
            price_per_token: job.price_per_token.to_string(),
            budget: job.budget.to_string(),
            deposit: job.deposit.to_string(),
            deadline: job.deadline,
            due: job.due,
            attempts: job.attempts,
            refused: job
                .refused
                .into_iter()
                .map(|refused| Refused { worker: refused.worker, reason: refused.reason })
                .collect(),
            state: job.state.name(),
            failure,
            owner: job.owner,
            price: assignment.as_ref().map(|assignment| assignment.price.to_string()),
            worker: assignment.map(|assignment| assignment.worker),
            step: steps.0,
            total_steps: steps.1,
            result: result.map(Outcome::from),
        }
    }
}

/// A worker that was drawn for a dispute.
#[derive(Debug, Serialize)]
pub struct Verifier<A> {
    /// Who.
    pub worker: A,
    /// The hash of its finding, once it is shown.
    pub commitment: Option<String>,
    /// What it found, once it is shown.
    pub finding: Option<Finding>,
}

/// A dispute about a job's result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dispute<A> {
    /// The job.
    pub job: u64,
    /// Who opened it.
    pub disputer: A,
    /// Plancks at stake.
    pub bond: String,
    /// Plancks for each worker that is paid for its finding.
    pub fee: String,
    /// Block at whose start workers are drawn.
    pub draw_at: u32,
    /// Those drawn.
    pub drawn: Vec<Verifier<A>>,
    /// Last block for the hashes of findings, once workers are drawn.
    pub commit_by: Option<u32>,
    /// Last block for findings, once workers are drawn.
    pub reveal_by: Option<u32>,
    /// How it ended; nothing while it is open.
    pub outcome: Option<Decision>,
}

impl<A> From<DisputeView<A>> for Dispute<A> {
    fn from(view: DisputeView<A>) -> Self {
        let block = |block: u32| (block > 0).then_some(block);
        Self {
            job: view.job,
            disputer: view.disputer,
            bond: view.bond.to_string(),
            fee: view.fee.to_string(),
            draw_at: view.draw_at,
            drawn: view
                .drawn
                .into_iter()
                .map(|verifier| Verifier {
                    worker: verifier.worker,
                    commitment: verifier.commitment.map(hex),
                    finding: verifier.finding,
                })
                .collect(),
            commit_by: block(view.commit_by),
            reveal_by: block(view.reveal_by),
            outcome: view.outcome,
        }
    }
}

/// An adapter.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Adapter<A> {
    /// Its job's number, and its own.
    pub id: u64,
    /// Who paid for it.
    pub owner: A,
    /// Who trained it.
    pub worker: A,
    /// The base model.
    pub base: u32,
    /// The adapter that was trained further, if it began from one.
    pub parent: Option<u64>,
    /// On what.
    pub datasets: Vec<Dataset>,
    /// Block in which it was registered.
    pub registered_at: u32,
    /// Whether a leaf that it was trained on was revoked since.
    pub holds_revoked: bool,
    /// What was posted.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl<A> Adapter<A> {
    /// An adapter, its number, its parent, and whether a leaf of its data was revoked.
    pub fn new(
        id: u64,
        adapter: job::Adapter<A>,
        parent: Option<u64>,
        holds_revoked: bool,
    ) -> Self {
        Self {
            id,
            owner: adapter.owner,
            worker: adapter.worker,
            base: adapter.base,
            parent,
            datasets: datasets(&adapter.datasets),
            registered_at: adapter.registered_at,
            holds_revoked,
            outcome: adapter.result.into(),
        }
    }
}
