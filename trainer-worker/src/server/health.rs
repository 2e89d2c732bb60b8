//! `GET /healthz`.

use super::json::response;
use super::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Whether requests are taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `draining`.
    status: &'static str,
}

/// Whether the server takes requests. It needs no key.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses(
        (status = 200, description = "It does", body = Health),
        (status = 503, description = "It is about to end", body = Health),
    ),
)]
pub(super) async fn get(State(app): State<Arc<App>>) -> Response {
    if app.is_draining() {
        return response(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "draining" });
    }
    response(StatusCode::OK, &Health { status: "ok" })
}
