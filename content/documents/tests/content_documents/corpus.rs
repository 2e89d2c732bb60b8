//! Real documents against oracles: what poppler shows on the page, and mammoth's reading of Word
//! files.
//!
//! Words with Hebrew or Arabic letters are those that two of three readers agree on, as no one of them
//! reads such text well.
//!
//! `scripts/corpus` fetches the documents, `scripts/golden/corpus.py` wrote the lists and the
//! oracles' words (its head says how). The sample is read in every run; with
//! `OPENLEDGER_CORPUS=all` it is the whole, and with `OPENLEDGER_UPDATE=1` beside it the table of
//! docs/documents.md is written anew.

use super::corpus_words::{reads_from_right, Oracle, Script};
use openledger_documents::{measure, read, MediaType, TextError, EXTRACTOR_VERSION};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Recall and precision from which a file counts as read well.
const GOOD: f64 = 0.99;

/// What share of the files that both read has to be read well: as measured, rounded down, so that
/// no change makes it less: .90 of each is the aim.
fn wanted(media_type: MediaType, script: Script, everything: bool) -> f64 {
    match (media_type, script, everything) {
        (MediaType::Docx, ..) => 0.95,
        (_, Script::Cjk | Script::Hebrew, _) => 1.0,
        (_, Script::Arabic, _) => 0.92,
        (_, Script::Latin, true) => 0.92,
        (_, Script::Latin, false) => 0.95,
    }
}

fn lists() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/content_documents/corpus")
}

/// The folder of what is fetched and built, as the scripts have it.
fn cache() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("OPENLEDGER_CACHE").unwrap_or_else(|| {
        let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME")).join(".cache");
        set("XDG_CACHE_HOME").unwrap_or_else(home).join("openledger")
    })
}

fn variable(name: &str, value: &str) -> bool {
    std::env::var(name).as_deref() == Ok(value)
}

struct Document {
    package: String,
    path: String,
    sha256: String,
    sample: bool,
}

impl Document {
    /// The listed documents, of the sample or all.
    fn listed(everything: bool) -> Vec<Self> {
        let list = std::fs::read_to_string(lists().join("files.tsv")).expect("the list");
        let rows = list.lines().filter(|line| !line.starts_with('#')).skip(1);
        rows.map(|row| {
            let columns: Vec<_> = row.split('\t').map(str::to_owned).collect();
            let [package, path, _, sha256, sample] = columns.try_into().expect("five columns");
            Self { package, path, sha256, sample: sample == "yes" }
        })
        .filter(|document| everything || document.sample)
        .collect()
    }

    fn media_type(&self) -> MediaType {
        if self.path.to_lowercase().ends_with(".docx") {
            MediaType::Docx
        } else {
            MediaType::Pdf
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let name = format!("{}.{}", self.sha256, self.media_type().extension());
        let path = cache().join("corpus/files").join(name);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; run ./scripts/corpus, which fetches it", path.display())
        });
        assert_eq!(hex::encode(Sha256::digest(&bytes)), self.sha256, "{}", path.display());
        bytes
    }

    /// What the oracle reads, or nothing if it does not open the file.
    fn oracle(&self) -> Option<Oracle> {
        let name = format!("words/{}.tsv", self.sha256.get(..16).expect("a digest"));
        let of = if self.sample { lists() } else { cache().join("corpus") };
        let path = of.join(&name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; run scripts/golden/corpus.py words --all", path.display())
        });
        if text == "unread\n" {
            return None;
        }
        let mut oracle = Oracle::of(&text);
        let beside = of.join(name.replace(".tsv", "-rtl.tsv"));
        if beside.exists() {
            oracle.agree(&std::fs::read_to_string(beside).expect("a list"));
        } else {
            let right_to_left = oracle.words.keys().any(|word| reads_from_right(word));
            assert!(
                !right_to_left || self.media_type() == MediaType::Docx,
                "{}: run scripts/golden/corpus.py words --all",
                beside.display()
            );
        }
        Some(oracle)
    }
}

