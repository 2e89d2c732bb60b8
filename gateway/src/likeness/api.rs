//! `/v1/submissions/{id}/nearest`.

use super::{Comparable, Compared};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Bearer, Path};
use crate::previews::api::Held;
use crate::uploads::Uploads;
use axum::extract::State;
use axum::Json;
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Earlier files that are measured for one request, of those that are here: who asks again has more of them.
const AT_ONCE: usize = 2;
/// Earlier files that are named because they are not here.
const NAMED: usize = 20;

/// What of earlier files a submission is most like.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Likest {
    /// The earlier submission that it is most like; null where it is like none.
    pub nearest: Option<NearestFile>,
    /// Earlier submissions of the Datanet that it was compared with, of the latest thousand that are accepted, wait, or were refused
    /// since it was submitted.
    pub compared: u32,
    /// Those of them that this gateway has not measured yet. It does where it has the file, some with each request.
    pub unknown: u32,
    /// Those of them whose files are not here, so that nobody knows whether it is a copy of one: the latest first, at most
    /// 20.
    pub missing: Vec<u64>,
}

/// A file that another one is like.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NearestFile {
    /// Its submission.
    pub submission: u64,
    /// Its sha2-256.
    pub sha256: String,
    /// Its format.
    pub media: &'static str,
    /// How alike both are, 0 to 1: of texts by the letters, of images by the detail that both have.
    pub alike: f64,
    /// `bytes`, `text` (another format of the same canonical text) or `likeness`.
    pub same: &'static str,
}

impl Uploads {
    /// Measures a file for comparison, fetched from whoever has it.
    async fn learn(&self, file: Comparable, address: Address) -> Result<(), ApiError> {
        let held = self.hold(file.sha256, &Bearer(None), address).await?;
        let decoder = self.decoder().await?;
        let likenesses = self.likenesses().clone();
        let learnt = tokio::task::spawn_blocking(move || {
            // Place and memory are given back when the decoder is done, also where the client has gone.
            let Held { bytes, memory, place, .. } = held;
            let learnt = likenesses.learn(file, &bytes);
            drop((bytes, memory, place, decoder));
            learnt
        });
        match learnt.await {
            Ok(learnt) => learnt,
            Err(error) => Err(ApiError::internal("reading a file", &error)),
        }
    }
}

/// The earlier file of its Datanet that a submission is most like, among those that this gateway has measured.
#[utoipa::path(get, path = "/v1/submissions/{id}/nearest", tag = "submissions",
    params(("id" = u64, Path)),
    responses(
        (status = 200, body = Likest), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
        (status = 504, body = ErrorBody, description = "nobody gave the bytes in time"),
    ))]
pub async fn nearest(
    State(uploads): State<Uploads>,
    Path(id): Path<u64>,
    address: Address,
) -> Result<Json<Likest>, ApiError> {
    let compared = uploads.compared(id).await?.ok_or_else(|| {
        ApiError::not_found(format!("the index has no submission {id}; it follows final blocks"))
    })?;
    let Compared { file, earlier, .. } = &compared;
    let likenesses = uploads.likenesses();
    if !likenesses.unknown(vec![*file]).await?.is_empty() {
        uploads.learn(*file, address).await?;
    }
    let count = earlier.len();
    let alike = file.media.modality();
    let others = earlier.iter().map(|(_, file)| *file);
    let others: Vec<_> = others.filter(|other| other.media.modality() == alike).collect();
    let mut measured = 0;
    let (mut left, mut missing) = (0usize, BTreeSet::new());
    for other in likenesses.unknown(others).await? {
        // What is not here is not fetched for this: it may be with nobody.
        let is_asked = measured < AT_ONCE || missing.len() < NAMED;
        let is_here = is_asked && uploads.blobs().find(other.sha256).await?.is_some();
        if is_here && measured < AT_ONCE {
            measured += 1;
            if uploads.learn(other, address).await.is_ok() {
                continue;
            }
        }
        left += 1;
        if is_asked && !is_here {
            missing.insert(other.sha256);
        }
    }
    let missing = earlier.iter().filter(|(_, file)| missing.contains(&file.sha256));
    let missing = missing.map(|(id, _)| *id).take(NAMED).collect();
    let media: Vec<_> = earlier.iter().map(|(id, file)| (*id, file.media)).collect();
    let found = likenesses.nearest(compared).await?;
    let nearest = found.map(|found| NearestFile {
        submission: found.submission,
        sha256: hex::encode(found.sha256),
        media: media
            .iter()
            .find(|(id, _)| *id == found.submission)
            .map_or("", |(_, media)| media.extension()),
        alike: found.alike,
        same: found.same.name(),
    });
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Json(Likest {
        nearest,
        compared: number(count.saturating_sub(left)),
        unknown: number(left),
        missing,
    }))
}
