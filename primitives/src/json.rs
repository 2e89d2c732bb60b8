//! The JSON shapes of what the chain keeps: what the node's `openledger_*` methods answer, and what
//! `openledger --output json` prints of the same things.
//!
//! Amounts and points are decimal strings: they do not fit the numbers of JavaScript. Hashes are
//! lower-case hexadecimal, content ids textual CIDs, losses nats a token. Accounts are written as
//! their type `A` writes itself: SS58.

mod market;
mod pools;
mod submissions;

pub use market::{Adapter, BaseModel, Dispute, Job, Outcome, Refused, Verifier, Worker};
pub use pools::{Pool, PoolRules, Share, Terms, WaitingTerms};
pub use submissions::{Pending, Submission, Vote};

use crate::{
    api::{BoardEntry, DatanetView, LeafView, PayoutView, QuotaStatus, WaitingPolicyView},
    leaf::DatasetRef,
    ContentId, DatanetStatus, ExtractorVersion, Modality, Refusal, RefusalRule, ReviewPolicy,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Write;
use serde::Serialize;

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An account's quota today.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Whether the account is a registered contributor.
    pub registered: bool,
    /// Today in UTC days since 1970.
    pub day: u32,
    /// Files used today.
    pub files_used: u32,
    /// Files allowed a day.
    pub files_limit: u32,
    /// Bytes used today.
    pub bytes_used: u64,
    /// Bytes allowed a day.
    pub bytes_limit: u64,
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

/// Whether a submission would be admitted.
#[derive(Debug, Serialize)]
pub struct Check {
    /// Whether it would.
    pub admitted: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<CheckRefusal>,
}

/// A refusal with its numbers and in words.
#[derive(Debug, Serialize)]
pub struct CheckRefusal {
    /// The rule's number.
    pub code: u8,
    /// The rule.
    pub rule: RefusalRule,
    /// The item it is about, counted from 0.
    pub item: Option<u32>,
    /// What was found.
    pub value: u64,
    /// What is allowed.
    pub limit: u64,
    /// The same in words.
    pub message: String,
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

/// A review policy that waits, and until when.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingPolicy<A> {
    /// Who decides from then on.
    pub curators: Vec<A>,
    /// How many of them must agree; 0 where committees are drawn.
    pub threshold: u8,
    /// The seats that committees are drawn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seats: Option<&'static str>,
    /// The first block in which it counts.
    pub from_block: u32,
}

impl<A> From<WaitingPolicyView<A>> for WaitingPolicy<A> {
    fn from(view: WaitingPolicyView<A>) -> Self {
        let seats = view.policy.seats();
        let (curators, threshold) = match view.policy {
            ReviewPolicy::Curators { members, threshold } => (members.into_inner(), threshold),
            ReviewPolicy::Committee { .. } => (Vec::new(), 0),
        };
        Self { curators, threshold, seats, from_block: view.block }
    }
}

/// Where an account's rewards are paid.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payout<A> {
    /// The account that gets them now.
    pub to: A,
    /// The one that gets them later.
    pub next: Option<A>,
    /// The block from which it does.
    pub next_from_block: Option<u32>,
}

impl<A> From<PayoutView<A>> for Payout<A> {
    fn from(payout: PayoutView<A>) -> Self {
        let (next, next_from_block) = payout.next.unzip();
        Self { to: payout.to, next, next_from_block }
    }
}

/// What a Datanet's owner says about it, and what stands open.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatanetDetails<A> {
    /// Whether it takes files.
    pub status: DatanetStatus,
    /// A line.
    pub summary: String,
    /// Markdown.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// To whom it is offered.
    pub offered_to: Option<A>,
    /// Plancks held on its owner.
    pub deposit: String,
}

impl<A> From<crate::api::DatanetDetails<A>> for DatanetDetails<A> {
    fn from(details: crate::api::DatanetDetails<A>) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            status: details.status,
            summary: text(details.summary),
            description: text(details.description),
            tags: details.tags.into_iter().map(text).collect(),
            offered_to: details.offered_to,
            deposit: details.deposit.to_string(),
        }
    }
}

