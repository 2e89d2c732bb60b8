//! Real documents against oracles: what poppler shows on the page, and mammoth's reading of Word
//! files.
//!
//! `scripts/corpus` fetches the documents, `scripts/golden/corpus.py` wrote the lists and the
//! oracles' words (its head says how). The sample is read in every run; with
//! `OPENLEDGER_CORPUS=all` it is the whole, and with `OPENLEDGER_UPDATE=1` beside it the table of
//! docs/documents.md is written anew.

use openledger_documents::{measure, read, MediaType, TextError, EXTRACTOR_VERSION};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use unicode_normalization::{char::is_combining_mark, UnicodeNormalization};

/// Recall and precision from which a file counts as read well.
const GOOD: f64 = 0.99;
/// Most letters in a row that poppler joins where they stand apart equally.
const MAX_LETTERS: usize = 64;

/// What share of the files that both read has to be read well: as measured, rounded down, so that
/// no change makes it less. The aim is .90 of each.
fn wanted(media_type: MediaType, everything: bool) -> f64 {
    match (media_type, everything) {
        (MediaType::Docx, _) => 0.95,
        (_, true) => 0.70,
        (_, false) => 0.85,
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
        let path = of.join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; run scripts/golden/corpus.py words --all", path.display())
        });
        if text == "unread\n" {
            return None;
        }
        let mut oracle = Oracle::default();
        for line in text.lines() {
            let mut columns = line.split('\t');
            let mut next = || columns.next().expect("a column");
            match next() {
                "-" => oracle.divided.push((next().to_owned(), next().to_owned())),
                "+" => {
                    let count = next().parse().expect("a count");
                    oracle.chains.push((count, columns.map(str::to_owned).collect()));
                }
                count => {
                    let count: u64 = count.parse().expect("a count");
                    let word = next();
                    oracle.letters(word, count);
                    add(&mut oracle.words, word, count);
                }
            }
        }
        Some(oracle)
    }
}

type Words = HashMap<String, u64>;

/// Adds what is compared of a word: after normalisation form KC, without tatweel and invisible
/// characters, each run of letters, marks and digits; of Chinese, Japanese and Korean characters
/// each pair of neighbours, or the one that stands alone.
fn add(words: &mut Words, word: &str, count: u64) {
    for part in parts(word) {
        *words.entry(part).or_default() += count;
    }
}

