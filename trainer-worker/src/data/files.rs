//! The files to train on.

use crate::error::{read_bounded, Error, Result};
use openledger_primitives::MediaType;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest md, txt, pdf or docx file that is read, in bytes (a day's quota of one account).
pub const MAX_FILE: u64 = 10 * 1024 * 1024;
/// Largest local JSON file that is read, in bytes.
pub const MAX_JSON: u64 = 256 * 1024 * 1024;
/// Most files that are read.
const MAX_FILES: usize = 10_000;
/// Deepest folder.
const MAX_DEPTH: usize = 32;

/// How a file's text is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// By what it holds: JSON lines in a txt file, questions and answers, or text.
    #[default]
    Document,
    /// A JSON object on every line, because its name says so.
    JsonLines,
    /// A JSON array of objects, or objects one after the other, because its name says so.
    Json,
}

/// Where a file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Submission id or, for local files, the path.
    pub submission: String,
    /// The contributor's account, or empty.
    pub contributor: String,
    /// SHA-256 of the file's bytes.
    pub sha256: [u8; 32],
}

/// One file to train on.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its format; JSON is text.
    pub media: MediaType,
    /// How its text is read.
    pub format: Format,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl DataFile {
    /// A file with its digest computed here, read by what it holds.
    pub fn new(
        bytes: Vec<u8>,
        media: MediaType,
        submission: impl Into<String>,
        contributor: impl Into<String>,
    ) -> Self {
        use sha2::{Digest, Sha256};
        let sha256 = Sha256::digest(&bytes).into();
        let origin =
            Origin { submission: submission.into(), contributor: contributor.into(), sha256 };
        Self { bytes, media, format: Format::Document, origin: Arc::new(origin) }
    }

    /// The same file, read in another way.
    #[must_use]
    pub fn with_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// A local file: .md, .txt, .pdf, .docx, .jsonl or .json by its name.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] for another name or a file that is too large, [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let (media, format) = kind_of(path).ok_or_else(|| Error::Data {
            name: name.clone(),
            reason: "only .md, .txt, .pdf, .docx, .jsonl and .json files are read".to_owned(),
        })?;
        let bytes = read_bounded(path, limit(format))?;
        Ok(Self::new(bytes, media, name, "").with_format(format))
    }

    /// The canonical text: what the chain measured the file by.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] for a file that is too large or has no text (see
    /// [`openledger_documents::TextError`]).
    pub fn text(&self) -> Result<String> {
        let fail = |reason: String| Error::Data { name: self.origin.submission.clone(), reason };
        let limit = limit(self.format);
        if self.bytes.len() as u64 > limit {
            return Err(fail(format!("{} bytes, at most {limit} are read", self.bytes.len())));
        }
        openledger_documents::canonical_text(self.media, &self.bytes)
            .map_err(|e| fail(e.to_string()))
    }
}

fn limit(format: Format) -> u64 {
    match format {
        Format::Document => MAX_FILE,
        Format::JsonLines | Format::Json => MAX_JSON,
    }
}

/// What a local file is, by its name.
fn kind_of(path: &Path) -> Option<(MediaType, Format)> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "md" => (MediaType::Md, Format::Document),
        "txt" => (MediaType::Txt, Format::Document),
        "pdf" => (MediaType::Pdf, Format::Document),
        "docx" => (MediaType::Docx, Format::Document),
        "jsonl" => (MediaType::Txt, Format::JsonLines),
        "json" => (MediaType::Txt, Format::Json),
        _ => return None,
    })
}

/// Reads files, and of folders what has a known name, in the order of names. Links in folders are
/// not followed: they could lead in circles.
///
/// # Errors
///
/// [`Error::Data`] for more than 10,000 files, for none, and as [`DataFile::open`].
pub fn read(paths: &[PathBuf]) -> Result<Vec<DataFile>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, 0, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    if found.is_empty() {
        let name = paths.first().map_or_else(String::new, |path| path.display().to_string());
        let reason = "no .md, .txt, .pdf, .docx, .jsonl or .json file is in it".to_owned();
        return Err(Error::Data { name, reason });
    }
    found.iter().map(|path| DataFile::open(path)).collect()
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let fail = |reason: String| Error::Data { name: folder.display().to_string(), reason };
    if depth > MAX_DEPTH {
        return Err(fail(format!("folders are nested deeper than {MAX_DEPTH}")));
    }
    let mut entries = std::fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .map_err(Error::io("read", folder))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(Error::io("read", &path))?;
        if kind.is_dir() {
            walk(&path, depth + 1, found)?;
        } else if kind.is_file() && kind_of(&path).is_some() {
            found.push(path);
        }
        if found.len() > MAX_FILES {
            return Err(fail(format!("more than {MAX_FILES} files")));
        }
    }
    Ok(())
}
