//! `POST /v1/faucet`.

use super::Faucet;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Address, Json};
use crate::sessions::api::account;
use crate::uploads::{origin, Uploads};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use openledger_client::{AccountId, ClientError, ErrorKind, Wait};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// Time to wait for one's turn.
const TURN: Duration = Duration::from_secs(30);

/// Who gets OPEN.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaucetRequest {
    /// SS58.
    pub account: String,
    /// Whether the account is made a contributor too, at the faucet's expense.
    #[serde(default)]
    pub contributor: bool,
}

/// What was given.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaucetAnswer {
    /// The block in which all of it stands.
    pub block: u32,
    /// Plancks.
    pub amount: String,
    /// Whether the account is a contributor now.
    pub contributor: bool,
}

/// Gives OPEN to an account, once a day; answers when it is in a block.
#[utoipa::path(post, path = "/v1/faucet", tag = "faucet", request_body = FaucetRequest,
    responses(
        (status = 200, body = FaucetAnswer), (status = 400, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "the page is of an origin that is not allowed"),
        (status = 404, body = ErrorBody, description = "this gateway has no faucet"),
        (status = 429, body = ErrorBody, description = "a limit of the day is reached"),
        (status = 503, body = ErrorBody),
        (status = 507, body = ErrorBody, description = "the disk is full"),
    ))]
pub async fn give(
    State(uploads): State<Uploads>,
    address: Address,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<FaucetRequest>,
) -> Result<axum::Json<FaucetAnswer>, ApiError> {
    let Some(faucet) = uploads.faucet() else {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "no_faucet",
            "this gateway gives no OPEN away; ask somebody who has some to sponsor you",
        ));
    };
    // Another page in somebody's browser must not ask in that person's place.
    origin::of(&uploads.options().hosts, &uploads.options().origins, &uri, &headers)?;
    let account = account(&request.account)?;
    let limits = [
        ("faucet account", account.to_string(), 1),
        ("faucet address", address.0.to_string(), faucet.per_address),
        ("faucet", String::new(), faucet.per_day),
    ];
    let mut counted = Vec::new();
    for (kind, who, limit) in limits {
        if uploads.database().count(kind, who.clone(), limit).await? {
            counted.push((kind, who));
            continue;
        }
        for (kind, who) in counted {
            uploads.database().uncount(kind, who).await?;
        }
        let whose = match kind {
            "faucet account" => "this account has had its OPEN of the day".to_owned(),
            "faucet address" => format!("your network address has asked {limit} times today"),
            _ => format!("the faucet has given {limit} times today"),
        };
        return Err(ApiError::too_many(3600, format!("{whose}; come back after midnight UTC")));
    }
    let given = faucet.give(account, request.contributor).await;
    // What may have been given counts, whatever the answer was.
    if given.as_ref().is_err_and(|(_, sure)| *sure) {
        for (kind, who) in counted {
            uploads.database().uncount(kind, who).await?;
        }
    }
    given.map(axum::Json).map_err(|(error, _)| error)
}

impl Faucet {
    /// Gives; of an error it says whether nothing was given for sure.
    async fn give(
        &self,
        account: AccountId,
        contributor: bool,
    ) -> Result<FaucetAnswer, (ApiError, bool)> {
        let turn = tokio::time::timeout(TURN, self.waiting.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err((ApiError::unavailable(10, "too many wait for the faucet"), true));
        };
        let failed = |error: ClientError| {
            let ended = matches!(error, ClientError::Expired { .. });
            let sure = ended || matches!(error.kind(), ErrorKind::Refused | ErrorKind::Usage);
            (ApiError::from(error), sure)
        };
        let sent = self.client.transfer(&self.signer, account, self.amount, Wait::InBlock).await;
        let mut block = sent.map_err(failed)?.block;
        let mut is_contributor =
            self.client.quota(account).await.map_err(|error| (error.into(), false))?.registered;
        if contributor && !is_contributor {
            let sponsored =
                self.client.register_contributor_for(&self.signer, account, Wait::InBlock).await;
            // The OPEN is given already.
            block = sponsored.map_err(|error| (error.into(), false))?.block;
            is_contributor = true;
        }
        Ok(FaucetAnswer { block, amount: self.amount.to_string(), contributor: is_contributor })
    }
}
