//! Compact Font Format (Adobe Technical Note 5176): names or identifiers of glyphs, the built-in
//! encoding, and which glyphs draw.

use super::charstring::{draws, Dialect, Subroutines};
use super::{number, u16_at, Program, MAX_GLYPHS};
use crate::budget::{Budget, Result};
use std::collections::BTreeMap;

/// Most private dictionaries of a font that is keyed by identifiers.
const MAX_PRIVATE: usize = 256;

pub(super) fn parse(bytes: &[u8], budget: &mut Budget) -> Result<Program> {
    Ok(font(bytes, budget)?.unwrap_or_default())
}

fn font(bytes: &[u8], budget: &mut Budget) -> Result<Option<Program>> {
    let index = |at: Option<usize>| at.and_then(|at| Index::new(bytes, at));
    let Some(names) = index(number::<1>(bytes, 2)) else { return Ok(None) };
    let Some(tops) = index(Some(names.end)) else { return Ok(None) };
    let Some(strings) = index(Some(tops.end)) else { return Ok(None) };
    let global = index(Some(strings.end)).unwrap_or_default();
    let top = dictionary(tops.get(0).unwrap_or_default(), budget)?;
    let offset = |operator: u16, place: usize| {
        let value = *top.get(&operator)?.get(place)?;
        usize::try_from(value).ok()
    };
    let Some(glyphs) = index(offset(17, 0)) else { return Ok(None) };
    let count = glyphs.count.min(MAX_GLYPHS);
    let keyed = top.contains_key(&ROS);
    let mut program = Program::default();
    let charset = charset(bytes, offset(15, 0).unwrap_or(0), count, keyed, budget)?;
    if keyed {
        let glyphs = charset.iter().enumerate().map(|(glyph, cid)| (*cid, glyph as u16));
        program.cids = Some(glyphs.rev().collect());
    } else {
        for (glyph, string) in charset.iter().enumerate().skip(1) {
            if let Some(name) = name(*string, &strings) {
                budget.scan(name.len())?;
                program.names.insert(glyph as u16, name.into());
            }
        }
        encoding(bytes, offset(16, 0).unwrap_or(0), &charset, &mut program, budget)?;
    }
    // The subroutines of each glyph's own dictionary.
    let local = |dict: &BTreeMap<u16, Vec<i64>>, budget: &mut Budget| -> Result<Index<'_>> {
        let part = |place: usize| usize::try_from(*dict.get(&18)?.get(place)?).ok();
        let Some((size, start)) = part(0).zip(part(1)) else { return Ok(Index::default()) };
        let private = start.checked_add(size).and_then(|end| bytes.get(start..end));
        let private = dictionary(private.unwrap_or_default(), budget)?;
        let offset = private.get(&19).and_then(|list| usize::try_from(*list.first()?).ok());
        Ok(index(offset.and_then(|offset| start.checked_add(offset))).unwrap_or_default())
    };
    let mut locals = Vec::new();
    let mut owners = Vec::new();
    match index(offset(FONT_DICTS, 0)).filter(|_| keyed) {
        Some(dicts) => {
            for place in 0..dicts.count.min(MAX_PRIVATE) {
                let dict = dictionary(dicts.get(place).unwrap_or_default(), budget)?;
                locals.push(local(&dict, budget)?);
            }
            owners = select(bytes, offset(FONT_SELECT, 0), count, budget)?;
        }
        None => locals.push(local(&top, budget)?),
    }
    for glyph in 0..count {
        let owner = usize::from(owners.get(glyph).copied().unwrap_or(0));
        let local = locals.get(owner).copied().unwrap_or_default();
        let called = Called { global, local };
        let bytes = glyphs.get(glyph).unwrap_or_default();
        if !draws(bytes, Dialect::Type2, &called, budget)? {
            program.blank.insert(glyph as u16);
        }
    }
    Ok(Some(program))
}

/// Operators of two bytes, the second after 12.
const ROS: u16 = 12 << 8 | 30;
const FONT_DICTS: u16 = 12 << 8 | 36;
const FONT_SELECT: u16 = 12 << 8 | 37;

struct Called<'a> {
    global: Index<'a>,
    local: Index<'a>,
}

