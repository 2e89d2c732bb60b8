//! Markdown as a person reads it: its source, without what a reader of the page does not see.
//!
//! `pulldown-cmark` decides what is text, code, markup or HTML (CommonMark with tables, footnotes,
//! strikethrough and task lists). Then:
//!
//! * **Hidden** parts go ([`Hidden::Markup`]): front matter, comments and other HTML that has no
//!   text, elements that browsers do not show (see [`html`]), what dialects do not show (see
//!   [`dialect`]), link definitions that nothing uses, footnotes that nothing leads to.
//! * **Markup** is paid for by what is visible, as blanks are: between two pieces of text, markup
//!   has at most as many bytes as there are bytes of visible characters before it that no markup has
//!   used, and [`CREDIT`]. If it has more, link targets, images, tags and used definitions in it go
//!   and its runs of blanks and signs are cut; if that is not enough, an empty
//!   line, a line end or a space stays ([`Hidden::Address`]).
//! * A character reference is paid for in the same way, else the character stands there itself.

mod dialect;
mod html;
mod sheet;
mod style;

use crate::budget::{damaged, Fault, Result};
use crate::characters::is_shown;
use crate::left_out::{Hidden, LeftOut};
use html::Html;
use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use sheet::Sheets;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Bytes of markup that a text may begin with.
const CREDIT: usize = 80;

/// Most signs that may be markup in a file: the parser makes up to two nodes of a tree for each, and
/// takes a hundred bytes of memory for one.
const MAX_SIGNS: usize = 2_000_000;

/// What a part of the source is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Seen as it stands there.
    Text,
    /// Seen as this text.
    Reference(Box<str>),
    /// Markup that can be taken out without the rest falling apart.
    Cuttable,
    /// Seen by nobody.
    Hidden,
}

/// Parts of the source, in the order in which they were found.
#[derive(Default)]
struct Parts {
    found: Vec<(Range<usize>, Kind)>,
    /// Ranges of text that a dialect does not show, in their order.
    unseen: Vec<Range<usize>>,
}

impl Parts {
    fn push(&mut self, range: Range<usize>, kind: Kind) {
        if !range.is_empty() {
            self.found.push((range, kind));
        }
    }

    /// Pushes text, but what the dialect does not show of it.
    fn text(&mut self, range: Range<usize>, kind: Kind) {
        let mut from = range.start;
        let first = self.unseen.partition_point(|unseen| unseen.end <= from);
        for unseen in self.unseen.get(first..).unwrap_or_default().to_vec() {
            if unseen.start >= range.end {
                break;
            }
            self.push(from..unseen.start.max(from), kind.clone());
            let end = unseen.end.min(range.end);
            self.push(unseen.start.max(from)..end, Kind::Hidden);
            from = end;
        }
        self.push(from..range.end, kind);
    }

    /// Pushes text but some ranges in it.
    fn text_but(&mut self, range: Range<usize>, hidden: Vec<Range<usize>>) {
        let mut from = range.start;
        for part in hidden {
            let part = range.start + part.start..range.start + part.end;
            self.push(from..part.start.max(from), Kind::Text);
            from = part.end;
            self.push(part, Kind::Hidden);
        }
        self.push(from..range.end, Kind::Text);
    }
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
}

