//! Whether what a font is said to mean agrees with what it is: `ToUnicode` against the names and
//! tables of the font itself.
//!
//! Both are compared without case, accents and compatibility forms, so that ligatures, small
//! capitals, presentation forms, a micro sign for a mu agree. Signs without letters or digits on both
//! sides are not compared, nor is what the font says nothing about. Where they contradict each other
//! the font's own text counts. A font of which at least [`MIN_SIGNS`] different signs and
//! [`MIN_PERCENT`] % of the shown ones are contradicted makes the file refused: a wrong entry or two
//! are common in real files, a whole alphabet is not.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::UnicodeNormalization;

/// Fewest different signs of a font that are contradicted for a refusal.
const MIN_SIGNS: usize = 3;
/// Least share of the compared signs of a font, in percent.
const MIN_PERCENT: u64 = 10;
/// Most letters of `ActualText` that are not drawn, in percent of what is, and how many may be.
const MAX_STATED_PERCENT: u64 = 20;
const MIN_STATED: u64 = 20;
/// Fewest glyphs of a font of which some are said to be several letters each, for a refusal, and their
/// least share in percent.
const MIN_GLYPHS: u64 = 20;
const MAX_PACKED_PERCENT: u64 = 20;
/// Least width of a letter, in its size; an `i` has 0.22, a ligature of two letters 0.5 and more.
const NARROW: f64 = 0.28;
/// Most characters of an example.
const MAX_EXAMPLE: usize = 40;
/// Most fonts whose signs are counted apart; those beyond count together.
const MAX_FONTS: usize = 2_000;

/// The counts of all fonts of a file.
pub(crate) type Shared = Rc<RefCell<Letters>>;

/// What has been shown, by font.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    fonts: BTreeMap<Rc<str>, Tally>,
    /// Letters of `ActualText` that are not drawn, and the first example.
    stated: u64,
    example: Option<(String, String)>,
}

#[derive(Debug, Default)]
struct Tally {
    compared: u64,
    contradicted: u64,
    signs: BTreeSet<u32>,
    example: Option<(String, String)>,
    unmapped: u64,
    /// Glyphs shown, and those that are said to be more letters than they are wide.
    shown: u64,
    packed: u64,
    packed_example: Option<String>,
}

/// A font whose meaning is stated wrongly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    /// Its name; none for an `ActualText`.
    pub(crate) font: Option<String>,
    /// What a sign of it is.
    pub(crate) own: String,
    /// What it is said to be.
    pub(crate) said: String,
}

impl Letters {
    fn tally(&mut self, font: &Rc<str>) -> &mut Tally {
        let known = self.fonts.contains_key(font) || self.fonts.len() < MAX_FONTS;
        self.fonts.entry(if known { font.clone() } else { Rc::from("") }).or_default()
    }

    /// Counts a sign that was compared.
    pub(crate) fn compared(&mut self, font: &Rc<str>, code: u32, wrong: Option<(&str, &str)>) {
        let tally = self.tally(font);
        tally.compared += 1;
        if let Some((own, said)) = wrong {
            tally.contradicted += 1;
            if tally.signs.len() < MIN_SIGNS {
                tally.signs.insert(code);
            }
            tally.example.get_or_insert_with(|| (own.to_owned(), said.to_owned()));
        }
    }

    /// Counts a glyph of which `ToUnicode` alone says what it is, of this width in its size.
    pub(crate) fn said(&mut self, font: &Rc<str>, said: &str, width: f64) {
        let tally = self.tally(font);
        tally.shown += 1;
        if is_packed(said, width) {
            tally.packed += 1;
            tally.packed_example.get_or_insert_with(|| said.chars().take(MAX_EXAMPLE).collect());
        }
    }

    /// Counts a sign without a known character.
    pub(crate) fn unmapped(&mut self, font: &Rc<str>) {
        self.tally(font).unmapped += 1;
    }

