//! Operators that paint, and those that say how (ISO 32000-1, 8.4 to 8.10).

mod sketch;

use super::content::{Event, Masks, Pages, SoftMask};
use super::document::Stream;
use super::matrix::Matrix;
use super::object::{Dict, Object};
use super::paint::colour::{Blend, Space};
use super::paint::path::{corners, outline, rectangle_of, Edge};
use super::paint::picture::{Colours, Picture};
use super::paint::raster::{Ground, Painted, Rgb};
use super::paint::sight::is_scan;
use crate::budget::Result;
use std::rc::Rc;

/// Alpha up to which nothing is seen, and from which a picture is looked at.
const SEEN: f64 = 0.02;
const HALF: f64 = 0.5;
/// Pictures whose pixels are kept.
const MAX_PICTURES: usize = 8;

const UNIT: [f64; 4] = [0.0, 0.0, 1.0, 1.0];

/// A colour with the space that it is of.
#[derive(Clone, Debug)]
pub(super) struct Ink {
    space: Rc<Space>,
    pub(super) rgb: Option<Rgb>,
    /// Whether it leaves no mark, as an empty pattern.
    pub(super) nothing: bool,
    /// Whether it is a pattern with more gaps than marks.
    sparse: bool,
}

impl Ink {
    pub(super) fn black() -> Self {
        Self { space: Rc::new(Space::Gray), rgb: Some([0; 3]), nothing: false, sparse: false }
    }

    fn of(space: Rc<Space>, values: &[f64]) -> Self {
        let nothing = matches!(*space, Space::None);
        Self { rgb: space.rgb(values), nothing, sparse: false, space }
    }

    /// Whether a shape that it fills hides nothing.
    fn is_thin(&self) -> bool {
        self.nothing || self.sparse
    }

