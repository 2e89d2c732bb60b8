//! A request's body, which may not come in crumbs.

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Pieces of a body that may have any size, and bytes of a piece that those of a longer one have at least, on
/// average: each piece costs microseconds, whatever is in it.
const FREE: u64 = 4_096;
const LEAST: u64 = 16;

/// A body comes in pieces that are too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it comes in {pieces} pieces of {bytes} bytes together; send larger ones")]
pub struct Crumbs {
    /// Pieces so far.
    pub pieces: u64,
    /// Bytes so far.
    pub bytes: u64,
}

impl Crumbs {
    /// This reason within an error of a body.
    pub fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(crumbs) = error.downcast_ref() {
                return Some(crumbs);
            }
            cause = error.source();
        }
        None
    }
}

/// A request's body as it comes.
pub(crate) struct Pieces {
    body: Incoming,
    pieces: u64,
    bytes: u64,
}

impl Pieces {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { body, pieces: 0, bytes: 0 }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        let Some(frame) = frame.transpose()? else { return Poll::Ready(None) };
        if let Some(data) = frame.data_ref() {
            self.pieces += 1;
            self.bytes = self.bytes.saturating_add(data.len() as u64);
            let (pieces, bytes) = (self.pieces, self.bytes);
            if pieces > FREE && bytes < pieces.saturating_mul(LEAST) {
                return Poll::Ready(Some(Err(Crumbs { pieces, bytes }.into())));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
