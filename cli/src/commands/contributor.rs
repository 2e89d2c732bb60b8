//! `openledger contributor`

use crate::{
    context::Context,
    error::Result,
    output::{fields, Answer},
};
use clap::Subcommand;
use openledger_client::{Amount, Wait};
use openledger_primitives::json;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Become a contributor; a stake is held. A sponsored contributor takes its stake over by this.
    #[command(after_help = "Examples:
  openledger --key me contributor register")]
    Register,
    /// Make another account a contributor, and pay its stake and its existential deposit.
    #[command(after_help = "Examples:
  openledger --key me contributor register-for 5FHn…")]
    RegisterFor {
        /// Address, name of a key, or //Alice.
        account: String,
    },
    /// End a registration and release its stake, 7 days after the last submission at the earliest.
    #[command(after_help = "Examples:
  openledger --key me contributor deregister
  openledger --key sponsor contributor deregister 5FHn…")]
    Deregister {
        /// Whose; without it that of --key.
        account: Option<String>,
    },
    /// Pay for a contributor no longer: it submits nothing more until it pays a stake of its own.
    #[command(after_help = "Examples:
  openledger --key sponsor contributor end-sponsorship 5FHn…
  openledger --key sponsor contributor deregister 5FHn…      # 7 days after its last submission")]
    EndSponsorship {
        /// Whom.
        account: String,
    },
    /// Show a registration and the quota of today.
    #[command(after_help = "Examples:
  openledger --key me contributor show
  openledger contributor show 5FHn… --output json")]
    Show {
        /// Whose; without it that of --key.
        account: Option<String>,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Register => register(context, None).await,
        Command::RegisterFor { account } => register(context, Some(&account)).await,
        Command::Deregister { account } => deregister(context, account.as_deref()).await,
        Command::EndSponsorship { account } => end_sponsorship(context, &account).await,
        Command::Show { account } => show(context, account.as_deref()).await,
    }
}

async fn register(context: &Context, other: Option<&str>) -> Result<Answer> {
    let wait = context.wait(Wait::InBlock);
    let other = match other {
        Some(other) => Some(context.account(Some(other)).await?),
        None => None,
    };
    let signer = context.signer().await?;
    let client = context.client().await?;
    let receipt = match other {
        Some(contributor) => client.register_contributor_for(&signer, contributor, wait).await?,
        None => client.register_contributor(&signer, wait).await?,
    };
    let contributor = other.unwrap_or(signer.account());
    let json = json!({ "contributor": contributor, "depositor": signer.account() });
    let text =
        format!("{contributor} is a contributor now, at the expense of {}.", signer.account());
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn deregister(context: &Context, account: Option<&str>) -> Result<Answer> {
    let contributor = context.account(account).await?;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.deregister_contributor(&signer, contributor, wait).await?;
    let text = format!("{contributor} is no contributor any more; its stake was released.");
    Ok(Answer::of_transaction(json!({ "contributor": contributor }), text, &receipt))
}

async fn end_sponsorship(context: &Context, account: &str) -> Result<Answer> {
    let contributor = context.account(Some(account)).await?;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.end_sponsorship(&signer, contributor, wait).await?;
    let text = format!(
        "{contributor} submits nothing more at your expense. The stake returns by `openledger \
         contributor deregister`, 7 days after its last submission and when nothing of it waits."
    );
    Ok(Answer::of_transaction(json!({ "contributor": contributor }), text, &receipt))
}

async fn show(context: &Context, account: Option<&str>) -> Result<Answer> {
    let account = context.account(account).await?;
    let client = context.client().await?;
    let quota = client.quota(account).await?;
    let record = client.contributor(account).await?;
    let used = quota.used.on(quota.day);
    let json = json!({
        "account": account,
        "registered": quota.registered,
        "depositor": record.as_ref().map(|record| record.depositor),
        "hold": record.as_ref().map(|record| record.hold.to_string()),
        "lastSubmission": record.as_ref().and_then(|record| record.last_submission),
        "pending": record.as_ref().map_or(0, |record| record.pending),
        "quota": json::Quota::from(quota),
    });
    let registered = match &record {
        Some(record) => {
            format!("yes, {} held on {}", Amount(record.hold), record.depositor)
        }
        None => "no".to_owned(),
    };
    let text = fields([
        ("Account", account.to_string()),
        ("Registered", registered),
        ("Pending", record.map_or(0, |record| record.pending).to_string()),
        ("Files today", format!("{} of {}", used.files, quota.limits.files)),
        ("Bytes today", format!("{} of {}", used.bytes, quota.limits.bytes)),
    ]);
    Ok(Answer::new(json, text))
}
