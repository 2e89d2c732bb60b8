//! HTML inside Markdown: which of its bytes are text, tags or hidden.
//!
//! Markdown hands over raw HTML in pieces, and what an unclosed comment, tag or hidden element
//! swallows in a browser goes on over the Markdown between them. So the state is kept from piece to
//! piece. Hidden is: comments, processing instructions, declarations, CDATA; elements without a
//! rendering ([`UNSEEN`]), `dialog` that is not open; elements with `hidden`, or with a `style` that
//! may hide them ([`hidden_style`]); fonts in a white colour. What is not closed hides until the end.

use super::{Kind, Parts};
use crate::colour::{contrast, luminance};
use std::ops::Range;

/// Elements whose content browsers do not show.
const UNSEEN: [&str; 22] = [
    "script",
    "style",
    "template",
    "title",
    "head",
    "noembed",
    "noframes",
    "datalist",
    "object",
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
    "rp",
    "annotation",
    "annotation-xml",
];
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
    /// The element that hides what follows: from where, its name, how many of them are open.
    hidden: Option<(usize, String, usize)>,
}

impl Html {
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
                    let raw = self.raw().is_some_and(|name| {
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

    /// The name of the open element whose content is no HTML.
    fn raw(&self) -> Option<&str> {
        let (_, name, _) = self.hidden.as_ref()?;
        matches!(name.as_str(), "script" | "style" | "title" | "noembed" | "noframes" | "iframe")
            .then_some(name)
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
        let name = name.to_owned();
        if let Some((start, hiding, open)) = &mut self.hidden {
            if *hiding == name {
                *open = if closes { open.saturating_sub(1) } else { *open + 1 };
            }
            if *open == 0 {
                parts.push(*start..range.end, Kind::Hidden);
                self.hidden = None;
            }
            return;
        }
        let hides = !closes
            && !VOID.contains(&name.as_str())
            && (UNSEEN.contains(&name.as_str())
                || attributes.len() >= MAX_TAG - 64
                || hiding(&name, attributes));
        if hides {
            self.hidden = Some((range.start, name, 1));
        } else {
            parts.push(range, Kind::Cuttable);
        }
    }

    /// The end of the document.
    pub(super) fn end(self, source: &str, parts: &mut Parts) {
        let open = match (self.hidden, self.state) {
            (Some((start, ..)), _) => Some(start),
            (None, State::Until(start, _) | State::Tag(start, _)) => Some(start),
            (None, State::Text) => None,
        };
        if let Some(start) = open {
            parts.push(start..source.len(), Kind::Hidden);
        }
    }
}

/// Whether the attributes of an element, in lower case, hide what it has.
fn hiding(name: &str, attributes: &str) -> bool {
    let mut open = false;
    for (key, value) in Attributes(attributes) {
        match key {
            "hidden" => return true,
            "open" => open = true,
            "style" if hidden_style(value) => return true,
            "color" if name == "font" => match Colour::of(value) {
                Colour::Rgb(rgb) if !alike(rgb, [255.0; 3]) => {}
                _ => return true,
            },
            _ => {}
        }
    }
    name == "dialog" && !open
}

/// Attributes of a tag: names and values without quotes.
struct Attributes<'a>(&'a str);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| c.is_ascii_whitespace() || matches!(c, '=' | '/'))
            .map_or(rest.len(), |(at, _)| at);
        let (key, rest) = rest.split_at(end);
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            self.0 = rest;
            return Some((key, ""));
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, rest) = match quote {
            Some(quote) => {
                let inner = value.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            None => {
                let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
                value.split_at(end)
            }
        };
        self.0 = rest;
        Some((key, value))
    }
}

