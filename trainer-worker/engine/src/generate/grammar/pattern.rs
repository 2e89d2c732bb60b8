//! Regular expressions as rules.

use super::rules::{Rules, Symbol};
use crate::error::{Error, Result};
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use regex_syntax::utf8::Utf8Sequences;
use regex_syntax::ParserBuilder;

/// Most bytes of an expression.
const MAX_PATTERN: usize = 4096;
/// Groups within groups.
const MAX_NESTING: u32 = 32;

/// How characters are written: as they are, or within a string of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Plain,
    Json,
}

/// What `pattern` matches. Where `search`, text may stand before and after, as in JSON Schema, unless it
/// is anchored by `^` and `$`.
pub(super) fn pattern(
    rules: &mut Rules,
    pattern: &str,
    quoting: Quoting,
    search: bool,
) -> Result<Symbol> {
    let refuse = |reason: String| Error::grammar("", format!("pattern {pattern:?}: {reason}"));
    if pattern.len() > MAX_PATTERN {
        let reason = format!("it is {} bytes long, and {MAX_PATTERN} is the most", pattern.len());
        return Err(Error::grammar("", format!("a pattern: {reason}")));
    }
    let mut parser = ParserBuilder::new();
    parser.nest_limit(MAX_NESTING);
    let hir = parser.build().parse(&ascii_classes(pattern));
    let hir = hir.map_err(|e| refuse(e.to_string().lines().last().unwrap_or("").to_owned()))?;
    let mut parts: Vec<&Hir> = match hir.kind() {
        HirKind::Concat(parts) => parts.iter().collect(),
        _ => vec![&hir],
    };
    let is = |hir: Option<&&Hir>, look| hir.is_some_and(|h| *h.kind() == HirKind::Look(look));
    let begins = is(parts.first(), Look::Start);
    if begins {
        parts.remove(0);
    }
    let ends = is(parts.last(), Look::End);
    if ends {
        parts.pop();
    }
    let anything = [any_character(rules, quoting)?];
    let mut symbols = Vec::new();
    if search && !begins {
        symbols.extend(rules.repeat(&anything, 0, None)?);
    }
    for part in parts {
        symbols.extend(expression(rules, part, quoting).map_err(|error| match error {
            Error::Grammar { place, reason } if place.is_empty() => refuse(reason),
            other => other,
        })?);
    }
    if search && !ends {
        symbols.extend(rules.repeat(&anything, 0, None)?);
    }
    rules.any(vec![symbols])
}

/// `\d` and `\w` are ASCII in JSON Schema's dialect (ECMA-262), where this parser has all of Unicode.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('w') => out.push_str("[A-Za-z0-9_]"),
            Some('W') => out.push_str("[^A-Za-z0-9_]"),
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
    }
    out
}

fn expression(rules: &mut Rules, hir: &Hir, quoting: Quoting) -> Result<Vec<Symbol>> {
    Ok(match hir.kind() {
        HirKind::Empty => Vec::new(),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0)
                .map_err(|_| Error::grammar("", "it matches bytes that are no text"))?;
            let mut symbols = Vec::new();
            for c in text.chars() {
                symbols.push(characters(rules, &[(c, c)], quoting)?);
            }
            symbols
        }
        HirKind::Class(class) => {
            let ranges: Vec<(char, char)> = match class {
                Class::Unicode(class) => {
                    class.ranges().iter().map(|r| (r.start(), r.end())).collect()
                }
                Class::Bytes(class) => {
                    let ranges = class.ranges().iter();
                    ranges.map(|r| (char::from(r.start()), char::from(r.end()))).collect()
                }
            };
            vec![characters(rules, &ranges, quoting)?]
        }
        HirKind::Look(look) => {
            let reason = format!(
                "{look:?} is not supported; only ^ at the very beginning and $ at the very end are"
            );
            return Err(Error::grammar("", reason));
        }
        HirKind::Repetition(repetition) => {
            let part = expression(rules, &repetition.sub, quoting)?;
            let most = repetition.max.map(u64::from);
            rules.repeat(&part, u64::from(repetition.min), most)?
        }
        HirKind::Capture(capture) => expression(rules, &capture.sub, quoting)?,
        HirKind::Concat(parts) => {
            let mut symbols = Vec::new();
            for part in parts {
                symbols.extend(expression(rules, part, quoting)?);
            }
            vec![rules.any(vec![symbols])?]
        }
        HirKind::Alternation(parts) => {
            let parts: Result<Vec<_>> =
                parts.iter().map(|part| expression(rules, part, quoting)).collect();
            vec![rules.any(parts?)?]
        }
    })
}

