//! Tools that prepare transactions: the call, its price, and all that a signature names. Nothing is signed, sent
//! or kept.

mod job;
mod registration;

use super::tools::{About, Answer, Asked, Tools};
use crate::api::account as parse_account;
use crate::api::datanets::require;
use crate::api::network::asked as of_node;
use crate::error::ApiError;
use openledger_client::{AccountId, Amount, Client, Prepared};
use openledger_content::CHUNK_BYTES;
use openledger_primitives::{
    api::SubmissionItem, json, text::counted, Balance, ContentId, MediaType, MAX_ITEMS,
};
use rmcp::handler::server::tool::schema_for_output;
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::str::FromStr;

/// Adds them to the table.
pub fn add(tools: &mut Tools) {
    let output = schema_for_output::<Transaction>();
    let about = About {
        name: "prepareRegistration",
        title: "Prepare a contributor's registration",
        description: "An unsigned transaction that makes an account a contributor, which it has to be before it \
            submits files: at its own expense, or another's at the expense of who signs (a sponsor). 1 OPEN is \
            held and comes back later. Signs and sends nothing: give signUrl to the owner of the account that \
            pays.",
        output: output.clone(),
    };
    tools.add(about, registration::prepare);
    let about = About {
        name: "prepareSubmission",
        title: "Prepare a submission of files",
        description: "An unsigned transaction that submits 1 to 20 files to a Datanet, without a fee within the \
            daily quota. The chain is asked first whether it would take them. The files' bytes are sent to \
            PUT /v1/blobs/{sha256}?size=N of this gateway once the submission is in a block, by anybody. Signs \
            and sends nothing: give signUrl to the account's owner.",
        output: output.clone(),
    };
    tools.add(about, prepare_submission);
    let about = About {
        name: "prepareFunding",
        title: "Prepare paying into a reward pool",
        description: "An unsigned transaction that pays OPEN into a Datanet's reward pool under the terms and the \
            review policy that hold now; the chain refuses it if they change before it is included. Signs and \
            sends nothing: give signUrl to the account's owner.",
        output: output.clone(),
    };
    tools.add(about, prepare_funding);
    let about = About {
        name: "prepareJob",
        title: "Prepare a fine-tuning job",
        description: "An unsigned transaction that pays for fine-tuning a base model (or for training an adapter \
            further) on Datanets. The budget is held until the job ends, and a deposit beside it. Signs and sends \
            nothing: give signUrl to the account's owner.",
        output,
    };
    tools.add(about, job::prepare);
}

/// A transaction that somebody may sign.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    /// The web page that shows the call to who signs it. The call stands behind `#`, so that it is in no log.
    sign_url: String,
    /// Who is to sign.
    account: String,
    /// The call in SCALE, hexadecimal with 0x.
    call: String,
    /// `Pallet.call`.
    method: String,
    /// The call's arguments.
    arguments: Value,
    /// What it costs and holds.
    cost: Cost,
    /// Hash of the chain's first block, in hexadecimal.
    genesis_hash: String,
    /// The runtime's version, which a signature names.
    spec_version: u32,
    /// The version of the runtime's transactions, which a signature names.
    transaction_version: u32,
    /// The account's next number.
    nonce: u64,
    /// When it can be included.
    mortality: Mortality,
}

/// What a transaction costs and holds, in plancks.
#[derive(Serialize, JsonSchema)]
struct Cost {
    /// For including it, without a tip.
    fee: String,
    /// Leaves the account for good, beside the fee.
    spent: String,
    /// Is held on the account.
    held: String,
    /// What becomes of what is held.
    note: String,
    /// Free on the account now.
    free: String,
}

/// When a transaction can be included.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Mortality {
    /// Blocks, a power of two.
    period: u32,
    /// The final block at which it begins.
    birth_block: u32,
    /// That block's hash, which a signature names.
    birth_hash: String,
    /// The last block that may hold it.
    last_block: u32,
}

/// What is beside the call.
struct Plan {
    account: AccountId,
    arguments: Value,
    fee: Option<Balance>,
    spent: Balance,
    held: Balance,
    note: &'static str,
    /// What it does, as in "it submits 3 files".
    does: String,
}

