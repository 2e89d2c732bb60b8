//! What is drawn apart from the page, to see what it leaves: soft masks, tiles of patterns, glyphs that
//! procedures draw.

use super::super::content::{Pages, Sketched, SoftMask};
use super::super::matrix::Matrix;
use super::super::object::{Dict, Object};
use super::super::paint::colour::Space;
use super::super::paint::function::Function;
use super::super::paint::raster::{Ground, Raster, Rect, Rgb};
use super::{Ink, Procedure};
use crate::budget::Result;
use std::rc::Rc;

/// Deepest nesting of what is drawn apart.
const MAX_MASKS: usize = 2;
/// Most glyphs drawn by procedures whose marks are kept.
const MAX_SKETCHES: usize = 4096;
/// Cells of such a glyph's side, and how much of its size squared is a mark: a hyphen has 0.01.
const SKETCH: f64 = 64.0;
const MARK: f64 = 0.0008;
/// Marks from which such a glyph is painted on the page: no letter covers as much.
const COVER: f64 = 3.0;
/// Places of a function that tell whether it has one colour.
const STEPS: usize = 16;

impl Pages<'_, '_> {
    /// Draws a soft mask's group on cells of its own; `None` where it cannot be judged.
    pub(super) fn soft_mask(
        &mut self,
        mask: &Dict,
        resources: &Rc<Dict>,
        depth: usize,
    ) -> Result<Option<SoftMask>> {
        let luminosity = self.document.get(mask, "S")?.is_name("Luminosity");
        let Some(group) = self.document.stream(mask.get("G"))? else { return Ok(None) };
        if self.masks >= MAX_MASKS {
            return Ok(None);
        }
        let attributes = self.document.get(&group.dict, "Group")?.dict().cloned();
        let space = match attributes {
            Some(attributes) => {
                let named = attributes.get("CS").clone();
                Space::load(self.document, &named, resources)?
            }
            None => Space::Gray,
        };
        let backdrop = self.document.get(mask, "BC")?;
        let values: Vec<f64> =
            backdrop.array().unwrap_or_default().iter().filter_map(Object::number).collect();
        let base = space.rgb(&values).unwrap_or([0; 3]);
        let transfer = Function::load(self.document, mask.get("TR"))?;
        let fresh = Raster::new(self.raster.area, Ground::Colour(base), self.seed);
        let reference = mask.get("G").clone();
        let raster =
            self.sketch(fresh, None, |pages| pages.run_form(&reference, &group, resources, depth))?;
        Ok(Some(SoftMask { raster, luminosity, transfer }))
    }

