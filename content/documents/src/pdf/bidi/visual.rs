//! From the order in which a line is drawn to that in which it is seen.

use super::{class_of, Cell, Class, Gap, Line, Piece, Seen, NEAR};

/// Up to which distance two glyphs begin at one place, in units of their size.
const SAME: f64 = 0.02;
/// Which share of the narrower one of two letters has to lie under the other for kerning to have
/// put them there, whatever the order in which they begin.
const OVERLAP: f64 = 0.3;
/// Farthest that the next letter begins for the two to say in which direction a line is drawn, in
/// units of their size.
const STRIDE: f64 = 2.0;
/// From which difference of distances a mark is nearer to one of two letters, and how much farther
/// than the other its own may be, in units of the letters' size.
const NEARER: f64 = 0.3;
const ASTRAY: f64 = 1.0;
/// From which gap a word begins where blanks are drawn between words, in units.
const BESIDE_BLANKS: f64 = 0.22;
const BESIDE_SLOPES: f64 = 0.4;
/// From which gap it may where words stand as near as that, up to which the letters of one touch,
/// and how many times as wide gaps of one kind are at most.
const NARROW: f64 = 0.03;
const TOUCH: f64 = 0.015;
const EVEN: f64 = 4.0;
/// Widest gap that is usual between words, in units, the share of it that is one, too, and the gap
/// that is one in any line.
const USUAL: f64 = 0.35;
const MOST: f64 = 0.6;
const LONE: f64 = 0.15;
/// Fewest gaps of a line that say what is usual on a page.
const FEW: usize = 3;
/// How far a blank may lie over the next letter and part it from the one before, in units.
const STEP: f64 = 0.05;
/// How small the raised sign of a note is beside its word, and how far it is raised, in units.
const RAISED: f64 = 0.85;
const LIFT: f64 = 0.15;
/// Most letters of a word on average: of a page's words, and of a line's.
const WORD: usize = 8;
const LONG_WORD: usize = 15;

/// A stretch of glyphs that are drawn one after the other, without their marks.
struct Run {
    start: f64,
    /// Places of the glyphs in the line.
    cells: Vec<usize>,
    /// Whether its letters are drawn in the order in which they are read, at places that do not
    /// tell it.
    as_read: bool,
}

impl Line {
    /// The pieces as they are seen from the left, parted by tabs.
    pub(super) fn fields(&self, seen: &mut Seen, space: f64, tab: f64) -> Vec<Vec<Piece>> {
        let from_left = self.is_drawn_from_left(seen);
        let marks = self.marks(seen, from_left);
        let runs = self.runs(&marks, from_left);
        let word = self.word_gap(&runs, seen, space, tab);
        let mut fields = vec![Vec::new()];
        let (mut last, mut before): (Option<f64>, Option<(&Cell, Class)>) = (None, None);
        for Run { cells, start, as_read } in runs {
            let mut read: Option<Piece> = None;
            for (place, at) in cells.iter().enumerate() {
                let Some(cell) = self.cells.get(*at) else { continue };
                // A mark without a known character parts nothing.
                if cell.from == cell.to && cell.end <= cell.start {
                    continue;
                }
                let start = if place == 0 { start } else { cell.start };
                let class = class_of(self.text_of(cell));
                // Only letters of one script are kerned with each other.
                let least = match (before.map(|(_, class)| class), class) {
                    (Some(Class::Right), Class::Right) => word,
                    _ => word.min(space),
                };
                let gap = match last.filter(|_| place == 0 || !as_read) {
                    Some(last) if place == 0 && start - last > tab * self.unit => Gap::Tab,
                    Some(last) if start - last > least * self.unit => Gap::Space,
                    // The raised sign of a note is a word of its own, as it is in other lines.
                    Some(_) if before.is_some_and(|before| is_note_beside(before, cell, class)) => {
                        Gap::Space
                    }
                    _ => Gap::None,
                };
                if gap == Gap::Tab {
                    fields.push(Vec::new());
                }
                let Some(field) = fields.last_mut() else { continue };
                if gap == Gap::Space {
                    field.push(Piece { text: " ".into(), class: Class::Neutral });
                }
                let mut text = self.text_of(cell).to_owned();
                if class != Class::Mark && last.is_none_or(|last| cell.end > last) {
                    (last, before) = (Some(cell.end), Some((cell, class)));
                }
                text.extend(marks.of(*at).map(|mark| self.text_at(mark)));
                if text.is_empty() {
                    continue;
                }
                match read.as_mut().filter(|_| class == Class::Right) {
                    Some(read) => read.text.push_str(&text),
                    None if as_read && class == Class::Right => read = Some(Piece { text, class }),
                    None => {
                        field.extend(read.take());
                        field.push(Piece { text, class });
                    }
                }
            }
            if let Some(field) = fields.last_mut() {
                field.extend(read);
            }
        }
        fields
    }

