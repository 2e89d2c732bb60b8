//! Reads a Datanet and its board, submits a file without a fee, follows the events until the file has a
//! verdict, and says why.
//!
//! Usage: `OPENLEDGER_SECRET=//Dave openledger-dapp ws://127.0.0.1:9944 DATANET`

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use sp_core::{sr25519::Pair, Pair as _};
use std::time::SystemTime;
use subxt::config::substrate::SubstrateExtrinsicParamsBuilder as Builder;
use subxt::dynamic::{self, At, Value};
use subxt::ext::scale_decode::DecodeAsType;
use subxt::rpcs::{rpc_params, RpcClient};
use subxt::utils::{AccountId32, MultiSignature};
use subxt::{OnlineClient, SubstrateConfig};

type Failure = Box<dyn std::error::Error>;

/// What this program reads of a Datanet; other fields are passed over.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Datanet {
    name: Vec<u8>,
    owner: AccountId32,
}

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
    let [node, datanet] = arguments.as_slice() else {
        eprintln!("usage: OPENLEDGER_SECRET=… openledger-dapp NODE DATANET");
        std::process::exit(2);
    };
    let secret = std::env::var("OPENLEDGER_SECRET")?;
    let datanet: u32 = datanet.parse()?;

    // Connect. Calls, types and events come from the node's own metadata; `#[subxt::subxt]` makes Rust types
    // of them at compile time.
    let rpc = RpcClient::from_insecure_url(node).await?;
    let chain = OnlineClient::<SubstrateConfig>::from_rpc_client(rpc.clone()).await?;
    let key = Key(Pair::from_string(&secret, None).map_err(|_| "that is no secret")?);
    let me = AccountId32(key.0.public().0);
    let name: String = rpc.request("system_chain", rpc_params![]).await?;
    let now = chain.at_current_block().await?;
    println!("chain: {name} spec version {}", now.spec_version());

    // Read: the Datanet from storage, its board in order of rank by JSON-RPC (docs/json-rpc.md).
    let address = dynamic::storage::<(u32,), Datanet>("Datanets", "Datanets");
    let found = now.storage().fetch(address, (datanet,)).await?.decode()?;
    println!("Datanet: {} owner {}", String::from_utf8_lossy(&found.name), found.owner);
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
    let mut transactions = chain.transactions().await?;
    let next = Builder::new().nonce(number_of(&rpc, &me).await?).build();
    let done = transactions.sign_and_submit_then_watch(&submit, &key, next).await?;
    let done = done.wait_for_finalized().await?;
    let (mut submission, mut fee) = (None, None);
    for event in done.wait_for_success().await?.iter() {
        let event = event?;
        let fields = event.decode_fields_unchecked_as::<Value>()?;
        match (event.pallet_name(), event.event_name()) {
            ("Datanets", "Submitted") => submission = number(&fields, "submission"),
            ("TransactionPayment", "TransactionFeePaid") => fee = number(&fields, "actual_fee"),
            _ => {}
        }
    }
    let submission = submission.ok_or("the transaction lacks its event")?;
    let block = chain.at_block(done.block_hash()).await?.block_number();
    println!("submitted in block {block} fee {}", fee.unwrap_or(0));

    // The same again is refused, and `Custom error: 8` is a number of the table in docs/submissions.md.
    let next = Builder::new().nonce(number_of(&rpc, &me).await?).build();
    if let Err(refused) = transactions.sign_and_submit(&submit, &key, next).await {
        println!("again: {refused}");
    }

    // Follow the events of each new block until the file has a verdict.
    let mut blocks = chain.stream_blocks().await?;
    println!("submission {submission} sha256 {}", hex::encode(sha256));
    'blocks: while let Some(block) = blocks.next().await {
        let events = block?.at().await?.events().fetch().await?;
        for event in events.iter() {
            let event = event?;
            if (event.pallet_name(), event.event_name()) != ("Review", "Decided") {
                continue;
            }
            let fields = event.decode_fields_unchecked_as::<Value>()?;
            if number(&fields, "submission") == Some(submission) {
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

/// A number among the fields of an event.
fn number(fields: &Value, name: &str) -> Option<u128> {
    fields.at(name).and_then(|it| it.as_u128())
}

/// The number of an account's next transaction. Left to itself subxt takes that of the last final block, which is
/// too old where the account has just sent something.
async fn number_of(rpc: &RpcClient, who: &AccountId32) -> Result<u64, Failure> {
    Ok(rpc.request("system_accountNextIndex", rpc_params![who]).await?)
}
