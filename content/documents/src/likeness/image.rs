//! How alike two images are, by their detail.
//!
//! Two images of the same kind have the same light and the same outline: coins, plates, pages. What tells them apart
//! is their detail, block by block, each block counting as much as another. So one is laid over the other, mirrored, moved, scaled
//! by up to a seventh and turned by up to three degrees as it fits best, and of all blocks on which either has anything the share
//! is taken on which both have the same. What is the same in all rows or columns of a block does not count: lines of text
//! and of forms stand in the same places on other pages.
//!
//! Of images with hardly any detail (a flag, a figure) the colours are compared, place by place.

use crate::measure::image::Pixmap;
use std::ops::Range;

/// Cells of a side of a view.
const SIDE: usize = 96;
/// Cells of a side of what a view is found by.
const SMALL: usize = 24;
/// Of a thumbnail in colour.
const THUMB: usize = 16;
/// Views of an image: all of it, without a frame, without a strip above or below.
const VIEWS: usize = 3;
const THUMB_BYTES: usize = THUMB * THUMB * 3;
/// Its two sides, 16 bits each, before its cells.
const VIEW_HEAD: usize = 4;
const VIEW_BYTES: usize = VIEW_HEAD + SIDE * SIDE;
const SMALL_BYTES: usize = VIEW_HEAD + SMALL * SMALL;
pub(super) const MAX_BYTES: usize = THUMB_BYTES + VIEWS * VIEW_BYTES;
pub(super) const MAX_TRACES: usize = THUMB_BYTES + VIEWS * SMALL_BYTES;

/// How far from the most frequent level of a line its pixels may be that is of one colour.
const LEVELS: u8 = 10;
/// Levels by which the cells of a block differ that has something on it.
const DETAIL: f32 = 2.5;
/// Cells of a side of a block.
const BLOCK: usize = 8;
/// Blocks with something on them, at least, by which images are compared.
const FEWEST: usize = 10;
/// By how much the ratios of the sides may differ.
const ASPECT: f32 = 1.3;
/// Levels by which a cell differs from another so that one sees it.
const SEEN: f32 = 6.0;
/// How much more the cells of one image are brighter than darker, or darker, where words stand over it.
const ONE_COLOUR: f32 = 3.0;
/// The share of blocks that are the same beside them, at least, and what of the others counts then.
const OVER: f32 = 0.75;
const UNDER: f32 = 0.3;
/// Blocks with something on them that say enough alone.
const MANY: usize = 36;
/// From where on no other views are looked at.
const ENOUGH: f32 = 0.97;
/// From where on two images may be alike.
const MAY_BE: f32 = 0.3;

/// Grey levels on white.
struct Grey<'a>(&'a Pixmap);

impl Grey<'_> {
    fn colours(&self, x: usize, y: usize) -> [u32; 3] {
        let place = y * self.0.width as usize + x;
        let [red, green, blue, alpha] =
            self.0.packed.get(place).copied().unwrap_or_default().to_le_bytes();
        // Colours are multiplied by alpha already.
        let white = 255 - u32::from(alpha);
        [red, green, blue].map(|colour| u32::from(colour) + white)
    }

    fn at(&self, x: usize, y: usize) -> u8 {
        let [red, green, blue] = self.colours(x, y);
        ((299 * red + 587 * green + 114 * blue + 500) / 1_000).min(255) as u8
    }

    /// The share, in hundredths, of a line that is of one level.
    fn evenness(&self, line: impl Iterator<Item = (usize, usize)>) -> usize {
        let mut levels = [0usize; 256];
        let mut count = 0;
        for (x, y) in line {
            if let Some(level) = levels.get_mut(usize::from(self.at(x, y))) {
                *level += 1;
                count += 1;
            }
        }
        let window = 2 * usize::from(LEVELS) + 1;
        let most = levels.windows(window).map(|near| near.iter().sum::<usize>()).max();
        100 * most.unwrap_or(0) / count.max(1)
    }
}

/// A part of an image.
#[derive(Clone, PartialEq, Eq)]
struct Part {
    columns: Range<usize>,
    rows: Range<usize>,
}

/// Steps along a line: some hundred pixels of it are looked at.
fn along(range: &Range<usize>) -> impl Iterator<Item = usize> {
    range.clone().step_by((range.len() / 512).max(1))
}

