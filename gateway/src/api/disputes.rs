//! `GET /v1/jobs/{id}/dispute`: a job's dispute, told from its events.
//!
//! The chain forgets it with the job; its events stay in the index, and it follows from them alone.

use super::types::{Event, Moment};
use super::Part;
use crate::error::{ApiError, ErrorBody};
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A worker that was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verifier {
    /// Who.
    pub worker: String,
    /// When it showed the hash of its finding.
    pub committed: Option<Moment>,
    /// What it found, once it is shown: `holds`, `does-not-load`, `other-base` or `not-reproduced`.
    pub finding: Option<String>,
    /// When it showed its finding.
    pub revealed: Option<Moment>,
    /// Plancks that it was paid for it.
    pub paid: Option<String>,
}

/// A dispute about a job's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dispute {
    /// The job.
    pub job: u64,
    /// `drawing` until workers are drawn, `hashes` while the hashes of findings are shown, `findings` while
    /// findings are, and `settled`.
    pub state: String,
    /// Who disputes the result.
    pub disputer: String,
    /// Plancks that it put at stake.
    pub bond: String,
    /// When.
    pub opened: Moment,
    /// Block at whose start workers are drawn.
    pub draw_at: u32,
    /// Last block for hashes, once workers are drawn: as many as were given, or that of the third hash.
    pub commit_by: Option<u32>,
    /// Those drawn.
    pub verifiers: Vec<Verifier>,
    /// How it ended: `upheld`, `rejected` or `no-quorum`.
    pub outcome: Option<String>,
    /// Plancks that the worker lost, where it was upheld.
    pub penalty: Option<String>,
    /// Plancks of the bond that went back to who disputed.
    pub returned: Option<String>,
    /// When it ended.
    pub settled: Option<Moment>,
}

impl Dispute {
    /// What the events of a job tell of its last dispute, in their order; nothing if it was never disputed.
    /// `head` is the last block that they are known of.
    pub fn of(job: u64, events: &[Event], head: u32) -> Option<Self> {
        let mut dispute: Option<Self> = None;
        for event in events {
            let kind = event.kind.strip_prefix("Training.").unwrap_or_default();
            match (&mut dispute, kind) {
                // The owner's own comes after one of somebody else that came to nothing.
                (_, "JobDisputed") => dispute = Some(Self::opened(job, event)),
                (Some(dispute), kind) => dispute.goes_on(kind, event),
                _ => {}
            }
        }
        let mut dispute = dispute?;
        let shown = |of: fn(&Verifier) -> bool| dispute.verifiers.iter().filter(|v| of(v)).count();
        let committed = shown(|verifier| verifier.committed.is_some());
        let over = dispute.commit_by.is_some_and(|last| head >= last);
        let state = if dispute.settled.is_some() {
            "settled"
        } else if dispute.verifiers.is_empty() {
            "drawing"
        } else if over || committed == dispute.verifiers.len() {
            "findings"
        } else {
            "hashes"
        };
        dispute.state = state.to_owned();
        Some(dispute)
    }

    fn opened(job: u64, event: &Event) -> Self {
        Self {
            job,
            state: String::new(),
            disputer: text(event, "disputer"),
            bond: text(event, "bond"),
            opened: moment(event),
            draw_at: block(event, "drawAt"),
            commit_by: None,
            verifiers: Vec::new(),
            outcome: None,
            penalty: None,
            returned: None,
            settled: None,
        }
    }

    fn goes_on(&mut self, kind: &str, event: &Event) {
        match kind {
            // Those who could be drawn have no room yet.
            "JobDelayed" if self.verifiers.is_empty() => self.draw_at = block(event, "until"),
            "VerifiersDrawn" => {
                self.commit_by = Some(block(event, "commitBy"));
                let workers = event.fields.get("workers").and_then(Value::as_array);
                let names = workers.into_iter().flatten().filter_map(Value::as_str);
                let verifier = |worker: &str| Verifier {
                    worker: worker.to_owned(),
                    committed: None,
                    finding: None,
                    revealed: None,
                    paid: None,
                };
                self.verifiers = names.map(verifier).collect();
            }
            "FindingCommitted" => {
                if let Some(verifier) = self.verifier(event) {
                    verifier.committed = Some(moment(event));
                }
                // With the last one the time for findings begins.
                if self.verifiers.iter().all(|verifier| verifier.committed.is_some()) {
                    self.commit_by = Some(event.block);
                }
            }
            "FindingRevealed" => {
                if let Some(verifier) = self.verifier(event) {
                    verifier.finding = Some(text(event, "finding"));
                    verifier.revealed = Some(moment(event));
                }
            }
            "VerifierPaid" => {
                if let Some(verifier) = self.verifier(event) {
                    verifier.paid = Some(text(event, "pay"));
                }
            }
            "DisputeSettled" => {
                self.outcome = Some(text(event, "outcome"));
                self.penalty = Some(text(event, "penalty")).filter(|penalty| penalty != "0");
                self.returned = Some(text(event, "returned"));
                self.settled = Some(moment(event));
            }
            _ => {}
        }
    }

    fn verifier(&mut self, event: &Event) -> Option<&mut Verifier> {
        let who = event.fields.get("worker")?.as_str()?;
        self.verifiers.iter_mut().find(|verifier| verifier.worker == who)
    }
}

fn moment(event: &Event) -> Moment {
    Moment { block: event.block, time: event.time, extrinsic: event.extrinsic.clone() }
}

fn text(event: &Event, field: &str) -> String {
    event.fields.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn block(event: &Event, field: &str) -> u32 {
    let number = event.fields.get(field).and_then(Value::as_u64).unwrap_or_default();
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A job's dispute: who judges, what each has shown, and how it ended. It stays when the chain has
/// forgotten the job.
#[utoipa::path(get, path = "/v1/jobs/{id}/dispute", tag = "jobs", params(("id" = u64, Path)),
    responses((status = 200, body = Dispute), (status = 404, body = ErrorBody)))]
pub async fn one(
    State(index): State<Index>,
    Part(id): Part<u64>,
) -> Result<Json<Dispute>, ApiError> {
    let found = index.read(move |storage| {
        if storage.job(id)?.is_none() {
            return Ok(Err(format!("there is no job {id}")));
        }
        let head = storage.head()?.map_or(0, |head| head.number);
        let dispute = Dispute::of(id, &storage.timeline(id)?, head);
        Ok(dispute.ok_or_else(|| format!("job {id} was never disputed")))
    });
    found.await?.map(Json).map_err(ApiError::not_found)
}
