//! `openledger job`

mod dispute;

use super::{model::require as require_model, spec::SpecArguments};
use crate::{
    arguments::amount,
    context::Context,
    error::{CliError, Result},
    output::{self, fields, table, Answer},
    views,
};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use openledger_client::{AccountId, Amount, Client, NewJob, Signer, Wait};
use openledger_primitives::{
    api::JobView,
    job::{dispute::DRAWN, JobState},
    json,
    leaf::DatasetRef,
    text::counted,
    Balance, BaseModelId, BlockNumber, DatanetId, JobId, RateClass, TrainingSpec,
};
use serde_json::json;
use std::{fmt, io::Write, str::FromStr, time::Duration};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Pay for the fine-tuning of a base model on Datanets; the budget is held.
    #[command(after_help = "Examples:
  openledger --key me job create --model 0 --datanet 0 --budget 5OPEN
  openledger --key me job create --model 0 --datanet 0@12 --datanet 3 --budget 5OPEN \\
      --lora-r 16 --learning-rate 2e-3 --num-train-epochs 5 --token-ceiling 200000
  openledger --key me job create --parent 7 --datanet 0 --budget 5OPEN
  openledger job create --model 0 --datanet 0 --budget 5OPEN --dry-run --output json")]
    Create(Box<Create>),
    /// Watch a job until it is over; fails if the job does.
    #[command(after_help = "Examples:
  openledger job watch 3
  openledger job watch 3 --output json")]
    Watch {
        /// Its number.
        job: JobId,
    },
    /// Show a job.
    #[command(after_help = "Examples:
  openledger job show 3")]
    Show {
        /// Its number.
        job: JobId,
    },
    /// List the jobs.
    #[command(after_help = "Examples:
  openledger job list --output json
  openledger job list --owner 5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy --state queued")]
    List {
        /// Those of one account.
        #[arg(long, value_name = "ADDRESS")]
        owner: Option<AccountId>,
        /// Those in one state.
        #[arg(long, value_parser = [
            "queued", "assigned", "training", "submitted", "disputed", "completed", "failed",
            "cancelled",
        ])]
        state: Option<String>,
    },
    /// Call a job off before there is a result. A worker that trains is paid for the share that it has
    /// shown in the time that it should take, half at most; the rest of the budget is given back.
    #[command(after_help = "Examples:
  openledger --key me job cancel 3")]
    Cancel {
        /// Its number.
        job: JobId,
    },
    /// Offer more a token for a job that waits; the difference is held.
    #[command(after_help = "Examples:
  openledger --key me job raise 3 --budget 8OPEN")]
    Raise {
        /// Its number.
        job: JobId,
        /// What is offered for the whole ceiling from now on.
        #[arg(long, value_parser = amount, allow_hyphen_values = true, value_name = "OPEN")]
        budget: Amount,
    },
    /// Give a job without a result more time.
    #[command(after_help = "Examples:
  openledger --key me job extend 3 --blocks 1200")]
    Extend {
        /// Its number.
        job: JobId,
        /// Blocks to add to its deadline (a block takes 3 s).
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        blocks: u32,
    },
    /// Dispute a job's result before its window has passed; a bond is held.
    ///
    /// Three workers that are drawn look at it by themselves (`trainer-worker verify` says what you
    /// would find). If two find it wrong, its worker is not paid and you get your bond back; if two find
    /// that it holds, they are paid out of your bond.
    #[command(after_help = "Examples:
  openledger --key me job dispute 3
  openledger --key me job dispute 3 --output json")]
    Dispute {
        /// Its number.
        job: JobId,
    },
    /// Show a job's dispute: who was drawn, what they have shown, and how it ended.
    #[command(after_help = "Examples:
  openledger job dispute-status 3
  openledger job dispute-status 3 --output json")]
    DisputeStatus {
        /// Its number.
        job: JobId,
    },
    /// Forget a job that failed or was called off; its deposit goes back to its owner.
    #[command(after_help = "Examples:
  openledger --key me job prune 3")]
    Prune {
        /// Its number.
        job: JobId,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// The base model's number; with --parent it may be left out.
    #[arg(long, required_unless_present = "parent")]
    model: Option<BaseModelId>,
    /// An adapter to train further instead of a fresh one; rank, alpha and layers are its own.
    #[arg(long, value_name = "ADAPTER")]
    parent: Option<JobId>,
    /// A Datanet, as it is now or as it was with LEAVES accepted files (repeatable, up to 8).
    #[arg(long = "datanet", required = true, value_name = "ID[@LEAVES]")]
    datanets: Vec<DatasetArgument>,
    /// OPEN that are offered for the whole token ceiling, and paid when the adapter is there; the price a
    /// token is this ÷ the ceiling, rounded up. Workers that ask more do not take the job.
    #[arg(long, value_parser = amount, allow_hyphen_values = true, value_name = "OPEN")]
    budget: Amount,
    /// Most tokens the price covers.
    #[arg(
        long, default_value_t = 1_000_000, value_name = "TOKENS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    token_ceiling: u64,
    /// Blocks from now after which the unfinished job fails (a block takes 3 s). By default two hours to wait,
    /// and what a worker of 32 tokens a second takes for the ceiling, a week at most.
    #[arg(long, value_name = "BLOCKS", value_parser = clap::value_parser!(u32).range(1..))]
    deadline: Option<u32>,
    /// Check everything and show the job, without a key and without sending it.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    spec: SpecArguments,
}

