//! Shapes: text boxes that may be hidden, without room, off the page, or filled.

use super::look::{alike, changed, Paint};
use super::page::Claim;
use super::place::Room;
use super::xml::attribute;
use crate::budget::Result;
use crate::left_out::Hidden;
use quick_xml::events::BytesStart;

/// EMU of a drawing's side (12,700 to the point) below which nothing is read in it.
const THIN: i64 = 2 * 12_700;
/// EMU from which a place is on no page; Word's longest page has 22 inches, 20,116,800 EMU.
const FAR: i64 = 20_200_000;

pub(super) struct Shape {
    pub(super) hidden: Option<Hidden>,
    /// What its text stands on; `Auto` is what lies under the shape.
    pub(super) ground: Paint,
    filled: bool,
    pub(super) room: Room,
    /// Its offsets on the page.
    pub(super) places: String,
    /// Across and down: from what an offset counts, and how far it is, in EMU.
    offsets: [(bool, Option<i64>); 2],
    /// Which of the two is being read.
    down: bool,
    /// Width and height in points.
    size: Option<(f64, f64)>,
    /// Whether text flows on as if it was not there, and it lies in front of that.
    in_front: bool,
    behind: bool,
    /// Whether what lies under it is seen through it.
    clear: bool,
    /// Whether its ground is that of a style.
    styled: bool,
    /// Whether a shape of its size in it is opaque, and whether there are several.
    opaque: bool,
    pub(super) grouped: bool,
}

impl Shape {
    /// Whether a VML element is a shape with a style of its own.
    pub(super) fn is_vml(name: &str) -> bool {
        matches!(name, "shape" | "rect" | "roundrect" | "oval" | "group" | "textbox")
    }

    /// A shape from its element; a DrawingML one says the rest in its children.
    pub(super) fn of(element: &BytesStart<'_>) -> Result<Self> {
        let mut shape = Self::plain();
        let vml = Self::is_vml(element.local_name().as_ref());
        if !vml {
            let behind = attribute(element, "behindDoc")?;
            shape.behind = behind.is_some_and(|value| matches!(value.as_str(), "1" | "true"));
            return Ok(shape);
        }
        let mut lifted = [false; 2];
        let style = attribute(element, "style")?.unwrap_or_default().to_ascii_lowercase();
        let mut sides = (None, None);
        for declaration in style.split(';') {
            let Some((key, value)) = declaration.split_once(':') else { continue };
            let (key, value) = (key.trim(), value.trim());
            let points = || -> Option<f64> {
                let end = value
                    .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
                    .unwrap_or(value.len());
                let number: f64 = value.get(..end)?.parse().ok()?;
                Some(match value.get(end..)?.trim() {
                    "in" => number * 72.0,
                    "cm" => number * 28.35,
                    "mm" => number * 2.835,
                    "pt" | "px" => number,
                    // Without a unit it is in those of a group, or of the page.
                    _ => return None,
                })
            };
            match key {
                "position" => lifted[0] = value == "absolute",
                "z-index" => lifted[1] = !value.starts_with('-') && value != "0",
                "width" => sides.0 = points(),
                "height" => sides.1 = points(),
                _ => {}
            }
            shape.hidden = match key {
                "visibility" if value == "hidden" => Some(Hidden::Vanished),
                "display" if value == "none" => Some(Hidden::Vanished),
                "width" | "height" if points().is_some_and(|n| n < 2.0) => Some(Hidden::Clipped),
                "margin-left" | "margin-top" | "left" | "top"
                    if points().is_some_and(|n| n.abs() > 1_584.0) =>
                {
                    Some(Hidden::OffPage)
                }
                _ => shape.hidden,
            };
        }
        if let (Some(width), Some(height)) = sides {
            shape.room = Room::of(width, height);
            shape.size = Some((width, height));
            shape.in_front = lifted == [true; 2];
        }
        // Shapes are white unless they say otherwise, and text boxes are what their shape is.
        let name = element.local_name();
        if !matches!(name.as_ref(), "textbox" | "group") {
            let filled = attribute(element, "filled")?;
            if filled.is_some_and(|value| matches!(value.as_str(), "f" | "false" | "0")) {
                return Ok(shape);
            }
            let colour = attribute(element, "fillcolor")?.unwrap_or_else(|| "white".to_owned());
            shape.ground = Self::vml_colour(&colour);
        }
        Ok(shape)
    }

