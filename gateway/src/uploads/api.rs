//! `/v1/blobs/{sha256}`.

use super::named::Role;
use super::receive::{self, Expected, Place, Who, UPLOAD_MEMORY};
use super::staging::{Claim, Day};
use super::Uploads;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Bearer, Path, Query};
use crate::sessions::Session;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{header, HeaderMap, StatusCode};
use openledger_primitives::{
    api::SubmissionItem, ContentCodec, ContentId, FileHash, MediaType, QuotaLimits, RefusalRule,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Bytes of a file, at most: no account may submit more in a day.
pub const MAX_FILE: u64 = QuotaLimits::ACCOUNT.bytes;
/// Bytes of a file that is one raw block.
const BLOCK: u64 = openledger_content::CHUNK_BYTES as u64;

/// What is announced with the bytes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PutQuery {
    /// Bytes of the whole file.
    pub size: u64,
    /// The Datanet that it is for: with `media`, its rules are checked before a byte is read.
    pub datanet: Option<u32>,
    /// Its format: `md`, `pdf`, `docx`, `txt`, `png`, `jpg`, `jpeg`, `webp`, `tiff`, `bmp`, `wav`, `mp3`, `flac`.
    pub media: Option<String>,
}

/// What is there of a file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlobState {
    /// Its sha2-256.
    pub sha256: String,
    /// Bytes that are there: where to go on.
    pub received: u64,
    /// Bytes of the whole file, where they were announced.
    pub size: Option<u64>,
    /// Whether all of it is there and has this hash.
    pub complete: bool,
    /// Its content id, computed here; once it is complete.
    pub content: Option<String>,
    /// Whether a submission on chain names it.
    pub named: bool,
    /// When it is dropped if no submission names it, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

/// Reads a hash; nothing else of a path is ever looked at.
pub(crate) fn hash(text: &str) -> Result<FileHash, ApiError> {
    let lower = text.len() == 64 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let bytes = lower.then(|| hex::decode(text).ok()).flatten();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        ApiError::field("sha256", "a sha256 is written as 64 lower-case hexadecimal digits")
    })
}

/// Reads a format.
pub(crate) fn media(text: &str) -> Result<MediaType, ApiError> {
    MediaType::from_extension(text).ok_or_else(|| {
        let known: Vec<&str> = MediaType::ALL.into_iter().map(MediaType::extension).collect();
        let shown: String = text.chars().take(20).collect();
        ApiError::field("media", format!("{shown:?} is no format; known are {}", known.join(", ")))
    })
}

/// What is there of a file. Without a session, only what is complete.
#[utoipa::path(get, path = "/v1/blobs/{sha256}", tag = "uploads",
    params(("sha256" = String, Path, description = "64 hexadecimal digits")),
    responses((status = 200, body = BlobState), (status = 401, body = ErrorBody)))]
pub async fn state(
    State(uploads): State<Uploads>,
    Path(sha256): Path<String>,
    bearer: Bearer,
) -> Result<axum::Json<BlobState>, ApiError> {
    let sha256 = hash(&sha256)?;
    let session = uploads.session(&bearer).await?;
    uploads.blob_state(sha256, session.as_ref()).await.map(axum::Json)
}

/// Sends a file, or the rest of it from the byte that `Upload-Offset` (or `Content-Range`) names. The same
/// request again does no harm.
#[utoipa::path(put, path = "/v1/blobs/{sha256}", tag = "uploads",
    params(("sha256" = String, Path, description = "64 hexadecimal digits"), PutQuery,
        ("Upload-Offset" = Option<u64>, Header, description = "bytes that are there already")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = BlobState),
        (status = 401, body = ErrorBody, description = "no session, and no pending submission names the file"),
        (status = 403, body = ErrorBody, description = "not a registered contributor"),
        (status = 408, body = ErrorBody, description = "too slow; what came stays"),
        (status = 409, body = ErrorBody, description = "beyond the quota, refused by the Datanet's rules, or another offset"),
        (status = 413, body = ErrorBody), (status = 422, body = ErrorBody, description = "another sha256"),
        (status = 429, body = ErrorBody), (status = 503, body = ErrorBody), (status = 507, body = ErrorBody),
    ))]
