//! CMaps: which text a code means (`ToUnicode`), how long codes are, and which glyph each one is
//! (ISO 32000-1, 9.7.5, 9.10.3).

use super::object::{Lexer, Object, Token};
use crate::budget::{Budget, Fault, Result};
use std::collections::BTreeMap;

/// Most entries of one CMap.
const MAX_ENTRIES: usize = 70_000;
/// Most stretches of valid codes.
const MAX_SPACES: usize = 128;
/// Most UTF-16 units that one code stands for.
const MAX_UNITS: usize = 16;

/// A code with its length in bytes.
type Code = (usize, u32);

/// A stretch of codes and the text of the first; the last character counts up.
#[derive(Debug)]
struct Run {
    last: u32,
    text: Box<str>,
}

/// A parsed CMap.
#[derive(Debug, Default)]
pub(crate) struct CMap {
    spaces: Vec<(Vec<u8>, Vec<u8>)>,
    single: BTreeMap<Code, Box<str>>,
    runs: BTreeMap<Code, Run>,
    /// Stretches of codes: the last one, and the identifier of the first one's glyph.
    glyphs: BTreeMap<Code, (u32, u32)>,
    /// The predefined CMap that this one goes on from.
    base: Option<Box<[u8]>>,
}

impl CMap {
    /// Reads a CMap's program. What is no table in it is stepped over.
    pub(crate) fn parse(bytes: &[u8], budget: &mut Budget) -> Result<Self> {
        let mut map = Self::default();
        map.add(bytes, budget)?;
        Ok(map)
    }

