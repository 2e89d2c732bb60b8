//! `GET /v1/models` and `GET /v1/models/{id}`

use super::types::{BaseModel, Page};
use super::{board::Pages, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::Index;
use axum::extract::State;
use axum::Json;

/// Base models by number.
#[utoipa::path(get, path = "/v1/models", tag = "jobs", params(Pages), responses(
    (status = 200, body = Page<BaseModel>), (status = 400, body = ErrorBody)
))]
pub async fn list(
    State(index): State<Index>,
    Query(query): Query<Pages>,
) -> Result<Json<Page<BaseModel>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    Ok(Json(index.read(move |storage| storage.base_models(&page)).await?))
}

/// A base model.
#[utoipa::path(get, path = "/v1/models/{id}", tag = "jobs", params(("id" = u32, Path)),
    responses((status = 200, body = BaseModel), (status = 404, body = ErrorBody)))]
pub async fn one(
    State(index): State<Index>,
    Part(id): Part<u32>,
) -> Result<Json<BaseModel>, ApiError> {
    let found = index.read(move |storage| storage.base_model(id)).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no base model {id}")))
}
