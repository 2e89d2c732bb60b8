//! `GET /v1/events`

use super::types::{Event, Page};
use super::{account, page, short};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::storage::EventQuery;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct List {
    /// `Pallet.Event`.
    kind: Option<String>,
    /// That name this account.
    account: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Events of the chain, newest first.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(List), responses(
    (status = 200, body = Page<Event>), (status = 400, body = ErrorBody)
))]
pub async fn events(
    State(index): State<Index>,
    Query(query): Query<List>,
) -> Result<Json<Page<Event>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    let named = query.account.map(|text| account("account", &text)).transpose()?;
    let wanted = EventQuery {
        kind: query.kind.map(|kind| short("kind", kind)).transpose()?,
        account: named.map(|account| account.to_string()),
    };
    Ok(Json(index.read(move |storage| storage.events(&wanted, &page)).await?))
}
