//! Whether a glyph is seen.

use super::super::matrix::Matrix;
use super::colour::Contrasts;
use super::raster::{Clip, Ground, Raster, Rgb};
use crate::left_out::Hidden;
use std::collections::HashMap;

/// Smallest size of text that is read, in points.
const MIN_SIZE: f64 = 2.0;
/// Narrowest advance of letters, in points for a size of 1.
const MIN_RUN: f64 = 0.5;
/// Samples of a glyph's box that decide: more than half of nine.
const MOST: usize = 5;
/// How far a glyph may be from an equal one to be the same drawn again, in its size.
const SAME_PLACE: f64 = 0.2;
/// Most glyphs whose origins lie as close together as that: letters are put together of two or
/// three at most.
const MAX_PILE: usize = 3;
/// Side of the squares that glyphs are looked up in, in points.
const SQUARE: f64 = 4.0;
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
        let width = if self.width.abs() < 0.05 { 0.5 } else { self.width };
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

    /// The box's corners.
    pub(crate) fn bounds(&self) -> [f64; 4] {
        match self.vertical {
            false => [0.0, 0.0, self.width, self.height * 0.7],
            true => [-0.5, -1.0, 0.5, 0.0],
        }
    }

    fn size(&self) -> (f64, f64) {
        let [a, b, c, d, ..] = self.place.0;
        ((a * a + b * b).sqrt(), (c * c + d * d).sqrt() * self.height)
    }
}

/// What is known of a glyph when it is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// Why it is not seen, whatever comes.
    pub(crate) why: Option<Hidden>,
    pub(crate) mode: Mode,
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
    if count(&|point| raster.cell(point).is_none()) >= MOST {
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
    let inks: Vec<(Option<Rgb>, f64)> = inks.fill.iter().chain(&inks.stroke).copied().collect();
    if inks.iter().all(|(_, alpha)| *alpha < 0.02) {
        return Some(Hidden::Transparent);
    }
    let faint = |point: (f64, f64)| {
        let ground = raster.cell(point).map_or(Ground::Unknown, |cell| raster.ground(cell));
        !inks.iter().any(|(colour, alpha)| match colour {
            Some(colour) => contrasts.is_seen(*colour, *alpha, ground),
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
        Mode::Clip => (later == 0).then_some(Hidden::Transparent),
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

/// An origin, and what is drawn there, hashed.
type Place = (f64, f64, u64);

impl Places {
    /// Notes a glyph; says whether it is an equal one drawn again, or one too many on one spot.
    pub(crate) fn repeats(&mut self, text: &str, place: &Matrix) -> bool {
        let [_, _, c, d, x, y] = place.0;
        let near = (c * c + d * d).sqrt() * SAME_PLACE;
        let near = if near < SQUARE { near } else { SQUARE };
        let square = |value: f64| (value / SQUARE).floor() as i64;
        let (column, row) = (square(x), square(y));
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let (mut pile, mut equal) = (0, false);
        for neighbour in [-1, 0, 1].iter().flat_map(|dx| [-1, 0, 1].map(|dy| (*dx, dy))) {
            let key = (column.saturating_add(neighbour.0), row.saturating_add(neighbour.1));
            for (other_x, other_y, other) in self.squares.get(&key).into_iter().flatten() {
                let (dx, dy) = (other_x - x, other_y - y);
                if dx * dx + dy * dy <= near * near {
                    pile += 1;
                    equal |= *other == hash;
                }
            }
        }
        if equal || pile >= MAX_PILE {
            return true;
        }
        self.squares.entry((column, row)).or_default().push((x, y, hash));
        false
    }
}
