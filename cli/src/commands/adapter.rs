//! `openledger adapter`

use crate::{
    content,
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
    views::ContributorShare,
};
use clap::Subcommand;
use openledger_client::{AccountId, Client};
use openledger_content::Wanted;
use openledger_primitives::{
    api::LeafView,
    job::Adapter,
    json::{self, file_shares, FileShare},
    leaf::{dataset_root, verify_leaf},
    text::counted,
    JobId, PARTS,
};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};

/// Name of the weights in a folder that PEFT reads.
const WEIGHTS: &str = "adapter_model.safetensors";
/// Name of the configuration beside them.
const CONFIG: &str = "adapter_config.json";
/// Most bytes of the header of a safetensors file; real ones have some hundred a tensor.
const MAX_HEADER: u64 = 16 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the adapters.
    #[command(after_help = "Examples:
  openledger adapter list")]
    List,
    /// Show an adapter: what it was trained on, its hash, its losses.
    #[command(after_help = "Examples:
  openledger adapter show 3 --output json")]
    Show {
        /// Its number, which is its job's.
        adapter: JobId,
    },
    /// Show the adapters from which one was trained further, down to the one that began fresh.
    #[command(after_help = "Examples:
  openledger adapter ancestry 7")]
    Ancestry {
        /// Its number, which is its job's.
        adapter: JobId,
    },
    /// Fetch an adapter by IPFS, check it, and write it as Hugging Face PEFT reads it.
    #[command(after_help = "Examples:
  openledger --peer /ip4/127.0.0.1/tcp/4001/p2p/12D3… adapter download 3 --to my-adapter")]
    Download {
        /// Its number, which is its job's.
        adapter: JobId,
        /// The folder to write to; it is made if need be.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Show whose files made an adapter, with the share of each by units, from chain state alone.
    #[command(after_help = "Examples:
  openledger adapter attribution 3
  openledger adapter attribution 3 --check --output json")]
    Attribution {
        /// Its number, which is its job's.
        adapter: JobId,
        /// Prove every file's membership in the versions that the adapter was trained on.
        #[arg(long)]
        check: bool,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::List => list(context).await,
        Command::Show { adapter } => show(context, adapter).await,
        Command::Ancestry { adapter } => ancestry(context, adapter).await,
        Command::Download { adapter, to } => download(context, adapter, &to).await,
        Command::Attribution { adapter, check } => attribution(context, adapter, check).await,
    }
}

async fn require(client: &Client, id: JobId) -> Result<Adapter<AccountId>> {
    client.adapter(id).await?.ok_or_else(|| {
        CliError::refused(format!("there is no adapter {id}")).next(
            "an adapter has its job's number once the job is completed; `openledger adapter list` \
             lists them",
        )
    })
}

/// An adapter as it is shown, with the flag of revoked data.
async fn shape(
    client: &Client,
    id: JobId,
    adapter: Adapter<AccountId>,
    parent: Option<JobId>,
) -> Result<json::Adapter<AccountId>> {
    let revoked = client.hold_revoked(&adapter.datasets, client.created_at(id).await?).await?;
    Ok(json::Adapter::new(id, adapter, parent, revoked))
}

async fn list(context: &Context) -> Result<Answer> {
    let client = context.client().await?;
    let mut adapters = Vec::new();
    let mut start = 0;
    loop {
        let page = client.jobs(start).await?;
        let Some((last, _)) = page.last() else { break };
        start = last + 1;
        for (id, job) in &page {
            if job.state.is_over() {
                let Some(adapter) = client.adapter(*id).await? else { continue };
                adapters.push(shape(client, *id, adapter, job.parent).await?);
            }
        }
    }
    let rows = adapters.iter().map(|adapter| {
        [
            adapter.id.to_string(),
            adapter.base.to_string(),
            adapter.parent.map_or(String::new(), |parent| parent.to_string()),
            format!("{:.3}", adapter.outcome.eval_loss_before),
            format!("{:.3}", adapter.outcome.eval_loss_after),
            flag(adapter).to_owned(),
            adapter.outcome.sha256.clone(),
        ]
    });
    let head = ["id", "model", "parent", "loss before", "after", "data", "sha256"];
    let text = table(head, rows);
    Ok(Answer::new(json!({ "adapters": adapters }), text))
}

