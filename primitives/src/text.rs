//! Names, licences, addresses: the one check that every text must pass before it is stored, and the
//! one way in which programs show a text that somebody else wrote.
//!
//! What a reader cannot see must not be there: control characters command a terminal, bidirectional
//! ones turn a line round, invisible ones make two different names look the same. The two joiners are
//! invisible as well, but Persian and the scripts of India and its neighbours cannot be spelled without
//! them; they stay between letters of those scripts.
//!
//! Nor may a text write over what stands around it: marks that stand on the letter before them are bounded, at
//! [`MOST_MARKS`] in a row and [`MOST_SHARED_MARKS`] of those that any letter may have, and none stands without a
//! letter. Hebrew with points and accents, Arabic with vowels, Vietnamese, Thai, Burmese, Tibetan and the scripts
//! of India need no more.

mod marks;

use alloc::{format, string::String};
use core::fmt;

/// Most marks on one letter.
pub const MOST_MARKS: u32 = 6;

/// Most marks on one letter of those that any letter may have, such as accents.
pub const MOST_SHARED_MARKS: u32 = 4;

/// A number with what it counts: `1 seat`, `2 seats`, `0 leaves`.
pub fn counted<N: fmt::Display + PartialEq + From<u8>>(number: N, one: &str) -> String {
    if number == N::from(1) {
        return format!("{number} {one}");
    }
    match one.strip_suffix("leaf") {
        Some(before) => format!("{number} {before}leaves"),
        None => format!("{number} {one}s"),
    }
}

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// It is not UTF-8.
    NotUtf8,
    /// It is empty, or nothing but white space.
    Blank,
    /// It holds a character that commands a terminal, turns text round, cannot be seen, or is a mark on
    /// nothing, or on a letter that has as many as it may.
    Forbidden {
        /// The character.
        character: char,
        /// The byte at which it begins.
        place: u32,
    },
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("the text is not UTF-8"),
            Self::Blank => f.write_str("the text is empty or nothing but white space"),
            Self::Forbidden { character, place } => write!(
                f,
                "the text holds U+{:04X} at byte {place}, which cannot be seen, commands a terminal or is one \
                 mark too many on a letter; leave it out",
                u32::from(*character)
            ),
        }
    }
}

impl core::error::Error for TextError {}

/// A text that may be stored and shown: UTF-8, with something to see in it, and nothing hidden.
///
/// # Errors
///
/// The first thing that is wrong.
///
/// ```
/// use openledger_primitives::text::{check, TextError};
///
/// assert_eq!(check("Recipes, رسپی".as_bytes()), Ok("Recipes, رسپی"));
/// assert_eq!(
///     check(b"MIT\x1b[2J"),
///     Err(TextError::Forbidden { character: '\x1b', place: 3 })
/// );
/// ```
pub fn check(bytes: &[u8]) -> Result<&str, TextError> {
    let text = core::str::from_utf8(bytes).map_err(|_| TextError::NotUtf8)?;
    if text.trim().is_empty() {
        return Err(TextError::Blank);
    }
    refuse_hidden(text, false)
}

/// [`check`] for a text that may be left out.
///
/// # Errors
///
/// Those of [`check`], but for [`TextError::Blank`] of an empty text.
pub fn check_optional(bytes: &[u8]) -> Result<&str, TextError> {
    match bytes {
        [] => Ok(""),
        bytes => check(bytes),
    }
}

/// [`check`] for a text of several lines that may be left out: line ends and tabs stay, and so do the
/// selectors that make a sign an emoji.
///
/// # Errors
///
/// Those of [`check`], but for [`TextError::Blank`].
pub fn check_page(bytes: &[u8]) -> Result<&str, TextError> {
    let text = core::str::from_utf8(bytes).map_err(|_| TextError::NotUtf8)?;
    refuse_hidden(text, true)
}

