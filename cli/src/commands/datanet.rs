//! `openledger datanet`

mod admission;
mod budget;
mod owner;

use crate::{
    arguments::one_of,
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
};
use clap::{ArgGroup, Args, Subcommand};
use openledger_client::{AccountId, Client, NewDatanet, Wait};
use openledger_primitives::{
    api::DatanetView, json, text::counted, DatanetId, Modality, QuotaLimits, ReviewPolicy,
};
use serde_json::json;

/// Most bytes of a name.
const MAX_NAME: usize = 64;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a Datanet; its deposit is held until it is closed.
    #[command(after_help = "Examples:
  openledger --key me datanet create --name 'Questions about our town' --modality text \\
      --min-units 20 --max-units 100000 --curator 5Grw… --curator friend --threshold 2
  openledger --key me datanet create --name Recipes --modality text --committee modality")]
    Create(Create),
    /// List the Datanets.
    #[command(after_help = "Examples:
  openledger datanet list
  openledger datanet list --output json")]
    List,
    /// Show or change what may be submitted in a UTC day: by all together, and in percent by each.
    Caps(super::caps::Caps),
    /// Take no more files of an account.
    Bar(super::caps::Bar),
    /// Take files of an account again.
    Unbar(super::caps::Unbar),
    /// Show a Datanet.
    #[command(after_help = "Examples:
  openledger datanet show 0")]
    Show {
        /// Its number.
        datanet: DatanetId,
    },
    /// Say what a Datanet of yours is about. What you leave out stays as it is.
    #[command(after_help = "Examples:
  openledger --key me datanet describe 0 --summary 'Letters of sailors' --tag letters --tag sea
  openledger --key me datanet describe 0 --description-file about.md")]
    Describe(owner::Describe),
    /// Name other curators for a Datanet of yours, or have committees decide; they wait where money is in its
    /// pool.
    #[command(after_help = "Examples:
  openledger --key me datanet curators 0 --curator 5Grw… --curator friend --threshold 2
  openledger --key me datanet curators 0 --committee modality")]
    Curators(owner::Curators),
    /// Show what a Datanet pays drawn committees from; pay in, take back, limit it, as its owner.
    #[command(after_help = "Examples:
  openledger datanet budget 0
  openledger --key me datanet budget 0 --fund 50
  openledger --key me datanet budget 0 --files-a-day 200 --share 5")]
    Budget(budget::Budget),
    /// Show or say of whom a Datanet takes files: of everybody, of who is invited, or of who has earned points
    /// elsewhere.
    #[command(after_help = "Examples:
  openledger datanet admission 0 --account me
  openledger --key me datanet admission 0 --points 5000
  openledger --key me datanet admission 0 --open

Only points of verdicts that count beyond their Datanet are points elsewhere: of committees drawn from a \
modality's seats, of at least 25 accounts.")]
    Admission(admission::Admission),
    /// Invite an account to a Datanet of yours.
    #[command(after_help = "Examples:
  openledger --key me datanet invite 0 5FHn…
  openledger --key me datanet invite 0 5FHn… --not          (takes the invitation back)")]
    Invite(admission::Invite),
    /// Let no files into a Datanet of yours for now.
    #[command(after_help = "Examples:
  openledger --key me datanet pause 0")]
    Pause {
        /// Its number.
        datanet: DatanetId,
    },
    /// Let files into a Datanet of yours again.
    #[command(after_help = "Examples:
  openledger --key me datanet resume 0")]
    Resume {
        /// Its number.
        datanet: DatanetId,
    },
    /// Offer a Datanet of yours to another account, which becomes its owner when it accepts.
    #[command(after_help = "Examples:
  openledger --key me datanet offer 0 --to friend
  openledger --key me datanet offer 0 --nobody            (takes the offer back)")]
    Offer(owner::Offer),
    /// Become the owner of a Datanet that was offered to you; its deposit is held.
    #[command(after_help = "Examples:
  openledger --key friend datanet accept 0")]
    Accept {
        /// Its number.
        datanet: DatanetId,
    },
    /// Close a Datanet of yours for ever and get its deposit back. Its files and points stay.
    #[command(after_help = "Examples:
  openledger --key me datanet close 0")]
    Close {
        /// Its number.
        datanet: DatanetId,
    },
    /// Take invitations and bars of a closed Datanet away, 50 at a time; their deposits go back to its owner.
    #[command(after_help = "Examples:
  openledger --key me datanet clear 0")]
    Clear {
        /// Its number.
        datanet: DatanetId,
    },
}