    /// From which gap two letters that are read from the right are of two words. Where the page's
    /// words are parted by drawn blanks, letters stand wider for other reasons. Where none is drawn,
    /// a full line may have its words nearer than others, each as near as the next one: there the
    /// letters of words touch.
    fn word_gap(&self, runs: &[Run], seen: &mut Seen, space: f64, tab: f64) -> f64 {
        let mut gaps = Vec::new();
        let mut holes = self.holes.clone();
        holes.sort_by(f64::total_cmp);
        let has_hole = |from: f64, to: f64| {
            let first = holes.get(holes.partition_point(|hole| *hole < from));
            first.is_some_and(|hole| *hole < to)
        };
        let (mut letters, mut blanks) = (0, 0);
        let (mut last, mut blank): (Option<f64>, Option<f64>) = (None, None);
        for cell in runs.iter().flat_map(|run| &run.cells).filter_map(|at| self.cells.get(*at)) {
            let text = self.text_of(cell);
            match class_of(text) {
                Class::Right => {
                    letters += 1;
                    // A blank that lies over the next letter parts nothing.
                    let parts = |end: f64| cell.start > end - STEP * self.unit;
                    blanks += usize::from(blank.take().is_some_and(parts));
                    let gap = last.filter(|last| !has_hole(*last, cell.start));
                    gaps.extend(gap.map(|last| (cell.start - last) / self.unit));
                    last = Some(last.map_or(cell.end, |last| last.max(cell.end)));
                }
                Class::Mark => {}
                _ => {
                    blanks += usize::from(blank.take().is_some());
                    blank = (!text.is_empty() && text.trim().is_empty()).then_some(cell.end);
                    last = None;
                }
            }
        }
        blanks += usize::from(blank.is_some());
        seen.letters += letters;
        seen.blanks += blanks;
        let parted = blanks * LONG_WORD >= letters || letters < LONG_WORD;
        if parted && seen.blanks * WORD >= seen.letters {
            // Nastaliq sets letters that do not join at all distances.
            let sloping = self.sloping * LONG_WORD >= letters && self.sloping >= FEW;
            return space.max(if sloping { BESIDE_SLOPES } else { BESIDE_BLANKS });
        }
        let touch = gaps.iter().all(|gap| *gap > NARROW || *gap < TOUCH);
        let above = |least: f64| gaps.iter().copied().filter(move |gap| *gap > least);
        let even = above(NARROW).all(|gap| gap < EVEN * NARROW);
        let narrow = above(NARROW).count();
        if blanks == 0 && touch && even && narrow * LONG_WORD >= letters {
            // A gap or two may be kerning.
            seen.narrow |= narrow >= FEW;
            if seen.narrow {
                return space.min(NARROW);
            }
        }
        // Some fonts set letters that do not join wider; a word's gap is as wide as the others.
        let mut words: Vec<f64> = above(space).filter(|gap| *gap < tab).collect();
        words.sort_by(f64::total_cmp);
        let usual = words.get(words.len() * 3 / 4).filter(|_| words.len() >= FEW);
        if let Some(usual) = usual {
            seen.usual_gap = *usual;
        }
        // A line with a gap or two says little, and may have narrower ones than the page.
        let widest = if usual.is_some() { MOST * USUAL } else { LONE };
        space.max(widest.min(MOST * seen.usual_gap))
    }

    fn text_at(&self, place: usize) -> &str {
        self.cells.get(place).map_or("", |cell| self.text_of(cell))
    }

    fn class_at(&self, place: usize) -> Option<Class> {
        self.cells.get(place).map(|cell| class_of(self.text_of(cell)))
    }

