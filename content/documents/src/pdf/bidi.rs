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

use unicode_bidi::{bidi_class, BidiClass};

/// Most glyphs that are held of one line.
pub(crate) const MAX_CELLS: usize = 16_384;

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
        let from = self.text.len();
        self.text.push_str(text);
        let (start, end) = span;
        let to = self.text.len();
        self.cells.push(Cell { from, to, start, end, gap, jump });
        self.right_to_left |= reads_from_right(text);
        if unit > self.unit {
            self.unit = unit;
        }
    }

    /// Where the last glyph begins along the line.
    pub(crate) fn last_start(&self) -> Option<f64> {
        self.cells.last().map(|cell| cell.start)
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

    fn as_drawn(&self) -> String {
        let mut out = String::with_capacity(self.text.len());
        for cell in &self.cells {
            match cell.gap {
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
        let mut placed: Vec<(f64, f64, &[Cell])> = runs
            .into_iter()
            .map(|run| {
                let start = run.iter().map(|cell| cell.start).fold(f64::INFINITY, f64::min);
                let end = run.iter().map(|cell| cell.end).fold(f64::NEG_INFINITY, f64::max);
                (start, end, run)
            })
            .collect();
        placed.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut fields = vec![Vec::new()];
        let mut last: Option<f64> = None;
        for (start, end, run) in placed {
            let marks = run.iter().all(|cell| class_of(self.text_of(cell)) == Class::Mark);
            for (place, cell) in run.iter().enumerate() {
                let gap = match (place, last) {
                    (0, Some(last)) if start - last > tab * self.unit => Gap::Tab,
                    (0, Some(last)) if start - last > space * self.unit => Gap::Space,
                    (0, _) => Gap::None,
                    _ => cell.gap,
                };
                if gap == Gap::Tab {
                    fields.push(Vec::new());
                }
                let Some(field) = fields.last_mut() else { continue };
                if gap == Gap::Space {
                    field.push((Piece { text: " ".into(), class: Class::Neutral }, None));
                }
                let text = self.text_of(cell).to_owned();
                let class = class_of(&text);
                if !text.is_empty() {
                    field.push((Piece { text, class }, Some(cell)));
                }
            }
            if !marks && last.is_none_or(|last| end > last) {
                last = Some(end);
            }
        }
        fields.into_iter().map(with_marks).collect()
    }
}

/// Puts marks behind the letters that they stand over.
fn with_marks(pieces: Vec<(Piece, Option<&Cell>)>) -> Vec<Piece> {
    let mut owner = Vec::with_capacity(pieces.len());
    for (place, (piece, cell)) in pieces.iter().enumerate() {
        let Some(cell) = cell.filter(|_| piece.class == Class::Mark) else {
            owner.push(place);
            continue;
        };
        let letter = |other: &&(Piece, Option<&Cell>)| other.0.class != Class::Mark;
        let near = 8;
        let before = pieces
            .get(..place)
            .unwrap_or_default()
            .iter()
            .rev()
            .take(near)
            .position(|p| letter(&p));
        let after =
            pieces.get(place + 1..).unwrap_or_default().iter().take(near).position(|p| letter(&p));
        let before = before.map(|steps| place - 1 - steps);
        let after = after.map(|steps| place + 1 + steps);
        let holds = |other: Option<usize>| {
            let other = other.and_then(|other| pieces.get(other)).and_then(|(_, cell)| *cell);
            other.is_some_and(|other| cell.start >= other.start && cell.start <= other.end)
        };
        let left =
            before.and_then(|at| pieces.get(at)).is_some_and(|(p, _)| p.class == Class::Left);
        let chosen = match (holds(before), holds(after)) {
            (true, false) => before,
            (false, true) => after,
            // Drawn from the left, a mark comes before its letter.
            _ if left || cell.jump => before.or(after),
            _ => after.or(before),
        };
        owner.push(chosen.unwrap_or(place));
    }
    let mut marks: std::collections::BTreeMap<usize, String> = Default::default();
    let mut out: Vec<(usize, Piece)> = Vec::with_capacity(pieces.len());
    for (place, (piece, _)) in pieces.into_iter().enumerate() {
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
    while !arabic && class_at(pieces, begin) == Some(Class::Terminator) {
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

/// Turns brackets back, unless they pair better as they are. `turn` has the places in the order in
/// which they are seen.
fn mirror(pieces: &mut [Piece], turn: &[usize], seen: &mut Seen) {
    // Read from the right, a pair begins at its right end.
    let mut depths = [0_i64; 2];
    let mut pairs = [0_i64; 2];
    for place in turn.iter().rev() {
        let Some((_, opens)) = pieces.get(*place).and_then(|piece| bracket(&piece.text)) else {
            continue;
        };
        for (way, opens) in [opens, !opens].into_iter().enumerate() {
            let (Some(depth), Some(pairs)) = (depths.get_mut(way), pairs.get_mut(way)) else {
                continue;
            };
            match opens {
                true => *depth += 1,
                false if *depth > 0 => {
                    *depth -= 1;
                    *pairs += 1;
                }
                false => {}
            }
        }
    }
    let [as_drawn, mirrored] = pairs;
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
