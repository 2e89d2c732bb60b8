//! Hyphens at the ends of lines.
//!
//! A line that ends with a letter and a hyphen (U+002D, U+2010) and is followed, without an empty
//! line, by one that begins with a lower case letter is joined with it. The hyphen goes if the letter
//! before it is lower case, too, and both parts of the word have at least two letters; it stays
//! where the word before it has another hyphen, a digit or a sign in it (`state-of-the-`, a path), and
//! where the text has the word with its hyphen more often than without, upper and lower case alike.
//! All other hyphens stay at the end of their line.

use std::collections::BTreeMap;

/// Most words that are looked up in the text; later ones lose their hyphen.
const MAX_WORDS: usize = 100_000;

/// Joins words that are parted at the ends of lines.
pub(crate) fn join(text: &str) -> String {
    let breaks = find(text);
    if breaks.is_empty() {
        return text.to_owned();
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for Break { left, right, .. } in breaks.iter().take(MAX_WORDS / 2) {
        counts.insert(format!("{left}-{right}").to_lowercase(), 0);
        counts.insert(format!("{left}{right}").to_lowercase(), 0);
    }
    let within = |c: char| c.is_alphabetic() || is_hyphen(c);
    for word in text.split(|c: char| !within(c)) {
        let word = word.trim_matches(is_hyphen);
        if word.len() > 256 {
            continue;
        }
        let word = word.replace('\u{2010}', "-").to_lowercase();
        if let Some(count) = counts.get_mut(&word) {
            *count += 1;
        }
    }
    let count = |word: String| counts.get(&word.to_lowercase()).copied().unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Break { hyphen, next, left, right, compound } in breaks {
        let with = count(format!("{left}-{right}"));
        let without = count(format!("{left}{right}"));
        let end = if compound || with > without { next - 1 } else { hyphen };
        out.push_str(text.get(at..end).unwrap_or_default());
        at = next;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// A word that goes on in the next line.
struct Break<'a> {
    /// Where the hyphen is, and where the next line begins.
    hyphen: usize,
    next: usize,
    left: &'a str,
    right: &'a str,
    /// Whether the hyphen stays in any case.
    compound: bool,
}

fn find(text: &str) -> Vec<Break<'_>> {
    let mut found = Vec::new();
    for (end, _) in text.match_indices('\n') {
        let (head, tail) = text.split_at(end);
        let tail = tail.get(1..).unwrap_or_default();
        let Some(hyphen) = head.chars().next_back().filter(|c| is_hyphen(*c)) else { continue };
        let at = end - hyphen.len_utf8();
        let head = head.get(..at).unwrap_or_default();
        // Words of any sense have fewer letters than this.
        let letters = |c: &char| c.is_alphabetic();
        let left: usize =
            head.chars().rev().take(100).take_while(letters).map(char::len_utf8).sum();
        let right: usize = tail.chars().take(100).take_while(letters).map(char::len_utf8).sum();
        let left = head.get(head.len() - left..).unwrap_or_default();
        let right = tail.get(..right).unwrap_or_default();
        let lower = |c: Option<char>| c.is_some_and(char::is_lowercase);
        if left.is_empty() || !lower(right.chars().next()) {
            continue;
        }
        let before = head.strip_suffix(left).and_then(|rest| rest.chars().next_back());
        let inside = |c: char| {
            c.is_alphanumeric()
                || is_hyphen(c)
                || matches!(c, '/' | '_' | '.' | '@' | '\\' | '=' | '&')
        };
        let short = left.chars().nth(1).is_none() || right.chars().nth(1).is_none();
        let compound = before.is_some_and(inside) || short || !lower(left.chars().next_back());
        found.push(Break { hyphen: at, next: end + 1, left, right, compound });
    }
    found
}

fn is_hyphen(character: char) -> bool {
    matches!(character, '-' | '\u{2010}')
}
