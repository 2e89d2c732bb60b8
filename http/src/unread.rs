//! Whether a request's body was read to its end.

use axum::body::{Body, Bytes};
use axum::http::Request;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};

/// Knows whether something of a request's body is still to be read.
#[derive(Clone, Debug)]
pub struct Unread(Arc<AtomicBool>);

impl Unread {
    /// Watches how far a request's body is read.
    pub fn watch(request: &mut Request<Body>) -> Self {
        let body = std::mem::take(request.body_mut());
        let unread = Self(Arc::new(AtomicBool::new(!body.is_end_stream())));
        *request.body_mut() = Body::new(Watched { body, unread: unread.clone() });
        unread
    }

    /// Whether there is more. Then nothing can follow the answer on the same connection.
    pub fn is_left(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Watched {
    body: Body,
    unread: Unread,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.unread.0.store(false, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
