//! Lines with letters that are read from right to left.
//!
//! A page shows a line, it does not say in which order it is read: some programs draw the letters of
//! Arabic and Hebrew from the left, some from the right, some word by word. So a line with such
//! letters is first put in the order in which it is seen, by the places of its glyphs, and then into
//! the order in which it is read (the inverse of the Unicode Bidirectional Algorithm, UAX 9):
//!
//! * The line is read from the right if a full stop, a comma or the like stands at its left end; from
//!   the left if at its right end; else from the right if at least half of its letters are, or of the
//!   page's so far.
//! * Then everything is turned round, except that letters read from the left keep their order
//!   together with the digits and signs between them, and numbers keep theirs: digits, a point,
//!   comma, colon or slash between two, and a sign of per cent or currency at them.
//! * In a line read from the left only the stretches of the other letters are turned round.
//! * A tab parts a line: what stands between two is turned on its own.
//! * Marks go with the letter that they stand over.
//! * Brackets are drawn mirrored; they are turned back unless they pair better as they are.

mod logical;
mod visual;

use super::layout::{SPACE, TAB};
use super::spaced::{self, Kind, Step};
use logical::{stretches_turned, turned};
use unicode_bidi::{bidi_class, BidiClass};

/// Most glyphs that are held of one line.
pub(crate) const MAX_CELLS: usize = 16_384;

/// The mark that an accent is when it stands over or under a letter: TeX and others draw `´` and `e`
/// at one place.
fn combining(text: &str) -> Option<char> {
    let mut characters = text.chars();
    let only = characters.next().filter(|_| characters.next().is_none())?;
    Some(match only {
        '`' | 'ˋ' => '\u{300}',
        '´' | 'ˊ' => '\u{301}',
        'ˆ' | '^' => '\u{302}',
        '˜' | '~' => '\u{303}',
        '¯' | 'ˉ' => '\u{304}',
        '˘' => '\u{306}',
        '˙' => '\u{307}',
        '¨' => '\u{308}',
        '˚' => '\u{30a}',
        '˝' => '\u{30b}',
        'ˇ' => '\u{30c}',
        '¸' => '\u{327}',
        '˛' => '\u{328}',
        // TeX's strokes, of its Polish letters and of negated relations.
        '\u{337}' | '\u{338}' => only,
        _ => return None,
    })
}

/// How far a mark's letter may stand from it, and a sign of currency from its number, in glyphs.
const NEAR: usize = 8;

/// What stands before a glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    None,
    Space,
    Tab,
}

/// One glyph of a line.
#[derive(Debug)]
struct Cell {
    /// Its text in the line's.
    from: usize,
    to: usize,
    /// From where to where it goes along the line.
    start: f64,
    end: f64,
    gap: Gap,
    /// Its size, and how high it stands over where the line begins.
    size: f64,
    up: f64,
    /// Whether it does not go on from where the one before ended.
    jump: bool,
}

/// The glyphs of the open line.
#[derive(Debug, Default)]
pub(crate) struct Line {
    text: String,
    cells: Vec<Cell>,
    /// Whether a letter is read from the right.
    pub(crate) right_to_left: bool,
    /// Letters that are read from the right and stand higher or lower than the first one.
    pub(crate) sloping: usize,
    /// Where glyphs without a known character stand: the gaps that they leave part no words.
    holes: Vec<f64>,
    /// The larger one of the line's sizes.
    unit: f64,
    /// Where the last glyph that is no mark begins.
    last_start: Option<f64>,
}

/// What the page's lines have shown so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    from_left: usize,
    from_right: usize,
    /// Brackets that pair when they are turned back, less those that pair as they are.
    mirrored: i64,
    /// Steps to the right of letters that are read from the right, less those to the left.
    from_left_steps: i64,
    /// Whose letters the marks are nearer to, in lines that are drawn from the left and in others.
    marks: (Votes, Votes),
    /// Letters that are read from the right, and blanks that are drawn in their lines.
    letters: usize,
    blanks: usize,
    /// The gap between words of such letters where no blank is drawn, in units.
    usual_gap: f64,
    /// Whether a line's words are as near to each other as the letters of others may be.
    narrow: bool,
}

/// Marks that are clearly nearer to the letter before them, or after them, and all.
#[derive(Debug, Default)]
struct Votes {
    before: usize,
    after: usize,
    all: usize,
}

/// How a glyph's text behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Left,
    Right,
    /// European digits, and Arabic ones.
    Digit,
    ArabicDigit,
    /// Stands in a number between two digits, or at its ends.
    Separator,
    Terminator,
    Mark,
    Neutral,
}

/// A piece of the line on the way to its order.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    class: Class,
}

