//! One file to train on.

use super::formats::{self, Format, Packing, FORMATS, MAX_FILE, MAX_JSON, MAX_UNPACKED};
use super::{tables, unpack};
use crate::error::{read_bounded, Error, Result};
use openledger_primitives::MediaType;
use std::path::Path;
use std::sync::Arc;

/// Where a file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Submission id or, for local files, the path.
    pub submission: String,
    /// The contributor's account, or empty.
    pub contributor: String,
    /// SHA-256 of the file's bytes.
    pub sha256: [u8; 32],
    /// Whether it is evaluated on instead of trained on.
    pub evaluation: bool,
}

/// One file to train on.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its format; JSON and tables are text.
    pub media: MediaType,
    /// How its text is read.
    pub format: Format,
    /// How it is compressed.
    pub packing: Packing,
    /// Whether whoever trains chose this file. Then special tokens that are written in its raw text
    /// are special tokens; in a stranger's they are letters.
    pub own: bool,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl DataFile {
    /// A stranger's file with its digest computed here, read by what it holds.
    pub fn new(
        bytes: Vec<u8>,
        media: MediaType,
        submission: impl Into<String>,
        contributor: impl Into<String>,
    ) -> Self {
        use sha2::{Digest, Sha256};
        let origin = Origin {
            submission: submission.into(),
            contributor: contributor.into(),
            sha256: Sha256::digest(&bytes).into(),
            evaluation: false,
        };
        let (format, packing) = (Format::Document, Packing::Plain);
        Self { bytes, media, format, packing, own: false, origin: Arc::new(origin) }
    }

    /// The same file, read in another way.
    #[must_use]
    pub fn with_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// The same file, chosen by whoever trains.
    #[must_use]
    pub fn own(self) -> Self {
        Self { own: true, ..self }
    }

    /// The same file, evaluated on instead of trained on.
    #[must_use]
    pub fn for_evaluation(self) -> Self {
        let origin = Origin { evaluation: true, ..(*self.origin).clone() };
        Self { origin: Arc::new(origin), ..self }
    }

    /// A local file, whose name says what it is.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] for another name or a file that is too large, [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let (media, format, packing) = kind_of(path)
            .ok_or_else(|| Error::Data { name: name.clone(), reason: not_read(path) })?;
        let bytes = read_bounded(path, limit(format))?;
        Ok(Self { format, packing, ..Self::new(bytes, media, name, "").own() })
    }

    /// The canonical text. Of a document it is what the chain measured it by; of a table it is a
    /// JSON object on a line for each row.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] for a file that is too large, damaged, or has no text (see
    /// [`openledger_documents::TextError`]).
    pub fn text(&self) -> Result<String> {
        self.text_and_notes().map(|(text, _)| text)
    }

    /// The same, with what a reader should know of a table.
    pub(super) fn text_and_notes(&self) -> Result<(String, Vec<String>)> {
        let fail = |reason: String| Error::Data { name: self.origin.submission.clone(), reason };
        let limit = limit(self.format);
        if self.bytes.len() as u64 > limit {
            return Err(fail(format!("{} bytes, at most {limit} are read", self.bytes.len())));
        }
        let unpacked = match self.packing {
            Packing::Plain => None,
            packing => Some(unpack::unpack(packing, &self.bytes, MAX_UNPACKED).map_err(fail)?),
        };
        let bytes = unpacked.as_deref().unwrap_or(&self.bytes);
        let text = match self.format {
            Format::Csv | Format::Tsv | Format::JsonLines | Format::Json => utf16(bytes),
            _ => None,
        };
        let text = text.transpose().map_err(fail)?;
        let bytes = text.as_deref().map_or(bytes, str::as_bytes);
        let (table, notes) = match self.format {
            Format::Document | Format::JsonLines | Format::Json => (None, Vec::new()),
            table => {
                let (lines, notes) = tables::to_lines(table, bytes).map_err(fail)?;
                (Some(lines), notes)
            }
        };
        let bytes = table.as_deref().map_or(bytes, str::as_bytes);
        let text = openledger_documents::canonical_text(self.media, bytes);
        Ok((text.map_err(|error| fail(error.to_string()))?, notes))
    }

    /// Whether the places of its records are rows instead of lines.
    pub(super) fn has_rows(&self) -> bool {
        !matches!(self.format, Format::Document | Format::JsonLines | Format::Json)
    }
}

/// The text of a file that begins with UTF-16's byte order mark, as spreadsheets and Windows' shell write.
fn utf16(bytes: &[u8]) -> Option<std::result::Result<String, String>> {
    let (read, rest): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return None,
    };
    let pairs = rest.chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    let units = pairs
        .map(|pair| read([pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0)]));
    let text: std::result::Result<String, _> = char::decode_utf16(units).collect();
    Some(match text {
        Ok(text) if whole && text.len() <= MAX_UNPACKED => Ok(text),
        Ok(text) if whole => Err(format!(
            "as UTF-8 it has {} bytes, at most {MAX_UNPACKED} are read; split it into smaller files",
            text.len()
        )),
        _ => Err("it begins as UTF-16 and is not; save it as UTF-8".to_owned()),
    })
}

/// What a local file is, by its name.
pub(super) fn kind_of(path: &Path) -> Option<(MediaType, Format, Packing)> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.')?;
    let (extension, packing) = match extension {
        "gz" => (stem.rsplit_once('.')?.1, Packing::Gzip),
        "zst" | "zstd" => (stem.rsplit_once('.')?.1, Packing::Zstd),
        other => (other, Packing::Plain),
    };
    let row = FORMATS.iter().find(|row| row.extensions.contains(&extension))?;
    if packing != Packing::Plain && !row.packed {
        return None;
    }
    let media = match extension {
        "md" => MediaType::Md,
        "pdf" => MediaType::Pdf,
        "docx" => MediaType::Docx,
        _ => MediaType::Txt,
    };
    Some((media, row.format, packing))
}

fn limit(format: Format) -> u64 {
    match format {
        Format::Document => MAX_FILE,
        _ => MAX_JSON,
    }
}

/// Why a name is not read.
fn not_read(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().to_lowercase());
    let instead = match name.rsplit_once('.').map(|(_, end)| end) {
        Some("xlsx" | "xls" | "ods") => "; save the sheet as .csv",
        Some("zip" | "tar" | "tgz" | "7z" | "rar" | "bz2" | "xz") => "; unpack it",
        Some("html" | "htm" | "rtf" | "doc" | "odt" | "epub") => "; save it as .txt or .docx",
        Some("pkl" | "pickle" | "npy" | "npz" | "h5") => "; write it as .jsonl or .parquet",
        Some("yaml" | "yml") => "; a file of options goes to --config",
        _ => "",
    };
    format!("only {}{instead}", formats::known())
}
