//! What a member of a drawn committee does: `draws`, `commit`, `reveal`; and what anyone may: `challenge`,
//! `advance`, `request`.

use super::{
    judge::{self, Judgement},
    run::references::first_undrawn,
    sealed::{self, Sealed},
};
use crate::{
    commands::seat,
    context::Context,
    error::{CliError, Result},
    output::{table, Answer},
};
use clap::Args;
use openledger_client::{AccountId, Amount, Client, Wait};
use openledger_primitives::{
    committee::{
        api::DrawView, DrawId, FileState, Finding, Member, Phase, Progress, Purpose, Rules,
    },
    text::counted,
    DatanetId, FileHash, RejectionReason, Score, Verdict,
};
use openledger_reviewer::{
    earlier::{before_committees, must_compare},
    policy::may_be_a_copy,
    Lacking,
};
use serde_json::{json, Value};

/// Which draws.
#[derive(Args, Debug)]
pub(crate) struct Draws {
    /// Only those that this account judges: address, name of a key, or //Alice.
    #[arg(long)]
    member: Option<String>,
    /// The first number to look at.
    #[arg(long, default_value_t = 0)]
    from: DrawId,
}

/// A word on every file of a draw.
#[derive(Args, Debug)]
pub(crate) struct Commit {
    /// The draw's number.
    draw: DrawId,
    /// Accept a file, counted from 0, with a score of 1 to 100 (repeatable). Unless no other committee can be asked about
    /// it, that says that it was compared with everything that was submitted to its Datanet before it: who accepts a copy
    /// loses a part of a seat.
    #[arg(long, value_name = "FILE:SCORE", value_parser = acceptance)]
    accept: Vec<(u8, Score)>,
    /// Reject a file for a reason (repeatable).
    #[arg(long, value_name = "FILE:REASON", value_parser = rejection)]
    reject: Vec<(u8, RejectionReason)>,
    /// Say that a file cannot be fetched (repeatable). Needs no bytes, earns nothing.
    #[arg(long, value_name = "FILE")]
    unavailable: Vec<u8>,
    /// Say that a file is here, and that an earlier one of its Datanet is not, so that it cannot be compared (repeatable).
    /// Earns and costs nothing, and leaves it to another committee.
    #[arg(long, value_name = "FILE")]
    undecided: Vec<u8>,
}

/// A verdict to challenge.
#[derive(Args, Debug)]
pub(crate) struct Challenge {
    /// The draw's number.
    draw: DrawId,
    /// The file, counted from 0.
    #[arg(long, default_value_t = 0)]
    file: u8,
}

/// Files that nobody decides on.
#[derive(Args, Debug)]
pub(crate) struct Request {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// sha2-256 of a file, 64 hexadecimal digits (repeatable, of one contributor).
    #[arg(long = "sha256", required = true, value_parser = crate::arguments::file_hash)]
    files: Vec<FileHash>,
}

fn acceptance(text: &str) -> Result<(u8, Score), String> {
    let parts = text
        .split_once(':')
        .and_then(|(file, score)| Some((file.parse().ok()?, Score::new(score.parse().ok()?)?)));
    parts.ok_or_else(|| format!("{text:?} is not FILE:SCORE, for example 0:80"))
}

fn rejection(text: &str) -> Result<(u8, RejectionReason), String> {
    let (file, reason) =
        text.split_once(':').ok_or_else(|| format!("{text:?} is not FILE:REASON"))?;
    let file = file.parse().map_err(|_| format!("{file:?} is no file's number"))?;
    let reason = <RejectionReason as openledger_primitives::ClosedList>::of_name(reason)
        .map_err(|error| error.to_string())?;
    Ok((file, reason))
}

/// A draw, or an error that says how to find one.
pub(crate) async fn require_draw(client: &Client, draw: DrawId) -> Result<DrawView<AccountId>> {
    client.draw(draw).await?.ok_or_else(|| {
        CliError::refused(format!("there is no draw {draw}, or it is over"))
            .next("list those that are not with `openledger review draws`")
    })
}

/// A member of a draw.
pub(crate) fn member<'a>(
    view: &'a DrawView<AccountId>,
    account: &AccountId,
) -> Option<&'a Member<AccountId>> {
    view.draw.members.iter().find(|member| member.account == *account)
}

fn require_member<'a>(
    view: &'a DrawView<AccountId>,
    account: &AccountId,
) -> Result<&'a Member<AccountId>> {
    member(view, account).ok_or_else(|| {
        CliError::refused(format!("{account} is not a member of the committee of draw {}", view.id))
            .next("list what it judges with `openledger review draws --member`")
    })
}

/// Which of the committees it is that may be asked about its files, or that it judges a challenge.
fn asked(view: &DrawView<AccountId>) -> String {
    match view.draw.purpose.asked() {
        Some(asked) => format!("committee {} of {}", asked.saturating_add(1), Rules::DEFAULT.asks),
        None => "challenge".to_owned(),
    }
}

