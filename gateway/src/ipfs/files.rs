//! `/v1/files/{sha256}`: the flat bytes of a submission, for review.

use super::harmless;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Bearer, Path};
use crate::previews::api::Held;
use crate::uploads::api::hash;
use crate::uploads::receive::Place;
use crate::uploads::Uploads;
use axum::body::Body;
use axum::extract::State;
use axum::http::{header, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use openledger_documents::sandbox;
use openledger_http::Share;
use openledger_primitives::Modality;

/// Bytes of an answer that are handed on at once.
const PIECE: usize = 64 << 10;
/// Memory of a picture: its PNG is the most that the decoder may answer.
const PICTURE_MEMORY: usize = 24 << 20;

/// Bytes that are sent, with the memory and the place that they take until they are gone.
fn sent(bytes: Bytes, place: Place, memory: Share) -> Response {
    let length = bytes.len();
    let pieces =
        futures::stream::unfold((bytes, place, memory), |(mut rest, place, memory)| async {
            if rest.is_empty() {
                return None;
            }
            let piece = rest.split_to(rest.len().min(PIECE));
            Some((Ok::<_, std::convert::Infallible>(piece), (rest, place, memory)))
        });
    let mut response = Body::from_stream(pieces).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    // What is refused later should not live on in caches that others share.
    let kept = HeaderValue::from_static("private, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response
}

/// The bytes of a submission, fetched over IPFS and re-hashed: a download, whatever they are.
#[utoipa::path(get, path = "/v1/files/{sha256}", tag = "files",
    params(("sha256" = String, Path, description = "64 hexadecimal digits")),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 404, body = ErrorBody, description = "no submission names the file"),
        (status = 502, body = ErrorBody, description = "its bytes are not what the submission names"),
        (status = 504, body = ErrorBody, description = "nobody gave the bytes in time"),
    ))]
pub async fn file(
    State(uploads): State<Uploads>,
    Path(sha256): Path<String>,
    bearer: Bearer,
    address: Address,
) -> Result<Response, ApiError> {
    let sha256 = hash(&sha256)?;
    let Held { bytes, media, memory, place } = uploads.hold(sha256, &bearer, address).await?;
    let mut response = sent(bytes.into(), place, memory);
    let ending = media.map_or("bin", |media| media.extension());
    let mut name = hex::encode(sha256);
    name.truncate(16);
    harmless(&mut response, "application/octet-stream", &format!("{name}.{ending}"));
    Ok(response)
}

/// An image of a submission as PNG of at most 4,000,000 pixels, drawn by the bounded decoder: for formats that
/// browsers do not show. `X-Picture-Scale` says how many pixels of a side became one.
#[utoipa::path(get, path = "/v1/files/{sha256}/picture", tag = "files",
    params(("sha256" = String, Path, description = "64 hexadecimal digits")),
    responses(
        (status = 200, content_type = "image/png", body = Vec<u8>),
        (status = 404, body = ErrorBody), (status = 415, body = ErrorBody, description = "no image"),
        (status = 422, body = ErrorBody, description = "the decoder refuses it"),
        (status = 504, body = ErrorBody),
    ))]
pub async fn picture(
    State(uploads): State<Uploads>,
    Path(sha256): Path<String>,
    bearer: Bearer,
    address: Address,
) -> Result<Response, ApiError> {
    let sha256 = hash(&sha256)?;
    let Held { bytes, media, mut memory, place } = uploads.hold(sha256, &bearer, address).await?;
    let media = media.filter(|media| media.modality() == Modality::Image).ok_or_else(|| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        ApiError::new(status, "no_image", "the submission of this file does not declare an image")
    })?;
    let decoder = uploads.decoder().await?;
    memory.grow(PICTURE_MEMORY)?;
    let drawn = tokio::task::spawn_blocking(move || {
        let drawn = sandbox::picture(media, &bytes);
        drop((bytes, decoder));
        (drawn, place, memory)
    });
    let (drawn, place, memory) =
        drawn.await.map_err(|error| ApiError::internal("drawing an image", &error))?;
    let picture = drawn.map_err(|error| match error.is_refusal() {
        true => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", error.to_string()),
        false => ApiError::internal("drawing an image", &error),
    })?;
    let mut response = sent(picture.png.into(), place, memory);
    let mut name = hex::encode(sha256);
    name.truncate(16);
    harmless(&mut response, "image/png", &format!("{name}.png"));
    let scale = HeaderName::from_static("x-picture-scale");
    response.headers_mut().insert(scale, HeaderValue::from(picture.scale));
    Ok(response)
}
