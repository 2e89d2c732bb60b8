//! Fonts whose codes are of several bytes, and whose glyphs have identifiers.

use super::super::cmap::CMap;
use super::super::document::Document;
use super::super::glyphs::glyph_text;
use super::super::object::{Dict, Object};
use super::super::predefined::{Collection, Predefined};
use super::super::program::Program;
use super::{program, width_of, Own, MAX_CMAP};
use crate::budget::{Fault, Result};
use std::collections::BTreeMap;

/// Most widths that one stretch of a composite font may give to codes one by one.
const MAX_WIDTHS: usize = 70_000;
/// Most CMaps that one goes on from.
const MAX_BASES: usize = 4;

/// How codes are read.
#[derive(Debug)]
enum Codes {
    /// Two bytes a code, which are the glyph's identifier.
    Pairs,
    Named(Predefined),
    /// As the embedded CMap's stretches say, and those of the one that it goes on from.
    Mapped(CMap, Option<Predefined>),
}

#[derive(Debug)]
pub(super) struct Composite {
    codes: Codes,
    widths: BTreeMap<u32, (u32, f32)>,
    /// Where no width is given.
    default_width: f64,
    /// How far a vertical font moves on.
    down: f64,
    pub(super) vertical: bool,
    collection: Option<Collection>,
    program: Option<Program>,
    /// Glyphs of identifiers, where they are not the same; two bytes each.
    places: Option<Vec<u8>>,
}

impl Composite {
    pub(super) fn load(document: &mut Document<'_>, dict: &Dict) -> Result<Self> {
        let (codes, vertical) = codes(document, dict)?;
        let list = document.get(dict, "DescendantFonts")?;
        let descendant = match list.array().and_then(<[Object]>::first) {
            Some(first) => document.resolve(first)?.dict().cloned().unwrap_or_default(),
            None => Default::default(),
        };
        let info = document.get(&descendant, "CIDSystemInfo")?.dict().cloned().unwrap_or_default();
        let registry = document.get(&info, "Registry")?;
        let ordering = document.get(&info, "Ordering")?;
        let strings = registry.string().zip(ordering.string());
        let collection = strings.and_then(|(registry, name)| Collection::load(registry, name));
        let descriptor = document.get(&descendant, "FontDescriptor")?;
        let descriptor = descriptor.dict().cloned().unwrap_or_default();
        let program = program(document, &descriptor)?;
        let places = match document.stream(descendant.get("CIDToGIDMap"))? {
            Some(stream) => Some(document.decode(&stream, 2 << 16)?),
            None => None,
        };
        let default_width = document.get(&descendant, "DW")?.number().unwrap_or(1000.0);
        let down = document.get(&descendant, "DW2")?;
        let down = down.array().and_then(|pair| pair.get(1)?.number()).unwrap_or(-1000.0).abs();
        let widths = widths(document, &descendant)?;
        Ok(Self { codes, widths, default_width, down, vertical, collection, program, places })
    }

    pub(super) fn size(&self) -> usize {
        let mapped = if let Codes::Mapped(map, _) = &self.codes { map.size() } else { 0 };
        let program = self.program.as_ref().map_or(0, Program::size);
        mapped + self.widths.len() / 2 + program + self.places.as_ref().map_or(0, Vec::len) / 64
    }

    pub(super) fn code_length(&self, bytes: &[u8]) -> usize {
        match &self.codes {
            Codes::Pairs => 2,
            Codes::Named(named) => named.code_length(bytes),
            Codes::Mapped(map, _) if map.has_spaces() => map.code_length(bytes),
            Codes::Mapped(_, Some(named)) => named.code_length(bytes),
            Codes::Mapped(_, None) => 2,
        }
    }

    pub(super) fn show(&self, code: &[u8]) -> (Own, f64) {
        let number = code.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let (cid, named) = match &self.codes {
            Codes::Pairs => (Some(number), None),
            Codes::Named(named) => (named.glyph(code), named.text(code)),
            Codes::Mapped(map, base) => {
                let own = map.glyph(code);
                let base = base.as_ref().filter(|_| own.is_none());
                let glyph = own.or_else(|| base?.glyph(code));
                (glyph, base.and_then(|base| base.text(code)))
            }
        };
        let mut own = match (&self.program, cid.and_then(|cid| self.glyph(cid))) {
            (Some(program), Some(glyph)) => {
                let blank = program.blank.contains(&glyph);
                match program.text(glyph) {
                    Some((text, others)) => {
                        Own { text: Some(text.into()), others, sure: true, blank }
                    }
                    None => Own { blank, ..Own::default() },
                }
            }
            _ => Own::default(),
        };
        // What a collection of glyphs says is as sure, and what the code is in Unicode is first.
        let collected = || self.collection.as_ref()?.text(cid?);
        if let Some(text) = named.or_else(collected) {
            own.others.extend(own.text.take().iter().flat_map(|text| text.chars()));
            own.text = Some(text.into());
            own.sure = true;
        }
        let width = match self.vertical {
            true => self.down,
            false => {
                let cid = cid.unwrap_or(number);
                let listed = self.widths.range(..=cid).next_back();
                let listed = listed.filter(|(_, (last, _))| cid <= *last);
                listed.map_or(self.default_width, |(_, (_, width))| f64::from(*width))
            }
        };
        (own, width * 0.001)
    }

