//! The objects in a text of JSON, and where they are.

use super::records::{shape, MAX_RECORD};
use super::splits::{of_words, Split};
use serde_json::{Map, Value};
use std::ops::Range;

/// Keys under which a file of JSON holds its records, beside the names of splits.
pub const WRAPPERS: &[&str] =
    &["data", "rows", "records", "examples", "items", "instances", "dataset", "samples"];
/// How deep records may be wrapped.
const MAX_WRAPPED: usize = 3;

/// Whether a text is JSON lines: at least one line with something on it, and every such line an
/// object of a known shape. Otherwise how many lines were and which one was the first that was not.
pub fn is_lines(text: &str) -> Result<(), Option<(usize, usize)>> {
    let mut good = 0;
    for (number, _, line) in lines(text) {
        let known = line.starts_with('{')
            && line.len() <= MAX_RECORD
            && serde_json::from_str::<Map<String, Value>>(line)
                .is_ok_and(|object| shape(&object).is_some());
        if !known {
            return Err((good > 0).then_some((good, number)));
        }
        good += 1;
    }
    if good > 0 {
        Ok(())
    } else {
        Err(None)
    }
}

/// Whether a text that should be JSON lines is a list over several lines, objects with line ends in them or
/// with commas between them: its first line is no object, and everything in it is one.
pub fn is_one_document(text: &str) -> bool {
    let object = |json: &str| serde_json::from_str::<Map<String, Value>>(json).is_ok();
    if lines(text).next().is_none_or(|(_, _, first)| object(first)) {
        return false;
    }
    let (found, broken) = elements(text);
    broken.is_none()
        && !found.is_empty()
        && found.into_iter().all(|span| text.get(span).is_some_and(object))
}

/// The lines that are not blank: number from 1, byte range, and text, without white space around.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, Range<usize>, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').enumerate().filter_map(move |(index, line)| {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let line = line.trim();
        (!line.is_empty()).then(|| (index + 1, start..start + line.len(), line))
    })
}

/// The byte ranges of the objects in a JSON file that is one array of them, or one object after
/// the other; the second says what ended them before the file's end.
pub fn elements(text: &str) -> (Vec<Range<usize>>, Option<String>) {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let base = usize::from(text.trim_start().starts_with('['));
    let (mut depth, mut start, mut quoted, mut escaped) = (0_usize, None, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if quoted {
            (quoted, escaped) = (escaped || *byte != b'"', !escaped && *byte == b'\\');
            continue;
        }
        match byte {
            b'"' => {
                quoted = true;
                if depth == base && start.is_none() {
                    start = Some(at);
                }
            }
            b'{' | b'[' => {
                if depth == base && start.is_none() {
                    start = Some(at);
                }
                depth += 1;
            }
            b'}' | b']' => {
                let Some(less) = depth.checked_sub(1) else {
                    let reason = format!("a bracket too much at byte {at}");
                    return (found, Some(reason));
                };
                depth = less;
                if depth == base {
                    found.extend(start.take().map(|start| start..at + 1));
                } else if depth < base {
                    found.extend(start.take().map(|start| start..at));
                    let rest = text.get(at + 1..).unwrap_or_default().trim();
                    let after = (!rest.is_empty()).then(|| format!("text after byte {at}"));
                    return (found, after);
                }
            }
            b',' if depth == base => found.extend(start.take().map(|start| start..at)),
            other if depth == base && start.is_none() && !other.is_ascii_whitespace() => {
                start = Some(at);
            }
            _ => {}
        }
    }
    if depth > 0 || quoted {
        return (found, Some("the JSON ends too early".to_owned()));
    }
    // A word or a number that stands alone.
    found.extend(start.map(|start| start..bytes.trim_ascii_end().len()));
    (found, None)
}

/// What an object of no known shape holds.
#[derive(Debug, Default)]
pub struct Wrapped {
    /// The records of its lists: their ranges, and the split that the list's key names.
    pub records: Vec<(Range<usize>, Option<Split>)>,
    /// Lists and objects under other keys, which are not read: the key, where its value begins, and
    /// how many entries it has.
    pub beside: Vec<(String, usize, usize)>,
}

/// The records in an object of no known shape that holds them in lists.
pub fn wrapped(text: &str, object: Range<usize>) -> Wrapped {
    let mut found = Wrapped::default();
    unwrap(text, object, None, 0, &mut found);
    found
}

fn unwrap(
    text: &str,
    object: Range<usize>,
    split: Option<Split>,
    depth: usize,
    found: &mut Wrapped,
) {
    for (key, value) in members(text, object) {
        let named = of_words(&key);
        let known = named.is_some() || WRAPPERS.contains(&key.to_lowercase().as_str());
        let (inner, split) = (text.get(value.clone()).unwrap_or_default(), named.or(split));
        match inner.as_bytes().first() {
            Some(b'[') if known => {
                let (records, _) = elements(inner);
                let spans = records.into_iter().map(|r| r.start + value.start..r.end + value.start);
                found.records.extend(spans.map(|span| (span, split)));
            }
            Some(b'{') if known && depth < MAX_WRAPPED => {
                unwrap(text, value, split, depth + 1, found);
            }
            Some(b'[') => found.beside.push((key, value.start, elements(inner).0.len())),
            Some(b'{') => {
                let entries = members(text, value.clone()).len();
                found.beside.push((key, value.start, entries));
            }
            _ => {}
        }
    }
}

/// The keys of an object, and where their values are, without white space around.
fn members(text: &str, object: Range<usize>) -> Vec<(String, Range<usize>)> {
    let bytes = text.as_bytes();
    let mut members = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let (mut string, mut key, mut value) = (0, None, None);
    for at in object {
        let Some(byte) = bytes.get(at).copied() else { break };
        if quoted {
            let ends = !escaped && byte == b'"';
            (quoted, escaped) = (!ends, !escaped && byte == b'\\');
            if ends && depth == 1 && value.is_none() {
                let json = text.get(string..=at).unwrap_or_default();
                key = serde_json::from_str::<String>(json).ok();
            }
            continue;
        }
        match byte {
            b'"' => (quoted, string) = (true, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 1 && value.is_none() => value = Some(at + 1),
            _ => {}
        }
        let over = (byte == b',' && depth == 1) || (byte == b'}' && depth == 0);
        if over {
            if let (Some(key), Some(start)) = (key.take(), value.take()) {
                let raw = text.get(start..at).unwrap_or_default();
                let start = start + (raw.len() - raw.trim_start().len());
                members.push((key, start..start + raw.trim().len()));
            }
        }
    }
    members
}
