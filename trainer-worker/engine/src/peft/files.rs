//! Where an adapter's files lie, and what is said where they do not.

use super::{CONFIG, MAX_ADAPTER, MAX_CONFIG, WEIGHTS};
use crate::error::{read_bounded, Error, Result};
use crate::model::folder::{check_file, MAX_ENTRIES};
use std::path::{Path, PathBuf};

/// The files of an adapter.
pub(crate) struct Files {
    /// The safetensors file.
    pub(crate) weights: PathBuf,
    /// `adapter_config.json`, where it is a file of its own.
    pub(crate) config: Option<PathBuf>,
}

impl Files {
    /// The files of an adapter: a folder as PEFT writes it, or one safetensors file that carries its
    /// configuration.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] that says what the folder holds instead and what to do.
    pub(crate) fn find(path: &Path) -> Result<Self> {
        let shown = path.display();
        if !path.exists() {
            return Err(Error::adapter(format!("{shown} does not exist")));
        }
        if !path.is_dir() {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if is_pickle(name) {
                return Err(Error::adapter(pickle(path)));
            }
            if name == CONFIG {
                return Err(Error::adapter(format!(
                    "{shown} is only the configuration; name its folder"
                )));
            }
            check_regular(path)?;
            check_file(path)?;
            return Ok(Self { weights: path.to_owned(), config: None });
        }
        let (weights, config) = (path.join(WEIGHTS), path.join(CONFIG));
        if weights.exists() && config.exists() {
            for file in [&weights, &config] {
                check_regular(file)?;
                check_file(file)?;
            }
            return Ok(Self { weights, config: Some(config) });
        }
        Err(Error::adapter(missing(path, weights.exists(), config.exists())))
    }

    /// The bytes of the weights, at most so many.
    pub(crate) fn weights(&self, limit: u64) -> Result<Vec<u8>> {
        read_bounded(&self.weights, limit.min(MAX_ADAPTER))
    }

    /// The text of the configuration, where it is a file of its own.
    pub(crate) fn config(&self) -> Result<Option<String>> {
        let Some(path) = &self.config else { return Ok(None) };
        Ok(Some(String::from_utf8_lossy(&read_bounded(path, MAX_CONFIG)?).into_owned()))
    }
}

/// Refuses what is no file with an end: whoever reads a pipe may wait for ever, and a device may give
/// bytes for ever.
fn check_regular(path: &Path) -> Result<()> {
    let known = std::fs::metadata(path).map_err(Error::io("read", path))?;
    match known.is_file() {
        true => Ok(()),
        false => Err(Error::not_usable(path, "is no regular file")),
    }
}

fn is_pickle(name: &str) -> bool {
    [".bin", ".pt", ".pth"].iter().any(|end| name.ends_with(end))
}

fn pickle(path: &Path) -> String {
    format!(
        "{} is a pickle, which can run code and is not read; write it as safetensors: \
         PeftModel.from_pretrained(base, folder).save_pretrained(folder) with a current PEFT",
        path.display()
    )
}

/// What a folder without an adapter holds instead.
fn missing(path: &Path, weights: bool, config: bool) -> String {
    let shown = path.display();
    let names: Vec<String> = std::fs::read_dir(path)
        .map(|entries| {
            let entries = entries.take(MAX_ENTRIES).flatten();
            entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    if names.is_empty() {
        return format!("{shown} is empty");
    }
    // The newest of the steps that transformers and this program keep.
    let steps = names.iter().filter_map(|n| n.strip_prefix("checkpoint-")?.parse::<u64>().ok());
    let inside = |step: &u64| path.join(format!("checkpoint-{step}")).join(CONFIG).exists();
    if let Some(step) = steps.filter(inside).max() {
        return format!(
            "{shown} holds no adapter itself, but there is one in it of step {step}: name {}",
            path.join(format!("checkpoint-{step}")).display()
        );
    }
    if let Some(name) = names.iter().find(|n| n.starts_with("adapter_model") && is_pickle(n)) {
        return pickle(&path.join(name));
    }
    if names.iter().any(|n| n == crate::train::checkpoint::FILE) {
        return format!(
            "{shown} holds the checkpoint of a training that is not complete; run the same train \
             command again to go on"
        );
    }
    if weights {
        return format!("{shown} holds {WEIGHTS} but no {CONFIG}; fetch that too");
    }
    if config {
        return format!("{shown} holds {CONFIG} but no {WEIGHTS}; was the download cut short?");
    }
    if names.iter().any(|n| n == "config.json") {
        return format!("{shown} holds a model, no adapter; give it with --model");
    }
    if let Some(name) = names.iter().find(|n| n.ends_with(".gguf")) {
        return format!(
            "{shown} holds no {CONFIG}; {name} is GGUF, which llama.cpp reads: name the folder that \
             it was exported from"
        );
    }
    format!("{shown} holds no {CONFIG} and {WEIGHTS}")
}
