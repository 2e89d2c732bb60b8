//! Fonts whose codes are single bytes.

use super::super::document::Document;
use super::super::encoding::{standard_width, Base};
use super::super::glyphs::glyph_text;
use super::super::matrix::Matrix;
use super::super::object::{Dict, Object};
use super::super::program::Program;
use super::{number, program, width_of, Own};
use crate::budget::Result;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Debug)]
pub(super) struct Simple {
    own: Vec<Own>,
    first: usize,
    widths: Vec<f32>,
    /// Where no width is given.
    default_width: f64,
    /// For fonts without metrics in the file.
    standard: Option<String>,
    /// Text space units of one unit of width.
    unit: f64,
    /// The procedures of glyphs that are drawn by such, from their units to those of text.
    pub(super) procedures: BTreeMap<u8, Object>,
    pub(super) matrix: Matrix,
    pub(super) resources: Option<Rc<Dict>>,
    /// How high letters reach, in text space units for a size of 1: another height than 1 only where
    /// glyphs are drawn by procedures, in units of their own.
    pub(super) height: f64,
}

/// What the dictionary says of codes.
struct Encoding {
    base: Option<Base>,
    differences: BTreeMap<u8, Box<str>>,
}

impl Simple {
    pub(super) fn load(document: &mut Document<'_>, dict: &Dict, name: &str) -> Result<Self> {
        let subtype = document.get(dict, "Subtype")?;
        let encoding = encoding(document, dict)?;
        let descriptor = document.get(dict, "FontDescriptor")?.dict().cloned().unwrap_or_default();
        let flags = number(document, &descriptor, "Flags")? as i64;
        let symbolic = flags & 4 != 0 && flags & 32 == 0;
        let first = document.get(dict, "FirstChar")?.index(255).unwrap_or(0);
        let listed = document.get(dict, "Widths")?;
        let mut widths = Vec::new();
        for item in listed.array().unwrap_or_default().iter().take(256) {
            widths.push(width_of(document, item)?);
        }
        let default_width = number(document, &descriptor, "MissingWidth")?;
        let mut procedures = BTreeMap::new();
        let own = if subtype.is_name("Type3") {
            procedures = procedures_of(document, dict, &encoding)?;
            every(|code| match encoding.differences.get(&code) {
                Some(name) => named(name, false, false),
                None if procedures.contains_key(&code) => {
                    let text = encoding.base.and_then(|base| base.text(code));
                    Own { sure: text.is_some(), text: text.map(Into::into), ..Own::default() }
                }
                None => Own::default(),
            })
        } else {
            let program = program(document, &descriptor)?;
            let truetype = subtype.is_name("TrueType");
            match program {
                Some(program) if program.is_truetype() => by_tables(&program, &encoding, symbolic),
                Some(program) => by_names(&program, &encoding, name),
                None => without_program(&encoding, name, truetype),
            }
        };
        let (mut unit, mut height) = (0.001, 1.0);
        let matrix = document.get(dict, "FontMatrix")?;
        let resources = document.get(dict, "Resources")?.dict().cloned();
        let place = matrix.array().and_then(Matrix::from_objects);
        let place = place.unwrap_or(Matrix([0.001, 0.0, 0.0, 0.001, 0.0, 0.0]));
        if subtype.is_name("Type3") {
            unit = matrix.array().and_then(|m| m.first()?.number()).unwrap_or(unit).abs();
            let rise = matrix.array().and_then(|m| m.get(3)?.number()).unwrap_or(unit).abs();
            let widest = widths.iter().fold(0.0_f32, |most, w| if *w > most { *w } else { most });
            let bounds = document.rectangle(dict, "FontBBox")?;
            let stated = bounds.map_or(0.0, |bounds| bounds.height() * rise);
            // Many state a box of nothing; letters are about as high as the widest of them.
            let guessed = f64::from(widest) * unit;
            height = if stated > guessed { stated } else { guessed };
            if height <= 0.0 {
                height = 1.0;
            }
        }
        let standard = widths.is_empty().then(|| name.to_owned());
        Ok(Self {
            own,
            first,
            widths,
            default_width,
            standard,
            unit,
            procedures,
            matrix: place,
            resources,
            height,
        })
    }

