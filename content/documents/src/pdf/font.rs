//! Fonts: from the codes in a string to text and widths (ISO 32000-1, 9.5 to 9.10).
//!
//! A code's text is, in this order: what the font's `ToUnicode` says; for simple fonts, the name
//! that `Differences` gives it, or the character of the encoding; for composite fonts, the code
//! itself where the encoding is one of Unicode's. The font program is never looked into. A code
//! without a text is U+FFFD.

use super::cmap::CMap;
use super::document::Document;
use super::encoding::{glyph_text, standard_width, Base};
use super::object::{Dict, Object};
use crate::budget::{Fault, Result};
use std::collections::BTreeMap;

/// Largest CMap, decompressed.
const MAX_CMAP: usize = 4 << 20;
/// Most widths that one stretch of a composite font may give to codes one by one.
const MAX_WIDTHS: usize = 70_000;

/// How composite fonts read codes.
#[derive(Debug)]
enum Composite {
    /// Two bytes a code, no meaning known.
    Pairs,
    /// Two bytes a code, or four for a surrogate pair: UTF-16.
    Utf16,
    /// As the embedded CMap's stretches say.
    Mapped(CMap),
}

#[derive(Debug)]
enum Kind {
    Simple { texts: Vec<Option<Box<str>>>, first: usize, widths: Vec<f32> },
    Composite { codes: Composite, widths: BTreeMap<u32, (u32, f32)> },
}

/// One font.
#[derive(Debug)]
pub(crate) struct Font {
    kind: Kind,
    to_unicode: Option<CMap>,
    /// Where no width is given, in text space units.
    default_width: f64,
    /// For fonts without metrics in the file.
    standard: Option<String>,
    /// Whether lines run downwards.
    pub(crate) vertical: bool,
    /// Text space units of one unit of width.
    unit: f64,
}

/// One shown code.
pub(crate) struct Shown {
    pub(crate) text: Option<String>,
    /// How far it moves on, in text space units for a size of 1.
    pub(crate) width: f64,
    /// Whether it is the code 32 of one byte, which word spacing widens.
    pub(crate) is_space: bool,
}

impl Font {
    /// Reads a font's dictionary.
    pub(crate) fn load(document: &mut Document<'_>, dict: &Dict) -> Result<Self> {
        let to_unicode = match document.stream(dict.get("ToUnicode"))? {
            Some(stream) => {
                let bytes = document.decode(&stream, MAX_CMAP)?;
                Some(CMap::parse(&bytes, &mut document.budget)?)
            }
            None => None,
        };
        let name = document.get(dict, "BaseFont")?;
        let name = String::from_utf8_lossy(name.name().unwrap_or_default()).into_owned();
        match document.get(dict, "Subtype")?.is_name("Type0") {
            true => Self::composite(document, dict, to_unicode),
            false => Self::simple(document, dict, to_unicode, name),
        }
    }

    fn simple(
        document: &mut Document<'_>,
        dict: &Dict,
        to_unicode: Option<CMap>,
        name: String,
    ) -> Result<Self> {
        let subtype = document.get(dict, "Subtype")?;
        let encoding = document.get(dict, "Encoding")?;
        let base_name = match &encoding {
            Object::Dict(inner) => document.get(inner, "BaseEncoding")?,
            other => other.clone(),
        };
        let base = match base_name.name().unwrap_or_default() {
            b"WinAnsiEncoding" => Base::WinAnsi,
            b"MacRomanEncoding" => Base::MacRoman,
            b"StandardEncoding" => Base::Standard,
            _ if name.ends_with("Symbol") => Base::Symbol,
            _ if subtype.is_name("TrueType") => Base::WinAnsi,
            _ => Base::Standard,
        };
        let mut differences = BTreeMap::new();
        if let Object::Dict(inner) = &encoding {
            let listed = document.get(inner, "Differences")?;
            let mut code = 0;
            for item in listed.array().unwrap_or_default() {
                match document.resolve(item)? {
                    Object::Number(number) => code = number as i64,
                    Object::Name(name) => {
                        if let Ok(code) = u8::try_from(code) {
                            let text = std::str::from_utf8(&name).ok().and_then(glyph_text);
                            differences.insert(code, text.unwrap_or_default());
                        }
                        code = code.saturating_add(1);
                    }
                    _ => {}
                }
            }
        }
        let first = document.get(dict, "FirstChar")?.index(255).unwrap_or(0);
        let listed = document.get(dict, "Widths")?;
        let mut widths = Vec::new();
        for item in listed.array().unwrap_or_default().iter().take(256) {
            widths.push(document.resolve(item)?.number().unwrap_or(0.0) as f32);
        }
        let descriptor = document.get(dict, "FontDescriptor")?.dict().cloned().unwrap_or_default();
        let default_width = document.get(&descriptor, "MissingWidth")?.number().unwrap_or(0.0);
        let mut unit = 0.001;
        if subtype.is_name("Type3") {
            let matrix = document.get(dict, "FontMatrix")?;
            unit = matrix.array().and_then(|m| m.first()?.number()).unwrap_or(unit).abs();
        }
        let standard = widths.is_empty().then_some(name);
        let texts = (0..=255)
            .map(|code| match differences.remove(&code) {
                Some(text) => Some(text).filter(|text| !text.is_empty()),
                None => base.character(code).map(String::from),
            })
            .map(|text| text.map(Into::into))
            .collect();
        let kind = Kind::Simple { texts, first, widths };
        Ok(Self { kind, to_unicode, default_width, standard, vertical: false, unit })
    }