/// A text with what a reader could not see written out (`\u{1b}`), so that nothing from the chain and
/// no name of a file commands the terminal or passes for another.
///
/// A `line` is a name, a licence, a cell: everything that [`check`] refuses is written out. What is no
/// line is the text of a document or a whole answer: its line ends and tabs stay, and so do joiners,
/// marks of direction and selectors of variants, which any honest text may hold.
pub fn visible(text: &str, line: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = None;
    let mut run = Run::default();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        // Also of a document: what is written over several lines is nobody's spelling.
        let over = run.is_too_long(character, line);
        let harmless = match character {
            '\n' | '\t' | '\u{200c}'..='\u{200f}' | '\u{61c}' | '\u{fe00}'..='\u{fe0f}' => !line,
            _ => false,
        };
        if over || !harmless && is_hidden(character, before, rest.peek().copied()) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
        before = Some(character);
    }
    shown
}

/// A text without what [`check`] refuses; a page's line ends, tabs and selectors stay.
fn refuse_hidden(text: &str, page: bool) -> Result<&str, TextError> {
    let mut before = None;
    let mut run = Run::default();
    let mut rest = text.char_indices().peekable();
    while let Some((place, character)) = rest.next() {
        let harmless = page && matches!(character, '\n' | '\t' | '\u{fe0e}' | '\u{fe0f}');
        if run.is_too_long(character, true)
            || !harmless && is_hidden(character, before, rest.peek().map(|(_, after)| *after))
        {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            return Err(TextError::Forbidden { character, place });
        }
        before = Some(character);
    }
    Ok(text)
}

/// The marks since the last letter.
#[derive(Default)]
struct Run {
    /// Whether there is something for them to stand on.
    on: bool,
    marks: u32,
    shared: u32,
}

impl Run {
    /// Takes the next character. Whether it is a mark on a letter that has as many as it may; where
    /// `on_something` is asked for, also whether it is one on nothing.
    fn is_too_long(&mut self, character: char, on_something: bool) -> bool {
        // The selectors say how the character before them looks, and a mark may follow: keycaps.
        if ('\u{fe00}'..='\u{fe0f}').contains(&character) {
            return false;
        }
        if !marks::is_mark(character) {
            *self = Self {
                on: !character.is_whitespace() && !character.is_control(),
                ..Self::default()
            };
            return false;
        }
        self.marks = self.marks.saturating_add(1);
        self.shared = self.shared.saturating_add(u32::from(marks::is_shared(character)));
        self.marks > MOST_MARKS || self.shared > MOST_SHARED_MARKS || on_something && !self.on
    }
}

/// Whether a reader could not see a character, or would see others moved by it.
fn is_hidden(character: char, before: Option<char>, after: Option<char>) -> bool {
    match character {
        // Joiners.
        '\u{200c}' | '\u{200d}' => {
            !(before.is_some_and(needs_joiners) && after.is_some_and(needs_joiners))
        }
        character if character.is_control() => true,
        // Soft hyphen, grapheme joiner; fillers of Hangul, of Khmer vowels, and half a width.
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}'
        | '\u{ffa0}'
        // Marks, embeddings, overrides and isolates of direction.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Spaces without width, separators of lines, invisible operators, deprecated formats.
        | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{feff}'
        // Selectors of variants, and the vowel separator of Mongolian.
        | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}'
        // Annotations and what stands for an object, blank Braille, formats of hieroglyphs, of shorthand and of
        // music, a note without a head, and the filler of Khitan.
        | '\u{fff0}'..='\u{fffc}' | '\u{2800}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{16fe4}'
        // Tags and further selectors; what no font can show: private use.
        | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'.. => true,
        // The last two of each plane, and 32 in the first, are no characters.
        character => {
            let code = u32::from(character);
            code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
        }
    }
}

/// Letters and signs of the scripts whose spelling needs joiners: Arabic, Syriac, N'Ko and Mandaic;
/// those of India, Tibet, Burma, Cambodia, Mongolia and Indonesia.
fn needs_joiners(character: char) -> bool {
    matches!(
        character,
        '\u{620}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{f00}'..='\u{109f}'
        | '\u{1780}'..='\u{18af}' | '\u{1a00}'..='\u{1cff}' | '\u{a800}'..='\u{abff}'
        | '\u{fb50}'..='\u{fdcf}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}'
    ) && !is_hidden(character, None, None)
}
