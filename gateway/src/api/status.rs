//! `GET /v1/status`

use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// How far node and index are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// The node's best block; null where the node does not answer.
    pub best: Option<u32>,
    /// The last block that the node says is final.
    pub finalised: u32,
    /// The last block that is indexed; null before the first.
    pub indexed: Option<u32>,
    /// Time of the last indexed block.
    pub time: Option<u64>,
    /// Peers of the node; null where it does not answer.
    pub peers: Option<u64>,
    /// Whether blocks are final that are not indexed yet.
    pub syncing: bool,
    /// Why indexing ended for good, if it did: what is shown is the past.
    pub stopped: Option<String>,
    /// Why nothing is indexed at the moment, where something is in the way that may pass: a full disk, a node that
    /// is behind what is indexed.
    pub trouble: Option<String>,
}

/// How far node and index are.
#[utoipa::path(get, path = "/v1/status", tag = "network", responses((status = 200, body = Status)))]
pub async fn status(State(index): State<Index>) -> Json<Status> {
    let progress = index.progress().borrow().clone();
    let node = index.pulse().now();
    let head = progress.head.as_ref();
    Json(Status {
        best: node.map(|node| node.best),
        finalised: progress.finalised,
        indexed: head.map(|head| head.number),
        time: head.map(|head| head.time),
        peers: node.map(|node| node.peers),
        syncing: head.is_none_or(|head| head.number < progress.finalised),
        stopped: progress.stopped,
        trouble: progress.trouble,
    })
}
