//! HTML inside Markdown: which of its bytes are text, tags or hidden.
//!
//! Markdown hands over raw HTML in pieces, and what an unclosed comment, tag or hidden element
//! swallows in a browser goes on over the Markdown between them. So the state is kept from piece to
//! piece. Hidden is: comments, processing instructions, declarations, CDATA; elements without a
//! rendering ([`UNSEEN`]), `dialog` that is not open; elements that attributes, a `style` or a style
//! sheet may hide, by themselves or by what is around them ([`Look`]). What is not closed hides until
//! the end.

use super::sheet::Sheets;
use super::style::Look;
use super::{Kind, Parts};
use std::ops::Range;

/// Elements whose content browsers do not show, show a line of, or let pass by.
const UNSEEN: [&str; 30] = [
    "script",
    "style",
    "template",
    "title",
    "head",
    "noembed",
    "noframes",
    "datalist",
    "object",
    "applet",
    "video",
    "audio",
    "canvas",
    "iframe",
    "metadata",
    "noscript",
    "progress",
    "meter",
    "svg",
    "select",
    "textarea",
    "marquee",
    "frameset",
    "xmp",
    "plaintext",
    "rp",
    "annotation",
    "annotation-xml",
    "mphantom",
    "maction",
];
/// Elements whose content is no HTML, up to their own end tag.
const RAW: [&str; 10] = [
    "script",
    "style",
    "title",
    "textarea",
    "noembed",
    "noframes",
    "noscript",
    "iframe",
    "xmp",
    "plaintext",
];
/// Elements beyond which an end tag does not reach (HTML, "has an element in scope").
const SCOPES: [&str; 13] = [
    "table", "td", "th", "caption", "applet", "marquee", "object", "template", "select", "svg",
    "math", "html", "button",
];
/// Deepest nesting of elements that are told apart.
const MAX_OPEN: usize = 256;
/// Elements that have no content, so nothing that could be hidden.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Longest tag whose attributes are looked at; a longer one hides what it has, as if it said so.
const MAX_TAG: usize = 16 << 10;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// From here, until this closes it.
    Until(usize, &'static str),
    /// A tag from here, inside such a quote or none.
    Tag(usize, Option<u8>),
}

#[derive(Default)]
pub(super) struct Html {
    state: State,
    /// The raw bytes of the tag, without Markdown that it swallows.
    tag: String,
    /// Where the element begins that hides what follows; it is the first of `within`.
    hidden: Option<usize>,
    /// The hiding element and what is open in it.
    within: Vec<String>,
    /// The open elements around it, and how text looks in them.
    open: Vec<(String, Look)>,
    /// The open element whose content is no HTML.
    raw: Option<String>,
    sheets: Sheets,
}

impl Html {
    /// For a file with these style sheets.
    pub(super) fn new(sheets: Sheets) -> Self {
        Self { sheets, ..Self::default() }
    }

    /// Whether what follows is swallowed.
    pub(super) fn hides(&self) -> bool {
        self.hidden.is_some() || self.state != State::Text
    }

