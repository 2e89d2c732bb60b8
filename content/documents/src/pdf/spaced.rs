//! Letter-spaced words.
//!
//! Some words are set with room between all their letters: headings in capitals, lines that are
//! stretched to a column's width. What tells that room from the space between words is that it is
//! the same throughout, and smaller than the spaces in the same stretch. A stretch is at least four
//! letters of which no two stand together. In units of the larger letter:
//!
//! * where the stretch has spaces that are drawn, gaps are room between letters;
//! * where it has none, gaps are, if the narrowest is at most 0.2: all that are at most 0.1 wider.

use super::layout::SPACE;

/// Fewest letters of a stretch.
const LETTERS: usize = 4;
/// Widest room between letters where no spaces are drawn.
const ROOM: f64 = 0.2;
/// How much wider than the narrowest gap of a stretch the room between two letters may be.
const SPREAD: f64 = 0.1;

/// What a glyph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A letter of a script with capitals.
    Letter,
    /// The same after a tab.
    Tab,
    Blank,
    Other,
}

/// A glyph of a line: how far it is from the end of the one before, in units of the larger one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) distance: f64,
}

/// For each glyph, whether the gap before it is room between the letters of a word.
pub(super) fn within_words(steps: &[Step]) -> Vec<bool> {
    let mut within = vec![false; steps.len()];
    let mut begin = 0;
    for place in 1..=steps.len() {
        if !goes_on(steps, place) {
            judge(steps, begin, place, &mut within);
            begin = place;
        }
    }
    within
}

/// Whether a glyph belongs to the stretch of the one before.
fn goes_on(steps: &[Step], place: usize) -> bool {
    let Some(before) = place.checked_sub(1) else { return false };
    let blank = |place: usize| steps.get(place).is_some_and(|step| step.kind == Kind::Blank);
    let part = |place: usize| blank(place) || is_alone(steps, place);
    let tab = steps.get(place).is_some_and(|step| step.kind == Kind::Tab);
    part(before) && part(place) && !tab && !(blank(before) && blank(place))
}

/// Whether a glyph is a letter that touches no other glyph.
fn is_alone(steps: &[Step], place: usize) -> bool {
    let apart = |place: usize| {
        let blank = |place: Option<&Step>| place.is_none_or(|step| step.kind == Kind::Blank);
        let before = place.checked_sub(1).and_then(|before| steps.get(before));
        let step = steps.get(place);
        blank(before) || blank(step) || step.is_some_and(|step| step.distance > SPACE)
    };
    let letter = |step: &Step| matches!(step.kind, Kind::Letter | Kind::Tab);
    steps.get(place).is_some_and(letter) && apart(place) && apart(place + 1)
}

fn judge(steps: &[Step], begin: usize, end: usize, within: &mut [bool]) {
    let gap = |place: usize| {
        let step = steps.get(place)?;
        let before = steps.get(place.checked_sub(1).filter(|before| *before >= begin)?)?;
        let letters = step.kind == Kind::Letter && before.kind != Kind::Blank;
        letters.then_some(step.distance)
    };
    let stretch = steps.get(begin..end).unwrap_or_default();
    let letters = stretch.iter().filter(|step| step.kind != Kind::Blank).count();
    let narrowest = (begin..end).filter_map(gap).fold(f64::INFINITY, f64::min);
    let gaps = (begin..end).filter_map(gap).count();
    let blanks = stretch.len() - letters;
    if letters < LETTERS || gaps < LETTERS - 1 || gaps < blanks || (blanks == 0 && narrowest > ROOM)
    {
        return;
    }
    for place in begin..end {
        let room = gap(place).is_some_and(|gap| gap <= narrowest + SPREAD);
        if let (true, Some(within)) = (room, within.get_mut(place)) {
            *within = true;
        }
    }
}
