//! Tools that read the chain: the handlers of the REST API, with words around what they answer.

use super::schema::Shapes;
use super::tools::{About, Answer, Asked, Tools};
use crate::api::board::Board;
use crate::api::datanets::List;
use crate::api::network::asked as of_node;
use crate::api::rewards::{Reasons, Reward, Why};
use crate::api::types::{Page, Submission, SubmissionDetail};
use crate::api::{self, Part};
use crate::error::ApiError;
use crate::extract::Query;
use crate::index::storage::{PageQuery, MAX_PAGE};
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use openledger_client::{AccountId, Amount};
use openledger_primitives::text::counted;
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};

/// Pages of Datanets in which an account's standing in one of them is looked for.
const PAGES: usize = 20;

/// Adds them to the table.
pub fn add(tools: &mut Tools, shapes: &Shapes) {
    let about = About {
        name: "findDatanets",
        title: "Find Datanets",
        description: "Datanets (collections of files that people are paid for), by number or by part of their \
            name: rules, curators, counts and reward pool of each.",
        output: shapes.named("Page_Datanet"),
    };
    tools.add(about, find_datanets);
    let about = About {
        name: "getDatanet",
        title: "Get a Datanet",
        description: "One Datanet: what files it takes, its limits, who decides and how many must agree, counts \
            of submissions, and its reward pool. Amounts are plancks (10^18 are 1 OPEN).",
        output: shapes.named("DatanetDetail"),
    };
    tools.add(about, get_datanet);
    let about = About {
        name: "getLeaderboard",
        title: "Get a leaderboard page",
        description: "A page of a Datanet's leaderboard: rank, account, points and files, of all time or of one \
            reward period.",
        output: shapes.named("Page_BoardEntry"),
    };
    tools.add(about, get_leaderboard);
    let about = About {
        name: "getJob",
        title: "Get a fine-tuning job",
        description: "A fine-tuning job: state, progress, settings, price, worker, result, why it failed, and \
            everything that happened to it in order.",
        output: shapes.named("JobDetail"),
    };
    tools.add(about, get_job);
    let about = About {
        name: "explainRewards",
        title: "Explain an account's rewards",
        description: "Why an account was paid what it was in a Datanet, or nothing: points file by file (score × \
            units), what it claimed, what it could claim now, and what a point was worth in the last ended period.",
        output: shapes.object(&[("reasons", "Reasons")], &[("standing", "Reward")]),
    };
    tools.add(about, explain_rewards);
    let about = About {
        name: "explainSubmission",
        title: "Explain a submission",
        description: "What became of a submitted file, by its number or sha256: pending, accepted with score and \
            points, or refused: why, by whose votes and when.",
        output: shapes.named("SubmissionDetail"),
    };
    tools.add(about, explain_submission);
}

/// Which Datanets.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindDatanets {
    /// Part of the name, the summary or a tag, in any case; all Datanets without it.
    #[schemars(length(max = 200))]
    search: Option<String>,
    /// `open`, `paused` or `closed`.
    status: Option<String>,
    /// `text`, `image` or `audio`.
    modality: Option<String>,
    /// The owner's account in SS58.
    #[schemars(length(max = 64))]
    owner: Option<String>,
    /// `next` of the page before.
    #[schemars(length(max = 200))]
    cursor: Option<String>,
    /// Entries of the page; 50 where it is not named.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

async fn find_datanets(asked: Asked, input: FindDatanets) -> Result<Answer, ApiError> {
    let FindDatanets { search, status, modality, owner, cursor, limit } = input;
    let list = List { search, status, modality, owner, cursor, limit };
    let Json(page) = api::datanets::list(State(asked.index), Query(list)).await?;
    Answer::about(paged(&page, "Datanet", "Datanets"), &page)
}

/// How many entries there are, and whether there are more.
fn paged<T>(page: &Page<T>, one: &str, many: &str) -> String {
    let count = page.items.len();
    let what = if count == 1 { one } else { many };
    match &page.next {
        None => format!("{count} {what}, the last of them."),
        Some(next) => format!("{count} {what}; more with cursor {next:?}."),
    }
}

/// Which Datanet.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneDatanet {
    /// Its number; findDatanets finds it by name.
    datanet: u32,
}

