//! `openledger worker`

use crate::{
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
};
use clap::Subcommand;
use indicatif::HumanBytes;
use openledger_client::{AccountId, Amount};
use openledger_primitives::json::Worker;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the workers.
    #[command(after_help = "Examples:
  openledger worker list
  openledger worker list --output json")]
    List,
    /// Show a worker.
    #[command(after_help = "Examples:
  openledger worker show 5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL")]
    Show {
        /// Its account: an address, the name of a key, or //Alice.
        account: String,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::List => list(context).await,
        Command::Show { account } => {
            let account = context.account(Some(&account)).await?;
            show(context, account).await
        }
    }
}

/// The base models it takes, in words.
fn serves(worker: &Worker<AccountId>) -> String {
    match (&worker.models, worker.max_model_bytes) {
        (Some(models), _) if models.is_empty() => "no base model".to_owned(),
        (Some(models), _) => {
            let models: Vec<String> = models.iter().map(u32::to_string).collect();
            format!("base models {}", models.join(", "))
        }
        (None, Some(bytes)) => format!("any up to {}", HumanBytes(bytes)),
        (None, None) => "nothing".to_owned(),
    }
}

/// What it does now.
fn doing(worker: &Worker<AccountId>) -> String {
    match (worker.job, worker.rests_until, worker.paused) {
        (Some(job), _, _) => format!("has job {job}"),
        (None, Some(until), true) => format!("rests until block {until}"),
        (None, _, true) => "paused".to_owned(),
        (None, _, false) => "idle".to_owned(),
    }
}

async fn list(context: &Context) -> Result<Answer> {
    let client = context.client().await?;
    let mut workers: Vec<Worker<AccountId>> = Vec::new();
    loop {
        let after = workers.last().map(|last| last.account);
        let page = client.workers(after).await?;
        if page.is_empty() {
            break;
        }
        workers.extend(page.into_iter().map(Worker::from));
    }
    let rows = workers.iter().map(|worker| {
        [
            worker.account.to_string(),
            doing(worker),
            worker.price_per_token.clone(),
            worker.tokens_per_second.to_string(),
            serves(worker),
            worker.lost.to_string(),
        ]
    });
    let head = ["worker", "now", "floor, plancks a token", "tokens/s", "serves", "lost"];
    let text = table(head, rows);
    Ok(Answer::new(json!({ "workers": workers }), text))
}

async fn show(context: &Context, account: AccountId) -> Result<Answer> {
    let client = context.client().await?;
    let view = client.worker(account).await?.ok_or_else(|| {
        CliError::refused(format!("{account} is no worker"))
            .next("list them with `openledger worker list`")
    })?;
    let bond = Amount(view.bond);
    let duties: Vec<String> =
        client.duties(account).await?.iter().map(|job| format!("job {job}")).collect();
    let worker = Worker::from(view);
    let mut floor = format!("{} plancks a token", worker.price_per_token);
    if let (Some(price), Some(from)) = (&worker.raise_to, worker.raise_from) {
        floor.push_str(&format!(", {price} from block {from} on"));
    }
    let text = fields([
        ("Worker", worker.account.to_string()),
        ("Now", doing(&worker)),
        ("Floor", floor),
        ("Speed", format!("{} tokens a second, as it says", worker.tokens_per_second)),
        ("Serves", serves(&worker)),
        ("Bond", bond.to_string()),
        ("Jobs lost", worker.lost.to_string()),
        ("Declined in a row", worker.declines.to_string()),
        ("Drawn for", if duties.is_empty() { "no dispute".to_owned() } else { duties.join(", ") }),
    ]);
    Ok(Answer::new(json!(worker), text))
}
