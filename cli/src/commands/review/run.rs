//! `openledger review run`: what a reviewer leaves running.
//!
//! It looks at every draw that is not over, and for those whose committee its account is in it fetches,
//! measures, commits and reveals. All that it must remember is on the disk before it is sent
//! ([`sealed`](super::sealed)) or on the chain, so that it may be killed at any moment.

use super::{
    committee::member,
    judge,
    sealed::{self, Sealed},
};
use crate::{
    context::Context,
    error::{CliError, Result},
    output::Answer,
};
use clap::Args;
use openledger_client::{AccountId, Client, Signer, Wait, H256};
use openledger_primitives::{
    committee::{api::DrawView, DrawId, Opinions, Phase, Progress},
    Score,
};
use serde_json::json;
use std::time::Duration;

/// Blocks before the end of the time to commit in which a file that was not fetched yet is given up.
const LAST_BLOCKS: u32 = 4;

/// How to judge.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The score of whatever can be fetched, read, and has enough units, 1 to 100.
    #[arg(long, value_parser = super::score)]
    score: Score,
    /// Seconds between looks at the chain.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    every: u64,
    /// Look once, do what can be done now, and end.
    #[arg(long)]
    once: bool,
}

/// What was done in a look.
#[derive(Default)]
struct Done {
    committed: Vec<DrawId>,
    revealed: Vec<DrawId>,
    failed: Vec<(DrawId, String)>,
}

pub(super) async fn run(context: &Context, arguments: Run) -> Result<Answer> {
    let signer = context.signer().await?;
    // Draws below are over.
    let mut first: DrawId = 0;
    loop {
        let done = match look(context, &signer, arguments.score, &mut first).await {
            Ok(done) => done,
            Err(error) if arguments.once => return Err(error),
            Err(error) => {
                tracing::warn!("{}", error.text());
                Done::default()
            }
        };
        for (draw, error) in &done.failed {
            tracing::warn!(draw, "{error}");
        }
        for draw in &done.committed {
            tracing::info!(draw, "committed");
        }
        for draw in &done.revealed {
            tracing::info!(draw, "revealed");
        }
        if arguments.once {
            return answer(done);
        }
        tokio::time::sleep(Duration::from_secs(arguments.every)).await;
    }
}

fn answer(done: Done) -> Result<Answer> {
    let Done { committed, revealed, failed } = done;
    if let Some((draw, error)) = failed.first() {
        return Err(CliError::failed(format!("draw {draw}: {error}")));
    }
    let text = format!("Committed in {} draws, revealed in {}.", committed.len(), revealed.len());
    Ok(Answer::new(json!({ "committed": committed, "revealed": revealed }), text))
}

async fn look(
    context: &Context,
    signer: &Signer,
    score: Score,
    first: &mut DrawId,
) -> Result<Done> {
    let client = context.client().await?;
    let (next, _) = client.next_draw().await?;
    let mut done = Done::default();
    let mut lowest = next;
    let mut start = *first;
    while start < next {
        for view in client.draws(start).await? {
            lowest = lowest.min(view.id);
            match step(context, client, signer, &view, score).await {
                Ok(Some(Step::Committed)) => done.committed.push(view.id),
                Ok(Some(Step::Revealed)) => done.revealed.push(view.id),
                Ok(None) => {}
                Err(error) => done.failed.push((view.id, error.text())),
            }
        }
        start = start.saturating_add(100);
    }
    *first = lowest;
    Ok(done)
}

enum Step {
    Committed,
    Revealed,
}

/// Does what a draw waits for from this account, if it waits.
async fn step(
    context: &Context,
    client: &Client,
    signer: &Signer,
    view: &DrawView<AccountId>,
    score: Score,
) -> Result<Option<Step>> {
    let account = signer.account();
    let Some(member) = member(view, &account) else { return Ok(None) };
    let wait = context.wait(Wait::InBlock);
    match (view.draw.phase, member.progress) {
        (Phase::Committing { by }, Progress::Drawn) => {
            judge::require_extractor(view)?;
            let Some(opinions) = opinions(context, client, view, score, by).await? else {
                return Ok(None);
            };
            let vote = Sealed::new(view.id, view.draw.seed, account, opinions)?;
            let folder = sealed::folder(context, account, view.id).await?;
            sealed::keep(&folder, &vote)?;
            client.commit_opinions(signer, view.id, vote.commitment(), wait).await?;
            Ok(Some(Step::Committed))
        }
        (Phase::Revealing { .. }, Progress::Committed(commitment)) => {
            let folder = sealed::folder(context, account, view.id).await?;
            let vote = sealed::kept(&folder, H256(commitment.0))?;
            client.reveal_opinions(signer, view.id, &vote.opinions, &vote.salt, wait).await?;
            Ok(Some(Step::Revealed))
        }
        _ => Ok(None),
    }
}

/// The opinions on a draw's files. A file that cannot be fetched is tried again as long as there is time:
/// none so far is no opinion.
async fn opinions(
    context: &Context,
    client: &Client,
    view: &DrawView<AccountId>,
    score: Score,
    by: u32,
) -> Result<Option<Opinions>> {
    let mut opinions = Opinions::default();
    for file in &view.draw.files {
        let opinion = judge::by_measure(context, view, file, score).await?;
        let missing = opinion.possession.is_zero();
        if missing && client.best().await?.0.saturating_add(LAST_BLOCKS) < by {
            tracing::info!(draw = view.id, submission = file.submission, "not fetched yet");
            return Ok(None);
        }
        opinions
            .try_push(opinion)
            .map_err(|_| CliError::failed("a draw has more files than a call"))?;
    }
    Ok(Some(opinions))
}
