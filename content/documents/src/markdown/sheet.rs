//! Style sheets inside Markdown: which elements they take off the page.
//!
//! A `<style>` goes for the whole page, what stands before it too. Sheets are not applied; of their
//! rules those count whose declarations are known to hide text, and of a selector its last part: a
//! class, an identifier or the name of an element. One that goes for elements which Markdown itself
//! makes, or for any, hides everything. Selectors of states (`:hover`) and of what is not text
//! (`::before`) are passed over, and so are sheets that would have to be fetched.

use super::style::{class_hides, sheet_hides};
use std::collections::BTreeSet;

/// Elements that Markdown makes, or that are around all of it.
const MADE: [&str; 31] = [
    "*",
    "html",
    "body",
    "main",
    "article",
    "section",
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "code",
    "em",
    "strong",
    "del",
    "a",
    "table",
    "thead",
    "tbody",
    "tr",
    "td",
    "th",
    "dl",
    "",
];
/// Most names that are kept.
const MAX_NAMES: usize = 10_000;

/// What the style sheets of a file hide.
#[derive(Default)]
pub(super) struct Sheets {
    /// `.class`, `#id`, `element`.
    names: BTreeSet<String>,
    /// Whether they hide what Markdown makes.
    pub(super) all: bool,
}

impl Sheets {
    /// Whether an element of this name, or `#id`, is hidden.
    pub(super) fn hide(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether an element of this class is hidden.
    pub(super) fn hide_class(&self, class: &str) -> bool {
        class_hides(class) || self.names.contains(&format!(".{class}"))
    }

    /// Takes over the sheets of all the HTML of a file.
    pub(super) fn of(html: &str) -> Self {
        let mut sheets = Self::default();
        // Lower case of ASCII keeps the places of bytes.
        let lower = html.to_ascii_lowercase();
        let mut at = 0;
        while let Some(found) = lower.get(at..).and_then(|rest| rest.find('<')) {
            let start = at + found;
            let rest = lower.get(start..).unwrap_or_default();
            at = start + 1;
            if rest.starts_with("<!--") {
                let Some(end) = rest.find("-->") else { break };
                at = start + end + 3;
            } else if rest.starts_with("<style") {
                let Some(opens) = rest.find('>') else { break };
                let end = rest.find("</style").unwrap_or(rest.len());
                let printed = rest.get(..opens).is_some_and(|tag| tag.contains("print"));
                if !printed {
                    sheets.read(rest.get(opens + 1..end).unwrap_or_default());
                }
                at = start + end;
            } else if rest.starts_with("<link") {
                // A sheet inside of its own address.
                let tag = rest.get(..rest.find('>').unwrap_or(rest.len())).unwrap_or_default();
                sheets.all |= tag.contains("data:text/css");
            }
        }
        sheets
    }

    /// Reads one sheet, in lower case.
    fn read(&mut self, sheet: &str) {
        let mut plain = String::with_capacity(sheet.len());
        let mut rest = sheet;
        while let Some((before, after)) = rest.split_once("/*") {
            plain.push_str(before);
            rest = after.split_once("*/").map_or("", |(_, rest)| rest);
        }
        plain.push_str(rest);
        // Blocks of `@media` and the like hold rules: their brackets are passed over.
        let mut selector = String::new();
        let mut from = 0;
        // Blocks inside of one for printers.
        let mut printed: Option<u32> = None;
        for (at, sign) in plain.char_indices().filter(|(_, sign)| matches!(sign, '{' | '}' | ';')) {
            let part = plain.get(from..at).unwrap_or_default().trim();
            match sign {
                '{' if printed.is_some() => printed = printed.map(|depth| depth + 1),
                '}' if printed.is_some_and(|depth| depth > 0) => {
                    printed = printed.map(|depth| depth - 1);
                }
                '}' if printed.take().is_some() => from = at + 1,
                _ if printed.is_some() => {}
                '{' if part.starts_with("@media print") => printed = Some(0),
                '{' => {
                    selector.clear();
                    selector.push_str(part);
                    from = at + 1;
                }
                // Declarations end with the block.
                ';' if !selector.is_empty() && !selector.starts_with('@') => {}
                ';' => from = at + 1,
                _ => {
                    let hides = !selector.is_empty() && !selector.starts_with('@');
                    // An escape may write any property.
                    if hides && (part.contains('\\') || sheet_hides(part)) {
                        self.rule(&selector);
                    }
                    selector.clear();
                    from = at + 1;
                }
            }
        }
    }

    fn rule(&mut self, selectors: &str) {
        for selector in selectors.split(',') {
            let last = selector.trim().rsplit([' ', '>', '+', '~', '\n', '\t']).next();
            let last = last.unwrap_or_default();
            if [":hover", ":focus", ":active", ":visited", ":target", "::", ":before", ":after"]
                .iter()
                .any(|state| last.contains(state))
            {
                continue;
            }
            let simple = last.split([':', '[']).next().unwrap_or_default();
            match simple.rfind(['.', '#']) {
                Some(at) if self.names.len() < MAX_NAMES && !last.contains('\\') => {
                    self.names.insert(simple.get(at..).unwrap_or_default().to_owned());
                }
                None if !MADE.contains(&simple) && self.names.len() < MAX_NAMES => {
                    self.names.insert(simple.to_owned());
                }
                _ => self.all = true,
            }
        }
    }
}
