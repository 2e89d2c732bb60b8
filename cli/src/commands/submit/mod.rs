//! `openledger submit` and `openledger withdraw`

mod collect;
mod earlier;
mod plan;
mod precommit;

use crate::{
    arguments::file_hash,
    content,
    context::Context,
    error::{CliError, Result},
    output::{table, Answer},
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use openledger_client::{AccountId, Client, ClientError, Receipt, Wait};
use openledger_primitives::{
    api::SubmissionItem, text::counted, text::visible, DatanetId, FileHash, Refusal, RefusalRule,
    SubmissionId,
};
use plan::{Candidate, Plan};
use serde_json::{json, Value};
use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

/// Most files that are listed for people one by one.
const LISTED: usize = 20;

/// Submit files to a Datanet, free of charge within the daily quota.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  openledger --key me submit --datanet 0 notes.md
  openledger --key me submit --datanet 0 *.txt --output json
  openledger --key me submit --datanet 0 library/

Every file is measured first, as curators will; one that they could not accept is not sent. A named file \
with which something is wrong ends the command before anything is sent; one inside a folder is passed \
over, and said. Hidden files and symbolic links of a folder are passed over too.

Each file is precommitted first: whoever reads the pool learns nothing of it, and cannot submit it before \
you. Its bytes come into the IPFS directory when it stands in a block.

At most 20 files go in one transaction, and as many as the day's quota has left. The rest waits: run the \
same command again when it says so, or after an interruption. Files that the Datanet has already are not \
sent again; one that was rejected is, and it is said, unless the Datanet keeps it out.

The files are put into the IPFS directory; run a node on it (openledger-ipfs daemon) so that curators \
can fetch them.")]
pub(crate) struct Submit {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// Submit at once, without a precommitment: whoever reads the pool may submit the same files before.
    #[arg(long)]
    no_precommit: bool,
    /// Files, and folders with files; the end of a file's name says its format.
    #[arg(required = true, value_name = "FILE|DIR")]
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

/// A file that is not sent.
#[derive(Debug)]
pub(crate) struct Skipped {
    path: PathBuf,
    reason: String,
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
    let Submit { datanet, no_precommit, files } = submit;
    let client = context.client().await?;
    // Needs no password, so that files which are refused anyway ask for none.
    let account = context.account(None).await?;
    // What a run that was ended a moment ago had sent would be promised twice, and count twice.
    if precommit::lately(context, datanet)? {
        client.until_included(account, precommit::LATELY).await?;
    }
    let quota = client.quota(account).await?;
    if !quota.registered {
        return Err(refused(Refusal::of_call(RefusalRule::NotRegistered, 0, 0), &files));
    }
    let view = client.datanet(datanet).await?.ok_or_else(|| {
        refused(Refusal::of_call(RefusalRule::UnknownDatanet, datanet.into(), 0), &files)
    })?;
    let (found, skipped) = collect::collect(&files)?;
    let named = found.iter().any(|file| file.named);
    let mut plan = plan::plan(context, client, account, &view, &quota, found).await?;
    plan.skipped.splice(0..0, skipped);
    // Of an earlier run that ended between chain and IPFS, or of a moved directory.
    for (path, described) in std::mem::take(&mut plan.served) {
        content::add(context, &path, &described).await?;
    }
    nothing_to_send(&plan, named, &files)?;

    let mut done: Vec<Done> = Vec::new();
    let mut unnoted: Option<CliError> = None;
    if !plan.batches.is_empty() {
        let signer = context.signer().await?;
        let bar = sending(context, &plan);
        let wait = context.wait(Wait::InBlock);
        for mut batch in std::mem::take(&mut plan.batches) {
            let sent: usize = done.iter().map(|batch| batch.files.len()).sum();
            let before = |error: CliError| match sent {
                0 => error,
                _ => error.next(format!(
                    "submitted before that: {}; run the same command again for the rest",
                    counted(sent, "file")
                )),
            };
            fit(client, account, datanet, &mut batch, &mut plan).await.map_err(before)?;
            if batch.is_empty() {
                continue;
            }
            let items: Vec<SubmissionItem> =
                batch.iter().map(Candidate::item).collect::<Result<_>>()?;
            let names: Vec<PathBuf> = batch.iter().map(|file| file.path.clone()).collect();
            let promised = batch.first().and_then(|file| file.salt);
            let sent = match (promised, no_precommit) {
                (Some(salt), _) => client.open_files(&signer, datanet, items, &salt, wait).await,
                (None, true) => client.submit_files(&signer, datanet, items, wait).await,
                (None, false) => {
                    let hashes: Vec<FileHash> = items.iter().map(|item| item.sha256).collect();
                    let salt = precommit::promise(context, client, &signer, datanet, &hashes)
                        .await
                        .map_err(before)?;
                    client.open_files(&signer, datanet, items, &salt, wait).await
                }
            };
            let (receipt, submitted) = match sent {
                Err(ClientError::Admission(refusal)) => {
                    return Err(before(refused(refusal, &names)))
                }
                result => result.map_err(|error| before(error.into()))?,
            };
            // Only now: what can be fetched can be submitted by who fetches it.
            for Candidate { path, described, .. } in &batch {
                content::add(context, path, described).await.map_err(|error| {
                    before(error.next(format!(
                        "the chain has it and nobody can fetch it yet: run the same command again \
                         with {} as it was",
                        path.display()
                    )))
                })?;
                bar.inc(described.size);
            }
            let number = |sha256: &FileHash| {
                submitted.iter().find(|file| file.sha256 == *sha256).map(|file| file.submission)
            };
            let files: Vec<_> =
                batch.into_iter().map(|file| (number(&file.described.sha256), file)).collect();
            // The files are on chain, whatever becomes of the notes.
            let noted = files
                .iter()
                .filter_map(|(number, file)| Some(((*number)?, file)))
                .try_for_each(|(number, file)| {
                    let sha256 = &file.described.sha256;
                    precommit::forget(context, datanet, sha256)?;
                    earlier::note(context, datanet, sha256, number, &receipt)
                });
            unnoted = unnoted.or(noted.err());
            done.push(Done { files, receipt });
        }
        bar.finish_and_clear();
        // The Datanet's own limit of the day may have left nothing.
        if done.is_empty() {
            nothing_to_send(&plan, true, &files)?;
        }
    }
    let answer = answer(context, datanet, &plan, &done);
    Ok(match unnoted {
        None => answer,
        Some(error) => answer.with_note(format!(
            "The files are submitted, and what was sent could not be noted: {}",
            error.message()
        )),
    })
}

/// A transaction and its files.
struct Done {
    files: Vec<(Option<SubmissionId>, Candidate)>,
    receipt: Receipt,
}

/// Says why nothing goes, where that is not what the user may have meant.
fn nothing_to_send(plan: &Plan, named: bool, arguments: &[PathBuf]) -> Result<()> {
    if !plan.batches.is_empty() {
        return Ok(());
    }
    if let Some(limit) = plan.limit {
        return Err(
            refused(limit, arguments).next(format!("the quota is new at {}", next_day_in_words()))
        );
    }
    match plan.present.first() {
        // All of a folder is there: that is what submitting it was for.
        Some(_) if !named => Ok(()),
        Some((path, number)) => {
            let place = arguments.iter().position(|argument| argument == path).unwrap_or(0);
            let rule = RefusalRule::AlreadySubmitted;
            Err(refused(Refusal::of_item(rule, place as u32, *number, 0), arguments))
        }
        None => Err(CliError::failed(match plan.skipped.first() {
            Some(Skipped { path, reason }) => format!(
                "no file is left to submit: {} passed over, the first is {} ({reason})",
                plan.skipped.len(),
                path.display()
            ),
            None => "there is no file in what was named".to_owned(),
        })
        .next("name files of the Datanet's formats (`openledger datanet show`)")),
    }
}

/// Takes files out of a batch until the day's limits let it pass: the Datanet's owner may have set
/// some, and another of the account's programs may have used its quota meanwhile.
async fn fit(
    client: &Client,
    account: AccountId,
    datanet: DatanetId,
    batch: &mut Vec<Candidate>,
    plan: &mut Plan,
) -> Result<()> {
    let mut waiting = Vec::new();
    while !batch.is_empty() {
        let items: Vec<SubmissionItem> =
            batch.iter().map(Candidate::item).collect::<Result<_>>()?;
        let checked = match batch.first().and_then(|file| file.salt) {
            Some(salt) => client.check_opening(account, datanet, &items, &salt).await?,
            None => client.check_submission(account, datanet, &items).await?,
        };
        match checked {
            Ok(()) => break,
            Err(refusal) if is_daily(refusal.rule) => {
                plan.limit.get_or_insert(refusal);
                waiting.extend(batch.pop().map(|file| file.path));
            }
            Err(refusal) => {
                let names: Vec<PathBuf> = batch.iter().map(|file| file.path.clone()).collect();
                return Err(refused(refusal, &names));
            }
        }
    }
    waiting.reverse();
    plan.waiting.splice(0..0, waiting);
    Ok(())
}

fn is_daily(rule: RefusalRule) -> bool {
    matches!(
        rule,
        RefusalRule::DailyFiles
            | RefusalRule::DailyBytes
            | RefusalRule::DatanetDailyFiles
            | RefusalRule::DatanetDailyBytes
            | RefusalRule::ShareFiles
            | RefusalRule::ShareBytes
    )
}

fn sending(context: &Context, plan: &Plan) -> ProgressBar {
    let bytes = plan.batches.iter().flatten().map(|file| file.described.size).sum();
    let bar = context.progress(ProgressBar::new(bytes));
    // The template is ours and valid; without it the bar only looks plainer.
    if let Ok(style) = ProgressStyle::with_template("sending {wide_bar} {bytes}/{total_bytes}") {
        bar.set_style(style);
    }
    bar
}

fn answer(context: &Context, datanet: DatanetId, plan: &Plan, done: &[Done]) -> Answer {
    let sent = || done.iter().flat_map(|batch| &batch.files);
    let submissions: Vec<Value> = sent()
        .map(|(number, file)| {
            json!({
                "file": file.path,
                "submission": number,
                "content": file.described.content,
                "sha256": hex::encode(file.described.sha256),
                "size": file.described.size,
                "media": file.media,
                "units": file.units,
            })
        })
        .collect();
    let present: Vec<Value> = (plan.present.iter())
        .map(|(path, number)| json!({ "file": path, "submission": number }))
        .collect();
    let skipped: Vec<Value> = (plan.skipped.iter())
        .map(|Skipped { path, reason }| json!({ "file": path, "reason": reason }))
        .collect();
    let before: Vec<Value> = sent()
        .filter_map(|(_, file)| Some(json!({ "file": file.path, "submission": file.before? })))
        .collect();
    let json = json!({
        "datanet": datanet,
        "submissions": submissions,
        "submittedBefore": before,
        "alreadySubmitted": present,
        "skipped": skipped,
        "waiting": plan.waiting,
        "secondsToNextDay": (!plan.waiting.is_empty()).then(seconds_to_next_day),
    });

    let mut text = String::new();
    if !done.is_empty() {
        let rows = sent().map(|(number, file)| {
            [
                number.map_or("?".to_owned(), |number| number.to_string()),
                file.path.display().to_string(),
                file.described.size.to_string(),
                file.units.to_string(),
                file.described.content.to_string(),
            ]
        });
        text = table(["submission", "file", "bytes", "units", "content"], rows);
    }
    let mut line = |line: String| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    };
    for (_, file) in sent() {
        if let Some(before) = file.before {
            line(format!(
                "sent again: {}: submission {before} brought the same file, which was rejected (or taken \
                 back by another program)",
                visible(&file.path.display().to_string(), true)
            ));
        }
    }
    if !plan.present.is_empty() {
        line(format!("{} in this Datanet already, not sent again", files(plan.present.len())));
    }
    for Skipped { path, reason } in plan.skipped.iter().take(LISTED) {
        line(format!("passed over: {}: {reason}", visible(&path.display().to_string(), true)));
    }
    if let Some(more @ 1..) = plan.skipped.len().checked_sub(LISTED) {
        line(format!("passed over: {} more; --output json names each", files(more)));
    }
    if !plan.waiting.is_empty() {
        let limit = plan.limit.map(|limit| limit.to_string()).unwrap_or_default();
        line(format!("waiting, {}: {limit}", files(plan.waiting.len())));
        line(format!("Run the same command again at {}.", next_day_in_words()));
    }
    if !done.is_empty() {
        line(format!("Next: {}", serve(context)));
    }
    match done {
        [] => Answer::new(json, text),
        [.., last] => {
            let mut answer = Answer::of_transaction(json, text, &last.receipt);
            answer.transactions(done.iter().map(|batch| &batch.receipt));
            answer
        }
    }
}

/// Who submits from a shell serves the bytes by itself.
fn serve(context: &Context) -> String {
    let directory = match &context.global.ipfs_directory {
        Some(directory) => format!(" --directory {}", directory.display()),
        None => String::new(),
    };
    format!(
        "leave `openledger-ipfs daemon{directory} --listen …` running at an address that curators reach, so that \
         they can fetch the files"
    )
}

fn files(count: usize) -> String {
    counted(count, "file")
}

/// Seconds until the UTC day ends, by this machine's clock; the chain's differs by seconds.
fn seconds_to_next_day() -> u64 {
    const DAY: u64 = 86_400;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    DAY - now % DAY
}

fn next_day_in_words() -> String {
    let minutes = seconds_to_next_day().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("00:00 UTC, in {minutes} min"),
        (hours, minutes) => format!("00:00 UTC, in {hours} h {minutes} min"),
    }
}

pub(crate) async fn withdraw(context: &Context, withdraw: Withdraw) -> Result<Answer> {
    let Withdraw { datanet, sha256 } = withdraw;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let receipt = client.withdraw(&signer, datanet, sha256, context.wait(Wait::InBlock)).await?;
    let forgotten = earlier::forget(context, datanet, &sha256);
    let hash = hex::encode(sha256);
    let text = format!("{hash} was taken back from Datanet {datanet}.");
    let json = json!({ "datanet": datanet, "sha256": hash });
    let answer = Answer::of_transaction(json, text, &receipt);
    Ok(match forgotten {
        Ok(()) => answer,
        // Or submitting it again would be told to follow a rejection.
        Err(error) => answer.with_note(format!(
            "The file is taken back, and the note that it was sent is still there: {}",
            error.message()
        )),
    })
}
