//! `openledger job dispute` and `dispute-status`

use crate::{
    context::Context,
    error::{CliError, Result},
    output::{fields, Answer},
};
use openledger_client::{AccountId, Amount, Wait};
use openledger_primitives::{job::JobState, json, JobId};
use serde_json::json;

type Dispute = json::Dispute<AccountId>;

pub(super) async fn open(context: &Context, id: JobId) -> Result<Answer> {
    let client = context.client().await?;
    let job = super::require(client, id).await?;
    // Said before a key is asked for: most jobs that people name are past their window.
    match job.state {
        JobState::Submitted { .. } => {}
        JobState::Disputed { .. } => {
            return Err(CliError::refused(format!("job {id} is in dispute already"))
                .next(format!("`openledger job dispute-status {id}` says how it stands")));
        }
        JobState::Completed { .. } => {
            return Err(CliError::refused(format!("job {id} is paid; its window has passed")));
        }
        other => {
            let state = other.name();
            return Err(CliError::refused(format!("job {id} is {state}; it has no result")));
        }
    }
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let (receipt, bond, draw_at) = client.dispute_job(&signer, id, wait).await?;
    let bond = Amount(bond);
    let text = format!(
        "Job {id} is in dispute; {bond} are held. Three workers are drawn in block {draw_at}: \
         `openledger job dispute-status {id}`."
    );
    let json = json!({ "job": id, "bond": bond.0.to_string(), "drawAt": draw_at });
    Ok(Answer::of_transaction(json, text, &receipt))
}

pub(super) async fn status(context: &Context, id: JobId) -> Result<Answer> {
    let client = context.client().await?;
    super::require(client, id).await?;
    let Some(view) = client.dispute(id).await? else {
        return Err(CliError::refused(format!("job {id} was never disputed")));
    };
    let (bond, fee) = (Amount(view.bond), Amount(view.fee));
    let dispute = Dispute::from(view);
    let drawn: Vec<String> = dispute
        .drawn
        .iter()
        .map(|verifier| {
            let shown = match (&verifier.finding, &verifier.commitment) {
                (Some(finding), _) => format!("{}: {}", finding.name(), finding.help()),
                (None, Some(_)) => "has shown a hash".to_owned(),
                (None, None) => "has shown nothing".to_owned(),
            };
            format!("{} ({shown})", verifier.worker)
        })
        .collect();
    let until =
        |block: Option<u32>| block.map_or("–".to_owned(), |block| format!("block {block}"));
    let text = fields([
        ("Job", id.to_string()),
        ("Disputed by", dispute.disputer.to_string()),
        ("Bond", format!("{bond}, {fee} for each finding that is paid")),
        ("State", line(&dispute)),
        ("Drawn", if drawn.is_empty() { "nobody".to_owned() } else { drawn.join(", ") }),
        ("Hashes until", until(dispute.commit_by)),
        ("Findings until", until(dispute.reveal_by)),
    ]);
    Ok(Answer::new(json!(dispute), text))
}

/// How a dispute stands.
pub(super) fn line(dispute: &Dispute) -> String {
    if let Some(outcome) = dispute.outcome {
        return format!("{}: {}", outcome.name(), outcome.help());
    }
    let shown = |of: fn(&json::Verifier<AccountId>) -> bool| {
        dispute.drawn.iter().filter(|verifier| of(verifier)).count()
    };
    match dispute.drawn.len() {
        0 => format!("open: workers are drawn in block {}", dispute.draw_at),
        drawn => format!(
            "open: {drawn} drawn, hashes shown {}, findings shown {}",
            shown(|verifier| verifier.commitment.is_some()),
            shown(|verifier| verifier.finding.is_some())
        ),
    }
}