async fn get_datanet(asked: Asked, input: OneDatanet) -> Result<Answer, ApiError> {
    let Json(detail) = api::datanets::one(State(asked.index), Part(input.datanet)).await?;
    let found = &detail.datanet;
    let counts = &found.counts;
    let pool = match &found.pool {
        Some(pool) => format!("its pool has {} not yet released", open(&pool.available)),
        None => "it has no pool yet".to_owned(),
    };
    let judges = match found.committee.as_deref() {
        Some("datanet") => "committees drawn from its own reviewers' seats".to_owned(),
        Some(_) => format!("committees drawn from the seats for {} files", found.modality),
        None => {
            let curators = counted(found.curators.len(), "curator");
            format!("{} of {curators}", found.threshold)
        }
    };
    let words = format!(
        "Datanet {} {:?} takes {} files ({}). {} are accepted, {} refused, {} wait for {judges}; {pool}.",
        found.id,
        found.name,
        found.modality,
        found.formats.join(", "),
        counts.accepted,
        counts.rejected,
        counts.pending,
    );
    Answer::about(words, &detail)
}

/// Plancks as OPEN.
fn open(plancks: &str) -> String {
    plancks
        .parse()
        .map_or_else(|_| format!("{plancks} plancks"), |plancks| Amount(plancks).to_string())
}

/// Which page of which board.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneBoard {
    /// The Datanet's number.
    datanet: u32,
    /// `all`, or the number of a reward period as text; `all` where it is not named.
    #[schemars(length(max = 10))]
    period: Option<String>,
    /// Only this account's line, in SS58.
    #[schemars(length(max = 64))]
    account: Option<String>,
    /// `next` of the page before.
    #[schemars(length(max = 200))]
    cursor: Option<String>,
    /// Entries of the page; 50 where it is not named.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

async fn get_leaderboard(asked: Asked, input: OneBoard) -> Result<Answer, ApiError> {
    let OneBoard { datanet, period, account, cursor, limit } = input;
    let query = Query(Board { period, account, cursor, limit });
    let Json(page) = api::board::board(State(asked.index), Part(datanet), query).await?;
    Answer::about(paged(&page, "account", "accounts"), &page)
}

/// Which job.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneJob {
    /// Its number.
    job: u64,
}

async fn get_job(asked: Asked, input: OneJob) -> Result<Answer, ApiError> {
    let Json(found) = api::jobs::one(State(asked.index), Part(input.job)).await?;
    let job = &found.job;
    let mut words = format!("Job {} is {}", job.id, job.state);
    if let Some((step, total)) = job.step.zip(job.total_steps) {
        words.push_str(&format!(", step {step} of {total}"));
    }
    if let Some(failure) = &job.failure {
        words.push_str(&format!(": {failure}"));
    }
    let worker =
        job.worker.as_deref().map_or("no worker".to_owned(), |who| format!("worker {who}"));
    words.push_str(&format!("; {worker}; {} held at first.", open(&job.budget)));
    Answer::about(words, &found)
}

/// Whose rewards.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhoseRewards {
    /// The account in SS58.
    #[schemars(length(max = 64))]
    account: String,
    /// The Datanet's number.
    datanet: u32,
    /// `all`, or the number of a reward period as text; `all` where it is not named.
    #[schemars(length(max = 10))]
    period: Option<String>,
    /// `next` of the page before.
    #[schemars(length(max = 200))]
    cursor: Option<String>,
    /// Files of the page; 50 where it is not named.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

#[derive(Serialize)]
struct Rewards {
    reasons: Reasons,
    standing: Option<Reward>,
}

async fn explain_rewards(asked: Asked, input: WhoseRewards) -> Result<Answer, ApiError> {
    let WhoseRewards { account, datanet, period, cursor, limit } = input;
    let who = api::account("account", &account)?;
    let index = asked.index;
    let why = Query(Why { datanet, period, cursor, limit });
    let Json(reasons) = api::rewards::why(State(index.clone()), Part(account), why).await?;
    let standing = standing(&index, who, datanet).await?;
    let words = match &standing {
        None => format!(
            "{who} never submitted a file to Datanet {datanet}, so it has no points there and is paid nothing."
        ),
        Some(standing) => explained(who, standing, &reasons),
    };
    Answer::about(words, &Rewards { reasons, standing })
}

fn explained(who: AccountId, standing: &Reward, reasons: &Reasons) -> String {
    let entry = &standing.entry;
    let mut words = format!(
        "{who} has {} points in Datanet {} {:?} (rank {}): an accepted file earns score × min(units, {}). It has \
         claimed {} and could claim {} now.",
        entry.points,
        standing.datanet,
        standing.datanet_name,
        entry.rank,
        reasons.max_units,
        open(&standing.claimed),
        open(&standing.claimable),
    );
    match &standing.last_period {
        Some(last) => words.push_str(&format!(
            " In the last ended period with points, number {}, a point was worth {} plancks.",
            last.period, last.rate
        )),
        None => {
            words.push_str(" No reward period with points has ended yet: points are paid after it.")
        }
    }
    if reasons.items.is_empty() {
        let counts = &entry.counts;
        words.push_str(&format!(
            " None of its files earned points here: {} wait, {} were refused; explainSubmission says why.",
            counts.pending, counts.rejected
        ));
    }
    words
}

