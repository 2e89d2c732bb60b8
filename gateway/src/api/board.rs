//! `GET /v1/datanets/{id}/board` and `GET /v1/datanets/{id}/periods`

use super::types::{BoardEntry, Page, Period};
use super::{datanets::require, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which board.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Board {
    /// `all`, or the number of a period.
    pub(crate) period: Option<String>,
    /// Only this account's line, wherever it stands; no line where it has no points on this board.
    pub(crate) account: Option<String>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) limit: Option<u32>,
}

/// Reads `all` and the number of a period.
pub(super) fn period(text: Option<&str>) -> Result<Option<u32>, ApiError> {
    match text {
        None | Some("all") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            let shown: String = text.chars().take(80).collect();
            ApiError::field("period", format!("{shown:?} is neither `all` nor a period's number"))
        }),
    }
}

/// A Datanet's board by points: of all time, or of one period.
#[utoipa::path(get, path = "/v1/datanets/{id}/board", tag = "datanets",
    params(("id" = u32, Path), Board), responses(
    (status = 200, body = Page<BoardEntry>), (status = 400, body = ErrorBody),
    (status = 404, body = ErrorBody)
))]
pub async fn board(
    State(index): State<Index>,
    Part(id): Part<u32>,
    Query(query): Query<Board>,
) -> Result<Json<Page<BoardEntry>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    let period = period(query.period.as_deref())?;
    let account = query.account.map(|text| super::account("account", &text)).transpose()?;
    require(&index, id).await?;
    let Some(account) = account else {
        return Ok(Json(index.read(move |storage| storage.board(id, period, &page)).await?));
    };
    let found = index.read(move |storage| storage.board_entry(id, period, &account)).await?;
    Ok(Json(Page { items: found.into_iter().collect(), next: None }))
}

/// A page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Pages {
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// A Datanet's ended periods with points and rate, the latest first.
#[utoipa::path(get, path = "/v1/datanets/{id}/periods", tag = "datanets",
    params(("id" = u32, Path), Pages), responses(
    (status = 200, body = Page<Period>), (status = 400, body = ErrorBody),
    (status = 404, body = ErrorBody)
))]
pub async fn periods(
    State(index): State<Index>,
    Part(id): Part<u32>,
    Query(query): Query<Pages>,
) -> Result<Json<Page<Period>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    require(&index, id).await?;
    Ok(Json(index.read(move |storage| storage.periods(id, &page)).await?))
}
