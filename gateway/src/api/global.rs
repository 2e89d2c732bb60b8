//! `GET /v1/board` and `GET /v1/board/periods`: the board over all Datanets.

use super::board::{period, Board, Pages};
use super::page;
use super::types::Page;
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// A line of the board over all Datanets: what committees drawn from a modality's large pools accepted.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GlobalEntry {
    /// Its place, from 1.
    pub rank: u64,
    /// Who.
    pub account: String,
    /// Points.
    pub points: String,
    /// Its part of all points of this board, from 0 to 1.
    pub share: f64,
    /// Acceptance number that brought the last points; of equal points the earlier ranks first.
    pub sequence: u64,
    /// Files that earned them.
    pub files: u64,
}

/// A period in which points were earned that count over all Datanets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GlobalPeriod {
    /// Its number.
    pub period: u32,
    /// Points earned in it.
    pub points: String,
}

/// The board over all Datanets by points: of all time, or of one period.
#[utoipa::path(get, path = "/v1/board", tag = "committees", params(Board), responses(
    (status = 200, body = Page<GlobalEntry>), (status = 400, body = ErrorBody)
))]
pub async fn board(
    State(index): State<Index>,
    Query(query): Query<Board>,
) -> Result<Json<Page<GlobalEntry>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    let period = period(query.period.as_deref())?;
    let account = query.account.map(|text| super::account("account", &text)).transpose()?;
    let Some(account) = account else {
        return Ok(Json(index.read(move |storage| storage.global_board(period, &page)).await?));
    };
    let found = index.read(move |storage| storage.global_entry(period, &account)).await?;
    Ok(Json(Page { items: found.into_iter().collect(), next: None }))
}

/// Periods with points over all Datanets, the latest first; the one that lasts included.
#[utoipa::path(get, path = "/v1/board/periods", tag = "committees", params(Pages), responses(
    (status = 200, body = Page<GlobalPeriod>), (status = 400, body = ErrorBody)
))]
pub async fn periods(
    State(index): State<Index>,
    Query(query): Query<Pages>,
) -> Result<Json<Page<GlobalPeriod>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    Ok(Json(index.read(move |storage| storage.global_periods(&page)).await?))
}
