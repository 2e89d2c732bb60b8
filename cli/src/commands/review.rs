//! `openledger review`

mod committee;
mod judge;
mod place;
mod queue;
mod run;
mod sealed;
pub(crate) mod serving;
mod watch;

use super::datanet::require as require_datanet;
use crate::{
    arguments::{file_hash, one_of},
    content,
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
    views,
};
use clap::{ArgGroup, Args, Subcommand};
use openledger_client::{AccountId, Client, ManyVote, Voted, Wait};
use openledger_documents::{Measured, EXTRACTOR_VERSION};
use openledger_primitives::{
    api::PendingView, json, DatanetId, ExtractorVersion, FileHash, RejectionReason, Score, Verdict,
};
use serde_json::{json, Value};
use std::path::PathBuf;

/// Most votes of one transaction.
const MAX_VOTES: usize = 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the files of a Datanet that wait for a verdict; without one, what `review run` asks its person.
    #[command(after_help = "Examples:
  openledger review list --datanet 0
  openledger --key me review list")]
    List {
        /// The Datanet's number.
        #[arg(long)]
        datanet: Option<DatanetId>,
    },
    /// Show a file that `review run` asks about, with the one that it is most like beside it.
    #[command(after_help = "Examples:
  openledger --key me review show 41
  openledger --key me review show 42 --save pictures --open

Of documents the canonical text, of both beside each other; pictures and sounds are written to files.")]
    Show(queue::Show),
    /// Answer what `review run` asks about a file. It seals the word, commits, and reveals in time.
    #[command(after_help = "Examples:
  openledger --key me review vote 41 --accept 80
  openledger --key me review vote 42 --reject off-topic

The last word before the program commits counts.")]
    Vote(queue::Vote),
    /// Fetch a file that waits for a verdict, check it, and measure it.
    #[command(
        after_help = "Examples:
  openledger --peer /ip4/127.0.0.1/tcp/4001/p2p/12D3… review fetch --datanet 0 --sha256 9f86… --to file.txt
  openledger --peer /ip4/127.0.0.1/tcp/4001/p2p/12D3… review fetch --datanet 0 --sha256 9f86… --text",
        group(ArgGroup::new("shown").required(true).multiple(true).args(["to", "text"]))
    )]
    Fetch {
        #[command(flatten)]
        file: File,
        /// Where to write it; must not exist yet.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Show its canonical text: what units are counted in and models are trained on.
        #[arg(long)]
        text: bool,
    },
    /// Vote to accept files. Their bytes are fetched, re-hashed and measured first.
    #[command(after_help = "Examples:
  openledger --key me --peer /ip4/… review accept --datanet 0 --sha256 9f86… --score 80
  openledger --key me --peer /ip4/… review accept --datanet 0 --sha256 9f86… --sha256 60303… --score 80

Up to 20 files are voted on in one transaction; a vote that is refused keeps none of the others back.")]
    Accept {
        #[command(flatten)]
        files: Files,
        /// Quality, 1 to 100.
        #[arg(long, value_parser = score)]
        score: Score,
    },
    /// Vote to reject files. Their bytes are fetched and re-hashed first.
    #[command(after_help = "Examples:
  openledger --key me --peer /ip4/… review reject --datanet 0 --sha256 9f86… --reason off-topic")]
    Reject {
        #[command(flatten)]
        files: Files,
        /// Why.
        #[arg(long, value_parser = one_of::<RejectionReason>())]
        reason: RejectionReason,
    },
    /// Vote that files cannot be fetched. Needs no bytes, and counts against nobody.
    #[command(after_help = "Examples:
  openledger --key me review unavailable --datanet 0 --sha256 9f86…")]
    Unavailable {
        #[command(flatten)]
        files: Files,
    },
    /// Stop being a curator of a Datanet. Those who are left decide.
    #[command(after_help = "Examples:
  openledger --key me review resign --datanet 0")]
    Resign {
        /// The Datanet's number.
        #[arg(long)]
        datanet: DatanetId,
    },
    /// List the draws of committees that are not over.
    #[command(after_help = "Examples:
  openledger review draws
  openledger review draws --member me --output json")]
    Draws(committee::Draws),
    /// Commit to a word on every file of a draw, as a member of its committee. Their bytes are fetched,
    /// re-hashed and measured first.
    #[command(after_help = "Examples:
  openledger --key me --peer /ip4/… review commit 7 --accept 0:80 --reject 1:off-topic --unavailable 2

