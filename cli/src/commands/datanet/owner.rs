//! What an owner does with a Datanet: `describe`, `curators`, `pause`, `resume`, `offer`, `accept`, `close`.

use super::{policy, require, CommitteeSeats};
use crate::{
    context::Context,
    error::{CliError, Result},
    output::Answer,
};
use clap::{ArgGroup, Args};
use openledger_client::{Amount, Wait};
use openledger_primitives::{
    datanet::{MAX_DESCRIPTION, MAX_SUMMARY, MAX_TAG, MAX_TAGS},
    text::counted,
    DatanetId, DatanetText,
};
use serde_json::json;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct Describe {
    /// Its number.
    datanet: DatanetId,
    /// A line, at most 200 bytes.
    #[arg(long)]
    summary: Option<String>,
    /// Markdown, at most 4,096 bytes.
    #[arg(long, conflicts_with = "description_file")]
    description: Option<String>,
    /// A file with the description.
    #[arg(long)]
    description_file: Option<PathBuf>,
    /// A word to find it by (repeatable, at most 8 of 32 bytes). Takes the place of those it has.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// Take its tags away.
    #[arg(long, conflicts_with = "tags")]
    no_tags: bool,
}

#[derive(Args, Debug)]
#[group(skip)]
#[command(group(ArgGroup::new("judges").required(true).args(["curators", "committee"])))]
pub(crate) struct Curators {
    /// Its number.
    datanet: DatanetId,
    /// Who decides on submissions (repeatable): address, name of a key, or //Alice.
    #[arg(long = "curator")]
    curators: Vec<String>,
    /// How many curators must agree.
    #[arg(long, default_value_t = 1)]
    threshold: u8,
    /// Have committees decide, drawn from the seats for its modality or from seats for this Datanet alone.
    #[arg(long, value_name = "SEATS")]
    committee: Option<CommitteeSeats>,
}

#[derive(Args, Debug)]
#[group(skip)]
#[command(group(ArgGroup::new("whom").required(true).args(["to", "nobody"])))]
pub(crate) struct Offer {
    /// Its number.
    datanet: DatanetId,
    /// To whom: address, name of a key, or //Alice.
    #[arg(long)]
    to: Option<String>,
    /// Take an offer back.
    #[arg(long)]
    nobody: bool,
}

fn bounded<T: TryFrom<Vec<u8>>>(what: &str, text: &str, most: u32) -> Result<T> {
    T::try_from(text.as_bytes().to_vec()).map_err(|_| {
        CliError::usage(format!("the {what} has {} bytes; it may have {most}", text.len()))
    })
}

pub(super) async fn describe(context: &Context, arguments: Describe) -> Result<Answer> {
    let Describe { datanet, summary, description, description_file, tags, no_tags } = arguments;
    let client = context.client().await?;
    require(client, datanet).await?;
    let description = match description_file {
        None => description,
        // A file of any length would do no harm, but would be read for nothing.
        Some(path) => {
            let size = std::fs::metadata(&path).map_or(0, |found| found.len());
            if size > u64::from(MAX_DESCRIPTION) {
                return Err(CliError::usage(format!(
                    "{} has {size} bytes; a description may have {MAX_DESCRIPTION}",
                    path.display()
                )));
            }
            Some(std::fs::read_to_string(&path).map_err(|error| {
                CliError::usage(format!("{} could not be read: {error}", path.display()))
            })?)
        }
    };
    let details = client.datanet_details(datanet).await?;
    let (old_summary, old_description, old_tags) = details
        .map(|details| (details.summary, details.description, details.tags))
        .unwrap_or_default();
    let stood = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let summary = summary.unwrap_or_else(|| stood(old_summary));
    let description = description.unwrap_or_else(|| stood(old_description));
    let tags = match (tags.is_empty(), no_tags) {
        (true, false) => old_tags.into_iter().map(stood).collect(),
        _ => tags,
    };
    let count = tags.len();
    let text = DatanetText {
        summary: bounded("summary", &summary, MAX_SUMMARY)?,
        description: bounded("description", &description, MAX_DESCRIPTION)?,
        tags: tags
            .iter()
            .map(|tag| bounded(&format!("tag {tag:?}"), tag, MAX_TAG))
            .collect::<Result<Vec<_>>>()?
            .try_into()
            .map_err(|_| CliError::usage(format!("{count} tags; there may be {MAX_TAGS}")))?,
    };
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.set_datanet_text(&signer, datanet, text, wait).await?;
    let json = json!({ "datanet": datanet, "summary": summary, "tags": tags });
    Ok(Answer::of_transaction(json, format!("Datanet {datanet}: {summary}"), &receipt))
}

