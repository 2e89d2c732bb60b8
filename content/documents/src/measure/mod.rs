//! What acceptance measures of a file: bytes of canonical text, pixels, milliseconds.
//!
//! Text is read in this process, under counted limits. Images and sound go through decoders of
//! other people's, so they are decoded in a child process without network, files or new privileges
//! ([`crate::sandbox`]), and only numbers come back.
//!
//! | | counts | does not count |
//! |---|---|---|
//! | image | pixels of the first frame or page | flat tiles of 16 × 16, tiles seen before |
//! | sound | milliseconds | windows of 100 ms without anything audible, windows heard before |
//!
//! Everything is counted from what was decoded, never from what a header says, and every limit is a
//! count, so that all machines measure the same. `docs/datasets.md` states the rules.

mod audible;
pub(crate) mod image;
mod jpeg;
pub(crate) mod layout;
mod mp3;
mod refusal;
pub(crate) mod sound;
pub(crate) mod tiles;
mod wav;
pub(crate) mod windows;

use crate::{
    budget::MAX_TEXT,
    canonical::{read, sniff, TextError},
    sandbox::{self, DecoderError, Isolation},
    LeftOut, MediaType,
};
pub(crate) use jpeg::colours as jpeg_colours;
use openledger_primitives::{text_root, Modality};
pub use refusal::Refusal;

/// Most bytes of an image or sound file that are measured: more than an account may submit a day.
pub const MAX_MEDIA_BYTES: u64 = 16 << 20;
/// Most pixels of an image.
pub const MAX_PIXELS: u64 = Modality::Image.max_units();
/// Most pixels of an image's side.
pub const MAX_SIDE: u32 = 65_535;
/// Side of the tiles that are looked at, in pixels.
pub const TILE: u32 = 16;
/// Levels, of 255, that a channel's levels in a flat tile deviate by at most, as the root of their mean
/// square: what the grain of paper, a sensor and JPEG make of a blank sheet.
pub const FLAT_DEVIATION: u8 = 3;
/// Most milliseconds of a sound.
pub const MAX_MILLISECONDS: u64 = Modality::Audio.max_units();
/// Most samples of a sound, over all channels: thirty minutes of stereo at 48 kHz are 172.8 million.
pub const MAX_SAMPLES: u64 = 200_000_000;
/// Sampling rates that are read, in hertz.
pub const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;
/// Most channels of a sound.
pub const MAX_CHANNELS: usize = 8;
/// Amplitude, of a full scale of 1, whose root mean square is silence: −60 dBFS.
pub const SILENCE: f64 = 0.001;

/// What acceptance measures of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Bytes of canonical text, pixels, or milliseconds.
    pub units: u64,
    /// Merkle root over the 1 KiB chunks of the canonical text; zero for images and sound, which
    /// have none.
    pub text_root: [u8; 32],
}

