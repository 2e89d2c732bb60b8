//! Metrics as they come, as server-sent events.

use super::api::on_disk;
use super::{Kept, Live};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Path};
use crate::places::Place;
use axum::body::Body;
use axum::extract::State;
use axum::http::{header, HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use openledger_primitives::JobId;
use std::time::Duration;
use tokio::sync::watch;

/// Entries that are read at once.
const PAGE: u32 = 200;
/// How long a client hears nothing, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A reader of a job's metrics. What it has not been told yet lies in the file, so that it can neither
/// fall behind what is kept in memory nor miss anything.
struct Follower {
    live: Live,
    job: JobId,
    after: u64,
    newest: watch::Receiver<u64>,
    greeted: bool,
    _place: Place,
}

fn event(kept: &Kept) -> Result<String, serde_json::Error> {
    Ok(format!("id: {}\nevent: metrics\ndata: {}\n\n", kept.id, serde_json::to_string(kept)?))
}

impl Follower {
    async fn piece(&mut self) -> Result<Bytes, ApiError> {
        if !std::mem::replace(&mut self.greeted, true) {
            // So that a browser sees at once that the stream is open.
            return Ok(Bytes::from_static(b"retry: 2000\n\n"));
        }
        loop {
            // Seen before the file is read, so that what comes in between wakes this again.
            self.newest.mark_unchanged();
            let (job, after) = (self.job, self.after);
            let read = on_disk(&self.live, move |store| store.entries(job, None, after, PAGE));
            let entries = read.await?;
            if let Some(last) = entries.last() {
                self.after = last.id;
                let events: Result<String, _> = entries.iter().map(event).collect();
                let events =
                    events.map_err(|error| ApiError::internal("writing events", &error))?;
                return Ok(events.into());
            }
            match tokio::time::timeout(KEEP_ALIVE, self.newest.changed()).await {
                Ok(Ok(())) => {}
                // The gateway ends.
                Ok(Err(_)) => return Err(ApiError::unavailable(3, "the gateway is stopping")),
                Err(_) => return Ok(Bytes::from_static(b": still there\n\n")),
            }
        }
    }
}

/// A job's metrics as they come, after `Last-Event-ID`, or from the first on.
///
/// Each event `metrics` is an entry as `GET /v1/jobs/{id}/metrics` lists it, and its id the entry's.
#[utoipa::path(get, path = "/v1/jobs/{id}/stream", tag = "live",
    params(("id" = u64, Path), ("last-event-id" = Option<u64>, Header)),
    responses(
        (status = 200, body = Kept, content_type = "text/event-stream"),
        (status = 400, body = ErrorBody), (status = 429, body = ErrorBody),
        (status = 503, body = ErrorBody),
    ))]
pub async fn follow(
    State(live): State<Live>,
    Path(job): Path<JobId>,
    address: Address,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let after = match headers.get("last-event-id") {
        None => 0,
        Some(id) => id.to_str().ok().and_then(|id| id.trim().parse().ok()).ok_or_else(|| {
            ApiError::field("last-event-id", "Last-Event-ID is the number of an entry")
        })?,
    };
    let place = live.streams().take(address)?;
    let newest = live.store().newest();
    let follower = Follower { live, job, after, newest, greeted: false, _place: place };
    let pieces = stream::try_unfold(follower, |mut follower| async move {
        let piece = follower
            .piece()
            .await
            .map_err(|error| std::io::Error::other(error.body().error.message))?;
        Ok::<_, std::io::Error>(Some((piece, follower)))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies that collect answers would hold back what is to be seen at once.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}
