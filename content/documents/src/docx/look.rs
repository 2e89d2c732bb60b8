//! How text looks: the properties of runs that decide whether a person sees it, and where they come
//! from (ECMA-376 part 1, 17.7.2 and 17.7.3; colours: 17.18.97).
//!
//! Later ones go before earlier ones: document defaults, table style, paragraph style, character
//! style, the run itself. `vanish` is a toggle: of styles an odd number of them hides.

use super::xml::{attribute, number, on, Space};
use crate::budget::Result;
use crate::colour::{contrast, luminance};
use crate::left_out::Hidden;
use quick_xml::events::BytesStart;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A colour, red, green, blue.
pub(super) type Rgb = [u8; 3];

const WHITE: Rgb = [255; 3];
/// Least contrast that is seen.
const CONTRAST: f64 = 1.2;
/// Half points from its line at which text is on no page.
const FAR_FROM_LINE: i64 = 1_000;
/// Smallest size that is read, in half points.
const SMALLEST: i64 = 4;

/// The colours that documents name.
#[derive(Clone, Debug, Default)]
pub(super) struct Theme {
    /// By their names in the theme: lt1, dk1, accent1, …
    pub(super) colours: BTreeMap<String, Rgb>,
    /// What the document's settings call bg1, t1, bg2, t2.
    pub(super) mapped: BTreeMap<String, String>,
    /// Names of fonts in lower case: of headings and of the body, each Latin, East Asian and complex.
    pub(super) fonts: BTreeMap<String, Rc<str>>,
}

impl Theme {
    /// A theme's colour by its name in WordprocessingML or DrawingML.
    pub(super) fn colour(&self, name: &str) -> Option<Rgb> {
        let mapped = |key: &str, usual: &str| -> String {
            let to = self.mapped.get(key).map_or(usual, String::as_str);
            match to {
                "light1" => "lt1".to_owned(),
                "light2" => "lt2".to_owned(),
                "dark1" => "dk1".to_owned(),
                "dark2" => "dk2".to_owned(),
                other => other.to_owned(),
            }
        };
        let key = match name {
            "background1" | "bg1" => mapped("bg1", "lt1"),
            "background2" | "bg2" => mapped("bg2", "lt2"),
            "text1" | "tx1" => mapped("t1", "dk1"),
            "text2" | "tx2" => mapped("t2", "dk2"),
            "light1" => "lt1".to_owned(),
            "light2" => "lt2".to_owned(),
            "dark1" => "dk1".to_owned(),
            "dark2" => "dk2".to_owned(),
            "hyperlink" => "hlink".to_owned(),
            "followedHyperlink" => "folHlink".to_owned(),
            other => other.to_owned(),
        };
        self.colours.get(&key).copied().or(match key.as_str() {
            "lt1" => Some(WHITE),
            "dk1" => Some([0; 3]),
            _ => None,
        })
    }

    /// The colour that an element's attributes name: `value` is the attribute of its RGB, and those
    /// of the theme begin with `theme`.
    pub(super) fn named(
        &self,
        element: &BytesStart<'_>,
        value: &str,
        theme: &str,
    ) -> Result<Option<Paint>> {
        let by_theme = attribute(element, &format!("{theme}Color"))?.or(if theme == "themeFill" {
            attribute(element, "themeFill")?
        } else {
            None
        });
        if let Some(colour) = by_theme.and_then(|name| self.colour(&name)) {
            let part = |kind| -> Result<Option<f64>> {
                let value = attribute(element, &format!("{theme}{kind}"))?;
                Ok(value
                    .and_then(|hex| u8::from_str_radix(&hex, 16).ok())
                    .map(|n| f64::from(n) / 255.0))
            };
            let (tint, shade) = (part("Tint")?, part("Shade")?);
            let change = |value: u8| {
                let mut value = f64::from(value);
                if let Some(tint) = tint {
                    value = value * tint + 255.0 * (1.0 - tint);
                }
                if let Some(shade) = shade {
                    value *= shade;
                }
                value.clamp(0.0, 255.0) as u8
            };
            return Ok(Some(Paint::Rgb(colour.map(change))));
        }
        Ok(attribute(element, value)?.and_then(|value| Paint::parse(&value)))
    }
}

/// The colour of text or of what lies under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Text: black or white, whichever is seen. Ground: none.
    Auto,
    Rgb(Rgb),
    /// Something that is not read: a picture, a gradient.
    Unknown,
}

impl Paint {
    /// Six hexadecimal digits, or `auto`.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let value = value.trim().trim_start_matches('#');
        if value.eq_ignore_ascii_case("auto") {
            return Some(Self::Auto);
        }
        let part = |at: usize| u8::from_str_radix(value.get(at..at + 2)?, 16).ok();
        Some(Self::Rgb([part(0)?, part(2)?, part(4)?]))
    }
}

