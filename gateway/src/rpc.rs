//! `GET /rpc`: the node's JSON-RPC over WebSocket, so that a browser talks to one origin only.
//!
//! Each WebSocket has a connection to the node of its own. What is passed on is limited: in methods, in
//! size, in rate, and in the number of WebSockets, of one address and in all.

use crate::app::Shared;
use crate::error::ApiError;
use crate::extract::Address;
use crate::places::Places;
use axum::extract::{Request, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::Response;
use openledger_http::websocket::{self, Ended, Receiver, Sender};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Bytes of a request, at most: the largest transaction that a block takes is smaller.
const MAX_REQUEST: usize = 4 << 20;
/// Bytes of a request's id, as JSON.
const MAX_ID: usize = 202;
/// WebSockets at the same time.
const RELAYS: usize = 256;
/// WebSockets of one address.
const OF_ADDRESS: usize = 16;
/// Messages that wait between browser and node, a direction.
const WAITING: usize = 16;
/// Requests that may come at once, and those of a second from then on. Whoever is faster is read slower.
const BURST: f64 = 400.0;
const RATE: f64 = 100.0;
/// Time between signs of life.
const PING: Duration = Duration::from_secs(30);

/// Families of methods that only read, or follow what they began.
const PREFIXES: [&str; 5] =
    ["chainHead_v1_", "chainSpec_v1_", "archive_v1_", "transaction_v1_", "transactionWatch_v1_"];
/// Single methods that read, and those that hand in a transaction. What changes the node, and what lets it
/// keep much for a stranger, is not among them.
const METHODS: [&str; 38] = [
    "author_pendingExtrinsics",
    "author_submitAndWatchExtrinsic",
    "author_submitExtrinsic",
    "author_unwatchExtrinsic",
    "chain_getBlock",
    "chain_getBlockHash",
    "chain_getFinalizedHead",
    "chain_getHeader",
    "chain_subscribeAllHeads",
    "chain_subscribeFinalizedHeads",
    "chain_subscribeNewHeads",
    "chain_unsubscribeAllHeads",
    "chain_unsubscribeFinalizedHeads",
    "chain_unsubscribeNewHeads",
    "payment_queryFeeDetails",
    "payment_queryInfo",
    "rpc_methods",
    "state_call",
    "state_getKeysPaged",
    "state_getMetadata",
    "state_getRuntimeVersion",
    "state_getStorage",
    "state_getStorageAt",
    "state_getStorageHash",
    "state_getStorageSize",
    "state_queryStorageAt",
    "state_subscribeRuntimeVersion",
    "state_unsubscribeRuntimeVersion",
    "system_accountNextIndex",
    "system_chain",
    "system_chainType",
    "system_health",
    "system_localPeerId",
    "system_name",
    "system_properties",
    "system_syncState",
    "system_version",
    "account_nextIndex",
];

fn is_allowed(method: &str) -> bool {
    METHODS.contains(&method)
        || method.starts_with("openledger_")
        || PREFIXES.iter().any(|prefix| method.starts_with(prefix))
}

/// Places for WebSockets.
pub fn places() -> Places {
    Places::new("WebSockets", RELAYS, OF_ADDRESS)
}

/// A WebSocket, which browsers let any page open: only this origin's pages, and those that the operator
/// named, may. Programs name no origin.
fn check_origin(app: &Shared, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or("");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let own =
        ["http://", "https://"].iter().any(|scheme| origin.strip_prefix(scheme) == Some(host));
    if own || app.origins.iter().any(|allowed| allowed == origin) {
        return Ok(());
    }
    let shown: String = origin.chars().take(100).collect();
    let message =
        format!("the origin {shown:?} may not open a WebSocket here; the operator can allow it with --origin");
    Err(ApiError::new(StatusCode::FORBIDDEN, "origin_not_allowed", message))
}

/// The node's JSON-RPC.
pub async fn relay(
    State(app): State<Shared>,
    address: Address,
    request: Request,
) -> Result<Response, ApiError> {
    check_origin(&app, request.headers())?;
    let place = app.relays.take(address)?;
    let (response, upgrade) = websocket::upgrade(request).map_err(|error| {
        ApiError::new(StatusCode::UPGRADE_REQUIRED, "websocket_only", error.to_string())
    })?;
    tokio::spawn(async move {
        let _place = place;
        let ended = match upgrade.finish(MAX_REQUEST).await {
            Ok((sender, receiver)) => pass(&app, sender, receiver).await,
            Err(ended) => ended,
        };
        tracing::debug!(%ended, "a WebSocket ended");
    });
    Ok(response)
}

/// Passes messages until one side ends.
async fn pass(app: &Shared, mut sender: Sender, mut receiver: Receiver) -> Ended {
    let (requests, to_node) = mpsc::channel(WAITING);
    let (answers, mut from_node) = mpsc::channel(WAITING);
    let refusals = answers.clone();
    let node = app.client.relay(to_node, answers);
    let up = async {
        let mut bucket = Bucket::full();
        loop {
            let text = match receiver.receive().await {
                Ok(text) => text,
                Err(ended) => return ended,
            };
            bucket.take().await;
            let sent = match refuse(&text) {
                None => requests.send(text).await.is_ok(),
                Some(refusal) => refusals.send(refusal).await.is_ok(),
            };
            if !sent {
                std::future::pending::<()>().await;
            }
        }
    };
    let down = async {
        loop {
            let text = tokio::time::timeout(PING, from_node.recv()).await;
            let sent = match text {
                Ok(Some(text)) => sender.send(text).await,
                Ok(None) => std::future::pending().await,
                Err(_) => sender.ping().await,
            };
            if let Err(ended) = sent {
                return ended;
            }
        }
    };
    let ended = tokio::select! {
        ended = up => Some(ended),
        ended = down => Some(ended),
        result = node => {
            if let Err(error) = result {
                tracing::debug!(%error, "the node's side of a WebSocket ended");
            }
            None
        }
    };
    match ended {
        Some(ended) => ended,
        None => {
            sender.close().await;
            Ended::because("the node's connection ended")
        }
    }
}

#[derive(Deserialize)]
struct Call<'a> {
    method: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

/// Whether an id is one that the node answers: a text, or a whole number.
fn is_id(id: &RawValue) -> bool {
    let text = id.get();
    let is_text = text.starts_with('"') && text.len() <= MAX_ID;
    is_text || text == "null" || text.parse::<u64>().is_ok()
}

/// The answer to a request that is not passed on.
fn refuse(text: &str) -> Option<String> {
    let error = |id: Option<&RawValue>, code: i32, message: String| {
        let id = id.map_or("null", RawValue::get);
        let error = json!({"code": code, "message": message});
        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
    };
    match serde_json::from_str::<Call<'_>>(text) {
        // Else no answer could be told from another's, and the node's connection gives none.
        Ok(call) if call.id.is_some_and(|id| !is_id(id)) => {
            let message = "the id of a request is a whole number from 0, a text of at most 200 bytes, or null";
            Some(error(None, -32_600, message.to_owned()))
        }
        Ok(call) if is_allowed(&call.method) => None,
        Ok(call) => {
            let method: String = call.method.chars().take(80).collect();
            let message =
                format!("the gateway does not pass {method} on; connect to a node of your own");
            Some(error(call.id, -32_601, message))
        }
        Err(_) => Some(error(None, -32_600, "one request a message, as an object".to_owned())),
    }
}

/// Requests that may still come.
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full() -> Self {
        Self { tokens: BURST, at: Instant::now() }
    }

    async fn take(&mut self) {
        let now = Instant::now();
        self.tokens = (self.tokens + (now - self.at).as_secs_f64() * RATE).min(BURST);
        self.at = now;
        self.tokens -= 1.0;
        if self.tokens < 0.0 {
            tokio::time::sleep(Duration::from_secs_f64(-self.tokens / RATE)).await;
        }
    }
}
