//! Whether a glyph is seen.

use super::super::bidi::is_mark_from_right;
use super::super::matrix::Matrix;
use super::colour::{Blend, Contrasts};
use super::raster::{Clip, Ground, Raster, Rgb};
use crate::left_out::Hidden;
use std::collections::HashMap;

/// Smallest size of text that is read, in points.
const MIN_SIZE: f64 = 2.0;
/// Narrowest advance of letters, in points for a size of 1.
const MIN_RUN: f64 = 0.5;
/// Samples of a glyph's box that decide: more than half of nine.
const MOST: usize = 5;
/// How far a glyph may be from an equal one to be the same drawn again: in its advance along the line,
/// and in its size.
const SAME_ALONG: f64 = 0.5;
const SAME_PLACE: f64 = 0.2;
const SAME_MARK: f64 = 0.05;
/// How far other glyphs may be across the line to be on the same spot.
const SAME_SPOT: f64 = 0.4;
/// Most glyphs on one spot: letters are put together of two or three at most.
const MAX_PILE: usize = 3;
/// Side of the squares that glyphs are looked up in, and the farthest that is looked, in points.
const SQUARE: f64 = 8.0;
const MAX_REACH: f64 = 40.0;
/// Widest glyph, in its size: what is stated beyond is not where it is drawn.
const MAX_WIDTH: f64 = 1.2;
/// Fewest pixels an inch of a picture whose text is taken for recognised characters.
const MIN_RESOLUTION: f64 = 50.0;

/// How text is painted, of the modes of `Tr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Filled, stroked or both.
    Painted,
    /// Not at all: counts over a picture.
    Unpainted,
    /// Only as a clip: counts where something is painted through it.
    Clip,
}

/// Colours that a glyph is painted in, with their alpha; none where they are unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inks {
    pub(crate) fill: Option<(Option<Rgb>, f64)>,
    pub(crate) stroke: Option<(Option<Rgb>, f64)>,
    pub(crate) blend: Blend,
}

/// A glyph's box: its place, and its extent in units of its size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) place: Matrix,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) vertical: bool,
}

impl Extent {
    /// Nine points of the box.
    pub(crate) fn samples(&self) -> [(f64, f64); 9] {
        let mut samples = [(0.0, 0.0); 9];
        let most = MAX_WIDTH * self.height;
        let width = match self.width.abs() {
            width if width < 0.05 * self.height => 0.5 * self.height,
            width if width > most => most,
            width => width,
        };
        for (place, sample) in samples.iter_mut().enumerate() {
            let (column, row) = ((place % 3) as f64, (place / 3) as f64);
            let (x, y) = match self.vertical {
                false => (width * (0.2 + 0.3 * column), self.height * (0.08 + 0.26 * row)),
                true => (-0.3 + 0.3 * column, -0.2 - 0.3 * row),
            };
            *sample = self.place.point((x, y));
        }
        samples
    }

    /// Three points of the line that the glyph stands on.
    fn line(&self) -> [(f64, f64); 3] {
        [0.0, 0.5, 1.0].map(|part| match self.vertical {
            false => self.place.point((part * self.width, 0.0)),
            true => self.place.point((0.0, -part)),
        })
    }

    /// The box's corners.
    pub(crate) fn bounds(&self) -> [f64; 4] {
        match self.vertical {
            false => [0.0, 0.0, self.width, self.height * 0.7],
            true => [-0.5, -1.0, 0.5, 0.0],
        }
    }

    fn size(&self) -> (f64, f64) {
        let [a, b, c, d, ..] = self.place.0;
        let run = (a * a + b * b).sqrt();
        let area = (a * d - b * c).abs();
        let rise = match self.vertical {
            // Sheared letters are as high as they stand above their line.
            false if run > 0.0 => area / run,
            false => 0.0,
            true => (c * c + d * d).sqrt(),
        };
        (run * self.height, rise * self.height)
    }
}

/// What is known of a glyph when it is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// Why it is not seen, whatever comes.
    pub(crate) why: Option<Hidden>,
    pub(crate) mode: Mode,
    /// The clip that it becomes a part of, of mode [`Mode::Clip`].
    pub(crate) clip: u32,
    /// How much was painted before.
    pub(crate) drawn: u32,
    pub(crate) extent: Extent,
}

/// Judges a glyph as it is drawn.
pub(crate) fn judge(
    extent: &Extent,
    unit: f64,
    mode: Mode,
    inks: &Inks,
    raster: &Raster,
    clip: &Clip,
    contrasts: &Contrasts,
) -> Option<Hidden> {
    let samples = extent.samples();
    let count = |holds: &dyn Fn((f64, f64)) -> bool| samples.iter().filter(|p| holds(**p)).count();
    let off = |point| raster.cell(point).is_none();
    if count(&off) >= MOST || extent.line().into_iter().all(off) {
        return Some(Hidden::OffPage);
    }
    let (run, rise) = extent.size();
    if rise * unit < MIN_SIZE || run * unit < MIN_RUN {
        return Some(Hidden::Tiny);
    }
    if count(&|point| !raster.passes(clip, point)) >= MOST {
        return Some(Hidden::Clipped);
    }
    if mode != Mode::Painted {
        return None;
    }
    let blend = inks.blend;
    let inks: Vec<(Option<Rgb>, f64)> = inks.fill.iter().chain(&inks.stroke).copied().collect();
    if inks.iter().all(|(_, alpha)| *alpha < 0.02) {
        return Some(Hidden::Transparent);
    }
    let faint = |point: (f64, f64)| {
        let ground = raster.cell(point).map_or(Ground::Unknown, |cell| raster.ground(cell));
        !inks.iter().any(|(colour, alpha)| match colour {
            Some(colour) => contrasts.is_seen(*colour, *alpha, ground, blend),
            None => *alpha >= 0.02,
        })
    };
    (count(&faint) >= MOST).then_some(Hidden::Faint)
}