/// The ground that `shd` paints.
pub(super) fn shading(element: &BytesStart<'_>, theme: &Theme) -> Result<Option<Paint>> {
    let pattern = attribute(element, "val")?.unwrap_or_default();
    let fill = theme.named(element, "fill", "themeFill")?;
    let front = theme.named(element, "color", "theme")?;
    let share = match pattern.as_str() {
        "nil" => return Ok(Some(Paint::Auto)),
        "clear" | "" => 0.0,
        "solid" => 1.0,
        other => match other.strip_prefix("pct").and_then(|n| n.parse::<f64>().ok()) {
            Some(percent) => percent / 100.0,
            // Stripes and crosses: some of both is seen.
            None => match (fill, front) {
                (Some(Paint::Rgb(back)), Some(Paint::Rgb(front))) if alike(back, front) => 1.0,
                _ => return Ok(Some(Paint::Unknown)),
            },
        },
    };
    if share == 0.0 {
        return Ok(fill);
    }
    let rgb = |paint, auto| match paint {
        Some(Paint::Rgb(rgb)) => rgb,
        _ => auto,
    };
    let (back, front) = (rgb(fill, WHITE), rgb(front, [0; 3]));
    let mut mixed = [0; 3];
    for ((to, back), front) in mixed.iter_mut().zip(back).zip(front) {
        *to = (f64::from(front) * share + f64::from(back) * (1.0 - share)) as u8;
    }
    Ok(Some(Paint::Rgb(mixed)))
}

/// Properties of a run, as far as they are stated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    pub(super) vanish: Option<bool>,
    pub(super) always_hidden: Option<bool>,
    /// Half points.
    size: Option<i64>,
    complex_size: Option<i64>,
    complex: Option<bool>,
    /// Percent of the width.
    scale: Option<i64>,
    /// Twentieths of a point between letters.
    spacing: Option<i64>,
    colour: Option<Paint>,
    ground: Option<Paint>,
    marker: Option<Paint>,
    clear: Option<bool>,
    /// Whether it is an index or exponent, two thirds as high.
    lifted: Option<bool>,
    /// Half points above the line.
    position: Option<i64>,
    /// Twentieths of a point that a run is squeezed into, and what it shares them with.
    pub(super) squeezed: Option<(i64, i64)>,
    /// Fonts of ASCII, of other letters, of East Asian and of complex ones, in lower case.
    fonts: [Option<Rc<str>>; 4],
}

impl Look {
    /// Takes over what a child of `rPr`, or a part of such a child, states.
    pub(super) fn read(
        &mut self,
        space: Space,
        element: &BytesStart<'_>,
        theme: &Theme,
    ) -> Result<()> {
        let name = element.local_name();
        let name = name.as_ref();
        if space == Space::Word2010 {
            match name {
                // Inside `textFill`: how letters are painted.
                "noFill" => self.clear = Some(true),
                "srgbClr" => {
                    if let Some(paint) = attribute(element, "val")?.and_then(|v| Paint::parse(&v)) {
                        self.colour = Some(paint);
                    }
                }
                "schemeClr" => {
                    let named = attribute(element, "val")?.and_then(|name| theme.colour(&name));
                    self.colour = named.map(Paint::Rgb).or(self.colour);
                }
                "lumMod" | "lumOff" | "shade" | "tint" => {
                    if let (Some(Paint::Rgb(rgb)), Some(part)) =
                        (self.colour, number(element, "val")?)
                    {
                        self.colour = Some(Paint::Rgb(changed(rgb, name, part)));
                    }
                }
                "alpha" => self.clear = Some(number(element, "val")?.is_some_and(|n| n >= 90_000)),
                _ => {}
            }
            return Ok(());
        }
        match name {
            "vanish" => self.vanish = Some(on(element)?),
            "specVanish" => self.always_hidden = Some(on(element)?),
            "sz" => self.size = number(element, "val")?.or(self.size),
            "szCs" => self.complex_size = number(element, "val")?.or(self.complex_size),
            "rtl" | "cs" => self.complex = Some(on(element)?),
            "w" => self.scale = number(element, "val")?.or(self.scale),
            "spacing" => self.spacing = number(element, "val")?.or(self.spacing),
            "vertAlign" => {
                self.lifted = attribute(element, "val")?.map(|value| value != "baseline");
            }
            "fitText" => {
                let id = number(element, "id")?.unwrap_or(0);
                self.squeezed = number(element, "val")?.map(|twips| (twips, id)).or(self.squeezed);
            }
            "rFonts" => {
                for (slot, name) in self.fonts.iter_mut().zip(["ascii", "hAnsi", "eastAsia", "cs"])
                {
                    // The theme's font goes before one that is named.
                    let by_theme =
                        if name == "cs" { "cstheme".into() } else { format!("{name}Theme") };
                    let by_theme = attribute(element, &by_theme)?;
                    let font = match by_theme.and_then(|name| theme.fonts.get(&name).cloned()) {
                        Some(font) => Some(font),
                        None => attribute(element, name)?.map(|name| name.to_lowercase().into()),
                    };
                    *slot = font.or(slot.take());
                }
            }
            "position" => self.position = number(element, "val")?.or(self.position),
            "color" => self.colour = theme.named(element, "val", "theme")?.or(self.colour),
            "shd" => self.ground = shading(element, theme)?.or(self.ground),
            "highlight" => self.marker = attribute(element, "val")?.map(|name| highlight(&name)),
            _ => {}
        }
        Ok(())
    }