impl Line {
    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.cells.len() >= MAX_CELLS
    }

    /// Leaves the place of a glyph without a known character, if the line has begun.
    pub(crate) fn leave_hole(&mut self, middle: f64) {
        if !self.is_empty() && self.holes.len() < MAX_CELLS {
            self.holes.push(middle);
        }
    }

    /// Appends a glyph's text, which may be empty; `size` with its height over the line.
    pub(crate) fn put(
        &mut self,
        text: &str,
        span: (f64, f64),
        gap: Gap,
        jump: bool,
        (size, up): (f64, f64),
    ) {
        if !is_mark(text) {
            self.last_start = Some(span.0);
        }
        let from = self.text.len();
        self.text.push_str(text);
        let (start, end) = span;
        let to = self.text.len();
        self.cells.push(Cell { from, to, start, end, gap, size, up, jump });
        self.right_to_left |= reads_from_right(text);
        if size > self.unit {
            self.unit = size;
        }
    }

    /// Puts an accent that is drawn as a sign of its own, over or under the letter before or after it,
    /// together with that letter; whether it has.
    pub(crate) fn accent(&mut self, text: &str, span: (f64, f64), size: f64) -> bool {
        let Some(last) = self.cells.last_mut() else { return false };
        let before = self.text.get(last.from..last.to).unwrap_or_default();
        let (letter, mark) = match (combining(before), combining(text)) {
            (Some(mark), None) => (text, mark),
            (None, Some(mark)) => (before, mark),
            _ => return false,
        };
        let mut letters = letter.chars();
        let strikes = mark == '\u{338}';
        let takes = |c: &char| c.is_alphabetic() || (strikes && !c.is_whitespace());
        let only = letters.next().filter(|c| takes(c) && letters.next().is_none());
        let Some(only) = only else { return false };
        let (accent, base) = match letter == text {
            true => ((last.start, last.end), span),
            false => (span, (last.start, last.end)),
        };
        let middle = (accent.0 + accent.1) / 2.0;
        // A stroke of no width stands where its sign begins.
        let slack = (base.1 - base.0) / 10.0;
        if middle < base.0 - slack || middle > base.1 {
            return false;
        }
        let (base_letter, mark) = match (only, mark) {
            ('l', '\u{337}') => ('ł', None),
            ('L', '\u{337}') => ('Ł', None),
            (only, mark) => (only, Some(mark)),
        };
        let base_letter = match base_letter {
            'ı' => 'i',
            'ȷ' => 'j',
            other => other,
        };
        self.text.truncate(last.from);
        self.text.push(base_letter);
        self.text.extend(mark);
        last.to = self.text.len();
        (last.start, last.end) = base;
        // What stands before the accent stands before its letter, which may begin sooner.
        let [.., before, last] = self.cells.as_mut_slice() else { return true };
        let distance = last.start - before.end;
        last.gap = match last.gap {
            Gap::Tab if distance > TAB * size => Gap::Tab,
            Gap::Tab | Gap::Space if distance > SPACE * size => Gap::Space,
            _ => Gap::None,
        };
        true
    }

    /// Where the last glyph that is no mark begins along the line.
    pub(crate) fn last_start(&self) -> Option<f64> {
        self.last_start
    }

    /// Whether the last glyph's text ends with a space, or there is none.
    pub(crate) fn ends_blank(&self) -> bool {
        self.text.chars().next_back().is_none_or(char::is_whitespace)
    }

    /// Ends the line and gives its text in the order in which it is read.
    pub(crate) fn finish(&mut self, seen: &mut Seen, space: f64, tab: f64) -> String {
        let line = std::mem::take(self);
        for character in line.text.chars() {
            match bidi_class(character) {
                BidiClass::L => seen.from_left += 1,
                BidiClass::R | BidiClass::AL => seen.from_right += 1,
                _ => {}
            }
        }
        match line.right_to_left || line.ends_left_without_letters(seen) {
            true => line.ordered(seen, space, tab),
            false => line.as_drawn(),
        }
    }

    /// Whether a line of digits and signs goes on with text that is read from the right: the sign that
    /// ends its sentence stands at the left.
    fn ends_left_without_letters(&self, seen: &Seen) -> bool {
        let mut shown = self.text.chars().filter(|character| !character.is_whitespace());
        seen.from_right > seen.from_left
            && shown.next().is_some_and(is_end)
            && shown.next_back().is_some_and(|last| last.is_ascii_digit())
            && !self.text.chars().any(char::is_alphabetic)
    }

    fn text_of(&self, cell: &Cell) -> &str {
        self.text.get(cell.from..cell.to).unwrap_or_default()
    }

    /// How each glyph follows the one before.
    fn steps(&self) -> Vec<Step> {
        let mut before: Option<&Cell> = None;
        let step = |cell| {
            let text = self.text_of(cell);
            let (distance, unit) = match before.replace(cell) {
                Some(last) => (cell.start - last.end, last.size.max(cell.size)),
                None => (0.0, cell.size),
            };
            let kind = match cell.gap {
                _ if text.chars().all(char::is_whitespace) => Kind::Blank,
                _ if !text.chars().any(|c| c.is_lowercase() || c.is_uppercase()) => Kind::Other,
                Gap::Tab => Kind::Tab,
                _ => Kind::Letter,
            };
            Step { kind, distance: if unit > 0.0 { distance / unit } else { 0.0 } }
        };
        self.cells.iter().map(step).collect()
    }

    fn as_drawn(&self) -> String {
        let mut out = String::with_capacity(self.text.len());
        let within = spaced::within_words(&self.steps());
        for (cell, within) in self.cells.iter().zip(within) {
            match cell.gap {
                Gap::Space if within => {}
                Gap::Tab => {
                    out.truncate(out.trim_end_matches([' ', '\t']).len());
                    if !out.is_empty() {
                        out.push('\t');
                    }
                }
                Gap::Space if !out.is_empty() && !out.ends_with([' ', '\t']) => out.push(' '),
                _ => {}
            }
            out.push_str(self.text_of(cell));
        }
        out
    }

    fn ordered(&self, seen: &mut Seen, space: f64, tab: f64) -> String {
        let letters = |class: fn(BidiClass) -> bool| {
            self.text.chars().filter(|c| class(bidi_class(*c))).count()
        };
        let right = letters(|class| matches!(class, BidiClass::R | BidiClass::AL));
        let left = letters(|class| class == BidiClass::L);
        let mut fields = self.fields(seen, space, tab);
        let most = right >= left || seen.from_right >= seen.from_left;
        let from_right = ends_left(&fields).unwrap_or(most);
        if from_right {
            fields.reverse();
        }
        let mut out = String::with_capacity(self.text.len() + 16);
        for field in fields {
            let ordered = match from_right {
                true => turned(field, seen),
                false => stretches_turned(field, seen),
            };
            let text: String = ordered.iter().map(|piece| piece.text.as_str()).collect();
            let text = text.trim();
            if !out.is_empty() && !text.is_empty() {
                out.push('\t');
            }
            out.push_str(text);
        }
        out
    }
}