Nobody sees what was said before everybody has committed. What it opens with is kept in DIR/votes of the \
IPFS directory, on the disk before anything is sent.")]
    Commit(committee::Commit),
    /// Show what was committed to. Who does not loses a part of its seat.
    #[command(after_help = "Examples:
  openledger --key me review reveal 7")]
    Reveal {
        /// The draw's number.
        draw: openledger_primitives::committee::DrawId,
    },
    /// Challenge a verdict before a committee three times the size, whose word is final. 10 OPEN are held.
    #[command(after_help = "Examples:
  openledger --key me review challenge 7 --file 0")]
    Challenge(committee::Challenge),
    /// Do what is due for seats and draws, should blocks not have come to it. Free if something was.
    #[command(after_help = "Examples:
  openledger --key me review advance")]
    Advance,
    /// Bring files before a committee that wait since the Datanet's policy changed.
    #[command(after_help = "Examples:
  openledger --key me review request --datanet 0 --sha256 9f86…")]
    Request(committee::Request),
    /// Judge whatever the account is drawn for, until it is stopped: fetch, measure, look for copies, commit, reveal.
    #[command(after_help = "Examples:
  openledger --key me --password-file pw --peer /ip4/… review run --score 60
  openledger --key me --password-file pw --peer /ip4/… review run --policy policy.json \\
      --listen /ip4/0.0.0.0/tcp/4001 --metrics 127.0.0.1:9620
  openledger --key me --password-file pw review run --score 60 \\
      --listen /ip4/0.0.0.0/tcp/4001 --announce /ip4/203.0.112.7/tcp/4001

Accepts what can be fetched, can be read, has enough units and is no copy, and refuses what cannot \
be read, is too small or a copy of an earlier file of the Datanet. It does not know what a file is \
about: a policy says in which Datanets a person is asked. Who accepts a file answers for it being there \
until its challenge is over: the program serves what it accepts with --listen, says on the chain where, \
and fetches what others have accepted from where they say. It says what it did in lines, with \
--output json as JSON; RUST_LOG=info says more. Seals lie in DIR/votes of the IPFS directory, and it \
may be killed at any moment.")]
    Run(run::Run),
    /// Challenge what committees accepted and what is wrong by measure, until it is stopped: copies, files that
    /// cannot be read, too small ones, wrong units.
    #[command(after_help = "Examples:
  openledger --key me --peer /ip4/… review watch --dry-run
  openledger --key me --password-file pw --peer /ip4/… review watch --listen /ip4/0.0.0.0/tcp/4003
  openledger --key me --peer /ip4/… review watch --datanet 7 --bond-limit 20OPEN --served --metrics 127.0.0.1:9621

While an acceptance may be challenged it fetches the file, measures it, compares it with what came \
before it in the Datanet as `review run` does, and challenges what a larger committee will find by \
the same measure: never what a file is about. 10 OPEN are held for each until that has spoken; right \
ones come back with half of what the members lose. It says what it did in lines, with --output json as JSON, \
and may be killed at any moment.")]
    Watch(watch::Watch),
}

/// Which files.
#[derive(Args, Debug)]
pub(crate) struct Files {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// sha2-256 of a file, 64 hexadecimal digits (repeatable).
    #[arg(long = "sha256", required = true, value_parser = file_hash)]
    files: Vec<FileHash>,
}

impl Files {
    fn each(&self) -> impl Iterator<Item = File> + '_ {
        self.files.iter().map(|sha256| File { datanet: self.datanet, sha256: *sha256 })
    }
}

/// Which file.
#[derive(Args, Debug)]
pub(crate) struct File {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// sha2-256 of the file, 64 hexadecimal digits.
    #[arg(long, value_parser = file_hash)]
    sha256: FileHash,
}

