//! Connections: hyper's HTTP/1, with a limit on everything that a client can make last or grow.

use crate::pieces::Pieces;
use crate::table::{Place, Table};
use crate::turn::{Answer, Turn};
use axum::body::Body;
use axum::http::StatusCode;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{watch, Semaphore};
use tokio::time::Sleep;
use tower_service::Service;

/// Bytes of a request's head.
const HEAD: usize = 64 << 10;
/// Bytes that are read ahead, and of an answer that wait to be sent. What is not sent stays in the answer's own
/// queue, which its tokens bound.
const BUFFER: usize = 64 << 10;

/// How long, and how much of, what a client sends after the last answer of its connection is taken.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 8 << 20;

/// Connections over the limit that are told so at the same time; others are closed without a word.
const REFUSALS: usize = 64;

/// What a client can make last or grow before its request is read, at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time.
    pub connections: usize,
    /// Of them, those of one address, as [`network_of`](crate::network_of) counts.
    pub of_address: usize,
    /// Headers of a request.
    pub headers: usize,
    /// Until a request's headers are there.
    pub header_time: Duration,
    /// Until a reader has taken something of an answer.
    pub write_time: Duration,
}

/// What a server says and knows before a request can be read.
pub trait Policy: Send + Sync + 'static {
    /// The body, as JSON, of an answer to a request that cannot be read: 400, 414, 431, or 429 where its address
    /// has too many connections.
    fn refusal(&self, status: StatusCode) -> String;

    /// Whether an address is a reverse proxy's, whose connections are those of many clients.
    fn is_proxy(&self, _: IpAddr) -> bool {
        false
    }
}

/// Who is at the other end of a request's connection: an extension of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Takes connections until `stop` is set, and then waits for those that are there.
///
/// Where there is no room, the connection on which nothing was asked for longest is closed, of the address that
/// is over its limit or that has the most. An address is told so where all of its connections are being answered.
/// Where that is so of all of all addresses, the next one waits: the system keeps a short queue, and then clients
/// are told by it.
pub async fn accept(
    listener: TcpListener,
    router: Router,
    limits: Arc<Limits>,
    policy: Arc<dyn Policy>,
    mut stop: watch::Receiver<bool>,
) {
    let table = Table::new(limits.connections, limits.of_address);
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stop) => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or the client has gone already: neither ends the server.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (limits, policy) = (limits.clone(), policy.clone());
        let entered = tokio::select! {
            entered = table.enter(address.ip(), policy.is_proxy(address.ip())) => entered,
            () = told(&mut stop) => break,
        };
        if let Some(place) = entered {
            let (router, stop) = (router.clone(), stop.clone());
            tokio::spawn(serve(stream, address, router, limits, policy, place, stop));
        } else if let Ok(turn) = refusals.clone().try_acquire_owned() {
            tokio::spawn(async move {
                refuse(stream, &limits, &*policy).await;
                drop(turn);
            });
        }
    }
    drop(listener);
    table.empty().await;
}

