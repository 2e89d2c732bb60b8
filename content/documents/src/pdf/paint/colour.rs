//! Colours and colour spaces, as red, green and blue (ISO 32000-1, 8.6).
//!
//! ICC profiles are taken for the device's space with as many components; Lab for its lightness.
//! What cannot be known is `None`, and text of it counts as visible.

use super::super::document::Document;
use super::super::object::{Dict, Object};
use super::function::Function;
use super::raster::{Ground, Rgb};
use crate::budget::Result;
use std::rc::Rc;

/// Deepest nesting of colour spaces.
const MAX_DEPTH: usize = 4;
/// Most bytes of an indexed space's table.
const MAX_TABLE: usize = 4 * 256 + 64;
/// Most components.
const MAX_COMPONENTS: usize = 32;
/// Least contrast at which text is seen (WCAG 2.2 asks for 3 to 4.5 for reading).
const MIN_CONTRAST: f64 = 1.2;

/// A colour space.
#[derive(Clone, Debug)]
pub(crate) enum Space {
    Gray,
    Rgb,
    Cmyk,
    /// Lightness first, from 0 to 100.
    Lab,
    Indexed {
        base: Rc<Space>,
        table: Rc<[u8]>,
    },
    /// Separation and DeviceN.
    Tint {
        components: usize,
        alternate: Rc<Space>,
        function: Rc<Function>,
    },
    /// Gray with an exponent of its own.
    Gamma(f64),
    /// A separation that leaves no mark.
    None,
    Pattern,
    Unknown,
}

impl Space {
    /// Reads a space; `resources` names those that are not the device's.
    pub(crate) fn load(
        document: &mut Document<'_>,
        object: &Object,
        resources: &Dict,
    ) -> Result<Self> {
        Self::at(document, object, resources, 0)
    }

    fn at(
        document: &mut Document<'_>,
        object: &Object,
        resources: &Dict,
        depth: usize,
    ) -> Result<Self> {
        if depth > MAX_DEPTH {
            return Ok(Self::Unknown);
        }
        let object = document.resolve(object)?;
        let array = match &object {
            Object::Name(name) => match &**name {
                b"DeviceGray" | b"G" | b"CalGray" => {
                    return Self::usual(document, resources, Self::Gray, depth)
                }
                b"DeviceRGB" | b"RGB" | b"CalRGB" => {
                    return Self::usual(document, resources, Self::Rgb, depth)
                }
                b"DeviceCMYK" | b"CMYK" | b"CalCMYK" => {
                    return Self::usual(document, resources, Self::Cmyk, depth)
                }
                b"Pattern" => return Ok(Self::Pattern),
                name => {
                    let spaces = document.get(resources, "ColorSpace")?;
                    let Some(spaces) = spaces.dict().cloned() else { return Ok(Self::Unknown) };
                    document.budget.scan(spaces.len())?;
                    let found = spaces.iter().find(|(key, _)| *key == name);
                    let Some(found) = found.map(|(_, value)| value.clone()) else {
                        return Ok(Self::Unknown);
                    };
                    return Self::at(document, &found, resources, depth + 1);
                }
            },
            Object::Array(array) => array.to_vec(),
            _ => return Ok(Self::Unknown),
        };
        let item = |place: usize| array.get(place).cloned().unwrap_or(Object::Null);
        let family = document.resolve(&item(0))?;
        Ok(match family.name().unwrap_or_default() {
            b"CalGray" => {
                let values = document.resolve(&item(1))?.dict().cloned().unwrap_or_default();
                match document.get(&values, "Gamma")?.number() {
                    Some(gamma) if gamma > 0.0 && gamma != 1.0 => Self::Gamma(gamma),
                    _ => Self::Gray,
                }
            }
            b"DeviceGray" | b"G" => Self::Gray,
            b"CalRGB" | b"DeviceRGB" | b"RGB" => Self::Rgb,
            b"DeviceCMYK" | b"CMYK" => Self::Cmyk,
            b"Lab" => Self::Lab,
            b"ICCBased" => {
                let Some(stream) = document.stream(&item(1))? else { return Ok(Self::Unknown) };
                match document.get(&stream.dict, "N")?.index(4) {
                    Some(1) => Self::Gray,
                    Some(3) => Self::Rgb,
                    Some(4) => Self::Cmyk,
                    _ => Self::Unknown,
                }
            }
            b"Indexed" | b"I" => {
                let base = Self::at(document, &item(1), resources, depth + 1)?;
                let table = match document.stream(&item(3))? {
                    Some(stream) => {
                        document.decode_or_none(&stream, MAX_TABLE)?.unwrap_or_default()
                    }
                    None => document.resolve(&item(3))?.string().unwrap_or_default().to_vec(),
                };
                Self::Indexed { base: Rc::new(base), table: table.into() }
            }
            b"Separation" | b"DeviceN" => {
                let names = document.resolve(&item(1))?;
                let components = names.array().map_or(1, <[Object]>::len);
                let all_none = match &names {
                    Object::Array(list) => list.iter().all(|name| name.is_name("None")),
                    name => name.is_name("None"),
                };
                if all_none {
                    return Ok(Self::None);
                }
                if components > MAX_COMPONENTS {
                    return Ok(Self::Unknown);
                }
                let alternate = Self::at(document, &item(2), resources, depth + 1)?;
                match Function::load(document, &item(3))? {
                    Some(function) => Self::Tint {
                        components,
                        alternate: Rc::new(alternate),
                        function: Rc::new(function),
                    },
                    None => Self::Unknown,
                }
            }
            b"Pattern" => Self::Pattern,
            _ => Self::Unknown,
        })
    }

