//! Showing text: what is known of each glyph when it is drawn, and which come to the layout when the page
//! is complete.

use super::super::actual::{Stretch, Waiting};
use super::super::font::Font;
use super::super::graphics::{Ink, Procedure};
use super::super::layout::MAX_CHARACTERS;
use super::super::matrix::Matrix;
use super::super::object::Object;
use super::super::paint::path::{corners, outline};
use super::super::paint::raster::Rgb;
use super::super::paint::sight::{self, Extent, Inks, Judged, Mode, Places};
use super::{Event, Pages, State, MAX_EVENTS};
use crate::budget::Result;
use crate::left_out::Hidden;

/// Largest procedure of a glyph that is looked at.
const MAX_PROCEDURE: usize = 1 << 20;
/// Width of a line along a glyph's outline that leaves nothing of its inside, in its size.
const WIDE: f64 = 0.12;
/// Most bytes of a string whose character spacing counts as a gap after each character: a word of one
/// letter between two others.
const MAX_APART: usize = 3;

impl Pages<'_, '_> {
    /// Shows a text of which only the place is known.
    pub(in crate::pdf) fn show_value(
        &mut self,
        text: &str,
        place: &Matrix,
        width: f64,
    ) -> Result<()> {
        if text.is_empty() || self.masks > 0 {
            return Ok(());
        }
        let place = *place;
        let [a, ..] = place.0;
        let size = if a == 0.0 { 1.0 } else { a.abs() };
        let letter = width / size / text.chars().count() as f64;
        let letter = if letter < 0.5 { letter } else { 0.5 };
        for (index, character) in text.chars().enumerate() {
            let start = index as f64 * letter;
            let place = Matrix::translation(start, 0.0).then(&place);
            let extent = Extent { place, width: letter, height: 1.0, vertical: false };
            let judged = self.judge(extent, false, None);
            let text = character.to_string();
            match judged.why {
                Some(why) => self.leave_out(why, &text),
                None => {
                    let advance = place.vector(letter, 0.0);
                    let glyph = Waiting { text, place, vertical: false, advance };
                    self.record(Event::Glyph(glyph, judged))?;
                }
            }
        }
        Ok(())
    }

