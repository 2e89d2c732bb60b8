//! What a font's own program says: which glyph a code means, which characters a glyph is of, and
//! whether anything is drawn.
//!
//! Programs are hostile, too: every byte that is looked at is paid for, nothing recurses on what the
//! file says, and what is broken simply says nothing.

mod charstring;
mod compact;
mod sfnt;
mod type1;

use crate::budget::{Budget, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Most glyphs of one program.
pub(super) const MAX_GLYPHS: usize = 65_535;

/// One program, as far as text needs it.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// Glyphs of the built-in encoding's codes.
    pub(crate) codes: BTreeMap<u8, u16>,
    /// Names of glyphs.
    pub(crate) names: BTreeMap<u16, Box<str>>,
    /// Characters of glyphs by a Unicode table, ordered by glyph.
    pub(crate) characters: Vec<(u16, char)>,
    /// Glyphs of the identifiers of a font that is keyed by them.
    pub(crate) cids: Option<BTreeMap<u16, u16>>,
    /// Glyphs that draw nothing.
    pub(crate) blank: BTreeSet<u16>,
    /// Whether the built-in encoding is Adobe's standard one.
    pub(crate) standard: bool,
    /// Whether glyphs are found by tables, as in TrueType, and not by names.
    pub(crate) tables: bool,
}

impl Program {
    /// Reads a program of any kind: what it is stands in its first bytes.
    pub(crate) fn parse(bytes: &[u8], budget: &mut Budget) -> Result<Self> {
        budget.scan(bytes.len())?;
        match bytes {
            [0, 1, 0, 0, ..] | [b't', b'r' | b't', ..] | [b'O', b'T', b'T', b'O', ..] => {
                sfnt::parse(bytes, budget)
            }
            [1, 0..=9, ..] => compact::parse(bytes, budget),
            _ => type1::parse(bytes, budget),
        }
    }

    /// Characters of glyphs that draw nothing.
    pub(crate) fn blank_characters(&self) -> impl Iterator<Item = char> + '_ {
        let blank = self.characters.iter().filter(|(glyph, _)| self.blank.contains(glyph));
        blank.map(|(_, character)| *character)
    }

    /// The glyph with this name.
    pub(crate) fn named(&self) -> BTreeMap<&str, u16> {
        // Of several with one name the first counts.
        self.names.iter().rev().map(|(glyph, name)| (&**name, *glyph)).collect()
    }
}

/// The number in the `N` bytes at a place, high byte first.
pub(super) fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<usize> {
    let part = bytes.get(at..at.checked_add(N)?)?;
    Some(part.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    number::<2>(bytes, at).map(|number| number as u16)
}
