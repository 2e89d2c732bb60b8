//! The JSON shapes of what the chain keeps: the same as the node's `openledger_*` methods answer.
//!
//! Amounts and points are decimal strings, hashes lower-case hexadecimal, content ids textual CIDs,
//! accounts SS58, losses nats a token.

use openledger_client::AccountId;
use openledger_documents::LeftOut;
use openledger_primitives::{
    api::{DatanetView, LeafView},
    job::{Adapter, Job, JobFailure, JobResult, JobState},
    leaf::DatasetRef,
    ContentId, MediaType, Method, Modality, ReviewPolicy, TrainingSpec,
};
use serde::Serialize;

/// What a reading left out: reasons, their units, and their share of all units in percent.
pub(crate) fn left_out(left_out: &LeftOut, counted: u64) -> Vec<serde_json::Value> {
    (left_out.iter())
        .map(|(why, units)| {
            serde_json::json!({
                "reason": why.name(),
                "text": why.text(),
                "units": units,
                "percent": percent(units, left_out, counted),
            })
        })
        .collect()
}

/// The same for people; nothing where nothing was left out.
pub(crate) fn left_out_in_words(left_out: &LeftOut, counted: u64) -> String {
    let parts: Vec<String> = (left_out.iter())
        .map(|(why, units)| {
            format!("{units} ({} %) {}", percent(units, left_out, counted), why.text())
        })
        .collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!("; left out: {}", parts.join(", ")),
    }
}

/// A share of all units, those left out included, with one decimal.
fn percent(units: u64, left_out: &LeftOut, counted: u64) -> f64 {
    let all = left_out.iter().fold(counted, |sum, (_, units)| sum.saturating_add(units));
    (units as f64 * 1_000.0 / all.max(1) as f64).round() / 10.0
}

fn nats(micro: u32) -> f64 {
    f64::from(micro) / 1e6
}

/// A Datanet.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Datanet {
    pub(crate) id: u32,
    pub(crate) owner: AccountId,
    pub(crate) name: String,
    pub(crate) modality: Modality,
    pub(crate) min_units: u64,
    pub(crate) max_units: u64,
    pub(crate) pending: u32,
    pub(crate) units: u64,
    pub(crate) leaves: u64,
    pub(crate) root: String,
    pub(crate) curators: Vec<AccountId>,
    pub(crate) threshold: Option<u8>,
}

impl From<DatanetView<AccountId>> for Datanet {
    fn from(view: DatanetView<AccountId>) -> Self {
        let (curators, threshold) = match view.policy {
            Some(ReviewPolicy::Curators { members, threshold }) => {
                (members.into_inner(), Some(threshold))
            }
            None => (Vec::new(), None),
        };
        Self {
            id: view.id,
            owner: view.owner,
            name: String::from_utf8_lossy(&view.name).into_owned(),
            modality: view.modality,
            min_units: view.min_units,
            max_units: view.max_units,
            pending: view.pending,
            units: view.units,
            leaves: view.version.leaves,
            root: hex::encode(view.version.root),
            curators,
            threshold,
        }
    }
}

/// A Datanet at a version.
#[derive(Serialize)]
pub(crate) struct Dataset {
    datanet: u32,
    leaves: u64,
    root: String,
}

/// Datanets at their versions.
pub(crate) fn datasets(refs: &[DatasetRef]) -> Vec<Dataset> {
    refs.iter()
        .map(|dataset| Dataset {
            datanet: dataset.datanet,
            leaves: dataset.version.leaves,
            root: hex::encode(dataset.version.root),
        })
        .collect()
}

/// What a worker posted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    pub(crate) content: ContentId,
    pub(crate) sha256: String,
    pub(crate) size: u64,
    pub(crate) eval_loss_before: f64,
    pub(crate) eval_loss_after: f64,
    pub(crate) tokens: u64,
    pub(crate) dataset_root: String,
    pub(crate) checkpoints_root: String,
    pub(crate) influence_root: String,
}

impl From<JobResult> for Outcome {
    fn from(result: JobResult) -> Self {
        Self {
            content: result.content,
            sha256: hex::encode(result.sha256),
            size: result.size,
            eval_loss_before: nats(result.eval_loss_before),
            eval_loss_after: nats(result.eval_loss_after),
            tokens: result.tokens,
            dataset_root: hex::encode(result.dataset_root),
            checkpoints_root: hex::encode(result.checkpoints_root),
            influence_root: hex::encode(result.influence_root),
        }
    }
}

/// A job.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobAnswer {
    pub(crate) id: u64,
    pub(crate) owner: AccountId,
    pub(crate) base: u32,
    pub(crate) method: Method,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) token_ceiling: u64,
    pub(crate) budget: String,
    pub(crate) deadline: u32,
    pub(crate) attempts: u8,
    pub(crate) state: &'static str,
    pub(crate) worker: Option<AccountId>,
    pub(crate) price: Option<String>,
    pub(crate) step: Option<u32>,
    pub(crate) total_steps: Option<u32>,
    pub(crate) result: Option<Outcome>,
}

/// A job's state in one word.
pub(crate) fn state_name<A>(state: &JobState<A>) -> &'static str {
    match state {
        JobState::Queued => "queued",
        JobState::Assigned { .. } => "assigned",
        JobState::Training { .. } => "training",
        JobState::Submitted { .. } => "submitted",
        JobState::Completed { .. } => "completed",
        JobState::Failed(_) => "failed",
        JobState::Cancelled => "cancelled",
    }
}

