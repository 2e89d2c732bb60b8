//! Operators that paint, and those that say how (ISO 32000-1, 8.4 to 8.10).

use super::content::{Event, Masks, Pages, SoftMask};
use super::document::Stream;
use super::matrix::Matrix;
use super::object::{Dict, Object};
use super::paint::colour::{over, Space};
use super::paint::path::{corners, outline, rectangle_of, Edge};
use super::paint::picture::{Colours, Picture};
use super::paint::raster::{Ground, Painted, Raster, Rgb};
use super::paint::sight::is_scan;
use crate::budget::Result;
use std::rc::Rc;

/// Alpha from which a colour hides what is under it, and up to which it is not seen itself.
const OPAQUE: f64 = 0.9;
const SEEN: f64 = 0.02;
/// Deepest nesting of soft masks.
const MAX_MASKS: usize = 2;
/// Pictures whose pixels are kept.
const MAX_PICTURES: usize = 8;

const UNIT: [f64; 4] = [0.0, 0.0, 1.0, 1.0];

/// A colour with the space that it is of.
#[derive(Clone, Debug)]
pub(super) struct Ink {
    space: Rc<Space>,
    pub(super) rgb: Option<Rgb>,
}

impl Ink {
    pub(super) fn black() -> Self {
        Self { space: Rc::new(Space::Gray), rgb: Some([0; 3]) }
    }

    fn of(space: Space, values: &[f64]) -> Self {
        Self { rgb: space.rgb(values), space: Rc::new(space) }
    }
}