    pub(super) fn size(&self) -> usize {
        self.own.len() + self.widths.len() / 8
    }

    pub(super) fn show(&self, code: u8) -> (&Own, f64) {
        static NONE: Own = Own { text: None, others: Vec::new(), sure: false, blank: false };
        let listed = usize::from(code).checked_sub(self.first).and_then(|at| self.widths.get(at));
        let own = self.own.get(usize::from(code)).unwrap_or(&NONE);
        let width = match (listed, &self.standard) {
            (Some(width), _) => f64::from(*width),
            (None, Some(font)) => standard_width(font, own.text.as_deref()),
            (None, None) => self.default_width,
        };
        (own, width * self.unit)
    }
}

fn encoding(document: &mut Document<'_>, dict: &Dict) -> Result<Encoding> {
    let encoding = document.get(dict, "Encoding")?;
    let base = match &encoding {
        Object::Dict(inner) => document.get(inner, "BaseEncoding")?,
        other => other.clone(),
    };
    let base = match base.name().unwrap_or_default() {
        b"WinAnsiEncoding" => Some(Base::WinAnsi),
        b"MacRomanEncoding" => Some(Base::MacRoman),
        b"StandardEncoding" => Some(Base::Standard),
        _ => None,
    };
    let mut differences = BTreeMap::new();
    if let Object::Dict(inner) = &encoding {
        let listed = document.get(inner, "Differences")?;
        let mut code = 0_i64;
        for item in listed.array().unwrap_or_default() {
            match document.resolve(item)? {
                Object::Number(number) => code = number as i64,
                Object::Name(name) => {
                    if let Ok(code) = u8::try_from(code) {
                        let name = String::from_utf8_lossy(&name).into_owned();
                        differences.insert(code, name.into_boxed_str());
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
    }
    Ok(Encoding { base, differences })
}

/// Which of the fonts that are no alphabet this is.
fn symbols(name: &str) -> Option<Base> {
    let begins = |start: &str| name.starts_with(start);
    match name {
        _ if begins("Symbol") => Some(Base::Symbol),
        _ if begins("ZapfDingbats") => Some(Base::Dingbats),
        _ => None,
    }
}

fn every(own: impl FnMut(u8) -> Own) -> Vec<Own> {
    (0..=255).map(own).collect()
}

fn named(name: &str, dingbats: bool, blank: bool) -> Own {
    let text = glyph_text(name, dingbats).map(String::into_boxed_str);
    Own { sure: text.is_some(), text, blank, others: Vec::new() }
}

fn without_program(encoding: &Encoding, name: &str, truetype: bool) -> Vec<Own> {
    let symbols = symbols(name);
    // Fonts of signs by their makers' names: their codes are no letters, whatever they are called.
    let unknown = ["Wingdings", "Webdings"].iter().any(|signs| name.starts_with(signs));
    let usual = if truetype { Base::WinAnsi } else { Base::Standard };
    let base = symbols.or(encoding.base).unwrap_or(usual);
    every(|code| match encoding.differences.get(&code) {
        Some(name) => named(name, symbols == Some(Base::Dingbats), false),
        None if unknown => Own::default(),
        // Line ends and the like, which no reader draws anything for.
        None if code < 0x20 || code == 0x7f => Own { text: Some("".into()), ..Own::default() },
        None => {
            let text = base.text(code).map(String::into_boxed_str);
            Own { sure: text.is_some(), text, ..Own::default() }
        }
    })
}

/// Type 1 and CFF: glyphs have names.
fn by_names(program: &Program, encoding: &Encoding, name: &str) -> Vec<Own> {
    let glyphs = program.named();
    let dingbats = symbols(name) == Some(Base::Dingbats);
    let base = encoding.base.or(program.standard.then_some(Base::Standard));
    if glyphs.is_empty() && !program.standard {
        // What cannot be read is drawn in another font.
        return without_program(encoding, name, false);
    }
    let texts: BTreeMap<String, u16> = glyphs
        .iter()
        .rev()
        .filter_map(|(name, glyph)| Some((glyph_text(name, false)?, *glyph)))
        .collect();
    every(|code| {
        let blank = |glyph: Option<u16>| glyph.is_some_and(|glyph| program.blank.contains(&glyph));
        if let Some(name) = encoding.differences.get(&code) {
            return named(name, dingbats, blank(glyphs.get(&**name).copied()));
        }
        if encoding.base.is_none() {
            let glyph = program.codes.get(&code).copied();
            if let Some(name) = glyph.and_then(|glyph| program.names.get(&glyph)) {
                return named(name, dingbats, blank(glyph));
            }
            if !program.standard {
                return Own::default();
            }
        }
        let text = base.and_then(|base| base.text(code)).map(String::into_boxed_str);
        let glyph = text.as_deref().and_then(|text| texts.get(text)).copied();
        Own { sure: text.is_some(), blank: blank(glyph), text, others: Vec::new() }
    })
}

/// TrueType: glyphs have places in tables (9.6.6.4).
fn by_tables(program: &Program, encoding: &Encoding, symbolic: bool) -> Vec<Own> {
    let names = program.named();
    let places: BTreeMap<char, u16> =
        program.characters.iter().rev().map(|(glyph, character)| (*character, *glyph)).collect();
    let uses_encoding = !symbolic && (encoding.base.is_some() || !encoding.differences.is_empty());
    let usual = encoding.base.unwrap_or(if uses_encoding { Base::Standard } else { Base::WinAnsi });
    every(|code| {
        let name = encoding.differences.get(&code);
        let stated = match name {
            Some(name) => glyph_text(name, false),
            None => usual.text(code),
        };
        let coded = program.codes.get(&code).copied();
        let by_text = || {
            let text = stated.as_deref()?;
            let mut characters = text.chars();
            let only = characters.next().filter(|_| characters.next().is_none())?;
            places.get(&only).copied()
        };
        let by_name = || names.get(&**name?).copied();
        let glyph = match uses_encoding {
            true => by_text().or_else(by_name).or(coded),
            false => coded.or_else(by_text),
        };
        let blank = glyph.is_some_and(|glyph| program.blank.contains(&glyph));
        let own = glyph.and_then(|glyph| program.text(glyph));
        match (uses_encoding, own) {
            (false, Some((text, others))) => {
                Own { text: Some(text.into()), others, sure: true, blank }
            }
            _ => {
                let text = stated.map(String::into_boxed_str);
                let sure = uses_encoding && text.is_some();
                let others = glyph.map(|glyph| program.characters_of(glyph)).unwrap_or_default();
                Own { text, others, sure, blank }
            }
        }
    })
}

/// Type 3: glyphs are drawn by procedures, and named by whoever wrote them.
fn procedures_of(
    document: &mut Document<'_>,
    dict: &Dict,
    encoding: &Encoding,
) -> Result<BTreeMap<u8, Object>> {
    let procedures = document.get(dict, "CharProcs")?.dict().cloned().unwrap_or_default();
    document.budget.scan(procedures.len() * (encoding.differences.len() + 1))?;
    let mut found = BTreeMap::new();
    if let Some(base) = encoding.base {
        let texts: BTreeMap<String, Object> = (procedures.iter())
            .filter_map(|(name, procedure)| {
                let text = glyph_text(&String::from_utf8_lossy(name), false)?;
                Some((text, procedure.clone()))
            })
            .collect();
        let of = |code: u8| Some((code, texts.get(&base.text(code)?)?.clone()));
        found.extend((0..=255).filter_map(of));
    }
    for (code, name) in &encoding.differences {
        found.insert(*code, procedures.get(name).clone());
    }
    found.retain(|_, procedure| *procedure != Object::Null);
    Ok(found)
}
