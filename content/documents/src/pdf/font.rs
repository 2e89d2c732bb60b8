//! Fonts: from the codes in a string to text and widths (ISO 32000-1, 9.5 to 9.10).
//!
//! A code's text is what the font's `ToUnicode` says. Where it says nothing, it is the font's own:
//! for simple fonts the name that `Differences` or the encoding gives it, or the one of the font
//! program's own encoding; for composite fonts what the named CMap, the collection of glyphs, or the
//! font program's tables and names say of the glyph. Where `ToUnicode` contradicts the font's own
//! text, that one counts ([`super::letters`]). A code without a text is U+FFFD.

mod composite;
mod simple;

use super::cmap::CMap;
use super::document::Document;
use super::letters::{agree, comparable, Shared};
use super::matrix::Matrix;
use super::object::{Dict, Object};
use super::program::Program;
use crate::budget::{Fault, Result};
use composite::Composite;
use simple::Simple;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Largest CMap, decompressed.
const MAX_CMAP: usize = 4 << 20;
/// Most codes of a font whose comparison is kept.
const MAX_AGREED: usize = 4096;
/// Largest font program, decompressed.
const MAX_PROGRAM: usize = 24 << 20;

#[derive(Debug)]
enum Kind {
    Simple(Simple),
    Composite(Box<Composite>),
}

/// How `ToUnicode` says what codes mean.
#[derive(Debug)]
enum Said {
    Map(CMap),
    /// The name of an identity: codes are UTF-16.
    Same,
}

/// One font.
#[derive(Debug)]
pub(crate) struct Font {
    kind: Kind,
    said: Option<Said>,
    name: Rc<str>,
    letters: Shared,
    /// Whether `ToUnicode` agrees with the font, for codes that have been compared.
    agreed: RefCell<BTreeMap<u32, bool>>,
    /// Whether lines run downwards.
    pub(crate) vertical: bool,
}

/// One shown code.
pub(crate) struct Shown {
    pub(crate) text: Option<String>,
    /// How far it moves on, in text space units for a size of 1.
    pub(crate) width: f64,
    /// Whether it is the code 32 of one byte, which word spacing widens.
    pub(crate) is_space: bool,
    /// Whether it stands for something visible, and nothing is drawn.
    pub(crate) blank: bool,
}

/// What a font's own program and encoding say of a code.
#[derive(Clone, Debug, Default)]
struct Own {
    text: Option<Box<str>>,
    /// Other characters that the same glyph stands for.
    others: Vec<char>,
    /// Whether the font itself says so, and no convention.
    sure: bool,
    blank: bool,
}

impl Font {
    /// Reads a font's dictionary.
    pub(crate) fn load(document: &mut Document<'_>, dict: &Dict) -> Result<Self> {
        let said = match document.stream(dict.get("ToUnicode"))? {
            Some(stream) => {
                let bytes = document.decode(&stream, MAX_CMAP)?;
                Some(Said::Map(CMap::parse(&bytes, &mut document.budget)?))
            }
            None => {
                let named = document.get(dict, "ToUnicode")?;
                let same = named.name().is_some_and(|name| name.starts_with(b"Identity"));
                same.then_some(Said::Same)
            }
        };
        let name = document.get(dict, "BaseFont")?;
        let name = String::from_utf8_lossy(name.name().unwrap_or_default()).into_owned();
        let name = without_tag(&name);
        let (kind, vertical) = match document.get(dict, "Subtype")?.is_name("Type0") {
            true => {
                let composite = Composite::load(document, dict)?;
                let vertical = composite.vertical;
                (Kind::Composite(Box::new(composite)), vertical)
            }
            false => (Kind::Simple(Simple::load(document, dict, name)?), false),
        };
        let letters = document.letters.clone();
        let agreed = RefCell::default();
        Ok(Self { kind, said, name: name.into(), letters, agreed, vertical })
    }

    /// What the font costs to keep, in entries.
    pub(crate) fn size(&self) -> usize {
        let own = match &self.kind {
            Kind::Simple(simple) => simple.size(),
            Kind::Composite(composite) => composite.size(),
        };
        let said = if let Some(Said::Map(map)) = &self.said { map.size() } else { 0 };
        own + said + 64
    }

    /// How the glyph of a code is drawn, where a procedure does, with its matrix and resources.
    pub(crate) fn procedure(&self, code: u8) -> Option<(&Object, Matrix, Option<Rc<Dict>>)> {
        match &self.kind {
            Kind::Simple(simple) => {
                let procedure = simple.procedures.get(&code)?;
                Some((procedure, simple.matrix, simple.resources.clone()))
            }
            Kind::Composite(_) => None,
        }
    }

