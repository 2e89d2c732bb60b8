//! `GET /v1/config`

use super::network::asked;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};
use axum::extract::State;
use axum::Json;
use openledger_primitives::{QuotaLimits, MAX_ITEMS};
use serde::Serialize;
use utoipa::ToSchema;

/// The chain's money.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// Its name.
    symbol: &'static str,
    /// Decimals.
    decimals: u8,
}

/// What may be submitted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChainLimits {
    /// Files of an account in one UTC day.
    quota_files: u32,
    /// Bytes of an account in one UTC day.
    quota_bytes: u64,
    /// Files of one transaction.
    files_per_call: u32,
}

/// What a client of this gateway has to know first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// The chain's name.
    chain: String,
    /// The hash of its first block.
    genesis_hash: String,
    /// The runtime's version.
    spec_version: u32,
    /// The network number in the text form of accounts.
    ss58_prefix: u16,
    /// Its money.
    token: Token,
    /// Whether everybody knows its keys.
    development: bool,
    /// Whether newcomers are given OPEN here.
    faucet: bool,
    /// Whether one can chat with models here.
    chat: bool,
    /// Where the node's JSON-RPC answers, by WebSocket.
    rpc: &'static str,
    /// What may be submitted.
    limits: ChainLimits,
    /// The gateway's version.
    gateway_version: &'static str,
}

/// What a client of this gateway has to know first.
#[utoipa::path(get, path = "/v1/config", tag = "network", responses(
    (status = 200, body = Config), (status = 503, body = ErrorBody)
))]
pub async fn config(State(app): State<Shared>) -> Result<Json<Config>, ApiError> {
    let client = &app.client;
    let genesis = asked(client.block_hash(0)).await?.unwrap_or_default();
    let kind = asked(client.chain_type()).await?;
    Ok(Json(Config {
        chain: asked(client.status()).await?.chain,
        genesis_hash: hex::encode(genesis.0),
        spec_version: asked(client.spec_version()).await?,
        ss58_prefix: 42,
        token: Token { symbol: "OPEN", decimals: 18 },
        development: matches!(kind.as_str(), "Development" | "Local"),
        faucet: app.uploads.faucet().is_some(),
        chat: app.chat.is_on(),
        rpc: "/rpc",
        limits: ChainLimits {
            quota_files: QuotaLimits::ACCOUNT.files,
            quota_bytes: QuotaLimits::ACCOUNT.bytes,
            files_per_call: MAX_ITEMS,
        },
        gateway_version: env!("CARGO_PKG_VERSION"),
    }))
}