/// Waits until connections are to be closed.
async fn told(stop: &mut watch::Receiver<bool>) {
    // The sender is gone when the server is.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// An answer of a status, and the end of the connection.
fn refusal(policy: &dyn Policy, status: StatusCode) -> Vec<u8> {
    let body = policy.refusal(status);
    let again = match status {
        StatusCode::TOO_MANY_REQUESTS => "retry-after: 5\r\n",
        _ => "",
    };
    let head = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\n\
         {again}connection: close\r\ncontent-length: {}\r\n\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or("Refused"),
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// Tells a client that there is no place for it.
async fn refuse(stream: TcpStream, limits: &Limits, policy: &dyn Policy) {
    let mut stream = Patient::new(stream, limits.write_time.min(LINGER), None);
    stream.own = refusal(policy, StatusCode::TOO_MANY_REQUESTS);
    let _ = stream.shutdown().await;
}

async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    limits: Arc<Limits>,
    policy: Arc<dyn Policy>,
    place: Place,
    mut stop: watch::Receiver<bool>,
) {
    // Small pieces are sent at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let turn = Turn::new(place);
    let asked = turn.clone();
    let answer = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Pieces::new);
        request.extensions_mut().insert(Peer(address));
        let mut answering = asked.begin();
        let answered = router.clone().call(request);
        async move {
            let response = answered.await?;
            answering.upgrades = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            Ok::<_, std::convert::Infallible>(
                response.map(|body| Body::new(Answer { body, _answering: answering })),
            )
        }
    });
    let own = Some((turn.clone(), policy));
    let io = TokioIo::new(Patient::new(stream, limits.write_time, own));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(limits.headers)
        .max_header_size(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(io, answer)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Nothing is being answered on it.
        () = turn.place().evicted() => Ok(()),
        () = told(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // What became a WebSocket has limits of its own.
    turn.place().leave();
    if let Err(error) = ended {
        // Clients come and go; what is theirs is no fault of the server.
        tracing::debug!(%error, "a connection ended");
    }
}

/// A stream whose reader must take something within a time, or is cut off.
struct Patient {
    stream: TcpStream,
    time: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Whose words are written, and what is said in the place of hyper's.
    turn: Option<(Arc<Turn>, Arc<dyn Policy>)>,
    /// An answer of ours that waits to be sent.
    own: Vec<u8>,
    /// Set when nothing more is sent: until when the client's bytes are taken, and how many were.
    lingering: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Patient {
    fn new(stream: TcpStream, time: Duration, turn: Option<(Arc<Turn>, Arc<dyn Policy>)>) -> Self {
        Self { stream, time, waiting: None, turn, own: Vec::new(), lingering: None }
    }

    /// The result of a write, or an error when the last one that went on was too long ago.
    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.waiting = None;
            return result;
        }
        let time = self.time;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        match waiting.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the reader takes nothing",
            ))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Takes the place of an answer that hyper gives by itself, to a head that it cannot read: it has no body.
    fn instead(&mut self, bytes: &[u8]) -> bool {
        if !self.own.is_empty() {
            // The rest of hyper's answer.
            return true;
        }
        let turn = self.turn.as_ref().filter(|(turn, _)| turn.is_nobodys());
        let Some((_, policy)) = turn else { return false };
        let status = bytes.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
        let Some(status) = status.and_then(|digits| StatusCode::from_bytes(digits).ok()) else {
            return false;
        };
        self.own = refusal(&**policy, status);
        true
    }

    /// Sends an answer of ours.
    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.own.is_empty() {
            let result = Pin::new(&mut self.stream).poll_write(cx, &self.own);
            let sent = ready!(self.judge(cx, result))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.own.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.instead(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first: &[u8] =
            parts.iter().map(|part| &**part).find(|part| !part.is_empty()).unwrap_or(&[]);
        if self.instead(first) {
            return Poll::Ready(Ok(parts.iter().map(|part| part.len()).sum()));
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.judge(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_own(cx))?;
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        ready!(self.judge(cx, result))?;
        if let Some((turn, _)) = &self.turn {
            turn.flushed();
        }
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more comes, and then takes what the client still sends, for a while: a
    /// connection that is closed with bytes that nobody read is reset, and the client may never see the
    /// answer that tells it why its request was refused.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(self.poll_own(cx))?;
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.lingering = Some((Box::pin(tokio::time::sleep(LINGER)), 0));
        }
        let mut space = [0; 16 << 10];
        let Self { stream, lingering, .. } = &mut *self;
        let Some((until, taken)) = lingering else { return Poll::Ready(Ok(())) };
        while *taken < LINGER_BYTES {
            if until.as_mut().poll(cx).is_ready() {
                break;
            }
            let mut buffer = ReadBuf::new(&mut space);
            // An end or an error: there is nothing more to wait for.
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            *taken += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}
