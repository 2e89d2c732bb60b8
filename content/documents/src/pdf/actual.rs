//! `ActualText`: the text that a document states for a stretch of glyphs (ISO 32000-1, 14.9.4).
//!
//! It counts where its letters are those that are drawn, in any order: that is what hyphens at line
//! ends, ligatures and letters read from the right need. Letters that are not drawn may be as many
//! as a quarter of those that are, and four for each glyph without a known character. Otherwise it
//! says something else than the page shows, and the glyphs' own letters count.

use super::letters::{fold, is_private, Shared};
use super::matrix::Matrix;
use std::collections::BTreeMap;

/// Most glyphs of one stretch; one with more counts as it is drawn.
const MAX_GLYPHS: usize = 4096;

/// A glyph that waits for the end of its stretch.
pub(crate) struct Waiting {
    pub(crate) text: String,
    pub(crate) place: Matrix,
    pub(crate) vertical: bool,
    pub(crate) advance: (f64, f64),
}

/// A stretch with a text of its own.
pub(crate) struct Stretch {
    text: Box<str>,
    glyphs: Vec<Waiting>,
    /// Whether more glyphs came than are held.
    over: bool,
}

impl Stretch {
    pub(crate) fn new(text: Box<str>) -> Self {
        Self { text, glyphs: Vec::new(), over: false }
    }

    /// Holds a glyph; a stretch that has become too long gives all of them back, as they are.
    pub(crate) fn push(&mut self, glyph: Waiting) -> Vec<Waiting> {
        self.glyphs.push(glyph);
        self.over |= self.glyphs.len() > MAX_GLYPHS;
        if self.over {
            std::mem::take(&mut self.glyphs)
        } else {
            Vec::new()
        }
    }

    /// Ends it: the text that counts instead of the glyphs' own, if it does, and the glyphs.
    pub(crate) fn end(self, letters: &Shared) -> (Option<Box<str>>, Vec<Waiting>) {
        if self.glyphs.is_empty() {
            return (None, self.glyphs);
        }
        let drawn: String = self.glyphs.iter().map(|glyph| glyph.text.as_str()).collect();
        let more = foreign(&self.text, &drawn);
        match more {
            0 => (Some(self.text), self.glyphs),
            more => {
                letters.borrow_mut().stated(more, &drawn, &self.text);
                (None, self.glyphs)
            }
        }
    }
}

/// How many letters of a text are not among those that are drawn; 0 where few enough are.
fn foreign(text: &str, drawn: &str) -> u64 {
    let unknown = drawn.chars().filter(|c| *c == '\u{fffd}' || is_private(*c)).count();
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    let mut known = 0;
    for letter in fold(drawn).chars().filter(|c| c.is_alphanumeric()) {
        *counts.entry(letter).or_default() += 1;
        known += 1;
    }
    let mut more = 0;
    for letter in fold(text).chars().filter(|c| c.is_alphanumeric()) {
        match counts.get_mut(&letter).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => more += 1,
        }
    }
    if more > 4 * unknown + known / 4 {
        more as u64
    } else {
        0
    }
}
