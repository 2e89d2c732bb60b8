//! Frames of an MP3 file, one after the other.
//!
//! A player searches for the next frame wherever it finds one. Here each begins where the last one
//! ends, so that what a header says of sizes, durations or numbers is never believed.

use super::{trailing, Refusal, Refused, Result2};

/// Kilobits a second of MPEG 1, layer III.
const RATES_1: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
/// Kilobits a second of MPEG 2 and 2.5, layer III.
const RATES_2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// One frame of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Header and data.
    pub(crate) bytes: &'a [u8],
    /// Hertz.
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    /// Samples of each channel.
    pub(crate) samples: u64,
}

struct Header {
    size: usize,
    rate: u32,
    channels: usize,
    samples: u64,
    /// Bytes of side information before the data.
    side: usize,
}

/// The frames of a file, without the one that only informs about the others.
///
/// # Errors
///
/// [`Refusal::Truncated`] if the last frame is not whole, [`Refusal::Unsupported`] for a bit rate of
/// its own kind ("free format") and a change of rate or channels, [`Refusal::Trailing`].
pub(crate) fn frames(bytes: &[u8]) -> Result2<Vec<Frame<'_>>> {
    let start = start(bytes)?;
    let mut at = start;
    let mut frames: Vec<Frame<'_>> = Vec::new();
    while let Some(four) = bytes.get(at..at + 4) {
        let [first, second, third, fourth] = [four[0], four[1], four[2], four[3]];
        let Some(header) = header(first, second, third, fourth)? else { break };
        let end = at + header.size;
        let Some(whole) = bytes.get(at..end) else {
            let number = frames.len() + 1;
            let detail = format!("frame {number} ends at byte {end}, the file has {}", bytes.len());
            return Err(Refused(Refusal::Truncated, detail));
        };
        let informs = at == start && informs(whole, header.side);
        let frame = Frame {
            bytes: whole,
            rate: header.rate,
            channels: header.channels,
            samples: header.samples,
        };
        if let Some(first) = frames.first() {
            if (first.rate, first.channels) != (frame.rate, frame.channels) {
                let detail = format!(
                    "it changes from {} Hz and {} channels to {} Hz and {}",
                    first.rate, first.channels, frame.rate, frame.channels
                );
                return Err(Refused(Refusal::Unsupported, detail));
            }
        }
        if !informs {
            frames.push(frame);
        }
        at = end;
    }
    if frames.is_empty() {
        let detail = format!("no frame of layer III begins at byte {start}");
        return Err(Refused(Refusal::Damaged, detail));
    }
    trailing(at, bytes.len())?;
    Ok(frames)
}

/// Where the first frame begins: after ID3v2 tags, and zeros that fill them up.
fn start(bytes: &[u8]) -> Result2<usize> {
    let mut at = 0_usize;
    while let Some(tag) = bytes.get(at..at + 10).filter(|tag| tag.starts_with(b"ID3")) {
        let footer = if tag[5] & 0x10 == 0 { 0 } else { 10 };
        let size = tag[6..].iter().fold(0_usize, |size, byte| size << 7 | usize::from(byte & 0x7f));
        at += 10 + size + footer;
        if at > bytes.len() {
            let detail = format!("its ID3 tag ends at byte {at}, the file has {}", bytes.len());
            return Err(Refused(Refusal::Truncated, detail));
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    Ok(at + rest.iter().take_while(|byte| **byte == 0).count())
}

/// Reads a frame's header; `None` where there is none.
fn header(first: u8, second: u8, third: u8, fourth: u8) -> Result2<Option<Header>> {
    // Eleven bits of synchronisation, and layer III.
    if first != 0xff || second & 0xe0 != 0xe0 || second & 0x06 != 0x02 {
        return Ok(None);
    }
    let (rates, base, shift, samples) = match second >> 3 & 3 {
        3 => (RATES_1, 144_000, 0, 1_152),
        2 => (RATES_2, 72_000, 1, 576),
        0 => (RATES_2, 72_000, 2, 576),
        _ => return Ok(None),
    };
    let rate = match third >> 2 & 3 {
        0 => 44_100_u32 >> shift,
        1 => 48_000 >> shift,
        2 => 32_000 >> shift,
        _ => return Ok(None),
    };
    let Some(bits) = rates.get(usize::from(third >> 4)) else { return Ok(None) };
    if *bits == 0 {
        let detail = "a bit rate that its frames do not state (free format)";
        return Err(Refused(Refusal::Unsupported, detail.into()));
    }
    let channels = if fourth >> 6 == 3 { 1 } else { 2 };
    let side = match (shift, channels) {
        (0, 2) => 32,
        (0, _) | (_, 2) => 17,
        _ => 9,
    };
    let size = (base * bits / rate + u32::from(third >> 1 & 1)) as usize;
    Ok(Some(Header { size, rate, channels, samples, side }))
}

/// Whether a frame carries no sound but the number of frames and their seek table (Xing, VBRI).
fn informs(frame: &[u8], side: usize) -> bool {
    let at = |place: usize| frame.get(place..place + 4).unwrap_or_default();
    matches!(at(4 + side), b"Xing" | b"Info") || at(36) == b"VBRI"
}
