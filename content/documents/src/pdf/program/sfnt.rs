//! TrueType and OpenType programs: character tables, names, and which glyphs have an outline.

use super::{compact, number, Program, MAX_GLYPHS};
use crate::budget::{Budget, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Most tables of a program, and of its character tables.
const MAX_TABLES: usize = 64;
/// Most characters of one character table.
const MAX_CHARACTERS: usize = 140_000;
/// How much of its em squared a glyph covers at least (a full stop 0.008), and how far from its place it
/// may lie, in ems.
const MARK: f64 = 0.0008;
const FAR: f64 = 2.0;
/// Most parts of a composed glyph that are looked at.
const MAX_PARTS: usize = 8;

pub(super) fn parse(bytes: &[u8], budget: &mut Budget) -> Result<Program> {
    let start = match bytes.starts_with(b"ttcf") {
        true => number::<4>(bytes, 12).unwrap_or(0),
        false => 0,
    };
    let mut tables: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
    let count = start.checked_add(4).and_then(|at| number::<2>(bytes, at)).unwrap_or(0);
    for table in 0..count.min(MAX_TABLES) {
        let at = start + 12 + 16 * table;
        let Some(tag) = bytes.get(at..at + 4) else { break };
        let place = number::<4>(bytes, at + 8).zip(number::<4>(bytes, at + 12));
        let data = place.and_then(|(offset, length)| {
            let rest = bytes.get(offset..)?;
            Some(rest.get(..length).unwrap_or(rest))
        });
        tables.insert(tag, data.unwrap_or_default());
    }
    let table = |tag: &[u8; 4]| tables.get(tag.as_slice()).copied().unwrap_or_default();
    let mut program = match table(b"CFF ") {
        [] => Program::default(),
        data => compact::parse(data, budget)?,
    };
    character_tables(table(b"cmap"), &mut program, budget)?;
    if program.names.is_empty() && program.cids.is_none() {
        program.names = names(table(b"post"), budget)?;
    }
    program.tables = table(b"CFF ").is_empty();
    if !table(b"glyf").is_empty() || !table(b"loca").is_empty() {
        let count = number::<2>(table(b"maxp"), 4).unwrap_or(0);
        let wide = number::<2>(table(b"head"), 50) == Some(1);
        let em = number::<2>(table(b"head"), 18).unwrap_or(0);
        program.blank = blank(table(b"loca"), table(b"glyf"), wide, (count, em), budget)?;
    }
    Ok(program)
}

/// The tables that count: one of Unicode's, and what gives symbolic fonts their codes.
fn character_tables(cmap: &[u8], program: &mut Program, budget: &mut Budget) -> Result<()> {
    let mut best: Option<(u8, &[u8])> = None;
    let (mut symbol, mut mac) = (None, None);
    for table in 0..number::<2>(cmap, 2).unwrap_or(0).min(MAX_TABLES) {
        let at = 4 + 8 * table;
        let kind = number::<2>(cmap, at).zip(number::<2>(cmap, at + 2));
        let data = number::<4>(cmap, at + 4).and_then(|offset| cmap.get(offset..));
        let Some((kind, data)) = kind.zip(data) else { break };
        let rank = match kind {
            (3, 10) | (0, 4 | 6) => 3,
            (3, 1) => 2,
            (0, 0..=3) => 1,
            (3, 0) => {
                symbol = symbol.or(Some(data));
                continue;
            }
            (1, 0) => {
                mac = mac.or(Some(data));
                continue;
            }
            _ => continue,
        };
        if best.is_none_or(|(other, _)| rank > other) {
            best = Some((rank, data));
        }
    }
    if let Some((_, data)) = best {
        for (code, glyph) in entries(data, budget)? {
            if let Some(character) = char::from_u32(code) {
                program.characters.push((glyph, character));
            }
        }
        program.characters.sort_unstable();
    }
    // The symbol table first (9.6.6.4); its codes stand at F000, or at 0.
    let mut codes = BTreeMap::new();
    for data in mac.into_iter().chain(symbol) {
        for (code, glyph) in entries(data, budget)? {
            if matches!(code, 0..=0xff | 0xf000..=0xf0ff) {
                codes.insert(code as u8, glyph);
            }
        }
    }
    if program.codes.is_empty() {
        program.codes = codes;
    }
    Ok(())
}

/// Codes and glyphs of a character table; glyph 0 is none.
fn entries(table: &[u8], budget: &mut Budget) -> Result<Vec<(u32, u16)>> {
    let mut found = Vec::new();
    let mut put = |code: usize, glyph: usize, budget: &mut Budget| -> Result<bool> {
        budget.scan(1)?;
        if glyph != 0 && glyph <= MAX_GLYPHS {
            found.push((code as u32, glyph as u16));
        }
        Ok(found.len() < MAX_CHARACTERS)
    };
    match number::<2>(table, 0) {
        Some(0) => {
            for code in 0..256 {
                put(code, number::<1>(table, 6 + code).unwrap_or(0), budget)?;
            }
        }
        Some(4) => {
            let segments = number::<2>(table, 6).unwrap_or(0) / 2;
            'segments: for segment in 0..segments {
                let value = |list: usize| {
                    number::<2>(table, 14 + 2 * (list * segments + segment + usize::from(list > 0)))
                };
                let values = value(0).zip(value(1)).zip(value(2).zip(value(3)));
                let Some(((end, start), (delta, offset))) = values else { break };
                for code in start..=end {
                    let glyph = match offset {
                        0 => (code + delta) & 0xffff,
                        _ => {
                            let list = 14 + 2 * (3 * segments + segment + 1);
                            let at = list + offset + 2 * (code - start);
                            match number::<2>(table, at).unwrap_or(0) {
                                0 => 0,
                                glyph => (glyph + delta) & 0xffff,
                            }
                        }
                    };
                    if code != 0xffff && !put(code, glyph, budget)? {
                        break 'segments;
                    }
                }
            }
        }
        Some(6) => {
            let first = number::<2>(table, 6).unwrap_or(0);
            for place in 0..number::<2>(table, 8).unwrap_or(0) {
                let glyph = number::<2>(table, 10 + 2 * place).unwrap_or(0);
                if !put(first + place, glyph, budget)? {
                    break;
                }
            }
        }
        Some(12) => {
            'groups: for group in 0..number::<4>(table, 12).unwrap_or(0).min(MAX_CHARACTERS) {
                let value = |place: usize| number::<4>(table, 16 + 12 * group + 4 * place);
                let Some(((start, end), glyph)) = value(0).zip(value(1)).zip(value(2)) else {
                    break;
                };
                budget.scan(12)?;
                for code in start..=end.min(0x10_ffff) {
                    if !put(code, glyph + (code - start), budget)? {
                        break 'groups;
                    }
                }
            }
        }
        _ => {}
    }
    Ok(found)
}

