//! The subcommands, and what they share.

pub(crate) mod eval;
pub(crate) mod generate;
pub(crate) mod logits;
pub(crate) mod measure;
pub(crate) mod run;
pub(crate) mod train;

use anyhow::{bail, Context, Result};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;
use trainer_worker::data::DataFile;
use trainer_worker::lora::Adapter;
use trainer_worker::model::Model;
use trainer_worker::peft;
use trainer_worker::tokenizer::{Message, Tokenizer};

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Which model to load.
#[derive(Args)]
pub(crate) struct ModelArgs {
    /// A .gguf file, or a Hugging Face folder with config.json and safetensors.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) model: PathBuf,
}

/// Which adapter to put on it.
#[derive(Args)]
pub(crate) struct AdapterArgs {
    /// An adapter: a folder as PEFT writes it, or one adapter_model.safetensors.
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) adapter: Option<PathBuf>,
}

impl ModelArgs {
    pub(crate) fn load(&self) -> Result<(Arc<Model>, Tokenizer)> {
        if !self.model.exists() {
            bail!(
                "the model {} does not exist; ./scripts/model fetches one and prints its path",
                self.model.display()
            );
        }
        let what = || format!("loading {}", self.model.display());
        let tokenizer = Tokenizer::open(&self.model).with_context(what)?;
        let model = Model::open(&self.model).with_context(what)?;
        Ok((Arc::new(model), tokenizer))
    }
}

impl AdapterArgs {
    pub(crate) fn load(&self, model: &Model) -> Result<Option<Arc<Adapter>>> {
        let Some(path) = &self.adapter else { return Ok(None) };
        let adapter = peft::load(path, &model.config)
            .with_context(|| format!("loading {}", path.display()))?;
        Ok(Some(Arc::new(adapter)))
    }
}

/// A prompt's tokens: the text as it is, or as a question in the model's chat template.
pub(crate) fn prompt_tokens(
    tokenizer: &Tokenizer,
    prompt: Option<&str>,
    chat: Option<&str>,
) -> Result<Vec<u32>> {
    Ok(match (prompt, chat) {
        (Some(text), None) => tokenizer.encode(text)?,
        (None, Some(question)) => {
            let messages = [Message::user(question)];
            tokenizer.encode(&tokenizer.render_chat(&messages, true)?)?
        }
        _ => bail!("give either --prompt TEXT or --chat QUESTION"),
    })
}

/// Reads data files; folders are walked in order of names, taking what can be trained on.
pub(crate) fn read_data(paths: &[PathBuf]) -> Result<Vec<DataFile>> {
    Ok(trainer_worker::data::read(paths)?)
}