/// A Datanet.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Datanet<A> {
    /// Its number.
    pub id: u32,
    /// Who created it.
    pub owner: A,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub modality: Modality,
    /// Least units of a file.
    pub min_units: u64,
    /// Most units of a file that earn points.
    pub max_units: u64,
    /// Submissions waiting for a verdict.
    pub pending: u32,
    /// Units accepted in all.
    pub units: u64,
    /// Leaves of its current version.
    pub leaves: u64,
    /// Root of its current version.
    pub root: String,
    /// Who decides on submissions.
    pub curators: Vec<A>,
    /// How many of them must agree.
    pub threshold: Option<u8>,
    /// The seats that committees are drawn from, where these decide: `modality` or `datanet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seats: Option<&'static str>,
}

impl<A> From<DatanetView<A>> for Datanet<A> {
    fn from(view: DatanetView<A>) -> Self {
        let seats = view.policy.as_ref().and_then(ReviewPolicy::seats);
        let (curators, threshold) = match view.policy {
            Some(ReviewPolicy::Curators { members, threshold }) => {
                (members.into_inner(), Some(threshold))
            }
            Some(ReviewPolicy::Committee { .. }) | None => (Vec::new(), None),
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
            seats,
        }
    }
}

/// A line of a leaderboard.
#[derive(Debug, Serialize)]
pub struct Entry<A> {
    /// Who.
    pub account: A,
    /// Points.
    pub points: String,
    /// Acceptance number that brought the last points.
    pub sequence: u64,
}

impl<A> From<BoardEntry<A>> for Entry<A> {
    fn from(entry: BoardEntry<A>) -> Self {
        Self { account: entry.account, points: entry.points.to_string(), sequence: entry.sequence }
    }
}

/// A Datanet at a version.
#[derive(Debug, Serialize)]
pub struct Dataset {
    /// The Datanet.
    pub datanet: u32,
    /// How many leaves it had.
    pub leaves: u64,
    /// Its root then.
    pub root: String,
}

/// Datanets at their versions.
pub fn datasets(refs: &[DatasetRef]) -> Vec<Dataset> {
    refs.iter()
        .map(|dataset| Dataset {
            datanet: dataset.datanet,
            leaves: dataset.version.leaves,
            root: hex(dataset.version.root),
        })
        .collect()
}

/// A file that an adapter was trained on, with its share.
#[derive(Debug, Serialize)]
pub struct FileShare<A> {
    /// The Datanet.
    pub datanet: u32,
    /// Position of its leaf.
    pub leaf: u64,
    /// The submission that brought it.
    pub submission: u64,
    /// Who gave it.
    pub contributor: A,
    /// The file on IPFS.
    pub content: ContentId,
    /// sha2-256 of its flat bytes.
    pub sha256: String,
    /// What acceptance measured.
    pub units: u64,
    /// By which extractor.
    pub extractor: ExtractorVersion,
    /// Parts of [`PARTS`](crate::PARTS).
    pub share: u64,
}

impl<A: Clone> FileShare<A> {
    /// A leaf's line.
    pub fn new(datanet: u32, view: &LeafView<A>, share: u64) -> Self {
        Self {
            datanet,
            leaf: view.index,
            submission: view.leaf.submission,
            contributor: view.leaf.contributor.clone(),
            content: view.content,
            sha256: hex(view.leaf.sha256),
            units: view.leaf.units,
            extractor: view.leaf.version.extractor(),
            share,
        }
    }
}

/// Each leaf with its Datanet's number, and its share by units over all of them.
pub fn file_shares<A: Clone>(leaves: &[(u32, LeafView<A>)]) -> Vec<FileShare<A>> {
    let units: Vec<u64> = leaves.iter().map(|(_, view)| view.leaf.units).collect();
    leaves
        .iter()
        .zip(crate::shares(&units))
        .map(|((datanet, view), share)| FileShare::new(*datanet, view, share))
        .collect()
}

/// Who made an adapter's data.
#[derive(Debug, Serialize)]
pub struct Attribution<A> {
    /// The adapter.
    pub adapter: u64,
    /// What a whole is: shares are parts of it and add up to it.
    pub parts: u64,
    /// Every file.
    pub files: Vec<FileShare<A>>,
    /// Files of the versions that had been revoked before the job: not trained on, and without a share.
    #[serde(rename = "leftOut")]
    pub left_out: u64,
}
