//! Data sets, jobs, adapters, base models and workers.

use super::{Event, Moment};
use openledger_primitives::TrainingSpec;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A Datanet at a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
    /// The Datanet.
    pub datanet: u32,
    /// How many leaves it had.
    pub leaves: u64,
    /// Its root then.
    pub root: String,
    /// Leaves of it that had been revoked before the job, which is not trained on them.
    pub left_out: u64,
}

/// What a worker posted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The adapter on IPFS.
    pub content: String,
    /// sha2-256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Held-out loss before training, nats a token.
    pub eval_loss_before: f64,
    /// Held-out loss with the adapter, nats a token.
    pub eval_loss_after: f64,
    /// Tokens trained on.
    pub tokens: u64,
    /// One hash for all that was trained on.
    pub dataset_root: String,
}

/// A job's settings, in the chain's integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// `lora` or `qlora`.
    pub method: String,
    /// Rank of the adapter.
    pub lora_r: u16,
    /// Updates are scaled by alpha ÷ rank.
    pub lora_alpha: u16,
    /// Dropout before the adapter, 1/10,000.
    pub lora_dropout_bp: u16,
    /// Which layers get an adapter: bits; 0 is the family's default.
    pub target_modules: u16,
    /// Peak learning rate, 10⁻⁹.
    pub learning_rate_nano: u32,
    /// `linear`, `cosine` or `constant`.
    pub schedule: String,
    /// Share of the steps spent warming up, 1/10,000.
    pub warmup_ratio_bp: u16,
    /// Examples a step and device.
    pub per_device_train_batch_size: u16,
    /// Steps before the weights move.
    pub gradient_accumulation_steps: u16,
    /// Passes over the examples.
    pub num_train_epochs: u16,
    /// Longest example in tokens.
    pub max_seq_length: u32,
    /// Weight decay, 10⁻⁶.
    pub weight_decay_micro: u32,
    /// Largest gradient norm, 10⁻³; 0 for any.
    pub max_grad_norm_milli: u32,
    /// Seed, as a decimal string: it may be larger than what a browser's number holds.
    pub seed: String,
    /// Share of the examples held out, 1/10,000.
    pub eval_fraction_bp: u16,
}

impl From<&TrainingSpec> for Spec {
    fn from(spec: &TrainingSpec) -> Self {
        Self {
            method: spec.method.name().to_owned(),
            lora_r: spec.lora_r,
            lora_alpha: spec.lora_alpha,
            lora_dropout_bp: spec.lora_dropout_bp,
            target_modules: spec.target_modules.0,
            learning_rate_nano: spec.learning_rate_nano,
            schedule: spec.schedule.name().to_owned(),
            warmup_ratio_bp: spec.warmup_ratio_bp,
            per_device_train_batch_size: spec.per_device_train_batch_size,
            gradient_accumulation_steps: spec.gradient_accumulation_steps,
            num_train_epochs: spec.num_train_epochs,
            max_seq_length: spec.max_seq_length,
            weight_decay_micro: spec.weight_decay_micro,
            max_grad_norm_milli: spec.max_grad_norm_milli,
            seed: spec.seed.to_string(),
            eval_fraction_bp: spec.eval_fraction_bp,
        }
    }
}

/// A worker to which a job is not offered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// Who.
    pub worker: String,
    /// Why it declined; nothing if it let its time pass.
    pub reason: Option<String>,
}