    /// A space of the device, or what the resources put in its place.
    pub(crate) fn usual(
        document: &mut Document<'_>,
        resources: &Dict,
        device: Self,
        depth: usize,
    ) -> Result<Self> {
        let key = match device {
            Self::Gray => "DefaultGray",
            Self::Rgb => "DefaultRGB",
            _ => "DefaultCMYK",
        };
        let Some(spaces) = document.get(resources, "ColorSpace")?.dict().cloned() else {
            return Ok(device);
        };
        match spaces.get(key) {
            Object::Null => Ok(device),
            // In it the device's own space means itself.
            other => Self::at(document, &other.clone(), &Dict::default(), depth + 1),
        }
    }

    /// How many numbers a colour has.
    pub(crate) fn components(&self) -> usize {
        match self {
            Self::Gray | Self::Gamma(_) | Self::None | Self::Indexed { .. } => 1,
            Self::Rgb | Self::Lab => 3,
            Self::Cmyk => 4,
            Self::Tint { components, .. } => *components,
            Self::Pattern | Self::Unknown => 0,
        }
    }

    /// The colour in force when the space is chosen.
    pub(crate) fn initial(&self) -> Option<Rgb> {
        match self {
            Self::Gray | Self::Gamma(_) | Self::Rgb | Self::Lab => Some([0; 3]),
            Self::Cmyk => Some([0; 3]),
            Self::Indexed { .. } => self.rgb(&[0.0]),
            Self::Tint { components, .. } => self.rgb(&vec![1.0; *components]),
            Self::Pattern | Self::None | Self::Unknown => None,
        }
    }

    /// A colour as red, green and blue.
    pub(crate) fn rgb(&self, values: &[f64]) -> Option<Rgb> {
        let byte = |value: f64| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        Some(match (self, values) {
            (Self::Gray, [gray, ..]) => [byte(*gray); 3],
            (Self::Gamma(gamma), [gray, ..]) => [byte(power(gray.clamp(0.0, 1.0), *gamma)); 3],
            (Self::Rgb, [red, green, blue, ..]) => [byte(*red), byte(*green), byte(*blue)],
            (Self::Cmyk, [cyan, magenta, yellow, black, ..]) => {
                let light = 1.0 - black.clamp(0.0, 1.0);
                [cyan, magenta, yellow].map(|ink| byte((1.0 - ink.clamp(0.0, 1.0)) * light))
            }
            (Self::Lab, [lightness, ..]) => [byte(lightness / 100.0); 3],
            (Self::Indexed { base, table }, [index, ..]) => {
                let count = base.components();
                let start = (index.clamp(0.0, 255.0) as usize) * count;
                let entry = table.get(start..start + count)?;
                let mut values: Vec<f64> =
                    entry.iter().map(|byte| f64::from(*byte) / 255.0).collect();
                if let (Self::Lab, Some(lightness)) = (&**base, values.first_mut()) {
                    *lightness *= 100.0;
                }
                return base.rgb(&values);
            }
            (Self::Tint { alternate, function, components }, values) => {
                let values = values.get(..*components)?;
                return alternate.rgb(&function.at(values)?);
            }
            _ => return None,
        })
    }
}

/// A power near the exponent: whole ones above 1, and those of square roots below, which are the same
/// on every machine.
fn power(value: f64, exponent: f64) -> f64 {
    if exponent >= 1.0 {
        return (0..(exponent.clamp(1.0, 64.0) + 0.5) as u32).fold(1.0, |all, _| all * value);
    }
    let (mut result, mut exponent) = (value, exponent);
    for _ in 0..16 {
        if exponent > 0.7 {
            break;
        }
        result = result.sqrt();
        exponent *= 2.0;
    }
    result
}

/// How a colour mixes with what lies under it (11.3.5). Modes of hue and saturation are taken for
/// the normal one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Blend {
    #[default]
    Normal,
    Multiply,
    Screen,
    Overlay,
    Darken,
    Lighten,
    Dodge,
    Burn,
    Hard,
    Soft,
    Difference,
    Exclusion,
}

