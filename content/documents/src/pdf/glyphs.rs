//! Which text a glyph's name stands for.
//!
//! `glyphs.txt` has a name and its characters a line: Adobe's glyph list, the names of ZapfDingbats
//! (after `*`, since other fonts number their glyphs in the same way), and TeX's own. Variants that
//! the list puts into the private area (small capitals, old style figures, pieces of brackets) stand
//! for the characters that Unicode has for them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Most parts that a name joins.
const MAX_PARTS: usize = 8;
/// What TeX's fonts append to the names of larger signs.
const SIZES: [&str; 6] = ["big", "Big", "bigg", "Bigg", "text", "display"];

/// The text that a glyph's name stands for, or `None` where the name says nothing: a name of the
/// list, `uniXXXX` (several units too), `uXXXX`, parts joined by `_`; what follows a point is a
/// variant. `dingbats`: the font is ZapfDingbats.
pub(crate) fn glyph_text(name: &str, dingbats: bool) -> Option<String> {
    if dingbats {
        if let Some(codes) = names().get(format!("*{name}").as_str()) {
            return characters(codes);
        }
    }
    let stem = name.split('.').next().filter(|stem| !stem.is_empty())?;
    if let Some(codes) = names().get(stem) {
        return characters(codes);
    }
    let mut text = String::new();
    for (place, part) in stem.split('_').enumerate() {
        if place == MAX_PARTS {
            return None;
        }
        text.push_str(&part_text(part)?);
    }
    Some(text)
}

fn names() -> &'static BTreeMap<&'static str, &'static str> {
    static NAMES: OnceLock<BTreeMap<&'static str, &'static str>> = OnceLock::new();
    let lines = || include_str!("glyphs.txt").lines().filter_map(|line| line.split_once(' '));
    NAMES.get_or_init(|| lines().collect())
}

fn characters(codes: &str) -> Option<String> {
    let character = |code| char::from_u32(u32::from_str_radix(code, 16).ok()?);
    codes.split(' ').map(character).collect()
}

fn part_text(part: &str) -> Option<String> {
    if let Some(codes) = names().get(part) {
        return characters(codes);
    }
    let sized = SIZES.iter().find_map(|size| names().get(part.strip_suffix(size)?));
    sized.map_or_else(|| coded(part), |codes| characters(codes))
}

/// `uni20AC`, `uni00660069`, `u1F600`.
fn coded(name: &str) -> Option<String> {
    let upper = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    let hexadecimal = |digits: &&str| !digits.is_empty() && digits.bytes().all(upper);
    if let Some(digits) = name.strip_prefix("uni").filter(hexadecimal) {
        if digits.len() % 4 != 0 || digits.len() > 4 * MAX_PARTS {
            return None;
        }
        let unit = |at| u16::from_str_radix(digits.get(at..at + 4)?, 16).ok();
        let units: Option<Vec<u16>> = (0..digits.len()).step_by(4).map(unit).collect();
        return String::from_utf16(&units?).ok();
    }
    let digits = name.strip_prefix('u').filter(hexadecimal)?;
    let fits = (4..=6).contains(&digits.len());
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    fits.then(|| character.to_string())
}