    /// Whether the letters that are read from the right are drawn from the left, as most of those
    /// that follow each other show; where none does, as on the page so far.
    fn is_drawn_from_left(&self, seen: &mut Seen) -> bool {
        let mut before: Option<&Cell> = None;
        let mut steps = 0_i64;
        for cell in &self.cells {
            match class_of(self.text_of(cell)) {
                Class::Right => {}
                Class::Mark => continue,
                _ => {
                    before = None;
                    continue;
                }
            }
            if let Some(before) = before.filter(|before| !overlap(before, cell)) {
                let step = cell.start - before.start;
                if step != 0.0 && step.abs() < STRIDE * self.unit {
                    steps += if step > 0.0 { 1 } else { -1 };
                }
            }
            before = Some(cell);
        }
        seen.from_left_steps += steps;
        match steps {
            0 => seen.from_left_steps >= 0,
            steps => steps > 0,
        }
    }

    /// The runs, in the order in which they are seen.
    fn runs(&self, marks: &Marks, from_left: bool) -> Vec<Run> {
        let mut runs: Vec<Vec<usize>> = Vec::new();
        let mut before: Option<usize> = None;
        for place in 0..self.cells.len() {
            if marks.is_taken(place) {
                continue;
            }
            let kerned = before.is_some_and(|before| self.is_kerned(before, place));
            let jump = self.cells.get(place).is_some_and(|cell| cell.jump)
                || (!from_left && before.is_some_and(|before| self.goes_on(before, place)));
            match runs.last_mut().filter(|_| !jump || kerned) {
                Some(run) => run.push(place),
                None => runs.push(vec![place]),
            }
            before = Some(place);
        }
        // Where each letter is drawn alone, a ligature of two glyphs at one place is in order.
        let single: Vec<bool> = runs.iter().map(|run| self.is_one_place(run)).collect();
        let single_at = |at: usize| single.get(at).copied().unwrap_or(false);
        let mut placed: Vec<Run> = runs
            .into_iter()
            .enumerate()
            .map(|(at, cells)| {
                let spans = cells.iter().filter_map(|place| self.cells.get(*place));
                let start = spans.map(|cell| cell.start).fold(f64::INFINITY, f64::min);
                let beside = single_at(at + 1) || at.checked_sub(1).is_some_and(single_at);
                let one_place = single_at(at) && beside;
                let kerned = !from_left && self.is_all_kerned(&cells);
                Run { start, cells, as_read: one_place || kerned }
            })
            .collect();
        placed.sort_by(|one, other| one.start.total_cmp(&other.start));
        placed
    }

    /// Whether two letters that are read from the right and drawn one after the other lie so much
    /// over each other that the order in which they begin says nothing.
    fn is_kerned(&self, before: usize, place: usize) -> bool {
        let right = |at: usize| self.class_at(at) == Some(Class::Right);
        match (self.cells.get(before), self.cells.get(place)) {
            (Some(one), Some(other)) => right(before) && right(place) && overlap(one, other),
            _ => false,
        }
    }

    /// Whether a letter that is read from the right goes on to the left of the one before it, however
    /// narrow it is.
    fn goes_on(&self, before: usize, place: usize) -> bool {
        let right = |at: usize| self.class_at(at) == Some(Class::Right);
        match (self.cells.get(before), self.cells.get(place)) {
            (Some(one), Some(other)) => {
                right(before) && right(place) && other.start < one.start - SAME * self.unit
            }
            _ => false,
        }
    }

    fn is_all_kerned(&self, cells: &[usize]) -> bool {
        cells.len() > 1
            && cells.windows(2).all(|pair| match pair {
                [one, other] => self.is_kerned(*one, *other),
                _ => false,
            })
    }

    fn is_one_place(&self, run: &[usize]) -> bool {
        let mut cells = run.iter().filter_map(|place| self.cells.get(*place));
        let first = cells.clone().next().map_or(0.0, |cell| cell.start);
        let apart = |cell: &Cell| (cell.start - first).abs() > SAME * self.unit;
        !cells.any(|cell| class_of(self.text_of(cell)) != Class::Mark && apart(cell))
    }