    /// Counts letters of an `ActualText` that are not among the drawn ones.
    pub(crate) fn stated(&mut self, more: u64, drawn: &str, text: &str) {
        self.stated = self.stated.saturating_add(more);
        let short = |text: &str| text.chars().take(MAX_EXAMPLE).collect();
        self.example.get_or_insert_with(|| (short(drawn), short(text)));
    }

    /// The font with the most signs without a known character.
    pub(crate) fn most_unmapped(&self) -> String {
        let most = self.fonts.iter().max_by_key(|(_, tally)| tally.unmapped);
        most.map_or_else(String::new, |(font, _)| font.to_string())
    }

    /// The first font, by name, that makes the file refused; or `ActualText`, where it states many
    /// letters beside the `drawn` characters of the file.
    pub(crate) fn contradiction(&self, drawn: u64) -> Option<Contradiction> {
        if self.stated >= MIN_STATED
            && self.stated.saturating_mul(100) > drawn.saturating_mul(MAX_STATED_PERCENT)
        {
            let (own, said) = self.example.clone()?;
            return Some(Contradiction { font: None, own, said });
        }
        let packed = |tally: &Tally| {
            tally.shown >= MIN_GLYPHS
                && tally.packed.saturating_mul(100) > tally.shown * MAX_PACKED_PERCENT
        };
        if let Some((font, tally)) = self.fonts.iter().find(|(_, tally)| packed(tally)) {
            let (own, said) = ("one glyph".to_owned(), tally.packed_example.clone()?);
            return Some(Contradiction { font: Some(font.to_string()), own, said });
        }
        let wrong = |tally: &Tally| {
            tally.signs.len() >= MIN_SIGNS
                && tally.contradicted.saturating_mul(100) >= tally.compared * MIN_PERCENT
        };
        let (font, tally) = self.fonts.iter().find(|(_, tally)| wrong(tally))?;
        let (own, said) = tally.example.clone()?;
        Some(Contradiction { font: Some(font.to_string()), own, said })
    }
}

/// Whether a glyph is said to be several letters, more than it has room for: of scripts whose letters
/// do not grow together, and no ligature of an f.
fn is_packed(said: &str, width: f64) -> bool {
    let apart = |c: &char| {
        c.is_alphabetic()
            && matches!(c, '\0'..='\u{58f}' | '\u{1e00}'..='\u{1fff}' | '\u{3040}'..='\u{d7a3}')
    };
    let letters = said.chars().filter(apart).count();
    letters >= 2 && !said.starts_with('f') && width < NARROW * letters as f64
}

/// Whether two texts can be compared at all: one of them has a letter or a digit, and neither is of
/// private characters alone.
pub(crate) fn comparable(own: &str, said: &str) -> bool {
    let letters = |text: &str| text.chars().any(char::is_alphanumeric);
    let known = |text: &str| text.chars().any(|c| !is_private(c) && c != '\u{fffd}');
    known(own) && known(said) && letters(said)
}

/// Whether both mean the same.
pub(crate) fn agree(own: &str, said: &str) -> bool {
    own == said || fold(own) == fold(said)
}

/// Letters and digits without case, accents and compatibility forms.
pub(crate) fn fold(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c));
    let plain = plain.flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let plain = plain.map(|character| match character {
        'ı' => 'i',
        'ȷ' => 'j',
        'ð' | 'đ' => 'd',
        'ł' => 'l',
        'ø' => 'o',
        // The final sigma, and Greek letters that symbols of mathematics are drawn as.
        'ς' => 'σ',
        '∆' => 'δ',
        '∑' => 'σ',
        '∏' => 'π',
        // Arabic letters that share their joined forms.
        '\u{649}' | '\u{6cc}' => '\u{64a}',
        '\u{6a9}' => '\u{643}',
        '\u{6c1}' | '\u{6d5}' | '\u{629}' | '\u{6be}' => '\u{647}',
        other => other,
    });
    let kept: String = plain.clone().filter(|c| c.is_alphanumeric()).collect();
    match kept.is_empty() {
        true => plain.collect(),
        false => kept,
    }
}

/// Whether a character is of one of Unicode's private areas.
pub(crate) fn is_private(character: char) -> bool {
    matches!(u32::from(character), 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff)
}
