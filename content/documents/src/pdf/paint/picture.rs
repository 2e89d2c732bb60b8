//! Pictures, as far as they are the ground of text or cover it.
//!
//! Those whose bytes are compressed by the means of text (DEFLATE, LZW, run lengths, none) and that are
//! not large are decoded; of JPEG, JPEG 2000, JBIG2, fax and larger ones the colours are unknown.

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
/// Share of the samples of a mask, in percent, that makes its picture opaque.
const OPAQUE_PERCENT: usize = 95;

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

/// A picture.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) colours: Colours,
    /// Whether nothing under it is seen.
    pub(crate) opaque: bool,
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
        let inverted = decode.array().and_then(|list| list.first()?.number()) == Some(1.0);
        let bytes = samples(document, stream, width, height, space.components(), bits, allowance)?;
        let mut picture =
            Self { width, height, colours: Colours::Unknown, opaque: true, flat: false };
        if stencil {
            picture.colours = Colours::Stencil;
            // A sample of 0 lets the colour through.
            let through = bytes.map(|bytes| {
                let set = ones(&bytes, width, height);
                let all = width * height;
                if inverted {
                    set * 100 / all.max(1)
                } else {
                    (all - set) * 100 / all.max(1)
                }
            });
            picture.flat = matches!(through, Some(0 | 100));
            picture.opaque = through.is_some_and(|percent| percent >= OPAQUE_PERCENT);
            return Ok(picture);
        }
        if let Some(bytes) = bytes {
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
            picture.colours = pixels(&bytes, width, height, &space, bits, inverted);
        }
        picture.opaque = is_opaque(document, &dict, allowance)?;
        Ok(picture)
    }

    /// The colour at a place of the unit square, from the bottom left; `None` where it is unknown.
    pub(crate) fn at(&self, (x, y): (f64, f64)) -> Option<Rgb> {
        let Colours::Known { width, height, pixels } = &self.colours else { return None };
        let column = ((x * *width as f64) as usize).min(width - 1);
        let row = (((1.0 - y) * *height as f64) as usize).min(height - 1);
        pixels.get(row * width + column).copied()
    }
}

/// Whether a picture has no mask, or one that lets nearly all of it through.
fn is_opaque(document: &mut Document<'_>, dict: &Dict, allowance: &mut Allowance) -> Result<bool> {
    for (key, through) in [("SMask", 255_u8), ("Mask", 0)] {
        // A list of colours that are not painted is taken to cover.
        let Some(mask) = document.stream(dict.get(key))? else { continue };
        let width = document.get(&mask.dict, "Width")?.index(1 << 24).unwrap_or(0);
        let height = document.get(&mask.dict, "Height")?.index(1 << 24).unwrap_or(0);
        let bits = match key {
            "Mask" => 1,
            _ => document.get(&mask.dict, "BitsPerComponent")?.index(16).unwrap_or(8),
        };
        let Some(bytes) = samples(document, &mask, width, height, 1, bits, allowance)? else {
            return Ok(false);
        };
        let all = width * height;
        let passing = match bits {
            8 => bytes.iter().take(all).filter(|byte| **byte >= 250).count(),
            1 if through == 0 => all - ones(&bytes, width, height),
            1 => ones(&bytes, width, height),
            _ => 0,
        };
        return Ok(passing * 100 >= all * OPAQUE_PERCENT);
    }
    Ok(true)
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

/// How many bits of the picture are set; rows begin at whole bytes.
fn ones(bytes: &[u8], width: usize, height: usize) -> usize {
    let row = width.div_ceil(8);
    let mut set = 0;
    for row in bytes.chunks(row.max(1)).take(height) {
        for (place, byte) in row.iter().enumerate() {
            let used = (width - place * 8).min(8);
            let kept = if used == 8 { *byte } else { byte & !(0xff_u8 >> used) };
            set += kept.count_ones() as usize;
        }
    }
    set
}

/// The nearest pixels of a small copy.
fn pixels(
    bytes: &[u8],
    width: usize,
    height: usize,
    space: &Space,
    bits: usize,
    inverted: bool,
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
                let index = first + place;
                let byte = |at: usize| f64::from(line.get(at).copied().unwrap_or(0));
                let sample = match bits {
                    8 => byte(index),
                    16 => byte(index * 2) * 256.0 + byte(index * 2 + 1),
                    _ => {
                        let bit = index * bits;
                        let whole = line.get(bit / 8).copied().unwrap_or(0);
                        f64::from(whole >> (8 - bits - bit % 8) & ((1_u8 << bits) - 1))
                    }
                };
                *value = match space {
                    Space::Indexed { .. } => sample,
                    Space::Lab => sample / most * 100.0,
                    _ if inverted => 1.0 - sample / most,
                    _ => sample / most,
                };
            }
            match space.rgb(&values) {
                Some(rgb) => pixels.push(rgb),
                None => return Colours::Unknown,
            }
        }
    }
    Colours::Known { width: columns, height: rows, pixels }
}
