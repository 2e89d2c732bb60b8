//! Reads a Datanet and its board, submits a file without a fee, follows the events until the file has a
//! verdict, and says why.
//!
//! Usage: `openledger-dapp NODE DATANET SECRET`, as in `openledger-dapp ws://127.0.0.1:9944 0 //Dave`

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use sp_core::{sr25519::Pair, Pair as _};
use std::time::SystemTime;
use subxt::dynamic::{self, At, Value};
use subxt::rpcs::{rpc_params, RpcClient};
use subxt::utils::{AccountId32, MultiSignature};
use subxt::{OnlineClient, SubstrateConfig};

type Failure = Box<dyn std::error::Error>;

/// Who signs. A program without sp-core takes `subxt-signer`, which has the same.
struct Key(Pair);

impl subxt::tx::Signer<SubstrateConfig> for Key {
    fn account_id(&self) -> AccountId32 {
        AccountId32(self.0.public().0)
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(self.0.sign(payload).0)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [node, datanet, secret] = arguments.as_slice() else {
        return Err("usage: openledger-dapp NODE DATANET SECRET".into());
    };
    let datanet: u32 = datanet.parse()?;

    // Connect. Calls, types and events come from the node's own metadata; `#[subxt::subxt]` makes Rust types
    // of them at compile time.
    let rpc = RpcClient::from_insecure_url(node).await?;
    let chain = OnlineClient::<SubstrateConfig>::from_rpc_client(rpc.clone()).await?;
    let key = Key(Pair::from_string(secret, None).map_err(|_| "that is no secret")?);
    let me = AccountId32(key.0.public().0);
    let name: String = rpc.request("system_chain", rpc_params![]).await?;
    let now = chain.at_current_block().await?;
    println!("chain: {name} spec version {}", now.spec_version());

    // Read: the Datanet from storage, its board in order of rank by JSON-RPC (docs/json-rpc.md).
    let address = dynamic::storage::<(u32,), Value>("Datanets", "Datanets");
    let found = now.storage().fetch(address, (datanet,)).await?.decode()?;
    println!("Datanet: {}", found.at("name").ok_or("it has no name")?);
    let board: Json = rpc.request("openledger_leaderboard", rpc_params![datanet, 10]).await?;
    for (rank, entry) in board.as_array().into_iter().flatten().enumerate() {
        println!("rank {} {} {} points", rank + 1, entry["account"], entry["points"]);
    }

    // A file: the chain gets its hash, size and format. Its bytes are for an IPFS node to serve.
    let written = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
    let text = format!("The town hall opens at eight. Written at {written} by {me}.\n");
    let sha256: [u8; 32] = Sha256::digest(&text).into();
    // A file of at most 1 MiB is one raw block, whose content id has the same digest.
    let content = Value::named_composite([
        ("codec", Value::unnamed_variant("Raw", [])),
        ("digest", Value::from_bytes(sha256)),
    ]);
    let item = Value::named_composite([
        ("content", content),
        ("sha256", Value::from_bytes(sha256)),
        ("size", Value::u128(text.len() as u128)),
        ("media", Value::unnamed_variant("Txt", [])),
    ]);
    let items = Value::unnamed_composite([item]);
    let submit = dynamic::tx("Datanets", "submit", (Value::from(datanet), items));

    // Submit. It costs no fee within the day's quota; a broken rule is answered by the pool.
    let transactions = chain.transactions().await?;
    let before = free(&chain, &me).await?;
    let done = transactions.sign_and_submit_then_watch_default(&submit, &key).await?;
    let done = done.wait_for_finalized().await?;
    let block = chain.at_block(done.block_hash()).await?.block_number();
    println!("submitted in block {block} fee {}", before - free(&chain, &me).await?);

    // The same again is refused, and `Custom error: 8` is a number of the table in docs/submissions.md.
    let again = chain.transactions().await?;
    if let Err(refused) = again.sign_and_submit_default(&submit, &key).await {
        println!("again: {refused}");
    }

    // Follow the events of each new block until the file has a verdict.
    let mut submission = None;
    for event in done.wait_for_success().await?.iter() {
        let event = event?;
        if event.event_name() == "Submitted" {
            submission = number(&event.decode_fields_unchecked_as::<Value>()?);
        }
    }
    let submission = submission.ok_or("the transaction lacks its event")?;
    let mut blocks = chain.stream_blocks().await?;
    println!("submission {submission} sha256 {}", hex::encode(sha256));
    'blocks: while let Some(block) = blocks.next().await {
        let events = block?.at().await?.events().fetch().await?;
        for event in events.iter() {
            let event = event?;
            if event.event_name() != "Decided" {
                continue;
            }
            let fields = event.decode_fields_unchecked_as::<Value>()?;
            if number(&fields) == Some(submission) {
                let accepted = fields.at("accepted").and_then(|it| it.as_bool());
                println!("verdict: {}accepted", if accepted == Some(true) { "" } else { "not " });
                break 'blocks;
            }
        }
    }

    // Why: reason, block and curators stand with the submission.
    let params = rpc_params![datanet, hex::encode(sha256)];
    let why: Json = rpc.request("openledger_submission", params).await?;
    println!(
        "why: {} {} {} in block {} by {}",
        why["state"], why["reason"], why["explanation"], why["at"], why["judges"]
    );
    Ok(())
}

/// The submission that an event is about.
fn number(fields: &Value) -> Option<u128> {
    fields.at("submission").and_then(|it| it.as_u128())
}

/// What an account can spend, in plancks.
async fn free(chain: &OnlineClient<SubstrateConfig>, who: &AccountId32) -> Result<u128, Failure> {
    let address = dynamic::storage::<([u8; 32],), Value>("System", "Account");
    let now = chain.at_current_block().await?;
    let account = now.storage().fetch(address, (who.0,)).await?.decode()?;
    let free = account.at("data").at("free").and_then(|it| it.as_u128());
    Ok(free.ok_or("the account has no balance")?)
}
