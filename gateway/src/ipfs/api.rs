//! `/ipfs/{cid}`: trustless reads (IPIP-402, IPIP-412).

use super::{car, harmless, BLOCK_TIME};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Path, Query};
use crate::previews::api::not_fetched;
use crate::uploads::receive::{Place, Who};
use crate::uploads::walk::Walk;
use crate::uploads::Uploads;
use axum::body::Body;
use axum::extract::State;
use axum::http::{header, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use openledger_content::MAX_BLOCK_BYTES;
use openledger_http::Share;
use openledger_primitives::ContentId;
use serde::Deserialize;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use utoipa::IntoParams;

/// Memory of one answer: a block that is sent and one that comes.
const MEMORY: usize = 2 * MAX_BLOCK_BYTES;
/// Time for the whole of an answer.
const ANSWER_TIME: Duration = Duration::from_secs(60 * 60);

const RAW: &str = "application/vnd.ipld.raw";
const CAR: &str = "application/vnd.ipld.car";
const CAR_AS_SENT: &str = "application/vnd.ipld.car; version=1; order=dfs; dups=n";

/// In which form.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContentQuery {
    /// `raw` (the root block) or `car`; else what `Accept` names.
    pub format: Option<String>,
    /// Of a CAR: `all`, `entity` (for files the same), or `block`.
    #[serde(rename = "dag-scope")]
    pub dag_scope: Option<String>,
    /// Not given here.
    #[serde(rename = "entity-bytes")]
    pub entity_bytes: Option<String>,
    /// Of a CAR: `1`.
    #[serde(rename = "car-version")]
    pub car_version: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Raw,
    Car { whole: bool },
}

fn form(query: &ContentQuery, headers: &HeaderMap) -> Result<Form, ApiError> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let accepts = |wanted: &str| {
        accept.split(',').any(|one| one.split(';').next().unwrap_or("").trim() == wanted)
    };
    let is_car = match query.format.as_deref() {
        Some("raw") => false,
        Some("car") => true,
        None if accepts(CAR) => true,
        None if accepts(RAW) => false,
        _ => {
            let message = format!(
                "this gateway gives what can be checked: ask with ?format=raw or ?format=car, or accept {RAW} or {CAR}"
            );
            return Err(ApiError::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", message));
        }
    };
    if !is_car {
        return Ok(Form::Raw);
    }
    if query.entity_bytes.is_some() {
        return Err(ApiError::field(
            "entity-bytes",
            "parts of files are not given; ask for all of it",
        ));
    }
    if query.car_version.as_deref().is_some_and(|version| version != "1") {
        return Err(ApiError::field("car-version", "CARs of version 1 are given"));
    }
    match query.dag_scope.as_deref() {
        None | Some("all" | "entity") => Ok(Form::Car { whole: true }),
        Some("block") => Ok(Form::Car { whole: false }),
        Some(_) => Err(ApiError::field("dag-scope", "the scope is all, entity or block")),
    }
}

/// A file that the chain names (a submission, an adapter, a base model's file), as blocks that the reader
/// checks by their ids.
#[utoipa::path(get, path = "/ipfs/{cid}", tag = "files",
    params(("cid" = String, Path, description = "CIDv1 in base32"), ContentQuery),
    responses(
        (status = 200, content((Vec<u8> = "application/vnd.ipld.raw"), (Vec<u8> = "application/vnd.ipld.car"))),
        (status = 304), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "the chain names no such file"),
        (status = 406, body = ErrorBody), (status = 413, body = ErrorBody),
        (status = 504, body = ErrorBody, description = "nobody gave the bytes in time"),
    ))]
pub async fn content(
    State(uploads): State<Uploads>,
    Path(cid): Path<String>,
    Query(query): Query<ContentQuery>,
    address: Address,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id: ContentId = cid
        .parse()
        .map_err(|error| ApiError::field("cid", format!("this is no content id: {error}")))?;
    let form = form(&query, &headers)?;
    let Some(named) = uploads.content(id).await? else {
        return Err(ApiError::not_found(format!("the chain names no file {id}")));
    };
    let tag = match form {
        Form::Raw => format!("\"{id}.raw\""),
        Form::Car { whole: true } => format!("W/\"{id}.car\""),
        Form::Car { whole: false } => format!("W/\"{id}.block.car\""),
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let place = uploads.places().take(vec![Who::Reader(address), Who::Readers])?;
    let mut memory = uploads.budget().share();
    memory.grow(MEMORY)?;
    let limits = uploads.expect(&named).await?;
    let mut walk = Walk::new(uploads.blobs().node().clone(), id, limits);
    // The root comes before the answer, so that a file that nobody has is said as such.
    let root = walk.next(BLOCK_TIME).await.map_err(not_fetched)?;
    let Some((_, root)) = root else { return Err(ApiError::not_found("the file has no root")) };
    uploads.blobs().came(id, id).await?;
    let mut ready = VecDeque::new();
    let is_raw = form == Form::Raw;
    if !is_raw {
        ready.extend([car::header(&id).into(), car::before(&id, root.len()).into()]);
    }
    ready.push_back(root);
    let walk = matches!(form, Form::Car { whole: true }).then_some(walk);
    let sending = Sending {
        uploads,
        root: id,
        walk,
        ready,
        end: Instant::now() + ANSWER_TIME,
        _place: place,
        _memory: memory,
    };
    let mut response =
        Body::from_stream(futures::stream::try_unfold(sending, Sending::next)).into_response();
    match is_raw {
        true => harmless(&mut response, RAW, &format!("{id}.bin")),
        false => harmless(&mut response, CAR_AS_SENT, &format!("{id}.car")),
    }
    let headers = response.headers_mut();
    let kept = HeaderValue::from_static("public, max-age=29030400, immutable");
    headers.insert(header::CACHE_CONTROL, kept);
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    for (name, value) in [
        (header::ETAG, tag),
        (header::HeaderName::from_static("x-ipfs-path"), format!("/ipfs/{id}")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

/// An answer on its way.
struct Sending {
    uploads: Uploads,
    root: ContentId,
    walk: Option<Walk>,
    ready: VecDeque<Bytes>,
    end: Instant,
    _place: Place,
    _memory: Share,
}

impl Sending {
    /// The next piece. An error cuts the connection, so that no reader takes a part for the whole.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, std::io::Error> {
        if let Some(piece) = self.ready.pop_front() {
            return Ok(Some((piece, self)));
        }
        let Some(walk) = &mut self.walk else { return Ok(None) };
        let left = self.end.saturating_duration_since(Instant::now());
        let next = walk.next(BLOCK_TIME.min(left)).await.map_err(|error| {
            tracing::warn!(content = %self.root, %error, "a file could not be given whole");
            std::io::Error::other(error)
        })?;
        let Some((id, block)) = next else { return Ok(None) };
        let noted = self.uploads.blobs().came(self.root, id).await;
        noted.map_err(|error| std::io::Error::other(error.body().error.message))?;
        self.ready.push_back(block.clone());
        Ok(Some((car::before(&id, block.len()).into(), self)))
    }
}
