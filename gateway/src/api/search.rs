//! `GET /v1/search`

use super::short;
use super::types::{Datanet, Job, Submission};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// A number, a Datanet's name, an account, a hash or a content id.
    q: String,
}

/// A block.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundBlock {
    /// Its number.
    number: u32,
    /// Its hash.
    hash: String,
    /// Its time.
    time: u64,
}

/// What the text may mean; at most ten of each.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// The account, if it is one.
    account: Option<String>,
    /// Datanets by number or name.
    datanets: Vec<Datanet>,
    /// Submissions by number, sha256 or content id.
    submissions: Vec<Submission>,
    /// The job of that number.
    job: Option<Job>,
    /// The block of that number or hash.
    block: Option<FoundBlock>,
}

/// Datanets, submissions, jobs, blocks and accounts that a text may mean.
#[utoipa::path(get, path = "/v1/search", tag = "network", params(Search), responses(
    (status = 200, body = Found), (status = 400, body = ErrorBody)
))]
pub async fn search(
    State(index): State<Index>,
    Query(query): Query<Search>,
) -> Result<Json<Found>, ApiError> {
    let text = short("q", query.q.trim().to_owned())?;
    if text.is_empty() {
        return Err(ApiError::field("q", "there is nothing to look for"));
    }
    let account = super::account("q", &text).ok().map(|account| account.to_string());
    let found = index.read(move |storage| storage.search(&text)).await?;
    Ok(Json(Found {
        account,
        datanets: found.datanets,
        submissions: found.submissions,
        job: found.job,
        block: found.block.map(|block| FoundBlock {
            number: block.number,
            hash: block.hash,
            time: block.time,
        }),
    }))
}
