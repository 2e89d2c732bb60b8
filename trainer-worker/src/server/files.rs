//! `/v1/files`: what a key uploads to be trained on.

use super::access::Asking;
use super::error::{ApiError, ErrorBody, INVALID};
use super::fine_tuning::{FileStore, FineTuningError, Purpose};
use super::json::Json;
use super::pages::{Id, Page};
use super::{App, FineTuning};
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, State};
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::Response;
use futures::stream;
use serde_json::{json, Value};
use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

/// Longest value of a field beside the file.
const MAX_FIELD: usize = 1 << 10;
/// The slowest that a file may come, in bytes a second.
const SLOWEST: u64 = 8 << 10;
/// Bytes of a file that are read and sent at a time.
const PIECE: usize = 64 << 10;

/// The parts of an app that files need.
pub(super) fn fine_tuning(app: &App) -> Result<&FineTuning, ApiError> {
    app.fine_tuning.as_ref().ok_or_else(|| {
        let message = "this server does not train; its operator can start it with --training";
        ApiError::new(StatusCode::NOT_FOUND, INVALID, "training_disabled", message)
    })
}

impl From<FineTuningError> for ApiError {
    fn from(error: FineTuningError) -> Self {
        let status = StatusCode::from_u16(error.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            // Where things lie on the server is its operator's.
            tracing::error!(%error, "fine-tuning");
            return Self::internal("the server's disk failed; its operator's log says more");
        }
        let refused = Self::new(status, INVALID, error.code(), error.to_string());
        match error.param() {
            Some(param) => refused.with_param(param),
            None => refused,
        }
    }
}

fn broken(error: MultipartError) -> ApiError {
    ApiError::invalid("invalid_body", format!("the form cannot be read: {}", error.body_text()))
}

/// Upload a file of JSON lines to be trained on.
#[utoipa::path(
    post,
    path = "/v1/files",
    tag = "Fine-tuning",
    request_body(
        content_type = "multipart/form-data",
        description = "`purpose` (fine-tune) and `file`",
        content = Object,
    ),
    responses(
        (status = 200, description = "The file", body = Object),
        (status = "4XX", description = "It is not right, or above a quota", body = ErrorBody),
    ),
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Json<Value>, ApiError> {
    let files = &fine_tuning(&app)?.files;
    let mut form = form.map_err(|error| {
        let message = format!("send a form of type multipart/form-data: {}", error.body_text());
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        ApiError::new(status, INVALID, "unsupported_media_type", message)
    })?;
    let owner = &place.client().name;
    // Nothing is written for a key that has no room for anything.
    files.admit(owner, 1)?;
    let mut under_way = app.uploads.share_of(place.client().number);
    under_way.grow(1).map_err(|_| {
        let message =
            "as many files are being uploaded as may be at one time; try again when one has come";
        ApiError::unavailable("overloaded", 5, message)
    })?;
    let time = app.limits.request_time;
    let mut pace = Pace::new(app.limits.body_time);
    let received = tokio::time::timeout(time, receive(&mut form, files, &mut pace)).await;
    let (file, name) = received
        .map_err(|_| late(format!("the file did not come within {} s", time.as_secs())))??;
    let (app, owner) = (app.clone(), owner.clone());
    let kept = tokio::task::spawn_blocking(move || {
        let files = &fine_tuning(&app)?.files;
        Ok::<_, ApiError>(files.keep(&owner, file, &name, Purpose::FineTune)?)
    });
    let kept = kept.await.map_err(|_| ApiError::internal("the file could not be kept"))??;
    Ok(Json(kept.shown()))
}

fn late(message: String) -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, INVALID, "request_timeout", message)
}

/// How fast an upload has to come: something within each `time`, and [`SLOWEST`] beyond the first.
struct Pace {
    time: Duration,
    began: Instant,
    bytes: u64,
}

impl Pace {
    fn new(time: Duration) -> Self {
        Self { time, began: Instant::now(), bytes: 0 }
    }

    /// Waits for what comes next.
    async fn next<T>(
        &self,
        next: impl Future<Output = Result<T, MultipartError>>,
    ) -> Result<T, ApiError> {
        let silent = Instant::now() + self.time;
        let slow = self.began + self.time + Duration::from_secs(self.bytes / SLOWEST);
        let came = tokio::time::timeout_at(silent.min(slow), next).await;
        let stalled = |_| {
            late(format!(
                "the upload stalled: nothing came for {} s, or less than {SLOWEST} bytes a second",
                self.time.as_secs()
            ))
        };
        came.map_err(stalled)?.map_err(broken)
    }
}

