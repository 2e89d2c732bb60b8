//! JSON in and out: bodies of requests within their limits, and answers.

use super::error::{ApiError, INVALID};
use super::fields::{self, Field};
use super::keys::Client;
use super::App;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{header, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use openledger_http::{Crumbs, Share};
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// Bytes of a body that takes no time worth waiting for.
const QUICK: usize = 32 << 10;

/// A response of a status with a JSON body.
pub(super) fn response(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_type((status, bytes)),
        Err(error) => unwritten(&error),
    }
}

/// An answer of status 200.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        response(StatusCode::OK, &self.0)
    }
}

/// Bytes that hold their share until they are sent.
struct Held {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// An answer of status 200 that holds its share until it is sent.
pub(super) fn held(body: &impl Serialize, share: Share) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_type(Bytes::from_owner(Held { bytes, _share: share })),
        Err(error) => unwritten(&error),
    }
}

fn with_type(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Only a map with keys that are no strings could do that.
fn unwritten(error: &serde_json::Error) -> Response {
    tracing::error!(%error, "an answer could not be written as JSON");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// A request with a JSON body.
pub(crate) trait ApiRequest: DeserializeOwned {
    /// Its known fields.
    const FIELDS: &'static [Field];
}

/// The body of a request, checked against the list of its fields, and its share of all bodies, which is
/// to be kept as long as what it says is.
pub(crate) struct Input<T>(pub(crate) T, pub(crate) Share);

impl<T: ApiRequest> FromRequest<Arc<App>> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        check_type(request.headers())?;
        let client = request.extensions().get::<Arc<Client>>();
        let client = client.ok_or_else(|| ApiError::internal("nobody is known to ask"))?.number;
        let mut share = app.bodies.share_of(client);
        let limit = app.limits.body_bytes;
        let time = app.limits.body_time;
        let bytes = tokio::time::timeout(time, read(request.into_body(), limit, &mut share));
        let bytes = bytes.await.map_err(|_| {
            let message = format!("the request's body did not come within {} s", time.as_secs());
            ApiError::new(StatusCode::REQUEST_TIMEOUT, INVALID, "request_timeout", message)
        })??;
        if bytes.len() < QUICK {
            return parse(&bytes).map(|request| Self(request, share));
        }
        // Values take many times the text's bytes, and a while to be made: few at one time, and keys in
        // turns. Other requests of this thread need not wait for it.
        let stopped = || ApiError::unavailable("draining", 5, "the server is stopping");
        let turn = app.computing.take(client).await.ok_or_else(stopped)?;
        let parsed = tokio::task::block_in_place(|| parse(&bytes));
        drop(turn);
        parsed.map(|request| Self(request, share))
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let mut parts = given.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = |part: &str| {
        let named = part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
        named.is_none_or(|(_, charset)| {
            let charset = charset.trim_matches('"');
            ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
        })
    };
    let refuse = |message: String| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Err(ApiError::new(status, INVALID, "unsupported_media_type", message))
    };
    if !json || !parts.all(utf8) {
        return refuse(format!(
            "content-type is {given:?}; send JSON in UTF-8 with content-type application/json"
        ));
    }
    let coding = headers.get(header::CONTENT_ENCODING).map(|v| v.to_str().unwrap_or("?"));
    match coding.filter(|coding| !coding.eq_ignore_ascii_case("identity")) {
        Some(coding) => refuse(format!(
            "content-encoding is {coding:?}; send the body as it is, without compression"
        )),
        None => Ok(()),
    }
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the request's body is larger than {limit} bytes, the most that is read");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, INVALID, "request_too_large", message)
}

async fn read(mut body: Body, limit: usize, share: &mut Share) -> Result<Vec<u8>, ApiError> {
    use axum::body::HttpBody;
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let broken = |error: axum::Error| {
            let message = match Crumbs::within(&error) {
                Some(crumbs) => format!("the request's body is not read: {crumbs}"),
                None => "the request's body broke off, or is not chunked as it says".to_owned(),
            };
            ApiError::invalid("invalid_body", message)
        };
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        share.grow(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// What serde says of a value, in the words of who sends JSON. Where it stands is said by its path.
fn worded(reason: &str) -> String {
    let kinds = [
        ("expected u64", "expected a whole number of at least 0, below 2^64"),
        ("expected u32", "expected a whole number of at least 0, below 2^32"),
        ("expected i64", "expected a whole number from -2^63 to below 2^63"),
        ("expected f64", "expected a number"),
    ];
    let reason = reason.split(" at line ").next().unwrap_or(reason);
    kinds.iter().fold(reason.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn parse<T: ApiRequest>(bytes: &[u8]) -> Result<T, ApiError> {
    let malformed = |error: serde_json::Error| {
        ApiError::invalid("invalid_json", format!("the request's body is not JSON: {error}"))
    };
    let value: Value = serde_json::from_slice(bytes).map_err(malformed)?;
    let Value::Object(object) = value else {
        return Err(ApiError::invalid("invalid_json", "the request's body is not a JSON object"));
    };
    fields::check(T::FIELDS, &object)?;
    drop(object);
    // From the text again: a schema's properties keep their order, and a field that stands there twice is
    // refused.
    let mut text = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut text).map_err(|error| {
        let path = error.path().to_string();
        let reason = worded(&error.into_inner().to_string());
        match path.as_str() {
            // A field that is missing at the top: serde names it.
            "." => match reason.split('`').nth(1) {
                Some(name) => ApiError::field(name, reason.clone()),
                None => ApiError::invalid("invalid_value", reason),
            },
            _ => ApiError::field(path.clone(), format!("{path}: {reason}")),
        }
    })
}
