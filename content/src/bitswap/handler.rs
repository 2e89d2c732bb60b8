//! One connection's Bitswap streams.
//!
//! Inbound: any number of streams (bounded) is read at once, since peers open a new one whenever
//! they like; the bytes they hold in memory together are bounded. Outbound: one stream, one frame
//! at a time; a frame is dropped from memory once it has been written.

use super::message::{Message, MAX_MESSAGE_BYTES};
use bytes::Bytes;
use futures::{
    future::BoxFuture,
    io::{AsyncReadExt, AsyncWriteExt},
    stream::{BoxStream, SelectAll},
    FutureExt, StreamExt,
};
use libp2p::{
    core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo},
    swarm::{
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
        },
        ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, StreamUpgradeError,
        SubstreamProtocol,
    },
};
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{ready, Ready},
    io,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// What is spoken outwards.
const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/bitswap/1.2.0");
/// What is understood from peers; the older versions use a part of the same messages.
const INBOUND_PROTOCOLS: [StreamProtocol; 3] = [
    PROTOCOL,
    StreamProtocol::new("/ipfs/bitswap/1.1.0"),
    StreamProtocol::new("/ipfs/bitswap/1.0.0"),
];
/// Most streams read at once; further ones are refused until one ends.
const MAX_INBOUND_STREAMS: usize = 128;
/// Most bytes of unfinished messages in memory over all streams of a connection.
const MAX_INBOUND_BYTES: usize = 2 * MAX_MESSAGE_BYTES;
/// Bytes read or written at once; progress is noticed this often.
const PIECE: usize = 64 * 1024;
/// A peer that moves not one piece in this time has stalled; its stream is given up.
const STALL: Duration = Duration::from_secs(60);
/// Attempts to open a stream for a frame before the frame is given up.
const MAX_ATTEMPTS: u32 = 3;

/// The upgrade of an inbound stream: any Bitswap version, nothing to negotiate.
#[derive(Clone, Copy, Debug)]
pub struct Inbound;

impl UpgradeInfo for Inbound {
    type Info = StreamProtocol;
    type InfoIter = [StreamProtocol; 3];

    fn protocol_info(&self) -> Self::InfoIter {
        INBOUND_PROTOCOLS
    }
}

impl InboundUpgrade<Stream> for Inbound {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, _: Self::Info) -> Self::Future {
        ready(Ok(stream))
    }
}

/// The upgrade of an outbound stream.
#[derive(Clone, Copy, Debug)]
pub struct Outbound;

impl UpgradeInfo for Outbound {
    type Info = StreamProtocol;
    type InfoIter = [StreamProtocol; 1];

    fn protocol_info(&self) -> Self::InfoIter {
        [PROTOCOL]
    }
}

impl OutboundUpgrade<Stream> for Outbound {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, _: Self::Info) -> Self::Future {
        ready(Ok(stream))
    }
}

/// What a frame carries, for the accounts of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Wants of ours.
    Wants,
    /// Blocks and presences for the peer.
    Answer,
}

/// A frame to be written.
#[derive(Clone, Debug)]
pub struct Frame {
    pub(crate) bytes: Bytes,
    pub(crate) load: Load,
}

/// What a connection tells the behaviour.
#[derive(Debug)]
pub struct HandlerEvent(pub(crate) Event);

#[derive(Debug)]
pub(crate) enum Event {
    /// A message came.
    Received(Message),
    /// A frame has left memory: written, or given up.
    Released { load: Load, bytes: usize },
    /// The peer speaks no Bitswap 1.2.
    Unsupported,
}

type ToSwarm = ConnectionHandlerEvent<Outbound, (), HandlerEvent>;

fn notify(event: Event) -> Poll<ToSwarm> {
    Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(HandlerEvent(event)))
}

enum Out {
    /// No stream.
    Closed,
    /// A stream has been asked for.
    Opening,
    /// A stream is open and unused.
    Idle(Stream),
    /// The frame at the front of the queue is being written.
    Writing(BoxFuture<'static, io::Result<Stream>>),
}

/// One connection's Bitswap streams.
pub struct Handler {
    inbound: SelectAll<BoxStream<'static, Message>>,
    inbound_bytes: Arc<Semaphore>,
    /// Pieces received so far: how the behaviour tells a slow peer from a silent one.
    progress: Arc<AtomicU64>,
    out: Out,
    queue: VecDeque<Frame>,
    attempts: u32,
    unsupported: Option<bool>,
}

impl Handler {
    pub(crate) fn new(progress: Arc<AtomicU64>) -> Self {
        Self {
            inbound: SelectAll::new(),
            inbound_bytes: Arc::new(Semaphore::new(MAX_INBOUND_BYTES)),
            progress,
            out: Out::Closed,
            queue: VecDeque::new(),
            attempts: 0,
            unsupported: None,
        }
    }

    /// Forgets the first frame, written or not.
    fn release(&mut self) -> Option<Event> {
        let frame = self.queue.pop_front()?;
        self.attempts = 0;
        Some(Event::Released { load: frame.load, bytes: frame.bytes.len() })
    }

