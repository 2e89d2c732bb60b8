//! `GET /v1/submissions`, `GET /v1/submissions/{id}`, and those of one Datanet

use super::types::{Page, Submission, SubmissionDetail};
use super::{account, board::Pages, datanets::require, one_of, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::storage::SubmissionQuery;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;

const STATES: [&str; 4] = ["pending", "accepted", "rejected", "withdrawn"];

/// Which submissions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct List {
    /// `pending`, `accepted`, `rejected` or `withdrawn`.
    state: Option<String>,
    /// Who gave them.
    contributor: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

async fn listed(
    index: &Index,
    datanet: Option<u32>,
    query: List,
) -> Result<Page<Submission>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    let contributor = query.contributor.map(|text| account("contributor", &text)).transpose()?;
    let wanted = SubmissionQuery {
        datanet,
        contributor: contributor.map(|contributor| contributor.to_string()),
        state: one_of("state", query.state, &STATES)?,
    };
    index.read(move |storage| storage.submissions(&wanted, &page)).await
}

/// Submissions of all Datanets, newest first.
#[utoipa::path(get, path = "/v1/submissions", tag = "submissions", params(List), responses(
    (status = 200, body = Page<Submission>), (status = 400, body = ErrorBody)
))]
pub async fn list(
    State(index): State<Index>,
    Query(query): Query<List>,
) -> Result<Json<Page<Submission>>, ApiError> {
    listed(&index, None, query).await.map(Json)
}

/// A Datanet's submissions, newest first.
#[utoipa::path(get, path = "/v1/datanets/{id}/submissions", tag = "datanets",
    params(("id" = u32, Path), List), responses(
    (status = 200, body = Page<Submission>), (status = 400, body = ErrorBody),
    (status = 404, body = ErrorBody)
))]
pub async fn of_datanet(
    State(index): State<Index>,
    Part(id): Part<u32>,
    Query(query): Query<List>,
) -> Result<Json<Page<Submission>>, ApiError> {
    require(&index, id).await?;
    listed(&index, Some(id), query).await.map(Json)
}

/// A Datanet's decided submissions with reasons and points, the latest decision first.
#[utoipa::path(get, path = "/v1/datanets/{id}/verdicts", tag = "datanets",
    params(("id" = u32, Path), Pages), responses(
    (status = 200, body = Page<Submission>), (status = 400, body = ErrorBody),
    (status = 404, body = ErrorBody)
))]
pub async fn verdicts(
    State(index): State<Index>,
    Part(id): Part<u32>,
    Query(query): Query<Pages>,
) -> Result<Json<Page<Submission>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    require(&index, id).await?;
    Ok(Json(index.read(move |storage| storage.verdicts(id, &page)).await?))
}

/// A submission with its whole history.
#[utoipa::path(get, path = "/v1/submissions/{id}", tag = "submissions", params(("id" = u64, Path)),
    responses((status = 200, body = SubmissionDetail), (status = 404, body = ErrorBody)))]
pub async fn one(
    State(index): State<Index>,
    Part(id): Part<u64>,
) -> Result<Json<SubmissionDetail>, ApiError> {
    let found = index.read(move |storage| storage.submission(id)).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no submission {id}")))
}
