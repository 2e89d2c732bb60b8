//! `GET /v1/network`

use super::types::Event;
use crate::error::{ApiError, ErrorBody};
use crate::index::storage::{EventQuery, PageQuery};
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use openledger_client::ClientError;
use serde::Serialize;
use std::future::Future;
use std::time::Duration;
use utoipa::ToSchema;

/// Time that the node has for an answer.
const NODE_TIME: Duration = Duration::from_secs(5);
/// Events that are shown.
const RECENT: u32 = 20;

/// What the node answers, within a time.
pub(crate) async fn asked<T>(
    asked: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ApiError> {
    match tokio::time::timeout(NODE_TIME, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(ApiError::unavailable(5, "the node did not answer within 5 s")),
    }
}

/// The network as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Validators of this session.
    validators: Vec<String>,
    /// The best block.
    best: u32,
    /// The last final block.
    finalised: u32,
    /// Peers of the node.
    peers: u64,
    /// All OPEN, in plancks.
    issuance: String,
    /// The current reward period.
    period: u32,
    /// First block of the next.
    next_period_at: u32,
    /// What happened lately, newest first.
    recent: Vec<Event>,
}

/// Validators, finality, issuance, and what happened lately.
#[utoipa::path(get, path = "/v1/network", tag = "network", responses(
    (status = 200, body = Network), (status = 503, body = ErrorBody)
))]
pub async fn network(State(index): State<Index>) -> Result<Json<Network>, ApiError> {
    let node = index.node()?;
    let status = asked(node.status()).await?;
    let validators = asked(node.validators()).await?;
    let issuance = asked(node.issuance()).await?;
    let (period, next_period_at) = asked(node.period()).await?;
    let page = PageQuery { cursor: None, limit: RECENT };
    let recent = index.read(move |storage| storage.events(&EventQuery::default(), &page)).await?;
    Ok(Json(Network {
        validators: validators.iter().map(ToString::to_string).collect(),
        best: status.block,
        finalised: status.finalised,
        peers: status.peers,
        issuance: issuance.to_string(),
        period,
        next_period_at,
        recent: recent.items,
    }))
}