async fn show(context: &Context, id: JobId) -> Result<Answer> {
    let client = context.client().await?;
    let adapter = require(client, id).await?;
    let ancestry = client.ancestry(id).await?;
    let adapter = shape(client, id, adapter, ancestry.first().copied()).await?;
    let outcome = &adapter.outcome;
    let text = fields([
        ("Adapter", format!("{id}, of base model {}", adapter.base)),
        ("Owner", adapter.owner.to_string()),
        ("Worker", adapter.worker.to_string()),
        ("Trained further", line(&ancestry)),
        ("Content", format!("{}, {} bytes", outcome.content, outcome.size)),
        ("sha256", outcome.sha256.clone()),
        (
            "Held-out loss",
            format!(
                "{:.3} → {:.3} nats a token",
                outcome.eval_loss_before, outcome.eval_loss_after
            ),
        ),
        ("Tokens", outcome.tokens.to_string()),
        ("Registered", format!("block {}", adapter.registered_at)),
        ("Data", flag(&adapter).to_owned()),
    ]);
    Ok(Answer::new(json!(adapter), text))
}

/// Whether the data of an adapter may still be trained on.
fn flag(adapter: &json::Adapter<AccountId>) -> &'static str {
    match adapter.holds_revoked {
        true => "revoked in part",
        false => "in force",
    }
}

/// Ancestors in words, the nearest first.
pub(super) fn line(ancestry: &[JobId]) -> String {
    match ancestry.split_first() {
        None => "no adapter: it begins fresh".to_owned(),
        Some((parent, [])) => format!("adapter {parent}"),
        Some((parent, further)) => {
            let further: Vec<String> = further.iter().map(JobId::to_string).collect();
            format!("adapter {parent}, which comes from {}", further.join(", "))
        }
    }
}

async fn ancestry(context: &Context, id: JobId) -> Result<Answer> {
    let client = context.client().await?;
    require(client, id).await?;
    let mut ids = vec![id];
    // A page ends after 100; the chain's numbers only go down, so this ends.
    while let Some(last) = ids.last() {
        let page = client.ancestry(*last).await?;
        if page.first().is_none_or(|next| next >= last) {
            break;
        }
        ids.extend(page);
    }
    let mut adapters = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        let parent = ids.get(n + 1).copied();
        adapters.push(shape(client, *id, require(client, *id).await?, parent).await?);
    }
    let rows = adapters.iter().map(|adapter| {
        let datasets = adapter.datasets.iter();
        let datasets: Vec<String> =
            datasets.map(|dataset| format!("{}@{}", dataset.datanet, dataset.leaves)).collect();
        [
            adapter.id.to_string(),
            datasets.join(", "),
            format!("{:.3}", adapter.outcome.eval_loss_before),
            format!("{:.3}", adapter.outcome.eval_loss_after),
            adapter.owner.to_string(),
            adapter.outcome.sha256.clone(),
        ]
    });
    let head = ["adapter", "datanets", "loss before", "after", "owner", "sha256"];
    let text = table(head, rows);
    Ok(Answer::new(json!({ "adapter": id, "ancestry": adapters }), text))
}

async fn download(context: &Context, id: JobId, to: &Path) -> Result<Answer> {
    let adapter = require(context.client().await?, id).await?;
    let result = adapter.result;
    let written = |source| openledger_content::Error::io("write to", to, source);
    fs::create_dir_all(to).map_err(written)?;
    let (weights, config) = (to.join(WEIGHTS), to.join(CONFIG));
    for path in [&weights, &config] {
        if path.symlink_metadata().is_ok() {
            return Err(CliError::usage(format!("{} exists already", path.display()))
                .next("choose another folder with --to"));
        }
    }
    let wanted = Wanted::exactly(result.content, result.sha256, result.size);
    content::fetch_file(context, &wanted, result.size, &weights).await?;
    let text = embedded_config(&weights).inspect_err(|_| {
        // A folder with half an adapter in it would only be in the way.
        let _ = fs::remove_file(&weights);
    })?;
    let failed = |source| openledger_content::Error::io("write", &config, source);
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).open(&config).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let sha256 = hex::encode(result.sha256);
    let json = json!({
        "adapter": id,
        "files": [weights, config],
        "sha256": sha256,
        "size": result.size,
        "content": result.content,
    });
    let text = format!(
        "Adapter {id} is in {}: {} bytes, sha256 {sha256}, as on chain.",
        to.display(),
        result.size
    );
    Ok(Answer::new(json, text))
}

