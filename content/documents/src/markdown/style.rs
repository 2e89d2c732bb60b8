//! How text of an HTML element looks, as far as that decides whether it is seen: colour and ground,
//! size and opacity, each with what the elements around it make of it.

use super::sheet::Sheets;
use crate::colour::{contrast, luminance};

const BLACK: [f64; 3] = [0.0; 3];
const WHITE: [f64; 3] = [255.0; 3];
/// Points of text whose size nothing states.
const USUAL: f64 = 12.0;
/// Least points of text that is read.
const SMALLEST: f64 = 2.0;
/// Least opacity that is seen.
const OPAQUE: f64 = 0.2;

/// Names of classes by which the usual style sheets (Bootstrap, Tailwind, WordPress, Primer) take an
/// element off the page.
const HIDING_CLASSES: [&str; 11] = [
    "hidden",
    "d-none",
    "is-hidden",
    "display-none",
    "invisible",
    "sr-only",
    "screen-reader-only",
    "screen-reader-text",
    "visually-hidden",
    "visuallyhidden",
    "offscreen",
];

/// How text looks at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    text: [f64; 3],
    ground: [f64; 3],
    /// Points.
    size: f64,
    opacity: f64,
}

impl Default for Look {
    fn default() -> Self {
        Self { text: BLACK, ground: WHITE, size: USUAL, opacity: 1.0 }
    }
}

impl Look {
    /// The look inside an element with these attributes, in lower case; none where they may hide
    /// what it has.
    pub(super) fn inside(&self, name: &str, attributes: &str, sheets: &Sheets) -> Option<Self> {
        let mut look = *self;
        look.size *= match name {
            "sub" | "sup" | "small" | "rt" => 0.83,
            "msub" | "msup" | "msubsup" | "munder" | "mover" | "munderover" | "mmultiscripts" => {
                0.71
            }
            _ => 1.0,
        };
        if sheets.hide(name) {
            return None;
        }
        let mut open = false;
        let mut style = "";
        // Of two attributes of a name the first one counts.
        let mut known: Vec<&str> = Vec::new();
        for (key, value) in Attributes(attributes) {
            if known.contains(&key) {
                continue;
            }
            known.push(key);
            match key {
                // What a button would have to open first.
                "hidden" | "popover" | "scriptlevel" => return None,
                "open" => open = true,
                "style" => style = value,
                "class" if value.split_ascii_whitespace().any(|class| sheets.hide_class(class)) => {
                    return None
                }
                "id" if sheets.hide(&format!("#{}", value.trim())) => return None,
                "bgcolor" | "mathbackground" => {
                    look.ground = Colour::of(value).known(look.ground)?
                }
                "color" if matches!(name, "font" | "basefont") => {
                    look.text = Colour::of(value).known(look.text)?;
                }
                "mathcolor" => look.text = Colour::of(value).known(look.text)?,
                "text" if name == "body" => look.text = Colour::of(value).known(look.text)?,
                "mathsize" => look.size = font_size(value, look.size)?,
                _ => {}
            }
        }
        if name == "dialog" && !open || known.len() > MAX_ATTRIBUTES {
            return None;
        }
        if look.style(style, true) && look.is_seen() {
            Some(look)
        } else {
            None
        }
    }

