//! GGUF files that were split (`llama-gguf-split`): parts named `NAME-00001-of-00003.gguf`, of which
//! the first has all metadata and each has some of the tensors.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Most parts of a model.
pub(crate) const MAX_PARTS: usize = 512;

/// A name that ends in `-00002-of-00003`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// What is before.
    pub(crate) prefix: String,
    /// The number of parts.
    pub(crate) count: usize,
}

impl Numbered {
    /// The name of a part, counted from 1.
    pub(crate) fn name(&self, part: usize) -> String {
        format!("{}-{part:05}-of-{:05}", self.prefix, self.count)
    }
}

/// Reads a name without its extension; nothing where it is no part's.
pub(crate) fn numbered(stem: &str) -> Option<Numbered> {
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (prefix, part) = rest.rsplit_once('-')?;
    let number = |text: &str| -> Option<usize> {
        let digits = text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let (part, count) = (number(part)?, number(count)?);
    let possible = (1..=MAX_PARTS).contains(&count) && (1..=count).contains(&part);
    possible.then(|| Numbered { prefix: prefix.to_owned(), count })
}

/// All parts of the file that `path` is or is a part of, the first first.
///
/// # Errors
///
/// [`Error::NotUsable`] that names the parts that are missing.
pub(crate) fn parts(path: &Path) -> Result<Vec<PathBuf>> {
    let stem = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".gguf"));
    let Some(of) = stem.and_then(numbered).filter(|of| of.count > 1) else {
        return Ok(vec![path.to_owned()]);
    };
    let part = |n: usize| path.with_file_name(format!("{}.gguf", of.name(n)));
    let all: Vec<PathBuf> = (1..=of.count).map(part).collect();
    let missing: Vec<String> = all
        .iter()
        .filter(|p| !p.exists())
        .filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
        .collect();
    if missing.is_empty() {
        return Ok(all);
    }
    let shown = missing.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    Err(Error::not_usable(
        path,
        format!(
            "is one of {} parts, and {} beside it {} missing: {shown}{}; fetch them into the same \
             folder",
            of.count,
            missing.len(),
            if missing.len() == 1 { "is" } else { "are" },
            if missing.len() > 5 { ", …" } else { "" },
        ),
    ))
}
