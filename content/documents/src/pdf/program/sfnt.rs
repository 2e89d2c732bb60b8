//! TrueType and OpenType programs: character tables, names, and which glyphs have an outline.

use super::{compact, number, Program, MAX_GLYPHS};
use crate::budget::{Budget, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Most tables of a program, and of its character tables.
const MAX_TABLES: usize = 64;
/// Most characters of one character table.
const MAX_CHARACTERS: usize = 140_000;
/// How much of its em squared a glyph covers at least (a full stop 0.008).
const MARK: f64 = 0.0008;
/// How far right and up of its place a contour may begin to be part of a letter, in ems.
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
        let empty = |part: &Part| match outline(part.glyph) {
            None | Some([] | [0, 0, ..]) => true,
            Some(data) => !leaves_a_mark(data, em, part),
        };
        let composed = outline(glyph).filter(|data| data.first().is_some_and(|sign| *sign > 0x7f));
        let draws = match composed {
            None => !empty(&Part::whole(glyph)),
            Some(data) => parts(data, em).iter().any(|part| !empty(part)),
        };
        if !draws {
            found.insert(glyph as u16);
        }
    }
    Ok(found)
}

/// Whether a simple outline covers some of its em: lines without a width, contours that undo each other
/// and dots that no screen shows do not, nor does what lies far from its place. Outlines that break
/// off, and composed ones in others, do.
fn leaves_a_mark(data: &[u8], em: usize, part: &Part) -> bool {
    covers(data, em, part).is_none_or(|area| area >= MARK)
}

/// The area of a simple outline that is moved, in its em squared.
fn covers(data: &[u8], em: usize, part: &Part) -> Option<f64> {
    let signed = |at: usize| number::<2>(data, at).map(|value| value as u16 as i16);
    let contours = usize::try_from(signed(0)?).ok()?;
    if em == 0 {
        return None;
    }
    let em = em as f64;
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
    let (mut xs, mut ys) = (axis(2, 16)?, axis(4, 32)?);
    for (x, y) in xs.iter_mut().zip(&mut ys) {
        (*x, *y) = part.point(*x, *y);
    }
    let (mut area, mut start) = (0.0, 0);
    for end in ends {
        let (xs, ys) = (xs.get(start..=end)?, ys.get(start..=end)?);
        start = end + 1;
        let sides = |values: &[f64]| {
            let ends = (f64::INFINITY, f64::NEG_INFINITY);
            values.iter().fold(ends, |(least, most), value| (least.min(*value), most.max(*value)))
        };
        let ((left, far), (bottom, top)) = (sides(xs), sides(ys));
        if left > FAR || far < -1.0 || bottom > FAR || top < -1.0 {
            continue;
        }
        for (place, (x, y)) in xs.iter().zip(ys).enumerate() {
            let next = (place + 1) % xs.len();
            area += x * ys.get(next)? - xs.get(next)? * y;
        }
    }
    Some(area.abs() / 2.0)
}

/// A glyph inside of another one.
struct Part {
    glyph: usize,
    /// How it is scaled and turned there: where both axes go.
    axes: [f64; 4],
    /// How far right and up it is moved, in ems.
    offset: (f64, f64),
}

impl Part {
    fn whole(glyph: usize) -> Self {
        Self { glyph, axes: [1.0, 0.0, 0.0, 1.0], offset: (0.0, 0.0) }
    }

    fn point(&self, x: f64, y: f64) -> (f64, f64) {
        let ([a, b, c, d], (right, up)) = (self.axes, self.offset);
        (a * x + c * y + right, b * x + d * y + up)
    }
}

/// The glyphs that a composed one is made of.
fn parts(data: &[u8], em: usize) -> Vec<Part> {
    let mut found = Vec::new();
    let mut at = 10;
    let signed =
        |at: usize| number::<2>(data, at).map_or(0.0, |value| f64::from(value as u16 as i16));
    let byte = |at: usize| number::<1>(data, at).map_or(0.0, |value| f64::from(value as u8 as i8));
    while let Some((flags, glyph)) = number::<2>(data, at).zip(number::<2>(data, at + 2)) {
        at += 4;
        let words = flags & 1 != 0;
        let (x, y) = if words { (signed(at), signed(at + 2)) } else { (byte(at), byte(at + 1)) };
        at += if words { 4 } else { 2 };
        // Without the flag they are points that are laid on one another.
        let moved = flags & 2 != 0 && em > 0;
        let offset = if moved { (x / em as f64, y / em as f64) } else { (0.0, 0.0) };
        let two = |at: usize| signed(at) / 16_384.0;
        let (axes, length) = match flags {
            _ if flags & 0x08 != 0 => ([two(at), 0.0, 0.0, two(at)], 2),
            _ if flags & 0x40 != 0 => ([two(at), 0.0, 0.0, two(at + 2)], 4),
            _ if flags & 0x80 != 0 => ([two(at), two(at + 2), two(at + 4), two(at + 6)], 8),
            _ => ([1.0, 0.0, 0.0, 1.0], 0),
        };
        at += length;
        found.push(Part { glyph, axes, offset });
        if flags & 0x20 == 0 || found.len() == MAX_PARTS {
            break;
        }
    }
    found
}
