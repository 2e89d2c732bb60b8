//! From placed glyphs to lines.
//!
//! Glyphs stay in the order in which the page draws them, which is the reading order in what word
//! processors and typesetters write: columns one after the other, tables row by row. Only what
//! stands between two glyphs is decided by their places. With the larger of the two sizes as unit:
//!
//! * another direction, or more than 0.6 across the line: a new line; more than 2 downwards, or the
//!   next page: an empty line before it;
//! * on the same line, more than 1 backwards: a new line; more than 1.5 forwards: a tab; more than
//!   0.15 forwards: a space, where none is drawn.
//!
//! Spaces at the ends of lines go, a soft hyphen at the end of a line joins it with the next, and
//! typographic ligatures (U+FB00 to U+FB06) become their letters. Control characters go.
//!
//! The arithmetic is additions, products, quotients and square roots of doubles, which are the same
//! on every machine.

use super::matrix::Matrix;
use crate::budget::{Fault, Result, MAX_TEXT};

const ACROSS: f64 = 0.6;
const PARAGRAPH: f64 = 2.0;
const BACK: f64 = 1.0;
const TAB: f64 = 1.5;
const SPACE: f64 = 0.15;
/// Sine of the angle from which two directions are different ones.
const TURN: f64 = 0.1;

/// Where the last glyph ended.
#[derive(Clone, Copy, Debug)]
struct Pen {
    x: f64,
    y: f64,
    direction: (f64, f64),
    size: f64,
}

/// Collects the text of a document.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    text: String,
    pen: Option<Pen>,
    pub(crate) characters: u64,
    pub(crate) unmapped: u64,
}

impl Layout {
    /// Puts a glyph's text. `place` has the glyph's origin and axes at its size, `advance` is how
    /// far the pen goes from there.
    pub(crate) fn glyph(
        &mut self,
        text: &str,
        place: &Matrix,
        vertical: bool,
        advance: (f64, f64),
    ) -> Result<()> {
        let [a, b, c, d, x, y] = place.0;
        let across = if vertical { (a, b) } else { (c, d) };
        let along = if vertical { (-c, -d) } else { (a, b) };
        let size = length(across);
        let run = length(along);
        let direction = if run > 0.0 { (along.0 / run, along.1 / run) } else { (1.0, 0.0) };
        if let Some(pen) = self.pen {
            let blank = text.chars().all(char::is_whitespace);
            self.separate(&pen, x, y, direction, size, blank);
        }
        for character in text.chars() {
            self.put(character);
        }
        self.pen = Some(Pen { x: x + advance.0, y: y + advance.1, direction, size });
        if self.text.len() > MAX_TEXT {
            return Err(Fault::TooMuch { what: "bytes of text", limit: MAX_TEXT as u64 });
        }
        Ok(())
    }

    /// Ends a page.
    pub(crate) fn end_page(&mut self) {
        self.pen = None;
        self.new_line(true);
    }

    /// The whole text.
    pub(crate) fn finish(mut self) -> String {
        self.new_line(false);
        let start = self.text.len() - self.text.trim_start_matches('\n').len();
        self.text.drain(..start);
        let end = self.text.trim_end().len();
        self.text.truncate(end);
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text
    }

    fn separate(
        &mut self,
        pen: &Pen,
        x: f64,
        y: f64,
        direction: (f64, f64),
        size: f64,
        blank: bool,
    ) {
        let unit = if size > pen.size { size } else { pen.size };
        let (ux, uy) = pen.direction;
        let (dx, dy) = (x - pen.x, y - pen.y);
        let along = dx * ux + dy * uy;
        let up = dy * ux - dx * uy;
        let turned = ux * direction.1 - uy * direction.0;
        let same = ux * direction.0 + uy * direction.1 > 0.0 && turned.abs() < TURN;
        if !same || up.abs() > ACROSS * unit {
            self.new_line(same && up < -PARAGRAPH * unit);
        } else if along < -BACK * unit {
            self.new_line(false);
        } else if along > TAB * unit {
            self.trim();
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push('\t');
            }
        } else if along > SPACE * unit && !blank && !self.text.ends_with([' ', '\t', '\n']) {
            self.text.push(' ');
        }
    }

    fn new_line(&mut self, paragraph: bool) {
        self.trim();
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

    fn trim(&mut self) {
        while self.text.ends_with([' ', '\t']) {
            self.text.pop();
        }
    }

    fn put(&mut self, character: char) {
        if !character.is_whitespace() {
            self.characters += 1;
            self.unmapped += u64::from(character == '\u{fffd}');
        }
        match character {
            '\u{fb00}' => self.text.push_str("ff"),
            '\u{fb01}' => self.text.push_str("fi"),
            '\u{fb02}' => self.text.push_str("fl"),
            '\u{fb03}' => self.text.push_str("ffi"),
            '\u{fb04}' => self.text.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => self.text.push_str("st"),
            // Word's bullets in the Symbol font, by the private code that Windows gives them.
            '\u{f0b7}' => self.text.push('\u{2022}'),
            '\n' | '\r' | '\t' | '\u{a0}' | ' ' => {
                if !self.text.is_empty() && !self.text.ends_with('\n') {
                    self.text.push(' ');
                }
            }
            other if other.is_control() => {}
            other => self.text.push(other),
        }
    }
}

/// Length of a vector. Not `hypot`, which is the system's.
fn length((x, y): (f64, f64)) -> f64 {
    (x * x + y * y).sqrt()
}
