//! `/v1/fine_tuning/jobs`: trainings of a key, and how far they are.

use super::access::Asking;
use super::error::{ApiError, ErrorBody};
use super::fields::{self, Field};
use super::files::fine_tuning;
use super::fine_tuning::{Hyperparameters, JobRequest};
use super::json::{ApiRequest, Input, Json};
use super::pages::{Id, Page};
use super::App;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{json, Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;

/// What is to be trained.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateJob {
    /// The base model's name.
    model: String,
    /// The id of a file of JSON lines.
    #[schema(example = "file-0123456789abcdef01234567")]
    training_file: String,
    validation_file: Option<String>,
    /// `{type: supervised | dpo, supervised | dpo: {hyperparameters: {…}}}`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    method: Value,
    /// The older place of the same.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    hyperparameters: Value,
    suffix: Option<String>,
    seed: Option<u64>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

impl ApiRequest for CreateJob {
    const FIELDS: &'static [Field] = fields::FINE_TUNING;
}

/// Train an adapter on a file.
#[utoipa::path(
    post,
    path = "/v1/fine_tuning/jobs",
    tag = "Fine-tuning",
    request_body = CreateJob,
    responses(
        (status = 200, description = "The job, which waits for its turn", body = Object),
        (status = "4XX", description = "It is not right, or above a quota", body = ErrorBody),
    ),
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Input(asked, _share): Input<CreateJob>,
) -> Result<Json<Value>, ApiError> {
    fine_tuning(&app)?;
    if asked.model != app.base.name {
        return Err(ApiError::no_model(&asked.model));
    }
    let hyperparameters = Hyperparameters::parse(&asked.method, &asked.hyperparameters)?;
    hyperparameters.check(&app.model.config)?;
    let request = JobRequest {
        model: asked.model,
        training_file: asked.training_file,
        validation_file: asked.validation_file,
        hyperparameters,
        suffix: asked.suffix,
        seed: asked.seed,
        metadata: asked.metadata,
    };
    let owner = place.client().name.clone();
    // The file is copied, line by line.
    let made = tokio::task::spawn_blocking(move || {
        let tuning = fine_tuning(&app)?;
        Ok::<_, ApiError>(tuning.jobs.create(&owner, request, &tuning.files)?)
    });
    let job = made.await.map_err(|_| ApiError::internal("the job could not be made"))??;
    Ok(Json(job.shown()))
}

/// List the key's jobs, the newest first.
#[utoipa::path(
    get,
    path = "/v1/fine_tuning/jobs",
    tag = "Fine-tuning",
    params(
        ("after" = Option<String>, Query, description = "The id before the first"),
        ("limit" = Option<usize>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, description = "The jobs", body = Object)),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    page: Page,
) -> Result<Json<Value>, ApiError> {
    let jobs = fine_tuning(&app)?.jobs.list(&place.client().name);
    page.of(jobs.into_iter().map(|job| (job.id.clone(), job.shown())).collect(), 20, 100)
}

/// Describe a job.
#[utoipa::path(
    get,
    path = "/v1/fine_tuning/jobs/{id}",
    tag = "Fine-tuning",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job", body = Object),
        (status = 404, description = "The key has none of that id", body = ErrorBody),
    ),
)]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Id(id): Id,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(fine_tuning(&app)?.jobs.get(&place.client().name, &id)?.shown()))
}

/// End a job that waits or trains.
#[utoipa::path(
    post,
    path = "/v1/fine_tuning/jobs/{id}/cancel",
    tag = "Fine-tuning",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job", body = Object),
        (status = 404, description = "The key has none of that id", body = ErrorBody),
        (status = 409, description = "It has ended", body = ErrorBody),
    ),
)]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Id(id): Id,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(fine_tuning(&app)?.jobs.cancel(&place.client().name, &id)?.shown()))
}

/// What has happened to a job, the newest first.
#[utoipa::path(
    get,
    path = "/v1/fine_tuning/jobs/{id}/events",
    tag = "Fine-tuning",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("after" = Option<String>, Query, description = "The event before the first"),
        ("limit" = Option<usize>, Query, description = "1 to 1000, 20 by default"),
    ),
    responses(
        (status = 200, description = "The events", body = Object),
        (status = 404, description = "The key has none of that id", body = ErrorBody),
    ),
)]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Id(id): Id,
    page: Page,
) -> Result<Json<Value>, ApiError> {
    let events = fine_tuning(&app)?.jobs.events(&place.client().name, &id)?;
    page.of(events.iter().map(|event| (event.id().to_owned(), json!(event))).collect(), 20, 1_000)
}
