//! Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}` with the right status.

use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use openledger_engine::serving::Refused;
use openledger_engine::Error;
use openledger_http::Full;
use serde::Serialize;
use utoipa::ToSchema;

/// What a client did wrong, in OpenAI's words.
pub(super) const INVALID: &str = "invalid_request_error";
const RATE_LIMIT: &str = "rate_limit_error";
const SERVER: &str = "server_error";

/// An error as it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

/// What is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// The value, the limit and the next step.
    message: String,
    /// `invalid_request_error`, `rate_limit_error` or `server_error`.
    r#type: &'static str,
    /// The field of the request that is wrong, as a path (`messages[0].role`).
    param: Option<String>,
    /// A word for programs.
    code: Option<&'static str>,
}

/// An error with its status.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    detail: ErrorDetail,
    /// Seconds after which trying again may help.
    retry_after: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        r#type: &'static str,
        code: impl Into<Option<&'static str>>,
        message: impl Into<String>,
    ) -> Self {
        let detail =
            ErrorDetail { message: message.into(), r#type, param: None, code: code.into() };
        Self { status, detail, retry_after: None }
    }

    /// 400 that names a field.
    pub(crate) fn field(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid("invalid_value", message).with_param(param)
    }

    /// 400 that names a field which is known and not supported.
    pub(crate) fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid("unsupported_parameter", message).with_param(param)
    }

    /// 400.
    pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID, code, message)
    }

    /// 429 of a key's own limits.
    pub(crate) fn rate_limit(retry_after: u64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, RATE_LIMIT, "rate_limit_exceeded", message)
            .after(retry_after)
    }

    /// 503: the server has no room, or is about to end.
    pub(crate) fn unavailable(
        code: &'static str,
        retry_after: u64,
        message: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, SERVER, code, message).after(retry_after)
    }

    /// 500.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, SERVER, "internal_error", message)
    }

    /// An answer that took longer than a request may.
    pub(crate) fn timed_out(seconds: u64) -> Self {
        let message = format!(
            "the answer was not finished within {seconds} s, the longest that a request may take; lower \
             max_tokens, or stream"
        );
        Self::new(StatusCode::GATEWAY_TIMEOUT, SERVER, "timeout", message)
    }

    /// No model has that name.
    pub(crate) fn no_model(name: &str) -> Self {
        let shown: String = name.chars().take(100).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            INVALID,
            "model_not_found",
            format!("the model {shown:?} does not exist here; GET /v1/models lists those that do"),
        )
        .with_param("model")
    }

    /// The same of a request whose conversation is `input`, with its instructions before it where there
    /// are any.
    pub(crate) fn into_input(mut self, instructed: bool) -> Self {
        let place = |param: &str| -> Option<String> {
            let (index, rest) = param.strip_prefix("messages[")?.split_once(']')?;
            let index: usize = index.parse().ok()?;
            Some(match index.checked_sub(usize::from(instructed)) {
                Some(index) => format!("input[{index}]{rest}"),
                None => "instructions".to_owned(),
            })
        };
        self.detail.param = self.detail.param.map(|param| place(&param).unwrap_or(param));
        self
    }

    /// The same of a request that calls a field by another name.
    pub(crate) fn renamed(mut self, from: &str, to: &str) -> Self {
        if self.detail.param.as_deref() == Some(from) {
            self.detail.param = Some(to.to_owned());
            self.detail.message = self.detail.message.replace(from, to);
        }
        self
    }

    pub(crate) fn with_param(mut self, param: impl Into<String>) -> Self {
        self.detail.param = Some(param.into());
        self
    }

    fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.detail.message
    }

    pub(crate) fn code(&self) -> Option<&'static str> {
        self.detail.code
    }

    /// The body alone, as it is sent within a stream.
    pub(crate) fn body(&self) -> ErrorBody {
        ErrorBody { error: self.detail.clone() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = super::json::response(self.status, &self.body());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// What the engine says of a request that is not right, by the name of its field in the API.
impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Setting { name, .. } => {
                let name = if name == "max_new_tokens" { "max_tokens" } else { name };
                let message = message.replace("max_new_tokens", "max_tokens");
                Self::field(name, message)
            }
            Error::Markup { place, .. } => {
                let param = format!("messages[{}].content", place.saturating_sub(1));
                Self::invalid("invalid_prompt", message).with_param(param)
            }
            Error::ContextExceeded { .. } => {
                Self::invalid("context_length_exceeded", message).with_param("messages")
            }
            Error::Grammar { .. } => Self::field("response_format", message),
            Error::GrammarMemory { .. } => Self::unavailable("overloaded", 1, message),
            Error::TokenId { .. } => Self::field("prompt", message),
            // A step failed, or a drain had no more time: asking again may help.
            Error::Serving { .. } => Self::unavailable("cut_off", 5, message),
            Error::Tokenizer { .. } => Self::invalid("invalid_prompt", message),
            _ => Self::internal(message),
        }
    }
}

impl From<Full> for ApiError {
    fn from(full: Full) -> Self {
        Self::unavailable("overloaded", 1, full.to_string())
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::Full { retry_after, .. } => {
                let seconds = retry_after.as_secs().max(1);
                Self::new(StatusCode::TOO_MANY_REQUESTS, RATE_LIMIT, "server_full", message)
                    .after(seconds)
            }
            Refused::TooLong { .. } => Self::invalid("context_length_exceeded", message),
            Refused::Invalid(error) => error.into(),
            Refused::Draining => Self::unavailable("draining", 5, message),
            Refused::Stopped { .. } => Self::internal(message),
        }
    }
}
