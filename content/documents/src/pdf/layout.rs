//! From placed glyphs to lines.
//!
//! Lines stay in the order in which the page draws them, which is the reading order in what word
//! processors and typesetters write: columns one after the other, tables row by row. So do the glyphs
//! of a line, unless it has letters that are read from the right ([`super::bidi`]). What stands
//! between two glyphs is decided by their places. With the larger of the two sizes as unit:
//!
//! * another direction, or more than 0.6 across the line (1.1 between near letters that are read from
//!   the right): a new line; more than 2 downwards, or the
//!   next page: an empty line before it;
//! * on the same line, more than 1 backwards: a new line; more than 1.5 forwards: a tab; more than
//!   0.1 forwards: a space, where none is drawn.
//!
//! A glyph without a known character leaves a gap: what stands before and after it is no word. A glyph
//! that is drawn mirrored goes with its line, as the second letter of XeTeX's logo does.
//!
//! An accent that is drawn over or under a letter (as TeX does) becomes one character with it.
//! A raised, smaller digit or sign (* † ‡ § ¶) that marks a note is a word of its own before a word and
//! after one of three letters or more; elsewhere it is an exponent.
//!
//! Spaces at the ends of lines go, a soft hyphen at the end of a line joins it with the next,
//! elsewhere it is the hyphen that it is drawn as; for other hyphens see [`super::hyphen`].
//! Typographic ligatures (U+FB00 to U+FB06), Arabic presentation forms (U+FB50 to U+FDFF, U+FE70 to
//! U+FEFF) and forms for vertical lines (U+FE10 to U+FE19, U+FE30 to U+FE48) become their letters.
//! Control characters go. One glyph gives at most 4 characters.
//!
//! The arithmetic is additions, products, quotients and square roots of doubles, which are the same
//! on every machine.

use super::bidi::{is_mark, is_mark_from_right, reads_from_right, Gap, Line, Seen};
use super::hyphen;
use super::letters::is_private;
use super::matrix::Matrix;
use crate::budget::{Fault, Result, MAX_TEXT};
use crate::left_out::{Hidden, LeftOut};
use unicode_normalization::UnicodeNormalization;

const ACROSS: f64 = 0.6;
/// The same between letters that are read from the right and stand near: Nastaliq descends in words.
const SLOPE: f64 = 1.1;
/// From which height its letters are off the line, in units.
const SLOPING: f64 = 0.15;
const PARAGRAPH: f64 = 2.0;
const BACK: f64 = 1.0;
pub(super) const TAB: f64 = 1.5;
pub(super) const SPACE: f64 = 0.1;
/// How far back a glyph goes on a line that is read from the right to be a stretch of its own.
const STEP: f64 = 0.05;
/// Up to which advance a mark moves nothing on, in units.
const STILL: f64 = 0.01;
/// From which distance a glyph is not the one that a mark drawn before it stands over, in units.
const ASTRAY: f64 = 2.0;
/// How small a raised sign is beside its word, and how far it is raised, in units.
const RAISED: f64 = 0.85;
const LIFT: f64 = 0.15;
/// How far letters of the same size stand over or under each other to be no word together.
const STEPPED: f64 = 0.4;
/// Fewest letters of a word that a note may belong to.
const WORD: usize = 3;
/// Sine of the angle from which two directions are different ones.
const TURN: f64 = 0.1;
/// Most characters that one glyph stands for.
pub(crate) const MAX_CHARACTERS: usize = 4;

/// Where the last glyph ended.
#[derive(Clone, Copy, Debug)]
struct Pen {
    x: f64,
    y: f64,
    direction: (f64, f64),
    size: f64,
}

impl Pen {
    /// Whether it is on the line of another pen and farther on.
    fn is_beyond(&self, other: &Self) -> bool {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        let (ux, uy) = self.direction;
        let (along, up) = (dx * ux + dy * uy, dy * ux - dx * uy);
        let unit = if self.size > other.size { self.size } else { other.size };
        along > 0.0 && along < unit && up.abs() < unit
    }
}

