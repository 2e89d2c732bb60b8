//! `prepareJob`.

use super::{amount, planned, Plan};
use crate::api::account as parse_account;
use crate::api::network::asked as of_node;
use crate::api::types::Spec;
use crate::error::ApiError;
use crate::mcp::tools::{Answer, Asked};
use openledger_client::{Amount, Client, NewJob};
use openledger_primitives::{
    json, leaf::DatasetRef, training::TargetModules, RateClass, TrainingSpec,
};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::json;
use std::str::FromStr;

/// Datanets of a job, at most.
const MAX_DATASETS: usize = openledger_primitives::job::MAX_DATASETS as usize;
/// Tokens that a job's price covers where nothing else is said.
const TOKENS: u64 = 1_000_000;

/// What to train, on what, for how much.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CreateJob {
    /// Who pays, in SS58.
    #[schemars(length(max = 64))]
    account: String,
    /// The base model's number. With `parent` it may be left out.
    base: Option<u32>,
    /// An adapter to train further instead of a fresh one, by its number.
    parent: Option<u64>,
    /// The Datanets, each once.
    #[schemars(length(min = 1, max = 8))]
    datanets: Vec<Trained>,
    /// What is offered for the whole token ceiling: `5`, `5OPEN` or `300planck`.
    #[schemars(length(max = 80))]
    budget: String,
    /// Most tokens that the price covers; 1,000,000 where it is not named.
    #[schemars(range(min = 1))]
    token_ceiling: Option<u64>,
    /// Blocks of 3 s from now after which the unfinished job fails. Without it two hours to wait, and what a slow
    /// worker takes for the ceiling, a week at most.
    #[schemars(range(min = 1, max = 201_600))]
    deadline_blocks: Option<u32>,
    /// Settings that differ from the usual ones.
    settings: Option<Settings>,
}

/// A Datanet at a version.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Trained {
    /// Its number.
    datanet: u32,
    /// As it was with so many accepted files; as it is now where this is not named.
    #[schemars(range(min = 1))]
    leaves: Option<u64>,
}

/// Training settings, named and counted as getJob shows them in `spec`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Settings {
    /// `lora` or `qlora`.
    #[schemars(length(max = 20))]
    method: Option<String>,
    /// Rank of the adapter, 1 to 256.
    lora_r: Option<u16>,
    /// Updates are scaled by alpha ÷ rank, 1 to 1,024.
    lora_alpha: Option<u16>,
    /// Dropout before the adapter, 1/10,000.
    lora_dropout_bp: Option<u16>,
    /// Which layers get an adapter: bits; 0 is the family's default.
    target_modules: Option<u16>,
    /// Peak learning rate, 10⁻⁹.
    learning_rate_nano: Option<u32>,
    /// `linear`, `cosine` or `constant`.
    #[schemars(length(max = 20))]
    schedule: Option<String>,
    /// Share of the steps spent warming up, 1/10,000.
    warmup_ratio_bp: Option<u16>,
    /// Examples a step, 1 to 64.
    per_device_train_batch_size: Option<u16>,
    /// Steps before the weights move, 1 to 256.
    gradient_accumulation_steps: Option<u16>,
    /// Passes over the examples, 1 to 100.
    num_train_epochs: Option<u16>,
    /// Longest example in tokens, 16 to 8,192.
    max_seq_length: Option<u32>,
    /// Weight decay, 10⁻⁶.
    weight_decay_micro: Option<u32>,
    /// Largest gradient norm, 10⁻³; 0 for any.
    max_grad_norm_milli: Option<u32>,
    /// Seed of beginning, order, dropout and split: digits, as text.
    #[schemars(length(max = 20))]
    seed: Option<String>,
    /// Share of the examples held out, 1/10,000.
    eval_fraction_bp: Option<u16>,
}

fn word<T: FromStr>(field: &str, text: Option<String>, usual: T) -> Result<T, ApiError>
where
    T::Err: std::fmt::Display,
{
    let Some(text) = text else { return Ok(usual) };
    text.parse()
        .map_err(|error: T::Err| ApiError::field(format!("settings.{field}"), error.to_string()))
}

