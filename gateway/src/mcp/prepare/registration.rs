//! `prepareRegistration`.

use super::{planned, Plan};
use crate::api::account as parse_account;
use crate::api::network::asked as of_node;
use crate::error::ApiError;
use crate::mcp::tools::{Answer, Asked};
use openledger_client::{AccountId, Client};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::json;

/// Whom to register, and who pays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    /// Who pays and signs, in SS58.
    #[schemars(length(max = 64))]
    account: String,
    /// Who becomes a contributor, in SS58, where that is another account: `account` is then its sponsor, and it
    /// needs no OPEN of its own.
    #[schemars(length(max = 64))]
    contributor: Option<String>,
}

pub(super) async fn prepare(asked: Asked, input: Register) -> Result<Answer, ApiError> {
    let account = parse_account("account", &input.account)?;
    let contributor = match &input.contributor {
        Some(text) => parse_account("contributor", text)?,
        None => account,
    };
    let own = contributor == account;
    let node = asked.index.node()?;
    let sponsor = of_node(node.contributor(contributor)).await?.map(|record| record.depositor);
    if let Some(sponsor) = sponsor.filter(|sponsor| !own || *sponsor == account) {
        return Err(registered(contributor, sponsor));
    }
    let hold = of_node(node.contributor_hold()).await?;
    let spent = match own {
        true => 0,
        false => beginning(node, contributor).await?,
    };
    let prepared = of_node(node.prepare_registration(account, contributor)).await?;
    let (arguments, note, does) = match (own, sponsor) {
        (true, None) => (json!({}), OWN, "makes it a contributor at its own expense".to_owned()),
        (true, Some(sponsor)) => {
            let does = format!("takes its stake over from {sponsor}, whose own is released");
            (json!({}), OWN, does)
        }
        (false, _) => {
            let arguments = json!({ "contributor": contributor.to_string() });
            (arguments, SPONSORED, format!("makes {contributor} a contributor at its expense"))
        }
    };
    let plan = Plan { account, arguments, fee: None, spent, held: hold, note, does };
    planned(node, &asked.base, prepared, plan).await
}

const OWN: &str = "What is held comes back by Datanets.deregister, 7 days after the last submission at the earliest.";
const SPONSORED: &str = "What is held comes back to who signs, by Datanets.deregister, 7 days after the contributor's \
    last submission at the earliest. An account that does not exist is given what keeps it alive, which is spent.";

fn registered(contributor: AccountId, sponsor: AccountId) -> ApiError {
    let (field, by) = match contributor == sponsor {
        true => ("account", "at its own expense".to_owned()),
        false => ("contributor", format!("at the expense of {sponsor}")),
    };
    let message =
        format!("{contributor} is a contributor already, {by}; prepareSubmission is next");
    ApiError::field(field, message)
}

/// What the chain takes to bring an account into being, if there is none yet.
async fn beginning(node: &Client, contributor: AccountId) -> Result<u128, ApiError> {
    let balance = of_node(node.balance(contributor)).await?;
    match balance.free == 0 && balance.held == 0 {
        true => of_node(node.existential_deposit()).await,
        false => Ok(0),
    }
}