/// Whether a style may hide its element. There is no end to the ways of CSS to do that, so what is not
/// known to leave text seen hides it: another property, comments, escapes, functions; a font below 2 pt
/// or lines below half of theirs; a text colour without contrast; room or margins that are none.
fn hidden_style(style: &str) -> bool {
    if style.contains(['\\', '&', '@', '{']) || style.contains("/*") {
        return true;
    }
    let mut text = Colour::Unsaid;
    let mut ground = Colour::Unsaid;
    for declaration in style.split(';') {
        if declaration.trim().is_empty() {
            continue;
        }
        let Some((key, value)) = declaration.split_once(':') else { return true };
        let (key, value) = (key.trim(), value.trim().trim_end_matches("!important").trim());
        let lengths_from = |least: f64| {
            value.split_ascii_whitespace().all(|part| match points(part) {
                Some(size) => size >= least && size < 500.0,
                None => matches!(part, "auto" | "normal" | "inherit" | "initial" | "fit-content"),
            })
        };
        let number = || leading_number(value).unwrap_or(1.0);
        let shown = match key {
            "display" => value != "none" && value != "contents",
            "visibility" => value == "visible",
            "opacity" => number() >= if value.ends_with('%') { 20.0 } else { 0.2 },
            "font-size" => points(value).is_none_or(|size| size >= 2.0) && !value.contains('('),
            "line-height" => number() >= 0.5,
            "color" => {
                text = Colour::of(value);
                true
            }
            "background" | "background-color" => {
                ground = Colour::of(value);
                true
            }
            "width" | "height" | "max-width" | "max-height" | "min-width" | "min-height" => {
                lengths_from(2.0) || value.ends_with('%') && number() >= 2.0
            }
            "margin" | "margin-left" | "margin-right" | "margin-top" | "margin-bottom"
            | "padding" | "padding-left" | "padding-right" | "padding-top" | "padding-bottom"
            | "text-indent" | "gap" => lengths_from(0.0),
            "text-align" | "text-decoration" | "font-weight" | "font-style" | "font-family"
            | "font-variant" | "vertical-align" | "float" | "clear" | "list-style"
            | "list-style-type" | "white-space" | "word-break" | "word-wrap" | "overflow-wrap"
            | "direction" | "quotes" | "border" | "border-top" | "border-bottom"
            | "border-left" | "border-right" | "border-collapse" | "border-radius"
            | "border-color" | "border-style" | "border-width" | "border-spacing"
            | "table-layout" | "caption-side" | "page-break-before" | "page-break-after"
            | "page-break-inside" | "break-inside" | "text-transform" | "flex-direction"
            | "flex-wrap" | "justify-content" | "align-items" => true,
            _ => false,
        };
        if !shown {
            return true;
        }
    }
    match (text, ground) {
        (Colour::Unsaid, Colour::Unsaid | Colour::Rgb(_)) => {
            // The page's own text is dark.
            matches!(ground, Colour::Rgb(rgb) if alike(rgb, [0.0; 3]))
        }
        (Colour::Rgb(text), Colour::Unsaid) => alike(text, [255.0; 3]),
        (Colour::Rgb(text), Colour::Rgb(ground)) => alike(text, ground),
        (Colour::Unknown, _) | (_, Colour::Unknown) => true,
    }
}

fn alike(one: [f64; 3], other: [f64; 3]) -> bool {
    contrast(luminance(one), luminance(other)) < 1.2
}

fn leading_number(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')));
    value.get(..end.unwrap_or(value.len()))?.parse().ok()
}

/// A length in points; of an em 12.
fn points(value: &str) -> Option<f64> {
    let number = leading_number(value)?;
    let unit =
        value.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    let factor = match unit.trim() {
        "pt" => 1.0,
        "em" | "rem" => 12.0,
        "%" => 0.12,
        "px" | "" => 0.75,
        _ => return None,
    };
    Some(number * factor)
}

/// A colour as CSS and `font` name it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Colour {
    Unsaid,
    Rgb([f64; 3]),
    /// Transparent, or written in a way that is not read.
    Unknown,
}

impl Colour {
    /// Names of HTML 4 and some of CSS, `#rgb`, `#rrggbb`, `rgb(r, g, b)` of numbers.
    fn of(value: &str) -> Self {
        let named: u32 = match value {
            "black" => 0x00_0000,
            "silver" => 0xc0_c0c0,
            "gray" | "grey" => 0x80_8080,
            "white" => 0xff_ffff,
            "maroon" => 0x80_0000,
            "red" => 0xff_0000,
            "purple" => 0x80_0080,
            "fuchsia" | "magenta" => 0xff_00ff,
            "green" => 0x00_8000,
            "lime" => 0x00_ff00,
            "olive" => 0x80_8000,
            "yellow" => 0xff_ff00,
            "navy" => 0x00_0080,
            "blue" => 0x00_00ff,
            "teal" => 0x00_8080,
            "aqua" | "cyan" => 0x00_ffff,
            "orange" => 0xff_a500,
            "brown" => 0xa5_2a2a,
            "pink" => 0xff_c0cb,
            "gold" => 0xff_d700,
            "darkred" => 0x8b_0000,
            "darkgreen" => 0x00_6400,
            "darkblue" => 0x00_008b,
            "darkgray" | "darkgrey" => 0xa9_a9a9,
            "lightgray" | "lightgrey" => 0xd3_d3d3,
            "lightblue" => 0xad_d8e6,
            "lightgreen" => 0x90_ee90,
            "crimson" => 0xdc_143c,
            "tomato" => 0xff_6347,
            "steelblue" => 0x46_82b4,
            "royalblue" => 0x41_69e1,
            "inherit" | "initial" | "currentcolor" => return Self::Unsaid,
            _ => return Self::number(value).map_or(Self::Unknown, Self::Rgb),
        };
        let part = |shift: u32| f64::from(named >> shift & 0xff);
        Self::Rgb([part(16), part(8), part(0)])
    }

    fn number(value: &str) -> Option<[f64; 3]> {
        if let Some(hex) = value.strip_prefix('#') {
            let digit = |at: usize| u8::from_str_radix(hex.get(at..=at)?, 16).ok();
            let part = |at: usize| {
                Some(f64::from(match hex.len() {
                    3 => digit(at)? * 17,
                    6 => digit(2 * at)? * 16 + digit(2 * at + 1)?,
                    _ => return None,
                }))
            };
            return Some([part(0)?, part(1)?, part(2)?]);
        }
        let inside = value.strip_prefix("rgb(")?.strip_suffix(')')?;
        let mut parts = inside.split([',', ' ']).filter(|part| !part.is_empty());
        let mut next = || parts.next()?.parse::<f64>().ok();
        let rgb = [next()?, next()?, next()?];
        parts.next().is_none().then_some(rgb)
    }
}