    /// Takes over declarations of CSS, and says whether they leave text seen. There is no end to the
    /// ways of CSS to hide, so of an element's own style (`own`) what is not known to leave text seen
    /// hides it; of a style sheet only what is known to hide.
    fn style(&mut self, style: &str, own: bool) -> bool {
        if own && (style.contains(['\\', '&', '@', '{']) || style.contains("/*")) {
            return false;
        }
        let (mut opacity, mut size) = (1.0, self.size);
        for declaration in style.split(';') {
            if declaration.trim().is_empty() {
                continue;
            }
            let Some((key, value)) = declaration.split_once(':') else {
                if own {
                    return false;
                }
                continue;
            };
            let (key, value) = (key.trim(), value.trim().trim_end_matches("!important").trim());
            let number = || leading_number(value).unwrap_or(1.0);
            let lengths_from = |least: f64| {
                value.split_ascii_whitespace().all(|part| match points(part) {
                    Some(size) => size >= least && size < 500.0,
                    None => {
                        !own || matches!(
                            part,
                            "auto" | "normal" | "inherit" | "initial" | "fit-content"
                        )
                    }
                })
            };
            let shown = match key {
                // What a variable is may be said anywhere.
                "display" | "visibility" | "opacity" if value.contains("var(") => false,
                "display" => value != "none" && (value != "contents" || !own),
                "visibility" => {
                    value == "visible" || !own && !matches!(value, "hidden" | "collapse")
                }
                "opacity" => {
                    opacity = number() / if value.ends_with('%') { 100.0 } else { 1.0 };
                    true
                }
                "font-size" => match font_size(value, self.size) {
                    Some(points) => {
                        size = points;
                        true
                    }
                    None => !own,
                },
                "line-height" => {
                    let (ratio, unit) = (number(), unit(value));
                    match unit {
                        "" | "em" => ratio >= 0.5,
                        "%" => ratio >= 50.0,
                        _ => points(value).is_none_or(|height| height >= self.size / 2.0),
                    }
                }
                "color" => match Colour::of(value) {
                    Colour::Initial => {
                        self.text = BLACK;
                        true
                    }
                    colour => match colour.known(self.text) {
                        Some(rgb) => {
                            self.text = rgb;
                            true
                        }
                        None => !own,
                    },
                },
                "background" | "background-color" => match Colour::of(value).known(self.ground) {
                    Some(rgb) => {
                        self.ground = rgb;
                        true
                    }
                    None => !own,
                },
                "width" | "height" | "max-width" | "max-height" | "min-width" | "min-height" => {
                    lengths_from(if key.starts_with("min") { 0.0 } else { 2.0 })
                        || value.ends_with('%') && number() >= 2.0
                }
                "text-indent" | "margin" | "margin-left" | "margin-right" | "margin-top"
                | "margin-bottom" => lengths_from(if own { 0.0 } else { -300.0 }),
                "padding" | "padding-left" | "padding-right" | "padding-top" | "padding-bottom"
                | "gap" => lengths_from(0.0),
                "left" | "right" | "top" | "bottom" if !own => lengths_from(-300.0),
                "clip" | "clip-path" | "content-visibility" | "mask" if !own => {
                    matches!(value, "none" | "auto" | "visible")
                }
                "transform" | "scale" | "zoom" | "filter" if !own => {
                    let nothing =
                        ["scale(0)", "scale(0,", "scale(0.0", "scale(.0", "(-9", "opacity(0"];
                    !nothing.iter().any(|part| value.contains(part)) && value != "0"
                }
                "font" if !own => !value.starts_with("0") && !value.contains(" 0"),
                "-webkit-text-fill-color" if !own => value != "transparent",
                "text-align" | "text-decoration" | "font-weight" | "font-style" | "font-family"
                | "font-variant" | "vertical-align" | "float" | "clear" | "list-style"
                | "list-style-type" | "white-space" | "word-break" | "word-wrap"
                | "overflow-wrap" | "direction" | "quotes" | "border" | "border-top"
                | "border-bottom" | "border-left" | "border-right" | "border-collapse"
                | "border-radius" | "border-color" | "border-style" | "border-width"
                | "border-spacing" | "table-layout" | "caption-side" | "page-break-before"
                | "page-break-after" | "page-break-inside" | "break-inside" | "text-transform"
                | "flex-direction" | "flex-wrap" | "justify-content" | "align-items" => true,
                _ => !own,
            };
            if !shown {
                return false;
            }
        }
        self.opacity *= opacity;
        self.size = size;
        true
    }

    fn is_seen(&self) -> bool {
        self.opacity >= OPAQUE
            && self.size >= SMALLEST
            && contrast(luminance(self.text), luminance(self.ground)) >= 1.2
    }
}

/// Most attributes of an element that are looked at.
const MAX_ATTRIBUTES: usize = 64;

/// Whether declarations of a style sheet hide what they are for, on a white page.
pub(super) fn sheet_hides(declarations: &str) -> bool {
    let mut look = Look::default();
    !(look.style(declarations, false) && look.is_seen())
}

/// Whether an element's own style may hide it.
pub(super) fn style_hides(style: &str) -> bool {
    let mut look = Look::default();
    !(look.style(style, true) && look.is_seen())
}

/// Whether a class takes an element off the page wherever the usual style sheets are.
pub(super) fn class_hides(class: &str) -> bool {
    HIDING_CLASSES.contains(&class)
}

/// Attributes of a tag: names and values without quotes.
pub(super) struct Attributes<'a>(pub(super) &'a str);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| c.is_ascii_whitespace() || matches!(c, '=' | '/'))
            .map_or(rest.len(), |(at, _)| at);
        let (key, rest) = rest.split_at(end);
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            self.0 = rest;
            return Some((key, ""));
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, rest) = match quote {
            Some(quote) => {
                let inner = value.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            None => {
                let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
                value.split_at(end)
            }
        };
        self.0 = rest;
        Some((key, value))
    }
}

fn is_of_number(character: char) -> bool {
    character.is_ascii_digit() || matches!(character, '.' | '-' | '+')
}