/// `ID` or `ID@LEAVES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatasetArgument {
    datanet: DatanetId,
    leaves: Option<u64>,
}

impl FromStr for DatasetArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a Datanet: write its number, or NUMBER@LEAVES");
        let (datanet, leaves) = match text.split_once('@') {
            Some((datanet, leaves)) => (datanet, Some(leaves.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        Ok(Self { datanet: datanet.parse().map_err(|_| wrong())?, leaves })
    }
}

impl fmt::Display for DatasetArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.leaves {
            Some(leaves) => write!(f, "{}@{leaves}", self.datanet),
            None => write!(f, "{}", self.datanet),
        }
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Create(arguments) => create(context, *arguments).await,
        Command::Watch { job } => watch(context, job).await,
        Command::Show { job } => show(context, job).await,
        Command::List { owner, state } => list(context, owner, state.as_deref()).await,
        Command::Cancel { job } => cancel(context, job).await,
        Command::Raise { job, budget } => raise(context, job, budget).await,
        Command::Extend { job, blocks } => extend(context, job, blocks).await,
        Command::Dispute { job } => dispute::open(context, job).await,
        Command::DisputeStatus { job } => dispute::status(context, job).await,
        Command::Prune { job } => prune(context, job).await,
    }
}

async fn create(context: &Context, arguments: Create) -> Result<Answer> {
    // What is wrong with the settings by themselves is said before anything is asked of the chain.
    arguments.spec.spec(None)?;
    let client = context.client().await?;
    let (base, spec) = begins_with(client, &arguments).await?;
    let model = require_model(client, base).await?;
    let (block, _) = client.best().await?;
    let mut datasets: Vec<DatasetRef> = Vec::new();
    let mut left_out: Vec<u64> = Vec::new();
    for argument in &arguments.datanets {
        let dataset = resolve(client, *argument).await?;
        // What was revoked up to now will have been when the job is queued.
        let revoked = client.left_out(&dataset, block.saturating_add(1)).await?.len() as u64;
        if revoked == dataset.version.leaves {
            return Err(CliError::refused(format!(
                "all of that version of Datanet {}, {}, was revoked, which leaves nothing to train on",
                dataset.datanet,
                counted(revoked, "file")
            )));
        }
        datasets.push(dataset);
        left_out.push(revoked);
    }
    let price_per_token = per_token(arguments.budget, arguments.token_ceiling)?;
    let budget = Amount(price_per_token.saturating_mul(arguments.token_ceiling.into()));
    let deadline = match arguments.deadline {
        Some(blocks) => blocks,
        None => patience(client, arguments.token_ceiling).await?,
    };
    within_terms(client, budget, arguments.token_ceiling, deadline).await?;
    let job = NewJob {
        parent: arguments.parent,
        base,
        datasets,
        spec,
        token_ceiling: arguments.token_ceiling,
        price_per_token,
        deadline: block.saturating_add(deadline),
    };
    let mut json = json!({
        "base": job.base,
        "parent": job.parent,
        "datasets": json::datasets(&job.datasets),
        "spec": views::Spec::from(&job.spec),
        "tokenCeiling": job.token_ceiling,
        "pricePerToken": price_per_token.to_string(),
        "budget": budget.0.to_string(),
        "deadline": job.deadline,
        "leftOut": left_out,
    });
    let datanets: Vec<String> = job
        .datasets
        .iter()
        .zip(&left_out)
        .map(|(dataset, revoked)| match revoked {
            0 => format!("{}@{}", dataset.datanet, dataset.version.leaves),
            _ => {
                let leaves = dataset.version.leaves;
                format!("{}@{leaves} without {revoked} revoked", dataset.datanet)
            }
        })
        .collect();
    let of = match job.parent {
        Some(parent) => format!("adapter {parent} of {}", model.name),
        None => model.name,
    };
    let what = format!(
        "{} of {of} on Datanet {} for {budget} ({} a token), until block {}",
        job.spec.method.name(),
        datanets.join(", "),
        output::price(price_per_token),
        job.deadline
    );
    let signer = match arguments.dry_run {
        true => None,
        false => Some(context.signer().await?),
    };
    // A chain of before this was asked does not say.
    let judges = client.judges(base, signer.as_ref().map(Signer::account)).await.ok();
    json["judges"] = judges.into();
    let warning = judges.and_then(|judges| too_few_judges(base, judges));
    let with_warning = |answer: Answer| match warning {
        Some(warning) => answer.with_note(warning),
        None => answer,
    };
    let Some(signer) = signer else {
        json["dryRun"] = true.into();
        return Ok(with_warning(Answer::new(json, format!("Would be queued: {what}."))));
    };
    let (receipt, job) = client.create_job(&signer, job, context.wait(Wait::InBlock)).await?;
    json["job"] = job.into();
    let text = format!("Job {job} is queued: {what}.");
    Ok(with_warning(Answer::of_transaction(json, text, &receipt)))
}