impl Part {
    /// Without lines of one colour at its sides.
    fn without_frame(&self, grey: &Grey<'_>) -> Self {
        let mut part = self.clone();
        loop {
            let before = part.clone();
            let row = |y: usize| grey.evenness(along(&before.columns).map(|x| (x, y))) >= 98;
            let column = |x: usize| grey.evenness(along(&before.rows).map(|y| (x, y))) >= 98;
            while part.rows.len() > 16 && row(part.rows.start) {
                part.rows.start += 1;
            }
            while part.rows.len() > 16 && row(part.rows.end - 1) {
                part.rows.end -= 1;
            }
            while part.columns.len() > 16 && column(part.columns.start) {
                part.columns.start += 1;
            }
            while part.columns.len() > 16 && column(part.columns.end - 1) {
                part.columns.end -= 1;
            }
            if part == before {
                return part;
            }
        }
    }

    /// Without a strip of one colour with words on it, above or below.
    fn without_strip(&self, grey: &Grey<'_>) -> Self {
        let most = self.rows.len() / 4;
        let is_strip = |y: &usize| grey.evenness(along(&self.columns).map(|x| (x, *y))) >= 60;
        let below = self.rows.clone().rev().take_while(is_strip).take(most + 1).count();
        let above = self.rows.clone().take_while(is_strip).take(most + 1).count();
        let end = if below > most { self.rows.end } else { self.rows.end - below };
        let start = if above > most { self.rows.start } else { self.rows.start + above };
        Self { rows: start..end.max(start + 1), ..self.clone() }.without_frame(grey)
    }

    /// Means of the cells of a grid of this many a side.
    fn cells<const N: usize>(&self, side: usize, at: impl Fn(usize, usize) -> [u32; N]) -> Vec<u8> {
        let cut = |range: &Range<usize>, cell: usize| {
            let edge = |cell: usize| range.start + cell * range.len() / side;
            edge(cell)..edge(cell + 1).max(edge(cell) + 1).min(range.end)
        };
        let mut cells = Vec::with_capacity(side * side * N);
        for row in 0..side {
            let rows = cut(&self.rows, row);
            for column in 0..side {
                let columns = cut(&self.columns, column);
                let (mut sums, mut count) = ([0u64; N], 0u64);
                for y in rows.clone() {
                    for x in columns.clone() {
                        for (sum, part) in sums.iter_mut().zip(at(x, y)) {
                            *sum += u64::from(part);
                        }
                        count += 1;
                    }
                }
                cells.extend(sums.map(|sum| ((sum + count / 2) / count.max(1)).min(255) as u8));
            }
        }
        cells
    }
}

/// What an image is compared by: a thumbnail in colour, and its views.
pub(crate) fn of(image: &Pixmap) -> Vec<u8> {
    let grey = Grey(image);
    let whole = Part { columns: 0..image.width as usize, rows: 0..image.height as usize };
    let mut bytes = whole.cells(THUMB, |x, y| grey.colours(x, y));
    let inner = whole.without_frame(&grey);
    let bare = inner.without_strip(&grey);
    let mut views = vec![whole];
    for view in [inner, bare] {
        let is_large = view.rows.len() > 16 && view.columns.len() > 16;
        if is_large && !views.contains(&view) {
            views.push(view);
        }
    }
    for view in &views {
        for side in [&view.columns, &view.rows] {
            bytes.extend(u16::try_from(side.len()).unwrap_or(u16::MAX).to_le_bytes());
        }
        bytes.extend(view.cells(SIDE, |x, y| [u32::from(grey.at(x, y))]));
    }
    bytes
}

/// Whether bytes are of an image.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let views = bytes.len().checked_sub(THUMB_BYTES);
    views
        .is_some_and(|views| views % VIEW_BYTES == 0 && (1..=VIEWS).contains(&(views / VIEW_BYTES)))
}

/// A view: the ratio of its sides, and levels.
struct View {
    aspect: f32,
    side: usize,
    levels: Vec<f32>,
}

impl View {
    fn of(bytes: &[u8], side: usize) -> Self {
        let (head, cells) = bytes.split_at_checked(VIEW_HEAD).unwrap_or_default();
        let number = |at: usize| head.get(at).map_or(0.0, |byte| f32::from(*byte));
        let (width, height) = (number(0) + 256.0 * number(1), number(2) + 256.0 * number(3));
        let levels = cells.iter().map(|level| f32::from(*level)).collect();
        Self { aspect: width / height.max(1.0), side, levels }
    }

