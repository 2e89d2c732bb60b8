//! `GET /v1/datanets` and `GET /v1/datanets/{id}`

use super::types::{Datanet, DatanetDetail, Page};
use super::{account, one_of, page, short, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::storage::DatanetQuery;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use openledger_primitives::Modality;
use serde::Deserialize;
use utoipa::IntoParams;

const STATUSES: [&str; 3] = ["open", "paused", "closed"];

/// Which Datanets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct List {
    /// Part of the name, the summary or a tag, in any case.
    pub(crate) search: Option<String>,
    /// `open`, `paused` or `closed`.
    pub(crate) status: Option<String>,
    /// `text`, `image` or `audio`.
    pub(crate) modality: Option<String>,
    /// Their owner.
    pub(crate) owner: Option<String>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) limit: Option<u32>,
}

/// Datanets by number.
#[utoipa::path(get, path = "/v1/datanets", tag = "datanets", params(List), responses(
    (status = 200, body = Page<Datanet>), (status = 400, body = ErrorBody)
))]
pub async fn list(
    State(index): State<Index>,
    Query(query): Query<List>,
) -> Result<Json<Page<Datanet>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    let owner = query.owner.map(|owner| account("owner", &owner)).transpose()?;
    let words: Vec<_> = Modality::ALL.into_iter().map(Modality::name).collect();
    let wanted = DatanetQuery {
        status: one_of("status", query.status, &STATUSES)?,
        search: query.search.map(|text| short("search", text)).transpose()?,
        modality: one_of("modality", query.modality, &words)?,
        owner: owner.map(|owner| owner.to_string()),
    };
    Ok(Json(index.read(move |storage| storage.datanets(&wanted, &page)).await?))
}

/// One Datanet: what its owner says, rules, curators, pool with its funders, counts, and what waits.
#[utoipa::path(get, path = "/v1/datanets/{id}", tag = "datanets", params(("id" = u32, Path)),
    responses((status = 200, body = DatanetDetail), (status = 404, body = ErrorBody)))]
pub async fn one(
    State(index): State<Index>,
    Part(id): Part<u32>,
) -> Result<Json<DatanetDetail>, ApiError> {
    let found = index.read(move |storage| storage.datanet_detail(id)).await?;
    found.map(Json).ok_or_else(|| missing(id))
}

fn missing(id: u32) -> ApiError {
    ApiError::not_found(format!("there is no Datanet {id}"))
}

/// A Datanet, or 404.
pub(crate) async fn require(index: &Index, id: u32) -> Result<Datanet, ApiError> {
    let found = index.read(move |storage| storage.datanet(id)).await?;
    found.ok_or_else(|| missing(id))
}