/// Judges a glyph once its page is complete. `scan` says whether the picture that was painted at a
/// moment is one whose characters may have been recognised.
pub(crate) fn judge_at_the_end(
    judged: &Judged,
    raster: &Raster,
    mut scan: impl FnMut(u32) -> bool,
) -> Option<Hidden> {
    if judged.why.is_some() {
        return judged.why;
    }
    let cells = judged.extent.samples().map(|point| raster.cell(point));
    let painted = cells.map(|cell| cell.map_or(0, |cell| raster.painted(cell)));
    let later = painted.iter().filter(|painted| **painted > judged.drawn).count();
    match judged.mode {
        Mode::Painted => (later >= MOST).then_some(Hidden::Covered),
        Mode::Clip => {
            let lit = |cell: &&Option<usize>| cell.is_some_and(|c| raster.lit(c) == judged.clip);
            (cells.iter().filter(lit).count() < MOST).then_some(Hidden::Transparent)
        }
        Mode::Unpainted => {
            let pictured = cells.map(|cell| cell.map_or(0, |cell| raster.pictured(cell)));
            let scans = pictured.iter().filter(|moment| **moment > 0 && scan(**moment)).count();
            (scans < MOST).then_some(Hidden::Transparent)
        }
    }
}

/// Whether a picture of so many pixels, on so many points, can be a scan.
pub(crate) fn is_scan(pixels: (usize, usize), points: (f64, f64), unit: f64) -> bool {
    let fine = |pixels: usize, points: f64| pixels as f64 * 72.0 >= MIN_RESOLUTION * points * unit;
    fine(pixels.0, points.0) && fine(pixels.1, points.1)
}

/// The glyphs of a page that count, by their places.
#[derive(Debug, Default)]
pub(crate) struct Places {
    squares: HashMap<(i64, i64), Vec<Place>>,
}

/// An origin, what is drawn there, hashed, and how far its spot reaches along its line and across.
type Place = (f64, f64, u64, (f64, f64));

impl Places {
    /// Notes a glyph; says whether it is an equal one drawn again, or one too many on one spot.
    pub(crate) fn repeats(&mut self, text: &str, place: &Matrix, advance: (f64, f64)) -> bool {
        let [a, b, c, d, x, y] = place.0;
        let smaller = |one: f64, other: f64| if one < other { one } else { other };
        let (size, run) = ((c * c + d * d).sqrt(), (a * a + b * b).sqrt());
        let step = (advance.0 * advance.0 + advance.1 * advance.1).sqrt();
        let along = match step > 0.0 {
            true => step * SAME_ALONG,
            // Vowels of Arabic and Hebrew stand over narrow letters, one beside the other.
            false if is_mark_from_right(text) => size * SAME_MARK,
            false => size * SAME_PLACE,
        };
        let own = (smaller(smaller(along, size), MAX_REACH), smaller(size, 2.0 * MAX_REACH));
        let (ux, uy) = if run > 0.0 { (a / run, b / run) } else { (1.0, 0.0) };
        let across = own.1 * SAME_SPOT;
        let reach = if own.0 > across { own.0 } else { across };
        let squares = (reach / SQUARE).ceil() as i64;
        let square = |value: f64| (value / SQUARE).floor() as i64;
        let (column, row) = (square(x), square(y));
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let (mut pile, mut equal) = (0, false);
        for key_x in column.saturating_sub(squares)..=column.saturating_add(squares) {
            for key_y in row.saturating_sub(squares)..=row.saturating_add(squares) {
                let near = self.squares.get(&(key_x, key_y));
                for (other_x, other_y, other, spot) in near.into_iter().flatten() {
                    let (dx, dy) = (other_x - x, other_y - y);
                    let (back, up) = ((dx * ux + dy * uy).abs(), (dy * ux - dx * uy).abs());
                    // A small sign beside a large one is on a spot of its own.
                    let (along, size) = (smaller(own.0, spot.0), smaller(own.1, spot.1));
                    if back >= along || up > size * SAME_SPOT {
                        continue;
                    }
                    pile += 1;
                    equal |= *other == hash && up <= size * SAME_PLACE;
                }
            }
        }
        if equal || pile >= MAX_PILE {
            return true;
        }
        self.squares.entry((column, row)).or_default().push((x, y, hash, own));
        false
    }
}
