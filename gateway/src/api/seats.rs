//! `GET /v1/accounts/{account}/seats` and `GET /v1/accounts/{account}/settlements`

use super::board::Pages;
use super::draws::{SeatPool, Settlement};
use super::types::Page;
use super::{account as parse, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account's seats in one pool, as they were when bonded, given up, paid back or charged last. How many can be
/// drawn, and whether those given up have left, the chain says (`CommitteeApi_seats`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatHolding {
    /// The pool.
    pub pool: SeatPool,
    /// Seats that are, or are about to be, in the pool.
    pub seats: u32,
    /// Seats that leave it, or have left and wait to be paid back.
    pub leaving: u32,
    /// Plancks bonded for all of them, less what was lost.
    pub held: String,
}

/// A reviewer: its seats, and what they brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reviewer {
    /// Its seats, pool by pool; also those of pools that it has left.
    pub seats: Vec<SeatHolding>,
    /// Committees that it was drawn for.
    pub drawn: u64,
    /// Of those, how many it revealed its words in.
    pub revealed: u64,
    /// Plancks that it was paid, rewards of challenges included.
    pub earned: String,
    /// Plancks that its seats lost.
    pub lost: String,
}

/// An account's seats, and what judging brought and cost it.
#[utoipa::path(get, path = "/v1/accounts/{account}/seats", tag = "committees",
    params(("account" = String, Path)), responses(
    (status = 200, body = Reviewer), (status = 400, body = ErrorBody)
))]
pub async fn seats(
    State(index): State<Index>,
    Part(text): Part<String>,
) -> Result<Json<Reviewer>, ApiError> {
    let who = parse("account", &text)?;
    Ok(Json(index.read(move |storage| storage.reviewer(&who)).await?))
}

/// What an account was paid and lost for verdicts, and why, newest first.
#[utoipa::path(get, path = "/v1/accounts/{account}/settlements", tag = "committees",
    params(("account" = String, Path), Pages), responses(
    (status = 200, body = Page<Settlement>), (status = 400, body = ErrorBody)
))]
pub async fn settlements(
    State(index): State<Index>,
    Part(text): Part<String>,
    Query(query): Query<Pages>,
) -> Result<Json<Page<Settlement>>, ApiError> {
    let who = parse("account", &text)?;
    let page = page(query.cursor, query.limit)?;
    Ok(Json(index.read(move |storage| storage.settlements(&who, &page)).await?))
}