fn parts(word: &str) -> Vec<String> {
    let shown = |character: &char| {
        !matches!(*character, '\u{640}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
    };
    let mut parts = Vec::new();
    let mut run = String::new();
    let mut ideographs: Vec<char> = Vec::new();
    let end_ideographs = |ideographs: &mut Vec<char>, parts: &mut Vec<String>| {
        if let [one] = ideographs.as_slice() {
            parts.push(one.to_string());
        }
        parts.extend(ideographs.windows(2).map(|pair| pair.iter().collect::<String>()));
        ideographs.clear();
    };
    // The i and j of an accent have no dot, whether they are written so or not.
    let dotted = word.nfkd().filter(shown).collect::<Vec<_>>();
    let dotted = dotted.iter().enumerate().map(|(at, character)| {
        let accented = dotted.get(at + 1).is_some_and(|next| is_combining_mark(*next));
        match character {
            'ı' if accented => 'i',
            'ȷ' if accented => 'j',
            other => *other,
        }
    });
    for character in dotted.nfc().chain([' ']) {
        let letter = character.is_alphanumeric() || is_combining_mark(character);
        if letter && script_of(character) == Some(Script::Cjk) {
            ideographs.push(character);
        } else {
            end_ideographs(&mut ideographs, &mut parts);
        }
        if letter && ideographs.is_empty() {
            run.push(character);
        } else if !run.is_empty() {
            parts.push(std::mem::take(&mut run));
        }
    }
    parts
}

fn counts(parts: Vec<String>) -> Words {
    let mut words = Words::new();
    for part in parts {
        *words.entry(part).or_default() += 1;
    }
    words
}

/// The combining mark of an accent that is a sign of its own, as poppler writes those of TeX's older
/// fonts before or after their letter.
fn mark_of(accent: char) -> Option<char> {
    Some(match accent {
        '`' => '\u{300}',
        '\u{b4}' => '\u{301}',
        '\u{2c6}' => '\u{302}',
        '\u{2dc}' => '\u{303}',
        '\u{af}' => '\u{304}',
        '\u{2d8}' => '\u{306}',
        '\u{2d9}' => '\u{307}',
        '\u{a8}' => '\u{308}',
        '\u{2da}' => '\u{30a}',
        '\u{2dd}' => '\u{30b}',
        '\u{2c7}' => '\u{30c}',
        '\u{b8}' => '\u{327}',
        '\u{2db}' => '\u{328}',
        _ => return None,
    })
}

fn accents_on_last(word: &str) -> String {
    word.chars().map(|character| mark_of(character).unwrap_or(character)).collect()
}

fn accents_on_next(word: &str) -> String {
    let mut out = String::new();
    let mut waiting = None;
    for character in word.chars() {
        match mark_of(character) {
            Some(mark) => out.extend(waiting.replace(mark)),
            None => {
                out.push(character);
                out.extend(waiting.take());
            }
        }
    }
    out.extend(waiting);
    out
}

/// The letters and digits at the codes of a sign in TeX's fonts of symbols (OMS and OMX). Poppler does
/// not know the names of these signs and takes their codes for letters: `⟨name⟩` is `hnamei` to it.
fn codes_of(sign: char) -> &'static str {
    match sign {
        '\u{25b3}' => "4",
        '\u{25bd}' => "5",
        '\u{230a}' => "b",
        '\u{230b}' => "c",
        '\u{2308}' => "d",
        '\u{2309}' => "e",
        '\u{27e8}' | '\u{2329}' | '\u{3008}' => "h",
        '\u{27e9}' | '\u{232a}' | '\u{3009}' => "i",
        '\u{2a06}' => "FG",
        '\u{222e}' => "HI",
        '\u{2a00}' => "JK",
        '\u{2a01}' => "LM",
        '\u{2a02}' => "NO",
        '\u{2211}' => "PX",
        '\u{220f}' => "QY",
        '\u{222b}' => "RZ",
        '\u{22c3}' => "S",
        '\u{22c2}' => "T",
        '\u{2a04}' => "U",
        '\u{22c0}' => "V",
        '\u{22c1}' => "W",
        '\u{2210}' => "a",
        _ => "",
    }
}

/// What poppler may make of a word with such signs: each of them a letter of the word, or a word of
/// its own, since it parts letters of different heights.
fn guesses(word: &str) -> Vec<String> {
    let mut guesses = vec![String::new()];
    for character in word.chars() {
        let codes = codes_of(character);
        if codes.is_empty() || guesses.len() > 64 {
            guesses.iter_mut().for_each(|guess| guess.push(character));
            continue;
        }
        let with = |guess: &String| {
            let guess = guess.clone();
            codes
                .chars()
                .flat_map(move |code| [format!("{guess}{code}"), format!("{guess} {code} ")])
        };
        guesses = guesses.iter().flat_map(with).collect();
    }
    guesses
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Script {
    Latin,
    Cjk,
    Arabic,
    Hebrew,
}

impl Script {
    const ALL: [Self; 4] = [Self::Latin, Self::Cjk, Self::Arabic, Self::Hebrew];

    fn name(self) -> &'static str {
        match self {
            Self::Latin => "Latin, Greek, Cyrillic, other",
            Self::Cjk => "Chinese, Japanese, Korean",
            Self::Arabic => "Arabic, Persian",
            Self::Hebrew => "Hebrew",
        }
    }
}

