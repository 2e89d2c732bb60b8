//! `GET /v1/stream`

use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Query};
use crate::index::stream::{Place, Topics};
use crate::index::Index;
use axum::body::Body;
use axum::extract::State;
use axum::http::{header, HeaderMap};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

/// What to hear of.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Listen {
    /// `datanet:0,account:5…,job:3,draw:2,submission:7,kind:Review.Voted,blocks`; without topics everything.
    topics: Option<String>,
    /// The event after which to begin, `<block>-<index>` or `<block>-end`; without it, what comes from
    /// now on. `Last-Event-ID` goes before it.
    after: Option<String>,
}

/// Events as their blocks are final, by server-sent events: `chain` with an event, `block` at the end of a
/// block. A connection that breaks goes on after `Last-Event-ID`, without gaps and without repetition.
#[utoipa::path(get, path = "/v1/stream", tag = "events",
    params(Listen, ("Last-Event-ID" = Option<String>, Header, description = "The last event seen")),
    responses(
    (status = 200, content_type = "text/event-stream", body = String),
    (status = 400, body = ErrorBody), (status = 429, body = ErrorBody),
    (status = 503, body = ErrorBody)
))]
pub async fn stream(
    State(index): State<Index>,
    Query(query): Query<Listen>,
    address: Address,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let topics = Topics::parse(query.topics.as_deref())?;
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?").to_owned());
    let after = match last.filter(|id| !id.is_empty()).or(query.after) {
        None => None,
        Some(text) => Some(Place::parse(&text).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            ApiError::field("after", format!("{shown:?} is no event's id"))
        })?),
    };
    let listener = index.listen(topics, after, address)?;
    let pieces = futures::stream::unfold(listener, |listener| listener.next());
    // An error ends the connection, and the browser comes back to where it was.
    let pieces = futures::StreamExt::map(pieces, |piece| {
        piece.map_err(|error| std::io::Error::other(error.body().error.message))
    });
    let carried = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((carried, Body::from_stream(pieces)).into_response())
}
