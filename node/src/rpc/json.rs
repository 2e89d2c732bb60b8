//! The JSON shapes of the `openledger_*` answers.
//!
//! Amounts and points are decimal strings: they do not fit the numbers of JavaScript. Hashes are
//! lower-case hexadecimal, content ids textual CIDs, accounts SS58, losses nats a token.

use openledger_primitives::{
    api::{BoardEntry, DatanetView, LeafView, QuotaStatus, SubmissionItem},
    job::{Adapter, Job, JobResult, JobState},
    leaf::DatasetRef,
    ContentId, MediaType, Modality, Refusal, RefusalRule, ReviewPolicy,
};
use openledger_runtime::AccountId;
use serde::{Deserialize, Serialize};
use sp_core::H256;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write;
    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(bytes)
}

fn nats(micro: u32) -> f64 {
    f64::from(micro) / 1e6
}

/// An account's quota today.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Quota {
    registered: bool,
    day: u32,
    files_used: u32,
    files_limit: u32,
    bytes_used: u64,
    bytes_limit: u64,
}

impl From<QuotaStatus> for Quota {
    fn from(status: QuotaStatus) -> Self {
        let used = status.used.on(status.day);
        Self {
            registered: status.registered,
            day: status.day,
            files_used: used.files,
            files_limit: status.limits.files,
            bytes_used: used.bytes,
            bytes_limit: status.limits.bytes,
        }
    }
}

/// A file of a submission to be checked.
#[derive(Deserialize)]
pub(crate) struct Item {
    content: ContentId,
    sha256: String,
    size: u32,
    media: MediaType,
}

impl TryFrom<Item> for SubmissionItem {
    type Error = String;

    fn try_from(item: Item) -> Result<Self, String> {
        let sha256 = hash(&item.sha256).ok_or_else(|| {
            format!("sha256 is {:?}; it takes 64 hexadecimal digits", item.sha256)
        })?;
        Ok(Self { content: item.content, sha256, size: item.size, media: item.media })
    }
}

/// Whether a submission would be admitted.
#[derive(Serialize)]
pub(crate) struct Check {
    admitted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<CheckRefusal>,
}

#[derive(Serialize)]
struct CheckRefusal {
    code: u8,
    rule: RefusalRule,
    item: Option<u32>,
    value: u64,
    limit: u64,
    message: String,
}

impl From<Result<(), Refusal>> for Check {
    fn from(result: Result<(), Refusal>) -> Self {
        Self {
            admitted: result.is_ok(),
            refusal: result.err().map(|refusal| CheckRefusal {
                code: refusal.rule.code(),
                rule: refusal.rule,
                item: refusal.item,
                value: refusal.value,
                limit: refusal.limit,
                message: refusal.to_string(),
            }),
        }
    }
}

/// A Datanet.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Datanet {
    id: u32,
    owner: AccountId,
    name: String,
    modality: Modality,
    min_units: u64,
    max_units: u64,
    pending: u32,
    units: u64,
    leaves: u64,
    root: String,
    curators: Vec<AccountId>,
    threshold: Option<u8>,
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
            root: hex(view.version.root),
            curators,
            threshold,
        }
    }
}

/// A line of a leaderboard.
#[derive(Serialize)]
pub(crate) struct Entry {
    account: AccountId,
    points: String,
    sequence: u64,
}

impl From<BoardEntry<AccountId>> for Entry {
    fn from(entry: BoardEntry<AccountId>) -> Self {
        Self { account: entry.account, points: entry.points.to_string(), sequence: entry.sequence }
    }
}

/// A Datanet at a version.
#[derive(Serialize)]
struct Dataset {
    datanet: u32,
    leaves: u64,
    root: String,
}

fn datasets(refs: &[DatasetRef]) -> Vec<Dataset> {
    refs.iter()
        .map(|dataset| Dataset {
            datanet: dataset.datanet,
            leaves: dataset.version.leaves,
            root: hex(dataset.version.root),
        })
        .collect()
}