/// That the chain takes a job of such a budget and deadline, as far as that can be said before it is sent.
async fn within_terms(
    client: &Client,
    budget: Amount,
    ceiling: u64,
    deadline: BlockNumber,
) -> Result<()> {
    let (_, least) = client.job_terms().await?;
    if budget.0 < least {
        let least = Amount(least);
        return Err(CliError::refused(format!(
            "{budget} is less than a job has to offer, {least}"
        ))
        .next(format!("offer {least} or more with --budget")));
    }
    // The block that queues it is a later one.
    let floor = client.windows().await?.floor(ceiling, RateClass::FASTEST).saturating_add(2);
    if deadline < floor {
        return Err(CliError::refused(format!(
            "{} to the deadline leave not even the fastest worker the time for {}",
            counted(deadline, "block"),
            counted(ceiling, "token")
        ))
        .next(format!("a --deadline of {floor} blocks or more, or a lower --token-ceiling")));
    }
    Ok(())
}

/// What to say to an owner whose disputes would find no judges: with nobody to judge it, whatever its worker posts
/// is paid for.
fn too_few_judges(base: BaseModelId, judges: u32) -> Option<String> {
    // Three are drawn, beside the worker itself.
    let needed = DRAWN.saturating_add(1);
    (judges < needed).then(|| {
        format!(
            "Warning: a result of base model {base} could be judged by {} beside you, and a dispute takes \
             {DRAWN} beside the one that trains it. With fewer, a result cannot be disputed and is paid whatever it \
             is: wait for more workers that opt in to this model for a day, or trust the one that takes the job.",
            counted(judges, "worker")
        )
    })
}

/// The base model, and the settings: with a parent what it has settled, or what is given if it is the
/// same.
async fn begins_with(client: &Client, arguments: &Create) -> Result<(BaseModelId, TrainingSpec)> {
    let Some(parent) = arguments.parent else {
        let base =
            arguments.model.ok_or_else(|| CliError::usage("--model or --parent is needed"))?;
        return Ok((base, arguments.spec.spec(None)?));
    };
    let job = match client.adapter(parent).await? {
        Some(_) => client.job(parent).await?,
        None => None,
    };
    let job = job.ok_or_else(|| {
        CliError::refused(format!("there is no adapter {parent} to train further"))
            .next("list them with `openledger adapter list`")
    })?;
    if let Some(base) = arguments.model.filter(|base| *base != job.base) {
        return Err(CliError::refused(format!(
            "adapter {parent} is one of base model {}, not of {base}",
            job.base
        ))
        .next("leave --model out to take the adapter's"));
    }
    let spec = arguments.spec.spec(Some(&job.spec))?;
    match spec.unlike_parent(&job.spec) {
        None => Ok((job.base, spec)),
        Some(field) => {
            let name = field.name();
            Err(CliError::refused(format!("{name} is not that of adapter {parent}"))
                .next("leave --lora-r, --lora-alpha and --target-modules out to take the parent's"))
        }
    }
}

