//! Shapes: text boxes that may be hidden, without room, off the page, or filled.

use super::look::Paint;
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
            return Ok(shape);
        }
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
        }
        // Shapes are white unless they say otherwise, and text boxes are what their shape is.
        let name = element.local_name();
        if !matches!(name.as_ref(), "textbox" | "group") {
            let filled = attribute(element, "filled")?;
            if filled.is_some_and(|value| matches!(value.as_str(), "f" | "false" | "0")) {
                return Ok(shape);
            }
            let colour = attribute(element, "fillcolor")?.unwrap_or_else(|| "white".to_owned());
            let colour = colour.split_whitespace().next().unwrap_or_default().to_owned();
            shape.ground = match colour.as_str() {
                "white" => Paint::Rgb([255; 3]),
                "black" => Paint::Rgb([0; 3]),
                hex if hex.len() == 4 && hex.starts_with('#') => {
                    let long: String =
                        hex.chars().skip(1).flat_map(|digit| [digit, digit]).collect();
                    Paint::parse(&long).unwrap_or(Paint::Unknown)
                }
                other => match other.strip_prefix('#').and_then(Paint::parse) {
                    Some(paint) => paint,
                    None => Paint::Unknown,
                },
            };
        }
        Ok(shape)
    }

    /// Around text that is shown as if it was not there.
    pub(super) fn plain() -> Self {
        let (room, places) = Default::default();
        Self { hidden: None, ground: Paint::Auto, filled: false, room, places }
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

    /// That it has a style of the theme, which fills it unless it says so itself.
    pub(super) fn styled(&mut self) {
        self.fill(Paint::Unknown);
    }

    pub(super) fn extent(&mut self, width: Option<i64>, height: Option<i64>) {
        if [width, height].into_iter().flatten().any(|side| side < THIN) {
            self.hidden = Some(Hidden::Clipped);
        }
        if let (Some(width), Some(height)) = (width, height) {
            self.room = Room::of(width as f64 / 12_700.0, height as f64 / 12_700.0);
        }
    }

    /// An offset on the page, in EMU.
    pub(super) fn place(&mut self, offset: &str) {
        // Two offsets say it; more are none.
        if self.places.len() < 64 {
            self.places.push_str(offset.trim());
            self.places.push(' ');
        }
        if offset.trim().parse::<i64>().is_ok_and(|offset| offset.abs() > FAR) {
            self.hidden = Some(Hidden::OffPage);
        }
    }
}
