//! `GET /healthz` and `GET /metrics`

use crate::error::ApiError;
use crate::index::Index;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

/// Whether the gateway does what it should: 200, or 503 with the reason.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses(
    (status = 200, description = "indexing, with one block at least", content_type = "text/plain", body = String),
    (status = 503, description = "the index stopped, stands still, or has no block yet", body = crate::error::ErrorBody)
))]
pub async fn health(State(index): State<Index>) -> Result<&'static str, ApiError> {
    let progress = index.progress().borrow().clone();
    match progress.stopped.or(progress.trouble) {
        Some(reason) => Err(ApiError::unavailable(60, reason)),
        // It answers, and knows nothing yet.
        None if progress.head.is_none() => Err(ApiError::unavailable(
            1,
            "no block is indexed yet: the first one is as soon as the node answers with it",
        )),
        None => Ok("ok\n"),
    }
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, content_type = "text/plain", body = String)
))]
pub async fn metrics(State(index): State<Index>) -> Result<Response, ApiError> {
    let progress = index.progress().borrow().clone();
    let sizes = index.read(|storage| storage.sizes()).await?;
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: u64| {
        let _ = write!(
            text,
            "# HELP openledger_gateway_{name} {help}\n# TYPE openledger_gateway_{name} gauge\n\
             openledger_gateway_{name} {value}\n"
        );
    };
    let indexed = progress.head.as_ref().map_or(0, |head| head.number);
    gauge("indexed_block", "The last block that is indexed.", indexed.into());
    gauge("finalised_block", "The last block that is final.", progress.finalised.into());
    let stopped = u64::from(progress.stopped.is_some());
    gauge("index_stopped", "1 when indexing ended for good.", stopped);
    let stands = u64::from(progress.trouble.is_some());
    gauge("index_stands_still", "1 while nothing can be indexed.", stands);
    let answers = u64::from(index.pulse().now().is_some());
    gauge("node_answers", "1 while the node answers.", answers);
    gauge("streams", "Streams of events that are open.", index.streams() as u64);
    for (name, size) in sizes {
        gauge(&format!("indexed_{name}"), "How many are indexed.", size);
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text).into_response())
}