#[derive(Args, Debug)]
#[group(skip)]
#[command(group(ArgGroup::new("judges").required(true).args(["curators", "committee"])))]
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
    #[arg(long = "curator")]
    curators: Vec<String>,
    /// Have committees decide, drawn from the seats for its modality or from seats for this Datanet alone.
    #[arg(long, value_name = "SEATS")]
    committee: Option<CommitteeSeats>,
    /// How many curators must agree.
    #[arg(long, default_value_t = 1)]
    threshold: u8,
    /// Most files a UTC day, of all contributors together; without it as many as come.
    #[arg(long, requires = "daily_bytes")]
    daily_files: Option<u32>,
    /// Most bytes a UTC day, of all contributors together; without it as many as come.
    #[arg(long, requires = "daily_files")]
    daily_bytes: Option<u64>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Caps(caps) => super::caps::caps(context, caps).await,
        Command::Bar(bar) => super::caps::bar(context, bar).await,
        Command::Unbar(unbar) => super::caps::unbar(context, unbar).await,
        Command::Create(create) => self::create(context, create).await,
        Command::List => list(context).await,
        Command::Show { datanet } => show(context, datanet).await,
        Command::Describe(describe) => owner::describe(context, describe).await,
        Command::Curators(curators) => owner::curators(context, curators).await,
        Command::Budget(budget) => budget::budget(context, budget).await,
        Command::Admission(admission) => admission::admission(context, admission).await,
        Command::Invite(invite) => admission::invite(context, invite).await,
        Command::Pause { datanet } => owner::pause(context, datanet, true).await,
        Command::Resume { datanet } => owner::pause(context, datanet, false).await,
        Command::Offer(offer) => owner::offer(context, offer).await,
        Command::Accept { datanet } => owner::accept(context, datanet).await,
        Command::Close { datanet } => owner::close(context, datanet).await,
        Command::Clear { datanet } => owner::clear(context, datanet).await,
    }
}

/// The seats that committees are drawn from.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum CommitteeSeats {
    /// Those for every Datanet of its modality.
    Modality,
    /// Those for this Datanet alone.
    Datanet,
}

/// A policy of committees, or of the curators that were named.
async fn policy(
    context: &Context,
    curators: &[String],
    threshold: u8,
    committee: Option<CommitteeSeats>,
) -> Result<ReviewPolicy<AccountId>> {
    if let Some(seats) = committee {
        let own_seats = matches!(seats, CommitteeSeats::Datanet);
        return Ok(ReviewPolicy::Committee { own_seats });
    }
    let mut members = Vec::new();
    for curator in curators {
        members.push(context.account(Some(curator)).await?);
    }
    let count = members.len();
    let members = members
        .try_into()
        .map_err(|_| CliError::usage(format!("{count} curators; a Datanet takes at most 16")))?;
    let policy = ReviewPolicy::Curators { members, threshold };
    policy.validate().map_err(|_| {
        CliError::usage(format!(
            "no verdict could be reached by {} with threshold {threshold}",
            counted(count, "curator")
        ))
        .next("name each curator once, and a threshold of 1 to the number of curators")
    })?;
    Ok(policy)
}

/// A Datanet, or an error that says how to find one.
pub(crate) async fn require(client: &Client, datanet: DatanetId) -> Result<DatanetView<AccountId>> {
    client.datanet(datanet).await?.ok_or_else(|| {
        CliError::refused(format!("there is no Datanet {datanet}"))
            .next("list them with `openledger datanet list`")
    })
}

async fn create(context: &Context, create: Create) -> Result<Answer> {
    if create.name.len() > MAX_NAME {
        let bytes = create.name.len();
        return Err(CliError::usage(format!("the name has {bytes} bytes; it may have {MAX_NAME}")));
    }
    let policy = policy(context, &create.curators, create.threshold, create.committee).await?;
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
    let client = context.client().await?;
    let view = require(client, datanet).await?;
    let details = client.datanet_details(datanet).await?.map(json::DatanetDetails::from);
    let (modality, name) = (view.modality, String::from_utf8_lossy(&view.name).into_owned());
    let shown = json::Datanet::from(view);
    let curators: Vec<String> = shown.curators.iter().map(AccountId::to_string).collect();
    let text = fields([
        ("Datanet", format!("{datanet}: {name}")),
        ("Owner", shown.owner.to_string()),
        ("Modality", modality.to_string()),
        ("Units a file", format!("{} to {} {}", shown.min_units, shown.max_units, modality.unit())),
        (
            "Accepted",
            format!("{}, {}", counted(shown.leaves, "file"), counted(shown.units, "unit")),
        ),
        ("Pending", shown.pending.to_string()),
        ("Version", format!("{}, root {}", counted(shown.leaves, "leaf"), shown.root)),
        match shown.seats {
            Some(seats) => ("Committees", format!("drawn from seats for the {seats}")),
            None => (
                "Curators",
                format!(
                    "{} of {} named by the owner: {}",
                    shown.threshold.unwrap_or(0),
                    curators.len(),
                    curators.join(", ")
                ),
            ),
        },
    ]);
    let mut json = json!(shown);
    let mut text = text;
    if let Some(details) = details {
        let tags = details.tags.join(", ");
        text.push_str(&format!("\nStatus: {} ({})", details.status, details.status.help()));
        for (name, words) in [("Summary", &details.summary), ("Tags", &tags)] {
            if !words.is_empty() {
                text.push_str(&format!("\n{name}: {words}"));
            }
        }
        if let Some(to) = &details.offered_to {
            text.push_str(&format!("\nOffered to {to}"));
        }
        if !details.description.is_empty() {
            text.push_str(&format!("\n\n{}", details.description));
        }
        json["details"] = json!(details);
    }
    Ok(Answer::new(json, text))
}
