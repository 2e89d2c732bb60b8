//! What can be asked, and how much.

use super::budget::Remaining;
use super::outside::OutsideError;
use super::servers::Server;
use super::Chat;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Bearer};
use axum::extract::State;
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use futures::future::join_all;
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// How long a list of models counts.
const FRESH: Duration = Duration::from_secs(15);
/// Time for a server to tell its models.
const TIME: Duration = Duration::from_secs(10);
/// Bytes of a list of models.
const MAX_LIST: usize = 1 << 20;
/// Models of a server that are shown.
const MAX_MODELS: usize = 200;
/// Longest name of a model.
pub(super) const MAX_NAME: usize = 200;

/// A model of a server.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Its name, for `model`.
    pub id: String,
    /// Tokens of prompt and answer together, where the server says it.
    #[serde(default, alias = "context_length")]
    pub context_length: Option<u64>,
}

/// An adapter on chain that fits a server's base model.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdapterChoice {
    /// Its number.
    pub id: u64,
    /// Its name, for `model`.
    pub model: String,
    /// The adapter that it was trained further from.
    pub parent: Option<u64>,
    /// The sha256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Whether a leaf that it was trained on was revoked since.
    pub holds_revoked: bool,
    /// The version of its owner's instructions, where it answers by some (docs/agents.md).
    pub instructions: Option<u32>,
}

/// What a server of answers has.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerModels {
    /// Its name, for `server`.
    pub server: String,
    /// Why it cannot be asked now, or not for all that it has.
    pub error: Option<String>,
    /// Models that it names.
    pub models: Vec<Model>,
    /// The sha256 of its base model's weights, where it says it.
    pub base_sha256: Option<String>,
    /// The number of that base model on chain, where it is registered.
    pub base_model: Option<u32>,
    /// Adapters of that base model, the newest first, at most 200; a server that knows the chain fetches
    /// them when they are asked for.
    pub adapters: Vec<AdapterChoice>,
}

/// What can be asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelsAnswer {
    /// The operator's servers.
    pub items: Vec<ServerModels>,
    /// What is left for who asks.
    pub budget: Remaining,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Described {
    openledger: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    base_sha256: String,
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn collect(
    body: hyper::body::Incoming,
    limit: usize,
    host: &str,
) -> Result<Bytes, OutsideError> {
    let failed = |reason: String| OutsideError::Unreachable { host: host.to_owned(), reason };
    let collected = tokio::time::timeout(TIME, Limited::new(body, limit).collect()).await;
    let collected = collected.map_err(|_| failed("its answer takes too long".to_owned()))?;
    Ok(collected.map_err(|error| failed(error.to_string()))?.to_bytes())
}

async fn ask<T: serde::de::DeserializeOwned>(
    chat: &Chat,
    server: &Server,
    path: &str,
) -> Result<T, OutsideError> {
    let failed = |reason: String| OutsideError::Unreachable { host: server.name.clone(), reason };
    let key = server.key.as_deref();
    let request =
        chat.0.outside.request(&server.target, server.trust, Method::GET, path, key, Bytes::new());
    let answer = tokio::time::timeout(TIME, request).await;
    let answer = answer.map_err(|_| failed(format!("no answer within {} s", TIME.as_secs())))??;
    let status = answer.response.status();
    let body = collect(answer.response.into_body(), MAX_LIST, &server.name).await?;
    if status != StatusCode::OK {
        return Err(failed(format!("it answers with status {}", status.as_u16())));
    }
    serde_json::from_slice(&body)
        .map_err(|error| failed(format!("its list cannot be read: {error}")))
}

async fn of_server(chat: &Chat, server: &Server) -> ServerModels {
    let mut found = ServerModels {
        server: server.name.clone(),
        error: None,
        models: Vec::new(),
        base_sha256: None,
        base_model: None,
        adapters: Vec::new(),
    };
    match ask::<List>(chat, server, "/models").await {
        Err(error) => found.error = Some(error.to_string()),
        Ok(List { mut data }) => {
            let told = data.len();
            data.retain(|model| is_name(&model.id));
            data.truncate(MAX_MODELS);
            if data.len() < told {
                found.error = Some(format!(
                    "shown are {} of its {told} models: names have 1 to {MAX_NAME} visible ASCII letters, and \
                     at most {MAX_MODELS} are shown",
                    data.len()
                ));
            }
            found.models = data;
        }
    }
    // Servers of ours say what their base is; the first model is the base.
    let first = found.models.first().map(|model| model.id.clone());
    let Some(first) = first.filter(|name| name.bytes().all(|b| b != b'/' && b != b'?')) else {
        return found;
    };
    let described = ask::<Described>(chat, server, &format!("/models/{first}")).await;
    let Ok(Described { openledger: Some(Named { base_sha256 }) }) = described else { return found };
    let Some(weights) = hex::decode(&base_sha256).ok().and_then(|b| <[u8; 32]>::try_from(b).ok())
    else {
        return found;
    };
    found.base_sha256 = Some(hex::encode(weights));
    let adapters = match chat.0.chain.adapters(weights).await {
        Ok(adapters) => adapters,
        Err(error) => {
            found.error = Some(error.body().error.message);
            return found;
        }
    };
    if let Some(of_base) = adapters {
        found.base_model = Some(of_base.base);
        found.adapters = of_base
            .adapters
            .into_iter()
            .map(|adapter| AdapterChoice {
                id: adapter.id,
                model: format!("openledger:{}", adapter.id),
                parent: adapter.parent,
                sha256: hex::encode(adapter.sha256),
                holds_revoked: adapter.holds_revoked,
                // Said when it is answered.
                instructions: None,
            })
            .collect();
    }
    found
}

/// Whether a text can be a model's name: visible ASCII, 1 to 200 letters.
pub(super) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}

/// What can be asked, as the servers say, and what is left for who asks.
#[utoipa::path(get, path = "/v1/chat/models", tag = "chat",
    responses((status = 200, body = ModelsAnswer), (status = 500, body = ErrorBody)))]
pub async fn models(
    State(chat): State<Chat>,
    bearer: Bearer,
    address: Address,
) -> Result<axum::Json<ModelsAnswer>, ApiError> {
    let budget = chat.0.budgets.remaining(chat.asker(bearer, address).await?)?;
    // Held while the servers are asked, so that many who come at once ask them once.
    let mut known = chat.0.models.lock().await;
    let mut items = match known.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
        Some((_, items)) => items.clone(),
        None => {
            let asked = chat.0.servers.iter().map(|server| of_server(&chat, server));
            let items = join_all(asked).await;
            *known = Some((Instant::now(), items.clone()));
            items
        }
    };
    drop(known);
    // Who has just instructed an adapter is told so: what this gateway keeps itself is never old.
    let adapters = || items.iter().flat_map(|server| &server.adapters);
    let instructed = chat.0.agents.active(adapters().map(|adapter| adapter.id).collect()).await?;
    for adapter in items.iter_mut().flat_map(|server| &mut server.adapters) {
        adapter.instructions = instructed.get(&adapter.id).copied();
    }
    Ok(axum::Json(ModelsAnswer { items, budget }))
}

/// How many tokens are left today for who asks.
#[utoipa::path(get, path = "/v1/chat/budget", tag = "chat",
    responses((status = 200, body = Remaining), (status = 500, body = ErrorBody)))]
pub async fn budget(
    State(chat): State<Chat>,
    bearer: Bearer,
    address: Address,
) -> Result<axum::Json<Remaining>, ApiError> {
    chat.0.budgets.remaining(chat.asker(bearer, address).await?).map(axum::Json)
}