    /// The program's glyph of an identifier.
    fn glyph(&self, cid: u32) -> Option<u16> {
        let cid = u16::try_from(cid).ok()?;
        if let Some(cids) = self.program.as_ref().and_then(|program| program.cids.as_ref()) {
            return cids.get(&cid).copied();
        }
        match &self.places {
            Some(places) => {
                let at = 2 * usize::from(cid);
                let pair = places.get(at..at + 2)?;
                Some(pair.iter().fold(0, |glyph, byte| glyph << 8 | u16::from(*byte)))
            }
            None => Some(cid),
        }
    }
}

fn codes(document: &mut Document<'_>, dict: &Dict) -> Result<(Codes, bool)> {
    if let Object::Name(name) = document.get(dict, "Encoding")? {
        let vertical = name.ends_with(b"-V") || *name == *b"V";
        return Ok((Predefined::load(&name).map_or(Codes::Pairs, Codes::Named), vertical));
    }
    // Each CMap may go on from another one: the first of them is read first.
    let mut chain = Vec::new();
    let mut next = dict.get("Encoding").clone();
    let mut base = None;
    let mut vertical = None;
    while chain.len() < MAX_BASES {
        let Some(stream) = document.stream(&next)? else {
            base = document.resolve(&next)?.name().map(<[u8]>::to_vec);
            break;
        };
        let mode = document.get(&stream.dict, "WMode")?.index(1);
        vertical = vertical.or(mode);
        chain.push(document.decode(&stream, MAX_CMAP)?);
        next = stream.dict.get("UseCMap").clone();
    }
    if chain.is_empty() {
        return Ok((Codes::Pairs, false));
    }
    let mut map = CMap::default();
    for bytes in chain.iter().rev() {
        map.add(bytes, &mut document.budget)?;
    }
    if let Some(base) = base {
        map.set_base(&base);
    }
    let base = map.base().and_then(Predefined::load);
    Ok((Codes::Mapped(map, base), vertical == Some(1)))
}

/// `first [w w w]` or `first last w` (9.7.4.3).
fn widths(document: &mut Document<'_>, descendant: &Dict) -> Result<BTreeMap<u32, (u32, f32)>> {
    let mut widths = BTreeMap::new();
    let listed = document.get(descendant, "W")?;
    let mut items = listed.array().unwrap_or_default().iter();
    while let (Some(first), Some(second)) = (items.next(), items.next()) {
        let Some(first) = document.resolve(first)?.index(u32::MAX as usize) else { continue };
        match document.resolve(second)? {
            Object::Array(list) => {
                for (place, width) in list.iter().enumerate() {
                    let width = width_of(document, width)?;
                    let code = first.saturating_add(place) as u32;
                    widths.insert(code, (code, width));
                }
            }
            last => {
                let Some(width) = items.next() else { break };
                let width = width_of(document, width)?;
                if let Some(last) = last.index(u32::MAX as usize) {
                    widths.insert(first as u32, (last as u32, width));
                }
            }
        }
        if widths.len() > MAX_WIDTHS {
            return Err(Fault::TooMuch { what: "widths of a font", limit: MAX_WIDTHS as u64 });
        }
    }
    Ok(widths)
}

impl Program {
    /// What a glyph's place in the character table, or else its name, says: the text, and the
    /// other characters that it is used for.
    pub(super) fn text(&self, glyph: u16) -> Option<(String, Vec<char>)> {
        let characters = self.characters_of(glyph);
        match characters.split_first() {
            Some((first, others)) => Some((first.to_string(), others.to_vec())),
            None => {
                let text = glyph_text(self.names.get(&glyph)?, false)?;
                Some((text, Vec::new()))
            }
        }
    }

    /// The characters of a glyph by the character table; private ones only where there are no
    /// others.
    pub(super) fn characters_of(&self, glyph: u16) -> Vec<char> {
        let start = self.characters.partition_point(|(other, _)| *other < glyph);
        let rest = self.characters.get(start..).unwrap_or_default();
        let own = rest.iter().take_while(|(other, _)| *other == glyph).map(|(_, c)| *c);
        own.filter(|c| !super::super::letters::is_private(*c)).take(16).collect()
    }

    /// Whether glyphs are found by tables, not by names.
    pub(super) fn is_truetype(&self) -> bool {
        self.tables
    }

    /// What it costs to keep, in entries of 64 bytes.
    pub(super) fn size(&self) -> usize {
        let cids = self.cids.as_ref().map_or(0, BTreeMap::len);
        self.characters.len() / 8 + (self.blank.len() + cids) / 16 + self.names.len()
    }
}
