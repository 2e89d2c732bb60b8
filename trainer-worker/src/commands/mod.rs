//! The subcommands, and what they share.

pub(crate) mod eval;
pub(crate) mod generate;
pub(crate) mod logits;
pub(crate) mod measure;
pub(crate) mod run;
pub(crate) mod train;

use anyhow::{bail, Context, Result};
use clap::{Args, ValueEnum};
use openledger_primitives::MediaType;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trainer_worker::data::{DataFile, MAX_FILE};
use trainer_worker::lora::Adapter;
use trainer_worker::model::Model;
use trainer_worker::peft;
use trainer_worker::tokenizer::{Message, Tokenizer};

/// Most files that one `--data` folder may hold.
const MAX_FILES: usize = 10_000;

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

/// Reads data files; folders are walked in order of names, taking md and txt files.
pub(crate) fn read_data(paths: &[PathBuf]) -> Result<Vec<DataFile>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut found)?;
        } else {
            found.push(path.clone());
        }
        if found.len() > MAX_FILES {
            bail!("{} files; at most {MAX_FILES} are read", found.len());
        }
    }
    if found.is_empty() {
        bail!("--data holds no .md or .txt file");
    }
    found.iter().map(|path| read_file(path)).collect()
}

fn read_file(path: &Path) -> Result<DataFile> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let media = MediaType::from_extension(extension)
        .filter(|m| matches!(m, MediaType::Md | MediaType::Txt))
        .with_context(|| format!("{}: only .md and .txt files are read", path.display()))?;
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    if size > MAX_FILE {
        bail!("{} is {size} bytes; at most {MAX_FILE} are read", path.display());
    }
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(DataFile::new(bytes, media, path.display().to_string(), ""))
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries = std::fs::read_dir(dir)
        .with_context(|| format!("reading {}", dir.display()))?
        .collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links are not followed: they could lead in circles.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&path, found)?;
        } else if kind.is_file()
            && path
                .extension()
                .and_then(|e| e.to_str())
                .and_then(MediaType::from_extension)
                .is_some_and(|m| matches!(m, MediaType::Md | MediaType::Txt))
        {
            found.push(path);
        }
        if found.len() > MAX_FILES {
            bail!("{} holds more than {MAX_FILES} files", dir.display());
        }
    }
    Ok(())
}