/// The source with what `<bdo dir=rtl>` shows from right to left in the order in which it is seen.
pub(crate) fn right_to_left(source: &str) -> Cow<'_, str> {
    let lower = source.to_ascii_lowercase();
    let mut out = String::new();
    let mut at = 0;
    while let Some(tag) = lower.get(at..).and_then(|rest| rest.find("<bdo")).map(|tag| at + tag) {
        let Some(inner) = lower[tag..].find('>').map(|end| tag + end + 1) else { break };
        // What has other tags in it is left as it stands.
        let end = lower[inner..].find('<').map_or(source.len(), |end| inner + end);
        let closes = end == source.len() || lower[end..].starts_with("</bdo");
        out.push_str(source.get(at..inner).unwrap_or_default());
        at = inner;
        if closes && lower[tag..inner].contains("rtl") {
            out.extend(source.get(inner..end).unwrap_or_default().chars().rev());
            at = end;
        }
    }
    if at == 0 {
        return Cow::Borrowed(source);
    }
    out.push_str(source.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

/// The source without what is hidden and what is not paid for. What is left may be other Markdown
/// than before: whoever wants canonical text calls this until nothing changes.
///
/// # Errors
///
/// [`Fault::TooMuch`] for more signs of markup than are read, [`Fault::Damaged`] if the parser breaks
/// its word about ranges.
pub(crate) fn shown(source: &str, left_out: &mut LeftOut) -> Result<String> {
    let signs = b"*_~[]!<>&`|\\\n";
    let count = source.bytes().filter(|byte| signs.contains(byte)).count();
    if count > MAX_SIGNS {
        return Err(Fault::TooMuch { what: "signs of markup", limit: MAX_SIGNS as u64 });
    }
    let mut parts = parts(source).found;
    // Stable: of two that begin at one place, the one found first.
    parts.sort_by_key(|(range, _)| range.start);
    let mut out = Output { text: String::with_capacity(source.len()), credit: CREDIT };
    let mut gap: Vec<(Range<usize>, bool)> = Vec::new();
    let mut at = 0;
    for (range, kind) in parts {
        if range.end <= at {
            continue;
        }
        let range = range.start.max(at)..range.end;
        if at < range.start {
            gap.push((at..range.start, false));
        }
        at = range.end;
        let part = source.get(range.clone()).ok_or_else(|| damaged("its markup has no order"))?;
        match kind {
            Kind::Hidden => left_out.add(Hidden::Markup, part.len() as u64),
            Kind::Cuttable => gap.push((range, true)),
            Kind::Text => {
                out.gap(source, &mut gap, left_out);
                out.credit += part.bytes().filter(|byte| !byte.is_ascii_whitespace()).count();
                out.text.push_str(part);
            }
            Kind::Reference(seen) => {
                out.gap(source, &mut gap, left_out);
                out.reference(part, &seen, left_out);
            }
        }
    }
    if at < source.len() {
        gap.push((at..source.len(), false));
    }
    out.gap(source, &mut gap, left_out);
    Ok(out.text)
}

/// What a page of canonical Markdown shows, in the order in which it stands there: without markup, targets of links and
/// tags, which can stand within a word, and with what character references stand for.
pub(crate) fn seen(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut parts = parts(source).found;
    parts.sort_by_key(|(range, _)| range.start);
    let mut at = 0;
    for (range, kind) in parts {
        if range.end <= at {
            continue;
        }
        let range = range.start.max(at)..range.end;
        at = range.end;
        match kind {
            Kind::Text => text.push_str(source.get(range).unwrap_or_default()),
            Kind::Reference(seen) => text.push_str(&seen),
            Kind::Cuttable | Kind::Hidden => {}
        }
    }
    text
}

struct Output {
    text: String,
    credit: usize,
}

impl Output {
    /// Appends the markup between two pieces of text as far as it is paid for. The lines of a table
    /// are seen, so they cost nothing.
    fn gap(&mut self, source: &str, gap: &mut Vec<(Range<usize>, bool)>, left_out: &mut LeftOut) {
        let pieces: Vec<(&str, bool)> = (gap.drain(..))
            .filter_map(|(range, cuttable)| Some((source.get(range)?, cuttable)))
            .collect();
        let all: usize = pieces.iter().map(|(piece, _)| piece.len()).sum();
        let price = |text: &str| {
            let lines = text.bytes().filter(|byte| *byte == b'|').count();
            text.len().saturating_sub(2 * lines)
        };
        let whole: String = pieces.iter().map(|(piece, _)| *piece).collect();
        let tidy = || {
            let left = pieces.iter().filter(|(_, cut)| !cut).map(|(piece, _)| *piece);
            tidy(&left.collect::<String>())
        };
        let stays = if price(&whole) <= self.credit {
            whole
        } else {
            let tidy = tidy();
            if price(&tidy) <= self.credit {
                tidy
            } else if whole.contains("\n\n") {
                "\n\n".to_owned()
            } else if whole.contains('\n') {
                "\n".to_owned()
            } else if whole.contains([' ', '\t']) {
                " ".to_owned()
            } else {
                String::new()
            }
        };
        self.credit = self.credit.saturating_sub(price(&stays));
        left_out.add(Hidden::Address, all.saturating_sub(stays.len()) as u64);
        self.text.push_str(&stays);
    }

    /// Appends a character reference if it is paid for, else what it stands for.
    fn reference(&mut self, source: &str, seen: &str, left_out: &mut LeftOut) {
        let shown = seen.chars().filter(|character| is_shown(*character));
        let shown: usize = shown.map(char::len_utf8).sum();
        self.credit += shown;
        // One of what shows nothing but a blank is that itself: rules of characters go for it.
        let blank = seen.chars().any(char::is_whitespace);
        if (shown > 0 || blank) && source.len() <= self.credit {
            self.credit -= source.len();
            self.text.push_str(source);
            return;
        }
        let before = self.text.len();
        for character in seen.chars() {
            if character.is_ascii_punctuation() {
                self.text.push('\\');
            }
            self.text.push(if character.is_whitespace() { ' ' } else { character });
        }
        let stays = self.text.len() - before;
        left_out.add(Hidden::Address, source.len().saturating_sub(stays) as u64);
    }
}

/// Markup with at most one blank, and three equal signs, in a row.
fn tidy(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut run = 0;
    let mut last = None;
    for character in markup.chars() {
        run = if last == Some(character) { run + 1 } else { 1 };
        last = Some(character);
        let most = match character {
            ' ' | '\t' => 1,
            '\n' => 2,
            _ if character.is_ascii_punctuation() => 3,
            _ => usize::MAX,
        };
        if run <= most {
            out.push(character);
        }
    }
    out
}

/// A label as CommonMark compares them, but for letters that are not ASCII.
fn label(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

/// Which definitions and footnotes the text leads to.
#[derive(Default)]
struct Uses {
    links: BTreeSet<String>,
    notes: BTreeSet<String>,
    sheets: Sheets,
}

impl Uses {
    fn of(source: &str) -> Self {
        let mut uses = Self::default();
        let mut led: Vec<String> = Vec::new();
        let mut from: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut note: Option<String> = None;
        let (mut html, mut in_sheet) = (String::new(), false);
        for event in Parser::new_ext(source, options()) {
            match event {
                Event::Start(
                    Tag::Link { link_type, id, .. } | Tag::Image { link_type, id, .. },
                ) if !matches!(
                    link_type,
                    LinkType::Inline | LinkType::Autolink | LinkType::Email
                ) =>
                {
                    uses.links.insert(label(&id));
                }
                Event::Start(Tag::FootnoteDefinition(name)) => note = Some(label(&name)),
                Event::End(TagEnd::FootnoteDefinition) => note = None,
                Event::Html(piece) | Event::InlineHtml(piece) => {
                    let lower = piece.to_ascii_lowercase();
                    in_sheet = match (lower.rfind("<style"), lower.rfind("</style")) {
                        (opens, closes) if opens > closes => true,
                        (_, Some(_)) => false,
                        _ => in_sheet,
                    };
                    html.push_str(&piece);
                }
                // After an empty line a style sheet may go on as Markdown.
                Event::Text(piece) if in_sheet => html.push_str(&piece),
                Event::FootnoteReference(name) => match &note {
                    Some(note) => from.entry(note.clone()).or_default().push(label(&name)),
                    None => led.push(label(&name)),
                },
                _ => {}
            }
        }
        uses.sheets = Sheets::of(&html);
        while let Some(name) = led.pop() {
            if uses.notes.insert(name.clone()) {
                led.extend(from.remove(&name).unwrap_or_default());
            }
        }
        uses
    }
}

fn parts(source: &str) -> Parts {
    let mut parts = Parts::default();
    let front = dialect::front_matter(source);
    parts.push(0..front, Kind::Hidden);
    parts.unseen = dialect::unseen(source);
    let uses = Uses::of(source);
    if uses.sheets.all {
        parts.push(0..source.len(), Kind::Hidden);
        return parts;
    }
    let parser = Parser::new_ext(source, options());
    for (name, definition) in parser.reference_definitions().iter() {
        let used = uses.links.contains(&label(name));
        let kind = if used { Kind::Cuttable } else { Kind::Hidden };
        parts.push(definition.span.clone(), kind);
    }
    let mut html = Html::new(uses.sheets);
    // The language of an open block of code.
    let mut code: Option<String> = None;
    let mut notes = BTreeSet::new();
    let mut images = 0_usize;
    // Where the last text ended, for the target of a link.
    let mut last = 0;
    for (event, range) in parser.into_offset_iter() {
        if range.start < front {
            continue;
        }
        let slice = source.get(range.clone()).unwrap_or_default();
        match event {
            Event::Html(piece) | Event::InlineHtml(piece) => {
                last = range.end;
                // Of several lines, with what is around them in the source.
                match *piece == *slice {
                    true => html.feed(source, range, &mut parts),
                    false => html.whole(&piece, source, range, &mut parts),
                }
            }
            _ if html.hides() => {}
            Event::Start(Tag::FootnoteDefinition(name)) => {
                let name = label(&name);
                if !uses.notes.contains(&name) || !notes.insert(name) {
                    parts.push(range, Kind::Hidden);
                }
            }
            Event::Start(Tag::Image { .. }) => {
                if images == 0 {
                    last = range.end;
                    parts.push(range, Kind::Cuttable);
                }
                images += 1;
            }
            Event::End(TagEnd::Image) => images = images.saturating_sub(1),
            _ if images > 0 => {}
            Event::Start(Tag::Item) => {
                // Its bullet or the beginning of its number is seen.
                let blanks = slice.len() - slice.trim_start().len();
                let at = range.start + blanks;
                let sign = source.get(at..at + 1).map_or(0, str::len);
                parts.push(at..at + sign, Kind::Text);
            }
            Event::End(TagEnd::CodeBlock) => code = None,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if !info.is_empty() => {
                code = info.split_whitespace().next().map(str::to_ascii_lowercase);
                let line = slice.split('\n').next().unwrap_or_default();
                let fence = line.trim_start().trim_start_matches(['`', '~']);
                let start = range.start + line.len() - fence.len();
                parts.push(start..range.start + line.len(), Kind::Cuttable);
            }
            Event::End(TagEnd::Link) => {
                let from = last.clamp(range.start, range.end);
                let tail = source.get(from..range.end).unwrap_or_default();
                if let (Some(opens), true) = (tail.find("]("), tail.ends_with(')')) {
                    parts.push(from + opens + 2..range.end - 1, Kind::Cuttable);
                }
            }
            Event::Code(_) => {
                let ticks = slice.len() - slice.trim_start_matches('`').len();
                last = range.end.saturating_sub(ticks);
                parts.text(range.start + ticks..last, Kind::Text);
            }
            Event::Text(text) => {
                last = range.end;
                if let Some(language) = &code {
                    parts.text_but(range, dialect::of_code(language, slice));
                } else if slice.starts_with('&') && *slice != *text {
                    parts.text(range, Kind::Reference(text.into_string().into_boxed_str()));
                } else {
                    parts.text(range, Kind::Text);
                }
            }
            _ => {}
        }
    }
    html.end(source, &mut parts);
    parts
}
