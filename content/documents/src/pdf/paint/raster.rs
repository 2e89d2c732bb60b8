//! The cells of a page, and shapes over them.

use super::path::Edge;
use crate::budget::{Budget, Result};
use std::rc::Rc;

/// Smallest side of a cell, in points.
const CELL: f64 = 2.0;
/// Most cells of a page; those of larger pages are larger.
const MAX_CELLS: f64 = 1_000_000.0;
/// Most crossings of one shape's edges with the rows of cells. A shape with more is taken for its
/// bounding box.
const MAX_CROSSINGS: usize = 1_000_000;

/// Red, green and blue.
pub(crate) type Rgb = [u8; 3];

/// What is seen at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// The page itself: white, and nothing that a blend mode could mix with.
    Paper,
    /// A colour.
    Colour(Rgb),
    /// A picture whose colours are not known.
    Picture,
    /// A pattern, or something else of unknown colours.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    /// When something opaque was painted here last; 0 for never.
    painted: u32,
    /// When a picture was.
    pictured: u32,
    /// The clip of text through which something was painted here last that is seen.
    lit: u32,
    /// How much of what lies here is still seen through what was painted since.
    through: f32,
    ground: Ground,
}

/// What painting a cell leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painted {
    /// What is seen there.
    pub(crate) ground: Ground,
    /// How much of what is under it is hidden, from 0 to 1.
    pub(crate) hides: f64,
    /// Whether it is a picture.
    pub(crate) picture: bool,
    /// The clip of text that it is seen through, if any.
    pub(crate) lit: u32,
}

impl Painted {
    /// As it was.
    pub(crate) fn nothing(ground: Ground) -> Self {
        Self { ground, hides: 0.0, picture: false, lit: 0 }
    }
}

/// How much has to be hidden to be gone.
const GONE: f32 = 0.1;

/// A rectangle with its sides along the axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) bottom: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
}

impl Rect {
    /// The rectangle around points.
    pub(crate) fn around(points: &[(f64, f64)]) -> Self {
        let (mut left, mut bottom) = (f64::INFINITY, f64::INFINITY);
        let (mut right, mut top) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for (x, y) in points {
            left = if *x < left { *x } else { left };
            right = if *x > right { *x } else { right };
            bottom = if *y < bottom { *y } else { bottom };
            top = if *y > top { *y } else { top };
        }
        Self { left, bottom, right, top }
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let larger = |a: f64, b: f64| if a > b { a } else { b };
        let smaller = |a: f64, b: f64| if a < b { a } else { b };
        Self {
            left: larger(self.left, other.left),
            bottom: larger(self.bottom, other.bottom),
            right: smaller(self.right, other.right),
            top: smaller(self.top, other.top),
        }
    }

    pub(crate) fn contains(&self, (x, y): (f64, f64)) -> bool {
        x >= self.left && x <= self.right && y >= self.bottom && y <= self.top
    }

    pub(crate) fn is_empty(&self) -> bool {
        !(self.right > self.left && self.top > self.bottom)
    }

    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.top - self.bottom
    }
}

/// A set of cells.
#[derive(Debug)]
pub(crate) struct Mask(Vec<u64>);

impl Mask {
    fn has(&self, cell: usize) -> bool {
        self.0.get(cell / 64).is_some_and(|bits| bits >> (cell % 64) & 1 == 1)
    }

    fn insert(&mut self, cell: usize) {
        if let Some(bits) = self.0.get_mut(cell / 64) {
            *bits |= 1 << (cell % 64);
        }
    }
}

/// Where something may be painted.
#[derive(Clone, Debug)]
pub(crate) struct Clip {
    pub(crate) rect: Rect,
    pub(crate) mask: Option<Rc<Mask>>,
}

/// A page's cells.
#[derive(Debug)]
pub(crate) struct Raster {
    pub(crate) area: Rect,
    cell: f64,
    columns: usize,
    rows: usize,
    /// Empty until something is painted.
    cells: Vec<Cell>,
    base: Ground,
    /// What decides where in its row and column a cell is looked at.
    seed: u64,
}

impl Raster {
    /// An area on which nothing is painted yet.
    pub(crate) fn new(area: Rect, base: Ground, seed: u64) -> Self {
        Self::fine(area, base, seed, CELL)
    }

