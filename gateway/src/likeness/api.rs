//! `/v1/submissions/{id}/nearest`.

use super::Compared;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Bearer, Path};
use crate::previews::api::Held;
use crate::uploads::Uploads;
use axum::extract::State;
use axum::Json;
use openledger_reviewer::File;
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
    /// Earlier submissions of the Datanet that it was compared with, of the latest thousand that are accepted, that a committee has
    /// before it, or that were refused or ended since it was submitted.
    pub compared: u32,
    /// Earlier ones that this gateway has not measured yet, beside those that ended. It does where it has the file, some with each request.
    pub unknown: u32,
    /// Those of the latter whose files are not here, so that nobody knows whether it is a copy of one: the latest first, at most
    /// 20. Of those that ended without a verdict, or as no file of the Datanet, none: an acceptance is not overturned for them.
    pub missing: Vec<u64>,
    /// Those that are not here and ended so: who judges a refusal for a copy anew cannot tell whether it is one of theirs.
    pub ended_missing: Vec<u64>,
    /// Earlier submissions that wait and that no committee was drawn for, the latest first, at most 20. It is compared with none
    /// of them: they may be taken back, and may be its originals once they are drawn.
    pub undrawn: Vec<u64>,
    /// Whether no earlier submissions were left out for being more than a thousand.
    pub complete: bool,
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
    /// Whether it ended without a verdict, or as no file of the Datanet: a refusal for being its copy may be right, and an
    /// acceptance is not overturned for it.
    pub ended: bool,
}

impl Uploads {
    /// Measures a file for comparison, fetched from whoever has it.
    async fn learn(&self, file: File, address: Address) -> Result<(), ApiError> {
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
    let Compared { file, earlier, ended, undrawn, complete, .. } = &compared;
    let likenesses = uploads.likenesses();
    if !likenesses.unknown(vec![*file]).await?.is_empty() {
        uploads.learn(*file, address).await?;
    }
    let all = || earlier.iter().chain(ended);
    let alike = file.media.modality();
    let others = all().map(|(_, file)| *file);
    let others: Vec<_> = others.filter(|other| other.media.modality() == alike).collect();
    let mut measured = 0;
    let (mut left, mut missing) = (BTreeSet::new(), BTreeSet::new());
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
        left.insert(other);
        if is_asked && !is_here {
            missing.insert(other);
        }
    }
    let named = |files: &[(u64, File)]| -> Vec<u64> {
        let files = files.iter().filter(|(_, file)| missing.contains(file));
        files.map(|(id, _)| *id).take(NAMED).collect()
    };
    let (missing, ended_missing) = (named(earlier), named(ended));
    let lacks = |(_, file): &&(u64, File)| left.contains(file);
    let (compared_with, unknown) =
        (all().filter(|one| !lacks(one)).count(), earlier.iter().filter(lacks).count());
    let undrawn: Vec<u64> = undrawn.iter().copied().take(NAMED).collect();
    let (complete, over) = (*complete, ended.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>());
    let media: Vec<_> = all().map(|(id, file)| (*id, file.media)).collect();
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
        ended: over.contains(&found.submission),
    });
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Json(Likest {
        nearest,
        compared: number(compared_with),
        unknown: number(unknown),
        missing,
        ended_missing,
        undrawn,
        complete,
    }))
}