/// The `adapter_config.json` that workers put into the metadata of the safetensors file.
fn embedded_config(path: &Path) -> Result<String> {
    let failed = |source| openledger_content::Error::io("read", path, source);
    let malformed = |reason: &str| {
        CliError::failed(format!("{} is not an adapter: {reason}", path.display())).next(
            "the file is as on chain, so its worker posted something else; tell the job's owner",
        )
    };
    let mut file = fs::File::open(path).map_err(failed)?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|_| malformed("it is shorter than its header"))?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Err(malformed(&format!(
            "its header has {length} bytes, the limit is {MAX_HEADER}"
        )));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(failed)?;
    let header: Value =
        serde_json::from_slice(&header).map_err(|_| malformed("its header is not JSON"))?;
    let text = header["__metadata__"]["adapter_config"].as_str();
    let text = text.ok_or_else(|| malformed("it carries no adapter_config"))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(_)) => Ok(text.to_owned()),
        _ => Err(malformed("its adapter_config is not a JSON object")),
    }
}

async fn attribution(context: &Context, id: JobId, check: bool) -> Result<Answer> {
    let client = context.client().await?;
    let adapter = require(client, id).await?;
    let created_at = client.created_at(id).await?;
    let mut leaves: Vec<(u32, LeafView<AccountId>)> = Vec::new();
    let mut left_out = 0usize;
    for dataset in &adapter.datasets {
        let mut of_dataset = client.leaves_until(dataset.datanet, dataset.version.leaves).await?;
        let revoked = client.left_out(dataset, created_at).await?;
        left_out = left_out.saturating_add(revoked.len());
        of_dataset.retain(|view| !revoked.contains(&view.index));
        leaves.extend(of_dataset.into_iter().map(|leaf| (dataset.datanet, leaf)));
    }
    if check {
        prove(client, id, &adapter, &leaves).await?;
    }
    let files = file_shares(&leaves);
    let contributors = by_contributor(&files);
    let percent = |share: u64| format!("{:.4} %", share as f64 * 100.0 / PARTS as f64);
    let rows = contributors
        .iter()
        .map(|part| [part.account.to_string(), part.units.to_string(), percent(part.share)]);
    let mut text = table(["contributor", "units", "share"], rows);
    text.push_str("\n\n");
    let rows = files.iter().map(|file| {
        [
            format!("{}/{}", file.datanet, file.leaf),
            file.contributor.to_string(),
            file.units.to_string(),
            percent(file.share),
            file.sha256.clone(),
        ]
    });
    text.push_str(&table(["datanet/leaf", "contributor", "units", "share", "sha256"], rows));
    let mut json = json!({
        "adapter": id,
        "parts": PARTS,
        "contributors": contributors,
        "files": files,
        "leftOut": left_out,
    });
    if left_out > 0 {
        text.push_str(&format!(
            "\n\nLeft out: {} of the versions, revoked before the job: not trained on, without a share.",
            counted(left_out, "file")
        ));
    }
    if check {
        json["checked"] = json!({ "leaves": leaves.len(), "datasetRoot": true });
        text.push_str(&format!(
            "\n\nChecked: of {} each is proved to stand in the versions trained on.",
            counted(leaves.len(), "file")
        ));
    }
    Ok(Answer::new(json, text))
}

/// Adds the files of each contributor up, the largest share first.
fn by_contributor(files: &[FileShare<AccountId>]) -> Vec<ContributorShare> {
    let mut sums: BTreeMap<AccountId, (u64, u64)> = BTreeMap::new();
    for file in files {
        let (units, share) = sums.entry(file.contributor).or_default();
        *units = units.saturating_add(file.units);
        *share = share.saturating_add(file.share);
    }
    let mut contributors: Vec<ContributorShare> = sums
        .into_iter()
        .map(|(account, (units, share))| ContributorShare { account, units, share })
        .collect();
    contributors.sort_by_key(|part| std::cmp::Reverse(part.share));
    contributors
}

/// Proves that the leaves are those of the versions, and the versions those of the adapter.
async fn prove(
    client: &Client,
    id: JobId,
    adapter: &Adapter<AccountId>,
    leaves: &[(u32, LeafView<AccountId>)],
) -> Result<()> {
    let wrong = |what: String| {
        CliError::failed(format!("the attribution of adapter {id} does not hold: {what}"))
            .next("do not rely on this node; ask another one with --node")
    };
    if dataset_root(&adapter.datasets) != adapter.result.dataset_root {
        return Err(wrong("its dataset root is not that of its Datanets' versions".to_owned()));
    }
    for dataset in &adapter.datasets {
        let of_dataset = leaves.iter().filter(|(datanet, _)| *datanet == dataset.datanet);
        for (datanet, view) in of_dataset {
            let index = view.index;
            let proof = client.leaf_proof(*datanet, index, dataset.version.leaves).await?;
            let holds =
                proof.is_some_and(|proof| verify_leaf(&dataset.version, index, &view.leaf, proof));
            if !holds {
                return Err(wrong(format!(
                    "leaf {index} of Datanet {datanet} is not in its version"
                )));
            }
        }
    }
    Ok(())
}