pub(super) async fn curators(context: &Context, arguments: Curators) -> Result<Answer> {
    let Curators { datanet, curators, threshold, committee } = arguments;
    let policy = policy(context, &curators, threshold, committee).await?;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let (receipt, from) = client.set_review_policy(&signer, datanet, policy, wait).await?;
    let who = match committee {
        Some(_) => "drawn committees".to_owned(),
        None => format!("{threshold} of {}", counted(curators.len(), "curator")),
    };
    let text = match from {
        None => format!("On Datanet {datanet} {who} decide."),
        Some(block) => format!(
            "From block {block} on {who} decide on Datanet {datanet}. Until then those it has go on, \
             and funders of its pool may leave."
        ),
    };
    let json = json!({
        "datanet": datanet,
        "threshold": if committee.is_some() { 0 } else { threshold },
        "fromBlock": from,
    });
    Ok(Answer::of_transaction(json, text, &receipt))
}

pub(super) async fn pause(context: &Context, datanet: DatanetId, paused: bool) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.pause_datanet(&signer, datanet, paused, wait).await?;
    let text = match paused {
        true => format!("Datanet {datanet} takes no files for now; those that wait get verdicts."),
        false => format!("Datanet {datanet} takes files."),
    };
    Ok(Answer::of_transaction(json!({ "datanet": datanet, "paused": paused }), text, &receipt))
}

pub(super) async fn offer(context: &Context, arguments: Offer) -> Result<Answer> {
    let Offer { datanet, to, nobody: _ } = arguments;
    let to = match to {
        Some(to) => Some(context.account(Some(&to)).await?),
        None => None,
    };
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.offer_datanet(&signer, datanet, to, wait).await?;
    let text = match to {
        Some(to) => format!(
            "Datanet {datanet} is offered to {to}, who accepts it with `openledger datanet accept \
             {datanet}`."
        ),
        None => format!("Datanet {datanet} is offered to nobody any more."),
    };
    Ok(Answer::of_transaction(json!({ "datanet": datanet, "to": to }), text, &receipt))
}

pub(super) async fn accept(context: &Context, datanet: DatanetId) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let receipt = client.accept_datanet(&signer, datanet, context.wait(Wait::InBlock)).await?;
    let json = json!({ "datanet": datanet, "owner": signer.account() });
    Ok(Answer::of_transaction(json, format!("Datanet {datanet} is yours."), &receipt))
}

pub(super) async fn close(context: &Context, datanet: DatanetId) -> Result<Answer> {
    let client = context.client().await?;
    require(client, datanet).await?;
    let deposit = client.datanet_details(datanet).await?.map_or(0, |details| details.deposit);
    let signer = context.signer().await?;
    let receipt = client.close_datanet(&signer, datanet, context.wait(Wait::InBlock)).await?;
    let json = json!({ "datanet": datanet, "released": deposit.to_string() });
    let text = format!(
        "Datanet {datanet} is closed; {} are free again. Funders of its pool may leave.",
        Amount(deposit)
    );
    Ok(Answer::of_transaction(json, text, &receipt))
}

pub(super) async fn clear(context: &Context, datanet: DatanetId) -> Result<Answer> {
    let client = context.client().await?;
    require(client, datanet).await?;
    let signer = context.signer().await?;
    let (receipt, left) =
        client.clear_entries(&signer, datanet, context.wait(Wait::InBlock)).await?;
    let json = json!({ "datanet": datanet, "left": left });
    let rest = match left {
        0 => "none is left".to_owned(),
        left => format!("{left} more, so run this again"),
    };
    let text = format!("Invitations and bars of Datanet {datanet} were taken away; {rest}.");
    Ok(Answer::of_transaction(json, text, &receipt))
}