pub async fn put(
    State(uploads): State<Uploads>,
    Path(sha256): Path<String>,
    Query(query): Query<PutQuery>,
    bearer: Bearer,
    address: Address,
    request: Request,
) -> Result<axum::Json<BlobState>, ApiError> {
    let (parts, body) = request.into_parts();
    let (sha256, query) = match hash(&sha256) {
        Ok(sha256) => (sha256, query),
        Err(error) => return refuse(body, error).await,
    };
    match uploads.admit(sha256, &query, &bearer, address, &parts.headers).await {
        Err(error) => refuse(body, error).await,
        Ok(Admitted::There(state)) => {
            receive::drain(body, MAX_FILE).await;
            Ok(axum::Json(state))
        }
        Ok(Admitted::Send(admission)) => {
            uploads.take(sha256, &query, *admission, body).await.map(axum::Json)
        }
    }
}

/// Drops an upload of the session's account that no submission names, and gives its room back.
#[utoipa::path(delete, path = "/v1/blobs/{sha256}", tag = "uploads",
    params(("sha256" = String, Path, description = "64 hexadecimal digits")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub async fn remove(
    State(uploads): State<Uploads>,
    Path(sha256): Path<String>,
    bearer: Bearer,
) -> Result<StatusCode, ApiError> {
    let sha256 = hash(&sha256)?;
    let session = uploads.session(&bearer).await?.ok_or_else(no_session)?;
    uploads.give_up(sha256, session.account).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn refuse<T>(body: Body, error: ApiError) -> Result<T, ApiError> {
    receive::drain(body, MAX_FILE).await;
    Err(error)
}

fn no_session() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "no_session",
        "no pending submission names this file, so it takes an upload session: \
         POST /v1/sessions/challenge",
    )
}

/// What a request may do.
enum Admitted {
    /// Nothing: all is there.
    There(BlobState),
    Send(Box<Admission>),
}

struct Admission {
    offset: u64,
    session: Option<Session>,
    place: Place,
    memory: openledger_http::Share,
}

fn offset(headers: &HeaderMap, size: u64) -> Result<u64, ApiError> {
    let text =
        |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let wrong = |name: &str, value: &str| {
        let shown: String = value.chars().take(60).collect();
        ApiError::field(name, format!("{name} {shown:?} names no byte of a file of {size} bytes"))
    };
    if let Some(value) = text(header::HeaderName::from_static("upload-offset")) {
        let offset = value.parse().ok().filter(|offset| *offset < size);
        return offset.ok_or_else(|| wrong("Upload-Offset", value));
    }
    let Some(value) = text(header::CONTENT_RANGE) else { return Ok(0) };
    // bytes FIRST-LAST/SIZE
    let range = value.strip_prefix("bytes ").and_then(|rest| rest.split_once('/'));
    let first = range.filter(|(_, all)| all.parse() == Ok(size)).and_then(|(range, _)| {
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last && last < size).then_some(first)
    });
    first.ok_or_else(|| wrong("Content-Range", value))
}

impl Uploads {
    async fn blob_state(
        &self,
        sha256: FileHash,
        session: Option<&Session>,
    ) -> Result<BlobState, ApiError> {
        let named = self.file(sha256).await?.is_some();
        let claim = match session {
            Some(session) => self.0.staging.claim_of(session.account, sha256).await?,
            None => None,
        };
        let keep = self.options().arguments.keep_unnamed.saturating_mul(1000);
        let ends = |since: i64| since.saturating_add(i64::try_from(keep).unwrap_or(i64::MAX));
        let expires = |claim: Option<Claim>, needed: Option<i64>| {
            let since = claim.map(|claim| claim.made).max(needed);
            since.filter(|_| !named).map(ends)
        };
        if let Some(blob) = self.blobs().find(sha256).await? {
            return Ok(BlobState {
                sha256: hex::encode(sha256),
                received: blob.size,
                size: Some(blob.size),
                complete: true,
                content: Some(blob.content.to_string()),
                named,
                expires_at: expires(claim, Some(blob.needed)),
            });
        }
        let received =
            session.map_or(0, |session| self.0.staging.received(&session.account, &sha256));
        Ok(BlobState {
            sha256: hex::encode(sha256),
            received,
            size: claim.map(|claim| claim.size),
            complete: false,
            content: None,
            named,
            expires_at: expires(claim, None),
        })
    }

