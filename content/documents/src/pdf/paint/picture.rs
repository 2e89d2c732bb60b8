//! Pictures, as far as they are the ground of text or cover it.
//!
//! Those that are not large are decoded, JPEG too; of JPEG 2000, JBIG2, fax and larger ones the colours
//! are unknown.

use super::super::document::{Document, Stream};
use super::super::object::{Dict, Object};
use super::colour::Space;
use super::raster::Rgb;
use crate::budget::Result;

/// Most bytes of one picture that are decoded, and of all pictures of a document.
const MAX_BYTES: usize = 4 << 20;
const MAX_ALL: usize = 48 << 20;
/// Most pixels a side that are kept.
const SIDE: usize = 256;

/// How a picture is painted.
#[derive(Debug)]
pub(crate) enum Colours {
    /// Pixels from the top left, at most [`SIDE`] a side.
    Known {
        width: usize,
        height: usize,
        pixels: Vec<Rgb>,
    },
    Unknown,
    /// A stencil: the fill colour, where it lets it through.
    Stencil,
}

/// How much of a picture is seen, place by place: 255 for all of it.
type Alpha = (usize, usize, Vec<u8>);

/// A picture.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) colours: Colours,
    /// Where it is not seen everywhere; for a stencil, where it lets the colour through.
    alpha: Option<Alpha>,
    /// Whether what is under it may be seen in a way that is not known.
    pub(crate) vague: bool,
    /// Whether it is of one colour all over.
    pub(crate) flat: bool,
}

/// What is left for pictures.
#[derive(Debug)]
pub(crate) struct Allowance(usize);

impl Default for Allowance {
    fn default() -> Self {
        Self(MAX_ALL)
    }
}