    fn all(bytes: &[u8]) -> Vec<Self> {
        let views = bytes.get(THUMB_BYTES..).unwrap_or_default();
        views.chunks_exact(VIEW_BYTES).map(|view| Self::of(view, SIDE)).collect()
    }

    /// Made smaller by a whole number.
    fn smaller(&self, by: usize) -> Self {
        let side = self.side / by;
        let mut levels = vec![0.0; side * side];
        for (place, level) in levels.iter_mut().enumerate() {
            let (x, y) = (place % side * by, place / side * by);
            let cells = (0..by * by).map(|cell| self.level(x + cell % by, y + cell / by));
            *level = cells.sum::<f32>() / (by * by) as f32;
        }
        Self { side, levels, ..*self }
    }

    fn level(&self, x: usize, y: usize) -> f32 {
        self.levels.get(y * self.side + x).copied().unwrap_or_default()
    }

    /// Only what differs from around, as much everywhere.
    fn detail(&self) -> Self {
        let side = self.side;
        let reach = (side / 12).max(2);
        let mut levels = vec![0.0; side * side];
        // Sums over all cells above and to the left.
        let mut sums = vec![[0f64; 2]; (side + 1) * (side + 1)];
        let at = |x: usize, y: usize| y * (side + 1) + x;
        for y in 0..side {
            let mut row = [0f64; 2];
            for x in 0..side {
                let level = f64::from(self.level(x, y));
                row = [row[0] + level, row[1] + level * level];
                let above = sums.get(at(x + 1, y)).copied().unwrap_or_default();
                if let Some(sum) = sums.get_mut(at(x + 1, y + 1)) {
                    *sum = [above[0] + row[0], above[1] + row[1]];
                }
            }
        }
        let sum = |x: usize, y: usize| sums.get(at(x, y)).copied().unwrap_or_default();
        for (place, level) in levels.iter_mut().enumerate() {
            let (x, y) = (place % side, place / side);
            let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(side));
            let (top, bottom) = (y.saturating_sub(reach), (y + reach + 1).min(side));
            let count = ((right - left) * (bottom - top)) as f64;
            let [total, squares] = [0, 1].map(|which: usize| {
                let corner = |x, y| sum(x, y).get(which).copied().unwrap_or_default();
                corner(right, bottom) + corner(left, top)
                    - corner(left, bottom)
                    - corner(right, top)
            });
            let mean = total / count;
            let deviation = (squares / count - mean * mean).max(0.0).sqrt();
            *level = ((f64::from(self.level(x, y)) - mean) / (deviation + 4.0)) as f32;
        }
        Self { side, levels, ..*self }
    }

    /// The level at a place between cells; `None` beyond the edge.
    fn between(&self, x: f32, y: f32) -> Option<f32> {
        let most = (self.side - 1) as f32;
        if !(0.0..=most).contains(&x) || !(0.0..=most).contains(&y) {
            return None;
        }
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.side - 1), (top + 1).min(self.side - 1));
        let (across, down) = (x - left as f32, y - top as f32);
        let row = |y| {
            let one = self.level(left, y);
            one + (self.level(right, y) - one) * across
        };
        let upper = row(top);
        Some(upper + (row(bottom) - upper) * down)
    }
}

/// How one view is laid over another: in parts of its side, around its middle.
#[derive(Clone, Copy, Debug)]
struct Laid {
    mirrored: bool,
    /// Right, down, scale across, scale down, turned by.
    by: [f32; 5],
}

