//! Opening and ending sessions.

use super::{Challenge, Scheme};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Bearer, Json};
use crate::uploads::{origin, Uploads};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use openledger_client::AccountId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who wants to sign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// SS58.
    pub account: String,
    /// `upload`.
    pub purpose: String,
}

/// A signed challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// SS58.
    pub account: String,
    /// The challenge's.
    pub nonce: String,
    /// Hexadecimal, with or without `0x`; 64 bytes (sr25519, ed25519) or 65 (ecdsa), perhaps after the byte
    /// that names the scheme.
    pub signature: String,
    /// By which key; each that fits is tried where it is not said.
    pub scheme: Option<Scheme>,
}

/// An open session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionAnswer {
    /// For the header `Authorization: Bearer`; the gateway keeps its hash only.
    pub token: String,
    /// In milliseconds since 1970.
    pub expires_at: i64,
}

/// Reads an account.
pub(crate) fn account(text: &str) -> Result<AccountId, ApiError> {
    text.parse().map_err(|error| {
        let shown: String = text.chars().take(60).collect();
        ApiError::field("account", format!("{shown:?} is not an account address: {error}"))
    })
}

/// A text to sign, which opens an upload session.
#[utoipa::path(post, path = "/v1/sessions/challenge", tag = "uploads", request_body = ChallengeRequest,
    responses(
        (status = 200, body = Challenge),
        (status = 400, body = ErrorBody, description = "no account, or an unknown purpose"),
        (status = 403, body = ErrorBody, description = "the page is of an origin that is not allowed"),
    ))]
pub async fn challenge(
    State(uploads): State<Uploads>,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<ChallengeRequest>,
) -> Result<axum::Json<Challenge>, ApiError> {
    if request.purpose != "upload" {
        return Err(ApiError::field("purpose", "the purpose of a session is \"upload\""));
    }
    let origin = origin::of(&uploads.options().hosts, &uploads.options().origins, &uri, &headers)?;
    uploads.sessions().challenge(account(&request.account)?, &origin).map(axum::Json)
}

/// Opens a session of at most twelve hours for a registered contributor.
#[utoipa::path(post, path = "/v1/sessions", tag = "uploads", request_body = SessionRequest,
    responses(
        (status = 200, body = SessionAnswer),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody, description = "nonce or signature do not fit"),
        (status = 403, body = ErrorBody, description = "not a registered contributor"),
        (status = 503, body = ErrorBody),
        (status = 507, body = ErrorBody, description = "the disk is full"),
    ))]
pub async fn open(
    State(uploads): State<Uploads>,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<SessionRequest>,
) -> Result<axum::Json<SessionAnswer>, ApiError> {
    let origin = origin::of(&uploads.options().hosts, &uploads.options().origins, &uri, &headers)?;
    let account = account(&request.account)?;
    let digits = request.signature.strip_prefix("0x").unwrap_or(&request.signature);
    let signature = hex::decode(digits).ok().filter(|bytes| (64..=66).contains(&bytes.len()));
    let signature = signature.ok_or_else(|| {
        ApiError::field("signature", "a signature has 64 or 65 bytes in hexadecimal")
    })?;
    // Keys cost nothing, contributors do: so nobody can fill the sessions with strangers.
    uploads.require_contributor(account).await?;
    let opened =
        uploads.sessions().open(account, &origin, &request.nonce, &signature, request.scheme).await;
    let (token, session) = opened?;
    Ok(axum::Json(SessionAnswer { token, expires_at: session.expires }))
}

/// Ends the session of the bearer.
#[utoipa::path(delete, path = "/v1/sessions", tag = "uploads",
    responses((status = 204), (status = 401, body = ErrorBody)))]
pub async fn revoke(
    State(uploads): State<Uploads>,
    Bearer(token): Bearer,
) -> Result<StatusCode, ApiError> {
    let token = token.ok_or_else(|| {
        ApiError::new(StatusCode::UNAUTHORIZED, "no_session", "name the session to end as bearer")
    })?;
    uploads.sessions().of(&token).await?;
    uploads.sessions().revoke(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}