impl Pages<'_, '_> {
    /// Runs an operator, if it is one of those of this module.
    pub(super) fn graphics(
        &mut self,
        word: &[u8],
        operands: &[Object],
        resources: &Rc<Dict>,
        depth: usize,
    ) -> Result<()> {
        let values: Vec<f64> = operands.iter().filter_map(Object::number).collect();
        let ctm = self.state.ctm;
        let point = |place: usize| {
            let at = |place: usize| values.get(place).copied().unwrap_or(0.0);
            ctm.point((at(place), at(place + 1)))
        };
        match (word, values.as_slice()) {
            (b"m", [_, _]) => self.path.move_to(point(0)),
            (b"l", [_, _]) => self.path.line_to(point(0)),
            (b"c", [_, _, _, _, _, _]) => self.path.curve_to(point(0), point(2), point(4)),
            (b"v", [_, _, _, _]) => {
                let current = self.path.current().unwrap_or(point(0));
                self.path.curve_to(current, point(0), point(2));
            }
            (b"y", [_, _, _, _]) => self.path.curve_to(point(0), point(2), point(2)),
            (b"h", _) => self.path.close(),
            (b"re", [x, y, width, height]) => {
                self.path.rectangle(corners(&ctm, [*x, *y, x + width, y + height]));
            }
            (b"W", _) => self.clipping = Some(false),
            (b"W*", _) => self.clipping = Some(true),
            (b"n", _) => self.end_path(None, false)?,
            (b"S", _) => self.end_path(None, true)?,
            (b"s", _) => {
                self.path.close();
                self.end_path(None, true)?;
            }
            (b"f" | b"F", _) => self.end_path(Some(false), false)?,
            (b"f*", _) => self.end_path(Some(true), false)?,
            (b"B", _) => self.end_path(Some(false), true)?,
            (b"B*", _) => self.end_path(Some(true), true)?,
            (b"b", _) => {
                self.path.close();
                self.end_path(Some(false), true)?;
            }
            (b"b*", _) => {
                self.path.close();
                self.end_path(Some(true), true)?;
            }
            (b"w", [width]) => self.state.line_width = *width,
            (b"g", [_]) => self.state.fill = Ink::of(Space::Gray, &values),
            (b"G", [_]) => self.state.stroke = Ink::of(Space::Gray, &values),
            (b"rg", [_, _, _]) => self.state.fill = Ink::of(Space::Rgb, &values),
            (b"RG", [_, _, _]) => self.state.stroke = Ink::of(Space::Rgb, &values),
            (b"k", [_, _, _, _]) => self.state.fill = Ink::of(Space::Cmyk, &values),
            (b"K", [_, _, _, _]) => self.state.stroke = Ink::of(Space::Cmyk, &values),
            (b"cs" | b"CS", _) => {
                let named = operands.first().cloned().unwrap_or(Object::Null);
                let space = Space::load(self.document, &named, resources)?;
                let ink = Ink { rgb: space.initial(), space: Rc::new(space) };
                match word {
                    b"cs" => self.state.fill = ink,
                    _ => self.state.stroke = ink,
                }
            }
            (b"sc" | b"scn", values) => self.state.fill.rgb = self.state.fill.space.rgb(values),
            (b"SC" | b"SCN", values) => self.state.stroke.rgb = self.state.stroke.space.rgb(values),
            (b"gs", _) => {
                if let Some(name) = operands.first().and_then(Object::name) {
                    self.graphics_state(name, resources, depth)?;
                }
            }
            (b"sh", _) => {
                let clip = self.state.clip.rect;
                let edges: Vec<Edge> = outline(&[
                    (clip.left, clip.bottom),
                    (clip.right, clip.bottom),
                    (clip.right, clip.top),
                    (clip.left, clip.top),
                ])
                .collect();
                self.fill(&edges, false, None, self.state.fill_alpha)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Paints the path, and cuts it out of what may be painted where that was asked for.
    fn end_path(&mut self, fill: Option<bool>, stroke: bool) -> Result<()> {
        let pen = self.state.line_width * self.state.ctm.scale();
        // Thinner lines cover no letter.
        let stroked = match stroke && pen >= 1.5 {
            true => self.path.stroked(pen),
            false => Vec::new(),
        };
        let empty = self.path.is_empty();
        let edges = self.path.filled();
        if let Some(even_odd) = fill {
            self.fill(&edges, even_odd, self.state.fill.rgb, self.state.fill_alpha)?;
        }
        if !stroked.is_empty() {
            self.fill(&stroked, false, self.state.stroke.rgb, self.state.stroke_alpha)?;
        }
        if let (Some(even_odd), false) = (self.clipping.take(), empty) {
            self.clip(&edges, even_odd)?;
        }
        Ok(())
    }

    /// Lets nothing through any more but what is inside of edges.
    pub(super) fn clip(&mut self, edges: &[Edge], even_odd: bool) -> Result<()> {
        match rectangle_of(edges) {
            Some(rect) => self.state.clip.rect = self.state.clip.rect.intersection(&rect),
            None => {
                let budget = &mut self.document.budget;
                let clip = self.raster.clipped(&self.state.clip, edges, even_odd, budget)?;
                self.state.clip = clip;
            }
        }
        Ok(())
    }

    /// Paints a shape; a colour of `None` is not known.
    pub(super) fn fill(
        &mut self,
        edges: &[Edge],
        even_odd: bool,
        colour: Option<Rgb>,
        alpha: f64,
    ) -> Result<()> {
        let alpha = alpha * self.state.outer_alpha;
        if alpha < SEEN || self.is_off() {
            return Ok(());
        }
        let masked = self.state.is_masked();
        let opaque = alpha > OPAQUE && self.state.covers && !masked;
        self.now += 1;
        let (now, budget) = (self.now, &mut self.document.budget);
        self.raster.paint(edges, even_odd, &self.state.clip, now, budget, |_, ground| {
            let ground = match colour {
                Some(colour) if !masked => over(colour, ground, alpha),
                _ => Ground::Unknown,
            };
            Painted { ground, opaque, picture: false }
        })
    }

    /// Paints a picture on the unit square.
    pub(super) fn picture(&mut self, picture: &Picture) -> Result<()> {
        let alpha = self.state.fill_alpha * self.state.outer_alpha;
        if alpha < SEEN || self.is_off() {
            return Ok(());
        }
        let ctm = self.state.ctm;
        let edges: Vec<Edge> = outline(&corners(&ctm, UNIT)).collect();
        if let (Colours::Stencil, true) = (&picture.colours, picture.opaque) {
            return self.fill(&edges, false, self.state.fill.rgb, self.state.fill_alpha);
        }
        let [a, b, c, d, ..] = ctm.0;
        let points = ((a * a + b * b).sqrt(), (c * c + d * d).sqrt());
        let pixels = (picture.width, picture.height);
        let scan = !picture.flat && is_scan(pixels, points, self.unit);
        let masked = self.state.is_masked();
        let opaque = picture.opaque && alpha > OPAQUE && self.state.covers && !masked;
        let back = ctm.inverse();
        self.now += 1;
        if scan {
            self.scans.insert(self.now);
        }
        let (now, budget) = (self.now, &mut self.document.budget);
        self.raster.paint(&edges, false, &self.state.clip, now, budget, |place, ground| {
            let colour = back.and_then(|back| picture.at(back.point(place)));
            let ground = match colour {
                Some(colour) if opaque => over(colour, ground, alpha),
                // What shows through depends on a mask.
                _ => Ground::Picture,
            };
            Painted { ground, opaque, picture: true }
        })
    }

    /// A picture that is an object of its own. The last few are kept.
    pub(super) fn picture_of(
        &mut self,
        reference: &Object,
        stream: &Stream<'_>,
        resources: &Dict,
    ) -> Result<Rc<Picture>> {
        let number = if let Object::Ref(number) = reference { Some(*number) } else { None };
        let kept = self.pictures.iter().find(|(kept, _)| Some(*kept) == number);
        if let Some((_, picture)) = kept {
            return Ok(picture.clone());
        }
        let loaded = Picture::load(self.document, stream, resources, &mut self.allowance)?;
        let picture = Rc::new(loaded);
        if let Some(number) = number {
            if self.pictures.len() == MAX_PICTURES {
                self.pictures.remove(0);
            }
            self.pictures.push((number, picture.clone()));
        }
        Ok(picture)
    }

    fn graphics_state(&mut self, name: &[u8], resources: &Rc<Dict>, depth: usize) -> Result<()> {
        let reference = self.resource(resources, "ExtGState", name)?;
        let Some(dict) = self.document.resolve(&reference)?.dict().cloned() else {
            return Ok(());
        };
        if let Some(alpha) = self.document.get(&dict, "ca")?.number() {
            self.state.fill_alpha = alpha.clamp(0.0, 1.0);
        }
        if let Some(alpha) = self.document.get(&dict, "CA")?.number() {
            self.state.stroke_alpha = alpha.clamp(0.0, 1.0);
        }
        if let Some(width) = self.document.get(&dict, "LW")?.number() {
            self.state.line_width = width;
        }
        let font = self.document.get(&dict, "Font")?;
        if let Some([reference, size]) = font.array() {
            let size = self.document.resolve(size)?.number().unwrap_or(0.0);
            self.use_font(reference, size)?;
        }
        let blend = match self.document.get(&dict, "BM")? {
            Object::Array(modes) => modes.first().cloned().unwrap_or(Object::Null),
            other => other,
        };
        if let Some(mode) = blend.name() {
            // These leave what is darker to be seen.
            let through: [&[u8]; 6] =
                [b"Multiply", b"Darken", b"ColorBurn", b"Overlay", b"SoftLight", b"HardLight"];
            self.state.covers = !through.contains(&mode);
        }
        match self.document.get(&dict, "SMask")? {
            Object::Name(_) => self.state.mask = None,
            Object::Dict(mask) => {
                self.state.mask = self.soft_mask(&mask, resources, depth)?.map(Rc::new);
            }
            _ => {}
        }
        Ok(())
    }

    /// Draws a soft mask's group on cells of its own; `None` where it cannot be judged.
    fn soft_mask(
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
        let fresh = Raster::new(self.raster.area, Ground::Colour(base));
        let page = std::mem::replace(&mut self.raster, fresh);
        let (now, state) = (self.now, self.state.clone());
        let path = std::mem::take(&mut self.path);
        self.masks += 1;
        self.state.plain();
        self.state.clip = self.raster.whole();
        let reference = mask.get("G").clone();
        let drawn = self.run_form(&reference, &group, resources, depth);
        self.masks -= 1;
        self.path = path;
        self.now = now;
        self.state = state;
        let raster = std::mem::replace(&mut self.raster, page);
        drawn?;
        Ok(Some(SoftMask { raster, luminosity }))
    }

    /// Paints a glyph's box into a mask that is being drawn.
    pub(super) fn paint_box(&mut self, place: &Matrix, bounds: [f64; 4]) -> Result<()> {
        let edges: Vec<Edge> = outline(&corners(place, bounds)).collect();
        self.fill(&edges, false, self.state.fill.rgb, self.state.fill_alpha)
    }

    /// Whether what is drawn now belongs to a layer that is off.
    pub(super) fn is_off(&self) -> bool {
        self.hidden_layers > 0
    }

    /// Opens marked content; `membership` is the layer that it belongs to.
    pub(super) fn open_marked(&mut self, membership: Option<Object>) -> Result<()> {
        let off = match membership {
            Some(membership) => self.layers.is_off(self.document, &membership)?,
            None => false,
        };
        self.hidden_layers += usize::from(off);
        self.open.push(off);
        Ok(())
    }

    /// Closes marked content down to a depth.
    pub(super) fn close_marked(&mut self, depth: usize) -> Result<()> {
        while self.open.len() > depth {
            if self.open.pop() == Some(true) {
                self.hidden_layers -= 1;
            }
            self.record(Event::End)?;
        }
        Ok(())
    }
}

impl SoftMask {
    /// Whether a mask lets a point be seen.
    pub(super) fn shows(&self, point: (f64, f64)) -> bool {
        let Some(cell) = self.raster.cell(point) else { return true };
        match (self.luminosity, self.raster.ground(cell)) {
            (false, _) => self.raster.painted(cell) > 0,
            (true, Ground::Colour(rgb)) => rgb.iter().any(|value| *value > 12),
            (true, _) => true,
        }
    }
}

impl Masks {
    /// Whether all masks of a chain let a point be seen.
    pub(super) fn show(&self, point: (f64, f64)) -> bool {
        let mut current = Some(self);
        while let Some(masks) = current {
            if !masks.mask.shows(point) {
                return false;
            }
            current = masks.outer.as_deref();
        }
        true
    }
}