    /// [`Self::new`] with cells of another size.
    pub(crate) fn fine(area: Rect, base: Ground, seed: u64, cell: f64) -> Self {
        let (width, height) = match area.is_empty() {
            true => (1.0, 1.0),
            false => (area.width(), area.height()),
        };
        let needed = (width * height / MAX_CELLS).sqrt();
        let mut cell = if needed > cell { needed } else { cell };
        // Very long and thin ones.
        for side in [width, height] {
            let least = side / MAX_CELLS;
            cell = if least > cell { least } else { cell };
        }
        // A side longer than any page of the format is no page.
        let count = |side: f64| ((side / cell) as usize + 1).min(MAX_CELLS as usize);
        let columns = count(width);
        let rows = count(height).min(2 * MAX_CELLS as usize / columns + 1);
        Self { area, cell, columns, rows, cells: Vec::new(), base, seed }
    }

    /// The clip that lets everything through.
    pub(crate) fn whole(&self) -> Clip {
        Clip { rect: self.area, mask: None }
    }

    /// The cell of a point, if it is on the page.
    pub(crate) fn cell(&self, (x, y): (f64, f64)) -> Option<usize> {
        if !self.area.contains((x, y)) {
            return None;
        }
        let column = ((x - self.area.left) / self.cell) as usize;
        let row = ((y - self.area.bottom) / self.cell) as usize;
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }

    /// What is seen at a cell.
    pub(crate) fn ground(&self, cell: usize) -> Ground {
        self.cells.get(cell).map_or(self.base, |cell| cell.ground)
    }

    /// When something opaque was painted at a cell last.
    pub(crate) fn painted(&self, cell: usize) -> u32 {
        self.cells.get(cell).map_or(0, |cell| cell.painted)
    }

    /// The clip of text through which something was painted at a cell last.
    pub(crate) fn lit(&self, cell: usize) -> u32 {
        self.cells.get(cell).map_or(0, |cell| cell.lit)
    }

    /// How many cells something is painted on, their grounds, and the box around them.
    pub(crate) fn marks(&self) -> (usize, Vec<Ground>, Option<Rect>) {
        let (mut count, mut grounds, mut bounds) = (0, Vec::new(), None::<Rect>);
        for (place, cell) in self.cells.iter().enumerate() {
            if cell.ground == self.base && cell.pictured == 0 {
                continue;
            }
            count += 1;
            if !grounds.contains(&cell.ground) && grounds.len() < 8 {
                grounds.push(cell.ground);
            }
            let corner = (
                self.area.left + (place % self.columns) as f64 * self.cell,
                self.area.bottom + (place / self.columns) as f64 * self.cell,
            );
            let far = (corner.0 + self.cell, corner.1 + self.cell);
            bounds = Some(match bounds {
                Some(Rect { left, bottom, right, top }) => {
                    Rect::around(&[(left, bottom), (right, top), corner, far])
                }
                None => Rect::around(&[corner, far]),
            });
        }
        (count, grounds, bounds)
    }

    /// How many cells there are, and the side of one.
    pub(crate) fn size(&self) -> (usize, f64) {
        (self.columns * self.rows, self.cell)
    }

