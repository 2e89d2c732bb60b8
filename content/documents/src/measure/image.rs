//! Pixels of images.

use super::{jpeg, layout, tiles, Counted, Refusal, Refused, Result2, MAX_PIXELS, MAX_SIDE};
use crate::MediaType;
use ::image::{
    codecs::{bmp::BmpDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder},
    error::LimitErrorKind,
    ColorType, ImageDecoder, ImageError, Limits,
};
use std::io::Cursor;

/// Most bytes of decoded pixels: the most pixels with four channels of 16 bits.
const MAX_DECODED: u64 = MAX_PIXELS * 8;
/// Most bytes that a decoder may ask for beside the pixels.
const MAX_SCRATCH: u64 = 128 << 20;

/// A decoded image.
pub(crate) struct Pixels {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) color: ColorType,
    /// Rows from the top, samples of more than a byte in this machine's order.
    pub(crate) data: Vec<u8>,
}

/// An image as a screen shows it: red, green, blue of 8 bits, each multiplied by alpha, and alpha.
pub(crate) struct Pixmap {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Rows from the top; a pixel's four bytes from the lowest.
    pub(crate) packed: Vec<u32>,
}

/// The first frame or page.
pub(crate) fn shown(media_type: MediaType, bytes: &[u8]) -> Result2<Pixmap> {
    let pixels = decode(media_type, bytes)?;
    let packed = pack(&pixels)?;
    Ok(Pixmap { width: pixels.width, height: pixels.height, packed })
}

/// Counts the pixels of the first frame or page.
pub(crate) fn count(media_type: MediaType, bytes: &[u8]) -> Result2<Counted> {
    let Pixmap { width, height, packed } = shown(media_type, bytes)?;
    Ok(tiles::count(width, height, &packed))
}

/// An image as a screen shows it, made smaller by a whole number until it has at most `most` pixels: rows
/// from the top, red, green, blue and alpha of 8 bits, not multiplied.
pub(crate) fn draw(media_type: MediaType, bytes: &[u8], most: u64) -> Result2<Drawn> {
    let Pixmap { width, height, packed } = shown(media_type, bytes)?;
    let (width, height) = (width as usize, height as usize);
    let small = |side: usize, by: usize| side.div_ceil(by);
    let mut by = 1;
    while (small(width, by) as u64).saturating_mul(small(height, by) as u64) > most {
        by += 1;
    }
    let (columns, rows) = (small(width, by), small(height, by));
    let mut data = Vec::with_capacity(columns * rows * 4);
    for row in 0..rows {
        for column in 0..columns {
            let mut sums = [0_u32; 4];
            let mut count = 0_u32;
            for y in row * by..((row + 1) * by).min(height) {
                for x in column * by..((column + 1) * by).min(width) {
                    let pixel = packed.get(y * width + x).copied().unwrap_or(0);
                    for (sum, part) in sums.iter_mut().zip(pixel.to_le_bytes()) {
                        *sum += u32::from(part);
                    }
                    count += 1;
                }
            }
            let [red, green, blue, alpha] = sums.map(|sum| (sum + count / 2) / count.max(1));
            // Colours are multiplied by alpha here, and not in a PNG.
            let plain = |colour: u32| ((colour * 255 + alpha / 2) / alpha.max(1)).min(255) as u8;
            data.extend([plain(red), plain(green), plain(blue), alpha.min(255) as u8]);
        }
    }
    Ok(Drawn { width: columns as u32, height: rows as u32, data, scale: by as u32 })
}

/// What [`draw`] makes.
pub(crate) struct Drawn {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Four bytes a pixel.
    pub(crate) data: Vec<u8>,
    /// How many pixels of a side became one.
    pub(crate) scale: u32,
}

fn decode(media_type: MediaType, bytes: &[u8]) -> Result2<Pixels> {
    let reader = || Cursor::new(bytes);
    match media_type {
        MediaType::Jpg | MediaType::Jpeg => jpeg::decode(bytes),
        MediaType::Png => {
            layout::png(bytes)?;
            let limits = limits(MAX_SCRATCH);
            pixels(PngDecoder::with_limits(reader(), limits).map_err(refused)?, MAX_SCRATCH)
        }
        MediaType::Webp => {
            layout::riff(bytes, |_, _| Ok(()))?;
            pixels(WebPDecoder::new(reader()).map_err(refused)?, MAX_SCRATCH)
        }
        MediaType::Bmp => {
            layout::bmp(bytes)?;
            pixels(BmpDecoder::new(reader()).map_err(refused)?, MAX_SCRATCH)
        }
        MediaType::Tiff => {
            layout::tiff(bytes)?;
            let decoder = TiffDecoder::new(reader()).map_err(refused)?;
            let room = decoder.total_bytes().saturating_add(MAX_SCRATCH);
            pixels(decoder, room)
        }
        other => Err(Refused(
            Refusal::Unsupported,
            format!(".{} is no format of images", other.extension()),
        )),
    }
}

fn limits(bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(bytes);
    limits
}