/// What a worker posted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    content: ContentId,
    sha256: String,
    size: u64,
    eval_loss_before: f64,
    eval_loss_after: f64,
    tokens: u64,
    dataset_root: String,
    checkpoints_root: String,
    influence_root: String,
}

impl From<JobResult> for Outcome {
    fn from(result: JobResult) -> Self {
        let root = |root: H256| hex(root);
        Self {
            content: result.content,
            sha256: hex(result.sha256),
            size: result.size,
            eval_loss_before: nats(result.eval_loss_before),
            eval_loss_after: nats(result.eval_loss_after),
            tokens: result.tokens,
            dataset_root: root(result.dataset_root),
            checkpoints_root: root(result.checkpoints_root),
            influence_root: root(result.influence_root),
        }
    }
}

/// A job.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobAnswer {
    id: u64,
    owner: AccountId,
    base: u32,
    method: openledger_primitives::Method,
    datasets: Vec<Dataset>,
    token_ceiling: u64,
    budget: String,
    deadline: u32,
    attempts: u8,
    state: &'static str,
    worker: Option<AccountId>,
    price: Option<String>,
    step: Option<u32>,
    total_steps: Option<u32>,
    result: Option<Outcome>,
}

impl From<(u64, Job<AccountId>)> for JobAnswer {
    fn from((id, job): (u64, Job<AccountId>)) -> Self {
        let assignment = job.assignment().cloned();
        let mut steps = (None, None);
        let mut result = None;
        let state = match &job.state {
            JobState::Queued => "queued",
            JobState::Assigned { .. } => "assigned",
            JobState::Training { step, total_steps, .. } => {
                steps = (Some(*step), Some(*total_steps));
                "training"
            }
            JobState::Submitted { result: posted, .. } => {
                result = Some((*posted).into());
                "submitted"
            }
            JobState::Completed { .. } => "completed",
            JobState::Failed(_) => "failed",
            JobState::Cancelled => "cancelled",
        };
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
            state,
            worker: assignment.as_ref().map(|assignment| assignment.worker.clone()),
            price: assignment.map(|assignment| assignment.price.to_string()),
            step: steps.0,
            total_steps: steps.1,
            result,
        }
    }
}

/// An adapter.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdapterAnswer {
    id: u64,
    owner: AccountId,
    worker: AccountId,
    base: u32,
    datasets: Vec<Dataset>,
    registered_at: u32,
    #[serde(flatten)]
    outcome: Outcome,
}

impl From<(u64, Adapter<AccountId>)> for AdapterAnswer {
    fn from((id, adapter): (u64, Adapter<AccountId>)) -> Self {
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

/// A file that an adapter was trained on, with its share.
#[derive(Serialize)]
pub(crate) struct FileShare {
    datanet: u32,
    leaf: u64,
    submission: u64,
    contributor: AccountId,
    content: ContentId,
    sha256: String,
    units: u64,
    /// Parts of 10⁹.
    share: u64,
}

impl FileShare {
    /// A leaf's line; its share is set once all are known.
    pub(crate) fn new(datanet: u32, view: LeafView<AccountId>) -> Self {
        Self {
            datanet,
            leaf: view.index,
            submission: view.leaf.submission,
            contributor: view.leaf.contributor,
            content: view.content,
            sha256: hex(view.leaf.sha256),
            units: view.leaf.units,
            share: 0,
        }
    }
}

/// Who made an adapter's data.
#[derive(Serialize)]
pub(crate) struct Attribution {
    adapter: u64,
    /// What a whole is: shares are parts of it and add up to it.
    parts: u64,
    files: Vec<FileShare>,
}

impl Attribution {
    /// Shares by units over all files.
    pub(crate) fn new(adapter: u64, mut files: Vec<FileShare>) -> Self {
        let units: Vec<u64> = files.iter().map(|file| file.units).collect();
        for (file, share) in files.iter_mut().zip(openledger_primitives::shares(&units)) {
            file.share = share;
        }
        Self { adapter, parts: openledger_primitives::PARTS, files }
    }
}