/// Any character, as it is written.
pub(super) fn any_character(rules: &mut Rules, quoting: Quoting) -> Result<Symbol> {
    match quoting {
        Quoting::Json => json_character(rules),
        Quoting::Plain => characters(rules, &[('\0', char::MAX)], quoting),
    }
}

/// A character of some ranges, as it is written.
pub(super) fn characters(
    rules: &mut Rules,
    ranges: &[(char, char)],
    quoting: Quoting,
) -> Result<Symbol> {
    let mut alternatives = Vec::new();
    for (first, last) in ranges {
        for sequence in Utf8Sequences::new(*first, *last) {
            let ascii = sequence.len() == 1;
            let mut symbols = Vec::new();
            for range in sequence.as_slice() {
                if quoting == Quoting::Plain || !ascii {
                    symbols.push(rules.byte(&[(range.start, range.end)]));
                    continue;
                }
                // Those that JSON escapes are written so.
                let bytes = range.start..=range.end;
                let escaped = |byte: &u8| *byte < 0x20 || matches!(*byte, b'"' | b'\\');
                let plain: Vec<(u8, u8)> =
                    bytes.clone().filter(|b| !escaped(b)).map(|b| (b, b)).collect();
                for byte in bytes.filter(escaped) {
                    let written = serde_json::Value::from(char::from(byte).to_string()).to_string();
                    // Without the quotation marks around it.
                    let inner = written.get(1..written.len() - 1).unwrap_or_default();
                    alternatives.push(rules.text(inner));
                }
                if !plain.is_empty() {
                    symbols.push(rules.byte(&plain));
                }
            }
            if !symbols.is_empty() {
                alternatives.push(symbols);
            }
        }
    }
    match alternatives.as_slice() {
        [one] if one.len() == 1 => Ok(one.first().copied().unwrap_or(Symbol::End)),
        _ => rules.any(alternatives),
    }
}

/// One character of a string of JSON: as it is, or escaped. Surrogates come in pairs, as readers of JSON
/// demand it.
pub(super) fn json_character(rules: &mut Rules) -> Result<Symbol> {
    let mut alternatives = vec![vec![rules.byte(&[(0x20, 0x21), (0x23, 0x5b), (0x5d, 0x7f)])]];
    for sequence in Utf8Sequences::new('\u{80}', char::MAX) {
        let bytes = sequence.as_slice().iter();
        alternatives.push(bytes.map(|r| rules.byte(&[(r.start, r.end)])).collect());
    }
    let escape = rules.byte(&[(b'\\', b'\\')]);
    let (u, hex) = (rules.byte(&[(b'u', b'u')]), rules.byte(HEX));
    let d = rules.byte(&[(b'D', b'D'), (b'd', b'd')]);
    let single: Vec<(u8, u8)> = b"\"\\/bfnrt".iter().map(|b| (*b, *b)).collect();
    alternatives.push(vec![escape, rules.byte(&single)]);
    let other = rules.byte(&[(b'0', b'9'), (b'A', b'C'), (b'a', b'c'), (b'E', b'F'), (b'e', b'f')]);
    alternatives.push(vec![escape, u, other, hex, hex, hex]);
    let low = rules.byte(&[(b'0', b'7')]);
    alternatives.push(vec![escape, u, d, low, hex, hex]);
    let high = rules.byte(&[(b'8', b'9'), (b'A', b'B'), (b'a', b'b')]);
    let second = rules.byte(&[(b'C', b'F'), (b'c', b'f')]);
    alternatives.push(vec![escape, u, d, high, hex, hex, escape, u, d, second, hex, hex]);
    rules.any(alternatives)
}

const HEX: &[(u8, u8)] = &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')];
