//! Answers as server-sent events.

use super::error::ApiError;
use super::generation::{Generation, Next};
use axum::body::Body;
use axum::http::{header, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use futures::{stream, FutureExt};
use openledger_engine::generate::{Finish, TokenLogprob};
use openledger_engine::serving::Usage;
use serde::Serialize;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long texts are gathered before they are sent: a frame of a screen. One token at a time would
/// wake the threads of the answer's way out at each, in the middle of the next step.
const GATHER: Duration = Duration::from_millis(16);
/// How long a client hears nothing while its request waits, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that are to be sent.
#[derive(Default)]
pub(crate) struct Events {
    bytes: Vec<u8>,
}

impl Events {
    fn write(&mut self, head: &str, value: &impl Serialize) {
        match serde_json::to_vec(value) {
            Ok(json) => {
                self.bytes.extend_from_slice(head.as_bytes());
                self.bytes.extend_from_slice(&json);
                self.bytes.extend_from_slice(b"\n\n");
            }
            Err(error) => tracing::error!(%error, "an event could not be written as JSON"),
        }
    }

    /// An event without a name.
    pub(crate) fn data(&mut self, value: &impl Serialize) {
        self.write("data: ", value);
    }

    /// An event with a name.
    pub(crate) fn named(&mut self, name: &str, value: &impl Serialize) {
        self.write(&format!("event: {name}\ndata: "), value);
    }

    /// The end of a stream of chat or completions.
    pub(crate) fn end(&mut self) {
        self.bytes.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.bytes))
    }
}

/// What an endpoint makes of an answer that is being written.
pub(crate) trait Chunks: Send + 'static {
    fn begin(&mut self, events: &mut Events);
    fn text(
        &mut self,
        events: &mut Events,
        choice: usize,
        text: String,
        logprobs: Vec<TokenLogprob>,
    );
    fn done(&mut self, events: &mut Events, choice: usize, finish: Finish);
    fn end(&mut self, events: &mut Events, usage: Usage);
    fn failed(&mut self, events: &mut Events, error: &ApiError);
}

/// The response that tells a generation as it is written.
pub(crate) fn response(generation: Generation, chunks: impl Chunks) -> Response {
    // One piece: what is not taken stays in the generation's queue, which its tokens bound.
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    tokio::spawn(tell(generation, chunks, sender));
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), receiver))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies that collect answers would hold back what is to be seen at once.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Sends pieces until the end, or until nobody listens; then the generation is dropped, and cancelled.
/// The first text goes at once, what comes after it is gathered for a moment.
async fn tell(mut generation: Generation, mut chunks: impl Chunks, sender: mpsc::Sender<Bytes>) {
    let mut events = Events::default();
    chunks.begin(&mut events);
    let (mut told, mut ended) = (false, false);
    while !ended {
        if sender.send(events.take()).await.is_err() {
            return;
        }
        if told {
            tokio::select! {
                () = tokio::time::sleep(GATHER) => {}
                () = sender.closed() => return,
            }
        }
        let mut next = tokio::select! {
            next = generation.next() => Some(next),
            () = sender.closed() => return,
            () = tokio::time::sleep(KEEP_ALIVE) => {
                events.bytes.extend_from_slice(b": still there\n\n");
                None
            }
        };
        while let Some(event) = next.take() {
            match event {
                Ok(Next::Text { choice, text, logprobs }) => {
                    chunks.text(&mut events, choice, text, logprobs);
                    told = true;
                }
                Ok(Next::Done { choice, finish }) => chunks.done(&mut events, choice, finish),
                Ok(Next::End) => {
                    chunks.end(&mut events, generation.usage());
                    ended = true;
                }
                Err(error) => {
                    chunks.failed(&mut events, &error);
                    ended = true;
                }
            }
            // What is there already goes along.
            next = (!ended).then(|| generation.next().now_or_never()).flatten();
        }
    }
    // A client that has gone needs no end.
    let _ = sender.send(events.take()).await;
}