    /// Puts what another level states over this one; `vanish` is combined elsewhere.
    pub(super) fn put(&mut self, over: &Self) {
        macro_rules! take {
            ($($field:ident)*) => { $(if over.$field.is_some() { self.$field = over.$field; })* };
        }
        take!(always_hidden size complex_size complex scale spacing colour ground marker clear lifted position squeezed);
        for (slot, over) in self.fonts.iter_mut().zip(&over.fonts) {
            if over.is_some() {
                slot.clone_from(over);
            }
        }
    }

    /// The fonts that a character may be written in.
    pub(super) fn fonts(&self, character: char) -> impl Iterator<Item = &str> {
        let [ascii, others @ ..] = &self.fonts;
        let ascii = Some(ascii).filter(|_| character.is_ascii());
        let others = others.iter().filter(move |_| !character.is_ascii());
        ascii.into_iter().chain(others).filter_map(|font| font.as_deref())
    }

    /// Its size in half points; without one Word takes ten points.
    pub(super) fn height(&self) -> i64 {
        let complex = self.complex == Some(true);
        if complex { self.complex_size.or(self.size) } else { self.size }.unwrap_or(20)
    }

    /// Why text that looks so on this ground is not seen.
    pub(super) fn hides(&self, vanished: bool, under: Paint) -> Option<Hidden> {
        if vanished || self.always_hidden == Some(true) {
            return Some(Hidden::Vanished);
        }
        if self.clear == Some(true) {
            return Some(Hidden::Transparent);
        }
        let size = self.height();
        let size = if self.lifted == Some(true) { size * 2 / 3 } else { size };
        if self.position.is_some_and(|position| position.abs() >= FAR_FROM_LINE) {
            return Some(Hidden::OffPage);
        }
        let width = size.saturating_mul(self.scale.unwrap_or(100)) / 100;
        if size < SMALLEST || width < SMALLEST {
            return Some(Hidden::Tiny);
        }
        // Letters are about half as wide as they are high; moved back by that they lie on one another.
        if self.spacing.is_some_and(|twips| -twips >= size.saturating_mul(10) / 2) {
            return Some(Hidden::Covered);
        }
        let ground = [self.marker, self.ground].into_iter().flatten();
        let ground = ground.chain([under]).find(|paint| *paint != Paint::Auto);
        match (self.colour, ground) {
            (Some(Paint::Rgb(text)), Some(Paint::Rgb(ground))) if alike(text, ground) => {
                Some(Hidden::Faint)
            }
            (Some(Paint::Rgb(text)), None) if alike(text, WHITE) => Some(Hidden::Faint),
            _ => None,
        }
    }
}

/// A colour after a change that DrawingML states in thousandths of a percent, about.
pub(super) fn changed(rgb: Rgb, change: &str, part: i64) -> Rgb {
    let part = part.clamp(-100_000, 1_000_000) as f64 / 100_000.0;
    rgb.map(|value| {
        let value = f64::from(value);
        let value = match change {
            "lumMod" | "shade" => value * part,
            "lumOff" => value + 255.0 * part,
            "tint" => 255.0 - (255.0 - value) * part,
            _ => value,
        };
        value.clamp(0.0, 255.0) as u8
    })
}

pub(super) fn alike(one: Rgb, other: Rgb) -> bool {
    let luminance = |rgb: Rgb| luminance(rgb.map(f64::from));
    contrast(luminance(one), luminance(other)) < CONTRAST
}

/// The colours of markers (ECMA-376 ST_HighlightColor).
fn highlight(name: &str) -> Paint {
    Paint::Rgb(match name {
        "black" => [0, 0, 0],
        "blue" => [0, 0, 255],
        "cyan" => [0, 255, 255],
        "darkBlue" => [0, 0, 128],
        "darkCyan" => [0, 128, 128],
        "darkGray" => [128, 128, 128],
        "darkGreen" => [0, 128, 0],
        "darkMagenta" => [128, 0, 128],
        "darkRed" => [128, 0, 0],
        "darkYellow" => [128, 128, 0],
        "green" => [0, 255, 0],
        "lightGray" => [192, 192, 192],
        "magenta" => [255, 0, 255],
        "red" => [255, 0, 0],
        "white" => [255, 255, 255],
        "yellow" => [255, 255, 0],
        _ => return Paint::Auto,
    })
}