    /// Around text that is shown as if it was not there.
    pub(super) fn plain() -> Self {
        Self {
            hidden: None,
            ground: Paint::Auto,
            filled: false,
            room: Room::default(),
            places: String::new(),
            offsets: Default::default(),
            down: false,
            size: None,
            in_front: false,
            behind: false,
            clear: false,
            styled: false,
            opaque: false,
            grouped: false,
        }
    }

    /// Around what is not shown at all.
    pub(super) fn unshown() -> Self {
        Self { hidden: Some(Hidden::Vanished), ..Self::plain() }
    }

    /// Its fill; the first one counts.
    pub(super) fn fill(&mut self, paint: Paint) {
        if !std::mem::replace(&mut self.filled, true) {
            self.ground = paint;
        }
    }

    /// A stop of its gradient: grounds that differ are none that is known.
    pub(super) fn stop(&mut self, paint: Paint) {
        match (self.filled, self.ground, paint) {
            (false, ..) => self.fill(paint),
            (true, Paint::Rgb(one), Paint::Rgb(other)) if alike(one, other) => {}
            _ => self.ground = Paint::Unknown,
        }
    }

    /// A change of the colour that was read last.
    pub(super) fn change(&mut self, name: &str, part: i64) {
        if let Paint::Rgb(rgb) = self.ground {
            self.ground = match name {
                "alpha" if part < 10_000 => Paint::Auto,
                "alpha" if part < 90_000 => {
                    self.clear = true;
                    Paint::Unknown
                }
                "lumMod" | "lumOff" | "shade" | "tint" => Paint::Rgb(changed(rgb, name, part)),
                _ => self.ground,
            };
        }
    }

    /// What `v:fill` states over the shape's own attributes.
    pub(super) fn vml_fill(&mut self, element: &BytesStart<'_>) -> Result<()> {
        let off = |value: Option<String>| {
            value.is_some_and(|value| matches!(value.as_str(), "f" | "false" | "0"))
        };
        let opacity = attribute(element, "opacity")?.unwrap_or_default();
        // A share of 1, or of 65,536 with an `f`.
        let share = match opacity.strip_suffix('f') {
            Some(parts) => parts.parse::<f64>().ok().map(|parts| parts / 65_536.0),
            None => opacity.trim_end_matches('%').parse::<f64>().ok(),
        };
        if off(attribute(element, "on")?) || share.is_some_and(|share| share < 0.1) {
            self.ground = Paint::Auto;
            return Ok(());
        }
        if let Some(colour) = attribute(element, "color")? {
            self.ground = Self::vml_colour(&colour);
        }
        match attribute(element, "type")?.as_deref() {
            None | Some("solid") => {}
            Some("gradient" | "gradientRadial") => {
                self.filled = true;
                let second = attribute(element, "color2")?;
                self.stop(second.map_or(Paint::Rgb([255; 3]), |colour| Self::vml_colour(&colour)));
            }
            Some(_) => self.ground = Paint::Unknown,
        }
        if share.is_some_and(|share| share < 0.9) && self.ground != Paint::Auto {
            (self.ground, self.clear) = (Paint::Unknown, true);
        }
        Ok(())
    }

    /// A colour of VML.
    fn vml_colour(colour: &str) -> Paint {
        let colour = colour.split_whitespace().next().unwrap_or_default();
        match colour {
            "white" | "window" => Paint::Rgb([255; 3]),
            "black" | "windowText" => Paint::Rgb([0; 3]),
            hex if hex.len() == 4 && hex.starts_with('#') => {
                let long: String = hex.chars().skip(1).flat_map(|digit| [digit, digit]).collect();
                Paint::parse(&long).unwrap_or(Paint::Unknown)
            }
            other => other.strip_prefix('#').and_then(Paint::parse).unwrap_or(Paint::Unknown),
        }
    }