impl Laid {
    /// Where a place of the other view is in this one: parts of a side from the middle.
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let [right, down, across, height, turned] = self.by;
        let x = if self.mirrored { -x } else { x };
        (x * across - y * turned + right, x * turned + y * height + down)
    }

    /// How well the details of both agree, -1 to 1.
    fn fits(&self, one: &View, other: &View) -> f32 {
        let side = other.side as f32;
        let (mut both, mut own, mut its, mut count) = (0.0, 0.0, 0.0, 0usize);
        for y in 0..other.side {
            for x in 0..other.side {
                let from_middle = |at: usize| (at as f32 + 0.5) / side - 0.5;
                let (a, b) = self.place(from_middle(x), from_middle(y));
                let cell = |at: f32| (at + 0.5) * one.side as f32 - 0.5;
                let Some(level) = one.between(cell(a), cell(b)) else { continue };
                let there = other.level(x, y);
                both += level * there;
                own += level * level;
                its += there * there;
                count += 1;
            }
        }
        if 3 * count < 2 * other.side * other.side {
            return -1.0;
        }
        both / (own * its).sqrt().max(1e-6)
    }

    /// The place where both agree most, near this one.
    fn closer(
        mut self,
        one: &View,
        other: &View,
        mut steps: [f32; 5],
        rounds: usize,
    ) -> (f32, Self) {
        let mut best = self.fits(one, other);
        for _ in 0..rounds {
            let mut moved = false;
            for which in 0..self.by.len() {
                for sign in [-1.0, 1.0] {
                    let mut next = self;
                    if let (Some(value), Some(step)) = (next.by.get_mut(which), steps.get(which)) {
                        *value += sign * step;
                    }
                    let found = if next.is_possible() { next.fits(one, other) } else { -1.0 };
                    if found > best {
                        (best, self, moved) = (found, next, true);
                    }
                }
            }
            if !moved {
                steps = steps.map(|step| step / 2.0);
            }
        }
        (best, self)
    }

    fn is_possible(&self) -> bool {
        let [right, down, across, height, turned] = self.by;
        let scales = 0.84..=1.19;
        right.abs() < 0.12
            && down.abs() < 0.12
            && scales.contains(&across)
            && scales.contains(&height)
            && (across / height - 1.0).abs() < 0.12
            && turned.abs() < 0.055
    }

    /// Those from which the best one is looked for.
    fn all() -> impl Iterator<Item = Self> {
        let scales = [0.86, 0.93, 1.0, 1.07, 1.15];
        [false, true].into_iter().flat_map(move |mirrored| {
            scales.map(|scale| Self { mirrored, by: [0.0, 0.0, scale, scale, 0.0] })
        })
    }
}

/// How alike both are: 0 to 1.
pub(super) fn alike(one: &[u8], other: &[u8]) -> f64 {
    let (mine, theirs) = (View::all(one), View::all(other));
    let mut best: f32 = 0.0;
    let mut has_detail = false;
    for a in &mine {
        for b in &theirs {
            if best >= ENOUGH {
                break;
            }
            let ratio = a.aspect / b.aspect.max(1e-6);
            if !(1.0 / ASPECT..=ASPECT).contains(&ratio) {
                continue;
            }
            if let Some(found) = by_detail(a, b) {
                has_detail = true;
                best = best.max(found);
            }
        }
    }
    if !has_detail {
        best = by_colour(one, other);
    }
    f64::from(best)
}

/// The share of the blocks with something on them on which both have the same; `None` where hardly any has.
fn by_detail(one: &View, other: &View) -> Option<f32> {
    let levels = |view: &View, by: usize| view.smaller(by).detail();
    let (a, b) = (levels(one, 4), levels(other, 4));
    let step = [0.02, 0.02, 0.02, 0.02, 0.017];
    let mut starts: Vec<(f32, Laid)> =
        Laid::all().map(|laid| laid.closer(&a, &b, step, 4)).collect();
    starts.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let (a, b) = (levels(one, 2), levels(other, 2));
    let middle = starts
        .into_iter()
        .take(2)
        .map(|(_, laid)| laid.closer(&a, &b, step.map(|step| step / 2.0), 6));
    let (_, laid) = middle.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let (a, b) = (one.detail(), other.detail());
    let (_, laid) = laid.closer(&a, &b, step.map(|step| step / 6.0), 5);
    // Of soft textures small blocks have nothing on them that tells one from another.
    let coarse = blocks(&one.smaller(2), &other.smaller(2), &laid, 0.5);
    match (blocks(one, other, &laid, 0.3), coarse) {
        (Some((fine, all)), Some((coarse, _))) if all < MANY => Some(fine.min(coarse)),
        (fine, coarse) => fine.or(coarse).map(|(share, _)| share),
    }
}

