//! Who may ask: keys, hosts, and what every response carries.

use super::error::{ApiError, INVALID};
use super::keys::{Client, Place};
use super::App;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use openledger_http::{head, Policy, Unread};
use std::sync::Arc;
use std::time::Instant;

/// Names a request in the log and to its client.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What needs no key: whether the server is there, and how it is used.
const OPEN: [&str; 2] = ["/healthz", "/openapi.json"];

/// A place among the requests of a key that are in flight, taken before the body is read.
pub(crate) struct Asking(pub(crate) Place);

impl FromRequestParts<Arc<App>> for Asking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, ApiError> {
        let client = parts.extensions.get::<Arc<Client>>();
        let client = client.ok_or_else(|| ApiError::internal("nobody is known to ask"))?;
        client.enter().map(Self)
    }
}

/// Lets those in who may ask, counts every response and writes it to the log: who asked for what, never
/// what was in it.
pub(super) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = app.id("req");
    let method = request.method().clone();
    // What routes know; the path of a client may be anything, and as long as it likes.
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = path.unwrap_or_else(|| "(none)".to_owned());
    let mut who = None;
    let unread = Unread::watch(&mut request);
    let mut response = match admit(&app, &request) {
        Ok(client) => {
            if let Some(client) = client {
                who = Some(client.name.clone());
                request.extensions_mut().insert(client);
            }
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    let status = response.status();
    let name =
        if method == Method::GET || method == Method::POST { method.as_str() } else { "other" };
    app.metrics.count(name, &path, status.as_u16());
    let milliseconds = started.elapsed().as_millis() as u64;
    tracing::info!(%id, who, method = name, path, status = status.as_u16(), milliseconds, "answered");
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    // What is left of a body is not read, so nothing can follow it: who keeps connections is told.
    if unread.is_left() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn admit(app: &App, request: &Request) -> Result<Option<Arc<Client>>, ApiError> {
    let (uri, headers) = (request.uri(), request.headers());
    head::check_hosts(uri, headers, request.version())
        .map_err(|error| ApiError::invalid("invalid_host", error.to_string()))?;
    if !app.keys.are_needed() {
        check_host(uri, headers)?;
        check_origin(app, request)?;
    }
    if OPEN.contains(&uri.path()) {
        return Ok(None);
    }
    app.keys.client(headers).map(Some)
}

/// What clients are told whose requests cannot be read.
pub(super) struct Unreadable;

impl Policy for Unreadable {
    fn refusal(&self, status: StatusCode) -> String {
        let (code, message) = match status {
            StatusCode::URI_TOO_LONG => ("address_too_long", "the address is longer than is read"),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
                "headers_too_large",
                "there may be 100 headers, of 64 KiB with the address together",
            ),
            _ => ("invalid_request", "the request is not HTTP/1.1 as RFC 9112 has it"),
        };
        let body = ApiError::new(status, INVALID, code, message).body();
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// Without keys, a page of any origin could change what is here from its reader's browser, though it could
/// not read the answer: forms and uploads are sent without asking first. Only pages that may ask do.
fn check_origin(app: &App, request: &Request) -> Result<(), ApiError> {
    if request.method().is_safe() || app.origins.iter().any(|origin| origin == "*") {
        return Ok(());
    }
    let text = |name| request.headers().get(name).map(|v: &HeaderValue| v.to_str().unwrap_or("?"));
    let allowed = match text(header::ORIGIN) {
        Some(origin) => {
            let own = origin.split_once("://").map(|(_, authority)| authority);
            let host = text(header::HOST).filter(|host| !host.is_empty());
            own.zip(host).is_some_and(|(own, host)| own.eq_ignore_ascii_case(host))
                || app.origins.iter().any(|allowed| allowed == origin)
        }
        // Browsers that name no origin say at least whose page asks; programs say nothing.
        None => {
            let site = HeaderName::from_static("sec-fetch-site");
            matches!(text(site), None | Some("same-origin" | "none"))
        }
    };
    if allowed {
        return Ok(());
    }
    let origin: String =
        text(header::ORIGIN).unwrap_or("of another site").chars().take(100).collect();
    let message = format!(
        "pages of the origin {origin:?} may change nothing here; the server's operator can allow them \
         with --cors-origin"
    );
    Err(ApiError::new(StatusCode::FORBIDDEN, INVALID, "origin_not_allowed", message))
}

/// Without keys, whoever reaches the server may ask: then only by a name of this machine. A page in a
/// browser can have a name of its own resolve to 127.0.0.1, and would be let in otherwise.
fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let host = head::host_of(uri, headers);
    if head::name_of(host).is_some_and(head::is_local) {
        return Ok(());
    }
    let message = format!(
        "the host {:?} is not a name of this machine, and a server without keys answers to those alone; \
         its operator can start it with --api-keys",
        host.chars().take(100).collect::<String>()
    );
    Err(ApiError::new(StatusCode::FORBIDDEN, INVALID, "host_not_allowed", message))
}

/// 404.
pub(super) async fn not_found(uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(100).collect();
    let message = format!("there is no {path:?}; GET /openapi.json describes what there is");
    ApiError::new(StatusCode::NOT_FOUND, INVALID, "not_found", message)
}

/// 405.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    let method: String = method.as_str().chars().take(20).collect();
    let path: String = uri.path().chars().take(100).collect();
    let message = format!("{path} does not take {method}; GET /openapi.json says what it takes");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, INVALID, "method_not_allowed", message)
}