impl Settings {
    fn spec(self, usual: TrainingSpec) -> Result<TrainingSpec, ApiError> {
        let spec = TrainingSpec {
            method: word("method", self.method, usual.method)?,
            lora_r: self.lora_r.unwrap_or(usual.lora_r),
            lora_alpha: self.lora_alpha.unwrap_or(usual.lora_alpha),
            lora_dropout_bp: self.lora_dropout_bp.unwrap_or(usual.lora_dropout_bp),
            target_modules: self.target_modules.map_or(usual.target_modules, TargetModules),
            learning_rate_nano: self.learning_rate_nano.unwrap_or(usual.learning_rate_nano),
            schedule: word("schedule", self.schedule, usual.schedule)?,
            warmup_ratio_bp: self.warmup_ratio_bp.unwrap_or(usual.warmup_ratio_bp),
            per_device_train_batch_size: self
                .per_device_train_batch_size
                .unwrap_or(usual.per_device_train_batch_size),
            gradient_accumulation_steps: self
                .gradient_accumulation_steps
                .unwrap_or(usual.gradient_accumulation_steps),
            num_train_epochs: self.num_train_epochs.unwrap_or(usual.num_train_epochs),
            max_seq_length: self.max_seq_length.unwrap_or(usual.max_seq_length),
            weight_decay_micro: self.weight_decay_micro.unwrap_or(usual.weight_decay_micro),
            max_grad_norm_milli: self.max_grad_norm_milli.unwrap_or(usual.max_grad_norm_milli),
            seed: word("seed", self.seed, usual.seed)?,
            eval_fraction_bp: self.eval_fraction_bp.unwrap_or(usual.eval_fraction_bp),
        };
        spec.validate().map_err(|error| ApiError::field("settings", error.to_string()))?;
        Ok(spec)
    }
}

pub(super) async fn prepare(asked: Asked, input: CreateJob) -> Result<Answer, ApiError> {
    let account = parse_account("account", &input.account)?;
    let budget = amount("budget", &input.budget)?;
    let ceiling = input.token_ceiling.unwrap_or(TOKENS);
    let price_per_token = match budget.checked_div(ceiling.into()) {
        None | Some(0) => {
            let message = format!(
                "{} over {ceiling} tokens is less than a planck a token; offer more, or lower tokenCeiling",
                Amount(budget)
            );
            return Err(ApiError::field("budget", message));
        }
        Some(price) => price,
    };
    let budget = price_per_token.saturating_mul(ceiling.into());
    let node = asked.index.node()?;
    let (deposit, least) = of_node(node.job_terms()).await?;
    if budget < least {
        let message = format!(
            "{} is less than {}, the least that a job offers",
            Amount(budget),
            Amount(least)
        );
        return Err(ApiError::field("budget", message));
    }
    let settings = input.settings.unwrap_or_default();
    let (base, spec) = begins_with(node, input.base, input.parent, settings).await?;
    let model = of_node(node.base_model(base)).await?.filter(|model| !model.retired);
    let model = model.ok_or_else(|| {
        let message =
            format!("there is no base model {base} that takes jobs; GET /v1/models lists them");
        ApiError::field("base", message)
    })?;
    let (block, _) = of_node(node.best()).await?;
    let (datasets, datanets) = datasets(node, &input.datanets, block).await?;
    let blocks = match input.deadline_blocks {
        Some(blocks) => blocks,
        None => patience(node, ceiling).await?,
    };
    let job = NewJob {
        parent: input.parent,
        base,
        datasets,
        spec,
        token_ceiling: ceiling,
        price_per_token,
        deadline: block.saturating_add(blocks),
    };
    let plan = Plan {
        account,
        arguments: json!({
            "parent": job.parent,
            "base": job.base,
            "datasets": json::datasets(&job.datasets),
            "spec": Spec::from(&job.spec),
            "tokenCeiling": job.token_ceiling,
            "pricePerToken": job.price_per_token.to_string(),
            "deadline": job.deadline,
        }),
        fee: None,
        spent: 0,
        held: budget.saturating_add(deposit),
        note: "The worker is paid from what is held when the adapter is there; the deposit comes back when the \
            job's record is pruned, and is lost where workers find its files or its model missing.",
        does: format!(
            "queues {} of {} on Datanets {} for {} until block {}",
            job.spec.method.name(),
            model.name,
            datanets.join(", "),
            Amount(budget),
            job.deadline,
        ),
    };
    let prepared = of_node(node.prepare_job(account, job)).await?;
    planned(node, &asked.base, prepared, plan).await
}

