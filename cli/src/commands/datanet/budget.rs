//! `openledger datanet budget`: what a Datanet pays its reviewers from.

use super::require;
use crate::{
    arguments::amount,
    context::Context,
    error::Result,
    output::{fields, Answer},
};
use clap::Args;
use openledger_client::{Amount, Wait};
use openledger_primitives::{
    committee::{api::BudgetView, BudgetTerms, Rules},
    text::counted,
    DatanetId,
};
use serde_json::json;

#[derive(Args, Debug)]
pub(crate) struct Budget {
    /// Its number.
    datanet: DatanetId,
    /// Pay in, as its owner.
    #[arg(long, value_name = "AMOUNT", value_parser = amount, conflicts_with_all = ["take_back", "files_a_day"])]
    fund: Option<Amount>,
    /// Take back what no draw needs, as its owner.
    #[arg(long, value_name = "AMOUNT", value_parser = amount, conflicts_with = "files_a_day")]
    take_back: Option<Amount>,
    /// Most files a UTC day that committees are drawn for, as its owner.
    #[arg(long, value_name = "FILES", requires = "share")]
    files_a_day: Option<u32>,
    /// Percent of them that one account may submit.
    #[arg(long, value_name = "PERCENT", requires = "files_a_day")]
    share: Option<u8>,
    /// Show what is set aside for the files of this account: address, name of a key, or //Alice.
    #[arg(long, value_name = "ACCOUNT")]
    of: Option<String>,
}

pub(super) async fn budget(context: &Context, arguments: Budget) -> Result<Answer> {
    let Budget { datanet, fund, take_back, files_a_day, share, of } = arguments;
    let client = context.client().await?;
    require(client, datanet).await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = match (fund, take_back, files_a_day.zip(share)) {
        (Some(Amount(amount)), _, _) => {
            let signer = context.signer().await?;
            Some(client.fund_review_budget(&signer, datanet, amount, wait).await?)
        }
        (_, Some(Amount(amount)), _) => {
            let signer = context.signer().await?;
            Some(client.take_back_review_budget(&signer, datanet, amount, wait).await?)
        }
        (_, _, Some((files_a_day, share))) => {
            let signer = context.signer().await?;
            let terms = BudgetTerms { files_a_day, share };
            Some(client.set_review_budget_terms(&signer, datanet, terms, wait).await?)
        }
        _ => None,
    };
    let BudgetView { budget, terms, used } = client.review_budget(datanet).await?;
    let each = Rules::DEFAULT.reserve();
    let most = terms.most_reserved(&budget, each);
    let of = match of {
        Some(of) => {
            let account = context.account(Some(&of)).await?;
            let (reserved, _) = client.review_budget_for(datanet, account).await?;
            Some((account, reserved))
        }
        None => None,
    };
    let set_aside =
        of.map(|(_, reserved)| ("Of it for this account", Amount(reserved).to_string()));
    let mut rows = vec![
        ("Datanet", datanet.to_string()),
        ("Paid in", Amount(budget.paid_in).to_string()),
        ("Available", Amount(budget.available).to_string()),
        ("Set aside", Amount(budget.reserved).to_string()),
        ("Paid to reviewers", Amount(budget.spent).to_string()),
        ("Taken back", Amount(budget.taken_back).to_string()),
        ("A day", {
            let files = counted(terms.files_a_day, "file");
            format!("{files}, {} % of them of one account", terms.share)
        }),
        ("Of one account at a time", {
            let files = counted(most / each.max(1), "file");
            format!("{files}, {}", Amount(most))
        }),
    ];
    rows.extend(set_aside);
    let text = fields(rows);
    let json = json!({
        "datanet": datanet,
        "paidIn": budget.paid_in.to_string(),
        "available": budget.available.to_string(),
        "reserved": budget.reserved.to_string(),
        "spent": budget.spent.to_string(),
        "takenBack": budget.taken_back.to_string(),
        "filesADay": terms.files_a_day,
        "share": terms.share,
        "used": used,
        "mostOfOneAccount": most.to_string(),
        "account": of.map(|(account, _)| account),
        "reservedForAccount": of.map(|(_, reserved)| reserved.to_string()),
    });
    Ok(match receipt {
        Some(receipt) => Answer::of_transaction(json, text, &receipt),
        None => Answer::new(json, text),
    })
}