impl Subroutines for Called<'_> {
    fn get(&self, global: bool, operand: i64) -> Option<&[u8]> {
        let index = if global { &self.global } else { &self.local };
        let bias = match index.count {
            0..1240 => 107,
            1240..33_900 => 1131,
            _ => 32_768,
        };
        index.get(usize::try_from(operand + bias).ok()?)
    }
}

/// An array of byte strings.
#[derive(Clone, Copy, Default)]
struct Index<'a> {
    bytes: &'a [u8],
    count: usize,
    size: usize,
    offsets: usize,
    end: usize,
}

impl<'a> Index<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Option<Self> {
        let count = number::<2>(bytes, at)?;
        if count == 0 {
            return Some(Self { bytes, end: at + 2, ..Self::default() });
        }
        let size = number::<1>(bytes, at + 2).filter(|size| (1..=4).contains(size))?;
        let mut index = Self { bytes, count, size, offsets: at + 3, end: 0 };
        index.end = index.place(count)?;
        (index.end <= bytes.len()).then_some(index)
    }

    /// Where the string with this number begins.
    fn place(&self, item: usize) -> Option<usize> {
        let at = self.offsets + item * self.size;
        let part = self.bytes.get(at..at + self.size)?;
        let offset = part.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        // Offsets count from the byte before the data.
        (self.offsets + (self.count + 1) * self.size).checked_add(offset)?.checked_sub(1)
    }

    fn get(&self, item: usize) -> Option<&'a [u8]> {
        if item >= self.count {
            return None;
        }
        self.bytes.get(self.place(item)?..self.place(item + 1)?)
    }
}

/// Operators and their operands; real numbers as 0.
fn dictionary(bytes: &[u8], budget: &mut Budget) -> Result<BTreeMap<u16, Vec<i64>>> {
    budget.scan(bytes.len())?;
    let mut found = BTreeMap::new();
    let mut operands = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        at += 1;
        let next = |offset: usize| i64::from(bytes.get(at + offset).copied().unwrap_or(0));
        match byte {
            0..=21 => {
                let mut operator = u16::from(byte);
                if byte == 12 {
                    operator = operator << 8 | next(0) as u16;
                    at += 1;
                }
                found.insert(operator, std::mem::take(&mut operands));
            }
            28 => {
                operands.push(i64::from((next(0) << 8 | next(1)) as i16));
                at += 2;
            }
            29 => {
                let value = next(0) << 24 | next(1) << 16 | next(2) << 8 | next(3);
                operands.push(i64::from(value as i32));
                at += 4;
            }
            // Nibbles up to 15.
            30 => {
                let rest = bytes.get(at..).unwrap_or_default();
                let last = rest.iter().position(|byte| byte >> 4 == 15 || byte & 15 == 15);
                at += last.map_or(rest.len(), |last| last + 1);
                operands.push(0);
            }
            32..=246 => operands.push(i64::from(byte) - 139),
            247..=250 => {
                operands.push((i64::from(byte) - 247) * 256 + next(0) + 108);
                at += 1;
            }
            251..=254 => {
                operands.push(-(i64::from(byte) - 251) * 256 - next(0) - 108);
                at += 1;
            }
            _ => {}
        }
        operands.truncate(64);
    }
    Ok(found)
}

/// The string or identifier of each glyph.
fn charset(
    bytes: &[u8],
    at: usize,
    count: usize,
    keyed: bool,
    budget: &mut Budget,
) -> Result<Vec<u16>> {
    budget.scan(count)?;
    if at <= 2 {
        let listed: Vec<u16> = match at {
            _ if keyed => (0..=u16::MAX).collect(),
            0 => (0..=228).collect(),
            1 => EXPERT.iter().flat_map(|(first, last)| *first..=*last).collect(),
            _ => EXPERT_SUBSET.iter().flat_map(|(first, last)| *first..=*last).collect(),
        };
        return Ok(listed.into_iter().take(count).collect());
    }
    let mut glyphs = vec![0];
    let format = number::<1>(bytes, at);
    let mut at = at + 1;
    while glyphs.len() < count {
        let Some(first) = u16_at(bytes, at) else { break };
        let left = match format {
            Some(0) => Some(0),
            Some(1) => number::<1>(bytes, at + 2),
            Some(2) => number::<2>(bytes, at + 2),
            _ => break,
        };
        let Some(left) = left else { break };
        at += 2 + format.unwrap_or(0);
        let last = usize::from(first) + left;
        let fits = (usize::from(first)..=last.min(usize::from(u16::MAX))).map(|id| id as u16);
        glyphs.extend(fits.take(count - glyphs.len()));
    }
    Ok(glyphs)
}

