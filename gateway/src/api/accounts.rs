//! `GET /v1/accounts/{account}` and `GET /v1/accounts/{account}/activity`

use super::board::Pages;
use super::network::asked;
use super::types::{Event, Limits, Page, Worker};
use super::{account as parse, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::storage::EventQuery;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// What is held on an account, for what.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hold {
    /// `pallet.reason`.
    reason: String,
    /// Plancks.
    amount: String,
}

/// A contributor's registration.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contributor {
    /// Who paid the hold.
    depositor: String,
    /// Plancks held on the depositor.
    hold: String,
    /// Time of the last submission.
    last_submission: Option<u64>,
    /// Files waiting for a verdict.
    pending: u32,
}

/// An account's quota today.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// What was submitted today.
    used: Limits,
    /// What may be submitted in a day.
    limits: Limits,
    /// When the next UTC day begins.
    resets_at: u64,
}

/// What an account does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Roles {
    /// Datanets that it curates, at most 100.
    curator_of: Vec<u32>,
    /// Datanets that it owns, at most 100.
    owner_of: Vec<u32>,
    /// Its record as worker.
    worker: Option<Worker>,
}

/// An account as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    /// The account.
    account: String,
    /// Plancks that it can spend, down to the existential deposit.
    balance: String,
    /// Plancks held on it.
    held: String,
    /// What for.
    holds: Vec<Hold>,
    /// Transactions that it sent.
    nonce: u32,
    /// Its registration as contributor.
    contributor: Option<Contributor>,
    /// Its quota.
    quota: Quota,
    /// What it does.
    roles: Roles,
}

/// An account as it is now, at the node's best block.
#[utoipa::path(get, path = "/v1/accounts/{account}", tag = "accounts",
    params(("account" = String, Path)), responses(
    (status = 200, body = Account), (status = 400, body = ErrorBody), (status = 503, body = ErrorBody)
))]
pub async fn account(
    State(index): State<Index>,
    Part(text): Part<String>,
) -> Result<Json<Account>, ApiError> {
    let who = parse("account", &text)?;
    let node = index.node()?;
    let balance = asked(node.balance(who)).await?;
    let contributor = asked(node.contributor(who)).await?;
    let quota = asked(node.quota(who)).await?;
    let roles = index.read(move |storage| {
        Ok(Roles {
            curator_of: storage.curated(&who)?,
            owner_of: storage.owned(&who)?,
            worker: storage.worker(&who)?,
        })
    });
    let used = quota.used.on(quota.day);
    Ok(Json(Account {
        account: who.to_string(),
        balance: balance.free.to_string(),
        held: balance.held.to_string(),
        holds: balance
            .holds
            .into_iter()
            .map(|(reason, amount)| Hold { reason, amount: amount.to_string() })
            .collect(),
        nonce: balance.nonce,
        contributor: contributor.map(|record| Contributor {
            depositor: record.depositor.to_string(),
            hold: record.hold.to_string(),
            last_submission: record.last_submission,
            pending: record.pending,
        }),
        quota: Quota {
            used: Limits { files: used.files, bytes: used.bytes },
            limits: Limits { files: quota.limits.files, bytes: quota.limits.bytes },
            resets_at: (u64::from(quota.day) + 1) * DAY,
        },
        roles: roles.await?,
    }))
}

/// Events that name an account, newest first.
#[utoipa::path(get, path = "/v1/accounts/{account}/activity", tag = "accounts",
    params(("account" = String, Path), Pages), responses(
    (status = 200, body = Page<Event>), (status = 400, body = ErrorBody)
))]
pub async fn activity(
    State(index): State<Index>,
    Part(text): Part<String>,
    Query(query): Query<Pages>,
) -> Result<Json<Page<Event>>, ApiError> {
    let who = parse("account", &text)?;
    let page = page(query.cursor, query.limit)?;
    let wanted = EventQuery { kind: None, account: Some(who.to_string()) };
    Ok(Json(index.read(move |storage| storage.events(&wanted, &page)).await?))
}
