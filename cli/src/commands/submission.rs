//! `openledger submission`

use crate::{
    arguments::file_hash,
    context::Context,
    error::{CliError, Result},
    output::{table, Answer},
};
use clap::Subcommand;
use openledger_client::{AccountId, Wait};
use openledger_primitives::{
    api::{SubmissionKey, SubmissionView},
    json::{Submission, Vote},
    text::counted,
    DatanetId, FileHash, LeafIndex,
};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show a submission: the votes on it, or why, by whom and when it was refused.
    #[command(after_help = "Examples:
  openledger submission show --datanet 0 17
  openledger submission show --datanet 0 9f86d081… --output json

The chain keeps a refusal for as long as it keeps the file for who gave it first (30 days, 180 for harmful \
content, a day for what could not be fetched); a gateway keeps it for ever.")]
    Show {
        /// The Datanet's number.
        #[arg(long)]
        datanet: DatanetId,
        /// The submission's number, or the sha256 of its file.
        #[arg(value_parser = key)]
        submission: SubmissionKey,
    },
    /// List an account's submissions in every state.
    #[command(after_help = "Examples:
  openledger --key me submission list
  openledger submission list 5FHn… --output json")]
    List {
        /// Whose; without it that of --key.
        account: Option<String>,
    },
    /// End the wait of a file that nobody decided on for 7 days; anyone may.
    #[command(after_help = "Examples:
  openledger --key me submission expire --datanet 0 --sha256 9f86d081…")]
    Expire {
        /// The Datanet's number.
        #[arg(long)]
        datanet: DatanetId,
        /// sha2-256 of the file, 64 hexadecimal digits.
        #[arg(long, value_parser = file_hash)]
        sha256: FileHash,
    },
    /// Revoke a leaf of yours: jobs of later blocks leave it out, and adapters that were trained on it
    /// are flagged. Nothing is rewritten.
    #[command(after_help = "Examples:
  openledger --key me submission revoke --datanet 0 --leaf 12")]
    Revoke {
        /// The Datanet's number.
        #[arg(long)]
        datanet: DatanetId,
        /// The leaf's position.
        #[arg(long)]
        leaf: LeafIndex,
    },
}

fn key(text: &str) -> Result<SubmissionKey, String> {
    // No file's hash is as short as the longest number.
    match text.parse() {
        Ok(number) if text.len() <= 20 => Ok(SubmissionKey::Number(number)),
        _ => file_hash(text)
            .map(SubmissionKey::Sha256)
            .map_err(|_| format!("{text:?} is neither a number nor a sha256 of 64 digits")),
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Show { datanet, submission } => show(context, datanet, submission).await,
        Command::List { account } => list(context, account.as_deref()).await,
        Command::Expire { datanet, sha256 } => expire(context, datanet, sha256).await,
        Command::Revoke { datanet, leaf } => revoke(context, datanet, leaf).await,
    }
}

async fn show(context: &Context, datanet: DatanetId, key: SubmissionKey) -> Result<Answer> {
    let client = context.client().await?;
    super::datanet::require(client, datanet).await?;
    let view = client.submission(datanet, key).await?.ok_or_else(|| {
        CliError::refused(format!("Datanet {datanet} keeps no such submission"))
            .next("the chain forgets refusals in time; a gateway keeps them (`/v1/submissions/N`)")
    })?;
    let submission = Submission::from(view);
    let text = in_words(&submission);
    Ok(Answer::new(json!(submission), text))
}

fn in_words(submission: &Submission<AccountId>) -> String {
    let Submission { submission: number, datanet, contributor, .. } = submission;
    let mut lines = vec![
        format!("Submission {number} of Datanet {datanet} by {contributor}: {}", submission.state),
        format!("sha256  {}", submission.sha256),
    ];
    let mut line = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{name:<7} {value}")));
    };
    line("file", submission.content.map(|content| content.to_string()));
    line("bytes", submission.size.map(|size| size.to_string()));
    line("since", submission.since.map(|block| format!("block {block}")));
    line("age", submission.age.map(|block| format!("from block {block}")));
    line("expires", submission.expires_at.map(|block| format!("by anyone from block {block}")));
    line("leaf", submission.leaf.map(|leaf| leaf.to_string()));
    line("score", submission.score.map(|score| score.to_string()));
    line("units", submission.units.map(|units| units.to_string()));
    line("revoked", submission.revoked.filter(|revoked| *revoked).map(|_| "yes".to_owned()));
    line(
        "why",
        submission.reason.zip(submission.explanation).map(|(why, help)| format!("{why}: {help}")),
    );
    line("when", submission.at.map(|block| format!("block {block}")));
    for judge in submission.judges.iter().flatten() {
        line("judge", Some(judge.to_string()));
    }
    line(
        "kept",
        submission.kept_until.zip(submission.resubmittable).map(|(block, again)| match again {
            true => format!("for {contributor} until block {block}"),
            false => format!("from everybody until block {block}"),
        }),
    );
    for vote in submission.votes.iter().flatten() {
        line("vote", Some(vote_in_words(vote)));
    }
    lines.join("\n")
}

fn vote_in_words(vote: &Vote<AccountId>) -> String {
    let what = match (vote.reason, vote.score.zip(vote.units)) {
        (Some(reason), _) => format!("reject ({reason})"),
        (None, Some((score, units))) => {
            format!("accept, score {score}, {}", counted(units, "unit"))
        }
        (None, None) => vote.verdict.to_owned(),
    };
    format!("{what}, by {}", vote.curator)
}

async fn list(context: &Context, account: Option<&str>) -> Result<Answer> {
    let account = context.account(account).await?;
    let client = context.client().await?;
    let mut all: Vec<Submission<AccountId>> = Vec::new();
    loop {
        let after = all.last().map(|last| last.submission);
        let page: Vec<SubmissionView<_>> = client.submissions_of(account, after).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page.into_iter().map(Submission::from));
    }
    let rows = all.iter().map(|submission| {
        [
            submission.submission.to_string(),
            submission.datanet.to_string(),
            submission.state.to_owned(),
            submission.reason.unwrap_or_default().to_owned(),
            submission.sha256.clone(),
        ]
    });
    let text = table(["submission", "datanet", "state", "why", "sha256"], rows);
    Ok(Answer::new(json!({ "account": account, "submissions": all }), text))
}

async fn expire(context: &Context, datanet: DatanetId, sha256: FileHash) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let receipt = client.expire(&signer, datanet, sha256, context.wait(Wait::InBlock)).await?;
    let hash = hex::encode(sha256);
    let text = format!("{hash} waits in Datanet {datanet} no longer: nobody decided on it.");
    Ok(Answer::of_transaction(json!({ "datanet": datanet, "sha256": hash }), text, &receipt))
}

async fn revoke(context: &Context, datanet: DatanetId, leaf: LeafIndex) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let receipt = client.revoke_leaf(&signer, datanet, leaf, context.wait(Wait::InBlock)).await?;
    let text =
        format!("Leaf {leaf} of Datanet {datanet} is revoked: jobs of later blocks leave it out.");
    Ok(Answer::of_transaction(json!({ "datanet": datanet, "leaf": leaf }), text, &receipt))
}
