//! The errors of the training engine. Each names the value, the limit and, where there is one, the
//! next step.

use std::path::{Path, PathBuf};

/// What can go wrong while loading, training, exporting or generating.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Files
    /// A file could not be read or written.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried: "read", "write", …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason. Not named `source`: the message says it already, and whoever prints
        /// the chain of sources would say it twice.
        cause: std::io::Error,
    },
    /// A file is larger than what this reader accepts.
    #[error("{what} is {size} bytes, but at most {limit} bytes are accepted")]
    TooLarge {
        /// What was read.
        what: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },

    /// A file or folder is not what it should be, or not whole.
    #[error("{} {reason}", path.display())]
    NotUsable {
        /// The file or folder.
        path: PathBuf,
        /// What it is instead, and what to do.
        reason: String,
    },

    // Models
    /// A GGUF file breaks the format or a bound.
    #[error("not a usable GGUF file: {reason}")]
    Gguf {
        /// What is wrong, with the place.
        reason: String,
    },
    /// A safetensors file breaks the format or a bound.
    #[error("not a usable safetensors file: {reason}")]
    Safetensors {
        /// What is wrong, with the tensor's name.
        reason: String,
    },
    /// A model's configuration is missing something or asks for something unsupported.
    #[error("model configuration: {field} = {value}: {problem}")]
    ModelConfig {
        /// The configuration's field.
        field: String,
        /// Its value.
        value: String,
        /// What is wrong and what is accepted.
        problem: String,
    },
    /// A weight is missing or has another shape than the configuration demands.
    #[error("weight {name}: {problem}")]
    Weight {
        /// Name in Hugging Face's layout.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The tokenizer or chat template cannot be used.
    #[error("tokenizer: {reason}")]
    Tokenizer {
        /// What is wrong.
        reason: String,
    },

    // Input
    /// A message writes out a special token of the model.
    #[error(
        "message {place} writes out the model's special token {token:?}; in messages these come from \
         the chat template alone: leave it out, or write raw text (text, or prompt and completion)"
    )]
    Markup {
        /// The message, from 1.
        place: usize,
        /// The token.
        token: String,
    },
    /// A setting lies outside its range.
    #[error("{name} = {value} is out of range: choose {range}")]
    Setting {
        /// The setting's name, as on the command line.
        name: &'static str,
        /// The value given.
        value: String,
        /// The accepted range in words.
        range: String,
    },
    /// A data file cannot be used.
    #[error("data file {name}: {reason}")]
    Data {
        /// The file's name or digest.
        name: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The files hold too little to train on.
    #[error("nothing to train on: {reason}")]
    NoExamples {
        /// What was found.
        reason: String,
    },
    /// More tokens than the model's context allows.
    #[error("{tokens} tokens exceed the model's context of {limit}; shorten the {what}")]
    ContextExceeded {
        /// Tokens asked for.
        tokens: usize,
        /// The model's limit.
        limit: usize,
        /// What to shorten.
        what: &'static str,
    },
    /// The pool of keys and values has no room for what a step needs.
    #[error(
        "{needed} more pages of keys and values are needed and {free} are free; give the cache more \
         memory, or wait for other sequences to end"
    )]
    KvFull {
        /// Pages asked for.
        needed: usize,
        /// Pages that were free.
        free: usize,
    },
    /// A token id outside the vocabulary.
    #[error("token id {id} is outside the vocabulary of {vocabulary}")]
    TokenId {
        /// The id.
        id: u32,
        /// Number of tokens in the vocabulary.
        vocabulary: usize,
    },

    /// A grammar for an answer cannot be used.
    #[error("response_format{}{place}: {reason}", if place.is_empty() { "" } else { " at " })]
    Grammar {
        /// The place in the schema as a JSON pointer; empty for the whole.
        place: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A client's answers that follow grammars take all the memory that they may.
    #[error(
        "your answers that follow a response_format take {taken} bytes, as much as they leave free of \
         the {limit} that there are for everyone; let some of them end, and try again"
    )]
    GrammarMemory {
        /// Bytes of the client's answers.
        taken: usize,
        /// Bytes of everyone's.
        limit: usize,
    },
    /// The logits leave no token to choose.
    #[error(
        "no token can be chosen: the greatest logit is {greatest}; is the model or the adapter damaged?"
    )]
    Logits {
        /// The greatest logit.
        greatest: f32,
    },

    // Adapters
    /// An adapter does not fit the model or PEFT's format.
    #[error("adapter: {reason}")]
    Adapter {
        /// What is wrong, with the tensor or field.
        reason: String,
    },

    // Training
    /// A gradient that must exist is absent or zero: the training would silently do nothing.
    #[error(
        "the gradient of {parameter} is {problem} at step {step}; the adapter would not train"
    )]
    Gradient {
        /// PEFT's name of the tensor.
        parameter: String,
        /// "absent" or "zero" or "not finite".
        problem: &'static str,
        /// Optimiser step, counted from 1.
        step: u64,
    },
    /// The loss became infinite or not a number.
    #[error("the loss is {loss} at step {step}: the training diverged; lower learning_rate (now {learning_rate}), \
         warm up longer (warmup_steps), or lower max_grad_norm")]
    Diverged {
        /// Optimiser step, counted from 1.
        step: u64,
        /// The loss.
        loss: f64,
        /// The learning rate at that step.
        learning_rate: f64,
    },
    /// A checkpoint belongs to another run or is damaged.
    #[error("checkpoint {}: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The caller asked to stop.
    #[error("training was cancelled after step {step}")]
    Cancelled {
        /// Optimiser steps that were finished.
        step: u64,
    },
    /// A run would need more memory than it may use.
    #[error(
        "training needs about {needed} bytes and may use {limit}; lower \
         per_device_train_batch_size or max_seq_length, or set gradient_checkpointing to true"
    )]
    Memory {
        /// Bytes needed.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The training thread or its thread pool could not be started.
    #[error("cannot start the training threads: {reason}")]
    Threads {
        /// The system's reason.
        reason: String,
    },
    /// This program was built without support for a device.
    #[error(
        "device = {device}: this program was built without {feature}; build it with `cargo build \
         --workspace --bin trainer-worker --features trainer-worker/{feature}` (docs/gpu.md), or choose device cpu"
    )]
    NotBuilt {
        /// The device's name.
        device: String,
        /// The feature to build with.
        feature: &'static str,
    },
    /// A device cannot be used.
    #[error(
        "device = {device} cannot be used: {reason}; `trainer-worker doctor` lists the devices of \
         this machine"
    )]
    Device {
        /// The device's name.
        device: String,
        /// What its driver says.
        reason: String,
    },
    /// An answer that was begun or waited for cannot be finished.
    #[error("no answer: {reason}")]
    Serving {
        /// What happened, and what to do.
        reason: String,
    },
    /// A server did not answer, or not as it should.
    #[error("{url}: {reason}")]
    Http {
        /// The address, without secrets.
        url: String,
        /// What happened.
        reason: String,
        /// Whether trying again may help.
        retry: bool,
    },
    /// An error of the tensor library. It is no source, since the message says all of it.
    #[error("tensor library: {0}")]
    Candle(candle_core::Error),
}

