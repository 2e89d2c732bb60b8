//! The CMaps that PDF knows by name, and what Adobe's collections of glyphs mean.
//!
//! Tables are Adobe's own, as `hayro-cmap` carries them. Only these are given to that crate, never a
//! CMap of a file.

use hayro_cmap::{load_embedded, BfString, CMap, CMapName, CidFamily};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Unicode's encoding that a CMap's codes are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    Utf8,
    Utf16,
    Utf32,
}

/// A CMap by name.
#[derive(Clone, Debug)]
pub(crate) struct Predefined {
    map: Option<Arc<CMap>>,
    units: Option<Units>,
    collection: Option<Collection>,
}

/// What the glyphs of one of Adobe's collections mean.
#[derive(Clone, Debug)]
pub(crate) struct Collection(Arc<CMap>);

impl Collection {
    /// The collection with this registry and ordering, if it is one of Adobe's for Chinese, Japanese
    /// and Korean.
    pub(crate) fn load(registry: &[u8], ordering: &[u8]) -> Option<Self> {
        Self::of(&CidFamily::from_registry_ordering(registry, ordering))
    }

    fn of(family: &CidFamily) -> Option<Self> {
        table(family.ucs2_cmap()?).map(Self)
    }

    /// The text of a glyph by its identifier.
    pub(crate) fn text(&self, glyph: u32) -> Option<String> {
        let text = match self.0.lookup_bf_string(glyph)? {
            BfString::Char(character) => character.to_string(),
            BfString::String(text) => text,
        };
        Some(text).filter(|text| !text.contains('\u{fffd}'))
    }
}

impl Predefined {
    /// The CMap with this name, or `None` where nothing is known by it.
    pub(crate) fn load(name: &[u8]) -> Option<Self> {
        let has = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
        let units = match name.starts_with(b"Uni") {
            true if has(b"UCS2") || has(b"UTF16") => Some(Units::Utf16),
            true if has(b"UTF8") => Some(Units::Utf8),
            true if has(b"UTF32") => Some(Units::Utf32),
            _ => None,
        };
        let map = match CMapName::from_bytes(name) {
            CMapName::Custom(_) | CMapName::IdentityH | CMapName::IdentityV => None,
            known => table(known),
        };
        let family = map.as_ref().and_then(|map| map.metadata().character_collection.clone());
        let collection = family.and_then(|collection| Collection::of(&collection.family));
        (map.is_some() || units.is_some()).then_some(Self { map, units, collection })
    }

    /// Length of the code that `bytes` begins with; `bytes` is not empty.
    pub(crate) fn code_length(&self, bytes: &[u8]) -> usize {
        match (self.units, bytes) {
            (Some(Units::Utf16), [0xd8..=0xdb, _, 0xdc..=0xdf, _, ..]) => 4,
            (Some(Units::Utf16), _) => 2,
            (Some(Units::Utf32), _) => 4,
            (Some(Units::Utf8), [first, ..]) => match first {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            },
            _ => {
                let known = |length: &usize| {
                    bytes.get(..*length).is_some_and(|code| self.glyph(code).is_some())
                };
                // What no stretch holds is skipped as the longest codes are.
                (1..=4).find(known).unwrap_or(if bytes.first() < Some(&0x80) { 1 } else { 2 })
            }
        }
    }

    /// The identifier of a code's glyph.
    pub(crate) fn glyph(&self, code: &[u8]) -> Option<u32> {
        let number = code.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        self.map.as_ref()?.lookup_cid_code(number, code.len() as u8)
    }

    /// The text of a code.
    pub(crate) fn text(&self, code: &[u8]) -> Option<String> {
        match self.units {
            Some(Units::Utf16) => Some(super::cmap::utf16(code, 2).into()),
            Some(Units::Utf8) => String::from_utf8(code.to_vec()).ok(),
            Some(Units::Utf32) => {
                let number = code.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
                char::from_u32(number).map(String::from)
            }
            None => self.collection.as_ref()?.text(self.glyph(code)?),
        }
    }
}

/// A table, read once for the whole process: there are 65 of them.
fn table(name: CMapName<'_>) -> Option<Arc<CMap>> {
    static READ: Mutex<BTreeMap<Vec<u8>, Arc<CMap>>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(table) = read.get(name.to_bytes()) {
        return Some(table.clone());
    }
    let table = Arc::new(CMap::parse(load_embedded(name)?, load_embedded)?);
    read.insert(name.to_bytes().to_vec(), table.clone());
    Some(table)
}