fn script_of(character: char) -> Option<Script> {
    match character {
        '\u{590}'..='\u{5ff}' | '\u{fb1d}'..='\u{fb4f}' => Some(Script::Hebrew),
        '\u{600}'..='\u{8ff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' => {
            Some(Script::Arabic)
        }
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Some(Script::Cjk),
        other if other.is_alphabetic() => Some(Script::Latin),
        _ => None,
    }
}

#[derive(Default)]
struct Oracle {
    words: Words,
    /// Last word of a line, with its hyphen, and the first of the next.
    divided: Vec<(String, String)>,
    /// Words of a line that stand side by side without a gap, and how often they do.
    chains: Vec<(u64, Vec<String>)>,
    scripts: BTreeMap<Script, u64>,
}

impl Oracle {
    fn letters(&mut self, word: &str, count: u64) {
        for script in word.chars().filter_map(script_of) {
            *self.scripts.entry(script).or_default() += count;
        }
    }

    /// What a third of its letters is written in: such a file is one of that script, whatever
    /// English is around it.
    fn script(&self) -> Script {
        let all: u64 = self.scripts.values().sum();
        let third = |script: &&Script| self.scripts.get(script).is_some_and(|n| 3 * n >= all);
        *Script::ALL[1..].iter().find(third).unwrap_or(&Script::Latin)
    }

    /// Reads a place of the file in another way, at most `times`: as long as the words `read` are
    /// too many in `ours` and those that they come for, `instead`, too few; whether it does once.
    fn exchange(
        &mut self,
        ours: &Words,
        instead: Vec<String>,
        read: Vec<String>,
        times: u64,
    ) -> bool {
        let (mut instead, mut read) = (counts(instead), counts(read));
        for (word, count) in &mut read {
            let both = instead.get(word).copied().unwrap_or(0).min(*count);
            instead.entry(word.clone()).and_modify(|n| *n -= both);
            *count -= both;
        }
        let of = |words: &Words, word: &String| words.get(word).copied().unwrap_or(0);
        for done in 0..times {
            let missing = |word: &String, n: &u64| of(ours, word) >= of(&self.words, word) + n;
            let surplus = |word: &String, n: &u64| of(&self.words, word) >= of(ours, word) + n;
            let differs = |(_, n): &(&String, &u64)| **n > 0;
            if !instead.iter().chain(&read).any(|(_, n)| *n > 0)
                || !read.iter().filter(differs).all(|(word, n)| missing(word, n))
                || !instead.iter().filter(differs).all(|(word, n)| surplus(word, n))
            {
                return done > 0;
            }
            for (word, n) in &instead {
                self.words.entry(word.clone()).and_modify(|count| *count -= n);
            }
            for (word, n) in &read {
                *self.words.entry(word.clone()).or_default() += n;
            }
        }
        times > 0
    }