/// The base model and the settings: an adapter that is trained further has settled some.
async fn begins_with(
    node: &Client,
    base: Option<u32>,
    parent: Option<u64>,
    settings: Settings,
) -> Result<(u32, TrainingSpec), ApiError> {
    let usual = TrainingSpec::default();
    let Some(parent) = parent else {
        let message =
            "name a base model, or an adapter as parent; GET /v1/models lists base models";
        let base = base.ok_or_else(|| ApiError::field("base", message))?;
        return Ok((base, settings.spec(usual)?));
    };
    let job = match of_node(node.adapter(parent)).await? {
        Some(_) => of_node(node.job(parent)).await?,
        None => None,
    };
    let job = job.ok_or_else(|| {
        let message =
            format!("there is no adapter {parent} to train further; GET /v1/adapters lists them");
        ApiError::field("parent", message)
    })?;
    if base.is_some_and(|base| base != job.base) {
        let message = format!(
            "adapter {parent} is one of base model {}; leave base out to take it",
            job.base
        );
        return Err(ApiError::field("base", message));
    }
    let settled = TrainingSpec {
        lora_r: job.spec.lora_r,
        lora_alpha: job.spec.lora_alpha,
        target_modules: job.spec.target_modules,
        ..usual
    };
    let spec = settings.spec(settled)?;
    match spec.unlike_parent(&job.spec) {
        None => Ok((job.base, spec)),
        Some(field) => {
            let message = format!(
                "{} is not that of adapter {parent}; leave it out to take the adapter's",
                field.name()
            );
            Err(ApiError::field("settings", message))
        }
    }
}

/// The versions, and in words what a job that is queued after block `block` reads of them.
async fn datasets(
    node: &Client,
    wanted: &[Trained],
    block: u32,
) -> Result<(Vec<DatasetRef>, Vec<String>), ApiError> {
    if wanted.is_empty() || wanted.len() > MAX_DATASETS {
        let message = format!("{} Datanets; a job takes 1 to {MAX_DATASETS}", wanted.len());
        return Err(ApiError::field("datanets", message));
    }
    let mut datasets: Vec<DatasetRef> = Vec::with_capacity(wanted.len());
    let mut words = Vec::with_capacity(wanted.len());
    for (n, Trained { datanet, leaves }) in wanted.iter().enumerate() {
        let field = || format!("datanets[{n}]");
        if datasets.iter().any(|one| one.datanet == *datanet) {
            return Err(ApiError::field(field(), format!("Datanet {datanet} is named twice")));
        }
        let view = of_node(node.datanet(*datanet)).await?;
        let view =
            view.ok_or_else(|| ApiError::field(field(), format!("there is no Datanet {datanet}")))?;
        let version = match leaves {
            None => Some(view.version),
            Some(leaves) => of_node(node.version_at(*datanet, *leaves)).await?,
        };
        let version = version.filter(|version| version.leaves > 0).ok_or_else(|| {
            let message = format!(
                "Datanet {datanet} has {} accepted files; a job takes a version of 1 or more that it had",
                view.version.leaves
            );
            ApiError::field(field(), message)
        })?;
        let dataset = DatasetRef { datanet: *datanet, version };
        let left_out =
            of_node(node.left_out(&dataset, block.saturating_add(1))).await?.len() as u64;
        if left_out == version.leaves {
            let message = format!(
                "each of the {left_out} files of that version of Datanet {datanet} was revoked, which \
                 leaves nothing to train on"
            );
            return Err(ApiError::field(field(), message));
        }
        words.push(match left_out {
            0 => format!("{datanet}@{}", version.leaves),
            _ => format!("{datanet}@{} without {left_out} revoked", version.leaves),
        });
        datasets.push(dataset);
    }
    Ok((datasets, words))
}

/// How long a job waits, two hours, and then trains, if its owner says nothing.
async fn patience(node: &Client, ceiling: u64) -> Result<u32, ApiError> {
    const TWO_HOURS: u32 = 2_400;
    const WEEK: u32 = 7 * 24 * 1_200;
    const TOKENS_PER_SECOND: u32 = 32;
    let windows = of_node(node.windows()).await?;
    Ok(windows
        .floor(ceiling, RateClass::declared(TOKENS_PER_SECOND))
        .saturating_add(TWO_HOURS)
        .min(WEEK))
}