/// Why a job failed, in words.
pub(crate) fn failure_words(failure: JobFailure) -> &'static str {
    match failure {
        JobFailure::Deadline => "its deadline passed",
        JobFailure::Attempts => "too many workers gave it up",
    }
}

impl JobAnswer {
    /// A job; `result` is the posted one of a completed job, which its adapter keeps.
    pub(crate) fn new(id: u64, job: Job<AccountId>, completed: Option<JobResult>) -> Self {
        let assignment = job.assignment().copied();
        let (mut step, mut total_steps, mut result) = (None, None, completed);
        match &job.state {
            JobState::Training { step: done, total_steps: all, .. } => {
                (step, total_steps) = (Some(*done), Some(*all));
            }
            JobState::Submitted { result: posted, .. } => result = Some(*posted),
            _ => {}
        }
        Self {
            id,
            owner: job.owner,
            base: job.base,
            method: job.spec.method,
            datasets: datasets(&job.datasets),
            token_ceiling: job.token_ceiling,
            budget: job.budget.to_string(),
            deadline: job.deadline,
            attempts: job.attempts,
            state: state_name(&job.state),
            worker: assignment.map(|assignment| assignment.worker),
            price: assignment.map(|assignment| assignment.price.to_string()),
            step,
            total_steps,
            result: result.map(Outcome::from),
        }
    }
}

/// An adapter.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdapterAnswer {
    pub(crate) id: u64,
    pub(crate) owner: AccountId,
    pub(crate) worker: AccountId,
    pub(crate) base: u32,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) registered_at: u32,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

impl AdapterAnswer {
    /// An adapter and its number.
    pub(crate) fn new(id: u64, adapter: Adapter<AccountId>) -> Self {
        Self {
            id,
            owner: adapter.owner,
            worker: adapter.worker,
            base: adapter.base,
            datasets: datasets(&adapter.datasets),
            registered_at: adapter.registered_at,
            outcome: adapter.result.into(),
        }
    }
}

/// Training settings, in the names and units that users write.
#[derive(Serialize)]
pub(crate) struct Spec {
    method: Method,
    lora_r: u16,
    lora_alpha: u16,
    lora_dropout: f64,
    target_modules: Vec<&'static str>,
    learning_rate: f64,
    lr_scheduler_type: openledger_primitives::training::Schedule,
    warmup_ratio: f64,
    per_device_train_batch_size: u16,
    gradient_accumulation_steps: u16,
    num_train_epochs: u16,
    max_seq_length: u32,
    weight_decay: f64,
    max_grad_norm: f64,
    seed: u64,
    eval_fraction: f64,
}

impl From<&TrainingSpec> for Spec {
    fn from(spec: &TrainingSpec) -> Self {
        Self {
            method: spec.method,
            lora_r: spec.lora_r,
            lora_alpha: spec.lora_alpha,
            lora_dropout: f64::from(spec.lora_dropout_bp) / 1e4,
            target_modules: crate::commands::job::module_names(spec.target_modules),
            learning_rate: f64::from(spec.learning_rate_nano) / 1e9,
            lr_scheduler_type: spec.schedule,
            warmup_ratio: f64::from(spec.warmup_ratio_bp) / 1e4,
            per_device_train_batch_size: spec.per_device_train_batch_size,
            gradient_accumulation_steps: spec.gradient_accumulation_steps,
            num_train_epochs: spec.num_train_epochs,
            max_seq_length: spec.max_seq_length,
            weight_decay: f64::from(spec.weight_decay_micro) / 1e6,
            max_grad_norm: f64::from(spec.max_grad_norm_milli) / 1e3,
            seed: spec.seed,
            eval_fraction: f64::from(spec.eval_fraction_bp) / 1e4,
        }
    }
}

/// A file that waits for its verdict.
#[derive(Serialize)]
pub(crate) struct Pending {
    pub(crate) submission: u64,
    pub(crate) contributor: AccountId,
    pub(crate) content: ContentId,
    pub(crate) sha256: String,
    pub(crate) size: u32,
    pub(crate) media: MediaType,
}

/// A file that an adapter was trained on, with its share.
#[derive(Serialize)]
pub(crate) struct FileShare {
    pub(crate) datanet: u32,
    pub(crate) leaf: u64,
    pub(crate) submission: u64,
    pub(crate) contributor: AccountId,
    pub(crate) content: ContentId,
    pub(crate) sha256: String,
    pub(crate) units: u64,
    /// Parts of 10⁹.
    pub(crate) share: u64,
}

impl FileShare {
    /// A leaf's line.
    pub(crate) fn new(datanet: u32, view: &LeafView<AccountId>, share: u64) -> Self {
        Self {
            datanet,
            leaf: view.index,
            submission: view.leaf.submission,
            contributor: view.leaf.contributor,
            content: view.content,
            sha256: hex::encode(view.leaf.sha256),
            units: view.leaf.units,
            share,
        }
    }
}

/// A contributor's part of an adapter.
#[derive(Serialize)]
pub(crate) struct ContributorShare {
    pub(crate) account: AccountId,
    pub(crate) units: u64,
    /// Parts of 10⁹.
    pub(crate) share: u64,
}
