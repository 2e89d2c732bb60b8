//! The pages of a section, and what of its text lies beside them or under something.
//!
//! A section states its pages where it ends, so what depends on them is kept as a claim on a stretch of
//! its text until then. No line is laid out: a claim is settled by where lines begin and end, and
//! what lies in front of the text hides as many letters as fit under it.

use super::element::FLAT;
use crate::left_out::{Hidden, LeftOut};
use std::ops::Range;

/// Twentieths of a point of a page that says nothing of itself (US Letter), and of its margins.
const LETTER: [i64; 2] = [12_240, 15_840];
const MARGIN: i64 = 1_440;
/// An inch beyond the page's edge: lines that begin there do so to hide.
const BEYOND: i64 = 1_440;
/// Square points of a letter of ten points with its share of blanks, generously.
const ROOM_OF_A_LETTER: f64 = 80.0;
/// What covers text has at least so many square points: a quarter of a page of A5.
const LARGE: f64 = 60_000.0;
/// Letters after which boxes at the same place are taken to be on another page.
const A_PAGE: usize = 1_500;
/// Most boxes of a page that are compared.
const MAX_BOXES: usize = 64;

/// What a stretch of text says of its place; twentieths of a point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claim {
    /// Indents of a paragraph from the left and from the right margin, and of its first line.
    Lines { left: i64, right: i64, first: i64 },
    /// Where a frame, box or table begins, and what it takes, from the margins or the page.
    At { x: Option<i64>, y: Option<i64>, size: [i64; 2] },
}

/// The pages of a section.
#[derive(Default)]
pub(super) struct Page {
    /// Width and height in twentieths of a point, none if it is not stated.
    pub(super) size: [i64; 2],
    /// Left, right, top, bottom.
    pub(super) margins: [i64; 4],
    /// Whether the section ends with the paragraph.
    pub(super) ends: bool,
    /// Where the section's text begins.
    begins: usize,
    claims: Vec<(Range<usize>, Claim)>,
    /// What lies in front of the text: where it is anchored, and how many letters it hides.
    covers: Vec<(usize, usize)>,
    /// Where pages are broken.
    breaks: Vec<usize>,
    /// Boxes and tables at stated places of the page that is being read.
    boxes: Vec<[i64; 4]>,
    boxes_from: usize,
}

impl Page {
    /// A page ends here, by a break that the document states.
    pub(super) fn broken(&mut self, at: usize) {
        self.breaks.push(at);
        self.boxes.clear();
    }

    /// A stretch of text that says where it is.
    pub(super) fn claim(&mut self, range: Range<usize>, claim: Claim) {
        if range.is_empty() {
            return;
        }
        let usual = match claim {
            Claim::Lines { left, right, first } => {
                (-BEYOND..MARGIN).contains(&left)
                    && (-BEYOND..MARGIN).contains(&right)
                    && left + first > -BEYOND
            }
            Claim::At { .. } => false,
        };
        if !usual {
            self.claims.push((range, claim));
        }
    }

    /// Something opaque lies in front of the text, of this size in points.
    pub(super) fn cover(&mut self, at: usize, width: f64, height: f64) {
        // No page is larger than 22 inches.
        let area = width.clamp(0.0, 1_584.0) * height.clamp(0.0, 1_584.0);
        if area >= LARGE {
            self.covers.push((at, (area / ROOM_OF_A_LETTER) as usize));
        }
    }

    /// Whether a box or table stands where another one of this page does: the two share half of what
    /// both take together. Left, top, right, bottom.
    pub(super) fn is_taken(&mut self, place: [i64; 4], at: usize) -> bool {
        if at.saturating_sub(self.boxes_from) > A_PAGE || at < self.boxes_from {
            self.boxes.clear();
        }
        self.boxes_from = at;
        let area = |[left, top, right, bottom]: [i64; 4]| {
            right.saturating_sub(left).max(0) as f64 * bottom.saturating_sub(top).max(0) as f64
        };
        let taken = self.boxes.iter().any(|other| {
            let [a, b, c, d] = *other;
            let [e, f, g, h] = place;
            let shared = area([a.max(e), b.max(f), c.min(g), d.min(h)]);
            shared > 0.0 && 2.0 * shared >= area(*other) + area(place) - shared
        });
        if self.boxes.len() < MAX_BOXES {
            self.boxes.push(place);
        }
        taken
    }