/// Shorthand for this crate's results.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An [`Error::Io`] builder for `map_err`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |cause| Self::Io { action, path, cause }
    }

    pub(crate) fn not_usable(path: &Path, reason: impl Into<String>) -> Self {
        Self::NotUsable { path: path.to_path_buf(), reason: reason.into() }
    }

    pub(crate) fn gguf(reason: impl Into<String>) -> Self {
        Self::Gguf { reason: reason.into() }
    }

    pub(crate) fn adapter(reason: impl Into<String>) -> Self {
        Self::Adapter { reason: reason.into() }
    }

    pub(crate) fn grammar(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Grammar { place: place.into(), reason: reason.into() }
    }

    pub(crate) fn tokenizer(reason: impl Into<String>) -> Self {
        Self::Tokenizer { reason: reason.into() }
    }

    pub(crate) fn weight(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Weight { name: name.into(), problem: problem.into() }
    }
}

impl From<candle_core::Error> for Error {
    fn from(cause: candle_core::Error) -> Self {
        Self::Candle(cause)
    }
}

impl From<crate::kernels::linear::ShapeError> for Error {
    fn from(e: crate::kernels::linear::ShapeError) -> Self {
        Self::weight("linear", e.to_string())
    }
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(Error::io("open", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    if size > limit {
        return Err(Error::TooLarge { what: path.display().to_string(), size, limit });
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge {
            what: path.display().to_string(),
            size: bytes.len() as u64,
            limit,
        });
    }
    Ok(bytes)
}

/// Writes a file so that it is either wholly there or not at all.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let dir = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-");
    // Like any new file, not private to this user as temporary files are.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(&dir).map_err(Error::io("create a file in", &dir))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.as_file().sync_all().map_err(Error::io("write", path))?;
    file.persist(path).map_err(|e| Error::Io {
        action: "write",
        path: path.to_path_buf(),
        cause: e.error,
    })?;
    Ok(())
}