    /// Decides before a byte is read.
    async fn admit(
        &self,
        sha256: FileHash,
        query: &PutQuery,
        bearer: &Bearer,
        address: Address,
        headers: &HeaderMap,
    ) -> Result<Admitted, ApiError> {
        let size = query.size;
        if size == 0 {
            return Err(ApiError::field("size", "an empty file is not taken"));
        }
        if size > MAX_FILE {
            return Err(ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("{size} bytes; a file has at most {MAX_FILE}"),
            ));
        }
        let media = query.media.as_deref().map(media).transpose()?;
        let offset = offset(headers, size)?;
        let session = self.session(bearer).await?;
        let named = self.file(sha256).await?;
        if let Some(other) = named.and_then(|named| named.size).filter(|other| *other != size) {
            let message = format!("the submission of this file names {other} bytes");
            return Err(ApiError::field("size", message));
        }
        let blob = self.blobs().find(sha256).await?;
        if blob.is_some() && (named.is_some() || session.is_none()) {
            return match named {
                Some(_) => Ok(Admitted::There(self.blob_state(sha256, session.as_ref()).await?)),
                None => Err(no_session()),
            };
        }
        if let Some(blob) = blob.filter(|blob| blob.size != size) {
            let message = format!("the file of this sha256 has {} bytes", blob.size);
            return Err(ApiError::field("size", message));
        }
        let mut who = vec![Who::Address(address), Who::All];
        match (&session, &named) {
            (Some(session), _) => {
                who.extend([Who::Account(session.account.0), Who::File(session.account.0, sha256)]);
            }
            (None, Some(named)) if named.role == Role::Pending => who.push(Who::Unsigned),
            // What is accepted was here, or can be fetched.
            (None, _) => return Err(no_session()),
        }
        let place = self.0.places.take(who)?;
        if blob.is_none() {
            self.check_disk(size).await?;
        }
        let mut memory = self.budget().share();
        memory.grow(UPLOAD_MEMORY)?;
        // What is claimed is counted already.
        let unclaimed = if named.is_some() { size } else { 0 };
        let Some(session) = session else {
            self.blobs().make_room(unclaimed, self.options().arguments.storage).await?;
            return match offset {
                0 => {
                    Ok(Admitted::Send(Box::new(Admission { offset, session: None, place, memory })))
                }
                _ => Err(conflict(0, "without a session a file is sent in one piece")),
            };
        };
        if named.is_none() {
            self.claim(session.account, sha256, query, media).await?;
        }
        self.blobs().make_room(unclaimed, self.options().arguments.storage).await?;
        if blob.is_some() {
            return Ok(Admitted::There(self.blob_state(sha256, Some(&session)).await?));
        }
        let received = self.0.staging.received(&session.account, &sha256);
        if offset != 0 && offset != received {
            return Err(conflict(received, "go on from there, or from 0"));
        }
        let session = Some(session);
        Ok(Admitted::Send(Box::new(Admission { offset, session, place, memory })))
    }

    /// Takes room for a file within the account's day.
    async fn claim(
        &self,
        account: openledger_client::AccountId,
        sha256: FileHash,
        query: &PutQuery,
        media: Option<MediaType>,
    ) -> Result<(), ApiError> {
        let _admitting = self.0.admitting.lock().await;
        for claim in self.0.staging.claims(account).await? {
            if claim.sha256 != sha256 && self.file(claim.sha256).await?.is_some() {
                self.0.staging.release(account, claim.sha256).await?;
            }
        }
        // Read after claims were given back, and before the others are added up: what is precommitted or
        // submitted meanwhile counts twice, never not at all.
        let precommits = self.ask(self.0.chain.precommits(account)).await?;
        let quota = self.require_contributor(account).await?;
        if let (Some(datanet), Some(media)) = (query.datanet, media) {
            // The content id of a larger file is not known yet; the rules do not look into it.
            let codec = if query.size <= BLOCK { ContentCodec::Raw } else { ContentCodec::DagPb };
            let content = ContentId::new(codec, sha256);
            let size = u32::try_from(query.size).unwrap_or(u32::MAX);
            let item = SubmissionItem { content, sha256, size, media };
            let checked = self.ask(self.0.chain.check(account, datanet, item)).await?;
            // The account's day is weighed below, with what is here and precommitted.
            let of_day = [RefusalRule::DailyFiles, RefusalRule::DailyBytes];
            if let Some(refusal) = checked.err().filter(|refusal| !of_day.contains(&refusal.rule)) {
                let code = "refused";
                return Err(ApiError::new(StatusCode::CONFLICT, code, refusal.to_string()));
            }
        }
        let storage = self.options().arguments.storage;
        let day = Day { quota, precommits };
        self.0.staging.claim(account, sha256, query.size, day, storage).await.map(drop)
    }

    async fn take(
        &self,
        sha256: FileHash,
        query: &PutQuery,
        admission: Admission,
        body: Body,
    ) -> Result<BlobState, ApiError> {
        let Admission { offset, session, place, memory } = admission;
        let expected = Expected { size: query.size, offset, sha256 };
        let path = match &session {
            Some(session) => self.0.staging.path(&session.account, &sha256),
            None => self.0.staging.unsigned_path()?,
        };
        let uploads = self.clone();
        let account = session.as_ref().map(|session| session.account);
        let file = receive::OnDisk::new(path, account.is_none());
        let received = receive::receive(body, file.path(), &expected).await;
        if let Err(error) = received {
            return Err(self.lost(account, sha256, error).await);
        }
        // A client that goes away now does not stop what is nearly done.
        let stored = tokio::spawn(async move {
            let stored = uploads.blobs().add(file.path(), sha256).await;
            if stored.is_ok() {
                file.remove();
            }
            drop((place, memory));
            stored
        });
        match stored.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(self.lost(account, sha256, error).await),
            Err(error) => return Err(ApiError::internal("storing an upload", &error)),
        }
        self.blob_state(sha256, session.as_ref()).await
    }

    /// Removes what came of an account's file, where an error says that it is of no use.
    async fn lost(
        &self,
        account: Option<openledger_client::AccountId>,
        sha256: FileHash,
        error: ApiError,
    ) -> ApiError {
        if let (Some(account), true) = (account, receive::is_lost(&error)) {
            // A full disk may refuse the claim's end, not that of the bytes, which come first.
            if let Err(other) = self.0.staging.release(account, sha256).await {
                tracing::warn!(
                    error = other.body().error.message,
                    "a claim could not be given back"
                );
            }
        }
        error
    }

    async fn give_up(
        &self,
        sha256: FileHash,
        account: openledger_client::AccountId,
    ) -> Result<(), ApiError> {
        let _place = self.0.places.take(vec![Who::File(account.0, sha256)])?;
        let _admitting = self.0.admitting.lock().await;
        if self.0.staging.claim_of(account, sha256).await?.is_none() {
            return Err(ApiError::not_found("this account has no upload of this sha256"));
        }
        self.0.staging.release(account, sha256).await?;
        if self.file(sha256).await?.is_none() {
            if let Some(blob) = self.blobs().find(sha256).await? {
                self.blobs().remove(blob.content, super::database::now().saturating_add(1)).await?;
            }
        }
        Ok(())
    }
}

fn conflict(received: u64, next: &str) -> ApiError {
    let message = format!("{received} bytes of this file are there; {next}");
    ApiError::new(StatusCode::CONFLICT, "wrong_offset", message)
}