/// An account's standing in one Datanet, and what it could claim there now.
async fn standing(index: &Index, who: AccountId, datanet: u32) -> Result<Option<Reward>, ApiError> {
    let found = index.read(move |storage| {
        let mut page = PageQuery { cursor: None, limit: MAX_PAGE };
        for _ in 0..PAGES {
            let standings = storage.standings(&who, &page)?;
            if let Some(found) = standings.items.into_iter().find(|one| one.datanet == datanet) {
                let name = storage.datanet(datanet)?.map(|datanet| datanet.name);
                let last = PageQuery { cursor: None, limit: 1 };
                let period = storage.periods(datanet, &last)?.items.pop();
                return Ok(Some((found, name.unwrap_or_default(), period)));
            }
            match standings.next {
                Some(next) => page.cursor = Some(next),
                None => break,
            }
        }
        Ok(None)
    });
    let Some((found, datanet_name, last_period)) = found.await? else { return Ok(None) };
    let claimable = of_node(index.node()?.claimable(datanet, who)).await?;
    Ok(Some(Reward {
        datanet,
        datanet_name,
        entry: found.entry,
        claimable: claimable.to_string(),
        claimed: found.claimed,
        last_period,
    }))
}

/// Which submission: one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneSubmission {
    /// Its number.
    submission: Option<u64>,
    /// sha256 of the file in hexadecimal; of several submissions of a file the last.
    #[schemars(length(equal = 64))]
    sha256: Option<String>,
}

async fn explain_submission(asked: Asked, input: OneSubmission) -> Result<Answer, ApiError> {
    let index = asked.index;
    let id = match (input.submission, input.sha256) {
        (Some(id), None) => id,
        (None, Some(sha256)) => last_of(&index, sha256).await?,
        _ => {
            let message = "name either the submission's number or the file's sha256";
            return Err(ApiError::field("submission", message));
        }
    };
    let Json(found) = api::submissions::one(State(index), Part(id)).await?;
    Answer::about(became(&found), &found)
}

async fn last_of(index: &Index, sha256: String) -> Result<u64, ApiError> {
    let sha256 = sha256.to_ascii_lowercase();
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = "a sha256 has 64 hexadecimal digits, without 0x";
        return Err(ApiError::field("sha256", message));
    }
    let wanted = sha256.clone();
    let found = index.read(move |storage| storage.search(&wanted)).await?;
    let ids = found.submissions.iter().map(|found: &Submission| found.id);
    ids.max().ok_or_else(|| ApiError::not_found(format!("no submission names the file {sha256}")))
}

fn became(found: &SubmissionDetail) -> String {
    let Submission { id, datanet, state, media, size, .. } = &found.submission;
    let mut words = format!(
        "Submission {id} to Datanet {datanet} {:?} ({media}, {size} bytes) is {state}",
        found.datanet_name
    );
    if let Some(reason) = &found.submission.reason {
        words.push_str(&format!(": {reason}"));
    }
    if let Some(points) = &found.submission.points {
        words.push_str(&format!(" and earned {points} points"));
    }
    match &found.submission.decided {
        Some(decided) => words.push_str(&format!(", decided in block {}.", decided.block)),
        None if found.draws.is_empty() => words.push_str(", and waits for its curators."),
        None => words.push_str(", and waits for its committee."),
    }
    if let Some(last) = found.draws.last() {
        words.push_str(&format!(" Draw {} judges it ({}).", last.draw, last.state));
    }
    // Of several votes of a curator the last one counts.
    let later = |n: usize, curator: &str| {
        found.votes[n..].iter().skip(1).any(|vote| vote.curator == curator)
    };
    let votes: Vec<String> = found
        .votes
        .iter()
        .enumerate()
        .filter(|(n, vote)| !later(*n, &vote.curator))
        .map(|(_, vote)| match (vote.accept, &vote.reason) {
            (true, _) => format!("{} accepts", vote.curator),
            (false, Some(reason)) => format!("{} refuses ({reason})", vote.curator),
            (false, None) => format!("{} refuses", vote.curator),
        })
        .collect();
    if !votes.is_empty() {
        words.push_str(&format!(" Votes: {}.", votes.join("; ")));
    }
    words
}