    /// Goes through a piece of raw HTML.
    pub(super) fn feed(&mut self, source: &str, range: Range<usize>, parts: &mut Parts) {
        let bytes = source.as_bytes().get(range.clone()).unwrap_or_default();
        let begins = |at: usize, what: &str| {
            bytes.get(at..).is_some_and(|rest| rest.starts_with(what.as_bytes()))
        };
        let mut at = 0;
        // Where the text began that is being gone through.
        let mut text = 0;
        while let Some(byte) = bytes.get(at).copied() {
            match self.state {
                State::Text => {
                    let next = bytes.get(at + 1).copied().unwrap_or_default();
                    // Inside scripts and the like only their end is one.
                    let raw = self.raw.as_ref().is_some_and(|name| {
                        let end = bytes.get(at + 2..at + 2 + name.len());
                        next != b'/'
                            || !end.is_some_and(|end| end.eq_ignore_ascii_case(name.as_bytes()))
                    });
                    let opens = byte == b'<'
                        && !raw
                        && (next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?'));
                    if !opens {
                        at += 1;
                        continue;
                    }
                    self.text(source, range.start + text..range.start + at, parts);
                    let start = range.start + at;
                    (self.state, at) = if begins(at, "<!--") {
                        // `<!-->` and `<!--->` are whole comments.
                        let short = [("<!-->", 5), ("<!--->", 6)];
                        match short.iter().find(|(whole, _)| begins(at, whole)) {
                            Some((_, length)) => {
                                parts.push(start..start + length, Kind::Hidden);
                                (State::Text, at + length)
                            }
                            None => (State::Until(start, "-->"), at + 4),
                        }
                    } else if begins(at, "<![CDATA[") {
                        (State::Until(start, "]]>"), at + 9)
                    } else if matches!(next, b'!' | b'?') {
                        (State::Until(start, ">"), at + 2)
                    } else {
                        self.tag.clear();
                        (State::Tag(start, None), at + 1)
                    };
                    text = at;
                }
                State::Until(start, end) => {
                    at += 1;
                    if begins(at - 1, end) {
                        at += end.len() - 1;
                        text = at;
                        self.state = State::Text;
                        if self.hidden.is_none() {
                            parts.push(start..range.start + at, Kind::Hidden);
                        }
                    }
                }
                State::Tag(start, quote) => {
                    at += 1;
                    match (byte, quote) {
                        (b'"' | b'\'', None) => self.state = State::Tag(start, Some(byte)),
                        (closing, Some(open)) if closing == open => {
                            self.state = State::Tag(start, None);
                        }
                        (b'>', None) => {
                            self.state = State::Text;
                            text = at;
                            self.tagged(start..range.start + at, parts);
                            continue;
                        }
                        _ => {}
                    }
                    if self.tag.len() <= MAX_TAG {
                        self.tag.push(char::from(byte));
                    }
                }
            }
        }
        if self.state == State::Text {
            self.text(source, range.start + text..range.end, parts);
        }
    }

    /// Takes one whole piece of HTML that stands in the source with something in it: the signs of quotes
    /// and lists at the beginning of lines.
    pub(super) fn whole(
        &mut self,
        piece: &str,
        source: &str,
        range: Range<usize>,
        parts: &mut Parts,
    ) {
        let tag = piece.strip_prefix('<').and_then(|piece| piece.strip_suffix('>'));
        match tag {
            Some(tag) if self.state == State::Text && !tag.starts_with(['!', '?']) => {
                self.tag.clear();
                self.tag.push_str(tag.get(..MAX_TAG).unwrap_or(tag));
                self.tagged(range, parts);
            }
            _ if self.state == State::Text && self.hidden.is_none() && tag.is_some() => {
                parts.push(range, Kind::Hidden);
            }
            _ => self.feed(source, range, parts),
        }
    }

    /// Text of raw HTML; its character references are markup.
    fn text(&mut self, source: &str, range: Range<usize>, parts: &mut Parts) {
        if self.hidden.is_some() {
            return;
        }
        let mut from = range.start;
        let text = source.get(range.clone()).unwrap_or_default();
        for (at, _) in text.match_indices('&') {
            let rest = text.get(at + 1..).unwrap_or_default();
            let name =
                rest.bytes().take(40).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#');
            let length = name.count();
            if length > 0 && rest.as_bytes().get(length) == Some(&b';') {
                parts.push(from..range.start + at, Kind::Text);
                from = range.start + at + length + 2;
                parts.push(range.start + at..from, Kind::Cuttable);
            }
        }
        parts.push(from..range.end, Kind::Text);
    }

    /// A whole tag.
    fn tagged(&mut self, range: Range<usize>, parts: &mut Parts) {
        let closes = self.tag.starts_with('/');
        let tag = self.tag.trim_start_matches('/').to_ascii_lowercase();
        let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(end);
        if self.raw.take_if(|raw| closes && *raw == name).is_none() && self.raw.is_some() {
            return;
        }
        if !closes && RAW.contains(&name) {
            self.raw = Some(name.to_owned());
        }
        if let Some(start) = self.hidden {
            if closes {
                close(&mut self.within, name, |open| open);
            } else if !VOID.contains(&name) {
                if self.within.len() < MAX_OPEN {
                    self.within.push(name.to_owned());
                } else if let Some(first) = self.within.first_mut() {
                    // What closes what is not known any more: it hides to the end.
                    first.clear();
                }
            }
            if self.within.is_empty() {
                parts.push(start..range.end, Kind::Hidden);
                self.hidden = None;
            }
            return;
        }
        if closes {
            close(&mut self.open, name, |(open, _)| open);
        } else if !VOID.contains(&name) {
            // One of them ends the one before.
            let ends = matches!(name, "p" | "li" | "dt" | "dd" | "tr" | "td" | "th");
            if ends && self.open.last().is_some_and(|(open, _)| open == name) {
                self.open.pop();
            }
            let around = self.open.last().map(|(_, look)| *look).unwrap_or_default();
            let unseen = attributes.len() >= MAX_TAG - 64
                || UNSEEN.contains(&name)
                || self.open.len() >= MAX_OPEN;
            let look = match unseen {
                true => None,
                false => around.inside(name, attributes, &self.sheets),
            };
            match look {
                Some(look) => self.open.push((name.to_owned(), look)),
                None => {
                    self.hidden = Some(range.start);
                    self.within = vec![name.to_owned()];
                    return;
                }
            }
        }
        parts.push(range, Kind::Cuttable);
    }

    /// The end of the document.
    pub(super) fn end(self, source: &str, parts: &mut Parts) {
        let open = match (self.hidden, self.state) {
            (Some(start), _) => Some(start),
            (None, State::Until(start, _) | State::Tag(start, _)) => Some(start),
            (None, State::Text) => None,
        };
        if let Some(start) = open {
            parts.push(start..source.len(), Kind::Hidden);
        }
    }
}

/// Closes the innermost open element of a name with all that is open in it, unless it is out of
/// scope: of the parts of a table, only those of the innermost one are in it.
fn close<T>(open: &mut Vec<T>, name: &str, named: impl Fn(&T) -> &String) {
    let of_table = matches!(
        name,
        "table" | "tr" | "tbody" | "thead" | "tfoot" | "td" | "th" | "caption" | "colgroup"
    );
    for (at, element) in open.iter().enumerate().rev() {
        let element = named(element).as_str();
        if element == name {
            open.truncate(at);
            return;
        }
        let ends = if of_table {
            matches!(element, "table" | "template")
        } else {
            SCOPES.contains(&element)
        };
        if ends {
            return;
        }
    }
}