    /// Where in a row or column a cell is looked at: near the middle, at another place in each and in
    /// each file, so that nothing can be drawn between them.
    fn middle(&self, index: usize, start: f64) -> f64 {
        let mixed = (self.seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_mul(0xff51_afd7_ed55_8ccd);
        let part = ((mixed >> 40) & 0xff) as f64 / 255.0;
        start + (index as f64 + 0.25 + 0.5 * part) * self.cell
    }

    /// When a picture was painted at a cell that nothing opaque covers; 0 for never.
    pub(crate) fn pictured(&self, cell: usize) -> u32 {
        let cell = self.cells.get(cell).filter(|cell| cell.pictured >= cell.painted);
        cell.map_or(0, |cell| cell.pictured)
    }

    /// Whether a clip lets a point through.
    pub(crate) fn passes(&self, clip: &Clip, point: (f64, f64)) -> bool {
        clip.rect.contains(point)
            && match &clip.mask {
                None => true,
                Some(mask) => self.cell(point).is_some_and(|cell| mask.has(cell)),
            }
    }

    /// The cells inside a shape, through a clip: `each` gets a cell and its middle.
    fn inside(
        &self,
        edges: &[Edge],
        even_odd: bool,
        clip: &Clip,
        budget: &mut Budget,
        mut each: impl FnMut(usize, (f64, f64)),
    ) -> Result<()> {
        let points: Vec<(f64, f64)> = edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
        let bounds = Rect::around(&points).intersection(&clip.rect).intersection(&self.area);
        if bounds.is_empty() {
            return Ok(());
        }
        let row_of = |y: f64| ((y - self.area.bottom) / self.cell) as usize;
        let first = row_of(bounds.bottom);
        let last = row_of(bounds.top).min(self.rows - 1);
        if last < first {
            return Ok(());
        }
        let middle = |index: usize, start: f64| self.middle(index, start);
        let mut crossings: Vec<Vec<(f64, i32)>> = vec![Vec::new(); last - first + 1];
        let mut count = 0;
        for edge in edges {
            let ((x0, y0), (x1, y1)) = (edge.from, edge.to);
            let (low, high) = if y0 < y1 { (y0, y1) } else { (y1, y0) };
            if !(high >= bounds.bottom && low <= bounds.top) || y0 == y1 {
                continue;
            }
            let low_row = if low > bounds.bottom { row_of(low) } else { first };
            let high_row = if high < bounds.top { row_of(high).min(last) } else { last };
            for row in low_row..=high_row {
                let y = middle(row, self.area.bottom);
                if y < low || y >= high {
                    continue;
                }
                count += 1;
                let x = x0 + (y - y0) / (y1 - y0) * (x1 - x0);
                if let Some(list) = crossings.get_mut(row - first) {
                    list.push((x, if y1 > y0 { 1 } else { -1 }));
                }
            }
            if count > MAX_CROSSINGS {
                break;
            }
        }
        let too_fine = count > MAX_CROSSINGS;
        budget.paint(count * 4)?;
        for (row, mut list) in (first..=last).zip(crossings) {
            if too_fine {
                list = vec![(bounds.left, 1), (bounds.right, -1)];
            }
            list.sort_by(|one, other| one.0.total_cmp(&other.0));
            let mut winding = 0;
            for pair in list.windows(2) {
                let [(from, turn), (to, _)] = pair else { continue };
                winding += if even_odd { 1 } else { *turn };
                let filled = if even_odd { winding % 2 != 0 } else { winding != 0 };
                if !filled {
                    continue;
                }
                let from = if *from > bounds.left { *from } else { bounds.left };
                let to = if *to < bounds.right { *to } else { bounds.right };
                if to <= from {
                    continue;
                }
                let begin = ((from - self.area.left) / self.cell) as usize;
                let end = (((to - self.area.left) / self.cell) as usize).min(self.columns - 1);
                budget.paint(end.saturating_sub(begin) + 1)?;
                for column in begin..=end {
                    let place = (middle(column, self.area.left), middle(row, self.area.bottom));
                    let cell = row * self.columns + column;
                    if place.0 >= from
                        && place.0 < to
                        && clip.rect.contains(place)
                        && clip.mask.as_ref().is_none_or(|mask| mask.has(cell))
                    {
                        each(cell, place);
                    }
                }
            }
        }
        Ok(())
    }

    /// Paints a shape at the moment `now`; `colours` gives what is seen there afterwards, from the
    /// place and what was seen before.
    pub(crate) fn paint(
        &mut self,
        edges: &[Edge],
        even_odd: bool,
        clip: &Clip,
        now: u32,
        budget: &mut Budget,
        mut colours: impl FnMut((f64, f64), Ground) -> Painted,
    ) -> Result<()> {
        if self.cells.is_empty() {
            let empty = Cell { painted: 0, pictured: 0, lit: 0, through: 1.0, ground: self.base };
            budget.paint(self.columns * self.rows / 4)?;
            self.cells = vec![empty; self.columns * self.rows];
        }
        // The cells are lent to the loop that finds them.
        let mut cells = std::mem::take(&mut self.cells);
        let done = self.inside(edges, even_odd, clip, budget, |cell, place| {
            if let Some(cell) = cells.get_mut(cell) {
                let Painted { ground, hides, picture, lit } = colours(place, cell.ground);
                cell.ground = ground;
                cell.through *= 1.0 - hides as f32;
                // Several that are half transparent hide what one would not.
                if cell.through < GONE {
                    cell.painted = now;
                    cell.through = 1.0;
                }
                if lit > 0 {
                    cell.lit = lit;
                }
                if picture {
                    cell.pictured = now;
                }
            }
        });
        self.cells = cells;
        done
    }

    /// A clip with a shape cut out of it.
    pub(crate) fn clipped(
        &self,
        clip: &Clip,
        edges: &[Edge],
        even_odd: bool,
        budget: &mut Budget,
    ) -> Result<Clip> {
        budget.paint(self.columns * self.rows / 64)?;
        let mut mask = Mask(vec![0; (self.columns * self.rows).div_ceil(64)]);
        self.inside(edges, even_odd, clip, budget, |cell, _| mask.insert(cell))?;
        Ok(Clip { rect: clip.rect, mask: Some(Rc::new(mask)) })
    }
}