    /// One step of the outbound side; an event when a frame was released or a stream is needed.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm> {
        loop {
            if self.unsupported == Some(false) {
                self.unsupported = Some(true);
                return notify(Event::Unsupported);
            }
            if self.unsupported.is_some() || self.attempts >= MAX_ATTEMPTS {
                match self.release() {
                    Some(event) => return notify(event),
                    None => self.attempts = 0,
                }
            }
            match std::mem::replace(&mut self.out, Out::Closed) {
                Out::Closed if self.queue.is_empty() => return Poll::Pending,
                Out::Closed => {
                    self.out = Out::Opening;
                    self.attempts += 1;
                    return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                        protocol: SubstreamProtocol::new(Outbound, ()),
                    });
                }
                Out::Opening => {
                    self.out = Out::Opening;
                    return Poll::Pending;
                }
                Out::Idle(stream) => match self.queue.front() {
                    Some(frame) => {
                        self.out = Out::Writing(write(stream, frame.bytes.clone()).boxed());
                    }
                    None => {
                        self.out = Out::Idle(stream);
                        return Poll::Pending;
                    }
                },
                Out::Writing(mut writing) => match writing.poll_unpin(cx) {
                    Poll::Pending => {
                        self.out = Out::Writing(writing);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(stream)) => {
                        self.out = Out::Idle(stream);
                        if let Some(event) = self.release() {
                            return notify(event);
                        }
                    }
                    // A stalled peer gets no second stream for the same bytes.
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                        self.attempts = MAX_ATTEMPTS;
                    }
                    Poll::Ready(Err(_)) => {}
                },
            }
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Frame;
    type ToBehaviour = HandlerEvent;
    type InboundProtocol = Inbound;
    type OutboundProtocol = Outbound;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Inbound> {
        SubstreamProtocol::new(Inbound, ())
    }

    /// Peers stay connected; their number is bounded by the node, and silent ones fail their pings.
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn on_behaviour_event(&mut self, frame: Frame) {
        self.queue.push_back(frame);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm> {
        if let Poll::Ready(event) = self.poll_out(cx) {
            return Poll::Ready(event);
        }
        if let Poll::Ready(Some(message)) = self.inbound.poll_next_unpin(cx) {
            return notify(Event::Received(message));
        }
        Poll::Pending
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Inbound, Outbound>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: stream,
                ..
            }) if self.inbound.len() < MAX_INBOUND_STREAMS => {
                let (bytes, progress) =
                    (Arc::clone(&self.inbound_bytes), Arc::clone(&self.progress));
                self.inbound.push(messages(stream, bytes, progress));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                ..
            }) => self.out = Out::Idle(stream),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.out = Out::Closed;
                if matches!(error, StreamUpgradeError::NegotiationFailed) {
                    self.unsupported.get_or_insert(false);
                }
            }
            _ => {}
        }
    }
}

async fn write(mut stream: Stream, frame: Bytes) -> io::Result<Stream> {
    for piece in frame.chunks(PIECE) {
        timeout(STALL, stream.write_all(piece)).await??;
    }
    timeout(STALL, stream.flush()).await??;
    Ok(stream)
}

/// The messages of one stream, until it ends or breaks a rule.
fn messages(
    stream: Stream,
    budget: Arc<Semaphore>,
    progress: Arc<AtomicU64>,
) -> BoxStream<'static, Message> {
    futures::stream::unfold(stream, move |mut stream| {
        let (budget, progress) = (Arc::clone(&budget), Arc::clone(&progress));
        async move {
            match read_message(&mut stream, &budget, &progress).await {
                Ok(message) => Some((message, stream)),
                Err(error) => {
                    if error.kind() != io::ErrorKind::UnexpectedEof {
                        tracing::debug!(%error, "closing a Bitswap stream");
                    }
                    None
                }
            }
        }
    })
    .boxed()
}

async fn read_message(
    stream: &mut Stream,
    budget: &Semaphore,
    progress: &AtomicU64,
) -> io::Result<Message> {
    let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    let length = read_length(stream).await?;
    if length > MAX_MESSAGE_BYTES {
        return Err(invalid(format!(
            "a message of {length} bytes, the limit is {MAX_MESSAGE_BYTES}"
        )));
    }
    let _permit = budget
        .acquire_many(length as u32)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
    // Memory is taken as bytes come, not as the peer announces them.
    let mut frame = Vec::with_capacity(length.min(PIECE));
    while frame.len() < length {
        let start = frame.len();
        frame.resize(length.min(start + PIECE), 0);
        let piece = frame.get_mut(start..).unwrap_or_default();
        timeout(STALL, stream.read_exact(piece)).await??;
        progress.fetch_add(1, Ordering::Relaxed);
    }
    Message::read(&frame.into()).map_err(|error| invalid(format!("not a Bitswap message: {error}")))
}

/// The length prefix: an unsigned varint of at most four bytes (4 MiB need no more). Between
/// messages a stream may be silent as long as it likes.
async fn read_length(stream: &mut Stream) -> io::Result<usize> {
    let mut length = 0usize;
    for shift in (0..28).step_by(7) {
        let mut byte = [0u8];
        stream.read_exact(&mut byte).await?;
        let [byte] = byte;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a length of more than 28 bits"))
}
