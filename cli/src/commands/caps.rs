//! `openledger datanet caps`, `bar` and `unbar`: who may submit how much.

use crate::{
    arguments::one_of,
    context::Context,
    error::{CliError, Result},
    output::{fields, Answer},
};
use clap::Args;
use openledger_client::Wait;
use openledger_primitives::{api::CapsView, text::counted, BarReason, DatanetId, QuotaLimits};
use serde_json::json;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  openledger datanet caps 0
  openledger --key me datanet caps 0 --daily-files 200 --daily-bytes 104857600 --share 10
  openledger --key me datanet caps 0 --no-cap")]
pub(crate) struct Caps {
    /// The Datanet's number.
    datanet: DatanetId,
    /// Most files a UTC day, of all contributors together.
    #[arg(long, requires = "daily_bytes")]
    daily_files: Option<u32>,
    /// Most bytes a UTC day, of all contributors together.
    #[arg(long, requires = "daily_files")]
    daily_bytes: Option<u64>,
    /// Percent of that which one account may use.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=100))]
    share: Option<u8>,
    /// No cap: every account has its own quota and nothing else.
    #[arg(long, conflicts_with_all = ["daily_files", "daily_bytes"])]
    no_cap: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  openledger --key me datanet bar 0 5FHn… --reason unserved")]
pub(crate) struct Bar {
    /// The Datanet's number.
    datanet: DatanetId,
    /// Address, name of a key, or //Alice.
    account: String,
    /// Why; everybody can read it.
    #[arg(long, value_parser = one_of::<BarReason>())]
    reason: BarReason,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  openledger --key me datanet unbar 0 5FHn…")]
pub(crate) struct Unbar {
    /// The Datanet's number.
    datanet: DatanetId,
    /// Address, name of a key, or //Alice.
    account: String,
}

pub(crate) async fn caps(context: &Context, caps: Caps) -> Result<Answer> {
    let Caps { datanet, daily_files, daily_bytes, share, no_cap } = caps;
    let client = context.client().await?;
    let current = client.caps(datanet).await?.ok_or_else(|| {
        CliError::refused(format!("there is no Datanet {datanet}"))
            .next("list them with `openledger datanet list`")
    })?;
    let limit = daily_files.zip(daily_bytes).map(|(files, bytes)| QuotaLimits { files, bytes });
    if limit.is_none() && share.is_none() && !no_cap {
        let (json, text) = shown(datanet, &current);
        return Ok(Answer::new(json, text));
    }
    let limit = if no_cap { None } else { limit.or(current.daily_limit) };
    let share = share.unwrap_or(current.share);
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.set_caps(&signer, datanet, limit, share, wait).await?;
    let account_limit = limit.map(|limit| limit.share(share));
    let (json, text) =
        shown(datanet, &CapsView { daily_limit: limit, share, account_limit, ..current });
    Ok(Answer::of_transaction(json, text, &receipt))
}

fn shown(datanet: DatanetId, caps: &CapsView) -> (serde_json::Value, String) {
    let words = |limit: Option<QuotaLimits>| match limit {
        None => "no cap".to_owned(),
        Some(QuotaLimits { files, bytes }) => {
            format!("{}, {bytes} bytes a UTC day", counted(files, "file"))
        }
    };
    let json = json!({
        "datanet": datanet,
        "dailyLimit": caps.daily_limit,
        "share": caps.share,
        "accountLimit": caps.account_limit,
    });
    let text = fields([
        ("Datanet", datanet.to_string()),
        ("All together", words(caps.daily_limit)),
        ("One account", format!("{} % of it: {}", caps.share, words(caps.account_limit))),
    ]);
    (json, text)
}

pub(crate) async fn bar(context: &Context, bar: Bar) -> Result<Answer> {
    let Bar { datanet, account, reason } = bar;
    let account = context.account(Some(&account)).await?;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.bar_account(&signer, datanet, account, reason, wait).await?;
    let text = format!("Datanet {datanet} takes no more files of {account}: {}.", reason.help());
    let json = json!({ "datanet": datanet, "account": account, "reason": reason });
    Ok(Answer::of_transaction(json, text, &receipt))
}

pub(crate) async fn unbar(context: &Context, unbar: Unbar) -> Result<Answer> {
    let Unbar { datanet, account } = unbar;
    let account = context.account(Some(&account)).await?;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.unbar_account(&signer, datanet, account, wait).await?;
    let text = format!("Datanet {datanet} takes files of {account} again.");
    let json = json!({ "datanet": datanet, "account": account });
    Ok(Answer::of_transaction(json, text, &receipt))
}
