//! `openledger status`

use crate::{
    context::Context,
    error::Result,
    output::{fields, Answer},
};
use openledger_documents::EXTRACTOR_VERSION;
use serde_json::json;

pub(crate) async fn run(context: &Context) -> Result<Answer> {
    let client = context.client().await?;
    let status = client.status().await?;
    let extractor = client.extractor().await?;
    let json = json!({
        "chain": status.chain,
        "chainType": status.chain_type,
        "block": status.block,
        "finalised": status.finalised,
        "peers": status.peers,
        "extractor": extractor,
        "ownExtractor": EXTRACTOR_VERSION,
    });
    let text = fields([
        ("Chain", format!("{} ({})", status.chain, status.chain_type)),
        ("Block", status.block.to_string()),
        ("Finalised", status.finalised.to_string()),
        ("Peers", status.peers.to_string()),
        (
            "Extractor",
            match extractor {
                EXTRACTOR_VERSION => format!("version {extractor}, as this openledger has"),
                other => format!(
                    "version {other}; this openledger has {EXTRACTOR_VERSION} and cannot vote to accept"
                ),
            },
        ),
    ]);
    Ok(Answer::new(json, text))
}