async fn receive(
    form: &mut Multipart,
    files: &FileStore,
    pace: &mut Pace,
) -> Result<(tempfile::NamedTempFile, String), ApiError> {
    let (mut purpose, mut file) = (None, None);
    while let Some(field) = pace.next(form.next_field()).await? {
        match field.name() {
            Some("purpose") => purpose = Some(text(field, pace).await?),
            Some("file") if file.is_none() => file = Some(save(field, files, pace).await?),
            Some("file") => return Err(ApiError::field("file", "one file a request")),
            // `expires_after[seconds]` and `expires_after[anchor]`.
            Some(name) if name.starts_with("expires_after") => {
                let message = "expires_after is not supported: files stay until they are deleted";
                return Err(ApiError::unsupported("expires_after", message));
            }
            _ => drop(text(field, pace).await?),
        }
    }
    match purpose.as_deref() {
        Some("fine-tune") => {}
        Some(other) => {
            let shown: String = other.chars().take(50).collect();
            let message = format!("purpose is {shown:?}; files here are for fine-tune");
            return Err(ApiError::field("purpose", message));
        }
        None => return Err(ApiError::field("purpose", "purpose is missing; it is fine-tune")),
    }
    file.ok_or_else(|| ApiError::field("file", "the form has no file"))
}

async fn text(mut field: Field<'_>, pace: &mut Pace) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = pace.next(field.chunk()).await? {
        pace.bytes += piece.len() as u64;
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_FIELD {
            let message = format!("a field of the form is longer than {MAX_FIELD} bytes");
            return Err(ApiError::invalid("invalid_body", message));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn save(
    mut field: Field<'_>,
    files: &FileStore,
    pace: &mut Pace,
) -> Result<(tempfile::NamedTempFile, String), ApiError> {
    let name = field.file_name().unwrap_or_default().to_owned();
    let mut file = files.receive()?;
    let (mut bytes, limit) = (0, files.file_limit());
    while let Some(piece) = pace.next(field.chunk()).await? {
        pace.bytes += piece.len() as u64;
        bytes += piece.len() as u64;
        if bytes > limit {
            let message = format!("the file is larger than {limit} bytes, the most that is kept");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(
                ApiError::new(status, INVALID, "file_too_large", message).with_param("file")
            );
        }
        // Pieces are small, and go to the system's cache.
        file.write_all(&piece)
            .map_err(|error| ApiError::internal(format!("the file cannot be written: {error}")))?;
    }
    Ok((file, name))
}

/// List the key's files.
#[utoipa::path(
    get,
    path = "/v1/files",
    tag = "Fine-tuning",
    params(
        ("purpose" = Option<String>, Query, description = "Only these"),
        ("after" = Option<String>, Query, description = "The id before the first"),
        ("limit" = Option<usize>, Query, description = "1 to 10000, the default"),
        ("order" = Option<String>, Query, description = "`desc`, the newest first, or `asc`"),
    ),
    responses((status = 200, description = "The files", body = Object)),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    page: Page,
) -> Result<Json<Value>, ApiError> {
    let mut files: Vec<(String, Value)> = fine_tuning(&app)?
        .files
        .list(&place.client().name)
        .into_iter()
        .map(|file| (file.id.clone(), file.shown()))
        .filter(|(_, file)| page.field("purpose").is_none_or(|p| file["purpose"] == p))
        .collect();
    match page.field("order") {
        None | Some("desc") => {}
        Some("asc") => files.reverse(),
        Some(_) => return Err(ApiError::field("order", "order is asc or desc")),
    }
    page.of(files, 10_000, 10_000)
}

/// Describe a file.
#[utoipa::path(
    get,
    path = "/v1/files/{id}",
    tag = "Fine-tuning",
    params(("id" = String, Path, description = "The file's id")),
    responses(
        (status = 200, description = "The file", body = Object),
        (status = 404, description = "The key has none of that id", body = ErrorBody),
    ),
)]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Id(id): Id,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(fine_tuning(&app)?.files.get(&place.client().name, &id)?.shown()))
}

/// Fetch a file's bytes.
#[utoipa::path(
    get,
    path = "/v1/files/{id}/content",
    tag = "Fine-tuning",
    params(("id" = String, Path, description = "The file's id")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 404, description = "The key has none of that id", body = ErrorBody),
    ),
)]
pub(super) async fn content(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let files = &fine_tuning(&app)?.files;
    let file = files.get(&place.client().name, &id)?;
    let opened = tokio::fs::File::open(files.path(&file.id)).await;
    let opened =
        opened.map_err(|error| ApiError::internal(format!("the file cannot be read: {error}")))?;
    // The place is held until the last byte is sent.
    let pieces = stream::try_unfold((opened, place), |(mut file, place)| async move {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((piece, (file, place))))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.bytes));
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    // Whatever a file says, a browser neither guesses at it nor runs it.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}

/// Delete a file. Jobs that were made of it keep a copy of their own.
#[utoipa::path(
    delete,
    path = "/v1/files/{id}",
    tag = "Fine-tuning",
    params(("id" = String, Path, description = "The file's id")),
    responses(
        (status = 200, description = "It is gone", body = Object),
        (status = 404, description = "The key has none of that id", body = ErrorBody),
    ),
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Id(id): Id,
) -> Result<Json<Value>, ApiError> {
    fine_tuning(&app)?.files.delete(&place.client().name, &id)?;
    Ok(Json(json!({ "id": id, "object": "file", "deleted": true })))
}