fn score(text: &str) -> Result<Score, String> {
    let score = text.parse().ok().and_then(Score::new);
    score.ok_or_else(|| format!("{text:?} is not a score: it takes a whole number, 1 to 100"))
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::List { datanet: Some(datanet) } => list(context, datanet).await,
        Command::List { datanet: None } => queue::list(context).await,
        Command::Show(show) => queue::show(context, show).await,
        Command::Vote(vote) => queue::vote(context, vote).await,
        Command::Fetch { file, to, text } => fetch(context, file, to, text).await,
        Command::Accept { files, score } => accept(context, files, score).await,
        Command::Reject { files, reason } => reject(context, files, reason).await,
        Command::Unavailable { files } => unavailable(context, files).await,
        Command::Resign { datanet } => resign(context, datanet).await,
        Command::Draws(draws) => committee::draws(context, draws).await,
        Command::Commit(commit) => committee::commit(context, commit).await,
        Command::Reveal { draw } => committee::reveal(context, draw).await,
        Command::Challenge(challenge) => committee::challenge(context, challenge).await,
        Command::Advance => committee::advance(context).await,
        Command::Request(request) => committee::request(context, request).await,
        Command::Run(run) => run::run(context, run).await,
        Command::Watch(watch) => watch::watch(context, watch).await,
    }
}

async fn list(context: &Context, datanet: DatanetId) -> Result<Answer> {
    let client = context.client().await?;
    require_datanet(client, datanet).await?;
    let mut pending: Vec<json::Pending<AccountId>> = Vec::new();
    loop {
        let page = client.pending(datanet, pending.last().map(|last| last.submission)).await?;
        if page.is_empty() {
            break;
        }
        pending.extend(page.into_iter().map(json::Pending::from));
    }
    let rows = pending.iter().map(|file| {
        [
            file.submission.to_string(),
            file.contributor.to_string(),
            file.media.extension().to_owned(),
            file.size.to_string(),
            file.sha256.clone(),
        ]
    });
    let text = table(["submission", "contributor", "format", "bytes", "sha256"], rows);
    Ok(Answer::new(json!({ "datanet": datanet, "pending": pending }), text))
}

async fn require_pending(client: &Client, file: &File) -> Result<PendingView<AccountId>> {
    require_datanet(client, file.datanet).await?;
    client.pending_file(file.datanet, file.sha256).await?.ok_or_else(|| {
        CliError::refused(format!(
            "no submission of {} waits for a verdict in Datanet {}",
            hex::encode(file.sha256),
            file.datanet
        ))
        .next(format!("list what waits with `openledger review list --datanet {}`", file.datanet))
    })
}

/// The chain's extractor, if it is this program's: a vote measured by another one is refused, so that
/// nothing is fetched and no fee is paid for it.
async fn require_extractor(client: &Client) -> Result<ExtractorVersion> {
    let current = client.extractor().await?;
    if current == EXTRACTOR_VERSION {
        return Ok(current);
    }
    let next = if current > EXTRACTOR_VERSION {
        "update openledger to the release that has it (docs/datasets.md lists them), then vote again"
    } else {
        "use the release of openledger that has it (docs/datasets.md lists them) until the chain \
         names the newer one"
    };
    Err(CliError::refused(format!(
        "the chain counts votes measured by extractor {current}, and this openledger measures with \
         {EXTRACTOR_VERSION}"
    ))
    .next(next))
}