    /// Reads one more program over what is there, as `usecmap` says it.
    pub(crate) fn add(&mut self, bytes: &[u8], budget: &mut Budget) -> Result<()> {
        let mut lexer = Lexer::new(bytes, 0);
        let mut name = None;
        while let Some(token) = lexer.token(budget)? {
            let word = match token {
                Token::Keyword(word) => word,
                Token::Value(Object::Name(found)) => {
                    name = Some(found);
                    continue;
                }
                _ => continue,
            };
            match &*word {
                b"begincodespacerange" => self.read_spaces(&mut lexer, budget)?,
                b"beginbfchar" => self.read_single(&mut lexer, budget)?,
                b"beginbfrange" => self.read_runs(&mut lexer, budget)?,
                b"begincidchar" => self.read_glyphs::<2>(&mut lexer, budget)?,
                b"begincidrange" => self.read_glyphs::<3>(&mut lexer, budget)?,
                b"usecmap" => self.base = name.take().map(|name| name.to_vec().into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The name of the predefined CMap that this one goes on from.
    pub(crate) fn base(&self) -> Option<&[u8]> {
        self.base.as_deref()
    }

    /// Goes on from a predefined CMap.
    pub(crate) fn set_base(&mut self, name: &[u8]) {
        self.base = Some(name.into());
    }

    /// The identifier of a code's glyph.
    pub(crate) fn glyph(&self, code: &[u8]) -> Option<u32> {
        let key = key(code)?;
        let (start, (last, glyph)) = self.glyphs.range(..=key).next_back()?;
        let inside = start.0 == key.0 && key.1 <= *last;
        inside.then(|| glyph.saturating_add(key.1 - start.1))
    }

    /// Whether codes have stretches of their own here.
    pub(crate) fn has_spaces(&self) -> bool {
        !self.spaces.is_empty()
    }

    /// What the map costs to keep, in entries.
    pub(crate) fn size(&self) -> usize {
        self.single.len() + self.runs.len() + self.spaces.len() + self.glyphs.len()
    }

    /// Length of the code that `bytes` begins with: the first stretch that holds it, shorter ones
    /// first; else the shortest length there is.
    pub(crate) fn code_length(&self, bytes: &[u8]) -> usize {
        for length in 1..=4 {
            let Some(code) = bytes.get(..length) else { break };
            let holds = |(low, high): &(Vec<u8>, Vec<u8>)| {
                low.len() == length
                    && code.iter().zip(low).all(|(byte, low)| byte >= low)
                    && code.iter().zip(high).all(|(byte, high)| byte <= high)
            };
            if self.spaces.iter().any(holds) {
                return length;
            }
        }
        self.spaces.iter().map(|(low, _)| low.len()).min().unwrap_or(1)
    }

    /// The text of a code.
    pub(crate) fn text(&self, code: &[u8]) -> Option<String> {
        let key = key(code)?;
        if let Some(text) = self.single.get(&key) {
            return Some(text.to_string());
        }
        let (start, run) = self.runs.range(..=key).next_back()?;
        if start.0 != key.0 || key.1 > run.last {
            return None;
        }
        // The last character of the text counts up (9.10.3).
        let last = run.text.chars().next_back()?;
        let head = run.text.strip_suffix(last)?;
        let last = char::from_u32(u32::from(last).checked_add(key.1 - start.1)?)?;
        Some(format!("{head}{last}"))
    }

    fn read_spaces(&mut self, lexer: &mut Lexer<'_>, budget: &mut Budget) -> Result<()> {
        while let Some([low, high]) = objects(lexer, budget)? {
            let (Some(low), Some(high)) = (low.string(), high.string()) else { continue };
            let fits = (1..=4).contains(&low.len()) && low.len() == high.len();
            if fits && self.spaces.len() < MAX_SPACES {
                self.spaces.push((low.to_vec(), high.to_vec()));
            }
        }
        Ok(())
    }

    fn read_single(&mut self, lexer: &mut Lexer<'_>, budget: &mut Budget) -> Result<()> {
        while let Some([code, text]) = objects(lexer, budget)? {
            let (Some(key), Some(text)) = (code.string().and_then(key), text.string()) else {
                continue;
            };
            self.single.insert(key, short(text));
            self.check()?;
        }
        Ok(())
    }

    fn read_runs(&mut self, lexer: &mut Lexer<'_>, budget: &mut Budget) -> Result<()> {
        while let Some([first, last, target]) = objects(lexer, budget)? {
            let (Some(first), Some(last)) =
                (first.string().and_then(key), last.string().and_then(key))
            else {
                continue;
            };
            match target {
                Object::String(text) if last.0 == first.0 => {
                    self.runs.insert(first, Run { last: last.1, text: short(&text) });
                }
                Object::Array(texts) => {
                    let codes = (first.1..=last.1).map(|code| (first.0, code));
                    for (key, text) in codes.zip(texts.iter()) {
                        self.single.insert(key, short(text.string().unwrap_or_default()));
                    }
                }
                _ => {}
            }
            self.check()?;
        }
        Ok(())
    }

    /// `code glyph`, or `first last glyph`.
    fn read_glyphs<const N: usize>(
        &mut self,
        lexer: &mut Lexer<'_>,
        budget: &mut Budget,
    ) -> Result<()> {
        while let Some(items) = objects::<N>(lexer, budget)? {
            let code = |item: Option<&Object>| item.and_then(Object::string).and_then(key);
            let first = code(items.first());
            let last = if N == 3 { code(items.get(1)) } else { first };
            let glyph = items.last().and_then(|item| item.index(u16::MAX.into()));
            if let (Some(first), Some(last), Some(glyph)) = (first, last, glyph) {
                self.glyphs.insert(first, (last.1, glyph as u32));
            }
            self.check()?;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        if self.size() > MAX_ENTRIES {
            return Err(Fault::TooMuch { what: "characters of a font", limit: MAX_ENTRIES as u64 });
        }
        Ok(())
    }
}

/// The next `N` objects of a table; `None` at its end.
fn objects<const N: usize>(
    lexer: &mut Lexer<'_>,
    budget: &mut Budget,
) -> Result<Option<[Object; N]>> {
    let mut found = [const { Object::Null }; N];
    for place in &mut found {
        match lexer.object(budget)? {
            Some(object) => *place = object,
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

fn key(code: &[u8]) -> Option<Code> {
    let fits = (1..=4).contains(&code.len());
    fits.then(|| (code.len(), code.iter().fold(0, |key, byte| key << 8 | u32::from(*byte))))
}

fn short(bytes: &[u8]) -> Box<str> {
    utf16(bytes, MAX_UNITS)
}

/// At most `limit` units of UTF-16 with the high byte first; a half of a pair alone is U+FFFD.
pub(crate) fn utf16(bytes: &[u8], limit: usize) -> Box<str> {
    let units = bytes.chunks(2).take(limit).map(|pair| match pair {
        [high, low] => u16::from(*high) << 8 | u16::from(*low),
        // One byte alone: some programs write single characters so.
        [only] => u16::from(*only),
        _ => 0,
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect::<String>().into()
}
