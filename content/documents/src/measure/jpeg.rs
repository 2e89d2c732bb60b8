//! JPEG: where it ends, and its pixels.
//!
//! `image` decodes JPEG leniently: of a file that was cut off it makes a picture with a grey rest.
//! The decoder below it, `zune-jpeg`, is therefore called as strictly as it can be, and without the
//! processor's own instructions, so that every machine computes the same.

use super::{
    image::{check_size, Pixels},
    trailing, Refusal, Refused, Result2,
};
use ::image::ColorType;
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::{errors::DecodeErrors, JpegDecoder};

/// Most scans of a progressive image: each goes over all of it.
const MAX_SCANS: usize = 64;

/// What is put behind the data of each scan to see whether the decoder would read on.
const PROBE: [u8; 64] = {
    let mut bytes = [0; 64];
    let mut state = 0x9e37_79b9_u32;
    let mut place = 0;
    while place < bytes.len() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        // FF would begin a marker.
        bytes[place] = (state >> 9) as u8 & 0x7f | 1;
        place += 1;
    }
    bytes
};

/// Walks the markers: where the data of each scan ends, but of the first of a progressive image, and
/// where the image does.
fn ends(bytes: &[u8]) -> Option<(Vec<usize>, usize)> {
    let mut scans = Vec::new();
    // After the first scan of a progressive image the decoder wants the next marker at once.
    let (mut in_scan, mut first, mut progressive) = (false, true, false);
    let mut at = 2_usize;
    loop {
        // Between markers there is the data of a scan, in which FF is followed by 0 or by a restart.
        while *bytes.get(at)? != 0xff {
            at += 1;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xff => at += 1,
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let ends = std::mem::take(&mut in_scan);
                if ends && !(std::mem::take(&mut first) && progressive) {
                    scans.push(at);
                }
                progressive |= marker == 0xc2;
                if marker == 0xd9 {
                    return Some((scans, at + 2));
                }
                in_scan = marker == 0xda;
                let length = [*bytes.get(at + 2)?, *bytes.get(at + 3)?];
                at = at + 2 + usize::from(u16::from_be_bytes(length)).max(2);
            }
        }
    }
}

/// Decodes a JPEG image.
///
/// The decoder fills up what is missing at the end of a scan. So the image is decoded a second time
/// with other bytes behind each scan's data: of a scan that is whole they change nothing.
pub(crate) fn decode(bytes: &[u8]) -> Result2<Pixels> {
    let Some((scans, end)) = ends(bytes) else {
        let detail = format!("its {} bytes hold no end-of-image marker", bytes.len());
        return Err(Refused(Refusal::Truncated, detail));
    };
    trailing(end, bytes.len())?;
    if scans.len() > MAX_SCANS {
        let detail = format!("it has {} scans, at most {MAX_SCANS} are read", scans.len());
        return Err(Refused(Refusal::TooLarge, detail));
    }
    let bytes = bytes.get(..end).unwrap_or(bytes);
    let pixels = decode_once(bytes)?;
    let mut longer = Vec::with_capacity(bytes.len() + scans.len() * PROBE.len());
    let mut from = 0;
    for scan in scans {
        longer.extend_from_slice(bytes.get(from..scan).unwrap_or_default());
        longer.extend_from_slice(&PROBE);
        from = scan;
    }
    longer.extend_from_slice(bytes.get(from..).unwrap_or_default());
    match decode_once(&longer) {
        Ok(again) if again.data == pixels.data => Ok(pixels),
        _ => {
            Err(Refused(Refusal::Truncated, "the data of a scan ends before its pixels do".into()))
        }
    }
}

fn decode_once(bytes: &[u8]) -> Result2<Pixels> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_use_unsafe(false)
        .jpeg_set_max_scans(MAX_SCANS)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(refused)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let (width, height) = (width as u32, height as u32);
    let (space, color) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (ColorSpace::Luma, ColorType::L8),
        _ => (ColorSpace::RGB, ColorType::Rgb8),
    };
    let size = check_size(width, height, color)?;
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(space));
    let mut data = vec![0; size];
    if decoder.output_buffer_size() != Some(size) {
        return Err(Refused(Refusal::Unsupported, "its colours are not read".into()));
    }
    decoder.decode_into(&mut data).map_err(refused)?;
    Ok(Pixels { width, height, color, data })
}

fn refused(error: DecodeErrors) -> Refused {
    let refusal = match &error {
        DecodeErrors::Unsupported(_) => Refusal::Unsupported,
        DecodeErrors::ExhaustedData => Refusal::Truncated,
        DecodeErrors::LargeDimensions(_) => Refusal::TooLarge,
        _ => Refusal::Damaged,
    };
    Refused(refusal, format!("{error:?}"))
}

/// Red, green and blue of a picture of this size, if it can be decoded; no strictness, as a ground for
/// text needs none.
pub(crate) fn colours(bytes: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    let options = DecoderOptions::default()
        .set_use_unsafe(false)
        .jpeg_set_max_scans(MAX_SCANS)
        .set_max_width(width)
        .set_max_height(height)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let decode = || {
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().ok()?;
        let same = decoder.dimensions() == Some((width, height));
        let known = matches!(
            decoder.input_colorspace(),
            Some(
                ColorSpace::Luma
                    | ColorSpace::YCbCr
                    | ColorSpace::RGB
                    | ColorSpace::CMYK
                    | ColorSpace::YCCK
            )
        );
        (same && known).then(|| decoder.decode().ok())?
    };
    // The decoder is not ours; a picture that it fails on is one whose colours are not known.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).ok().flatten()
}
