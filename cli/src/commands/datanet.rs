//! `openledger datanet`

use crate::{
    arguments::one_of,
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
};
use clap::{Args, Subcommand};
use openledger_client::{AccountId, Client, NewDatanet, Wait};
use openledger_primitives::{
    api::DatanetView, json, DatanetId, Modality, QuotaLimits, ReviewPolicy,
};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a Datanet; its deposit is held for as long as it exists (no call closes one yet).
    #[command(after_help = "Examples:
  openledger --key me datanet create --name 'Questions about our town' --modality text \\
      --min-units 20 --max-units 100000 --curator 5Grw… --curator friend --threshold 2")]
    Create(Create),
    /// List the Datanets.
    #[command(after_help = "Examples:
  openledger datanet list
  openledger datanet list --output json")]
    List,
    /// Show a Datanet.
    #[command(after_help = "Examples:
  openledger datanet show 0")]
    Show {
        /// Its number.
        datanet: DatanetId,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// Its name, 1 to 64 bytes.
    #[arg(long)]
    name: String,
    /// What it holds, for ever.
    #[arg(long, value_parser = one_of::<Modality>())]
    modality: Modality,
    /// Least units of a file.
    #[arg(long, default_value_t = 1)]
    min_units: u64,
    /// Most units of a file that earn points.
    #[arg(long, default_value_t = 100_000)]
    max_units: u64,
    /// Who decides on submissions (repeatable): address, name of a key, or //Alice.
    #[arg(long = "curator", required = true)]
    curators: Vec<String>,
    /// How many curators must agree.
    #[arg(long, default_value_t = 1)]
    threshold: u8,
    /// Most files a UTC day, of all contributors together.
    #[arg(long, requires = "daily_bytes")]
    daily_files: Option<u32>,
    /// Most bytes a UTC day, of all contributors together.
    #[arg(long, requires = "daily_files")]
    daily_bytes: Option<u64>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Create(create) => self::create(context, create).await,
        Command::List => list(context).await,
        Command::Show { datanet } => show(context, datanet).await,
    }
}

/// A Datanet, or an error that says how to find one.
pub(crate) async fn require(client: &Client, datanet: DatanetId) -> Result<DatanetView<AccountId>> {
    client.datanet(datanet).await?.ok_or_else(|| {
        CliError::refused(format!("there is no Datanet {datanet}"))
            .next("list them with `openledger datanet list`")
    })
}

async fn create(context: &Context, create: Create) -> Result<Answer> {
    let mut members = Vec::new();
    for curator in &create.curators {
        members.push(context.account(Some(curator)).await?);
    }
    let count = members.len();
    let members = members
        .try_into()
        .map_err(|_| CliError::usage(format!("{count} curators; a Datanet takes at most 16")))?;
    let policy = ReviewPolicy::Curators { members, threshold: create.threshold };
    policy.validate().map_err(|_| {
        CliError::usage(format!(
            "no verdict could be reached by {count} curators with threshold {}",
            create.threshold
        ))
        .next("name each curator once, and a threshold of 1 to the number of curators")
    })?;
    let datanet = NewDatanet {
        name: create.name.clone(),
        modality: create.modality,
        min_units: create.min_units,
        max_units: create.max_units,
        daily_limit: create
            .daily_files
            .zip(create.daily_bytes)
            .map(|(files, bytes)| QuotaLimits { files, bytes }),
        policy,
    };
    let signer = context.signer().await?;
    let client = context.client().await?;
    let (receipt, datanet) =
        client.create_datanet(&signer, datanet, context.wait(Wait::InBlock)).await?;
    let text = format!("Datanet {datanet} ({}) was created.", create.name);
    Ok(Answer::of_transaction(json!({ "datanet": datanet }), text, &receipt))
}

async fn list(context: &Context) -> Result<Answer> {
    let client = context.client().await?;
    let mut datanets = Vec::new();
    loop {
        let start = datanets.last().map_or(0, |last: &DatanetView<AccountId>| last.id + 1);
        let page = client.datanets(start).await?;
        if page.is_empty() {
            break;
        }
        datanets.extend(page);
    }
    let rows = datanets.iter().map(|view| {
        [
            view.id.to_string(),
            String::from_utf8_lossy(&view.name).into_owned(),
            view.modality.to_string(),
            view.version.leaves.to_string(),
            view.units.to_string(),
            view.pending.to_string(),
        ]
    });
    let text = table(["id", "name", "modality", "files", "units", "pending"], rows);
    let datanets: Vec<_> = datanets.into_iter().map(json::Datanet::from).collect();
    Ok(Answer::new(json!({ "datanets": datanets }), text))
}

async fn show(context: &Context, datanet: DatanetId) -> Result<Answer> {
    let view = require(context.client().await?, datanet).await?;
    let (modality, name) = (view.modality, String::from_utf8_lossy(&view.name).into_owned());
    let shown = json::Datanet::from(view);
    let curators: Vec<String> = shown.curators.iter().map(AccountId::to_string).collect();
    let text = fields([
        ("Datanet", format!("{datanet}: {name}")),
        ("Owner", shown.owner.to_string()),
        ("Modality", modality.to_string()),
        ("Units a file", format!("{} to {} {}", shown.min_units, shown.max_units, modality.unit())),
        ("Accepted", format!("{} files, {} units", shown.leaves, shown.units)),
        ("Pending", shown.pending.to_string()),
        ("Version", format!("{} leaves, root {}", shown.leaves, shown.root)),
        (
            "Curators",
            format!(
                "{} of {} named by the owner: {}",
                shown.threshold.unwrap_or(0),
                curators.len(),
                curators.join(", ")
            ),
        ),
    ]);
    Ok(Answer::new(json!(shown), text))
}