/// The same, for blocks that correlate by more than `from`; and how many blocks have anything on them.
fn blocks(one: &View, other: &View, laid: &Laid, from: f32) -> Option<(f32, usize)> {
    let side = other.side as f32;
    let overlaid = |x: usize, y: usize, aside: (f32, f32)| {
        let from_middle = |at: usize, aside: f32| (at as f32 + aside + 0.5) / side - 0.5;
        let (a, b) = laid.place(from_middle(x, aside.0), from_middle(y, aside.1));
        let cell = |at: f32| (at + 0.5) * one.side as f32 - 0.5;
        one.between(cell(a), cell(b))
    };
    let (mut agree, mut apart, mut all) = (0.0, Apart::default(), 0usize);
    for top in (0..other.side).step_by(BLOCK) {
        for left in (0..other.side).step_by(BLOCK) {
            let cells = || (0..BLOCK * BLOCK).map(|c| (left + c % BLOCK, top + c / BLOCK));
            let Some(there) = Block::of(cells().map(|(x, y)| Some(other.level(x, y)))) else {
                continue;
            };
            let (mut best, mut detail) = (None::<f32>, 0.0);
            for aside in [(0.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)] {
                let Some(here) = Block::of(cells().map(|(x, y)| overlaid(x, y, aside))) else {
                    continue;
                };
                if aside == (0.0, 0.0) {
                    detail = here.detail;
                }
                best = Some(best.unwrap_or(-1.0).max(here.with(&there)));
            }
            let Some(best) = best else { continue };
            if there.detail.max(detail) < DETAIL {
                continue;
            }
            all += 1;
            let same = ((best - from) / 0.4).clamp(0.0, 1.0);
            agree += same;
            if same < 1.0 {
                let pairs = cells()
                    .filter_map(|(x, y)| Some((overlaid(x, y, (0.0, 0.0))?, other.level(x, y))));
                apart.add(pairs);
            }
        }
    }
    if all < FEWEST {
        return None;
    }
    let share = agree / all as f32;
    // Words over a picture make what is below brighter, or darker.
    let over = apart.is_of_one_colour() && share >= OVER;
    Some((if over { 1.0 - (1.0 - share) * UNDER } else { share }, all))
}

/// By how much both differ in blocks that are not the same.
#[derive(Clone, Copy, Debug, Default)]
struct Apart {
    /// Cells that are brighter in the first, and darker.
    brighter: f32,
    darker: f32,
}

impl Apart {
    /// Whether nearly all are brighter, or nearly all darker.
    fn is_of_one_colour(&self) -> bool {
        let (least, most) = (self.brighter.min(self.darker), self.brighter.max(self.darker));
        most > ONE_COLOUR * least
    }

    fn add(&mut self, pairs: impl Iterator<Item = (f32, f32)> + Clone) {
        // What most cells differ by is the light.
        let mut light: Vec<f32> = pairs.clone().map(|(a, b)| a - b).collect();
        light.sort_by(f32::total_cmp);
        let light = light.get(light.len() / 2).copied().unwrap_or_default();
        for (a, b) in pairs {
            let by = a - b - light;
            if by.abs() > SEEN {
                self.brighter += by.max(0.0);
                self.darker -= by.min(0.0);
            }
        }
    }
}

/// Cells of a block without what all of a row or column have.
struct Block {
    cells: [f32; BLOCK * BLOCK],
    /// How much they differ.
    detail: f32,
}

impl Block {
    fn of(levels: impl Iterator<Item = Option<f32>>) -> Option<Self> {
        let mut cells = [0.0; BLOCK * BLOCK];
        for (cell, level) in cells.iter_mut().zip(levels) {
            *cell = level?;
        }
        for row in cells.chunks_exact_mut(BLOCK) {
            let mean = row.iter().sum::<f32>() / BLOCK as f32;
            row.iter_mut().for_each(|cell| *cell -= mean);
        }
        for column in 0..BLOCK {
            let mean = cells.iter().skip(column).step_by(BLOCK).sum::<f32>() / BLOCK as f32;
            cells.iter_mut().skip(column).step_by(BLOCK).for_each(|cell| *cell -= mean);
        }
        let squares: f32 = cells.iter().map(|cell| cell * cell).sum();
        Some(Self { cells, detail: (squares / (BLOCK * BLOCK) as f32).sqrt() })
    }

    fn with(&self, other: &Self) -> f32 {
        let both: f32 = self.cells.iter().zip(&other.cells).map(|(a, b)| a * b).sum();
        let size = (BLOCK * BLOCK) as f32 * self.detail * other.detail;
        both / size.max(1e-6)
    }
}

