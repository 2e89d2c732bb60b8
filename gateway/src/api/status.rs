//! `GET /v1/status`

use crate::error::ApiError;
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
}

/// How far node and index are.
#[utoipa::path(get, path = "/v1/status", tag = "network", responses((status = 200, body = Status)))]
pub async fn status(State(index): State<Index>) -> Result<Json<Status>, ApiError> {
    let progress = index.progress().borrow().clone();
    let asked = match index.node() {
        Ok(node) => tokio::time::timeout(super::network::NODE_TIME, node.status()).await,
        Err(_) => Ok(Err(openledger_client::ClientError::Answer {
            what: "the node".to_owned(),
            reason: "there is none".to_owned(),
        })),
    };
    let node = asked.ok().and_then(Result::ok);
    let head = progress.head.as_ref();
    Ok(Json(Status {
        best: node.as_ref().map(|node| node.block),
        finalised: progress.finalised,
        indexed: head.map(|head| head.number),
        time: head.map(|head| head.time),
        peers: node.as_ref().map(|node| node.peers),
        syncing: head.is_none_or(|head| head.number < progress.finalised),
        stopped: progress.stopped,
    }))
}
