//! WebSocket on a connection of this server.

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use futures::io::{BufReader, BufWriter};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use soketto::handshake::http::{is_upgrade_request, Server};
use soketto::{Data, Incoming};
use std::fmt;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

type Stream = BufReader<BufWriter<Compat<TokioIo<Upgraded>>>>;

/// Why a request does not become a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this address speaks WebSocket only: {0}")]
pub struct NoWebSocket(String);

/// A WebSocket that ended, or broke.
#[derive(Debug, thiserror::Error)]
#[error("the WebSocket ended: {0}")]
pub struct Ended(String);

impl Ended {
    /// One that ended for a reason of this side.
    pub fn because(reason: impl fmt::Display) -> Self {
        ended(reason)
    }
}

fn ended(reason: impl fmt::Display) -> Ended {
    Ended(reason.to_string())
}

/// A request that becomes a WebSocket once its answer is sent.
pub struct Upgrade {
    server: Server,
    upgraded: OnUpgrade,
}

/// The half that sends.
pub struct Sender(soketto::Sender<Stream>);

/// The half that receives.
pub struct Receiver {
    half: soketto::Receiver<Stream>,
    buffer: Vec<u8>,
}

/// Reads a request, and gives the answer that makes it a WebSocket. Extensions are declined: compressed
/// messages would have no bounded size.
///
/// # Errors
///
/// [`NoWebSocket`] for any other request.
pub fn upgrade(mut request: Request<Body>) -> Result<(Response<Body>, Upgrade), NoWebSocket> {
    if !is_upgrade_request(&request) {
        return Err(NoWebSocket("the request asks for no upgrade".to_owned()));
    }
    let mut server = Server::new();
    let answer =
        server.receive_request(&request).map_err(|error| NoWebSocket(error.to_string()))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = answer.headers().clone();
    let upgraded = hyper::upgrade::on(&mut request);
    Ok((response, Upgrade { server, upgraded }))
}

impl Upgrade {
    /// Waits until the answer is sent. Messages have at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`Ended`] if the client went away.
    pub async fn finish(self, limit: usize) -> Result<(Sender, Receiver), Ended> {
        let stream = TokioIo::new(self.upgraded.await.map_err(ended)?).compat();
        let stream = BufReader::new(BufWriter::new(stream));
        let mut builder = self.server.into_builder(stream);
        builder.set_max_message_size(limit);
        builder.set_max_frame_size(limit);
        let (sender, half) = builder.finish();
        Ok((Sender(sender), Receiver { half, buffer: Vec::new() }))
    }
}

impl Sender {
    /// Sends a text.
    ///
    /// # Errors
    ///
    /// [`Ended`].
    pub async fn send(&mut self, text: String) -> Result<(), Ended> {
        self.0.send_text_owned(text).await.map_err(ended)?;
        self.0.flush().await.map_err(ended)
    }

    /// Sends a sign of life, which the other side answers by itself.
    ///
    /// # Errors
    ///
    /// [`Ended`].
    pub async fn ping(&mut self) -> Result<(), Ended> {
        let nothing: &[u8] = &[];
        let nothing = nothing.try_into().map_err(|_| ended("a ping of no bytes is too long"))?;
        self.0.send_ping(nothing).await.map_err(ended)?;
        self.0.flush().await.map_err(ended)
    }

    /// Says farewell, as far as the other side listens.
    pub async fn close(mut self) {
        let _ = self.0.close().await;
    }
}

impl Receiver {
    /// The next text. Other messages end the connection.
    ///
    /// # Errors
    ///
    /// [`Ended`], at the regular end too.
    pub async fn receive(&mut self) -> Result<String, Ended> {
        loop {
            self.buffer.clear();
            match self.half.receive(&mut self.buffer).await.map_err(ended)? {
                Incoming::Data(Data::Text(_)) => {
                    return String::from_utf8(std::mem::take(&mut self.buffer)).map_err(ended);
                }
                Incoming::Data(Data::Binary(_)) => return Err(ended("a message is not text")),
                Incoming::Closed(reason) => return Err(ended(format!("{reason:?}"))),
                Incoming::Pong(_) => {}
            }
        }
    }
}