async fn fetch(
    context: &Context,
    file: File,
    to: Option<PathBuf>,
    with_text: bool,
) -> Result<Answer> {
    if let Some(to) = to.as_ref().filter(|to| to.symlink_metadata().is_ok()) {
        return Err(CliError::usage(format!("{} exists already", to.display())));
    }
    let view = require_pending(context.client().await?, &file).await?;
    let bytes = content::fetch_submission(context, &view).await?;
    if let Some(to) = &to {
        let failed = |source| openledger_content::Error::io("write", to, source);
        write_new(to, &bytes).map_err(failed)?;
    }
    // A file that cannot be measured is fetched all the same: a person looks at it. Without its text
    // nothing would be left to answer.
    let read = content::read_submission(&view, &bytes);
    let read = match to {
        None => Ok(read?),
        Some(_) => read,
    };
    let (units, root, left_out) = match &read {
        Ok(content::Read { measured: Measured { units, text_root }, left_out, .. }) => {
            (json!(units), json!(hex::encode(text_root)), json!(views::left_out(left_out, *units)))
        }
        Err(_) => (Value::Null, Value::Null, Value::Null),
    };
    let isolation = read.as_ref().ok().and_then(isolation);
    let mut json = json!({
        "submission": view.submission,
        "file": to,
        "content": view.item.content,
        "sha256": hex::encode(view.item.sha256),
        "size": view.item.size,
        "media": view.item.media,
        "units": units,
        "textRoot": root,
        "leftOut": left_out,
        "isolation": isolation,
        "extractorVersion": EXTRACTOR_VERSION,
    });
    let summary = fields([
        ("Submission", view.submission.to_string()),
        ("File", to.map_or("not kept".to_owned(), |to| to.display().to_string())),
        ("Bytes", format!("{}, size and sha256 as on chain", view.item.size)),
        (
            "Units",
            match &read {
                Err(error) => error.message().to_owned(),
                Ok(content::Read { measured, left_out, .. }) => format!(
                    "{} {}{}",
                    measured.units,
                    view.item.media.modality().unit(),
                    views::left_out_in_words(left_out, measured.units)
                ),
            },
        ),
    ]);
    if !with_text {
        return Ok(Answer::new(json, summary));
    }
    let text = read.ok().and_then(|read| read.text);
    if let Value::Object(json) = &mut json {
        json.insert("text".into(), json!(text));
    }
    Ok(Answer::new(json, text.unwrap_or_default()).with_note(summary))
}

/// What kept the decoder of an image or sound off the network.
fn isolation(read: &content::Read) -> Option<&'static str> {
    read.isolation.map(|isolation| isolation.name())
}

fn write_new(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)
}

/// A vote that is about to be cast.
struct Ballot {
    view: PendingView<AccountId>,
    verdict: Verdict,
    read: Option<content::Read>,
}

async fn accept(context: &Context, files: Files, score: Score) -> Result<Answer> {
    let client = context.client().await?;
    let extractor = require_extractor(client).await?;
    let least = require_datanet(client, files.datanet).await?.min_units;
    let mut ballots = Vec::new();
    for file in files.each() {
        let view = require_pending(client, &file).await?;
        let bytes = content::fetch_submission(context, &view).await?;
        let read = content::read_submission(&view, &bytes)?;
        let Measured { units, text_root } = read.measured;
        if units < least {
            return Err(CliError::failed(format!(
                "submission {} has {units} {}; Datanet {} takes {least} or more",
                view.submission,
                view.item.media.modality().unit(),
                file.datanet
            ))
            .next("reject it with --reason too-small"));
        }
        let verdict = Verdict::Accept { score, units, text_root: text_root.into(), extractor };
        ballots.push(Ballot { view, verdict, read: Some(read) });
    }
    vote(context, files.datanet, ballots).await
}

async fn reject(context: &Context, files: Files, reason: RejectionReason) -> Result<Answer> {
    let mut ballots = Vec::new();
    for file in files.each() {
        let view = require_pending(context.client().await?, &file).await?;
        let bytes = content::fetch_submission(context, &view).await.map_err(|error| {
            error.next("vote that it cannot be fetched with `openledger review unavailable`")
        })?;
        let read = content::read_submission(&view, &bytes).ok();
        ballots.push(Ballot { view, verdict: Verdict::Reject(reason), read });
    }
    vote(context, files.datanet, ballots).await
}

async fn unavailable(context: &Context, files: Files) -> Result<Answer> {
    let mut ballots = Vec::new();
    for file in files.each() {
        let view = require_pending(context.client().await?, &file).await?;
        ballots.push(Ballot { view, verdict: Verdict::Unavailable, read: None });
    }
    vote(context, files.datanet, ballots).await
}

