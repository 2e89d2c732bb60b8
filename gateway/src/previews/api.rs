//! `/v1/previews/{sha256}`.

use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Bearer, Path, Query};
use crate::uploads::api::{hash, media};
use crate::uploads::blobs::Blob;
use crate::uploads::named::Named;
use crate::uploads::receive::{Place, Who};
use crate::uploads::Uploads;
use axum::extract::State;
use openledger_content::{ContentStore, Limits, Wanted};
use openledger_documents::{
    sandbox::{self, Isolation},
    LeftOut, MeasureError, Measured, EXTRACTOR_VERSION,
};
use openledger_http::Share;
use openledger_primitives::{FileHash, MediaType, Modality};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};

/// Bytes of text that a preview shows where nothing else is asked.
const TEXT: usize = 64 << 10;
/// Bytes of text that a preview shows, at most.
const MAX_TEXT: usize = 1 << 20;
/// Memory of a preview beside the file: the text, and its JSON.
const PREVIEW_MEMORY: usize = 16 << 20;
/// Time to wait for a decoder.
const DECODER_TIME: Duration = Duration::from_secs(20);
/// Time for a block, and for a file, to come from a peer.
const FETCH: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(60));

/// How to read the file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// Its format; the one of its submission where the chain names it.
    pub media: Option<String>,
    /// Bytes of text to show: 65,536 where nothing is said, 1,048,576 at most.
    pub limit: Option<usize>,
}

/// What is measured of a file.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The file's sha2-256.
    pub sha256: String,
    /// The format it was read as.
    pub media: &'static str,
    /// What counts; none for a file that is refused.
    pub units: Option<u64>,
    /// What a unit is.
    pub unit: &'static str,
    /// Merkle root over the canonical text, in hexadecimal; none for images and sound.
    pub text_root: Option<String>,
    /// The beginning of the canonical text.
    pub text: Option<String>,
    /// Whether there is more of it.
    pub truncated: bool,
    /// What is in the file and does not count.
    pub left_out: Vec<LeftOutPart>,
    /// Why curators will refuse the file.
    pub refusal: Option<String>,
    /// The extractor's version.
    pub extractor: u16,
    /// What kept the reader off the network: `user-namespace`, `seccomp` or `limits`.
    pub isolation: Option<&'static str>,
}

/// Units that do not count.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LeftOutPart {
    /// A word for programs.
    pub reason: &'static str,
    /// For people: units …
    pub text: &'static str,
    /// How many.
    pub units: u64,
    /// Whether they count towards the refusal of a file that hides text.
    pub hidden: bool,
}

/// A file's bytes, with the place and memory that they take.
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media: Option<MediaType>,
    pub(crate) memory: Share,
    pub(crate) place: Place,
}

fn not_shown() -> ApiError {
    ApiError::not_found(
        "no submission names a file of this sha256, and no upload of yours is complete",
    )
}

impl Uploads {
    /// What is known of a file that a submission names, or that is complete here and asked for in a session.
    async fn require_shown(
        &self,
        sha256: FileHash,
        bearer: &Bearer,
    ) -> Result<(Option<Named>, Option<Blob>), ApiError> {
        let session = self.session(bearer).await?;
        let named = self.file(sha256).await?;
        let blob = self.blobs().find(sha256).await?;
        match named.is_some() || (blob.is_some() && session.is_some()) {
            true => Ok((named, blob)),
            false => Err(not_shown()),
        }
    }

    /// The bytes of a file that a submission names, or that the bearer of a session asks for and is here;
    /// re-hashed.
    pub(crate) async fn hold(
        &self,
        sha256: FileHash,
        bearer: &Bearer,
        address: Address,
    ) -> Result<Held, ApiError> {
        let place = self.places().take(vec![Who::Reader(address), Who::Readers])?;
        let session = self.session(bearer).await?;
        let named = self.file(sha256).await?;
        let blob = self.blobs().find(sha256).await?;
        let (content, size) = match (&named, &blob) {
            (Some(named), _) => {
                (named.content, named.size.or(blob.map(|blob| blob.size)).unwrap_or(u64::MAX))
            }
            (None, Some(blob)) if session.is_some() => (blob.content, blob.size),
            _ => {
                let message =
                    "no submission names a file of this sha256, and no upload of yours is complete";
                return Err(ApiError::not_found(message));
            }
        };
        let limits = Limits::default().with_timeouts(FETCH.0, FETCH.1);
        if let (Some(named), None) = (&named, &blob) {
            self.bring(named, FETCH.1).await?;
        }
        // After its blocks are here: who asks for what nobody has takes no memory.
        let mut memory = self.budget().share();
        memory.grow(usize::try_from(size.min(limits.bytes)).unwrap_or(usize::MAX))?;
        let wanted = Wanted::exactly(content, sha256, size);
        let bytes = self.blobs().node().fetch_bytes(&wanted, &limits).await.map_err(not_fetched)?;
        Ok(Held { bytes, media: named.and_then(|named| named.media), memory, place })
    }

