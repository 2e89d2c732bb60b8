//! Cross-reference tables and streams (ISO 32000-1, 7.5.4 and 7.5.8).
//!
//! What they name is what viewers show: an object that no table reaches does not exist, whatever
//! stands in the file. The chain begins at the last `startxref` and goes back by `Prev`; of several
//! entries for one object the first one met counts, one that says that the object is free too.

use super::document::{object_header, Document};
use super::object::{Dict, Lexer, Object, Token};
use crate::budget::{Fault, Result};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most bytes at the end of a file in which `startxref` is looked for.
const TAIL: usize = 2048;
/// Most tables and streams of a chain.
const MAX_SECTIONS: usize = 4096;
/// Most entries of all of them together.
const MAX_ENTRIES: usize = 1_000_000;
/// Most bytes of a cross-reference stream.
const MAX_STREAM: usize = 16 << 20;

/// Where an object is, as the chain says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Free,
    /// Right after `obj`; `None` where no such object stands.
    File(Option<usize>),
    /// The place in an object stream.
    Stream {
        container: u32,
        index: usize,
    },
}

/// What a chain says.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) entries: BTreeMap<u32, Entry>,
    /// The newest first.
    pub(crate) trailers: Vec<Rc<Dict>>,
    /// Whether all of it could be followed.
    pub(crate) whole: bool,
}

/// Follows the chain as far as it goes.
pub(crate) fn follow(document: &mut Document<'_>) -> Result<Chain> {
    let mut chain = Chain::default();
    let bytes = document.bytes;
    // Offsets count from the header, before which programs of mail and web put lines of their own.
    let head = bytes.get(..1024).unwrap_or(bytes);
    let base = head.windows(5).position(|window| window == b"%PDF-").unwrap_or(0);
    let tail = bytes.len().saturating_sub(TAIL);
    document.budget.scan(TAIL)?;
    let last = bytes.get(tail..).unwrap_or_default();
    let Some(start) = last.windows(9).rposition(|window| window == b"startxref") else {
        return Ok(chain);
    };
    let mut lexer = Lexer::new(bytes, tail + start + 9);
    let mut next = lexer.object(&mut document.budget)?.and_then(|at| at.index(bytes.len()));
    let mut seen = Vec::new();
    let mut count = 0;
    while let Some(offset) = next {
        if seen.contains(&offset) || seen.len() == MAX_SECTIONS {
            return Ok(chain);
        }
        seen.push(offset);
        let Some(section) = section(document, base, base + offset, &mut count)? else {
            return Ok(chain);
        };
        let add = |chain: &mut Chain, entries: Vec<(u32, Entry)>| {
            for (number, entry) in entries {
                chain.entries.entry(number).or_insert(entry);
            }
        };
        let (free, used): (Vec<_>, Vec<_>) =
            section.entries.into_iter().partition(|(_, entry)| *entry == Entry::Free);
        add(&mut chain, used);
        // What a file for old programs hides from them stands in a stream beside the table, where
        // the table says that it is free.
        if let Some(beside) = section.trailer.get("XRefStm").index(bytes.len()) {
            let Some(hidden) = self::section(document, base, base + beside, &mut count)? else {
                return Ok(chain);
            };
            add(&mut chain, hidden.entries);
        }
        add(&mut chain, free);
        next = match section.trailer.get("Prev") {
            Object::Null => None,
            previous => match previous.index(bytes.len()) {
                Some(previous) => Some(previous),
                None => return Ok(chain),
            },
        };
        chain.trailers.push(section.trailer);
    }
    chain.whole = !chain.trailers.is_empty();
    Ok(chain)
}

struct Section {
    entries: Vec<(u32, Entry)>,
    trailer: Rc<Dict>,
}