/// What is counted of one kind of files.
#[derive(Default)]
struct Row {
    files: usize,
    both: usize,
    decided: usize,
    good: usize,
    recall: Vec<f64>,
    precision: Vec<f64>,
}

impl Row {
    fn share(&self) -> f64 {
        self.good as f64 / self.decided.max(1) as f64
    }

    fn markdown(&mut self, name: &str) -> String {
        let middle = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).map_or("–".to_owned(), |value| format!("{value:.4}"))
        };
        format!(
            "| {name} | {} | {} | {} | {} ({:.0} %) | {} | {} |\n",
            self.files,
            self.both,
            self.decided,
            self.good,
            100.0 * self.share(),
            middle(&mut self.recall),
            middle(&mut self.precision),
        )
    }
}

/// The error's variant, which the table counts by.
fn reason(error: &TextError) -> String {
    let name = format!("{error:?}");
    name.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// Whether there is no corpus to read, as a laptop without a network may say; CI may not.
fn left_out() -> bool {
    let none = variable("OPENLEDGER_CORPUS", "none");
    assert!(
        !none || std::env::var_os("CI").is_none(),
        "CI reads the corpus: OPENLEDGER_CORPUS=none"
    );
    if none {
        eprintln!("OPENLEDGER_CORPUS=none: the real documents are NOT read");
    }
    none
}

#[test]
fn real_documents_are_read_as_the_oracles_read_them() {
    if left_out() {
        return;
    }
    let everything = variable("OPENLEDGER_CORPUS", "all");
    let mut rows: BTreeMap<(MediaType, Script), Row> = BTreeMap::new();
    let mut refused: BTreeMap<(MediaType, String), usize> = BTreeMap::new();
    let mut details = "recall\tprecision\tpackage\tpath\tdiffering\tleft out\n".to_owned();
    for document in Document::listed(everything) {
        let media_type = document.media_type();
        let reading = read(media_type, &document.bytes());
        let left_out: Vec<_> = (reading.iter())
            .flat_map(|reading| reading.left_out.iter())
            .map(|(why, units)| format!("{} {units}", why.name()))
            .collect();
        let left_out = left_out.join(", ");
        let oracle = document.oracle();
        let script = oracle.as_ref().map_or(Script::Latin, Oracle::script);
        let row = rows.entry((media_type, script)).or_default();
        row.files += 1;
        let line = match (reading, oracle) {
            (Ok(_), None) => "\t\t{}\tonly we read it".to_owned(),
            (Err(error), oracle) => {
                *refused.entry((media_type, reason(&error))).or_default() += 1;
                let words: u64 = oracle.map_or(0, |oracle| oracle.words.values().sum());
                format!("\t\t{{}}\t{words} words, refused: {error}")
            }
            (Ok(reading), Some(oracle)) if oracle.words.is_empty() => {
                format!("\t\t{{}}\tonly we find words: {} bytes", reading.text.len())
            }
            (Ok(reading), Some(oracle)) => {
                let decides = oracle.decides();
                let (recall, precision, differing) = oracle.compare(&reading.text);
                row.both += 1;
                if decides {
                    row.decided += 1;
                    row.good += usize::from(recall >= GOOD && precision >= GOOD);
                    row.recall.push(recall);
                    row.precision.push(precision);
                    format!("{recall:.4}\t{precision:.4}\t{{}}\t{differing}")
                } else {
                    format!(
                        "\t\t{{}}\tthe oracles disagree ({recall:.4} {precision:.4}) {differing}"
                    )
                }
            }
        };
        let place = format!("{}\t{}", document.package, document.path);
        let line = line.replace("{}", &place);
        writeln!(details, "{line}\t{left_out}").expect("a string");
    }
    let mut table = "| files | number | both read | oracles agree | recall and precision ≥ .99 | \
                     median recall | median precision |\n|---|---|---|---|---|---|---|\n"
        .to_owned();
    for ((media_type, script), row) in &mut rows {
        table += &row.markdown(&format!(".{}, {}", media_type.extension(), script.name()));
    }
    table += "\n| refused | why | number |\n|---|---|---|\n";
    for ((media_type, reason), count) in &refused {
        writeln!(table, "| .{} | `{reason}` | {count} |", media_type.extension())
            .expect("a string");
    }
    println!("{table}");
    let name = if everything { "report.tsv" } else { "report-of-sample.tsv" };
    let report = cache().join("corpus").join(name);
    std::fs::write(&report, details).expect("the report");
    println!("file by file: {}", report.display());
    if everything && variable("OPENLEDGER_UPDATE", "1") {
        write_table(&table);
    }
    for ((media_type, script), row) in rows {
        let wanted = wanted(media_type, script, everything);
        assert!(
            row.decided == 0 || row.share() >= wanted,
            "{} of {} .{} files ({}) have a recall and precision of {GOOD}, {:.3} of them; {wanted} \
             are wanted; file by file: {}",
            row.good,
            row.decided,
            media_type.extension(),
            script.name(),
            row.share(),
            report.display()
        );
    }
}

fn write_table(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/documents.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once("<!-- corpus -->\n").expect("its mark");
    let (_, after) = rest.split_once("<!-- end of corpus -->\n").expect("its end");
    let page = format!("{before}<!-- corpus -->\n{table}<!-- end of corpus -->\n{after}");
    std::fs::write(path, page).expect("the page");
}

/// Units and digest of the canonical text of each document of the sample, or why there is none.
fn pins() -> String {
    let mut pins = String::new();
    for document in Document::listed(false) {
        let bytes = document.bytes();
        let text = match read(document.media_type(), &bytes) {
            Ok(reading) => {
                let units = measure(document.media_type(), &bytes).expect("as read").units;
                format!("{units}\t{}", hex::encode(Sha256::digest(reading.text)))
            }
            Err(error) => format!("-\t{error}"),
        };
        writeln!(pins, "{}\t{text}\t{}", &document.sha256[..16], document.path).expect("a string");
    }
    pins
}

#[test]
fn the_corpus_text_changes_only_with_the_extractor_version() {
    if left_out() {
        return;
    }
    let path = lists().join("pins.tsv");
    let pinned = std::fs::read_to_string(&path).unwrap_or_default();
    let (head, rest) = pinned.split_once('\n').unwrap_or(("", ""));
    let released = format!("extractor version {EXTRACTOR_VERSION}, released");
    let open = format!("extractor version {EXTRACTOR_VERSION}, not released yet");
    let now = pins();
    if variable("OPENLEDGER_UPDATE", "1") {
        assert!(
            head != released || rest == now,
            "version {EXTRACTOR_VERSION} is released and its texts are measured by: raise \
             EXTRACTOR_VERSION in content/documents/src/canonical.rs, then run this again"
        );
        let head = if head == released { released } else { open };
        std::fs::write(&path, format!("{head}\n{now}")).expect("the pins");
        return;
    }
    assert!(
        head == released || head == open,
        "{} is of another version than {EXTRACTOR_VERSION}; run: OPENLEDGER_UPDATE=1 \
         ./scripts/test content -- corpus_text",
        path.display()
    );
    let changed: Vec<_> = (rest.lines())
        .zip(now.lines())
        .filter(|(pinned, now)| pinned != now)
        .map(|(pinned, now)| format!("  {pinned}\n  {now}\n"))
        .collect();
    assert!(
        rest == now,
        "the text of {} documents is another than version {EXTRACTOR_VERSION} took out of them; \
         once that version is released, raise EXTRACTOR_VERSION; then run: OPENLEDGER_UPDATE=1 \
         ./scripts/test content -- corpus_text\n{}",
        changed.len(),
        changed.concat()
    );
}