async fn resign(context: &Context, datanet: DatanetId) -> Result<Answer> {
    let client = context.client().await?;
    let signer = context.signer().await?;
    let (receipt, threshold) = client.resign(&signer, datanet, context.wait(Wait::InBlock)).await?;
    let text = format!(
        "{} decides on Datanet {datanet} no longer; {threshold} of those who are left must agree.",
        signer.account()
    );
    let json = json!({ "datanet": datanet, "curator": signer.account(), "threshold": threshold });
    Ok(Answer::of_transaction(json, text, &receipt))
}

/// Casts votes: one by a call of its own, several in calls of 20.
async fn vote(context: &Context, datanet: DatanetId, ballots: Vec<Ballot>) -> Result<Answer> {
    let client = context.client().await?;
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    if let [Ballot { view, verdict, read }] = ballots.as_slice() {
        let (sha256, submission) = (view.item.sha256, view.submission);
        let (receipt, voted) =
            client.vote(&signer, datanet, sha256, submission, *verdict, wait).await?;
        let (json, text) = outcome(view, *verdict, read.as_ref(), voted);
        return Ok(Answer::of_transaction(json, text, &receipt));
    }
    let (mut jsons, mut texts, mut receipts) = (Vec::new(), Vec::new(), Vec::new());
    for chunk in ballots.chunks(MAX_VOTES) {
        let votes: Vec<ManyVote> = chunk
            .iter()
            .map(|Ballot { view, verdict, .. }| ManyVote {
                datanet,
                sha256: view.item.sha256,
                submission: view.submission,
                verdict: *verdict,
            })
            .collect();
        let (receipt, outcomes) = client.vote_many(&signer, &votes, wait).await?;
        for (Ballot { view, verdict, read }, voted) in chunk.iter().zip(outcomes) {
            let (json, text) = match voted {
                Ok(voted) => outcome(view, *verdict, read.as_ref(), voted),
                Err(error) => (
                    json!({ "submission": view.submission, "refused": error.to_string() }),
                    format!("The vote on submission {} was refused: {error}", view.submission),
                ),
            };
            jsons.push(json);
            texts.push(text);
        }
        receipts.push(receipt);
    }
    let json = json!({ "datanet": datanet, "votes": jsons });
    let text = texts.join("\n");
    Ok(match receipts.last() {
        // At least one file is required.
        None => Answer::new(json, text),
        Some(last) => {
            let mut answer = Answer::of_transaction(json, text, last);
            answer.transactions(receipts.iter());
            answer
        }
    })
}

/// What a vote did, for programs and for people.
fn outcome(
    view: &PendingView<AccountId>,
    verdict: Verdict,
    read: Option<&content::Read>,
    voted: Voted,
) -> (Value, String) {
    let Voted { settled, replaced } = voted;
    let (name, detail) = match verdict {
        Verdict::Accept { score, .. } => ("accept", json!({ "score": score.get() })),
        Verdict::Reject(reason) => ("reject", json!({ "reason": reason.name() })),
        Verdict::Unavailable => ("unavailable", json!({})),
    };
    let mut json = json!({
        "submission": view.submission,
        "verdict": name,
        "units": read.map(|read| read.measured.units),
        "textRoot": read.map(|read| hex::encode(read.measured.text_root)),
        "leftOut": read.map(|read| views::left_out(&read.left_out, read.measured.units)),
        "isolation": read.and_then(isolation),
        "extractorVersion": EXTRACTOR_VERSION,
        "settled": settled.is_some(),
        "replaced": replaced,
    });
    if let (Value::Object(json), Value::Object(detail)) = (&mut json, detail) {
        json.extend(detail);
    }
    let ended = match (settled, verdict) {
        (Some(true), _) => "it is accepted",
        (Some(false), Verdict::Unavailable) => "it is out, and counts against nobody",
        (Some(false), _) => "it is rejected",
        (None, _) => "more votes are needed",
    };
    let before = if replaced { "\nIt takes the place of your earlier vote on it." } else { "" };
    let what = match verdict {
        Verdict::Unavailable => {
            format!("Voted that submission {} cannot be fetched", view.submission)
        }
        _ => format!("Voted to {name} submission {}", view.submission),
    };
    (json, format!("{what}: {ended}.{before}"))
}