    fn composite(
        document: &mut Document<'_>,
        dict: &Dict,
        to_unicode: Option<CMap>,
    ) -> Result<Self> {
        let mut vertical = false;
        let codes = match document.get(dict, "Encoding")? {
            Object::Name(name) => {
                vertical = name.ends_with(b"-V");
                let unicode = name.starts_with(b"Uni");
                let wide = [b"UCS2".as_slice(), b"UTF16"];
                match unicode
                    && wide.iter().any(|part| name.windows(part.len()).any(|w| w == *part))
                {
                    true => Composite::Utf16,
                    false => Composite::Pairs,
                }
            }
            _ => match document.stream(dict.get("Encoding"))? {
                Some(stream) => {
                    vertical = document.get(&stream.dict, "WMode")?.index(1) == Some(1);
                    let bytes = document.decode(&stream, MAX_CMAP)?;
                    Composite::Mapped(CMap::parse(&bytes, &mut document.budget)?)
                }
                None => Composite::Pairs,
            },
        };
        let list = document.get(dict, "DescendantFonts")?;
        let descendant = match list.array().and_then(<[Object]>::first) {
            Some(first) => document.resolve(first)?.dict().cloned().unwrap_or_default(),
            None => Default::default(),
        };
        let default_width = document.get(&descendant, "DW")?.number().unwrap_or(1000.0);
        let mut widths = BTreeMap::new();
        let listed = document.get(&descendant, "W")?;
        let mut items = listed.array().unwrap_or_default().iter();
        // `first [w w w]` or `first last w` (9.7.4.3).
        while let (Some(first), Some(second)) = (items.next(), items.next()) {
            let Some(first) = document.resolve(first)?.index(u32::MAX as usize) else { continue };
            match document.resolve(second)? {
                Object::Array(list) => {
                    for (place, width) in list.iter().enumerate() {
                        let width = document.resolve(width)?.number().unwrap_or(0.0) as f32;
                        let code = first.saturating_add(place) as u32;
                        widths.insert(code, (code, width));
                    }
                }
                last => {
                    let Some(width) = items.next() else { break };
                    let width = document.resolve(width)?.number().unwrap_or(0.0) as f32;
                    if let Some(last) = last.index(u32::MAX as usize) {
                        widths.insert(first as u32, (last as u32, width));
                    }
                }
            }
            if widths.len() > MAX_WIDTHS {
                return Err(Fault::TooMuch { what: "widths of a font", limit: MAX_WIDTHS as u64 });
            }
        }
        let kind = Kind::Composite { codes, widths };
        Ok(Self { kind, to_unicode, default_width, standard: None, vertical, unit: 0.001 })
    }

    /// What the font costs to keep, in entries.
    pub(crate) fn size(&self) -> usize {
        let own = match &self.kind {
            Kind::Simple { texts, widths, .. } => texts.len() + widths.len(),
            Kind::Composite { codes, widths } => {
                let mapped = if let Composite::Mapped(map) = codes { map.size() } else { 0 };
                mapped + widths.len()
            }
        };
        own + self.to_unicode.as_ref().map_or(0, CMap::size) + 64
    }

    /// The code that `bytes` begins with: how long it is, and what it shows. `bytes` is not empty.
    pub(crate) fn next(&self, bytes: &[u8]) -> (usize, Shown) {
        let length = match (&self.kind, &self.to_unicode) {
            (Kind::Simple { .. }, _) => 1,
            (Kind::Composite { codes: Composite::Mapped(map), .. }, _) if map.has_spaces() => {
                map.code_length(bytes)
            }
            (Kind::Composite { codes: Composite::Utf16, .. }, _) => match bytes {
                [0xd8..=0xdb, _, 0xdc..=0xdf, _, ..] => 4,
                _ => 2,
            },
            (Kind::Composite { .. }, _) => 2,
        };
        let length = length.clamp(1, bytes.len().max(1));
        let code = bytes.get(..length).unwrap_or(bytes);
        let number = code.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let mapped = self.to_unicode.as_ref().and_then(|map| match code {
            // Some programs write a simple font's codes with two bytes.
            [only] => map.text(code).or_else(|| map.text(&[0, *only])),
            _ => map.text(code),
        });
        let (text, width) = match &self.kind {
            Kind::Simple { texts, first, widths } => {
                let byte = number as u8;
                let own = || texts.get(usize::from(byte))?.as_deref().map(str::to_owned);
                let text = mapped.or_else(own);
                let listed = usize::from(byte).checked_sub(*first).and_then(|at| widths.get(at));
                let width = match (listed, &self.standard) {
                    (Some(width), _) => f64::from(*width),
                    (None, Some(font)) => standard_width(font, byte),
                    (None, None) => self.default_width,
                };
                (text, width)
            }
            Kind::Composite { codes, widths } => {
                let text = mapped.or_else(|| match codes {
                    Composite::Utf16 => Some(super::cmap::utf16(code, 2).into()),
                    _ => None,
                });
                let listed = widths.range(..=number).next_back();
                let listed = listed.filter(|(_, (last, _))| number <= *last);
                (text, listed.map_or(self.default_width, |(_, (_, width))| f64::from(*width)))
            }
        };
        let width = if self.vertical { 1.0 } else { width * self.unit };
        (length, Shown { text, width, is_space: length == 1 && number == 32 })
    }
}