/// Collects the text of a document.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    text: String,
    line: Line,
    /// Where the line begins, and its direction.
    origin: (f64, f64),
    direction: (f64, f64),
    seen: Seen,
    pen: Option<Pen>,
    /// Letters of the word that is open, and whether it is nothing but signs of notes.
    letters: usize,
    marks: bool,
    pub(crate) characters: u64,
    pub(crate) unmapped: u64,
    pub(crate) left_out: LeftOut,
}

impl Layout {
    /// Puts a glyph's text, of which at most [`MAX_CHARACTERS`] characters count. `place` has the
    /// glyph's origin and axes at its size, `advance` is how far the pen goes from there.
    pub(crate) fn glyph(
        &mut self,
        text: &str,
        place: &Matrix,
        vertical: bool,
        advance: (f64, f64),
    ) -> Result<()> {
        self.glyphs(text, MAX_CHARACTERS, place, vertical, advance)
    }

    /// Puts the text of several glyphs, at the place of the first one, of which at most `limit`
    /// characters count.
    pub(crate) fn glyphs(
        &mut self,
        text: &str,
        limit: usize,
        place: &Matrix,
        vertical: bool,
        advance: (f64, f64),
    ) -> Result<()> {
        let [a, b, c, d, mut x, mut y] = place.0;
        let mut advance = advance;
        let across = if vertical { (a, b) } else { (c, d) };
        let mut along = if vertical { (-c, -d) } else { (a, b) };
        let against = |pen: Pen| pen.direction.0 * along.0 + pen.direction.1 * along.1 < 0.0;
        if a * d - b * c < 0.0 && self.pen.is_some_and(against) {
            (x, y) = (x + advance.0, y + advance.1);
            advance = (-advance.0, -advance.1);
            along = (-along.0, -along.1);
        }
        let size = length(across);
        let run = length(along);
        let direction = if run > 0.0 { (along.0 / run, along.1 / run) } else { (1.0, 0.0) };
        let known = !text.contains(is_unknown);
        let text = self.counted(text, limit);
        if text.is_empty() && !known {
            let (dx, dy) =
                (x + advance.0 / 2.0 - self.origin.0, y + advance.1 / 2.0 - self.origin.1);
            let (ux, uy) = self.direction;
            if (dy * ux - dx * uy).abs() < ACROSS * size {
                self.line.leave_hole(dx * ux + dy * uy);
            }
            return Ok(());
        }
        let (mut gap, mut jump) = (Gap::None, false);
        if let Some(pen) = self.pen {
            (gap, jump) = self.separate(&pen, x, y, direction, size, &text);
        } else if length((x - self.origin.0, y - self.origin.1)) > ASTRAY * size {
            self.leave_marks();
        }
        let begins = self.line.is_empty();
        if begins {
            (self.origin, self.direction) = ((x, y), direction);
        }
        self.follow_word(&text, gap != Gap::None || begins);
        let (ux, uy) = self.direction;
        let start = (x - self.origin.0) * ux + (y - self.origin.1) * uy;
        let end = start + advance.0 * ux + advance.1 * uy;
        let up = (y - self.origin.1) * ux - (x - self.origin.0) * uy;
        if up.abs() > SLOPING * size && reads_from_right(&text) {
            self.line.sloping += 1;
        }
        let accent = self.line.accent(&text, (start, end), size);
        if !accent {
            self.line.put(&text, (start, end), gap, jump, (size, up));
        }
        if self.line.is_full() {
            self.end_line();
        }
        // A mark over a letter that is read from the right moves nothing on, wherever it stands.
        let stays = length(advance) < STILL * size && is_mark_from_right(&text);
        let pen = Pen { x: x + advance.0, y: y + advance.1, direction, size };
        self.pen = match self.pen {
            // One that begins a line does not say where it runs.
            last if stays => last.filter(|_| !begins),
            // Another mark is drawn back over its letter, and the line goes on after the letter.
            Some(last)
                if (accent || is_mark(&text))
                    && !self.line.right_to_left
                    && last.is_beyond(&pen) =>
            {
                Some(last)
            }
            _ => Some(pen),
        };
        if self.text.len() > MAX_TEXT {
            return Err(Fault::TooMuch { what: "bytes of text", limit: MAX_TEXT as u64 });
        }
        Ok(())
    }