/// Predefined charsets as stretches of strings (Appendix C).
const EXPERT: [(u16, u16); 16] = [
    (0, 1),
    (229, 238),
    (13, 15),
    (99, 99),
    (239, 248),
    (27, 28),
    (249, 266),
    (109, 110),
    (267, 318),
    (158, 158),
    (155, 155),
    (163, 163),
    (319, 326),
    (150, 150),
    (164, 164),
    (169, 169),
];
const EXPERT_SUBSET: [(u16, u16); 22] = [
    (0, 1),
    (231, 232),
    (235, 238),
    (13, 15),
    (99, 99),
    (239, 248),
    (27, 28),
    (249, 251),
    (253, 266),
    (109, 110),
    (267, 270),
    (272, 272),
    (300, 302),
    (305, 305),
    (314, 315),
    (158, 158),
    (155, 155),
    (163, 163),
    (320, 326),
    (150, 150),
    (164, 164),
    (169, 169),
];

fn name(string: u16, strings: &Index<'_>) -> Option<String> {
    static STANDARD: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();
    let standard = STANDARD.get_or_init(|| include_str!("strings.txt").lines().collect());
    let place = usize::from(string);
    match standard.get(place) {
        Some(name) => Some((*name).to_owned()),
        None => String::from_utf8(strings.get(place - standard.len())?.to_vec()).ok(),
    }
}

fn encoding(
    bytes: &[u8],
    at: usize,
    charset: &[u16],
    program: &mut Program,
    budget: &mut Budget,
) -> Result<()> {
    if at <= 1 {
        // The expert encoding has no letters that text is made of; it stays without meaning.
        program.standard = at == 0;
        return Ok(());
    }
    let format = number::<1>(bytes, at).unwrap_or(0);
    let entries = number::<1>(bytes, at + 1).unwrap_or(0);
    let mut place = at + 2;
    let mut glyph = 1_u16;
    for _ in 0..entries {
        let Some(first) = number::<1>(bytes, place) else { break };
        let left = if format & 0x7f == 0 { Some(0) } else { number::<1>(bytes, place + 1) };
        place += if format & 0x7f == 0 { 1 } else { 2 };
        for code in first..=first + left.unwrap_or(0) {
            if let Ok(code) = u8::try_from(code) {
                program.codes.entry(code).or_insert(glyph);
            }
            glyph = glyph.saturating_add(1);
        }
    }
    if format & 0x80 != 0 {
        // Codes more of glyphs that have one.
        let more = number::<1>(bytes, place).unwrap_or(0);
        let places: BTreeMap<u16, usize> =
            charset.iter().enumerate().rev().map(|(glyph, string)| (*string, glyph)).collect();
        budget.scan(charset.len())?;
        for entry in 0..more {
            let at = place + 1 + 3 * entry;
            let found = number::<1>(bytes, at).zip(u16_at(bytes, at + 1));
            let glyph = found.and_then(|(code, string)| Some((code, *places.get(&string)?)));
            if let Some((code, glyph)) = glyph {
                program.codes.insert(code as u8, glyph as u16);
            }
        }
    }
    Ok(())
}

/// Which private dictionary each glyph uses.
fn select(bytes: &[u8], at: Option<usize>, count: usize, budget: &mut Budget) -> Result<Vec<u8>> {
    budget.scan(count)?;
    let Some(at) = at else { return Ok(Vec::new()) };
    let mut owners = Vec::new();
    match number::<1>(bytes, at) {
        Some(0) => owners.extend(bytes.iter().skip(at + 1).take(count)),
        Some(3) => {
            let ranges = number::<2>(bytes, at + 1).unwrap_or(0);
            for range in 0..ranges {
                let place = at + 3 + 3 * range;
                let owner = number::<1>(bytes, place + 2).unwrap_or(0) as u8;
                let end = number::<2>(bytes, place + 3).unwrap_or(0).min(count);
                if end > owners.len() {
                    owners.resize(end, owner);
                }
            }
        }
        _ => {}
    }
    Ok(owners)
}