impl Blend {
    /// The mode of a name, if it is one.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"Multiply" => Self::Multiply,
            b"Screen" => Self::Screen,
            b"Overlay" => Self::Overlay,
            b"Darken" => Self::Darken,
            b"Lighten" => Self::Lighten,
            b"ColorDodge" => Self::Dodge,
            b"ColorBurn" => Self::Burn,
            b"HardLight" => Self::Hard,
            b"SoftLight" => Self::Soft,
            b"Difference" => Self::Difference,
            b"Exclusion" => Self::Exclusion,
            b"Normal" | b"Compatible" | b"Hue" | b"Saturation" | b"Color" | b"Luminosity" => {
                Self::Normal
            }
            _ => return None,
        })
    }

    fn mixed(self, colour: Rgb, under: Rgb) -> Rgb {
        let mut mixed = colour;
        for (place, under) in mixed.iter_mut().zip(under) {
            let value = self.channel(f64::from(*place) / 255.0, f64::from(under) / 255.0);
            *place = (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        }
        mixed
    }

    fn channel(self, over: f64, under: f64) -> f64 {
        let (smaller, larger) = if over < under { (over, under) } else { (under, over) };
        match self {
            Self::Normal => over,
            Self::Multiply => over * under,
            Self::Screen => over + under - over * under,
            Self::Overlay => Self::Hard.channel(under, over),
            Self::Darken => smaller,
            Self::Lighten => larger,
            Self::Dodge if under <= 0.0 => 0.0,
            Self::Dodge if over >= 1.0 => 1.0,
            Self::Dodge => under / (1.0 - over),
            Self::Burn if under >= 1.0 => 1.0,
            Self::Burn if over <= 0.0 => 0.0,
            Self::Burn => 1.0 - (1.0 - under) / over,
            Self::Hard if over <= 0.5 => under * 2.0 * over,
            Self::Hard => Self::Screen.channel(2.0 * over - 1.0, under),
            Self::Soft if over <= 0.5 => under - (1.0 - 2.0 * over) * under * (1.0 - under),
            Self::Soft => under + (2.0 * over - 1.0) * (under.sqrt() - under),
            Self::Difference => larger - smaller,
            Self::Exclusion => over + under - 2.0 * over * under,
        }
    }

    /// Whether nothing of what lies underneath is seen in what comes out.
    pub(crate) fn hides(self, colour: Option<Rgb>) -> bool {
        let Some(colour) = colour else { return self == Self::Normal };
        let (dark, light) = (self.mixed(colour, [0; 3]), self.mixed(colour, [255; 3]));
        dark.iter().zip(light).all(|(one, other)| one.abs_diff(other) <= 12)
    }

    /// A colour over a ground, as far as it is opaque.
    pub(crate) fn over(self, colour: Rgb, ground: Ground, alpha: f64) -> Ground {
        match ground {
            Ground::Paper => Ground::Colour(mix(colour, [255; 3], alpha)),
            Ground::Colour(under) => Ground::Colour(mix(self.mixed(colour, under), under, alpha)),
            _ if alpha > 0.9 && self.hides(Some(colour)) => Ground::Colour(colour),
            other => other,
        }
    }
}

fn mix(colour: Rgb, under: Rgb, alpha: f64) -> Rgb {
    let mut mixed = under;
    for (place, (over, under)) in mixed.iter_mut().zip(colour.into_iter().zip(under)) {
        let value = f64::from(over) * alpha + f64::from(under) * (1.0 - alpha);
        *place = (value + 0.5) as u8;
    }
    mixed
}

/// Contrasts of colours, by a table.
#[derive(Debug)]
pub(crate) struct Contrasts {
    linear: Vec<f64>,
}

impl Contrasts {
    pub(crate) fn new() -> Self {
        let gray = |value: u32| {
            let value = f64::from(value);
            crate::colour::luminance([value, value, value])
        };
        Self { linear: (0..=255).map(gray).collect() }
    }

    fn luminance(&self, rgb: Rgb) -> f64 {
        let [red, green, blue] =
            rgb.map(|value| self.linear.get(usize::from(value)).copied().unwrap_or(0.0));
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Whether a colour is seen on a ground.
    pub(crate) fn is_seen(&self, colour: Rgb, alpha: f64, ground: Ground, blend: Blend) -> bool {
        let under = match ground {
            Ground::Paper => [255; 3],
            Ground::Colour(under) => under,
            Ground::Picture | Ground::Unknown => return alpha > 0.1,
        };
        let over = match blend.over(colour, ground, alpha) {
            Ground::Colour(over) => over,
            _ => colour,
        };
        let contrast = crate::colour::contrast(self.luminance(over), self.luminance(under));
        contrast >= MIN_CONTRAST
    }
}