    /// Which letter each mark stands over: the one that is drawn before it, or the one after it.
    /// A shaped text drawn from the left has its marks before their letters, one drawn in the order
    /// of reading has them after. Where half of a page's marks are clearly nearer to the other letter it
    /// is that one for all; one that would stand far away goes to the other letter.
    fn marks(&self, seen: &mut Seen, from_left: bool) -> Marks {
        // A sign without a known character has its marks, too.
        let letter = |at: &usize| {
            let class = self.class_at(*at);
            matches!(class, Some(Class::Left | Class::Right)) || self.text_at(*at).is_empty()
        };
        let mut found = Vec::new();
        let votes = if from_left { &mut seen.marks.0 } else { &mut seen.marks.1 };
        for (place, cell) in self.cells.iter().enumerate() {
            if class_of(self.text_of(cell)) != Class::Mark || cell.from == cell.to {
                continue;
            }
            let before = (place.saturating_sub(NEAR)..place).rev().find(letter);
            let after = (place + 1..(place + NEAR).min(self.cells.len())).find(letter);
            let distance = |other: Option<usize>| {
                let other = other.and_then(|other| self.cells.get(other));
                other.map_or(f64::INFINITY, |other| {
                    let (left, right) = (other.start - cell.start, cell.start - other.end);
                    left.max(right).max(0.0) / self.unit
                })
            };
            let distances = (distance(before), distance(after));
            let right =
                |at: Option<usize>| at.is_none_or(|at| self.class_at(at) == Some(Class::Right));
            if right(before) && right(after) && (before.is_some() || after.is_some()) {
                votes.all += 1;
                match distances.0 - distances.1 {
                    more if more > NEARER => votes.after += 1,
                    more if more < -NEARER => votes.before += 1,
                    _ => {}
                }
            }
            found.push((place, before, after, distances));
        }
        let follows = match from_left {
            true => 2 * votes.before <= votes.all,
            false => 2 * votes.after > votes.all,
        };
        let mut marks = Marks { owner: vec![None; self.cells.len()], of: Default::default() };
        for (place, before, after, distances) in found {
            let latin = before.and_then(|at| self.class_at(at)) == Some(Class::Left);
            let (near, far) = match follows && !latin {
                true => ((after, distances.1), (before, distances.0)),
                false => ((before, distances.0), (after, distances.1)),
            };
            let (owner, _) = if near.1 > far.1 + ASTRAY { far } else { near };
            marks.give(place, owner, owner > Some(place));
        }
        marks
    }
}

/// Which marks stand over which letter.
struct Marks {
    owner: Vec<Option<usize>>,
    of: std::collections::BTreeMap<usize, std::collections::VecDeque<usize>>,
}

impl Marks {
    /// Those before their letter are drawn in the reverse order.
    fn give(&mut self, mark: usize, owner: Option<usize>, before: bool) {
        let (Some(at), Some(owner)) = (self.owner.get_mut(mark), owner) else { return };
        *at = Some(owner);
        let all = self.of.entry(owner).or_default();
        if before {
            all.push_front(mark);
        } else {
            all.push_back(mark);
        }
    }

    fn is_taken(&self, place: usize) -> bool {
        self.owner.get(place).is_some_and(Option::is_some)
    }

    fn of(&self, letter: usize) -> impl Iterator<Item = usize> + '_ {
        self.of.get(&letter).into_iter().flatten().copied()
    }
}

/// Whether a good part of the narrower one of two glyphs lies under the other.
fn overlap(one: &Cell, other: &Cell) -> bool {
    let common = one.end.min(other.end) - one.start.max(other.start);
    let narrower = (one.end - one.start).min(other.end - other.start);
    common > OVERLAP * narrower && common > 0.0
}

/// Whether one of two neighbours is a letter that is read from the right, and the other one a smaller
/// sign that is raised.
fn is_note_beside((one, its): (&Cell, Class), other: &Cell, class: Class) -> bool {
    let raised = |sign: &Cell, letter: &Cell| {
        sign.size < RAISED * letter.size && sign.up - letter.up > LIFT * letter.size
    };
    match (its, class) {
        (Class::Right, Class::Right | Class::Mark) | (Class::Mark, _) => false,
        (Class::Right, _) => raised(other, one),
        (_, Class::Right) => raised(one, other),
        _ => false,
    }
}
