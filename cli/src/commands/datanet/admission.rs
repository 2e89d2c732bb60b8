//! `openledger datanet admission` and `invite`: of whom a Datanet takes files.

use super::require;
use crate::{
    context::Context,
    error::Result,
    output::{fields, Answer},
};
use clap::Args;
use openledger_client::Wait;
use openledger_primitives::{text::counted, AdmissionPolicy, DatanetId, Points};
use serde_json::json;

#[derive(Args, Debug)]
pub(crate) struct Admission {
    /// Its number.
    datanet: DatanetId,
    /// Take files of everybody, as its owner.
    #[arg(long, conflicts_with_all = ["invited", "points"])]
    open: bool,
    /// Take files of who is invited, as its owner.
    #[arg(long, conflicts_with = "points")]
    invited: bool,
    /// Take files of who is invited or has earned so many points elsewhere, as its owner.
    #[arg(long, value_name = "POINTS")]
    points: Option<Points>,
    /// Whose points and invitation to show: address, name of a key, or //Alice.
    #[arg(long, conflicts_with_all = ["open", "invited", "points"])]
    account: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Invite {
    /// Its number.
    datanet: DatanetId,
    /// Address, name of a key, or //Alice.
    account: String,
    /// Take an invitation back.
    #[arg(long)]
    not: bool,
}

fn words(admission: AdmissionPolicy) -> String {
    match admission {
        AdmissionPolicy::Open => "everybody".to_owned(),
        AdmissionPolicy::Invited => "who is invited".to_owned(),
        AdmissionPolicy::Points { least } => {
            format!("who is invited, or has earned {} elsewhere", counted(least, "point"))
        }
    }
}

pub(super) async fn admission(context: &Context, arguments: Admission) -> Result<Answer> {
    let Admission { datanet, open, invited, points, account } = arguments;
    let client = context.client().await?;
    let owner = require(client, datanet).await?.owner;
    let wanted = match (open, invited, points) {
        (true, _, _) => Some(AdmissionPolicy::Open),
        (_, true, _) => Some(AdmissionPolicy::Invited),
        (_, _, Some(least)) => Some(AdmissionPolicy::Points { least }),
        _ => None,
    };
    if let Some(admission) = wanted {
        let signer = context.signer().await?;
        let wait = context.wait(Wait::InBlock);
        let receipt = client.set_admission(&signer, datanet, admission, wait).await?;
        let text = format!("Datanet {datanet} takes files of {}.", words(admission));
        let json = json!({ "datanet": datanet, "admission": words(admission) });
        return Ok(Answer::of_transaction(json, text, &receipt));
    }
    let whose = match &account {
        Some(account) => context.account(Some(account)).await?,
        None => owner,
    };
    let (admission, is_invited) = client.admission(datanet, whose).await?;
    let mut text = fields([("Takes files of", words(admission))]);
    let mut json = json!({ "datanet": datanet, "admission": words(admission) });
    if account.is_some() {
        let points = client.global_points(whose).await?;
        let rows = [
            ("Invited", if is_invited { "yes" } else { "no" }.to_owned()),
            ("Points elsewhere", points.to_string()),
        ];
        text.push('\n');
        text.push_str(&fields(rows));
        if let serde_json::Value::Object(json) = &mut json {
            json.insert("account".into(), json!(whose));
            json.insert("invited".into(), json!(is_invited));
            json.insert("points".into(), json!(points.to_string()));
        }
    }
    Ok(Answer::new(json, text))
}

pub(super) async fn invite(context: &Context, arguments: Invite) -> Result<Answer> {
    let Invite { datanet, account, not } = arguments;
    let account = context.account(Some(&account)).await?;
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let client = context.client().await?;
    let receipt = client.invite(&signer, datanet, account, !not, wait).await?;
    let text = match not {
        false => format!("{account} is invited to Datanet {datanet}."),
        true => format!("{account} is invited to Datanet {datanet} no longer."),
    };
    let json = json!({ "datanet": datanet, "account": account, "invited": !not });
    Ok(Answer::of_transaction(json, text, &receipt))
}
