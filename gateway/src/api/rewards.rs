//! `GET /v1/accounts/{account}/rewards`, `/why` and `/rewards.csv`

use super::board::{period, Pages};
use super::network::asked;
use super::types::{BoardEntry, Event, Page, Period, Submission};
use super::{account, datanets::require, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::storage::{EventQuery, PageQuery, MAX_PAGE};
use crate::index::Index;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::Json;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An account's rewards in one Datanet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reward {
    /// The Datanet.
    pub(crate) datanet: u32,
    /// Its name.
    pub(crate) datanet_name: String,
    /// The account's line on the board of all time; rank 0 before its first points.
    pub(crate) entry: BoardEntry,
    /// Plancks that a claim would bring now.
    pub(crate) claimable: String,
    /// Plancks claimed so far.
    pub(crate) claimed: String,
    /// The Datanet's last ended period, with its rate.
    pub(crate) last_period: Option<Period>,
}

/// An account's rewards, Datanet by Datanet. What is claimable is read at the node's best block.
#[utoipa::path(get, path = "/v1/accounts/{account}/rewards", tag = "accounts",
    params(("account" = String, Path), Pages), responses(
    (status = 200, body = Page<Reward>), (status = 400, body = ErrorBody),
    (status = 503, body = ErrorBody)
))]
pub async fn rewards(
    State(index): State<Index>,
    Part(text): Part<String>,
    Query(query): Query<Pages>,
) -> Result<Json<Page<Reward>>, ApiError> {
    let who = account("account", &text)?;
    let page = page(query.cursor, query.limit)?;
    let found = index.read(move |storage| {
        let found = storage.standings(&who, &page)?;
        let last = PageQuery { cursor: None, limit: 1 };
        let mut rows = Vec::new();
        for standing in found.items {
            let name = storage.datanet(standing.datanet)?.map(|datanet| datanet.name);
            let period = storage.periods(standing.datanet, &last)?.items.pop();
            rows.push((standing, name.unwrap_or_default(), period));
        }
        Ok((rows, found.next))
    });
    let (rows, next) = found.await?;
    let node = index.node()?;
    let mut items = Vec::with_capacity(rows.len());
    for (standing, datanet_name, last_period) in rows {
        let claimable = asked(node.claimable(standing.datanet, who)).await?;
        items.push(Reward {
            datanet: standing.datanet,
            datanet_name,
            entry: standing.entry,
            claimable: claimable.to_string(),
            claimed: standing.claimed,
            last_period,
        });
    }
    Ok(Json(Page { items, next }))
}

/// Which points.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Why {
    /// The Datanet.
    pub(crate) datanet: u32,
    /// `all`, or the number of a period.
    pub(crate) period: Option<String>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) limit: Option<u32>,
}

/// Why an account has its points: file by file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reasons {
    /// The Datanet.
    pub(crate) datanet: u32,
    /// Units of a file above this number earn nothing: points are score × min(units, maxUnits).
    pub(crate) max_units: u64,
    /// Accepted files in order of acceptance.
    pub(crate) items: Vec<Submission>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// Why an account has its points in a Datanet, of one period or of all time: file by file.
#[utoipa::path(get, path = "/v1/accounts/{account}/why", tag = "accounts",
    params(("account" = String, Path), Why), responses(
    (status = 200, body = Reasons), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)
))]
pub async fn why(
    State(index): State<Index>,
    Part(text): Part<String>,
    Query(query): Query<Why>,
) -> Result<Json<Reasons>, ApiError> {
    let who = account("account", &text)?;
    let page = page(query.cursor, query.limit)?;
    let period = period(query.period.as_deref())?;
    let id = query.datanet;
    let datanet = require(&index, id).await?;
    let found = index.read(move |storage| storage.rewarded(&who, id, period, &page)).await?;
    Ok(Json(Reasons {
        datanet: id,
        max_units: datanet.max_units,
        items: found.items,
        next: found.next,
    }))
}

/// Kinds of events that a table of rewards lists.
const KINDS: [&str; 2] = ["Leaderboard.PointsEarned", "Leaderboard.Claimed"];

/// Every line of an account's rewards as a table: points earned, then amounts claimed, newest first.
#[utoipa::path(get, path = "/v1/accounts/{account}/rewards.csv", tag = "accounts",
    params(("account" = String, Path)), responses(
    (status = 200, content_type = "text/csv", body = String), (status = 400, body = ErrorBody)
))]
pub async fn csv(
    State(index): State<Index>,
    Part(text): Part<String>,
) -> Result<Response, ApiError> {
    let who = account("account", &text)?;
    let head = Bytes::from_static(b"event,time,block,datanet,points,plancks\n");
    let begin = (index, 0, None::<String>);
    // A page of the index at a time, as the reader takes it.
    let rows = futures::stream::unfold(begin, move |(index, kind, cursor)| async move {
        let wanted = EventQuery {
            kind: Some((*KINDS.get(kind)?).to_owned()),
            account: Some(who.to_string()),
        };
        let page = PageQuery { cursor, limit: MAX_PAGE };
        let read = index.read(move |storage| storage.events(&wanted, &page)).await;
        let page = match read {
            Ok(page) => page,
            Err(error) => {
                let error = std::io::Error::other(error.body().error.message);
                return Some((Err(error), (index, KINDS.len(), None)));
            }
        };
        let lines: String = page.items.iter().map(line).collect();
        let next = match page.next {
            Some(next) => (index, kind, Some(next)),
            None => (index, kind + 1, None),
        };
        Some((Ok(Bytes::from(lines)), next))
    });
    let body = futures::StreamExt::chain(futures::stream::iter([Ok(head)]), rows);
    let carried = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"rewards-{who}.csv\"")),
    ];
    Ok((carried, Body::from_stream(body)).into_response())
}

fn line(event: &Event) -> String {
    let field = |name: &str| match event.fields.get(name) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let what = if event.kind == KINDS[0] { "earned" } else { "claimed" };
    format!(
        "{what},{},{},{},{},{}\n",
        event.time,
        event.block,
        field("datanet"),
        field("points"),
        field("amount")
    )
}
