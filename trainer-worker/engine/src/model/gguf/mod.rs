//! A bounded reader for GGUF files, versions 2 and 3.
//!
//! The header is parsed here rather than by candle: its reader divides by an alignment taken from
//! the file and keeps each array element as a 32-byte value, so a small hostile file can crash it
//! or grow it without bound. Tensor data is dequantised by candle.

mod config;
mod deepseek;
mod header;
pub mod names;
pub(crate) mod split;
mod tensors;

pub use header::Value;
pub use tensors::RawTensor;

use crate::error::{Error, Result};
use header::{Metadata, Tensors};
use names::{Family, HeadCounts};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Mutex;

/// An open GGUF file: its metadata in memory, its tensors read on demand.
pub struct Gguf {
    metadata: Metadata,
    tensors: Tensors,
    /// The file, or the parts of a split one.
    files: Vec<Mutex<File>>,
}

impl Gguf {
    /// Opens a file and reads its header: bounded memory, an error for anything malformed. Of a split
    /// file any part may be named; all must be there.
    pub fn open(path: &Path) -> Result<Self> {
        let paths = split::parts(path)?;
        let mut whole: Option<Self> = None;
        for (part, path) in paths.iter().enumerate() {
            let file = File::open(path).map_err(Error::io("open", path))?;
            let size = file.metadata().map_err(Error::io("read", path))?.len();
            let (metadata, mut tensors) = header::read(BufReader::new(&file), size)?;
            tensors.values_mut().for_each(|info| info.part = part);
            let found = Self { metadata, tensors, files: vec![Mutex::new(file)] };
            found.check_part(path, part, paths.len())?;
            match &mut whole {
                None => whole = Some(found),
                Some(whole) => whole.join(path, found)?,
            }
        }
        whole.ok_or_else(|| Error::gguf("it has no parts"))
    }

    /// Refuses a part whose own count is another than its name's.
    fn check_part(&self, path: &Path, part: usize, parts: usize) -> Result<()> {
        let count = self.unsigned("split.count").unwrap_or(1);
        let number = self.unsigned("split.no").unwrap_or(0);
        if count.max(1) == parts as u64 && number == part as u64 {
            return Ok(());
        }
        Err(Error::not_usable(
            path,
            if parts == 1 {
                format!(
                    "is part {} of {count} of a split GGUF file, but is not named like one: give the \
                     parts the names that they were published under (NAME-00001-of-{count:05}.gguf)",
                    number.saturating_add(1)
                )
            } else {
                format!(
                    "says that it is part {} of {count}, but is named as part {} of {parts}; fetch it \
                     again",
                    number.saturating_add(1),
                    part + 1
                )
            },
        ))
    }

    /// Adds the tensors of a further part.
    fn join(&mut self, path: &Path, part: Self) -> Result<()> {
        for (name, info) in part.tensors {
            if self.tensors.contains_key(&name) {
                return Err(Error::not_usable(
                    path,
                    format!("holds the tensor {name}, which an earlier part holds too"),
                ));
            }
            self.tensors.insert(name, info);
        }
        self.files.extend(part.files);
        Ok(())
    }

    /// The keys of the metadata.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.metadata.keys().map(String::as_str)
    }

    /// A metadata value by key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// A text by key.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(t)) => Some(t),
            _ => None,
        }
    }

    /// A non-negative integer by key.
    pub fn unsigned(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Value::Unsigned(v)) => Some(*v),
            _ => None,
        }
    }

    /// A truth value by key.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(Value::Bool(v)) => Some(*v),
            _ => None,
        }
    }

    /// The family of its names and layouts, by `general.architecture`.
    ///
    /// # Errors
    /// When the architecture is missing or not one of [`Family::ALL`].
    pub fn family(&self) -> Result<Family> {
        const KEY: &str = "general.architecture";
        let architecture = self.text(KEY).unwrap_or("missing");
        let found = Family::ALL.into_iter().find(|f| f.architecture() == architecture);
        match found {
            // Two sets of names share the architecture: only ChatGLM's own code fuses q, k and v.
            Some(Family::ChatGlm) if !self.tensors.contains_key("blk.0.attn_qkv.weight") => {
                Ok(Family::Glm)
            }
            Some(family) => Ok(family),
            None => Err(Error::ModelConfig {
                field: KEY.to_owned(),
                value: architecture.to_owned(),
                problem: format!("this engine knows {}", architectures()),
            }),
        }
    }

    /// Numbers of heads, by which some weights are re-ordered.
    pub fn head_counts(&self) -> Result<HeadCounts> {
        let architecture = self.text("general.architecture").unwrap_or_default();
        let count = |key: &str| {
            let key = format!("{architecture}.attention.{key}");
            self.unsigned(&key).and_then(|v| usize::try_from(v).ok())
        };
        let query = count("head_count").ok_or_else(|| Error::ModelConfig {
            field: format!("{architecture}.attention.head_count"),
            value: "missing".to_owned(),
            problem: "must be a whole number".to_owned(),
        })?;
        Ok(HeadCounts { query, key_value: count("head_count_kv").unwrap_or(query) })
    }
}

/// The architectures of [`Family::ALL`] in words.
fn architectures() -> String {
    let mut names: Vec<&str> = Family::ALL.iter().map(|f| f.architecture()).collect();
    names.dedup();
    names.join(", ")
}
