//! The endpoints of the index, one a file: query, handler and description together; what they answer is in
//! [`types`].

pub mod accounts;
pub mod adapters;
pub mod attribution;
pub mod board;
pub mod config;
pub mod datanets;
pub mod disputes;
pub mod draws;
pub mod events;
pub mod global;
pub mod jobs;
pub mod metrics;
pub mod models;
pub mod network;
pub mod rewards;
pub mod search;
pub mod seats;
pub mod status;
pub mod stream;
pub mod submissions;
pub mod types;
pub mod workers;

use crate::error::ApiError;
use crate::index::storage::{PageQuery, MAX_PAGE};
use crate::index::Index;
use axum::extract::{FromRef, FromRequestParts, Path};
use axum::http::request::Parts;
use openledger_client::AccountId;
use serde::de::DeserializeOwned;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Entries of a page where the query names no number.
const PAGE: u32 = 50;
/// Bytes of a cursor or a search, at most.
const MAX_TEXT: usize = 200;

/// Routes of the index.
pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S>
where
    Index: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(status::status))
        .routes(routes!(metrics::health))
        .routes(routes!(metrics::metrics))
        .routes(routes!(datanets::list))
        .routes(routes!(datanets::one))
        .routes(routes!(board::board))
        .routes(routes!(board::periods))
        .routes(routes!(global::board))
        .routes(routes!(global::periods))
        .routes(routes!(draws::list))
        .routes(routes!(draws::one))
        .routes(routes!(seats::seats))
        .routes(routes!(seats::settlements))
        .routes(routes!(submissions::of_datanet))
        .routes(routes!(submissions::verdicts))
        .routes(routes!(submissions::list))
        .routes(routes!(submissions::one))
        .routes(routes!(accounts::account))
        .routes(routes!(accounts::activity))
        .routes(routes!(rewards::rewards))
        .routes(routes!(rewards::why))
        .routes(routes!(rewards::csv))
        .routes(routes!(models::list))
        .routes(routes!(models::one))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::one))
        .routes(routes!(disputes::one))
        .routes(routes!(adapters::list))
        .routes(routes!(adapters::one))
        .routes(routes!(attribution::attribution))
        .routes(routes!(workers::list))
        .routes(routes!(workers::one))
        .routes(routes!(network::network))
        .routes(routes!(search::search))
        .routes(routes!(events::events))
        .routes(routes!(stream::stream))
}

/// A part of the path; what cannot be read is not found.
pub struct Part<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Part<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path: String = parts.uri.path().chars().take(100).collect();
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(part)) => Ok(Self(part)),
            Err(_) => Err(ApiError::not_found(format!("there is no {path:?}"))),
        }
    }
}

/// Reads an account in SS58.
pub(crate) fn account(field: &'static str, text: &str) -> Result<AccountId, ApiError> {
    let wrong = || {
        let shown: String = text.chars().take(80).collect();
        ApiError::field(field, format!("{shown:?} is no account; write it in SS58"))
    };
    if text.len() > 64 {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

pub(crate) fn page(cursor: Option<String>, limit: Option<u32>) -> Result<PageQuery, ApiError> {
    let limit = limit.unwrap_or(PAGE);
    if limit == 0 || limit > MAX_PAGE {
        return Err(ApiError::field("limit", format!("{limit} is not within 1 to {MAX_PAGE}")));
    }
    Ok(PageQuery { cursor: cursor.map(|cursor| short("cursor", cursor)).transpose()?, limit })
}

fn short(field: &'static str, text: String) -> Result<String, ApiError> {
    match text.len() <= MAX_TEXT {
        true => Ok(text),
        false => Err(ApiError::field(field, format!("it is longer than {MAX_TEXT} bytes"))),
    }
}

/// A word out of a list; no word is any.
fn one_of(
    field: &'static str,
    text: Option<String>,
    words: &[&str],
) -> Result<Option<String>, ApiError> {
    match text {
        None => Ok(None),
        Some(text) if words.contains(&text.as_str()) => Ok(Some(text)),
        Some(text) => {
            let shown: String = text.chars().take(80).collect();
            let words = words.join(", ");
            Err(ApiError::field(field, format!("{shown:?} is none of {words}")))
        }
    }
}
