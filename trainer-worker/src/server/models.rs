//! `GET /v1/models` and `GET /v1/models/{id}`.

use super::access::Asking;
use super::error::{ApiError, ErrorBody, INVALID};
use super::files::fine_tuning;
use super::json::Json;
use super::names::{self, Identity};
use super::pages::Id;
use super::App;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelEntry {
    id: String,
    object: &'static str,
    /// When the base was written, in seconds since 1970.
    created: u64,
    owned_by: &'static str,
    /// Most tokens of prompt and answer together.
    context_length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    openledger: Option<Identity>,
}

/// The models that are known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelList {
    object: &'static str,
    data: Vec<ModelEntry>,
}

fn entry(app: &App, id: String, openledger: Option<Identity>) -> ModelEntry {
    ModelEntry {
        id,
        object: "model",
        created: app.base.created,
        owned_by: "openledger",
        context_length: app.model.config.max_position_embeddings.min(app.limits.context),
        openledger,
    }
}

/// List the models. Adapters of the chain are found by their number, and not listed.
#[utoipa::path(
    get,
    path = "/v1/models",
    tag = "OpenAI",
    responses((status = 200, description = "The base, and its adapters", body = ModelList)),
)]
pub(super) async fn list(State(app): State<Arc<App>>, Asking(place): Asking) -> Json<ModelList> {
    let names = names::all(&app.base, &*app.adapters).into_iter();
    let mut data: Vec<ModelEntry> = names.map(|id| entry(&app, id, None)).collect();
    if let Some(tuning) = &app.fine_tuning {
        let own = tuning.jobs.models(&place.client().name).into_iter();
        data.extend(own.map(|(id, created)| ModelEntry { created, ..entry(&app, id, None) }));
    }
    Json(ModelList { object: "list", data })
}

/// Describe a model. An adapter is loaded for it.
#[utoipa::path(
    get,
    path = "/v1/models/{id}",
    tag = "OpenAI",
    params(("id" = String, Path, description = "A model's name")),
    responses(
        (status = 200, description = "What it is", body = ModelEntry),
        (status = 404, description = "There is none of that name", body = ErrorBody),
    ),
)]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Id(id): Id,
) -> Result<Json<ModelEntry>, ApiError> {
    let chosen = names::choose(&app, &place.client().name, &id).await?;
    Ok(Json(entry(&app, chosen.name, Some(chosen.identity))))
}

/// Delete a model that the key fine-tuned here.
#[utoipa::path(
    delete,
    path = "/v1/models/{id}",
    tag = "Fine-tuning",
    params(("id" = String, Path, description = "The model's name")),
    responses(
        (status = 200, description = "It is gone", body = Object),
        (status = 404, description = "The key has none of that name", body = ErrorBody),
    ),
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Id(id): Id,
) -> Result<Json<serde_json::Value>, ApiError> {
    let jobs = &fine_tuning(&app)?.jobs;
    if names::all(&app.base, &*app.adapters).contains(&id) {
        let message =
            format!("{id} is the server's own: only models that a key fine-tuned here are deleted");
        return Err(ApiError::new(StatusCode::FORBIDDEN, INVALID, "model_not_deletable", message)
            .with_param("model"));
    }
    jobs.delete_model(&place.client().name, &id)?;
    Ok(Json(serde_json::json!({ "id": id, "object": "model", "deleted": true })))
}