/// How alike the colours are: of what is on both a thirtieth may differ in copies.
fn by_colour(one: &[u8], other: &[u8]) -> f32 {
    let thumb = |bytes: &[u8]| -> Vec<f32> {
        bytes.iter().take(THUMB_BYTES).map(|level| f32::from(*level)).collect()
    };
    let (one, other) = (thumb(one), thumb(other));
    let on_it = |levels: &[f32]| -> f32 {
        let mean = |which: usize| {
            levels.iter().skip(which).step_by(3).sum::<f32>() / (THUMB * THUMB) as f32
        };
        let means = [mean(0), mean(1), mean(2)];
        levels.iter().zip(means.iter().cycle()).map(|(level, mean)| (level - mean).abs()).sum()
    };
    let seen = (on_it(&one) + on_it(&other)) / 2.0;
    // Less than a level a cell is nothing that one sees.
    if seen < THUMB_BYTES as f32 {
        return 0.0;
    }
    let apart: f32 = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).sum();
    (1.0 - 3.0 * apart / seen).max(0.0)
}

/// What an image is found by: its views, made smaller.
pub(super) fn traces(bytes: &[u8]) -> Vec<u8> {
    let mut traces = bytes.get(..THUMB_BYTES).unwrap_or_default().to_vec();
    for view in bytes.get(THUMB_BYTES..).unwrap_or_default().chunks_exact(VIEW_BYTES) {
        traces.extend(view.get(..VIEW_HEAD).unwrap_or_default());
        let small = View::of(view, SIDE).smaller(SIDE / SMALL).detail();
        let byte = |level: &f32| (128.0 + 40.0 * level).clamp(0.0, 255.0) as u8;
        traces.extend(small.levels.iter().map(byte));
    }
    traces
}

/// An image that is looked for: its views as they may be laid over others, each in the inner cells.
pub(super) struct Sieve {
    thumb: Vec<u8>,
    laid: Vec<(f32, Vec<f32>)>,
}

/// Inner cells, of which all are on either if the other is cut.
const INNER: Range<usize> = 3..SMALL - 3;

impl Sieve {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut all = Vec::new();
        for view in View::all(bytes) {
            let small = view.smaller(SIDE / SMALL).detail();
            for laid in Laid::all() {
                let side = SMALL as f32;
                let places = INNER.flat_map(|y| INNER.map(move |x| (x, y)));
                let levels = places.map(|(x, y)| {
                    let from_middle = |at: usize| (at as f32 + 0.5) / side - 0.5;
                    let (a, b) = laid.place(from_middle(x), from_middle(y));
                    let cell = |at: f32| ((at + 0.5) * side - 0.5).clamp(0.0, side - 1.0);
                    small.between(cell(a), cell(b)).unwrap_or_default()
                });
                let mut levels: Vec<f32> = levels.collect();
                let size = levels.iter().map(|level| level * level).sum::<f32>().sqrt().max(1e-6);
                levels.iter_mut().for_each(|level| *level /= size);
                all.push((view.aspect, levels));
            }
        }
        Self { thumb: bytes.get(..THUMB_BYTES).unwrap_or_default().to_vec(), laid: all }
    }

    /// How well it fits what left these traces; `None` if it cannot be alike.
    pub(super) fn fits(&self, traces: &[u8]) -> Option<f64> {
        let mut best = by_colour(&self.thumb, traces);
        for view in traces.get(THUMB_BYTES..)?.chunks_exact(SMALL_BYTES) {
            let View { aspect, levels, .. } = View::of(view, SMALL);
            let inner = levels.chunks_exact(SMALL).take(INNER.end).skip(INNER.start);
            let inner = inner.flat_map(|row| row.get(INNER).unwrap_or_default());
            let inner: Vec<f32> = inner.map(|level| level - 128.0).collect();
            let size = inner.iter().map(|level| level * level).sum::<f32>().sqrt().max(1e-6);
            for (own, laid) in &self.laid {
                if !(1.0 / ASPECT..=ASPECT).contains(&(own / aspect.max(1e-6))) {
                    continue;
                }
                let both: f32 = laid.iter().zip(&inner).map(|(a, b)| a * b).sum();
                best = best.max(both / size);
            }
        }
        (best >= MAY_BE).then(|| f64::from(best))
    }
}
