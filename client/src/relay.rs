//! A connection to the node of its own, for messages that somebody else writes and reads.

use crate::{
    connection::Client,
    errors::{ClientError, Result},
};
use std::time::Duration;
use subxt::ext::jsonrpsee::{
    client_transport::ws::{Url, WsTransportClientBuilder},
    core::client::{ReceivedMessage, TransportReceiverT, TransportSenderT},
};
use tokio::sync::mpsc;

/// Time for the connection to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// Most bytes of an answer: metadata and storage pages are the largest.
const MAX_ANSWER: u32 = 32 << 20;
/// Most bytes of a request.
const MAX_REQUEST: u32 = 8 << 20;

impl Client {
    /// Connects once more to the node and passes JSON-RPC messages on, as they are, until one side ends.
    /// Subscriptions and what they follow belong to this connection alone.
    ///
    /// # Errors
    ///
    /// [`ClientError::Address`], [`ClientError::Unreachable`]; [`ClientError::Answer`] when the
    /// connection breaks.
    pub async fn relay(
        &self,
        mut requests: mpsc::Receiver<String>,
        answers: mpsc::Sender<String>,
    ) -> Result<()> {
        let url = self.settings().url.clone();
        let address = Url::parse(&url).map_err(|error| ClientError::Address {
            url: url.clone(),
            reason: error.to_string(),
        })?;
        let builder = WsTransportClientBuilder::default()
            .connection_timeout(CONNECT)
            .max_request_size(MAX_REQUEST)
            .max_response_size(MAX_ANSWER);
        let (mut sender, mut receiver) = builder.build(address).await.map_err(|error| {
            ClientError::Unreachable { url, patience: CONNECT, reason: error.to_string() }
        })?;
        let broken = |reason: String| ClientError::Answer { what: "the relay".to_owned(), reason };
        let down = async {
            loop {
                let text = match receiver.receive().await {
                    Ok(ReceivedMessage::Text(text)) => text,
                    Ok(ReceivedMessage::Bytes(bytes)) => {
                        String::from_utf8(bytes).map_err(|error| broken(error.to_string()))?
                    }
                    Ok(ReceivedMessage::Pong) => continue,
                    Err(error) => return Err(broken(error.to_string())),
                };
                if answers.send(text).await.is_err() {
                    return Ok(());
                }
            }
        };
        let up = async {
            while let Some(request) = requests.recv().await {
                sender.send(request).await.map_err(|error| broken(error.to_string()))?;
            }
            Ok(())
        };
        let ended = tokio::select! {
            ended = down => ended,
            ended = up => ended,
        };
        let _ = sender.close().await;
        ended
    }
}