    /// Takes what the page has drawn to the layout, as far as it is seen.
    pub(super) fn replay(&mut self) -> Result<()> {
        let mut places = Places::default();
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Begin(text) => self.marked.push(text.map(Stretch::new)),
                Event::End => self.unmark(self.marked.len().saturating_sub(1))?,
                Event::Glyph(glyph, judged) => {
                    let scans = &self.scans;
                    let end = sight::judge_at_the_end(&judged, &self.raster, |moment| {
                        scans.contains(&moment)
                    });
                    let blank = glyph.text.chars().all(char::is_whitespace);
                    let why = match end {
                        None if !blank
                            && places.repeats(&glyph.text, &glyph.place, glyph.advance) =>
                        {
                            Some(Hidden::Repeated)
                        }
                        end => end,
                    };
                    match why {
                        Some(why) => self.leave_out(why, &glyph.text),
                        None => self.place(glyph)?,
                    }
                }
            }
        }
        self.unmark(0)
    }

    /// Counts text that is not seen; blanks are not.
    pub(super) fn leave_out(&mut self, why: Hidden, text: &str) {
        if !text.chars().all(char::is_whitespace) {
            self.layout.left_out.add(why, text.len() as u64);
        }
    }

    pub(super) fn place(&mut self, glyph: Waiting) -> Result<()> {
        match self.marked.iter_mut().find_map(Option::as_mut) {
            Some(stretch) => {
                for glyph in stretch.push(glyph) {
                    self.put(&glyph)?;
                }
                Ok(())
            }
            None => self.put(&glyph),
        }
    }

    /// How the text that is shown now is painted; `own` is a colour that its glyph brings along.
    pub(super) fn inks(&self, own: Option<Rgb>, size: f64) -> (Mode, Inks) {
        let state = &self.state;
        let ink = |ink: &Ink, alpha: f64| {
            let alpha = if ink.nothing { 0.0 } else { alpha * state.outer_alpha };
            Some((ink.rgb, alpha))
        };
        let fill = || match own {
            Some(own) => Some((Some(own), state.fill_alpha * state.outer_alpha)),
            None => ink(&state.fill, state.fill_alpha),
        };
        let stroke = || ink(&state.stroke, state.stroke_alpha);
        let blend = state.blend;
        let painted = |fill, stroke| (Mode::Painted, Inks { fill, stroke, blend });
        match state.mode as i64 {
            1 | 5 => painted(None, stroke()),
            // A wide line along the outline leaves nothing of the inside.
            2 | 6 if state.line_width * state.ctm.scale() >= WIDE * size => painted(None, stroke()),
            2 | 6 => painted(fill(), stroke()),
            3 => (Mode::Unpainted, Inks::default()),
            7 => (Mode::Clip, Inks::default()),
            _ => painted(fill(), None),
        }
    }

    /// What is known of a glyph now.
    pub(super) fn judge(&self, extent: Extent, blank: bool, own: Option<Rgb>) -> Judged {
        let [_, _, c, d, ..] = extent.place.0;
        let (mode, inks) = self.inks(own, (c * c + d * d).sqrt() * extent.height);
        let (raster, clip) = (&self.raster, &self.state.clip);
        let seen = sight::judge(&extent, self.unit, mode, &inks, raster, clip, &self.contrasts);
        let masked = || {
            let hidden = extent.samples().iter().filter(|point| !self.state.shows(**point)).count();
            hidden > 4
        };
        let why = if self.is_off() {
            Some(Hidden::LayerOff)
        } else if seen.is_some() {
            seen
        } else if blank && mode != Mode::Unpainted {
            // Text of mode 3 lies over a picture, whatever its font draws.
            Some(Hidden::Transparent)
        } else {
            masked().then_some(Hidden::Transparent)
        };
        Judged { why, mode, clip: self.text_clips + 1, drawn: self.now, extent }
    }

    /// Ends marked content down to a depth.
    pub(super) fn unmark(&mut self, depth: usize) -> Result<()> {
        while self.marked.len() > depth {
            let Some(Some(stretch)) = self.marked.pop() else { continue };
            let (text, glyphs) = stretch.end(&self.document.letters);
            let Some(text) = text else {
                for glyph in &glyphs {
                    self.put(glyph)?;
                }
                continue;
            };
            let limit = MAX_CHARACTERS * glyphs.len();
            // The text stands where the first glyph does that takes room: dots and marks may be
            // drawn before their letter, and somewhere over it.
            let takes_room = |glyph: &Waiting| {
                let (x, y) = glyph.advance;
                x * x + y * y > 0.0
            };
            let first = glyphs.iter().position(takes_room).unwrap_or(0);
            for (place, glyph) in glyphs.iter().enumerate().skip(first) {
                // The others only move on, if they do.
                let text = if place == first { &*text } else { "" };
                if place == first || takes_room(glyph) {
                    let Waiting { place, vertical, advance, .. } = glyph;
                    self.layout.glyphs(text, limit, place, *vertical, *advance)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn put(&mut self, glyph: &Waiting) -> Result<()> {
        let Waiting { text, place, vertical, advance } = glyph;
        self.layout.glyph(text, place, *vertical, *advance)
    }

    /// What a glyph leaves that a procedure draws. One that covers more than a letter is painted.
    pub(super) fn procedure(
        &mut self,
        font: &Font,
        code: u8,
        place: &Matrix,
    ) -> Result<Option<(f64, Option<Rgb>)>> {
        let Some((reference, matrix, resources)) = font.procedure(code) else { return Ok(None) };
        let Object::Ref(number) = *reference else { return Ok(None) };
        let key = (number, matrix.0.map(f64::to_bits));
        let known = self.sketches.get(&key).copied();
        if let Some(found) = known.filter(|(marks, _)| !Self::is_cover(*marks)) {
            return Ok(Some(found));
        }
        let Some(stream) = self.document.stream(reference)? else { return Ok(None) };
        let Some(bytes) = self.document.decode_or_none(&stream, MAX_PROCEDURE)? else {
            return Ok(None);
        };
        let resources = resources.unwrap_or_default();
        let procedure =
            Procedure { bytes: &bytes, resources: &resources, matrix, height: font.height() };
        let (marks, own) = self.marks_of(key, &procedure)?;
        if Self::is_cover(marks) && self.masks == 0 {
            let (state, text, line) = (self.state.clone(), self.text, self.line);
            let path = std::mem::take(&mut self.path);
            self.state.ctm = matrix.then(place);
            // Text inside of a glyph is part of its drawing.
            self.masks += 1;
            let drawn = self.run(&bytes, &resources, 1);
            self.masks -= 1;
            (self.state, self.text, self.line, self.path) = (state, text, line, path);
            drawn?;
        }
        Ok(Some((marks, own)))
    }

    /// Shows a string, in which character spacing may stand for spaces.
    pub(super) fn show(&mut self, string: Option<&Object>, spaces: bool) -> Result<()> {
        let Some(mut rest) = string.and_then(Object::string) else { return Ok(()) };
        let Some(font) = self.font_in_use()? else { return Ok(()) };
        // Spacing of some letters is part of them; that of a few is how programs write a space.
        let spaced = !spaces && rest.len() > MAX_APART;
        while !rest.is_empty() {
            self.document.budget.operate()?;
            let code = rest.first().copied().unwrap_or_default();
            let (length, shown) = font.next(rest);
            rest = rest.get(length..).unwrap_or_default();
            let State { size, scale, rise, .. } = self.state;
            let space = if shown.is_space { self.state.word_spacing } else { 0.0 };
            let spacing = self.state.character_spacing + space;
            let to_page = self.text.then(&self.state.ctm);
            let place = Matrix([size * scale, 0.0, 0.0, size, 0.0, rise]).then(&to_page);
            let by = if font.vertical {
                -(shown.width * size) - spacing
            } else {
                shown.width * size + spacing
            };
            let seen = match (font.vertical, spaced || spacing < 0.0) {
                (_, true) => by,
                (true, false) => -(shown.width * size) - space,
                (false, false) => shown.width * size + space,
            };
            let advance = match font.vertical {
                true => to_page.vector(0.0, seen),
                false => to_page.vector(seen * scale, 0.0),
            };
            let text = shown.text.unwrap_or_else(|| "\u{fffd}".into());
            let extent = Extent {
                place,
                width: shown.width,
                height: font.height(),
                vertical: font.vertical,
            };
            if self.masks > 0 {
                self.paint_box(&place, extent.bounds())?;
                self.advance(by);
                continue;
            }
            if self.state.mode >= 4.0 && self.text_clip.len() < MAX_EVENTS {
                self.text_clip.extend(outline(&corners(&place, extent.bounds())));
            }
            let (blank, own) = match self.procedure(&font, code, &place)? {
                Some((marks, own)) => (Self::is_blank(marks), own),
                None => (shown.blank, None),
            };
            let judged = self.judge(extent, blank, own);
            match judged.why {
                // What is hidden whatever comes need not wait for the end of the page.
                Some(why) => self.leave_out(why, &text),
                None => {
                    let glyph = Waiting { text, place, vertical: font.vertical, advance };
                    self.record(Event::Glyph(glyph, judged))?;
                }
            }
            self.advance(by);
        }
        Ok(())
    }
}
