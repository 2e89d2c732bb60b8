//! `GET /v1/jobs` and `GET /v1/jobs/{id}`

use super::types::{Job, JobDetail, Page};
use super::{account, one_of, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::storage::JobQuery;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;

const STATES: [&str; 8] =
    ["queued", "assigned", "training", "submitted", "disputed", "completed", "failed", "cancelled"];

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct List {
    /// Who pays.
    owner: Option<String>,
    /// `queued`, `assigned`, `training`, `submitted`, `disputed`, `completed`, `failed` or `cancelled`.
    state: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(List), responses(
    (status = 200, body = Page<Job>), (status = 400, body = ErrorBody)
))]
pub async fn list(
    State(index): State<Index>,
    Query(query): Query<List>,
) -> Result<Json<Page<Job>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    let owner = query.owner.map(|owner| account("owner", &owner)).transpose()?;
    let wanted = JobQuery {
        owner: owner.map(|owner| owner.to_string()),
        state: one_of("state", query.state, &STATES)?,
    };
    Ok(Json(index.read(move |storage| storage.jobs(&wanted, &page)).await?))
}

/// A job with its settings from the chain and everything that happened to it. Of signs of life the
/// timeline holds none: the job has the last.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = u64, Path)),
    responses((status = 200, body = JobDetail), (status = 404, body = ErrorBody)))]
pub async fn one(
    State(index): State<Index>,
    Part(id): Part<u64>,
) -> Result<Json<JobDetail>, ApiError> {
    let found = index.read(move |storage| match storage.job(id)? {
        Some(job) => Ok(Some(JobDetail { job, timeline: storage.timeline(id)? })),
        None => Ok(None),
    });
    let found = found.await?;
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no job {id}")))
}