/// A training job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// Who pays.
    pub owner: String,
    /// The base model.
    pub base: u32,
    /// The base model's family.
    pub family: String,
    /// The adapter that is trained further, if it is not a fresh one.
    pub parent: Option<u64>,
    /// On what.
    pub datasets: Vec<Dataset>,
    /// How.
    pub spec: Spec,
    /// Most tokens the price covers.
    pub token_ceiling: u64,
    /// Plancks offered a token of the ceiling.
    #[serde(default)]
    pub price_per_token: String,
    /// Plancks held until it ends.
    pub budget: String,
    /// Plancks held until its record on the chain is gone.
    #[serde(default)]
    pub deposit: String,
    /// Block after which it fails.
    pub deadline: u32,
    /// Workers that let it time out.
    pub attempts: u8,
    /// Workers it is not offered to again, and why they declined it.
    #[serde(default)]
    pub refused: Vec<Refused>,
    /// Whether the chain has forgotten it.
    #[serde(default)]
    pub pruned: bool,
    /// `queued`, `assigned`, `training`, `submitted`, `disputed`, `completed`, `failed` or `cancelled`.
    pub state: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// Who works on it.
    pub worker: Option<String>,
    /// What the worker is paid, plancks.
    pub price: Option<String>,
    /// Optimiser steps done, as the worker last said.
    pub step: Option<u32>,
    /// Optimiser steps in all.
    pub total_steps: Option<u32>,
    /// Block of the next deadline of its state.
    pub due: Option<u32>,
    /// What was posted.
    pub result: Option<Outcome>,
    /// When it was created.
    pub created: Moment,
    /// When it last changed.
    pub updated: Moment,
}

/// A job with everything that happened to it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct JobDetail {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// Everything that happened to it, in order.
    pub timeline: Vec<Event>,
}

/// An adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Adapter {
    /// Its number, which is its job's.
    pub id: u64,
    /// Who paid for it.
    pub owner: String,
    /// Who trained it.
    pub worker: String,
    /// The base model.
    pub base: u32,
    /// The adapter that was trained further.
    pub parent: Option<u64>,
    /// On what.
    pub datasets: Vec<Dataset>,
    /// The adapter on IPFS.
    pub content: String,
    /// sha2-256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Held-out loss before training, nats a token.
    pub eval_loss_before: f64,
    /// Held-out loss with the adapter, nats a token.
    pub eval_loss_after: f64,
    /// Tokens trained on.
    pub tokens: u64,
    /// One hash for all that was trained on.
    pub dataset_root: String,
    /// Whether a leaf that it was trained on was revoked since.
    #[serde(default)]
    pub holds_revoked: bool,
    /// When its job was created: what had been revoked before was left out.
    pub created: Moment,
    /// When it was registered.
    pub registered: Moment,
}

/// A base model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaseModel {
    /// Its number.
    pub id: u32,
    /// Who registered it.
    pub registrar: String,
    /// Its architecture.
    pub family: String,
    /// Its name.
    pub name: String,
    /// Its licence.
    pub licence: String,
    /// The weights on IPFS.
    pub weights: String,
    /// sha2-256 of the weights.
    pub weights_sha256: String,
    /// Size of the weights in bytes.
    pub weights_size: u64,
    /// The tokenizer, if the weights' file does not hold it.
    pub tokenizer: Option<String>,
    /// The configuration, if the weights' file does not hold it.
    pub config: Option<String>,
    /// Whether it takes no new jobs.
    #[serde(default)]
    pub retired: bool,
    /// When it was registered.
    pub registered: Moment,
}

/// A family with a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kind {
    /// The base model's family.
    pub family: String,
    /// `lora` or `qlora`.
    pub method: String,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Worker {
    /// Who.
    pub account: String,
    /// Whether it is registered; a worker that left stays listed.
    pub registered: bool,
    /// What it can train.
    pub kinds: Vec<Kind>,
    /// Its floor: plancks a token.
    pub price_per_token: String,
    /// A higher floor that waits, plancks a token.
    #[serde(default)]
    pub raise_to: Option<String>,
    /// The base models it takes; nothing where it takes any up to a size.
    #[serde(default)]
    pub models: Option<Vec<u32>>,
    /// Most bytes of weights it takes; nothing where it names base models.
    #[serde(default)]
    pub max_model_bytes: Option<u64>,
    /// How fast it says it trains, rounded down to a power of two.
    #[serde(default)]
    pub tokens_per_second: u32,
    /// Plancks at stake.
    pub bond: String,
    /// Where it says that it serves. Anyone can write this: do not fetch it.
    pub endpoint: String,
    /// The job it has.
    pub job: Option<u64>,
    /// Whether it takes no further jobs.
    pub paused: bool,
    /// Jobs that it completed.
    pub completed: u64,
    /// Jobs that it let time out.
    pub timed_out: u64,
    /// Jobs that it declined.
    #[serde(default)]
    pub declined: u64,
    /// Plancks that it was paid.
    pub earned: String,
}
