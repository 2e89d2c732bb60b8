//! Reading and signing instructions.

use super::document::{text, Instructions, Signed};
use super::hosts::markdown;
use super::receipts::List;
use super::store::{not_next, Kept, MAX_VERSION};
use super::{document, Agents};
use crate::api::types::Page;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{small, Path, Query};
use crate::sessions::api::account;
use crate::sessions::{verify, Scheme};
use crate::uploads::database::now;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use openledger_client::AccountId;
use openledger_primitives::JobId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Bytes of a request: system text and sources, each letter perhaps escaped.
const MAX_BODY: usize = 64 << 10;

/// What an owner wants to sign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftRequest {
    /// The adapter's owner, SS58.
    pub account: String,
    /// What the agent is told, and whom it asks.
    pub instructions: Instructions,
}

/// A text to sign.
#[derive(Debug, Serialize, ToSchema)]
pub struct Draft {
    /// The version that it is of: the one after the highest.
    pub version: u32,
    /// What is signed, between `<Bytes>` and `</Bytes>`, byte for byte.
    pub text: String,
}

/// Signed instructions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// The adapter's owner, who signed; SS58.
    pub account: String,
    /// The draft's version, or a higher one.
    pub version: u32,
    /// As in the draft.
    pub instructions: Instructions,
    /// Hexadecimal, with or without `0x`; 64 bytes (sr25519, ed25519) or 65 (ecdsa), perhaps after the byte
    /// that names the scheme.
    pub signature: String,
    /// By which key; each that fits is tried where it is not said.
    pub scheme: Option<Scheme>,
}

/// A version of an adapter's instructions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InstructionsVersion {
    /// The adapter.
    pub adapter: u64,
    /// Its number; versions only grow.
    pub version: u32,
    /// The adapter's owner, who signed; SS58.
    pub account: String,
    /// What the agent is told, and whom it asks.
    pub instructions: Instructions,
    /// What was signed, between `<Bytes>` and `</Bytes>`.
    pub text: String,
    /// The signature, hexadecimal.
    pub signature: String,
    /// The file with text, account and signature on IPFS.
    pub content: String,
    /// When it came, milliseconds since 1970.
    pub at: i64,
}

impl From<Kept> for InstructionsVersion {
    fn from(kept: Kept) -> Self {
        Self {
            adapter: kept.adapter,
            version: kept.version,
            account: kept.account.to_string(),
            instructions: kept.instructions,
            text: kept.text,
            signature: hex::encode(kept.signature),
            content: kept.content,
            at: kept.at,
        }
    }
}

async fn body<T: DeserializeOwned>(body: Body) -> Result<T, ApiError> {
    let bytes = small(body, MAX_BODY).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::field("body", format!("the body is not as described: {error}")))
}

impl Agents {
    fn check(&self, instructions: &Instructions) -> Result<(), ApiError> {
        instructions.check()?;
        let outside = instructions.sources.iter().filter(|source| *source != document::OWN);
        outside.map(|source| markdown(source, self.hosts())).try_for_each(|page| page.map(drop))
    }

    /// Refuses whoever is not the adapter's owner.
    async fn require_owner(&self, adapter: JobId, account: AccountId) -> Result<(), ApiError> {
        let owner = self.chain().owner(adapter).await?;
        let owner = owner.ok_or_else(|| {
            ApiError::not_found(format!(
                "there is no adapter {adapter}; an adapter has its job's number once the job is completed"
            ))
        })?;
        match owner == account {
            true => Ok(()),
            false => Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "not_the_owner",
                format!("adapter {adapter} is {owner}'s, and only its owner instructs it"),
            )),
        }
    }
}

/// The instructions of an adapter as they hold now.
#[utoipa::path(get, path = "/v1/adapters/{id}/instructions", tag = "agents", params(("id" = u64, Path)),
    responses((status = 200, body = InstructionsVersion), (status = 404, body = ErrorBody)))]
pub async fn latest(
    State(agents): State<Agents>,
    Path(adapter): Path<JobId>,
) -> Result<axum::Json<InstructionsVersion>, ApiError> {
    let found = agents.store().latest(adapter).await?;
    let none = || ApiError::not_found(format!("adapter {adapter} has no instructions here"));
    found.map(|kept| axum::Json(kept.into())).ok_or_else(none)
}

/// All versions of an adapter's instructions, the highest first.
#[utoipa::path(get, path = "/v1/adapters/{id}/instructions/versions", tag = "agents",
    params(("id" = u64, Path), List),
    responses((status = 200, body = Page<InstructionsVersion>), (status = 400, body = ErrorBody)))]
pub async fn versions(
    State(agents): State<Agents>,
    Path(adapter): Path<JobId>,
    Query(list): Query<List>,
) -> Result<axum::Json<Page<InstructionsVersion>>, ApiError> {
    let query = crate::api::page(list.cursor, list.limit)?;
    let (items, next) = agents.store().versions(adapter, &query).await?;
    Ok(axum::Json(Page { items: items.into_iter().map(Into::into).collect(), next }))
}

