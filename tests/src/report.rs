//! What `--report FILE` holds. Amounts are decimal strings of plancks, losses nats a token.

use serde::Serialize;
use std::collections::BTreeMap;

/// The whole run.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether everything that was checked held.
    pub passed: bool,
    /// What failed, in words.
    pub failure: Option<String>,
    /// Seconds in all.
    pub seconds: f64,
    /// The parts in order.
    pub phases: Vec<Phase>,
    /// Name and address of every account.
    pub accounts: BTreeMap<String, String>,
    /// The Datanet.
    pub datanet: Option<u64>,
    /// The base model.
    pub model: Option<Model>,
    /// How many of what.
    pub counts: Counts,
    /// Every file that was offered.
    pub files: Vec<File>,
    /// The leaderboard after all verdicts.
    pub leaderboard: Vec<Rank>,
    /// What drawn committees did.
    pub committee: Option<Committee>,
    /// Every training job.
    pub jobs: Vec<Job>,
    /// What base model and adapter answered.
    pub answers: Vec<Answer>,
    /// Who made the adapter's data, of the last job.
    pub attribution: Vec<Share>,
    /// Every account at genesis and at the end.
    pub balances: Option<Balances>,
}

/// A part of the run.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// What it does.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

/// The base model on chain.
#[derive(Clone, Debug, Serialize)]
pub struct Model {
    /// Its number.
    pub id: u64,
    /// Its CID.
    pub content: String,
    /// sha2-256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

/// How many of what.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Blocks on the chain at the end.
    pub blocks: u64,
    /// Transactions that the actors sent, those of the worker not among them.
    pub transactions: usize,
    /// Files that reached the chain.
    pub submitted: usize,
    /// Files accepted.
    pub accepted: usize,
    /// Files rejected by the curators.
    pub rejected: usize,
    /// Files refused before they reached the chain.
    pub refused: usize,
}

/// A file that was offered.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// Its name on the contributor's disk.
    pub name: String,
    /// Who offered it.
    pub contributor: String,
    /// The submission's number, if it reached the chain.
    pub submission: Option<u64>,
    /// Its CID.
    pub content: Option<String>,
    /// sha2-256 of its bytes.
    pub sha256: String,
    /// `accepted`, `rejected` or `refused`.
    pub outcome: String,
    /// Why it was rejected or refused, in words.
    pub reason: Option<String>,
}

/// A line of the leaderboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rank {
    /// From 1 on.
    pub rank: u64,
    /// The account.
    pub account: String,
    /// Points, a decimal string.
    pub points: String,
}

/// A call that a drawn committee judged, and the challenge of one of its verdicts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Committee {
    /// The Datanet.
    pub datanet: u64,
    /// The first draw.
    pub draw: u64,
    /// Who was drawn, by name.
    pub members: Vec<String>,
    /// Who challenged an acceptance.
    pub challenger: String,
    /// The draw of the larger committee.
    pub larger_draw: u64,
    /// Who was drawn then.
    pub larger_members: Vec<String>,
}

/// A training job.
#[derive(Clone, Debug, Serialize)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// `lora` or `qlora`.
    pub method: String,
    /// Who trained it.
    pub worker: String,
    /// Held-out loss.
    pub eval_loss: EvalLoss,
    /// The adapter.
    pub adapter: Adapter,
    /// Tokens trained on, as the worker says.
    pub tokens: u64,
    /// Optimiser steps.
    pub steps: u64,
    /// What was done to the system while it trained.
    pub fault: Option<String>,
    /// What the worker was paid.
    pub price: String,
    /// From its creation to its completion.
    pub seconds: f64,
}

/// Held-out loss before and after training.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct EvalLoss {
    /// Of the base model.
    pub before: f64,
    /// With the adapter.
    pub after: f64,
}

/// An adapter.
#[derive(Clone, Debug, Serialize)]
pub struct Adapter {
    /// Its CID.
    pub content: String,
    /// sha2-256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A question with both answers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What was asked.
    pub question: String,
    /// What makes an answer right.
    pub key_phrases: Vec<String>,
    /// The base model's answer.
    pub base: String,
    /// Whether it is right.
    pub base_is_right: bool,
    /// The adapter's answer.
    pub adapter: String,
    /// Whether it is right.
    pub adapter_is_right: bool,
}

/// A contributor's part in an adapter.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// The contributor.
    pub account: String,
    /// Units of its files.
    pub units: u64,
    /// Its share in parts of 10⁹.
    pub share: u64,
}

/// Every account at genesis and at the end.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Balances {
    /// Block at which the end was read.
    pub block: u64,
    /// What all accounts hold together, both times.
    pub total: String,
    /// The accounts.
    pub accounts: Vec<Balance>,
}

/// An account at genesis and at the end.
#[derive(Clone, Debug, Serialize)]
pub struct Balance {
    /// Its name.
    pub name: String,
    /// Its address.
    pub account: String,
    /// Free and held together at genesis.
    pub genesis: String,
    /// Free at the end.
    pub free: String,
    /// Held at the end.
    pub held: String,
    /// The difference, with its sign.
    pub change: String,
    /// What explains the difference.
    pub because: Vec<Cause>,
}

/// A payment, with its sign for the account.
#[derive(Clone, Debug, Serialize)]
pub struct Cause {
    /// What for.
    pub what: String,
    /// How many plancks.
    pub amount: String,
}
