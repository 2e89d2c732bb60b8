//! The two chunks of a WAV file that say what sounds, checked before the decoder sees them.
//!
//! symphonia 0.6.1 multiplies and shifts by what the format chunk says before it looks whether that
//! can be: it panics, or in a release goes on with what is left of the numbers. It also takes the
//! last of several format chunks, and loses its place after some of them and after lists of an odd
//! length. So it gets a file of one format and one data chunk, whose numbers it can reckon with.

use super::{layout, windows::readable_channels, Refusal, Refused, Result2};

/// A-law and µ-law.
const LAWS: [u16; 2] = [6, 7];
/// A format whose kind is stated in an extension, beside the loudspeaker of each channel.
const EXTENSIBLE: u16 = 0xfffe;
/// Bytes of that format's chunk.
const EXTENDED: usize = 40;
/// Loudspeakers that have a name.
const LOUDSPEAKERS: u32 = 18;

/// A WAV file without all that does not sound.
pub(crate) struct Lean {
    pub(crate) bytes: Vec<u8>,
    /// Samples a channel that it has by its sizes.
    pub(crate) frames: u64,
}

/// Takes a file to its format and its samples.
///
/// # Errors
///
/// As [`layout::riff`]; [`Refusal::Damaged`] without either chunk; [`Refusal::Contradiction`] for two
/// of one, samples that are no whole frames, and an extension of another length than its own;
/// [`Refusal::Unsupported`] for a number of channels that is not read, and loudspeakers without a
/// name.
pub(crate) fn lean(bytes: &[u8]) -> Result2<Lean> {
    let (mut format, mut data) = (None, None);
    layout::riff(bytes, |kind, chunk| {
        let (place, name) = match &kind {
            b"fmt " => (&mut format, "format"),
            b"data" => (&mut data, "data"),
            _ => return Ok(()),
        };
        match place.replace(chunk) {
            None => Ok(()),
            Some(_) => contradiction(format!("it has more than one {name} chunk")),
        }
    })?;
    let (Some(format), Some(data)) = (format, data) else {
        return Err(Refused(Refusal::Damaged, "it has no format or no data chunk".into()));
    };
    let align = u64::from(short(format, 12));
    let length = data.len() as u64;
    if align == 0 || !length.is_multiple_of(align) {
        return contradiction(format!(
            "its {length} bytes of samples are no multiple of {align} a frame"
        ));
    }
    check(format)?;
    let mut bytes = Vec::with_capacity(data.len() + format.len() + 28);
    bytes.extend_from_slice(b"RIFF\0\0\0\0WAVE");
    for (kind, chunk) in [(b"fmt ", format), (b"data", data)] {
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(&size(chunk.len())?);
        bytes.extend_from_slice(chunk);
        // Chunks begin at even places.
        if chunk.len() % 2 == 1 {
            bytes.push(0);
        }
    }
    let riff = size(bytes.len() - 8)?;
    for (place, byte) in bytes.iter_mut().skip(4).zip(riff) {
        *place = byte;
    }
    Ok(Lean { bytes, frames: length / align })
}

/// Refuses what the decoder cannot reckon with, or would lose its place after.
fn check(format: &[u8]) -> Result2<()> {
    let channels = short(format, 2);
    readable_channels(channels.into())?;
    match short(format, 0) {
        law if LAWS.contains(&law) && short(format, 16) != 0 => contradiction(format!(
            "its format chunk of {} bytes states an extension of {}",
            format.len(),
            short(format, 16)
        )),
        EXTENSIBLE if format.len() != EXTENDED => contradiction(format!(
            "its extended format chunk has {} bytes, {EXTENDED} belong there",
            format.len()
        )),
        EXTENSIBLE => {
            let mask = u32::from(short(format, 20)) | u32::from(short(format, 22)) << 16;
            // With more loudspeakers than channels, the last ones are passed over.
            if mask >> LOUDSPEAKERS == 0 || mask.count_ones() > channels.into() {
                return Ok(());
            }
            let detail = format!(
                "its {channels} channels are for the loudspeakers {mask:#010x}, where only the lowest \
                 {LOUDSPEAKERS} bits have one"
            );
            Err(Refused(Refusal::Unsupported, detail))
        }
        _ => Ok(()),
    }
}

/// The number of two bytes at `at`; 0 where the chunk has ended.
fn short(chunk: &[u8], at: usize) -> u16 {
    match chunk.get(at..at + 2) {
        Some([low, high]) => u16::from_le_bytes([*low, *high]),
        _ => 0,
    }
}

fn size(length: usize) -> Result2<[u8; 4]> {
    u32::try_from(length)
        .map(u32::to_le_bytes)
        .map_err(|_| Refused(Refusal::TooLarge, format!("a chunk of {length} bytes")))
}

fn contradiction<T>(detail: String) -> Result2<T> {
    Err(Refused(Refusal::Contradiction, detail))
}