    /// The section ends: takes out what is seen on none of its pages.
    pub(super) fn settle(&mut self, text: &mut String, left_out: &mut LeftOut) {
        let [left, right, top, bottom] = self.margins;
        let room = [left + right, top.abs() + bottom.abs()];
        let sides = self.size.into_iter().zip(room);
        if sides.into_iter().any(|(side, margins)| side > 0 && side - margins < FLAT) {
            left_out.add(Hidden::OffPage, text.len().saturating_sub(self.begins) as u64);
            text.truncate(self.begins);
        } else {
            let mut gone: Vec<(Range<usize>, Hidden)> = Vec::new();
            for (range, claim) in &self.claims {
                if self.is_beside(*claim) {
                    gone.push((range.clone(), Hidden::OffPage));
                }
            }
            self.covered(text, &mut gone);
            take_out(text, gone, left_out);
        }
        *self = Self { begins: text.len(), ..Self::default() };
    }

    fn is_beside(&self, claim: Claim) -> bool {
        let stated = self.size.iter().all(|side| *side > 0);
        let [width, height] = if stated { self.size } else { LETTER };
        let [left_margin, right_margin, ..] = if stated { self.margins } else { [MARGIN; 4] };
        match claim {
            Claim::Lines { left, right, first } => {
                let begins = left_margin + left + first.min(0);
                let ends = width - right_margin - right;
                begins <= -BEYOND || left_margin + left >= width - FLAT || ends <= FLAT
            }
            Claim::At { x, y, size: [across, down] } => {
                // From the margin it is further right and down, so this holds for both.
                let off = |at: Option<i64>, side: i64, size: i64, margin: i64| {
                    at.is_some_and(|at| at >= side - FLAT || at + size + margin <= FLAT)
                };
                off(x, width, across, left_margin) || off(y, height, down, MARGIN)
            }
        }
    }

    /// Letters under what lies in front of them: the nearest ones on its page, before it and then
    /// after it.
    fn covered(&self, text: &str, gone: &mut Vec<(Range<usize>, Hidden)>) {
        for (at, letters) in &self.covers {
            let before = self.breaks.iter().rev().find(|place| *place <= at);
            let before = before.copied().unwrap_or(self.begins);
            let after = self.breaks.iter().find(|place| *place > at);
            let after = after.copied().unwrap_or(text.len()).min(text.len());
            let mut left = *letters;
            let mut from = *at;
            let earlier = text.get(before..*at).unwrap_or_default();
            for (place, letter) in earlier.char_indices().rev() {
                if left == 0 {
                    break;
                }
                from = before + place;
                left -= usize::from(!letter.is_whitespace());
            }
            let mut to = *at;
            for letter in text.get(*at..after).unwrap_or_default().chars() {
                if left == 0 {
                    break;
                }
                to += letter.len_utf8();
                left -= usize::from(!letter.is_whitespace());
            }
            gone.push((from..to, Hidden::Covered));
        }
    }
}

/// Takes stretches out of a text; of two that overlap the first one says why.
fn take_out(text: &mut String, mut gone: Vec<(Range<usize>, Hidden)>, left_out: &mut LeftOut) {
    gone.sort_by_key(|(range, _)| (range.start, range.end));
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for (range, why) in gone {
        let range = range.start.max(at)..range.end;
        if range.is_empty() {
            continue;
        }
        let Some(part) = text.get(range.clone()) else { continue };
        kept.push_str(text.get(at..range.start).unwrap_or_default());
        // Line ends are not text that somebody hides.
        let hidden = part.trim().len();
        left_out.add(why, hidden as u64);
        at = range.end;
    }
    if at > 0 {
        kept.push_str(text.get(at..).unwrap_or_default());
        *text = kept;
    }
}
