//! Submissions and votes.

use super::hex;
use crate::{
    api::{PendingView, SubmissionState, SubmissionView},
    ContentId, ExtractorVersion, MediaType, RejectionReason, Verdict,
};
use alloc::{string::String, vec::Vec};
use serde::Serialize;

/// A file that waits for its verdict.
#[derive(Debug, Serialize)]
pub struct Pending<A> {
    /// The submission's number.
    pub submission: u64,
    /// Who gave it.
    pub contributor: A,
    /// The file on IPFS.
    pub content: ContentId,
    /// sha2-256 of its flat bytes.
    pub sha256: String,
    /// Size of its flat bytes.
    pub size: u32,
    /// Its format.
    pub media: MediaType,
}

impl<A> From<PendingView<A>> for Pending<A> {
    fn from(view: PendingView<A>) -> Self {
        Self {
            submission: view.submission,
            contributor: view.contributor,
            content: view.item.content,
            sha256: hex(view.item.sha256),
            size: view.item.size,
            media: view.item.media,
        }
    }
}

/// A vote on a submission.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vote<A> {
    /// Who voted.
    pub curator: A,
    /// `accept`, `reject` or `unavailable`.
    pub verdict: &'static str,
    /// Why to reject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<RejectionReason>,
    /// Quality, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// Units measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<u64>,
    /// By which extractor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extractor: Option<ExtractorVersion>,
}

impl<A> Vote<A> {
    /// The vote of a curator.
    pub fn new(curator: A, verdict: Verdict) -> Self {
        let vote = Self {
            curator,
            verdict: "unavailable",
            reason: None,
            score: None,
            units: None,
            extractor: None,
        };
        match verdict {
            Verdict::Unavailable => vote,
            Verdict::Reject(reason) => Self { verdict: "reject", reason: Some(reason), ..vote },
            Verdict::Accept { score, units, extractor, .. } => Self {
                verdict: "accept",
                score: Some(score.get()),
                units: Some(units),
                extractor: Some(extractor),
                ..vote
            },
        }
    }
}

/// A submission with its history. What does not belong to its state is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Submission<A> {
    /// Its number.
    pub submission: u64,
    /// The Datanet.
    pub datanet: u32,
    /// sha2-256 of the file's flat bytes.
    pub sha256: String,
    /// Who gave it.
    pub contributor: A,
    /// `pending`, `accepted` or `refused`.
    pub state: &'static str,
    /// Where the file is, while it waits and when it is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentId>,
    /// Size of its flat bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// Its format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaType>,
    /// Pending: block in which it was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u32>,
    /// Pending: block from which its age counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u32>,
    /// Pending: first block in which it can be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acceptable_at: Option<u32>,
    /// Pending: first block in which anyone may expire it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u32>,
    /// Pending: the votes on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes: Option<Vec<Vote<A>>>,
    /// Accepted: position of its leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<u64>,
    /// Accepted: its quality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// Accepted: what was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<u64>,
    /// Accepted: whether the leaf was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<bool>,
    /// Refused: why: the name of a reason, `unavailable` or `expired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Refused: the same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<&'static str>,
    /// Refused: who judged it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judges: Option<Vec<A>>,
    /// Refused: block in which it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u32>,
    /// Refused: first block in which anyone may submit the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<u32>,
    /// Refused: whether its first contributor may submit it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resubmittable: Option<bool>,
}

impl<A> From<SubmissionView<A>> for Submission<A> {
    fn from(view: SubmissionView<A>) -> Self {
        let empty = Self {
            submission: view.submission,
            datanet: view.datanet,
            sha256: hex(view.sha256),
            contributor: view.contributor,
            state: "pending",
            content: None,
            size: None,
            media: None,
            since: None,
            age: None,
            acceptable_at: None,
            expires_at: None,
            votes: None,
            leaf: None,
            score: None,
            units: None,
            revoked: None,
            reason: None,
            explanation: None,
            judges: None,
            at: None,
            kept_until: None,
            resubmittable: None,
        };
        match view.state {
            SubmissionState::Pending { item, since, age, acceptable_at, expires_at, votes } => {
                let votes = votes.into_iter().map(|(who, verdict)| Vote::new(who, verdict));
                Self {
                    content: Some(item.content),
                    size: Some(item.size),
                    media: Some(item.media),
                    since: Some(since),
                    age: Some(age),
                    acceptable_at: Some(acceptable_at),
                    expires_at: Some(expires_at),
                    votes: Some(votes.collect()),
                    ..empty
                }
            }
            SubmissionState::Accepted { leaf, revoked } => Self {
                state: "accepted",
                content: Some(leaf.content),
                size: Some(leaf.leaf.size),
                media: Some(leaf.media),
                leaf: Some(leaf.index),
                score: Some(leaf.leaf.score.get()),
                units: Some(leaf.leaf.units),
                revoked: Some(revoked),
                ..empty
            },
            SubmissionState::Refused { ending, judges, at, kept_until } => Self {
                state: "refused",
                reason: Some(ending.name()),
                explanation: Some(ending.help()),
                judges: Some(judges),
                at: Some(at),
                kept_until: Some(kept_until),
                resubmittable: Some(!ending.leaves_tombstone()),
                ..empty
            },
        }
    }
}
