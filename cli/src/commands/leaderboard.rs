//! `openledger leaderboard`

use super::datanet::require as require_datanet;
use crate::{
    context::Context,
    error::Result,
    output::{table, Answer},
};
use clap::Args;
use openledger_client::AccountId;
use openledger_primitives::{
    api::{BoardCursor, BoardEntry},
    DatanetId,
};
use serde_json::json;

/// Show the contributors of a Datanet in order of rank. Only accepted files bring points.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  openledger leaderboard 0
  openledger leaderboard 0 --limit 10 --output json")]
pub(crate) struct Leaderboard {
    /// The Datanet's number.
    datanet: DatanetId,
    /// Most entries to show.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

pub(crate) async fn run(context: &Context, arguments: Leaderboard) -> Result<Answer> {
    let Leaderboard { datanet, limit } = arguments;
    let client = context.client().await?;
    require_datanet(client, datanet).await?;
    let mut entries: Vec<BoardEntry<AccountId>> = Vec::new();
    while (entries.len() as u32) < limit {
        let cursor =
            entries.last().map(|last| BoardCursor { points: last.points, sequence: last.sequence });
        let page = client.leaderboard(datanet, cursor, limit - entries.len() as u32).await?;
        if page.is_empty() {
            break;
        }
        entries.extend(page);
    }
    let ranked = || (1u32..).zip(&entries);
    let json = json!({
        "datanet": datanet,
        "entries": ranked()
            .map(|(rank, entry)| json!({
                "rank": rank,
                "account": entry.account,
                "points": entry.points.to_string(),
                "sequence": entry.sequence,
            }))
            .collect::<Vec<_>>(),
    });
    let rows =
        ranked().map(|(rank, e)| [rank.to_string(), e.account.to_string(), e.points.to_string()]);
    Ok(Answer::new(json, table(["rank", "account", "points"], rows)))
}