fn leading_number(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !is_of_number(c));
    value.get(..end.unwrap_or(value.len()))?.parse().ok()
}

fn unit(value: &str) -> &str {
    value.trim_start_matches(is_of_number).trim()
}

/// A length in points; of an em 12.
fn points(value: &str) -> Option<f64> {
    let number = leading_number(value)?;
    let factor = match unit(value) {
        "pt" => 1.0,
        "em" | "rem" => USUAL,
        "%" => USUAL / 100.0,
        "px" | "" => 0.75,
        _ => return None,
    };
    Some(number * factor)
}

/// A size of text inside text of another size, both in points.
fn font_size(value: &str, around: f64) -> Option<f64> {
    Some(match value {
        "xx-small" => 6.75,
        "x-small" => 7.5,
        "small" => 9.75,
        "medium" | "initial" | "normal" => USUAL,
        "large" | "big" => 13.5,
        "x-large" => 18.0,
        "xx-large" => 24.0,
        "smaller" => around * 0.83,
        "larger" => around * 1.2,
        "inherit" => around,
        _ => match unit(value) {
            "em" => leading_number(value)? * around,
            "%" => leading_number(value)? * around / 100.0,
            _ => points(value)?,
        },
    })
}

/// A colour as CSS and attributes name it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Colour {
    /// That of the element around it.
    Inherited,
    Initial,
    Rgb([f64; 3]),
    /// Transparent, or written in a way that is not read.
    Unknown,
}

impl Colour {
    /// The colour, where it is known; `around` is that of the element around it.
    fn known(self, around: [f64; 3]) -> Option<[f64; 3]> {
        match self {
            Self::Inherited | Self::Initial => Some(around),
            Self::Rgb(rgb) => Some(rgb),
            Self::Unknown => None,
        }
    }

    /// Names of HTML 4 and some of CSS, `#rgb`, `#rrggbb`, `rgb(r, g, b)` of numbers.
    fn of(value: &str) -> Self {
        let named: u32 = match value.trim() {
            "black" => 0x00_0000,
            "silver" => 0xc0_c0c0,
            "gray" | "grey" => 0x80_8080,
            "white" => 0xff_ffff,
            "maroon" => 0x80_0000,
            "red" => 0xff_0000,
            "purple" => 0x80_0080,
            "fuchsia" | "magenta" => 0xff_00ff,
            "green" => 0x00_8000,
            "lime" => 0x00_ff00,
            "olive" => 0x80_8000,
            "yellow" => 0xff_ff00,
            "navy" => 0x00_0080,
            "blue" => 0x00_00ff,
            "teal" => 0x00_8080,
            "aqua" | "cyan" => 0x00_ffff,
            "orange" => 0xff_a500,
            "brown" => 0xa5_2a2a,
            "pink" => 0xff_c0cb,
            "gold" => 0xff_d700,
            "darkred" => 0x8b_0000,
            "darkgreen" => 0x00_6400,
            "darkblue" => 0x00_008b,
            "darkgray" | "darkgrey" => 0xa9_a9a9,
            "lightgray" | "lightgrey" => 0xd3_d3d3,
            "lightblue" => 0xad_d8e6,
            "lightgreen" => 0x90_ee90,
            "crimson" => 0xdc_143c,
            "tomato" => 0xff_6347,
            "steelblue" => 0x46_82b4,
            "royalblue" => 0x41_69e1,
            "inherit" | "currentcolor" => return Self::Inherited,
            "initial" => return Self::Initial,
            value => return Self::number(value).map_or(Self::Unknown, Self::Rgb),
        };
        let part = |shift: u32| f64::from(named >> shift & 0xff);
        Self::Rgb([part(16), part(8), part(0)])
    }

    fn number(value: &str) -> Option<[f64; 3]> {
        if let Some(hex) = value.strip_prefix('#') {
            let digit = |at: usize| u8::from_str_radix(hex.get(at..=at)?, 16).ok();
            let part = |at: usize| {
                Some(f64::from(match hex.len() {
                    3 => digit(at)? * 17,
                    6 => digit(2 * at)? * 16 + digit(2 * at + 1)?,
                    _ => return None,
                }))
            };
            return Some([part(0)?, part(1)?, part(2)?]);
        }
        let inside = value.strip_prefix("rgb(")?.strip_suffix(')')?;
        let mut parts = inside.split([',', ' ']).filter(|part| !part.is_empty());
        let mut next = || parts.next()?.parse::<f64>().ok();
        let rgb = [next()?, next()?, next()?];
        parts.next().is_none().then_some(rgb)
    }
}
