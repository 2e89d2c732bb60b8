//! Lines with letters that are read from right to left.
//!
//! A page shows a line, it does not say in which order it is read: some programs draw the letters of
//! Arabic and Hebrew from the left, some from the right, some word by word. So a line with such
//! letters is first put in the order in which it is seen, by the places of its glyphs, and then into
//! the order in which it is read (the inverse of the Unicode Bidirectional Algorithm, UAX 9):
//!
//! * The line is read from the right if at least half of its letters are, or of the page's so far.
//! * Then everything is turned round, except that letters read from the left keep their order
//!   together with the digits and signs between them, and numbers keep theirs: digits, a point,
//!   comma, colon or slash between two, and a sign of per cent or currency at them.
//! * In a line read from the left only the stretches of the other letters are turned round.
//! * A tab parts a line: what stands between two is turned on its own.
//! * Marks go with the letter that they stand over.
//! * Brackets are drawn mirrored; they are turned back unless they pair better as they are.

use super::layout::{SPACE, TAB};
use super::spaced::{self, Kind, Step};
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

/// Up to which distance two glyphs begin at one place, in units of their size.
const SAME: f64 = 0.02;
/// How far a mark's letter may stand from it, in pieces.
const NEAR: usize = 8;
/// Up to which difference two letters are as near to a mark, in units of the letters' size.
const TIE: f64 = 0.3;

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
    size: f64,
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

    /// Appends a glyph's text, which may be empty.
    pub(crate) fn put(&mut self, text: &str, span: (f64, f64), gap: Gap, jump: bool, unit: f64) {
        if !is_mark(text) {
            self.last_start = Some(span.0);
        }
        let from = self.text.len();
        self.text.push_str(text);
        let (start, end) = span;
        let to = self.text.len();
        self.cells.push(Cell { from, to, start, end, gap, size: unit, jump });
        self.right_to_left |= reads_from_right(text);
        if unit > self.unit {
            self.unit = unit;
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
        match line.right_to_left {
            true => line.ordered(seen, space, tab),
            false => line.as_drawn(),
        }
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
        let from_right = right >= left || seen.from_right >= seen.from_left;
        let mut fields = self.fields(space, tab);
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

    /// The pieces as they are seen from the left, parted by tabs.
    fn fields(&self, space: f64, tab: f64) -> Vec<Vec<Piece>> {
        let mut runs: Vec<&[Cell]> = Vec::new();
        let mut begin = 0;
        for place in 1..=self.cells.len() {
            if self.cells.get(place).is_none_or(|cell| cell.jump) {
                runs.extend(self.cells.get(begin..place));
                begin = place;
            }
        }
        // Where each letter is drawn alone, a ligature of two glyphs at one place is in order.
        let one_place = |run: &&[Cell]| {
            let first = run.first().map_or(0.0, |cell| cell.start);
            let apart = |cell: &Cell| (cell.start - first).abs() > SAME * self.unit;
            !run.iter().any(|cell| class_of(self.text_of(cell)) != Class::Mark && apart(cell))
        };
        let single: Vec<bool> = runs.iter().map(one_place).collect();
        let single_at = |at: usize| single.get(at).copied().unwrap_or(false);
        let mut placed: Vec<(f64, f64, &[Cell], bool)> = runs
            .into_iter()
            .enumerate()
            .map(|(at, run)| {
                let start = run.iter().map(|cell| cell.start).fold(f64::INFINITY, f64::min);
                let end = run.iter().map(|cell| cell.end).fold(f64::NEG_INFINITY, f64::max);
                let beside = single_at(at + 1) || at.checked_sub(1).is_some_and(single_at);
                (start, end, run, single_at(at) && beside)
            })
            .collect();
        placed.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut fields = vec![Vec::new()];
        let mut last: Option<f64> = None;
        for (start, end, run, in_order) in placed {
            let letters = run.iter().filter(|cell| class_of(self.text_of(cell)) != Class::Mark);
            let alone = letters.count() <= 1;
            let marks = run.iter().all(|cell| class_of(self.text_of(cell)) == Class::Mark);
            for (place, cell) in run.iter().enumerate() {
                let gap = match last.filter(|_| place == 0) {
                    Some(last) if start - last > tab * self.unit => Gap::Tab,
                    Some(last) if start - last > space * self.unit => Gap::Space,
                    _ => Gap::None,
                };
                if gap == Gap::Tab {
                    fields.push(Vec::new());
                }
                let Some(field) = fields.last_mut() else { continue };
                if gap == Gap::Space {
                    let piece = Piece { text: " ".into(), class: Class::Neutral };
                    field.push(Placed { piece, cell: None, alone: false });
                }
                let text = self.text_of(cell).to_owned();
                let class = class_of(&text);
                if in_order && place > 0 && class == Class::Right {
                    if let Some(last) = field.last_mut().filter(|p| p.piece.class == Class::Right) {
                        last.piece.text.push_str(&text);
                        continue;
                    }
                }
                if !text.is_empty() {
                    field.push(Placed { piece: Piece { text, class }, cell: Some(cell), alone });
                }
            }
            if !marks && last.is_none_or(|last| end > last) {
                last = Some(end);
            }
        }
        fields.into_iter().map(|field| with_marks(field, self.unit)).collect()
    }
}

/// A piece with the glyph that it comes from, and whether that was drawn with others.
struct Placed<'a> {
    piece: Piece,
    cell: Option<&'a Cell>,
    alone: bool,
}