/// A table or a stream; `None` where there is none.
fn section(
    document: &mut Document<'_>,
    base: usize,
    at: usize,
    count: &mut usize,
) -> Result<Option<Section>> {
    let mut lexer = Lexer::new(document.bytes, at);
    lexer.skip_space();
    if lexer.eat(b"xref") {
        return table(document, base, lexer.at, count);
    }
    let Some(start) = object_header(document.bytes, at, None) else { return Ok(None) };
    let Some(stream) = document.stream_at(start, None)? else { return Ok(None) };
    if !stream.dict.get("Type").is_name("XRef") {
        return Ok(None);
    }
    let Some(data) = document.decode_or_none(&stream, MAX_STREAM)? else { return Ok(None) };
    let mut widths = [0; 3];
    for (place, width) in widths.iter_mut().enumerate() {
        let listed = stream.dict.get("W").array().and_then(|list| list.get(place));
        let Some(listed) = listed.and_then(|width| width.index(8)) else { return Ok(None) };
        *width = listed;
    }
    let size = stream.dict.get("Size").index(MAX_ENTRIES).unwrap_or(0);
    let ranges: Vec<usize> = match stream.dict.get("Index").array() {
        Some(list) => list.iter().filter_map(|item| item.index(u32::MAX as usize)).collect(),
        None => vec![0, size],
    };
    let row = widths.iter().sum::<usize>();
    if row == 0 {
        return Ok(None);
    }
    let mut rows = data.chunks_exact(row);
    let mut entries = Vec::new();
    for range in ranges.chunks_exact(2) {
        let [first, length] = range else { break };
        for number in *first..first.saturating_add(*length) {
            let Some(row) = rows.next() else { break };
            tally(count)?;
            let mut fields = [0_u64; 3];
            let mut rest = row;
            for (field, width) in fields.iter_mut().zip(widths) {
                let (bytes, after) = rest.split_at_checked(width).unwrap_or((rest, &[]));
                *field = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
                rest = after;
            }
            // Without a field for it, an entry is of a used object.
            let kind = if widths.first() == Some(&0) { 1 } else { fields[0] };
            let entry = match kind {
                0 => Entry::Free,
                1 => in_file(document, base, fields[1], number),
                2 => Entry::Stream {
                    container: u32::try_from(fields[1]).unwrap_or(u32::MAX),
                    index: fields[2] as usize,
                },
                _ => continue,
            };
            entries.push((number as u32, entry));
        }
    }
    document.budget.scan(entries.len() * 32)?;
    Ok(Some(Section { entries, trailer: stream.dict }))
}

fn table(
    document: &mut Document<'_>,
    base: usize,
    at: usize,
    count: &mut usize,
) -> Result<Option<Section>> {
    let mut lexer = Lexer::new(document.bytes, at);
    let mut entries = Vec::new();
    loop {
        let first = match lexer.token(&mut document.budget)? {
            Some(Token::Keyword(word)) if &*word == b"trailer" => break,
            Some(Token::Value(Object::Number(first))) => Object::Number(first),
            _ => return Ok(None),
        };
        let Some(Token::Value(length)) = lexer.token(&mut document.budget)? else {
            return Ok(None);
        };
        let (Some(mut first), Some(length)) =
            (first.index(u32::MAX as usize), length.index(MAX_ENTRIES))
        else {
            return Ok(None);
        };
        for place in 0..length {
            tally(count)?;
            document.budget.scan(20)?;
            let (Some(Token::Value(offset)), Some(Token::Value(generation))) =
                (lexer.token(&mut document.budget)?, lexer.token(&mut document.budget)?)
            else {
                return Ok(None);
            };
            let Some(Token::Keyword(kind)) = lexer.token(&mut document.budget)? else {
                return Ok(None);
            };
            let Some(offset) = offset.index(u32::MAX as usize) else { return Ok(None) };
            // Some programs begin at 1 with the entry that is always number 0.
            let is_head = place == 0 && offset == 0 && generation.index(65_535) == Some(65_535);
            if is_head && &*kind == b"f" && first == 1 {
                first = 0;
            }
            let number = first.saturating_add(place);
            let entry = match &*kind {
                b"n" => in_file(document, base, offset as u64, number),
                b"f" => Entry::Free,
                _ => return Ok(None),
            };
            entries.push((number.min(u32::MAX as usize) as u32, entry));
        }
    }
    match lexer.object(&mut document.budget)? {
        Some(Object::Dict(trailer)) => Ok(Some(Section { entries, trailer })),
        _ => Ok(None),
    }
}

fn in_file(document: &Document<'_>, base: usize, offset: u64, number: usize) -> Entry {
    let at = usize::try_from(offset).ok().and_then(|offset| base.checked_add(offset));
    let number = u32::try_from(number).ok();
    Entry::File(
        at.zip(number).and_then(|(at, number)| object_header(document.bytes, at, Some(number))),
    )
}

fn tally(count: &mut usize) -> Result<()> {
    *count += 1;
    match *count > MAX_ENTRIES {
        true => Err(Fault::TooMuch { what: "cross-references", limit: MAX_ENTRIES as u64 }),
        false => Ok(()),
    }
}