    /// Ends a page.
    pub(crate) fn end_page(&mut self) {
        self.pen = None;
        self.new_line(true);
        self.seen = Seen::default();
    }

    /// The whole text.
    pub(crate) fn finish(mut self) -> (String, LeftOut) {
        self.new_line(false);
        let text = hyphen::join(self.text.trim_start_matches('\n').trim_end());
        let mut text = text.replace('\u{ad}', "-");
        if !text.is_empty() {
            text.push('\n');
        }
        (text, self.left_out)
    }

    /// What stands between the last glyph and this one, and whether it goes back on the line.
    fn separate(
        &mut self,
        pen: &Pen,
        x: f64,
        y: f64,
        direction: (f64, f64),
        size: f64,
        text: &str,
    ) -> (Gap, bool) {
        let unit = if size > pen.size { size } else { pen.size };
        let (ux, uy) = pen.direction;
        let (dx, dy) = (x - pen.x, y - pen.y);
        let along = dx * ux + dy * uy;
        let up = dy * ux - dx * uy;
        let turned = ux * direction.1 - uy * direction.0;
        let same = ux * direction.0 + uy * direction.1 > 0.0 && turned.abs() < TURN;
        let from_right =
            self.line.right_to_left && (reads_from_right(text) || is_mark_from_right(text));
        let across = if from_right && along.abs() < BACK * unit { SLOPE } else { ACROSS };
        if !same || up.abs() > across * unit {
            self.new_line(same && up < -PARAGRAPH * unit);
            return (Gap::None, false);
        }
        let start = (x - self.origin.0) * self.direction.0 + (y - self.origin.1) * self.direction.1;
        let back = self.line.last_start().is_some_and(|last| start < last - STEP * unit);
        let reads_back = self.line.right_to_left || reads_from_right(text);
        if along < -BACK * unit {
            if self.line.is_empty() || !reads_back {
                self.new_line(false);
                return (Gap::None, false);
            }
            return (Gap::None, true);
        }
        // In a line that is read from the right, what does not go on where the last glyph ended is
        // a stretch of its own; marks go with their letter.
        let jump = (back || along > SPACE * unit) && !is_mark(text);
        let blank = text.chars().all(char::is_whitespace);
        let gap = if along > TAB * unit {
            Gap::Tab
        } else if (along > SPACE * unit && !blank && !self.line.ends_blank())
            || self.is_beside_note(pen.size, size, up / unit, text)
        {
            Gap::Space
        } else {
            Gap::None
        };
        (gap, jump)
    }

    /// Whether the raised sign of a note meets a word here: before one it stands alone, after one of
    /// three letters or more it is no exponent. So do letters as large as the word's own.
    fn is_beside_note(&self, last: f64, size: f64, up: f64, text: &str) -> bool {
        let first = text.chars().next();
        let equal = size >= RAISED * last && last >= RAISED * size;
        if equal && up.abs() > STEPPED && !self.line.right_to_left {
            return true;
        }
        if size < RAISED * last && up > LIFT {
            return self.letters >= WORD && first.is_some_and(is_note);
        }
        last < RAISED * size && up < -LIFT && self.marks && first.is_some_and(char::is_alphabetic)
    }

    /// Leaves out the marks that the open line holds alone: what comes next stands elsewhere, so the letter
    /// that they were drawn for has no known character, and they would change one of another line.
    fn leave_marks(&mut self) {
        let marks = std::mem::take(&mut self.line).finish(&mut self.seen, SPACE, TAB);
        if !marks.is_empty() {
            self.left_out.add(Hidden::Unmapped, marks.len() as u64);
        }
    }

