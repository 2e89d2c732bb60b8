//! `GET /v1/config`

use crate::app::Shared;
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
    /// The version of the runtime when the node last answered.
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
    /// Hosts whose documentation agents may ask, beside this gateway's own.
    knowledge_hosts: Vec<String>,
    /// Where the node's JSON-RPC answers, by WebSocket.
    rpc: &'static str,
    /// What may be submitted.
    limits: ChainLimits,
    /// The gateway's version.
    gateway_version: &'static str,
}

/// What a client of this gateway has to know first; answered without the node, too.
#[utoipa::path(get, path = "/v1/config", tag = "network", responses((status = 200, body = Config)))]
pub async fn config(State(app): State<Shared>) -> Json<Config> {
    let about = &app.about;
    Json(Config {
        chain: about.chain.clone(),
        genesis_hash: hex::encode(about.genesis),
        spec_version: app.index.pulse().last().map_or(0, |seen| seen.spec),
        ss58_prefix: 42,
        token: Token { symbol: "OPEN", decimals: 18 },
        development: about.development,
        faucet: app.uploads.faucet().is_some(),
        chat: app.chat.is_on(),
        knowledge_hosts: app.chat.agents().hosts().iter().map(ToString::to_string).collect(),
        rpc: "/rpc",
        limits: ChainLimits {
            quota_files: QuotaLimits::ACCOUNT.files,
            quota_bytes: QuotaLimits::ACCOUNT.bytes,
            files_per_call: MAX_ITEMS,
        },
        gateway_version: env!("CARGO_PKG_VERSION"),
    })
}