impl Measured {
    /// Units and text root of a canonical text.
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`] of a text with more units than a verdict may claim.
    pub fn of_text(text: &str) -> Result<Self, TextError> {
        let units = text.len() as u64;
        if units > Modality::Text.max_units() {
            return Err(TextError::TooLong { limit: MAX_TEXT });
        }
        Ok(Self { units, text_root: text_root(text.as_bytes()).0 })
    }
}

/// [`Measured`], and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// What counts.
    pub measured: Measured,
    /// What does not, in the same units.
    pub left_out: LeftOut,
    /// What held the decoder back; `None` for text, which needs none.
    pub isolation: Option<Isolation>,
}

/// Why a file has no units.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// It has no text, or not what it claims to be.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A document that another process read, in its words.
    #[error("{0}")]
    Read(String),
    /// An image or sound that is not accepted.
    #[error("the .{} file {refusal}: {detail}; {}", media_type.extension(), refusal.next())]
    Refused {
        /// The declared format.
        media_type: MediaType,
        /// Why, of a closed list.
        refusal: Refusal,
        /// The value and its limit.
        detail: String,
    },
    /// The decoder asked for more than it may have, and was stopped.
    #[error(
        "the decoder of the .{} file was stopped: it asked for more than {what}, which no file within \
         the limits needs; make the file smaller, or save it again", media_type.extension()
    )]
    Stopped {
        /// The declared format.
        media_type: MediaType,
        /// What it asked for.
        what: sandbox::Bound,
    },
    /// The decoder did not do its work; that says nothing about the file.
    #[error(transparent)]
    Decoder(#[from] DecoderError),
}

impl MeasureError {
    /// Whether it is the file's fault, so that a curator may reject it; the rest is this machine's.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Decoder(_))
    }
}

/// Units and text root of a file of any modality.
///
/// Images and sound need the program `openledger-decode` beside the running one
/// ([`crate::sandbox`]).
///
/// # Errors
///
/// As [`measurement`].
pub fn measure(media_type: MediaType, bytes: &[u8]) -> Result<Measured, MeasureError> {
    measurement(media_type, bytes).map(|measurement| measurement.measured)
}

/// Units of a file of any modality, with what was left out.
///
/// It blocks until the decoder is done, at most [`sandbox::WALL_CLOCK`].
///
/// # Errors
///
/// [`MeasureError::Text`] as [`read`] and [`sniff`] answer, [`MeasureError::Refused`] and
/// [`MeasureError::Stopped`] for images and sound that are not accepted, [`MeasureError::Decoder`]
/// where the decoder could not run.
pub fn measurement(media_type: MediaType, bytes: &[u8]) -> Result<Measurement, MeasureError> {
    if media_type.modality() == Modality::Text {
        let reading = read(media_type, bytes)?;
        let measured = Measured::of_text(&reading.text)?;
        return Ok(Measurement { measured, left_out: reading.left_out, isolation: None });
    }
    sniff(media_type, bytes)?;
    if bytes.len() as u64 > MAX_MEDIA_BYTES {
        return Err(MeasureError::Refused {
            media_type,
            refusal: Refusal::TooLarge,
            detail: format!("{} bytes, at most {MAX_MEDIA_BYTES} are measured", bytes.len()),
        });
    }
    let (counted, isolation) = sandbox::decode(media_type, bytes)?;
    Ok(Measurement {
        measured: Measured { units: counted.units, text_root: [0; 32] },
        left_out: counted.left_out,
        isolation: Some(isolation),
    })
}

/// What was counted in an image or sound, in pixels or milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// What counts.
    pub(crate) units: u64,
    /// What does not.
    pub(crate) left_out: LeftOut,
}

/// Why an image or sound is not accepted: of a closed list, with the value and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) Refusal, pub(crate) String);

pub(crate) type Result2<T> = Result<T, Refused>;

/// Counts an image or sound **in this process**, which the caller has confined.
pub(crate) fn count(media_type: MediaType, bytes: &[u8]) -> Result2<Counted> {
    match media_type.modality() {
        Modality::Image => image::count(media_type, bytes),
        Modality::Audio => sound::count(media_type, bytes),
        Modality::Text => Err(Refused(Refusal::Unsupported, "text is not decoded here".into())),
    }
}

/// Counts an image or sound **in this process**: what it does to memory, time and the process is not
/// held back. For fuzzing and measuring decoders; everything else calls [`measurement`].
///
/// # Errors
///
/// [`MeasureError::Refused`].
pub fn count_unconfined(media_type: MediaType, bytes: &[u8]) -> Result<u64, MeasureError> {
    count(media_type, bytes)
        .map(|counted| counted.units)
        .map_err(|Refused(refusal, detail)| MeasureError::Refused { media_type, refusal, detail })
}

/// Refuses a file that goes on after its end: `used` of `all` bytes belong to it. Up to 1 KiB, or as
/// much as the file itself, may follow: tags, and the second pictures that cameras append.
pub(crate) fn trailing(used: usize, all: usize) -> Result2<()> {
    let rest = all.saturating_sub(used);
    if rest <= used.max(1_024) {
        return Ok(());
    }
    Err(Refused(
        Refusal::Trailing,
        format!("{rest} bytes follow its {used} bytes, at most as many again may"),
    ))
}