/// Puts marks behind the letters that they stand over: the nearest one of the letters on both sides.
/// Of two that are as near it is the one after it where letters are drawn from the left, and the one
/// before it where each is drawn alone.
fn with_marks(pieces: Vec<Placed<'_>>, unit: f64) -> Vec<Piece> {
    let mut owner = Vec::with_capacity(pieces.len());
    for (place, Placed { piece, cell, alone }) in pieces.iter().enumerate() {
        let Some(cell) = cell.filter(|_| piece.class == Class::Mark) else {
            owner.push(place);
            continue;
        };
        let letter = |at: &usize| {
            let class = pieces.get(*at).map(|other| other.piece.class);
            matches!(class, Some(Class::Left | Class::Right))
        };
        let before = (place.saturating_sub(NEAR)..place).rev().find(letter);
        let after = (place + 1..(place + NEAR).min(pieces.len())).find(letter);
        let distance = |other: Option<usize>| {
            let other = other.and_then(|other| pieces.get(other)?.cell);
            other.map_or(f64::INFINITY, |other| {
                let (left, right) = (other.start - cell.start, cell.start - other.end);
                left.max(right).max(0.0)
            })
        };
        let left =
            before.and_then(|at| pieces.get(at)).is_some_and(|p| p.piece.class == Class::Left);
        let (near, far) = if *alone || left { (before, after) } else { (after, before) };
        let chosen = if distance(near) <= distance(far) + TIE * unit { near } else { far };
        owner.push(chosen.unwrap_or(place));
    }
    let mut marks: std::collections::BTreeMap<usize, String> = Default::default();
    let mut out: Vec<(usize, Piece)> = Vec::with_capacity(pieces.len());
    for (place, Placed { piece, .. }) in pieces.into_iter().enumerate() {
        match owner.get(place) {
            Some(owner) if *owner != place => {
                marks.entry(*owner).or_default().push_str(&piece.text);
            }
            _ => out.push((place, piece)),
        }
    }
    for (place, piece) in &mut out {
        if let Some(marks) = marks.get(place) {
            piece.text.push_str(marks);
        }
    }
    out.into_iter().map(|(_, piece)| piece).collect()
}

/// A line that is read from the right: turned round, without what is read from the left in it.
fn turned(mut pieces: Vec<Piece>, seen: &mut Seen) -> Vec<Piece> {
    let arabic = pieces
        .iter()
        .any(|piece| piece.text.chars().any(|character| bidi_class(character) == BidiClass::AL));
    // Which pieces keep their order with the one after them, as seen from the left.
    let mut runs = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let end = kept_end(&pieces, at, arabic);
        runs.push((at, end, end > at + 1 || !is_neutral(&pieces, at)));
        at = end;
    }
    let mut turn: Vec<usize> = Vec::new();
    for (begin, end, kept) in &runs {
        if !kept {
            turn.extend(*begin..*end);
        }
    }
    mirror(&mut pieces, &turn, seen);
    let mut out = Vec::with_capacity(pieces.len());
    for (begin, end, _) in runs.into_iter().rev() {
        out.extend_from_slice(pieces.get(begin..end).unwrap_or_default());
    }
    out
}

fn class_at(pieces: &[Piece], at: usize) -> Option<Class> {
    pieces.get(at).map(|piece| piece.class)
}

fn is_neutral(pieces: &[Piece], at: usize) -> bool {
    !matches!(
        class_at(pieces, at),
        Some(Class::Left | Class::Right | Class::Digit | Class::ArabicDigit)
    )
}