/// Refuses what the account cannot pay, and writes the rest down.
async fn planned(
    node: &Client,
    base: &str,
    prepared: Prepared,
    plan: Plan,
) -> Result<Answer, ApiError> {
    let Plan { account, arguments, fee, spent, held, note, does } = plan;
    let fee = fee.unwrap_or(prepared.fee);
    let free = of_node(node.balance(account)).await?.free;
    let needed = fee.saturating_add(spent).saturating_add(held);
    // Neither a payment nor a hold may take an account's last plancks, without which there is none.
    let kept = match needed {
        0 => 0,
        _ => of_node(node.existential_deposit()).await?,
    };
    if needed.saturating_add(kept) > free {
        let message = format!(
            "{account} has {} free, and this takes {} beside the {} that an account keeps: have OPEN sent to it, or \
             lower the amount",
            Amount(free),
            Amount(needed),
            Amount(kept)
        );
        return Err(ApiError::field("account", message));
    }
    let call = hex::encode(&prepared.call);
    let genesis = hex::encode(prepared.genesis.0);
    let transaction = Transaction {
        sign_url: format!(
            "{base}/sign#call={call}&genesis={genesis}&spec={}",
            prepared.spec_version
        ),
        account: account.to_string(),
        call: format!("0x{call}"),
        method: format!("{}.{}", prepared.pallet, prepared.name),
        arguments,
        cost: Cost {
            fee: fee.to_string(),
            spent: spent.to_string(),
            held: held.to_string(),
            note: note.to_owned(),
            free: free.to_string(),
        },
        genesis_hash: genesis,
        spec_version: prepared.spec_version,
        transaction_version: prepared.transaction_version,
        nonce: prepared.nonce,
        mortality: Mortality {
            period: openledger_client::prepare::MORTALITY,
            birth_block: prepared.birth.0,
            birth_hash: hex::encode(prepared.birth.1 .0),
            last_block: prepared.last,
        },
    };
    let words = format!(
        "Not signed and not sent. Signed by {account}, it {does}. It costs {} and holds {}. Who owns the account \
         signs it here, and should compare what that page shows: {}",
        Amount(fee.saturating_add(spent)),
        Amount(held),
        transaction.sign_url
    );
    Answer::about(words, &transaction)
}

/// Files to submit.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SubmitFiles {
    /// Who submits, in SS58: a registered contributor.
    #[schemars(length(max = 64))]
    account: String,
    /// The Datanet's number.
    datanet: u32,
    /// The files.
    #[schemars(length(min = 1, max = 20))]
    files: Vec<File>,
}

/// A file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    /// Its content id, a CIDv1 in base32 of profile unixfs-v1-2025, as PUT /v1/blobs/{sha256} answers it. A file
    /// of up to 1 MiB is one block, whose id follows from sha256: there it may be left out.
    #[schemars(length(max = 100))]
    content: Option<String>,
    /// sha256 of its bytes in hexadecimal.
    #[schemars(length(equal = 64))]
    sha256: String,
    /// Its bytes.
    #[schemars(range(min = 1))]
    size: u32,
    /// Its format, as a file name extension: txt, md, pdf, docx, png, jpg, wav, ...
    #[schemars(length(max = 8))]
    media: String,
}

impl File {
    fn item(&self, n: usize) -> Result<SubmissionItem, ApiError> {
        let field = |name: &str| format!("files[{n}].{name}");
        let mut sha256 = [0; 32];
        hex::decode_to_slice(&self.sha256, &mut sha256).map_err(|_| {
            ApiError::field(field("sha256"), "a sha256 has 64 hexadecimal digits, without 0x")
        })?;
        let content = match &self.content {
            Some(text) => ContentId::from_str(text)
                .map_err(|error| ApiError::field(field("content"), error.to_string()))?,
            None if self.size as usize <= CHUNK_BYTES => ContentId::raw(sha256),
            None => {
                let message =
                    format!("a file of more than {CHUNK_BYTES} bytes needs its content id");
                return Err(ApiError::field(field("content"), message));
            }
        };
        let media = MediaType::from_str(&self.media)
            .map_err(|error| ApiError::field(field("media"), error.to_string()))?;
        Ok(SubmissionItem { content, sha256, size: self.size, media })
    }
}

