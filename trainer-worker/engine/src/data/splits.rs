//! Which part of a data set a file belongs to: by its name, by its folder's, or by the head of the
//! data set's card.

use super::formats::Format;
use regex::Regex;
use std::cmp::Ordering;
use yaml_rust2::{Yaml, YamlLoader};

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// To train on.
    Train,
    /// To evaluate on while training.
    Validation,
    /// For a last measurement; never trained on.
    Test,
}

/// Words that name a split, in lower case.
pub const WORDS: [(Split, &[&str]); 3] = [
    (Split::Train, &["train", "training"]),
    (Split::Validation, &["validation", "valid", "val", "dev", "eval", "evaluation"]),
    (Split::Test, &["test", "testing"]),
];

fn word(text: &str) -> Option<Split> {
    let text = text.trim_end_matches(|c: char| c.is_ascii_digit());
    WORDS.iter().find(|(_, words)| words.contains(&text)).map(|(split, _)| *split)
}

/// The split that the words of a name agree on.
pub(super) fn of_words(name: &str) -> Option<Split> {
    let name = name.to_lowercase();
    let mut found = name.split(|c: char| !c.is_alphanumeric()).filter_map(word);
    let first = found.next()?;
    found.all(|split| split == first).then_some(first)
}

/// The split of a folder's name.
pub(super) fn of_folder(name: &str) -> Option<Split> {
    word(&name.to_lowercase())
}

/// The split of a file's name. Among the words of a file of records one may name a split; a document
/// must have no other name, since a text on how to test is no test.
pub(super) fn of_file(name: &str, format: Format) -> Option<Split> {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    match format {
        Format::Document => word(&stem.to_lowercase()),
        _ => of_words(name),
    }
}

/// Compares names by their letters, and numbers in them by their value: `a2` comes before `a10`, and
/// `a02` right beside `a2`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (mut left, mut right) = (a, b);
    loop {
        let (m, n) = (digits(left), digits(right));
        if m > 0 && n > 0 {
            let (x, rest) = left.split_at(m);
            let (y, other) = right.split_at(n);
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                Ordering::Equal => (left, right) = (rest, other),
                order => return order,
            }
            continue;
        }
        match (left.chars().next(), right.chars().next()) {
            (None, None) => return a.cmp(b),
            (x, y) if x != y => return x.cmp(&y),
            (x, _) => {
                let length = x.map_or(0, char::len_utf8);
                left = left.get(length..).unwrap_or_default();
                right = right.get(length..).unwrap_or_default();
            }
        }
    }
}

/// Longest head of a card, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// Most patterns of a card, and the longest one.
const MAX_PATTERNS: usize = 256;
const MAX_PATTERN: usize = 512;

/// What a data set's card says of its files.
#[derive(Debug, Default)]
pub(super) struct Card {
    /// The configuration that is read.
    pub(super) name: String,
    /// The others.
    pub(super) others: Vec<String>,
    patterns: Vec<(Regex, Split)>,
}

impl Card {
    /// The split of a file by its path from the card's folder, with `/`.
    pub(super) fn split(&self, path: &str) -> Option<Split> {
        self.patterns.iter().find(|(pattern, _)| pattern.is_match(path)).map(|(_, split)| *split)
    }
}

/// What the head of a README.md says.
#[derive(Debug)]
pub(super) enum Head {
    /// It is no card of a data set.
    None,
    /// It is one, but names no files.
    Silent,
    /// It names files.
    Card(Card),
}

/// Keys that only cards of data sets have.
const CARD_KEYS: [&str; 7] = [
    "configs",
    "dataset_info",
    "task_categories",
    "size_categories",
    "pretty_name",
    "annotations_creators",
    "license",
];

/// Reads the YAML between the first two lines of `---`.
pub(super) fn head(text: &str) -> Head {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let Some(rest) = text.strip_prefix("---\n") else { return Head::None };
    let Some((yaml, _)) = rest.split_once("\n---") else { return Head::None };
    // Anchors could repeat one another without end; no card needs them.
    if yaml.len() > MAX_HEAD || yaml.contains(": &") || yaml.contains("- &") {
        return Head::None;
    }
    let Ok(documents) = YamlLoader::load_from_str(yaml) else { return Head::None };
    let Some(Yaml::Hash(keys)) = documents.first() else { return Head::None };
    let get = |key: &str| keys.get(&Yaml::String(key.to_owned()));
    if !CARD_KEYS.iter().any(|key| get(key).is_some()) {
        return Head::None;
    }
    let configs = get("configs").and_then(Yaml::as_vec).map_or(&[][..], Vec::as_slice);
    let name = |config: &Yaml| config["config_name"].as_str().unwrap_or("default").to_owned();
    let chosen = configs
        .iter()
        .find(|config| config["default"].as_bool() == Some(true))
        .or_else(|| configs.iter().find(|config| name(config) == "default"))
        .or_else(|| configs.first());
    let Some(chosen) = chosen else { return Head::Silent };
    let mut card = Card { name: name(chosen), ..Card::default() };
    card.others = configs.iter().map(name).filter(|other| *other != card.name).collect();
    let folder = chosen["data_dir"]
        .as_str()
        .map_or(String::new(), |dir| format!("{}/", dir.trim_matches('/')));
    let mut add = |pattern: &Yaml, split| match pattern {
        Yaml::Array(list) => list.iter().take(MAX_PATTERNS).for_each(|one| {
            card.patterns
                .extend(one.as_str().and_then(|one| glob(&folder, one)).map(|p| (p, split)))
        }),
        one => card
            .patterns
            .extend(one.as_str().and_then(|one| glob(&folder, one)).map(|p| (p, split))),
    };
    match &chosen["data_files"] {
        Yaml::Array(list) => {
            for item in list.iter().take(MAX_PATTERNS) {
                match item {
                    Yaml::Hash(_) => {
                        let split = item["split"].as_str().and_then(of_words);
                        add(&item["path"], split.unwrap_or(Split::Train));
                    }
                    other => add(other, Split::Train),
                }
            }
        }
        Yaml::Hash(splits) => {
            for (split, path) in splits.iter().take(MAX_PATTERNS) {
                let split = split.as_str().and_then(of_words).unwrap_or(Split::Train);
                add(path, split);
            }
        }
        other => add(other, Split::Train),
    }
    if card.patterns.is_empty() {
        return Head::Silent;
    }
    Head::Card(card)
}

/// A pattern of paths as a regular expression, which takes time in proportion to a path's length.
fn glob(folder: &str, pattern: &str) -> Option<Regex> {
    let pattern = format!("{folder}{}", pattern.trim_start_matches("./"));
    if pattern.len() > MAX_PATTERN {
        return None;
    }
    let mut text = String::from("^");
    let mut rest = pattern.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            text.push_str("(?:.*/)?");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            text.push_str(".*");
            rest = after;
        } else {
            match c {
                '*' => text.push_str("[^/]*"),
                '?' => text.push_str("[^/]"),
                c => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    Regex::new(&(text + "$")).ok()
}