    /// Draws on cells of their own, of which nothing comes to the page.
    pub(super) fn sketch(
        &mut self,
        fresh: Raster,
        place: Option<Matrix>,
        draw: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Raster> {
        let page = std::mem::replace(&mut self.raster, fresh);
        let (now, state) = (self.now, self.state.clone());
        let (text, line) = self.text_places();
        let path = std::mem::take(&mut self.path);
        let (hidden, scans) = (self.hidden_layers, self.scans.clone());
        self.masks += 1;
        self.hidden_layers = 0;
        self.state.plain();
        self.state.clip = self.raster.whole();
        if let Some(place) = place {
            self.state.ctm = place;
        }
        let drawn = draw(self);
        self.masks -= 1;
        (self.path, self.now, self.state, self.scans) = (path, now, state, scans);
        self.hidden_layers = hidden;
        self.set_text_places(text, line);
        let raster = std::mem::replace(&mut self.raster, page);
        drawn?;
        Ok(raster)
    }

    /// The colour of a shading, where it has but one.
    pub(super) fn shading(
        &mut self,
        shading: &Object,
        resources: &Rc<Dict>,
    ) -> Result<Option<Rgb>> {
        // Meshes are streams, and hold colours of their own.
        if self.document.stream(shading)?.is_some() {
            return Ok(None);
        }
        let Some(dict) = self.document.resolve(shading)?.dict().cloned() else { return Ok(None) };
        let named = dict.get("ColorSpace").clone();
        let space = Space::load(self.document, &named, resources)?;
        let kind = self.document.get(&dict, "ShadingType")?.index(3);
        let Some(function) = Function::load(self.document, dict.get("Function"))? else {
            return Ok(None);
        };
        let domain = self.document.get(&dict, "Domain")?;
        let domain: Vec<f64> =
            domain.array().unwrap_or_default().iter().filter_map(Object::number).collect();
        let (low, high) = match domain.as_slice() {
            [low, high, ..] => (*low, *high),
            _ => (0.0, 1.0),
        };
        let mut colours = Vec::new();
        for step in 0..=STEPS {
            let at = low + (high - low) * step as f64 / STEPS as f64;
            // Of the first type, functions have two places; along the diagonal here.
            let input: &[f64] = if kind == Some(1) { &[at, at] } else { &[at] };
            let values = function.at(input);
            colours.push(values.and_then(|values| space.rgb(&values)));
        }
        let first = colours.first().copied().flatten();
        Ok(first.filter(|first| {
            let near = |other: &Option<Rgb>| {
                other.is_some_and(|other| {
                    first.iter().zip(other).all(|(one, other)| one.abs_diff(other) <= 12)
                })
            };
            colours.iter().all(near)
        }))
    }

    /// The colour of a pattern, where it has but one, whether it leaves no mark, and whether it has more
    /// gaps than marks.
    pub(super) fn pattern(
        &mut self,
        name: &[u8],
        resources: &Rc<Dict>,
        depth: usize,
    ) -> Result<(Option<Rgb>, bool, bool)> {
        let reference = self.resource(resources, "Pattern", name)?;
        let Some(tile) = self.document.stream(&reference)? else {
            let Some(dict) = self.document.resolve(&reference)?.dict().cloned() else {
                return Ok((None, false, false));
            };
            let shading = dict.get("Shading").clone();
            return Ok((self.shading(&shading, resources)?, false, false));
        };
        // A tile without colours of its own is painted in one that was given beside its name.
        let own = self.document.get(&tile.dict, "PaintType")?.index(2) != Some(2);
        let Some(bounds) = self.document.rectangle(&tile.dict, "BBox")? else {
            return Ok((None, true, true));
        };
        if self.masks >= MAX_MASKS {
            return Ok((None, false, false));
        }
        let side = if bounds.width() > bounds.height() { bounds.width() } else { bounds.height() };
        let fresh = Raster::fine(bounds, Ground::Paper, self.seed, side / SKETCH);
        let (cells, _) = fresh.size();
        let raster = self.sketch(fresh, Some(Matrix::IDENTITY), |pages| {
            pages.run_form(&reference, &tile, resources, depth)
        })?;
        let (marks, grounds, _) = raster.marks();
        let sparse = marks * 2 < cells;
        let colour = match grounds.as_slice() {
            [Ground::Colour(rgb)] if own => {
                // Of what is painted here and there in white, nothing is seen on paper.
                let white = rgb.iter().all(|value| *value > 235);
                (white || marks * 10 >= cells * 9).then_some(*rgb)
            }
            _ => None,
        };
        Ok((colour, marks == 0, sparse))
    }

    /// What a glyph that a procedure draws leaves: marks, in its size squared, and a colour of its own.
    pub(in crate::pdf) fn marks_of(
        &mut self,
        key: Sketched,
        procedure: &Procedure<'_>,
    ) -> Result<(f64, Option<Rgb>)> {
        if let Some(found) = self.sketches.get(&key) {
            return Ok(*found);
        }
        if self.masks >= MAX_MASKS || self.sketches.len() >= MAX_SKETCHES {
            return Ok((MARK, None));
        }
        let em = procedure.height;
        let area = Rect { left: -em, bottom: -em, right: 2.0 * em, top: 2.0 * em };
        let fresh = Raster::fine(area, Ground::Unknown, self.seed, em / SKETCH);
        // A colour that no document is likely to paint in stands for the one in force.
        const CURRENT: Rgb = [1, 254, 3];
        let raster = self.sketch(fresh, Some(procedure.matrix), |pages| {
            pages.state.fill = Ink { rgb: Some(CURRENT), ..Ink::black() };
            pages.state.stroke = pages.state.fill.clone();
            pages.run(procedure.bytes, procedure.resources, 1)
        })?;
        let (count, grounds, _) = raster.marks();
        let marks = count as f64 / (SKETCH * SKETCH);
        let own = match grounds.as_slice() {
            [Ground::Colour(rgb)] if *rgb != CURRENT => Some(*rgb),
            _ => None,
        };
        self.sketches.insert(key, (marks, own));
        Ok((marks, own))
    }

    /// Whether so many marks are none, and whether they are so many that they cover others.
    pub(in crate::pdf) fn is_blank(marks: f64) -> bool {
        marks < MARK
    }

    pub(in crate::pdf) fn is_cover(marks: f64) -> bool {
        marks > COVER
    }
}