    /// Waits for one of the decoders.
    pub(crate) async fn decoder(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let waiting = self.decoders().clone().acquire_owned();
        match tokio::time::timeout(DECODER_TIME, waiting).await {
            Ok(Ok(decoder)) => Ok(decoder),
            _ => Err(ApiError::unavailable(5, "all decoders are busy")),
        }
    }
}

/// A file that could not be fetched, in the words of its store.
pub(crate) fn not_fetched(error: openledger_content::Error) -> ApiError {
    use axum::http::StatusCode;
    match error {
        error if error.is_unavailable() => {
            ApiError::new(StatusCode::GATEWAY_TIMEOUT, "not_fetched", error.to_string()).after(30)
        }
        error if error.is_invalid() => {
            ApiError::new(StatusCode::BAD_GATEWAY, "wrong_content", error.to_string())
        }
        error @ openledger_content::Error::Limit { .. } => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", error.to_string())
        }
        error => ApiError::internal("fetching a file", &error),
    }
}

/// What is measured of a file: of one that a submission names, or, with a session, of a complete upload.
#[utoipa::path(get, path = "/v1/previews/{sha256}", tag = "uploads",
    params(("sha256" = String, Path, description = "64 hexadecimal digits"), PreviewQuery),
    responses(
        (status = 200, body = Preview), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
        (status = 504, body = ErrorBody, description = "nobody gave the bytes in time"),
    ))]
pub async fn preview(
    State(uploads): State<Uploads>,
    Path(sha256): Path<String>,
    Query(query): Query<PreviewQuery>,
    bearer: Bearer,
    address: Address,
) -> Result<axum::Json<Preview>, ApiError> {
    let sha256 = hash(&sha256)?;
    let format = query.media.as_deref().map(media).transpose()?;
    let limit = query.limit.unwrap_or(TEXT).min(MAX_TEXT);
    let (named, _) = uploads.require_shown(sha256, &bearer).await?;
    let media = format.or(named.and_then(|named| named.media)).ok_or_else(|| {
        ApiError::field("media", "say the file's format: no submission names it yet")
    })?;
    // A file of one hash and format is read the same each time.
    if let Some(preview) = uploads.previews().get(&(sha256, media, limit)) {
        return Ok(axum::Json(preview));
    }
    let mut held = uploads.hold(sha256, &bearer, address).await?;
    let decoder = uploads.decoder().await?;
    held.memory.grow(PREVIEW_MEMORY)?;
    let preview = tokio::task::spawn_blocking(move || {
        // Place and memory are given back when the decoder is done, also where the client has gone.
        let Held { bytes, memory, place, .. } = held;
        let preview = read(sha256, media, &bytes, limit);
        drop((bytes, memory, place, decoder));
        preview
    });
    match preview.await {
        Ok(Ok(preview)) => {
            uploads.previews().keep((sha256, media, limit), &preview);
            Ok(axum::Json(preview))
        }
        Ok(Err(error)) => Err(error),
        Err(error) => Err(ApiError::internal("reading a file", &error)),
    }
}

struct Read {
    measured: Measured,
    text: Option<String>,
    left_out: LeftOut,
    isolation: Option<Isolation>,
}

fn measure(media: MediaType, bytes: &[u8]) -> Result<Read, MeasureError> {
    if media.modality() == Modality::Text {
        let (reading, isolation) = sandbox::text(media, bytes)?;
        let measured = Measured::of_text(&reading.text)?;
        let (text, isolation) = (Some(reading.text), Some(isolation));
        return Ok(Read { measured, text, left_out: reading.left_out, isolation });
    }
    let found = openledger_documents::measurement(media, bytes)?;
    let (left_out, isolation) = (found.left_out, found.isolation);
    Ok(Read { measured: found.measured, text: None, left_out, isolation })
}

fn read(
    sha256: FileHash,
    media: MediaType,
    bytes: &[u8],
    limit: usize,
) -> Result<Preview, ApiError> {
    let mut preview = Preview {
        sha256: hex::encode(sha256),
        media: media.extension(),
        units: None,
        unit: media.modality().unit(),
        text_root: None,
        text: None,
        truncated: false,
        left_out: Vec::new(),
        refusal: None,
        extractor: EXTRACTOR_VERSION,
        isolation: None,
    };
    let read = match measure(media, bytes) {
        Ok(read) => read,
        Err(error) if error.is_refusal() => {
            preview.refusal = Some(error.to_string());
            return Ok(preview);
        }
        Err(error) => return Err(ApiError::internal("reading a file", &error)),
    };
    preview.units = Some(read.measured.units);
    preview.isolation = read.isolation.map(Isolation::name);
    preview.left_out = read
        .left_out
        .iter()
        .map(|(why, units)| LeftOutPart {
            reason: why.name(),
            text: why.text(),
            units,
            hidden: why.hides(),
        })
        .collect();
    if let Some(mut text) = read.text {
        preview.text_root = Some(hex::encode(read.measured.text_root));
        preview.truncated = text.len() > limit;
        let mut end = limit.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        preview.text = Some(text);
    }
    Ok(preview)
}
