//! Sealed copies of keys that browsers made, by the id of the passkey that opens them.
//!
//! The gateway cannot open what it keeps. Nor does it show it to whoever knows a passkey's id: a browser
//! derives, from the secret that seals the key, 32 more bytes, and shows them as `Vault-Key`; their hash is
//! kept with the first copy and asked for ever after. What is absent and what is not shown look the same.

use crate::error::{ApiError, ErrorBody};
use crate::extract::{small, Address, Path};
use crate::uploads::database::{none_is, now};
use crate::uploads::Uploads;
use axum::body::Body;
use axum::extract::State;
use axum::http::{header, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes of a sealed key, at most.
const MAX_SEALED: usize = 4 << 10;
/// Keys in all.
const MAX_KEYS: i64 = 100_000;
/// New keys of a network address a day.
const NEW_ADDRESS: u32 = 20;
/// New keys a day.
const NEW_DAY: u32 = 5_000;
/// Times a day that a network address may ask for what it does not get.
const FAILED_ADDRESS: u32 = 200;

/// A credential's id as WebAuthn's base64url writes it: at most 1,023 bytes.
fn credential(text: String) -> Result<String, ApiError> {
    let fits = (16..=1364).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    match fits {
        true => Ok(text),
        false => Err(ApiError::field(
            "credentialId",
            "a credential's id is written as 16 to 1364 characters of base64url",
        )),
    }
}

fn access(headers: &HeaderMap) -> Result<[u8; 32], ApiError> {
    let given = headers.get("vault-key").and_then(|value| value.to_str().ok());
    let key = given.and_then(|text| hex::decode(text).ok()).filter(|key| key.len() == 32);
    let key = key.ok_or_else(|| {
        ApiError::field("Vault-Key", "the header Vault-Key has 32 bytes in hexadecimal")
    })?;
    Ok(Sha256::digest(key).into())
}

type Kept = Option<([u8; 32], Vec<u8>)>;

impl Uploads {
    async fn kept(&self, credential: &str) -> Result<Kept, ApiError> {
        let (sql, credential) =
            ("SELECT access, sealed FROM vault WHERE credential = ?1", credential.to_owned());
        self.database()
            .run(move |db| {
                db.query_row(sql, [credential], |row| Ok(Some((row.get(0)?, row.get(1)?))))
                    .or_else(none_is(None))
            })
            .await
    }

    /// The sealed key of whoever knows its `Vault-Key`.
    async fn opened(
        &self,
        credential: &str,
        access: &[u8; 32],
        address: Address,
    ) -> Result<Vec<u8>, ApiError> {
        let kept = self.kept(credential).await?;
        // Compared also where there is nothing.
        let (known, sealed) = kept.unwrap_or(([0; 32], Vec::new()));
        if bool::from(known.ct_eq(access)) {
            return Ok(sealed);
        }
        let counted = self.database().count("vault failed", address.0.to_string(), FAILED_ADDRESS);
        match counted.await? {
            true => Err(ApiError::not_found("no key is kept under this id and Vault-Key")),
            false => {
                Err(ApiError::too_many(3600, "your network address has asked too often today"))
            }
        }
    }
}

/// A sealed key.
#[utoipa::path(get, path = "/v1/vault/{credentialId}", tag = "vault",
    params(("credentialId" = String, Path, description = "base64url"),
        ("Vault-Key" = String, Header, description = "32 bytes in hexadecimal")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 429, body = ErrorBody)))]
pub async fn read(
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    address: Address,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sealed = uploads.opened(&credential(id)?, &access(&headers)?, address).await?;
    let mut response = sealed.into_response();
    crate::ipfs::harmless(&mut response, "application/octet-stream", "key.sealed");
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Keeps a sealed key of at most 4 KiB, or replaces it.
#[utoipa::path(put, path = "/v1/vault/{credentialId}", tag = "vault",
    params(("credentialId" = String, Path, description = "base64url"),
        ("Vault-Key" = String, Header, description = "32 bytes in hexadecimal")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 429, body = ErrorBody), (status = 507, body = ErrorBody)))]
pub async fn write(
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let (id, access) = (credential(id)?, access(&headers)?);
    let sealed = small(body, MAX_SEALED).await?;
    if sealed.is_empty() {
        return Err(ApiError::field("body", "there is nothing to keep"));
    }
    if uploads.kept(&id).await?.is_some() {
        uploads.opened(&id, &access, address).await?;
    } else {
        let who = address.0.to_string();
        if !uploads.database().count("vault new", who.clone(), NEW_ADDRESS).await? {
            return Err(ApiError::too_many(
                3600,
                "your network address has kept enough keys today",
            ));
        }
        if !uploads.database().count("vault new", String::new(), NEW_DAY).await? {
            uploads.database().uncount("vault new", who).await?;
            return Err(ApiError::too_many(3600, "enough keys were kept here today"));
        }
    }
    let stored = uploads.database().run(move |db| {
        let transaction = db.transaction()?;
        let all: i64 = transaction.query_row("SELECT count(*) FROM vault", [], |row| row.get(0))?;
        let sql = "INSERT INTO vault VALUES(?1, ?2, ?3, ?4)
                   ON CONFLICT(credential) DO UPDATE SET sealed = ?3, changed = ?4 WHERE access = ?2";
        let changed = transaction.execute(sql, (&id, access, sealed.as_ref(), now()))?;
        let after: i64 = transaction.query_row("SELECT count(*) FROM vault", [], |row| row.get(0))?;
        if after > all && after > MAX_KEYS {
            return Ok(None);
        }
        transaction.commit()?;
        Ok(Some(changed))
    });
    match stored.await? {
        Some(1) => Ok(StatusCode::NO_CONTENT),
        // Another request with another key came first.
        Some(_) => Err(ApiError::not_found("no key is kept under this id and Vault-Key")),
        None => Err(ApiError::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "storage_full",
            format!("this gateway keeps {MAX_KEYS} keys and no more; keep the backup file"),
        )),
    }
}

/// Forgets a sealed key.
#[utoipa::path(delete, path = "/v1/vault/{credentialId}", tag = "vault",
    params(("credentialId" = String, Path, description = "base64url"),
        ("Vault-Key" = String, Header, description = "32 bytes in hexadecimal")),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub async fn remove(
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    address: Address,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let (id, access) = (credential(id)?, access(&headers)?);
    uploads.opened(&id, &access, address).await?;
    let sql = "DELETE FROM vault WHERE credential = ?1 AND access = ?2";
    uploads.database().run(move |db| db.execute(sql, (id, access)).map(drop)).await?;
    Ok(StatusCode::NO_CONTENT)
}