async fn resolve(client: &Client, argument: DatasetArgument) -> Result<DatasetRef> {
    let view = super::datanet::require(client, argument.datanet).await?;
    let version = match argument.leaves {
        None => Some(view.version),
        Some(leaves) => client.version_at(argument.datanet, leaves).await?,
    };
    let version = version.filter(|version| version.leaves > 0).ok_or_else(|| {
        let wanted = match argument.leaves {
            Some(leaves) => format!("a version of {}", counted(leaves, "accepted file")),
            None => "an accepted file yet".to_owned(),
        };
        CliError::refused(format!(
            "Datanet {} does not have {wanted}; it has {}, and a job takes 1 or more",
            argument.datanet,
            counted(view.version.leaves, "accepted file")
        ))
    })?;
    Ok(DatasetRef { datanet: argument.datanet, version })
}

/// Plancks a token of a sum for the whole ceiling, rounded up: rounded down, the chain's least budget
/// would be refused as too little.
fn per_token(budget: Amount, ceiling: u64) -> Result<Balance> {
    let ceiling = Balance::from(ceiling.max(1));
    if budget.0 < ceiling {
        return Err(CliError::usage(format!(
            "{budget} over {} is less than a planck a token",
            counted(ceiling, "token")
        ))
        .next("offer more, or lower --token-ceiling"));
    }
    Ok(budget.0.div_ceil(ceiling))
}

/// How long a job waits, two hours, and then trains, if its owner says nothing.
async fn patience(client: &Client, ceiling: u64) -> Result<BlockNumber> {
    const TWO_HOURS: BlockNumber = 2_400;
    const WEEK: BlockNumber = 7 * 24 * 1_200;
    const TOKENS_PER_SECOND: u32 = 32;
    let floor = client.windows().await?.floor(ceiling, RateClass::declared(TOKENS_PER_SECOND));
    Ok(floor.saturating_add(TWO_HOURS).min(WEEK))
}

async fn require(client: &Client, job: JobId) -> Result<JobView<AccountId>> {
    client.job(job).await?.ok_or_else(|| {
        CliError::refused(format!("there is no job {job}"))
            .next("list them with `openledger job list`")
    })
}

/// A job with the result that, once it is completed, its adapter keeps.
async fn shown(client: &Client, id: JobId, job: JobView<AccountId>) -> Result<Answer> {
    let completed = match job.state {
        JobState::Completed { .. } => client.adapter(id).await?.map(|adapter| adapter.result),
        _ => None,
    };
    let price = job.assignment().map(|assignment| assignment.price);
    let ancestry = client.ancestry(id).await?;
    let place = client.place(id).await?;
    let disputed = client.dispute(id).await?.map(json::Dispute::from);
    let offer = format!(
        "{} ({} a token of {})",
        Amount(job.budget),
        output::price(job.price_per_token),
        job.token_ceiling
    );
    let deposit = Amount(job.deposit);
    let job = json::Job::new(job, completed);
    let mut state = job.state.to_owned();
    if let Some(place) = place {
        state.push_str(&format!(", {} that pay more or came before", place.ahead));
    }
    if let (Some(step), Some(total)) = (job.step, job.total_steps) {
        state.push_str(&format!(", step {step} of {total}"));
    }
    if let Some(failure) = job.failure {
        state.push_str(&format!(" ({}): {}", failure.name(), failure.help()));
    }
    let loss = match &job.result {
        Some(result) => {
            format!("{:.3} → {:.3} nats a token", result.eval_loss_before, result.eval_loss_after)
        }
        None => "not known yet".to_owned(),
    };
    let said = disputed.as_ref().map_or("none".to_owned(), dispute::line);
    let text = fields([
        ("Job", format!("{id}, {} of base model {}", job.method.name(), job.base)),
        ("Owner", job.owner.to_string()),
        ("Trains further", super::adapter::line(&ancestry)),
        ("State", state),
        ("Worker", job.worker.map_or("none yet".to_owned(), |worker| worker.to_string())),
        ("Offer", offer),
        ("Price", price.map_or("not fixed yet".to_owned(), |price| Amount(price).to_string())),
        ("Deposit", deposit.to_string()),
        ("Held-out loss", loss),
        ("Dispute", said),
        ("Attempts", job.attempts.to_string()),
        ("Not offered to", refused(&job)),
        ("Deadline", format!("block {}", job.deadline)),
    ]);
    let mut json = json!(job);
    json["dispute"] = json!(disputed);
    Ok(Answer::new(json, text))
}

/// Who will not get the job again, and why.
fn refused(job: &json::Job<AccountId>) -> String {
    let one = |refused: &json::Refused<AccountId>| match refused.reason {
        Some(reason) => format!("{} (declined: {})", refused.worker, reason.help()),
        None => format!("{} (let it time out)", refused.worker),
    };
    let all: Vec<String> = job.refused.iter().map(one).collect();
    if all.is_empty() {
        "nobody".to_owned()
    } else {
        all.join(", ")
    }
}