    /// Recall and precision of the words of `text`, and a few that differ.
    fn compare(mut self, text: &str) -> (f64, f64, String) {
        let mut ours = Words::new();
        for word in text.split_whitespace() {
            add(&mut ours, word, 1);
        }
        // A word that a line's end divides may be read as one or as two.
        for (first, second) in std::mem::take(&mut self.divided) {
            let (one, two) = (parts(&first), parts(&second));
            let (Some(last), Some(next)) = (one.last(), two.first()) else { continue };
            let joined = format!("{last}{next}");
            let has = |words: &Words, word: &str| words.get(word).copied().unwrap_or(0);
            if has(&ours, &joined) > has(&self.words, &joined) {
                for part in [last, next] {
                    if let Some(count) = self.words.get_mut(part) {
                        *count = count.saturating_sub(1);
                    }
                }
                *self.words.entry(joined).or_default() += 1;
            }
        }
        for (count, chain) in std::mem::take(&mut self.chains) {
            for length in (1..=chain.len()).rev() {
                for pieces in chain.windows(length) {
                    let apart: Vec<_> = pieces.iter().flat_map(|piece| parts(piece)).collect();
                    let joined = pieces.concat();
                    for read in [accents_on_next(&joined), accents_on_last(&joined), joined] {
                        self.exchange(&ours, apart.clone(), parts(&read), count);
                    }
                }
            }
        }
        for line in text.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let alone = |word: &str| parts(word).concat().chars().nth(1).is_none();
            for letters in words.chunk_by(|one, other| alone(one) && alone(other)) {
                for length in (2..=letters.len().min(MAX_LETTERS)).rev() {
                    for apart in letters.windows(length) {
                        let read = apart.iter().flat_map(|letter| parts(letter)).collect();
                        self.exchange(&ours, parts(&apart.concat()), read, 1);
                    }
                }
            }
        }
        let signed = |word: &&str| word.chars().any(|sign| !codes_of(sign).is_empty());
        let within =
            |c: char| c.is_alphanumeric() || is_combining_mark(c) || !codes_of(c).is_empty();
        for word in text.split(|c| !within(c)).filter(signed) {
            let guesses = guesses(word).into_iter();
            guesses
                .map(|guess| parts(&guess))
                .find(|guess| self.exchange(&ours, guess.clone(), parts(word), 1));
        }
        let common: u64 = (self.words.iter())
            .map(|(word, count)| (*count).min(ours.get(word).copied().unwrap_or(0)))
            .sum();
        let share = |of: &Words| match of.values().sum::<u64>() {
            0 => 1.0,
            all => common as f64 / all as f64,
        };
        let beyond = |one: &Words, other: &Words| {
            let mut words: Vec<_> = (one.iter())
                .filter(|(word, count)| other.get(*word).copied().unwrap_or(0) < **count)
                .map(|(word, _)| word.clone())
                .collect();
            words.sort();
            words.truncate(8);
            words.join(" ")
        };
        let differ = format!("-{} +{}", beyond(&self.words, &ours), beyond(&ours, &self.words));
        (share(&self.words), share(&ours), differ)
    }
}

/// What is counted of one kind of files.
#[derive(Default)]
struct Row {
    files: usize,
    both: usize,
    good: usize,
    recall: Vec<f64>,
    precision: Vec<f64>,
}

impl Row {
    fn share(&self) -> f64 {
        self.good as f64 / self.both.max(1) as f64
    }

    fn markdown(&mut self, name: &str) -> String {
        let middle = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).map_or("–".to_owned(), |value| format!("{value:.4}"))
        };
        format!(
            "| {name} | {} | {} | {} ({:.0} %) | {} | {} |\n",
            self.files,
            self.both,
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
                let (recall, precision, differing) = oracle.compare(&reading.text);
                row.both += 1;
                row.good += usize::from(recall >= GOOD && precision >= GOOD);
                row.recall.push(recall);
                row.precision.push(precision);
                format!("{recall:.4}\t{precision:.4}\t{{}}\t{differing}")
            }
        };
        let place = format!("{}\t{}", document.package, document.path);
        let line = line.replace("{}", &place);
        writeln!(details, "{line}\t{left_out}").expect("a string");
    }
    let mut table = "| files | number | both read | recall and precision ≥ .99 | median recall | \
                     median precision |\n|---|---|---|---|---|---|\n"
        .to_owned();
    let mut all: BTreeMap<MediaType, (usize, usize)> = BTreeMap::new();
    for ((media_type, script), row) in &mut rows {
        let sum = all.entry(*media_type).or_default();
        *sum = (sum.0 + row.good, sum.1 + row.both);
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
    for (media_type, (good, both)) in all {
        let share = good as f64 / both.max(1) as f64;
        assert!(
            share >= wanted(media_type, everything),
            "{good} of {both} .{} files have a recall and precision of {GOOD}, {share:.3} of them; \
             {} are wanted; file by file: {}",
            media_type.extension(),
            wanted(media_type, everything),
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
