//! A WebSocket connection to a node that comes back by itself when the node does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use subxt::{
    ext::jsonrpsee::{core::client::Error as WsError, ws_client::WsClientBuilder},
    rpcs::client::{RawRpcFuture, RawRpcSubscription, RawValue, RpcClientT},
    rpcs::Error,
};
use tokio::sync::Mutex;

/// Time for one connection to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for one answer. The slowest, metadata, takes far less than a second.
const ANSWER: Duration = Duration::from_secs(30);
/// Most bytes of an answer.
const MAX_ANSWER: u32 = 64 * 1024 * 1024;
/// Pauses between tries grow from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(2);

type WsClient = subxt::ext::jsonrpsee::ws_client::WsClient;

/// The one request that is not sent again: the second answer would be about a transaction that the first
/// may have brought into a pool, and its sender has to know.
const ONCE: &str = "author_submitExtrinsic";

/// The connection. Requests that it interrupts are sent again once it is back, all but [`ONCE`].
pub(crate) struct Transport {
    url: String,
    patience: Duration,
    current: Mutex<Option<Arc<WsClient>>>,
}

impl Transport {
    /// Connects for the first time, trying for at most `first`; later tries last `patience`.
    pub(crate) async fn connect(
        url: &str,
        first: Duration,
        patience: Duration,
    ) -> Result<Self, String> {
        let transport = Self { url: url.to_owned(), patience, current: Mutex::new(None) };
        transport.client(Instant::now() + first).await?;
        Ok(transport)
    }

    /// The live connection; makes one if there is none, trying until `until`.
    async fn client(&self, until: Instant) -> Result<Arc<WsClient>, String> {
        // Held while connecting: the others wait for the same connection.
        let mut current = self.current.lock().await;
        if let Some(client) = current.as_ref().filter(|client| client.is_connected()) {
            return Ok(client.clone());
        }
        let mut pause = FIRST_PAUSE;
        loop {
            let attempt = WsClientBuilder::default()
                .connection_timeout(CONNECT)
                .request_timeout(ANSWER)
                .max_request_size(MAX_ANSWER)
                .max_response_size(MAX_ANSWER)
                .build(&self.url)
                .await;
            match attempt {
                Ok(client) => return Ok(current.insert(Arc::new(client)).clone()),
                Err(error) if Instant::now() + pause >= until => return Err(reason(&error)),
                Err(error) => tracing::debug!(url = %self.url, %error, "no node yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn forget(&self, broken: &Arc<WsClient>) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|client| Arc::ptr_eq(client, broken)) {
            *current = None;
        }
    }

    async fn retrying<T, F>(
        &self,
        method: &str,
        mut attempt: impl FnMut(Arc<WsClient>) -> F,
    ) -> Result<T, Error>
    where
        F: std::future::Future<Output = Result<T, Error>>,
    {
        let until = Instant::now() + self.patience;
        loop {
            let client = self.client(until).await.map_err(Error::DisconnectedWillReconnect)?;
            match attempt(client.clone()).await {
                Err(error) if is_broken(&error) => {
                    self.forget(&client).await;
                    if method == ONCE {
                        return Err(error);
                    }
                    if Instant::now() >= until {
                        return Err(Error::DisconnectedWillReconnect(error.to_string()));
                    }
                    tracing::debug!(url = %self.url, %error, "the connection broke");
                }
                result => return result,
            }
        }
    }
}

/// Whether the connection, not the request, is at fault.
fn is_broken(error: &Error) -> bool {
    let Error::Client(error) = error else { return false };
    matches!(
        error.downcast_ref::<WsError>(),
        Some(
            WsError::Transport(_)
                | WsError::RestartNeeded(_)
                | WsError::ServiceDisconnect
                | WsError::RequestTimeout
        )
    )
}

/// The innermost cause, which says what the operating system said.
fn reason(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

impl RpcClientT for Transport {
    fn request_raw<'a>(
        &'a self,
        method: &'a str,
        params: Option<Box<RawValue>>,
    ) -> RawRpcFuture<'a, Box<RawValue>> {
        Box::pin(async move {
            self.retrying(method, |client| {
                let params = params.clone();
                async move { client.request_raw(method, params).await }
            })
            .await
        })
    }

    fn subscribe_raw<'a>(
        &'a self,
        sub: &'a str,
        params: Option<Box<RawValue>>,
        unsub: &'a str,
    ) -> RawRpcFuture<'a, RawRpcSubscription> {
        Box::pin(async move {
            self.retrying(sub, |client| {
                let params = params.clone();
                async move { client.subscribe_raw(sub, params, unsub).await }
            })
            .await
        })
    }
}