impl Picture {
    /// Reads an image dictionary, also one inside a content stream with its short names.
    pub(crate) fn load(
        document: &mut Document<'_>,
        stream: &Stream<'_>,
        resources: &Dict,
        allowance: &mut Allowance,
    ) -> Result<Self> {
        let dict = stream.dict.clone();
        let either = |long: &str, short: &str| match dict.get(long) {
            Object::Null => dict.get(short).clone(),
            found => found.clone(),
        };
        let side = |document: &mut Document<'_>, long: &str, short: &str| -> Result<usize> {
            Ok(document.resolve(&either(long, short))?.index(1 << 24).unwrap_or(0))
        };
        let width = side(document, "Width", "W")?;
        let height = side(document, "Height", "H")?;
        let stencil = matches!(document.resolve(&either("ImageMask", "IM"))?, Object::Bool(true));
        let bits = match stencil {
            true => 1,
            false => side(document, "BitsPerComponent", "BPC")?,
        };
        let space = match stencil {
            true => Space::Gray,
            false => Space::load(document, &either("ColorSpace", "CS"), resources)?,
        };
        let decode = document.resolve(&either("Decode", "D"))?;
        let decode: Vec<f64> =
            decode.array().unwrap_or_default().iter().filter_map(Object::number).collect();
        let mut picture = Self {
            width,
            height,
            colours: Colours::Unknown,
            alpha: None,
            vague: false,
            flat: false,
        };
        let bytes = samples(document, stream, width, height, space.components(), bits, allowance)?;
        if stencil {
            picture.colours = Colours::Stencil;
            picture.vague = bytes.is_none();
            // A sample of 0 lets the colour through.
            let inverted = decode.first() == Some(&1.0);
            picture.alpha = bytes.map(|bytes| {
                grid(width, height, |place| match (bit(&bytes, width, place) == 1) == inverted {
                    true => 255,
                    false => 0,
                })
            });
            let flat = |alpha: &Alpha| alpha.2.windows(2).all(|pair| pair.first() == pair.last());
            picture.flat = picture.alpha.as_ref().is_some_and(flat);
            return Ok(picture);
        }
        if let Some(bytes) = &bytes {
            let row = (width * space.components() * bits).div_ceil(8);
            let rows = bytes.chunks(row.max(1)).take(height);
            let first = rows.clone().next().unwrap_or_default();
            let one_row = rows.clone().all(|other| other == first);
            let size = space.components() * bits / 8;
            let one_column = match size {
                0 => {
                    first.iter().all(|byte| *byte == 0 || *byte == 255)
                        && first.windows(2).all(|pair| pair.first() == pair.last())
                }
                size => first.chunks(size).all(|pixel| first.starts_with(pixel)),
            };
            picture.flat = one_row && one_column;
            picture.colours = pixels(bytes, width, height, &space, bits, &decode);
        } else if let Some(colours) = jpeg(document, stream, width, height, allowance)? {
            if let Colours::Known { pixels, .. } = &colours {
                let first = pixels.first().copied().unwrap_or_default();
                let near = |pixel: &Rgb| pixel.iter().zip(first).all(|(a, b)| a.abs_diff(b) <= 8);
                picture.flat = pixels.iter().all(near);
            }
            picture.colours = colours;
        }
        picture.masked(document, &dict, bytes.as_deref(), &space, bits, allowance)?;
        Ok(picture)
    }

    /// Notes where masks and colours that are not painted let through what is underneath.
    fn masked(
        &mut self,
        document: &mut Document<'_>,
        dict: &Dict,
        bytes: Option<&[u8]>,
        space: &Space,
        bits: usize,
        allowance: &mut Allowance,
    ) -> Result<()> {
        for key in ["SMask", "Mask"] {
            let Some(mask) = document.stream(dict.get(key))? else { continue };
            let width = document.get(&mask.dict, "Width")?.index(1 << 24).unwrap_or(0);
            let height = document.get(&mask.dict, "Height")?.index(1 << 24).unwrap_or(0);
            let bits = match key {
                "Mask" => 1,
                _ => document.get(&mask.dict, "BitsPerComponent")?.index(16).unwrap_or(8),
            };
            let decode = document.get(&mask.dict, "Decode")?;
            let decode: Vec<f64> =
                decode.array().unwrap_or_default().iter().filter_map(Object::number).collect();
            // A sample of 1 of a stencil hides.
            let inverted = (decode.first() == Some(&1.0)) != (key == "Mask");
            let found = samples(document, &mask, width, height, 1, bits, allowance)?;
            let most = ((1_u32 << bits.min(16)) - 1) as f64;
            self.alpha = found.map(|bytes| {
                let row = (width * bits).div_ceil(8);
                grid(width, height, |(x, y)| {
                    let line = bytes.get(y * row..).unwrap_or_default();
                    let part = sample(line, x, bits) / most;
                    ((if inverted { 1.0 - part } else { part }) * 255.0 + 0.5) as u8
                })
            });
            self.vague = self.alpha.is_none();
            return Ok(());
        }
        let key = document.get(dict, "Mask")?;
        let Some(ranges) = key.array() else { return Ok(()) };
        let ranges: Vec<f64> = ranges.iter().filter_map(Object::number).collect();
        let Some(bytes) = bytes else {
            self.vague = true;
            return Ok(());
        };
        let (width, height, components) = (self.width, self.height, space.components());
        let row = (width * components * bits).div_ceil(8);
        self.alpha = Some(grid(width, height, |(x, y)| {
            let line = bytes.get(y * row..).unwrap_or_default();
            let keyed = (0..components).all(|component| {
                let value = sample(line, x * components + component, bits);
                let low = ranges.get(2 * component).copied().unwrap_or(f64::INFINITY);
                let high = ranges.get(2 * component + 1).copied().unwrap_or(f64::NEG_INFINITY);
                value >= low && value <= high
            });
            if keyed {
                0
            } else {
                255
            }
        }));
        Ok(())
    }

    /// The colour at a place of the unit square, from the bottom left; `None` where it is unknown.
    pub(crate) fn at(&self, place: (f64, f64)) -> Option<Rgb> {
        let Colours::Known { width, height, pixels } = &self.colours else { return None };
        pixels.get(cell(place, *width, *height)).copied()
    }

    /// How much of it is seen at a place, from 0 to 1.
    pub(crate) fn alpha_at(&self, place: (f64, f64)) -> f64 {
        let Some((width, height, alpha)) = &self.alpha else { return 1.0 };
        f64::from(alpha.get(cell(place, *width, *height)).copied().unwrap_or(255)) / 255.0
    }
}

/// The pixel at a place of the unit square, from the bottom left.
fn cell((x, y): (f64, f64), width: usize, height: usize) -> usize {
    let column = ((x * width as f64) as usize).min(width.saturating_sub(1));
    let row = (((1.0 - y) * height as f64) as usize).min(height.saturating_sub(1));
    row * width + column
}

/// The nearest pixels of a small copy.
fn grid(width: usize, height: usize, at: impl Fn((usize, usize)) -> u8) -> Alpha {
    let (columns, rows) = (width.min(SIDE), height.min(SIDE));
    let mut values = Vec::with_capacity(columns * rows);
    for y in 0..rows {
        for x in 0..columns {
            values.push(at((x * width / columns, y * height / rows)));
        }
    }
    (columns, rows, values)
}