    /// Keeps what is known of the word that is open.
    fn follow_word(&mut self, text: &str, begins: bool) {
        if begins {
            (self.letters, self.marks) = (0, true);
        }
        for character in text.chars() {
            if character.is_whitespace() {
                (self.letters, self.marks) = (0, true);
            } else {
                self.letters += usize::from(character.is_alphabetic());
                self.marks &= is_note(character);
            }
        }
    }

    /// Moves the open line to the text.
    fn end_line(&mut self) {
        let line = self.line.finish(&mut self.seen, SPACE, TAB);
        match self.text.is_empty() || self.text.ends_with('\n') {
            true => self.text.push_str(line.trim_start_matches([' ', '\t'])),
            false => self.text.push_str(&line),
        }
    }

    fn new_line(&mut self, paragraph: bool) {
        self.end_line();
        let length = self.text.trim_end_matches([' ', '\t']).len();
        self.text.truncate(length);
        if self.text.ends_with('\u{ad}') {
            self.text.pop();
            return;
        }
        if !self.text.is_empty() {
            if !self.text.ends_with('\n') {
                self.text.push('\n');
            }
            if paragraph && !self.text.ends_with("\n\n") {
                self.text.push('\n');
            }
        }
    }

    /// A glyph's text as it counts; the rest is left out.
    fn counted(&mut self, text: &str, limit: usize) -> String {
        let mut out = String::with_capacity(text.len());
        for (place, character) in text.chars().enumerate() {
            if !character.is_whitespace() && !character.is_control() {
                self.characters += 1;
            }
            if character == '\u{fffd}' {
                self.unmapped += 1;
                self.left_out.add(Hidden::Unmapped, character.len_utf8() as u64);
                continue;
            }
            if is_unknown(character) {
                self.left_out.add(Hidden::Unmapped, character.len_utf8() as u64);
                continue;
            }
            if place >= limit {
                self.left_out.add(Hidden::Excess, character.len_utf8() as u64);
                continue;
            }
            put(character, &mut out);
        }
        out
    }
}

/// Whether a character says nothing about its sign: the replacement character, and private ones but
/// those that have a meaning ([`put`]).
fn is_unknown(character: char) -> bool {
    character == '\u{fffd}' || (is_private(character) && character != '\u{f0b7}')
}

/// Whether a sign is one that notes are marked with.
fn is_note(character: char) -> bool {
    character.is_ascii_digit() || matches!(character, '*' | '†' | '‡' | '§' | '¶')
}

fn put(character: char, out: &mut String) {
    match character {
        '\u{fb00}' => out.push_str("ff"),
        '\u{fb01}' => out.push_str("fi"),
        '\u{fb02}' => out.push_str("fl"),
        '\u{fb03}' => out.push_str("ffi"),
        '\u{fb04}' => out.push_str("ffl"),
        '\u{fb05}' | '\u{fb06}' => out.push_str("st"),
        '\u{fb50}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefe}'
        | '\u{fe10}'..='\u{fe19}'
        | '\u{fe30}'..='\u{fe48}' => {
            // The forms of marks alone stand on a space.
            let plain = || character.nfkd().filter(|c| *c != ' ');
            match plain().count() {
                0..=MAX_CHARACTERS => out.extend(plain()),
                // A whole phrase in one sign stays that sign.
                _ => out.push(character),
            }
        }
        // Word's bullets in the Symbol font, by the private code that Windows gives them.
        '\u{f0b7}' => out.push('\u{2022}'),
        '\n' | '\r' | '\t' | '\u{a0}' | ' ' => {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        }
        other if other.is_control() => {}
        other => out.push(other),
    }
}

/// Length of a vector. Not `hypot`, which is the system's.
fn length((x, y): (f64, f64)) -> f64 {
    (x * x + y * y).sqrt()
}
