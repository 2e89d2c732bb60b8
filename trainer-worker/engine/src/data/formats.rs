//! The closed list of formats that training reads. `docs/data.md` has the same table, and a test
//! compares the two.

/// Largest md, txt, pdf or docx file that is read, in bytes (a day's quota of one account).
pub const MAX_FILE: u64 = 10 * 1024 * 1024;
/// Largest local file of records that is read, in bytes.
pub const MAX_JSON: u64 = 256 * 1024 * 1024;
/// Most bytes that such a file may become, once decompressed or written as JSON lines.
pub const MAX_UNPACKED: usize = 512 * 1024 * 1024;

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
    /// A table of text with names of columns in its first line, separated by commas (semicolons, bars).
    Csv,
    /// The same, separated by tabs.
    Tsv,
    /// Parquet.
    Parquet,
    /// Arrow's stream format, which `datasets.save_to_disk` writes, or its file format.
    Arrow,
}

/// How a file is compressed as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    #[default]
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// One row of the table of formats.
#[derive(Debug, Clone, Copy)]
pub struct FormatRow {
    /// Ends of names, without the dot.
    pub extensions: &'static [&'static str],
    /// What it is.
    pub format: Format,
    /// Whether `.gz` and `.zst` may follow.
    pub packed: bool,
    /// What is read, in words.
    pub what: &'static str,
}

/// Every format that is read.
pub const FORMATS: [FormatRow; 7] = [
    FormatRow {
        extensions: &["md", "txt", "pdf", "docx"],
        format: Format::Document,
        packed: false,
        what: "a document: its canonical text; a txt file may hold JSON lines",
    },
    FormatRow {
        extensions: &["jsonl", "ndjson"],
        format: Format::JsonLines,
        packed: true,
        what: "a JSON object on every line",
    },
    FormatRow {
        extensions: &["json"],
        format: Format::Json,
        packed: true,
        what: "an array of objects, objects one after the other, or an object that holds them in data, train, rows, …",
    },
    FormatRow {
        extensions: &["csv"],
        format: Format::Csv,
        packed: true,
        what: "a table separated by commas, semicolons or bars, with names of columns in its first line",
    },
    FormatRow {
        extensions: &["tsv"],
        format: Format::Tsv,
        packed: true,
        what: "the same, separated by tabs",
    },
    FormatRow {
        extensions: &["parquet"],
        format: Format::Parquet,
        packed: false,
        what: "Parquet, its pages as they are or by snappy, gzip or zstd",
    },
    FormatRow {
        extensions: &["arrow"],
        format: Format::Arrow,
        packed: false,
        what: "Arrow as save_to_disk writes it (or as an Arrow file), without compression",
    },
];

/// The ends of names, as messages list them.
pub(super) fn known() -> String {
    let mut all: Vec<String> =
        FORMATS.iter().flat_map(|row| row.extensions).map(|end| format!(".{end}")).collect();
    let last = all.pop().unwrap_or_default();
    format!("{} and {last} files are read (the records also as .gz and .zst)", all.join(", "))
}