async fn show(context: &Context, id: JobId) -> Result<Answer> {
    let client = context.client().await?;
    let job = require(client, id).await?;
    shown(client, id, job).await
}

async fn list(context: &Context, owner: Option<AccountId>, state: Option<&str>) -> Result<Answer> {
    let client = context.client().await?;
    let mut jobs = Vec::new();
    let mut start = 0;
    loop {
        let page = match owner {
            Some(owner) => client.jobs_of(owner, start).await?,
            None => client.jobs(start).await?,
        };
        let Some((last, _)) = page.last() else { break };
        start = last.saturating_add(1);
        jobs.extend(page.into_iter().map(|(_, job)| json::Job::new(job, None)));
    }
    jobs.retain(|job: &json::Job<AccountId>| state.is_none_or(|state| job.state == state));
    let rows = jobs.iter().map(|job| {
        [
            job.id.to_string(),
            job.state.to_owned(),
            job.method.name().to_owned(),
            job.base.to_string(),
            job.parent.map_or("".to_owned(), |parent| parent.to_string()),
            job.owner.to_string(),
        ]
    });
    let text = table(["id", "state", "method", "model", "parent", "owner"], rows);
    Ok(Answer::new(json!({ "jobs": jobs }), text))
}

async fn cancel(context: &Context, id: JobId) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let receipt = client.cancel_job(&signer, id, context.wait(Wait::InBlock)).await?;
    let text = format!(
        "Job {id} is cancelled; its budget was given back, less what its worker has earned. \
         `openledger job prune {id}` gives its deposit back."
    );
    Ok(Answer::of_transaction(json!({ "job": id, "state": "cancelled" }), text, &receipt))
}

async fn raise(context: &Context, id: JobId, budget: Amount) -> Result<Answer> {
    let client = context.client().await?;
    let ceiling = require(client, id).await?.token_ceiling;
    let price = per_token(budget, ceiling)?;
    let signer = context.signer().await?;
    let receipt = client.raise_price(&signer, id, price, context.wait(Wait::InBlock)).await?;
    let budget = price.saturating_mul(ceiling.into());
    let json = json!({
        "job": id, "pricePerToken": price.to_string(), "budget": budget.to_string(),
    });
    let text =
        format!("Job {id} offers {} now ({} a token).", Amount(budget), output::price(price));
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn extend(context: &Context, id: JobId, blocks: u32) -> Result<Answer> {
    let client = context.client().await?;
    let deadline = require(client, id).await?.deadline.saturating_add(blocks);
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.extend_deadline(&signer, id, deadline, wait).await?;
    let text = format!("Job {id} has until block {deadline} now.");
    Ok(Answer::of_transaction(json!({ "job": id, "deadline": deadline }), text, &receipt))
}

async fn prune(context: &Context, id: JobId) -> Result<Answer> {
    let client = context.client().await?;
    let deposit = Amount(require(client, id).await?.deposit);
    let signer = context.signer().await?;
    let receipt = client.prune_job(&signer, id, context.wait(Wait::InBlock)).await?;
    let text = format!("Job {id} is no longer on record; its owner got {deposit} back.");
    let json = json!({ "job": id, "deposit": deposit.0.to_string() });
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn watch(context: &Context, id: JobId) -> Result<Answer> {
    let client = context.client().await?;
    let bar = context.progress(ProgressBar::new(0));
    // The template is ours and valid; without it the bar only looks plainer.
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {pos}/{len} ({elapsed})")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    let mut said = "";
    loop {
        let job = require(client, id).await?;
        let state = job.state.name();
        // Where no bar is drawn, in a file or a pipe, each state is said once.
        if bar.is_hidden() && said != state {
            let _ = writeln!(std::io::stderr(), "job {id}: {state}");
            said = state;
        }
        if let JobState::Training { step, total_steps, .. } = job.state {
            bar.set_length(total_steps.into());
            bar.set_position(step.into());
        }
        bar.set_message(format!("job {id}: {state}"));
        let message = match job.state {
            JobState::Completed { .. } => {
                bar.finish_and_clear();
                return shown(client, id, job).await;
            }
            JobState::Failed(failure) => {
                let declined = refused(&json::Job::new(job, None));
                Some(format!(
                    "job {id} failed: {} (not offered again to: {declined})",
                    failure.help()
                ))
            }
            JobState::Cancelled => Some(format!("job {id} was cancelled by its owner")),
            _ => None,
        };
        if let Some(message) = message {
            bar.finish_and_clear();
            return Err(CliError::failed(message)
                .next("its budget was given back; create another with `openledger job create`"));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