/// One version of an adapter's instructions.
#[utoipa::path(get, path = "/v1/adapters/{id}/instructions/versions/{version}", tag = "agents",
    params(("id" = u64, Path), ("version" = u32, Path)),
    responses((status = 200, body = InstructionsVersion), (status = 404, body = ErrorBody)))]
pub async fn version(
    State(agents): State<Agents>,
    Path((adapter, version)): Path<(JobId, u32)>,
) -> Result<axum::Json<InstructionsVersion>, ApiError> {
    let found = agents.store().version(adapter, version).await?;
    let none = || {
        ApiError::not_found(format!(
            "adapter {adapter}'s instructions have no version {version} here"
        ))
    };
    found.map(|kept| axum::Json(kept.into())).ok_or_else(none)
}

/// The text that an adapter's owner signs for new instructions.
#[utoipa::path(post, path = "/v1/adapters/{id}/instructions/draft", tag = "agents",
    params(("id" = u64, Path)), request_body = DraftRequest,
    responses(
        (status = 200, body = Draft),
        (status = 400, body = ErrorBody, description = "too long, hidden characters, or a host that is not allowed"),
        (status = 403, body = ErrorBody, description = "another's adapter"),
        (status = 404, body = ErrorBody, description = "no such adapter"),
    ))]
pub async fn draft(
    State(agents): State<Agents>,
    Path(adapter): Path<JobId>,
    request: Body,
) -> Result<axum::Json<Draft>, ApiError> {
    let DraftRequest { account: name, instructions } = body(request).await?;
    agents.check(&instructions)?;
    let owner = account(&name)?;
    agents.require_owner(adapter, owner).await?;
    let version = agents.store().latest(adapter).await?.map_or(0, |kept| kept.version) + 1;
    let text = text(agents.genesis(), adapter, &owner, version, &instructions);
    Ok(axum::Json(Draft { version, text }))
}

/// Keeps instructions that the adapter's owner signed. What is signed is the text of the draft, which follows
/// from the fields (docs/agents.md). Versions only grow; older ones stay readable.
#[utoipa::path(put, path = "/v1/adapters/{id}/instructions", tag = "agents",
    params(("id" = u64, Path)), request_body = SignedRequest,
    responses(
        (status = 200, body = InstructionsVersion),
        (status = 400, body = ErrorBody, description = "too long, hidden characters, or a host that is not allowed"),
        (status = 401, body = ErrorBody, description = "the signature does not fit"),
        (status = 403, body = ErrorBody, description = "another's adapter"),
        (status = 404, body = ErrorBody, description = "no such adapter"),
        (status = 409, body = ErrorBody, description = "a version that is not higher than all before"),
        (status = 429, body = ErrorBody), (status = 507, body = ErrorBody),
    ))]
pub async fn put(
    State(agents): State<Agents>,
    Path(adapter): Path<JobId>,
    request: Body,
) -> Result<axum::Json<InstructionsVersion>, ApiError> {
    let SignedRequest { account: name, version, instructions, signature, scheme } =
        body(request).await?;
    agents.check(&instructions)?;
    if version == 0 || version > MAX_VERSION {
        let message = format!("a version is a number from 1 to {MAX_VERSION}");
        return Err(ApiError::field("version", message));
    }
    let owner = account(&name)?;
    let digits = signature.strip_prefix("0x").unwrap_or(&signature);
    let signature = hex::decode(digits).ok().filter(|bytes| (64..=66).contains(&bytes.len()));
    let signature = signature.ok_or_else(|| {
        ApiError::field("signature", "a signature has 64 or 65 bytes in hexadecimal")
    })?;
    let text = text(agents.genesis(), adapter, &owner, version, &instructions);
    // Before the chain is asked, so that only who holds a key can have it asked.
    if !verify(&owner, text.as_bytes(), &signature, scheme) {
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "wrong_signature",
            "the signature is not this account's over <Bytes>, the draft's text and </Bytes>",
        ));
    }
    agents.require_owner(adapter, owner).await?;
    // Said before anything is kept; the store decides where two come at once.
    let highest = agents.store().latest(adapter).await?.map_or(0, |kept| kept.version);
    if version <= highest {
        return Err(not_next(adapter, version, highest));
    }
    let file =
        Signed { account: owner.to_string(), signature: hex::encode(&signature), text: &text };
    let content = agents.publisher().publish(file.file()?).await?.to_string();
    let kept = Kept {
        adapter,
        version,
        account: owner,
        instructions,
        text,
        signature,
        content,
        at: now(),
    };
    agents.store().add(kept.clone()).await?;
    tracing::info!(adapter, version, content = kept.content, "new agent instructions");
    Ok(axum::Json(kept.into()))
}
