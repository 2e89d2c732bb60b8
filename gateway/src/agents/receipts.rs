//! Docs receipts: which documentation an answer rests on, so that it is attributed as files are.
//!
//! A receipt's id is the sha2-256 of the receipt itself, so that whoever has one can tell that it was not
//! changed: `id` is left out, and the rest written as compact JSON with the fields in the order in which
//! the API gives them (docs/agents.md).

use super::knowledge::Consulted;
use super::Agents;
use crate::api::types::Page;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Path, Query};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

/// Which instructions an agent had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstructionsRef {
    /// Their version.
    pub version: u32,
    /// Their content id.
    pub content: String,
}

/// A final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FinalBlock {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: String,
}

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptBody {
    /// The genesis hash of the chain.
    pub genesis: String,
    /// The adapter that answered; null for a model of another name.
    pub adapter: Option<u64>,
    /// The model that was asked.
    pub model: String,
    /// The instructions that it had; null where it had none and only asked this gateway's documentation.
    pub instructions: Option<InstructionsRef>,
    /// sha2-256 of the question as it was sent to the sources, hexadecimal.
    pub question: String,
    /// The sources that were asked, in the order of the instructions.
    pub sources: Vec<Consulted>,
    /// sha2-256 of the block that the model was given; null where no source answered.
    pub knowledge: Option<String>,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// The last block that was final then; null while the index has none.
    pub block: Option<FinalBlock>,
}

/// What documentation an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// sha2-256 of the rest as compact JSON in this order, hexadecimal.
    pub id: String,
    /// The rest.
    #[serde(flatten)]
    pub body: ReceiptBody,
}

/// sha2-256 in hexadecimal.
pub(super) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Receipt {
    /// The receipt of a body.
    ///
    /// # Errors
    ///
    /// 500.
    pub fn of(body: ReceiptBody) -> Result<Self, ApiError> {
        let json = serde_json::to_vec(&body)
            .map_err(|error| ApiError::internal("writing a receipt", &error))?;
        Ok(Self { id: sha256(json), body })
    }
}

/// Where a page begins.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct List {
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<u32>,
}

/// A docs receipt.
#[utoipa::path(get, path = "/v1/receipts/{id}", tag = "agents",
    params(("id" = String, Path, description = "64 hexadecimal digits")),
    responses((status = 200, body = Receipt), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub async fn one(
    State(agents): State<Agents>,
    Path(id): Path<String>,
) -> Result<axum::Json<Receipt>, ApiError> {
    let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() != 64 || !id.bytes().all(digits) {
        return Err(ApiError::field("id", "a receipt's id has 64 lower-case hexadecimal digits"));
    }
    let found = agents.store().receipt(id).await?;
    found.map(axum::Json).ok_or_else(|| {
        ApiError::not_found("there is no such receipt here; the oldest are removed after 200,000")
    })
}

/// Docs receipts of an adapter's answers, the newest first.
#[utoipa::path(get, path = "/v1/adapters/{id}/receipts", tag = "agents",
    params(("id" = u64, Path), List),
    responses((status = 200, body = Page<Receipt>), (status = 400, body = ErrorBody)))]
pub async fn of_adapter(
    State(agents): State<Agents>,
    Path(adapter): Path<u64>,
    Query(list): Query<List>,
) -> Result<axum::Json<Page<Receipt>>, ApiError> {
    let query = crate::api::page(list.cursor, list.limit)?;
    let (items, next) = agents.store().receipts(adapter, &query).await?;
    Ok(axum::Json(Page { items, next }))
}