    /// That text flows on as if it was not there.
    pub(super) fn unwrapped(&mut self) {
        self.in_front = !self.behind;
    }

    /// That the next offset is one down or across, and from what it counts.
    pub(super) fn offset_from(&mut self, down: bool, from: Option<String>) {
        self.down = down;
        let from = from.unwrap_or_default();
        let fixed = from == "page" || from.ends_with("argin");
        if let Some((is_fixed, _)) = self.offsets.get_mut(usize::from(down)) {
            *is_fixed = fixed;
        }
    }

    /// Its width and height in points, if it is opaque and lies in front of text.
    pub(super) fn covers(&self) -> Option<(f64, f64)> {
        self.size.filter(|_| self.in_front && self.is_opaque() && self.hidden.is_none())
    }

    fn is_opaque(&self) -> bool {
        self.opaque || self.ground != Paint::Auto && !self.clear
    }

    /// A shape in it that has its size.
    pub(super) fn holds(&mut self, inner: &Self) {
        self.opaque |= !self.grouped && inner.size.is_none() && inner.is_opaque();
    }

    /// That text flows around it, or that it is a picture, which may be seen through.
    pub(super) fn wrapped(&mut self) {
        self.in_front = false;
    }

    /// Left, top, right and bottom in twentieths of a point, where both are stated from the page or
    /// its margins.
    pub(super) fn stands(&self) -> Option<[i64; 4]> {
        let [(true, Some(x)), (true, Some(y))] = self.offsets else { return None };
        let (width, height) = self.size?;
        let (x, y) = (x / 635, y / 635);
        let side = |points: f64| (points.clamp(0.0, 10_000.0) * 20.0) as i64;
        Some([x, y, x.saturating_add(side(width)), y.saturating_add(side(height))])
    }

    /// What its place says of the text in it.
    pub(super) fn claim(&self) -> Option<Claim> {
        let [(across, x), (down, y)] = self.offsets;
        let twips = |fixed: bool, emu: Option<i64>| emu.filter(|_| fixed).map(|emu| emu / 635);
        let (x, y) = (twips(across, x), twips(down, y));
        let (width, height) = self.size.unwrap_or_default();
        let size = [width, height].map(|side| (side.clamp(0.0, 10_000.0) * 20.0) as i64);
        (x.is_some() || y.is_some()).then_some(Claim::At { x, y, size })
    }

    /// That it has a style of the theme, which fills it unless it says so itself.
    pub(super) fn styled(&mut self) {
        self.styled = !self.filled;
        self.fill(Paint::Unknown);
    }

    /// That its style does not fill it.
    pub(super) fn unfilled(&mut self) {
        if self.styled {
            self.ground = Paint::Auto;
        }
    }

    pub(super) fn extent(&mut self, width: Option<i64>, height: Option<i64>) {
        if [width, height].into_iter().flatten().any(|side| side < THIN) {
            self.hidden = Some(Hidden::Clipped);
        }
        if let (Some(width), Some(height)) = (width, height) {
            let (width, height) = (width as f64 / 12_700.0, height as f64 / 12_700.0);
            self.room = Room::of(width, height);
            self.size = Some((width, height));
        }
    }

    /// An offset on the page, in EMU.
    pub(super) fn place(&mut self, offset: &str) {
        // Two offsets say it; more are none.
        if self.places.len() < 64 {
            self.places.push_str(offset.trim());
            self.places.push(' ');
        }
        let place = usize::from(self.down);
        if let Some((_, place)) = self.offsets.get_mut(place) {
            *place = offset.trim().parse().ok();
        }
        if offset.trim().parse::<i64>().is_ok_and(|offset| offset.abs() > FAR) {
            self.hidden = Some(Hidden::OffPage);
        }
    }
}