/// Whether a line that is seen like this ends on the left, if a sign that ends sentences and their
/// parts says so: it stands at one end of the line alone.
fn ends_left(fields: &[Vec<Piece>]) -> Option<bool> {
    let mut shown = fields.iter().flatten().filter(|piece| !piece.text.trim().is_empty());
    let ends = |piece: Option<&Piece>| {
        piece.is_some_and(|piece| {
            let mut sign = piece.text.trim().chars();
            sign.next().is_some_and(is_end) && sign.next().is_none()
        })
    };
    let left = ends(shown.next());
    let right = ends(shown.next_back());
    (left != right).then_some(left)
}

fn is_end(sign: char) -> bool {
    matches!(sign, '.' | '?' | '!' | ':' | ',' | ';' | '؟' | '،' | '؛' | '۔')
}

fn class_of(text: &str) -> Class {
    let mut found = Class::Mark;
    for character in text.chars() {
        found = match bidi_class(character) {
            BidiClass::L => Class::Left,
            BidiClass::R | BidiClass::AL => Class::Right,
            BidiClass::EN => Class::Digit,
            BidiClass::AN => Class::ArabicDigit,
            BidiClass::CS | BidiClass::ES => Class::Separator,
            BidiClass::ET => Class::Terminator,
            BidiClass::NSM => continue,
            _ => Class::Neutral,
        };
        if matches!(found, Class::Left | Class::Right | Class::Digit | Class::ArabicDigit) {
            break;
        }
    }
    if text.is_empty() {
        found = Class::Neutral;
    }
    found
}

/// Whether a letter of the text is read from the right.
pub(crate) fn reads_from_right(text: &str) -> bool {
    let right = |character| matches!(bidi_class(character), BidiClass::R | BidiClass::AL);
    text.chars().any(|character| character >= '\u{590}' && right(character))
}

/// Whether the text is marks alone.
pub(crate) fn is_mark(text: &str) -> bool {
    !text.is_ascii() && class_of(text) == Class::Mark
}

/// Whether the text is marks of Hebrew, Arabic or Syriac letters alone.
pub(crate) fn is_mark_from_right(text: &str) -> bool {
    is_mark(text) && text.chars().all(|character| ('\u{590}'..='\u{8ff}').contains(&character))
}
