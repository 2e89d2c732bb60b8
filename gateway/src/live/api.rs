//! Taking metrics, and reading them.

use super::{Attempt, Kept, Live, Signed, StoreError, Taken};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{small, Path, Query};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use openledger_client::metrics::{
    Address, Batch, ACCOUNT_HEADER, MAX_BODY, NUMBER_HEADER, SIGNATURE_HEADER,
};
use openledger_primitives::JobId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Entries of a page, at most.
const MAX_PAGE: u32 = 1_000;
/// Entries of a page where nothing is said.
const PAGE: u32 = 500;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Sqlite(error) => Self::database("keeping metrics", error),
            error => Self::internal("keeping metrics", error),
        }
    }
}

/// Runs what waits for the disk on a thread that may wait.
pub(super) async fn on_disk<T: Send + 'static>(
    live: &Live,
    work: impl FnOnce(&super::Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let live = live.clone();
    let done = tokio::task::spawn_blocking(move || work(live.store())).await;
    done.map_err(|error| ApiError::internal("keeping metrics", &error))?.map_err(ApiError::from)
}

/// A batch that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenAnswer {
    /// The number of the next batch.
    pub next: u64,
}

/// Metrics of a job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsAnswer {
    /// `worker`: these are its words.
    pub reported_by: &'static str,
    /// The attempts that something is kept of.
    pub attempts: Vec<Attempt>,
    /// In the order in which they came. A step that is told again after `resumed` takes the earlier
    /// one's place.
    pub items: Vec<Kept>,
    /// For `after`, where there may be more now.
    pub next: Option<u64>,
}

/// Where a page begins.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MetricsQuery {
    /// Entries after this number.
    pub after: Option<u64>,
    /// Of this attempt only.
    pub attempt: Option<u8>,
    /// At most so many (500; 1000 at most).
    pub limit: Option<u32>,
}

fn header<T>(
    headers: &HeaderMap,
    name: &'static str,
    what: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ApiError> {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).and_then(read);
    value.ok_or_else(|| ApiError::field(name, format!("the header {name} is {what}")))
}

fn signed(headers: &HeaderMap) -> Result<Signed, ApiError> {
    Ok(Signed {
        number: header(headers, NUMBER_HEADER, "the batch's number", |text| text.parse().ok())?,
        account: header(headers, ACCOUNT_HEADER, "the account that signed, SS58", |text| {
            text.parse().ok()
        })?,
        signature: header(headers, SIGNATURE_HEADER, "64 bytes in hexadecimal", |text| {
            hex::decode(text).ok()?.try_into().ok()
        })?,
    })
}

fn with_next(mut response: Response, next: u64) -> Response {
    response.headers_mut().insert(NUMBER_HEADER, HeaderValue::from(next));
    response
}

/// Tell what a training sees; only the worker that the chain gave this attempt may.
///
/// The body is a batch (docs/live.md), signed as `openledger_client::metrics` says. A batch with another
/// number than the next one is answered with 409 and the next number in the header
/// `x-openledger-number`.
#[utoipa::path(post, path = "/v1/jobs/{id}/attempts/{attempt}/metrics", tag = "live",
    params(
        ("id" = u64, Path), ("attempt" = u8, Path),
        ("x-openledger-number" = u64, Header, description = "the batch's number, from 0"),
        ("x-openledger-account" = String, Header, description = "who signed, SS58"),
        ("x-openledger-signature" = String, Header, description = "sr25519, 64 bytes in hexadecimal"),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 200, body = TakenAnswer),
        (status = 400, body = ErrorBody, description = "a header, or no batch"),
        (status = 403, body = ErrorBody, description = "not signed by the account that has the attempt"),
        (status = 409, body = ErrorBody, description = "another number than the next one"),
        (status = 413, body = ErrorBody, description = "more than is kept"),
        (status = 429, body = ErrorBody, description = "too fast"),
        (status = 503, body = ErrorBody, description = "the node does not answer"),
        (status = 507, body = ErrorBody, description = "the disk is full"),
    ))]
pub async fn post(
    State(live): State<Live>,
    Path((job, attempt)): Path<(JobId, u8)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Signed { account, number, signature } = signed(&headers)?;
    let body = small(body, MAX_BODY).await?;
    let refused = |code, message: String| ApiError::new(StatusCode::FORBIDDEN, code, message);
    // Before the chain is asked, so that only who holds a key can have it asked.
    let address = Address { genesis: live.0.genesis, job, attempt, number };
    if !address.is_signed_by(account, signature, &body) {
        let message = format!(
            "the signature is not {account}'s for this chain, job, attempt, number and body"
        );
        return Err(refused("wrong_signature", message));
    }
    let fits =
        |assigned: &super::Assigned| assigned.attempt == attempt && assigned.worker == account;
    match live.assigned(job, fits).await? {
        Some(assigned) if fits(&assigned) => {}
        Some(assigned) => {
            let message = format!(
                "attempt {attempt} at job {job} is not {account}'s; the chain has attempt {} with {}",
                assigned.attempt, assigned.worker
            );
            return Err(refused("not_assigned", message));
        }
        None => {
            let message = format!("no worker has job {job}");
            return Err(refused("not_assigned", message));
        }
    }
    live.pace(job, attempt)?;
    let batch = Batch::read(&body).map_err(|error| ApiError::field("body", error.to_string()))?;
    let taken = on_disk(&live, move |store| store.take(job, attempt, account, number, &batch));
    match taken.await? {
        Taken::Kept(next) => Ok(with_next(axum::Json(TakenAnswer { next }).into_response(), next)),
        Taken::OutOfOrder(next) => {
            let message = format!("batch {number} is not the next one, {next} is");
            let error = ApiError::new(StatusCode::CONFLICT, "out_of_order", message);
            Ok(with_next(error.into_response(), next))
        }
        Taken::Full => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "full",
            format!("attempt {attempt} at job {job} has as much as is kept of one"),
        )),
        Taken::Foreign => {
            Err(refused("not_assigned", "the attempt is another account's".to_owned()))
        }
    }
}

/// What a worker told of a job's training.
#[utoipa::path(get, path = "/v1/jobs/{id}/metrics", tag = "live",
    params(("id" = u64, Path), MetricsQuery),
    responses((status = 200, body = MetricsAnswer), (status = 400, body = ErrorBody)))]
pub async fn get(
    State(live): State<Live>,
    Path(job): Path<JobId>,
    Query(query): Query<MetricsQuery>,
) -> Result<axum::Json<MetricsAnswer>, ApiError> {
    let limit = query.limit.unwrap_or(PAGE);
    if limit == 0 || limit > MAX_PAGE {
        return Err(ApiError::field(
            "limit",
            format!("limit is {limit}; it may be 1 to {MAX_PAGE}"),
        ));
    }
    let after = query.after.unwrap_or(0);
    let read = on_disk(&live, move |store| {
        Ok((store.attempts(job)?, store.entries(job, query.attempt, after, limit)?))
    });
    let (attempts, items) = read.await?;
    let next = items.last().map(|last| last.id).filter(|_| items.len() == limit as usize);
    Ok(axum::Json(MetricsAnswer { reported_by: "worker", attempts, items, next }))
}
