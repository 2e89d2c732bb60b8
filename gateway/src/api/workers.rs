//! `GET /v1/workers` and `GET /v1/workers/{account}`

use super::types::{Page, Worker};
use super::{account, board::Pages, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::Index;
use axum::extract::State;
use axum::Json;

/// Workers by account, those that left too.
#[utoipa::path(get, path = "/v1/workers", tag = "jobs", params(Pages), responses(
    (status = 200, body = Page<Worker>), (status = 400, body = ErrorBody)
))]
pub async fn list(
    State(index): State<Index>,
    Query(query): Query<Pages>,
) -> Result<Json<Page<Worker>>, ApiError> {
    let mut page = page(query.cursor, query.limit)?;
    // This list's cursor is an account.
    page.cursor = match page.cursor {
        Some(cursor) => Some(account("cursor", &cursor)?.to_string()),
        None => None,
    };
    Ok(Json(index.read(move |storage| storage.workers(&page)).await?))
}

/// A worker.
#[utoipa::path(get, path = "/v1/workers/{account}", tag = "jobs", params(("account" = String, Path)),
    responses((status = 200, body = Worker), (status = 404, body = ErrorBody)))]
pub async fn one(
    State(index): State<Index>,
    Part(text): Part<String>,
) -> Result<Json<Worker>, ApiError> {
    let who = account("account", &text)?;
    let found = index.read(move |storage| storage.worker(&who)).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("{who} was never a worker")))
}
