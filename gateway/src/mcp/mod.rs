//! `/mcp`: documentation, chain and unsigned transactions for agents, by the Model Context Protocol over
//! Streamable HTTP (docs/mcp.md).
//!
//! * [`server`]: what the protocol is told;
//! * [`tools`]: the table of tools; [`documentation`], [`chain`] and [`prepare`] hold them;
//! * [`schema`]: shapes of what tools answer, out of the REST API's description;
//! * [`sessions`]: sessions of clients that speak revisions before 2026-07-28;
//! * [`registry`][]: `/server.json`.
//!
//! Nothing is signed here and no tool takes a key: a transaction is prepared, and its call stands in a link to
//! the web app's page `/sign`, which reads the bytes itself.

pub mod chain;
pub mod documentation;
pub mod prepare;
pub mod registry;
pub mod schema;
pub mod server;
pub mod sessions;
pub mod tools;

use crate::docs::{Docs, Origin};
use crate::error::ApiError;
use crate::extract::{small, Address};
use crate::index::Index;
use crate::places::{Place, Places};
use crate::uploads::origin;
use axum::body::Body;
use axum::extract::{FromRef, Request, State};
use axum::http::{header, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use axum::Router;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http_body_util::{BodyExt, Full};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;
use sessions::Sessions;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tools::Tools;

/// Where it is mounted: at the usual address, and where GitBook's documentation has it.
pub const PATHS: [&str; 2] = ["/mcp", "/~gitbook/mcp"];
/// Bytes of a message, at most.
const MAX_MESSAGE: usize = 64 << 10;
/// Messages that are answered at the same time, streams that stay open among them, and those of one address.
const REQUESTS: usize = 256;
const REQUESTS_OF_ADDRESS: usize = 24;
/// Header by which older clients name their session.
pub(crate) const SESSION: &str = "mcp-session-id";

/// What the server of tools works with.
pub struct Inner {
    /// The documentation.
    pub docs: Docs,
    /// The index of the chain.
    pub index: Index,
    tools: Tools,
}

/// The server of tools; clones are the same one.
#[derive(Clone)]
pub struct Mcp {
    inner: Arc<Inner>,
    hosts: Arc<[String]>,
    origins: Arc<[String]>,
    service: StreamableHttpService<server::Server, Sessions>,
    sessions: Arc<Sessions>,
    requests: Places,
}

impl Mcp {
    /// A server over documentation and an index. `api` is the REST API's description; `hosts` and `origins` are
    /// those that may ask; after `idle` without a message a session ends.
    pub fn new(
        docs: Docs,
        index: Index,
        api: &Value,
        hosts: &[String],
        origins: &[String],
        idle: Duration,
    ) -> Self {
        let inner = Arc::new(Inner { docs, index, tools: Tools::new(api) });
        let sessions = Arc::new(Sessions::new(idle));
        // Host and Origin are checked before, by the rules of every route.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_json_response(true)
            .with_max_request_body_bytes(MAX_MESSAGE)
            .with_sse_retry(Some(Duration::from_secs(3)));
        let served = inner.clone();
        let factory = move || Ok(server::Server::new(served.clone()));
        Self {
            inner,
            hosts: hosts.into(),
            origins: origins.into(),
            service: StreamableHttpService::new(factory, sessions.clone(), config),
            sessions,
            requests: Places::new("MCP requests", REQUESTS, REQUESTS_OF_ADDRESS),
        }
    }

    /// The table of tools.
    pub fn tools(&self) -> &Tools {
        &self.inner.tools
    }

    /// Sessions that are open.
    pub fn sessions(&self) -> usize {
        self.sessions.open()
    }
}

/// Routes of the server of tools.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S>
where
    Mcp: FromRef<S>,
{
    let routes = Router::new().route("/server.json", axum::routing::get(registry::answer));
    PATHS.into_iter().fold(routes, |routes, path| routes.route(path, any(answer)))
}

/// A message, or a stream of an older client's session.
async fn answer(
    State(mcp): State<Mcp>,
    address: Address,
    own: Origin,
    request: Request,
) -> Result<Response, ApiError> {
    // A page whose name resolves to this machine (DNS rebinding) says so in its origin.
    origin::of(&mcp.hosts, &mcp.origins, request.uri(), request.headers())?;
    let place = mcp.requests.take(address)?;
    let (mut parts, body) = request.into_parts();
    // Links of answers begin with the origin, and budgets count the address; tools find both in the request's
    // parts.
    parts.extensions.insert(own);
    parts.extensions.insert(address);
    let body = match parts.method {
        Method::POST => small(body, MAX_MESSAGE).await?,
        // Nothing is read of other requests.
        _ => Bytes::new(),
    };
    let opens = parts.method == Method::POST
        && !parts.headers.contains_key(SESSION)
        && begins_session(&body);
    let session = opens.then(|| mcp.sessions.place(address)).transpose()?;
    let ends = parts.method == Method::DELETE;
    let request = Request::from_parts(parts, Full::new(body));
    let response = sessions::within(session, mcp.service.handle(request)).await;
    let (mut parts, body) = response.into_parts();
    // The session is ended when this is said, and not only about to.
    if ends && parts.status == StatusCode::ACCEPTED {
        parts.status = StatusCode::NO_CONTENT;
    }
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let body = Kept { body: body.into_data_stream(), _place: place };
    Ok(Response::from_parts(parts, Body::from_stream(body)))
}

/// Whether a message is the first one of a client that wants a session.
fn begins_session(message: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Method<'a> {
        #[serde(borrow)]
        method: std::borrow::Cow<'a, str>,
    }
    serde_json::from_slice::<Method<'_>>(message)
        .is_ok_and(|message| message.method == "initialize")
}

/// An answer that keeps its place until it is read or left.
struct Kept<B> {
    body: B,
    _place: Place,
}

impl<B: Stream + Unpin> Stream for Kept<B> {
    type Item = B::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<B::Item>> {
        self.body.poll_next_unpin(context)
    }
}
