//! Errors as clients see them: a status and `{"error": {"code", "message", "field"}}`, in the words of
//! the command line where the chain is the one that refuses.

use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use openledger_client::{ClientError, ErrorKind};
use serde::Serialize;
use utoipa::ToSchema;

/// An error as it is sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What is wrong.
    pub error: ErrorDetail,
}

/// What is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// A word for programs, in snake case.
    pub code: &'static str,
    /// The value, the limit and the next step.
    pub message: String,
    /// The parameter or field that is wrong; null where none is.
    pub field: Option<String>,
}

/// An error with its status.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    detail: ErrorDetail,
    retry_after: Option<u64>,
}

impl ApiError {
    /// An error of a status.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let detail = ErrorDetail { code, message: message.into(), field: None };
        Self { status, detail, retry_after: None }
    }

    /// 400 that names a parameter or field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "invalid_value", message);
        error.detail.field = Some(field.into());
        error
    }

    /// 404: there is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 429, and when to come back.
    pub fn too_many(retry_after: u64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message).after(retry_after)
    }

    /// 503, and when to come back.
    pub fn unavailable(retry_after: u64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).after(retry_after)
    }

    /// 507: the disk is full.
    pub fn disk_full() -> Self {
        let message = "the gateway's disk is full; use another gateway, or try later";
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", message).after(3600)
    }

    /// What a database says: 507 where the disk is full, else 500.
    pub fn database(what: &str, error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => {
                tracing::error!(%error, "{what}");
                Self::disk_full()
            }
            _ => Self::internal(what, error),
        }
    }

    /// 500. What happened stands in the log, not in the answer.
    pub fn internal(what: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "{what}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", format!("{what} failed"))
    }

    /// Tells the client when to come back.
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body alone, as it is sent within a stream.
    pub fn body(&self) -> ErrorBody {
        ErrorBody { error: self.detail.clone() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body())).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<openledger_http::Full> for ApiError {
    fn from(full: openledger_http::Full) -> Self {
        Self::unavailable(1, full.to_string())
    }
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        match error.kind() {
            ErrorKind::Usage => Self::new(StatusCode::BAD_REQUEST, "invalid_value", message),
            ErrorKind::Refused => Self::new(StatusCode::CONFLICT, "refused", message),
            ErrorKind::Unavailable => Self::unavailable(3, message),
            ErrorKind::Failed => Self::internal("asking the node", &message),
        }
    }
}
