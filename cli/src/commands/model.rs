//! `openledger model`

use crate::{
    arguments::one_of,
    content,
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use openledger_client::{BaseModel, Client, NewBaseModel, Wait};
use openledger_content::{describe_file, Added};
use openledger_primitives::{BaseModelId, ModelFamily};
use serde_json::{json, Value};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register a base model; its files are put into the IPFS directory, a deposit is held.
    #[command(after_help = "Examples:
  openledger --key me model register --name SmolLM2-135M-Instruct --family llama \\
      --weights SmolLM2-135M-Instruct.Q4_1.gguf --licence Apache-2.0")]
    Register(Register),
    /// List the base models.
    #[command(after_help = "Examples:
  openledger model list")]
    List,
    /// Show a base model.
    #[command(after_help = "Examples:
  openledger model show 0 --output json")]
    Show {
        /// Its number.
        model: BaseModelId,
    },
    /// Let a base model take no new jobs, and get its deposit back. Jobs that name it go on.
    #[command(after_help = "Examples:
  openledger --key me model retire 0")]
    Retire {
        /// Its number.
        model: BaseModelId,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Register {
    /// Its name, 1 to 64 bytes.
    #[arg(long)]
    name: String,
    /// Its architecture.
    #[arg(long, value_parser = one_of::<ModelFamily>())]
    family: ModelFamily,
    /// The file of its weights.
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Its licence, for example an SPDX identifier.
    #[arg(long, visible_alias = "license")]
    licence: String,
    /// Its tokenizer, if the weights' file does not hold it.
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// Its configuration, if the weights' file does not hold it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Register(arguments) => register(context, arguments).await,
        Command::List => list(context).await,
        Command::Show { model } => show(context, model).await,
        Command::Retire { model } => retire(context, model).await,
    }
}

async fn retire(context: &Context, model: BaseModelId) -> Result<Answer> {
    let client = context.client().await?;
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.retire_base_model(&signer, model, wait).await?;
    let text = format!("Base model {model} takes no new jobs; its deposit was given back.");
    Ok(Answer::of_transaction(json!({ "model": model, "retired": true }), text, &receipt))
}

/// Adds a file to the IPFS directory and says what it is called.
async fn add(context: &Context, path: &Path) -> Result<Added> {
    let bar = context.progress(ProgressBar::new_spinner());
    bar.set_message(format!("adding {}", path.display()));
    bar.enable_steady_tick(Duration::from_millis(120));
    let described = tokio::task::block_in_place(|| describe_file(path))?;
    let added = content::add(context, path, &described).await;
    bar.finish_and_clear();
    added.map(|()| described)
}

async fn register(context: &Context, arguments: Register) -> Result<Answer> {
    // Fails before a large file is added for nothing.
    let client = context.client().await?;
    let signer = context.signer().await?;
    let weights = add(context, &arguments.weights).await?;
    let mut others = [None, None];
    for (other, path) in others.iter_mut().zip([&arguments.tokenizer, &arguments.config]) {
        if let Some(path) = path {
            *other = Some(add(context, path).await?.content);
        }
    }
    let [tokenizer, config] = others;
    let model = NewBaseModel {
        family: arguments.family,
        name: arguments.name.clone(),
        licence: arguments.licence,
        weights: weights.content,
        weights_sha256: weights.sha256,
        weights_size: weights.size,
        tokenizer,
        config,
    };
    let wait = context.wait(Wait::InBlock);
    let (receipt, model) = client.register_base_model(&signer, model, wait).await?;
    let json = json!({
        "model": model,
        "content": weights.content,
        "sha256": hex::encode(weights.sha256),
        "size": weights.size,
    });
    let text = format!(
        "Base model {model} ({}) was registered: {}, {} bytes.",
        arguments.name, weights.content, weights.size
    );
    Ok(Answer::of_transaction(json, text, &receipt))
}

fn shape(model: &BaseModel) -> Value {
    json!({
        "id": model.id,
        "registrar": model.registrar,
        "family": model.family,
        "name": model.name,
        "licence": model.licence,
        "content": model.weights,
        "sha256": hex::encode(model.weights_sha256),
        "size": model.weights_size,
        "tokenizer": model.tokenizer,
        "config": model.config,
        "retired": model.retired,
    })
}

/// A base model, or an error that says how to find one.
pub(crate) async fn require(client: &Client, model: BaseModelId) -> Result<BaseModel> {
    client.base_model(model).await?.ok_or_else(|| {
        CliError::refused(format!("there is no base model {model}"))
            .next("list them with `openledger model list`")
    })
}

async fn list(context: &Context) -> Result<Answer> {
    let client = context.client().await?;
    let mut models = Vec::new();
    for id in 0..client.base_model_count().await? {
        models.extend(client.base_model(id).await?);
    }
    let rows = models.iter().map(|model| {
        [
            model.id.to_string(),
            model.name.clone(),
            model.family.name().to_owned(),
            model.licence.clone(),
            model.weights_size.to_string(),
        ]
    });
    let text = table(["id", "name", "family", "licence", "bytes"], rows);
    Ok(Answer::new(json!({ "models": models.iter().map(shape).collect::<Vec<_>>() }), text))
}

async fn show(context: &Context, model: BaseModelId) -> Result<Answer> {
    let model = require(context.client().await?, model).await?;
    let text = fields([
        ("Model", format!("{}: {}", model.id, model.name)),
        ("Registrar", model.registrar.to_string()),
        ("Family", model.family.name().to_owned()),
        ("Licence", model.licence.clone()),
        ("Weights", format!("{}, {} bytes", model.weights, model.weights_size)),
        ("sha256", hex::encode(model.weights_sha256)),
    ]);
    Ok(Answer::new(shape(&model), text))
}