/// Names of glyphs in Apple's order, and those that the table brings.
fn names(post: &[u8], budget: &mut Budget) -> Result<BTreeMap<u16, Box<str>>> {
    static APPLE: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();
    let apple = APPLE.get_or_init(|| include_str!("mac_names.txt").lines().collect());
    let mut found = BTreeMap::new();
    match number::<4>(post, 0) {
        Some(0x1_0000) => {
            found.extend(
                apple.iter().enumerate().map(|(glyph, name)| (glyph as u16, (*name).into())),
            );
        }
        Some(0x2_0000) => {
            let count = number::<2>(post, 32).unwrap_or(0);
            budget.scan(post.len())?;
            let mut own: Vec<&[u8]> = Vec::new();
            let mut at = 34 + 2 * count;
            while let Some(length) = number::<1>(post, at) {
                let Some(name) = post.get(at + 1..at + 1 + length) else { break };
                own.push(name);
                at += 1 + length;
            }
            for glyph in 0..count {
                let Some(place) = number::<2>(post, 34 + 2 * glyph) else { break };
                let name = match apple.get(place) {
                    Some(name) => Some(*name),
                    None => own.get(place - apple.len()).and_then(|n| std::str::from_utf8(n).ok()),
                };
                if let Some(name) = name.filter(|name| !name.is_empty() && *name != ".notdef") {
                    found.insert(glyph as u16, name.into());
                }
            }
        }
        _ => {}
    }
    Ok(found)
}

