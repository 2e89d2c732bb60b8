//! `GET /v1/adapters/{id}/attribution`

use super::types::Submission;
use super::{adapters::require, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::storage::MAX_PAGE;
use crate::index::Index;
use axum::extract::State;
use axum::http::StatusCode;
use axum::Json;
use openledger_primitives::{leaf::leaves_out, shares, PARTS};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Files of an adapter that are shared out in one answer, at most.
const MAX_FILES: u64 = 200_000;
/// Leaves that are read of the storage at a time.
const READ: u32 = 10_000;
/// Contributors that are named, at most: those with the largest shares.
const MAX_CONTRIBUTORS: usize = 1_000;

/// Which files.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Files {
    /// Of one contributor only.
    contributor: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Files of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// What a contributor gave to an adapter.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContributorShare {
    /// Who.
    contributor: String,
    /// Files.
    files: u64,
    /// Units of them.
    units: u64,
    /// Parts of `parts`.
    share: u64,
}

/// A file with its share.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileShare {
    /// The file.
    #[serde(flatten)]
    file: Submission,
    /// Parts of `parts`.
    share: u64,
}

/// Whose files made an adapter, by units.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attribution {
    /// The adapter.
    adapter: u64,
    /// What all shares add up to.
    parts: u64,
    /// Files in all.
    files: u64,
    /// Files of its versions that had been revoked before its job: not trained on, and without a share.
    left_out: u64,
    /// Contributors in all.
    contributors: u64,
    /// Contributors by share, at most 1,000.
    shares: Vec<ContributorShare>,
    /// A page of the files, in the order in which they were trained on.
    items: Vec<FileShare>,
    /// Where the next page begins.
    next: Option<String>,
}

/// Whose files made an adapter, by units, from the chain alone: the files of the versions that it names,
/// but for those that had been revoked before its job.
#[utoipa::path(get, path = "/v1/adapters/{id}/attribution", tag = "jobs",
    params(("id" = u64, Path), Files), responses(
    (status = 200, body = Attribution), (status = 400, body = ErrorBody),
    (status = 404, body = ErrorBody), (status = 413, body = ErrorBody)
))]
pub async fn attribution(
    State(index): State<Index>,
    Part(id): Part<u64>,
    Query(query): Query<Files>,
) -> Result<Json<Attribution>, ApiError> {
    let contributor = query.contributor.map(|text| super::account("contributor", &text));
    let contributor = contributor.transpose()?.map(|account| account.to_string());
    let page = super::page(query.cursor, query.limit)?;
    let bad = || ApiError::field("cursor", "the cursor is none that an answer gave");
    let start = page.cursor.as_deref().map(|cursor| cursor.parse::<usize>().map_err(|_| bad()));
    let start = start.transpose()?.unwrap_or(0);
    let adapter = require(&index, id).await?;
    let total = adapter.datasets.iter().fold(0u64, |sum, set| sum.saturating_add(set.leaves));
    if total > MAX_FILES {
        let message = format!(
            "adapter {id} was trained on {total} files, this answers for at most {MAX_FILES}; \
             `openledger adapter attribution {id}` shares them out from the chain"
        );
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message));
    }
    let created_at = adapter.created.block;
    let mut files = Vec::new();
    for set in adapter.datasets {
        let mut first = 0;
        while first < set.leaves {
            let read = move |storage: &dyn crate::index::storage::Storage| {
                storage.leaves(set.datanet, first, set.leaves, READ)
            };
            let leaves = index.read(read).await?;
            if leaves.is_empty() {
                let message = format!("leaf {first} of Datanet {} is not indexed", set.datanet);
                return Err(ApiError::internal("sharing out", &message));
            }
            first += leaves.len() as u64;
            let trained = |revoked: u32| !leaves_out(created_at, revoked);
            files.extend(leaves.into_iter().filter(|file| file.revoked_at.is_none_or(trained)));
        }
    }
    let units: Vec<u64> = files.iter().map(|file| file.units.unwrap_or(0)).collect();
    let parts = shares(&units);
    let mut by: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for (file, share) in files.iter().zip(&parts) {
        let sum = by.entry(&file.contributor).or_default();
        sum.0 += 1;
        sum.1 = sum.1.saturating_add(file.units.unwrap_or(0));
        sum.2 = sum.2.saturating_add(*share);
    }
    let contributors = by.len() as u64;
    let mut named: Vec<_> = by
        .into_iter()
        .map(|(contributor, (files, units, share))| ContributorShare {
            contributor: contributor.to_owned(),
            files,
            units,
            share,
        })
        .collect();
    named.sort_by(|one, other| {
        other.share.cmp(&one.share).then_with(|| one.contributor.cmp(&other.contributor))
    });
    named.truncate(MAX_CONTRIBUTORS);
    let limit = page.limit.min(MAX_PAGE) as usize;
    let count = files.len() as u64;
    let mut items: Vec<_> = files
        .into_iter()
        .zip(parts)
        .filter(|(file, _)| contributor.as_ref().is_none_or(|who| *who == file.contributor))
        .skip(start)
        .take(limit + 1)
        .map(|(file, share)| FileShare { file, share })
        .collect();
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Json(Attribution {
        adapter: id,
        parts: PARTS,
        files: count,
        left_out: total.saturating_sub(count),
        contributors,
        shares: named,
        next: more.then(|| start.saturating_add(limit).to_string()),
        items,
    }))
}
