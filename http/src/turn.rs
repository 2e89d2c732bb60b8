//! Whose words a connection writes.
//!
//! hyper answers a head that it cannot read by itself, without a body. Such an answer is told from the
//! server's own by when it comes: while nothing that was asked is being answered, and all answers are sent.

use crate::table::Place;
use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};

/// Nothing was asked since everything was sent.
const NOTHING: u8 = 0;
/// Something is being answered.
const ANSWERING: u8 = 1;
/// It is answered, and some of it may wait to be sent.
const ANSWERED: u8 = 2;
/// The connection speaks another protocol now.
const UPGRADED: u8 = 3;

/// Whose turn it is on a connection.
#[derive(Debug)]
pub(crate) struct Turn {
    state: AtomicU8,
    place: Place,
}

impl Turn {
    pub(crate) fn new(place: Place) -> Arc<Self> {
        Arc::new(Self { state: AtomicU8::new(NOTHING), place })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// A request begins to be answered; dropped with the end of its answer.
    pub(crate) fn begin(self: &Arc<Self>) -> Answering {
        self.state.store(ANSWERING, Ordering::Relaxed);
        self.place.set_idle(false);
        Answering { turn: self.clone(), upgrades: false }
    }

    /// Everything that was written is sent.
    pub(crate) fn flushed(&self) {
        let (from, to) = (ANSWERED, NOTHING);
        let _ = self.state.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether what is written now answers nothing that was asked.
    pub(crate) fn is_nobodys(&self) -> bool {
        self.state.load(Ordering::Relaxed) == NOTHING
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Answering {
    turn: Arc<Turn>,
    /// Whether the connection speaks another protocol after this answer.
    pub(crate) upgrades: bool,
}

impl Drop for Answering {
    fn drop(&mut self) {
        let next = if self.upgrades { UPGRADED } else { ANSWERED };
        self.turn.state.store(next, Ordering::Relaxed);
        self.turn.place.set_idle(!self.upgrades);
    }
}

/// The body of an answer, which ends its turn.
pub(crate) struct Answer {
    pub(crate) body: Body,
    pub(crate) _answering: Answering,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