/// Where the stretch ends that begins at a place and keeps its order.
fn kept_end(pieces: &[Piece], at: usize, arabic: bool) -> usize {
    let mut end = at;
    let mut begin = at;
    // A sign of currency before its number.
    while !arabic && begin < at + NEAR && class_at(pieces, begin) == Some(Class::Terminator) {
        begin += 1;
    }
    let first = class_at(pieces, begin);
    if !matches!(first, Some(Class::Left | Class::Digit | Class::ArabicDigit)) {
        return at + 1;
    }
    let mut has_letter = first == Some(Class::Left);
    let mut place = begin;
    loop {
        end = end.max(place + 1);
        // What comes next that is no sign, and what stands between.
        let mut next = place + 1;
        while is_neutral(pieces, next) && next < pieces.len() {
            next += 1;
        }
        let between = pieces.get(place + 1..next).unwrap_or_default();
        let here = class_at(pieces, place);
        let then = class_at(pieces, next);
        let joined = match (here, then) {
            (_, Some(Class::Left)) => here != Some(Class::ArabicDigit),
            (Some(Class::Left), Some(Class::Digit)) => true,
            (Some(Class::Digit), Some(Class::Digit))
            | (Some(Class::ArabicDigit), Some(Class::ArabicDigit)) => {
                let one = matches!(between, [only] if only.class == Class::Separator);
                between.is_empty() || one || has_letter
            }
            _ => false,
        };
        if !joined {
            break;
        }
        has_letter |= then == Some(Class::Left);
        place = next;
    }
    // A sign of per cent after its number.
    while class_at(pieces, end) == Some(Class::Terminator)
        && matches!(class_at(pieces, end - 1), Some(Class::Digit | Class::Terminator))
    {
        end += 1;
    }
    end
}

/// A line that is read from the left: only the stretches that are read from the right are turned.
fn stretches_turned(pieces: Vec<Piece>, seen: &mut Seen) -> Vec<Piece> {
    let mut out = Vec::with_capacity(pieces.len());
    let mut at = 0;
    while at < pieces.len() {
        if class_at(&pieces, at) != Some(Class::Right) {
            out.extend(pieces.get(at).cloned());
            at += 1;
            continue;
        }
        let mut end = at + 1;
        for place in at + 1..pieces.len() {
            match class_at(&pieces, place) {
                Some(Class::Right) => end = place + 1,
                Some(Class::Left) => break,
                _ => {}
            }
        }
        out.append(&mut turned(pieces.get(at..end).unwrap_or_default().to_vec(), seen));
        at = end;
    }
    out
}

/// The brackets that are drawn mirrored.
const BRACKETS: [(char, char); 6] =
    [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('«', '»'), ('‹', '›')];

fn bracket(text: &str) -> Option<(char, bool)> {
    let mut characters = text.chars();
    let only = characters.next().filter(|_| characters.next().is_none())?;
    BRACKETS.iter().find_map(|(open, close)| match only {
        _ if only == *open => Some((*close, true)),
        _ if only == *close => Some((*open, false)),
        _ => None,
    })
}

/// Turns brackets back, unless they fit better as they are: an opening one stands before a word and
/// after a space, and both pair. `turn` has the places in the order in which they are seen.
fn mirror(pieces: &mut [Piece], turn: &[usize], seen: &mut Seen) {
    let blank = |at: Option<usize>| {
        let piece = at.and_then(|at| pieces.get(at));
        piece.is_none_or(|piece| !piece.text.chars().any(char::is_alphanumeric))
    };
    // Read from the right, a pair begins at its right end.
    let mut depths = [0_i64; 2];
    let mut fits = [0_i64; 2];
    for place in turn.iter().rev() {
        let Some((_, opens)) = pieces.get(*place).and_then(|piece| bracket(&piece.text)) else {
            continue;
        };
        let (before, after) = (blank(Some(place + 1)), blank(place.checked_sub(1)));
        for (way, opens) in [opens, !opens].into_iter().enumerate() {
            let (Some(depth), Some(fits)) = (depths.get_mut(way), fits.get_mut(way)) else {
                continue;
            };
            *fits += i64::from(before != after && opens == before);
            match opens {
                true => *depth += 1,
                false if *depth > 0 => {
                    *depth -= 1;
                    *fits += 1;
                }
                false => {}
            }
        }
    }
    let [as_drawn, mirrored] = fits;
    let better = mirrored - as_drawn;
    seen.mirrored += better;
    if better > 0 || (better == 0 && seen.mirrored >= 0) {
        for place in turn {
            let Some(piece) = pieces.get_mut(*place) else { continue };
            if let Some((other, _)) = bracket(&piece.text) {
                piece.text = other.to_string();
            }
        }
    }
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