/// Glyphs without an outline: nothing is stored of them, they have no contour, or all their parts
/// are such.
fn blank(
    loca: &[u8],
    glyf: &[u8],
    wide: bool,
    (count, em): (usize, usize),
    budget: &mut Budget,
) -> Result<BTreeSet<u16>> {
    budget.scan(count + glyf.len())?;
    let place = |glyph: usize| match wide {
        true => number::<4>(loca, 4 * glyph),
        false => number::<2>(loca, 2 * glyph).map(|half| 2 * half),
    };
    let outline = |glyph: usize| {
        let (start, end) = place(glyph).zip(place(glyph + 1))?;
        glyf.get(start..end)
    };
    let mut found = BTreeSet::new();
    for glyph in 0..count {
        let empty = |glyph: usize| match outline(glyph) {
            None | Some([] | [0, 0, ..]) => true,
            Some(data) => !leaves_a_mark(data, em),
        };
        let composed = outline(glyph).filter(|data| data.first().is_some_and(|sign| *sign > 0x7f));
        let draws = match composed {
            None => !empty(glyph),
            Some(data) => parts(data).iter().any(|part| !empty(*part)),
        };
        if !draws {
            found.insert(glyph as u16);
        }
    }
    Ok(found)
}

/// Whether a simple outline covers some of its em: lines without a width, contours that undo each other
/// and dots that no screen shows do not, nor does what lies far from its place. Composed glyphs, and
/// outlines that break off, do.
fn leaves_a_mark(data: &[u8], em: usize) -> bool {
    covers(data, em).unwrap_or(true)
}

fn covers(data: &[u8], em: usize) -> Option<bool> {
    let signed = |at: usize| number::<2>(data, at).map(|value| value as u16 as i16);
    let contours = usize::try_from(signed(0)?).ok()?;
    if em == 0 {
        return None;
    }
    let em = em as f64;
    let sides = [signed(2)?, signed(4)?, signed(6)?, signed(8)?].map(|side| f64::from(side) / em);
    let [left, bottom, right, top] = sides;
    if left > FAR || bottom > FAR || right < 1.0 - FAR || top < 1.0 - FAR {
        return Some(false);
    }
    let mut ends = Vec::new();
    for contour in 0..contours {
        ends.push(number::<2>(data, 10 + 2 * contour)?);
    }
    let points = ends.last()? + 1;
    let instructions = number::<2>(data, 10 + 2 * contours)?;
    let mut at = 12 + 2 * contours + instructions;
    let mut flags = Vec::with_capacity(points);
    while flags.len() < points {
        let flag = *data.get(at)?;
        at += 1;
        let mut times = 1;
        if flag & 8 != 0 {
            times += usize::from(*data.get(at)?);
            at += 1;
        }
        flags.extend(std::iter::repeat_n(flag, times));
    }
    let mut axis = |short: u8, same: u8| -> Option<Vec<f64>> {
        let (mut values, mut value) = (Vec::with_capacity(points), 0_i32);
        for flag in flags.iter().take(points) {
            if flag & short != 0 {
                let step = i32::from(*data.get(at)?);
                value += if flag & same != 0 { step } else { -step };
                at += 1;
            } else if flag & same == 0 {
                value += i32::from(number::<2>(data, at)? as u16 as i16);
                at += 2;
            }
            values.push(f64::from(value) / em);
        }
        Some(values)
    };
    let (xs, ys) = (axis(2, 16)?, axis(4, 32)?);
    let (mut area, mut start) = (0.0, 0);
    for end in ends {
        let (xs, ys) = (xs.get(start..=end)?, ys.get(start..=end)?);
        for (place, (x, y)) in xs.iter().zip(ys).enumerate() {
            let next = (place + 1) % xs.len();
            area += x * ys.get(next)? - xs.get(next)? * y;
        }
        start = end + 1;
    }
    Some(area.abs() / 2.0 >= MARK)
}

/// The glyphs that a composed one is made of.
fn parts(data: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 10;
    while let Some((flags, glyph)) = number::<2>(data, at).zip(number::<2>(data, at + 2)) {
        found.push(glyph);
        at += 4 + if flags & 1 == 0 { 2 } else { 4 };
        at += match flags {
            _ if flags & 0x08 != 0 => 2,
            _ if flags & 0x40 != 0 => 4,
            _ if flags & 0x80 != 0 => 8,
            _ => 0,
        };
        if flags & 0x20 == 0 || found.len() == MAX_PARTS {
            break;
        }
    }
    found
}