    /// The same space with another colour.
    fn set(&mut self, values: &[f64]) {
        let start = values.len().saturating_sub(self.space.components());
        *self = Self::of(self.space.clone(), values.get(start..).unwrap_or_default());
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
        // Viewers take the last operands, however many there are.
        let needed = match word {
            b"g" | b"G" | b"w" | b"J" => 1,
            b"m" | b"l" => 2,
            b"rg" | b"RG" => 3,
            b"v" | b"y" | b"re" | b"k" | b"K" => 4,
            b"c" => 6,
            _ => values.len(),
        };
        let start = values.len().saturating_sub(needed);
        let values = values.get(start..).unwrap_or_default().to_vec();
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
            (b"J", [cap]) => self.state.capped = *cap != 0.0,
            (b"d", _) => self.state.dashed = is_broken(operands),
            (b"g", [_]) => self.state.fill = Ink::of(self.device(resources, 0)?, &values),
            (b"G", [_]) => self.state.stroke = Ink::of(self.device(resources, 0)?, &values),
            (b"rg", [_, _, _]) => self.state.fill = Ink::of(self.device(resources, 1)?, &values),
            (b"RG", [_, _, _]) => self.state.stroke = Ink::of(self.device(resources, 1)?, &values),
            (b"k", [_, _, _, _]) => self.state.fill = Ink::of(self.device(resources, 2)?, &values),
            (b"K", [_, _, _, _]) => {
                self.state.stroke = Ink::of(self.device(resources, 2)?, &values);
            }
            (b"cs" | b"CS", _) => {
                let named = operands.last().cloned().unwrap_or(Object::Null);
                let space = Space::load(self.document, &named, resources)?;
                let nothing = matches!(space, Space::None);
                let ink =
                    Ink { rgb: space.initial(), nothing, sparse: false, space: Rc::new(space) };
                match word {
                    b"cs" => self.state.fill = ink,
                    _ => self.state.stroke = ink,
                }
            }
            (b"sc" | b"scn" | b"SC" | b"SCN", values) => {
                let stroke = word.first() == Some(&b'S');
                let named = operands.last().and_then(Object::name).map(<[u8]>::to_vec);
                let mut ink =
                    if stroke { self.state.stroke.clone() } else { self.state.fill.clone() };
                match named {
                    Some(name) => {
                        (ink.rgb, ink.nothing, ink.sparse) =
                            self.pattern(&name, resources, depth)?;
                    }
                    None => ink.set(values),
                }
                match stroke {
                    true => self.state.stroke = ink,
                    false => self.state.fill = ink,
                }
            }
            (b"gs", _) => {
                if let Some(name) = operands.last().and_then(Object::name) {
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
                let colour = match operands.last().and_then(Object::name) {
                    Some(name) => {
                        let shading = self.resource(resources, "Shading", name)?;
                        self.shading(&shading, resources)?
                    }
                    None => None,
                };
                self.fill(&edges, false, colour, self.state.fill_alpha)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Paints the path, and cuts it out of what may be painted where that was asked for.
    fn end_path(&mut self, fill: Option<bool>, stroke: bool) -> Result<()> {
        let pen = self.state.line_width * self.state.ctm.scale();
        // A line that is broken lets letters through.
        let stroked = match stroke && pen > 0.0 && !self.state.dashed {
            true => self.path.stroked(pen, self.state.capped),
            false => Vec::new(),
        };
        let empty = self.path.is_empty();
        let edges = self.path.filled();
        if let (Some(even_odd), false) = (fill, self.state.fill.is_thin()) {
            self.fill(&edges, even_odd, self.state.fill.rgb, self.state.fill_alpha)?;
        }
        if !stroked.is_empty() && !self.state.stroke.is_thin() {
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
        let (blend, lit) = (self.state.blend, self.state.text_clip);
        let hides = if blend.hides(colour) { alpha } else { 0.0 };
        self.now += 1;
        let Self { raster, state, contrasts, document, now, .. } = self;
        raster.paint(edges, even_odd, &state.clip, *now, &mut document.budget, |place, ground| {
            if !state.shows(place) {
                return Painted::nothing(ground);
            }
            let painted = match colour {
                Some(colour) => blend.over(colour, ground, alpha),
                None => Ground::Unknown,
            };
            let seen = colour.is_none_or(|colour| contrasts.is_seen(colour, alpha, ground, blend));
            Painted { ground: painted, hides, picture: false, lit: if seen { lit } else { 0 } }
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
        let stencil = matches!(picture.colours, Colours::Stencil);
        if stencil && self.state.fill.nothing {
            return Ok(());
        }
        let [a, b, c, d, ..] = ctm.0;
        let points = ((a * a + b * b).sqrt(), (c * c + d * d).sqrt());
        let pixels = (picture.width, picture.height);
        let scan = !picture.flat && is_scan(pixels, points, self.unit);
        let (blend, lit) = (self.state.blend, self.state.text_clip);
        let back = ctm.inverse();
        self.now += 1;
        if scan {
            self.scans.insert(self.now);
        }
        let Self { raster, state, contrasts, document, now, .. } = self;
        let fill = state.fill.rgb;
        raster.paint(&edges, false, &state.clip, *now, &mut document.budget, |place, ground| {
            let inside = back.map(|back| back.point(place));
            let alpha = alpha * inside.map_or(1.0, |inside| picture.alpha_at(inside));
            if alpha < SEEN || !state.shows(place) {
                return Painted::nothing(ground);
            }
            let colour = match stencil {
                true => fill,
                false => inside.and_then(|inside| picture.at(inside)),
            };
            // Where a mask is not known, it may be that nothing is seen of it.
            let hides = if picture.vague || !blend.hides(colour) { 0.0 } else { alpha };
            let painted = match colour {
                Some(colour) if !picture.vague => blend.over(colour, ground, alpha),
                _ if alpha < HALF => ground,
                _ => Ground::Picture,
            };
            let seen = colour.is_none_or(|colour| contrasts.is_seen(colour, alpha, ground, blend));
            let lit = if seen { lit } else { 0 };
            Painted { ground: painted, hides, picture: alpha >= HALF, lit }
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
        let blend = self.document.get(&dict, "BM")?;
        let modes = match &blend {
            Object::Array(modes) => modes.to_vec(),
            other => vec![other.clone()],
        };
        // The first that is known counts.
        if let Some(mode) = modes.iter().find_map(|mode| Blend::named(mode.name()?)) {
            self.state.blend = mode;
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

    /// A space of the device, with what the resources put in its place.
    fn device(&mut self, resources: &Rc<Dict>, kind: usize) -> Result<Rc<Space>> {
        let known = self.devices.as_ref().filter(|(of, _)| Rc::ptr_eq(of, resources));
        if let Some(space) = known.and_then(|(_, spaces)| spaces.get(kind)) {
            return Ok(space.clone());
        }
        let mut spaces = Vec::new();
        for device in [Space::Gray, Space::Rgb, Space::Cmyk] {
            spaces.push(Rc::new(Space::usual(self.document, resources, device, 0)?));
        }
        let found = spaces.get(kind).cloned().unwrap_or_else(|| Rc::new(Space::Unknown));
        self.devices = Some((resources.clone(), spaces));
        Ok(found)
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

/// Whether a dash pattern leaves gaps of a tenth or more.
fn is_broken(operands: &[Object]) -> bool {
    let lengths = operands.iter().find_map(Object::array).unwrap_or_default();
    let lengths: Vec<f64> = lengths.iter().filter_map(Object::number).collect();
    let all: f64 = lengths.iter().sum();
    let gaps: f64 = match lengths.as_slice() {
        // A single length is that of gaps too.
        [only] => only / 2.0,
        lengths => lengths.iter().skip(1).step_by(2).sum(),
    };
    all > 0.0 && gaps >= all / 10.0
}

/// How a Type 3 glyph is drawn.
pub(super) struct Procedure<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) resources: &'a Rc<Dict>,
    /// From the procedure's units to those of text.
    pub(super) matrix: Matrix,
    /// Its size, in text space units.
    pub(super) height: f64,
}

impl SoftMask {
    /// Whether a mask lets a point be seen.
    pub(super) fn shows(&self, point: (f64, f64)) -> bool {
        let Some(cell) = self.raster.cell(point) else { return true };
        let light = match (self.luminosity, self.raster.ground(cell)) {
            (false, _) => f64::from(u8::from(self.raster.painted(cell) > 0)),
            (true, Ground::Colour([red, green, blue])) => {
                let sum = f64::from(red) * 0.3 + f64::from(green) * 0.59 + f64::from(blue) * 0.11;
                sum / 255.0
            }
            (true, _) => return true,
        };
        let light = match &self.transfer {
            Some(transfer) => transfer.at(&[light]).and_then(|out| out.first().copied()),
            None => Some(light),
        };
        light.is_none_or(|light| light > 0.05)
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