fn pixels(mut decoder: impl ImageDecoder, room: u64) -> Result2<Pixels> {
    let (width, height) = decoder.dimensions();
    let color = decoder.color_type();
    let size = check_size(width, height, color)?;
    decoder.set_limits(limits(room)).map_err(refused)?;
    if decoder.total_bytes() != size as u64 {
        return Err(Refused(Refusal::Unsupported, "its colours are not read".into()));
    }
    let mut data = vec![0; size];
    decoder.read_image(&mut data).map_err(refused)?;
    Ok(Pixels { width, height, color, data })
}

/// The bytes of an image's pixels, if it is not too large.
pub(crate) fn check_size(width: u32, height: u32, color: ColorType) -> Result2<usize> {
    let refused = |detail: String| Refused(Refusal::TooLarge, detail);
    if width == 0 || height == 0 {
        return Err(Refused(Refusal::Damaged, format!("it has {width} × {height} pixels")));
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(refused(format!(
            "{width} × {height} pixels, at most {MAX_SIDE} a side are measured"
        )));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(refused(format!(
            "{width} × {height} are {pixels} pixels, at most {MAX_PIXELS} are measured"
        )));
    }
    let bytes = pixels * u64::from(color.bytes_per_pixel());
    usize::try_from(bytes).ok().filter(|_| bytes <= MAX_DECODED).ok_or_else(|| {
        refused(format!("{bytes} bytes of decoded pixels, at most {MAX_DECODED} are measured"))
    })
}

fn refused(error: ImageError) -> Refused {
    let refusal = match &error {
        ImageError::Unsupported(_) => Refusal::Unsupported,
        ImageError::Limits(limit)
            if matches!(
                limit.kind(),
                LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory
            ) =>
        {
            Refusal::TooLarge
        }
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Refusal::Truncated
        }
        // What the readers of TIFF and WebP call sizes that do not agree.
        error if error.to_string().to_lowercase().contains("inconsistent") => {
            Refusal::Contradiction
        }
        _ => Refusal::Damaged,
    };
    Refused(refusal, error.to_string())
}

/// Pixels as a screen shows them: red, green, blue of 8 bits, each multiplied by alpha, and alpha.
/// So what is transparent is the same whatever colour it has.
fn pack(pixels: &Pixels) -> Result2<Vec<u32>> {
    let data = pixels.data.as_slice();
    let wide = |pair: &[u8]| match pair {
        // Samples are in this machine's order.
        [first, second] => (u16::from_ne_bytes([*first, *second]) >> 8) as u8,
        _ => 0,
    };
    let float = |four: &[u8]| match <[u8; 4]>::try_from(four).map(f32::from_ne_bytes) {
        Ok(value) if value > 0.0 => (value.min(1.0) * 255.0 + 0.5) as u8,
        _ => 0,
    };
    let mut packed = Vec::with_capacity(pixels.width as usize * pixels.height as usize);
    match pixels.color {
        ColorType::L8 => packed.extend(data.iter().map(|l| rgba(*l, *l, *l, 255))),
        ColorType::La8 => each(data, 2, |s| packed.push(rgba(s[0], s[0], s[0], s[1]))),
        ColorType::Rgb8 => each(data, 3, |s| packed.push(rgba(s[0], s[1], s[2], 255))),
        ColorType::Rgba8 => each(data, 4, |s| packed.push(rgba(s[0], s[1], s[2], s[3]))),
        ColorType::L16 => each(data, 2, |s| {
            let l = wide(s);
            packed.push(rgba(l, l, l, 255));
        }),
        ColorType::La16 => each(data, 4, |s| {
            let l = wide(&s[..2]);
            packed.push(rgba(l, l, l, wide(&s[2..])));
        }),
        ColorType::Rgb16 => each(data, 6, |s| {
            packed.push(rgba(wide(&s[..2]), wide(&s[2..4]), wide(&s[4..]), 255));
        }),
        ColorType::Rgba16 => each(data, 8, |s| {
            packed.push(rgba(wide(&s[..2]), wide(&s[2..4]), wide(&s[4..6]), wide(&s[6..])));
        }),
        ColorType::Rgb32F => each(data, 12, |s| {
            packed.push(rgba(float(&s[..4]), float(&s[4..8]), float(&s[8..]), 255));
        }),
        other => {
            return Err(Refused(Refusal::Unsupported, format!("its colours are {other:?}")));
        }
    }
    Ok(packed)
}

/// Calls `one` with each pixel's `size` bytes; `chunks_exact` keeps the closures' indices in bounds.
fn each(data: &[u8], size: usize, one: impl FnMut(&[u8])) {
    data.chunks_exact(size).for_each(one);
}

fn rgba(red: u8, green: u8, blue: u8, alpha: u8) -> u32 {
    let seen = |colour: u8| ((u16::from(colour) * u16::from(alpha) + 127) / 255) as u8;
    u32::from_le_bytes([seen(red), seen(green), seen(blue), alpha])
}
