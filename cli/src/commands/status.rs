//! `openledger status`

use crate::{
    context::Context,
    error::Result,
    output::{fields, Answer},
};
use serde_json::json;

pub(crate) async fn run(context: &Context) -> Result<Answer> {
    let status = context.client().await?.status().await?;
    let json = json!({
        "chain": status.chain,
        "chainType": status.chain_type,
        "block": status.block,
        "finalised": status.finalised,
        "peers": status.peers,
    });
    let text = fields([
        ("Chain", format!("{} ({})", status.chain, status.chain_type)),
        ("Block", status.block.to_string()),
        ("Finalised", status.finalised.to_string()),
        ("Peers", status.peers.to_string()),
    ]);
    Ok(Answer::new(json, text))
}
