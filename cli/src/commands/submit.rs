//! `openledger submit` and `openledger withdraw`

use crate::{
    arguments::file_hash,
    content,
    context::Context,
    error::{CliError, Result},
    output::{table, Answer},
};
use clap::Args;
use openledger_client::{AccountId, Client, ClientError, Wait};
use openledger_content::{describe_file, Added};
use openledger_primitives::{
    api::SubmissionItem, DatanetId, FileHash, MediaType, Refusal, RefusalRule, MAX_ITEMS,
};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Submit files to a Datanet, free of charge within the daily quota: all of them or none.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  openledger --key me submit --datanet 0 notes.md
  openledger --key me submit --datanet 0 *.txt --output json

The files are put into the IPFS directory; run a node on it (openledger-ipfs daemon) so that curators
can fetch them.")]
pub(crate) struct Submit {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// 1 to 20 files; the end of the name says the format.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Take a pending file back. Its quota stays used.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  openledger --key me withdraw --datanet 0 --sha256 9f86d081…")]
pub(crate) struct Withdraw {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// sha2-256 of the file, 64 hexadecimal digits.
    #[arg(long, value_parser = file_hash)]
    sha256: FileHash,
}

/// A file on its way to the chain.
struct Candidate<'a> {
    path: &'a Path,
    media: MediaType,
    described: Added,
}

impl Candidate<'_> {
    fn item(&self) -> Result<SubmissionItem> {
        let Added { content, sha256, size } = self.described;
        let size = u32::try_from(size).map_err(|_| {
            CliError::failed(format!("{} grew while it was read", self.path.display()))
        })?;
        Ok(SubmissionItem { content, sha256, size, media: self.media })
    }
}

/// A refusal, with the name of the file that it is about.
fn refused(refusal: Refusal, files: &[PathBuf]) -> CliError {
    let item = refusal.item;
    let error = ClientError::Admission(refusal);
    let name = item.and_then(|item| files.get(item as usize)).map(|path| path.display());
    match name {
        Some(name) => CliError::from(error).next(format!("see to {name}; nothing was submitted")),
        None => error.into(),
    }
}

pub(crate) async fn submit(context: &Context, submit: Submit) -> Result<Answer> {
    let Submit { datanet, files } = submit;
    let client = context.client().await?;
    // Needs no password, so that files which are refused anyway ask for none.
    let account = context.account(None).await?;
    early_checks(client, account, &files).await?;

    let mut candidates = Vec::new();
    for path in &files {
        let media = content::media_type(path)?;
        let described = tokio::task::block_in_place(|| describe_file(path))?;
        candidates.push(Candidate { path, media, described });
    }
    let items: Vec<SubmissionItem> =
        candidates.iter().map(Candidate::item).collect::<Result<_>>()?;
    if let Err(refusal) = client.check_submission(account, datanet, &items).await? {
        return Err(refused(refusal, &files));
    }
    for Candidate { path, media, described } in &candidates {
        let failed = |error| openledger_content::Error::io("read", path, error);
        let bytes = tokio::fs::read(path).await.map_err(failed)?;
        content::check_format(*media, &bytes, &path.display().to_string())?;
        content::add(context, path, described).await?;
    }

    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let (receipt, submitted) = match client.submit_files(&signer, datanet, items, wait).await {
        Err(ClientError::Admission(refusal)) => return Err(refused(refusal, &files)),
        result => result?,
    };
    let number = |sha256: &FileHash| {
        submitted.iter().find(|file| file.sha256 == *sha256).map(|file| file.submission)
    };
    let submissions: Vec<_> = candidates
        .iter()
        .map(|Candidate { path, media, described }| {
            json!({
                "file": path,
                "submission": number(&described.sha256),
                "content": described.content,
                "sha256": hex::encode(described.sha256),
                "size": described.size,
                "media": media,
            })
        })
        .collect();
    let rows = candidates.iter().map(|Candidate { path, described, .. }| {
        [
            number(&described.sha256).map_or("?".to_owned(), |number| number.to_string()),
            path.display().to_string(),
            described.size.to_string(),
            described.content.to_string(),
        ]
    });
    let text = table(["submission", "file", "bytes", "content"], rows);
    let json = json!({ "datanet": datanet, "submissions": submissions });
    Ok(Answer::of_transaction(json, text, &receipt))
}

/// Refuses by the chain's rules what need not even be read: too many files, too many bytes.
async fn early_checks(client: &Client, account: AccountId, files: &[PathBuf]) -> Result<()> {
    if files.len() > MAX_ITEMS as usize {
        let refusal =
            Refusal::of_call(RefusalRule::ItemCount, files.len() as u64, MAX_ITEMS.into());
        return Err(refused(refusal, files));
    }
    let quota = client.quota(account).await?;
    for (item, path) in (0..).zip(files) {
        let failed = |error| openledger_content::Error::io("read", path, error);
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(CliError::usage(format!("{} is not a file", path.display())));
        }
        let total = quota.used.on(quota.day).bytes.saturating_add(metadata.len());
        if metadata.len() > quota.limits.bytes {
            let refusal =
                Refusal::of_item(RefusalRule::DailyBytes, item, total, quota.limits.bytes);
            return Err(refused(refusal, files));
        }
    }
    Ok(())
}

pub(crate) async fn withdraw(context: &Context, withdraw: Withdraw) -> Result<Answer> {
    let Withdraw { datanet, sha256 } = withdraw;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let receipt = client.withdraw(&signer, datanet, sha256, context.wait(Wait::InBlock)).await?;
    let hash = hex::encode(sha256);
    let text = format!("{hash} was taken back from Datanet {datanet}.");
    Ok(Answer::of_transaction(json!({ "datanet": datanet, "sha256": hash }), text, &receipt))
}
