//! HTML inside Markdown: which of its bytes are text, tags or hidden.
//!
//! Markdown hands over raw HTML in pieces, and what an unclosed comment, tag or hidden element
//! swallows in a browser goes on over the Markdown between them. So the state is kept from piece to
//! piece. Hidden is: comments, processing instructions, declarations, CDATA; elements without a
//! rendering ([`UNSEEN`]), `dialog` that is not open; elements with `hidden`, or with a `style` that
//! hides them ([`hiding`]); fonts in a white colour. What is not closed hides until the end.

use super::{Kind, Parts};
use std::ops::Range;

/// Elements whose content browsers do not show.
const UNSEEN: [&str; 18] = [
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
            "color" if name == "font" && pale(value) => return true,
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

/// Whether a style hides its element: not displayed, not visible, transparent, smaller than 2 pt, in
/// a pale colour without a background, without room, or moved away.
fn hidden_style(style: &str) -> bool {
    let mut pale_text = false;
    let mut background = false;
    let mut no_room = false;
    let mut cut = false;
    for declaration in style.split(';') {
        let Some((key, value)) = declaration.split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim().trim_end_matches("!important").trim());
        let number = || leading_number(value);
        match key {
            "display" if value == "none" => return true,
            "visibility" if matches!(value, "hidden" | "collapse") => return true,
            "content-visibility" if value == "hidden" => return true,
            "opacity"
                if number().is_some_and(|n| n < if value.ends_with('%') { 20.0 } else { 0.2 }) =>
            {
                return true;
            }
            "font-size" if points(value).is_some_and(|size| size < 2.0) => return true,
            "color" => pale_text = pale(value),
            "background" | "background-color" => background |= !pale(value),
            "width" | "height" | "max-width" | "max-height" => {
                no_room |= points(value).is_some_and(|size| size < 2.0);
            }
            "overflow" | "overflow-x" | "overflow-y" => {
                cut |= matches!(value, "hidden" | "clip" | "scroll" | "auto");
            }
            "text-indent" | "left" | "right" | "top" | "bottom" | "margin-left" | "margin-top"
                if number().is_some_and(|n| n.abs() >= 500.0) =>
            {
                return true;
            }
            "transform" if value.contains("scale(0") || value.contains("-9999") => return true,
            "clip" if value.starts_with("rect(0") => return true,
            "clip-path" if value.contains("inset(50%") || value.contains("inset(100%") => {
                return true
            }
            _ => {}
        }
    }
    (pale_text && !background) || (no_room && cut)
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

/// Whether a colour is nearly white, or none: a contrast below 1.2 to a white page.
fn pale(colour: &str) -> bool {
    let digits = |text: &str| -> Option<Vec<f64>> {
        let width = if text.len() >= 6 { 2 } else { 1 };
        (0..3)
            .map(|n| {
                let part = text.get(n * width..(n + 1) * width)?;
                let value = u8::from_str_radix(part, 16).ok()?;
                Some(f64::from(if width == 1 { value * 17 } else { value }))
            })
            .collect()
    };
    let colour = colour.trim();
    let rgb = if let Some(hex) = colour.strip_prefix('#') {
        digits(hex)
    } else if let Some((name, rest)) = colour.split_once('(') {
        if !name.starts_with("rgb") {
            return false;
        }
        let values: Vec<f64> = rest
            .split([',', ' ', '/', ')'])
            .filter_map(|part| leading_number(part.trim()))
            .collect();
        if values.get(3).is_some_and(|alpha| *alpha < 0.2) {
            return true;
        }
        values.get(..3).map(<[f64]>::to_vec)
    } else {
        return matches!(
            colour,
            "transparent"
                | "white"
                | "snow"
                | "ivory"
                | "floralwhite"
                | "ghostwhite"
                | "mintcream"
                | "azure"
                | "aliceblue"
                | "whitesmoke"
                | "seashell"
                | "honeydew"
                | "lavenderblush"
                | "lightyellow"
                | "lightcyan"
                | "oldlace"
                | "linen"
                | "beige"
                | "cornsilk"
        );
    };
    rgb.is_some_and(|rgb| crate::colour::contrast_to_white(&rgb) < 1.2)
}