/// A bit of a picture whose rows begin at whole bytes.
fn bit(bytes: &[u8], width: usize, (x, y): (usize, usize)) -> u8 {
    let byte = bytes.get(y * width.div_ceil(8) + x / 8).copied().unwrap_or(0);
    byte >> (7 - x % 8) & 1
}

/// A sample of a row.
fn sample(line: &[u8], index: usize, bits: usize) -> f64 {
    let byte = |at: usize| f64::from(line.get(at).copied().unwrap_or(0));
    match bits {
        8 => byte(index),
        16 => byte(index * 2) * 256.0 + byte(index * 2 + 1),
        1 | 2 | 4 => {
            let bit = index * bits;
            let whole = line.get(bit / 8).copied().unwrap_or(0);
            f64::from(whole >> (8 - bits - bit % 8) & ((1_u8 << bits) - 1))
        }
        _ => 0.0,
    }
}

/// The colours of a JPEG picture, without the processor's own instructions: the same everywhere.
fn jpeg(
    document: &mut Document<'_>,
    stream: &Stream<'_>,
    width: usize,
    height: usize,
    allowance: &mut Allowance,
) -> Result<Option<Colours>> {
    let needed = width.saturating_mul(height).saturating_mul(3);
    if needed == 0 || needed > 3 * MAX_BYTES || needed > allowance.0 {
        return Ok(None);
    }
    let Some(data) = document.decode_before_jpeg(stream)? else { return Ok(None) };
    allowance.0 -= needed;
    document.budget.inflate(needed)?;
    let Some(pixels) = crate::measure::jpeg_colours(&data, width, height) else { return Ok(None) };
    let (columns, rows) = (width.min(SIDE), height.min(SIDE));
    let mut small = Vec::with_capacity(columns * rows);
    for y in 0..rows {
        for x in 0..columns {
            let at = 3 * (y * height / rows * width + x * width / columns);
            match pixels.get(at..at + 3) {
                Some([red, green, blue]) => small.push([*red, *green, *blue]),
                _ => return Ok(None),
            }
        }
    }
    Ok(Some(Colours::Known { width: columns, height: rows, pixels: small }))
}

/// A picture's samples, if they can be had for what is left.
fn samples(
    document: &mut Document<'_>,
    stream: &Stream<'_>,
    width: usize,
    height: usize,
    components: usize,
    bits: usize,
    allowance: &mut Allowance,
) -> Result<Option<Vec<u8>>> {
    let row = width.checked_mul(components * bits).map(|bits| bits.div_ceil(8));
    let Some(needed) = row.and_then(|row| row.checked_mul(height)) else { return Ok(None) };
    // The tags of a predictor come on top.
    let limit = needed + height + 1024;
    if needed == 0 || needed > MAX_BYTES || limit > allowance.0 || !document.decodes(stream)? {
        return Ok(None);
    }
    allowance.0 -= limit;
    let bytes = document.decode_or_none(stream, limit)?;
    Ok(bytes.filter(|bytes| bytes.len() >= needed))
}

/// The nearest pixels of a small copy, as colours.
fn pixels(
    bytes: &[u8],
    width: usize,
    height: usize,
    space: &Space,
    bits: usize,
    decode: &[f64],
) -> Colours {
    let components = space.components();
    if components == 0 || !matches!(bits, 1 | 2 | 4 | 8 | 16) {
        return Colours::Unknown;
    }
    let row = (width * components * bits).div_ceil(8);
    let (columns, rows) = (width.min(SIDE), height.min(SIDE));
    let most = ((1_u32 << bits) - 1) as f64;
    let mut pixels = Vec::with_capacity(columns * rows);
    let mut values = vec![0.0; components];
    for y in 0..rows {
        let line = bytes.get(y * height / rows * row..).unwrap_or_default();
        for x in 0..columns {
            let first = x * width / columns * components;
            for (place, value) in values.iter_mut().enumerate() {
                let part = sample(line, first + place, bits) / most;
                let (low, high) = match (decode.get(2 * place), decode.get(2 * place + 1)) {
                    (Some(low), Some(high)) => (*low, *high),
                    _ if matches!(space, Space::Indexed { .. }) => (0.0, most),
                    _ if matches!(space, Space::Lab) && place == 0 => (0.0, 100.0),
                    _ => (0.0, 1.0),
                };
                *value = low + part * (high - low);
            }
            match space.rgb(&values) {
                Some(rgb) => pixels.push(rgb),
                None => return Colours::Unknown,
            }
        }
    }
    Colours::Known { width: columns, height: rows, pixels }
}