/// Where a draw is, in words.
fn phase(view: &DrawView<AccountId>) -> String {
    match view.draw.phase {
        Phase::Waiting { session, .. } => format!("is drawn in session {session}"),
        Phase::Committing { by } => format!("commit until block {by}"),
        Phase::Revealing { by } => format!("reveal until block {by}"),
        Phase::Judged { until } => format!("challenge until block {until}"),
        Phase::Over => "over".to_owned(),
    }
}

fn verdict(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Accept { score, units, .. } => json!({ "accept": score.get(), "units": units }),
        Verdict::Reject(reason) => json!({ "reject": reason.name() }),
        Verdict::Unavailable => json!("unavailable"),
    }
}

fn state(state: &FileState) -> Value {
    match state {
        FileState::Open => json!("open"),
        FileState::Judged(found) => json!({ "judged": verdict(found) }),
        FileState::Challenged { verdict: found, by } => {
            json!({ "challenged": verdict(found), "by": by })
        }
        FileState::Word(Finding::Verdict { verdict: found, .. }) => {
            json!({ "word": verdict(found) })
        }
        FileState::Word(_) => json!("no verdict"),
        FileState::Over(outcome) => json!({ "over": outcome.name() }),
    }
}

fn as_json(view: &DrawView<AccountId>) -> Value {
    let files: Vec<_> = (0u8..)
        .zip(&view.draw.files)
        .map(|(file, drawn)| {
            json!({
                "file": file,
                "submission": drawn.submission,
                "sha256": hex::encode(drawn.sha256),
                "media": drawn.media,
                "size": drawn.size,
                "state": state(&drawn.state),
            })
        })
        .collect();
    let members: Vec<_> = view
        .draw
        .members
        .iter()
        .map(|member| {
            let progress = match member.progress {
                Progress::Drawn => "drawn",
                Progress::Committed(_) => "committed",
                Progress::Revealed => "revealed",
            };
            json!({ "account": member.account, "progress": progress })
        })
        .collect();
    json!({
        "draw": view.id,
        "datanet": view.datanet,
        "pool": seat::as_json(view.pool),
        "countsGlobally": view.global,
        "challenge": matches!(view.draw.purpose, Purpose::Challenge { .. }),
        "asked": view.draw.purpose.asked(),
        "mustCompare": view.draw.purpose.must_compare(&Rules::DEFAULT),
        "phase": phase(view),
        "contributor": view.draw.contributor,
        "files": files,
        "members": members,
    })
}

pub(super) async fn draws(context: &Context, Draws { member: who, from }: Draws) -> Result<Answer> {
    let who = match who {
        Some(who) => Some(context.account(Some(&who)).await?),
        None => None,
    };
    let client = context.client().await?;
    let (next, session) = client.next_draw().await?;
    let mut found = all_draws(client, from, next).await?;
    if let Some(who) = &who {
        found.retain(|view| member(view, who).is_some());
    }
    let rows = found.iter().map(|view| {
        let heard = |view: &DrawView<AccountId>| {
            let members = &view.draw.members;
            let count = |revealed: bool| {
                members
                    .iter()
                    .filter(|member| match member.progress {
                        Progress::Drawn => false,
                        Progress::Committed(_) => !revealed,
                        Progress::Revealed => true,
                    })
                    .count()
            };
            format!("{} and {} of {}", count(false), count(true), members.len())
        };
        [
            view.id.to_string(),
            view.datanet.to_string(),
            view.draw.files.len().to_string(),
            asked(view),
            phase(view),
            heard(view),
        ]
    });
    let heads = ["draw", "datanet", "files", "as", "phase", "committed, revealed"];
    let text = table(heads, rows);
    let json: Vec<_> = found.iter().map(as_json).collect();
    Ok(Answer::new(json!({ "session": session, "draws": json }), text))
}

/// All draws that are not over, from a number on.
async fn all_draws(
    client: &Client,
    from: DrawId,
    next: DrawId,
) -> Result<Vec<DrawView<AccountId>>> {
    let (mut found, mut start) = (Vec::new(), from);
    while start < next {
        found.extend(client.draws(start).await?);
        start = start.saturating_add(100);
    }
    Ok(found)
}

/// Says for whose sake a file that is accepted would be held back, whatever it is like.
async fn warn_of_undrawn(
    client: &Client,
    view: &DrawView<AccountId>,
    words: &[Judgement],
) -> Result<()> {
    let said = view.draw.files.iter().zip(words);
    let accepted = said.filter(|(_, word)| matches!(word, Judgement::Accept(_)));
    let Some(last) = accepted.map(|(file, _)| file.submission).max() else { return Ok(()) };
    let draws = all_draws(client, 0, client.next_draw().await?.0).await?;
    let before = before_committees(&draws).remove(&view.datanet).unwrap_or_default();
    if let Some(first) = first_undrawn(client, view.datanet, last, &before).await? {
        tracing::warn!(
            draw = view.id,
            "{}: once it has one, what was accepted after it may turn out to be its copy. --undecided leaves such \
             files to another committee",
            may_be_a_copy(Lacking::Committee(first))
        );
    }
    Ok(())
}