async fn prepare_submission(asked: Asked, input: SubmitFiles) -> Result<Answer, ApiError> {
    let account = parse_account("account", &input.account)?;
    let count = input.files.len();
    if count == 0 || count > MAX_ITEMS as usize {
        let message = format!("{count} files; a transaction takes 1 to {MAX_ITEMS}");
        return Err(ApiError::field("files", message));
    }
    let items: Vec<SubmissionItem> =
        input.files.iter().enumerate().map(|(n, file)| file.item(n)).collect::<Result<_, _>>()?;
    let datanet = require(&asked.index, input.datanet).await?;
    let node = asked.index.node()?;
    if of_node(node.contributor(account)).await?.is_none() {
        let message = format!(
            "{account} is no contributor; prepareRegistration prepares its registration, at its own expense or at \
             that of a sponsor"
        );
        return Err(ApiError::field("account", message));
    }
    let prepared = of_node(node.prepare_submission(account, datanet.id, &items)).await?;
    let files: Vec<Value> = items
        .iter()
        .map(|item| {
            json!({
                "content": item.content.to_string(),
                "sha256": hex::encode(item.sha256),
                "size": item.size,
                "media": item.media.name(),
            })
        })
        .collect();
    let plan = Plan {
        account,
        arguments: json!({ "datanet": datanet.id, "items": files }),
        fee: Some(0),
        spent: 0,
        held: 0,
        note: "Nothing is held. There is no fee within the daily quota; the quota counts when it is included.",
        does: format!(
            "submits {} to Datanet {} {:?}",
            counted(count, "file"),
            datanet.id,
            datanet.name
        ),
    };
    planned(node, &asked.base, prepared, plan).await
}

/// What to pay into which pool.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fund {
    /// Who pays, in SS58.
    #[schemars(length(max = 64))]
    account: String,
    /// The Datanet's number.
    datanet: u32,
    /// How much: `1.5`, `1.5OPEN` or `300planck`.
    #[schemars(length(max = 80))]
    amount: String,
}

fn amount(field: &'static str, text: &str) -> Result<Balance, ApiError> {
    let read = text.parse::<Amount>().map_err(|error| ApiError::field(field, error.to_string()))?;
    Ok(read.0)
}

async fn prepare_funding(asked: Asked, input: Fund) -> Result<Answer, ApiError> {
    let account = parse_account("account", &input.account)?;
    let amount = amount("amount", &input.amount)?;
    let datanet = require(&asked.index, input.datanet).await?;
    let node = asked.index.node()?;
    let least = of_node(node.minimum_funding()).await?;
    if amount < least {
        let message = format!(
            "{} is less than {}, the least that a pool takes",
            Amount(amount),
            Amount(least)
        );
        return Err(ApiError::field("amount", message));
    }
    let pool = of_node(node.pool_view(datanet.id)).await?.ok_or_else(|| {
        let message = format!(
            "Datanet {} has no pool yet; its owner sets the terms of one first",
            datanet.id
        );
        ApiError::field("datanet", message)
    })?;
    let prepared = of_node(node.prepare_funding(account, datanet.id, amount, pool.rules)).await?;
    let plan = Plan {
        account,
        arguments: json!({
            "datanet": datanet.id,
            "amount": amount.to_string(),
            "rules": json::PoolRules::from(pool.rules),
        }),
        fee: None,
        spent: amount,
        held: 0,
        note: "What points earn of the amount does not come back; the rest does only while funders may leave.",
        does: format!(
            "pays {} into the pool of Datanet {} {:?}, which pays at most {} a period and {} plancks a point",
            Amount(amount),
            datanet.id,
            datanet.name,
            Amount(pool.rules.terms.per_period),
            pool.rules.terms.max_per_point,
        ),
    };
    planned(node, &asked.base, prepared, plan).await
}
