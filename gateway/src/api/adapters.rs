//! `GET /v1/adapters` and `GET /v1/adapters/{id}`

use super::types::{Adapter, Page};
use super::{account, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which adapters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct List {
    /// Who paid for them.
    owner: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Adapters, newest first.
#[utoipa::path(get, path = "/v1/adapters", tag = "jobs", params(List), responses(
    (status = 200, body = Page<Adapter>), (status = 400, body = ErrorBody)
))]
pub async fn list(
    State(index): State<Index>,
    Query(query): Query<List>,
) -> Result<Json<Page<Adapter>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    let owner = query.owner.map(|owner| account("owner", &owner)).transpose()?;
    Ok(Json(index.read(move |storage| storage.adapters(owner.as_ref(), &page)).await?))
}

/// An adapter: content id, hash, parent, losses, and what it was trained on.
#[utoipa::path(get, path = "/v1/adapters/{id}", tag = "jobs", params(("id" = u64, Path)),
    responses((status = 200, body = Adapter), (status = 404, body = ErrorBody)))]
pub async fn one(
    State(index): State<Index>,
    Part(id): Part<u64>,
) -> Result<Json<Adapter>, ApiError> {
    require(&index, id).await.map(Json)
}

/// An adapter, or 404.
pub(super) async fn require(index: &Index, id: u64) -> Result<Adapter, ApiError> {
    let found = index.read(move |storage| storage.adapter(id)).await?;
    found.ok_or_else(|| {
        ApiError::not_found(format!(
            "there is no adapter {id}; an adapter has its job's number once the job is completed"
        ))
    })
}