pub(super) async fn commit(context: &Context, arguments: Commit) -> Result<Answer> {
    let client = context.client().await?;
    let signer = context.signer().await?;
    let view = require_draw(client, arguments.draw).await?;
    require_member(&view, &signer.account())?;
    let mut words: Vec<Option<Judgement>> = vec![None; view.draw.files.len()];
    let all = arguments
        .accept
        .iter()
        .map(|(file, score)| (*file, Judgement::Accept(*score)))
        .chain(arguments.reject.iter().map(|(file, why)| (*file, Judgement::Reject(*why))))
        .chain(arguments.unavailable.iter().map(|file| (*file, Judgement::Unavailable)))
        .chain(arguments.undecided.iter().map(|file| (*file, Judgement::Undecided)));
    for (file, word) in all {
        let place = words.get_mut(usize::from(file)).ok_or_else(|| {
            CliError::usage(format!("draw {} has no file {file}", view.id))
                .next("list its files with `openledger review draws --output json`")
        })?;
        if place.replace(word).is_some() {
            return Err(CliError::usage(format!("file {file} is named twice")));
        }
    }
    if let Some(missing) = words.iter().position(Option::is_none) {
        return Err(CliError::usage(format!("nothing is said of file {missing}")).next(
            "say of every file of the draw --accept, --reject, --unavailable or --undecided",
        ));
    }
    let words: Vec<_> = words.into_iter().flatten().collect();
    let accepts = words.iter().any(|word| matches!(word, Judgement::Accept(_)));
    if accepts && view.draw.purpose.must_compare(&Rules::DEFAULT) {
        tracing::warn!(
            draw = view.id,
            "{}: who accepts a copy of an earlier file loses a part of a seat. Where one of them is missing, \
             say --undecided",
            asked(&view)
        );
    }
    if accepts && must_compare(&view.draw.purpose) {
        warn_of_undrawn(client, &view, &words).await?;
    }
    let opinions = judge::opinions(context, &view, &words).await?;
    let vote = Sealed::new(view.id, view.draw.seed, signer.account(), opinions)?;
    let folder = sealed::folder(context, signer.account(), view.id).await?;
    let path = sealed::keep(&folder, &vote)?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.commit_opinions(&signer, view.id, vote.commitment(), wait).await?;
    let text = format!(
        "Committed in draw {}. What it opens with is in {}: show it with `openledger review reveal {}` when \
         everybody has committed.",
        view.id,
        path.display(),
        view.id
    );
    let json = json!({
        "draw": view.id,
        "commitment": hex::encode(vote.commitment().0),
        "kept": path,
    });
    Ok(Answer::of_transaction(json, text, &receipt))
}

pub(super) async fn reveal(context: &Context, draw: DrawId) -> Result<Answer> {
    let client = context.client().await?;
    let signer = context.signer().await?;
    let view = require_draw(client, draw).await?;
    let vote = match require_member(&view, &signer.account())?.progress {
        Progress::Committed(commitment) => {
            let folder = sealed::folder(context, signer.account(), draw).await?;
            sealed::kept(&folder, openledger_client::H256(commitment.0))?
        }
        Progress::Drawn => {
            return Err(CliError::refused("nothing was committed to")
                .next("commit with `openledger review commit`"));
        }
        Progress::Revealed => return Err(CliError::refused("it is shown already")),
    };
    let wait = context.wait(Wait::InBlock);
    let receipt = client.reveal_opinions(&signer, draw, &vote.opinions, &vote.salt, wait).await?;
    let json = json!({ "draw": draw, "files": vote.opinions.len() });
    Ok(Answer::of_transaction(json, format!("Shown in draw {draw}."), &receipt))
}

pub(super) async fn challenge(
    context: &Context,
    Challenge { draw, file }: Challenge,
) -> Result<Answer> {
    let client = context.client().await?;
    let signer = context.signer().await?;
    let bond = Rules::DEFAULT.bond;
    let wait = context.wait(Wait::InBlock);
    let (receipt, by) = client.challenge(&signer, draw, file, wait).await?;
    let text = format!(
        "The verdict on file {file} of draw {draw} is challenged: draw {by}, three times the size, has the \
         last word. {} are held until then.",
        Amount(bond)
    );
    let json = json!({ "draw": draw, "file": file, "by": by });
    Ok(Answer::of_transaction(json, text, &receipt))
}

pub(super) async fn advance(context: &Context) -> Result<Answer> {
    let client = context.client().await?;
    let signer = context.signer().await?;
    let receipt = client.advance_reviews(&signer, context.wait(Wait::InBlock)).await?;
    let text = "What was due is done.".to_owned();
    Ok(Answer::of_transaction(json!({}), text, &receipt))
}

pub(super) async fn request(
    context: &Context,
    Request { datanet, files }: Request,
) -> Result<Answer> {
    let client = context.client().await?;
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.request_review(&signer, datanet, &files, wait).await?;
    let text = format!(
        "A committee is asked about {} of Datanet {datanet}.",
        counted(files.len(), "file")
    );
    Ok(Answer::of_transaction(json!({ "datanet": datanet, "files": files.len() }), text, &receipt))
}