    /// How high letters reach, in text space units for a size of 1.
    pub(crate) fn height(&self) -> f64 {
        match &self.kind {
            Kind::Simple(simple) => simple.height,
            Kind::Composite(_) => 1.0,
        }
    }

    /// The code that `bytes` begins with: how long it is, and what it shows. `bytes` is not empty.
    pub(crate) fn next(&self, bytes: &[u8]) -> (usize, Shown) {
        let length = match &self.kind {
            Kind::Simple(_) => 1,
            Kind::Composite(composite) => composite.code_length(bytes),
        };
        let length = length.clamp(1, bytes.len().max(1));
        let code = bytes.get(..length).unwrap_or(bytes);
        let number = code.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let said: Option<String> = self.said.as_ref().and_then(|said| match (said, code) {
            (Said::Same, _) => Some(super::cmap::utf16(code, 2).into()),
            // Some programs write a simple font's codes with two bytes.
            (Said::Map(map), [only]) => map.text(code).or_else(|| map.text(&[0, *only])),
            (Said::Map(map), _) => map.text(code),
        });
        let says = |text: &String| text.chars().any(|c| c != '\u{fffd}' && c != '\0');
        let said = said.filter(says);
        let (own, width) = match &self.kind {
            Kind::Simple(simple) => {
                let (own, width) = simple.show(number as u8);
                (Cow::Borrowed(own), width)
            }
            Kind::Composite(composite) => {
                let (own, width) = composite.show(code);
                (Cow::Owned(own), width)
            }
        };
        let text = match (said, own.text.as_deref()) {
            (Some(said), Some(text)) if own.sure && comparable(text, &said) => {
                let compare = || {
                    let mut others = own.others.iter();
                    agree(text, &said)
                        || others.any(|other| agree(other.encode_utf8(&mut [0; 4]), &said))
                };
                let known = self.agreed.borrow().get(&number).copied();
                let right = known.unwrap_or_else(compare);
                if known.is_none() && self.agreed.borrow().len() < MAX_AGREED {
                    self.agreed.borrow_mut().insert(number, right);
                }
                let wrong = (!right).then_some((text, said.as_str()));
                self.letters.borrow_mut().compared(&self.name, number, wrong);
                Some(if right { said } else { text.to_owned() })
            }
            (Some(said), _) => {
                self.letters.borrow_mut().said(&self.name, &said, width.abs());
                Some(said)
            }
            // What the font only has by convention says nothing where `ToUnicode` leaves it out.
            (None, text) => text.filter(|_| own.sure || self.said.is_none()).map(str::to_owned),
        };
        if text.is_none() {
            self.letters.borrow_mut().unmapped(&self.name);
        }
        let visible = |text: &String| text.chars().any(|c| !c.is_whitespace() && !c.is_control());
        let blank = own.blank && text.as_ref().is_none_or(visible);
        let is_space = length == 1 && number == 32;
        (length, Shown { text, width, is_space, blank })
    }
}

/// A font's name without the tag of a subset: `ABCDEF+Name`.
fn without_tag(name: &str) -> &str {
    match name.split_once('+') {
        Some((tag, rest)) if tag.len() == 6 && !rest.is_empty() => rest,
        _ => name,
    }
}

/// The program that a descriptor embeds.
fn program(document: &mut Document<'_>, descriptor: &Dict) -> Result<Option<Program>> {
    for key in ["FontFile", "FontFile2", "FontFile3"] {
        if let Some(stream) = document.stream(descriptor.get(key))? {
            return match document.decode(&stream, MAX_PROGRAM) {
                Ok(bytes) => Program::parse(&bytes, &mut document.budget).map(Some),
                // Readers draw such text in a font of their own.
                Err(Fault::Damaged(_)) => Ok(None),
                Err(fault) => Err(fault),
            };
        }
    }
    Ok(None)
}

/// A number of a dictionary, or 0.
fn number(document: &mut Document<'_>, dict: &Dict, key: &str) -> Result<f64> {
    Ok(document.get(dict, key)?.number().unwrap_or(0.0))
}

/// A width of a list.
fn width_of(document: &mut Document<'_>, item: &Object) -> Result<f32> {
    Ok(document.resolve(item)?.number().unwrap_or(0.0) as f32)
}
