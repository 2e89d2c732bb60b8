//! Fonts that a document brings along (ECMA-376 part 4, 14.2.1 says how they are disguised), as far
//! as their glyphs draw nothing.

use super::styles::elements;
use super::xml::{attribute, Space};
use crate::budget::{Budget, Fault, Result};
use crate::pdf::FontProgram;
use crate::zip::Zip;
use std::collections::{BTreeMap, BTreeSet};

/// Largest font, decompressed.
const MAX_FONT: usize = 24 << 20;
/// Most fonts that are looked into.
const MAX_FONTS: usize = 64;

/// Characters without an outline, by the font's name in lower case.
#[derive(Debug, Default)]
pub(super) struct Fonts {
    blank: BTreeMap<String, BTreeSet<char>>,
}

impl Fonts {
    /// Whether no font is known to have blank letters.
    pub(super) fn is_empty(&self) -> bool {
        self.blank.is_empty()
    }

    /// Whether a font draws nothing of a character.
    pub(super) fn leaves_out(&self, font: &str, character: char) -> bool {
        self.blank.get(font).is_some_and(|blank| blank.contains(&character))
    }

    /// Reads the table of fonts; `targets` are the parts of its relationships.
    pub(super) fn read(
        table: &[u8],
        targets: &BTreeMap<String, String>,
        zip: &Zip<'_>,
        budget: &mut Budget,
    ) -> Result<Self> {
        let mut embedded: Vec<(String, String, String)> = Vec::new();
        let mut name = String::new();
        elements(table, budget, |space, element, _| {
            match (space, element.local_name().as_ref()) {
                (Space::Word, "font") => {
                    name = attribute(element, "name")?.unwrap_or_default().to_lowercase();
                }
                (Space::Word, "embedRegular" | "embedBold" | "embedItalic" | "embedBoldItalic") => {
                    let target = attribute(element, "id")?.and_then(|id| targets.get(&id).cloned());
                    let key = attribute(element, "fontKey")?.unwrap_or_default();
                    if let Some(target) = target.filter(|_| !name.is_empty()) {
                        embedded.push((name.clone(), target, key));
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        if embedded.len() > MAX_FONTS {
            return Err(Fault::TooMuch { what: "embedded fonts", limit: MAX_FONTS as u64 });
        }
        let mut fonts = Self::default();
        for (name, target, key) in embedded {
            let mut bytes = match zip.read(&target, MAX_FONT, budget) {
                Ok(Some(bytes)) => bytes,
                // Word takes a font of its own then.
                Ok(None) | Err(Fault::Damaged(_)) => continue,
                Err(fault) => return Err(fault),
            };
            disguise(&mut bytes, &key);
            let program = FontProgram::parse(&bytes, budget)?;
            let mut blank: BTreeSet<char> = program.blank_characters().collect();
            blank.retain(|character| !character.is_whitespace() && !character.is_control());
            if !blank.is_empty() {
                // Of several faces of a font all have to show a letter.
                fonts.blank.entry(name).or_default().extend(blank);
            }
        }
        Ok(fonts)
    }
}

/// Takes the disguise off, or puts it on: the first 32 bytes under the key's 16 from the last one.
fn disguise(bytes: &mut [u8], key: &str) {
    let digits: Vec<u8> =
        key.chars().filter_map(|sign| sign.to_digit(16)).map(|digit| digit as u8).collect();
    let key: Vec<u8> =
        digits.chunks_exact(2).rev().map(|p| p.iter().fold(0, |n, d| n << 4 | d)).collect();
    if key.len() != 16 {
        return;
    }
    for (byte, mask) in bytes.iter_mut().take(32).zip(key.iter().cycle()) {
        *byte ^= mask;
    }
}
